//! Whose commands these are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mask::CommitmentKey;
use model::{Digest, Event, Identity, MaskFact, Outcome, Settle};

use tokio::sync::watch;

use crate::journal::Journal;
use crate::record::Recorder;
use crate::upstream::Target;

/// A session that may ask: who, where, and where its commands are recorded.
pub struct Caller {
    /// The session's id.
    pub session: String,
    /// Who.
    pub identity: Arc<Identity>,
    /// [`Identity::key`].
    pub key: Digest,
    /// Where.
    pub target: Arc<Target>,
    /// Its recording.
    pub recorder: Recorder,
    /// Under which it is committed to what is found in what it is shown.
    pub commitments: CommitmentKey,
    journal: Journal,
    permitted: AtomicU64,
    settled: AtomicU64,
    refused: AtomicU64,
    /// What was masked for it that is no fact of a command.
    found: Mutex<Vec<MaskFact>>,
    /// Intents on their way to the disk.
    intending: watch::Sender<usize>,
}

impl Caller {
    /// A session of `identity` with `target`.
    #[must_use]
    pub fn new(
        session: String,
        identity: Arc<Identity>,
        target: Arc<Target>,
        recorder: Recorder,
        journal: Journal,
    ) -> Self {
        Self {
            key: identity.key(),
            session,
            identity,
            target,
            commitments: CommitmentKey::new(recorder.commitments().as_ref()),
            recorder,
            journal,
            permitted: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            found: Mutex::default(),
            intending: watch::Sender::new(0),
        }
    }

    /// Waits until no intent is on its way to the disk: then every one that is there has its permit, or its outcome.
    pub async fn at_rest(&self) {
        // The sender lives as long as `self`, so this does not fail.
        drop(
            self.intending
                .subscribe()
                .wait_for(|count| *count == 0)
                .await,
        );
    }

    pub(super) fn intends(&self) {
        self.intending.send_modify(|count| *count += 1);
    }

    pub(super) fn intended(&self) {
        self.intending
            .send_modify(|count| *count = count.saturating_sub(1));
    }

    /// This was masked, and is no fact of a command.
    pub(crate) fn found(&self, facts: Vec<MaskFact>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.extend(facts);
    }

    /// What was so far, for the session's last entry.
    pub(crate) fn take_found(&self) -> Vec<MaskFact> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *found)
    }

    /// Commands that were permitted, settled and refused so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            permitted: self.permitted.load(Ordering::Relaxed),
            settled: self.settled.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    pub(super) fn count_permitted(&self) {
        self.permitted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}

/// How many commands of a session came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Permits given.
    pub permitted: u64,
    /// Permits settled.
    pub settled: u64,
    /// Commands refused.
    pub refused: u64,
}

impl Settle for Caller {
    fn settle(&self, intent: u64, outcome: Outcome) {
        self.settled.fetch_add(1, Ordering::Relaxed);
        self.journal.post(Event::Outcome {
            session: self.session.clone(),
            intent,
            outcome,
        });
    }
}
