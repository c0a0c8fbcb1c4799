-- Ordinary work over a bank whose protected columns are declared. Each line must come back exactly as from the server itself:
-- every byte, type, name and tag. `;;` stands between statements; a line that begins with `!` writes and is undone at its end.

-- Rows
SELECT id, name, city, country FROM customers ORDER BY id LIMIT 50
SELECT id, created_at, created_at::date FROM customers ORDER BY id LIMIT 50
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

-- What psql asks the catalog
SELECT n.nspname as "Schema", c.relname as "Name", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'i' THEN 'index' END as "Type", pg_catalog.pg_get_userbyid(c.relowner) as "Owner", c2.relname as "Table" FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_catalog.pg_class c2 ON i.indrelid = c2.oid WHERE c.relkind IN ('i','I','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2
SELECT c2.relname, i.indisprimary, i.indisunique, i.indisclustered, i.indisvalid, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true), pg_catalog.pg_get_constraintdef(con.oid, true), contype, condeferrable, condeferred, i.indisreplident, c2.reltablespace FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i LEFT JOIN pg_catalog.pg_constraint con ON (conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x')) WHERE c.oid = 'customers'::regclass AND c.oid = i.indrelid AND i.indexrelid = c2.oid ORDER BY i.indisprimary DESC, c2.relname
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull, (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation, a.attidentity, a.attgenerated FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'customers'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
SELECT r.conname, pg_catalog.pg_get_constraintdef(r.oid, true) FROM pg_catalog.pg_constraint r WHERE r.conrelid = 'customers'::regclass AND r.contype = 'c' ORDER BY 1
SELECT schemaname, tablename, indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2, 3
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'customers' ORDER BY 1
SELECT conname, contype FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1
SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1
SELECT matviewname, ispopulated FROM pg_matviews ORDER BY 1
SELECT tablename, tableowner, hasindexes, hasrules, hastriggers FROM pg_tables WHERE schemaname = 'public' ORDER BY 1
SELECT proname, pg_get_function_arguments(oid), pg_get_function_result(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1
SELECT pg_get_functiondef('public.transfer'::regproc)
SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1
SELECT n.nspname, pg_catalog.pg_get_userbyid(n.nspowner) FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_' ORDER BY 1
SELECT d.datname, pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate FROM pg_catalog.pg_database d WHERE d.datname = current_database() IS NULL
SELECT r.rolname, r.rolsuper, r.rolcanlogin FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY 1
SELECT e.extname, e.extversion FROM pg_catalog.pg_extension e ORDER BY 1
SELECT t.typname, t.typtype FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace ORDER BY 1
SELECT pg_catalog.obj_description(c.oid, 'pg_class') FROM pg_class c WHERE relname = 'customers'
SELECT col_description('customers'::regclass, 4)
SELECT conname, conrelid::pg_catalog.regclass AS ontable, pg_catalog.pg_get_constraintdef(oid, true) AS condef FROM pg_catalog.pg_constraint c WHERE confrelid IN (SELECT pg_catalog.pg_partition_ancestors('accounts'::regclass) UNION ALL VALUES ('accounts'::pg_catalog.regclass)) AND contype = 'f' AND conparentid = 0 ORDER BY conname
SELECT t.tgname, pg_catalog.pg_get_triggerdef(t.oid, true), t.tgenabled FROM pg_catalog.pg_trigger t WHERE t.tgrelid = 'customers'::regclass AND NOT t.tgisinternal
SELECT pol.polname, pol.polpermissive FROM pg_catalog.pg_policy pol WHERE pol.polrelid = 'customers'::regclass
SELECT oid, stxrelid::pg_catalog.regclass, stxnamespace::pg_catalog.regnamespace::pg_catalog.text AS nsp, stxname FROM pg_catalog.pg_statistic_ext WHERE stxrelid = 'customers'::regclass

-- What SQLAlchemy asks
select pg_catalog.version() IS NOT NULL
select current_schema()
show standard_conforming_strings
SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p']) AND pg_catalog.pg_class.relpersistence != 't' AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog' ORDER BY 1
SELECT pg_catalog.pg_attribute.attname AS name, pg_catalog.format_type(pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod) AS format_type, (SELECT pg_catalog.pg_get_expr(pg_catalog.pg_attrdef.adbin, pg_catalog.pg_attrdef.adrelid) AS pg_get_expr_1 FROM pg_catalog.pg_attrdef WHERE pg_catalog.pg_attrdef.adrelid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attrdef.adnum = pg_catalog.pg_attribute.attnum AND pg_catalog.pg_attribute.atthasdef) AS "default", pg_catalog.pg_attribute.attnotnull AS not_null, pg_catalog.pg_class.relname AS table_name, pg_catalog.pg_description.description AS comment, pg_catalog.pg_attribute.attgenerated AS generated, (SELECT json_build_object('always', pg_catalog.pg_attribute.attidentity = 'a', 'start', pg_catalog.pg_sequence.seqstart) AS json_build_object_1 FROM pg_catalog.pg_sequence WHERE pg_catalog.pg_attribute.attidentity != '' AND pg_catalog.pg_sequence.seqrelid = CAST(pg_catalog.pg_get_serial_sequence(CAST(CAST(pg_catalog.pg_attribute.attrelid AS REGCLASS) AS TEXT), pg_catalog.pg_attribute.attname) AS OID)) AS identity_options FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_class.oid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attribute.attnum > 0 AND NOT pg_catalog.pg_attribute.attisdropped LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_description.objoid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_description.objsubid = pg_catalog.pg_attribute.attnum JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p', 'f', 'v', 'm']) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_class.relname IN ('customers') ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_attribute.attnum
SELECT attr.conrelid, array_agg(CAST(attr.attname AS TEXT) ORDER BY attr.ord) AS cols, attr.conname, min(attr.description) AS description FROM (SELECT con.conrelid AS conrelid, con.conname AS conname, con.conindid AS conindid, con.description AS description, con.ord AS ord, pg_catalog.pg_attribute.attname AS attname FROM pg_catalog.pg_attribute JOIN (SELECT pg_catalog.pg_constraint.conrelid AS conrelid, pg_catalog.pg_constraint.conname AS conname, pg_catalog.pg_constraint.conindid AS conindid, unnest(pg_catalog.pg_constraint.conkey) AS attnum, generate_subscripts(pg_catalog.pg_constraint.conkey, 1) AS ord, pg_catalog.pg_description.description AS description FROM pg_catalog.pg_constraint LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_description.objoid = pg_catalog.pg_constraint.oid WHERE pg_catalog.pg_constraint.contype = 'p' AND pg_catalog.pg_constraint.conrelid IN ('customers'::regclass)) AS con ON pg_catalog.pg_attribute.attnum = con.attnum AND pg_catalog.pg_attribute.attrelid = con.conrelid WHERE con.conrelid IN ('customers'::regclass)) AS attr GROUP BY attr.conrelid, attr.conname ORDER BY attr.conrelid, attr.conname
SELECT pg_catalog.pg_index.indrelid, cls_idx.relname AS relname_index, pg_catalog.pg_index.indisunique, pg_catalog.pg_constraint.conrelid IS NOT NULL AS has_constraint, pg_catalog.pg_index.indoption, cls_idx.reloptions, pg_catalog.pg_am.amname, pg_catalog.pg_get_expr(pg_catalog.pg_index.indpred, pg_catalog.pg_index.indrelid) AS filter_definition, idx_cols.elements FROM pg_catalog.pg_index JOIN pg_catalog.pg_class AS cls_idx ON pg_catalog.pg_index.indexrelid = cls_idx.oid JOIN pg_catalog.pg_am ON cls_idx.relam = pg_catalog.pg_am.oid LEFT OUTER JOIN (SELECT idx_attr.indexrelid AS indexrelid, min(idx_attr.indrelid) AS min_1, array_agg(idx_attr.element ORDER BY idx_attr.ord) AS elements FROM (SELECT idx.indexrelid AS indexrelid, idx.indrelid AS indrelid, idx.ord AS ord, CASE WHEN (idx.attnum = 0) THEN pg_catalog.pg_get_indexdef(idx.indexrelid, idx.ord + 1, true) ELSE CAST(pg_catalog.pg_attribute.attname AS TEXT) END AS element FROM (SELECT i.indexrelid AS indexrelid, i.indrelid AS indrelid, unnest(i.indkey) AS attnum, generate_subscripts(i.indkey, 1) AS ord FROM pg_catalog.pg_index AS i WHERE NOT i.indisprimary AND i.indrelid IN ('customers'::regclass)) AS idx LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_attribute.attnum = idx.attnum AND pg_catalog.pg_attribute.attrelid = idx.indrelid) AS idx_attr GROUP BY idx_attr.indexrelid) AS idx_cols ON pg_catalog.pg_index.indexrelid = idx_cols.indexrelid LEFT OUTER JOIN pg_catalog.pg_constraint ON pg_catalog.pg_index.indrelid = pg_catalog.pg_constraint.conrelid AND pg_catalog.pg_index.indexrelid = pg_catalog.pg_constraint.conindid AND pg_catalog.pg_constraint.contype = ANY (ARRAY['p', 'u', 'x']) WHERE pg_catalog.pg_index.indrelid IN ('customers'::regclass) AND NOT pg_catalog.pg_index.indisprimary ORDER BY pg_catalog.pg_index.indrelid, cls_idx.relname

-- What Django asks
SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END, obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1
SELECT c.conname, array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx) JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx), c.contype, (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka JOIN pg_class AS fkc ON fka.attrelid = fkc.oid WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]), cl.reloptions FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid WHERE cl.relname = 'accounts' AND pg_catalog.pg_table_is_visible(cl.oid) ORDER BY 1
SELECT indexname, array_agg(attname ORDER BY arridx), indisunique, indisprimary, array_agg(ordering ORDER BY arridx), amname, exprdef, s2.attoptions FROM (SELECT c2.relname as indexname, idx.*, attr.attname, am.amname, CASE WHEN idx.indexprs IS NOT NULL THEN pg_get_indexdef(idx.indexrelid) END AS exprdef, CASE am.amname WHEN 'btree' THEN CASE (option & 1) WHEN 1 THEN 'DESC' ELSE 'ASC' END END as ordering, c2.reloptions as attoptions FROM (SELECT * FROM pg_index i, unnest(i.indkey, i.indoption) WITH ORDINALITY koi(key, option, arridx)) idx LEFT JOIN pg_class c ON idx.indrelid = c.oid LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid LEFT JOIN pg_am am ON c2.relam = am.oid LEFT JOIN pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key WHERE c.relname = 'customers' AND pg_catalog.pg_table_is_visible(c.oid)) s2 GROUP BY indexname, indisunique, indisprimary, amname, exprdef, attoptions ORDER BY 1
SELECT s.relname AS sequence_name, a.attname AS colname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass JOIN pg_attribute a ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum JOIN pg_class tbl ON tbl.oid = d.refobjid AND tbl.relname = 'payments' AND pg_catalog.pg_table_is_visible(tbl.oid) WHERE s.relkind = 'S'

-- What ActiveRecord asks
SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity, attgenerated as attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"customers"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
SELECT a.attname FROM (SELECT indrelid, indkey, generate_subscripts(indkey, 1) idx FROM pg_index WHERE indrelid = '"customers"'::regclass AND indisprimary) i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[i.idx] ORDER BY i.idx
SELECT distinct i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid), pg_catalog.obj_description(i.oid, 'pg_class') AS comment, d.indisvalid FROM pg_class t INNER JOIN pg_index d ON t.oid = d.indrelid INNER JOIN pg_class i ON d.indexrelid = i.oid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace WHERE i.relkind IN ('i', 'I') AND d.indisprimary = 'f' AND t.relname = 'customers' AND n.nspname = ANY (current_schemas(false)) ORDER BY i.relname
SELECT t2.oid::regclass::text AS to_table, a1.attname AS column, a2.attname AS primary_key, c.conname AS name, c.confupdtype AS on_update FROM pg_constraint c JOIN pg_class t1 ON c.conrelid = t1.oid JOIN pg_class t2 ON c.confrelid = t2.oid JOIN pg_attribute a1 ON a1.attnum = c.conkey[1] AND a1.attrelid = t1.oid JOIN pg_attribute a2 ON a2.attnum = c.confkey[1] AND a2.attrelid = t2.oid JOIN pg_namespace t3 ON c.connamespace = t3.oid WHERE c.contype = 'f' AND t1.relname = 'accounts' AND t3.nspname = ANY (current_schemas(false)) ORDER BY c.conname
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid WHERE t.typname IN ('int2', 'int4', 'int8', 'text', 'varchar') ORDER BY 1
SELECT "customers"."id", "customers"."name" FROM "customers" WHERE "customers"."id" = 1 LIMIT 1

-- What Prisma asks
SELECT namespace.nspname as schema_name FROM pg_namespace as namespace WHERE namespace.nspname = ANY (ARRAY['public'])
SELECT tbl.relname AS table_name, namespace.nspname as namespace FROM pg_class AS tbl INNER JOIN pg_namespace AS namespace ON namespace.oid = tbl.relnamespace WHERE tbl.relkind = 'r' AND namespace.nspname = ANY (ARRAY['public']) ORDER BY namespace, table_name
SELECT oid.namespace, info.table_name, info.column_name, format_type(att.atttypid, att.atttypmod) as formatted_type, info.numeric_precision, info.numeric_scale, info.character_maximum_length, info.is_nullable, info.data_type, pg_get_expr(attdef.adbin, attdef.adrelid) AS column_default, info.udt_name FROM information_schema.columns info JOIN pg_attribute att ON att.attname = info.column_name JOIN (SELECT pg_class.oid, relname, pg_namespace.nspname as namespace FROM pg_class JOIN pg_namespace on pg_namespace.oid = pg_class.relnamespace AND pg_namespace.nspname = ANY (ARRAY['public']) WHERE reltype > 0) as oid on oid.oid = att.attrelid AND relname = info.table_name AND namespace = info.table_schema LEFT OUTER JOIN pg_attrdef attdef ON attdef.adrelid = att.attrelid AND attdef.adnum = att.attnum AND table_schema = namespace WHERE table_schema = ANY (ARRAY['public']) ORDER BY namespace, table_name, ordinal_position
WITH rawindex AS (SELECT indrelid, indexrelid, indisunique, indisprimary, unnest(indkey) AS indkeyid, generate_subscripts(indkey, 1) AS indkeyidx, unnest(indclass) AS indclass, unnest(indoption) AS indoption FROM pg_index WHERE indpred IS NULL AND NOT indisexclusion) SELECT schemainfo.nspname AS namespace, indexinfo.relname AS index_name, tableinfo.relname AS table_name, columninfo.attname AS column_name, rawindex.indisunique AS is_unique, rawindex.indisprimary AS is_primary_key, rawindex.indkeyidx AS column_index, opclass.opcname AS opclass FROM rawindex INNER JOIN pg_class AS tableinfo ON tableinfo.oid = rawindex.indrelid INNER JOIN pg_class AS indexinfo ON indexinfo.oid = rawindex.indexrelid INNER JOIN pg_namespace AS schemainfo ON schemainfo.oid = tableinfo.relnamespace LEFT JOIN pg_attribute AS columninfo ON columninfo.attrelid = tableinfo.oid AND columninfo.attnum = rawindex.indkeyid LEFT JOIN pg_opclass AS opclass ON opclass.oid = rawindex.indclass WHERE schemainfo.nspname = ANY (ARRAY['public']) ORDER BY namespace, table_name, index_name, column_index

-- What JDBC, Hibernate and information_schema are asked
SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME, d.description AS REMARKS FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass) WHERE c.relnamespace = n.oid AND c.relname LIKE 'cust%' ORDER BY 2, 3
SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME, (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, ci.relname AS PK_NAME, information_schema._pg_expandarray(i.indkey) AS KEYS, a.attnum AS A_ATTNUM FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE true AND ct.relname = 'customers' AND i.indisprimary ORDER BY 4, 5
select result.TABLE_NAME, result.COLUMN_NAME, result.KEY_SEQ, result.PK_NAME from (SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME, (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, ci.relname AS PK_NAME, information_schema._pg_expandarray(i.indkey) AS KEYS, a.attnum AS A_ATTNUM FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE true AND ct.relname = 'customers' AND i.indisprimary) result where result.A_ATTNUM = (result.KEYS).x ORDER BY result.table_name, result.PK_NAME, result.KEY_SEQ
SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1
SELECT tc.constraint_name, tc.constraint_type, kcu.column_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu ON kcu.constraint_name = tc.constraint_name WHERE tc.table_schema = 'public' AND tc.table_name = 'accounts' ORDER BY 1, 3
SELECT constraint_name, unique_constraint_name, delete_rule FROM information_schema.referential_constraints ORDER BY 1
SELECT routine_name, routine_type, data_type FROM information_schema.routines WHERE routine_schema = 'public' ORDER BY 1
SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = 'public' ORDER BY 1
SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = 'customers' ORDER BY 1, 2
SELECT column_name, column_default, is_identity FROM information_schema.columns WHERE table_name = 'payments' ORDER BY ordinal_position
SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT LIKE 'pg_%' ORDER BY 1
SELECT check_clause FROM information_schema.check_constraints WHERE constraint_schema = 'public' ORDER BY 1
SELECT trigger_name, event_manipulation FROM information_schema.triggers

-- What DBeaver and pgAdmin ask
SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass WHERE nspname = 'public' ORDER BY nspname
SELECT i.*,i.indkey as keys,c.relname,c.relnamespace,c.relam,c.reltablespace,tc.relname as tabrelname,dsc.description FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_class c ON c.oid=i.indexrelid INNER JOIN pg_catalog.pg_class tc ON tc.oid=i.indrelid LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid=dsc.objoid WHERE i.indrelid='customers'::regclass ORDER BY tabrelname, c.relname
SELECT relname, n_live_tup >= 0, seq_scan >= 0, idx_scan IS NULL FROM pg_stat_user_tables ORDER BY 1
SELECT relname, indexrelname, idx_scan >= 0 FROM pg_stat_user_indexes ORDER BY 1, 2
SELECT datname IS NOT NULL, numbackends > 0 FROM pg_stat_database WHERE datname = current_database()
SELECT l.mode, l.granted, c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'nothing'
SELECT rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user
SELECT has_table_privilege('customers', 'SELECT'), has_schema_privilege('public', 'USAGE'), has_column_privilege('customers', 'ssn', 'SELECT')
SELECT gss_authenticated, encrypted FROM pg_catalog.pg_stat_gssapi WHERE pid = pg_backend_pid()
SELECT count(*) > 0 FROM pg_stat_ssl
SELECT CASE WHEN usesuper THEN pg_is_in_recovery() ELSE FALSE END as inrecovery FROM pg_user WHERE usename=current_user
SELECT name, setting, boot_val FROM pg_settings WHERE source = 'client' AND name = 'DateStyle'
SELECT typname, oid FROM pg_type WHERE typname IN ('hstore', 'geometry', 'citext')
SELECT c.relname, pg_get_viewdef(c.oid, true) FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace ORDER BY 1
SELECT pg_get_indexdef('customers_pkey'::regclass)
SELECT tableoid::regclass, id FROM accounts ORDER BY id LIMIT 2
SELECT ctid, id FROM accounts ORDER BY id LIMIT 2
SELECT 'customers'::regclass::oid > 0, to_regclass('customers')
SELECT pg_get_serial_sequence('payments', 'id')
SELECT pg_is_in_recovery(), pg_postmaster_start_time() IS NOT NULL
-- Reports
SELECT date_trunc('month', p.created_at) m, c.country, sum(p.amount) FILTER (WHERE p.status = 'settled') settled, count(*) FROM payments p JOIN accounts a ON a.id = p.account_id JOIN customers c ON c.id = a.customer_id GROUP BY GROUPING SETS ((1, 2), (1), ()) ORDER BY 1, 2 LIMIT 20
WITH monthly AS (SELECT account_id, date_trunc('month', created_at) AS m, sum(amount) AS s FROM payments GROUP BY 1, 2), ranked AS (SELECT *, rank() OVER (PARTITION BY m ORDER BY s DESC, account_id) r FROM monthly) SELECT * FROM ranked WHERE r <= 3 ORDER BY m, r LIMIT 20
SELECT c.id, c.name, count(DISTINCT a.id) accounts, count(DISTINCT k.id) cards FROM customers c LEFT JOIN accounts a ON a.customer_id = c.id LEFT JOIN cards k ON k.account_id = a.id GROUP BY c.id, c.name ORDER BY c.id LIMIT 5
SELECT kind, percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY balance) FROM accounts GROUP BY kind ORDER BY kind
SELECT d::date, count(p.id) FROM generate_series('2024-01-01'::date, '2024-01-10', '1 day') d LEFT JOIN payments p ON p.created_at::date = d::date GROUP BY 1 ORDER BY 1
SELECT c.country, json_agg(json_build_object('id', a.id, 'kind', a.kind) ORDER BY a.id) FROM customers c JOIN accounts a ON a.customer_id = c.id WHERE c.id < 10 GROUP BY 1 ORDER BY 1
SELECT c.id, (SELECT json_agg(x ORDER BY x.id) FROM (SELECT a.id, a.kind FROM accounts a WHERE a.customer_id = c.id) x) FROM customers c ORDER BY id LIMIT 5
SELECT CASE WHEN ssn IS NULL THEN 'foreign' ELSE 'us' END AS k, count(*) FROM customers GROUP BY k ORDER BY k
SELECT id FROM customers ORDER BY ssn IS NULL, id LIMIT 5
SELECT count(email) FILTER (WHERE country = 'US'), count(ssn) FILTER (WHERE city <> 'x') FROM customers
SELECT count(ssn) OVER (PARTITION BY country), id FROM customers ORDER BY id LIMIT 5
SELECT country, count(ssn) FILTER (WHERE city LIKE 'B%') FROM customers GROUP BY 1 ORDER BY 1
SELECT num_nonnulls(ssn, email), num_nulls(ssn) FROM customers ORDER BY id LIMIT 20
SELECT pg_typeof(ssn), pg_typeof(email), pg_typeof(id) FROM customers LIMIT 1
SELECT nullif(city, ''), nullif(country, 'US') FROM customers ORDER BY id LIMIT 20
SELECT to_jsonb(c) - 'ssn' - 'email' - 'profile' - 'phone' - 'date_of_birth' FROM customers c ORDER BY id LIMIT 3
SELECT to_jsonb(c) - ARRAY['ssn', 'email', 'profile', 'phone', 'date_of_birth'] FROM customers c ORDER BY id LIMIT 3
SELECT to_jsonb(a) ->> 'kind', to_jsonb(a) -> 'balance', row_to_json(a) ->> 'status' FROM accounts a ORDER BY id LIMIT 3
SELECT id FROM customers WHERE lower(email) = 'nobody@example.com'
SELECT count(*) FROM customers WHERE upper(email::text) = upper('nobody@example.com')

-- pg_dump
SELECT pg_catalog.set_config('search_path', '', false)
SELECT set_config('app.user', '42', true), current_setting('app.user', true)
SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'
BEGIN ;; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY ;; LOCK TABLE public.payments, public.customers IN ACCESS SHARE MODE ;; COPY public.support_notes (id, author, tags) TO stdout ;; COMMIT

-- Views of which some columns are computed of what is protected
!CREATE VIEW report AS SELECT id, name, upper(email) AS mail, left(ssn, 3) AS area FROM customers ;; SELECT id, name FROM report ORDER BY id LIMIT 5 ;; SELECT count(*) FROM report WHERE name LIKE 'A%'
!CREATE VIEW risky AS SELECT a.id, c.name FROM accounts a JOIN customers c ON c.id = a.customer_id WHERE c.email LIKE '%.com' ;; SELECT * FROM risky ORDER BY id LIMIT 5
!CREATE MATERIALIZED VIEW places AS SELECT country, count(*) AS n, count(DISTINCT email) AS mails FROM customers GROUP BY country ;; SELECT country, n FROM places ORDER BY country

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
