//! What may be shown of a statement's rows: of each column, given what it depends on and what the server reports of it.

use std::sync::Arc;

use super::base::{BaseColumn, BaseColumns, How, OfClass};
use super::catalog::Catalog;
use super::document::Document;
use super::protected::Protected;
use super::resolve::Resolved;
use super::slot::Slot;
use super::taint::{Kind, Members, Taint};

/// What may be shown of a statement's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Whatever it returns, the catalog has no say in it.
    Clear,
    /// Its columns are decided one by one: see [`Resolved::rules`] and [`Resolved::copied`].
    ByColumn,
}

/// Where RowDescription says that a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldOrigin {
    /// The relation's object identifier; 0 for none.
    pub table_oid: u32,
    /// The attribute number; 0 for none.
    pub column: i16,
}

/// What to do with one output column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputRule {
    /// Pass it (detectors still look at it).
    Clear,
    /// It is a value of one of these: mask it as their class.
    Declared(OfClass),
    /// It is JSON: mask its members, each by its name.
    Members(Arc<Members>),
    /// It is JSON, or text with JSON: mask what stands at its places.
    Document(Arc<Document>),
    /// It is a row, or an array of such rows: do this with each of its fields.
    Fields(Arc<[OutputRule]>),
    /// It is a column of a view or table that is computed of these: show NULL in place of each value.
    Computed(BaseColumns),
    /// Withhold it.
    Withheld(Withheld),
}

/// Why an output column is withheld.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    /// It is computed of protected columns.
    #[error("it is computed from protected data ({0}): select the column itself, or leave it out")]
    Derived(BaseColumns),
    /// Its relation is not in the catalog: load it again, and resolve again.
    #[error(
        "its table (oid {0}) is not known yet: try again, or ask for the catalog to be refreshed"
    )]
    Relation(u32),
    /// What it depends on cannot be told.
    #[error("what it depends on is not known: {0}")]
    Unknown(String),
}

/// A column of a statement's result, as far as the statement tells.
#[derive(Debug, Clone)]
pub struct OutputColumn {
    /// What it is called, where that is known.
    pub name: Option<String>,
    /// It stands for any number of columns.
    pub many: bool,
    /// On which declared columns it depends, and how.
    pub of: Vec<(BaseColumn, How)>,
    /// Why that cannot be told.
    pub unknown: Option<String>,
}

/// A column of a `COPY … TO STDOUT`, of which the server tells nothing.
#[derive(Debug, Clone)]
pub struct CopiedColumn {
    /// What to do with its values.
    pub rule: OutputRule,
    /// What it is called.
    pub name: Option<String>,
    /// The column that all of its values are from as they are.
    pub origin: Option<FieldOrigin>,
}

impl Resolved {
    /// What to do with each column of a result, given what RowDescription reports of each.
    ///
    /// A column that the server reports as a plain column of a known table is decided at least as strictly as that
    /// column. When the number of columns is not the predicted one, only such columns are shown.
    #[must_use]
    pub fn rules(
        &self,
        fields: &[FieldOrigin],
        catalog: &Catalog,
        protected: &Protected,
    ) -> Vec<OutputRule> {
        let predicted = match self.rows {
            Rows::Clear => vec![Taint::CLEAR; fields.len()],
            Rows::ByColumn => taints(&self.columns, fields.len()),
        };
        let both = fields.iter().zip(predicted);
        both.map(|(field, taint)| with_origin(&taint, *field, catalog, protected))
            .collect()
    }

    /// The columns of its result.
    #[must_use]
    pub fn outputs(&self) -> Vec<OutputColumn> {
        let returned = self.columns.iter().filter(|_| self.rows == Rows::ByColumn);
        let output = |slot: &Slot| OutputColumn {
            name: slot.name.clone(),
            many: slot.many,
            of: slot.taint.depends(),
            unknown: match &slot.taint.kind {
                Kind::Unknown(why) => Some(why.clone()),
                _ => None,
            },
        };
        returned.map(output).collect()
    }

    /// The `count` columns of a `COPY … TO STDOUT`.
    #[must_use]
    pub fn copied(&self, count: usize) -> Vec<CopiedColumn> {
        let rules = match self.rows {
            Rows::Clear => vec![OutputRule::Clear; count],
            Rows::ByColumn => taints(&self.columns, count).iter().map(rule).collect(),
        };
        let slots = spread(&self.columns, count).unwrap_or_default();
        let mut slots = slots.into_iter();
        let column = |rule| {
            let slot = slots.next().filter(|slot| !slot.many);
            let origin = slot.and_then(|slot| slot.origin);
            CopiedColumn {
                rule,
                name: slot.and_then(|slot| slot.name.clone()),
                origin: origin.map(|(table_oid, column)| FieldOrigin { table_oid, column }),
            }
        };
        rules.into_iter().map(column).collect()
    }
}

/// Of which of all declared columns something is in a result with these columns.
pub(super) fn shown(slots: &[Slot], all: &BaseColumns) -> BaseColumns {
    let mut shown = BaseColumns::NONE;
    for slot in slots {
        if slot.taint.is_unknown() {
            return all.clone();
        }
        shown.add(&slot.taint.columns());
    }
    shown
}

/// The predicted slot of each of `count` columns; `None` where there are others than predicted.
fn spread(slots: &[Slot], count: usize) -> Option<Vec<&Slot>> {
    let single = slots.iter().filter(|slot| !slot.many).count();
    let open = slots.len() - single;
    let many = count.checked_sub(single)?;
    if open > 1 || (open == 0 && many > 0) {
        return None;
    }
    let times = |slot: &Slot| if slot.many { many } else { 1 };
    let spread = slots
        .iter()
        .flat_map(|slot| std::iter::repeat_n(slot, times(slot)));
    Some(spread.collect())
}

/// The predicted taints of `count` columns.
fn taints(slots: &[Slot], count: usize) -> Vec<Taint> {
    match spread(slots, count) {
        Some(slots) => slots.into_iter().map(|slot| slot.taint.clone()).collect(),
        None => {
            let clear = slots.iter().all(|slot| slot.taint.is_clear())
                && slots.iter().any(|slot| slot.many);
            let taint = if clear {
                Taint::CLEAR
            } else {
                let why = "the result has other columns than the statement shows";
                Kind::Unknown(why.to_owned()).into()
            };
            vec![taint; count]
        }
    }
}

fn rule(taint: &Taint) -> OutputRule {
    match &taint.kind {
        Kind::Clear => OutputRule::Clear,
        Kind::Direct(of) if is_of_catalog(of.columns()) => {
            OutputRule::Computed(of.columns().clone())
        }
        Kind::Derived(of) if is_of_catalog(of) => OutputRule::Computed(of.clone()),
        Kind::Direct(of) => OutputRule::Declared(of.clone()),
        Kind::Members(members) => OutputRule::Members(Arc::clone(members)),
        Kind::Document(document) => OutputRule::Document(Arc::clone(document)),
        Kind::Row(fields) => {
            OutputRule::Fields(fields.iter().map(|field| rule(&field.taint)).collect())
        }
        Kind::Derived(of) => OutputRule::Withheld(Withheld::Derived(of.clone())),
        Kind::Unknown(why) => OutputRule::Withheld(Withheld::Unknown(why.clone())),
    }
}

/// Whether all of it is of the server's own catalog: clients that describe tables go on without it.
fn is_of_catalog(columns: &BaseColumns) -> bool {
    !columns.is_empty() && columns.iter().all(BaseColumn::is_of_catalog)
}

fn with_origin(
    taint: &Taint,
    field: FieldOrigin,
    catalog: &Catalog,
    protected: &Protected,
) -> OutputRule {
    // What was resolved when something was protected keeps its taints.
    if protected.is_empty() {
        return rule(taint);
    }
    let known = field.table_oid != 0 && catalog.relation_by_oid(field.table_oid).is_some();
    let stored = protected.column(field.table_oid, field.column);
    match (&taint.kind, &stored.kind) {
        // Whatever it depends on, nothing of it is shown.
        (Kind::Derived(of), Kind::Derived(stored)) if known => {
            let mut of = of.clone();
            of.add(stored);
            OutputRule::Computed(of)
        }
        (Kind::Clear | Kind::Unknown(_), Kind::Derived(stored)) if known => {
            OutputRule::Computed(stored.clone())
        }
        (
            Kind::Direct(_)
            | Kind::Members(_)
            | Kind::Document(_)
            | Kind::Row(_)
            | Kind::Derived(_),
            _,
        ) => rule(taint),
        // Its whole row.
        _ if known && field.column == 0 && protected.touches(field.table_oid) => {
            OutputRule::Withheld(Withheld::Derived(protected.declared().clone()))
        }
        _ if known => rule(&stored),
        _ if field.table_oid != 0 => OutputRule::Withheld(Withheld::Relation(field.table_oid)),
        _ => rule(taint),
    }
}
