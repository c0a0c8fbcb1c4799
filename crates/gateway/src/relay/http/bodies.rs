//! Bodies that are read whole, and what checks those that pass.

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use protocols::aws::classify::Wire;
use protocols::aws::deny::{Kind, Refusal};
use protocols::http::Head;
use protocols::http::checksum::Algorithm;
use protocols::http::chunked::{self, Encoder, Ended, Intake, encoded_length};
use protocols::http::coding::{self, Format};
use protocols::http::sigv4::{Chunks, Payload, Verified, sha256};

use super::exchange::{Asked, Content, Refused, malformed};
use super::gather::{PACE, Ungathered, gather};
use super::keep::Keeping;
use super::outgoing::{Outgoing, Upload};
use super::peer::Peer;
use super::room::{Held, Room, SMALL_BYTES, WAIT_MAX};
use super::{Relay, WHOLE_BYTES_MAX};

/// The form of an unsigned request, or of one to STS, is at most so large: a token and little else.
const UNSIGNED_BYTES_MAX: usize = 64 << 10;
/// A compressed body is at most so large, and so is what is in it: CloudWatch, whose SDKs compress, takes no more.
const INFLATED_BYTES_MAX: usize = 1 << 20;
const FULL: &str = "the gateway holds as many bodies as it may: try again";

impl Relay {
    /// The form of a request that nobody has signed: small, and here soon.
    pub(super) async fn unsigned(
        &self,
        body: Incoming,
        head: &Head,
        peer: &Peer,
    ) -> Result<Bytes, Refused> {
        let room = (&self.rooms.unsigned, peer.holder());
        let form = held(body, head, Wire::Query, UNSIGNED_BYTES_MAX, room);
        let limit = self.gateway.limits.login;
        let form = tokio::time::timeout(limit, form).await;
        let late = |_| malformed("the form took too long to come", Wire::Query);
        Ok(form.map_err(late)??.0)
    }

    /// The form of an upload, whose signature is in it.
    pub(super) async fn form(
        &self,
        body: Incoming,
        head: &Head,
        peer: &Peer,
    ) -> Result<(Bytes, Held), Refused> {
        let room = (&self.rooms.posted, peer.holder());
        held(body, head, Wire::S3, WHOLE_BYTES_MAX, room).await
    }

    /// The body of a request with these keys held whole, with the room it takes.
    pub(super) async fn whole(
        &self,
        body: Incoming,
        head: &Head,
        wire: Wire,
        (access_key, service): (&str, &str),
    ) -> Result<(Bytes, Held), Refused> {
        let most = match service {
            "sts" => UNSIGNED_BYTES_MAX,
            _ => WHOLE_BYTES_MAX,
        };
        let length = head.fields.one("content-length");
        let length = length.and_then(|text| text.parse::<usize>().ok());
        let room = match length {
            Some(length) if length <= SMALL_BYTES => &self.rooms.small,
            _ => &self.rooms.large,
        };
        held(body, head, wire, most, (room, access_key.to_owned())).await
    }

    /// A streamed body held whole after all, checked.
    pub(super) async fn spool(
        &self,
        content: Content,
        asked: &Asked,
        wire: Wire,
    ) -> Result<(Bytes, Held, Ended), Refused> {
        let Content::Stream(body) = content else {
            return Err(malformed("the body is here already", wire));
        };
        let keys = (asked.access_key.as_str(), "s3");
        let (bytes, room) = self.whole(body, &asked.head, wire, keys).await?;
        let (content, ended) = checked(bytes, asked, wire)?;
        Ok((content, room, ended))
    }
}

fn too_large(bytes_max: usize, wire: Wire) -> Refused {
    let say = format!("the body is larger than the {bytes_max} bytes that can be read whole here");
    Refused {
        refusal: Refusal::new(Kind::TooLarge, say),
        wire,
    }
}

async fn held(
    body: Incoming,
    head: &Head,
    wire: Wire,
    bytes_max: usize,
    (room, holder): (&Room, String),
) -> Result<(Bytes, Held), Refused> {
    let too_large = || too_large(bytes_max, wire);
    let announced = head.fields.one("content-length").map(str::parse::<usize>);
    let most = match announced {
        Some(Ok(length)) if length <= bytes_max => length,
        Some(_) => return Err(too_large()),
        None if body.is_end_stream() => 0,
        None => bytes_max,
    };
    let gathered = gather(body, (room, &holder), most, PACE).await;
    gathered.map_err(|why| match why {
        Ungathered::Late => malformed("the body stopped coming, or comes too slowly", wire),
        Ungathered::Broken => malformed("the body ended before its end", wire),
        Ungathered::TooLarge => too_large(),
        Ungathered::Full => Refused {
            refusal: Refusal::new(Kind::Unavailable, FULL),
            wire,
        },
    })
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

impl Relay {
    /// The body of an API call without the compression that SDKs send large ones in, and the request as if it had come so.
    pub(super) async fn inflated(
        &self,
        content: Content,
        mut head: Head,
        mut verified: Verified,
        (access_key, wire): (&str, Wire),
    ) -> Result<(Content, Head, Verified), Refused> {
        let is_call = matches!(wire, Wire::Query | Wire::Json(_) | Wire::Cbor);
        let encoded = head.fields.all("content-encoding").collect::<Vec<_>>() == ["gzip"];
        let (true, Content::Whole(bytes, _)) = (is_call && encoded, &content) else {
            return Ok((content, head, verified));
        };
        if bytes.len() > INFLATED_BYTES_MAX {
            return Err(too_large(INFLATED_BYTES_MAX, wire));
        }
        // The body as it came is held meanwhile, so nobody waits long for more.
        let room = self.rooms.large.take(access_key, INFLATED_BYTES_MAX);
        let room = tokio::time::timeout(WAIT_MAX, room).await;
        let room = room.ok().and_then(Result::ok).ok_or_else(|| Refused {
            refusal: Refusal::new(Kind::Unavailable, FULL),
            wire,
        })?;
        let plain = coding::whole(Format::Gzip, bytes, INFLATED_BYTES_MAX);
        let plain = plain.map_err(|why| malformed(&format!("the body is no gzip: {why}"), wire))?;
        let plain = plain.ok_or_else(|| too_large(INFLATED_BYTES_MAX, wire))?;
        head.fields.remove("content-encoding");
        verified.payload = Payload::Sha256(sha256(&plain));
        Ok((Content::Whole(plain.into(), Some(room)), head, verified))
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
