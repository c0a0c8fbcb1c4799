//! Addresses of the Internet Protocol. Looked for only where configuration asks: engineers need them.

use std::net::IpAddr;

use super::{Kind, Match};

/// The longest address in text: RFC 4291, section 2.2, with an embedded one of version 4.
const CHARS_MAX: usize = 45;

/// The shortest, `1::1` and `1.1.1.1`.
const CHARS_MIN: usize = 4;

/// Finds the addresses that start at or after `from`.
pub(crate) fn find(text: &[u8], from: usize, found: &mut Vec<Match>) {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
    let mut pos = from;
    // A token that began before is not an address of its own from here on.
    if text.get(pos.wrapping_sub(1)).is_some_and(&is_part) {
        pos += text
            .get(pos..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| is_part(byte))
            .count();
    }
    while let Some(rest) = text.get(pos..) {
        let Some(ahead) = rest.iter().position(&is_part) else {
            return;
        };
        let start = pos + ahead;
        let len = rest
            .iter()
            .skip(ahead)
            .take_while(|byte| is_part(byte))
            .count();
        pos = start + len;
        let token = text.get(start..pos).unwrap_or_default();
        found.extend(address(token).map(|(from, to)| Match {
            kind: Kind::Ip,
            start: start + from,
            end: start + to,
            shown: start + to,
        }));
    }
}

/// The address in a token: without the colon of a label before it, the full stop behind it, or its port.
fn address(token: &[u8]) -> Option<(usize, usize)> {
    if !(CHARS_MIN..=CHARS_MAX + 8).contains(&token.len()) {
        return None;
    }
    let text = std::str::from_utf8(token).ok()?;
    let head = text.len() - text.trim_start_matches('.').len();
    let text = text.trim_matches('.');
    let parse = |part: &str| part.parse::<IpAddr>().is_ok().then_some(part.len());
    if let Some(len) = parse(text).filter(|_| text.bytes().any(|byte| byte.is_ascii_hexdigit())) {
        return Some((head, head + len));
    }
    let bare = text.trim_matches(':');
    let lead = text.len() - text.trim_start_matches(':').len();
    let without_port = bare.rsplit_once(':').map_or(bare, |(address, _)| address);
    let len = parse(bare).or_else(|| {
        parse(without_port).filter(|_| without_port.contains('.') || bare == without_port)
    })?;
    Some((head + lead, head + lead + len))
}
