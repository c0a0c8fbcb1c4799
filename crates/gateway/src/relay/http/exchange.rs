//! One request, from its head to the target's answer.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use hyper::{Request, Response};
use mask::{Masker, MaskerConfig};
use model::{Command, Decision, Denial, DenialCode, Note, Permit};
use protocols::aws::classify::{self, Wire};
use protocols::aws::command::{self, Body};
use protocols::aws::credentials::Grant;
use protocols::aws::deny::{Kind, Refusal};
use protocols::aws::upstream;
use protocols::http::sigv4::{Payload, Presented, Scope, Verified, sha256};
use protocols::http::{AUTHORITY, Fields, Head, sigv4};
use protocols::session::Answer;

use super::Relay;
use super::answer::Shown;
use super::bodies::unchunked;
use super::send::Going;
use super::sessions::{Asker, Session};
use super::sts::{Failed, Origin, Signed};
use crate::gate::{Asking, Begun};
use crate::random;

/// A refusal, and how to say it.
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) wire: Wire,
}

/// A request that was verified.
pub(super) struct Asked {
    /// Its head, in path style.
    pub(super) head: Head,
    pub(super) scope: Scope,
    pub(super) verified: Verified,
    pub(super) grant: Grant,
    pub(super) access_key: String,
}

/// What is known of a body before it goes.
pub(super) enum Content {
    Whole(Bytes, Option<tokio::sync::OwnedSemaphorePermit>),
    Stream(Incoming),
}

impl Relay {
    /// Answers one request.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        source: SocketAddr,
        transport: &'static str,
    ) -> Response<Shown> {
        let id = random::bytes::<8>().map_or_else(|_| "0".to_owned(), hex::encode);
        let (parts, body) = request.into_parts();
        let is_head = parts.method == hyper::Method::HEAD;
        let path = parts.uri.path().to_owned();
        let answered = match head(&parts) {
            Some(head) => self.exchange(head, body, source, transport, &id).await,
            None => Err(Refused {
                refusal: Refusal::new(
                    Kind::Malformed,
                    "a header field is no UTF-8, or Host is another than the request's own",
                ),
                wire: Wire::RestJson,
            }),
        };
        answered.unwrap_or_else(|refused| {
            let reply = refused.refusal.reply(refused.wire, &path, &id, is_head);
            own(reply.status, &reply.fields, reply.body)
        })
    }

    #[expect(
        clippy::too_many_lines,
        reason = "the steps of one exchange, in their order"
    )]
    async fn exchange(
        &self,
        head: Head,
        body: Incoming,
        source: SocketAddr,
        transport: &'static str,
        id: &str,
    ) -> Result<Response<Shown>, Refused> {
        let client = head.fields.one("user-agent").unwrap_or_default().to_owned();
        let presented = match Presented::read(&head) {
            Err(sigv4::Fault::Missing) if is_sts_form(&head) => {
                let form = self.unsigned(body, &head).await?;
                let from = Origin {
                    source,
                    client: &client,
                    request: id,
                };
                return self.answer_sts(&head, &form, None, from).await;
            }
            Err(sigv4::Fault::Missing) if is_post_form(&head) => {
                let say = "POST policy forms are not taken here: upload with PUT, or with a presigned URL for PUT";
                return Err(Refused {
                    refusal: Refusal::new(Kind::Unsupported, say),
                    wire: Wire::S3,
                });
            }
            Err(fault) => return Err(refused(&fault, unscoped(&head))),
            Ok(presented) => presented,
        };
        let wire = classify::guess(&head, &presented.scope);
        if upstream::takes_away(&head) {
            let say = "Connection names fields of the request: what is asked must be what goes on";
            return Err(malformed(say, wire));
        }
        let now = self.gateway.clock.now();
        let opened = self
            .mint
            .open(&presented.access_key, presented.token.as_deref(), now);
        let (grant, secret) = opened.map_err(|bad| Refused {
            refusal: Refusal::from(bad),
            wire,
        })?;
        // In HTTP/2 a body need not say how long it is; S3 must be told.
        let endless = head.fields.has(AUTHORITY)
            && !head.fields.has("content-length")
            && !head.fields.has("x-amz-decoded-content-length")
            && !body.is_end_stream();
        let streams = wire == Wire::S3 && !classify::wants_body(&head) && !endless;
        let (content, digest) = if streams {
            (Content::Stream(body), None)
        } else {
            let (bytes, room) = self.whole(body, &head, wire).await?;
            let digest = sha256(&bytes);
            (Content::Whole(bytes, Some(room)), Some(digest))
        };
        let verified = presented
            .verify(&head, &secret, digest.as_deref(), now)
            .map_err(|fault| refused(&fault, wire))?;
        if presented.scope.service == "sts" {
            let Content::Whole(bytes, _) = &content else {
                return Err(malformed("STS is not asked so", wire));
            };
            let signed = Signed {
                grant: &grant,
                access_key: &presented.access_key,
            };
            let from = Origin {
                source,
                client: &client,
                request: id,
            };
            return self.answer_sts(&head, bytes, Some(signed), from).await;
        }
        let (content, verified) = unchunked(content, verified, &head, wire)?;
        let head = match wire {
            Wire::S3 => {
                let head = if presented.is_presigned() {
                    upstream::with_headers(&head)
                        .ok_or_else(|| malformed("a header stands in the URL too", wire))?
                } else {
                    head
                };
                upstream::path_style(&head, &self.host).ok_or_else(|| {
                    malformed("the host is not one that requests are served for", wire)
                })?
            }
            _ => head,
        };
        let asked = Asked {
            head,
            scope: presented.scope.clone(),
            verified,
            grant,
            access_key: presented.access_key.clone(),
        };
        let asker = Asker {
            access_key: &asked.access_key,
            grant: &asked.grant,
            client: &client,
            source,
            transport,
        };
        let session = self.sessions.enter(&self.gateway, &asker).await;
        let session = session.map_err(|denial| denied(&denial, wire))?;
        self.ask(asked, content, session).await
    }

    async fn answer_sts(
        &self,
        head: &Head,
        form: &[u8],
        signed: Option<Signed<'_>>,
        from: Origin<'_>,
    ) -> Result<Response<Shown>, Refused> {
        let id = from.request.to_owned();
        let query = head.query.as_deref().unwrap_or_default();
        let query = query.split('&').filter(|part| !part.starts_with("X-Amz-"));
        let query = query.collect::<Vec<_>>().join("&");
        match self.sts(&query, form, signed, from).await {
            Ok(body) => {
                let fields = [
                    ("content-type", "text/xml".to_owned()),
                    ("x-amzn-requestid", id),
                ];
                Ok(own(200, &fields, body.into_bytes()))
            }
            Err(Failed::Refused(refusal)) => Err(Refused {
                refusal,
                wire: Wire::Query,
            }),
            Err(Failed::Code(status, code, message)) => {
                let fields = [("content-type", "text/xml".to_owned())];
                let xml = protocols::aws::deny::xml;
                let body = format!(
                    "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                     <Code>{code}</Code><Message>{}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
                    xml(&message),
                    xml(&id)
                );
                Ok(own(status, &fields, body.into_bytes()))
            }
        }
    }

    /// Knows what is asked, asks the gate, and sends it.
    async fn ask(
        &self,
        asked: Asked,
        content: Content,
        session: Session,
    ) -> Result<Response<Shown>, Refused> {
        let caller = session.caller.clone();
        let whole = match &content {
            Content::Whole(bytes, _) => Some(bytes.as_ref()),
            Content::Stream(_) => None,
        };
        let call = classify::classify(&asked.head, &asked.scope, whole);
        let wire = call.wire;
        // Policies may have changed since the session began.
        let policies = self.gateway.policies.current();
        let target = caller.target.as_policy();
        let version = policies.version();
        if !session.is_admitted(version) {
            if let Decision::Deny(denial) = policies.connect(&caller.identity, &target) {
                return Err(denied(&denial, wire));
            }
            session.admit(version);
        }
        let own = caller.target.account().map(|account| account.own.clone());
        let masker = Masker::new(MaskerConfig {
            own: own.unwrap_or_default(),
            ..MaskerConfig::default()
        });
        let make = |body: Body<'_>| command::command(&call, &asked.head, body, &masker);
        let mut command = match (&content, &asked.verified.payload) {
            (Content::Whole(bytes, _), _) => make(Body::Whole(bytes)),
            (Content::Stream(_), Payload::Sha256(digest)) => make(Body::Digest(digest)),
            (Content::Stream(_), _) => make(Body::Unknown),
        };
        let mut content = content;
        let nobody = BTreeSet::new();
        let decision = policies.decide(&caller.identity, &target, &command.asks, &nobody);
        let unbound = matches!(content, Content::Stream(_))
            && !matches!(asked.verified.payload, Payload::Sha256(_));
        let mut ended = None;
        if unbound && matches!(*decision, Decision::Ask { .. }) {
            // People approve bytes, so the bytes must be here first.
            let (bytes, room, upload) = self.spool(content, &asked, wire).await?;
            command = make(Body::Digest(&upload.sha256));
            content = Content::Whole(bytes, Some(room));
            ended = Some(upload);
        }
        let seq = session.next();
        let permit = self.permit(&session, seq, command, wire).await?;
        let going = Going {
            asked,
            call,
            session,
            seq,
            permit,
            ended,
            key: String::new(),
            whole: false,
        };
        self.send(going, content).await
    }

    /// Asks the gate; every refusal is recorded there.
    async fn permit(
        &self,
        session: &Session,
        seq: u64,
        command: Command,
        wire: Wire,
    ) -> Result<Permit, Refused> {
        let caller = &session.caller;
        let gate = &self.gateway.gate;
        self.note(
            session,
            &Note::Asked {
                seq,
                tag: command.tag.clone(),
                text: command.shown.clone(),
                parameters: command.shown_parameters.clone(),
            },
            wire,
        )
        .await?;
        let answer = match gate.begin(caller, seq, Box::new(command)) {
            Begun::Writing(answer) => answer.await,
            Begun::People(asked) => match gate.clone().ask(asked.at_most(self.hold)).await {
                Asking::Done(answer) => answer,
                Asking::Held(held, answer) => {
                    self.note(session, &Note::Held { seq, held }, wire).await?;
                    answer.await
                }
            },
        };
        match answer {
            Answer::Permitted(permit) => {
                let intent = permit.intent();
                self.note(session, &Note::Allowed { seq, intent }, wire)
                    .await?;
                Ok(permit)
            }
            Answer::Refused(denial) => {
                let refused = denied(&denial, wire);
                self.note(session, &Note::Refused { seq, denial }, wire)
                    .await?;
                Err(refused)
            }
            _ => Err(malformed("the gate gave no answer", wire)),
        }
    }

    /// Puts something in the recording, with room for it there. What cannot be recorded does not go on.
    async fn note(&self, session: &Session, note: &Note, wire: Wire) -> Result<(), Refused> {
        let recorder = &session.caller.recorder;
        let noted = match recorder.ready().await {
            Ok(()) => recorder.note(note),
            Err(error) => Err(error),
        };
        noted.map_err(|error| {
            tracing::error!(session = session.caller.session, %error, "the recording failed");
            let say = "the session's recording failed, so nothing may run: get new keys, and tell whoever runs the gateway";
            denied(&Denial::new(DenialCode::LedgerUnavailable, say), wire)
        })
    }
}

fn head(parts: &hyper::http::request::Parts) -> Option<Head> {
    let mut fields = Fields::default();
    for (name, value) in &parts.headers {
        fields.push(name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?);
    }
    // HTTP/2 says it so (RFC 9113 section 8.3.1).
    if let Some(authority) = parts.uri.authority() {
        if parts.version == hyper::Version::HTTP_2 {
            fields.push(AUTHORITY, authority.as_str());
        }
        if !fields.has("host") {
            fields.push("host", authority.as_str());
        } else if fields.one("host") != Some(authority.as_str()) {
            return None;
        }
    }
    Some(Head {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        fields,
    })
}

/// Whether an unsigned request is one for STS.
fn is_sts_form(head: &Head) -> bool {
    let form = head.fields.one("content-type").unwrap_or_default();
    let in_query = head
        .query
        .as_deref()
        .unwrap_or_default()
        .contains("Action=");
    head.path == "/" && (form.starts_with("application/x-www-form-urlencoded") || in_query)
}

/// Whether an unsigned request is a form of a browser for S3, whose policy would be its signature.
fn is_post_form(head: &Head) -> bool {
    let form = head.fields.one("content-type").unwrap_or_default();
    head.method == "POST" && form.starts_with("multipart/form-data")
}

/// How a request without a readable signature is written, as far as that can be seen.
fn unscoped(head: &Head) -> Wire {
    let content = head.fields.one("content-type").unwrap_or_default();
    if head.fields.has("x-amz-target") {
        Wire::Json(u8::from(!content.ends_with("1.0")))
    } else if head.fields.has("smithy-protocol") {
        Wire::Cbor
    } else if content.starts_with("application/x-www-form-urlencoded") {
        Wire::Query
    } else {
        Wire::S3
    }
}

pub(super) fn own(
    status: u16,
    fields: &[(&'static str, String)],
    body: Vec<u8>,
) -> Response<Shown> {
    let body = (!body.is_empty()).then(|| Bytes::from(body));
    let mut response = Response::new(Shown::Own(body));
    *response.status_mut() =
        hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::FORBIDDEN);
    for (name, value) in fields {
        if let Ok(value) = hyper::header::HeaderValue::from_str(value) {
            response
                .headers_mut()
                .insert(hyper::header::HeaderName::from_static(name), value);
        }
    }
    response
}

pub(super) fn malformed(what: &str, wire: Wire) -> Refused {
    Refused {
        refusal: Refusal::new(Kind::Malformed, what),
        wire,
    }
}

pub(super) fn denied(denial: &Denial, wire: Wire) -> Refused {
    Refused {
        refusal: Refusal::from(denial),
        wire,
    }
}

fn refused(fault: &sigv4::Fault, wire: Wire) -> Refused {
    Refused {
        refusal: Refusal::from(fault),
        wire,
    }
}
