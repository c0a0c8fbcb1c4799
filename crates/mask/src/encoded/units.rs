//! Characters written as units: percent-encoding (RFC 3986, section 2.1), character references of XML and HTML, and the
//! escapes of JSON and other languages.

use super::Carrier;
use super::way::{Layer, Way};
use crate::bits::{BLOCK_BYTES, bits_at, has_byte};

/// The longest unit.
const UNIT_BYTES_MAX: usize = 16;

/// How near to a unit a value must begin that may read otherwise because of it, in bytes.
const NEAR_BYTES: usize = 512;

/// What is read around units: enough to judge what is near them. Characters beyond ASCII take more room.
const AROUND_ASCII_BYTES: usize = 1024;
const AROUND_BYTES: usize = 8 * 1024;

/// References by name, as HTML has them, to what stands in or around values.
const NAMES: [(&[u8], u8); 18] = [
    (b"amp;", b'&'),
    (b"quot;", b'"'),
    (b"apos;", b'\''),
    (b"lt;", b'<'),
    (b"gt;", b'>'),
    (b"nbsp;", b' '),
    (b"commat;", b'@'),
    (b"period;", b'.'),
    (b"hyphen;", b'-'),
    (b"dash;", b'-'),
    (b"colon;", b':'),
    (b"sol;", b'/'),
    (b"lpar;", b'('),
    (b"rpar;", b')'),
    (b"plus;", b'+'),
    (b"lowbar;", b'_'),
    (b"equals;", b'='),
    (b"num;", b'#'),
];

/// No name is longer.
const NAME_BYTES_MAX: usize = 8;

/// A character that is written otherwise.
struct Unit {
    /// What it decodes to.
    bytes: [u8; 4],
    count: usize,
    /// How long it is as it stands.
    width: usize,
}

impl Unit {
    fn byte(byte: u8, width: usize) -> Self {
        Self {
            bytes: [byte, 0, 0, 0],
            count: 1,
            width,
        }
    }

    fn char(code: u32, width: usize) -> Self {
        let mut bytes = [0; 4];
        // Half of a surrogate pair is some character.
        let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        let count = char.encode_utf8(&mut bytes).len();
        Self {
            bytes,
            count,
            width,
        }
    }
}

/// Whether there may be a unit.
pub(super) fn may_hold(text: &[u8]) -> bool {
    Marks::of(text, 0).next().is_some()
}

/// Where units begin, in order.
struct Marks<'a> {
    text: &'a [u8],
    /// The block that is looked at, and the places in it that are left where one may begin.
    block: usize,
    left: u64,
}

impl<'a> Marks<'a> {
    /// Those at or after a place.
    fn of(text: &'a [u8], from: usize) -> Self {
        Self {
            text,
            block: from,
            left: marks(text, from),
        }
    }

    /// Leaves out what begins before a place.
    #[inline]
    fn go_to(&mut self, to: usize) {
        let over = to.saturating_sub(self.block);
        if over < BLOCK_BYTES {
            self.left &= u64::MAX << over;
        } else {
            *self = Self::of(self.text, to);
        }
    }
}

impl Iterator for Marks<'_> {
    type Item = (usize, Unit);

    #[inline]
    fn next(&mut self) -> Option<(usize, Unit)> {
        loop {
            while self.left == 0 {
                let next = self.block + BLOCK_BYTES;
                let rest = self.text.get(next..)?;
                // Most text has none for long.
                self.block = next + memchr::memchr3(b'%', b'&', b'\\', rest)?;
                self.left = marks(self.text, self.block);
            }
            let place = self.block + self.left.trailing_zeros() as usize;
            self.left &= self.left - 1;
            if let Some(unit) = unit(self.text, place) {
                return Some((place, unit));
            }
        }
    }
}

/// The places of a block at which units may begin.
#[inline]
fn marks(text: &[u8], place: usize) -> u64 {
    bits_at(text, place, |byte| {
        (byte == b'%') | (byte == b'&') | (byte == b'\\')
    })
}

/// The unit that begins at a place.
fn unit(text: &[u8], pos: usize) -> Option<Unit> {
    let rest = text.get(pos..)?;
    if let [b'%', high, low, ..] = rest {
        let digits = [high, low].map(|digit| char::from(*digit).to_digit(16));
        let [Some(high), Some(low)] = digits else {
            return None;
        };
        return Some(Unit::byte(u8::try_from(high << 4 | low).ok()?, 3));
    }
    let rest = rest.get(..UNIT_BYTES_MAX).unwrap_or(rest);
    match rest {
        [b'&', b'#', b'x' | b'X', ..] => reference(rest, 3, 16),
        [b'&', b'#', ..] => reference(rest, 2, 10),
        [b'&', name @ ..] => {
            let ends = |name: &[u8; NAME_BYTES_MAX]| has_byte(u64::from_le_bytes(*name), b';');
            if !name.first_chunk().is_none_or(ends) {
                return None;
            }
            let (name, byte) = NAMES.iter().find(|(it, _)| name.starts_with(it))?;
            Some(Unit::byte(*byte, 1 + name.len()))
        }
        [b'\\', ..] => escape(rest),
        _ => None,
    }
}

fn reference(text: &[u8], from: usize, radix: u32) -> Option<Unit> {
    let (code, end) = number(text, from, 1, 7, radix)?;
    (text.get(end) == Some(&b';')).then(|| Unit::char(code, end + 1))
}

/// `\u0034` and `\x34`, also with their backslash escaped in turn.
fn escape(text: &[u8]) -> Option<Unit> {
    let marks = text.iter().take(4).take_while(|it| **it == b'\\').count();
    match text.get(marks)? {
        b'u' => {
            let (code, end) = number(text, marks + 1, 4, 4, 16)?;
            Some(Unit::char(code, end))
        }
        b'x' => {
            let (code, end) = number(text, marks + 1, 2, 2, 16)?;
            // More digits are bytes of PostgreSQL.
            let goes_on = text.get(end).is_some_and(u8::is_ascii_hexdigit);
            (!goes_on).then(|| Unit::char(code, end))
        }
        _ => None,
    }
}

/// The number of so many digits that begins at a place, and where it ends.
fn number(text: &[u8], from: usize, least: usize, most: usize, radix: u32) -> Option<(u32, usize)> {
    let digits = text.get(from..)?.iter().take(most);
    let digits = digits.map_while(|byte| char::from(*byte).to_digit(radix));
    let (value, count) = digits.fold((0, 0), |(all, count), digit| {
        (all * radix + digit, count + 1)
    });
    (count >= least).then_some((value, from + count))
}

/// Hands over what stands around the units near `from..to`, with them decoded.
pub(super) fn each(text: &[u8], from: usize, to: usize, mut take: impl FnMut(Layer)) {
    // Units farther away do not count, but must be decoded where they stand around those that do.
    let look = NEAR_BYTES + AROUND_BYTES;
    let mut marks = Marks::of(text, from.saturating_sub(look));
    let limit = to + look;
    while let Some((first, _)) = marks.next().filter(|(first, _)| *first <= limit) {
        let before = text.get(..first).unwrap_or_default();
        let start = first - around(before.iter().rev());
        let (layer, last) = layer(text, start, first, limit);
        take(layer);
        marks.go_to(last.max(first + 1));
    }
}

/// How much of what stands on one side of a unit is read.
fn around<'a>(bytes: impl ExactSizeIterator<Item = &'a u8> + Clone) -> usize {
    let is_ascii = bytes.clone().take(AROUND_ASCII_BYTES).all(u8::is_ascii);
    let most = if is_ascii {
        AROUND_ASCII_BYTES
    } else {
        AROUND_BYTES
    };
    bytes.len().min(most)
}

/// What stands from `start` on with the unit at `first` and all that follow near one another up to `limit`, and where the
/// last ends.
fn layer(text: &[u8], start: usize, first: usize, limit: usize) -> (Layer, usize) {
    let mut layer = Layer {
        text: Vec::new(),
        way: Way::default(),
        carrier: Carrier::Units,
        near: None,
    };
    let mut units = Vec::new();
    let mut pos = start;
    let mut marks = Marks::of(text, start);
    while let Some((place, unit)) = marks.next() {
        let is_far = place > first && place > pos + 2 * AROUND_ASCII_BYTES;
        if is_far || place > limit {
            break;
        }
        layer.plain(text, pos, place);
        layer
            .way
            .push(layer.text.len(), place, unit.count, unit.width, 1);
        layer.text.extend(unit.bytes.iter().take(unit.count));
        units.push(place);
        pos = place + unit.width;
        marks.go_to(pos);
    }
    let rest = text.get(pos..).unwrap_or_default();
    layer.plain(text, pos, pos + around(rest.iter()));
    layer.near = Some((units, NEAR_BYTES));
    (layer, pos)
}
