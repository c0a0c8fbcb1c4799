//! What a name means to the server, and so to the gateway.

use bytes::Bytes;

use super::gateway::Gateway;
use super::say::{self, bind, close, complete, describe, execute, parse, query, sync};
use crate::postgres::wire::{server, write};

const ROWS: &str = "select words from t";
const PROTECTED: &str = "select ssn from customers";

/// Sends messages, permits what they ask, and lets the upstream answer. Gives the texts that policy was asked about.
fn done(gateway: &mut Gateway, messages: &[Bytes], answers: &[Bytes]) -> Vec<String> {
    gateway.client(&say::join(messages)).unwrap();
    let mut asked = Vec::new();
    while !gateway.open.is_empty() {
        let command = gateway.permit();
        asked.push(String::from_utf8(command.text.to_vec()).unwrap());
    }
    gateway.upstream(&say::join(answers)).unwrap();
    asked
}

/// A Query that succeeds, with the status after it.
fn ran(gateway: &mut Gateway, text: &str, tag: &str, status: u8) {
    done(
        gateway,
        &[query(text)],
        &[complete(tag), write::ready(status)],
    );
}

fn parsed() -> Bytes {
    write::bare(server::PARSE_COMPLETE)
}

fn bound() -> Bytes {
    write::bare(server::BIND_COMPLETE)
}

fn closed() -> Bytes {
    write::bare(server::CLOSE_COMPLETE)
}

/// What the client sees of one row that the upstream sends for a FETCH from `name`.
fn fetched(gateway: &mut Gateway, name: &str) -> String {
    gateway.take_client();
    let rows = [
        say::columns(&[("words", 0, 0, 25)]),
        say::row(&["plain"]),
        complete("FETCH 1"),
        write::ready(b'T'),
    ];
    done(gateway, &[query(&format!("fetch all from {name}"))], &rows);
    gateway.take_client().join(" ")
}

/// A portal that was bound to a text, and described.
fn portal(gateway: &mut Gateway, name: &str, text: &str) {
    let described = write::bare(server::NO_DATA);
    let messages = [parse("", text), bind(name, ""), describe('P', name), sync()];
    let answers = [parsed(), bound(), described, write::ready(b'T')];
    done(gateway, &messages, &answers);
}

/// Whether the gateway lets an Execute of the portal through.
fn executes(gateway: &mut Gateway, name: &str) -> bool {
    gateway.take_upstream();
    gateway
        .client(&say::join(&[execute(name, 0), sync()]))
        .unwrap();
    gateway.take_upstream().contains(&format!("E {name}"))
}

fn long(end: &str) -> String {
    "a".repeat(63) + end
}

#[test]
fn names_of_statements_count_as_far_as_the_server_keeps_them() {
    let (first, second, third) = (long("1"), long("2"), long("3"));
    let mut gateway = Gateway::live();
    done(
        &mut gateway,
        &[parse(&first, "set x.y = '1'"), sync()],
        &[parsed(), write::ready(b'I')],
    );
    done(
        &mut gateway,
        &[close('S', &second), sync()],
        &[closed(), write::ready(b'I')],
    );
    done(
        &mut gateway,
        &[parse(&third, "delete from t"), sync()],
        &[parsed(), write::ready(b'I')],
    );
    let asked = done(
        &mut gateway,
        &[bind("", &first), execute("", 0), sync()],
        &[],
    );
    assert_eq!(asked, ["delete from t"]);
    // SQL and the protocol name the same.
    let mut gateway = Gateway::live();
    ran(
        &mut gateway,
        &format!("prepare {first} as delete from t"),
        "PREPARE",
        b'I',
    );
    gateway.client(&query(&format!("execute {third}"))).unwrap();
    let asks = gateway.permit().asks;
    let mut actions = asks.list().iter().map(|ask| ask.action);
    assert!(actions.any(|action| action == "delete"));
}

#[test]
fn names_of_portals_count_as_far_as_the_server_keeps_them() {
    let (first, second, third) = (long("1"), long("2"), long("3"));
    let mut gateway = Gateway::live();
    ran(&mut gateway, "begin", "BEGIN", b'T');
    portal(&mut gateway, &first, "delete from t");
    done(
        &mut gateway,
        &[close('P', &second), sync()],
        &[closed(), write::ready(b'T')],
    );
    assert!(!executes(&mut gateway, &first));
    let mut gateway = Gateway::live();
    ran(&mut gateway, "begin", "BEGIN", b'T');
    portal(&mut gateway, &first, "delete from t");
    assert!(executes(&mut gateway, &third), "the server has it");
}

#[test]
fn a_long_name_beyond_ascii_is_refused() {
    let name = "ä".repeat(22);
    let mut gateway = Gateway::live();
    gateway
        .client(&say::join(&[parse(&name, "select 1"), sync()]))
        .unwrap();
    gateway
        .client(&query(&format!("prepare {name} as select 1")))
        .unwrap();
    assert!(gateway.open.is_empty());
    assert_eq!(gateway.take_client(), ["E 42622"]);
    let mut gateway = Gateway::live();
    gateway
        .client(&query(&format!("prepare {name} as select 1")))
        .unwrap();
    assert_eq!(gateway.take_client(), ["E 42622", "Z I"]);
}

#[test]
fn what_was_made_in_a_batch_is_forgotten_in_it_too() {
    let mut gateway = Gateway::live();
    let statement = [
        parse("s", ROWS),
        parse("", "deallocate s"),
        bind("", ""),
        execute("", 0),
    ];
    gateway.client(&say::join(&statement)).unwrap();
    gateway.permit_all();
    let use_it = [bind("", "s"), execute("", 0), sync()];
    gateway.client(&say::join(&use_it)).unwrap();
    let answers = [parsed(), parsed(), bound(), complete("DEALLOCATE")];
    gateway.upstream(&say::join(&answers)).unwrap();
    assert!(gateway.open.is_empty(), "the server has no such statement");
}

#[test]
fn what_a_portal_names_must_not_change_before_it_is_executed() {
    let prepare = "prepare q as select 'x'";
    let declare = "declare c cursor for select words from t";
    for (first, text, between, runs) in [
        (prepare, "execute q", &[][..], true),
        (prepare, "execute q", &["select 1"], true),
        (
            prepare,
            "execute q",
            &["deallocate q", "prepare q as delete from t"],
            false,
        ),
        (prepare, "explain analyze execute q", &[][..], true),
        (declare, "fetch all from c", &[][..], true),
        (
            declare,
            "fetch all from c",
            &["close c", "declare c cursor for select ssn from customers"],
            false,
        ),
        (
            declare,
            "copy v to stdout",
            &["create or replace view v as select 1"],
            false,
        ),
        (
            declare,
            "create table x as select * from v",
            &["drop view v"],
            false,
        ),
        (
            declare,
            "insert into t select * from customers",
            &["create table x ()"],
            true,
        ),
    ] {
        let mut gateway = Gateway::plain();
        ran(&mut gateway, "begin", "BEGIN", b'T');
        ran(&mut gateway, first, "PREPARE", b'T');
        portal(&mut gateway, "pf", text);
        for text in between {
            // Where the catalog must be read first, nothing is executed meanwhile.
            gateway.client(&query(text)).unwrap();
            gateway.permit_all();
            gateway
                .upstream(&say::join(&[complete("OK"), write::ready(b'T')]))
                .unwrap();
        }
        assert_eq!(
            executes(&mut gateway, "pf"),
            runs,
            "{text} after {between:?}"
        );
    }
}

#[test]
fn in_one_pipeline_neither() {
    for (text, between) in [
        ("execute q", ["deallocate q", "prepare q as delete from t"]),
        (
            "copy v to stdout",
            ["select 1", "create or replace view v as select 1"],
        ),
    ] {
        let mut gateway = Gateway::plain();
        ran(&mut gateway, "prepare q as select 'x'", "PREPARE", b'I');
        let mut batch = vec![parse("s", text), bind("pf", "s")];
        for text in between {
            batch.extend([parse("", text), bind("", ""), execute("", 0)]);
        }
        batch.extend([execute("pf", 0), sync()]);
        gateway.client(&say::join(&batch)).unwrap();
        gateway.permit_all();
        let mut server = gateway.take_upstream();
        gateway.upstream(&say::join(&[parsed(), bound()])).unwrap();
        for text in between {
            let mut answers = vec![parsed(), bound(), complete("OK")];
            if text.starts_with("select") {
                answers.insert(2, say::columns(&[("a", 0, 0, 25)]));
            }
            gateway.permit_all();
            gateway.upstream(&say::join(&answers)).unwrap();
        }
        server.extend(gateway.take_upstream());
        let sent = server;
        assert!(!sent.contains(&"E pf".to_owned()), "{sent:?}");
        assert!(sent.contains(&"B refused by countersign".to_owned()));
    }
}

/// A statement within a transaction that succeeds; what stands behind `=` is the tag that the server gives it.
fn step(gateway: &mut Gateway, step: &str) {
    let (text, tag) = step.split_once('=').unwrap_or((step, step));
    let over = matches!(text, "commit" | "rollback");
    let status = if over { b'I' } else { b'T' };
    ran(gateway, text, &tag.to_uppercase(), status);
}

#[test]
fn a_cursor_is_what_was_declared_last() {
    const DECLARE: &str = "declare c cursor for select words from t=DECLARE CURSOR";
    const HOLD: &str = "declare c cursor with hold for select words from t=DECLARE CURSOR";
    const WORD: &str = "declare c cursor for select words as hold from t=DECLARE CURSOR";
    const BACK: &str = "rollback to s=ROLLBACK";
    const SAVEPOINT: &str = "savepoint s=SAVEPOINT";
    for (steps, shown) in [
        (&["begin", DECLARE][..], true),
        (&["begin", SAVEPOINT, DECLARE, BACK], false),
        (&["begin", DECLARE, SAVEPOINT, BACK], true),
        (&["begin", SAVEPOINT, DECLARE, "release s=RELEASE"], true),
        (
            &[
                "begin",
                "savepoint other=SAVEPOINT",
                DECLARE,
                SAVEPOINT,
                BACK,
            ],
            true,
        ),
        (&["begin", HOLD, "commit"], true),
        (&["begin", HOLD, "commit=ROLLBACK"], false),
        (&["begin", HOLD, "commit", "begin", "rollback"], true),
        (&["begin", WORD, "commit"], false),
        (&["begin", DECLARE, "commit and chain=COMMIT"], false),
    ] {
        let mut gateway = Gateway::live();
        steps.iter().for_each(|it| step(&mut gateway, it));
        let told = fetched(&mut gateway, "c");
        assert_eq!(told.contains("plain"), shown, "{steps:?}: {told}");
    }
}

#[test]
fn portals_and_cursors_have_one_table() {
    let declare = "declare c cursor for select words from t";
    // A portal takes the name.
    let mut gateway = Gateway::live();
    ran(&mut gateway, "begin", "BEGIN", b'T');
    ran(&mut gateway, declare, "DECLARE CURSOR", b'T');
    portal(&mut gateway, "c", PROTECTED);
    assert!(!fetched(&mut gateway, "c").contains("plain"));
    // A cursor takes the name.
    let mut gateway = Gateway::live();
    ran(&mut gateway, "begin", "BEGIN", b'T');
    portal(&mut gateway, "p", "delete from t");
    ran(
        &mut gateway,
        "declare p cursor for select ssn from customers",
        "DECLARE CURSOR",
        b'T',
    );
    assert!(!executes(&mut gateway, "p"));
    // Close takes either.
    let mut gateway = Gateway::live();
    ran(&mut gateway, "begin", "BEGIN", b'T');
    ran(&mut gateway, declare, "DECLARE CURSOR", b'T');
    done(
        &mut gateway,
        &[close('P', "c"), sync()],
        &[closed(), write::ready(b'T')],
    );
    assert!(!fetched(&mut gateway, "c").contains("plain"));
}

#[test]
fn what_was_not_noted_is_not_taken_for_what_was() {
    let mut gateway = Gateway::live();
    step(&mut gateway, "begin");
    step(&mut gateway, "savepoint s=SAVEPOINT");
    let declare =
        |name: &str, query: &str| format!("declare {name} cursor for {query}=DECLARE CURSOR");
    for number in 0..crate::postgres::CURSORS_MAX {
        step(&mut gateway, &declare(&format!("c{number}"), ROWS));
    }
    assert!(fetched(&mut gateway, "c7").contains("plain"));
    step(&mut gateway, &declare("another", ROWS));
    assert!(!fetched(&mut gateway, "another").contains("plain"));
    let mut gateway = Gateway::live();
    step(&mut gateway, "begin");
    step(&mut gateway, "savepoint s=SAVEPOINT");
    for number in 0..crate::postgres::CURSORS_MAX {
        step(&mut gateway, &declare(&format!("c{number}"), ROWS));
    }
    step(&mut gateway, "rollback to s=ROLLBACK");
    step(
        &mut gateway,
        &declare("c7", "select ssn || 'x' from customers"),
    );
    assert!(!fetched(&mut gateway, "c7").contains("plain"));
}

#[test]
fn a_statement_that_is_no_query_is_not_executed_by_name() {
    let mut gateway = Gateway::live();
    let declare = "declare c cursor for select ssn from customers";
    done(
        &mut gateway,
        &[parse("d", declare), sync()],
        &[parsed(), write::ready(b'I')],
    );
    gateway.take_client();
    gateway.client(&query("execute d")).unwrap();
    assert_eq!(gateway.take_client(), ["E 0A000", "Z I"]);
    assert!(gateway.open.is_empty());
    // Nor one that executes another, which the server would look up then.
    ran(&mut gateway, "prepare q as select 1", "PREPARE", b'I');
    done(
        &mut gateway,
        &[parse("e", "execute q"), sync()],
        &[parsed(), write::ready(b'I')],
    );
    gateway.take_client();
    gateway.client(&query("execute e")).unwrap();
    assert_eq!(gateway.take_client(), ["E 0A000", "Z I"]);
}
