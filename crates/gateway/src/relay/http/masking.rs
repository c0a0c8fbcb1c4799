//! Hiding in an answer as it passes.

use mask::{Findings, Stream};
use protocols::aws::packed::Packed;
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
    /// Its compression cannot be read.
    #[error("the rest of the answer is withheld: {0}")]
    Coding(#[from] Broken),
}

impl Masking {
    /// Hides by name too, and what could not be read; `last` is what there is no more behind.
    pub(super) fn named(&mut self, mut text: Vec<u8>, last: bool) -> Result<Vec<u8>, ShownError> {
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
        let pushed = hider.push(&text, &mut out, &mut self.findings);
        pushed.map_err(|_| ShownError::Withheld)?;
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
