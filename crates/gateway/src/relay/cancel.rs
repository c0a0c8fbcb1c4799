//! Which session a cancel key belongs to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

/// The cancel keys of all sessions.
#[derive(Clone, Default)]
pub struct Cancels {
    keys: Arc<Mutex<HashMap<Bytes, mpsc::Sender<()>>>>,
}

/// A session's own key, for as long as this lives.
pub(super) struct Registered {
    cancels: Cancels,
    key: Bytes,
}

impl Cancels {
    /// From now on `key` reaches `inbox`. `None` where another session holds the key: a cancel must reach one session.
    pub(super) fn register(&self, key: Bytes, inbox: &mpsc::Sender<()>) -> Option<Registered> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.contains_key(&key) {
            return None;
        }
        keys.insert(key.clone(), inbox.clone());
        Some(Registered {
            cancels: self.clone(),
            key,
        })
    }

    /// Tells the session that holds `key`. Whether there is one stays between the two.
    pub(super) fn cancel(&self, key: &Bytes) {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(inbox) = keys.get(key) {
            // Full means that it is about to be told anyway.
            let _ = inbox.try_send(());
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.cancels
            .keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}
