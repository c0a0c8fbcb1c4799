//! Changes of the catalog that other sessions make while this one has something under way, and those that they are told of.

use bytes::Bytes;

use super::gateway::{Gateway, known_anew, one_row, settings};
use super::learned::{catalog, probes, ran, reads_catalog, shown};
use super::say::{self, bind, complete, execute, flush, parse, query, sync};
use crate::postgres::wire::{server, write};
use crate::session::{Answer, Peer};

const READ: &str = "select words from t";

fn changed(gateway: &mut Gateway) {
    gateway.answer(Answer::Learned(None)).unwrap();
}

fn send(gateway: &mut Gateway, messages: &[Bytes]) {
    gateway.client(&say::join(messages)).unwrap();
    gateway.permit_all();
}

fn bound() -> Bytes {
    say::join(&[
        write::bare(server::PARSE_COMPLETE),
        write::bare(server::BIND_COMPLETE),
    ])
}

/// The answer to an Execute of [`READ`], which the gateway describes.
fn rows() -> Bytes {
    say::join(&[
        say::columns(&[("words", 0, 0, 25)]),
        say::row(&["plain"]),
        complete("SELECT 1"),
    ])
}

#[test]
fn others_are_told_as_soon_as_a_transaction_has_committed() {
    for (text, tag, told) in [
        ("commit and chain", "COMMIT", true),
        ("end and chain", "COMMIT", true),
        ("savepoint s", "SAVEPOINT", false),
    ] {
        let mut gateway = Gateway::live();
        ran(&mut gateway, "begin", "BEGIN", b'T');
        ran(&mut gateway, "drop table x", "DROP TABLE", b'T');
        gateway.client(&query(text)).unwrap();
        gateway.upstream(&catalog("read committed", b'T')).unwrap();
        gateway.permit_all();
        gateway.upstream(&complete(tag)).unwrap();
        assert_eq!(gateway.outdated, told, "{text}");
    }
}

#[test]
fn what_follows_a_commit_in_the_same_text_goes_when_others_know() {
    let mut gateway = Gateway::live();
    let text = "begin; drop table é; commit; listen x; commit";
    send(&mut gateway, &[query(text)]);
    assert_eq!(gateway.take_upstream(), ["Q begin; drop table  ; commit; "]);
    let answers = ["BEGIN", "DROP TABLE", "COMMIT"].map(complete);
    gateway.upstream(&say::join(&answers)).unwrap();
    assert!(gateway.outdated);
    assert!(gateway.take_upstream().is_empty());
    gateway.upstream(&write::ready(b'I')).unwrap();
    // Places in the text stay what they were.
    let blank = " ".repeat("begin; drop table e; commit; ".len());
    let rest = format!("Q {blank}listen x; commit");
    assert_eq!(gateway.take_upstream(), [rest]);
    let answers = [complete("LISTEN"), complete("COMMIT"), write::ready(b'I')];
    gateway.upstream(&say::join(&answers)).unwrap();
    assert_eq!(
        gateway.take_client(),
        [
            "C BEGIN",
            "C DROP TABLE",
            "C COMMIT",
            "C LISTEN",
            "C COMMIT",
            "Z I"
        ]
    );
    assert_eq!(gateway.statuses().len(), 1);
}

#[test]
fn a_text_is_parted_only_where_others_must_know() {
    for text in [
        "begin; select 1; commit; select 2",
        "begin; drop table x; commit",
        "begin; create temp table x (); commit; select 2",
        "begin; drop table x; rollback; select 2",
    ] {
        let mut gateway = Gateway::live();
        send(&mut gateway, &[query(text)]);
        assert_eq!(gateway.take_upstream(), [format!("Q {text}")]);
    }
}

#[test]
fn a_part_that_fails_is_the_last() {
    let mut gateway = Gateway::live();
    send(
        &mut gateway,
        &[query("begin; drop table x; commit; select 1")],
    );
    gateway.take_upstream();
    let answers = [complete("BEGIN"), say::error("42P01"), write::ready(b'E')];
    gateway.upstream(&say::join(&answers)).unwrap();
    assert!(gateway.take_upstream().is_empty());
    assert_eq!(gateway.take_client(), ["C BEGIN", "E 42P01", "Z E"]);
}

#[test]
fn a_commit_in_a_batch_is_told_of_before_the_batch_ends() {
    for (first, flushed) in [("drop table x", true), ("select 1", false)] {
        let mut gateway = Gateway::live();
        ran(&mut gateway, "begin", "BEGIN", b'T');
        gateway.take_upstream();
        for text in [first, "commit", "select pg_sleep(4)"] {
            send(
                &mut gateway,
                &[parse("", text), bind("", ""), execute("", 0)],
            );
        }
        let sent = gateway.take_upstream();
        let commit = sent.iter().position(|it| it == "P commit").unwrap();
        // Parse, Bind and Execute of it, and then what asks for the answer.
        assert_eq!(sent[commit + 3] == "H", flushed, "{sent:?}");
    }
}

#[test]
fn others_are_told_where_the_client_is_gone_before_the_answer() {
    for (text, told) in [("drop table x", true), ("delete from x", false)] {
        let mut gateway = Gateway::live();
        send(&mut gateway, &[query(text)]);
        gateway.ended(Peer::Client);
        assert_eq!(
            (gateway.outdated, gateway.asides.len()),
            (told, usize::from(told))
        );
    }
}

#[test]
fn a_prepared_transaction_changes_what_all_know_when_it_is_committed() {
    for (text, tag, changes) in [
        ("commit prepared 'x'", "COMMIT PREPARED", true),
        ("rollback prepared 'x'", "ROLLBACK PREPARED", false),
    ] {
        let mut gateway = Gateway::live();
        ran(&mut gateway, text, tag, b'I');
        assert_eq!(gateway.outdated, changes, "{text}");
        assert_eq!(reads_catalog(&mut gateway), changes, "{text}");
    }
}

#[test]
fn what_was_judged_before_a_change_shows_nothing_after_it() {
    for (change, shows) in [(false, true), (true, false)] {
        let mut gateway = Gateway::live();
        send(&mut gateway, &[query(READ)]);
        if change {
            changed(&mut gateway);
        }
        gateway.upstream(&one_row("plain")).unwrap();
        let told = gateway.take_client().join(" ");
        assert_eq!(told.contains("plain"), shows, "{told}");
    }
    // The same in a batch, where the upstream has not yet looked names up.
    for (change, bound_before, shows) in [
        (false, false, true),
        (true, true, true),
        (true, false, false),
    ] {
        let mut gateway = Gateway::live();
        send(
            &mut gateway,
            &[parse("", READ), bind("", ""), execute("", 0)],
        );
        if bound_before {
            gateway.upstream(&bound()).unwrap();
        }
        if change {
            changed(&mut gateway);
        }
        if !bound_before {
            gateway.upstream(&bound()).unwrap();
        }
        gateway.upstream(&rows()).unwrap();
        let told = gateway.take_client().join(" ");
        assert_eq!(told.contains("plain"), shows, "{told}");
    }
}

#[test]
fn what_comes_in_a_batch_that_was_open_during_a_change_shows_nothing() {
    for change in [false, true] {
        let mut gateway = Gateway::live();
        send(
            &mut gateway,
            &[parse("", "select 1"), bind("", ""), execute("", 0), flush()],
        );
        gateway.upstream(&say::join(&[bound(), rows()])).unwrap();
        if change {
            changed(&mut gateway);
        }
        gateway.take_client();
        gateway
            .client(&say::join(&[parse("", READ), bind("", ""), execute("", 0)]))
            .unwrap();
        assert_eq!(probes(&gateway.permit()), change);
        gateway.upstream(&say::join(&[bound(), rows()])).unwrap();
        let told = gateway.take_client().join(" ");
        assert_eq!(told.contains("plain"), !change, "{told}");
    }
}

#[test]
fn what_is_looked_up_late_is_not_run_after_a_change() {
    for (change, runs) in [(false, true), (true, false)] {
        let mut gateway = Gateway::live();
        let begun = [parse("", "copy t to stdout"), bind("", ""), flush()];
        send(&mut gateway, &begun);
        gateway.upstream(&bound()).unwrap();
        if change {
            changed(&mut gateway);
        }
        gateway.take_upstream();
        send(&mut gateway, &[execute("", 0), flush()]);
        let sent = gateway.take_upstream().join(" ");
        assert_eq!(sent.starts_with('E'), runs, "{sent}");
    }
}

#[test]
fn what_waited_during_a_change_stores_nothing() {
    let copy = "insert into t (words) select words from t";
    for (text, change, runs) in [
        (copy, false, true),
        (copy, true, false),
        ("insert into t (words) values ('x')", true, true),
    ] {
        let mut gateway = Gateway::live();
        gateway.client(&query(text)).unwrap();
        gateway.hold();
        if change {
            changed(&mut gateway);
        }
        gateway.permit();
        assert_eq!(!gateway.take_upstream().is_empty(), runs, "{text}");
        let told = gateway.take_client().join(" ");
        assert_eq!(told.contains("E 55000 Z I"), !runs, "{told}");
        // The same in a batch.
        let mut gateway = Gateway::live();
        let batch = [parse("", text), bind("", ""), execute("", 0), sync()];
        gateway.client(&say::join(&batch)).unwrap();
        gateway.hold();
        if change {
            changed(&mut gateway);
        }
        gateway.permit();
        let sent = gateway.take_upstream().join(" ");
        assert_eq!(sent.contains("insert"), runs, "{sent}");
    }
}

#[test]
fn what_waited_is_judged_by_what_it_was_asked_about_with() {
    // What another learned is taken when nothing waits that was judged before.
    let mut gateway = Gateway::live();
    gateway
        .client(&say::join(&[parse("", READ), bind("", ""), execute("", 0)]))
        .unwrap();
    gateway
        .answer(Answer::Learned(Some(known_anew(&settings()))))
        .unwrap();
    gateway
        .client(&say::join(&[parse("", READ), bind("", ""), execute("", 0)]))
        .unwrap();
    assert_eq!(gateway.open.len(), 1);
    gateway.permit();
    gateway.permit();
    gateway.upstream(&say::join(&[bound(), rows()])).unwrap();
    assert!(!gateway.take_client().join(" ").contains("plain"));
}

#[test]
fn a_transaction_with_an_old_snapshot_is_blind_to_what_others_change() {
    for isolation in ["repeatable read", "serializable"] {
        let mut gateway = Gateway::live();
        ran(&mut gateway, "begin", "BEGIN", b'T');
        changed(&mut gateway);
        assert!(reads_catalog(&mut gateway));
        gateway.upstream(&catalog(isolation, b'T')).unwrap();
        let told = shown(&mut gateway, b'T');
        assert!(!told.contains("plain"), "{told}");
    }
}

#[test]
fn what_is_only_old_is_read_when_it_can_be() {
    let mut gateway = Gateway::live();
    ran(&mut gateway, "begin", "BEGIN", b'T');
    gateway.answer(Answer::Aged).unwrap();
    assert!(reads_catalog(&mut gateway));
    gateway.upstream(&catalog("repeatable read", b'T')).unwrap();
    assert!(shown(&mut gateway, b'T').contains("plain"));
    assert!(!reads_catalog(&mut gateway));
    assert!(shown(&mut gateway, b'I').contains("plain"));
    assert!(reads_catalog(&mut gateway));
    gateway.upstream(&catalog("", b'I')).unwrap();
    // And what is under way is as good as before.
    gateway.answer(Answer::Aged).unwrap();
    assert!(shown(&mut gateway, b'I').contains("plain"));
}

#[test]
fn a_text_of_too_many_parts_is_refused() {
    for (times, taken) in [(100, true), (2_300, false)] {
        let mut gateway = Gateway::live();
        let text = "begin; drop table x; commit; ".repeat(times);
        gateway.client(&query(&text)).unwrap();
        assert_eq!(!gateway.open.is_empty(), taken, "{times}");
        gateway.permit_all();
        assert_eq!(!gateway.take_upstream().is_empty(), taken, "{times}");
        if !taken {
            assert_eq!(gateway.take_client(), ["E 54000", "Z I"]);
        }
    }
}
