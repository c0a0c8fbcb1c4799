//! Query: one command, however many statements it holds.

use std::sync::Arc;

use bytes::Bytes;

use super::Live;
use super::parts::Parts;
use super::reload::Settled;
use super::request::Taken;
use super::types::{Step, What};
use crate::postgres::command::{Piece, Understood, Unreadable};
use crate::postgres::session::client_broke;
use crate::postgres::wire::{Frame, Reader};
use crate::session::{Effects, Violation};

impl Live {
    /// A Query is read once everything before it is answered, so that the session's names and the catalog are what the
    /// upstream will see.
    pub(super) fn query(
        &mut self,
        frame: &Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<Taken, Violation> {
        let mut body = Reader::new(&frame.body);
        let text = body.cstr().map_err(|malformed| client_broke(malformed.0))?;
        body.end().map_err(|malformed| client_broke(malformed.0))?;
        self.flush_parse(fx);
        if !self.is_quiet() {
            return Ok(Taken::Later);
        }
        match self.settle(fx) {
            Settled::Yes => {}
            Settled::Later => return Ok(Taken::Later),
            Settled::Never(error) => {
                self.push(What::FailSimple(error));
                self.end_batch();
                return Ok(Taken::Yes);
            }
        }
        let understood = self.understand(&text);
        match understood.and_then(|it| self.in_few_parts(it)) {
            Err(unreadable) => {
                self.note_unreadable(&text, &unreadable, fx);
                self.push(What::FailSimple(unreadable.error()));
            }
            Ok(understood) => {
                if let Some(error) = self.keeps_too_much(&understood) {
                    self.push(What::FailSimple(error));
                    self.end_batch();
                    return Ok(Taken::Yes);
                }
                let understood = self.as_of_batch(understood);
                let understood = self.undone(understood);
                self.changes += u64::from(understood.pieces.iter().any(Piece::changes_meanings));
                let seq = self.ask(&understood, false, Vec::new(), Vec::new(), fx);
                self.simple_ahead = true;
                let stale = self.is_unsure();
                let known = Arc::clone(&self.known);
                let frame = frame.clone();
                self.steps.push_back(Step::asked(
                    seq,
                    What::Simple {
                        frame,
                        understood,
                        known,
                        stale,
                        heard: self.heard,
                    },
                ));
            }
        }
        self.end_batch();
        Ok(Taken::Yes)
    }

    /// What would go up in too many parts is not taken.
    fn in_few_parts(&self, understood: Arc<Understood>) -> Result<Arc<Understood>, Unreadable> {
        let Some(parts) = Parts::of(&understood, self.defined).too_many() else {
            return Ok(understood);
        };
        let message = format!(
            "the text commits changes of the catalog and goes on, so it would be sent in {parts} parts, too many for its length: send each transaction by itself"
        );
        Err(Unreadable::new("54000", message))
    }

    /// Where the catalog holds what the transaction made, what follows the transaction's end in the same text cannot be judged.
    fn undone(&self, understood: Arc<Understood>) -> Arc<Understood> {
        let undoes = understood.pieces.iter().any(Piece::undoes);
        if undoes && self.unsettled_at_end {
            Arc::new(understood.distrusted_after(
                Piece::undoes,
                &self.served.settings.target,
                &self.known,
            ))
        } else {
            understood
        }
    }
}
