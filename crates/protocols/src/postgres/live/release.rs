//! Sending what may go. The one place from which commands reach the upstream, each with its permit in hand.

use std::sync::Arc;

use bytes::Bytes;
use mask::Findings;
use model::{Denial, DenialCode, Outcome, Permit, Status};

use super::extended::bind_again;
use super::parts::Parts;
use super::types::{Owed, Parsing, Portal, Running, SimpleRun, Step, Turn, What};
use super::{Live, OWED_MAX, settle};
use crate::postgres::command::{Echo, Piece, Understood};
use crate::postgres::deny;
use crate::postgres::known::Known;
use crate::postgres::names::Key;
use crate::postgres::wire::{Frame, client, write};
use crate::session::Effects;

impl Live {
    /// Sends every step that may go. Says whether there was any.
    pub(in crate::postgres) fn release(&mut self, fx: &mut Effects<Bytes>) -> bool {
        let mut moved = false;
        while !self.closed
            && self.reload.is_none()
            && self.cancelling == 0
            && self.copy_in.is_none()
            && self.owed.len() < OWED_MAX
        {
            let waits = self
                .steps
                .front()
                .is_none_or(|step| match (&step.turn, &step.what) {
                    (Turn::Asked | Turn::Held, _) => true,
                    (_, What::Terminate) => !self.owed.is_empty(),
                    _ => false,
                });
            if waits {
                break;
            }
            let Some(step) = self.steps.pop_front() else {
                break;
            };
            self.go(step, fx);
            moved = true;
        }
        if self
            .steps
            .front()
            .is_some_and(|step| matches!(step.what, What::Terminate))
        {
            self.hurry_last(fx);
        }
        moved
    }

    fn go(&mut self, step: Step, fx: &mut Effects<Bytes>) {
        match (step.turn, step.what) {
            (Turn::Refused(error), What::Simple { .. }) => self.fail_simple(&error, fx),
            (Turn::Refused(error), what) => {
                self.forget(&what);
                self.failing(error, fx);
            }
            (Turn::Permitted(permit), what) => {
                self.go_permitted(permit, step.seq.unwrap_or(0), what, fx);
            }
            (_, what) => self.go_free(what, fx),
        }
    }

    fn go_permitted(&mut self, permit: Permit, seq: u64, what: What, fx: &mut Effects<Bytes>) {
        match what {
            what @ What::Simple { .. } => self.go_simple(permit, seq, what, fx),
            What::Parse(parsing) => {
                if let Ok(understood) = self.understand_again(&parsing.stmt) {
                    let known = Arc::clone(&self.known);
                    self.remember(&understood, true);
                    let echo = understood.echo.clone();
                    self.run(seq, permit, understood, known, echo, false, self.heard);
                } else {
                    settle(seq, permit, Outcome::bare(Status::Skipped), fx);
                }
                self.send_parse(parsing, Some(seq), fx);
            }
            What::Bind {
                parse,
                frame,
                name,
                portal,
            } => {
                let (understood, known) = (&portal.understood, &portal.known);
                if let Some((code, error)) =
                    self.may_not_store(understood, known, portal.heard, &permit, bind_again)
                {
                    settle(seq, permit, Outcome::bare(Status::Stopped(code)), fx);
                    self.forget(&What::Bind {
                        parse,
                        frame,
                        name,
                        portal,
                    });
                    return self.failing(error, fx);
                }
                self.remember(&portal.understood, true);
                self.run(
                    seq,
                    permit,
                    Arc::clone(&portal.understood),
                    Arc::clone(&portal.known),
                    portal.echo.clone(),
                    portal.stale,
                    portal.heard,
                );
                if let Some(parsing) = parse {
                    self.send_parse(parsing, None, fx);
                }
                self.send(frame.whole, fx);
                self.owed.push_back(Owed::Bound { name, portal });
            }
            // Nothing else asks.
            what => {
                settle(seq, permit, Outcome::bare(Status::Skipped), fx);
                self.forget(&what);
            }
        }
    }

    fn go_simple(&mut self, permit: Permit, seq: u64, what: What, fx: &mut Effects<Bytes>) {
        let What::Simple {
            frame,
            understood,
            known,
            stale,
            heard,
        } = what
        else {
            return;
        };
        if let Some((code, error)) =
            self.may_not_store(&understood, &known, heard, &permit, send_again)
        {
            settle(seq, permit, Outcome::bare(Status::Stopped(code)), fx);
            return self.fail_simple(&error, fx);
        }
        let mut rest = Parts::of(&understood, self.defined);
        let first = rest.next().unwrap_or(frame.whole);
        self.remember(&understood, false);
        let echo = understood.echo.clone();
        self.run(seq, permit, understood, known, echo, stale, heard);
        self.statements.drop_name(&Key::default());
        if let Some(portal) = self.portals.drop_name(&Key::default()) {
            self.finish(portal.seq, Status::Completed, fx);
        }
        self.send(first, fx);
        self.sent_sync();
        self.owed.push_back(Owed::Simple(Box::new(SimpleRun {
            seq,
            index: 0,
            failed: None,
            rest,
        })));
    }

    fn send_parse(&mut self, parsing: Parsing, seq: Option<u64>, fx: &mut Effects<Bytes>) {
        self.send(parsing.frame.whole, fx);
        self.owed.push_back(Owed::Parsed {
            name: parsing.name,
            stmt: parsing.stmt,
            seq,
        });
    }

    fn go_free(&mut self, what: What, fx: &mut Effects<Bytes>) {
        match what {
            What::DescribeStatement { frame, stmt } => {
                stmt.described.ask(self.released);
                self.send(frame.whole, fx);
                self.owed.push_back(Owed::StatementDescribed { stmt });
            }
            What::DescribePortal { frame, portal } => {
                portal.described.ask(self.released);
                self.send(frame.whole, fx);
                self.owed
                    .push_back(Owed::PortalDescribed { portal, show: true });
            }
            What::DescribeCursor { frame } => {
                self.send(frame.whole, fx);
                self.owed.push_back(Owed::CursorDescribed);
            }
            What::Execute {
                frame,
                name,
                portal,
            } => self.go_execute(frame, &name, portal, fx),
            What::CloseStatement { frame, name } => {
                self.send(frame.whole, fx);
                self.owed.push_back(Owed::StatementClosed { name });
            }
            What::ClosePortal { frame, name } => {
                self.send(frame.whole, fx);
                self.owed.push_back(Owed::PortalClosed { name });
            }
            What::Flush => {
                self.send(write::bare(client::FLUSH), fx);
                self.batch.flushed = true;
            }
            What::Sync => {
                self.send(write::bare(client::SYNC), fx);
                self.sent_sync();
                self.owed.push_back(Owed::Ready);
            }
            What::Fail(error) => self.failing(error, fx),
            What::FailSimple(error) => self.fail_simple(&error, fx),
            What::Terminate => self.end(fx),
            What::Simple { .. } | What::Parse(_) | What::Bind { .. } => self.forget(&what),
        }
    }

    fn go_execute(
        &mut self,
        frame: Frame,
        name: &Key,
        portal: Arc<Portal>,
        fx: &mut Effects<Bytes>,
    ) {
        let piece = portal.piece();
        if piece.is_some_and(Piece::resolves_late) && portal.heard != self.heard {
            self.execution_over(&portal, false);
            return self.failing(bind_again(), fx);
        }
        let commits = piece.is_some_and(Piece::commits) && self.defines_ahead();
        if needs_description(&portal, self.released) {
            portal.described.ask(self.released);
            self.send(describe_portal(name), fx);
            self.owed.push_back(Owed::PortalDescribed {
                portal: Arc::clone(&portal),
                show: false,
            });
        }
        self.send(frame.whole, fx);
        self.owed.push_back(Owed::Executed { portal });
        if commits {
            // The upstream tells of it at once, and not when the batch ends.
            self.send(write::bare(client::FLUSH), fx);
            self.batch.flushed = true;
        }
    }

    /// Whether the transaction changes what others read by, as far as it was sent.
    pub(super) fn defines_ahead(&self) -> bool {
        let defines = |owed: &Owed| match owed {
            Owed::Executed { portal } => portal.piece().is_some_and(Piece::defines),
            Owed::Simple(run) => {
                let running = self.running.get(&run.seq);
                running.is_some_and(|it| it.understood.pieces.iter().any(Piece::defines))
            }
            _ => false,
        };
        self.defined || self.owed.iter().any(defines)
    }

    /// A Sync, or a Query, went upstream: a batch ended there.
    pub(super) fn sent_sync(&mut self) {
        self.released += 1;
        self.batch.sent = false;
        self.batch.flushed = false;
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "they are the command's own members"
    )]
    fn run(
        &mut self,
        seq: u64,
        permit: Permit,
        understood: Arc<Understood>,
        known: Arc<Known>,
        echo: Option<Arc<Echo>>,
        stale: bool,
        heard: u64,
    ) {
        let masks = self.served.settings.masks(&permit.obligations().reveal);
        let running = Running {
            permit,
            understood,
            known,
            echo,
            quoting: None,
            masks,
            findings: Findings::new(&self.commitments),
            withheld: Vec::new(),
            plan: None,
            copy_out: None,
            rows: 0,
            bytes: 0,
            tag: String::new(),
            stale,
            heard,
            stopped: None,
        };
        self.running.insert(seq, running);
    }

    /// Why a statement may not store what it reads, where that is so: `again` where it was judged when less was `heard` of others.
    fn may_not_store(
        &self,
        understood: &Understood,
        known: &Known,
        heard: u64,
        permit: &Permit,
        again: fn() -> Bytes,
    ) -> Option<(DenialCode, Bytes)> {
        if let Some(denial) = self.stores_protected(understood, permit) {
            return Some((denial.code, deny::error(&denial)));
        }
        let changed = heard != self.heard;
        let distrusted = changed.then(|| understood.distrusted(&self.served.settings, known))?;
        let denial = self.stores_protected(&distrusted, permit)?;
        Some((denial.code, again()))
    }

    /// A statement that would store protected values where they are not declared runs only where all of them are revealed.
    fn stores_protected(&self, understood: &Understood, permit: &Permit) -> Option<Denial> {
        let reveal = &permit.obligations().reveal;
        if self.served.settings.masks(reveal).open {
            return None;
        }
        let hidden = |piece: &&Piece| {
            piece.resolved.copies_protected
                && (piece.copies.is_empty() || !piece.copies.is_subset(reveal))
        };
        let piece = understood.pieces.iter().find(hidden)?;
        let classes: Vec<_> = piece.copies.iter().map(|class| class.name()).collect();
        let tag = &piece.statement.tag;
        let words = if classes.is_empty() {
            format!(
                "{tag} would store, or pass on, what a function or table gives of which it is not known whether it is protected: \
                 give the values themselves"
            )
        } else {
            format!(
                "{tag} would store protected data ({}) where it is not declared: leave those columns out",
                classes.join(", ")
            )
        };
        Some(Denial::new(DenialCode::Withheld, words))
    }

    /// Terminate waits for the answers to what was sent; without Sync they must be asked for.
    fn hurry_last(&mut self, fx: &mut Effects<Bytes>) {
        if self.batch.sent && !self.batch.flushed && self.copy_in.is_none() {
            self.send(write::bare(client::FLUSH), fx);
            self.batch.flushed = true;
        }
    }
}

/// Rows can only be judged by their description: where the client did not ask for it, the gateway does.
fn needs_description(portal: &Portal, batch: u64) -> bool {
    let Some(piece) = portal.piece() else {
        return false;
    };
    if piece.returns_nothing() || piece.statement.copy.is_some() {
        return false;
    }
    let by_statement = piece.has_fixed_rows() && portal.stmt.described.in_time(batch);
    !by_statement && !portal.described.in_time(batch)
}

fn describe_portal(name: &Key) -> Bytes {
    write::one(client::DESCRIBE, |out| {
        bytes::BufMut::put_u8(out, b'P');
        write::cstr(out, name.as_ref());
    })
}

/// Of a Query what [`bind_again`] says of a portal.
fn send_again() -> Bytes {
    let words =
        "the statement cannot be run: what its names mean may have changed since it was judged";
    deny::plain("ERROR", "55000", words, "Send it again.")
}
