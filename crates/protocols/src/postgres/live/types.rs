//! What a live session keeps of each statement, portal and message.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use mask::Findings;
use model::{MaskFact, Outcome, Permit, Status};
use sql::postgres::{Resolved, Statement};

use super::parts::Parts;
use crate::postgres::command::{Declared, Echo, Piece, Quoting, Understood};
use crate::postgres::known::Known;
use crate::postgres::names::Key;
use crate::postgres::rows::{CopyPlan, RowPlan};
use crate::postgres::settings::Masks;
use crate::postgres::wire::{Field, Format, Frame};

/// A prepared statement.
#[derive(Debug)]
pub(super) struct Stmt {
    /// Its exact text; of an SQL-level PREPARE the text of that.
    pub(super) text: Bytes,
    /// The parameter types that Parse named.
    pub(super) types: Vec<u32>,
    /// What an `EXECUTE` of its name runs.
    pub(super) runs: Option<Arc<Statement>>,
    /// It was made by an SQL-level PREPARE, so that `text` is not what runs.
    pub(super) by_sql: bool,
    /// The last analysis of its text, which every Bind shares; none by SQL.
    pub(super) analysis: Option<Mutex<Arc<Understood>>>,
    pub(super) _weight: Weight,
    pub(super) described: Described,
    /// The parameter types that the upstream told.
    pub(super) parameters: OnceLock<Vec<u32>>,
}

impl Stmt {
    /// The last analysis of its text.
    pub(super) fn latest(&self) -> Option<Arc<Understood>> {
        let latest = self.analysis.as_ref()?.lock();
        Some(Arc::clone(&latest.unwrap_or_else(PoisonError::into_inner)))
    }
}

/// A portal.
#[derive(Debug)]
pub(super) struct Portal {
    pub(super) stmt: Arc<Stmt>,
    /// What it runs, resolved when it was bound.
    pub(super) understood: Arc<Understood>,
    pub(super) known: Arc<Known>,
    /// What is hidden of it, and of what it was bound with, where that rests.
    pub(super) echo: Option<Arc<Echo>>,
    /// The command that it is.
    pub(super) seq: u64,
    pub(super) results: Vec<Format>,
    pub(super) described: Described,
    /// The catalog had changed and could not be read again, so rows cannot be judged.
    pub(super) stale: bool,
    /// How much had changed in the session when it was bound: see [`super::Live`].
    pub(super) changes: u64,
    /// How much was heard of others then.
    pub(super) heard: u64,
    /// The upstream looked its names up when nothing more was heard of others.
    pub(super) fixed: OnceLock<()>,
}

impl Portal {
    /// The statement it runs; `None` for an empty text.
    pub(super) fn piece(&self) -> Option<&Piece> {
        self.understood.pieces.first()
    }

    /// Whether its rows cannot be judged, now that so much was heard of others.
    pub(super) fn is_stale(&self, heard: u64) -> bool {
        self.stale || (self.heard != heard && self.fixed.get().is_none())
    }
}

/// A declared cursor.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) reads: Arc<Statement>,
    /// What that meant when it was declared.
    pub(super) resolved: Arc<Resolved>,
    /// The catalog had changed then, so rows cannot be judged.
    pub(super) stale: bool,
    /// It computes with protected values.
    pub(super) computes: bool,
    /// It outlives its transaction.
    pub(super) holds: bool,
    pub(super) _weight: Weight,
}

impl Cursor {
    pub(super) fn as_declared(&self) -> Declared {
        Declared {
            resolved: Arc::clone(&self.resolved),
            stale: self.stale,
            computes: self.computes,
        }
    }
}

/// So much text a session holds for what this belongs to: taken off the session's count when that is gone.
#[derive(Debug)]
pub(super) struct Weight {
    held: Arc<AtomicU64>,
    bytes: u64,
}

/// What is held of a statement at least, in bytes.
const WEIGHT_BYTES_MIN: u64 = 256;

impl Weight {
    pub(super) fn new(held: &Arc<AtomicU64>, text: usize) -> Self {
        let bytes = WEIGHT_BYTES_MIN + text as u64;
        held.fetch_add(bytes, Ordering::Relaxed);
        Self {
            held: Arc::clone(held),
            bytes,
        }
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What is known of the columns of a statement or portal.
#[derive(Debug, Default)]
pub(super) struct Described {
    pub(super) columns: OnceLock<Columns>,
    /// The batch in which a description was last asked for.
    pub(super) asked_in: AtomicU64,
}

impl Described {
    /// Whether the columns are known, or will be before the next message of this batch is answered.
    pub(super) fn in_time(&self, batch: u64) -> bool {
        self.columns.get().is_some() || self.asked_in.load(Ordering::Relaxed) == batch
    }

    pub(super) fn ask(&self, batch: u64) {
        self.asked_in.store(batch, Ordering::Relaxed);
    }
}

/// The answer to Describe.
#[derive(Debug, Clone)]
pub(super) enum Columns {
    Nothing,
    Rows(Vec<Field>),
}

/// What the client sent since the last Sync.
#[derive(Debug)]
pub(super) struct Batch {
    /// Counts batches, from 1.
    pub(super) number: u64,
    /// Something of it went upstream.
    pub(super) sent: bool,
    /// A Flush went upstream, and nothing after it.
    pub(super) flushed: bool,
    /// It failed: what the client sends is dropped until Sync.
    pub(super) skipping: bool,
    /// A command of it may change the catalog.
    pub(super) unsettles: bool,
    /// A command of it recasts names, as [`crate::postgres::command::Piece::recasts`] says.
    pub(super) recasts: bool,
    /// A command of it may change how the upstream reads texts.
    pub(super) rereads: bool,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            number: 1,
            sent: false,
            flushed: false,
            skipping: false,
            unsettles: false,
            recasts: false,
            rereads: false,
        }
    }
}

impl Batch {
    /// The next one. `sent` is the business of the sending side.
    pub(super) fn next(&mut self) {
        *self = Self {
            number: self.number + 1,
            sent: self.sent,
            flushed: self.flushed,
            ..Self::default()
        };
    }
}

/// A message of the client that has not been sent.
#[derive(Debug)]
pub(super) struct Step {
    /// The command that it asks for.
    pub(super) seq: Option<u64>,
    pub(super) turn: Turn,
    pub(super) what: What,
}

impl Step {
    pub(super) fn free(what: What) -> Self {
        Self {
            seq: None,
            turn: Turn::Free,
            what,
        }
    }

    pub(super) fn asked(seq: u64, what: What) -> Self {
        Self {
            seq: Some(seq),
            turn: Turn::Asked,
            what,
        }
    }
}

/// Whether a step may go.
#[derive(Debug)]
pub(super) enum Turn {
    /// It needs no permit of its own.
    Free,
    /// The gateway is asked.
    Asked,
    /// People are asked.
    Held,
    /// It may.
    Permitted(Permit),
    /// It may not; this is what the client is told.
    Refused(Bytes),
}

#[derive(Debug)]
pub(super) enum What {
    Simple {
        frame: Frame,
        understood: Arc<Understood>,
        known: Arc<Known>,
        stale: bool,
        heard: u64,
    },
    Parse(Parsing),
    Bind {
        parse: Option<Parsing>,
        frame: Frame,
        name: Key,
        portal: Arc<Portal>,
    },
    DescribeStatement {
        frame: Frame,
        stmt: Arc<Stmt>,
    },
    /// Of a cursor that SQL declared: its columns' names, no row.
    DescribeCursor {
        frame: Frame,
    },
    DescribePortal {
        frame: Frame,
        portal: Arc<Portal>,
    },
    Execute {
        frame: Frame,
        name: Key,
        portal: Arc<Portal>,
    },
    CloseStatement {
        frame: Frame,
        name: Key,
    },
    ClosePortal {
        frame: Frame,
        name: Key,
    },
    Flush,
    Sync,
    /// The gateway refuses a message of the extended protocol by itself.
    Fail(Bytes),
    /// The same for one that ReadyForQuery answers.
    FailSimple(Bytes),
    Terminate,
}

impl What {
    /// What to do where policy refuses it, beside what policy says.
    pub(super) fn advice(&self) -> Option<String> {
        match self {
            Self::Simple { understood, .. } => understood.advice(),
            Self::Bind { portal, .. } => portal.understood.advice(),
            Self::Parse(Parsing { stmt, .. }) => {
                let analysis = stmt.analysis.as_ref()?.lock();
                analysis.unwrap_or_else(PoisonError::into_inner).advice()
            }
            _ => None,
        }
    }
}

/// A Parse on its way.
#[derive(Debug)]
pub(super) struct Parsing {
    pub(super) frame: Frame,
    pub(super) name: Key,
    pub(super) stmt: Arc<Stmt>,
}

/// What the upstream must answer.
#[derive(Debug)]
pub(super) enum Owed {
    /// ParseComplete; the command where it was asked for alone.
    Parsed {
        name: Key,
        stmt: Arc<Stmt>,
        seq: Option<u64>,
    },
    /// BindComplete.
    Bound { name: Key, portal: Arc<Portal> },
    /// ParameterDescription, then as for a portal.
    StatementDescribed { stmt: Arc<Stmt> },
    /// RowDescription or NoData; not shown where the gateway asked for itself.
    PortalDescribed { portal: Arc<Portal>, show: bool },
    /// RowDescription or NoData.
    CursorDescribed,
    /// Rows or COPY, and an end.
    Executed { portal: Arc<Portal> },
    /// CloseComplete.
    StatementClosed { name: Key },
    /// CloseComplete.
    PortalClosed { name: Key },
    /// ReadyForQuery.
    Ready,
    /// The error of a message that certainly fails, in whose place the client is shown this, if anything.
    Failing(Option<Bytes>),
    /// Everything that answers a Query, up to ReadyForQuery.
    Simple(Box<SimpleRun>),
}

/// A Query under way.
#[derive(Debug)]
pub(super) struct SimpleRun {
    pub(super) seq: u64,
    /// The statement that is answered now.
    pub(super) index: usize,
    /// How it failed, if it did.
    pub(super) failed: Option<Status>,
    /// What of it is not sent yet.
    pub(super) rest: Parts,
}

/// A permitted command.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) permit: Permit,
    pub(super) understood: Arc<Understood>,
    pub(super) known: Arc<Known>,
    /// What is hidden of it where it rests.
    pub(super) echo: Option<Arc<Echo>>,
    /// How the rows that come in quote statements.
    pub(super) quoting: Option<Quoting>,
    pub(super) masks: Masks,
    pub(super) findings: Findings,
    /// What was withheld of it.
    pub(super) withheld: Vec<MaskFact>,
    pub(super) plan: Option<RowPlan>,
    pub(super) copy_out: Option<CopyPlan>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) tag: String,
    /// Rows cannot be judged.
    pub(super) stale: bool,
    /// How much was heard of others when it was judged.
    pub(super) heard: u64,
    /// The gateway stopped it.
    pub(super) stopped: Option<Status>,
}

impl Running {
    /// Whether its rows cannot be judged, now that so much was heard of others.
    pub(super) fn is_stale(&self, heard: u64) -> bool {
        self.stale || self.heard != heard
    }

    pub(super) fn outcome(&self, status: Status) -> Outcome {
        let mut masks = self.findings.facts();
        masks.extend(self.withheld.iter().cloned());
        Outcome {
            rows: self.rows,
            bytes: self.bytes,
            tag: self.tag.clone(),
            masks,
            ..Outcome::bare(self.stopped.clone().unwrap_or(status))
        }
    }
}
