//! What is known of a target's database: its catalog, its types, and the declared columns found in it.

use std::sync::Arc;

use sql::postgres::{Catalog, Declaration, Protected};

use super::catalog::{Loaded, Types};

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
}

impl Known {
    /// Compiles the declarations. Needs a stack of [`sql::postgres::STACK_BYTES`].
    #[must_use]
    pub fn new(loaded: Loaded, declared: &[Declaration]) -> Self {
        let protected = Protected::compile(declared, &loaded.catalog);
        Self {
            catalog: loaded.catalog,
            types: loaded.types,
            protected,
        }
    }
}
