-- What the tricks of tricks.sql are after. The values are such that no detector knows them: only what is declared protects.
CREATE TABLE vault (
    id integer PRIMARY KEY,
    kind text NOT NULL,
    secret text UNIQUE CONSTRAINT vault_long CHECK (length(secret) > 3),
    code bigint,
    paid numeric(14, 2),
    born date,
    uid uuid,
    blob bytea,
    tags text[],
    doc jsonb
);
INSERT INTO vault VALUES
    (1, 'a', 'QWZXKVJPHGFDMBTYLN', 739184620517, 8261739.45, '1913-07-29', 'c7d9f3b1-5e82-4a6c-9d17-f3b86e2a5c91', 'WVXQZPKJGHTRDLMBNF', '{ZKQXWVJF,PBGDTMHL}', '{"pin": "XKZQJWVGTPBHDM"}'),
    (2, 'a', 'JXQKZVWGPTHBNMDLFR', 416273958802, 5938274.61, '1927-11-03', '8e4b7a92-d3f1-4c58-b6e9-2a7d91c4f083', 'KQJZXWGVTPBDHMLNRF', '{GVXJQKWZ,TDLBHPNM}', '{"pin": "ZVXQKJGWBTDPLH"}'),
    (3, 'b', 'VKZQXJWTGDPBHLNMRF', 952846173309, 7410692.83, '1938-02-17', '5a91c8e7-f2b4-4d63-8c0e-b97f1d3e6a42', 'ZQWKXVJGPTDHBLFMNR', '{QJZWXKVG,DHPTBLMN}', '{"pin": "WQXZVKJTGHDBPM"}');
CREATE VIEW vault_view AS SELECT id, secret AS s, code + 0 AS c FROM vault;
CREATE MATERIALIZED VIEW vault_kept AS SELECT id, secret AS s FROM vault;
CREATE FUNCTION vault_peek(integer) RETURNS text LANGUAGE sql STABLE AS 'SELECT secret FROM vault WHERE id = $1';
CREATE FUNCTION vault_pl(integer) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT v.secret FROM vault v WHERE v.id = $1); END';
CREATE FUNCTION vault_rows() RETURNS SETOF vault LANGUAGE sql STABLE AS 'SELECT * FROM vault';
CREATE FUNCTION vault_of(vault) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.secret';
CREATE FUNCTION vault_raise(integer) RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION USING MESSAGE = (SELECT secret FROM vault WHERE id = $1); END';
CREATE TABLE plain (id integer PRIMARY KEY, word text, number bigint, doc jsonb);
INSERT INTO plain VALUES (1, 'one', 1, '{}'), (2, 'two', 2, '{}'), (3, 'three', 3, '{}');
CREATE TABLE sure (id integer, word varchar(3), number smallint CHECK (number < 0), day date, UNIQUE (word));
CREATE TYPE pair AS (a text, b bigint);
ANALYZE vault;
CREATE FUNCTION plain_secret(plain) RETURNS text LANGUAGE sql STABLE AS 'SELECT secret FROM vault WHERE id = $1.id';
CREATE TABLE referring (id integer, word text REFERENCES vault (secret) ON UPDATE CASCADE ON DELETE CASCADE, turned text GENERATED ALWAYS AS (reverse(word)) STORED);
INSERT INTO referring SELECT id, secret FROM vault;
CREATE TABLE events (message text);
CREATE FUNCTION log_event(text) RETURNS void LANGUAGE plpgsql AS 'BEGIN INSERT INTO events VALUES ($1); END';
CREATE FUNCTION log_atomic(message text) RETURNS void LANGUAGE sql BEGIN ATOMIC INSERT INTO events VALUES (message); END;
CREATE FUNCTION set_tenant(text) RETURNS text LANGUAGE sql AS $$SELECT set_config('app.tenant', $1, false)$$;
CREATE FUNCTION lock_for(bigint) RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_lock($1)';
CREATE TABLE held (id integer PRIMARY KEY, kind text, note text, secret text REFERENCES vault (secret) ON UPDATE CASCADE ON DELETE CASCADE, CHECK (note <= secret));
INSERT INTO held SELECT id, kind, 'A', secret FROM vault;
CREATE VIEW held_view AS SELECT id, note FROM held WHERE note < secret WITH CHECK OPTION;
CREATE VIEW vault_asked AS SELECT id FROM vault WHERE secret LIKE coalesce(current_setting('app.q', true), 'Q%');
