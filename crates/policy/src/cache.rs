//! Decisions by all they depend on. A set of policies never changes, so neither does what it decided.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, PoisonError};

use model::{Decision, Digest};

/// At most so many decisions are kept.
pub const DECISIONS_MAX: usize = 16_384;
const SHARDS: usize = 16;
/// Each shard has two generations: the young one, and the one before it.
const GENERATION_MAX: usize = DECISIONS_MAX / SHARDS / 2;

/// What a decision depends on, besides the policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key<'a> {
    pub(crate) identity: Digest,
    pub(crate) asks: Digest,
    pub(crate) target: &'a str,
    pub(crate) protocol: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
    pub(crate) approved: &'a BTreeSet<String>,
}

pub(crate) struct Kept {
    identity: Digest,
    asks: Digest,
    target: String,
    protocol: String,
    labels: BTreeMap<String, String>,
    approved: BTreeSet<String>,
    decision: Arc<Decision>,
}

#[derive(Default)]
pub(crate) struct Shard {
    young: HashMap<u64, Kept>,
    old: HashMap<u64, Kept>,
}

pub(crate) struct Cache {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
}

impl Cache {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    /// The decision for `key`; made by `decide` where it is not kept.
    pub(crate) fn get(&self, key: Key<'_>, decide: impl FnOnce() -> Decision) -> Arc<Decision> {
        let hash = self.hasher.hash_one(key);
        // The map uses the low bits.
        let shard = self.shards.get((hash >> 60) as usize % SHARDS);
        if let Some(found) = shard.and_then(|shard| lock(shard).find(hash, &key)) {
            return found;
        }
        let decision = Arc::new(decide());
        if let Some(shard) = shard {
            lock(shard).put(hash, Kept::new(&key, Arc::clone(&decision)));
        }
        decision
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard>| {
            let shard = lock(shard);
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(count).sum()
    }
}

/// A shard holds whole entries at every moment, so a panic elsewhere cannot have spoiled it.
fn lock(shard: &Mutex<Shard>) -> std::sync::MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    /// A hit in the old generation moves to the young one. Two keys with one hash take turns; neither gets the other's.
    pub(crate) fn find(&mut self, hash: u64, key: &Key<'_>) -> Option<Arc<Decision>> {
        if let Some(kept) = self.young.get(&hash) {
            return kept.is(key).then(|| Arc::clone(&kept.decision));
        }
        let kept = self.old.remove(&hash)?;
        if !kept.is(key) {
            return None;
        }
        let decision = Arc::clone(&kept.decision);
        self.put(hash, kept);
        Some(decision)
    }

    pub(crate) fn put(&mut self, hash: u64, kept: Kept) {
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, kept);
    }
}

impl Kept {
    pub(crate) fn new(key: &Key<'_>, decision: Arc<Decision>) -> Self {
        Self {
            identity: key.identity,
            asks: key.asks,
            target: key.target.to_owned(),
            protocol: key.protocol.to_owned(),
            labels: key.labels.clone(),
            approved: key.approved.clone(),
            decision,
        }
    }

    fn is(&self, key: &Key<'_>) -> bool {
        let own = Key {
            identity: self.identity,
            asks: self.asks,
            target: &self.target,
            protocol: &self.protocol,
            labels: &self.labels,
            approved: &self.approved,
        };
        own == *key
    }
}
