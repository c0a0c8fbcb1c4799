//! Who is asking: the agent, and the human it acts for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Digest, Timestamp};

/// Somebody a configured issuer vouched for, after its token was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The human who is accountable: the one an agent acts for (RFC 8693 `act`, or a mapped claim), or the person themselves.
    pub human: String,
    /// The agent, where an agent is asking. `None`: the person is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent: Option<Agent>,
    /// The human's groups, as the issuer names them.
    pub groups: BTreeSet<String>,
    /// How it was proved.
    pub proof: Proof,
}

/// An agent, as its token tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its name, such as `claude-code`.
    pub name: String,
    /// Which running instance, where the token says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instance: Option<String>,
    /// Which model, where the token says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
}

/// The proof behind an identity: enough to find the token again at its issuer, never the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `jti`, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token_id: Option<String>,
    /// `kid` of the key that signed it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_id: Option<String>,
    /// `exp`.
    pub expires: Timestamp,
}

impl Identity {
    /// The agent's name, or the human's where no agent is asking.
    #[must_use]
    pub fn name(&self) -> &str {
        self.agent.as_ref().map_or(&self.human, |agent| &agent.name)
    }

    /// What decisions may depend on, as a digest: equal keys get equal decisions.
    #[must_use]
    pub fn key(&self) -> Digest {
        let mut bytes = Vec::with_capacity(256);
        let mut put = |text: &str| {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        };
        put(&self.proof.issuer);
        put(&self.proof.subject);
        put(&self.human);
        match &self.agent {
            None => put("person"),
            Some(agent) => {
                put("agent");
                put(&agent.name);
                for part in [&agent.instance, &agent.model] {
                    put(if part.is_some() { "some" } else { "none" });
                    put(part.as_deref().unwrap_or_default());
                }
            }
        }
        self.groups.iter().for_each(|group| put(group));
        Digest::of(&[&bytes])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(agent: Option<(&str, Option<&str>, Option<&str>)>, groups: &[&str]) -> Identity {
        Identity {
            human: "alice".to_owned(),
            agent: agent.map(|(name, instance, model)| Agent {
                name: name.to_owned(),
                instance: instance.map(str::to_owned),
                model: model.map(str::to_owned),
            }),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            proof: Proof {
                issuer: "https://issuer".to_owned(),
                subject: "alice".to_owned(),
                token_id: None,
                key_id: None,
                expires: Timestamp::default(),
            },
        }
    }

    #[test]
    fn keys_do_not_confuse_an_agent_with_a_person_or_absent_with_empty() {
        let agent = identity(Some(("person", None, Some("a"))), &["g"]).key();
        assert_ne!(agent, identity(None, &["", "a", "agent", "g"]).key());
        assert_ne!(
            agent,
            identity(Some(("person", Some(""), Some("a"))), &["g"]).key()
        );
        assert_eq!(
            agent,
            identity(Some(("person", None, Some("a"))), &["g"]).key()
        );
    }
}
