//! Values in text that have a form of their own: JSON, bytea, arrays. They keep it when they are masked.

use std::borrow::Cow;

use mask::{Findings, Outcome};
use memchr::memmem;
use serde::de::IgnoredAny;

use super::cell::{Cells, Look, Rule, mask, worse};
use crate::postgres::catalog::Form;

/// JSON: what was masked stays JSON, or becomes NULL.
pub(super) fn json(
    cells: &Cells,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let masker = &cells.masks().text;
    if matches!(look.rule, Rule::Declared(_)) {
        return cells.typed(look, value, findings);
    }
    if memmem::find(value, b"\\u").is_some() {
        // Escapes could hide a value; jsonb resolves them itself, so this is rare.
        return cells.typed(look, &unescaped(value), findings);
    }
    let mut masked = Vec::new();
    match mask(masker, look, value, &mut masked, findings) {
        Outcome::Masked => {
            let before = out.len();
            starred_to_null(&masked, out);
            let written = out.get(before..).unwrap_or_default();
            if serde_json::from_slice::<IgnoredAny>(written).is_ok() {
                return Outcome::Masked;
            }
            out.truncate(before);
            Outcome::Null
        }
        outcome => outcome,
    }
}

/// Appends JSON in which a number that was masked is `null`.
fn starred_to_null(masked: &[u8], out: &mut Vec<u8>) {
    let mut rest = masked;
    while let Some(&first) = rest.first() {
        let end = match first {
            b'"' => string_end(rest),
            b'-' | b'*' | b'0'..=b'9' => {
                let number = |byte: &u8| {
                    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E' | b'*')
                };
                rest.iter()
                    .position(|byte| !number(byte))
                    .unwrap_or(rest.len())
            }
            _ => 1,
        };
        let (token, after) = rest.split_at(end.min(rest.len()));
        if first != b'"' && token.contains(&b'*') {
            out.extend_from_slice(b"null");
        } else {
            out.extend_from_slice(token);
        }
        rest = after;
    }
}

/// Where the string that begins `text` ends.
fn string_end(text: &[u8]) -> usize {
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

/// JSON text with its escapes resolved: for the detectors, not for a parser.
fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, after) {
            (b'\\', [b'u', hex @ ..]) => {
                let code = hex.get(..4).and_then(|hex| std::str::from_utf8(hex).ok());
                let code = code.and_then(|hex| u32::from_str_radix(hex, 16).ok());
                let char = code.and_then(char::from_u32).unwrap_or('\u{fffd}');
                out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                rest = hex.get(4..).unwrap_or_default();
            }
            (b'\\', [escaped, after @ ..]) => {
                out.push(if matches!(escaped, b'n' | b't' | b'r' | b'b' | b'f') {
                    b' '
                } else {
                    *escaped
                });
                rest = after;
            }
            _ => out.push(*byte),
        }
    }
    out
}

/// bytea in text: `\x` and hexadecimal digits, or bytes with escapes.
pub(super) fn bytea(
    cells: &Cells,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let masker = &cells.masks().text;
    let Some(digits) = value.strip_prefix(b"\\x") else {
        // Escapes stand only for bytes that are no printable ASCII, and for the backslash.
        return mask(masker, look, value, out, findings);
    };
    let Ok(bytes) = hex::decode(digits) else {
        return Outcome::Withheld;
    };
    let mut masked = Vec::new();
    let outcome = mask(masker, look, &bytes, &mut masked, findings);
    if outcome == Outcome::Masked {
        out.extend_from_slice(b"\\x");
        out.extend_from_slice(hex::encode(masked).as_bytes());
    }
    outcome
}

/// An array in text, element by element (PostgreSQL manual, "Array Input and Output Syntax").
pub(super) fn array(
    cells: &Cells,
    element: Form,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let before = out.len();
    let mut copied = 0;
    let mut all = Outcome::Clean;
    let mut masked = Vec::new();
    let delimiter = if matches!(element, Form::Floats(_)) {
        b';'
    } else {
        b','
    };
    let mut items = Items {
        text: value,
        delimiter,
        at: 0,
    };
    while let Some(item) = items.next_item() {
        let raw = value.get(item.clone()).unwrap_or_default();
        if raw.eq_ignore_ascii_case(b"NULL") {
            continue;
        }
        masked.clear();
        let outcome = cells.text(element, look.deeper(), &decoded(raw), &mut masked, findings);
        match outcome {
            Outcome::Clean => continue,
            Outcome::Masked => {
                out.extend_from_slice(value.get(copied..item.start).unwrap_or_default());
                quote(&masked, out);
            }
            Outcome::Null => {
                out.extend_from_slice(value.get(copied..item.start).unwrap_or_default());
                out.extend_from_slice(b"NULL");
            }
            Outcome::Withheld => all = worse(all, outcome),
        }
        copied = item.end;
        all = worse(
            all,
            if outcome == Outcome::Null {
                Outcome::Masked
            } else {
                outcome
            },
        );
    }
    if all == Outcome::Masked {
        out.extend_from_slice(value.get(copied..).unwrap_or_default());
    } else {
        out.truncate(before);
    }
    all
}

/// The elements of an array in text: what stands between braces and delimiters.
struct Items<'a> {
    text: &'a [u8],
    /// `;` between boxes, `,` between everything else.
    delimiter: u8,
    at: usize,
}

impl Items<'_> {
    /// Where the next element stands, quotes included.
    fn next_item(&mut self) -> Option<std::ops::Range<usize>> {
        if self.at == 0 {
            // Bounds stand before the first brace: `[0:1]={…}`.
            self.at = memchr::memchr(b'{', self.text).unwrap_or(0);
        }
        let delimiter = self.delimiter;
        while self
            .text
            .get(self.at)
            .is_some_and(|byte| matches!(byte, b'{' | b'}') || *byte == delimiter)
        {
            self.at += 1;
        }
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = if rest.first() == Some(&b'"') {
            string_end(rest)
        } else {
            let mut length = 0;
            loop {
                match rest.get(length) {
                    None | Some(b'}') => break length,
                    Some(byte) if *byte == delimiter => break length,
                    Some(b'\\') => length += 2,
                    Some(_) => length += 1,
                }
            }
        };
        let end = (start + length).min(self.text.len());
        self.at = end;
        Some(start..end)
    }
}

/// An element without its quotes and backslashes.
fn decoded(raw: &[u8]) -> Cow<'_, [u8]> {
    let inner = raw
        .strip_prefix(b"\"")
        .map_or(raw, |inner| inner.strip_suffix(b"\"").unwrap_or(inner));
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        out.push(if byte == b'\\' {
            bytes.next().copied().unwrap_or(byte)
        } else {
            byte
        });
    }
    Cow::Owned(out)
}

fn quote(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}
