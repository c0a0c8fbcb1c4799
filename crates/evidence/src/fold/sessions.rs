//! Sessions: begin, recording, end.

use model::{MaskFact, SessionOpened, Timestamp};

use super::sampling::Marks;
use super::seqs::Seqs;
use super::{Fold, Subject, Table, counts};

#[derive(Debug)]
pub(crate) struct Session {
    pub(super) opened: SessionOpened,
    pub(super) at: Timestamp,
    pub(super) leaf: u64,
    pub(super) last_leaf: u64,
    /// Its begin lies in the period, so all of it up to the end does.
    pub(super) whole: bool,
    pub(super) permitted: u64,
    pub(super) refused: u64,
    pub(super) approved: u64,
    pub(super) masked: u64,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    /// Chunks so far; `None` where the session began before the period and none was seen yet.
    pub(super) chunks: Option<u64>,
    pub(super) seqs: Seqs,
    pub(super) marks: Marks,
}

impl Fold<'_> {
    pub(super) fn session_opened(&mut self, opened: SessionOpened) {
        let name = opened.session.clone();
        self.in_force(opened.policy);
        self.people.session(&opened, self.leaf);
        let whole = self.in_period();
        let session = Session {
            opened,
            at: self.at,
            leaf: self.leaf,
            last_leaf: self.leaf,
            whole,
            permitted: 0,
            refused: 0,
            approved: 0,
            masked: 0,
            rows: 0,
            bytes: 0,
            chunks: whole.then_some(0),
            seqs: Seqs::default(),
            marks: Marks::new(self.leaf),
        };
        if self.sessions.insert(name.clone(), session).is_some() {
            self.find(
                Subject::Entries,
                format!("session {name} begins a second time"),
            );
        }
    }

    /// A session that is open, with this leaf counted to it.
    pub(super) fn session(&mut self, name: &str) -> Option<&mut Session> {
        let leaf = self.leaf;
        let session = self.sessions.get_mut(name)?;
        session.last_leaf = leaf;
        Some(session)
    }

    /// As [`Fold::session`]; that there is none is a finding.
    pub(super) fn session_of(&mut self, name: &str) -> Option<&mut Session> {
        if !self.sessions.contains_key(name) {
            self.find(
                Subject::Entries,
                format!("it names session {name}, which is not open"),
            );
        }
        self.session(name)
    }

    pub(super) fn recorded(&mut self, name: &str, chunk: u64) {
        let Some(session) = self.session_of(name) else {
            return;
        };
        let due = session.chunks.unwrap_or(chunk);
        session.chunks = chunk.checked_add(1);
        if due != chunk {
            let why =
                format!("chunk {chunk} of session {name} is recorded where chunk {due} is due");
            self.find(Subject::Recordings, why);
        }
    }

    /// Counts what a session's closing entry says was masked where no command was answered.
    pub(super) fn found_beside(&mut self, name: &str, masks: &[MaskFact]) {
        if masks.is_empty() {
            return;
        }
        let (masked, _) = counts(masks);
        let here = self.leaf;
        if let Some(session) = self.session(name) {
            session.masked = session.masked.saturating_add(masked);
            if masked > 0 {
                session.marks.masked.get_or_insert(here);
            }
        }
        if self.in_period() {
            masks.iter().for_each(|fact| self.mask(here, name, fact));
        }
    }

    pub(super) fn session_closed(
        &mut self,
        name: &str,
        reason: &str,
        permitted: u64,
        refused: u64,
        chunks: u64,
    ) {
        self.abandon(name);
        if self.session_of(name).is_none() {
            return;
        }
        let Some(session) = self.sessions.remove(name) else {
            return;
        };
        if session.whole {
            self.closing_counts(&session, permitted, refused, chunks);
        }
        self.session_row(session, "closed", Some(self.at), reason);
    }

    /// A session's closing entry must not tell of more than its entries show.
    fn closing_counts(&mut self, session: &Session, permitted: u64, refused: u64, chunks: u64) {
        let name = &session.opened.session;
        if permitted > session.permitted || session.refused > refused {
            let why = format!(
                "session {name} closes with {permitted} permitted and {refused} refused commands, and its entries show {} and {}",
                session.permitted, session.refused
            );
            self.find(Subject::Entries, why);
        }
        let recorded = session.chunks.unwrap_or(0);
        if chunks == 0 && recorded > 0 {
            self.exception(
                "recording_incomplete",
                name,
                "the gateway could not write the recording to its end",
            );
        } else if chunks != recorded {
            let why = format!(
                "session {name} closes with {chunks} chunks of recording, and its entries show {recorded}"
            );
            self.find(Subject::Recordings, why);
        }
        let missing = session.seqs.missing();
        if missing > 0 || session.permitted > permitted || refused > session.refused {
            let detail = format!(
                "{missing} numbers of commands have no entry (withdrawn before they were decided, or not recordable); the gateway \
                 counted {permitted} permitted and {refused} refused, the entries show {} and {}",
                session.permitted, session.refused
            );
            self.exception("commands_without_entry", name, &detail);
        }
    }

    /// The gateway's run ends, or the period does: whatever is open ends with it.
    pub(super) fn end_of_run(&mut self, state: &str, status: &str) {
        let intents = std::mem::take(&mut self.intents);
        for (leaf, intent) in intents {
            self.unsettled(leaf, &intent, status);
        }
        let mut sessions: Vec<_> = std::mem::take(&mut self.sessions).into_values().collect();
        sessions.sort_by_key(|session| session.leaf);
        for session in sessions {
            if state == "lost" {
                let name = session.opened.session.clone();
                self.exception(
                    "session_without_end",
                    &name,
                    "the gateway ended before the session was closed",
                );
            }
            self.session_row(session, state, None, "");
        }
        let state = if state == "lost" { "lost" } else { "open" };
        let approvals = std::mem::take(&mut self.approvals).into_values();
        for approval in approvals.filter(|approval| !approval.is_used()) {
            self.approval_row(&approval, state, None);
        }
    }

    fn session_row(
        &mut self,
        session: Session,
        state: &str,
        closed: Option<Timestamp>,
        reason: &str,
    ) {
        let SessionOpened { identity, .. } = &session.opened;
        let opened = &session.opened;
        let state = if session.whole {
            state.to_owned()
        } else {
            format!("{state}, opened before the period")
        };
        let agent = identity.agent.as_ref();
        let empty = String::new();
        let text = |of: Option<&String>| of.unwrap_or(&empty).clone();
        let closed = closed.map(|at| at.to_string()).unwrap_or_default();
        self.people.ended(&session);
        self.row(
            Table::Sessions,
            &[
                &opened.session,
                &state,
                &session.at,
                &closed,
                &reason,
                &identity.human,
                &text(agent.map(|agent| &agent.name)),
                &text(agent.and_then(|agent| agent.instance.as_ref())),
                &text(agent.and_then(|agent| agent.model.as_ref())),
                &identity.proof.issuer,
                &identity.proof.subject,
                &opened.target,
                &opened.protocol,
                &opened.source,
                &opened.client,
                &opened.transport,
                &opened.account,
                &opened.key_id,
                &opened.policy,
                &session.permitted,
                &session.refused,
                &session.approved,
                &session.masked,
                &session.rows,
                &session.bytes,
                &session.chunks.unwrap_or(0),
                &session.leaf,
                &session.last_leaf,
            ],
        );
        if session.whole && self.in_period() {
            self.draw.offer(session);
        }
    }
}
