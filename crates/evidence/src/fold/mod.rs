//! One pass over the leaves of a period: the tables that follow from them, and what in them does not hold.
//!
//! The builder writes the tables; the verifier makes them again from the leaves and wants them equal, byte for byte. What is
//! here depends on the leaves and the [`Period`] alone, so both get the same.

mod approvals;
mod commands;
mod life;
mod people;
pub(crate) mod sampling;
mod seqs;
mod sessions;
mod table;

use std::collections::{BTreeMap, HashMap};

use model::{Entry, Event, MaskFact, Timestamp};
use serde::{Deserialize, Serialize};

use crate::bundle::csv::Row;
use approvals::Approval;
use commands::OpenIntent;
use life::Life;
use people::People;
use sampling::Draw;
use sessions::Session;

pub(crate) use table::Table;

/// Sessions, commands or approvals open at once, beyond which a log is not followed further.
pub(crate) const OPEN_MAX: usize = 1_000_000;
/// Findings kept; the rest is counted.
pub(crate) const FINDINGS_MAX: usize = 100;
/// How far an entry's time may lie before that of the entry before it, in microseconds: entries are stamped by several threads,
/// and clocks are set.
pub(crate) const BACKWARDS_MAX_US: i64 = 60_000_000;
/// How far past its expiry a grant may be seen to be used, in microseconds: it is taken first and recorded then.
pub(crate) const EXPIRY_SLACK_US: i64 = 5_000_000;
/// So long without an entry, in microseconds, is a gap: a living gateway writes one a minute.
pub(crate) const SILENCE_MAX_US: i64 = 180_000_000;

/// What the tables are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Period {
    /// Entries from this time on are asked for.
    pub(crate) from: Timestamp,
    /// Up to this time, exclusive.
    pub(crate) to: Timestamp,
    /// The target asked for, or all.
    #[serde(default)]
    pub(crate) target: Option<String>,
    /// The first leaf.
    pub(crate) first: u64,
    /// The leaf after the last.
    pub(crate) end: u64,
    /// When the bundle was built.
    pub(crate) built: Timestamp,
    /// How samples were drawn.
    pub(crate) seed: String,
    /// How many sessions were to be drawn.
    pub(crate) samples: usize,
}

/// Which check a finding belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    /// Entries and their order.
    Entries,
    /// Approvals and what they bind to.
    Approvals,
    /// People's signatures.
    Signatures,
    /// Recordings.
    Recordings,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) subject: Subject,
    pub(crate) leaf: u64,
    pub(crate) why: String,
}

/// Who signed: takes the approver's name, the statement and the signature, and says what is wrong.
pub(crate) type Signers<'a> = &'a dyn Fn(&str, &str, &str) -> Result<(), String>;

/// Counts of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) first_leaf: u64,
    pub(crate) end_leaf: u64,
    pub(crate) leaves: u64,
    pub(crate) leaves_here: u64,
    pub(crate) leaves_redacted: u64,
    pub(crate) leaves_of_context: u64,
    pub(crate) first_entry: Option<Timestamp>,
    pub(crate) last_entry: Option<Timestamp>,
    pub(crate) entries_by_type: BTreeMap<String, u64>,
    pub(crate) permitted: u64,
    pub(crate) permitted_with_approval: u64,
    pub(crate) refused: u64,
    pub(crate) outcomes_by_status: BTreeMap<String, u64>,
    pub(crate) refusals_by_code: BTreeMap<String, u64>,
    pub(crate) rows_shown: u64,
    pub(crate) bytes_shown: u64,
    pub(crate) masked_values_by_class: BTreeMap<String, u64>,
    pub(crate) revealed_values_by_class: BTreeMap<String, u64>,
    pub(crate) rows_by_table: BTreeMap<String, u64>,
}

/// The pass.
pub(crate) struct Fold<'s> {
    pub(super) period: Period,
    pub(super) signers: Option<Signers<'s>>,
    pub(super) totals: Totals,
    pub(super) sessions: HashMap<String, Session>,
    pub(super) intents: BTreeMap<u64, OpenIntent>,
    pub(super) approvals: BTreeMap<String, Approval>,
    pub(super) life: Life,
    pub(super) people: People,
    pub(super) draw: Draw,
    /// Lines made and not yet taken.
    lines: Vec<(Table, String)>,
    findings: Vec<Finding>,
    findings_beyond: u64,
    /// The leaf at hand.
    pub(super) leaf: u64,
    pub(super) at: Timestamp,
}

/// What is left when a pass has ended.
pub(crate) struct Done {
    pub(crate) totals: Totals,
    pub(crate) draw: Draw,
    pub(crate) findings: Vec<Finding>,
    pub(crate) findings_beyond: u64,
}

impl<'s> Fold<'s> {
    pub(crate) fn new(period: Period, signers: Option<Signers<'s>>) -> Self {
        let totals = Totals {
            first_leaf: period.first,
            end_leaf: period.end,
            leaves: period.end.saturating_sub(period.first),
            rows_by_table: Table::ALL
                .iter()
                .map(|table| (table.path().to_owned(), 0))
                .collect(),
            ..Totals::default()
        };
        Self {
            draw: Draw::new(period.seed.clone(), period.samples),
            period,
            signers,
            totals,
            sessions: HashMap::new(),
            intents: BTreeMap::new(),
            approvals: BTreeMap::new(),
            life: Life::default(),
            people: People::default(),
            lines: Vec::new(),
            findings: Vec::new(),
            findings_beyond: 0,
            leaf: 0,
            at: Timestamp::default(),
        }
    }

    /// Takes an entry: first those of the context, then those of the period, each in order.
    pub(crate) fn entry(&mut self, leaf: u64, entry: Entry) {
        self.leaf = leaf;
        self.in_order(entry.at, matches!(entry.event, Event::Started(_)));
        self.at = entry.at;
        if self.in_period() {
            self.totals.leaves_here += 1;
            self.totals.first_entry.get_or_insert(entry.at);
            self.totals.last_entry = Some(entry.at);
            *self
                .totals
                .entries_by_type
                .entry(kind(&entry.event).to_owned())
                .or_default() += 1;
        } else {
            self.totals.leaves_of_context += 1;
        }
        if self.sessions.len() > OPEN_MAX
            || self.intents.len() > OPEN_MAX
            || self.approvals.len() > OPEN_MAX
        {
            self.find(
                Subject::Entries,
                format!("more than {OPEN_MAX} sessions, commands or approvals are open"),
            );
            return;
        }
        self.event(entry.event);
    }

    /// A leaf of another target stands here.
    pub(crate) fn redacted(&mut self) {
        self.totals.leaves_redacted += 1;
        self.life.unknown();
    }

    /// A leaf that is no entry of a kind known here.
    pub(crate) fn unknown(&mut self, leaf: u64, why: &str) {
        self.leaf = leaf;
        self.life.unknown();
        self.find(
            Subject::Entries,
            format!("is not an entry that this version knows: {why}"),
        );
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Started(started) => self.started(&started),
            Event::Heartbeat { .. } => {}
            Event::Stopped {} => self.stopped(),
            Event::PolicyActivated { policy, files } => self.policy_activated(policy, &files),
            Event::PolicyRejected { error } => self.policy_rejected(&error),
            Event::Authenticated(login) => self.authenticated(&login),
            Event::SessionOpened(opened) => self.session_opened(*opened),
            Event::Intent(intent) => self.intent(*intent),
            Event::Outcome {
                session,
                intent,
                outcome,
            } => self.outcome(&session, intent, &outcome),
            Event::Refused {
                session,
                seq,
                command,
                policy,
                denial,
            } => self.refused(&session, seq, &command, policy, &denial),
            Event::ApprovalRequested(request) => self.approval_requested(*request),
            Event::ApprovalGiven {
                statement,
                signature,
                identity,
                gates,
                settled,
            } => self.approval_given(&statement, &signature, &identity, &gates, settled),
            Event::ApprovalClosed { approval, reason } => self.approval_closed(&approval, &reason),
            Event::Recorded { session, chunk, .. } => self.recorded(&session, chunk),
            Event::SessionClosed {
                session,
                reason,
                permitted,
                refused,
                chunks,
                masks,
            } => {
                self.found_beside(&session, &masks);
                self.session_closed(&session, &reason, permitted, refused, chunks);
            }
            Event::TokenIssued { identity } => self.token_issued(&identity),
            Event::ReplayWatched {
                identity,
                session,
                reason,
            } => self.watched("replay", &identity, &session, &reason),
            Event::EvidenceBuilt {
                identity,
                first,
                end,
                ..
            } => {
                self.watched(
                    "evidence",
                    &identity,
                    "",
                    &format!("leaves {first} to {end}"),
                );
            }
        }
    }

    /// Ends the pass: what is still open is written as such.
    pub(crate) fn finish(&mut self) {
        self.silence_at_end();
        self.leaf = self.period.end;
        self.end_of_run("open", "under way");
        self.write_people();
        // The table of tables is made of the lines themselves, by whoever takes them.
    }

    /// What is left.
    pub(crate) fn done(self) -> Done {
        Done {
            totals: self.totals,
            draw: self.draw,
            findings: self.findings,
            findings_beyond: self.findings_beyond,
        }
    }

    /// The lines made since the last time.
    pub(crate) fn take_lines(&mut self) -> std::vec::Drain<'_, (Table, String)> {
        self.lines.drain(..)
    }

    pub(super) fn in_period(&self) -> bool {
        self.leaf >= self.period.first
    }

    /// Adds a row; the context makes none.
    pub(super) fn row(&mut self, table: Table, cells: &[&dyn std::fmt::Display]) {
        if self.in_period() {
            *self
                .totals
                .rows_by_table
                .entry(table.path().to_owned())
                .or_default() += 1;
            self.lines.push((table, Row::of(cells)));
        }
    }

    /// Notes something that an examiner should look at.
    pub(super) fn exception(&mut self, kind: &str, subject: &str, detail: &str) {
        let (leaf, at) = (self.leaf, self.at);
        self.row(Table::Exceptions, &[&leaf, &at, &kind, &subject, &detail]);
    }

    /// Notes something that does not hold. The context is a choice of entries, each in its place in the log, and not judged.
    pub(super) fn find(&mut self, subject: Subject, why: String) {
        if !self.in_period() {
            return;
        }
        if self.findings.len() < FINDINGS_MAX {
            let leaf = self.leaf;
            self.findings.push(Finding { subject, leaf, why });
        } else {
            self.findings_beyond += 1;
        }
    }
}

/// How many values were masked, and how many revealed.
pub(super) fn counts(masks: &[MaskFact]) -> (u64, u64) {
    masks.iter().fold((0, 0), |(masked, revealed), fact| {
        match fact.strategy.as_str() {
            "reveal" => (masked, revealed.saturating_add(fact.count)),
            _ => (fact.count.saturating_add(masked), revealed),
        }
    })
}

/// An entry's kind, as it stands in its JSON.
pub(crate) fn kind(event: &Event) -> &'static str {
    match event {
        Event::Started(_) => "started",
        Event::Heartbeat { .. } => "heartbeat",
        Event::Stopped {} => "stopped",
        Event::PolicyActivated { .. } => "policy_activated",
        Event::PolicyRejected { .. } => "policy_rejected",
        Event::Authenticated(_) => "authenticated",
        Event::SessionOpened(_) => "session_opened",
        Event::Intent(_) => "intent",
        Event::Outcome { .. } => "outcome",
        Event::Refused { .. } => "refused",
        Event::ApprovalRequested(_) => "approval_requested",
        Event::ApprovalGiven { .. } => "approval_given",
        Event::ApprovalClosed { .. } => "approval_closed",
        Event::Recorded { .. } => "recorded",
        Event::SessionClosed { .. } => "session_closed",
        Event::TokenIssued { .. } => "token_issued",
        Event::ReplayWatched { .. } => "replay_watched",
        Event::EvidenceBuilt { .. } => "evidence_built",
    }
}

/// A word as serde writes it: `approval_pending`.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(one)) => one
            .into_iter()
            .next()
            .map(|(name, value)| format!("{name} {}", value.as_str().unwrap_or_default()))
            .unwrap_or_default(),
        _ => String::new(),
    }
}
