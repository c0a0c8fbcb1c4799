//! HEAD, a condition that says that nothing is new, and `GetObjectAttributes` tell of an object what GET would show with it. So they
//! are answered where GET would be: its beginning is read, and whether it may be shown is decided as for GET.

use hyper::StatusCode;
use hyper::http::response;
use mask::Findings;
use model::DenialCode;
use protocols::aws::classify::Wire;
use protocols::aws::deny::{Kind, Refusal};
use protocols::aws::range::{AROUND_BYTES, content_range};
use protocols::aws::secrets::search;
use protocols::http::sigv4::Credentials;

use super::Relay;
use super::coding::Begun;
use super::exchange::{Content, Refused};
use super::head::content_length;
use super::masking::Masking;
use super::part::{Part, facts, hider, part, wanted};
use super::send::Going;
use super::show::{LOOK_BYTES, Unbegun, begin, withheld};
use crate::upstream::aws::{Account, Received};

/// Fields that would have another answer than the object, or none.
const CONDITIONS: [&str; 7] = [
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "x-amz-max-parts",
    "x-amz-object-attributes",
];

/// Whether an answer tells of an object without its content.
pub(super) fn tells_of_object(going: &Going, parts: &response::Parts) -> bool {
    let operation = going.call.operation.map_or("", |it| it.name);
    let unchanged = parts.status == StatusCode::NOT_MODIFIED;
    let is_empty = || content_length(&parts.headers) == Some(0);
    let tells = match operation {
        "GetObject" => unchanged,
        "HeadObject" => unchanged || parts.status.is_success() && !is_empty(),
        "GetObjectAttributes" => parts.status.is_success(),
        _ => false,
    };
    going.call.wire == Wire::S3 && tells
}

/// Why GET would not show an object.
enum Unshown {
    /// Its answer.
    Unbegun(Unbegun),
    /// What stands in it.
    Content,
}

impl Relay {
    /// Looks at the beginning of the object, or of the part, that `told` tells of.
    ///
    /// # Errors
    /// The refusal that GET would have; it is settled then.
    pub(super) async fn peek(
        &self,
        account: &Account,
        mut going: Going,
        keys: &Credentials,
        told: &response::Parts,
    ) -> Result<Going, Refused> {
        let get = going.call.service.and_then(|it| it.operation("GetObject"));
        let (operation, head) = (going.call.operation, going.asked.head.clone());
        going.call.operation = get;
        as_get(&mut going, told);
        if going.facts.tags.is_none() {
            going.facts = self.facts(account, &going, keys).await;
        }
        let found = facts(told, &going);
        let clear = going.masker.hides_nothing()
            && hider(account, &going.call, &found, &going.masker).is_none();
        if !clear {
            going = self.looked(account, going, keys, told).await?;
        }
        going.call.operation = operation;
        going.asked.head = head;
        Ok(going)
    }

    async fn looked(
        &self,
        account: &Account,
        going: Going,
        keys: &Credentials,
        told: &response::Parts,
    ) -> Result<Going, Refused> {
        let nothing = Content::Whole(bytes::Bytes::new(), None);
        let (mut going, answer, _) = self.ask_target(account, going, keys, nothing).await?;
        let (parts, body) = answer.into_parts();
        let wire = going.call.wire;
        match parts.status {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => {}
            // It has no bytes.
            StatusCode::RANGE_NOT_SATISFIABLE => return Ok(going),
            status => {
                going.failed(status.as_u16(), &parts);
                let say = format!("the object itself cannot be read: the target answered {status}");
                let refusal = Refusal::new(Kind::Target(status.as_u16()), say);
                return Err(Refused { refusal, wire });
            }
        }
        let etag = |of: &response::Parts| of.headers.get("etag").cloned();
        if etag(told).is_some_and(|it| etag(&parts) != Some(it)) {
            going.stopped(DenialCode::UpstreamUnavailable, Some(&parts));
            let say = "the object was written anew meanwhile: try again";
            let refusal = Refusal::new(Kind::Unavailable, say);
            return Err(Refused { refusal, wire });
        }
        match shown(account, &going, parts, body, told.status).await {
            Ok(coded) => {
                going.coded = coded;
                Ok(going)
            }
            Err(Unshown::Unbegun(Unbegun::Target(error))) => Err(going.broke_off(&error, told)),
            Err(Unshown::Unbegun(Unbegun::Withheld(why))) => Err(withheld(going, told, &why)),
            Err(Unshown::Content) => Err(withheld(going, told, "cannot be inspected")),
        }
    }
}

/// Makes of a request the one that GET would be, for as much as it looks at before it answers.
fn as_get(going: &mut Going, told: &response::Parts) {
    let head = &mut going.asked.head;
    head.method = "GET".to_owned();
    let query = head.query.take().unwrap_or_default();
    let stays = |part: &&str| {
        let name = part.split('=').next().unwrap_or_default();
        !matches!(name, "" | "attributes" | "partNumber")
    };
    let rest: Vec<&str> = query.split('&').filter(stays).collect();
    head.query = (!rest.is_empty()).then(|| rest.join("&"));
    CONDITIONS.iter().for_each(|it| head.fields.remove(it));
    let of_part = told
        .headers
        .get("content-range")
        .and_then(|it| it.to_str().ok());
    let range = match of_part.and_then(content_range) {
        Some((first, last, _)) => format!("bytes={first}-{last}"),
        None => format!("bytes=0-{}", LOOK_BYTES as u64 - AROUND_BYTES - 1),
    };
    head.fields.set("range", range);
}

/// Whether GET would show it, and if so whether it is compressed.
async fn shown(
    account: &Account,
    going: &Going,
    mut parts: response::Parts,
    mut body: Received,
    told: StatusCode,
) -> Result<bool, Unshown> {
    let masker = going.masker.clone();
    let found = facts(&parts, going);
    let field = parts.headers.get("content-range");
    let came = field.and_then(|it| content_range(it.to_str().ok()?));
    let (first, total) = match came {
        Some((first, _, total)) => (first, Some(total)),
        None => (0, content_length(&parts.headers)),
    };
    let ahead = match wanted(account, going).and_then(|(wanted, _)| part(&parts, wanted)) {
        Some(Part::At { cut, .. }) => Some(cut.skip),
        Some(Part::Beyond(_)) | None => None,
    };
    if told != StatusCode::PARTIAL_CONTENT {
        // It is the beginning of the whole.
        parts.status = StatusCode::OK;
    }
    let begun = begin(&parts, &mut body, going, ahead.is_some()).await;
    let Begun {
        first: content,
        read,
        coding,
    } = begun.map_err(Unshown::Unbegun)?;
    let mut masking = Masking {
        stream: Some(search(&going.call, &masker)),
        packed: None,
        hider: hider(account, &going.call, &found, &masker),
        findings: Findings::counting(),
        page: None,
        named: 0,
        ahead: ahead.unwrap_or_default(),
    };
    if let Some(content) = content {
        masking.push(&content).map_err(|_| Unshown::Content)?;
    }
    if coding.is_none() && first == 0 && total == Some(read) {
        masking.finish().map_err(|_| Unshown::Content)?;
    }
    Ok(coding.is_some())
}
