//! Declared columns, on which values depend, and sets of them.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use model::DataClass;

use super::protected::Declaration;
use crate::name::quoted;

/// So many columns are named to people.
const NAMED_MAX: usize = 8;

/// A column that is declared to hold a class of data. Cheap to clone.
#[derive(Clone)]
pub struct BaseColumn(Arc<Inner>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Inner {
    name: String,
    class: DataClass,
    kind: Option<ColumnType>,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnType {
    /// Its object identifier.
    pub oid: u32,
    /// What it was declared with, such as a length (`pg_attribute.atttypmod`); negative for nothing.
    pub modifier: i32,
}

impl ColumnType {
    /// Whether all values of the type can stand in a column of this one as they are.
    #[must_use]
    pub fn takes(self, value: Self) -> bool {
        self == value || self.modifier < 0 && self.is_text() && value.is_text()
    }

    /// `text`, `bpchar` or `varchar`.
    #[must_use]
    pub fn is_text(self) -> bool {
        TEXT_TYPES.contains(&self.oid)
    }
}

/// `text`, `bpchar` and `varchar` (`pg_type.dat`).
pub(super) const TEXT_TYPES: [u32; 3] = [25, 1042, 1043];

impl BaseColumn {
    /// The column that a declaration names, or the place in it, and its type if it is there.
    #[must_use]
    pub fn new(declaration: &Declaration, kind: Option<ColumnType>) -> Self {
        let Declaration {
            schema,
            table,
            column,
            class,
            path,
        } = declaration;
        let mut name = format!("{}.{}.{}", quoted(schema), quoted(table), quoted(column));
        if let Some(path) = path {
            name.push_str(&path.to_string());
        }
        Self(Arc::new(Inner {
            name,
            class: class.clone(),
            // What stands in JSON has a type of its own.
            kind: kind.filter(|_| path.is_none()),
        }))
    }

    /// Its type, where it is known.
    #[must_use]
    pub fn kind(&self) -> Option<ColumnType> {
        self.0.kind
    }

    /// `schema.table.column`, with the path of a place in its JSON; a part that is not a plain lower-case identifier stands quoted, as SQL quotes it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it holds.
    #[must_use]
    pub fn class(&self) -> &DataClass {
        &self.0.class
    }

    /// Whether it is one of the server's own catalog, in which values of other columns stand among other words.
    pub(super) fn is_of_catalog(&self) -> bool {
        self.name().starts_with("pg_catalog.")
    }
}

impl fmt::Debug for BaseColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.class())
    }
}

impl Ord for BaseColumn {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for BaseColumn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for BaseColumn {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for BaseColumn {}

/// A set of declared columns. Cheap to clone: what holds the same shares it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BaseColumns(
    /// In order, none twice; `None` for none.
    Option<Arc<[BaseColumn]>>,
);

impl BaseColumns {
    /// No column.
    pub const NONE: Self = Self(None);

    /// The columns, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, BaseColumn> {
        self.as_slice().iter()
    }

    fn as_slice(&self) -> &[BaseColumn] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The classes that they hold.
    #[must_use]
    pub fn classes(&self) -> BTreeSet<DataClass> {
        let mut classes = BTreeSet::new();
        for column in self.iter() {
            if !classes.contains(column.class()) {
                classes.insert(column.class().clone());
            }
        }
        classes
    }

    /// Those that hold one of these classes.
    #[must_use]
    pub fn of(&self, classes: &[DataClass]) -> Self {
        let of = self.iter().filter(|it| classes.contains(it.class()));
        of.cloned().collect()
    }

    /// Adds those of another set.
    pub fn add(&mut self, other: &Self) {
        if self.is_empty() {
            self.clone_from(other);
        } else if !self.has_all(other) {
            *self = if other.has_all(self) {
                other.clone()
            } else {
                self.iter().chain(other.iter()).cloned().collect()
            };
        }
    }

    /// Whether all of another set are in this.
    fn has_all(&self, other: &Self) -> bool {
        let (all, few) = (self.as_slice(), other.as_slice());
        std::ptr::eq(all, few) || few.iter().all(|one| all.binary_search(one).is_ok())
    }
}

impl FromIterator<BaseColumn> for BaseColumns {
    fn from_iter<T: IntoIterator<Item = BaseColumn>>(columns: T) -> Self {
        let columns: BTreeSet<BaseColumn> = columns.into_iter().collect();
        Self((!columns.is_empty()).then(|| columns.into_iter().collect()))
    }
}

impl<'a> IntoIterator for &'a BaseColumns {
    type Item = &'a BaseColumn;
    type IntoIter = std::slice::Iter<'a, BaseColumn>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for BaseColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Their names, with commas between; of many the first.
impl fmt::Display for BaseColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, column) in self.iter().take(NAMED_MAX).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}", column.name())?;
        }
        match self.as_slice().len().checked_sub(NAMED_MAX) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, " and {more} more"),
        }
    }
}

/// Columns of one class, at least one: a value that is of one of them. Cheap to clone.
#[derive(Clone)]
pub struct OfClass {
    /// Any of them.
    first: BaseColumn,
    all: BaseColumns,
    mixed: bool,
}

impl OfClass {
    /// A value of this column.
    #[must_use]
    pub fn one(column: BaseColumn) -> Self {
        Self {
            first: column.clone(),
            all: BaseColumns(Some(Arc::from([column]))),
            mixed: false,
        }
    }

    /// Whether values that are of no declared column, such as constants, may stand beside these.
    #[must_use]
    pub fn is_mixed(&self) -> bool {
        self.mixed
    }

    /// The same with such values beside it, if they are.
    pub(super) fn mixed(mut self, mixed: bool) -> Self {
        self.mixed |= mixed;
        self
    }

    /// The class.
    #[must_use]
    pub fn class(&self) -> &DataClass {
        self.first.class()
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &BaseColumns {
        &self.all
    }

    /// Whether a value of it stands in a column of the other as it is, whichever they are.
    pub(super) fn fits(&self, other: &Self) -> bool {
        let all = |column: &BaseColumn| {
            other
                .columns()
                .iter()
                .all(|place| match (place.kind(), column.kind()) {
                    (Some(place), Some(value)) => place.takes(value),
                    // Of what is not known to be less nothing is lost.
                    _ => true,
                })
        };
        self.is_like(other) && self.columns().iter().all(all)
    }

    /// Whether both are values of one class.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.class() == other.class()
    }

    /// A value of one of the two, which are of one class.
    pub(super) fn either(self, other: &Self) -> Self {
        self.or(other.columns()).mixed(other.mixed)
    }

    /// A value of this class that is of any of these columns too.
    pub(super) fn or(mut self, other: &BaseColumns) -> Self {
        self.all.add(other);
        self
    }
}

impl PartialEq for OfClass {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all && self.mixed == other.mixed
    }
}

impl Eq for OfClass {}

impl fmt::Debug for OfClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all.fmt(f)
    }
}

/// How a value depends on a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It is a value of it, or holds one as it is.
    Direct,
    /// It is computed of its values.
    Derived,
    /// It tells how many values there are, whether there is one, or of what type, and nothing else of them.
    Counted,
}

impl How {
    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Derived => "derived",
            Self::Counted => "counted",
        }
    }
}
