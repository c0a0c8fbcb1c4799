//! How a login ends: with a welcome, or with words.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use model::{Denial, DenialCode};

use super::{Client, Next};
use crate::postgres::catalog::LoadError;
use crate::postgres::deny;
use crate::postgres::known::Known;
use crate::postgres::live::{Live, Opened};
use crate::postgres::login::{LoggedIn, LoginError};
use crate::postgres::session::{Served, upstream_broke};
use crate::postgres::settings::commitment_key;
use crate::postgres::wire::write;
use crate::session::{Effect, Effects, Peer, Violation};

/// Bytes of the cancel key's secret under version 3.0, and from 3.2 on.
const KEY_BYTES: (usize, usize) = (4, 32);

pub(super) fn refused(denial: &Denial, fx: &mut Effects<Bytes>) -> Next {
    fx.push(Effect::Send(Peer::Client, deny::fatal(denial)));
    fx.push(Effect::Close);
    Next::End
}

/// The client is told one thing, whoever runs the gateway another.
pub(super) fn login_failed(error: &LoginError, fx: &mut Effects<Bytes>) -> Violation {
    fx.push(Effect::Send(Peer::Client, deny::fatal(&error.denial)));
    upstream_broke(error.operator.clone())
}

pub(super) fn load_failed(error: &LoadError, fx: &mut Effects<Bytes>) -> Violation {
    let words =
        "the target's catalog could not be read: tell whoever runs the gateway, its log says why";
    fx.push(Effect::Send(
        Peer::Client,
        deny::fatal(&Denial::new(DenialCode::UpstreamUnavailable, words)),
    ));
    upstream_broke(error.to_string())
}

/// Tells the client that it is logged in, and begins the session.
pub(super) fn open(
    client: Client,
    served: Served,
    logged_in: LoggedIn,
    random: &[u8; 64],
    known: Arc<Known>,
    fx: &mut Effects<Bytes>,
) -> Live {
    let mut out = BytesMut::with_capacity(1_024);
    out.extend_from_slice(&write::authentication_ok());
    for (name, value) in &logged_in.parameters {
        // The account and the session's name upstream are not the client's business.
        let value = match &**name {
            b"session_authorization" => client.user.as_bytes(),
            b"application_name" => client.application.as_bytes(),
            _ => value,
        };
        write::parameter_status(&mut out, name, value);
    }
    let (process, secret) = cancel_key(random, client.minor);
    write::key_data(&mut out, process, &secret);
    out.extend_from_slice(&write::ready(b'I'));
    let key = [&process.to_be_bytes()[..], &secret].concat();
    fx.push(Effect::Cancelable(key.into()));
    fx.push(Effect::Send(Peer::Client, out.freeze()));
    Live::new(Opened {
        served,
        known,
        upstream_key: logged_in.backend_key,
        tls: logged_in.tls,
        commitments: commitment_key(random),
    })
}

/// A process id and a secret of the gateway's own, which tell nothing of the random bytes they come of.
fn cancel_key(random: &[u8; 64], minor: u16) -> (u32, Vec<u8>) {
    let secret = model::Digest::of(&[b"countersign/cancel/secret\0", random]).0;
    let [a, b, c, d, ..] = model::Digest::of(&[b"countersign/cancel/process\0", random]).0;
    let length = if minor >= 2 { KEY_BYTES.1 } else { KEY_BYTES.0 };
    (
        u32::from_be_bytes([a & 0x7f, b, c, d]),
        secret.into_iter().take(length).collect(),
    )
}
