//! What a client sends.

use bytes::Bytes;

use super::{Frame, Malformed, Reader};

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
    pub(super) fn read(body: &mut Reader) -> Result<Self, Malformed> {
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
