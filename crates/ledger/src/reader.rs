//! Reading a log folder: entries, proofs, and every checkpoint signed.
//!
//! Needs no lock, works beside a writer, and on any copy of `checkpoint` and `tile/`.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::checkpoint::{BadCheckpoint, Checkpoint};
use crate::log::edge::Edge;
use crate::log::history;
use crate::note::{NOTE_BYTES_MAX, Verifier};
use crate::proof::TlogProof;
use crate::tile::{self, Level, TILE_HEIGHT, TILE_WIDTH, Tile};
use crate::tree::{self, Hash, ProveError, leaf_hash};

/// Tiles of hashes kept in memory while proofs are made: 8 KiB each.
const TILES_KEPT_MAX: usize = 256;

/// A log folder, read as of one checkpoint.
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    keys: Vec<Verifier>,
    checkpoint: Checkpoint,
    tiles: TileStore,
    kept: Mutex<HashMap<Tile, Arc<Vec<Hash>>>>,
}

impl Reader {
    /// Opens the log in `dir` as of its newest checkpoint. With a key, the checkpoint must be signed by it; without one,
    /// nobody vouches for anything that is read.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if there is no checkpoint, or not one to be trusted.
    pub fn open(dir: &Path, key: Option<&Verifier>) -> Result<Self, ReadError> {
        let keys: Vec<Verifier> = key.cloned().into_iter().collect();
        let path = dir.join("checkpoint");
        let note = fs::read(&path).map_err(|source| ReadError::Io {
            path: path.clone(),
            source,
        })?;
        let checkpoint =
            check(&note, &keys).map_err(|source| ReadError::Checkpoint { path, source })?;
        Ok(Self::at(dir, keys, checkpoint))
    }

    /// The same log as of another of its checkpoints. That it is one is the caller's to know: see
    /// [`Reader::checkpoints`] and [`Reader::consistency_proof`].
    #[must_use]
    pub fn with_checkpoint(&self, checkpoint: Checkpoint) -> Self {
        Self::at(&self.dir, self.keys.clone(), checkpoint)
    }

    fn at(dir: &Path, keys: Vec<Verifier>, checkpoint: Checkpoint) -> Self {
        Self {
            dir: dir.to_owned(),
            keys,
            checkpoint,
            tiles: TileStore::new(dir),
            kept: Mutex::default(),
        }
    }

    /// The checkpoint that everything is read as of.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The entries in a range of indexes, in order, as far as the checkpoint covers them. They are read bundle by bundle
    /// and not checked against the tree: see [`Reader::verify`].
    #[must_use]
    pub fn entries(&self, range: Range<u64>) -> Entries<'_> {
        let end = range.end.min(self.checkpoint.size());
        Entries {
            reader: self,
            next: range.start,
            end,
            bundle: Vec::new().into_iter(),
        }
    }

    /// The leaf hashes in a range of indexes, in order, as far as the checkpoint covers them.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if a tile is missing or malformed.
    pub fn leaf_hashes(&self, range: Range<u64>) -> Result<Vec<Hash>, ReadError> {
        (range.start..range.end.min(self.checkpoint.size()))
            .map(|index| self.node(0, index))
            .collect()
    }

    /// The root hash of the log when it had `size` entries, from its tiles.
    ///
    /// # Errors
    ///
    /// [`ReadError::Beyond`] if it has fewer; [`ReadError`] if a tile is missing or malformed.
    pub fn root_at(&self, size: u64) -> Result<Hash, ReadError> {
        self.within(size)?;
        tree::root_at(size, &mut |level, index| self.node(level, index))
    }

    /// Proof that the entry at `index` stands in the log of `size` entries, from the leaf's sibling up.
    ///
    /// # Errors
    ///
    /// [`ReadError::Beyond`] if the log has fewer; [`ReadError`] if a tile is missing or malformed.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, ReadError> {
        self.within(size)?;
        Ok(tree::prove_inclusion(index, size, &mut |level, index| {
            self.node(level, index)
        })?)
    }

    /// Proof that the log of `old` entries is a prefix of the log of `new` entries.
    ///
    /// # Errors
    ///
    /// [`ReadError::Beyond`] if the log has fewer; [`ReadError`] if a tile is missing or malformed.
    pub fn consistency_proof(&self, old: u64, new: u64) -> Result<Vec<Hash>, ReadError> {
        self.within(new)?;
        Ok(tree::prove_consistency(old, new, &mut |level, index| {
            self.node(level, index)
        })?)
    }

    /// The text of a C2SP tlog-proof file for one entry under this checkpoint.
    ///
    /// # Errors
    ///
    /// As [`Reader::inclusion_proof`].
    pub fn tlog_proof(&self, index: u64) -> Result<String, ReadError> {
        let hashes = self.inclusion_proof(index, self.checkpoint.size())?;
        let checkpoint = self.checkpoint.note().to_owned();
        Ok(TlogProof {
            extra: None,
            index,
            hashes,
            checkpoint,
        }
        .to_string())
    }

    /// Every checkpoint signed, oldest first, each checked as the newest was. In a copy that has no history, the one
    /// checkpoint it has.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the history cannot be opened; the items fail when it cannot be read on.
    pub fn checkpoints(
        &self,
    ) -> Result<impl Iterator<Item = Result<Checkpoint, ReadError>>, ReadError> {
        let path = history::path(&self.dir);
        let (file, only) = match File::open(&path) {
            Ok(file) => (Some(BufReader::new(file)), None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (None, Some(self.checkpoint.clone()))
            }
            Err(source) => return Err(ReadError::Io { path, source }),
        };
        let keys = self.keys.clone();
        let read = file.into_iter().flat_map(move |mut file| {
            let (path, keys) = (path.clone(), keys.clone());
            std::iter::from_fn(move || match next_note(&mut file) {
                Ok(note) => {
                    let checkpoint = check(&note?, &keys);
                    Some(checkpoint.map_err(|source| ReadError::Checkpoint {
                        path: path.clone(),
                        source,
                    }))
                }
                Err(source) => Some(Err(ReadError::Io {
                    path: path.clone(),
                    source,
                })),
            })
        });
        Ok(only.map(Ok).into_iter().chain(read))
    }

    /// Hashes every entry again and checks that this gives every tile, and the checkpoint's root.
    ///
    /// # Errors
    ///
    /// [`ReadError`] names the first file that does not fit, or that only the root does not.
    pub fn verify(&self) -> Result<(), ReadError> {
        let mut edge = Edge::default();
        let mut filled = Vec::new();
        for item in self.entries(0..self.checkpoint.size()) {
            let (index, entry) = item?;
            edge.push(&entry, leaf_hash(&entry), &mut filled)
                .map_err(|_| ReadError::Entry { index })?;
            filled
                .drain(..)
                .try_for_each(|(tile, bytes)| self.tiles.expect(&tile, &bytes))?;
        }
        edge.partials()
            .iter()
            .try_for_each(|(tile, bytes)| self.tiles.expect(tile, bytes))?;
        if edge.root() == *self.checkpoint.root() {
            Ok(())
        } else {
            Err(ReadError::Root {
                dir: self.dir.clone(),
                size: self.checkpoint.size(),
            })
        }
    }

    fn within(&self, size: u64) -> Result<(), ReadError> {
        let held = self.checkpoint.size();
        if size <= held {
            Ok(())
        } else {
            Err(ReadError::Beyond { asked: size, held })
        }
    }

    /// The hash of the complete subtree over the leaves `index << level .. (index + 1) << level`.
    fn node(&self, level: u8, index: u64) -> Result<Hash, ReadError> {
        let within_tile = level % TILE_HEIGHT;
        let first = index << within_tile;
        let place = Level::Hashes(level / TILE_HEIGHT);
        let beyond = || ReadError::Beyond {
            asked: (index + 1) << level,
            held: self.checkpoint.size(),
        };
        let tile = Tile::in_tree(place, first / u64::from(TILE_WIDTH), self.checkpoint.size())
            .ok_or_else(beyond)?;
        let hashes = self.kept_hashes(&tile)?;
        let start = (first % u64::from(TILE_WIDTH)) as usize;
        hashes
            .get(start..start + (1 << within_tile))
            .map(tree::root)
            .ok_or_else(beyond)
    }

    fn kept_hashes(&self, tile: &Tile) -> Result<Arc<Vec<Hash>>, ReadError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hashes) = kept.get(tile) {
            return Ok(Arc::clone(hashes));
        }
        let hashes = Arc::new(self.tiles.hashes(tile)?);
        if kept.len() >= TILES_KEPT_MAX {
            kept.clear();
        }
        kept.insert(*tile, Arc::clone(&hashes));
        Ok(hashes)
    }
}

fn check(note: &[u8], keys: &[Verifier]) -> Result<Checkpoint, BadCheckpoint> {
    if keys.is_empty() {
        Checkpoint::parse_unverified(note)
    } else {
        Checkpoint::verify(note, keys)
    }
}

/// Reads up to the empty line that ends a note in the history; `None` at its end, or where a write is under way.
fn next_note(file: &mut BufReader<File>) -> io::Result<Option<Vec<u8>>> {
    let mut note = Vec::new();
    let mut signed = false;
    loop {
        let start = note.len();
        file.by_ref()
            .take(NOTE_BYTES_MAX as u64)
            .read_until(b'\n', &mut note)?;
        let line = note.get(start..).unwrap_or_default();
        if !line.ends_with(b"\n") {
            return Ok(None);
        }
        if signed && line == b"\n" {
            note.pop();
            return Ok(Some(note));
        }
        signed = line.starts_with("— ".as_bytes());
        if note.len() > NOTE_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a checkpoint has no end",
            ));
        }
    }
}

/// The entries of a log in order; see [`Reader::entries`].
#[derive(Debug)]
pub struct Entries<'a> {
    reader: &'a Reader,
    next: u64,
    end: u64,
    bundle: std::vec::IntoIter<Vec<u8>>,
}

impl Iterator for Entries<'_> {
    type Item = Result<(u64, Vec<u8>), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        if self.bundle.len() == 0 {
            let width = u64::from(TILE_WIDTH);
            let tile = Tile::in_tree(
                Level::Entries,
                self.next / width,
                self.reader.checkpoint.size(),
            )?;
            match self.reader.tiles.entries(&tile) {
                Ok(entries) => self.bundle = entries.into_iter(),
                Err(error) => {
                    self.next = self.end;
                    return Some(Err(error));
                }
            }
            let skip = (self.next % width) as usize;
            if skip > 0 {
                self.bundle.nth(skip - 1);
            }
        }
        let entry = self.bundle.next()?;
        self.next += 1;
        Some(Ok((self.next - 1, entry)))
    }
}

/// The tile files of a log folder.
#[derive(Debug)]
pub(crate) struct TileStore {
    dir: PathBuf,
}

impl TileStore {
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    pub(crate) fn hashes(&self, tile: &Tile) -> Result<Vec<Hash>, ReadError> {
        let (bytes, held) = self.read(tile)?;
        let mut hashes = tile::decode_hashes(&bytes, usize::from(held.width()))
            .map_err(|_| self.malformed(&held))?;
        hashes.truncate(usize::from(tile.width()));
        Ok(hashes)
    }

    pub(crate) fn entries(&self, tile: &Tile) -> Result<Vec<Vec<u8>>, ReadError> {
        let (bytes, held) = self.read(tile)?;
        let entries = tile::decode_entries(&bytes, usize::from(held.width()))
            .map_err(|_| self.malformed(&held))?;
        Ok(entries
            .into_iter()
            .take(usize::from(tile.width()))
            .map(<[u8]>::to_vec)
            .collect())
    }

    pub(crate) fn malformed(&self, tile: &Tile) -> ReadError {
        ReadError::Tile {
            path: self.dir.join(tile.to_string()),
        }
    }

    /// Checks that a tile holds these bytes, or begins with them where only its full form is left.
    fn expect(&self, tile: &Tile, bytes: &[u8]) -> Result<(), ReadError> {
        let (found, held) = self.read(tile)?;
        if found.starts_with(bytes) && (held != *tile || found.len() == bytes.len()) {
            Ok(())
        } else {
            Err(self.malformed(&held))
        }
    }

    /// Reads a tile; where a partial one is gone, the full one that replaced it. Says which it was.
    fn read(&self, tile: &Tile) -> Result<(Vec<u8>, Tile), ReadError> {
        let path = self.dir.join(tile.to_string());
        match fs::read(&path) {
            Ok(bytes) => Ok((bytes, *tile)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !tile.is_full() => {
                let full = tile.full();
                let bytes =
                    fs::read(self.dir.join(full.to_string())).map_err(|_| ReadError::Io {
                        path,
                        source: error,
                    })?;
                Ok((bytes, full))
            }
            Err(source) => Err(ReadError::Io { path, source }),
        }
    }
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file is missing or cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A checkpoint does not hold.
    #[error("{}: {source}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: BadCheckpoint,
    },
    /// A tile does not hold what it should.
    #[error("{} is damaged", path.display())]
    Tile {
        /// The file.
        path: PathBuf,
    },
    /// An entry cannot be one.
    #[error("entry {index} is empty")]
    Entry {
        /// Its index.
        index: u64,
    },
    /// Every tile fits the entries, but the checkpoint does not.
    #[error("the entries in {} do not give the root hash of the checkpoint for size {size}", dir.display())]
    Root {
        /// The log's folder.
        dir: PathBuf,
        /// The size of the checkpoint.
        size: u64,
    },
    /// The log is not that large.
    #[error("{asked} is beyond the {held} entries that the checkpoint covers")]
    Beyond {
        /// The index or size asked for.
        asked: u64,
        /// The size of the checkpoint.
        held: u64,
    },
}

impl From<ProveError<ReadError>> for ReadError {
    fn from(error: ProveError<ReadError>) -> Self {
        match error {
            ProveError::OutOfRange { from, size } => Self::Beyond {
                asked: from,
                held: size,
            },
            ProveError::Node(error) => error,
        }
    }
}

#[cfg(test)]
mod tests;
