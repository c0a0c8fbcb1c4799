//! CSV with a header: its names speak for the values under them.

use std::sync::Arc;

use super::csv::{CsvFormat, Splitter};
use super::{ColumnPlan, CopyError, CopyFormat, CopyMasker, CopyPlan};
use crate::findings::Findings;
use crate::masker::Masker;

/// The longest header that is read; of a longer one nothing is known, and the text is masked as one without columns.
pub const CSV_HEADER_BYTES_MAX: usize = 64 * 1024;

/// Masks a text in CSV (RFC 4180) whose first row holds the columns' names. Push every piece, then finish.
///
/// What a column's name says counts for all its values, as if it stood beside each. Findings are counted by column.
#[derive(Debug)]
pub struct CsvMasker {
    masker: Arc<Masker>,
    format: CsvFormat,
    header: Vec<u8>,
    rows: Option<CopyMasker>,
}

impl CsvMasker {
    /// Prepares to mask; every push must be given the same findings.
    #[must_use]
    pub fn new(masker: Arc<Masker>, format: CsvFormat) -> Self {
        Self {
            masker,
            format,
            header: Vec::new(),
            rows: None,
        }
    }

    /// Takes the next piece and appends what is ready to `out`.
    ///
    /// # Errors
    /// [`CopyError::Fields`] if a row has more or fewer fields than the header, [`CopyError::Header`] if no row ends where
    /// one must.
    pub fn push(
        &mut self,
        piece: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), CopyError> {
        if let Some(rows) = &mut self.rows {
            return rows.push(piece, out, findings);
        }
        self.header.extend_from_slice(piece);
        let Some(columns) = self.columns() else {
            return if self.header.len() > CSV_HEADER_BYTES_MAX {
                Err(CopyError::Header)
            } else {
                Ok(())
            };
        };
        let plan = CopyPlan {
            format: CopyFormat::Csv(self.format.clone()),
            header: true,
            columns,
        };
        let rows = CopyMasker::new(Arc::clone(&self.masker), plan, findings);
        let header = std::mem::take(&mut self.header);
        self.rows.insert(rows).push(&header, out, findings)
    }

    /// The text is complete: appends the rest to `out`. A last row needs no line end.
    ///
    /// # Errors
    /// As [`CsvMasker::push`].
    pub fn finish(mut self, out: &mut Vec<u8>, findings: &mut Findings) -> Result<(), CopyError> {
        let is_unended = self.rows.as_ref().map_or(!self.header.is_empty(), |rows| {
            rows.column > 0 || !rows.field.is_empty() || rows.too_long
        });
        if is_unended {
            self.push(b"\n", out, findings)?;
            if self.rows.is_none() {
                return Err(CopyError::Header);
            }
            out.pop();
        }
        self.rows.map_or(Ok(()), CopyMasker::finish)
    }

    /// The columns by their names, once the header is there.
    fn columns(&self) -> Option<Vec<(String, ColumnPlan)>> {
        let mut splitter = Splitter::new(self.format.clone());
        let (mut columns, mut decoded) = (Vec::new(), Vec::new());
        let mut rest = self.header.as_slice();
        loop {
            let end = splitter.field_end(rest)?;
            let (field, after) = rest.split_at(end);
            let name = splitter.decode(field, &mut decoded);
            let name = String::from_utf8_lossy(name.trim_ascii()).into_owned();
            let plan = ColumnPlan::Scan(self.masker.hint(&name));
            columns.push((name, plan));
            match after.split_first() {
                Some((b'\n', _)) | None => return Some(columns),
                Some((_, after)) => rest = after,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MaskerConfig;

    fn masked(text: &str, piece: usize) -> Result<(String, u64), CopyError> {
        let masker = Arc::new(Masker::new(MaskerConfig::default()));
        let mut rows = CsvMasker::new(masker, CsvFormat::default());
        let (mut out, mut findings) = (Vec::new(), Findings::counting());
        for piece in text.as_bytes().chunks(piece) {
            rows.push(piece, &mut out, &mut findings)?;
        }
        rows.finish(&mut out, &mut findings)?;
        Ok((String::from_utf8(out).unwrap(), findings.total()))
    }

    #[test]
    fn the_header_speaks_for_its_columns() {
        let text = "id,ssn,\"Account, number\",dob,password\r\n\
                    123456789,123456789,987654321,1980-02-01,\"a,b12\"\r\n\
                    7,,12345678,soon,";
        let expected = "id,ssn,\"Account, number\",dob,password\r\n\
                        123456789,*****6789,*****4321,****-**-**,\"*****\"\r\n\
                        7,,********,soon,";
        for piece in 1..text.len() {
            assert_eq!(
                masked(text, piece).unwrap(),
                (expected.to_owned(), 5),
                "{piece}"
            );
        }
        for text in ["", "ssn", "ssn\n", "a\n\n"] {
            assert_eq!(masked(text, 1).unwrap(), (text.to_owned(), 0));
        }
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert!(matches!(
            masked("a,b\n1\n", 9),
            Err(CopyError::Fields { .. })
        ));
        assert_eq!(
            masked(&"x".repeat(CSV_HEADER_BYTES_MAX + 1), 4096),
            Err(CopyError::Header)
        );
        assert_eq!(masked("\"a,b\n", 9), Err(CopyError::Header));
    }
}
