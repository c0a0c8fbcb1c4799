//! Telephone numbers: E.164 in one run behind a plus, other forms where a word leads up to them.

use super::{Hint, Kind, Match, at as byte, context, is_digit, run_end, values};
use crate::bits::has_byte;
use crate::work;

/// ITU-T E.164, section 6.
pub(super) const DIGITS_MAX: usize = 15;

/// Fewer digits than these are a number of anything, plus or not.
pub(super) const DIGITS_MIN: usize = 10;

/// Whether what stands before a number says by itself that it may be one.
#[inline]
pub(super) fn may_lead(before: u8) -> bool {
    matches!(before, b'+' | b'(')
}

/// Whether a number may be one, for the price of a look at what stands before it.
#[inline]
pub(super) fn may_begin(before: u8, hint: Hint) -> bool {
    hint != Hint::NONE || may_lead(before) || context::may_lead(before, false)
}

/// Whether a number may have so many digits.
#[inline]
pub(super) fn is_length(digits: usize) -> bool {
    (DIGITS_MIN..=DIGITS_MAX).contains(&digits)
}

/// What stands between the digits of other numbers only.
const OTHER: [u8; 3] = [b':', b',', b'_'];

/// Whether a byte may stand between the digits of one, of those that stand between digits of any number.
#[inline]
pub(super) fn may_join(byte: u8) -> bool {
    !OTHER.contains(&byte)
}

/// Whether one may begin at `start`, as far as its first characters tell: as many as it has digits at least.
#[inline]
pub(super) fn may_go_on(text: &[u8], start: usize) -> bool {
    let bytes = text.get(start + 2..).and_then(|rest| rest.first_chunk());
    let bytes = bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    !OTHER.iter().any(|other| has_byte(bytes, *other))
}

/// The number whose first digit run is `start..end`.
#[inline(never)]
pub(super) fn at(text: &[u8], start: usize, end: usize, hint: Hint) -> Option<Match> {
    let before = byte(text, start.wrapping_sub(1));
    let plus = before == b'+';
    let from = start - usize::from(plus || before == b'(');
    let from = from - usize::from(before == b'(' && byte(text, from.wrapping_sub(1)) == b'+');
    let sign = byte(text, from.wrapping_sub(1));
    if sign.is_ascii_alphanumeric() || !sign.is_ascii() || matches!(sign, b'.' | b'*') {
        return None;
    }
    let all = |end| Match {
        kind: Kind::Phone,
        start: from,
        end,
        shown: end,
    };
    let single = !continues(text, end);
    if plus && single && sign != b'\n' && is_international(text, start, end) {
        return Some(all(end));
    }
    let end = written(text, start, end)?;
    let says_so = plus && sign != b'\n' && is_grouped(text, start, end)
        || before == b'(' && !behind_code(text, from) && is_american(text, start, end);
    (says_so || hint.phone() || context::leading(text, from).phone()).then(|| all(end))
}

/// Behind a plus and in one run. The North American plan has its own length and rules.
fn is_international(text: &[u8], start: usize, end: usize) -> bool {
    let len = end - start;
    match byte(text, start) {
        b'0' => false,
        b'1' => {
            let leads = |pos| matches!(byte(text, pos), b'2'..=b'9');
            len == 11 && leads(start + 1) && leads(start + 4)
        }
        _ => is_length(len),
    }
}

/// A plus and groups (ITU-T E.123): the country's code stands apart, and the length is right.
fn is_grouped(text: &[u8], start: usize, end: usize) -> bool {
    let digits = values(text, start, end).count();
    match byte(text, start) {
        b'0' => false,
        b'1' => digits == 11,
        _ => is_length(digits) && run_end(text, start) - start <= 3,
    }
}

/// Whether the number goes back over a space to a plus and the country's code.
fn behind_code(text: &[u8], from: usize) -> bool {
    let end = from - usize::from(byte(text, from.wrapping_sub(1)) == b' ');
    let digits = (1..=3).find(|&len| !is_digit(text, end.wrapping_sub(len)));
    digits.is_some_and(|len| len > 1 && byte(text, end.wrapping_sub(len)) == b'+')
}

/// `(415) 555-2671`, whose bracket stands before `start`: area and exchange begin with 2 to 9.
fn is_american(text: &[u8], start: usize, end: usize) -> bool {
    let leads = |pos| matches!(byte(text, pos), b'2'..=b'9');
    let exchange = start + 4 + usize::from(byte(text, start + 4) == b' ');
    let dash = matches!(byte(text, exchange + 3), b'-' | b'.' | b' ');
    run_end(text, start) == start + 3
        && byte(text, start + 3) == b')'
        && run_end(text, exchange) == exchange + 3
        && dash
        && end == exchange + 8
        && leads(start)
        && leads(exchange)
}

fn continues(text: &[u8], end: usize) -> bool {
    let after = byte(text, end);
    after.is_ascii_alphanumeric()
        || !after.is_ascii()
        || after == b'*'
        || after == b'.' && (is_digit(text, end + 1) || byte(text, end + 1) == b'*')
}

/// Characters between two groups of digits.
const SEPARATORS_MAX: usize = 2;

/// The end of a number in groups with spaces, dashes, dots, slashes and brackets, if its length is right.
fn written(text: &[u8], start: usize, first_end: usize) -> Option<usize> {
    let mut end = first_end;
    let mut digits = end - start;
    let rest = text.get(end..).unwrap_or_default();
    for (byte, pos) in rest.iter().zip(first_end..) {
        if byte.is_ascii_digit() {
            digits += 1;
            end = pos + 1;
            if digits > DIGITS_MAX {
                return None;
            }
            continue;
        }
        match byte {
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' if pos - end < SEPARATORS_MAX => {}
            // More of it was hidden already.
            b'*' => return None,
            _ => break,
        }
    }
    work::done(end - first_end);
    let fits = is_length(digits) && !continues(text, end);
    fits.then_some(end)
}
