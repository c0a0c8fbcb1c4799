//! Columns that carry how their values depend on protected ones.

use super::taint::{Kind, Taint};

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
    /// It depends on what the session sets, as far as that was asked for.
    pub(super) session: bool,
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
            session: false,
        }
    }

    /// A slot with the values of one of the two.
    pub(super) fn either(self, other: Self) -> Self {
        Self {
            pure: self.pure && other.pure && self.taint.is_like(&other.taint),
            origin: self.origin.filter(|_| self.origin == other.origin),
            taint: self.taint.either(other.taint),
            many: self.many || other.many,
            session: self.session || other.session,
            ..self
        }
    }

    pub(super) fn unknown(why: &str) -> Self {
        Self::many(Kind::Unknown(why.to_owned()).into())
    }

    pub(super) fn many(taint: Taint) -> Self {
        Self {
            name: None,
            taint,
            pure: false,
            origin: None,
            many: true,
            generated: false,
            session: false,
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
            .fold(Taint::CLEAR, |taint, slot| taint.with(slot.taint.clone())),
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
