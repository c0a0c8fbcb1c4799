//! What was masked is still a value of its type.

use super::written::facts_of;
use super::*;
use sql::postgres::{BaseColumn, Member, OfClass};

/// What the catalog tells of types that are not PostgreSQL's own.
pub(super) const TYPES: [&str; 5] = [
    "16500 e 0 0 enum_send 0",
    "16501 c 0 0 record_send 0 25,20,16500,1009",
    "16502 b 16501 0 array_send 0",
    "16503 b 0 0 cube_send 0",
    "16504 m 0 0 multirange_send 20",
];

const ENUM: u32 = 16_500;
const COMPOSITE: u32 = 16_501;
const COMPOSITES: u32 = 16_502;
const CUBE: u32 = 16_503;

/// What is shown of a value of a column that is declared to hold `class`.
fn declared_as(class: &DataClass, kind: u32, format: Format, value: &[u8]) -> Option<Vec<u8>> {
    declared_with(None, class, kind, format, value)
}

/// The same, with this strategy for the class.
pub(super) fn declared_with(
    strategy: Option<Strategy>,
    class: &DataClass,
    kind: u32,
    format: Format,
    value: &[u8],
) -> Option<Vec<u8>> {
    let settings = Settings {
        strategies: strategy
            .map(|strategy| (class.clone(), strategy))
            .into_iter()
            .collect(),
        mask_key: Some(mask::MaskKey::new(b"key")),
        ..settings()
    };
    look(
        settings,
        cell::Rule::Declared(class.clone()),
        kind,
        format,
        value,
    )
    .expect("it is not withheld")
}

/// What is shown of a value of a column with this rule; `None` where it is withheld.
pub(super) fn look(
    settings: Settings,
    rule: cell::Rule,
    kind: u32,
    format: Format,
    value: &[u8],
) -> Option<Option<Vec<u8>>> {
    let cells = cell::Cells::new(known(), settings.masks(&BTreeSet::new()));
    let mut findings = Findings::counting();
    let column = cell::Column {
        name: "x".to_owned(),
        label: "x".to_owned(),
        place: findings.place("x"),
        of: sql::postgres::BaseColumns::NONE,
        hint: mask::Hint::NONE,
        rule,
        form: cells.form(kind),
        format,
        chosen: false,
    };
    let mut out = Vec::new();
    Some(match cells.look(&column, value, &mut out, &mut findings) {
        mask::Outcome::Clean => Some(value.to_vec()),
        mask::Outcome::Masked => Some(out),
        mask::Outcome::Null => None,
        mask::Outcome::Withheld => return None,
    })
}

/// The column `ssn`, declared.
fn ssn() -> OfClass {
    OfClass::one(BaseColumn::new(&super::declared()[0], None))
}

/// What is shown of JSON in which `ssn` is declared, `all` holds what is, and `id` and `doc` hold nothing.
fn by_members(kind: u32, value: &str) -> Option<String> {
    let members = [
        ("ssn", Member::Held(ssn())),
        ("all", Member::Members),
        ("id", Member::Clear),
        ("doc", Member::Clear),
    ];
    let members = members.map(|(name, member)| (name.to_owned(), member));
    let rule = cell::Rule::Members(Arc::new(members.into()));
    let shown = look(settings(), rule, kind, Format::Text, value.as_bytes())?;
    Some(String::from_utf8(shown.unwrap()).unwrap())
}

#[test]
fn members_of_json_are_masked_by_their_names() {
    for kind in [oid::JSON, oid::JSONB] {
        for (value, expected) in [
            (
                r#"[{"id":1,"ssn":"536-22-1234"}, {"ssn" : "536-22-1234","id":2}]"#,
                r#"[{"id":1,"ssn":"***-**-1234"}, {"ssn" : "***-**-1234","id":2}]"#,
            ),
            (
                r#"{"all": [{"ssn": ["536-22-1234", {"id": 5}], "id": {"ssn": 7}}], "id": "536-22-1234"}"#,
                r#"{"all": [{"ssn": ["***-**-1234", {"id": null}], "id": {"ssn": 7}}], "id": "***-**-1234"}"#,
            ),
            // An escape hides no name, nor a value.
            (
                r#"{"s\u0073n": "\u0035", "id": 1}"#,
                r#"{"s\u0073n": "*", "id": 1}"#,
            ),
            (
                r#"{"ssn":null,"id":{},"all":[],"doc":[1]}"#,
                r#"{"ssn":null,"id":{},"all":[],"doc":[1]}"#,
            ),
            (
                r#"{"ssn":{"a1":{"b":[]}},"id":3}"#,
                r#"{"ssn":{"**":{"b":[]}},"id":3}"#,
            ),
            // What is below a clear one may have any names.
            (
                r#"{"doc": {"x": {"y": 1}, "z": "536-22-1234"}, "id": 2}"#,
                r#"{"doc": {"x": {"y": 1}, "z": "***-**-1234"}, "id": 2}"#,
            ),
            ("[]", "[]"),
            ("null", "null"),
        ] {
            assert_eq!(by_members(kind, value).as_deref(), Some(expected));
        }
        // A column that is not known may be the declared one by another name.
        for withheld in [
            r#"{"id": 1, "ssn2": "x"}"#,
            r#"[{"all": {"other": 1}}]"#,
            r#"{"ssn": 1, "id""#,
            r#"{"\ud83d": 1}"#,
            "",
        ] {
            assert_eq!(by_members(kind, withheld), None, "{withheld}");
        }
    }
    assert_eq!(by_members(oid::TEXT, r#"{"id":1}"#), None);
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

/// A rule for rows of [`COMPOSITE`]: the second field is declared.
fn by_fields() -> cell::Rule {
    let declared = cell::Rule::Declared(DataClass::US_SSN);
    let rules = [
        cell::Rule::Scan,
        declared,
        cell::Rule::Scan,
        cell::Rule::Scan,
    ];
    cell::Rule::Fields(rules.into())
}

#[test]
fn fields_of_rows_are_masked_by_their_places() {
    let shown = |rule, kind, value: &str| {
        let shown = look(settings(), rule, kind, Format::Text, value.as_bytes())?;
        Some(String::from_utf8(shown.unwrap()).unwrap())
    };
    for (kind, value, expected) in [
        (COMPOSITE, "(a,7,blue,{x})", "(a,,blue,{x})"),
        (
            COMPOSITE,
            "(4111111111111111,,,)",
            r#"("************1111",,,)"#,
        ),
        (
            COMPOSITES,
            r#"{"(a,7,blue,{x})",NULL,"(,,,)"}"#,
            r#"{"(a,,blue,{x})",NULL,"(,,,)"}"#,
        ),
        // Of a row of no type nothing says what its fields are.
        (
            oid::RECORD,
            r#"("a ""b""",536-22-1234,4,"(5,6)")"#,
            r#"("a ""b""","***-**-1234",4,"(5,6)")"#,
        ),
        (
            oid::RECORDS,
            r#"{"(a,536-22-1234,4,)"}"#,
            r#"{"(a,\"***-**-1234\",4,)"}"#,
        ),
    ] {
        assert_eq!(shown(by_fields(), kind, value).as_deref(), Some(expected));
    }
    // The fields of a field, and JSON.
    let members = [("ssn".to_owned(), Member::Held(ssn()))];
    let members = cell::Rule::Members(Arc::new(members.into()));
    let nested = cell::Rule::Fields([by_fields(), members].into());
    let value = r#"("(a,7,""b c"",)","{""ssn"": ""536-22-1234""}")"#;
    let expected = r#"("(a,""*"",""b c"",)","{""ssn"": ""***-**-1234""}")"#;
    assert_eq!(shown(nested, oid::RECORD, value).as_deref(), Some(expected));
    // With other fields than are known nothing is shown.
    for withheld in ["(a,7,blue)", "(a,7,blue,{x},)", "no row", ""] {
        for kind in [COMPOSITE, oid::RECORD, oid::TEXT, oid::JSON] {
            assert_eq!(shown(by_fields(), kind, withheld), None, "{withheld}");
        }
    }
}

#[test]
fn fields_of_rows_in_binary_are_masked_by_their_places() {
    let before = record(&[
        (oid::TEXT, Some(b"a")),
        (oid::INT8, Some(&[0; 8])),
        (ENUM, Some(b"blue")),
        (oid::TEXT, Some(PAN.as_bytes())),
    ]);
    let after = record(&[
        (oid::TEXT, Some(b"a")),
        (oid::INT8, None),
        (ENUM, Some(b"blue")),
        (oid::TEXT, Some(b"************1111")),
    ]);
    let shown = |value: &[u8]| {
        let kinds = [COMPOSITE, oid::RECORD];
        kinds.map(|kind| look(settings(), by_fields(), kind, Format::Binary, value))
    };
    assert_eq!(
        shown(&before),
        [Some(Some(after.clone())), Some(Some(after))]
    );
    let fewer = record(&[(oid::TEXT, None), (oid::INT8, Some(&[0; 8]))]);
    assert_eq!(shown(&fewer), [None, None]);
}

fn record(fields: &[(u32, Option<&[u8]>)]) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_u32(u32::try_from(fields.len()).unwrap());
    for (kind, value) in fields {
        out.put_u32(*kind);
        out.put_i32(value.map_or(-1, |value| i32::try_from(value.len()).unwrap()));
        out.extend_from_slice(value.unwrap_or_default());
    }
    out
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

/// A number in both formats with [`Strategy::Format`], the binary one written out; they agree.
fn formatted(kind: u32, text: &str, binary: &[u8]) -> Option<String> {
    let shown = |format, value| {
        declared_with(
            Some(Strategy::Format),
            &DataClass::US_SSN,
            kind,
            format,
            value,
        )
    };
    let text = shown(Format::Text, text.as_bytes());
    let text = text.map(|text| String::from_utf8(text).unwrap());
    let form = known().types.form(kind);
    let binary = shown(Format::Binary, binary).map(|binary| {
        let mut out = Vec::new();
        numeric::write(form, &binary, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    });
    assert_eq!(text, binary);
    text
}

#[test]
fn numbers_become_other_numbers_where_the_form_is_kept() {
    for number in [536_221_234_i32, -7, 1_000_000] {
        let shown = formatted(oid::INT4, &number.to_string(), &number.to_be_bytes()).unwrap();
        assert_eq!(shown.parse::<i32>().unwrap() < 0, number < 0, "{shown}");
        assert_ne!(shown, number.to_string());
    }
    let wide = 4_111_111_111_111_111_i64;
    let shown = formatted(oid::INT8, &wide.to_string(), &wide.to_be_bytes()).unwrap();
    assert_ne!(shown.parse::<i64>().unwrap(), wide);
    let words = |words: &[u16]| {
        words
            .iter()
            .flat_map(|word| word.to_be_bytes())
            .collect::<Vec<_>>()
    };
    for (text, binary) in [
        (
            "4111111111111111.50",
            words(&[5, 3, 0, 2, 4111, 1111, 1111, 1111, 5000]),
        ),
        ("-12345.678", words(&[3, 1, 0x4000, 3, 1, 2345, 6780])),
        ("0.0007", words(&[1, 0xFFFF, 0, 4, 7])),
        ("20000", words(&[1, 1, 0, 0, 2])),
    ] {
        let shown = formatted(oid::NUMERIC, text, &binary).unwrap();
        assert_ne!(shown, text);
        assert_eq!(
            shown.split_once('.').map(|it| it.1.len()),
            text.split_once('.').map(|it| it.1.len())
        );
        assert_eq!(shown.starts_with('-'), text.starts_with('-'));
    }
    // What has no digits, and what would not fit, is no number.
    assert_eq!(
        formatted(oid::NUMERIC, "NaN", &words(&[0, 0, 0xC000, 0])),
        None
    );
    let largest: i32 = 2_147_483_647;
    let shown = formatted(oid::INT4, &largest.to_string(), &largest.to_be_bytes());
    assert!(shown.is_none_or(|shown| shown.parse::<i32>().is_ok()));
    let with = |strategy, kind, value: &[u8]| {
        declared_with(
            Some(strategy),
            &DataClass::US_SSN,
            kind,
            Format::Text,
            value,
        )
    };
    for kind in [oid::DATE, oid::BOOL, ENUM] {
        assert_eq!(with(Strategy::Format, kind, b"12"), None);
    }
}

/// With [`Strategy::Hash`], in text.
fn hashed(class: &DataClass, kind: u32, text: &str) -> String {
    let shown = declared_with(
        Some(Strategy::Hash),
        class,
        kind,
        Format::Text,
        text.as_bytes(),
    );
    String::from_utf8(shown.unwrap()).unwrap()
}

#[test]
fn hashes_of_numbers_and_days_are_equal_where_the_values_are() {
    let class = DataClass::US_SSN;
    let hashed = |kind, text| hashed(&class, kind, text);
    let number = hashed(oid::INT4, "536221234");
    assert_ne!(number, "536221234");
    for kind in [oid::INT8, oid::NUMERIC, oid::JSON] {
        assert_eq!(hashed(kind, "536221234"), number);
    }
    assert_eq!(hashed(oid::NUMERIC, "536221234.00"), format!("{number}.00"));
    assert_eq!(hashed(21, "707"), hashed(oid::INT8, "707"));
    let binary = |kind, value: &[u8]| {
        declared_with(Some(Strategy::Hash), &class, kind, Format::Binary, value).unwrap()
    };
    let shown = binary(oid::INT8, &536_221_234_i64.to_be_bytes());
    assert_eq!(shown, number.parse::<i64>().unwrap().to_be_bytes());

    let day = hashed(oid::DATE, "1985-03-03");
    assert_ne!(day, "1985-03-03");
    assert_eq!(
        hashed(1114, "1985-03-03 00:00:00"),
        format!("{day} 00:00:00")
    );
    let shown = binary(oid::DATE, &(-5_417_i32).to_be_bytes());
    let facts = facts_of(
        cell::Rule::Declared(class.clone()),
        oid::DATE,
        Format::Binary,
        &shown,
    );
    let again = facts_of(
        cell::Rule::Declared(class.clone()),
        oid::DATE,
        Format::Text,
        day.as_bytes(),
    );
    assert_eq!(facts, again);
    let moment = hashed(1184, "1985-03-03 01:00:00+01");
    assert_eq!(moment, hashed(1184, "1985-03-03 00:00:00+00"));
}

#[test]
fn a_uuid_becomes_another_one_in_both_formats_alike() {
    let written = "c7d9f3b1-5e82-4a6c-9d17-f3b86e2a5c91";
    let bytes = hex::decode(written.replace('-', "")).unwrap();
    let shown = |strategy, format, value: &[u8]| {
        declared_with(Some(strategy), &DataClass::US_SSN, oid::UUID, format, value)
    };
    for strategy in [Strategy::Hash, Strategy::Format] {
        let text = shown(strategy, Format::Text, written.as_bytes()).unwrap();
        let text = String::from_utf8(text).unwrap();
        let binary = shown(strategy, Format::Binary, &bytes).unwrap();
        assert_eq!(text.replace('-', ""), hex::encode(&binary));
        assert_ne!(binary, bytes);
        let parts: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        // Version 8 and the variant of RFC 9562.
        assert_eq!((binary[6] >> 4, binary[8] >> 6), (8, 2));
    }
    assert_eq!(shown(Strategy::Redact, Format::Binary, &bytes), None);
}
