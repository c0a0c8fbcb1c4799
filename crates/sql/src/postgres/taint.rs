//! How values depend on protected columns.

mod members;

use std::collections::BTreeSet;
use std::sync::Arc;

use model::DataClass;

use super::base::{BaseColumn, BaseColumns, How, OfClass};
use super::document::Document;
use super::slot::{Slot, together};
pub(super) use members::add;
pub use members::{Member, Members};
use members::{NAME_BYTES_MAX, held, merged};

/// A row of more fields, those of the rows in it counted in, is taken for a value computed of them: as many as two rows of the widest
/// tables (1,600 columns) have. Rows share what they hold, so that a few words make one of any size; who looks at it sees all of it.
const FIELDS_MAX: usize = 4_096;
/// The same of rows within rows: JSON made of them is read by people, and who looks at them goes down as deep.
const DEPTH_MAX: usize = 16;

/// How a value depends on protected columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taint {
    /// What may be seen in it.
    pub kind: Kind,
    /// It tells how many values these have, or whether one is there; nothing is hidden for that.
    counted: BaseColumns,
}

/// What may be seen in a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Nothing protected.
    Clear,
    /// It is a value of one of these.
    Direct(OfClass),
    /// It is JSON that shows what it holds by names.
    Members(Arc<Members>),
    /// It is JSON, or text with JSON, that holds values at some places.
    Document(Arc<Document>),
    /// It is a row with these fields in order, or an array of such rows.
    Row(Arc<[RowField]>),
    /// It is computed of values of these.
    Derived(BaseColumns),
    /// This cannot be told, for this reason.
    Unknown(String),
}

/// A field of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowField {
    /// `None` where it is not known, or not what JSON calls it.
    pub(super) name: Option<String>,
    /// Never [`Kind::Derived`] nor [`Kind::Unknown`], for then all of the row is.
    pub(super) taint: Taint,
}

impl From<Kind> for Taint {
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            counted: BaseColumns::NONE,
        }
    }
}

impl Taint {
    /// A value that depends on nothing protected.
    pub const CLEAR: Self = Self {
        kind: Kind::Clear,
        counted: BaseColumns::NONE,
    };

    /// Takes it, and leaves [`Self::CLEAR`].
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::CLEAR)
    }

    /// What only tells how many values there are.
    pub(super) fn counting(counted: BaseColumns) -> Self {
        Self {
            kind: Kind::Clear,
            counted,
        }
    }

    /// Whether nothing protected may be seen in it; it may tell how many there are.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.kind == Kind::Clear
    }

    /// Whether nothing is known of it.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(_))
    }

    /// The classes of which something may be seen in it.
    #[must_use]
    pub fn classes(&self) -> BTreeSet<DataClass> {
        self.columns().classes()
    }

    /// The columns of which something may be seen in it.
    #[must_use]
    pub fn columns(&self) -> BaseColumns {
        let mut sets = Vec::new();
        self.add_columns(&mut sets);
        match sets.as_slice() {
            [] => BaseColumns::NONE,
            [one] => (*one).clone(),
            several => several.iter().flat_map(|set| set.iter()).cloned().collect(),
        }
    }

    fn add_columns<'a>(&'a self, sets: &mut Vec<&'a BaseColumns>) {
        match &self.kind {
            Kind::Clear | Kind::Unknown(_) => {}
            Kind::Direct(of) => sets.push(of.columns()),
            Kind::Document(document) => sets.push(document.columns()),
            Kind::Members(members) => sets.extend(held(members)),
            Kind::Row(fields) => fields
                .iter()
                .for_each(|field| field.taint.add_columns(sets)),
            Kind::Derived(of) => sets.push(of),
        }
    }

    /// The columns of which it tells how many values there are.
    #[must_use]
    pub fn counted(&self) -> BaseColumns {
        let mut counted = self.counted.clone();
        if let Kind::Row(fields) = &self.kind {
            fields
                .iter()
                .for_each(|field| counted.add(&field.taint.counted()));
        }
        counted
    }

    /// On which columns it depends, and how.
    #[must_use]
    pub fn depends(&self) -> Vec<(BaseColumn, How)> {
        let how = match self.kind {
            Kind::Derived(_) => How::Derived,
            _ => How::Direct,
        };
        let (seen, counted) = (self.columns(), self.counted());
        let seen = seen.iter().map(|column| (column.clone(), how));
        let counted = counted.iter().map(|column| (column.clone(), How::Counted));
        seen.chain(counted).collect()
    }

    /// Whether the same is seen in both, whatever columns it is of.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Direct(a), Kind::Direct(b)) => a.is_like(b),
            (Kind::Document(a), Kind::Document(b)) => a.is_like(b),
            (Kind::Derived(a), Kind::Derived(b)) => a.classes() == b.classes(),
            (Kind::Members(a), Kind::Members(b)) => {
                let like = |(one, other): (&Member, &Member)| match (one, other) {
                    (Member::Held(a), Member::Held(b)) => a.is_like(b),
                    (a, b) => a == b,
                };
                a.keys().eq(b.keys()) && a.values().zip(b.values()).all(like)
            }
            (Kind::Row(a), Kind::Row(b)) => {
                let like =
                    |(a, b): (&RowField, &RowField)| a.name == b.name && a.taint.is_like(&b.taint);
                a.len() == b.len() && a.iter().zip(b.iter()).all(like)
            }
            (a, b) => a == b,
        }
    }

    /// The same, which may be of any of these columns too, as far as they are of its classes.
    pub(super) fn widened(self, by: &BaseColumns) -> Self {
        let wide = |of: OfClass| {
            let same = by.of(std::slice::from_ref(of.class()));
            of.or(&same)
        };
        let kind = match self.kind {
            Kind::Direct(of) => Kind::Direct(wide(of)),
            Kind::Derived(mut of) => {
                of.add(by);
                Kind::Derived(of)
            }
            Kind::Members(members) => {
                let members = members.iter().map(|(name, member)| {
                    let member = match member {
                        Member::Held(of) => Member::Held(wide(of.clone())),
                        other => other.clone(),
                    };
                    (name.clone(), member)
                });
                Kind::Members(Arc::new(members.collect()))
            }
            Kind::Row(fields) => {
                let fields = fields.iter().map(|field| RowField {
                    name: field.name.clone(),
                    taint: field.taint.clone().widened(by),
                });
                Kind::Row(fields.collect())
            }
            kind => kind,
        };
        Self { kind, ..self }
    }

    /// What a column holds that is declared for this and gives values of the other: the very same where they are of one class.
    pub(super) fn also(self, other: Self) -> Self {
        match (&self.kind, &other.kind) {
            (Kind::Clear, _) => other,
            (Kind::Direct(a), Kind::Direct(b)) if a.is_like(b) => self.either(other),
            _ => self,
        }
    }

    /// The same, which tells how many values these have as well.
    pub(super) fn and_counts(mut self, counted: &BaseColumns) -> Self {
        self.counted.add(counted);
        self
    }

    /// The taint of a row with these columns; `named` if its fields go by their names.
    pub(super) fn of_row(slots: &[Slot], named: bool) -> Self {
        let field = |slot: &Slot| RowField {
            name: slot.name.clone().filter(|_| named),
            taint: slot.taint.clone(),
        };
        if slots.iter().any(|slot| slot.many) {
            return together(slots).computed();
        }
        Self::of_fields(slots.iter().map(field).collect())
    }

    /// The taint of a row with these fields.
    fn of_fields(fields: Vec<RowField>) -> Self {
        let hidden =
            |field: &RowField| matches!(field.taint.kind, Kind::Derived(_) | Kind::Unknown(_));
        let mut room = FIELDS_MAX;
        if fields.iter().all(|field| field.taint.is_clear())
            || fields.iter().any(hidden)
            || !fits(&fields, DEPTH_MAX, &mut room)
        {
            return fields
                .into_iter()
                .fold(Self::CLEAR, |taint, field| taint.with(field.taint));
        }
        Kind::Row(fields.into()).into()
    }

    /// The taint of the same value as text, where nothing goes by names or places.
    pub(super) fn in_text(self) -> Self {
        match self.kind {
            Kind::Members(_) | Kind::Row(_) => self.computed(),
            _ => self,
        }
    }

    /// The taint of JSON made of the value.
    pub(super) fn in_json(self) -> Self {
        let Kind::Row(fields) = &self.kind else {
            return self;
        };
        let mut members = Members::new();
        for field in fields.iter() {
            let name = field.name.as_ref();
            let name = name.filter(|name| name.len() < NAME_BYTES_MAX);
            if !name.is_some_and(|name| add(&mut members, name, &field.taint)) {
                return self.computed();
            }
        }
        Self::of_members(members).and_counts(&self.counted())
    }

    /// The taint of a row's field, where it is known to have one of this name.
    pub(super) fn field(&self, name: &str) -> Option<Self> {
        let Kind::Row(fields) = &self.kind else {
            return None;
        };
        let mut named = fields
            .iter()
            .filter(|field| field.name.as_deref() == Some(name));
        let field = named.next()?;
        let taint = || field.taint.clone().and_counts(&self.counted);
        named.next().is_none().then(taint)
    }

    /// The taint of JSON with these members.
    pub(super) fn of_members(members: Members) -> Self {
        if held(&members).next().is_some() {
            Kind::Members(Arc::new(members)).into()
        } else {
            Self::CLEAR
        }
    }

    /// The taint of JSON with values at these places.
    pub(super) fn of_document(document: Document) -> Self {
        if document.columns().is_empty() {
            Self::CLEAR
        } else {
            Kind::Document(Arc::new(document)).into()
        }
    }

    /// The taint of a value that is one of the two.
    pub(super) fn either(self, other: Self) -> Self {
        let Self { kind, counted } = self;
        let shown = match (kind, other.kind) {
            (Kind::Clear, kind) | (kind, Kind::Clear) => Self::from(kind).beside_others(),
            (Kind::Direct(a), Kind::Direct(b)) if a.is_like(&b) => {
                Kind::Direct(a.either(&b)).into()
            }
            (Kind::Document(a), Kind::Document(b)) if a.is_like(&b) => {
                let mixed = b.is_mixed();
                Kind::Document(if mixed { b } else { a }).into()
            }
            (Kind::Members(a), Kind::Members(b)) => match merged(&a, &b) {
                Some(members) => Kind::Members(Arc::new(members)).into(),
                None => Self::from(Kind::Members(a)).with(Kind::Members(b).into()),
            },
            (Kind::Row(a), Kind::Row(b)) if a.len() == b.len() => {
                let both = a.iter().zip(b.iter());
                let either = |(a, b): (&RowField, &RowField)| RowField {
                    name: a.name.clone().filter(|_| a.name == b.name),
                    taint: a.taint.clone().either(b.taint.clone()),
                };
                Self::of_fields(both.map(either).collect())
            }
            (a, b) => Self::from(a).with(b.into()),
        };
        shown.and_counts(&counted).and_counts(&other.counted)
    }

    /// The same, where other values may stand in its place, of which nothing is known: nor what the fields of a row are called, and
    /// the server may go by their names.
    fn beside_others(self) -> Self {
        let kind = match self.kind {
            Kind::Direct(of) => Kind::Direct(of.mixed(true)),
            Kind::Document(document) => Kind::Document(Arc::new(document.mixed())),
            Kind::Row(fields) => {
                let unnamed = |field: &RowField| RowField {
                    name: None,
                    taint: field.taint.clone().beside_others(),
                };
                Kind::Row(fields.iter().map(unnamed).collect())
            }
            kind => kind,
        };
        Self { kind, ..self }
    }

    /// The taint of a value computed of both.
    pub(super) fn with(self, other: Self) -> Self {
        let (one, other) = (self.computed(), other.computed());
        let kind = match (one.kind, other.kind) {
            (Kind::Clear, kind) | (kind, Kind::Clear) => kind,
            (Kind::Derived(mut a), Kind::Derived(b)) => {
                a.add(&b);
                Kind::Derived(a)
            }
            (derived @ Kind::Derived(_), _) | (_, derived @ Kind::Derived(_)) => derived,
            (unknown, _) => unknown,
        };
        Self::from(kind)
            .and_counts(&one.counted)
            .and_counts(&other.counted)
    }

    /// The taint of the same value where this decides whether it comes: what only tells how many there are hides nothing.
    pub(super) fn chosen_by(self, decided: Self) -> Self {
        if decided.is_clear() {
            self.and_counts(&decided.counted)
        } else {
            decided.with(self)
        }
    }

    /// The taint of a value computed of this one.
    pub(super) fn computed(self) -> Self {
        match self.kind {
            Kind::Direct(_) | Kind::Members(_) | Kind::Document(_) | Kind::Row(_) => {
                Self::from(Kind::Derived(self.columns())).and_counts(&self.counted())
            }
            _ => self,
        }
    }
}

/// Whether there is room for these fields and all in them, and depth.
fn fits(fields: &[RowField], depth: usize, room: &mut usize) -> bool {
    let (Some(less), Some(below)) = (room.checked_sub(fields.len()), depth.checked_sub(1)) else {
        return false;
    };
    *room = less;
    fields.iter().all(|field| match &field.taint.kind {
        Kind::Row(fields) => fits(fields, below, room),
        _ => true,
    })
}
