//! The policy of a form: until when, and what its fields must be.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Timestamp;
use serde_json::Value;

use super::BadForm;

/// What a policy says.
pub(super) struct Policy {
    pub(super) ends: Timestamp,
    conditions: Vec<Condition>,
}

enum Condition {
    /// The field is this.
    Is(String, String),
    /// The field begins so.
    Begins(String, String),
    /// The file has from so many bytes to so many.
    Length(u64, u64),
}

impl Policy {
    /// Reads a policy as it stands in a form.
    pub(super) fn read(encoded: &str) -> Result<Self, BadForm> {
        let malformed = BadForm::Malformed("its policy");
        let bytes = STANDARD.decode(encoded).map_err(|_| malformed.clone())?;
        let policy: Value = serde_json::from_slice(&bytes).map_err(|_| malformed.clone())?;
        let ends = policy.get("expiration").and_then(Value::as_str);
        let ends = ends.and_then(|it| Timestamp::parse(it).ok());
        let conditions = policy.get("conditions").and_then(Value::as_array);
        let read = |list: &Vec<Value>| list.iter().map(condition).collect::<Option<Vec<_>>>();
        let conditions = conditions.and_then(read);
        match (ends, conditions) {
            (Some(ends), Some(conditions)) => Ok(Self {
                ends,
                conditions: conditions.into_iter().flatten().collect(),
            }),
            _ => Err(malformed),
        }
    }

    /// Whether it lets a form with these fields upload so many bytes to a bucket. Every field must be named by a condition, but
    /// those that are not signed.
    pub(super) fn allows(
        &self,
        bucket: &str,
        fields: &[(String, String)],
        length: u64,
    ) -> Result<(), BadForm> {
        let refused = |what: &str| Err(BadForm::Policy(what.to_owned()));
        let mut named = BTreeSet::new();
        for condition in &self.conditions {
            let (name, holds) = match condition {
                Condition::Length(least, most) if (*least..=*most).contains(&length) => continue,
                Condition::Length(..) => return refused("the file's length"),
                Condition::Is(name, _) | Condition::Begins(name, _) => {
                    let field = fields.iter().find(|(it, _)| it == name);
                    let value = match name.as_str() {
                        "bucket" => Some(bucket),
                        _ => field.map(|(_, value)| value.as_str()),
                    };
                    // What is not there is nothing, as S3 takes it.
                    (name, condition.holds(value.unwrap_or_default()))
                }
            };
            if !holds {
                return refused(name);
            }
            named.insert(name.as_str());
        }
        let free = |name: &str| {
            matches!(name, "policy" | "x-amz-signature") || name.starts_with("x-ignore-")
        };
        let mut fields = fields.iter().map(|(name, _)| name.as_str());
        if !named.contains("bucket") {
            return refused("it names no bucket");
        }
        match fields.find(|name| !free(name) && !named.contains(name)) {
            Some(name) => refused(&format!("no condition names {name}")),
            None => Ok(()),
        }
    }

    /// Whether it lets a field be this where it was made of what the policy was asked about.
    pub(super) fn allows_value(&self, name: &str, value: &str) -> Result<(), BadForm> {
        let begins = |condition: &Condition| match condition {
            Condition::Begins(it, _) if it == name => condition.holds(value),
            _ => true,
        };
        if self.conditions.iter().all(begins) {
            Ok(())
        } else {
            Err(BadForm::Policy(name.to_owned()))
        }
    }
}

impl Condition {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Is(_, wanted) => wanted == value,
            Self::Begins(_, start) => value.starts_with(start.as_str()),
            Self::Length(..) => true,
        }
    }
}

fn condition(of: &Value) -> Option<Vec<Condition>> {
    match of {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| {
                let value = value.as_str()?.to_owned();
                Some(Condition::Is(name.to_ascii_lowercase(), value))
            })
            .collect(),
        Value::Array(list) => {
            let one = match list.as_slice() {
                [
                    Value::String(how),
                    Value::String(name),
                    Value::String(value),
                ] => {
                    let name = name.strip_prefix('$')?.to_ascii_lowercase();
                    match how.as_str() {
                        "eq" => Condition::Is(name, value.clone()),
                        "starts-with" => Condition::Begins(name, value.clone()),
                        _ => return None,
                    }
                }
                [Value::String(how), least, most] if how == "content-length-range" => {
                    Condition::Length(number(least)?, number(most)?)
                }
                _ => return None,
            };
            Some(vec![one])
        }
        _ => None,
    }
}

/// A number, or a text that is one: both are written.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
