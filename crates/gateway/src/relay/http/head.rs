//! The head of an answer, as the client is shown it.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::http::response;
use mask::{Findings, Hint, Masker, Outcome};
use model::DataClass;
use protocols::aws::classify::Call;
use protocols::aws::digests::holds_digest;
use protocols::aws::etag::{Tags, Version};
use protocols::aws::screen::is;
use protocols::aws::secrets::{SENSITIVE, is_encoded, searched_field};

use super::answer::Cut;

/// Fields of an answer that belong to the target's connection (RFC 9110 section 7.6.1).
const DROPPED: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields that describe the bytes as they were before anything was hidden in them, and what the names of others begin with.
const DESCRIBING: [&str; 10] = [
    "content-digest",
    "content-md5",
    "digest",
    "repr-digest",
    "x-amz-content-sha256",
    "x-amz-crc32",
    "x-amz-sha256-tree-hash",
    // Of servers like S3.
    "x-cos-hash-crc64ecma",
    "x-goog-hash",
    "x-oss-hash-crc64ecma",
];
const CHECKSUMS: &str = "x-amz-checksum-";
/// And what those begin with in which clients write what they like, digests too.
const METADATA: &str = "x-amz-meta-";

/// Fields that the target writes of itself. All others may hold somebody's text: what was put beside an object, its type and its
/// caching as whoever uploaded it said, what went wrong with what.
pub(super) const PLAIN: [&str; 23] = [
    "accept-ranges",
    "age",
    "content-length",
    "content-range",
    "date",
    "etag",
    "last-modified",
    "server",
    "strict-transport-security",
    "vary",
    "x-amz-bucket-region",
    "x-amz-delete-marker",
    "x-amz-id-2",
    "x-amz-mp-parts-count",
    "x-amz-request-id",
    "x-amz-server-side-encryption",
    "x-amz-storage-class",
    "x-amz-tagging-count",
    "x-amz-version-id",
    "x-amzn-errortype",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-content-type-options",
];

/// What is done to a head.
pub(super) struct Changes<'a> {
    /// To what it answers.
    pub(super) call: &'a Call,
    /// The part that is shown of the body.
    pub(super) cut: Option<&'a (Cut, String)>,
    /// What turns ETags into others, where something may be hidden in the body.
    pub(super) tags: Option<&'a Tags>,
    /// The body is compressed anew: how long it will be nobody knows yet.
    pub(super) coded: bool,
}

/// The head. What describes bytes that are not the target's, or not all of them, is left out or written anew; what people wrote
/// into it is searched like the body.
pub(super) fn shown(
    parts: &response::Parts,
    changes: &Changes<'_>,
    masker: &Arc<Masker>,
    findings: &mut Findings,
) -> response::Builder {
    let Changes {
        call,
        cut,
        tags,
        coded,
    } = *changes;
    // What was written is as it was written.
    let writes = is(call, "PutObject");
    let sensitive = sensitive(call, masker);
    let mut shown = response::Builder::new().status(parts.status);
    for (name, value) in &parts.headers {
        let name = name.as_str();
        // Nothing is asked elsewhere than here.
        if name == "location" && parts.status.is_redirection() {
            continue;
        }
        let cut_off = cut.is_some() && matches!(name, "content-length" | "content-range");
        let unknown = coded && name == "content-length";
        let dropped = DROPPED.contains(&name) || cut_off || unknown;
        let describing = describes(name, value);
        if dropped || tags.is_some() && describing && !writes {
            continue;
        }
        if let (Some(tags), "etag") = (tags, name) {
            let tag = value.to_str().ok();
            let tag = tag.and_then(|tag| tags.shown(call, version(&parts.headers), tag));
            if let Some(tag) = tag {
                shown = shown.header(name, tag);
            }
            continue;
        }
        let value = match &sensitive {
            Some((class, names)) if names.contains(&name) => {
                hidden(name, value, masker, class, findings)
            }
            _ if PLAIN.contains(&name) => Some(value.clone()),
            _ if is_encoded(name) => {
                let place = findings.place(name);
                findings.enter(place);
                let shown = searched_field(call, masker, value.as_bytes(), findings);
                HeaderValue::from_bytes(&shown).ok()
            }
            _ => text(name, value, masker, findings),
        };
        if let Some(value) = value {
            shown = shown.header(name, value);
        }
    }
    match cut {
        Some((cut, field)) => shown
            .header("content-length", cut.length)
            .header("content-range", field),
        None => shown,
    }
}

/// Whether a field tells of the bytes as they were.
fn describes(name: &str, value: &HeaderValue) -> bool {
    let is_digest = || value.to_str().is_ok_and(holds_digest);
    DESCRIBING.contains(&name)
        || name.starts_with(CHECKSUMS)
        || name.starts_with(METADATA) && is_digest()
}

/// The fields that the service's model calls sensitive, unless policy reveals them.
fn sensitive<'a>(call: &'a Call, masker: &Masker) -> Option<(DataClass, &'a [&'static str])> {
    let names = call.service?.sensitive_fields.as_slice();
    let class = DataClass::try_from(SENSITIVE.to_owned()).ok()?;
    (!names.is_empty() && masker.masks(&class)).then_some((class, names))
}

/// Stars in place of a value.
fn hidden(
    name: &str,
    value: &HeaderValue,
    masker: &Masker,
    class: &DataClass,
    findings: &mut Findings,
) -> Option<HeaderValue> {
    let place = findings.place(name);
    findings.enter(place);
    masker.count_declared(class, Some(value.as_bytes()), findings);
    HeaderValue::from_bytes(&vec![b'*'; value.len()]).ok()
}

/// A value without what is hidden in it; `None` where nothing of it may be shown.
fn text(
    name: &str,
    value: &HeaderValue,
    masker: &Masker,
    findings: &mut Findings,
) -> Option<HeaderValue> {
    let place = findings.place(name);
    findings.enter(place);
    let mut out = Vec::new();
    match masker.mask_text(Hint::NONE, value.as_bytes(), &mut out, findings) {
        Outcome::Clean => Some(value.clone()),
        Outcome::Masked => HeaderValue::from_bytes(&out).ok(),
        Outcome::Null | Outcome::Withheld => None,
    }
}

/// Which version of an object an answer is of.
fn version(headers: &HeaderMap<HeaderValue>) -> Version<'_> {
    let one = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    Version {
        id: one("x-amz-version-id"),
        modified: one("last-modified"),
    }
}

/// How long the target says its answer is.
pub(super) fn content_length(headers: &HeaderMap<HeaderValue>) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The target's ids of a request, by which AWS's own logs name it.
pub(super) fn ids(headers: &HeaderMap<HeaderValue>) -> String {
    const NAMES: [&str; 3] = ["x-amzn-requestid", "x-amz-request-id", "x-amz-id-2"];
    let id = |name: &&str| {
        let value = headers.get(*name)?.to_str().ok()?;
        let plain = value.len() <= 128 && value.bytes().all(|byte| byte.is_ascii_graphic());
        plain.then(|| format!("{name}={value}"))
    };
    NAMES.iter().filter_map(id).collect::<Vec<_>>().join(" ")
}
