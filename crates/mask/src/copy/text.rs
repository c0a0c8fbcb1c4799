//! `FORMAT text`: backslash escapes (PostgreSQL documentation, COPY, "Text Format").

/// How text-format data are written. The default is PostgreSQL's: tab and `\N`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFormat {
    /// Between fields.
    pub delimiter: u8,
    /// What stands for NULL.
    pub null: Vec<u8>,
}

impl Default for TextFormat {
    fn default() -> Self {
        Self {
            delimiter: b'\t',
            null: b"\\N".to_vec(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Splitter {
    delimiter: u8,
    /// The last byte seen was a backslash.
    escaped: bool,
}

impl Splitter {
    pub(super) fn new(format: &TextFormat) -> Self {
        Self {
            delimiter: format.delimiter,
            escaped: false,
        }
    }

    /// Where the delimiter or line end stands that ends the current field.
    pub(super) fn field_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut pos = 0;
        if self.escaped && !bytes.is_empty() {
            self.escaped = false;
            pos = 1;
        }
        loop {
            let found = pos + memchr::memchr3(self.delimiter, b'\n', b'\\', bytes.get(pos..)?)?;
            if bytes.get(found) != Some(&b'\\') {
                return Some(found);
            }
            pos = found + 2;
            if pos > bytes.len() {
                self.escaped = true;
                return None;
            }
        }
    }

    pub(super) fn encode(&self, value: &[u8], out: &mut Vec<u8>) {
        for &byte in value {
            let letter = match byte {
                0x08 => b'b',
                0x09 => b't',
                0x0A => b'n',
                0x0B => b'v',
                0x0C => b'f',
                0x0D => b'r',
                b'\\' => b'\\',
                _ if byte == self.delimiter => byte,
                _ => {
                    out.push(byte);
                    continue;
                }
            };
            out.extend_from_slice(&[b'\\', letter]);
        }
    }
}

/// The value of a field.
pub(super) fn decode<'a>(field: &'a [u8], decoded: &'a mut Vec<u8>) -> &'a [u8] {
    let Some(first) = memchr::memchr(b'\\', field) else {
        return field;
    };
    let (plain, mut rest) = field.split_at(first);
    decoded.clear();
    decoded.extend_from_slice(plain);
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'\\' {
            decoded.push(*byte);
            continue;
        }
        let Some((letter, after)) = rest.split_first() else {
            decoded.push(b'\\');
            break;
        };
        rest = after;
        decoded.push(match letter {
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => 0x0A,
            b'r' => 0x0D,
            b't' => 0x09,
            b'v' => 0x0B,
            b'0'..=b'7' => numeric(u32::from(letter - b'0'), 8, 2, &mut rest),
            b'x' if rest.first().is_some_and(u8::is_ascii_hexdigit) => numeric(0, 16, 2, &mut rest),
            other => *other,
        });
    }
    decoded
}

/// The byte that up to `more` further digits of `radix` give.
fn numeric(first: u32, radix: u32, more: usize, rest: &mut &[u8]) -> u8 {
    let mut value = first;
    for _ in 0..more {
        let Some((digit, after)) = rest.split_first() else {
            break;
        };
        let Some(digit) = char::from(*digit).to_digit(radix) else {
            break;
        };
        value = value * radix + digit;
        *rest = after;
    }
    u8::try_from(value & 0xFF).unwrap_or_default()
}
