//! What was decided.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{DataClass, Digest};

/// What policy says of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may run, under these obligations.
    Allow(Obligations),
    /// It may run once each of these gates has been opened by enough people; then under these obligations.
    Ask {
        /// Every gate must open. Never empty.
        gates: Vec<Gate>,
        /// What holds once they have.
        obligations: Obligations,
    },
    /// It may not.
    Deny(Denial),
}

/// What a command that runs must be held to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Obligations {
    /// Classes that are shown in clear. Everything else that is found is masked.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub reveal: BTreeSet<DataClass>,
    /// At most so many rows may be shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rows_max: Option<u64>,
    /// At most so many bytes of rows may be shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes_max: Option<u64>,
    /// The policies that allowed it, by their ids, in order.
    pub policies: Vec<String>,
}

/// A gate in the way: a group of people of whom so many must say yes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gate {
    /// The group that may approve, as identities carry it.
    pub group: String,
    /// How many distinct people of it must approve; at least 1.
    pub quorum: u32,
    /// The policy that set it.
    pub policy: String,
}

/// Why something is refused, in words that the client may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The kind of refusal.
    pub code: DenialCode,
    /// One sentence for the client: what, and what to do next. Holds no secret and nothing about the upstream.
    pub message: String,
    /// The approval it belongs to, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub approval: Option<String>,
    /// The policies that forbade it, by their ids.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub policies: Vec<String>,
}

impl Denial {
    /// A denial that no policy and no approval stands behind.
    #[must_use]
    pub fn new(code: DenialCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            approval: None,
            policies: Vec::new(),
        }
    }
}

/// The kinds of refusal. A protocol turns each into its own error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DenialCode {
    /// The proof of identity is wrong, expired or from an issuer that is not trusted.
    Unauthenticated,
    /// There is no such target, or this identity may not use it: the two look alike.
    UnknownTarget,
    /// Policy forbids it, or nothing permits it.
    Forbidden,
    /// People could approve it, and have not yet.
    ApprovalPending,
    /// An approver said no.
    ApprovalDenied,
    /// What was approved is not what runs, or the approval was used, has expired or was withdrawn.
    ApprovalInvalid,
    /// Policy could not be evaluated.
    PolicyError,
    /// The ledger cannot write, so nothing may happen.
    LedgerUnavailable,
    /// The upstream cannot be reached or refused the gateway.
    UpstreamUnavailable,
    /// What would be shown cannot be inspected, so it is withheld.
    Withheld,
    /// A named limit was reached.
    LimitExceeded,
    /// The client withdrew it.
    Cancelled,
    /// This kind of command is not offered through the gateway.
    Unsupported,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The policies in force when something was decided: SHA-256 over their files, sorted by name.
pub type PolicyVersion = Digest;
