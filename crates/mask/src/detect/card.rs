//! Payment card numbers (ISO/IEC 7812): the issuer's range, the issuer's length, the Luhn digit.

use super::groups::{self, Groups};
use super::luhn::{doubled, four_digits};
use super::{Hint, Kind, Match, at, context, is_digit, keep, last_four};

pub(super) const DIGITS_MIN: usize = 12;
const DIGITS_MAX: usize = 19;

/// Characters on either side of a digit run that are read to see whether it is part of a hexadecimal string.
const TOKEN_LOOK: usize = 64;

/// From this length on, letters and digits that are all hexadecimal are a digest or a key, not a card.
const HEX_TOKEN_MIN: usize = 24;

/// Whether an issuer gives out numbers of this beginning and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Issued {
    No,
    /// So many other things look like it (EAN-13, UPC) that a word nearby must speak of cards.
    InContext,
    Yes,
}

/// The published issuer ranges; `prefix` is the first six digits.
pub(super) fn issued(prefix: u64, len: usize) -> Issued {
    let lengths = |from: usize, to: usize| {
        if (from..=to).contains(&len) {
            Issued::Yes
        } else {
            Issued::No
        }
    };
    match prefix {
        // Visa
        400_000..=499_999 => match len {
            13 => Issued::InContext,
            16 | 19 => Issued::Yes,
            _ => Issued::No,
        },
        // Mastercard
        510_000..=559_999 | 222_100..=272_099 => lengths(16, 16),
        // American Express
        340_000..=349_999 | 370_000..=379_999 => lengths(15, 15),
        // Diners Club
        300_000..=305_999 | 309_500..=309_599 | 360_000..=369_999 | 380_000..=399_999 => {
            lengths(14, 19)
        }
        // JCB
        352_800..=358_999 => lengths(16, 19),
        // Discover, and UnionPay with its co-branded range
        601_100..=601_199 | 644_000..=659_999 | 620_000..=629_999 | 810_000..=817_199 => {
            lengths(16, 19)
        }
        // Maestro
        501_800..=501_899
        | 502_000..=502_099
        | 503_800..=503_899
        | 589_300..=589_399
        | 630_400..=630_499
        | 639_000..=639_099
        | 675_900..=675_999
        | 676_100..=676_399
        | 676_770..=676_779 => {
            if len < 16 {
                Issued::InContext
            } else {
                lengths(16, 19)
            }
        }
        _ => Issued::No,
    }
}

/// A run of 12 to 19 digits.
#[inline(never)]
pub(super) fn compact(text: &[u8], start: usize, end: usize, hint: Hint) -> Option<Match> {
    let found = Number::of(text, start, end).card(text, start, end, hint)?;
    (!is_fraction(text, start) && !in_hexadecimal(text, start, end)).then_some(found)
}

/// Whether a card's number may begin with a digit.
#[inline]
pub(super) fn may_begin(digit: u8) -> bool {
    matches!(digit, b'2'..=b'6' | b'8')
}

/// The groupings that begin with the run `start..end`, which a separator of `kind` and another run follow.
pub(super) fn grouped(
    text: &[u8],
    start: usize,
    end: usize,
    kind: u8,
    hint: Hint,
    found: &mut Vec<Match>,
) {
    let first = end - start;
    if first == 1 {
        keep(found, singles(text, start, end, kind, hint));
    }
    let mut number = Number::of(text, start, end);
    let mut lens = [0; 7];
    let mut groups = Groups::after(text, end, kind);
    set(&mut lens, 0, first);
    for count in 1..lens.len() {
        let Some((len, end)) = groups.next() else {
            return;
        };
        set(&mut lens, count, len);
        let lens = lens.get(..=count).unwrap_or_default();
        if number.len + len > DIGITS_MAX || !may_go_on(lens) {
            return;
        }
        number.read(text, end - len, end);
        if number.len >= DIGITS_MIN && is_card_shape(lens, number.len, kind) {
            let card = number.card(text, start, end, hint);
            keep(
                found,
                card.filter(|_| !is_fraction(text, start) && !in_uuid(text, start)),
            );
        }
    }
    pairs(text, start, end, kind, hint, found);
}

/// Pairs, which make more groups than any other shape.
fn pairs(text: &[u8], start: usize, end: usize, kind: u8, hint: Hint, found: &mut Vec<Match>) {
    if end - start != 2 || !matches!(kind, b' ' | b'-') {
        return;
    }
    let mut number = Number::of(text, start, end);
    // Up to seven groups are judged with the other shapes.
    for (len, end) in Groups::after(text, end, kind) {
        if len > 2 || number.len + len > DIGITS_MAX {
            return;
        }
        number.read(text, end - len, end);
        if number.len > 14 {
            keep(found, number.card(text, start, end, hint));
        }
        if len < 2 {
            return;
        }
    }
}

/// Digits one by one: only a series that is as long as a card, no more and no less.
fn singles(text: &[u8], start: usize, end: usize, kind: u8, hint: Hint) -> Option<Match> {
    if groups::single_before(text, start, kind) {
        return None;
    }
    let mut number = Number::of(text, start, end);
    let mut last = end;
    for (len, end) in Groups::after(text, end, kind) {
        if len > 1 {
            break;
        }
        number.read(text, end - len, end);
        last = end;
    }
    if !is_card_length(number.len) {
        return None;
    }
    number.card(text, start, last, hint)
}

fn set(lens: &mut [usize; 7], index: usize, len: usize) {
    if let Some(slot) = lens.get_mut(index) {
        *slot = len;
    }
}

/// Whether groups of these lengths may be the beginning of a card, or all of one.
fn may_go_on(lens: &[usize]) -> bool {
    match *lens {
        [first, second] => {
            first == second || matches!((first, second), (4, 3 | 5 | 6) | (6, 13) | (1, 3))
        }
        [_, second, third] => third <= second || matches!(*lens, [4, 4, 5]),
        _ => true,
    }
}

/// Whether cards are written in groups of these lengths with separators of this kind.
fn is_card_shape(lens: &[usize], total: usize, kind: u8) -> bool {
    let thousands = matches!(*lens, [1, 3, 3, 3, 3, 3]);
    match kind {
        b',' => thousands,
        b'.' | b'/' | b'_' | b':' => {
            thousands || matches!(*lens, [4, 4, 4, 4] | [4, 6, 5] | [4, 6, 4])
        }
        _ => {
            let uniform = match lens {
                [first, middle @ .., last] => {
                    *first >= 2 && middle.iter().all(|len| len == first) && last <= first
                }
                _ => false,
            };
            // Two halves are a card only if they are a usual one; two numbers in a row are common.
            let usual = lens.len() > 2 || total == 16;
            uniform && usual
                || thousands
                || matches!(*lens, [4, 6, 5 | 4] | [6, 13] | [4, 3, 3, 3] | [4, 4, 5])
        }
    }
}

/// Whether an issuer may give out a number of these digits.
pub(crate) fn is_issued(digits: &[u8]) -> bool {
    let head = digits.iter().take(6);
    let prefix = head.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    is_card_length(digits.len()) && issued(prefix, digits.len()) != Issued::No
}

/// The digits of a number, read run by run; each is read once, wherever the number ends.
#[derive(Debug, Clone, Copy, Default)]
struct Number {
    len: usize,
    /// Of [`DIGITS_MAX`] digits, which fit; what has more is no card.
    value: u64,
    /// The sums of Luhn where the last digit counts once, and where it counts twice.
    sums: [u32; 2],
}

impl Number {
    fn of(text: &[u8], start: usize, end: usize) -> Self {
        let mut number = Self::default();
        number.read(text, start, end);
        number
    }

    /// Goes on with a digit run.
    #[inline]
    fn read(&mut self, text: &[u8], start: usize, end: usize) {
        let run = text.get(start..end).unwrap_or_default();
        let (fours, rest) = run.as_chunks();
        for four in fours {
            let (value, [once, twice]) = four_digits(*four);
            self.value = self.value.wrapping_mul(10_000).wrapping_add(value);
            self.sums = [self.sums[0] + once, self.sums[1] + twice];
        }
        for byte in rest {
            let digit = byte.wrapping_sub(b'0');
            let [once, twice] = self.sums;
            self.value = self.value.wrapping_mul(10).wrapping_add(digit.into());
            self.sums = [twice + u32::from(digit), once + doubled(digit)];
        }
        self.len += run.len();
    }

    /// The number as a card's, which it is at `start..end` of the text.
    #[inline]
    fn card(&self, text: &[u8], start: usize, end: usize, hint: Hint) -> Option<Match> {
        let [sum, _] = self.sums;
        if !is_card_length(self.len) || !sum.is_multiple_of(10) {
            return None;
        }
        match issued(self.value / POWERS.get(self.len - 6)?, self.len) {
            Issued::Yes => {}
            Issued::InContext if hint.card() || context::near(text, start, end).card() => {}
            Issued::InContext | Issued::No => return None,
        }
        Some(Match {
            kind: Kind::Card,
            start,
            end,
            shown: last_four(text, start, end),
        })
    }
}

/// What is behind the first six digits of a card is divided away by these.
const POWERS: [u64; DIGITS_MAX - 5] = powers();

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
const fn powers() -> [u64; DIGITS_MAX - 5] {
    let mut powers = [1; DIGITS_MAX - 5];
    let mut place = 1;
    while place < powers.len() {
        powers[place] = 10 * powers[place - 1];
        place += 1;
    }
    powers
}

/// Whether the digits are the decimals of a number: floating-point values have as many as a card.
fn is_fraction(text: &[u8], start: usize) -> bool {
    at(text, start.wrapping_sub(1)) == b'.' && {
        let before = at(text, start.wrapping_sub(2));
        before.is_ascii_digit() || before == b'*'
    }
}

/// Whether a run of letters and digits is part of a long hexadecimal string. What a mask has hidden of the string
/// still counts as part of it, so that masking one part does not make another stand alone.
pub(super) fn in_hexadecimal(text: &[u8], start: usize, end: usize) -> bool {
    let is_hex = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b'*';
    let part = |from: usize, to: usize| text.get(from..to.min(text.len())).unwrap_or_default();
    if !part(start, end).iter().all(|byte| is_hex(&byte)) {
        return false;
    }
    let before = part(start.saturating_sub(TOKEN_LOOK), start)
        .iter()
        .rev()
        .take_while(is_hex)
        .count();
    let after = part(end, end + TOKEN_LOOK)
        .iter()
        .take_while(is_hex)
        .count();
    let token = part(start - before, end + after);
    if token.len() < HEX_TOKEN_MIN || token.len() == end - start {
        return false;
    }
    let digits_only = !token.iter().any(u8::is_ascii_alphabetic);
    if digits_only {
        return false;
    }
    let inner = at(text, start.wrapping_sub(before + 1));
    let radix_mark = matches!(inner, b'x' | b'X');
    let begins = before == TOKEN_LOOK || radix_mark || !inner.is_ascii_alphanumeric();
    let ends = after == TOKEN_LOOK || !at(text, end + after).is_ascii_alphanumeric();
    begins && ends
}

/// Whether `pos` lies in a UUID (RFC 9562, section 4): 8-4-4-4-12 hexadecimal digits.
pub(super) fn in_uuid(text: &[u8], pos: usize) -> bool {
    const LEN: usize = 36;
    let is_uuid = |from: usize| {
        let Some(uuid) = text.get(from..from + LEN) else {
            return false;
        };
        let dashes = [8, 13, 18, 23]
            .into_iter()
            .all(|dash| at(uuid, dash) == b'-');
        let whole =
            !at(text, from.wrapping_sub(1)).is_ascii_alphanumeric() && !is_digit(text, from + LEN);
        // The dashes first: most often there are none.
        dashes
            && whole
            && uuid.iter().enumerate().all(|(index, byte)| match index {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    };
    let is_part = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b'-';
    let before = text.get(pos.saturating_sub(LEN)..pos).unwrap_or_default();
    let before = before.iter().rev().take_while(is_part).count();
    (pos - before..=pos).any(is_uuid)
}

/// The digits of a declared value that has the form of a card: how many there are.
pub(crate) fn is_card_length(digits: usize) -> bool {
    (DIGITS_MIN..=DIGITS_MAX).contains(&digits)
}
