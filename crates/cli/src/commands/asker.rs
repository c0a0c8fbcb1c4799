//! Who a question to policy is put for, where nobody logs in.

use clap::Args;
use model::{Agent, Identity, Proof, Timestamp};

/// A human, and perhaps an agent of theirs.
#[derive(Debug, Args)]
pub(crate) struct Asker {
    /// The human who asks, or for whom an agent does.
    #[arg(long = "for", value_name = "HUMAN")]
    pub(super) human: String,

    /// The agent that asks; without it the human does.
    #[arg(long, value_name = "NAME")]
    pub(super) agent: Option<String>,

    /// A group that the human is in; may be given several times.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
}

impl Asker {
    /// The identity, as policy is asked about it; `issuer` says what made it up.
    pub(super) fn identity(&self, issuer: &str) -> Identity {
        Identity {
            human: self.human.clone(),
            agent: self.agent.clone().map(|name| Agent {
                name,
                instance: None,
                model: None,
            }),
            groups: self.groups.iter().cloned().collect(),
            proof: Proof {
                issuer: issuer.to_owned(),
                subject: self.human.clone(),
                token_id: None,
                key_id: None,
                expires: Timestamp::MAX,
            },
        }
    }
}
