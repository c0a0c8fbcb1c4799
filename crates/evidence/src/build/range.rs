//! From times to leaves.

use ledger::{Checkpoint, Reader};
use model::Timestamp;
use serde::Deserialize;

use super::{BuildError, Progress, Request};

/// The range of leaves, between two checkpoints.
pub(super) struct Range {
    pub(super) first: u64,
    /// The checkpoint of size `first`; none where the period starts with the log.
    pub(super) start: Option<Checkpoint>,
    pub(super) end: Checkpoint,
}

/// As much of an entry as is needed here.
#[derive(Deserialize)]
struct When {
    at: Timestamp,
}

/// Finds it: the last checkpoint before which every entry is earlier than `from`, and the first, not before that, that covers
/// every entry earlier than `to`.
pub(super) fn find(
    request: &Request,
    log: &Reader,
    progress: &mut dyn FnMut(Progress),
) -> Result<Range, BuildError> {
    let size = log.checkpoint().size();
    let (mut first, mut end) = (None, 0);
    for item in log.entries(0..size) {
        let (leaf, bytes) = item?;
        let When { at } = serde_json::from_slice(&bytes).map_err(|error| BuildError::Entry {
            leaf,
            why: error.to_string(),
        })?;
        if at >= request.from {
            first.get_or_insert(leaf);
        }
        if at < request.to {
            end = leaf + 1;
        }
        if leaf % 4_096 == 0 {
            progress(Progress::Finding(leaf, size));
        }
    }
    let first = first.unwrap_or(size);
    let (mut start, mut covering): (Option<Checkpoint>, Option<Checkpoint>) = (None, None);
    let newest = log.checkpoint();
    for checkpoint in log.checkpoints()?.chain([Ok(newest.clone())]) {
        let checkpoint = checkpoint?;
        if checkpoint.size() > newest.size() || (checkpoint.size() > first && covering.is_some()) {
            break;
        }
        if checkpoint.size() >= end && covering.is_none() {
            covering = Some(checkpoint.clone());
        }
        if checkpoint.size() <= first {
            start = Some(checkpoint);
        }
    }
    let start = start.filter(|start| start.size() > 0);
    let first = start.as_ref().map_or(0, Checkpoint::size);
    let end = match (covering, &start) {
        (Some(covering), _) if covering.size() >= first => covering,
        // Nothing lies between: the period is empty.
        (Some(_), Some(start)) => start.clone(),
        _ => newest.clone(),
    };
    Ok(Range { first, start, end })
}
