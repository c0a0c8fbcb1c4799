//! What is declared of a database holds for the places in its JSON, and when names change under it.
#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

use tests::{Config, Gateway, Postgres};

const EVENTS: &str = r#"CREATE TABLE events (id integer PRIMARY KEY, body jsonb, raw text);
INSERT INTO events VALUES
 (1, '{"kind": "opened", "customer": {"name": "Ann", "secret": "QWZX-1"}, "cards": [{"number": "VKZQ-2"}, {"number": 471147114711}]}',
  '{"secret":"BHTW-3","kind":"opened"}'),
 (2, '[{"customer": {"secret": ["QWZX-4", {"deep": "QWZX-5"}]}}]', 'no JSON: BHTW-6'),
 (3, '{"customer": "{\"secret\": \"QWZX-7\"}"}', NULL);"#;

/// Statements, and what is shown of them.
const SHOWN: &[(&str, &str)] = &[
    (
        "SELECT body FROM events ORDER BY id",
        r#"{"kind": "opened", "cards": [{"number": "******"}, {"number": null}], "customer": {"name": "Ann", "secret": "******"}}
[{"customer": {"secret": ["******", {"****": "******"}]}}]
{"customer": "********************"}"#,
    ),
    (
        "SELECT raw FROM events WHERE raw IS NOT NULL ORDER BY id",
        "{\"secret\":\"******\",\"kind\":\"opened\"}\n***************",
    ),
    (
        "SELECT body ->> 'kind', body -> 'customer' ->> 'name', body -> 'customer' ->> 'secret', body -> 'cards' -> 0 ->> 'number', \
         raw::jsonb ->> 'kind', raw::jsonb ->> 'secret' FROM events WHERE body ->> 'kind' = 'opened'",
        "opened|Ann|******|******|opened|******",
    ),
    (
        "SELECT body::text, (body - 'cards')::json FROM events WHERE id = 3",
        r#"{"customer": "********************"}|{"customer": "********************"}"#,
    ),
    (
        "COPY (SELECT raw, body FROM events WHERE id = 3) TO STDOUT",
        "\\N\t{\"customer\": \"********************\"}",
    ),
    ("SELECT count(body), count(raw) FROM events", "3|2"),
    (
        "SELECT body #>> '{customer,secret}', body #> '{customer,name}', body #>> '{cards,0,number}', body #> '{cards,1}', \
         jsonb_extract_path_text(body, 'customer', 'secret') FROM events WHERE id = 1",
        r#"******|"Ann"|******|{"number": null}|******"#,
    ),
    (
        "SELECT v, v ->> 'number', value FROM events, jsonb_array_elements(body -> 'cards') v WHERE id = 1",
        "{\"number\": \"******\"}|******|{\"number\": \"******\"}\n{\"number\": null}|************|{\"number\": null}",
    ),
    (
        "SELECT x FROM events, jsonb_array_elements_text(body) v(x) WHERE id = 2",
        r#"{"customer": {"secret": ["******", {"****": "******"}]}}"#,
    ),
];

const REFUSED: &[&str] = &[
    "SELECT body #>> '{}' FROM events",
    "SELECT v FROM events, jsonb_array_elements(body #> '{customer,secret}') v WHERE id = 2",
    "SELECT jsonb_path_query(body, '$.**') FROM events",
    "SELECT v FROM events, jsonb_each_text(body) v",
    "SELECT left(raw, 20) FROM events",
    "SELECT substring(body::text, 2) FROM events",
    "CREATE TABLE mine AS SELECT body FROM events",
    "UPDATE events SET raw = body::text",
    "UPDATE events SET body = jsonb_build_object('x', body -> 'customer')",
];

#[test]
fn places_in_json_are_masked_by_their_paths() {
    let database = Postgres::shared().database();
    database.endpoint().psql(EVENTS).success();
    let mask = |config: Config, place: &str, class: &str| {
        config.set(&["targets", "bank", "mask", place], class)
    };
    let mut config = Config::bank(&database).all_permitted();
    for (place, class) in [
        ("public.events.body$.customer.secret", "vault"),
        ("public.events.body$.cards[*].number", "vault_number"),
        ("public.events.raw$.secret", "vault"),
    ] {
        config = mask(config, place, class);
    }
    let gateway = Gateway::start(config);
    for (sql, expected) in SHOWN {
        let shown = gateway.bank().psql(sql).success().stdout;
        assert_eq!(shown.trim_end(), *expected, "{sql}");
    }
    for sql in REFUSED {
        let told = gateway.bank().psql(sql).failure();
        let text = format!("{}{}", told.stdout, told.stderr);
        for secret in ["QWZX", "VKZQ", "4711", "BHTW"] {
            assert!(!text.contains(secret), "{sql}: {text}");
        }
    }
}

#[test]
fn a_renamed_column_stays_declared_and_a_missing_one_holds_its_table_back() {
    let database = Postgres::shared().database();
    let owner = database.endpoint();
    owner.psql("CREATE TABLE vault (id integer, s text); INSERT INTO vault VALUES (1, 'QWZXKVJP'); CREATE TABLE open AS SELECT 1 AS id, 'shown' AS s").success();
    let config = Config::bank(&database)
        .all_permitted()
        .set(&["targets", "bank", "mask", "public.vault.s"], "vault")
        .set(&["targets", "bank", "mask", "public.open.t"], "vault");
    let gateway = Gateway::start(config);
    let shown = |sql: &str| gateway.bank().psql(sql).success().stdout;
    assert_eq!(shown("SELECT * FROM vault"), "1|********\n");
    let held = gateway.bank().psql("SELECT id FROM open").failure();
    assert!(
        held.stderr.contains("has no column t, which is declared"),
        "{held:?}"
    );
    // By somebody else, not through the gateway: what it knows is read again when a name is not found, and for each new session.
    owner
        .psql("ALTER TABLE vault RENAME COLUMN s TO s9")
        .success();
    gateway
        .bank()
        .psql("CREATE TABLE other (id integer)")
        .success();
    assert_eq!(shown("SELECT * FROM vault"), "1|********\n");
    assert_eq!(shown("SELECT s9 FROM vault"), "********\n");
    let told = gateway
        .bank()
        .psql("SELECT reverse(s9) FROM vault")
        .failure();
    assert!(!told.stderr.contains("PJVKXZWQ"));
    owner.psql("ALTER TABLE vault RENAME TO safe").success();
    gateway.bank().psql("DROP TABLE other").success();
    assert_eq!(shown("SELECT s9 FROM safe"), "********\n");
    let log = gateway.log();
    assert!(!log.contains("QWZXKVJP"));
}

/// A slip of the pen in a declaration protects nothing, so whoever runs the gateway is told.
#[test]
fn what_is_declared_and_not_there_is_told() {
    let database = Postgres::shared().database();
    let owner = database.endpoint();
    owner
        .psql("CREATE TABLE vault (id integer, s text)")
        .success();
    let config = Config::bank(&database)
        .all_permitted()
        .unset(&["targets", "bank", "mask"])
        .set(&["targets", "bank", "mask", "public.vault.s"], "vault")
        .set(&["targets", "bank", "mask", "public.valt.s"], "vault")
        .set(&["targets", "bank", "mask", "public.vault.doc$.a"], "vault");
    let told = |text: &str| {
        let missing = text.contains("public.valt.s") && text.contains("public.vault.doc$.a");
        missing && !text.contains("public.vault.s ") && text.contains("not in the database")
    };
    let discovered = config.countersign(&["discover", "bank"]).success();
    assert!(told(&discovered.stderr), "{discovered:?}");
    let explained = ["explain", "bank", "--for", "alice", "SELECT 1"];
    let explained = config.countersign(&explained).success();
    assert!(told(&explained.stderr), "{explained:?}");
    let gateway = Gateway::start(config);
    gateway.bank().psql("SELECT 1").success();
    gateway.bank().psql("SELECT 2").success();
    let log = gateway.log();
    assert!(told(&log), "{log}");
    assert_eq!(log.matches("public.valt.s").count(), 1, "{log}");
}

/// A temporary view has its name in its own session alone.
#[test]
fn what_others_made_for_themselves_takes_no_name() {
    let database = Postgres::shared().database();
    let owner = database.endpoint();
    owner
        .psql("CREATE TABLE vault (id integer, s text); INSERT INTO vault VALUES (1, 'QWZXKVJP')")
        .success();
    let config = Config::bank(&database)
        .all_permitted()
        .set(&["targets", "bank", "mask", "public.vault.s"], "vault");
    let gateway = Gateway::start(config);
    let (mut one, mut other) = (gateway.bank().psql_talk(), gateway.bank().psql_talk());
    one.say("CREATE TEMP VIEW vault AS SELECT 7 AS id, s, 'own' AS more FROM public.vault;");
    one.say("SELECT more FROM pg_temp.vault;");
    one.hear("own");
    for text in [
        "SELECT s FROM vault WHERE id = 1",
        "SELECT coalesce(s, 'x') FROM vault",
    ] {
        let shown = gateway.bank().psql(text).success().stdout;
        assert_eq!(shown, "********\n", "{text}");
        other.say(&format!("{text};"));
        other.hear("********");
    }
    // Where both have one, each has its own.
    other.say("CREATE TEMP VIEW vault AS SELECT 8 AS id, 'mine' AS s;");
    other.say("SELECT id, s FROM pg_temp.vault;");
    other.hear("8|mine");
    one.say("SELECT s, more FROM pg_temp.vault;");
    one.hear("********|own");
    let said = [one.finish(), other.finish()];
    assert!(
        said.iter().all(|it| !it.stdout.contains("QWZX")),
        "{said:?}"
    );
}

/// What is declared of a table holds for its partitions and heirs by their own names, renamed and attached later too.
#[test]
fn partitions_and_heirs_hold_what_their_parent_does() {
    let database = Postgres::shared().database();
    let owner = database.endpoint();
    owner
        .psql(
            "CREATE TABLE vault (id integer, s text) PARTITION BY LIST (id);
             CREATE TABLE vault_1 PARTITION OF vault FOR VALUES IN (1);
             CREATE TABLE deep PARTITION OF vault FOR VALUES IN (2) PARTITION BY LIST (id);
             CREATE TABLE deep_2 PARTITION OF deep DEFAULT;
             CREATE TABLE loose (more text, s text, id integer);
             CREATE TABLE base (id integer, t text);
             CREATE TABLE heir (own text) INHERITS (base);
             INSERT INTO vault VALUES (1, 'QWZXKVJP'), (2, 'QWZXKVJP');
             INSERT INTO loose VALUES ('x', 'QWZXKVJP', 3);
             INSERT INTO heir VALUES (1, 'QWZXKVJP', 'shown')",
        )
        .success();
    let config = Config::bank(&database)
        .all_permitted()
        .set(&["targets", "bank", "mask", "public.vault.s"], "vault")
        .set(&["targets", "bank", "mask", "public.base.t"], "vault");
    let gateway = Gateway::start(config);
    let shown = |sql: &str| gateway.bank().psql(sql).success().stdout;
    for sql in [
        "SELECT s FROM vault_1",
        "SELECT s FROM deep",
        "SELECT s FROM deep_2",
        "SELECT t FROM heir",
        "SELECT max(s) FROM deep_2",
    ] {
        assert_eq!(shown(sql), "********\n", "{sql}");
    }
    assert_eq!(shown("SELECT id, own, t FROM heir"), "1|shown|********\n");
    assert_eq!(shown("SELECT * FROM vault_1"), "1|********\n");
    // Attached and renamed by others; what the gateway knows is read again after a change through it.
    owner
        .psql(
            "ALTER TABLE loose DROP COLUMN more; ALTER TABLE vault ATTACH PARTITION loose FOR VALUES IN (3);
             ALTER TABLE vault RENAME COLUMN s TO s9; ALTER TABLE deep_2 RENAME TO other_2",
        )
        .success();
    shown("CREATE TABLE other (id integer)");
    for sql in [
        "SELECT s9 FROM loose",
        "SELECT s9 FROM other_2",
        "SELECT s9 FROM vault_1",
    ] {
        assert_eq!(shown(sql), "********\n", "{sql}");
    }
    let told = gateway
        .bank()
        .psql("SELECT reverse(s9) FROM loose")
        .failure();
    assert!(!told.stderr.contains("PJVKXZWQ"), "{told:?}");
}
