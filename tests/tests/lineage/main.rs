//! What the analysis says of statements against what PostgreSQL gives: wherever a protected value shows in a column, or
//! decides what else shows, the analysis knows it.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

mod columns;
mod grow;
mod row;
mod views;
mod writer;

use aho_corasick::AhoCorasick;
use columns::Marks;
use model::DataClass;
use serde_json::Value;
use sql::postgres::{
    Catalog, Declaration, FieldOrigin, Member, Members, OutputRule, Protected, STACK_BYTES,
};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use tests::{Database, Postgres};
use writer::Writer;

const PEOPLE: &str = include_str!("people.sql");
const RUN: &str = include_str!("run.py");
/// How many statements are tried.
const STATEMENTS: u64 = 6_000;
/// The first seed. `LINEAGE_SEED=… LINEAGE_STATEMENTS=…` try others.
const SEED: u64 = 20_261_127;
/// So many letters of a value in a row are a part of it.
const PIECE: usize = 4;
/// So many digits.
const DIGITS_PIECE: usize = 7;

const DECLARED: [(&str, &str); 5] = [
    ("people", "token"),
    ("people", "number"),
    ("people", "doc"),
    ("people", "tags"),
    ("orders", "mark"),
];
/// Other values for each of them in the same rows, some longer.
const OTHERWISE: [&str; 5] = [
    "UPDATE people SET token = translate(token, 'BDFGHJKLMNPQRTVWXZ', 'ZXWVTRQPNMLKJHGFDB') || left('BB', id - 1);",
    "UPDATE people SET number = 999999999999 - number;",
    "UPDATE people SET doc = translate(doc::text, 'BDFGHJKLMNPQRTVWXZ', 'ZXWVTRQPNMLKJHGFDB')::jsonb;",
    "UPDATE people SET tags = translate(tags::text, 'BDFGHJKLMNPQRTVWXZ', 'ZXWVTRQPNMLKJHGFDB')::text[] || left('BDB', id)::text;",
    "UPDATE orders SET mark = translate(mark, 'BDFGHJKLMNPQRTVWXZ', 'ZXWVTRQPNMLKJHGFDB') || left('BB', id - 1);",
];
const VALUES: &str = "
    WITH words(w) AS (
        SELECT token FROM people UNION SELECT unnest(tags) FROM people UNION SELECT doc ->> 'pin' FROM people
        UNION SELECT mark FROM orders)
    SELECT 'letters', w FROM words UNION ALL SELECT 'letters', reverse(w) FROM words
    UNION ALL SELECT 'coded', encode(w::bytea, 'hex') FROM words
    UNION ALL SELECT 'whole', md5(w) FROM words
    UNION ALL SELECT 'digits', number::text FROM people
    UNION ALL SELECT 'digits', reverse(number::text) FROM people
    UNION ALL SELECT 'whole', to_hex(number) FROM people";

/// What is declared for a name.
fn class(column: &str) -> DataClass {
    DataClass::try_from(format!("class_{column}")).unwrap()
}

fn needles(database: &Database<'_>) -> AhoCorasick {
    let words = database.endpoint().psql(VALUES).success().stdout;
    let mut pieces = BTreeSet::new();
    for line in words.lines() {
        let (kind, word) = line.split_once('|').unwrap();
        let length = match kind {
            "letters" => PIECE,
            "coded" => 2 * PIECE,
            "digits" => DIGITS_PIECE,
            _ => word.len(),
        };
        let word = word.to_ascii_lowercase();
        pieces.extend(word.as_bytes().windows(length).map(<[u8]>::to_vec));
    }
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(pieces)
        .unwrap()
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |value| value.parse().unwrap())
}

struct Trial {
    catalog: Catalog,
    protected: Protected,
    needles: AhoCorasick,
    marks: Marks,
    answered: usize,
    /// Columns of results in which a value of a certain declared column shows.
    named: usize,
    /// Statements whose columns, rows or success depend on a certain declared column.
    depending: usize,
    /// Columns that hold a part of a value.
    showing: usize,
    /// Columns that PostgreSQL traces to a declared column.
    traced: usize,
    /// Statements whose other columns, rows or success depend on what is protected.
    telling: usize,
    by_names: usize,
    by_places: usize,
    misses: String,
}

impl Trial {
    fn new((catalog, protected): (Catalog, Protected), needles: AhoCorasick, marks: Marks) -> Self {
        Self {
            catalog,
            protected,
            needles,
            marks,
            answered: 0,
            named: 0,
            depending: 0,
            showing: 0,
            traced: 0,
            telling: 0,
            by_names: 0,
            by_places: 0,
            misses: String::new(),
        }
    }

    fn miss(&mut self, seed: u64, statement: &str, what: &str) {
        let _ = writeln!(self.misses, "seed {seed}: {what}\n  {statement}");
    }

    fn judge(&mut self, seed: u64, statement: &str, results: &Value) {
        let (one, other) = (&results[0], &results[1]);
        if [one, other].iter().any(|result| result["error"] == "57014") {
            return;
        }
        let parsed = match sql::postgres::parse(statement) {
            Ok(parsed) => parsed,
            Err(error) if one["error"].is_null() => {
                return self.miss(seed, statement, &format!("not parsed: {error}"));
            }
            Err(_) => return,
        };
        let resolved =
            sql::postgres::resolve(&parsed.statements[0], &self.catalog, &self.protected);
        // Refused, since a value would rest where it is not declared.
        if resolved.copies_protected {
            return;
        }
        let told = !(resolved.matched.is_empty() && resolved.probed.is_empty());
        let (Some(fields), Some(_)) = (one["fields"].as_array(), other["fields"].as_array()) else {
            if one["error"].is_null() != other["error"].is_null() {
                self.telling += 1;
                if !told {
                    self.miss(seed, statement, "that it fails tells something");
                }
            }
            return self.depends(seed, statement, &results[2], one, &[], &resolved);
        };
        self.answered += 1;
        let untraced = vec![
            FieldOrigin {
                table_oid: 0,
                column: 0
            };
            fields.len()
        ];
        let rules = resolved.rules(&untraced, &self.catalog, &self.protected);
        for (at, rule) in rules.iter().enumerate() {
            if let Some(what) = self.judge_column(one, at, rule) {
                self.miss(seed, statement, &format!("column {at} {what}"));
            }
            self.trace(seed, statement, at, &fields[at], rule);
            self.name(seed, statement, one, at, rule);
        }
        self.depends(seed, statement, &results[2], one, &rules, &resolved);
        let clear = |result: &Value| -> Vec<Vec<Value>> {
            let rows = result["rows"].as_array().unwrap();
            rows.iter()
                .map(|row| {
                    let cells = row.as_array().unwrap().iter().zip(&rules);
                    let cells = cells.filter(|(_, rule)| **rule == OutputRule::Clear);
                    cells.map(|(cell, _)| cell.clone()).collect()
                })
                .collect()
        };
        if one["count"] != other["count"] || clear(one) != clear(other) {
            self.telling += 1;
            if !told {
                self.miss(seed, statement, "other values give other rows");
            }
        }
    }

    /// What is wrong with what a column is taken for.
    fn judge_column(&mut self, result: &Value, at: usize, rule: &OutputRule) -> Option<String> {
        let shows = self.shows(result, at);
        self.showing += usize::from(shows.is_some());
        match rule {
            OutputRule::Clear => shows.map(|shown| format!("is clear and shows {shown}")),
            OutputRule::Members(members) => {
                self.by_names += 1;
                let shown = self.shows_beside(result, at, members)?;
                Some(format!("shows {shown} beside its declared members"))
            }
            OutputRule::Fields(fields) => {
                self.by_places += 1;
                let mut rows = result["rows"].as_array().unwrap().iter();
                let shown = rows.find_map(|row| self.shows_in_row(row[at].as_str()?, fields))?;
                Some(format!("shows {shown} beside its declared fields"))
            }
            OutputRule::Document(_) => {
                Some("is masked by places, of which none is declared".to_owned())
            }
            OutputRule::Declared(_) | OutputRule::Computed(_) | OutputRule::Withheld(_) => None,
        }
    }

    /// What of a value shows in a row, or an array of rows, that is masked by its fields.
    fn shows_in_row(&self, cell: &str, fields: &[OutputRule]) -> Option<String> {
        if cell.starts_with('{') {
            let mut rows = row::elements(cell).into_iter().flatten();
            return rows.find_map(|row| self.shows_in_row(&row, fields));
        }
        // With other fields it is withheld.
        let values = row::fields(cell).filter(|values| values.len() == fields.len())?;
        let mut both = values.iter().zip(fields);
        both.find_map(|(value, rule)| {
            let value = value.as_deref()?;
            match rule {
                OutputRule::Clear => {
                    let found = self.needles.find(value)?;
                    Some(value[found.range()].to_owned())
                }
                OutputRule::Fields(fields) => self.shows_in_row(value, fields),
                OutputRule::Members(members) => {
                    self.shows_in_json(vec![serde_json::from_str(value).ok()?], members)
                }
                OutputRule::Document(_)
                | OutputRule::Declared(_)
                | OutputRule::Computed(_)
                | OutputRule::Withheld(_) => None,
            }
        })
    }

    /// What of a value shows in JSON that is masked by the names of its members.
    fn shows_beside(&self, result: &Value, column: usize, members: &Members) -> Option<String> {
        let rows = result["rows"].as_array().unwrap().iter();
        let open = rows.filter_map(|row| serde_json::from_str(row[column].as_str()?).ok());
        self.shows_in_json(open.collect(), members)
    }

    fn shows_in_json(&self, mut open: Vec<Value>, members: &Members) -> Option<String> {
        while let Some(value) = open.pop() {
            let shown = match value {
                Value::Array(elements) => {
                    open.extend(elements);
                    continue;
                }
                Value::Object(object) => {
                    let mut clear = String::new();
                    for (name, value) in object {
                        match members.get(&name) {
                            Some(Member::Members) => open.push(value),
                            // No place of a document is declared here.
                            Some(Member::Clear | Member::Document(_)) => {
                                clear += &value.to_string();
                            }
                            // The one is masked, of the other nothing is shown.
                            Some(Member::Held(_)) | None => {}
                        }
                    }
                    clear
                }
                scalar => scalar.to_string(),
            };
            if let Some(found) = self.needles.find(&shown) {
                return Some(shown[found.range()].to_owned());
            }
        }
        None
    }

    /// What of a value a column of a result shows.
    fn shows(&self, result: &Value, column: usize) -> Option<String> {
        result["rows"].as_array().unwrap().iter().find_map(|row| {
            let cell = row[column].as_str()?;
            let found = self.needles.find(cell)?;
            Some(cell[found.range()].to_owned())
        })
    }

    /// Where PostgreSQL says of which column a value is, the analysis says the same.
    fn trace(&mut self, seed: u64, statement: &str, at: usize, field: &Value, rule: &OutputRule) {
        let table = u32::try_from(field[0].as_u64().unwrap()).unwrap();
        let column = i16::try_from(field[1].as_i64().unwrap()).unwrap();
        let Some(relation) = self.catalog.relation_by_oid(table) else {
            return;
        };
        let Some(found) = relation.columns.iter().find(|found| found.number == column) else {
            return;
        };
        let declared = DECLARED.contains(&(&*relation.name, &*found.name))
            || (&*relation.name, &*found.name) == ("seen", "shown");
        if declared {
            self.traced += 1;
            let name = if relation.name == "seen" {
                "token"
            } else {
                &found.name
            };
            let fits = match rule {
                OutputRule::Declared(said) => *said.class() == class(name),
                OutputRule::Computed(_) | OutputRule::Withheld(_) => true,
                OutputRule::Clear
                | OutputRule::Members(_)
                | OutputRule::Document(_)
                | OutputRule::Fields(_) => false,
            };
            if !fits {
                let what = format!(
                    "column {at} is {}.{}, not {rule:?}",
                    relation.name, found.name
                );
                self.miss(seed, statement, &what);
            }
        }
    }
}

/// Statements in a file, each a JSON string on a line.
fn file_of(statements: &[String]) -> tempfile::NamedTempFile {
    let lines: String = statements
        .iter()
        .map(|statement| format!("{}\n", Value::from(&**statement)))
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines).unwrap();
    file
}

fn compiled(lines: &[Value]) -> (Catalog, Protected) {
    let mut builder = Catalog::builder();
    for line in lines {
        let query = usize::try_from(line[0].as_u64().unwrap()).unwrap();
        for row in line[1].as_array().unwrap() {
            let cells = row.as_array().unwrap().iter();
            let cells: Vec<Option<&[u8]>> =
                cells.map(|cell| cell.as_str().map(str::as_bytes)).collect();
            builder.row(query, &cells).unwrap();
        }
    }
    let catalog = builder.build();
    let declared = DECLARED.map(|(table, column)| Declaration {
        schema: "public".to_owned(),
        table: table.to_owned(),
        column: column.to_owned(),
        class: class(column),
        path: None,
    });
    let protected = Protected::compile(&declared, &[], &catalog);
    assert!(protected.missing.is_empty());
    (catalog, protected)
}

#[test]
fn the_analysis_knows_what_shows() {
    let server = Postgres::shared();
    let (one, other) = (server.database(), server.database());
    // Each differs in one declared column.
    let apart = DECLARED.map(|_| server.database());
    for database in [&one, &other].into_iter().chain(&apart) {
        database.endpoint().psql(PEOPLE).success();
    }
    for (database, otherwise) in apart.iter().zip(OTHERWISE) {
        other.endpoint().psql(otherwise).success();
        database.endpoint().psql(otherwise).success();
    }
    let first = number("LINEAGE_SEED", SEED);
    let seeds = first..first + number("LINEAGE_STATEMENTS", STATEMENTS);
    let statements: Vec<String> = seeds.clone().map(Writer::statement).collect();
    let file = file_of(&statements);
    let (path, queries) = (
        file.path().to_str().unwrap(),
        serde_json::to_string(Catalog::QUERIES).unwrap(),
    );
    let databases = [&one, &other].into_iter().chain(&apart);
    let names: Vec<_> = databases.map(|it| it.endpoint().database).collect();
    let program = format!("import sys\nsys.argv = ['-', {path:?}, {queries:?}, *{names:?}]\n{RUN}");
    let lines = one
        .endpoint()
        .python_script(&program)
        .success()
        .json_lines();
    let needles = needles(&one);
    let marks = Marks::of(&one);
    let judge = move || {
        let mut trial = Trial::new(compiled(&lines[..Catalog::QUERIES.len()]), needles, marks);
        let results = &lines[Catalog::QUERIES.len()..];
        assert_eq!(results.len(), statements.len());
        for ((seed, statement), results) in seeds.zip(&statements).zip(results) {
            trial.judge(seed, statement, results);
        }
        trial
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    let trial = thread.spawn(judge).unwrap().join().unwrap();
    println!(
        "{} of the statements answered; {} columns show something protected, {} are traced to it, {} hold it by names, {} in rows, {} statements tell of it; \
         {} columns show a certain declared one, {} statements depend on one",
        trial.answered,
        trial.showing,
        trial.traced,
        trial.by_names,
        trial.by_places,
        trial.telling,
        trial.named,
        trial.depending
    );
    assert!(trial.misses.is_empty(), "missed:\n{}", trial.misses);
    if number("LINEAGE_STATEMENTS", STATEMENTS) == STATEMENTS {
        assert!(trial.answered > 2_000 && trial.showing > 1_000 && trial.traced > 200);
        assert!(trial.telling > 80 && trial.by_names > 20 && trial.by_places > 100);
        assert!(trial.named > 1_000 && trial.depending > 100);
    }
}
