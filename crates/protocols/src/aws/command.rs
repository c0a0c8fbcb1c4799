//! A request to what policy is asked about it, and to the text that approvals bind to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use mask::{Findings, Hint, Masker, Outcome};
use model::{Ask, Asks, Command, DataClass, Parameter, Resource, Value};

use super::classify::{Beside, Call, Thing, Wire};
use super::secrets::{Asked, HIDDEN, field};
use super::table::Level;
use super::{NAME, body, cbor, expressions, fields, inside, screen, texts};
use crate::http::{AUTHORITY, Head, canonical, escape};

/// A body up to this many bytes stands in the command itself; of a longer one its digest does.
pub const BODY_BYTES_MAX: usize = 64 * 1_024;

/// Fields that say how a request travels, and not what it asks.
pub(super) const TRAVEL: [&str; 24] = [
    AUTHORITY,
    "accept-encoding",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "date",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-security-token",
    "x-amzn-trace-id",
];

/// The body of a request, as far as it is known before it is sent.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// Its SHA-256, in hexadecimal.
    Digest(&'a str),
    /// Nothing is known of it. No approval can be bound to it.
    Unknown,
}

/// The command that a request is. `head` is in path style; `masker` hides what may not rest; `carries` are the classes that it
/// carries ([`screen`](super::screen)).
#[must_use]
pub fn command(
    call: &Call,
    head: &Head,
    body: Body<'_>,
    masker: &Masker,
    carries: &BTreeSet<String>,
) -> Command {
    let action = call.action();
    let asked = Asked::of(call);
    let exact = text(
        call,
        &action,
        head,
        |_, value| value.to_owned(),
        |_, value| value.to_owned(),
    );
    let shown = text(
        call,
        &action,
        head,
        |name, value| shown_parameter(&asked, name, value),
        |name, value| {
            if asked.names(name) {
                HIDDEN.to_owned()
            } else {
                field(name, value, fields::is_known(call, name))
            }
        },
    );
    let shown = asked_at_rest(masker, &shown);
    let (value, shown_value) = match body {
        Body::Whole([]) => (None, None),
        Body::Whole(bytes) if bytes.len() <= BODY_BYTES_MAX => (
            Some(Bytes::copy_from_slice(bytes)),
            Some(shown_body(call, bytes, &asked, masker)),
        ),
        Body::Whole(bytes) => {
            let digest = crate::http::sigv4::sha256(bytes);
            (
                Some(Bytes::from(digest.clone())),
                Some(format!("<{} bytes, SHA-256 {digest}>", bytes.len())),
            )
        }
        Body::Digest(digest) => (
            Some(Bytes::copy_from_slice(digest.as_bytes())),
            Some(format!("<SHA-256 {digest}>")),
        ),
        Body::Unknown => (
            Some(Bytes::from_static(b"unknown")),
            Some("<streamed>".to_owned()),
        ),
    };
    // A body and a digest that reads the same must not be the same command.
    let kind = match body {
        Body::Whole(bytes) if bytes.len() <= BODY_BYTES_MAX => 0,
        Body::Whole(_) | Body::Digest(_) => 1,
        Body::Unknown => 2,
    };
    Command {
        protocol: NAME,
        tag: action.as_str().into(),
        text: Bytes::from(exact),
        parameters: vec![Parameter {
            kind: (kind, 0),
            value,
        }],
        shown: Bytes::from(shown),
        shown_parameters: vec![shown_value],
        asks: Arc::new(Asks::new(asks(call, &action, carries))),
    }
}

/// The request without what changes from one sending to the next: action and region, method and path, headers.
fn text(
    call: &Call,
    action: &str,
    head: &Head,
    show: impl Fn(&str, &str) -> String,
    show_field: impl Fn(&str, &str) -> String,
) -> String {
    let mut out = format!("{action} {}\n{} {}", call.region, head.method, head.path);
    let query = escape::pairs(head.query.as_deref().unwrap_or_default()).unwrap_or_default();
    let query: Vec<String> = query
        .iter()
        .filter(|(name, _)| !is_signature(name))
        .map(|(name, value)| {
            format!(
                "{}={}",
                escape::encode(name),
                escape::encode(&show(name, value))
            )
        })
        .collect();
    if !query.is_empty() {
        let query = canonical::query(&query.join("&")).unwrap_or_default();
        out.push('?');
        out.push_str(&query);
    }
    out.push('\n');
    let mut fields: Vec<(&str, &str)> = head
        .fields
        .iter()
        .filter(|(name, _)| !TRAVEL.contains(name))
        .collect();
    fields.sort_unstable();
    for (name, value) in fields {
        let value = if name == "content-encoding" {
            plain_encoding(value)
        } else {
            show_field(name, value)
        };
        if !value.is_empty() {
            out.push_str(&format!("{name}: {value}\n"));
        }
    }
    out
}

/// A query parameter as it may rest.
fn shown_parameter(asked: &Asked, name: &str, value: &str) -> String {
    if asked.names(name) {
        HIDDEN.to_owned()
    } else {
        value.to_owned()
    }
}

/// Whether a query parameter is part of a presigned URL's signature.
pub(super) fn is_signature(name: &str) -> bool {
    matches!(
        name,
        "X-Amz-Algorithm"
            | "X-Amz-Credential"
            | "X-Amz-Date"
            | "X-Amz-Expires"
            | "X-Amz-SignedHeaders"
            | "X-Amz-Signature"
            | "X-Amz-Security-Token"
            | "X-Amz-Content-Sha256"
    )
}

/// A content encoding without the chunks it travelled in.
pub(super) fn plain_encoding(value: &str) -> String {
    value
        .split(',')
        .map(str::trim)
        .filter(|part| !part.eq_ignore_ascii_case("aws-chunked") && !part.is_empty())
        .collect::<Vec<_>>()
        .join(",")
}

/// A body as it may rest: secrets hidden by their names, the rest searched. What cannot be read so is told by its digest.
fn shown_body(call: &Call, bytes: &[u8], asked: &Asked, masker: &Masker) -> String {
    let digest = || {
        format!(
            "<{} bytes, SHA-256 {}>",
            bytes.len(),
            crate::http::sigv4::sha256(bytes)
        )
    };
    let known = call.service.is_some();
    let text = match call.wire {
        _ if !known => None,
        Wire::Json(_) | Wire::RestJson => {
            body::json(bytes).map(|tree| asked.tree(tree).to_string())
        }
        Wire::Cbor => cbor::read(bytes).map(|tree| asked.tree(tree).to_string()),
        Wire::Query | Wire::Ec2 => std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| escape::pairs(text).ok())
            .map(|pairs| asked.form(&pairs)),
        // Objects are told by their digest; S3's own documents hold names and settings.
        Wire::S3
            if call
                .operation
                .is_some_and(|it| it.name != "PutObject" && it.name != "UploadPart") =>
        {
            asked.document(bytes, masker)
        }
        Wire::S3 | Wire::RestXml => None,
    };
    text.map_or_else(digest, |text| asked_at_rest(masker, &text))
}

/// What was asked, as it may rest: with idempotency tokens, by which it is known again.
fn asked_at_rest(masker: &Masker, text: &str) -> String {
    let (blank, tokens) = texts::without_tokens(text);
    let shown = at_rest(masker, &blank);
    let gap = " ".repeat(36);
    let all_there = |text: &str| text.matches(&gap).count() == tokens.len();
    if tokens.is_empty() || !all_there(&blank) || !all_there(&shown) {
        return at_rest(masker, text);
    }
    let tokens = tokens.into_iter().filter_map(|token| text.get(token));
    tokens.fold(shown, |shown, token| shown.replacen(&gap, token, 1))
}

/// A text as it may rest.
#[must_use]
pub fn at_rest(masker: &Masker, text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    match masker.mask_text(
        Hint::NONE,
        text.as_bytes(),
        &mut out,
        &mut Findings::counting(),
    ) {
        Outcome::Clean => text.to_owned(),
        Outcome::Masked => String::from_utf8_lossy(&out).into_owned(),
        Outcome::Null | Outcome::Withheld => HIDDEN.to_owned(),
    }
}

/// What policy is asked: the operation on each thing it names, or on the service where it names none.
fn asks(call: &Call, action: &str, carries: &BTreeSet<String>) -> Vec<Ask> {
    let context = context(call, action, carries);
    let ask = |action, resource| Ask {
        action,
        resource,
        context: context.clone(),
    };
    let Some(operation) = call.operation else {
        return vec![ask("opaque", resource(call, &Thing::Service))];
    };
    let level = operation.level.name();
    let mut asks = Vec::new();
    let service = [Thing::Service];
    let things = match call.things.as_slice() {
        [] => &service[..],
        things => things,
    };
    for thing in things {
        let resource = resource(call, thing);
        if matches!(thing, Thing::Source { .. }) {
            asks.push(ask(Level::Read.name(), resource));
            continue;
        }
        asks.push(ask(level, resource.clone()));
        asks.extend(call.beside.iter().map(|beside| match beside {
            Beside::At(level) => ask(level.name(), resource.clone()),
            Beside::Instead(other) => Ask {
                action: other.level.name(),
                resource: resource.clone(),
                context: self::context(call, &call.named(other.name), carries),
            },
        }));
    }
    let elsewhere = call.elsewhere.iter();
    asks.extend(elsewhere.map(|(level, thing)| ask(level.name(), resource(call, thing))));
    asks
}

fn resource(call: &Call, thing: &Thing) -> Resource {
    let text = |name: &'static str, value: &str| (name, Value::Text(value.to_owned()));
    match thing {
        Thing::Bucket(name) => Resource {
            kind: "Bucket",
            name: name.clone(),
            parents: Vec::new(),
            attributes: [text("name", name)].into(),
        },
        Thing::Object { bucket, key } | Thing::Source { bucket, key } => Resource {
            kind: "Object",
            name: format!("{bucket}/{key}"),
            parents: vec![("Bucket", bucket.clone())],
            attributes: [text("bucket", bucket), text("key", key)].into(),
        },
        Thing::Named { name, given } => named(&call.prefix, name, given),
        Thing::Other { prefix, name } => named(prefix, name, name),
        Thing::Service => Resource {
            kind: "Service",
            name: call.prefix.clone(),
            parents: Vec::new(),
            attributes: BTreeMap::new(),
        },
    }
}

fn named(prefix: &str, name: &str, given: &str) -> Resource {
    let text = |name: &'static str, value: &str| (name, Value::Text(value.to_owned()));
    Resource {
        kind: "Resource",
        name: format!("{prefix}:{name}"),
        parents: vec![("Service", prefix.to_owned())],
        attributes: [
            text("service", prefix),
            text("name", name),
            text("given", given),
        ]
        .into(),
    }
}

fn context(call: &Call, action: &str, carries: &BTreeSet<String>) -> BTreeMap<&'static str, Value> {
    let texts = |pairs: &[(String, String)]| {
        let texts = pairs.iter().map(|(name, value)| format!("{name}={value}"));
        let texts: BTreeSet<String> = texts.collect();
        Value::Texts(texts.into_iter().collect())
    };
    let classes = |classes: &BTreeSet<DataClass>| {
        Value::Texts(classes.iter().map(ToString::to_string).collect())
    };
    [
        ("service", Value::Text(call.prefix.clone())),
        ("operation", Value::Text(action.to_owned())),
        ("region", Value::Text(call.region.clone())),
        (inside::PARAMETERS, texts(&call.parameters)),
        (inside::TAGS, texts(&call.tags)),
        (inside::ROLES, {
            let roles: BTreeSet<&str> = inside::roles(call).collect();
            Value::Texts(roles.into_iter().map(str::to_owned).collect())
        }),
        (inside::UNSEEN, Value::Bool(call.unseen)),
        (expressions::MATCHED, classes(&call.touched.matched)),
        (expressions::PROBED, classes(&call.touched.probed)),
        (
            screen::ATTRIBUTE,
            Value::Texts(carries.iter().cloned().collect()),
        ),
    ]
    .into()
}
