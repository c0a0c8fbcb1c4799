//! Text piece by piece, with bounded memory; the result does not depend on the pieces.

use std::sync::Arc;

use crate::detect::{Hint, Kind, LOOK_CHARS_MAX};
use crate::findings::Findings;
use crate::fold::BYTES_PER_FOLDED_MAX;
use crate::masker::Masker;
use crate::pass::{Pass, Window};
use crate::render;

/// Bytes of context kept before, and held back after, the part that is being masked.
pub const STREAM_HOLD_BYTES: usize = 24 * 1024;

/// Bytes masked at a time. A stream holds at most this, context on both sides, and what one push brought.
pub const STREAM_PIECE_BYTES: usize = 64 * 1024;

// A character that is encoded takes at most three times the room that it takes otherwise.
const _: () = assert!(3 * LOOK_CHARS_MAX * BYTES_PER_FOLDED_MAX <= STREAM_HOLD_BYTES);

/// `pos` or, if it lies within a character of UTF-8, where that character begins.
pub(crate) fn char_start(text: &[u8], pos: usize) -> usize {
    let is_start = |pos: &usize| text.get(*pos).is_none_or(|byte| byte & 0xC0 != 0x80);
    (pos.saturating_sub(3)..=pos)
        .rev()
        .find(is_start)
        .unwrap_or(pos)
}

/// Text masked piece by piece. Made by [`Masker::stream`].
///
/// [`Stream::finish`] must be called: the last [`STREAM_HOLD_BYTES`] come only then. A stream has no NULL and cannot
/// take back what it gave, so [`crate::Strategy::Null`] and [`crate::Strategy::Withhold`] redact the value that was found.
#[derive(Debug)]
pub struct Stream {
    masker: Arc<Masker>,
    hint: Hint,
    pass: Pass,
    /// Context, then what is not masked yet.
    text: Vec<u8>,
    /// Where the unmasked part begins in `text`.
    from: usize,
    /// Where `text` stands in the whole.
    base: u64,
}

impl Stream {
    pub(crate) fn new(masker: Arc<Masker>, hint: Hint) -> Self {
        Self {
            masker,
            hint,
            pass: Pass::default(),
            text: Vec::new(),
            from: 0,
            base: 0,
        }
    }

    /// The same stream, in which every byte keeps its place: what hides a character is as many bytes long.
    #[must_use]
    pub fn in_place(mut self) -> Self {
        self.pass.in_place = true;
        self
    }

    /// The same stream, in which base64 and hexadecimal stay what they are: what hides a part is `A`, and can be decoded.
    #[must_use]
    pub fn decodable(mut self) -> Self {
        self.pass.decodable = true;
        self
    }

    /// The same stream, in which the ids of AWS's access keys are no secrets; the keys are.
    #[must_use]
    pub fn with_key_ids(mut self) -> Self {
        self.pass.spared = Some(Kind::AwsId);
        self
    }

    /// Takes the next piece and appends to `out` what is ready.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>, findings: &mut Findings) {
        for piece in piece.chunks(STREAM_PIECE_BYTES) {
            self.text.extend_from_slice(piece);
            while self.text.len() - self.from >= STREAM_PIECE_BYTES + STREAM_HOLD_BYTES {
                self.mask_to(
                    char_start(&self.text, self.from + STREAM_PIECE_BYTES),
                    out,
                    findings,
                );
            }
        }
    }

    /// The text is complete: appends the rest to `out`.
    pub fn finish(mut self, out: &mut Vec<u8>, findings: &mut Findings) {
        self.mask_to(self.text.len(), out, findings);
    }

    fn mask_to(&mut self, to: usize, out: &mut Vec<u8>, findings: &mut Findings) {
        let end = self.text.len().min(to + STREAM_HOLD_BYTES);
        let text = self.text.get(..end).unwrap_or_default();
        let window = Window {
            text,
            base: self.base,
            from: self.from,
            to,
        };
        self.pass.find(&self.masker, window, self.hint, findings);
        let render = if self.pass.in_place {
            render::render_in_place
        } else {
            render::render
        };
        render(
            window.part(),
            self.base + self.from as u64,
            &mut self.pass.spans,
            out,
        );
        self.pass.passed(self.base + to as u64);
        let done = to.saturating_sub(STREAM_HOLD_BYTES);
        self.text.drain(..done);
        self.base += done as u64;
        self.from = to - done;
    }
}
