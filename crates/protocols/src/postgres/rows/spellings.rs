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

/// Places behind the point that a number may be written with.
const PLACES_MAX: usize = 10;
/// A number written with an exponent may have so many digits without one.
const DIGITS_MAX: usize = 40;

/// A number with so many zeros at its end as a column may write, with an exponent, and as an amount of money.
fn numbers(value: &str, all: &mut Vec<String>) {
    const CURRENCIES: &[char] = &['$', '€', '£', '¥'];
    let plain = value.replace(CURRENCIES, "").replace(',', "");
    let plain = plain.trim();
    let Some(Number {
        sign,
        whole,
        fraction,
    }) = Number::read(plain)
    else {
        return;
    };
    let written = |places: usize| match places {
        0 => format!("{sign}{whole}"),
        places => format!("{sign}{whole}.{fraction:0<places$}"),
    };
    let places = fraction.len()..=fraction.len().max(PLACES_MAX);
    all.extend(places.map(written));
    let amount = written(fraction.len().max(2));
    all.extend(money(&amount).and_then(|money| String::from_utf8(money).ok()));
    // What is without zeros at its end, and the power of ten that it is multiplied by.
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let short = digits.trim_end_matches('0');
    if let Some((first, rest)) = short.split_at_checked(1) {
        let rest_places = i64::try_from(digits.len()).unwrap_or_default() - 1;
        let exponent = rest_places - i64::try_from(fraction.len()).unwrap_or_default();
        let point = if rest.is_empty() { "" } else { "." };
        for exponent in [
            format!("{exponent}"),
            format!("{exponent:+}"),
            format!("{exponent:+03}"),
        ] {
            all.extend(["e", "E"].map(|e| format!("{sign}{first}{point}{rest}{e}{exponent}")));
        }
    }
}

/// A number without zeros that say nothing.
struct Number {
    /// `-`, or nothing.
    sign: &'static str,
    whole: String,
    fraction: String,
}

impl Number {
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let mut digits = format!("{whole}{fraction}");
        let mut point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
        if exponent != 0 && usize::try_from(point.abs()).ok()? + digits.len() > DIGITS_MAX {
            return None;
        }
        while point < 0 {
            digits.insert(0, '0');
            point += 1;
        }
        let point = usize::try_from(point).ok()?;
        let digits = format!("{digits:0<point$}");
        let (whole, fraction) = digits.split_at_checked(point)?;
        let whole = whole.trim_start_matches('0');
        let number = Self {
            sign: if negative { "-" } else { "" },
            whole: if whole.is_empty() { "0" } else { whole }.to_owned(),
            fraction: fraction.trim_end_matches('0').to_owned(),
        };
        let is_zero = number.whole == "0" && number.fraction.is_empty();
        Some(if is_zero {
            Self { sign: "", ..number }
        } else {
            number
        })
    }
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
