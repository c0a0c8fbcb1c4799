//! Numbers: digit runs, tried alone and as the first group of several.
//!
//! Blocks of text become bits, a bit for each byte, and a few operations on them tell which of the runs are worth a look.

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
    pub(super) fn find(&mut self, start: usize, end: usize, found: &mut Vec<Match>) {
        if self.at != start {
            self.at = start;
            self.ahead = Digits::at(self.text, start);
            self.before = Digits::before(self.text, start);
            self.goes_on = false;
        }
        while self.at < end {
            let pos = self.at;
            let pair = Pair {
                before: self.before,
                here: self.ahead,
                next: Digits::at(self.text, pos + BLOCK_BYTES),
            };
            self.block(&pair, bits::first(end - pos), found);
            self.goes_on = pair.leaves(self.goes_on);
            self.before = self.ahead;
            self.ahead = pair.next;
            self.at = pos + BLOCK_BYTES;
        }
    }

    /// Tries the digit runs that begin in a part of the block that is looked at.
    #[inline]
    fn block(&self, pair: &Pair, part: u64, found: &mut Vec<Match>) {
        let (text, hint) = (self.text, self.hint);
        let worth = pair.worth(hint != Hint::NONE);
        let start = |place: u32| self.at + place as usize;
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
            if at(text, start(place).wrapping_sub(1)) == b' ' {
                let end = start(place) + pair.run(place);
                keep(found, address::placed(text, start(place), end));
            }
        }
        for place in places(worth.number & part) {
            let start = start(place);
            let before = at(text, start.wrapping_sub(1));
            let inner = worth.inner >> place & 1 != 0 && !phone::may_lead(before);
            if inner && !card::may_begin(at(text, start)) {
                continue;
            }
            let end = start + pair.run(place);
            if is_nothing(end - start, at(text, start), at(text, end)) {
                continue;
            }
            let run = Run {
                start,
                end,
                before,
                joined: pair.joined(place),
                pair,
                place,
                goes_on: pair.goes_on(place, self.goes_on),
            };
            run.judge(text, hint, found);
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
    start: usize,
    end: usize,
    /// The byte before it.
    before: u8,
    /// How many characters from here on are digits, or may stand between those of one number.
    joined: usize,
    pair: &'a Pair,
    place: u32,
    /// Whether more digits stand before it, and no word between them: none leads up to this run.
    goes_on: bool,
}

impl Run<'_> {
    /// Whether so many digits may belong together from here on.
    #[inline]
    fn together(&self, least: usize) -> bool {
        self.joined >= least && self.pair.digits(self.place, self.joined) >= least
    }

    #[inline]
    fn judge(&self, text: &[u8], hint: Hint, found: &mut Vec<Match>) {
        let Run { start, end, .. } = *self;
        let len = end - start;
        // Few digits are nothing by themselves, but behind letters.
        let lettered = len == NUMBER_DIGITS_MIN - 1 && self.before.is_ascii_alphabetic();
        if self.joined < NUMBER_DIGITS_MIN && !lettered {
            return;
        }
        let first = at(text, start);
        if first == b'9' {
            keep(found, identity::itin(text, start, end, hint));
        }
        let told = hint != Hint::NONE || !self.goes_on;
        if told && identity::may_begin(len, self.before, at(text, end), hint) {
            identity::at(text, start, end, hint, found);
        }
        let phone = (told || phone::may_lead(self.before)) && phone::may_begin(self.before, hint);
        if phone && self.together(phone::DIGITS_MIN) {
            keep(found, phone::at(text, start, end, hint));
        }
        // Three groups of nine digits, or those of a card.
        let least = if len == 3 { 9 } else { card::DIGITS_MIN };
        match len {
            1..=8 if self.joined > least && (len == 3 || card::may_begin(first)) => {
                self.grouped(text, hint, found);
            }
            9 => {
                keep(found, ssn::compact(text, start, hint));
                keep(found, routing::compact(text, start, hint));
            }
            12..=19 => keep(found, card::compact(text, start, end, hint)),
            _ => {}
        }
    }

    /// Tries a digit run as the first group of several.
    #[inline(never)]
    fn grouped(&self, text: &[u8], hint: Hint, found: &mut Vec<Match>) {
        let Run { start, end, .. } = *self;
        let Some((kind, next)) = groups::separator(text, end) else {
            return;
        };
        if card::may_begin(at(text, start)) && self.together(card::DIGITS_MIN) {
            card::grouped(text, start, end, kind, hint, found);
        }
        if end - start == 3 {
            keep(found, ssn::grouped(text, start, kind, next, hint));
            keep(found, routing::grouped(text, start, kind, next, hint));
        }
    }
}
