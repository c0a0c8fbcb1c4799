//! What the client sends, as it is recorded and shown to approvers.

use bytes::{BufMut, Bytes};
use mask::Strategy;
use model::{DataClass, Note};
use sql::postgres::Declaration;

use super::gateway::{Gateway, settings};
use super::say::{self, bind_with, parse, query, sync};
use crate::postgres::settings::Settings;
use crate::postgres::wire::{client, server, write};

fn hiding_cards_by(strategy: Strategy) -> Settings {
    let mut settings = settings();
    settings.strategies.insert(DataClass::PAN, strategy);
    settings
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_value_takes_no_text_with_it_that_it_stands_in() {
    for strategy in [Strategy::Null, Strategy::Withhold] {
        let mut gateway = Gateway::of(hiding_cards_by(strategy));
        let asked = "select n from t where words = '4111111111111111'";
        gateway.client(&query(asked)).unwrap();
        let command = gateway.permit();
        let masked = "select n from t where words = '****************'";
        assert_eq!(
            (text(&command.text), text(&command.shown)),
            (asked.into(), masked.into())
        );
        let Note::Asked { text: noted, .. } = &gateway.notes[0] else {
            panic!("{:?}", gateway.notes)
        };
        assert_eq!(text(noted), masked);

        let mut gateway = Gateway::of(hiding_cards_by(strategy));
        let bound = bind_with("", "", &["card 4111111111111111, please"]);
        let texts = [parse("", "select n from t where words = $1"), bound, sync()];
        gateway.client(&texts.concat()).unwrap();
        let command = gateway.permit();
        let shown = command.shown_parameters[0].as_deref();
        assert_eq!(shown, Some("card ****************, please"));
    }
}

#[test]
fn a_text_that_cannot_be_read_rests_masked() {
    let mut gateway = Gateway::of(hiding_cards_by(Strategy::Null));
    gateway
        .client(&query("selekt '4111111111111111' from t"))
        .unwrap();
    let Note::Asked { text: noted, .. } = &gateway.notes[0] else {
        panic!("{:?}", gateway.notes)
    };
    assert_eq!(text(noted), "selekt '****************' from t");
}

/// A column whose values look like nothing.
fn opaque() -> Settings {
    let mut settings = settings();
    settings.declared.push(Declaration {
        schema: "public".into(),
        table: "t".into(),
        column: "words".into(),
        class: DataClass::GENERIC_SECRET,
        path: None,
    });
    settings
}

/// What a statement rests as, with its parameters.
fn resting(gateway: &mut Gateway) -> (String, Vec<Option<String>>) {
    let command = gateway.permit();
    let asked = gateway.notes.iter().rev().find_map(|note| match note {
        Note::Asked {
            text, parameters, ..
        } => Some((text.clone(), parameters.clone())),
        _ => None,
    });
    let (noted, parameters) = asked.unwrap();
    assert_eq!(
        (&noted, &parameters),
        (&command.shown, &command.shown_parameters)
    );
    (text(&noted), parameters)
}

#[test]
fn literals_rest_masked_by_the_columns_they_touch() {
    for (asked, rests) in [
        (
            "select n from t where words = 'QWZX' limit 10",
            "select n from t where words = '****' limit 10",
        ),
        (
            "insert into t values (7, 'QWZX'), (8, 'K''é')",
            "insert into t values (7, '****'), (8, '****')",
        ),
        (
            "select id from customers where ssn = '123-45-6789' and id = 4711",
            "select id from customers where ssn = '***-**-6789' and id = 4711",
        ),
        (
            "begin; update t set words = $$QWZX$$ where n = 5; commit",
            "begin; update t set words = $$****$$ where n = 5; commit",
        ),
        ("select 'QWZX'", "select 'QWZX'"),
        (
            "alter table t rename words to others; select n from t where others = 'QWZX'",
            "alter table t rename words to others; select n from t where others = '****'",
        ),
    ] {
        let mut gateway = Gateway::of(opaque());
        gateway.client(&query(asked)).unwrap();
        assert_eq!(text(&gateway.open[0].text), asked);
        assert_eq!(resting(&mut gateway).0, rests);
        let sent = say::frames(&gateway.to_upstream);
        assert_eq!(sent[0].body.strip_suffix(&[0]), Some(asked.as_bytes()));
    }
}

#[test]
fn parameters_rest_masked_by_the_columns_they_touch() {
    let mut gateway = Gateway::of(opaque());
    let texts = [
        parse("", "select n from t where words = $1 and n = $2"),
        bind_with("", "", &["QWZX", "7"]),
        sync(),
    ];
    gateway.client(&texts.concat()).unwrap();
    let (_, parameters) = resting(&mut gateway);
    assert_eq!(parameters, [Some("****".to_owned()), Some("7".to_owned())]);
}

#[test]
fn what_is_given_to_a_prepared_statement_rests_masked() {
    let mut gateway = Gateway::of(opaque());
    let prepare = "prepare p as select n from t where words = $1 and n = $2; execute p('QWZX', 7)";
    gateway.client(&query(prepare)).unwrap();
    let rests = "prepare p as select n from t where words = $1 and n = $2; execute p('****', 7)";
    assert_eq!(resting(&mut gateway).0, rests);
}

#[test]
fn a_text_that_cannot_be_read_rests_without_its_literals() {
    for (asked, rests) in [
        ("selekt 'QWZX' from t", "selekt '****' from t"),
        ("select n from t where words = 'QWZX", "<35 bytes>"),
        ("select 1 'QWZX'; select 2", "select * '****'; select *"),
    ] {
        let mut gateway = Gateway::of(opaque());
        gateway.client(&query(asked)).unwrap();
        let said = format!("{:?}", gateway.notes);
        assert!(!said.contains("QWZX"), "{said}");
        let Note::Asked { text: noted, .. } = &gateway.notes[0] else {
            panic!("{said}")
        };
        assert_eq!(text(noted), rests);
    }
}

/// What is recorded of COPY data that come in these messages.
fn copied(asked: &str, columns: u8, data: &[&str]) -> String {
    let mut gateway = Gateway::of(opaque());
    gateway.client(&query(asked)).unwrap();
    gateway.permit();
    gateway
        .upstream(&say::copy_begin_of(server::COPY_IN, columns))
        .unwrap();
    gateway.take_upstream();
    gateway.to_upstream.clear();
    for piece in data {
        gateway.client(&say::copy_data(piece)).unwrap();
    }
    gateway.client(&write::bare(client::COPY_DONE)).unwrap();
    let frames = say::frames(&gateway.to_upstream);
    let sent: Vec<u8> = frames
        .iter()
        .flat_map(|frame| frame.body.to_vec())
        .collect();
    assert_eq!(text(&sent), data.concat());
    let puts = gateway.notes.iter().filter_map(|note| match note {
        Note::Put(put) => Some(text(put)),
        _ => None,
    });
    puts.collect()
}

#[test]
fn copied_data_rest_masked_by_the_columns_they_go_into() {
    let plain = "copy t from stdin";
    let rows = "1\tQWZX\n2\t\\N\n3\t4111111111111111\n";
    let masked = "1\t****\n2\t\\N\n3\t****************\n";
    for at in 0..rows.len() {
        let (one, other) = rows.split_at(at);
        assert_eq!(copied(plain, 2, &[one, other]), masked, "{at}");
    }
    assert_eq!(
        copied("copy t (words) from stdin", 1, &["QW", "ZX"]),
        "****"
    );
    assert_eq!(
        copied("copy t (n) from stdin", 1, &["41111111", "11111111\n"]),
        "************1111\n"
    );
    let csv = "copy t (words, n) from stdin (format csv, header)";
    let rows = "words,n\n\"Q\nW\"\"Z\",1\nX,2\n";
    let masked = "words,n\n\"*****\",1\n*,2\n";
    for at in 0..rows.len() {
        let (one, other) = rows.split_at(at);
        let copied = copied(csv, 2, &[one, other]);
        assert!(
            copied == masked || copied == masked.replace('"', ""),
            "{at}: {copied}"
        );
    }
    let unended = copied(csv, 2, &["words,n\n\"QWZX"]);
    assert_eq!(unended, "words,n\n<a row without an end>");
}

#[test]
fn copied_data_that_do_not_fit_rest_as_their_length() {
    let plain = "copy t from stdin";
    assert_eq!(
        copied(plain, 2, &["QWZX\n", "1\tQWZX\n"]),
        "<5 bytes><7 bytes>"
    );
    assert_eq!(
        copied("copy unknown from stdin", 2, &["1\tQWZX\n"]),
        "<7 bytes>"
    );
    let latin = "copy t from stdin (encoding 'latin1')";
    assert_eq!(copied(latin, 2, &["1\tQWZX\n"]), "<7 bytes>");
}

#[test]
fn what_stands_behind_the_end_of_copied_data_rests_as_its_length() {
    let rows = "7\n\\.\nQWZX\n8\n";
    for at in 0..=rows.len() {
        let (one, other) = rows.split_at(at);
        let copied = copied("copy t (n) from stdin", 1, &[one, other]);
        assert!(copied.starts_with("7\n\\.\n<"), "{at}: {copied}");
        assert!(!copied.contains("QWZX"), "{at}: {copied}");
    }
}

/// What a client was shown after the statement, and how that rests.
fn answered(gateway: &mut Gateway, asked: &[u8], answer: &[Bytes]) -> (String, String) {
    gateway.client(asked).unwrap();
    gateway.permit_all();
    gateway.notes.clear();
    gateway.to_client.clear();
    gateway.upstream(&answer.concat()).unwrap();
    let shown = gateway.to_client.to_vec();
    let notes = gateway.notes.iter().filter_map(|note| match note {
        Note::Shown(shown) => Some(shown.to_vec()),
        _ => None,
    });
    let rests: Vec<u8> = notes.flatten().collect();
    // It is read as it was shown.
    assert_eq!(say::frames(&rests).len(), say::frames(&shown).len());
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (lossy(&shown), lossy(&rests))
}

fn said(kind: u8, fields: &[(u8, &str)]) -> Bytes {
    write::one(kind, |out| {
        for (code, text) in fields {
            out.put_u8(*code);
            write::cstr(out, text.as_bytes());
        }
        out.put_u8(0);
    })
}

#[test]
fn what_the_server_says_back_of_hidden_literals_rests_without_them() {
    let asked = "select n from t where words = 'QWZXK' and n = 'four'";
    let fields = [
        (b'S', "ERROR"),
        (b'V', "ERROR"),
        (b'C', "22P02"),
        (b'M', "invalid input syntax for type integer: \"QWZXK\""),
        (b'D', "It is QWZXK, and four."),
        (b'P', "31"),
    ];
    let ready = write::ready(b'I');
    for kind in [server::ERROR, server::NOTICE] {
        let mut gateway = Gateway::of(opaque());
        let answer = [said(kind, &fields), ready.clone()];
        let (shown, rests) = answered(&mut gateway, &query(asked), &answer);
        assert!(shown.contains("QWZXK"), "{shown}");
        assert!(!rests.contains("QWZX"), "{rests}");
        assert!(
            rests.contains("invalid input syntax") && rests.contains("and four"),
            "{rests}"
        );
    }
    // Parameters are said back too.
    let mut gateway = Gateway::of(opaque());
    let texts = [
        parse("", "select n from t where words = $1"),
        bind_with("", "", &["QWZXK"]),
        say::execute("", 0),
        sync(),
    ];
    let fields = [
        (b'S', "NOTICE"),
        (b'V', "NOTICE"),
        (b'C', "01000"),
        (b'M', "it is QWZXK"),
    ];
    let answer = [
        write::bare(server::PARSE_COMPLETE),
        write::bare(server::BIND_COMPLETE),
        said(server::NOTICE, &fields),
    ];
    let (_, rests) = answered(&mut gateway, &texts.concat(), &answer);
    assert!(!rests.contains("QWZX"), "{rests}");
}

#[test]
fn plans_and_definitions_rest_without_hidden_literals() {
    let plan = [
        "Seq Scan on t  (cost=0.00..25.88 rows=6 width=4)",
        "  Filter: ((words = 'QW''ZXK'::text) AND (n = 4711))",
        "  Output: n, 'ab",
        "QWZXK', words",
        "Planning Time: 0.1 ms",
    ];
    let rows = |lines: &[&str]| {
        let rows = lines.iter().map(|line| say::row(&[line]));
        let columns = say::columns(&[("QUERY PLAN", 0, 0, 25)]);
        let end = [say::complete("EXPLAIN"), write::ready(b'I')];
        std::iter::once(columns)
            .chain(rows)
            .chain(end)
            .collect::<Vec<_>>()
    };
    let explain = "explain select n from t where words = 'QW''ZXK' and n = 4711";
    let mut gateway = Gateway::of(opaque());
    let (shown, rests) = answered(&mut gateway, &query(explain), &rows(&plan));
    assert!(
        shown.contains("QW''ZXK") && shown.contains("4711"),
        "{shown}"
    );
    assert!(!rests.contains("ZXK") && !rests.contains("4711"), "{rests}");
    for kept in [
        plan[0],
        "Filter: ((words = '",
        "'::text) AND (n = ****))",
        plan[4],
    ] {
        assert!(rests.contains(kept), "{kept}: {rests}");
    }
    // Where nothing is hidden of what is planned, nor was before.
    let mut gateway = Gateway::of(opaque());
    let plain = "explain select words from t where n = 4711";
    let (shown, rests) = answered(&mut gateway, &query(plain), &rows(&plan[1..2]));
    assert_eq!(shown, rests);
    // A plan of what was prepared, and a definition.
    let prepare = "prepare p as select n from t where words = 'QWZXK'";
    let prepared = [say::complete("PREPARE"), write::ready(b'I')];
    let line = ["  Filter: (words = 'QWZXK'::text) AND 'abc'"];
    for asked in [
        "explain execute p",
        "select statement from pg_prepared_statements",
        "select pg_get_viewdef(7)",
    ] {
        let mut gateway = Gateway::of(opaque());
        answered(&mut gateway, &query(prepare), &prepared);
        let (_, rests) = answered(&mut gateway, &query(asked), &rows(&line));
        assert!(!rests.contains("QWZX"), "{asked}: {rests}");
    }
}

/// A ParameterStatus, and what the client sees of it.
fn reported(gateway: &mut Gateway, value: &str) -> String {
    let mut status = bytes::BytesMut::new();
    write::parameter_status(&mut status, b"application_name", value.as_bytes());
    gateway.to_client.clear();
    gateway.upstream(&status).unwrap();
    String::from_utf8_lossy(&gateway.to_client).into_owned()
}

#[test]
fn what_is_masked_beside_commands_is_a_fact_of_the_next_or_of_the_session() {
    let card = "card 4111111111111111";
    let mut gateway = Gateway::live();
    assert!(!reported(&mut gateway, card).contains("4111111"));
    let notice = said(
        server::NOTICE,
        &[
            (b'S', "NOTICE"),
            (b'V', "NOTICE"),
            (b'C', "00000"),
            (b'M', card),
        ],
    );
    gateway.upstream(&notice).unwrap();
    gateway.client(&query("select 1")).unwrap();
    gateway.permit();
    gateway
        .upstream(&[say::complete("SELECT 0"), write::ready(b'I')].concat())
        .unwrap();
    let outcomes = gateway.outcomes();
    let places: Vec<_> = outcomes[0].masks.iter().map(|fact| &*fact.place).collect();
    assert_eq!(places, ["parameter_status", "notice"]);
    assert_eq!(outcomes[0].masks[0].commitments.len(), 1);
    // Nobody knows what a notice is made of that no command is behind.
    assert_eq!(outcomes[0].masks[1].strategy, "withhold");
    assert!(!reported(&mut gateway, card).contains("4111111"));
    gateway.ended(crate::session::Peer::Client);
    assert_eq!(gateway.found.len(), 1);
    assert_eq!(gateway.found[0].place, "parameter_status");
}

#[test]
fn a_setting_is_withheld_that_a_statement_may_have_made_of_what_is_protected() {
    let mut gateway = Gateway::live();
    assert!(reported(&mut gateway, "psql").contains("psql"));
    gateway
        .client(&query("select refund(id) from customers"))
        .unwrap();
    gateway.permit();
    assert!(!reported(&mut gateway, "QWZX").contains("QWZX"));
    assert!(reported(&mut gateway, "psql").contains("psql"));
    gateway
        .upstream(&[say::complete("SELECT 1")].concat())
        .unwrap();
    assert!(!reported(&mut gateway, "QWZX").contains("QWZX"));
    gateway.upstream(&write::ready(b'I')).unwrap();
    let facts = &gateway.outcomes()[0].masks;
    assert!(
        facts
            .iter()
            .any(|fact| fact.place == "parameter_status" && fact.strategy == "withhold"),
        "{facts:?}"
    );
    let mut gateway = Gateway::live();
    gateway
        .client(&query("set application_name = 'QWZX'"))
        .unwrap();
    gateway.permit();
    assert!(reported(&mut gateway, "QWZX").contains("QWZX"));
}
