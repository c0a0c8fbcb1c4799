//! ABA routing transit numbers: the Federal Reserve's prefixes and the checksum with weights 3, 7, 1. One number in
//! ten passes the checksum, so a word nearby or the column's name must speak of routing.

use super::groups::separator;
use super::{Hint, Kind, Match, context, number, run_end, values};

/// Nine digits in a row.
pub(super) fn compact(text: &[u8], start: usize, hint: Hint) -> Option<Match> {
    validated(text, start, start + 9, hint)
}

/// Three groups of three.
pub(super) fn grouped(
    text: &[u8],
    start: usize,
    kind: u8,
    next: usize,
    hint: Hint,
) -> Option<Match> {
    let middle = run_end(text, next);
    if middle - next != 3 {
        return None;
    }
    let (_, last) = separator(text, middle).filter(|&(second, _)| second == kind)?;
    let end = run_end(text, last);
    if end - last != 3 {
        return None;
    }
    validated(text, start, end, hint)
}

fn validated(text: &[u8], start: usize, end: usize, hint: Hint) -> Option<Match> {
    if !is_prefix(number(text, start, end) / 10_000_000) || !checksum(values(text, start, end)) {
        return None;
    }
    if !hint.routing() && !context::near(text, start, end).routing() {
        return None;
    }
    Some(Match {
        kind: Kind::Routing,
        start,
        end,
        shown: end,
    })
}

/// The first two digits: 01–12 for the Federal Reserve districts, 21–32 thrifts, 61–72 electronic, 80 traveller's cheques.
pub(super) fn is_prefix(two: u64) -> bool {
    matches!(two, 1..=12 | 21..=32 | 61..=72 | 80)
}

pub(crate) fn checksum(digits: impl Iterator<Item = u8>) -> bool {
    let sum: u32 = digits
        .zip([3, 7, 1].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit) * weight)
        .sum();
    sum.is_multiple_of(10)
}
