//! What the server checks of a row that is written: an error tells of all that stands in the check.

use std::collections::HashMap;

use super::super::base::OfClass;
use super::super::slot::Slot;
use super::super::taint::{Kind, Taint};
use super::Lineage;

/// Columns that a statement writes, by relation and number, and whether what it writes depends on nothing protected.
#[derive(Debug, Default)]
pub(super) struct Written {
    columns: HashMap<(u32, i16), bool>,
    /// In all of them at once: there may be several clauses, each of which writes some.
    unsure: bool,
}

impl Written {
    /// Of several clauses, of which one is carried out.
    pub(super) fn unsure() -> Self {
        Self {
            unsure: true,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, place: Option<&Slot>, clear: bool) {
        if let Some(origin) = place.and_then(|place| place.origin) {
            let all = self.columns.entry(origin).or_insert(true);
            *all &= clear && !self.unsure;
        }
    }

    /// Whether what is written to a column depends on nothing protected; where nothing is, a default is.
    pub(super) fn is_clear(&self, place: Option<&Slot>) -> bool {
        let origin = place.and_then(|place| place.origin);
        origin.is_some_and(|origin| self.columns.get(&origin).copied().unwrap_or(true))
    }
}

impl Lineage<'_> {
    /// Notes what checks of these columns tell: in a row that `stays`, of the columns that are not written, too.
    pub(super) fn check(&mut self, written: &Written, stays: bool) {
        let checked = self
            .protected
            .checked(self.catalog, &written.columns, stays);
        self.told
            .probe(&Taint::from(Kind::Derived(checked.computed)));
        for column in &checked.compared {
            self.told.matches(&OfClass::one(column.clone()), 0);
        }
    }
}
