//! Ranges and sets of ranges, in text and in binary.

use super::cell::Cells;
use super::{numeric, typed};
use crate::postgres::catalog::Form;
use crate::postgres::wire::Format;

const EMPTY: u8 = 0x01;
const CLOSED: [u8; 2] = [0x02, 0x04];
const ENDLESS: [u8; 2] = [0x08, 0x10];

/// The ranges of a value in text: one of a range.
pub(super) fn read(form: Form, value: &[u8]) -> Option<Vec<Range>> {
    if matches!(form, Form::Range(_)) {
        let mut rest = value;
        let range = Range::read(&mut rest)?;
        return rest.is_empty().then(|| vec![range]);
    }
    let mut rest = value.strip_prefix(b"{")?.strip_suffix(b"}")?;
    let mut ranges = Vec::new();
    while !rest.is_empty() {
        ranges.push(Range::read(&mut rest)?);
        rest = rest.strip_prefix(b",").unwrap_or(rest);
    }
    Some(ranges)
}

/// The value in text.
pub(super) fn text(form: Form, ranges: &[Range]) -> Option<Vec<u8>> {
    let mut texts = ranges.iter().map(Range::text);
    match form {
        Form::Range(_) => texts.next(),
        _ => {
            let texts: Vec<_> = texts.collect();
            Some([&b"{"[..], &texts.join(&b','), b"}"].concat())
        }
    }
}

/// The value in binary; `None` where a bound is of no form that can be written.
pub(super) fn binary(form: Form, element: Form, ranges: &[Range]) -> Option<Vec<u8>> {
    let mut all = ranges.iter().map(|range| range.binary(element));
    if matches!(form, Form::Range(_)) {
        return all.next()?;
    }
    let mut out = u32::try_from(ranges.len()).ok()?.to_be_bytes().to_vec();
    for range in all {
        put_sized(&range?, &mut out)?;
    }
    Some(out)
}

fn put_sized(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend(i32::try_from(value.len()).ok()?.to_be_bytes());
    out.extend_from_slice(value);
    Some(())
}

/// A value with its length before it.
pub(super) fn sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
    let (value, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(value)
}

/// A range (PostgreSQL manual, "Range Input/Output").
#[derive(Default)]
pub(super) struct Range {
    empty: bool,
    /// Whether the bound itself belongs to it.
    pub(super) closed: [bool; 2],
    pub(super) bounds: [Option<Vec<u8>>; 2],
}

impl Range {
    /// `range_send`: flags, and each bound that there is with its length.
    pub(super) fn read_binary(cells: &Cells, element: u32, value: &[u8]) -> Option<Self> {
        let (&flags, mut rest) = value.split_first()?;
        let mut bound = |endless: u8| {
            if flags & (EMPTY | endless) != 0 {
                return Some(None);
            }
            let value = sized(&mut rest)?;
            let text = typed::written(cells, cells.form(element), Format::Binary, value);
            Some(Some(text.into_owned()))
        };
        let [lower, upper] = ENDLESS;
        Some(Self {
            empty: flags & EMPTY != 0,
            closed: CLOSED.map(|closed| flags & closed != 0),
            bounds: [bound(lower)?, bound(upper)?],
        })
    }

    /// The same back, with bounds as [`typed::written`] writes them.
    fn binary(&self, element: Form) -> Option<Vec<u8>> {
        let mut flags = if self.empty { EMPTY } else { 0 };
        let mut values = Vec::new();
        let sides = self
            .bounds
            .iter()
            .zip(self.closed)
            .zip(CLOSED.into_iter().zip(ENDLESS));
        for ((bound, closed), (is_closed, is_endless)) in sides {
            flags |= if closed { is_closed } else { 0 };
            match bound {
                Some(bound) => put_sized(&binary_bound(element, bound)?, &mut values)?,
                None if self.empty => {}
                None => flags |= is_endless,
            }
        }
        values.insert(0, flags);
        Some(values)
    }

    /// Takes a range in text off the beginning.
    fn read(rest: &mut &[u8]) -> Option<Self> {
        if let Some(after) = rest.strip_prefix(b"empty") {
            *rest = after;
            return Some(Self {
                empty: true,
                ..Self::default()
            });
        }
        let (&first, after) = rest.split_first()?;
        *rest = after;
        let (lower, _) = bound(rest, b",")?;
        let (upper, last) = bound(rest, b")]")?;
        Some(Self {
            empty: false,
            closed: [first == b'[', last == b']'],
            bounds: [lower, upper],
        })
    }

    /// The same with its bounds written anew, where they can be.
    pub(super) fn each(mut self, write: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Self {
        for bound in self.bounds.iter_mut().flatten() {
            if let Some(written) = write(bound) {
                *bound = written;
            }
        }
        self
    }

    fn text(&self) -> Vec<u8> {
        if self.empty {
            return b"empty".to_vec();
        }
        let [lower, upper] = &self.bounds;
        let mut out = vec![if self.closed[0] { b'[' } else { b'(' }];
        quoted(lower.as_deref(), &mut out);
        out.push(b',');
        quoted(upper.as_deref(), &mut out);
        out.push(if self.closed[1] { b']' } else { b')' });
        out
    }
}

/// A bound in text, and what ends it; without a text there is none.
fn bound(rest: &mut &[u8], ends: &[u8]) -> Option<(Option<Vec<u8>>, u8)> {
    let mut out = None::<Vec<u8>>;
    let mut in_quotes = false;
    let mut bytes = rest.iter().enumerate().peekable();
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            b'"' if in_quotes && bytes.next_if(|(_, next)| **next == b'"').is_some() => {
                out.get_or_insert_default().push(b'"');
            }
            b'"' => {
                in_quotes = !in_quotes;
                out.get_or_insert_default();
            }
            b'\\' => out.get_or_insert_default().push(*bytes.next()?.1),
            byte if !in_quotes && ends.contains(&byte) => {
                *rest = rest.get(at + 1..)?;
                return Some((out, byte));
            }
            byte => out.get_or_insert_default().push(byte),
        }
    }
    None
}

fn quoted(bound: Option<&[u8]>, out: &mut Vec<u8>) {
    let Some(bound) = bound else { return };
    let special = |byte: &u8| b"\"\\()[],".contains(byte) || byte.is_ascii_whitespace();
    if !bound.is_empty() && !bound.iter().any(special) {
        out.extend_from_slice(bound);
        return;
    }
    out.push(b'"');
    for &byte in bound {
        if matches!(byte, b'"' | b'\\') {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn binary_bound(element: Form, bound: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match element {
        Form::Plain(plain) => {
            let micros = typed::micros(plain, bound)?;
            typed::put_micros(plain, Format::Binary, micros, &mut out)?;
        }
        _ => numeric::read(element, Format::Binary, bound, &mut out)?,
    }
    Some(out)
}
