//! CSV as RFC 4180 has it, safe to open in a spreadsheet.

use std::fmt::Display;

/// One record under construction.
#[derive(Debug, Default)]
pub(crate) struct Row(String);

impl Row {
    /// A record of these cells, with its line end.
    pub(crate) fn of(cells: &[&dyn Display]) -> String {
        let mut row = Self::default();
        cells.iter().for_each(|cell| row.push(&cell.to_string()));
        row.0.push_str("\r\n");
        row.0
    }

    fn push(&mut self, cell: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        // A spreadsheet takes these for the begin of a formula, some the full-width forms too.
        let formula =
            cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
        // An empty first cell is written as "", so that the row is not taken for one with fewer cells.
        let quoted = formula || cell.is_empty() || cell.contains(['"', ',', '\r', '\n']);
        if !quoted {
            self.0.push_str(cell);
            return;
        }
        self.0.push('"');
        if formula {
            self.0.push('\'');
        }
        for c in cell.chars() {
            if c == '"' {
                self.0.push('"');
            }
            self.0.push(c);
        }
        self.0.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_are_text() {
        let row = Row::of(&[
            &"",
            &1,
            &"a,b",
            &"say \"x\"",
            &"=1+1",
            &"-5",
            &"@x",
            &"two\nlines",
            &"\tx",
            &"＝1+1",
        ]);
        assert_eq!(
            row,
            "\"\",1,\"a,b\",\"say \"\"x\"\"\",\"'=1+1\",\"'-5\",\"'@x\",\"two\nlines\",\"'\tx\",\"'＝1+1\"\r\n"
        );
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(row.as_bytes());
        let read = reader.records().next().unwrap().unwrap();
        assert_eq!(read.get(3), Some("say \"x\""));
        assert_eq!(read.len(), 10);
    }
}
