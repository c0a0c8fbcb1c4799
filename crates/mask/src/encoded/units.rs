//! Characters written as units: percent-encoding (RFC 3986, section 2.1), character references of XML and HTML, and the
//! escapes of JSON and other languages.

use super::Carrier;
use super::way::{Layer, Way};

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
    next(text, 0).is_some()
}

/// The next unit at or after a place.
#[inline]
fn next(text: &[u8], from: usize) -> Option<(usize, Unit)> {
    let rest = text.get(from..)?;
    memchr::memchr3_iter(b'%', b'&', b'\\', rest)
        .find_map(|pos| Some((from + pos, unit(text, from + pos)?)))
}

/// The unit that begins at a place.
fn unit(text: &[u8], pos: usize) -> Option<Unit> {
    let rest = text.get(pos..text.len().min(pos + UNIT_BYTES_MAX))?;
    match rest {
        [b'%', ..] => Some(Unit::byte(
            u8::try_from(number(rest, 1, 2, 2, 16)?.0).ok()?,
            3,
        )),
        [b'&', b'#', b'x' | b'X', ..] => reference(rest, 3, 16),
        [b'&', b'#', ..] => reference(rest, 2, 10),
        [b'&', name @ ..] => {
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
    let mut pos = from.saturating_sub(look);
    let limit = to + look;
    while let Some((first, _)) = next(text, pos).filter(|(first, _)| *first <= limit) {
        let before = text.get(..first).unwrap_or_default();
        let start = first - around(before.iter().rev());
        let (layer, last) = layer(text, start, first, limit);
        take(layer);
        pos = last.max(first + 1);
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
    while let Some((place, unit)) = next(text, pos) {
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
    }
    let rest = text.get(pos..).unwrap_or_default();
    layer.plain(text, pos, pos + around(rest.iter()));
    layer.near = Some((units, NEAR_BYTES));
    (layer, pos)
}
