//! `countersign mask`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use gateway::config::Config;
use gateway::keys;
use mask::own::OwnClasses;
use mask::{
    CopyError, CsvFormat, CsvMasker, Findings, Hint, Masker, MaskerConfig, STREAM_HOLD_BYTES,
    STREAM_PIECE_BYTES, Sighting, Strategy,
};
use model::{DataClass, MaskFact};
use serde_json::json;

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::no_target;

/// Mask protected values in a file or in standard input.
///
/// Writes the text with what is found in it hidden, as the gateway hides it: by default in every class that it looks for
/// (those that the configuration defines included) and with what is customary to show, with --target as the configuration
/// has it for that target. Nothing is revealed, for nobody is asking. The text may be of any length, and is read as it comes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign mask app.log > masked.log
  journalctl -u api | countersign mask --target bank
  countersign mask --csv customers.csv
  countersign mask --explain dump.sql            what would be masked, where and why; no value is shown
  countersign mask --check --class pan --class us_ssn fixtures.json    for a hook: exits with 1 if there is any")]
pub(crate) struct Mask {
    /// The file; - and nothing are standard input.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Say what would be masked instead: line, column (in characters, from 1), class, rule, strategy. Never the value.
    #[arg(long)]
    explain: bool,

    /// Exit with 1 if anything is found, and with 2 if the text cannot be read. No masked text is written.
    #[arg(long)]
    check: bool,

    /// The text is CSV with a header, whose names speak for the values under them; --explain counts by column.
    #[arg(long)]
    csv: bool,

    /// Look for this class alone, a built-in one or one that the configuration defines; may be repeated.
    #[arg(long = "class", value_name = "CLASS")]
    classes: Vec<String>,

    /// Mask as for this target of the configuration.
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,
}

/// So much is read at a time.
const READ_BYTES: usize = 64 * 1024;

impl Mask {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<u8, Failure> {
        let masker = Arc::new(Masker::new(self.config(globals)?));
        let from = self.file.as_deref().filter(|file| *file != Path::new("-"));
        let found = match from {
            Some(path) => {
                let file = File::open(path).map_err(|error| unreadable(path, &error))?;
                self.pass(&masker, path, file, output)?
            }
            None => self.pass(
                &masker,
                Path::new("standard input"),
                io::stdin().lock(),
                output,
            )?,
        };
        Ok(u8::from(self.check && found))
    }

    /// Masks all there is to read; gives whether anything was found.
    fn pass(
        &self,
        masker: &Arc<Masker>,
        name: &Path,
        mut text: impl Read,
        output: &Output,
    ) -> Result<bool, Failure> {
        if self.csv {
            return self.pass_rows(masker, name, text, output);
        }
        let mut stream = masker.stream(Hint::NONE);
        let mut findings = Findings::tracing();
        let mut lines = Lines::default();
        let mut piece = vec![0; READ_BYTES];
        let mut masked = Vec::new();
        loop {
            let piece = next(&mut text, &mut piece, name)?;
            lines.push(piece);
            if piece.is_empty() {
                stream.finish(&mut masked, &mut findings);
                self.write(name, &masked, &mut findings, &mut lines, output)?;
                return Ok(!findings.is_empty());
            }
            stream.push(piece, &mut masked, &mut findings);
            self.write(name, &masked, &mut findings, &mut lines, output)?;
            masked.clear();
        }
    }

    /// The same for CSV.
    fn pass_rows(
        &self,
        masker: &Arc<Masker>,
        name: &Path,
        mut text: impl Read,
        output: &Output,
    ) -> Result<bool, Failure> {
        let failed = |error: CopyError| Failure::usage(format!("{}: {error}", name.display()));
        let mut rows = CsvMasker::new(Arc::clone(masker), CsvFormat::default());
        let mut findings = Findings::counting();
        let mut piece = vec![0; READ_BYTES];
        let mut masked = Vec::new();
        let is_shown = !self.explain && !self.check;
        loop {
            let piece = next(&mut text, &mut piece, name)?;
            let is_end = piece.is_empty();
            let pushed = rows.push(piece, &mut masked, &mut findings);
            if !is_end && pushed.is_ok() {
                if is_shown {
                    io::stdout().lock().write_all(&masked)?;
                }
                masked.clear();
                continue;
            }
            let finished = pushed.and_then(|()| rows.finish(&mut masked, &mut findings));
            if is_shown {
                io::stdout().lock().write_all(&masked)?;
            }
            finished.map_err(failed)?;
            if self.explain {
                for fact in findings.facts() {
                    explain_column(name, &fact, output)?;
                }
            }
            return Ok(!findings.is_empty());
        }
    }

    fn write(
        &self,
        name: &Path,
        masked: &[u8],
        findings: &mut Findings,
        lines: &mut Lines,
        output: &Output,
    ) -> Result<(), Failure> {
        for seen in findings.sightings() {
            let (line, column) = lines.at(seen.start);
            if self.explain {
                explain(name, line, column, &seen, output)?;
            }
        }
        lines.forget();
        if !self.explain && !self.check {
            io::stdout().lock().write_all(masked)?;
        }
        Ok(())
    }

    fn config(&self, globals: &Globals) -> Result<MaskerConfig, Failure> {
        let mut config = match &self.target {
            Some(target) => of_target(globals, target)?,
            None => MaskerConfig {
                own: classes(globals)?,
                ..MaskerConfig::default()
            },
        };
        if !self.classes.is_empty() {
            config.find = self.only(&config.own)?;
        }
        Ok(config)
    }

    /// The classes that were named, and no others.
    fn only(&self, own: &OwnClasses) -> Result<BTreeMap<DataClass, bool>, Failure> {
        let own = own.iter().map(|own| own.class.clone());
        let known = DataClass::FOUND.into_iter().chain(own);
        let mut find: BTreeMap<_, _> = known.map(|class| (class, false)).collect();
        for name in &self.classes {
            let class = DataClass::try_from(name.clone()).ok();
            let Some(sought) = class.and_then(|class| find.get_mut(&class)) else {
                let names = find.keys().map(DataClass::name).collect::<Vec<_>>();
                return Err(Failure::usage(format!(
                    "nothing is found of the class {name:?}: there are {}",
                    names.join(", ")
                )));
            };
            *sought = true;
        }
        Ok(find)
    }
}

/// Reads the next piece of a text; an empty one is its end.
fn next<'a>(text: &mut impl Read, piece: &'a mut [u8], name: &Path) -> Result<&'a [u8], Failure> {
    loop {
        match text.read(piece) {
            Ok(count) => return Ok(piece.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(name, &error)),
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{} cannot be read: {error}", path.display()))
}

/// The classes that the configuration defines, where there is one that can be read.
fn classes(globals: &Globals) -> Result<OwnClasses, Failure> {
    if File::open(&globals.config).is_err() {
        return Ok(OwnClasses::default());
    }
    let config = Config::load(&globals.config).map_err(Failure::usage)?;
    Ok(config.classes)
}

/// How a target's values are masked.
fn of_target(globals: &Globals, name: &str) -> Result<MaskerConfig, Failure> {
    let config = Config::load(&globals.config).map_err(Failure::usage)?;
    let wire = config.targets.get(name);
    let aws = config.aws_targets.get(name);
    let wire = wire.map(|target| (&target.strategies, &target.find, &target.own));
    let found = wire.or(aws.map(|target| (&target.strategies, &target.find, &target.own)));
    let (strategies, find, own) = found.ok_or_else(|| no_target(&config, &globals.config, name))?;
    let keyed = |strategy: &Strategy| matches!(strategy, Strategy::Hash | Strategy::Format);
    let key = strategies
        .values()
        .any(keyed)
        .then(|| keys::mask(&config.data))
        .transpose()
        .map_err(Failure::usage)?;
    Ok(MaskerConfig {
        strategies: strategies.clone(),
        find: find.clone(),
        own: own.clone(),
        key,
        ..MaskerConfig::default()
    })
}

fn explain(
    name: &Path,
    line: u64,
    column: u64,
    seen: &Sighting,
    output: &Output,
) -> io::Result<()> {
    let Sighting {
        class,
        rule,
        strategy,
        ..
    } = seen;
    if output.is_json() {
        return output.json(&json!({
            "line": line, "column": column, "class": class, "rule": rule, "strategy": strategy,
        }));
    }
    let place = format!(
        "{}:{line}:{column}:",
        crate::render::escape::visible(&name.to_string_lossy())
    );
    output.line(&format!(
        "{} {class}, found by {rule}: {strategy}",
        output.paint().bold(&place)
    ))
}

fn explain_column(name: &Path, fact: &MaskFact, output: &Output) -> io::Result<()> {
    let MaskFact {
        class,
        rule,
        strategy,
        place,
        count,
        ..
    } = fact;
    if output.is_json() {
        return output.json(&json!({
            "column": place, "class": class, "rule": rule, "strategy": strategy, "count": count,
        }));
    }
    let place = format!("{}:{place}:", name.to_string_lossy());
    let place = crate::render::escape::visible(&place);
    output.line(&format!(
        "{} {count} {class}, found by {rule}: {strategy}",
        output.paint().bold(&place)
    ))
}

/// Lines and columns of a text that passes.
#[derive(Debug)]
struct Lines {
    /// What may be asked for still, and what was passed of it.
    text: Vec<u8>,
    passed: usize,
    /// How much was before it.
    before: u64,
    line: u64,
    column: u64,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            passed: 0,
            before: 0,
            line: 1,
            column: 1,
        }
    }
}

impl Lines {
    fn push(&mut self, piece: &[u8]) {
        self.text.extend_from_slice(piece);
    }

    /// Line and column of the byte at `offset`. Nothing before it can be asked for any more.
    fn at(&mut self, offset: u64) -> (u64, u64) {
        let until = usize::try_from(offset.saturating_sub(self.before)).unwrap_or(usize::MAX);
        let until = until.min(self.text.len());
        for byte in self.text.get(self.passed..until).unwrap_or_default() {
            match byte {
                b'\n' => (self.line, self.column) = (self.line + 1, 1),
                // Within a character of UTF-8.
                0x80..=0xBF => {}
                _ => self.column += 1,
            }
        }
        self.passed = self.passed.max(until);
        (self.line, self.column)
    }

    /// Lets go of what a stream has masked by now.
    fn forget(&mut self) {
        let held = STREAM_PIECE_BYTES + STREAM_HOLD_BYTES;
        let done = self.text.len().saturating_sub(held);
        self.at(self.before + done as u64);
        self.text.drain(..self.passed);
        self.before += self.passed as u64;
        self.passed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters() {
        let text = "é4\n\nab";
        for split in 0..text.len() {
            let mut lines = Lines::default();
            let (one, two) = text.as_bytes().split_at(split);
            lines.push(one);
            lines.forget();
            lines.push(two);
            let places = [0, 2, 3, 4, 5, 6].map(|offset| lines.at(offset));
            assert_eq!(places, [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2)]);
        }
    }

    #[test]
    fn little_is_kept_of_a_long_text() {
        let mut lines = Lines::default();
        for _ in 0..64 {
            lines.push(&[b'\n'; READ_BYTES]);
            lines.forget();
            assert!(lines.text.len() <= STREAM_PIECE_BYTES + STREAM_HOLD_BYTES);
        }
        assert_eq!(
            lines.at(64 * READ_BYTES as u64),
            (64 * READ_BYTES as u64 + 1, 1)
        );
    }
}
