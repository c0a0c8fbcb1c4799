//! Compressed content: gzip (RFC 1952) and Zstandard (RFC 8878), both ways, with bounded memory.
//!
//! A [`Decoder`] gives at most [`PIECE_BYTES`] at a time, however much a few bytes stand for, and nothing more once the content
//! has grown beyond any ratio of honest text. What is broken or ends early is told as such.

mod gzip;
mod zstd;

#[cfg(test)]
mod tests;

use bytes::Bytes;

/// So much comes out of a decoder at a time, at most.
pub const PIECE_BYTES: usize = 64 * 1_024;
/// So many bytes at the front tell how a content is compressed.
pub const MAGIC_BYTES: usize = 4;
/// A content may be so many times as long as what it came from…
const RATIO_MAX: u64 = 250;
/// …and so many bytes longer than that: what is small does no harm.
const FREE_BYTES: u64 = 64 << 20;

/// How a content is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// Content that cannot be decompressed any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is not of its format, or a check in it fails.
    #[error("its compression is broken")]
    Malformed,
    /// It ends before its end.
    #[error("its compression ends early")]
    Truncated,
    /// It stands for too much.
    #[error("it stands for more than {RATIO_MAX} times its length")]
    Bomb,
}

impl Format {
    /// The format of a content that begins so.
    #[must_use]
    pub fn of_content(first: &[u8]) -> Option<Self> {
        match first {
            [0x1F, 0x8B, 8, ..] => Some(Self::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The format that a `Content-Encoding` or `Content-Type` names.
    #[must_use]
    pub fn named(value: &str) -> Option<Self> {
        let value = value.split(';').next().unwrap_or_default();
        match value.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" | "application/gzip" | "application/x-gzip" => Some(Self::Gzip),
            "zstd" | "application/zstd" | "application/x-zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The format that the end of a key tells.
    #[must_use]
    pub fn of_name(key: &str) -> Option<Self> {
        let (_, end) = key.rsplit_once('.')?;
        match end.to_ascii_lowercase().as_str() {
            "gz" | "gzip" => Some(Self::Gzip),
            "zst" | "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Compressed bytes to content.
pub struct Decoder {
    codec: Unpack,
    taken: u64,
    given: u64,
}

enum Unpack {
    Gzip(gzip::Decoder),
    Zstd(zstd::Decoder),
}

impl Decoder {
    /// A decoder.
    ///
    /// # Errors
    /// [`Broken::Malformed`] where the library refuses.
    pub fn new(format: Format) -> Result<Self, Broken> {
        let codec = match format {
            Format::Gzip => Unpack::Gzip(gzip::Decoder::new()),
            Format::Zstd => Unpack::Zstd(zstd::Decoder::new()?),
        };
        Ok(Self {
            codec,
            taken: 0,
            given: 0,
        })
    }

    /// Takes what it can use off the front of `input` and appends at most [`PIECE_BYTES`] of content to `out`. To be called
    /// until `input` is empty and nothing comes any more.
    ///
    /// # Errors
    /// [`Broken`]: nothing that follows can be read.
    pub fn step(&mut self, input: &mut Bytes, out: &mut Vec<u8>) -> Result<(), Broken> {
        let (before, start) = (input.len(), out.len());
        match &mut self.codec {
            Unpack::Gzip(gzip) => gzip.step(input, out)?,
            Unpack::Zstd(zstd) => zstd.step(input, out)?,
        }
        self.taken += (before - input.len()) as u64;
        self.given += (out.len() - start) as u64;
        if self.given > FREE_BYTES.saturating_add(self.taken.saturating_mul(RATIO_MAX)) {
            return Err(Broken::Bomb);
        }
        Ok(())
    }

    /// There is no more input.
    ///
    /// # Errors
    /// [`Broken::Truncated`] where there should be.
    pub fn finish(&self) -> Result<(), Broken> {
        let whole = match &self.codec {
            Unpack::Gzip(gzip) => gzip.is_whole(),
            Unpack::Zstd(zstd) => zstd.is_whole(),
        };
        if whole {
            Ok(())
        } else {
            Err(Broken::Truncated)
        }
    }
}

/// The content of a whole; `None` where it is longer than `most` bytes.
///
/// # Errors
/// [`Broken`].
pub fn whole(format: Format, compressed: &Bytes, most: usize) -> Result<Option<Vec<u8>>, Broken> {
    let (mut decoder, mut input) = (Decoder::new(format)?, compressed.clone());
    let mut content = Vec::new();
    loop {
        let before = content.len();
        decoder.step(&mut input, &mut content)?;
        if content.len() > most {
            return Ok(None);
        }
        if input.is_empty() && content.len() == before {
            return decoder.finish().map(|()| Some(content));
        }
    }
}

/// Content to compressed bytes. The same content gives the same bytes, however it comes in pieces.
pub struct Encoder {
    codec: Pack,
}

enum Pack {
    Gzip(gzip::Encoder),
    Zstd(zstd::Encoder),
}

impl Encoder {
    /// An encoder.
    ///
    /// # Errors
    /// [`Broken::Malformed`] where the library refuses.
    pub fn new(format: Format) -> Result<Self, Broken> {
        let codec = match format {
            Format::Gzip => Pack::Gzip(gzip::Encoder::new()),
            Format::Zstd => Pack::Zstd(zstd::Encoder::new()?),
        };
        Ok(Self { codec })
    }

    /// Takes content; what is ready of the compressed is appended to `out`.
    ///
    /// # Errors
    /// [`Broken::Malformed`] where the library refuses.
    pub fn push(&mut self, content: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        match &mut self.codec {
            Pack::Gzip(gzip) => gzip.push(content, out),
            Pack::Zstd(zstd) => zstd.push(content, out),
        }
    }

    /// The content is complete: appends the rest.
    ///
    /// # Errors
    /// As [`Encoder::push`].
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), Broken> {
        match self.codec {
            Pack::Gzip(gzip) => gzip.finish(out),
            Pack::Zstd(zstd) => zstd.finish(out),
        }
    }
}

/// Room for a piece at the end of `out`, and where it begins. Whoever fills it cuts off what stayed empty.
fn room(out: &mut Vec<u8>) -> (usize, &mut [u8]) {
    let start = out.len();
    out.resize(start + PIECE_BYTES, 0);
    (start, out.get_mut(start..).unwrap_or_default())
}
