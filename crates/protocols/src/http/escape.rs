//! Percent-encoding as AWS has it (RFC 3986 section 2.1; SigV4 "UriEncode"), and query strings.

use std::fmt::Write as _;

/// A percent sign that two hexadecimal digits do not follow, or escaped bytes that are no UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an escape in the path or query is malformed, or what it stands for is no UTF-8")]
pub struct BadEscape;

/// Appends `bytes` with everything escaped but `A-Z a-z 0-9 - . _ ~`, and the slash where `slash` says to keep it.
pub fn encode_into(out: &mut String, bytes: &[u8], slash: bool) {
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            b'/' if slash => out.push('/'),
            // Writing to a string does not fail.
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

/// As [`encode_into`], to a text of its own, with the slash escaped too.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    encode_into(&mut out, text.as_bytes(), false);
    out
}

/// A path's text, escaped once: the slash stays.
#[must_use]
pub fn encode_path(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    encode_into(&mut out, text.as_bytes(), true);
    out
}

/// What an escaped text stands for.
///
/// # Errors
/// [`BadEscape`].
pub fn decode(text: &str) -> Result<String, BadEscape> {
    unescape(text, false)
}

/// The same of a part of a query or form, in which `+` is a space.
///
/// # Errors
/// [`BadEscape`].
pub fn decode_form(text: &str) -> Result<String, BadEscape> {
    unescape(text, true)
}

fn unescape(text: &str, plus: bool) -> Result<String, BadEscape> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let high = bytes.next().and_then(hex).ok_or(BadEscape)?;
                let low = bytes.next().and_then(hex).ok_or(BadEscape)?;
                out.push(high << 4 | low);
            }
            b'+' if plus => out.push(b' '),
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).map_err(|_| BadEscape)
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// The names and values of a query or form, in order; a name without `=` has the empty value.
///
/// # Errors
/// [`BadEscape`].
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, BadEscape> {
    each_pair(query).collect()
}

/// The same, one after the other: of a long form nobody needs all pairs at once.
pub fn each_pair(form: &str) -> impl Iterator<Item = Result<(String, String), BadEscape>> + '_ {
    let parts = form.split('&').filter(|part| !part.is_empty());
    parts.map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Ok((decode_form(name)?, decode_form(value)?))
    })
}
