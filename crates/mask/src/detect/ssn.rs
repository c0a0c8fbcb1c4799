//! United States social security numbers: the rules of area, group and serial number that the Social Security
//! Administration publishes (still valid since numbers are given out at random, 2011).

use super::groups::separator;
use super::{Hint, Kind, Match, context, last_four, number, run_end};

/// Three digits from `start`, then a separator of `kind`, then what follows at `next`.
pub(super) fn grouped(
    text: &[u8],
    start: usize,
    kind: u8,
    next: usize,
    hint: Hint,
) -> Option<Match> {
    let group_end = run_end(text, next);
    if group_end - next != 2 {
        return None;
    }
    let (_, serial) = separator(text, group_end).filter(|&(second, _)| second == kind)?;
    let end = run_end(text, serial);
    if end - serial != 4 || !is_valid(number(text, start, end)) {
        return None;
    }
    let usual = matches!(kind, b'-' | b' ');
    if !usual && !hint.ssn() && !context::near(text, start, end).ssn() {
        return None;
    }
    Some(found(text, start, end))
}

/// Nine digits in a row, which are a number of anything unless a word says otherwise.
pub(super) fn compact(text: &[u8], start: usize, hint: Hint) -> Option<Match> {
    let end = start + 9;
    if !is_valid(number(text, start, end)) || !(hint.ssn() || context::near(text, start, end).ssn())
    {
        return None;
    }
    Some(found(text, start, end))
}

fn found(text: &[u8], start: usize, end: usize) -> Match {
    Match {
        kind: Kind::Ssn,
        start,
        end,
        shown: last_four(text, start, end),
    }
}

/// Area 001–899 without 666, group and serial not zero.
pub(super) fn is_valid(number: u64) -> bool {
    let (area, group, serial) = (number / 1_000_000, number / 10_000 % 100, number % 10_000);
    (1..900).contains(&area) && area != 666 && group != 0 && serial != 0
}
