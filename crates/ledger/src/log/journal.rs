//! The journal: entries that are durable but may not stand in tiles yet.
//!
//! A segment file is a row of records, each of them padded with zeros to a multiple of 64 bytes, so that no record's
//! header lies across two disk sectors: after a power failure a header is there, or it is zeros.
//!
//! ```text
//! segment  "cssegmt1" sequence u64, first index u64, …, check          once, at the start
//! batch    "csbatch1" first index u64, count u32, bytes u32, chain, body check, check, then the entries
//! seal     "csseal_1" index u64, …, check                              after the batch before it became durable
//! ```
//!
//! Entries stand as in an entry bundle. Numbers are big-endian, checks are truncated SHA-256, `chain` is from the record
//! before. There is one write in flight at most, so only the last batch can be torn: a damaged batch that anything
//! follows was durable once, and its damage is corruption, which [`read_segment`] reports and never cuts away.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Entry;
use super::storage::{OWN_DIR, Storage};
use crate::tile;
use crate::tree::sha256;

/// A segment that has reached this many bytes gets a successor.
const SEGMENT_BYTES: u64 = 8 << 20;

/// Every record begins at a multiple of this.
const ALIGN: usize = 64;

const HEADER: usize = 64;
const CHECK: usize = 16;
const CHAIN: usize = 8;
const NAME_PREFIX: &str = "journal-";

const SEGMENT: &[u8; 8] = b"cssegmt1";
const BATCH: &[u8; 8] = b"csbatch1";
const SEAL: &[u8; 8] = b"csseal_1";

/// The journal, open for writing.
#[derive(Debug)]
pub(crate) struct Journal {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    /// Finished segments with the index after their last entry, oldest first.
    finished: VecDeque<(PathBuf, u64)>,
    current: Option<Segment>,
    sequence: u64,
    end: u64,
}

#[derive(Debug)]
struct Segment {
    path: PathBuf,
    file: File,
    /// Bytes that are durable, or a seal.
    offset: u64,
    chain: [u8; CHAIN],
    is_named: bool,
}

impl Journal {
    /// A journal that goes on at the index `end`, after the segments that were found.
    pub(crate) fn resume(
        storage: Arc<dyn Storage>,
        log_dir: &Path,
        end: u64,
        found: &[SegmentName],
    ) -> Self {
        Self {
            storage,
            dir: log_dir.join(OWN_DIR),
            finished: found.iter().map(|name| (name.path.clone(), end)).collect(),
            current: None,
            sequence: found
                .iter()
                .map(|name| name.sequence + 1)
                .max()
                .unwrap_or(0),
            end,
        }
    }

    /// Creates the first segment, so that a journal that is missing later is known to have been lost.
    pub(crate) fn start(&mut self) -> io::Result<()> {
        self.append(&[])
    }

    /// Writes a batch and returns when it is durable. After an error nothing of it will be read back as long as this
    /// journal goes on: the next batch takes the same indexes in a new segment, which takes precedence.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        let mut segment = match self.current.take() {
            Some(segment) if segment.offset < SEGMENT_BYTES => segment,
            other => {
                self.finish(other);
                self.create()?
            }
        };
        match self.write_batch(&mut segment, entries) {
            Ok(()) => {
                self.end += entries.len() as u64;
                if self.write_seal(&mut segment).is_ok() {
                    self.current = Some(segment);
                } else {
                    // The batch is durable, but where the file stands now is uncertain.
                    self.finish(Some(segment));
                }
                Ok(())
            }
            Err(error) => {
                // Best effort: the next segment takes precedence over whatever stays.
                let _ = self.storage.truncate(&segment.file, segment.offset);
                self.finish(Some(segment));
                Err(error)
            }
        }
    }

    /// Removes segments whose entries all stand in durable tiles.
    pub(crate) fn prune(&mut self, integrated: u64) {
        while let Some((path, _)) = self
            .finished
            .front()
            .filter(|(_, end)| *end <= integrated && self.current.is_some())
        {
            // A segment that stays is read again at the next start, and found to be done with.
            let _ = self.storage.remove(path);
            self.finished.pop_front();
        }
    }

    fn create(&mut self) -> io::Result<Segment> {
        let path = self.dir.join(format!("{NAME_PREFIX}{:014}", self.sequence));
        let file = self.storage.create(&path)?;
        self.sequence += 1;
        Ok(Segment {
            path,
            file,
            offset: 0,
            chain: [0; CHAIN],
            is_named: false,
        })
    }

    fn finish(&mut self, segment: Option<Segment>) {
        self.finished
            .extend(segment.map(|segment| (segment.path, self.end)));
    }

    fn write_batch(&self, segment: &mut Segment, entries: &[Entry]) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(
            2 * HEADER
                + entries
                    .iter()
                    .map(|entry| entry.bytes.len() + 2)
                    .sum::<usize>(),
        );
        let mut chain = segment.chain;
        if segment.offset == 0 {
            let header = encode_header(
                SEGMENT,
                &[&(self.sequence - 1).to_be_bytes(), &self.end.to_be_bytes()],
            );
            chain = chain_of(&header);
            buffer.extend_from_slice(&header);
        }
        if !entries.is_empty() {
            chain = encode_batch(&mut buffer, self.end, chain, entries)?;
        }
        self.storage.write(&mut segment.file, &buffer)?;
        self.storage.sync(&segment.file)?;
        if !segment.is_named {
            self.storage.sync_dir(&self.dir)?;
            segment.is_named = true;
        }
        segment.offset += buffer.len() as u64;
        segment.chain = chain;
        Ok(())
    }

    fn write_seal(&self, segment: &mut Segment) -> io::Result<()> {
        self.storage.write(
            &mut segment.file,
            &encode_header(SEAL, &[&self.end.to_be_bytes()]),
        )?;
        segment.offset += HEADER as u64;
        Ok(())
    }
}

/// A header: magic, fields, zeros, and the check over all that.
fn encode_header(magic: &[u8; 8], fields: &[&[u8]]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let checked: Vec<u8> = magic
        .iter()
        .chain(fields.iter().copied().flatten())
        .copied()
        .collect();
    for (to, from) in header.iter_mut().zip(&checked) {
        *to = *from;
    }
    let (body, check) = header.split_at_mut(HEADER - CHECK);
    check.copy_from_slice(&check_of(body));
    header
}

fn encode_batch(
    buffer: &mut Vec<u8>,
    first: u64,
    chain: [u8; CHAIN],
    entries: &[Entry],
) -> io::Result<[u8; CHAIN]> {
    let mut body = Vec::with_capacity(entries.iter().map(|entry| entry.bytes.len() + 2).sum());
    for entry in entries {
        tile::encode_entry(&mut body, &entry.bytes).map_err(io::Error::other)?;
    }
    let count = u32::try_from(entries.len()).map_err(io::Error::other)?;
    let bytes = u32::try_from(body.len()).map_err(io::Error::other)?;
    let header = encode_header(
        BATCH,
        &[
            &first.to_be_bytes(),
            &count.to_be_bytes(),
            &bytes.to_be_bytes(),
            &chain,
            &check_of(&body),
        ],
    );
    buffer.extend_from_slice(&header);
    buffer.extend_from_slice(&body);
    buffer.resize(buffer.len().next_multiple_of(ALIGN), 0);
    Ok(chain_of(&header))
}

fn check_of(bytes: &[u8]) -> [u8; CHECK] {
    let mut check = [0; CHECK];
    for (to, from) in check.iter_mut().zip(sha256(&[bytes]).as_bytes()) {
        *to = *from;
    }
    check
}

/// What the next record carries of this one.
fn chain_of(header: &[u8; HEADER]) -> [u8; CHAIN] {
    header.last_chunk().copied().unwrap_or_default()
}

/// A segment file by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentName {
    pub(crate) sequence: u64,
    pub(crate) path: PathBuf,
}

impl SegmentName {
    /// The segment that a file is, if it is one.
    pub(crate) fn parse(path: &Path) -> Option<Self> {
        let digits = path.file_name()?.to_str()?.strip_prefix(NAME_PREFIX)?;
        Some(Self {
            sequence: digits.parse().ok()?,
            path: path.to_owned(),
        })
    }
}

/// What a segment file gives.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SegmentContent {
    /// The index of its first entry; `None` if not even its header became durable.
    pub(crate) first: Option<u64>,
    /// Its entries, up to where it ends or is damaged.
    pub(crate) entries: Vec<Vec<u8>>,
    /// Damage that no torn write explains, with the offset in bytes.
    pub(crate) corrupt_at: Option<usize>,
}

/// Reads a segment as far as it goes.
pub(crate) fn read_segment(bytes: &[u8]) -> SegmentContent {
    let mut content = SegmentContent::default();
    let mut offset = 0;
    let mut chain = [0; CHAIN];
    loop {
        let step = match read_record(bytes.get(offset..).unwrap_or_default()) {
            Ok(Record::Segment { first, chain: next }) if offset == 0 => {
                content.first = Some(first);
                chain = next;
                HEADER
            }
            Ok(Record::Batch {
                first,
                body,
                count,
                follows,
                chain: next,
            }) if follows == chain && content.next_index() == Some(first) => {
                let Ok(entries) = tile::decode_entries(body, count as usize) else {
                    content.corrupt_at = Some(offset);
                    return content;
                };
                content
                    .entries
                    .extend(entries.into_iter().map(<[u8]>::to_vec));
                chain = next;
                (HEADER + body.len()).next_multiple_of(ALIGN)
            }
            Ok(Record::Seal { end }) if content.next_index() == Some(end) => HEADER,
            Ok(Record::End) => return content,
            Ok(_) | Err(Damaged) => {
                content.corrupt_at = Some(offset);
                return content;
            }
        };
        offset += step;
    }
}

impl SegmentContent {
    /// The index after its last entry.
    pub(crate) fn next_index(&self) -> Option<u64> {
        Some(self.first? + self.entries.len() as u64)
    }
}

enum Record<'a> {
    Segment {
        first: u64,
        chain: [u8; CHAIN],
    },
    Batch {
        first: u64,
        body: &'a [u8],
        count: u32,
        follows: [u8; CHAIN],
        chain: [u8; CHAIN],
    },
    Seal {
        end: u64,
    },
    /// Nothing more, or a write that a crash cut short.
    End,
}

/// A record that was whole once.
struct Damaged;

fn read_record(rest: &[u8]) -> Result<Record<'_>, Damaged> {
    let Some((header, after)) = rest.split_first_chunk::<HEADER>() else {
        return Ok(Record::End);
    };
    if header.iter().all(|byte| *byte == 0) {
        return if has_record(after) {
            Err(Damaged)
        } else {
            Ok(Record::End)
        };
    }
    let mut fields = Fields(header);
    let magic = fields.take::<8>();
    if !is_intact(header) {
        return Err(Damaged);
    }
    match &magic {
        SEGMENT => {
            let _sequence = fields.take::<8>();
            Ok(Record::Segment {
                first: u64::from_be_bytes(fields.take()),
                chain: chain_of(header),
            })
        }
        SEAL => Ok(Record::Seal {
            end: u64::from_be_bytes(fields.take()),
        }),
        BATCH => {
            let first = u64::from_be_bytes(fields.take());
            let count = u32::from_be_bytes(fields.take());
            let length = u32::from_be_bytes(fields.take()) as usize;
            let (follows, check) = (fields.take(), fields.take::<CHECK>());
            match after.get(..length) {
                Some(body) if check_of(body) == check => Ok(Record::Batch {
                    first,
                    body,
                    count,
                    follows,
                    chain: chain_of(header),
                }),
                // Torn by a crash, if it is the last; what follows a batch was written when that was durable.
                _ => {
                    let next = after
                        .get(length.next_multiple_of(ALIGN)..)
                        .unwrap_or_default();
                    if next.iter().any(|byte| *byte != 0) {
                        Err(Damaged)
                    } else {
                        Ok(Record::End)
                    }
                }
            }
        }
        _ => Err(Damaged),
    }
}

/// Whether a header's check fits it.
fn is_intact(header: &[u8; HEADER]) -> bool {
    let (body, check) = header.split_at(HEADER - CHECK);
    check == check_of(body)
}

/// Whether a whole header stands anywhere in the rest of a segment.
fn has_record(rest: &[u8]) -> bool {
    rest.as_chunks::<HEADER>()
        .0
        .iter()
        .any(|header| header.iter().any(|byte| *byte != 0) && is_intact(header))
}

/// Reads a header's fields in order.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk::<N>() else {
            return [0; N];
        };
        self.0 = rest;
        *field
    }
}

#[cfg(test)]
mod tests;
