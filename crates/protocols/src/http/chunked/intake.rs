//! A body of any form as it comes in: its content, checked.

use aws_lc_rs::digest;
use bytes::Bytes;

use super::super::checksum::Algorithm;
use super::super::sigv4::{Payload, Verified, same};
use super::{BodyFault, Decoder};

/// A body as it comes in. What it gives is the content; its last byte only once all of it was verified.
pub struct Intake {
    decoder: Option<Decoder>,
    /// What the content's SHA-256 must be, where that was signed.
    signed: Option<String>,
    digest: digest::Context,
    length: u64,
    seen: u64,
    last: Option<Bytes>,
    pieces: Vec<Bytes>,
}

/// A body that came in whole and right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// Bytes of its content.
    pub length: u64,
    /// The checksum that its trailer carried.
    pub trailer: Option<(Algorithm, String)>,
}

impl Intake {
    /// For the body of a request that was verified. `length` is that of the content: `x-amz-decoded-content-length` of a chunked
    /// body, else `Content-Length`. `trailer` is the algorithm that `x-amz-trailer` announces.
    #[must_use]
    pub fn new(verified: &Verified, length: u64, trailer: Option<Algorithm>) -> Self {
        let (decoder, signed) = match &verified.payload {
            Payload::Chunks(chunks) => (Some(Decoder::new(verified, *chunks, trailer)), None),
            Payload::Sha256(digits) => (None, Some(digits.clone())),
            Payload::Unsigned => (None, None),
        };
        Self {
            decoder,
            signed,
            digest: digest::Context::new(&digest::SHA256),
            length,
            seen: 0,
            last: None,
            pieces: Vec::new(),
        }
    }

    /// Takes a piece of the body; content is appended to `out`.
    ///
    /// # Errors
    /// [`BodyFault`]: the body is wrong, and the request must end.
    pub fn push(&mut self, piece: Bytes, out: &mut Vec<Bytes>) -> Result<(), BodyFault> {
        let mut pieces = std::mem::take(&mut self.pieces);
        let taken = match &mut self.decoder {
            Some(decoder) => decoder.push(piece, &mut pieces),
            None => {
                pieces.push(piece);
                Ok(())
            }
        };
        for content in pieces.drain(..) {
            self.content(content, out)?;
        }
        self.pieces = pieces;
        taken
    }

    /// Content beyond the length that was said is a fault; what comes before it is given as if it had come in pieces.
    fn content(&mut self, mut content: Bytes, out: &mut Vec<Bytes>) -> Result<(), BodyFault> {
        if content.is_empty() {
            return Ok(());
        }
        let left = self.length - self.seen;
        let over = content.len() as u64 > left;
        if let Ok(left) = usize::try_from(left) {
            content.truncate(left);
        }
        self.seen += content.len() as u64;
        self.digest.update(&content);
        if self.seen == self.length && !content.is_empty() {
            self.last = Some(content.split_off(content.len() - 1));
        }
        if !content.is_empty() {
            out.push(content);
        }
        if over { Err(BodyFault::Length) } else { Ok(()) }
    }

    /// The body is over; the last byte is appended to `out`.
    ///
    /// # Errors
    /// [`BodyFault`]: the body is wrong, and the last byte stays here.
    pub fn finish(self, out: &mut Vec<Bytes>) -> Result<Ended, BodyFault> {
        let trailer = match self.decoder {
            Some(decoder) => decoder.finish()?,
            None => None,
        };
        if self.seen != self.length {
            return Err(BodyFault::Length);
        }
        let sha256 = model::hexadecimal(self.digest.finish());
        if self.signed.is_some_and(|signed| !same(&signed, &sha256)) {
            return Err(BodyFault::Digest);
        }
        out.extend(self.last);
        Ok(Ended {
            sha256,
            length: self.length,
            trailer,
        })
    }
}
