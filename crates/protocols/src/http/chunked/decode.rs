//! Chunks to bytes.

use aws_lc_rs::digest;
use bytes::{Buf as _, Bytes};

use super::super::checksum::{Algorithm, Checksum};
use super::super::sigv4::{Chunks, Verified, same};
use super::{BodyFault, Chain};

/// The line before a chunk is at most so long.
const LINE_BYTES_MAX: usize = 256;
/// All trailers together are at most so long.
const TRAILER_BYTES_MAX: usize = 4 * 1_024;

const SIGNATURE: &str = "x-amz-trailer-signature";

/// A chunked body as it comes in. Whoever drives it counts the bytes.
pub(super) struct Decoder {
    state: State,
    /// The chunks' signatures, where they are signed.
    chain: Option<Chain>,
    /// The trailer that was announced, and its value so far.
    trailer: Option<(Algorithm, Checksum)>,
    has_trailer: bool,
    found: Option<(Algorithm, String)>,
}

enum State {
    /// In the line before a chunk.
    Line(Vec<u8>),
    /// In a chunk.
    Data {
        left: u64,
        signature: Option<String>,
        digest: digest::Context,
    },
    /// In the two bytes after a chunk.
    End(u8),
    /// After the last chunk: the trailers so far.
    Trailers(Vec<u8>),
    Done,
}

impl Decoder {
    /// `trailer` is the algorithm that `x-amz-trailer` announces.
    pub(super) fn new(verified: &Verified, chunks: Chunks, trailer: Option<Algorithm>) -> Self {
        Self {
            state: State::Line(Vec::new()),
            chain: chunks.signed.then(|| Chain::new(verified.clone())),
            trailer: trailer.map(|algorithm| (algorithm, Checksum::new(algorithm))),
            has_trailer: chunks.trailer,
            found: None,
        }
    }

    /// Takes a piece; its content is appended to `out`.
    pub(super) fn push(&mut self, mut piece: Bytes, out: &mut Vec<Bytes>) -> Result<(), BodyFault> {
        while !piece.is_empty() {
            self.state = match std::mem::replace(&mut self.state, State::Done) {
                State::Line(line) => self.line(line, &mut piece)?,
                State::Data {
                    left,
                    signature,
                    digest,
                } => self.data(left, signature, digest, &mut piece, out)?,
                State::End(read) => match (read, piece.get_u8()) {
                    (0, b'\r') => State::End(1),
                    (1, b'\n') => State::Line(Vec::new()),
                    _ => return Err(BodyFault::Malformed("no line end after a chunk")),
                },
                State::Trailers(held) => self.trailers(held, &mut piece)?,
                State::Done => return Err(BodyFault::Malformed("bytes after its end")),
            };
        }
        Ok(())
    }

    /// The body is over. Gives the checksum of the trailer, which is that of the content.
    pub(super) fn finish(self) -> Result<Option<(Algorithm, String)>, BodyFault> {
        match self.state {
            State::Done => Ok(self.found),
            _ => Err(BodyFault::Malformed("it ends before its last chunk does")),
        }
    }

    fn line(&mut self, mut line: Vec<u8>, piece: &mut Bytes) -> Result<State, BodyFault> {
        if !take_line(&mut line, piece, LINE_BYTES_MAX)? {
            return Ok(State::Line(line));
        }
        let line = line
            .strip_suffix(b"\r\n")
            .and_then(|line| std::str::from_utf8(line).ok())
            .ok_or(BodyFault::Malformed("the line before a chunk"))?;
        let (size, extension) = match line.split_once(';') {
            Some((size, extension)) => (size, Some(extension)),
            None => (line, None),
        };
        let hex = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let left = u64::from_str_radix(size, 16)
            .ok()
            .filter(|_| hex)
            .ok_or(BodyFault::Malformed("a chunk's size"))?;
        let signature = match (&self.chain, extension) {
            (None, None) => None,
            (Some(_), Some(extension)) => Some(
                extension
                    .strip_prefix("chunk-signature=")
                    .ok_or(BodyFault::Malformed("a chunk's signature"))?
                    .to_owned(),
            ),
            _ => {
                return Err(BodyFault::Malformed(
                    "a chunk is signed where it may not be, or not where it must",
                ));
            }
        };
        let digest = digest::Context::new(&digest::SHA256);
        if left > 0 {
            return Ok(State::Data {
                left,
                signature,
                digest,
            });
        }
        self.chunk_over(signature, digest)?;
        Ok(State::Trailers(Vec::new()))
    }

    fn data(
        &mut self,
        left: u64,
        signature: Option<String>,
        mut digest: digest::Context,
        piece: &mut Bytes,
        out: &mut Vec<Bytes>,
    ) -> Result<State, BodyFault> {
        let take = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
        let content = piece.split_to(take);
        if self.chain.is_some() {
            digest.update(&content);
        }
        if let Some((_, checksum)) = &mut self.trailer {
            checksum.update(&content);
        }
        let left = left.saturating_sub(content.len() as u64);
        out.push(content);
        if left > 0 {
            return Ok(State::Data {
                left,
                signature,
                digest,
            });
        }
        self.chunk_over(signature, digest)?;
        Ok(State::End(0))
    }

    fn chunk_over(
        &mut self,
        signature: Option<String>,
        digest: digest::Context,
    ) -> Result<(), BodyFault> {
        let Some(chain) = &mut self.chain else {
            return Ok(());
        };
        let right = chain.chunk(&model::hexadecimal(digest.finish()));
        if same(right, &signature.unwrap_or_default()) {
            Ok(())
        } else {
            Err(BodyFault::Signature)
        }
    }

    fn trailers(&mut self, mut held: Vec<u8>, piece: &mut Bytes) -> Result<State, BodyFault> {
        // Line by line, until an empty one.
        loop {
            let ended = take_line(&mut held, piece, TRAILER_BYTES_MAX)?;
            if !ended {
                return Ok(State::Trailers(held));
            }
            if held == b"\r\n" || held.ends_with(b"\n\r\n") {
                break;
            }
        }
        let text = std::str::from_utf8(&held)
            .map_err(|_| BodyFault::Malformed("a trailer that is no text"))?;
        self.settle(text)?;
        Ok(State::Done)
    }

    /// Checks the trailers.
    fn settle(&mut self, text: &str) -> Result<(), BodyFault> {
        let (mut canonical, mut value, mut signature) = (String::new(), None, None);
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (name, content) = line
                .split_once(':')
                .ok_or(BodyFault::Malformed("a trailer without a value"))?;
            let (name, content) = (name.trim().to_ascii_lowercase(), content.trim());
            if name == SIGNATURE && signature.is_none() {
                signature = Some(content.to_owned());
            } else if let Some(algorithm) = Algorithm::of_header(&name)
                && self
                    .trailer
                    .as_ref()
                    .is_some_and(|(it, _)| *it == algorithm)
                && signature.is_none()
                && value.is_none()
            {
                canonical.push_str(&format!("{name}:{content}\n"));
                value = Some(content.to_owned());
            } else {
                return Err(BodyFault::Malformed("a trailer that was not announced"));
            }
        }
        match (&mut self.chain, self.has_trailer, signature) {
            (Some(chain), true, Some(signature)) => {
                if !same(chain.trailer(&canonical), &signature) {
                    return Err(BodyFault::Signature);
                }
            }
            (None, true, None) | (Some(_), false, None) => {}
            _ => return Err(BodyFault::Malformed("the trailer's signature")),
        }
        if let Some((algorithm, checksum)) = self.trailer.take() {
            let value = value.ok_or(BodyFault::Malformed(
                "the trailer that was announced is missing",
            ))?;
            if checksum.finish() != value {
                return Err(BodyFault::Checksum);
            }
            self.found = Some((algorithm, value));
        }
        Ok(())
    }
}

/// Moves bytes to `line` up to and including the next line feed; whether there was one.
fn take_line(line: &mut Vec<u8>, piece: &mut Bytes, max: usize) -> Result<bool, BodyFault> {
    let end = memchr::memchr(b'\n', piece);
    let take = end.map_or(piece.len(), |at| at + 1);
    if line.len() + take > max {
        return Err(BodyFault::Malformed("a line that is too long"));
    }
    line.extend_from_slice(&piece.split_to(take));
    Ok(end.is_some())
}
