-- Ordinary work over a bank whose protected columns are declared. Each line must come back exactly as from the server itself:
-- every byte, type, name and tag. `;;` stands between statements; a line that begins with `!` writes and is undone at its end.

-- Rows
SELECT id, name, city, country FROM customers ORDER BY id LIMIT 50
SELECT id, date_of_birth, created_at FROM customers ORDER BY id LIMIT 50
SELECT * FROM (SELECT id, kind, currency, balance, status, opened_on FROM accounts) a ORDER BY id LIMIT 50
SELECT id, account_id, brand, holder, expiry, status, daily_limit FROM cards ORDER BY id DESC LIMIT 50
SELECT id, account_id, card_id, counterparty, amount, currency, status, created_at FROM payments ORDER BY id LIMIT 100
SELECT id, author, tags, written_at FROM support_notes ORDER BY id LIMIT 50
SELECT tags[1], array_length(tags, 1), 'urgent' = ANY(tags) FROM support_notes ORDER BY id LIMIT 50
SELECT DISTINCT city FROM customers ORDER BY city
SELECT DISTINCT ON (country) country, id, city FROM customers ORDER BY country, id
SELECT id FROM customers WHERE country = 'US' ORDER BY id OFFSET 10 LIMIT 10
SELECT id FROM customers ORDER BY id FETCH FIRST 5 ROWS ONLY
SELECT id, city FROM customers WHERE city LIKE 'S%' ORDER BY id LIMIT 20
SELECT id FROM customers WHERE city ~* '^b' ORDER BY id LIMIT 20
SELECT id FROM customers WHERE created_at >= '2020-01-01' AND created_at < '2024-01-01' ORDER BY id LIMIT 20
SELECT id FROM accounts WHERE balance BETWEEN 1000 AND 2000 ORDER BY id LIMIT 20
SELECT id FROM accounts WHERE status IN ('frozen', 'closed') ORDER BY id LIMIT 20
SELECT id, card_id IS NULL AS cash FROM payments ORDER BY id LIMIT 20
SELECT id, coalesce(card_id, -1) FROM payments ORDER BY id LIMIT 20
SELECT id, CASE WHEN amount < 0 THEN 'out' ELSE 'in' END AS way FROM payments ORDER BY id LIMIT 20
SELECT (id, kind, currency) FROM accounts ORDER BY id LIMIT 10
SELECT ARRAY[id, account_id] FROM cards ORDER BY id LIMIT 10
SELECT a FROM (SELECT id, kind FROM accounts ORDER BY id LIMIT 5) a
SELECT id FROM accounts WHERE id = 999999999

-- Numbers of rows and sums
SELECT count(*) FROM customers
SELECT count(*) FROM cards WHERE status = 'active'
SELECT count(ssn), count(*) - count(ssn) FROM customers
SELECT count(*) FILTER (WHERE country = 'US') FROM customers
SELECT country, count(*) FROM customers GROUP BY country ORDER BY country
SELECT country, count(*) FROM customers GROUP BY 1 HAVING count(*) > 10 ORDER BY 2 DESC, 1
SELECT currency, sum(balance), avg(balance), min(balance), max(balance) FROM accounts GROUP BY currency ORDER BY currency
SELECT kind, status, count(*) FROM accounts GROUP BY ROLLUP (kind, status) ORDER BY kind, status
SELECT kind, currency, grouping(kind), sum(balance) FROM accounts GROUP BY CUBE (kind, currency) ORDER BY 1, 2, 3
SELECT date_trunc('month', created_at) AS month, count(*), sum(amount) FROM payments GROUP BY 1 ORDER BY 1
SELECT extract(year FROM opened_on)::int AS year, count(*) FROM accounts GROUP BY 1 ORDER BY 1
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM payments
SELECT mode() WITHIN GROUP (ORDER BY status) FROM payments
SELECT stddev_samp(amount)::numeric(12, 4), var_pop(amount)::numeric(14, 4) FROM payments
SELECT array_agg(id ORDER BY id) FROM accounts WHERE id < 20
SELECT string_agg(DISTINCT city, ', ' ORDER BY city) FROM customers
SELECT json_agg(kind ORDER BY id) FROM accounts WHERE id < 10
SELECT jsonb_object_agg(id, status) FROM accounts WHERE id < 10
SELECT bool_and(amount <> 0), bool_or(amount < 0), every(true) FROM payments
SELECT corr(amount, id)::numeric(10, 6) FROM payments

-- Joins
SELECT c.name, a.kind, a.balance FROM customers c JOIN accounts a ON a.customer_id = c.id ORDER BY a.id LIMIT 50
SELECT c.id, count(a.id) FROM customers c LEFT JOIN accounts a ON a.customer_id = c.id GROUP BY c.id ORDER BY c.id LIMIT 50
SELECT c.name, k.brand, k.status FROM customers c, accounts a, cards k WHERE a.customer_id = c.id AND k.account_id = a.id ORDER BY k.id LIMIT 50
SELECT p.id, k.brand FROM payments p JOIN cards k ON k.id = p.card_id ORDER BY p.id LIMIT 50
SELECT id, a.kind FROM accounts a JOIN cards USING (id) ORDER BY id LIMIT 20
SELECT id FROM accounts NATURAL JOIN (SELECT id FROM cards) c ORDER BY id LIMIT 20
SELECT c.id, x.id FROM customers c CROSS JOIN LATERAL (SELECT a.id FROM accounts a WHERE a.customer_id = c.id ORDER BY a.id LIMIT 1) x ORDER BY 1 LIMIT 20
SELECT c.id FROM customers c WHERE EXISTS (SELECT FROM accounts a WHERE a.customer_id = c.id AND a.status = 'frozen') ORDER BY 1 LIMIT 20
SELECT c.id FROM customers c WHERE c.id NOT IN (SELECT customer_id FROM accounts) ORDER BY 1 LIMIT 20
SELECT id, (SELECT count(*) FROM cards k WHERE k.account_id = a.id) FROM accounts a ORDER BY id LIMIT 20
SELECT g, count(p.id) FROM generate_series(1, 5) g LEFT JOIN payments p ON p.account_id = g GROUP BY g ORDER BY g
SELECT a.id FROM accounts a FULL JOIN cards k ON k.account_id = a.id WHERE k.id IS NULL ORDER BY 1 LIMIT 20

-- Windows, common table expressions, sets
SELECT id, amount, sum(amount) OVER (PARTITION BY account_id ORDER BY id) FROM payments ORDER BY id LIMIT 50
SELECT id, row_number() OVER (ORDER BY balance DESC, id) FROM accounts ORDER BY 2 LIMIT 20
SELECT id, lag(amount) OVER w, lead(amount) OVER w FROM payments WINDOW w AS (PARTITION BY account_id ORDER BY id) ORDER BY id LIMIT 20
SELECT id, ntile(4) OVER (ORDER BY balance, id), rank() OVER (ORDER BY kind) FROM accounts ORDER BY id LIMIT 20
WITH big AS (SELECT id, balance FROM accounts WHERE balance > 50000) SELECT count(*), sum(balance) FROM big
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i, i * i FROM n
WITH a AS MATERIALIZED (SELECT id, kind FROM accounts), b AS (SELECT kind, count(*) n FROM a GROUP BY kind) SELECT * FROM b ORDER BY kind
SELECT city FROM customers WHERE country = 'US' INTERSECT SELECT city FROM customers WHERE id < 500 ORDER BY 1
SELECT id FROM accounts WHERE id < 10 UNION ALL SELECT id FROM cards WHERE id < 10 ORDER BY 1
SELECT status FROM accounts EXCEPT SELECT status FROM cards ORDER BY 1
VALUES (1, 'one'), (2, 'two')

-- Views, functions, the catalog
SELECT id, name, city, accounts, usd_balance FROM customer_directory ORDER BY id LIMIT 20
SELECT payment_id, holder, amount, currency, status FROM card_activity ORDER BY payment_id LIMIT 20
SELECT count(*) FROM card_activity WHERE amount < -100
SELECT current_database() IS NOT NULL, current_schema(), version() LIKE 'PostgreSQL%'
SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, ordinal_position
SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname
SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 'public.payments'::regclass AND attnum > 0 ORDER BY attnum
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'public.accounts'::regclass ORDER BY conname
SELECT pg_get_viewdef('public.card_activity'::regclass)
SELECT proname, provolatile FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY proname
SELECT obj_description('public.customers'::regclass), to_regclass('public.nothing') IS NULL

-- Values of every kind
SELECT 1::smallint, 2::int, 3::bigint, 4.5::real, 6.25::double precision, 7.125::numeric, 'NaN'::float8, '-Infinity'::numeric
SELECT true, false, NULL::bool, 'a'::"char", 'b'::char(3), 'c'::varchar(5), 'd'::name, ''::text
SELECT '2024-02-29'::date, '12:34:56.789'::time, '2024-02-29 12:34:56+02'::timestamptz, 'infinity'::timestamp, '1 year 2 mons 3 days'::interval
SELECT 'c7d9f3b1-5e82-4a6c-9d17-f3b86e2a5c91'::uuid, '\xdeadbeef'::bytea, B'1011', '08:00:2b:01:02:03'::macaddr
SELECT '{"a": [1, 2, {"b": null}], "c": "d"}'::json, '{"z": 1, "a": 2}'::jsonb, '[]'::jsonb, 'null'::jsonb
SELECT '{1,2,NULL}'::int[], '{{1,2},{3,4}}'::int[], '{"a b","c,d",NULL,""}'::text[], '[2:3]={7,8}'::int[]
SELECT int4range(1, 10), numrange(1.5, NULL, '(]'), 'empty'::int8range, '{[1,3),[5,8)}'::int4multirange
SELECT point(1, 2), '((0,0),(1,1))'::box, '<(0,0),5>'::circle, 'a & b'::tsquery, to_tsvector('simple', 'the quick fox')
SELECT 'bank'::regnamespace IS NULL WHERE false
SELECT '10 000.50'::text, 'naïve Zürich Ωmega 日本 😀', E'tab\tnew\nline\\', repeat('x', 5000)
SELECT '2024-11-03T10:15:30Z', '1730628930123', '1.2.3-rc.4', 'v10.11.12', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
SELECT 'ORD-2024-000123456789', 'INV/2024/0000987654', '550e8400-e29b-41d4-a716-446655440000', 'sha256:e3b0c44298fc1c149afbf4c8996fb924'
SELECT xmlelement(name account, xmlattributes(id AS id), kind) FROM accounts ORDER BY id LIMIT 5
SELECT row_to_json(x) FROM (SELECT id, kind, balance FROM accounts ORDER BY id LIMIT 5) x
SELECT jsonb_build_object('id', id, 'kind', kind, 'balance', balance) FROM accounts ORDER BY id LIMIT 5
SELECT d.key, d.value FROM jsonb_each_text('{"a": 1, "b": "two"}') d ORDER BY 1
SELECT x.n, x.s FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) WITH ORDINALITY x(n, s, o)
SELECT regexp_matches('foobarbaz', 'b(.)', 'g')
SELECT to_char(amount, 'FM999,999,990.00'), to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM payments ORDER BY id LIMIT 20
SELECT upper(name), length(name), substr(name, 1, 3), md5(city) FROM customers ORDER BY id LIMIT 20
SELECT age(timestamp '2024-01-01', opened_on) FROM accounts ORDER BY id LIMIT 20

-- A row that is looked up by a key that the caller has
SELECT id, name FROM customers WHERE ssn = '123-45-6789'
SELECT id, status FROM cards WHERE pan = '4111111111111111'
SELECT count(*) FROM customers WHERE email = 'nobody@example.com'

-- Sessions
SHOW server_version_num
SET statement_timeout = '30s' ;; SHOW statement_timeout ;; RESET statement_timeout
SET search_path = public, pg_catalog ;; SELECT count(*) FROM accounts
BEGIN ;; SELECT count(*) FROM accounts ;; SAVEPOINT a ;; SELECT 1 ;; ROLLBACK TO a ;; RELEASE a ;; COMMIT
BEGIN READ ONLY ;; SELECT count(*) FROM cards ;; ROLLBACK
BEGIN ;; DECLARE c CURSOR FOR SELECT id, kind FROM accounts ORDER BY id ;; FETCH 3 FROM c ;; MOVE 2 IN c ;; FETCH NEXT FROM c ;; CLOSE c ;; COMMIT
BEGIN ;; DECLARE c SCROLL CURSOR FOR SELECT id FROM cards ORDER BY id ;; FETCH LAST FROM c ;; FETCH FIRST FROM c ;; FETCH BACKWARD 1 FROM c ;; COMMIT
PREPARE p (int) AS SELECT id, kind FROM accounts WHERE id = $1 ;; EXECUTE p (1) ;; EXECUTE p (2) ;; DEALLOCATE p
EXPLAIN (COSTS OFF) SELECT id FROM accounts WHERE id = 1
COPY (SELECT id, kind, balance FROM accounts ORDER BY id LIMIT 50) TO STDOUT
COPY (SELECT id, kind, balance FROM accounts ORDER BY id LIMIT 50) TO STDOUT (FORMAT csv, HEADER)
COPY accounts (id, kind, currency, balance, status, opened_on) TO STDOUT

-- Mistakes
SELECT nothing FROM accounts
!SELECT id FROM nowhere
SELECT 1 / 0
SELECT 'abc'::int
SELECT id FROM accounts WHERE kind = 1
SELECT count(*) FROM accounts GROUP BY nothing
SELECT round('x')
BEGIN ;; SELECT 1 / 0 ;; SELECT 1 ;; ROLLBACK

-- Changes
!UPDATE payments SET memo = 'reviewed' WHERE id = 1
!UPDATE payments SET status = 'reversed' WHERE id BETWEEN 10 AND 20 RETURNING id, status
!DELETE FROM payments WHERE id = 5 RETURNING id, amount
!INSERT INTO payments VALUES (900000001, 1, NULL, 'somebody', -5, 'USD', 'pending', NULL, '{}', '2024-01-01') RETURNING id, amount
!INSERT INTO accounts SELECT 900000001, id, 'savings', 'EUR', 'DE00', NULL, NULL, 0, 'open', '2024-01-01' FROM customers WHERE id = 1 RETURNING id, kind, balance
!INSERT INTO cards (id, account_id, pan, brand, holder, expiry, status, daily_limit) VALUES (1, 1, '4111111111111111', 'visa', 'x', '2030-01-31', 'active', 1) ON CONFLICT DO NOTHING
!UPDATE accounts a SET status = 'frozen' FROM customers c WHERE c.id = a.customer_id AND c.country = 'US' AND a.id < 50
!CREATE TEMP TABLE work AS SELECT id, kind FROM accounts WHERE id < 10 ;; SELECT * FROM work ORDER BY id ;; DROP TABLE work
!CREATE TEMP TABLE t (a int, b text) ;; INSERT INTO t VALUES (1, 'x'), (2, NULL) ;; SELECT * FROM t ORDER BY a ;; UPDATE t SET b = 'y' WHERE a = 2 ;; TABLE t ;; TRUNCATE t ;; SELECT count(*) FROM t
!LOCK TABLE accounts IN SHARE MODE ;; SELECT id FROM accounts WHERE id = 1 FOR UPDATE
!CREATE TEMP VIEW busy AS SELECT account_id, count(*) AS n FROM payments GROUP BY account_id ;; SELECT * FROM busy ORDER BY n DESC, account_id LIMIT 10
!MERGE INTO payments p USING (SELECT 1 AS id) s ON p.id = s.id WHEN MATCHED THEN UPDATE SET status = 'settled' WHEN NOT MATCHED THEN DO NOTHING
!CALL expire_cards('2021-01-01')
!DELETE FROM customers WHERE id = 1
