//! Functions in SQL, by their bodies.

use model::DataClass;

use super::bank::{assert_rules, bank, letters, protected, resolved};
use super::one;
use crate::Name;
use crate::postgres::{FieldOrigin, Protected, resolve};

/// Statements and the rule of each output column, with no origin reported.
const RULES: &[(&str, &str)] = &[
    (
        "SELECT peek(1), public.peek(id), peek(length(ssn)) FROM customers",
        "ssD",
    ),
    ("SELECT ids_of('x'), ids_of(ssn) FROM customers", "DD"),
    (
        "SELECT loud('x'), loud(name), loud(ssn) FROM customers",
        "..D",
    ),
    ("SELECT twice(), around(1), elsewhere()", "???"),
    (
        "SELECT atomic(1), atomics(), first(), reverse(first()) FROM customers",
        "s?sD",
    ),
    (
        "SELECT upped('x'), upped(name), upped(ssn) FROM customers",
        "..D",
    ),
    ("SELECT * FROM atomic(1)", "s"),
    (
        "SELECT own('x'), own(ssn), through(1) FROM customers",
        ".Ds",
    ),
    // A name of the calling statement means nothing within.
    ("SELECT outside(), several() FROM customers", "?s"),
    (
        "SELECT coalesce(peek(1), 'x'), array_agg(peek(id)), upper(peek(1)) FROM customers GROUP BY id",
        "ssD",
    ),
    ("SELECT pairs(), person(), to_json(person())", "DDD"),
    ("SELECT * FROM pairs()", ".s"),
    ("SELECT b, a FROM pairs() AS x", "s."),
    ("SELECT q, x.p FROM pairs() AS x(p, q)", "s."),
    ("SELECT * FROM people()", "..s.."),
    ("SELECT p.ssn, p.name, p FROM people() p", "s.r"),
    ("SELECT * FROM peek(1)", "s"),
    ("SELECT x, x.x, peek.peek FROM peek(1) AS x, peek(2)", "sss"),
    ("SELECT y FROM peek(1) AS x(y)", "s"),
    ("SELECT c.name, x FROM customers c, peek(c.id) x", ".s"),
    ("SELECT x FROM customers c, peek(length(c.ssn)) x", "D"),
    ("SELECT * FROM pairs() WITH ORDINALITY", "DDD"),
    ("SELECT * FROM ROWS FROM (pairs(), people())", "DDDDDDD"),
    ("SELECT * FROM person()", "DDDDD"),
    ("SELECT * FROM twice(), elsewhere() e", "??"),
    (
        "WITH customers AS (SELECT 1 AS id, 'x' AS ssn) SELECT peek(1), ssn FROM customers",
        "s.",
    ),
];

#[test]
fn results_show_what_bodies_do() {
    assert_rules(RULES);
}

#[test]
fn what_a_body_stores_and_compares_counts() {
    for (sql, expected) in [
        ("CREATE TABLE x AS SELECT peek(1)", true),
        ("CREATE TABLE x AS SELECT loud('x')", false),
        ("SELECT keeps()", true),
        ("INSERT INTO customers (ssn) SELECT peek(1)", false),
        ("SELECT tenant(ssn) FROM customers", true),
        ("SELECT tenant(name) FROM customers", false),
        ("SELECT x FROM customers, tenant(ssn) x", true),
    ] {
        assert_eq!(resolved(sql).copies_protected, expected, "{sql}");
    }
    for (sql, expected) in [
        ("SELECT peek(1)", false),
        ("SELECT * FROM people()", false),
        ("SELECT ids_of('x')", true),
        ("SELECT * FROM ids_of('x')", true),
        ("SELECT id FROM people() WHERE ssn > 'x'", true),
        ("SELECT id FROM payments WHERE peek(id) = 'x'", true),
        ("SELECT peek(1) ORDER BY 1", true),
    ] {
        let probed = resolved(sql).probed;
        assert_eq!(
            probed.classes().contains(&DataClass::US_SSN),
            expected,
            "{sql}"
        );
    }
}

#[test]
fn what_nobody_can_follow_may_keep_what_it_is_given() {
    for (sql, expected) in [
        ("SELECT count(writer(ssn)) FROM customers", true),
        ("SELECT 1 FROM customers, writer(ssn)", true),
        ("SELECT 1 FROM customers WHERE writer(lower(ssn)) = 1", true),
        ("SELECT count(nosuch(ssn)) FROM customers", true),
        ("SELECT count(writer(name)) FROM customers", false),
        ("SELECT count(upper(ssn)) FROM customers", false),
    ] {
        assert_eq!(resolved(sql).copies_protected, expected, "{sql}");
    }
}

#[test]
fn trusted_functions_give_what_they_are_given() {
    let (catalog, nothing_trusted) = bank();
    let trusting = protected(&catalog, &[Name::qualified("public", "writer")]);
    let other = protected(&catalog, &[Name::qualified("other", "writer")]);
    let told = |protected: &Protected, sql: &str| {
        let resolved = resolve(&one(sql), &catalog, protected);
        let untraced = FieldOrigin {
            table_oid: 0,
            column: 0,
        };
        let columns = vec![untraced; if sql.contains(',') { 2 } else { 1 }];
        let rules = letters(&resolved.rules(&columns, &catalog, protected));
        (rules, resolved.copies_protected, resolved.effects.len())
    };
    for (sql, trusted, without) in [
        ("SELECT writer(id), writer(ssn) FROM customers", ".D", "?D"),
        ("EXPLAIN SELECT writer(id) FROM customers", ".", "?"),
    ] {
        assert_eq!(told(&trusting, sql).0, trusted, "{sql}");
        assert_eq!(told(&nothing_trusted, sql).0, without, "{sql}");
        assert_eq!(told(&other, sql).0, without, "{sql}");
    }
    let stores = "CREATE TABLE x AS SELECT writer(name) AS a FROM customers";
    assert!(!told(&trusting, stores).1 && told(&nothing_trusted, stores).1);
    // It is called all the same; what it is given later shows nowhere else.
    let later = "CREATE TABLE x (n text DEFAULT writer(1))";
    assert_eq!(
        told(&trusting, later).2 + 1,
        told(&nothing_trusted, later).2
    );
}

#[test]
fn what_stands_within_explain_counts() {
    for (sql, expected) in [
        (
            "EXPLAIN ANALYZE CREATE TABLE x AS SELECT ssn FROM customers",
            true,
        ),
        (
            "EXPLAIN ANALYZE CREATE TABLE x AS SELECT name FROM customers",
            false,
        ),
        (
            "EXPLAIN ANALYZE DECLARE c CURSOR FOR SELECT set_config('a.b', ssn, false) FROM customers",
            true,
        ),
        (
            "EXPLAIN ANALYZE CREATE TABLE x AS SELECT set_config('a.b', ssn, false) FROM customers",
            true,
        ),
        (
            "EXPLAIN ANALYZE DECLARE c CURSOR FOR SELECT ssn FROM customers",
            false,
        ),
    ] {
        assert_eq!(resolved(sql).copies_protected, expected, "{sql}");
    }
    for sql in [
        "EXPLAIN DECLARE c CURSOR FOR SELECT id FROM customers WHERE ssn LIKE '1%'",
        "EXPLAIN CREATE TABLE x AS SELECT id FROM customers WHERE ssn < 'K'",
        "EXPLAIN ANALYZE CREATE MATERIALIZED VIEW x AS SELECT id FROM customers ORDER BY ssn",
    ] {
        assert!(
            resolved(sql).probed.classes().contains(&DataClass::US_SSN),
            "{sql}"
        );
    }
}
