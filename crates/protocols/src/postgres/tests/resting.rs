//! What the client sends, as it is recorded and shown to approvers.

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
