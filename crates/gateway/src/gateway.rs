//! What a running gateway consists of, as its sessions see it.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Event;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::config::Limits;
use crate::gate::{Caller, Gate};
use crate::identity::Verifier;
use crate::journal::Journal;
use crate::policies::Policies;
use crate::record::Recordings;
use crate::refusals::Refusals;
use crate::relay::Cancels;
use crate::stats::Stats;
use crate::upstream::Target;

/// Connections beside a session's own, at once: cancel requests on their way.
pub(crate) const ASIDES_MAX: usize = 64;

/// The parts of a running gateway.
pub struct Gateway {
    /// The clocks.
    pub clock: Clock,
    /// Named limits.
    pub limits: Limits,
    /// The way to the ledger.
    pub journal: Journal,
    /// The policies in force.
    pub policies: Arc<Policies>,
    /// Who is asking.
    pub verifier: Arc<Verifier>,
    /// What every command goes through.
    pub gate: Arc<Gate>,
    /// The targets, by name.
    pub targets: BTreeMap<String, Arc<Target>>,
    /// The recordings.
    pub recordings: Recordings,
    /// Logins that were refused lately.
    pub(crate) refusals: Refusals,
    /// The cancel keys of all sessions.
    pub cancels: Cancels,
    /// Room for connections beside sessions.
    pub asides: Arc<Semaphore>,
    /// Counters.
    pub stats: Arc<Stats>,
    /// Becomes true when the gateway is to end.
    pub ending: watch::Receiver<bool>,
}

impl Gateway {
    /// Ends a session whose connections are gone: waits until its commands are settled, closes its recording, and tells the
    /// ledger why it ended.
    pub(crate) async fn close_session(&self, caller: &Caller, reason: String) {
        caller.at_rest().await;
        let chunks = match caller.recorder.clone().close().await {
            Ok(chunks) => chunks,
            Err(error) => {
                tracing::error!(session = caller.session, %error, "a recording is not complete");
                0
            }
        };
        self.stats.sessions_open.down();
        let counts = caller.counts();
        tracing::info!(
            session = caller.session,
            reason,
            permitted = counts.permitted,
            refused = counts.refused,
            "session closed"
        );
        self.journal.post(Event::SessionClosed {
            session: caller.session.clone(),
            reason,
            permitted: counts.permitted,
            refused: counts.refused,
            chunks,
            masks: caller.take_found(),
        });
    }
}
