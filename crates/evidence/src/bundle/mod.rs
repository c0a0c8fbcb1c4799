//! The bundle as a file: a ZIP of plain files, a manifest that is signed, and what each file is for.
//!
//! A bundle is canonical: names are sorted nowhere but in the manifest, times and permissions are fixed, nothing lies between the
//! files, so equal inputs give equal bytes and every byte is accounted for.

mod container;
pub(crate) mod csv;
pub(crate) mod layout;
pub(crate) mod manifest;
pub(crate) mod reader;
pub(crate) mod sample;
pub(crate) mod writer;

/// JSON for people and machines, with a line feed at the end.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// A name as a file of a bundle may have it: whatever else is in it is written as `%` and two hexadecimal digits a byte.
pub(crate) fn plain(name: &str) -> String {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let mut out = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        if legal(byte) && !(byte == b'.' && (at == 0 || at + 1 == name.len())) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02x}");
        }
    }
    out
}

/// What is wrong with a bundle as a file. `place` is a path in the bundle, or empty for the whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{}{why}", if place.is_empty() { "" } else { ": " })]
pub(crate) struct Defect {
    pub(crate) place: String,
    pub(crate) why: String,
}

impl Defect {
    pub(crate) fn new(place: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            why: why.into(),
        }
    }
}
