//! Prepared statements and portals by name, as the upstream will see them.
//!
//! A client may send much ahead of the answers. What a name means is known for certain only once the upstream has said
//! that it made or closed it ("confirmed"), or within one batch (from Sync to Sync): there, whatever fails makes the
//! upstream skip everything after it, so a later use of a name cannot meet another meaning. Across batches a name
//! with an unconfirmed change has no known meaning, and the session waits.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

/// What a name means to the next message of the client.
#[derive(Debug)]
pub(super) enum Meaning<T> {
    /// This.
    Is(Arc<T>),
    /// Nothing.
    Nothing,
    /// Not known before the upstream has answered.
    Unsettled,
}

#[derive(Debug)]
pub(super) struct Names<T> {
    confirmed: HashMap<Bytes, Arc<T>>,
    /// Changes of this batch.
    batch: HashMap<Bytes, Option<Arc<T>>>,
    /// How many changes of each name the upstream has not answered.
    unsettled: HashMap<Bytes, u32>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self {
            confirmed: HashMap::new(),
            batch: HashMap::new(),
            unsettled: HashMap::new(),
        }
    }
}

impl<T> Names<T> {
    pub(super) fn meaning(&self, name: &Bytes) -> Meaning<T> {
        match self.batch.get(name) {
            Some(Some(it)) => Meaning::Is(Arc::clone(it)),
            Some(None) => Meaning::Nothing,
            None if self.unsettled.contains_key(name) => Meaning::Unsettled,
            None => self
                .confirmed
                .get(name)
                .map_or(Meaning::Nothing, |it| Meaning::Is(Arc::clone(it))),
        }
    }

    /// How many names there are or will be.
    pub(super) fn count(&self) -> usize {
        self.confirmed.len() + self.unsettled.len()
    }

    /// A change of the name is on its way. [`Names::settle`] or [`Names::forget`] must follow.
    pub(super) fn expect(&mut self, name: &Bytes, it: Option<Arc<T>>) {
        *self.unsettled.entry(name.clone()).or_default() += 1;
        self.batch.insert(name.clone(), it);
    }

    /// The upstream made the change. Gives what the name meant before.
    pub(super) fn settle(&mut self, name: &Bytes, it: Option<Arc<T>>) -> Option<Arc<T>> {
        self.forget(name);
        match it {
            Some(it) => self.confirmed.insert(name.clone(), it),
            None => self.confirmed.remove(name),
        }
    }

    /// The change will not be made.
    pub(super) fn forget(&mut self, name: &Bytes) {
        if let Some(count) = self.unsettled.get_mut(name) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.unsettled.remove(name);
            }
        }
    }

    /// The upstream dropped the name by itself.
    pub(super) fn drop_name(&mut self, name: &[u8]) -> Option<Arc<T>> {
        self.confirmed.remove(name)
    }

    /// The upstream made the name by another way than its own message.
    pub(super) fn set(&mut self, name: Bytes, it: Arc<T>) {
        self.confirmed.insert(name, it);
    }

    /// The upstream dropped all names.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = Arc<T>> + use<'_, T> {
        self.confirmed.drain().map(|(_, it)| it)
    }

    /// A batch ended.
    pub(super) fn end_batch(&mut self) {
        self.batch.clear();
    }
}
