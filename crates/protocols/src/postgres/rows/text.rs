//! Values in text that have a form of their own: bytea, arrays, rows. They keep it when they are masked.

use std::borrow::Cow;

use mask::{Findings, Outcome};

use super::cell::{Cells, Look, mask, worse};
use super::json::string_end;
use crate::postgres::catalog::{Figure, Form};

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
    let delimiter = if element == Form::Floats(Figure::Box) {
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

/// A row in text, field by field (PostgreSQL manual, "Composite Type Input and Output Syntax"). One that has not the
/// fields that its type has is hidden whole if there is anything to hide.
pub(super) fn row(
    cells: &Cells,
    forms: impl ExactSizeIterator<Item = Form>,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let count = forms.len();
    let fields = row_fields(value).filter(|fields| fields.len() == count);
    let (Some(fields), Some(field_look)) = (fields, look.deeper().fields(count)) else {
        return cells.typed(look, value, findings);
    };
    let before = out.len();
    let mut all = Outcome::Clean;
    let mut masked = Vec::new();
    for (index, ((raw, field), form)) in fields.iter().zip(forms).enumerate() {
        out.push(if index == 0 { b'(' } else { b',' });
        if raw.is_empty() {
            continue;
        }
        masked.clear();
        match cells.text(form, field_look(index), field, &mut masked, findings) {
            Outcome::Clean => out.extend_from_slice(raw),
            Outcome::Masked => {
                quote_field(&masked, out);
                all = worse(all, Outcome::Masked);
            }
            Outcome::Null => all = worse(all, Outcome::Masked),
            Outcome::Withheld => all = Outcome::Withheld,
        }
    }
    out.push(b')');
    if all != Outcome::Masked {
        out.truncate(before);
    }
    all
}

/// The fields of a row as they are written and as they are meant.
fn row_fields(value: &[u8]) -> Option<Vec<(&[u8], Vec<u8>)>> {
    let text = value.strip_prefix(b"(")?.strip_suffix(b")")?;
    let mut fields = Vec::new();
    let (mut start, mut quoted) = (0, false);
    let mut field = Vec::new();
    let mut bytes = text.iter().enumerate().peekable();
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.next_if(|(_, next)| **next == b'"').is_some() => {
                field.push(b'"')
            }
            b'"' => quoted = !quoted,
            b'\\' => field.push(*bytes.next()?.1),
            b',' if !quoted => {
                fields.push((text.get(start..at)?, std::mem::take(&mut field)));
                start = at + 1;
            }
            byte => field.push(byte),
        }
    }
    fields.push((text.get(start..)?, field));
    (!quoted).then_some(fields)
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

/// In rows, unlike in arrays, quotes and backslashes are doubled.
fn quote_field(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'"');
}
