//! The cheap look that rejects most text: how many digits, an `@`, anything that is not ASCII.
//!
//! Every detector but those of secrets, which have marks of their own, needs `@` or at least [`DIGITS_MIN`] digits within two neighbouring blocks, so a block with
//! fewer than half of them starts no search.

/// The fewest digits in a number that a detector finds (an IBAN that is mostly letters; an SSN has nine).
pub(crate) const NUMBER_DIGITS_MIN: usize = 7;

/// The fewest digits by which a value is found: a ZIP code, or day and year.
pub(crate) const DIGITS_MIN: u32 = 5;

/// No value found by its digits is shorter, unless the column's name says what it is.
const NUMBER_BYTES_MIN: usize = 9;

/// Bytes looked at together. No value found by its digits is longer.
pub(crate) const BLOCK_BYTES: usize = 64;

/// Digits that make a block worth a search: a value lies in at most two blocks, one of which has half its digits.
const BLOCK_DIGITS_MIN: u8 = 3;

/// Shorter text holds nothing that a detector finds (`a@b.co` is the shortest).
pub(crate) const TEXT_BYTES_MIN: usize = 6;

/// What stands in a piece of text. Counts may be too high, never too low.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Profile {
    /// ASCII digits.
    pub(crate) digits: u32,
    /// Bytes of 0x80 and above.
    pub(crate) high: u32,
    /// Whether there is an `@`.
    pub(crate) at: bool,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

impl Profile {
    /// Eight bytes at a time in ordinary registers: the quickest way for short cells. The last eight overlap.
    /// Text must have four bytes at least.
    #[inline]
    pub(crate) fn of_short(text: &[u8]) -> Self {
        let mut digits = 0;
        let mut high = 0;
        let mut at = 0;
        let mut look = |word: u64| {
            let low = word & !HIGHS;
            let ascii = !word & HIGHS;
            digits += (low.wrapping_add(ONES * 0x50) & !low.wrapping_add(ONES * 0x46) & ascii)
                .count_ones();
            high += (word & HIGHS).count_ones();
            at |= !((low ^ (ONES * 0x40)).wrapping_add(ONES * 0x7f)) & ascii;
        };
        let (words, rest) = text.as_chunks::<8>();
        for word in words {
            look(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            match text.last_chunk::<8>() {
                Some(word) => look(u64::from_le_bytes(*word)),
                None => {
                    let half = |four: Option<&[u8; 4]>| {
                        u64::from(u32::from_le_bytes(four.copied().unwrap_or_default()))
                    };
                    look(half(text.first_chunk()) | half(text.last_chunk()) << 32);
                }
            }
        }
        Self {
            digits,
            high,
            at: at != 0,
        }
    }

    /// Whether text of this length and profile can hold nothing that is found by digits or `@`; `named` if the column's
    /// name says something.
    ///
    /// A digit outside ASCII has at least two high bytes, and only a character that begins with 0xEF folds to `@`,
    /// so text with fewer high bytes than digits are needed is clean too; the caller looks for 0xEF.
    #[inline]
    pub(crate) fn is_clean(self, len: usize, named: bool) -> bool {
        let short = len < NUMBER_BYTES_MIN && !named;
        !self.at && (self.digits + self.high < DIGITS_MIN || short)
    }
}

/// What one block says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// Enough digits to search here and one block back.
    pub(crate) hot: bool,
    /// An `@` stands in it.
    pub(crate) at: bool,
}

/// Looks at one whole block; the loop has no branches, so that the compiler makes vector code of it.
#[inline]
pub(crate) fn block(bytes: &[u8; BLOCK_BYTES]) -> Block {
    let mut digits = 0_u8;
    let mut at = 0_u8;
    for &byte in bytes {
        digits += u8::from(byte.wrapping_sub(b'0') < 10);
        at |= u8::from(byte == b'@');
    }
    Block {
        hot: digits >= BLOCK_DIGITS_MIN,
        at: at != 0,
    }
}

/// Where digits stand in [`BLOCK_BYTES`] of text, a bit for each byte, and how far they may belong together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digits {
    /// ASCII digits.
    pub(crate) is: u64,
    /// Digits, and what may stand between those of one number.
    joined: u64,
}

impl Digits {
    /// Looks at the text from `pos` on. What is beyond its end is nothing.
    #[inline]
    pub(crate) fn at(text: &[u8], pos: usize) -> Self {
        let rest = text.get(pos..).unwrap_or_default();
        match rest.first_chunk() {
            Some(bytes) => Self::of(bytes),
            None => {
                let mut bytes = [0; BLOCK_BYTES];
                bytes
                    .iter_mut()
                    .zip(rest)
                    .for_each(|(to, from)| *to = *from);
                Self::of(&bytes)
            }
        }
    }

    #[inline]
    fn of(bytes: &[u8; BLOCK_BYTES]) -> Self {
        let mut flags = [0_u8; BLOCK_BYTES];
        for (flag, &byte) in flags.iter_mut().zip(bytes) {
            let digit = byte.wrapping_sub(b'0') < 10;
            // , - . / and : stand beside the digits in ASCII.
            let joins = byte.wrapping_sub(b',') <= b':' - b','
                || byte & 0xFE == b'('
                || byte == b' '
                || byte == b'_';
            *flag = u8::from(digit) | u8::from(joins) << 1;
        }
        Self {
            is: bits(&flags, 0),
            joined: bits(&flags, 1),
        }
    }

    /// Whether the digits at `place` go on with those before them: what joins digits stands between, and nothing else. Not
    /// known, and denied, of the first in a block.
    #[inline]
    pub(crate) fn goes_on(self, place: u32) -> bool {
        let before = (1_u64 << place) - 1;
        let digits = self.is & before;
        let breaks = !self.joined & before;
        digits > breaks
    }

    /// How many digits there are, from the one at `place` on, with nothing but what joins digits between; may be too many.
    #[inline]
    pub(crate) fn together(self, place: u32) -> usize {
        let breaks = !(self.joined >> place);
        let length = breaks.trailing_zeros();
        if place + length >= u64::BITS {
            return usize::MAX;
        }
        // To count bits costs more than all the rest.
        if (length as usize) < NUMBER_DIGITS_MIN {
            return length as usize;
        }
        let below = breaks & breaks.wrapping_neg();
        (self.is >> place & below.wrapping_sub(1)).count_ones() as usize
    }
}

/// One bit of each byte, in order.
#[inline]
fn bits(bytes: &[u8; BLOCK_BYTES], bit: u32) -> u64 {
    let (words, _) = bytes.as_chunks::<8>();
    let packed = |word: &[u8; 8]| {
        let ones = u64::from_le_bytes(*word) >> bit & ONES;
        ones.wrapping_mul(0x0102_0408_1020_4080) >> 56
    };
    words
        .iter()
        .rev()
        .fold(0, |all, word| all << 8 | packed(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_where_they_are(text in "[0-9a( /:,_*-]{0,150}", pos in 0_usize..90, place in 0_u32..64) {
            let text = text.as_bytes();
            let byte = |place: u32| text.get(pos + place as usize).copied().unwrap_or_default();
            let block = Digits::at(text, pos);
            for place in 0..64 {
                prop_assert_eq!(block.is >> place & 1 != 0, byte(place).is_ascii_digit());
            }
            let joins = |byte: u8| byte.is_ascii_digit() || b"( /:,_-.".contains(&byte);
            let together = (place..64).take_while(|place| joins(byte(*place)));
            let digits = together.filter(|place| byte(*place).is_ascii_digit()).count();
            prop_assert!(block.together(place) >= digits);
            let mut before = (0..place).rev().skip_while(|place| joins(byte(*place)) && !byte(*place).is_ascii_digit());
            let goes_on = before.next().is_some_and(|place| byte(place).is_ascii_digit());
            prop_assert_eq!(block.goes_on(place), goes_on);
        }
    }
}
