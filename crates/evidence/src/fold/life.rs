//! The gateway's own life: starts, stops, silence, the order of times, policies in force.

use model::{FileDigest, PolicyVersion, Started, Timestamp};

use super::{BACKWARDS_MAX_US, Fold, SILENCE_MAX_US, Subject, Table};

#[derive(Debug, Default)]
pub(crate) struct Life {
    /// The leaf before this one and its time, unless it is redacted.
    last: Option<(u64, Timestamp)>,
    /// The latest time so far.
    latest: Timestamp,
    /// The latest time before this leaf.
    previous: Option<Timestamp>,
    /// The last entry said that the gateway stopped.
    stopped: bool,
    /// A start was seen.
    started: bool,
    /// The policies in force, and those before them: a command decided under them may be written a moment after.
    pub(super) policies: Vec<PolicyVersion>,
}

impl Life {
    /// Nothing is known of this leaf.
    pub(super) fn unknown(&mut self) {
        self.last = None;
    }
}

impl Fold<'_> {
    /// Checks a leaf's time against those before it.
    pub(super) fn in_order(&mut self, at: Timestamp, start: bool) {
        self.life.previous = (self.life.latest > Timestamp::default()).then_some(self.life.latest);
        let back = self.life.latest.micros() - at.micros();
        if back > BACKWARDS_MAX_US {
            let (latest, seconds) = (self.life.latest, back / 1_000_000);
            let why = format!(
                "its time {at} lies {seconds} s before {latest}, which an entry before it has: it is backdated, or the gateway's \
                 clock was set back"
            );
            self.find(Subject::Entries, why.clone());
            self.at = at;
            self.exception("time_goes_back", "", &why);
        }
        self.life.latest = self.life.latest.max(at);
        // The context has holes; only neighbours tell of silence.
        let neighbour = self.life.last.filter(|(leaf, _)| leaf + 1 == self.leaf);
        if let Some((before, last)) = neighbour
            && self.life.started
            && !self.life.stopped
            && !start
            && at.micros() - last.micros() > SILENCE_MAX_US
        {
            self.gap("silence", last, at, before, self.leaf);
        }
        self.life.last = Some((self.leaf, at));
    }

    fn gap(&mut self, kind: &str, from: Timestamp, to: Timestamp, before: u64, after: u64) {
        let seconds = (to.micros() - from.micros()).max(0) / 1_000_000;
        self.row(Table::Gaps, &[&kind, &from, &to, &seconds, &before, &after]);
    }

    /// Nothing more until the end of the period, or until the bundle was built.
    pub(super) fn silence_at_end(&mut self) {
        let until = self.period.to.min(self.period.built);
        let Some((leaf, last)) = self.life.last else {
            return;
        };
        self.leaf = self.period.end;
        if until.micros() - last.micros() > SILENCE_MAX_US {
            let kind = if self.life.stopped {
                "stopped"
            } else {
                "silence to the end"
            };
            self.gap(kind, last, until, leaf, self.period.end);
        }
    }

    pub(super) fn started(&mut self, started: &Started) {
        let known = self.life.started;
        self.end_of_run("lost", "none");
        if known || self.leaf > 0 {
            let kind = if self.life.stopped {
                "stopped"
            } else {
                "crash"
            };
            // The leaf before a start is the last of the run before it.
            let from = self.life.previous.unwrap_or(self.at);
            self.gap(kind, from, self.at, self.leaf.saturating_sub(1), self.leaf);
            if !self.life.stopped {
                self.exception(
                    "start_without_stop",
                    "gateway",
                    "the gateway started again without having stopped in good order",
                );
            }
        }
        self.life.started = true;
        self.life.stopped = false;
        self.life.policies = vec![started.policy];
        let (leaf, at) = (self.leaf, self.at);
        let targets: Vec<_> = started
            .targets
            .iter()
            .map(|(name, protocol)| format!("{name} ({protocol})"))
            .collect();
        self.row(
            Table::ConfigHashes,
            &[
                &leaf,
                &at,
                &started.version,
                &started.durability,
                &started.config,
                &started.policy,
                &targets.join("; "),
                &started.issuers.join("; "),
            ],
        );
        self.policy_files("in force at start", started.policy, &started.policy_files);
    }

    pub(super) fn stopped(&mut self) {
        self.life.stopped = true;
    }

    pub(super) fn policy_activated(&mut self, policy: PolicyVersion, files: &[FileDigest]) {
        self.life.policies.push(policy);
        if self.life.policies.len() > 2 {
            self.life.policies.remove(0);
        }
        self.policy_files("activated", policy, files);
    }

    fn policy_files(&mut self, event: &str, policy: PolicyVersion, files: &[FileDigest]) {
        let (leaf, at) = (self.leaf, self.at);
        if crate::policies::version(files) != policy {
            self.find(
                Subject::Entries,
                format!("its policy files do not give the policy version {policy}"),
            );
        }
        for file in files {
            self.row(
                Table::PolicyHistory,
                &[&leaf, &at, &event, &policy, &file.name, &file.sha256, &""],
            );
        }
        if files.is_empty() {
            self.row(
                Table::PolicyHistory,
                &[&leaf, &at, &event, &policy, &"", &"", &""],
            );
        }
    }

    pub(super) fn policy_rejected(&mut self, error: &str) {
        let (leaf, at) = (self.leaf, self.at);
        self.row(
            Table::PolicyHistory,
            &[&leaf, &at, &"rejected", &"", &"", &"", &error],
        );
        self.exception("policy_rejected", "policy", error);
    }

    /// Whether a command may have been decided under this policy version here.
    pub(super) fn in_force(&mut self, policy: PolicyVersion) {
        if !self.life.policies.is_empty() && !self.life.policies.contains(&policy) {
            self.find(
                Subject::Entries,
                format!("it was decided under the policies {policy}, which were not in force"),
            );
        }
    }
}
