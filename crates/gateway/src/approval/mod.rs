//! Approvals: what is asked of people, what they sign, and the single use of what they grant.
//!
//! A request binds to the command's digest, the identity, the target and the policy version. Each person signs a statement
//! that names all of it; the statement and its signature stand in the ledger, durable, before they count. When every gate has
//! its quorum of distinct people the request becomes a grant: it is used once, by the same identity, for the same bytes, under
//! the same policies, before it expires; the session that used it may do so again where the upstream failed in passing. Open requests and grants live in memory: a restart closes them all, and the same
//! command asks again.

mod give;
mod grant;
mod request;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ledger::Log;
use model::{
    ApprovalRequest, Command, CommandDigest, Digest, Entry, Event, PolicyVersion, Timestamp,
    Verdict,
};
use serde::Serialize;
use tokio::sync::watch;

use crate::clock::Clock;

pub use give::{ApproveError, Standing};
pub use grant::{Grant, GrantKey};
pub use request::{Asked, Settled, Ticket};

use grant::Sendings;

/// Requests and grants that may be open at once.
pub const OPEN_MAX: usize = 1_000;

/// Requests and grants that one identity may have open at once.
pub const OPEN_PER_IDENTITY_MAX: usize = 20;

/// How the gateway treats approvals.
#[derive(Debug, Clone)]
pub struct Terms {
    /// After this a request, and a grant of it, is void.
    pub expires: Duration,
    /// Whose signature is whose: each person's OpenSSH public keys, by the name that identities carry as `human`.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// The command as approvers see it: the exact bytes, and what lets them compute its digest for themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exact {
    /// The protocol.
    pub protocol: String,
    /// The canonical bytes ([`Command::canonical`]), hexadecimal.
    pub canonical: String,
    /// The salt of the digest.
    pub salt: Digest,
    /// The text.
    pub text: String,
    /// The parameters, as far as they are text; `None` is NULL.
    pub parameters: Vec<Option<String>>,
    /// What it does to what.
    pub effects: Vec<String>,
}

impl Exact {
    /// The exact form of `command`.
    #[must_use]
    pub fn new(command: &Command, digest: &CommandDigest) -> Self {
        let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => format!("\\x{}", hex::encode(bytes)),
        };
        let effect = |ask: &model::Ask| format!("{} {}", ask.action, ask.resource.name);
        Self {
            protocol: command.protocol.to_owned(),
            canonical: hex::encode(command.canonical()),
            salt: digest.salt,
            text: text(&command.text),
            parameters: command
                .parameters
                .iter()
                .map(|p| p.value.as_deref().map(text))
                .collect(),
            effects: command.asks.list().iter().map(effect).collect(),
        }
    }
}

/// All approvals of a gateway. Cheap to clone.
#[derive(Clone)]
pub struct Approvals {
    shared: Arc<Shared>,
}

struct Shared {
    log: Log,
    clock: Clock,
    terms: Terms,
    open: Mutex<HashMap<String, Open>>,
    /// Whoever gives a verdict holds this until it is durable, so that two cannot both be the last one needed.
    giving: tokio::sync::Mutex<()>,
    /// Counts changes, for those who watch the list.
    changes: watch::Sender<u64>,
}

struct Open {
    request: ApprovalRequest,
    exact: Exact,
    given: Vec<Given>,
    status: watch::Sender<Status>,
    sendings: Sendings,
}

/// One person's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Given {
    /// Who.
    pub approver: String,
    /// What.
    pub verdict: Verdict,
    /// Why, in their words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// The groups of the gates that it counts towards.
    pub groups: Vec<String>,
    /// The fingerprint of the key that signed it.
    pub key: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Status {
    Pending,
    Granted,
    Denied { by: String, reason: String },
    Closed(&'static str),
}

/// A request as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    /// The request.
    #[serde(flatten)]
    pub request: ApprovalRequest,
    /// The exact command.
    pub exact: Exact,
    /// Verdicts so far.
    pub given: Vec<Given>,
    /// `pending` or `granted`.
    pub status: &'static str,
}

impl Approvals {
    /// Approvals that write to `log`. Expired ones are closed by a task of the current runtime.
    #[must_use]
    pub fn start(log: Log, clock: Clock, terms: Terms) -> Self {
        let shared = Arc::new(Shared {
            log,
            clock,
            terms,
            open: Mutex::default(),
            giving: tokio::sync::Mutex::default(),
            changes: watch::Sender::new(0),
        });
        let swept = Arc::downgrade(&shared);
        tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_secs(1));
            loop {
                every.tick().await;
                let Some(shared) = swept.upgrade() else {
                    return;
                };
                shared.close_where("expired", |open, now| open.request.expires <= now);
            }
        });
        Self { shared }
    }

    /// What is open, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<View> {
        let mut views: Vec<View> = {
            let open = self.shared.lock();
            open.values()
                .filter(|one| one.is_open())
                .map(Open::view)
                .collect()
        };
        views.sort_by(|a, b| {
            (a.request.requested, &a.request.id).cmp(&(b.request.requested, &b.request.id))
        });
        views
    }

    /// The fingerprints of the keys whose signatures count as `human`'s.
    #[must_use]
    pub fn keys(&self, human: &str) -> Vec<String> {
        let keys = self.shared.terms.keys.get(human).into_iter().flatten();
        keys.filter_map(|key| evidence::sshsig::fingerprint(key).ok())
            .collect()
    }

    /// One of them.
    #[must_use]
    pub fn show(&self, id: &str) -> Option<View> {
        let open = self.shared.lock();
        open.get(id).filter(|one| one.is_open()).map(Open::view)
    }

    /// Tells whenever the list changes.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Other policies are in force: whatever was asked under earlier ones is void.
    pub fn policy_changed(&self, policy: PolicyVersion) {
        self.shared
            .close_where("policy_changed", |open, _| open.request.policy != policy);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Closes those for which `done` holds; each becomes an entry.
    fn close_where(&self, reason: &'static str, done: impl Fn(&Open, Timestamp) -> bool) {
        let now = self.clock.stamp();
        let mut closed = Vec::new();
        self.lock().retain(|_, open| {
            let keep = !done(open, now);
            if !keep {
                // One that is being used does not end unused.
                if open.is_open() {
                    closed.push(open.request.id.clone());
                }
                open.status.send_replace(Status::Closed(reason));
            }
            keep
        });
        for approval in &closed {
            self.note(
                Event::ApprovalClosed {
                    approval: approval.clone(),
                    reason: reason.to_owned(),
                },
                now,
            );
        }
        if !closed.is_empty() {
            self.changed();
        }
    }

    /// Writes an entry that nothing waits for.
    fn note(&self, event: Event, at: Timestamp) {
        match (Entry { at, event }).encode() {
            Ok(entry) => drop(self.log.append(entry)),
            Err(error) => tracing::error!(%error, "an approval's entry was not written"),
        }
    }
}

impl Open {
    /// Whether it waits for people, or to be used.
    fn is_open(&self) -> bool {
        !self.sendings.under_way
    }

    fn is_granted(&self) -> bool {
        *self.status.borrow() == Status::Granted
    }

    fn view(&self) -> View {
        View {
            request: self.request.clone(),
            exact: self.exact.clone(),
            given: self.given.clone(),
            status: if self.is_granted() {
                "granted"
            } else {
                "pending"
            },
        }
    }
}

#[cfg(test)]
mod tests;
