//! Every write to the disk, in one place, so that a test can let any of them fail.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;

/// The folder for what is the writer's own.
pub(crate) const OWN_DIR: &str = ".ledger";

/// Names in [`OWN_DIR`] that begin so are files on their way to their name.
pub(crate) const SCRATCH_PREFIX: &str = "scratch-";

/// Files made durable at one time: a file system commits what is asked of it together.
const SYNC_THREADS: usize = 4;

/// What the log does to the disk.
pub(crate) trait Storage: fmt::Debug + Send + Sync {
    /// Creates a file that must not exist.
    fn create(&self, path: &Path) -> io::Result<File>;
    /// Writes all of `bytes` where the file stands.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()>;
    /// Returns when the file's content is durable (fdatasync).
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Returns when the names in a folder are durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Cuts a file to `length` bytes.
    fn truncate(&self, file: &File, length: u64) -> io::Result<()>;
    /// Gives a file another name in place of what had that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Creates a folder and those above it.
    fn create_dirs(&self, dir: &Path) -> io::Result<()>;
    /// Removes a file, or a folder with all in it.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The disk itself.
#[derive(Debug)]
pub(crate) struct Disk;

impl Storage for Disk {
    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        }
    }
}

/// Puts files, given by their path relative to `root`, in place: each appears whole or not at all, and when this
/// returns all are durable under their names.
pub(crate) fn publish(
    storage: &dyn Storage,
    root: &Path,
    files: &[(PathBuf, Vec<u8>)],
) -> io::Result<()> {
    let scratch: Vec<PathBuf> = (0..files.len())
        .map(|n| root.join(OWN_DIR).join(format!("{SCRATCH_PREFIX}{n}")))
        .collect();
    let placed = place(storage, root, files, &scratch);
    if placed.is_err() {
        // Best effort: on a full disk this gives the space back; the next start removes what is left.
        for path in &scratch {
            let _ = storage.remove(path);
        }
    }
    placed
}

fn place(
    storage: &dyn Storage,
    root: &Path,
    files: &[(PathBuf, Vec<u8>)],
    scratch: &[PathBuf],
) -> io::Result<()> {
    let mut open = Vec::with_capacity(files.len());
    for ((_, bytes), scratch) in files.iter().zip(scratch) {
        if scratch.exists() {
            storage.remove(scratch)?;
        }
        let mut file = storage.create(scratch)?;
        storage.write(&mut file, bytes)?;
        open.push(file);
    }
    sync_all(storage, &open)?;
    let mut dirs = BTreeSet::new();
    for ((path, _), scratch) in files.iter().zip(scratch) {
        let path = root.join(path);
        if let Some(dir) = path.parent() {
            if !dirs.contains(dir) {
                storage.create_dirs(dir)?;
            }
            dirs.extend(
                dir.ancestors()
                    .take_while(|dir| dir.starts_with(root))
                    .map(Path::to_owned),
            );
        }
        storage.rename(scratch, &path)?;
    }
    dirs.iter().try_for_each(|dir| storage.sync_dir(dir))
}

fn sync_all(storage: &dyn Storage, files: &[File]) -> io::Result<()> {
    let share = files.len().div_ceil(SYNC_THREADS).max(1);
    if share == 1 {
        return files.iter().try_for_each(|file| storage.sync(file));
    }
    let sync = |share: &[File]| share.iter().try_for_each(|file| storage.sync(file));
    thread::scope(|scope| {
        let helpers: Vec<_> = files
            .chunks(share)
            .map(|share| scope.spawn(move || sync(share)))
            .collect();
        helpers
            .into_iter()
            .map(|helper| {
                helper
                    .join()
                    .unwrap_or_else(|_| Err(io::Error::other("sync panicked")))
            })
            .try_fold((), |(), one| one)
    })
}
