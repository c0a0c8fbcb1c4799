//! What is known of a target's database: its catalog, its types, and the declared columns found in it.

use std::sync::Arc;

use sql::Name;
use sql::postgres::{Catalog, Declaration, Protected};

use super::catalog::{Loaded, Types};
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
}

impl Known {
    /// Whether it was made of the same rows.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// What was loaded, or `before` where that is the same: what was made with it stays good.
    #[must_use]
    pub(super) fn again(before: &Arc<Self>, loaded: Loaded, settings: &Settings) -> Arc<Self> {
        if before.digest == loaded.digest {
            return Arc::clone(before);
        }
        Arc::new(Self::new(loaded, &settings.declared, &settings.trusted))
    }

    /// Compiles the declarations; for `trusted` see [`Protected::compile`]. Needs a stack of [`sql::postgres::STACK_BYTES`].
    #[must_use]
    pub fn new(loaded: Loaded, declared: &[Declaration], trusted: &[Name]) -> Self {
        let protected = Protected::compile(declared, trusted, &loaded.catalog);
        Self {
            catalog: loaded.catalog,
            types: loaded.types,
            protected,
            digest: loaded.digest,
        }
    }
}
