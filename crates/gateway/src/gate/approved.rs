//! A command that runs by an approval.

use std::sync::{Arc, Mutex, PoisonError};

use model::{Outcome, Settle};

use super::Caller;
use crate::approval::Grant;

/// Settles it, and with it what people granted: used up, unless the upstream failed in passing.
pub(super) struct Approved {
    caller: Arc<Caller>,
    grant: Mutex<Option<Grant>>,
}

impl Approved {
    pub(super) fn new(caller: Arc<Caller>, grant: Grant) -> Self {
        Self {
            caller,
            grant: Mutex::new(Some(grant)),
        }
    }
}

impl Settle for Approved {
    fn settle(&self, intent: u64, outcome: Outcome) {
        let again = outcome.again;
        // The outcome first: in the ledger it stands before the next sending's intent.
        self.caller.settle(intent, outcome);
        let mut grant = self.grant.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(grant) = grant.take()
            && again
        {
            grant.give_back();
        }
    }
}
