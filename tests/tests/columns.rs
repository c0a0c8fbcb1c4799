//! Declared columns by name, from the statement to the policy, the refusal, `countersign explain` and the ledger.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests may fail"
)]

use serde_json::{Value, json};
use tests::{Config, Database, Gateway, Postgres};

/// People who work here have the same numbers, in the same class.
const EMPLOYEES: &str = "
    CREATE TABLE employees (id integer PRIMARY KEY, name text, ssn text);
    INSERT INTO employees VALUES (1, 'ann', '536-22-1234'), (2, 'bob', '219-09-9998');
    CREATE VIEW everybody AS SELECT name, ssn FROM employees UNION ALL SELECT name, ssn FROM customers;
    CREATE VIEW staff AS SELECT name, ssn AS number FROM employees;";

/// The employees may be looked through by their numbers, the customers may not.
const POLICY: &str = r#"
@id("no-guessing-of-customers")
forbid (principal, action, resource)
when { context has probed_columns && !context.probed_columns.isEmpty() }
unless { ["public.employees.ssn"].containsAll(context.probed_columns) };

@id("no-matching-of-customers")
forbid (principal, action, resource)
when { context has matched_columns && context.matched_columns.contains("public.customers.ssn") };

@id("no-counting-of-customers")
forbid (principal, action, resource)
when { context has counted_columns && context.counted_columns.contains("public.customers.email") };

@id("no-reading-of-cards")
forbid (principal, action, resource)
when { context has shown_columns && context.shown_columns.contains("public.cards.pan") };
"#;

fn config(database: &Database<'_>) -> Config {
    database.endpoint().psql(EMPLOYEES).success();
    Config::bank(database)
        .set(
            &["targets", "bank", "mask", "public.employees.ssn"],
            "us_ssn",
        )
        .all_permitted()
        .policy("25-columns.cedar", POLICY)
}

#[test]
fn policy_tells_a_column_from_another_of_its_class() {
    let database = Postgres::shared().database();
    let gateway = Gateway::start(config(&database));
    let bank = gateway.bank();
    for allowed in [
        "SELECT name FROM employees WHERE ssn LIKE '5%'",
        "SELECT name FROM staff WHERE number LIKE '5%' ORDER BY number",
        "SELECT name FROM employees e WHERE ssn = '536-22-1234'",
        "SELECT ssn FROM employees UNION ALL SELECT ssn FROM customers LIMIT 1",
        "SELECT count(ssn) FROM customers",
        "SELECT id FROM cards LIMIT 1",
    ] {
        bank.psql(allowed).success();
    }
    for (refused, by) in [
        (
            "SELECT name FROM customers WHERE ssn LIKE '5%'",
            "no-guessing-of-customers",
        ),
        (
            "SELECT name FROM everybody WHERE ssn LIKE '5%'",
            "no-guessing-of-customers",
        ),
        (
            "SELECT e.name FROM employees e JOIN customers c ON c.ssn > e.ssn",
            "no-guessing-of-customers",
        ),
        (
            "WITH c AS (SELECT ssn AS x FROM customers) SELECT 1 FROM c ORDER BY x",
            "no-guessing-of-customers",
        ),
        (
            "SELECT name FROM customers WHERE ssn = '536-22-1234'",
            "no-matching-of-customers",
        ),
        (
            "SELECT e.name FROM employees e JOIN customers c USING (ssn)",
            "no-matching-of-customers",
        ),
        (
            "SELECT id FROM customers WHERE email IS NULL",
            "no-counting-of-customers",
        ),
        (
            "SELECT number FROM (SELECT pan AS number FROM cards) q LIMIT 1",
            "no-reading-of-cards",
        ),
        ("SELECT c FROM cards c LIMIT 1", "no-reading-of-cards"),
    ] {
        let output = bank.psql(refused);
        assert!(output.stderr.contains(by), "{refused}: {output:?}");
    }
}

#[test]
fn refusals_and_facts_name_the_columns() {
    let database = Postgres::shared().database();
    let gateway = Gateway::start(config(&database));
    let bank = gateway.bank();
    let refused = bank.psql("SELECT upper(number) AS loud FROM staff");
    assert!(
        refused
            .stderr
            .contains("column \"loud\" is computed from protected data (public.employees.ssn)"),
        "{refused:?}"
    );
    let (_, config) = {
        for query in [
            "SELECT ssn FROM employees",
            "SELECT number FROM staff",
            "SELECT ssn::varchar AS cast FROM employees",
            "SELECT ssn FROM employees UNION ALL SELECT ssn FROM customers",
            "COPY (SELECT coalesce(ssn, 'x') AS copied FROM employees) TO STDOUT",
        ] {
            bank.psql(query).success();
        }
        gateway.stop()
    };
    let ledger = config.ledger();
    let facts = ledger.events("outcome").into_iter();
    let facts = facts.filter_map(|event| event["outcome"]["masks"].as_array());
    let facts: Vec<(&Value, &Value)> = facts
        .flatten()
        .filter(|fact| fact["class"] == "us_ssn")
        .map(|fact| (&fact["place"], &fact["columns"]))
        .collect();
    let employees = json!(["public.employees.ssn"]);
    let both = json!(["public.customers.ssn", "public.employees.ssn"]);
    let expected = [
        (json!("loud"), employees.clone()),
        (json!("public.employees.ssn"), Value::Null),
        (json!("public.staff.number"), employees.clone()),
        (json!("cast"), employees.clone()),
        (json!("ssn"), both),
        (json!("copied"), employees),
    ];
    let expected: Vec<(&Value, &Value)> = expected.iter().map(|(a, b)| (a, b)).collect();
    assert_eq!(facts, expected);
}

#[test]
fn explain_shows_columns_and_predicates() {
    let database = Postgres::shared().database();
    let config = config(&database);
    let text = "SELECT number, upper(number) AS loud, count(email), 1 AS one FROM staff, customers c \
        WHERE c.ssn LIKE '5%' GROUP BY number";
    let explain = |arguments: &[&str]| {
        let arguments = [&["explain", "bank", "--for", "alice"], arguments].concat();
        config.countersign(&arguments).success()
    };
    let explained = explain(&[text]).json_lines();
    let [explained] = explained.as_slice() else {
        panic!("{explained:?}");
    };
    let one = |column: &str, class: &str, how: &str| json!({"column": column, "class": class, "how": how});
    let (employee, customer, email) = (
        "public.employees.ssn",
        "public.customers.ssn",
        "public.customers.email",
    );
    let statement = &explained["statements"][0];
    let columns: Vec<(&Value, &Value)> = statement["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| (&column["name"], &column["of"]))
        .collect();
    let expected = [
        (json!("number"), json!([one(employee, "us_ssn", "direct")])),
        (json!("loud"), json!([one(employee, "us_ssn", "derived")])),
        (json!("count"), json!([one(email, "email", "counted")])),
        (json!("one"), json!([])),
    ];
    let expected: Vec<(&Value, &Value)> = expected.iter().map(|(a, b)| (a, b)).collect();
    assert_eq!(columns, expected);
    assert_eq!(
        statement["predicates"],
        json!([
            one(customer, "us_ssn", "probed"),
            one(employee, "us_ssn", "probed"),
            one(email, "email", "counted"),
        ])
    );
    assert_eq!(explained["decision"]["outcome"], "deny");
    assert!(
        explained["decision"]["policies"]
            .as_array()
            .unwrap()
            .contains(&json!("no-guessing-of-customers")),
        "{explained}"
    );
    // For people, and by an agent.
    let shown = explain(&["--agent", "claude-code", "--output", "table", text]).stdout;
    for line in [
        ["column number", employee, "direct"],
        ["column loud", employee, "derived"],
        ["column count", email, "counted"],
        ["predicates", customer, "probed"],
    ] {
        let holds = |shown: &str| line.iter().all(|word| shown.contains(word));
        assert!(shown.lines().any(holds), "{line:?} in\n{shown}");
    }
    // What is not SQL, and what is no target.
    for arguments in [["bank", "SELEC 1"], ["nosuch", "SELECT 1"]] {
        let arguments = [&["explain", "--for", "alice"], &arguments[..]].concat();
        let output = config.countersign(&arguments).failure();
        assert!(!output.stderr.is_empty());
    }
}
