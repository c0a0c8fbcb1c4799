//! What a request says beside its body, and in a form, as text that can be searched.

use super::command::{TRAVEL, is_signature};
use crate::http::{Head, escape};

/// Fields that are made of the body, and say nothing of their own.
const DIGESTS: [&str; 2] = ["content-md5", "x-amz-trailer"];
const CHECKSUM: &str = "x-amz-checksum-";

/// Whether text in Base64 is compressed, by its first bytes (gzip, Zstandard, bzip2, xz, zip): nobody has looked at what is in it.
pub(super) fn is_packed(text: &[u8]) -> bool {
    const MARKS: [&[u8]; 5] = [b"H4sI", b"KLUv/", b"QlpoOTFBWSZTW", b"/Td6WFoA", b"UEsDB"];
    /// What is shorter is a word that begins so.
    const RUN_BYTES_MIN: usize = 24;
    let runs = text.split(|byte| !(byte.is_ascii_alphanumeric() || b"+/-_".contains(byte)));
    let mut long = runs.filter(|run| run.len() >= RUN_BYTES_MIN);
    long.any(|run| MARKS.iter().any(|mark| begins(run, mark)))
}

/// In Base64 as URLs have it too.
fn begins(run: &[u8], mark: &[u8]) -> bool {
    let plain = |byte: &u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => *byte,
    };
    run.len() >= mark.len()
        && run
            .iter()
            .map(plain)
            .zip(mark)
            .all(|(byte, mark)| byte == *mark)
}

/// The names and values in a form, decoded, each pair in a line. `None` where it cannot be read.
pub(super) fn of_form(body: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(body.len());
    for pair in escape::each_pair(std::str::from_utf8(body).ok()?) {
        let (name, value) = pair.ok()?;
        line(&mut text, &name, &value);
    }
    Some(text)
}

/// The path, the query and the fields of a request, decoded, but what says how it travels and is signed.
pub(super) fn of_head(head: &Head) -> String {
    let mut text = String::new();
    let path = escape::decode(&head.path);
    text.push_str(path.as_deref().unwrap_or(&head.path));
    text.push('\n');
    for pair in escape::each_pair(head.query.as_deref().unwrap_or_default()).flatten() {
        if !is_signature(&pair.0) {
            line(&mut text, &pair.0, &pair.1);
        }
    }
    for (name, value) in head.fields.iter() {
        if TRAVEL.contains(&name) || DIGESTS.contains(&name) || name.starts_with(CHECKSUM) {
            continue;
        }
        line(&mut text, name, value);
        // Tags are a form, and sources of copies a path.
        if value.contains(['%', '+'])
            && let Ok(decoded) = escape::decode_form(value)
        {
            line(&mut text, name, &decoded);
        }
    }
    text
}

fn line(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str(": ");
    text.push_str(value);
    text.push('\n');
}
