//! Reading message bodies.

use bytes::{Buf, Bytes};

use super::Malformed;

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
