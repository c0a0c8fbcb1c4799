//! Numbers in binary, written as PostgreSQL writes them in text, for the detectors to read; and back.

use std::io::Write as _;

use crate::postgres::catalog::Form;
use crate::postgres::wire::Format;

/// So many groups of four digits are written; no detector looks at a longer number.
const GROUPS_MAX: usize = 16;

/// A number in binary, of int4, int8, float8 or numeric, in text; `None` where it is none, or longer than is written here.
pub(in crate::postgres) fn number_text(kind: u32, value: &[u8]) -> Option<String> {
    let form = match kind {
        20 => Form::Int8,
        21 => Form::Int2,
        23 => Form::Int4,
        701 => Form::Float8,
        1700 if value.len() <= 8 + 2 * GROUPS_MAX => Form::Numeric,
        _ => return None,
    };
    let mut out = Vec::new();
    write(form, value, &mut out)?;
    String::from_utf8(out).ok()
}

/// Appends the value in text; `None` where it is not of this form.
pub(super) fn write(form: Form, value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match form {
        Form::Int2 => {
            let number = i16::from_be_bytes(value.try_into().ok()?);
            write!(out, "{number}").ok()
        }
        Form::Int4 => {
            let number = i32::from_be_bytes(value.try_into().ok()?);
            write!(out, "{number}").ok()
        }
        Form::Int8 | Form::Money => {
            let number = i64::from_be_bytes(value.try_into().ok()?);
            write!(out, "{number}").ok()
        }
        Form::Float8 => double(value, out),
        Form::Numeric => numeric(value, out),
        _ => None,
    }
}

/// Doubles in text, those with exponents written as [`write`] does.
pub(super) fn without_exponents(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let in_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e');
    for part in text.chunk_by(|one, next| in_number(one) == in_number(next)) {
        let number = std::str::from_utf8(part)
            .ok()
            .filter(|part| part.contains('e'));
        match number.and_then(|part| part.parse().ok()) {
            Some(number) => drop(written(number, &mut out)),
            None => out.extend_from_slice(part),
        }
    }
    out
}

fn double(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    written(f64::from_be_bytes(value.try_into().ok()?), out)
}

/// The same as a string.
pub(super) fn float_text(number: f64) -> Option<String> {
    let mut out = Vec::new();
    written(number, &mut out)?;
    String::from_utf8(out).ok()
}

/// The same of a float of 32 bits: its shortest digits.
pub(super) fn single_text(number: f32) -> Option<String> {
    float_text(format!("{number:e}").parse().ok()?)
}

fn written(number: f64, out: &mut Vec<u8>) -> Option<()> {
    if number.is_infinite() {
        let sign = if number < 0.0 { "-" } else { "" };
        return write!(out, "{sign}Infinity").ok();
    }
    // Very large and very small ones would be written out in hundreds of digits.
    if number != 0.0 && !(1e-5..1e20).contains(&number.abs()) {
        write!(out, "{number:e}").ok()
    } else {
        write!(out, "{number}").ok()
    }
}

/// `numeric_send`: count of groups, weight of the first, sign, digits after the point, groups of four digits.
fn numeric(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut words = value
        .chunks(2)
        .map(|pair| pair.try_into().ok().map(u16::from_be_bytes));
    let mut word = || words.next().flatten();
    let (count, weight, sign, scale) = (word()?, word()?.cast_signed(), word()?, word()?);
    if value.len() != 8 + 2 * usize::from(count) {
        return None;
    }
    match sign {
        0 => {}
        0x4000 => out.push(b'-'),
        0xC000 | 0xD000 | 0xF000 => {
            out.extend_from_slice(b"NaN");
            return Some(());
        }
        _ => return None,
    }
    let groups: Vec<u16> = value
        .get(8..)?
        .chunks(2)
        .take(GROUPS_MAX)
        .filter_map(|pair| pair.try_into().ok().map(u16::from_be_bytes))
        .collect();
    let group = |at: i16| {
        usize::try_from(at)
            .ok()
            .and_then(|at| groups.get(at).copied())
            .unwrap_or(0)
    };
    if weight < 0 {
        out.push(b'0');
    }
    let shown = i16::try_from(GROUPS_MAX).unwrap_or(i16::MAX);
    for at in 0..=weight.min(shown) {
        if at == 0 {
            write!(out, "{}", group(at)).ok()?;
        } else {
            write!(out, "{:04}", group(at)).ok()?;
        }
    }
    let mut digits = usize::from(scale).min(4 * GROUPS_MAX);
    if digits > 0 {
        out.push(b'.');
    }
    let mut at = weight.checked_add(1)?;
    while digits > 0 {
        let four = format!("{:04}", group(at));
        let shown = four.as_bytes().get(..digits.min(4)).unwrap_or_default();
        out.extend_from_slice(shown);
        digits -= shown.len();
        at = at.checked_add(1)?;
    }
    Some(())
}

/// Appends the value that `text` says, as PostgreSQL writes it; `None` where it is none of this form.
pub(super) fn read(form: Form, format: Format, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let text = std::str::from_utf8(text).ok()?;
    match (form, format) {
        (Form::Int2, Format::Binary) => out.extend(text.parse::<i16>().ok()?.to_be_bytes()),
        (Form::Int2, Format::Text) => write!(out, "{}", text.parse::<i16>().ok()?).ok()?,
        (Form::Int4, Format::Binary) => out.extend(text.parse::<i32>().ok()?.to_be_bytes()),
        (Form::Int8, Format::Binary) => out.extend(text.parse::<i64>().ok()?.to_be_bytes()),
        (Form::Int4, Format::Text) => write!(out, "{}", text.parse::<i32>().ok()?).ok()?,
        (Form::Int8, Format::Text) => write!(out, "{}", text.parse::<i64>().ok()?).ok()?,
        (Form::Numeric, format) => decimal(text, format, out)?,
        _ => return None,
    }
    Some(())
}

fn decimal(text: &str, format: Format, out: &mut Vec<u8>) -> Option<()> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    if format == Format::Text {
        let whole = if whole.is_empty() { "0" } else { whole };
        let point = if fraction.is_empty() { "" } else { "." };
        return write!(out, "{sign}{whole}{point}{fraction}").ok();
    }
    let before = whole.len().next_multiple_of(4);
    let after = fraction.len().next_multiple_of(4);
    let digits = format!("{whole:0>before$}{fraction:0<after$}");
    let groups = digits.as_bytes().chunks(4);
    let groups = groups.map(|four| std::str::from_utf8(four).ok()?.parse::<u16>().ok());
    let groups = groups.collect::<Option<Vec<_>>>()?;
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let shown = groups.get(leading..)?;
    let zeros = shown.iter().rev().take_while(|group| **group == 0).count();
    let shown = shown.get(..shown.len() - zeros)?;
    let weight = i64::try_from(before / 4).ok()? - 1 - i64::try_from(leading).ok()?;
    let weight = if shown.is_empty() { 0 } else { weight };
    let negative = sign == "-" && !shown.is_empty();
    let words = [
        u16::try_from(shown.len()).ok()?,
        i16::try_from(weight).ok()?.cast_unsigned(),
        if negative { 0x4000 } else { 0 },
        u16::try_from(fraction.len()).ok()?,
    ];
    out.extend(
        words
            .iter()
            .chain(shown)
            .flat_map(|word| word.to_be_bytes()),
    );
    Some(())
}
