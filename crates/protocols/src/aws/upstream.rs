//! What goes to the target: the request anew, for another host, before it is signed.

use super::classify::{Call, Wire};
use super::command::{is_signature, plain_encoding};
use super::fields::goes;
use super::source;
use super::table::TABLE;
use crate::http::escape::BadEscape;
use crate::http::sigv4::Scope;
use crate::http::{Fields, Head, escape};

/// Options of `Connection` that say how it is used, and name nothing of the request.
const OPTIONS: [&str; 8] = [
    "",
    "close",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];

/// Whether `Connection` names fields of the request, so that it would be another one without them. What policy was asked about
/// must be what goes.
#[must_use]
pub fn takes_away(head: &Head) -> bool {
    let named = head.fields.all("connection").flat_map(|it| it.split(','));
    named
        .map(|name| name.trim().to_ascii_lowercase())
        .any(|name| !OPTIONS.contains(&name.as_str()))
}

/// A presigned request for S3 with the parameters of its query that are headers in truth put there: SDKs write headers into
/// the URL, and S3 reads them there.
///
/// `None` where one stands in both places.
#[must_use]
pub fn with_headers(head: &Head) -> Option<Head> {
    let query = head.query.as_deref().unwrap_or_default();
    let is_header = |name: &str| {
        let start = name.get(..6).unwrap_or_default();
        start.eq_ignore_ascii_case("x-amz-") && !is_signature(name)
    };
    let mut whole = head.clone();
    let mut kept = Vec::new();
    for part in query.split('&') {
        let pairs = escape::pairs(part).ok()?;
        match pairs.first() {
            Some((name, value)) if is_header(name) => {
                let name = name.to_ascii_lowercase();
                if whole.fields.has(&name) {
                    return None;
                }
                whole.fields.push(&name, value.as_str());
            }
            _ => kept.push(part),
        }
    }
    whole.query = head.query.as_ref().map(|_| kept.join("&"));
    Some(whole)
}

/// What paths of S3 Control begin with, whose clients put the account before the host.
const CONTROL: &str = "/v20180820/";

/// A request for S3 in path style: where `Host` is `bucket.<base>`, the bucket is put into the path. An account that stands there,
/// and in the field that says of whom S3 Control is asked, is no bucket.
///
/// `None` where the host is malformed.
#[must_use]
pub fn path_style(mut head: Head, base: &str) -> Option<Head> {
    let host = head.fields.one("host")?;
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    let name = name.to_ascii_lowercase();
    let Some(bucket) = name
        .strip_suffix(base)
        .and_then(|rest| rest.strip_suffix('.'))
    else {
        return Some(head);
    };
    // The regional forms that SDKs put before a host of their own choosing name no bucket.
    if bucket.is_empty() {
        return None;
    }
    let of_account = head.fields.one("x-amz-account-id") == Some(bucket);
    if !(of_account && head.path.starts_with(CONTROL)) {
        head.path = format!("/{bucket}{}", head.path);
    }
    Some(head)
}

/// Where a call goes: the host of AWS, and the region it is signed for. `head` is the request.
#[must_use]
pub fn aws_host(call: &Call, scope: &Scope, head: &Head) -> Option<(String, String)> {
    let service = call
        .service
        .or_else(|| TABLE.signed_as(&scope.service).next())?;
    let region = &call.region;
    if !is_region(region) {
        return None;
    }
    let (host, region) = service.host(partition(region), region, domain(region));
    let before = match call.operation {
        Some(operation) => before(operation.prefix, call, head)?,
        None => String::new(),
    };
    Some((format!("{before}{host}"), region))
}

/// What stands before the host, with what the request says in place of its label.
fn before(prefix: &str, call: &Call, head: &Head) -> Option<String> {
    let Some((start, rest)) = prefix.split_once('{') else {
        return Some(prefix.to_owned());
    };
    let (label, end) = rest.split_once('}')?;
    let value = match label {
        "AccountId" => head.fields.one("x-amz-account-id")?,
        _ => &call.parameters.iter().find(|(name, _)| name == label)?.1,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_label = !value.is_empty() && value.len() < 64 && value.bytes().all(plain);
    is_label.then(|| format!("{start}{value}{end}"))
}

/// The partition that a region is of.
fn partition(region: &str) -> &'static str {
    match region.split_once('-') {
        Some(("cn", _)) => "aws-cn",
        Some(("us", rest)) if rest.starts_with("gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// Whether it is written as AWS's regions are: `eu-central-1`. Another word in a host of AWS's could name somebody's bucket.
fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    let lower = |word: &&str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase());
    words.len() >= 2
        && words.iter().all(lower)
        && matches!(number.len(), 1 | 2)
        && number.bytes().all(|it| it.is_ascii_digit())
}

/// The domain of AWS's hosts in a region.
pub(super) fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

/// The request for `host`, unsigned. What the client's signature said, what its connection needed and what is not known of
/// the service is gone; path and query are written anew.
///
/// # Errors
/// [`BadEscape`] where path or query cannot be read.
pub fn head(from: &Head, call: &Call, host: &str) -> Result<Head, BadEscape> {
    let mut fields = Fields::default();
    fields.push("host", host);
    // What the connection's own fields name belongs to it too (RFC 9110 section 7.6.1).
    let named: Vec<String> = from
        .fields
        .all("connection")
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    for (name, value) in from.fields.iter() {
        if !goes(call, name) || named.iter().any(|it| it == name) {
            continue;
        }
        if name == "content-encoding" {
            let encoding = plain_encoding(value);
            if !encoding.is_empty() {
                fields.push(name, encoding);
            }
            continue;
        }
        let anew = match call.wire {
            Wire::S3 => source::written(name, value),
            _ => None,
        };
        fields.push(name, anew.unwrap_or_else(|| value.to_owned()));
    }
    let path = match call.wire {
        // One escape for each key, whatever way the client chose.
        Wire::S3 => escape::encode_path(&escape::decode(&from.path)?),
        _ => {
            escape::decode(&from.path)?;
            legal(&from.path)
        }
    };
    let pairs = escape::pairs(from.query.as_deref().unwrap_or_default())?;
    let pairs: Vec<String> = pairs
        .iter()
        .filter(|(name, _)| !is_signature(name))
        .map(|(name, value)| {
            if value.is_empty() {
                // `?acl`: some servers tell it from `?acl=`.
                escape::encode(name)
            } else {
                format!("{}={}", escape::encode(name), escape::encode(value))
            }
        })
        .collect();
    Ok(Head {
        method: from.method.clone(),
        path,
        query: (!pairs.is_empty()).then(|| pairs.join("&")),
        fields,
    })
}

/// A path whose escapes stay as they are; what may not stand in a path in clear is escaped.
fn legal(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if c.is_ascii_graphic()
            && !matches!(
                c,
                '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '#' | '?'
            )
        {
            out.push(c);
        } else {
            let mut buffer = [0; 4];
            escape::encode_into(&mut out, c.encode_utf8(&mut buffer).as_bytes(), false);
        }
    }
    out
}
