//! What is compressed, read and written again.

use bytes::Bytes;
use protocols::http::coding::{Broken, Decoder, Encoder, Format};

/// What an answer begins with.
#[derive(Default)]
pub(super) struct Begun {
    /// The first of its content, without its compression.
    pub(super) first: Option<Bytes>,
    /// So many bytes were read.
    pub(super) read: u64,
    /// Its compression, where it has one.
    pub(super) coding: Option<Box<Coding>>,
}

/// The compression of an answer: content comes out of it, and goes back into it.
pub(super) struct Coding {
    pub(super) decoder: Decoder,
    pub(super) encoder: Option<Encoder>,
    input: Bytes,
    /// More may come without more input.
    more: bool,
}

impl Coding {
    pub(super) fn new(format: Format) -> Result<Self, Broken> {
        Ok(Self {
            decoder: Decoder::new(format)?,
            encoder: Some(Encoder::new(format)?),
            input: Bytes::new(),
            more: false,
        })
    }

    /// Takes compressed bytes.
    pub(super) fn push(&mut self, piece: Bytes) {
        self.input = piece;
        self.more = true;
    }

    /// A piece of content; `None` where more input is needed.
    pub(super) fn next(&mut self) -> Option<Result<Vec<u8>, Broken>> {
        if !self.more {
            return None;
        }
        let mut content = Vec::new();
        if let Err(broken) = self.decoder.step(&mut self.input, &mut content) {
            self.more = false;
            return Some(Err(broken));
        }
        self.more = !(self.input.is_empty() && content.is_empty());
        Some(Ok(content))
    }
}
