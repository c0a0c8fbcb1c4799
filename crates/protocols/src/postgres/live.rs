//! A session that is logged in on both sides.
//!
//! [`request`] and [`extended`] read what the client sends and make steps of it, asking as they go; [`release`] sends the first step once
//! it may go; [`reply`] takes what the upstream owes for it; [`stop`] refuses and ends things; [`copy`] moves bulk data.

mod beside;
mod copy;
mod echo;
mod extended;
mod parts;
mod release;
mod reload;
mod reply;
mod request;
mod row;
mod session_names;
mod simple;
mod stop;
mod types;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use mask::CommitmentKey;
use model::{Denial, DenialCode, Held, Note, Outcome, Permit, Status};

use super::command::{Echo, Understood};
use super::deny;
use super::known::Known;
use super::names::{Key, Names};
use super::out::Out;
use super::rows::CopyIn;
use super::session::Served;
use super::settings::Masks;
use super::wire::{Frame, client, write};
use crate::session::{Answer, Effect, Effects, Knowledge, Peer, Question};
use types::{Batch, Cursor, Owed, Portal, Running, Step, Stmt, Turn, What};

/// Questions that may be open at a time. More of the client's messages wait.
pub const QUESTIONS_MAX: usize = 64;
/// Messages of the client that may wait for their turn.
pub const STEPS_MAX: usize = 256;
/// Messages that may be sent ahead of their answers.
pub const OWED_MAX: usize = 4_096;
/// Prepared statements that a session may have.
pub const STATEMENTS_MAX: usize = 4_096;
/// Portals that a session may have.
pub const PORTALS_MAX: usize = 1_024;
/// Cursors that a session may have declared.
pub const CURSORS_MAX: usize = 1_024;
/// Savepoints of one transaction that are told from each other.
pub(super) const SAVEPOINTS_MAX: usize = 1_024;

/// What a finished login hands over.
pub(super) struct Opened {
    pub(super) served: Served,
    pub(super) known: Arc<Known>,
    /// What asks the upstream to cancel.
    pub(super) upstream_key: Option<(u32, Bytes)>,
    /// Whether the upstream connection is protected.
    pub(super) tls: bool,
    /// The key of what facts tell of values.
    pub(super) commitments: CommitmentKey,
}

/// The session.
pub(super) struct Live {
    served: Served,
    /// What is known, as this session sees it.
    known: Arc<Known>,
    /// The same as all know it.
    shared: Arc<Known>,
    /// The session's temporary schema, once it has one.
    own_temporary: Option<String>,
    upstream_key: Option<(u32, Bytes)>,
    tls: bool,
    /// Masks with nothing revealed: for what no command stands behind, and for what rests.
    masks: Masks,
    commitments: CommitmentKey,
    /// What is masked where no command is answered.
    beside: beside::Beside,
    out: Out,
    /// Counts commands, from 1.
    seq: u64,
    steps: VecDeque<Step>,
    /// Open questions in order; `false` for one whose step was dropped.
    open: VecDeque<(u64, bool)>,
    owed: VecDeque<Owed>,
    batch: Batch,
    /// A Parse that may go with the Bind after it.
    held_parse: Option<(Frame, Key, Arc<Stmt>)>,
    statements: Names<Stmt>,
    portals: Names<Portal>,
    /// Declared cursors.
    cursors: Names<Cursor>,
    progress: session_names::Progress,
    /// Bytes of statements that prepared statements, portals and cursors hold.
    held: Arc<AtomicU64>,
    /// Counts what was read that may change what names mean.
    changes: u64,
    running: HashMap<u64, Running>,
    /// What was carried out since the upstream was ready: one NOTIFY outside a transaction, or anything else.
    notified: Option<Result<Arc<Understood>, ()>>,
    copy_in: Option<CopyIn>,
    /// What was hidden of the last commands where they rest.
    echoes: VecDeque<Arc<Echo>>,
    /// The upstream is sending COPY data.
    copying_out: bool,
    /// An error was shown that the upstream knows nothing of: what it says until it is ready again is not for the client.
    muted: bool,
    /// The transaction status that the upstream told last.
    status: u8,
    /// The catalog may have changed since it was read.
    unsettled: bool,
    /// The catalog holds what the open transaction made.
    unsettled_at_end: bool,
    /// Others changed the catalog since it was read, so that it is to be read again before the next batch.
    outdated: bool,
    /// It was read long ago, and is to be read again where that shows more.
    aged: bool,
    /// Counts what others told that may make names mean something else: what was judged when it was less is judged by what is old.
    heard: u64,
    /// The transaction sees the catalog as an older snapshot has it.
    snapshot: bool,
    /// It changed since that was taken: nothing that depends on it can be judged before the transaction ends.
    blind: bool,
    /// Since the upstream was idle it has changed what other sessions may read by.
    defined: bool,
    /// It could not be read again because of somebody's lock; the statement that waits for it is to be told.
    locked: bool,
    /// What another session learned of the target since the last command.
    news: Option<Arc<Known>>,
    /// Executions on their way that may change the catalog.
    unsettling: u32,
    /// Executions on their way that may change what names mean.
    renaming: u32,
    /// Executions on their way that may end the transaction, and named portals with it.
    ending: u32,
    /// Executions on their way that will ask for COPY data.
    copying: u32,
    /// A Query is on its way.
    simple_ahead: bool,
    /// Counts batches as they are sent, from 1.
    released: u64,
    reload: Option<reload::Reload>,
    /// Cancel requests on their way. What is sent before the upstream has taken them might be cancelled in place of what
    /// they were meant for.
    cancelling: u32,
    closed: bool,
}

impl Live {
    pub(super) fn new(opened: Opened) -> Self {
        Self {
            masks: opened.served.settings.masks(&BTreeSet::new()),
            beside: beside::Beside::new(&opened.commitments),
            commitments: opened.commitments,
            served: opened.served,
            known: opened.known.seen_by(None),
            shared: opened.known,
            own_temporary: None,
            upstream_key: opened.upstream_key,
            tls: opened.tls,
            out: Out::default(),
            seq: 0,
            steps: VecDeque::new(),
            open: VecDeque::new(),
            owed: VecDeque::new(),
            batch: Batch::default(),
            held_parse: None,
            statements: Names::default(),
            portals: Names::default(),
            cursors: Names::default(),
            progress: session_names::Progress::default(),
            held: Arc::default(),
            changes: 0,
            running: HashMap::new(),
            notified: None,
            copy_in: None,
            echoes: VecDeque::new(),
            copying_out: false,
            muted: false,
            status: b'I',
            unsettled: false,
            unsettled_at_end: false,
            outdated: false,
            aged: false,
            heard: 0,
            snapshot: false,
            blind: false,
            defined: false,
            locked: false,
            news: None,
            unsettling: 0,
            renaming: 0,
            ending: 0,
            copying: 0,
            simple_ahead: false,
            released: 1,
            reload: None,
            cancelling: 0,
            closed: false,
        }
    }

    /// Whether [`Effect::Close`] was given.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The upstream sent this piece; what is shown of it need not be copied.
    pub(super) fn base(&mut self, piece: &Bytes) {
        self.out.base(piece.clone());
    }

    /// Sends what was gathered for the client.
    pub(super) fn flush(&mut self, fx: &mut Effects<Bytes>) {
        self.out.flush(fx);
    }

    /// Takes an answer of the gateway.
    pub(super) fn answer(&mut self, answer: Answer, fx: &mut Effects<Bytes>) {
        match answer {
            Answer::Held(held) => self.held(held, fx),
            Answer::Permitted(permit) => self.permitted(permit, fx),
            Answer::Refused(denial) => {
                let Some((seq, wanted)) = self.open.pop_front() else {
                    return;
                };
                fx.push(Effect::Note(Note::Refused {
                    seq,
                    denial: denial.clone(),
                }));
                let error = self.refusal(seq, &denial);
                if let Some(step) = self.waiting(seq).filter(|_| wanted) {
                    step.turn = Turn::Refused(error);
                }
            }
            Answer::Cancelled => self.cancelled(fx),
            Answer::Delivered => self.cancelling = self.cancelling.saturating_sub(1),
            Answer::Learned(knowledge) => self.learned(knowledge),
            Answer::Aged => self.aged = true,
            Answer::Known(_) | Answer::Reached(_) | Answer::Secured(..) => {}
        }
    }

    /// What the client is told of a refusal.
    fn refusal(&self, seq: u64, denial: &Denial) -> Bytes {
        let step = self.steps.iter().find(|step| step.seq == Some(seq));
        let advice = step.and_then(|step| step.what.advice());
        let understood = match step.map(|step| &step.what) {
            Some(What::Simple {
                understood,
                stale: false,
                ..
            }) => Some(Arc::clone(understood)),
            Some(What::Bind { portal, .. }) if !portal.stale => {
                Some(Arc::clone(&portal.understood))
            }
            Some(What::Parse(parsing)) if !self.is_unsure() => parsing.stmt.latest(),
            _ => None,
        };
        let missing = understood.as_ref().and_then(|it| it.missing());
        match missing.filter(|_| denial.code == DenialCode::Forbidden) {
            Some(missing) => deny::missing(missing, denial),
            None => deny::advising(denial, advice.as_deref()),
        }
    }

    fn permitted(&mut self, permit: Permit, fx: &mut Effects<Bytes>) {
        let Some((seq, wanted)) = self.open.pop_front() else {
            fx.push(Effect::Settle(permit, Outcome::bare(Status::Skipped)));
            return;
        };
        fx.push(Effect::Note(Note::Allowed {
            seq,
            intent: permit.intent(),
        }));
        match self.waiting(seq).filter(|_| wanted) {
            Some(step) => step.turn = Turn::Permitted(permit),
            None => settle(seq, permit, Outcome::bare(Status::Skipped), fx),
        }
    }

    fn held(&mut self, held: Held, fx: &mut Effects<Bytes>) {
        let Some(&(seq, wanted)) = self.open.front() else {
            return;
        };
        if wanted {
            self.out.append(&deny::held(&held));
            if let Some(step) = self.waiting(seq) {
                step.turn = Turn::Held;
            }
        }
        fx.push(Effect::Note(Note::Held { seq, held }));
    }

    fn waiting(&mut self, seq: u64) -> Option<&mut Step> {
        self.steps.iter_mut().find(|step| step.seq == Some(seq))
    }

    /// The client's cancel key was used: a held command is withdrawn, one that runs is cancelled upstream.
    fn cancelled(&mut self, fx: &mut Effects<Bytes>) {
        let head_is_held = self
            .steps
            .front()
            .is_some_and(|step| matches!(step.turn, Turn::Held));
        if head_is_held && self.owed.is_empty() {
            let seq = self.steps.front().and_then(|step| step.seq);
            for (open, wanted) in &mut self.open {
                *wanted &= Some(*open) != seq;
            }
            if let Some(step) = self.steps.front_mut() {
                let words =
                    "canceling statement due to user request: its approval request is withdrawn";
                step.turn = Turn::Refused(deny::plain("ERROR", "57014", words, ""));
            }
            fx.push(Effect::Withdraw);
        } else if !self.owed.is_empty() {
            self.cancel_upstream(fx);
        }
    }

    fn cancel_upstream(&mut self, fx: &mut Effects<Bytes>) {
        if let Some((process, key)) = &self.upstream_key {
            let preamble = if self.tls {
                write::ssl_request()
            } else {
                Bytes::new()
            };
            self.cancelling += 1;
            fx.push(Effect::Aside {
                preamble,
                payload: write::cancel_request(*process, key),
            });
        }
    }

    /// Asks whether a command may run, and notes that it was asked.
    fn ask(
        &mut self,
        understood: &Understood,
        prepare: bool,
        parameters: Vec<model::Parameter>,
        shown_parameters: Vec<Option<String>>,
        fx: &mut Effects<Bytes>,
    ) -> u64 {
        self.seq += 1;
        let seq = self.seq;
        let tag: Arc<str> = if prepare {
            Arc::from("PREPARE")
        } else {
            Arc::clone(&understood.tag)
        };
        fx.push(Effect::Note(Note::Asked {
            seq,
            tag: Arc::clone(&tag),
            text: understood.shown.clone(),
            parameters: shown_parameters.clone(),
        }));
        let asks = if prepare {
            &understood.prepare
        } else {
            &understood.asks
        };
        fx.push(Effect::Ask(Question::May(Box::new(model::Command {
            protocol: "postgres",
            tag,
            text: understood.text.clone(),
            parameters,
            shown: understood.shown.clone(),
            shown_parameters,
            asks: Arc::clone(asks),
        }))));
        self.open.push_back((seq, true));
        seq
    }

    /// Whether nothing is under way.
    fn is_quiet(&self) -> bool {
        self.steps.is_empty()
            && self.owed.is_empty()
            && self.reload.is_none()
            && self.cancelling == 0
            && self.held_parse.is_none()
    }

    fn send(&mut self, message: Bytes, fx: &mut Effects<Bytes>) {
        self.batch.wrote();
        fx.push(Effect::Send(Peer::Upstream, message));
    }

    /// Looks at what is known as this session sees it.
    fn knows(&mut self, shared: Arc<Known>) {
        if !Arc::ptr_eq(&self.shared, &shared)
            || self.known.is_private()
            || self.own_temporary.is_some()
        {
            self.known = shared.seen_by(self.own_temporary.as_deref());
        }
        self.shared = shared;
    }

    /// What this session learned of the target.
    fn learn(&mut self, known: Arc<Known>, fx: &mut Effects<Bytes>) {
        self.knows(Arc::clone(&known));
        let knowledge: Knowledge = known;
        fx.push(Effect::Learned(knowledge));
    }

    /// Nobody will hear what the upstream does from now on. It is to stop what may change what others read by, and they are
    /// told as if it had.
    fn leave(&mut self, fx: &mut Effects<Bytes>) {
        self.put_rest(fx);
        self.tell_beside(fx);
        if self.defines_ahead() {
            self.cancel_upstream(fx);
            fx.push(Effect::Outdated);
        }
    }

    /// The client's connection is gone, or it said Terminate while a command is held.
    pub(super) fn end(&mut self, fx: &mut Effects<Bytes>) {
        if !self.closed {
            self.out.flush(fx);
            self.leave(fx);
            self.closed = true;
            fx.push(Effect::Send(Peer::Upstream, write::bare(client::TERMINATE)));
            fx.push(Effect::Close);
        }
    }

    /// Whether a command waits for people.
    pub(super) fn is_held(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step.turn, Turn::Held))
    }
}

/// Settles a permit and notes how its command ended.
fn settle(seq: u64, permit: Permit, outcome: Outcome, fx: &mut Effects<Bytes>) {
    fx.push(Effect::Note(Note::Ended {
        seq,
        outcome: outcome.clone(),
    }));
    fx.push(Effect::Settle(permit, outcome));
}
