//! From an intent on its way to the disk to a permit.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use ledger::Receipt;
use model::{Obligations, Permit, Settle};
use protocols::session::Answer;

use super::Caller;
use crate::journal::{Unwritten, Writing};
use crate::stats::Stats;

/// Gives the permit once the intent is durable. If nobody waits for it any more, the permit is made all the same and
/// settles as aborted: an intent without an outcome would look like a crash.
pub(super) struct Intended {
    writing: Option<Writing>,
    rest: Rest,
}

#[derive(Clone)]
struct Rest {
    held_to: Arc<Obligations>,
    caller: Arc<Caller>,
    settler: Arc<dyn Settle>,
    stats: Arc<Stats>,
}

impl Intended {
    pub(super) fn new(
        writing: Writing,
        held_to: Arc<Obligations>,
        caller: Arc<Caller>,
        settler: Arc<dyn Settle>,
        stats: Arc<Stats>,
    ) -> Self {
        caller.intends();
        Self {
            writing: Some(writing),
            rest: Rest {
                held_to,
                caller,
                settler,
                stats,
            },
        }
    }
}

impl Rest {
    fn answer(&self, written: Result<Receipt, Unwritten>) -> Answer {
        match written {
            Ok(receipt) => {
                self.stats.permitted.up();
                self.caller.count_permitted();
                Answer::Permitted(Permit::new(
                    receipt,
                    self.held_to.clone(),
                    self.settler.clone(),
                ))
            }
            Err(unwritten) => {
                self.stats.refused.up();
                self.caller.count_refused();
                Answer::Refused(unwritten.denial())
            }
        }
    }
}

impl Future for Intended {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let Some(writing) = &mut self.writing else {
            return Poll::Pending;
        };
        let written = ready!(Pin::new(writing).poll(cx));
        self.writing = None;
        let answer = self.rest.answer(written);
        self.rest.caller.intended();
        Poll::Ready(answer)
    }
}

impl Drop for Intended {
    fn drop(&mut self) {
        let Some(writing) = self.writing.take() else {
            return;
        };
        let rest = self.rest.clone();
        let finish = async move {
            drop(rest.answer(writing.await));
            rest.caller.intended();
        };
        // Without a runtime the process is ending, as in a crash.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(finish);
        }
    }
}
