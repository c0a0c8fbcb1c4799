//! PostgreSQL's protocol by hand, for what no client would send. Written from the manual's chapter "Frontend/Backend
//! Protocol", apart from the gateway's own.

use crate::endpoint::Endpoint;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// How long an answer may take, in seconds.
const ANSWER_SECONDS_MAX: u64 = 60;

/// A connection without TLS.
pub struct Wire {
    stream: TcpStream,
}

/// A message from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its type.
    pub kind: char,
    /// Its body, without the length.
    pub body: Vec<u8>,
}

impl Message {
    /// A field of an ErrorResponse or a NoticeResponse, by its letter.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn field(&self, letter: char) -> String {
        let mut fields = self.body.split(|byte| *byte == 0);
        let text = fields.find_map(|field| {
            let text = std::str::from_utf8(field).unwrap();
            text.strip_prefix(letter)
        });
        text.unwrap_or_else(|| panic!("no {letter} in {self:?}"))
            .to_owned()
    }
}

impl Wire {
    /// Connects, and says nothing yet.
    #[must_use]
    pub fn connect(to: &Endpoint) -> Self {
        let stream = TcpStream::connect((to.host.as_str(), to.port)).unwrap();
        let limit = Duration::from_secs(ANSWER_SECONDS_MAX);
        stream.set_read_timeout(Some(limit)).unwrap();
        Self { stream }
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// The server's refusal.
    pub fn log_in(to: &Endpoint) -> Result<Self, Message> {
        let mut wire = Self::connect(to);
        wire.send_raw(&startup(to));
        loop {
            let message = wire.receive().unwrap();
            match message.kind {
                'R' if message.body == [0, 0, 0, 3] => {
                    wire.send('p', &[to.password.as_bytes(), &[0]].concat());
                }
                'E' => return Err(message),
                'Z' => return Ok(wire),
                _ => {}
            }
        }
    }

    /// Sends bytes as they are. That the other side has gone is no error here: what it said tells.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Says that nothing more will be sent.
    pub fn end(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Sends one message.
    pub fn send(&mut self, kind: char, body: &[u8]) {
        self.send_raw(&message(kind, body));
    }

    /// The next message; `None` where the server has closed the connection.
    pub fn receive(&mut self) -> Option<Message> {
        let mut head = [0; 5];
        self.read(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut body = vec![0; length as usize - 4];
        self.read(&mut body)?;
        Some(Message {
            kind: head[0] as char,
            body,
        })
    }

    /// All messages up to and with ReadyForQuery, or to the connection's end.
    pub fn receive_all(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.receive() {
            let last = message.kind == 'Z';
            messages.push(message);
            if last {
                break;
            }
        }
        messages
    }

    /// All bytes until the server closes the connection.
    pub fn until_closed(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the connection stays open: {error}"),
        }
        bytes
    }

    fn read(&mut self, into: &mut [u8]) -> Option<()> {
        match self.stream.read_exact(into) {
            Ok(()) => Some(()),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
                ) =>
            {
                None
            }
            Err(error) => panic!("no answer: {error}"),
        }
    }
}

/// The messages that these bytes are.
///
/// # Panics
/// If the last one is not whole.
#[must_use]
pub fn messages(mut bytes: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<5>() {
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let (body, rest) = rest.split_at(length as usize - 4);
        messages.push(Message {
            kind: head[0] as char,
            body: body.to_vec(),
        });
        bytes = rest;
    }
    assert!(bytes.is_empty(), "cut off: {bytes:?}");
    messages
}

/// A message as it travels.
#[must_use]
pub fn message(kind: char, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[kind as u8], length.to_be_bytes().as_slice(), body].concat()
}

/// A StartupMessage of version 3.0.
#[must_use]
pub fn startup(to: &Endpoint) -> Vec<u8> {
    let body = format!("user\0{}\0database\0{}\0\0", to.user, to.database);
    let length = u32::try_from(body.len() + 8).unwrap();
    [
        length.to_be_bytes().as_slice(),
        &196_608_u32.to_be_bytes(),
        body.as_bytes(),
    ]
    .concat()
}
