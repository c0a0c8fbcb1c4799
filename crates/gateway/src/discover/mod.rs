//! Which columns of a target hold protected data: rows are sampled, and what the detectors find in them is counted. Values
//! are looked at and forgotten; counts leave.

mod server;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use mask::{Findings, Hint, Masker, MaskerConfig};
use model::DataClass;
use protocols::postgres::known::Known;
use protocols::postgres::settings::Settings;

use crate::config::{self, Declared};
use crate::serve::postgres::settings;
use crate::tls::TlsError;
use crate::upstream::Target;

pub use server::AskError;
use server::{Row, Server};

/// So much of a value is looked at, in characters.
const VALUE_CHARS_MAX: usize = 4_096;

/// A query that takes longer is given up, and its table with it.
const QUERY_SECONDS_MAX: u32 = 60;

/// The columns of tables that hold text or what may hold it, and how many rows each table is thought to have.
const COLUMNS: &str = "SELECT n.nspname, c.relname, a.attname, greatest(c.reltuples, 0)::bigint, c.relkind IN ('r', 'm') \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    WHERE c.relkind IN ('r', 'm', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped AND NOT c.relispartition \
    AND t.typcategory NOT IN ('B', 'G', 'P', 'T') \
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)' \
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
    AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT') ORDER BY 1, 2, a.attnum";

/// Every column that can be declared.
const ALL_COLUMNS: &str = "SELECT n.nspname, c.relname, a.attname FROM pg_catalog.pg_attribute a \
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'm', 'p', 'f', 'v') AND a.attnum > 0 AND NOT a.attisdropped";

/// A column, and what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// `schema.table.column`.
    pub name: String,
    /// Values looked at: neither NULL nor empty.
    pub sampled: u64,
    /// What was found, the most frequent first.
    pub found: Vec<Proposal>,
}

/// A class that a column may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The class.
    pub class: DataClass,
    /// Values in which it was found.
    pub values: u64,
    /// Whether the column's name says so.
    pub named: bool,
    /// How sure that is.
    pub confidence: Confidence,
}

/// How sure a proposal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// In some values, as in free text: masks find it there too.
    Low,
    /// In at least a tenth of the values; or the name says so, and nothing contradicts it.
    Medium,
    /// In at least four fifths of the values, or in half of them and the name says so.
    High,
}

impl Confidence {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    fn of(values: u64, sampled: u64, named: bool) -> Self {
        let at_least = |percent: u64| sampled > 0 && values * 100 >= sampled * percent;
        if at_least(80) || named && at_least(50) {
            Self::High
        } else if at_least(10) || named {
            Self::Medium
        } else {
            Self::Low
        }
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Discovery {
    /// Every column that was looked at.
    pub columns: Vec<Column>,
    /// Tables that could not be read, and why: a SQLSTATE.
    pub unread: Vec<(String, String)>,
    /// Every column that is there, as schema, table and name.
    there: HashSet<[String; 3]>,
}

impl Discovery {
    /// Whether there is no such column.
    #[must_use]
    pub fn lacks(&self, declared: &Declared) -> bool {
        let names = [&declared.schema, &declared.table, &declared.column];
        !self.there.contains(&names.map(Clone::clone))
    }
}

/// Why nothing was discovered.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The target's TLS settings.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The target could not be asked.
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// A table to sample.
struct Table {
    schema: String,
    name: String,
    rows: u64,
    has_blocks: bool,
    columns: Vec<String>,
}

/// Samples `rows` rows of each table that the target's account may read, in a transaction that cannot write.
///
/// # Errors
/// [`DiscoverError`] where the target cannot be reached or asked. A table that cannot be read is listed, and the rest goes on.
pub async fn discover(
    name: &str,
    configured: &config::Target,
    limits: &config::Limits,
    rows: u64,
) -> Result<Discovery, DiscoverError> {
    let target = Target::new(name, configured, limits)?;
    let mut server = Server::login(&target, configured).await?;
    let begin = format!(
        "SET statement_timeout = '{QUERY_SECONDS_MAX}s'; SET default_transaction_read_only = on"
    );
    server.query(&begin, drop).await?;
    let mut tables = Vec::new();
    server
        .query(COLUMNS, |row| column(&row, &mut tables))
        .await?;
    let masker = Masker::new(MaskerConfig {
        find: configured.find.clone(),
        own: configured.own.clone(),
        ..MaskerConfig::default()
    });
    let mut discovery = Discovery::default();
    server
        .query(ALL_COLUMNS, |row| {
            let names = [0, 1, 2].map(|place| text(&row, place));
            discovery.there.insert(names);
        })
        .await?;
    for table in tables {
        let mut counts = Counts::new(&table, &masker);
        let asked = server
            .query(&sample(&table, rows), |row| counts.row(&row))
            .await;
        match asked {
            Ok(()) => discovery.columns.extend(counts.columns()),
            Err(AskError::Refused(code, _)) => {
                let table = format!("{}.{}", table.schema, table.name);
                discovery.unread.push((table, code));
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(discovery)
}

/// What a target's configuration and its database say of its columns, read with the target's own account. Needs a stack of
/// [`sql::postgres::STACK_BYTES`].
///
/// # Errors
/// [`DiscoverError`] where the target cannot be reached or asked.
pub async fn known(
    name: &str,
    configured: &config::Target,
    limits: &config::Limits,
) -> Result<(Settings, Arc<Known>), DiscoverError> {
    let target = Target::new(name, configured, limits)?;
    let settings = settings(name, configured, limits.postgres);
    let mut server = Server::login(&target, configured).await?;
    let loaded = server.catalog(limits.postgres).await?;
    let known = Known::new(loaded, &settings.declared, &settings.trusted);
    Ok((settings, Arc::new(known)))
}

fn text(row: &Row, place: usize) -> String {
    let value = row.get(place).cloned().flatten().unwrap_or_default();
    String::from_utf8_lossy(&value).into_owned()
}

fn column(row: &Row, tables: &mut Vec<Table>) {
    let text = |place: usize| text(row, place);
    let (schema, name, column) = (text(0), text(1), text(2));
    match tables.last_mut() {
        Some(last) if last.schema == schema && last.name == name => last.columns.push(column),
        _ => tables.push(Table {
            schema,
            name,
            rows: text(3).parse().unwrap_or_default(),
            has_blocks: text(4) == "t",
            columns: vec![column],
        }),
    }
}

/// The query for a sample: of a large table some blocks from all over it, of others the first rows.
fn sample(table: &Table, rows: u64) -> String {
    let quoted = |name: &String| format!("\"{}\"", name.replace('"', "\"\""));
    let columns = table.columns.iter().map(|column| {
        let column = quoted(column);
        format!("pg_catalog.left({column}::text, {VALUE_CHARS_MAX})")
    });
    let columns: Vec<_> = columns.collect();
    // Twice as much as needed, for a block may hold few rows.
    let percent = (rows as f64 * 200.0 / table.rows.max(1) as f64).max(0.001);
    let blocks = if table.has_blocks && percent < 10.0 {
        format!(" TABLESAMPLE SYSTEM ({percent:.4})")
    } else {
        String::new()
    };
    format!(
        "SELECT {} FROM {}.{}{blocks} LIMIT {rows}",
        columns.join(", "),
        quoted(&table.schema),
        quoted(&table.name)
    )
}

/// What is counted for each column of a table.
struct Counts<'a> {
    masker: &'a Masker,
    columns: Vec<Counted>,
    scratch: Vec<u8>,
}

struct Counted {
    name: String,
    hint: Hint,
    sampled: u64,
    found: BTreeMap<DataClass, u64>,
}

impl<'a> Counts<'a> {
    fn new(table: &Table, masker: &'a Masker) -> Self {
        let counted = |column: &String| Counted {
            name: format!("{}.{}.{column}", table.schema, table.name),
            hint: masker.hint(column),
            sampled: 0,
            found: BTreeMap::new(),
        };
        Self {
            masker,
            columns: table.columns.iter().map(counted).collect(),
            scratch: Vec::new(),
        }
    }

    fn row(&mut self, row: &[Option<Bytes>]) {
        for (column, value) in self.columns.iter_mut().zip(row) {
            let Some(value) = value.as_ref().filter(|value| !value.is_empty()) else {
                continue;
            };
            column.sampled += 1;
            let mut findings = Findings::counting();
            let _ = self
                .masker
                .mask_text(column.hint, value, &mut self.scratch, &mut findings);
            self.scratch.clear();
            for fact in findings.facts() {
                *column.found.entry(fact.class).or_default() += 1;
            }
        }
    }

    fn columns(self) -> impl Iterator<Item = Column> {
        self.columns.into_iter().map(Counted::judged)
    }
}

impl Counted {
    fn judged(mut self) -> Column {
        let named = self.hint.classes();
        for class in &named {
            self.found.entry(class.clone()).or_default();
        }
        let sampled = self.sampled;
        let proposal = |(class, values): (DataClass, u64)| {
            let named = named.contains(&class) || names(&self.name, &class);
            let confidence = Confidence::of(values, sampled, named);
            // A name that the values contradict says nothing.
            (values > 0 || sampled == 0).then_some(Proposal {
                class,
                values,
                named,
                confidence,
            })
        };
        let mut found: Vec<_> = self.found.into_iter().filter_map(proposal).collect();
        found.sort_by_key(|proposal| {
            (
                std::cmp::Reverse(proposal.confidence),
                std::cmp::Reverse(proposal.values),
            )
        });
        Column {
            name: self.name,
            sampled,
            found,
        }
    }
}

/// Whether the words of a class, as `email` and `iban`, stand in a column's name. Detectors that need no word know none.
fn names(column: &str, class: &DataClass) -> bool {
    let column = column.rsplit('.').next().unwrap_or_default().to_lowercase();
    let in_column: Vec<_> = column.split(|c: char| !c.is_alphanumeric()).collect();
    class
        .name()
        .split('_')
        .filter(|word| *word != "us")
        .all(|word| in_column.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_shares_make_a_proposal_sure() {
        for (values, sampled, named, expected) in [
            (80, 100, false, Confidence::High),
            (79, 100, false, Confidence::Medium),
            (50, 100, true, Confidence::High),
            (49, 100, true, Confidence::Medium),
            (9, 100, false, Confidence::Low),
            (0, 0, true, Confidence::Medium),
        ] {
            assert_eq!(Confidence::of(values, sampled, named), expected);
        }
    }

    #[test]
    fn a_column_that_is_called_as_a_class_is_named() {
        let named = |column, class| names(column, &class);
        assert!(named("public.customers.email", DataClass::EMAIL));
        assert!(named("public.customers.Billing_Email", DataClass::EMAIL));
        assert!(!named("public.email.sent", DataClass::EMAIL));
        assert!(!named("public.hosts.description", DataClass::IP_ADDRESS));
        assert!(named("public.hosts.ip_address", DataClass::IP_ADDRESS));
    }

    #[test]
    fn names_are_quoted_and_large_tables_are_sampled_all_over() {
        let table = |rows, has_blocks| Table {
            schema: "s".to_owned(),
            name: "a\"b".to_owned(),
            rows,
            has_blocks,
            columns: vec!["c".to_owned()],
        };
        let columns = "SELECT pg_catalog.left(\"c\"::text, 4096) FROM \"s\".\"a\"\"b\"";
        assert_eq!(
            sample(&table(500, true), 1000),
            format!("{columns} LIMIT 1000")
        );
        assert_eq!(
            sample(&table(1_000_000, true), 1000),
            format!("{columns} TABLESAMPLE SYSTEM (0.2000) LIMIT 1000")
        );
        assert_eq!(
            sample(&table(1_000_000, false), 1000),
            format!("{columns} LIMIT 1000")
        );
    }
}
