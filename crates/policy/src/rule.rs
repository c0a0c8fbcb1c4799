//! One policy's annotations and shape: what makes a forbid a gate, and what a permit limits.

use std::collections::BTreeSet;

use cedar_policy::{Effect, Policy};
use model::DataClass;
use serde_json::Value;

/// The largest quorum that a gate may ask for.
pub const QUORUM_MAX: u32 = 16;
/// The longest id, group or advice, in bytes.
pub const ANNOTATION_BYTES_MAX: usize = 512;

const ANNOTATIONS: &[&str] = &[
    "id",
    "gate",
    "quorum",
    "rows",
    "bytes",
    "description",
    "advice",
];

/// What the decision logic needs to know of a policy besides Cedar's own evaluation of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Its id, unique in the set.
    pub(crate) id: String,
    /// `permit` or `forbid`.
    pub(crate) effect: Effect,
    /// Who opens it, where it is a gate.
    pub(crate) gate: Option<GateTerms>,
    /// What a permit limits.
    pub(crate) limits: Limits,
    /// What the client is told to do.
    pub(crate) advice: Option<String>,
}

/// Who opens a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GateTerms {
    pub(crate) group: String,
    pub(crate) quorum: u32,
}

/// The limits of one permit. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Limits {
    pub(crate) rows: Option<u64>,
    pub(crate) bytes: Option<u64>,
}

impl Limits {
    /// Of two permits that both apply: that which shows more rows, and among equals more bytes. Always the limits of
    /// one permit, so never more than some one policy grants.
    pub(crate) fn wider(self, other: Self) -> Self {
        let rank = |limits: Self| {
            (
                limits.rows.unwrap_or(u64::MAX),
                limits.bytes.unwrap_or(u64::MAX),
            )
        };
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }

    /// Of two questions of one command: both hold.
    pub(crate) fn stricter(self, other: Self) -> Self {
        let least = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        Self {
            rows: least(self.rows, other.rows),
            bytes: least(self.bytes, other.bytes),
        }
    }
}

impl Rule {
    /// Reads a policy's annotations; `fallback` is its id where it has none.
    ///
    /// # Errors
    /// Everything that is wrong with it, in words.
    pub(crate) fn read(policy: &Policy, fallback: String) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        for (name, value) in policy.annotations() {
            wrong.extend(check_annotation(name, value));
        }
        let effect = policy.effect();
        let gate = read_gate(policy, effect, &mut wrong);
        let limits = read_limits(policy, effect, &mut wrong);
        wrong.extend(check_approvals(policy, gate.as_ref()));
        wrong.extend(classes(policy).err());
        if wrong.is_empty() {
            Ok(Self {
                id: policy.annotation("id").map_or(fallback, str::to_owned),
                effect,
                gate,
                limits,
                advice: policy.annotation("advice").map(str::to_owned),
            })
        } else {
            Err(wrong)
        }
    }
}

/// The classes of data that a policy names.
///
/// # Errors
/// It names one that no value can have.
pub(crate) fn classes(policy: &Policy) -> Result<BTreeSet<DataClass>, String> {
    policy
        .entity_literals()
        .into_iter()
        .filter(|uid| uid.type_name().to_string() == "DataClass")
        .map(|uid| {
            DataClass::try_from(uid.id().unescaped().to_owned()).map_err(|error| error.to_string())
        })
        .collect()
}

fn check_annotation(name: &str, value: &str) -> Option<String> {
    if !ANNOTATIONS.contains(&name) {
        return Some(format!(
            "unknown annotation @{name}: known are @{}",
            ANNOTATIONS.join(", @")
        ));
    }
    if value.trim().is_empty() {
        return Some(format!("@{name} is empty: give it a value, or remove it"));
    }
    if value.len() > ANNOTATION_BYTES_MAX {
        return Some(format!(
            "@{name} is longer than {ANNOTATION_BYTES_MAX} bytes: shorten it"
        ));
    }
    if value.chars().any(char::is_control) {
        return Some(format!(
            "@{name} holds a control character or a line break: remove it"
        ));
    }
    None
}

fn read_gate(policy: &Policy, effect: Effect, wrong: &mut Vec<String>) -> Option<GateTerms> {
    let quorum = policy.annotation("quorum");
    let Some(group) = policy.annotation("gate") else {
        if quorum.is_some() {
            wrong.push("@quorum without @gate: name the group that may approve".to_owned());
        }
        return None;
    };
    if effect == Effect::Permit {
        wrong.push(format!(
            "@gate on a permit: a gate is a forbid. Write forbid (…) unless {{ context.approvals.contains({group:?}) }}"
        ));
    }
    let quorum = match quorum.map(str::parse::<u32>) {
        None => 1,
        Some(Ok(quorum)) if (1..=QUORUM_MAX).contains(&quorum) => quorum,
        Some(_) => {
            wrong.push(format!("@quorum is a whole number from 1 to {QUORUM_MAX}"));
            1
        }
    };
    Some(GateTerms {
        group: group.to_owned(),
        quorum,
    })
}

fn read_limits(policy: &Policy, effect: Effect, wrong: &mut Vec<String>) -> Limits {
    let mut limit = |name: &str| {
        let text = policy.annotation(name)?;
        if effect == Effect::Forbid {
            wrong.push(format!(
                "@{name} on a forbid: a limit stands on the permit that it limits"
            ));
        }
        match text.parse::<u64>() {
            Ok(limit) if limit > 0 => Some(limit),
            _ => {
                wrong.push(format!(
                    "@{name} is a whole number above 0, without separators"
                ));
                None
            }
        }
    };
    Limits {
        rows: limit("rows"),
        bytes: limit("bytes"),
    }
}

/// Approvals open gates and do nothing else: a gate has exactly one `unless { context.approvals.contains("group") }`,
/// and no policy looks at approvals in any other way. So opening a gate can only ever remove that gate.
fn check_approvals(policy: &Policy, gate: Option<&GateTerms>) -> Option<String> {
    let Ok(json) = policy.to_json() else {
        return Some("Cedar cannot give this policy as JSON, so it cannot be checked".to_owned());
    };
    let conditions = json.get("conditions").cloned().unwrap_or_default();
    let mentions = mentions(&conditions);
    let Some(gate) = gate else {
        return (mentions > 0).then(|| {
            "context.approvals is for gates: make this a forbid with @gate(\"group\"), whose unless is \
             { context.approvals.contains(\"group\") } and nothing more; elsewhere reach context by its attributes, not whole"
                .to_owned()
        });
    };
    let contains = serde_json::json!({ "contains": {
        "left": { ".": { "left": { "Var": "context" }, "attr": "approvals" } },
        "right": { "Value": gate.group },
    }});
    let opens = |clause: &Value| {
        clause.get("kind").and_then(Value::as_str) == Some("unless")
            && clause.get("body") == Some(&contains)
    };
    let clauses = conditions.as_array().map(Vec::as_slice).unwrap_or_default();
    let opened = clauses.iter().filter(|clause| opens(clause)).count();
    (opened != 1 || mentions != 1).then(|| {
        format!(
            "a gate of {0:?} has exactly one unless {{ context.approvals.contains({0:?}) }}, alone in its braces, and \
             looks at context.approvals nowhere else; further exceptions go into an unless of their own",
            gate.group
        )
    })
}

/// How often an expression reaches for `context.approvals`, or for the whole context, through which it could.
fn mentions(expression: &Value) -> usize {
    match expression {
        Value::Array(items) => items.iter().map(mentions).sum(),
        Value::Object(members) => {
            if members.get("Var").and_then(Value::as_str) == Some("context") {
                return 1;
            }
            members
                .iter()
                .map(|(name, operand)| {
                    if (name == "." || name == "has") && reaches_past(operand) {
                        0
                    } else {
                        mentions(operand)
                    }
                })
                .sum()
        }
        _ => 0,
    }
}

/// The names of the attributes that a policy looks at, of whatever they are.
pub(crate) fn attributes(policy: &Policy) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // One that cannot be given so was refused ([`check_approvals`]).
    let json = policy.to_json().unwrap_or_default();
    let mut open = vec![&json];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => {
                let looks = [".", "has"].map(|by| members.get(by)?.get("attr"));
                for attr in looks.into_iter().flatten() {
                    let path = attr
                        .as_array()
                        .map_or(std::slice::from_ref(attr), Vec::as_slice);
                    found.extend(path.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                open.extend(members.values());
            }
            _ => {}
        }
    }
    found
}

/// Whether this is an attribute of `context` itself other than `approvals`.
fn reaches_past(operand: &Value) -> bool {
    let attr = match operand.get("attr") {
        Some(Value::Array(path)) => path.first(),
        attr => attr,
    };
    let attr = attr.and_then(Value::as_str);
    operand.get("left") == Some(&serde_json::json!({ "Var": "context" }))
        && attr.is_some_and(|attr| attr != "approvals")
}
