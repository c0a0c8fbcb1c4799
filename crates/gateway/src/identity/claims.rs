//! From a token's claims to an [`Identity`].

use std::collections::BTreeSet;

use model::{Agent, Identity, Proof};
use serde_json::Value;

/// Groups that an identity may carry; more are refused, for they stand in every entry.
const GROUPS_MAX: usize = 256;

/// A name in a token may be so many bytes long.
const NAME_BYTES_MAX: usize = 256;

/// Where a claim stands: names separated by dots, such as `act.sub`. A name that itself holds dots (a URI, as some issuers
/// use) is found too, as the longest name that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(String);

impl ClaimPath {
    /// From its text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    fn find<'a>(&self, claims: &'a Value) -> Option<&'a Value> {
        fn walk<'a>(path: &str, value: &'a Value) -> Option<&'a Value> {
            if let Some(found) = value.get(path) {
                return Some(found);
            }
            path.rmatch_indices('.').find_map(|(at, _)| {
                let (head, tail) = path.split_at_checked(at)?;
                walk(tail.get(1..)?, value.get(head)?)
            })
        }
        walk(&self.0, claims)
    }
}

/// Which claims say what. The default is RFC 8693: `sub` is the human, `act.sub` the agent that acts for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimMapping {
    /// The human. Must be there.
    pub human: ClaimPath,
    /// The agent. Where the claim is not there, the human themselves is asking.
    pub agent: ClaimPath,
    /// The groups: a list of names, or names separated by spaces.
    pub groups: ClaimPath,
    /// The agent's instance.
    pub instance: ClaimPath,
    /// The agent's model.
    pub model: ClaimPath,
}

impl Default for ClaimMapping {
    fn default() -> Self {
        Self {
            human: ClaimPath::new("sub"),
            agent: ClaimPath::new("act.sub"),
            groups: ClaimPath::new("groups"),
            instance: ClaimPath::new("act.instance"),
            model: ClaimPath::new("act.model"),
        }
    }
}

/// A claim that does not say what it should. Holds the claim's name, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// It is not there.
    #[error(
        "the claim {0:?} is missing: map another in [issuers.claims], or have the issuer send it"
    )]
    Missing(String),
    /// It is there, and is not a name of 1 to 256 bytes without control characters.
    #[error("the claim {0:?} is not a name of 1 to 256 bytes")]
    Malformed(String),
    /// Too many groups.
    #[error(
        "the claim {0:?} names more than 256 groups: have the issuer send only those that matter here"
    )]
    TooMany(String),
}

impl ClaimMapping {
    /// The identity that verified claims describe.
    pub(super) fn identity(&self, claims: &Value, proof: Proof) -> Result<Identity, ClaimError> {
        let human =
            name(claims, &self.human)?.ok_or_else(|| ClaimError::Missing(self.human.0.clone()))?;
        let agent = match name(claims, &self.agent)? {
            None => None,
            Some(agent) => Some(Agent {
                name: agent,
                instance: name(claims, &self.instance)?,
                model: name(claims, &self.model)?,
            }),
        };
        Ok(Identity {
            human,
            agent,
            groups: groups(claims, &self.groups)?,
            proof,
        })
    }
}

fn name(claims: &Value, path: &ClaimPath) -> Result<Option<String>, ClaimError> {
    match path.find(claims) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if is_name(text) => Ok(Some(text.clone())),
        Some(_) => Err(ClaimError::Malformed(path.0.clone())),
    }
}

fn groups(claims: &Value, path: &ClaimPath) -> Result<BTreeSet<String>, ClaimError> {
    let malformed = || ClaimError::Malformed(path.0.clone());
    let names: Vec<&str> = match path.find(claims) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => text.split_whitespace().collect(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().ok_or_else(malformed))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(malformed()),
    };
    if names.len() > GROUPS_MAX {
        return Err(ClaimError::TooMany(path.0.clone()));
    }
    if !names.iter().all(|text| is_name(text)) {
        return Err(malformed());
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use serde_json::json;

    use super::*;

    fn identity(mapping: &ClaimMapping, claims: &Value) -> Result<Identity, ClaimError> {
        let proof = Proof {
            issuer: "https://id.example.com".into(),
            subject: "x".into(),
            token_id: None,
            key_id: None,
            expires: Timestamp::MAX,
        };
        mapping.identity(claims, proof)
    }

    #[test]
    fn delegation_names_agent_and_human() {
        let claims = json!({"sub": "alice", "act": {"sub": "claude-code", "model": "m-1"}, "groups": ["b", "a"]});
        let who = identity(&ClaimMapping::default(), &claims).unwrap();
        assert_eq!((who.human.as_str(), who.name()), ("alice", "claude-code"));
        assert_eq!(who.agent.unwrap().model.as_deref(), Some("m-1"));
        assert_eq!(who.groups.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn mapped_claims_may_be_uris_and_nested() {
        let mapping = ClaimMapping {
            human: ClaimPath::new("https://example.com/owner"),
            agent: ClaimPath::new("kubernetes.io.serviceaccount.name"),
            ..ClaimMapping::default()
        };
        let claims = json!({"https://example.com/owner": "alice", "kubernetes.io": {"serviceaccount": {"name": "bot"}}});
        let who = identity(&mapping, &claims).unwrap();
        assert_eq!((who.human.as_str(), who.name()), ("alice", "bot"));
    }

    #[test]
    fn claims_of_the_wrong_shape_are_refused_not_skipped() {
        let mapping = ClaimMapping::default();
        let refused = [
            (json!({}), ClaimError::Missing("sub".into())),
            (
                json!({"sub": ["alice"]}),
                ClaimError::Malformed("sub".into()),
            ),
            (json!({"sub": ""}), ClaimError::Malformed("sub".into())),
            (json!({"sub": "a\nb"}), ClaimError::Malformed("sub".into())),
            (
                json!({"sub": "alice", "act": {"sub": 7}}),
                ClaimError::Malformed("act.sub".into()),
            ),
            (
                json!({"sub": "alice", "groups": [1]}),
                ClaimError::Malformed("groups".into()),
            ),
            (
                json!({"sub": "alice", "groups": vec!["g"; 257]}),
                ClaimError::TooMany("groups".into()),
            ),
        ];
        for (claims, error) in refused {
            assert_eq!(identity(&mapping, &claims), Err(error), "{claims}");
        }
    }
}
