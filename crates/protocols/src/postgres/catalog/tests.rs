use bytes::BufMut;

use super::*;
use crate::postgres::wire::server;

fn row(values: &[Option<&str>]) -> Frame {
    Frame::of(write::one(server::DATA_ROW, |out| {
        out.put_i16(i16::try_from(values.len()).unwrap());
        for value in values {
            match value {
                None => out.put_i32(-1),
                Some(value) => {
                    out.put_i32(i32::try_from(value.len()).unwrap());
                    out.put_slice(value.as_bytes());
                }
            }
        }
    }))
    .unwrap()
}

fn ready() -> Frame {
    Frame::of(write::ready(b'T')).unwrap()
}

fn error(message: &str) -> Frame {
    let words = write::Words {
        severity: "ERROR",
        code: "42501",
        message,
        ..Default::default()
    };
    Frame::of(write::error(&words)).unwrap()
}

fn loading(limits: Limits) -> Loading {
    let mut fx = Vec::new();
    let loading = Loading::start(Within::Idle, limits, &mut fx);
    let [Effect::Learning, Effect::Send(Peer::Upstream, queries)] = fx.as_slice() else {
        panic!("{fx:?}")
    };
    assert!(queries.iter().filter(|byte| **byte == 0).count() >= Catalog::QUERIES.len() + 3);
    loading
}

/// The rows that answer one query each; `Err` is a refusal.
fn answers(limits: Limits, answers: &[Result<Vec<Frame>, &str>]) -> Result<Loaded, LoadError> {
    let mut loading = loading(limits);
    for answer in answers {
        match answer {
            Ok(rows) => {
                for row in rows {
                    assert!(loading.receive(row)?.is_none());
                }
            }
            Err(message) => assert!(loading.receive(&error(message))?.is_none()),
        }
        if let Some(loaded) = loading.receive(&ready())? {
            return Ok(loaded);
        }
    }
    panic!("it is not done")
}

/// A row of words; `-` is NULL.
fn words(text: &'static str) -> Frame {
    let word = |word| (word != "-").then_some(word);
    row(&text.split(' ').map(word).collect::<Vec<_>>())
}

fn good() -> Vec<Result<Vec<Frame>, &'static str>> {
    let types = [
        "16500 e 0 0 enum_send 0 -",
        "16501 b 16500 0 array_send 0 -",
        "16502 d 0 20 int8send 0 -",
        "16503 r 0 0 range_send 20 -",
        "16504 b 0 0 geometry_send 0 -",
        "16505 c 0 0 record_send 0 25,16500",
        "16506 c 0 0 record_send 0 -",
        "16507 b 0 0 hstore_send 0 -",
    ];
    vec![
        Ok(vec![]),
        Ok(vec![row(&[Some("")])]),
        Ok(vec![words("16400 public customers r 0 -")]),
        Ok(vec![row(&["16400", "2", "ssn", "25", "", "-1"].map(Some))]),
        Ok(vec![]),
        Ok(vec![]),
        Ok(vec![words("pg_catalog lower i internal t")]),
        Ok(vec![words("16400 2 1")]),
        Ok(vec![words("16400 2 16401 1")]),
        Ok(vec![words("16410 16400 2 t")]),
        Ok(vec![row(&[Some("16400"), None, Some("(ssn = 'x')")])]),
        Ok(vec![words("16400 2")]),
        Ok(vec![words("16502 public code")]),
        Ok(types.map(words).into()),
        Ok(vec![]),
    ]
}

#[test]
fn a_catalog_is_loaded() {
    let loaded = answers(Limits::default(), &good()).unwrap();
    let relation = loaded.catalog.relation_by_oid(16400).unwrap();
    assert_eq!(
        (relation.name.as_str(), relation.columns.len()),
        ("customers", 1)
    );
    let forms = [
        25, 20, 16500, 16501, 16502, 16503, 16504, 16505, 16506, 16507, 99_999,
    ]
    .map(|oid| loaded.types.form(oid));
    assert_eq!(
        forms,
        [
            Form::Text,
            Form::Int8,
            Form::Enum,
            Form::Array(16500),
            Form::Int8,
            Form::Range(20),
            Form::Opaque,
            Form::Composite(16505),
            Form::Record,
            Form::Unknown,
            Form::Unknown,
        ]
    );
    assert_eq!(loaded.types.fields(16505), Some(&[25, 16500][..]));
}

#[test]
fn a_refused_query_is_told_once_everything_is_answered() {
    for query in 0..Catalog::QUERIES.len() {
        let mut script = good();
        script[query + 1] = Err("permission denied");
        let error = answers(Limits::default(), &script).unwrap_err();
        assert!(
            matches!(error, LoadError::Refused { query: refused, .. } if refused == query),
            "{error}"
        );
    }
}

#[test]
fn a_server_that_does_not_tell_its_types_is_good_enough() {
    let mut script = good();
    let types = script.len() - 2;
    script[types] = Err("permission denied");
    let loaded = answers(Limits::default(), &script).unwrap();
    assert_eq!(loaded.types.form(25), Form::Text);
    assert_eq!(loaded.types.form(16500), Form::Unknown);
}

#[test]
fn limits_hold() {
    let rows = Limits {
        catalog_rows_max: 3,
        ..Limits::default()
    };
    assert!(matches!(
        answers(rows, &good()),
        Err(LoadError::TooLarge { unit: "rows", .. })
    ));
    let bytes = Limits {
        catalog_bytes_max: 100,
        ..Limits::default()
    };
    assert!(matches!(
        answers(bytes, &good()),
        Err(LoadError::TooLarge { unit: "bytes", .. })
    ));
}

#[test]
fn what_answers_no_query_is_refused() {
    let mut loading = loading(Limits::default());
    assert!(matches!(
        loading.receive(&row(&[])),
        Err(LoadError::Malformed(_))
    ));
    let copy = Frame::of(write::bare(server::COPY_DONE)).unwrap();
    assert!(matches!(
        loading.receive(&copy),
        Err(LoadError::Malformed(_))
    ));
}

#[test]
fn a_malformed_row_of_the_catalog_is_named() {
    let mut script = good();
    script[2] = Ok(vec![row(&[
        Some("no number"),
        Some("a"),
        Some("b"),
        Some("r"),
        Some("0"),
        None,
    ])]);
    assert!(matches!(
        answers(Limits::default(), &script),
        Err(LoadError::Row(CatalogError { query: 1, .. }))
    ));
}

#[test]
fn reading_again_is_for_what_may_pass_and_not_for_ever() {
    let refused = |code: &str| LoadError::Refused {
        query: 1,
        code: code.to_owned(),
        message: String::new(),
    };
    let mut tries = Tries::default();
    assert!((1..LOCKED_TRIES_MAX).all(|_| tries.again(&refused("55P03"))));
    assert!(!tries.again(&refused("55P03")));
    assert!((1..TRIES_MAX).all(|_| tries.again(&refused("XX000"))));
    assert!(!tries.again(&refused("40P01")));
    assert!(!Tries::default().again(&refused("42501")));
    assert!(!Tries::default().again(&LoadError::Malformed(Malformed("broken"))));
}
