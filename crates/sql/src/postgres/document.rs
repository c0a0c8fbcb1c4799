//! JSON of which some places are declared.

use model::{DataClass, JsonPath, Step};

use super::base::{BaseColumn, BaseColumns, OfClass};
use super::taint::{Kind, Taint};

/// Places of one column at most.
pub const PLACES_MAX: usize = 64;

/// Where JSON holds declared values: at these paths, and in everything below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// At most [`PLACES_MAX`], none of which is empty.
    paths: Vec<(Vec<Step>, BaseColumn)>,
    columns: BaseColumns,
    mixed: bool,
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
    pub fn new(path: &JsonPath, of: BaseColumn) -> Self {
        Self::of_paths(vec![(path.steps().to_vec(), of)])
    }

    /// The same with a value at one more place; `None` where it has as many as can be.
    #[must_use]
    pub fn with(&self, path: &JsonPath, of: BaseColumn) -> Option<Self> {
        let mut paths = self.paths.clone();
        paths.push((path.steps().to_vec(), of));
        (paths.len() <= PLACES_MAX).then(|| Self::of_paths(paths))
    }

    /// A document that is one of the two; `None` where it would have more places than can be.
    pub(super) fn or(&self, other: &Self) -> Option<Self> {
        let mut paths = self.paths.clone();
        let more = other.paths.iter().filter(|it| !self.paths.contains(it));
        paths.extend(more.cloned());
        (paths.len() <= PLACES_MAX).then(|| Self {
            mixed: self.mixed || other.mixed,
            ..Self::of_paths(paths)
        })
    }

    fn of_paths(paths: Vec<(Vec<Step>, BaseColumn)>) -> Self {
        let columns = paths.iter().map(|(_, of)| of.clone()).collect();
        Self {
            paths,
            columns,
            mixed: false,
        }
    }

    /// All of which it holds values.
    #[must_use]
    pub fn columns(&self) -> &BaseColumns {
        &self.columns
    }

    /// Whether documents that are of no declared column may stand beside these.
    #[must_use]
    pub fn is_mixed(&self) -> bool {
        self.mixed
    }

    /// The same with such documents beside it.
    pub(super) fn mixed(&self) -> Self {
        Self {
            mixed: true,
            ..self.clone()
        }
    }

    /// Whether both hold the same at the same places.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.paths == other.paths
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
        through.map(|(_, _, of)| of.class())
    }

    /// The classes of what stands at a place or below.
    pub fn below(&self, at: Place) -> impl Iterator<Item = &DataClass> {
        self.through(at).map(|(_, _, of)| of.class())
    }

    fn through(&self, at: Place) -> impl Iterator<Item = (usize, &[Step], &BaseColumn)> {
        let paths = self.paths.iter().enumerate();
        let through = paths.filter(move |(number, _)| at.through & (1 << number) != 0);
        through.map(|(number, (steps, of))| (number, steps.as_slice(), of))
    }

    /// What its member of that name is.
    pub(super) fn taint_of(&self, name: &str) -> Taint {
        let place = self.member(self.root(), name);
        let is_held = self.held(place).next().is_some();
        let below = self.through(place).map(|(_, steps, of)| {
            let steps = steps.get(1..).unwrap_or_default();
            (steps.to_vec(), of.clone())
        });
        let below = Self {
            mixed: self.mixed,
            ..Self::of_paths(below.collect())
        };
        if !is_held {
            return Taint::of_document(below);
        }
        match below.of_one_class() {
            Some(held) => Kind::Direct(held).into(),
            None => Kind::Derived(below.columns).into(),
        }
    }

    /// A value of any of its places, where they are all of one class.
    pub(super) fn of_one_class(&self) -> Option<OfClass> {
        let (_, first) = self.paths.first()?;
        let mut all = self.columns.iter();
        let one = OfClass::one(first.clone());
        all.all(|it| it.class() == first.class())
            .then(|| one.or(&self.columns).mixed(self.mixed))
    }
}

impl Place {
    /// Something declared stands here or below.
    #[must_use]
    pub fn leads_somewhere(self) -> bool {
        self.through != 0
    }
}
