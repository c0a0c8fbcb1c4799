//! Of which declared column what shows is, and on which what is shown depends.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use serde_json::Value;
use sql::postgres::{BaseColumns, Kind, OutputRule, Resolved, Taint, Withheld};
use tests::Database;

use super::{DECLARED, DIGITS_PIECE, Trial};

/// So many letters in a row are of one column: what is put together of two letters of each is of none.
const PIECE: usize = 6;
const VALUES: &str = "
    WITH words(c, w) AS (
        SELECT 0, token FROM people UNION SELECT 3, unnest(tags) FROM people UNION SELECT 2, doc ->> 'pin' FROM people
        UNION SELECT 4, mark FROM orders UNION SELECT 1, number::text FROM people)
    SELECT c, w FROM words UNION ALL SELECT c, reverse(w) FROM words";

/// Pieces of values that are in one declared column and no other.
pub(crate) struct Marks {
    finder: AhoCorasick,
    /// The index in [`DECLARED`] for each.
    of: Vec<usize>,
}

impl Marks {
    pub(crate) fn of(database: &Database<'_>) -> Self {
        let values = database.endpoint().psql(VALUES).success().stdout;
        let mut pieces: BTreeMap<Vec<u8>, Option<usize>> = BTreeMap::new();
        for line in values.lines() {
            let (of, word) = line.split_once('|').unwrap();
            let of: usize = of.parse().unwrap();
            let length = if of == 1 { DIGITS_PIECE } else { PIECE };
            for piece in word.to_ascii_lowercase().as_bytes().windows(length) {
                let known = pieces.entry(piece.to_vec()).or_insert(Some(of));
                if *known != Some(of) {
                    *known = None;
                }
            }
        }
        let unique = pieces
            .into_iter()
            .filter_map(|(piece, of)| Some((piece, of?)));
        let (pieces, of): (Vec<_>, Vec<_>) = unique.unzip();
        let mut finder = AhoCorasick::builder();
        let finder = finder.ascii_case_insensitive(true).build(pieces).unwrap();
        Self { finder, of }
    }

    /// Which of the declared columns show in a text.
    fn found(&self, text: &str) -> Vec<usize> {
        let found = self.finder.find_overlapping_iter(text);
        found.map(|it| self.of[it.pattern().as_usize()]).collect()
    }
}

fn full_name(index: usize) -> String {
    let (table, column) = DECLARED[index];
    format!("public.{table}.{column}")
}

fn has(columns: &BaseColumns, name: &str) -> bool {
    columns.iter().any(|column| column.name() == name)
}

/// The declared columns of what a rule is for; `None` where they cannot be told.
fn columns_of(rule: &OutputRule) -> Option<BaseColumns> {
    match rule {
        OutputRule::Clear => Some(BaseColumns::NONE),
        OutputRule::Declared(of) => Some(of.columns().clone()),
        OutputRule::Members(members) => Some(Taint::from(Kind::Members(members.clone())).columns()),
        OutputRule::Document(document) => Some(document.columns().clone()),
        OutputRule::Fields(fields) => {
            let mut columns = BaseColumns::NONE;
            for field in fields.iter() {
                columns.add(&columns_of(field)?);
            }
            Some(columns)
        }
        OutputRule::Computed(of) | OutputRule::Withheld(Withheld::Derived(of)) => Some(of.clone()),
        OutputRule::Withheld(_) => None,
    }
}

fn cells(result: &Value, at: usize) -> Vec<&Value> {
    let rows = result["rows"].as_array().unwrap().iter();
    rows.map(|row| &row[at]).collect()
}

impl Trial {
    /// A declared column of which something shows in a result's column is one that the analysis names for it.
    pub(crate) fn name(
        &mut self,
        seed: u64,
        statement: &str,
        result: &Value,
        at: usize,
        rule: &OutputRule,
    ) {
        let Some(columns) = columns_of(rule) else {
            return;
        };
        let shown = cells(result, at).into_iter().filter_map(Value::as_str);
        let mut found: Vec<usize> = shown.flat_map(|cell| self.marks.found(cell)).collect();
        found.sort_unstable();
        found.dedup();
        self.named += found.len();
        for index in found {
            let name = full_name(index);
            if !has(&columns, &name) {
                let what = format!("column {at} shows {name} and is said to be of {columns:?}");
                self.miss(seed, statement, &what);
            }
        }
    }

    /// What is another where one declared column has other values depends on that column.
    pub(crate) fn depends(
        &mut self,
        seed: u64,
        statement: &str,
        turned: &Value,
        one: &Value,
        rules: &[OutputRule],
        resolved: &Resolved,
    ) {
        if [one, turned]
            .iter()
            .any(|result| result["error"] == "57014")
        {
            return;
        }
        let index = usize::try_from(turned["turn"].as_u64().unwrap()).unwrap();
        let name = full_name(index);
        if has(&resolved.matched, &name) || has(&resolved.probed, &name) {
            return;
        }
        if one["error"].is_null() != turned["error"].is_null() {
            let what = format!("that it fails depends on {name}");
            return self.miss(seed, statement, &what);
        }
        if !one["error"].is_null() {
            return;
        }
        if one["count"] != turned["count"] {
            let what = format!("which rows come depends on {name}");
            return self.miss(seed, statement, &what);
        }
        for (at, rule) in rules.iter().enumerate() {
            if cells(one, at) == cells(turned, at) {
                continue;
            }
            self.depending += 1;
            if columns_of(rule).is_some_and(|columns| !has(&columns, &name)) {
                let what = format!("column {at} depends on {name} and is {rule:?}");
                self.miss(seed, statement, &what);
            }
        }
    }
}
