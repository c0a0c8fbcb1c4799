//! Numbers of persons and accounts that have no check digit: their form, and a word that leads up to them.

use super::groups::separator;
use super::{Hint, Kind, Match, at as byte, context, is_digit, last_four, number, run_end};
use crate::prefilter;

/// Fewer digits pass the prefilter by chance only.
const DIGITS_MIN: usize = prefilter::NUMBER_DIGITS_MIN;

/// Whether a digit run of so many may be such a number or begin one, for the price of a look at the bytes on either side.
#[inline]
pub(super) fn may_begin(len: usize, before: u8, after: u8, hint: Hint) -> bool {
    let long = len >= DIGITS_MIN - 1 || matches!(after, b'-' | b'/' | b'.');
    long && (hint != Hint::NONE || context::may_lead(before, matches!(len, 8 | 9)))
}

/// Whether a digit run of so many may be the first group of a date or of an employer's number, by the lengths of the next two.
#[inline]
pub(super) fn may_be_grouped(len: usize, [second, third]: [u32; 2]) -> bool {
    let date = matches!(second, 1 | 2) && matches!((len, third), (4, 1 | 2) | (1 | 2, 4));
    date || len == 2 && second == 7
}

/// Every such number that begins with the digit run `start..end`, or with letters right before it, and that a word leads
/// up to.
#[inline(never)]
pub(super) fn at(text: &[u8], start: usize, end: usize, hint: Hint, found: &mut Vec<Match>) {
    let len = end - start;
    let date = date(text, start, end);
    let ein = ein_grouped(text, start, end);
    // Ohio's licences have two letters and six digits.
    let short = len == DIGITS_MIN - 1 && byte(text, start.wrapping_sub(1)).is_ascii_alphabetic();
    if date.is_none() && ein.is_none() && !short && !(DIGITS_MIN..=17).contains(&len) {
        return;
    }
    let letters = letters_before(text, start);
    let from = start - letters.unwrap_or_default();
    let said = hint.or(if matches!(len, 8 | 9) {
        context::leading_or_numbered(text, from)
    } else {
        context::leading(text, from)
    });
    if said == Hint::NONE {
        return;
    }
    let all = |kind, start, end| Match {
        kind,
        start,
        end,
        shown: end,
    };
    if let Some(end) = date.filter(|_| said.birth()) {
        found.push(all(Kind::Birth, start, end));
    }
    if let Some(end) = ein.filter(|_| said.ein() || said.ssn()) {
        found.push(all(Kind::Ein, start, end));
    }
    let Some(letters) = letters.filter(|_| !goes_on(text, end)) else {
        return;
    };
    if said.account() && letters == 0 && (DIGITS_MIN..=17).contains(&len) {
        found.push(Match {
            kind: Kind::Account,
            start,
            end,
            shown: if len > 8 {
                last_four(text, start, end)
            } else {
                end
            },
        });
    }
    if said.passport() && matches!((letters, len), (0, 9) | (1, 8)) {
        found.push(all(Kind::Passport, from, end));
    }
    if said.license() && letters <= 2 && len <= 14 && len + letters / 2 >= DIGITS_MIN {
        found.push(all(Kind::License, from, end));
    }
    if hint.ein() && letters == 0 && len == 9 {
        found.push(all(Kind::Ein, start, end));
    }
}

/// A driver's licence of Washington: `WDL` and nine letters and digits, behind a word or in a column so named.
pub(super) fn washington(text: &[u8], start: usize, hint: Hint) -> Option<Match> {
    let rest = text.get(start..text.len().min(start + 13))?;
    let is_part = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_whole = rest.iter().take_while(is_part).count() == 12 && !goes_on(text, start + 12);
    let said = || hint.license() || context::leading(text, start).license();
    (is_whole && rest.starts_with(b"WDL") && said()).then_some(Match {
        kind: Kind::License,
        start,
        end: start + 12,
        shown: start + 12,
    })
}

/// How many letters stand right before the run: at most two, and nothing glued to them.
fn letters_before(text: &[u8], start: usize) -> Option<usize> {
    let glued = |pos: usize| {
        let before = byte(text, pos);
        before.is_ascii_alphanumeric() || !before.is_ascii() || matches!(before, b'.' | b'*')
    };
    (0..=2).find(|letters| {
        let from = start.wrapping_sub(*letters);
        (from..start).len() == *letters
            && (from..start).all(|pos| byte(text, pos).is_ascii_alphabetic())
            && !glued(from.wrapping_sub(1))
    })
}

/// Whether the token goes on behind a run: with a letter, or with the decimals of a number.
fn goes_on(text: &[u8], end: usize) -> bool {
    let after = byte(text, end);
    after.is_ascii_alphanumeric()
        || !after.is_ascii()
        || after == b'*'
        || matches!(after, b'.' | b'-' | b'_' | b'/')
            && (byte(text, end + 1).is_ascii_alphanumeric() || byte(text, end + 1) == b'*')
}

/// Area 900–999 and the groups that the Internal Revenue Service gives out (Publication 4164).
#[inline(never)]
pub(super) fn itin(text: &[u8], start: usize, end: usize, hint: Hint) -> Option<Match> {
    let len = end - start;
    if !matches!(len, 3 | 9) || byte(text, start) != b'9' {
        return None;
    }
    let valid = |end| matches!(number(text, start, end) / 10_000 % 100, 50..=65 | 70..=88 | 90..=92 | 94..=99);
    let found = |end| Match {
        kind: Kind::Itin,
        start,
        end,
        shown: last_four(text, start, end),
    };
    if len == 9 {
        let said = || hint.ssn() || context::near(text, start, end).ssn();
        return (valid(end) && said()).then(|| found(end));
    }
    let (first, group) = separator(text, end)?;
    let group_end = run_end(text, group);
    let (second, serial) = separator(text, group_end)?;
    let serial_end = run_end(text, serial);
    let form = first == second && matches!(first, b'-' | b' ');
    let lengths = (group_end - group, serial_end - serial) == (2, 4);
    (form && lengths && valid(serial_end)).then(|| found(serial_end))
}

/// Two digits, a dash, seven digits.
fn ein_grouped(text: &[u8], start: usize, end: usize) -> Option<usize> {
    if end - start != 2 || byte(text, end) != b'-' {
        return None;
    }
    let last = run_end(text, end + 1);
    (last - (end + 1) == 7 && !goes_on(text, last)).then_some(last)
}

/// The end of a date that begins here: year, month and day in either customary order, or eight digits in a row.
fn date(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let year = |value| (1900..2030).contains(&value);
    let month = |value| (1..=12).contains(&value);
    let day = |value| (1..=31).contains(&value);
    let len = end - start;
    if len == 8 {
        if !matches!(text.get(start..start + 2), Some(b"19" | b"20")) {
            return None;
        }
        let all = number(text, start, end);
        let ok = year(all / 10_000) && month(all / 100 % 100) && day(all % 100);
        return ok.then_some(end);
    }
    let mark = byte(text, end);
    if !matches!(mark, b'-' | b'/' | b'.') || !matches!(len, 1 | 2 | 4) || !is_digit(text, end + 1)
    {
        return None;
    }
    let second_end = end + 2 + usize::from(is_digit(text, end + 2));
    if byte(text, second_end) != mark || !is_digit(text, second_end + 1) {
        return None;
    }
    let last_end = run_end(text, second_end + 1);
    let last_len = last_end - second_end - 1;
    if !matches!((len, last_len), (4, 1 | 2) | (1 | 2, 4)) {
        return None;
    }
    let digits = len + (second_end - end - 1) + last_len;
    let first = number(text, start, end);
    let second = number(text, end + 1, second_end);
    let last = number(text, second_end + 1, last_end);
    let ok = if len == 4 {
        year(first) && month(second) && day(last)
    } else {
        year(last) && (month(first) && day(second) || day(first) && month(second))
    };
    (ok && digits >= DIGITS_MIN).then_some(last_end)
}
