//! Where lists go on. A page may end at a key of somebody's own, and whoever asks for the next must name that key: where something
//! is hidden in it, the key is sealed for whoever is shown the page, and opened where it comes back.

mod seal;
#[cfg(test)]
mod tests;

use std::ops::Range;

use memchr::memmem;
use model::Timestamp;
use serde_json::{Value, json};

use super::body;
use super::classify::{Call, Wire};
use super::deny::xml;
use super::document::unescape;
use crate::http::{Head, escape};

pub use seal::{BadMarker, Of, Sealer};

/// Members that hold where the next page begins, made of what is listed.
const ELEMENTS: [&str; 4] = [
    "NextContinuationToken",
    "NextKeyMarker",
    "NextMarker",
    "NextRecordName",
];
const TABLE: &str = "LastEvaluatedTableName";
const KEY: &str = "LastEvaluatedKey";
/// Parameters of a query that ask for the next page, and the elements that say them again.
const ASKED: [(&str, &str); 5] = [
    ("continuation-token", "ContinuationToken"),
    ("key-marker", "KeyMarker"),
    ("marker", "Marker"),
    ("name", "RecordName"),
    ("start-after", "StartAfter"),
];
/// And members of a body.
const STARTS: [&str; 2] = ["ExclusiveStartKey", "ExclusiveStartTableName"];
/// The attribute that a key has beside its own, where it is sealed.
const SEALED: &str = "countersign-page";

/// Whether the answer to a call ends where a next page may begin.
#[must_use]
pub fn may_go_on(call: &Call) -> bool {
    let service = call.service.map_or("", |it| it.name);
    let operation = call.operation.map_or("", |it| it.name);
    matches!(
        (service, operation),
        ("dynamodb", "ListTables" | "Query" | "Scan")
            | ("route53", "ListResourceRecordSets")
            | (
                "s3",
                "ListMultipartUploads" | "ListObjects" | "ListObjectsV2" | "ListObjectVersions"
            )
    )
}

/// What a request asks with, where that was sealed.
#[derive(Debug, PartialEq, Eq)]
pub enum Opened {
    /// Nothing.
    Nothing,
    /// Its query: what was sent for which element, and the query as it is meant.
    Query(Vec<(&'static str, String)>, String),
    /// Its body.
    Body(Vec<u8>),
}

/// Opens the marker in a request for the next page.
///
/// # Errors
/// [`BadMarker`].
pub fn opened(
    sealer: &Sealer,
    of: &Of,
    (call, head, sent): (&Call, &Head, &[u8]),
    now: Timestamp,
) -> Result<Opened, BadMarker> {
    if matches!(call.wire, Wire::Json(_)) {
        return opened_body(sealer, of, sent, now);
    }
    let mut markers = Vec::new();
    let mut parts = Vec::new();
    for part in head.query.as_deref().unwrap_or_default().split('&') {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = escape::decode(value).unwrap_or_default();
        let asked = ASKED.iter().find(|(it, _)| *it == name);
        match asked.filter(|_| value.starts_with(seal::BEGIN)) {
            Some((_, element)) => {
                let marker = sealer.open(of, &value, now)?;
                parts.push(format!("{name}={}", escape::encode(&marker)));
                markers.push((*element, value));
            }
            None => parts.push(part.to_owned()),
        }
    }
    if markers.is_empty() {
        return Ok(Opened::Nothing);
    }
    Ok(Opened::Query(markers, parts.join("&")))
}

fn opened_body(sealer: &Sealer, of: &Of, sent: &[u8], now: Timestamp) -> Result<Opened, BadMarker> {
    if memmem::find(sent, seal::BEGIN.as_bytes()).is_none() {
        return Ok(Opened::Nothing);
    }
    let Some(mut tree) = body::json(sent) else {
        return Ok(Opened::Nothing);
    };
    let mut some = false;
    for name in STARTS {
        let Some(start) = tree.get_mut(name) else {
            continue;
        };
        let key = start.get(SEALED).and_then(|it| it.get("S")?.as_str());
        let (sealed, of_key) = match (key, start.as_str()) {
            (Some(sealed), _) => (sealed, true),
            (None, Some(sealed)) if sealed.starts_with(seal::BEGIN) => (sealed, false),
            _ => continue,
        };
        let marker = sealer.open(of, sealed, now)?;
        *start = if of_key {
            serde_json::from_str(&marker).map_err(|_| BadMarker::Foreign)?
        } else {
            Value::String(marker)
        };
        some = true;
    }
    if !some {
        return Ok(Opened::Nothing);
    }
    let written = serde_json::to_vec(&tree).map_err(|_| BadMarker::Unreadable)?;
    Ok(Opened::Body(written))
}

/// What is shown of an answer, with its markers sealed where they are not as they came, and with those that were `sent` in the
/// place of what they stand for. `None` where it cannot be written so.
#[must_use]
pub fn sealed(
    sealer: &Sealer,
    of: &Of,
    (call_wire, came): (Wire, &[u8]),
    mut shown: Vec<u8>,
    sent: &[(&'static str, String)],
    now: Timestamp,
) -> Option<Vec<u8>> {
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    if matches!(call_wire, Wire::Json(_)) {
        for name in [KEY, TABLE] {
            let (Some(own), Some(at)) = (member(came, name), member(&shown, name)) else {
                continue;
            };
            let (own, hidden) = (came.get(own)?, shown.get(at.clone())?);
            if own == hidden {
                continue;
            }
            if name == TABLE {
                let own: String = serde_json::from_slice(own).ok()?;
                changes.push((at, json!(sealer.seal(of, &own, now)?).to_string()));
                continue;
            }
            let sealed = sealer.seal(of, std::str::from_utf8(own).ok()?, now)?;
            let begun = at.start + 1;
            (hidden.first() == Some(&b'{')).then_some(())?;
            changes.push((
                begun..begun,
                format!("{}:{},", json!(SEALED), json!({ "S": sealed })),
            ));
        }
    } else {
        // What is hidden is hidden in its place.
        (came.len() == shown.len()).then_some(())?;
        let escaped = memmem::find(came, b"<EncodingType>url<").is_some();
        for name in ELEMENTS {
            for at in elements(came, name) {
                let own = came.get(at.clone())?;
                if shown.get(at.clone()) != Some(own) {
                    let marker = marker(own, escaped && name != "NextContinuationToken")?;
                    changes.push((at, sealer.seal(of, &marker, now)?));
                }
            }
        }
        if let Some((at, own)) = unnamed(came, &shown) {
            let sealed = sealer.seal(of, &marker(own, escaped)?, now)?;
            changes.push((at..at, format!("<NextMarker>{sealed}</NextMarker>")));
        }
        for (name, sealed) in sent {
            let again = elements(came, name).map(|at| (at, xml(sealed)));
            changes.extend(again);
        }
    }
    changes.sort_by_key(|(at, _)| at.start);
    for (at, text) in changes.into_iter().rev() {
        shown.splice(at, text.into_bytes());
    }
    Some(shown)
}

/// What an element says.
fn marker(text: &[u8], escaped: bool) -> Option<String> {
    let text = unescape(std::str::from_utf8(text).ok()?)?;
    if escaped {
        return escape::decode_form(&text).ok();
    }
    Some(text)
}

/// The key at which a page ends, where no element says where the next one begins and something is hidden in it; and where such an
/// element may stand. S3's first version names the marker only where there is a delimiter.
fn unnamed<'a>(came: &'a [u8], shown: &[u8]) -> Option<(usize, &'a [u8])> {
    const CUT: &[u8] = b"<IsTruncated>true</IsTruncated>";
    let end = memmem::find(came, CUT)? + CUT.len();
    let of_first = memmem::find(came, b"<ListBucketResult").is_some()
        && memmem::find(came, b"<KeyCount>").is_none();
    let named = ELEMENTS
        .iter()
        .any(|it| elements(came, it).next().is_some());
    if !of_first || named {
        return None;
    }
    let last = elements(came, "Key").last()?;
    let own = came.get(last.clone())?;
    (shown.get(last)? != own).then_some((end, own))
}

/// Where the texts of the elements of a name stand.
fn elements<'a>(text: &'a [u8], name: &str) -> impl Iterator<Item = Range<usize>> + 'a {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + memmem::find(text.get(from..)?, begin.as_bytes())? + begin.len();
        let length = memmem::find(text.get(at..)?, end.as_bytes())?;
        from = at + length;
        Some(at..from)
    })
}

/// Where the value of a member of an object in JSON stands.
fn member(text: &[u8], name: &str) -> Option<Range<usize>> {
    let wanted = json!(name).to_string();
    let (mut depth, mut at, mut found) = (0_usize, 0, None);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                let begun = at;
                at += 1;
                while *text.get(at)? != b'"' {
                    at += if text.get(at) == Some(&b'\\') { 2 } else { 1 };
                }
                let is_name = depth == 1 && found.is_none();
                if is_name && text.get(begun..=at) == Some(wanted.as_bytes()) {
                    let rest = text.get(at + 1..)?;
                    let blank = |byte: &u8| byte.is_ascii_whitespace();
                    let colon = rest.iter().position(|byte| !blank(byte))?;
                    if rest.get(colon) == Some(&b':') {
                        let behind = rest.get(colon + 1..)?;
                        let value = behind.iter().position(|byte| !blank(byte))?;
                        at += 1 + colon + value;
                        found = Some(at + 1);
                    }
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return found.map(|start| start..trimmed(text, at)),
            b'}' | b']' => depth -= 1,
            b',' if depth == 1 && found.is_some() => {
                return found.map(|start| start..trimmed(text, at));
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The end of a text before `end`, without blanks.
fn trimmed(text: &[u8], end: usize) -> usize {
    let before = text.get(..end).unwrap_or_default();
    before.trim_ascii_end().len()
}
