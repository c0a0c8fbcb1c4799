//! JSON that shows what it holds by the names of its members.

use std::collections::BTreeMap;

use super::super::base::OfClass;
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
}

/// Longer names are cut by the server (NAMEDATALEN).
pub(super) const NAME_BYTES_MAX: usize = 64;

pub(super) fn held(members: &Members) -> impl Iterator<Item = &OfClass> {
    members.values().filter_map(|member| match member {
        Member::Held(held) => Some(held),
        Member::Clear | Member::Members => None,
    })
}

/// Adds a member with a value of this taint. Gives whether what is protected in it goes by names.
pub(in super::super) fn add(members: &mut Members, name: &str, taint: &Taint) -> bool {
    let below = taint.clone().in_json();
    let (member, below) = match &below.kind {
        Kind::Clear => (Member::Clear, None),
        Kind::Direct(held) => (Member::Held(held.clone()), None),
        Kind::Members(below) => (Member::Members, Some(below)),
        // Where its places would be is not said by names alone, so all of it is hidden.
        Kind::Document(document) => match document.of_one_class() {
            Some(held) => (Member::Held(held), None),
            None => return false,
        },
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
        (Member::Held(a), Member::Held(b)) if a.is_like(&b) => *a = a.clone().either(&b),
        (Member::Held(_), Member::Held(_)) => return false,
        (Member::Clear, member) | (_, member @ Member::Held(_)) => *known = member,
        (Member::Members | Member::Held(_), _) => {}
    }
    true
}
