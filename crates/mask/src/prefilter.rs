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
