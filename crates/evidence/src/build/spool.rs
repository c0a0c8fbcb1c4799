//! Temporary files, so that what is long need not be in memory.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::BuildError;
use crate::bundle::plain;
use crate::bundle::writer::Writer;

/// The folder.
pub(super) struct Spool {
    folder: PathBuf,
}

impl Spool {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// A new file, to be removed when it is dropped.
    pub(super) fn create(&self, name: &str) -> Result<Spooled, BuildError> {
        let path = self.folder.join(format!("evidence-{}", plain(name)));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|error| {
                BuildError::Spool(std::io::Error::new(
                    error.kind(),
                    format!("{}: {error}", path.display()),
                ))
            })?;
        Ok(Spooled {
            file: BufWriter::new(file),
            bytes: 0,
            _removed: Removed(path),
        })
    }
}

struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // Where it cannot be removed it stays, in a folder that is private.
        drop(fs::remove_file(&self.0));
    }
}

/// A file under way.
pub(super) struct Spooled {
    file: BufWriter<File>,
    bytes: u64,
    _removed: Removed,
}

impl Spooled {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), BuildError> {
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(BuildError::Spool)
    }

    /// Copies it into the bundle.
    pub(super) fn copy_to<W: Write + Seek>(
        mut self,
        path: &str,
        writer: &mut Writer<W>,
    ) -> Result<(), BuildError> {
        self.file.flush().map_err(BuildError::Spool)?;
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(0)).map_err(BuildError::Spool)?;
        writer.copy(path, self.bytes, &mut BufReader::new(file))
    }
}

impl Write for Spooled {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
