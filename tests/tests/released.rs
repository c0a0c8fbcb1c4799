//! Whether a value was released is answered from the commitments in the ledger, which hold no value.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

use serde_json::Value;
use tests::{Agent, Config, Gateway, Moto, Postgres};

const AUDIT: &str = "audit";
const REASON: &str = "ticket 4711";
const PAN: &str = "4111111111111111";

fn audit(gateway: &Gateway, arguments: &[&str]) -> tests::Output {
    let token = gateway.token_in(None, "carol", &[AUDIT]);
    gateway.countersign_as(&token, arguments)
}

/// Asks of the only session.
fn asked(gateway: &Gateway, value: &str, form: &str) -> tests::Output {
    let sessions = audit(gateway, &["sessions"]).success().json_lines();
    let session = sessions.first().unwrap();
    let session = session["session"].as_str().unwrap();
    let asked = [
        "--output",
        form,
        "evidence",
        "was-released",
        "--session",
        session,
    ];
    let asked = [&asked[..], &["--reason", REASON, "--value", value]].concat();
    audit(gateway, &asked).success()
}

fn was_released(gateway: &Gateway, value: &str) -> Value {
    asked(gateway, value, "json").json_lines().remove(0)
}

fn as_table(gateway: &Gateway, value: &str) -> String {
    asked(gateway, value, "table").stdout
}

/// Everything is written and indexed after a new start.
fn again(gateway: Gateway) -> Gateway {
    let (_, config) = gateway.stop();
    Gateway::start(config)
}

#[test]
fn what_a_session_was_shown_is_told_of_a_value_that_is_known() {
    let database = Postgres::shared().database();
    let direct = database.endpoint();
    let one = |query: &str| direct.psql(query).success().stdout.trim().to_owned();
    let ssn = one("SELECT ssn FROM customers WHERE ssn IS NOT NULL ORDER BY id LIMIT 1");
    let other = one("SELECT ssn FROM customers WHERE ssn IS NOT NULL ORDER BY id DESC LIMIT 1");
    assert_ne!(ssn, other);
    let reveal = r#"
@id("analysts-see-cards")
permit (principal, action == Action::"reveal", resource == DataClass::"pan");
"#;
    let config = Config::bank(&database)
        .bank_policies()
        .policy("20-reveal.cedar", reveal)
        .set(&["roles", "auditors"], vec![AUDIT]);
    let gateway = Gateway::start(config);
    let shown = gateway
        .bank()
        .psql("SELECT ssn FROM customers WHERE ssn IS NOT NULL ORDER BY id LIMIT 1; SELECT 'card 4111 1111 1111 1111'")
        .success()
        .stdout;
    assert!(
        !shown.contains(&ssn) && shown.contains("4111 1111"),
        "{shown}"
    );
    let gateway = again(gateway);

    let hidden = was_released(&gateway, &ssn);
    assert_eq!(hidden["released"], false, "{hidden}");
    assert_eq!(hidden["found"][0]["class"], "us_ssn");
    assert_eq!(hidden["found"][0]["place"], "public.customers.ssn");
    assert_eq!(hidden["uncertain"], 0);
    // However it is written.
    let written = ssn.replace('-', "");
    assert_eq!(was_released(&gateway, &written)["found"], hidden["found"]);

    let clear = was_released(&gateway, PAN);
    assert_eq!(clear["released"], true, "{clear}");
    assert_eq!(clear["found"][0]["strategy"], "reveal");

    let absent = was_released(&gateway, &other);
    assert_eq!(absent["released"], false);
    assert!(absent["found"].as_array().unwrap().is_empty(), "{absent}");

    let told = as_table(&gateway, &ssn);
    assert!(
        told.starts_with("No: it was found, and hidden each time.\n  #1 "),
        "{told}"
    );
    assert!(
        told.contains("us_ssn in public.customers.ssn (partial, declared)"),
        "{told}"
    );
    let told = as_table(&gateway, PAN);
    assert!(told.starts_with("Yes: it was shown as it is.\n"), "{told}");

    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let asked = ledger.events("replay_watched");
    assert_eq!(asked.len(), 6);
    assert!(asked.iter().all(|event| event["reason"] == REASON));
    // It was asked for, and is not kept for that.
    let entries = Value::from(ledger.entries());
    assert!(!entries.to_string().contains(&other));
}

#[test]
fn a_day_is_found_however_it_was_read() {
    let database = Postgres::shared().database();
    let day = "SELECT date_of_birth FROM customers ORDER BY id LIMIT 1";
    let day = database.endpoint().psql(day).success().stdout;
    let reveal = r#"
@id("analysts-see-birthdays")
permit (principal, action == Action::"reveal", resource == DataClass::"date_of_birth");
"#;
    let reads = [
        "COPY customers (date_of_birth) TO STDOUT (FORMAT binary)",
        "SET datestyle = 'German'; SELECT date_of_birth FROM customers ORDER BY id LIMIT 1",
    ];
    for (revealed, declared) in [(false, false), (true, false), (false, true), (true, true)] {
        for read in reads {
            let mut config = Config::bank(&database)
                .bank_policies()
                .set(&["roles", "auditors"], vec![AUDIT]);
            if revealed {
                config = config.policy("20-reveal.cedar", reveal);
            }
            if declared {
                let column = "public.customers.date_of_birth";
                config = config.set(&["targets", "bank", "mask", column], "date_of_birth");
            }
            let gateway = Gateway::start(config);
            gateway.bank().psql(read).success();
            let gateway = again(gateway);
            let found = was_released(&gateway, day.trim());
            assert_eq!(found["released"], revealed, "{read} {declared}: {found}");
            assert_eq!(found["found"][0]["class"], "date_of_birth", "{found}");
            drop(gateway);
        }
    }
}

#[test]
fn a_number_is_found_however_it_is_asked_for() {
    let database = Postgres::shared().database();
    let amounts = "CREATE TABLE amounts (v numeric(12, 2)); INSERT INTO amounts VALUES (1), (4000)";
    database.endpoint().psql(amounts).success();
    let config = Config::bank(&database)
        .all_permitted()
        .set(&["roles", "auditors"], vec![AUDIT])
        .set(&["targets", "bank", "mask", "public.amounts.v"], "amount");
    let gateway = Gateway::start(config);
    gateway.bank().psql("SELECT v FROM amounts").success();
    let gateway = again(gateway);
    for value in ["1", "1.00", "+01.0", "1e0", "4e3", "4000"] {
        let told = was_released(&gateway, value);
        assert_eq!(told["found"][0]["class"], "amount", "{value}: {told}");
        assert_eq!(told["released"], false, "{value}: {told}");
    }
    let absent = was_released(&gateway, "2");
    assert!(absent["found"].as_array().unwrap().is_empty(), "{absent}");
}

#[test]
fn what_a_setting_was_reported_to_be_is_told_too() {
    let database = Postgres::shared().database();
    let config = Config::bank(&database)
        .all_permitted()
        .set(&["roles", "auditors"], vec![AUDIT]);
    let gateway = Gateway::start(config);
    let set = format!("SET application_name = 'card {PAN}'");
    gateway.bank().psql(&set).success();
    let gateway = again(gateway);
    let told = was_released(&gateway, PAN);
    assert_eq!(told["found"][0]["place"], "parameter_status", "{told}");
    assert_eq!(told["released"], false, "{told}");
}

#[test]
fn only_auditors_ask_and_of_sessions_that_are_there() {
    let database = Postgres::shared().database();
    let config = Config::bank(&database)
        .bank_policies()
        .set(&["roles", "auditors"], vec![AUDIT]);
    let gateway = Gateway::start(config);
    gateway.bank().psql("SELECT 1").success();
    let ask = |session| {
        let asked = ["evidence", "was-released", "--session", session];
        [&asked[..], &["--reason", REASON, "--value", PAN]].concat()
    };
    let told = audit(&gateway, &ask("s-0-0")).failure();
    assert!(told.stderr.contains("session s-0-0"), "{}", told.stderr);
    let token = gateway.token_in(None, "dave", &["payments-oncall"]);
    gateway.countersign_as(&token, &ask("s-0-0")).failure();
    let (_, config) = gateway.stop();
    assert!(config.ledger().events("replay_watched").is_empty());
}

#[test]
fn answers_of_aws_are_committed_to_as_well() {
    let moto = Moto::start();
    let gateway = lake(&moto);
    let agent = Agent::new(&gateway, "lake", &["data"]);
    agent.cli(&["s3", "mb", "s3://lake"]).success();
    let folder = gateway.config().directory();
    std::fs::write(folder.join("cards.csv"), format!("id,pan\n1,{PAN}\n")).unwrap();
    agent
        .cli(&["s3", "cp", "cards.csv", "s3://lake/"])
        .success();
    agent
        .cli(&["s3", "cp", "s3://lake/cards.csv", "-"])
        .success();
    let gateway = again(gateway);

    let hidden = was_released(&gateway, PAN);
    assert_eq!(hidden["released"], false, "{hidden}");
    assert_eq!(hidden["found"][0]["class"], "pan", "{hidden}");
    let absent = was_released(&gateway, "4012888888881881");
    assert!(absent["found"].as_array().unwrap().is_empty(), "{absent}");
}

/// What is hidden by its name was there as well, and is not told to have been nowhere.
#[test]
fn secrets_that_are_hidden_by_name_are_committed_to() {
    let moto = Moto::start();
    let gateway = lake(&moto);
    let agent = Agent::new(&gateway, "lake", &["data"]);
    let secret = "two tulips";
    let create = ["secretsmanager", "create-secret", "--name", "db"];
    let create = [&create[..], &["--secret-string", secret]].concat();
    agent.cli(&create).success();
    let get = ["secretsmanager", "get-secret-value", "--secret-id", "db"];
    let shown = agent.cli(&get).success().stdout;
    assert!(shown.contains("**********"), "{shown}");
    let gateway = again(gateway);
    let hidden = was_released(&gateway, secret);
    assert_eq!(hidden["released"], false, "{hidden}");
    assert_eq!(hidden["found"][0]["class"], "secret", "{hidden}");
    assert_eq!(hidden["found"][0]["place"], "SecretString", "{hidden}");
    assert_eq!(hidden["uncertain"], 0, "{hidden}");
}

fn lake(moto: &Moto) -> Gateway {
    let policy = r#"
@id("use-lake")
permit (principal in Group::"data", action == Action::"access", resource == Target::"lake");
@id("all")
permit (principal, action in [Aws::Action::"list", Aws::Action::"read", Aws::Action::"write"], resource);
"#;
    let config = Config::aws(moto)
        .policy("10-lake.cedar", policy)
        .set(&["roles", "auditors"], vec![AUDIT]);
    Gateway::start(config)
}
