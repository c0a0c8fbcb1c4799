//! What the upstream answers, each message taken by what is owed.

use std::sync::Arc;

use bytes::Bytes;
use mask::Findings;
use model::Status;

use super::echo::Said;
use super::types::{Columns, Owed, SimpleRun};
use super::{Live, settle};
use crate::postgres::command::Piece;
use crate::postgres::rows::{self, Reports};
use crate::postgres::session::upstream_broke;
use crate::postgres::wire::{self, Field, Frame, Malformed, Reader, Run, server, write};
use crate::session::{Effects, Violation};

impl Live {
    /// Takes a message of the upstream.
    pub(in crate::postgres) fn upstream(
        &mut self,
        frame: &Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        if let Some(reload) = self.reload.take() {
            return self.reloading(reload, frame, fx);
        }
        match frame.kind {
            server::NOTICE | server::NOTIFICATION => {
                let said = self.aside(frame)?;
                self.say(said);
                Ok(())
            }
            server::PARAMETER_STATUS => self.parameter(frame, fx),
            server::ERROR => self.error(frame, fx),
            server::DATA_ROW => self.rows(
                &Run {
                    whole: frame.whole.clone(),
                    count: 1,
                },
                fx,
            ),
            server::ROW_DESCRIPTION | server::NO_DATA | server::PARAMETER_DESCRIPTION => {
                self.description(frame, fx)
            }
            server::COMMAND_COMPLETE | server::EMPTY_QUERY | server::PORTAL_SUSPENDED => {
                self.complete(frame, fx)
            }
            server::READY => self.ready(frame, fx),
            server::COPY_IN | server::COPY_OUT | server::COPY_DATA | server::COPY_DONE => {
                self.copy(frame, fx)
            }
            server::PARSE_COMPLETE | server::BIND_COMPLETE | server::CLOSE_COMPLETE => {
                self.acknowledged(frame, fx)
            }
            _ => Err(upstream_broke("a message of a kind that is not known here")),
        }
    }

    /// Shows a message unless the client must see nothing until the upstream is ready.
    fn show_frame(&mut self, frame: &Frame) {
        if !self.muted {
            self.out.put(&frame.whole);
        }
    }

    /// The command whose answer is coming in.
    pub(super) fn answering(&self) -> Option<u64> {
        match self.owed.front()? {
            Owed::Executed { portal }
            | Owed::Bound { portal, .. }
            | Owed::PortalDescribed { portal, .. } => Some(portal.seq),
            Owed::Simple(run) => Some(run.seq),
            Owed::Parsed { seq, .. } => *seq,
            _ => None,
        }
    }

    /// A notice, error or notification, masked as the command under way is.
    pub(super) fn aside(&mut self, frame: &Frame) -> Result<Said, Violation> {
        let seq = self.answering();
        let understood = seq
            .and_then(|seq| self.running.get(&seq))
            .map(|it| &it.understood);
        let computes = understood.is_none_or(|understood| {
            // Of a key the server says only what it is, with the names of its columns.
            let keys = understood.computes_beside() && rows::tells_of_keys(frame);
            self.computes(understood) && !keys
        });
        let sender = frame.body.first_chunk().map(|id| u32::from_be_bytes(*id));
        let process = self.upstream_key.as_ref().map(|(process, _)| *process);
        let notifies = understood.is_some_and(|it| it.pieces.len() == 1 && &*it.tag == "NOTIFY");
        // Nothing else ran beside it, whose triggers might have sent this. It may come when the command is over.
        let is_ours = sender.is_some() && sender == process;
        let over = match &self.notified {
            Some(Ok(understood)) => Some(understood.text.clone()),
            _ => None,
        };
        let alone = notifies && self.notified.is_none() && self.status == b'I';
        let is_own = is_ours && (alone || over.is_some());
        let running = seq.and_then(|seq| self.running.get_mut(&seq));
        let (reports, findings, echo) = match running {
            Some(running) => {
                let reports = Reports {
                    masks: &running.masks,
                    known: &running.known,
                    statement: &running.understood.text,
                    computes,
                };
                let rests = &*running.understood.shown;
                let echo = running.echo.as_deref().map(|echo| (echo, rests));
                (reports, &mut running.findings, echo)
            }
            None => {
                let reports = Reports {
                    masks: &self.masks,
                    known: &self.known,
                    statement: over.as_deref().unwrap_or_default(),
                    computes,
                };
                (reports, &mut self.beside.findings, None)
            }
        };
        let shown = said(frame, &reports, is_own, findings)?;
        let Some((echo, rests)) = echo else {
            let resting = None;
            return Ok(Said { shown, resting });
        };
        // As if the client had written what rests of its statement.
        let statement = rests;
        let reports = Reports {
            statement,
            ..reports
        };
        let resting = said(frame, &reports, is_own, &mut Findings::counting())?;
        let resting = echo.said(&resting).map_err(broke)?;
        let resting = Some(resting).filter(|resting| *resting != shown);
        Ok(Said { shown, resting })
    }

    pub(super) fn parameter(
        &mut self,
        frame: &Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        let (name, value) = wire::parameter_status(frame).map_err(broke)?;
        let fits = match &*name {
            b"client_encoding" => value.eq_ignore_ascii_case(b"UTF8"),
            b"standard_conforming_strings" => &*value == b"on",
            _ => true,
        };
        if fits {
            let shown = self.status(frame, &name, &value)?;
            self.out.append(&shown);
        } else {
            let words = "client_encoding stays UTF8 and standard_conforming_strings stays on in a session of the gateway: \
                         something changed them";
            self.die("0A000", words, fx);
        }
        Ok(())
    }

    fn error(&mut self, frame: &Frame, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        self.put_rest(fx);
        self.copying_out = false;
        self.transaction_failed();
        let said = self.aside(frame)?;
        let status = Status::Failed(wire::error_field(frame, b'C'));
        let fatal = matches!(&*wire::error_field(frame, b'V'), "FATAL" | "PANIC");
        let show = !self.muted;
        match self.owed.front_mut() {
            Some(Owed::Simple(run)) => {
                run.failed.get_or_insert(status);
                if show {
                    self.say(said);
                }
            }
            Some(Owed::Failing(_)) if !fatal => {
                if let Some(Owed::Failing(Some(error))) = self.owed.pop_front()
                    && show
                {
                    self.out.append(&error);
                }
                self.skip_owed(fx);
            }
            Some(Owed::Ready) | None => {
                if show {
                    self.say(said);
                }
            }
            Some(_) => {
                if let Some(owed) = self.owed.pop_front() {
                    self.give_up(owed, &status, fx);
                }
                if show {
                    self.say(said);
                }
                self.skip_owed(fx);
            }
        }
        Ok(())
    }

    fn acknowledged(&mut self, frame: &Frame, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        match (frame.kind, self.owed.pop_front()) {
            (server::PARSE_COMPLETE, Some(Owed::Parsed { name, stmt, seq })) => {
                self.statements.settle(&name, Some(stmt));
                if let Some(seq) = seq {
                    self.finish(seq, Status::Completed, fx);
                }
            }
            (server::BIND_COMPLETE, Some(Owed::Bound { name, portal })) => {
                self.cursors.drop_name(&name);
                if portal.heard == self.heard {
                    let _ = portal.fixed.set(());
                }
                if let Some(before) = self.portals.settle(&name, Some(portal)) {
                    self.finish(before.seq, Status::Completed, fx);
                }
            }
            (server::CLOSE_COMPLETE, Some(Owed::StatementClosed { name })) => {
                self.statements.settle(&name, None);
            }
            (server::CLOSE_COMPLETE, Some(Owed::PortalClosed { name })) => {
                self.cursors.drop_name(&name);
                if let Some(before) = self.portals.settle(&name, None) {
                    self.finish(before.seq, Status::Completed, fx);
                }
            }
            _ => return Err(upstream_broke("a message that nothing was sent for")),
        }
        self.show_frame(frame);
        Ok(())
    }

    fn description(&mut self, frame: &Frame, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        if let (Some(Owed::Simple(run)), server::ROW_DESCRIPTION) = (self.owed.front(), frame.kind)
        {
            let (seq, index) = (run.seq, run.index);
            return self.simple_rows(seq, index, frame, fx);
        }
        match (self.owed.front(), frame.kind) {
            (Some(Owed::StatementDescribed { stmt }), server::PARAMETER_DESCRIPTION) => {
                let _ = stmt
                    .parameters
                    .set(wire::described_types(frame).map_err(broke)?);
                self.show_frame(frame);
                return Ok(());
            }
            (
                Some(Owed::StatementDescribed { stmt }),
                server::ROW_DESCRIPTION | server::NO_DATA,
            ) => {
                let _ = stmt.described.columns.set(columns(frame)?);
            }
            (
                Some(Owed::PortalDescribed { portal, show }),
                server::ROW_DESCRIPTION | server::NO_DATA,
            ) => {
                let _ = portal.described.columns.set(columns(frame)?);
                if !show {
                    self.owed.pop_front();
                    return Ok(());
                }
            }
            (Some(Owed::CursorDescribed), server::ROW_DESCRIPTION | server::NO_DATA) => {}
            _ => return Err(upstream_broke("a description that nothing was sent for")),
        }
        self.owed.pop_front();
        self.show_frame(frame);
        Ok(())
    }

    fn complete(&mut self, frame: &Frame, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        let tag = if frame.kind == server::COMMAND_COMPLETE {
            let tag = Reader::new(&frame.body).cstr().map_err(broke)?;
            String::from_utf8_lossy(&tag).into_owned()
        } else {
            String::new()
        };
        let (seq, piece) = match self.owed.front_mut() {
            Some(Owed::Executed { portal }) => (portal.seq, portal.piece().cloned()),
            Some(Owed::Simple(run)) if frame.kind != server::PORTAL_SUSPENDED => {
                let index = run.index;
                run.index += 1;
                let running = self.running.get(&run.seq);
                let piece = running.and_then(|running| running.understood.pieces.get(index));
                (run.seq, piece.cloned())
            }
            _ => return Err(upstream_broke("an end that nothing was sent for")),
        };
        let heard = self.heard;
        let judged = self.running.get_mut(&seq).map(|running| {
            running.tag.clone_from(&tag);
            running.plan = None;
            running.copy_out = None;
            (Arc::clone(&running.known), running.is_stale(heard))
        });
        self.ran(seq);
        self.show_frame(frame);
        if frame.kind == server::COMMAND_COMPLETE
            && let Some(piece) = &piece
        {
            self.carried_out(piece, &tag, judged, fx);
        }
        if let Some(Owed::Executed { .. }) = self.owed.front()
            && let Some(Owed::Executed { portal }) = self.owed.pop_front()
        {
            self.execution_over(&portal, true);
            if frame.kind != server::PORTAL_SUSPENDED {
                self.finish(seq, Status::Completed, fx);
            }
        }
        Ok(())
    }

    /// Remembers a NOTIFY that is all that a batch ran.
    fn ran(&mut self, seq: u64) {
        let running = self.running.get(&seq).map(|it| &it.understood);
        if let Some(understood) = running {
            self.beside.ran(understood);
        }
        let alone = running
            .filter(|it| it.pieces.len() == 1 && &*it.tag == "NOTIFY" && self.status == b'I');
        self.notified = Some(match (alone, &self.notified) {
            (Some(understood), None) => Ok(Arc::clone(understood)),
            _ => Err(()),
        });
    }

    fn ready(&mut self, frame: &Frame, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        self.status = wire::ready_status(frame).map_err(broke)?;
        self.notified = None;
        self.beside.is_ready();
        match self.owed.pop_front() {
            Some(Owed::Ready) => {}
            Some(Owed::Simple(run)) => return self.simple_ready(*run, fx),
            _ => return Err(upstream_broke("ready before everything was answered")),
        }
        self.is_ready(fx);
        Ok(())
    }

    /// A Query was answered, or a part of one.
    fn simple_ready(
        &mut self,
        mut run: SimpleRun,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        let understood = self
            .running
            .get(&run.seq)
            .map(|running| Arc::clone(&running.understood));
        let pieces = understood.as_ref().map_or(&[][..], |it| &it.pieces);
        self.unsettled |= pieces.iter().any(Piece::unsettles);
        if run.failed.is_some() {
            // Some commit a part of their work before they fail.
            self.defined |= pieces.get(run.index).is_some_and(Piece::defines);
        } else if !self.muted
            && let Some(part) = run.rest.next()
        {
            if self.status == b'I' {
                self.idle(fx);
                self.tell_others(fx);
            }
            self.send(part, fx);
            self.sent_sync();
            self.owed.push_front(Owed::Simple(Box::new(run)));
            return Ok(());
        }
        self.simple_ahead = false;
        self.finish(run.seq, run.failed.unwrap_or(Status::Completed), fx);
        self.is_ready(fx);
        Ok(())
    }

    fn is_ready(&mut self, fx: &mut Effects<Bytes>) {
        if self.status == b'I' {
            self.idle(fx);
            self.tell_others(fx);
        }
        if self.catch_up(fx) {
            self.out.append(&write::ready(self.status));
        }
    }

    /// Settles a command, unless it is settled.
    pub(super) fn finish(&mut self, seq: u64, status: Status, fx: &mut Effects<Bytes>) {
        if let Some(running) = self.running.remove(&seq) {
            let mut outcome = running.outcome(status);
            outcome.masks.extend(self.beside.some());
            settle(seq, running.permit, outcome, fx);
        }
    }
}

/// A notice, error or notification as it may be shown.
fn said(
    frame: &Frame,
    reports: &Reports<'_>,
    is_own: bool,
    findings: &mut Findings,
) -> Result<Bytes, Violation> {
    let masked = if frame.kind == server::NOTIFICATION {
        let own = is_own.then_some(reports.statement);
        rows::mask_notification(frame, reports.masks, reports.known, own, findings)
    } else {
        reports.mask(frame, findings)
    };
    let masked = masked.map_err(broke)?;
    Ok(masked.unwrap_or_else(|| frame.whole.clone()))
}

/// Names are copied: slices would keep alive the whole piece that they came in.
fn columns(frame: &Frame) -> Result<Columns, Violation> {
    if frame.kind == server::NO_DATA {
        return Ok(Columns::Nothing);
    }
    let owned = |field: Field| Field {
        name: Bytes::copy_from_slice(&field.name),
        ..field
    };
    let fields = wire::row_fields(frame).map_err(broke)?;
    Ok(Columns::Rows(fields.into_iter().map(owned).collect()))
}

pub(super) fn broke(malformed: Malformed) -> Violation {
    upstream_broke(malformed.0)
}
