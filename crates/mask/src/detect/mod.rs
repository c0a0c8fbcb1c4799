//! Finding values: candidates from digit runs, `@` and the marks of secrets, then validators.
//!
//! Everything here reads folded text ([`crate::fold`]): one byte per character. A match is a fact about the text
//! around it, never about other matches; nothing is blocked by a neighbour, so hiding one value cannot
//! uncover another.

mod address;
mod assigned;
mod bic;
mod birth;
mod card;
mod context;
mod digits;
mod email;
mod forms;
mod groups;
mod hint;
mod iban;
mod identity;
mod ip;
mod kind;
mod luhn;
mod meaning;
mod pair;
mod password;
pub(crate) mod pem;
mod phone;
pub(crate) mod provider;
mod routing;
pub(crate) mod secret;
mod ssn;
mod words;

pub(crate) use card::{is_card_length, is_issued};
pub(crate) use context::BEFORE_CHARS;
pub use hint::Hint;
pub(crate) use iban::remainder;
pub(crate) use ip::find as find_ip;
pub(crate) use kind::Kind;
pub(crate) use luhn::luhn;
pub(crate) use routing::checksum as aba_checksum;

use std::ops::Range;

use crate::bits::{self, BLOCK_BYTES};
use crate::encoded::{Row, long_rows};
use crate::prefilter;
use crate::work;

/// Characters on either side of a match's start that may decide whether it is one: the longest look that any detector
/// takes (a mail domain of 253 characters after a local part of 64).
pub const LOOK_CHARS_MAX: usize = 384;

/// Values up to this length are judged by their column's name.
const NAMED_CHARS_MAX: usize = 256;

/// A value found: positions in folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Where the part begins that a partial mask shows; for an e-mail address the domain, otherwise the last four.
    pub(crate) shown: usize,
}

/// Keeps what a validator found.
#[inline]
fn keep(found: &mut Vec<Match>, one: Option<Match>) {
    if let Some(one) = one {
        found.push(one);
    }
}

/// Moves each match behind `sorted` to its place. They are all but in order as they are found.
fn settle(found: &mut [Match], sorted: usize) {
    for place in sorted..found.len() {
        let Some((last, before)) = found.get_mut(..=place).and_then(<[_]>::split_last_mut) else {
            return;
        };
        let key = |it: &Match| (it.start, it.end);
        let later = |it: &&Match| key(it) > key(last);
        let count = before.iter().rev().take_while(later).count();
        if let Some(moved) = found.get_mut(place - count..=place) {
            moved.rotate_right(1);
        }
    }
}

/// Finds every match that starts in `part`, in no particular order. Some that start elsewhere may be found too. `rows` are the long
/// rows near the part, where they are at hand.
pub(crate) fn scan(
    text: &[u8],
    part: Range<usize>,
    hint: Hint,
    rows: Option<&[Row]>,
    found: &mut Vec<Match>,
) {
    let from = part.start;
    // What decides about a match may stand so far behind its start.
    let to = text.len().min(part.end + LOOK_CHARS_MAX);
    if hint.tells_all() && text.len() <= NAMED_CHARS_MAX {
        named(text, hint, found);
    }
    let mut numbers = digits::Search::new(text, hint);
    let mut pos = from;
    // Where the blocks with digits begin that are not searched yet.
    let mut hot = from;
    let mut before = found.len();
    while let Some(bytes) = text
        .get(pos..to)
        .and_then(|rest| rest.first_chunk::<BLOCK_BYTES>())
    {
        let block = prefilter::block(bytes);
        let end = pos + BLOCK_BYTES;
        if block.at || !block.hot {
            numbers.find(hot, if block.hot { end } else { pos }, found);
            hot = end;
        }
        if block.at {
            email::find(text, pos, end, found);
        }
        if found.len() > before {
            settle(found, before);
            before = found.len();
        }
        pos = end;
    }
    numbers.find(hot, to, found);
    email::find(text, pos, to, found);
    match rows {
        Some(rows) => provider::find(text, part, rows.iter().copied(), found),
        None => {
            let rows = long_rows(text, from..to);
            provider::find(text, part, rows, found);
        }
    }
    secret::find(text, from..to, found);
}

/// Judges a value by what its column's name says of it.
fn named(text: &[u8], hint: Hint, found: &mut Vec<Match>) {
    if hint.address() {
        address::named(text, found);
    }
    if hint.bic() {
        found.extend(bic::named(text));
    }
    if hint.birth() {
        found.extend(birth::named(text));
    }
    if hint.license() {
        found.extend(identity::washington(text, 0, hint));
    }
    found.extend(assigned::named(text, hint));
}

/// Where the part begins that shows the last four of a value, or its end where digits go on behind it: what a mask
/// leaves must not become the beginning of something else.
fn last_four(text: &[u8], start: usize, end: usize) -> usize {
    last(text, start, end, 4)
}

/// The same for so many letters and digits.
pub(crate) fn last(text: &[u8], start: usize, end: usize, count: usize) -> usize {
    if groups::separator(text, end).is_some() || is_digit(text, end) {
        return end;
    }
    // Most often they stand together.
    let part = text.get(start..end).unwrap_or_default();
    let together = part.len().checked_sub(count);
    if together.is_some_and(|from| {
        let part = part.get(from..).unwrap_or_default();
        part.iter()
            .fold(true, |all, byte| all & byte.is_ascii_alphanumeric())
    }) {
        return end - count;
    }
    let mut shown = end;
    let mut left = count;
    for byte in text.get(start..end).unwrap_or_default().iter().rev() {
        if left == 0 {
            break;
        }
        shown -= 1;
        left -= usize::from(byte.is_ascii_digit() || byte.is_ascii_alphabetic());
    }
    shown
}

/// The byte at `pos`; 0 outside the text.
#[inline]
fn at(text: &[u8], pos: usize) -> u8 {
    text.get(pos).copied().unwrap_or_default()
}

#[inline]
fn is_digit(text: &[u8], pos: usize) -> bool {
    at(text, pos).is_ascii_digit()
}

/// Digits in a row that are read; no number has as many, and what is longer is none.
const RUN_DIGITS_MAX: usize = 64;

/// Where the digit run that stands at `pos` ends, or has too many digits.
#[inline]
fn run_end(text: &[u8], pos: usize) -> usize {
    let mut end = pos;
    while end < pos + RUN_DIGITS_MAX {
        let rest = text.get(end..).unwrap_or_default();
        let eight = rest.first_chunk();
        let Some(eight) = eight else {
            end += rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            break;
        };
        let digits = bits::digits_first(*eight);
        end += digits;
        if digits < eight.len() {
            break;
        }
    }
    let end = end.min(pos + RUN_DIGITS_MAX);
    work::done(end - pos);
    end
}

/// The digits of a stretch of folded text, in order, as values 0 to 9.
pub(crate) fn values(text: &[u8], start: usize, end: usize) -> impl DoubleEndedIterator<Item = u8> {
    text.get(start..end)
        .unwrap_or_default()
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| byte - b'0')
}

/// The digits of a stretch as one number. At most 19 of them, which fit.
fn number(text: &[u8], start: usize, end: usize) -> u64 {
    values(text, start, end).fold(0, |sum, digit| {
        sum.wrapping_mul(10).wrapping_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests;
