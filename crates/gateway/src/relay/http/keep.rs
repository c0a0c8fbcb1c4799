//! What of a body goes into the recording: text up to a limit, and nothing protected, whatever policy reveals to the client.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::HeaderValue;
use mask::{Findings, Hint, Masker, MaskerConfig, Stream};
use model::Note;
use protocols::aws::classify::Call;
use protocols::aws::command::at_rest;
use protocols::aws::secrets::Hider;
use protocols::aws::transcript::{Part, Why};

use super::answer::is_text;
use super::part::{hider, object};
use super::sessions::Session;
use crate::record::{RecordError, Recorder};
use crate::upstream::aws::Account;

/// Header fields that may not rest.
const SECRET: [&str; 3] = ["authorization", "set-cookie", "x-amz-security-token"];

/// Whose body it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The client was shown it.
    Answer,
    /// The client sent it.
    Upload,
}

/// A body on its way into the recording.
pub(super) struct Keeping {
    recorder: Recorder,
    seq: u64,
    side: Side,
    /// So much of it may still be kept.
    left: usize,
    piece: bool,
    /// `None` once the rest is not kept.
    masks: Option<Masks>,
    /// An incomplete character.
    tail: Vec<u8>,
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
        side: Side,
    ) -> Self {
        let masker = Arc::new(masker(account));
        let hider = match side {
            Side::Answer => hider(account, call, &masker),
            Side::Upload => object(account, call, &masker),
        };
        Self {
            recorder: session.caller.recorder.clone(),
            seq,
            side,
            left: account.recorded_bytes,
            piece: false,
            masks: Some(Masks {
                stream: masker.stream(Hint::NONE).in_place(),
                hider,
                findings: Findings::counting(),
            }),
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
        self.masks = None;
        self
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// [`RecordError`]: nothing more may go on.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), RecordError> {
        let Some(masks) = &mut self.masks else {
            return Ok(());
        };
        if self.piece {
            return self.cut(Why::Piece);
        }
        if !is_text(piece) {
            return self.cut(Why::Binary);
        }
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
        let Some(mut masks) = self.masks.take() else {
            return Ok(());
        };
        let mut text = Vec::new();
        masks.stream.finish(&mut text, &mut masks.findings);
        let Some(mut text) = Masks::hidden(masks.hider.as_mut(), text, &mut masks.findings) else {
            return self.cut(Why::Binary);
        };
        if let Some(hider) = masks.hider
            && hider.finish(&mut text, &mut masks.findings).is_err()
        {
            return self.cut(Why::Binary);
        }
        self.keep(&text)?;
        let rest = std::mem::take(&mut self.tail);
        self.note(&rest)
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
        self.masks = None;
        self.put(&Part::Cut { seq: self.seq, why })
    }

    fn put(&self, part: &Part) -> Result<(), RecordError> {
        self.recorder.note(&match self.side {
            Side::Answer => Note::Shown(part.encode()),
            Side::Upload => Note::Put(part.encode()),
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
    let masker = masker(account);
    let fields = fields.iter().filter_map(|(name, value)| {
        let shown = !SECRET.contains(&name.as_str());
        let value = String::from_utf8_lossy(value.as_bytes());
        shown.then(|| (name.as_str().to_owned(), at_rest(&masker, &value)))
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

/// Nothing is revealed to a recording.
fn masker(account: &Account) -> Masker {
    Masker::new(MaskerConfig {
        find: account.find.clone(),
        own: account.own.clone(),
        ..MaskerConfig::default()
    })
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
