//! Tables for people.

use comfy_table::{Cell, ContentArrangement, Table, presets};

use super::escape;

/// A cell shows so many characters of a value.
const CELL_CHARS_MAX: usize = 200;

/// A list: a line of headings and lines under it, without frames. `cells` hold text that others wrote.
pub(crate) fn list(headings: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(headings);
    for row in rows {
        table.add_row(row.iter().map(|cell| escape::line(cell, CELL_CHARS_MAX)));
    }
    trimmed(&table)
}

/// A result of a query, framed as psql does it. `None` is NULL.
pub(crate) fn result(columns: &[String], rows: &[Vec<Option<String>>]) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled);
    if !columns.is_empty() {
        table.set_header(
            columns
                .iter()
                .map(|name| escape::line(name, CELL_CHARS_MAX)),
        );
    }
    for row in rows {
        table.add_row(row.iter().map(|value| match value {
            Some(value) => Cell::new(escape::line(value, CELL_CHARS_MAX)),
            None => Cell::new("∅"),
        }));
    }
    trimmed(&table)
}

fn trimmed(table: &Table) -> String {
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_headings_and_no_frames() {
        let rows = vec![
            vec!["s-1".to_owned(), "alice".to_owned()],
            vec!["s-22".to_owned(), "b\x1b[31mob\nx".to_owned()],
        ];
        assert_eq!(
            list(&["SESSION", "HUMAN"], &rows),
            " SESSION  HUMAN\n s-1      alice\n s-22     b⟦U+001B⟧[31mob x"
        );
    }

    #[test]
    fn results_tell_null_from_nothing() {
        let rows = vec![
            vec![Some("1".to_owned()), None],
            vec![Some(String::new()), Some("a|b".to_owned())],
        ];
        assert_eq!(
            result(&["id".to_owned(), "name".to_owned()], &rows),
            "| id | name |\n|----|------|\n| 1  | ∅    |\n|    | a|b  |"
        );
    }
}
