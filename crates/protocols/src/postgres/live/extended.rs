//! Messages of the extended protocol, read into steps.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use model::{Denial, DenialCode};

use super::reload::Settled;
use super::request::Taken;
use super::types::{Described, Parsing, Portal, Step, Stmt, Weight, What};
use super::{Live, PORTALS_MAX, STATEMENTS_MAX};
use crate::postgres::command::{
    Echo, NAME_TOO_LONG, Piece, Understood, Unreadable, canonical, echo_of, shown,
};
use crate::postgres::deny;
use crate::postgres::names::{Key, Meaning};
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
        match self.settle(fx) {
            Settled::Yes => {}
            Settled::Later => return Ok(Taken::Later),
            Settled::Never(error) => {
                self.fail(error, fx);
                return Ok(Taken::Yes);
            }
        }
        let Some(key) = Key::of(&parse.statement) else {
            return Ok(self.name_too_long(fx));
        };
        let taken = match self.statements.meaning(&key) {
            Meaning::Unsettled if !key.is_unnamed() => return Ok(Taken::Later),
            Meaning::Is(_) => true,
            _ => false,
        };
        if taken && !key.is_unnamed() {
            let name = String::from_utf8_lossy(&parse.statement).into_owned();
            let words = format!("prepared statement \"{name}\" already exists");
            self.fail(deny::plain("ERROR", "42P05", &words, ""), fx);
            return Ok(Taken::Yes);
        }
        self.flush_parse(fx);
        if self.statements.count() >= STATEMENTS_MAX && !key.is_unnamed() {
            self.fail(too_many_statements(), fx);
            return Ok(Taken::Yes);
        }
        if let Some(error) = self.too_much(parse.text.len()) {
            self.fail(error, fx);
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
            _weight: Weight::new(&self.held, understood.text.len()),
            analysis: Some(Mutex::new(Arc::clone(&understood))),
            described: Described::default(),
            parameters: OnceLock::new(),
        });
        self.statements.expect(&key, Some(Arc::clone(&stmt)));
        self.held_parse = Some((frame.clone(), key, stmt));
        Ok(Taken::Yes)
    }

    /// A Parse that no Bind followed asks for itself.
    pub(super) fn flush_parse(&mut self, fx: &mut Effects<Bytes>) {
        let Some((frame, name, stmt)) = self.held_parse.take() else {
            return;
        };
        let Ok(understood) = self.understand_again(&stmt) else {
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
        let (Some(key), Some(name)) = (Key::of(&bind.statement), Key::of(&bind.portal)) else {
            return Ok(self.name_too_long(fx));
        };
        let parsed = self.held_parse.as_ref();
        let own_parse = parsed.is_some_and(|(_, parsed, _)| *parsed == key);
        if !own_parse {
            self.flush_parse(fx);
        }
        match self.settle(fx) {
            Settled::Yes => {}
            Settled::Later => return Ok(Taken::Later),
            Settled::Never(error) => {
                self.fail(error, fx);
                return Ok(Taken::Yes);
            }
        }
        let stmt = match self.statements.meaning(&key) {
            Meaning::Unsettled => return Ok(Taken::Later),
            Meaning::Is(stmt) if !stmt.by_sql => stmt,
            Meaning::Is(_) => {
                self.fail(prepared_by_sql(), fx);
                return Ok(Taken::Yes);
            }
            _ => {
                let name = String::from_utf8_lossy(&bind.statement).into_owned();
                let words = format!("prepared statement \"{name}\" does not exist");
                self.fail(deny::plain("ERROR", "26000", &words, ""), fx);
                return Ok(Taken::Yes);
            }
        };
        if self.portals.count() >= PORTALS_MAX && !name.is_unnamed() {
            self.fail(
                over_limit(&format!(
                    "a session has at most {PORTALS_MAX} portals: close some"
                )),
                fx,
            );
            return Ok(Taken::Yes);
        }
        let understood = match self.understand_again(&stmt) {
            Ok(understood) => self.as_of_batch(understood),
            Err(unreadable) => {
                self.unreadable(&stmt.text, &unreadable, fx);
                return Ok(Taken::Yes);
            }
        };
        if let Some(error) = self.keeps_too_much(&understood) {
            self.fail(error, fx);
            return Ok(Taken::Yes);
        }
        self.bound(frame, name, &bind, stmt, understood, fx);
        Ok(Taken::Yes)
    }

    /// Why no more statements are kept, where that is so.
    fn too_much(&self, text: usize) -> Option<Bytes> {
        let limit = self.served.settings.limits.statement_bytes_max;
        let held = self.held.load(Ordering::Relaxed);
        (held + text as u64 > limit).then(|| {
            over_limit(&format!(
                "a session holds at most {limit} bytes of prepared statements, portals and cursors (limits.statement_bytes): close some"
            ))
        })
    }

    /// The same for a text that prepares statements or declares cursors in SQL.
    pub(super) fn keeps_too_much(&self, understood: &Understood) -> Option<Bytes> {
        let kept = understood.pieces.iter().filter(|piece| piece.is_kept());
        let (count, bytes) = kept.fold((0, 0), |(count, bytes), piece| {
            (count + 1, bytes + piece.statement.text.len())
        });
        if count == 0 {
            return None;
        }
        if self.statements.count() + count > STATEMENTS_MAX {
            return Some(too_many_statements());
        }
        self.too_much(bytes)
    }

    /// Whether the catalog had changed and could not be read again, so that rows of what is judged now cannot be shown.
    pub(super) fn is_unsure(&self) -> bool {
        self.batch.unsettles || self.unsettled || self.outdated || self.blind
    }

    /// What a text means after what came before it in the batch.
    pub(super) fn as_of_batch(&self, understood: Arc<Understood>) -> Arc<Understood> {
        if self.batch.recasts || self.blind || self.outdated {
            understood.distrusted(&self.served.settings, &self.known)
        } else {
            understood
        }
    }

    fn bound(
        &mut self,
        frame: &Frame,
        name: Key,
        bind: &Bind,
        stmt: Arc<Stmt>,
        understood: Arc<Understood>,
        fx: &mut Effects<Bytes>,
    ) {
        let parse = self
            .held_parse
            .take()
            .map(|(frame, name, stmt)| Parsing { frame, name, stmt });
        let parameters = canonical(bind, &stmt.types);
        let described = stmt.parameters.get().map_or(&[][..], Vec::as_slice);
        let at_rest = shown(
            &parameters,
            described,
            &understood.held,
            &self.masks.at_rest,
        );
        let given = echo_of(&parameters, &understood.held);
        let echo = match (&understood.echo, given) {
            (Some(echo), Some(given)) => {
                Some(Arc::new(Echo::together([&**echo, &given].into_iter())))
            }
            (echo, given) => echo.clone().or_else(|| given.map(Arc::new)),
        };
        let seq = self.ask(&understood, false, parameters, at_rest, fx);
        let stale = self.is_unsure();
        let portal = Arc::new(Portal {
            stmt,
            understood,
            known: Arc::clone(&self.known),
            echo,
            seq,
            results: bind.results.clone(),
            described: Described::default(),
            stale,
            changes: self.changes,
            heard: self.heard,
            fixed: OnceLock::new(),
        });
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

    pub(super) fn describe(
        &mut self,
        frame: &Frame,
        target: &Target,
        fx: &mut Effects<Bytes>,
    ) -> Taken {
        let frame = frame.clone();
        let (Target::Statement(name) | Target::Portal(name)) = target;
        let Some(key) = Key::of(name) else {
            return self.name_too_long(fx);
        };
        match target {
            Target::Statement(name) => match self.statements.meaning(&key) {
                Meaning::Unsettled => return Taken::Later,
                Meaning::Is(stmt) if !stmt.by_sql => {
                    self.push(What::DescribeStatement { frame, stmt })
                }
                Meaning::Is(_) => self.push(What::Fail(prepared_by_sql())),
                Meaning::Nothing => self.absent("prepared statement", "26000", name),
            },
            Target::Portal(name) => match self.portals.meaning(&key) {
                Meaning::Unsettled => return Taken::Later,
                Meaning::Is(portal) => self.push(What::DescribePortal { frame, portal }),
                Meaning::Nothing if self.is_cursor(&key) => {
                    self.push(What::DescribeCursor { frame })
                }
                Meaning::Nothing => self.absent("portal", "34000", name),
            },
        }
        Taken::Yes
    }

    pub(super) fn execute(
        &mut self,
        frame: &Frame,
        name: &Bytes,
        fx: &mut Effects<Bytes>,
    ) -> Taken {
        let Some(key) = Key::of(name) else {
            return self.name_too_long(fx);
        };
        match self.portals.meaning(&key) {
            Meaning::Unsettled => return Taken::Later,
            Meaning::Is(portal) => {
                if portal.piece().is_some_and(Piece::resolves_late) {
                    match self.settle(fx) {
                        Settled::Yes => {}
                        Settled::Later => return Taken::Later,
                        Settled::Never(error) => {
                            self.fail(error, fx);
                            return Taken::Yes;
                        }
                    }
                }
                match self.is_as_bound(&portal) {
                    None => return Taken::Later,
                    Some(false) => self.fail(bind_again(), fx),
                    Some(true) => {
                        self.execution_ahead(&portal);
                        self.push(What::Execute {
                            frame: frame.clone(),
                            name: key,
                            portal,
                        });
                    }
                }
            }
            Meaning::Nothing if self.is_cursor(&key) => {
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
            Meaning::Nothing => self.absent("portal", "34000", name),
        }
        Taken::Yes
    }

    fn name_too_long(&mut self, fx: &mut Effects<Bytes>) -> Taken {
        self.fail(deny::plain("ERROR", "42622", NAME_TOO_LONG, ""), fx);
        Taken::Yes
    }

    fn execution_ahead(&mut self, portal: &Portal) {
        let Some(piece) = portal.piece() else { return };
        self.unsettling += u32::from(piece.unsettles());
        // What the catalog was read to hold may be undone.
        let undoes = piece.undoes() && self.unsettled_at_end;
        self.batch.unsettles |= piece.unsettles() || undoes;
        self.batch.recasts |= piece.recasts() || undoes;
        self.changes += u64::from(piece.changes_meanings());
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

    pub(super) fn close(&mut self, frame: &Frame, target: &Target, fx: &mut Effects<Bytes>) {
        let frame = frame.clone();
        let (Target::Statement(name) | Target::Portal(name)) = target;
        let Some(name) = Key::of(name) else {
            self.name_too_long(fx);
            return;
        };
        match target {
            Target::Statement(_) => {
                self.statements.expect(&name, None);
                self.push(What::CloseStatement { frame, name });
            }
            Target::Portal(_) => {
                self.portals.expect(&name, None);
                self.push(What::ClosePortal { frame, name });
            }
        }
    }
}

/// The server would look names up that policy was not asked about.
pub(super) fn bind_again() -> Bytes {
    let words = "the portal cannot be run: what its names mean may have changed since it was bound";
    deny::plain("ERROR", "55000", words, "Bind it again.")
}

fn prepared_by_sql() -> Bytes {
    let words = "a statement that SQL prepared cannot be bound through the gateway";
    let hint = "Run it with EXECUTE, or have the driver prepare it.";
    deny::plain("ERROR", "0A000", words, hint)
}

fn too_many_statements() -> Bytes {
    over_limit(&format!(
        "a session has at most {STATEMENTS_MAX} prepared statements: close some"
    ))
}

fn over_limit(message: &str) -> Bytes {
    deny::error(&Denial::new(DenialCode::LimitExceeded, message))
}
