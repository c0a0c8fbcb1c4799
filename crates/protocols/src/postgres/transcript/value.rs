//! Values as text.

use crate::postgres::catalog::{Form, Types};
use crate::postgres::rows::number_text;
use crate::postgres::wire::Format;

/// A value of the type with this object identifier.
pub(super) fn text(kind: u32, format: Format, value: &[u8]) -> String {
    if format == Format::Text && can_be_text(kind, value) {
        return words(value);
    }
    binary(kind, value).unwrap_or_else(|| words(value))
}

/// Readable bytes as they are, others in hexadecimal as PostgreSQL writes bytea.
pub(super) fn words(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if !text.contains('\0') => text.to_owned(),
        _ => format!("\\x{}", hex::encode(value)),
    }
}

/// Whether the bytes can be the text of a value of this type. A masked value is text too.
fn can_be_text(kind: u32, value: &[u8]) -> bool {
    let readable = std::str::from_utf8(value).is_ok_and(|text| !text.contains('\0'));
    let made_of = |more: &[u8]| {
        value
            .iter()
            .all(|byte| byte.is_ascii_digit() || more.contains(byte))
    };
    readable
        && match kind {
            16 => matches!(value, b"t" | b"f" | b"*"),
            20 | 21 | 23 | 26 => made_of(b"-*"),
            3802 => value.first() != Some(&1),
            _ => true,
        }
}

fn binary(kind: u32, value: &[u8]) -> Option<String> {
    match kind {
        16 => Some(if value == [0] { "f" } else { "t" }.to_owned()),
        21 => Some(i16::from_be_bytes(value.try_into().ok()?).to_string()),
        26 => Some(u32::from_be_bytes(value.try_into().ok()?).to_string()),
        700 => Some(f32::from_be_bytes(value.try_into().ok()?).to_string()),
        20 | 23 | 701 | 1700 => number_text(kind, value),
        1082 => date(i32::from_be_bytes(value.try_into().ok()?)),
        1083 => time(i64::from_be_bytes(value.try_into().ok()?)),
        1114 => timestamp(i64::from_be_bytes(value.try_into().ok()?)),
        1184 => timestamp(i64::from_be_bytes(value.try_into().ok()?)).map(|text| text + "+00"),
        2950 => uuid(value),
        3802 => Some(words(value.get(1..)?)),
        17 => Some(format!("\\x{}", hex::encode(value))),
        kind => match Types::built_in().form(kind) {
            Form::Text | Form::Json => Some(words(value)),
            _ => None,
        },
    }
}

fn uuid(value: &[u8]) -> Option<String> {
    let digits = hex::encode(value);
    let part = |range| digits.get(range);
    let parts = [
        part(0..8)?,
        part(8..12)?,
        part(12..16)?,
        part(16..20)?,
        part(20..32)?,
    ];
    (value.len() == 16).then(|| parts.join("-"))
}

/// Days from 0000-03-01 to 2000-01-01 in the proleptic Gregorian calendar.
const DAYS_TO_2000: i64 = 730_425;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Days since 2000-01-01.
fn date(days: i32) -> Option<String> {
    match days {
        i32::MAX => Some("infinity".to_owned()),
        i32::MIN => Some("-infinity".to_owned()),
        days => day(days.into()),
    }
}

/// The day, by counting years from March, so that a leap day ends them: 400 years are 146,097 days.
fn day(days: i64) -> Option<String> {
    let days = days + DAYS_TO_2000;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year_of_era + next;
    Some(if year > 0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{:04}-{month:02}-{day:02} BC", 1 - year)
    })
}

/// Microseconds since midnight.
fn time(micros: i64) -> Option<String> {
    let (secs, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let text = format!("{:02}:{:02}:{:02}", secs / 3_600, secs / 60 % 60, secs % 60);
    Some(if rest == 0 {
        text
    } else {
        format!("{text}.{rest:06}").trim_end_matches('0').to_owned()
    })
}

/// Microseconds since 2000-01-01 00:00.
fn timestamp(micros: i64) -> Option<String> {
    match micros {
        i64::MAX => return Some("infinity".to_owned()),
        i64::MIN => return Some("-infinity".to_owned()),
        _ => {}
    }
    let (date, time) = (
        day(micros.div_euclid(MICROS_PER_DAY))?,
        time(micros.rem_euclid(MICROS_PER_DAY))?,
    );
    Some(match date.strip_suffix(" BC") {
        Some(date) => format!("{date} {time} BC"),
        None => format!("{date} {time}"),
    })
}
