//! To the target and back.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::http::response;
use hyper::{Request, Response, Uri};
use mask::{Findings, Hint};
use model::{Denial, DenialCode, Permit, Status};
use protocols::aws::classify::{Call, Wire};
use protocols::aws::deny::{Kind, Refusal};
use protocols::aws::objects::declared;
use protocols::aws::upstream;
use protocols::http::Head;
use protocols::http::canonical::PathForm;
use protocols::http::chunked::{Ended, encoded_length};
use protocols::http::sigv4::{Credentials, Payload, Signer, Verified, sha256};
use std::sync::Arc;

use super::Relay;
use super::answer::{Masking, Passing, Settling, Shown, is_text};
use super::bodies::{Upward, intake, trailer};
use super::exchange::{Asked, Content, Refused, denied, malformed};
use super::head::{self, content_length, ids};
use super::keep::{self, Keeping, Side};
use super::outgoing::{Outgoing, Upload};
use super::part::{Part, beyond, hider, masker, object, part, wanted};
use super::sessions::Session;
use crate::record::RecordError;
use crate::upstream::aws::{Account, Destination};

/// A request that may go: what was asked, and what answers for it.
pub(super) struct Going {
    pub(super) asked: Asked,
    pub(super) call: Call,
    pub(super) session: Session,
    pub(super) seq: u64,
    pub(super) permit: Permit,
    /// An upload that was checked already.
    pub(super) ended: Option<Ended>,
    /// The id of the key it was signed with, once it was.
    pub(super) key: String,
}

impl Relay {
    /// Sends what was permitted, and gives the target's answer. Whatever comes of it is settled.
    pub(super) async fn send(
        &self,
        mut going: Going,
        content: Content,
    ) -> Result<Response<Shown>, Refused> {
        let wire = going.call.wire;
        let target = going.session.caller.target.clone();
        let prepared = match target.account() {
            Some(account) => match self.keys(account, &going).await {
                Ok(keys) => {
                    going.key.clone_from(&keys.access_key);
                    self.prepare(account, &going, &keys, content)
                }
                Err(refused) => Err(refused),
            },
            None => Err(malformed("the target does not speak AWS's APIs", wire)),
        };
        let (request, upload) = match prepared {
            Ok(prepared) => prepared,
            Err(refused) => {
                going.stopped(DenialCode::UpstreamUnavailable, None);
                return Err(refused);
            }
        };
        let Some(account) = target.account() else {
            return Err(malformed("the target does not speak AWS's APIs", wire));
        };
        let answered = account.client().request(request).await;
        match (answered, upload.outcome()) {
            // The target may have answered before it had all: an upload that is wrong is the client's fault all the same.
            (_, Some(Err(refusal))) => {
                going.stopped(DenialCode::Withheld, None);
                Err(Refused { refusal, wire })
            }
            (Err(error), _) => {
                let why = crate::chain(&error);
                tracing::warn!(
                    session = going.session.caller.session,
                    why,
                    "a request did not reach its target"
                );
                let name = target.name.clone();
                going.stopped(DenialCode::UpstreamUnavailable, None);
                let say = format!("the target {name} cannot be reached now: try again later");
                Err(denied(
                    &Denial::new(DenialCode::UpstreamUnavailable, say),
                    wire,
                ))
            }
            (Ok(answer), _) => show(account, going, answer, &upload).await,
        }
    }

    /// The keys that the session's requests are signed with.
    async fn keys(&self, account: &Account, going: &Going) -> Result<Credentials, Refused> {
        let session = &going.session;
        let keys = account.keys_for(&session.caller, session.keys(), &self.gateway.clock);
        keys.await.map_err(|error| {
            let caller = &session.caller;
            tracing::error!(session = caller.session, target = caller.target.name, %error, "no AWS keys");
            let say = "the gateway has no keys of the target's account now: tell whoever runs the gateway";
            let denial = Denial::new(DenialCode::UpstreamUnavailable, say);
            denied(&denial, going.call.wire)
        })
    }

    /// The signed request for the target.
    fn prepare(
        &self,
        account: &Account,
        going: &Going,
        keys: &Credentials,
        content: Content,
    ) -> Result<(Request<Outgoing>, Upload), Refused> {
        let Going { asked, call, .. } = going;
        let wire = call.wire;
        let destination = account.destination(call, &asked.scope);
        let destination = destination.ok_or_else(|| {
            malformed(
                "no endpoint of AWS is known for this service: set endpoint in the target",
                wire,
            )
        })?;
        let mut head = upstream::head(&asked.head, wire, &destination.host)
            .map_err(|error| malformed(&error.to_string(), wire))?;
        let masker = masker(account, going);
        if let Some(wanted) = wanted(account, going, &masker) {
            // Only from its start can what is declared of an object be told.
            let range = match object(account, call, &masker) {
                Some(_) => wanted.from_the_start(),
                None => wanted.widened(),
            };
            head.fields.set("range", range);
        }
        let payload = match &content {
            Content::Whole(bytes, _) => Payload::Sha256(sha256(bytes)),
            Content::Stream(_) => upward_payload(&asked.verified.payload),
        };
        let length = lengths(&mut head, asked, &content, &payload, wire)?;
        let signer = Signer {
            credentials: keys,
            region: &destination.region,
            service: &asked.scope.service,
            form: PathForm::of(&asked.scope.service),
        };
        let signed = signer
            .sign(&mut head, &payload, self.gateway.clock.now())
            .map_err(|error| malformed(&error.to_string(), wire))?;
        let mut keeping = Keeping::new(account, &going.session, going.seq, call, Side::Upload);
        if call.operation.is_some_and(|it| it.name == "UploadPart") {
            keeping = keeping.piece();
        }
        let Upward { body, upload } = upward(content, asked, &signed, keeping, length, wire)?;
        let request = request(&destination, &head, body)
            .ok_or_else(|| malformed("the request cannot be written anew", wire))?;
        Ok((request, upload))
    }
}

/// How a streamed body goes on: chunks are signed anew, anything else as it came.
fn upward_payload(came: &Payload) -> Payload {
    match came {
        Payload::Chunks(chunks) => Payload::Chunks(protocols::http::sigv4::Chunks {
            signed: true,
            trailer: chunks.trailer,
        }),
        other => other.clone(),
    }
}

/// Writes the fields that tell of the body. Gives how many bytes of it come in.
fn lengths(
    head: &mut Head,
    asked: &Asked,
    content: &Content,
    payload: &Payload,
    wire: Wire,
) -> Result<u64, Refused> {
    head.fields.set("x-amz-content-sha256", payload.as_str());
    let travelled = match content {
        Content::Whole(bytes, _) => bytes.len() as u64,
        Content::Stream(body) => match asked.head.fields.one("content-length") {
            Some(text) => text
                .parse()
                .map_err(|_| malformed("Content-Length is no number", wire))?,
            None if body.is_end_stream() => 0,
            // The content of a chunked body is announced otherwise.
            None if matches!(payload, Payload::Chunks(_)) => 0,
            None => return Err(malformed("an upload needs a Content-Length", wire)),
        },
    };
    let mut length = travelled;
    if let (Payload::Chunks(chunks), Content::Stream(_)) = (payload, content) {
        let (_, decoded) = intake(&asked.verified, &asked.head, travelled, wire)?;
        let trailer = trailer(&asked.head, *chunks, wire)?;
        length = encoded_length(decoded, trailer);
        head.fields
            .set("x-amz-decoded-content-length", decoded.to_string());
        if let Some(algorithm) = trailer {
            head.fields.set("x-amz-trailer", algorithm.header());
        }
        let encoding = head.fields.one("content-encoding").map(str::to_owned);
        let encoding = encoding.map_or_else(
            || "aws-chunked".to_owned(),
            |it| format!("aws-chunked,{it}"),
        );
        head.fields.set("content-encoding", encoding);
    }
    if length > 0 || !matches!(head.method.as_str(), "GET" | "HEAD" | "DELETE") {
        head.fields.set("content-length", length.to_string());
    }
    Ok(travelled)
}

fn upward(
    content: Content,
    asked: &Asked,
    signed: &Verified,
    mut keeping: Keeping,
    travelled: u64,
    wire: Wire,
) -> Result<Upward, Refused> {
    let upload = Upload::default();
    match content {
        Content::Whole(bytes, _) => {
            // What was asked holds the bodies of API calls; an object's content is told there by its digest.
            if wire == Wire::S3 {
                let kept = keeping.push(&bytes).and_then(|()| keeping.finish());
                kept.map_err(|error| unrecorded(&error, wire))?;
            }
            Ok(Upward {
                body: Outgoing::Whole((!bytes.is_empty()).then_some(bytes)),
                upload,
            })
        }
        Content::Stream(body) => {
            let chunks = matches!(signed.payload, Payload::Chunks(_));
            if travelled == 0 && !chunks {
                // Nothing is asked of an empty body, so what was signed of it is looked at here.
                let (intake, _) = intake(&asked.verified, &asked.head, 0, wire)?;
                intake.finish(&mut Vec::new()).map_err(|fault| Refused {
                    refusal: Refusal::from(fault),
                    wire,
                })?;
                return Ok(Upward {
                    body: Outgoing::Whole(None),
                    upload,
                });
            }
            Upward::passing(body, asked, signed, keeping, travelled, wire)
        }
    }
}

fn unrecorded(error: &RecordError, wire: Wire) -> Refused {
    tracing::error!(%error, "a body cannot be recorded");
    let say = "the session's recording failed, so nothing may run: get new keys, and tell whoever runs the gateway";
    denied(&Denial::new(DenialCode::LedgerUnavailable, say), wire)
}

fn request(destination: &Destination, head: &Head, body: Outgoing) -> Option<Request<Outgoing>> {
    let mut target = head.path.clone();
    if let Some(query) = &head.query {
        target.push('?');
        target.push_str(query);
    }
    let base = destination.base.to_string();
    let uri: Uri = format!("{}{target}", base.trim_end_matches('/'))
        .parse()
        .ok()?;
    let mut request = Request::builder().method(head.method.as_str()).uri(uri);
    for (name, value) in head.fields.iter() {
        request = request.header(name, value);
    }
    request.body(body).ok()
}

/// The target's answer, as far as policy lets it be seen.
async fn show(
    account: &Account,
    going: Going,
    answer: Response<Incoming>,
    upload: &Upload,
) -> Result<Response<Shown>, Refused> {
    let (parts, mut body) = answer.into_parts();
    let wire = going.call.wire;
    let length = content_length(&parts.headers);
    let bodiless = going.asked.head.method == "HEAD" || body.is_end_stream();
    let masker = Arc::new(masker(account, &going));
    let hider = hider(account, &going.call, &masker);
    let clear = masker.hides_nothing() && hider.is_none();
    let wanted = wanted(account, &going, &masker);
    let cut = match wanted.and_then(|wanted| part(&parts, wanted)) {
        Some(Part::Beyond(total)) => {
            let settling = going.settling(&parts, upload);
            settling.settle(Status::Completed, 0, "", Vec::new());
            return Ok(beyond(total));
        }
        Some(Part::At { cut, field }) => Some((cut, field)),
        None => None,
    };
    let mut first = None;
    if !bodiless && !clear {
        first = match first_piece(&mut body).await {
            Ok(first) => first,
            Err(error) => return Err(going.broke_off(&error, &parts)),
        };
        let piece = first.as_deref().unwrap_or_default();
        if let Some(why) = uninspectable(&parts, piece, wire, cut.is_some()) {
            let request = ids(&parts.headers);
            going.stopped(DenialCode::Withheld, Some(request));
            let say = format!(
                "the answer {why}, so it is withheld under the mask: a policy would have to reveal every class"
            );
            return Err(Refused {
                refusal: Refusal::new(Kind::Denied, say),
                wire,
            });
        }
    }
    let mut findings = Findings::counting();
    // HEAD agrees with GET.
    let describes = !clear && (!bodiless || going.asked.head.method == "HEAD");
    let shown = head::shown(&parts, cut.as_ref(), describes, &masker, &mut findings);
    let masking = (!clear).then(|| Masking {
        stream: (!bodiless && wire != Wire::Cbor).then(|| masker.stream(Hint::NONE).in_place()),
        hider: hider.filter(|_| !bodiless),
        findings,
    });
    if let Some(fields) = shown.headers_ref() {
        let head = keep::head(account, going.seq, parts.status.as_u16(), fields);
        let kept = going.session.caller.recorder.note(&head);
        if let Err(error) = kept {
            going.stopped(DenialCode::LedgerUnavailable, Some(ids(&parts.headers)));
            return Err(unrecorded(&error, wire));
        }
    }
    let mut keeping = Keeping::new(
        account,
        &going.session,
        going.seq,
        &going.call,
        Side::Answer,
    );
    let whole = parts.status != hyper::StatusCode::PARTIAL_CONTENT;
    if !whole && (masking.is_none() || declared(&account.objects, &going.call).is_some()) {
        keeping = keeping.piece();
    }
    let settling = going.settling(&parts, upload);
    let length = if bodiless { Some(0) } else { length };
    let cut = cut.map(|(cut, _)| cut);
    let mut passing = Passing::new(body, first, masking, keeping, length, settling, cut);
    if let Some(error) = passing.failed() {
        let refusal = Refusal::new(Kind::Denied, error.to_string());
        return Err(Refused { refusal, wire });
    }
    shown
        .body(Shown::Passing(Box::new(passing)))
        .map_err(|_| malformed("the answer cannot be written anew", wire))
}

/// Why an answer cannot be inspected, where it cannot.
fn uninspectable(
    parts: &response::Parts,
    first: &[u8],
    wire: Wire,
    cut: bool,
) -> Option<&'static str> {
    let field = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let encoding = field("content-encoding").unwrap_or("identity");
    if first.is_empty() {
        return None;
    }
    if !matches!(encoding, "identity" | "" | "aws-chunked") {
        return Some("is compressed");
    }
    if wire == Wire::S3 && parts.status == hyper::StatusCode::PARTIAL_CONTENT && !cut {
        return Some("is a part of an object that is not one range of bytes");
    }
    let content = field("content-type").unwrap_or_default();
    if content.contains("eventstream") || wire == Wire::Cbor && content != "application/cbor" {
        return Some("is in a binary form");
    }
    if wire == Wire::Cbor {
        return None;
    }
    (!is_text(first)).then_some("is not plain text")
}

async fn first_piece(body: &mut Incoming) -> Result<Option<Bytes>, hyper::Error> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data()
            && !data.is_empty()
        {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

impl Going {
    fn settling(self, parts: &response::Parts, upload: &Upload) -> Settling {
        let ids = self.key_and(ids(&parts.headers));
        let ended = match upload.outcome() {
            Some(Ok(ended)) => Some(ended),
            _ => self.ended,
        };
        Settling {
            permit: self.permit,
            session: self.session,
            seq: self.seq,
            status: parts.status.as_u16(),
            ids,
            uploaded: ended.map_or_else(String::new, |ended| {
                format!("put={} put-sha256={}", ended.length, ended.sha256)
            }),
        }
    }

    /// What AWS's own logs have it by: the key, and the target's ids of the request.
    fn key_and(&self, ids: String) -> String {
        match (self.key.as_str(), ids.as_str()) {
            ("", _) => ids,
            (key, "") => format!("key={key}"),
            (key, ids) => format!("key={key} {ids}"),
        }
    }

    /// The target ended before there was anything to show.
    fn broke_off(self, error: &hyper::Error, parts: &response::Parts) -> Refused {
        let (wire, target) = (self.call.wire, self.session.caller.target.name.clone());
        let session = &self.session.caller.session;
        tracing::warn!(session, %error, "a target broke off its answer");
        self.stopped(DenialCode::UpstreamUnavailable, Some(ids(&parts.headers)));
        let say = format!("the target {target} broke off its answer: try again later");
        denied(&Denial::new(DenialCode::UpstreamUnavailable, say), wire)
    }

    /// It did not come to a good end.
    fn stopped(self, code: DenialCode, ids: Option<String>) {
        let ids = self.key_and(ids.unwrap_or_default());
        let settling = Settling {
            permit: self.permit,
            session: self.session,
            seq: self.seq,
            status: 0,
            ids,
            uploaded: String::new(),
        };
        settling.settle(Status::Stopped(code), 0, "", Vec::new());
    }
}
