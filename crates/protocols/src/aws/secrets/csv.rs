//! CSV (RFC 4180): columns that are hidden by their name in the header, or by their number where there is none.
//!
//! Rows are held until they are whole. One that has not as many fields as the first could hold a column anywhere, so all of
//! it is hidden.

use mask::Findings;

use super::{Member, Members, Unreadable};

/// A row is at most so long.
const ROW_BYTES_MAX: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Csv {
    members: Members,
    separator: u8,
    header: bool,
    /// The hidden columns, once the first row was read.
    columns: Option<Vec<Option<Member>>>,
    row: Vec<u8>,
    /// Within quotes; a quote may also be half of two.
    quoted: bool,
}

impl Csv {
    pub(super) fn new(members: Members, separator: u8, header: bool) -> Self {
        Self {
            members,
            separator,
            header,
            columns: None,
            row: Vec::new(),
            quoted: false,
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
            if self.row.len() >= ROW_BYTES_MAX {
                return Err(Unreadable);
            }
            self.row.push(byte);
            match byte {
                b'"' => self.quoted = !self.quoted,
                b'\n' if !self.quoted => self.end(out, findings),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>, findings: &mut Findings) {
        if !self.row.is_empty() {
            self.end(out, findings);
        }
    }

    /// Which columns are hidden, by the first row.
    fn hidden(&self, row: &[u8], fields: &[Span]) -> Vec<Option<Member>> {
        let numbered = |index: usize| {
            let found = self.members.by_column.iter().find(|(it, _)| *it == index);
            found.map(|(_, member)| *member)
        };
        let named = |span: &Span| {
            self.members
                .find(name(row.get(span.clone()).unwrap_or_default()).as_bytes())
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

    /// A row is whole.
    fn end(&mut self, out: &mut Vec<u8>, findings: &mut Findings) {
        let row = std::mem::take(&mut self.row);
        let content = row.trim_ascii_end().len();
        let fields = fields(&row, self.separator);
        if self.columns.is_none() {
            // What is blank is no first row.
            if content > 0 {
                self.columns = Some(self.hidden(&row, &fields));
            }
            if self.header || content == 0 {
                out.extend_from_slice(&row);
                return;
            }
        }
        let columns = self.columns.as_deref().unwrap_or_default();
        let numbers = || self.members.by_column.iter();
        let short = numbers().any(|(column, _)| *column >= fields.len());
        let ragged = (fields.len() != columns.len() || short) && content > 0;
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
            if let Some(field) = out.get_mut(span)
                && hide(field)
            {
                self.members.count(member, findings);
            }
        }
    }
}

type Span = std::ops::Range<usize>;

/// Where the fields of a row are, without what ends it.
fn fields(row: &[u8], separator: u8) -> Vec<Span> {
    let end = row.strip_suffix(b"\n").unwrap_or(row);
    let end = end.strip_suffix(b"\r").unwrap_or(end);
    let (mut fields, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, &byte) in end.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            byte if byte == separator && !quoted => {
                fields.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    fields.push(start..end.len());
    fields
}

/// A column's name: without quotes, blanks and a mark of the encoding.
fn name(field: &[u8]) -> String {
    let field = field
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(field)
        .trim_ascii();
    let inner = field
        .strip_prefix(b"\"")
        .and_then(|it| it.strip_suffix(b"\""));
    let text = String::from_utf8_lossy(inner.unwrap_or(field)).replace("\"\"", "\"");
    text.trim().to_owned()
}

/// Hides a field at its own length; the quotes around it stay. Whether there was something to hide.
fn hide(field: &mut [u8]) -> bool {
    let quoted = field.len() >= 2 && field.first() == Some(&b'"') && field.last() == Some(&b'"');
    let inner = if quoted {
        let end = field.len() - 1;
        field.get_mut(1..end)
    } else {
        Some(field)
    };
    let inner = inner.unwrap_or_default();
    inner.fill(b'*');
    !inner.is_empty()
}

#[cfg(test)]
mod tests;
