//! Numbers: digit runs, tried alone and as the first group of several.
//!
//! Blocks of text become bits, a bit for each byte, and a few operations on them tell which of the runs are worth a look.

use std::ops::Range;

use super::pair::{Digits, Pair};
use super::{Hint, Match, address, at, card, groups, iban, identity, keep, phone, routing, ssn};
use crate::bits::{self, BLOCK_BYTES};
use crate::prefilter::NUMBER_DIGITS_MIN;

/// The digits of a ZIP code.
const ZIP_DIGITS: usize = 5;

/// A search through a text from front to back.
pub(super) struct Search<'a> {
    text: &'a [u8],
    hint: Hint,
    /// The block looked at last, where it begins, and the bits of the one before.
    ahead: Digits,
    at: usize,
    before: Digits,
    /// Whether a number that began before that block may go on in it.
    goes_on: bool,
}

impl<'a> Search<'a> {
    pub(super) fn new(text: &'a [u8], hint: Hint) -> Self {
        Self {
            text,
            hint,
            ahead: Digits::default(),
            at: usize::MAX,
            before: Digits::default(),
            goes_on: false,
        }
    }

    /// Tries every digit run that begins in `start..end`.
    #[inline]
    pub(super) fn find(&mut self, start: usize, end: usize, found: &mut Vec<Match>) {
        if start < end {
            self.blocks(start, end, found);
        }
    }

    #[inline(never)]
    fn blocks(&mut self, start: usize, end: usize, found: &mut Vec<Match>) {
        if self.at != start {
            self.at = start;
            self.ahead = Digits::at(self.text, start);
            self.before = Digits::before(self.text, start);
            self.goes_on = false;
        }
        let (mut before, mut ahead) = (self.before, self.ahead);
        let mut goes_on = self.goes_on;
        let mut pos = start;
        while pos < end {
            let next = Digits::at(self.text, pos + BLOCK_BYTES);
            let pair = Pair {
                before,
                here: ahead,
                next,
            };
            self.block(pos, &pair, bits::first(end - pos), goes_on, found);
            goes_on = pair.leaves(goes_on);
            (before, ahead) = (ahead, next);
            pos += BLOCK_BYTES;
        }
        (self.before, self.ahead) = (before, ahead);
        self.goes_on = goes_on;
        self.at = pos;
    }

    /// Tries the digit runs that begin in a part of the block at `pos`; `entered` if a number that began before it may go on
    /// in it.
    #[inline(always)]
    fn block(&self, pos: usize, pair: &Pair, part: u64, entered: bool, found: &mut Vec<Match>) {
        let (text, hint) = (self.text, self.hint);
        let worth = pair.worth(hint != Hint::NONE);
        let start = |place: u32| pos + place as usize;
        for place in places(worth.lettered & part) {
            if at(text, start(place).wrapping_sub(1)).is_ascii_alphabetic() {
                keep(found, iban::at(text, start(place)));
            }
        }
        for place in places(worth.zip & part) {
            let end = start(place) + ZIP_DIGITS;
            keep(found, address::before_zip(text, start(place), end));
        }
        for place in places(worth.house & part) {
            if address::may_be_placed(text, start(place)) {
                let end = start(place) + pair.run(place);
                keep(found, address::placed(text, start(place), end));
            }
        }
        for place in places(worth.number & part) {
            let start = start(place);
            let first = at(text, start);
            let before = at(text, start.wrapping_sub(1));
            let inner = worth.inner >> place & 1 != 0 && !phone::may_lead(before);
            if inner && !card::may_begin(first) {
                continue;
            }
            let digits = pair.ahead(place);
            let len = digits.trailing_ones() as usize;
            let after = at(text, start + len);
            if is_nothing(len, first, after) {
                continue;
            }
            let run = Run {
                text,
                hint,
                pair,
                entered,
                place,
                digits,
                // How many characters from here on are digits, or may stand between those of one number.
                joined: pair.joined(place),
                start,
                len,
                first,
                before,
                after,
            };
            if len < NUMBER_DIGITS_MIN - 1 {
                run.judge_group(found);
            } else {
                run.judge_number(found);
            }
        }
    }
}

/// Whether a run of so many digits is nothing by itself nor begins anything, for it goes on with a character that stands
/// between the digits of cards alone, or of three digits and more.
#[inline]
fn is_nothing(len: usize, first: u8, after: u8) -> bool {
    let card = matches!(len, 1 | 4) && card::may_begin(first);
    matches!(after, b':' | b',' | b'_') && len < NUMBER_DIGITS_MIN - 1 && len != 3 && !card
}

/// The places of the bits that are set.
fn places(mut bits: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        (place < u64::BITS).then_some(place)
    })
}

/// Digits in a row that may be a number or its first group.
struct Run<'a> {
    text: &'a [u8],
    hint: Hint,
    /// The block in which it begins, whether a number from before it may go on in it, and where.
    pair: &'a Pair,
    entered: bool,
    place: u32,
    /// Which of a block of characters from there on are digits, and how many are or may stand between those of one number.
    digits: u64,
    joined: usize,
    /// Where it begins in the text, and how many digits it has.
    start: usize,
    len: usize,
    /// The first digit, and the bytes on either side of the run.
    first: u8,
    before: u8,
    after: u8,
}

impl Run<'_> {
    /// Judges digits that are too few for a number, as the first group of one.
    #[inline(always)]
    fn judge_group(&self, found: &mut Vec<Match>) {
        let Self {
            text, hint, start, ..
        } = *self;
        let end = start + self.len;
        let nine = self.len == 3 && self.are_nine();
        let card = self.may_be_card();
        if nine && self.first == b'9' {
            keep(found, identity::itin(text, start, end, hint));
        }
        if self.may_be_identity() {
            identity::at(text, start, end, hint, found);
        }
        if self.may_be_phone() {
            keep(found, phone::at(text, start, end, hint));
        }
        if card || nine {
            grouped(text, start..end, card, hint, found);
        }
    }

    /// Judges digits that may be a number by themselves.
    #[inline(always)]
    fn judge_number(&self, found: &mut Vec<Match>) {
        let Self {
            text,
            hint,
            start,
            len,
            ..
        } = *self;
        let end = start + len;
        // Six are nothing by themselves, but behind letters.
        if self.joined < NUMBER_DIGITS_MIN && !self.before.is_ascii_alphabetic() {
            return;
        }
        if len == 9 && self.first == b'9' {
            keep(found, identity::itin(text, start, end, hint));
        }
        if self.may_be_identity() {
            identity::at(text, start, end, hint, found);
        }
        if self.may_be_phone() {
            keep(found, phone::at(text, start, end, hint));
        }
        match len {
            ..=8 if self.may_be_card() => grouped(text, start..end, true, hint, found),
            9 => {
                keep(found, ssn::compact(text, start, hint));
                keep(found, routing::compact(text, start, hint));
            }
            12..=19 => keep(found, card::compact(text, start, end, hint)),
            _ => {}
        }
    }

    /// Whether the run may be the first of groups that are a card's.
    #[inline]
    fn may_be_card(&self) -> bool {
        self.joined > card::DIGITS_MIN
            && card::may_begin(self.first)
            && self.among(self.joined) >= card::DIGITS_MIN
    }

    /// How many digits are among so many characters from here on.
    #[inline]
    fn among(&self, count: usize) -> usize {
        (self.digits & bits::first(count)).count_ones() as usize
    }

    /// Whether a word may lead up to the run: none does where more digits stand before it and no word between them.
    #[inline]
    fn may_be_told(&self) -> bool {
        self.hint != Hint::NONE || !self.pair.goes_on(self.place, self.entered)
    }

    #[inline]
    fn may_be_identity(&self) -> bool {
        identity::may_begin(self.len, self.before, self.after, self.hint)
            && (self.len >= NUMBER_DIGITS_MIN - 1
                || identity::may_be_grouped(self.len, self.groups()))
            && self.may_be_told()
    }

    /// The lengths of the second group of digits and of the third, with one character between.
    #[inline]
    fn groups(&self) -> [u32; 2] {
        let rest = self.digits >> self.len >> 1;
        let second = rest.trailing_ones();
        let rest = rest.checked_shr(second + 1).unwrap_or_default();
        [second, rest.trailing_ones()]
    }

    /// Whether three digits are the first of nine, in groups as of a social security or a routing number.
    #[inline]
    fn are_nine(&self) -> bool {
        let group = |rest: u64| {
            let gap = rest.trailing_zeros();
            let rest = rest.checked_shr(gap).unwrap_or_default();
            let digits = rest.trailing_ones();
            let is_near = gap as usize <= groups::SEPARATOR_CHARS_MAX;
            (
                is_near.then_some(digits),
                rest.checked_shr(digits).unwrap_or_default(),
            )
        };
        let (second, rest) = group(self.digits >> 3);
        let (third, _) = group(rest);
        matches!((second, third), (Some(2), Some(4)) | (Some(3), Some(3)))
    }

    /// Whether as many digits as a telephone number has may stand together among so many characters.
    #[inline]
    fn may_be_phone(&self) -> bool {
        let joined = self.joined;
        let leads = phone::may_lead(self.before);
        let may_begin = || phone::may_begin(self.before, self.hint) && self.may_be_told();
        if joined < phone::DIGITS_MIN || !leads && !may_begin() {
            return false;
        }
        let digits = self.among(joined);
        let is_broken = || {
            !phone::may_go_on(self.text, self.start)
                || digits > phone::DIGITS_MAX
                    && !phone::is_length(self.among(self.unbroken(joined)))
        };
        digits >= phone::DIGITS_MIN && (leads || !is_broken())
    }

    /// How many of so many characters stand before the first that no telephone number goes on over.
    #[inline]
    fn unbroken(&self, joined: usize) -> usize {
        let gaps = !self.digits & bits::first(joined);
        let wide = gaps & gaps >> 1 & gaps >> 2;
        let breaks = |place: &u32| {
            let byte = at(self.text, self.start + *place as usize);
            wide >> place & 1 != 0 || !phone::may_join(byte)
        };
        places(gaps)
            .find(breaks)
            .map_or(joined, |place| place as usize)
    }
}

/// Tries a digit run as the first group of several; of a card only where its digits are enough.
#[inline(never)]
fn grouped(text: &[u8], run: Range<usize>, card: bool, hint: Hint, found: &mut Vec<Match>) {
    let Range { start, end } = run;
    let Some((kind, next)) = groups::separator(text, end) else {
        return;
    };
    if card {
        card::grouped(text, start, end, kind, hint, found);
    }
    if end - start == 3 {
        keep(found, ssn::grouped(text, start, kind, next, hint));
        keep(found, routing::grouped(text, start, kind, next, hint));
    }
}
