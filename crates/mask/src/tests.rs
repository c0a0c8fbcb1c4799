//! The masker as a whole: exact outcomes, and what must hold for any text.

mod accuracy;
mod any_text;
mod errors;
mod facts;
mod hostile;
mod own;
mod replaced;

use std::sync::Arc;

use model::DataClass;

use crate::{Findings, Hint, Masker, MaskerConfig, Outcome, Strategy};

pub(crate) fn masker() -> Masker {
    Masker::new(MaskerConfig::default())
}

fn with(strategy: Strategy) -> Masker {
    let classes = DataClass::FOUND;
    let strategies = classes.into_iter().map(|class| (class, strategy)).collect();
    Masker::new(MaskerConfig {
        strategies,
        ..MaskerConfig::default()
    })
}

fn revealing(classes: &[DataClass]) -> Masker {
    Masker::new(MaskerConfig {
        reveal: classes.iter().cloned().collect(),
        ..MaskerConfig::default()
    })
}

/// The text that a client would see; `None` where it would see NULL or a notice.
pub(crate) fn shown(masker: &Masker, text: &str) -> Option<String> {
    let mut out = Vec::new();
    match masker.mask_text(
        Hint::NONE,
        text.as_bytes(),
        &mut out,
        &mut Findings::counting(),
    ) {
        Outcome::Clean => {
            assert!(out.is_empty());
            Some(text.to_owned())
        }
        Outcome::Masked => Some(String::from_utf8(out).unwrap()),
        Outcome::Null | Outcome::Withheld => {
            assert!(out.is_empty());
            None
        }
    }
}

fn declared(masker: &Masker, class: &DataClass, text: &str) -> String {
    let mut out = Vec::new();
    let outcome = masker.mask_declared(class, text.as_bytes(), &mut out, &mut Findings::counting());
    match outcome {
        Outcome::Clean => text.to_owned(),
        Outcome::Masked => String::from_utf8(out).unwrap(),
        other => format!("{other:?}"),
    }
}

#[test]
fn partial_masks_show_what_is_customary() {
    for (text, expected) in [
        ("4111111111111111", "************1111"),
        ("pay 4111-1111-1111-1111!", "pay ****-****-****-1111!"),
        ("３７８２８２２４６３１０００５", "***********０００５"),
        (
            "4111\u{200b}1111\u{a0}11111111",
            "****\u{200b}****\u{a0}****1111",
        ),
        ("ssn 123-45-6789.", "ssn ***-**-6789."),
        ("john.doe@example.com", "********@example.com"),
        ("\"john doe\"@example.com", "**********@example.com"),
        ("GB82 WEST 1234 5698 7654 32", "GB** **** **** **** **54 32"),
        ("routing 021000021", "routing *********"),
        (
            "4111111111111111@example.com",
            "****************@example.com",
        ),
        ("a@4111111111111111.com", "*@************1111.com"),
        (
            "two: 4111111111111111, 5555555555554444",
            "two: ************1111, ************4444",
        ),
    ] {
        assert_eq!(shown(&masker(), text).unwrap(), expected);
    }
}

#[test]
fn what_a_mask_leaves_does_not_run_into_more_digits() {
    assert_eq!(
        shown(&masker(), "123-45-6789 0123").unwrap(),
        "***-**-**** 0123"
    );
    assert_eq!(
        shown(&masker(), "4111111111111111 22").unwrap(),
        "**************** 22"
    );
}

#[test]
fn other_strategies_hide_more() {
    let text = "pay 4111-1111-1111-1111!";
    assert_eq!(
        shown(&with(Strategy::Redact), text).unwrap(),
        "pay *******************!"
    );
    assert_eq!(shown(&with(Strategy::Null), text), None);
    let outcome = |strategy, text: &str| {
        let mut out = b"before".to_vec();
        let outcome = with(strategy).mask_text(
            Hint::NONE,
            text.as_bytes(),
            &mut out,
            &mut Findings::counting(),
        );
        assert_eq!(out, b"before");
        outcome
    };
    assert_eq!(outcome(Strategy::Null, text), Outcome::Null);
    assert_eq!(outcome(Strategy::Withhold, text), Outcome::Withheld);
    assert_eq!(
        outcome(Strategy::Withhold, "nothing in here"),
        Outcome::Clean
    );
}

#[test]
fn declared_values_are_hidden_whatever_they_are() {
    for (class, text, expected) in [
        (DataClass::US_SSN, "123-45-6789", "***-**-6789"),
        (DataClass::US_SSN, "000000000", "*****0000"),
        (DataClass::US_SSN, "garbage", "*******"),
        (DataClass::US_SSN, "12345", "*****"),
        (DataClass::US_SSN, "née 12", "******"),
        (DataClass::US_SSN, "１２３-４５-６７８９", "***-**-６７８９"),
        (DataClass::US_SSN, "", ""),
        (DataClass::PAN, "1234 5678 9012 3456", "**** **** **** 3456"),
        (DataClass::PAN, "1111", "****"),
        (DataClass::EMAIL, "john@example.com", "****@example.com"),
        (DataClass::EMAIL, "john at example", "***************"),
        (
            DataClass::EMAIL,
            "my name is john@example.com",
            "***************@example.com",
        ),
        (
            DataClass::EMAIL,
            "a@4111111111111111.com",
            "**********************",
        ),
        (
            DataClass::IBAN,
            "DE89370400440532013000",
            "DE****************3000",
        ),
        (DataClass::IBAN, "hello", "*****"),
        (DataClass::US_ABA, "021000021", "*********"),
        (DataClass::US_BANK_ACCOUNT, "000123456789", "********6789"),
        (DataClass::US_BANK_ACCOUNT, "12345678", "********"),
        (DataClass::US_BANK_ACCOUNT, "DE 123456789", "************"),
        (
            DataClass::PROVIDER_TOKEN,
            "npm_aB3dE5gH7jK9mN1pQ2sT4vW6yZ8aB3dE5gH7",
            "npm_************************************",
        ),
        (DataClass::PROVIDER_TOKEN, "npm_short", "*********"),
        (
            DataClass::PROVIDER_TOKEN,
            "npm_aB3dE5gH7jK9mN1pQ2sT4vW6yZ8aB3dE5gH7 x",
            "******************************************",
        ),
    ] {
        assert_eq!(
            declared(&masker(), &class, text),
            expected,
            "{class} {text:?}"
        );
    }
    let dob = DataClass::try_from("date_of_birth".to_owned()).unwrap();
    assert_eq!(declared(&masker(), &dob, "1980-02-01"), "**********");
    assert_eq!(
        declared(&with(Strategy::Null), &DataClass::US_SSN, "123-45-6789"),
        "Null"
    );
    assert_eq!(
        declared(&with(Strategy::Withhold), &DataClass::US_SSN, "123-45-6789"),
        "Withheld"
    );
    assert_eq!(
        declared(&with(Strategy::Redact), &DataClass::US_SSN, "123-45-6789"),
        "***********"
    );
}

#[test]
fn a_revealed_class_shows_and_the_others_do_not() {
    let masker = revealing(&[DataClass::EMAIL, DataClass::US_SSN]);
    assert!(!masker.masks(&DataClass::EMAIL) && masker.masks(&DataClass::PAN));
    assert_eq!(masker.strategy(&DataClass::PAN), Some(Strategy::Partial));
    assert_eq!(masker.strategy(&DataClass::EMAIL), None);
    let text = "4111111111111111@example.com 123-45-6789";
    assert_eq!(
        shown(&masker, text).unwrap(),
        "************1111@example.com 123-45-6789"
    );
    assert_eq!(
        declared(&masker, &DataClass::US_SSN, "123456789"),
        "123456789"
    );
    assert_eq!(
        declared(&masker, &DataClass::US_SSN, "4111111111111111"),
        "************1111"
    );
}

#[test]
fn long_text_is_masked_as_short_text_is() {
    let value = "card 4111-1111-1111-1111 of john@example.com; ";
    let masked = "card ****-****-****-1111 of ****@example.com; ";
    for filler in ["words and words, ", "mots français é, "] {
        let text = format!("{value}{}", filler.repeat(7)).repeat(3000);
        assert!(text.len() > 4 * crate::STREAM_PIECE_BYTES);
        assert_eq!(
            shown(&masker(), &text).unwrap(),
            text.replace(value, masked)
        );
        let late = format!("{}{value}", filler.repeat(20_000));
        assert_eq!(
            shown(&masker(), &late).unwrap(),
            late.replace(value, masked)
        );
        assert_eq!(shown(&with(Strategy::Null), &late), None);
        let clean = filler.repeat(20_000);
        assert_eq!(shown(&masker(), &clean).unwrap(), clean);
    }
}

#[test]
fn text_that_is_not_utf8_is_searched_too() {
    let mut out = Vec::new();
    let text = b"caf\xe9 4111\xa01111\xa01111\xa01111 \xff";
    let outcome = masker().mask_text(Hint::NONE, text, &mut out, &mut Findings::counting());
    assert_eq!(outcome, Outcome::Masked);
    assert_eq!(out, b"caf\xe9 ****\xa0****\xa0****\xa01111 \xff");
}

#[test]
fn a_stream_gives_what_the_whole_gives() {
    let masker = Arc::new(masker());
    let text = "é 4111-1111-1111-1111, john@example.com, 123-45-6789 und so weiter; ".repeat(5000);
    let expected = shown(&masker, &text).unwrap();
    for size in [1, 7, 1000, 70_000, 200_000, text.len()] {
        let mut stream = masker.stream(Hint::NONE);
        let (mut out, mut findings) = (Vec::new(), Findings::counting());
        for piece in text.as_bytes().chunks(size) {
            stream.push(piece, &mut out, &mut findings);
        }
        stream.finish(&mut out, &mut findings);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            expected,
            "pieces of {size}"
        );
        assert_eq!(findings.total(), 15_000);
    }
}

#[test]
fn secrets_are_hidden_to_their_last_character() {
    let key = format!(
        "x\n-----BEGIN RSA PRIVATE KEY-----\n{}-----END RSA PRIVATE KEY-----\ny",
        format!("{}\n", "MIIEabcd".repeat(8)).repeat(50)
    );
    let masked = shown(&masker(), &key).unwrap();
    assert!(!masked.contains("abcd") && masked.starts_with("x\n*") && masked.ends_with("\ny"));
    assert_eq!(masked.chars().count(), key.chars().count());
    let jwt = format!("eyJhbGciOiJIUzI1NiJ9.eyJ{}.sig", "a1B2".repeat(40_000));
    let masked = shown(&masker(), &format!("a {jwt} b")).unwrap();
    assert_eq!(masked, format!("a {} b", "*".repeat(jwt.len())));
    let mut stream = Arc::new(masker()).stream(Hint::NONE);
    let (mut out, mut findings) = (Vec::new(), Findings::counting());
    for piece in format!("a {jwt} b").as_bytes().chunks(1000) {
        stream.push(piece, &mut out, &mut findings);
    }
    stream.finish(&mut out, &mut findings);
    assert_eq!(
        (String::from_utf8(out).unwrap(), findings.total()),
        (masked, 1)
    );
}

#[test]
fn configuration_says_what_is_looked_for() {
    let find = [(DataClass::IP_ADDRESS, true), (DataClass::EMAIL, false)].into();
    let masker = Masker::new(MaskerConfig {
        find,
        ..MaskerConfig::default()
    });
    let text = "10.0.0.1 john@example.com 1.1.1.1";
    assert_eq!(
        shown(&masker, text).unwrap(),
        "******** john@example.com *******"
    );
    let all_but_email = DataClass::FOUND
        .into_iter()
        .filter(|class| *class != DataClass::EMAIL);
    let reveal: std::collections::BTreeSet<_> = all_but_email.collect();
    let hides_nothing = |find| {
        let reveal = reveal.clone();
        Masker::new(MaskerConfig {
            reveal,
            find,
            ..MaskerConfig::default()
        })
        .hides_nothing()
    };
    assert!(!hides_nothing([].into()));
    assert!(hides_nothing([(DataClass::EMAIL, false)].into()));
}

#[test]
fn a_declared_value_that_is_revealed_counts_once() {
    let mut findings = Findings::counting();
    let masker = revealing(&[DataClass::US_SSN]);
    let text = b"123-45-6789";
    let _ = masker.mask_declared(&DataClass::US_SSN, text, &mut Vec::new(), &mut findings);
    assert_eq!(
        (findings.total(), findings.facts()[0].rule.as_str()),
        (1, "declared")
    );
}
