//! A catalog that changes while a session lives.

use std::sync::Arc;

use model::{Command, DataClass, Value};
use sql::postgres::Declaration;

use super::gateway::{self, Gateway, known_anew, one_row};
use super::say::{bind, execute, parse, query, sync};
use crate::session::{Answer, Knowledge};

/// What is known after somebody declared another column.
fn otherwise() -> Knowledge {
    let mut settings = gateway::settings();
    settings.declared.push(Declaration {
        schema: "public".into(),
        table: "t".into(),
        column: "words".into(),
        class: DataClass::US_SSN,
    });
    known_anew(&settings)
}

fn probes(command: &Command) -> bool {
    let asks = command.asks.list().iter();
    let mut probed = asks.map(|ask| ask.context.get("probed"));
    probed.any(|probed| matches!(probed, Some(Value::Texts(classes)) if !classes.is_empty()))
}

const SEARCH: &str = "select n from t where words > 'M'";

#[test]
fn what_follows_a_recast_in_a_pipeline_may_read_anything() {
    for (first, expected) in [
        (
            "create temp view v as select ssn as words from customers",
            true,
        ),
        ("create temp table v (words text)", false),
        ("select 1", false),
    ] {
        let mut gateway = Gateway::live();
        for message in [parse("", first), bind("", ""), execute("", 0)] {
            gateway.client(&message).unwrap();
        }
        gateway.permit_all();
        for message in [parse("", SEARCH), bind("", ""), execute("", 0), sync()] {
            gateway.client(&message).unwrap();
        }
        let mut told = false;
        while !gateway.open.is_empty() {
            told |= probes(&gateway.permit());
        }
        assert_eq!(told, expected, "{first}");
    }
}

#[test]
fn what_others_learned_counts_for_the_next_command() {
    let mut gateway = Gateway::live();
    gateway.answer(Answer::Learned(Some(otherwise()))).unwrap();
    gateway.client(&query(SEARCH)).unwrap();
    assert!(probes(&gateway.permit()));
    // Something of another protocol is nothing to go by.
    let mut gateway = Gateway::live();
    gateway.answer(Answer::Learned(Some(Arc::new(7)))).unwrap();
    gateway.client(&query(SEARCH)).unwrap();
    assert!(!probes(&gateway.permit()));
}

#[test]
fn what_waited_while_others_changed_the_catalog_shows_nothing() {
    for (held, news) in [(true, true), (true, false), (false, true)] {
        let mut gateway = Gateway::live();
        gateway.client(&query("select words from t")).unwrap();
        if held {
            gateway.hold();
        }
        if news {
            gateway.answer(Answer::Learned(Some(otherwise()))).unwrap();
        }
        gateway.permit();
        gateway.upstream(&one_row("plain")).unwrap();
        let told = gateway.take_client().join("\n");
        assert_eq!(told.contains("plain"), !(held && news), "{told}");
    }
}

#[test]
fn what_is_old_is_read_again_before_the_next_command() {
    let mut gateway = Gateway::live();
    gateway.answer(Answer::Learned(None)).unwrap();
    gateway.client(&query(SEARCH)).unwrap();
    assert!(gateway.open.is_empty());
    assert!(!gateway.take_upstream().is_empty());
}
