//! What the client sends, read into steps.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use model::{Denial, DenialCode, Note};

use super::types::{Batch, Step, Stmt, What};
use super::{Live, OWED_MAX, QUESTIONS_MAX, STEPS_MAX};
use crate::postgres::command::{Understood, Unreadable, at_rest, unreadable_at_rest};
use crate::postgres::deny;
use crate::postgres::session::client_broke;
use crate::postgres::wire::{self, Frame, Malformed, Reader, client};
use crate::session::{Effect, Effects, Violation};

/// What became of a message.
pub(super) enum Taken {
    /// It was read.
    Yes,
    /// It must wait, and comes again.
    Later,
}

impl Live {
    /// Takes a message of the client; gives it back where it must wait.
    pub(in crate::postgres) fn client(
        &mut self,
        frame: Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<Option<Frame>, Violation> {
        let taken = self.read(&frame, fx)?;
        if matches!(taken, Taken::Yes) {
            return Ok(None);
        }
        self.hurry(fx);
        Ok(Some(frame))
    }

    fn read(&mut self, frame: &Frame, fx: &mut Effects<Bytes>) -> Result<Taken, Violation> {
        if self.copy_in.is_some() {
            return self.copy_data(frame, fx).map(|()| Taken::Yes);
        }
        if frame.kind == client::TERMINATE && self.is_held() {
            // Nobody is left to see what people decide.
            self.end(fx);
            return Ok(Taken::Yes);
        }
        if self.is_full() || self.must_wait(frame) {
            return Ok(Taken::Later);
        }
        if self.batch.skipping && !matches!(frame.kind, client::SYNC | client::TERMINATE) {
            return known_kind(frame.kind).map(|()| Taken::Yes);
        }
        let broke = |malformed: Malformed| client_broke(malformed.0);
        match frame.kind {
            client::QUERY => self.query(frame, fx),
            client::PARSE => self.parse(frame, fx),
            client::BIND => self.bind(frame, fx),
            client::DESCRIBE => {
                self.flush_parse(fx);
                let target = wire::target(frame).map_err(broke)?;
                Ok(self.describe(frame, &target, fx))
            }
            client::EXECUTE => {
                self.flush_parse(fx);
                let mut body = Reader::new(&frame.body);
                let name = body.cstr().map_err(broke)?;
                body.i32().and_then(|_| body.end()).map_err(broke)?;
                Ok(self.execute(frame, &name, fx))
            }
            client::CLOSE => {
                self.flush_parse(fx);
                let target = wire::target(frame).map_err(broke)?;
                self.close(frame, &target, fx);
                Ok(Taken::Yes)
            }
            client::FLUSH => {
                self.flush_parse(fx);
                self.push(What::Flush);
                Ok(Taken::Yes)
            }
            client::SYNC => {
                self.flush_parse(fx);
                self.push(What::Sync);
                self.end_batch();
                Ok(Taken::Yes)
            }
            client::TERMINATE => {
                self.flush_parse(fx);
                self.push(What::Terminate);
                Ok(Taken::Yes)
            }
            client::FUNCTION_CALL => Ok(self.function_call(fx)),
            // PostgreSQL ignores these too: what follows a COPY that failed.
            client::COPY_DATA | client::COPY_DONE | client::COPY_FAIL => Ok(Taken::Yes),
            kind => known_kind(kind).map(|()| Taken::Yes),
        }
    }

    fn is_full(&self) -> bool {
        self.open.len() >= QUESTIONS_MAX
            || self.steps.len() >= STEPS_MAX
            || self.owed.len() >= OWED_MAX
    }

    /// Whether what is under way decides what this message means.
    fn must_wait(&self, frame: &Frame) -> bool {
        if self.simple_ahead || self.copying > 0 {
            return true;
        }
        let names = matches!(
            frame.kind,
            client::PARSE | client::BIND | client::DESCRIBE | client::EXECUTE | client::CLOSE
        );
        let named_portal =
            frame.kind == client::EXECUTE && frame.body.first().is_some_and(|byte| *byte != 0);
        (names && self.renaming > 0) || (named_portal && self.ending > 0)
    }

    /// What waits may wait for answers that the upstream holds back until it is asked for them.
    pub(super) fn hurry(&mut self, fx: &mut Effects<Bytes>) {
        if self.batch.sent
            && !self.batch.flushed
            && !self.owed.is_empty()
            && self.steps.is_empty()
            && self.copy_in.is_none()
        {
            self.batch.flushed = true;
            fx.push(Effect::Send(
                crate::session::Peer::Upstream,
                wire::write::bare(client::FLUSH),
            ));
        }
    }

    pub(super) fn push(&mut self, what: What) {
        self.steps.push_back(Step::free(what));
    }

    pub(super) fn end_batch(&mut self) {
        self.batch.next();
        self.statements.end_batch();
        self.portals.end_batch();
    }

    /// Says in its turn that a message failed, and drops what follows up to Sync.
    pub(super) fn fail(&mut self, error: Bytes, fx: &mut Effects<Bytes>) {
        self.flush_parse(fx);
        self.push(What::Fail(error));
        self.batch.skipping = true;
    }

    fn function_call(&mut self, fx: &mut Effects<Bytes>) -> Taken {
        self.flush_parse(fx);
        if !self.is_quiet() {
            return Taken::Later;
        }
        let denial = Denial::new(
            DenialCode::Unsupported,
            "FunctionCall is not offered through the gateway: call the function with SELECT",
        );
        self.push(What::FailSimple(deny::error(&denial)));
        self.end_batch();
        Taken::Yes
    }

    /// Reads a text with the catalog and the session's names.
    pub(super) fn understand(&self, text: &Bytes) -> Result<Arc<Understood>, Unreadable> {
        self.check_reading(text)?;
        let (settings, known) = (&self.served.settings, &self.known);
        self.served.analyses.understand(text, settings, known, self)
    }

    /// The same for a prepared statement, whose text is parsed once.
    pub(super) fn understand_again(&self, stmt: &Stmt) -> Result<Arc<Understood>, Unreadable> {
        let Some(analysis) = &stmt.analysis else {
            return self.understand(&stmt.text);
        };
        self.check_reading(&stmt.text)?;
        let mut latest = analysis.lock().unwrap_or_else(PoisonError::into_inner);
        let (settings, known) = (&self.served.settings, &self.known);
        *latest = self.served.analyses.again(&latest, settings, known, self)?;
        Ok(Arc::clone(&latest))
    }

    fn check_reading(&self, text: &Bytes) -> Result<(), Unreadable> {
        // Settings that decide where strings end may have changed, and the upstream tells only at the end of the batch.
        if self.batch.rereads && text.iter().any(|byte| *byte == b'\\' || !byte.is_ascii()) {
            return Err(Unreadable::new(
                "0A000",
                "a statement with a backslash or a character beyond ASCII must not follow a change of settings in the \
                          same batch: send Sync between them",
            ));
        }
        Ok(())
    }

    /// Refuses a text that could not be read, and records that it came.
    pub(super) fn unreadable(
        &mut self,
        text: &Bytes,
        unreadable: &Unreadable,
        fx: &mut Effects<Bytes>,
    ) {
        self.note_unreadable(text, unreadable, fx);
        self.fail(unreadable.error(), fx);
    }

    pub(super) fn note_unreadable(
        &mut self,
        text: &Bytes,
        unreadable: &Unreadable,
        fx: &mut Effects<Bytes>,
    ) {
        self.seq += 1;
        let seq = self.seq;
        let masker = &self.masks.at_rest;
        let text = if self.served.settings.declared.is_empty() {
            at_rest(masker, text)
        } else {
            unreadable_at_rest(masker, text)
        };
        let message = at_rest(masker, &Bytes::from(unreadable.message.clone()));
        fx.push(Effect::Note(Note::Asked {
            seq,
            tag: Arc::from(""),
            text,
            parameters: Vec::new(),
        }));
        let denial = Denial::new(DenialCode::Unsupported, String::from_utf8_lossy(&message));
        fx.push(Effect::Note(Note::Refused { seq, denial }));
    }
}

/// Kinds that a client may send at a wrong time without harm; the others end the session.
fn known_kind(kind: u8) -> Result<(), Violation> {
    match kind {
        client::QUERY
        | client::PARSE
        | client::BIND
        | client::DESCRIBE
        | client::EXECUTE
        | client::CLOSE
        | client::FLUSH
        | client::FUNCTION_CALL
        | client::COPY_DATA
        | client::COPY_DONE
        | client::COPY_FAIL => Ok(()),
        _ => Err(client_broke("a message of a kind that is not known here")),
    }
}

impl Batch {
    /// Something that a later Flush must push out was sent.
    pub(super) fn wrote(&mut self) {
        self.sent = true;
        self.flushed = false;
    }
}
