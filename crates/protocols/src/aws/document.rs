//! Documents that S3 is sent, read so strictly that no other parser finds something else in them.

use serde_json::{Map, Value};

/// Reads a document of elements without attributes, but for `root`'s. `lists` are elements that hold others. Where an element ends,
/// `take` is told the path to it, its own name last, and its text, with references in it; a list has none. `None` where a
/// document is any other, or `take` says so.
pub(super) fn read(
    document: &[u8],
    root: &str,
    lists: &[&str],
    mut take: impl FnMut(&[&str], &str) -> Option<()>,
) -> Option<()> {
    let mut rest = std::str::from_utf8(document).ok()?.trim();
    if let Some(declared) = rest.strip_prefix("<?xml ") {
        rest = declared.split_once("?>")?.1.trim_start();
    }
    let (mut open, mut begun): (Vec<&str>, bool) = (Vec::new(), false);
    let is_list = |name: &str| name == root || lists.contains(&name);
    while !rest.is_empty() {
        let (text, after) = rest.split_once('<')?;
        let (tag, after) = after.split_once('>')?;
        match tag.strip_prefix('/') {
            Some(name) => {
                if open.last() != Some(&name) {
                    return None;
                }
                let text = if is_list(name) { text.trim() } else { text };
                if is_list(name) && !text.is_empty() {
                    return None;
                }
                take(&open, text)?;
                open.pop();
            }
            None => {
                let name = tag.split(' ').next().unwrap_or(tag);
                let first = open.is_empty() && name == root && !begun && has_attributes(tag);
                let inner = open.last().is_some_and(|it| is_list(it)) && is_name(tag);
                if !(first || inner) || !text.trim().is_empty() {
                    return None;
                }
                begun = true;
                open.push(name);
            }
        }
        rest = after;
        if open.is_empty() {
            rest = rest.trim_start();
        }
    }
    (open.is_empty() && begun).then_some(())
}

/// Whether there is nothing behind the name of a tag but attributes that are whole: what is cut at a `>` in one is read by others on
/// behind it.
fn has_attributes(tag: &str) -> bool {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let tag = tag.strip_suffix('/').unwrap_or(tag);
    let mut rest = tag
        .find(blank)
        .map_or("", |end| tag.get(end..).unwrap_or_default());
    loop {
        let next = rest.trim_start_matches(blank);
        if next.is_empty() {
            return true;
        }
        let Some((name, after)) = next.split_once('=') else {
            return false;
        };
        let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b":_-.".contains(&byte);
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let value = quote.and_then(|quote| after.get(1..)?.split_once(quote));
        match value {
            Some((value, after))
                if next.len() < rest.len()
                    && !name.is_empty()
                    && name.bytes().all(of_name)
                    && !value.contains(['<', '&']) =>
            {
                rest = after;
            }
            _ => return false,
        }
    }
}

fn is_name(tag: &str) -> bool {
    !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Text with the five entities and character references of XML.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, after) = after.split_once(';')?;
        out.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix('x') {
                    Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// Elements in elements at most so deep.
const DEPTH_MAX: usize = 24;

/// A short document as a tree: elements by their names, the root's left out, each with a list of what stands in it. Attributes are
/// passed over. `None` where it has anything but elements and text.
pub(super) fn tree(document: &[u8]) -> Option<Value> {
    let mut rest = std::str::from_utf8(document).ok()?.trim();
    if let Some(declared) = rest.strip_prefix("<?xml ") {
        rest = declared.split_once("?>")?.1.trim_start();
    }
    let mut open: Vec<(&str, Map<String, Value>)> = Vec::new();
    while !rest.is_empty() {
        let (text, after) = rest.split_once('<')?;
        let (tag, after) = after.split_once('>')?;
        rest = after;
        let (ended, value) = if let Some(name) = tag.strip_prefix('/') {
            let (opened, members) = open.pop()?;
            if opened != name {
                return None;
            }
            let value = if members.is_empty() {
                Value::String(unescape(text)?)
            } else if text.trim().is_empty() {
                Value::Object(members)
            } else {
                return None;
            };
            (name, value)
        } else {
            let name = tag.split([' ', '\n', '\r', '\t', '/']).next()?;
            if !has_attributes(tag)
                || !text.trim().is_empty()
                || !is_name(name)
                || open.len() == DEPTH_MAX
            {
                return None;
            }
            if !tag.ends_with('/') {
                open.push((name, Map::new()));
                continue;
            }
            (name, Value::String(String::new()))
        };
        let Some((_, around)) = open.last_mut() else {
            return rest.trim().is_empty().then_some(value);
        };
        let list = around
            .entry(ended)
            .or_insert_with(|| Value::Array(Vec::new()));
        list.as_array_mut()?.push(value);
    }
    None
}
