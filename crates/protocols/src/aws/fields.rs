//! Header fields of requests: which go on.
//!
//! What a server does by a field that the gateway does not know, policy was not asked about. So to a service that is known
//! go the fields of its model and those of HTTP, and no vendor's own.

use super::classify::Call;
use crate::http::{AUTHORITY, Fields};

/// Fields that belong to the client's connection or signature, or that the relay writes itself.
const DROPPED: [&str; 33] = [
    AUTHORITY,
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-security-token",
    "x-amz-trailer",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    // What some servers take for another method or path than the one that policy was asked about.
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
];

/// Fields of HTTP, and of all that AWS's SDKs write, whatever the service.
const COMMON: [&str; 35] = [
    "accept",
    "accept-language",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "pragma",
    "range",
    "smithy-protocol",
    "user-agent",
    "x-amz-api-version",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    // Glacier's clients write it, and no model has it.
    "x-amz-glacier-version",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-target",
    "x-amz-te",
    "x-amz-trailer",
    "x-amz-user-agent",
    "x-amzn-query-mode",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-id",
];
/// What the names of further ones begin with: checksums of bodies, which are of S3's model and of others' SDKs.
const CHECKSUMS: &str = "x-amz-checksum-";
/// Names below this one are their writer's own, so there they may be of more characters.
const METADATA: &str = "x-amz-meta-";

/// The first field that looks like AWS's and is not of the service that a request was understood as.
pub(super) fn unknown<'a>(fields: &'a Fields, call: &Call) -> Option<&'a str> {
    let is_aws = |name: &&str| name.starts_with("x-amz");
    let mut names = fields.iter().map(|(name, _)| name);
    names.find(|name| is_aws(name) && !knows(call, name))
}

/// Whether a field of this name goes on with a call.
pub(super) fn goes(call: &Call, name: &str) -> bool {
    if DROPPED.contains(&name) {
        return false;
    }
    match call.operation {
        Some(_) => knows(call, name),
        // Policy permitted by name what is not known. What a server could take for another field goes on in no case.
        None => name.starts_with(METADATA) || is_plain(name),
    }
}

/// Whether a field of this name is HTTP's, AWS's or of the service that a request was understood as.
pub(super) fn is_known(call: &Call, name: &str) -> bool {
    name.starts_with(METADATA) || knows(call, name)
}

fn knows(call: &Call, name: &str) -> bool {
    let of_service = || call.service.is_some_and(|it| it.has_field(name));
    COMMON.contains(&name) || name.starts_with(CHECKSUMS) && is_plain(name) || of_service()
}

/// Whether it has none of the characters that some servers read as others: what makes variables of fields takes `_` for `-`.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.bytes().all(plain)
}
