//! Numbers with rules: cards, accounts, taxpayers.

use crate::Maker;
use crate::random::Random;

pub(crate) const MAKERS: &[Maker] = &[
    Maker::of("pan", "card", card),
    Maker::of("pan", "card_spaced", |random| card_grouped(random, " ")),
    Maker::of("pan", "card_dashed", |random| card_grouped(random, "-")),
    Maker::of("us_ssn", "ssn", |random| ssn(random, "-")),
    Maker::of("us_ssn", "ssn_spaced", |random| ssn(random, " ")),
    Maker::of("us_ssn", "ssn_bare", |random| ssn(random, "")),
    Maker::of("us_itin", "itin", itin),
    Maker::of("us_ein", "ein", ein),
    Maker::of("iban", "iban", iban),
    Maker::of("iban", "iban_spaced", |random| spaced(&iban(random))),
    Maker::of("us_aba", "aba", aba),
    Maker::of("us_bank_account", "account", account),
    Maker::of("bic", "bic", bic),
];

/// Issuer ranges by their first digits (from, to), and the numbers' lengths: ISO/IEC 7812 and the networks' own manuals.
const ISSUERS: &[(u64, u64, usize)] = &[
    (4000, 4999, 16),
    (4000, 4999, 16),
    (4000, 4999, 16),
    (5100, 5599, 16),
    (5100, 5599, 16),
    (2221, 2720, 16),
    (3400, 3499, 15),
    (3700, 3799, 15),
    (6011, 6011, 16),
    (6440, 6599, 16),
    (3528, 3589, 16),
    (3600, 3699, 14),
    (6200, 6299, 16),
    (6759, 6759, 16),
    (6761, 6763, 16),
];

fn card(random: &mut Random) -> String {
    let &(from, to, length) = random.pick(ISSUERS);
    let mut card = random.number(from..to + 1).to_string();
    card += &random.digits(length - 5);
    card.push(luhn_digit(&card));
    card
}

/// The check digit by the formula of Luhn.
fn luhn_digit(digits: &str) -> char {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            match (place % 2, digit * 2) {
                (0, doubled) if doubled > 9 => doubled - 9,
                (0, doubled) => doubled,
                _ => digit,
            }
        })
        .sum();
    digit((10 - sum % 10) % 10)
}

pub(crate) fn digit(value: u32) -> char {
    char::from_digit(value, 10).unwrap_or('0')
}

/// As embossed: fours; American Express four, six, five; Diners Club four, six, four.
fn card_grouped(random: &mut Random, separator: &str) -> String {
    let card = card(random);
    let ends: &[usize] = match card.len() {
        15 => &[4, 10, 15],
        14 => &[4, 10, 14],
        _ => &[4, 8, 12, 16],
    };
    let mut start = 0;
    let mut groups = Vec::new();
    for &end in ends {
        groups.push(&card[start..end]);
        start = end;
    }
    groups.join(separator)
}

/// The Social Security Administration's rules since 2011.
fn ssn(random: &mut Random, separator: &str) -> String {
    let area = loop {
        let area = random.number(1..900);
        if area != 666 {
            break area;
        }
    };
    let (group, serial) = (random.number(1..100), random.number(1..10_000));
    format!("{area:03}{separator}{group:02}{separator}{serial:04}")
}

/// Internal Revenue Service, Publication 4164.
fn itin(random: &mut Random) -> String {
    let groups: Vec<u64> = (50..=65)
        .chain(70..=88)
        .chain(90..=92)
        .chain(94..=99)
        .collect();
    let (area, group) = (random.number(900..1000), *random.pick(&groups));
    format!("{area}-{group}-{:04}", random.number(0..10_000))
}

/// Two digits of the campus that gave it out, seven more.
fn ein(random: &mut Random) -> String {
    let prefix = random.pick(&[
        "01", "12", "20", "33", "45", "58", "61", "74", "82", "93", "95",
    ]);
    format!("{prefix}-{}", random.digits(7))
}

/// Countries and their accounts' form by the registry of SWIFT: n digits, a capitals, c both.
const IBANS: &[(&str, &str)] = &[
    ("DE", "18n"),
    ("GB", "4a14n"),
    ("FR", "10n11c2n"),
    ("ES", "20n"),
    ("IT", "1a10n12c"),
    ("NL", "4a10n"),
    ("BE", "12n"),
    ("CH", "5n12c"),
    ("AT", "16n"),
    ("PL", "24n"),
    ("SE", "20n"),
    ("NO", "11n"),
    ("DK", "14n"),
    ("IE", "4a14n"),
    ("PT", "21n"),
    ("LU", "3n13c"),
    ("SA", "2n18c"),
    ("MT", "4a5n18c"),
];

fn iban(random: &mut Random) -> String {
    let &(country, form) = random.pick(IBANS);
    let mut account = String::new();
    for part in form.split_inclusive(['n', 'a', 'c']) {
        let (length, kind) = part.split_at(part.len() - 1);
        let length = length.parse().unwrap_or_default();
        account += &match kind {
            "n" => random.digits(length),
            "a" => random.capitals(length),
            _ => random.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", length),
        };
    }
    let rest = format!("{account}{country}00")
        .bytes()
        .fold(0, |rest, byte| match byte {
            b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
            _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
        });
    format!("{country}{:02}{account}", 98 - rest)
}

/// In groups of four, as on paper.
fn spaced(iban: &str) -> String {
    let mut out = String::new();
    for (place, char) in iban.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            out.push(' ');
        }
        out.push(char);
    }
    out
}

/// A district of the Federal Reserve, and the checksum of the American Bankers Association.
fn aba(random: &mut Random) -> String {
    let mut number = format!("{:02}{}", random.number(1..13), random.digits(6));
    let weights = [3, 7, 1, 3, 7, 1, 3, 7];
    let sum: u32 = number
        .bytes()
        .zip(weights)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    number.push(digit((10 - sum % 10) % 10));
    number
}

fn account(random: &mut Random) -> String {
    let length = *random.pick(&[8, 9, 10, 10, 12, 12, 13]);
    format!("{}{}", random.number(1..10), random.digits(length - 1))
}

/// ISO 9362: four letters of the bank, the country, the location, and often a branch.
fn bic(random: &mut Random) -> String {
    let bank = random.pick(&[
        "DEUT", "CHAS", "BNPA", "BARC", "COBA", "INGB", "UBSW", "CITI", "NDEA", "RABO",
    ]);
    let place = random.pick(&[
        "DEFF", "US33", "FRPP", "GB22", "DEHH", "NL2A", "CHZH", "US3N", "SESS", "NL2U",
    ]);
    let branch = random.pick(&["", "", "XXX", "500", "MTL"]);
    format!("{bank}{place}{branch}")
}
