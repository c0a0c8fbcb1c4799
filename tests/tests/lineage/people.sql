-- What random statements are about. Nothing but the declared columns holds four consonants in a row.
CREATE TABLE people (id integer PRIMARY KEY, name text, token text, number bigint, doc jsonb, tags text[])
    WITH (autovacuum_enabled = off);
CREATE TABLE orders (id integer PRIMARY KEY, person integer, memo text, mark text)
    WITH (autovacuum_enabled = off);
CREATE VIEW seen AS SELECT token AS shown, people.id, name, right(mark, 5) AS tail FROM people JOIN orders USING (id);
INSERT INTO people VALUES
    (1, 'aeo', 'QWZXKVJPHGFD', 739184620517, '{"pin": "XKZQJWVGTPBH"}', '{ZKQXWVJF,PBGDTMHL}'),
    (2, 'oia', 'JXQKZVWGPTHB', 416273958802, '{"pin": "ZVXQKJGWBTDP"}', '{GVXJQKWZ,TDLBHPNM}'),
    (3, 'aeo', 'VKZQXJWTGDPB', 952846173309, '{"pin": "WQXZVKJTGHDB"}', '{QJZWXKVG,DHPTBLMN}');
INSERT INTO orders VALUES
    (1, 2, 'eau', 'WVXQZPKJGHTR'), (2, 1, 'ouie', 'KQJZXWGVTPBD'), (3, 3, 'aio', 'ZQWKXVJGPTDH'), (4, 2, 'ua', 'XGWJVQZKBTNP');
CREATE FUNCTION token_of(integer) RETURNS text LANGUAGE sql STABLE AS 'SELECT token FROM people WHERE id = $1';
CREATE FUNCTION loud(word text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(word)';
CREATE FUNCTION pairs_of(most bigint) RETURNS TABLE (n bigint, word text, mine text) LANGUAGE sql STABLE
    AS 'SELECT id::bigint, name, token FROM people WHERE id <= most';
CREATE FUNCTION after(text) RETURNS SETOF bigint LANGUAGE sql STABLE AS 'SELECT id::bigint FROM people WHERE token > $1';
CREATE FUNCTION all_people() RETURNS SETOF people LANGUAGE sql STABLE AS 'SELECT * FROM people';
