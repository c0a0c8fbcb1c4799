//! Postal addresses of the United States (Postal Service, Publication 28): a house number, a street with its suffix, perhaps
//! a unit; and behind it city, state and ZIP code, or before it a word that says so.

use super::{Kind, Match, at as byte, is_digit, run_end};
use crate::work;

/// Characters before a ZIP code in which its address may begin.
const BEFORE_ZIP_CHARS: usize = 110;

/// Digits of a house's number behind a word such as *at*.
const HOUSE_DIGITS_MAX: usize = 5;

/// Characters behind a word such as *address* within which the street begins.
const AHEAD_CHARS: usize = 24;

/// Words of a street's name.
const STREET_WORDS_MAX: usize = 4;

/// Words of a city's name.
const CITY_WORDS_MAX: usize = 4;

/// The states, the district, the territories and the armed forces: Publication 28, appendix B.
const STATES: &[u8] = b"AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY \
    NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR VI GU AS MP AA AE AP ";

/// The suffixes in use, from Publication 28, appendix C1.
const SUFFIXES: [&str; 38] = [
    "st",
    "street",
    "ave",
    "avenue",
    "rd",
    "road",
    "blvd",
    "boulevard",
    "ln",
    "lane",
    "dr",
    "drive",
    "ct",
    "court",
    "pl",
    "place",
    "way",
    "pkwy",
    "parkway",
    "hwy",
    "highway",
    "cir",
    "circle",
    "ter",
    "terrace",
    "sq",
    "square",
    "trl",
    "trail",
    "loop",
    "pike",
    "aly",
    "alley",
    "plz",
    "plaza",
    "xing",
    "crossing",
    "row",
];

/// Those of them that stand for little else.
const PLAIN_SUFFIXES: [&str; 13] = [
    "st",
    "street",
    "ave",
    "avenue",
    "rd",
    "road",
    "blvd",
    "boulevard",
    "ln",
    "lane",
    "dr",
    "pkwy",
    "hwy",
];

/// What a unit is called, from appendix C2.
const UNITS: [&str; 11] = [
    "apt",
    "apartment",
    "suite",
    "ste",
    "unit",
    "fl",
    "floor",
    "rm",
    "room",
    "bldg",
    "#",
];

/// The address that ends with the ZIP code `start..end`, if that is one.
#[inline(never)]
pub(super) fn before_zip(text: &[u8], start: usize, end: usize) -> Option<Match> {
    if end - start != 5 || !is_state(text, start.checked_sub(3)?) || byte(text, start - 1) != b' ' {
        return None;
    }
    let earliest = start.saturating_sub(BEFORE_ZIP_CHARS);
    (earliest..start)
        .filter(|&from| is_digit(text, from) && !goes_back(text, from))
        .find_map(|from| whole(text, from).filter(|found| found.end >= end))
}

/// The addresses that begin anywhere in a short text of which the column's name says that it holds them.
pub(super) fn named(text: &[u8], found: &mut Vec<Match>) {
    let starts = (0..text.len()).filter(|&from| is_digit(text, from) && !goes_back(text, from));
    found.extend(starts.filter_map(|from| whole(text, from)));
}

/// The address that a word leads up to which ends at `word`.
pub(super) fn behind(text: &[u8], word: usize) -> Option<Match> {
    let from = (word..word + AHEAD_CHARS).find(|&pos| is_digit(text, pos))?;
    let said = text.get(word..from)?;
    let is_mark = |byte: &u8| matches!(byte, b':' | b'=' | b'_' | b'-');
    (said.iter().any(is_mark) && !goes_back(text, from))
        .then(|| whole(text, from))
        .flatten()
}

/// Whether a space and a word such as *at* may stand before a house number at `start`, for the price of one look: the last
/// two letters of the word tell most others.
#[inline]
pub(super) fn may_be_placed(text: &[u8], start: usize) -> bool {
    let before = start.checked_sub(3).and_then(|from| text.get(from..));
    let Some(&[first, second, space]) = before.and_then(|before| before.first_chunk()) else {
        return false;
    };
    let pair = u16::from_be_bytes([first, second]) | 0x2020;
    space == b' '
        && [b"at", b"to", b"ar", b"om"]
            .map(|end| u16::from_be_bytes(*end))
            .contains(&pair)
}

/// The address that such a word leads up to, whose house number may be the digits `start..end`.
#[inline(never)]
pub(super) fn placed(text: &[u8], start: usize, end: usize) -> Option<Match> {
    if end - start > HOUSE_DIGITS_MAX || byte(text, end) != b' ' {
        return None;
    }
    let before = text.get(start.saturating_sub(6)..start - 1)?;
    let letters = before
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphabetic());
    let word = before.get(before.len() - letters.count()..)?;
    let at = word.eq_ignore_ascii_case(b"at");
    if !at && !is_among(word, &["to", "from", "near"]) {
        return None;
    }
    let (street, unit, found) = parts(text, start)?;
    // With a city behind it, it is found by its ZIP code.
    if unit < found.end {
        return None;
    }
    // *From 2019 Wall Street grew*, *upload to 10 Test Drive folders*: only behind *at* is that an address.
    let suffix = text.get(start..street)?;
    let suffix = suffix
        .rsplit(|byte| *byte == b' ')
        .next()
        .unwrap_or_default();
    let suffix = suffix.strip_suffix(b".").unwrap_or(suffix);
    let year = end - start == 4 && matches!(text.get(start..start + 2), Some(b"19" | b"20"));
    let plain = is_among(suffix, &PLAIN_SUFFIXES) && !year || street < found.end;
    (at || plain).then_some(found)
}

fn goes_back(text: &[u8], from: usize) -> bool {
    let before = byte(text, from.wrapping_sub(1));
    before.is_ascii_alphanumeric() || !before.is_ascii() || matches!(before, b'.' | b'-' | b'*')
}

/// The address whose house number begins at `from`.
fn whole(text: &[u8], from: usize) -> Option<Match> {
    parts(text, from).map(|(_, _, whole)| whole)
}

/// The same, and where its street and its unit end.
fn parts(text: &[u8], from: usize) -> Option<(usize, usize, Match)> {
    let number = run_end(text, from);
    if number - from > 6 {
        return None;
    }
    let number = number + usize::from(byte(text, number).is_ascii_uppercase());
    let mut pos = space(text, number)?;
    let mut end = None;
    for words in 0..=STREET_WORDS_MAX + 1 {
        let Some(word) = word(text, pos) else { break };
        let name = text.get(pos..word)?;
        if words > 0 && is_among(name, &SUFFIXES) {
            end = Some(word + usize::from(byte(text, word) == b'.'));
            break;
        }
        let first = byte(text, pos);
        if !(first.is_ascii_uppercase() || first.is_ascii_digit() || !first.is_ascii()) {
            break;
        }
        pos = space(text, word + usize::from(byte(text, word) == b'.'))?;
    }
    let street = end?;
    let unit = unit(text, street);
    let end = city(text, unit).unwrap_or(unit);
    Some((
        street,
        unit,
        Match {
            kind: Kind::Address,
            start: from,
            end,
            shown: end,
        },
    ))
}

/// Behind one space or more.
fn space(text: &[u8], pos: usize) -> Option<usize> {
    let next = (pos..pos + 3).find(|&pos| byte(text, pos) != b' ')?;
    (next > pos).then_some(next)
}

/// The end of the word at `pos`.
fn word(text: &[u8], pos: usize) -> Option<usize> {
    let is_part = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'\'' | b'#') || !byte.is_ascii()
    };
    let rest = text.get(pos..text.len().min(pos + 24))?;
    let len = rest.iter().take_while(|byte| is_part(byte)).count();
    work::done(len);
    (len > 0).then_some(pos + len)
}

fn is_among(word: &[u8], names: &[&str]) -> bool {
    names
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
}

/// The end of a unit behind a street that ends at `end`; else `end`.
fn unit(text: &[u8], end: usize) -> usize {
    let after = || {
        let pos = space(text, end + usize::from(byte(text, end) == b','))?;
        let name = word(text, pos)?;
        let called = text.get(pos..name)?;
        if called.first() == Some(&b'#') && called.len() > 1 {
            return Some(name);
        }
        is_among(called, &UNITS).then(|| word(text, space(text, name)?))?
    };
    after().unwrap_or(end)
}

/// The end of city, state and ZIP code behind a street or unit that ends at `end`.
fn city(text: &[u8], end: usize) -> Option<usize> {
    let mut pos = skip(text, end)?;
    for _ in 0..CITY_WORDS_MAX {
        let word = word(text, pos)?;
        pos = skip(text, word + usize::from(byte(text, word) == b'.'))?;
        if is_state(text, pos) {
            let zip = space(text, pos + 2)?;
            let end = run_end(text, zip);
            let plus = run_end(text, end + 1);
            let long = byte(text, end) == b'-' && plus == end + 5;
            return (end - zip == 5).then_some(if long { plus } else { end });
        }
    }
    None
}

/// Behind a comma, a line's end or spaces.
fn skip(text: &[u8], pos: usize) -> Option<usize> {
    let is_gap = |byte: u8| matches!(byte, b' ' | b',' | b'\n' | b'\r');
    let next = (pos..pos + 4).find(|&pos| !is_gap(byte(text, pos)))?;
    (next > pos).then_some(next)
}

/// Whether two capitals stand at `pos` that are a state.
fn is_state(text: &[u8], pos: usize) -> bool {
    let Some(&[first, second]) = text.get(pos..).and_then(|rest| rest.first_chunk()) else {
        return false;
    };
    let edge = |pos: usize| !byte(text, pos).is_ascii_alphanumeric();
    edge(pos.wrapping_sub(1))
        && edge(pos + 2)
        && STATES
            .chunks(3)
            .any(|state| state.starts_with(&[first, second]))
}
