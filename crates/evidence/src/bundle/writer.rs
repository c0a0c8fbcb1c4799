//! Writing a bundle, file by file.

use std::io::{self, Read, Seek, Write};

use aws_lc_rs::digest::{Context, SHA256};
use model::Digest;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::csv::Row;
use super::manifest::{Files, Listed};
use super::{layout, reader};
use crate::build::BuildError;

/// From here on a file's sizes need 64 bits in a ZIP.
const LARGE: u64 = 0xF000_0000;

pub(crate) struct Writer<W: Write + Seek> {
    zip: ZipWriter<W>,
    files: Files,
}

impl<W: Write + Seek> Writer<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            zip: ZipWriter::new(out),
            files: Files::new(),
        }
    }

    /// Adds a file of about `size` bytes.
    pub(crate) fn copy(
        &mut self,
        path: &str,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<(), BuildError> {
        if !reader::is_name(path) || self.files.contains_key(path) {
            return Err(BuildError::Name(path.to_owned()));
        }
        self.zip
            .start_file(path, options(size))
            .map_err(|error| BuildError::Write(io::Error::other(error)))?;
        let mut context = Context::new(&SHA256);
        let mut bytes = 0_u64;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = content
                .read(&mut buffer)
                .map_err(|source| BuildError::Read {
                    place: path.to_owned(),
                    source,
                })?;
            let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
                break;
            };
            context.update(part);
            bytes += count as u64;
            self.zip.write_all(part).map_err(BuildError::Write)?;
        }
        let mut sha256 = Digest([0; 32]);
        sha256.0.copy_from_slice(context.finish().as_ref());
        self.files.insert(path.to_owned(), Listed { sha256, bytes });
        Ok(())
    }

    pub(crate) fn add(&mut self, path: &str, content: &[u8]) -> Result<(), BuildError> {
        self.copy(path, content.len() as u64, &mut &*content)
    }

    /// Files written so far.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// Adds the index.
    pub(crate) fn index(&mut self) -> Result<(), BuildError> {
        let index = index(&self.files);
        self.add(layout::INDEX, index.as_bytes())
    }

    pub(crate) fn finish(self) -> Result<W, BuildError> {
        self.zip
            .finish()
            .map_err(|error| BuildError::Write(io::Error::other(error)))
    }
}

/// The index of all files but itself and the manifest.
pub(crate) fn index(files: &Files) -> String {
    let mut out = Row::of(&[&"path", &"bytes", &"sha256", &"what it is"]);
    for (path, file) in files {
        if path != layout::INDEX && path != layout::MANIFEST {
            out += &Row::of(&[path, &file.bytes, &file.sha256, &layout::purpose(path)]);
        }
    }
    out
}

/// Files are stored as they are: compression can say the same in several ways, and then not every byte would be accounted for.
fn options(size: u64) -> SimpleFileOptions {
    SimpleFileOptions::DEFAULT
        .compression_method(CompressionMethod::Stored)
        .large_file(size >= LARGE)
        .unix_permissions(0o644)
}
