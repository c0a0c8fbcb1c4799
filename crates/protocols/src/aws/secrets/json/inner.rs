//! JSON within a text of JSON: what its characters are, and the text written anew at its length.

use std::ops::Range;

/// The characters of a text, and where each is written; `None` where it is none.
pub(in crate::aws::secrets) fn unescaped(text: &[u8]) -> Option<Vec<(char, Range<usize>)>> {
    let text = std::str::from_utf8(text).ok()?;
    let (mut written, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(first) = text.get(at..)?.chars().next() {
        let length = match text.get(at..at + 2) {
            Some("\\u") if is_half(text.get(at + 2..at + 4)?) => 12,
            Some("\\u") => 6,
            _ if first == '\\' => 2,
            _ => first.len_utf8(),
        };
        let here = text.get(at..at + length)?;
        let character = if first == '\\' {
            serde_json::from_str(&format!("\"{here}\"")).ok()?
        } else {
            first
        };
        written.push((character, at..at + length));
        at += length;
    }
    Some(written)
}

/// Whether a unit of UTF-16 that begins so takes another (RFC 8259 section 7).
fn is_half(begin: &str) -> bool {
    ["d8", "d9", "da", "db"].contains(&begin.to_ascii_lowercase().as_str())
}

/// Appends `shown`, which is as long as the characters of `text` are, as that writes them; what is hidden takes the same room.
pub(in crate::aws::secrets) fn escaped_as(
    text: &[u8],
    written: &[(char, Range<usize>)],
    shown: &[u8],
    out: &mut Vec<u8>,
) {
    let mut at = 0;
    for (character, place) in written {
        let length = character.len_utf8();
        let now = shown.get(at..at + length).unwrap_or_default();
        if now == character.encode_utf8(&mut [0; 4]).as_bytes() {
            out.extend_from_slice(text.get(place.clone()).unwrap_or_default());
        } else {
            let byte = now.first().copied().unwrap_or(b'*');
            out.resize(out.len() + place.len(), byte);
        }
        at += length;
    }
}
