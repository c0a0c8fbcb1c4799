//! What became of a command: counts, rules and commitments, never values.

use serde::{Deserialize, Serialize};

use crate::{DataClass, DenialCode};

/// How a permitted command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How.
    pub status: Status,
    /// Rows shown to the client.
    pub rows: u64,
    /// Bytes of protocol shown to the client.
    pub bytes: u64,
    /// What the upstream called it, such as `UPDATE 3`; empty where it said nothing.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub tag: String,
    /// What was masked or withheld.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub masks: Vec<MaskFact>,
    /// Whether the upstream failed in passing (it was not reached, or says that it is busy or broken itself): the same command may
    /// be sent again by the approval that it ran by, up to [`SENDINGS_MAX`](crate::SENDINGS_MAX) times in all.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub again: bool,
}

impl Outcome {
    /// An outcome with nothing shown.
    #[must_use]
    pub fn bare(status: Status) -> Self {
        Self {
            status,
            rows: 0,
            bytes: 0,
            tag: String::new(),
            masks: Vec::new(),
            again: false,
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The upstream carried it out.
    Completed,
    /// The upstream refused it, with this code of its own (a SQLSTATE, an HTTP status).
    Failed(String),
    /// It was never sent, because one before it in the same batch failed.
    Skipped,
    /// The gateway stopped it under way.
    Stopped(DenialCode),
    /// The session ended before it did.
    Aborted,
}

/// Something that was masked or withheld, or seen and shown because policy reveals it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskFact {
    /// The class of data.
    pub class: DataClass,
    /// What found it: `declared`, or a detector's name.
    pub rule: String,
    /// Where: a column as `schema.table.column` or its output name, or `error`, `notice`, `copy`.
    pub place: String,
    /// The declared columns, as `schema.table.column`, of one of which it is a value, or of which it is computed; none where
    /// `place` is that column, and for what detectors found.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub columns: Vec<String>,
    /// What was done: `redact`, `partial`, `null`, `withhold`, `reveal`.
    pub strategy: String,
    /// How often.
    pub count: u64,
    /// Keyed commitments to the values, hexadecimal, up to a limit; the key is beside the recording, never here.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub commitments: Vec<String>,
}
