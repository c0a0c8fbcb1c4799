//! What is masked where no command is answered: settings that the upstream reports, notices and notifications in between.
//!
//! Each is a fact of the next command that ends, or of the session's end where none does.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use mask::{CommitmentKey, Findings};
use model::MaskFact;

use super::Live;
use super::reply::broke;
use crate::postgres::command::{Piece, Understood};
use crate::postgres::rows::mask_parameter_status;
use crate::postgres::wire::Frame;
use crate::session::{Effect, Effects, Violation};

/// So many facts go with one command: its entry has facts of its own.
const FACTS_MAX: usize = 16;
/// Commands that are remembered until the upstream is ready.
const RAN_MAX: usize = 16;
/// Settings of which is remembered what they were, and so many values of each.
const STATUSES_MAX: usize = 64;
/// See [`STATUSES_MAX`].
const VALUES_MAX: usize = 16;

/// What is kept of it.
#[derive(Debug)]
pub(super) struct Beside {
    key: CommitmentKey,
    pub(super) findings: Findings,
    /// Facts that no entry holds yet.
    waiting: Vec<MaskFact>,
    /// Commands that were carried out since the upstream was ready.
    ran: Vec<Arc<Understood>>,
    /// Values of settings that were shown.
    statuses: HashMap<Bytes, Vec<Bytes>>,
}

impl Beside {
    pub(super) fn new(key: &CommitmentKey) -> Self {
        Self {
            key: key.clone(),
            findings: Findings::new(key),
            waiting: Vec::new(),
            ran: Vec::new(),
            statuses: HashMap::new(),
        }
    }

    /// A command was carried out.
    pub(super) fn ran(&mut self, understood: &Arc<Understood>) {
        if self.ran.len() < RAN_MAX {
            self.ran.push(Arc::clone(understood));
        }
    }

    /// The upstream is ready.
    pub(super) fn is_ready(&mut self) {
        self.ran.clear();
    }

    /// All that no entry holds yet.
    fn all(&mut self) -> Vec<MaskFact> {
        if !self.findings.is_empty() {
            let found = std::mem::replace(&mut self.findings, Findings::new(&self.key));
            self.waiting.extend(found.facts());
        }
        std::mem::take(&mut self.waiting)
    }

    /// What goes with a command that ends.
    pub(super) fn some(&mut self) -> Vec<MaskFact> {
        if self.findings.is_empty() && self.waiting.is_empty() {
            return Vec::new();
        }
        let mut facts = self.all();
        self.waiting = facts.split_off(facts.len().min(FACTS_MAX));
        facts
    }

    /// Whether the client has seen the setting with this value.
    fn has_shown(&self, name: &Bytes, value: &Bytes) -> bool {
        let shown = self.statuses.get(name);
        shown.is_some_and(|values| values.contains(value))
    }

    fn shows(&mut self, name: &Bytes, value: &Bytes) {
        if self.statuses.len() >= STATUSES_MAX || self.has_shown(name, value) {
            return;
        }
        let values = self.statuses.entry(Bytes::copy_from_slice(name));
        let values = values.or_default();
        if values.len() < VALUES_MAX {
            values.push(Bytes::copy_from_slice(value));
        }
    }
}

impl Live {
    /// A setting as the client may see it. What a statement sets that computes with protected data may be made of them.
    pub(super) fn status(
        &mut self,
        frame: &Frame,
        name: &Bytes,
        value: &Bytes,
    ) -> Result<Bytes, Violation> {
        let seq = self.answering();
        let running = seq.and_then(|seq| self.running.get(&seq));
        let answered = running.map(|running| &running.understood);
        let mut ran = self.beside.ran.iter().chain(answered);
        let computes = ran.any(|it| self.computes(it) || it.pieces.iter().any(Piece::runs_code));
        let masks = running
            .map_or(&self.masks, |running| &running.masks)
            .clone();
        let strict = !self.known.protected.is_empty() && !masks.open;
        let withheld = strict && computes && !self.beside.has_shown(name, value);
        let findings = match seq.and_then(|seq| self.running.get_mut(&seq)) {
            Some(running) => &mut running.findings,
            None => &mut self.beside.findings,
        };
        let masked = mask_parameter_status(frame, &masks, withheld, findings).map_err(broke)?;
        if masked.is_none() {
            self.beside.shows(name, value);
        }
        Ok(masked.unwrap_or_else(|| frame.whole.clone()))
    }

    /// The session ends.
    pub(super) fn tell_beside(&mut self, fx: &mut Effects<Bytes>) {
        let facts = self.beside.all();
        if !facts.is_empty() {
            fx.push(Effect::Found(facts));
        }
    }
}
