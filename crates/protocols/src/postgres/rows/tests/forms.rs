//! What was masked is still a value of its type.

use super::*;

/// What the catalog tells of types that are not PostgreSQL's own.
pub(super) const TYPES: [&str; 4] = [
    "16500 e 0 0 enum_send 0",
    "16501 c 0 0 record_send 0 25,20,16500,1009",
    "16502 b 16501 0 array_send 0",
    "16503 b 0 0 cube_send 0",
];

const ENUM: u32 = 16_500;
const COMPOSITE: u32 = 16_501;
const COMPOSITES: u32 = 16_502;
const CUBE: u32 = 16_503;

/// What is shown of a value of a column that is declared to hold `class`.
fn declared_as(class: &DataClass, kind: u32, format: Format, value: &[u8]) -> Option<Vec<u8>> {
    let settings = settings();
    let cells = cell::Cells::new(known(), settings.masks(&BTreeSet::new()));
    let rule = cell::Rule::Declared(class.clone());
    let mut findings = Findings::counting();
    let column = cell::Column {
        name: "x".to_owned(),
        label: "x".to_owned(),
        place: findings.place("x"),
        hint: mask::Hint::NONE,
        rule,
        form: cells.form(kind),
        format,
    };
    let mut out = Vec::new();
    match cells.look(&column, value, &mut out, &mut findings) {
        mask::Outcome::Clean => Some(value.to_vec()),
        mask::Outcome::Masked => Some(out),
        mask::Outcome::Null => None,
        mask::Outcome::Withheld => panic!("it is withheld"),
    }
}

fn declared_text(class: &DataClass, kind: u32, value: &str) -> Option<String> {
    let shown = declared_as(class, kind, Format::Text, value.as_bytes());
    shown.map(|shown| String::from_utf8(shown).unwrap())
}

#[test]
fn json_stays_json() {
    for kind in [oid::JSON, oid::JSONB] {
        assert_eq!(
            text(
                kind,
                r#"{"card": 4111111111111111, "note": "pan 4111111111111111", "n": -1.5e3}"#
            )
            .unwrap(),
            r#"{"card": null, "note": "pan ************1111", "n": -1.5e3}"#
        );
        assert_eq!(
            text(kind, r#"{"a": [1, true, "x"]}"#).unwrap(),
            r#"{"a": [1, true, "x"]}"#
        );
        // An escape hides it from nobody.
        for written in [
            r#"["a\"\u0034111111111111111\ud83d\ude00"]"#,
            r#"["a\"4111111111111\u00311\u0031\ud83d\ude00"]"#,
        ] {
            assert_eq!(
                text(kind, written).unwrap(),
                "[\"a\\\"************1111\u{1F600}\"]"
            );
        }
        for kept in [r#"["\u00e9\/"]"#, r#"["\ud83d"]"#] {
            assert_eq!(text(kind, kept).unwrap(), kept);
        }
        // Where no JSON is left, nothing is.
        assert_eq!(text(kind, r#"["\"ann\"@example.com"]"#), None);
    }
    let binary = shown(
        oid::JSONB,
        Format::Binary,
        b"\x01{\"c\": \"4111111111111111\"}",
    )
    .unwrap();
    assert_eq!(binary, b"\x01{\"c\": \"************1111\"}");
}

#[test]
fn declared_json_is_masked_value_by_value() {
    let own = DataClass::try_from("salary".to_owned()).unwrap();
    for kind in [oid::JSON, oid::JSONB] {
        let shown = |class, value| declared_text(class, kind, value);
        assert_eq!(
            shown(
                &DataClass::US_SSN,
                r#"{"ssn": "536-22-1234", "a1": [536221234, true, null, "x\ny", ""]}"#
            )
            .unwrap(),
            r#"{"ssn": "***-**-1234", "**": [null, null, null, "***", ""]}"#
        );
        assert_eq!(
            shown(&own, r#"{"ann" : {"bob": 1e3}}"#).unwrap(),
            r#"{"***" : {"***": null}}"#
        );
        assert_eq!(shown(&own, "536221234").unwrap(), "null");
        assert_eq!(shown(&own, "no JSON"), None);
    }
    let binary = declared_as(&own, oid::JSONB, Format::Binary, b"\x01[\"a\"]");
    assert_eq!(binary.unwrap(), b"\x01[\"*\"]");
}

#[test]
fn rows_of_a_known_type_are_masked_field_by_field() {
    let row = r#"("a ""4111111111111111""",4111111111111111,blue,"{4111111111111111,b}")"#;
    let masked = r#"("a ""************1111""",,blue,"{""************1111"",b}")"#;
    assert_eq!(text(COMPOSITE, row).unwrap(), masked);
    assert_eq!(
        text(COMPOSITES, r#"{"(4111111111111111,1,,)",NULL}"#).unwrap(),
        r#"{"(\"************1111\",1,,)",NULL}"#
    );
    for clean in ["(a,1,blue,{})", "(,,,)", r#"("",1,,"{a,b}")"#] {
        assert_eq!(text(COMPOSITE, clean).unwrap(), clean);
    }
    // With other fields than its type has, it goes whole.
    assert_eq!(text(COMPOSITE, "(4111111111111111,1)"), None);
    assert_eq!(text(COMPOSITE, r#"("4111111111111111,1,,)"#), None);
    assert_eq!(
        declared_text(&DataClass::PAN, COMPOSITE, "(4111111111111111,1,blue,{x})").unwrap(),
        r#"("************1111",,,"{""*""}")"#
    );
}

#[test]
fn a_declared_row_in_binary_is_masked_field_by_field() {
    let record = |fields: &[(u32, Option<&[u8]>)]| {
        let mut out = Vec::new();
        out.put_u32(u32::try_from(fields.len()).unwrap());
        for (kind, value) in fields {
            out.put_u32(*kind);
            out.put_i32(value.map_or(-1, |value| i32::try_from(value.len()).unwrap()));
            out.extend_from_slice(value.unwrap_or_default());
        }
        out
    };
    let before = record(&[
        (oid::TEXT, Some(PAN.as_bytes())),
        (oid::INT8, Some(&[0; 8])),
        (ENUM, Some(b"blue")),
        (oid::UUID, Some(&[7; 16])),
        (oid::TEXT, None),
    ]);
    let after = record(&[
        (oid::TEXT, Some(b"************1111")),
        (oid::INT8, None),
        (ENUM, None),
        (oid::UUID, None),
        (oid::TEXT, None),
    ]);
    let shown = declared_as(&DataClass::PAN, COMPOSITE, Format::Binary, &before);
    assert_eq!(shown, Some(after));
}

#[test]
fn words_of_an_enum_and_types_that_nobody_knows_become_null() {
    for kind in [ENUM, CUBE] {
        assert_eq!(text(kind, "4111111111111111"), None);
        assert_eq!(text(kind, "(1,2)").unwrap(), "(1,2)");
        assert_eq!(declared_text(&DataClass::PAN, kind, "blue"), None);
    }
    assert_eq!(shown(ENUM, Format::Binary, b"blue").unwrap(), b"blue");
    let refusal = refused(plan(
        "SELECT 1",
        &[("x", CUBE, Format::Binary, 0)],
        &[],
        &settings(),
    ));
    assert!(
        refusal.denial.message.contains("ask for the text format"),
        "{}",
        refusal.denial
    );
}
