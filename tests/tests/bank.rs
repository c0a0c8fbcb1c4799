//! The example bank's data are what they claim to be: valid numbers, intact references, the same on every load.

use tests::{Endpoint, Postgres, bank};

/// What the five tables hold, row by row. Change it together with examples/bank, on purpose.
const CONTENT_MD5: &str = "494da8ef3925ead69300a3158823bcbd";

fn column(bank: &Endpoint, query: &str) -> Vec<String> {
    bank.psql(query)
        .success()
        .stdout
        .lines()
        .map(str::to_owned)
        .collect()
}

fn assert_all(values: &[String], count_min: usize, rule: fn(&str) -> bool) {
    assert!(values.len() >= count_min, "only {} values", values.len());
    let wrong: Vec<_> = values.iter().filter(|value| !rule(value)).take(5).collect();
    assert!(wrong.is_empty(), "not valid: {wrong:?}");
}

#[test]
fn every_protected_number_is_valid() {
    let database = Postgres::shared().database();
    let app = database.endpoint();
    assert_all(&column(&app, "SELECT pan FROM cards"), 2600, bank::luhn);
    assert_all(
        &column(&app, "SELECT ssn FROM customers WHERE ssn IS NOT NULL"),
        1000,
        bank::us_ssn,
    );
    assert_all(
        &column(&app, "SELECT iban FROM accounts WHERE iban IS NOT NULL"),
        500,
        bank::iban,
    );
    assert_all(
        &column(
            &app,
            "SELECT routing_number FROM accounts WHERE routing_number IS NOT NULL",
        ),
        1500,
        bank::us_routing,
    );
    let reserved = |email: &str| {
        [".com", ".org", ".net"]
            .iter()
            .any(|end| email.ends_with(&format!("@example{end}")))
    };
    assert!(
        column(&app, "SELECT email FROM customers")
            .iter()
            .all(|email| reserved(email))
    );
}

#[test]
fn free_text_and_json_hold_protected_numbers_too() {
    let database = Postgres::shared().database();
    let found = database.endpoint().psql(
        "SELECT count(*) >= 100 FROM payments p JOIN cards c ON c.id = p.card_id WHERE strpos(replace(p.memo, '-', ''), c.pan) > 0;
         SELECT count(*) >= 100 FROM payments p JOIN accounts a ON a.id = p.account_id JOIN customers c ON c.id = a.customer_id
             WHERE strpos(p.memo, c.ssn) > 0;
         SELECT count(*) >= 100 FROM support_notes n JOIN customers c ON c.id = n.customer_id WHERE strpos(n.body, c.ssn) > 0;
         SELECT count(*) >= 100 FROM support_notes n JOIN accounts a USING (customer_id) JOIN cards k ON k.account_id = a.id
             WHERE strpos(n.body, k.pan) > 0;
         SELECT count(*) >= 100 FROM customers WHERE profile #>> '{kyc,number}' = ssn;
         SELECT count(*) >= 100 FROM payments WHERE details #>> '{payer,email}' LIKE '%@example.%';",
    );
    assert_eq!(found.success().stdout, "t\n".repeat(6));
}

#[test]
fn references_and_constraints_hold() {
    let database = Postgres::shared().database();
    // Dropping and adding each foreign key again makes PostgreSQL check every row.
    let broken = database.endpoint().psql(
        r"SELECT format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %2$I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
          FROM pg_constraint WHERE contype IN ('f', 'c') AND connamespace = 'public'::regnamespace \gexec
          SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace;
          SELECT count(*) FROM payments p JOIN cards k ON k.id = p.card_id WHERE k.account_id <> p.account_id;",
    );
    let lines = broken.success().stdout;
    assert_eq!(
        lines
            .lines()
            .filter(|line| *line != "ALTER TABLE")
            .collect::<Vec<_>>(),
        ["5", "0"]
    );
}

#[test]
fn the_data_are_the_same_on_every_load() {
    let database = Postgres::shared().database();
    let rows = "SELECT * FROM customers ORDER BY id; SELECT * FROM accounts ORDER BY id; SELECT * FROM cards ORDER BY id;
        SELECT * FROM payments ORDER BY id; SELECT * FROM support_notes ORDER BY id;";
    let output = database.endpoint().psql(rows).success();
    let digest = database
        .endpoint()
        .psql(&format!("SELECT md5($rows${}$rows$)", output.stdout))
        .success();
    assert_eq!(digest.stdout.trim(), CONTENT_MD5);
}

#[test]
fn the_role_app_owns_the_bank_and_nothing_more() {
    let database = Postgres::shared().database();
    let app = database.endpoint();
    let rights = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = current_user";
    assert_eq!(app.psql(rights).success().stdout, "f|f|f|f|f\n");
    let owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(app.psql(owners).success().stdout, "app\n");
}

#[test]
fn functions_and_views_work() {
    let database = Postgres::shared().database();
    let output = database.endpoint().psql(
        "SELECT c.id FROM customers k, customer_by_ssn(k.ssn) c WHERE k.id = 1;
         SELECT count(*) FROM customer_by_ssn('000-00-0000');
         SELECT tax_id = ssn FROM customer_directory d JOIN customers c USING (id) WHERE id = 1;
         SELECT count(*) > 1000 FROM card_activity;
         CREATE TEMP TABLE two AS SELECT id, balance FROM accounts WHERE status = 'open' ORDER BY id LIMIT 2;
         SELECT transfer(min(id), max(id), 12.50) FROM two;
         SELECT a.balance - t.balance FROM accounts a JOIN two t USING (id) ORDER BY id;
         CALL expire_cards('2100-01-01');
         SELECT DISTINCT status FROM cards;
         SELECT transfer(1, 2, -1);",
    );
    let output = output.failure();
    let lines: Vec<_> = output.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "1", "0", "t", "t", "SELECT 2", "100001", "-12.50", "12.50", "CALL", "expired"
        ]
    );
    assert!(
        output
            .stderr
            .contains("the amount of a transfer is above zero, not -1"),
        "{}",
        output.stderr
    );
}
