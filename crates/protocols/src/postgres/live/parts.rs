//! Sending a Query in parts.
//!
//! The upstream keeps back what it says of one statement of a text until it has said all of it. Where a text commits a change
//! of what others read by and goes on, they would not hear of it meanwhile: so each commit ends a part, and the next part is
//! sent when the others have been told. The client sees one answer, as if nothing had been parted.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes};

use crate::postgres::command::{Piece, Understood};
use crate::postgres::wire::{client, write};

/// What all parts of a text take at most together, in bytes: each is as long as the text up to its end.
const PARTS_BYTES_MAX: usize = 64 << 20;

/// The parts that are not sent yet; none where a text goes as it is.
#[derive(Debug, Default)]
pub(super) struct Parts {
    text: Bytes,
    from: usize,
    ends: VecDeque<usize>,
}

impl Parts {
    /// Of a text; `defined` says whether its transaction has changed already what others read by.
    pub(super) fn of(understood: &Understood, defined: bool) -> Self {
        let mut ends = cuts(&understood.pieces, defined);
        if !ends.is_empty() {
            ends.push_back(understood.text.len());
        }
        Self {
            text: understood.text.clone(),
            from: 0,
            ends,
        }
    }

    /// How many parts there are, where that is too many.
    pub(super) fn too_many(&self) -> Option<usize> {
        let bytes: usize = self.ends.iter().sum();
        (bytes > PARTS_BYTES_MAX).then_some(self.ends.len())
    }
}

/// Each as a Query message, made when it is to be sent.
impl Iterator for Parts {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let to = self.ends.pop_front()?;
        let from = std::mem::replace(&mut self.from, to);
        let (before, part) = self.text.get(..to)?.split_at_checked(from)?;
        Some(query(before, part))
    }
}

/// Where statements begin that come after a commit of what others read by.
fn cuts(pieces: &[Piece], mut defined: bool) -> VecDeque<usize> {
    let mut cuts = VecDeque::new();
    for (piece, next) in pieces.iter().zip(pieces.iter().skip(1)) {
        defined |= piece.defines();
        if piece.commits() && std::mem::take(&mut defined) {
            cuts.push_back(next.statement.text.start);
        }
    }
    cuts
}

/// A part, with a space for each character before it, so that places in the text that the upstream names are those of the whole.
fn query(before: &[u8], part: &[u8]) -> Bytes {
    let is_first_byte = |byte: &&u8| !matches!(**byte, 0x80..=0xbf);
    let characters = before.iter().filter(is_first_byte).count();
    write::one(client::QUERY, |out| {
        out.put_bytes(b' ', characters);
        write::cstr(out, part);
    })
}
