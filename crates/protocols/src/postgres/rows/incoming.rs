//! `COPY … FROM STDIN`: what the client sends, as it may rest. The data themselves go on as they are.

use std::sync::Arc;

use bytes::Bytes;
use mask::{ColumnPlan, CopyMasker, Findings, Hint, MaskValue, Masker, Outcome, ValueMasker};
use model::DataClass;
use sql::Action;
use sql::postgres::{Kind, Relation, Resolved, Statement};

use super::copy::{format, options};
use crate::postgres::known::Known;
use crate::postgres::wire::{CopyBegin, Format};

/// How the data of one `COPY … FROM STDIN` rest.
#[derive(Debug)]
pub struct CopyIn {
    way: Way,
    /// What the last line that has not ended begins with, up to four bytes.
    line: Vec<u8>,
}

#[derive(Debug)]
enum Way {
    /// Field by field, each by the column that it goes into.
    Fields(Box<CopyMasker>),
    /// What cannot be taken apart is told by its length.
    Length,
}

/// The line that ends the data, in versions before 18 also in CSV.
const END_OF_DATA: &[u8] = b"\\.";

/// In place of what was begun and never ended.
const UNFINISHED: &[u8] = b"<a row without an end>";

impl CopyIn {
    /// Plans for the data that CopyInResponse `begin` asks for. `masker` is that of what rests.
    #[must_use]
    pub fn new(
        begin: &CopyBegin,
        statement: &Statement,
        resolved: &Resolved,
        known: &Known,
        masker: &Arc<Masker>,
    ) -> Self {
        let fields = || {
            let columns = columns(begin.columns.len(), resolved, known, masker)?;
            let plan = mask::CopyPlan {
                format: format(options(statement).ok()?).ok()?,
                // A header that names other columns, or is none, is masked as rows are.
                header: false,
                columns,
            };
            let masker = CopyMasker::new(Arc::clone(masker), plan, &mut Findings::counting());
            Some(Way::Fields(Box::new(masker)))
        };
        let readable = begin.format == Format::Text;
        let way = readable.then(fields).flatten().unwrap_or(Way::Length);
        Self {
            way,
            line: Vec::new(),
        }
    }

    /// What may rest of the next data; of a field whose end has not come, nothing yet.
    pub fn at_rest(&mut self, data: &[u8]) -> Bytes {
        let Some(end) = self.end_of_data(data) else {
            return self.rows_at_rest(data).into();
        };
        // What stands behind goes into no column.
        let (rows, behind) = data.split_at_checked(end).unwrap_or((data, b""));
        let mut out = self.rows_at_rest(rows);
        self.way = Way::Length;
        if !behind.is_empty() {
            out.extend(self.rows_at_rest(behind));
        }
        out.into()
    }

    /// Where the data go on behind a line that ends them (`\.`), if one comes to its end in them.
    fn end_of_data(&mut self, data: &[u8]) -> Option<usize> {
        if !matches!(self.way, Way::Fields(_)) {
            return None;
        }
        let mut start = 0;
        for end in memchr::memchr2_iter(b'\n', b'\r', data) {
            let line = data.get(start..end).unwrap_or_default();
            let is_end = if self.line.is_empty() {
                line == END_OF_DATA
            } else {
                self.line.len() + line.len() == 2 && [&self.line, line].concat() == END_OF_DATA
            };
            if is_end {
                return Some(end + 1);
            }
            self.line.clear();
            start = end + 1;
        }
        let rest = data.get(start..).unwrap_or_default();
        let room = 4_usize.saturating_sub(self.line.len());
        self.line.extend(rest.iter().take(room));
        None
    }

    fn rows_at_rest(&mut self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len());
        let read = match &mut self.way {
            Way::Fields(masker) => masker
                .push(data, &mut out, &mut Findings::counting())
                .is_ok(),
            Way::Length => false,
        };
        if !read {
            self.way = Way::Length;
            out.extend_from_slice(format!("<{} bytes>", data.len()).as_bytes());
        }
        out
    }

    /// What may rest of a last row that no line end followed.
    #[must_use]
    pub fn finish(self) -> Bytes {
        let Way::Fields(mut masker) = self.way else {
            return Bytes::new();
        };
        let mut out = Vec::new();
        let ended = masker.push(b"\n", &mut out, &mut Findings::counting());
        if ended.is_ok() && out.last() == Some(&b'\n') {
            out.pop();
        }
        if ended.is_ok() && masker.finish().is_err() {
            out.extend_from_slice(UNFINISHED);
        }
        out.into()
    }
}

/// A plan for each of so many columns; `None` where it cannot be told which they are, and that counts.
fn columns(
    count: usize,
    resolved: &Resolved,
    known: &Known,
    masker: &Arc<Masker>,
) -> Option<Vec<(String, ColumnPlan)>> {
    let mut effects = resolved.effects.iter().map(|effect| &effect.effect);
    let effect = effects.find(|effect| effect.action == Action::CopyIn)?;
    let relations = known.catalog.candidates(effect.relation.as_ref()?);
    let written = relations.map(|it| written(it, effect.columns.as_deref(), known));
    let mut written = written.filter(|columns| columns.len() == count);
    let Some(mut columns) = written.next() else {
        let anything = known.protected.is_empty();
        return anything.then(|| vec![(String::new(), ColumnPlan::Scan(Hint::NONE)); count]);
    };
    for other in written {
        for (column, other) in columns.iter_mut().zip(other) {
            if *column != other {
                column.holds = Some(None);
            }
        }
    }
    let plan = |column: Written| (column.name.clone(), plan(column, masker));
    Some(columns.into_iter().map(plan).collect())
}

/// A column that is written.
#[derive(Debug, PartialEq)]
struct Written {
    name: String,
    /// The class that it holds, if anything protected; `None` for one that is not known.
    holds: Option<Option<DataClass>>,
}

fn written(relation: &Relation, named: Option<&[String]>, known: &Known) -> Vec<Written> {
    let all = || relation.columns.iter().filter(|column| !column.generated);
    let columns: Vec<_> = match named {
        Some(names) => {
            let find = |name: &String| relation.columns.iter().find(|it| it.name == *name);
            names.iter().filter_map(find).collect()
        }
        None => all().collect(),
    };
    let written = columns.into_iter().map(|column| Written {
        name: column.name.clone(),
        holds: match known.protected.column(relation.oid, column.number).kind {
            Kind::Clear => None,
            Kind::Direct(of) => Some(Some(of.class().clone())),
            _ => Some(None),
        },
    });
    written.collect()
}

fn plan(column: Written, masker: &Arc<Masker>) -> ColumnPlan {
    let value = Value {
        hint: masker.hint(&column.name),
        column,
        masker: Arc::clone(masker),
    };
    ColumnPlan::Value(ValueMasker(Arc::new(value)))
}

/// What becomes of a value of a column.
#[derive(Debug)]
struct Value {
    column: Written,
    hint: Hint,
    masker: Arc<Masker>,
}

impl MaskValue for Value {
    fn mask(&self, value: &[u8], out: &mut Vec<u8>, findings: &mut Findings) -> Outcome {
        // In a header it is the column's own name.
        if value.is_empty() || value == self.column.name.as_bytes() {
            return Outcome::Clean;
        }
        match &self.column.holds {
            None => self.masker.mask_text(self.hint, value, out, findings),
            Some(Some(class)) => self.masker.mask_declared(class, value, out, findings),
            Some(None) => {
                let chars = String::from_utf8_lossy(value).chars().count();
                out.resize(out.len() + chars, b'*');
                Outcome::Masked
            }
        }
    }
}
