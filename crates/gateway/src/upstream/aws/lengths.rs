//! How long compressed objects are once they are masked: only their end tells, so it is kept for those who ask again.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use model::DataClass;

/// Lengths are kept up to this many, at some hundred bytes each.
const KEPT_MAX: usize = 4_096;

/// What the length of what is shown of an object depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Of {
    /// Its bucket and key as in a path, and its version where one is asked for.
    pub object: String,
    /// Its own ETag: another content has another.
    pub etag: String,
    /// What policy reveals of it.
    pub reveal: BTreeSet<DataClass>,
    /// Which declaration counts for it.
    pub declared: Option<usize>,
}

/// The lengths that are known.
#[derive(Default)]
pub struct Lengths(Mutex<HashMap<Of, u64>>);

impl Lengths {
    /// The length, where it is known.
    #[must_use]
    pub fn known(&self, of: &Of) -> Option<u64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(of).copied()
    }

    /// Keeps one.
    pub fn keep(&self, of: Of, length: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT_MAX {
            known.clear();
        }
        known.insert(of, length);
    }
}
