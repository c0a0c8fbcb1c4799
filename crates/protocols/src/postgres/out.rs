//! What goes to the client, gathered: stretches of what the upstream sent stay slices of it, small messages share a buffer.

use bytes::{Bytes, BytesMut};

use crate::session::{Effect, Effects, Note, Peer};

/// A stretch shorter than this is copied to the messages around it: fewer writes cost less than the copy.
const COPY_BYTES_MAX: usize = 1_024;
/// The buffer is handed on at this size.
const BUFFER_BYTES: usize = 32 << 10;

/// Gathers in order; [`Out::flush`] sends, and notes what was shown.
#[derive(Debug, Default)]
pub(super) struct Out {
    /// Finished pieces, and how each rests where it does not as it is sent.
    pieces: Vec<(Bytes, Option<Bytes>)>,
    /// Messages after those.
    buffer: BytesMut,
    /// What the upstream sent last.
    base: Bytes,
    /// The stretch of `base` after the buffer.
    stretch: (usize, usize),
}

impl Out {
    /// From here on messages are likely slices of `piece`.
    pub(super) fn base(&mut self, piece: Bytes) {
        self.seal();
        self.base = piece;
    }

    /// Appends a message, without a copy where it lies in the piece told last.
    pub(super) fn put(&mut self, whole: &Bytes) {
        let (start, end) = self.stretch;
        match self.place(whole) {
            Some(at) if at == end && end > start => self.stretch = (start, at + whole.len()),
            Some(at) => {
                self.seal();
                self.stretch = (at, at + whole.len());
            }
            None => self.append(whole),
        }
    }

    /// Appends a message that is not of the upstream.
    pub(super) fn append(&mut self, whole: &Bytes) {
        if whole.len() < BUFFER_BYTES {
            self.buffer().extend_from_slice(whole);
        } else {
            self.seal();
            self.take_buffer();
            self.pieces.push((whole.clone(), None));
        }
    }

    /// Appends a message that rests in another form than it is sent in.
    pub(super) fn append_resting(&mut self, whole: &Bytes, resting: Bytes) {
        self.seal();
        self.take_buffer();
        self.pieces.push((whole.clone(), Some(resting)));
    }

    /// The buffer to append to.
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        self.seal();
        if self.buffer.len() >= BUFFER_BYTES {
            self.take_buffer();
        }
        &mut self.buffer
    }

    /// Sends everything, and notes it as shown.
    pub(super) fn flush(&mut self, fx: &mut Effects<Bytes>) {
        self.seal();
        self.take_buffer();
        for (piece, resting) in self.pieces.drain(..) {
            fx.push(Effect::Send(Peer::Client, piece.clone()));
            fx.push(Effect::Note(Note::Shown(resting.unwrap_or(piece))));
        }
        self.base = Bytes::new();
    }

    /// Where `whole` stands within the base. What lies within its memory is part of it, for the base is alive.
    fn place(&self, whole: &Bytes) -> Option<usize> {
        let at = whole
            .as_ptr()
            .addr()
            .checked_sub(self.base.as_ptr().addr())?;
        (!whole.is_empty() && at + whole.len() <= self.base.len()).then_some(at)
    }

    fn seal(&mut self) {
        let (start, end) = std::mem::take(&mut self.stretch);
        if start == end {
            return;
        }
        let stretch = self.base.slice(start..end);
        if stretch.len() < COPY_BYTES_MAX {
            self.buffer.extend_from_slice(&stretch);
        } else {
            self.take_buffer();
            self.pieces.push((stretch, None));
        }
    }

    fn take_buffer(&mut self) {
        if !self.buffer.is_empty() {
            self.pieces.push((self.buffer.split().freeze(), None));
        }
    }
}
