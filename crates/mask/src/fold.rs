//! Text as the detectors see it: one byte per character, look-alikes of ASCII folded to ASCII, the invisible gone.
//!
//! Folded: full-width forms (U+FF01–FF5E), decimal digits of the common scripts and the mathematical alphabets,
//! superscript, subscript and circled digits, the Unicode spaces and dashes. Dropped: zero-width characters, up to
//! [`INVISIBLE_RUN_MAX`] in a row. Every other character outside ASCII becomes [`OTHER`]. Bytes that are not UTF-8
//! count as characters of one byte, and 0xA0 (the no-break space of ISO 8859) as a space.

use crate::bits::{BLOCK_BYTES, bits, first};

/// Stands for any character that folds to nothing in ASCII: a letter, for all the detectors care.
pub(crate) const OTHER: u8 = 0x80;

/// Zero-width characters in a row that are dropped; those after it count as [`OTHER`], so that look-ahead is bounded.
const INVISIBLE_RUN_MAX: u8 = 4;

/// The most bytes of text that stand for one folded character: a character of four bytes and the invisible before it.
pub(crate) const BYTES_PER_FOLDED_MAX: usize = 4 * (1 + INVISIBLE_RUN_MAX as usize);

/// Folded text and the way back.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    text: Vec<u8>,
    /// Where folded and original drift apart: from this folded position on, original positions count from the second.
    jumps: Vec<(usize, usize)>,
}

impl Folded {
    pub(crate) fn of(original: &[u8]) -> Self {
        let mut folded = Self {
            // No character folds to more bytes than it has.
            text: vec![0; original.len() + ROOM_BYTES],
            jumps: Vec::with_capacity(original.len() / 16),
        };
        let mut len = 0;
        let mut pos = 0;
        let mut invisible = 0;
        while let Some(rest) = original.get(pos..).filter(|rest| !rest.is_empty()) {
            if let Some((bytes, chars)) = folded.letters(rest, pos, len) {
                invisible = 0;
                pos += bytes;
                len += chars;
                continue;
            }
            // A character at a time.
            let end = original.len().min(pos + BLOCK_BYTES);
            while pos < end {
                let rest = original.get(pos..).unwrap_or_default();
                let (byte, bytes) = character(rest, &mut invisible);
                pos += bytes;
                if let Some(byte) = byte
                    && let Some(slot) = folded.text.get_mut(len)
                {
                    *slot = byte;
                    len += 1;
                }
                if bytes > 1 {
                    folded.jumps.push((len, pos));
                }
            }
        }
        folded.text.truncate(len);
        folded
    }

    /// Takes a block of text, if it holds ASCII and letters that are told at once and nothing else. Gives the bytes and characters
    /// that are taken; `pos` and `len` of them are behind.
    #[inline(always)]
    fn letters(&mut self, rest: &[u8], pos: usize, len: usize) -> Option<(usize, usize)> {
        let bytes = rest.first_chunk::<BLOCK_BYTES>()?;
        let slots = self.text.get_mut(len..)?.first_chunk_mut::<ROOM_BYTES>()?;
        if bits(bytes, |byte| !byte.is_ascii()) == 0 {
            slots.first_chunk_mut().map(|slots| *slots = *bytes)?;
            return Some((BLOCK_BYTES, BLOCK_BYTES));
        }
        let (end, tails) = tails(bytes)?;
        let mut chars = [OTHER; ROOM_BYTES];
        chars
            .iter_mut()
            .zip(bytes)
            .for_each(|(char, byte)| *char = (*byte).min(OTHER));
        let (mut from, mut to) = (0, 0);
        let mut left = tails;
        while from < end {
            let next = end.min(left.trailing_zeros() as usize);
            let (mut done, part) = (0, next - from);
            while done < part {
                let copied: [u8; 32] = *chars.get(from + done..)?.first_chunk()?;
                *slots.get_mut(to + done..)?.first_chunk_mut()? = copied;
                done += copied.len();
            }
            to += part;
            let width = (left >> (next & 63)).trailing_ones() as usize;
            from = next + width;
            left &= u64::MAX.checked_shl(u32::try_from(from).ok()?).unwrap_or(0);
            if width > 0 {
                self.jumps.push((len + to, pos + from));
            }
        }
        Some((end, to))
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where in the original the folded character at `pos` begins; for the end of the text, the end.
    pub(crate) fn original(&self, pos: usize) -> usize {
        let after = self.jumps.partition_point(|&(folded, _)| folded <= pos);
        match after.checked_sub(1).and_then(|last| self.jumps.get(last)) {
            // Invisible characters before a folded one share its position; the last jump is past them.
            Some(&(folded, original)) => original + (pos - folded),
            None => pos,
        }
    }
}

/// Room for a block, and for what is written behind it that counts for nothing.
const ROOM_BYTES: usize = 2 * BLOCK_BYTES;

/// What a character folds to, if not to nothing, and its length; `invisible` counts those before it that do.
#[inline]
fn character(rest: &[u8], invisible: &mut u8) -> (Option<u8>, usize) {
    if let Some(first) = rest.first().filter(|first| first.is_ascii()) {
        *invisible = 0;
        return (Some(*first), 1);
    }
    let (char, len) = decode(rest);
    let byte = match fold(char) {
        Fold::Invisible if *invisible < INVISIBLE_RUN_MAX => {
            *invisible += 1;
            None
        }
        Fold::Invisible => Some(OTHER),
        Fold::To(byte) => {
            *invisible = 0;
            Some(byte)
        }
    };
    (byte, len)
}

/// Where the letters of a block have their bytes behind the first, and where the last whole one ends, if it holds ASCII and letters
/// that are told by their first byte and nothing else: those of European languages, of Greek, Cyrillic and Armenian, of Chinese and
/// Korean.
#[inline(always)]
fn tails(bytes: &[u8; BLOCK_BYTES]) -> Option<(usize, u64)> {
    let others = bits(bytes, |byte| !byte.is_ascii());
    let tails = bits(bytes, |byte| byte & 0xC0 == 0x80);
    let two = bits(bytes, is_first_of_two);
    let three = bits(bytes, is_first_of_three);
    // One that goes on behind the block is left for the next.
    let cut = two & 1 << 63 | three & 0b11 << 62;
    let end = BLOCK_BYTES.min(cut.trailing_zeros() as usize);
    let whole = first(end);
    let (two, three) = (two & whole, three & whole);
    let tails = tails & whole;
    let expected = two << 1 | three << 1 | three << 2;
    (tails == expected && others & whole == tails | two | three).then_some((end, tails))
}

/// U+00C0 to U+033F and U+0380 to U+057F.
#[inline(always)]
fn is_first_of_two(byte: u8) -> bool {
    (byte.wrapping_sub(0xC3) <= 0xD5 - 0xC3) & (byte != 0xCD)
}

/// U+4000 to U+CFFF.
#[inline(always)]
fn is_first_of_three(byte: u8) -> bool {
    byte.wrapping_sub(0xE4) <= 0xEC - 0xE4
}

/// What a mask does with one character of the original: whether it is a letter or digit, and its length in bytes.
///
/// Returns (hidden by a mask that keeps separators, hidden by one that keeps nothing, bytes).
pub(crate) fn visible(rest: &[u8]) -> (bool, bool, usize) {
    let Some(&first) = rest.first() else {
        return (false, false, 1);
    };
    if first.is_ascii() {
        return (first.is_ascii_alphanumeric(), true, 1);
    }
    let (char, len) = decode(rest);
    match fold(char) {
        Fold::Invisible => (false, false, len),
        Fold::To(byte) => (byte == OTHER || byte.is_ascii_alphanumeric(), true, len),
    }
}

enum Fold {
    Invisible,
    To(u8),
}

/// The first character, or the byte that begins none, and its bytes.
#[inline]
fn decode(rest: &[u8]) -> (Result<char, u8>, usize) {
    let Some(&first) = rest.first() else {
        return (Err(0), 1);
    };
    let bits = |place: usize| {
        let byte = rest.get(place).copied().unwrap_or_default();
        (byte & 0xC0 == 0x80).then_some(u32::from(byte & 0x3F))
    };
    let head = u32::from(first);
    // RFC 3629, section 3; each form has a least value, so that no character has two.
    let (value, least, len) = match first {
        0xC2..=0xDF => (bits(1).map(|it| (head & 0x1F) << 6 | it), 0x80, 2),
        0xE0..=0xEF => {
            let tail = || Some(bits(1)? << 6 | bits(2)?);
            (tail().map(|it| (head & 0x0F) << 12 | it), 0x800, 3)
        }
        0xF0..=0xF4 => {
            let tail = || Some(bits(1)? << 12 | bits(2)? << 6 | bits(3)?);
            (tail().map(|it| (head & 0x07) << 18 | it), 0x1_0000, 4)
        }
        0..=0x7F => (Some(head), 0, 1),
        _ => (None, 0, 1),
    };
    match value.filter(|it| *it >= least).and_then(char::from_u32) {
        Some(char) => (Ok(char), len),
        None => (Err(first), 1),
    }
}

#[inline]
fn fold(char: Result<char, u8>) -> Fold {
    let char = match char {
        // The letters of European languages.
        Ok('\u{C0}'..='\u{2AF}') => return Fold::To(OTHER),
        Ok(char) => u32::from(char),
        Err(0xA0) => return Fold::To(b' '),
        Err(_) => return Fold::To(OTHER),
    };
    match char {
        0x00AD
        | 0x034F
        | 0x061C
        | 0x115F
        | 0x1160
        | 0x17B4
        | 0x17B5
        | 0x180B..=0x180E
        | 0x200B..=0x200F
        | 0x202A..=0x202E
        | 0x2060..=0x206F
        | 0x3164
        | 0xFE00..=0xFE0F
        | 0xFEFF
        | 0xFFA0 => Fold::Invisible,
        0x00A0 | 0x1680 | 0x2000..=0x200A | 0x2028 | 0x2029 | 0x202F | 0x205F | 0x3000 => {
            Fold::To(b' ')
        }
        0x058A
        | 0x05BE
        | 0x2010..=0x2015
        | 0x2043
        | 0x207B
        | 0x208B
        | 0x2212
        | 0x2E3A
        | 0x2E3B
        | 0x30FC
        | 0xFE58
        | 0xFE63 => Fold::To(b'-'),
        0xFF01..=0xFF5E => Fold::To(narrow(char - 0xFF01 + 0x21)),
        0xFE6B => Fold::To(b'@'),
        0xFE52 | 0x00B7 | 0x2024 | 0x3002 => Fold::To(b'.'),
        _ => Fold::To(digit(char).unwrap_or(OTHER)),
    }
}

/// The ASCII digit that a decimal digit of another script or style stands for.
fn digit(char: u32) -> Option<u8> {
    /// Where the ten digits of a script begin (Unicode general category Nd, scripts in common use).
    const ZEROS: [u32; 16] = [
        0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
        0x0D66, 0x0E50, 0x0ED0, 0x0F20, 0x1040,
    ];
    let offset = match char {
        0x00B9 => 1,
        0x00B2 | 0x00B3 => char - 0x00B0,
        0x2070 | 0x2074..=0x2079 => char - 0x2070,
        0x2080..=0x2089 => char - 0x2080,
        0x2460..=0x2468 => char - 0x2460 + 1,
        0x24EA => 0,
        0x1D7CE..=0x1D7FF => (char - 0x1D7CE) % 10,
        0x1FBF0..=0x1FBF9 => char - 0x1FBF0,
        _ => {
            let zero = ZEROS.into_iter().rev().find(|&zero| zero <= char)?;
            (char - zero <= 9).then_some(char - zero)?
        }
    };
    Some(b'0' + narrow(offset))
}

/// A value known to fit a byte.
fn narrow(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_that_are_told_at_once_fold_to_nothing_in_particular() {
        for char in (0x80..=0x10_FFFF).filter_map(char::from_u32) {
            let mut bytes = [b'x'; BLOCK_BYTES];
            let len = char.encode_utf8(&mut bytes[7..]).len();
            if let Some((end, tails)) = tails(&bytes) {
                assert_eq!((end, tails), (BLOCK_BYTES, first(len - 1) << 8), "{char:?}");
                assert!(matches!(fold(Ok(char)), Fold::To(OTHER)), "{char:?}");
            }
        }
    }

    #[test]
    fn each_place_is_known_in_the_original() {
        for count in 0..40 {
            let plain = "x".repeat(count);
            let text = format!("{plain}é{plain}\u{200b}\u{200b}１{plain}漢—{plain}");
            let folded = Folded::of(text.as_bytes());
            let places = text.char_indices().filter(|(_, char)| *char != '\u{200b}');
            let expected: Vec<u8> = places
                .clone()
                .map(|(_, char)| match char {
                    'x' => b'x',
                    '１' => b'1',
                    '—' => b'-',
                    _ => OTHER,
                })
                .collect();
            assert_eq!(folded.text(), expected);
            for (place, (pos, char)) in places.enumerate() {
                // The invisible before a character goes with it.
                let end = pos + char.len_utf8();
                assert_eq!(
                    folded.original(place + 1),
                    text.get(end..).map_or(end, |rest| {
                        end + rest.len() - rest.trim_start_matches('\u{200b}').len()
                    })
                );
            }
        }
    }

    proptest! {
        #[test]
        fn blocks_fold_as_characters_do(
            pieces in prop::collection::vec("[a-z0-9 ]{0,30}|[éß漢한Жα]{1,4}|[\u{200b}１—\u{34f}😀]|\u{200b}{3,9}", 0..16),
            cuts in prop::collection::vec((any::<prop::sample::Index>(), 0x80..=u8::MAX), 0..4),
        ) {
            let mut text = pieces.concat().into_bytes();
            for (place, byte) in cuts {
                text.insert(place.index(text.len() + 1), byte);
            }
            let folded = Folded::of(&text);
            let (mut pos, mut invisible, mut place) = (0, 0, 0);
            while pos < text.len() {
                let (byte, len) = character(&text[pos..], &mut invisible);
                pos += len;
                if let Some(byte) = byte {
                    prop_assert_eq!(folded.text().get(place), Some(&byte));
                    place += 1;
                }
                if text.get(pos..).is_none_or(|rest| rest.is_empty() || character(rest, &mut invisible.clone()).0.is_some()) {
                    prop_assert_eq!(folded.original(place), pos);
                }
            }
            prop_assert_eq!(folded.text().len(), place);
        }
    }
}
