//! What the server says back of a statement: what is hidden of the statement where it rests is hidden in that too.

use bytes::Bytes;
use memchr::memmem;

use crate::postgres::wire::{Malformed, Reader, Report, server};

/// A value of fewer bytes is not looked for: anything may be the same.
const BYTES_MIN: usize = 4;
/// Values of one statement that are looked for; where there are more, all that is said of it is hidden.
const VALUES_MAX: usize = 4_096;
/// Kind and length of a message.
const HEADER_BYTES: usize = 5;

/// Values that are hidden of a statement, and of what it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::postgres) struct Echo {
    /// The longest first, so that none is hidden in part for another that it holds.
    values: Vec<Vec<u8>>,
    /// There are more.
    all: bool,
}

impl Echo {
    /// Of values as they are written; `None` where there are none.
    pub(in crate::postgres) fn of<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut echo = Self::default();
        let mut any = false;
        for value in values {
            any = true;
            echo.add(value);
        }
        echo.sort();
        any.then_some(echo)
    }

    /// The values of all of these.
    pub(in crate::postgres) fn together<'a>(echoes: impl Iterator<Item = &'a Self>) -> Self {
        let mut together = Self::default();
        for echo in echoes {
            together.values.extend(echo.values.iter().cloned());
            together.all |= echo.all || together.values.len() > VALUES_MAX;
            if together.all {
                break;
            }
        }
        together.sort();
        together
    }

    /// The value, and its parts between what is written in another way elsewhere.
    fn add(&mut self, value: &[u8]) {
        if self.values.len() >= VALUES_MAX {
            self.all = true;
            return;
        }
        let is_mark = |byte: &u8| *byte < b' ' || b"'\"\\{},".contains(byte);
        let parts = value.split(is_mark);
        let long = std::iter::once(value).chain(parts);
        let long = long.filter(|part| part.trim_ascii().len() >= BYTES_MIN);
        self.values.extend(long.map(<[u8]>::to_vec));
    }

    fn sort(&mut self) {
        self.values
            .sort_unstable_by(|one, other| (other.len(), other).cmp(&(one.len(), one)));
        self.values.dedup();
    }

    /// Hides the values in a text, byte for byte.
    pub(in crate::postgres) fn hide(&self, text: &mut [u8]) {
        if self.all {
            text.fill(b'*');
            return;
        }
        for value in &self.values {
            let found: Vec<usize> = memmem::find_iter(text, value).collect();
            for at in found {
                star(text, at, at + value.len());
            }
        }
    }

    /// A whole error, notice or notification without the values.
    pub(in crate::postgres) fn said(&self, message: &Bytes) -> Result<Bytes, Malformed> {
        let mut hidden = message.to_vec();
        let kind = message.first().copied().unwrap_or_default();
        let places = if kind == server::NOTIFICATION {
            // The sender's process stands first.
            vec![(HEADER_BYTES + 4, message.len())]
        } else {
            words(message)?
        };
        for (start, end) in places {
            if let Some(text) = hidden.get_mut(start..end) {
                if self.all && kind == server::NOTIFICATION {
                    text.iter_mut()
                        .filter(|byte| **byte != 0)
                        .for_each(|byte| *byte = b'*');
                } else {
                    self.hide(text);
                }
            }
        }
        Ok(hidden.into())
    }
}

/// Where the words of an error or notice stand, other than severity, code, positions and where in the server it arose.
fn words(message: &Bytes) -> Result<Vec<(usize, usize)>, Malformed> {
    let mut body = Reader::new(&message.slice(HEADER_BYTES.min(message.len())..));
    let mut places = Vec::new();
    let mut at = HEADER_BYTES;
    loop {
        let code = body.u8()?;
        if code == 0 {
            return Ok(places);
        }
        let text = body.cstr()?;
        let start = at + 1;
        at = start + text.len() + 1;
        if !Report::OWN.contains(&code) {
            places.push((start, start + text.len()));
        }
    }
}

/// How the rows of one answer quote statements.
#[derive(Debug)]
pub(in crate::postgres) struct Quoting {
    /// What is hidden.
    echo: Echo,
    /// They are a plan, in which literals stand in other forms.
    plan: bool,
    /// A literal goes on in the next line.
    open: bool,
}

impl Quoting {
    pub(in crate::postgres) fn new(echo: Echo, plan: bool) -> Self {
        Self {
            echo,
            plan,
            open: false,
        }
    }

    /// DataRow or CopyData messages as they rest; they are as long.
    pub(in crate::postgres) fn rows(&mut self, rows: &Bytes) -> Bytes {
        let mut hidden = rows.to_vec();
        let mut rest = &mut hidden[..];
        while let Some((&mut kind, after)) = rest.split_first_mut()
            && let Some(size) = length(after)
            && let Some((message, after)) = after.split_at_mut_checked(size)
        {
            match message.split_at_mut_checked(4) {
                Some((_, body)) if kind == server::DATA_ROW => self.row(body),
                Some((_, body)) => self.cell(body),
                None => {}
            }
            rest = after;
        }
        hidden.into()
    }

    fn row(&mut self, body: &mut [u8]) {
        let mut rest = body.get_mut(2..).unwrap_or_default();
        while let Some((size, after)) = rest.split_first_chunk_mut() {
            // A NULL has no length.
            let size = usize::try_from(i32::from_be_bytes(*size)).unwrap_or_default();
            let Some((cell, after)) = after.split_at_mut_checked(size) else {
                return;
            };
            self.cell(cell);
            rest = after;
        }
    }

    fn cell(&mut self, text: &mut [u8]) {
        self.echo.hide(text);
        if self.plan {
            for line in text.split_mut(|byte| *byte == b'\n') {
                self.line(line);
            }
        }
    }

    /// A line of a plan: what stands between the first quote and the last, and the numbers of expressions.
    fn line(&mut self, line: &mut [u8]) {
        let quotes = memchr::memchr_iter(b'\'', line).count();
        let first = memchr::memchr(b'\'', line).map_or(line.len(), |at| at + 1);
        let last = memchr::memrchr(b'\'', line).unwrap_or(line.len());
        let start = if self.open { 0 } else { first };
        self.open ^= quotes % 2 == 1;
        let end = if self.open { line.len() } else { last };
        if start < end {
            star(line, start, end);
        }
        if memmem::find(line, b"(cost=").is_none() && memmem::find(line, b"(actual ").is_none() {
            numbers(line);
        }
    }
}

fn length(from: &[u8]) -> Option<usize> {
    let size = from.first_chunk()?;
    usize::try_from(i32::from_be_bytes(*size)).ok()
}

/// Hides the numbers of a line's expressions, which stand in brackets; what is part of a name stays.
fn numbers(line: &mut [u8]) {
    let Some(open) = memchr::memchr(b'(', line) else {
        return;
    };
    let is_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii();
    let mut within_name = false;
    for byte in line.iter_mut().skip(open) {
        if byte.is_ascii_digit() && !within_name {
            *byte = b'*';
        } else {
            within_name = is_name(*byte);
        }
    }
}

/// Puts stars between the places, but keeps the ends of lines.
fn star(text: &mut [u8], start: usize, end: usize) {
    let hidden = text.get_mut(start..end).unwrap_or_default();
    let bytes = hidden.iter_mut().filter(|byte| **byte != b'\n');
    bytes.for_each(|byte| *byte = b'*');
}
