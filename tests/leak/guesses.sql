-- Ways to find protected values out without seeing one: by which rows come, how many, in what order, in what groups, by errors.
-- Written as tricks.sql is. The answer of each depends on what is protected; none may be answered where a policy forbids
-- guessing. Those that begin with a `*` must be.

-- Conditions
SELECT id FROM vault WHERE secret LIKE 'Q%'
SELECT id FROM vault WHERE secret NOT LIKE 'Q%'
SELECT id FROM vault WHERE secret ILIKE 'q%'
SELECT id FROM vault WHERE secret ~ '^[A-M]'
SELECT id FROM vault WHERE secret SIMILAR TO 'Q%'
SELECT id FROM vault WHERE secret ^@ 'Q'
SELECT id FROM vault WHERE starts_with(secret, 'Q')
SELECT id FROM vault WHERE secret < 'M'
SELECT id FROM vault WHERE 'M' < secret
SELECT id FROM vault WHERE secret BETWEEN 'A' AND 'M'
SELECT id FROM vault WHERE secret BETWEEN SYMMETRIC 'M' AND 'A'
SELECT id FROM vault WHERE code > 500000000000
SELECT id FROM vault WHERE code % 2 = 0
SELECT id FROM vault WHERE code & 1 = 1
SELECT id FROM vault WHERE code IN (SELECT g + 739184620000 FROM generate_series(1, 999) g)
SELECT id FROM vault WHERE code = ANY (ARRAY(SELECT g + 739184620000 FROM generate_series(1, 999) g))
SELECT id FROM vault WHERE paid > 7000000
SELECT id FROM vault WHERE born < '1920-01-01'
SELECT id FROM vault WHERE born <> '1913-07-29'
SELECT id FROM vault WHERE NOT born = '1913-07-29'
SELECT id FROM vault WHERE (born = '1913-07-29') IS NOT TRUE
SELECT id FROM vault WHERE born IS DISTINCT FROM '1913-07-29'
SELECT id FROM vault WHERE extract(year FROM born) = 1913
SELECT id FROM vault WHERE uid > '80000000-0000-0000-0000-000000000000'
SELECT id FROM vault WHERE get_byte(blob, 0) > 80
SELECT id FROM vault WHERE tags[1] = 'ZKQXWVJF'
SELECT id FROM vault WHERE 'ZKQXWVJF' = ANY (tags)
SELECT id FROM vault WHERE tags @> '{ZKQXWVJF}'
SELECT id FROM vault WHERE doc ->> 'pin' < 'X'
SELECT id FROM vault WHERE doc @? '$.pin ? (@ starts with "X")'
SELECT id FROM vault WHERE substr(secret, 1, 1) = 'Q'
SELECT id FROM vault WHERE secret::varchar(1) = 'Q'
SELECT id FROM vault WHERE secret::"char" = 'Q'
SELECT id FROM vault WHERE secret COLLATE "C" < 'M'
SELECT id FROM vault WHERE position('Q' IN secret) = 1
SELECT id FROM vault WHERE hashtext(secret) > 0
SELECT id FROM vault WHERE md5(secret) < '8'
SELECT id FROM vault WHERE length(replace(secret, 'Q', '')) < 18 AND secret LIKE '_W%'
SELECT id FROM vault WHERE (secret, id) > ('M', 0)
SELECT id FROM vault v WHERE v.*::text LIKE '%QWZX%'
SELECT id FROM vault v WHERE to_jsonb(v) ->> 'secret' LIKE 'Q%'
SELECT id FROM vault v WHERE row(v.kind, v.secret) < row('a', 'M')
SELECT id FROM vault WHERE CASE WHEN secret < 'M' THEN true ELSE false END
SELECT id FROM vault WHERE nullif(left(secret, 1), 'Q') IS NULL
SELECT id FROM vault WHERE coalesce(secret, 'x') LIKE 'Q%'
SELECT id FROM vault WHERE greatest(secret, 'M') = 'M'
SELECT id FROM vault WHERE secret = ANY (SELECT 'QWZXKVJPHGFDMBTYL' || chr(g) FROM generate_series(65, 90) g)
SELECT id FROM vault WHERE secret IN ('QWZXKVJPHGFDMBTYLA','QWZXKVJPHGFDMBTYLB','QWZXKVJPHGFDMBTYLC','QWZXKVJPHGFDMBTYLD','QWZXKVJPHGFDMBTYLE','QWZXKVJPHGFDMBTYLF','QWZXKVJPHGFDMBTYLG','QWZXKVJPHGFDMBTYLH','QWZXKVJPHGFDMBTYLI','QWZXKVJPHGFDMBTYLJ','QWZXKVJPHGFDMBTYLK','QWZXKVJPHGFDMBTYLL','QWZXKVJPHGFDMBTYLM','QWZXKVJPHGFDMBTYLN','QWZXKVJPHGFDMBTYLO','QWZXKVJPHGFDMBTYLP','QWZXKVJPHGFDMBTYLQ')
SELECT x.id FROM (SELECT id, secret AS s FROM vault) x WHERE x.s > 'M'
SELECT x.id FROM (SELECT id, left(secret, 1) AS s FROM vault) x WHERE x.s = 'Q'
WITH x AS (SELECT * FROM vault) SELECT id FROM x WHERE secret > 'M'
WITH x AS (SELECT id FROM vault WHERE secret > 'M') SELECT * FROM x
SELECT id FROM vault_view WHERE s > 'M'
SELECT id FROM vault_view WHERE c > 500000000000
SELECT id FROM vault_kept WHERE s LIKE 'Q%'
SELECT count(*) FROM vault WHERE secret > 'T'
SELECT id FROM plain WHERE EXISTS (SELECT 1 FROM vault v WHERE v.id = plain.id AND v.secret > 'M')
SELECT id FROM plain WHERE id IN (SELECT id FROM vault WHERE secret > 'M')
SELECT id FROM plain WHERE id = (SELECT id FROM vault ORDER BY secret LIMIT 1)
SELECT id FROM plain WHERE (SELECT v.secret FROM vault v WHERE v.id = plain.id) > 'M'
SELECT id FROM plain WHERE id > (SELECT count(*) FROM vault WHERE secret > 'T')
SELECT id FROM plain WHERE vault_peek(id) > 'M'
SELECT id FROM plain WHERE vault_peek(id) = 'QWZXKVJPHGFDMBTYLN'
SELECT max(id) FROM vault GROUP BY kind, id HAVING max(secret) > 'M'
SELECT count(*) FROM vault HAVING min(secret) > 'H'

-- Order
SELECT id FROM vault ORDER BY secret
SELECT id FROM vault ORDER BY secret DESC LIMIT 1
SELECT id, secret FROM vault ORDER BY 2
SELECT id, secret AS s FROM vault ORDER BY s
SELECT id FROM vault ORDER BY code, id
SELECT id FROM vault ORDER BY secret USING >
SELECT id FROM vault ORDER BY CASE WHEN secret > 'M' THEN 1 ELSE 2 END, id
SELECT id FROM vault ORDER BY secret = 'QWZXKVJPHGFDMBTYLN', id
SELECT id FROM vault v ORDER BY (SELECT v.secret)
SELECT id FROM vault ORDER BY born FETCH FIRST 1 ROW WITH TIES
SELECT id FROM (SELECT id, secret FROM vault ORDER BY secret) x
SELECT id FROM (SELECT id, row_number() OVER (ORDER BY secret) AS n FROM vault) x WHERE n = 1
SELECT id FROM (SELECT id, row_number() OVER w AS n FROM vault WINDOW w AS (ORDER BY secret)) x ORDER BY n
SELECT id, CASE WHEN true THEN s END FROM vault AS v(id, kind, s) ORDER BY s
SELECT kind FROM vault v(kind, b, s) ORDER BY s
SELECT DISTINCT ON (kind) id FROM vault ORDER BY kind, secret
SELECT array_agg(id ORDER BY secret) FROM vault
SELECT string_agg(id::text, ',' ORDER BY code) FROM vault
TABLE vault ORDER BY secret LIMIT 1
SELECT id, secret FROM vault UNION ALL SELECT 0, 'M' ORDER BY 2
(SELECT id, secret FROM vault UNION SELECT 0, 'M') ORDER BY secret
COPY (SELECT id FROM vault ORDER BY secret) TO STDOUT
BEGIN ;; DECLARE c CURSOR FOR SELECT id FROM vault ORDER BY secret ;; FETCH ALL FROM c ;; ROLLBACK
PREPARE p AS SELECT id FROM vault ORDER BY secret ;; EXECUTE p

-- How many, and in what groups
SELECT count(*) FROM vault GROUP BY secret > 'T' ORDER BY 1
SELECT count(*) FROM vault GROUP BY left(secret, 0 + (secret > 'T')::int) ORDER BY 1
SELECT id FROM vault, generate_series(1, (code % 4)::int) n ORDER BY id
SELECT id, n FROM vault v, LATERAL (SELECT generate_series(1, ascii(v.secret) - 64) n) x ORDER BY 1, 2
SELECT id FROM vault v, unnest(string_to_array(left(v.secret, 1 + (v.secret < 'K')::int), NULL)) x ORDER BY id
SELECT 1 FROM plain LIMIT (SELECT count(*) FROM vault WHERE secret > 'T')
SELECT id FROM plain ORDER BY id OFFSET (SELECT (code % 3) FROM vault WHERE id = 1)
SELECT 1 FROM (SELECT 'Q' AS l UNION SELECT left(secret, 1) FROM vault WHERE id = 1) x
SELECT 1 FROM (SELECT 'Q' AS l INTERSECT SELECT left(secret, 1) FROM vault) x
SELECT l FROM (SELECT 'QWZXKVJPHGFDMBTYLN' AS l) x EXCEPT SELECT secret FROM vault
SELECT id FROM vault TABLESAMPLE BERNOULLI ((SELECT CASE WHEN secret < 'M' THEN 100 ELSE 0 END FROM vault WHERE id = 1))
SELECT generate_series(1, ascii(secret) - 64) IS NULL FROM vault WHERE id = 1
SELECT sum(n) FROM (SELECT 1 AS n FROM vault WHERE secret > 'P') x

-- Joins
SELECT g FROM generate_series(739184620000, 739184620999) g JOIN vault ON code = g
SELECT g FROM generate_series(739184620000, 739184620999) g, vault WHERE code = g
SELECT code IS NULL, n FROM vault JOIN (SELECT g AS code, g - 739184620000 AS n FROM generate_series(739184620000, 739184620999) g) x USING (code)
SELECT x.n FROM vault NATURAL JOIN (SELECT g AS code, g - 739184620000 AS n FROM generate_series(739184620000, 739184620999) g) x
SELECT p.id FROM plain p JOIN vault v ON v.id = p.id AND v.secret > 'M'
SELECT p.id, v.id FROM plain p LEFT JOIN vault v ON v.secret > 'M' AND v.id = p.id ORDER BY 1
SELECT a.id, b.id FROM vault a JOIN vault b ON a.secret < b.secret ORDER BY 1, 2
SELECT x FROM (VALUES ('QWZXKVJPHGFDMBTYLN'), ('x')) w(x) JOIN vault ON secret = x
SELECT d.n FROM (SELECT code, 0 AS n FROM vault WHERE false UNION ALL SELECT g, (g - 739184620000)::int FROM generate_series(739184620000, 739184620999) g) d JOIN vault v ON v.code = d.code
SELECT g FROM generate_series(1, 9) g, vault v WHERE EXISTS (SELECT 1 FROM generate_series(1, g) HAVING v.code % 10 = count(*)) ORDER BY v.id
SELECT p.id FROM plain p, vault v WHERE p.id = v.id AND v.code > 500000000000

-- Errors
SELECT id, 1 / (ascii(secret) - 81) FROM vault WHERE id = 1
SELECT CASE WHEN secret LIKE 'Q%' THEN 1 / (id - id) ELSE 1 END FROM vault
SELECT (secret < 'M' OR (1 / (id - id)) > 0) FROM vault WHERE id = 2
SELECT CASE WHEN secret < 'M' THEN 'x' ELSE '1' END::int FROM vault WHERE id = 1
SELECT generate_series(1, 2, (code - 739184620516)::int) FROM vault WHERE id = 1
SELECT count(1 / nullif(ascii(secret) - 81, 0)), count(1 / (ascii(secret) - 81)) FROM vault WHERE id = 1
SELECT ARRAY(SELECT 1 / (ascii(secret) - 81) FROM vault WHERE id = 1) IS NULL
SELECT (SELECT 1 FROM vault WHERE secret > 'P') IS NULL

-- Changes, plans and definitions
!UPDATE plain SET number = 0 FROM vault v WHERE v.id = plain.id AND v.secret > 'M' RETURNING plain.id
!UPDATE vault SET kind = 'z' WHERE secret LIKE 'Q%' RETURNING id
!DELETE FROM vault WHERE secret < 'M' RETURNING id
!DELETE FROM plain USING vault v WHERE v.id = plain.id AND v.code > 500000000000
!MERGE INTO plain p USING vault v ON v.id = p.id AND v.secret > 'M' WHEN MATCHED THEN DELETE
!MERGE INTO plain p USING vault v ON v.id = p.id WHEN MATCHED AND v.secret > 'M' THEN DELETE
!INSERT INTO plain SELECT id + 700 FROM vault WHERE secret > 'M' RETURNING id
!INSERT INTO vault (id, kind) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET kind = 'y' WHERE vault.secret LIKE 'Q%' RETURNING id
!INSERT INTO vault (id, kind, secret) SELECT ascii(l) + 800, l, 'QWZXKVJPHGFDMBTYL' || l FROM regexp_split_to_table('KLMNO', '') l ON CONFLICT DO NOTHING RETURNING kind
!UPDATE vault SET tags[2] = 'x' WHERE id = 1 ;; SELECT id FROM vault WHERE tags = '{ZKQXWVJF,x}'
!UPDATE held SET note = 'M' WHERE id = 1
!UPDATE held SET note = 'M', secret = secret WHERE id = 1
!UPDATE held_view SET note = 'M' WHERE id = 1
!INSERT INTO held (id, note) VALUES (1, 'M') ON CONFLICT (id) DO UPDATE SET note = excluded.note
!INSERT INTO held (id, note, secret) SELECT 9, 'M', secret FROM vault WHERE id = 1
SELECT id FROM vault_asked
SELECT count(*) FROM (SELECT id FROM vault_asked) x
EXPLAIN SELECT 1 FROM vault WHERE secret > 'P'
EXPLAIN ANALYZE SELECT id FROM vault WHERE secret < 'K'
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT 1 FROM vault WHERE secret > 'T'
!DELETE FROM plain WHERE id > 1 ;; UPDATE plain SET word = 'QWZXKVJPHGFDMBTYLN' ;; ALTER TABLE plain ADD FOREIGN KEY (word) REFERENCES vault (secret)
!CREATE VIEW vg AS SELECT id FROM vault WHERE secret LIKE 'Q%' ;; SELECT * FROM vg
!ALTER TABLE vault ADD CHECK (left(secret, 1) IN ('Q', 'J', 'V'))
!CREATE UNIQUE INDEX ON vault ((secret > 'T')) WHERE id > 1
CREATE TEMP TABLE t AS SELECT id FROM vault ORDER BY secret ;; SELECT id FROM t
!CREATE INDEX by_secret ON vault (secret) ;; CLUSTER vault USING by_secret ;; SELECT id FROM vault
SELECT 1 FROM pg_stats WHERE tablename = 'vault' AND histogram_bounds::text LIKE '%QWZX%'
SELECT attname FROM pg_stats WHERE tablename = 'vault' AND attname = 'code' AND histogram_bounds::text::bigint[] @> ARRAY[739184620517]

-- What must be answered
*SELECT id FROM vault WHERE secret = 'QWZXKVJPHGFDMBTYLN'
*SELECT id, kind FROM vault WHERE 'QWZXKVJPHGFDMBTYLN' = secret::text AND id < 5
*SELECT id FROM vault WHERE secret IN ('QWZXKVJPHGFDMBTYLN', 'x') OR id = 2
*SELECT id FROM vault WHERE secret = ANY ('{QWZXKVJPHGFDMBTYLN,x}')
*SELECT id FROM vault WHERE secret = upper('qwzxkvjphgfdmbtyln')
*SELECT id FROM vault WHERE code = 739184620517 AND born = date '1913-07-29' AND paid = 8261739.45
*SELECT id FROM vault WHERE uid = 'c7d9f3b1-5e82-4a6c-9d17-f3b86e2a5c91'
*SELECT id FROM vault WHERE secret IS NOT NULL ORDER BY id
*SELECT count(*) FROM vault WHERE secret = 'x'
*SELECT id FROM vault_view WHERE s = 'QWZXKVJPHGFDMBTYLN'
*WITH x AS (SELECT * FROM vault) SELECT id FROM x WHERE secret = 'x'
*SELECT a.id FROM vault a JOIN vault b ON a.secret = b.secret
*SELECT a.id FROM vault a JOIN vault b USING (secret)
*SELECT id FROM plain WHERE id IN (SELECT id FROM vault WHERE secret = 'QWZXKVJPHGFDMBTYLN')
*SELECT p.word FROM plain p WHERE EXISTS (SELECT * FROM vault v WHERE v.id = p.id AND v.code = 739184620517)
*SELECT id, kind, secret FROM vault ORDER BY kind, id DESC LIMIT 2
*SELECT kind, count(*), count(secret) FROM vault GROUP BY kind ORDER BY 2
*SELECT DISTINCT kind FROM vault
*SELECT word, secret FROM plain JOIN vault USING (id)
*SELECT row_number() OVER (ORDER BY id), lag(kind) OVER w FROM vault WINDOW w AS (PARTITION BY kind ORDER BY id)
*TABLE vault
*COPY vault TO STDOUT
*COPY (SELECT id FROM vault WHERE secret = 'x') TO STDOUT
*!UPDATE vault SET kind = 'x' WHERE secret = 'QWZXKVJPHGFDMBTYLN' RETURNING id
*!DELETE FROM vault WHERE secret = 'x'
*!INSERT INTO vault (id, kind, secret) VALUES (900, 'x', 'NEWVALUE'), (901, 'y', upper('newest'))
*EXPLAIN SELECT * FROM vault WHERE secret = 'x'
*BEGIN ;; DECLARE c CURSOR FOR SELECT id FROM vault WHERE secret = 'x' ;; FETCH ALL FROM c ;; ROLLBACK
*PREPARE q_{m} AS SELECT id FROM vault WHERE secret = $1 ;; EXECUTE q_{m}('QWZXKVJPHGFDMBTYLN')
*SELECT c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v') AND n.nspname !~ '^pg_toast' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1
*SELECT column_name FROM information_schema.columns WHERE table_name = 'vault' ORDER BY ordinal_position

-- Where it is not seen at first
WITH vault AS (SELECT 1 AS id, 'x'::text AS kind, 'a'::text AS secret) UPDATE vault SET kind = kind WHERE secret > 'M' RETURNING id
SELECT q.a FROM (SELECT (ROW(1, 2)).*, v.secret AS xmin FROM vault v) q(a, b) WHERE xmin > 'M'
SELECT id FROM plain p WHERE (p).plain_secret > 'M'
SELECT id FROM referring WHERE turned > 'M'
PREPARE eg_{m}(boolean) AS SELECT id FROM plain WHERE $1 ;; EXECUTE eg_{m}(vault_peek(1) > 'M')
SELECT vault.id FROM vault JOIN vault b USING (secret) AS x WHERE x.secret LIKE 'Q%'
SELECT id FROM vault WHERE secret = ANY (ARRAY['{QWZXKVJPHGFDMBTYLN,A,B,C}'::text[]])
EXPLAIN (ANALYZE, TIMING false, SUMMARY false) DECLARE c CURSOR FOR SELECT id FROM vault WHERE secret LIKE 'Q%'
*SELECT id, secret IS NOT NULL AS has_secret, CASE WHEN code IS NULL THEN 'none' ELSE 'some' END FROM vault ORDER BY id
*!INSERT INTO vault (id, kind, secret) VALUES (1, 'x', 'yyyy') ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, kind = excluded.kind RETURNING id
SELECT id FROM (SELECT id, nullif(secret, 'A') AS s FROM vault) x WHERE s > 'M'
SELECT count(n) FROM (SELECT nullif(code, g) AS n FROM vault, generate_series(739184620000, 739184620999) g WHERE id = 1) x
SELECT id FROM vault WHERE lower(secret) < 'm'
SELECT id FROM vault WHERE lower(secret) LIKE 'q%'
SELECT id FROM vault WHERE ltrim(secret, 'Q') = 'WZXKVJPHGFDMBTYLN'
SELECT id FROM vault WHERE to_jsonb(vault) ->> 'secret' > 'M'
SELECT g FROM generate_series(65, 90) g JOIN vault ON lower(secret) = lower('qwzxkvjphgfdmbtyl' || chr(g))
SELECT id FROM (SELECT id, lower(secret) AS s FROM vault) x WHERE s = 'qwzxkvjphgfdmbtyln'
SELECT count(secret) FILTER (WHERE secret > 'T') FROM vault
SELECT id, count(secret) OVER (ORDER BY secret) FROM vault ORDER BY id
SELECT pg_typeof(generate_series(1, ascii(secret) - 64)) FROM vault WHERE id = 1
SELECT count(DISTINCT left(secret, 1)) FILTER (WHERE secret > 'M') FROM vault
*SELECT id FROM vault WHERE lower(secret) = 'qwzxkvjphgfdmbtyln'
*SELECT id FROM vault WHERE upper(trim(secret)) = upper('qwzxkvjphgfdmbtyln')
*SELECT id, nullif(secret, ''), nullif(code, 0) FROM vault ORDER BY id
*SELECT id, trim(secret) FROM vault ORDER BY id
*SELECT pg_typeof(secret), pg_typeof(code), num_nulls(secret, code) FROM vault
*SELECT count(secret) FILTER (WHERE kind = 'a'), count(code) FILTER (WHERE id > 1) FROM vault
*SELECT id, count(secret) OVER (PARTITION BY kind ORDER BY id) FROM vault
*SELECT to_jsonb(v) - 'secret', to_jsonb(v) ->> 'kind', to_jsonb(v) -> 'id' FROM vault v
*SELECT * FROM vault_view ORDER BY id
*!LOCK TABLE vault IN ACCESS SHARE MODE

-- Names of outputs, NULL, and what a primary key decides
*SELECT upper(kind) AS secret FROM vault ORDER BY secret
*SELECT id AS code FROM vault ORDER BY code DESC NULLS LAST
*SELECT id FROM vault WHERE secret IS DISTINCT FROM NULL
*SELECT id FROM vault WHERE NULL IS NOT DISTINCT FROM secret
*SELECT id, secret FROM vault GROUP BY id
SELECT upper(kind) AS secret, id FROM vault ORDER BY secret || ''
SELECT id, secret AS word FROM vault ORDER BY word
*!UPDATE held SET kind = 'x' WHERE id = 1
*!UPDATE held SET note = 'B', secret = 'QWZXKVJPHGFDMBTYLN' WHERE id = 1
*!INSERT INTO held VALUES (9, 'x', 'B', 'QWZXKVJPHGFDMBTYLN') ON CONFLICT (id) DO UPDATE SET note = excluded.note, secret = excluded.secret
*SELECT id, born::date, uid::uuid, code::bigint, paid::numeric, doc::jsonb, tags::text[] FROM vault
*SELECT id FROM vault WHERE uid::uuid = 'c7d9f3b1-5e82-4a6c-9d17-f3b86e2a5c91' AND born::date = '1913-07-29'
