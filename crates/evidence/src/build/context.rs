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
    intents: BTreeMap<u64, String>,
    approvals: HashMap<String, Vec<u64>>,
    /// The last leaf, for its time.
    last: Option<u64>,
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
                self.intents.retain(|_, of| *of != session);
            }
            Event::Intent(intent) => {
                if let Some(approval) = &intent.approval {
                    self.approvals.remove(approval);
                }
                self.intents.insert(leaf, intent.session);
            }
            Event::Outcome { intent, .. } => drop(self.intents.remove(&intent)),
            Event::ApprovalRequested(request) => {
                drop(self.approvals.insert(request.id, vec![leaf]))
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
