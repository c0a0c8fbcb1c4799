//! The log as its writer has it: append, group commit, integration.
//!
//! Two threads serve a log. The *writer* takes what is queued, writes it to the journal as one batch and releases the
//! receipts once it is durable; meanwhile the next batch gathers. The *integrator* hashes durable entries into the tree,
//! writes tiles, signs the checkpoint. They meet in one [`State`] behind a mutex that is never held over I/O.

mod append;
pub(crate) mod edge;
pub(crate) mod history;
mod integrator;
mod journal;
mod recover;
mod state;
mod storage;
mod writer;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use append::{Append, AppendError, Receipt};
pub use recover::OpenError;

use crate::checkpoint::Checkpoint;
use crate::note::SigningKey;
use crate::tile;
use crate::tree::{Hash, leaf_hash};
use integrator::Integrator;
use state::{Haste, Shared};
use storage::{Disk, Storage};

/// The longest origin, in bytes.
const ORIGIN_BYTES_MAX: usize = 1024;

/// How a log is to be written.
#[derive(Debug, Clone)]
pub struct Options {
    /// The log's identity, the first line of every checkpoint; by convention a URL without its scheme.
    pub origin: String,
    /// The key that signs checkpoints; its name should be the origin.
    pub key: SigningKey,
    /// When an append is answered.
    pub durability: Durability,
    /// How long a durable entry may wait for the tiles and a signed checkpoint. 1 s is a good choice.
    pub integrate_every: Duration,
}

/// When an append is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Once the entry is on the disk (fdatasync).
    Sync,
    /// Once the entry has its index. It is on the disk no later than this afterwards, as long as the disk works: a crash
    /// may lose what was answered within that window, but nothing before it, and never a part of an entry.
    Interval(Duration),
}

/// A log, open for writing. Clones are handles on the same log, which is closed when the last one drops.
#[derive(Debug, Clone)]
pub struct Log {
    handle: Arc<Handle>,
}

/// Owns the threads and the lock.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    _lock: File,
}

impl Log {
    /// Opens the log in `dir`, or begins one there, and takes its lock.
    ///
    /// What is there is checked first: that the checkpoint is signed by the key, that the tiles' right edge gives its
    /// root hash, that the journal continues it, and that all this continues the last checkpoint ever signed.
    ///
    /// # Errors
    ///
    /// [`OpenError`] names the file and what to do. Nothing is changed then.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_on(Arc::new(Disk), dir, options)
    }

    fn open_on(storage: Arc<dyn Storage>, dir: &Path, options: Options) -> Result<Self, OpenError> {
        let origin = &options.origin;
        if origin.is_empty() || origin.len() > ORIGIN_BYTES_MAX || origin.chars().any(|c| c < ' ') {
            return Err(OpenError::BadOrigin(origin.clone()));
        }
        let found = recover::recover(dir, &options, &storage)?;
        let size = found.edge.size() + found.pending.len() as u64;
        let shared = Arc::new(Shared::new(
            dir,
            options.durability,
            size,
            found.checkpoint,
            found.pending,
        ));
        let integrator = Integrator {
            shared: Arc::clone(&shared),
            storage,
            dir: dir.to_owned(),
            options,
            edge: found.edge,
            history: found.history,
        };
        let (writing, journal) = (Arc::clone(&shared), found.journal);
        let handle = Handle {
            shared,
            threads: Mutex::default(),
            _lock: found.lock,
        };
        let failed = |source| OpenError::Io {
            path: dir.to_owned(),
            source,
        };
        handle
            .start("ledger-writer", move || writer::run(&writing, journal))
            .map_err(failed)?;
        handle
            .start("ledger-tiles", move || integrator.run())
            .map_err(failed)?;
        Ok(Self {
            handle: Arc::new(handle),
        })
    }

    /// Appends an entry of 1 to 65,535 bytes.
    ///
    /// The answer can be awaited on any executor, or waited for by [`Append::wait`]. The entry is on its way as soon as
    /// this returns; dropping the answer does not call it back. Entries appended one after the other get ascending
    /// indexes.
    pub fn append(&self, entry: impl Into<Vec<u8>>) -> Append {
        self.enqueue(entry.into(), Haste::Now)
    }

    /// As [`Log::append`], for an entry that nobody waits for: it is written with the next that somebody does, or within
    /// 20 ms, rather than cost a write of its own.
    pub fn append_soon(&self, entry: impl Into<Vec<u8>>) -> Append {
        self.enqueue(entry.into(), Haste::Soon)
    }

    fn enqueue(&self, bytes: Vec<u8>, haste: Haste) -> Append {
        match tile::entry_length(&bytes) {
            Ok(_) => self.handle.shared.enqueue(Entry::new(bytes), haste),
            Err(error) => Append::ready(Err(error.into())),
        }
    }

    /// The newest checkpoint signed.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        self.handle.shared.lock().checkpoint.clone()
    }

    /// How many entries are appended and durable.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.handle.shared.lock().durable
    }

    /// Makes everything appended so far durable, hashes it into the tree, and gives a checkpoint that covers it. Blocks.
    ///
    /// # Errors
    ///
    /// [`FlushError`] if the disk refuses; the log keeps trying by itself.
    pub fn flush(&self) -> Result<Checkpoint, FlushError> {
        self.handle.shared.flush()
    }

    /// Flushes and closes the log: through other handles nothing can be appended any more. The lock is free once every
    /// handle is gone.
    ///
    /// # Errors
    ///
    /// [`FlushError`] if the disk refuses. What was acknowledged as durable is so nevertheless, and the next
    /// [`Log::open`] finds it.
    pub fn close(self) -> Result<(), FlushError> {
        self.handle.shared.lock().closed = true;
        self.flush().map(drop)
    }
}

impl Handle {
    fn start(&self, name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run)?;
        self.threads
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(thread);
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.stop();
        for thread in self
            .threads
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .drain(..)
        {
            // A thread that panicked has said so; its guard has failed whoever waited for it.
            let _ = thread.join();
        }
    }
}

/// An entry on its way into the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) bytes: Vec<u8>,
    pub(crate) leaf: Hash,
}

impl Entry {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            leaf: leaf_hash(&bytes),
            bytes,
        }
    }

    /// What it counts for in limits, in bytes: its own and what it takes to keep it.
    pub(crate) fn cost(&self) -> usize {
        self.bytes.len() + 128
    }
}

/// Why a log could not be flushed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FlushError {
    /// Entries could not be made durable, or had been refused.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Tiles or the checkpoint could not be written.
    #[error("cannot write the tiles of the log {}: {source}: free space or repair the disk, it is tried again", dir.display())]
    Integrate {
        /// The log's folder.
        dir: std::path::PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
}

#[cfg(test)]
mod tests;
