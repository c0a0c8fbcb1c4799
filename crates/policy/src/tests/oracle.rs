//! The whole decision against a second, naive statement of its rules.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use model::{Decision, DenialCode, Gate};
use proptest::prelude::*;

use super::support::*;

const ACTIONS: [&str; 3] = ["select", "update", "drop"];
const TABLES: [&str; 2] = ["a", "b"];
const GROUPS: [&str; 2] = ["g", "h"];

/// One policy of a small language.
#[derive(Debug, Clone)]
enum Kind {
    Permit,
    Forbid,
    Gate(usize, u32),
    Errs(bool),
}

#[derive(Debug, Clone)]
struct Rule {
    kind: Kind,
    /// `None`: all, for a gate all of the protocol's.
    action: Option<usize>,
    table: Option<usize>,
    people_only: bool,
}

fn rule() -> impl Strategy<Value = Rule> {
    let kind = prop_oneof![
        5 => Just(Kind::Permit),
        1 => Just(Kind::Forbid),
        3 => (0..2_usize, 1..4_u32).prop_map(|(group, quorum)| Kind::Gate(group, quorum)),
        1 => any::<bool>().prop_map(Kind::Errs),
    ];
    let (action, table) = (
        prop::option::of(0..ACTIONS.len()),
        prop::option::of(0..TABLES.len()),
    );
    (kind, action, table, prop::bool::weighted(0.2)).prop_map(
        |(kind, action, table, people_only)| Rule {
            kind,
            action,
            table,
            people_only,
        },
    )
}

fn text(rules: &[Rule]) -> String {
    let mut text = String::new();
    for (at, rule) in rules.iter().enumerate() {
        let principal = if rule.people_only {
            "principal is Human"
        } else {
            "principal"
        };
        let action = match rule.action {
            Some(action) => format!("action == Postgres::Action::\"{}\"", ACTIONS[action]),
            None => "action".to_owned(),
        };
        let resource = match rule.table {
            Some(table) => format!("resource == Postgres::Table::\"public.{}\"", TABLES[table]),
            None => "resource is Postgres::Table".to_owned(),
        };
        let scope = format!("({principal}, {action}, {resource})");
        let _ = match rule.kind {
            Kind::Permit => writeln!(text, "@id(\"{at}\") permit {scope};"),
            Kind::Forbid => writeln!(text, "@id(\"{at}\") forbid {scope};"),
            Kind::Gate(group, quorum) => {
                let group = GROUPS[group];
                writeln!(
                    text,
                    "@id(\"{at}\") @gate(\"{group}\") @quorum(\"{quorum}\") forbid {scope} \
                     unless {{ context.approvals.contains(\"{group}\") }};"
                )
            }
            Kind::Errs(forbid) => {
                let effect = if forbid { "forbid" } else { "permit" };
                writeln!(
                    text,
                    "@id(\"{at}\") {effect} {scope} when {{ Human::\"nobody\".issuer == \"x\" }};"
                )
            }
        };
    }
    text
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Allow(BTreeSet<String>),
    Ask(BTreeSet<Gate>),
    Forbidden(BTreeSet<String>),
    Error,
}

fn expected(
    rules: &[Rule],
    person: bool,
    asks: &[(usize, usize)],
    approved: &BTreeSet<String>,
) -> Expected {
    let mut allows = BTreeSet::new();
    let mut gates = BTreeSet::new();
    let mut forbids = BTreeSet::new();
    let mut unpermitted = false;
    for &(action, table) in asks {
        let mut permitted = false;
        for (at, rule) in rules.iter().enumerate() {
            let applies = (person || !rule.people_only)
                && rule.action.is_none_or(|only| only == action)
                && rule.table.is_none_or(|only| only == table);
            match rule.kind {
                _ if !applies => {}
                Kind::Errs(_) => return Expected::Error,
                Kind::Permit => {
                    permitted = true;
                    allows.insert(at.to_string());
                }
                Kind::Forbid => {
                    forbids.insert(at.to_string());
                }
                Kind::Gate(group, quorum) => {
                    if !approved.contains(GROUPS[group]) {
                        gates.insert(gate(GROUPS[group], quorum, &at.to_string()));
                    }
                }
            }
        }
        unpermitted |= !permitted;
    }
    if !forbids.is_empty() || unpermitted {
        Expected::Forbidden(forbids)
    } else if gates.is_empty() {
        Expected::Allow(allows)
    } else {
        Expected::Ask(gates)
    }
}

fn seen(decision: Decision) -> Expected {
    match decision {
        Decision::Allow(obligations) => Expected::Allow(obligations.policies.into_iter().collect()),
        Decision::Ask { gates, .. } => Expected::Ask(gates.into_iter().collect()),
        Decision::Deny(denial) if denial.code == DenialCode::Forbidden => {
            Expected::Forbidden(denial.policies.into_iter().collect())
        }
        Decision::Deny(denial) => {
            assert_eq!(denial.code, DenialCode::PolicyError, "{}", denial.message);
            Expected::Error
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decisions_are_those_of_the_rules(
        rules in prop::collection::vec(rule(), 1..8),
        asks in prop::collection::vec((0..ACTIONS.len(), 0..TABLES.len()), 1..4),
        person: bool,
        open in prop::collection::btree_set(prop::sample::select(&GROUPS[..]), 0..3),
    ) {
        let set = policies(&text(&rules));
        let who = if person { human(&[]) } else { agent(&[]) };
        let list: Vec<_> = asks.iter().map(|&(action, table)| on(ACTIONS[action], TABLES[table])).collect();
        let open: Vec<&str> = open.into_iter().collect();
        let decision = approved(&set, &who, &list, &open);
        prop_assert_eq!(seen(decision.clone()), expected(&rules, person, &asks, &self::set(&open)));
        // Once every gate that was asked for is open, exactly what was promised holds.
        if let Decision::Ask { gates, obligations } = decision {
            let mut groups = open.clone();
            groups.extend(gates.iter().map(|gate| gate.group.as_str()));
            prop_assert_eq!(approved(&set, &who, &list, &groups), Decision::Allow(obligations));
        }
    }
}
