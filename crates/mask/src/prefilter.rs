//! The cheap look that rejects most text: whether there are digits, an `@`, anything that is not ASCII.
//!
//! Every detector but those of secrets, which have marks of their own, needs `@` or digits, so a block without starts no search
//! but of what stands before the digits of the next.

use crate::bits::{BLOCK_BYTES, any, any_word, is_digit};

/// The fewest digits in a number that a detector finds (an IBAN that is mostly letters; an SSN has nine).
pub(crate) const NUMBER_DIGITS_MIN: usize = 7;

/// The fewest digits by which a value is found: a ZIP code, or day and year.
pub(crate) const DIGITS_MIN: u32 = 5;

/// No value found by its digits is shorter, unless the column's name says what it is.
const NUMBER_BYTES_MIN: usize = 9;

/// Shorter text holds nothing that a detector finds (`a@b.co` is the shortest).
pub(crate) const TEXT_BYTES_MIN: usize = 6;

/// The shortest text that holds a secret with a mark: `pwd=` and four characters.
pub(crate) const SECRET_BYTES_MIN: usize = 7;

/// The shortest web token: twelve characters of the header, a dot, and the mark of the claims with a dot behind.
const TOKEN_BYTES_MIN: usize = 17;

/// The shortest text that holds a secret without any of the bytes of marks: `hvs.` and 24 characters. Those are a run of
/// base64, but where invisible characters stand between.
const UNMARKED_BYTES_MIN: usize = 28;

/// What stands in a short text, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Profile(u64);

/// So many bytes can be counted.
pub(crate) const PROFILE_BYTES_MAX: usize = 128;

/// The sorts of bytes that are counted, each in bits of its own: ASCII digits; bytes of 0x80 and above; `@`; what stands in
/// marks of secrets; what begins a character that is written otherwise; what web tokens have in their mark.
const DIGIT: u32 = 0;
const HIGH: u32 = 8;
const AT: u32 = 16;
const MARK: u32 = 24;
const UNIT: u32 = 32;
const TOKEN: u32 = 40;

/// What each byte counts as.
const SORTS: [u64; 256] = sorts();

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
#[expect(clippy::cast_possible_truncation, reason = "there are 256")]
const fn sorts() -> [u64; 256] {
    let mut sorts = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let sort = match byte as u8 {
            b'0'..=b'9' => 1 << DIGIT,
            b'@' => 1 << AT,
            // Every mark has such a byte or needs one behind it, but for those that a long value follows.
            b'_' | b'-' | b'=' | b':' | b'~' | b'I' => 1 << MARK,
            b'J' => 1 << TOKEN,
            // The first bytes of the dashes that are folded, and of `＠`.
            0xE2 | 0xE3 | 0xD6 | 0xEF => 1 << HIGH | 1 << MARK,
            0x80.. => 1 << HIGH,
            b'%' | b'&' | b'\\' => 1 << UNIT,
            _ => 0,
        };
        sorts[byte] = sort;
        byte += 1;
    }
    sorts
}

impl Profile {
    /// Looks at a text of at most [`PROFILE_BYTES_MAX`] bytes.
    #[inline]
    pub(crate) fn of(text: &[u8]) -> Self {
        let sort = |byte: &u8| SORTS.get(usize::from(*byte)).copied().unwrap_or_default();
        Self(text.iter().map(sort).sum())
    }

    fn count(self, sort: u32) -> u64 {
        self.0 >> sort & 0xFF
    }

    /// Whether text of this length and profile can hold nothing that is found by digits, `@` or a mark, but for a secret
    /// that is a run of base64; `named` if the column's name says something.
    ///
    /// A digit outside ASCII has at least two high bytes, so text with fewer pairs of them than digits are needed is clean too.
    #[inline]
    pub(crate) fn is_clean(self, len: usize, named: bool) -> bool {
        let short = len < NUMBER_BYTES_MIN && !named;
        let few = self.count(DIGIT) + self.count(HIGH) / 2 < u64::from(DIGITS_MIN);
        let marked = len >= SECRET_BYTES_MIN && self.count(MARK) != 0
            || len >= TOKEN_BYTES_MIN && self.count(TOKEN) != 0
            || len >= UNMARKED_BYTES_MIN && self.count(HIGH) != 0;
        self.count(AT) == 0 && (few || short) && !marked
    }

    /// Whether a character may be written otherwise.
    #[inline]
    pub(crate) fn may_have_units(self) -> bool {
        self.count(UNIT) != 0
    }
}

/// The shortest text that is found by what a sentence says: `at 1 Oak Lane`.
const SENTENCE_BYTES_MIN: usize = 13;

/// Whether a short text may hold what a sentence announces: a digit behind a space and the end of *at*, *to*, *near* or
/// *from*; the two letters in the middle of *password*; or a character that may stand for one of those.
#[inline]
pub(crate) fn may_announce(text: &[u8]) -> bool {
    if text.len() < SENTENCE_BYTES_MIN {
        return false;
    }
    let behind = |count| text.get(count..).unwrap_or_default();
    let four = text
        .iter()
        .zip(behind(1))
        .zip(behind(2).iter().zip(behind(3)));
    four.fold(false, |seen, ((&first, &second), (&third, &fourth))| {
        let word = u16::from_be_bytes([first, second]) | 0x2020;
        let is = |end: &[u8; 2]| word == u16::from_be_bytes(*end);
        let word = is(b"at") | is(b"to") | is(b"ar") | is(b"om");
        let house = is_digit(fourth) & (third == b' ') & word;
        // The letters of European languages stand for none; a lone 0xA0 is a space.
        let latin = first.wrapping_sub(0xC3) <= 0xCB - 0xC3;
        let space = (second == 0xA0) & !latin;
        let other = (first >= 0xC0) & !latin;
        seen | house | is(b"ss") | space | other
    })
}

/// What one block says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// There are digits: the number of a house may have one.
    pub(crate) hot: bool,
    /// An `@` stands in it.
    pub(crate) at: bool,
}

/// Looks at one whole block; the loop has no branches, so that the compiler makes vector code of it.
#[inline]
pub(crate) fn block(bytes: &[u8; BLOCK_BYTES]) -> Block {
    let mut hot = false;
    let mut at = false;
    for &byte in bytes {
        hot |= is_digit(byte);
        at |= byte == b'@';
    }
    Block { hot, at }
}

/// Whether what a mark of a secret needs may stand in a block, but for letters: digits, signs, capitals enough for a code or a
/// licence, or a word as long as a token.
#[inline]
pub(crate) fn tells(bytes: &[u8; BLOCK_BYTES]) -> bool {
    any(bytes, is_digit_or_sign)
        || any(bytes, is_sign)
        || any_word::<4>(bytes, |byte| byte.is_ascii_uppercase())
        || any_word::<8>(bytes, |byte| byte.cast_signed() >= 0x2B)
}

/// Digits and the signs behind them in ASCII.
#[inline(always)]
fn is_digit_or_sign(byte: u8) -> bool {
    byte.wrapping_sub(b'0') <= b'>' - b'0'
}

#[inline(always)]
fn is_sign(byte: u8) -> bool {
    (byte.wrapping_sub(b'!') <= b'&' - b'!')
        | (byte == b'+')
        | (byte == b'-')
        | (byte == b'@')
        | (byte | 0x21 == 0x7F) // ^ _ and ~
}
