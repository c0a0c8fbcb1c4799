//! COPY: data to the client under a plan, data from the client as it is, recorded masked.

use std::sync::Arc;

use bytes::Bytes;
use model::Note;

use super::Live;
use super::reply::broke;
use super::row::{fresh, over};
use super::types::Owed;
use crate::postgres::rows::{CopyIn, CopyPlan, Shown};
use crate::postgres::session::{client_broke, upstream_broke};
use crate::postgres::wire::{self, CopyBegin, Frame, Framer, Run, client, server, write};
use crate::session::{Effect, Effects, Peer, Violation};

impl Live {
    /// What the upstream says of a COPY.
    pub(super) fn copy(&mut self, frame: &Frame, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        let (seq, index) = match self.owed.front() {
            Some(Owed::Simple(run)) => (run.seq, run.index),
            Some(Owed::Executed { portal }) => (portal.seq, 0),
            _ => return Err(upstream_broke("COPY that nothing was sent for")),
        };
        match frame.kind {
            server::COPY_IN => {
                if self.muted {
                    self.send(write::copy_fail("the command was stopped"), fx);
                    return Ok(());
                }
                let begin = CopyBegin::read(frame).map_err(broke)?;
                self.copy_in = Some(self.incoming(seq, index, &begin)?);
                self.out.put(&frame.whole);
                Ok(())
            }
            server::COPY_OUT => {
                self.copying_out = true;
                self.copy_out(seq, index, frame, fx)
            }
            server::COPY_DATA => self.copy_rows(
                &Run {
                    whole: frame.whole.clone(),
                    count: 1,
                },
                fx,
            ),
            _ => self.copy_done(seq, frame, fx),
        }
    }

    fn incoming(&self, seq: u64, index: usize, begin: &CopyBegin) -> Result<CopyIn, Violation> {
        let Some(running) = self.running.get(&seq) else {
            return Err(upstream_broke("COPY of a command that has ended"));
        };
        let Some(piece) = running.understood.pieces.get(index) else {
            return Err(upstream_broke("more results than statements"));
        };
        let (known, masker) = (&running.known, &self.masks.at_rest);
        let (statement, resolved) = (&piece.statement, &piece.resolved);
        Ok(CopyIn::new(begin, statement, resolved, known, masker))
    }

    fn copy_out(
        &mut self,
        seq: u64,
        index: usize,
        frame: &Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        let begin = CopyBegin::read(frame).map_err(broke)?;
        if self.muted {
            return Ok(());
        }
        let Some(running) = self.running.get_mut(&seq) else {
            return Err(upstream_broke("COPY of a command that has ended"));
        };
        let understood = Arc::clone(&running.understood);
        let Some(piece) = understood.pieces.get(index) else {
            return Err(upstream_broke("more results than statements"));
        };
        let planned = fresh(piece, running.is_stale(self.heard), &running.masks).and_then(|()| {
            let (statement, resolved) = (&piece.statement, &piece.resolved);
            CopyPlan::new(
                &begin,
                statement,
                resolved,
                &running.known,
                &running.masks,
                &mut running.findings,
            )
        });
        match planned {
            Ok(plan) => {
                running.copy_out = Some(plan);
                let echo = running.echo.clone();
                let quoting = self.quoting(piece, echo.as_ref());
                if let Some(running) = self.running.get_mut(&seq) {
                    running.quoting = quoting;
                }
                self.out.put(&frame.whole);
                Ok(())
            }
            Err(error) => self.withheld(seq, error, fx),
        }
    }

    /// Whether COPY data may come now, so that they are best taken in stretches.
    pub(in crate::postgres) fn expects_copy(&self) -> bool {
        self.copying_out && self.reload.is_none()
    }

    /// A stretch of COPY data; one message of text or csv is one row.
    pub(in crate::postgres) fn copy_rows(
        &mut self,
        run: &Run,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        if self.muted {
            return Ok(());
        }
        let Some(seq) = self.answering() else {
            return Err(upstream_broke("COPY data that nothing was sent for"));
        };
        let Some(running) = self.running.get_mut(&seq) else {
            return Err(upstream_broke("COPY data of a command that has ended"));
        };
        let Some(plan) = running.copy_out.as_mut() else {
            return Err(upstream_broke("COPY data before its beginning"));
        };
        let obligations = running.permit.obligations();
        if obligations.rows_max.is_some() || obligations.bytes_max.is_some() {
            return self.limited_copy(seq, run, fx);
        }
        let mut masked = Vec::new();
        let shown = plan.run(&run.whole, &mut masked, &mut running.findings);
        running.rows += run.count;
        if shown == Ok(Shown::Untouched) {
            running.bytes += run.whole.len() as u64;
            self.show_rows(seq, &run.whole);
        } else {
            running.bytes += masked.len() as u64;
            self.show_rows(seq, &masked.into());
        }
        match shown {
            Ok(_) => Ok(()),
            Err(error) => self.withheld(seq, error, fx),
        }
    }

    /// The same where policy limits how much is shown: message by message.
    fn limited_copy(
        &mut self,
        seq: u64,
        run: &Run,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        let mut framer = Framer::messages(wire::UPSTREAM_BYTES_MAX);
        framer.push(run.whole.clone());
        while let Some(frame) = framer.next().map_err(broke)? {
            self.copy_row(seq, frame, fx)?;
        }
        Ok(())
    }

    fn copy_row(
        &mut self,
        seq: u64,
        frame: Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        let Some(running) = self.running.get_mut(&seq).filter(|_| !self.muted) else {
            return Ok(());
        };
        let Some(plan) = running.copy_out.as_mut() else {
            return Ok(());
        };
        let mut masked = Vec::new();
        let shown = match plan.data(&frame, &mut masked, &mut running.findings) {
            Ok(Shown::Untouched) => frame.whole,
            Ok(Shown::Rewritten) => masked.into(),
            Err(error) => return self.withheld(seq, error, fx),
        };
        match over(running, 1, shown.len()) {
            Some(denial) => self.cut_off(seq, &denial, fx),
            None => self.show_rows(seq, &shown),
        }
        Ok(())
    }

    fn copy_done(
        &mut self,
        seq: u64,
        frame: &Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        self.copying_out = false;
        if self.muted {
            return Ok(());
        }
        let plan = self
            .running
            .get_mut(&seq)
            .and_then(|running| running.copy_out.take());
        let Some(plan) = plan else {
            return Err(upstream_broke("an end of COPY before its beginning"));
        };
        match plan.finish() {
            Ok(()) => {
                self.out.put(&frame.whole);
                Ok(())
            }
            Err(error) => self.withheld(seq, error, fx),
        }
    }

    /// What the client sends while the upstream waits for COPY data.
    pub(super) fn copy_data(
        &mut self,
        frame: &Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        match frame.kind {
            client::COPY_DATA => {
                if let Some(copy_in) = &mut self.copy_in {
                    let put = copy_in.at_rest(&frame.body);
                    note(put, fx);
                }
                self.send(frame.whole.clone(), fx);
            }
            client::COPY_DONE | client::COPY_FAIL => {
                self.put_rest(fx);
                self.send(frame.whole.clone(), fx);
            }
            // PostgreSQL ignores these during a COPY.
            client::FLUSH | client::SYNC => {}
            client::TERMINATE => {
                fx.push(Effect::Send(
                    Peer::Upstream,
                    write::copy_fail("the client ended the session"),
                ));
                self.end(fx);
            }
            _ => return Err(client_broke("a message other than COPY data during COPY")),
        }
        Ok(())
    }

    /// Nothing more comes of the data.
    pub(super) fn put_rest(&mut self, fx: &mut Effects<Bytes>) {
        if let Some(copy_in) = self.copy_in.take() {
            note(copy_in.finish(), fx);
        }
    }
}

fn note(put: Bytes, fx: &mut Effects<Bytes>) {
    if !put.is_empty() {
        fx.push(Effect::Note(Note::Put(put)));
    }
}
