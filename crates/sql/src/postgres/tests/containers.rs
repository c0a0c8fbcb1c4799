//! Values within arrays, rows and JSON.

use model::DataClass;

use super::bank::{assert_rules, bank, letters, resolved};
use super::one;
use crate::postgres::{FieldOrigin, Member, OfClass, OutputRule, resolve};

/// Statements and the rule of each output column, with no origin reported.
const RULES: &[(&str, &str)] = &[
    (
        "SELECT ARRAY[ssn], ARRAY[ssn, name], ARRAY[name], ARRAY[1, 2], ARRAY[[ssn], ['x']] FROM customers",
        "ss..s",
    ),
    (
        "SELECT ARRAY[c.ssn, p.pan] FROM customers c, public.cards p",
        "D",
    ),
    ("SELECT ARRAY(SELECT ssn FROM customers ORDER BY id)", "s"),
    ("SELECT ARRAY(SELECT ssn FROM customers ORDER BY ssn)", "D"),
    (
        "SELECT ARRAY(SELECT id FROM customers WHERE ssn > 'x')",
        "D",
    ),
    (
        "SELECT array_agg(ssn ORDER BY id), array_agg(ssn ORDER BY ssn), array_agg(DISTINCT ssn), array_agg(ssn) FILTER (WHERE id > 1), \
         array_agg(id) FILTER (WHERE ssn > 'x') FROM customers",
        "sDDsD",
    ),
    (
        "SELECT lag(ssn) OVER (ORDER BY id), lead(ssn, 1, name) OVER w, first_value(ssn) OVER (PARTITION BY ssn), \
         nth_value(ssn, length(ssn)) OVER w, max(ssn) OVER w FROM customers WINDOW w AS (ORDER BY name)",
        "ssDDs",
    ),
    (
        "SELECT (ARRAY[ssn])[1], (array_agg(ssn))[1] FROM customers",
        "DD",
    ),
    ("SELECT ARRAY[ssn]::text FROM customers", "s"),
    (
        "SELECT to_json(ssn), to_jsonb(name), json_agg(ssn), json_build_array(ssn, 1) FROM customers",
        "s.ss",
    ),
    (
        "SELECT json_agg(c), jsonb_agg(to_jsonb(c)), json_build_object('a', ssn, 'b', json_agg(c)), coalesce(json_agg(c), '[]') FROM customers c",
        "mmmm",
    ),
    (
        "SELECT json_build_object('a', id, 'b', name), json_build_object(name, ssn), json_build_object(name, id) FROM customers",
        ".D.",
    ),
    (
        "SELECT json_build_object('a', ssn, 'a', pan) FROM customers, public.cards",
        "D",
    ),
    (
        "SELECT row_to_json(x) FROM (SELECT id, ssn AS a, upper(name) FROM customers) x",
        "m",
    ),
    (
        "SELECT row_to_json(x) FROM (SELECT id, upper(ssn) AS a FROM customers) x",
        "D",
    ),
    (
        "SELECT row_to_json(x) FROM (SELECT id, CASE WHEN id = 1 THEN ssn END FROM customers) x",
        "D",
    ),
    (
        "SELECT (SELECT row_to_json(x) FROM (SELECT c.id, c.ssn) x) FROM customers c",
        "m",
    ),
    (
        "SELECT row_to_json((SELECT x FROM (SELECT c.id, c.ssn) x)) FROM customers c",
        "m",
    ),
    (
        "WITH q AS (SELECT id, ssn FROM customers) SELECT to_json(q), json_agg(q) FILTER (WHERE id > 2) FROM q",
        "mm",
    ),
    // A row keeps the names of its table.
    ("SELECT to_json(c) FROM customers c(a, b, d, e, f)", "D"),
    // As text nothing has a name.
    (
        "SELECT c::text, to_json(c::text), to_json(c)::text, to_jsonb(c)->>'ssn', to_json(array_agg(c)::text), ROW(c)::text FROM customers c",
        "DDDsDD",
    ),
    (
        "SELECT to_json(array_agg(c)), ARRAY[c] FROM customers c",
        "mr",
    ),
    // Rows have their fields in order.
    (
        "SELECT c, ROW(c), ROW(id, ssn), ROW(c.*, 1), ROW((c).*), ROW(id, name), ROW(id, upper(ssn)) FROM customers c",
        "rrrrr.D",
    ),
    (
        "SELECT c FROM customers c(a, b, d, e, f) UNION ALL SELECT c FROM customers c",
        "r",
    ),
    (
        "SELECT (c).ssn, (c).id, (c).nosuch, (c).ctid, (c.ssn), ((ROW(ssn))).f1 FROM customers c",
        "s.DDsD",
    ),
    ("SELECT (c).* FROM customers c", "..s.."),
    ("SELECT 1, (c).*, (c).ssn FROM customers c", "...s..s"),
    (
        "SELECT (x).*, (x).ssn, (x).id, x FROM (SELECT c AS x, 1 FROM customers c) y",
        "..s..s.r",
    ),
    (
        "SELECT (t).*, (t).id, (t).name FROM public.tenants t",
        "....",
    ),
    (
        "SELECT r, json_agg(r), (r).s FROM (SELECT v AS r FROM v_plain v) q",
        "rms",
    ),
    (
        "SELECT CASE WHEN id = 1 THEN c END, coalesce(c, c), max(id), array_agg(c ORDER BY id) FROM customers c GROUP BY c",
        "rr.r",
    ),
    ("SELECT unnest(array_agg(c)) FROM customers c", "D"),
    // A star in VALUES is any number of columns.
    (
        "SELECT column3, column2 FROM public.cards c, LATERAL (VALUES (c.*, 'x', 'y')) v",
        "??",
    ),
    (
        "SELECT column3, column2 FROM public.cards c, LATERAL (VALUES ((c).*, 'x', 'y')) v",
        "??",
    ),
    // A function by the name of a field that there is not may give anything.
    (
        "SELECT (t).reader, t.reader, (t).peek FROM public.tenants t",
        "??s",
    ),
    (
        "SELECT to_json(ROW(ssn)), json_agg(c ORDER BY ssn) FROM customers c",
        "DD",
    ),
    (
        "SELECT c FROM customers c UNION ALL SELECT e FROM customers_eu e",
        "D",
    ),
    (
        "SELECT ssn::text, v FROM (SELECT to_json(c) AS v, ssn FROM customers c) x",
        "sm",
    ),
    (
        "INSERT INTO customers VALUES (1) RETURNING to_json(customers), to_json(new)",
        "mm",
    ),
    (
        "SELECT nosuch(c), reader(c), similarity(to_json(c), 'a') FROM customers c",
        "DDD",
    ),
];

#[test]
fn containers_show_what_they_hold() {
    assert_rules(RULES);
}

#[test]
fn members_know_their_names() {
    let (catalog, protected) = bank();
    let sql = "SELECT json_build_object('all', json_agg(q)) FROM (SELECT id, ssn AS name FROM customers) q";
    let none = FieldOrigin {
        table_oid: 0,
        column: 0,
    };
    let rules = resolve(&one(sql), &catalog, &protected).rules(&[none], &catalog, &protected);
    let [OutputRule::Members(members)] = rules.as_slice() else {
        panic!("{rules:?}");
    };
    let members: Vec<_> = members.iter().collect();
    let mut declared = protected.declared().iter();
    let ssn = declared.find(|it| it.name() == "public.customers.ssn");
    let ssn = ssn.unwrap().clone();
    let expected = [
        ("all".to_owned(), Member::Members),
        ("id".to_owned(), Member::Clear),
        ("name".to_owned(), Member::Held(OfClass::one(ssn))),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, member)| (name, member))
        .collect();
    assert_eq!(members, expected);
}

/// What holds protected values is as much of a search, and of a copy, as the values are.
#[test]
fn containers_are_stored_and_compared_as_what_they_hold() {
    for sql in [
        "CREATE TABLE x AS SELECT to_json(c) FROM customers c",
        "CREATE TABLE x AS SELECT c FROM customers c",
        "INSERT INTO payments SELECT 1, 2, array_agg(ssn) FROM customers",
    ] {
        assert!(resolved(sql).copies_protected, "{sql}");
    }
    for sql in [
        "SELECT id FROM customers c ORDER BY c",
        "SELECT id FROM customers c WHERE to_jsonb(c) = '{}'",
        "SELECT count(DISTINCT c) FROM customers c",
        "SELECT id FROM customers c WHERE array_length(ARRAY[ssn], 1) = 1",
        "SELECT max(ssn) OVER () FROM customers",
        "SELECT array_agg(id) FILTER (WHERE ssn > 'x') FROM customers",
        "SELECT array_agg(id ORDER BY ssn) FROM customers",
        "SELECT json_agg(id ORDER BY ssn) FROM customers",
        "SELECT lag(id) OVER (ORDER BY ssn) FROM customers",
    ] {
        assert!(
            resolved(sql).probed.classes().contains(&DataClass::US_SSN),
            "{sql}"
        );
    }
    for sql in [
        "SELECT to_json(c), array_agg(ssn), lag(ssn) OVER (ORDER BY id) FROM customers c",
        "SELECT json_build_object('a', ssn) FROM customers WHERE ssn = 'x'",
    ] {
        assert!(resolved(sql).probed.is_empty(), "{sql}");
    }
}

/// A row of rows, each of which holds the one before it so many times: `times` to the power of `levels` fields in all.
fn nested(levels: usize, times: usize) -> String {
    let mut sql = "WITH a0 AS (SELECT c AS v FROM customers c)".to_owned();
    for level in 1..=levels {
        let before = level - 1;
        let fields: Vec<_> = (0..times).map(|at| format!("a{before} AS f{at}")).collect();
        sql += &format!(
            ", a{level} AS (SELECT {} FROM a{before})",
            fields.join(", ")
        );
    }
    sql + &format!(" SELECT row_to_json(a{levels}) FROM a{levels}")
}

/// Rows within rows share what they hold, but who looks at them sees it as often as it is there.
#[test]
fn rows_of_too_many_rows_are_computed_values() {
    let (catalog, protected) = bank();
    for (levels, times, expected) in [
        (3, 2, "m"),
        (12, 1, "m"),
        (16, 1, "D"),
        (13, 2, "D"),
        (40, 2, "D"),
        (40, 20, "D"),
    ] {
        let none = FieldOrigin {
            table_oid: 0,
            column: 0,
        };
        let resolved = resolve(&one(&nested(levels, times)), &catalog, &protected);
        let rules = resolved.rules(&[none], &catalog, &protected);
        assert_eq!(letters(&rules), expected, "{levels} {times}");
    }
}
