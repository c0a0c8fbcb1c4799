//! Prepared statements, portals and cursors by name, as the upstream will see them.
//!
//! A client may send much ahead of the answers. What a name means is known for certain only once the upstream has said
//! that it made or closed it ("confirmed"), or within one batch (from Sync to Sync): there, whatever fails makes the
//! upstream skip everything after it, so a later use of a name cannot meet another meaning. Across batches a name
//! with an unconfirmed change has no known meaning, and the session waits.
//!
//! To forget a name too early does no harm: what the client then does with it is refused, or counts as unknown. What was
//! made must never be taken for what it replaced.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

/// A name as the server keeps it.
///
/// Both of its tables, `prepared_queries` and `PortalHashTable`, have keys of NAMEDATALEN (64) bytes with a NUL at the end,
/// so 63 bytes of a name count, wherever that cuts a character. Names in SQL come cut from the grammar, at a character's
/// end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Key(Bytes);

/// NAMEDATALEN, without the NUL.
const NAME_BYTES: usize = 63;
/// A name beyond ASCII that is no longer than this is kept whole whatever encoding the server keeps it in: none of them
/// takes three bytes where UTF-8 takes less than two.
const FOREIGN_NAME_BYTES_MAX: usize = 42;

impl Key {
    /// The key of a name; `None` where it would depend on the server's encoding.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        let kept = name.get(..NAME_BYTES).unwrap_or(name);
        let certain = kept.is_ascii() || name.len() <= FOREIGN_NAME_BYTES_MAX;
        // A slice would keep the whole message alive as long as the name.
        certain.then(|| Self(Bytes::copy_from_slice(kept)))
    }

    /// Whether it is that of the unnamed statement or portal.
    pub(super) fn is_unnamed(&self) -> bool {
        self.0.is_empty()
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

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

/// Up to when something was made: see [`Names::mark`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark(u64);

#[derive(Debug)]
pub(super) struct Names<T> {
    /// With when each was made.
    confirmed: HashMap<Key, (Mark, Arc<T>)>,
    /// What was made last.
    latest: Mark,
    /// Changes of this batch.
    batch: HashMap<Key, Option<Arc<T>>>,
    /// How many changes of each name the upstream has not answered.
    unsettled: HashMap<Key, u32>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self {
            confirmed: HashMap::new(),
            latest: Mark::default(),
            batch: HashMap::new(),
            unsettled: HashMap::new(),
        }
    }
}

impl<T> Names<T> {
    pub(super) fn meaning(&self, name: &Key) -> Meaning<T> {
        match self.batch.get(name) {
            Some(Some(it)) => Meaning::Is(Arc::clone(it)),
            Some(None) => Meaning::Nothing,
            None if self.unsettled.contains_key(name) => Meaning::Unsettled,
            None => self
                .confirmed
                .get(name)
                .map_or(Meaning::Nothing, |(_, it)| Meaning::Is(Arc::clone(it))),
        }
    }

    /// How many names there are or will be.
    pub(super) fn count(&self) -> usize {
        self.confirmed.len() + self.unsettled.len()
    }

    /// A change of the name is on its way. [`Names::settle`] or [`Names::forget`] must follow.
    pub(super) fn expect(&mut self, name: &Key, it: Option<Arc<T>>) {
        *self.unsettled.entry(name.clone()).or_default() += 1;
        self.batch.insert(name.clone(), it);
    }

    /// The upstream made the change. Gives what the name meant before.
    pub(super) fn settle(&mut self, name: &Key, it: Option<Arc<T>>) -> Option<Arc<T>> {
        self.forget(name);
        match it {
            Some(it) => self.insert(name.clone(), it),
            None => self.drop_name(name),
        }
    }

    fn insert(&mut self, name: Key, it: Arc<T>) -> Option<Arc<T>> {
        self.latest.0 += 1;
        let before = self.confirmed.insert(name, (self.latest, it));
        before.map(|(_, it)| it)
    }

    /// The change will not be made.
    pub(super) fn forget(&mut self, name: &Key) {
        if let Some(count) = self.unsettled.get_mut(name) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.unsettled.remove(name);
            }
        }
    }

    /// The upstream dropped the name by itself, before everything that was read of this batch.
    pub(super) fn drop_name(&mut self, name: &Key) -> Option<Arc<T>> {
        self.confirmed.remove(name).map(|(_, it)| it)
    }

    /// The upstream dropped the name by another way than its own message, at this place of the batch.
    pub(super) fn unset(&mut self, name: &Key) -> Option<Arc<T>> {
        self.batch.remove(name);
        self.drop_name(name)
    }

    /// The upstream made the name by another way than its own message. Gives what the name meant before.
    pub(super) fn set(&mut self, name: Key, it: Arc<T>) -> Option<Arc<T>> {
        self.batch.remove(&name);
        self.insert(name, it)
    }

    /// The upstream dropped all names.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = Arc<T>> + use<'_, T> {
        self.confirmed.drain().map(|(_, (_, it))| it)
    }

    /// What tells what is made from now on from what was made before.
    pub(super) fn mark(&self) -> Mark {
        self.latest
    }

    /// The upstream dropped what was made after `mark`.
    pub(super) fn drop_since(&mut self, mark: Mark) -> Vec<Arc<T>> {
        let since = self.confirmed.extract_if(|_, (made, _)| *made > mark);
        since.map(|(_, (_, it))| it).collect()
    }

    /// The upstream dropped all but these.
    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.confirmed.retain(|_, (_, it)| keep(it));
    }

    /// A batch ended, or what was dropped at this place of it stands in no message: its names count once the upstream has
    /// answered.
    pub(super) fn end_batch(&mut self) {
        self.batch.clear();
    }
}
