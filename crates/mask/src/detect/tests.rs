//! Exact cases of every validator, both ways.

mod named;
mod secrets;

use super::{Hint, Kind, scan};
use crate::fold::Folded;

/// What is found: each class and the text of the match.
pub(super) fn found(hint: Hint, text: &str) -> Vec<(Kind, String)> {
    let folded = Folded::of(text.as_bytes());
    let mut matches = Vec::new();
    scan(
        folded.text(),
        0..folded.text().len(),
        hint,
        None,
        &mut matches,
    );
    matches.sort_by_key(|found| (found.start, found.end));
    let shown = |start, end| {
        text.get(folded.original(start)..folded.original(end))
            .unwrap()
            .to_owned()
    };
    matches
        .iter()
        .map(|found| (found.kind, shown(found.start, found.end)))
        .collect()
}

#[track_caller]
fn finds(kind: Kind, text: &str, value: &str) {
    assert_eq!(
        found(Hint::NONE, text),
        [(kind, value.to_owned())],
        "in {text:?}"
    );
}

#[track_caller]
fn clean(text: &str) {
    assert_eq!(found(Hint::NONE, text), [], "in {text:?}");
}

/// The numbers that card networks publish for testing.
const CARDS: [&str; 19] = [
    "4111111111111111",
    "4012888888881881",
    "4242424242424242",
    "4000000000000000006",
    "5555555555554444",
    "5105105105105100",
    "2223000048400011",
    "2720990000000007",
    "378282246310005",
    "371449635398431",
    "6011111111111117",
    "6011000990139424",
    "6445644564456445",
    "30569309025904",
    "38520000023237",
    "3530111333300000",
    "6205500000000000004",
    "6304000000000000",
    "6759649826438453",
];

#[test]
fn cards_of_every_issuer_are_found_in_any_company() {
    for card in CARDS {
        for text in [
            card.to_owned(),
            format!("card {card}, thanks"),
            format!("x{card}y"),
            format!("{card}.00"),
        ] {
            finds(Kind::Card, &text, card);
        }
    }
}

#[test]
fn cards_are_found_in_usual_groups() {
    for card in [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111  1111  1111  1111",
        "4111 - 1111 - 1111 - 1111",
        "4111.1111.1111.1111",
        "4111/1111/1111/1111",
        "41111111 11111111",
        "41 11 11 11 11 11 11 11",
        "411 111 111 111 111 1",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1",
        "4,111,111,111,111,111",
        "3782 822463 10005",
        "3782-822463-10005",
        "3056 930902 5904",
        "6205 5000 0000 0000 004",
        "620550 0000000000004",
    ] {
        finds(Kind::Card, card, card);
        finds(Kind::Card, &format!("pay with {card} today"), card);
        finds(Kind::Card, &format!("at 12:35, {card};"), card);
    }
}

#[test]
fn cards_are_found_behind_look_alikes() {
    for card in [
        "４１１１１１１１１１１１１１１１",
        "٤١١١١١١١١١١١١١١١",
        "𝟜𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙",
        "⁴¹¹¹¹¹¹¹¹¹¹¹¹¹¹¹",
        "4111\u{a0}1111\u{a0}1111\u{a0}1111",
        "4111\u{2009}1111\u{2009}1111\u{2009}1111",
        "4111–1111–1111–1111",
        "4111\u{200b}1111\u{200b}1111\u{200b}1111",
        "4\u{200d}1\u{200d}1\u{200d}1\u{ad}1\u{feff}1111\u{2060}1111111",
    ] {
        finds(Kind::Card, card, card);
        finds(Kind::Card, &format!("né {card} ő"), card);
    }
}

#[test]
fn what_only_resembles_a_card_is_left_alone() {
    for text in [
        "4111111111111112",
        "1234567890123456",
        "9999999999999995",
        "41111111111111111111",
        "0.4111111111111111",
        "17.5555555555554444",
        "1700000000000",
        "1732400000123456",
        "1732400000123456789",
        "2024-01-15 10:23:45.123456+00",
        "20240115102345",
        "192.168.100.254",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "52:54:00:12:34:56",
        "v4.11.1111",
        "1.4111111111111111e+20",
        "order 4006381333931",
        "tracking 9400111899223197428490",
        "deadbeef4111111111111111deadbeef",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "0xdead4111111111111111beef0000",
        "41111111-1111-4111-8111-111111111111",
        "50180000-0000-0000-0000-000000000009",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
        "100,200,300,400,500,600",
        "2020 2021 2022 2023 2024 2025",
        "lat 51.5073509, long -0.1277583",
    ] {
        clean(text);
    }
}

#[test]
fn short_numbers_are_cards_only_in_context() {
    clean("4222222222222");
    finds(Kind::Card, "visa 4222222222222", "4222222222222");
    finds(Kind::Card, "4222222222222 (credit)", "4222222222222");
    assert_eq!(found(Hint::column("card_number"), "4222222222222").len(), 1);
    assert_eq!(found(Hint::column("cardNumber"), "501800000009").len(), 1);
    assert_eq!(found(Hint::column("ean"), "4222222222222"), []);
}

#[test]
fn social_security_numbers_follow_the_rules_of_area_group_and_serial() {
    for ssn in [
        "123-45-6789",
        "123 45 6789",
        "001-01-0001",
        "899-99-9999",
        "123\u{2011}45\u{2011}6789",
    ] {
        finds(Kind::Ssn, ssn, ssn);
        finds(Kind::Ssn, &format!("id={ssn}."), ssn);
    }
    for text in [
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "123-00-4567",
        "123-45-0000",
        "123-456-7890",
        "123-45 6789",
        "1123-45-6789",
        "123-45-67890",
        "123.45.6789",
        "120.0.6099.109",
        "123456789",
        "2023-11-24",
    ] {
        clean(text);
    }
}

#[test]
fn nine_digits_are_what_the_words_around_them_say() {
    for text in [
        "SSN 123456789",
        "ssn=123456789",
        "userSsn: 123456789",
        "social security no. 123456789",
        "123456789 (ssn)",
    ] {
        finds(Kind::Ssn, text, "123456789");
    }
    finds(Kind::Ssn, "{\"ssn\": \"123.45.6789\"}", "123.45.6789");
    for text in [
        "routing 021000021",
        "ABA: 021000021",
        "routingNumber=021000021",
        "021000021 is the routing number",
    ] {
        finds(Kind::Routing, text, "021000021");
    }
    finds(Kind::Routing, "aba 021-000-021", "021-000-021");
    for text in [
        "order 123456789",
        "021000021",
        "database 021000021",
        "routing 021000022",
        "routing 991000022",
    ] {
        clean(text);
    }
    clean("the social hour, with 123456789 people");
    for (column, count) in [
        ("ssn", 1),
        ("SSN", 1),
        ("customer_ssn", 1),
        ("social_security_number", 1),
        ("id", 0),
    ] {
        assert_eq!(
            found(Hint::column(column), "123456789").len(),
            count,
            "{column}"
        );
    }
    for (column, count) in [
        ("routing_number", 1),
        ("aba", 1),
        ("bankRoutingNo", 1),
        ("database_id", 0),
        ("id", 0),
    ] {
        assert_eq!(
            found(Hint::column(column), "021000021").len(),
            count,
            "{column}"
        );
    }
}

#[test]
fn account_numbers_have_their_countrys_length_and_the_check_digits() {
    for iban in [
        "GB82WEST12345698765432",
        "GB82 WEST 1234 5698 7654 32",
        "gb82 west 1234 5698 7654 32",
        "GB82-WEST-1234-5698-7654-32",
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "FR1420041010050500013M02606",
        "NO9386011117947",
        "MT84MALT011000012345MTLCAST001S",
        "CH9300762011623852957",
        "SA0380000000608010167519",
        "NL91\u{a0}ABNA\u{a0}0417\u{a0}1643\u{a0}00",
    ] {
        finds(Kind::Iban, iban, iban);
        finds(Kind::Iban, &format!("to {iban}, thanks"), iban);
    }
    for text in [
        "GB82WEST12345698765433",
        "GB82WEST1234569876543",
        "GB82WEST123456987654321",
        "XGB82WEST12345698765432",
        "ZZ82WEST12345698765432",
        "no 12 people are here to see it",
        "0DE89370400440532013000ab",
    ] {
        clean(text);
    }
}

#[test]
fn addresses_are_found_by_their_sign() {
    for (text, address) in [
        ("a@b.co", "a@b.co"),
        (
            "mail john.doe+tag@example.co.uk now",
            "john.doe+tag@example.co.uk",
        ),
        ("<o'brien@example.ie>", "o'brien@example.ie"),
        ("'john@example.com'", "john@example.com"),
        ("email=john@example.com&x=1", "john@example.com"),
        ("john@example.com.", "john@example.com"),
        ("\"john doe\"@example.com", "\"john doe\"@example.com"),
        ("john@[192.168.0.1]", "john@[192.168.0.1]"),
        ("jörg@münchen.de", "jörg@münchen.de"),
        ("john＠example.com", "john＠example.com"),
        ("{\"m\":\"a_b-c@d-e.info\"}", "a_b-c@d-e.info"),
        ("x@163.com", "x@163.com"),
        ("x@xn--bcher-kva.xn--p1ai", "x@xn--bcher-kva.xn--p1ai"),
    ] {
        finds(Kind::Email, text, address);
    }
    for text in [
        "@Override",
        "user@localhost",
        "lodash@4.17.21",
        "@types/node@20.1.0",
        "pkg@1.0.0-beta.rc",
        "icon@2x.png",
        "a @ b.com",
        "10 @ 3.50",
        "****@example.com",
    ] {
        clean(text);
    }
}

#[test]
fn an_overlong_local_part_hides_its_end() {
    for prefix in ["x", "0", "a", "*"] {
        for name in ["john", "abe"] {
            let text = format!("{}{name}@example.com", prefix.repeat(80));
            let [(Kind::Email, address)] = &found(Hint::NONE, &text)[..] else {
                panic!("{text:?}")
            };
            assert!(
                address.ends_with(&format!("{name}@example.com")),
                "{address:?}"
            );
        }
    }
}

#[test]
fn a_value_is_found_wherever_it_lies_among_blocks() {
    for offset in 0..200 {
        for (kind, value) in [
            (Kind::Card, "4111111111111111"),
            (
                Kind::Card,
                "4 - 1 - 1 - 1 - 1 - 1 - 1 - 1 - 1 - 1 - 1 - 1 - 1 - 1 - 1 - 1",
            ),
            (Kind::Ssn, "123-45-6789"),
            (Kind::Iban, "MT84 MALT 0110 0001 2345 MTLC AST0 01S"),
            (Kind::Email, "john@example.com"),
        ] {
            let text = format!("{}{value}{}", ";".repeat(offset), ";".repeat(100));
            finds(kind, &text, value);
        }
    }
}
