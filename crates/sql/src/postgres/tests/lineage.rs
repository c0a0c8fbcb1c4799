//! What may be shown of a result, against a small bank.

use super::bank::{CUSTOMERS, assert_rules, bank, letters, resolved};
use super::one;
use crate::Name;
use crate::postgres::{FieldOrigin, Protected, resolve};

/// Statements and the rule of each output column, with no origin reported.
const RULES: &[(&str, &str)] = &[
    ("SELECT 1, now(), $1", "..."),
    ("SELECT id, name, ssn FROM customers", "..s"),
    ("SELECT * FROM customers", "..s.."),
    ("SELECT c.* FROM customers AS c", "..s.."),
    ("SELECT *, 1 FROM customers, cards", "..s..??."),
    ("SELECT *, 1 FROM customers, public.cards", "..s....p."),
    ("SELECT public.customers.ssn FROM public.customers", "s"),
    ("SELECT ssn AS x FROM customers", "s"),
    ("SELECT x FROM (SELECT ssn AS x FROM customers) q", "s"),
    ("SELECT b FROM customers AS c(a, x, b)", "s"),
    ("SELECT id FROM customers AS c(a, x, id)", "s"),
    (
        "WITH q AS (SELECT * FROM customers) SELECT ssn, name FROM q",
        "s.",
    ),
    (
        "WITH q(a, b) AS (SELECT ssn, id FROM customers) SELECT * FROM q",
        "s.",
    ),
    (
        "WITH customers AS (SELECT 1 AS ssn) SELECT ssn FROM customers",
        ".",
    ),
    (
        "WITH RECURSIVE r AS (SELECT 1 AS n, name AS x FROM customers UNION ALL SELECT n + 1, ssn FROM r, customers) SELECT * FROM r",
        ".s",
    ),
    (
        "WITH RECURSIVE r(a, b) AS (SELECT ssn, id FROM customers UNION ALL SELECT b, a FROM r) SELECT * FROM r",
        "ss",
    ),
    (
        "SELECT ssn FROM customers UNION SELECT name FROM customers",
        "s",
    ),
    (
        "SELECT name FROM customers UNION SELECT ssn FROM customers",
        "s",
    ),
    (
        "SELECT ssn FROM customers UNION SELECT pan FROM public.cards",
        "D",
    ),
    ("VALUES ((SELECT ssn FROM customers), 1), ('x', 2)", "s."),
    (
        "SELECT upper(ssn), length(ssn), ssn || '', ssn = '1', ssn IS NULL FROM customers",
        "DDDD.",
    ),
    (
        "SELECT ssn IS NOT NULL, upper(ssn) IS NULL, (c).ssn IS NULL, c IS NULL FROM customers c",
        ".DDD",
    ),
    (
        "SELECT CASE WHEN ssn IS NULL THEN 'none' ELSE 'some' END, nullif(ssn, '1') IS NULL FROM customers",
        ".D",
    ),
    (
        "SELECT ssn::text, ssn::varchar, ssn::varchar(4), ssn::bytea, ssn COLLATE \"C\" FROM customers",
        "ssDDs",
    ),
    (
        "SELECT count(*), count(ssn), count(DISTINCT ssn) FROM customers",
        "...",
    ),
    (
        "SELECT count(*) FILTER (WHERE ssn LIKE '1%'), count(nullif(ssn, '1')), sum(length(ssn)) FROM customers",
        "DDD",
    ),
    (
        "SELECT count(ssn) FILTER (WHERE id > 1), count(ssn) OVER (ORDER BY id), count(ssn) OVER (ORDER BY ssn), count(id) FILTER (WHERE ssn > '1') FROM customers",
        "..DD",
    ),
    (
        "SELECT pg_typeof(ssn), pg_typeof(upper(ssn)), pg_typeof(generate_series(1, length(ssn))), num_nulls(ssn, name), num_nonnulls(ssn || 'x'), num_nulls(VARIADIC ARRAY[ssn]) FROM customers",
        ".DD.DD",
    ),
    (
        "SELECT nullif(ssn, ''), nullif(ssn, $1), nullif(ssn, name), nullif(name, ssn), nullif(upper(ssn), ''), nullif(ssn, reader()), nullif(name, '') FROM customers",
        "ssDDDD.",
    ),
    (
        "SELECT trim(ssn), ltrim(ssn), rtrim(ssn, '0123456789'), trim('x' FROM ssn), trim(upper(ssn)), trim(c::text), trim(name) FROM customers c",
        "ssDDDD.",
    ),
    (
        "SELECT to_jsonb(c) - 'ssn', to_jsonb(c) -> 'name', to_jsonb(c) ->> 'name', to_jsonb(c) ->> 'ssn', to_jsonb(c) -> 'ssn' FROM customers c",
        "m..ss",
    ),
    (
        "SELECT to_jsonb(c) - ARRAY['ssn', $1], json_agg(c) -> 0, to_jsonb(c) -> 'gone', to_jsonb(c) ->> $1, to_jsonb(c) - c.name, to_jsonb(c) || '{}' FROM customers c GROUP BY c",
        "mmDDDD",
    ),
    (
        "SELECT json_build_object('name', c) -> 'name', json_build_object('name', c) ->> 'name', json_build_object('name', ssn) ->> 'name' FROM customers c",
        "mDs",
    ),
    (
        "SELECT id - 1, length(ssn) - 1, 5 - length(ssn) FROM customers",
        ".DD",
    ),
    (
        "SELECT min(ssn), max(name), array_agg(ssn), string_agg(ssn, ',') FROM customers",
        "s.sD",
    ),
    (
        "SELECT CASE WHEN id = 1 THEN ssn ELSE 'x' END, CASE WHEN ssn = '1' THEN 1 END, coalesce(ssn, '') FROM customers",
        "sDs",
    ),
    (
        "SELECT row_number() OVER w, row_number() OVER (w ROWS 1 PRECEDING) FROM customers WINDOW w AS (ORDER BY ssn)",
        "DD",
    ),
    (
        "SELECT (SELECT id FROM customers ORDER BY ssn LIMIT 1), ARRAY(SELECT id FROM customers JOIN payments p ON ssn > 'x' AND p.id = 1), EXISTS (SELECT 1 FROM (SELECT 1 FROM customers WHERE ssn > 'x') q), (SELECT count(*) FROM (SELECT DISTINCT ssn FROM customers) q)",
        "DDDD",
    ),
    (
        "SELECT EXISTS (SELECT 1 FROM nosuch WHERE x = 1), EXISTS (SELECT 1 FROM customers WHERE name = 'x')",
        "?.",
    ),
    (
        "SELECT row_number() OVER (ORDER BY ssn), row_number() OVER (ORDER BY id) FROM customers",
        "D.",
    ),
    (
        "SELECT c, row_to_json(c), to_json(customers.*), c::text, ROW(c.*), (c).ssn, ssn(c) FROM customers c, customers",
        "rmmDrsD",
    ),
    (
        "SELECT (SELECT ssn), (SELECT name), ARRAY(SELECT ssn), EXISTS (SELECT ssn) FROM customers",
        "s.s.",
    ),
    (
        "SELECT (SELECT c.ssn FROM payments LIMIT 1) FROM customers c",
        "s",
    ),
    (
        "SELECT q.x FROM customers c, LATERAL (SELECT c.ssn AS x) q",
        "s",
    ),
    ("SELECT g FROM customers c, unnest(ARRAY[c.ssn]) g", "D"),
    ("SELECT * FROM generate_series(1, 3)", "."),
    (
        "SELECT * FROM customers JOIN customers_eu USING (ssn)",
        "s.......",
    ),
    (
        "SELECT ssn FROM payments FULL JOIN customers USING (id)",
        "s",
    ),
    ("SELECT * FROM customers NATURAL JOIN payments", "..s...."),
    (
        "SELECT j.b FROM (customers JOIN payments ON true) AS j(a, x, b)",
        "s",
    ),
    ("SELECT ssn FROM customers_eu", "s"),
    ("SELECT * FROM v_plain", ".s"),
    ("SELECT * FROM v_over", ".s"),
    ("SELECT * FROM v_derived", ".D"),
    ("SELECT * FROM pg_stats", "..DD"),
    ("SELECT * FROM v_stats", "D"),
    (
        "SELECT * FROM pg_stat_activity, monitoring.pg_stat_statements",
        ".D.D.",
    ),
    ("SELECT * FROM v_writes, v_broken", "??"),
    ("SELECT chunk_data FROM pg_toast.pg_toast_101", "D"),
    (
        "SELECT reader(), writer(1), similarity('a', 'b'), nosuch(1)",
        "??.?",
    ),
    (
        "SELECT similarity(ssn, 'a'), reader(ssn) FROM customers",
        "DD",
    ),
    (
        "SELECT query_to_xml('select * from customers', true, true, '')",
        "?",
    ),
    ("SELECT * FROM tenants", ".."),
    ("SELECT x, count(*) FROM nosuch GROUP BY x", "?."),
    ("SELECT ctid, tableoid FROM customers", ".D"),
    ("SELECT ctid, tableoid FROM payments", ".."),
    (
        "SELECT amount FROM payments ORDER BY (SELECT ssn FROM customers LIMIT 1)",
        ".",
    ),
    ("INSERT INTO customers VALUES (1) RETURNING *", "..s.."),
    (
        "UPDATE customers SET name = 'x' RETURNING ssn, old.ssn, new.name",
        "ss.",
    ),
    (
        "DELETE FROM payments USING customers c RETURNING c.ssn, amount",
        "s.",
    ),
    (
        "WITH d AS (DELETE FROM customers RETURNING ssn, id) SELECT * FROM d",
        "s.",
    ),
    (
        "MERGE INTO payments USING customers c ON true WHEN MATCHED THEN DELETE RETURNING c.ssn, amount",
        "s.",
    ),
    ("COPY customers TO STDOUT", "..s."),
    ("COPY customers (ssn, id) TO STDOUT", "s."),
    (
        "COPY (SELECT ssn || 'x', id FROM customers) TO STDOUT",
        "D.",
    ),
    ("EXPLAIN SELECT ssn FROM customers", "."),
    ("EXECUTE p", "?"),
    ("EXPLAIN SELECT * FROM customers WHERE ssn = upper($1)", "."),
    // What is immutable, the planner runs.
    ("EXPLAIN VERBOSE SELECT no_such_function()", "?"),
    (
        "EXPLAIN SELECT id FROM customers WHERE name = no_such_function()",
        "?",
    ),
    ("EXPLAIN EXECUTE p", "?"),
];

#[test]
fn columns_follow_the_rules() {
    assert_rules(RULES);
}

#[test]
fn the_reported_origin_is_a_second_net() {
    let (catalog, protected) = bank();
    let rules = |sql: &str, fields: &[(u32, i16)]| {
        let fields: Vec<FieldOrigin> = fields
            .iter()
            .map(|&(table_oid, column)| FieldOrigin { table_oid, column })
            .collect();
        letters(&resolve(&one(sql), &catalog, &protected).rules(&fields, &catalog, &protected))
    };
    // A relation that the catalog does not have, shown by the server to be one it has.
    assert_eq!(
        rules(
            "SELECT * FROM synonym",
            &[(CUSTOMERS, 1), (CUSTOMERS, 3), (0, 0)]
        ),
        ".s?"
    );
    // What a view computes is shown as NULL, and what a statement computes is withheld.
    let v_derived = catalog
        .candidates(&Name::bare("v_derived"))
        .next()
        .unwrap()
        .oid;
    let origins = [(v_derived, 1), (v_derived, 2), (0, 0)];
    let sql = "SELECT id, tail, upper(tail) FROM v_derived";
    assert_eq!(rules(sql, &origins), ".nD");
    // The table has got a column since: plain columns are decided by origin, the rest is withheld.
    assert_eq!(
        rules(
            "SELECT *, upper(name) FROM customers",
            &[(CUSTOMERS, 1), (CUSTOMERS, 3), (0, 0)]
        ),
        ".s?"
    );
    assert_eq!(rules("SELECT id FROM customers", &[(CUSTOMERS, 3)]), "s");
    assert_eq!(rules("SELECT id FROM customers", &[(9_999, 1)]), "?");
    assert_eq!(rules("SHOW all", &[(0, 0)]), ".");
}

#[test]
fn storing_protected_values_is_seen() {
    let copies = [
        ("CREATE TABLE x AS SELECT ssn FROM customers", true),
        ("CREATE TABLE x AS SELECT name FROM customers", false),
        ("CREATE TABLE x AS SELECT md5(ssn) FROM customers", true),
        ("CREATE TABLE x AS SELECT reader()", true),
        ("CREATE TABLE x AS EXECUTE p", true),
        ("CREATE MATERIALIZED VIEW x AS TABLE v_over", true),
        ("SELECT * INTO x FROM customers", true),
        ("SELECT id INTO x FROM customers", false),
        (
            "INSERT INTO payments SELECT id, 1, ssn FROM customers",
            true,
        ),
        ("INSERT INTO payments (id) SELECT id FROM customers", false),
        (
            "INSERT INTO customers_eu (ssn, name) SELECT ssn, name FROM customers",
            false,
        ),
        (
            "INSERT INTO customers_eu (name, ssn) SELECT ssn, name FROM customers",
            true,
        ),
        (
            "INSERT INTO customers (id, ssn) VALUES (1, '078-05-1120')",
            false,
        ),
        ("UPDATE customers SET name = ssn", true),
        ("UPDATE customers SET ssn = ssn", false),
        (
            "UPDATE payments SET amount = (SELECT ssn FROM customers LIMIT 1)",
            true,
        ),
        (
            "WITH w AS (UPDATE customers SET name = upper(ssn) RETURNING id) SELECT * FROM w",
            true,
        ),
        (
            "INSERT INTO payments VALUES (1) ON CONFLICT (id) DO UPDATE SET amount = (SELECT ssn FROM customers)",
            true,
        ),
        (
            "MERGE INTO payments p USING customers c ON true WHEN MATCHED THEN UPDATE SET amount = c.ssn",
            true,
        ),
        (
            "MERGE INTO payments p USING customers c ON true WHEN NOT MATCHED THEN INSERT (id, amount) VALUES (1, c.ssn)",
            true,
        ),
        ("COPY customers TO '/tmp/x'", true),
        ("COPY payments TO '/tmp/x'", false),
        ("SELECT set_config('x.y', ssn, false) FROM customers", true),
        (
            "SELECT 1 FROM customers WHERE pg_notify('c', ssn) IS NULL",
            true,
        ),
        ("SELECT ssn FROM customers", false),
    ];
    for (sql, expected) in copies {
        assert_eq!(resolved(sql).copies_protected, expected, "{sql}");
    }
}

#[test]
fn effects_name_their_candidates() {
    let cards = resolved("SELECT 1 FROM cards, v_over, nosuch");
    let found: Vec<(String, bool, bool)> = cards
        .effects
        .iter()
        .map(|effect| (effect.relations.join(","), effect.known, effect.protected))
        .collect();
    let expected = [
        ("public.cards,other.cards", true, true),
        ("public.v_over", true, true),
        ("nosuch", false, false),
    ];
    assert_eq!(
        found,
        expected.map(|(names, known, protected)| (names.to_owned(), known, protected))
    );
    assert_eq!(
        cards.protected,
        ["other.cards", "public.cards", "public.v_over"]
    );
}

#[test]
fn functions_that_may_write_are_calls() {
    let effects = |sql: &str| -> Vec<String> {
        resolved(sql)
            .effects
            .iter()
            .map(|effect| effect.effect.to_string())
            .collect()
    };
    assert_eq!(
        effects("SELECT writer(1)"),
        ["select", "call FUNCTION writer [a volatile function]"]
    );
    assert_eq!(
        effects("SELECT nosuch(1)"),
        [
            "select",
            "call FUNCTION nosuch [a function that is not in the catalog]"
        ]
    );
    assert_eq!(effects("SELECT reader(), upper('x')"), ["select"]);
    let through_view = [
        "select v_over_writes",
        "call FUNCTION public.writer [a volatile function]",
    ];
    assert_eq!(effects("SELECT * FROM v_over_writes"), through_view);
    assert_eq!(resolved("SELECT reader()").calls.len(), 1);
}

#[test]
fn without_declared_columns_everything_is_clear() {
    let (catalog, _) = bank();
    let protected = Protected::compile(&[], &[], &catalog);
    let resolved = resolve(
        &one("SELECT nosuch(ssn), * FROM customers"),
        &catalog,
        &protected,
    );
    let none = FieldOrigin {
        table_oid: 0,
        column: 0,
    };
    assert_eq!(
        letters(&resolved.rules(&[none; 6], &catalog, &protected)),
        "......"
    );
}
