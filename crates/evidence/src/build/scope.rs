//! What concerns the target asked for.

use std::collections::HashSet;

use model::{ApprovalStatement, Event};

/// Follows the log, and says of each entry whether it is shown.
pub(super) struct Scope {
    target: Option<String>,
    sessions: HashSet<String>,
    approvals: HashSet<String>,
}

impl Scope {
    pub(super) fn new(target: Option<String>) -> Self {
        Self {
            target,
            sessions: HashSet::new(),
            approvals: HashSet::new(),
        }
    }

    /// Entries about another target are not; entries about the gateway, its policies and its people are.
    pub(super) fn shows(&mut self, event: &Event) -> bool {
        let Some(target) = &self.target else {
            return true;
        };
        match event {
            Event::SessionOpened(opened) => {
                let ours = opened.target == *target;
                if ours {
                    self.sessions.insert(opened.session.clone());
                }
                ours
            }
            Event::SessionClosed { session, .. } => self.sessions.remove(session),
            Event::Intent(intent) => intent.target == *target,
            Event::Outcome { session, .. }
            | Event::Refused { session, .. }
            | Event::Recorded { session, .. } => self.sessions.contains(session),
            // Who did not get so far as to name a target may have meant any.
            Event::Authenticated(login) => {
                login.target == *target || login.target == "api" || login.target.is_empty()
            }
            Event::ApprovalRequested(request) => {
                let ours = request.target == *target;
                if ours {
                    self.approvals.insert(request.id.clone());
                }
                ours
            }
            Event::ApprovalGiven { statement, .. } => {
                serde_json::from_str::<ApprovalStatement>(statement)
                    .is_ok_and(|said| said.target == *target)
            }
            Event::ApprovalClosed { approval, .. } => self.approvals.remove(approval),
            Event::Started(_) => {
                // What was open when the gateway ended is so no more.
                self.approvals.clear();
                true
            }
            Event::Heartbeat { .. }
            | Event::Stopped {}
            | Event::PolicyActivated { .. }
            | Event::PolicyRejected { .. }
            | Event::TokenIssued { .. }
            | Event::ReplayWatched { .. }
            | Event::EvidenceBuilt { .. } => true,
        }
    }
}
