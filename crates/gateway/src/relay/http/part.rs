//! What of an answer is hidden, and which part of an object is shown.

use hyper::http::response;
use hyper::{Response, StatusCode};
use mask::{Masker, MaskerConfig};
use protocols::aws::classify::{Call, Thing, Wire};
use protocols::aws::objects::declared;
use protocols::aws::range::{Wanted, content_range};
use protocols::aws::secrets::Hider;
use protocols::http::coding::Format;

use super::WHOLE_BYTES_MAX;
use super::answer::{Cut, Shown};
use super::exchange::own;
use super::head::content_length;
use super::send::Going;
use crate::upstream::aws::Account;

/// The part of an object that an answer holds.
pub(super) enum Part {
    /// Here, and so its `Content-Range` is.
    At {
        /// Where in what was read.
        cut: Cut,
        /// The field.
        field: String,
    },
    /// The object has so many bytes, and the part begins behind them.
    Beyond(u64),
}

/// What hides values in the answer.
pub(super) fn masker(account: &Account, going: &Going) -> Masker {
    Masker::new(MaskerConfig {
        reveal: going.permit.obligations().reveal.clone(),
        strategies: account.strategies.clone(),
        find: account.find.clone(),
        own: account.own.clone(),
        key: account.mask_key.clone(),
    })
}

/// What hides members of the answer to a call by their name, or what is declared of the object that it reads.
pub(super) fn hider(account: &Account, call: &Call, masker: &Masker) -> Option<Hider> {
    Hider::new(call, masker).or_else(|| object(account, call, masker))
}

/// What hides what is declared of the object that a call reads or writes.
pub(super) fn object(account: &Account, call: &Call, masker: &Masker) -> Option<Hider> {
    Hider::of_object(declared(&account.objects, call)?, masker)
}

/// The part that is wanted of an object in which something may be hidden, so that more of it must be read.
pub(super) fn wanted(account: &Account, going: &Going, masker: &Masker) -> Option<Wanted> {
    let reads = going
        .call
        .operation
        .is_some_and(|it| it.name == "GetObject");
    if going.call.wire != Wire::S3 || !reads {
        return None;
    }
    if masker.hides_nothing() && object(account, &going.call, masker).is_none() {
        return None;
    }
    Wanted::read(going.asked.head.fields.one("range")?)
}

/// Where that part stands in the answer; `None` where the answer is no part.
pub(super) fn part(parts: &response::Parts, wanted: Wanted) -> Option<Part> {
    if parts.status != StatusCode::PARTIAL_CONTENT {
        return None;
    }
    let field = parts.headers.get("content-range")?.to_str().ok()?;
    let (read, until, total) = content_range(field)?;
    let Some((first, last)) = wanted.within(total) else {
        return Some(Part::Beyond(total));
    };
    // A target that gives less than it was asked for is not trusted with the rest.
    if read > first || until < last {
        return None;
    }
    Some(Part::At {
        cut: Cut {
            skip: first - read,
            length: last - first + 1,
        },
        field: format!("bytes {first}-{last}/{total}"),
    })
}

/// The format that an object's head or key says it is compressed in.
pub(super) fn compressed(parts: &response::Parts, call: &Call) -> Option<Format> {
    let field = |name: &str| parts.headers.get(name).and_then(|it| it.to_str().ok());
    let encoding = field("content-encoding").filter(|it| !is_plain(it));
    if let Some(encoding) = encoding {
        return Format::named(encoding);
    }
    let of_name = || {
        call.things.iter().find_map(|thing| match thing {
            Thing::Object { key, .. } => Format::of_name(key),
            _ => None,
        })
    };
    field("content-type")
        .and_then(Format::named)
        .or_else(of_name)
}

/// Whether a `Content-Encoding` says that content is as it is.
pub(super) fn is_plain(encoding: &str) -> bool {
    matches!(encoding.trim(), "" | "identity" | "aws-chunked")
}

/// Whether an answer is the head of a compressed object, or a part of one, so that it must be made from the whole. Not where that
/// is longer than what may be held: it would come to nothing.
pub(super) fn needs_whole(account: &Account, parts: &response::Parts, going: &Going) -> bool {
    let masker = masker(account, going);
    let total = match parts.headers.get("content-range") {
        Some(field) => field.to_str().ok().and_then(content_range).map(|it| it.2),
        None => content_length(&parts.headers),
    };
    if total.is_none_or(|total| total > WHOLE_BYTES_MAX as u64) {
        return false;
    }
    let of = |name: &str| going.call.operation.is_some_and(|it| it.name == name);
    let head = of("HeadObject") && parts.status == StatusCode::OK;
    let part = of("GetObject") && parts.status == StatusCode::PARTIAL_CONTENT;
    let numbered = going
        .call
        .parameters
        .iter()
        .any(|(name, _)| name == "partNumber");
    going.call.wire == Wire::S3
        && (head || part)
        && !numbered
        && !(masker.hides_nothing() && object(account, &going.call, &masker).is_none())
        && compressed(parts, &going.call).is_some()
}

/// As S3 says it.
pub(super) fn beyond(total: u64) -> Response<Shown> {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidRange</Code>\
                <Message>The requested range is not satisfiable</Message></Error>";
    let fields = [
        ("content-type", "application/xml".to_owned()),
        ("content-range", format!("bytes */{total}")),
    ];
    own(416, &fields, body.as_bytes().to_vec())
}
