//! Bodies that are read whole, and what checks those that pass.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use protocols::aws::classify::Wire;
use protocols::aws::deny::{Kind, Refusal};
use protocols::http::Head;
use protocols::http::checksum::Algorithm;
use protocols::http::chunked::{self, Encoder, Ended, Intake, encoded_length};
use protocols::http::sigv4::{Chunks, Payload, Verified, sha256};
use tokio::sync::OwnedSemaphorePermit;

use super::exchange::{Asked, Content, Refused, malformed};
use super::keep::Keeping;
use super::outgoing::{Outgoing, Upload};
use super::{Relay, WHOLE_BYTES_MAX};

/// The form of an unsigned request is at most so large: a token and little else.
const UNSIGNED_BYTES_MAX: usize = 64 << 10;
/// A body that is held whole takes room, so it may not be silent for longer.
const SILENCE_MAX: Duration = Duration::from_secs(30);

impl Relay {
    /// The form of a request that nobody has signed: small, and here soon.
    pub(super) async fn unsigned(&self, body: Incoming, head: &Head) -> Result<Bytes, Refused> {
        let form = self.held(body, head, Wire::Query, UNSIGNED_BYTES_MAX);
        let limit = self.gateway.limits.login;
        let form = tokio::time::timeout(limit, form).await;
        let late = |_| malformed("the form took too long to come", Wire::Query);
        Ok(form.map_err(late)??.0)
    }

    /// A body held whole, with the room it takes.
    pub(super) async fn whole(
        &self,
        body: Incoming,
        head: &Head,
        wire: Wire,
    ) -> Result<(Bytes, OwnedSemaphorePermit), Refused> {
        self.held(body, head, wire, WHOLE_BYTES_MAX).await
    }

    async fn held(
        &self,
        mut body: Incoming,
        head: &Head,
        wire: Wire,
        bytes_max: usize,
    ) -> Result<(Bytes, OwnedSemaphorePermit), Refused> {
        let too_large = || Refused {
            refusal: Refusal::new(
                Kind::TooLarge,
                format!(
                    "the body is larger than the {bytes_max} bytes that can be read whole here"
                ),
            ),
            wire,
        };
        let announced = head.fields.one("content-length").map(str::parse::<usize>);
        let most = match announced {
            Some(Ok(length)) if length <= bytes_max => length,
            Some(_) => return Err(too_large()),
            None if body.is_end_stream() => 0,
            None => bytes_max,
        };
        let kib = u32::try_from(most.div_ceil(1_024)).unwrap_or(u32::MAX);
        let room = self.room.clone().acquire_many_owned(kib).await;
        let room = room.map_err(|_| malformed("the gateway is ending", wire))?;
        let mut bytes = BytesMut::new();
        loop {
            let frame = tokio::time::timeout(SILENCE_MAX, body.frame()).await;
            let Some(frame) = frame.map_err(|_| malformed("the body stopped coming", wire))? else {
                break;
            };
            let frame = frame.map_err(|_| malformed("the body ended before its end", wire))?;
            if let Ok(data) = frame.into_data() {
                if bytes.len() + data.len() > most {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&data);
            }
        }
        Ok((bytes.freeze(), room))
    }

    /// A streamed body held whole after all, checked.
    pub(super) async fn spool(
        &self,
        content: Content,
        asked: &Asked,
        wire: Wire,
    ) -> Result<(Bytes, OwnedSemaphorePermit, Ended), Refused> {
        let Content::Stream(body) = content else {
            return Err(malformed("the body is here already", wire));
        };
        let (bytes, room) = self.whole(body, &asked.head, wire).await?;
        let (content, ended) = checked(bytes, asked, wire)?;
        Ok((content, room, ended))
    }
}

/// A whole body without the chunks it came in, and the request as if it had come so.
pub(super) fn unchunked(
    content: Content,
    verified: Verified,
    head: &Head,
    wire: Wire,
) -> Result<(Content, Verified), Refused> {
    match (content, &verified.payload) {
        (Content::Whole(bytes, room), Payload::Chunks(_)) => {
            let (bytes, _) = check(bytes, &verified, head, wire)?;
            let verified = Verified {
                payload: Payload::Sha256(sha256(&bytes)),
                ..verified
            };
            Ok((Content::Whole(bytes, room), verified))
        }
        (content, _) => Ok((content, verified)),
    }
}

fn checked(bytes: Bytes, asked: &Asked, wire: Wire) -> Result<(Bytes, Ended), Refused> {
    check(bytes, &asked.verified, &asked.head, wire)
}

fn check(
    bytes: Bytes,
    verified: &Verified,
    head: &Head,
    wire: Wire,
) -> Result<(Bytes, Ended), Refused> {
    let (mut intake, _) = intake(verified, head, bytes.len() as u64, wire)?;
    let mut out = Vec::new();
    let ended = intake
        .push(bytes, &mut out)
        .and_then(|()| intake.finish(&mut out))
        .map_err(|fault| Refused {
            refusal: Refusal::from(fault),
            wire,
        })?;
    Ok((out.concat().into(), ended))
}

/// What checks a body, and the length of its content.
pub(super) fn intake(
    verified: &Verified,
    head: &Head,
    travelled: u64,
    wire: Wire,
) -> Result<(Intake, u64), Refused> {
    chunked::intake(verified, head, travelled).map_err(|why| malformed(why, wire))
}

/// The checksum that a chunked body's trailer will hold.
pub(super) fn trailer(
    head: &Head,
    chunks: Chunks,
    wire: Wire,
) -> Result<Option<Algorithm>, Refused> {
    chunked::trailer(head, chunks).map_err(|why| malformed(why, wire))
}

/// How an upload goes on: its body, and the fields that tell of it.
pub(super) struct Upward {
    pub(super) body: Outgoing,
    pub(super) upload: Upload,
}

impl Upward {
    /// A body that passes, behind a head that was signed for it.
    pub(super) fn passing(
        from: Incoming,
        asked: &Asked,
        signed: &Verified,
        keeping: Keeping,
        travelled: u64,
        wire: Wire,
    ) -> Result<Self, Refused> {
        let upload = Upload::default();
        let (intake, length) = intake(&asked.verified, &asked.head, travelled, wire)?;
        let Payload::Chunks(chunks) = signed.payload else {
            let body = Outgoing::streamed(from, intake, None, keeping, length, upload.clone());
            return Ok(Self { body, upload });
        };
        let trailer = trailer(&asked.head, chunks, wire)?;
        let encoder = Encoder::new(signed.clone(), length, trailer);
        let total = encoded_length(length, trailer);
        let body = Outgoing::streamed(from, intake, Some(encoder), keeping, total, upload.clone());
        Ok(Self { body, upload })
    }
}
