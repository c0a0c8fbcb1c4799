//! Hiding in an answer as it passes.

use std::sync::Arc;

use mask::{Findings, Stream};
use model::Timestamp;
use protocols::aws::classify::Wire;
use protocols::aws::packed::Packed;
use protocols::aws::pages::{self, Of, Sealer};
use protocols::aws::secrets::Hider;
use protocols::http::coding::Broken;

use crate::record::RecordError;

/// Hiding what is found in a text, at its own length.
pub(super) struct Masking {
    pub(super) stream: Option<Stream>,
    /// What detectors cannot read, in answers of APIs.
    pub(super) packed: Option<Packed>,
    pub(super) hider: Option<Hider>,
    pub(super) findings: Findings,
    /// An answer that a next page may follow: it is held until all of it is here.
    pub(super) page: Option<Page>,
    /// Bytes that were looked at for what is declared, and those before the part that is shown.
    pub(super) named: u64,
    pub(super) ahead: u64,
}

/// The answer as it came, and as it is shown.
pub(super) struct Page {
    wire: Wire,
    list: List,
    came: Vec<u8>,
    shown: Vec<u8>,
}

/// An answer that ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum ShownError {
    /// The target's fault.
    #[error("the target ended within its answer")]
    Target(#[from] hyper::Error),
    /// It cannot be recorded.
    #[error("the answer cannot be recorded: {0}")]
    Unrecorded(#[from] RecordError),
    /// What follows cannot be inspected.
    #[error("the rest of the answer cannot be inspected, so it is withheld")]
    Withheld,
    /// The next page could not be asked for.
    #[error(
        "the page ends at a key in which something is hidden, and where it would go on cannot be read, so the answer is withheld"
    )]
    Page,
    /// Its compression cannot be read.
    #[error("the rest of the answer is withheld: {0}")]
    Coding(#[from] Broken),
}

/// A list that is asked for page by page.
#[derive(Clone)]
pub(super) struct List {
    /// What seals its markers.
    pub(super) sealer: Arc<Sealer>,
    /// Whose it is.
    pub(super) of: Of,
    /// The markers that were sent, as they were.
    pub(super) sent: Vec<(&'static str, String)>,
    /// When it was asked for.
    pub(super) now: Timestamp,
}

impl Page {
    /// Nothing of it has come.
    pub(super) fn new(wire: Wire, list: List) -> Self {
        Self {
            wire,
            list,
            came: Vec::new(),
            shown: Vec::new(),
        }
    }

    /// It as it is shown, so that the next page can be asked for by it.
    fn sealed(self) -> Option<Vec<u8>> {
        let List {
            sealer,
            of,
            sent,
            now,
        } = self.list;
        let came = (self.wire, self.came.as_slice());
        pages::sealed(&sealer, &of, came, self.shown, &sent, now)
    }
}

impl Masking {
    /// Takes the next piece, and gives what is ready to be shown.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Vec<u8>, ShownError> {
        if self.stream.is_some() && !is_text(piece) {
            return Err(ShownError::Withheld);
        }
        let anywhere = self.findings.place("answer");
        self.findings.enter(anywhere);
        let mut out = Vec::with_capacity(piece.len());
        match &mut self.stream {
            Some(stream) => stream.push(piece, &mut out, &mut self.findings),
            // What reads CBOR searches it.
            None => out.extend_from_slice(piece),
        }
        let out = self.named(out, false)?;
        if let Some(page) = &mut self.page {
            page.came.extend_from_slice(piece);
            page.shown.extend_from_slice(&out);
            return Ok(Vec::new());
        }
        Ok(out)
    }

    /// There is no more: gives what was held back.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>, ShownError> {
        let mut out = Vec::new();
        if let Some(stream) = self.stream.take() {
            stream.finish(&mut out, &mut self.findings);
        }
        let mut out = self.named(out, true)?;
        if let Some(hider) = self.hider.take() {
            let finished = hider.finish(&mut out, &mut self.findings);
            finished.map_err(|_| ShownError::Withheld)?;
        }
        let Some(mut page) = self.page.take() else {
            return Ok(out);
        };
        page.shown.append(&mut out);
        page.sealed().ok_or(ShownError::Page)
    }

    /// Hides by name too, and what could not be read; `last` is what there is no more behind.
    fn named(&mut self, mut text: Vec<u8>, last: bool) -> Result<Vec<u8>, ShownError> {
        if let Some(packed) = &mut self.packed {
            let mut read = Vec::with_capacity(text.len());
            packed.push(&text, &mut read);
            if last {
                packed.finish(&mut read);
            }
            text = read;
        }
        let Some(hider) = &mut self.hider else {
            return Ok(text);
        };
        let mut out = Vec::with_capacity(text.len());
        let ahead = self.ahead.min(text.len() as u64);
        let (before, within) = text.split_at(usize::try_from(ahead).unwrap_or(text.len()));
        for piece in [before, within] {
            self.findings.reach(self.named + piece.len() as u64);
            let pushed = hider.push(piece, &mut out, &mut self.findings);
            pushed.map_err(|_| ShownError::Withheld)?;
            self.named += piece.len() as u64;
        }
        self.ahead -= ahead;
        Ok(out)
    }
}

/// Whether detectors can read it: no control characters but those of plain text. What is compressed, encrypted or in a wide
/// encoding has others.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    // Without a branch in it, so that many bytes are looked at at once.
    let odd = |odd: bool, &byte: &u8| {
        let plain =
            (byte >= 32) | (byte == 9) | (byte == 10) | (byte == 12) | (byte == 13) | (byte == 27);
        odd | !plain | (byte == 127)
    };
    !bytes
        .chunks(1_024)
        .any(|piece| piece.iter().fold(false, odd))
}
