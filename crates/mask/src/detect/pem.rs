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

/// The private part of a key as PuTTY stores it, whose mark ends at `mark`: behind it the number of lines, then those, as far as can
/// be judged.
pub(super) fn putty(text: &[u8], mark: usize) -> Option<(usize, usize)> {
    let space = mark + run(text, mark, 1, |byte| byte == b' ');
    let digits = space..space + run(text, space, 3, |byte| byte.is_ascii_digit());
    let lines = super::number(text, digits.start, digits.end);
    let start = digits.end + line_end(text, digits.end)?;
    let limit = start + LOOK_CHARS_MAX;
    let mut end = start;
    for line in 0..lines {
        let next = if line == 0 {
            start
        } else {
            end + line_end(text, end).unwrap_or_default()
        };
        let len = run(text, next, limit.saturating_sub(next), is_base64);
        if line > 0 && next == end || len == 0 {
            break;
        }
        end = next + len;
    }
    (end - start >= 16).then_some((start, end.min(limit)))
}

/// How long a line's end is that stands here, as it is or written out.
fn line_end(text: &[u8], pos: usize) -> Option<usize> {
    let rest = text.get(pos..)?;
    let ends = [&b"\n"[..], b"\r\n", b"\\n", b"\\r\\n"];
    let end = ends.into_iter().find(|end| rest.starts_with(end))?;
    Some(end.len())
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
