//! Values that PostgreSQL's messages quote.

use std::cell::Cell;

use model::DataClass;

use super::masker;
use crate::{ErrorNames, Findings, Outcome};

/// A target on which `ssn` and `card_no` are declared.
struct Names;

impl ErrorNames for Names {
    fn class_of_column(&self, column: &str) -> Option<DataClass> {
        match column {
            "ssn" => Some(DataClass::US_SSN),
            "card_no" => Some(DataClass::PAN),
            _ => None,
        }
    }

    fn is_name(&self, quoted: &str) -> bool {
        ["customers", "customers_ssn_key", "ssn", "id"].contains(&quoted)
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let mut out = Vec::new();
    let outcome = masker().mask_error(text.as_bytes(), &Names, &mut out, &mut Findings::counting());
    assert_eq!(outcome == Outcome::Clean, text == expected);
    let shown = if outcome == Outcome::Clean {
        text.to_owned()
    } else {
        String::from_utf8(out).unwrap()
    };
    assert_eq!(shown, expected);
}

#[test]
fn names_show() {
    for text in [
        "relation \"customers\" does not exist",
        "duplicate key value violates unique constraint \"customers_ssn_key\"",
        "null value in column \"ssn\" of relation \"customers\" violates not-null constraint",
        "Key (id)=(42) already exists.",
        "division by zero",
        "",
        "la relation « customers » n'existe pas",
    ] {
        check(text, text);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn values_do_not() {
    for (text, expected) in [
        (
            "invalid input syntax for type integer: \"abc\"",
            "invalid input syntax for type integer: \"***\"",
        ),
        (
            "value \"99999999999\" is out of range for type integer",
            "value \"***********\" is out of range for type integer",
        ),
        (
            "relation \"078051120\" does not exist",
            "relation \"*********\" does not exist",
        ),
        (
            "syntaxe en entrée invalide : « abc »",
            "syntaxe en entrée invalide : «*****»",
        ),
        ("ungültige Eingabe: »abc«", "ungültige Eingabe: »***«"),
        ("invalid input: \"a\"b\" c\"", "invalid input: \"******\""),
        ("unbalanced \"abc", "unbalanced \"***"),
        (
            "Token \"\"abc...\" is invalid.",
            "Token \"********************",
        ),
        (
            "invalid input: \"customers\" abc \"customers\"",
            "invalid input: \"*************************\"",
        ),
        (
            "transaction ID 12345678 is in the future",
            "transaction ID ******** is in the future",
        ),
        ("111111ssn)=(x)", "*********)=(x)"),
        (
            "Key (ssn)=(078051120) already exists.",
            "Key (ssn)=(*********) already exists.",
        ),
        (
            "Key (lower(ssn::text))=(0(7)8) already exists.",
            "Key (lower(ssn::text))=(*****) already exists.",
        ),
        (
            "Key (id, ssn)=(1, x) is not present in table \"customers\".",
            "Key (id, ssn)=(****) is not present in table \"customers\".",
        ),
        (
            "La clé « (ssn)=(078) » existe déjà.",
            "La clé «*************» existe déjà.",
        ),
        (
            "Failing row contains (1, Ann, 078051120).",
            "Failing row contains (*****************).",
        ),
        (
            "Fehlgeschlagene Zeile enthält (1, Ann).",
            "Fehlgeschlagene Zeile enthält (******).",
        ),
        (
            "JSON data, line 1: {\"a\":078051120",
            "JSON data, line 1: **************",
        ),
        (
            "line 1: Start tag expected\n078051120\n^",
            "line 1: ******************************",
        ),
        (
            "COPY customers, line 2, column ssn: \"x\"",
            "COPY customers, line 2, column ssn: \"*\"",
        ),
        (
            "note 4111111111111111 and \"x\"",
            "note **************** and \"*\"",
        ),
        ("note 4111111111111111", "note ****************"),
    ] {
        check(text, expected);
    }
}

#[test]
fn findings_name_the_declared_class() {
    let mut findings = Findings::counting();
    let place = findings.place("error");
    findings.enter(place);
    let text = b"Key (card_no)=(1) already exists.";
    let _ = masker().mask_error(text, &Names, &mut Vec::new(), &mut findings);
    let _ = masker().mask_error(b"bad: \"x\"", &Names, &mut Vec::new(), &mut findings);
    let facts = findings.facts();
    let seen: Vec<_> = facts
        .iter()
        .map(|fact| (fact.class.name(), fact.rule.as_str(), fact.place.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("pan", "error_quote", "error"),
            ("error_value", "error_quote", "error")
        ]
    );
}

/// Knows every name, and counts how often it is asked.
#[derive(Default)]
struct Counting(Cell<usize>);

impl ErrorNames for Counting {
    fn class_of_column(&self, _: &str) -> Option<DataClass> {
        self.0.set(self.0.get() + 1);
        None
    }

    fn is_name(&self, _: &str) -> bool {
        self.0.set(self.0.get() + 1);
        true
    }
}

/// Each question may search a statement and a catalogue: of a long message a few are asked, and the rest is hidden.
#[test]
fn a_long_message_asks_few_questions() {
    let numbers = "12345 ".repeat(10_000);
    let quoted = "\"a\", ".repeat(10_000);
    let keys = "Key (a)=(b) ".repeat(10_000);
    for (text, most) in [(&numbers, 100), (&quoted, 0), (&keys, 100)] {
        let names = Counting::default();
        let mut out = Vec::new();
        let _ = masker().mask_error(text.as_bytes(), &names, &mut out, &mut Findings::counting());
        assert!(names.0.get() <= most, "{}", names.0.get());
        assert!(out.contains(&b'*'));
    }
    // What is hidden already is not asked about.
    let names = Counting::default();
    let text = format!("bad: (\"x\" {numbers} \"y\"");
    let _ = masker().mask_error(
        text.as_bytes(),
        &names,
        &mut Vec::new(),
        &mut Findings::counting(),
    );
    assert!(names.0.get() <= 2, "{}", names.0.get());
}
