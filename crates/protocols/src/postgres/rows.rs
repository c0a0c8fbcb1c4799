//! What the client is shown of an answer: rows, COPY data, errors, notices.
//!
//! ```text
//! RowDescription ─▶ RowPlan::new (a rule for each column, or a refusal) ─▶ RowPlan::row / run (for each DataRow)
//! CopyOutResponse ─▶ CopyPlan::new ─▶ CopyPlan::data (for each CopyData) ─▶ CopyPlan::finish
//! ```
//!
//! A column is *declared* (the lineage of the statement says so: masked whatever it looks like), *scanned* (detectors look
//! at every value) or *passed* (its type can hold nothing that a detector finds). What cannot be shown masked, because it
//! is computed of protected data or because nobody can read its form, is refused before a single row passes.
//!
//! A value is masked in its own form, so that what reads it still can: text in place, JSON so that it stays JSON, arrays
//! element by element, rows field by field, in either format. A number, a date or another value that has no place for `*`
//! becomes NULL.

mod binary;
mod cell;
mod copy;
mod document;
mod incoming;
mod json;
mod json_path;
mod notification;
mod numeric;
mod plan;
mod range;
mod replaced;
mod report;
mod spellings;
mod text;
mod tuple;
mod typed;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use mask::Findings;
use model::{Denial, DenialCode, MaskFact};

use super::wire::{Frame, Malformed, server};
use tuple::Tuples;

pub use copy::{COPY_ROW_BYTES_MAX, CopyPlan};
pub use incoming::CopyIn;
pub use notification::mask_notification;
pub(super) use numeric::number_text;
pub(in crate::postgres) use report::tells_of_keys;
pub use report::{Reports, mask_parameter_status};
pub use spellings::spellings;

/// Why a row, or a whole answer, is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A message is not as it must be: the upstream broke the protocol.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Something in it must be withheld.
    #[error("{}", .0.denial)]
    Refused(Box<Refusal>),
}

/// A refusal, and what is to be told of it in the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For the client.
    pub denial: Denial,
    /// What was withheld.
    pub facts: Vec<MaskFact>,
}

impl RowError {
    fn withheld(message: String, facts: Vec<MaskFact>) -> Self {
        let denial = Denial::new(DenialCode::Withheld, message);
        Self::Refused(Box::new(Refusal { denial, facts }))
    }
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It may be shown as it came. Nothing was appended.
    Untouched,
    /// What may be shown in its place was appended.
    Rewritten,
}

/// How the rows of one answer are shown.
#[derive(Debug)]
pub struct RowPlan {
    tuples: Tuples,
    /// A masked row.
    message: Vec<u8>,
}

/// Kind, length: what stands before a row in its message.
const HEADER_BYTES: usize = 5;

impl RowPlan {
    /// Whether every row may be shown as it comes, unread.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.tuples.is_clear()
    }

    /// Decides about one DataRow; `findings` are those that the plan was made with.
    ///
    /// # Errors
    /// [`RowError`]; nothing was appended.
    pub fn row(
        &mut self,
        frame: &Frame,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<Shown, RowError> {
        self.rewrite(&frame.whole, findings)?;
        if self.message.is_empty() {
            return Ok(Shown::Untouched);
        }
        out.append(&mut self.message);
        Ok(Shown::Rewritten)
    }

    /// Decides about a stretch of whole DataRow messages ([`super::wire::Run`]).
    ///
    /// # Errors
    /// [`RowError`]; then what was appended is what may be shown of the rows before.
    pub fn run(
        &mut self,
        whole: &Bytes,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<Shown, RowError> {
        if self.tuples.is_clear() {
            return Ok(Shown::Untouched);
        }
        let (mut at, mut copied) = (0, 0);
        let mut shown = Shown::Untouched;
        while at < whole.len() {
            let end = message_end(whole, at)?;
            let message = whole.get(at..end).unwrap_or_default();
            let result = self.rewrite(message, findings);
            if result.is_err() || !self.message.is_empty() {
                out.extend_from_slice(whole.get(copied..at).unwrap_or_default());
                out.append(&mut self.message);
                copied = end;
                shown = Shown::Rewritten;
            }
            result?;
            at = end;
        }
        if shown == Shown::Rewritten {
            out.extend_from_slice(whole.get(copied..).unwrap_or_default());
        }
        Ok(shown)
    }

    /// Leaves in `self.message` what is to be shown in place of `whole`; nothing where it may be shown itself.
    fn rewrite(&mut self, whole: &[u8], findings: &mut Findings) -> Result<(), RowError> {
        self.message.clear();
        if self.tuples.is_clear() {
            return Ok(());
        }
        if whole.first() != Some(&server::DATA_ROW) {
            return Err(Malformed("a row was expected").into());
        }
        self.tuples
            .rewrite(whole, HEADER_BYTES, &mut self.message, findings)?;
        if !self.message.is_empty() {
            set_length(&mut self.message, 0);
        }
        Ok(())
    }
}

/// Where the message that begins at `at` ends.
fn message_end(whole: &[u8], at: usize) -> Result<usize, Malformed> {
    let length = whole.get(at + 1..).and_then(|rest| rest.first_chunk());
    let length = length.map(|length| u32::from_be_bytes(*length) as usize);
    let end = length.map(|length| at + 1 + length);
    end.filter(|end| *end <= whole.len() && *end >= at + HEADER_BYTES)
        .ok_or(Malformed("a message is not whole"))
}

/// Writes the length of the message that begins at `at` and ends with `out`.
fn set_length(out: &mut [u8], at: usize) {
    let length = u32::try_from(out.len() - at - 1).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(at + 1..at + HEADER_BYTES) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}
