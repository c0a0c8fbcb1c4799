//! Telephone numbers: E.164 in one run behind a plus, other forms where a word leads up to them.

use super::{Hint, Kind, Match, at as byte, context, is_digit, run_end};

/// ITU-T E.164, section 6.
const DIGITS_MAX: usize = 15;

/// Fewer digits than these are a number of anything, plus or not.
const DIGITS_MIN: usize = 10;

/// The number whose first digit run is `start..end`.
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
    (hint.phone() || context::leading(text, from).phone()).then(|| all(end))
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
        _ => (DIGITS_MIN..=DIGITS_MAX).contains(&len),
    }
}

fn continues(text: &[u8], end: usize) -> bool {
    let after = byte(text, end);
    after.is_ascii_alphanumeric()
        || !after.is_ascii()
        || after == b'*'
        || after == b'.' && is_digit(text, end + 1)
}

/// The end of a number in groups with spaces, dashes, dots, slashes and brackets, if its length is right.
fn written(text: &[u8], start: usize, first_end: usize) -> Option<usize> {
    let mut end = first_end;
    let mut digits = end - start;
    while digits <= DIGITS_MAX {
        let next = (end..end + 3)
            .find(|&pos| !matches!(byte(text, pos), b' ' | b'-' | b'.' | b'/' | b'(' | b')'));
        // More of it was hidden already.
        if next.is_some_and(|next| byte(text, next) == b'*') {
            return None;
        }
        let Some(next) = next.filter(|&next| next > end && is_digit(text, next)) else {
            break;
        };
        end = run_end(text, next);
        digits += end - next;
    }
    let fits = (DIGITS_MIN..=DIGITS_MAX).contains(&digits) && !continues(text, end);
    fits.then_some(end)
}
