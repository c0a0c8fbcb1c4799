mod copy;
mod documents;
mod forms;
mod replaced;
mod report;
mod written;

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::{BufMut, Bytes};
use mask::{Findings, Strategy};
use model::DataClass;
use proptest::prelude::*;
use sql::postgres::{
    Catalog, Column as TableColumn, Declaration, Relation, RelationKind, Resolved, STACK_BYTES,
    Statement, parse, resolve,
};

use super::*;
use crate::postgres::catalog::{Loaded, Types};
use crate::postgres::known::Known;
use crate::postgres::settings::Settings;
use crate::postgres::wire::{Field, Format, write};

const PAN: &str = "4111111111111111";
const SSN: &str = "536-22-1234";

/// Types as [`Types::built_in`] has them.
mod oid {
    pub(super) const BOOL: u32 = 16;
    pub(super) const BYTEA: u32 = 17;
    pub(super) const INT8: u32 = 20;
    pub(super) const INT4: u32 = 23;
    pub(super) const TEXT: u32 = 25;
    pub(super) const JSON: u32 = 114;
    pub(super) const POINT: u32 = 600;
    pub(super) const FLOAT8: u32 = 701;
    pub(super) const INT4_ARRAY: u32 = 1007;
    pub(super) const TEXT_ARRAY: u32 = 1009;
    pub(super) const INT8_ARRAY: u32 = 1016;
    pub(super) const DATE: u32 = 1082;
    pub(super) const NUMERIC: u32 = 1700;
    pub(super) const RECORD: u32 = 2249;
    pub(super) const RECORDS: u32 = 2287;
    pub(super) const UUID: u32 = 2950;
    pub(super) const JSONB: u32 = 3802;
    pub(super) const INT8RANGE: u32 = 3926;
    pub(super) const UNKNOWN: u32 = 99_999;
}

const CUSTOMERS: u32 = 16_400;
/// The columns of `public.customers`; `ssn`, `born` and `mails` are declared, and the server computes `area` of `ssn`.
const COLUMNS: [(&str, u32); 7] = [
    ("id", oid::INT8),
    ("name", oid::TEXT),
    ("ssn", oid::TEXT),
    ("born", oid::DATE),
    ("mails", oid::TEXT_ARRAY),
    ("photo", oid::BYTEA),
    ("area", oid::TEXT),
];

fn declared() -> Vec<Declaration> {
    [
        ("ssn", DataClass::US_SSN),
        ("born", DataClass::try_from("birth".to_owned()).unwrap()),
        ("mails", DataClass::EMAIL),
    ]
    .map(|(column, class)| Declaration {
        schema: "public".to_owned(),
        table: "customers".to_owned(),
        column: column.to_owned(),
        class,
        path: None,
    })
    .into()
}

fn settings() -> Settings {
    Settings {
        declared: declared(),
        ..Settings::new("bank", "bank")
    }
}

fn on_big_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .unwrap()
            .join()
            .unwrap()
    })
}

fn loaded(catalog: Arc<Catalog>) -> Loaded {
    let mut types = Types::built_in();
    for row in forms::TYPES {
        types.row(
            &row.split(' ')
                .map(|word| Some(word.as_bytes()))
                .collect::<Vec<_>>(),
        );
    }
    Loaded {
        own_temporary: None,
        catalog,
        types,
        digest: 0,
    }
}

fn known() -> Arc<Known> {
    let mut catalog = Catalog::builder();
    let column = |(index, (name, kind)): (usize, &(&str, u32))| TableColumn {
        number: i16::try_from(index).unwrap() + 1,
        name: (*name).to_owned(),
        type_oid: *kind,
        modifier: -1,
        generated: false,
    };
    catalog.add(Relation {
        oid: CUSTOMERS,
        schema: "public".to_owned(),
        name: "customers".to_owned(),
        kind: RelationKind::Table,
        columns: COLUMNS.iter().enumerate().map(column).collect(),
        definition: None,
        toast: 0,
    });
    let computed = [&b"16400"[..], b"7", b"3"].map(Some);
    catalog.row(6, &computed).unwrap();
    let catalog = Arc::new(catalog.build());
    on_big_stack(|| Arc::new(Known::new(loaded(catalog), &declared(), &[])))
}

fn resolved(text: &str, known: &Known) -> (Arc<Statement>, Resolved) {
    on_big_stack(|| {
        let statement = Arc::new(parse(text).unwrap().statements[0].clone());
        let resolved = resolve(&statement, &known.catalog, &known.protected);
        (statement, resolved)
    })
}

/// An output column: name, type, format, and the attribute of `customers` it comes from (0 for none).
type Output = (&'static str, u32, Format, i16);

struct Answer {
    plan: RowPlan,
    findings: Findings,
}

fn plan(
    text: &str,
    outputs: &[Output],
    reveal: &[DataClass],
    settings: &Settings,
) -> Result<Answer, RowError> {
    let known = known();
    let (_, resolved) = resolved(text, &known);
    let fields: Vec<Field> = outputs
        .iter()
        .map(|(name, kind, format, attribute)| Field {
            name: Bytes::from_static(name.as_bytes()),
            relation: if *attribute == 0 { 0 } else { CUSTOMERS },
            attribute: *attribute,
            kind: *kind,
            format: *format,
        })
        .collect();
    let mut findings = Findings::counting();
    let reveal: BTreeSet<DataClass> = reveal.iter().cloned().collect();
    let plan = RowPlan::new(
        &fields,
        &resolved,
        &known,
        &settings.masks(&reveal),
        None,
        &mut findings,
    )?;
    Ok(Answer { plan, findings })
}

fn refused(result: Result<Answer, RowError>) -> Refusal {
    match result {
        Err(RowError::Refused(refusal)) => *refusal,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was accepted"),
    }
}

fn data_row(values: &[Option<&[u8]>]) -> Bytes {
    write::one(b'D', |out| {
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

impl Answer {
    fn row(&mut self, values: &[Option<&[u8]>]) -> Result<Bytes, RowError> {
        let whole = data_row(values);
        let mut out = Vec::new();
        let frame = Frame::of(whole.clone()).unwrap();
        match self.plan.row(&frame, &mut out, &mut self.findings)? {
            Shown::Untouched => {
                assert!(out.is_empty());
                Ok(whole)
            }
            Shown::Rewritten => {
                assert_ne!(out, whole);
                Ok(Frame::of(out.into()).unwrap().whole)
            }
        }
    }

    /// Facts as `class rule place strategy count`.
    fn facts(&self) -> Vec<String> {
        let facts = self.findings.facts().into_iter();
        facts
            .map(|f| {
                format!(
                    "{} {} {} {} {}",
                    f.class, f.rule, f.place, f.strategy, f.count
                )
            })
            .collect()
    }
}

/// What is shown of one value of a column of no table.
fn shown(kind: u32, format: Format, value: &[u8]) -> Option<Vec<u8>> {
    let mut answer = plan("SELECT 1", &[("x", kind, format, 0)], &[], &settings()).unwrap();
    let row = answer.row(&[Some(value)]).unwrap();
    value_of(&row)
}

fn value_of(row: &[u8]) -> Option<Vec<u8>> {
    let length = i32::from_be_bytes(row[7..11].try_into().unwrap());
    (length >= 0).then(|| row[11..].to_vec())
}

fn text(kind: u32, value: &str) -> Option<String> {
    shown(kind, Format::Text, value.as_bytes()).map(|value| String::from_utf8(value).unwrap())
}

#[test]
fn declared_columns_are_masked_whatever_they_look_like() {
    let outputs = [
        ("ssn", oid::TEXT, Format::Text, 3),
        ("who", oid::TEXT, Format::Text, 2),
    ];
    let mut answer = plan(
        "SELECT ssn, name AS who FROM customers",
        &outputs,
        &[],
        &settings(),
    )
    .unwrap();
    assert!(!answer.plan.is_clear());
    assert_eq!(
        answer.row(&[Some(SSN.as_bytes()), Some(b"Ann")]).unwrap(),
        data_row(&[Some(b"***-**-1234"), Some(b"Ann")])
    );
    assert_eq!(
        answer.row(&[Some(b"none"), None]).unwrap(),
        data_row(&[Some(b"****"), None])
    );
    assert_eq!(answer.row(&[None, None]).unwrap(), data_row(&[None, None]));
    assert_eq!(
        answer.facts(),
        ["us_ssn declared public.customers.ssn partial 2"]
    );
}

#[test]
fn what_is_found_in_other_columns_is_masked_too() {
    let outputs = [
        ("a", oid::TEXT, Format::Text, 0),
        ("b", oid::TEXT, Format::Binary, 0),
    ];
    let mut answer = plan("SELECT 'x' a, 'y' b", &outputs, &[], &settings()).unwrap();
    let card = format!("card {PAN}");
    let shown = answer
        .row(&[Some(card.as_bytes()), Some(card.as_bytes())])
        .unwrap();
    let masked: &[u8] = b"card ************1111";
    assert_eq!(shown, data_row(&[Some(masked), Some(masked)]));
    assert_eq!(
        answer.facts(),
        [
            "pan card_issuer_luhn a partial 1",
            "pan card_issuer_luhn b partial 1"
        ]
    );
}

#[test]
fn revealed_classes_are_shown_and_counted() {
    let outputs = [("ssn", oid::TEXT, Format::Text, 3)];
    let reveal = [DataClass::US_SSN];
    let mut answer = plan("SELECT ssn FROM customers", &outputs, &reveal, &settings()).unwrap();
    let row = data_row(&[Some(SSN.as_bytes())]);
    assert_eq!(answer.row(&[Some(SSN.as_bytes())]).unwrap(), row);
    assert!(
        answer
            .facts()
            .iter()
            .any(|fact| fact == "us_ssn declared public.customers.ssn reveal 1"),
        "{:?}",
        answer.facts()
    );
}

#[test]
fn computed_columns_are_refused_unless_revealed() {
    let outputs = [("x", oid::TEXT, Format::Text, 0)];
    let text = "SELECT upper(ssn) AS x FROM customers";
    let refusal = refused(plan(text, &outputs, &[], &settings()));
    assert_eq!(refusal.denial.code, DenialCode::Withheld);
    assert_eq!(
        refusal.denial.message,
        "column \"x\" is computed from protected data (public.customers.ssn) and cannot be shown masked: select the column itself, \
         or ask for the reveal of us_ssn"
    );
    assert_eq!(refusal.facts[0].class, DataClass::US_SSN);
    assert_eq!(refusal.facts[0].strategy, "withhold");
    let mut answer = plan(text, &outputs, &[DataClass::US_SSN], &settings()).unwrap();
    assert_eq!(
        answer.row(&[Some(b"ABC")]).unwrap(),
        data_row(&[Some(b"ABC")])
    );
}

#[test]
fn computed_columns_of_a_table_are_null_beside_others() {
    let area = |format| ("area", oid::UNKNOWN, format, 7);
    let id = ("id", oid::INT8, Format::Text, 1);
    let text = "SELECT id, area FROM customers";
    for format in [Format::Text, Format::Binary] {
        let mut answer = plan(text, &[id, area(format)], &[], &settings()).unwrap();
        // Not even whether it is empty is told.
        for value in [&b"536"[..], b""] {
            let shown = answer.row(&[Some(b"1"), Some(value)]).unwrap();
            assert_eq!(shown, data_row(&[Some(b"1"), None]));
        }
        assert!(answer.facts()[0].starts_with("us_ssn declared public.customers.area"));
    }
    let alone = refused(plan(text, &[area(Format::Text)], &[], &settings()));
    assert!(
        alone
            .denial
            .message
            .contains("computed from protected data")
    );
    let mut answer = plan(
        text,
        &[id, area(Format::Text)],
        &[DataClass::US_SSN],
        &settings(),
    )
    .unwrap();
    let row = [Some(&b"1"[..]), Some(b"536")];
    assert_eq!(answer.row(&row).unwrap(), data_row(&row));
}

#[test]
fn a_class_whose_strategy_is_to_withhold_is_refused() {
    let strategies = [
        (DataClass::US_SSN, Strategy::Withhold),
        (DataClass::PAN, Strategy::Withhold),
    ]
    .into();
    let settings = Settings {
        strategies,
        ..settings()
    };
    let outputs = [("ssn", oid::TEXT, Format::Text, 3)];
    let refusal = refused(plan("SELECT ssn FROM customers", &outputs, &[], &settings));
    assert!(
        refusal
            .denial
            .message
            .contains("holds us_ssn, which this target withholds"),
        "{}",
        refusal.denial
    );
    for kind in [oid::TEXT, oid::INT8] {
        let mut answer = plan("SELECT 1", &[("x", kind, Format::Text, 0)], &[], &settings).unwrap();
        assert!(matches!(
            answer.row(&[Some(PAN.as_bytes())]),
            Err(RowError::Refused(_))
        ));
        assert_eq!(
            answer.row(&[Some(b"12")]).unwrap(),
            data_row(&[Some(b"12")])
        );
    }
}

#[test]
fn an_alias_that_holds_a_value_is_not_repeated() {
    let outputs = [("4111111111111111", oid::TEXT, Format::Text, 0)];
    let refusal = refused(plan(
        "SELECT upper(ssn) FROM customers",
        &outputs,
        &[],
        &settings(),
    ));
    assert!(
        refusal.denial.message.contains("\"************1111\""),
        "{}",
        refusal.denial
    );
    assert!(!refusal.facts[0].place.contains(PAN));
}

#[test]
fn types_that_can_hold_nothing_pass_unread() {
    let outputs = [oid::BOOL, oid::INT4, oid::DATE, oid::UUID, oid::INT4_ARRAY]
        .into_iter()
        .flat_map(|kind| [("x", kind, Format::Text, 0), ("y", kind, Format::Binary, 0)])
        .collect::<Vec<_>>();
    let answer = plan(
        "SELECT 1, 2, 3, 4, 5, 6, 7, 8, 9, 10",
        &outputs,
        &[],
        &settings(),
    )
    .unwrap();
    assert!(answer.plan.is_clear());
}

#[test]
fn declared_values_without_a_place_for_a_mask_become_null() {
    for format in [Format::Text, Format::Binary] {
        let outputs = [("born", oid::DATE, format, 4)];
        let mut answer = plan("SELECT born FROM customers", &outputs, &[], &settings()).unwrap();
        assert_eq!(answer.row(&[Some(b"1970")]).unwrap(), data_row(&[None]));
        assert_eq!(
            answer.facts(),
            ["birth declared public.customers.born null 1"]
        );
    }
}

#[test]
fn numbers_that_are_card_numbers_become_null() {
    let pan: i64 = PAN.parse().unwrap();
    assert_eq!(text(oid::INT8, PAN), None);
    assert_eq!(text(oid::NUMERIC, "4111111111111111.00"), None);
    assert_eq!(text(oid::FLOAT8, PAN), None);
    assert_eq!(text(oid::FLOAT8, "4.111111111111111e+15"), None);
    assert_eq!(text(oid::POINT, "(1.5,4.111111111111111e+15)"), None);
    for clear in ["4.111111111111112e+15", "1e-300", "Infinity", "-1.5"] {
        assert_eq!(text(oid::FLOAT8, clear).as_deref(), Some(clear));
    }
    assert_eq!(
        text(oid::INT8_ARRAY, "{1,4111111111111111,3}").as_deref(),
        Some("{1,NULL,3}")
    );
    assert_eq!(shown(oid::INT8, Format::Binary, &pan.to_be_bytes()), None);
    assert_eq!(
        shown(
            oid::FLOAT8,
            Format::Binary,
            &4111111111111111_f64.to_be_bytes()
        ),
        None
    );
    let numeric = [4_u16, 3, 0, 0, 4111, 1111, 1111, 1111]
        .map(u16::to_be_bytes)
        .concat();
    assert_eq!(shown(oid::NUMERIC, Format::Binary, &numeric), None);
    let range = [
        &[2_u8][..],
        &8_i32.to_be_bytes(),
        &pan.to_be_bytes(),
        &8_i32.to_be_bytes(),
        &9_i64.to_be_bytes(),
    ]
    .concat();
    assert_eq!(shown(oid::INT8RANGE, Format::Binary, &range), None);
    // One digit off, and they are not.
    assert_eq!(
        text(oid::INT8, "4111111111111112").as_deref(),
        Some("4111111111111112")
    );
    let other = (pan + 1).to_be_bytes();
    assert_eq!(
        shown(oid::INT8, Format::Binary, &other),
        Some(other.to_vec())
    );
}

#[test]
fn a_32_bit_number_is_read_where_the_columns_name_says_so() {
    let mut answer = plan(
        "SELECT 1",
        &[("ssn", oid::INT4, Format::Text, 0)],
        &[],
        &settings(),
    )
    .unwrap();
    assert!(!answer.plan.is_clear());
    assert_eq!(
        answer.row(&[Some(b"536221234")]).unwrap(),
        data_row(&[None])
    );
}

#[test]
fn bytea_is_read_as_bytes() {
    let hex = |text: &str| format!("\\x{}", hex::encode(text));
    assert_eq!(
        text(oid::BYTEA, &hex(&format!("card {PAN}"))),
        Some(hex("card ************1111"))
    );
    assert_eq!(
        text(oid::BYTEA, &hex("nothing here")),
        Some(hex("nothing here"))
    );
    assert_eq!(text(oid::BYTEA, PAN).unwrap(), "************1111");
    assert_eq!(
        shown(oid::BYTEA, Format::Binary, PAN.as_bytes()).unwrap(),
        b"************1111"
    );
}

#[test]
fn arrays_of_text_are_masked_element_by_element() {
    for (before, after) in [
        (
            r"{a,4111111111111111,NULL}",
            r#"{a,"************1111",NULL}"#,
        ),
        (
            r#"{"4111 1111 1111 1111","x\"y"}"#,
            r#"{"**** **** **** 1111","x\"y"}"#,
        ),
        (
            r"[0:1]={4111111111111111,b}",
            r#"[0:1]={"************1111",b}"#,
        ),
        (
            r"{{a,b},{c,4111111111111111}}",
            r#"{{a,b},{c,"************1111"}}"#,
        ),
        (r"{}", r"{}"),
        (r#"{"",a b,NULL}"#, r#"{"",a b,NULL}"#),
    ] {
        assert_eq!(text(oid::TEXT_ARRAY, before).unwrap(), after);
    }
    let outputs = [("mails", oid::TEXT_ARRAY, Format::Text, 5)];
    let mut answer = plan("SELECT mails FROM customers", &outputs, &[], &settings()).unwrap();
    let shown = answer
        .row(&[Some(br"{ann@example.com,NULL,nonsense}")])
        .unwrap();
    assert_eq!(
        shown,
        data_row(&[Some(br#"{"***@example.com",NULL,"********"}"#)])
    );
}

/// An array with one dimension.
fn array(element: u32, flags: i32, values: &[Option<&[u8]>]) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_i32(1);
    out.put_i32(flags);
    out.put_u32(element);
    out.put_i32(i32::try_from(values.len()).unwrap());
    out.put_i32(1);
    out.extend_from_slice(&data_row(values)[7..]);
    out
}

#[test]
fn arrays_in_binary() {
    let pan: i64 = PAN.parse().unwrap();
    let before = array(
        oid::TEXT,
        1,
        &[Some(b"a"), Some(PAN.as_bytes()), None, Some(b"")],
    );
    let after = array(
        oid::TEXT,
        1,
        &[Some(b"a"), Some(b"************1111"), None, Some(b"")],
    );
    assert_eq!(shown(oid::TEXT_ARRAY, Format::Binary, &before), Some(after));
    let before = array(
        oid::INT8,
        0,
        &[Some(&1_i64.to_be_bytes()), Some(&pan.to_be_bytes())],
    );
    let after = array(oid::INT8, 1, &[Some(&1_i64.to_be_bytes()), None]);
    assert_eq!(shown(oid::INT8_ARRAY, Format::Binary, &before), Some(after));
    let untouched = array(oid::TEXT, 0, &[Some(b"a"), Some(b"b")]);
    assert_eq!(
        shown(oid::TEXT_ARRAY, Format::Binary, &untouched),
        Some(untouched)
    );
    let empty = [
        0_i32.to_be_bytes(),
        0_i32.to_be_bytes(),
        25_i32.to_be_bytes(),
    ]
    .concat();
    assert_eq!(shown(oid::TEXT_ARRAY, Format::Binary, &empty), Some(empty));
}

#[test]
fn rows_in_binary() {
    let record = |fields: &[(u32, &[u8])]| {
        let mut out = Vec::new();
        out.put_u32(u32::try_from(fields.len()).unwrap());
        for (kind, value) in fields {
            out.put_u32(*kind);
            out.put_u32(u32::try_from(value.len()).unwrap());
            out.extend_from_slice(value);
        }
        out
    };
    let inner = record(&[(oid::TEXT, PAN.as_bytes())]);
    let masked = record(&[(oid::TEXT, b"************1111")]);
    let before = record(&[(oid::INT4, &[0, 0, 0, 1]), (oid::RECORD, &inner)]);
    let after = record(&[(oid::INT4, &[0, 0, 0, 1]), (oid::RECORD, &masked)]);
    assert_eq!(shown(oid::RECORD, Format::Binary, &before), Some(after));
    let hidden = record(&[(oid::UNKNOWN, b"???")]);
    let mut answer = plan(
        "SELECT 1",
        &[("x", oid::RECORD, Format::Binary, 0)],
        &[],
        &settings(),
    )
    .unwrap();
    assert!(matches!(
        answer.row(&[Some(&hidden)]),
        Err(RowError::Refused(_))
    ));
    // Deeper than anybody looks.
    let mut deep = record(&[(oid::TEXT, b"x")]);
    for _ in 0..20 {
        deep = record(&[(oid::RECORD, &deep)]);
    }
    assert!(matches!(
        answer.row(&[Some(&deep)]),
        Err(RowError::Refused(_))
    ));
}

#[test]
fn an_unknown_type_is_shown_in_text_alone() {
    assert_eq!(text(oid::UNKNOWN, PAN).unwrap(), "************1111");
    let refusal = refused(plan(
        "SELECT 1",
        &[("g", oid::UNKNOWN, Format::Binary, 0)],
        &[],
        &settings(),
    ));
    assert!(
        refusal.denial.message.contains("ask for the text format"),
        "{}",
        refusal.denial
    );
}

#[test]
fn an_array_of_an_unknown_type_is_refused_before_its_rows() {
    // `aclitem[]`: the element is not among the types that are known without a catalog.
    let outputs = [("acl", 1034, Format::Binary, 0)];
    let refusal = refused(plan("SELECT 1", &outputs, &[], &settings()));
    assert!(
        refusal
            .denial
            .message
            .contains("binary format cannot be inspected")
    );
}

#[test]
fn the_formats_of_bind_count_where_the_statement_was_described() {
    let known = known();
    let (_, resolved) = resolved("SELECT 1, 2", &known);
    let field = |kind| Field {
        name: "x".into(),
        relation: 0,
        attribute: 0,
        kind,
        format: Format::Text,
    };
    let fields = [field(oid::TEXT), field(oid::UNKNOWN)];
    let plan = |formats: &[Format]| {
        let masks = settings().masks(&BTreeSet::new());
        RowPlan::new(
            &fields,
            &resolved,
            &known,
            &masks,
            Some(formats),
            &mut Findings::counting(),
        )
    };
    assert!(plan(&[]).is_ok());
    assert!(plan(&[Format::Binary, Format::Text]).is_ok());
    assert!(plan(&[Format::Binary]).is_err());
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let mut answer = plan(
        "SELECT 1",
        &[("x", oid::TEXT, Format::Text, 0)],
        &[],
        &settings(),
    )
    .unwrap();
    for whole in [
        data_row(&[]),
        data_row(&[Some(b"a"), Some(b"b")]),
        write::one(b'D', |out| out.put_slice(&[0, 1, 0, 0, 0, 9, b'a'])),
        write::one(b'D', |out| out.put_slice(&[0, 1, 0, 0, 0, 1, b'a', b'b'])),
        write::one(b'D', |out| out.put_slice(&[0, 1, 0xff, 0xff, 0xff, 0xfe])),
        write::one(b'D', |out| out.put_slice(&[0])),
        write::bare(b'D'),
    ] {
        let mut out = Vec::new();
        let result = answer
            .plan
            .row(&Frame::of(whole).unwrap(), &mut out, &mut answer.findings);
        assert!(matches!(result, Err(RowError::Malformed(_))));
        assert!(out.is_empty());
    }
}

#[test]
fn a_run_shows_the_rows_before_the_one_that_is_refused() {
    let strategies = [(DataClass::PAN, Strategy::Withhold)].into();
    let settings = Settings {
        strategies,
        ..settings()
    };
    let mut answer = plan(
        "SELECT 1",
        &[("x", oid::TEXT, Format::Text, 0)],
        &[],
        &settings,
    )
    .unwrap();
    let rows = [
        data_row(&[Some(b"a")]),
        data_row(&[Some(SSN.as_bytes())]),
        data_row(&[Some(PAN.as_bytes())]),
    ]
    .concat();
    let mut out = Vec::new();
    let result = answer
        .plan
        .run(&rows.into(), &mut out, &mut answer.findings);
    assert!(matches!(result, Err(RowError::Refused(_))));
    assert_eq!(
        out,
        [data_row(&[Some(b"a")]), data_row(&[Some(b"***-**-1234")])].concat()
    );
}

fn cell() -> BoxedStrategy<Option<String>> {
    let words = proptest::strategy::Strategy::prop_map("[a-z0-9@. {}\",\\\\-]{0,24}", Some);
    let found = prop::sample::select(vec![
        None,
        Some(PAN.to_owned()),
        Some(format!("see {SSN} and {PAN}")),
    ]);
    proptest::strategy::Strategy::boxed(prop_oneof![found, words])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A run gives what its rows give one by one, and no card number survives.
    #[test]
    fn a_run_is_its_rows(rows in prop::collection::vec((cell(), cell()), 0..6)) {
        let outputs = [("a", oid::TEXT, Format::Text, 0), ("b", oid::TEXT_ARRAY, Format::Text, 0)];
        let mut one = plan("SELECT 1, 2", &outputs, &[], &settings()).unwrap();
        let mut all = plan("SELECT 1, 2", &outputs, &[], &settings()).unwrap();
        let (mut whole, mut expected) = (Vec::new(), Vec::new());
        for (a, b) in &rows {
            let b = b.as_ref().map(|b| format!("{{\"{}\"}}", b.replace('\\', "\\\\").replace('"', "\\\"")));
            let values = [a.as_deref().map(str::as_bytes), b.as_deref().map(str::as_bytes)];
            whole.extend_from_slice(&data_row(&values));
            expected.extend_from_slice(&one.row(&values).unwrap());
        }
        let mut out = Vec::new();
        let whole = Bytes::from(whole);
        let shown = match all.plan.run(&whole, &mut out, &mut all.findings).unwrap() {
            Shown::Untouched => whole.to_vec(),
            Shown::Rewritten => out,
        };
        prop_assert_eq!(&shown, &expected);
        prop_assert!(memchr::memmem::find(&shown, PAN.as_bytes()).is_none());
        prop_assert_eq!(one.facts(), all.facts());
    }

    /// No bytes of a server upset the readers of binary values.
    #[test]
    fn binary_values_are_read_or_withheld(kind in prop::sample::select(vec![
        oid::INT8, oid::FLOAT8, oid::NUMERIC, oid::TEXT_ARRAY, oid::INT8_ARRAY, oid::RECORD, oid::INT8RANGE, oid::JSONB,
        oid::BYTEA, 600, 604, 3614,
    ]), value in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(25), any::<u8>()], 1..48)) {
        let mut answer = plan("SELECT 1", &[("x", kind, Format::Binary, 0)], &[], &settings()).unwrap();
        if let Err(error) = answer.row(&[Some(&value)]) {
            prop_assert!(matches!(error, RowError::Refused(_)));
        }
    }
}
