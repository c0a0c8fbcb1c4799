//! What of a body goes into the recording: text up to a limit, and nothing protected, whatever policy reveals to the client.
//!
//! The search for it is also what tells of an answer that was shown as it is which values stood in it. What was not searched may
//! have held anything.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::HeaderValue;
use mask::{Findings, Hint, Masker, Stream};
use model::{DataClass, MaskFact, Note};
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

/// The class, and the rule, of what is shown to a client and was not searched.
const UNINSPECTED: &str = "uninspected";
/// The rule of what is found because it is declared.
const DECLARED: &str = "declared";
/// What is done with a value that policy reveals.
const REVEAL: &str = "reveal";

/// What of a body the client is shown as it is, so that the search of the recording alone finds it.
enum Clear {
    /// Nothing.
    Nothing,
    /// What is declared, and not hidden by this.
    Declared(Arc<Masker>),
    /// All of it. These were found in its head.
    All(Vec<MaskFact>),
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
    clear: Clear,
    /// What was found, once the search is over.
    found: Option<Findings>,
    /// It was not searched to its end.
    cut: bool,
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
                findings: match side {
                    Side::Upload(_) => Findings::counting(),
                    _ => Findings::new(&session.caller.commitments),
                },
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
            clear: Clear::Nothing,
            found: None,
            cut: false,
        }
    }

    /// The same of a body that the client is shown as it is, with what was found in its head.
    pub(super) fn clear(mut self, head: Vec<MaskFact>) -> Self {
        self.clear = Clear::All(head);
        self
    }

    /// The same of one in which this hides what policy does not reveal. It counts what it finds, and not what it leaves because it is
    /// declared as another class.
    pub(super) fn revealing(mut self, masker: &Arc<Masker>) -> Self {
        if let Rest::Searched(masks) = &self.masks
            && let Some(hider) = &masks.hider
            && hider.hides(|class| !masker.masks(class))
        {
            self.clear = Clear::Declared(masker.clone());
        }
        self
    }

    /// What the client was shown as it is, and nobody else has counted. A body that was not searched to its end has a fact without
    /// commitments.
    pub(super) fn released(&mut self) -> Vec<MaskFact> {
        let found = self.found.take().map_or_else(Vec::new, |it| it.facts());
        let (mut facts, found) = match std::mem::replace(&mut self.clear, Clear::Nothing) {
            Clear::Nothing => return Vec::new(),
            Clear::Declared(masker) => {
                let shown = |it: &MaskFact| it.rule == DECLARED && !masker.masks(&it.class);
                (Vec::new(), found.into_iter().filter(shown).collect())
            }
            Clear::All(head) => (head, found),
        };
        facts.extend(found.into_iter().map(|fact| MaskFact {
            strategy: REVEAL.to_owned(),
            ..fact
        }));
        let class = DataClass::try_from(UNINSPECTED.to_owned());
        facts.extend(class.ok().filter(|_| self.cut).map(|class| MaskFact {
            class,
            rule: UNINSPECTED.to_owned(),
            place: "answer".to_owned(),
            columns: Vec::new(),
            strategy: REVEAL.to_owned(),
            count: 1,
            commitments: Vec::new(),
        }));
        facts
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
        let anywhere = masks.findings.place("answer");
        masks.findings.enter(anywhere);
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
            self.found = Some(masks.findings);
            return self.cut(Why::Binary).map(|()| false);
        };
        if let Some(hider) = masks.hider
            && hider.finish(&mut text, &mut masks.findings).is_err()
        {
            self.found = Some(masks.findings);
            return self.cut(Why::Binary).map(|()| false);
        }
        self.found = Some(masks.findings);
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
        if let Rest::Searched(masks) = std::mem::replace(&mut self.masks, Rest::Over) {
            self.found = Some(masks.findings);
        }
        self.cut = true;
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
