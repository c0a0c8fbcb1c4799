//! Classes that configuration defines.

use std::sync::Arc;

use model::DataClass;
use proptest::prelude::*;

use super::{declared, shown};
use crate::own::{
    BadPattern, BadWords, Check, Context, Form, OWN_CHARS_MAX, OwnClass, OwnClasses, Pattern, Words,
};
use crate::{Findings, Hint, Masker, MaskerConfig, Strategy as Mask};

fn class(name: &str) -> DataClass {
    DataClass::try_from(name.to_owned()).unwrap()
}

fn by_pattern(name: &str, pattern: &str) -> OwnClass {
    OwnClass {
        class: class(name),
        form: Form::Pattern(Pattern::new(pattern).unwrap()),
        context: None,
        check: None,
        show_last: 0,
    }
}

fn by_words(name: &str, words: &[&str]) -> OwnClass {
    let words = words.iter().map(|&word| word.to_owned()).collect();
    OwnClass {
        form: Form::Words(Words::new(words).unwrap()),
        ..by_pattern(name, "x")
    }
}

fn context(words: &[&str]) -> Option<Context> {
    let words = words.iter().map(|&word| word.to_owned()).collect();
    Some(Context::new(words).unwrap())
}

fn all() -> Vec<OwnClass> {
    vec![
        OwnClass {
            show_last: 4,
            ..by_pattern("customer", r"\bKD-?\d{8}\b")
        },
        OwnClass {
            context: context(&["folder", "case no"]),
            ..by_pattern("folder", r"\d{4,6}")
        },
        OwnClass {
            check: Some(Check::Mod97),
            ..by_pattern("lei", r"\b[0-9A-Z]{18}\d\d\b")
        },
        by_words("project", &["Kestrel", "Blue Heron", "Blue", "Grünspan"]),
        by_pattern("blob", r"<[^<>]{1,250}>"),
    ]
}

fn with(own: Vec<OwnClass>) -> Masker {
    Masker::new(MaskerConfig {
        own: OwnClasses::new(own),
        ..MaskerConfig::default()
    })
}

#[test]
fn what_configuration_defines_is_found_as_the_built_in_classes_are() {
    let masker = with(all());
    for (text, expected) in [
        ("KD-12345678", "**-****5678"),
        ("KD12345678,", "******5678,"),
        ("ＫＤ-１２３４５６７８", "**-****５６７８"),
        ("KD-123456789", "KD-123456789"),
        ("folder 1234", "folder ****"),
        ("new Folder: 123456", "new Folder: ******"),
        ("the caseNo is case no. 1234", "the caseNo is case no. ****"),
        ("1234, then a folder", "1234, then a folder"),
        ("blindfolder 1234", "blindfolder 1234"),
        ("LEI 529900T8BM49AURSDO55", "LEI ********************"),
        ("LEI 529900T8BM49AURSDO56", "LEI 529900T8BM49AURSDO56"),
        ("on KESTREL_2 and kestrels", "on *******_2 and kestrels"),
        ("blue heron, bluebird", "**********, bluebird"),
        ("mit Grünspan", "mit ********"),
        ("über grÜNspan!", "über ********!"),
        ("a <b>", "a ***"),
        ("x", "x"),
    ] {
        assert_eq!(shown(&masker, text).unwrap(), expected, "{text:?}");
        let long = format!("{}\n{text}", "nothing. ".repeat(40));
        let expected = format!("{}\n{expected}", "nothing. ".repeat(40));
        assert_eq!(shown(&masker, &long).unwrap(), expected);
    }
}

#[test]
fn a_columns_name_speaks_for_its_values() {
    let masker = with(all());
    let masked = |name: &str| {
        let mut out = Vec::new();
        let (hint, mut findings) = (masker.hint(name), Findings::counting());
        let _ = masker.mask_text(hint, b"1234", &mut out, &mut findings);
        (!out.is_empty()).then_some(findings.count(&class("folder")))
    };
    for name in ["folder", "folder_number", "public.cases.newFolder"] {
        assert_eq!(masked(name), Some(1), "{name}");
    }
    assert_eq!(masked("number"), None);
    assert_eq!(masker.hint("number"), Hint::NONE);
}

#[test]
fn a_declared_value_of_such_a_class_shows_its_end_if_it_has_the_form() {
    let masker = with(all());
    for (name, text, expected) in [
        ("customer", "KD-12345678", "**-****5678"),
        ("customer", "see notes", "*********"),
        ("folder", "1234", "****"),
        ("project", "Osprey", "******"),
    ] {
        assert_eq!(declared(&masker, &class(name), text), expected);
    }
    let long = "x".repeat(1000);
    assert_eq!(
        declared(&masker, &class("customer"), &long),
        "*".repeat(1000)
    );
}

#[test]
fn strategies_reveals_and_switches_hold_for_them() {
    let config = |change: &dyn Fn(&mut MaskerConfig)| {
        let mut config = MaskerConfig {
            own: OwnClasses::new(all()),
            ..MaskerConfig::default()
        };
        change(&mut config);
        Masker::new(config)
    };
    let text = "KD-12345678 of Kestrel";
    let redact = config(&|it| it.strategies.extend([(class("customer"), Mask::Redact)]));
    assert_eq!(shown(&redact, text).unwrap(), "*********** of *******");
    let null = config(&|it| it.strategies.extend([(class("project"), Mask::Null)]));
    assert_eq!(shown(&null, text), None);
    let off = config(&|it| it.find.extend([(class("project"), false)]));
    assert_eq!(shown(&off, text).unwrap(), "**-****5678 of Kestrel");
    let reveal = config(&|it| it.reveal.extend([class("customer")]));
    assert_eq!(shown(&reveal, text).unwrap(), "KD-12345678 of *******");
    let open = config(&|it| it.reveal.extend(DataClass::FOUND));
    assert!(!open.hides_nothing());
    let mut findings = Findings::counting();
    let _ = reveal.mask_text(Hint::NONE, text.as_bytes(), &mut Vec::new(), &mut findings);
    let facts: Vec<_> = findings
        .facts()
        .into_iter()
        .map(|fact| (fact.class, fact.rule, fact.strategy, fact.count))
        .collect();
    let own = || "own_class".to_owned();
    assert_eq!(
        facts,
        [
            (class("customer"), own(), "reveal".to_owned(), 1),
            (class("project"), own(), "partial".to_owned(), 1)
        ]
    );
}

#[test]
fn a_match_within_another_is_none_of_its_own() {
    let masker = with(vec![OwnClass {
        show_last: 2,
        ..by_pattern("number", r"\d{2,8}")
    }]);
    assert_eq!(shown(&masker, "a12345678b").unwrap(), "a******78b");
    let mut findings = Findings::counting();
    let _ = masker.mask_text(Hint::NONE, b"12345678", &mut Vec::new(), &mut findings);
    assert_eq!(findings.total(), 1);
    // Longer than a match can be: matches that overlap cover it, and the end of one shows only where no more digits follow.
    assert_eq!(shown(&masker, "1234567890").unwrap(), "*********0");
}

#[test]
fn what_cannot_be_bounded_is_refused() {
    let bad = |pattern: &str| Pattern::new(pattern).unwrap_err();
    assert_eq!(bad(r"ACME-\d+"), BadPattern::Long);
    assert_eq!(bad(r"\d{257}"), BadPattern::Long);
    assert_eq!(bad(r"\d*"), BadPattern::Empty);
    assert_eq!(bad(r"(a|)"), BadPattern::Empty);
    assert_eq!(bad(r"[a&&b]"), BadPattern::Empty);
    assert_eq!(bad(r"^\d{4}$"), BadPattern::Anchored);
    assert_eq!(
        bad(r"\d{4").to_string(),
        "is not a regular expression: unclosed counted repetition"
    );
    let words = |words: &[&str]| Words::new(words.iter().map(|&it| it.to_owned()).collect());
    assert_eq!(words(&["", " "]).unwrap_err(), BadWords::None);
    assert_eq!(words(&["Kestrel", "x"]).unwrap_err(), BadWords::Length(2));
    assert_eq!(words(&["--"]).unwrap_err(), BadWords::Length(1));
    assert!(Context::new(vec!["a".to_owned()]).is_err());
}

/// Text in which the classes above are frequent, and values longer than any.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[0-9]{1,9}",
        2 => "[ ,-]",
        2 => "KD-?[0-9]{8}",
        2 => "(folder|case no|customer) ?",
        1 => "529900T8BM49AURSDO55",
        2 => "(Kestrel|blue heron|Blue|Grünspan|GRÄNSPAN)",
        1 => "<[a-z ]{0,300}>",
        1 => "[<>]",
        1 => "\\PC{0,6}",
        1 => "4111111111111111",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_gives_the_same(pieces in prop::collection::vec(text(), 1..40), repeat in 20usize..60,
                                cuts in prop::collection::vec(0.0..1.0f64, 0..12)) {
        let masker = Arc::new(with(all()));
        let text = pieces.concat().repeat(repeat).into_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| (cut * text.len() as f64) as usize).collect();
        cuts.sort_unstable();
        let mut findings = Findings::counting();
        let mut whole = Vec::new();
        if masker.mask_text(Hint::NONE, &text, &mut whole, &mut findings) == crate::Outcome::Clean {
            whole.clone_from(&text);
        }
        for cuts in [&[][..], &cuts] {
            let mut stream = masker.stream(Hint::NONE);
            let (mut out, mut counted) = (Vec::new(), Findings::counting());
            let ends = cuts.iter().copied().chain([text.len()]);
            let mut from = 0;
            for end in ends {
                stream.push(&text[from..end], &mut out, &mut counted);
                from = end;
            }
            stream.finish(&mut out, &mut counted);
            prop_assert_eq!(&out, &whole);
            prop_assert_eq!(counted.facts(), findings.facts());
        }
    }
}

proptest! {
    #[test]
    fn where_a_text_lies_makes_no_difference(text in text(), pad in 0usize..(2 * OWN_CHARS_MAX)) {
        let masker = with(all());
        let alone = shown(&masker, &format!("\n{text}")).unwrap();
        let padded = shown(&masker, &format!("{}\n{text}", " ".repeat(pad))).unwrap();
        prop_assert_eq!(padded, format!("{}{alone}", " ".repeat(pad)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn several_classes_are_found_as_each_alone(
        pieces in prop::collection::vec(
            prop_oneof![
                3 => Just(" ".to_owned()),
                1 => "KD-?[0-9]{7,9}",
                1 => "[Ff]older [0-9]{3,7}",
                1 => Just("529900T8BM49AURSDO55".to_owned()),
                1 => "(kestrel|Blue Heron|blue|BlueHeron|Grünspan|heron|Kestrels)",
                1 => "<[a-z]{0,260}>",
                1 => "[a-z0-9é_]{1,4}",
            ],
            0..40,
        ),
        from in 0.0..1.0f64,
    ) {
        let classes = [all(), vec![by_words("bird", &["heron", "blue heron", "kestrel"]), by_pattern("digits", r"\d{2,5}"), by_pattern("hex", "[0-9a-f]{3,9}"), by_pattern("name", "[A-Z][a-z]{1,20}"), by_pattern("tag", "<[a-c]{1,9}"), by_pattern("mark", "KD")]].concat();
        let text = pieces.concat();
        let folded = crate::fold::Folded::of(text.as_bytes());
        let from = (folded.text().len() as f64 * from) as usize;
        let found = |own: OwnClasses| {
            let mut found = Vec::new();
            own.find(folded.text(), from, Hint::NONE, &mut found);
            let found: Vec<_> = found.iter().map(|it| (it.start, it.end, it.shown)).collect();
            (found, own.may_hold(folded.text()))
        };
        let (together, may_hold) = found(OwnClasses::new(classes.clone()));
        let alone = classes.into_iter().map(|own| found(OwnClasses::new(vec![own])));
        let alone: Vec<_> = alone.collect();
        prop_assert_eq!(may_hold, alone.iter().any(|(_, may_hold)| *may_hold));
        let alone: Vec<_> = alone.into_iter().flat_map(|(found, _)| found).collect();
        prop_assert_eq!(together, alone);
    }
}
