//! Messages that the gateway makes itself. Each function appends one whole message.

use bytes::{BufMut, Bytes, BytesMut};

use super::{client, server};

/// `CancelRequest` (its code stands where a version would).
const CANCEL_CODE: i32 = (1234 << 16) | 5678;
/// `SSLRequest`.
const SSL_CODE: i32 = (1234 << 16) | 5679;

/// Appends a message of `kind` whose body `body` writes.
pub fn message(out: &mut BytesMut, kind: u8, body: impl FnOnce(&mut BytesMut)) {
    out.put_u8(kind);
    sized(out, body);
}

/// Appends a length and what `body` writes after it.
fn sized(out: &mut BytesMut, body: impl FnOnce(&mut BytesMut)) {
    let at = out.len();
    out.put_i32(0);
    body(out);
    let length = u32::try_from(out.len() - at).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// One message by itself.
#[must_use]
pub fn one(kind: u8, body: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut out = BytesMut::with_capacity(64);
    message(&mut out, kind, body);
    out.freeze()
}

/// Appends text and the zero that ends it. A zero within ends it early.
pub fn cstr(out: &mut BytesMut, text: &[u8]) {
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    out.put_slice(text.get(..end).unwrap_or_default());
    out.put_u8(0);
}

/// A message without a body.
#[must_use]
pub fn bare(kind: u8) -> Bytes {
    one(kind, |_| {})
}

/// AuthenticationOk.
#[must_use]
pub fn authentication_ok() -> Bytes {
    one(server::AUTHENTICATION, |out| out.put_i32(0))
}

/// AuthenticationCleartextPassword.
#[must_use]
pub fn authentication_password() -> Bytes {
    one(server::AUTHENTICATION, |out| out.put_i32(3))
}

/// NegotiateProtocolVersion: the newest minor version that is spoken, and the options that are not known.
#[must_use]
pub fn negotiate(minor: u16, unknown: &[Bytes]) -> Bytes {
    one(server::NEGOTIATE, |out| {
        out.put_i32((3 << 16) | i32::from(minor));
        out.put_i32(i32::try_from(unknown.len()).unwrap_or(i32::MAX));
        unknown.iter().for_each(|name| cstr(out, name));
    })
}

/// ParameterStatus.
pub fn parameter_status(out: &mut BytesMut, name: &[u8], value: &[u8]) {
    message(out, server::PARAMETER_STATUS, |out| {
        cstr(out, name);
        cstr(out, value);
    });
}

/// BackendKeyData: a process id, and a key of 4 bytes (version 3.0) or up to 256 (3.2).
pub fn key_data(out: &mut BytesMut, process: u32, key: &[u8]) {
    message(out, server::BACKEND_KEY_DATA, |out| {
        out.put_u32(process);
        out.put_slice(key);
    });
}

/// ReadyForQuery with a transaction status: `I`, `T` or `E`.
#[must_use]
pub fn ready(status: u8) -> Bytes {
    one(server::READY, |out| out.put_u8(status))
}

/// The fields of an ErrorResponse or NoticeResponse that the gateway fills.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words<'a> {
    /// `S` and `V`: `ERROR`, `FATAL`, `NOTICE`, `WARNING`.
    pub severity: &'a str,
    /// `C`: SQLSTATE.
    pub code: &'a str,
    /// `M`.
    pub message: &'a str,
    /// `D`, unless empty.
    pub detail: &'a str,
    /// `H`, unless empty.
    pub hint: &'a str,
    /// `P`, in characters from 1, unless empty.
    pub position: &'a str,
}

/// ErrorResponse.
#[must_use]
pub fn error(words: &Words<'_>) -> Bytes {
    report(server::ERROR, words)
}

/// NoticeResponse.
#[must_use]
pub fn notice(words: &Words<'_>) -> Bytes {
    report(server::NOTICE, words)
}

fn report(kind: u8, words: &Words<'_>) -> Bytes {
    one(kind, |out| {
        let fields = [
            (b'S', words.severity),
            (b'V', words.severity),
            (b'C', words.code),
            (b'M', words.message),
            (b'D', words.detail),
            (b'H', words.hint),
            (b'P', words.position),
        ];
        for (field, text) in fields.into_iter().filter(|(_, text)| !text.is_empty()) {
            out.put_u8(field);
            cstr(out, text.as_bytes());
        }
        out.put_u8(0);
    })
}

/// Query.
#[must_use]
pub fn query(text: &[u8]) -> Bytes {
    one(client::QUERY, |out| cstr(out, text))
}

/// CopyFail.
#[must_use]
pub fn copy_fail(reason: &str) -> Bytes {
    one(client::COPY_FAIL, |out| cstr(out, reason.as_bytes()))
}

/// SSLRequest.
#[must_use]
pub fn ssl_request() -> Bytes {
    let mut out = BytesMut::with_capacity(8);
    sized(&mut out, |out| out.put_i32(SSL_CODE));
    out.freeze()
}

/// CancelRequest.
#[must_use]
pub fn cancel_request(process: u32, key: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(12 + key.len());
    sized(&mut out, |out| {
        out.put_i32(CANCEL_CODE);
        out.put_u32(process);
        out.put_slice(key);
    });
    out.freeze()
}

/// StartupMessage of version 3.`minor`.
#[must_use]
pub fn startup<'a>(
    minor: u16,
    parameters: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
) -> Bytes {
    let mut out = BytesMut::with_capacity(256);
    sized(&mut out, |out| {
        out.put_i32((3 << 16) | i32::from(minor));
        for (name, value) in parameters {
            cstr(out, name);
            cstr(out, value);
        }
        out.put_u8(0);
    });
    out.freeze()
}
