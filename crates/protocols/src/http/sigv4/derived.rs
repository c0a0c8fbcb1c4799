//! Derived keys that are kept: to derive one costs more than to sign with it.

use std::sync::{Mutex, PoisonError};

use model::Secret;

use super::{Scope, SigningKey};

/// So many are kept; of more the oldest are derived again.
const KEPT_MAX: usize = 8;

/// The keys that were derived last.
#[derive(Default)]
pub struct Derived {
    kept: Mutex<Vec<Kept>>,
}

struct Kept {
    secret: Secret,
    scope: Scope,
    key: SigningKey,
}

impl Derived {
    /// The key that `secret` gives for `scope`.
    #[must_use]
    pub fn key(&self, secret: &Secret, scope: &Scope) -> SigningKey {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept
            .iter()
            .find(|it| it.scope == *scope && it.secret == *secret);
        if let Some(found) = found {
            return found.key.clone();
        }
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        let key = SigningKey::derive(secret, scope);
        kept.push(Kept {
            secret: secret.clone(),
            scope: scope.clone(),
            key: key.clone(),
        });
        key
    }
}
