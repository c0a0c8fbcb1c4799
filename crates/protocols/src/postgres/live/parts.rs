//! Sending a Query in parts.
//!
//! The upstream keeps back what it says of one statement of a text until it has said all of it. Where a text commits a change
//! of what others read by and goes on, they would not hear of it meanwhile: so each commit ends a part, and the next part is
//! sent when the others have been told. The client sees one answer, as if nothing had been parted.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes};

use crate::postgres::command::{Piece, Understood};
use crate::postgres::wire::{client, write};

/// The parts that are not sent yet, as Query messages; none where a text goes as it is.
#[derive(Debug, Default)]
pub(super) struct Parts(VecDeque<Bytes>);

impl Parts {
    /// Of a text; `defined` says whether its transaction has changed already what others read by.
    pub(super) fn of(understood: &Understood, defined: bool) -> Self {
        let cuts = cuts(&understood.pieces, defined);
        if cuts.is_empty() {
            return Self::default();
        }
        let mut parts = VecDeque::with_capacity(cuts.len() + 1);
        let mut from = 0;
        for to in cuts.into_iter().chain([understood.text.len()]) {
            let text = understood.text.get(..to).unwrap_or_default();
            if let Some((before, part)) = text.split_at_checked(from) {
                parts.push_back(query(before, part));
            }
            from = to;
        }
        Self(parts)
    }
}

impl Iterator for Parts {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.0.pop_front()
    }
}

/// Where statements begin that come after a commit of what others read by.
fn cuts(pieces: &[Piece], mut defined: bool) -> Vec<usize> {
    let mut cuts = Vec::new();
    for (piece, next) in pieces.iter().zip(pieces.iter().skip(1)) {
        defined |= piece.defines();
        if piece.commits() && std::mem::take(&mut defined) {
            cuts.push(next.statement.text.start);
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
