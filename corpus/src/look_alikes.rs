//! What engineers see every day, and must go on seeing: numbers and strings that only look like protected ones.

use crate::Maker;
use crate::random::{BASE62, Random};
use crate::values::digit;

const fn like(name: &'static str, make: fn(&mut Random) -> String) -> Maker {
    Maker {
        name,
        label: name,
        protected: false,
        make,
    }
}

pub(crate) const MAKERS: &[Maker] = &[
    like("order_number", |random| {
        random.number(1_000_000_000..9_999_999_999).to_string()
    }),
    like("order_16", |random| {
        format!("{}{}", random.number(1..10), random.digits(15))
    }),
    like("invoice", |random| {
        format!("INV-{}-{}", random.number(2015..2026), random.digits(6))
    }),
    like("customer_id", |random| {
        random.number(100_000..99_999_999).to_string()
    }),
    like("timestamp", timestamp),
    like("day", day),
    like("epoch", |random| {
        random.number(1_600_000_000..1_800_000_000).to_string()
    }),
    like("epoch_ms", |random| {
        random
            .number(1_600_000_000_000..1_800_000_000_000)
            .to_string()
    }),
    like("epoch_ns", |random| {
        random
            .number(1_600_000_000_000_000_000..1_800_000_000_000_000_000)
            .to_string()
    }),
    like("uuid", uuid),
    like("md5", |random| random.hex(32)),
    like("cache_key", |random| {
        format!(
            "{}-key-{}",
            random.pick(&["build", "npm", "linux-x64"]),
            random.hex(32)
        )
    }),
    like("style", |random| {
        format!("sk-{}-button--primary-outline", random.hex(4))
    }),
    like("git_sha", |random| random.hex(40)),
    like("git_short", |random| random.hex(8)),
    like("sha256", |random| format!("sha256:{}", random.hex(64))),
    like("integrity", |random| {
        format!("sha512-{}==", random.text(BASE62, 86))
    }),
    like("version", version),
    like("version_4", |random| {
        format!(
            "{}.{}.{}.{}",
            random.number(0..30),
            random.number(0..20),
            random.number(0..999),
            random.number(0..9999)
        )
    }),
    like("ean", ean),
    like("isbn", |random| {
        format!(
            "978-{}-{}-{}-{}",
            random.digits(1),
            random.digits(3),
            random.digits(5),
            random.digits(1)
        )
    }),
    like("ticket", |random| {
        format!(
            "{}-{}",
            random.pick(&["PAY", "OPS", "BUG"]),
            random.number(100..99_999)
        )
    }),
    like("parcel", |random| {
        format!(
            "1Z{}{}",
            random.text("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 6),
            random.digits(10)
        )
    }),
    like("parcel_usps", |random| format!("9400{}", random.digits(18))),
    like("part_number", |random| {
        format!(
            "{}-{}-{}",
            random.digits(3),
            random.digits(3),
            random.digits(4)
        )
    }),
    like("snowflake", |random| {
        random
            .number(100_000_000_000_000_000..999_999_999_999_999_999)
            .to_string()
    }),
    like("amount", |random| {
        format!(
            "{},{:03},{:03}.{:02}",
            random.number(1..900),
            random.number(0..1000),
            random.number(0..1000),
            random.number(0..100)
        )
    }),
    like("float", |random| format!("0.{}", random.digits(16))),
    like("coordinates", |random| {
        format!(
            "{}.{}, -{}.{}",
            random.number(20..60),
            random.digits(6),
            random.number(70..120),
            random.digits(6)
        )
    }),
    like("mac", |random| {
        (0..6).map(|_| random.hex(2)).collect::<Vec<_>>().join(":")
    }),
    like("trace", |random| {
        format!("00-{}-{}-01", random.hex(32), random.hex(16))
    }),
    like("pod", |random| {
        format!(
            "api-{}-{}",
            random.hex(10),
            random.text("bcdfghjklmnpqrstvwxz2456789", 5)
        )
    }),
    like("arn", |random| {
        format!(
            "arn:aws:lambda:us-east-1:{}:function:sync",
            random.digits(12)
        )
    }),
    like("handle", |random| {
        format!(
            "@{}",
            random.pick(&[
                "types/node@20.1.0",
                "babel/core@7.24.5",
                "Override",
                "media"
            ])
        )
    }),
    like("image", |random| {
        format!("registry.local:5000/app@sha256:{}", random.hex(64))
    }),
    like("url", |random| {
        format!(
            "https://example.com:8443/v{}/items/{}?page={}",
            random.number(1..4),
            random.digits(9),
            random.number(1..100)
        )
    }),
    like("placeholder", |random| {
        (*random.pick(&[
            "${API_KEY}",
            "<your-token>",
            "********",
            "os.environ['TOKEN']",
            "changeme",
            "null",
        ]))
        .to_owned()
    }),
    like("word", |random| {
        (*random.pick(&[
            "pending",
            "blue",
            "Quarterly report",
            "n/a",
            "retry later",
            "Team Falcon",
        ]))
        .to_owned()
    }),
    like("measure", |random| {
        format!(
            "{} Ohm St 4.0, {} V",
            random.number(10..99),
            random.number(100..400)
        )
    }),
    like("base64_id", |random| random.text(BASE62, 22)),
    like("base64_picture", crate::encoded::picture),
    like("minified", |random| {
        format!(
            "!function(e,t){{\"use strict\";var n={},r=t.exports.{};for(let o=0;o<n.length;o++)r[o]=e^{}}}(this,{{}});",
            random.number(10..999),
            random.text(BASE62, 18),
            random.digits(9)
        )
    }),
    like("escaped", |random| {
        format!("%7B%22n%22%3A{}%7D", random.number(10..99_999))
    }),
    like("code_name", |random| random.capitals(8)),
];

fn timestamp(random: &mut Random) -> String {
    format!(
        "{}T{:02}:{:02}:{:02}.{}Z",
        day(random),
        random.number(0..24),
        random.number(0..60),
        random.number(0..60),
        random.digits(3)
    )
}

fn day(random: &mut Random) -> String {
    format!(
        "{}-{:02}-{:02}",
        random.number(2015..2027),
        random.number(1..13),
        random.number(1..29)
    )
}

/// RFC 9562, version 4.
fn uuid(random: &mut Random) -> String {
    format!(
        "{}-{}-4{}-{}{}-{}",
        random.hex(8),
        random.hex(4),
        random.hex(3),
        random.text("89ab", 1),
        random.hex(3),
        random.hex(12)
    )
}

fn version(random: &mut Random) -> String {
    format!(
        "{}.{}.{}",
        random.number(0..30),
        random.number(0..60),
        random.number(0..20)
    )
}

/// GS1: twelve digits and the check digit with weights one and three.
fn ean(random: &mut Random) -> String {
    let prefix = random.pick(&["400", "590", "036", "471"]);
    let mut number = format!("{prefix}{}", random.digits(9));
    let sum: u32 = number
        .bytes()
        .zip([1, 3].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    number.push(digit((10 - sum % 10) % 10));
    number
}
