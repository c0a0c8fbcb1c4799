//! Strategies that put something else in a value's place.

use proptest::prelude::*;

use super::*;
use crate::{MaskKey, STREAM_PIECE_BYTES, Strategy};

fn keyed(strategy: Strategy, key: &[u8]) -> Masker {
    Masker::new(MaskerConfig {
        key: Some(MaskKey::new(key)),
        ..with(strategy).config().clone()
    })
}

const KEY: &[u8] = b"a key of thirty-two bytes, always";

fn hash() -> Masker {
    keyed(Strategy::Hash, KEY)
}

fn format() -> Masker {
    keyed(Strategy::Format, KEY)
}

/// As `Strategy::Hash` writes one.
fn is_hash(text: &str) -> bool {
    let letters = text.strip_prefix("hash_").unwrap_or_default();
    letters.len() == 16 && letters.bytes().all(|byte| (b'a'..=b'p').contains(&byte))
}

#[test]
fn equal_values_get_equal_hashes_however_they_are_written() {
    let masker = hash();
    let card = shown(&masker, "4111111111111111").unwrap();
    assert!(is_hash(&card), "{card}");
    assert_eq!(shown(&masker, "4111 1111 1111 1111").unwrap(), card);
    assert_eq!(
        declared(&masker, &DataClass::PAN, "4111-1111-1111-1111"),
        card
    );
    assert_eq!(
        shown(&masker, "pay 4111111111111111, now").unwrap(),
        format!("pay {card}, now")
    );
    let mail = shown(&masker, "Ann@Example.com").unwrap();
    assert_eq!(
        declared(&masker, &DataClass::EMAIL, "ann@example.com"),
        mail
    );
    // Another class, another key, another value: another hash.
    let others = [
        declared(&masker, &DataClass::US_SSN, "4111111111111111"),
        shown(&keyed(Strategy::Hash, b"another"), "4111111111111111").unwrap(),
        shown(&masker, "5555555555554444").unwrap(),
    ];
    assert!(
        others.iter().all(|other| is_hash(other) && *other != card),
        "{others:?}"
    );
}

#[test]
fn the_hash_is_the_documented_one() {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, KEY);
    let text = b"hash\0us_ssn\0\0\0\0\0\0\0\0\x00123456789";
    let tag = aws_lc_rs::hmac::sign(&key, text);
    let letters = tag
        .as_ref()
        .iter()
        .take(8)
        .flat_map(|byte| [byte >> 4, byte & 15]);
    let letters: String = letters.map(|four| char::from(b'a' + four)).collect();
    assert_eq!(
        declared(&hash(), &DataClass::US_SSN, "123-45-6789"),
        format!("hash_{letters}")
    );
}

#[test]
fn without_a_key_everything_is_redacted() {
    for strategy in [Strategy::Hash, Strategy::Format] {
        let masker = with(strategy);
        assert_eq!(masker.strategy(&DataClass::PAN), Some(Strategy::Redact));
        assert_eq!(
            shown(&masker, "4111-1111-1111-1111").unwrap(),
            "*".repeat(19)
        );
        assert_eq!(
            declared(&masker, &DataClass::US_SSN, "123-45-6789"),
            "*".repeat(11)
        );
        assert_eq!(
            masker.mask_uuid(&DataClass::PAN, b"x", &mut Findings::counting()),
            None
        );
    }
}

#[test]
fn values_within_values_are_covered_by_the_outer_one() {
    let masker = hash();
    let outer = shown(&masker, "4111111111111111@example.com").unwrap();
    assert!(is_hash(&outer), "{outer}");
}

#[test]
fn facts_name_what_was_done() {
    let facts = |masker: &Masker, text: &str| {
        let mut findings = Findings::counting();
        let mut out = Vec::new();
        let _ = masker.mask_text(Hint::NONE, text.as_bytes(), &mut out, &mut findings);
        let _ = masker.mask_declared(&DataClass::US_SSN, text.as_bytes(), &mut out, &mut findings);
        let facts = findings.facts().into_iter();
        facts.map(|fact| fact.strategy).collect::<Vec<_>>()
    };
    assert_eq!(facts(&hash(), "4111111111111111"), ["hash", "hash"]);
    assert_eq!(facts(&format(), "4111111111111111"), ["format", "format"]);
    assert_eq!(facts(&format(), "--"), ["redact"]);
    assert_eq!(
        facts(&with(Strategy::Hash), "4111111111111111"),
        ["redact", "redact"]
    );
}

#[test]
fn in_place_nothing_changes_its_length() {
    let cards = "4111111111111111 4111 1111 1111 1111 ４１１１１１１１１１１１１１１１";
    let stream = |masker: Masker| {
        let mut stream = Arc::new(masker).stream(Hint::NONE).in_place();
        let (mut out, mut findings) = (Vec::new(), Findings::counting());
        stream.push(cards.as_bytes(), &mut out, &mut findings);
        stream.finish(&mut out, &mut findings);
        String::from_utf8(out).unwrap()
    };
    let hashed = stream(hash());
    assert_eq!(hashed.len(), cards.len());
    assert!(
        hashed.bytes().all(|byte| matches!(byte, b'*' | b' ')),
        "{hashed}"
    );
    let formatted = stream(format());
    assert_eq!(formatted.len(), cards.len());
    let (digits, stars) = formatted.split_at(37);
    assert!(digits.starts_with(|first: char| first.is_ascii_digit()) && !digits.contains('*'));
    assert!(stars.trim().bytes().all(|byte| byte == b'*'), "{stars}");
}

#[test]
fn a_value_across_the_seam_of_a_stream_is_replaced_once() {
    for masker in [hash(), format()] {
        let masker = Arc::new(masker);
        let card = shown(&masker, "4111111111111111").unwrap();
        for before in STREAM_PIECE_BYTES - 18..STREAM_PIECE_BYTES + 2 {
            let text = format!(
                "{}4111111111111111 {}",
                "x ".repeat(before / 2) + &" ".repeat(before % 2),
                "y ".repeat(9_000)
            );
            let (mut out, mut findings) = (Vec::new(), Findings::counting());
            let mut stream = masker.stream(Hint::NONE);
            for piece in text.as_bytes().chunks(10_007) {
                stream.push(piece, &mut out, &mut findings);
            }
            stream.finish(&mut out, &mut findings);
            assert_eq!(out, text.replace("4111111111111111", &card).as_bytes());
            assert_eq!(shown(&masker, &text).unwrap().as_bytes(), out);
        }
    }
}

#[test]
fn formats_keep_what_partial_masks_show() {
    let masker = format();
    for text in [
        "4111-1111-1111-1111",
        "123-45-6789",
        "GB82 WEST 1234 5698 7654 32",
        "John.Doe7@example.com",
    ] {
        let partial = shown(&super::masker(), text).unwrap();
        let other = shown(&masker, text).unwrap();
        assert_ne!(other, text);
        for ((was, is), mask) in text.chars().zip(other.chars()).zip(partial.chars()) {
            let same_kind = was.is_ascii_digit() == is.is_ascii_digit()
                && was.is_ascii_uppercase() == is.is_ascii_uppercase()
                && was.is_ascii_lowercase() == is.is_ascii_lowercase();
            assert!(same_kind, "{text}: {other}");
            assert!(was == is || mask == '*', "{text}: {other}");
        }
    }
}

proptest! {
    /// No masked card is a card, however the number is written and whatever the key.
    #[test]
    fn no_formatted_card_passes_luhn(
        digits in "4[0-9]{14}", key in any::<[u8; 8]>(), dashes in any::<bool>(), is_declared in any::<bool>(),
    ) {
        let luhn = |text: &str| crate::detect::luhn(text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0'));
        let last = ('0'..='9').find(|last| luhn(&format!("{digits}{last}"))).unwrap();
        let mut card = format!("{digits}{last}");
        if dashes {
            card = card.as_bytes().chunks(4).map(|four| std::str::from_utf8(four).unwrap()).collect::<Vec<_>>().join("-");
        }
        let masker = keyed(Strategy::Format, &key);
        let masked = if is_declared { declared(&masker, &DataClass::PAN, &card) } else { shown(&masker, &card).unwrap() };
        prop_assert!(!luhn(&masked), "{} {}", card, masked);
        prop_assert_eq!(masked.len(), card.len());
        prop_assert_eq!(&masked[masked.len() - 4..], &card[card.len() - 4..]);
    }

    /// Whatever the value: never itself, always as long in characters, and the same again.
    #[test]
    fn a_formatted_value_is_another(value in "\\PC{1,40}", class in prop::sample::select(DataClass::FOUND.to_vec())) {
        let masker = format();
        let masked = declared(&masker, &class, &value);
        let kept = value.chars().all(|char| !char.is_alphanumeric()) && masked.chars().all(|char| char == '*');
        prop_assert!(masked != value || kept, "{} {}", value, masked);
        prop_assert!(masked.contains('*') || masked.chars().count() == value.chars().count());
        prop_assert_eq!(declared(&masker, &class, &value), masked);
    }

    /// A hash holds nothing that is found again.
    #[test]
    fn nothing_is_found_in_a_hash(value in "\\PC{1,40}", class in prop::sample::select(DataClass::FOUND.to_vec())) {
        let hashed = declared(&hash(), &class, &value);
        prop_assert!(is_hash(&hashed));
        prop_assert_eq!(shown(&super::masker(), &hashed).unwrap(), hashed);
    }
}
