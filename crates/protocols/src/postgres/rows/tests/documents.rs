//! JSON of which some places are declared.

use std::sync::Arc;

use model::{DataClass, JsonPath};
use sql::postgres::{BaseColumn, Declaration, Document, Member, Members};

use super::super::cell::Rule;
use super::forms::look;
use super::{Format, oid, settings};

/// What is shown of JSON whose `customer.ssn`, `cards.*.pan` and `plain` are declared.
fn shown(kind: u32, format: Format, value: &[u8]) -> Option<String> {
    let rule = Rule::Document(declared());
    let shown = look(settings(), rule, kind, format, value)?;
    Some(String::from_utf8(shown.unwrap()).unwrap())
}

fn declared() -> Arc<Document> {
    let mut document: Option<Document> = None;
    for (text, class) in [
        ("$.customer.ssn", DataClass::US_SSN),
        ("$.cards[*].*.pan", DataClass::PAN),
        ("$.plain", DataClass::EMAIL),
    ] {
        let path = JsonPath::try_from(text).unwrap();
        let declaration = Declaration {
            schema: "public".to_owned(),
            table: "events".to_owned(),
            column: "body".to_owned(),
            class,
            path: Some(path.clone()),
        };
        let of = BaseColumn::new(&declaration, None);
        document = match document {
            None => Some(Document::new(&path, of)),
            Some(document) => document.with(&path, of),
        };
    }
    Arc::new(document.unwrap())
}

/// A document is a member of JSON that is made of a row.
#[test]
fn values_are_masked_at_their_places_in_members() {
    let members = Members::from([
        ("id".to_owned(), Member::Clear),
        ("body".to_owned(), Member::Document(declared())),
        ("raw".to_owned(), Member::Document(declared())),
    ]);
    let members = Arc::new(members);
    for (value, expected) in [
        (
            r#"[{"id":1,"body":{"customer": {"ssn": "QWZX", "id": "b"}, "plain": [{"x": 7}, "Q"], "id": "c"},"raw":null}]"#,
            r#"[{"id":1,"body":{"customer": {"ssn": "****", "id": "b"}, "plain": [{"x": null}, "*"], "id": "c"},"raw":null}]"#,
        ),
        // Text with JSON, of which the places are behind quotes.
        (
            r#"{"raw": "{\"plain\": \"QWZX\"}", "id": {"plain": "b"}, "body": []}"#,
            r#"{"raw": "*****************", "id": {"plain": "b"}, "body": []}"#,
        ),
        (
            r#"{"body": [{"cards": [{"x": {"pan": "QW"}}]}], "id": 2}"#,
            r#"{"body": [{"cards": [{"x": {"pan": "**"}}]}], "id": 2}"#,
        ),
    ] {
        let rule = Rule::Members(Arc::clone(&members));
        let shown = look(settings(), rule, oid::JSON, Format::Text, value.as_bytes());
        let shown = String::from_utf8(shown.unwrap().unwrap()).unwrap();
        assert_eq!(shown, expected);
    }
    let rule = Rule::Members(members);
    let strange = br#"{"other": 1}"#;
    assert!(look(settings(), rule, oid::JSON, Format::Text, strange).is_none());
}

/// Names that become the same stay apart, for clients keep one of each.
#[test]
fn names_that_are_hidden_stay_apart() {
    let class = DataClass::try_from("pin".to_owned()).unwrap();
    let value = br#"{"ab": "x", "cd": 1, "e": {"fg": "y"}, "hi": 2}"#;
    let shown = look(
        settings(),
        Rule::Declared(class),
        oid::JSON,
        Format::Text,
        value,
    );
    let shown = String::from_utf8(shown.unwrap().unwrap()).unwrap();
    let expected = r#"{"**": "*", "**2": null, "*": {"**": "*"}, "**3": null}"#;
    assert_eq!(shown, expected);
}

#[test]
fn values_are_masked_at_their_places() {
    for (value, expected) in [
        (
            r#"{"customer": {"ssn": "QWZX", "name": "QWZX", "s\u0073n": "ABC"}, "ssn": "QWZX"}"#,
            r#"{"customer": {"ssn": "****", "name": "QWZX", "s\u0073n": "***"}, "ssn": "QWZX"}"#,
        ),
        // Arrays take no step, on the way and at the end; everything below is hidden.
        (
            r#"[{"cards": [{"x": {"pan": ["QW", {"a": 7}], "y": 1}}, {"pan": "QWZX"}], "n": [1, "b"]}, {"plain": "QW"}]"#,
            r#"[{"cards": [{"x": {"pan": ["**", {"a": null}], "y": 1}}, {"pan": "****"}], "n": [1, "b"]}, {"plain": "**"}]"#,
        ),
        (
            r#"{"customer": [1, {"ssn": 12345}, {"ssn": true}], "plain": {}}"#,
            r#"{"customer": [null, {"ssn": null}, {"ssn": null}], "plain": {}}"#,
        ),
        // What stands where a place would be below it: JSON cut off, or something else.
        (
            r#"{"customer": "{\"ssn\": \"QWZX", "cards": ["QWZX", {"x": 12345}, null]}"#,
            r#"{"customer": "*************", "cards": ["****", {"x": null}, null]}"#,
        ),
        (r#""the number is QWZX""#, r#""******************""#),
        ("478051120", "null"),
        // JSON within a string, where a place lies in it, or might.
        (
            r#"{"customer": "{\"ssn\": \"QWZX\"}", "note": "{\"ssn\": \"QWZX\"}"}"#,
            r#"{"customer": "***************", "note": "{\"ssn\": \"QWZX\"}"}"#,
        ),
        // The detectors look at what is left.
        (
            r#"{"customer": {"name": "536-22-1234"}}"#,
            r#"{"customer": {"name": "***-**-1234"}}"#,
        ),
        (r#"{"a": 1}"#, r#"{"a": 1}"#),
        ("[]", "[]"),
    ] {
        for kind in [oid::JSON, oid::JSONB, oid::TEXT] {
            let found = shown(kind, Format::Text, value.as_bytes());
            assert_eq!(found.as_deref(), Some(expected));
        }
        let binary = [&[1][..], value.as_bytes()].concat();
        let found = shown(oid::JSONB, Format::Binary, &binary).unwrap();
        assert_eq!(found.get(1..), Some(expected));
        let found = shown(oid::TEXT, Format::Binary, value.as_bytes());
        assert_eq!(found.as_deref(), Some(expected));
    }
}

#[test]
fn text_that_is_no_json_is_hidden_whole() {
    for value in ["QWZX", r#"{"customer": {"ssn": "QWZX"}"#, r#"{"a": 1} x"#] {
        let found = shown(oid::TEXT, Format::Text, value.as_bytes()).unwrap();
        assert_eq!(found.len(), value.len());
        assert!(found.bytes().all(|byte| byte == b'*'), "{found}");
    }
}
