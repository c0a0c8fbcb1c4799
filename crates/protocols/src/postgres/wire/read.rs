//! Reading message bodies.

use bytes::{Buf, Bytes};

use super::{Frame, Malformed};

/// Reads a body from its start. Text comes out as slices of the body.
#[derive(Debug, Clone)]
pub struct Reader {
    rest: Bytes,
}

impl Reader {
    /// Over this body.
    #[must_use]
    pub fn new(body: &Bytes) -> Self {
        Self { rest: body.clone() }
    }

    fn need(&self, bytes: usize) -> Result<(), Malformed> {
        if self.rest.len() < bytes {
            Err(Malformed("a message ends before its last field"))
        } else {
            Ok(())
        }
    }

    /// One byte.
    ///
    /// # Errors
    /// Where the body has ended; so for all of these.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.need(1)?;
        Ok(self.rest.get_u8())
    }

    /// Int16.
    ///
    /// # Errors
    /// Where the body has ended.
    pub fn i16(&mut self) -> Result<i16, Malformed> {
        self.need(2)?;
        Ok(self.rest.get_i16())
    }

    /// Int32.
    ///
    /// # Errors
    /// Where the body has ended.
    pub fn i32(&mut self) -> Result<i32, Malformed> {
        self.need(4)?;
        Ok(self.rest.get_i32())
    }

    /// Int32 that holds an object id.
    ///
    /// # Errors
    /// Where the body has ended.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.need(4)?;
        Ok(self.rest.get_u32())
    }

    /// Int16 that counts something.
    ///
    /// # Errors
    /// Where the body has ended or the count is negative.
    pub fn count(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.i16()?).map_err(|_| Malformed("a count is negative"))
    }

    /// Int16 that counts parameters: PostgreSQL reads it unsigned, up to 65,535.
    ///
    /// # Errors
    /// Where the body has ended.
    pub fn parameter_count(&mut self) -> Result<usize, Malformed> {
        self.need(2)?;
        Ok(usize::from(self.rest.get_u16()))
    }

    /// String, without the zero that ends it.
    ///
    /// # Errors
    /// Where no zero ends it.
    pub fn cstr(&mut self) -> Result<Bytes, Malformed> {
        let end = memchr::memchr(0, &self.rest).ok_or(Malformed("a string has no end"))?;
        let text = self.rest.split_to(end);
        self.rest.advance(1);
        Ok(text)
    }

    /// So many bytes.
    ///
    /// # Errors
    /// Where the body has fewer.
    pub fn bytes(&mut self, count: usize) -> Result<Bytes, Malformed> {
        self.need(count)?;
        Ok(self.rest.split_to(count))
    }

    /// A length and so many bytes; `None` for the length -1, which is NULL.
    ///
    /// # Errors
    /// Where the length is impossible.
    pub fn value(&mut self) -> Result<Option<Bytes>, Malformed> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length)
                    .map_err(|_| Malformed("a value's length is negative"))?;
                self.bytes(length).map(Some)
            }
        }
    }

    /// Everything that is left.
    #[must_use]
    pub fn rest(self) -> Bytes {
        self.rest
    }

    /// Asserts that everything was read.
    ///
    /// # Errors
    /// Where something is left.
    pub fn end(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed("a message goes on after its last field"))
        }
    }
}

/// The first packet of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartupRequest {
    /// SSLRequest.
    Tls,
    /// GSSENCRequest.
    Gss,
    /// CancelRequest: process id and key as they stand, 8 to 260 bytes.
    Cancel(Bytes),
    /// StartupMessage.
    Session(Startup),
}

/// A StartupMessage of version 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Startup {
    /// The minor version asked for.
    pub minor: u16,
    /// Names and values, in order.
    pub parameters: Vec<(Bytes, Bytes)>,
}

impl StartupRequest {
    /// From a startup packet.
    ///
    /// # Errors
    /// [`Malformed`] where it is none, or of a version other than 3.
    pub fn read(frame: &Frame) -> Result<Self, Malformed> {
        let mut body = Reader::new(&frame.body);
        let code = body.u32()?;
        match (code >> 16, code & 0xffff) {
            (1234, 5678) => {
                let key = body.rest();
                if (8..=260).contains(&key.len()) {
                    Ok(Self::Cancel(key))
                } else {
                    Err(Malformed("a cancel key is 4 to 256 bytes"))
                }
            }
            (1234, 5679) => body.end().map(|()| Self::Tls),
            (1234, 5680) => body.end().map(|()| Self::Gss),
            (3, minor) => {
                let mut parameters = Vec::new();
                loop {
                    let name = body.cstr()?;
                    if name.is_empty() {
                        break;
                    }
                    parameters.push((name, body.cstr()?));
                }
                body.end()?;
                Ok(Self::Session(Startup {
                    minor: u16::try_from(minor).unwrap_or(u16::MAX),
                    parameters,
                }))
            }
            _ => Err(Malformed("only version 3 of the protocol is spoken")),
        }
    }
}

impl Startup {
    /// The last value given for `name`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Bytes> {
        self.parameters
            .iter()
            .rev()
            .find(|(n, _)| n == name.as_bytes())
            .map(|(_, value)| value)
    }
}

/// Parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parse {
    /// The statement's name; empty for the unnamed one.
    pub statement: Bytes,
    /// Its text.
    pub text: Bytes,
    /// The parameter types it names; 0 leaves one open.
    pub types: Vec<u32>,
}

impl Parse {
    /// From a message of this kind.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn read(frame: &Frame) -> Result<Self, Malformed> {
        let mut body = Reader::new(&frame.body);
        let (statement, text) = (body.cstr()?, body.cstr()?);
        let count = body.parameter_count()?;
        let types = (0..count).map(|_| body.u32()).collect::<Result<_, _>>()?;
        body.end()?;
        Ok(Self {
            statement,
            text,
            types,
        })
    }
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// As text.
    Text,
    /// In the type's binary form.
    Binary,
}

impl Format {
    fn read(body: &mut Reader) -> Result<Self, Malformed> {
        match body.i16()? {
            0 => Ok(Self::Text),
            1 => Ok(Self::Binary),
            _ => Err(Malformed("a format is neither text nor binary")),
        }
    }

    /// Its number on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        u16::from(self == Self::Binary)
    }

    /// The format of field `index` in a list as Bind gives it: none is all text, one is for all.
    #[must_use]
    pub fn pick(list: &[Self], index: usize) -> Self {
        match list {
            [] => Self::Text,
            [one] => *one,
            many => many.get(index).copied().unwrap_or(Self::Text),
        }
    }
}

/// Bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// The portal's name; empty for the unnamed one.
    pub portal: Bytes,
    /// The statement's name.
    pub statement: Bytes,
    /// The formats of the values, as in [`Format::pick`].
    pub formats: Vec<Format>,
    /// The values; `None` is NULL.
    pub values: Vec<Option<Bytes>>,
    /// The formats of the result's columns, as in [`Format::pick`].
    pub results: Vec<Format>,
}

impl Bind {
    /// From a message of this kind.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn read(frame: &Frame) -> Result<Self, Malformed> {
        let mut body = Reader::new(&frame.body);
        let (portal, statement) = (body.cstr()?, body.cstr()?);
        let count = body.parameter_count()?;
        let formats: Vec<_> = (0..count)
            .map(|_| Format::read(&mut body))
            .collect::<Result<_, _>>()?;
        let count = body.parameter_count()?;
        let values: Vec<_> = (0..count).map(|_| body.value()).collect::<Result<_, _>>()?;
        if formats.len() > 1 && formats.len() != values.len() {
            return Err(Malformed(
                "Bind has neither one format nor one for each value",
            ));
        }
        let count = body.parameter_count()?;
        let results = (0..count)
            .map(|_| Format::read(&mut body))
            .collect::<Result<_, _>>()?;
        body.end()?;
        Ok(Self {
            portal,
            statement,
            formats,
            values,
            results,
        })
    }
}

/// What Describe and Close name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A prepared statement.
    Statement(Bytes),
    /// A portal.
    Portal(Bytes),
}

/// The body of Describe or Close.
///
/// # Errors
/// [`Malformed`]
pub fn target(frame: &Frame) -> Result<Target, Malformed> {
    let mut body = Reader::new(&frame.body);
    let kind = body.u8()?;
    let name = body.cstr()?;
    body.end()?;
    match kind {
        b'S' => Ok(Target::Statement(name)),
        b'P' => Ok(Target::Portal(name)),
        _ => Err(Malformed("Describe and Close name a statement or a portal")),
    }
}

/// A column of a RowDescription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: Bytes,
    /// The relation it comes from; 0 for none.
    pub relation: u32,
    /// The number of its attribute there; 0 for none.
    pub attribute: i16,
    /// Its type.
    pub kind: u32,
    /// How its values are written. In the answer to Describe of a statement: always text, as it is not known yet.
    pub format: Format,
}

/// The columns of a RowDescription.
///
/// # Errors
/// [`Malformed`]
pub fn row_fields(frame: &Frame) -> Result<Vec<Field>, Malformed> {
    let mut body = Reader::new(&frame.body);
    let count = body.count()?;
    let mut fields = Vec::with_capacity(count.min(2_000));
    for _ in 0..count {
        let (name, relation, attribute, kind) =
            (body.cstr()?, body.u32()?, body.i16()?, body.u32()?);
        body.bytes(6)?;
        fields.push(Field {
            name,
            relation,
            attribute,
            kind,
            format: Format::read(&mut body)?,
        });
    }
    body.end()?;
    Ok(fields)
}

/// The types of a ParameterDescription.
///
/// # Errors
/// [`Malformed`]
pub fn described_types(frame: &Frame) -> Result<Vec<u32>, Malformed> {
    let mut body = Reader::new(&frame.body);
    let count = body.parameter_count()?;
    let types = (0..count).map(|_| body.u32()).collect::<Result<_, _>>()?;
    body.end()?;
    Ok(types)
}

/// CopyInResponse, CopyOutResponse: the format of the whole, and of each column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyBegin {
    /// Of the whole.
    pub format: Format,
    /// Of each column.
    pub columns: Vec<Format>,
}

impl CopyBegin {
    /// From a message of this kind.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn read(frame: &Frame) -> Result<Self, Malformed> {
        let mut body = Reader::new(&frame.body);
        let format = if body.u8()? == 0 {
            Format::Text
        } else {
            Format::Binary
        };
        let count = body.count()?;
        let columns = (0..count)
            .map(|_| Format::read(&mut body))
            .collect::<Result<_, _>>()?;
        body.end()?;
        Ok(Self { format, columns })
    }
}

/// The fields of an ErrorResponse or NoticeResponse, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Field code and text.
    pub fields: Vec<(u8, Bytes)>,
}

impl Report {
    /// From a message of this kind.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn read(frame: &Frame) -> Result<Self, Malformed> {
        let mut body = Reader::new(&frame.body);
        let mut fields = Vec::with_capacity(12);
        loop {
            match body.u8()? {
                0 => break,
                code => fields.push((code, body.cstr()?)),
            }
        }
        body.end()?;
        Ok(Self { fields })
    }

    /// The first field with this code.
    #[must_use]
    pub fn field(&self, code: u8) -> Option<&Bytes> {
        self.fields
            .iter()
            .find(|(c, _)| *c == code)
            .map(|(_, text)| text)
    }
}

/// One field of an ErrorResponse, lossy, or empty.
#[must_use]
pub fn error_field(frame: &Frame, code: u8) -> String {
    let report = Report::read(frame).ok();
    report
        .and_then(|r| {
            r.field(code)
                .map(|text| String::from_utf8_lossy(text).into_owned())
        })
        .unwrap_or_default()
}

/// Name and value of a ParameterStatus.
///
/// # Errors
/// [`Malformed`]
pub fn parameter_status(frame: &Frame) -> Result<(Bytes, Bytes), Malformed> {
    let mut body = Reader::new(&frame.body);
    let pair = (body.cstr()?, body.cstr()?);
    body.end()?;
    Ok(pair)
}

/// Process id and key of a BackendKeyData.
///
/// # Errors
/// [`Malformed`]
pub fn key_data(frame: &Frame) -> Result<(u32, Bytes), Malformed> {
    let mut body = Reader::new(&frame.body);
    let process = body.u32()?;
    let key = body.rest();
    if (4..=256).contains(&key.len()) {
        Ok((process, key))
    } else {
        Err(Malformed("a cancel key is 4 to 256 bytes"))
    }
}

/// The transaction status of a ReadyForQuery: `I`, `T` or `E`.
///
/// # Errors
/// [`Malformed`]
pub fn ready_status(frame: &Frame) -> Result<u8, Malformed> {
    let mut body = Reader::new(&frame.body);
    let status = body.u8()?;
    body.end()?;
    if matches!(status, b'I' | b'T' | b'E') {
        Ok(status)
    } else {
        Err(Malformed("no such transaction status"))
    }
}
