use std::sync::Arc;

use bytes::Bytes;
use model::{Denial, DenialCode};

use super::gateway::{Gateway, identity, known, settings, upstream, welcome};
use super::say;
use crate::postgres::Transport;
use crate::postgres::wire::write;
use crate::session::{Answer, Effect, Effects, Peer, Question, Secured, Session};

fn startup(minor: u16, more: &[(&str, &str)]) -> Bytes {
    let own = [("user", "agent"), ("database", "bank")];
    let all = own
        .iter()
        .chain(more)
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    write::startup(minor, all)
}

#[test]
fn a_client_logs_in_and_sees_nothing_of_the_account() {
    let mut gateway = Gateway::new(Transport::Loopback, false);
    gateway.client(&write::ssl_request()).unwrap();
    assert_eq!(gateway.take_client(), ["N"]);
    gateway
        .client(&startup(0, &[("application_name", "psql")]))
        .unwrap();
    assert_eq!(gateway.take_client(), ["R"]);
    gateway.client(&say::password("token")).unwrap();
    gateway.answer(Answer::Known(Arc::new(identity()))).unwrap();
    gateway
        .answer(Answer::Reached(Box::new(upstream(Some(
            known(&settings()),
        )))))
        .unwrap();
    assert!(gateway.to_client.is_empty());
    let sent = String::from_utf8_lossy(&gateway.to_upstream).into_owned();
    assert!(
        sent.contains("bank_db") && sent.contains("countersign/s-1") && !sent.contains("psql"),
        "{sent:?}"
    );
    gateway.upstream(&welcome()).unwrap();
    let shown = String::from_utf8_lossy(&gateway.to_client).into_owned();
    assert!(
        shown.contains("session_authorization\0agent\0") && !shown.contains("app\0"),
        "{shown:?}"
    );
    assert_eq!(gateway.take_client(), ["R", "S", "S", "K", "Z I"]);
    assert_eq!(gateway.cancel_key.len(), 8);
}

#[test]
fn the_cancel_key_is_long_from_version_3_2_on() {
    for (minor, told, length) in [
        (2, vec!["R"], 36),
        (0, vec!["R"], 8),
        (9, vec!["v", "R"], 36),
        (1, vec!["v", "R"], 8),
    ] {
        let mut gateway = Gateway::new(Transport::Loopback, false);
        gateway.client(&startup(minor, &[])).unwrap();
        assert_eq!(gateway.take_client(), told);
        gateway.client(&say::password("token")).unwrap();
        gateway.answer(Answer::Known(Arc::new(identity()))).unwrap();
        gateway
            .answer(Answer::Reached(Box::new(upstream(Some(
                known(&settings()),
            )))))
            .unwrap();
        gateway.upstream(&welcome()).unwrap();
        assert_eq!(gateway.cancel_key.len(), length, "3.{minor}");
    }
}

#[test]
fn options_that_nobody_knows_are_negotiated_away() {
    let mut gateway = Gateway::new(Transport::Loopback, false);
    gateway.client(&startup(0, &[("_pq_.new", "1")])).unwrap();
    assert!(gateway.to_client.windows(8).any(|part| part == b"_pq_.new"));
    assert_eq!(gateway.take_client(), ["v", "R"]);
}

#[test]
fn off_this_machine_a_token_needs_tls() {
    let mut gateway = Gateway::new(Transport::Remote, true);
    gateway.client(&startup(0, &[])).unwrap();
    assert_eq!(gateway.take_client(), ["E 28000"]);
    assert!(gateway.closed);
    let mut gateway = Gateway::new(Transport::Remote, true);
    gateway.client(&write::ssl_request()).unwrap();
    assert_eq!(gateway.take_client(), ["S"]);
    gateway
        .answer(Answer::Secured(Peer::Client, Secured::default()))
        .unwrap();
    gateway.client(&startup(0, &[])).unwrap();
    assert_eq!(gateway.take_client(), ["R"]);
}

#[test]
fn nothing_may_be_smuggled_ahead_of_tls() {
    let mut gateway = Gateway::new(Transport::Remote, true);
    let both = [write::ssl_request(), startup(0, &[])].concat();
    assert_eq!(gateway.client(&both).unwrap_err().peer, Peer::Client);
    let mut gateway = Gateway::new(Transport::Remote, true);
    gateway.client(&write::ssl_request()).unwrap();
    assert_eq!(
        gateway.client(&startup(0, &[])).unwrap_err().peer,
        Peer::Client
    );
}

#[test]
fn gssapi_is_declined_and_encryption_is_not_asked_for_forever() {
    let gss = b"\0\0\0\x08\x04\xd2\x16\x30";
    let mut gateway = Gateway::new(Transport::Loopback, false);
    gateway.client(gss).unwrap();
    assert_eq!(gateway.take_client(), ["N"]);
    gateway.client(&write::ssl_request()).unwrap();
    assert_eq!(gateway.take_client(), ["N"]);
    assert!(gateway.client(gss).is_err());
}

#[test]
fn a_refused_client_is_told_and_sent_away() {
    for (code, state) in [
        (DenialCode::Unauthenticated, "28P01"),
        (DenialCode::UnknownTarget, "28000"),
    ] {
        let mut gateway = Gateway::new(Transport::Loopback, false);
        gateway.client(&startup(0, &[])).unwrap();
        gateway.client(&say::password("token")).unwrap();
        gateway.take_client();
        gateway
            .answer(Answer::Refused(Denial::new(code, "no")))
            .unwrap();
        assert_eq!(gateway.take_client(), [format!("E {state}")]);
        assert!(gateway.closed);
    }
}

#[test]
fn replication_and_other_encodings_are_refused() {
    for (name, value) in [
        ("replication", "database"),
        ("client_encoding", "LATIN1"),
        ("options", "-c role=admin"),
    ] {
        let mut gateway = Gateway::new(Transport::Loopback, false);
        gateway.client(&startup(0, &[(name, value)])).unwrap();
        gateway.client(&say::password("token")).unwrap();
        gateway.take_client();
        gateway.answer(Answer::Known(Arc::new(identity()))).unwrap();
        let told = gateway.take_client();
        assert!(
            told.len() == 1 && told[0].starts_with("E "),
            "{name}: {told:?}"
        );
        assert!(gateway.closed);
    }
}

#[test]
fn a_cancel_request_names_a_key_and_ends() {
    let mut gateway = Gateway::new(Transport::Loopback, false);
    let mut fx = Effects::new();
    gateway
        .session
        .receive(Peer::Client, write::cancel_request(7, b"abcd"), &mut fx)
        .unwrap();
    assert!(
        matches!(&fx[..], [Effect::Ask(Question::Cancel(key)), Effect::Close] if **key == *b"\0\0\0\x07abcd")
    );
}

#[test]
fn what_is_not_the_protocol_ends_the_session() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\x16\x03\x01\x02\0",
        b"\0\0\0\x04",
        b"\0\0\0\x09\0\x03\0\0x",
    ] {
        let mut gateway = Gateway::new(Transport::Loopback, false);
        assert_eq!(
            gateway.client(bytes).unwrap_err().peer,
            Peer::Client,
            "{bytes:?}"
        );
    }
    let mut gateway = Gateway::new(Transport::Loopback, false);
    gateway.client(&startup(0, &[])).unwrap();
    assert!(gateway.client(&say::query("select 1")).is_err());
}
