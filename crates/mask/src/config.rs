//! What a masker is compiled from: which classes are revealed, and how each of the others is hidden.

use std::collections::{BTreeMap, BTreeSet};

use model::DataClass;

use crate::own::OwnClasses;
use crate::replace::MaskKey;

/// How a value is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Every character becomes `*`; the length in characters is kept.
    Redact,
    /// What is customary to show stays: the last four of a card or SSN, a mail domain, an IBAN's country and last four.
    /// A value that does not have the form of its class is redacted.
    Partial,
    /// `hash_` and sixteen letters that come of the value under [`MaskerConfig::key`], so that equal values stay equal.
    /// Where every byte must keep its place, and without a key, as [`Strategy::Redact`].
    Hash,
    /// What [`Strategy::Partial`] hides becomes other letters and digits, which come of the value under
    /// [`MaskerConfig::key`]. Without a key, and where there is neither letter nor digit, as [`Strategy::Redact`].
    Format,
    /// The whole value in which it stands becomes NULL. In a stream, which has no NULL, as [`Strategy::Redact`].
    Null,
    /// The whole value in which it stands is withheld, and the protocol says so. In a stream as [`Strategy::Redact`].
    Withhold,
}

impl Strategy {
    /// The name that configuration and facts use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Redact => "redact",
            Self::Partial => "partial",
            Self::Hash => "hash",
            Self::Format => "format",
            Self::Null => "null",
            Self::Withhold => "withhold",
        }
    }

    /// The strategy of that name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|strategy| strategy.name() == name)
    }

    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::Redact,
        Self::Partial,
        Self::Hash,
        Self::Format,
        Self::Null,
        Self::Withhold,
    ];

    /// What a class gets when nothing is configured: [`Strategy::Partial`], which redacts a class it has no form for.
    pub const DEFAULT: Self = Self::Partial;
}

/// What to compile a [`crate::Masker`] from. The default masks every class with [`Strategy::DEFAULT`].
#[derive(Debug, Clone, Default)]
pub struct MaskerConfig {
    /// Classes that policy reveals: found and counted, but shown.
    pub reveal: BTreeSet<DataClass>,
    /// Strategies other than [`Strategy::DEFAULT`], by class.
    pub strategies: BTreeMap<DataClass, Strategy>,
    /// Which of [`DataClass::FOUND`] and of `own` are looked for in any text, where not as usual: all but IP addresses are.
    pub find: BTreeMap<DataClass, bool>,
    /// Classes that configuration defines.
    pub own: OwnClasses,
    /// What [`Strategy::Hash`] and [`Strategy::Format`] work with.
    pub key: Option<MaskKey>,
}

impl MaskerConfig {
    /// What happens to values of `class`.
    pub(crate) fn treatment(&self, class: &DataClass) -> Treatment {
        if self.reveal.contains(class) {
            return Treatment::Reveal;
        }
        let strategy = self.strategies.get(class).copied();
        let strategy = strategy.unwrap_or(Strategy::DEFAULT);
        if strategy.replaces() && self.key.is_none() {
            return Treatment::Mask(Strategy::Redact);
        }
        Treatment::Mask(strategy)
    }
}

/// What happens to values of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Treatment {
    Mask(Strategy),
    Reveal,
}

impl Treatment {
    /// The name that facts use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mask(strategy) => strategy.name(),
            Self::Reveal => "reveal",
        }
    }
}
