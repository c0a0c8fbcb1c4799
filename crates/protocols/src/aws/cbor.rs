//! CBOR (RFC 8949), as far as RPC v2 requests use it, to the same values that JSON gives.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Number, Value};

use super::seek::{Names, Place, Seeker};

/// Values in values at most so deep.
const DEPTH_MAX: usize = 64;
/// The tag of a time, in seconds since 1970.
const TIME: u64 = 1;

/// Reads one value in which no name stands twice, for what is looked for; `None` where `bytes` are not exactly that.
pub(super) fn walk(bytes: &[u8], seeker: &mut Seeker<'_>) -> Option<()> {
    whole(bytes, seeker)
}

/// The value that `bytes` are, as text of JSON; `None` as above. It is at most six times as long.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let mut text = Text::default();
    whole(bytes, &mut text)?;
    Some(text.0)
}

/// The same as a tree, so only for what is short.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    serde_json::from_str(&text(bytes)?).ok()
}

fn whole<S: See>(bytes: &[u8], see: &mut S) -> Option<()> {
    let mut reader = Reader(bytes);
    reader.value(0, S::Place::default(), see)?;
    reader.0.is_empty().then_some(())
}

/// What stands in a value, in its order.
enum Event<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    /// A number, a truth or nothing.
    Plain(Value),
    List,
    ListEnd,
    Map,
    Name(&'a str),
    MapEnd,
}

/// Who is told what stands in a value.
trait See {
    type Place: Copy + Default;

    /// Something stands at `place`; where what is in it stands, or what the name is of.
    fn see(&mut self, place: Self::Place, event: Event<'_>) -> Self::Place;
}

impl See for Seeker<'_> {
    type Place = Place;

    fn see(&mut self, place: Place, event: Event<'_>) -> Place {
        match event {
            Event::Text(text) => self.text(place, text),
            Event::Bytes(bytes) if place.wants_text() => self.text(place, &BASE64.encode(bytes)),
            Event::Name(name) => return self.member(place, name),
            Event::List => return place.element(),
            Event::Plain(Value::Number(number)) if !number.is_f64() && place.wants_text() => {
                self.text(place, &number.to_string());
            }
            Event::Plain(value) if !value.is_null() => self.other(place),
            Event::Map | Event::MapEnd | Event::ListEnd | Event::Plain(_) | Event::Bytes(_) => {}
        }
        place
    }
}

/// JSON that is written.
#[derive(Default)]
struct Text(String);

impl See for Text {
    type Place = ();

    fn see(&mut self, (): (), event: Event<'_>) {
        let out = &mut self.0;
        let first = matches!(out.as_bytes().last(), None | Some(b'[' | b'{' | b':'));
        if !first && !matches!(event, Event::ListEnd | Event::MapEnd) {
            out.push(',');
        }
        match event {
            Event::Text(text) => quoted(out, text),
            Event::Bytes(bytes) => quoted(out, &BASE64.encode(bytes)),
            // Writing to a string does not fail.
            Event::Plain(value) => {
                let _ = write!(out, "{value}");
            }
            Event::List => out.push('['),
            Event::ListEnd => out.push(']'),
            Event::Map => out.push('{'),
            Event::Name(name) => {
                quoted(out, name);
                out.push(':');
            }
            Event::MapEnd => out.push('}'),
        }
    }
}

/// Writing to a string does not fail.
fn quoted(out: &mut String, text: &str) {
    let _ = write!(out, "{}", Value::from(text));
}

struct Reader<'a>(&'a [u8]);

/// The end of something whose length was not told.
const BREAK: u8 = 0xFF;

impl<'a> Reader<'a> {
    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn ends(&mut self) -> bool {
        let ends = self.0.first() == Some(&BREAK);
        if ends {
            self.0 = self.0.get(1..).unwrap_or_default();
        }
        ends
    }

    /// The number behind the first byte; `None` inside where the length is not told.
    fn argument(&mut self, low: u8) -> Option<Option<u64>> {
        let width = match low {
            0..=23 => return Some(Some(u64::from(low))),
            24..=27 => 1_u64 << (low - 24),
            31 => return Some(None),
            _ => return None,
        };
        let bytes = self.take(width)?;
        Some(Some(
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        ))
    }

    fn value<S: See>(&mut self, depth: usize, place: S::Place, see: &mut S) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        let first = self.byte()?;
        let (major, low) = (first >> 5, first & 0x1F);
        if major == 7 {
            see.see(place, Event::Plain(self.simple(low)?));
            return Some(());
        }
        let argument = self.argument(low)?;
        match major {
            0 => see.see(place, Event::Plain(Value::from(argument?))),
            1 => {
                let number = -1 - i64::try_from(argument?).ok()?;
                see.see(place, Event::Plain(Value::from(number)))
            }
            2 => see.see(place, Event::Bytes(&self.string(2, argument)?)),
            3 => {
                let bytes = self.string(3, argument)?;
                see.see(place, Event::Text(std::str::from_utf8(&bytes).ok()?))
            }
            4 => return self.list(argument, depth, place, see),
            5 => return self.map(argument, depth, place, see),
            // Of tags RPC v2 has that of times, which are numbers; what others say of it (numbers of bytes, fractions of lists, text
            // in Base64) servers read each in their way.
            _ if argument == Some(TIME) => return self.time(place, see),
            _ => return None,
        };
        Some(())
    }

    fn string(&mut self, major: u8, length: Option<u64>) -> Option<Cow<'a, [u8]>> {
        if let Some(length) = length {
            return self.take(length).map(Cow::Borrowed);
        }
        let mut whole = Vec::new();
        while !self.ends() {
            let first = self.byte()?;
            if first >> 5 != major {
                return None;
            }
            let length = self.argument(first & 0x1F)??;
            whole.extend_from_slice(self.take(length)?);
        }
        Some(Cow::Owned(whole))
    }

    /// The number that a time is.
    fn time<S: See>(&mut self, place: S::Place, see: &mut S) -> Option<()> {
        let is_number = |first: &u8| matches!(first >> 5, 0 | 1) || matches!(first, 0xF9..=0xFB);
        self.0.first().filter(|first| is_number(first))?;
        self.value(DEPTH_MAX, place, see)
    }

    fn list<S: See>(
        &mut self,
        length: Option<u64>,
        depth: usize,
        place: S::Place,
        see: &mut S,
    ) -> Option<()> {
        let inner = see.see(place, Event::List);
        let mut count = 0;
        loop {
            match length {
                Some(length) if count == length => break,
                None if self.ends() => break,
                _ => self.value(depth + 1, inner, see)?,
            }
            count += 1;
        }
        see.see(place, Event::ListEnd);
        Some(())
    }

    fn map<S: See>(
        &mut self,
        length: Option<u64>,
        depth: usize,
        place: S::Place,
        see: &mut S,
    ) -> Option<()> {
        see.see(place, Event::Map);
        let mut names = Names::default();
        let mut count = 0;
        loop {
            match length {
                Some(length) if count == length => break,
                None if self.ends() => break,
                _ => {}
            }
            let first = self.byte()?;
            if first >> 5 != 3 {
                return None;
            }
            let length = self.argument(first & 0x1F)?;
            let name = self.string(3, length)?;
            let name = std::str::from_utf8(&name).ok()?;
            // A name that stands twice could be read in two ways.
            if !names.add(name) {
                return None;
            }
            let inner = see.see(place, Event::Name(name));
            self.value(depth + 1, inner, see)?;
            count += 1;
        }
        see.see(place, Event::MapEnd);
        Some(())
    }

    fn simple(&mut self, low: u8) -> Option<Value> {
        match low {
            20 => Some(Value::Bool(false)),
            21 => Some(Value::Bool(true)),
            22 | 23 => Some(Value::Null),
            25..=27 => {
                let bytes = self.take(1_u64 << (low - 24))?;
                let number = match *bytes {
                    [a, b] => half(u16::from_be_bytes([a, b])),
                    [a, b, c, d] => f64::from(f32::from_be_bytes([a, b, c, d])),
                    [a, b, c, d, e, f, g, h] => f64::from_be_bytes([a, b, c, d, e, f, g, h]),
                    _ => return None,
                };
                // As RESTful JSON has what is no number.
                let word = || {
                    Value::from(if number.is_nan() {
                        "NaN"
                    } else if number > 0.0 {
                        "Infinity"
                    } else {
                        "-Infinity"
                    })
                };
                Some(Number::from_f64(number).map_or_else(word, Value::Number))
            }
            _ => None,
        }
    }
}

/// A number of 16 bits (RFC 8949, appendix D).
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1F), f64::from(bits & 0x3FF));
    let number = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -number } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(hex_digits: &str) -> Option<Value> {
        read(&hex::decode(hex_digits).unwrap())
    }

    /// From RFC 8949, appendix A.
    #[test]
    fn values_of_the_rfc() {
        for (bytes, value) in [
            ("00", "0"),
            ("1903e8", "1000"),
            ("20", "-1"),
            ("3903e7", "-1000"),
            ("f4", "false"),
            ("f6", "null"),
            ("f93c00", "1.0"),
            ("f97bff", "65504.0"),
            ("f90001", "5.960464477539063e-8"),
            ("f9c400", "-4.0"),
            ("f97c00", "\"Infinity\""),
            ("fa7fc00000", "\"NaN\""),
            ("fa47c35000", "100000.0"),
            ("fb3ff199999999999a", "1.1"),
            ("c11a514b67b0", "1363896240"),
            ("4401020304", "\"AQIDBA==\""),
            ("62c3bc", "\"ü\""),
            ("83010203", "[1,2,3]"),
            ("9f018202039f0405ffff", "[1,[2,3],[4,5]]"),
            ("a26161016162820203", "{\"a\":1,\"b\":[2,3]}"),
            ("bf6346756ef563416d7421ff", "{\"Fun\":true,\"Amt\":-2}"),
            ("7f657374726561646d696e67ff", "\"streaming\""),
        ] {
            assert_eq!(of(bytes), serde_json::from_str(value).ok(), "{bytes}");
        }
    }

    #[test]
    fn what_is_no_single_value_is_none() {
        for bytes in [
            "",
            "0000",
            "61",
            "62ff",
            "9f01",
            "a16161",
            "a1010161",
            "a2616101616102",
            "1c",
            "ff",
            // A number of bytes, a fraction, text in Base64, a mark of CBOR, a time that is a text.
            "c249010000000000000000",
            "c48221196ab3",
            "d82263613d3d",
            "d9d9f701",
            "c16131",
        ] {
            assert_eq!(of(bytes), None, "{bytes}");
        }
        assert_eq!(read(&[0x81; 100]), None);
        assert_eq!(
            read(&[0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
            None
        );
    }
}
