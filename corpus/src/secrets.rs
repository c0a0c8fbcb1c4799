//! Keys, tokens and passwords, in the forms that their makers publish.

use crate::Maker;
use crate::random::{BASE62, HEX, Random};

pub(crate) const MAKERS: &[Maker] = &[
    Maker::of("aws_access_key", "aws_id", aws_id),
    Maker::of("aws_secret_key", "aws_secret", |random| {
        random.text(BASE64, 40)
    }),
    Maker::of("private_key", "pem", pem),
    Maker::of("jwt", "jwt", jwt),
    Maker::of("provider_token", "token", token),
    Maker::of("url_password", "password", password),
    Maker::of("generic_secret", "secret", secret),
    Maker::of("generic_secret", "passphrase", password),
];

const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn aws_id(random: &mut Random) -> String {
    let kind = random.pick(&["AKIA", "AKIA", "ASIA"]);
    format!(
        "{kind}{}",
        random.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)
    )
}

fn pem(random: &mut Random) -> String {
    let kind = random.pick(&["", "RSA ", "EC ", "OPENSSH "]);
    let lines: Vec<_> = (0..6).map(|_| random.text(BASE64, 64)).collect();
    format!(
        "-----BEGIN {kind}PRIVATE KEY-----\n{}\n-----END {kind}PRIVATE KEY-----",
        lines.join("\n")
    )
}

/// RFC 7519: header and claims are JSON objects in base64url.
fn jwt(random: &mut Random) -> String {
    let header = *random.pick(&[
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ",
    ]);
    let claims = random.text(URL_SAFE, 60);
    format!("{header}.eyJzdWIiOiI{claims}.{}", random.text(URL_SAFE, 43))
}

/// Prefixes are put together here so that this file holds no token.
fn token(random: &mut Random) -> String {
    const CAPITALS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let forms: &[(&str, &str, &str, usize)] = &[
        ("gh", "p_", BASE62, 36),
        ("gh", "s_", BASE62, 36),
        ("github", "_pat_", BASE62, 82),
        ("glp", "at-", URL_SAFE, 20),
        ("glr", "t-", URL_SAFE, 20),
        ("gld", "t-", URL_SAFE, 20),
        ("xo", "xb-", BASE62, 40),
        ("xa", "pp-", BASE62, 60),
        ("sk_", "live_", BASE62, 24),
        ("sk_", "test_", BASE62, 24),
        ("rk_", "live_", BASE62, 24),
        ("whs", "ec_", BASE62, 32),
        ("AI", "za", URL_SAFE, 35),
        ("GOC", "SPX-", URL_SAFE, 28),
        ("ya2", "9.", URL_SAFE, 140),
        ("np", "m_", BASE62, 36),
        ("sk-", "ant-api03-", URL_SAFE, 95),
        ("sk-", "proj-", BASE62, 64),
        ("pypi", "-AgEI", URL_SAFE, 80),
        ("dop", "_v1_", HEX, 64),
        ("shp", "at_", HEX, 32),
        (
            "h",
            "f_",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            34,
        ),
        ("dap", "i", HEX, 32),
        ("hv", "s.", BASE62, 90),
        ("dckr", "_pat_", URL_SAFE, 27),
        ("S", "K", HEX, 32),
        ("ke", "y-", HEX, 32),
        ("sq0", "csp-", URL_SAFE, 43),
        ("EA", "AA", URL_SAFE, 60),
        ("ATA", "TT3xFfGF0", URL_SAFE, 183),
        ("lin_", "api_", BASE62, 40),
        ("nt", "n_", BASE62, 46),
        ("fig", "d_", URL_SAFE, 40),
        ("NRA", "K-", CAPITALS, 27),
        ("gl", "c_", BASE62, 120),
    ];
    let place = random.number(0..forms.len() as u64 + 6);
    match place {
        0 => joined(random, "SG", ".", &[(URL_SAFE, 22), (URL_SAFE, 43)]),
        1 => joined(random, "PMAK", "-", &[(HEX, 24), (HEX, 34)]),
        2 => joined(random, "glsa", "_", &[(BASE62, 32), (HEX, 8)]),
        3 => format!("{}:AA{}", random.digits(10), random.text(URL_SAFE, 33)),
        4 => format!(
            "{}.atlasv1.{}",
            random.text(BASE62, 14),
            random.text(URL_SAFE, 67)
        ),
        5 => format!("{}NRAL", random.hex(36)),
        _ => {
            let &(first, second, alphabet, length) = random.pick(forms);
            format!("{first}{second}{}", random.text(alphabet, length))
        }
    }
}

fn joined(random: &mut Random, mark: &str, sign: &str, parts: &[(&str, usize)]) -> String {
    parts
        .iter()
        .fold(mark.to_owned(), |all, (alphabet, length)| {
            format!("{all}{sign}{}", random.text(alphabet, *length))
        })
}

fn password(random: &mut Random) -> String {
    match random.number(0..4) {
        0 => format!(
            "{}{}",
            random.pick(&["hunter", "Winter", "secret", "dragon"]),
            random.number(1..2030)
        ),
        1 => random.text(BASE62, 16),
        2 => format!("{}!{}", random.text(BASE62, 6), random.digits(3)),
        _ => format!(
            "{}-{}",
            random.pick(&["correct", "horse", "battery"]),
            random.text(BASE62, 6)
        ),
    }
}

/// What services hand out that mark their keys with nothing.
fn secret(random: &mut Random) -> String {
    match random.number(0..4) {
        0 => random.hex(32),
        1 => random.hex(64),
        2 => random.text(BASE62, 40),
        _ => format!("{}=", random.text(BASE64, 43)),
    }
}
