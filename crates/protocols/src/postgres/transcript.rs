//! What a recording holds, in words: statements, rows, tags, errors. For replays and for evidence.
//!
//! [`Transcript`] is fed the notes of one session in order and gives events. What the client was shown may be cut into
//! notes anywhere. Values in binary are written as text where their type is a common one, and as hexadecimal otherwise.
//!
//! A recording does not tell which format a client asked for when it bound a statement that it had described before, so
//! a value that cannot be the text of its type is taken for binary.

mod value;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use model::Note;

use super::wire::{
    CopyBegin, Field, Format, Frame, Framer, Malformed, Reader, Report, row_fields, server,
};

/// The longest message of a recording: the longest of an upstream, and room for what masking adds.
const MESSAGE_BYTES_MAX: usize = 128 << 20;

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The client asked this.
    Statement {
        /// Which command, from 1.
        seq: u64,
        /// Its text, masked.
        text: String,
        /// Its parameters, masked; `None` is NULL.
        parameters: Vec<Option<String>>,
    },
    /// A result with these columns follows.
    Columns(Vec<String>),
    /// A row; `None` is NULL.
    Row(Vec<Option<String>>),
    /// A command was completed: `UPDATE 3`. Empty for an empty statement.
    Complete(String),
    /// A portal was suspended at its row limit.
    Suspended,
    /// A notice.
    Notice(Words),
    /// An error.
    Error(Words),
    /// Data of a COPY to the client; hexadecimal where they are binary.
    CopyOut(String),
    /// Data of a COPY from the client; hexadecimal where they are binary.
    CopyIn(String),
    /// A notification: channel and payload.
    Notification(String, String),
    /// What follows of this session cannot be read.
    Unreadable(&'static str),
}

/// What an error or notice says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// `ERROR`, `FATAL`, `NOTICE`…
    pub severity: String,
    /// SQLSTATE.
    pub code: String,
    /// What happened.
    pub message: String,
    /// More of it; may be empty.
    pub detail: String,
    /// What to do; may be empty.
    pub hint: String,
    /// Where in code of the database it arose; may be empty.
    pub context: String,
}

/// Reads the notes of one session.
#[derive(Debug)]
pub struct Transcript {
    framer: Framer,
    fields: Vec<Field>,
    copy: Format,
    broken: bool,
}

impl Default for Transcript {
    fn default() -> Self {
        Self {
            framer: Framer::messages(MESSAGE_BYTES_MAX),
            fields: Vec::new(),
            copy: Format::Text,
            broken: false,
        }
    }
}

impl Transcript {
    /// Takes the next note and appends what it tells. Decisions and outcomes tell nothing here; they speak for themselves.
    pub fn note(&mut self, note: &Note, events: &mut Vec<Event>) {
        match note {
            Note::Asked {
                seq,
                text,
                parameters,
                ..
            } => events.push(Event::Statement {
                seq: *seq,
                text: lossy(text),
                parameters: parameters.clone(),
            }),
            Note::Shown(bytes) => self.shown(bytes.clone(), events),
            Note::Put(bytes) => events.push(Event::CopyIn(value::words(bytes))),
            Note::Held { .. }
            | Note::Allowed { .. }
            | Note::Refused { .. }
            | Note::Ended { .. } => {}
        }
    }

    /// Takes the next piece of what the client was shown and appends what it tells.
    pub fn shown(&mut self, piece: Bytes, events: &mut Vec<Event>) {
        if self.broken {
            return;
        }
        self.framer.push(piece);
        loop {
            let event = match self.framer.next() {
                Ok(None) => return,
                Ok(Some(frame)) => self.message(&frame),
                Err(malformed) => Err(malformed),
            };
            match event {
                Ok(event) => events.extend(event),
                Err(Malformed(why)) => {
                    self.broken = true;
                    events.push(Event::Unreadable(why));
                    return;
                }
            }
        }
    }

    fn message(&mut self, frame: &Frame) -> Result<Option<Event>, Malformed> {
        let event = match frame.kind {
            server::ROW_DESCRIPTION => {
                self.fields = row_fields(frame)?;
                Event::Columns(self.fields.iter().map(|field| lossy(&field.name)).collect())
            }
            server::DATA_ROW => Event::Row(self.row(frame)?),
            server::COMMAND_COMPLETE => Event::Complete(lossy(&Reader::new(&frame.body).cstr()?)),
            server::EMPTY_QUERY => Event::Complete(String::new()),
            server::PORTAL_SUSPENDED => Event::Suspended,
            server::NOTICE => Event::Notice(words(frame)?),
            server::ERROR => Event::Error(words(frame)?),
            server::COPY_OUT => {
                self.copy = CopyBegin::read(frame)?.format;
                return Ok(None);
            }
            server::COPY_DATA if self.copy == Format::Binary => {
                Event::CopyOut(hex::encode(&frame.body))
            }
            server::COPY_DATA => Event::CopyOut(lossy(&frame.body)),
            server::NOTIFICATION => {
                let mut body = Reader::new(&frame.body);
                body.u32()?;
                Event::Notification(lossy(&body.cstr()?), lossy(&body.cstr()?))
            }
            _ => return Ok(None),
        };
        Ok(Some(event))
    }

    fn row(&mut self, frame: &Frame) -> Result<Vec<Option<String>>, Malformed> {
        let mut body = Reader::new(&frame.body);
        let count = body.count()?;
        if count != self.fields.len() {
            // These are rows of a statement that was described earlier, or never.
            self.fields.clear();
        }
        let mut row = Vec::with_capacity(count.min(2_000));
        for index in 0..count {
            let field = self.fields.get(index);
            row.push(body.value()?.map(|value| match field {
                Some(field) => value::text(field.kind, field.format, &value),
                None => value::words(&value),
            }));
        }
        body.end()?;
        Ok(row)
    }
}

fn words(frame: &Frame) -> Result<Words, Malformed> {
    let report = Report::read(frame)?;
    let field = |code| {
        report
            .field(code)
            .map(|text| lossy(text))
            .unwrap_or_default()
    };
    Ok(Words {
        severity: field(b'S'),
        code: field(b'C'),
        message: field(b'M'),
        detail: field(b'D'),
        hint: field(b'H'),
        context: field(b'W'),
    })
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
