//! What a client sends rests masked by the columns it touches: in recordings, in what auditors are shown of them, in the
//! ledger, in what goes out to those who approve.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use tests::{Config, Database, Gateway, Postgres, lines};

const GUESSES: &str = include_str!("../leak/guesses.sql");
const VAULT: &str = include_str!("../leak/vault.sql");
const COLUMNS: [&str; 8] = [
    "secret", "code", "paid", "born", "uid", "blob", "tags", "doc",
];

/// Every way in which the protocol can be spoken.
const MODES: &str = "simple,text,binary";

/// Those who watch replays.
const AUDIT: &str = "audit";

/// Beginnings of the values in the vault, as guesses write them. No detector knows them.
const VALUES: [&str; 12] = [
    "QWZX",
    "qwzx",
    "WZXKVJ",
    "ZKQXWVJF",
    "73918462",
    "8261739",
    "1913-07-29",
    "1920-01-01",
    "c7d9f3b1",
    "NEWVALUE",
    "newest",
    "starts with",
];

/// A value that a guess writes into a column that is not declared then.
const ELSEWHERE: &str = "UPDATE plain SET word =";

fn database() -> Database<'static> {
    let database = Postgres::shared().database();
    database.endpoint().psql(VAULT).success();
    database
}

fn config(database: &Database<'_>) -> Config {
    let auditors = toml::Value::Array(vec![AUDIT.into()]);
    let config = Config::bank(database)
        .all_permitted()
        .set(&["roles", "auditors"], auditors);
    COLUMNS.iter().fold(config, |config, column| {
        let column = format!("public.vault.{column}");
        config.set(&["targets", "bank", "mask", &column], "vault")
    })
}

/// All that auditors are shown of the sessions, line by line, with the ledger and the log, but for rows, which show what the client
/// made itself where a guess comes true: of these `leak.rs` tells.
fn at_rest(gateway: Gateway) -> Vec<String> {
    let mut lines = all_at_rest(gateway);
    lines.retain(|line| !line.contains(r#""event":"row""#));
    lines
}

fn all_at_rest(gateway: Gateway) -> Vec<String> {
    let mut lines: Vec<String> = gateway.log().lines().map(str::to_owned).collect();
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    lines.extend(ledger.entries().iter().map(|entry| format!("{entry:?}")));
    let gateway = Gateway::start(config);
    let token = gateway.token_in(None, "carol", &[AUDIT]);
    let sessions = gateway.countersign_as(&token, &["sessions", "--limit", "1000"]);
    for session in sessions.success().json_lines() {
        let session = session["session"].as_str().unwrap();
        let replay = ["replay", session, "--no-wait", "--reason", "test"];
        let replay = gateway.countersign_as(&token, &replay).success();
        lines.extend(replay.stdout.lines().map(str::to_owned));
    }
    lines
}

fn assert_none(lines: &[String], values: &[&str]) {
    let found = lines.iter().filter(|line| !line.contains(ELSEWHERE));
    let found = found.filter(|line| values.iter().any(|value| line.contains(value)));
    let found: Vec<&String> = found.collect();
    assert!(found.is_empty(), "{} lines:\n{found:#?}", found.len());
}

#[test]
fn no_guess_leaves_the_value_that_it_guesses() {
    let database = database();
    let gateway = Gateway::start(config(&database));
    let all = || lines(GUESSES).map(|line| line.trim_start_matches('*'));
    let answers = gateway.bank().statements(MODES, all());
    assert!(answers.len() > 600);
    let lines = at_rest(gateway);
    assert_none(&lines, &VALUES);
    let recorded = |text: &str| lines.iter().any(|line| line.contains(text));
    for readable in [
        "SELECT id FROM vault WHERE secret = '******************'",
        "ORDER BY kind, id DESC LIMIT 2",
        "SELECT count(secret) FILTER (WHERE kind = 'a'), count(code) FILTER (WHERE id > 1) FROM vault",
        "VALUES (900, 'x', '********')",
    ] {
        assert!(recorded(readable), "{readable}:\n{lines:#?}");
    }
}

/// What drivers send beside statements.
const SENT: &str = r#"
import psycopg
with psycopg.connect(autocommit=True) as c:
    for binary in (False, True):
        for value in ("QWZXKVJPHGFDMBTYLN", "NEWVALUE"):
            c.execute("SELECT id FROM vault WHERE secret = %s AND id > %s" if not binary else "SELECT id FROM vault WHERE secret = %b AND id > %b", (value, 4711))
        c.execute("SELECT id FROM vault WHERE code = %s AND kind = %s", (739184620517, "readable"))
        c.execute("SELECT id FROM vault WHERE secret = ANY (%s)", (["QWZXKVJPHGFDMBTYLN", "NEWVALUE"],))
    with c.cursor().copy("COPY vault (id, secret, kind) FROM STDIN") as copy:
        for part in ("701\tQW", "ZXKVJP\tnamed-kind\n702\tNEWV", "ALUE\tb", "\n"):
            copy.write(part)
    with c.cursor().copy("COPY vault (secret, id, kind) FROM STDIN (FORMAT csv, HEADER)") as copy:
        for part in ("secret,id,kind\n\"QWZX", "\nNEWVALUE\",703,a\n"):
            copy.write(part)
    for broken in ("SELEKT 'QWZX'", "SELECT 1 FROM vault WHERE secret = 'QWZX", "SELECT 1 FROM vault WHERE secret = 'a' 'QWZX'"):
        try:
            c.execute(broken)
        except psycopg.Error:
            pass
    print(c.execute("SELECT count(*) FROM vault WHERE id > 700").fetchone())
"#;

#[test]
fn parameters_copied_data_and_broken_statements_rest_masked() {
    let database = database();
    let gateway = Gateway::start(config(&database));
    let output = gateway.bank().python_script(SENT).success();
    assert_eq!(output.stdout, "(3,)\n");
    let lines = at_rest(gateway);
    assert_none(&lines, &VALUES);
    for readable in ["4711", "readable", "named-kind"] {
        let recorded = lines.iter().any(|line| line.contains(readable));
        assert!(recorded, "{readable}:\n{lines:#?}");
    }
}

/// Ways in which the server says literals back.
const SAID_BACK: &str = r#"
EXPLAIN SELECT id FROM vault WHERE secret = 'QWZXKVJPHGFDMBTYLN' AND code = 739184620517 AND kind = 'readable'
EXPLAIN (FORMAT json, VERBOSE) SELECT id FROM vault WHERE secret = 'QWZX' || 'K''VJ' OR code > 73918462
EXPLAIN (FORMAT yaml) SELECT id FROM vault WHERE secret LIKE 'QWZX%'
EXPLAIN (FORMAT xml) UPDATE vault SET secret = 'NEWVALUE' WHERE id = 1
PREPARE guess AS SELECT id FROM vault WHERE secret = 'QWZXKVJPHGFDMBTYLN'
EXPLAIN EXECUTE guess
SELECT statement FROM pg_prepared_statements
DEALLOCATE guess
SELECT id FROM vault WHERE code = 'QWZXKVJ'
SELECT id FROM vault WHERE secret = "QWZXKVJ"
SELECT id FROM vault WHERE secret = qwzxkvj
SELECT id FROM vault WHERE secret::int = '73918462x'
SELECT id FROM vault WHERE born = '1913-07-29 and more'
UPDATE vault SET code = 'NEWVALUE' WHERE id = 1
DO $$ BEGIN RAISE NOTICE 'it is QWZXKVJ'; PERFORM 1 FROM vault; END $$
DO $$ BEGIN PERFORM 1 FROM vault WHERE code = 'QWZXKVJ'; END $$
CREATE TEMPORARY VIEW guessed AS SELECT id FROM vault WHERE secret = 'QWZXKVJPHGFDMBTYLN'
SELECT pg_get_viewdef('guessed'::regclass)
SELECT definition FROM pg_views WHERE viewname = 'guessed'
DROP VIEW guessed
SELECT 1 FROM vault v, jsonb_each_text(to_jsonb(v)) WHERE value = 'QWZXKVJPHGFDMBTYLN'
"#;

#[test]
fn what_the_server_says_back_rests_as_what_was_said() {
    let database = database();
    let gateway = Gateway::start(config(&database));
    let answers = gateway.bank().statements(MODES, lines(SAID_BACK));
    assert!(answers.len() > 40);
    let lines = all_at_rest(gateway);
    assert_none(&lines, &VALUES);
    for readable in ["on vault", "(cost=", "invalid input syntax", "RAISE NOTICE"] {
        let recorded = lines.iter().any(|line| line.contains(readable));
        assert!(recorded, "{readable}:\n{lines:#?}");
    }
}
