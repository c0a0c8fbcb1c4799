//! Short ways to say who asks what of which policies.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Agent, Ask, Asks, Decision, Denial, DenialCode, Gate, Identity, Obligations, Proof, Resource,
    Timestamp, Value,
};

use crate::{LoadError, NO_LABELS, PolicySet, SchemaFragment, TargetRef};

pub(super) const POSTGRES: SchemaFragment = SchemaFragment {
    protocol: "postgres",
    text: include_str!("../../../protocols/src/postgres/postgres.cedarschema"),
};

pub(super) const BANK: TargetRef<'static> = TargetRef {
    name: "bank",
    protocol: "postgres",
    labels: &NO_LABELS,
};

/// A permit of everything, to be cut down by what a test adds.
pub(super) const ALL: &str = "@id(\"all\") permit (principal, action, resource);\n";

pub(super) fn parse(text: &str) -> Result<PolicySet, LoadError> {
    PolicySet::parse(&[("a.cedar".to_owned(), text.to_owned())], &[POSTGRES])
}

#[track_caller]
pub(super) fn policies(text: &str) -> PolicySet {
    parse(text).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn agent(groups: &[&str]) -> Identity {
    Identity {
        agent: Some(Agent {
            name: "claude-code".to_owned(),
            instance: None,
            model: None,
        }),
        ..human(groups)
    }
}

pub(super) fn human(groups: &[&str]) -> Identity {
    Identity {
        human: "alice".to_owned(),
        agent: None,
        groups: set(groups),
        proof: Proof {
            issuer: "https://issuer.example".to_owned(),
            subject: "sub-alice".to_owned(),
            token_id: None,
            key_id: None,
            expires: Timestamp::MAX,
        },
    }
}

pub(super) fn set(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(|&item| item.to_owned()).collect()
}

/// An action on a table of schema `public`, with the context of a plain statement.
pub(super) fn on(action: &'static str, table: &str) -> Ask {
    Ask {
        action,
        resource: Resource {
            kind: "Table",
            name: format!("public.{table}"),
            parents: vec![("Schema", "public".to_owned())],
            attributes: BTreeMap::from([
                ("schema", Value::Text("public".to_owned())),
                ("name", Value::Text(table.to_owned())),
            ]),
        },
        context: context(),
    }
}

/// An action on the target itself.
pub(super) fn plain(action: &'static str) -> Ask {
    Ask {
        action,
        resource: Resource {
            kind: "Target",
            name: "bank".to_owned(),
            parents: Vec::new(),
            attributes: BTreeMap::new(),
        },
        context: context(),
    }
}

pub(super) fn context() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("tag", Value::Text("UPDATE".to_owned())),
        ("object", Value::Text(String::new())),
        ("has_where", Value::Bool(false)),
        ("known", Value::Bool(true)),
        ("protected", Value::Texts(Vec::new())),
        ("matched", Value::Texts(Vec::new())),
        ("probed", Value::Texts(Vec::new())),
        ("matched_columns", Value::Texts(Vec::new())),
        ("probed_columns", Value::Texts(Vec::new())),
        ("counted_columns", Value::Texts(Vec::new())),
        ("shown_columns", Value::Texts(Vec::new())),
    ])
}

pub(super) fn with(mut ask: Ask, name: &'static str, value: Value) -> Ask {
    ask.context.insert(name, value);
    ask
}

pub(super) fn decide(set: &PolicySet, identity: &Identity, asks: &[Ask]) -> Decision {
    approved(set, identity, asks, &[])
}

pub(super) fn approved(
    set: &PolicySet,
    identity: &Identity,
    asks: &[Ask],
    groups: &[&str],
) -> Decision {
    let asks = Asks::new(asks.to_vec());
    (*set.decide(identity, &BANK, &asks, &self::set(groups))).clone()
}

#[track_caller]
pub(super) fn allowed(decision: Decision) -> Obligations {
    match decision {
        Decision::Allow(obligations) => obligations,
        other => panic!("not allowed: {other:?}"),
    }
}

#[track_caller]
pub(super) fn denied(decision: Decision) -> Denial {
    match decision {
        Decision::Deny(denial) => denial,
        other => panic!("not denied: {other:?}"),
    }
}

#[track_caller]
pub(super) fn forbidden_by(decision: Decision, policies: &[&str]) {
    let denial = denied(decision);
    assert_eq!(
        (denial.code, denial.policies),
        (
            DenialCode::Forbidden,
            policies.iter().map(|&id| id.to_owned()).collect()
        )
    );
}

#[track_caller]
pub(super) fn asked(decision: Decision) -> (Vec<Gate>, Obligations) {
    match decision {
        Decision::Ask { gates, obligations } => (gates, obligations),
        other => panic!("not asked: {other:?}"),
    }
}

pub(super) fn gate(group: &str, quorum: u32, policy: &str) -> Gate {
    Gate {
        group: group.to_owned(),
        quorum,
        policy: policy.to_owned(),
    }
}
