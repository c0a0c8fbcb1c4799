//! What a name means where it stands.

use model::DataClass;

use super::bank::{assert_rules, resolved};
use crate::postgres::{Catalog, Relation, RelationKind};
use crate::{Action, Name};

/// Statements and the rule of each output column, with no origin reported.
const RULES: &[(&str, &str)] = &[
    // With a schema only a relation without an alias is meant.
    (
        "SELECT (SELECT upper(public.customers.ssn) FROM (SELECT 'x'::text AS ssn) customers) FROM public.customers",
        "D",
    ),
    (
        "SELECT (SELECT public.customers.ssn FROM (SELECT 'x'::text AS ssn) customers) FROM customers",
        "s",
    ),
    (
        "WITH customers AS (SELECT 'x'::text AS ssn) \
         SELECT (SELECT public.customers.ssn FROM customers) FROM public.customers",
        "s",
    ),
    (
        "SELECT (SELECT other.tenants.name FROM tenants) FROM other.tenants",
        "?",
    ),
    // A row's fields are any number of columns.
    (
        "SELECT (ROW(1, 2)).*, coalesce(ssn, ''), (ROW()).* FROM customers",
        "???",
    ),
    (
        "SELECT tableoid FROM (SELECT (ROW(1, 2)).*, upper(ssn) AS tableoid FROM customers) x(a, b)",
        "D",
    ),
    (
        "SELECT x.xmin FROM (SELECT (ROW(1, 2)).*, upper(ssn) AS xmin FROM customers) x(a, b)",
        "D",
    ),
    (
        "SELECT (SELECT r FROM (SELECT (ROW('a', 1)::pair).*, upper(ssn) AS r FROM customers) x(p, q)) \
         FROM (SELECT 'x' AS r) o",
        "D",
    ),
    // The columns that a join makes one have a name too, and those that nobody can name are any number.
    (
        "SELECT (SELECT x.ssn FROM customers JOIN customers_eu USING (ssn) AS x), x.id FROM payments x",
        "D.",
    ),
    (
        "SELECT x FROM customers JOIN customers_eu USING (ssn) AS x",
        "r",
    ),
    (
        "SELECT upper(q.b) FROM (SELECT * FROM (SELECT CASE WHEN true THEN id END, ssn FROM customers) a \
         JOIN (SELECT id, 1 AS n FROM payments) b USING (id)) q(a, b, c)",
        "?",
    ),
    // Rows of two shapes go by the names of the first.
    (
        "SELECT (x.q).a FROM (SELECT q FROM (SELECT 'x' AS a, 'y' AS b) q \
         UNION ALL SELECT r FROM (SELECT ssn AS b, name AS a FROM customers) r) x",
        "D",
    ),
    // What looks like a field may call a function.
    ("SELECT (1).peek, (id).writer FROM payments", "s?"),
    // What is changed is a table.
    (
        "WITH customers AS (SELECT 1 AS id, 'x'::text AS ssn) UPDATE customers SET id = id RETURNING upper(ssn), id",
        "D.",
    ),
    (
        "WITH customers AS (SELECT 1 AS id, 'x'::text AS ssn) DELETE FROM customers RETURNING ssn",
        "s",
    ),
    (
        "WITH customers AS (SELECT 1 AS id, 'x'::text AS ssn) \
         INSERT INTO customers (id) SELECT id FROM customers RETURNING ssn",
        "s",
    ),
    // An item that is called so is that.
    (
        "UPDATE tenants p SET id = p.id FROM (SELECT id, ssn AS name FROM customers) old WHERE p.id = old.id \
         RETURNING upper(old.name), old.name",
        "Ds",
    ),
    (
        "WITH new AS (SELECT id, ssn AS name FROM customers) DELETE FROM public.tenants p USING new WHERE p.id = new.id \
         RETURNING new.name",
        "s",
    ),
    // What the server computes of a column, and what refers to one.
    ("SELECT upper_name FROM customers", "."),
    ("SELECT * FROM receipts", ".pD."),
    ("SELECT * FROM payments", "..."),
];

#[test]
fn names_mean_what_the_server_takes_them_for() {
    assert_rules(RULES);
}

#[test]
fn what_is_stored_by_its_place_is_known_by_it() {
    for sql in [
        "INSERT INTO customers (ssn, email, name, id) SELECT (ROW('zz', 1)::pair).*, ssn, id FROM customers",
        "INSERT INTO customers SELECT (ROW(1)).*, (ROW(1)).*, ssn FROM customers",
        // Nobody knows what they return.
        "INSERT INTO payments (amount) VALUES (writer(1))",
        "UPDATE payments SET amount = reader()",
        "SELECT set_config('a.b', reader(), false)",
        "SELECT set_config('a.b', peek(1), false)",
        "SELECT pg_notify('a', peek(1)) FROM payments",
        "SELECT lo_from_bytea(0, peek(1)::bytea)",
        "EXECUTE q(peek(1))",
        "WITH q AS MATERIALIZED (SELECT (ssn).pg_notify FROM customers) SELECT 1 FROM q",
        "SELECT c.pg_notify FROM customers, LATERAL upper(ssn) c",
        "UPDATE payments SET amount[ssn] = '1' FROM customers",
        "INSERT INTO payments (id, amount[(SELECT ssn FROM customers)]) VALUES (1, '1')",
        "INSERT INTO payments (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET amount[(SELECT ssn FROM customers)] = '1'",
        "EXPLAIN EXECUTE q(peek(1))",
        "EXPLAIN ANALYZE EXECUTE q(reader())",
        "CREATE TABLE x AS EXECUTE q(peek(1))",
        "COPY payments (amount) FROM STDIN WHERE set_config('a.b', peek(1), false) > 'a'",
    ] {
        assert!(resolved(sql).copies_protected, "{sql}");
    }
    for sql in [
        "INSERT INTO payments (amount) VALUES (upper('a'))",
        "SELECT set_config('a.b', 'x', false)",
        "SELECT pg_notify('a', amount) FROM payments",
        "EXECUTE q(1, upper('a'))",
        "INSERT INTO customers (ssn) SELECT ssn FROM customers",
    ] {
        assert!(!resolved(sql).copies_protected, "{sql}");
    }
}

/// `row.name` calls a function of that name where the row has no such field.
#[test]
fn functions_are_called_by_what_looks_like_a_field() {
    let calls = |sql: &str| {
        let resolved = resolved(sql);
        let calls = resolved.calls.iter().map(|call| call.name.to_string());
        let asked = resolved
            .effects
            .iter()
            .any(|effect| effect.effect.action == Action::Call);
        (calls.collect::<Vec<_>>(), asked)
    };
    for sql in [
        "SELECT p.writer FROM payments p",
        "SELECT (p).writer FROM payments p",
        "SELECT 1 FROM payments WHERE public.payments.writer = 1",
        "INSERT INTO payments SELECT (t.x).writer FROM tenants t",
    ] {
        assert_eq!(calls(sql), (vec!["writer".to_owned()], true), "{sql}");
    }
    for sql in [
        "SELECT writer FROM payments",
        "SELECT p.amount, (p).id FROM payments p",
    ] {
        assert_eq!(calls(sql), (vec![], false), "{sql}");
    }
}

#[test]
fn what_is_asked_beside_rows_is_asked() {
    for sql in [
        "WITH customers AS (SELECT 'a'::text AS ssn) UPDATE customers SET id = 1 WHERE ssn > 'M'",
        "SELECT q.a FROM (SELECT (ROW(1, 2)).*, ssn AS xmin FROM customers) q(a, b) WHERE xmin > 'M'",
        "EXECUTE q(peek(1) > 'M')",
        "COPY payments (amount) FROM STDIN WHERE peek(1) > 'M'",
        "SELECT 1 FROM customers JOIN customers_eu USING (ssn) AS x WHERE x.ssn LIKE 'Q%'",
        "SELECT id FROM customers JOIN customers_eu USING (ssn) AS x ORDER BY x.ssn || ''",
        "WITH q AS MATERIALIZED (SELECT (reader() || 'x')::regclass) SELECT 1 FROM q",
        "SELECT id FROM customers WHERE ssn = ANY (ARRAY['{a,b,c,d,e,f}'::text[]])",
        "SELECT id FROM customers WHERE ssn = ANY (ARRAY[$1, $2])",
        "SELECT id FROM customers WHERE ssn::other.text IN ('A', 'B')",
        "INSERT INTO customers (id, ssn) VALUES (1, unnest('{a,b}'::text[]))",
        "WITH mine AS (INSERT INTO customers (ssn) VALUES ('x') RETURNING id, ssn) SELECT 1 FROM customers v JOIN mine ON v.ssn = mine.ssn",
    ] {
        assert!(
            resolved(sql).probed.classes().contains(&DataClass::US_SSN),
            "{sql}"
        );
    }
}

/// What other sessions made for themselves has no name in this one.
#[test]
fn temporary_schemas_are_their_sessions_own() {
    let mut builder = Catalog::builder();
    let relation = |oid, schema: &str| Relation {
        oid,
        schema: schema.into(),
        name: "t".into(),
        kind: RelationKind::Table,
        columns: Vec::new(),
        definition: None,
        toast: 0,
    };
    builder.row(0, &[Some(b""), Some(b"pg_temp_7")]).unwrap();
    assert_eq!(builder.own_temporary(), Some("pg_temp_7"));
    for (oid, schema) in [(1, "public"), (2, "pg_temp_5"), (3, "pg_temp_7")] {
        builder.add(relation(oid, schema));
    }
    let all = builder.build();
    let means = |catalog: &Catalog, name: &Name| -> Vec<u32> {
        catalog.candidates(name).map(|it| it.oid).collect()
    };
    let bare = Name::bare("t");
    let [own, other] = ["pg_temp", "pg_temp_5"].map(|schema| Name::qualified(schema, "t"));
    let names = [&bare, &own, &other];
    for (catalog, expected) in [
        (&all, [vec![1, 2, 3], vec![2, 3], vec![2]]),
        (&all.seen_by(None).unwrap(), [vec![1], vec![], vec![2]]),
        (
            &all.seen_by(Some("pg_temp_7")).unwrap(),
            [vec![1, 3], vec![3], vec![2]],
        ),
    ] {
        assert_eq!(names.map(|name| means(catalog, name)), expected);
    }
    // A superuser may look for names there.
    let mut builder = Catalog::builder();
    builder.row(0, &[Some(b""), None, Some(b"t")]).unwrap();
    builder.add(relation(2, "pg_temp_5"));
    assert!(builder.build().seen_by(None).is_none());
    let mut builder = Catalog::builder();
    builder.add(relation(3, "pg_temp_7"));
    let alone = builder.build();
    assert!(alone.seen_by(Some("pg_temp_7")).is_none() && alone.seen_by(None).is_some());
}
