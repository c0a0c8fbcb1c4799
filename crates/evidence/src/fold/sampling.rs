//! The draw: which sessions an examiner is shown whole. Repeatable by anybody with the seed.
//!
//! Every session that began in the period belongs to one stratum, the first that fits: it ran something on an approval; it was
//! refused something; something was masked for it; none of these. Within a stratum sessions are ranked by
//! SHA-256(seed ‖ 0x00 ‖ session id), smallest first. The sample takes the strata in turn, the next of each, until it has its
//! size or there is no session left.

use std::collections::BTreeMap;

use model::Digest;
use serde::{Deserialize, Serialize};

use super::sessions::Session;

/// A sample has at most so many sessions.
pub(crate) const SAMPLES_MAX: usize = 1_000;
/// Leaves of approvals kept for one session.
const APPROVALS_MAX: usize = 256;

/// Why a session is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stratum {
    Approved,
    Refused,
    Masked,
    Ordinary,
}

impl Stratum {
    const ALL: [Self; 4] = [Self::Approved, Self::Refused, Self::Masked, Self::Ordinary];
}

/// The first leaf of each kind in a session.
#[derive(Debug)]
pub(crate) struct Marks {
    pub(super) opened: u64,
    pub(super) approved: Option<u64>,
    pub(super) refused: Option<u64>,
    pub(super) masked: Option<u64>,
    approvals: Vec<u64>,
}

impl Marks {
    pub(super) fn new(opened: u64) -> Self {
        Self {
            opened,
            approved: None,
            refused: None,
            masked: None,
            approvals: Vec::new(),
        }
    }

    pub(super) fn approvals(&mut self, leaves: &[u64]) {
        for leaf in leaves {
            if self.approvals.len() < APPROVALS_MAX && !self.approvals.contains(leaf) {
                self.approvals.push(*leaf);
            }
        }
    }

    fn stratum(&self) -> (Stratum, u64) {
        match (self.approved, self.refused, self.masked) {
            (Some(leaf), ..) => (Stratum::Approved, leaf),
            (_, Some(leaf), _) => (Stratum::Refused, leaf),
            (.., Some(leaf)) => (Stratum::Masked, leaf),
            _ => (Stratum::Ordinary, self.opened),
        }
    }
}

/// A session that was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub(crate) session: String,
    pub(crate) stratum: Stratum,
    pub(crate) rank: Digest,
    /// The leaf for which it is in its stratum.
    pub(crate) event: u64,
    pub(crate) first_leaf: u64,
    pub(crate) last_leaf: u64,
    pub(crate) protocol: String,
    /// The leaves of the approvals it asked for or used.
    pub(crate) approvals: Vec<u64>,
}

/// The draw as it goes on: of each stratum, the first by rank.
#[derive(Debug)]
pub(crate) struct Draw {
    seed: String,
    size: usize,
    strata: BTreeMap<Stratum, BTreeMap<(Digest, u64), Drawn>>,
    populations: BTreeMap<Stratum, u64>,
}

impl Draw {
    pub(super) fn new(seed: String, size: usize) -> Self {
        Self {
            seed,
            size: size.min(SAMPLES_MAX),
            strata: BTreeMap::new(),
            populations: BTreeMap::new(),
        }
    }

    pub(super) fn offer(&mut self, session: Session) {
        let name = session.opened.session;
        let (stratum, event) = session.marks.stratum();
        let rank = Digest::of(&[self.seed.as_bytes(), &[0], name.as_bytes()]);
        let mut approvals = session.marks.approvals;
        approvals.sort_unstable();
        let drawn = Drawn {
            session: name,
            stratum,
            rank,
            event,
            first_leaf: session.leaf,
            last_leaf: session.last_leaf,
            protocol: session.opened.protocol,
            approvals,
        };
        *self.populations.entry(stratum).or_default() += 1;
        let ranked = self.strata.entry(stratum).or_default();
        ranked.insert((rank, session.leaf), drawn);
        if ranked.len() > self.size {
            ranked.pop_last();
        }
    }

    /// How many sessions each stratum has.
    pub(crate) fn populations(&self) -> &BTreeMap<Stratum, u64> {
        &self.populations
    }

    /// The sample, in the order in which it is drawn.
    pub(crate) fn sample(&self) -> Vec<Drawn> {
        let mut queues: Vec<_> = Stratum::ALL
            .iter()
            .filter_map(|stratum| self.strata.get(stratum))
            .map(|ranked| ranked.values())
            .collect();
        let mut sample = Vec::new();
        while sample.len() < self.size {
            let before = sample.len();
            for queue in &mut queues {
                if sample.len() < self.size {
                    sample.extend(queue.next().cloned());
                }
            }
            if sample.len() == before {
                break;
            }
        }
        sample
    }
}
