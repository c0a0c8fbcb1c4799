//! JSON that shows what it holds by the names of its members.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::base::{BaseColumns, OfClass};
use super::super::document::Document;
use super::{Kind, Taint};

/// What the members of JSON hold, by their names, at whatever depth.
pub type Members = BTreeMap<String, Member>;

/// What a member holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// Nothing protected, all the way down.
    Clear,
    /// Members that are in the same list.
    Members,
    /// Values of a class, all the way down.
    Held(OfClass),
    /// JSON, or text with JSON, that holds values at some places.
    Document(Arc<Document>),
}

/// Longer names are cut by the server (NAMEDATALEN).
pub(super) const NAME_BYTES_MAX: usize = 64;

impl Member {
    /// Of which columns it holds values.
    #[must_use]
    pub fn columns(&self) -> Option<&BaseColumns> {
        match self {
            Self::Held(held) => Some(held.columns()),
            Self::Document(document) => Some(document.columns()),
            Self::Clear | Self::Members => None,
        }
    }
}

pub(super) fn held(members: &Members) -> impl Iterator<Item = &BaseColumns> {
    members.values().filter_map(Member::columns)
}

/// Adds a member with a value of this taint. Gives whether what is protected in it goes by names.
pub(in super::super) fn add(members: &mut Members, name: &str, taint: &Taint) -> bool {
    let below = taint.clone().in_json();
    let (member, below) = match &below.kind {
        Kind::Clear => (Member::Clear, None),
        Kind::Direct(held) => (Member::Held(held.clone()), None),
        Kind::Members(below) => (Member::Members, Some(below)),
        Kind::Document(document) => (Member::Document(Arc::clone(document)), None),
        Kind::Row(_) | Kind::Derived(_) | Kind::Unknown(_) => return false,
    };
    insert(members, name, member)
        && below.is_none_or(|below| {
            below
                .iter()
                .all(|(name, member)| insert(members, name, member.clone()))
        })
}

/// The members of both; `None` where the same name holds values of two classes.
pub(super) fn merged(one: &Members, other: &Members) -> Option<Members> {
    let mut members = one.clone();
    other
        .iter()
        .all(|(name, member)| insert(&mut members, name, member.clone()))
        .then_some(members)
}

/// Of two that go by the same name, what hides more counts.
fn insert(members: &mut Members, name: &str, member: Member) -> bool {
    let known = members.entry(name.to_owned()).or_insert(Member::Clear);
    match (&mut *known, member) {
        (_, Member::Clear) => {}
        (Member::Clear, member) => *known = member,
        (Member::Held(a), Member::Held(b)) if a.is_like(&b) => *a = a.clone().either(&b),
        (Member::Held(_), Member::Held(_)) => return false,
        (Member::Document(a), Member::Document(b)) if a.is_like(&b) => {}
        // Of one class, all of it is hidden.
        (Member::Held(held), Member::Document(document)) => match document.of_one_class() {
            Some(of) if held.is_like(&of) => *held = held.clone().or(of.columns()),
            _ => return false,
        },
        (Member::Document(document), Member::Held(held)) => match document.of_one_class() {
            Some(of) if held.is_like(&of) => *known = Member::Held(held.or(of.columns())),
            _ => return false,
        },
        (Member::Document(_), _) | (_, Member::Document(_)) => return false,
        (_, member @ Member::Held(_)) => *known = member,
        (Member::Members | Member::Held(_), Member::Members) => {}
    }
    true
}
