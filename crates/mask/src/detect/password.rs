//! Passwords in URLs and connection strings, and what is none.

use super::at;
use super::secret::run;
use crate::work;

/// Whether the `@` at `sign`, behind what may be the local part of an address from `start` on, ends the password of a URL.
pub(super) fn is_url_password(text: &[u8], start: usize, sign: usize) -> bool {
    let before = at(text, start.wrapping_sub(1));
    if before != b'/' && ends(before) {
        return false;
    }
    let before = text
        .get(sign.saturating_sub(URL_CHARS_MAX)..sign)
        .unwrap_or_default();
    // Nothing that ends a user's name or a password stands between the slashes before them and the host.
    let last = before.iter().rposition(|byte| ends(*byte));
    let behind = last.map_or(0, |last| last + 1);
    work::done(before.len() - behind);
    let authority = sign - before.len() + behind;
    let begins = before.get(..behind).is_some_and(|it| it.ends_with(b"://"));
    begins && in_url(text, authority).is_some_and(|(_, end)| end == sign)
}

/// The longest user and password of a URL together, and what is between.
const URL_CHARS_MAX: usize = 128 + 1 + 200 + 3;

/// The password of `scheme://user:password@host`, where `authority` begins behind the slashes.
pub(super) fn in_url(text: &[u8], authority: usize) -> Option<(usize, usize)> {
    let user = run(text, authority, 128, |byte| {
        !ends(byte) && byte != b':' && byte != b'@'
    });
    let start = authority + user + 1;
    if at(text, start - 1) != b':' {
        return None;
    }
    let rest = run(text, start, 200, |byte| !ends(byte));
    let part = text.get(start..start + rest)?;
    let len = memchr::memrchr(b'@', part)?;
    is_secret(part.get(..len)?).then_some((start, start + len))
}

/// Whether a byte ends a user's name or a password in a URL.
fn ends(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>')
}

/// The value of `password=…` in a connection string or a query, quoted or not.
pub(super) fn assigned(text: &[u8], value: usize) -> Option<(usize, usize)> {
    let quote = at(text, value);
    if matches!(quote, b'"' | b'\'') {
        let start = value + 1;
        let len = run(text, start, 128, |byte| byte != quote && byte != b'\n');
        return is_secret(text.get(start..start + len)?).then_some((start, start + len));
    }
    let len = run(text, value, 128, |byte| {
        !byte.is_ascii_whitespace() && !matches!(byte, b'&' | b';' | b'"' | b'\'' | b'<' | b'>')
    });
    let part = text.get(value..value + len)?;
    // Code that passes a password on, as in `connect(password=word)`, holds none.
    let code = part
        .iter()
        .any(|byte| matches!(byte, b'(' | b')' | b',' | b'[' | b'{'));
    (part.len() >= 4 && !code && is_secret(part)).then_some((value, value + len))
}

const PLACEHOLDERS: [&str; 6] = ["none", "null", "true", "false", "redacted", "changeme"];

/// Not empty, not a placeholder, not hidden already.
pub(super) fn is_secret(value: &[u8]) -> bool {
    let placeholder = PLACEHOLDERS
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
    // Where it is read from the environment.
    let environment = ["environ", "getenv", "process.env", "ENV["]
        .iter()
        .any(|word| memchr::memmem::find(value, word.as_bytes()).is_some());
    let stands_for = matches!(value.first(), None | Some(b'$' | b'{' | b'%' | b'<' | b'*'));
    !placeholder
        && !environment
        && !stands_for
        && !value
            .iter()
            .all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X'))
}
