//! One request, from its head to the target's answer.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use hyper::{Request, Response};
use model::{Denial, DenialCode, Timestamp};
use protocols::aws::classify::{self, Wire};
use protocols::aws::credentials::BadKeys;
use protocols::aws::deny::{Kind, Refusal};
use protocols::aws::{s3, upstream};
use protocols::http::sigv4::{Presented, Scope, Verified, sha256};
use protocols::http::{AUTHORITY, Fields, Head, sigv4};

use super::Relay;
use super::answer::Shown;
use super::bodies::unchunked;
use super::peer::Peer;
use super::refusals::{self, Claimed, is_of_proof};
use super::room::Held;
use super::sessions::{Asker, Keys, Session};
use super::sts::{Failed, Origin, Signed};

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
    /// When its signature ends.
    pub(super) ends: Timestamp,
    pub(super) access_key: String,
    /// The number of the connection that it came by.
    pub(super) connection: u64,
}

/// Who is connected, and how.
#[derive(Clone, Copy)]
pub(super) struct Connected<'a> {
    pub(super) client: &'a str,
    pub(super) peer: &'a Peer,
    pub(super) transport: &'static str,
}

/// What is known of a body before it goes.
pub(super) enum Content {
    Whole(Bytes, Option<Held>),
    Stream(Incoming),
}

impl Content {
    /// All of it, where it is here.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        match self {
            Self::Whole(bytes, _) => Some(bytes),
            Self::Stream(_) => None,
        }
    }
}

impl Relay {
    /// Answers one request.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: Arc<Peer>,
        transport: &'static str,
    ) -> Response<Shown> {
        let id = format!("{:016x}", self.requests.fetch_add(1, Ordering::Relaxed));
        let (parts, body) = request.into_parts();
        let is_head = parts.method == hyper::Method::HEAD;
        let path = parts.uri.path().to_owned();
        let answered = match head(&parts) {
            Some(head) => self.exchange(head, body, &peer, transport, &id).await,
            None => Err(Refused {
                refusal: Refusal::new(
                    Kind::Malformed,
                    "a header field is no UTF-8, or Host is no host or another than the request's own",
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
        peer: &Peer,
        transport: &'static str,
        id: &str,
    ) -> Result<Response<Shown>, Refused> {
        let client = head.fields.one("user-agent").unwrap_or_default().to_owned();
        let source = peer.source;
        let connected = Connected {
            client: &client,
            peer,
            transport,
        };
        let presented = match Presented::read(&head) {
            Err(sigv4::Fault::Missing) if is_sts_form(&head) => {
                let form = self.unsigned(body, &head, peer).await?;
                let from = Origin {
                    source,
                    client: &client,
                    request: id,
                };
                return self.answer_sts(&head, &form, None, from).await;
            }
            Err(sigv4::Fault::Missing) if is_post_form(&head) => {
                return Box::pin(self.posted(head, body, connected)).await;
            }
            // Who shows no proof claims to be nobody.
            Err(sigv4::Fault::Missing) => {
                return Err(refused(&sigv4::Fault::Missing, unscoped(&head)));
            }
            Err(fault) => {
                let access_key = sigv4::claimed_key(&head).unwrap_or_default();
                let claimed = Claimed::nobody(&access_key, source);
                return Err(self
                    .unproved(claimed, refused(&fault, unscoped(&head)))
                    .await);
            }
            Ok(presented) => presented,
        };
        let wire = classify::guess(&head, &presented.scope);
        if upstream::takes_away(&head) {
            let say = "Connection names fields of the request: what is asked must be what goes on";
            return Err(malformed(say, wire));
        }
        let now = self.gateway.clock.now();
        let (access_key, token) = (&presented.access_key, presented.token.as_deref());
        let keys = match self.opened(access_key, token, now) {
            Ok(keys) => keys,
            Err(bad) => {
                let refusal = Refusal::from(bad);
                let claimed = Claimed::nobody(access_key, source);
                return Err(self.unproved(claimed, Refused { refusal, wire }).await);
            }
        };
        let claimed = |identity| Claimed {
            access_key,
            identity,
            target: &keys.grant.target,
            source,
        };
        // In HTTP/2 a body need not say how long it is; S3 must be told.
        let endless = head.fields.has(AUTHORITY)
            && !head.fields.has("content-length")
            && !head.fields.has("x-amz-decoded-content-length")
            && !body.is_end_stream();
        let streams = wire == Wire::S3 && !s3::wants_body(&head) && !endless;
        let (content, digest) = if streams {
            (Content::Stream(body), None)
        } else {
            let whose = (access_key.as_str(), presented.scope.service.as_str());
            let (bytes, room) = self.whole(body, &head, wire, whose).await?;
            let digest = sha256(&bytes);
            (Content::Whole(bytes, Some(room)), Some(digest))
        };
        let secret = (&keys.secret, &keys.derived);
        let verified = match presented.verify(&head, secret, digest.as_deref(), now) {
            Ok(verified) => verified,
            Err(fault) => {
                return Err(self.unproved(claimed(None), refused(&fault, wire)).await);
            }
        };
        if presented.scope.service == "sts" {
            let Content::Whole(bytes, _) = &content else {
                return Err(malformed("STS is not asked so", wire));
            };
            let signed = Signed {
                grant: &keys.grant,
                access_key: &presented.access_key,
                signature: &verified.signature,
                ends: presented.ends(),
                connection: peer.number,
            };
            let from = Origin {
                source,
                client: &client,
                request: id,
            };
            return self.answer_sts(&head, bytes, Some(signed), from).await;
        }
        let (content, verified) = match unchunked(content, verified, &head, wire) {
            Err(refused) if is_of_proof(refused.refusal.kind) => {
                let identity = Some(&keys.grant.identity);
                return Err(self.unproved(claimed(identity), refused).await);
            }
            unchunked => unchunked?,
        };
        let whose = (access_key.as_str(), wire);
        let inflated = self.inflated(content, head, verified, whose).await;
        let (content, head, verified) = inflated?;
        let head = match wire {
            Wire::S3 => {
                let head = if presented.is_presigned() {
                    upstream::with_headers(&head)
                        .ok_or_else(|| malformed("a header stands in the URL too", wire))?
                } else {
                    head
                };
                upstream::path_style(head, &self.host).ok_or_else(|| {
                    malformed("the host is not one that requests are served for", wire)
                })?
            }
            _ => head,
        };
        let asked = Asked {
            head,
            scope: presented.scope.clone(),
            verified,
            ends: presented.ends(),
            access_key: presented.access_key.clone(),
            connection: peer.number,
        };
        let session = self
            .entered(&presented.access_key, &keys, connected, wire)
            .await?;
        // What follows is large, and moved less often on the heap.
        Box::pin(self.ask(asked, content, session)).await
    }

    /// What keys stand for; they are opened once for a session.
    pub(super) fn opened(
        &self,
        access_key: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<Keys>, BadKeys> {
        if let Some(keys) = self.sessions.keys(access_key, token, now) {
            return Ok(keys);
        }
        let (grant, secret) = self.mint.open(access_key, token, now)?;
        Ok(Arc::new(Keys::new(
            grant,
            secret,
            token.unwrap_or_default(),
        )))
    }

    /// The session of keys that signed a request.
    pub(super) async fn entered(
        &self,
        access_key: &str,
        keys: &Arc<Keys>,
        connected: Connected<'_>,
        wire: Wire,
    ) -> Result<Session, Refused> {
        let asker = Asker {
            access_key,
            keys,
            client: connected.client,
            source: connected.peer.source,
            transport: connected.transport,
        };
        let session = match self.sessions.enter(&self.gateway, &asker).await {
            Ok(session) => session,
            // What the ledger does not take, it does not take here either.
            Err(denial) if denial.code == DenialCode::LedgerUnavailable => {
                return Err(denied(&denial, wire));
            }
            Err(denial) => {
                let refused = denied(&denial, wire);
                return Err(self.unproved(asker.claimed(), refused).await);
            }
        };
        connected.peer.is_known();
        Ok(session)
    }

    /// A request of somebody who has not proved who they are stands in the ledger as a login that was refused.
    pub(super) async fn unproved(&self, claimed: Claimed<'_>, refused: Refused) -> Refused {
        let Refused { refusal, wire } = refused;
        let refusal = refusals::record(&self.gateway, claimed, refusal).await;
        Refused { refusal, wire }
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
    // It may name a bucket, and becomes a part of the path then.
    let of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let hosts = fields.all("host").chain(fields.all(AUTHORITY));
    if hosts.flat_map(str::bytes).any(|byte| !of_host(byte)) {
        return None;
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
    let is_form = head.method == "POST" && head.path == "/";
    if head.fields.has("x-amz-target") {
        Wire::Json(u8::from(!content.ends_with("1.0")))
    } else if head.fields.has("smithy-protocol") {
        Wire::Cbor
    } else if is_form && content.starts_with("application/x-www-form-urlencoded") {
        // Clients write it for uploads too, where they are not told what to write.
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
