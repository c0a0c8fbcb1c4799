//! `countersign discover`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use gateway::config::{Config, Declared};
use gateway::discover::{self, Column, Confidence, Discovery, Proposal};
use serde_json::json;

use super::block_on;
use super::explain_statement::not_there;
use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::Output;
use crate::render::{escape, table};

/// Look through a PostgreSQL target for columns that hold protected data, and propose how to declare them.
///
/// Runs on the gateway's machine: it logs in with the target's own account, reads some rows of every table in a transaction
/// that cannot write, and counts what the detectors find. It shows counts, never a value.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign discover bank
  countersign discover bank --write masks.toml      a section to review and to put into the configuration
  countersign discover bank | jq -r 'select(.confidence == \"high\") | .column'")]
pub(crate) struct Discover {
    /// The target.
    target: String,

    /// Rows to look at in each table.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    rows: u64,

    /// Write the proposals to this file, as a section of the configuration.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Write over the file where it is there already, with what somebody may have reviewed in it.
    #[arg(long, requires = "write")]
    force: bool,
}

impl Discover {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let config = Config::load(&globals.config).map_err(Failure::usage)?;
        let Some(target) = config.targets.get(&self.target) else {
            let known: Vec<_> = config.targets.keys().map(String::as_str).collect();
            return Err(Failure::usage(format!(
                "{} is no PostgreSQL target of {}: there are {}",
                self.target,
                globals.config.display(),
                known.join(", ")
            )));
        };
        // Before the target is looked through.
        let file = self.write.as_deref().map(|file| self.open(file));
        let file = file.transpose()?;
        let discovery = block_on(async {
            discover::discover(&self.target, target, &config.limits, self.rows)
                .await
                .map_err(Failure::usage)
        })?;
        if let Some(mut file) = file {
            let section = section(&self.target, &discovery.columns, &target.mask);
            file.set_len(0)?;
            file.write_all(section.as_bytes())?;
        }
        for column in target.mask.keys().filter(|it| discovery.lacks(it)) {
            not_there(&column.to_string(), output)?;
        }
        for (name, code) in &discovery.unread {
            let name = escape::visible(name);
            let warning = output.stderr_paint().yellow("warning:");
            writeln!(
                std::io::stderr(),
                "{warning} {name} could not be read ({code}), so nothing is known of it"
            )?;
        }
        self.print(&discovery, &target.mask, output)
    }

    fn open(&self, path: &Path) -> Result<File, Failure> {
        let opened = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .create_new(!self.force)
            .open(path);
        opened.map_err(|error| {
            let path = path.display();
            Failure::usage(match error.kind() {
                ErrorKind::AlreadyExists => {
                    format!("{path} is there already: name another file, or add --force to write over it")
                }
                _ => format!("{path}: {error}"),
            })
        })
    }

    fn print(
        &self,
        discovery: &Discovery,
        declared: &Mask,
        output: &Output,
    ) -> Result<(), Failure> {
        let found = discovery.columns.iter();
        let found = found.flat_map(|column| column.found.iter().map(move |it| (column, it)));
        if output.is_json() {
            for (column, it) in found {
                output.json(&json!({
                    "column": column.name, "class": it.class, "confidence": it.confidence.name(), "values": it.values,
                    "sampled": column.sampled, "named": it.named, "declared": class_of(column, declared),
                }))?;
            }
            return Ok(());
        }
        let rows: Vec<_> = found
            .map(|(column, it)| line(column, it, declared))
            .collect();
        if rows.is_empty() {
            return Ok(output.line("Nothing protected was found.")?);
        }
        let headings = [
            "COLUMN",
            "CLASS",
            "CONFIDENCE",
            "FOUND IN",
            "NAME SAYS SO",
            "DECLARED",
        ];
        output.line(&table::list(&headings, &rows))?;
        let hint = match &self.write {
            Some(file) => format!("{} holds a section to review.", file.display()),
            None => "With --write FILE the proposals become a section to review.".to_owned(),
        };
        Ok(output.line(&output.paint().dim(&hint))?)
    }
}

type Mask = BTreeMap<Declared, model::DataClass>;

/// What a column as a whole is declared to hold.
fn class_of<'a>(column: &Column, mask: &'a Mask) -> Option<&'a model::DataClass> {
    let declared = Declared::try_from(&*column.name).ok()?;
    mask.get(&declared)
}

/// Whether places in the JSON that a column holds are declared.
fn in_part(column: &Column, mask: &Mask) -> bool {
    let mut places = mask.keys().filter(|declared| declared.path.is_some());
    places.any(|declared| declared.column() == column.name)
}

fn line(column: &Column, it: &Proposal, declared: &Mask) -> Vec<String> {
    let named = if it.named { "yes" } else { "" };
    let declared = match class_of(column, declared) {
        None if in_part(column, declared) => Some("in part"),
        class => class.map(model::DataClass::name),
    };
    vec![
        column.name.clone(),
        it.class.name().to_owned(),
        it.confidence.name().to_owned(),
        format!("{} of {}", it.values, column.sampled),
        named.to_owned(),
        declared.unwrap_or_default().to_owned(),
    ]
}

/// The proposals as a section of the configuration: the sure ones in force, the others behind `#`. Columns that are
/// declared already are left out.
fn section(target: &str, columns: &[Column], declared: &Mask) -> String {
    let mut out = format!(
        "# Proposed by `countersign discover {target}`. Review it: what is less than sure stands behind #.\n[targets.{target}.mask]\n"
    );
    for column in columns {
        let Some(first) = column.found.first() else {
            continue;
        };
        // A name with a dot in it cannot be told from two.
        let can_be_named = column.name.split('.').count() == 3;
        let is_declared = class_of(column, declared).is_some() || in_part(column, declared);
        if is_declared || first.confidence == Confidence::Low {
            continue;
        }
        let sure = first.confidence == Confidence::High && can_be_named;
        let mark = if sure { "" } else { "# " };
        let (values, sampled) = (first.values, column.sampled);
        // What JSON writes for a text, TOML reads as the same.
        let key = json!(column.name);
        let _ = writeln!(
            out,
            "{mark}{key} = \"{}\"  # {}: in {values} of {sampled} values",
            first.class,
            first.confidence.name()
        );
    }
    out
}
