//! The bank's example set does what its comments and docs/policy.md say.

use model::{Ask, Decision, Resource, Value};

use super::support::*;
use crate::PolicySet;

fn bank() -> PolicySet {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/policies/bank");
    PolicySet::load(folder.as_ref(), &[POSTGRES]).unwrap_or_else(|error| panic!("{error}"))
}

fn catalog(table: &str) -> Ask {
    let mut ask = on("select", table);
    ask.resource = Resource {
        name: format!("pg_catalog.{table}"),
        parents: vec![("Schema", "pg_catalog".to_owned())],
        ..ask.resource
    };
    ask.resource
        .attributes
        .insert("schema", Value::Text("pg_catalog".to_owned()));
    ask
}

fn filtered(ask: Ask) -> Ask {
    with(ask, "has_where", Value::Bool(true))
}

#[test]
fn it_loads_without_a_warning() {
    assert!(bank().warnings().is_empty(), "{:?}", bank().warnings());
}

#[test]
fn agents_read_with_masks() {
    let set = bank();
    allowed(set.connect(&agent(&[]), &BANK));
    let obligations = allowed(decide(&set, &agent(&[]), &[on("select", "cards")]));
    assert!(obligations.reveal.is_empty());
    assert_eq!(obligations.rows_max, Some(10_000));
    for ask in [
        plain("select"),
        plain("transaction"),
        plain("show"),
        on("prepare", "cards"),
        catalog("pg_class"),
    ] {
        allowed(decide(&set, &agent(&[]), &[ask]));
    }
    forbidden_by(
        decide(&set, &agent(&[]), &[catalog("pg_stats")]),
        &["no-catalog-secrets"],
    );
    let unknown = with(on("select", "cards"), "known", Value::Bool(false));
    forbidden_by(decide(&set, &agent(&[]), &[unknown]), &[]);
}

#[test]
fn fraud_analysts_see_card_numbers_and_nothing_else() {
    let obligations = allowed(decide(
        &bank(),
        &agent(&["fraud-analysts"]),
        &[on("select", "cards")],
    ));
    let names: Vec<String> = obligations.reveal.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["pan"]);
    assert_eq!(obligations.policies, ["read-public", "fraud-sees-pan"]);
}

#[test]
fn protected_data_is_not_guessed_at() {
    let set = bank();
    let asks = |name, classes: &[&str]| {
        let classes = classes.iter().map(|class| (*class).to_owned()).collect();
        with(on("select", "cards"), name, Value::Texts(classes))
    };
    let analyst = agent(&["fraud-analysts"]);
    for who in [&agent(&[]), &analyst] {
        allowed(decide(&set, who, &[asks("matched", &["pan", "us_ssn"])]));
        let denial = denied(decide(&set, who, &[asks("probed", &["pan", "us_ssn"])]));
        assert_eq!(
            (denial.policies, denial.message.as_str()),
            (
                vec!["no-guessing".to_owned()],
                "policy no-guessing forbids select on public.cards: compare protected data for equality with values that \
                 you have (at most 16), or leave it out: it cannot be searched, sorted, grouped by or computed with"
            )
        );
    }
    allowed(decide(&set, &analyst, &[asks("probed", &["pan"])]));
    forbidden_by(
        decide(&set, &agent(&[]), &[asks("probed", &["pan"])]),
        &["no-guessing"],
    );
}

#[test]
fn changes_to_payments_pass_the_gate() {
    let set = bank();
    let who = agent(&[]);
    for ask in [
        on("insert", "payments"),
        filtered(on("update", "payments")),
        filtered(on("delete", "payments")),
    ] {
        let (gates, _) = asked(decide(&set, &who, &[on("select", "payments"), ask]));
        assert_eq!(gates, [gate("payments-oncall", 1, "payments-gate")]);
    }
    let all = [on("update", "payments")];
    forbidden_by(
        approved(&set, &who, &all, &["payments-oncall"]),
        &["no-write-without-where"],
    );
    forbidden_by(
        decide(&set, &who, &[filtered(on("update", "accounts"))]),
        &[],
    );
}

#[test]
fn what_nobody_does_is_refused_with_advice() {
    let set = bank();
    for (action, policy) in [
        ("drop", "no-ddl"),
        ("truncate", "no-ddl"),
        ("alter", "no-ddl"),
        ("create", "no-ddl"),
        ("grant", "no-grant"),
        ("revoke", "no-grant"),
        ("set_role", "no-grant"),
        ("redefine", "no-redefine"),
        ("opaque", "no-opaque"),
        ("program", "no-server"),
        ("replication", "no-server"),
    ] {
        for ask in [on(action, "payments"), plain(action)] {
            forbidden_by(decide(&set, &human(&["fraud-analysts"]), &[ask]), &[policy]);
        }
    }
    let denial = denied(decide(&set, &agent(&[]), &[on("drop", "payments")]));
    assert_eq!(
        denial.message,
        "policy no-ddl forbids drop on public.payments: schema changes go through a migration: open a change ticket"
    );
}

#[test]
fn another_target_is_not_open() {
    let set = bank();
    let other = crate::TargetRef {
        name: "payroll",
        ..BANK
    };
    denied(set.connect(&agent(&[]), &other));
    let asks = model::Asks::new(vec![on("select", "cards")]);
    let decision = set.decide(&agent(&[]), &other, &asks, &super::support::set(&[]));
    assert!(matches!(*decision, Decision::Deny(_)));
}
