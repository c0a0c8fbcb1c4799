//! What stands in encoded text is found; what only looks like it stays.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use model::DataClass;
use proptest::prelude::*;

use crate::{Findings, Hint, Masker, MaskerConfig, Outcome};

/// A text in which a card number and an address stand, and another without.
const TOLD: &str = "Paid with 4111111111111111 by jörg.meier@example.com, thanks";
const PLAIN: &str = "Paid in cash, by nobody in particular, and thanks for that";

fn masker() -> Masker {
    Masker::new(MaskerConfig::default())
}

fn masked(text: &str) -> (String, Findings) {
    let (mut out, mut findings) = (Vec::new(), Findings::counting());
    let outcome = masker().mask_text(Hint::NONE, text.as_bytes(), &mut out, &mut findings);
    match outcome {
        Outcome::Clean => (text.to_owned(), findings),
        Outcome::Masked => (String::from_utf8(out).unwrap(), findings),
        other => panic!("{other:?}"),
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn references(text: &str) -> String {
    let each = |char: char| match u32::from(char) % 2 {
        0 => format!("&#{};", u32::from(char)),
        _ => format!("&#x{:x};", u32::from(char)),
    };
    text.chars().map(each).collect()
}

fn escapes(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

/// Base64 in lines, as in mail and in keys.
fn lines(text: &str, end: &str) -> String {
    let encoded = STANDARD.encode(text);
    let lines: Vec<&str> = (0..encoded.len())
        .step_by(76)
        .map(|from| &encoded[from..encoded.len().min(from + 76)])
        .collect();
    lines.join(end)
}

/// An encoding's name, and what it makes of a text.
type Form = (&'static str, fn(&str) -> String);

const FORMS: [Form; 14] = [
    ("base64", |text| STANDARD.encode(text)),
    ("base64 without padding", |text| {
        STANDARD_NO_PAD.encode(text)
    }),
    ("base64url", |text| URL_SAFE.encode(text)),
    ("base64url without padding", |text| {
        URL_SAFE_NO_PAD.encode(text)
    }),
    ("base64 in lines", |text| lines(&text.repeat(3), "\n")),
    ("base64 in lines of a string", |text| {
        lines(&text.repeat(3), "\\r\\n")
    }),
    ("base64, indented", |text| lines(&text.repeat(3), "\n    ")),
    ("hexadecimal", hex),
    ("capital hexadecimal", |text| hex(text).to_uppercase()),
    ("percent", percent),
    ("references", references),
    ("escapes", escapes),
    ("percent in base64", |text| STANDARD.encode(percent(text))),
    ("base64 in percent", |text| percent(&STANDARD.encode(text))),
];

#[test]
fn values_are_found_in_all_encodings() {
    for (name, encode) in FORMS {
        for before in [
            "",
            "x: ",
            "{\"a\":\"",
            "\\x",
            "0x",
            "data:text/plain;base64,",
            "é ",
            "?q=",
        ] {
            let text = format!("{before}{} rest", encode(TOLD));
            let (shown, findings) = masked(&text);
            assert_eq!(shown.chars().count(), text.chars().count(), "{name}");
            assert!(
                shown.starts_with(before) && shown.ends_with(" rest"),
                "{name}: {shown}"
            );
            assert!(
                findings.count(&DataClass::PAN) >= 1,
                "{name} {before}: {shown}"
            );
            assert!(
                findings.count(&DataClass::EMAIL) >= 1,
                "{name} {before}: {shown}"
            );
            assert!(!shown.contains(&encode("1111111")), "{name} {shown}");
            let plain = format!("{before}{} rest", encode(PLAIN));
            assert_eq!(masked(&plain).0, plain, "{name}");
        }
    }
}

#[test]
fn what_is_hidden_is_the_value_and_no_more() {
    for (text, expected) in [
        // "x=123-45-6789.", whose last group holds the end of the value.
        ("eD0xMjMtNDUtNjc4OS4=", "*******************="),
        (
            "aGVsbG8gMTIzLTQ1LTY3ODkgd29ybGQ=",
            "aGVsbG8g****************d29ybGQ=",
        ),
        (
            "\\x68692037382d3132332d34352d363738392062796500",
            "\\x68692037382d**********************2062796500",
        ),
        (
            "\\x6869203132332d34352d36373839206279652c0a",
            "\\x686920**********************206279652c0a",
        ),
        (
            "card=4111%201111%201111%201111&x=1",
            "card=*********************1111&x=1",
        ),
        ("to=john.doe%40example.com", "to=********%40example.com"),
        (
            "<a>&#52;111 1111 1111 1111</a>",
            "<a>***************1111</a>"
                .replace("<a>***************", "<a>*******************")
                .as_str(),
        ),
        ("\"\\u0034111111111111111\"", "\"*****************1111\""),
        (
            "{\\\"a\\\": \\\"\\\\u0034111111111111111\\\"}",
            "{\\\"a\\\": \\\"******************1111\\\"}",
        ),
        ("passport%3A%20123456789", "passport%3A%20*********"),
        // A value that stands in the clear is masked as ever, whatever is encoded beside it.
        ("a%20b 4111-1111-1111-1111", "a%20b ****-****-****-1111"),
        ("LIKE '%4111111111111111%'", "LIKE '%************1111%'"),
    ] {
        assert_eq!(masked(text).0, expected, "{text}");
    }
}

#[test]
fn what_decodes_to_no_text_stays() {
    for text in [
        "550e8400-e29b-41d4-a716-446655440000",
        "d41d8cd98f00b204e9800998ecf8427e",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha512-MV7K9+y4OgMnhFKUkMvJUqkPGvVfWLdEjvGq3HiZzk1bR1P5bdZ7oGpVr1v1XqKFv0YyJ5vW0w9y2rJmQ0cX1g==",
        "commit 149b8cc061cc9ef391f3c57f5747c47caa8564cef98540796e304effb5c276",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "/usr/local/share/applications/some-long-file-name_with_parts.desktop",
        "function(e,t,n){\"use strict\";Object.defineProperty(t,\"__esModule\",{value:!0})}",
        "100%25 of %7B%22a%22%3A1%7D and &amp;&lt;&#169;&gt; or \\u00e9\\n",
        "https://example.com/a%20b/c%2Fd?next=%2Fhome%3Fx%3D1",
    ] {
        assert_eq!(masked(text).0, text);
    }
}

#[test]
fn the_value_is_committed_to_as_it_is_decoded() {
    let key = crate::CommitmentKey::new(&[7; 32]);
    let mut findings = Findings::new(&key);
    let text = STANDARD.encode("ssn 123-45-6789 of somebody");
    let _ = masker().mask_text(Hint::NONE, text.as_bytes(), &mut Vec::new(), &mut findings);
    let facts = findings.facts();
    assert_eq!(facts.len(), 1);
    assert_eq!(
        (facts[0].class.name(), facts[0].strategy.as_str()),
        ("us_ssn", "redact")
    );
    let commitment = key.commit(&DataClass::US_SSN, b"123-45-6789").to_string();
    assert_eq!(facts[0].commitments, [commitment]);
}

#[test]
fn a_private_key_is_hidden_to_the_end_of_what_carries_it() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDC\n".repeat(2000);
    let key = format!("-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n");
    let text = format!("key: {}; next", STANDARD_NO_PAD.encode(&key));
    let expected = format!("key: {}; next", "*".repeat(text.len() - 11));
    let (shown, findings) = masked(&text);
    assert_eq!(shown, expected);
    assert_eq!(findings.total(), 1);
}

#[test]
fn short_values_in_cells_are_found() {
    for cell in [
        STANDARD.encode("123-45-6789"),
        hex("a1@bank.com"),
        percent("a@b.com"),
    ] {
        assert_ne!(masked(&cell).0, cell);
    }
    let masker = Masker::new(MaskerConfig {
        reveal: [DataClass::US_SSN].into(),
        ..MaskerConfig::default()
    });
    let (mut out, mut findings) = (Vec::new(), Findings::counting());
    let text = STANDARD.encode("123-45-6789");
    let outcome = masker.mask_text(Hint::NONE, text.as_bytes(), &mut out, &mut findings);
    assert_eq!((outcome, findings.total()), (Outcome::Clean, 1));
}

/// Text of which parts are encoded.
fn text() -> impl Strategy<Value = String> {
    let plain = prop_oneof![
        3 => "[a-zé ]{0,40}",
        2 => Just("card 4111111111111111 ".to_owned()),
        1 => Just("ssn 123-45-6789, ".to_owned()),
        1 => Just("john.doe@example.com ".to_owned()),
        1 => "[A-Za-z0-9+/]{1,90}",
        1 => "[0-9a-f]{1,70}",
        1 => "[%&\\\\#;x0-9]{1,6}",
    ];
    let part = prop::collection::vec(plain, 1..6).prop_map(|parts| parts.concat());
    let form = prop::sample::select(FORMS.as_slice());
    let encoded = (part.clone(), form, 1_usize..40)
        .prop_map(|(part, (_, encode), times)| encode(&part.repeat(times)));
    prop::collection::vec(prop_oneof![part, encoded], 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_split_gives_the_same(pieces in prop::collection::vec(text(), 1..20), repeat in 1usize..8,
                                cuts in prop::collection::vec(0.0..1.0f64, 0..12)) {
        let masker = Arc::new(masker());
        let text = pieces.concat().repeat(repeat).into_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| (cut * text.len() as f64) as usize).collect();
        cuts.sort_unstable();
        cuts.push(text.len());
        let mut stream = masker.stream(Hint::NONE);
        let (mut streamed, mut findings) = (Vec::new(), Findings::counting());
        let mut from = 0;
        for cut in cuts {
            stream.push(&text[from..cut], &mut streamed, &mut findings);
            from = cut;
        }
        stream.finish(&mut streamed, &mut findings);
        let (mut out, mut whole) = (Vec::new(), Findings::counting());
        if masker.mask_text(Hint::NONE, &text, &mut out, &mut whole) == Outcome::Clean {
            out.clone_from(&text);
        }
        prop_assert_eq!(out.len(), streamed.len());
        let differs = out.iter().zip(&streamed).position(|(one, other)| one != other);
        prop_assert_eq!(differs, None, "of {} bytes", text.len());
        prop_assert_eq!(findings.total(), whole.total());
    }

    #[test]
    fn where_it_lies_makes_no_difference(text in text(), pad in 0usize..130) {
        let alone = masked(&format!("\n{text}")).0;
        let padded = masked(&format!("{}\n{text}", " ".repeat(pad))).0;
        prop_assert_eq!(padded, format!("{}{alone}", " ".repeat(pad)));
    }
}
