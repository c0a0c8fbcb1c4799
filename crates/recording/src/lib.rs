//! The recording format: framed, compressed, sealed, and readable again. No I/O, no clock, no randomness.
//!
//! ```text
//! recording = magic chunk*                         magic = "CSREC" 0x00 0x00 0x01
//! chunk     = length index sealed                  length: u32, bytes of `sealed`; index: u64 from 0; big endian
//! sealed    = AES-256-GCM(session key, nonce, zstd(frame*), aad)
//!             nonce = 0x00000001 index             aad = session id
//! frame     = kind wall mono length payload        kind: u8; wall: microseconds since the epoch, mono: microseconds
//!                                                  since the session began; all numbers LEB128
//! ```
//!
//! SHA-256 of each whole chunk stands in the ledger with its index, and their number in the entry that closes the session:
//! a chunk that is changed, swapped, removed or cut off is found without any key. With the session's key, which lies wrapped
//! beside the recording, the content opens; without it, it is forgotten, and every proof still holds.

mod chunk;
mod frame;
mod key;

pub use chunk::{
    CHUNK_BYTES, Chunk, ChunkError, Chunks, HEAD_BYTES, MAGIC, RawChunk, Writer, chunks, open,
};
pub use frame::{FrameError, Moment, Timed};
pub use key::{CommandSealer, Kek, KeyError, SessionKey, WrappedKey};
