//! What hides values in what an account gives and takes: made once, since to make one costs more than a small answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use mask::own::OwnClasses;
use mask::{MaskKey, Masker, MaskerConfig, Strategy};
use model::DataClass;

/// Sets of classes that policy reveals are kept up to this many.
const KEPT_MAX: usize = 64;

/// The maskers of an account.
pub struct Maskers {
    strategies: BTreeMap<DataClass, Strategy>,
    find: BTreeMap<DataClass, bool>,
    own: OwnClasses,
    key: Option<MaskKey>,
    at_rest: Arc<Masker>,
    anywhere: Arc<Masker>,
    shown: Mutex<BTreeMap<BTreeSet<DataClass>, Arc<Masker>>>,
}

impl Maskers {
    /// Maskers that hide by `strategies`, look for what `find` says and for the classes that are defined, and put in place of
    /// values what `key` makes of them.
    #[must_use]
    pub fn new(
        strategies: BTreeMap<DataClass, Strategy>,
        find: BTreeMap<DataClass, bool>,
        own: OwnClasses,
        key: Option<MaskKey>,
    ) -> Self {
        let resting = |find| {
            Arc::new(Masker::new(MaskerConfig {
                find,
                own: own.clone(),
                ..MaskerConfig::default()
            }))
        };
        Self {
            at_rest: resting(find.clone()),
            anywhere: resting(BTreeMap::new()),
            strategies,
            find,
            own,
            key,
            shown: Mutex::default(),
        }
    }

    /// For what is kept: nothing is revealed to it.
    #[must_use]
    pub fn at_rest(&self) -> &Arc<Masker> {
        &self.at_rest
    }

    /// The same for what is asked, in which everything is looked for.
    #[must_use]
    pub fn at_rest_anywhere(&self) -> &Arc<Masker> {
        &self.anywhere
    }

    /// For what is shown to whom policy reveals these classes.
    #[must_use]
    pub fn shown(&self, reveal: &BTreeSet<DataClass>) -> Arc<Masker> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(masker) = shown.get(reveal) {
            return masker.clone();
        }
        if shown.len() >= KEPT_MAX {
            shown.clear();
        }
        let masker = Arc::new(Masker::new(MaskerConfig {
            reveal: reveal.clone(),
            strategies: self.strategies.clone(),
            find: self.find.clone(),
            own: self.own.clone(),
            key: self.key.clone(),
        }));
        shown.insert(reveal.clone(), masker.clone());
        masker
    }
}
