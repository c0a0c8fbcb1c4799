//! What people granted: it runs one command once, and again only where the upstream failed in passing.

use std::fmt;

use model::{Digest, PolicyVersion, SENDINGS_MAX};

use super::{ApprovalRequest, Approvals, Open};

/// What a grant is for; everything must be equal for it to be used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GrantKey {
    /// [`model::Identity::key`].
    pub identity: Digest,
    /// The target's name.
    pub target: String,
    /// The digest of the exact bytes and parameters.
    pub command: Digest,
    /// The policies in force.
    pub policy: PolicyVersion,
}

impl GrantKey {
    pub(super) fn of(request: &ApprovalRequest) -> Self {
        Self {
            identity: request.identity,
            target: request.target.clone(),
            command: request.command,
            policy: request.policy,
        }
    }
}

/// A grant, taken for one sending: nobody else has it. Dropped it is used up, whatever became of the command.
pub struct Grant {
    /// The approval's id.
    pub id: String,
    /// The groups whose gates it opens.
    pub groups: Vec<String>,
    approvals: Approvals,
    back: bool,
}

/// How often the command of a request was sent.
#[derive(Debug, Default)]
pub(super) struct Sendings {
    /// The session that sent it; no other may send it again.
    session: Option<String>,
    count: u32,
    /// It is on its way.
    pub(super) under_way: bool,
}

impl Sendings {
    /// Whether this session may send it, as far as others that did are concerned.
    pub(super) fn may(&self, session: &str) -> bool {
        !self.under_way && self.session.as_deref().is_none_or(|it| it == session)
    }
}

impl Approvals {
    /// Takes the grant for exactly this, if there is one that `session` may use.
    #[must_use]
    pub fn grant(&self, key: &GrantKey, session: &str) -> Option<Grant> {
        let now = self.shared.clock.stamp();
        let mut open = self.shared.lock();
        let one = open.values_mut().find(|one| {
            one.is_granted()
                && one.request.expires > now
                && one.sendings.may(session)
                && GrantKey::of(&one.request) == *key
        })?;
        one.sendings.under_way = true;
        one.sendings.count += 1;
        one.sendings.session.get_or_insert(session.to_owned());
        let gates = one.request.gates.iter();
        let grant = Grant {
            id: one.request.id.clone(),
            groups: gates.map(|gate| gate.group.clone()).collect(),
            approvals: self.clone(),
            back: false,
        };
        drop(open);
        self.shared.changed();
        Some(grant)
    }
}

impl Grant {
    /// The upstream failed in passing: the same session may send the same again, unless it did so [`SENDINGS_MAX`] times, or the
    /// grant ended meanwhile.
    pub fn give_back(mut self) {
        self.back = true;
    }

    fn is_left(&self, one: &Open) -> bool {
        self.back && one.sendings.count < SENDINGS_MAX
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        let mut open = self.approvals.shared.lock();
        match open.get_mut(&self.id) {
            Some(one) if self.is_left(one) => one.sendings.under_way = false,
            Some(_) => drop(open.remove(&self.id)),
            // It ended while the command ran.
            None => return,
        }
        drop(open);
        self.approvals.shared.changed();
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
