//! Giving a verdict: who may, and what is checked before it counts.

use model::{
    ApprovalRequest, ApprovalStatement, Entry, Event, Gate, Identity, SIGNATURE_NAMESPACE, Verdict,
};
use serde::Serialize;

use super::{Approvals, Given, Open, Shared, Status};

/// A reason may be so long.
const REASON_BYTES_MAX: usize = 1_000;

/// Why a verdict does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApproveError {
    /// There is no such request, or no longer.
    #[error(
        "approval {0} is not open: it was decided, used, withdrawn or has expired, or the id is wrong"
    )]
    Unknown(String),
    /// It is granted already and waits to be used.
    #[error("approval {0} is granted already")]
    Settled(String),
    /// An agent cannot approve.
    #[error("an agent cannot approve: log in as the person you are")]
    Agent,
    /// Nobody approves for themselves.
    #[error("{0} asked for this, so {0} cannot decide it: another person of {1} must")]
    Own(String, String),
    /// Not of the groups that may.
    #[error("{0} is in none of the groups that may decide this: {1}")]
    NotAsked(String, String),
    /// Once each.
    #[error("{0} has decided this already: another person must")]
    Twice(String),
    /// The same key for two people.
    #[error("the key {0} has signed this already for another person")]
    SameKey(String),
    /// The statement is not the one this request asks for.
    #[error(
        "the statement that was signed is not about this request: its {0} differs. Fetch the request again and sign that"
    )]
    Statement(&'static str),
    /// The reason is too long.
    #[error("a reason has at most {REASON_BYTES_MAX} bytes")]
    Reason,
    /// No key of this person is known.
    #[error("no key of {0} is known here: add it to [people.{0}] ssh_keys in the configuration")]
    NoKey(String),
    /// The signature does not hold.
    #[error(transparent)]
    Signature(#[from] evidence::sshsig::SshsigError),
    /// It could not be recorded, so it does not count.
    #[error("the verdict could not be recorded, so it does not count: {0}")]
    Ledger(String),
}

/// Where a request stands after a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The approval's id.
    pub id: String,
    /// `pending`, `granted` or `denied`.
    pub status: &'static str,
    /// What is still missing: each group, with how many of its people.
    pub missing: Vec<(String, u32)>,
}

impl Approvals {
    /// Takes the verdict that `identity` signed on the approval `id`: `statement` is the exact text, `signature` what `ssh-keygen -Y sign` made of it.
    /// It is durable before it counts.
    ///
    /// # Errors
    /// [`ApproveError`] says why it does not count; then nothing has changed.
    pub async fn give(
        &self,
        identity: &Identity,
        id: &str,
        statement: &str,
        signature: &str,
    ) -> Result<Standing, ApproveError> {
        let shared = &self.shared;
        let _alone = shared.giving.lock().await;
        let said: ApprovalStatement =
            serde_json::from_str(statement).map_err(|_| ApproveError::Statement("form"))?;
        if said.approval != id {
            return Err(ApproveError::Statement("id"));
        }
        let verdict = shared.check(identity, &said, statement, signature)?;
        let at = shared.clock.stamp();
        let gates = verdict
            .request
            .gates
            .iter()
            .filter(|gate| verdict.given.groups.contains(&gate.group));
        let event = Event::ApprovalGiven {
            statement: statement.to_owned(),
            signature: signature.to_owned(),
            identity: Box::new(identity.clone()),
            gates: gates.cloned().collect(),
            settled: verdict.standing.status != "pending",
        };
        let failed = |why: String| ApproveError::Ledger(why);
        let entry = Entry { at, event }
            .encode()
            .map_err(|error| failed(error.to_string()))?;
        shared
            .log
            .append(entry)
            .await
            .map_err(|error| failed(error.to_string()))?;
        shared.settle(verdict)
    }
}

/// A verdict that was checked, and what it leads to.
struct Checked {
    request: ApprovalRequest,
    given: Given,
    standing: Standing,
}

impl Shared {
    fn check(
        &self,
        identity: &Identity,
        said: &ApprovalStatement,
        statement: &str,
        signature: &str,
    ) -> Result<Checked, ApproveError> {
        let open = self.lock();
        let now = self.clock.stamp();
        let unknown = || ApproveError::Unknown(said.approval.clone());
        let one = open
            .get(&said.approval)
            .filter(|one| one.is_open() && one.request.expires > now)
            .ok_or_else(unknown)?;
        if one.is_granted() {
            return Err(ApproveError::Settled(said.approval.clone()));
        }
        let request = &one.request;
        let counts = may_decide(identity, request)?;
        is_about(said, statement, identity, request)?;
        if one
            .given
            .iter()
            .any(|given| given.approver == identity.human)
        {
            return Err(ApproveError::Twice(identity.human.clone()));
        }
        let keys = self
            .terms
            .keys
            .get(&identity.human)
            .filter(|keys| !keys.is_empty());
        let keys = keys.ok_or_else(|| ApproveError::NoKey(identity.human.clone()))?;
        let key =
            evidence::sshsig::verify(keys, SIGNATURE_NAMESPACE, statement.as_bytes(), signature)?;
        if one.given.iter().any(|given| given.key == key) {
            return Err(ApproveError::SameKey(key));
        }
        let given = Given {
            approver: identity.human.clone(),
            verdict: said.verdict,
            reason: said.reason.clone(),
            at: now,
            groups: counts,
            key,
        };
        let standing = standing(one, &given);
        Ok(Checked {
            request: request.clone(),
            given,
            standing,
        })
    }

    fn settle(&self, verdict: Checked) -> Result<Standing, ApproveError> {
        let Checked {
            request,
            given,
            standing,
        } = verdict;
        let mut open = self.lock();
        // It may have been withdrawn while the verdict was written: the verdict stands in the log, and opens nothing.
        let Some(one) = open.get_mut(&request.id) else {
            return Err(ApproveError::Unknown(request.id));
        };
        let (by, reason) = (given.approver.clone(), given.reason.clone());
        one.given.push(given);
        match standing.status {
            "granted" => drop(one.status.send_replace(Status::Granted)),
            "denied" => {
                drop(one.status.send_replace(Status::Denied { by, reason }));
                open.remove(&request.id);
            }
            _ => {}
        }
        drop(open);
        self.changed();
        Ok(standing)
    }
}

/// The groups of the gates that this person's verdict counts towards.
fn may_decide(identity: &Identity, request: &ApprovalRequest) -> Result<Vec<String>, ApproveError> {
    let all = || {
        request
            .gates
            .iter()
            .map(|gate| gate.group.clone())
            .collect::<Vec<_>>()
            .join(", ")
    };
    if identity.agent.is_some() {
        return Err(ApproveError::Agent);
    }
    if identity.human == request.human || request.agent.as_ref() == Some(&identity.human) {
        return Err(ApproveError::Own(identity.human.clone(), all()));
    }
    let member = |gate: &&Gate| identity.groups.contains(&gate.group);
    let counts: Vec<String> = request
        .gates
        .iter()
        .filter(member)
        .map(|gate| gate.group.clone())
        .collect();
    if counts.is_empty() {
        return Err(ApproveError::NotAsked(identity.human.clone(), all()));
    }
    Ok(counts)
}

/// Whether what was signed is exactly what this request asks this person to sign.
fn is_about(
    said: &ApprovalStatement,
    statement: &str,
    identity: &Identity,
    request: &ApprovalRequest,
) -> Result<(), ApproveError> {
    if said.reason.len() > REASON_BYTES_MAX {
        return Err(ApproveError::Reason);
    }
    let due = ApprovalStatement::new(request, said.verdict, &identity.human, &said.reason);
    let differs = [
        ("approver", said.approver != due.approver),
        ("command", said.command != due.command),
        ("policy", said.policy != due.policy),
        ("target", said.target != due.target),
        (
            "requester",
            (&said.human, &said.agent, said.identity) != (&due.human, &due.agent, due.identity),
        ),
        ("expiry", said.expires != due.expires),
        ("form", due.bytes() != statement.as_bytes()),
    ];
    match differs.into_iter().find(|(_, differs)| *differs) {
        Some((what, _)) => Err(ApproveError::Statement(what)),
        None => Ok(()),
    }
}

fn standing(one: &Open, given: &Given) -> Standing {
    let id = one.request.id.clone();
    if given.verdict == Verdict::Deny {
        return Standing {
            id,
            status: "denied",
            missing: Vec::new(),
        };
    }
    let said_yes = |gate: &Gate| {
        let all = one.given.iter().chain([given]);
        all.filter(|given| given.verdict == Verdict::Approve && given.groups.contains(&gate.group))
            .count()
    };
    let missing: Vec<(String, u32)> = one
        .request
        .gates
        .iter()
        .map(|gate| {
            (
                gate.group.clone(),
                gate.quorum.saturating_sub(said_yes(gate) as u32),
            )
        })
        .filter(|(_, count)| *count > 0)
        .collect();
    Standing {
        id,
        status: if missing.is_empty() {
            "granted"
        } else {
            "pending"
        },
        missing,
    }
}
