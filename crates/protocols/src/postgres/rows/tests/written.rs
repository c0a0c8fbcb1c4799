//! Values are committed to, and looked at, alike in text and in binary.

use super::*;

/// What is counted of a value under a key.
pub(super) fn facts_of(
    rule: cell::Rule,
    kind: u32,
    format: Format,
    value: &[u8],
) -> Vec<model::MaskFact> {
    let cells = cell::Cells::new(known(), settings().masks(&BTreeSet::new()));
    let mut findings = Findings::new(&mask::CommitmentKey::new(b"key"));
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
    let _ = cells.look(&column, value, &mut Vec::new(), &mut findings);
    findings.facts()
}

fn int8(number: i64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn sized(value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap();
    [&length.to_be_bytes(), value].concat()
}

fn doubles(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|it| it.to_be_bytes()).collect()
}

/// Type, text, binary, and how somebody asks for it.
pub(super) type Written = (u32, &'static str, Vec<u8>, &'static str);

#[expect(clippy::too_many_lines, reason = "a table of the types")]
pub(super) fn written_alike() -> Vec<Written> {
    let day = (-5_417_i32).to_be_bytes();
    let moment = -5_417 * 86_400_000_000 + 3_600_500_000;
    let hour = 3_600_000_000_i64;
    let range = [&[2][..], &sized(&day), &sized(&(-5_416_i32).to_be_bytes())].concat();
    let moments = [&[0x12][..], &sized(&int8(moment))].concat();
    vec![
        (16, "t", vec![1], "true"),
        (21, "-7", (-7_i16).to_be_bytes().to_vec(), "-7"),
        (
            26,
            "4000000000",
            4_000_000_000_u32.to_be_bytes().to_vec(),
            "4000000000",
        ),
        (700, "1e+10", 1e10_f32.to_be_bytes().to_vec(), "10000000000"),
        (700, "0.1", 0.1_f32.to_be_bytes().to_vec(), "0.1"),
        (701, "-Infinity", doubles(&[f64::NEG_INFINITY]), "-Infinity"),
        (790, "-$1,234.50", int8(-123_450), "-1234.50"),
        (1082, "1985-03-03", day.to_vec(), "1985-03-03"),
        (1082, "03/03/1985", day.to_vec(), "3/3/1985"),
        (1082, "03.03.1985", day.to_vec(), "1985-03-03"),
        (1083, "01:00:00", int8(hour), "01:00:00"),
        (
            1266,
            "01:00:00+02",
            [int8(hour), (-7_200_i32).to_be_bytes().to_vec()].concat(),
            "01:00:00+02",
        ),
        (
            1114,
            "1985-03-03 01:00:00.5",
            int8(moment),
            "1985-03-03T01:00:00.5",
        ),
        (
            1114,
            "Sun Mar 03 01:00:00.5 1985",
            int8(moment),
            "1985-03-03 01:00:00.500",
        ),
        (
            1184,
            "1985-03-03 02:00:00.5+01",
            int8(moment),
            "1985-03-03T01:00:00.5Z",
        ),
        (
            1186,
            "3 days 01:00:00",
            [int8(hour), vec![0, 0, 0, 3, 0, 0, 0, 0]].concat(),
            "3 days 01:00:00",
        ),
        (
            869,
            "192.0.2.7",
            vec![2, 32, 0, 4, 192, 0, 2, 7],
            "192.0.2.7/32",
        ),
        (
            650,
            "192.0.2.0/24",
            vec![2, 24, 1, 4, 192, 0, 2, 0],
            "192.0.2.0/24",
        ),
        (
            829,
            "08:00:2b:01:02:03",
            vec![8, 0, 0x2b, 1, 2, 3],
            "08:00:2b:01:02:03",
        ),
        (
            1560,
            "10100",
            [&[0, 0, 0, 5][..], &[0b1010_0000]].concat(),
            "10100",
        ),
        (
            3220,
            "16/B374D848",
            vec![0, 0, 0, 0x16, 0xb3, 0x74, 0xd8, 0x48],
            "16/B374D848",
        ),
        (27, "(3,7)", vec![0, 0, 0, 3, 0, 7], "(3,7)"),
        (600, "(1.5,-2)", doubles(&[1.5, -2.0]), "(1.5,-2)"),
        (718, "<(1,2),3>", doubles(&[1.0, 2.0, 3.0]), "<(1,2),3>"),
        (
            3912,
            "[1985-03-03,1985-03-04)",
            range.clone(),
            "[1985-03-03,1985-03-04)",
        ),
        (
            3912,
            "[03.03.1985,04.03.1985)",
            range,
            "[1985-03-03,1985-03-04)",
        ),
        (
            3910,
            "[\"1985-03-03 02:00:00.5+01\",)",
            moments,
            "[\"1985-03-03 01:00:00.5+00\",)",
        ),
        (
            2950,
            "0190aaaa-0000-7000-8000-000000000001",
            hex::decode("0190aaaa000070008000000000000001").unwrap(),
            "0190AAAA-0000-7000-8000-000000000001",
        ),
        (17, "\\x00ff", vec![0, 255], "\\x00FF"),
    ]
}

#[test]
fn a_value_is_committed_to_alike_in_text_and_in_binary() {
    let class = DataClass::try_from("anything".to_owned()).unwrap();
    let key = mask::CommitmentKey::new(b"key");
    for (kind, text, binary, asked) in written_alike() {
        for rule in [
            cell::Rule::Declared(class.clone()),
            cell::Rule::Shown([class.clone()].into()),
        ] {
            let in_text = facts_of(rule.clone(), kind, Format::Text, text.as_bytes());
            let in_binary = facts_of(rule.clone(), kind, Format::Binary, &binary);
            assert_eq!(in_text.len(), 1, "{kind} {text}");
            assert_eq!(in_text, in_binary, "{kind} {text} {rule:?}");
            let asked = spellings(asked);
            let mut asked = asked
                .iter()
                .map(|value| key.commit(&class, value).to_string());
            assert!(
                asked.any(|it| in_text[0].commitments == [it]),
                "{kind} {text} is not found"
            );
        }
    }
}

#[test]
fn a_day_that_could_be_two_is_found_as_either() {
    let class = DataClass::try_from("anything".to_owned()).unwrap();
    let key = mask::CommitmentKey::new(b"key");
    let rule = cell::Rule::Declared(class.clone());
    let facts = facts_of(rule, 1082, Format::Text, b"03/04/1985");
    let found = |value: &str| {
        let mut spellings = spellings(value).into_iter();
        spellings.any(|it| facts[0].commitments == [key.commit(&class, &it).to_string()])
    };
    assert!(found("1985-03-04") && found("1985-04-03") && found("03/04/1985"));
    assert!(!found("1985-03-03"));
}

#[test]
fn a_number_is_found_however_it_is_written() {
    for (stored, asked) in [
        ("1.00", "1"),
        ("1", "1.00"),
        ("1.00", "+01"),
        ("1000.0000", "1e3"),
        ("1000", "1E+3"),
        ("1e+20", "100000000000000000000"),
        ("1.5e-07", "0.00000015"),
        ("-0.50", "-.5"),
        ("0.00", "-0"),
        ("12345.6", "12,345.60"),
        ("1250", "$12.5"),
    ] {
        let found = spellings(asked).iter().any(|it| it == stored.as_bytes());
        assert!(found, "{stored} {asked}");
    }
    for (stored, asked) in [("1.00", "10"), ("1.00", "-1"), ("100", "1e"), ("1.5", "15")] {
        let found = spellings(asked).iter().any(|it| it == stored.as_bytes());
        assert!(!found, "{stored} {asked}");
    }
    assert!(spellings("1e30000").len() < 5);
}

#[test]
fn values_of_plain_types_are_looked_at_where_something_is_looked_for() {
    let date = (-5_417_i32).to_be_bytes();
    type Case<'a> = (&'a str, u32, &'a [u8], &'a [u8], bool);
    let cases: [Case<'_>; 4] = [
        ("date_of_birth", 1082, b"1985-03-03", &date, false),
        ("opened_on", 1082, b"1985-03-03", &date, true),
        (
            "host",
            869,
            b"192.0.2.7",
            &[2, 32, 0, 4, 192, 0, 2, 7],
            false,
        ),
        ("kind", 21, b"707", &707_i16.to_be_bytes(), true),
    ];
    for (name, kind, text, binary, shown) in cases {
        let settings = Settings {
            find: [(DataClass::IP_ADDRESS, true)].into(),
            ..settings()
        };
        let masks = settings.masks(&BTreeSet::new());
        let cells = cell::Cells::new(known(), masks);
        for (format, value) in [(Format::Text, text), (Format::Binary, binary)] {
            let mut findings = Findings::counting();
            let source = plan::Source {
                name: name.to_owned(),
                origin: None,
                form: cells.form(kind),
                format,
            };
            let column = plan::column(
                &cells,
                source,
                sql::postgres::OutputRule::Clear,
                &mut findings,
            );
            let column = column.unwrap();
            assert_eq!(column.passes(), shown, "{name}");
            if !shown {
                let outcome = cells.look(&column, value, &mut Vec::new(), &mut findings);
                assert_eq!(outcome, mask::Outcome::Null, "{name} {format:?}");
            }
        }
    }
}

#[test]
fn facts_of_json_tell_the_member() {
    let places = |class: &DataClass, value: &str| {
        let rule = cell::Rule::Declared(class.clone());
        let facts = facts_of(rule, 114, Format::Text, value.as_bytes());
        let mut places: Vec<_> = facts.into_iter().map(|fact| fact.place).collect();
        places.dedup();
        places
    };
    let value =
        r#"{"ssn": "536-22-1234", "by": {"lines": [{"a1": 5}, "x"]}, "none": null, "no": ""}"#;
    assert_eq!(
        places(&DataClass::US_SSN, value),
        ["x.ssn", "x.by.lines[].*", "x.by.lines[]"]
    );
    // Names may be values of a class that configuration defines.
    let own = DataClass::try_from("salary".to_owned()).unwrap();
    assert_eq!(
        places(&own, r#"{"ann": {"bob": [1]}}"#),
        ["x.*", "x.*.*", "x.*.*[]"]
    );
    assert_eq!(places(&own, "5"), ["x"]);
    let deep = "[".repeat(20) + "1" + &"]".repeat(20);
    assert_eq!(places(&own, &deep), [format!("x{}…", "[]".repeat(8))]);
    // Columns keep their places.
    let many: Vec<_> = (b'a'..=b'z')
        .flat_map(|a| {
            (b'a'..=b'z').map(move |b| format!("\"{}{}\": 1", char::from(a), char::from(b)))
        })
        .collect();
    let places = places(&DataClass::US_SSN, &format!("{{{}}}", many.join(",")));
    assert!(places.len() < 70 && places.last().is_some_and(|last| last == "x"));
}
