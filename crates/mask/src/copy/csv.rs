//! `FORMAT csv` (PostgreSQL documentation, COPY, "CSV Format"): quotes may begin anywhere in a field, and the escape
//! character means something only inside them.

/// How CSV data are written. The default is PostgreSQL's: comma, double quote for both, and NULL as nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFormat {
    /// Between fields.
    pub delimiter: u8,
    /// Around values.
    pub quote: u8,
    /// Before a quote within a value.
    pub escape: u8,
    /// What stands, without quotes, for NULL.
    pub null: Vec<u8>,
    /// Whether masked values stand in quotes where the originals did, which tells who names these characters what is in them.
    pub keeps_quotes: bool,
}

impl Default for CsvFormat {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: b'"',
            escape: b'"',
            null: Vec::new(),
            keeps_quotes: true,
        }
    }
}

#[derive(Debug)]
pub(super) struct Splitter {
    format: CsvFormat,
    quoted: bool,
    /// The last byte seen was an escape character that is not the quote.
    escaped: bool,
}

impl Splitter {
    pub(super) fn new(format: CsvFormat) -> Self {
        Self {
            format,
            quoted: false,
            escaped: false,
        }
    }

    /// Where the delimiter or line end stands that ends the current field.
    pub(super) fn field_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let (quote, escape) = (self.format.quote, self.format.escape);
        let mut pos = 0;
        loop {
            if self.escaped {
                let next = *bytes.get(pos)?;
                pos += usize::from(next == quote || next == escape);
                self.escaped = false;
            }
            let rest = bytes.get(pos..)?;
            let ahead = if self.quoted {
                memchr::memchr2(quote, escape, rest)?
            } else {
                memchr::memchr3(self.format.delimiter, b'\n', quote, rest)?
            };
            let found = pos + ahead;
            pos = found + 1;
            let byte = *bytes.get(found)?;
            if byte == quote {
                // Two quotes in a row leave and enter again, which splits fields as it should.
                self.quoted = !self.quoted;
            } else if self.quoted {
                self.escaped = true;
            } else {
                return Some(found);
            }
        }
    }

    /// The value of a field.
    pub(super) fn decode<'a>(&self, field: &'a [u8], decoded: &'a mut Vec<u8>) -> &'a [u8] {
        let (quote, escape) = (self.format.quote, self.format.escape);
        if memchr::memchr(quote, field).is_none() {
            return field;
        }
        decoded.clear();
        let mut quoted = false;
        let mut rest = field;
        while let [byte, after @ ..] = rest {
            rest = after;
            match (quoted, after) {
                (true, [next, after @ ..])
                    if *byte == escape && (*next == quote || *next == escape) =>
                {
                    decoded.push(*next);
                    rest = after;
                }
                _ if *byte == quote => quoted = !quoted,
                _ => decoded.push(*byte),
            }
        }
        decoded
    }

    /// Writes a value, in quotes where it must and, if the format says so, where the original field had them.
    pub(super) fn encode(&self, value: &[u8], field: &[u8], out: &mut Vec<u8>) {
        let CsvFormat {
            delimiter,
            quote,
            escape,
            ..
        } = self.format;
        let special = |byte: &u8| [delimiter, quote, b'\n', b'\r'].contains(byte);
        let quoted = self.format.keeps_quotes && field.contains(&quote);
        let plain =
            !quoted && !value.iter().any(special) && value != self.format.null && value != b"\\.";
        if plain {
            return out.extend_from_slice(value);
        }
        out.push(quote);
        for &byte in value {
            if byte == quote || byte == escape {
                out.push(escape);
            }
            out.push(byte);
        }
        out.push(quote);
    }
}
