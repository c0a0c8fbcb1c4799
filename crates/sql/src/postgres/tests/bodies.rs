//! Functions in SQL, by their bodies.

use model::DataClass;

use super::bank::{assert_rules, resolved};

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
        assert_eq!(probed.contains(&DataClass::US_SSN), expected, "{sql}");
    }
}
