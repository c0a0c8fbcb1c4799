//! Rows: planned once for a result, then masked, counted and held to limits.

use std::sync::Arc;

use bytes::Bytes;
use model::{Denial, DenialCode, Obligations};

use super::Live;
use super::reply::broke;
use super::types::{Columns, Owed, Portal, Running};
use crate::postgres::command::Piece;
use crate::postgres::rows::{Refusal, RowError, RowPlan, Shown};
use crate::postgres::session::upstream_broke;
use crate::postgres::settings::Masks;
use crate::postgres::wire::{self, Frame, Framer, Run};
use crate::session::{Effects, Violation};

impl Live {
    /// The RowDescription of a statement of a Query: its rows are planned, and refused where they cannot be shown.
    pub(super) fn simple_rows(
        &mut self,
        seq: u64,
        index: usize,
        frame: &Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        let fields = wire::row_fields(frame).map_err(broke)?;
        let Some(running) = self.running.get_mut(&seq) else {
            return Err(upstream_broke("rows that nothing was sent for"));
        };
        let understood = Arc::clone(&running.understood);
        let Some(piece) = understood.pieces.get(index) else {
            return Err(upstream_broke("more results than statements"));
        };
        let planned = fresh(piece, running.is_stale(self.heard), &running.masks).and_then(|()| {
            RowPlan::new(
                &fields,
                &piece.resolved,
                &running.known,
                &running.masks,
                None,
                &mut running.findings,
            )
        });
        match planned {
            Ok(plan) => {
                running.plan = Some(plan);
                let echo = running.echo.clone();
                let quoting = self.quoting(piece, echo.as_ref());
                if let Some(running) = self.running.get_mut(&seq) {
                    running.quoting = quoting;
                }
                if !self.muted {
                    self.out.put(&frame.whole);
                }
                Ok(())
            }
            Err(error) => self.withheld(seq, error, fx),
        }
    }

    /// Whether rows may come now, so that they are best taken in stretches.
    pub(in crate::postgres) fn expects_rows(&self) -> bool {
        matches!(
            self.owed.front(),
            Some(Owed::Executed { .. } | Owed::Simple(_))
        ) && self.reload.is_none()
    }

    /// A stretch of rows.
    pub(in crate::postgres) fn rows(
        &mut self,
        run: &Run,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        let seq = self.planned(fx)?;
        if self.muted {
            return Ok(());
        }
        let Some(running) = self.running.get_mut(&seq) else {
            return Err(upstream_broke("rows of a command that has ended"));
        };
        let Some(plan) = running.plan.as_mut() else {
            return Err(upstream_broke("rows without a description"));
        };
        let obligations = running.permit.obligations();
        if obligations.rows_max.is_some() || obligations.bytes_max.is_some() {
            return self.limited_rows(seq, run, fx);
        }
        let mut masked = Vec::new();
        let shown = plan.run(&run.whole, &mut masked, &mut running.findings);
        running.rows += run.count;
        match shown {
            Ok(Shown::Untouched) => {
                running.bytes += run.whole.len() as u64;
                self.show_rows(seq, &run.whole);
                Ok(())
            }
            Ok(Shown::Rewritten) => {
                running.bytes += masked.len() as u64;
                self.show_rows(seq, &masked.into());
                Ok(())
            }
            Err(error) => {
                running.bytes += masked.len() as u64;
                self.show_rows(seq, &masked.into());
                self.withheld(seq, error, fx)
            }
        }
    }

    /// The same where policy limits how much is shown: row by row.
    fn limited_rows(
        &mut self,
        seq: u64,
        run: &Run,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        let mut framer = Framer::messages(wire::UPSTREAM_BYTES_MAX);
        framer.push(run.whole.clone());
        while let Some(frame) = framer.next().map_err(broke)? {
            let Some(running) = self.running.get_mut(&seq) else {
                return Ok(());
            };
            let Some(plan) = running.plan.as_mut() else {
                return Ok(());
            };
            let mut masked = Vec::new();
            let shown = match plan.row(&frame, &mut masked, &mut running.findings) {
                Ok(Shown::Untouched) => frame.whole,
                Ok(Shown::Rewritten) => masked.into(),
                Err(error) => return self.withheld(seq, error, fx),
            };
            if let Some(denial) = over(running, 1, shown.len()) {
                self.cut_off(seq, &denial, fx);
                return Ok(());
            }
            self.show_rows(seq, &shown);
        }
        Ok(())
    }

    /// The command whose rows are coming in, with its plan made.
    fn planned(&mut self, fx: &mut Effects<Bytes>) -> Result<u64, Violation> {
        let portal = match self.owed.front() {
            Some(Owed::Simple(run)) => return Ok(run.seq),
            Some(Owed::Executed { portal }) => Arc::clone(portal),
            _ => return Err(upstream_broke("rows that nothing was sent for")),
        };
        let seq = portal.seq;
        let Some(running) = self.running.get_mut(&seq).filter(|_| !self.muted) else {
            return Ok(seq);
        };
        if running.plan.is_none() {
            match portal_plan(&portal, running, self.heard) {
                Ok(plan) => {
                    running.plan = Some(plan);
                    let piece = portal.piece();
                    let quoting = piece.and_then(|it| self.quoting(it, portal.echo.as_ref()));
                    if let Some(running) = self.running.get_mut(&seq) {
                        running.quoting = quoting;
                    }
                }
                Err(error) => self.withheld(seq, error, fx)?,
            }
        }
        Ok(seq)
    }

    /// A row, or a whole result, cannot be shown.
    pub(super) fn withheld(
        &mut self,
        seq: u64,
        error: RowError,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        match error {
            RowError::Malformed(malformed) => Err(broke(malformed)),
            RowError::Refused(_) if self.muted => Ok(()),
            RowError::Refused(refusal) => {
                if let Some(running) = self.running.get_mut(&seq) {
                    running.withheld.extend(refusal.facts);
                }
                self.cut_off(seq, &refusal.denial, fx);
                Ok(())
            }
        }
    }

    /// The client is told, the upstream is asked to stop, and what still comes is dropped.
    pub(super) fn cut_off(&mut self, seq: u64, denial: &Denial, fx: &mut Effects<Bytes>) {
        self.stop(seq, denial, fx);
        self.cancel_upstream(fx);
    }
}

/// Refuses rows whose names may mean something else than the catalog says.
pub(super) fn fresh(piece: &Piece, stale: bool, masks: &Masks) -> Result<(), RowError> {
    if (stale || piece.stale) && piece.rows_need_catalog() && !masks.open {
        let words = "rows are withheld: what the statement's names mean may have changed since it was judged, by one before it in \
                     the same batch, or by others meanwhile, or since the transaction's snapshot; send it again, by itself, \
                     or in a new transaction";
        return Err(refusal(words));
    }
    Ok(())
}

fn refusal(words: &str) -> RowError {
    RowError::Refused(Box::new(Refusal {
        denial: Denial::new(DenialCode::Withheld, words),
        facts: Vec::new(),
    }))
}

/// The plan for a portal's rows.
fn portal_plan(portal: &Portal, running: &mut Running, heard: u64) -> Result<RowPlan, RowError> {
    let unknown = || refusal("rows are withheld: their columns were not described");
    let piece = portal.piece().ok_or_else(unknown)?;
    fresh(piece, portal.is_stale(heard), &running.masks)?;
    let by_statement = portal
        .stmt
        .described
        .columns
        .get()
        .filter(|_| piece.has_fixed_rows());
    let Some(Columns::Rows(fields)) = portal.described.columns.get().or(by_statement) else {
        return Err(unknown());
    };
    let formats = Some(&*portal.results);
    RowPlan::new(
        fields,
        &piece.resolved,
        &portal.known,
        &running.masks,
        formats,
        &mut running.findings,
    )
}

/// Counts what is to be shown; gives the refusal where it would pass a limit.
pub(super) fn over(running: &mut Running, rows: u64, bytes: usize) -> Option<Denial> {
    let obligations = Arc::clone(running.permit.obligations());
    let (rows, bytes) = (running.rows + rows, running.bytes + bytes as u64);
    let past = |limit: Option<u64>, value: u64| limit.filter(|limit| value > *limit);
    if let Some(limit) = past(obligations.rows_max, rows) {
        return Some(limit_reached(&obligations, limit, "rows", "rows_max"));
    }
    if let Some(limit) = past(obligations.bytes_max, bytes) {
        return Some(limit_reached(&obligations, limit, "bytes", "bytes_max"));
    }
    (running.rows, running.bytes) = (rows, bytes);
    None
}

fn limit_reached(obligations: &Obligations, limit: u64, unit: &str, name: &str) -> Denial {
    Denial {
        policies: obligations.policies.clone(),
        ..Denial::new(
            DenialCode::LimitExceeded,
            format!(
                "policy shows at most {limit} {unit} of one command ({name}): the rest is not shown"
            ),
        )
    }
}
