use bytes::{BufMut, BytesMut};
use model::Secret;

use super::*;
use crate::postgres::settings::AuthMethods;

fn upstream(tls: TlsWish) -> Upstream {
    Upstream {
        session: "s-01".to_owned(),
        user: "app".to_owned(),
        password: Secret::from("hush-hush".to_owned()),
        tls,
        random: [7; 64],
        knowledge: None,
    }
}

fn settings(auth: AuthMethods) -> Settings {
    Settings {
        auth,
        ..Settings::new("orders", "orders_db")
    }
}

fn login(tls: TlsWish, auth: AuthMethods) -> (Login, Effects<Bytes>) {
    let mut fx = Vec::new();
    let login = Login::start(upstream(tls), &settings(auth), Wishes::default(), &mut fx);
    (login, fx)
}

fn authentication(code: i32, rest: &[u8]) -> Bytes {
    write::one(server::AUTHENTICATION, |out| {
        out.put_i32(code);
        out.put_slice(rest);
    })
}

fn sent(fx: &mut Effects<Bytes>) -> Bytes {
    let mut all = BytesMut::new();
    for effect in fx.drain(..) {
        match effect {
            Effect::Send(Peer::Upstream, bytes) => all.extend_from_slice(&bytes),
            other => panic!("{other:?}"),
        }
    }
    all.freeze()
}

/// What a server sends once it has let somebody in.
fn welcome() -> BytesMut {
    let mut out = BytesMut::new();
    out.extend_from_slice(&authentication(0, b""));
    write::parameter_status(&mut out, b"server_version", b"15.1");
    write::parameter_status(&mut out, b"TimeZone", b"UTC");
    write::parameter_status(&mut out, b"TimeZone", b"Europe/Berlin");
    write::key_data(&mut out, 4711, &[1, 2, 3, 4]);
    out.extend_from_slice(&write::ready(b'I'));
    out
}

fn failure(login: &mut Login, piece: impl Into<Bytes>) -> LoginError {
    match login.receive(piece.into(), &mut Vec::new()) {
        Err(error) => error,
        Ok(_) => panic!("it was accepted"),
    }
}

const ALL: AuthMethods = AuthMethods {
    md5: true,
    password: true,
};

#[test]
fn the_startup_message_is_the_targets() {
    let wishes = [
        ("DateStyle", "ISO"),
        ("user", "agent"),
        ("database", "orders"),
        ("options", "-c jit=off --lock-timeout=5\\ s"),
    ];
    let wishes: Vec<_> = wishes.map(|(n, v)| (Bytes::from(n), Bytes::from(v))).into();
    let wishes = Wishes::read(&wishes, false).unwrap();
    let mut fx = Vec::new();
    let _ = Login::start(upstream(TlsWish::Disable), &settings(ALL), wishes, &mut fx);
    let expected: &[u8] = b"\0\x03\0\0user\0app\0database\0orders_db\0application_name\0countersign/s-01\0client_encoding\0UTF8\0\
        standard_conforming_strings\0on\0datestyle\0ISO\0jit\0off\0lock_timeout\x005 s\0\0";
    assert_eq!(&sent(&mut fx)[4..], expected);
}

#[test]
fn every_split_of_a_login_gives_the_same() {
    let mut bytes = welcome();
    bytes.extend_from_slice(b"N\0\0");
    let bytes = bytes.freeze();
    for at in 0..bytes.len() {
        let (mut login, mut fx) = login(TlsWish::Disable, AuthMethods::default());
        fx.clear();
        let first = login.receive(bytes.slice(..at), &mut fx).unwrap();
        let (logged_in, rest) = match first {
            Some(done) => (done, bytes.slice(at..)),
            None => (
                login.receive(bytes.slice(at..), &mut fx).unwrap().unwrap(),
                Bytes::new(),
            ),
        };
        assert_eq!(
            logged_in.parameters,
            [("server_version", "15.1"), ("TimeZone", "Europe/Berlin")]
                .map(|(n, v)| (n.into(), v.into()))
        );
        assert_eq!(
            logged_in.backend_key,
            Some((4711, Bytes::from_static(&[1, 2, 3, 4])))
        );
        assert!(!logged_in.tls);
        assert_eq!([logged_in.leftover, rest].concat(), b"N\0\0");
        assert!(fx.is_empty());
    }
}

#[test]
fn an_md5_login() {
    let (mut login, mut fx) = login(TlsWish::Disable, ALL);
    fx.clear();
    assert!(
        login
            .receive(authentication(5, &[1, 2, 3, 4]), &mut fx)
            .unwrap()
            .is_none()
    );
    // md5(hex(md5("hush-hush" + "app")) + 01020304), by md5sum.
    assert_eq!(
        &sent(&mut fx)[5..],
        b"md547bf0757f826ee12bc4573e775b11e26\0"
    );
    assert!(
        login
            .receive(welcome().freeze(), &mut fx)
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_login_with_the_password_in_clear() {
    let (mut login, mut fx) = login(TlsWish::Disable, ALL);
    fx.clear();
    assert!(
        login
            .receive(authentication(3, b""), &mut fx)
            .unwrap()
            .is_none()
    );
    assert_eq!(
        sent(&mut fx),
        write::one(b'p', |out| write::cstr(out, b"hush-hush"))
    );
    assert!(
        login
            .receive(welcome().freeze(), &mut fx)
            .unwrap()
            .is_some()
    );
}

#[test]
fn weak_methods_are_refused_unless_configured() {
    for request in [authentication(3, b""), authentication(5, &[1, 2, 3, 4])] {
        let (mut login, mut fx) = login(TlsWish::Disable, AuthMethods::default());
        fx.clear();
        let error = login.receive(request, &mut fx).unwrap_err();
        assert!(error.operator.contains("scram-sha-256"), "{error}");
        assert!(fx.is_empty());
    }
}

#[test]
fn a_server_that_says_ok_in_the_middle_of_scram_is_refused() {
    let (mut login, mut fx) = login(TlsWish::Disable, ALL);
    assert!(
        login
            .receive(authentication(10, b"SCRAM-SHA-256\0\0"), &mut fx)
            .unwrap()
            .is_none()
    );
    assert!(
        failure(&mut login, welcome())
            .operator
            .contains("out of turn")
    );
}

#[test]
fn scram_plus_is_chosen_where_there_is_something_to_bind_to() {
    let both: &[u8] = b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0";
    let plain: &[u8] = b"SCRAM-SHA-256\0\0";
    for (end_point, offer, expected) in [
        (
            Some(vec![9]),
            both,
            "SCRAM-SHA-256-PLUS\0p=tls-server-end-point,,",
        ),
        (Some(vec![9]), plain, "SCRAM-SHA-256\0y,,"),
        (None, both, "SCRAM-SHA-256\0n,,"),
    ] {
        let (mut login, mut fx) = login(TlsWish::Require, ALL);
        assert!(
            login
                .receive(Bytes::from_static(b"S"), &mut fx)
                .unwrap()
                .is_none()
        );
        assert!(matches!(fx.last(), Some(Effect::StartTls(Peer::Upstream))));
        login
            .secured(
                Secured {
                    server_end_point: end_point,
                },
                &mut fx,
            )
            .unwrap();
        fx.clear();
        assert!(
            login
                .receive(authentication(10, offer), &mut fx)
                .unwrap()
                .is_none()
        );
        let answer = sent(&mut fx).slice(5..);
        let without_length: Vec<u8> = {
            let zero = memchr::memchr(0, &answer).unwrap();
            [&answer[..=zero], &answer[zero + 5..]].concat()
        };
        let text = String::from_utf8(without_length).unwrap();
        assert!(text.starts_with(&format!("{expected}n=,r=")), "{text:?}");
    }
}

#[test]
fn nothing_may_follow_the_answer_to_the_request_for_tls() {
    let (mut first, _) = login(TlsWish::Require, ALL);
    assert!(
        failure(&mut first, "SE")
            .operator
            .contains("followed by plain text")
    );
    let (mut later, _) = login(TlsWish::Require, ALL);
    assert!(
        later
            .receive(Bytes::from_static(b"S"), &mut Vec::new())
            .unwrap()
            .is_none()
    );
    assert!(
        failure(&mut later, "E")
            .operator
            .contains("followed by plain text")
    );
    let (mut plain, _) = login(TlsWish::Prefer, ALL);
    assert!(
        failure(&mut plain, "NE")
            .operator
            .contains("followed by plain text")
    );
}

#[test]
fn tls_is_given_up_only_where_it_is_merely_preferred() {
    let (mut require, _) = login(TlsWish::Require, ALL);
    assert!(
        failure(&mut require, "N")
            .operator
            .contains("does not offer TLS")
    );
    let (mut prefer, mut fx) = login(TlsWish::Prefer, ALL);
    assert_eq!(sent(&mut fx), write::ssl_request());
    assert!(
        prefer
            .receive(Bytes::from_static(b"N"), &mut fx)
            .unwrap()
            .is_none()
    );
    assert_eq!(&sent(&mut fx)[4..8], b"\0\x03\0\0");
}

#[test]
fn an_unauthenticated_error_is_not_repeated() {
    let (mut login, _) = login(TlsWish::Require, ALL);
    let error = failure(&mut login, "Eput this into the log\0");
    assert!(!error.operator.contains("put this"));
}

#[test]
fn a_refusal_names_nothing_to_the_client() {
    for (code, what) in [
        ("28P01", "does not accept the gateway's account"),
        ("53300", "no free connections"),
        ("57P03", "starting up"),
        ("3D000", "its log says why"),
    ] {
        let (mut login, _) = login(TlsWish::Disable, ALL);
        let message = "password authentication failed for user \"app\" at 10.0.0.7";
        let words = write::Words {
            severity: "FATAL",
            code,
            message,
            ..Default::default()
        };
        let error = failure(&mut login, write::error(&words));
        assert_eq!(error.denial.code, DenialCode::UpstreamUnavailable);
        assert!(
            error.denial.message.contains(what),
            "{}",
            error.denial.message
        );
        assert!(!error.denial.message.contains("app") && !error.denial.message.contains("10."));
        assert!(error.operator.contains(code) && error.operator.contains("\"app\""));
    }
}

#[test]
fn no_text_of_an_error_holds_the_password() {
    let (mut login, _) = login(TlsWish::Disable, ALL);
    let debug = format!("{login:?}");
    assert!(!debug.contains("hush"), "{debug}");
    let error = failure(&mut login, authentication(7, b""));
    assert!(!format!("{error:?}").contains("hush"));
}

#[test]
fn what_a_server_may_not_send_ends_the_login() {
    for bytes in [
        write::ready(b'I'),
        write::query(b"select 1"),
        authentication(11, b"r="),
        authentication(12, b"v="),
        authentication(0, b"x"),
        Bytes::from_static(b"R\0\0\0\x03"),
        Bytes::from_static(b"R\xff\xff\xff\xff"),
        Bytes::from_static(b"HTTP/1.1 400 Bad Request\r\n"),
    ] {
        let (mut login, _) = login(TlsWish::Disable, ALL);
        failure(&mut login, bytes);
    }
}

#[test]
fn a_flood_of_messages_ends_the_login() {
    let mut flood = BytesMut::from(&authentication(0, b"")[..]);
    for name in 0..=PARAMETERS_MAX {
        write::parameter_status(&mut flood, name.to_string().as_bytes(), b"x");
    }
    let (mut first, _) = login(TlsWish::Disable, ALL);
    assert!(failure(&mut first, flood).operator.contains("parameters"));
    let mut flood = BytesMut::from(&authentication(0, b"")[..]);
    for _ in 0..=MESSAGES_MAX {
        write::parameter_status(&mut flood, b"same", b"x");
    }
    let (mut second, _) = login(TlsWish::Disable, ALL);
    assert!(failure(&mut second, flood).operator.contains("messages"));
}

#[test]
fn only_harmless_settings_are_passed_on() {
    let read = |name: &'static str, value: &'static str| {
        Wishes::read(&[(name.into(), value.into())], false)
    };
    for (name, value) in [
        ("client_encoding", "utf-8"),
        ("client_encoding", "'UTF8'"),
        ("client_encoding", "SQL_ASCII"),
        ("application_name", "psql"),
        ("standard_conforming_strings", "on"),
        ("_pq_.protocol_managed_params", "x"),
        ("replication", "false"),
        ("options", ""),
    ] {
        assert_eq!(read(name, value).unwrap().list(), [], "{name}");
    }
    assert_eq!(
        read("TimeZone", "UTC").unwrap().value("timezone"),
        Some("UTC")
    );
    for (name, value) in [
        ("role", "postgres"),
        ("session_authorization", "postgres"),
        ("standard_conforming_strings", "off"),
        ("client_encoding", "LATIN1"),
        ("local_preload_libraries", "x"),
        ("options", "-c role=postgres"),
        ("options", "--session-authorization=x"),
        ("options", "-r /tmp/x"),
        ("options", "-c"),
        ("replication", "database"),
    ] {
        assert_eq!(
            read(name, value).unwrap_err().code,
            DenialCode::Unsupported,
            "{name}={value}"
        );
    }
    let replication = Wishes::read(&[("replication".into(), "1".into())], true).unwrap();
    assert_eq!(replication.value("replication"), Some("true"));
}

#[test]
fn the_name_of_a_session_fits() {
    assert_eq!(application_name("s-0123"), "countersign/s-0123");
    assert_eq!(
        application_name(&"x".repeat(99)).len(),
        APPLICATION_NAME_BYTES_MAX
    );
    assert_eq!(application_name("a\0\nb\u{e9}"), "countersign/ab");
}

#[test]
fn an_older_minor_version_is_accepted_and_unknown_options_are_not() {
    let newer = Settings {
        minor: 2,
        ..settings(ALL)
    };
    let start = || {
        let mut fx = Vec::new();
        let login = Login::start(
            upstream(TlsWish::Disable),
            &newer,
            Wishes::default(),
            &mut fx,
        );
        assert_eq!(&sent(&mut fx)[4..8], b"\0\x03\0\x02");
        login
    };
    let mut accepted = start();
    let negotiated = [&write::negotiate(0, &[])[..], &welcome()].concat();
    let logged_in = accepted.receive(negotiated.into(), &mut Vec::new());
    assert!(logged_in.unwrap().is_some());
    let unknown = write::negotiate(0, &[Bytes::from_static(b"_pq_.x")]);
    assert!(failure(&mut start(), unknown).operator.contains("options"));
    let other = write::one(server::NEGOTIATE, |out| {
        out.put_i32(4 << 16);
        out.put_i32(0);
    });
    assert!(failure(&mut start(), other).operator.contains("version 4"));
}
