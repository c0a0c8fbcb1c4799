//! Tokens of providers, in the forms that those publish, and keys of AWS and age that are written alike.
//!
//! Each holds a row of characters such as prose has none of, so only what stands at such rows is compared with the forms.

use std::ops::Range;

use super::forms::{FORMS, Form, OPEN, Part, RANGES, UNMARKED, is_begun, unmarked};
use super::secret::run;
use super::{Kind, Match, at};
use crate::bits::{BLOCK_BYTES, bits_at, first};
use crate::encoded::Row;

/// So far before a row a token begins at most.
pub(crate) const BEFORE_ROW: usize = 32;

/// Finds the tokens that start in `part`, and perhaps some that start elsewhere; `rows` are those of [`crate::encoded::long_rows`] that touch it or
/// begin close behind, in order.
pub(super) fn find(
    text: &[u8],
    part: Range<usize>,
    rows: impl Iterator<Item = Row>,
    found: &mut Vec<Match>,
) {
    let mut done = part.start;
    for (start, len) in rows {
        let end = start + len;
        if start >= part.end + BEFORE_ROW {
            return;
        }
        let from = done.max(earliest(text, start));
        if from < end && has_letters(text, start, len) {
            beginnings(text, from..end, |pos, letters| {
                found.extend(with_start(text, pos, letters));
            });
            done = end;
        }
    }
}

/// Where the token may begin that has its first row at a place: there, where none of the signs stands before the row that stand between the
/// parts of tokens and are not of base64.
#[inline]
fn earliest(text: &[u8], row: usize) -> usize {
    match at(text, row.wrapping_sub(1)) {
        b'.' | b'=' | b':' => row.saturating_sub(BEFORE_ROW),
        _ => row,
    }
}

/// Whether there are letters in a row, or it is too long to say: the rows of card and telephone numbers have none.
#[inline]
fn has_letters(text: &[u8], start: usize, len: usize) -> bool {
    len > BLOCK_BYTES || bits_at(text, start, |byte| byte >= b'A' && byte != b'_') & first(len) != 0
}

/// Hands over the places where a token may begin, and how many letters and digits stand there at least.
#[inline]
fn beginnings(text: &[u8], part: Range<usize>, mut take: impl FnMut(usize, usize)) {
    let mut glued = part
        .start
        .checked_sub(1)
        .is_some_and(|pos| is_glue(at(text, pos)));
    for block in part.clone().step_by(BLOCK_BYTES) {
        let glue = bits_at(text, block, is_glue);
        let mut begin = glue & !(glue << 1 | u64::from(glued)) & first(part.end - block);
        while begin != 0 {
            let place = begin.trailing_zeros();
            let pos = block + place as usize;
            let mut letters = (glue >> place).trailing_ones() as usize;
            if letters + place as usize == BLOCK_BYTES {
                letters = bits_at(text, pos, is_glue).trailing_ones() as usize;
            }
            take(pos, letters);
            begin &= begin - 1;
        }
        glued = glue >> (BLOCK_BYTES - 1) != 0;
    }
}

/// What is hidden already counts as what it was.
#[inline(always)]
fn is_glue(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'*'
}

/// The token that begins at a place before which no letter or digit stands.
pub(crate) fn token(text: &[u8], start: usize) -> Option<Match> {
    let unmarked = || UNMARKED.iter().find_map(|form| form.at(text, start));
    marked(text, start).or_else(unmarked)
}

/// The same, where it is known that so many letters and digits stand there, or all of a block.
#[inline(always)]
fn with_start(text: &[u8], start: usize, letters: usize) -> Option<Match> {
    let [first, second] = [0, 1].map(|place| at(text, start + place));
    let token = if is_begun(first, second) {
        marked(text, start)
    } else {
        None
    };
    token.or_else(|| unmarked(letters, |place| at(text, start + place))?.at(text, start))
}

/// The token with a mark that begins at a place.
#[inline(never)]
fn marked(text: &[u8], start: usize) -> Option<Match> {
    let first = usize::from(at(text, start));
    let (from, to) = RANGES.get(first).copied().unwrap_or_default();
    let forms = FORMS.get(usize::from(from)..usize::from(to));
    let head = u32::from_le_bytes([0, 1, 2, 3].map(|place| at(text, start + place)));
    let like = |form: &&Form| head & form.head.1 == form.head.0;
    let mut forms = forms.unwrap_or_default().iter().filter(like);
    forms.find_map(|form| form.at(text, start))
}

impl Form {
    fn at(&self, text: &[u8], start: usize) -> Option<Match> {
        let rest = text.get(start..)?;
        if !self.mark.is_empty() && !rest.starts_with(self.mark.as_bytes()) {
            return None;
        }
        let is_name = |byte: u8| matches!(byte, b'-' | b'_' | b'.' | b'/');
        if self.alone && is_name(at(text, start.wrapping_sub(1))) {
            return None;
        }
        let value = start + self.mark.len();
        let end = self
            .parts
            .iter()
            .try_fold(value, |pos, part| part.end(text, pos))?;
        let last = matches!(self.parts.last(), Some(Part::Run(_, _, most)) if *most != OPEN);
        if last && is_glue(at(text, end)) {
            return None;
        }
        Some(Match {
            kind: self.kind,
            start: if self.announced { value } else { start },
            end,
            shown: if self.kind == Kind::Token { value } else { end },
        })
    }
}

impl Part {
    /// Where the part ends that begins at a place.
    fn end(&self, text: &[u8], pos: usize) -> Option<usize> {
        match *self {
            Self::Is(expected) => {
                let rest = text.get(pos..)?;
                rest.starts_with(expected.as_bytes())
                    .then_some(pos + expected.len())
            }
            Self::Run(sort, least, most) => {
                let len = run(text, pos, most + 1, sort);
                let fits = len >= least && (len <= most || most == OPEN);
                fits.then_some(pos + len.min(most))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Hint, LOOK_CHARS_MAX};

    fn search(text: &[u8], found: &mut Vec<Match>) {
        let part = 0..text.len();
        find(
            text,
            part.clone(),
            crate::encoded::long_rows(text, part),
            found,
        );
    }

    #[test]
    fn what_has_no_mark_is_told_by_one_character() {
        for form in UNMARKED {
            for token in tokens(form) {
                let token = token.as_bytes();
                let letters = token.iter().take_while(|byte| is_glue(**byte)).count();
                let told = unmarked(letters, |place| token[place]);
                assert!(told.is_some_and(|told| std::ptr::eq(told, form)));
            }
        }
    }

    /// The shortest and the longest token of a form.
    fn tokens(form: &Form) -> [String; 2] {
        [false, true].map(|longest| {
            let parts = form.parts.iter().map(|part| match part {
                Part::Is(text) => (*text).to_owned(),
                Part::Run(sort, least, most) => {
                    let alphabet = "0aB1cD2eF3".chars().chain('A'..='Z').chain('0'..='9');
                    let fits: Vec<char> = alphabet.filter(|char| sort(*char as u8)).collect();
                    let count = if longest { *most } else { *least };
                    fits.into_iter().cycle().take(count).collect()
                }
            });
            format!("{}{}", form.mark, parts.collect::<String>())
        })
    }

    #[test]
    fn every_form_is_found_and_nothing_that_is_cut() {
        for form in FORMS.iter().chain(UNMARKED) {
            for token in tokens(form) {
                let value = if form.announced {
                    &token[form.mark.len()..]
                } else {
                    &token
                };
                assert!(token.len() + 2 <= LOOK_CHARS_MAX, "{token}");
                for text in [
                    token.clone(),
                    format!("a {token} b"),
                    format!("k=\"{token}\";"),
                ] {
                    let mut found = Vec::new();
                    search(text.as_bytes(), &mut found);
                    let found: Vec<_> = found
                        .iter()
                        .map(|it| (it.kind, &text[it.start..it.end]))
                        .collect();
                    assert_eq!(found, [(form.kind, value)], "{text}");
                    let all = crate::detect::tests::found(Hint::NONE, &text);
                    assert!(
                        all.iter()
                            .any(|(kind, it)| *kind == form.kind && it == value),
                        "{text}: {all:?}"
                    );
                }
                for text in [format!("z{token}"), format!("a *{token}")] {
                    let mut found = Vec::new();
                    search(text.as_bytes(), &mut found);
                    assert_eq!(found, [], "{text}");
                }
            }
            let [shortest, _] = tokens(form);
            let mut found = Vec::new();
            let cut = &shortest.as_bytes()[..shortest.len() - 1];
            search(cut, &mut found);
            assert_eq!(found, [], "{shortest}");
        }
    }
}
