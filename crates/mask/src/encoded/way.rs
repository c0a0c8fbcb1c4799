//! Decoded text and the way back.

use std::ops::Range;

use super::Carrier;

/// Text that was decoded from a part of another.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) text: Vec<u8>,
    pub(super) way: Way,
    pub(super) carrier: Carrier,
    /// Where units stand in the text, and how near to one a value must begin; `None` if all of it is encoded.
    pub(super) near: Option<(Vec<usize>, usize)>,
}

impl Layer {
    /// Takes a part of the text as it stands.
    pub(super) fn plain(&mut self, text: &[u8], from: usize, to: usize) {
        let part = text.get(from..to).unwrap_or_default();
        if !part.is_empty() {
            self.way.push(self.text.len(), from, 1, 1, part.len());
            self.text.extend_from_slice(part);
        }
    }

    /// Whether a value that begins at `pos` reads otherwise than it stands.
    pub(super) fn concerns(&self, pos: usize) -> bool {
        let Some((units, look)) = &self.near else {
            return true;
        };
        let pos = self.way.start(pos);
        let next = units.partition_point(|unit| *unit < pos);
        let before = next.checked_sub(1).and_then(|last| units.get(last));
        let near = |unit: &usize| unit.abs_diff(pos) <= *look;
        units.get(next).is_some_and(near) || before.is_some_and(near)
    }

    /// The part of it that begins within a part of the text that it was decoded from.
    pub(super) fn part(&self, around: &Range<usize>) -> Range<usize> {
        let at = |original| self.way.decoded(original).min(self.text.len());
        at(around.start)..at(around.end)
    }

    /// Whether it is all of a text of so many bytes.
    pub(super) fn covers(&self, len: usize) -> bool {
        let all = self.way.range(0..self.text.len());
        // Behind it there may be padding.
        all.start == 0 && all.end + 2 >= len
    }
}

/// From here on so many decoded bytes stand for so many of the text, again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    decoded: usize,
    original: usize,
    bytes: usize,
    width: usize,
}

/// Where decoded bytes come from.
#[derive(Debug, Default)]
pub(super) struct Way {
    pieces: Vec<Piece>,
    /// Decoded bytes of the first group that are not part of the text.
    lead: usize,
    /// Where the original ends.
    end: usize,
}

impl Way {
    /// The way to text of which the first `lead` bytes are left out.
    pub(super) fn without(lead: usize) -> Self {
        Self {
            lead,
            ..Self::default()
        }
    }

    /// The next `count` groups of `bytes` decoded bytes, the first of them at `decoded`, stand from `original` on, each as
    /// `width` bytes.
    pub(super) fn push(
        &mut self,
        decoded: usize,
        original: usize,
        bytes: usize,
        width: usize,
        count: usize,
    ) {
        if count == 0 {
            return;
        }
        self.end = original + count * width;
        let goes_on = self.pieces.last().is_some_and(|last| {
            (last.bytes, last.width) == (bytes, width) && {
                let groups = (decoded - last.decoded) / last.bytes;
                last.original + groups * width == original
            }
        });
        if !goes_on {
            self.pieces.push(Piece {
                decoded,
                original,
                bytes,
                width,
            });
        }
    }

    fn piece(&self, decoded: usize) -> Option<&Piece> {
        let after = self.pieces.partition_point(|it| it.decoded <= decoded);
        self.pieces.get(after.checked_sub(1)?)
    }

    /// The first decoded byte whose group begins at `original` or behind it.
    fn decoded(&self, original: usize) -> usize {
        let after = self.pieces.partition_point(|it| it.original < original);
        let Some(it) = after.checked_sub(1).and_then(|last| self.pieces.get(last)) else {
            return 0;
        };
        let groups = (original - it.original).div_ceil(it.width);
        let next = self
            .pieces
            .get(after)
            .map_or(usize::MAX, |next| next.decoded);
        (it.decoded + groups * it.bytes)
            .min(next)
            .saturating_sub(self.lead)
    }

    /// Where a stretch of decoded bytes stands.
    pub(super) fn range(&self, part: Range<usize>) -> Range<usize> {
        self.start(part.start)..self.end(part.end)
    }

    /// Where the group of the byte at `pos` begins.
    pub(super) fn start(&self, pos: usize) -> usize {
        let pos = pos + self.lead;
        self.piece(pos).map_or(self.end, |it| {
            let group = (pos - it.decoded) / it.bytes;
            (it.original + group * it.width).min(self.end)
        })
    }

    /// Where the group of the last byte before `pos` ends.
    fn end(&self, pos: usize) -> usize {
        let Some(last) = (pos + self.lead).checked_sub(1) else {
            return self.start(pos);
        };
        self.piece(last).map_or(self.end, |it| {
            let group = (last - it.decoded) / it.bytes;
            (it.original + (group + 1) * it.width).min(self.end)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_begins_where_is_known_both_ways(pieces in prop::collection::vec((1_usize..4, 1_usize..7, 1_usize..5, 0_usize..3), 1..8),
                                                lead in 0_usize..3, place in 0_usize..120) {
            let mut way = Way::without(lead);
            let (mut decoded, mut original) = (0, 5);
            for (bytes, width, count, gap) in pieces {
                way.push(decoded, original, bytes, width, count);
                decoded += bytes * count;
                original += width * count + gap;
            }
            let count = decoded.saturating_sub(lead);
            let first = (0..count).find(|pos| way.start(*pos) >= place).unwrap_or(count);
            prop_assert_eq!(way.decoded(place).min(count), first);
        }
    }
}
