//! Characters of one sort in a row.

use std::ops::Range;

use crate::bits::{BLOCK_BYTES, ahead, both, has_byte};

/// Where at least `LEAST` characters of a sort stand in a row, in order: the first and how many; `bits` tells which those of a
/// block are.
pub(super) struct Rows<'a, const LEAST: u32, Bits> {
    text: &'a [u8],
    bits: Bits,
    /// No row is looked for in blocks from here on.
    end: usize,
    /// The block that is looked at, and its places that are left.
    block: usize,
    left: u64,
    /// The characters of it and of the block behind it.
    here: u64,
    next: u64,
}

impl<'a, const LEAST: u32, Bits: Fn(&[u8], usize) -> u64> Rows<'a, LEAST, Bits> {
    /// Looks for what begins in a part, before which no row goes on. Some that begin behind it may be told too.
    pub(super) fn of(text: &'a [u8], part: Range<usize>, bits: Bits) -> Self {
        let from = part.start;
        Self {
            text,
            end: part.end.min(text.len()),
            block: from.wrapping_sub(BLOCK_BYTES),
            left: 0,
            here: 0,
            next: bits(text, from),
            bits,
        }
    }
}

impl<const LEAST: u32, Bits: Fn(&[u8], usize) -> u64> Iterator for Rows<'_, LEAST, Bits> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        while self.left == 0 {
            self.block = self.block.wrapping_add(BLOCK_BYTES);
            if self.block >= self.end {
                return None;
            }
            let inside = self.here >> (BLOCK_BYTES - 1);
            self.here = self.next;
            let next = self.block + BLOCK_BYTES;
            self.next = (self.bits)(self.text, next);
            let starts = in_a_row::<LEAST>(self.here, self.next);
            self.left = starts & !(self.here << 1 | inside);
        }
        let place = self.left.trailing_zeros();
        self.left &= self.left - 1;
        let start = self.block + place as usize;
        let count = ahead(self.here, self.next, place).trailing_ones() as usize;
        let more = match count {
            BLOCK_BYTES => length(self.text, start + BLOCK_BYTES, &self.bits),
            _ => 0,
        };
        Some((start, count + more))
    }
}

/// Which bits of a block are the first of at least so many in a row.
#[inline(always)]
pub(super) fn in_a_row<const COUNT: u32>(here: u64, next: u64) -> u64 {
    const { assert!(COUNT >= 15, "eight of them stand at a multiple of eight") };
    if !has_byte(here, 0xFF) && next & 0xFF != 0xFF {
        return 0;
    }
    let mut all = (here, next);
    let mut count = 1;
    while 2 * count <= COUNT {
        all = both(all.0, all.1, count);
        count *= 2;
    }
    if count < COUNT {
        all = both(all.0, all.1, COUNT - count);
    }
    all.0
}

/// How many characters of a sort stand in a row from `pos` on.
pub(super) fn length(text: &[u8], pos: usize, bits: impl Fn(&[u8], usize) -> u64) -> usize {
    let mut len = 0;
    loop {
        let row = bits(text, pos + len).trailing_ones() as usize;
        len += row;
        if row < BLOCK_BYTES {
            return len;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::alphabet;
    use super::*;

    proptest! {
        #[test]
        fn rows_are_where_they_are(pieces in prop::collection::vec("[a-f]{0,80}|[g-z ]{1,3}", 0..12)) {
            let text = pieces.concat().into_bytes();
            let mut expected = Vec::new();
            for (place, byte) in text.iter().enumerate() {
                let begins = byte.is_ascii_hexdigit() && (place == 0 || !text[place - 1].is_ascii_hexdigit());
                let len = text[place..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
                prop_assert_eq!(length(&text, place, alphabet::digits), len);
                if begins && len >= 22 {
                    expected.push((place, len));
                }
            }
            let found: Vec<_> = Rows::<22, _>::of(&text, 0..text.len(), alphabet::digits).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
