//! What must hold for any text.

use std::sync::Arc;

use proptest::prelude::*;

use super::{masker, shown, with};
use crate::{Findings, Hint, Masker, Strategy as Mask};

/// A number with a valid check digit in one of the issuers' ranges.
fn card() -> impl Strategy<Value = String> {
    let range = prop_oneof![
        Just(("4", 16)),
        Just(("4", 19)),
        (51..56).prop_map(|_| ("53", 16)),
        Just(("2221", 16)),
        Just(("37", 15)),
        Just(("6011", 16)),
        Just(("36", 14)),
        Just(("3530", 16)),
        Just(("62", 17)),
        Just(("6759", 18)),
    ];
    (range, "[0-9]{19}").prop_map(|((prefix, len), digits)| {
        let mut card: String = prefix.chars().chain(digits.chars()).take(len - 1).collect();
        let check = (0..10).find(|check| {
            let all = format!("{card}{check}");
            crate::detect::luhn(all.bytes().map(|byte| byte - b'0'))
        });
        card.push_str(&check.unwrap().to_string());
        card
    })
}

/// The same number in groups of four.
fn grouped(card: &str, separator: &str) -> String {
    let groups: Vec<String> = card
        .as_bytes()
        .chunks(4)
        .map(|four| String::from_utf8(four.to_vec()).unwrap())
        .collect();
    groups.join(separator)
}

/// The same number in digits of another script.
fn in_script(card: &str, zero: char) -> String {
    card.chars()
        .map(|digit| char::from_u32(u32::from(zero) + digit.to_digit(10).unwrap()).unwrap_or(digit))
        .collect()
}

/// A piece of text in which numbers of all kinds are frequent.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[0-9]{1,5}",
        2 => "[ -]",
        2 => "[a-zA-Z@._*é]{1,4}",
        1 => card(),
        1 => Just("123-45-6789".to_owned()),
        1 => Just("GB82 WEST 1234 5698 7654 32".to_owned()),
        1 => Just("ssn 123456789 ".to_owned()),
        1 => Just("routing 021000021".to_owned()),
        1 => Just("x.y@example.com".to_owned()),
        1 => "(phone|passport no|dob|account number|ein|driver license)[ :=]",
        1 => Just("1980-02-01".to_owned()),
        1 => Just("+14155552671".to_owned()),
        1 => Just("12-3456789".to_owned()),
        1 => Just("912-70-1234".to_owned()),
        1 => Just("\u{200b}".to_owned()),
        1 => Just("４１".to_owned()),
        1 => "\\PC{0,6}",
    ]
}

/// Secrets as programs write them.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => "ghp_[A-Za-z0-9]{36}",
        1 => "AKIA[A-Z2-7]{16}",
        1 => "SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}",
        1 => "[0-9]{9}:AA[A-Za-z0-9_-]{33}",
        1 => "[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_-]{64}",
        1 => "glpat-[A-Za-z0-9_-]{20,400}",
        1 => "Private-Lines: 9(\n[a-zA-Z0-9+/]{64}){1,9}\n",
        1 => "secret[ =][A-Za-z0-9/+]{40}",
        1 => "password=[a-z0-9]{4,8} ",
        1 => "://u:[a-z0-9]{4,8}@h",
        1 => "eyJ[a-zA-Z0-9_-]{20}\\.eyJ[a-zA-Z0-9_-]{20,600}\\.[a-zA-Z0-9_-]{20}",
        1 => "-----BEGIN EC PRIVATE KEY-----\n[a-zA-Z0-9+/]{64}\n[a-zA-Z0-9+/\n]{0,600}-----END EC PRIVATE KEY-----",
    ]
}

/// What words announce.
fn told() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,4} (Oak|Elm) (St|Rd)(, Apt [0-9])?, (Austin|St. Louis), (TX|XX) [0-9]{5}",
        "(address|Address): ?[0-9]{1,3} Oak Lane",
        "(at|to|near) [0-9]{1,3} Oak (St|Drive)(, Apt [0-9])?[ ,.]",
        "[Pp]assword (for [a-z ]{1,40})?is [a-zA-Z0-9!]{4,70}[ ,.]",
        "(BIC|swift:|bic=) ?[A-Z]{4}DE[A-Z]{2}([0-9]{3})?",
        "(born|DOB:) [1-9] March 19[0-9]{2}",
        "(api_key|token|password) ?[:=] ?\"?[a-z0-9]{6,300}\"?",
        "\\+44 20 [0-9]{4} [0-9]{4}",
        "\\(415\\) 555-[0-9]{4}",
    ]
}

/// Text in which the interesting is frequent.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![20 => piece(), 6 => secret(), 3 => told()];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// The same without secrets. What stands before a number can make it a longer one, which is nothing; a secret that ends in
/// digits is hidden, and what was the end of its number is then a number of its own.
fn numbers() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

/// Text that has nothing to do with a card beside it.
fn words() -> impl Strategy<Value = String> {
    "([a-z éü(){}\"':;,=<>\n]{0,30}[a-z é(){}\"':;,=<>\n])?"
}

fn streamed(masker: &Arc<Masker>, text: &[u8], cuts: &[usize]) -> (Vec<u8>, u64) {
    let mut stream = masker.stream(Hint::NONE);
    let (mut out, mut findings) = (Vec::new(), Findings::counting());
    let mut from = 0;
    for cut in cuts {
        stream.push(&text[from..*cut], &mut out, &mut findings);
        from = *cut;
    }
    stream.push(&text[from..], &mut out, &mut findings);
    stream.finish(&mut out, &mut findings);
    (out, findings.total())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_card_never_survives(card in card(), before in words(), after in words(), form in 0..7) {
        let written = match form {
            0 => card.clone(),
            1 => grouped(&card, " "),
            2 => grouped(&card, "-"),
            3 => grouped(&card, "\u{a0}"),
            4 => in_script(&card, '０'),
            5 => in_script(&card, '٠'),
            _ => grouped(&card, "\u{200b}"),
        };
        let text = format!("{before}{written}{after}");
        let masked = shown(&masker(), &text).unwrap();
        prop_assert!(!masked.contains(&written));
        let shown: Vec<char> = masked.chars().filter(|char| char.is_numeric()).collect();
        // Fewer than four where two readings of the groups overlap.
        prop_assert!(shown.len() <= 4, "{} from {}", masked, text);
        prop_assert_eq!(masked.chars().count(), text.chars().count());
        prop_assert!(masked.starts_with(&before) && masked.ends_with(&after));
    }

    #[test]
    fn a_secret_never_survives(secret in secret(), before in words(), after in words()) {
        let text = format!("{before} {secret} {after}");
        prop_assert!(!shown(&masker(), &text).unwrap().contains(secret.trim()), "{}", text);
    }

    #[test]
    fn what_was_masked_holds_nothing_more_to_find(text in numbers(), redact: bool) {
        // Of a local part longer than any can be, only the end is hidden, and the rest is judged anew.
        let overlong = |word: &str| word.contains('@') && word.chars().count() > 64;
        prop_assume!(!text.split(' ').any(overlong));
        let masker = if redact { with(Mask::Redact) } else { masker() };
        let once = shown(&masker, &text).unwrap();
        prop_assert_eq!(once.chars().count(), text.chars().count());
        let mut findings = Findings::counting();
        let outcome = masker.mask_text(Hint::NONE, once.as_bytes(), &mut Vec::new(), &mut findings);
        prop_assert_eq!(outcome, crate::Outcome::Clean, "{:?} became {:?}: {:?}", text, once, findings.facts());
    }

    #[test]
    fn nothing_is_found_that_the_search_of_every_block_would_not(text in text(), pad in 0usize..130) {
        // The same text is judged the same wherever it lies: the prefilter only saves work.
        let padded = format!("{}\n{text}", " ".repeat(pad));
        let alone = shown(&masker(), &format!("\n{text}")).unwrap();
        prop_assert_eq!(shown(&masker(), &padded).unwrap(), format!("{}{alone}", " ".repeat(pad)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_gives_the_same(pieces in prop::collection::vec(text(), 1..40), repeat in 20usize..90,
                                cuts in prop::collection::vec(0.0..1.0f64, 0..12)) {
        let masker = Arc::new(masker());
        let text = pieces.concat().repeat(repeat).into_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| (cut * text.len() as f64) as usize).collect();
        cuts.sort_unstable();
        let whole = streamed(&masker, &text, &[]);
        prop_assert_eq!(&streamed(&masker, &text, &cuts), &whole);
        let mut out = Vec::new();
        let mut findings = Findings::counting();
        if masker.mask_text(Hint::NONE, &text, &mut out, &mut findings) == crate::Outcome::Clean {
            out.clone_from(&text);
        }
        prop_assert_eq!((out, findings.total()), whole);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut out = Vec::new();
        let mut findings = Findings::counting();
        let _ = masker().mask_text(Hint::NONE, &bytes, &mut out, &mut findings);
        let (streamed, total) = streamed(&Arc::new(masker()), &bytes, &[]);
        prop_assert_eq!(if out.is_empty() { bytes } else { out }, streamed);
        prop_assert_eq!(findings.total(), total);
    }
}
