//! What a request says beside its body, and in a form, as text that can be searched.

use std::borrow::Cow;
use std::ops::Range;

use super::command::{TRAVEL, is_signature};
use crate::http::{Head, escape};

/// Fields that are made of the body, and say nothing of their own.
const DIGESTS: [&str; 2] = ["content-md5", "x-amz-trailer"];
const CHECKSUM: &str = "x-amz-checksum-";

/// Members that botocore marks as idempotency tokens and that speak of a token, in small letters and without dashes. SDKs fill them with
/// a UUID, which gives access to nothing.
const TOKENS: [&str; 10] = [
    "clientrequesttoken",
    "clienttoken",
    "creationtoken",
    "executetoken",
    "idempotencytoken",
    "provisiontoken",
    "terminatetoken",
    "xamzclienttoken",
    "xamznclienttoken",
    "xclienttoken",
];
/// The lengths of a UUID's parts (RFC 9562 section 4).
const UUID: [usize; 5] = [8, 4, 4, 4, 12];
const UUID_BYTES: usize = 36;

/// A text with blanks in place of the idempotency tokens that are UUIDs, and where these stand.
pub(super) fn without_tokens(text: &str) -> (Cow<'_, str>, Vec<Range<usize>>) {
    let mut tokens = Vec::new();
    for (dash, _) in text.match_indices('-') {
        let start = dash.wrapping_sub(UUID[0]);
        if let Some(token) = text.get(start..start.wrapping_add(UUID_BYTES))
            && is_uuid(token)
            && text.get(..start).is_some_and(names_token)
        {
            tokens.push(start..start + UUID_BYTES);
        }
    }
    if tokens.is_empty() {
        return (Cow::Borrowed(text), tokens);
    }
    let mut blank = text.to_owned();
    for token in &tokens {
        blank.replace_range(token.clone(), &" ".repeat(UUID_BYTES));
    }
    (Cow::Owned(blank), tokens)
}

fn is_uuid(text: &str) -> bool {
    let parts = || text.split('-');
    let hexadecimal = |part: &str| part.bytes().all(|it| it.is_ascii_hexdigit());
    parts().map(str::len).eq(UUID) && parts().all(hexadecimal)
}

/// Whether a text ends with the name of such a member, before its value: in JSON, in a form or in a header field.
fn names_token(before: &str) -> bool {
    let name = before.trim_end_matches(['"', ' ', ':', '=']);
    if name.len() == before.len() {
        return false;
    }
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let start = name.trim_end_matches(of_name).len();
    let name = name.get(start..).unwrap_or_default();
    let name = name.replace('-', "").to_ascii_lowercase();
    TOKENS.contains(&name.as_str())
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_uuids_where_a_token_stands_are_left_out() {
        let uuid = "0b9c1a5e-1111-4222-8333-0123456789ab";
        for text in [
            format!("{{\"ClientToken\":\"{uuid}\"}}"),
            format!("{{\"clientRequestToken\": \"{uuid}\"}}"),
            format!("Action=RunInstances\nClientToken={uuid}"),
            format!("x-amzn-client-token: {uuid}\n"),
        ] {
            let (blank, tokens) = without_tokens(&text);
            assert_eq!(tokens.len(), 1, "{text}");
            assert_eq!(blank, text.replace(uuid, &" ".repeat(36)));
        }
        for text in [
            format!("{{\"SessionToken\":\"{uuid}\"}}"),
            format!("{{\"ClientToken\":\"{}\"}}", uuid.replace('9', "x")),
            format!("ClientToken {{{uuid}}} ü-"),
            uuid.to_owned(),
        ] {
            assert_eq!(without_tokens(&text), (Cow::Borrowed(&*text), Vec::new()));
        }
    }
}
