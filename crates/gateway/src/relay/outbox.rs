//! What waits to be written to one peer: many small pieces become few system calls.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

/// Pieces up to this are copied together; longer ones are queued as they are.
const COPIED_BYTES_MAX: usize = 2_048;
/// Copied pieces are gathered up to this.
const GATHERED_BYTES_MAX: usize = 64 * 1_024;
/// So many pieces are written at once.
pub(super) const SLICES_MAX: usize = 32;

/// Bytes in the order in which they are to be written.
#[derive(Default)]
pub(super) struct Outbox {
    queue: VecDeque<Bytes>,
    /// What comes after the queue.
    gathered: BytesMut,
    len: usize,
}

impl Outbox {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, bytes: Bytes) {
        self.len += bytes.len();
        if bytes.len() <= COPIED_BYTES_MAX {
            self.gathered.extend_from_slice(&bytes);
            if self.gathered.len() >= GATHERED_BYTES_MAX {
                self.queue.push_back(self.gathered.split().freeze());
            }
            return;
        }
        if !self.gathered.is_empty() {
            self.queue.push_back(self.gathered.split().freeze());
        }
        self.queue.push_back(bytes);
    }

    /// The first pieces, at most `limit` bytes of them.
    pub(super) fn slices<'a>(
        &'a self,
        into: &mut [IoSlice<'a>; SLICES_MAX],
        limit: usize,
    ) -> usize {
        let mut left = limit;
        let mut count = 0;
        let gathered = (!self.gathered.is_empty()).then_some(&*self.gathered);
        for (slot, piece) in into
            .iter_mut()
            .zip(self.queue.iter().map(|b| &**b).chain(gathered))
        {
            let Some(piece) = piece
                .get(..piece.len().min(left))
                .filter(|piece| !piece.is_empty())
            else {
                break;
            };
            left -= piece.len();
            *slot = IoSlice::new(piece);
            count += 1;
        }
        count
    }

    /// So many bytes were written.
    pub(super) fn advance(&mut self, mut written: usize) {
        self.len -= written.min(self.len);
        while let Some(front) = self.queue.front_mut() {
            if written < front.len() {
                front.advance(written);
                return;
            }
            written -= front.len();
            self.queue.pop_front();
        }
        self.gathered.advance(written.min(self.gathered.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything comes out in order, however large the pieces and however much is written at a time.
    #[test]
    fn bytes_leave_in_order() {
        let mut outbox = Outbox::default();
        let mut expect = Vec::new();
        let mut got = Vec::new();
        let mut state = 7_u64;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for turn in 0..4_000_u64 {
            let size = [0, 1, 40, 2_048, 2_049, 9_000][next(6) as usize];
            let piece: Vec<u8> = (0..size).map(|at: u64| (at ^ turn) as u8).collect();
            expect.extend_from_slice(&piece);
            outbox.push(Bytes::from(piece));
            if next(3) == 0 {
                write(&mut outbox, &mut got, next(100_000) as usize);
            }
            assert_eq!(outbox.len(), expect.len() - got.len());
        }
        while outbox.len() > 0 {
            write(&mut outbox, &mut got, usize::MAX);
        }
        assert!(got == expect);
    }

    fn write(outbox: &mut Outbox, got: &mut Vec<u8>, limit: usize) {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let count = outbox.slices(&mut slices, limit);
        let before = got.len();
        slices[..count]
            .iter()
            .for_each(|slice| got.extend_from_slice(slice));
        let written = got.len() - before;
        assert!(written <= limit);
        outbox.advance(written);
    }
}
