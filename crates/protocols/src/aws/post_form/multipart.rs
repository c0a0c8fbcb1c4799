//! The parts of a form (RFC 7578), read in one way or not at all.

use bytes::Bytes;

use super::BadForm;

/// Fields of a form at most, and of one at most so many bytes: what S3 takes before the file.
const FIELDS_MAX: usize = 100;
const FIELD_BYTES_MAX: usize = 20 << 10;

/// What a form holds.
pub(super) struct Parts {
    /// Its fields, names in lower case.
    pub(super) fields: Vec<(String, String)>,
    /// What the file is called where it comes from, without folders.
    pub(super) filename: String,
    /// The file.
    pub(super) file: Bytes,
}

/// Reads the parts. The file must be the last that counts: what follows it is not looked at, as S3 does not.
pub(super) fn read(content_type: &str, body: &Bytes) -> Result<Parts, BadForm> {
    let malformed = BadForm::Malformed;
    let boundary = boundary(content_type).ok_or(malformed("its Content-Type has no boundary"))?;
    let delimiter = format!("\r\n--{boundary}");
    // The first one has no line before it.
    let first = delimiter.get(2..).unwrap_or_default();
    let mut at = first.len();
    if !body.starts_with(first.as_bytes()) {
        return Err(malformed("it does not begin with its boundary"));
    }
    let mut fields = Vec::new();
    loop {
        let rest = body.get(at..).unwrap_or_default();
        let Some(part) = rest.strip_prefix(b"\r\n") else {
            return Err(malformed("it has no file"));
        };
        let start = at + 2;
        let head = find(part, b"\r\n\r\n").ok_or(malformed("a part has no head"))?;
        let content = start + head + 4;
        let length = find(
            body.get(content..).unwrap_or_default(),
            delimiter.as_bytes(),
        );
        let length = length.ok_or(malformed("a part does not end"))?;
        let named = part.get(..head).and_then(disposition);
        let (name, filename) = named.ok_or(malformed("a part has no name"))?;
        if name == "file" {
            return Ok(Parts {
                fields,
                filename: filename.unwrap_or_default(),
                file: body.slice(content..content + length),
            });
        }
        let value = body.get(content..content + length).unwrap_or_default();
        if fields.len() >= FIELDS_MAX || value.len() > FIELD_BYTES_MAX {
            return Err(malformed("it has too many fields, or too long ones"));
        }
        let value = std::str::from_utf8(value).map_err(|_| malformed("a field is no UTF-8"))?;
        if value.contains(['\r', '\n', '\0']) {
            return Err(malformed("a field has more than one line"));
        }
        if fields.iter().any(|(it, _)| *it == name) {
            return Err(malformed("a field stands twice"));
        }
        fields.push((name, value.to_owned()));
        at = content + length + delimiter.len();
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut found = parameters.split(';').filter_map(|it| {
        let (name, value) = it.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then_some(value)
    });
    let boundary = found.next()?;
    let inner = boundary
        .strip_prefix('"')
        .and_then(|it| it.strip_suffix('"'))
        .unwrap_or(boundary);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
    let good = (1..=70).contains(&inner.len()) && inner.bytes().all(plain);
    (good && found.next().is_none()).then_some(inner)
}

/// The name in a part's head, and the file's. Other fields of it are left out: what the object's content type is says a field.
fn disposition(head: &[u8]) -> Option<(String, Option<String>)> {
    let head = std::str::from_utf8(head).ok()?;
    let mut found = head.split("\r\n").filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    });
    let value = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let mut rest = value.trim().strip_prefix("form-data")?.trim_start();
    let (mut name, mut filename) = (None, None);
    while let Some(parameter) = rest.strip_prefix(';') {
        let (key, after) = parameter.trim_start().split_once('=')?;
        let (value, after) = after.strip_prefix('"')?.split_once('"')?;
        if value.ends_with('\\') {
            return None;
        }
        match key.trim().to_ascii_lowercase().as_str() {
            "name" if name.is_none() => name = Some(value.to_ascii_lowercase()),
            "filename" if filename.is_none() => {
                let bare = value.rsplit(['/', '\\']).next().unwrap_or(value);
                filename = Some(bare.to_owned());
            }
            _ => return None,
        }
        rest = after.trim_start();
    }
    (rest.is_empty()).then_some((name?, filename))
}
