//! Private keys in PEM (RFC 7468).

use super::secret::{goes_on, is_base64, run};
use super::{Kind, LOOK_CHARS_MAX, at};

/// A private key of PEM whose mark ends at `mark`: from the first line to the last, or as far as can be judged.
pub(super) fn key(text: &[u8], start: usize, mark: usize) -> Option<usize> {
    let label = run(text, mark, 40, |byte| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' '
    });
    let name = text.get(mark..mark + label)?;
    let is_key = name.ends_with(b"PRIVATE KEY") || name.ends_with(b"PRIVATE KEY BLOCK");
    let body = mark + label + DASHES.len();
    if !is_key || !text.get(mark + label..)?.starts_with(DASHES) {
        return None;
    }
    let blank = run(text, body, 16, |byte| {
        byte.is_ascii_whitespace() || matches!(byte, b'\\' | b'n' | b'r' | b'"' | b'\'' | b'+')
    });
    let headed = matches!(
        text.get(body + blank..)?,
        [b'P', b'r', b'o', b'c', ..] | [b'V', b'e', b'r', b's', ..]
    );
    if !headed && run(text, body + blank, 16, is_base64) < 16 {
        return None;
    }
    let limit = start + LOOK_CHARS_MAX;
    let mut end = body + blank;
    while end < limit {
        let byte = at(text, end);
        if byte == b'-' && text.get(end..)?.starts_with(DASHES) {
            return Some(last_line(text, end).unwrap_or(end).min(limit));
        }
        let header = matches!(byte, b'-' | b':' | b',' | b'.' | b'(' | b')');
        if !header && !goes_on(Kind::PrivateKey, byte) {
            break;
        }
        end += 1;
    }
    Some(end)
}

const DASHES: &[u8] = b"-----";

/// No last line of a key is longer.
pub(crate) const LAST_LINE_BYTES_MAX: usize = 64;

/// How long the last line of a long value is that begins here; 0 where there is none.
pub(crate) fn last_line_of(kind: Kind, text: &[u8]) -> usize {
    let begins = kind == Kind::PrivateKey && text.starts_with(b"-----END ");
    if begins {
        last_line(text, 0).unwrap_or_default()
    } else {
        0
    }
}

fn last_line(text: &[u8], pos: usize) -> Option<usize> {
    let label = pos + DASHES.len();
    let end = label
        + run(text, label, 40, |byte| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' '
        });
    text.get(end..)?
        .starts_with(DASHES)
        .then_some(end + DASHES.len())
}
