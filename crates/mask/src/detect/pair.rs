//! Where digits stand, and which of their runs are worth a look.

use crate::bits::{BLOCK_BYTES, ahead, bits, both, is_digit, with_block};

/// Where digits stand in [`BLOCK_BYTES`] of text, a bit for each byte, and how far they may belong together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Digits {
    /// ASCII digits.
    is: u64,
    /// Digits, and what may stand between those of one number.
    joined: u64,
}

impl Digits {
    /// Looks at the text from `pos` on. What is beyond its end is nothing.
    #[inline]
    pub(super) fn at(text: &[u8], pos: usize) -> Self {
        with_block(text, pos, |bytes| Self {
            is: bits(bytes, is_digit),
            joined: bits(bytes, joins),
        })
    }

    /// The last two of the bytes before `pos`, as the end of a block.
    #[inline]
    pub(super) fn before(text: &[u8], pos: usize) -> Self {
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

/// Whether a byte is a digit or may stand between those of one number.
#[inline(always)]
fn joins(byte: u8) -> bool {
    // , - . / and : stand beside the digits in ASCII.
    (byte.wrapping_sub(b',') <= b':' - b',')
        | (byte & 0xFE == b'(')
        | (byte == b' ')
        | (byte == b'_')
}

/// Where the digit runs of a block begin that are worth a look, and for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worth {
    /// Two digits or more, behind what may be letters.
    pub(super) lettered: u64,
    /// As many digits as a ZIP code has.
    pub(super) zip: u64,
    /// A word and one character that joins stand before it, as before a house number.
    pub(super) house: u64,
    /// Six digits or more, with another behind them or what joins one, or with letters before them; three, and eight characters
    /// behind them that are digits or join them; or nine such characters in all. Within a number ([`Worth::inner`]) twelve.
    pub(super) number: u64,
    /// Places within a number, behind a digit and what joins it to the next, unless three or nine digits begin there: no word
    /// leads up to them. None where the column's name says something.
    pub(super) inner: u64,
}

/// A block with its neighbours. Places are those of its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    /// Of the block before, the last two bytes count.
    pub(super) before: Digits,
    pub(super) here: Digits,
    pub(super) next: Digits,
}

impl Pair {
    /// The digit runs that may begin a value, by what it may be; `named` if the column's name says something.
    #[inline]
    pub(super) fn worth(&self, named: bool) -> Worth {
        let Self { before, here, next } = self;
        // What is behind the next block is taken for whatever makes a run worth a look.
        let joined = |place| ahead(here.joined, next.joined, place);
        let two = both(here.joined, next.joined, 1);
        let four = both(two.0, two.1, 2);
        let eight = both(four.0, four.1, 4);
        let eleven = eight.0 & ahead(eight.0, eight.1, 3);
        let twelve = eight.0 & ahead(four.0, four.1, 8);
        let starts = here.is & !(here.is << 1 | before.is >> 63);
        let glued = here.joined << 1 | before.joined >> 63;
        let digit_before = here.is << 2 | before.is >> 62;
        let second = ahead(here.is, next.is, 1);
        let pairs = both(here.is, next.is, 1);
        let fours = both(pairs.0, pairs.1, 2);
        let fifth = ahead(here.is, next.is, 4);
        let sixth = ahead(here.is, next.is, 5);
        let six = fours.0 & fifth & sixth;
        let three = pairs.0 & ahead(here.is, next.is, 2) & !ahead(here.is, next.is, 3);
        let nine = fours.0 & ahead(fours.0, fours.1, 4) & ahead(here.is, next.is, 8);
        let lettered = starts & !glued & !digit_before & second;
        let inner = if named {
            0
        } else {
            glued & digit_before & !(three | nine)
        };
        let short = three & eleven | !three & (inner | eight.0 & joined(8));
        let within = !inner | three | twelve;
        Worth {
            lettered,
            zip: starts & glued & fours.0 & fifth & !sixth,
            house: starts & glued & !(here.joined << 2 | before.joined >> 62),
            number: starts & within & (six & joined(6) | !six & short) | lettered & six,
            inner,
        }
    }

    /// Which of [`BLOCK_BYTES`] characters from `place` on are digits.
    #[inline]
    pub(super) fn ahead(&self, place: u32) -> u64 {
        ahead(self.here.is, self.next.is, place)
    }

    /// How many digits stand in a row from `place` on, of at most [`BLOCK_BYTES`].
    #[inline]
    pub(super) fn run(&self, place: u32) -> usize {
        self.ahead(place).trailing_ones() as usize
    }

    /// How many characters from `place` on are digits or join them, of at most [`BLOCK_BYTES`].
    #[inline]
    pub(super) fn joined(&self, place: u32) -> usize {
        let joined = ahead(self.here.joined, self.next.joined, place);
        joined.trailing_ones() as usize
    }

    /// Whether the digits at `place` go on with those before them: what joins digits stands between, and nothing else;
    /// `entered` says so of the first ones in the block.
    #[inline]
    pub(super) fn goes_on(&self, place: u32, entered: bool) -> bool {
        self.last_is_digit((1_u64 << place) - 1, entered)
    }

    /// Whether what joins digits reaches from one to the block's end.
    #[inline]
    pub(super) fn leaves(&self, entered: bool) -> bool {
        self.last_is_digit(u64::MAX, entered)
    }

    #[inline]
    fn last_is_digit(&self, part: u64, entered: bool) -> bool {
        let digits = self.here.is & part;
        let breaks = !self.here.joined & part;
        digits > breaks || entered && breaks == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prefilter::NUMBER_DIGITS_MIN;

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
                let Worth { lettered: letters, zip: five, house, number, .. } = pair.worth(true);
                let worth = (letters | five | house | number) >> place & 1 != 0;
                prop_assert!(!worth || begins);
                let long = match run(place) {
                    3 => 11,
                    6.. => NUMBER_DIGITS_MIN,
                    _ => 9,
                };
                if begins && (joined(place) >= long || lettered || zip) {
                    let counts = !lettered || pos + place as usize >= 2 && !text[pos + place as usize - 2].is_ascii_digit();
                    prop_assert!(worth || !counts, "{}", place);
                }
            }
            prop_assert_eq!(pair.run(place), run(place));
            prop_assert_eq!(pair.joined(place), joined(place));
            let mut before = (0..place).rev().skip_while(|place| joins(byte(*place)) && !byte(*place).is_ascii_digit());
            let goes_on = before.next().is_some_and(|place| byte(place).is_ascii_digit());
            prop_assert_eq!(pair.goes_on(place, false), goes_on);
        }
    }
}
