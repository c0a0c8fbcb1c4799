//! The target's answer, as far as policy lets it be seen.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use hyper::http::response;
use hyper::{Response, StatusCode};
use mask::Findings;
use model::{DenialCode, Status};
use protocols::aws::classify::Wire;
use protocols::aws::deny::{Kind, Refusal};
use protocols::aws::objects::declared;
use protocols::aws::packed::Packed;
use protocols::aws::range::Wanted;
use protocols::aws::screen::is;
use protocols::aws::secrets::{Hider, search};
use protocols::aws::subresource::is_told;
use protocols::aws::table::Level;
use protocols::http::coding::{Format, MAGIC_BYTES};

use super::answer::{Cut, Passing, Shown, Waited};
use super::beginning::checked;
use super::coding::{Begun, Coding};
use super::exchange::{Refused, malformed};
use super::head::{self, Changes, content_length};
use super::keep::{self, Keeping, Side};
use super::masking::{Masking, Page, ShownError, is_text};
use super::outgoing::Upload;
use super::part::{
    Part, begins, beyond, compressed, facts, hider, is_compressed, is_plain, length_of, part,
    wanted,
};
use super::send::{Going, unrecorded};
use super::{Relay, WHOLE_BYTES_MAX};
use crate::upstream::aws::{Account, Of, Received};

/// Answers that are waited for may become longer by so much.
const GROWTH_BYTES: usize = 64 << 10;

/// So much of an object is looked at before any of it is shown, and before its head is.
pub(super) const LOOK_BYTES: usize = 64 << 10;

/// A page of a list mostly takes no more.
const PAGE_BYTES: u64 = 1 << 20;

/// Why an answer does not begin.
pub(super) enum Unbegun {
    Target(hyper::Error),
    Withheld(String),
}

impl Relay {
    /// The answer. Whatever comes of it is settled.
    #[expect(
        clippy::too_many_lines,
        reason = "the steps of one answer, in their order"
    )]
    pub(super) async fn show(
        &self,
        account: &Account,
        going: Going,
        (parts, mut body): (response::Parts, Received),
        upload: &Upload,
    ) -> Result<Response<Shown>, Refused> {
        let wire = going.call.wire;
        let length = content_length(&parts.headers);
        let is_head = going.asked.head.method == "HEAD";
        let bodiless = is_head && !going.whole || body.is_end_stream();
        let masker = going.masker.clone();
        let facts = facts(&parts, &going);
        // An error is no object.
        let is_content = parts.status.is_success() || parts.status == StatusCode::NOT_MODIFIED;
        let hider = if is_content {
            hider(account, &going.call, &facts, &masker)
        } else {
            Hider::of_error(&going.call, &account.answers, &masker)
        };
        let clear = masker.hides_nothing() && hider.is_none();
        let wanted = wanted(account, &going);
        // What is declared is known by all that stands before it.
        let from_start = wanted.is_some_and(|(_, declared)| declared);
        let wanted = wanted.map(|(wanted, _)| wanted);
        let cut = match wanted.and_then(|wanted| part(&parts, wanted)) {
            Some(Part::At { .. }) if from_start && !begins(&parts) => None,
            Some(Part::Beyond(total)) => {
                let settling = going.settling(&parts, upload);
                settling.settle(Status::Completed, 0, "", Vec::new());
                return Ok(beyond(total));
            }
            Some(Part::At { cut, field }) => Some((cut, field)),
            None => None,
        };
        let mut begun = Begun::default();
        if !bodiless && (!clear || is_content && is_told(&going.call)) {
            let inspected = begin(&parts, &mut body, &going, cut.is_some()).await;
            let inspected = match inspected {
                Ok(begun) if is_content => checked(begun, &mut body, &going.call).await,
                inspected => inspected,
            };
            begun = match inspected {
                Ok(begun) => begun,
                Err(Unbegun::Target(error)) => return Err(going.broke_off(&error, &parts)),
                Err(Unbegun::Withheld(why)) => return Err(withheld(going, &parts, &why)),
            };
        }
        // Where it is compressed anew, only its end tells how long it is.
        let is_error = parts.status.as_u16() >= 400;
        let waits = going.whole || begun.coding.is_some() || is_error && !bodiless && !clear;
        let list = going.list.clone();
        let list = list.filter(|_| !bodiless && !clear && is_content);
        let pages = list.is_some();
        let waits = waits || pages;
        let untold = is_head && !clear && wire == Wire::S3 && is_compressed(&parts, &going);
        let mut findings = Findings::new(&going.session.caller.commitments);
        // HEAD agrees with GET; and of what was written, conditions hold by what is shown.
        let reads = matches!(going.asked.head.method.as_str(), "GET" | "HEAD")
            || wire == Wire::S3 && is(&going.call, "PutObject");
        let changes = Changes {
            call: &going.call,
            cut: cut.as_ref(),
            tags: (!clear && (!bodiless || reads)).then(|| self.mint.tags()),
            coded: waits || untold,
        };
        let mut shown = head::shown(&parts, &changes, &masker, &mut findings);
        if let (Some(total), false) = (going.known.filter(|_| untold), going.whole) {
            shown = shown.header("content-length", total);
        }
        if let Some((cut, _)) = &cut {
            findings = findings.within(cut.skip..cut.skip.saturating_add(cut.length));
        }
        // Of what is shown as it is the recording's search tells what it was.
        let seen = clear.then(|| findings.facts());
        let masking = (!clear).then(|| {
            Box::new(Masking {
                stream: (!bodiless && wire != Wire::Cbor).then(|| search(&going.call, &masker)),
                packed: (!bodiless && !matches!(wire, Wire::Cbor | Wire::S3)).then(Packed::default),
                hider: hider.filter(|_| !bodiless),
                findings,
                page: list.map(|list| Page::new(wire, list)),
                named: 0,
                ahead: cut.as_ref().map_or(0, |(cut, _)| cut.skip),
            })
        });
        if let Some(fields) = shown.headers_ref() {
            let head = keep::head(account, going.seq, parts.status.as_u16(), fields);
            let kept = going.session.caller.recorder.note(&head);
            if let Err(error) = kept {
                going.stopped(DenialCode::LedgerUnavailable, Some(&parts));
                return Err(unrecorded(&error, wire));
            }
        }
        let mut keeping = Keeping::new(
            account,
            &going.session,
            going.seq,
            &going.call,
            match (is_content, &masking) {
                (_, Some(_)) if going.permit.obligations().reveal.is_empty() => Side::Hidden,
                (true, _) => Side::Answer(&facts),
                (false, _) => Side::Other,
            },
        );
        keeping = match seen {
            Some(facts) => keeping.clear(facts),
            None => keeping.revealing(&masker),
        };
        let whole = parts.status != StatusCode::PARTIAL_CONTENT;
        if !whole
            && (masking.is_none() || declared(&account.objects, &going.call, &facts).is_some())
        {
            keeping = keeping.piece();
        } else if is_head {
            keeping = keeping.nothing();
        }
        let wanted = wanted.filter(|_| parts.status == StatusCode::OK);
        let of = (waits && !is_error && !pages).then(|| length_of(account, &parts, &going));
        let of = of.flatten();
        let part = match (wanted, going.known, begun.coding.is_some()) {
            (Some(wanted), Some(total), true) => match wanted.within(total) {
                Some(span) => Some((span, total)),
                None => {
                    let settling = going.settling(&parts, upload);
                    settling.settle(Status::Completed, 0, "", Vec::new());
                    return Ok(beyond(total));
                }
            },
            _ => None,
        };
        let window = part.map(|((first, last), _)| Cut {
            skip: first,
            length: last - first + 1,
        });
        let session = going.session.caller.session.clone();
        let ran = Ran::of(&going, &parts);
        let settling = going.settling(&parts, upload);
        let length = if bodiless { Some(0) } else { length };
        let cuts = (cut.map(|(cut, _)| cut), window);
        let mut passing = Passing::new(body, begun, masking, keeping, length, settling, cuts);
        if let Some(error) = passing.failed() {
            return Err(ran.unshown(&error));
        }
        if !waits {
            return finished(shown, Shown::Passing(Box::new(passing)), wire);
        }
        if let Some((span, total)) = part {
            let shown = partial(shown, span, total);
            return finished(shown, Shown::Passing(Box::new(passing)), wire);
        }
        // Neither is long.
        let length = match (is_error, pages) {
            (true, _) => length.or(Some(0)),
            (_, true) => length.or(Some(PAGE_BYTES)),
            _ => length,
        };
        let waiting = Waiting {
            shown,
            length,
            is_head,
            wanted,
            of,
            ran,
            session,
        };
        // Few are waited for, and what waits is large.
        Box::pin(self.waited(account, passing, waiting)).await
    }

    /// An answer of which nobody knows how long it will be is waited for, up to what may be held whole; a longer one goes on
    /// as it comes.
    async fn waited(
        &self,
        account: &Account,
        passing: Passing,
        waiting: Waiting,
    ) -> Result<Response<Shown>, Refused> {
        let Waiting {
            shown,
            length,
            is_head,
            wanted,
            of,
            ran,
            session,
        } = waiting;
        let wire = ran.wire;
        let length = length.and_then(|length| usize::try_from(length).ok());
        let most = length.map_or(WHOLE_BYTES_MAX, |length| {
            let grown = length.saturating_mul(2).saturating_add(GROWTH_BYTES);
            grown.min(WHOLE_BYTES_MAX)
        });
        let room = self.rooms.large.take(&session, most).await;
        let Ok(room) = room else {
            passing.withdraw(Status::Stopped(DenialCode::LimitExceeded));
            let say = "the gateway holds as many answers as it may: try again";
            let refusal = Refusal::new(Kind::Unavailable, say);
            return Err(Refused { refusal, wire });
        };
        let waited = passing.wait(most, room).await;
        let (waited, room) = waited.map_err(|error| ran.unshown(&error))?;
        let keep = |total| {
            of.into_iter()
                .for_each(|of| account.lengths.keep(of, total))
        };
        let (whole, room) = match (waited, room) {
            (Waited::Whole(whole), Some(room)) => (whole, room),
            (Waited::Whole(whole), None) => return finished(shown, Shown::Own(Some(whole)), wire),
            (Waited::Longer(passing), _) if is_head => {
                let total = passing.drained().await;
                let total = total.map_err(|error| ran.unshown(&error))?;
                keep(total);
                let shown = shown.header("content-length", total);
                return finished(shown, Shown::Own(None), wire);
            }
            (Waited::Longer(passing), _) if wanted.is_some() => {
                passing.withdraw(Status::Stopped(DenialCode::Withheld));
                let say = "how long a compressed object that is so large will be is not known yet, so no part of it can be shown: \
                           ask for its head first, or get it whole";
                let refusal = Refusal::new(Kind::Denied, say);
                return Err(Refused { refusal, wire });
            }
            (Waited::Longer(passing), _) => return finished(shown, Shown::Passing(passing), wire),
        };
        let total = whole.len() as u64;
        keep(total);
        let held = |bytes: Bytes| Shown::Held((!bytes.is_empty()).then_some(bytes), room);
        let Some(wanted) = wanted else {
            let shown = shown.header("content-length", total);
            return if is_head {
                finished(shown, Shown::Own(None), wire)
            } else {
                finished(shown, held(whole), wire)
            };
        };
        let Some((first, last)) = wanted.within(total) else {
            return Ok(beyond(total));
        };
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        let shown = partial(shown, (first, last), total);
        finished(shown, held(whole.slice(at(first)..=at(last))), wire)
    }
}

/// An answer that is waited for.
struct Waiting {
    shown: response::Builder,
    /// How long the target says that it is.
    length: Option<u64>,
    is_head: bool,
    /// The part that is wanted of it.
    wanted: Option<Wanted>,
    /// What its length is kept by.
    of: Option<Of>,
    ran: Ran,
    /// Whose share of the room it takes.
    session: String,
}

/// The head of an answer that is a part.
fn partial(shown: response::Builder, (first, last): (u64, u64), total: u64) -> response::Builder {
    shown
        .status(StatusCode::PARTIAL_CONTENT)
        .header("content-length", last - first + 1)
        .header("content-range", format!("bytes {first}-{last}/{total}"))
}

fn finished(shown: response::Builder, body: Shown, wire: Wire) -> Result<Response<Shown>, Refused> {
    let written = shown.body(body);
    written.map_err(|_| malformed("the answer cannot be written anew", wire))
}

/// What came of a request whose answer may not be shown.
#[derive(Debug, Clone, Copy)]
struct Ran {
    wire: Wire,
    status: u16,
    /// Something changed by it.
    changed: bool,
}

impl Ran {
    fn of(going: &Going, parts: &response::Parts) -> Self {
        let level = going.call.operation.map(|it| it.level);
        Self {
            wire: going.call.wire,
            status: parts.status.as_u16(),
            changed: !matches!(level, Some(Level::List | Level::Read)),
        }
    }

    fn unshown(self, error: &ShownError) -> Refused {
        match error {
            ShownError::Withheld | ShownError::Coding(_) | ShownError::Page => {
                self.withheld(&error.to_string())
            }
            ShownError::Target(_) | ShownError::Unrecorded(_) => Refused {
                refusal: Refusal::new(Kind::Unavailable, error.to_string()),
                wire: self.wire,
            },
        }
    }

    /// Says no more than is true: that a target was busy or that a request was carried out is not that it was refused.
    fn withheld(self, why: &str) -> Refused {
        let (kind, say) = match self.status {
            status @ 400.. => (
                Kind::Target(status),
                format!("the target answered {status}; {why}"),
            ),
            _ if self.changed => (
                Kind::Denied,
                format!("the request was carried out, so do not send it again; {why}"),
            ),
            _ => (Kind::Denied, why.to_owned()),
        };
        Refused {
            refusal: Refusal::new(kind, say),
            wire: self.wire,
        }
    }
}

pub(super) fn withheld(going: Going, parts: &response::Parts, why: &str) -> Refused {
    let ran = Ran::of(&going, parts);
    match ran.status {
        status @ 400.. => going.failed(status, parts),
        _ => going.stopped(DenialCode::Withheld, Some(parts)),
    }
    ran.withheld(&format!(
        "the answer {why}, so it is withheld under the mask: a policy would have to reveal every built-in class"
    ))
}

/// The beginning of an answer, where it can be inspected.
pub(super) async fn begin(
    parts: &response::Parts,
    body: &mut Received,
    going: &Going,
    cut: bool,
) -> Result<Begun, Unbegun> {
    let wire = going.call.wire;
    let withheld = |why: &str| Unbegun::Withheld(why.to_owned());
    let mut first = next_piece(body).await?;
    let mut read = first.len() as u64;
    if first.is_empty() {
        return Ok(Begun::default());
    }
    let field = |name: &str| parts.headers.get(name).and_then(|it| it.to_str().ok());
    let encodings: Vec<_> = parts.headers.get_all("content-encoding").iter().collect();
    let encoding = field("content-encoding").filter(|it| !is_plain(it));
    let is_object = going
        .call
        .operation
        .is_some_and(|it| matches!(it.name, "GetObject" | "HeadObject") && wire == Wire::S3);
    if encodings.len() > 1 {
        return Err(withheld("is compressed more than once"));
    }
    let part = parts.status == StatusCode::PARTIAL_CONTENT;
    if part && !cut {
        let numbered = |(name, _): &(String, String)| name == "partNumber";
        let why = if going.call.parameters.iter().any(numbered) {
            "is a part by its number, whose neighbours are not known: ask for its bytes (Range), or the whole"
        } else {
            "is a part of something that is not one range of the bytes of an object"
        };
        return Err(withheld(why));
    }
    let of_compressed =
        || withheld("is a part of a compressed object: get it whole, without Range");
    if is_object && part && compressed(parts, &going.call).is_some() {
        return Err(of_compressed());
    }
    if encoding.is_some() || is_object {
        let most = if is_object { LOOK_BYTES } else { MAGIC_BYTES };
        while first.len() < most {
            let more = next_piece(body).await?;
            if more.is_empty() {
                break;
            }
            read += more.len() as u64;
            let mut both = BytesMut::from(first);
            both.extend_from_slice(&more);
            first = both.freeze();
        }
        let format = Format::of_content(&first);
        if encoding.is_some_and(|it| Format::named(it) != format || format.is_none()) {
            return Err(withheld("is compressed in a way that is not read here"));
        }
        if format.is_some() && part {
            return Err(of_compressed());
        }
        if let Some(format) = format {
            return decoded(format, first, read, body).await;
        }
    }
    let content = field("content-type").unwrap_or_default();
    if content.contains("eventstream") || wire == Wire::Cbor && content != "application/cbor" {
        return Err(withheld("is in a binary form"));
    }
    if wire != Wire::Cbor && !is_text(&first) {
        return Err(withheld("is not plain text"));
    }
    Ok(Begun {
        first: Some(first),
        read,
        coding: None,
    })
}

/// The same of a compressed one: the first of its content.
async fn decoded(
    format: Format,
    first: Bytes,
    mut read: u64,
    body: &mut Received,
) -> Result<Begun, Unbegun> {
    let broken = |error: protocols::http::coding::Broken| {
        Unbegun::Withheld(format!("is compressed, and {error}"))
    };
    let mut coding = Coding::new(format).map_err(broken)?;
    coding.push(first);
    loop {
        match coding.next() {
            Some(Ok(content)) if content.is_empty() => {}
            Some(Ok(content)) if !is_text(&content) => {
                return Err(Unbegun::Withheld(
                    "is compressed, and not plain text".to_owned(),
                ));
            }
            Some(Ok(content)) => {
                return Ok(Begun {
                    first: Some(content.into()),
                    read,
                    coding: Some(Box::new(coding)),
                });
            }
            Some(Err(error)) => return Err(broken(error)),
            None => {
                let more = next_piece(body).await?;
                if more.is_empty() {
                    return Ok(Begun {
                        first: None,
                        read,
                        coding: Some(Box::new(coding)),
                    });
                }
                read += more.len() as u64;
                coding.push(more);
            }
        }
    }
}

/// The next piece; empty at the end.
pub(super) async fn next_piece(body: &mut Received) -> Result<Bytes, Unbegun> {
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(Unbegun::Target)?.into_data();
        if let Ok(data) = data
            && !data.is_empty()
        {
            return Ok(data);
        }
    }
    Ok(Bytes::new())
}
