//! What a name means where it stands.

use model::DataClass;

use super::bank::{assert_rules, resolved};
use crate::Action;

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
        "SELECT p.reader FROM payments p",
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
    ] {
        assert!(resolved(sql).probed.contains(&DataClass::US_SSN), "{sql}");
    }
}
