//! Entries from before the period that entries of the period refer to: what was open when it began.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ledger::Reader;
use model::{ApprovalStatement, Event};

use super::scope::Scope;
use super::{BuildError, decode};

/// What is open, by the leaves that tell of it.
#[derive(Default)]
struct Open {
    started: Option<u64>,
    /// The last two changes of policies: a command decided under the earlier may be written after the later.
    policies: Vec<u64>,
    sessions: HashMap<String, u64>,
    intents: BTreeMap<u64, Running>,
    /// Those that may still be used: the requests, their verdicts, and the sendings that failed in passing.
    approvals: HashMap<String, Vec<u64>>,
    /// The last leaf, for its time.
    last: Option<u64>,
}

/// A command that has not ended.
struct Running {
    session: String,
    approval: Option<String>,
}

/// The leaves, in order. `scope` follows all entries up to `first`.
pub(super) fn find(
    log: &Reader,
    first: u64,
    scope: &mut Scope,
) -> Result<BTreeSet<u64>, BuildError> {
    let mut open = Open::default();
    for item in log.entries(0..first) {
        let (leaf, bytes) = item?;
        let entry = decode(leaf, &bytes)?;
        open.last = None;
        if scope.shows(&entry.event) {
            open.last = Some(leaf);
            open.take(leaf, entry.event);
        }
    }
    let mut leaves: BTreeSet<u64> = open.intents.keys().copied().collect();
    leaves.extend(open.started);
    leaves.extend(open.policies);
    leaves.extend(open.sessions.values());
    leaves.extend(open.approvals.values().flatten());
    leaves.extend(open.last);
    Ok(leaves)
}

impl Open {
    fn take(&mut self, leaf: u64, event: Event) {
        match event {
            Event::Started(_) => {
                *self = Self {
                    started: Some(leaf),
                    last: self.last,
                    ..Self::default()
                };
            }
            Event::PolicyActivated { .. } => {
                self.policies.push(leaf);
                if self.policies.len() > 2 {
                    self.policies.remove(0);
                }
            }
            Event::SessionOpened(opened) => drop(self.sessions.insert(opened.session, leaf)),
            Event::SessionClosed { session, .. } => {
                self.sessions.remove(&session);
                let ended = self.intents.extract_if(.., |_, of| of.session == session);
                for approval in ended.filter_map(|(_, of)| of.approval) {
                    // Used for good: nobody says how.
                    self.approvals.remove(&approval);
                }
            }
            Event::Intent(intent) => {
                let approval = intent.approval.as_ref();
                if let Some(leaves) = approval.and_then(|id| self.approvals.get_mut(id)) {
                    leaves.push(leaf);
                }
                let running = Running {
                    session: intent.session,
                    approval: intent.approval,
                };
                self.intents.insert(leaf, running);
            }
            Event::Outcome {
                intent, outcome, ..
            } => {
                let running = self.intents.remove(&intent);
                let Some(id) = running.and_then(|it| it.approval) else {
                    return;
                };
                if !outcome.again {
                    self.approvals.remove(&id);
                } else if let Some(leaves) = self.approvals.get_mut(&id) {
                    leaves.push(leaf);
                }
            }
            Event::ApprovalRequested(request) => {
                self.approvals.insert(request.id, vec![leaf]);
            }
            Event::ApprovalGiven { statement, .. } => {
                let said = serde_json::from_str::<ApprovalStatement>(&statement).ok();
                let leaves = said.and_then(|said| self.approvals.get_mut(&said.approval));
                leaves.into_iter().for_each(|leaves| leaves.push(leaf));
            }
            Event::ApprovalClosed { approval, .. } => drop(self.approvals.remove(&approval)),
            _ => {}
        }
    }
}
