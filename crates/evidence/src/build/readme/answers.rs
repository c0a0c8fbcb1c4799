//! The fifteen questions and what the data say to them.

use std::collections::BTreeMap;

use super::{Facts, count, escape, grouped};
use crate::bundle::layout;
use crate::fold::Table;

/// How far this bundle answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Answered,
    InPart,
    Elsewhere,
}

/// Rows of a table, and the columns to show with their labels.
pub(super) struct Excerpt {
    pub(super) table: Table,
    pub(super) columns: &'static [(&'static str, &'static str)],
}

/// One question. `text` and `not` are HTML.
pub(super) struct Answer {
    pub(super) question: &'static str,
    pub(super) state: State,
    pub(super) text: String,
    pub(super) not: &'static str,
    pub(super) excerpt: Option<Excerpt>,
    pub(super) files: Vec<&'static str>,
}

impl Answer {
    fn new(question: &'static str, state: State, text: String) -> Self {
        Self {
            question,
            state,
            text,
            not: "",
            excerpt: None,
            files: Vec::new(),
        }
    }

    fn not(mut self, not: &'static str) -> Self {
        self.not = not;
        self
    }

    fn showing(mut self, table: Table, columns: &'static [(&'static str, &'static str)]) -> Self {
        self.excerpt = Some(Excerpt { table, columns });
        self
    }

    fn files(mut self, files: &[&'static str]) -> Self {
        self.files = files.to_vec();
        self
    }
}

fn by_name(counts: &BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    let each = counts.iter();
    let each: Vec<String> = each
        .map(|(name, count)| format!("{} {}", escape(name), grouped(*count)))
        .collect();
    each.join(", ")
}

pub(super) fn all(facts: &Facts<'_>) -> Vec<Answer> {
    vec![
        complete(facts),
        altered(facts),
        verifier(),
        accountable(facts),
        approved(facts),
        requester(facts),
        policy(facts),
        round(),
        masked(facts),
        leak(facts),
        clocks(facts),
        failed(facts),
        reviewed(facts),
        break_glass(),
        retention(),
    ]
}

fn complete(facts: &Facts<'_>) -> Answer {
    let totals = facts.totals;
    let redacted = if totals.leaves_redacted == 0 {
        "every one of them as its entry".to_owned()
    } else {
        let hashes = grouped(totals.leaves_redacted);
        format!("{hashes} of them, about other targets, as hashes")
    };
    let text = format!(
        "Of what passed the gateway, yes. The period is the leaves {} up to {} between two signed checkpoints with a proof of consistency; \
         all {} are here, {redacted}. A living gateway writes an entry a minute, so an outage is a visible gap: {}.",
        grouped(totals.first_leaf),
        grouped(totals.end_leaf),
        grouped(totals.leaves),
        count(
            facts.rows(Table::Gaps),
            "time without entries",
            "times without entries"
        ),
    );
    Answer::new("Is the population complete?", State::Answered, text)
        .not(
            "what did not pass the gateway (question 8). Nothing reconciles this with the targets' own logs yet.",
        )
        .showing(
            Table::Gaps,
            &[
                ("kind", "Gap"),
                ("from", "From"),
                ("to", "To"),
                ("seconds", "Seconds"),
            ],
        )
        .files(&[
            layout::TOTALS,
            Table::Gaps.path(),
            layout::CONSISTENCY,
            layout::QUERY,
        ])
}

fn altered(facts: &Facts<'_>) -> Answer {
    let text = format!(
        "Not without it showing. Every entry is a leaf of a Merkle tree; every checkpoint from the start of the period to its end is here and \
         signed; {} the approvers' own signatures, which the gateway cannot make.",
        count(
            facts.rows(Table::Verdicts),
            "verdict carries",
            "verdicts carry"
        ),
    );
    Answer::new("Could an administrator have altered this?", State::InPart, text)
        .not(
            "no witness cosigns the checkpoints and no external timestamp is on them. Whoever holds the log's key could have written another log \
             from its beginning. Compare with a checkpoint that you were shown earlier: the two must be consistent.",
        )
        .files(&[
            layout::CHECKPOINT,
            layout::CHECKPOINTS,
            layout::CONSISTENCY,
            layout::MANIFEST,
        ])
}

fn verifier() -> Answer {
    let text = "You need not. The formats are C2SP tlog-tiles and signed notes, DSSE, SSHSIG and CSV. verify/VERIFY.txt has commands that run as \
                they stand with Python's standard library, OpenSSL and ssh-keygen, and come to the same result."
        .to_owned();
    Answer::new("Why trust your verifier?", State::Answered, text)
        .not("those commands check the log, not the tables; to make the tables again from the entries, use countersign-verify or write it anew.")
        .files(&[layout::VERIFY, layout::LOG_KEY, layout::SIGNERS])
}

fn accountable(facts: &Facts<'_>) -> Answer {
    let text = format!(
        "Every session belongs to a human, and to the agent that acted for this human, as the identity provider's token says: {} over {}. \
         {} stand in the log, the refused ones too.",
        count(
            facts.rows(Table::Principals),
            "pair of agent and human",
            "pairs of agent and human"
        ),
        count(facts.rows(Table::Sessions), "session", "sessions"),
        count(facts.rows(Table::Authentications), "login", "logins"),
    );
    Answer::new("Which human is accountable?", State::Answered, text)
        .not("the tokens are not kept, only what finds them again at their issuer.")
        .showing(
            Table::Principals,
            &[
                ("agent", "Agent"),
                ("human", "Acts for"),
                ("issuer", "Vouched for by"),
                ("sessions", "Sessions"),
            ],
        )
        .files(&[
            Table::Principals.path(),
            Table::Authentications.path(),
            Table::Sessions.path(),
        ])
}

fn approved(facts: &Facts<'_>) -> Answer {
    let text = format!(
        "{} led to {}; {} on an approval. Each verdict is signed over the digest of the exact bytes and parameters, the identity that asked, the \
         target, the policy version and the expiry; it stands in the log before the command, and is used once.",
        facts.rows_of(Table::Approvals, "request", "requests"),
        facts.rows_of(Table::Verdicts, "signed verdict", "signed verdicts"),
        count(
            facts.totals.permitted_with_approval,
            "command ran",
            "commands ran"
        ),
    );
    let question = "Who approved, before execution, with what scope and expiry?";
    Answer::new(question, State::Answered, text)
        .not("that a policy demanded an approval is not recomputed here (question 7).")
        .showing(
            Table::Approvals,
            &[
                ("approval", "Approval"),
                ("tag", "Command"),
                ("human", "Asked by"),
                ("gates", "Needed"),
                ("approved_by", "Yes"),
                ("denied_by", "No"),
                ("expires", "Expires"),
                ("state", "Became"),
            ],
        )
        .files(&[
            Table::Approvals.path(),
            Table::Verdicts.path(),
            layout::SIGNERS,
        ])
}

fn requester(facts: &Facts<'_>) -> Answer {
    let violations = facts.rows(Table::SodViolations);
    let found = if violations == 0 {
        "It happened in no verdict of this period".to_owned()
    } else {
        let verdicts = count(violations, "verdict", "verdicts");
        format!(
            "It happened nevertheless in {verdicts}: the log holds what the gateway should have refused"
        )
    };
    let text = format!(
        "The gateway refuses it, for the person who asked and for the human behind an agent; a quorum counts distinct people and distinct keys. \
         {found}."
    );
    Answer::new("Could the requester approve?", State::Answered, text)
        .not("that two names are two people is the identity provider's word.")
        .showing(
            Table::SodMatrix,
            &[
                ("requester", "Asked"),
                ("agent", "Through"),
                ("approver", "Decided"),
                ("verdict", "Verdict"),
                ("count", "Times"),
            ],
        )
        .files(&[Table::SodMatrix.path(), Table::SodViolations.path()])
}

fn policy(facts: &Facts<'_>) -> Answer {
    let kept = count(facts.policies.files.len() as u64, "file", "files");
    let missing = facts.policies.missing as u64;
    let (state, missing) = if missing == 0 {
        (State::Answered, "none is missing".to_owned())
    } else {
        (
            State::InPart,
            count(
                missing,
                "is known by its digest alone",
                "are known by their digests alone",
            ),
        )
    };
    let text = format!(
        "Every command names the version it was decided under, and the log has every change of it. The policies themselves are here, {kept}, as \
         they were in force; {missing}."
    );
    Answer::new("Which policy was in force at that second?", state, text)
        .not("the decisions are not made again; the files are here, and Cedar is public.")
        .showing(
            Table::PolicyHistory,
            &[
                ("at", "When"),
                ("event", "What"),
                ("policy", "Version"),
                ("file", "File"),
                ("error", "Refused because"),
            ],
        )
        .files(&[Table::PolicyHistory.path(), Table::ConfigHashes.path()])
}

fn round() -> Answer {
    let text = "The log alone cannot tell. It shows what passed the gateway; a connection that did not pass left nothing here.".to_owned();
    Answer::new("Could anyone go round the gateway?", State::Elsewhere, text)
        .not("network rules, other accounts of the targets, and the targets' own logs must be examined.")
        .files(&[layout::UNLOGGED, layout::TARGETS])
}

fn masked(facts: &Facts<'_>) -> Answer {
    let totals = facts.totals;
    let text = format!(
        "Values masked or withheld, by class: {}. Values shown because a policy reveals them: {}. Each with its rule and place; never the value, \
         but a keyed commitment to it.",
        by_name(&totals.masked_values_by_class),
        by_name(&totals.revealed_values_by_class)
    );
    Answer::new("Was the data masked on the wire?", State::InPart, text)
        .not("that nothing protected was overlooked cannot be proved; the recordings hold what was shown, so it can be looked for.")
        .files(&[
            Table::Detections.path(),
            Table::Reveals.path(),
            layout::MASK_RULES,
        ])
}

fn leak(facts: &Facts<'_>) -> Answer {
    let text = format!(
        "Tables hold names, counts and digests. Texts of commands and transcripts are here for the drawn sessions only ({} were to be drawn), \
         as they rest: masked before they were written. Recordings are sealed. Digests of commands are salted, and the salt of a masked command \
         is not here.",
        facts.period.samples
    );
    Answer::new("Does the evidence itself leak data?", State::InPart, text)
        .not(
            "what is of no declared or detected class stands in transcripts as the client saw it: handle samples/ accordingly.",
        )
        .files(&[layout::METHOD])
}

fn clocks(facts: &Facts<'_>) -> Answer {
    let text = format!(
        "Their order is proved by the log: {} entries, none of which may lie more than 60 seconds before one that stands ahead of it; \
         verification fails where one does.",
        grouped(facts.totals.leaves_here)
    );
    Answer::new("Are the clocks right?", State::InPart, text)
        .not("the time itself is that of the gateway's host, and no outside clock vouches for it.")
        .files(&[layout::TIME])
}

fn failed(facts: &Facts<'_>) -> Answer {
    let text = format!(
        "No command is sent before its entry is written (durability: {}); where the log cannot be written, commands are refused. {} Commands that ended, by how: \
         {}. Refusals, by reason: {}.",
        escape(
            &facts
                .durabilities
                .iter()
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        ),
        match facts.rows(Table::Exceptions) {
            0 => "The period has no exception.".to_owned(),
            many => format!(
                "The period has {}, among them every command without an outcome and every start without a stop.",
                count(many, "exception", "exceptions")
            ),
        },
        by_name(&facts.totals.outcomes_by_status),
        by_name(&facts.totals.refusals_by_code)
    );
    Answer::new("What happened when logging failed?", State::Answered, text)
        .showing(
            Table::Exceptions,
            &[
                ("at", "When"),
                ("kind", "Kind"),
                ("subject", "Of"),
                ("detail", "What"),
            ],
        )
        .files(&[Table::Exceptions.path(), Table::ConfigHashes.path()])
}

fn reviewed(facts: &Facts<'_>) -> Answer {
    let text = format!(
        "Watching a replay needs a reason and is an entry, and so is building a bundle: {}.",
        facts.rows_of(Table::Replays, "entry", "entries")
    );
    let question = "Who reviewed, how fast, and what followed?";
    Answer::new(question, State::InPart, text)
        .not("what a review found, how long it took and what followed are not kept by the gateway.")
        .showing(
            Table::Replays,
            &[
                ("at", "When"),
                ("what", "What"),
                ("human", "Who"),
                ("reason", "Why"),
            ],
        )
        .files(&[Table::Replays.path()])
}

fn break_glass() -> Answer {
    let text = "There is none in this version: nothing passes a gate without approval, for nobody."
        .to_owned();
    Answer::new("Every break-glass and its review?", State::Answered, text)
        .not("accounts of the targets that do not belong to the gateway (question 8).")
}

fn retention() -> Answer {
    let text = "The log deletes nothing. A recording is disposed of by destroying its key, and every proof still holds; a drawn session whose \
                recording is gone says so in its sample.json."
        .to_owned();
    Answer::new("Retention, holds and disposal?", State::InPart, text)
        .not("retention periods, legal holds and destructions are not entries yet: ask for the organisation's schedule.")
        .files(&[layout::RETENTION])
}
