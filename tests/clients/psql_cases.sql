-- What psql does besides sending a statement. What this prints does not depend on the server's address, process ids or the
-- time, so two runs against the same data can be compared line by line. Run with psql -X -f.
\pset pager off
\set VERBOSITY default

\echo == catalog
\d
\d+ accounts
\d customer_directory
\d+ card_activity
\dt+
\dv
\di
\ds
\df
\sf transfer
\sv card_activity
\dn
\dp accounts
\dT
\dx
\dg app
\dconfig search_path
\dft
\dy

\echo == results
SELECT 1 AS one, NULL AS nothing, 'grüße 支払い' AS words \g
SELECT i, i * i AS square FROM generate_series(1, 3) i \gx
SELECT 1::int4 AS a, 'x'::text AS b, now() AS c \gdesc
SELECT 'SELECT ' || i FROM generate_series(1, 3) i \gexec
SELECT count(*) AS accounts FROM accounts \gset
\echo :accounts
SELECT i % 3 AS v, 'c' || i % 2 AS h, count(*) FROM generate_series(1, 12) i GROUP BY 1, 2 ORDER BY 1, 2 \crosstabview v h
CREATE TEMP SEQUENCE watched;
\t on
SELECT 10 / (3 - nextval('watched')) \watch 0.01
\t off
\set FETCH_COUNT 7
SELECT i FROM generate_series(1, 20) i;
\unset FETCH_COUNT
SELECT 1\; SELECT 2\; SELECT 3;
\x on
SELECT kind, status FROM accounts ORDER BY id LIMIT 1;
\x off
\pset format csv
SELECT 'a,b' AS "c,d", '"' AS q;
\pset format aligned

\echo == copy
CREATE TEMP TABLE copied (n int, words text);
\copy copied FROM PROGRAM 'printf "1\tone\n2\t\\\\N\n3\ttab\\\\tin\n"'
\copy copied TO STDOUT CSV HEADER
COPY copied FROM STDIN;
4	four
5	fünf
\.
COPY (SELECT * FROM copied ORDER BY n) TO STDOUT;
\copy (SELECT * FROM generate_series(1, 3)) TO STDOUT
COPY copied FROM STDIN;
none	x
\.

\echo == errors
SELECT 1 / 0;
\errverbose
SELECT * FROM nowhere;
\echo :ERROR :SQLSTATE :ROW_COUNT
INSERT INTO cards VALUES (0, 0, 'short', 'visa', 'X', '2030-01-01', 'active', 1);
SELECT transfer(1, 2, 0);
DO $$ BEGIN RAISE NOTICE 'a notice' USING HINT = 'a hint', DETAIL = 'a detail'; END $$;

\echo == transactions
BEGIN;
\set ON_ERROR_ROLLBACK on
SELECT 1 / 0;
SELECT 'still here' AS state;
ROLLBACK;
\unset ON_ERROR_ROLLBACK
\set AUTOCOMMIT off
CREATE TEMP TABLE uncommitted (n int);
ROLLBACK;
SELECT to_regclass('uncommitted') IS NULL AS gone;
ROLLBACK;
\set AUTOCOMMIT on
PREPARE twice (int) AS SELECT $1 * 2 AS double;
EXECUTE twice(21);
DEALLOCATE twice;
BEGIN;
DECLARE portal CURSOR FOR SELECT i FROM generate_series(1, 10) i;
FETCH 3 FROM portal;
MOVE 2 IN portal;
FETCH 1 FROM portal;
COMMIT;
LISTEN channel;
NOTIFY channel;
UNLISTEN *;
EXPLAIN (COSTS off) SELECT * FROM accounts WHERE id = 1;
SHOW server_encoding;
SET client_encoding = 'UTF8';
SELECT 'grüße' = U&'gr\00FC\00DFe' AS same;
RESET client_encoding;
\encoding
