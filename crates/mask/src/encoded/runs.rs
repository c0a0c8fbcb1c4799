//! Runs of base64, over line ends too, in which hexadecimal may stand as well.

use std::borrow::Cow;
use std::ops::Range;

use super::rows;
use super::way::Layer;
use super::{alphabet, base64, hex};
use crate::bits::{BLOCK_BYTES, ahead};

/// The fewest characters of base64 that decode to [`super::TEXT_BYTES_MIN`] bytes.
pub(super) const CHARS_MIN: u32 = 15;

/// Characters in a row: the first, and how many.
pub(crate) type Row = (usize, usize);

/// A run goes on over a line's end from so many characters on.
const LINE_CHARS_MIN: usize = 16;

/// Spaces at the beginning of a line that it goes on over.
const INDENT_CHARS_MAX: usize = 32;

/// Where so many characters of base64 stand in a row, as a run begins with, in order, of those that begin in a part before which no row
/// goes on. Some that begin behind it may be told too.
pub(crate) fn rows(text: &[u8], part: Range<usize>) -> impl Iterator<Item = Row> {
    LongRows::of(text, part)
}

struct LongRows<'a> {
    text: &'a [u8],
    from: usize,
    end: usize,
    /// The block that is looked at, and where rows begin in it that are left.
    block: usize,
    left: u64,
    /// What is likely of base64 in the block behind it.
    likely: u64,
    /// The characters of base64 in it, and in the block at a place.
    here: u64,
    next: (usize, u64),
}

impl<'a> LongRows<'a> {
    fn of(text: &'a [u8], part: Range<usize>) -> Self {
        let from = part.start;
        Self {
            text,
            from,
            end: part.end.min(text.len()),
            block: from.wrapping_sub(BLOCK_BYTES),
            left: 0,
            likely: alphabet::likely(text, from),
            here: 0,
            next: (usize::MAX, 0),
        }
    }

    /// Goes on to the next block in which rows begin; says whether there is one.
    #[inline]
    fn go_on(&mut self) -> bool {
        let (mut block, mut likely) = (self.block, self.likely);
        loop {
            block = block.wrapping_add(BLOCK_BYTES);
            if block >= self.end {
                return false;
            }
            let here = likely;
            likely = alphabet::likely(self.text, block + BLOCK_BYTES);
            if rows::in_a_row::<CHARS_MIN>(here, likely) != 0 {
                (self.block, self.likely) = (block, likely);
                self.look();
                if self.left != 0 {
                    return true;
                }
            }
        }
    }

    /// Finds where rows begin in the block.
    fn look(&mut self) {
        let (block, behind) = (self.block, self.block + BLOCK_BYTES);
        self.here = match self.next {
            (next, bits) if next == block => bits,
            _ => alphabet::parts(self.text, block),
        };
        // What is not even likely goes on with no row.
        self.next = if self.likely & 1 == 0 {
            (usize::MAX, 0)
        } else {
            (behind, alphabet::parts(self.text, behind))
        };
        let before = block.checked_sub(1).filter(|_| block > self.from);
        let before = before.and_then(|place| self.text.get(place));
        let goes_on = before.is_some_and(|byte| alphabet::is_part(*byte));
        let first = self.here & !(self.here << 1 | u64::from(goes_on));
        self.left = rows::in_a_row::<CHARS_MIN>(self.here, self.next.1) & first;
    }
}

impl Iterator for LongRows<'_> {
    type Item = Row;

    #[inline]
    fn next(&mut self) -> Option<Row> {
        if self.left == 0 && !self.go_on() {
            return None;
        }
        let place = self.left.trailing_zeros();
        self.left &= self.left - 1;
        let start = self.block + place as usize;
        let count = ahead(self.here, self.next.1, place).trailing_ones() as usize;
        let more = match count {
            BLOCK_BYTES => rows::length(self.text, start + BLOCK_BYTES, alphabet::parts),
            _ => 0,
        };
        Some((start, count + more))
    }
}

/// Whether there may be a run.
pub(super) fn may_hold(text: &[u8]) -> bool {
    text.len() >= CHARS_MIN as usize && rows(text, 0..text.len()).next().is_some()
}

/// The rows that runs begin with which touch `from..to`, and others, in order.
pub(super) fn near(text: &[u8], from: usize, to: usize) -> impl Iterator<Item = Row> {
    rows(text, behind_break(text, from)..to)
}

/// Hands over the texts that runs decode to which touch `from..to`; `rows` are those of [`near`].
pub(super) fn each(
    text: &[u8],
    from: usize,
    to: usize,
    rows: impl Iterator<Item = Row>,
    mut take: impl FnMut(Layer),
) {
    let mut places = Vec::new();
    let mut done = 0;
    for (start, len) in rows {
        if start >= to {
            return;
        }
        // It was read as the next line of another.
        if start < done {
            continue;
        }
        if is_nothing(text, start, len) {
            done = start + len;
            continue;
        }
        let run = Run::of(text, start, len);
        done = run.end;
        if run.end <= from {
            continue;
        }
        base64::each(&run, &mut places, &mut take);
        if run.end - start >= hex::CHARS_MIN as usize {
            hex::each(text, start, run.end, &mut places, &mut take);
        }
    }
}

/// Whether a row is too short for hexadecimal, goes on over no line's end, and is none of base64 that is text.
#[inline]
fn is_nothing(text: &[u8], start: usize, len: usize) -> bool {
    let after = text.get(start + len);
    len < hex::CHARS_MIN as usize
        && !after.is_some_and(|byte| matches!(byte, b'\n' | b'\r' | b'\\'))
        && !alphabet::may_be_text(text, start, len)
}

/// So far back it is looked where a run might have ended; farther, and all before is read.
const BREAK_LOOK: usize = 1024;

/// A place at or before `from` that no run reaches over, the last one if it is near.
fn behind_break(text: &[u8], from: usize) -> usize {
    let at = |pos: usize| text.get(pos).copied().unwrap_or_default();
    let is_break = |pos: usize| match at(pos) {
        // What a line's end and the indentation behind it are made of.
        b'\n' | b'\r' | b'\\' => false,
        b' ' | b'\t' => {
            let before = pos.checked_sub(1).map_or(b' ', at);
            let escaped = before == b'n' && pos >= 2 && at(pos - 2) == b'\\';
            alphabet::is_part(before) && !escaped
        }
        byte => !alphabet::is_part(byte),
    };
    let near = from.saturating_sub(BREAK_LOOK)..from;
    let last = near.rev().find(|pos| is_break(*pos));
    last.map_or(0, |pos| pos + 1)
}

/// Characters of base64 in a row, without the line ends between.
pub(super) struct Run<'a> {
    chars: Cow<'a, [u8]>,
    start: usize,
    /// Where lines begin behind the first: which character, and where it stands.
    lines: Vec<(usize, usize)>,
    end: usize,
}

impl<'a> Run<'a> {
    /// The run whose first line has so many characters from `start` on.
    fn of(text: &'a [u8], start: usize, len: usize) -> Self {
        let first = text.get(start..start + len).unwrap_or_default();
        let mut run = Self {
            start,
            end: start + first.len(),
            chars: Cow::Borrowed(first),
            lines: Vec::new(),
        };
        let mut last = first;
        while last.len() >= LINE_CHARS_MIN
            && let Some(start) = next_line(text, run.end)
        {
            last = line(text, start);
            run.lines.push((run.chars.len(), start));
            run.chars.to_mut().extend_from_slice(last);
            run.end = start + last.len();
        }
        run
    }

    pub(super) fn chars(&self) -> &[u8] {
        &self.chars
    }

    /// Whether all characters are of a sort, of which `bits` tells for a block.
    pub(super) fn all(&self, bits: impl Fn(&[u8], usize) -> u64) -> bool {
        let count = self.chars.len();
        (0..count).step_by(BLOCK_BYTES).all(|place| {
            let row = bits(&self.chars, place).trailing_ones() as usize;
            row >= BLOCK_BYTES.min(count - place)
        })
    }

    /// Where a character stands, and how many of its line there are from it on.
    pub(super) fn original(&self, place: usize) -> (usize, usize) {
        let after = self.lines.partition_point(|(first, _)| *first <= place);
        let line = after.checked_sub(1).and_then(|last| self.lines.get(last));
        let (first, start) = line.copied().unwrap_or((0, self.start));
        let next = self.lines.get(after).map(|(first, _)| *first);
        let end = next.unwrap_or(self.chars.len());
        (start + place - first, end.saturating_sub(place))
    }
}

/// Characters of base64 from a place on.
fn line(text: &[u8], start: usize) -> &[u8] {
    let end = start + rows::length(text, start, alphabet::parts);
    text.get(start..end).unwrap_or_default()
}

/// Where a run goes on behind the line's end at `pos`, written out or as an escape.
fn next_line(text: &[u8], pos: usize) -> Option<usize> {
    let rest = text.get(pos..)?;
    let ends = [&b"\n"[..], b"\r\n", b"\\n", b"\\r\\n"];
    let end = ends.iter().find(|end| rest.starts_with(end))?;
    let rest = rest.get(end.len()..)?;
    let indent = rest.iter().take(INDENT_CHARS_MAX);
    let indent = indent.take_while(|it| matches!(it, b' ' | b'\t')).count();
    let goes_on = rest
        .get(indent)
        .is_some_and(|byte| alphabet::is_part(*byte));
    goes_on.then_some(pos + end.len() + indent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::rows::Rows;
    use super::*;

    proptest! {
        #[test]
        fn rows_are_where_they_are(pieces in prop::collection::vec("[a-z0-9+/_-]{0,90}|[.,:~ ]{1,3}", 0..12)) {
            let text = pieces.concat().into_bytes();
            let all = Rows::<CHARS_MIN, _>::of(&text, 0..text.len(), alphabet::parts);
            let expected: Vec<_> = all.collect();
            let found: Vec<_> = rows(&text, 0..text.len()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
