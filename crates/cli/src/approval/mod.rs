//! Approvals as the API sends them, and what is checked before a person is shown one.

mod canonical;
mod show;

use model::{ApprovalRequest, CommandDigest, Digest, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

use canonical::{Canonical, Given as Bytes};
pub(crate) use show::{row, show};

/// An approval, as `GET /v1/approvals` lists it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Approval {
    /// What is asked.
    #[serde(flatten)]
    pub(crate) request: ApprovalRequest,
    /// The exact command.
    pub(crate) exact: Exact,
    /// Verdicts so far.
    #[serde(default)]
    pub(crate) given: Vec<Given>,
    /// `pending` or `granted`.
    pub(crate) status: String,
}

/// The command, with what its digest is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Exact {
    /// The protocol.
    pub(crate) protocol: String,
    /// The canonical bytes, hexadecimal.
    pub(crate) canonical: String,
    /// The salt.
    pub(crate) salt: Digest,
    /// The text, as the gateway says it is.
    pub(crate) text: String,
    /// The parameters, as the gateway says they are.
    #[serde(default)]
    pub(crate) parameters: Vec<Option<String>>,
    /// What the gateway found that it does.
    #[serde(default)]
    pub(crate) effects: Vec<String>,
}

/// One person's verdict.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Given {
    /// Who.
    pub(crate) approver: String,
    /// What.
    pub(crate) verdict: Verdict,
    /// Why.
    #[serde(default)]
    pub(crate) reason: String,
    /// When.
    pub(crate) at: Timestamp,
    /// The groups of the gates it counts towards.
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    /// The fingerprint of the key that signed it.
    #[serde(default)]
    pub(crate) key: String,
}

/// Where an approval stands after a verdict.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// Its id.
    pub(crate) id: String,
    /// `pending`, `granted` or `denied`.
    pub(crate) status: String,
    /// What is missing: groups, each with how many of its people.
    #[serde(default)]
    pub(crate) missing: Vec<(String, u32)>,
}

/// What the gateway shows is not what would be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Differs {
    /// The bytes are no command.
    #[error(
        "the command's bytes cannot be read ({0}), so nothing was signed: tell the gateway's operator"
    )]
    Unreadable(&'static str),
    /// The digest is another.
    #[error(
        "the command's bytes do not give the digest that would be signed, so nothing was signed: do not approve this, and tell the gateway's operator"
    )]
    Digest,
    /// What is said of the bytes is not what is in them.
    #[error(
        "the gateway says another {0} than stands in the command's bytes, so nothing was signed: do not approve this, and tell the gateway's operator"
    )]
    Said(&'static str),
}

/// A command whose bytes give the digest that is signed, and are what the gateway says they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verified {
    command: Canonical,
}

impl Approval {
    /// Recomputes the digest from the bytes, and compares the bytes with what the gateway says of them.
    pub(crate) fn verify(&self) -> Result<Verified, Differs> {
        let exact = &self.exact;
        let bytes = hex::decode(&exact.canonical)
            .map_err(|_| Differs::Unreadable("they are not hexadecimal"))?;
        if CommandDigest::open(&exact.salt, &bytes) != self.request.command {
            return Err(Differs::Digest);
        }
        let command = Canonical::parse(&bytes).map_err(Differs::Unreadable)?;
        if command.protocol != exact.protocol.as_bytes() {
            return Err(Differs::Said("protocol"));
        }
        if said(&command.text) != exact.text {
            return Err(Differs::Said("text"));
        }
        let value = |given: &Bytes| given.value.as_deref().map(said);
        if command
            .parameters
            .iter()
            .map(value)
            .ne(exact.parameters.iter().cloned())
        {
            return Err(Differs::Said("parameter"));
        }
        Ok(Verified { command })
    }
}

/// Bytes as the gateway writes them for people.
fn said(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("\\x{}", hex::encode(bytes)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use model::{Asks, Command, Gate, Parameter};

    use super::*;

    pub(super) fn command(text: &'static str) -> Command {
        let parameter = |kind, value: Option<&'static [u8]>| Parameter {
            kind,
            value: value.map(bytes::Bytes::from_static),
        };
        Command {
            protocol: "postgres",
            tag: Arc::from("UPDATE"),
            text: bytes::Bytes::from_static(text.as_bytes()),
            parameters: vec![
                parameter((23, 1), Some(&[0, 0, 0, 42])),
                parameter((25, 0), Some(b"x")),
                parameter((25, 0), None),
            ],
            shown: bytes::Bytes::new(),
            shown_parameters: Vec::new(),
            asks: Arc::new(Asks::new(Vec::new())),
        }
    }

    pub(super) fn approval(command: &Command) -> Approval {
        let salt = Digest([7; 32]);
        let canonical = command.canonical();
        Approval {
            request: ApprovalRequest {
                id: "cs-00000001".to_owned(),
                session: "s-1".to_owned(),
                human: "alice".to_owned(),
                agent: Some("claude-code".to_owned()),
                identity: Digest([1; 32]),
                target: "bank".to_owned(),
                tag: "UPDATE".to_owned(),
                command: CommandDigest::open(&salt, &canonical),
                policy: Digest([2; 32]),
                gates: vec![Gate {
                    group: "oncall".to_owned(),
                    quorum: 2,
                    policy: "writes".to_owned(),
                }],
                requested: Timestamp::from_secs(1_700_000_000),
                expires: Timestamp::from_secs(1_700_003_600),
            },
            exact: Exact {
                protocol: "postgres".to_owned(),
                canonical: hex::encode(canonical),
                salt,
                text: said(&command.text),
                parameters: command
                    .parameters
                    .iter()
                    .map(|p| p.value.as_deref().map(said))
                    .collect(),
                effects: vec!["update public.cards".to_owned()],
            },
            given: Vec::new(),
            status: "pending".to_owned(),
        }
    }

    #[test]
    fn an_honest_approval_verifies() {
        let command = command("UPDATE cards SET pan = $2");
        let verified = approval(&command).verify().unwrap();
        assert_eq!(verified.command.text, command.text);
        assert_eq!(verified.command.parameters.len(), 3);
    }

    #[test]
    fn it_reads_as_the_api_writes_it() {
        let command = command("UPDATE cards SET pan = $2");
        let expect = approval(&command);
        let exact = gateway::approval::Exact::new(
            &command,
            &CommandDigest {
                digest: expect.request.command,
                salt: expect.exact.salt,
            },
        );
        let view = gateway::approval::View {
            request: expect.request.clone(),
            exact,
            given: Vec::new(),
            status: "pending",
        };
        let read: Approval = serde_json::from_str(&serde_json::to_string(&view).unwrap()).unwrap();
        assert_eq!(read.request, expect.request);
        read.verify().unwrap();
    }

    #[test]
    fn whatever_differs_is_named() {
        let honest = approval(&command("UPDATE cards SET pan = $2"));
        let change = |change: &dyn Fn(&mut Approval)| {
            let mut changed = honest.clone();
            change(&mut changed);
            changed.verify().unwrap_err()
        };
        assert_eq!(change(&|a| a.exact.text.push(' ')), Differs::Said("text"));
        assert_eq!(
            change(&|a| a.exact.protocol = "mysql".to_owned()),
            Differs::Said("protocol")
        );
        assert_eq!(
            change(&|a| drop(a.exact.parameters.pop())),
            Differs::Said("parameter")
        );
        assert_eq!(
            change(&|a| a.exact.parameters = vec![None; 3]),
            Differs::Said("parameter")
        );
        assert_eq!(change(&|a| a.exact.salt = Digest([8; 32])), Differs::Digest);
        assert_eq!(
            change(&|a| a.request.command = Digest([8; 32])),
            Differs::Digest
        );
        assert_eq!(change(&|a| a.exact.canonical.truncate(20)), Differs::Digest);
        assert!(matches!(
            change(&|a| a.exact.canonical = "zz".to_owned()),
            Differs::Unreadable(_)
        ));
    }
}
