//! COPY data, taken apart into fields, masked field by field, and put together again.
//!
//! Rows and fields may be split over any number of messages; the result is the same. A field that is not touched
//! leaves as it came, byte for byte.

mod csv;
mod table;
mod text;

use std::sync::Arc;

use model::DataClass;

use crate::detect::Hint;
use crate::findings::{Findings, Place};
use crate::masker::{Masker, Outcome};

pub use csv::CsvFormat;
pub use table::{CSV_HEADER_BYTES_MAX, CsvMasker};
pub use text::TextFormat;

/// The longest field that is read, as it stands in the data. A longer one is withheld: the null string takes its place.
pub const COPY_FIELD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What old clients and servers end the data with, in a row of its own.
const END_MARK: &[u8] = b"\\.";

/// The class under which fields are counted that nobody read.
const UNINSPECTED: &str = "uninspected";

/// The format of COPY data. The binary format is not among them: its values are typed, and masked as such or withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyFormat {
    /// `FORMAT text`.
    Text(TextFormat),
    /// `FORMAT csv`.
    Csv(CsvFormat),
}

/// What happens to the fields of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnPlan {
    /// Shown as they are, unread: types that cannot hold anything protected.
    Clear,
    /// Free text: searched.
    Scan(Hint),
    /// Declared to hold a class: masked whatever they look like.
    Declared(DataClass),
    /// Masked by its protocol, which knows the form of its type.
    Value(ValueMasker),
    /// Replaced by the null string.
    Withhold,
}

/// How a protocol masks the values of a column.
#[derive(Debug, Clone)]
pub struct ValueMasker(pub Arc<dyn MaskValue>);

/// Masks values of one type.
pub trait MaskValue: std::fmt::Debug + Send + Sync {
    /// Says what becomes of a value; with [`Outcome::Masked`] what replaces it is appended to `out`.
    fn mask(&self, value: &[u8], out: &mut Vec<u8>, findings: &mut Findings) -> Outcome;
}

impl PartialEq for ValueMasker {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ValueMasker {}

/// How the data are written, and what happens to each column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyPlan {
    /// How fields and rows are told apart.
    pub format: CopyFormat,
    /// Whether the first row holds names. They are treated as free text, not as values of their columns.
    pub header: bool,
    /// The columns in order, with the names under which findings are counted.
    pub columns: Vec<(String, ColumnPlan)>,
}

/// COPY data that do not fit the plan. Nothing of the row that does not fit was shown from that field on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// A row has more or fewer fields than there are columns.
    #[error(
        "COPY row {row} has not the {planned} fields that its columns have: check delimiter and format of the COPY"
    )]
    Fields {
        /// The row, from 1.
        row: u64,
        /// The columns of the plan.
        planned: usize,
    },
    /// No row ends where the header must.
    #[error("the first row, which must name the columns, does not end: check that this is CSV")]
    Header,
    /// The data end within a row.
    #[error("COPY data end within row {row}: the upstream broke off")]
    Unfinished {
        /// The row, from 1.
        row: u64,
    },
}

/// Masks COPY data as they pass. Push every piece, then finish.
#[derive(Debug)]
pub struct CopyMasker {
    masker: Arc<Masker>,
    splitter: Splitter,
    null: Vec<u8>,
    delimiter: u8,
    header: bool,
    columns: Vec<(Place, ColumnPlan)>,
    uninspected: Option<DataClass>,
    row: u64,
    column: usize,
    /// The beginning of a field of which the end has not come.
    field: Vec<u8>,
    /// The field grew beyond the limit; what comes of it is dropped.
    too_long: bool,
    /// All that came of the field is so many bytes of [`END_MARK`].
    mark: Option<usize>,
    decoded: Vec<u8>,
    masked: Vec<u8>,
}

#[derive(Debug)]
enum Splitter {
    Text(text::Splitter),
    Csv(csv::Splitter),
}

impl Splitter {
    fn field_end(&mut self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Text(text) => text.field_end(bytes),
            Self::Csv(csv) => csv.field_end(bytes),
        }
    }

    /// Writes the value of a field; `None` if the field is the value already.
    fn decode<'a>(&self, field: &'a [u8], decoded: &'a mut Vec<u8>) -> &'a [u8] {
        match self {
            Self::Text(_) => text::decode(field, decoded),
            Self::Csv(csv) => csv.decode(field, decoded),
        }
    }

    fn encode(&self, value: &[u8], field: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => text.encode(value, out),
            Self::Csv(csv) => csv.encode(value, field, out),
        }
    }
}

impl CopyMasker {
    /// Prepares to mask; the columns become places of `findings`, which every push must be given.
    #[must_use]
    pub fn new(masker: Arc<Masker>, plan: CopyPlan, findings: &mut Findings) -> Self {
        let (null, delimiter) = match &plan.format {
            CopyFormat::Text(format) => (format.null.clone(), format.delimiter),
            CopyFormat::Csv(format) => (format.null.clone(), format.delimiter),
        };
        let splitter = match plan.format {
            CopyFormat::Text(format) => Splitter::Text(text::Splitter::new(&format)),
            CopyFormat::Csv(format) => Splitter::Csv(csv::Splitter::new(format)),
        };
        let columns = plan
            .columns
            .into_iter()
            .map(|(name, plan)| (findings.place(&name), plan))
            .collect();
        Self {
            masker,
            splitter,
            null,
            delimiter,
            header: plan.header,
            columns,
            uninspected: DataClass::try_from(UNINSPECTED.to_owned()).ok(),
            row: 1,
            column: 0,
            field: Vec::new(),
            too_long: false,
            mark: Some(0),
            decoded: Vec::new(),
            masked: Vec::new(),
        }
    }

    /// Takes the next piece and appends what is ready to `out`.
    ///
    /// # Errors
    /// [`CopyError::Fields`] if a row does not fit the columns. What was appended before stands.
    pub fn push(
        &mut self,
        mut piece: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), CopyError> {
        while let Some(end) = self.splitter.field_end(piece) {
            let (field, rest) = piece.split_at(end);
            let (terminator, rest) = rest.split_first().unwrap_or((&b'\n', rest));
            self.end_field(field, *terminator, out, findings)?;
            piece = rest;
        }
        self.compare_with_mark(piece);
        self.hold(piece, out);
        Ok(())
    }

    /// The data are complete.
    ///
    /// # Errors
    /// [`CopyError::Unfinished`] if they end within a row.
    pub fn finish(self) -> Result<(), CopyError> {
        let unfinished = self.column > 0 || !self.field.is_empty() || self.too_long;
        if unfinished {
            Err(CopyError::Unfinished { row: self.row })
        } else {
            Ok(())
        }
    }

    /// Follows whether the field is the end mark, in however many parts it comes.
    fn compare_with_mark(&mut self, part: &[u8]) {
        let goes_on = |count: &usize| {
            let rest = END_MARK.get(*count..).unwrap_or_default();
            rest.starts_with(part)
        };
        self.mark = self.mark.filter(goes_on).map(|count| count + part.len());
    }

    /// Passes the end mark on, as far as [`CopyMasker::hold`] has not.
    fn end_mark(&mut self, count: usize, part: &[u8], out: &mut Vec<u8>) {
        if matches!(self.plan(), Some(ColumnPlan::Clear)) {
            out.extend_from_slice(part);
        } else {
            out.extend_from_slice(END_MARK.get(..count).unwrap_or_default());
        }
        self.field.clear();
    }

    /// Keeps a part of a field, or passes or drops it where nobody reads it.
    fn hold(&mut self, part: &[u8], out: &mut Vec<u8>) {
        match self.plan() {
            Some(ColumnPlan::Clear) => out.extend_from_slice(part),
            Some(ColumnPlan::Withhold) if !self.in_header() => {}
            _ if self.too_long => {}
            _ if self.field.len() + part.len() > COPY_FIELD_BYTES_MAX => {
                self.too_long = true;
                self.field = Vec::new();
            }
            _ => self.field.extend_from_slice(part),
        }
    }

    fn in_header(&self) -> bool {
        self.header && self.row == 1
    }

    fn plan(&self) -> Option<&ColumnPlan> {
        self.columns.get(self.column).map(|(_, plan)| plan)
    }

    fn end_field(
        &mut self,
        part: &[u8],
        terminator: u8,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), CopyError> {
        let last = terminator != self.delimiter;
        let misfit = CopyError::Fields {
            row: self.row,
            planned: self.columns.len(),
        };
        self.compare_with_mark(part);
        let whole = [0, END_MARK.len()];
        let mark = self
            .mark
            .filter(|count| last && self.column == 0 && whole.contains(count));
        if last != (self.column + 1 >= self.columns.len()) || self.columns.is_empty() {
            // A table without columns has empty rows, and old clients end with a mark.
            match mark.filter(|count| *count > 0 || self.columns.is_empty()) {
                Some(count) => self.end_mark(count, part, out),
                None => return Err(misfit),
            }
        } else if self.field.is_empty() && !self.too_long && part.len() <= COPY_FIELD_BYTES_MAX {
            self.emit(part, out, findings);
        } else {
            self.hold(part, out);
            let field = std::mem::take(&mut self.field);
            if self.too_long {
                self.withhold(out, findings);
            } else {
                self.emit(&field, out, findings);
            }
            self.field = field;
            self.field.clear();
        }
        self.too_long = false;
        self.mark = Some(0);
        out.push(terminator);
        self.column = if last { 0 } else { self.column + 1 };
        self.row += u64::from(last);
        Ok(())
    }

    /// Shows a field as its plan has it; a carriage return behind the last one of a row in CSV is not of it.
    fn emit(&mut self, field: &[u8], out: &mut Vec<u8>, findings: &mut Findings) {
        let ends =
            matches!(self.splitter, Splitter::Csv(_)) && self.column + 1 == self.columns.len();
        match field.strip_suffix(b"\r").filter(|_| ends) {
            Some(field) => {
                self.emit_value(field, out, findings);
                out.push(b'\r');
            }
            None => self.emit_value(field, out, findings),
        }
    }

    fn emit_value(&mut self, field: &[u8], out: &mut Vec<u8>, findings: &mut Findings) {
        let Some((place, plan)) = self.columns.get(self.column) else {
            return;
        };
        findings.enter(*place);
        let names = self.in_header();
        if matches!(plan, ColumnPlan::Clear) {
            return out.extend_from_slice(field);
        }
        if matches!(plan, ColumnPlan::Withhold) && !names {
            return self.withhold(out, findings);
        }
        if field == self.null && !names {
            return out.extend_from_slice(field);
        }
        let value = self.splitter.decode(field, &mut self.decoded);
        self.masked.clear();
        let outcome = match plan {
            ColumnPlan::Declared(class) if !names => {
                self.masker
                    .mask_declared(class, value, &mut self.masked, findings)
            }
            ColumnPlan::Value(ValueMasker(masker)) if !names => {
                masker.mask(value, &mut self.masked, findings)
            }
            ColumnPlan::Scan(hint) if !names => {
                self.masker
                    .mask_text(*hint, value, &mut self.masked, findings)
            }
            _ => self
                .masker
                .mask_text(Hint::NONE, value, &mut self.masked, findings),
        };
        match outcome {
            Outcome::Clean => out.extend_from_slice(field),
            Outcome::Masked => self.splitter.encode(&self.masked, field, out),
            Outcome::Null | Outcome::Withheld => out.extend_from_slice(&self.null),
        }
    }

    fn withhold(&self, out: &mut Vec<u8>, findings: &mut Findings) {
        if let Some((place, _)) = self.columns.get(self.column) {
            findings.enter(*place);
        }
        if let Some(class) = &self.uninspected {
            findings.record_withheld(class, "withheld");
        }
        out.extend_from_slice(&self.null);
    }
}

#[cfg(test)]
mod tests;
