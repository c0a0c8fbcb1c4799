//! How somebody may write a value that they ask for.

use super::cell::uuid_text;
use super::typed::{money, plain_text};
use crate::postgres::calendar;
use crate::postgres::catalog::Plain;

/// How a value may stand under a commitment that somebody writes so: as text, and as values of other types are written here.
#[must_use]
pub fn spellings(value: &str) -> Vec<Vec<u8>> {
    let value = value.trim();
    let mut all: Vec<String> = vec![value.to_owned()];
    dates(value, &mut all);
    moments(value, &mut all);
    numbers(value, &mut all);
    for plain in [Plain::Address, Plain::Lsn] {
        all.extend(plain_text(plain, value));
    }
    if let Some(uuid) = uuid(value) {
        all.push(uuid);
    }
    match value.to_ascii_lowercase().as_str() {
        "true" => all.push("t".to_owned()),
        "false" => all.push("f".to_owned()),
        _ => {}
    }
    let bytes = value.strip_prefix("\\x").map(hex::decode);
    let mut all: Vec<_> = all.into_iter().map(String::into_bytes).collect();
    all.extend(bytes.and_then(Result::ok));
    all.sort();
    all.dedup();
    all
}

/// A day in the styles in which text has it; where the value may be two, in those of both.
fn dates(value: &str, all: &mut Vec<String>) {
    for day in calendar::read_days(value) {
        let iso = calendar::day(day);
        let mut parts = iso.split('-');
        if let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) {
            let (m, d) = (month.trim_start_matches('0'), day.trim_start_matches('0'));
            for (first, second) in [(month, day), (day, month), (m, d), (d, m)] {
                all.extend(
                    ["/", "-", "."].map(|sign| format!("{first}{sign}{second}{sign}{year}")),
                );
            }
        }
        for midnight in ["", " 00:00:00", "T00:00:00", " 00:00:00+00"] {
            all.push(format!("{iso}{midnight}"));
        }
    }
}

/// A moment, and a time of a day, as the type of each is written.
fn moments(value: &str, all: &mut Vec<String>) {
    let moment = calendar::read_timestamp(value, true);
    all.extend(moment.map(|micros| calendar::timestamp(micros, "+00")));
    if let Some(micros) = calendar::read_timestamp(value, false) {
        let text = calendar::timestamp(micros, "");
        all.push(text.replacen(' ', "T", 1));
        all.push(text);
    }
    let time = calendar::read_time(value);
    all.extend(time.map(calendar::time));
}

/// A number with and without the zeros at its end, and an amount of money.
fn numbers(value: &str, all: &mut Vec<String>) {
    const CURRENCIES: &[char] = &['$', '€', '£', '¥'];
    let plain = value.replace(CURRENCIES, "").replace(',', "");
    let plain = plain.trim();
    let digits = plain.strip_prefix('-').unwrap_or(plain);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return;
    }
    let mut short = plain.to_owned();
    if plain.contains('.') {
        short.truncate(plain.trim_end_matches('0').trim_end_matches('.').len());
        for places in 1..=4 {
            let fraction = fraction.trim_end_matches('0');
            if fraction.len() <= places {
                let sign = if plain.starts_with('-') { "-" } else { "" };
                all.push(format!("{sign}{whole}.{fraction:0<places$}"));
            }
        }
        all.extend(money(plain).and_then(|money| String::from_utf8(money).ok()));
    }
    all.push(short);
}

fn uuid(value: &str) -> Option<String> {
    let digits: String = value.chars().filter(char::is_ascii_hexdigit).collect();
    let written = |char: char| char.is_ascii_hexdigit() || matches!(char, '-' | '{' | '}');
    if digits.len() != 32 || !value.chars().all(written) {
        return None;
    }
    let bytes = hex::decode(digits).ok()?;
    String::from_utf8(uuid_text(&bytes)).ok()
}
