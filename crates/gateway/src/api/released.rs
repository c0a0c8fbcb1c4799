//! Whether a value was in what a session was shown. The ledger holds no value, but keyed commitments to those that were found: who
//! names a value, and may use the session's key, is told whether it is one of them.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, State};
use ledger::Reader;
use mask::{COMMITMENTS_MAX, COMMITMENTS_PER_FACT_MAX, CommitmentKey, LOOK_CHARS_MAX};
use model::{DataClass, Entry, Event, MaskFact, Timestamp};
use serde::{Deserialize, Serialize};

use super::auth::Caller;
use super::body::blocking;
use super::sessions::{ReplayQuery, watch};
use super::{Api, ApiError, Shared};
use crate::record::commitments;

/// What a fact says was done with a value that policy revealed.
const REVEAL: &str = "reveal";

/// `POST /v1/sessions/{id}/released`: in the body, so that the value stands in no address. It is not kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedBody {
    /// The value.
    pub value: String,
    /// Why it is asked, in the words of who asks; it stands in the ledger. 1 to 500 bytes.
    pub reason: String,
}

/// The answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReleasedView {
    /// Whether it was shown as it is.
    pub released: bool,
    /// Where it was found, in the order of the answers.
    pub found: Vec<ReleasedFact>,
    /// In the answers to so many commands there may have been more values than are committed to (64 for a fact, 256 for a command):
    /// that it is not among those found there proves nothing. So it is where a value was hidden that could not be read.
    pub uncertain: usize,
}

/// An answer in which the value was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReleasedFact {
    /// The number of the command in the session; 0 for what was found where no command was answered.
    pub seq: u64,
    /// When it ended.
    pub at: Timestamp,
    /// The leaf of its outcome in the ledger.
    pub leaf: u64,
    /// As what it was found.
    pub class: DataClass,
    /// What found it.
    pub rule: String,
    /// Where.
    pub place: String,
    /// What was done with it: `reveal`, or how it was hidden.
    pub strategy: String,
}

/// Answers. That it was asked is durable in the ledger before.
pub(super) async fn released(
    State(api): Shared,
    caller: Caller,
    Path(session): Path<String>,
    Json(ReleasedBody { value, reason }): Json<ReleasedBody>,
) -> Result<Json<ReleasedView>, ApiError> {
    if value.trim().is_empty() {
        return Err(ApiError::Invalid("the value is empty".to_owned()));
    }
    watch(&api, caller, &session, ReplayQuery { reason }).await?;
    blocking(move || Ok(Json(search(&api, &session, &value)?))).await
}

fn search(api: &Api, session: &str, value: &str) -> Result<ReleasedView, ApiError> {
    let key = api.recordings.session_key(session)?;
    let asked = Asked::new(CommitmentKey::new(commitments(&key).as_ref()), value);
    let reader = Reader::open(&api.ledger, None).map_err(|error| ApiError::internal(&error))?;
    let mut seqs = HashMap::new();
    let (mut found, mut uncertain) = (Vec::new(), 0);
    for leaf in api.store.leaves(session)? {
        let Some(Ok((_, bytes))) = reader.entries(leaf..leaf + 1).next() else {
            continue;
        };
        match Entry::decode(&bytes) {
            Ok(Entry {
                event: Event::Intent(intent),
                ..
            }) => drop(seqs.insert(leaf, intent.seq)),
            Ok(Entry {
                at,
                event: Event::Outcome {
                    intent, outcome, ..
                },
            }) => {
                uncertain += usize::from(is_uncertain(&outcome.masks));
                let seq = seqs.get(&intent).copied().unwrap_or_default();
                let facts = outcome.masks.into_iter().filter(|fact| asked.is_in(fact));
                found.extend(facts.map(|fact| told(seq, at, leaf, fact)));
            }
            Ok(Entry {
                at,
                event: Event::SessionClosed { masks, .. },
            }) => {
                // Of no command, but of the session.
                uncertain += usize::from(is_uncertain(&masks));
                let facts = masks.into_iter().filter(|fact| asked.is_in(fact));
                found.extend(facts.map(|fact| told(0, at, leaf, fact)));
            }
            _ => {}
        }
    }
    Ok(ReleasedView {
        released: found.iter().any(|fact| fact.strategy == REVEAL),
        found,
        uncertain,
    })
}

fn told(seq: u64, at: Timestamp, leaf: u64, fact: MaskFact) -> ReleasedFact {
    ReleasedFact {
        seq,
        at,
        leaf,
        class: fact.class,
        rule: fact.rule,
        place: fact.place,
        strategy: fact.strategy,
    }
}

/// Whether more values may have been found than are committed to: of a fact without commitments nobody read the values.
fn is_uncertain(masks: &[MaskFact]) -> bool {
    let counts = || masks.iter().map(|fact| fact.commitments.len());
    counts().sum::<usize>() >= COMMITMENTS_MAX
        || counts().any(|it| it == 0 || it >= COMMITMENTS_PER_FACT_MAX)
}

/// A value that is asked for.
struct Asked {
    key: CommitmentKey,
    /// As the types that it may be of write it, and as much of it as is looked at where it is long.
    spellings: Vec<Vec<u8>>,
}

impl Asked {
    fn new(key: CommitmentKey, value: &str) -> Self {
        let mut spellings = protocols::postgres::rows::spellings(value);
        let end = value.char_indices().nth(LOOK_CHARS_MAX);
        let looked_at = end.and_then(|(end, _)| value.get(..end));
        spellings.extend(looked_at.map(|text| text.as_bytes().to_vec()));
        Self { key, spellings }
    }

    fn is_in(&self, fact: &MaskFact) -> bool {
        self.spellings.iter().any(|value| {
            let commitment = self.key.commit(&fact.class, value).to_string();
            fact.commitments.contains(&commitment)
        })
    }
}
