//! How a request ended.

use model::{Note, Outcome, Permit, Status};

use super::begun::Begins;
use super::sessions::Session;
use super::used::Claim;

/// What becomes the outcome of a request.
pub(super) struct Settling {
    pub(super) permit: Permit,
    /// The use of its signature: for good, unless nothing came of it.
    pub(super) claim: Option<Claim>,
    pub(super) session: Session,
    pub(super) seq: u64,
    /// The HTTP status; 0 where the target did not say anything, or not all of it.
    pub(super) status: u16,
    /// It failed in passing, so it may be sent again.
    pub(super) again: bool,
    /// An error may stand in the body of its success.
    pub(super) late: bool,
    /// The target's ids of the request.
    pub(super) ids: String,
    /// What was uploaded, in a word.
    pub(super) uploaded: String,
    /// The upload that it begins by an approval.
    pub(super) begins: Option<Begins>,
}

impl Settling {
    /// Says how the request ended, to the ledger and the recording.
    pub(super) fn settle(
        self,
        status: Status,
        bytes: u64,
        shown: &str,
        masks: Vec<model::MaskFact>,
    ) {
        if matches!(self.status, 100..500)
            && !self.again
            && let Some(claim) = self.claim
        {
            claim.keep();
        }
        let http = match self.status {
            0 => String::new(),
            status => format!("HTTP {status}"),
        };
        let tag = [http, self.ids, self.uploaded, shown.to_owned()];
        let parts: Vec<String> = tag.into_iter().filter(|part| !part.is_empty()).collect();
        let outcome = Outcome {
            bytes,
            tag: parts.join(" "),
            masks,
            again: self.again,
            ..Outcome::bare(status)
        };
        let note = Note::Ended {
            seq: self.seq,
            outcome: outcome.clone(),
        };
        if let Err(error) = self.session.caller.recorder.note(&note) {
            tracing::error!(session = self.session.caller.session, %error, "the recording failed");
        }
        self.permit.settle(outcome);
    }
}
