//! JSON: what was masked stays JSON, or becomes NULL.

use std::borrow::Cow;

use mask::{Findings, Outcome};
use model::DataClass;
use serde::de::IgnoredAny;

use super::cell::{Cells, Look, Rule, mask};

/// A value of type json or jsonb, in text.
///
/// One that is searched is searched as it stands, so that a member's name can say what its value is. In one that is
/// declared to hold a class every string is masked as a declared value, and every number and truth value becomes `null`.
pub(super) fn json(
    cells: &Cells,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let before = out.len();
    let outcome = match look.rule {
        Rule::Declared(class) if is_json(value) => {
            declared(cells, class, look, value, out, findings)
        }
        Rule::Declared(_) => cells.typed(look, value, findings),
        _ => searched(cells, look, value, out, findings),
    };
    if outcome != Outcome::Masked {
        out.truncate(before);
    }
    outcome
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

fn searched(
    cells: &Cells,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let before = out.len();
    let mut masked = Vec::new();
    match mask(
        &cells.masks().text,
        look,
        &plain(value),
        &mut masked,
        findings,
    ) {
        Outcome::Masked => {
            starred_to_null(&masked, out);
            if is_json(out.get(before..).unwrap_or_default()) {
                Outcome::Masked
            } else {
                Outcome::Null
            }
        }
        outcome => outcome,
    }
}

/// Appends JSON in which a number that was masked is `null`.
fn starred_to_null(masked: &[u8], out: &mut Vec<u8>) {
    for (token, _) in Tokens(masked) {
        if token.first() != Some(&b'"') && token.contains(&b'*') {
            out.extend_from_slice(b"null");
        } else {
            out.extend_from_slice(token);
        }
    }
}

fn declared(
    cells: &Cells,
    class: &DataClass,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let mut all = Outcome::Clean;
    for (token, after) in Tokens(value) {
        let is_name = after.trim_ascii_start().first() == Some(&b':');
        let outcome = match token.first() {
            Some(b'"') if is_name && says_nothing(class, token) => Outcome::Clean,
            Some(b'"') => string(cells, look, token, out, findings),
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => cells.typed(look, token, findings),
            _ => Outcome::Clean,
        };
        match outcome {
            Outcome::Clean => out.extend_from_slice(token),
            Outcome::Masked => all = Outcome::Masked,
            // A name cannot be null.
            Outcome::Null if is_name => out.extend_from_slice(b"\"*\""),
            Outcome::Null => out.extend_from_slice(b"null"),
            Outcome::Withheld => return outcome,
        }
        if outcome == Outcome::Null {
            all = Outcome::Masked;
        }
    }
    all
}

/// Whether a member's name cannot be a value of the class: every built-in class has digits or signs in its values.
fn says_nothing(class: &DataClass, name: &[u8]) -> bool {
    let letter = |byte: &u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'"');
    DataClass::FOUND.contains(class) && name.iter().all(letter)
}

fn string(
    cells: &Cells,
    look: Look<'_>,
    token: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let Ok(text) = serde_json::from_slice::<String>(token) else {
        // Half of a character, which json takes and nobody can mask.
        return cells.typed(look, token, findings);
    };
    let mut masked = Vec::new();
    let outcome = mask(
        &cells.masks().text,
        look,
        text.as_bytes(),
        &mut masked,
        findings,
    );
    if outcome == Outcome::Masked {
        out.extend(serde_json::to_vec(&String::from_utf8_lossy(&masked)).unwrap_or_default());
    }
    outcome
}

/// The same JSON without the escapes that need not be, behind which a value could hide.
fn plain(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        let (char, length) = match rest {
            [b'\\', b'/', ..] => (Some('/'), 2),
            [b'\\', b'u', ..] => escaped(rest),
            [b'\\', _, ..] => (None, 2),
            _ => {
                out.push(byte);
                rest = after;
                continue;
            }
        };
        let (escape, after) = rest.split_at(length.min(rest.len()));
        match char.filter(|char| !char.is_control() && !matches!(char, '"' | '\\')) {
            Some(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.extend_from_slice(escape),
        }
        rest = after;
    }
    Cow::Owned(out)
}

/// The character that `\uXXXX`, or a pair of them, stands for, and how long the escape is.
fn escaped(text: &[u8]) -> (Option<char>, usize) {
    let unit = |at: usize| {
        let digits = text.get(at..)?.strip_prefix(b"\\u")?.get(..4)?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let units = [unit(0), unit(6)];
    let mut chars = char::decode_utf16(units.into_iter().flatten());
    match chars.next() {
        Some(Ok(char)) => (Some(char), 6 * char.len_utf16()),
        _ => (None, 6),
    }
}

/// The tokens of JSON, and what comes after each: strings, numbers, and single bytes of everything else.
struct Tokens<'a>(&'a [u8]);

impl<'a> Iterator for Tokens<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0;
        let end = match rest.first()? {
            b'"' => string_end(rest),
            b'-' | b'*' | b'0'..=b'9' => run(rest, |byte| {
                matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E' | b'*')
            }),
            b'a'..=b'z' => run(rest, |byte| byte.is_ascii_lowercase()),
            _ => 1,
        };
        let (token, after) = rest.split_at(end.min(rest.len()));
        self.0 = after;
        Some((token, after))
    }
}

fn run(text: &[u8], goes_on: impl Fn(&u8) -> bool) -> usize {
    let end = text.iter().position(|byte| !goes_on(byte));
    end.unwrap_or(text.len())
}

/// Where the string that begins `text` ends.
pub(super) fn string_end(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(ahead) = text
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += ahead + 1;
        if text.get(at - 1) == Some(&b'"') {
            return at;
        }
        at += 1;
    }
    text.len()
}
