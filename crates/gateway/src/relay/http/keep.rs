//! What of a body goes into the recording: text up to a limit, and nothing protected, whatever policy reveals to the client.

use hyper::HeaderMap;
use hyper::header::HeaderValue;
use mask::{Findings, Hint, Stream};
use model::Note;
use protocols::aws::classify::Call;
use protocols::aws::command::at_rest;
use protocols::aws::objects::Facts;
use protocols::aws::secrets::{Hider, search};
use protocols::aws::transcript::{Part, Why};

use super::head::PLAIN;
use super::masking::is_text;
use super::part::{hider, object};
use super::sessions::Session;
use crate::record::{RecordError, Recorder};
use crate::upstream::aws::Account;

/// Header fields that may not rest.
const SECRET: [&str; 3] = ["authorization", "set-cookie", "x-amz-security-token"];

/// Whose body it is, and what is known of the object that it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side<'a> {
    /// The client was shown it.
    Answer(&'a Facts),
    /// An answer that is no object.
    Other,
    /// An answer from which policy reveals nothing: what is shown of it may rest.
    Hidden,
    /// The client sent it.
    Upload(&'a Facts),
}

/// A body on its way into the recording.
pub(super) struct Keeping {
    recorder: Recorder,
    seq: u64,
    uploaded: bool,
    /// So much of it may still be kept.
    left: usize,
    piece: bool,
    masks: Rest,
    /// An incomplete character.
    tail: Vec<u8>,
}

/// What becomes of the rest of a body.
enum Rest {
    /// It is searched first.
    Searched(Box<Masks>),
    /// It is kept as it is.
    AsItIs,
    /// It is not kept.
    Over,
}

struct Masks {
    stream: Stream,
    hider: Option<Hider>,
    findings: Findings,
}

impl Keeping {
    /// Keeps a body of request `seq`; the members of an answer to `call` are hidden by their name too.
    pub(super) fn new(
        account: &Account,
        session: &Session,
        seq: u64,
        call: &Call,
        side: Side<'_>,
    ) -> Self {
        let masker = account.maskers.at_rest();
        let hider = match side {
            Side::Answer(facts) => hider(account, call, facts, masker),
            Side::Other => Hider::of_error(call, &account.answers, masker),
            Side::Hidden => None,
            Side::Upload(facts) => object(account, call, facts, masker),
        };
        let masks = match side {
            Side::Hidden => Rest::AsItIs,
            _ => Rest::Searched(Box::new(Masks {
                stream: match side {
                    Side::Upload(_) => masker.stream(Hint::NONE).in_place(),
                    _ => search(call, masker),
                },
                hider,
                findings: Findings::counting(),
            })),
        };
        Self {
            recorder: session.caller.recorder.clone(),
            seq,
            uploaded: matches!(side, Side::Upload(_)),
            left: account.recorded_bytes,
            piece: false,
            masks,
            tail: Vec::new(),
        }
    }

    /// The same of a body that is a part of an object: nothing of it is kept, for half a number is no number to mask.
    pub(super) fn piece(mut self) -> Self {
        self.piece = true;
        self
    }

    /// The same of a body that nobody is shown.
    pub(super) fn nothing(mut self) -> Self {
        self.masks = Rest::Over;
        self
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// [`RecordError`]: nothing more may go on.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), RecordError> {
        if matches!(self.masks, Rest::Over) {
            return Ok(());
        }
        if self.piece {
            return self.cut(Why::Piece);
        }
        if !is_text(piece) {
            return self.cut(Why::Binary);
        }
        let Rest::Searched(masks) = &mut self.masks else {
            return self.keep(piece);
        };
        let mut text = Vec::with_capacity(piece.len());
        masks.stream.push(piece, &mut text, &mut masks.findings);
        match masks.named(text) {
            Some(text) => self.keep(&text),
            None => self.cut(Why::Binary),
        }
    }

    /// The body is complete: keeps what was held back.
    ///
    /// # Errors
    /// As [`Keeping::push`].
    pub(super) fn finish(&mut self) -> Result<(), RecordError> {
        match std::mem::replace(&mut self.masks, Rest::Over) {
            Rest::Over => return Ok(()),
            Rest::AsItIs => {}
            Rest::Searched(masks) => {
                if !self.finish_search(*masks)? {
                    return Ok(());
                }
            }
        }
        let rest = std::mem::take(&mut self.tail);
        self.note(&rest)
    }

    /// Keeps what was held back; whether all of it was kept.
    fn finish_search(&mut self, mut masks: Masks) -> Result<bool, RecordError> {
        let mut text = Vec::new();
        masks.stream.finish(&mut text, &mut masks.findings);
        let Some(mut text) = Masks::hidden(masks.hider.as_mut(), text, &mut masks.findings) else {
            return self.cut(Why::Binary).map(|()| false);
        };
        if let Some(hider) = masks.hider
            && hider.finish(&mut text, &mut masks.findings).is_err()
        {
            return self.cut(Why::Binary).map(|()| false);
        }
        self.keep(&text).map(|()| true)
    }

    fn keep(&mut self, text: &[u8]) -> Result<(), RecordError> {
        let kept = text.get(..self.left).unwrap_or(text);
        self.left -= kept.len();
        let mut whole = std::mem::take(&mut self.tail);
        whole.extend_from_slice(kept);
        self.tail = whole.split_off(whole_characters(&whole));
        self.note(&whole)?;
        if kept.len() < text.len() {
            return self.cut(Why::Long);
        }
        Ok(())
    }

    fn note(&self, text: &[u8]) -> Result<(), RecordError> {
        if text.is_empty() {
            return Ok(());
        }
        let text = bytes::Bytes::copy_from_slice(text);
        self.put(&Part::Text {
            seq: self.seq,
            text,
        })
    }

    fn cut(&mut self, why: Why) -> Result<(), RecordError> {
        self.masks = Rest::Over;
        self.put(&Part::Cut { seq: self.seq, why })
    }

    fn put(&self, part: &Part) -> Result<(), RecordError> {
        let part = part.encode();
        self.recorder.note(&if self.uploaded {
            Note::Put(part)
        } else {
            Note::Shown(part)
        })
    }
}

impl Masks {
    fn named(&mut self, text: Vec<u8>) -> Option<Vec<u8>> {
        Self::hidden(self.hider.as_mut(), text, &mut self.findings)
    }

    /// Hides by name too; `None` where it cannot be read.
    fn hidden(
        hider: Option<&mut Hider>,
        text: Vec<u8>,
        findings: &mut Findings,
    ) -> Option<Vec<u8>> {
        let Some(hider) = hider else {
            return Some(text);
        };
        let mut out = Vec::with_capacity(text.len());
        hider.push(&text, &mut out, findings).ok()?;
        Some(out)
    }
}

/// The head of an answer, as it goes into the recording.
pub(super) fn head(
    account: &Account,
    seq: u64,
    status: u16,
    fields: &HeaderMap<HeaderValue>,
) -> Note {
    let masker = account.maskers.at_rest();
    let fields = fields.iter().filter_map(|(name, value)| {
        let name = name.as_str();
        let value = String::from_utf8_lossy(value.as_bytes());
        let value = match name {
            _ if SECRET.contains(&name) => return None,
            _ if PLAIN.contains(&name) => value.into_owned(),
            _ => at_rest(masker, &value),
        };
        Some((name.to_owned(), value))
    });
    let fields = fields.collect();
    Note::Shown(
        Part::Answer {
            seq,
            status,
            fields,
        }
        .encode(),
    )
}

/// How many bytes at the front are whole characters, or no text at all.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_stay_whole() {
        let text = "aü€😀".as_bytes();
        let ends = [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10];
        for (length, end) in ends.into_iter().enumerate() {
            assert_eq!(whole_characters(&text[..length]), end);
        }
        assert_eq!(whole_characters(b"a\xFFb"), 3);
    }
}
