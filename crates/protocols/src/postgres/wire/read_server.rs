//! What a server sends.

use bytes::Bytes;

use super::{Format, Frame, Malformed, Reader};

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
    /// Fields that are of the server's own making: severity, code, positions, and where in its source it arose.
    pub const OWN: &'static [u8] = b"SVCPpFLR";

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
