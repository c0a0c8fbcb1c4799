//! Hexadecimal, read from each of its first two digits on.

use std::ops::Range;

use super::TEXT_BYTES_MIN;
use super::alphabet::{all_plain, byte, digits, high_digits};
use super::rows::Rows;
use super::stretch::{self, Code};
use super::way::{Layer, Way};
use crate::bits::{BLOCK_BYTES, ahead, both, first};

/// The fewest digits.
pub(super) const CHARS_MIN: u32 = 2 * TEXT_BYTES_MIN as u32;

/// Every other bit.
const PAIRS: u64 = 0x5555_5555_5555_5555;

/// Hands over the texts that digits in `start..end` of the text decode to. `places` is room to work in.
pub(super) fn each(
    text: &[u8],
    start: usize,
    end: usize,
    places: &mut Vec<u64>,
    take: &mut impl FnMut(Layer),
) {
    let part = text.get(start..end).unwrap_or_default();
    if part.len() <= BLOCK_BYTES && !may_mark(part) {
        return;
    }
    for (row, len) in Rows::<CHARS_MIN, _>::of(part, 0..part.len(), digits) {
        let row = start + row;
        texts(text, row, row + len, places, take);
    }
}

/// Whether [`mark`] may find any digits in a part that is no longer than a block: every other one may be the first of a byte.
fn may_mark(part: &[u8]) -> bool {
    let two = both(high_digits(part, 0), 0, 2).0;
    let four = both(two, 0, 4).0;
    let eight = both(four, 0, 8).0;
    eight & eight >> 6 != 0
}

fn texts(
    text: &[u8],
    start: usize,
    end: usize,
    places: &mut Vec<u64>,
    take: &mut impl FnMut(Layer),
) {
    let row = text.get(start..end).unwrap_or_default();
    if !mark(row, places) {
        return;
    }
    for phase in 0..2 {
        let digits = row.get(phase..).unwrap_or_default();
        let start = start + phase;
        let code = Hex { digits, start };
        let mut end = 0;
        for (block, bits) in places.iter().enumerate() {
            let mut bits = bits & PAIRS << phase;
            while bits != 0 {
                let place = block * BLOCK_BYTES + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let place = (place - phase) / 2;
                if place >= end && code.is_text(place) {
                    end = stretch::around(&code, place, take);
                }
            }
        }
    }
}

/// Finds the digits from which on as many bytes as text needs may all be plain. Says whether there are any.
fn mark(row: &[u8], places: &mut Vec<u64>) -> bool {
    const { assert!(TEXT_BYTES_MIN == 11, "8 and 3 more") };
    places.clear();
    let mut all = 0;
    let mut here = high_digits(row, 0);
    for place in (0..row.len()).step_by(BLOCK_BYTES) {
        let next = high_digits(row, place + BLOCK_BYTES);
        let two = both(here, next, 2);
        let four = both(two.0, two.1, 4);
        let eight = both(four.0, four.1, 8);
        let found = eight.0 & ahead(eight.0, eight.1, 6);
        let found = found & first(row.len().saturating_sub(place + 2 * TEXT_BYTES_MIN - 1));
        all |= found;
        places.push(found);
        here = next;
    }
    all != 0
}

/// Digits in a row, the first of which stands at `start`.
struct Hex<'a> {
    digits: &'a [u8],
    start: usize,
}

impl Hex<'_> {
    fn pairs(&self) -> &[[u8; 2]] {
        self.digits.as_chunks().0
    }

    /// Whether as many bytes from this one on are plain as text has.
    fn is_text(&self, place: usize) -> bool {
        let pairs = self.pairs().get(place..).and_then(<[_]>::first_chunk);
        pairs.is_some_and(|pairs: &[_; TEXT_BYTES_MIN]| all_plain(pairs.map(byte)))
    }
}

impl Code for Hex<'_> {
    fn count(&self) -> usize {
        self.digits.len() / 2
    }

    fn decode(&self, part: Range<usize>, bytes: &mut Vec<u8>) {
        let pairs = self.pairs().get(part).unwrap_or_default();
        bytes.extend(pairs.iter().map(|pair| byte(*pair)));
    }

    fn way(&self, start: usize, end: usize) -> Way {
        let mut way = Way::default();
        way.push(0, self.start + 2 * start, 1, 2, end - start);
        way
    }
}
