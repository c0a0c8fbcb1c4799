//! E-mail addresses (RFC 5321, section 4.1.2), as far as they occur: dot-string or quoted local part, a domain with a
//! top-level name of letters, or an address literal.

use super::{Kind, Match, at, password};

/// RFC 5321, section 4.5.3.1.1.
const LOCAL_CHARS_MAX: usize = 64;

/// RFC 1035, section 2.3.4.
const DOMAIN_CHARS_MAX: usize = 253;

/// Finds the addresses whose `@` lies in `from..to`.
pub(super) fn find(text: &[u8], from: usize, to: usize, found: &mut Vec<Match>) {
    let Some(part) = text.get(from..to) else {
        return;
    };
    found.extend(memchr::memchr_iter(b'@', part).filter_map(|pos| around(text, from + pos)));
}

/// The address around the `@` at `sign`.
fn around(text: &[u8], sign: usize) -> Option<Match> {
    let start = local_start(text, sign)?;
    let domain = sign + 1;
    let end = domain + domain_len(text.get(domain..)?)?;
    let retina = text.get(domain + 1) == Some(&b'x') && at(text, domain + 2) == b'.';
    // `icon@2x.png` is a picture.
    if retina && matches!(at(text, domain), b'2' | b'3')
        || password::is_url_password(text, start, sign)
    {
        return None;
    }
    Some(Match {
        kind: Kind::Email,
        start,
        end,
        shown: sign,
    })
}

fn local_start(text: &[u8], sign: usize) -> Option<usize> {
    let earliest = sign.saturating_sub(LOCAL_CHARS_MAX);
    let before = text.get(earliest..sign)?;
    if before.last() == Some(&b'"') {
        let inner = before.get(..before.len() - 1)?;
        return memchr::memrchr(b'"', inner)
            .filter(|open| open + 1 < inner.len())
            .map(|open| earliest + open);
    }
    let other = before.iter().rposition(|&byte| !is_local(byte));
    let local = before.get(other.map_or(0, |other| other + 1)..)?;
    let len = local.len();
    // Where more stands before it than a local part can hold, a number is not cut in two: its rest could be a value.
    // (If the whole of it is one, hiding the address comes first.)
    let cut = if len == LOCAL_CHARS_MAX && at(text, earliest.wrapping_sub(1)).is_ascii_hexdigit() {
        local
            .iter()
            .position(|byte| !byte.is_ascii_hexdigit())
            .unwrap_or_default()
    } else {
        0
    };
    let local = local.get(cut..)?;
    let lead = local
        .iter()
        .take_while(|byte| matches!(byte, b'.' | b'\'' | b'-' | b'%' | b'+'))
        .count();
    let local = local.get(lead..)?;
    // What is hidden already is not found again.
    let significant = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    local.iter().any(significant).then_some(sign - local.len())
}

#[inline]
fn is_local(byte: u8) -> bool {
    let sort = SORTS.get(usize::from(byte)).copied();
    sort.unwrap_or_default() & LOCAL != 0
}

/// What a byte may be part of.
const SORTS: [u8; 256] = sorts();
const LOCAL: u8 = 1;
const LABEL: u8 = 2;

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
#[expect(clippy::cast_possible_truncation, reason = "there are 256")]
const fn sorts() -> [u8; 256] {
    let mut sorts = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        sorts[byte] = match byte as u8 {
            b'-' | b'_' | 0x80.. => LOCAL | LABEL,
            b'.' | b'+' | b'%' | b'\'' | b'*' | b'#' | b'!' | b'$' | b'~' => LOCAL,
            letter if letter.is_ascii_alphanumeric() => LOCAL | LABEL,
            _ => 0,
        };
        byte += 1;
    }
    sorts
}

/// The length of the domain that `text` begins with.
fn domain_len(text: &[u8]) -> Option<usize> {
    if text.first() == Some(&b'[') {
        let close = memchr::memchr(b']', text.get(..text.len().min(50))?)?;
        let literal = text.get(1..close)?;
        let legal = |byte: &u8| {
            byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b'I' | b'P' | b'v')
        };
        return (literal.len() >= 3 && literal.iter().all(legal)).then_some(close + 1);
    }
    let mut best = None;
    let mut numeric = 0;
    let mut start = 0;
    for labels in 0..usize::MAX {
        let rest = text.get(start..text.len().min(DOMAIN_CHARS_MAX))?;
        let len = rest
            .iter()
            .position(|&byte| !is_label(byte))
            .unwrap_or(rest.len());
        let label = rest.get(..len)?;
        if label.first().is_none_or(|first| *first == b'-') {
            break;
        }
        numeric += usize::from(label.iter().all(u8::is_ascii_digit));
        // `package@1.0.0-rc.fr` is a version.
        if labels == 1 && numeric == 2 {
            return None;
        }
        let top_level = if labels > 0 { top_level(label) } else { 0 };
        if top_level > 0 {
            best = Some(start + top_level);
        }
        if rest.get(len) != Some(&b'.') {
            break;
        }
        start += len + 1;
    }
    best
}

#[inline]
fn is_label(byte: u8) -> bool {
    let sort = SORTS.get(usize::from(byte)).copied();
    sort.unwrap_or_default() & LABEL != 0
}

/// How much of a label is a top-level name: two letters or more, whatever is glued to them; or an internationalized one.
fn top_level(label: &[u8]) -> usize {
    if label
        .get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"xn--"))
    {
        return label.len();
    }
    let letters = label
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
        .count();
    if letters >= 2 { letters } else { 0 }
}
