//! gzip (RFC 1952).

use bytes::{Buf as _, Bytes};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{Broken, room};

/// The largest window there is: 2^15 bytes.
const WINDOW_BITS: u8 = 15;
/// Text becomes little smaller beyond, and takes much longer.
const LEVEL: Compression = Compression::new(4);

pub(super) struct Decoder {
    inflate: Decompress,
    /// Within a member.
    within: bool,
    /// After a member: others may follow, or zeros to the end.
    members: u64,
    padding: bool,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            inflate: Decompress::new_gzip(WINDOW_BITS),
            within: false,
            members: 0,
            padding: false,
        }
    }

    pub(super) fn step(&mut self, input: &mut Bytes, out: &mut Vec<u8>) -> Result<(), Broken> {
        if !self.within {
            if self.members > 0 && (self.padding || input.first() == Some(&0)) {
                return self.pad(input);
            }
            if input.is_empty() {
                return Ok(());
            }
            self.within = true;
        }
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let (start, space) = room(out);
        let status = self.inflate.decompress(input, space, FlushDecompress::None);
        let given = self.inflate.total_out() - before_out;
        out.truncate(start + usize::try_from(given).unwrap_or(0));
        let taken = self.inflate.total_in() - before_in;
        input.advance(usize::try_from(taken).unwrap_or(0).min(input.len()));
        match status {
            Ok(Status::Ok) => Ok(()),
            Ok(Status::StreamEnd) => {
                self.inflate = Decompress::new_gzip(WINDOW_BITS);
                self.within = false;
                self.members += 1;
                Ok(())
            }
            // It wants more input.
            Ok(Status::BufError) if input.is_empty() => Ok(()),
            Ok(Status::BufError) | Err(_) => Err(Broken::Malformed),
        }
    }

    /// Tapes and tools fill up with zeros.
    fn pad(&mut self, input: &mut Bytes) -> Result<(), Broken> {
        self.padding = true;
        if input.iter().any(|byte| *byte != 0) {
            return Err(Broken::Malformed);
        }
        input.clear();
        Ok(())
    }

    pub(super) fn is_whole(&self) -> bool {
        !self.within && self.members > 0
    }
}

pub(super) struct Encoder(Compress);

impl Encoder {
    pub(super) fn new() -> Self {
        Self(Compress::new_gzip(LEVEL, WINDOW_BITS))
    }

    pub(super) fn push(&mut self, mut content: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        while !content.is_empty() {
            let (taken, _) = self.run(content, out, FlushCompress::None)?;
            content = content.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), Broken> {
        while self.run(&[], out, FlushCompress::Finish)?.1 != Status::StreamEnd {}
        Ok(())
    }

    fn run(
        &mut self,
        content: &[u8],
        out: &mut Vec<u8>,
        flush: FlushCompress,
    ) -> Result<(usize, Status), Broken> {
        let (before_in, before_out) = (self.0.total_in(), self.0.total_out());
        let (start, space) = room(out);
        let status = self.0.compress(content, space, flush);
        let given = self.0.total_out() - before_out;
        out.truncate(start + usize::try_from(given).unwrap_or(0));
        let taken = usize::try_from(self.0.total_in() - before_in).unwrap_or(0);
        match status {
            // Without progress it would never end.
            Ok(Status::BufError) => Err(Broken::Malformed),
            Ok(status) => Ok((taken, status)),
            Err(_) => Err(Broken::Malformed),
        }
    }
}
