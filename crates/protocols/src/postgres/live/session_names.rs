//! What statements that were carried out did to the session's names: prepared statements, and portals and cursors, which
//! the server keeps in one table.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use model::Status;
use sql::postgres::{Handle, Statement, Transaction};

use super::types::{Cursor, Described, Portal, Stmt, Weight};
use super::{CURSORS_MAX, Live, SAVEPOINTS_MAX};
use crate::postgres::command::{Behind, Handles, Piece, Understood, resolve};
use crate::postgres::known::Known;
use crate::postgres::names::{Key, Mark, Meaning};
use crate::session::{Effect, Effects};

/// When something was made, as portals and as cursors count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct When {
    portals: Mark,
    cursors: Mark,
}

/// The transaction under way.
#[derive(Debug, Default)]
pub(super) struct Progress {
    began: When,
    /// Those of [`SAVEPOINTS_MAX`] that came first. To go back to another drops what the transaction made.
    savepoints: Vec<(String, When)>,
    /// The upstream told of an error.
    failed: bool,
    /// Something of it computes with protected values. What it put off, such as the rows of a cursor that outlives it and the checks
    /// of constraints, the upstream computes when it ends.
    computed: bool,
}

impl Live {
    /// A statement was carried out; `judged` is what its text was judged by, and whether that was old.
    pub(super) fn carried_out(
        &mut self,
        piece: &Piece,
        tag: &str,
        judged: Option<(Arc<Known>, bool)>,
        fx: &mut Effects<Bytes>,
    ) {
        let statement = &piece.statement;
        self.defined |= piece.defines();
        self.progress.computed |= piece.computes();
        match statement.handle.as_ref() {
            Some(Handle::Prepare(name)) => self.prepared(name, statement),
            Some(Handle::Deallocate(Some(name))) => {
                if let Some(name) = Key::of(name.as_bytes()) {
                    self.statements.unset(&name);
                }
            }
            Some(Handle::Deallocate(None)) => self.drop_statements(),
            Some(Handle::Declare(name)) => self.declared(name, piece, judged, fx),
            Some(Handle::Close(Some(name))) => {
                if let Some(name) = Key::of(name.as_bytes()) {
                    self.portal_gone(&name, fx);
                }
            }
            Some(Handle::Close(None)) => self.drop_portals(fx),
            _ => {}
        }
        if statement.tag == "DISCARD ALL" {
            self.drop_statements();
            self.drop_portals(fx);
        }
        self.transaction(statement, tag, fx);
    }

    fn prepared(&mut self, name: &str, statement: &Statement) {
        let Some(name) = Key::of(name.as_bytes()) else {
            return;
        };
        let stmt = Stmt {
            text: Bytes::new(),
            types: Vec::new(),
            runs: statement.inner.clone(),
            by_sql: true,
            analysis: None,
            _weight: Weight::new(&self.held, statement.text.len()),
            described: Described::default(),
            parameters: OnceLock::new(),
        };
        self.statements.set(name, Arc::new(stmt));
    }

    /// A cursor takes the name from whatever had it. It is judged from now on by what its query meant when it was declared.
    fn declared(
        &mut self,
        name: &str,
        piece: &Piece,
        judged: Option<(Arc<Known>, bool)>,
        fx: &mut Effects<Bytes>,
    ) {
        let Some(name) = Key::of(name.as_bytes()) else {
            return;
        };
        self.portal_gone(&name, fx);
        let (Some(reads), Some((known, stale))) = (&piece.statement.inner, judged) else {
            return;
        };
        if self.cursors.count() >= CURSORS_MAX {
            return;
        }
        let meant = resolve(reads, &known);
        let cursor = Cursor {
            reads: Arc::clone(reads),
            computes: meant.computes(),
            resolved: meant.resolved,
            stale: stale || piece.stale,
            holds: piece.statement.holds,
            _weight: Weight::new(&self.held, piece.statement.text.len()),
        };
        self.cursors.set(name, Arc::new(cursor));
    }

    /// Neither a portal nor a cursor has this name any more, at this place of the batch.
    fn portal_gone(&mut self, name: &Key, fx: &mut Effects<Bytes>) {
        self.cursors.unset(name);
        if let Some(portal) = self.portals.unset(name) {
            self.finish(portal.seq, Status::Completed, fx);
        }
    }

    fn drop_statements(&mut self) {
        self.statements.clear().for_each(drop);
        self.statements.end_batch();
    }

    fn drop_portals(&mut self, fx: &mut Effects<Bytes>) {
        self.cursors.clear().for_each(drop);
        self.portals.end_batch();
        self.end_portals(fx);
    }

    /// Portals ended with the transaction.
    fn end_portals(&mut self, fx: &mut Effects<Bytes>) {
        let ended: Vec<u64> = self.portals.clear().map(|portal| portal.seq).collect();
        ended
            .into_iter()
            .for_each(|seq| self.finish(seq, Status::Completed, fx));
    }

    fn now(&self) -> When {
        When {
            portals: self.portals.mark(),
            cursors: self.cursors.mark(),
        }
    }

    /// What a transaction statement did, by the tag that the server gave it: COMMIT of a failed transaction is a ROLLBACK.
    fn transaction(&mut self, statement: &Statement, tag: &str, fx: &mut Effects<Bytes>) {
        let name = statement.savepoint.as_deref().unwrap_or_default();
        let savepoints = &mut self.progress.savepoints;
        let place = savepoints.iter().rposition(|(made, _)| made == name);
        match statement.transaction {
            Some(Transaction::Commit | Transaction::Rollback | Transaction::Prepare) => {
                self.portals.end_batch();
                self.transaction_ended(tag == "COMMIT", fx);
            }
            Some(Transaction::CommitPrepared) => self.tell_others(fx),
            Some(Transaction::Savepoint) => {
                let now = self.now();
                let savepoints = &mut self.progress.savepoints;
                if savepoints.len() < SAVEPOINTS_MAX {
                    savepoints.push((name.to_owned(), now));
                }
            }
            Some(Transaction::Release) => savepoints.truncate(place.unwrap_or(0)),
            Some(Transaction::RollbackTo) => {
                let since = place.and_then(|place| savepoints.get(place));
                let since = since.map_or(self.progress.began, |(_, since)| *since);
                savepoints.truncate(place.map_or(0, |place| place + 1));
                self.portals.end_batch();
                self.undo_since(since, fx);
                // What the catalog was read to hold may be undone with it.
                self.unsettled |= self.unsettled_at_end;
            }
            _ => {}
        }
    }

    fn undo_since(&mut self, since: When, fx: &mut Effects<Bytes>) {
        self.cursors.drop_since(since.cursors);
        for portal in self.portals.drop_since(since.portals) {
            self.finish(portal.seq, Status::Completed, fx);
        }
    }

    /// Whether what the upstream says of this may be made of protected values.
    pub(super) fn computes(&self, understood: &Understood) -> bool {
        let ends = || understood.pieces.iter().any(Piece::ends_transaction);
        understood.computes() || (self.progress.computed && ends())
    }

    /// The upstream told of an error.
    pub(super) fn transaction_failed(&mut self) {
        self.progress.failed = true;
    }

    /// The upstream is idle: if a transaction was under way, it ended.
    pub(super) fn idle(&mut self, fx: &mut Effects<Bytes>) {
        self.transaction_ended(!self.progress.failed, fx);
    }

    /// A transaction ended. Portals end with it, and cursors but those with hold; of these a rollback leaves what was there
    /// before.
    fn transaction_ended(&mut self, committed: bool, fx: &mut Effects<Bytes>) {
        if !committed {
            self.cursors.drop_since(self.progress.began.cursors);
        }
        self.end_portals(fx);
        self.cursors.retain(|cursor| cursor.holds);
        self.progress = Progress {
            began: self.now(),
            ..Progress::default()
        };
        (self.blind, self.snapshot) = (false, false);
        self.unsettled |= std::mem::take(&mut self.unsettled_at_end);
        if committed {
            self.tell_others(fx);
        }
    }

    /// Others may read by what was changed, from now on: before the client hears that it is done.
    pub(super) fn tell_others(&mut self, fx: &mut Effects<Bytes>) {
        if std::mem::take(&mut self.defined) {
            fx.push(Effect::Outdated);
        }
    }

    /// Whether a cursor that SQL declared has this name.
    pub(super) fn is_cursor(&self, name: &Key) -> bool {
        matches!(self.cursors.meaning(name), Meaning::Is(_))
    }

    /// Whether what the portal names means what it meant when it was bound; `None` while that is not known.
    pub(super) fn is_as_bound(&self, portal: &Portal) -> Option<bool> {
        let Some(piece) = portal.piece().filter(|piece| piece.resolves_late()) else {
            return Some(true);
        };
        let as_then = portal.changes == self.changes && portal.heard == self.heard;
        if !as_then || !portal.known.is_like(&self.known) {
            return Some(false);
        }
        let naming = piece.statement.naming();
        let handle = match &naming.handle {
            Some(handle @ (Handle::Execute(name) | Handle::Fetch(name) | Handle::Move(name))) => {
                let key = Key::of(name.as_bytes())?;
                let unsettled = match handle {
                    Handle::Execute(_) => {
                        matches!(self.statements.meaning(&key), Meaning::Unsettled)
                    }
                    _ => matches!(self.portals.meaning(&key), Meaning::Unsettled),
                };
                if unsettled {
                    return None;
                }
                handle
            }
            _ => return Some(true),
        };
        let now = self.find(handle).map(|behind| behind.statement);
        Some(match (&naming.inner, &now) {
            (Some(then), Some(now)) => Arc::ptr_eq(then, now),
            (None, None) => true,
            _ => false,
        })
    }
}

impl Handles for Live {
    fn find(&self, handle: &Handle) -> Option<Behind> {
        match handle {
            Handle::Execute(name) => match self.statements.meaning(&Key::of(name.as_bytes())?) {
                Meaning::Is(stmt) => stmt.runs.clone().map(|statement| Behind {
                    statement,
                    declared: None,
                }),
                _ => None,
            },
            Handle::Fetch(name) | Handle::Move(name) => {
                let name = Key::of(name.as_bytes())?;
                // A portal of this name, even one on its way, is not what was declared.
                let (Meaning::Nothing, Meaning::Is(cursor)) =
                    (self.portals.meaning(&name), self.cursors.meaning(&name))
                else {
                    return None;
                };
                Some(Behind {
                    statement: Arc::clone(&cursor.reads),
                    declared: Some(cursor.as_declared()),
                })
            }
            _ => None,
        }
    }
}
