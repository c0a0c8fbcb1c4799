//! Bytes to signed chunks.

use aws_lc_rs::digest;
use bytes::Bytes;

use super::super::checksum::{Algorithm, Checksum};
use super::super::sigv4::Verified;
use super::{BodyFault, Chain};

/// Content of a chunk; the last one may hold less.
pub const CHUNK_BYTES: u64 = 64 * 1_024;

/// `;chunk-signature=`, 64 digits, two line ends.
const FRAME_BYTES: u64 = 17 + 64 + 4;

/// A body as it goes out, in signed chunks.
pub struct Encoder {
    chain: Chain,
    trailer: Option<(Algorithm, Checksum)>,
    chunk: Vec<Bytes>,
    gathered: u64,
    left: u64,
}

/// A content is at most so long: more than any service takes, and little enough to count its chunks.
pub const CONTENT_BYTES_MAX: u64 = 1 << 53;

/// How many bytes a content of `length` bytes becomes, with the trailer where there is one. `length` is at most
/// [`CONTENT_BYTES_MAX`]; of more, what this gives means nothing.
#[must_use]
pub fn encoded_length(length: u64, trailer: Option<Algorithm>) -> u64 {
    let length = length.min(CONTENT_BYTES_MAX);
    let frame = |size: u64| format!("{size:x}").len() as u64 + FRAME_BYTES;
    let (whole, rest) = (length / CHUNK_BYTES, length % CHUNK_BYTES);
    let mut total = length + whole * frame(CHUNK_BYTES) + frame(0);
    if rest > 0 {
        total += frame(rest);
    }
    if let Some(algorithm) = trailer {
        let base64 = algorithm.value_bytes().div_ceil(3) * 4;
        let lines =
            algorithm.header().len() + 1 + base64 + 2 + "x-amz-trailer-signature:".len() + 64 + 2;
        total += lines as u64;
    }
    total
}

impl Encoder {
    /// For a content of `length` bytes, behind the head that `signed` is the signature of.
    #[must_use]
    pub fn new(signed: Verified, length: u64, trailer: Option<Algorithm>) -> Self {
        Self {
            chain: Chain::new(signed),
            trailer: trailer.map(|algorithm| (algorithm, Checksum::new(algorithm))),
            chunk: Vec::new(),
            gathered: 0,
            left: length,
        }
    }

    /// Takes a piece of content; whole chunks are appended to `out`.
    ///
    /// # Errors
    /// [`BodyFault::Length`] where it is more than was said.
    pub fn push(&mut self, mut piece: Bytes, out: &mut Vec<Bytes>) -> Result<(), BodyFault> {
        self.left = self
            .left
            .checked_sub(piece.len() as u64)
            .ok_or(BodyFault::Length)?;
        if let Some((_, checksum)) = &mut self.trailer {
            checksum.update(&piece);
        }
        while !piece.is_empty() {
            let room = usize::try_from(CHUNK_BYTES - self.gathered).unwrap_or(usize::MAX);
            let part = piece.split_to(room.min(piece.len()));
            self.gathered += part.len() as u64;
            self.chunk.push(part);
            if self.gathered == CHUNK_BYTES {
                self.emit(out);
            }
        }
        Ok(())
    }

    /// The content is over: what is left, the last chunk and the trailer are appended to `out`.
    ///
    /// # Errors
    /// [`BodyFault::Length`] where it is less than was said.
    pub fn finish(mut self, out: &mut Vec<Bytes>) -> Result<(), BodyFault> {
        if self.left > 0 {
            return Err(BodyFault::Length);
        }
        if self.gathered > 0 {
            self.emit(out);
        }
        let digest = model::hexadecimal(digest::Context::new(&digest::SHA256).finish());
        let mut end = format!("0;chunk-signature={}\r\n", self.chain.chunk(&digest));
        if let Some((algorithm, checksum)) = self.trailer.take() {
            let line = format!("{}:{}", algorithm.header(), checksum.finish());
            let signature = self.chain.trailer(&format!("{line}\n"));
            end.push_str(&format!(
                "{line}\r\nx-amz-trailer-signature:{signature}\r\n"
            ));
        }
        end.push_str("\r\n");
        out.push(Bytes::from(end));
        Ok(())
    }

    fn emit(&mut self, out: &mut Vec<Bytes>) {
        let mut digest = digest::Context::new(&digest::SHA256);
        self.chunk.iter().for_each(|part| digest.update(part));
        let signature = self.chain.chunk(&model::hexadecimal(digest.finish()));
        let line = format!("{:x};chunk-signature={signature}\r\n", self.gathered);
        out.push(Bytes::from(line));
        out.append(&mut self.chunk);
        out.push(Bytes::from_static(b"\r\n"));
        self.gathered = 0;
    }
}
