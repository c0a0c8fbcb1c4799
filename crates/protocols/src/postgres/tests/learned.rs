//! A catalog that changes while a session lives.

use std::sync::Arc;

use bytes::Bytes;
use model::{Command, DataClass, Value};
use sql::postgres::{Catalog, Declaration};

use super::gateway::{self, Gateway, known_anew, one_row};
use super::say::{self, bind, complete, execute, parse, query, sync};
use crate::postgres::catalog::LOCKED_TRIES_MAX;
use crate::postgres::settings::Settings;
use crate::postgres::wire::{server, write};
use crate::session::{Answer, Knowledge};

/// What is known after somebody declared another column.
fn otherwise() -> Knowledge {
    let mut settings = gateway::settings();
    settings.declared.push(Declaration {
        schema: "public".into(),
        table: "t".into(),
        column: "words".into(),
        class: DataClass::US_SSN,
        path: None,
    });
    known_anew(&settings)
}

pub(super) fn probes(command: &Command) -> bool {
    let asks = command.asks.list().iter();
    let mut probed = asks.map(|ask| ask.context.get("probed"));
    probed.any(|probed| matches!(probed, Some(Value::Texts(classes)) if !classes.is_empty()))
}

/// What it asks where it asks after too many values is what it would ask if it searched.
#[test]
fn each_bind_tells_how_many_values_it_asks_after() {
    let mut gateway = Gateway::live();
    let text = "select id from customers where ssn = $1 or ssn in ('a', 'b')";
    for message in [parse("s", text), bind("", "s"), bind("", "s"), sync()] {
        gateway.client(&message).unwrap();
    }
    let asked: Vec<Command> =
        std::iter::from_fn(|| (!gateway.open.is_empty()).then(|| gateway.permit())).collect();
    let guesses = |command: &Command| command.asks.guesses().get(&DataClass::US_SSN).copied();
    let counts: Vec<_> = asked.iter().map(guesses).collect();
    assert_eq!(counts, [Some(3), Some(3)]);
    for command in asked {
        let searching = command.asks.searching().unwrap();
        let context = &searching.list()[0].context;
        let texts =
            |texts: &[&str]| Value::Texts(texts.iter().map(|it| (*it).to_owned()).collect());
        assert_eq!(context["matched"], texts(&[]));
        assert_eq!(context["probed"], texts(&["us_ssn"]));
        assert_eq!(context["probed_columns"], texts(&["public.customers.ssn"]));
        assert!(!probes(&command));
    }
    for text in [
        "select id from customers where id = 1",
        "select id from customers where ssn > 'M'",
    ] {
        let mut gateway = Gateway::live();
        gateway.client(&query(text)).unwrap();
        assert!(gateway.permit().asks.searching().is_none(), "{text}");
    }
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
    for (held, news) in [(true, true), (true, false), (false, true), (false, false)] {
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
        assert_eq!(told.contains("plain"), !news, "{told}");
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

/// A Query that succeeds, with the status after it.
pub(super) fn ran(gateway: &mut Gateway, text: &str, tag: &str, status: u8) {
    gateway.client(&query(text)).unwrap();
    gateway.permit_all();
    gateway
        .upstream(&say::join(&[complete(tag), write::ready(status)]))
        .unwrap();
}

/// An answer to the reading of a catalog that holds nothing, in a transaction of that isolation.
pub(super) fn catalog(isolation: &str, status: u8) -> Bytes {
    let mut answers = vec![write::ready(status); Catalog::QUERIES.len() + 3];
    if status == b'T' {
        answers.insert(0, say::row(&[isolation]));
    }
    say::join(&answers)
}

/// Whether the gateway reads the catalog before it asks about the next statement.
pub(super) fn reads_catalog(gateway: &mut Gateway) -> bool {
    gateway.take_upstream();
    gateway.client(&query("select words from t")).unwrap();
    let sent = gateway.take_upstream();
    gateway.open.is_empty() && !sent.is_empty()
}

/// What the client sees of one row of the statement that waits.
pub(super) fn shown(gateway: &mut Gateway, status: u8) -> String {
    gateway.take_client();
    gateway.permit();
    let answer = [
        say::columns(&[("words", 0, 0, 25)]),
        say::row(&["plain"]),
        complete("SELECT 1"),
        write::ready(status),
    ];
    gateway.upstream(&say::join(&answer)).unwrap();
    // What is withheld is cancelled upstream.
    for _ in gateway.asides.split_off(0) {
        gateway.answer(Answer::Delivered).unwrap();
    }
    gateway.take_client().join(" ")
}

#[test]
fn going_back_to_a_savepoint_takes_the_catalog_along() {
    for (text, tag, again) in [
        ("rollback to s", "ROLLBACK", true),
        ("rollback", "ROLLBACK", true),
        ("release s", "RELEASE", false),
    ] {
        let mut gateway = Gateway::live();
        ran(&mut gateway, "begin", "BEGIN", b'T');
        ran(&mut gateway, "savepoint s", "SAVEPOINT", b'T');
        ran(&mut gateway, "create table x ()", "CREATE TABLE", b'T');
        assert!(reads_catalog(&mut gateway));
        gateway.upstream(&catalog("read committed", b'T')).unwrap();
        assert!(shown(&mut gateway, b'T').contains("plain"));
        let status = if text == "rollback" { b'I' } else { b'T' };
        ran(&mut gateway, text, tag, status);
        assert_eq!(reads_catalog(&mut gateway), again, "{text}");
    }
}

#[test]
fn what_follows_a_rollback_in_the_same_text_is_withheld() {
    for (made, withheld) in [(true, true), (false, false)] {
        let mut gateway = Gateway::live();
        ran(&mut gateway, "begin", "BEGIN", b'T');
        if made {
            ran(&mut gateway, "create table x ()", "CREATE TABLE", b'T');
            assert!(reads_catalog(&mut gateway));
            gateway.upstream(&catalog("read committed", b'T')).unwrap();
            shown(&mut gateway, b'T');
        }
        gateway
            .client(&query("rollback; select words from t"))
            .unwrap();
        gateway.permit();
        let answer = [
            complete("ROLLBACK"),
            say::columns(&[("words", 0, 0, 25)]),
            say::row(&["plain"]),
        ];
        gateway.upstream(&say::join(&answer)).unwrap();
        let told = gateway.take_client().join(" ");
        assert_eq!(!told.contains("plain"), withheld, "{told}");
    }
}

#[test]
fn an_old_snapshot_judges_nothing() {
    for (isolation, sees) in [
        ("read committed", true),
        ("repeatable read", false),
        ("serializable", false),
    ] {
        let mut gateway = Gateway::live();
        ran(&mut gateway, "begin", "BEGIN", b'T');
        ran(&mut gateway, "create table x ()", "CREATE TABLE", b'T');
        assert!(reads_catalog(&mut gateway));
        gateway.upstream(&catalog(isolation, b'T')).unwrap();
        let told = shown(&mut gateway, b'I');
        assert_eq!(told.contains("plain"), sees, "{isolation}: {told}");
        // It ended: what is read now is what names mean.
        assert!(reads_catalog(&mut gateway));
        gateway.upstream(&catalog("", b'I')).unwrap();
        assert!(shown(&mut gateway, b'I').contains("plain"));
    }
}

#[test]
fn what_comes_while_the_catalog_is_read_is_passed_on() {
    let mut gateway = Gateway::live();
    gateway.answer(Answer::Learned(None)).unwrap();
    assert!(reads_catalog(&mut gateway));
    let notification = write::one(server::NOTIFICATION, |out| {
        out.extend_from_slice(&[0, 0, 0, 9]);
        write::cstr(out, b"channel");
        write::cstr(out, b"payload");
    });
    gateway.upstream(&notification).unwrap();
    gateway.upstream(&catalog("", b'I')).unwrap();
    gateway.upstream(&[]).unwrap();
    let told = gateway.take_client();
    assert_eq!(told, ["A"]);
    assert!(shown(&mut gateway, b'I').contains("plain"));
}

#[test]
fn a_lock_on_the_catalog_is_waited_for_so_long() {
    let mut gateway = Gateway::live();
    gateway.answer(Answer::Learned(None)).unwrap();
    assert!(reads_catalog(&mut gateway));
    let mut locked = vec![write::ready(b'I'), say::error("55P03")];
    locked.resize(Catalog::QUERIES.len() + 4, write::ready(b'I'));
    let locked = say::join(&locked);
    for _ in 1..LOCKED_TRIES_MAX {
        gateway.upstream(&locked).unwrap();
        assert!(gateway.take_client().is_empty());
    }
    gateway.upstream(&locked).unwrap();
    assert_eq!(gateway.take_client(), ["E 55P03", "Z I"]);
    // The session goes on.
    assert!(reads_catalog(&mut gateway));
    gateway.upstream(&catalog("", b'I')).unwrap();
    assert!(shown(&mut gateway, b'I').contains("plain"));
}

#[test]
fn a_cursor_is_judged_by_what_it_meant_when_it_was_declared() {
    for (declared, sees) in [
        ("select words from t", true),
        ("select ssn || 'x' from customers", false),
    ] {
        let mut gateway = Gateway::live();
        ran(&mut gateway, "begin", "BEGIN", b'T');
        let text = format!("declare c cursor with hold for {declared}");
        ran(&mut gateway, &text, "DECLARE CURSOR", b'T');
        ran(&mut gateway, "commit", "COMMIT", b'I');
        // Somebody made the names mean nothing that is protected.
        let nothing = known_anew(&Settings::new("bank", "bank_db"));
        gateway.answer(Answer::Learned(Some(nothing))).unwrap();
        gateway.client(&query("fetch all from c")).unwrap();
        let told = shown(&mut gateway, b'I');
        assert_eq!(told.contains("plain"), sees, "{declared}: {told}");
    }
}

#[test]
fn others_are_told_before_the_client_hears_that_it_is_done() {
    for (text, tag, told) in [
        ("create table x ()", "CREATE TABLE", true),
        ("drop view x", "DROP VIEW", true),
        ("create temp table x ()", "CREATE TABLE", false),
        ("listen x", "LISTEN", false),
    ] {
        let mut gateway = Gateway::live();
        ran(&mut gateway, text, tag, b'I');
        assert_eq!(gateway.outdated, told, "{text}");
        // Within a transaction when it ends.
        let mut gateway = Gateway::live();
        ran(&mut gateway, "begin", "BEGIN", b'T');
        ran(&mut gateway, text, tag, b'T');
        assert!(!gateway.outdated, "{text}");
    }
}

#[test]
fn what_changed_while_the_catalog_is_read_is_not_in_it() {
    // Both while another's change is read, and a change of this session's own.
    for own in [false, true] {
        let mut gateway = Gateway::live();
        if own {
            ran(&mut gateway, "create table x ()", "CREATE TABLE", b'I');
        } else {
            gateway.answer(Answer::Learned(None)).unwrap();
        }
        assert!(reads_catalog(&mut gateway));
        gateway.answer(Answer::Learned(Some(otherwise()))).unwrap();
        gateway.answer(Answer::Learned(None)).unwrap();
        gateway.upstream(&catalog("", b'I')).unwrap();
        assert!(gateway.open.is_empty(), "judged by what is old");
        assert!(!gateway.take_upstream().is_empty());
        gateway.upstream(&catalog("", b'I')).unwrap();
        assert!(shown(&mut gateway, b'I').contains("plain"));
    }
}

#[test]
fn what_another_learned_while_the_catalog_is_read_counts() {
    let mut gateway = Gateway::live();
    gateway.answer(Answer::Learned(None)).unwrap();
    gateway.take_upstream();
    gateway.client(&query(SEARCH)).unwrap();
    gateway.answer(Answer::Learned(Some(otherwise()))).unwrap();
    gateway.upstream(&catalog("", b'I')).unwrap();
    assert!(probes(&gateway.permit()));
    // It may lack what this session changed itself: that is read again.
    let mut gateway = Gateway::live();
    ran(&mut gateway, "create table x ()", "CREATE TABLE", b'I');
    gateway.take_upstream();
    gateway.client(&query(SEARCH)).unwrap();
    gateway.answer(Answer::Learned(Some(otherwise()))).unwrap();
    gateway.upstream(&catalog("", b'I')).unwrap();
    assert!(gateway.open.is_empty());
    gateway.upstream(&catalog("", b'I')).unwrap();
    assert!(!probes(&gateway.permit()));
}
