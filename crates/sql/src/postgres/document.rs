//! JSON of which some places are declared.

use std::collections::BTreeSet;

use model::{DataClass, JsonPath, Step};

use super::taint::Taint;

/// Places of one column at most.
pub const PLACES_MAX: usize = 64;

/// Where JSON holds values of classes: at these paths, and in everything below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// At most [`PLACES_MAX`], none of which is empty.
    paths: Vec<(Vec<Step>, DataClass)>,
}

/// A place in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The paths that go through it, by their number.
    through: u64,
    /// So many steps lead to it.
    depth: usize,
}

impl Document {
    /// A document with a value at one place.
    #[must_use]
    pub fn new(path: &JsonPath, class: DataClass) -> Self {
        Self {
            paths: vec![(path.steps().to_vec(), class)],
        }
    }

    /// The same with a value at one more place; `None` where it has as many as can be.
    #[must_use]
    pub fn with(&self, path: &JsonPath, class: DataClass) -> Option<Self> {
        let mut paths = self.paths.clone();
        paths.push((path.steps().to_vec(), class));
        (paths.len() <= PLACES_MAX).then_some(Self { paths })
    }

    /// All classes of which it holds values.
    #[must_use]
    pub fn classes(&self) -> BTreeSet<DataClass> {
        let classes = self.paths.iter().map(|(_, class)| class.clone());
        classes.collect()
    }

    /// The document itself.
    #[must_use]
    pub fn root(&self) -> Place {
        let unused = PLACES_MAX.saturating_sub(self.paths.len());
        Place {
            through: u64::MAX
                .checked_shr(u32::try_from(unused).unwrap_or(u32::MAX))
                .unwrap_or(0),
            depth: 0,
        }
    }

    /// The member of that name of what stands at a place.
    #[must_use]
    pub fn member(&self, at: Place, name: &str) -> Place {
        let mut through = 0;
        for (number, steps, _) in self.through(at) {
            if steps.get(at.depth).is_some_and(|step| step.goes_to(name)) {
                through |= 1 << number;
            }
        }
        Place {
            through,
            depth: at.depth + 1,
        }
    }

    /// The classes of a value at a place, with those of what is declared below it. None where it is no declared value.
    pub fn held(&self, at: Place) -> impl Iterator<Item = &DataClass> {
        let is_held = self
            .through(at)
            .any(|(_, steps, _)| steps.len() == at.depth);
        let through = self.through(at).filter(move |_| is_held);
        through.map(|(_, _, class)| class)
    }

    /// The classes of what stands at a place or below.
    pub fn below(&self, at: Place) -> impl Iterator<Item = &DataClass> {
        self.through(at).map(|(_, _, class)| class)
    }

    fn through(&self, at: Place) -> impl Iterator<Item = (usize, &[Step], &DataClass)> {
        let paths = self.paths.iter().enumerate();
        let through = paths.filter(move |(number, _)| at.through & (1 << number) != 0);
        through.map(|(number, (steps, class))| (number, steps.as_slice(), class))
    }

    /// What its member of that name is.
    pub(super) fn taint_of(&self, name: &str) -> Taint {
        let place = self.member(self.root(), name);
        let mut held: BTreeSet<DataClass> = self.held(place).cloned().collect();
        match (held.len(), held.pop_first()) {
            (1, Some(class)) => Taint::Direct(class),
            (_, Some(class)) => {
                held.insert(class);
                Taint::Derived(held)
            }
            (_, None) => {
                let below = self.through(place).map(|(_, steps, class)| {
                    let steps = steps.get(1..).unwrap_or_default();
                    (steps.to_vec(), class.clone())
                });
                Taint::of_document(Self {
                    paths: below.collect(),
                })
            }
        }
    }

    /// It holds nothing that is declared.
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

impl Place {
    /// Something declared stands here or below.
    #[must_use]
    pub fn leads_somewhere(self) -> bool {
        self.through != 0
    }
}
