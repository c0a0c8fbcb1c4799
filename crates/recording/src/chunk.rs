//! Chunks: frames gathered, compressed, sealed and digested; and opened again.

use aws_lc_rs::aead::Aad;
use bytes::Bytes;
use model::{Digest, Note};

use crate::frame::{self, FrameError, Moment, Timed};
use crate::key::{SessionKey, Use, nonce};

/// What a recording begins with: a name and a version.
pub const MAGIC: [u8; 8] = *b"CSREC\0\0\x01";

/// A chunk is sealed when it has gathered so many bytes of frames, or earlier, when time says so.
pub const CHUNK_BYTES: usize = 1 << 20;

/// A chunk opens to at most so many bytes: a full one and one frame more, which is at most a protocol's largest message.
const OPENED_BYTES_MAX: usize = CHUNK_BYTES + (256 << 20);

/// What stands before a chunk's sealed bytes: their length and its index.
pub const HEAD_BYTES: usize = 12;

/// One of the fast levels: recording is not to be what a bulk result waits for, and rows still shrink well.
const COMPRESSION_LEVEL: i32 = -3;

/// A recording, or a part of one, that does not hold what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// It does not begin as a recording does.
    #[error("this is no recording of a version known here")]
    Magic,
    /// It ends within a chunk.
    #[error("the recording is cut off in chunk {0}")]
    Short(u64),
    /// Chunks are not in order.
    #[error("chunk {found} stands where chunk {expected} should")]
    Order {
        /// The one that should come.
        expected: u64,
        /// The one that stands there.
        found: u64,
    },
    /// It does not open under the session's key.
    #[error(
        "chunk {0} does not open under the session's key: it was changed, or belongs to another session"
    )]
    Forged(u64),
    /// It opened, and does not hold what it should.
    #[error("chunk {index}: {why}")]
    Content {
        /// Which.
        index: u64,
        /// What is wrong.
        why: String,
    },
}

/// A sealed chunk, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Its index, from 0.
    pub index: u64,
    /// Its bytes as they stand in the file.
    pub bytes: Vec<u8>,
    /// SHA-256 of them.
    pub sha256: Digest,
}

/// Gathers a session's frames into chunks. There is one for each session, so no nonce is used twice.
#[derive(Debug, Default)]
pub struct Writer {
    frames: Vec<u8>,
}

impl Writer {
    /// Adds a note. Copies its bytes once.
    pub fn push(&mut self, at: Moment, note: &Note) {
        frame::put(at, note, &mut self.frames);
    }

    /// Bytes gathered and not yet taken.
    #[must_use]
    pub fn gathered(&self) -> usize {
        self.frames.len()
    }

    /// Takes what is gathered, for [`Chunk::seal`].
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.frames)
    }
}

impl Chunk {
    /// Compresses and seals `frames` as the session's chunk `index`. Each index is used once.
    ///
    /// # Errors
    /// [`ChunkError::Content`] where the compressor or the cipher refuses.
    pub fn seal(key: &SessionKey, index: u64, frames: &[u8]) -> Result<Self, ChunkError> {
        let content = |why: String| ChunkError::Content { index, why };
        let mut sealed = zstd::bulk::compress(frames, COMPRESSION_LEVEL)
            .map_err(|error| content(error.to_string()))?;
        key.aes
            .seal_in_place_append_tag(
                nonce(Use::Chunk, index),
                Aad::from(&key.session),
                &mut sealed,
            )
            .map_err(|_| content("the cipher refused".to_owned()))?;
        let length = u32::try_from(sealed.len()).map_err(|_| content("too large".to_owned()))?;
        let mut bytes = Vec::with_capacity(HEAD_BYTES + sealed.len());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&index.to_be_bytes());
        bytes.extend_from_slice(&sealed);
        Ok(Self {
            index,
            sha256: Digest::of(&[&bytes]),
            bytes,
        })
    }
}

/// A chunk as it stands in a file, still sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawChunk<'a> {
    /// Its index.
    pub index: u64,
    /// All its bytes: what its digest in the ledger is over.
    pub bytes: &'a [u8],
    sealed: &'a [u8],
}

/// The chunks of a recording, in order.
#[derive(Debug, Clone)]
pub struct Chunks<'a> {
    rest: &'a [u8],
    next: u64,
}

/// Reads a recording as chunks. No key is needed.
///
/// # Errors
/// [`ChunkError::Magic`] where it is no recording.
pub fn chunks(recording: &[u8]) -> Result<Chunks<'_>, ChunkError> {
    let rest = recording.strip_prefix(&MAGIC).ok_or(ChunkError::Magic)?;
    Ok(Chunks { rest, next: 0 })
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<RawChunk<'a>, ChunkError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let chunk = self.take();
        if chunk.is_err() {
            self.rest = &[];
        }
        Some(chunk)
    }
}

impl<'a> Chunks<'a> {
    fn take(&mut self) -> Result<RawChunk<'a>, ChunkError> {
        let chunk = RawChunk::parse(self.rest, self.next)?;
        self.rest = self.rest.get(chunk.bytes.len()..).unwrap_or_default();
        self.next += 1;
        Ok(chunk)
    }
}

impl<'a> RawChunk<'a> {
    /// The bytes of a chunk whose first [`HEAD_BYTES`] are `head`.
    #[must_use]
    pub fn length(head: [u8; HEAD_BYTES]) -> usize {
        let [a, b, c, d, ..] = head;
        HEAD_BYTES + u32::from_be_bytes([a, b, c, d]) as usize
    }

    /// Reads the chunk at the front of `bytes`, which must be chunk `expected`.
    ///
    /// # Errors
    /// [`ChunkError::Short`] or [`ChunkError::Order`].
    pub fn parse(bytes: &'a [u8], expected: u64) -> Result<Self, ChunkError> {
        let short = ChunkError::Short(expected);
        let head = *bytes.first_chunk::<HEAD_BYTES>().ok_or(short.clone())?;
        let bytes = bytes.get(..Self::length(head)).ok_or(short.clone())?;
        let (index, sealed) = bytes
            .get(4..)
            .and_then(|rest| rest.split_first_chunk::<8>())
            .ok_or(short)?;
        let index = u64::from_be_bytes(*index);
        if index == expected {
            Ok(Self {
                index,
                bytes,
                sealed,
            })
        } else {
            Err(ChunkError::Order {
                expected,
                found: index,
            })
        }
    }
}

impl RawChunk<'_> {
    /// SHA-256 of the chunk, as the ledger has it.
    #[must_use]
    pub fn sha256(&self) -> Digest {
        Digest::of(&[self.bytes])
    }
}

/// Opens a chunk and gives its notes.
///
/// # Errors
/// [`ChunkError`] where it was changed, is another session's, or holds what this version does not know.
pub fn open(key: &SessionKey, chunk: &RawChunk<'_>) -> Result<Vec<Timed>, ChunkError> {
    let index = chunk.index;
    let content = |why: String| ChunkError::Content { index, why };
    let mut sealed = chunk.sealed.to_vec();
    let packed = key
        .aes
        .open_in_place(
            nonce(Use::Chunk, index),
            Aad::from(&key.session),
            &mut sealed,
        )
        .map_err(|_| ChunkError::Forged(index))?;
    let size = zstd::zstd_safe::get_frame_content_size(packed)
        .ok()
        .flatten();
    let size = size
        .and_then(|n| usize::try_from(n).ok())
        .filter(|n| *n <= OPENED_BYTES_MAX);
    let size =
        size.ok_or_else(|| content("its size is not stated or past the limit".to_owned()))?;
    let frames =
        zstd::bulk::decompress(packed, size).map_err(|error| content(error.to_string()))?;
    let mut frames = Bytes::from(frames);
    let mut notes = Vec::new();
    while !frames.is_empty() {
        notes.push(
            frame::take(&mut frames).map_err(|error: FrameError| content(error.to_string()))?,
        );
    }
    Ok(notes)
}

#[cfg(test)]
mod tests;
