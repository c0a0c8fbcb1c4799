//! Statements and their effects, as a table.

use super::one;

/// Statement, then its tag and effects, separated by `|`.
pub(super) const TABLE: &[(&str, &str)] = &[
    // Reads.
    ("SELECT 1", "SELECT|select"),
    ("select a, b from customers", "SELECT|select customers"),
    (
        "SELECT * FROM public.customers c WHERE c.id = 1",
        "SELECT|select public.customers",
    ),
    (
        "SELECT * FROM bank.public.customers",
        "SELECT|select bank.public.customers",
    ),
    ("TABLE customers", "SELECT|select customers"),
    ("VALUES (1), (2)", "SELECT|select"),
    ("VALUES ((SELECT max(id) FROM t))", "SELECT|select t"),
    (
        "SELECT * FROM a JOIN b USING (id) LEFT JOIN c ON c.x = a.x, d",
        "SELECT|select a|select b|select c|select d",
    ),
    (
        "SELECT (SELECT x FROM a) FROM b WHERE EXISTS (SELECT 1 FROM c) ORDER BY (SELECT 1 FROM d)",
        "SELECT|select a|select b|select c|select d",
    ),
    (
        "SELECT 1 FROM a GROUP BY (SELECT 1 FROM b) HAVING (SELECT true FROM c) LIMIT (SELECT 1 FROM d) OFFSET (SELECT 1 FROM e)",
        "SELECT|select a|select b|select c|select e|select d",
    ),
    (
        "SELECT sum(x) FILTER (WHERE y IN (SELECT y FROM b)) OVER (PARTITION BY (SELECT 1 FROM c)) FROM a",
        "SELECT|select b|select c|select a",
    ),
    (
        "SELECT 1 FROM a UNION ALL SELECT 2 FROM b EXCEPT SELECT 3 FROM c",
        "SELECT|select a|select b|select c",
    ),
    (
        "SELECT * FROM (SELECT * FROM a) s, LATERAL (SELECT * FROM b) t",
        "SELECT|select a|select b",
    ),
    (
        "SELECT * FROM customers TABLESAMPLE SYSTEM (10)",
        "SELECT|select customers",
    ),
    ("SELECT * FROM ONLY customers", "SELECT|select customers"),
    (
        "SELECT * FROM ROWS FROM (unnest(ARRAY(SELECT id FROM a))) x",
        "SELECT|select a",
    ),
    ("SELECT 'customers'::regclass", "SELECT|select"),
    (
        "SELECT array(SELECT ssn FROM customers)",
        "SELECT|select customers",
    ),
    (
        "SELECT 1 WHERE 1 = ANY (SELECT id FROM a)",
        "SELECT|select a",
    ),
    (
        "SELECT CASE WHEN true THEN (SELECT ssn FROM customers) END",
        "SELECT|select customers",
    ),
    (
        "SELECT 1 FROM a WINDOW w AS (ORDER BY (SELECT 1 FROM b))",
        "SELECT|select a|select b",
    ),
    (
        "SELECT DISTINCT ON ((SELECT 1 FROM b)) 1 FROM a",
        "SELECT|select b|select a",
    ),
    ("SELECT * FROM a FOR UPDATE", "SELECT|select a|lock ROWS a"),
    (
        "SELECT * FROM a x, b y FOR SHARE OF x",
        "SELECT|select a|select b|lock ROWS a|lock ROWS b",
    ),
    (
        "SELECT xmlelement(name x, (SELECT ssn FROM customers))",
        "SELECT|select customers",
    ),
    (
        "SELECT * FROM XMLTABLE('/a' PASSING (SELECT x FROM docs) COLUMNS a text DEFAULT (SELECT y FROM b))",
        "SELECT|select docs|select b",
    ),
    (
        "SELECT * FROM JSON_TABLE((SELECT j FROM docs), '$' COLUMNS (a text PATH '$.a'))",
        "SELECT|select docs",
    ),
    (
        "SELECT JSON_OBJECT('a': (SELECT ssn FROM customers))",
        "SELECT|select customers",
    ),
    (
        "SELECT JSON_ARRAY(SELECT ssn FROM customers)",
        "SELECT|select customers",
    ),
    // Spelling.
    ("SeLeCt * fRoM CuStOmErS", "SELECT|select customers"),
    ("SELECT * FROM \"Customers\"", "SELECT|select Customers"),
    (
        "SELECT * FROM U&\"\\0063ustomers\"",
        "SELECT|select customers",
    ),
    (
        "SELECT * FROM U&\"c!0075stomers\" UESCAPE '!'",
        "SELECT|select customers",
    ),
    (
        "SELECT/**/*/**/FROM/*;DROP TABLE x*/customers--",
        "SELECT|select customers",
    ),
    (
        "SELECT /* /* nested */ FROM a */ 1 FROM b",
        "SELECT|select b",
    ),
    ("SELECT $$; DROP TABLE t; $$", "SELECT|select"),
    ("SELECT $a$ $b$ FROM x $a$ FROM y", "SELECT|select y"),
    ("SELECT 'it''s; DELETE FROM t' FROM a", "SELECT|select a"),
    ("SELECT E'\\'; DELETE FROM t; --' FROM a", "SELECT|select a"),
    ("SELECT 'a\\' FROM b --'", "SELECT|select b"),
    // Common table expressions.
    (
        "WITH x AS (SELECT * FROM a) SELECT * FROM x",
        "SELECT|select a",
    ),
    (
        "WITH customers AS (SELECT * FROM customers) SELECT * FROM customers",
        "SELECT|select customers",
    ),
    (
        "WITH customers AS (SELECT 1) SELECT * FROM customers",
        "SELECT|select",
    ),
    (
        "WITH customers AS (SELECT 1) SELECT * FROM public.customers",
        "SELECT|select public.customers",
    ),
    (
        "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT n FROM r JOIN a ON true) SELECT * FROM r",
        "SELECT|select a",
    ),
    (
        "WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a",
        "SELECT|select",
    ),
    (
        "WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a",
        "SELECT|select b",
    ),
    (
        "SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) s, x",
        "SELECT|select x",
    ),
    (
        "WITH x AS (SELECT 1) SELECT (WITH x AS (SELECT * FROM t) SELECT 1 FROM x), (SELECT 1 FROM x)",
        "SELECT|select t",
    ),
    (
        "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x",
        "SELECT|delete a|select",
    ),
    (
        "WITH x AS (UPDATE a SET b = 1 WHERE c = 2 RETURNING *) SELECT * FROM x, y",
        "SELECT|update a(b) where|select y",
    ),
    (
        "WITH x AS (INSERT INTO a SELECT * FROM b RETURNING *) TABLE x",
        "SELECT|insert a|select b",
    ),
    (
        "WITH x AS (WITH y AS (DELETE FROM a RETURNING *) SELECT * FROM y) SELECT * FROM x",
        "SELECT|delete a|select",
    ),
    ("WITH x AS (SELECT 1) DELETE FROM x", "DELETE|delete x"),
    (
        "WITH x AS (SELECT 1) INSERT INTO x SELECT * FROM x",
        "INSERT|insert x",
    ),
    // Changes.
    ("INSERT INTO t VALUES (1)", "INSERT|insert t"),
    (
        "INSERT INTO s.t (a, b) SELECT x, y FROM u",
        "INSERT|insert s.t(a,b)|select u",
    ),
    (
        "INSERT INTO t DEFAULT VALUES RETURNING (SELECT 1 FROM u)",
        "INSERT|insert t|select u",
    ),
    (
        "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = (SELECT 1 FROM u)",
        "INSERT|insert t(a)|update t(b) where|select u",
    ),
    (
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT|insert t",
    ),
    ("UPDATE t SET a = 1", "UPDATE|update t(a)"),
    (
        "UPDATE t SET a = 1, b = 2 WHERE id = 3",
        "UPDATE|update t(a,b) where",
    ),
    (
        "UPDATE t SET (a, b) = (SELECT x, y FROM u) FROM v WHERE t.id = v.id",
        "UPDATE|update t(a,b) where|select u|select v",
    ),
    (
        "UPDATE t SET a = 1 WHERE CURRENT OF c",
        "UPDATE|update t(a) where",
    ),
    (
        "UPDATE pg_settings SET setting = 'x' WHERE name = 'role'",
        "UPDATE|update pg_settings(setting) where|set [an update of pg_settings sets]|set_role [an update of pg_settings sets]",
    ),
    ("DELETE FROM t", "DELETE|delete t"),
    ("DELETE FROM t WHERE true", "DELETE|delete t"),
    ("DELETE FROM t WHERE 1=1", "DELETE|delete t"),
    ("DELETE FROM t WHERE id = id", "DELETE|delete t"),
    ("DELETE FROM t WHERE id = 1 OR true", "DELETE|delete t"),
    ("DELETE FROM t WHERE NOT false", "DELETE|delete t"),
    ("DELETE FROM t WHERE (SELECT true)", "DELETE|delete t"),
    ("DELETE FROM t WHERE $1", "DELETE|delete t"),
    ("DELETE FROM t WHERE 'a' LIKE '%'", "DELETE|delete t"),
    (
        "DELETE FROM t WHERE id = 1 AND true",
        "DELETE|delete t where",
    ),
    (
        "DELETE FROM t USING u WHERE t.id = u.id",
        "DELETE|delete t where|select u",
    ),
    (
        "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (1)",
        "MERGE|delete t where|insert t(a)|select u",
    ),
    (
        "MERGE INTO t USING u ON true WHEN MATCHED THEN UPDATE SET a = 1",
        "MERGE|update t(a)|select u",
    ),
    (
        "MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED BY SOURCE THEN DELETE",
        "MERGE|delete t|select u",
    ),
    (
        "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DO NOTHING",
        "MERGE|select u",
    ),
    (
        "TRUNCATE a, s.b CASCADE",
        "TRUNCATE TABLE|truncate TABLE a|truncate TABLE s.b",
    ),
    (
        "SELECT * INTO x FROM customers",
        "SELECT|create TABLE x|select customers",
    ),
    (
        "SELECT 1 INTO TEMP x UNION SELECT id FROM a",
        "SELECT|create TABLE x|select a",
    ),
    (
        "CREATE TABLE x AS SELECT * FROM customers",
        "CREATE TABLE AS|create TABLE x|select customers",
    ),
    (
        "CREATE TABLE x AS EXECUTE p",
        "CREATE TABLE AS|create TABLE x|execute p|opaque [prepared statement p is not known here]",
    ),
    (
        "CREATE MATERIALIZED VIEW x AS SELECT * FROM customers",
        "CREATE MATERIALIZED VIEW|create MATERIALIZED VIEW x|select customers",
    ),
    // Plans.
    ("EXPLAIN DELETE FROM t", "EXPLAIN|explain"),
    ("EXPLAIN ANALYZE DELETE FROM t", "EXPLAIN|explain|delete t"),
    (
        "EXPLAIN (ANALYZE TRUE) DELETE FROM t",
        "EXPLAIN|explain|delete t",
    ),
    (
        "EXPLAIN (ANALYZE on, FORMAT json) SELECT 1",
        "EXPLAIN|explain|select",
    ),
    (
        "EXPLAIN (ANALYZE 1) DELETE FROM t",
        "EXPLAIN|explain|delete t",
    ),
    ("EXPLAIN (ANALYZE false) DELETE FROM t", "EXPLAIN|explain"),
    (
        "EXPLAIN (ANALYZE false, ANALYZE) DELETE FROM t",
        "EXPLAIN|explain|delete t",
    ),
    (
        "EXPLAIN (\"analyze\") DELETE FROM t",
        "EXPLAIN|explain|delete t",
    ),
    (
        "EXPLAIN ANALYZE EXECUTE p",
        "EXPLAIN|explain|execute p|opaque [prepared statement p is not known here]",
    ),
    (
        "EXPLAIN ANALYZE CREATE TABLE x AS SELECT * FROM a",
        "EXPLAIN|explain|create TABLE x|select a",
    ),
    // Copies.
    ("COPY customers TO STDOUT", "COPY|copy_out customers"),
    (
        "COPY customers (id, ssn) TO STDOUT WITH (FORMAT csv)",
        "COPY|copy_out customers(id,ssn)",
    ),
    ("COPY customers FROM STDIN", "COPY|copy_in customers"),
    (
        "COPY customers FROM STDIN WHERE id > (SELECT 1 FROM a)",
        "COPY|copy_in customers|select a",
    ),
    (
        "COPY customers FROM '/etc/passwd'",
        "COPY|copy_in customers|read_file [/etc/passwd]",
    ),
    (
        "COPY customers TO '/tmp/x'",
        "COPY|copy_out customers|write_file [/tmp/x]",
    ),
    (
        "COPY customers TO PROGRAM 'sh -c id'",
        "COPY|copy_out customers|program [sh -c id]",
    ),
    (
        "COPY customers FROM PROGRAM 'id'",
        "COPY|copy_in customers|program [id]",
    ),
    (
        "COPY (SELECT * FROM customers) TO STDOUT",
        "COPY|copy_out|select customers",
    ),
    (
        "COPY (DELETE FROM customers RETURNING *) TO STDOUT",
        "COPY|copy_out|delete customers",
    ),
    (
        "COPY (WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x) TO STDOUT",
        "COPY|copy_out|delete a|select",
    ),
    // Names for statements and cursors.
    ("PREPARE p AS DELETE FROM t", "PREPARE|prepare p"),
    (
        "EXECUTE p((SELECT 1 FROM a))",
        "EXECUTE|execute p|select a|opaque [prepared statement p is not known here]",
    ),
    ("DEALLOCATE p", "DEALLOCATE|deallocate p"),
    ("DEALLOCATE ALL", "DEALLOCATE ALL|deallocate"),
    (
        "DECLARE c CURSOR FOR SELECT * FROM customers",
        "DECLARE CURSOR|cursor c|select customers",
    ),
    ("FETCH ALL FROM c", "FETCH|cursor c"),
    ("MOVE 5 IN c", "MOVE|cursor c"),
    ("CLOSE c", "CLOSE CURSOR|cursor c"),
    ("CLOSE ALL", "CLOSE CURSOR ALL|cursor"),
    // Code.
    (
        "DO $$ BEGIN DELETE FROM t; END $$",
        "DO|opaque [DO runs code]",
    ),
    (
        "CALL s.p((SELECT 1 FROM a))",
        "CALL|call PROCEDURE s.p|opaque [a procedure runs what its body says]|select a",
    ),
    (
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT|read_file FUNCTION pg_read_file|select",
    ),
    (
        "SELECT PG_CATALOG.\"pg_read_file\"('/etc/passwd')",
        "SELECT|read_file FUNCTION pg_catalog.pg_read_file|select",
    ),
    (
        "SELECT * FROM pg_ls_dir('.')",
        "SELECT|read_file FUNCTION pg_ls_dir|select",
    ),
    (
        "SELECT lo_import('/etc/passwd')",
        "SELECT|large_object FUNCTION lo_import|select",
    ),
    (
        "SELECT lo_export(1, '/tmp/x')",
        "SELECT|write_file FUNCTION lo_export|select",
    ),
    (
        "SELECT pg_sleep(10) FROM a",
        "SELECT|wait FUNCTION pg_sleep|select a",
    ),
    (
        "SELECT set_config('ROLE', 'admin', false)",
        "SELECT|set_role FUNCTION role|select",
    ),
    (
        "SELECT set_config('search_path', '', false)",
        "SELECT|set FUNCTION search_path|select",
    ),
    (
        "SELECT set_config('ro' || 'le', 'admin', false)",
        "SELECT|set [set_config of a setting that is computed]|set_role [set_config of a setting that is computed]|select",
    ),
    (
        "SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'",
        "SELECT|set [set_config of a setting that is computed]|select pg_settings",
    ),
    (
        "SELECT set_config(name, 'postgres', false) FROM pg_settings WHERE name = 'x'",
        "SELECT|set [set_config of a setting that is computed]|set_role [set_config of a setting that is computed]|select pg_settings",
    ),
    (
        "SELECT query_to_xml('delete from t', true, true, '')",
        "SELECT|opaque FUNCTION query_to_xml|select",
    ),
    (
        "SELECT table_to_xml('customers', true, true, '')",
        "SELECT|opaque FUNCTION table_to_xml|select",
    ),
    (
        "SELECT * FROM ts_stat('select ssn from customers')",
        "SELECT|opaque FUNCTION ts_stat|select",
    ),
    (
        "SELECT * FROM dblink('dbname=x', 'select 1') AS t(a int)",
        "SELECT|connect FUNCTION dblink|select",
    ),
    (
        "SELECT pg_terminate_backend(1)",
        "SELECT|administer FUNCTION pg_terminate_backend|select",
    ),
    (
        "SELECT nextval('s')",
        "SELECT|sequence FUNCTION nextval|select",
    ),
    (
        "SELECT pg_notify('c', ssn) FROM customers",
        "SELECT|notify FUNCTION pg_notify|select customers",
    ),
    (
        "SELECT pg_advisory_unlock_all()",
        "SELECT|discard FUNCTION pg_advisory_unlock_all|select",
    ),
    (
        "SELECT pg_advisory_lock(1)",
        "SELECT|lock FUNCTION pg_advisory_lock|select",
    ),
    (
        "INSERT INTO t VALUES (nextval('s'), pg_read_file('x'))",
        "INSERT|insert t|sequence FUNCTION nextval|read_file FUNCTION pg_read_file",
    ),
    // Settings and sessions.
    ("SET search_path = a, b", "SET|set search_path"),
    (
        "SET LOCAL Standard_Conforming_Strings = off",
        "SET|set standard_conforming_strings",
    ),
    ("SET NAMES 'LATIN1'", "SET|set client_encoding"),
    ("SET ROLE admin", "SET|set_role role"),
    ("SET role = admin", "SET|set_role role"),
    ("SET \"role\" TO admin", "SET|set_role role"),
    ("RESET ROLE", "RESET|set role"),
    ("SET ROLE NONE", "SET|set role"),
    (
        "RESET SESSION AUTHORIZATION",
        "RESET|set session_authorization",
    ),
    (
        "SET SESSION AUTHORIZATION admin",
        "SET|set_role session_authorization",
    ),
    (
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET|set transaction",
    ),
    ("RESET ALL", "RESET|set all"),
    (
        "SET CONSTRAINTS ALL DEFERRED",
        "SET CONSTRAINTS|set constraints",
    ),
    ("SHOW server_version", "SHOW|show server_version"),
    ("DISCARD ALL", "DISCARD ALL|discard"),
    ("LISTEN c", "LISTEN|listen c"),
    ("UNLISTEN *", "UNLISTEN|listen"),
    ("NOTIFY c, 'x'", "NOTIFY|notify c"),
    (
        "LOCK TABLE a, b IN EXCLUSIVE MODE",
        "LOCK TABLE|lock TABLE a|lock TABLE b",
    ),
    (
        "LOCK TABLE a, ONLY b IN ACCESS SHARE MODE",
        "LOCK TABLE|select TABLE a|select TABLE b",
    ),
    ("LOCK a IN ROW SHARE MODE", "LOCK TABLE|lock TABLE a"),
    ("LOCK a", "LOCK TABLE|lock TABLE a"),
    ("LOAD 'x'", "LOAD|program [LOAD x]"),
    ("BEGIN", "BEGIN|transaction"),
    (
        "START TRANSACTION READ ONLY",
        "START TRANSACTION|transaction",
    ),
    ("END", "COMMIT|transaction"),
    ("ABORT", "ROLLBACK|transaction"),
    ("SAVEPOINT a", "SAVEPOINT|transaction"),
    ("ROLLBACK TO a", "ROLLBACK|transaction"),
    ("PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION|transaction"),
    // Upkeep.
    ("VACUUM FULL a", "VACUUM|maintenance TABLE a"),
    ("ANALYZE", "ANALYZE|maintenance"),
    ("CLUSTER a", "CLUSTER|maintenance TABLE a"),
    ("REINDEX TABLE a", "REINDEX|maintenance INDEX a"),
    (
        "REFRESH MATERIALIZED VIEW v",
        "REFRESH MATERIALIZED VIEW|maintenance MATERIALIZED VIEW v",
    ),
    ("CHECKPOINT", "CHECKPOINT|maintenance"),
    (
        "ALTER SYSTEM SET archive_command = 'x'",
        "ALTER SYSTEM|administer SYSTEM archive_command",
    ),
    // Definitions.
    ("CREATE TABLE t (a int)", "CREATE TABLE|create TABLE t"),
    (
        "CREATE TABLE t (a int REFERENCES u)",
        "CREATE TABLE|create TABLE t|select FOREIGN KEY u",
    ),
    (
        "CREATE TABLE t (a int, FOREIGN KEY (a) REFERENCES u (b))",
        "CREATE TABLE|create TABLE t|select FOREIGN KEY u(b)",
    ),
    (
        "CREATE UNLOGGED TABLE t (LIKE u)",
        "CREATE TABLE|create TABLE t|select u",
    ),
    (
        "CREATE FOREIGN TABLE t (a int) SERVER s",
        "CREATE FOREIGN TABLE|create FOREIGN TABLE t",
    ),
    (
        "CREATE VIEW v AS SELECT * FROM customers",
        "CREATE VIEW|create VIEW v|select customers",
    ),
    (
        "CREATE VIEW v AS WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
        "CREATE VIEW|create VIEW v|delete t",
    ),
    ("CREATE INDEX ON t (f(a))", "CREATE INDEX|create INDEX t"),
    (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'",
        "CREATE FUNCTION|create FUNCTION f",
    ),
    (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC DELETE FROM t; END",
        "CREATE FUNCTION|create FUNCTION f|delete t",
    ),
    (
        "CREATE PROCEDURE p() LANGUAGE sql AS ''",
        "CREATE PROCEDURE|create PROCEDURE p",
    ),
    (
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE TRIGGER|create TRIGGER t",
    ),
    (
        "CREATE RULE r AS ON SELECT TO t DO INSTEAD SELECT * FROM u",
        "CREATE RULE|create RULE t|select u",
    ),
    (
        "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; DELETE FROM v)",
        "CREATE RULE|create RULE t|delete u|delete v",
    ),
    (
        "CREATE EXTENSION dblink",
        "CREATE EXTENSION|create EXTENSION dblink",
    ),
    (
        "CREATE ROLE x SUPERUSER",
        "CREATE ROLE|administer ROLE x|create ROLE x",
    ),
    ("CREATE DATABASE x", "CREATE DATABASE|create DATABASE x"),
    (
        "CREATE SCHEMA s CREATE TABLE t (a int) GRANT SELECT ON t TO public",
        "CREATE SCHEMA|create SCHEMA s|create TABLE t|grant TABLE t",
    ),
    (
        "CREATE POLICY p ON t USING (true)",
        "CREATE POLICY|create POLICY t",
    ),
    ("CREATE SEQUENCE s", "CREATE SEQUENCE|create SEQUENCE s"),
    ("CREATE TYPE m AS ENUM ('a')", "CREATE TYPE|create TYPE m"),
    (
        "CREATE AGGREGATE g (int) (sfunc = f, stype = int)",
        "CREATE AGGREGATE|create AGGREGATE g",
    ),
    (
        "CREATE CAST (int AS text) WITHOUT FUNCTION",
        "CREATE CAST|create CAST",
    ),
    (
        "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
        "CREATE SUBSCRIPTION|create SUBSCRIPTION s",
    ),
    (
        "CREATE USER MAPPING FOR u SERVER s",
        "CREATE USER MAPPING|create USER MAPPING s",
    ),
    (
        "ALTER TABLE t ADD COLUMN a int",
        "ALTER TABLE|alter TABLE t",
    ),
    (
        "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE|alter TABLE t",
    ),
    ("ALTER VIEW v RENAME TO w", "ALTER VIEW|alter VIEW v"),
    (
        "ALTER ROLE x SET role = 'y'",
        "ALTER ROLE|administer ROLE x|alter ROLE x",
    ),
    (
        "ALTER USER x PASSWORD 'y'",
        "ALTER ROLE|administer ROLE x|alter ROLE x",
    ),
    (
        "ALTER DATABASE x SET a = 1",
        "ALTER DATABASE|administer DATABASE x|alter DATABASE x",
    ),
    (
        "ALTER FUNCTION f() OWNER TO x",
        "ALTER FUNCTION|alter FUNCTION f",
    ),
    ("COMMENT ON TABLE t IS 'x'", "COMMENT|alter TABLE t"),
    (
        "SECURITY LABEL ON TABLE t IS 'x'",
        "SECURITY LABEL|alter TABLE t",
    ),
    (
        "DROP TABLE a, s.b",
        "DROP TABLE|drop TABLE a|drop TABLE s.b",
    ),
    ("DROP FUNCTION f(int)", "DROP FUNCTION|drop FUNCTION f"),
    ("DROP TRIGGER g ON s.t", "DROP TRIGGER|drop TRIGGER s.t.g"),
    ("DROP DATABASE x", "DROP DATABASE|drop DATABASE x"),
    ("DROP ROLE a, b", "DROP ROLE|drop ROLE a|drop ROLE b"),
    ("DROP OWNED BY x", "DROP OWNED|drop OWNED x"),
    ("REASSIGN OWNED BY a TO b", "REASSIGN OWNED|alter OWNED b"),
    (
        "GRANT SELECT ON customers TO x",
        "GRANT|grant TABLE customers",
    ),
    (
        "GRANT ALL ON ALL TABLES IN SCHEMA s TO x",
        "GRANT|grant ALL IN SCHEMA s",
    ),
    ("GRANT admin TO x", "GRANT ROLE|grant ROLE admin"),
    (
        "REVOKE SELECT ON customers FROM x",
        "REVOKE|revoke TABLE customers",
    ),
    (
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO x",
        "ALTER DEFAULT PRIVILEGES|grant DEFAULT PRIVILEGES",
    ),
    (
        "IMPORT FOREIGN SCHEMA a FROM SERVER s INTO b",
        "CREATE FOREIGN TABLE|create FOREIGN TABLE a",
    ),
];

#[test]
fn statements_have_the_expected_effects() {
    let mut wrong = Vec::new();
    for (sql, expected) in TABLE {
        let statement = one(sql);
        let effects = statement.effects.iter().map(ToString::to_string);
        let found: Vec<String> = std::iter::once(statement.tag.to_owned())
            .chain(effects)
            .collect();
        if found.join("|") != *expected {
            wrong.push(format!(
                "{sql}\n  expected {expected}\n  found    {}",
                found.join("|")
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} wrong:\n{}",
        wrong.len(),
        TABLE.len(),
        wrong.join("\n")
    );
}

#[test]
fn limits_are_seen() {
    assert!(one("SELECT * FROM a LIMIT 5").effects[0].has_limit);
    assert!(one("SELECT * FROM a FETCH FIRST 5 ROWS ONLY").effects[0].has_limit);
    assert!(!one("SELECT * FROM (SELECT * FROM a LIMIT 5) s").effects[0].has_limit);
    assert!(!one("SELECT * FROM a LIMIT ALL").effects[0].has_limit);
}

#[test]
fn settings_tell_their_value() {
    let set = one("SET standard_conforming_strings TO 'off'");
    assert_eq!(
        (set.sets.as_deref(), set.sets_to.as_deref()),
        (Some("standard_conforming_strings"), Some("off"))
    );
}
