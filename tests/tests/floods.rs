//! Floods of logins that fail: the ledger is not filled, what is left out is counted, and who has proved who they are is heard all the same.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use serde_json::Value;
use tests::raw::{Raw, exchange, sts};
use tests::{Config, Gateway, Postgres, lake};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const FLOOD: usize = 50;

/// The logins that were refused.
fn refused(config: &Config) -> Vec<Value> {
    let ledger = config.ledger();
    let logins = ledger.events("authenticated");
    let refused = logins.into_iter().filter(|it| it["refused"].is_string());
    refused.cloned().collect()
}

/// Ten of a flood stand there, and at last how many more there were.
fn is_bounded(logins: &[Value]) {
    assert_eq!(logins.len(), 11, "{logins:?}");
    let last = &logins[10];
    assert_eq!(last["source"], "127.0.0.1");
    let why = last["refused"].as_str().unwrap();
    assert!(why.starts_with("40 more requests were refused"), "{why}");
}

#[test]
fn bad_signatures_do_not_fill_the_ledger_and_are_counted() {
    let (_target, gateway) = lake::of_canned(OK, |config| config);
    let raw = Raw::of(&gateway, "lake", &[]).with_secret("guess");
    for _ in 0..FLOOD {
        assert_eq!(raw.s3("GET", "/lake/a", &[], b"").status, 403);
    }
    let (_, config) = gateway.stop();
    is_bounded(&refused(&config));
}

#[test]
fn bad_tokens_do_not_either_and_leave_room_for_who_is_known() {
    let (_target, gateway) = lake::of_canned(OK, |config| config);
    let address = gateway.address("aws");
    let ask = |token: &str, target: &str| {
        let form = format!(
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=work\
             &RoleArn=arn:aws:iam::000000000000:role/{target}&WebIdentityToken={token}"
        );
        exchange(address, &sts(address, &form), false).status
    };
    for _ in 0..FLOOD {
        assert_eq!(ask("e30.e30.e30", "lake"), 400);
    }
    let token = gateway.token("claude-code", "alice");
    for _ in 0..FLOOD {
        assert_ne!(ask(&token, "vault"), 200);
    }
    let (_, config) = gateway.stop();
    let (of_alice, of_nobody): (Vec<Value>, Vec<Value>) = refused(&config)
        .into_iter()
        .partition(|it| it["identity"].is_object());
    is_bounded(&of_nobody);
    assert_eq!(of_alice.len(), 11, "{of_alice:?}");
    assert!(of_alice.iter().all(|it| it["identity"]["human"] == "alice"));
    assert!(of_alice[..10].iter().all(|it| it["target"] == "vault"));
    let why = of_alice[10]["refused"].as_str().unwrap();
    assert!(why.starts_with("40 more requests were refused"), "{why}");
}

#[test]
fn bad_tokens_of_postgres_do_not_either() {
    let database = Postgres::shared().database();
    let gateway = Gateway::start(Config::bank(&database).all_permitted());
    let bank = gateway.endpoint("bank", "claude-code", "e30.e30.e30");
    for _ in 0..FLOOD {
        bank.psql("SELECT 1").failure();
    }
    let (_, config) = gateway.stop();
    is_bounded(&refused(&config));
}
