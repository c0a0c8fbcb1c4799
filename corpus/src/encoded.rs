//! Values as programs encode them, and what looks the same.

use std::fmt::Write as _;

use crate::Maker;
use crate::random::{BASE62, Random};

pub(crate) const MAKERS: &[Maker] = &[
    Maker::of("pan", "card_base64", |random| base64(&made("card", random))),
    Maker::of("pan", "card_hex", |random| {
        hex(&made("card_dashed", random))
    }),
    Maker::of("us_ssn", "ssn_base64", |random| {
        base64(&made("ssn", random))
    }),
    Maker::of("us_ssn", "ssn_percent", |random| {
        percent(&made("ssn", random), |_| true)
    }),
    Maker::of("email", "email_base64", |random| {
        base64(&made("email", random))
    }),
    Maker::of("email", "email_percent", |random| {
        percent(&made("email", random), |byte| {
            !byte.is_ascii_alphanumeric() && byte != b'.'
        })
    }),
    Maker::of("email", "email_references", |random| {
        references(&made("email", random))
    }),
    Maker::of("iban", "iban_hex", |random| hex(&made("iban", random))),
    Maker::of("phone", "phone_percent", |random| {
        percent(&made("phone_e164", random), |byte| !byte.is_ascii_digit())
    }),
];

/// A value of another maker.
fn made(name: &str, random: &mut Random) -> String {
    let mut all = crate::makers();
    let maker = all.find(|maker| maker.name == name);
    maker.map(|maker| (maker.make)(random)).unwrap_or_default()
}

/// RFC 4648, section 4.
fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three
            .iter()
            .zip([16, 8, 0])
            .fold(0_usize, |all, (byte, shift)| {
                all | usize::from(*byte) << shift
            });
        for place in 0..4 {
            let value = bits >> (18 - 6 * place) & 63;
            out.push(if place > three.len() {
                '='
            } else {
                char::from(ALPHABET[value])
            });
        }
    }
    out
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// RFC 3986, section 2.1, of some bytes.
fn percent(text: &str, is_encoded: fn(u8) -> bool) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if is_encoded(byte) {
            let _ = write!(out, "%{byte:02X}");
        } else {
            out.push(char::from(byte));
        }
        out
    })
}

/// XML 1.0, section 4.1.
fn references(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, char| {
        let _ = write!(out, "&#{};", u32::from(char));
        out
    })
}

/// Bytes of chance in base64.
pub(crate) fn picture(random: &mut Random) -> String {
    format!("iVBORw0KGgo{}", random.text(BASE62, 401))
}
