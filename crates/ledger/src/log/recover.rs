//! Opening a log folder: what is there is checked before anything is added to it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::edge::Edge;
use super::history::History;
use super::journal::{Journal, SegmentName, read_segment};
use super::storage::{OWN_DIR, SCRATCH_PREFIX, Storage};
use super::{Entry, Options};
use crate::checkpoint::{BadCheckpoint, Checkpoint};
use crate::reader::{ReadError, TileStore};
use crate::tile::{self, Level, TILE_WIDTH, Tile};
use crate::tree::{Hash, leaf_hash};

/// A log as it was found, ready to go on.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) lock: File,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) edge: Edge,
    pub(crate) pending: Vec<Entry>,
    pub(crate) journal: Journal,
    pub(crate) history: History,
}

/// Takes the lock, checks the log and makes it ready.
pub(crate) fn recover(
    dir: &Path,
    options: &Options,
    storage: &Arc<dyn Storage>,
) -> Result<Recovered, OpenError> {
    let own = dir.join(OWN_DIR);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    storage.create_dirs(&own).map_err(failed(&own))?;
    let lock = take_lock(dir)?;
    let segments = tidy(&own, storage.as_ref()).map_err(failed(&own))?;

    let checkpoint = read_checkpoint(dir, options)?;
    let size = checkpoint.as_ref().map_or(0, Checkpoint::size);
    let edge = read_edge(dir, size)?;
    if checkpoint
        .as_ref()
        .is_some_and(|checkpoint| *checkpoint.root() != edge.root())
    {
        return Err(OpenError::Root {
            dir: dir.to_owned(),
            size,
        });
    }
    if segments.is_empty() && checkpoint.is_some() {
        return Err(OpenError::JournalMissing { dir: own });
    }
    let pending = read_journal(size, &segments)?;

    let mut history =
        History::open(Arc::clone(storage), dir).map_err(failed(&super::history::path(dir)))?;
    check_history(dir, options, &edge, &pending, &history)?;
    if let Some(checkpoint) = checkpoint
        .as_ref()
        .filter(|c| history.last().is_none_or(|last| last.size() < c.size()))
    {
        history
            .append(checkpoint)
            .map_err(failed(&super::history::path(dir)))?;
    }

    let end = size + pending.len() as u64;
    let mut journal = Journal::resume(Arc::clone(storage), dir, end, &segments);
    journal.start().map_err(failed(&own))?;
    if pending.is_empty() {
        journal.prune(end);
    }
    Ok(Recovered {
        lock,
        checkpoint,
        edge,
        pending,
        journal,
        history,
    })
}

fn take_lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(OWN_DIR).join("lock");
    let failed = |source| OpenError::Io {
        path: path.clone(),
        source,
    };
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked {
            dir: dir.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Removes what a crash left half made; gives the journal's segments, oldest first.
fn tidy(own: &Path, storage: &dyn Storage) -> io::Result<Vec<SegmentName>> {
    let mut segments = Vec::new();
    for file in fs::read_dir(own)? {
        let file = file?;
        if file
            .file_name()
            .to_string_lossy()
            .starts_with(SCRATCH_PREFIX)
        {
            storage.remove(&file.path())?;
        }
        segments.extend(SegmentName::parse(&file.path()));
    }
    segments.sort();
    Ok(segments)
}

fn read_checkpoint(dir: &Path, options: &Options) -> Result<Option<Checkpoint>, OpenError> {
    let path = dir.join("checkpoint");
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(OpenError::Io { path, source }),
    };
    verify(&bytes, path, options).map(Some)
}

fn verify(note: &[u8], path: PathBuf, options: &Options) -> Result<Checkpoint, OpenError> {
    let keys = [options.key.verifier().clone()];
    match Checkpoint::verify(note, &keys) {
        Ok(checkpoint) if checkpoint.origin() == options.origin => Ok(checkpoint),
        Ok(checkpoint) => Err(OpenError::Origin {
            path,
            found: checkpoint.origin().to_owned(),
        }),
        Err(source) => Err(OpenError::Checkpoint { path, source }),
    }
}

/// Reads the partial tiles of a tree and checks that the last entries fit the last hashes.
fn read_edge(dir: &Path, size: u64) -> Result<Edge, ReadError> {
    let tiles = TileStore::new(dir);
    let mut levels = Vec::new();
    for level in 0_u8.. {
        let items = tile::items_at(Level::Hashes(level), size);
        if items == 0 {
            break;
        }
        levels.push(
            match Tile::in_tree(Level::Hashes(level), items / u64::from(TILE_WIDTH), size) {
                Some(tile) => tiles.hashes(&tile)?,
                None => Vec::new(),
            },
        );
    }
    let mut bundle = Vec::new();
    if let Some(tile) = Tile::in_tree(Level::Entries, size / u64::from(TILE_WIDTH), size) {
        let entries = tiles.entries(&tile)?;
        for entry in &entries {
            tile::encode_entry(&mut bundle, entry).map_err(|_| tiles.malformed(&tile))?;
        }
        let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        if levels.first() != Some(&leaves) {
            return Err(tiles.malformed(&tile));
        }
    }
    Ok(Edge::from_parts(size, levels, bundle))
}

/// Puts the segments together: the entries from `integrated` on.
///
/// Where a segment begins, those before it end, whatever they hold beyond: a writer that failed goes on in a new one. So
/// damage matters only where no later segment takes over.
fn read_journal(integrated: u64, segments: &[SegmentName]) -> Result<Vec<Entry>, OpenError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut damage: Option<(PathBuf, usize)> = None;
    for segment in segments {
        let bytes = fs::read(&segment.path).map_err(|source| OpenError::Io {
            path: segment.path.clone(),
            source,
        })?;
        let content = read_segment(&bytes);
        let end = integrated + entries.len() as u64;
        let first = match content.first {
            Some(first) if first > end => {
                let (path, offset) = damage.unwrap_or_else(|| (segment.path.clone(), 0));
                return Err(OpenError::JournalCorrupt {
                    path,
                    offset,
                    index: end,
                });
            }
            Some(first) => {
                damage = None;
                first
            }
            None => end,
        };
        if content.corrupt_at.is_some() || damage.is_none() {
            damage = content
                .corrupt_at
                .map(|offset| (segment.path.clone(), offset));
        }
        if content.first.is_some() {
            entries
                .truncate(usize::try_from(first.saturating_sub(integrated)).unwrap_or(usize::MAX));
            let known = integrated.saturating_sub(first);
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            entries.extend(content.entries.into_iter().skip(known).map(Entry::new));
        }
    }
    match damage {
        Some((path, offset)) => Err(OpenError::JournalCorrupt {
            path,
            offset,
            index: integrated + entries.len() as u64,
        }),
        None => Ok(entries),
    }
}

/// The tree must be able to grow into every checkpoint that was signed; the last one stands for all before it.
fn check_history(
    dir: &Path,
    options: &Options,
    edge: &Edge,
    pending: &[Entry],
    history: &History,
) -> Result<(), OpenError> {
    let Some(last) = history.last() else {
        return Ok(());
    };
    let last = verify(last.note().as_bytes(), super::history::path(dir), options)?;
    let lost = || OpenError::BehindHistory {
        dir: dir.to_owned(),
        signed: last.size(),
        found: edge.size() + pending.len() as u64,
    };
    let Some(missing) = last.size().checked_sub(edge.size()) else {
        return Ok(());
    };
    let missing = usize::try_from(missing)
        .ok()
        .and_then(|missing| pending.get(..missing))
        .ok_or_else(lost)?;
    let mut grown = edge.clone();
    for entry in missing {
        grown
            .push(&entry.bytes, entry.leaf, &mut Vec::new())
            .map_err(|_| lost())?;
    }
    if grown.root() == *last.root() {
        Ok(())
    } else {
        Err(OpenError::Root {
            dir: dir.to_owned(),
            size: last.size(),
        })
    }
}

/// Why a log cannot be opened for writing.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, writes to it.
    #[error("the log {} is open for writing elsewhere: a log has one writer, stop the other one first", dir.display())]
    Locked {
        /// The log's folder.
        dir: PathBuf,
    },
    /// The disk refused.
    #[error("cannot open the log: {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The options do not make sense.
    #[error(
        "{0:?} cannot be a log's origin: it is one line of 1 to 1,024 bytes, such as example.com/log"
    )]
    BadOrigin(String),
    /// A checkpoint is not ours.
    #[error("{}: {source}: is this the right key for this log?", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: BadCheckpoint,
    },
    /// A checkpoint is of another log.
    #[error("{} is of the log {found:?}, not of the one configured", path.display())]
    Origin {
        /// The file.
        path: PathBuf,
        /// The log it is of.
        found: String,
    },
    /// A tile cannot be read.
    #[error(transparent)]
    Tiles(#[from] ReadError),
    /// The tiles are not those that were signed.
    #[error("the tiles of the log {} do not give the root hash signed for size {size}: restore them from a copy", dir.display())]
    Root {
        /// The log's folder.
        dir: PathBuf,
        /// The size of the checkpoint.
        size: u64,
    },
    /// There is a checkpoint but no journal.
    #[error("{} has no journal, so entries may be missing from this log: restore the whole folder from a copy", dir.display())]
    JournalMissing {
        /// The folder that should hold it.
        dir: PathBuf,
    },
    /// The journal is damaged where it was durable.
    #[error(
        "{} is corrupt at byte {offset}: entries from index {index} on cannot be read; nothing was changed, restore the \
         folder from a copy",
        path.display()
    )]
    JournalCorrupt {
        /// The segment file.
        path: PathBuf,
        /// Where the damage begins, in bytes.
        offset: usize,
        /// The first entry that cannot be read.
        index: u64,
    },
    /// Entries are missing that a checkpoint covered.
    #[error(
        "a checkpoint was signed for {signed} entries, but the log {} holds only {found}: restore the folder from a copy",
        dir.display()
    )]
    BehindHistory {
        /// The log's folder.
        dir: PathBuf,
        /// Entries that were signed for.
        signed: u64,
        /// Entries that were found.
        found: u64,
    },
}
