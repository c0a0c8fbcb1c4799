//! What stands in the ledger: one entry a leaf, compact JSON, members in the order of these types.
//!
//! An entry holds names, digests, counts and decisions. What a client typed stands in it only sealed under the session's
//! key, with what is protected already masked; so destroying a key forgets the content, and every proof still holds.

use serde::{Deserialize, Serialize};

use crate::{
    ApprovalRequest, Denial, Digest, Gate, Identity, MaskFact, Obligations, Outcome, PolicyVersion,
    Timestamp,
};

/// An entry is at most so many bytes (C2SP tlog-tiles gives entries a 16-bit length).
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When, by the gateway's clock.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

impl Entry {
    /// The leaf's bytes.
    ///
    /// # Errors
    /// [`EntryTooLarge`] where they would pass [`ENTRY_BYTES_MAX`].
    pub fn encode(&self) -> Result<Vec<u8>, EntryTooLarge> {
        let mut out = Vec::with_capacity(1_024);
        serde_json::to_writer(&mut out, self).map_err(|_| EntryTooLarge(0))?;
        if out.len() > ENTRY_BYTES_MAX {
            Err(EntryTooLarge(out.len()))
        } else {
            Ok(out)
        }
    }

    /// From a leaf's bytes.
    ///
    /// # Errors
    /// Where the bytes are no entry of a kind this version knows.
    pub fn decode(leaf: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(leaf)
    }
}

/// An entry that does not fit a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry of {0} bytes does not fit the ledger's limit of {ENTRY_BYTES_MAX}")]
pub struct EntryTooLarge(pub usize);

/// What can happen. What people do to the gateway stands here beside what agents do through it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A gateway opened the log: the terms under which the entries after this one are written.
    Started(Started),
    /// The gateway was alive. One a minute while nothing else happens, so that an outage is a visible gap.
    Heartbeat {
        /// Sessions open.
        sessions: u64,
        /// The log's durability, as in [`Started::durability`].
        durability: String,
    },
    /// The gateway closed the log in good order.
    Stopped {},
    /// Policies came into force.
    PolicyActivated {
        /// The new version.
        policy: PolicyVersion,
        /// Each file's name and SHA-256.
        files: Vec<FileDigest>,
    },
    /// Policies were refused; the last good set stays in force.
    PolicyRejected {
        /// What was wrong: file, line and reason.
        error: String,
    },
    /// Somebody proved who they are, or failed to.
    Authenticated(Authenticated),
    /// A session with a target began.
    SessionOpened(Box<SessionOpened>),
    /// A command may run: written, and durable, before it is sent.
    Intent(Box<Intent>),
    /// How a permitted command ended.
    Outcome {
        /// The session.
        session: String,
        /// The index of its intent.
        intent: u64,
        /// How.
        outcome: Outcome,
    },
    /// A command was refused before it was sent.
    Refused {
        /// The session.
        session: String,
        /// Which command of the session, from 1.
        seq: u64,
        /// The command.
        command: CommandRecord,
        /// The policies in force.
        policy: PolicyVersion,
        /// Why.
        denial: Denial,
    },
    /// People were asked.
    ApprovalRequested(Box<ApprovalRequest>),
    /// Somebody said yes or no. The signature is over the statement's exact bytes.
    ApprovalGiven {
        /// The statement, as signed ([`crate::ApprovalStatement::bytes`]).
        statement: String,
        /// The signature, as `ssh-keygen -Y sign` writes it.
        signature: String,
        /// Who: the identity that was logged in when it was given.
        identity: Box<Identity>,
        /// The groups of the gates it counts towards.
        gates: Vec<Gate>,
        /// Whether with it every gate stands open, or shut.
        settled: bool,
    },
    /// An approval ended without being used.
    ApprovalClosed {
        /// Its id.
        approval: String,
        /// `expired`, `withdrawn`, `policy_changed`.
        reason: String,
    },
    /// A part of a session's recording was written.
    Recorded {
        /// The session.
        session: String,
        /// Which part, from 0.
        chunk: u64,
        /// Its length in bytes, sealed.
        bytes: u64,
        /// SHA-256 of its sealed bytes.
        sha256: Digest,
    },
    /// A session ended.
    SessionClosed {
        /// The session.
        session: String,
        /// Why, in one sentence.
        reason: String,
        /// Commands that were permitted.
        permitted: u64,
        /// Commands that were refused.
        refused: u64,
        /// Parts of its recording.
        chunks: u64,
        /// What was masked where no command was answered, and none ended since.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        masks: Vec<MaskFact>,
    },
    /// The built-in issuer gave out a token.
    TokenIssued {
        /// For whom.
        identity: Box<Identity>,
    },
    /// Somebody watched a replay, or read a session.
    ReplayWatched {
        /// Who.
        identity: Box<Identity>,
        /// Which session.
        session: String,
        /// Why, in their words.
        reason: String,
    },
    /// Somebody built an evidence bundle.
    EvidenceBuilt {
        /// Who.
        identity: Box<Identity>,
        /// The first leaf of the period.
        first: u64,
        /// The leaf after its last.
        end: u64,
        /// SHA-256 of the manifest.
        manifest: Digest,
    },
}

/// The terms a gateway started under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The gateway's version.
    pub version: String,
    /// `sync`: durable before a command is sent; or `interval 10ms`: within that window.
    pub durability: String,
    /// SHA-256 of the configuration file.
    pub config: Digest,
    /// The policies in force.
    pub policy: PolicyVersion,
    /// Each policy file's name and SHA-256.
    pub policy_files: Vec<FileDigest>,
    /// The targets, by name, each with its protocol.
    pub targets: Vec<(String, String)>,
    /// The issuers that are trusted.
    pub issuers: Vec<String>,
}

/// A file and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Its name within its folder.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// A login, good or bad.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authenticated {
    /// Who it was, where the proof was good.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub identity: Option<Identity>,
    /// The target that was asked for, or `api`.
    pub target: String,
    /// The client's address and port.
    pub source: String,
    /// Why it was refused, where it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused: Option<String>,
}

/// The begin of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionOpened {
    /// Its id.
    pub session: String,
    /// Who.
    pub identity: Identity,
    /// The target's name.
    pub target: String,
    /// The protocol.
    pub protocol: String,
    /// The client's address and port.
    pub source: String,
    /// What the client calls itself, such as `psql`.
    pub client: String,
    /// How the client's connection was protected: `TLSv1.3`, or `none` on loopback.
    pub transport: String,
    /// The account the gateway uses upstream; never its secret.
    pub account: String,
    /// The role that is assumed for it upstream, where one is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub assumes: Option<AssumedRole>,
    /// The id of the key that wraps the session's key.
    pub key_id: String,
    /// The policies in force.
    pub policy: PolicyVersion,
}

/// An AWS role that is assumed for a session, and what AWS's own logs will say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssumedRole {
    /// Its ARN.
    pub role: String,
    /// `RoleSessionName`.
    pub session_name: String,
    /// `SourceIdentity`: the human who is accountable.
    pub source_identity: String,
    /// The session tags.
    pub tags: Vec<(String, String)>,
}

/// A permitted command. With its receipt it joins who, what, where, by which policy and with whose approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The session.
    pub session: String,
    /// Which command of the session, from 1.
    pub seq: u64,
    /// The accountable human.
    pub human: String,
    /// The agent, where one asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent: Option<String>,
    /// The target.
    pub target: String,
    /// The command.
    pub command: CommandRecord,
    /// The policies in force.
    pub policy: PolicyVersion,
    /// What it is held to, and the policies that allowed it.
    pub obligations: Obligations,
    /// The approval it ran by, if it needed one: used up by this, unless the outcome says that it may be sent again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub approval: Option<String>,
}

/// A command as it stands in an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRecord {
    /// The protocol.
    pub protocol: String,
    /// What kind: `UPDATE`.
    pub tag: String,
    /// What it does to what: `update public.payments`. At most 64.
    pub effects: Vec<String>,
    /// The digest that approvals bind to ([`crate::CommandDigest`]).
    pub digest: Digest,
    /// A [`SealedCommand`] under the session's key, Base64. What does not fit is in the recording.
    pub sealed: String,
}

/// What is sealed of a command: its text and parameters with what is protected masked, and the salt of its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedCommand {
    /// The text.
    pub text: String,
    /// The parameters; `None` is NULL.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub parameters: Vec<Option<String>>,
    /// The salt: where nothing was masked or cut, text and parameters with it give the digest again.
    pub salt: Digest,
    /// Whether text or parameters were masked.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub masked: bool,
    /// Whether they were cut to fit; the recording has them whole.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub cut: bool,
}
