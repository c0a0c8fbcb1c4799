//! Numbers: digit runs, tried alone and as the first group of several.
//!
//! Blocks of text become bits, a bit for each byte, and a few operations on them tell which of the runs are worth a look.

use super::pair::{Digits, Pair};
use super::{Hint, Match, address, at, card, groups, iban, identity, phone, routing, ssn};
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
            let mut worth = pair.worth(self.hint != Hint::NONE) & bits::first(end - pos);
            while worth != 0 {
                let place = worth.trailing_zeros();
                worth &= worth - 1;
                let start = pos + place as usize;
                let run = Run {
                    start,
                    end: start + pair.run(place),
                    joined: pair.joined(place),
                    pair: &pair,
                    place,
                    entered: self.goes_on,
                };
                run.judge(self.text, self.hint, found);
            }
            self.goes_on = pair.leaves(self.goes_on);
            self.before = self.ahead;
            self.ahead = pair.next;
            self.at = pos + BLOCK_BYTES;
        }
    }
}

/// Digits in a row.
struct Run<'a> {
    start: usize,
    end: usize,
    /// How many characters from here on are digits, or may stand between those of one number.
    joined: usize,
    pair: &'a Pair,
    place: u32,
    /// Whether a number may go on at the block's beginning.
    entered: bool,
}

impl Run<'_> {
    /// Whether so many digits may belong together from here on.
    #[inline]
    fn together(&self, least: usize) -> bool {
        self.joined >= least && self.pair.digits(self.place, self.joined) >= least
    }

    /// Whether more digits stand before it, and no word between them: none leads up to this run.
    #[inline]
    fn goes_on(&self) -> bool {
        self.pair.goes_on(self.place, self.entered)
    }

    #[inline]
    fn judge(&self, text: &[u8], hint: Hint, found: &mut Vec<Match>) {
        let Run { start, end, .. } = *self;
        let len = end - start;
        let before = at(text, start.wrapping_sub(1));
        let lettered = before.is_ascii_alphabetic();
        if lettered && len >= 2 {
            found.extend(iban::at(text, start));
        }
        if len == ZIP_DIGITS {
            found.extend(address::before_zip(text, start, end));
        }
        if before == b' ' {
            found.extend(address::placed(text, start, end));
        }
        // Few digits are nothing by themselves, but behind letters.
        if self.joined < NUMBER_DIGITS_MIN && !(lettered && len == NUMBER_DIGITS_MIN - 1) {
            return;
        }
        if at(text, start) == b'9' {
            found.extend(identity::itin(text, start, end, hint));
        }
        let told = hint != Hint::NONE || !self.goes_on();
        if told && (len >= NUMBER_DIGITS_MIN - 1 || matches!(at(text, end), b'-' | b'/' | b'.')) {
            identity::at(text, start, end, hint, found);
        }
        let says_so = told || matches!(before, b'+' | b'(');
        if says_so && self.together(phone::DIGITS_MIN) {
            found.extend(phone::at(text, start, end, hint));
        }
        match len {
            1..=8 if self.joined > 9 => self.grouped(text, hint, found),
            9 => {
                found.extend(ssn::compact(text, start, hint));
                found.extend(routing::compact(text, start, hint));
            }
            12..=19 => found.extend(card::compact(text, start, end, hint)),
            _ => {}
        }
    }

    /// Tries a digit run as the first group of several.
    #[inline(never)]
    fn grouped(&self, text: &[u8], hint: Hint, found: &mut Vec<Match>) {
        let Run { start, end, .. } = *self;
        let three = end - start == 3;
        if !three && !card::may_begin(at(text, start)) {
            return;
        }
        let Some((kind, next)) = groups::separator(text, end) else {
            return;
        };
        if self.together(card::DIGITS_MIN) {
            card::grouped(text, start, end, kind, hint, found);
        }
        if three {
            found.extend(ssn::grouped(text, start, kind, next, hint));
            found.extend(routing::grouped(text, start, kind, next, hint));
        }
    }
}
