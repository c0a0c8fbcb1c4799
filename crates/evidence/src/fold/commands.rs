//! Commands: permitted and how they ended, or refused.

use model::{CommandRecord, Denial, Digest, Intent, MaskFact, Outcome, PolicyVersion, Timestamp};

use super::sessions::Session;
use super::{Fold, Subject, Table, counts, word};

/// A permitted command that has not ended.
#[derive(Debug)]
pub(crate) struct OpenIntent {
    at: Timestamp,
    intent: Intent,
}

impl Fold<'_> {
    pub(super) fn intent(&mut self, mut intent: Intent) {
        self.in_force(intent.policy);
        let (leaf, name) = (self.leaf, intent.session.clone());
        let mut key: Option<Digest> = None;
        let mut why = Vec::new();
        if let Some(session) = self.session_of(&name) {
            session.permitted += 1;
            let identity = &session.opened.identity;
            key = Some(identity.key());
            let agent = identity.agent.as_ref().map(|agent| &agent.name);
            if identity.human != intent.human || agent != intent.agent.as_ref() {
                why.push(format!(
                    "its human and agent are not those of session {name}"
                ));
            }
            if session.opened.target != intent.target {
                why.push(format!("its target is not that of session {name}"));
            }
            if !session.seqs.insert(intent.seq) {
                why.push(format!(
                    "command {} of session {name} has an entry before this one",
                    intent.seq
                ));
            }
            if intent.approval.is_some() {
                session.approved += 1;
                session.marks.approved.get_or_insert(leaf);
            }
        }
        why.into_iter()
            .for_each(|why| self.find(Subject::Entries, why));
        if self.in_period() {
            self.totals.permitted += 1;
            self.totals.permitted_with_approval += u64::from(intent.approval.is_some());
        }
        if let Some(approval) = intent.approval.clone() {
            let leaves = self.use_approval(&approval, &intent, key);
            if let Some(session) = self.sessions.get_mut(&name) {
                session.marks.approvals(&leaves);
            }
        }
        // Not needed any more, and the largest part of it.
        intent.command.sealed = String::new();
        let at = self.at;
        self.intents.insert(leaf, OpenIntent { at, intent });
    }

    pub(super) fn outcome(&mut self, name: &str, leaf: u64, outcome: &Outcome) {
        let Some(open) = self.intents.remove(&leaf) else {
            let why = format!(
                "it settles the command of leaf {leaf}, which is not there or was settled before"
            );
            self.find(Subject::Entries, why);
            return;
        };
        if let Some(approval) = &open.intent.approval {
            self.approval_ended(approval, leaf, outcome.again);
        }
        if open.intent.session != name {
            self.find(
                Subject::Entries,
                format!(
                    "it settles a command of session {}, not {name}",
                    open.intent.session
                ),
            );
        }
        let (masked, revealed) = counts(&outcome.masks);
        let here = self.leaf;
        if let Some(Session {
            rows,
            bytes,
            masked: all,
            marks,
            ..
        }) = self.session(name)
        {
            *rows = rows.saturating_add(outcome.rows);
            *bytes = bytes.saturating_add(outcome.bytes);
            *all = all.saturating_add(masked);
            if masked > 0 {
                marks.masked.get_or_insert(here);
            }
        }
        if self.in_period() {
            let totals = &mut self.totals;
            let status = word(&outcome.status);
            let status = status.split(' ').next().unwrap_or_default().to_owned();
            *totals.outcomes_by_status.entry(status).or_default() += 1;
            totals.rows_shown = totals.rows_shown.saturating_add(outcome.rows);
            totals.bytes_shown = totals.bytes_shown.saturating_add(outcome.bytes);
            outcome
                .masks
                .iter()
                .for_each(|fact| self.mask(leaf, name, fact));
        }
        let (ended, at) = (self.leaf.to_string(), self.at.to_string());
        self.permitted_row(
            leaf,
            &open,
            &[
                &ended,
                &at,
                &word(&outcome.status),
                &outcome.rows,
                &outcome.bytes,
                &outcome.tag,
                &masked,
                &revealed,
            ],
        );
    }

    pub(super) fn mask(&mut self, intent: u64, session: &str, fact: &MaskFact) {
        let (leaf, at) = (self.leaf, self.at);
        let (table, by_class) = match fact.strategy.as_str() {
            "reveal" => (Table::Reveals, &mut self.totals.revealed_values_by_class),
            _ => (Table::Detections, &mut self.totals.masked_values_by_class),
        };
        let sum = by_class.entry(fact.class.to_string()).or_default();
        *sum = sum.saturating_add(fact.count);
        let commitments = fact.commitments.len();
        self.row(
            table,
            &[
                &leaf,
                &at,
                &intent,
                &session,
                &fact.class,
                &fact.rule,
                &fact.place,
                &fact.strategy,
                &fact.count,
                &commitments,
            ],
        );
    }

    /// A permitted command whose session is over.
    pub(super) fn abandon(&mut self, session: &str) {
        let open = self
            .intents
            .iter()
            .filter(|(_, open)| open.intent.session == session);
        let leaves: Vec<u64> = open.map(|(leaf, _)| *leaf).collect();
        for leaf in leaves {
            if let Some(open) = self.intents.remove(&leaf) {
                self.unsettled(leaf, &open, "none");
            }
        }
    }

    /// A permitted command of which no end is known.
    pub(super) fn unsettled(&mut self, leaf: u64, open: &OpenIntent, status: &str) {
        if status == "none" {
            let detail = format!(
                "command {} of session {} was permitted, and no entry tells how it ended",
                open.intent.seq, open.intent.session
            );
            self.exception("intent_without_outcome", &format!("leaf {leaf}"), &detail);
        }
        self.permitted_row(leaf, open, &[&"", &"", &status, &"", &"", &"", &"", &""]);
    }

    fn permitted_row(&mut self, leaf: u64, open: &OpenIntent, end: &[&dyn std::fmt::Display; 8]) {
        let OpenIntent { at, intent } = open;
        let [ended, ended_at, status, rows, bytes, tag, masked, revealed] = *end;
        let empty = String::new();
        self.row(
            Table::Commands,
            &[
                &leaf,
                at,
                &intent.session,
                &intent.seq,
                &intent.human,
                intent.agent.as_ref().unwrap_or(&empty),
                &intent.target,
                &intent.command.protocol,
                &intent.command.tag,
                &intent.command.effects.join("; "),
                &intent.command.digest,
                &"permitted",
                &intent.policy,
                &intent.obligations.policies.join("; "),
                intent.approval.as_ref().unwrap_or(&empty),
                &"",
                &"",
                ended,
                ended_at,
                status,
                rows,
                bytes,
                tag,
                masked,
                revealed,
            ],
        );
    }

    pub(super) fn refused(
        &mut self,
        name: &str,
        seq: u64,
        command: &CommandRecord,
        policy: PolicyVersion,
        denial: &Denial,
    ) {
        self.in_force(policy);
        let (leaf, at) = (self.leaf, self.at);
        let empty = String::new();
        let (mut human, mut agent, mut target) = (String::new(), String::new(), String::new());
        let mut twice = false;
        if let Some(session) = self.session_of(name) {
            session.refused += 1;
            session.marks.refused.get_or_insert(leaf);
            twice = !session.seqs.insert(seq);
            let identity = &session.opened.identity;
            human.clone_from(&identity.human);
            agent.clone_from(identity.agent.as_ref().map_or(&empty, |agent| &agent.name));
            target.clone_from(&session.opened.target);
        }
        if twice {
            self.find(
                Subject::Entries,
                format!("command {seq} of session {name} has an entry before this one"),
            );
        }
        let code = word(&denial.code);
        if self.in_period() {
            self.totals.refused += 1;
            *self
                .totals
                .refusals_by_code
                .entry(code.clone())
                .or_default() += 1;
        }
        self.row(
            Table::Commands,
            &[
                &leaf,
                &at,
                &name,
                &seq,
                &human,
                &agent,
                &target,
                &command.protocol,
                &command.tag,
                &command.effects.join("; "),
                &command.digest,
                &"refused",
                &policy,
                &denial.policies.join("; "),
                denial.approval.as_ref().unwrap_or(&empty),
                &code,
                &denial.message,
                &"",
                &"",
                &"",
                &"",
                &"",
                &"",
                &"",
                &"",
            ],
        );
    }
}
