//! Birthdays with the month's name. Those in figures are with the other numbers of persons.

use super::{Kind, Match, at as byte, number, run_end};

/// Characters behind the word within which the date begins.
const AHEAD_CHARS: usize = 24;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The date that a word leads up to which ends at `end`.
pub(super) fn behind(text: &[u8], end: usize) -> Option<Match> {
    let ahead = text.get(end..text.len().min(end + AHEAD_CHARS))?;
    let breaks = |byte: &u8| matches!(byte, b'\n' | b';' | b'*');
    let len = ahead.iter().position(breaks).unwrap_or(ahead.len());
    (end..end + len)
        .filter(|&pos| !byte(text, pos.wrapping_sub(1)).is_ascii_alphanumeric())
        .find_map(|pos| date(text, pos))
}

/// The date that a value is of which the column's name says so.
pub(super) fn named(text: &[u8]) -> Option<Match> {
    date(text, 0)
}

/// `March 3, 1985` or `3 March 1985`.
fn date(text: &[u8], start: usize) -> Option<Match> {
    let (first, last) = match month(text, start) {
        Some(end) => (day(text, space(text, end)?)?, true),
        None => (month(text, space(text, day(text, start)?)?)?, false),
    };
    let comma = usize::from(last && byte(text, first) == b',');
    let year = space(text, first + comma)?;
    let end = run_end(text, year);
    let fits = end - year == 4 && (1900..2030).contains(&number(text, year, end));
    fits.then_some(Match {
        kind: Kind::Birth,
        start,
        end,
        shown: end,
    })
}

fn space(text: &[u8], pos: usize) -> Option<usize> {
    (byte(text, pos) == b' ').then_some(pos + 1)
}

/// The end of a month's name, or of three or four letters of it.
fn month(text: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start..text.len().min(start + 10))?;
    let len = rest
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let name = rest.get(..len)?;
    let is_month = |month: &&str| {
        let cut = matches!(len, 3 | 4) || len == month.len();
        let head = month.as_bytes().get(..len);
        cut && head.is_some_and(|head| head.eq_ignore_ascii_case(name))
    };
    MONTHS.iter().any(is_month).then_some(())?;
    Some(start + len + usize::from(byte(text, start + len) == b'.'))
}

/// The end of a day, `3` or `3rd`.
fn day(text: &[u8], start: usize) -> Option<usize> {
    let end = run_end(text, start);
    let fits = (1..=2).contains(&(end - start)) && (1..=31).contains(&number(text, start, end));
    let suffix = matches!(text.get(end..end + 2), Some(b"st" | b"nd" | b"rd" | b"th"));
    fits.then_some(end + if suffix { 2 } else { 0 })
}
