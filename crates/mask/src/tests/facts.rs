//! Counts and commitments.

use model::DataClass;

use super::{masker, revealing};
use crate::{
    COMMITMENTS_MAX, COMMITMENTS_PER_FACT_MAX, CommitmentKey, FACTS_MAX, Findings, Hint, PLACES_MAX,
};

fn key() -> CommitmentKey {
    CommitmentKey::new(&[7; 32])
}

#[test]
fn a_commitment_is_the_hmac_of_class_and_normal_form() {
    // HMAC-SHA-256 under 32 bytes of 7 of "pan\0" "4111111111111111", computed with Python's hmac module.
    let commitment = key().commit(&DataClass::PAN, b"4111111111111111");
    assert_eq!(commitment.to_string(), "09b1258e40416eb10200375d5774f81a");
    let same = [
        &b"4111-1111-1111-1111"[..],
        b" 4111 1111 1111 1111 ",
        "４１１１１１１１１１１１１１１１".as_bytes(),
    ];
    for written in same {
        assert_eq!(key().commit(&DataClass::PAN, written), commitment);
    }
    assert_ne!(
        key().commit(&DataClass::US_SSN, b"4111111111111111"),
        commitment
    );
    assert_ne!(
        CommitmentKey::new(&[8; 32]).commit(&DataClass::PAN, b"4111111111111111"),
        commitment
    );
    let email = |text: &str| key().commit(&DataClass::EMAIL, text.as_bytes());
    assert_eq!(email("John@Example.com"), email("john@example.com"));
    let iban = |text: &str| key().commit(&DataClass::IBAN, text.as_bytes());
    assert_eq!(
        iban("gb82 west 1234 5698 7654 32"),
        iban("GB82WEST12345698765432")
    );
    assert_eq!(format!("{:?}", key()), "CommitmentKey(…)");
}

#[test]
fn what_was_found_can_be_asked_for_and_is_nowhere_else() {
    let mut findings = Findings::new(&key());
    let place = findings.place("public.cards.note");
    findings.enter(place);
    let mut out = Vec::new();
    for text in [
        "4111111111111111 twice 4111-1111-1111-1111",
        "123-45-6789",
        "clean",
    ] {
        let _ = masker().mask_text(Hint::NONE, text.as_bytes(), &mut out, &mut findings);
    }
    let facts = findings.facts();
    assert_eq!(facts.len(), 2);
    assert_eq!(
        (facts[0].class.clone(), facts[0].count),
        (DataClass::PAN, 2)
    );
    assert_eq!(facts[0].place, "public.cards.note");
    assert_eq!(
        facts[0].commitments,
        [key()
            .commit(&DataClass::PAN, b"4111111111111111")
            .to_string()]
    );
    assert_eq!(
        facts[1].commitments,
        [key().commit(&DataClass::US_SSN, b"123456789").to_string()]
    );
    assert_eq!(
        (
            findings.total(),
            findings.count(&DataClass::PAN),
            findings.uncommitted()
        ),
        (3, 2, 0)
    );
    let debug = format!("{findings:?}");
    assert!(!debug.contains("6789") && !debug.contains("4111"));
}

#[test]
fn revealed_values_are_facts_too() {
    let mut findings = Findings::new(&key());
    let _ = revealing(&[DataClass::PAN]).mask_text(
        Hint::NONE,
        b"4111111111111111",
        &mut Vec::new(),
        &mut findings,
    );
    let facts = findings.facts();
    assert_eq!(
        (
            facts[0].strategy.as_str(),
            facts[0].count,
            facts[0].commitments.len()
        ),
        ("reveal", 1, 1)
    );
}

#[test]
fn commitments_are_limited_and_counts_are_not() {
    let mut findings = Findings::new(&key());
    let mut found = 0;
    for column in 0..6 {
        let place = findings.place(&format!("c{column}"));
        findings.enter(place);
        for serial in 1..=100 {
            let ssn = format!("123-45-{serial:04}");
            let _ = masker().mask_text(Hint::NONE, ssn.as_bytes(), &mut Vec::new(), &mut findings);
            found += 1;
        }
    }
    let facts = findings.facts();
    let kept: Vec<usize> = facts.iter().map(|fact| fact.commitments.len()).collect();
    assert_eq!(kept, [COMMITMENTS_PER_FACT_MAX, 64, 64, 64, 0, 0]);
    assert_eq!(kept.iter().sum::<usize>(), COMMITMENTS_MAX);
    assert_eq!(findings.total(), found);
    assert_eq!(findings.uncommitted(), found - COMMITMENTS_MAX as u64);
}

#[test]
fn places_and_facts_are_limited() {
    let mut findings = Findings::counting();
    let classes = ["a", "b", "c"].map(|name| DataClass::try_from(name.to_owned()).unwrap());
    for column in 0..PLACES_MAX + 50 {
        let place = findings.place(&format!("c{column}"));
        findings.enter(place);
        for class in &classes {
            let _ = masker().mask_declared(class, b"x", &mut Vec::new(), &mut findings);
        }
    }
    let facts = findings.facts();
    assert!(facts.len() <= FACTS_MAX + classes.len());
    assert_eq!(findings.total(), (PLACES_MAX as u64 + 50) * 3);
    assert!(
        facts
            .iter()
            .filter(|fact| fact.place == "elsewhere")
            .map(|fact| fact.count)
            .sum::<u64>()
            >= 150
    );
}

/// A part of a text is masked as in the whole, and only what stands in it was shown.
#[test]
fn only_what_stands_in_the_part_that_is_shown_counts() {
    let text = b"4111111111111111 then 123-45-6789 then 4111111111111111";
    let counted = |part: std::ops::Range<u64>| {
        let mut findings = Findings::new(&key()).within(part);
        let mut stream = std::sync::Arc::new(masker()).stream(Hint::NONE).in_place();
        stream.push(text, &mut Vec::new(), &mut findings);
        stream.finish(&mut Vec::new(), &mut findings);
        let of = |class| findings.count(&class);
        (of(DataClass::PAN), of(DataClass::US_SSN))
    };
    assert_eq!(counted(0..55), (2, 1));
    assert_eq!(counted(16..22), (0, 0));
    assert_eq!(counted(32..33), (0, 1));
    assert_eq!(counted(15..23), (1, 1));
    let mut findings = Findings::new(&key()).within(100..200);
    for (end, count) in [(100, 0), (101, 1)] {
        findings.reach(end);
        masker().count_declared(&DataClass::US_SSN, Some(b"1"), &mut findings);
        assert_eq!(findings.total(), count);
    }
}

/// Who looks for a value among those that nobody read is not told that it was not there.
#[test]
fn what_nobody_read_stands_apart() {
    let mut findings = Findings::new(&key());
    for value in [Some(&b"1"[..]), None, None, Some(b"2")] {
        masker().count_declared(&DataClass::US_SSN, value, &mut findings);
    }
    let facts = findings.facts();
    let told = facts.iter().map(|it| (it.count, it.commitments.len()));
    assert_eq!(told.collect::<Vec<_>>(), [(2, 2), (2, 0)]);
}
