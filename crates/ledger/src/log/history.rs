//! The checkpoint history: every checkpoint ever signed, in the order of signing.
//!
//! A row of signed notes with an empty line after each. A note's own empty line stands before its signature lines, so
//! the empty line after a line that begins with an em dash is the one that ends it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::storage::{OWN_DIR, Storage};
use crate::checkpoint::Checkpoint;

/// How much of the file's end is read to find the last checkpoint; an origin is far shorter.
const TAIL_BYTES: u64 = 64 << 10;

/// The history's path in a log folder.
pub(crate) fn path(log_dir: &Path) -> PathBuf {
    log_dir.join(OWN_DIR).join("checkpoints")
}

/// The history, open for writing.
#[derive(Debug)]
pub(crate) struct History {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    /// The file and how much of it is durable; `None` after a failure, until it is opened again.
    file: Option<File>,
    length: u64,
    last: Option<Checkpoint>,
}

impl History {
    /// Opens the history of a log and cuts off what a crash left half written. Nothing is verified.
    pub(crate) fn open(storage: Arc<dyn Storage>, log_dir: &Path) -> io::Result<Self> {
        let path = path(log_dir);
        if !path.exists() {
            storage.create(&path)?;
            storage.sync_dir(&log_dir.join(OWN_DIR))?;
        }
        let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
        let bytes = file.metadata()?.len();
        let mut tail = Vec::new();
        let start = bytes.saturating_sub(TAIL_BYTES);
        file.seek(SeekFrom::Start(start))?;
        (&mut file).take(TAIL_BYTES).read_to_end(&mut tail)?;
        let (last, whole) = last_note(&tail);
        if whole == 0 && start > 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it does not end in a checkpoint",
            ));
        }
        let last = match last.map(Checkpoint::parse_unverified) {
            Some(Err(error)) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            Some(Ok(checkpoint)) => Some(checkpoint),
            None => None,
        };
        let mut history = Self {
            storage,
            path,
            file: None,
            length: start + whole as u64,
            last,
        };
        history.reopen()?;
        Ok(history)
    }

    /// The checkpoint signed last, if any.
    pub(crate) fn last(&self) -> Option<&Checkpoint> {
        self.last.as_ref()
    }

    /// Adds a checkpoint, unless it is the last one already, and returns when it is durable.
    pub(crate) fn append(&mut self, checkpoint: &Checkpoint) -> io::Result<()> {
        if self.last.as_ref() == Some(checkpoint) {
            return Ok(());
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                self.reopen()?;
                self.file
                    .take()
                    .ok_or_else(|| io::Error::other("the history is not open"))?
            }
        };
        let record = format!("{}\n", checkpoint.note());
        self.storage.write(&mut file, record.as_bytes())?;
        self.storage.sync(&file)?;
        self.length += record.len() as u64;
        self.last = Some(checkpoint.clone());
        self.file = Some(file);
        Ok(())
    }

    /// Opens the file where its durable part ends.
    fn reopen(&mut self) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        self.storage.truncate(&file, self.length)?;
        file.seek(SeekFrom::Start(self.length))?;
        self.file = Some(file);
        Ok(())
    }
}

/// Splits the first note off a history; `None` if no whole one is left.
pub(crate) fn split_note(history: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut line_start = 0;
    let mut signed = false;
    loop {
        let line = history.get(line_start..)?;
        let length = line.iter().position(|byte| *byte == b'\n')?;
        if length == 0 && signed {
            return Some((history.get(..line_start)?, history.get(line_start + 1..)?));
        }
        signed = line.starts_with("— ".as_bytes());
        line_start += length + 1;
    }
}

/// The last whole note in the end of a history, and where it ends there.
fn last_note(tail: &[u8]) -> (Option<&[u8]>, usize) {
    let mut rest = tail;
    let mut last = None;
    // The first one found may lack its beginning; the last one counts.
    while let Some((note, after)) = split_note(rest) {
        last = Some(note);
        rest = after;
    }
    (last, tail.len() - rest.len())
}
