//! Refusing in the client's turn, and keeping the upstream's transaction in step with what the client was told.
//!
//! Where the client is told of an error, the upstream must have failed too: the transaction must be aborted, and the
//! rest of the batch skipped. So in place of a refused command goes a Bind that certainly fails: it names a statement
//! that nobody made, and were there one, it has two formats for one value, which is an error in every case and is found
//! before anything is done. Its error is not shown; the refusal is shown in its place.

use bytes::{BufMut, Bytes};
use model::{Denial, Status};

use super::types::{Owed, Step, Turn, What};
use super::{Live, settle};
use crate::postgres::command::Piece;
use crate::postgres::deny;
use crate::postgres::wire::{client, write};
use crate::session::{Effect, Effects, Peer};

/// The name that PostgreSQL's log shows for a refused command.
const NOBODYS_STATEMENT: &[u8] = b"refused by countersign";

fn certain_failure() -> Bytes {
    write::one(client::BIND, |out| {
        write::cstr(out, b"");
        write::cstr(out, NOBODYS_STATEMENT);
        out.put_slice(&[0, 2, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0, 0]);
    })
}

impl Live {
    /// Refuses a message of the extended protocol whose turn it is.
    pub(super) fn failing(&mut self, error: Bytes, fx: &mut Effects<Bytes>) {
        self.skip_steps(fx);
        if self.owed.is_empty() && !self.batch.sent && self.status != b'T' {
            self.out.append(&error);
        } else {
            self.send(certain_failure(), fx);
            self.owed.push_back(Owed::Failing(Some(error)));
        }
    }

    /// Refuses a Query whose turn it is.
    pub(super) fn fail_simple(&mut self, error: &Bytes, fx: &mut Effects<Bytes>) {
        self.simple_ahead = false;
        if self.batch.sent || self.status == b'T' {
            self.fail_upstream(Some(error.clone()), fx);
        } else {
            self.out.append(error);
            self.out.append(&write::ready(self.status));
        }
    }

    fn fail_upstream(&mut self, error: Option<Bytes>, fx: &mut Effects<Bytes>) {
        self.send(certain_failure(), fx);
        self.send(write::bare(client::SYNC), fx);
        self.sent_sync();
        self.owed.push_back(Owed::Failing(error));
        self.owed.push_back(Owed::Ready);
    }

    /// Drops what was read and not sent, up to Sync; where that has not come, drops what comes.
    pub(super) fn skip_steps(&mut self, fx: &mut Effects<Bytes>) {
        while let Some(step) = self.steps.front() {
            if matches!(step.what, What::Sync | What::Terminate) {
                return;
            }
            if let Some(step) = self.steps.pop_front() {
                self.drop_step(step, fx);
            }
        }
        self.batch.skipping = true;
        if let Some((_, name, _)) = self.held_parse.take() {
            self.statements.forget(&name);
        }
    }

    fn drop_step(&mut self, step: Step, fx: &mut Effects<Bytes>) {
        self.forget(&step.what);
        match step.turn {
            Turn::Permitted(permit) => settle(
                step.seq.unwrap_or(0),
                permit,
                model::Outcome::bare(Status::Skipped),
                fx,
            ),
            Turn::Asked | Turn::Held => {
                for (seq, wanted) in &mut self.open {
                    *wanted &= Some(*seq) != step.seq;
                }
                if matches!(step.turn, Turn::Held) {
                    fx.push(Effect::Withdraw);
                }
            }
            Turn::Free | Turn::Refused(_) => {}
        }
    }

    /// What a step would have changed will not be.
    pub(super) fn forget(&mut self, what: &What) {
        match what {
            What::Parse(parsing) => self.statements.forget(&parsing.name),
            What::Bind { parse, name, .. } => {
                if let Some(parsing) = parse {
                    self.statements.forget(&parsing.name);
                }
                self.portals.forget(name);
            }
            What::CloseStatement { name, .. } => self.statements.forget(name),
            What::ClosePortal { name, .. } => self.portals.forget(name),
            What::Execute { portal, .. } => {
                let portal = std::sync::Arc::clone(portal);
                self.execution_over(&portal, false);
            }
            _ => {}
        }
    }

    /// Drops what was sent and will not be answered, up to Sync.
    pub(super) fn skip_owed(&mut self, fx: &mut Effects<Bytes>) {
        while let Some(owed) = self.owed.front() {
            if matches!(owed, Owed::Ready) {
                return;
            }
            if let Some(owed) = self.owed.pop_front() {
                self.give_up(owed, &Status::Skipped, fx);
            }
        }
        self.skip_steps(fx);
    }

    /// What the upstream owed will not come.
    pub(super) fn give_up(&mut self, owed: Owed, status: &Status, fx: &mut Effects<Bytes>) {
        match owed {
            Owed::Parsed { name, seq, .. } => {
                self.statements.forget(&name);
                if name.is_unnamed() && !matches!(status, Status::Skipped) {
                    self.statements.drop_name(&name);
                }
                if let Some(seq) = seq {
                    self.finish(seq, status.clone(), fx);
                }
            }
            Owed::Bound { name, portal } => {
                self.portals.forget(&name);
                self.finish(portal.seq, status.clone(), fx);
            }
            Owed::Executed { portal } => {
                self.execution_over(&portal, true);
                self.defined |= portal.piece().is_some_and(Piece::defines);
                self.finish(portal.seq, status.clone(), fx);
            }
            Owed::StatementClosed { name } => self.statements.forget(&name),
            Owed::PortalClosed { name } => self.portals.forget(&name),
            Owed::PortalDescribed { portal, .. } => self.finish(portal.seq, status.clone(), fx),
            Owed::StatementDescribed { .. }
            | Owed::CursorDescribed
            | Owed::Ready
            | Owed::Failing(_)
            | Owed::Simple(_) => {}
        }
    }

    /// Stops the command whose answer is coming in: the client sees this error now, and nothing more of the batch.
    pub(super) fn stop(&mut self, seq: u64, denial: &Denial, fx: &mut Effects<Bytes>) {
        if let Some(running) = self.running.get_mut(&seq) {
            running.stopped = Some(Status::Stopped(denial.code));
        }
        self.out.append(&deny::error(denial));
        self.muted = true;
        if self
            .owed
            .iter()
            .any(|owed| matches!(owed, Owed::Ready | Owed::Simple(_)))
        {
            return;
        }
        self.skip_steps(fx);
        self.send(certain_failure(), fx);
        self.owed.push_back(Owed::Failing(None));
    }

    /// The upstream is ready, and the client was told of an error that the upstream may not have had. Says whether
    /// the client may be told that it is ready.
    pub(super) fn catch_up(&mut self, fx: &mut Effects<Bytes>) -> bool {
        if !self.muted {
            return true;
        }
        if self.status != b'T' {
            self.muted = false;
            return true;
        }
        if self.owed.is_empty() {
            self.fail_upstream(None, fx);
        } else {
            // Later batches ran in a transaction that the client believes aborted. Only an end undoes them.
            self.die("57P01", "a stopped command stood before others in one pipeline, within a transaction: the session ends", fx);
        }
        false
    }

    /// Ends the session, telling the client why.
    pub(in crate::postgres) fn die(&mut self, code: &str, message: &str, fx: &mut Effects<Bytes>) {
        if self.closed {
            return;
        }
        self.out.append(&deny::plain("FATAL", code, message, ""));
        self.out.flush(fx);
        self.leave(fx);
        self.closed = true;
        fx.push(Effect::Send(Peer::Upstream, write::bare(client::TERMINATE)));
        fx.push(Effect::Close);
    }
}
