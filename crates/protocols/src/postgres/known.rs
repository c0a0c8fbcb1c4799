//! What is known of a target's database: its catalog, its types, and the declared columns found in it.

use std::sync::{Arc, OnceLock, PoisonError};

use sql::Name;
use sql::postgres::{Catalog, Declaration, Meant, Protected};

use super::catalog::{Loaded, Types};
use super::session::Served;
use super::settings::Settings;

/// A catalog with the declarations compiled against it. Sessions with a target share it
/// ([`crate::session::Effect::Learned`]).
#[derive(Debug)]
pub struct Known {
    /// The catalog.
    pub catalog: Arc<Catalog>,
    /// The types.
    pub types: Types,
    /// The declared columns.
    pub protected: Protected,
    digest: u64,
    /// The same as sessions see it that have made nothing temporary.
    plainly: OnceLock<Arc<Self>>,
    /// One session sees it so, and no other.
    is_private: bool,
}

impl Known {
    /// Whether it was made of the same rows.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// What was loaded, or `before` where that is the same: what was made with it stays good.
    #[must_use]
    pub(super) fn again(before: &Arc<Self>, loaded: Loaded, served: &Served) -> Arc<Self> {
        if before.digest == loaded.digest {
            return Arc::clone(before);
        }
        Self::of(loaded, served)
    }

    /// What was loaded of a target, of which it may have been known before what its declarations mean.
    #[must_use]
    pub(super) fn of(loaded: Loaded, served: &Served) -> Arc<Self> {
        let Settings {
            declared, trusted, ..
        } = &*served.settings;
        let mut meant = served.meant.lock().unwrap_or_else(PoisonError::into_inner);
        let known = Self::after(loaded, declared, trusted, &meant);
        meant.clone_from(known.protected.meant());
        Arc::new(known)
    }

    /// Compiles the declarations; for `trusted` see [`Protected::compile`]. Needs a stack of [`sql::postgres::STACK_BYTES`].
    #[must_use]
    pub fn new(loaded: Loaded, declared: &[Declaration], trusted: &[Name]) -> Self {
        Self::after(loaded, declared, trusted, &Meant::default())
    }

    fn after(loaded: Loaded, declared: &[Declaration], trusted: &[Name], before: &Meant) -> Self {
        let protected = Protected::compile_again(declared, trusted, &loaded.catalog, before);
        Self {
            catalog: loaded.catalog,
            types: loaded.types,
            protected,
            digest: loaded.digest,
            plainly: OnceLock::new(),
            is_private: false,
        }
    }

    /// The same as the session sees it whose temporary schema this is, if it has one: what other sessions made in theirs takes
    /// no name from it.
    pub(super) fn seen_by(self: &Arc<Self>, own: Option<&str>) -> Arc<Self> {
        let Some(catalog) = self.catalog.seen_by(own) else {
            return Arc::clone(self);
        };
        let seen = || {
            Arc::new(Self {
                catalog: Arc::new(catalog),
                types: self.types.clone(),
                protected: self.protected.clone(),
                digest: self.digest,
                plainly: OnceLock::new(),
                is_private: own.is_some(),
            })
        };
        match own {
            Some(_) => seen(),
            None => Arc::clone(self.plainly.get_or_init(seen)),
        }
    }

    /// Whether what is made of it is of no use to other sessions.
    pub(super) fn is_private(&self) -> bool {
        self.is_private
    }
}
