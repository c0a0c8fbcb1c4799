use mask::{Findings, Masker, MaskerConfig};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::super::cbor::read;
use super::super::super::classify::{Call, Wire};
use super::super::{Hider, Unreadable};
use crate::aws::table::TABLE;

fn call(service: &str) -> Call {
    let service = TABLE
        .services()
        .iter()
        .find(|it| it.name == service)
        .unwrap();
    Call {
        wire: Wire::Cbor,
        service: Some(service),
        operation: None,
        prefix: service.prefix.to_owned(),
        region: "us-east-1".to_owned(),
        things: Vec::new(),
        parameters: Vec::new(),
        tags: Vec::new(),
        unseen: false,
        beside: Vec::new(),
        touched: Default::default(),
        elsewhere: Vec::new(),
    }
}

fn hidden(answer: &[u8], size: usize) -> Result<(Vec<u8>, u64), Unreadable> {
    let masker = Masker::new(MaskerConfig::default());
    let mut hider = Hider::new(&call("secretsmanager"), &[], &masker).unwrap();
    let (mut out, mut findings) = (Vec::new(), Findings::counting());
    for piece in answer.chunks(size) {
        hider.push(piece, &mut out, &mut findings)?;
    }
    hider.finish(&mut out, &mut findings)?;
    let count = findings.facts().iter().map(|fact| fact.count).sum();
    Ok((out, count))
}

/// Writes a value; what is wrapped in `{"bytes": …}` as bytes.
fn write(value: &Value, out: &mut Vec<u8>) {
    let mut head = |major: u8, length: usize| {
        out.push(major << 5 | 26);
        out.extend_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
    };
    match value {
        Value::Null => out.push(0xF6),
        Value::Bool(flag) => out.push(0xF4 + u8::from(*flag)),
        Value::Number(number) if number.is_u64() => {
            out.push(0x1B);
            out.extend_from_slice(&number.as_u64().unwrap().to_be_bytes());
        }
        Value::Number(number) => {
            out.push(0xFB);
            out.extend_from_slice(&number.as_f64().unwrap().to_be_bytes());
        }
        Value::String(text) => {
            head(3, text.len());
            out.extend_from_slice(text.as_bytes());
        }
        Value::Array(list) => {
            head(4, list.len());
            list.iter().for_each(|value| write(value, out));
        }
        Value::Object(map) => {
            head(5, map.len());
            for (name, value) in map {
                write(&Value::from(name.as_str()), out);
                write(value, out);
            }
        }
    }
}

fn written(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

#[test]
fn texts_are_searched_and_members_hidden() {
    let answer = json!({
        "Name": "db 4111111111111111",
        "SecretString": {"a": [1, 2.5, true, null, "hün"], "4111111111111111": ""},
        "Number": 4_111_111_111_111_111_u64,
        "Other": [7, "plain", false],
    });
    let answer = written(&answer);
    let (out, count) = hidden(&answer, answer.len()).unwrap();
    assert_eq!(
        read(&out).unwrap(),
        json!({
            "Name": "db ************1111",
            "SecretString": {"a": [0, 0.0, null, null, "****"], "************1111": ""},
            "Number": 0,
            "Other": [7, "plain", false],
        })
    );
    assert_eq!((out.len(), count), (answer.len(), 7));
    assert_eq!(hidden(&answer, 1).unwrap(), (out, count));
}

/// A text in pieces is one text, and bytes that are text are searched as one.
#[test]
fn pieces_are_searched_together() {
    let mut answer = vec![0x9F, 0x7F, 0x68];
    answer.extend_from_slice(b"41111111\x68");
    answer.extend_from_slice(b"11111111\xFF\x50");
    answer.extend_from_slice(b"4111111111111111\xFF");
    let (out, count) = hidden(&answer, 4).unwrap();
    assert_eq!(count, 2);
    let shown = read(&out).unwrap();
    assert_eq!(shown[0], "************1111");
    assert!(!out.windows(8).any(|part| part == b"41111111"));
}

#[test]
fn what_cannot_be_inspected_is_not_shown() {
    for bad in [
        &b"\x41\x00"[..],
        b"\x41\xFF",
        b"\x61\xFF",
        b"\x00\x00",
        b"\x62a",
        b"\xA1\x01\x01",
        b"\xF8\xFF",
        b"\x1C",
        b"\xFF",
        &[0x81; 100],
    ] {
        assert_eq!(hidden(bad, 1), Err(Unreadable), "{bad:?}");
    }
    assert_eq!(hidden(b"", 1), Ok((Vec::new(), 0)));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[a-z0-9 ü]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![Just("SecretString".to_owned()), "[a-z]{1,5}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Whether nothing is left below what is hidden, and everything else is as long as it was.
fn agrees(was: &Value, is: &Value, hidden: bool) -> bool {
    match (was, is) {
        (Value::String(was), Value::String(is)) => {
            was.len() == is.len() && (!hidden || is.bytes().all(|byte| byte == b'*'))
        }
        (Value::Number(_), Value::Number(is)) => !hidden || is.as_f64() == Some(0.0),
        (Value::Array(was), Value::Array(is)) => {
            was.len() == is.len() && was.iter().zip(is).all(|(was, is)| agrees(was, is, hidden))
        }
        (Value::Object(was), Value::Object(is)) => {
            was.len() == is.len()
                && was
                    .iter()
                    .zip(is)
                    .all(|((name, was), (_, is))| agrees(was, is, hidden || name == "SecretString"))
        }
        (Value::Bool(_), Value::Null) => hidden,
        (was, is) => was == is,
    }
}

proptest! {
    #[test]
    fn every_answer_stays_readable(value in any_value(), size in 1_usize..40) {
        let answer = written(&value);
        let (out, _) = hidden(&answer, size).unwrap();
        prop_assert_eq!(out.len(), answer.len());
        prop_assert!(agrees(&value, &read(&out).unwrap(), false), "{} {}", value, read(&out).unwrap());
    }

    #[test]
    fn nothing_panics(answer in proptest::collection::vec(any::<u8>(), 0..60)) {
        if let Ok((out, _)) = hidden(&answer, 7) {
            prop_assert_eq!(out.len(), answer.len());
        }
    }
}
