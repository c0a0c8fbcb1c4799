//! Other values of a type in place of hidden ones, with strategies that put something else in a value's place: in text and in binary
//! the same.

use std::cmp::Ordering;
use std::net::IpAddr;

use mask::{Findings, Others};
use model::DataClass;

use super::cell::Cells;
use super::range::{self, Range};
use super::{numeric, typed};
use crate::postgres::calendar;
use crate::postgres::catalog::{Form, Plain};
use crate::postgres::wire::Format;

/// Appends another value of the form in place of one that is declared to be of `class`, which is counted. `None`, and nothing is
/// counted, where there is none.
pub(super) fn replaced(
    cells: &Cells,
    (form, format): (Form, Format),
    class: &DataClass,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Option<()> {
    let is_typed = matches!(
        form,
        Form::Int2
            | Form::Int4
            | Form::Int8
            | Form::Numeric
            | Form::Money
            | Form::Float8
            | Form::Plain(_)
            | Form::Range(_)
            | Form::Multirange(_)
    );
    is_typed.then_some(())?;
    let written = typed::written(cells, form, format, value);
    let masker = &cells.masks().text;
    let other = masker.mask_typed(class, &written, findings, |others| {
        other(cells, others, form, format, value, &written)
    })?;
    out.extend(other);
    Some(())
}

fn other(
    cells: &Cells,
    others: Others<'_>,
    form: Form,
    format: Format,
    value: &[u8],
    written: &[u8],
) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(written).ok()?;
    let mut out = Vec::new();
    match form {
        Form::Int2 | Form::Int4 | Form::Int8 | Form::Numeric => {
            numeric::read(form, format, others.number(text)?.as_bytes(), &mut out)?;
        }
        Form::Money => {
            let amount = others.number(text)?;
            match format {
                Format::Binary => out.extend(amount.parse::<i64>().ok()?.to_be_bytes()),
                Format::Text => out = with_digits(value, amount.as_bytes())?,
            }
        }
        Form::Float8 => {
            let double = others.double(text.parse().ok()?, text)?;
            match format {
                Format::Binary => out.extend(double.to_be_bytes()),
                Format::Text => out.extend(numeric::float_text(double)?.into_bytes()),
            }
        }
        Form::Plain(plain) => out = plain_other(others, plain, format, value, text)?,
        Form::Range(element) | Form::Multirange(element) => {
            let element = cells.form(element);
            let ranges = ranges(others, form, element, written)?;
            out = match format {
                Format::Binary => range::binary(form, element, &ranges)?,
                Format::Text if is_iso(form, element, value) => range::text(form, &ranges)?,
                Format::Text => return None,
            };
        }
        _ => return None,
    }
    Some(out)
}

/// An amount as its country writes it, with other digits; zeros before the first stay.
fn with_digits(value: &[u8], amount: &[u8]) -> Option<Vec<u8>> {
    let mut out = value.to_vec();
    let mut digits = amount.iter().rev().filter(|byte| byte.is_ascii_digit());
    for place in out.iter_mut().rev().filter(|byte| byte.is_ascii_digit()) {
        let Some(digit) = digits.next() else { break };
        *place = *digit;
    }
    digits.next().is_none().then_some(out)
}

fn plain_other(
    others: Others<'_>,
    plain: Plain,
    format: Format,
    value: &[u8],
    text: &str,
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match plain {
        // Of a value in another style one in this style might not be understood.
        Plain::Date | Plain::Timestamp | Plain::TimestampTz
            if format == Format::Binary || typed::is_iso(value) =>
        {
            let micros = others.moment(typed::micros(plain, text.as_bytes())?)?;
            typed::put_micros(plain, format, micros, &mut out)?;
        }
        Plain::Time => {
            let micros = others.time(calendar::read_time(text)?)?;
            match format {
                Format::Binary => out.extend(micros.to_be_bytes()),
                Format::Text => out.extend(calendar::time(micros).into_bytes()),
            }
        }
        Plain::TimeTz => {
            let (time, zone) = text.split_at_checked(text.find(['+', '-'])?)?;
            let micros = others.time(calendar::read_time(time)?)?;
            match format {
                Format::Binary => {
                    out.extend(micros.to_be_bytes());
                    out.extend_from_slice(value.get(8..)?);
                }
                Format::Text => out.extend((calendar::time(micros) + zone).into_bytes()),
            }
        }
        Plain::Float4 => {
            let single = others.single(text.parse().ok()?, text)?;
            match format {
                Format::Binary => out.extend(single.to_be_bytes()),
                Format::Text => out.extend(numeric::single_text(single)?.into_bytes()),
            }
        }
        Plain::Address => out = address(others, format, value, text)?,
        Plain::Mac => {
            let bytes = hex::decode(text.replace(':', "")).ok()?;
            let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
            let bytes = from_bits(&others.bits(&bits)?);
            match format {
                Format::Binary => out = bytes,
                Format::Text => out.extend(typed::mac(&bytes).into_bytes()),
            }
        }
        Plain::Bits => {
            let bits = others.bits(text)?;
            match format {
                Format::Binary => {
                    out.extend_from_slice(value.get(..4)?);
                    out.extend(from_bits(&bits));
                }
                Format::Text => out.extend(bits.into_bytes()),
            }
        }
        _ => return None,
    }
    Some(out)
}

/// The bytes of bits in text, zeros behind the last.
fn from_bits(bits: &str) -> Vec<u8> {
    let bytes = bits.as_bytes().chunks(8);
    let byte = |bits: &[u8]| {
        let bits = bits.iter().zip((0..8).rev());
        bits.fold(0, |byte, (bit, place)| byte | (bit & 1) << place)
    };
    bytes.map(byte).collect()
}

fn address(others: Others<'_>, format: Format, value: &[u8], text: &str) -> Option<Vec<u8>> {
    let (address, network) = match text.split_once('/') {
        Some((address, network)) => (address, Some(network.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    let other = others.address(address, network.unwrap_or(all))?;
    if format == Format::Text {
        // The network's bits stay as they are written, of hosts or not.
        let slash = value.iter().position(|byte| *byte == b'/');
        let behind = value.get(slash.unwrap_or(value.len())..)?;
        return Some([other.to_string().as_bytes(), behind].concat());
    }
    let head = value.get(..4)?;
    Some(match other {
        IpAddr::V4(other) => [head, &other.octets()].concat(),
        IpAddr::V6(other) => [head, &other.octets()].concat(),
    })
}

/// Ranges with other bounds, which are put in order over all of them, so that each is a range and none meets the next. `None` where
/// a bound cannot be another one, and where the order leaves a range with nothing in it.
fn ranges(others: Others<'_>, form: Form, element: Form, written: &[u8]) -> Option<Vec<Range>> {
    let mut ranges = range::read(form, written)?;
    let bounds = ranges
        .iter()
        .flat_map(|range| range.bounds.iter().flatten());
    let bounds = bounds.map(|bound| {
        let mut out = Vec::new();
        let written = std::str::from_utf8(bound).ok()?;
        match element {
            Form::Plain(plain) => {
                let micros = others.moment(typed::micros(plain, bound)?)?;
                typed::put_micros(plain, Format::Text, micros, &mut out)?;
            }
            Form::Int4 | Form::Int8 | Form::Numeric => {
                numeric::read(
                    element,
                    Format::Text,
                    others.number(written)?.as_bytes(),
                    &mut out,
                )?;
            }
            _ => return None,
        }
        Some(out)
    });
    let mut bounds = bounds.collect::<Option<Vec<_>>>()?;
    bounds.sort_by(|one, other| compare(element, one, other));
    let some = !bounds.is_empty();
    let mut bounds = bounds.into_iter();
    for bound in ranges
        .iter_mut()
        .flat_map(|range| range.bounds.iter_mut().flatten())
    {
        *bound = bounds.next()?;
    }
    let is_range = |range: &Range| match &range.bounds {
        [Some(lower), Some(upper)] => match compare(element, lower, upper) {
            Ordering::Equal => range.closed == [true, true],
            order => order == Ordering::Less,
        },
        _ => true,
    };
    let apart = |pair: &[Range]| match pair {
        [
            Range {
                bounds: [_, Some(one)],
                closed: [_, ends],
                ..
            },
            Range {
                bounds: [Some(next), _],
                closed: [begins, _],
                ..
            },
        ] => match compare(element, one, next) {
            Ordering::Equal => !ends && !begins,
            order => order == Ordering::Less,
        },
        _ => false,
    };
    let valid = ranges.iter().all(is_range) && ranges.windows(2).all(apart);
    (some && valid).then_some(ranges)
}

/// The order of two bounds as they are written.
fn compare(element: Form, one: &[u8], other: &[u8]) -> Ordering {
    if let Form::Plain(plain) = element {
        return typed::micros(plain, one).cmp(&typed::micros(plain, other));
    }
    let parts = |number: &[u8]| {
        let (negative, digits) = match number.strip_prefix(b"-") {
            Some(digits) => (true, digits),
            None => (false, number),
        };
        let point = digits.iter().position(|byte| *byte == b'.');
        let (whole, fraction) = digits.split_at(point.unwrap_or(digits.len()));
        let zeros = fraction
            .iter()
            .rev()
            .take_while(|byte| **byte == b'0')
            .count();
        let fraction = fraction.get(..fraction.len() - zeros).unwrap_or_default();
        (negative, (whole.len(), whole.to_vec(), fraction.to_vec()))
    };
    match (parts(one), parts(other)) {
        ((true, one), (true, other)) => other.cmp(&one),
        ((false, one), (false, other)) => one.cmp(&other),
        ((negative, _), _) if negative => Ordering::Less,
        _ => Ordering::Greater,
    }
}

/// Whether days and moments within ranges are written in the style ISO, and so may be others in it.
fn is_iso(form: Form, element: Form, value: &[u8]) -> bool {
    let mut ranges = range::read(form, value).into_iter().flatten();
    let plain = matches!(element, Form::Plain(_));
    !plain
        || ranges.all(|range| {
            range
                .bounds
                .iter()
                .flatten()
                .all(|bound| typed::is_iso(bound))
        })
}
