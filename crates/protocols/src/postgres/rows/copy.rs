//! `COPY … TO STDOUT` in its three formats (PostgreSQL manual, COPY, "File Formats").

use std::sync::Arc;

use bytes::Bytes;
use mask::{
    ColumnPlan, CopyFormat, CopyMasker, CsvFormat, Findings, MaskValue, Outcome, TextFormat,
    ValueMasker,
};
use sql::postgres::{CopiedColumn, Copy, Resolved, Statement};

use super::cell::{Cells, Column};
use super::plan::{self, Source};
use super::tuple::{Tuples, count_at, value_at};
use super::{HEADER_BYTES, RowError, Shown, message_end, set_length};
use crate::postgres::catalog::Form;
use crate::postgres::known::Known;
use crate::postgres::settings::Masks;
use crate::postgres::wire::{CopyBegin, Format, Frame, Malformed, server};

/// The longest row of binary COPY data.
pub const COPY_ROW_BYTES_MAX: usize = 64 << 20;

/// How the data of one `COPY … TO STDOUT` are shown.
#[derive(Debug)]
pub struct CopyPlan {
    way: Way,
    /// What is shown of one message.
    shown: Vec<u8>,
}

#[derive(Debug)]
enum Way {
    Clear,
    Fields(Box<CopyMasker>),
    Binary(Box<Binary>),
}

impl CopyPlan {
    /// Plans the data that CopyOutResponse `begin` announces. The columns become places of `findings`, which every
    /// message must be given.
    ///
    /// # Errors
    /// [`RowError::Refused`] where a column cannot be shown; it names the column and what to do.
    pub fn new(
        begin: &CopyBegin,
        statement: &Statement,
        resolved: &Resolved,
        known: &Arc<Known>,
        masks: &Masks,
        findings: &mut Findings,
    ) -> Result<Self, RowError> {
        let copy = match options(statement) {
            Err(RowError::Refused(_)) if masks.open => return Ok(Self::clear()),
            options => options?,
        };
        let cells = Cells::new(Arc::clone(known), masks.clone());
        let copied = resolved.copied(begin.columns.len()).into_iter();
        let columns = copied
            .enumerate()
            .map(|(index, column)| {
                let source = source(index, &column, begin.format, known);
                plan::column(&cells, source, column.rule, findings)
            })
            .collect::<Result<Vec<_>, _>>()?;
        asks_no_guess(&cells, copy, &columns)?;
        let way = if begin.format == Format::Binary {
            Way::binary(Tuples::new(cells, columns))
        } else if columns.iter().all(Column::passes) {
            Way::Clear
        } else {
            let cells = Arc::new(cells);
            let plan = mask::CopyPlan {
                format: format(copy)?,
                header: copy.header,
                columns: columns
                    .into_iter()
                    .map(|column| fields(column, &cells))
                    .collect(),
            };
            let masker = CopyMasker::new(Arc::clone(&masks.text), plan, findings);
            Way::Fields(Box::new(masker))
        };
        Ok(Self {
            way,
            shown: Vec::new(),
        })
    }

    fn clear() -> Self {
        Self {
            way: Way::Clear,
            shown: Vec::new(),
        }
    }

    /// Whether all data may be shown as they come, unread.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        matches!(self.way, Way::Clear)
    }

    /// Decides about one CopyData. What a message holds of an unfinished row is kept for the next.
    ///
    /// # Errors
    /// [`RowError`]; what was appended before stands, and nothing more may be shown.
    pub fn data(
        &mut self,
        frame: &Frame,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<Shown, RowError> {
        if self.read(&frame.body, findings)? == Shown::Rewritten {
            self.put(out);
            return Ok(Shown::Rewritten);
        }
        Ok(Shown::Untouched)
    }

    /// Decides about a stretch of whole CopyData messages ([`crate::postgres::wire::Run`]).
    ///
    /// # Errors
    /// [`RowError`]; then what was appended is what may be shown of the messages before.
    pub fn run(
        &mut self,
        whole: &Bytes,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<Shown, RowError> {
        if self.is_clear() {
            return Ok(Shown::Untouched);
        }
        let (mut at, mut copied) = (0, 0);
        let mut shown = Shown::Untouched;
        while at < whole.len() {
            let end = message_end(whole, at)?;
            let body = whole.get(at + HEADER_BYTES..end).unwrap_or_default();
            let result = self.read(body, findings);
            if result != Ok(Shown::Untouched) {
                out.extend_from_slice(whole.get(copied..at).unwrap_or_default());
                copied = end;
                shown = Shown::Rewritten;
            }
            if result? == Shown::Rewritten {
                self.put(out);
            }
            at = end;
        }
        if shown == Shown::Rewritten {
            out.extend_from_slice(whole.get(copied..).unwrap_or_default());
        }
        Ok(shown)
    }

    /// Leaves in `self.shown` what is to be shown of a message's body.
    fn read(&mut self, body: &[u8], findings: &mut Findings) -> Result<Shown, RowError> {
        self.shown.clear();
        match &mut self.way {
            Way::Clear => return Ok(Shown::Untouched),
            Way::Fields(masker) => masker
                .push(body, &mut self.shown, findings)
                .map_err(|error| RowError::withheld(error.to_string(), Vec::new()))?,
            Way::Binary(binary) => binary.push(body, &mut self.shown, findings)?,
        }
        if self.shown == body {
            Ok(Shown::Untouched)
        } else {
            Ok(Shown::Rewritten)
        }
    }

    /// Appends what is to be shown as a message; of a row whose end has not come, nothing.
    fn put(&mut self, out: &mut Vec<u8>) {
        if !self.shown.is_empty() {
            let at = out.len();
            out.push(server::COPY_DATA);
            out.extend_from_slice(&[0; 4]);
            out.append(&mut self.shown);
            set_length(out, at);
        }
    }

    /// CopyDone came.
    ///
    /// # Errors
    /// [`RowError`] where the data end within a row.
    pub fn finish(self) -> Result<(), RowError> {
        match self.way {
            Way::Clear => Ok(()),
            Way::Fields(masker) => masker
                .finish()
                .map_err(|error| RowError::withheld(error.to_string(), Vec::new())),
            Way::Binary(binary) if binary.held.is_empty() => Ok(()),
            Way::Binary(_) => Err(Malformed("COPY data end within a row").into()),
        }
    }
}

/// The options of the COPY.
pub(super) fn options(statement: &Statement) -> Result<&Copy, RowError> {
    let copy = statement.copy.as_ref();
    let copy = copy.ok_or(Malformed("COPY data answer another statement"))?;
    let utf8 = |name: &str| {
        let name = name.replace(['-', '_'], "");
        name.eq_ignore_ascii_case("utf8") || name.eq_ignore_ascii_case("unicode")
    };
    if copy.encoding.as_deref().is_some_and(|name| !utf8(name)) {
        let message =
            "COPY with an ENCODING other than UTF8 cannot be inspected: leave ENCODING out";
        return Err(RowError::withheld(message.to_owned(), Vec::new()));
    }
    Ok(copy)
}

/// Whether a text that stands for NULL is no value that anybody would look for: `NULL`, `\N`, signs.
fn is_no_value(null: &str) -> bool {
    let letters: String = null.chars().filter(|it| it.is_alphanumeric()).collect();
    letters.is_empty() || null == "\\N" || letters.eq_ignore_ascii_case("null")
}

/// Refuses a text in place of NULL that could be a hidden value: a row that has it would look unlike the others.
fn asks_no_guess(cells: &Cells, copy: &Copy, columns: &[Column]) -> Result<(), RowError> {
    let Some(null) = copy.null.as_deref().filter(|null| !is_no_value(null)) else {
        return Ok(());
    };
    let hides = columns.iter().any(|column| !column.shows(cells, null));
    if copy.format == "binary" || cells.masks().open || !hides {
        return Ok(());
    }
    let message = "COPY with such a text for NULL tells which rows hold it, and some columns are masked: leave NULL out, or use \
                   '', '\\N' or 'NULL'";
    Err(RowError::withheld(message.to_owned(), Vec::new()))
}

/// What is known of a column: where it is not that of a table, at most its name.
fn source(index: usize, column: &CopiedColumn, format: Format, known: &Known) -> Source {
    let kind = column.origin.and_then(|origin| {
        let relation = known.catalog.relation_by_oid(origin.table_oid)?;
        let mut columns = relation.columns.iter();
        Some(columns.find(|it| it.number == origin.column)?.type_oid)
    });
    let name = column.name.clone();
    Source {
        name: name.unwrap_or_else(|| format!("column {}", index + 1)),
        origin: column.origin.map(|it| (it.table_oid, it.column)),
        form: kind.map_or(Form::Unknown, |kind| known.types.form(kind)),
        format,
    }
}

/// A column of COPY data as text: its values are looked at as those of rows are.
#[derive(Debug)]
struct Values {
    cells: Arc<Cells>,
    column: Column,
}

impl MaskValue for Values {
    fn mask(&self, value: &[u8], out: &mut Vec<u8>, findings: &mut Findings) -> Outcome {
        self.cells.look(&self.column, value, out, findings)
    }
}

fn fields(column: Column, cells: &Arc<Cells>) -> (String, ColumnPlan) {
    let label = column.label.clone();
    if column.passes() {
        return (label, ColumnPlan::Clear);
    }
    let cells = Arc::clone(cells);
    let values = ValueMasker(Arc::new(Values { cells, column }));
    (label, ColumnPlan::Value(values))
}

pub(super) fn format(copy: &Copy) -> Result<CopyFormat, RowError> {
    let byte = |text: &Option<String>, default: u8| match text.as_deref().map(str::as_bytes) {
        None => Ok(default),
        Some([byte]) => Ok(*byte),
        Some(_) => Err(Malformed("a delimiter of COPY is not one byte")),
    };
    let null = |default: &str| copy.null.as_deref().unwrap_or(default).as_bytes().to_vec();
    if copy.format == "csv" {
        let quote = byte(&copy.quote, b'"')?;
        Ok(CopyFormat::Csv(CsvFormat {
            delimiter: byte(&copy.delimiter, b',')?,
            quote,
            escape: byte(&copy.escape, quote)?,
            null: null(""),
            keeps_quotes: false,
        }))
    } else {
        Ok(CopyFormat::Text(TextFormat {
            delimiter: byte(&copy.delimiter, b'\t')?,
            null: null("\\N"),
        }))
    }
}

/// `PGCOPY\n\377\r\n\0`
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// The file trailer: a count of -1.
const TRAILER: u16 = u16::MAX;

#[derive(Debug)]
struct Binary {
    tuples: Tuples,
    /// The beginning of something whose end has not come.
    held: Vec<u8>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Rows,
    Over,
}

impl Way {
    fn binary(tuples: Tuples) -> Self {
        if tuples.is_clear() {
            return Self::Clear;
        }
        Self::Binary(Box::new(Binary {
            tuples,
            held: Vec::new(),
            state: State::Header,
        }))
    }
}

impl Binary {
    fn push(
        &mut self,
        piece: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), RowError> {
        if self.held.is_empty() {
            let taken = self.take(piece, out, findings)?;
            self.held
                .extend_from_slice(piece.get(taken..).unwrap_or_default());
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(piece);
            let taken = self.take(&held, out, findings)?;
            held.drain(..taken);
            self.held = held;
        }
        if self.held.len() > COPY_ROW_BYTES_MAX {
            return Err(RowError::withheld(
                format!(
                    "a row of the COPY is longer than {COPY_ROW_BYTES_MAX} bytes and cannot be inspected"
                ),
                Vec::new(),
            ));
        }
        Ok(())
    }

    /// Takes what is whole; gives how many bytes that was.
    fn take(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<usize, RowError> {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let length = match self.state {
                State::Header => header_length(rest)?,
                State::Rows => self.row_length(rest)?,
                State::Over if rest.is_empty() => return Ok(at),
                State::Over => return Err(Malformed("COPY data go on after their end").into()),
            };
            let Some(whole) = length.and_then(|length| rest.get(..length)) else {
                return Ok(at);
            };
            at += whole.len();
            let before = out.len();
            if self.state == State::Rows && count_at(whole, 0) != Some(TRAILER) {
                self.tuples.rewrite(whole, 0, out, findings)?;
            } else if self.state == State::Rows {
                self.state = State::Over;
            } else {
                self.state = State::Rows;
            }
            if out.len() == before {
                out.extend_from_slice(whole);
            }
        }
    }

    fn row_length(&self, bytes: &[u8]) -> Result<Option<usize>, RowError> {
        let Some(count) = count_at(bytes, 0) else {
            return Ok(None);
        };
        if count == TRAILER {
            return Ok(Some(2));
        }
        if usize::from(count) != self.tuples.columns().len() {
            return Err(
                Malformed("a row of the COPY has other columns than were announced").into(),
            );
        }
        let mut at = 2;
        for _ in 0..count {
            match value_at(bytes, at)? {
                Some((_, end)) => at = end,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }
}

/// Signature, flags, and an extension with its length.
fn header_length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let compared = bytes.len().min(SIGNATURE.len());
    if bytes.get(..compared) != SIGNATURE.get(..compared) {
        return Err(Malformed("COPY data do not begin as binary ones do"));
    }
    let flags = SIGNATURE.len();
    let Some(extension) = bytes.get(flags + 4..).and_then(|rest| rest.first_chunk()) else {
        return Ok(None);
    };
    let extension = usize::try_from(i32::from_be_bytes(*extension))
        .map_err(|_| Malformed("a length in the COPY header is negative"))?;
    Ok(Some(flags + 8 + extension))
}
