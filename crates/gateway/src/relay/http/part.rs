//! What of an answer is hidden, and which part of an object is shown.

use hyper::http::response;
use hyper::{Response, StatusCode};
use mask::Masker;
use protocols::aws::classify::{Call, Thing, Wire};
use protocols::aws::deny::{Kind, Refusal};
use protocols::aws::etag::guesses_digests;
use protocols::aws::objects::{Facts, declared};
use protocols::aws::range::{Wanted, content_range, copies_part};
use protocols::aws::secrets::{Hider, copies, gives_unnamed_rows, makes_secret};
use protocols::aws::subresource::may_be_content;
use protocols::http::coding::Format;

use super::answer::{Cut, Shown};
use super::exchange::{Content, own};
use super::head::content_length;
use super::send::Going;
use crate::upstream::aws::{Account, Of};

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

/// What hides members of the answer to a call by their name, or what is declared of the object that it reads.
pub(super) fn hider(
    account: &Account,
    call: &Call,
    facts: &Facts,
    masker: &Masker,
) -> Option<Hider> {
    let object = || object(account, call, facts, masker);
    if may_be_content(call) {
        return object().or_else(|| Hider::new(call, &account.answers, masker));
    }
    Hider::new(call, &account.answers, masker).or_else(object)
}

/// What hides what is declared of the object that a call reads or writes.
pub(super) fn object(
    account: &Account,
    call: &Call,
    facts: &Facts,
    masker: &Masker,
) -> Option<Hider> {
    Hider::of_object(declared(&account.objects, call, facts)?, masker)
}

/// The part that is wanted of an object in which something may be hidden, so that more of it must be read; and whether that is
/// all from its start, since only so can be told where what is declared of it stands.
pub(super) fn wanted(account: &Account, going: &Going) -> Option<(Wanted, bool)> {
    let reads = going
        .call
        .operation
        .is_some_and(|it| it.name == "GetObject");
    if going.call.wire != Wire::S3 || !reads {
        return None;
    }
    let masker = &going.masker;
    // Its content type is known by the answer alone.
    let declared = object(account, &going.call, &going.facts, masker).is_some();
    if masker.hides_nothing() && !declared {
        return None;
    }
    let wanted = Wanted::read(going.asked.head.fields.one("range")?)?;
    Some((wanted, declared))
}

/// Why a request may not go under the mask, where what is hidden would come out by it or do harm.
pub(super) fn unmaskable(account: &Account, going: &Going, content: &Content) -> Option<Refusal> {
    let Going {
        asked,
        call,
        masker,
        ..
    } = going;
    let body = match content {
        Content::Whole(bytes, _) => bytes.as_ref(),
        Content::Stream(_) => &[],
    };
    if let Some(class) = copies(call, masker) {
        let say = format!(
            "this would copy what is declared as {class} to another name, where nothing hides it, or it cannot be seen that it does not: \
             write values of your own, or a policy would have to reveal {class}"
        );
        return Some(Refusal::new(Kind::Denied, say));
    }
    let say = if makes_secret(call, masker) {
        "what this call makes is a secret to be used, and hidden it would be one that everybody knows: a policy would have to reveal \
         the class secret (of KMS, GenerateDataKeyWithoutPlaintext makes a key that need not be shown)"
    } else if gives_unnamed_rows(call, &account.answers, masker, body) {
        "the statement may give rows, and without includeResultMetadata they come without the names of their columns, so that those \
         that are declared cannot be found: set includeResultMetadata to true"
    } else if masker.hides_nothing() {
        return None;
    } else if copies_part(call, &asked.head) {
        "objects cannot be copied in parts under the mask, since values would be taken apart: copy it whole (CopyObject; with \
         the AWS CLI set s3.multipart_threshold to 5GB), or a policy would have to reveal every built-in class"
    } else if guesses_digests(call, body) {
        "objects cannot be deleted by their ETag under the mask, since the ETag of what is hidden is a guess at it: delete them \
         without, or one by one with If-Match and the ETag that was shown"
    } else {
        return None;
    };
    Some(Refusal::new(Kind::Denied, say))
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
    // A target that gives less than it was asked for is not trusted with the rest: what is around the part tells what is in it.
    if read > first || !wanted.is_covered(read, until, total) {
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

/// Whether a part begins where its object does.
pub(super) fn begins(parts: &response::Parts) -> bool {
    let field = parts.headers.get("content-range");
    let range = field.and_then(|it| content_range(it.to_str().ok()?));
    range.is_some_and(|(first, ..)| first == 0)
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

/// Whether an object is compressed, as its head or key says or its first bytes did.
pub(super) fn is_compressed(parts: &response::Parts, going: &Going) -> bool {
    going.coded || compressed(parts, &going.call).is_some()
}

/// Whether a `Content-Encoding` says that content is as it is.
pub(super) fn is_plain(encoding: &str) -> bool {
    matches!(encoding.trim(), "" | "identity" | "aws-chunked")
}

/// What is known of the object that an answer holds.
pub(super) fn facts(parts: &response::Parts, going: &Going) -> Facts {
    let mut types = parts.headers.get_all("content-type").iter();
    let one = match (types.next(), types.next()) {
        (Some(one), None) => one.to_str().ok(),
        _ => None,
    };
    going.facts.told(one, &going.call)
}

/// What the length of what is shown of a compressed object depends on; `None` where it cannot be told apart from others.
pub(super) fn length_of(account: &Account, parts: &response::Parts, going: &Going) -> Option<Of> {
    let etag = parts.headers.get("etag")?.to_str().ok()?;
    let facts = facts(parts, going);
    let found = declared(&account.objects, &going.call, &facts);
    let version = going
        .call
        .parameters
        .iter()
        .find(|(name, _)| name == "versionId");
    let version = version.map_or("", |(_, id)| id.as_str());
    Some(Of {
        object: format!("{}?{version}", going.asked.head.path),
        etag: etag.to_owned(),
        reveal: going.permit.obligations().reveal.clone(),
        declared: found.and_then(|found| {
            let mut all = account.objects.iter();
            all.position(|it| std::ptr::eq(it, found))
        }),
    })
}

/// Whether an answer is the head of a compressed object, or a part of one, so that it must be made from the whole.
pub(super) fn needs_whole(account: &Account, parts: &response::Parts, going: &Going) -> bool {
    let total = match parts.headers.get("content-range") {
        Some(field) => field.to_str().ok().and_then(content_range).map(|it| it.2),
        None => content_length(&parts.headers),
    };
    if total.is_none() {
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
    let hides = || {
        let facts = facts(parts, going);
        let masker = &going.masker;
        !masker.hides_nothing() || object(account, &going.call, &facts, masker).is_some()
    };
    going.call.wire == Wire::S3
        && (head || part)
        && !numbered
        && is_compressed(parts, going)
        && hides()
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
