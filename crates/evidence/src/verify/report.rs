//! What a verification found.

use ledger::Checkpoint;
use serde::Serialize;

use crate::bundle::Defect;
use crate::fold::Period;

/// Good, bad, or not to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything that was checked holds.
    #[default]
    Good,
    /// Something does not hold.
    Bad,
    /// It is no bundle, or cannot be read.
    Unreadable,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// What holds; or what does not.
    pub detail: String,
    /// Where it does not: a file of the bundle, or a leaf.
    pub place: String,
}

/// Everything that was checked, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// All in all.
    pub verdict: Verdict,
    /// What was checked.
    pub checks: Vec<Check>,
    /// What cannot be decided here, and should be known.
    pub notes: Vec<String>,
    /// What the bundle is of, line by line, as name and value.
    pub about: Vec<(String, String)>,
}

impl Report {
    /// The checks that do not hold.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.ok)
    }

    pub(super) fn check(&mut self, name: &str, checked: Result<String, Defect>) {
        let ok = checked.is_ok();
        if !ok {
            self.verdict = Verdict::Bad;
        }
        let (detail, place) = match checked {
            Ok(detail) => (detail, String::new()),
            Err(Defect { place, why }) => (why, place),
        };
        self.checks.push(Check {
            name: name.to_owned(),
            ok,
            detail,
            place,
        });
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn unreadable(&mut self, why: &str) {
        self.check("container", Err(Defect::new("", why)));
        self.verdict = Verdict::Unreadable;
    }

    pub(super) fn about(&mut self, end: &Checkpoint, period: &Period, key: String) {
        let mut say = |name: &str, value: String| self.about.push((name.to_owned(), value));
        say("log", end.origin().to_owned());
        say("key", key);
        say("period", format!("{} to {}", period.from, period.to));
        say(
            "targets",
            period.target.clone().unwrap_or_else(|| "all".to_owned()),
        );
        say(
            "leaves",
            format!(
                "{} to {}, {} in all",
                period.first,
                period.end,
                period.end - period.first
            ),
        );
        say("root", end.root().to_base64());
    }
}
