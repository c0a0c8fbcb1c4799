//! Verifying a bundle, offline, trusting nothing that came with it but what it proves.

mod files;
mod leaves;
mod log;
mod report;
mod samples;

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use ledger::{Checkpoint, Hash, Verifier};
use model::{Entry, Event, FileDigest, PolicyVersion, SIGNATURE_NAMESPACE};

use crate::bundle::manifest::Files;
use crate::bundle::reader::{Bundle, NotOpened};
use crate::bundle::{Defect, layout};
use crate::fold::{Done, Finding, Period, Subject};
use crate::signers::{self, People};
use crate::sshsig;
use crate::tree::Frontier;

pub use report::{Check, Report, Verdict};

/// What the examiner knows from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The log's public key. Without it, the one in the bundle is taken, and it is said so.
    pub key: Option<Verifier>,
    /// The text of an OpenSSH `allowed_signers` file. Without it, the one in the bundle is taken, and it is said so.
    pub allowed_signers: Option<String>,
}

/// Verifies a bundle.
#[must_use]
pub fn verify(bundle: impl Read + Seek, options: &Options) -> Report {
    let mut report = Report::default();
    match Bundle::open(bundle) {
        Err(NotOpened::Unreadable(why)) => {
            report.unreadable(&why);
            return report;
        }
        Err(NotOpened::Bad(defect)) => {
            report.check("container", Err(defect));
            return report;
        }
        Ok(bundle) => {
            report.check(
                "container",
                Ok("plain files, each once, nothing between them".to_owned()),
            );
            if let Some(mut run) = Run::begin(bundle, options, &mut report) {
                run.checks();
            }
        }
    }
    report
}

/// A verification under way.
struct Run<'r, R> {
    bundle: Bundle<R>,
    report: &'r mut Report,
    key: Verifier,
    people: People,
    /// Every file as it is.
    actual: Files,
    period: Period,
    /// What the log's checkpoint for the end of the period says, once it is verified.
    end: Option<Checkpoint>,
    /// Roots that checkpoints state, ascending by size.
    roots: Vec<(u64, Hash)>,
    /// The context's leaves.
    context: BTreeMap<u64, Vec<u8>>,
    /// The tree where the entries in the bundle begin.
    seed: Frontier,
    policies: BTreeMap<PolicyVersion, Vec<FileDigest>>,
}

type Checked = Result<String, Defect>;

impl<'r, R: Read + Seek> Run<'r, R> {
    /// Key, manifest, files, period. Without a period there is nothing more to check.
    fn begin(mut bundle: Bundle<R>, options: &Options, report: &'r mut Report) -> Option<Self> {
        let key = key(&mut bundle, options, report)?;
        let people = people(&mut bundle, options, report);
        let actual = files::check(&mut bundle, &key, report);
        let period = bundle.text(layout::QUERY).and_then(|text| {
            serde_json::from_str::<Period>(&text)
                .map_err(|error| Defect::new(layout::QUERY, error.to_string()))
        });
        let period = match period {
            Ok(period) if period.first <= period.end => period,
            Ok(_) => {
                report.check(
                    "period",
                    Err(Defect::new(
                        layout::QUERY,
                        "the period ends before it begins",
                    )),
                );
                return None;
            }
            Err(defect) => {
                report.check("period", Err(defect));
                return None;
            }
        };
        Some(Self {
            bundle,
            report,
            key,
            people,
            actual,
            period,
            end: None,
            roots: Vec::new(),
            context: BTreeMap::new(),
            seed: Frontier::default(),
            policies: BTreeMap::new(),
        })
    }

    fn checks(&mut self) {
        let checked = self.checkpoints();
        self.report.check("checkpoints", checked);
        let checked = self.consistency();
        self.report.check("consistency", checked);
        let checked = self.read_context().and_then(|()| self.tree());
        self.report.check("tree", checked);
        let done = self.leaves();
        let Some(done) = done else { return };
        self.findings(&done);
        let checked = self.totals(&done);
        self.report.check("control totals", checked);
        let checked = self.policy_files();
        self.report.check("policies", checked);
        self.samples(&done);
        self.covered(&done);
    }

    /// What the pass over the leaves found.
    fn findings(&mut self, done: &Done) {
        let totals = &done.totals;
        let good = [
            (
                Subject::Entries,
                "entries",
                format!(
                    "{} entries in order; {} permitted commands settled at most once, {} refused",
                    totals.leaves_here, totals.permitted, totals.refused
                ),
            ),
            (
                Subject::Approvals,
                "approvals",
                format!(
                    "{} commands ran on exactly what was approved, before they ran",
                    totals.permitted_with_approval
                ),
            ),
            (
                Subject::Signatures,
                "people's signatures",
                "every verdict is signed by a key of who gave it".to_owned(),
            ),
            (
                Subject::Recordings,
                "recordings in the log",
                "chunks in order, none missing where a session closed".to_owned(),
            ),
        ];
        for (subject, name, detail) in good {
            let mut found = done
                .findings
                .iter()
                .filter(|finding| finding.subject == subject);
            let checked = match found.next() {
                None => Ok(detail),
                Some(Finding { leaf, why, .. }) => {
                    let more = found.count();
                    let more = if more > 0 {
                        format!(" (and {more} more)")
                    } else {
                        String::new()
                    };
                    Err(Defect::new(format!("leaf {leaf}"), format!("{why}{more}")))
                }
            };
            self.report.check(name, checked);
        }
        if done.findings_beyond > 0 {
            self.report.note(format!(
                "{} findings beyond the first were not kept",
                done.findings_beyond
            ));
        }
    }

    /// What cannot be decided here, and should be known.
    fn covered(&mut self, done: &Done) {
        let totals = &done.totals;
        let gaps = totals
            .rows_by_table
            .get("exceptions/gaps_outages.csv")
            .copied()
            .unwrap_or(0);
        let exceptions = totals
            .rows_by_table
            .get("exceptions/exceptions.csv")
            .copied()
            .unwrap_or(0);
        if gaps > 0 {
            self.report.note(format!(
                "{gaps} times without entries: exceptions/gaps_outages.csv"
            ));
        }
        if exceptions > 0 {
            self.report.note(format!(
                "{exceptions} exceptions to look at: exceptions/exceptions.csv"
            ));
        }
        if totals.leaves_redacted > 0 {
            let redacted = totals.leaves_redacted;
            self.report.note(format!(
                "{redacted} leaves are here as hashes only; what they hold is not evidence here"
            ));
        }
        self.report.note("no witness and no external timestamp: compare the checkpoint with one you were shown before".to_owned());
        if let Some(end) = &self.end {
            self.report.about(end, &self.period, self.key.to_string());
        }
    }

    fn note_policies(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Started(started) => drop(
                self.policies
                    .insert(started.policy, started.policy_files.clone()),
            ),
            Event::PolicyActivated { policy, files } => {
                drop(self.policies.insert(*policy, files.clone()))
            }
            _ => {}
        }
    }
}

/// The key to trust: the one given, or the bundle's.
fn key<R: Read + Seek>(
    bundle: &mut Bundle<R>,
    options: &Options,
    report: &mut Report,
) -> Option<Verifier> {
    let inside = bundle.text(layout::LOG_KEY).and_then(|text| {
        Verifier::parse(text.trim_end())
            .map_err(|error| Defect::new(layout::LOG_KEY, error.to_string()))
    });
    match (&options.key, inside) {
        (None, Ok(inside)) => {
            report.check("key", Ok("taken from the bundle".to_owned()));
            report.note(format!(
                "no --key was given, so this says only that the bundle agrees with itself; its key is {inside}: compare it with the one \
                 that the log's operator published"
            ));
            Some(inside)
        }
        (Some(given), Ok(inside)) if *given == inside => {
            report.check("key", Ok(format!("the one given: {given}")));
            Some(inside)
        }
        (Some(given), Ok(inside)) => {
            let why = format!("the key differs: the bundle has {inside}, and {given} was given");
            report.check("key", Err(Defect::new(layout::LOG_KEY, why)));
            Some(given.clone())
        }
        (given, Err(defect)) => {
            report.check("key", Err(defect));
            given.clone()
        }
    }
}

/// Whose signature is whose: as given, or as in the bundle.
fn people<R: Read + Seek>(
    bundle: &mut Bundle<R>,
    options: &Options,
    report: &mut Report,
) -> People {
    let (place, text) = match &options.allowed_signers {
        Some(text) => ("the file given with --allowed-signers", Ok(text.clone())),
        None => (layout::SIGNERS, bundle.text(layout::SIGNERS)),
    };
    let people = text.and_then(|text| signers::read(&text).map_err(|why| Defect::new(place, why)));
    match people {
        Ok(people) => {
            report.check(
                "people's keys",
                Ok(format!("of {} people, from {place}", people.len())),
            );
            if options.allowed_signers.is_none() {
                for (name, keys) in &people {
                    let prints: Vec<String> = keys
                        .iter()
                        .filter_map(|key| sshsig::fingerprint(key).ok())
                        .collect();
                    report.note(format!(
                        "from the bundle, to compare with {name}: {}",
                        prints.join(", ")
                    ));
                }
            }
            people
        }
        Err(defect) => {
            report.check("people's keys", Err(defect));
            People::new()
        }
    }
}

/// Whether `name` signed this approval.
fn signed_by(people: &People, name: &str, statement: &str, signature: &str) -> Result<(), String> {
    let keys = people.get(name).map(Vec::as_slice).unwrap_or_default();
    sshsig::verify(keys, SIGNATURE_NAMESPACE, statement.as_bytes(), signature)
        .map(drop)
        .map_err(|error| error.to_string())
}
