//! Base64 (RFC 4648, both alphabets, padded or not), read from each of its first four characters on.

use std::ops::Range;

use super::alphabet::{all_plain, identifiers, may_be_text, plain_places, three};
use super::runs::Run;
use super::stretch::{self, Code};
use super::way::{Layer, Way};
use crate::bits::{BLOCK_BYTES, ahead, both, first};

/// Every fourth bit.
const GROUPS: u64 = 0x1111_1111_1111_1111;

/// Hands over the texts that a run decodes to. `places` is room to work in.
pub(super) fn each(run: &Run<'_>, places: &mut Vec<u64>, take: &mut impl FnMut(Layer)) {
    let chars = run.chars();
    if chars.len() <= BLOCK_BYTES && !may_be_text(chars, 0, chars.len()) {
        return;
    }
    // Base64 of text has other letters too.
    if run.all(identifiers) || !mark(run, places) {
        return;
    }
    for phase in 0..4 {
        let code = Base64 { run, phase };
        let mut end = 0;
        for (block, bits) in places.iter().enumerate() {
            let mut bits = bits & GROUPS << phase;
            while bits != 0 {
                let place = block * BLOCK_BYTES + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let group = (place - phase) / 4;
                if 3 * group >= end && code.is_text(group) {
                    end = stretch::around(&code, 3 * group, take);
                }
            }
        }
    }
}

/// Finds the characters at which three groups begin that may all be plain: text that is long enough has as many in a row.
/// Says whether there are any.
fn mark(run: &Run<'_>, places: &mut Vec<u64>) -> bool {
    places.clear();
    let chars = run.chars();
    let mut all = 0;
    let mut here = plain_places(chars, 0);
    for place in (0..chars.len()).step_by(BLOCK_BYTES) {
        let next = plain_places(chars, place + BLOCK_BYTES);
        let groups = here[0] & ahead(here[1], next[1], 1) & ahead(here[2], next[2], 2);
        let behind = next[0] & ahead(next[1], u64::MAX, 1) & ahead(next[2], u64::MAX, 2);
        let pairs = both(groups, behind, 4);
        let found = pairs.0 & ahead(groups, behind, 8);
        let found = found & first(chars.len().saturating_sub(place + 11));
        all |= found;
        places.push(found);
        here = next;
    }
    all != 0
}

/// A run read from one of its first four characters on.
struct Base64<'a> {
    run: &'a Run<'a>,
    phase: usize,
}

impl Base64<'_> {
    fn groups(&self) -> &[[u8; 4]] {
        let chars = self.run.chars().get(self.phase..).unwrap_or_default();
        chars.as_chunks().0
    }

    /// Whether three groups from this one on are plain.
    fn is_text(&self, group: usize) -> bool {
        let groups = self.groups().get(group..).and_then(<[_]>::first_chunk);
        groups.is_some_and(|groups: &[_; 3]| groups.iter().all(|it| all_plain(three(*it))))
    }
}

impl Code for Base64<'_> {
    fn count(&self) -> usize {
        self.run.chars().len().saturating_sub(self.phase) * 3 / 4
    }

    fn decode(&self, part: Range<usize>, bytes: &mut Vec<u8>) {
        let whole = self.groups().get(part.start / 3..).unwrap_or_default();
        let count = part.len().div_ceil(3);
        let before = bytes.len();
        bytes.resize(before + 3 * count.min(whole.len()), 0);
        let (slots, _) = bytes.get_mut(before..).unwrap_or_default().as_chunks_mut();
        let groups = slots.iter_mut().zip(whole);
        groups.for_each(|(slot, group)| *slot = three(*group));
        if count > whole.len() {
            let done = self.phase + 4 * self.groups().len();
            let mut last = [b'A'; 4];
            let rest = self.run.chars().get(done..).unwrap_or_default();
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            bytes.extend(three(last));
        }
        bytes.truncate(before + part.len());
    }

    fn way(&self, start: usize, end: usize) -> Way {
        let mut way = Way::without(start % 3);
        let first = start / 3;
        let last = end.div_ceil(3);
        let mut group = first;
        while group < last {
            let from = self.phase + 4 * group;
            let (original, left) = self.run.original(from);
            // As many as stand whole in this line.
            let count = (left / 4).min(last - group);
            way.push((group - first) * 3, original, 3, 4, count);
            group += count;
            if count == 0 {
                // The last character of one that a line's end parts, or that is not complete.
                let to = (from + 3).min(self.run.chars().len().saturating_sub(1));
                let width = self.run.original(to).0 + 1 - original;
                way.push((group - first) * 3, original, 3, width, 1);
                group += 1;
            }
        }
        way
    }
}
