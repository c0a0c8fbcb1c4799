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
mod email;
mod groups;
mod iban;
mod identity;
mod ip;
mod kind;
mod phone;
mod routing;
pub(crate) mod secret;
mod ssn;

pub(crate) use card::{is_card_length, luhn};
pub(crate) use context::BEFORE_CHARS;
pub use context::Hint;
pub(crate) use iban::remainder;
pub(crate) use ip::find as find_ip;
pub(crate) use kind::Kind;
pub(crate) use routing::checksum as aba_checksum;

use crate::prefilter::{self, BLOCK_BYTES, NUMBER_DIGITS_MIN};

/// Characters on either side of a match's start that may decide whether it is one: the longest look that any detector
/// takes (a mail domain of 253 characters after a local part of 64).
pub const LOOK_CHARS_MAX: usize = 384;

/// The digits of a ZIP code.
const ZIP_DIGITS: usize = 5;

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

/// Finds every match that starts at or after `from`, in no particular order. Some that start earlier may be found too.
pub(crate) fn scan(text: &[u8], from: usize, hint: Hint, found: &mut Vec<Match>) {
    if hint.tells_all() && text.len() <= NAMED_CHARS_MAX {
        named(text, hint, found);
    }
    let mut pos = from;
    let mut searched = from;
    while let Some(bytes) = text
        .get(pos..)
        .and_then(|rest| rest.first_chunk::<BLOCK_BYTES>())
    {
        let block = prefilter::block(bytes);
        let end = pos + BLOCK_BYTES;
        if block.hot {
            let start = searched.max(pos.saturating_sub(BLOCK_BYTES));
            digits(text, start, end, hint, found);
            searched = end;
        }
        if block.at {
            email::find(text, pos, end, found);
        }
        pos = end;
    }
    let start = searched.max(pos.saturating_sub(BLOCK_BYTES));
    digits(text, start, text.len(), hint, found);
    email::find(text, pos, text.len(), found);
    secret::find(text, from, found);
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
    found.extend(assigned::named(text, hint));
}

/// Tries every digit run that begins in `start..end`.
fn digits(text: &[u8], start: usize, end: usize, hint: Hint, found: &mut Vec<Match>) {
    let mut pos = start;
    if is_digit(text, pos.wrapping_sub(1)) {
        pos = run_end(text, pos);
    }
    while pos < end {
        let Some(byte) = text.get(pos) else { return };
        if !byte.is_ascii_digit() {
            pos += 1;
            continue;
        }
        let run_end = run_end(text, pos);
        run_of_digits(text, pos, run_end, hint, found);
        pos = run_end;
    }
}

#[inline]
fn run_of_digits(text: &[u8], start: usize, end: usize, hint: Hint, found: &mut Vec<Match>) {
    let len = end - start;
    let before = at(text, start.wrapping_sub(1));
    let separator = groups::separator(text, end);
    // Few digits by themselves are nothing: no group of a longer number, no account of two letters and digits.
    let few = len < NUMBER_DIGITS_MIN && len != ZIP_DIGITS;
    let alone = few && separator.is_none() && !phone::goes_on(text, end);
    if alone && !before.is_ascii_alphabetic() && before != b'+' {
        return;
    }
    identity::at(text, start, end, hint, found);
    found.extend(phone::at(text, start, end, hint));
    if len >= 2 && before.is_ascii_alphabetic() {
        found.extend(iban::at(text, start));
    }
    if len == ZIP_DIGITS {
        found.extend(address::before_zip(text, start, end));
    }
    match len {
        1..=8 => {
            if let Some((kind, next)) = separator {
                card::grouped(text, start, end, kind, hint, found);
                if len == 3 {
                    found.extend(ssn::grouped(text, start, kind, next, hint));
                    found.extend(routing::grouped(text, start, kind, next, hint));
                }
            }
        }
        9 => {
            found.extend(ssn::compact(text, start, hint));
            found.extend(routing::compact(text, start, hint));
        }
        12..=19 => found.extend(card::compact(text, start, end, hint)),
        _ => {}
    }
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
    let mut shown = end;
    let mut left = count;
    while shown > start && left > 0 {
        shown -= 1;
        left -= usize::from(at(text, shown).is_ascii_alphanumeric());
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

/// Where the digit run that stands at `pos` ends.
#[inline]
fn run_end(text: &[u8], pos: usize) -> usize {
    let mut end = pos;
    while is_digit(text, end) {
        end += 1;
    }
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
