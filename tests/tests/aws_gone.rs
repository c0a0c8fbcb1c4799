//! Clients that leave: within an upload, while people are asked, and before they have all of their answer. It is not the target's
//! fault, and nothing that was approved stays open by it.

#![allow(
    clippy::disallowed_types,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use tests::lake::{self, GATED, POLICIES};
use tests::raw::{Raw, exchange, sending};
use tests::{Agent, Config, Gateway, Person, S3, leaves};

fn scene(hold: &str, configure: impl Fn(Config) -> Config) -> (S3, Gateway, Person) {
    let (server, bob) = (S3::start(), Person::new("bob"));
    fs::create_dir(server.folder().join("lake")).unwrap();
    let config = Config::s3(&server)
        .policy("10-lake.cedar", POLICIES)
        .policy("20-gates.cedar", GATED)
        .person(&bob)
        .set(&["aws", "hold"], hold);
    (server, Gateway::start(configure(config)), bob)
}

/// How the requests of this tag ended, and whether they may go again.
fn ended(gateway: Gateway, tag: &str) -> (Vec<Value>, Config) {
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let ended = ledger.ended(|intent| intent["command"]["tag"] == tag);
    (ended, config)
}

fn pending(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let found = words.find(|word| word.starts_with("cs-"));
    found.unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn an_upload_that_breaks_off_is_the_clients_and_uses_its_approval_up() {
    let content = vec![b'a'; 200_000];
    let put = |raw: &Raw| {
        let (name, number) = sending();
        let fields = [(name, number.as_str()), ("content-length", "200000")];
        raw.signed("s3", "PUT", "/lake/ledger/a", &fields, &content)
    };
    let (server, gateway, bob) = scene("100ms", lake::in_clear);
    let raw = Raw::of(&gateway, "lake", &[]);
    for how in ["half", "reset"] {
        let held = exchange(raw.address, &put(&raw), false);
        gateway
            .give("approve", &pending(&held.text()), &bob, &["stewards"])
            .success();
        let mut half = put(&raw);
        half.truncate(half.len() - 100_000);
        leaves(&gateway, raw.address, &half, how).success();
        sleep(Duration::from_millis(300));
    }
    // Nobody's yes is left.
    let held = exchange(raw.address, &put(&raw), false);
    assert_eq!(held.status, 403, "{held:?}");
    assert!(!server.folder().join("lake/ledger/a").exists());
    let log = gateway.log();
    assert!(!log.contains("did not reach its target"), "{log}");
    let (ended, config) = ended(gateway, "s3:PutObject");
    assert_eq!(ended, [json!(["aborted", null]), json!(["aborted", null])]);
    let ledger = config.ledger();
    assert_eq!(ledger.events("approval_requested").len(), 3);
}

#[test]
fn a_stream_that_is_reset_ends_alone() {
    let permitted = GATED.replace("ledger/*", "never/*");
    let (server, gateway, _) = scene("100ms", |config| {
        config.policy("20-gates.cedar", &permitted)
    });
    let agent = Agent::new(&gateway, "lake", &[]);
    let said = agent.node("s3_gone.js", &[]).success().json_lines();
    assert!(said[0].as_str().unwrap().contains("aborted"), "{said:?}");
    assert!(!server.folder().join("lake/ledger/a").exists());
    assert!(server.folder().join("lake/other").exists());
    let (ended, _) = ended(gateway, "s3:PutObject");
    assert_eq!(
        ended,
        [json!(["aborted", null]), json!(["completed", null])]
    );
}

#[test]
fn who_leaves_while_people_are_asked_takes_the_question_along() {
    let (server, gateway, bob) = scene("20s", lake::in_clear);
    let raw = Raw::of(&gateway, "lake", &[]);
    let put = raw.signed(
        "s3",
        "PUT",
        "/lake/ledger/a",
        &[("content-length", "1")],
        b"x",
    );
    let mut stream = TcpStream::connect(raw.address).unwrap();
    stream.write_all(&put).unwrap();
    let waiting = || gateway.countersign_as("", &["approvals"]).stdout;
    while !waiting().contains("cs-") {
        sleep(Duration::from_millis(50));
    }
    let approval = pending(&waiting());
    drop(stream);
    gateway.wait_until_nothing_is_open();
    gateway
        .give("approve", &approval, &bob, &["stewards"])
        .failure();
    assert!(!server.folder().join("lake/ledger/a").exists());
    let (ended, config) = ended(gateway, "s3:PutObject");
    assert!(ended.is_empty(), "{ended:?}");
    let ledger = config.ledger();
    assert_eq!(ledger.events("approval_closed")[0]["reason"], "withdrawn");
}

#[test]
fn who_leaves_before_the_end_of_an_answer_is_recorded_so() {
    let (server, gateway, _) = scene("100ms", lake::in_clear);
    let line = "a line of a report\n".repeat(2_000_000);
    fs::write(server.folder().join("lake/large"), line).unwrap();
    let raw = Raw::of(&gateway, "lake", &[]);
    let get = raw.signed("s3", "GET", "/lake/large", &[], b"");
    let mut stream = TcpStream::connect(raw.address).unwrap();
    stream.write_all(&get).unwrap();
    let mut some = [0; 1_000];
    stream.read_exact(&mut some).unwrap();
    assert!(some.starts_with(b"HTTP/1.1 200"));
    drop(stream);
    sleep(Duration::from_millis(300));
    let (ended, _) = ended(gateway, "s3:GetObject");
    assert_eq!(ended, [json!(["aborted", null])]);
}
