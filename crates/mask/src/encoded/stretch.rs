//! Stretches of text among decoded bytes.

use std::ops::Range;

use super::alphabet::is_plain;
use super::way::{Layer, Way};
use super::{Carrier, TEXT_BYTES_MIN};
use crate::work;

/// The longest character of UTF-8.
const CHAR_BYTES_MAX: usize = 4;

/// So many bytes are decoded first before a place that is text, and behind it; more as need be, in whole groups.
const BEFORE_BYTES: usize = 24;
const BEHIND_BYTES: usize = 48;

/// Encoded bytes.
pub(super) trait Code {
    /// How many bytes there are.
    fn count(&self) -> usize;

    /// Appends the bytes of a part; it begins with a group.
    fn decode(&self, part: Range<usize>, bytes: &mut Vec<u8>);

    /// The way back from the bytes `start..end`.
    fn way(&self, start: usize, end: usize) -> Way;
}

/// Hands over the text around a place that is text and begins a group, if it is long enough. Gives where it ends.
pub(super) fn around(code: &impl Code, place: usize, take: &mut impl FnMut(Layer)) -> usize {
    let (start, text) = stretch(code, place);
    let end = start + text.len();
    if is_enough(&text) {
        take(Layer {
            text,
            way: code.way(start, end),
            carrier: Carrier::Run,
            near: None,
        });
    }
    end
}

/// The text around a place, and where it begins.
fn stretch(code: &impl Code, place: usize) -> (usize, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut before = BEFORE_BYTES;
    let start = loop {
        let from = place.saturating_sub(before);
        bytes.clear();
        code.decode(from..place, &mut bytes);
        work::done(place - from);
        let start = beginning(&bytes);
        // A character may be cut at the edge of what was decoded.
        if from == 0 || start >= CHAR_BYTES_MAX {
            bytes.drain(..start);
            break from + start;
        }
        before *= 4;
    };
    let count = code.count();
    let (mut to, mut behind) = (place, BEHIND_BYTES);
    let mut end = bytes.len();
    loop {
        let from = to;
        to = count.min(from + behind);
        code.decode(from..to, &mut bytes);
        work::done(to - from);
        end += ending(bytes.get(end..).unwrap_or_default());
        if to == count || end + CHAR_BYTES_MAX <= bytes.len() {
            bytes.truncate(end);
            return (start, bytes);
        }
        behind *= 4;
    }
}

/// Whether there is so much ASCII in a row that a look meets it wherever a run begins.
fn is_enough(text: &[u8]) -> bool {
    let mut row = 0;
    text.iter().any(|byte| {
        row = if is_plain(*byte) { row + 1 } else { 0 };
        row == TEXT_BYTES_MIN
    })
}

/// Where the text begins that the bytes end with.
fn beginning(bytes: &[u8]) -> usize {
    let mut start = bytes.len();
    while let Some(len) = (1..=CHAR_BYTES_MAX).find(|len| {
        let from = start.checked_sub(*len);
        let char = from.and_then(|from| bytes.get(from..start));
        char.is_some_and(|char| char_len(char) == Some(*len))
    }) {
        start -= len;
    }
    start
}

/// Where the text ends that the bytes begin with.
fn ending(bytes: &[u8]) -> usize {
    let mut end = 0;
    loop {
        let rest = bytes.get(end..).unwrap_or_default();
        let (rows, _) = rest.as_chunks::<16>();
        let plain = rows
            .iter()
            .take_while(|row| super::alphabet::all_plain(**row));
        let plain = 16 * plain.count();
        end += plain;
        match rest.get(plain..).and_then(char_len) {
            Some(len) => end += len,
            None => return end,
        }
    }
}

/// The length of the character of UTF-8 that begins here, if that is of a text.
#[inline]
fn char_len(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.first()?;
    let len = match first {
        _ if is_plain(first) => return Some(1),
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let tail = bytes.get(1..len)?;
    tail.iter().all(|byte| byte & 0xC0 == 0x80).then_some(len)
}
