//! What an upstream says before its rows: authentication, settings, its catalog.

use ::model::Secret;
use bytes::{BufMut, Bytes, BytesMut};
use protocols::postgres::catalog::{Loading, Within};
use protocols::postgres::known::Known;
use protocols::postgres::login::{LoggedIn, Login, LoginError, Wishes};
use protocols::postgres::scram::{Binding, Scram};
use protocols::postgres::settings::{AuthMethods, Limits, Settings};
use protocols::postgres::wire::{Framer, UPSTREAM_BYTES_MAX};
use protocols::session::{Effect, Effects, Peer, Secured, TlsWish, Upstream};

use crate::on_big_stack;
use crate::pieces::{headed, owned};
use crate::sql::declared;

/// The password; it must not leave in clear unless that is configured.
const PASSWORD: &str = "hush-hush";

/// An upstream with this wish for TLS.
pub(crate) fn upstream(tls: TlsWish) -> Upstream {
    Upstream {
        session: "s-01".to_owned(),
        user: "app".to_owned(),
        password: Secret::from(PASSWORD.to_owned()),
        tls,
        random: [7; 64],
        knowledge: None,
    }
}

/// What a login came to: how far, what was sent, what is left over.
type Ended = (Result<Option<String>, LoginError>, BytesMut, Vec<u8>);

fn run(tls: TlsWish, auth: AuthMethods, pieces: &[Bytes]) -> Ended {
    let settings = Settings {
        auth,
        ..Settings::new("orders", "orders_db")
    };
    let mut fx: Effects<Bytes> = Vec::new();
    let mut login = Login::start(upstream(tls), &settings, Wishes::default(), &mut fx);
    let mut sent = BytesMut::new();
    carry_out(&mut login, &mut fx, &mut sent).expect("nothing was said yet");
    for (index, piece) in pieces.iter().enumerate() {
        let received = login.receive(piece.clone(), &mut fx);
        let secured = carry_out(&mut login, &mut fx, &mut sent);
        match received.and_then(|done| secured.map(|()| done)) {
            Ok(None) => {}
            Ok(Some(done)) => {
                let rest = pieces[index + 1..].concat();
                let left = [&done.leftover[..], &rest].concat();
                return (Ok(Some(told(&done))), sent, left);
            }
            Err(error) => return (Err(error), sent, Vec::new()),
        }
    }
    (Ok(None), sent, Vec::new())
}

fn carry_out(
    login: &mut Login,
    fx: &mut Effects<Bytes>,
    sent: &mut BytesMut,
) -> Result<(), LoginError> {
    for effect in std::mem::take(fx) {
        match effect {
            Effect::Send(Peer::Upstream, bytes) => sent.put_slice(&bytes),
            Effect::StartTls(Peer::Upstream) => {
                let server_end_point = Some(vec![1, 2, 3]);
                login.secured(Secured { server_end_point }, fx)?;
                return carry_out(login, fx, sent);
            }
            other => panic!("a login wants {other:?}"),
        }
    }
    Ok(())
}

fn told(done: &LoggedIn) -> String {
    format!(
        "{:?} {:?} {:?} {}",
        done.parameters, done.backend_key, done.notices, done.tls
    )
}

/// A slow derivation is no defect; what an input may ask of it is bounded here.
fn asks_too_much(bytes: &[u8]) -> bool {
    let digits = |at: usize| {
        bytes[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    memchr::memmem::find_iter(bytes, b"i=").any(|at| digits(at + 2) > 4)
}

pub(crate) fn login(data: &[u8]) {
    let (seed, data) = headed(data);
    if asks_too_much(data) {
        return;
    }
    let weak = seed & 0x40 != 0;
    let auth = AuthMethods {
        md5: weak,
        password: weak,
    };
    let tls = match seed >> 7 {
        0 => TlsWish::Disable,
        _ => TlsWish::Prefer,
    };
    let cut = run(tls, auth, &owned(seed, data));
    if tls == TlsWish::Disable {
        assert_eq!(cut, run(tls, auth, &[Bytes::copy_from_slice(data)]));
    }
    let leaked = memchr::memmem::find(&cut.1, PASSWORD.as_bytes()).is_some();
    assert!(weak || !leaked, "the password left in clear");
    if let (Err(error), ..) = &cut {
        assert!(!error.operator.contains(PASSWORD));
    }
}

/// Nonce and password of the vector in RFC 7677, section 3.
pub(crate) fn scram(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let (first, last) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    if asks_too_much(first) {
        return;
    }
    for binding in [Binding::Unable, Binding::ServerEndPoint(vec![1, 2, 3])] {
        let password = Secret::from("pencil".to_owned());
        let scram = Scram::start("user", password, "rOprNGfwEbeRWgbNEkqO".to_owned(), binding);
        if let Ok((reply, awaiting)) = scram.reply(first) {
            assert!(!reply.contains("pencil"));
            let _ = awaiting.verify(last);
        }
    }
}

/// The answers to the catalog's queries, as a server may give them.
pub(crate) fn catalog(data: &[u8]) {
    let limits = Limits {
        catalog_rows_max: 64,
        catalog_bytes_max: 4_096,
        ..Limits::default()
    };
    let mut fx: Effects<Bytes> = Vec::new();
    let mut loading = Loading::start(Within::Idle, limits, &mut fx);
    let mut framer = Framer::messages(UPSTREAM_BYTES_MAX);
    framer.push(Bytes::copy_from_slice(data));
    on_big_stack(|| {
        while let Ok(Some(frame)) = framer.next() {
            match loading.receive(&frame) {
                Ok(None) => {}
                Ok(Some(loaded)) => {
                    let _ = Known::new(loaded, &declared(), &[]);
                    break;
                }
                Err(_) => break,
            }
        }
    });
}
