//! To the target and back.

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Body as _;
use hyper::http::response;
use hyper::{Request, Response, Uri};
use mask::Masker;
use model::{Denial, DenialCode, Permit, Status};
use protocols::aws::classify::{Call, Wire};
use protocols::aws::deny::Refusal;
use protocols::aws::objects::Facts;
use protocols::aws::pages::{self, BadMarker, Opened};
use protocols::aws::{transient, upstream};
use protocols::http::Head;
use protocols::http::canonical::PathForm;
use protocols::http::chunked::{Ended, encoded_length};
use protocols::http::sigv4::{Credentials, Payload, Signer, Verified, sha256};

use super::Relay;
use super::answer::Shown;
use super::begun::Begins;
use super::bodies::{Upward, intake, trailer};
use super::exchange::{Asked, Content, Refused, denied, malformed};
use super::head::ids;
use super::keep::{Keeping, Side};
use super::masking::List;
use super::numbered::numbered;
use super::outgoing::{Outgoing, Unsent, Upload};
use super::part::{length_of, needs_whole, object, unmaskable, wanted};
use super::peek;
use super::sessions::Session;
use super::settling::Settling;
use super::uploads::Step;
use super::used::Claim;
use crate::record::RecordError;
use crate::upstream::aws::{Account, Destination, Received};

/// The target was not reached, or said nothing.
const UNREACHED: Status = Status::Stopped(DenialCode::UpstreamUnavailable);

/// A request that may go: what was asked, and what answers for it.
pub(super) struct Going {
    pub(super) asked: Asked,
    pub(super) call: Call,
    pub(super) session: Session,
    pub(super) seq: u64,
    pub(super) permit: Permit,
    /// What hides values in the answer.
    pub(super) masker: Arc<Masker>,
    /// An upload that was checked already.
    pub(super) ended: Option<Ended>,
    /// The id of the key it was signed with, once it was.
    pub(super) key: String,
    /// An object is asked for whole, though its head or a part of it is wanted.
    pub(super) whole: bool,
    /// It is compressed, as its first bytes say.
    pub(super) coded: bool,
    /// How long what is shown of it is, where it is compressed and that is known.
    pub(super) known: Option<u64>,
    /// What is known of the object that is read.
    pub(super) facts: Facts,
    /// The use of its signature, where it changes something.
    pub(super) claim: Option<Claim>,
    /// What it does to an upload in parts, where policy asks what that carries.
    pub(super) step: Option<Step>,
    /// The list that it asks for a page of.
    pub(super) list: Option<List>,
    /// The upload that it begins by an approval.
    pub(super) begins: Option<Begins>,
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
        let Some(account) = target.account() else {
            going.stopped(DenialCode::UpstreamUnavailable, None);
            return Err(malformed("the target does not speak AWS's APIs", wire));
        };
        if let Some(refusal) = unmaskable(account, &going, &content) {
            going.stopped(DenialCode::Withheld, None);
            return Err(Refused { refusal, wire });
        }
        let content = match self.listed(&mut going, content) {
            Ok(content) => content,
            Err(bad) => {
                going.stopped(DenialCode::Withheld, None);
                return Err(malformed(&bad.to_string(), wire));
            }
        };
        let keys = match self.keys(account, &going).await {
            Ok(keys) => keys,
            Err(refused) => {
                going.unreached();
                return Err(refused);
            }
        };
        going.key.clone_from(&keys.access_key);
        going.facts = self.facts(account, &going, &keys).await;
        if let Some(step) = &going.step {
            self.uploads.goes(step);
        }
        let (mut going, answer, upload) = self.ask_target(account, going, &keys, content).await?;
        let (parts, body) = answer.into_parts();
        if let Some(step) = going.step.as_ref().filter(|_| parts.status.is_success()) {
            self.uploads.taken(step, &parts);
        }
        if let Some(part) = numbered(account, &parts, &going) {
            // Where it stands is known now, so that it can be masked as in the whole.
            drop(body);
            return Box::pin(self.send_part(account, going, &keys, part)).await;
        }
        if !needs_whole(account, &parts, &going) && peek::tells_of_object(&going, &parts) {
            going = Box::pin(self.peek(account, going, &keys, &parts)).await?;
        }
        if !needs_whole(account, &parts, &going) {
            return Box::pin(self.show(account, going, (parts, body), &upload)).await;
        }
        let of = length_of(account, &parts, &going);
        let known = of.and_then(|of| account.lengths.known(&of));
        let mut whole = Going { known, ..going };
        if known.is_some() && whole.asked.head.method == "HEAD" {
            return Box::pin(self.show(account, whole, (parts, body), &upload)).await;
        }
        // What comes of its compression anew only the whole of it tells.
        drop(body);
        whole.whole = true;
        let nothing = Content::Whole(Bytes::new(), None);
        let (going, answer, upload) = self.ask_target(account, whole, &keys, nothing).await?;
        let answer = answer.into_parts();
        Box::pin(self.show(account, going, answer, &upload)).await
    }

    /// Asks the target. Where nothing comes of it, that is settled.
    pub(super) async fn ask_target(
        &self,
        account: &Account,
        going: Going,
        keys: &Credentials,
        content: Content,
    ) -> Result<(Going, Response<Received>, Upload), Refused> {
        let wire = going.call.wire;
        let (destination, request, upload) = match self.prepare(account, &going, keys, content) {
            Ok(prepared) => prepared,
            Err(refused) => {
                going.stopped(DenialCode::UpstreamUnavailable, None);
                return Err(refused);
            }
        };
        let answered = account.ask(&destination, request).await;
        match (answered, upload.outcome()) {
            // The target may have answered before it had all: an upload that is wrong is the client's fault all the same.
            (_, Some(Err(Unsent { status, refusal }))) => {
                going.ended(status, 0, String::new(), false);
                Err(Refused { refusal, wire })
            }
            (Err(error), _) => {
                let why = crate::chain(&error);
                let (session, name) = (
                    going.session.caller.session.clone(),
                    going.session.caller.target.name.clone(),
                );
                tracing::warn!(session, why, "a request did not reach its target");
                going.unreached();
                let say = format!("the target {name} cannot be reached now: try again later");
                let denial = Denial::new(DenialCode::UpstreamUnavailable, say);
                Err(denied(&denial, wire))
            }
            (Ok(answer), _) => Ok((going, answer, upload)),
        }
    }

    /// The request for a page with the marker that is meant in the place of one that was sealed.
    fn listed(&self, going: &mut Going, content: Content) -> Result<Content, BadMarker> {
        if !pages::may_go_on(&going.call) {
            return Ok(content);
        }
        let caller = &going.session.caller;
        let (call, head) = (&going.call, &going.asked.head);
        let sent = match &content {
            Content::Whole(bytes, _) => bytes.as_ref(),
            Content::Stream(_) => &[],
        };
        let of = pages::Of::new(&caller.identity, &caller.target.name, call, head, sent);
        let (sealer, now) = (self.mint.pages().clone(), self.gateway.clock.now());
        let opened = pages::opened(&sealer, &of, (call, head, sent), now)?;
        let mut list = List {
            sealer,
            of,
            sent: Vec::new(),
            now,
        };
        let content = match (opened, content) {
            (Opened::Body(body), Content::Whole(_, room)) => Content::Whole(body.into(), room),
            (Opened::Query(sent, query), content) => {
                list.sent = sent;
                going.asked.head.query = Some(query);
                content
            }
            (_, content) => content,
        };
        going.list = Some(list);
        Ok(content)
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
    ) -> Result<(Destination, Request<Outgoing>, Upload), Refused> {
        let Going { asked, call, .. } = going;
        let wire = call.wire;
        let destination = account.destination(call, &asked.scope, &asked.head);
        let destination = destination.ok_or_else(|| {
            malformed(
                "no endpoint of AWS is known for this service: set endpoint in the target",
                wire,
            )
        })?;
        let mut head = upstream::head(&asked.head, call, &destination.host)
            .map_err(|error| malformed(&error.to_string(), wire))?;
        let masker = &going.masker;
        let hides =
            !masker.hides_nothing() || object(account, call, &going.facts, masker).is_some();
        head = self
            .mint
            .tags()
            .meant(head, call, hides && wire == Wire::S3);
        if going.whole {
            head.method = "GET".to_owned();
            head.fields.remove("range");
        } else if let Some((wanted, declared)) = wanted(account, going) {
            let range = if declared {
                wanted.from_the_start()
            } else {
                wanted.widened()
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
            .sign_with(
                going.session.derived(),
                &mut head,
                &payload,
                self.gateway.clock.now(),
            )
            .map_err(|error| malformed(&error.to_string(), wire))?;
        // Most requests have nothing to keep.
        let keeping = || {
            let facts = Facts::of_upload(&asked.head);
            let side = Side::Upload(&facts);
            let keeping = Keeping::new(account, &going.session, going.seq, call, side);
            match call.operation {
                Some(operation) if operation.name == "UploadPart" => keeping.piece(),
                _ => keeping,
            }
        };
        let Upward { body, upload } = upward(content, asked, &signed, keeping, length, wire)?;
        let request = request(&head, body)
            .ok_or_else(|| malformed("the request cannot be written anew", wire))?;
        Ok((destination, request, upload))
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
    keeping: impl FnOnce() -> Keeping,
    travelled: u64,
    wire: Wire,
) -> Result<Upward, Refused> {
    let upload = Upload::default();
    match content {
        Content::Whole(bytes, _) => {
            // What was asked holds the bodies of API calls; an object's content is told there by its digest.
            if wire == Wire::S3 && !bytes.is_empty() {
                let mut keeping = keeping();
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
            Upward::passing(body, asked, signed, keeping(), travelled, wire)
        }
    }
}

pub(super) fn unrecorded(error: &RecordError, wire: Wire) -> Refused {
    tracing::error!(%error, "the recording failed");
    let say = "the session's recording failed, so nothing may run: get new keys, and tell whoever runs the gateway";
    denied(&Denial::new(DenialCode::LedgerUnavailable, say), wire)
}

/// A request with its path alone, as it is sent to a host.
pub(super) fn request(head: &Head, body: Outgoing) -> Option<Request<Outgoing>> {
    let mut target = head.path.clone();
    if let Some(query) = &head.query {
        target.push('?');
        target.push_str(query);
    }
    let uri: Uri = target.parse().ok()?;
    let mut request = Request::builder().method(head.method.as_str()).uri(uri);
    for (name, value) in head.fields.iter() {
        request = request.header(name, value);
    }
    request.body(body).ok()
}

impl Going {
    pub(super) fn settling(self, parts: &response::Parts, upload: &Upload) -> Settling {
        let ids = self.key_and(ids(&parts.headers));
        let ended = match upload.outcome() {
            Some(Ok(ended)) => Some(ended),
            _ => self.ended,
        };
        Settling {
            permit: self.permit,
            claim: self.claim,
            session: self.session,
            seq: self.seq,
            status: parts.status.as_u16(),
            again: is_transient(parts),
            late: parts.status.is_success() && transient::is_late(&self.call),
            ids,
            uploaded: ended.map_or_else(String::new, |ended| {
                format!("put={} put-sha256={}", ended.length, ended.sha256)
            }),
            begins: self.begins,
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
    pub(super) fn broke_off(self, error: &hyper::Error, parts: &response::Parts) -> Refused {
        let (wire, target) = (self.call.wire, self.session.caller.target.name.clone());
        let session = &self.session.caller.session;
        tracing::warn!(session, %error, "a target broke off its answer");
        let again = is_transient(parts);
        let ids = ids(&parts.headers);
        self.ended(UNREACHED, 0, ids, again);
        let say = format!("the target {target} broke off its answer: try again later");
        denied(&Denial::new(DenialCode::UpstreamUnavailable, say), wire)
    }

    /// It did not come to a good end; `answer` is what the target began to say.
    pub(super) fn stopped(self, code: DenialCode, answer: Option<&response::Parts>) {
        let status = answer.map_or(0, |parts| parts.status.as_u16());
        let ids = answer.map_or_else(String::new, |parts| ids(&parts.headers));
        let again = answer.is_some_and(is_transient);
        self.ended(Status::Stopped(code), status, ids, again);
    }

    /// The target refused it, and what it said is not shown.
    pub(super) fn failed(self, status: u16, answer: &response::Parts) {
        let (ids, again) = (ids(&answer.headers), is_transient(answer));
        self.ended(Status::Failed(status.to_string()), status, ids, again);
    }

    /// The target did not get it, or ended before it answered.
    fn unreached(self) {
        self.ended(UNREACHED, 0, String::new(), true);
    }

    fn ended(self, ended: Status, status: u16, ids: String, again: bool) {
        let ids = self.key_and(ids);
        let settling = Settling {
            permit: self.permit,
            claim: self.claim,
            session: self.session,
            seq: self.seq,
            status,
            again,
            late: false,
            ids,
            uploaded: String::new(),
            begins: None,
        };
        settling.settle(ended, 0, "", Vec::new());
    }
}

/// Whether the head of an answer says that the target failed in passing.
fn is_transient(parts: &response::Parts) -> bool {
    let code = parts.headers.get("x-amzn-errortype");
    let code = code.and_then(|code| code.to_str().ok());
    !parts.status.is_success()
        && (transient::is_status(parts.status.as_u16()) || code.is_some_and(transient::is_code))
}
