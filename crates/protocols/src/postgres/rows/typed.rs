//! Values of types that are no text, each written in one way, whatever the format and the session's styles: what commitments and
//! masks take for equal. That is PostgreSQL's own text, in the style ISO and at UTC.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::cell::Cells;
use super::numeric;
use super::range::{self, Range};
use crate::postgres::calendar;
use crate::postgres::catalog::{Figure, Form, Plain};
use crate::postgres::wire::Format;

/// The value, written in that way; what cannot be read is as it stands.
pub(super) fn written<'a>(
    cells: &Cells,
    form: Form,
    format: Format,
    value: &'a [u8],
) -> Cow<'a, [u8]> {
    let written = match format {
        Format::Text => from_text(cells, form, value),
        Format::Binary => from_binary(cells, form, value),
    };
    written.map_or(Cow::Borrowed(value), Cow::Owned)
}

fn from_text(cells: &Cells, form: Form, value: &[u8]) -> Option<Vec<u8>> {
    let text = || std::str::from_utf8(value).ok();
    match form {
        Form::Plain(plain) => plain_text(plain, text()?).map(String::into_bytes),
        Form::Money => money(text()?),
        Form::Float8 | Form::Floats(_) => Some(numeric::without_exponents(value)),
        Form::Range(element) | Form::Multirange(element) => {
            let ranges = range::read(form, value)?.into_iter();
            let bound = |bound: &[u8]| from_text(cells, cells.form(element), bound);
            let ranges: Vec<_> = ranges.map(|range| range.each(bound)).collect();
            range::text(form, &ranges)
        }
        _ => None,
    }
}

/// A value in binary, written in that way; `None` where it cannot be read.
pub(super) fn from_binary(cells: &Cells, form: Form, value: &[u8]) -> Option<Vec<u8>> {
    match form {
        Form::Plain(plain) => plain_binary(plain, value).map(String::into_bytes),
        Form::Uuid => Some(super::cell::uuid_text(value)),
        Form::Floats(figure) => floats(figure, value),
        Form::Int2 | Form::Int4 | Form::Int8 | Form::Money | Form::Float8 | Form::Numeric => {
            let mut out = Vec::with_capacity(32);
            numeric::write(form, value, &mut out).map(|()| out)
        }
        Form::Range(element) => {
            let range = Range::read_binary(cells, element, value)?;
            range::text(form, &[range])
        }
        Form::Multirange(element) => {
            let (_, mut rest) = value.split_at_checked(4)?;
            let mut ranges = Vec::new();
            while !rest.is_empty() {
                let range = range::sized(&mut rest)?;
                ranges.push(Range::read_binary(cells, element, range)?);
            }
            range::text(form, &ranges)
        }
        _ => None,
    }
}

pub(super) fn plain_text(plain: Plain, text: &str) -> Option<String> {
    match plain {
        Plain::Date => calendar::read_day(text).map(calendar::day),
        Plain::Timestamp => {
            let micros = calendar::read_timestamp(text, false)?;
            Some(calendar::timestamp(micros, ""))
        }
        Plain::TimestampTz => {
            let micros = calendar::read_timestamp(text, true)?;
            Some(calendar::timestamp(micros, "+00"))
        }
        Plain::Float4 => String::from_utf8(numeric::without_exponents(text.as_bytes())).ok(),
        Plain::Address => {
            let (address, bits) = match text.split_once('/') {
                Some((address, bits)) => (address, Some(bits.parse().ok()?)),
                None => (text, None),
            };
            Some(address_text(address.parse().ok()?, bits))
        }
        Plain::Lsn => {
            let (high, low) = text.split_once('/')?;
            let part = |digits| u32::from_str_radix(digits, 16).ok();
            Some(lsn(part(high)?, part(low)?))
        }
        _ => None,
    }
}

/// A day or moment that was written in that way, in microseconds since 2000-01-01 00:00.
pub(super) fn micros(plain: Plain, written: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(written).ok()?;
    match plain {
        Plain::Date => calendar::read_day(text)?.checked_mul(calendar::DAY),
        Plain::Timestamp => calendar::read_timestamp(text, false),
        Plain::TimestampTz => calendar::read_timestamp(text, true),
        _ => None,
    }
}

/// Whether a text begins as the style ISO has it: with the year.
pub(super) fn is_iso(value: &[u8]) -> bool {
    let year = value.get(..4);
    year.is_some_and(|year| year.iter().all(u8::is_ascii_digit)) && value.get(4) == Some(&b'-')
}

/// Appends a day or moment.
pub(super) fn put_micros(
    plain: Plain,
    format: Format,
    micros: i64,
    out: &mut Vec<u8>,
) -> Option<()> {
    let day = micros.div_euclid(calendar::DAY);
    match (format, plain) {
        (Format::Binary, Plain::Date) => out.extend(i32::try_from(day).ok()?.to_be_bytes()),
        (Format::Binary, _) => out.extend(micros.to_be_bytes()),
        (Format::Text, Plain::Date) => out.extend(calendar::day(day).into_bytes()),
        (Format::Text, Plain::TimestampTz) => {
            out.extend(calendar::timestamp(micros, "+00").into_bytes());
        }
        (Format::Text, _) => out.extend(calendar::timestamp(micros, "").into_bytes()),
    }
    Some(())
}

fn plain_binary(plain: Plain, value: &[u8]) -> Option<String> {
    let long = |at: usize| Some(i64::from_be_bytes(*value.get(at..)?.first_chunk()?));
    let int = |at: usize| Some(i32::from_be_bytes(*value.get(at..)?.first_chunk()?));
    let sized = |length: usize| (value.len() == length).then_some(());
    Some(match plain {
        Plain::Bool => {
            sized(1)?;
            if value == [0] { "f" } else { "t" }.to_owned()
        }
        Plain::Oid => u32::from_be_bytes(value.try_into().ok()?).to_string(),
        Plain::Xid8 => u64::from_be_bytes(value.try_into().ok()?).to_string(),
        Plain::Tid => {
            sized(6)?;
            let row = u16::from_be_bytes(*value.get(4..)?.first_chunk()?);
            format!("({},{row})", int(0)?.cast_unsigned())
        }
        Plain::Date => calendar::date(i32::from_be_bytes(value.try_into().ok()?)),
        Plain::Time => calendar::time(i64::from_be_bytes(value.try_into().ok()?)),
        Plain::TimeTz => {
            sized(12)?;
            calendar::time_and_zone(long(0)?, int(8)?)
        }
        Plain::Timestamp => calendar::timestamp(i64::from_be_bytes(value.try_into().ok()?), ""),
        Plain::TimestampTz => {
            calendar::timestamp(i64::from_be_bytes(value.try_into().ok()?), "+00")
        }
        Plain::Interval => {
            sized(16)?;
            calendar::interval(long(0)?, int(8)?, int(12)?)
        }
        Plain::Float4 => {
            let float = f32::from_be_bytes(value.try_into().ok()?);
            numeric::single_text(float)?
        }
        Plain::Address => {
            let (head, address) = value.split_at_checked(4)?;
            let bits = head.get(1).copied();
            let address = match address.len() {
                4 => Ipv4Addr::from(*address.first_chunk::<4>()?).into(),
                _ => Ipv6Addr::from(<[u8; 16]>::try_from(address).ok()?).into(),
            };
            address_text(address, bits)
        }
        Plain::Mac => mac(value),
        Plain::Lsn => {
            sized(8)?;
            lsn(int(0)?.cast_unsigned(), int(4)?.cast_unsigned())
        }
        Plain::Bits => {
            let count = usize::try_from(int(0)?).ok()?;
            let bits = value.get(4..)?.iter().map(|byte| format!("{byte:08b}"));
            bits.collect::<String>().get(..count)?.to_owned()
        }
        Plain::Other => return None,
    })
}

/// A host, or a network with the bits that all of it has.
fn address_text(address: IpAddr, bits: Option<u8>) -> String {
    let all = if address.is_ipv4() { 32 } else { 128 };
    match bits.filter(|bits| *bits != all) {
        Some(bits) => format!("{address}/{bits}"),
        None => address.to_string(),
    }
}

/// An address of a device, of six or eight bytes.
pub(super) fn mac(bytes: &[u8]) -> String {
    let parts: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    parts.join(":")
}

fn lsn(high: u32, low: u32) -> String {
    format!("{high:X}/{low:08X}")
}

/// An amount in its smallest unit: how a country writes amounts is not known here.
pub(super) fn money(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().filter(u8::is_ascii_digit);
    let negative = text.contains('-') || text.starts_with('(');
    let mut out = String::from_utf8(digits.collect()).ok()?;
    let zeros = out.len() - out.trim_start_matches('0').len();
    out.replace_range(..zeros.min(out.len().saturating_sub(1)), "");
    if negative {
        out.insert(0, '-');
    }
    Some(out.into_bytes())
}

fn floats(figure: Figure, value: &[u8]) -> Option<Vec<u8>> {
    let skip = match figure {
        Figure::Polygon => 4,
        Figure::Path => 5,
        _ => 0,
    };
    let numbers = value.get(skip..)?.chunks(8);
    let numbers = numbers.map(|number| {
        let number = f64::from_be_bytes(number.try_into().ok()?);
        numeric::float_text(number)
    });
    let numbers = numbers.collect::<Option<Vec<_>>>()?;
    let points = numbers
        .chunks(2)
        .map(|point| format!("({})", point.join(",")));
    let points = points.collect::<Vec<_>>().join(",");
    let text = match figure {
        Figure::Point | Figure::Box => points,
        Figure::Segment => format!("[{points}]"),
        Figure::Line => format!("{{{}}}", numbers.join(",")),
        Figure::Circle => {
            let [x, y, radius] = &numbers[..] else {
                return None;
            };
            format!("<({x},{y}),{radius}>")
        }
        Figure::Path if value.first() == Some(&0) => format!("[{points}]"),
        Figure::Polygon | Figure::Path => format!("({points})"),
    };
    Some(text.into_bytes())
}
