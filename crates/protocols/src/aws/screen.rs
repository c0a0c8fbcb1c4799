//! What a request carries: the classes that are found in what it sends, so that policy can refuse it or ask.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use mask::{Findings, Hint, Masker};

use super::classify::{Call, Wire};
use super::objects::{Declared, Facts, declared, touched};
use super::secrets::Hider;
use super::source::{COPY, RENAME};
use super::table::Level;
use super::{cbor, texts};
use crate::http::Head;
use crate::http::coding::{Decoder, Format};

/// Stands among the classes where something could not be looked at: it may hold any of them.
pub const UNINSPECTED: &str = "uninspected";
/// The attribute of policies' context that holds the classes.
pub const ATTRIBUTE: &str = "carries";
/// S3's directory buckets append what is sent with this field to an object: what it goes on from is not known.
const APPENDS: &str = "x-amz-write-offset-bytes";
/// What is compressed is looked at up to this length of its content.
const CONTENT_BYTES_MAX: usize = 64 << 20;

/// What a call carries at which nobody has looked.
#[must_use]
pub fn unknown(call: &Call) -> BTreeSet<String> {
    let sends = sends(call).then(|| UNINSPECTED.to_owned());
    sends.into_iter().collect()
}

/// Whether a call is this one of S3's.
#[must_use]
pub fn is(call: &Call, operation: &str) -> bool {
    call.wire == Wire::S3 && call.operation.is_some_and(|it| it.name == operation)
}

/// Whether a call sends something that policy may ask about.
#[must_use]
pub fn sends(call: &Call) -> bool {
    let looks = |level| matches!(level, Level::List | Level::Read);
    call.operation.is_none_or(|it| !looks(it.level))
}

/// The classes that are found in what a call says beside its body: in its path, its query and its fields.
#[must_use]
pub fn said(call: &Call, head: &Head, masker: &Arc<Masker>) -> BTreeSet<String> {
    let mut findings = Findings::counting();
    if sends(call) {
        let text = texts::of_head(head);
        let text = without_tokens(call, &text);
        let mut unused = Vec::with_capacity(text.len());
        let _ = masker.mask_text(Hint::NONE, text.as_bytes(), &mut unused, &mut findings);
    }
    let facts = findings.facts();
    facts
        .into_iter()
        .map(|fact| fact.class.to_string())
        .collect()
}

/// The classes that are found in the body of a call, or declared of the object that it uploads; `masker` reveals nothing. Of a
/// part of an object it is not known what is declared, and of what completes an upload not what the parts hold: see
/// [`seams`](super::seams).
#[must_use]
pub fn carried(
    call: &Call,
    head: &Head,
    body: &Bytes,
    all: &[Declared],
    masker: &Arc<Masker>,
) -> BTreeSet<String> {
    let mut carried = BTreeSet::new();
    let is_part = is(call, "UploadPart");
    // A part does not tell of what type the object will be.
    let facts = if is_part {
        Facts::default()
    } else {
        Facts::of_upload(head)
    };
    let declared = declared(all, call, &facts);
    let copies = head.fields.has(COPY) || head.fields.has(RENAME);
    let unknown = is_part && declared.is_some()
        || is(call, "CompleteMultipartUpload")
        || head.fields.has(APPENDS)
        || copies;
    if copies {
        carried.extend(of_copy(call, all));
    }
    let hider = declared.and_then(|it| Hider::of_object(it, masker));
    let mut search = Search {
        masker,
        hider: hider.filter(|_| !is_part),
        findings: Findings::counting(),
    };
    let whole = match Format::of_content(body) {
        Some(format) => search.packed(format, body.clone()),
        None if call.wire == Wire::Cbor => match cbor::text(body) {
            Some(text) => search.text(without_tokens(call, &text).as_bytes()),
            None => body.is_empty(),
        },
        None if is_part => search.text(characters(body, true, true)),
        // In a form a space is a plus, and much is escaped.
        None if matches!(call.wire, Wire::Query | Wire::Ec2) => match texts::of_form(body) {
            Some(text) => search.text(without_tokens(call, &text).as_bytes()),
            None => false,
        },
        None => match std::str::from_utf8(body) {
            Ok(text) => search.text(without_tokens(call, text).as_bytes()),
            Err(_) => false,
        },
    };
    if unknown || !(whole && search.finished()) {
        carried.insert(UNINSPECTED.to_owned());
    }
    carried.extend(search.classes());
    carried
}

/// The classes that are declared of what a call copies, and of what it copies it to.
fn of_copy(call: &Call, all: &[Declared]) -> BTreeSet<String> {
    let names = touched(all, call).flat_map(|it| &it.names);
    names.map(|(_, class)| class.to_string()).collect()
}

/// What is searched of what a call says. Objects have no such tokens.
fn without_tokens<'a>(call: &Call, text: &'a str) -> Cow<'a, str> {
    if call.wire == Wire::S3 {
        return Cow::Borrowed(text);
    }
    texts::without_tokens(text).0
}

/// The classes that are found in what is a piece of a text.
pub(super) fn of_piece(piece: &[u8], masker: &Arc<Masker>) -> BTreeSet<String> {
    let mut search = Search {
        masker,
        hider: None,
        findings: Findings::counting(),
    };
    let whole = search.text(piece);
    let mut carried: BTreeSet<String> = search.classes().collect();
    if !whole {
        carried.insert(UNINSPECTED.to_owned());
    }
    carried
}

/// A piece of a text without what is left of a character of UTF-8 at its start or end, where the text goes on.
pub(super) fn characters(mut piece: &[u8], before: bool, after: bool) -> &[u8] {
    if before {
        let is_rest = |byte: &&u8| **byte & 0xC0 == 0x80;
        let rest = piece.iter().take(3).take_while(is_rest).count();
        piece = piece.get(rest..).unwrap_or_default();
    }
    if after
        && let Err(error) = std::str::from_utf8(piece)
        && error.error_len().is_none()
    {
        piece = piece.get(..error.valid_up_to()).unwrap_or_default();
    }
    piece
}

struct Search<'a> {
    masker: &'a Arc<Masker>,
    hider: Option<Hider>,
    findings: Findings,
}

impl Search<'_> {
    fn classes(&self) -> impl Iterator<Item = String> {
        let facts = self.findings.facts().into_iter();
        facts.map(|fact| fact.class.to_string())
    }

    /// Whether it could be looked at.
    fn text(&mut self, text: &[u8]) -> bool {
        if std::str::from_utf8(text).is_err() || text.contains(&0) || texts::is_packed(text) {
            return false;
        }
        let mut unused = Vec::new();
        let _ = self
            .masker
            .mask_text(Hint::NONE, text, &mut unused, &mut self.findings);
        self.named(text)
    }

    /// The same by what is declared.
    fn named(&mut self, text: &[u8]) -> bool {
        let Some(hider) = &mut self.hider else {
            return true;
        };
        let mut unused = Vec::with_capacity(text.len());
        hider.push(text, &mut unused, &mut self.findings).is_ok()
    }

    fn finished(&mut self) -> bool {
        let Some(hider) = self.hider.take() else {
            return true;
        };
        hider.finish(&mut Vec::new(), &mut self.findings).is_ok()
    }

    fn packed(&mut self, format: Format, mut body: Bytes) -> bool {
        let Ok(mut decoder) = Decoder::new(format) else {
            return false;
        };
        let mut content = Vec::new();
        loop {
            let (left, length) = (body.len(), content.len());
            if decoder.step(&mut body, &mut content).is_err() || content.len() > CONTENT_BYTES_MAX {
                return false;
            }
            if (left, length) == (body.len(), content.len()) {
                break;
            }
        }
        decoder.finish().is_ok() && self.text(&content)
    }
}
