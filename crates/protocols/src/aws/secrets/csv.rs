//! CSV (RFC 4180): columns that are hidden by their name in the header, or by their number where there is none.
//!
//! Rows are held until they are whole. One that has not as many fields as the first, or has a quote where none may stand,
//! could hold a column anywhere, so all of it is hidden. What is not CSV as declared is not shown at all: where the header
//! does not name every column (case and blanks aside), as with another separator or with lines before it, or where a carriage
//! return alone ends rows.

use mask::Findings;

use super::{Member, Members, Unreadable};

/// A row is at most so long.
const ROW_BYTES_MAX: usize = 1 << 20;
/// A header, of which nothing is hidden, is at most so long.
const HEADER_BYTES_MAX: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Csv {
    members: Members,
    separator: u8,
    header: bool,
    /// The hidden columns, once the first row was read.
    columns: Option<Vec<Option<Member>>>,
    row: Vec<u8>,
    at: At,
    /// The row so far has a quote where none may stand.
    stray: bool,
    /// A blank row came after the first that was not: what follows may be another table.
    parted: bool,
}

/// Where in a row the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the start of a field.
    Start,
    /// In a field without quotes.
    Plain,
    /// Within quotes.
    Quoted,
    /// After a quote within quotes: their end, or the first half of a quote.
    Quote,
}

impl At {
    /// After this byte, and whether it is a quote, or stands behind one, where that may not be.
    fn after(self, byte: u8, separator: u8) -> (Self, bool) {
        match (self, byte) {
            (Self::Start, b'"') => (Self::Quoted, false),
            (Self::Quoted, b'"') => (Self::Quote, false),
            (Self::Quoted, _) => (Self::Quoted, false),
            (Self::Quote, b'"') => (Self::Quoted, false),
            (_, b'\r' | b'\n') => (self, false),
            (_, byte) if byte == separator => (Self::Start, false),
            (Self::Quote, byte) => (Self::Plain, !matches!(byte, b' ' | b'\t')),
            (Self::Start | Self::Plain, byte) => (Self::Plain, byte == b'"'),
        }
    }
}

impl Csv {
    pub(super) fn new(members: Members, separator: u8, header: bool) -> Self {
        Self {
            members,
            separator,
            header,
            columns: None,
            row: Vec::new(),
            at: At::Start,
            stray: false,
            parted: false,
        }
    }

    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    pub(super) fn push(
        &mut self,
        piece: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), Unreadable> {
        for &byte in piece {
            let most = match self.columns {
                None if self.header => HEADER_BYTES_MAX,
                _ => ROW_BYTES_MAX,
            };
            if self.row.len() >= most {
                return Err(Unreadable);
            }
            let returned = self.at != At::Quoted && self.row.last() == Some(&b'\r');
            self.row.push(byte);
            if byte == b'\n' && self.at != At::Quoted {
                self.end(out, findings)?;
                continue;
            }
            if returned {
                return Err(Unreadable);
            }
            if !is_mark(&self.row) {
                let (at, stray) = self.at.after(byte, self.separator);
                self.at = at;
                self.stray |= stray;
            }
        }
        Ok(())
    }

    pub(super) fn finish(
        mut self,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), Unreadable> {
        if self.row.is_empty() {
            return Ok(());
        }
        self.end(out, findings)
    }

    /// Which columns are hidden, by the first row.
    fn hidden(&self, row: &[u8], fields: &[Span]) -> Vec<Option<Member>> {
        let numbered = |index: usize| {
            let found = self.members.by_column.iter().find(|(it, _)| *it == index);
            found.map(|(_, member)| *member)
        };
        let named = |span: &Span| {
            let name = name(row.get(span.clone()).unwrap_or_default());
            let mut declared = self.members.by_name.iter();
            let found = declared.find(|(it, _)| same(it, &name));
            found.map(|(_, member)| *member)
        };
        let of = |(index, span)| {
            if self.header {
                named(span)
            } else {
                numbered(index)
            }
        };
        fields.iter().enumerate().map(of).collect()
    }

    /// Whether a header names all columns that are declared.
    fn names_all(&self, row: &[u8], fields: &[Span]) -> bool {
        let names = fields.iter().filter_map(|span| row.get(span.clone()));
        let names: Vec<String> = names.map(name).collect();
        let named = |declared: &String| names.iter().any(|it| same(it, declared));
        self.members.by_name.keys().all(named)
    }

    /// A row is whole.
    fn end(&mut self, out: &mut Vec<u8>, findings: &mut Findings) -> Result<(), Unreadable> {
        let row = std::mem::take(&mut self.row);
        self.at = At::Start;
        let stray = std::mem::take(&mut self.stray);
        let blank = |byte: &u8| byte.is_ascii_whitespace() && *byte != self.separator;
        let is_blank = row.iter().all(blank);
        let fields = fields(&row, self.separator);
        if is_blank {
            self.parted |= self.header && self.columns.is_some();
            out.extend_from_slice(&row);
            return Ok(());
        }
        if self.columns.is_none() {
            let columns = self.hidden(&row, &fields);
            if self.header && (stray || !self.names_all(&row, &fields)) {
                return Err(Unreadable);
            }
            self.columns = Some(columns);
            if self.header {
                out.extend_from_slice(&row);
                return Ok(());
            }
        }
        let columns = self.columns.as_deref().unwrap_or_default();
        let numbers = || self.members.by_column.iter();
        let short = numbers().any(|(column, _)| *column >= fields.len());
        let ragged = fields.len() != columns.len() || short || stray || self.parted;
        let start = out.len();
        out.extend_from_slice(&row);
        for (index, span) in fields.iter().enumerate() {
            let hidden = columns.get(index).copied().flatten();
            let number = || numbers().next().map(|(_, member)| *member);
            let any = || columns.iter().flatten().next().copied().or_else(number);
            let Some(member) = (if ragged { any() } else { hidden }) else {
                continue;
            };
            let span = start + span.start..start + span.end;
            if let Some(field) = out.get_mut(span) {
                hide(field, |value| {
                    self.members.count(member, Some(value), findings)
                });
            }
        }
        Ok(())
    }
}

/// What may stand before the first row: UTF-8's mark.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Whether this beginning of a row is that of the mark.
fn is_mark(row: &[u8]) -> bool {
    MARK.starts_with(row)
}

type Span = std::ops::Range<usize>;

/// Where the fields of a row are, without what ends it.
fn fields(row: &[u8], separator: u8) -> Vec<Span> {
    let end = row.strip_suffix(b"\n").unwrap_or(row);
    let end = end.strip_suffix(b"\r").unwrap_or(end);
    let (mut fields, mut start, mut state) = (Vec::new(), 0, At::Start);
    for (at, &byte) in end.iter().enumerate() {
        if byte == separator && state != At::Quoted {
            fields.push(start..at);
            start = at + 1;
        }
        if !is_mark(end.get(..=at).unwrap_or_default()) {
            (state, _) = state.after(byte, separator);
        }
    }
    fields.push(start..end.len());
    fields
}

/// A column's name: without quotes, blanks and a mark of the encoding.
fn name(field: &[u8]) -> String {
    let field = field.strip_prefix(MARK).unwrap_or(field).trim_ascii();
    let inner = field
        .strip_prefix(b"\"")
        .and_then(|it| it.strip_suffix(b"\""));
    let text = String::from_utf8_lossy(inner.unwrap_or(field)).replace("\"\"", "\"");
    text.trim().to_owned()
}

/// Whether two names of columns are the same but for case and blanks.
fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Hides a field at its own length; the quotes around it stay. What it says is told before.
fn hide(field: &mut [u8], told: impl FnOnce(&[u8])) {
    let quoted = field.len() >= 2 && field.first() == Some(&b'"') && field.last() == Some(&b'"');
    let inner = if quoted {
        let end = field.len() - 1;
        field.get_mut(1..end)
    } else {
        Some(field)
    };
    let inner = inner.unwrap_or_default();
    if quoted && inner.contains(&b'"') {
        let text = inner.to_vec();
        let mut text = text.into_iter().peekable();
        let mut plain = Vec::with_capacity(inner.len());
        while let Some(byte) = text.next() {
            plain.push(byte);
            text.next_if(|next| byte == b'"' && *next == b'"');
        }
        told(&plain);
    } else {
        told(inner);
    }
    inner.fill(b'*');
}

#[cfg(test)]
mod tests;
