//! Messages of the extended protocol, read into steps.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use model::{Denial, DenialCode};

use super::request::Taken;
use super::types::{Described, Parsing, Portal, Step, Stmt, What};
use super::{Live, PORTALS_MAX, STATEMENTS_MAX};
use crate::postgres::command::{Understood, Unreadable, canonical, shown};
use crate::postgres::deny;
use crate::postgres::names::Meaning;
use crate::postgres::session::client_broke;
use crate::postgres::wire::{Bind, Frame, Parse, Target};
use crate::session::{Effects, Violation};

impl Live {
    pub(super) fn parse(
        &mut self,
        frame: &Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<Taken, Violation> {
        let parse = Parse::read(frame).map_err(|malformed| client_broke(malformed.0))?;
        if self.must_settle(fx) {
            return Ok(Taken::Later);
        }
        let taken = match self.statements.meaning(&parse.statement) {
            Meaning::Unsettled if !parse.statement.is_empty() => return Ok(Taken::Later),
            Meaning::Is(_) => true,
            _ => false,
        };
        if taken && !parse.statement.is_empty() {
            let name = String::from_utf8_lossy(&parse.statement).into_owned();
            let words = format!("prepared statement \"{name}\" already exists");
            self.fail(deny::plain("ERROR", "42P05", &words, ""), fx);
            return Ok(Taken::Yes);
        }
        self.flush_parse(fx);
        if self.statements.count() >= STATEMENTS_MAX && !parse.statement.is_empty() {
            self.fail(
                over_limit(&format!(
                    "a session has at most {STATEMENTS_MAX} prepared statements: close some"
                )),
                fx,
            );
            return Ok(Taken::Yes);
        }
        let understood = match self.understand(&parse.text) {
            Ok(understood) if understood.pieces.len() > 1 => {
                let words = "cannot insert multiple commands into a prepared statement";
                self.unreadable(&parse.text, &Unreadable::new("42601", words), fx);
                return Ok(Taken::Yes);
            }
            Ok(understood) => understood,
            Err(unreadable) => {
                self.unreadable(&parse.text, &unreadable, fx);
                return Ok(Taken::Yes);
            }
        };
        let stmt = Arc::new(Stmt {
            text: understood.text.clone(),
            types: parse.types,
            runs: understood
                .pieces
                .first()
                .map(|piece| Arc::clone(&piece.statement)),
            by_sql: false,
            described: Described::default(),
            parameters: OnceLock::new(),
        });
        // A slice would keep the whole message alive as long as the statement.
        let name = Bytes::copy_from_slice(&parse.statement);
        self.statements.expect(&name, Some(Arc::clone(&stmt)));
        self.held_parse = Some((frame.clone(), name, stmt));
        Ok(Taken::Yes)
    }

    /// A Parse that no Bind followed asks for itself.
    pub(super) fn flush_parse(&mut self, fx: &mut Effects<Bytes>) {
        let Some((frame, name, stmt)) = self.held_parse.take() else {
            return;
        };
        let Ok(understood) = self.understand(&stmt.text) else {
            return;
        };
        let seq = self.ask(&understood, true, Vec::new(), Vec::new(), fx);
        self.steps
            .push_back(Step::asked(seq, What::Parse(Parsing { frame, name, stmt })));
    }

    pub(super) fn bind(
        &mut self,
        frame: &Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<Taken, Violation> {
        let bind = Bind::read(frame).map_err(|malformed| client_broke(malformed.0))?;
        let own_parse = self
            .held_parse
            .as_ref()
            .is_some_and(|(_, name, _)| *name == bind.statement);
        if !own_parse {
            self.flush_parse(fx);
        }
        if self.must_settle(fx) {
            return Ok(Taken::Later);
        }
        let stmt = match self.statements.meaning(&bind.statement) {
            Meaning::Unsettled => return Ok(Taken::Later),
            Meaning::Is(stmt) if !stmt.by_sql => stmt,
            _ => {
                let name = String::from_utf8_lossy(&bind.statement).into_owned();
                let words = format!("prepared statement \"{name}\" does not exist");
                self.fail(deny::plain("ERROR", "26000", &words, ""), fx);
                return Ok(Taken::Yes);
            }
        };
        if self.portals.count() >= PORTALS_MAX && !bind.portal.is_empty() {
            self.fail(
                over_limit(&format!(
                    "a session has at most {PORTALS_MAX} portals: close some"
                )),
                fx,
            );
            return Ok(Taken::Yes);
        }
        let understood = match self.understand(&stmt.text) {
            Ok(understood) => self.as_of_batch(understood),
            Err(unreadable) => {
                self.unreadable(&stmt.text, &unreadable, fx);
                return Ok(Taken::Yes);
            }
        };
        let parse = self
            .held_parse
            .take()
            .map(|(frame, name, stmt)| Parsing { frame, name, stmt });
        self.bound(frame, bind, stmt, understood, parse, fx);
        Ok(Taken::Yes)
    }

    /// What a text means after what came before it in the batch.
    pub(super) fn as_of_batch(&self, understood: Arc<Understood>) -> Arc<Understood> {
        if self.batch.recasts {
            Arc::new(understood.distrusted(&self.served.settings.target, &self.known))
        } else {
            understood
        }
    }

    fn bound(
        &mut self,
        frame: &Frame,
        bind: Bind,
        stmt: Arc<Stmt>,
        understood: Arc<Understood>,
        parse: Option<Parsing>,
        fx: &mut Effects<Bytes>,
    ) {
        let parameters = canonical(&bind, &stmt.types);
        let described = stmt.parameters.get().map_or(&[][..], Vec::as_slice);
        let at_rest = shown(&parameters, described, &self.masks.text);
        let seq = self.ask(&understood, false, parameters, at_rest, fx);
        let stale = self.batch.unsettles || self.unsettled;
        let portal = Arc::new(Portal {
            stmt,
            understood,
            known: Arc::clone(&self.known),
            seq,
            results: bind.results,
            described: Described::default(),
            stale,
        });
        let name = Bytes::copy_from_slice(&bind.portal);
        self.portals.expect(&name, Some(Arc::clone(&portal)));
        self.steps.push_back(Step::asked(
            seq,
            What::Bind {
                parse,
                frame: frame.clone(),
                name,
                portal,
            },
        ));
    }

    pub(super) fn describe(&mut self, frame: &Frame, target: Target) -> Taken {
        let frame = frame.clone();
        match target {
            Target::Statement(name) => match self.statements.meaning(&name) {
                Meaning::Unsettled => return Taken::Later,
                Meaning::Is(stmt) if !stmt.by_sql => {
                    self.push(What::DescribeStatement { frame, stmt })
                }
                _ => self.absent("prepared statement", "26000", &name),
            },
            Target::Portal(name) => match self.portals.meaning(&name) {
                Meaning::Unsettled => return Taken::Later,
                Meaning::Is(portal) => self.push(What::DescribePortal { frame, portal }),
                Meaning::Nothing if self.is_cursor(&name) => {
                    self.push(What::DescribeCursor { frame })
                }
                Meaning::Nothing => self.absent("portal", "34000", &name),
            },
        }
        Taken::Yes
    }

    pub(super) fn execute(&mut self, frame: &Frame, name: Bytes) -> Taken {
        match self.portals.meaning(&name) {
            Meaning::Unsettled => return Taken::Later,
            Meaning::Is(portal) => {
                let name = Bytes::copy_from_slice(&name);
                self.execution_ahead(&portal);
                self.push(What::Execute {
                    frame: frame.clone(),
                    name,
                    portal,
                });
            }
            Meaning::Nothing if self.is_cursor(&name) => {
                let words =
                    "a cursor that SQL declared cannot be executed as a portal through the gateway";
                self.push(What::Fail(deny::plain(
                    "ERROR",
                    "0A000",
                    words,
                    "Read it with FETCH.",
                )));
                self.batch.skipping = true;
            }
            Meaning::Nothing => self.absent("portal", "34000", &name),
        }
        Taken::Yes
    }

    fn is_cursor(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| self.cursors.contains_key(name))
    }

    fn execution_ahead(&mut self, portal: &Portal) {
        let Some(piece) = portal.piece() else { return };
        self.unsettling += u32::from(piece.unsettles());
        self.batch.unsettles |= piece.unsettles();
        self.batch.recasts |= piece.recasts();
        self.batch.rereads |= piece.may_change_reading();
        self.renaming += u32::from(piece.renames());
        self.ending += u32::from(piece.ends_transaction());
        self.copying += u32::from(piece.copies_in());
    }

    /// An execution ended, or will not be; `sent` where the upstream may have begun it.
    pub(super) fn execution_over(&mut self, portal: &Portal, sent: bool) {
        let Some(piece) = portal.piece() else { return };
        let less = |count: &mut u32, by: bool| *count = count.saturating_sub(u32::from(by));
        less(&mut self.unsettling, piece.unsettles());
        less(&mut self.renaming, piece.renames());
        less(&mut self.ending, piece.ends_transaction());
        less(&mut self.copying, piece.copies_in());
        self.unsettled |= sent && piece.unsettles();
    }

    fn absent(&mut self, what: &str, code: &str, name: &[u8]) {
        let words = format!(
            "{what} \"{}\" does not exist",
            String::from_utf8_lossy(name)
        );
        self.push(What::Fail(deny::plain("ERROR", code, &words, "")));
        self.batch.skipping = true;
    }

    pub(super) fn close(&mut self, frame: &Frame, target: Target) {
        let frame = frame.clone();
        match target {
            Target::Statement(name) => {
                let name = Bytes::copy_from_slice(&name);
                self.statements.expect(&name, None);
                self.push(What::CloseStatement { frame, name });
            }
            Target::Portal(name) => {
                let name = Bytes::copy_from_slice(&name);
                self.portals.expect(&name, None);
                self.push(What::ClosePortal { frame, name });
            }
        }
    }
}

fn over_limit(message: &str) -> Bytes {
    deny::error(&Denial::new(DenialCode::LimitExceeded, message))
}
