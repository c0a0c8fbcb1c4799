//! Parts of objects by their number: where one stands the target's answer tells, and then its bytes are asked for, so that it can be
//! masked as in the whole.

use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::http::response;
use hyper::{Response, StatusCode};
use model::DenialCode;
use protocols::aws::classify::Wire;
use protocols::aws::deny::{Kind, Refusal};
use protocols::aws::range::content_range;
use protocols::http::sigv4::Credentials;

use super::Relay;
use super::answer::Shown;
use super::exchange::{Content, Refused};
use super::part::{facts, object};
use super::send::Going;
use crate::upstream::aws::Account;

/// The part of an object that an answer holds by its number, in which something is hidden: where it stands, what is left of the query
/// without the number, and how many parts there are.
pub(super) fn numbered(
    account: &Account,
    parts: &response::Parts,
    going: &Going,
) -> Option<Numbered> {
    let reads = going
        .call
        .operation
        .is_some_and(|it| it.name == "GetObject");
    let query = going.asked.head.query.as_deref().unwrap_or_default();
    let is_number = |part: &&str| part.split('=').next() == Some(PART_NUMBER);
    let is_part =
        parts.status == StatusCode::PARTIAL_CONTENT && query.split('&').any(|it| is_number(&it));
    if going.call.wire != Wire::S3 || !reads || !is_part || going.asked.head.fields.has("range") {
        return None;
    }
    let facts = facts(parts, going);
    let declared = object(account, &going.call, &facts, &going.masker);
    if going.masker.hides_nothing() && declared.is_none() {
        return None;
    }
    let field = parts.headers.get("content-range")?.to_str().ok()?;
    let (first, last, _) = content_range(field)?;
    let rest: Vec<&str> = query.split('&').filter(|it| !is_number(it)).collect();
    Some(Numbered {
        range: format!("bytes={first}-{last}"),
        query: (!rest.is_empty()).then(|| rest.join("&")),
        etag: parts.headers.get("etag").cloned(),
        count: parts.headers.get(PARTS_COUNT).cloned(),
    })
}

/// What S3 calls the number of a part.
const PART_NUMBER: &str = "partNumber";
/// And how many there are.
const PARTS_COUNT: &str = "x-amz-mp-parts-count";

/// A part of an object by its number, as a range.
pub(super) struct Numbered {
    range: String,
    query: Option<String>,
    etag: Option<HeaderValue>,
    count: Option<HeaderValue>,
}

impl Relay {
    /// Sends a request for a part by its number as one for its bytes.
    pub(super) async fn send_part(
        &self,
        account: &Account,
        mut going: Going,
        keys: &Credentials,
        part: Numbered,
    ) -> Result<Response<Shown>, Refused> {
        let wire = going.call.wire;
        going.asked.head.query = part.query;
        going.asked.head.fields.set("range", part.range);
        let nothing = Content::Whole(Bytes::new(), None);
        let (going, answer, upload) = self.ask_target(account, going, keys, nothing).await?;
        let (mut parts, body) = answer.into_parts();
        if parts.status.is_success() && parts.headers.get("etag") != part.etag.as_ref() {
            going.stopped(DenialCode::UpstreamUnavailable, Some(&parts));
            let say = "the object was written anew meanwhile: try again";
            let refusal = Refusal::new(Kind::Unavailable, say);
            return Err(Refused { refusal, wire });
        }
        if let Some(count) = part.count {
            parts.headers.insert(PARTS_COUNT, count);
        }
        Box::pin(self.show(account, going, (parts, body), &upload)).await
    }
}
