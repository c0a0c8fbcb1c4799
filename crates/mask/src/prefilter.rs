//! The cheap look that rejects most text: whether there are digits, an `@`, anything that is not ASCII.
//!
//! Every detector but those of secrets, which have marks of their own, needs `@` or digits, so a block without starts no search
//! but of what stands before the digits of the next.

/// The fewest digits in a number that a detector finds (an IBAN that is mostly letters; an SSN has nine).
pub(crate) const NUMBER_DIGITS_MIN: usize = 7;

/// The fewest digits by which a value is found: a ZIP code, or day and year.
pub(crate) const DIGITS_MIN: u32 = 5;

/// No value found by its digits is shorter, unless the column's name says what it is.
const NUMBER_BYTES_MIN: usize = 9;

/// Bytes looked at together. No value found by its digits is longer.
pub(crate) const BLOCK_BYTES: usize = 64;

/// Digits that make a block worth a search: the number of a house may have one.
const BLOCK_DIGITS_MIN: u8 = 1;

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

const ONES: u64 = 0x0101_0101_0101_0101;

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

/// Whether what a mark of a secret needs may stand in a block, but for letters: digits, signs, one of the capitals of the marks
/// that need nothing else, or a word long enough.
#[inline]
pub(crate) fn tells(bytes: &[u8; BLOCK_BYTES]) -> bool {
    any(bytes, is_digit) || any(bytes, is_sign) || has_word(bytes)
}

#[inline(always)]
fn is_sign(byte: u8) -> bool {
    let sign = (byte.wrapping_sub(b'!') <= b'&' - b'!')
        | (byte & 0xFE == b'^')
        | (byte == b':')
        | (byte == b'=')
        | (byte == b'+')
        | (byte == b'-')
        | (byte == b'@')
        | (byte == b'~');
    let capital = (byte == b'C') | (byte == b'F') | (byte == b'J') | (byte == b'L');
    sign | capital
}

/// Whether there is a byte of a sort. Written so that the compiler makes vector code of it.
#[inline(always)]
fn any(bytes: &[u8; BLOCK_BYTES], is: impl Fn(u8) -> bool) -> bool {
    let mut flags = [0_u8; BLOCK_BYTES];
    for (flag, &byte) in flags.iter_mut().zip(bytes) {
        *flag = u8::from(is(byte));
    }
    let (words, _) = flags.as_chunks::<8>();
    let all = words.iter().map(|word| u64::from_le_bytes(*word));
    all.fold(0, |all, word| all | word) != 0
}

/// Whether eight bytes in a row, at a multiple of eight, may be of base64: of fifteen in a row some are.
#[inline]
pub(crate) fn has_word(bytes: &[u8; BLOCK_BYTES]) -> bool {
    /// All characters of base64 are above this.
    const LEAST: u64 = 0x2B;
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().fold(false, |any, word| {
        let word = u64::from_le_bytes(*word);
        any | (word.wrapping_sub(ONES * LEAST) & !word & (ONES << 7) == 0)
    })
}

/// Where digits stand in [`BLOCK_BYTES`] of text, a bit for each byte, and how far they may belong together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Digits {
    /// ASCII digits.
    is: u64,
    /// Digits, and what may stand between those of one number.
    joined: u64,
}

impl Digits {
    /// Looks at the text from `pos` on. What is beyond its end is nothing.
    #[inline]
    pub(crate) fn at(text: &[u8], pos: usize) -> Self {
        with_block(text, pos, |bytes| Self {
            is: bits(bytes, is_digit),
            joined: bits(bytes, joins),
        })
    }

    /// The last two of the bytes before `pos`, as the end of a block.
    #[inline]
    pub(crate) fn before(text: &[u8], pos: usize) -> Self {
        let byte = |back| {
            let byte = text.get(pos.wrapping_sub(back));
            byte.copied().unwrap_or_default()
        };
        let bit = |is: bool, back| u64::from(is) << (BLOCK_BYTES - back);
        Self {
            is: bit(is_digit(byte(1)), 1) | bit(is_digit(byte(2)), 2),
            joined: bit(joins(byte(1)), 1) | bit(joins(byte(2)), 2),
        }
    }
}

#[inline(always)]
fn is_digit(byte: u8) -> bool {
    byte.wrapping_sub(b'0') < 10
}

/// Whether a byte is a digit or may stand between those of one number.
#[inline(always)]
fn joins(byte: u8) -> bool {
    // , - . / and : stand beside the digits in ASCII.
    (byte.wrapping_sub(b',') <= b':' - b',')
        | (byte & 0xFE == b'(')
        | (byte == b' ')
        | (byte == b'_')
}

/// A block with its neighbours. Places are those of its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    /// Of the block before, the last two bytes count.
    pub(crate) before: Digits,
    pub(crate) here: Digits,
    pub(crate) next: Digits,
}

impl Pair {
    /// The digit runs that may begin a value. Others never do; `named` if the column's name says something.
    ///
    /// At least [`NUMBER_DIGITS_MIN`] characters from there on are digits or join them; behind digits that it goes on with and
    /// without a name there are more, or three or nine digits begin a group. Or letters stand before two digits; or there
    /// are just as many as in a ZIP code; or a word and one character that joins stand before them, as before a house number.
    #[inline]
    pub(crate) fn worth(&self, named: bool) -> u64 {
        let Self { before, here, next } = self;
        // What is behind the next block is taken for whatever makes a run worth a look.
        let two = both(here.joined, next.joined, 1);
        let four = both(two.0, two.1, 2);
        let seven = both(four.0, four.1, 3);
        let eleven = both(seven.0, seven.1, 4).0;
        let starts = here.is & !(here.is << 1 | before.is >> 63);
        let glued = here.joined << 1 | before.joined >> 63;
        let digit_before = here.is << 2 | before.is >> 62;
        let second = ahead(here.is, next.is, 1);
        let lettered = !glued & !digit_before & second;
        let pairs = both(here.is, next.is, 1);
        let fours = both(pairs.0, pairs.1, 2);
        let three = pairs.0 & ahead(here.is, next.is, 2) & !ahead(here.is, next.is, 3);
        let zip = glued & fours.0 & ahead(here.is, next.is, 4) & !ahead(here.is, next.is, 5);
        let nine = fours.0 & ahead(fours.0, fours.1, 4) & ahead(here.is, next.is, 8);
        let told = glued & !(here.joined << 2 | before.joined >> 62);
        let number = if named {
            seven.0
        } else {
            seven.0 & (!glued | !digit_before | eleven | three | nine)
        };
        starts & (number | lettered | zip | told)
    }

    /// How many digits stand in a row from `place` on, of at most [`BLOCK_BYTES`].
    #[inline]
    pub(crate) fn run(&self, place: u32) -> usize {
        let digits = ahead(self.here.is, self.next.is, place);
        digits.trailing_ones() as usize
    }

    /// How many characters from `place` on are digits or join them, of at most [`BLOCK_BYTES`].
    #[inline]
    pub(crate) fn joined(&self, place: u32) -> usize {
        let joined = ahead(self.here.joined, self.next.joined, place);
        joined.trailing_ones() as usize
    }

    /// How many digits are among the `count` characters from `place` on, the first of which is one.
    #[inline]
    pub(crate) fn digits(&self, place: u32, count: usize) -> usize {
        let digits = ahead(self.here.is, self.next.is, place);
        let unused = BLOCK_BYTES.saturating_sub(count.max(1));
        (digits << unused).count_ones() as usize
    }

    /// Whether the digits at `place` go on with those before them: what joins digits stands between, and nothing else;
    /// `entered` says so of the first ones in the block.
    #[inline]
    pub(crate) fn goes_on(&self, place: u32, entered: bool) -> bool {
        self.last_is_digit((1_u64 << place) - 1, entered)
    }

    /// Whether what joins digits reaches from one to the block's end.
    #[inline]
    pub(crate) fn leaves(&self, entered: bool) -> bool {
        self.last_is_digit(u64::MAX, entered)
    }

    #[inline]
    fn last_is_digit(&self, part: u64, entered: bool) -> bool {
        let digits = self.here.is & part;
        let breaks = !self.here.joined & part;
        digits > breaks || entered && breaks == 0
    }
}

/// The bits from `place` on, with those of the next block behind.
#[inline(always)]
pub(crate) fn ahead(here: u64, next: u64, place: u32) -> u64 {
    // By two steps, for no shift may be as wide as the number.
    here >> place | (next << 1) << (u64::BITS - 1 - place)
}

/// Which bits are set that are also set so many places on, in a block and the next; behind them all are.
#[inline(always)]
pub(crate) fn both(here: u64, next: u64, places: u32) -> (u64, u64) {
    let here = here & ahead(here, next, places);
    (here, next & ahead(next, u64::MAX, places))
}

/// What a look at the bytes of a text from a place on gives; behind its end are zeros, and a place there gives nothing.
#[inline(always)]
pub(crate) fn with_block<T: Default>(
    text: &[u8],
    pos: usize,
    look: impl Fn(&[u8; BLOCK_BYTES]) -> T,
) -> T {
    let rest = text.get(pos..).unwrap_or_default();
    match rest.first_chunk() {
        Some(bytes) => look(bytes),
        None if rest.is_empty() => T::default(),
        None => look(&padded(rest)),
    }
}

/// A text that is not longer than a block, and zeros behind it.
#[inline(never)]
pub(crate) fn padded(text: &[u8]) -> [u8; BLOCK_BYTES] {
    let mut bytes = [0; BLOCK_BYTES];
    let done = copied::<32>(text, &mut bytes)
        || copied::<16>(text, &mut bytes)
        || copied::<8>(text, &mut bytes)
        || copied::<4>(text, &mut bytes);
    if !done {
        bytes
            .iter_mut()
            .zip(text)
            .for_each(|(to, from)| *to = *from);
    }
    bytes
}

/// Copies a text whose first and last bytes, so many of each, are all of it: quicker than byte by byte.
#[inline(always)]
fn copied<const COUNT: usize>(text: &[u8], bytes: &mut [u8; BLOCK_BYTES]) -> bool {
    let (Some(first), Some(last)) = (text.first_chunk::<COUNT>(), text.last_chunk::<COUNT>())
    else {
        return false;
    };
    let behind = bytes
        .get_mut(text.len() - COUNT..)
        .and_then(<[_]>::first_chunk_mut);
    if let Some(slot) = behind {
        *slot = *last;
    }
    if let Some(slot) = bytes.first_chunk_mut() {
        *slot = *first;
    }
    text.len() <= 2 * COUNT
}

/// A bit for each byte of a text from a place on that is of a sort, which zero must not be.
#[inline(always)]
pub(crate) fn bits_at(text: &[u8], pos: usize, is: impl Fn(u8) -> bool) -> u64 {
    with_block(text, pos, |bytes| bits(bytes, &is))
}

/// A bit for each byte that is of a sort.
#[inline(always)]
pub(crate) fn bits(bytes: &[u8; BLOCK_BYTES], is: impl Fn(u8) -> bool) -> u64 {
    let mut flags = [0_u8; BLOCK_BYTES];
    for (flag, &byte) in flags.iter_mut().zip(bytes) {
        *flag = u8::from(is(byte));
    }
    gather(&flags, 0)
}

/// One bit of each byte, in order.
#[inline(always)]
pub(crate) fn gather(flags: &[u8; BLOCK_BYTES], bit: u32) -> u64 {
    let (words, _) = flags.as_chunks::<8>();
    let all = words.iter().zip(0..).fold(0, |all, (word, row)| {
        all | (u64::from_le_bytes(*word) >> bit & ONES) << row
    });
    transposed(all)
}

/// The first so many bits.
#[inline(always)]
pub(crate) fn first(count: usize) -> u64 {
    if count < BLOCK_BYTES {
        (1 << count) - 1
    } else {
        u64::MAX
    }
}

/// Eight rows of eight bits as columns.
#[inline(always)]
fn transposed(mut rows: u64) -> u64 {
    // Of each square of 2, 4 and 8 bits the corners change places.
    for (shift, corner) in [
        (7, 0x00AA_00AA_00AA_00AA),
        (14, 0x0000_CCCC_0000_CCCC),
        (28, 0x0000_0000_F0F0_F0F0),
    ] {
        let changed = (rows ^ rows >> shift) & corner;
        rows ^= changed ^ changed << shift;
    }
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_where_they_are(text in "[0-9a( /:,_*-]{0,200}", pos in 0_usize..90, place in 0_u32..64) {
            let text = text.as_bytes();
            let byte = |place: u32| text.get(pos + place as usize).copied().unwrap_or_default();
            let before = Digits::before(text, pos);
            let pair = Pair { before, here: Digits::at(text, pos), next: Digits::at(text, pos + BLOCK_BYTES) };
            let run = |from: u32| (from..from + 64).take_while(|place| byte(*place).is_ascii_digit()).count();
            let joined = |from: u32| (from..from + 64).take_while(|place| joins(byte(*place))).count();
            let previous = |place: u32| text.get((pos + place as usize).wrapping_sub(1)).copied().unwrap_or_default();
            for place in 0..64 {
                let begins = byte(place).is_ascii_digit() && !previous(place).is_ascii_digit();
                let lettered = previous(place).is_ascii_alphabetic() && run(place) == NUMBER_DIGITS_MIN - 1;
                let zip = previous(place) == b' ' && run(place) == 5;
                let worth = pair.worth(true) >> place & 1 != 0;
                prop_assert!(!worth || begins);
                if begins && (joined(place) >= NUMBER_DIGITS_MIN || lettered || zip) {
                    let counts = !lettered || pos + place as usize >= 2 && !text[pos + place as usize - 2].is_ascii_digit();
                    prop_assert!(worth || !counts, "{}", place);
                }
            }
            prop_assert_eq!(pair.run(place), run(place));
            prop_assert_eq!(pair.joined(place), joined(place));
            let digits = (place..place + joined(place) as u32).filter(|place| byte(*place).is_ascii_digit()).count();
            if byte(place).is_ascii_digit() {
                prop_assert_eq!(pair.digits(place, joined(place)), digits);
            }
            let mut before = (0..place).rev().skip_while(|place| joins(byte(*place)) && !byte(*place).is_ascii_digit());
            let goes_on = before.next().is_some_and(|place| byte(place).is_ascii_digit());
            prop_assert_eq!(pair.goes_on(place, false), goes_on);
        }
    }
}
