//! How often, and how much at a time: signatures that come again, sessions of one holder, and what uploads carry.

#![allow(
    clippy::disallowed_types,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use std::net::TcpListener;
use std::thread;

use serde_json::{Value, json};
use tests::lake::{self, POLICIES};
use tests::raw::{Canned, Raw, Reply, exchange};
use tests::{Agent, Config, Gateway, Moto};

const BUSY: &str = "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// What was refused, with its code.
fn refused(config: &Config) -> Vec<(String, Value)> {
    let ledger = config.ledger();
    let events = ledger.events("refused");
    let told = |it: &Value| {
        let tag = it["command"]["tag"].as_str().unwrap().to_owned();
        (tag, it["denial"]["code"].clone())
    };
    events.iter().map(|it| told(it)).collect()
}

#[test]
fn what_changes_something_counts_once_and_what_looks_counts_again() {
    let (target, gateway) = lake::of_canned(OK, |config| config);
    let raw = Raw::of(&gateway, "lake", &[]);
    let send = |request: &[u8]| exchange(raw.address, request, false);
    let put = raw.signed("s3", "PUT", "/lake/a", &[("content-length", "1")], b"x");
    assert_eq!(send(&put).status, 200);
    let again = send(&put);
    assert_eq!(again.status, 403, "{}", again.text());
    assert!(
        again.text().contains("<Code>AccessDenied</Code>") && again.text().contains("used already"),
        "{}",
        again.text()
    );
    let item = raw.put_item(&[], br#"{"TableName":"t","Item":{"id":{"S":"1"}}}"#);
    assert_eq!(send(&item).status, 200);
    let again = send(&item);
    assert!(
        again.text().contains("InvalidSignatureException"),
        "{again:?}"
    );
    let get = raw.signed("s3", "GET", "/lake/a", &[], b"");
    assert_eq!([send(&get).status, send(&get).status], [200, 200]);

    let by_url = |method: &str, url: &str| {
        let host = raw.address;
        send(
            format!("{method} {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n")
                .as_bytes(),
        )
    };
    for (method, statuses) in [
        ("GET", [200; 3]),
        ("PUT", [200, 403, 403]),
        ("DELETE", [200, 403, 403]),
    ] {
        let url = raw.presigned(method, "/lake/b", 600);
        let got = [(); 3].map(|()| by_url(method, &url).status);
        assert_eq!(got, statuses, "{method}");
    }
    assert_eq!(target.heads().len(), 9);
    let (_, config) = gateway.stop();
    let of = |tag: &str| (tag.to_owned(), json!("unauthenticated"));
    let (put, delete) = (of("s3:PutObject"), of("s3:DeleteObject"));
    assert_eq!(
        refused(&config),
        [
            put.clone(),
            of("dynamodb:PutItem"),
            put.clone(),
            put,
            delete.clone(),
            delete
        ]
    );
}

/// What came to nothing may be tried again with what it was signed with.
#[test]
fn a_signature_is_not_used_up_where_the_target_failed() {
    let (target, gateway) = lake::of_canned(BUSY, |config| config);
    let raw = Raw::of(&gateway, "lake", &[]);
    let put = raw.signed("s3", "PUT", "/lake/a", &[("content-length", "1")], b"x");
    let sent = [(); 2].map(|()| exchange(raw.address, &put, false).status);
    assert_eq!((sent, target.heads().len()), ([503, 503], 2));
}

/// What came to something counts, though its answer is not shown.
#[test]
fn a_signature_is_used_up_where_the_answer_is_withheld() {
    let binary = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\0\0";
    let (target, gateway) = lake::of_canned(binary, |config| config);
    let raw = Raw::of(&gateway, "lake", &[]);
    let item = raw.put_item(&[], br#"{"TableName":"t","Item":{"id":{"S":"1"}}}"#);
    let sent = [(); 2].map(|()| exchange(raw.address, &item, false).text());
    assert!(sent[0].contains("withheld"), "{}", sent[0]);
    assert!(sent[1].contains("used already"), "{}", sent[1]);
    assert_eq!(target.heads().len(), 1);
}

#[test]
fn keys_are_given_once_for_a_signature() {
    let (_target, gateway) = lake::of_canned(OK, |config| config);
    let raw = Raw::of(&gateway, "lake", &[]);
    let form = b"Action=GetSessionToken&Version=2011-06-15";
    let length = form.len().to_string();
    let fields = [
        ("content-length", length.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let ask = raw.signed("sts", "POST", "/", &fields, form);
    let first = exchange(raw.address, &ask, false);
    assert!(first.text().contains("SecretAccessKey"), "{first:?}");
    let second = exchange(raw.address, &ask, false);
    assert_eq!(second.status, 403, "{second:?}");
    assert!(
        second.text().contains("SignatureDoesNotMatch")
            && !second.text().contains("SecretAccessKey")
    );
}

#[test]
fn version_4a_is_refused_in_the_services_own_form() {
    let moto = Moto::start();
    let gateway = Gateway::start(Config::aws(&moto).policy("10-lake.cedar", POLICIES));
    let agent = Agent::new(&gateway, "lake", &[]);
    let answers = agent.cases(&["sigv4a"]).success().json_lines().remove(0);
    assert_eq!(
        answers["result"],
        json!({
            "s3": ["AuthorizationHeaderMalformed", 400, true],
            "dynamodb": ["IncompleteSignatureException", 400, true],
            "sts": ["IncompleteSignature", 400, true],
            "url": [400, true],
        })
    );
}

#[test]
fn one_holder_has_so_many_sessions_at_once() {
    let (_target, gateway) = lake::of_canned(OK, |config| config.set(&["aws", "sessions"], 2));
    let get = |raw: &Raw| raw.s3("GET", "/lake/a", &[], b"").status;
    let keys = [(); 3].map(|()| Raw::of(&gateway, "lake", &[]));
    // The first rests longest when the third comes, and begins anew when it asks again.
    for raw in [&keys[0], &keys[1], &keys[2], &keys[0], &keys[0]] {
        assert_eq!(get(raw), 200);
    }
    assert_eq!(get(&Raw::of_human(&gateway, "lake", "bob", &[])), 200);
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let humans: Vec<_> = ledger
        .events("session_opened")
        .iter()
        .map(|it| it["identity"]["human"].clone())
        .collect();
    assert_eq!(humans, ["alice", "alice", "alice", "alice", "bob"]);
    let closed = ledger.events("session_closed");
    let displaced = closed
        .iter()
        .filter(|it| it["reason"] == "its holder began another session");
    assert_eq!((displaced.count(), closed.len()), (2, 5));
}

#[test]
fn where_none_of_them_rests_another_is_refused_and_recorded() {
    // Connections to it are made and never answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, keys) = (silent.local_addr().unwrap(), Canned::keys());
    let config = Config::account(address, &keys.access_key, "secret")
        .unset(&["aws", "tls"])
        .policy("10-lake.cedar", POLICIES)
        .set(&["aws", "sessions"], 1);
    let gateway = Gateway::start(config);
    let (one, other) = (
        Raw::of(&gateway, "lake", &[]),
        Raw::of(&gateway, "lake", &[]),
    );
    let get = |raw: &Raw| -> Reply { raw.s3("GET", "/lake/a", &[], b"") };
    thread::scope(|scope| {
        let first = scope.spawn(|| get(&one));
        gateway.wait_for_log("session opened");
        let second = get(&other);
        assert_eq!(second.status, 403, "{}", second.text());
        assert!(
            second.text().contains("<Code>AccessDenied</Code>")
                && second.text().contains("has 1 sessions"),
            "{}",
            second.text()
        );
        drop(silent);
        assert_eq!(first.join().unwrap().status, 503);
    });
    // Now it rests.
    assert_eq!(get(&other).status, 503);
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let logins = ledger.events("authenticated");
    let refused: Vec<_> = logins
        .iter()
        .filter_map(|it| it["refused"].as_str())
        .collect();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].contains("has 1 sessions"), "{refused:?}");
}

const SCREENED: &str = r#"
@id("no-cards")
forbid (principal, action == Aws::Action::"write", resource) when { context.carries.contains("pan") };
@id("staff-codes")
forbid (principal, action == Aws::Action::"write", resource) when { context.carries.contains("staff_code") };
@id("seen")
forbid (principal, action == Aws::Action::"write", resource == Aws::Object::"lake/seen")
when { context.carries.contains("uninspected") };
"#;

#[test]
fn policy_refuses_uploads_for_what_they_carry() {
    let declared = r#"{ bucket = "lake", prefix = "csv/", columns = { code = "staff_code" } }"#;
    let (server, gateway) = lake::of_s3(|config| {
        let config = lake::in_clear(config).policy("20-screened.cedar", SCREENED);
        lake::objects(config, declared)
    });
    let raw = Raw::of(&gateway, "lake", &[]);
    let put = |key: &str, fields: &[(&str, &str)], body: &[u8]| {
        raw.s3("PUT", &format!("/lake/{key}"), fields, body).status
    };
    let card = "a line\n4111 1111 1111 1111\n";
    let unsigned: &[(&str, &str)] = &[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
    let packed = zstd::encode_all(card.as_bytes(), 3).unwrap();
    assert_eq!(put("a", &[], b"a line\n"), 200);
    assert_eq!(put("a", &[], card.as_bytes()), 403);
    assert_eq!(put("a", unsigned, card.as_bytes()), 403);
    assert_eq!(put("a", &[], &packed), 403);
    assert_eq!(put("csv/a", &[], b"id,code\n1,kiwi\n"), 403);
    assert_eq!(put("other/a", &[], b"id,code\n1,kiwi\n"), 200);
    // What cannot be looked at says so.
    assert_eq!(put("a", &[], &[0, 1, 2]), 200);
    assert_eq!(put("seen", &[], &[0, 1, 2]), 403);
    assert_eq!(put("seen", &[], b"text"), 200);
    let large = vec![b'x'; (16 << 20) + 1];
    assert_eq!(put("seen", &[], &large), 403);
    let chunked = |line: &str| {
        let block = bytes::Bytes::from(line.repeat(4_000));
        raw.put_stream("/lake/a", &block, 2).status
    };
    assert_eq!([chunked("a line\n"), chunked(card)], [200, 403]);
    // What was looked at arrives as it was sent.
    assert_eq!(
        std::fs::read(server.folder().join("lake/a")).unwrap(),
        "a line\n".repeat(8_000).as_bytes()
    );

    // Calls too.
    let item = br#"{"TableName":"t","Item":{"id":{"S":"4111111111111111"}}}"#;
    let call = exchange(raw.address, &raw.put_item(&[], item), false);
    assert!(call.text().contains("no-cards"), "{}", call.text());
}
