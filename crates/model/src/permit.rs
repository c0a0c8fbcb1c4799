//! Permission as a value: what was not recorded cannot be sent.

use std::fmt;
use std::sync::Arc;

use ledger::Receipt;

use crate::{Obligations, Outcome, Status};

/// The right to send one command upstream. Made only from a [`Receipt`], which only the ledger makes, after the
/// intent is durable. Settled once; dropped without, it settles as [`Status::Aborted`].
#[must_use = "a permit that is dropped settles as aborted"]
pub struct Permit {
    receipt: Receipt,
    obligations: Arc<Obligations>,
    settler: Option<Arc<dyn Settle>>,
}

/// Where outcomes go: the gateway's recorder. Called exactly once for each permit.
pub trait Settle: Send + Sync {
    /// The command whose intent is entry `intent` of the ledger ended so.
    fn settle(&self, intent: u64, outcome: Outcome);
}

impl Permit {
    /// A permit for the command whose intent `receipt` proves.
    pub fn new(receipt: Receipt, obligations: Arc<Obligations>, settler: Arc<dyn Settle>) -> Self {
        Self {
            receipt,
            obligations,
            settler: Some(settler),
        }
    }

    /// What the command must be held to.
    #[must_use]
    pub fn obligations(&self) -> &Arc<Obligations> {
        &self.obligations
    }

    /// The index of the intent in the ledger.
    #[must_use]
    pub fn intent(&self) -> u64 {
        self.receipt.index()
    }

    /// Says how the command ended.
    pub fn settle(mut self, outcome: Outcome) {
        self.finish(outcome);
    }

    fn finish(&mut self, outcome: Outcome) {
        if let Some(settler) = self.settler.take() {
            settler.settle(self.receipt.index(), outcome);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.finish(Outcome::bare(Status::Aborted));
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("intent", &self.receipt.index())
            .finish_non_exhaustive()
    }
}
