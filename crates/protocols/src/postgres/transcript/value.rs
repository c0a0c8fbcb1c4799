//! Values as text.

use crate::postgres::calendar;
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
        1082 => Some(calendar::date(i32::from_be_bytes(value.try_into().ok()?))),
        1083 => Some(calendar::time(i64::from_be_bytes(value.try_into().ok()?))),
        1114 => timestamp(value, ""),
        1184 => timestamp(value, "+00"),
        2950 => uuid(value),
        3802 => Some(words(value.get(1..)?)),
        17 => Some(format!("\\x{}", hex::encode(value))),
        kind => match Types::built_in().form(kind) {
            Form::Text | Form::Json => Some(words(value)),
            _ => None,
        },
    }
}

fn timestamp(value: &[u8], zone: &str) -> Option<String> {
    let micros = i64::from_be_bytes(value.try_into().ok()?);
    Some(calendar::timestamp(micros, zone))
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
