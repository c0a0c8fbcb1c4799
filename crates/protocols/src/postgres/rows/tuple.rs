//! A row as DataRow and binary COPY have it: how many values, and the length and bytes of each.

use mask::{Findings, Outcome};

use super::RowError;
use super::cell::{Cells, Column, Rule};
use crate::postgres::wire::Malformed;

/// Masks rows.
#[derive(Debug)]
pub(super) struct Tuples {
    cells: Cells,
    columns: Vec<Column>,
    clear: bool,
    /// A masked value.
    value: Vec<u8>,
}

impl Tuples {
    pub(super) fn new(cells: Cells, columns: Vec<Column>) -> Self {
        Self {
            clear: columns.iter().all(Column::passes),
            cells,
            columns,
            value: Vec::new(),
        }
    }

    pub(super) fn is_clear(&self) -> bool {
        self.clear
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Appends what is to be shown in place of `whole`, whose row begins at `at`; nothing where it may be shown itself.
    /// On an error nothing is appended.
    pub(super) fn rewrite(
        &mut self,
        whole: &[u8],
        at: usize,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), RowError> {
        let before = out.len();
        let result = self.columns_of(whole, at, out, findings);
        if result.is_err() {
            out.truncate(before);
        }
        result
    }

    fn columns_of(
        &mut self,
        whole: &[u8],
        mut at: usize,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), RowError> {
        if count_at(whole, at) != u16::try_from(self.columns.len()).ok() {
            return Err(Malformed("a row has other columns than were described").into());
        }
        at += 2;
        let mut copied = 0;
        for column in &self.columns {
            let (start, end) =
                value_at(whole, at)?.ok_or(Malformed("a row ends before its last column"))?;
            let value = whole.get(start..end).unwrap_or_default();
            // Whether a computed value is empty, or NULL, may tell of what it is computed of.
            let looked_at = !value.is_empty() || matches!(column.rule, Rule::Computed(_));
            if !looked_at || column.passes() {
                at = end;
                continue;
            }
            self.value.clear();
            let length = match self.cells.look(column, value, &mut self.value, findings) {
                Outcome::Clean => {
                    at = end;
                    continue;
                }
                Outcome::Masked => i32::try_from(self.value.len()).unwrap_or(-1),
                Outcome::Null => -1,
                Outcome::Withheld => return Err(column.withheld_value()),
            };
            out.extend_from_slice(whole.get(copied..at).unwrap_or_default());
            out.extend_from_slice(&length.to_be_bytes());
            if length >= 0 {
                out.extend_from_slice(&self.value);
            }
            at = end;
            copied = end;
        }
        if at != whole.len() {
            return Err(Malformed("a row goes on after its last column").into());
        }
        if copied > 0 {
            out.extend_from_slice(whole.get(copied..).unwrap_or_default());
        }
        Ok(())
    }
}

/// The count that stands at `at`, if all of it is there.
pub(super) fn count_at(bytes: &[u8], at: usize) -> Option<u16> {
    let count = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*count))
}

/// Where the value whose length stands at `at` begins and ends, both the same for NULL; `None` where it ends beyond the
/// bytes.
pub(super) fn value_at(bytes: &[u8], at: usize) -> Result<Option<(usize, usize)>, Malformed> {
    let Some(length) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
        return Ok(None);
    };
    let length = i32::from_be_bytes(*length);
    let start = at + 4;
    if length == -1 {
        return Ok(Some((start, start)));
    }
    let length = usize::try_from(length).map_err(|_| Malformed("a value's length is negative"))?;
    let end = start + length;
    Ok((end <= bytes.len()).then_some((start, end)))
}
