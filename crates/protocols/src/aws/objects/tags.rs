//! Asking S3 for the tags of an object (GetObjectTagging).

use std::collections::BTreeMap;

use super::super::document::unescape;
use crate::http::{Fields, Head, escape};

/// An answer is at most so large: an object has ten tags at most.
pub const TAGS_BYTES_MAX: usize = 64 << 10;

/// The request for the tags of the object, and of its version, that a request in path style reads.
#[must_use]
pub fn request(of: &Head) -> Head {
    let query = escape::pairs(of.query.as_deref().unwrap_or_default()).unwrap_or_default();
    let version = query.iter().find(|(name, _)| name == "versionId");
    let version = version.map(|(_, id)| format!("&versionId={}", escape::encode(id)));
    Head {
        method: "GET".to_owned(),
        path: of.path.clone(),
        query: Some(format!("tagging{}", version.unwrap_or_default())),
        fields: Fields::default(),
    }
}

/// The tags in an answer; `None` where it is not one that can be read for certain.
#[must_use]
pub fn read(answer: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut rest = std::str::from_utf8(answer).ok()?.trim();
    if let Some(declared) = rest.strip_prefix("<?xml ") {
        rest = declared.split_once("?>")?.1.trim_start();
    }
    let (root, content) = rest.strip_prefix("<Tagging")?.split_once('>')?;
    let attributes = root.strip_suffix('/');
    let is_root = |rest: &str| rest.is_empty() || rest.starts_with(' ');
    if !is_root(attributes.unwrap_or(root)) {
        return None;
    }
    if attributes.is_some() {
        return content.is_empty().then(BTreeMap::new);
    }
    let content = content.strip_suffix("</Tagging>")?.trim();
    if matches!(content, "<TagSet/>" | "<TagSet />") {
        return Some(BTreeMap::new());
    }
    let mut set = content
        .strip_prefix("<TagSet>")?
        .strip_suffix("</TagSet>")?
        .trim();
    let mut tags = BTreeMap::new();
    while !set.is_empty() {
        let (tag, after) = set.strip_prefix("<Tag>")?.split_once("</Tag>")?;
        let (key, after_key) = element(tag.trim(), "Key")?;
        let (value, end) = element(after_key.trim_start(), "Value")?;
        if !end.trim().is_empty() || tags.insert(key, value).is_some() {
            return None;
        }
        set = after.trim_start();
    }
    Some(tags)
}

/// The text of the element that stands first, and what follows it.
fn element<'a>(text: &'a str, name: &str) -> Option<(String, &'a str)> {
    if let Some(after) = text.strip_prefix(&format!("<{name}/>")) {
        return Some((String::new(), after));
    }
    let (content, after) = text
        .strip_prefix(&format!("<{name}>"))?
        .split_once(&format!("</{name}>"))?;
    if content.contains('<') {
        return None;
    }
    Some((unescape(content)?, after))
}
