use model::Status;
use sql::postgres::Catalog;

use super::gateway::Gateway;
use super::say::{self, bind, complete, describe, execute, parse, query, sync};
use crate::postgres::wire::{client, server, write};
use crate::session::{Answer, Peer, Session};

fn within_transaction() -> Gateway {
    let mut gateway = Gateway::live();
    gateway.client(&query("begin")).unwrap();
    gateway.permit();
    gateway
        .upstream(&say::join(&[complete("BEGIN"), write::ready(b'T')]))
        .unwrap();
    gateway.take_client();
    gateway.take_upstream();
    gateway.outcomes();
    gateway
}

/// Who mistypes a name is told what the server would say, though policy cannot tell what it would read.
#[test]
fn what_is_not_there_is_refused_in_the_servers_words() {
    let cases = [
        ("select n from tt where n = 1", "42P01"),
        ("select n from public.tt where n = 1", "42P01"),
        ("select upper(wrds) from t", "42703"),
        ("select n from t where t.wrds = 'x'", "42703"),
        ("select n from t order by t.wrds", "42703"),
        ("select n from t where x.n = 1", "42P01"),
        (
            "select n from (select n from t) x where x.words > 'a'",
            "42703",
        ),
        ("update tt set n = 1 where n = 2", "42P01"),
        ("select 1; select n from tt where n = 1", "42P01"),
        // These are there, or may be.
        ("select n from t where words > 'x'", "42501"),
        ("select ctid from t where t.ctid > '(0,1)'", "42501"),
        (
            "with x as (select n from t) select n from x where x.n > 1",
            "42501",
        ),
        ("select n from t where lower(t) = 'x'", "42501"),
        (
            "create table tt (n int); select n from tt where n = 1",
            "42501",
        ),
        ("do ''; select n from tt where n = 1", "42501"),
        ("select f(n) from t where f(n) > 1", "42501"),
        ("select excluded.n from t", "42P01"),
        (
            "insert into t values (1) on conflict (n) do update set words = excluded.words",
            "42501",
        ),
    ];
    for (text, code) in cases {
        let mut gateway = Gateway::live();
        gateway.client(&query(text)).unwrap();
        gateway.refuse();
        let expected = format!("E {code}");
        assert_eq!(gateway.take_client(), [&*expected, "Z I"], "{text}");
        assert!(gateway.to_upstream.is_empty(), "{text}");
        if code != "42501" && !text.contains(';') {
            let mut gateway = Gateway::live();
            let run = [parse("", text), bind("", ""), execute("", 0), sync()];
            gateway.client(&say::join(&run)).unwrap();
            gateway.refuse();
            assert_eq!(gateway.take_client(), [expected], "{text}");
        }
    }
}

/// What was changed a moment ago may be there by now.
#[test]
fn after_a_change_in_the_batch_nothing_is_said_not_to_be_there() {
    let mut gateway = Gateway::live();
    let run = |text| [parse("", text), bind("", ""), execute("", 0)];
    let mut batch = run("create temp table tt (n int)").to_vec();
    batch.extend(run("select n from tt where n = 1"));
    batch.push(sync());
    gateway.client(&say::join(&batch)).unwrap();
    gateway.permit();
    gateway.refuse();
    let answer = [
        write::bare(server::PARSE_COMPLETE),
        write::bare(server::BIND_COMPLETE),
        complete("CREATE TABLE"),
        say::error("26000"),
        write::ready(b'I'),
    ];
    gateway.upstream(&say::join(&answer)).unwrap();
    let told = gateway.take_client();
    assert!(told.contains(&"E 42501".to_owned()), "{told:?}");
}

#[test]
fn outside_a_transaction_a_refused_query_never_leaves() {
    let mut gateway = Gateway::live();
    gateway.client(&query("drop table t")).unwrap();
    gateway.refuse();
    assert_eq!(gateway.take_client(), ["E 42501", "Z I"]);
    assert!(gateway.to_upstream.is_empty());
}

#[test]
fn within_a_transaction_a_refused_query_aborts_it() {
    let mut gateway = within_transaction();
    gateway.client(&query("drop table t")).unwrap();
    gateway.refuse();
    assert!(gateway.to_client.is_empty());
    assert_eq!(gateway.take_upstream(), ["B refused by countersign", "S"]);
    gateway
        .upstream(&say::join(&[say::error("26000"), write::ready(b'E')]))
        .unwrap();
    assert_eq!(gateway.take_client(), ["E 42501", "Z E"]);
}

#[test]
fn a_text_that_is_no_sql_is_refused_the_same_way() {
    let mut gateway = within_transaction();
    gateway.client(&query("selec 1")).unwrap();
    assert_eq!(gateway.take_upstream(), ["B refused by countersign", "S"]);
    gateway
        .upstream(&say::join(&[say::error("26000"), write::ready(b'E')]))
        .unwrap();
    assert_eq!(gateway.take_client(), ["E 42601", "Z E"]);
}

#[test]
fn a_syntax_error_names_its_place() {
    let cases = [
        ("select 'ä', frm from t where", Some("29")),
        ("select ö selec 1", Some("16")),
        ("selec selec", Some("1")),
    ];
    for (text, place) in cases {
        let mut gateway = Gateway::live();
        gateway.client(&query(text)).unwrap();
        let bytes = gateway.to_client.split();
        let error = &say::frames(&bytes)[0];
        let found = crate::postgres::wire::error_field(error, b'P');
        assert_eq!(Some(found.as_str()), place, "{text}");
    }
}

#[test]
fn a_refusal_in_a_pipeline_waits_its_turn_and_undoes_what_came_before() {
    let mut gateway = Gateway::live();
    let run = |text| [parse("", text), bind("", ""), execute("", 0)];
    let mut batch = run("insert into t values (1)").to_vec();
    batch.extend(run("drop table t"));
    batch.extend(run("insert into t values (2)"));
    batch.push(sync());
    gateway.client(&say::join(&batch)).unwrap();
    assert_eq!(gateway.open.len(), 3);
    gateway.permit();
    gateway.refuse();
    gateway.permit();
    let up = gateway.take_upstream();
    assert!(
        up.iter()
            .all(|words| !words.contains("drop") && !words.contains("(2)")),
        "{up:?}"
    );
    assert_eq!(up.last().unwrap(), "S");
    assert!(up.contains(&"B refused by countersign".to_owned()));
    assert!(gateway.to_client.is_empty(), "the refusal waits");
    let answer = [
        write::bare(server::PARSE_COMPLETE),
        write::bare(server::BIND_COMPLETE),
        write::bare(server::NO_DATA),
        complete("INSERT 0 1"),
        say::error("26000"),
        write::ready(b'I'),
    ];
    let described = up.iter().any(|words| words == "D");
    let answer: Vec<_> = answer
        .into_iter()
        .filter(|m| described || m[0] != server::NO_DATA)
        .collect();
    gateway.upstream(&say::join(&answer)).unwrap();
    assert_eq!(
        gateway.take_client(),
        ["1", "2", "C INSERT 0 1", "E 42501", "Z I"]
    );
    assert_eq!(gateway.statuses(), [Status::Skipped, Status::Completed]);
}

#[test]
fn an_error_upstream_skips_what_was_permitted_behind_it() {
    let mut gateway = Gateway::live();
    let run = |text| [parse("", text), bind("", ""), execute("", 0)];
    let mut batch = run("select 1/0").to_vec();
    batch.extend(run("delete from t"));
    batch.push(sync());
    gateway.client(&say::join(&batch)).unwrap();
    gateway.permit();
    gateway.take_upstream();
    let answer = [write::bare(server::PARSE_COMPLETE), say::error("22012")];
    gateway.upstream(&say::join(&answer)).unwrap();
    // Permitted after the error: it is not sent any more.
    gateway.permit();
    assert_eq!(gateway.take_upstream(), ["S"]);
    gateway.upstream(&write::ready(b'I')).unwrap();
    assert_eq!(gateway.take_client(), ["1", "E 22012", "Z I"]);
    assert_eq!(
        gateway.statuses(),
        [Status::Failed("22012".into()), Status::Skipped]
    );
}

#[test]
fn a_held_command_tells_and_waits() {
    let mut gateway = Gateway::live();
    gateway.client(&query("delete from t")).unwrap();
    gateway.hold();
    assert_eq!(gateway.take_client(), ["N waiting for payments-oncall"]);
    assert!(gateway.to_upstream.is_empty());
    gateway.permit();
    assert_eq!(gateway.take_upstream(), ["Q delete from t"]);
}

#[test]
fn cancelling_a_held_command_withdraws_it() {
    let mut gateway = Gateway::live();
    gateway.client(&query("delete from t")).unwrap();
    gateway.hold();
    gateway.take_client();
    gateway.answer(Answer::Cancelled).unwrap();
    assert_eq!(gateway.withdrawn, 1);
    assert_eq!(gateway.take_client(), ["E 57014", "Z I"]);
    // It was permitted just before: it is not sent all the same.
    gateway.permit();
    assert!(gateway.to_upstream.is_empty());
    assert_eq!(gateway.statuses(), [Status::Skipped]);
    gateway.client(&query("select 1")).unwrap();
    assert_eq!(gateway.open.len(), 1);
}

#[test]
fn cancelling_a_running_command_asks_the_upstream() {
    let mut gateway = Gateway::live();
    gateway.answer(Answer::Cancelled).unwrap();
    assert!(gateway.asides.is_empty());
    gateway.client(&query("select pg_sleep(9)")).unwrap();
    gateway.permit();
    gateway.answer(Answer::Cancelled).unwrap();
    assert_eq!(gateway.asides, [write::cancel_request(77, b"upky")]);
}

#[test]
fn nothing_is_sent_before_a_cancel_request_has_arrived() {
    let mut gateway = Gateway::live();
    gateway.client(&query("select n from t")).unwrap();
    gateway.permit();
    gateway.take_upstream();
    gateway.answer(Answer::Cancelled).unwrap();
    let ended = say::join(&[say::complete("SELECT 1"), write::ready(b'I')]);
    gateway.upstream(&ended).unwrap();
    gateway.client(&query("select 1")).unwrap();
    gateway.permit_all();
    assert!(gateway.to_upstream.is_empty(), "it would be cancelled too");
    gateway.answer(Answer::Delivered).unwrap();
    gateway.permit_all();
    assert_eq!(gateway.take_upstream(), ["Q select 1"]);
}

#[test]
fn a_client_that_leaves_takes_its_held_command_along() {
    for leave in [
        |g: &mut Gateway| g.client(&write::bare(client::TERMINATE)).unwrap(),
        |g: &mut Gateway| g.ended(Peer::Client),
    ] {
        let mut gateway = Gateway::live();
        gateway.client(&query("delete from t")).unwrap();
        gateway.hold();
        leave(&mut gateway);
        assert!(gateway.closed);
        assert_eq!(gateway.take_upstream(), ["X"]);
    }
}

#[test]
fn a_dead_upstream_is_told_and_aborts_what_ran() {
    let mut gateway = Gateway::live();
    gateway.client(&query("select 1")).unwrap();
    gateway.permit();
    gateway.upstream(&say::columns(&[("a", 0, 0, 23)])).unwrap();
    gateway.ended(Peer::Upstream);
    assert_eq!(gateway.take_client(), ["T", "E 08006"]);
    assert_eq!(gateway.statuses(), [Status::Aborted]);
}

#[test]
fn function_calls_are_refused_in_step() {
    let mut gateway = Gateway::live();
    gateway.client(&write::bare(client::FUNCTION_CALL)).unwrap();
    assert_eq!(gateway.take_client(), ["E 0A000", "Z I"]);
    gateway.client(&query("select 1")).unwrap();
    assert_eq!(gateway.open.len(), 1);
}

#[test]
fn a_name_is_not_trusted_before_the_upstream_made_it() {
    let mut gateway = Gateway::live();
    // The upstream may have another "s" if the first batch fails.
    gateway
        .client(&say::join(&[
            parse("s", "select 1"),
            sync(),
            bind("", "s"),
            execute("", 0),
            sync(),
        ]))
        .unwrap();
    gateway.permit();
    assert!(gateway.open.is_empty(), "the second batch waits");
    assert_eq!(gateway.take_upstream(), ["P select 1", "S"]);
    gateway
        .upstream(&say::join(&[say::error("42P05"), write::ready(b'I')]))
        .unwrap();
    assert_eq!(gateway.take_client(), ["E 42P05", "Z I", "E 26000"]);
    assert!(gateway.open.is_empty());
}

#[test]
fn what_sql_prepared_is_not_bound() {
    let mut gateway = Gateway::live();
    gateway.client(&query("prepare s as select 1")).unwrap();
    gateway.permit();
    let prepared = [complete("PREPARE"), write::ready(b'I')];
    gateway.upstream(&say::join(&prepared)).unwrap();
    gateway.take_client();
    for message in [bind("", "s"), describe('S', "s")] {
        gateway.client(&say::join(&[message, sync()])).unwrap();
        gateway.upstream(&write::ready(b'I')).unwrap();
        assert_eq!(gateway.take_client(), ["E 0A000", "Z I"]);
    }
}

#[test]
fn a_taken_name_is_not_given_again() {
    let mut gateway = Gateway::live();
    gateway
        .client(&say::join(&[parse("s", "delete from t"), sync()]))
        .unwrap();
    gateway.permit();
    gateway
        .upstream(&say::join(&[
            write::bare(server::PARSE_COMPLETE),
            write::ready(b'I'),
        ]))
        .unwrap();
    gateway.take_client();
    gateway.take_upstream();
    gateway
        .client(&say::join(&[
            parse("s", "select 1"),
            bind("", "s"),
            execute("", 0),
            sync(),
        ]))
        .unwrap();
    assert!(gateway.open.is_empty());
    assert_eq!(gateway.take_upstream(), ["S"]);
    assert_eq!(gateway.take_client(), ["E 42P05"]);
}

#[test]
fn much_that_is_asked_ahead_is_not_read_further() {
    let mut gateway = Gateway::live();
    let run = say::join(&[parse("", "select 1"), bind("", ""), execute("", 0), sync()]);
    for _ in 0..crate::postgres::QUESTIONS_MAX + 10 {
        gateway.client(&run).unwrap();
    }
    assert_eq!(gateway.open.len(), crate::postgres::QUESTIONS_MAX);
    let padding = query(&"x".repeat(crate::postgres::CLIENT_BACKLOG_BYTES_MAX));
    gateway.client(&padding).unwrap();
    assert!(!gateway.session.wants(Peer::Client));
}

#[test]
fn what_the_server_says_of_the_catalog_is_not_for_the_client() {
    let mut gateway = Gateway::live();
    gateway.client(&query("create table x ()")).unwrap();
    gateway.permit();
    gateway
        .upstream(&say::join(&[complete("CREATE TABLE"), write::ready(b'I')]))
        .unwrap();
    gateway.client(&query("select n from t")).unwrap();
    gateway.take_client();
    let error = write::error(&write::Words {
        severity: "ERROR",
        code: "22P02",
        message: "it is 4111111111111111",
        ..write::Words::default()
    });
    let mut answers = vec![write::ready(b'T'), error];
    answers.resize(Catalog::QUERIES.len() + 4, write::ready(b'I'));
    let violation = gateway.upstream(&say::join(&answers)).unwrap_err();
    assert!(violation.what.contains("it is 4111111111111111"));
    let told = String::from_utf8_lossy(&gateway.to_client).into_owned();
    assert!(told.contains("could not be read again") && !told.contains("4111"));
    assert_eq!(gateway.take_client(), ["E 58000"]);
    assert!(gateway.closed);
}
