//! What a database's definitions tell of declared columns, and ask of them.

#![allow(clippy::unwrap_used, reason = "tests may fail")]

use tests::{Config, Database, Gateway, Postgres};

const NO_GUESSING: &str = include_str!("../../examples/policies/bank/25-no-guessing.cedar");

const TABLES: &str = r#"
    CREATE TABLE byp (id integer, pin text) PARTITION BY LIST (pin);
    CREATE TABLE byp1 PARTITION OF byp FOR VALUES IN ('QWZXKVJP');
    CREATE TABLE byp2 PARTITION OF byp DEFAULT;
    INSERT INTO byp VALUES (1, 'QWZXKVJP');
    CREATE TABLE events (id integer, body jsonb, raw text);
    INSERT INTO events VALUES (1, '{"kind": "a", "customer": {"ssn": "QWZXKVJP", "name": "bob"}, "cards": [{"pan": "JPQWZXKV"}]}', '{"kind": "b", "pin": "KVJPQWZX"}');
    CREATE DOMAIN pin_t AS text CHECK (length(VALUE) > 2);
    CREATE TABLE pins (id integer, pin pin_t, pair jsonb);
    INSERT INTO pins VALUES (1, 'QWZXKVJP', '{"QWZXKVJP": 1, "JPQWZXKV": 2}');
    CREATE FUNCTION by_pin(text) RETURNS SETOF pins LANGUAGE sql STABLE AS 'SELECT * FROM pins WHERE pin = $1';
"#;

fn gateway(database: &Database<'_>) -> Gateway {
    database.endpoint().psql(TABLES).success();
    let columns = [
        ("public.byp.pin", "pin"),
        ("public.events.body$.customer.ssn", "us_ssn"),
        ("public.events.body$.cards[*].pan", "pan"),
        ("public.events.raw$.pin", "pin"),
        ("public.pins.pin", "pin"),
        ("public.pins.pair", "pin"),
    ];
    let config = Config::bank(database)
        .all_permitted()
        .policy("25-no-guessing.cedar", NO_GUESSING);
    let config = columns.into_iter().fold(config, |config, (column, class)| {
        config.set(&["targets", "bank", "mask", column], class)
    });
    Gateway::start(config)
}

/// Those who describe tables see everything but the values that bound their partitions.
#[test]
fn partitions_are_described_without_the_values_of_their_keys() {
    let database = Postgres::shared().database();
    let gateway = gateway(&database);
    for (described, clear) in [
        ("byp", true),
        ("byp1", true),
        ("byp2", true),
        ("customers", false),
    ] {
        let describe = format!("\\d+ {described}");
        let direct = database
            .endpoint()
            .psql_with(&[], &describe)
            .success()
            .stdout;
        assert_eq!(direct.contains("QWZX"), clear, "{direct}");
        let through = gateway
            .bank()
            .psql_with(&["-v", "ON_ERROR_STOP=1"], &describe);
        let through = through.success().stdout;
        assert!(!through.contains("QWZX"), "{through}");
        assert_eq!(
            through.lines().count(),
            direct.lines().count(),
            "{through}\n{direct}"
        );
    }
    let refused = gateway
        .bank()
        .psql("SELECT relname FROM pg_class WHERE pg_get_expr(relpartbound, oid) LIKE '%(''Q%'");
    assert!(refused.stderr.contains("no-guessing"), "{refused:?}");
}

/// What object mappers and servers of APIs ask for.
#[test]
fn rows_with_declared_places_are_json() {
    let database = Postgres::shared().database();
    let gateway = gateway(&database);
    for query in [
        "SELECT to_json(e) FROM events e",
        "SELECT row_to_json(e) FROM events e",
        "SELECT json_agg(e), jsonb_agg(to_jsonb(e)) FROM events e",
        "SELECT json_build_object('body', body, 'raw', raw), jsonb_build_object('x', to_jsonb(e)) FROM events e",
        "SELECT coalesce(json_agg(x), '[]') FROM (SELECT id, body, raw FROM events) x",
    ] {
        let shown = gateway.bank().psql(query).success().stdout;
        let stripped: String = shown.split_whitespace().collect();
        assert!(
            !shown.contains("QWZX") && !shown.contains("ZXKV"),
            "{query}: {shown}"
        );
        assert!(stripped.contains(r#""kind":"a""#), "{query}: {shown}");
        assert!(stripped.contains(r#""name":"bob""#), "{query}: {shown}");
        assert!(stripped.contains(r#""ssn":"********""#), "{query}: {shown}");
    }
    let names = gateway
        .bank()
        .psql("SELECT pair FROM pins")
        .success()
        .stdout;
    assert_eq!(names.trim(), r#"{"********": null, "********2": null}"#);
}

#[test]
fn a_column_cast_to_its_own_type_is_the_column() {
    let database = Postgres::shared().database();
    let gateway = gateway(&database);
    let bank = gateway.bank();
    let shown = bank.psql("SELECT pin::pin_t FROM pins WHERE pin::pin_t = 'QWZXKVJP'");
    assert_eq!(shown.success().stdout.trim(), "********");
    let taken = "CREATE DOMAIN pg_temp.pin_t AS text CHECK (VALUE LIKE 'Q%')";
    bank.psql(taken).success();
    let refused = bank.psql(&format!(
        "{taken}; SELECT id FROM pins WHERE pin::pin_t = 'QWZXKVJP'"
    ));
    assert!(refused.stderr.contains("no-guessing"), "{refused:?}");
}

/// Who calls a function that searches is told which.
#[test]
fn a_refusal_names_the_function_that_searches() {
    let database = Postgres::shared().database();
    let gateway = gateway(&database);
    let refused = gateway
        .bank()
        .psql("SELECT * FROM by_pin('QWZXKVJP')")
        .stderr;
    assert!(refused.contains("no-guessing"), "{refused}");
    assert!(refused.contains("HINT:  It calls by_pin"), "{refused}");
}
