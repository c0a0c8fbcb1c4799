//! What is kept: sessions found again, replays, recordings that were tampered with, crashes, and a disk that is full.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test ends where something is missing, and tells a story in one piece"
)]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::{Config, Database, Gateway, Output, Postgres};

const AUDIT: &str = "audit";

/// How often something that comes by itself is asked for.
const TRIES_MAX: u32 = 2_000;

fn config(database: &Database<'_>) -> Config {
    let auditors = toml::Value::Array(vec![AUDIT.into()]);
    Config::bank(database)
        .bank_policies()
        .set(&["roles", "auditors"], auditors)
}

/// Runs `countersign` as an auditor.
fn audit(gateway: &Gateway, arguments: &[&str]) -> Output {
    let token = gateway.token_in(None, "carol", &[AUDIT]);
    gateway.countersign_as(&token, arguments)
}

fn sessions(gateway: &Gateway, filter: &[&str]) -> Vec<Value> {
    let arguments = [&["sessions"], filter].concat();
    audit(gateway, &arguments).success().json_lines()
}

fn replay(gateway: &Gateway, session: &str, options: &[&str]) -> Output {
    let arguments = ["replay", session, "--no-wait", "--reason", "ticket 4711"];
    audit(gateway, &[&arguments, options].concat())
}

/// Ends the gateway and starts it again: everything is written and indexed then.
fn again(gateway: Gateway) -> Gateway {
    let (status, config) = gateway.stop();
    assert!(status.success());
    Gateway::start(config)
}

fn id(session: &Value) -> String {
    session["session"].as_str().unwrap().to_owned()
}

#[test]
fn sessions_are_found_by_who_where_when_and_what() {
    let database = Postgres::shared().database();
    let gateway = Gateway::start(config(&database));
    let as_agent =
        |agent: &str, human: &str| gateway.endpoint("bank", agent, &gateway.token(agent, human));
    as_agent("claude-code", "alice")
        .psql("SELECT ssn FROM customers WHERE ssn IS NOT NULL LIMIT 3")
        .success();
    as_agent("ci-bot", "bob").psql("DROP TABLE cards").failure();
    let gateway = again(gateway);

    assert_eq!(sessions(&gateway, &[]).len(), 2);
    for (filter, human) in [
        (["--agent", "claude-code"], "alice"),
        (["--human", "bob"], "bob"),
        (["--decision", "refused"], "bob"),
        (["--decision", "masked"], "alice"),
    ] {
        let found = sessions(&gateway, &filter);
        assert_eq!(found.len(), 1, "{filter:?}: {found:?}");
        assert_eq!(found[0]["human"], human, "{filter:?}");
    }
    for (filter, count) in [
        (vec!["--target", "bank"], 2),
        (vec!["--target", "vault"], 0),
        (vec!["--decision", "approved"], 0),
        (vec!["--from", "1h"], 2),
        (vec!["--to", "1h"], 0),
        (
            vec!["--from", "1h", "--agent", "ci-bot", "--decision", "masked"],
            0,
        ),
        (vec!["--limit", "1"], 1),
    ] {
        assert_eq!(sessions(&gateway, &filter).len(), count, "{filter:?}");
    }
    let table = audit(&gateway, &["--output", "table", "sessions"]).success();
    for text in ["claude-code", "ci-bot", "alice", "bob", "bank"] {
        assert!(table.stdout.contains(text), "{text}: {}", table.stdout);
    }
}

#[test]
fn a_replay_shows_what_was_shown_and_is_itself_recorded() {
    let database = Postgres::shared().database();
    let gateway = Gateway::start(config(&database));
    let script = r#"
import psycopg
with psycopg.connect(autocommit=True) as c:
    print(c.execute("SELECT id, name, ssn FROM customers WHERE id = %s AND name <> %s", (1, "nobody")).fetchone())
    try:
        c.execute("DROP TABLE cards")
    except psycopg.Error as e:
        print(e.sqlstate)
"#;
    let seen = gateway.bank().python_script(script).success().stdout;
    let name = seen.split('\'').nth(1).unwrap().to_owned();
    let gateway = again(gateway);
    let session = id(&sessions(&gateway, &[])[0]);

    let lines = replay(&gateway, &session, &[]).success().json_lines();
    let of = |kind: &str| {
        lines
            .iter()
            .filter(|line| line["kind"] == kind)
            .collect::<Vec<_>>()
    };
    let asked = of("asked");
    let select = asked.iter().find(|line| line["tag"] == "SELECT").unwrap();
    assert_eq!(select["parameters"].as_array().unwrap().len(), 2);
    assert!(select["parameters"].to_string().contains("nobody"));
    assert!(of("refused")[0].to_string().contains("no-ddl"));
    let rows = of("shown")
        .iter()
        .map(ToString::to_string)
        .collect::<String>();
    assert!(rows.contains(&name), "{rows}");
    let times: Vec<u64> = lines
        .iter()
        .map(|line| line["us"].as_u64().unwrap())
        .collect();
    assert!(times.is_sorted());

    let found = replay(&gateway, &session, &["--search", "nobody"]).success();
    assert!(found.stdout.contains("nobody"));
    assert!(!found.stdout.contains("DROP TABLE"), "{}", found.stdout);
    let table = audit(
        &gateway,
        &[
            "--output",
            "table",
            "replay",
            &session,
            "--no-wait",
            "--reason",
            "a look",
        ],
    );
    let table = table.success().stdout;
    for text in [
        "SELECT id, name, ssn",
        "nobody",
        &name,
        "DROP TABLE cards",
        "no-ddl",
    ] {
        assert!(table.contains(text), "{text} is not in\n{table}");
    }
    let shown = audit(&gateway, &["show", &session, "--reason", "a summary"]).success();
    assert!(shown.stdout.contains("DROP TABLE"), "{}", shown.stdout);

    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let watched = ledger.events("replay_watched");
    let reasons: Vec<_> = watched
        .iter()
        .map(|event| event["reason"].as_str().unwrap())
        .collect();
    assert_eq!(
        reasons,
        ["ticket 4711", "ticket 4711", "a look", "a summary"]
    );
    assert!(watched.iter().all(|event| event["session"] == *session));
    assert!(
        watched
            .iter()
            .all(|event| event["identity"]["human"] == "carol")
    );
}

#[test]
fn only_auditors_watch() {
    let database = Postgres::shared().database();
    let gateway = Gateway::start(config(&database));
    gateway.bank().psql("SELECT 1").success();
    let gateway = again(gateway);
    let session = id(&sessions(&gateway, &[])[0]);
    let replay = ["replay", &session, "--no-wait", "--reason", "curious"];
    for token in [
        gateway.token_in(None, "dave", &["payments-oncall"]),
        gateway.token_in(Some("claude-code"), "carol", &[AUDIT]),
        "no.token.this".to_owned(),
    ] {
        gateway.countersign_as(&token, &replay).failure();
        gateway.countersign_as(&token, &["sessions"]).failure();
    }
    let (_, config) = gateway.stop();
    assert!(config.ledger().events("replay_watched").is_empty());
}

fn recording(folder: &Path, session: &str) -> PathBuf {
    folder.join(format!("data/recordings/{session}.rec"))
}

#[test]
fn recordings_that_were_tampered_with_are_told() {
    let database = Postgres::shared().database();
    let gateway = Gateway::start(config(&database));
    // Enough for several chunks, and twice, so that one could stand in for the other.
    let wide = "SELECT i, md5(i::text), md5((i + 1)::text) FROM generate_series(1, 60000) i";
    for _ in 0..2 {
        gateway.bank().psql(wide).success();
    }
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let gateway = Gateway::start(config);
    let found = sessions(&gateway, &[]);
    let (one, other) = (id(&found[0]), id(&found[1]));
    let folder = gateway.config().directory().to_owned();
    let path = recording(&folder, &one);
    let whole = fs::read(&path).unwrap();
    replay(&gateway, &one, &[]).success();

    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let (half, end) = (whole.len() / 2, whole.len());
    // Where its chunks begin.
    let recorded = ledger.events("recorded");
    let lengths = recorded
        .iter()
        .filter(|event| event["session"] == *one)
        .map(|event| event["bytes"].as_u64().unwrap() as usize);
    let lengths: Vec<usize> = lengths.collect();
    let first = end - lengths.iter().sum::<usize>();
    let second = first + lengths[0];
    let last = end - lengths[lengths.len() - 1];
    assert!(lengths.len() > 1);
    for (what, bytes) in [
        ("cut off", whole[..half].to_vec()),
        ("one byte short", whole[..end - 1].to_vec()),
        ("a byte long", [&whole[..], &[0]].concat()),
        ("a flipped byte", flipped(half)),
        ("a flipped last byte", flipped(end - 1)),
        (
            "another session's",
            fs::read(recording(&folder, &other)).unwrap(),
        ),
        ("empty", Vec::new()),
        ("the last chunk removed", whole[..last].to_vec()),
        (
            "the first chunk removed",
            [&whole[..first], &whole[second..]].concat(),
        ),
        ("every chunk removed", whole[..first].to_vec()),
        (
            "chunks swapped",
            [&whole[..first], &whole[second..], &whole[first..second]].concat(),
        ),
        ("a chunk twice", [&whole[..], &whole[last..]].concat()),
    ] {
        fs::write(&path, bytes).unwrap();
        let told = replay(&gateway, &one, &[]).failure();
        let named = told
            .stderr
            .contains(&format!("the recording of session {one}"));
        assert!(named, "{what}: {told:?}");
    }
    fs::remove_file(&path).unwrap();
    let told = replay(&gateway, &one, &[]).failure();
    assert!(told.stderr.contains(&one), "{told:?}");
    fs::write(&path, &whole).unwrap();
    replay(&gateway, &one, &[]).success();
    // Destroying the key forgets the content.
    fs::remove_file(path.with_extension("key")).unwrap();
    replay(&gateway, &one, &[]).failure();
}

#[test]
fn a_killed_gateway_leaves_an_intent_without_outcome_and_starts_again() {
    let database = Postgres::shared().database();
    let all = Config::bank(&database).all_permitted();
    let auditors = toml::Value::Array(vec![AUDIT.into()]);
    let gateway = Gateway::start(all.set(&["roles", "auditors"], auditors));
    let bank = gateway.bank();
    bank.psql("SELECT 'before'").success();
    let mut psql = bank.psql_talk();
    psql.say("SELECT 'begun';");
    psql.hear("begun");
    psql.say("SELECT pg_sleep(600);");
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()";
    let is_running = |_| database.superuser().psql(running).success().stdout == "1\n";
    assert!((0..TRIES_MAX).any(is_running));
    let config = gateway.crash();
    drop(psql);

    let gateway = Gateway::start(config);
    gateway.bank().psql("SELECT 'after'").success();
    let gateway = again(gateway);
    let found = sessions(&gateway, &[]);
    assert_eq!(found.len(), 3, "{found:?}");
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let settled: Vec<u64> = ledger
        .events("outcome")
        .iter()
        .map(|event| event["intent"].as_u64().unwrap())
        .collect();
    let entries = ledger.entries().iter().zip(0_u64..);
    let open: Vec<_> = entries
        .filter(|(entry, index)| entry["event"]["type"] == "intent" && !settled.contains(index))
        .collect();
    assert_eq!(open.len(), 1, "{open:?}");
    let effects = &open[0].0["event"]["command"]["effects"];
    assert!(effects.to_string().contains("wait"), "{effects}");
    assert_eq!(ledger.events("started").len(), 3);
}

/// A file system in memory, unmounted when this is dropped.
struct Mount(PathBuf);

impl Mount {
    /// `None` where this user may not mount.
    fn new(at: &Path, bytes: u64) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(at)
            .output()
            .unwrap();
        mounted.status.success().then(|| Self(at.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn on_a_full_disk_commands_are_refused_until_there_is_room() {
    let database = Postgres::shared().database();
    let config = Config::bank(&database).all_permitted();
    let folder = config.directory().to_owned();
    let Some(mount) = Mount::new(&folder.join("data"), 8 << 20) else {
        eprintln!("only root can mount a small file system: nothing was tested");
        return;
    };
    // Recordings have room elsewhere: it is the ledger that is full.
    let recordings = folder.join("recordings").to_string_lossy().into_owned();
    let gateway = Gateway::start(config.set(&["recording", "folder"], recordings));
    let mut psql = gateway.bank().psql_talk();
    psql.say(r"\set VERBOSITY verbose");
    psql.say("CREATE TABLE written (n int);");
    psql.hear("CREATE TABLE");
    fill(&folder.join("data/filler"));
    // What was set aside before may still be used up.
    let mut refused = false;
    for n in 0..TRIES_MAX {
        psql.say(&format!(
            "INSERT INTO written VALUES ({n}); \\echo said {n} :SQLSTATE"
        ));
        refused = psql.hear(&format!("said {n} ")).ends_with("58030");
        if refused {
            break;
        }
    }
    assert!(refused, "the disk does not fill");
    let health = gateway.http("", "GET", "/healthz", "");
    assert_eq!(health.status, 503, "{health:?}");
    let count = || {
        let direct = database.endpoint().psql("SELECT count(*) FROM written");
        direct.success().stdout
    };
    let written = count();
    psql.say("INSERT INTO written VALUES (-1); \\echo still :SQLSTATE");
    assert!(psql.hear("still ").ends_with("58030"));
    assert_eq!(count(), written, "what was refused did not run");

    fs::remove_file(folder.join("data/filler")).unwrap();
    gateway.wait_for_log("the ledger writes again");
    let runs = |n: u32| {
        psql.say(&format!(
            "INSERT INTO written VALUES (-1); \\echo again {n} :SQLSTATE"
        ));
        psql.hear(&format!("again {n} ")).ends_with("00000")
    };
    assert!((0..TRIES_MAX).any(runs), "there is room again");
    drop(psql);
    let (_, config) = gateway.stop();
    let inserted = config.ledger().permitted();
    let inserted = inserted.iter().filter(|tag| *tag == "INSERT").count();
    assert_eq!(
        count(),
        format!("{inserted}\n"),
        "every one that ran is recorded"
    );
    drop(mount);
}

/// Writes until there is no room for another byte.
fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = fs::File::create(path).unwrap();
    for size in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

#[test]
fn where_no_file_may_grow_nothing_runs() {
    let database = Postgres::shared().database();
    let gateway = Gateway::start(Config::bank(&database).all_permitted());
    gateway.bank().psql("SELECT 1").success();
    let limit = |size: &str| {
        let pid = gateway.pid().to_string();
        let limit = format!("--fsize={size}:unlimited");
        let done = Command::new("prlimit")
            .args(["--pid", &pid, &limit])
            .status();
        assert!(done.unwrap().success());
    };
    let bank = gateway.bank();
    limit("0");
    let refused = bank.psql("SELECT 'it ran'").failure();
    assert!(!refused.stdout.contains("it ran"), "{refused:?}");
    limit("unlimited");
    let runs = |_| bank.psql("SELECT 'it ran'").code == Some(0);
    assert!((0..TRIES_MAX).any(runs));
}
