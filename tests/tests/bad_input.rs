//! What no honest peer sends: broken messages in every state, clients that say nothing, targets that go away, and
//! configurations that cannot be. The gateway names what is wrong, ends what must end, and goes on serving the others.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test ends where something is missing, and tells a story in one piece"
)]

use std::fs;
use std::path::Path;
use tests::wire::{self, Message, message, startup};
use tests::{Config, Endpoint, Gateway, Postgres, Wire};

/// Permits all but one target.
const BANK_ONLY: &str = r#"
@id("others")
forbid (principal, action == Action::"access", resource)
unless { resource == Target::"bank" };
"#;

/// A gateway that permits everything.
fn open(configure: impl Fn(Config) -> Config) -> Gateway {
    let database = Postgres::shared().database();
    let config = Config::bank(&database).all_permitted();
    // It is dropped with the cluster.
    std::mem::forget(database);
    Gateway::start(configure(config))
}

/// The gateway, on loopback without TLS.
fn bare(gateway: &Gateway) -> Endpoint {
    gateway.bank().tls(tests::Tls::Off)
}

fn serves(bank: &Endpoint) {
    assert_eq!(bank.psql("SELECT 'served'").success().stdout, "served\n");
}

/// The last message before the end, which must be a fatal error: its code and text.
fn fatal(messages: &[Message]) -> (String, String) {
    let last = messages.last().unwrap();
    assert_eq!(last.kind, 'E', "{messages:?}");
    assert_eq!(last.field('S'), "FATAL", "{last:?}");
    (last.field('C'), last.field('M'))
}

/// A startup packet with this version and body.
fn packet(version: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).unwrap();
    [&length.to_be_bytes(), &version.to_be_bytes(), body].concat()
}

const VERSION_3: u32 = 196_608;
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const GSS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 48];

#[test]
fn broken_startup_packets_are_named() {
    let gateway = open(|config| config);
    let bank = bare(&gateway);
    let user = b"user\0agent\0database\0bank\0\0";
    let cases: [(&[u8], &str); 11] = [
        (&[0, 0, 0, 3, 0], "length is under 4"),
        (&[0xff; 8], "longer than the gateway's limit"),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "longer than the gateway's limit",
        ),
        (&packet(131_072, user), "only version 3"),
        (&packet(4 << 16, user), "only version 3"),
        (&packet(VERSION_3, b"user\0agent"), "a string has no end"),
        (
            &packet(VERSION_3, b"user\0agent\0\0more"),
            "goes on after its last field",
        ),
        (
            &packet(VERSION_3, b"database\0bank\0\0"),
            "no PostgreSQL user name",
        ),
        (
            &packet(VERSION_3, &[b'x'; 10_001]),
            "longer than the gateway's limit",
        ),
        (
            &[SSL_REQUEST.as_slice(), &packet(VERSION_3, user)].concat(),
            "before it was answered",
        ),
        (&packet(1234 << 16 | 9999, b""), "only version 3"),
    ];
    for (bytes, reason) in cases {
        let mut wire = Wire::connect(&bank);
        wire.send_raw(bytes);
        let (code, text) = fatal(&wire::messages(&wire.until_closed()));
        assert!(["08P01", "28000"].contains(&&*code), "{code}");
        assert!(text.contains(reason), "{text} is not {reason}");
    }
    // Encryption that is not spoken is refused with one byte, and not for ever.
    let mut wire = Wire::connect(&bank);
    wire.send_raw(&GSS_REQUEST.repeat(3));
    let answer = wire.until_closed();
    assert_eq!(answer[..2], *b"NN");
    fatal(&wire::messages(&answer[2..]));
    // A cancel request is never answered.
    let mut wire = Wire::connect(&bank);
    wire.send_raw(&packet(1234 << 16 | 5678, &[7; 8]));
    assert!(wire.until_closed().is_empty());
    serves(&bank);
}

#[test]
fn broken_passwords_are_named() {
    let gateway = open(|config| config);
    let bank = bare(&gateway);
    for (bytes, reason) in [
        (message('Q', b"SELECT 1\0"), "before login"),
        (message('p', b"token"), "a string has no end"),
        (
            message('p', b"token\0more\0"),
            "goes on after its last field",
        ),
        (
            message('p', &[b'x'; 70_000]),
            "longer than the gateway's limit",
        ),
        (b"p\0\0\0\x03".to_vec(), "length is under 4"),
        (message('p', b"\0"), "the token is not accepted"),
        (message('p', &[0xff, 0xfe, 0]), "the token is not accepted"),
    ] {
        let mut wire = Wire::connect(&bank);
        wire.send_raw(&startup(&bank));
        wire.send_raw(&bytes);
        let (code, text) = fatal(&wire::messages(&wire.until_closed()));
        assert!(["08P01", "28P01"].contains(&&*code), "{code}");
        assert!(text.contains(reason), "{text} is not {reason}");
    }
    serves(&bank);
}

/// A login and a query, as they travel.
fn conversation(bank: &Endpoint) -> Vec<u8> {
    let password = message('p', &[bank.password.as_bytes(), &[0]].concat());
    [startup(bank), password, message('Q', b"SELECT 'whole'\0")].concat()
}

#[test]
fn a_conversation_may_be_cut_anywhere_and_break_off_anywhere() {
    let gateway = open(|config| config);
    let bank = bare(&gateway);
    let whole = conversation(&bank);
    let last = whole.len() - message('Q', b"SELECT 'whole'\0").len();
    // Byte by byte at the ends of its messages, and a few within the token.
    let first = startup(&bank).len();
    let cuts = (0..first + 8)
        .chain((first + 8..last).step_by(97))
        .chain(last..whole.len());
    for cut in cuts {
        let mut wire = Wire::connect(&bank);
        wire.send_raw(&whole[..cut]);
        wire.end();
        wire.until_closed();

        let mut wire = Wire::connect(&bank);
        wire.send_raw(&whole[..cut]);
        // What is answered in between shows that the first part arrived by itself.
        if cut >= first {
            assert_eq!(wire.receive().unwrap().kind, 'R');
        }
        wire.send_raw(&whole[cut..]);
        let messages: Vec<Message> = std::iter::from_fn(|| wire.receive())
            .take_while(|message| message.kind != 'C')
            .collect();
        assert_eq!(messages.last().unwrap().kind, 'D', "cut at {cut}");
    }
    serves(&bank);
}

/// Types and bodies.
type Messages = &'static [(char, &'static [u8])];

/// What brings a session that is logged in into a state, and what to wait for then.
const STATES: [(&str, Messages, char); 6] = [
    ("idle", &[('Q', b"\0")], 'Z'),
    ("in a transaction", &[('Q', b"BEGIN\0")], 'Z'),
    (
        "in a failed transaction",
        &[('Q', b"BEGIN; SELECT 1/0\0")],
        'Z',
    ),
    (
        "within a batch",
        &[('P', b"\0SELECT 1\0\0\0"), ('H', b"")],
        '1',
    ),
    (
        "skipping to Sync",
        &[('P', b"\0SELEC\0\0\0"), ('H', b"")],
        'E',
    ),
    (
        "copying in",
        &[('Q', b"COPY support_notes FROM STDIN\0")],
        'G',
    ),
];

#[test]
fn broken_messages_end_the_session_in_every_state() {
    let gateway = open(|config| config);
    let bank = bare(&gateway);
    let broken: [(&str, &[u8], &str); 6] = [
        ("kind", b"z\0\0\0\x04", "a kind that is not known"),
        ("no kind", b"\0\0\0\0\x04", "a kind that is not known"),
        ("login", b"p\0\0\0\x05\0", "a kind that is not known"),
        ("short", b"Q\0\0\0\x03", "length is under 4"),
        (
            "negative",
            b"Q\xff\xff\xff\xff",
            "longer than the gateway's limit",
        ),
        (
            "long",
            b"Q\x7f\xff\xff\xff",
            "longer than the gateway's limit",
        ),
    ];
    for (state, way, arrived) in STATES {
        for (what, bytes, reason) in broken {
            let mut wire = Wire::log_in(&bank).unwrap();
            for (kind, body) in way {
                wire.send(*kind, body);
            }
            while wire.receive().unwrap().kind != arrived {}
            wire.send_raw(bytes);
            let end = wire::messages(&wire.until_closed());
            let (code, text) = fatal(&end);
            assert_eq!(code, "08P01", "{state}, {what}: {text}");
            let copying = state == "copying in" && text.contains("during COPY");
            assert!(copying || text.contains(reason), "{state}, {what}: {text}");
        }
    }
    serves(&bank);
    let database =
        "SELECT count(*) FROM pg_stat_activity WHERE xact_start < now() - interval '1 hour'";
    assert_eq!(bank.psql(database).success().stdout, "0\n");
}

#[test]
fn broken_bodies_are_named() {
    let gateway = open(|config| config);
    let bank = bare(&gateway);
    let cases: [(char, &[u8], &str); 14] = [
        ('Q', b"", "a string has no end"),
        ('Q', b"SELECT 1", "a string has no end"),
        ('Q', b"SELECT 1\0SELECT 2\0", "goes on after its last field"),
        ('P', b"name\0SELECT 1\0", "ends before its last field"),
        ('P', b"\0SELECT 1\0\0\x05", "ends before its last field"),
        ('P', b"\0SELECT 1\0\xff\xff", "ends before its last field"),
        ('B', b"\0\0\0", "ends before its last field"),
        ('B', b"\0\0\0\0\xff\xff", "ends before its last field"),
        (
            'B',
            b"\0\0\0\0\0\x01\xff\xff\xff\xf0\0\0",
            "length is negative",
        ),
        ('D', b"X\0", "name a statement or a portal"),
        ('D', b"", "ends before its last field"),
        ('E', b"\0\0", "ends before its last field"),
        ('C', b"Q\0", "name a statement or a portal"),
        ('C', b"S", "a string has no end"),
    ];
    for (kind, body, reason) in cases {
        let mut wire = Wire::log_in(&bank).unwrap();
        wire.send(kind, body);
        let (code, text) = fatal(&wire::messages(&wire.until_closed()));
        assert_eq!(code, "08P01");
        assert!(text.contains(reason), "{kind} {body:?}: {text}");
    }
    // What PostgreSQL would refuse and go on after.
    for (kind, body, code) in [
        ('F', b"\0\0\0\x01\0\0\0\0\0\0".as_slice(), "0A000"),
        ('Q', b"SELECT '\xff'\0", "22021"),
        ('Q', b"SELEC\0", "42601"),
    ] {
        let mut wire = Wire::log_in(&bank).unwrap();
        wire.send(kind, body);
        let answer = wire.receive_all();
        assert_eq!(answer[0].field('C'), code, "{answer:?}");
        wire.send('Q', b"SELECT 1\0");
        assert!(wire.receive_all().iter().any(|message| message.kind == 'D'));
    }
}

#[test]
fn silent_clients_keep_nobody_out() {
    let gateway = open(|config| config.set(&["limits", "unauthenticated"], 3));
    let bank = bare(&gateway);
    let mut logged_in = bank.psql_talk();
    logged_in.say("SELECT 'first';");
    logged_in.hear("first");
    let mut silent: Vec<Wire> = (0..3).map(|_| Wire::connect(&bank)).collect();
    for wire in &mut silent {
        // Half of a startup packet.
        wire.send_raw(&startup(&bank)[..9]);
    }
    serves(&bank);
    serves(&bank);
    // The one who has said nothing for longest made room.
    assert!(silent.remove(0).until_closed().is_empty());
    logged_in.say("SELECT 'still here';");
    logged_in.hear("still here");
    // The others may go on.
    let mut last = silent.pop().unwrap();
    last.send_raw(&startup(&bank)[9..]);
    assert_eq!(last.receive().unwrap().kind, 'R');
}

#[test]
fn a_login_has_a_deadline() {
    let gateway = open(|config| config.set(&["limits", "login"], "700ms"));
    let bank = bare(&gateway);
    let whole = startup(&bank);
    for sent in [&[][..], &whole[..5], &whole] {
        let mut wire = Wire::connect(&bank);
        wire.send_raw(sent);
        wire.until_closed();
    }
    serves(&bank);
}

#[test]
fn an_idle_session_ends_where_the_configuration_says_so() {
    let gateway = open(|config| config.set(&["limits", "idle"], "500ms"));
    let mut wire = Wire::log_in(&bare(&gateway)).unwrap();
    wire.until_closed();
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let closed = ledger.events("session_closed");
    assert_eq!(closed[0]["reason"], "nothing moved for too long");
}

#[test]
fn an_unknown_target_and_a_forbidden_one_look_alike() {
    let gateway = open(|config| {
        let bank = config.directory().join("bank.password");
        let config = config.policy("20-others.cedar", BANK_ONLY);
        let mut password = toml::Table::new();
        password.insert(
            "file".to_owned(),
            bank.to_string_lossy().into_owned().into(),
        );
        config
            .set(&["targets", "vault", "protocol"], "postgres")
            .set(&["targets", "vault", "address"], "127.0.0.1:1")
            .set(&["targets", "vault", "database"], "vault")
            .set(&["targets", "vault", "user"], "vault")
            .set(&["targets", "vault", "password"], password)
    });
    let bank = bare(&gateway);
    let refusal = |target: &str| {
        let Err(error) = Wire::log_in(&bank.database(target)) else {
            panic!("{target} lets in");
        };
        error
    };
    let (forbidden, unknown) = (refusal("vault"), refusal("nosuc"));
    assert_eq!(forbidden.field('C'), "28000");
    let text = |error: &Message| String::from_utf8(error.body.clone()).unwrap();
    assert_eq!(text(&forbidden), text(&unknown).replace("nosuc", "vault"));
    serves(&bank);
}

#[test]
fn a_target_that_cannot_be_reached_is_said_so_without_its_address() {
    let gateway = open(|config| config.set(&["targets", "bank", "address"], "127.0.0.1:1"));
    let Err(error) = Wire::log_in(&bare(&gateway)) else {
        panic!("there is nothing to log in to");
    };
    assert_eq!(error.field('C'), "08006");
    assert!(error.field('M').contains("cannot be reached"), "{error:?}");
    assert!(!format!("{error:?}").contains("127.0.0.1"), "{error:?}");
    gateway.wait_for_log("127.0.0.1:1");
}

#[test]
fn a_target_that_dies_within_a_result_ends_the_session() {
    let mut cluster = Postgres::start();
    let gateway = {
        let database = cluster.database();
        let config = Config::bank(&database).all_permitted();
        std::mem::forget(database);
        Gateway::start(config)
    };
    let bank = bare(&gateway);
    let mut wire = Wire::log_in(&bank).unwrap();
    wire.send(
        'Q',
        b"SELECT repeat('x', 10000) FROM generate_series(1, 1000000)\0",
    );
    while wire.receive().unwrap().kind != 'D' {}
    cluster.stop();
    let mut last = None;
    while let Some(message) = wire.receive() {
        last = Some(message);
    }
    let last = last.unwrap();
    assert_eq!(last.kind, 'E');
    assert!(
        ["FATAL", "WARNING"].contains(&&*last.field('S')),
        "{last:?}"
    );
    let Err(error) = Wire::log_in(&bank) else {
        panic!("the target has gone");
    };
    assert_eq!(error.field('C'), "08006");
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let outcomes = ledger.events("outcome");
    let statuses = outcomes.iter().map(|event| &event["outcome"]["status"]);
    assert!(
        statuses.clone().any(|status| status != "completed"),
        "{:?}",
        statuses.collect::<Vec<_>>()
    );
}

#[test]
fn configurations_that_cannot_be_are_named_at_start() {
    let database = Postgres::shared().database();
    let good = || Config::bank(&database).all_permitted();
    let cases: [(Config, &[&str]); 9] = [
        (
            good().set(&["postgress"], toml::Table::new()),
            &["countersign.toml:", "postgress", "postgres"],
        ),
        (
            good().set(&["limits", "login"], "30"),
            &["countersign.toml:", "limits.login", "30s"],
        ),
        (
            good().set(&["targets", "bank", "tls"], "maybe"),
            &["targets.bank.tls", "verify-full"],
        ),
        (
            good().unset(&["targets", "bank", "address"]),
            &["targets.bank.address is missing"],
        ),
        (
            good().set(&["targets", "bank", "password"], "secret"),
            &["targets.bank.password"],
        ),
        (
            good().set(&["targets", "bank", "ca"], "/nonexistent.pem"),
            &["bank", "/nonexistent.pem"],
        ),
        (
            good().policy("20-bad.cedar", "permit (principal, action, resource"),
            &["20-bad.cedar:1"],
        ),
        (
            good().policy(
                "20-bad.cedar",
                "permit (principal, action == Postgres::Action::\"selekt\", resource);",
            ),
            &["20-bad.cedar:1", "selekt"],
        ),
        (
            Config::bank(&database),
            &["policies", "holds no .cedar file"],
        ),
    ];
    for (config, expected) in cases {
        let Err(log) = Gateway::try_start(config) else {
            panic!("it starts without {expected:?}");
        };
        for text in expected {
            assert!(log.contains(text), "{text:?} is not in\n{log}");
        }
        assert!(!log.contains("panicked"), "{log}");
    }
}

#[test]
fn a_bad_policy_leaves_the_good_ones_in_force() {
    let gateway = open(|config| config);
    gateway.rewrite_policy("20-bad.cedar", "permit (principal, action, resource");
    gateway.wait_for_log("20-bad.cedar:1");
    serves(&bare(&gateway));
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let rejected = ledger.events("policy_rejected");
    assert!(
        rejected[0]["error"]
            .as_str()
            .unwrap()
            .contains("20-bad.cedar:1")
    );
}

#[test]
fn a_second_gateway_on_the_same_data_does_not_start() {
    let gateway = open(|config| config);
    let second = gateway.countersign(&["serve"]).failure();
    assert!(second.stderr.contains("ledger"), "{second:?}");
    serves(&bare(&gateway));
}

/// Every file below a folder that holds this text.
fn holding(folder: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, secret));
        } else if memchr::memmem::find(&fs::read(&path).unwrap(), secret.as_bytes()).is_some() {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
fn secrets_stand_nowhere() {
    let database = Postgres::shared().database();
    let password = database.endpoint().password;
    let gateway = Gateway::start(Config::bank(&database).all_permitted());
    let bank = bare(&gateway);
    serves(&bank);
    bank.psql("SELECT 1/0").failure();
    let stolen = bank.login("claude-code", "not-the-token-4711");
    stolen.psql("SELECT 1").failure();
    let pid = gateway.pid();
    let seen = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap();
    let process = [seen("cmdline"), seen("environ")].concat();
    let process = String::from_utf8_lossy(&process).into_owned();
    let log = gateway.log();
    let (_, config) = gateway.stop();
    let data = config.directory().join("data");
    for secret in [&*password, &*bank.password, "not-the-token-4711"] {
        assert!(!process.contains(secret), "in ps");
        assert!(!log.contains(secret), "{log}");
        assert_eq!(holding(&data, secret), Vec::<String>::new());
    }
}
