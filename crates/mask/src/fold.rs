//! Text as the detectors see it: one byte per character, look-alikes of ASCII folded to ASCII, the invisible gone.
//!
//! Folded: full-width forms (U+FF01–FF5E), decimal digits of the common scripts and the mathematical alphabets,
//! superscript, subscript and circled digits, the Unicode spaces and dashes. Dropped: zero-width characters, up to
//! [`INVISIBLE_RUN_MAX`] in a row. Every other character outside ASCII becomes [`OTHER`]. Bytes that are not UTF-8
//! count as characters of one byte, and 0xA0 (the no-break space of ISO 8859) as a space.

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
            text: Vec::with_capacity(original.len()),
            jumps: Vec::new(),
        };
        let mut invisible = 0;
        let mut pos = 0;
        while let Some(rest) = original.get(pos..).filter(|rest| !rest.is_empty()) {
            let ascii = rest
                .iter()
                .position(|byte| !byte.is_ascii())
                .unwrap_or(rest.len());
            if ascii > 0 {
                folded
                    .text
                    .extend_from_slice(rest.get(..ascii).unwrap_or_default());
                pos += ascii;
                invisible = 0;
                continue;
            }
            // The letters of European languages, in short.
            if let [0xC3..=0xC9, 0x80..=0xBF, ..] = rest {
                invisible = 0;
                folded.text.push(OTHER);
                pos += 2;
                folded.jumps.push((folded.text.len(), pos));
                continue;
            }
            let (char, len) = decode(rest);
            match fold(char) {
                Fold::Invisible if invisible < INVISIBLE_RUN_MAX => invisible += 1,
                Fold::Invisible => folded.text.push(OTHER),
                Fold::To(byte) => {
                    invisible = 0;
                    folded.text.push(byte);
                }
            }
            pos += len;
            folded.jumps.push((folded.text.len(), pos));
        }
        folded
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
