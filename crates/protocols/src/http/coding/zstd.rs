//! Zstandard (RFC 8878).

use bytes::{Buf as _, Bytes};
use zstd::stream::raw;
use zstd::stream::raw::{DParameter, InBuffer, Operation as _, OutBuffer};

use super::{Broken, room};

/// A frame may look back 2^23 bytes: what RFC 8878, section 3.1.1.1.2, recommends to every decoder.
const WINDOW_LOG_MAX: u32 = 23;
/// The library's own choice.
const LEVEL: i32 = 3;

pub(super) struct Decoder {
    codec: raw::Decoder<'static>,
    /// Within a frame.
    within: bool,
    /// Something came.
    begun: bool,
    /// It filled all the room there was: more may come without input.
    full: bool,
}

impl Decoder {
    pub(super) fn new() -> Result<Self, Broken> {
        let mut codec = raw::Decoder::new().map_err(|_| Broken::Malformed)?;
        codec
            .set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))
            .map_err(|_| Broken::Malformed)?;
        Ok(Self {
            codec,
            within: false,
            begun: false,
            full: false,
        })
    }

    pub(super) fn step(&mut self, input: &mut Bytes, out: &mut Vec<u8>) -> Result<(), Broken> {
        if input.is_empty() && !self.full {
            return Ok(());
        }
        let (start, space) = room(out);
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around(space);
        let hint = self.codec.run(&mut from, &mut to);
        let (taken, given) = (from.pos(), to.pos());
        self.full = given == super::PIECE_BYTES;
        out.truncate(start + given);
        input.advance(taken);
        self.begun |= taken > 0;
        self.within = hint.map_err(|_| Broken::Malformed)? != 0;
        Ok(())
    }

    pub(super) fn is_whole(&self) -> bool {
        self.begun && !self.within
    }
}

pub(super) struct Encoder(raw::Encoder<'static>);

impl Encoder {
    pub(super) fn new() -> Result<Self, Broken> {
        let codec = raw::Encoder::new(LEVEL).map_err(|_| Broken::Malformed)?;
        Ok(Self(codec))
    }

    pub(super) fn push(&mut self, mut content: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        while !content.is_empty() {
            let (start, space) = room(out);
            let mut from = InBuffer::around(content);
            let mut to = OutBuffer::around(space);
            let ran = self.0.run(&mut from, &mut to);
            let (taken, given) = (from.pos(), to.pos());
            out.truncate(start + given);
            ran.map_err(|_| Broken::Malformed)?;
            content = content.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), Broken> {
        loop {
            let (start, space) = room(out);
            let mut to = OutBuffer::around(space);
            let left = self.0.finish(&mut to, true);
            let given = to.pos();
            out.truncate(start + given);
            if left.map_err(|_| Broken::Malformed)? == 0 {
                return Ok(());
            }
        }
    }
}
