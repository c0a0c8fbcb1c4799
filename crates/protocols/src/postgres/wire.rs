//! Messages of the frontend/backend protocol, version 3 (PostgreSQL manual, chapter "Frontend/Backend Protocol").
//!
//! [`Framer`] cuts what arrives into [`Frame`]s without copying; [`Reader`] and the types beside it read bodies;
//! the functions of [`write`] make every message that the gateway emits itself. A body that cannot be read is [`Malformed`].

mod read_client;
mod read_server;
mod reader;
pub mod write;

#[cfg(test)]
mod tests;

use bytes::{Buf, Bytes, BytesMut};

pub use read_client::{Bind, Format, Parse, Startup, StartupRequest, Target, target};
pub use read_server::{
    CopyBegin, Field, Report, described_types, error_field, key_data, parameter_status,
    ready_status, row_fields,
};
pub use reader::Reader;

/// The longest startup packet, as PostgreSQL limits it (`MAX_STARTUP_PACKET_LENGTH`).
pub const STARTUP_BYTES_MAX: usize = 10_000;
/// The longest message of a client that is not logged in: a token fits well.
pub const LOGIN_BYTES_MAX: usize = 64 << 10;
/// The longest message of a client that is logged in.
pub const CLIENT_BYTES_MAX: usize = 64 << 20;
/// The longest message of an upstream that has not accepted the login.
pub const UPSTREAM_LOGIN_BYTES_MAX: usize = 64 << 10;
/// The longest message of an upstream.
pub const UPSTREAM_BYTES_MAX: usize = 64 << 20;

/// Kinds of message that a client sends.
pub mod client {
    /// Bind.
    pub const BIND: u8 = b'B';
    /// Close.
    pub const CLOSE: u8 = b'C';
    /// CopyData.
    pub const COPY_DATA: u8 = b'd';
    /// CopyDone.
    pub const COPY_DONE: u8 = b'c';
    /// CopyFail.
    pub const COPY_FAIL: u8 = b'f';
    /// Describe.
    pub const DESCRIBE: u8 = b'D';
    /// Execute.
    pub const EXECUTE: u8 = b'E';
    /// Flush.
    pub const FLUSH: u8 = b'H';
    /// FunctionCall.
    pub const FUNCTION_CALL: u8 = b'F';
    /// Parse.
    pub const PARSE: u8 = b'P';
    /// PasswordMessage, SASLInitialResponse, SASLResponse, GSSResponse.
    pub const PASSWORD: u8 = b'p';
    /// Query.
    pub const QUERY: u8 = b'Q';
    /// Sync.
    pub const SYNC: u8 = b'S';
    /// Terminate.
    pub const TERMINATE: u8 = b'X';
}

/// Kinds of message that a server sends.
pub mod server {
    /// Authentication and its variants.
    pub const AUTHENTICATION: u8 = b'R';
    /// BackendKeyData.
    pub const BACKEND_KEY_DATA: u8 = b'K';
    /// BindComplete.
    pub const BIND_COMPLETE: u8 = b'2';
    /// CloseComplete.
    pub const CLOSE_COMPLETE: u8 = b'3';
    /// CommandComplete.
    pub const COMMAND_COMPLETE: u8 = b'C';
    /// CopyData.
    pub const COPY_DATA: u8 = b'd';
    /// CopyDone.
    pub const COPY_DONE: u8 = b'c';
    /// CopyInResponse.
    pub const COPY_IN: u8 = b'G';
    /// CopyOutResponse.
    pub const COPY_OUT: u8 = b'H';
    /// CopyBothResponse.
    pub const COPY_BOTH: u8 = b'W';
    /// DataRow.
    pub const DATA_ROW: u8 = b'D';
    /// EmptyQueryResponse.
    pub const EMPTY_QUERY: u8 = b'I';
    /// ErrorResponse.
    pub const ERROR: u8 = b'E';
    /// FunctionCallResponse.
    pub const FUNCTION_CALL: u8 = b'V';
    /// NegotiateProtocolVersion.
    pub const NEGOTIATE: u8 = b'v';
    /// NoData.
    pub const NO_DATA: u8 = b'n';
    /// NoticeResponse.
    pub const NOTICE: u8 = b'N';
    /// NotificationResponse.
    pub const NOTIFICATION: u8 = b'A';
    /// ParameterDescription.
    pub const PARAMETER_DESCRIPTION: u8 = b't';
    /// ParameterStatus.
    pub const PARAMETER_STATUS: u8 = b'S';
    /// ParseComplete.
    pub const PARSE_COMPLETE: u8 = b'1';
    /// PortalSuspended.
    pub const PORTAL_SUSPENDED: u8 = b's';
    /// ReadyForQuery.
    pub const READY: u8 = b'Z';
    /// RowDescription.
    pub const ROW_DESCRIPTION: u8 = b'T';
}

/// A message that is not as its kind must be. The words hold no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// One whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its kind; 0 for a startup packet, which has none.
    pub kind: u8,
    /// What stands after the length.
    pub body: Bytes,
    /// The message as it stands on the wire, body included.
    pub whole: Bytes,
}

impl Frame {
    /// From the bytes of exactly one message with a kind.
    ///
    /// # Errors
    /// [`Malformed`] where they are not exactly one.
    pub fn of(whole: Bytes) -> Result<Self, Malformed> {
        let mut framer = Framer::messages(usize::MAX);
        framer.push(whole);
        match framer.next()? {
            Some(frame) if framer.is_empty() => Ok(frame),
            _ => Err(Malformed("not exactly one message")),
        }
    }
}

/// A stretch of whole messages of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The messages as they stand on the wire.
    pub whole: Bytes,
    /// How many there are.
    pub count: u64,
}

/// Cuts a stream into messages. Messages that lie within one received piece are slices of it; only a message that spans
/// pieces is copied, once.
#[derive(Debug)]
pub struct Framer {
    /// The start of a message whose rest has not come.
    part: BytesMut,
    /// What came and is not cut yet. Empty while `part` waits for more.
    rest: Bytes,
    has_kind: bool,
    bytes_max: usize,
}

impl Framer {
    /// For startup packets, which have no kind, of at most [`STARTUP_BYTES_MAX`].
    #[must_use]
    pub fn startup() -> Self {
        Self {
            part: BytesMut::new(),
            rest: Bytes::new(),
            has_kind: false,
            bytes_max: STARTUP_BYTES_MAX,
        }
    }

    /// For messages with a kind, of at most `bytes_max` after the kind.
    #[must_use]
    pub fn messages(bytes_max: usize) -> Self {
        Self {
            has_kind: true,
            bytes_max,
            ..Self::startup()
        }
    }

    /// From here on messages have a kind, and at most `bytes_max` after it. What is held already counts as such.
    pub fn expect_messages(&mut self, bytes_max: usize) {
        self.has_kind = true;
        self.bytes_max = bytes_max;
    }

    /// Takes what arrived.
    pub fn push(&mut self, piece: Bytes) {
        if self.rest.is_empty() {
            self.rest = piece;
        } else {
            // Only a caller that pushes before it took what was there comes here.
            let mut joined = BytesMut::with_capacity(self.rest.len() + piece.len());
            joined.extend_from_slice(&self.rest);
            joined.extend_from_slice(&piece);
            self.rest = joined.freeze();
        }
    }

    /// How many bytes are held and not given out.
    #[must_use]
    pub fn held(&self) -> usize {
        self.part.len() + self.rest.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held() == 0
    }

    /// Takes everything that is held, uncut.
    #[must_use]
    pub fn take(&mut self) -> Bytes {
        let mut all = std::mem::take(&mut self.part);
        let rest = std::mem::take(&mut self.rest);
        if all.is_empty() {
            return rest;
        }
        all.extend_from_slice(&rest);
        all.freeze()
    }

    /// The next whole message, if it has come.
    ///
    /// # Errors
    /// [`Malformed`] where a length is impossible or over the limit.
    #[expect(
        clippy::should_implement_trait,
        reason = "it can fail, and a later push makes more"
    )]
    pub fn next(&mut self) -> Result<Option<Frame>, Malformed> {
        if !self.part.is_empty() {
            return self.finish_part();
        }
        let Some(length) = self.length(&self.rest)? else {
            self.keep();
            return Ok(None);
        };
        if self.rest.len() < length {
            self.keep();
            return Ok(None);
        }
        let whole = self.rest.split_to(length);
        Ok(Some(self.frame(whole)))
    }

    /// The longest stretch of whole messages of `kind` that lies ahead in one piece; `None` where the next message is of
    /// another kind, not whole, or spans pieces ([`Framer::next`] gives that one).
    ///
    /// # Errors
    /// [`Malformed`] where a length is impossible or over the limit.
    pub fn next_run(&mut self, kind: u8) -> Result<Option<Run>, Malformed> {
        if !self.part.is_empty() || !self.has_kind {
            return Ok(None);
        }
        let (mut end, mut count) = (0_usize, 0_u64);
        while let Some(ahead) = self.rest.get(end..)
            && ahead.first() == Some(&kind)
        {
            match self.length(ahead) {
                Ok(Some(length)) if length <= ahead.len() => {
                    end += length;
                    count += 1;
                }
                Ok(_) => break,
                Err(malformed) if count == 0 => return Err(malformed),
                Err(_) => break,
            }
        }
        Ok((count > 0).then(|| Run {
            whole: self.rest.split_to(end),
            count,
        }))
    }

    fn finish_part(&mut self) -> Result<Option<Frame>, Malformed> {
        let header = self.header();
        self.top_up(header);
        let Some(length) = self.length(&self.part)? else {
            return Ok(None);
        };
        self.top_up(length);
        if self.part.len() < length {
            return Ok(None);
        }
        let whole = self.part.split_to(length).freeze();
        Ok(Some(self.frame(whole)))
    }

    /// Moves from `rest` to `part` until `part` has `length` bytes.
    fn top_up(&mut self, length: usize) {
        let lacking = length.saturating_sub(self.part.len()).min(self.rest.len());
        if lacking > 0 {
            self.part.extend_from_slice(&self.rest.split_to(lacking));
        }
    }

    /// Keeps the start of a message by copy, so that the piece it came in can go.
    fn keep(&mut self) {
        if !self.rest.is_empty() {
            self.part = BytesMut::from(std::mem::take(&mut self.rest));
        }
    }

    fn header(&self) -> usize {
        if self.has_kind { 5 } else { 4 }
    }

    /// The length on the wire of the message at the start of `bytes`; `None` where too little is there to tell.
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let kind = usize::from(self.has_kind);
        let Some(mut length) = bytes.get(kind..kind + 4) else {
            return Ok(None);
        };
        let length =
            usize::try_from(length.get_u32()).map_err(|_| Malformed("the message is too long"))?;
        if length < 4 {
            return Err(Malformed("a message's length is under 4"));
        }
        if length > self.bytes_max {
            return Err(Malformed("a message is longer than the gateway's limit"));
        }
        Ok(Some(kind + length))
    }

    fn frame(&self, whole: Bytes) -> Frame {
        let kind = if self.has_kind {
            whole.first().copied().unwrap_or(0)
        } else {
            0
        };
        let body = whole.slice(self.header().min(whole.len())..);
        Frame { kind, body, whole }
    }
}
