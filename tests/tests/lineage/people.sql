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
