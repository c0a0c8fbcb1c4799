//! What people say yes or no to, and what they sign.

use serde::{Deserialize, Serialize};

use crate::{Digest, Gate, PolicyVersion, Timestamp};

/// The name under which approvals are signed (the namespace of `ssh-keygen -Y sign -n`).
pub const SIGNATURE_NAMESPACE: &str = "countersign-approval";

/// So often one command may be sent by one approval, where all sendings but the last failed in passing
/// ([`Outcome::again`](crate::Outcome::again)): as often as clients try by themselves, which is five times for boto3 as it comes, and
/// three or four for AWS's other SDKs.
pub const SENDINGS_MAX: u32 = 5;

/// What somebody asks people to approve. It binds to everything that must not change before it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// Its id: `cs-` and eight hexadecimal digits.
    pub id: String,
    /// The session that asked.
    pub session: String,
    /// The human behind the session.
    pub human: String,
    /// The agent, where one asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent: Option<String>,
    /// The key of the whole identity ([`crate::Identity::key`]).
    pub identity: Digest,
    /// The target.
    pub target: String,
    /// What kind of command: `UPDATE`.
    pub tag: String,
    /// The digest of the exact bytes and parameters.
    pub command: Digest,
    /// The policies that asked for it.
    pub policy: PolicyVersion,
    /// The gates to open.
    pub gates: Vec<Gate>,
    /// When it was asked.
    pub requested: Timestamp,
    /// After this nobody can approve it, and no grant of it can be used.
    pub expires: Timestamp,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may run, as far as this person is concerned.
    Approve,
    /// It may not.
    Deny,
}

/// The statement that an approver signs: the exact bytes of [`ApprovalStatement::bytes`], in the SSHSIG format under
/// [`SIGNATURE_NAMESPACE`], so that `ssh-keygen -Y verify` checks it too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalStatement {
    /// The approval's id.
    pub approval: String,
    /// What this person says.
    pub verdict: Verdict,
    /// Who says it: the `human` of the approver's identity.
    pub approver: String,
    /// The digest of the command.
    pub command: Digest,
    /// The human who asked.
    pub human: String,
    /// The agent that asked, or empty.
    pub agent: String,
    /// The key of the identity that asked.
    pub identity: Digest,
    /// The target.
    pub target: String,
    /// The policies that asked for it.
    pub policy: PolicyVersion,
    /// When the request expires.
    pub expires: Timestamp,
    /// Why, in the approver's words; may be empty. At most 1,000 bytes.
    pub reason: String,
}

impl ApprovalStatement {
    /// What `approver` says of `request`.
    #[must_use]
    pub fn new(request: &ApprovalRequest, verdict: Verdict, approver: &str, reason: &str) -> Self {
        Self {
            approval: request.id.clone(),
            verdict,
            approver: approver.to_owned(),
            command: request.command,
            human: request.human.clone(),
            agent: request.agent.clone().unwrap_or_default(),
            identity: request.identity,
            target: request.target.clone(),
            policy: request.policy,
            expires: request.expires,
            reason: reason.to_owned(),
        }
    }

    /// The bytes that are signed: compact JSON, members in the order of this type, a newline at the end.
    ///
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = serde_json::to_vec(self).unwrap_or_default();
        out.push(b'\n');
        out
    }
}
