//! What is an effect of its own where columns are declared.

use super::bank::{bank, resolved};
use super::one;
use crate::Action;
use crate::postgres::{Protected, resolve};

const REDEFINES: &[&str] = &[
    "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'",
    "ALTER FUNCTION reader() SET search_path = other",
    "ALTER FUNCTION reader() RENAME TO lower",
    "CREATE AGGREGATE a (text) (SFUNC = reader, STYPE = text)",
    "CREATE TRIGGER t BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION f()",
    "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION f()",
    "CREATE RULE r AS ON INSERT TO payments DO ALSO SELECT 1",
    "CREATE POLICY p ON payments USING (true)",
    "ALTER POLICY p ON payments USING (false)",
    "CREATE OPERATOR #-# (RIGHTARG = integer, FUNCTION = reader)",
    "CREATE CAST (pair AS text) WITH FUNCTION reader(pair) AS IMPLICIT",
    "CREATE EXTENSION dblink",
    "CREATE SERVER s FOREIGN DATA WRAPPER w",
    "CREATE FOREIGN TABLE f (a text) SERVER s",
    "IMPORT FOREIGN SCHEMA s FROM SERVER x INTO public",
    "CREATE PUBLICATION p FOR ALL TABLES",
    "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
    "CREATE DATABASE other TEMPLATE bank",
    "ALTER TABLE customers RENAME COLUMN ssn TO x",
    "ALTER TABLE customers RENAME TO x",
    "ALTER TABLE customers SET SCHEMA other",
    "ALTER TABLE customers ADD COLUMN x text GENERATED ALWAYS AS (ssn) STORED",
    "ALTER TABLE customers ALTER COLUMN name TYPE text USING ssn",
    "ALTER TABLE customers_eu ADD COLUMN x integer",
    "ALTER VIEW v_over RENAME COLUMN s TO x",
    "ALTER SCHEMA public RENAME TO x",
    "ALTER TABLE payments ADD COLUMN x text DEFAULT reader()",
    "CREATE TABLE x (n text CHECK (reader() = n))",
    "CREATE TEMP TABLE x (n text DEFAULT nosuch())",
    "CREATE SCHEMA s CREATE TABLE x (n text DEFAULT reader())",
    "CREATE DOMAIN d AS text CHECK (reader() = VALUE)",
    "CREATE DOMAIN pg_temp.uuid AS text CHECK (VALUE LIKE 'Q%')",
    "SET work_mem = '64kB'",
    "CREATE INDEX ON payments (reader())",
    "CREATE VIEW v AS SELECT 1",
    "CREATE OR REPLACE VIEW v_plain AS SELECT id, ssn FROM customers",
    "CREATE SCHEMA s CREATE VIEW v AS SELECT 1",
    "DROP TABLE customers",
    "DROP TABLE IF EXISTS payments, public.customers_eu CASCADE",
    "CREATE TEMP TABLE customers (LIKE customers)",
    "CREATE TABLE pg_temp.v_plain (s text)",
    "CREATE TABLE s.cards AS SELECT 1",
    "SELECT 1 AS ssn INTO other.customers",
    "ALTER TABLE payments RENAME TO customers",
    "ALTER TABLE other.customers SET SCHEMA public",
    "CREATE TEMP VIEW customers AS SELECT 1 AS ssn",
    "CREATE TABLE kid (CHECK (ssn !~ '^1')) INHERITS (customers)",
    "CREATE TABLE kid PARTITION OF customers DEFAULT",
    "ALTER TABLE payments ATTACH PARTITION customers DEFAULT",
    "ALTER TABLE payments INHERIT customers",
    "SET enable_seqscan = off",
    "SET pg_hint_plan.enable_hint = on",
    "/*+ IndexScan(payments) */ SELECT id FROM payments",
    "SELECT id FROM customers /*+ IndexScan(customers i) */",
    "SELECT id, '/*+ IndexScan(customers i) */' FROM customers",
    "PREPARE p AS /*+ SeqScan(c) */ SELECT id FROM customers c",
    "WITH x AS (SELECT 1) /* x /*+ y */ */ DELETE FROM customers",
    "SET LOCAL Random_Page_Cost TO 0",
    "SELECT set_config('enable_sort', 'off', true)",
    "GRANT SELECT ON customers TO PUBLIC",
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC",
    "CREATE STATISTICS s ON (ascii(ssn)) FROM customers",
    "CREATE TABLE x (s text REFERENCES customers (ssn))",
    "CREATE TABLE x (s text REFERENCES customers)",
    "CREATE SCHEMA s CREATE TABLE x () INHERITS (public.customers)",
    "DROP INDEX i CASCADE",
    "DROP SCHEMA other CASCADE",
    "DROP OWNED BY app",
    "ALTER DOMAIN d ADD CHECK (VALUE > 'K')",
    "CREATE DOMAIN pg_temp.text AS varchar(1)",
    "CREATE TABLE text (a integer)",
];

const DOES_NOT: &[&str] = &[
    "CREATE TABLE x (n text DEFAULT upper('x'), CHECK (length(n) > 3))",
    "CREATE TABLE x AS SELECT reader()",
    "CREATE TEMP VIEW v AS SELECT reader(), ssn FROM customers",
    "CREATE OR REPLACE TEMP VIEW v AS SELECT 1",
    "CREATE INDEX ON customers (name)",
    "CREATE TYPE pair AS (a text, b text)",
    "CREATE TYPE mood AS ENUM ('x')",
    "CREATE SCHEMA s",
    "CREATE SEQUENCE s",
    "CREATE ROLE r",
    "ALTER TABLE payments ADD COLUMN x text",
    "ALTER TABLE payments RENAME TO p",
    "COMMENT ON TABLE customers IS 'x'",
    "DROP VIEW v_plain",
    "DROP TABLE payments",
    "CREATE TABLE x (LIKE customers)",
    "CREATE TEMP TABLE payments (a text)",
    "DROP FUNCTION reader()",
    "DROP INDEX i",
    "DROP SCHEMA other",
    "CREATE TABLE x (c integer REFERENCES customers (id))",
    "CREATE TABLE x () INHERITS (payments)",
    "CREATE STATISTICS s ON a, b FROM payments",
    "SELECT reader(), ssn FROM customers",
    "/* + */ SELECT id /*a*/ FROM customers -- *+",
    "/*+ x */ SELECT 1",
    "/*+ x */ SET search_path = public",
    "INSERT INTO customers (id) VALUES (1)",
];

#[test]
fn what_redefines_is_told_from_what_does_not() {
    let redefines = |sql: &&&str| {
        let effects = resolved(sql).effects;
        effects
            .iter()
            .any(|effect| effect.effect.action == Action::Redefine)
    };
    let missed: Vec<_> = REDEFINES.iter().filter(|sql| !redefines(sql)).collect();
    assert!(missed.is_empty(), "{missed:#?}");
    let wrong: Vec<_> = DOES_NOT.iter().filter(redefines).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn it_stands_beside_the_effect_on_the_same_object() {
    let effects = |sql: &str| -> Vec<String> {
        let effects = resolved(sql).effects;
        let shown = effects.iter().map(|effect| effect.effect.to_string());
        shown.collect()
    };
    assert_eq!(
        effects("ALTER TABLE customers RENAME TO x"),
        [
            "alter TABLE customers",
            "redefine TABLE customers [it changes what holds protected columns]"
        ]
    );
}

#[test]
fn without_declared_columns_there_is_none() {
    let (catalog, _) = bank();
    let protected = Protected::compile(&[], &[], &catalog);
    for sql in REDEFINES {
        let resolved = resolve(&one(sql), &catalog, &protected);
        let redefines = |effect: &_| {
            let crate::postgres::ResolvedEffect { effect, .. } = effect;
            effect.action == Action::Redefine
        };
        assert!(!resolved.effects.iter().any(redefines), "{sql}");
    }
}
