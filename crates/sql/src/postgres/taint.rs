//! How values depend on protected columns, and columns that carry it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::DataClass;

use super::document::Document;

/// A row of more fields, those of the rows in it counted in, is taken for a value computed of them: as many as two rows of the widest
/// tables (1,600 columns) have. Rows share what they hold, so that a few words make one of any size; who looks at it sees all of it.
const FIELDS_MAX: usize = 4_096;
/// The same of rows within rows: JSON made of them is read by people, and who looks at them goes down as deep.
const DEPTH_MAX: usize = 16;

/// How a value depends on protected columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taint {
    /// Not at all.
    Clear,
    /// It is a value of this class.
    Direct(DataClass),
    /// It is JSON that shows what it holds by names.
    Members(Arc<Members>),
    /// It is JSON, or text with JSON, that holds values at some paths.
    Document(Arc<Document>),
    /// It is a row with these fields in order, or an array of such rows.
    Row(Arc<[RowField]>),
    /// It is computed of values of these classes.
    Derived(BTreeSet<DataClass>),
    /// This cannot be told, for this reason.
    Unknown(String),
}

/// A field of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowField {
    /// `None` where it is not known, or not what JSON calls it.
    pub(super) name: Option<String>,
    /// Never [`Taint::Derived`] nor [`Taint::Unknown`], for then all of the row is.
    pub(super) taint: Taint,
}

/// What the members of JSON hold, by their names, at whatever depth.
pub type Members = BTreeMap<String, Member>;

/// What a member holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// Nothing protected, all the way down.
    Clear,
    /// Members that are in the same list.
    Members,
    /// Values of this class, all the way down.
    Held(DataClass),
}

impl Taint {
    /// The classes it depends on.
    pub fn classes(&self) -> BTreeSet<DataClass> {
        let mut classes = BTreeSet::new();
        self.add_classes(&mut classes);
        classes
    }

    fn add_classes(&self, classes: &mut BTreeSet<DataClass>) {
        let mut add = |class: &DataClass| {
            if !classes.contains(class) {
                classes.insert(class.clone());
            }
        };
        match self {
            Self::Clear | Self::Unknown(_) => {}
            Self::Direct(class) => add(class),
            Self::Members(members) => held(members).for_each(add),
            Self::Document(document) => document.classes().iter().for_each(add),
            Self::Row(fields) => fields
                .iter()
                .for_each(|field| field.taint.add_classes(classes)),
            Self::Derived(of) => of.iter().for_each(add),
        }
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
        let hidden = |field: &RowField| matches!(field.taint, Self::Derived(_) | Self::Unknown(_));
        if fields.iter().any(hidden) {
            return fields
                .into_iter()
                .fold(Self::Clear, |taint, field| taint.with(field.taint));
        }
        if fields.iter().all(|field| field.taint == Self::Clear) {
            return Self::Clear;
        }
        let mut room = FIELDS_MAX;
        if fits(&fields, DEPTH_MAX, &mut room) {
            Self::Row(fields.into())
        } else {
            fields
                .into_iter()
                .fold(Self::Clear, |taint, field| taint.with(field.taint))
        }
    }

    /// The taint of the same value as text, where nothing goes by names or places.
    pub(super) fn in_text(self) -> Self {
        match self {
            Self::Members(_) | Self::Row(_) => self.computed(),
            other => other,
        }
    }

    /// The taint of JSON made of the value.
    pub(super) fn in_json(self) -> Self {
        let Self::Row(fields) = &self else {
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
        Self::of_members(members)
    }

    /// The taint of a row's field, where it is known to have one of this name.
    pub(super) fn field(&self, name: &str) -> Option<Self> {
        let Self::Row(fields) = self else {
            return None;
        };
        let mut named = fields
            .iter()
            .filter(|field| field.name.as_deref() == Some(name));
        let field = named.next()?;
        named.next().is_none().then(|| field.taint.clone())
    }

    /// The taint of JSON with these members.
    pub(super) fn of_members(members: Members) -> Self {
        if held(&members).next().is_some() {
            Self::Members(Arc::new(members))
        } else {
            Self::Clear
        }
    }

    /// The taint of JSON with values at these places.
    pub(super) fn of_document(document: Document) -> Self {
        if document.is_empty() {
            Self::Clear
        } else {
            Self::Document(Arc::new(document))
        }
    }

    /// The taint of a value that is one of the two.
    pub(super) fn either(self, other: Self) -> Self {
        match (self, other) {
            // What the other's fields are called is not known, and the server may go by its names.
            (Self::Clear, taint) | (taint, Self::Clear) => taint.unnamed(),
            (Self::Direct(a), Self::Direct(b)) if a == b => Self::Direct(a),
            (Self::Document(a), Self::Document(b)) if a == b => Self::Document(a),
            (Self::Members(a), Self::Members(b)) => match merged(&a, &b) {
                Some(members) => Self::Members(Arc::new(members)),
                None => Self::Members(a).with(Self::Members(b)),
            },
            (Self::Row(a), Self::Row(b)) if a.len() == b.len() => {
                let both = a.iter().zip(b.iter());
                let either = |(a, b): (&RowField, &RowField)| RowField {
                    name: a.name.clone().filter(|_| a.name == b.name),
                    taint: a.taint.clone().either(b.taint.clone()),
                };
                Self::of_fields(both.map(either).collect())
            }
            (a, b) => a.with(b),
        }
    }

    /// The same, where nobody knows what the fields of a row are called.
    fn unnamed(self) -> Self {
        let Self::Row(fields) = self else {
            return self;
        };
        let unnamed = |field: &RowField| RowField {
            name: None,
            taint: field.taint.clone().unnamed(),
        };
        Self::Row(fields.iter().map(unnamed).collect())
    }

    /// The taint of a value computed of both.
    pub(super) fn with(self, other: Self) -> Self {
        match (self.computed(), other.computed()) {
            (Self::Clear, taint) | (taint, Self::Clear) => taint,
            (Self::Derived(mut a), Self::Derived(b)) => {
                a.extend(b);
                Self::Derived(a)
            }
            (derived @ Self::Derived(_), _) | (_, derived @ Self::Derived(_)) => derived,
            (unknown, _) => unknown,
        }
    }

    /// The taint of a value computed of this one.
    pub(super) fn computed(self) -> Self {
        match self {
            Self::Direct(_) | Self::Members(_) | Self::Document(_) | Self::Row(_) => {
                Self::Derived(self.classes())
            }
            other => other,
        }
    }
}

/// Whether there is room for these fields and all in them, and depth.
fn fits(fields: &[RowField], depth: usize, room: &mut usize) -> bool {
    let (Some(less), Some(below)) = (room.checked_sub(fields.len()), depth.checked_sub(1)) else {
        return false;
    };
    *room = less;
    fields.iter().all(|field| match &field.taint {
        Taint::Row(fields) => fits(fields, below, room),
        _ => true,
    })
}

/// Longer names are cut by the server (NAMEDATALEN).
const NAME_BYTES_MAX: usize = 64;

fn held(members: &Members) -> impl Iterator<Item = &DataClass> {
    members.values().filter_map(|member| match member {
        Member::Held(class) => Some(class),
        Member::Clear | Member::Members => None,
    })
}

/// Adds a member with a value of this taint. Gives whether what is protected in it goes by names.
pub(super) fn add(members: &mut Members, name: &str, taint: &Taint) -> bool {
    let below = taint.clone().in_json();
    let (member, below) = match &below {
        Taint::Clear => (Member::Clear, None),
        Taint::Direct(class) => (Member::Held(class.clone()), None),
        Taint::Members(below) => (Member::Members, Some(below)),
        // Where its places would be is not said by names alone, so all of it is hidden.
        Taint::Document(document) => match document.classes().pop_first() {
            Some(class) if document.classes().len() == 1 => (Member::Held(class), None),
            _ => return false,
        },
        Taint::Row(_) | Taint::Derived(_) | Taint::Unknown(_) => return false,
    };
    insert(members, name, member)
        && below.is_none_or(|below| {
            below
                .iter()
                .all(|(name, member)| insert(members, name, member.clone()))
        })
}

/// The members of both; `None` where the same name holds values of two classes.
fn merged(one: &Members, other: &Members) -> Option<Members> {
    let mut members = one.clone();
    other
        .iter()
        .all(|(name, member)| insert(&mut members, name, member.clone()))
        .then_some(members)
}

/// Of two that go by the same name, what hides more counts.
fn insert(members: &mut Members, name: &str, member: Member) -> bool {
    let known = members.entry(name.to_owned()).or_insert(Member::Clear);
    match (&*known, member) {
        (Member::Held(a), Member::Held(b)) => return *a == b,
        (Member::Clear, member) | (_, member @ Member::Held(_)) => *known = member,
        (Member::Members | Member::Held(_), _) => {}
    }
    true
}

/// One output column, or any number of them.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// `None` when it is not known.
    pub(super) name: Option<String>,
    pub(super) taint: Taint,
    /// Every value comes from a column of a relation as it is, with nothing mixed in.
    pub(super) pure: bool,
    /// That column, as relation and attribute number, where there is but one.
    pub(super) origin: Option<(u32, i16)>,
    /// It stands for any number of columns.
    pub(super) many: bool,
    /// Computed by the server, so that `COPY` leaves it out.
    pub(super) generated: bool,
}

impl Slot {
    pub(super) fn one(name: Option<String>, taint: Taint) -> Self {
        Self {
            name,
            taint,
            pure: false,
            origin: None,
            many: false,
            generated: false,
        }
    }

    /// A slot with the values of one of the two.
    pub(super) fn either(self, other: Self) -> Self {
        Self {
            pure: self.pure && other.pure && self.taint == other.taint,
            origin: self.origin.filter(|_| self.origin == other.origin),
            taint: self.taint.either(other.taint),
            many: self.many || other.many,
            ..self
        }
    }

    pub(super) fn unknown(why: &str) -> Self {
        Self::many(Taint::Unknown(why.to_owned()))
    }

    pub(super) fn many(taint: Taint) -> Self {
        Self {
            name: None,
            taint,
            pure: false,
            origin: None,
            many: true,
            generated: false,
        }
    }
}

/// The column of that name, or one that may have it.
pub(super) fn column_of(slots: &[Slot], name: &str) -> Option<Slot> {
    exact(slots, name).or_else(|| {
        let unnamed = slots.iter().filter(|slot| slot.name.is_none());
        unnamed.cloned().reduce(Slot::either)
    })
}

/// The column of that name.
pub(super) fn exact(slots: &[Slot], name: &str) -> Option<Slot> {
    let named = slots
        .iter()
        .filter(|slot| slot.name.as_deref() == Some(name));
    named.cloned().reduce(Slot::either)
}

/// The taint of all columns taken together; of one column its own.
pub(super) fn together(slots: &[Slot]) -> Taint {
    match slots {
        [one] if !one.many => one.taint.clone(),
        several => several
            .iter()
            .fold(Taint::Clear, |taint, slot| taint.with(slot.taint.clone())),
    }
}

/// Applies an alias list.
pub(super) fn rename(mut slots: Vec<Slot>, names: &[String]) -> Vec<Slot> {
    if names.is_empty() {
        return slots;
    }
    if slots.iter().take(names.len()).any(|slot| slot.many) || slots.len() < names.len() {
        // Which column gets which name is not known.
        let taint = together(&slots).computed();
        let mut renamed: Vec<Slot> = names
            .iter()
            .map(|name| Slot::one(Some(name.clone()), taint.clone()))
            .collect();
        renamed.push(Slot::many(taint));
        return renamed;
    }
    for (slot, name) in slots.iter_mut().zip(names) {
        slot.name = Some(name.clone());
    }
    slots
}

/// The columns of a set operation, by position.
pub(super) fn merge(left: Vec<Slot>, right: Vec<Slot>) -> Vec<Slot> {
    if left.len() != right.len() || left.iter().chain(&right).any(|slot| slot.many) {
        let taint = together(&left).with(together(&right));
        let names = left.into_iter().map(|slot| slot.name);
        let taint = &taint;
        return names
            .map(|name| Slot {
                many: name.is_none(),
                ..Slot::one(name, taint.clone())
            })
            .collect();
    }
    let both = left.into_iter().zip(right);
    both.map(|(l, r)| l.either(r)).collect()
}
