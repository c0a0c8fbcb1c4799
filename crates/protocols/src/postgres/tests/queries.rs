use model::{DataClass, DenialCode, Note, Status};

use super::gateway::{Gateway, NO_KIND, one_row};
use super::say::{self, bind, bind_with, complete, execute, parse, query, sync};
use crate::postgres::wire::{client, server, write};

#[test]
fn a_query_goes_up_once_it_is_permitted_and_not_before() {
    let mut gateway = Gateway::live();
    gateway.client(&query("select 'a'")).unwrap();
    assert!(gateway.to_upstream.is_empty());
    let command = gateway.permit();
    assert_eq!(
        (&*command.tag, &*command.text),
        ("SELECT", &b"select 'a'"[..])
    );
    assert_eq!(gateway.take_upstream(), ["Q select 'a'"]);
    gateway.upstream(&one_row("x")).unwrap();
    assert_eq!(gateway.take_client(), ["T", "D x", "C SELECT 1", "Z I"]);
    let outcomes = gateway.outcomes();
    assert_eq!(
        (outcomes.len(), outcomes[0].rows, &*outcomes[0].tag),
        (1, 1, "SELECT 1")
    );
    assert_eq!(outcomes[0].status, Status::Completed);
    let kinds = gateway.notes.iter().map(|note| match note {
        Note::Asked { seq, .. } => format!("asked {seq}"),
        Note::Allowed { seq, .. } => format!("allowed {seq}"),
        Note::Ended { seq, .. } => format!("ended {seq}"),
        Note::Shown(_) => "shown".to_owned(),
        other => format!("{other:?}"),
    });
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        ["asked 1", "allowed 1", "ended 1", "shown"]
    );
}

#[test]
fn what_is_shown_and_what_is_asked_are_masked() {
    let mut gateway = Gateway::live();
    gateway.client(&query("select '4111111111111111'")).unwrap();
    let command = gateway.permit();
    assert_eq!(&*command.text, b"select '4111111111111111'");
    assert!(
        !command
            .shown
            .windows(12)
            .any(|part| part == b"411111111111")
    );
    gateway.upstream(&one_row("4111111111111111")).unwrap();
    assert_eq!(gateway.take_client()[1], "D ************1111");
    let facts = gateway.outcomes()[0].masks.clone();
    assert_eq!(
        (facts.len(), facts[0].class.clone(), facts[0].count),
        (1, DataClass::PAN, 1)
    );
}

#[test]
fn several_statements_are_one_command() {
    let mut gateway = Gateway::live();
    gateway.client(&query("begin; select 1; commit")).unwrap();
    let command = gateway.permit();
    assert_eq!(&*command.tag, "BEGIN; SELECT; COMMIT");
    let answer = [
        complete("BEGIN"),
        say::columns(&[("a", 0, 0, 23)]),
        say::row(&["1"]),
        complete("SELECT 1"),
    ];
    gateway.upstream(&say::join(&answer)).unwrap();
    gateway
        .upstream(&say::join(&[complete("COMMIT"), write::ready(b'I')]))
        .unwrap();
    assert_eq!(
        gateway.take_client(),
        ["C BEGIN", "T", "D 1", "C SELECT 1", "C COMMIT", "Z I"]
    );
    assert_eq!(gateway.statuses(), [Status::Completed]);
}

#[test]
fn a_statement_after_one_that_may_change_names_shows_no_rows() {
    let mut gateway = Gateway::live();
    gateway
        .client(&query("create table x (); select n from t"))
        .unwrap();
    gateway.permit();
    let answer = [
        complete("CREATE TABLE"),
        say::columns(&[("n", 501, 1, 23)]),
        say::row(&["1"]),
    ];
    gateway.upstream(&say::join(&answer)).unwrap();
    assert_eq!(gateway.take_client(), ["C CREATE TABLE", "E 42501"]);
    gateway
        .upstream(&say::join(&[complete("SELECT 1"), write::ready(b'I')]))
        .unwrap();
    assert_eq!(gateway.take_client(), ["Z I"]);
}

#[test]
fn protected_data_are_not_stored_where_they_are_not_declared() {
    let mut gateway = Gateway::live();
    gateway
        .client(&query("create table copied as select ssn from customers"))
        .unwrap();
    gateway.permit();
    assert_eq!(gateway.take_client(), ["E 42501", "Z I"]);
    assert!(gateway.to_upstream.is_empty());
    assert_eq!(gateway.statuses(), [Status::Stopped(DenialCode::Withheld)]);
    gateway.obligations.reveal.insert(DataClass::US_SSN);
    gateway
        .client(&query("create table copied as select ssn from customers"))
        .unwrap();
    gateway.permit();
    assert_eq!(
        gateway.take_upstream(),
        ["Q create table copied as select ssn from customers"]
    );
}

#[test]
fn declared_columns_are_masked_and_computed_ones_withheld() {
    let mut gateway = Gateway::live();
    gateway.client(&query("select ssn from customers")).unwrap();
    gateway.permit();
    gateway
        .upstream(&say::join(&[
            say::columns(&[("ssn", 500, 2, 25)]),
            say::row(&["no number at all"]),
        ]))
        .unwrap();
    gateway
        .upstream(&say::join(&[complete("SELECT 1"), write::ready(b'I')]))
        .unwrap();
    assert_eq!(
        gateway.take_client(),
        ["T", "D ****************", "C SELECT 1", "Z I"]
    );
    gateway
        .client(&query("select ssn || 'x' from customers"))
        .unwrap();
    gateway.permit();
    gateway
        .upstream(&say::join(&[
            say::columns(&[("?column?", 0, 0, 25)]),
            say::row(&["c0ffee"]),
        ]))
        .unwrap();
    gateway
        .upstream(&say::join(&[complete("SELECT 1"), write::ready(b'I')]))
        .unwrap();
    assert_eq!(gateway.take_client(), ["E 42501", "Z I"]);
    let outcomes = gateway.outcomes();
    assert_eq!(outcomes[1].status, Status::Stopped(DenialCode::Withheld));
    assert_eq!(outcomes[1].rows, 0);
}

#[test]
fn rows_past_the_limit_are_cut_off() {
    let mut gateway = Gateway::live();
    gateway.obligations.rows_max = Some(2);
    gateway.client(&query("select n from t")).unwrap();
    gateway.permit();
    let row = |n: &str| say::row(&[n]);
    gateway
        .upstream(&say::join(&[
            say::columns(&[("n", 501, 1, 23)]),
            row("1"),
            row("2"),
            row("3"),
            row("4"),
        ]))
        .unwrap();
    assert_eq!(gateway.take_client(), ["T", "D 1", "D 2", "E 54000"]);
    assert_eq!(gateway.asides, [write::cancel_request(77, b"upky")]);
    gateway
        .upstream(&say::join(&[say::error("57014"), write::ready(b'I')]))
        .unwrap();
    assert_eq!(gateway.take_client(), ["Z I"]);
    let outcome = gateway.outcomes().remove(0);
    assert_eq!(
        (outcome.status, outcome.rows),
        (Status::Stopped(DenialCode::LimitExceeded), 2)
    );
}

#[test]
fn within_a_transaction_a_cut_off_command_fails_upstream_too() {
    let mut gateway = Gateway::live();
    gateway.client(&query("begin")).unwrap();
    gateway.permit();
    gateway
        .upstream(&say::join(&[complete("BEGIN"), write::ready(b'T')]))
        .unwrap();
    gateway.obligations.rows_max = Some(0);
    gateway.client(&query("select n from t")).unwrap();
    gateway.permit();
    gateway.take_client();
    gateway.take_upstream();
    let rows = [
        say::columns(&[("n", 501, 1, 23)]),
        say::row(&["1"]),
        complete("SELECT 1"),
        write::ready(b'T'),
    ];
    gateway.upstream(&say::join(&rows)).unwrap();
    assert_eq!(gateway.take_client(), ["T", "E 54000"]);
    assert_eq!(gateway.take_upstream(), ["B refused by countersign", "S"]);
    gateway
        .upstream(&say::join(&[say::error("26000"), write::ready(b'E')]))
        .unwrap();
    assert_eq!(gateway.take_client(), ["Z E"]);
}

#[test]
fn an_extended_run_is_one_command() {
    let mut gateway = Gateway::live();
    let batch = [
        parse("s", "select $1::text"),
        bind_with("", "s", &["4111111111111111"]),
        say::describe('P', ""),
        execute("", 0),
        sync(),
    ];
    gateway.client(&say::join(&batch)).unwrap();
    assert_eq!(gateway.open.len(), 1);
    let command = gateway.permit();
    assert_eq!(command.parameters.len(), 1);
    assert_eq!(
        command.shown_parameters,
        [Some("************1111".to_owned())]
    );
    let up = gateway.take_upstream();
    assert_eq!(
        up.iter().map(|words| &words[..1]).collect::<String>(),
        "PBDES"
    );
    let bare = |kind| write::bare(kind);
    let answer = [
        bare(server::PARSE_COMPLETE),
        bare(server::BIND_COMPLETE),
        say::columns(&[("text", 0, 0, 25)]),
        say::row(&["4111111111111111"]),
        complete("SELECT 1"),
        write::ready(b'I'),
    ];
    gateway.upstream(&say::join(&answer)).unwrap();
    assert_eq!(
        gateway.take_client(),
        ["1", "2", "T", "D ************1111", "C SELECT 1", "Z I"]
    );
    assert_eq!(gateway.statuses(), [Status::Completed]);
    // A run of the prepared statement asks anew; its rows need no description by the client.
    gateway
        .client(&say::join(&[
            bind_with("", "s", &["a"]),
            execute("", 0),
            sync(),
        ]))
        .unwrap();
    gateway.permit();
    assert_eq!(gateway.take_upstream(), ["B", "D", "E", "S"]);
    let answer = [
        bare(server::BIND_COMPLETE),
        say::columns(&[("text", 0, 0, 25)]),
        say::row(&["a"]),
        complete("SELECT 1"),
        write::ready(b'I'),
    ];
    gateway.upstream(&say::join(&answer)).unwrap();
    assert_eq!(gateway.take_client(), ["2", "D a", "C SELECT 1", "Z I"]);
}

#[test]
fn preparing_alone_asks_to_prepare() {
    let mut gateway = Gateway::live();
    gateway
        .client(&say::join(&[parse("s", "delete from t"), sync()]))
        .unwrap();
    let command = gateway.permit();
    assert_eq!(&*command.tag, "PREPARE");
    assert!(
        command
            .asks
            .list()
            .iter()
            .all(|ask| ask.action == "prepare")
    );
    assert_eq!(gateway.take_upstream(), ["P delete from t", "S"]);
}

#[test]
fn copy_in_is_relayed_and_recorded_masked() {
    let mut gateway = Gateway::live();
    gateway.client(&query("copy t from stdin")).unwrap();
    gateway.permit();
    gateway
        .upstream(&say::copy_begin_of(server::COPY_IN, 2))
        .unwrap();
    let data = [
        say::copy_data("1\t4111111111111111\n"),
        write::bare(client::COPY_DONE),
    ];
    gateway.client(&say::join(&data)).unwrap();
    assert_eq!(
        gateway.take_upstream(),
        ["Q copy t from stdin", "d 4111111111111111", "c"]
    );
    let put = gateway.notes.iter().find_map(|note| {
        if let Note::Put(put) = note {
            Some(put.clone())
        } else {
            None
        }
    });
    assert_eq!(put.unwrap(), &b"1\t************1111\n"[..]);
    gateway
        .upstream(&say::join(&[complete("COPY 1"), write::ready(b'I')]))
        .unwrap();
    assert_eq!(gateway.take_client(), ["G", "C COPY 1", "Z I"]);
}

#[test]
fn copy_out_is_masked_by_column() {
    let mut gateway = Gateway::live();
    gateway
        .client(&query("copy customers (ssn) to stdout"))
        .unwrap();
    gateway.permit();
    let data = [
        say::copy_begin(server::COPY_OUT),
        say::copy_data("any\n"),
        write::bare(server::COPY_DONE),
        complete("COPY 1"),
    ];
    gateway.upstream(&say::join(&data)).unwrap();
    gateway.upstream(&write::ready(b'I')).unwrap();
    assert_eq!(
        gateway.take_client(),
        ["H", "d ***\n", "c", "C COPY 1", "Z I"]
    );
}

#[test]
fn messages_out_of_place_end_the_session() {
    let strange = [
        write::bare(NO_KIND),
        say::row(&["1"]),
        complete("SELECT 1"),
        write::ready(b'I'),
        write::bare(b'?'),
    ];
    for message in strange {
        let mut gateway = Gateway::live();
        assert!(gateway.upstream(&message).is_err(), "{message:?}");
        assert_eq!(gateway.take_client(), ["E 08006"]);
        assert!(gateway.closed);
    }
    for message in [
        write::bare(b'?'),
        write::bare(client::BIND),
        write::bare(client::PASSWORD),
        write::one(client::QUERY, |_| {}),
    ] {
        let mut gateway = Gateway::live();
        assert!(gateway.client(&message).is_err(), "{message:?}");
        assert_eq!(gateway.take_client(), ["E 08P01"]);
    }
}

#[test]
fn the_encoding_and_the_strings_stay_as_they_are() {
    for text in [
        "set client_encoding to latin1",
        "set standard_conforming_strings = off",
        "set names 'latin1'",
        "select set_config('Standard_conforming_strings', 'off', false)",
        "prepare p as select set_config('standard_conforming_strings', 'off', true)",
        "with x as (select pg_catalog.set_config('client_encoding', 'latin1', false)) table x",
    ] {
        let mut gateway = Gateway::live();
        gateway.client(&query(text)).unwrap();
        assert!(gateway.open.is_empty(), "{text}");
        assert_eq!(gateway.take_client(), ["E 0A000", "Z I"]);
    }
    let mut gateway = Gateway::live();
    gateway.client(&query("select f()")).unwrap();
    gateway.permit();
    let mut status = bytes::BytesMut::new();
    write::parameter_status(&mut status, b"standard_conforming_strings", b"off");
    gateway.upstream(&status).unwrap();
    assert_eq!(gateway.take_client(), ["E 0A000"]);
    assert!(gateway.closed);
}

#[test]
fn within_a_batch_no_ambiguous_text_follows_a_change_of_settings() {
    let mut gateway = Gateway::live();
    let batch = [
        parse("", "select set_config('a.b', 'c', false)"),
        bind("", ""),
        execute("", 0),
        parse("x", r"select 'a\'"),
    ];
    gateway.client(&say::join(&batch)).unwrap();
    gateway.permit_all();
    let up = gateway.take_upstream();
    assert!(up.iter().all(|words| !words.contains('\\')), "{up:?}");
    assert_eq!(up.last().unwrap(), "B refused by countersign");
}
