//! Runs of base64 (RFC 4648, both alphabets, padded or not, over line ends too) and of hexadecimal.

use std::borrow::Cow;
use std::ops::Range;

use super::way::{Layer, Way};
use super::{Carrier, TEXT_BYTES_MIN};

/// The fewest characters of base64 that decode to [`TEXT_BYTES_MIN`] bytes.
const BASE64_CHARS_MIN: usize = 15;

/// The fewest digits of hexadecimal.
const HEX_CHARS_MIN: usize = 2 * TEXT_BYTES_MIN;

/// A run goes on over a line's end from so many characters on.
const LINE_CHARS_MIN: usize = 16;

/// Spaces at the beginning of a line that it goes on over.
const INDENT_CHARS_MAX: usize = 32;

/// Stands for no character of an alphabet.
const NONE: u8 = 0xFF;

/// What each character stands for in base64; both alphabets at once.
const BASE64: [u8; 256] = values(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
#[expect(clippy::cast_possible_truncation, reason = "there are 64")]
const fn values(alphabet: &[u8]) -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < alphabet.len() {
        values[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    values[b'+' as usize] = 62;
    values[b'-' as usize] = 62;
    values[b'/' as usize] = 63;
    values[b'_' as usize] = 63;
    values
}

/// Whether a byte is printable ASCII, tab or line end.
const PLAIN: [bool; 256] = plain();

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
const fn plain() -> [bool; 256] {
    let mut plain = [false; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        plain[byte as usize] = true;
        byte += 1;
    }
    plain[b'\t' as usize] = true;
    plain[b'\n' as usize] = true;
    plain[b'\r' as usize] = true;
    plain
}

fn is_plain(byte: u8) -> bool {
    PLAIN.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Without a look at one deciding about the next: most often it could not be foretold.
#[inline]
fn all_plain<const COUNT: usize>(bytes: [u8; COUNT]) -> bool {
    bytes.iter().fold(true, |all, byte| all & is_plain(*byte))
}

#[inline]
fn value(byte: u8) -> u8 {
    BASE64.get(usize::from(byte)).copied().unwrap_or(NONE)
}

/// Whether a byte is of a run.
pub(super) fn is_part(byte: u8) -> bool {
    value(byte) != NONE
}

/// All characters of runs are above this.
const LEAST: u64 = 0x2B;

const ONES: u64 = 0x0101_0101_0101_0101;

/// Whether there may be a run: eight characters in a row that could be of one, at a multiple of eight.
pub(super) fn may_hold(text: &[u8]) -> bool {
    text.len() >= BASE64_CHARS_MIN && next(text, 0).is_some()
}

/// The place of the next eight such characters.
fn next(text: &[u8], from: usize) -> Option<usize> {
    let (words, _) = text.as_chunks::<8>();
    let first = from.div_ceil(8);
    let is_candidate = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        word.wrapping_sub(ONES * LEAST) & !word & (ONES << 7) == 0
    };
    let mut places = words.iter().enumerate().skip(first);
    let found = places.find(|(_, word)| is_candidate(word) && word.iter().all(|it| is_part(*it)));
    found.map(|(place, _)| 8 * place)
}

/// Hands over the texts that runs decode to which touch `from..to`.
pub(super) fn each(text: &[u8], from: usize, to: usize, mut take: impl FnMut(Layer)) {
    let mut pos = 0;
    while let Some(place) = next(text, pos) {
        let before = text.get(pos..place).unwrap_or_default();
        let start = place - before.iter().rev().take_while(|it| is_part(**it)).count();
        let run = Run::of(text, start);
        pos = run.end.max(place + 8);
        if start >= to {
            return;
        }
        if run.end <= from || run.chars.len() < BASE64_CHARS_MIN {
            continue;
        }
        // Base64 of text has other letters too.
        if !run.chars.iter().all(u8::is_ascii_hexdigit) {
            for phase in 0..4 {
                texts(&Base64 { run: &run, phase }, &mut take);
            }
        }
        hex(text, start, run.end, &mut take);
    }
}

/// Characters of base64 in a row, without the line ends between.
struct Run<'a> {
    chars: Cow<'a, [u8]>,
    /// Where lines begin: which character, and where it stands.
    lines: Vec<(usize, usize)>,
    end: usize,
}

impl<'a> Run<'a> {
    fn of(text: &'a [u8], start: usize) -> Self {
        let first = line(text, start);
        let mut run = Self {
            end: start + first.len(),
            chars: Cow::Borrowed(first),
            lines: vec![(0, start)],
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

    /// Where a character stands.
    fn original(&self, place: usize) -> usize {
        let after = self.lines.partition_point(|(first, _)| *first <= place);
        let line = after.checked_sub(1).and_then(|last| self.lines.get(last));
        line.map_or(self.end, |(first, start)| start + place - first)
    }
}

/// Characters of base64 from a place on.
fn line(text: &[u8], start: usize) -> &[u8] {
    let rest = text.get(start..).unwrap_or_default();
    let len = rest.iter().position(|byte| !is_part(*byte));
    rest.get(..len.unwrap_or(rest.len())).unwrap_or_default()
}

/// Where a run goes on behind the line's end at `pos`, written out or as an escape.
fn next_line(text: &[u8], pos: usize) -> Option<usize> {
    let rest = text.get(pos..)?;
    let ends = [&b"\n"[..], b"\r\n", b"\\n", b"\\r\\n"];
    let end = ends.iter().find(|end| rest.starts_with(end))?;
    let rest = rest.get(end.len()..)?;
    let indent = rest.iter().take(INDENT_CHARS_MAX);
    let indent = indent.take_while(|it| matches!(it, b' ' | b'\t')).count();
    let goes_on = rest.get(indent).is_some_and(|byte| is_part(*byte));
    goes_on.then_some(pos + end.len() + indent)
}

/// Encoded bytes.
trait Code {
    /// So far apart it is looked whether there is text: wherever enough of it begins, one look meets it.
    const STRIDE: usize;

    /// How many bytes there are.
    fn count(&self) -> usize;

    /// Whether there may be text at a place, from which another look is a multiple of [`Self::STRIDE`] away.
    fn may_be_text(&self, place: usize) -> bool;

    /// The bytes of a part; it begins with a group.
    fn decode(&self, part: Range<usize>) -> Vec<u8>;

    /// The way back from the bytes `start..end`.
    fn way(&self, start: usize, end: usize) -> Way;
}

/// A run of base64 read from one of its first four characters on.
struct Base64<'a> {
    run: &'a Run<'a>,
    phase: usize,
}

impl Base64<'_> {
    fn groups(&self) -> &[[u8; 4]] {
        let chars = self.run.chars.get(self.phase..).unwrap_or_default();
        chars.as_chunks().0
    }

    fn is_plain(&self, group: Option<usize>) -> bool {
        let chars = group.and_then(|group| self.groups().get(group));
        chars.is_some_and(|chars| all_plain(three(*chars)))
    }
}

#[inline]
fn three(chars: [u8; 4]) -> [u8; 3] {
    let [first, second, third, fourth] = chars.map(value);
    [
        first << 2 | second >> 4,
        second << 4 | third >> 2,
        third << 6 | fourth,
    ]
}

impl Code for Base64<'_> {
    // Text that is long enough has three whole groups in a row.
    const STRIDE: usize = 9;

    fn count(&self) -> usize {
        self.run.chars.len().saturating_sub(self.phase) * 3 / 4
    }

    fn may_be_text(&self, place: usize) -> bool {
        let group = place / 3;
        let after = |count| self.is_plain(group.checked_add(count));
        let before = |count| self.is_plain(group.checked_sub(count));
        after(0) && (after(1) && (after(2) || before(1)) || before(1) && before(2))
    }

    fn decode(&self, part: Range<usize>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(part.len() + 3);
        let whole = self.groups().get(part.start / 3..).unwrap_or_default();
        let count = part.len().div_ceil(3);
        let groups = whole.iter().take(count);
        groups.for_each(|group| bytes.extend(three(*group)));
        if count > whole.len() {
            let done = self.phase + 4 * self.groups().len();
            let mut last = [b'A'; 4];
            let rest = self.run.chars.get(done..).unwrap_or_default();
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            bytes.extend(three(last));
        }
        bytes.truncate(part.len());
        bytes
    }

    fn way(&self, start: usize, end: usize) -> Way {
        let mut way = Way::without(start % 3);
        let first = start / 3;
        for group in first..end.div_ceil(3) {
            let from = self.phase + 4 * group;
            let last = (from + 3).min(self.run.chars.len().saturating_sub(1));
            let (from, to) = (self.run.original(from), self.run.original(last) + 1);
            way.push((group - first) * 3, from, 3, to - from);
        }
        way
    }
}

/// Digits of hexadecimal in a row.
struct Hex<'a> {
    digits: &'a [u8],
    start: usize,
}

#[inline]
fn byte(digits: [u8; 2]) -> u8 {
    let [high, low] = digits.map(|digit| match digit {
        b'0'..=b'9' => digit & 0x0F,
        letter => (letter & 0x0F) + 9,
    });
    high << 4 | low
}

impl Code for Hex<'_> {
    const STRIDE: usize = 8;

    fn count(&self) -> usize {
        self.digits.len() / 2
    }

    fn may_be_text(&self, place: usize) -> bool {
        let (pairs, _) = self.digits.as_chunks();
        let sample: Option<&[[u8; 2]; 4]> = pairs.get(place..).and_then(<[_]>::first_chunk);
        sample.is_some_and(|sample| all_plain(sample.map(byte)))
    }

    fn decode(&self, part: Range<usize>) -> Vec<u8> {
        let (pairs, _) = self.digits.as_chunks();
        let pairs = pairs.get(part).unwrap_or_default();
        pairs.iter().map(|pair| byte(*pair)).collect()
    }

    fn way(&self, start: usize, end: usize) -> Way {
        let mut way = Way::default();
        way.push(0, self.start + 2 * start, 1, 2);
        way.reach(self.start + 2 * end);
        way
    }
}

fn hex(text: &[u8], start: usize, end: usize, take: &mut impl FnMut(Layer)) {
    let mut pos = start;
    while let Some(least) = text.get(pos..end.min(pos + HEX_CHARS_MIN)) {
        if least.len() < HEX_CHARS_MIN {
            return;
        }
        if let Some(other) = least.iter().rposition(|it| !it.is_ascii_hexdigit()) {
            pos += other + 1;
            continue;
        }
        let rest = text.get(pos..end).unwrap_or_default();
        let len = rest.iter().position(|it| !it.is_ascii_hexdigit());
        let run_end = pos + len.unwrap_or(rest.len());
        for start in [pos, pos + 1] {
            let digits = text.get(start..run_end).unwrap_or_default();
            texts(&Hex { digits, start }, take);
        }
        pos = run_end + 1;
    }
}

/// Hands over every stretch of text among the bytes.
fn texts<C: Code>(code: &C, take: &mut impl FnMut(Layer)) {
    let count = code.count();
    let mut place = 0;
    while place < count {
        if !code.may_be_text(place) {
            place += C::STRIDE;
            continue;
        }
        let (start, text) = stretch_of(code, place);
        let end = start + text.len();
        if is_enough(&text) {
            take(Layer {
                text,
                way: code.way(start, end),
                carrier: Carrier::Run,
                near: None,
            });
        }
        place = end.next_multiple_of(3).max(place + C::STRIDE);
    }
}

/// The text around a place that is text, and where it begins.
fn stretch_of(code: &impl Code, place: usize) -> (usize, Vec<u8>) {
    let count = code.count();
    let mut reach = 60;
    loop {
        let from = place.saturating_sub(reach);
        let to = count.min(place + reach);
        let mut bytes = code.decode(from..to);
        let (start, end) = stretch(&bytes, place - from);
        // A character may be cut at the edge of what was decoded.
        let begins = from == 0 || start >= CHAR_BYTES_MAX;
        let ends = to == count || end + CHAR_BYTES_MAX <= bytes.len();
        if begins && ends {
            bytes.truncate(end);
            bytes.drain(..start);
            return (from + start, bytes);
        }
        reach *= 9;
    }
}

/// The longest character of UTF-8.
const CHAR_BYTES_MAX: usize = 4;

/// Whether there is so much ASCII in a row that a look meets it wherever a run begins.
fn is_enough(text: &[u8]) -> bool {
    let mut rows = text.split(|byte| !is_plain(*byte));
    rows.any(|row| row.len() >= TEXT_BYTES_MIN)
}

/// How far text reaches around a place that is text.
fn stretch(bytes: &[u8], place: usize) -> (usize, usize) {
    let mut start = place;
    while let Some(len) = (1..=4).find(|len| {
        let char = start
            .checked_sub(*len)
            .and_then(|from| bytes.get(from..start));
        char.is_some_and(|char| char_len(char) == Some(*len))
    }) {
        start -= len;
    }
    let mut end = place;
    while let Some(len) = bytes.get(end..).and_then(char_len) {
        end += len;
    }
    (start, end)
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
