use std::sync::Arc;

use bytes::BufMut;
use model::{Outcome, Status};
use proptest::prelude::*;

use super::*;
use crate::postgres::wire::write;

fn description(columns: &[(&str, u32, Format)]) -> Bytes {
    write::one(server::ROW_DESCRIPTION, |out| {
        out.put_i16(i16::try_from(columns.len()).unwrap());
        for (name, kind, format) in columns {
            write::cstr(out, name.as_bytes());
            out.put_slice(&[0; 6]);
            out.put_u32(*kind);
            out.put_slice(&[0; 6]);
            out.put_u16(format.code());
        }
    })
}

fn row(values: &[Option<&[u8]>]) -> Bytes {
    write::one(server::DATA_ROW, |out| {
        out.put_i16(i16::try_from(values.len()).unwrap());
        for value in values {
            match value {
                None => out.put_i32(-1),
                Some(value) => {
                    out.put_i32(i32::try_from(value.len()).unwrap());
                    out.put_slice(value);
                }
            }
        }
    })
}

fn complete(tag: &str) -> Bytes {
    write::one(server::COMMAND_COMPLETE, |out| {
        write::cstr(out, tag.as_bytes())
    })
}

fn session() -> (Vec<u8>, Vec<Event>) {
    let words = write::Words {
        severity: "ERROR",
        code: "42501",
        message: "no",
        detail: "d",
        hint: "h",
        ..Default::default()
    };
    let notice = write::Words {
        severity: "NOTICE",
        code: "00000",
        message: "hm",
        ..Default::default()
    };
    let bytes = [
        write::authentication_ok(),
        write::ready(b'I'),
        description(&[("id", 23, Format::Text), ("name", 25, Format::Text)]),
        row(&[Some(b"1"), Some("Ann \u{e9}".as_bytes())]),
        row(&[Some(b"2"), None]),
        complete("SELECT 2"),
        write::notice(&notice),
        write::bare(server::PORTAL_SUSPENDED),
        write::bare(server::EMPTY_QUERY),
        write::one(server::COPY_OUT, |out| out.put_slice(&[0, 0, 0])),
        write::one(server::COPY_DATA, |out| out.put_slice(b"1\tx\n")),
        write::one(server::COPY_OUT, |out| out.put_slice(&[1, 0, 0])),
        write::one(server::COPY_DATA, |out| out.put_slice(&[0xff, 0])),
        write::error(&words),
        write::ready(b'E'),
    ]
    .concat();
    let text = |text: &str| Some(text.to_owned());
    let said = |severity: &str, code: &str, message: &str, detail: &str, hint: &str| Words {
        severity: severity.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        detail: detail.to_owned(),
        hint: hint.to_owned(),
        context: String::new(),
    };
    let events = vec![
        Event::Columns(vec!["id".to_owned(), "name".to_owned()]),
        Event::Row(vec![text("1"), text("Ann \u{e9}")]),
        Event::Row(vec![text("2"), None]),
        Event::Complete("SELECT 2".to_owned()),
        Event::Notice(said("NOTICE", "00000", "hm", "", "")),
        Event::Suspended,
        Event::Complete(String::new()),
        Event::CopyOut("1\tx\n".to_owned()),
        Event::CopyOut("ff00".to_owned()),
        Event::Error(said("ERROR", "42501", "no", "d", "h")),
    ];
    (bytes, events)
}

#[test]
fn every_split_gives_the_same_events() {
    let (bytes, expected) = session();
    let bytes = Bytes::from(bytes);
    for at in 0..=bytes.len() {
        let (mut transcript, mut events) = (Transcript::default(), Vec::new());
        transcript.shown(bytes.slice(..at), &mut events);
        transcript.shown(bytes.slice(at..), &mut events);
        assert_eq!(events, expected, "split at {at}");
    }
}

#[test]
fn notes_become_events() {
    let (mut transcript, mut events) = (Transcript::default(), Vec::new());
    let parameters = vec![Some("7".to_owned()), None];
    for note in [
        Note::Asked {
            seq: 3,
            tag: Arc::from("SELECT"),
            text: "SELECT $1".into(),
            parameters: parameters.clone(),
        },
        Note::Allowed { seq: 3, intent: 9 },
        Note::Shown(complete("SELECT 0")),
        Note::Put("1\t2\n".into()),
        Note::Ended {
            seq: 3,
            outcome: Outcome::bare(Status::Completed),
        },
    ] {
        transcript.note(&note, &mut events);
    }
    let expected = [
        Event::Statement {
            seq: 3,
            text: "SELECT $1".to_owned(),
            parameters,
        },
        Event::Complete("SELECT 0".to_owned()),
        Event::CopyIn("1\t2\n".to_owned()),
    ];
    assert_eq!(events, expected);
}

/// What a value is written as; the description says text, as it does where the client described the statement first.
fn written(kind: u32, value: &[u8]) -> String {
    let (mut transcript, mut events) = (Transcript::default(), Vec::new());
    transcript.shown(description(&[("x", kind, Format::Text)]), &mut events);
    transcript.shown(row(&[Some(value)]), &mut events);
    match events.pop() {
        Some(Event::Row(mut values)) => values.pop().unwrap().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn binary_values_are_written_as_text() {
    let day = 9_132_i32; // 2025-01-01
    let moment = i64::from(day) * 86_400_000_000 + 3_723_450_000;
    let numeric = |words: &[u16]| {
        words
            .iter()
            .flat_map(|word| word.to_be_bytes())
            .collect::<Vec<_>>()
    };
    for (kind, value, expected) in [
        (16, vec![1], "t"),
        (16, vec![0], "f"),
        (21, vec![0xff, 0xff], "-1"),
        (23, 42_i32.to_be_bytes().to_vec(), "42"),
        (20, (-7_i64).to_be_bytes().to_vec(), "-7"),
        (701, 1.5_f64.to_be_bytes().to_vec(), "1.5"),
        (1700, numeric(&[2, 0, 0x4000, 2, 12, 3400]), "-12.34"),
        (1700, numeric(&[1, 0xffff, 0, 3, 50]), "0.005"),
        (1700, numeric(&[1, 1, 0, 0, 5]), "50000"),
        (1700, numeric(&[0, 0, 0, 2]), "0.00"),
        (1082, day.to_be_bytes().to_vec(), "2025-01-01"),
        (1082, (-730_120_i32).to_be_bytes().to_vec(), "0001-12-31 BC"),
        (1082, i32::MAX.to_be_bytes().to_vec(), "infinity"),
        (
            1114,
            moment.to_be_bytes().to_vec(),
            "2025-01-01 01:02:03.45",
        ),
        (1184, 0_i64.to_be_bytes().to_vec(), "2000-01-01 00:00:00+00"),
        (1083, 3_600_000_000_i64.to_be_bytes().to_vec(), "01:00:00"),
        (
            2950,
            (0..16).collect(),
            "00010203-0405-0607-0809-0a0b0c0d0e0f",
        ),
        (3802, b"\x01{}".to_vec(), "{}"),
        (600, vec![0xff; 16], "\\xffffffffffffffffffffffffffffffff"),
        (23, b"17".to_vec(), "17"),
        (20, b"****".to_vec(), "****"),
    ] {
        assert_eq!(written(kind, &value), expected, "{kind} {value:?}");
    }
}

#[test]
fn rows_without_their_description_are_written_too() {
    let (mut transcript, mut events) = (Transcript::default(), Vec::new());
    transcript.shown(row(&[Some(b"a"), Some(&[0, 1]), None]), &mut events);
    assert_eq!(
        events,
        [Event::Row(vec![
            Some("a".to_owned()),
            Some("\\x0001".to_owned()),
            None
        ])]
    );
}

#[test]
fn what_cannot_be_read_is_told_once() {
    let (mut transcript, mut events) = (Transcript::default(), Vec::new());
    transcript.shown(Bytes::from_static(b"Z\0\0\0\0"), &mut events);
    transcript.shown(complete("SELECT 1"), &mut events);
    assert!(matches!(events.as_slice(), [Event::Unreadable(_)]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_upset_it(bytes in prop::collection::vec(any::<u8>(), 0..64), kind in prop::sample::select(vec![16_u32, 20, 23, 700, 1082, 1114, 1184, 1700, 2950, 3802])) {
        let mut events = Vec::new();
        Transcript::default().shown(bytes.clone().into(), &mut events);
        let _ = value::text(kind, Format::Binary, &bytes);
    }
}

#[test]
fn an_error_tells_where_it_arose() {
    let error = write::one(server::ERROR, |out| {
        for (code, text) in [(b'S', "ERROR"), (b'W', "PL/pgSQL function f() line 3")] {
            out.put_u8(code);
            write::cstr(out, text.as_bytes());
        }
        out.put_u8(0);
    });
    let (mut transcript, mut events) = (Transcript::default(), Vec::new());
    transcript.shown(error, &mut events);
    let [Event::Error(words)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(words.context, "PL/pgSQL function f() line 3");
}
