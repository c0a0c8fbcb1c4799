//! The files of a sample, as both sides know them.

use std::collections::BTreeMap;

use model::{Digest, MaskFact};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{json, layout};
use crate::fold::Period;
use crate::fold::sampling::{Draw, Stratum};

/// What [`Sample::recording`] says of a recording that is here.
pub(crate) const PRESENT: &str = "present";

/// What [`Sample::content`] says where there is a whole transcript.
pub(crate) const OPEN: &str = "open";

/// The first line of a sample's `commands.csv`.
pub(crate) const COMMANDS_HEADER: &str =
    "leaf,at,seq,decision,tag,text,parameters,masked,cut,digest,salt\r\n";

const METHOD: &str = "Each session that began in the period belongs to the first stratum that fits: approved (it ran something on an \
approval), refused (it was refused something), masked (something was masked for it), ordinary. Within a stratum sessions are \
ranked by SHA-256(seed, a zero byte, session id), smallest first. The sample takes the strata in turn, the next of each, until it \
has its size or no session is left.";

/// `samples/method.json`.
#[derive(Serialize)]
struct Method<'a> {
    method: &'static str,
    seed: &'a str,
    size: usize,
    population: &'a BTreeMap<Stratum, u64>,
    drawn: Vec<DrawnLine>,
}

#[derive(Serialize)]
struct DrawnLine {
    folder: String,
    session: String,
    stratum: Stratum,
    rank: Digest,
}

/// The text of `samples/method.json`.
pub(crate) fn method(period: &Period, draw: &Draw) -> String {
    let lines = (1..).zip(draw.sample()).map(|(number, one)| DrawnLine {
        folder: layout::sample(number),
        session: one.session,
        stratum: one.stratum,
        rank: one.rank,
    });
    json(&Method {
        method: METHOD,
        seed: &period.seed,
        size: period.samples,
        population: draw.populations(),
        drawn: lines.collect(),
    })
}

/// `sample.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sample {
    pub(crate) session: String,
    pub(crate) stratum: Stratum,
    pub(crate) rank: Digest,
    /// The leaf for which it is in its stratum: `event.json`.
    pub(crate) event_leaf: u64,
    pub(crate) first_leaf: u64,
    pub(crate) last_leaf: u64,
    /// [`PRESENT`], or why it is not.
    pub(crate) recording: String,
    pub(crate) chunks: u64,
    /// `open`, or why texts or the transcript are not here.
    pub(crate) content: String,
}

/// An entry with its place, in `approval.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Placed {
    pub(crate) leaf: u64,
    pub(crate) leaf_hash: String,
    pub(crate) entry: Box<RawValue>,
}

#[derive(Serialize)]
struct Masks<'a> {
    leaf: u64,
    intent: u64,
    masks: &'a [MaskFact],
}

/// What one outcome adds to `masking.json`.
pub(crate) fn mask_line(first: &mut bool, leaf: u64, intent: u64, masks: &[MaskFact]) -> String {
    let open = if std::mem::take(first) { "[" } else { "," };
    format!(
        "{open}\n{}",
        serde_json::to_string(&Masks {
            leaf,
            intent,
            masks
        })
        .unwrap_or_default()
    )
}

/// The end of `masking.json`.
pub(crate) fn masks_end(first: bool) -> &'static str {
    if first { "[]\n" } else { "\n]\n" }
}
