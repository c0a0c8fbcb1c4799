//! Words nearby, which decide about numbers that mean nothing by themselves.

use super::hint::{KEY, PASSPORT, PASSWORD};
use super::meaning::{begins, head, is_secret, meaning};
use super::words::{FewWords, Words};
use super::{Hint, at};
use crate::bits::{BLOCK_BYTES, bits_at, first, is_digit};
use crate::work;

/// Characters before a candidate in which a word counts.
pub(crate) const BEFORE_CHARS: usize = 40;

/// Characters after it.
const AFTER_CHARS: usize = 24;

/// What the words within a short distance of a candidate speak of.
pub(super) fn near(text: &[u8], start: usize, end: usize) -> Hint {
    let from = start.saturating_sub(BEFORE_CHARS);
    let before = FewWords::of(text, from, first(start - from));
    // What the next line begins with speaks for what follows it.
    let lines = bits_at(text, end, |byte| byte == b'\n');
    let line = AFTER_CHARS.min(lines.trailing_zeros() as usize);
    let after = FewWords::of(text, end, first(line));
    said(&before).or(said(&after))
}

/// What the words that lead up to a candidate speak of: those before it with no digit, comma or other break between.
///
/// Stricter than [`near`], for numbers that have no check digit: a word speaks for the next number alone.
pub(super) fn leading(text: &[u8], start: usize) -> Hint {
    lead(text, start).0
}

/// The same, or what the clause before says ([`numbered`]).
pub(super) fn leading_or_numbered(text: &[u8], start: usize) -> Hint {
    match lead(text, start) {
        (said, b',') => said.or(numbered(text, start)),
        (said, _) => said,
    }
}

/// What the words say that lead up to a candidate, and what stands before them.
fn lead(text: &[u8], start: usize) -> (Hint, u8) {
    let breaks = |byte: u8| {
        is_digit(byte)
            | (byte == b'\n')
            | (byte == b';')
            | (byte == b',')
            | (byte == b'&')
            | (byte == b'*')
    };
    let from = start.saturating_sub(BEFORE_CHARS);
    let all = first(start - from);
    let last = (bits_at(text, from, breaks) & all).leading_zeros();
    let last = BLOCK_BYTES - last as usize;
    let part = all & !first(last);
    let said = if part == 0 {
        Hint::NONE
    } else {
        said(&FewWords::of(text, from, part))
    };
    let before = last.checked_sub(1).map(|last| at(text, from + last));
    (said, before.unwrap_or_default())
}

/// Whether words may lead up to a number with this byte before it, for the price of one look; `numbered` if a comma may
/// stand between.
#[inline]
pub(super) fn may_lead(before: u8, numbered: bool) -> bool {
    let breaks = before.is_ascii_digit() || matches!(before, b'\n' | b';' | b'&' | b'*');
    !breaks && (numbered || before != b',')
}

/// Whether the clause before a candidate speaks of a number, and the one before that of a passport: `my passport, the
/// number is …`.
fn numbered(text: &[u8], start: usize) -> Hint {
    let before = text
        .get(start.saturating_sub(BEFORE_CHARS)..start)
        .unwrap_or_default();
    let breaks = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'\n' | b';' | b'&' | b'*');
    let from = before.iter().rposition(breaks).map_or(0, |at| at + 1);
    let mut clauses = before
        .get(from..)
        .unwrap_or_default()
        .rsplit(|byte| *byte == b',');
    let last = clauses.next().unwrap_or_default();
    let first = clauses.next().unwrap_or_default();
    let is_number = |word: &[u8]| word.eq_ignore_ascii_case(b"number");
    let said = Words::of(last).any(is_number) && words_of(first).passport();
    Hint::of(if said { PASSPORT } else { 0 })
}

/// What the words of a text speak of.
pub(super) fn words_of(text: &[u8]) -> Hint {
    if text.len() <= BLOCK_BYTES {
        return said(&FewWords::of(text, 0, first(text.len())));
    }
    work::done(text.len());
    let mut hint = 0;
    let mut previous: &[u8] = b"";
    for word in Words::of(text) {
        hint |= meaning(|| previous, word, head(word));
        // As in "driver's".
        if word != b"s" {
            previous = word;
        }
    }
    Hint::of(of_secrets(hint, previous))
}

/// The same of few words.
fn said(words: &FewWords<'_>) -> Hint {
    work::done(words.len());
    let hint = words.starts().fold(0, |all, place| {
        let head = words.head(place);
        if begins(head) {
            all | meaning(|| words.before(place), words.at(place), head)
        } else {
            all
        }
    });
    if hint == 0 {
        return Hint::NONE;
    }
    Hint::of(of_secrets(hint, words.last()))
}

/// What words speak of of which this is the last: a length, a type or a date of a secret is none.
fn of_secrets(hint: u32, last: &[u8]) -> u32 {
    if hint & (KEY | PASSWORD) != 0 && !is_secret(last) {
        hint & !(KEY | PASSWORD)
    } else {
        hint
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn few_words_say_what_many_say(
            words in prop::collection::vec((prop::sample::select(&[
                "driver", "s", "licence", "DL", "dl", "social", "Security", "ssn", "a", "secret", "Key", "access", "length", "pwd",
                "accountNumber", "no", "tax", "Id", "word", "of", "PASSPORT",
            ][..]), "[ _,'-]{0,2}"), 0..9),
            cut in 0_usize..3,
        ) {
            let text: String = words.iter().map(|(word, gap)| format!("{word}{gap}")).collect();
            let text = &text.as_bytes()[cut.min(text.len())..];
            let text = &text[..text.len().min(BLOCK_BYTES)];
            let more = [text, &[b' '; BLOCK_BYTES + 1]].concat();
            prop_assert_eq!(words_of(text), words_of(&more));
        }
    }
}
