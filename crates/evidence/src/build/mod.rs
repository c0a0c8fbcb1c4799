//! Building a bundle.

mod context;
mod controls;
mod documents;
mod excerpts;
mod integrity;
mod range;
mod readme;
mod samples;
mod scope;
mod spool;
mod transcript;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use ledger::tile::Tile;
use ledger::{ReadError, Reader, SigningKey};
use model::{Digest, Entry, Event, FileDigest, Identity, PolicyVersion, Started, Timestamp};
use recording::SessionKey;

use crate::bundle::manifest::{self, About};
use crate::bundle::writer::Writer;
use crate::bundle::{json, layout, plain};
use crate::fold::sampling::SAMPLES_MAX;
use crate::fold::{Done, Fold, Period, Table};
use excerpts::Excerpts;
use range::Range;
use scope::Scope;
use spool::{Spool, Spooled};

pub use transcript::{PlainTranscripts, Transcriber, Transcripts};

/// A seed has at most so many bytes.
pub const SEED_BYTES_MAX: usize = 200;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Entries from this time on,
    pub from: Timestamp,
    /// up to this time, exclusive.
    pub to: Timestamp,
    /// Only what concerns this target; everything else is there as hashes.
    pub target: Option<String>,
    /// The seed of the samples: printable, at most [`SEED_BYTES_MAX`] bytes. The examiner's choice is best.
    pub seed: String,
    /// How many sessions to draw; at most 1,000.
    pub samples: usize,
}

/// Where a bundle's content comes from.
pub struct Sources<'a> {
    /// The log.
    pub log: &'a Reader,
    /// The log's key: it signs the manifest.
    pub key: &'a SigningKey,
    /// The recordings.
    pub recordings: &'a dyn Recordings,
    /// The files of a version of the policies, as name and text; `None` where they were not kept.
    pub policies: &'a dyn Fn(PolicyVersion) -> Option<Vec<(String, String)>>,
    /// Turns what a recording holds into something to read.
    pub transcripts: &'a dyn Transcripts,
    /// Each person's OpenSSH public keys. Keys that somebody used once must stay here, or their signatures cannot be verified.
    pub people: &'a BTreeMap<String, Vec<String>>,
    /// The targets as configured now.
    pub targets: &'a [TargetFacts],
    /// A folder that only this account can read, for temporary files; they are removed.
    pub spool: &'a Path,
    /// The time.
    pub now: Timestamp,
    /// Who builds it.
    pub builder: &'a Identity,
    /// The gateway's version.
    pub version: &'a str,
}

/// Sealed recordings and their keys.
pub trait Recordings {
    /// The sealed recording of a session, from its first byte; `None` where there is none any more.
    ///
    /// # Errors
    /// Where it is there and cannot be read.
    fn sealed(&self, session: &str) -> io::Result<Option<Box<dyn Read>>>;

    /// The session's key; `None` where it was destroyed.
    ///
    /// # Errors
    /// Where it is there and cannot be had.
    fn key(&self, session: &str) -> io::Result<Option<SessionKey>>;
}

/// A target as configured, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// Its name.
    pub name: String,
    /// Its protocol.
    pub protocol: String,
    /// Host and port.
    pub address: String,
    /// The account that the gateway uses there.
    pub account: String,
    /// How the connection to it is protected.
    pub tls: String,
    /// Declared columns and their classes.
    pub masks: Vec<(String, String)>,
}

/// How far a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many of all leaves were looked at to find the period.
    Finding(u64, u64),
    /// So many of the period's leaves were read.
    Reading(u64, u64),
    /// So many of the tree's leaves have their hashes written.
    Proving(u64, u64),
    /// So many samples are written.
    Sampling(u64, u64),
}

/// A bundle that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The first leaf of the period.
    pub first: u64,
    /// The leaf after its last.
    pub end: u64,
    /// SHA-256 of the manifest.
    pub manifest: Digest,
    /// How many files there are.
    pub files: usize,
    /// Sessions that were drawn.
    pub samples: usize,
}

/// Why a bundle was not built. What was written of it is worthless.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The request makes no sense.
    #[error("{0}")]
    Request(String),
    /// The log cannot be read.
    #[error("the log: {0}")]
    Log(#[from] ReadError),
    /// An entry is not one.
    #[error(
        "leaf {leaf} is not an entry that this version knows: {why}: build with the version that wrote it"
    )]
    Entry {
        /// Which.
        leaf: u64,
        /// Why not.
        why: String,
    },
    /// The log's tiles do not give its checkpoint.
    #[error(
        "the log's tiles do not give the root hash of its checkpoint for size {0}: restore the log from a good copy"
    )]
    Root(u64),
    /// A file of the bundle would have a name that it may not have.
    #[error("a bundle cannot hold a file named {0:?}, or not twice")]
    Name(String),
    /// What goes into the bundle cannot be read.
    #[error("{place}: cannot be read: {source}")]
    Read {
        /// For which file of the bundle.
        place: String,
        /// What the system said.
        source: io::Error,
    },
    /// The bundle cannot be written.
    #[error("the bundle cannot be written: {0}")]
    Write(#[source] io::Error),
    /// Temporary files cannot be written.
    #[error("temporary files cannot be written: {0}: free space in the spool folder")]
    Spool(#[source] io::Error),
    /// The manifest cannot be signed.
    #[error("the log's key cannot sign the manifest")]
    Sign,
}

/// Builds a bundle.
///
/// The period becomes the leaves `first .. end` between two signed checkpoints: the last one before which every entry is earlier
/// than `from`, or the empty log; and the first one, not before that, that covers every entry earlier than `to`.
///
/// # Errors
/// [`BuildError`].
pub fn build<W: Write + Seek>(
    request: &Request,
    sources: &Sources<'_>,
    out: W,
    progress: &mut dyn FnMut(Progress),
) -> Result<Built, BuildError> {
    check(request, sources)?;
    let range = range::find(request, sources.log, progress)?;
    let log = sources.log.with_checkpoint(range.end.clone());
    let spool = Spool::new(sources.spool);
    let mut writer = Writer::new(out);
    let mut build = Build {
        request,
        sources,
        log,
        period: Period {
            from: request.from,
            to: request.to,
            target: request.target.clone(),
            first: range.first,
            end: range.end.size(),
            built: sources.now,
            seed: request.seed.clone(),
            samples: request.samples,
        },
        range,
        spool,
        policies: BTreeMap::new(),
        durabilities: BTreeSet::new(),
        progress,
    };
    let folded = build.fold()?;
    let about = build.write(&mut writer, folded)?;
    let (first, end, samples) = (build.period.first, build.period.end, about.1);
    let manifest = manifest::sign(writer.files(), &about.0, sources.key).ok_or(BuildError::Sign)?;
    writer.add(layout::MANIFEST, &manifest)?;
    let files = writer.files().len();
    let mut out = writer.finish()?;
    out.flush().map_err(BuildError::Write)?;
    Ok(Built {
        first,
        end,
        manifest: Digest::of(&[&manifest]),
        files,
        samples,
    })
}

fn check(request: &Request, sources: &Sources<'_>) -> Result<(), BuildError> {
    let refuse = |why: &str| Err(BuildError::Request(why.to_owned()));
    if request.from >= request.to {
        return refuse("the period ends before it begins: give --from before --to");
    }
    if request.samples > SAMPLES_MAX {
        return refuse("at most 1,000 sessions can be drawn");
    }
    if request.seed.len() > SEED_BYTES_MAX || request.seed.chars().any(char::is_control) {
        return refuse("a seed is at most 200 bytes without control characters");
    }
    if let Some(target) = &request.target
        && !sources.targets.iter().any(|known| known.name == *target)
    {
        return Err(BuildError::Request(format!(
            "there is no target {target:?}: name one that is configured"
        )));
    }
    Ok(())
}

/// A build under way.
struct Build<'a, 's> {
    request: &'a Request,
    sources: &'a Sources<'s>,
    /// The log as of the end of the period.
    log: Reader,
    period: Period,
    range: Range,
    spool: Spool,
    /// The policies that were in force, with their files' digests.
    policies: BTreeMap<PolicyVersion, Vec<FileDigest>>,
    /// When entries became durable, as the gateway said at its start and in each heartbeat.
    durabilities: BTreeSet<String>,
    progress: &'a mut dyn FnMut(Progress),
}

/// What the pass over the leaves gave.
struct Folded {
    done: Done,
    tables: Tables,
    context: Spooled,
    /// Where leaves are redacted, all of them.
    leaves: Option<Spooled>,
}

impl Build<'_, '_> {
    /// The pass over the leaves: context, then period.
    fn fold(&mut self) -> Result<Folded, BuildError> {
        let mut scope = Scope::new(self.request.target.clone());
        let context = context::find(&self.log, self.period.first, &mut scope)?;
        let mut fold = Fold::new(self.period.clone(), None);
        let mut spooled = self.spool.create("context")?;
        for leaf in context {
            let bytes = self.leaf(leaf)?;
            spooled.write(integrity::line(leaf, &bytes).as_bytes())?;
            let entry = decode(leaf, &bytes)?;
            note_policies(&mut self.policies, &entry);
            note_durability(&mut self.durabilities, &entry);
            fold.entry(leaf, entry);
        }
        let mut tables = Tables::create(&self.spool)?;
        let leaves = self
            .request
            .target
            .as_ref()
            .map(|_| self.spool.create("leaves"))
            .transpose()?;
        let leaves = self.fold_period(&mut scope, &mut fold, &mut tables, leaves)?;
        fold.finish();
        tables.drain(&mut fold)?;
        Ok(Folded {
            done: fold.done(),
            tables,
            context: spooled,
            leaves,
        })
    }

    fn fold_period(
        &mut self,
        scope: &mut Scope,
        fold: &mut Fold<'_>,
        tables: &mut Tables,
        mut leaves: Option<Spooled>,
    ) -> Result<Option<Spooled>, BuildError> {
        let (first, end) = (self.period.first, self.period.end);
        for item in self.log.entries(first..end) {
            let (leaf, bytes) = item?;
            let entry = decode(leaf, &bytes)?;
            let shown = scope.shows(&entry.event);
            if let Some(leaves) = &mut leaves {
                let line = if shown {
                    integrity::line(leaf, &bytes)
                } else {
                    integrity::redacted(leaf, &bytes)
                };
                leaves.write(line.as_bytes())?;
            }
            if shown {
                note_policies(&mut self.policies, &entry);
                note_durability(&mut self.durabilities, &entry);
                fold.entry(leaf, entry);
                tables.drain(fold)?;
            } else {
                fold.redacted();
            }
            if leaf % 4_096 == 0 {
                (self.progress)(Progress::Reading(leaf - first, end - first));
            }
        }
        Ok(leaves)
    }

    /// One leaf's bytes.
    fn leaf(&self, leaf: u64) -> Result<Vec<u8>, BuildError> {
        match self.log.entries(leaf..leaf + 1).next() {
            Some(item) => Ok(item?.1),
            None => Err(ReadError::Beyond {
                asked: leaf,
                held: self.log.checkpoint().size(),
            }
            .into()),
        }
    }

    /// Writes everything but the manifest.
    fn write<W: Write + Seek>(
        &mut self,
        writer: &mut Writer<W>,
        folded: Folded,
    ) -> Result<(About, usize), BuildError> {
        let Folded {
            done,
            tables,
            context,
            leaves,
        } = folded;
        let policies = self.policy_files();
        let drawn = done.draw.sample();
        writer.add(
            layout::README,
            readme::page(self, &done, &policies, &tables.excerpts).as_bytes(),
        )?;
        for (table, file) in tables.files {
            file.copy_to(table.path(), writer)?;
        }
        writer.add(layout::TOTALS, json(&done.totals).as_bytes())?;
        self.documents(writer)?;
        for (path, text) in policies.files {
            writer.add(&path, text.as_bytes())?;
        }
        context.copy_to(layout::CONTEXT, writer)?;
        if let Some(leaves) = leaves {
            leaves.copy_to(layout::LEAVES, writer)?;
        }
        self.integrity(writer)?;
        self.samples(writer, &done.draw, &drawn)?;
        writer.index()?;
        let about = About {
            origin: self.log.checkpoint().origin().to_owned(),
            first: self.period.first,
            end: self.period.end,
            version: self.sources.version.to_owned(),
        };
        Ok((about, drawn.len()))
    }

    /// The text of every version of the policies that was in force, as far as it was kept and is what was in force.
    fn policy_files(&self) -> PolicyFiles {
        let mut found = PolicyFiles::default();
        for (version, digests) in &self.policies {
            let kept = (self.sources.policies)(*version).unwrap_or_default();
            for file in digests {
                let text = kept.iter().find(|(name, text)| {
                    *name == file.name && Digest::of(&[text.as_bytes()]) == file.sha256
                });
                let path = format!("{}{version}/{}", layout::POLICIES, plain(&file.name));
                match text {
                    Some((_, text)) => found.files.push((path, text.clone())),
                    None => found.missing += 1,
                }
            }
        }
        found
    }
}

/// The policies' files, and how many are known by digest alone.
#[derive(Default)]
struct PolicyFiles {
    files: Vec<(String, String)>,
    missing: usize,
}

fn note_policies(policies: &mut BTreeMap<PolicyVersion, Vec<FileDigest>>, entry: &Entry) {
    match &entry.event {
        Event::Started(started) => {
            drop(policies.insert(started.policy, started.policy_files.clone()))
        }
        Event::PolicyActivated { policy, files } => drop(policies.insert(*policy, files.clone())),
        _ => {}
    }
}

fn note_durability(durabilities: &mut BTreeSet<String>, entry: &Entry) {
    match &entry.event {
        Event::Started(Started { durability, .. }) | Event::Heartbeat { durability, .. }
            if !durabilities.contains(durability) =>
        {
            durabilities.insert(durability.clone());
        }
        _ => {}
    }
}

/// The tables under way, and what the page shows of them.
struct Tables {
    files: BTreeMap<Table, Spooled>,
    excerpts: Excerpts,
}

impl Tables {
    fn create(spool: &Spool) -> Result<Self, BuildError> {
        let mut files = BTreeMap::new();
        for table in Table::ALL {
            let mut file = spool.create(table.path())?;
            file.write(table.header().as_bytes())?;
            files.insert(table, file);
        }
        Ok(Self {
            files,
            excerpts: Excerpts::default(),
        })
    }

    /// Writes the lines that the pass has made so far.
    fn drain(&mut self, fold: &mut Fold<'_>) -> Result<(), BuildError> {
        for (table, line) in fold.take_lines() {
            self.excerpts.take(table, &line);
            if let Some(file) = self.files.get_mut(&table) {
                file.write(line.as_bytes())?;
            }
        }
        Ok(())
    }
}

fn decode(leaf: u64, bytes: &[u8]) -> Result<Entry, BuildError> {
    Entry::decode(bytes).map_err(|error| BuildError::Entry {
        leaf,
        why: error.to_string(),
    })
}

/// A tile's path in the bundle.
fn tile_path(tile: &Tile) -> String {
    format!("{}{tile}", layout::TLOG)
}
