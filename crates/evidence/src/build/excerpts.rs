//! The first rows of the tables that the page for people shows.

use std::collections::BTreeMap;

use csv::StringRecord;

use crate::fold::Table;

/// So many rows of a table are shown; the rest is in its file.
pub(super) const ROWS_MAX: usize = 10;

const SHOWN: [Table; 7] = [
    Table::Principals,
    Table::Approvals,
    Table::SodMatrix,
    Table::PolicyHistory,
    Table::Replays,
    Table::Exceptions,
    Table::Gaps,
];

#[derive(Default)]
pub(super) struct Excerpts(BTreeMap<Table, Vec<StringRecord>>);

impl Excerpts {
    /// Keeps a line, if it is one of those to show.
    pub(super) fn take(&mut self, table: Table, line: &str) {
        if !SHOWN.contains(&table) {
            return;
        }
        let rows = self.0.entry(table).or_default();
        if rows.len() < ROWS_MAX {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(line.as_bytes());
            rows.extend(reader.records().flatten());
        }
    }

    /// The cells of these columns, row by row.
    pub(super) fn rows<'a>(
        &'a self,
        table: Table,
        columns: &'a [&'a str],
    ) -> impl Iterator<Item = Vec<&'a str>> {
        let header = table.header();
        let at: Vec<usize> = columns
            .iter()
            .filter_map(|name| header.trim_end().split(',').position(|one| one == *name))
            .collect();
        let rows = self.0.get(&table).map(Vec::as_slice).unwrap_or_default();
        rows.iter().map(move |row| {
            let cell = |at: &usize| row.get(*at).unwrap_or_default();
            at.iter().map(cell).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_and_rows_end_at_the_limit() {
        let mut excerpts = Excerpts::default();
        for number in 0..ROWS_MAX + 5 {
            let line = format!("stopped,2026,2027,{number},1,\"a, \"\"b\"\"\"\r\n");
            excerpts.take(Table::Gaps, &line);
            excerpts.take(Table::Commands, "1,2,3\r\n");
        }
        let rows: Vec<_> = excerpts
            .rows(Table::Gaps, &["leaf_after", "kind", "seconds"])
            .collect();
        assert_eq!(rows.len(), ROWS_MAX);
        assert_eq!(rows.get(3), Some(&vec!["a, \"b\"", "stopped", "3"]));
        assert_eq!(excerpts.rows(Table::Commands, &["leaf"]).count(), 0);
    }
}
