//! Digits written in groups.

use super::{at, is_digit, run_end};

/// The most characters between two groups, as in `4111 - 1111`.
pub(super) const SEPARATOR_CHARS_MAX: usize = 3;

/// The most groups that are read: a card of 19 digits written one by one, and one to see that it goes on.
const GROUPS_MAX: usize = 20;

/// The separator between a digit run that ends at `end` and the next run: its kind, and where that run begins.
///
/// Spaces, or a dash with or without spaces, up to [`SEPARATOR_CHARS_MAX`]; or one of `. / _ : ,`.
#[inline]
pub(super) fn separator(text: &[u8], end: usize) -> Option<(u8, usize)> {
    let first = at(text, end);
    if !matches!(first, b' ' | b'-' | b'.' | b'/' | b'_' | b':' | b',') {
        return None;
    }
    if !matches!(first, b' ' | b'-') {
        return is_digit(text, end + 1).then_some((first, end + 1));
    }
    let mut kind = first;
    for pos in end + 1..=end + SEPARATOR_CHARS_MAX {
        match at(text, pos) {
            b'0'..=b'9' => return Some((kind, pos)),
            b' ' => {}
            b'-' if kind == b' ' => kind = b'-',
            _ => return None,
        }
    }
    None
}

/// Whether a digit run stands before the one that begins at `start`, one digit long and with a separator of that kind.
pub(super) fn single_before(text: &[u8], start: usize, kind: u8) -> bool {
    (1..=SEPARATOR_CHARS_MAX).any(|chars| {
        let Some(end) = start.checked_sub(chars) else {
            return false;
        };
        is_digit(text, end.wrapping_sub(1))
            && !is_digit(text, end.wrapping_sub(2))
            && separator(text, end) == Some((kind, start))
    })
}

/// Consecutive digit runs with separators of one kind.
pub(super) struct Groups<'a> {
    text: &'a [u8],
    kind: u8,
    end: usize,
    read: usize,
}

impl<'a> Groups<'a> {
    /// The groups after the run that ends at `end`.
    pub(super) fn after(text: &'a [u8], end: usize, kind: u8) -> Self {
        Self {
            text,
            kind,
            end,
            read: 1,
        }
    }
}

impl Iterator for Groups<'_> {
    /// The length of the next group, and where it ends.
    type Item = (usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        if self.read == GROUPS_MAX {
            return None;
        }
        let (_, start) = separator(self.text, self.end).filter(|&(kind, _)| kind == self.kind)?;
        self.end = run_end(self.text, start);
        self.read += 1;
        Some((self.end - start, self.end))
    }
}
