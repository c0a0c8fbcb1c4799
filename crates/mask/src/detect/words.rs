//! Words in a text.

use super::at;
use crate::bits::{BLOCK_BYTES, bits, with_block};

/// Words: runs of letters, broken where a capital follows a small letter, as in `routingNumber`.
pub(super) struct Words<'a> {
    text: &'a [u8],
    /// The first character of the block that is looked at.
    block: usize,
    /// Where words begin in it that are left, and where none goes on.
    starts: u64,
    breaks: u64,
}

impl<'a> Words<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        let mut words = Self {
            text,
            block: 0,
            starts: 0,
            breaks: 0,
        };
        words.look(0);
        words
    }

    fn look(&mut self, block: usize) {
        let (upper, lower) = with_block(self.text, block, |bytes| {
            let upper = bits(bytes, |byte| byte.is_ascii_uppercase());
            (upper, bits(bytes, |byte| byte.is_ascii_lowercase()))
        });
        let letters = upper | lower;
        self.block = block;
        self.starts = letters & !(letters << 1) | upper & lower << 1;
        self.breaks = !letters | self.starts;
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let place = self.starts.trailing_zeros() as usize;
            if place == BLOCK_BYTES {
                if self.block + BLOCK_BYTES >= self.text.len() {
                    return None;
                }
                // The last character of a block is looked at again: what follows may be of its word.
                self.look(self.block + BLOCK_BYTES - 1);
                if self.starts & 1 != 0 && at(self.text, self.block - 1).is_ascii_alphabetic() {
                    self.starts &= self.starts - 1;
                }
                continue;
            }
            self.starts &= self.starts - 1;
            let behind = self.breaks & u64::MAX << place & !(1 << place);
            let end = behind.trailing_zeros() as usize;
            let start = self.block + place;
            if end == BLOCK_BYTES && place > 0 && start + BLOCK_BYTES - place < self.text.len() {
                // The word goes on behind the block.
                self.look(start);
                continue;
            }
            return self.text.get(start..self.text.len().min(self.block + end));
        }
    }
}

/// The words of a part of a text that is no longer than a block.
pub(super) struct FewWords<'a> {
    /// The text from the block on.
    text: &'a [u8],
    /// The part, and where words begin in it and where none goes on.
    part: u64,
    starts: u64,
    breaks: u64,
}

impl<'a> FewWords<'a> {
    /// Those of the characters from a place on that have their bit set, which stand in a row.
    #[inline]
    pub(super) fn of(text: &'a [u8], from: usize, part: u64) -> Self {
        let (upper, lower) = with_block(text, from, |bytes| {
            let upper = bits(bytes, |byte| byte.is_ascii_uppercase());
            (upper, bits(bytes, |byte| byte.is_ascii_lowercase()))
        });
        let (upper, lower) = (upper & part, lower & part);
        let letters = upper | lower;
        let starts = letters & !(letters << 1) | upper & lower << 1;
        Self {
            text: text.get(from..).unwrap_or_default(),
            part,
            starts,
            breaks: !letters | starts,
        }
    }

    /// How many characters are read.
    pub(super) fn len(&self) -> usize {
        self.part.count_ones() as usize
    }

    /// Where they begin.
    #[inline]
    pub(super) fn starts(&self) -> impl Iterator<Item = u32> {
        let mut left = self.starts;
        std::iter::from_fn(move || {
            let place = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            (place < u64::BITS).then_some(place)
        })
    }

    /// The first characters from there on, and zeros behind the text.
    #[inline]
    pub(super) fn head(&self, place: u32) -> u64 {
        let rest = self.text.get(place as usize..).unwrap_or_default();
        u64::from_le_bytes(match rest.first_chunk() {
            Some(bytes) => *bytes,
            None => [0, 1, 2, 3, 4, 5, 6, 7].map(|behind| at(rest, behind)),
        })
    }

    /// The word that begins at a place.
    pub(super) fn at(&self, place: u32) -> &'a [u8] {
        let behind = self.breaks & u64::MAX << place & !(1 << place);
        let end = behind.trailing_zeros() as usize;
        let rest = self.text.get(place as usize..).unwrap_or_default();
        rest.get(..end - place as usize).unwrap_or(rest)
    }

    /// The word before a place, but for an *s* such as that of "driver's".
    pub(super) fn before(&self, place: u32) -> &'a [u8] {
        self.last_of(self.starts & ((1 << place) - 1))
    }

    /// The last word, but for such an *s*.
    pub(super) fn last(&self) -> &'a [u8] {
        self.last_of(self.starts)
    }

    fn last_of(&self, mut starts: u64) -> &'a [u8] {
        while let Some(place) = (u64::BITS - 1).checked_sub(starts.leading_zeros()) {
            let word = self.at(place);
            if word != b"s" {
                return word;
            }
            starts &= !(1 << place);
        }
        b""
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words, letter by letter.
    fn words(text: &[u8]) -> Vec<&[u8]> {
        let mut words = Vec::new();
        let mut pos = 0;
        while pos < text.len() {
            let mut end = pos;
            while at(text, end).is_ascii_alphabetic()
                && (end == pos
                    || !(at(text, end).is_ascii_uppercase()
                        && at(text, end - 1).is_ascii_lowercase()))
            {
                end += 1;
            }
            if end > pos {
                words.push(&text[pos..end]);
            }
            pos = end.max(pos + 1);
        }
        words
    }

    proptest! {
        #[test]
        fn words_are_where_they_are(text in "([a-z]{1,9}|[A-Z]{1,3}|[ _0-9]{1,3}){0,60}") {
            let found: Vec<_> = Words::of(text.as_bytes()).collect();
            prop_assert_eq!(found, words(text.as_bytes()));
        }
    }
}
