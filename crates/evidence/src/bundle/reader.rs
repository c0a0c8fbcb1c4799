//! Reading a bundle that somebody hostile may have made.
//!
//! A bundle is one kind of ZIP only: plain files with plain names, each once, one behind the other from the first byte to the
//! last, and both of a ZIP's lists saying the same. So no two programs can see different files in it.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};

use aws_lc_rs::digest::{Context, SHA256};
use model::Digest;
use zip::{CompressionMethod, DateTime, ZipArchive};

use super::Defect;
use super::container::{self, Place};
use super::manifest::Listed;

/// A bundle holds at most so many files.
pub(crate) const FILES_MAX: usize = 2_000_000;
/// All its files together have at most so many bytes.
pub(crate) const TOTAL_BYTES_MAX: u64 = 1 << 40;
/// A file that is read whole has at most so many bytes.
pub(crate) const WHOLE_BYTES_MAX: u64 = 256 << 20;
/// A name has at most so many bytes.
pub(crate) const NAME_BYTES_MAX: usize = 240;

/// Whether a bundle may hold a file of this name: no way out of a folder, and nothing that systems read in different ways.
pub(crate) fn is_name(name: &str) -> bool {
    let legal = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-%".contains(&b))
    };
    name.len() <= NAME_BYTES_MAX && name.split('/').all(legal)
}

pub(crate) struct Bundle<R> {
    zip: ZipArchive<R>,
    names: BTreeMap<String, usize>,
}

/// Why a bundle was not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotOpened {
    /// It is no ZIP, or cannot be read.
    Unreadable(String),
    /// It is a ZIP, and not one that a bundle may be.
    Bad(Defect),
}

impl From<Defect> for NotOpened {
    fn from(defect: Defect) -> Self {
        Self::Bad(defect)
    }
}

impl<R: Read + Seek> Bundle<R> {
    pub(crate) fn open(mut file: R) -> Result<Self, NotOpened> {
        let unreadable = |error: &dyn std::fmt::Display| NotOpened::Unreadable(error.to_string());
        let length = file
            .seek(SeekFrom::End(0))
            .map_err(|error| unreadable(&error))?;
        let count = entries_at_end(&mut file, length).map_err(|error| unreadable(&error))?;
        let mut zip = ZipArchive::new(file).map_err(|error| unreadable(&error))?;
        if zip.offset() != 0 {
            return Err(Defect::new("", "something lies before the first file").into());
        }
        if zip.len() > FILES_MAX {
            return Err(Defect::new("", format!("it holds more than {FILES_MAX} files")).into());
        }
        if count.is_some_and(|count| count != zip.len() as u64) {
            return Err(Defect::new("", "a name stands in it twice").into());
        }
        let mut places = places(&mut zip)?;
        let directory = zip.central_directory_start();
        places.sort_by_key(|place| place.header);
        contiguous(&places, directory)?;
        let mut file = zip.into_inner();
        for place in &places {
            local(&mut file, place)?;
        }
        directory_and_end(&mut file, &places, directory)?;
        let zip = ZipArchive::new(file).map_err(|error| unreadable(&error))?;
        let names = (0..zip.len())
            .filter_map(|at| zip.name_for_index(at).map(|name| (name.to_owned(), at)))
            .collect();
        Ok(Self { zip, names })
    }

    /// All names, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.names.contains_key(path)
    }

    /// A file's bytes, in a stream that ends where its size does.
    pub(crate) fn stream(&mut self, path: &str) -> Result<impl Read + '_, Defect> {
        let at = *self
            .names
            .get(path)
            .ok_or_else(|| Defect::new(path, "is missing"))?;
        let file = self
            .zip
            .by_index(at)
            .map_err(|error| Defect::new(path, format!("cannot be read: {error}")))?;
        let size = file.size();
        Ok(file.take(size + 1))
    }

    /// A whole file.
    pub(crate) fn whole(&mut self, path: &str) -> Result<Vec<u8>, Defect> {
        let mut bytes = Vec::new();
        self.stream(path)?
            .take(WHOLE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Defect::new(path, format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > WHOLE_BYTES_MAX {
            return Err(Defect::new(
                path,
                format!("is longer than {WHOLE_BYTES_MAX} bytes"),
            ));
        }
        Ok(bytes)
    }

    /// A whole file that is text.
    pub(crate) fn text(&mut self, path: &str) -> Result<String, Defect> {
        String::from_utf8(self.whole(path)?).map_err(|_| Defect::new(path, "is not UTF-8 text"))
    }

    /// A file's digest and length.
    pub(crate) fn digest(&mut self, path: &str) -> Result<Listed, Defect> {
        let mut stream = self.stream(path)?;
        let mut context = Context::new(&SHA256);
        let (mut bytes, mut buffer) = (0_u64, vec![0; 64 << 10]);
        loop {
            let count = stream
                .read(&mut buffer)
                .map_err(|error| Defect::new(path, format!("cannot be read: {error}")))?;
            let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
                break;
            };
            context.update(part);
            bytes += count as u64;
        }
        let mut sha256 = Digest([0; 32]);
        sha256.0.copy_from_slice(context.finish().as_ref());
        Ok(Listed { sha256, bytes })
    }
}

/// How many files the record at the end claims; `None` where that needs more than 16 bits. The library keeps one of several
/// files of one name, so that is how it is noticed.
fn entries_at_end<R: Read + Seek>(file: &mut R, length: u64) -> io::Result<Option<u64>> {
    const RECORD_BYTES: u64 = 22;
    let missing = || io::Error::other("it is not a ZIP that ends with its directory");
    let start = length.checked_sub(RECORD_BYTES).ok_or_else(missing)?;
    let mut record = [0; RECORD_BYTES as usize];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut record)?;
    let [b'P', b'K', 5, 6, disk @ .., _, _] = record else {
        return Err(missing());
    };
    let (_, rest) = disk.split_at(4);
    let counts = rest.first_chunk::<4>().copied().ok_or_else(missing)?;
    let [a, b, c, d] = counts;
    if (a, b) != (c, d) || !record.ends_with(&[0, 0]) {
        return Err(missing());
    }
    let count = u16::from_le_bytes([a, b]);
    Ok((count != u16::MAX).then_some(u64::from(count)))
}

fn places<R: Read + Seek>(zip: &mut ZipArchive<R>) -> Result<Vec<Place>, Defect> {
    let mut places = Vec::with_capacity(zip.len());
    let mut total = 0_u64;
    for at in 0..zip.len() {
        let file = zip
            .by_index_raw(at)
            .map_err(|error| Defect::new("", format!("file {at} cannot be read: {error}")))?;
        let shown: String = file
            .name()
            .chars()
            .map(|c| if c.is_control() { '?' } else { c })
            .take(200)
            .collect();
        let bad = |why: &str| Defect::new(shown.clone(), why);
        if !is_name(file.name()) || file.name_raw() != file.name().as_bytes() {
            return Err(bad("is not a name that a bundle may hold"));
        }
        if file.compression() != CompressionMethod::Stored || file.compressed_size() != file.size()
        {
            return Err(bad(
                "is compressed, and files of a bundle are stored as they are: use the archive as it was handed over",
            ));
        }
        let plain = file.is_file()
            && !file.is_symlink()
            && !file.encrypted()
            && file.comment().is_empty()
            && file
                .last_modified()
                .is_none_or(|at| at == DateTime::DEFAULT)
            && file.unix_mode() == Some(0o100_644);
        if !plain {
            return Err(bad(
                "is not a plain file with the fixed time and permissions of a bundle",
            ));
        }
        total = total.saturating_add(file.size());
        if total > TOTAL_BYTES_MAX {
            return Err(bad("brings all files together over the limit of a bundle"));
        }
        let data = file.data_start().ok_or_else(|| bad("has no data"))?;
        places.push(Place {
            name: file.name().to_owned(),
            header: file.header_start(),
            data,
            crc32: file.crc32(),
            size: file.size(),
        });
    }
    Ok(places)
}

/// Each begins where the one before it ends, from the first byte to the directory.
fn contiguous(places: &[Place], directory: u64) -> Result<(), Defect> {
    let mut next = 0;
    for place in places {
        if place.header != next {
            return Err(Defect::new(
                place.name.clone(),
                "does not begin where the file before it ends",
            ));
        }
        next = place.end();
    }
    if next == directory {
        Ok(())
    } else {
        Err(Defect::new(
            "",
            "something lies between the files and the directory",
        ))
    }
}

/// The header before a file's bytes says what the directory says.
fn local<R: Read + Seek>(file: &mut R, place: &Place) -> Result<(), Defect> {
    let seen = file.seek(SeekFrom::Start(place.header)).is_ok() && follows(file, &place.local());
    if seen {
        Ok(())
    } else {
        Err(Defect::new(
            place.name.clone(),
            "its header differs from the directory",
        ))
    }
}

/// The directory lists the files in their order and in the form of a bundle, and with its end the archive ends.
fn directory_and_end<R: Read + Seek>(
    file: &mut R,
    places: &[Place],
    begin: u64,
) -> Result<(), Defect> {
    let bad = |place: &str| {
        let why = "the archive's directory is not in the form that bundles have";
        Defect::new(place, why)
    };
    file.seek(SeekFrom::Start(begin)).map_err(|_| bad(""))?;
    let mut file = BufReader::new(file);
    let mut size = 0;
    for place in places {
        let record = place.record();
        size += record.len() as u64;
        if !follows(&mut file, &record) {
            return Err(bad(&place.name));
        }
    }
    let end = container::end(places, begin, size);
    let over = |file: &mut BufReader<_>| file.fill_buf().is_ok_and(<[u8]>::is_empty);
    if follows(&mut file, &end) && over(&mut file) {
        Ok(())
    } else {
        Err(bad(""))
    }
}

/// Whether these bytes come next.
fn follows(file: &mut impl Read, due: &[u8]) -> bool {
    let mut found = vec![0; due.len()];
    file.read_exact(&mut found).is_ok() && found == due
}
