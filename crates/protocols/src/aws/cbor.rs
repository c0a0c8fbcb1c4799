//! CBOR (RFC 8949), as far as RPC v2 requests use it, to the same values that JSON gives.

use serde_json::{Map, Number, Value};

/// Values in values at most so deep.
const DEPTH_MAX: usize = 64;

/// The value that `bytes` are; `None` where they are not exactly one value, or hold what has no place in a request.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader(bytes);
    let value = reader.value(0)?;
    reader.0.is_empty().then_some(value)
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

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        let first = self.byte()?;
        let (major, low) = (first >> 5, first & 0x1F);
        if major == 7 {
            return self.simple(low);
        }
        let argument = self.argument(low)?;
        match major {
            0 => Some(Value::from(argument?)),
            1 => Some(Value::from(-1 - i64::try_from(argument?).ok()?)),
            2 => {
                use base64::Engine as _;
                let bytes = self.string(2, argument)?;
                Some(
                    base64::engine::general_purpose::STANDARD
                        .encode(bytes)
                        .into(),
                )
            }
            3 => String::from_utf8(self.string(3, argument)?)
                .ok()
                .map(Value::from),
            4 => self.list(argument, depth),
            5 => self.map(argument, depth),
            // A tag: what it tags counts.
            _ => self.value(depth + 1),
        }
    }

    fn string(&mut self, major: u8, length: Option<u64>) -> Option<Vec<u8>> {
        if let Some(length) = length {
            return self.take(length).map(<[u8]>::to_vec);
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
        Some(whole)
    }

    fn list(&mut self, length: Option<u64>, depth: usize) -> Option<Value> {
        let mut list = Vec::new();
        loop {
            match length {
                Some(length) if list.len() as u64 == length => break,
                None if self.ends() => break,
                _ => list.push(self.value(depth + 1)?),
            }
        }
        Some(Value::Array(list))
    }

    fn map(&mut self, length: Option<u64>, depth: usize) -> Option<Value> {
        let mut map = Map::new();
        let mut count = 0;
        loop {
            match length {
                Some(length) if count == length => break,
                None if self.ends() => break,
                _ => {}
            }
            let Value::String(name) = self.value(depth + 1)? else {
                return None;
            };
            let value = self.value(depth + 1)?;
            // A name that stands twice could be read in two ways.
            if map.insert(name, value).is_some() {
                return None;
            }
            count += 1;
        }
        Some(Value::Object(map))
    }

    fn simple(&mut self, low: u8) -> Option<Value> {
        match low {
            20 => Some(Value::Bool(false)),
            21 => Some(Value::Bool(true)),
            22 | 23 => Some(Value::Null),
            25..=27 => {
                // Numbers name nothing, so how exact they are does not matter.
                let bytes = self.take(1_u64 << (low - 24))?;
                let number = match *bytes {
                    [a, b, c, d] => f64::from(f32::from_be_bytes([a, b, c, d])),
                    [a, b, c, d, e, f, g, h] => f64::from_be_bytes([a, b, c, d, e, f, g, h]),
                    _ => 0.0,
                };
                Some(Number::from_f64(number).map_or(Value::Null, Value::Number))
            }
            _ => None,
        }
    }
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
