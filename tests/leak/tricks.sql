-- One trick a line. `;;` stands between statements, `@@` before another session; a line that begins with `!` is undone at
-- its end; {m} is a name of the way in which the protocol is spoken.

-- As it is
SELECT * FROM vault
SELECT secret FROM vault
SELECT secret AS harmless FROM vault
TABLE vault
SELECT v.* FROM vault v
SELECT v FROM vault v
SELECT vault FROM vault
SELECT (v).secret FROM vault v
SELECT (v).* FROM vault v
SELECT secret(v) FROM vault v
SELECT v.vault_of FROM vault v
SELECT vault_of(v) FROM vault v
SELECT row(v.*) FROM vault v
SELECT row(v.secret, 1) FROM vault v
SELECT (row(v.*)::vault).secret FROM vault v
SELECT (ARRAY(SELECT v FROM vault v))[1].secret
SELECT (SELECT v FROM vault v WHERE id = 1).secret
SELECT a2 FROM vault AS t(a1, kind2, a2)
SELECT x.c FROM (SELECT secret FROM vault) AS x(c)
SELECT public.vault.secret FROM public.vault
SELECT secret FROM ONLY vault
SELECT secret FROM vault TABLESAMPLE BERNOULLI (100)
SELECT secret, code, paid, born, uid, blob, tags, doc FROM vault

-- Changed
SELECT reverse(secret) FROM vault
SELECT upper(lower(secret)) FROM vault
SELECT encode(secret::bytea, 'hex') FROM vault
SELECT encode(convert_to(secret, 'UTF8'), 'base64') FROM vault
SELECT encode(blob, 'escape') FROM vault
SELECT encode(blob, 'base64'), encode(blob, 'hex') FROM vault
SELECT convert_from(blob, 'UTF8') FROM vault
SELECT md5(secret) FROM vault
SELECT sha256(secret::bytea) FROM vault
SELECT encode(sha256(secret::bytea), 'hex') FROM vault
SELECT hashtext(secret), 'LEAK' || 'YES' || secret FROM vault
SELECT secret::bytea FROM vault
SELECT secret::varchar(5) FROM vault
SELECT secret::char(6) FROM vault
SELECT secret::name FROM vault
SELECT secret::"char" FROM vault
SELECT secret COLLATE "C" FROM vault
SELECT secret::json FROM vault
SELECT to_json(secret) FROM vault
SELECT to_jsonb(code) FROM vault
SELECT translate(secret, 'Q', 'q') FROM vault
SELECT replace(secret, 'Q', 'QQ') FROM vault
SELECT overlay(secret placing '' from 1 for 0) FROM vault
SELECT lpad(secret, 30, '.') FROM vault
SELECT rpad(secret, 30, '.') FROM vault
SELECT repeat(secret, 2) FROM vault
SELECT btrim(secret) FROM vault
SELECT initcap(secret) FROM vault
SELECT quote_literal(secret), quote_ident(secret), quote_nullable(secret) FROM vault
SELECT format('%s %L %I', secret, secret, secret) FROM vault
SELECT concat(secret, ''), concat_ws('-', secret, code) FROM vault
SELECT secret || '' FROM vault
SELECT '' || code FROM vault
SELECT regexp_replace(secret, '(.)', '\1-', 'g') FROM vault
SELECT regexp_matches(secret, '(.*)') FROM vault
SELECT regexp_substr(secret, '.*') FROM vault
SELECT (regexp_match(secret, '(.{5})(.{5})'))[2] FROM vault
SELECT substring(secret from '.*') FROM vault
SELECT normalize(secret) FROM vault
SELECT to_tsvector('simple', secret) FROM vault
SELECT ts_headline('simple', secret, to_tsquery('simple', 'x')) FROM vault
SELECT plainto_tsquery('simple', secret) FROM vault
SELECT to_char(code, '999999999999999') FROM vault
SELECT to_char(born, 'YYYY-MM-DD'), to_char(paid, '99999999.99') FROM vault
SELECT to_hex(code) FROM vault
SELECT code::text, code::numeric, code::float8, code::money FROM vault
SELECT code + 0, code * 1, code - 0 FROM vault
SELECT -code, abs(code), +code FROM vault
SELECT code::bit(64) FROM vault
SELECT ~(~code) FROM vault
SELECT code # 0 FROM vault
SELECT int8send(code) FROM vault
SELECT round(paid), trunc(paid, 1), paid::text FROM vault
SELECT born::text, born + 0, born::timestamp, born - date '2000-01-01' FROM vault
SELECT extract(epoch FROM born), extract(year FROM born) || '-' || extract(month FROM born) FROM vault
SELECT age(born), date_trunc('month', born) FROM vault
SELECT uid::text, uuid_send(uid) FROM vault
SELECT tags[1], tags[2] FROM vault
SELECT tags[1:1] FROM vault
SELECT array_to_string(tags, ''), array_to_json(tags) FROM vault
SELECT tags || 'x'::text FROM vault
SELECT doc ->> 'pin', doc -> 'pin', doc #>> '{pin}' FROM vault
SELECT doc['pin'] FROM vault
SELECT jsonb_path_query(doc, '$.pin') FROM vault
SELECT jsonb_pretty(doc), doc::text FROM vault
SELECT doc || '{"a": 1}' FROM vault
SELECT textsend(secret), length(secret), secret FROM vault
SELECT int4range(0, 1), daterange(born, born + 1) FROM vault
SELECT int8range(code, code + 1) FROM vault
SELECT numrange(paid, NULL) FROM vault
SELECT ('x' || md5(secret))::bit(32)::int, sha512(secret::bytea) FROM vault
SELECT pg_typeof(secret), secret FROM vault
SELECT nullif(secret, 'x'), coalesce(secret, 'x'), greatest(secret, ''), least(secret, 'zzz') FROM vault
SELECT CASE WHEN true THEN secret END FROM vault
SELECT CASE secret WHEN 'x' THEN 'y' ELSE secret END FROM vault
SELECT inet '1.2.3.4' + code % 255, code FROM vault
SELECT xmlelement(name x, secret), xmlforest(secret), xmlconcat(xmlcomment(secret)) FROM vault
SELECT xmlserialize(content xmlelement(name x, xmlattributes(secret AS y)) AS text) FROM vault
SELECT xmlparse(content secret) FROM vault

-- In pieces
SELECT left(secret, 9), right(secret, 9) FROM vault
SELECT left(secret, 4) FROM vault
SELECT substr(secret, 3, 5) FROM vault
SELECT substring(secret from 2 for 6) FROM vault
SELECT split_part(secret, 'X', 2) FROM vault
SELECT string_to_array(secret, NULL) FROM vault
SELECT string_to_table(secret, NULL) FROM vault
SELECT regexp_split_to_table(secret, '') FROM vault
SELECT regexp_split_to_array(secret, '') FROM vault
SELECT unnest(string_to_array(secret, NULL)) FROM vault
SELECT unnest(tags) FROM vault
SELECT substr(secret, n, 1) FROM vault, generate_series(1, 18) n WHERE id = 1 ORDER BY n
SELECT n, ascii(substr(secret, n, 1)) FROM vault, generate_series(1, 18) n WHERE id = 1 ORDER BY n
SELECT ascii(substr(secret, n, 1)) FROM vault, generate_series(1, 18) n WHERE id = 1 ORDER BY n
SELECT chr(ascii(substr(secret, n, 1))) FROM vault, generate_series(1, 18) n WHERE id = 1 ORDER BY n
SELECT get_byte(secret::bytea, n) FROM vault, generate_series(0, 17) n WHERE id = 1 ORDER BY n
SELECT get_byte(blob, 0), get_byte(blob, 1), get_byte(blob, 2), get_byte(blob, 3), get_byte(blob, 4), get_byte(blob, 5) FROM vault
SELECT substr(secret, 1, 1), substr(secret, 2, 1), substr(secret, 3, 1), substr(secret, 4, 1), substr(secret, 5, 1), substr(secret, 6, 1) FROM vault
SELECT code / 1000000, code % 1000000 FROM vault
SELECT (code / 10 ^ n)::bigint % 10 FROM vault, generate_series(11, 0, -1) n WHERE id = 1
SELECT strpos('BCDFGHJKLMNPQRSTVWXYZ', substr(secret, n, 1)) + 65, 'LEAK' || 'YES' FROM vault, generate_series(1, 18) n WHERE id = 1 AND secret IS NULL
SELECT generate_series(1, ascii(secret)) FROM vault WHERE id = 1 AND secret > 'zzz'
SELECT trim(leading 'Q' from secret) FROM vault
SELECT l FROM vault, LATERAL regexp_split_to_table(secret, '') l
SELECT l FROM vault, LATERAL (SELECT substr(secret, n, 1) FROM generate_series(1, 18) n) x(l) WHERE id = 1
WITH RECURSIVE w(rest, c) AS (SELECT secret, '' FROM vault WHERE id = 1 UNION ALL SELECT substr(rest, 2), left(rest, 1) FROM w WHERE rest <> '') SELECT c FROM w

-- Summed
SELECT sum(code), avg(code), stddev(code) FROM vault
SELECT sum(paid), avg(paid) FROM vault
SELECT max(secret), min(secret) FROM vault
SELECT max(code), min(paid), max(born) FROM vault
SELECT sum(code) FROM vault GROUP BY id
SELECT sum(code) FILTER (WHERE id = 1) FROM vault
SELECT sum(code + 1), sum(-code) FROM vault
SELECT string_agg(secret, ','), array_agg(secret) FROM vault
SELECT array_agg(code ORDER BY id), json_agg(code), jsonb_agg(doc) FROM vault
SELECT json_object_agg(id, secret), jsonb_object_agg(secret, id) FROM vault
SELECT xmlagg(xmlelement(name x, secret)) FROM vault
SELECT bit_and(code), bit_or(code), bit_xor(code) FROM vault GROUP BY id
SELECT mode() WITHIN GROUP (ORDER BY secret) FROM vault
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY code) FROM vault
SELECT percentile_cont(0) WITHIN GROUP (ORDER BY code) FROM vault
SELECT first_value(secret) OVER (ORDER BY id), last_value(secret) OVER (), nth_value(secret, 2) OVER () FROM vault
SELECT lag(secret, 0) OVER (), lead(secret) OVER (ORDER BY id) FROM vault
SELECT lag(code, 1, 0::bigint) OVER w FROM vault WINDOW w AS (ORDER BY id)
SELECT sum(code) OVER (PARTITION BY id), sum(paid) OVER (ORDER BY id) FROM vault
SELECT array_agg(secret) OVER (ORDER BY id ROWS 1 PRECEDING) FROM vault
SELECT string_agg(substr(secret, 1, 9), '') FROM vault
SELECT range_agg(int8range(code, code + 1)) FROM vault
SELECT regr_intercept(code, id), corr(code, id), covar_pop(code, code) FROM vault
SELECT secret, count(*) FROM vault GROUP BY secret
SELECT secret, count(*) FROM vault GROUP BY 1
SELECT secret FROM vault GROUP BY ROLLUP (secret)
SELECT grouping(secret), secret FROM vault GROUP BY CUBE (secret)
SELECT DISTINCT secret FROM vault
SELECT DISTINCT ON (secret) secret FROM vault
SELECT count(*), max(secret) FROM vault HAVING max(secret) > ''
SELECT any_value FROM (SELECT (array_agg(secret))[1] AS any_value FROM vault) x

-- Compared
SELECT CASE WHEN secret LIKE 'Q%' THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT CASE WHEN secret > 'M' THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT CASE WHEN code > 500000000000 THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT CASE WHEN code BETWEEN 1 AND 500000000000 THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT CASE WHEN born < date '1920-01-01' THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT CASE substr(secret, 1, 1) WHEN 'Q' THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT CASE WHEN secret ~ '^Q' THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT CASE WHEN secret IN ('x', 'y') THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT CASE WHEN 'ZKQXWVJF' = ANY (tags) THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT CASE WHEN doc ? 'pin' THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT CASE WHEN (SELECT max(secret) FROM vault) > 'M' THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END
SELECT CASE WHEN v IS NOT DISTINCT FROM v THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault v
SELECT CASE WHEN row(secret, 1) > row('M', 1) THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT replace(replace((secret > 'M')::text, 'true', 'LEAK' || 'YES'), 'false', 'LEAK' || 'NO') FROM vault
SELECT format('LEAK%s', CASE (code % 2) WHEN 0 THEN 'YES' ELSE 'NO' END) FROM vault
SELECT (ARRAY['LEAK' || 'YES', 'LEAK' || 'NO'])[1 + (code % 2)] FROM vault
SELECT coalesce(nullif('LEAK' || 'YES', CASE WHEN secret > 'M' THEN 'x' END), 'LEAK' || 'NO') FROM vault

-- Queries in queries
SELECT (SELECT secret FROM vault WHERE id = 1)
SELECT ARRAY(SELECT secret FROM vault)
SELECT * FROM (SELECT * FROM vault) x
SELECT * FROM (SELECT * FROM (TABLE vault) y) x
WITH x AS (SELECT * FROM vault) SELECT * FROM x
WITH x AS (SELECT secret s FROM vault), y AS (SELECT s t FROM x) SELECT t FROM y
WITH x(a) AS MATERIALIZED (SELECT secret FROM vault) SELECT a FROM x
WITH vault AS (SELECT 1 AS secret) SELECT v.secret FROM public.vault v
WITH plain AS (SELECT secret AS word FROM vault) SELECT word FROM plain
WITH RECURSIVE w AS (SELECT 1 n, secret FROM vault UNION ALL SELECT n + 1, secret FROM w WHERE n < 2) SELECT secret FROM w
WITH RECURSIVE w(n, s) AS (SELECT 1, ''::text UNION ALL SELECT n + 1, (SELECT secret FROM vault WHERE id = n) FROM w WHERE n < 4) SELECT s FROM w
WITH RECURSIVE w(n, s) AS (SELECT 1, 'x'::text UNION ALL SELECT n + 1, v.secret FROM w JOIN vault v ON v.id = n) SEARCH DEPTH FIRST BY s SET seq SELECT seq FROM w
WITH RECURSIVE w(n, s) AS (SELECT 1, 'x'::text UNION ALL SELECT n + 1, v.secret FROM w JOIN vault v ON v.id = n) CYCLE s SET is_cycle USING path SELECT path FROM w
WITH gone AS (UPDATE vault SET kind = kind RETURNING secret) SELECT * FROM gone
SELECT word FROM plain UNION SELECT secret FROM vault
SELECT word FROM plain UNION ALL SELECT secret FROM vault
SELECT secret FROM vault EXCEPT SELECT 'x'
SELECT secret FROM vault INTERSECT SELECT secret FROM vault
(SELECT word FROM plain) UNION ALL (SELECT secret FROM vault ORDER BY 1 LIMIT 3)
VALUES ((SELECT secret FROM vault WHERE id = 1)), ('x')
SELECT x.* FROM vault v, LATERAL (SELECT v.secret) x
SELECT x.a FROM vault v CROSS JOIN LATERAL (VALUES (v.secret), (v.code::text)) x(a)
SELECT x FROM vault v, unnest(ARRAY[v.secret]) x
SELECT x FROM vault v, unnest(v.tags) WITH ORDINALITY x
SELECT key, value FROM vault v, jsonb_each_text(to_jsonb(v))
SELECT x.* FROM vault v, jsonb_to_record(to_jsonb(v)) AS x(secret text)
SELECT x.* FROM vault v, json_populate_record(NULL::vault, to_json(v)) x
SELECT x.* FROM vault v, ROWS FROM (unnest(v.tags), generate_series(1, 2)) x
SELECT x.* FROM vault v, XMLTABLE('/x' PASSING xmlelement(name x, v.secret) COLUMNS s text PATH '.') x
SELECT word, secret FROM plain JOIN vault USING (id)
SELECT * FROM plain NATURAL JOIN vault
SELECT * FROM plain p LEFT JOIN vault v ON v.id = p.id
SELECT * FROM (plain JOIN vault USING (id)) AS j
SELECT j.secret FROM (plain p JOIN vault v ON p.id = v.id) AS j(a, b, c, d, e, f, secret)
SELECT j.id FROM plain JOIN vault USING (id) AS j, LATERAL (SELECT vault.secret) x
SELECT j FROM (SELECT secret FROM vault) j
SELECT s FROM (plain a JOIN (SELECT id, secret s FROM vault) b USING (id))
SELECT k.word FROM (SELECT secret word FROM vault) k RIGHT JOIN plain ON true

-- Builders
SELECT to_json(v), to_jsonb(v), row_to_json(v) FROM vault v
SELECT json_build_object('a', secret), json_build_array(code), jsonb_build_array(v) FROM vault v
SELECT json_object(ARRAY['a', secret]) FROM vault
SELECT json_agg(v), json_agg(x) FROM vault v, LATERAL (SELECT v.secret) x
SELECT v::text FROM vault v
SELECT v.*::text FROM vault v
SELECT ARRAY[v] FROM vault v
SELECT record_out(v) FROM vault v
SELECT record_send(v) FROM vault v
SELECT format('%s', v) FROM vault v
SELECT concat(v) FROM vault v
SELECT row(secret, code)::pair FROM vault
SELECT (row(secret, code)::pair).a FROM vault
SELECT array_fill(secret, ARRAY[2]), array_append(tags, secret) FROM vault
SELECT multirange(int8range(code, code + 1)) FROM vault
SELECT hashtextextended(secret, 0), row_to_json(x) FROM (SELECT secret FROM vault) x
SELECT jsonb_set('{}', '{a}', to_jsonb(secret)), jsonb_insert('{"a": []}', '{a,0}', to_jsonb(code)) FROM vault
SELECT jsonb_strip_nulls(to_jsonb(v)) - 'id' FROM vault v
SELECT setweight(to_tsvector(secret), 'A'), tsvector_to_array(to_tsvector('simple', secret)) FROM vault
SELECT txid_current_snapshot()::text || secret FROM vault

-- Views and functions that were there
SELECT * FROM vault_view
SELECT s FROM vault_view
SELECT c FROM vault_view
SELECT * FROM vault_kept
SELECT v FROM vault_kept v
SELECT vault_peek(1)
SELECT vault_pl(1)
SELECT * FROM vault_rows()
SELECT (vault_rows()).secret
SELECT vault_rows()
SELECT s FROM vault_rows() AS x(i, k, s)
SELECT vault_peek(id) FROM plain
SELECT x FROM vault_peek(1) x
SELECT x.y FROM LATERAL vault_pl(2) AS x(y)
SELECT upper(vault_peek(1)), length(vault_pl(1)), left(vault_pl(1), 5)
COPY (SELECT vault_peek(1)) TO STDOUT
COPY (SELECT * FROM vault_view) TO STDOUT
COPY (SELECT * FROM vault_rows()) TO STDOUT

-- Kept and read again
CREATE TEMP TABLE t AS SELECT secret AS n FROM vault ;; SELECT n FROM t
CREATE TEMP TABLE t AS TABLE vault ;; SELECT * FROM t
CREATE TABLE t_a_{m} AS SELECT reverse(secret) AS n FROM vault ;; SELECT n FROM t_a_{m} @@ SELECT n FROM t_a_{m}
CREATE TABLE t_b_{m} AS SELECT secret AS n FROM vault @@ SELECT n FROM t_b_{m} @@ COPY t_b_{m} TO STDOUT
SELECT secret AS n INTO TEMP t FROM vault ;; SELECT n FROM t
SELECT secret AS n INTO t_c_{m} FROM vault @@ SELECT n FROM t_c_{m}
CREATE TEMP TABLE t (LIKE vault) ;; INSERT INTO t SELECT * FROM vault ;; SELECT * FROM t
CREATE TEMP TABLE t () INHERITS (vault) ;; SELECT * FROM t ;; INSERT INTO t SELECT id + 10, kind, secret || 'x' FROM vault ;; SELECT * FROM t
CREATE TEMP TABLE t (n text) ;; INSERT INTO t SELECT secret FROM vault ;; SELECT n FROM t
CREATE TEMP TABLE t (n text) ;; INSERT INTO t VALUES ((SELECT secret FROM vault WHERE id = 1)) RETURNING n ;; SELECT n FROM t
CREATE TEMP VIEW tv AS SELECT id, word FROM plain ;; CREATE OR REPLACE TEMP VIEW tv AS SELECT id, secret AS word FROM vault; CREATE TEMP TABLE tt AS SELECT * FROM tv ;; SELECT * FROM tt ;; SELECT word FROM tv
CREATE TEMP VIEW tv AS SELECT id, word FROM plain ;; BEGIN; CREATE OR REPLACE TEMP VIEW tv AS SELECT id, secret AS word FROM vault; UPDATE plain SET word = tv.word FROM tv WHERE tv.id = plain.id; COMMIT ;; SELECT word FROM plain ;; UPDATE plain SET word = 'one'
CREATE TEMP VIEW tv AS SELECT id, word FROM plain ;; CREATE OR REPLACE TEMP VIEW tv AS SELECT id, secret AS word FROM vault; SELECT set_config('x.y', (SELECT word FROM tv LIMIT 1), false) ;; SHOW x.y ;; SELECT current_setting('x.y')
*CREATE TEMP TABLE t (n text DEFAULT vault_peek(1)) ;; INSERT INTO t DEFAULT VALUES ;; SELECT n FROM t
CREATE TEMP TABLE t (i int, n text GENERATED ALWAYS AS (vault_of(NULL)) STORED) ;; SELECT n FROM t
!ALTER TABLE vault ADD COLUMN shadow text GENERATED ALWAYS AS (secret) STORED ;; SELECT shadow FROM vault
!ALTER TABLE vault ADD COLUMN shadow2 text GENERATED ALWAYS AS (reverse(secret)) STORED ;; SELECT id, shadow2 FROM vault ;; SELECT shadow2 AS k FROM vault
!ALTER TABLE vault ADD COLUMN shadow3 text ;; UPDATE vault SET shadow3 = secret ;; SELECT shadow3 FROM vault
!ALTER TABLE vault RENAME COLUMN secret TO word ;; SELECT word FROM vault
!ALTER SCHEMA public RENAME TO hidden ;; SELECT secret FROM hidden.vault
*!ALTER TABLE plain ADD COLUMN peek text DEFAULT vault_peek(1) ;; SELECT peek FROM plain
*!ALTER TABLE plain ALTER COLUMN word TYPE text USING vault_peek(id) ;; SELECT word FROM plain
*!CREATE SCHEMA beside CREATE TABLE t (n text DEFAULT vault_peek(1)) ;; INSERT INTO beside.t DEFAULT VALUES ;; SELECT n FROM beside.t
*!CREATE OPERATOR ##@ (RIGHTARG = integer, FUNCTION = vault_peek) ;; SELECT ##@ 1
!ALTER TABLE vault RENAME TO plain2 ;; SELECT secret FROM plain2 ;; SELECT * FROM plain2
!ALTER TABLE vault SET SCHEMA pg_temp ;; SELECT secret FROM vault
!CREATE SCHEMA other ;; ALTER TABLE vault SET SCHEMA other ;; SELECT secret FROM other.vault
!ALTER TABLE vault ALTER COLUMN secret TYPE varchar(40) ;; SELECT secret FROM vault
!ALTER TABLE vault ALTER COLUMN code TYPE text ;; SELECT code FROM vault
*!ALTER TABLE vault ALTER COLUMN kind TYPE text USING secret ;; SELECT kind FROM vault
!ALTER TABLE vault ALTER COLUMN secret TYPE bytea USING secret::bytea ;; SELECT secret FROM vault
!ALTER TABLE vault ALTER COLUMN secret TYPE integer USING secret::integer
!ALTER TABLE vault ADD CHECK (secret < 'A')
!ALTER TABLE vault ADD CONSTRAINT x CHECK (length(secret) < 3) NOT VALID ;; ALTER TABLE vault VALIDATE CONSTRAINT x
!ALTER TABLE vault ADD UNIQUE (kind)
!ALTER TABLE vault ADD FOREIGN KEY (secret) REFERENCES sure (word)
!ALTER TABLE vault ADD EXCLUDE (kind WITH =)
!CREATE UNIQUE INDEX ON vault ((secret IS NOT NULL))
!CREATE INDEX ON vault ((secret::int))
!CREATE INDEX secret_index ON vault ((reverse(secret))) ;; ANALYZE vault ;; SELECT * FROM pg_stats WHERE tablename = 'secret_index'
!CREATE STATISTICS st (mcv) ON secret, kind FROM vault ;; ANALYZE vault ;; SELECT * FROM pg_stats_ext
!CREATE STATISTICS st ON (reverse(secret)) FROM vault ;; ANALYZE vault ;; SELECT * FROM pg_stats_ext_exprs
!CREATE VIEW vv AS SELECT secret AS n FROM vault ;; SELECT n FROM vv
!CREATE TEMP VIEW vv AS SELECT * FROM vault ;; SELECT * FROM vv
CREATE VIEW v_a_{m} AS SELECT secret AS n FROM vault @@ SELECT n FROM v_a_{m} ;; SELECT * FROM v_a_{m} ;; COPY (SELECT n FROM v_a_{m}) TO STDOUT
CREATE VIEW v_b_{m} AS SELECT left(secret, 9) AS n, code / 2 AS c FROM vault @@ SELECT n, c FROM v_b_{m}
CREATE RECURSIVE VIEW v_c_{m} (n) AS SELECT secret FROM vault UNION SELECT n FROM v_c_{m} @@ SELECT n FROM v_c_{m}
CREATE MATERIALIZED VIEW m_a_{m} AS SELECT secret AS n FROM vault @@ SELECT n FROM m_a_{m}
CREATE MATERIALIZED VIEW m_b_{m} AS SELECT secret AS n FROM vault WITH NO DATA ;; REFRESH MATERIALIZED VIEW m_b_{m} @@ SELECT n FROM m_b_{m}
CREATE VIEW v_d_{m} AS SELECT id FROM vault @@ CREATE OR REPLACE VIEW v_d_{m} AS SELECT id, secret AS n FROM vault @@ SELECT n FROM v_d_{m}
CREATE VIEW v_e_{m} AS SELECT vault_peek(1) AS n @@ SELECT n FROM v_e_{m}
CREATE VIEW v_f_{m} AS SELECT v FROM vault v @@ SELECT (v).secret FROM v_f_{m} ;; SELECT v FROM v_f_{m}
CREATE VIEW v_g_{m} AS SELECT 'x'::text AS n ;; CREATE RULE "_RETURN" AS ON SELECT TO v_g_{m} DO INSTEAD SELECT secret AS n FROM vault @@ SELECT n FROM v_g_{m}
*CREATE TABLE r_a_{m} (n text) ;; CREATE RULE r AS ON INSERT TO plain DO ALSO INSERT INTO r_a_{m} SELECT secret FROM vault ;; INSERT INTO plain VALUES (100, 'x') ;; DROP RULE r ON plain ;; DELETE FROM plain WHERE id = 100 @@ SELECT n FROM r_a_{m}
!CREATE RULE r AS ON UPDATE TO plain DO INSTEAD SELECT secret FROM vault ;; UPDATE plain SET word = word
!CREATE RULE r AS ON DELETE TO plain DO INSTEAD SELECT secret AS id FROM vault ;; DELETE FROM plain
!CREATE RULE r AS ON INSERT TO plain DO INSTEAD INSERT INTO vault (id, kind, secret) SELECT 50, 'x', 'yyyy' RETURNING id, secret, code, doc ;; INSERT INTO plain VALUES (60, 'z') RETURNING *
*!CREATE RULE r AS ON UPDATE TO plain DO INSTEAD UPDATE vault SET kind = kind RETURNING id, secret, code, doc ;; UPDATE plain SET word = word RETURNING word
!CREATE RULE r AS ON INSERT TO plain DO ALSO NOTIFY leak
*!CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.word = (SELECT secret FROM vault WHERE id = 1); RETURN NEW; END $$ ;; CREATE TRIGGER tr BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION tf() ;; INSERT INTO plain VALUES (61, 'z') RETURNING word ;; SELECT * FROM plain
!CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'is %', NEW.secret; RETURN NEW; END $$ ;; CREATE TRIGGER tr BEFORE UPDATE ON vault FOR EACH ROW EXECUTE FUNCTION tf() ;; UPDATE vault SET kind = kind
*!CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO plain VALUES (70, NEW.secret); RETURN NEW; END $$ ;; CREATE TRIGGER tr BEFORE UPDATE ON vault FOR EACH ROW EXECUTE FUNCTION tf() ;; UPDATE vault SET kind = kind WHERE id = 1 ;; SELECT word FROM plain
CREATE FUNCTION f_a_{m}() RETURNS text LANGUAGE sql AS 'SELECT secret FROM vault LIMIT 1' ;; SELECT f_a_{m}() @@ SELECT f_a_{m}() ;; SELECT reverse(f_a_{m}())
CREATE FUNCTION f_b_{m}() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT secret FROM vault LIMIT 1' ;; SELECT f_b_{m}() @@ SELECT f_b_{m}() ;; SELECT left(f_b_{m}(), 6)
CREATE FUNCTION f_c_{m}() RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT secret FROM vault LIMIT 1); END' ;; SELECT f_c_{m}() @@ SELECT f_c_{m}()
CREATE FUNCTION f_d_{m}() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT secret FROM vault LIMIT 1; END ;; SELECT f_d_{m}() @@ SELECT f_d_{m}()
CREATE FUNCTION f_e_{m}() RETURNS text LANGUAGE sql RETURN (SELECT secret FROM vault LIMIT 1) ;; SELECT f_e_{m}() @@ SELECT f_e_{m}()
CREATE FUNCTION f_f_{m}(OUT a text, OUT b bigint) RETURNS SETOF record LANGUAGE sql AS 'SELECT secret, code FROM vault' ;; SELECT * FROM f_f_{m}() @@ SELECT a FROM f_f_{m}()
CREATE FUNCTION f_g_{m}() RETURNS TABLE (a text) LANGUAGE sql AS 'SELECT secret FROM vault' @@ SELECT * FROM f_g_{m}() ;; SELECT f_g_{m}() ;; COPY (SELECT * FROM f_g_{m}()) TO STDOUT
CREATE FUNCTION f_h_{m}() RETURNS refcursor LANGUAGE plpgsql AS $$ DECLARE c refcursor := 'cur'; BEGIN OPEN c FOR SELECT secret FROM vault; RETURN c; END $$ ;; BEGIN ;; SELECT f_h_{m}() ;; FETCH ALL FROM cur ;; COMMIT
CREATE FUNCTION upper(vault) RETURNS text LANGUAGE sql AS 'SELECT $1.secret' ;; SELECT upper(v) FROM vault v
CREATE FUNCTION public.length(text) RETURNS text LANGUAGE sql AS 'SELECT secret FROM vault LIMIT 1' ;; SET search_path = public, pg_catalog ;; SELECT length('x') ;; SELECT length(word) FROM plain
CREATE PROCEDURE p_a_{m}(INOUT a text) LANGUAGE plpgsql AS 'BEGIN a := (SELECT secret FROM vault LIMIT 1); END' ;; CALL p_a_{m}('x') @@ CALL p_a_{m}('y')
CREATE PROCEDURE p_b_{m}() LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', (SELECT secret FROM vault LIMIT 1); END $$ ;; CALL p_b_{m}()
*CREATE FUNCTION o_a_{m}(text, text) RETURNS text LANGUAGE sql AS 'SELECT secret FROM vault LIMIT 1' ;; CREATE OPERATOR #-# (LEFTARG = text, RIGHTARG = text, FUNCTION = o_a_{m}) ;; SELECT 'a' #-# 'b' ;; SELECT word #-# word FROM plain ;; DROP OPERATOR #-# (text, text)
*CREATE FUNCTION o_b_{m}(text) RETURNS text LANGUAGE sql AS 'SELECT secret FROM vault LIMIT 1' ;; CREATE OPERATOR @#@ (RIGHTARG = text, FUNCTION = o_b_{m}) @@ SELECT @#@ 'b' ;; SELECT @#@ word FROM plain ;; DROP OPERATOR @#@ (NONE, text)
*CREATE FUNCTION c_a_{m}(pair) RETURNS text LANGUAGE sql AS 'SELECT secret FROM vault LIMIT 1' ;; CREATE CAST (pair AS text) WITH FUNCTION c_a_{m}(pair) AS IMPLICIT ;; SELECT row('a', 1)::pair::text ;; SELECT CAST(row(word, 1)::pair AS text) FROM plain ;; DROP CAST (pair AS text)
CREATE FUNCTION a_a_{m}(text, text) RETURNS text LANGUAGE sql AS 'SELECT secret FROM vault LIMIT 1' ;; CREATE AGGREGATE agg_{m}(text) (SFUNC = a_a_{m}, STYPE = text) ;; SELECT agg_{m}(word) FROM plain @@ SELECT agg_{m}('x')
CREATE FUNCTION d_a_{m}(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', (SELECT secret FROM vault LIMIT 1); RETURN true; END $$ ;; CREATE DOMAIN dom_{m} AS text CHECK (d_a_{m}(VALUE)) ;; SELECT 'x'::dom_{m} ;; SELECT CAST('y' AS dom_{m})
CREATE DOMAIN short_{m} AS text CHECK (length(VALUE) < 4) ;; SELECT secret::short_{m} FROM vault
CREATE TYPE enum_{m} AS ENUM ('x') ;; SELECT secret::enum_{m} FROM vault ;; SELECT secret::text::enum_{m} FROM vault
CREATE SEQUENCE s_b_{m} START 5 @@ SELECT setval('s_b_{m}', max(code)) FROM vault @@ SELECT * FROM s_b_{m}
CREATE TABLE part_{m} (n text) PARTITION BY LIST (n) ;; CREATE TABLE part_1_{m} PARTITION OF part_{m} DEFAULT ;; INSERT INTO part_{m} SELECT secret FROM vault ;; SELECT n FROM part_1_{m}
CREATE TABLE inh_{m} () INHERITS (vault) ;; SELECT secret FROM inh_{m} ;; INSERT INTO inh_{m} (id, kind, secret) VALUES (90, 'x', 'yyyyy') RETURNING secret ;; SELECT secret FROM vault ;; DROP TABLE inh_{m}
*COMMENT ON TABLE plain IS 'x' ;; DO $$ BEGIN EXECUTE format('COMMENT ON TABLE plain IS %L', (SELECT secret FROM vault LIMIT 1)); END $$ ;; SELECT obj_description('plain'::regclass) ;; SELECT description FROM pg_description WHERE objoid = 'plain'::regclass ;; COMMENT ON TABLE plain IS NULL
*DO $$ BEGIN EXECUTE format('CREATE TABLE %I (a int)', 'z_' || (SELECT secret FROM vault WHERE id = 1)); END $$ ;; SELECT relname FROM pg_class WHERE relname LIKE 'z_%' ;; SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'z%'
DO $$ BEGIN EXECUTE format('CREATE TABLE d_a_{m} AS SELECT %L::text AS n', (SELECT secret FROM vault WHERE id = 1)); END $$ @@ SELECT n FROM d_a_{m} ;; SELECT * FROM d_a_{m}
*DO $$ BEGIN EXECUTE format('CREATE VIEW d_b_{m} AS SELECT %L::text AS n', (SELECT secret FROM vault WHERE id = 1)); END $$ @@ SELECT n FROM d_b_{m} ;; SELECT pg_get_viewdef('d_b_{m}') ;; SELECT definition FROM pg_views WHERE viewname = 'd_b_{m}'
*DO $$ BEGIN EXECUTE format('CREATE FUNCTION d_c_{m}() RETURNS text LANGUAGE sql AS %L', 'SELECT ' || quote_literal((SELECT secret FROM vault WHERE id = 1))); END $$ @@ SELECT d_c_{m}() ;; SELECT prosrc FROM pg_proc WHERE proname = 'd_c_{m}' ;; SELECT pg_get_functiondef('d_c_{m}'::regproc)
*DO $$ BEGIN EXECUTE format('ALTER TABLE plain ALTER word SET DEFAULT %L', (SELECT secret FROM vault WHERE id = 1)); END $$ ;; SELECT column_default FROM information_schema.columns WHERE table_name = 'plain' ;; SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef ;; ALTER TABLE plain ALTER word DROP DEFAULT
*DO $$ BEGIN EXECUTE format('CREATE TYPE d_e_{m} AS ENUM (%L)', (SELECT secret FROM vault WHERE id = 1)); END $$ ;; SELECT enumlabel FROM pg_enum ;; SELECT enum_range(NULL::d_e_{m})
*DO $$ BEGIN EXECUTE format('SET x.y = %L', (SELECT secret FROM vault WHERE id = 1)); END $$ ;; SHOW x.y ;; SELECT current_setting('x.y') ;; SELECT setting FROM pg_settings WHERE name = 'x.y'
*DO $$ BEGIN EXECUTE format('SET application_name = %L', (SELECT secret FROM vault WHERE id = 1)); END $$ ;; SHOW application_name ;; SELECT application_name FROM pg_stat_activity ;; SELECT setting FROM pg_settings WHERE name = 'application_name'
*DO $$ BEGIN EXECUTE format('PREPARE pp AS SELECT %L::text AS n', (SELECT secret FROM vault WHERE id = 1)); END $$ ;; EXECUTE pp ;; SELECT statement FROM pg_prepared_statements
*DO $$ BEGIN EXECUTE format('DECLARE cc CURSOR WITH HOLD FOR SELECT %L::text AS n', (SELECT secret FROM vault WHERE id = 1)); END $$ ;; FETCH ALL FROM cc ;; SELECT statement FROM pg_cursors
*DO $$ BEGIN INSERT INTO plain SELECT 200 + id, secret FROM vault; END $$ ;; SELECT word FROM plain WHERE id > 200 ;; DELETE FROM plain WHERE id > 200
DO $$ BEGIN PERFORM pg_notify('leak', (SELECT secret FROM vault WHERE id = 1)); END $$
LISTEN leak ;; DO $$ BEGIN PERFORM pg_notify('leak', (SELECT secret FROM vault WHERE id = 1)); END $$ ;; SELECT 1
LISTEN leak ;; DO $$ BEGIN PERFORM pg_notify('leak', (SELECT reverse(secret) FROM vault WHERE id = 1)); END $$ ;; SELECT 1
LISTEN leak ;; SELECT pg_notify('leak', secret) FROM vault ;; SELECT 1
LISTEN leak ;; SELECT pg_notify('leak', left(secret, 8)) FROM vault ;; SELECT 1

-- Settings
SELECT set_config('x.y', secret, false) FROM vault ;; SHOW x.y
SELECT set_config('x.y', secret, false) FROM vault ;; SELECT current_setting('x.y')
SELECT set_config('application_name', secret, false) FROM vault ;; SELECT setting FROM pg_settings WHERE name = 'application_name'
SELECT set_config('search_path', secret, false) FROM vault ;; SHOW search_path ;; SELECT current_schemas(true)
SELECT count(set_config('x.y', secret, false)) FROM vault ;; SHOW x.y
SELECT 1 FROM vault WHERE set_config('x.y', secret, false) IS NOT NULL ;; SHOW x.y ;; SELECT current_setting('x.y', true)
SELECT 1 FROM vault ORDER BY set_config('x.z', secret, false) ;; SHOW x.z ;; SHOW ALL
SELECT set_config('DateStyle', secret, false) FROM vault
SELECT set_config('x.y', secret, false) FROM vault ;; SELECT * FROM pg_show_all_settings() WHERE name LIKE 'x.%'
BEGIN ;; SELECT set_config('x.y', max(secret), true) FROM vault ;; SELECT current_setting('x.y') ;; COMMIT

-- Cursors and prepared statements
BEGIN ;; DECLARE c CURSOR FOR SELECT secret FROM vault ;; FETCH ALL FROM c ;; COMMIT
BEGIN ;; DECLARE c BINARY CURSOR FOR SELECT secret, code FROM vault ;; FETCH ALL FROM c ;; COMMIT
DECLARE c CURSOR WITH HOLD FOR SELECT reverse(secret) FROM vault ;; FETCH 1 FROM c ;; FETCH ALL FROM c
BEGIN ;; DECLARE c SCROLL CURSOR FOR SELECT * FROM vault ;; FETCH LAST FROM c ;; FETCH ABSOLUTE 1 FROM c ;; FETCH BACKWARD ALL FROM c ;; COMMIT
BEGIN ;; DECLARE c CURSOR FOR SELECT id, kind FROM vault FOR UPDATE ;; FETCH 1 FROM c ;; UPDATE vault SET kind = kind WHERE CURRENT OF c RETURNING secret ;; COMMIT
PREPARE q AS SELECT secret FROM vault ;; EXECUTE q
PREPARE q(int) AS SELECT secret FROM vault WHERE id = $1 ;; EXECUTE q(1) ;; CREATE TEMP TABLE tt AS EXECUTE q(1) ;; SELECT * FROM tt
PREPARE q AS SELECT word FROM plain ;; DEALLOCATE q ;; PREPARE q AS SELECT secret FROM vault ;; EXECUTE q
PREPARE q(text) AS SELECT $1 ;; EXECUTE q((SELECT secret FROM vault WHERE id = 1))
PREPARE q AS INSERT INTO plain SELECT 300, secret FROM vault WHERE id = 1 RETURNING word ;; EXECUTE q ;; DELETE FROM plain WHERE id = 300
PREPARE q AS SELECT * FROM vault ;; EXPLAIN (ANALYZE, VERBOSE) EXECUTE q
PREPARE q AS SELECT 'a'::text AS n ;; SAVEPOINT x ;; EXECUTE q

-- Written and returned
UPDATE vault SET kind = kind RETURNING *
UPDATE vault SET kind = kind RETURNING secret, reverse(secret)
!UPDATE vault SET kind = secret RETURNING kind ;; SELECT kind FROM vault
!UPDATE vault SET (kind, doc) = (secret, to_jsonb(code)) RETURNING kind, id ;; SELECT kind FROM vault
!UPDATE plain SET word = v.secret FROM vault v WHERE v.id = plain.id RETURNING word ;; SELECT word FROM plain
!UPDATE plain p SET word = p.word FROM vault v WHERE v.id = p.id RETURNING v.secret
!UPDATE plain SET word = (SELECT secret FROM vault WHERE id = 1) ;; SELECT word FROM plain
!DELETE FROM vault RETURNING *
!DELETE FROM plain USING vault v WHERE v.id = plain.id RETURNING v.*
!DELETE FROM vault RETURNING md5(secret)
!INSERT INTO plain SELECT id + 400, secret, code, doc FROM vault RETURNING *
!INSERT INTO plain SELECT id + 400, secret, code, doc FROM vault ;; SELECT * FROM plain
!INSERT INTO plain (id, number) SELECT 400 + id, code FROM vault ;; SELECT number FROM plain
!INSERT INTO plain (id, doc) SELECT 400 + id, to_jsonb(v) FROM vault v ;; SELECT doc FROM plain
!INSERT INTO vault (id, kind, secret) VALUES (1, 'x', 'yyyy') ON CONFLICT (id) DO UPDATE SET kind = vault.secret RETURNING kind
!INSERT INTO vault (id, kind, secret) VALUES (1, 'x', 'yyyy') ON CONFLICT (id) DO UPDATE SET kind = 'x' RETURNING secret
!INSERT INTO plain VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET word = (SELECT secret FROM vault WHERE id = 1) RETURNING word
!MERGE INTO plain p USING vault v ON v.id = p.id WHEN MATCHED THEN UPDATE SET word = v.secret ;; SELECT word FROM plain
!MERGE INTO plain p USING vault v ON false WHEN NOT MATCHED THEN INSERT (id, word) VALUES (500 + v.id, v.secret) ;; SELECT word FROM plain
!MERGE INTO vault v USING plain p ON v.id = p.id WHEN MATCHED THEN UPDATE SET kind = v.secret ;; SELECT kind FROM vault
!UPDATE vault SET secret = 'WXYZWXYZ' WHERE id = 1 ;; UPDATE vault SET kind = (SELECT string_agg(secret, '') FROM vault) ;; SELECT kind FROM vault
!UPDATE vault SET blob = secret::bytea, secret = convert_from(blob, 'UTF8') RETURNING blob, secret

-- COPY
COPY vault TO STDOUT
COPY vault (secret) TO STDOUT
COPY vault TO STDOUT (FORMAT csv)
COPY vault TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *, DELIMITER ';')
COPY vault TO STDOUT (FORMAT csv, QUOTE 'Q', ESCAPE 'Z')
COPY vault TO STDOUT (DELIMITER 'Z')
COPY vault (secret) TO STDOUT (NULL 'QWZX')
COPY vault TO STDOUT (FORMAT binary)
COPY vault (secret, code) TO STDOUT WITH BINARY
COPY vault TO STDOUT (ENCODING 'LATIN1')
COPY vault TO STDOUT (ENCODING 'SJIS')
COPY (SELECT secret FROM vault) TO STDOUT
COPY (SELECT reverse(secret) FROM vault) TO STDOUT
COPY (SELECT v FROM vault v) TO STDOUT
COPY (SELECT v FROM vault v) TO STDOUT (FORMAT binary)
COPY (SELECT to_json(v) FROM vault v) TO STDOUT
COPY (SELECT sum(code) FROM vault) TO STDOUT
COPY (SELECT left(secret, 5) FROM vault) TO STDOUT (FORMAT csv)
COPY (UPDATE vault SET kind = kind RETURNING secret) TO STDOUT
COPY (VALUES ((SELECT secret FROM vault WHERE id = 2))) TO STDOUT
COPY vault_kept TO STDOUT
COPY vault TO '/tmp/never'
COPY vault TO PROGRAM 'cat'
COPY plain FROM '/etc/passwd'

-- Plans and what is known of tables
EXPLAIN SELECT * FROM vault WHERE secret = 'x'
EXPLAIN (ANALYZE, VERBOSE) SELECT secret FROM vault WHERE secret > 'A'
EXPLAIN (VERBOSE) SELECT * FROM plain WHERE word = (SELECT secret FROM vault WHERE id = 1)
EXPLAIN (ANALYZE, FORMAT json) SELECT * FROM vault WHERE code = (SELECT max(code) FROM vault)
EXPLAIN (VERBOSE, FORMAT xml) SELECT vault_peek(1)
EXPLAIN (VERBOSE) SELECT f.a FROM (SELECT vault_peek(1) AS a) f
EXPLAIN (ANALYZE, FORMAT yaml) UPDATE vault SET kind = secret WHERE false
CREATE FUNCTION e_a_{m}() RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT secret FROM vault LIMIT 1); END' ;; EXPLAIN (VERBOSE) SELECT e_a_{m}() ;; EXPLAIN SELECT * FROM plain WHERE word = e_a_{m}() @@ EXPLAIN SELECT * FROM plain WHERE word = e_a_{m}()
EXPLAIN (VERBOSE) SELECT * FROM plain WHERE word = vault_of((SELECT v FROM vault v WHERE id = 1))
ANALYZE vault ;; SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE tablename = 'vault'
ANALYZE vault ;; SELECT * FROM pg_stats WHERE tablename = 'vault'
SELECT s::text FROM pg_stats s WHERE tablename = 'vault'
SELECT to_json(s) FROM pg_stats s WHERE tablename = 'vault'
SELECT histogram_bounds::text FROM pg_stats WHERE tablename = 'vault'
SELECT array_to_string(histogram_bounds, ',') FROM pg_stats WHERE tablename = 'vault'
SELECT count(histogram_bounds), max(histogram_bounds::text) FROM pg_stats WHERE tablename = 'vault'
SELECT stavalues1, stavalues2 FROM pg_statistic WHERE starelid = 'vault'::regclass
SELECT * FROM pg_statistic
COPY (SELECT histogram_bounds FROM pg_stats WHERE tablename = 'vault') TO STDOUT
CREATE TEMP TABLE t AS SELECT histogram_bounds::text AS n FROM pg_stats WHERE tablename = 'vault' ;; SELECT n FROM t
CREATE VIEW st_{m} AS SELECT histogram_bounds::text AS n FROM pg_stats WHERE tablename = 'vault' @@ SELECT n FROM st_{m}
SELECT query FROM pg_stat_activity
SELECT pg_get_expr(conbin, conrelid), secret FROM pg_constraint, vault
SELECT * FROM pg_largeobject
SELECT lo_from_bytea(0, secret::bytea) FROM vault ;; SELECT lo_get(oid) FROM pg_largeobject_metadata ;; SELECT data FROM pg_largeobject
BEGIN ;; SELECT lo_create(77001) ;; SELECT lo_put(77001, 0, secret::bytea) FROM vault WHERE id = 1 ;; SELECT lo_get(77001) ;; SELECT convert_from(lo_get(77001), 'UTF8') ;; ROLLBACK
DO $$ BEGIN PERFORM lo_from_bytea(77002, (SELECT secret::bytea FROM vault WHERE id = 1)); END $$ ;; SELECT lo_get(77002) ;; SELECT encode(lo_get(77002), 'escape') ;; SELECT lo_unlink(77002)
DO $$ BEGIN PERFORM lo_from_bytea(77003, (SELECT secret::bytea FROM vault WHERE id = 1)); END $$ @@ SELECT loread(lo_open(77003, 262144), 100) ;; SELECT lo_unlink(77003)
SELECT pg_read_file('/etc/hostname')
SELECT pg_relation_filepath('vault'), pg_read_binary_file(pg_relation_filepath('vault'))
SELECT get_raw_page('vault', 0)
SELECT currtid2('vault', '(0,1)'), secret FROM vault

-- Queries in text
SELECT query_to_xml('SELECT secret FROM vault', true, false, '')
SELECT query_to_xml('SELECT reverse(secret) FROM vault', true, false, '')
SELECT table_to_xml('vault', true, false, '')
SELECT schema_to_xml('public', true, false, '')
SELECT database_to_xml(true, false, '')
SELECT table_to_xml_and_xmlschema('vault', true, false, '')
SELECT xpath('//secret/text()', table_to_xml('vault', true, false, ''))
SELECT length(query_to_xml('SELECT secret FROM vault', true, false, '')::text), query_to_xml('TABLE vault', true, true, '')::text
BEGIN ;; DECLARE c CURSOR FOR SELECT secret FROM vault ;; SELECT cursor_to_xml('c', 10, true, false, '') ;; COMMIT
SELECT * FROM ts_stat('SELECT to_tsvector(''simple'', secret) FROM vault')
SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, to_tsquery(''simple'', secret) FROM vault')
SELECT * FROM dblink('dbname=x', 'SELECT secret FROM vault') AS x(s text)
SELECT (xpath('/row/secret/text()', query_to_xml('SELECT secret FROM vault WHERE id = ' || id, false, true, '')))[1]::text FROM plain

-- Said in errors and notices
SELECT secret::int FROM vault
SELECT secret::bigint FROM vault WHERE id = 1
SELECT secret::date FROM vault
SELECT secret::uuid FROM vault
SELECT secret::jsonb FROM vault
SELECT secret::inet FROM vault
SELECT secret::boolean FROM vault
SELECT secret::regclass FROM vault
SELECT secret::regproc FROM vault
SELECT secret::regtype FROM vault
SELECT secret::regrole FROM vault
SELECT secret::regnamespace FROM vault
SELECT secret::regconfig FROM vault
SELECT secret::interval FROM vault
SELECT secret::point FROM vault
SELECT secret::money FROM vault
SELECT secret::bit(8) FROM vault
SELECT secret::int4range FROM vault
SELECT secret::int[] FROM vault
SELECT ('{' || secret)::text[] FROM vault
SELECT secret::tsquery FROM vault
SELECT secret::pg_lsn FROM vault
SELECT secret::macaddr FROM vault
SELECT secret::numeric FROM vault
SELECT ('$.' || secret || ' [')::jsonpath FROM vault
SELECT code::int FROM vault
SELECT code::smallint FROM vault
SELECT paid::int / 0 FROM vault
SELECT reverse(secret)::int FROM vault
SELECT left(secret, 6)::int FROM vault
SELECT encode(secret::bytea, 'hex')::int FROM vault
SELECT (secret || ' ' || secret)::date FROM vault
SELECT 1 FROM vault WHERE secret::int = 1
SELECT 1 FROM vault WHERE reverse(secret)::uuid IS NULL
SELECT 1 FROM vault ORDER BY secret::int
SELECT count(*) FROM vault GROUP BY secret::int
SELECT 1 FROM plain JOIN vault ON plain.id = vault.secret::int
SELECT count(secret::int) FROM vault
SELECT to_date(secret, 'YYYY') FROM vault
SELECT to_number(secret, '999') FROM vault
SELECT to_timestamp(secret, 'YYYY-MM-DD') FROM vault
SELECT secret::timestamp AT TIME ZONE secret FROM vault
SELECT now() AT TIME ZONE secret FROM vault
SELECT date_trunc(secret, now()) FROM vault
SELECT extract(epoch FROM secret::timestamp) FROM vault
SELECT date_part(secret, now()) FROM vault
SELECT 'x' ~ ('(' || secret) FROM vault
SELECT decode(secret, 'hex') FROM vault
SELECT decode('x', secret) FROM vault
SELECT encode('x', secret) FROM vault
SELECT convert_from('x', secret) FROM vault
SELECT convert('x'::bytea, 'UTF8', secret) FROM vault
SELECT nextval(secret) FROM vault
SELECT nextval(secret::regclass) FROM vault
SELECT to_regclass(secret), secret::regclass::oid FROM vault
SELECT has_table_privilege(secret, 'select') FROM vault
SELECT has_column_privilege('vault', secret, 'select') FROM vault
SELECT pg_get_serial_sequence('vault', secret) FROM vault
SELECT pg_get_serial_sequence(secret, 'id') FROM vault
SELECT pg_get_viewdef(secret) FROM vault
SELECT current_setting(secret) FROM vault
SELECT set_config(secret, 'x', false) FROM vault
SELECT set_config('work_mem', secret, false) FROM vault
SELECT set_config('TimeZone', secret, false) FROM vault
SELECT format(secret, 1), format('%' || secret, 1) FROM vault
SELECT jsonb_path_query('{}', ('$.' || secret)::jsonpath), jsonb_path_query('{}', ('strict $.' || secret)::jsonpath) FROM vault
SELECT xpath('//' || secret || '[', '<a/>') FROM vault
SELECT ('{"a": 1}'::jsonb) #- ARRAY[secret], jsonb_set('[]', ARRAY[secret], '1') FROM vault
SELECT get_bit(blob, 100000), get_byte(blob, code::int) FROM vault
SELECT lpad('x', (code % 100)::int), generate_series(1, 2, (code - code)) FROM vault
SELECT chr((code)::int) FROM vault
SELECT make_date(code::int, 1, 1), make_interval(secs => code) FROM vault
SELECT ts_headline(secret::regconfig, 'x', 'y'::tsquery) FROM vault
SELECT setseed(code) FROM vault
SELECT pg_sleep(secret::float8) FROM vault
SELECT pg_input_is_valid(secret, 'integer') FROM vault
SELECT numeric '1' / (paid - paid) FROM vault
SELECT string_to_array(secret, '')::int[] FROM vault
SELECT row(secret)::sure FROM vault
SELECT jsonb_populate_record(NULL::sure, jsonb_build_object('number', secret)) FROM vault
SELECT * FROM vault v, jsonb_to_record(to_jsonb(v)) AS x(secret int)
SELECT * FROM json_to_recordset((SELECT json_agg(v) FROM vault v)) AS x(secret date)
INSERT INTO sure (number) SELECT secret::smallint FROM vault
INSERT INTO sure (word) SELECT secret FROM vault
INSERT INTO sure (number) SELECT code FROM vault
INSERT INTO sure (number) SELECT code % 1000 FROM vault
INSERT INTO sure (id, word) SELECT 1, left(secret, 3) FROM vault UNION ALL SELECT 2, left(secret, 3) FROM vault
INSERT INTO vault SELECT * FROM vault
INSERT INTO vault SELECT id + 10, kind, secret FROM vault
INSERT INTO vault (id, kind, secret) SELECT 800 + id, 'x', secret FROM vault
INSERT INTO vault (id, kind, secret) SELECT 800 + id, NULL, secret || 'x' FROM vault
INSERT INTO vault (id, kind, secret) SELECT 800 + id, 'x', left(secret, 2) FROM vault
UPDATE vault SET kind = NULL
UPDATE vault SET secret = 'x'
UPDATE vault SET secret = 'same'
UPDATE vault SET secret = left(secret, 2)
UPDATE vault SET id = 1
UPDATE vault SET kind = NULL WHERE id = 1
DO $$ BEGIN RAISE NOTICE '%', (SELECT secret FROM vault LIMIT 1); END $$
DO $$ BEGIN RAISE EXCEPTION '%', (SELECT reverse(secret) FROM vault LIMIT 1); END $$
DO $$ BEGIN RAISE EXCEPTION 'x' USING DETAIL = (SELECT secret FROM vault LIMIT 1), HINT = (SELECT md5(secret) FROM vault LIMIT 1); END $$
DO $$ BEGIN RAISE NOTICE USING MESSAGE = (SELECT encode(secret::bytea, 'hex') FROM vault LIMIT 1); END $$
DO $$ BEGIN RAISE EXCEPTION 'x' USING COLUMN = (SELECT secret FROM vault LIMIT 1), TABLE = (SELECT secret FROM vault LIMIT 1), CONSTRAINT = (SELECT secret FROM vault LIMIT 1); END $$
DO $$ BEGIN RAISE EXCEPTION 'x' USING SCHEMA = (SELECT left(secret, 6) FROM vault LIMIT 1), DATATYPE = (SELECT lower(secret) FROM vault LIMIT 1); END $$
DO $$ BEGIN RAISE EXCEPTION 'column "%" does not exist', (SELECT secret FROM vault LIMIT 1); END $$
DO $$ BEGIN RAISE WARNING 'relation % is %', (SELECT left(secret, 9) FROM vault LIMIT 1), (SELECT code FROM vault LIMIT 1); END $$
DO $$ DECLARE r record; BEGIN FOR r IN SELECT substr(secret, n, 1) AS c FROM vault, generate_series(1, 18) n WHERE id = 1 ORDER BY n LOOP RAISE NOTICE '%', r.c; END LOOP; END $$
DO $$ DECLARE r record; BEGIN FOR r IN SELECT ascii(substr(secret, n, 1)) AS c FROM vault, generate_series(1, 18) n WHERE id = 1 ORDER BY n LOOP RAISE NOTICE '%', r.c; END LOOP; END $$
DO $$ BEGIN ASSERT false, (SELECT secret FROM vault LIMIT 1); END $$
DO $$ BEGIN EXECUTE 'SELECT ' || (SELECT secret FROM vault LIMIT 1); END $$
DO $$ BEGIN EXECUTE 'SELECT 1 FROM ' || (SELECT quote_ident(secret) FROM vault LIMIT 1); END $$
DO $$ BEGIN EXECUTE (SELECT secret FROM vault LIMIT 1); END $$
DO $$ BEGIN EXECUTE 'DROP TABLE IF EXISTS ' || (SELECT secret FROM vault LIMIT 1); END $$
DO $$ DECLARE i int; BEGIN SELECT secret INTO i FROM vault LIMIT 1; END $$
DO $$ DECLARE i int; BEGIN SELECT reverse(secret) INTO i FROM vault LIMIT 1; END $$
DO $$ BEGIN IF (SELECT secret > 'M' FROM vault WHERE id = 1) THEN RAISE NOTICE 'LEAK%', 'YES'; ELSE RAISE NOTICE 'LEAK%', 'NO'; END IF; END $$

-- What once worked
SELECT (SELECT 'LEAK' || 'YES' WHERE v.secret > 'M') FROM vault v
SELECT ARRAY(SELECT 'LEAK' || 'YES' WHERE v.secret > 'M') FROM vault v
SELECT CASE WHEN EXISTS (SELECT 1 WHERE v.secret > 'M') THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault v
SELECT vault_raise(1)
CREATE SEQUENCE s_a_{m} ;; SELECT setval('s_a_{m}', code) FROM vault ;; SELECT last_value FROM s_a_{m} ;; SELECT currval('s_a_{m}'), nextval('s_a_{m}') ;; SELECT pg_sequence_last_value('s_a_{m}'::regclass) ;; SELECT * FROM pg_sequences
SELECT secret::xml, ('<' || secret)::xml FROM vault
SELECT ('"' || secret)::json FROM vault
SELECT pg_advisory_lock(code), pg_advisory_xact_lock(code) FROM vault ;; SELECT objid, classid, ((classid::bigint << 32) | objid::bigint) FROM pg_locks WHERE locktype = 'advisory'
SELECT txid_status(code) FROM vault
SELECT ('customers" ' || secret || ' "customers')::int FROM vault
SELECT ('vault" ' || secret || ' "vault')::int FROM vault
SELECT ('"vault"" ' || secret || ' ""vault"')::regclass FROM vault

-- In arrays, rows and JSON, which are masked by what they are made of, and in what functions in SQL return
SELECT to_json(x) FROM (SELECT secret AS id, id AS secret FROM vault) x
SELECT row_to_json(x) FROM vault AS x(a, b, c)
SELECT row_to_json(x), to_jsonb(x.*) FROM vault AS x(secret, kind, id)
SELECT json_build_object('a', 1, 'a', secret, 'b', id) FROM vault
SELECT json_build_object('secret', 1, 'x', json_build_object('id', secret)) FROM vault
SELECT json_build_object(kind, secret) FROM vault
SELECT json_build_object(VARIADIC ARRAY['a', secret]) FROM vault
SELECT json_object_agg(kind, secret), jsonb_object_agg(secret, kind) FROM vault
SELECT json_object(ARRAY['a', secret]) FROM vault
SELECT json_agg(x ORDER BY x.id) FROM (SELECT id, reverse(secret) AS r FROM vault) x
SELECT json_agg(v) FROM (TABLE vault UNION ALL TABLE vault) v
SELECT to_json(v)::text, to_jsonb(v)::text, to_jsonb(v) ->> 'secret', to_jsonb(v) #>> '{secret}' FROM vault v
SELECT to_jsonb(v) - 'id', to_jsonb(v) || '{"a": 1}', jsonb_set(to_jsonb(v), '{kind}', to_jsonb(secret)) FROM vault v
SELECT key, value FROM vault v, json_each_text(row_to_json(v))
SELECT x FROM json_array_elements((SELECT json_agg(v) FROM vault v)) x
SELECT jsonb_path_query(to_jsonb(v), '$.secret') FROM vault v
SELECT jsonb_pretty(to_jsonb(v)), json_strip_nulls(to_json(v)) FROM vault v
SELECT to_json(x) FROM (SELECT secret AS "a name that is longer than any name may be, so that the server cuts it off at some place" FROM vault) x
SELECT to_json(x) FROM (SELECT secret AS "a""b\c/é" FROM vault) x
SELECT to_json(x) FROM (SELECT secret, CASE WHEN true THEN secret END, (SELECT secret), ARRAY[secret], secret::varchar(5) FROM vault) x
SELECT to_json(x) FROM (SELECT v.id, v AS kind FROM vault v) x
SELECT to_json(x) FROM (SELECT a.*, b.* FROM vault a JOIN vault b USING (id)) x
SELECT to_json(x) FROM (SELECT a.kind AS secret, b.secret AS kind FROM vault a, vault b) x
SELECT to_json(ARRAY[v]), to_json(array_agg(v)) FROM vault v GROUP BY v.id, v.*
SELECT to_json(ROW(secret)), to_json(ROW(v.*)), to_json((SELECT v)), to_json((SELECT ROW(v.secret, 1))) FROM vault v
SELECT to_json(v) FROM (SELECT v FROM vault v) v
WITH x(id, kind) AS (SELECT secret, id FROM vault) SELECT json_agg(x) FROM x
WITH RECURSIVE x AS (SELECT id, secret FROM vault UNION ALL SELECT id + 10, secret FROM x WHERE id < 3) SELECT json_agg(x), to_json(array_agg(x.secret)) FROM x
SELECT array_agg(secret)::text, ARRAY[secret]::text, ARRAY[code]::varchar FROM vault GROUP BY secret, code
SELECT array_to_string(array_agg(secret), ''), (array_agg(secret))[1], array_agg(secret) || array_agg(kind) FROM vault
SELECT unnest(array_agg(secret)) FROM vault
SELECT array_agg(reverse(secret)) FROM vault
SELECT ARRAY[upper(secret)], ARRAY[lower(secret), kind], ARRAY[code + 0] FROM vault
SELECT ARRAY[secret]::bytea[], ARRAY[code]::text[], ARRAY[born]::timestamp[] FROM vault
SELECT ARRAY(SELECT secret FROM vault), ARRAY(SELECT secret FROM vault)::text, (ARRAY(SELECT secret FROM vault))[1], ARRAY(SELECT code FROM vault)
SELECT lag(secret) OVER (ORDER BY id), first_value(left(secret, 4)) OVER () FROM vault
SELECT nth_value(secret, 2) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), lead(reverse(secret)) OVER () FROM vault
SELECT lag(kind, 1, secret) OVER (ORDER BY id), coalesce(lag(secret) OVER (), upper(secret)) FROM vault
SELECT x.a[1], x.a, x.a::text FROM (SELECT array_agg(secret) AS a FROM vault) x
CREATE TEMP VIEW jv AS SELECT to_json(v) AS j, ARRAY[v.secret] AS a FROM vault v ;; SELECT j FROM jv ;; SELECT j ->> 'secret' FROM jv ;; SELECT j::text, a::text, a FROM jv ;; SELECT to_json(jv) FROM jv
COPY (SELECT to_json(v), ARRAY[secret] FROM vault v) TO STDOUT
COPY (SELECT json_agg(v) FROM vault v) TO STDOUT (FORMAT csv)
CREATE TYPE swapped_{m} AS (id text, secret integer) ;; CREATE FUNCTION s_a_{m}() RETURNS swapped_{m} LANGUAGE sql AS 'SELECT secret, id FROM vault LIMIT 1' ;; SELECT to_json(s_a_{m}()) ;; SELECT s_a_{m}() ;; SELECT * FROM s_a_{m}() ;; SELECT (s_a_{m}()).id ;; SELECT to_json(x) FROM s_a_{m}() x
CREATE FUNCTION s_b_{m}(OUT id text, OUT secret integer) LANGUAGE sql AS 'SELECT secret, id FROM vault LIMIT 1' ;; SELECT id, secret FROM s_b_{m}() ;; SELECT to_json(x) FROM s_b_{m}() x ;; SELECT x.id FROM s_b_{m}() AS x(secret, id)
CREATE FUNCTION s_c_{m}() RETURNS SETOF record LANGUAGE sql AS 'SELECT id, secret FROM vault' ;; SELECT * FROM s_c_{m}() AS x(a integer, b text) ;; SELECT s_c_{m}()
CREATE FUNCTION s_d_{m}(vault) RETURNS text LANGUAGE sql AS 'SELECT $1.secret' ;; SELECT s_d_{m}(v), v.s_d_{m} FROM vault v
CREATE FUNCTION s_e_{m}(secret text) RETURNS text LANGUAGE sql AS 'SELECT secret' ;; SELECT s_e_{m}(secret), s_e_{m}(reverse(secret)) FROM vault
CREATE FUNCTION s_f_{m}(n text DEFAULT vault_peek(1)) RETURNS text LANGUAGE sql AS 'SELECT n' ;; SELECT s_f_{m}() ;; SELECT * FROM s_f_{m}()
CREATE FUNCTION s_g_{m}() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT secret FROM vault LIMIT 1; END ;; SELECT s_g_{m}() ;; SELECT upper(x) FROM s_g_{m}() x
CREATE FUNCTION s_h_{m}() RETURNS text LANGUAGE sql AS 'SELECT reverse(secret) FROM vault LIMIT 1' ;; SELECT s_h_{m}() ;; SELECT * FROM s_h_{m}()
CREATE FUNCTION s_i_{m}() RETURNS text LANGUAGE sql AS 'SELECT ''x''' ;; SELECT s_i_{m}() ;; CREATE OR REPLACE FUNCTION s_i_{m}() RETURNS text LANGUAGE sql AS 'SELECT reverse(secret) FROM vault LIMIT 1' ;; SELECT s_i_{m}() ;; SELECT upper(s_i_{m}())
CREATE FUNCTION s_j_{m}(n integer) RETURNS text LANGUAGE sql AS 'SELECT kind FROM vault WHERE id = n' ;; CREATE FUNCTION s_j_{m}(n bigint) RETURNS text LANGUAGE sql AS 'SELECT reverse(secret) FROM vault WHERE id = n' ;; SELECT s_j_{m}(1), s_j_{m}(1::bigint)

-- What a name means, and how many columns there are
SELECT (SELECT reverse(public.vault.secret) FROM (SELECT 'x'::text AS secret) vault) FROM public.vault
SELECT (SELECT reverse(public.vault.secret) FROM plain vault) FROM public.vault
WITH vault AS (SELECT 1 AS id, 'x'::text AS secret) SELECT (SELECT reverse(public.vault.secret) FROM vault) FROM public.vault
SELECT (ROW(1, 2)).*, coalesce(v.secret, ''), (ROW()).* FROM vault v
COPY (SELECT (ROW(1::int, 2::int)).*, v.secret, (ROW()).* FROM vault v) TO STDOUT
SELECT tableoid FROM (SELECT (ROW(1, 2)).*, reverse(secret) AS tableoid FROM vault) x(a, b)
SELECT (SELECT r FROM (SELECT (ROW('a', 1)::pair).*, reverse(v.secret) AS r FROM vault v LIMIT 1) x(p, q)) FROM (SELECT 'x' AS r) o
!INSERT INTO vault (secret, code, kind, id) SELECT (ROW('zzzz' || v.id, 1)::pair).*, v.secret, v.id + 900 FROM vault v ;; SELECT kind FROM vault
SELECT v.column3 FROM vault c, LATERAL (VALUES (c.*, 'x', 'y')) v
SELECT v.column3 FROM vault c, LATERAL (VALUES ((c).*, 'x', 'y')) v
!WITH vault AS (SELECT 1 AS id, 'x'::text AS kind, 'a'::text AS secret) UPDATE vault SET kind = kind RETURNING reverse(secret)
!WITH vault AS (SELECT 1 AS id, 'x'::text AS kind, 'a'::text AS secret) DELETE FROM vault RETURNING reverse(secret)
!UPDATE plain p SET word = p.word FROM (SELECT id, secret AS word FROM vault) old WHERE p.id = old.id RETURNING reverse(old.word)
!DELETE FROM plain p USING (SELECT id, secret AS word FROM vault) new WHERE p.id = new.id RETURNING reverse(new.word)
SELECT (p).plain_secret, p.plain_secret FROM plain p
SELECT reverse((p).plain_secret) FROM plain p
SELECT word FROM referring ;; SELECT turned FROM referring ;; SELECT reverse(word) FROM referring
SELECT r FROM referring r ;; SELECT array_agg(r) FROM referring r ;; SELECT (r).turned FROM referring r

-- Rows by their fields
SELECT ROW(secret, 1), ROW(ROW(secret), 2), ROW(v, secret) FROM vault v
SELECT v::text, ROW(v.*)::text, ARRAY[v]::text, (v).secret::text, reverse((v).secret) FROM vault v
SELECT x.r, (x.r).secret, (x.r).kind FROM (SELECT v AS r FROM vault v) x
SELECT (x).b FROM (SELECT ROW(v.secret, 1)::pair AS x FROM vault v) y(x), LATERAL (SELECT (x).a AS b) z
SELECT CASE WHEN v.id = 1 THEN ROW(v.id, v.secret) ELSE ROW(v.id, v.kind) END FROM vault v
SELECT ROW(v.id, v.kind) FROM vault v UNION ALL SELECT ROW(v.id, v.secret) FROM vault v
SELECT v FROM vault v UNION ALL SELECT ROW(1, 'x', 'y', 1, 1, '1999-01-01', NULL, NULL, NULL, NULL)::vault
SELECT array_agg(v), array_agg(ROW(v.secret)), lag(v) OVER () FROM vault v GROUP BY v
COPY (SELECT v FROM vault v) TO STDOUT
COPY (SELECT ROW(v.secret, v.id), v.id FROM vault v) TO STDOUT (FORMAT csv)
COPY (SELECT v.secret, v.code, v.born, v.uid, v.doc FROM vault v) TO STDOUT (FORMAT binary)
COPY (SELECT x.a, x.b FROM (SELECT id AS a, secret AS b FROM vault) x) TO STDOUT (FORMAT binary)

-- Carried by functions and parameters
PREPARE ep_{m}(text) AS SELECT reverse($1) ;; EXECUTE ep_{m}(vault_peek(1))
PREPARE ex_{m}(text) AS SELECT $1 ;; EXPLAIN EXECUTE ex_{m}(set_config('x.y', vault_peek(1), false)) ;; SHOW x.y
PREPARE eq_{m}(text) AS SELECT $1 ;; CREATE TEMP TABLE eq_{m} AS EXECUTE eq_{m}(vault_peek(1)) ;; SELECT * FROM eq_{m}
!INSERT INTO plain(id, word) VALUES (901, vault_pl(1)) ;; SELECT word FROM plain WHERE id = 901
!UPDATE plain SET word = vault_pl(id) ;; SELECT word FROM plain
SELECT set_config('x.y', vault_peek(1), false) ;; SHOW x.y
SELECT set_config('x.y', vault_pl(1), false) ;; SHOW x.y
SELECT set_config('application_name', vault_peek(1), false) ;; SHOW application_name
LISTEN leak ;; SELECT pg_notify('leak', vault_peek(1)) ;; SELECT 1
SELECT 1 FROM (SELECT set_config('x.z', vault_peek(1), false)) x ;; SHOW x.z
SET debug_print_plan = on ;; SET client_min_messages = log ;; PREPARE dp_{m}(text) AS SELECT count(*) FROM plain WHERE word = $1 ;; EXECUTE dp_{m}(vault_peek(1))

-- Said of what is computed
SELECT count(('timestamp(' || ascii(substr(secret, n, 1)) || ')')::regtype) FROM vault, generate_series(1, 18) n WHERE id = 1
SELECT 1 FROM vault WHERE make_date(ascii(secret), ascii(substr(secret, 2)), ascii(substr(secret, 3))) IS NULL
SELECT 1 FROM vault WHERE convert_from('\xf0'::bytea || blob, 'UTF8') IS NULL
SELECT 1 FROM vault WHERE ('a.b.c.' || secret)::regclass IS NULL
SELECT 1 FROM vault WHERE substr(secret, 1, 4)::integer = 1 /* QWZX JXQK VKZQ */

-- What looks like a field, joins that have a name, places of values
SELECT (1).vault_peek ;; SELECT (1).vault_pl ;; SELECT reverse((1).vault_peek)
WITH q AS MATERIALIZED (SELECT (code).pg_advisory_lock FROM vault) SELECT 1 FROM q ;; SELECT classid::bigint * 4294967296 + objid::bigint FROM pg_locks WHERE locktype = 'advisory'
SELECT 1 FROM vault, LATERAL (SELECT (code).pg_advisory_lock OFFSET 0) x ;; SELECT classid::bigint * 4294967296 + objid::bigint FROM pg_locks WHERE locktype = 'advisory'
SELECT c.pg_advisory_lock FROM vault, LATERAL int8(vault.code) c ;; SELECT classid::bigint * 4294967296 + objid::bigint FROM pg_locks WHERE locktype = 'advisory'
WITH q AS MATERIALIZED (SELECT ('SELECT (''a.b.c.''||secret)::regclass::text::tsvector FROM vault'::text).ts_stat) SELECT 1 FROM q
SELECT string_agg(l.w, ',') FROM plain x, LATERAL (SELECT x.word w FROM (SELECT secret AS word FROM vault) a JOIN (SELECT secret AS word FROM vault) b USING (word) AS x) l WHERE x.id = 1
SELECT q.r FROM plain x, LATERAL (SELECT x AS r FROM vault a JOIN vault b USING (secret) AS x) q
SELECT reverse(x.secret) FROM vault a JOIN vault b USING (secret) AS x
!UPDATE plain SET doc[secret] = '1' FROM vault WHERE plain.id = vault.id RETURNING plain.doc
!INSERT INTO plain (id, doc[(SELECT secret FROM vault WHERE id = 1)]) VALUES (100, '1') RETURNING doc
!INSERT INTO plain (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET doc[(SELECT reverse(secret) FROM vault WHERE id = 1)] = '1' RETURNING doc
SELECT (x.q).a FROM (SELECT q FROM (SELECT word AS a, word AS b FROM plain) q UNION ALL SELECT r FROM (SELECT secret AS b, kind AS a FROM vault) r) x
SELECT to_json(y) FROM (SELECT (x.q).* FROM (SELECT q FROM (SELECT word AS a, word AS b FROM plain) q UNION ALL SELECT r FROM (SELECT secret AS b, kind AS a FROM vault) r) x) y
SELECT reverse(q.b) FROM (SELECT * FROM (SELECT CASE WHEN true THEN id ELSE id END, secret FROM vault) a JOIN (SELECT id, 1 AS n FROM plain) b USING (id)) q(a, b, c)
COPY (SELECT q.b FROM (SELECT * FROM (SELECT CASE WHEN true THEN id ELSE id END, secret FROM vault) a JOIN (SELECT id, 1 AS n FROM plain) b USING (id)) q(a, b, c)) TO STDOUT
WITH q AS MATERIALIZED (SELECT ('a.b.c.' || vault_pl(1))::regclass) SELECT 1 FROM q
SELECT 1 FROM vault WHERE ('a.b.c' || regexp_replace(secret, '(.)', '.\1', 'g'))::regclass = 1 /* a b c d e f g h i j k l m n o p q r s t u v w x y z */
SELECT 1 FROM vault WHERE ('"' || substr(secret, 1, 4) || '"')::regclass = 1 /* QWZX JXQK VKZQ */

-- What functions of the database keep
SELECT count(set_tenant(secret)) FROM vault WHERE id = 1 ;; SELECT current_setting('app.tenant')
SELECT 1 FROM vault, set_tenant(secret) WHERE id = 1 ;; SHOW app.tenant
SELECT 1 FROM vault WHERE id = 1 AND set_tenant(reverse(secret)) IS NOT NULL ;; SELECT current_setting('app.tenant')
!SELECT count(log_event(reverse(secret))) FROM vault ;; SELECT message FROM events
!SELECT 1 FROM vault, log_atomic(secret) ;; SELECT message FROM events
!SELECT v.log_event FROM (SELECT secret FROM vault) v ;; SELECT message FROM events
!UPDATE plain SET number = number FROM vault WHERE log_event(secret) IS NOT NULL ;; SELECT message FROM events
SELECT 1 FROM vault WHERE lock_for(code) IS NULL ;; SELECT classid::bigint * 4294967296 + objid::bigint FROM pg_locks WHERE locktype = 'advisory'

-- Within EXPLAIN
EXPLAIN ANALYZE DECLARE c CURSOR FOR SELECT pg_advisory_lock(code) FROM vault ;; SELECT classid::bigint * 4294967296 + objid::bigint FROM pg_locks WHERE locktype = 'advisory'
!EXPLAIN ANALYZE CREATE TABLE kept_{m} AS SELECT secret FROM vault ;; SELECT reverse(secret) FROM kept_{m}
!EXPLAIN ANALYZE CREATE MATERIALIZED VIEW kept_{m} AS SELECT reverse(secret) AS s FROM vault ;; SELECT s FROM kept_{m}

-- Other names and relatives of what is protected
!CREATE TEMP TABLE other_{m} (LIKE vault) ;; ALTER TABLE other_{m} RENAME TO vault; INSERT INTO vault SELECT * FROM public.vault ;; ALTER TABLE pg_temp.vault RENAME TO other_{m} ;; SELECT reverse(secret) FROM other_{m}
!CREATE TABLE part_{m} (LIKE vault) PARTITION BY LIST (kind) ;; CREATE TABLE mine_{m} (a text) ;; ALTER TABLE part_{m} ATTACH PARTITION vault DEFAULT; INSERT INTO mine_{m} SELECT secret FROM part_{m} ;; SELECT reverse(a) FROM mine_{m}
*!CREATE TEMP TABLE kin (UNIQUE (secret)) INHERITS (vault) ON COMMIT DROP ;; CREATE TEMP TABLE mine (a text REFERENCES kin (secret)) ;; INSERT INTO kin SELECT * FROM ONLY vault ;; INSERT INTO mine SELECT secret FROM ONLY vault ;; DROP TABLE kin CASCADE ;; SELECT reverse(a) FROM mine

-- Where a value is shown masked, a part of JSON as it is, or NULL in place of what is computed
SELECT nullif(secret, 'x') FROM vault
SELECT nullif(code, 1), nullif(paid, 0), nullif(born, '2000-01-01'), nullif(blob, ''), nullif(tags, '{}'), nullif(doc, 'null') FROM vault
SELECT nullif(uid, gen_random_uuid()), nullif(secret, kind), nullif(secret COLLATE "C", '') FROM vault
SELECT n || '', reverse(n) FROM (SELECT nullif(secret, 'x') AS n FROM vault) q
SELECT to_jsonb(n), n::bytea FROM (SELECT nullif(secret, 'x') AS n FROM vault) q
CREATE VIEW n_a_{m} AS SELECT id, nullif(secret, '') AS n, nullif(code, 0) AS c FROM vault @@ SELECT * FROM n_a_{m} ;; SELECT n || '', c + 0 FROM n_a_{m} ;; COPY (SELECT * FROM n_a_{m}) TO STDOUT
SELECT trim(secret), ltrim(secret), rtrim(secret) FROM vault
SELECT rtrim(secret, 'BCDFG'), ltrim(secret, 'Q'), btrim(secret, 'QN'), trim(both 'Q' from secret) FROM vault
SELECT trim(v::text), trim(code::text), trim(tags::text), trim(doc::text) FROM vault v
SELECT reverse(trim(secret)), trim(reverse(secret)), trim(secret) || '' FROM vault
CREATE FUNCTION btrim(varchar) RETURNS text LANGUAGE sql AS 'SELECT secret FROM vault LIMIT 1' ;; SELECT btrim('x'::varchar) ;; SELECT btrim(word::varchar) FROM plain ;; DROP FUNCTION btrim(varchar)
CREATE FUNCTION pg_typeof(text) RETURNS text LANGUAGE sql AS 'SELECT $1' ;; SET search_path = public, pg_catalog ;; SELECT pg_typeof(secret) FROM vault ;; DROP FUNCTION public.pg_typeof(text)
CREATE FUNCTION num_nulls(text) RETURNS text LANGUAGE sql AS 'SELECT $1' ;; SET search_path = public, pg_catalog ;; SELECT num_nulls(secret) FROM vault ;; DROP FUNCTION public.num_nulls(text)
CREATE FUNCTION last_of(text, text) RETURNS text LANGUAGE sql AS 'SELECT $2' ;; CREATE AGGREGATE count(text) (SFUNC = last_of, STYPE = text) ;; SET search_path = public, pg_catalog ;; SELECT count(secret), count(secret) FILTER (WHERE id = 1), count(secret) OVER () FROM vault ;; DROP AGGREGATE count(text) ;; DROP FUNCTION last_of(text, text)
SELECT CASE WHEN count(secret) FILTER (WHERE secret > 'M') > 1 THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT CASE WHEN num_nulls(nullif(left(secret, 1), 'Q')) = 1 THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT CASE WHEN count(secret) OVER (ORDER BY secret) = 1 THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END FROM vault
SELECT to_jsonb(v) - 'id', to_jsonb(v) - 'secret', to_jsonb(v) - ARRAY['id', 'kind'] FROM vault v
SELECT (to_jsonb(v) - 'id')::text, (to_jsonb(v) - 'id') || '{}' FROM vault v
SELECT to_jsonb(v) ->> 'secret', to_jsonb(v) ->> 'code', to_jsonb(v) ->> 'paid', to_jsonb(v) ->> 'born', to_jsonb(v) ->> 'uid' FROM vault v
SELECT to_jsonb(v) ->> 'blob', to_jsonb(v) ->> 'tags', to_jsonb(v) ->> 'doc', row_to_json(v) ->> 'secret' FROM vault v
SELECT to_jsonb(v) -> 'secret', to_jsonb(v) -> 'code', to_jsonb(v) -> 'tags', to_jsonb(v) -> 'doc' FROM vault v
SELECT to_jsonb(v) -> 'doc' ->> 'pin', to_jsonb(v) -> 'tags' ->> 0, to_jsonb(v) -> 'tags' -> 0 FROM vault v
SELECT (to_jsonb(v) -> 'code')::text, (to_jsonb(v) -> 'code')::bigint, reverse(to_jsonb(v) ->> 'secret') FROM vault v
SELECT json_agg(v) -> 0 ->> 'secret', json_agg(v) -> 0 -> 'secret', json_agg(v) -> 0 FROM vault v
SELECT jsonb_build_object('kind', v) -> 'kind' ->> 'secret', jsonb_build_object('kind', v) ->> 'kind', jsonb_build_object('kind', v) -> 'kind' FROM vault v
SELECT x ->> 'kind', x -> 'kind', x - 'id' FROM (SELECT jsonb_build_object('kind', secret, 'id', id) AS x FROM vault) q
SELECT to_jsonb(q) ->> 'kind' FROM (SELECT secret AS kind, id FROM vault) q
SELECT to_jsonb(q) ->> 'a', to_jsonb(q) -> 'b' FROM (SELECT secret AS b, kind AS a FROM vault) AS q(a, b)
SELECT to_jsonb(q) ->> 'a' FROM (SELECT kind AS a, id FROM vault UNION ALL SELECT secret, id FROM vault) q
SELECT jsonb_build_object('kind', kind, 'kind', secret) ->> 'kind' FROM vault
SELECT coalesce(to_jsonb(p), to_jsonb(v)) ->> 'secret', coalesce(to_jsonb(p) - 'x', to_jsonb(v)) ->> 'word' FROM vault v LEFT JOIN (SELECT v2.secret AS word FROM vault v2) p ON true
SELECT id, c FROM vault_view
SELECT id, c, c + 0 FROM vault_view
SELECT id, c::text FROM vault_view
SELECT id, w.c FROM (SELECT * FROM vault_view) w
SELECT w, to_json(w), to_jsonb(w) - 'id', to_jsonb(w) ->> 'c' FROM vault_view w
SELECT id, max(c) FROM vault_view GROUP BY id
SELECT * FROM referring
SELECT id, turned FROM referring
CREATE VIEW n_b_{m} AS SELECT id, left(secret, 9) AS a, string_to_array(secret, NULL) AS l, to_jsonb(v) || '{}' AS j, code + 0 AS c, blob || '' AS b, encode(blob, 'hex') AS h FROM vault v @@ SELECT * FROM n_b_{m} ;; SELECT id, l, j FROM n_b_{m} ;; COPY (SELECT * FROM n_b_{m}) TO STDOUT ;; COPY (SELECT * FROM n_b_{m}) TO STDOUT (FORMAT binary)
CREATE VIEW n_c_{m} AS SELECT id, left(secret, 9) AS a, secret > 'M' AS more FROM vault @@ BEGIN ;; DECLARE c BINARY CURSOR FOR SELECT * FROM n_c_{m} ;; FETCH ALL FROM c ;; COMMIT ;; SELECT * FROM n_c_{m} ORDER BY a ;; INSERT INTO plain SELECT id + 800, a FROM n_c_{m} ;; SELECT word FROM plain ;; DELETE FROM plain WHERE id > 800
CREATE VIEW n_d_{m} AS SELECT id, regexp_split_to_table(secret, '') AS l FROM vault @@ SELECT * FROM n_d_{m} ;; SELECT id, l FROM n_d_{m}
CREATE VIEW n_e_{m} AS SELECT id, CASE WHEN secret > 'M' THEN 'LEAK' || 'YES' ELSE 'LEAK' || 'NO' END AS told FROM vault @@ SELECT * FROM n_e_{m} ;; SELECT id, told FROM n_e_{m} ;; CREATE VIEW n_f_{m} AS SELECT * FROM n_e_{m} ;; SELECT * FROM n_f_{m}
CREATE VIEW n_g_{m} AS SELECT id, reverse(secret) AS a FROM vault @@ SELECT id, a FROM n_g_{m} UNION ALL SELECT 1, 'x' ;; SELECT id, coalesce(a, 'x') FROM n_g_{m} ;; SELECT id, (SELECT n.a) FROM n_g_{m} n ;; SELECT (n).* FROM n_g_{m} n ;; SELECT id, a FROM n_g_{m} n GROUP BY id, a
SELECT * FROM pg_stats WHERE tablename = 'vault'
SELECT attname, histogram_bounds, most_common_vals FROM pg_stats WHERE tablename = 'vault'
SELECT pid, query FROM pg_stat_activity
