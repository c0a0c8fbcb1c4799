//! People and agents: logins, tokens, who stands behind whom, who approved for whom, who watched what.

use std::collections::{BTreeMap, BTreeSet};

use model::{ApprovalStatement, Authenticated, Identity, SessionOpened};

use super::sessions::Session;
use super::{Fold, Table, word};

/// What is summed up over the period and written at its end.
#[derive(Debug, Default)]
pub(crate) struct People {
    agents: BTreeMap<String, Agent>,
    /// By agent, human, issuer and subject: how often, first and last leaf.
    principals: BTreeMap<Four, (u64, u64, u64)>,
    /// By requester, agent, approver and verdict: how often.
    verdicts: BTreeMap<Four, u64>,
}

type Four = (String, String, String, String);

#[derive(Debug, Default)]
struct Agent {
    humans: BTreeSet<String>,
    sessions: u64,
    permitted: u64,
    refused: u64,
}

impl People {
    pub(super) fn session(&mut self, opened: &SessionOpened, leaf: u64) {
        let identity = &opened.identity;
        let agent = identity
            .agent
            .as_ref()
            .map(|agent| agent.name.clone())
            .unwrap_or_default();
        let known = self.agents.entry(agent.clone()).or_default();
        known.humans.insert(identity.human.clone());
        known.sessions += 1;
        let proof = &identity.proof;
        let key = (
            agent,
            identity.human.clone(),
            proof.issuer.clone(),
            proof.subject.clone(),
        );
        let (count, _, last) = self.principals.entry(key).or_insert((0, leaf, leaf));
        *count += 1;
        *last = leaf;
    }

    pub(super) fn ended(&mut self, session: &Session) {
        let agent = session
            .opened
            .identity
            .agent
            .as_ref()
            .map(|agent| agent.name.clone())
            .unwrap_or_default();
        let known = self.agents.entry(agent).or_default();
        known.permitted += session.permitted;
        known.refused += session.refused;
    }

    pub(super) fn verdict(&mut self, human: String, agent: String, said: &ApprovalStatement) {
        let key = (human, agent, said.approver.clone(), word(&said.verdict));
        *self.verdicts.entry(key).or_default() += 1;
    }
}

impl Fold<'_> {
    pub(super) fn authenticated(&mut self, login: &Authenticated) {
        let result = if login.refused.is_none() {
            "accepted"
        } else {
            "refused"
        };
        let (leaf, at) = (self.leaf, self.at);
        let refused = login.refused.clone().unwrap_or_default();
        let who = Columns::of(login.identity.as_ref());
        self.row(
            Table::Authentications,
            &[
                &leaf,
                &at,
                &result,
                &who.human,
                &who.agent,
                &who.groups,
                &who.issuer,
                &who.subject,
                &who.token_id,
                &who.key_id,
                &who.expires,
                &login.target,
                &login.source,
                &refused,
            ],
        );
    }

    pub(super) fn token_issued(&mut self, identity: &Identity) {
        let (leaf, at) = (self.leaf, self.at);
        let who = Columns::of(Some(identity));
        self.row(
            Table::Tokens,
            &[
                &leaf,
                &at,
                &who.human,
                &who.agent,
                &who.groups,
                &who.issuer,
                &who.subject,
                &who.token_id,
                &who.expires,
            ],
        );
    }

    pub(super) fn watched(&mut self, what: &str, identity: &Identity, session: &str, reason: &str) {
        let (leaf, at) = (self.leaf, self.at);
        let agent = identity
            .agent
            .as_ref()
            .map(|agent| agent.name.clone())
            .unwrap_or_default();
        self.row(
            Table::Replays,
            &[
                &leaf,
                &at,
                &what,
                &identity.human,
                &agent,
                &session,
                &reason,
            ],
        );
    }

    /// What was summed up.
    pub(super) fn write_people(&mut self) {
        let people = std::mem::take(&mut self.people);
        for (name, agent) in people.agents {
            let humans: Vec<String> = agent.humans.into_iter().collect();
            self.row(
                Table::Agents,
                &[
                    &name,
                    &humans.join("; "),
                    &agent.sessions,
                    &agent.permitted,
                    &agent.refused,
                ],
            );
        }
        for ((agent, human, issuer, subject), (count, first, last)) in people.principals {
            self.row(
                Table::Principals,
                &[&agent, &human, &issuer, &subject, &count, &first, &last],
            );
        }
        for ((human, agent, approver, verdict), count) in people.verdicts {
            self.row(
                Table::SodMatrix,
                &[&human, &agent, &approver, &verdict, &count],
            );
        }
    }
}

/// An identity as tables show it.
#[derive(Default)]
struct Columns {
    human: String,
    agent: String,
    groups: String,
    issuer: String,
    subject: String,
    token_id: String,
    key_id: String,
    expires: String,
}

impl Columns {
    fn of(identity: Option<&Identity>) -> Self {
        let Some(identity) = identity else {
            return Self::default();
        };
        let groups: Vec<&str> = identity.groups.iter().map(String::as_str).collect();
        Self {
            human: identity.human.clone(),
            agent: identity
                .agent
                .as_ref()
                .map(|agent| agent.name.clone())
                .unwrap_or_default(),
            groups: groups.join("; "),
            issuer: identity.proof.issuer.clone(),
            subject: identity.proof.subject.clone(),
            token_id: identity.proof.token_id.clone().unwrap_or_default(),
            key_id: identity.proof.key_id.clone().unwrap_or_default(),
            expires: identity.proof.expires.to_string(),
        }
    }
}
