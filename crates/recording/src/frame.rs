//! Frames: a note with the moment it was made, to bytes and back.

use std::sync::Arc;

use bytes::Bytes;
use model::{Denial, Held, Note, Outcome, Timestamp};
use serde::{Deserialize, Serialize};

/// When something happened, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// The wall clock.
    pub wall: Timestamp,
    /// Microseconds since the session began, by the monotonic clock.
    pub mono_us: u64,
}

/// A note and its moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timed {
    /// When.
    pub at: Moment,
    /// What.
    pub note: Note,
}

/// Bytes that are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame ends before it should.
    #[error("a frame is cut short")]
    Short,
    /// A kind of frame that this version does not know.
    #[error("frame kind {0} is unknown to this version")]
    Kind(u8),
    /// The payload is not what its kind says.
    #[error("a frame's payload is malformed")]
    Payload,
}

const ASKED: u8 = 1;
const SHOWN: u8 = 2;
const PUT: u8 = 3;
const HELD: u8 = 4;
const ALLOWED: u8 = 5;
const REFUSED: u8 = 6;
const ENDED: u8 = 7;

/// The rarer payloads are JSON of these.
#[derive(Serialize, Deserialize)]
struct AboutHeld {
    seq: u64,
    held: Held,
}

#[derive(Serialize, Deserialize)]
struct AboutRefused {
    seq: u64,
    denial: Denial,
}

#[derive(Serialize, Deserialize)]
struct AboutEnded {
    seq: u64,
    outcome: Outcome,
}

/// Appends the frame of `note` to `out`.
pub(crate) fn put(at: Moment, note: &Note, out: &mut Vec<u8>) {
    let mut head = |kind: u8, length: usize| {
        out.push(kind);
        put_number(u64::try_from(at.wall.micros()).unwrap_or(0), out);
        put_number(at.mono_us, out);
        put_number(length as u64, out);
    };
    match note {
        Note::Shown(bytes) => {
            head(SHOWN, bytes.len());
            out.extend_from_slice(bytes);
        }
        Note::Put(bytes) => {
            head(PUT, bytes.len());
            out.extend_from_slice(bytes);
        }
        other => {
            let (kind, payload) = payload(other);
            head(kind, payload.len());
            out.extend_from_slice(&payload);
        }
    }
}

fn payload(note: &Note) -> (u8, Vec<u8>) {
    let json = |value: Result<Vec<u8>, serde_json::Error>| value.unwrap_or_default();
    match note {
        Note::Asked {
            seq,
            tag,
            text,
            parameters,
        } => (ASKED, asked(*seq, tag, text, parameters)),
        Note::Shown(bytes) => (SHOWN, bytes.to_vec()),
        Note::Put(bytes) => (PUT, bytes.to_vec()),
        Note::Held { seq, held } => (
            HELD,
            json(serde_json::to_vec(&AboutHeld {
                seq: *seq,
                held: held.clone(),
            })),
        ),
        Note::Allowed { seq, intent } => {
            let mut out = Vec::with_capacity(12);
            put_number(*seq, &mut out);
            put_number(*intent, &mut out);
            (ALLOWED, out)
        }
        Note::Refused { seq, denial } => (
            REFUSED,
            json(serde_json::to_vec(&AboutRefused {
                seq: *seq,
                denial: denial.clone(),
            })),
        ),
        Note::Ended { seq, outcome } => (
            ENDED,
            json(serde_json::to_vec(&AboutEnded {
                seq: *seq,
                outcome: outcome.clone(),
            })),
        ),
    }
}

fn asked(seq: u64, tag: &str, text: &[u8], parameters: &[Option<String>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + text.len());
    put_number(seq, &mut out);
    put_bytes(tag.as_bytes(), &mut out);
    put_bytes(text, &mut out);
    put_number(parameters.len() as u64, &mut out);
    for parameter in parameters {
        match parameter {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                put_bytes(value.as_bytes(), &mut out);
            }
        }
    }
    out
}

/// Takes one frame off the front of `bytes`.
pub(crate) fn take(bytes: &mut Bytes) -> Result<Timed, FrameError> {
    let kind = take_byte(bytes)?;
    let wall = i64::try_from(take_number(bytes)?).map_err(|_| FrameError::Payload)?;
    let mono_us = take_number(bytes)?;
    let payload = take_bytes(bytes)?;
    let at = Moment {
        wall: Timestamp::from_micros(wall),
        mono_us,
    };
    Ok(Timed {
        at,
        note: note(kind, payload)?,
    })
}

fn note(kind: u8, mut payload: Bytes) -> Result<Note, FrameError> {
    fn json<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, FrameError> {
        serde_json::from_slice(payload).map_err(|_| FrameError::Payload)
    }
    Ok(match kind {
        ASKED => take_asked(&mut payload)?,
        SHOWN => Note::Shown(payload),
        PUT => Note::Put(payload),
        HELD => {
            let AboutHeld { seq, held } = json(&payload)?;
            Note::Held { seq, held }
        }
        ALLOWED => Note::Allowed {
            seq: take_number(&mut payload)?,
            intent: take_number(&mut payload)?,
        },
        REFUSED => {
            let AboutRefused { seq, denial } = json(&payload)?;
            Note::Refused { seq, denial }
        }
        ENDED => {
            let AboutEnded { seq, outcome } = json(&payload)?;
            Note::Ended { seq, outcome }
        }
        unknown => return Err(FrameError::Kind(unknown)),
    })
}

fn take_asked(payload: &mut Bytes) -> Result<Note, FrameError> {
    let text_of = |bytes: Bytes| String::from_utf8(bytes.to_vec()).map_err(|_| FrameError::Payload);
    let seq = take_number(payload)?;
    let tag: Arc<str> = text_of(take_bytes(payload)?)?.into();
    let text = take_bytes(payload)?;
    let count = take_number(payload)?;
    let mut parameters = Vec::new();
    for _ in 0..count {
        parameters.push(match take_byte(payload)? {
            0 => None,
            1 => Some(text_of(take_bytes(payload)?)?),
            _ => return Err(FrameError::Payload),
        });
    }
    Ok(Note::Asked {
        seq,
        tag,
        text,
        parameters,
    })
}

fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn take_byte(bytes: &mut Bytes) -> Result<u8, FrameError> {
    let first = *bytes.first().ok_or(FrameError::Short)?;
    bytes::Buf::advance(bytes, 1);
    Ok(first)
}

fn take_number(bytes: &mut Bytes) -> Result<u64, FrameError> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take_byte(bytes)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(FrameError::Payload)
}

fn take_bytes(bytes: &mut Bytes) -> Result<Bytes, FrameError> {
    let length = usize::try_from(take_number(bytes)?).map_err(|_| FrameError::Short)?;
    if length > bytes.len() {
        Err(FrameError::Short)
    } else {
        Ok(bytes.split_to(length))
    }
}
