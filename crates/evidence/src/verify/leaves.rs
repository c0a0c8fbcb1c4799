//! The entries: each leaf's hash against the tree, and everything that follows from them against the tables.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Seek};

use aws_lc_rs::digest::{Context, SHA256};
use ledger::tile::{self, Level, TILE_WIDTH, Tile};
use ledger::{Hash, tree};
use model::{Digest, Entry};

use super::log::{Content, Line};
use super::{Checked, Run, signed_by};
use crate::bundle::{Defect, json, layout, plain};
use crate::fold::{Done, Fold, Table};
use crate::tree::Frontier;

/// A line of `leaves.jsonl` is at most so long: an entry in Base64 and its frame.
const LINE_BYTES_MAX: u64 = 128 << 10;

/// Takes leaf after leaf.
pub(super) type Each<'f> = &'f mut dyn FnMut(u64, Content) -> Result<(), Defect>;

/// Each table as the pass makes it.
struct Tables {
    digests: BTreeMap<Table, Context>,
    /// A table that is compared line by line, and where.
    watched: Option<Watched>,
}

struct Watched {
    table: Table,
    text: Vec<u8>,
    at: usize,
    line: usize,
    differs: Option<String>,
}

impl Tables {
    fn new(watched: Option<(Table, Vec<u8>)>) -> Self {
        let mut tables = Self {
            digests: Table::ALL
                .iter()
                .map(|table| (*table, Context::new(&SHA256)))
                .collect(),
            watched: watched.map(|(table, text)| Watched {
                table,
                text,
                at: 0,
                line: 0,
                differs: None,
            }),
        };
        for table in Table::ALL {
            tables.take(table, &table.header());
        }
        tables
    }

    fn take(&mut self, table: Table, line: &str) {
        if let Some(digest) = self.digests.get_mut(&table) {
            digest.update(line.as_bytes());
        }
        if let Some(watched) = self
            .watched
            .as_mut()
            .filter(|watched| watched.table == table)
        {
            watched.take(line);
        }
    }
}

impl Watched {
    fn take(&mut self, due: &str) {
        self.line += 1;
        let rest = self.text.get(self.at..).unwrap_or_default();
        if self.differs.is_none() && !rest.starts_with(due.as_bytes()) {
            let found = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let found = String::from_utf8_lossy(found);
            self.differs = Some(format!(
                "line {} is {:?}, and the leaves give {:?}",
                self.line,
                short(found.trim_end()),
                short(due.trim_end())
            ));
        }
        self.at += due.len();
    }

    fn verdict(self) -> String {
        match self.differs {
            Some(differs) => differs,
            None => format!(
                "holds more than the {} lines that the leaves give",
                self.line
            ),
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(160).collect()
}

impl<R: Read + Seek> Run<'_, R> {
    /// The pass. `None` where the leaves cannot be read to their end.
    pub(super) fn leaves(&mut self) -> Option<Done> {
        let mut checked = self.hashes();
        if let Some(defect) = self.unlike_layout() {
            checked = checked.and(Err(defect));
        }
        let readable = checked.is_ok();
        self.report.check("leaves", checked);
        let passed = self.pass(None);
        match passed {
            Ok((done, tables)) => {
                let checked = self.tables(tables);
                self.report.check("tables", checked);
                Some(done)
            }
            Err(defect) => {
                // Where the hashes told already, once is enough.
                if readable {
                    self.report.check("entries", Err(defect));
                }
                None
            }
        }
    }

    /// Leaves are either all here, or redacted by target; not both.
    fn unlike_layout(&self) -> Option<Defect> {
        let bundles = format!("{}tile/entries/", layout::TLOG);
        let lines = self.bundle.has(layout::LEAVES);
        let whole = self
            .bundle
            .names()
            .filter(|name| name.starts_with(&bundles))
            .count() as u64;
        let width = u64::from(TILE_WIDTH);
        let due = if self.period.target.is_some() || self.period.first == self.period.end {
            0
        } else {
            self.period.end.div_ceil(width) - self.period.first / width
        };
        if lines != self.period.target.is_some() {
            return Some(Defect::new(
                layout::LEAVES,
                "is there only where one target was asked for",
            ));
        }
        (whole != due).then(|| {
            Defect::new(
                bundles,
                format!("{whole} bundles of entries are here, and the period has {due}"),
            )
        })
    }

    /// Every entry's hash is the tree's.
    fn hashes(&mut self) -> Checked {
        let mut frontier = std::mem::take(&mut self.seed);
        let begin = self.begin_of_entries();
        if frontier.size() != begin {
            return Err(Defect::new(
                layout::TLOG,
                "the tree does not hold, so there is nothing to compare the entries with",
            ));
        }
        self.seed = frontier.clone();
        let mut filled = Vec::new();
        let (mut redacted, mut wrong) = (0_u64, None);
        let actual = std::mem::take(&mut self.actual);
        let differs = |tile: &Tile, hashes: &[Hash]| {
            let due = Digest::of(&[&tile::encode_hashes(hashes)]);
            actual
                .get(&format!("{}{tile}", layout::TLOG))
                .is_none_or(|file| file.sha256 != due)
        };
        let walked = self.walk(&mut |_, content| {
            let hash = match content {
                Content::Entry(entry) => tree::leaf_hash(&entry),
                Content::Redacted(hash) => {
                    redacted += 1;
                    hash
                }
            };
            frontier.push(hash, &mut filled);
            for (tile, hashes) in filled.drain(..) {
                if wrong.is_none() && differs(&tile, &hashes) {
                    wrong = Some((tile, hashes));
                }
            }
            Ok(())
        });
        let partial = frontier
            .partials()
            .into_iter()
            .find(|(tile, hashes)| differs(tile, hashes));
        self.actual = actual;
        walked?;
        self.whole_tree(&frontier, wrong.or(partial))?;
        let (first, end) = (self.period.first, self.period.end);
        Ok(format!(
            "all {} from {first} to {end} hash to the tree's leaves; {redacted} of them are redacted",
            end - first
        ))
    }

    /// Nothing differs, or the first leaf that does.
    fn whole_tree(
        &mut self,
        frontier: &Frontier,
        wrong: Option<(Tile, Vec<Hash>)>,
    ) -> Result<(), Defect> {
        let Some((tile, hashes)) = wrong else {
            let same = self
                .end
                .as_ref()
                .is_none_or(|end| *end.root() == frontier.root());
            return if same {
                Ok(())
            } else {
                Err(Defect::new(
                    layout::CHECKPOINT,
                    "the leaves give another root",
                ))
            };
        };
        let width = u64::from(TILE_WIDTH);
        let due = self.tile(tile.index())?;
        let at = hashes
            .iter()
            .zip(&due)
            .position(|(found, due)| found != due)
            .unwrap_or(0) as u64;
        let leaf = tile.index() * width + at;
        Err(Defect::new(
            format!("leaf {leaf}"),
            "its content is not what the log has there: its hash differs from the tree's",
        ))
    }

    /// Hands over every leaf that is here, from [`Run::begin_of_entries`] on.
    pub(super) fn walk(&mut self, each: Each<'_>) -> Result<(), Defect> {
        if self.period.target.is_some() {
            self.walk_lines(each)
        } else {
            self.walk_bundles(each)
        }
    }

    fn walk_bundles(&mut self, each: Each<'_>) -> Result<(), Defect> {
        let (end, width) = (self.period.end, u64::from(TILE_WIDTH));
        let mut leaf = self.begin_of_entries();
        while leaf < end {
            let Some(tile) = Tile::in_tree(Level::Entries, leaf / width, end) else {
                break;
            };
            let path = format!("{}{tile}", layout::TLOG);
            let bytes = self.bundle.whole(&path)?;
            let entries = tile::decode_entries(&bytes, usize::from(tile.width()))
                .map_err(|error| Defect::new(path, error.to_string()))?;
            for entry in entries {
                each(leaf, Content::Entry(entry.to_vec()))?;
                leaf += 1;
            }
        }
        Ok(())
    }

    fn walk_lines(&mut self, each: Each<'_>) -> Result<(), Defect> {
        let (mut leaf, end) = (self.period.first, self.period.end);
        let mut lines = BufReader::new(self.bundle.stream(layout::LEAVES)?);
        let bad = |leaf: u64, why: &str| {
            Defect::new(layout::LEAVES, format!("where leaf {leaf} is due, {why}"))
        };
        let mut line = String::new();
        loop {
            line.clear();
            let read = (&mut lines)
                .take(LINE_BYTES_MAX)
                .read_line(&mut line)
                .map_err(|_| bad(leaf, "it cannot be read"))?;
            if read == 0 {
                break;
            }
            let (index, content) = Line::parse(line.trim_end())
                .ok_or_else(|| bad(leaf, "there is no line of a leaf"))?;
            if index != leaf || leaf >= end {
                return Err(bad(leaf, &format!("leaf {index} stands")));
            }
            each(leaf, content)?;
            leaf += 1;
        }
        if leaf == end {
            Ok(())
        } else {
            Err(bad(leaf, "the file ends"))
        }
    }

    /// Folds context and leaves.
    fn pass(&mut self, watched: Option<(Table, Vec<u8>)>) -> Result<(Done, Tables), Defect> {
        let people = self.people.clone();
        let signers = |name: &str, statement: &str, signature: &str| {
            signed_by(&people, name, statement, signature)
        };
        let mut fold = Fold::new(self.period.clone(), Some(&signers));
        let mut tables = Tables::new(watched);
        for (leaf, bytes) in std::mem::take(&mut self.context) {
            match Entry::decode(&bytes) {
                Ok(entry) => {
                    self.note_policies(&entry);
                    fold.entry(leaf, entry);
                }
                Err(error) => fold.unknown(leaf, &error.to_string()),
            }
            self.context.insert(leaf, bytes);
        }
        let first = self.period.first;
        let mut noted = Vec::new();
        self.walk(&mut |leaf, content| {
            if leaf < first {
                return Ok(());
            }
            match content {
                Content::Redacted(_) => fold.redacted(),
                Content::Entry(bytes) => match Entry::decode(&bytes) {
                    Ok(entry) => {
                        if matches!(
                            entry.event,
                            model::Event::Started(_) | model::Event::PolicyActivated { .. }
                        ) {
                            noted.push(entry.clone());
                        }
                        fold.entry(leaf, entry);
                    }
                    Err(error) => fold.unknown(leaf, &error.to_string()),
                },
            }
            fold.take_lines()
                .for_each(|(table, line)| tables.take(table, &line));
            Ok(())
        })?;
        fold.finish();
        fold.take_lines()
            .for_each(|(table, line)| tables.take(table, &line));
        noted.iter().for_each(|entry| self.note_policies(entry));
        Ok((fold.done(), tables))
    }

    /// Every table is what the leaves give.
    fn tables(&mut self, tables: Tables) -> Checked {
        for (table, digest) in tables.digests {
            let due = digest.finish();
            let Some(found) = self.actual.get(table.path()) else {
                return Err(Defect::new(table.path(), "is missing"));
            };
            if found.sha256.0.as_slice() != due.as_ref() {
                return Err(self.where_it_differs(table));
            }
        }
        Ok(format!(
            "{} tables are, byte for byte, what the leaves give",
            Table::ALL.len()
        ))
    }

    fn where_it_differs(&mut self, table: Table) -> Defect {
        let text = match self.bundle.whole(table.path()) {
            Ok(text) => text,
            Err(defect) => return defect,
        };
        match self.pass(Some((table, text))) {
            Ok((
                _,
                Tables {
                    watched: Some(watched),
                    ..
                },
            )) => Defect::new(table.path(), watched.verdict()),
            Ok(_) => Defect::new(table.path(), "is not what the leaves give"),
            Err(defect) => defect,
        }
    }

    /// The control totals are what the leaves give.
    pub(super) fn totals(&mut self, done: &Done) -> Checked {
        let text = self.bundle.text(layout::TOTALS)?;
        if text == json(&done.totals) {
            return Ok("every count is what the leaves give".to_owned());
        }
        let found: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let due = serde_json::to_value(&done.totals).unwrap_or_default();
        let differs = due
            .as_object()
            .into_iter()
            .flatten()
            .find(|(name, value)| found.get(*name) != Some(value));
        let why = match differs {
            Some((name, value)) => {
                let found = found
                    .get(name)
                    .map_or_else(|| "missing".to_owned(), ToString::to_string);
                format!("{name} is {found}, and the leaves give {value}")
            }
            None => "is not written as the leaves give it".to_owned(),
        };
        Err(Defect::new(layout::TOTALS, why))
    }

    /// Every policy file is one that the log names, and is what it was.
    pub(super) fn policy_files(&mut self) -> Checked {
        let mut due = BTreeMap::new();
        for (version, files) in &self.policies {
            for file in files {
                due.insert(
                    format!("{}{version}/{}", layout::POLICIES, plain(&file.name)),
                    file.sha256,
                );
            }
        }
        let mut count = 0;
        for name in self
            .bundle
            .names()
            .filter(|name| name.starts_with(layout::POLICIES))
        {
            let found = self.actual.get(name).map(|file| file.sha256);
            match due.remove(name) {
                None => return Err(Defect::new(name, "is no policy file that the log names")),
                Some(due) if found != Some(due) => {
                    return Err(Defect::new(
                        name,
                        "is not the policy file that was in force: its SHA-256 is another",
                    ));
                }
                Some(_) => count += 1,
            }
        }
        if !due.is_empty() {
            self.report.note(format!(
                "{} policy files are known by digest alone",
                due.len()
            ));
        }
        Ok(format!("{count} files are those that were in force"))
    }
}
