//! Approvals: what was asked, who said what, and whether a command used exactly what was granted.

use std::collections::BTreeSet;

use model::{
    ApprovalRequest, ApprovalStatement, Digest, Gate, Identity, Intent, SENDINGS_MAX, Timestamp,
    Verdict,
};

use super::{EXPIRY_SLACK_US, Fold, Subject, Table};
use crate::sshsig;

/// A request that is open, or granted and not yet used up.
#[derive(Debug)]
pub(crate) struct Approval {
    request: ApprovalRequest,
    leaf: u64,
    verdicts: Vec<Given>,
    used: Option<Used>,
}

/// How an approval was used that may be used again, because the upstream failed in passing.
#[derive(Debug)]
struct Used {
    session: String,
    times: u32,
    /// The intent that is under way by it.
    by: Option<u64>,
}

#[derive(Debug)]
struct Given {
    leaf: u64,
    approver: String,
    verdict: Verdict,
    groups: Vec<String>,
    key: String,
}

/// Verdicts that one request may have.
const VERDICTS_MAX: usize = 1_000;

impl Approval {
    /// The people who said so, sorted.
    fn people(&self, verdict: Verdict) -> BTreeSet<&str> {
        self.verdicts
            .iter()
            .filter(|given| given.verdict == verdict)
            .map(|given| given.approver.as_str())
            .collect()
    }

    /// Whether a command ran by it: the tables have it then.
    pub(super) fn is_used(&self) -> bool {
        self.used.is_some()
    }

    /// Uses it for the intent of this leaf; says what is wrong with using it again.
    fn take(&mut self, leaf: u64, session: &str) -> Option<String> {
        let Some(used) = &mut self.used else {
            self.used = Some(Used {
                session: session.to_owned(),
                times: 1,
                by: Some(leaf),
            });
            return None;
        };
        let wrong = if let Some(by) = used.by.replace(leaf) {
            Some(format!("the command of leaf {by} runs by it"))
        } else if used.session != session {
            Some(format!("session {} has used it", used.session))
        } else if used.times >= SENDINGS_MAX {
            Some(format!("it was used {} times", used.times))
        } else {
            None
        };
        used.times = used.times.saturating_add(1);
        wrong
    }

    /// What of the quorum is missing.
    fn missing(&self) -> Option<String> {
        self.request.gates.iter().find_map(|gate| {
            let yes: BTreeSet<&str> = self
                .verdicts
                .iter()
                .filter(|given| {
                    given.verdict == Verdict::Approve && given.groups.contains(&gate.group)
                })
                .map(|given| given.approver.as_str())
                .collect();
            let (have, need) = (yes.len(), gate.quorum.max(1) as usize);
            (have < need).then(|| format!("{have} of {need} people of {} approved it", gate.group))
        })
    }
}

impl Fold<'_> {
    pub(super) fn approval_requested(&mut self, request: ApprovalRequest) {
        self.in_force(request.policy);
        let (id, leaf) = (request.id.clone(), self.leaf);
        if let Some(session) = self.session(&request.session) {
            session.marks.approvals(&[leaf]);
        }
        if request.gates.is_empty() {
            self.find(
                Subject::Approvals,
                format!("approval {id} asks for nobody's approval"),
            );
        }
        let approval = Approval {
            request,
            leaf,
            verdicts: Vec::new(),
            used: None,
        };
        let before = self.approvals.insert(id.clone(), approval);
        if let Some(before) = before.filter(|before| !before.is_used()) {
            self.find(
                Subject::Approvals,
                format!("approval {id} is requested while a request of this id is open"),
            );
            self.approval_row(&before, "replaced", None);
        }
    }

    pub(super) fn approval_given(
        &mut self,
        statement: &str,
        signature: &str,
        identity: &Identity,
        gates: &[Gate],
        settled: bool,
    ) {
        let Ok(said) = serde_json::from_str::<ApprovalStatement>(statement) else {
            self.find(
                Subject::Approvals,
                "the statement that was signed is none".to_owned(),
            );
            return;
        };
        let key = sshsig::signer(signature).unwrap_or_default();
        self.verdict_row(&said, &key, identity, gates, settled);
        if let Some(signers) = self.signers
            && let Err(why) = signers(&said.approver, statement, signature)
        {
            self.find(
                Subject::Signatures,
                format!("approval {} by {}: {why}", said.approval, said.approver),
            );
        }
        if said.bytes() != statement.as_bytes() {
            self.find(
                Subject::Approvals,
                format!(
                    "approval {}: the statement is not in its one form",
                    said.approval
                ),
            );
        }
        let (leaf, at) = (self.leaf, self.at);
        let Some(approval) = self.approvals.get_mut(&said.approval) else {
            let detail =
                "a verdict was given on a request that was not open any more; it opened nothing";
            self.exception("verdict_without_request", &said.approval, detail);
            return;
        };
        let wrong = faults(approval, &said, &key, identity, gates, at);
        let request = &approval.request;
        let (human, agent) = (
            request.human.clone(),
            request.agent.clone().unwrap_or_default(),
        );
        let violation =
            said.approver == human || said.approver == agent || identity.agent.is_some();
        if approval.verdicts.len() < VERDICTS_MAX {
            approval.verdicts.push(Given {
                leaf,
                approver: said.approver.clone(),
                verdict: said.verdict,
                groups: gates.iter().map(|gate| gate.group.clone()).collect(),
                key,
            });
        }
        self.people.verdict(human.clone(), agent.clone(), &said);
        for why in wrong {
            self.find(
                Subject::Approvals,
                format!("approval {}: {why}", said.approval),
            );
        }
        if violation {
            let cells: [&dyn std::fmt::Display; 6] =
                [&leaf, &at, &said.approval, &human, &agent, &said.approver];
            self.row(Table::SodViolations, &cells);
        }
        if said.verdict == Verdict::Deny
            && let Some(denied) = self.approvals.remove(&said.approval)
        {
            self.approval_row(&denied, "denied", None);
        }
    }

    fn verdict_row(
        &mut self,
        said: &ApprovalStatement,
        key: &str,
        identity: &Identity,
        gates: &[Gate],
        settled: bool,
    ) {
        let (leaf, at) = (self.leaf, self.at);
        let counts: Vec<&str> = gates.iter().map(|gate| gate.group.as_str()).collect();
        let groups: Vec<&str> = identity.groups.iter().map(String::as_str).collect();
        self.row(
            Table::Verdicts,
            &[
                &leaf,
                &at,
                &said.approval,
                &super::word(&said.verdict),
                &said.approver,
                &groups.join("; "),
                &counts.join("; "),
                &said.reason,
                &key,
                &identity.proof.issuer,
                &identity.proof.subject,
                &settled,
            ],
        );
    }

    pub(super) fn approval_closed(&mut self, id: &str, reason: &str) {
        match self.approvals.remove(id) {
            Some(approval) if approval.is_used() => {}
            Some(approval) => self.approval_row(&approval, reason, None),
            None => self.exception("approval_closed_twice", id, reason),
        }
    }

    /// A command uses an approval. Gives the leaves of the request and its verdicts.
    pub(super) fn use_approval(
        &mut self,
        id: &str,
        intent: &Intent,
        identity: Option<Digest>,
    ) -> Vec<u64> {
        let Some(mut approval) = self.approvals.remove(id) else {
            let why = format!(
                "it runs on approval {id}, which was not requested here, was used before or is closed"
            );
            self.find(Subject::Approvals, why);
            return Vec::new();
        };
        let first = !approval.is_used();
        let mut wrong: Vec<String> = approval
            .take(self.leaf, &intent.session)
            .into_iter()
            .collect();
        let request = &approval.request;
        let mut must = |holds: bool, what: &str| {
            if !holds {
                wrong.push(what.to_owned());
            }
        };
        must(
            request.command == intent.command.digest,
            "another command was approved",
        );
        must(
            request.policy == intent.policy,
            "policies changed between approval and use",
        );
        must(
            request.target == intent.target,
            "it was approved for another target",
        );
        must(
            request.human == intent.human && request.agent == intent.agent,
            "somebody else asked for it",
        );
        must(
            identity.is_none_or(|key| key == request.identity),
            "another identity asked for it",
        );
        must(
            self.at.micros() <= request.expires.micros() + EXPIRY_SLACK_US,
            "it had expired",
        );
        must(
            approval.people(Verdict::Deny).is_empty(),
            "somebody said no",
        );
        let missing = approval.missing();
        if let Some(missing) = &missing {
            must(false, missing);
        }
        for why in wrong {
            self.find(
                Subject::Approvals,
                format!("it runs on approval {id}, but {why}"),
            );
        }
        let leaf = self.leaf;
        let leaves = std::iter::once(approval.leaf)
            .chain(approval.verdicts.iter().map(|given| given.leaf))
            .collect();
        if first {
            self.approval_row(&approval, "used", Some(leaf));
        }
        self.approvals.insert(id.to_owned(), approval);
        leaves
    }

    /// The command of leaf `leaf` ended, which ran by an approval: it is used up, unless the upstream failed in passing (`again`).
    pub(super) fn approval_ended(&mut self, id: &str, leaf: u64, again: bool) {
        let Some(used) = self
            .approvals
            .get_mut(id)
            .and_then(|approval| approval.used.as_mut())
            .filter(|used| used.by == Some(leaf))
        else {
            return;
        };
        used.by = None;
        if !again {
            self.approvals.remove(id);
        }
    }

    pub(super) fn approval_row(&mut self, approval: &Approval, state: &str, used: Option<u64>) {
        let request = &approval.request;
        let granted = approval.missing().is_none() && !matches!(state, "used" | "denied");
        let state = if granted {
            format!("granted, {state}")
        } else {
            state.to_owned()
        };
        let gates: Vec<String> = request
            .gates
            .iter()
            .map(|gate| format!("{} of {} ({})", gate.quorum, gate.group, gate.policy))
            .collect();
        let join = |people: BTreeSet<&str>| people.into_iter().collect::<Vec<_>>().join("; ");
        let (yes, no) = (
            join(approval.people(Verdict::Approve)),
            join(approval.people(Verdict::Deny)),
        );
        let empty = String::new();
        self.row(
            Table::Approvals,
            &[
                &request.id,
                &state,
                &request.session,
                &request.human,
                request.agent.as_ref().unwrap_or(&empty),
                &request.target,
                &request.tag,
                &request.command,
                &request.policy,
                &gates.join("; "),
                &request.requested,
                &request.expires,
                &yes,
                &no,
                &approval.leaf,
                &used.map(|leaf| leaf.to_string()).unwrap_or_default(),
            ],
        );
    }
}

/// What is wrong with a verdict on this request.
fn faults(
    approval: &Approval,
    said: &ApprovalStatement,
    key: &str,
    identity: &Identity,
    gates: &[Gate],
    at: Timestamp,
) -> Vec<String> {
    let request = &approval.request;
    let due = ApprovalStatement::new(request, said.verdict, &said.approver, &said.reason);
    let before = |same: &dyn Fn(&Given) -> bool| approval.verdicts.iter().any(same);
    let approver = &said.approver;
    let checks = [
        (
            said.command != due.command,
            "another command was signed for".to_owned(),
        ),
        (
            said.policy != due.policy,
            "other policies were signed for".to_owned(),
        ),
        (
            said.target != due.target,
            "another target was signed for".to_owned(),
        ),
        (
            *said != due,
            "the statement is not about this request".to_owned(),
        ),
        (
            identity.human != *approver,
            format!("{} was logged in, not {approver}", identity.human),
        ),
        (identity.agent.is_some(), "an agent gave it".to_owned()),
        (
            *approver == request.human || Some(approver) == request.agent.as_ref(),
            format!("{approver} asked for it"),
        ),
        (gates.is_empty(), "it counts towards nothing".to_owned()),
        (
            gates.iter().any(|gate| !request.gates.contains(gate)),
            "it counts towards a gate that the request does not have".to_owned(),
        ),
        (
            gates
                .iter()
                .any(|gate| !identity.groups.contains(&gate.group)),
            format!("{approver} is not of the group it counts towards"),
        ),
        (
            before(&|given| given.approver == *approver),
            format!("{approver} decided it before"),
        ),
        (
            before(&|given| !key.is_empty() && given.key == key && given.approver != *approver),
            format!("the key {key} signed it for another person too"),
        ),
        (
            at.micros() > request.expires.micros() + EXPIRY_SLACK_US,
            "it had expired".to_owned(),
        ),
    ];
    checks
        .into_iter()
        .filter(|(wrong, _)| *wrong)
        .map(|(_, why)| why)
        .collect()
}
