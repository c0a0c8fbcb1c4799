//! The canonical request (AWS IAM user guide, "Create a signed AWS API request", step 1).

use std::fmt::Write as _;

use super::escape::{self, BadEscape};
use super::head::{Fields, Head};

/// How a path becomes canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathForm {
    /// Dot segments and empty segments are resolved first.
    pub normalize: bool,
    /// The path as it stands on the wire is escaped once more; else it is escaped exactly once, however it came.
    pub twice: bool,
}

impl PathForm {
    /// Every service but S3.
    pub const USUAL: Self = Self {
        normalize: true,
        twice: true,
    };
    /// S3, where `//` and `..` are part of a key.
    pub const S3: Self = Self {
        normalize: false,
        twice: false,
    };

    /// The form that the service with this signing name uses.
    #[must_use]
    pub fn of(signing_name: &str) -> Self {
        match signing_name {
            "s3" | "s3express" | "s3-object-lambda" | "s3-outposts" => Self::S3,
            _ => Self::USUAL,
        }
    }
}

/// The canonical request, and the canonical headers' names as they stand in it.
///
/// `signed` are the names of the signed headers, lower-case and sorted. `payload` is the last line. The query's parameter
/// `X-Amz-Signature` is left out.
///
/// # Errors
/// [`BadEscape`] where path or query cannot be read.
pub fn request(
    head: &Head,
    form: PathForm,
    signed: &[&str],
    payload: &str,
) -> Result<String, BadEscape> {
    let mut out = String::with_capacity(512);
    out.push_str(&head.method);
    out.push('\n');
    out.push_str(&path(&head.path, form)?);
    out.push('\n');
    out.push_str(&query(head.query.as_deref().unwrap_or_default())?);
    out.push('\n');
    for name in signed {
        header(&mut out, &head.fields, name);
    }
    // Writing to a string does not fail.
    let _ = write!(out, "\n{}\n{payload}", signed.join(";"));
    Ok(out)
}

/// The canonical path.
///
/// # Errors
/// [`BadEscape`].
pub fn path(raw: &str, form: PathForm) -> Result<String, BadEscape> {
    let resolved = if form.normalize {
        resolve(raw)
    } else {
        raw.to_owned()
    };
    let resolved = if resolved.is_empty() {
        "/".to_owned()
    } else {
        resolved
    };
    if form.twice {
        return Ok(escape::encode_path(&resolved));
    }
    Ok(escape::encode_path(&escape::decode(&resolved)?))
}

/// Resolves `.`, `..` and empty segments (RFC 3986 section 5.2.4, with repeated slashes as one). A slash at the end stays.
fn resolve(raw: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let mut out = String::with_capacity(raw.len());
    for segment in &segments {
        out.push('/');
        out.push_str(segment);
    }
    if segments.is_empty() || raw.ends_with('/') {
        out.push('/');
    }
    out
}

/// The canonical query: every name and value escaped once, sorted, without the signature.
///
/// # Errors
/// [`BadEscape`].
pub fn query(raw: &str) -> Result<String, BadEscape> {
    let mut pairs: Vec<(String, String)> = escape::pairs(raw)?
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (escape::encode(name), escape::encode(value)))
        .collect();
    pairs.sort();
    Ok(pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&"))
}

/// A canonical header line: all values of the name, white space at the ends gone and in between a single space.
pub(super) fn header(out: &mut String, fields: &Fields, name: &str) {
    out.push_str(name);
    for (index, value) in fields.all(name).enumerate() {
        out.push(if index == 0 { ':' } else { ',' });
        for (index, word) in value.split_ascii_whitespace().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            out.push_str(word);
        }
    }
    out.push('\n');
}
