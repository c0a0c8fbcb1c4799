//! What a request carries: the classes that are found in what it sends, so that policy can refuse it or ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use mask::{Findings, Hint, Masker};

use super::cbor;
use super::classify::{Call, Wire};
use super::objects::{Declared, Facts, declared};
use super::secrets::Hider;
use super::table::Level;
use crate::http::Head;
use crate::http::coding::{Decoder, Format};

/// Stands among the classes where something could not be looked at: it may hold any of them.
pub const UNINSPECTED: &str = "uninspected";
/// The attribute of policies' context that holds the classes.
pub const ATTRIBUTE: &str = "carries";
/// What is compressed is looked at up to this length of its content.
const CONTENT_BYTES_MAX: usize = 64 << 20;

/// What a call carries at which nobody has looked.
#[must_use]
pub fn unknown(call: &Call) -> BTreeSet<String> {
    let sends = sends(call).then(|| UNINSPECTED.to_owned());
    sends.into_iter().collect()
}

/// Whether a call sends something that policy may ask about.
#[must_use]
pub fn sends(call: &Call) -> bool {
    let looks = |level| matches!(level, Level::List | Level::Read);
    call.operation.is_none_or(|it| !looks(it.level))
}

/// The classes that are found in the body of a call, or declared of the object that it uploads; `masker` reveals nothing.
#[must_use]
pub fn carried(
    call: &Call,
    head: &Head,
    body: &Bytes,
    all: &[Declared],
    masker: &Arc<Masker>,
) -> BTreeSet<String> {
    let mut carried = BTreeSet::new();
    let facts = Facts::of_upload(head);
    let hider = declared(all, call, &facts).and_then(|it| Hider::of_object(it, masker));
    let mut search = Search {
        masker,
        hider,
        findings: Findings::counting(),
    };
    let whole = match Format::of_content(body) {
        Some(format) => search.packed(format, body.clone()),
        None if call.wire == Wire::Cbor => match cbor::text(body) {
            Some(text) => search.text(text.as_bytes()),
            None => body.is_empty(),
        },
        None => search.text(body),
    };
    if !(whole && search.finished()) {
        carried.insert(UNINSPECTED.to_owned());
    }
    let facts = search.findings.facts();
    carried.extend(facts.into_iter().map(|fact| fact.class.to_string()));
    carried
}

struct Search<'a> {
    masker: &'a Arc<Masker>,
    hider: Option<Hider>,
    findings: Findings,
}

impl Search<'_> {
    /// Whether it could be looked at.
    fn text(&mut self, text: &[u8]) -> bool {
        if std::str::from_utf8(text).is_err() || text.contains(&0) {
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
