//! What is kept by a key, bounded in bytes.

use std::collections::HashMap;

use bytes::Bytes;

/// Two generations: what was used since the last turn, and what was used in the turn before. When the first has half the bytes,
/// the second is dropped and the first takes its place.
#[derive(Debug)]
pub(super) struct Generations<V> {
    half_bytes: usize,
    recent: HashMap<Bytes, Counted<V>>,
    recent_bytes: usize,
    older: HashMap<Bytes, Counted<V>>,
}

#[derive(Debug)]
struct Counted<V> {
    value: V,
    bytes: usize,
}

impl<V: Clone> Generations<V> {
    /// Keeps at most about `bytes_max` bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            half_bytes: bytes_max / 2,
            recent: HashMap::new(),
            recent_bytes: 0,
            older: HashMap::new(),
        }
    }

    /// What is kept by this key, if it still holds.
    pub(super) fn find(&mut self, key: &[u8], holds: impl Fn(&V) -> bool) -> Option<V> {
        if let Some(found) = self.recent.get(key) {
            return holds(&found.value).then(|| found.value.clone());
        }
        let (key, found) = self.older.remove_entry(key)?;
        if !holds(&found.value) {
            return None;
        }
        let value = found.value.clone();
        self.insert(key, found.value, found.bytes);
        Some(value)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.recent.len() + self.older.len()
    }

    /// Keeps a value that counts as so many bytes.
    pub(super) fn insert(&mut self, key: Bytes, value: V, bytes: usize) {
        if self.recent_bytes + bytes > self.half_bytes {
            self.older = std::mem::take(&mut self.recent);
            self.recent_bytes = 0;
        }
        let counted = Counted { value, bytes };
        if self.recent.insert(key, counted).is_none() {
            self.recent_bytes += bytes;
        }
    }
}
