//! What goes into a recording. Everything in it is already as it may rest.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Denial, Outcome};

/// Something that happened in a session, as its recording keeps it. `seq` counts the session's commands from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The client asked this (as [`crate::Command::shown`]).
    Asked {
        /// Which command.
        seq: u64,
        /// Its tag.
        tag: Arc<str>,
        /// Its text, masked.
        text: Bytes,
        /// Its parameters, masked; `None` is NULL.
        parameters: Vec<Option<String>>,
    },
    /// The client was shown this: protocol bytes, after masking.
    Shown(Bytes),
    /// The client put this in (COPY data), masked.
    Put(Bytes),
    /// People were asked about a command.
    Held {
        /// Which command.
        seq: u64,
        /// The approval.
        held: Held,
    },
    /// A command was allowed.
    Allowed {
        /// Which command.
        seq: u64,
        /// The index of its intent in the ledger.
        intent: u64,
    },
    /// A command was refused.
    Refused {
        /// Which command.
        seq: u64,
        /// Why.
        denial: Denial,
    },
    /// A command ended.
    Ended {
        /// Which command.
        seq: u64,
        /// How.
        outcome: Outcome,
    },
}

/// People are being asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The approval's id.
    pub approval: String,
    /// A sentence for the client: who is asked, how to approve, how long it waits.
    pub message: String,
}
