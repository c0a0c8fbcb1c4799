//! What the server asks by itself of rows that are read or written: constraints, expressions of indexes and of generated columns,
//! policies of row-level security, and the conditions of views that check what is written through them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::base::{BaseColumn, BaseColumns};
use super::super::catalog::{Catalog, Relation, RelationKind};
use super::super::lineage::{Lineage, Told};
use super::super::shape::Shape;
use super::{Protected, VIEW_DEPTH_MAX, grow};

/// Columns that one check stands over, of which some are protected.
#[derive(Debug, Clone)]
pub(super) struct Check {
    members: BTreeSet<i16>,
    /// It computes with them, and does not only ask whether another row has the same.
    computes: bool,
    /// Of which it tells something, where that is known: of what is only tested for NULL it does not.
    told: Option<BaseColumns>,
}

/// What checks of a write tell.
#[derive(Debug, Default)]
pub(in super::super) struct Checked {
    /// Columns with which something is computed.
    pub(in super::super) computed: BaseColumns,
    /// Columns of which it is asked whether another row has the same.
    pub(in super::super) compared: BaseColumns,
}

/// Columns that are written, and whether what is written depends on nothing protected.
type Written = HashMap<(u32, i16), bool>;

impl Protected {
    /// Of what a relation asks what the session sets, as it is read.
    pub(in super::super) fn asked(&self, relation: u32) -> Option<&BaseColumns> {
        self.asked.get(&relation)
    }

    /// Whether a column of a view is what the session sets.
    pub(in super::super) fn is_of_session(&self, relation: u32, number: i16) -> bool {
        self.of_session.contains(&(relation, number))
    }

    /// Follows what policies ask.
    pub(super) fn add_policies(&mut self, catalog: &Catalog) {
        let policies = catalog.asked.iter().filter(|it| it.by.is_none());
        for policy in policies {
            if !self.touches(policy.relation) {
                continue;
            }
            let asked = match &policy.query {
                Some(query) => self.told(query, catalog).asked,
                None => self.declared.clone(),
            };
            grow(&mut self.asked, policy.relation, &asked);
        }
        if self.asked.is_empty() {
            return;
        }
        // What is asked of a table is asked through the views over it.
        for _ in 0..VIEW_DEPTH_MAX {
            let mut grew = false;
            for (view, relation, _) in &catalog.depends {
                let is_live = |it: &Relation| it.kind == RelationKind::View;
                let asked = self.asked.get(relation).cloned();
                if let Some(asked) = asked
                    && catalog.relation_by_oid(*view).is_some_and(is_live)
                {
                    grew |= grow(&mut self.asked, *view, &asked);
                }
            }
            if !grew {
                return;
            }
        }
    }

    fn told(&self, query: &Shape, catalog: &Catalog) -> Told {
        let mut lineage = Lineage::of_definition(catalog, self);
        lineage.columns(query);
        lineage.told
    }

    /// Keeps the checks over several columns of which some are protected.
    pub(super) fn add_checks(&mut self, catalog: &Catalog) {
        let mut all: BTreeMap<(u32, u32), Check> = BTreeMap::new();
        let mut add = |by: (u32, u32), members: &[i16], computes: bool| {
            let check = all.entry(by).or_insert_with(|| Check {
                members: BTreeSet::new(),
                computes: false,
                told: None,
            });
            check.members.extend(members);
            check.computes |= computes;
        };
        for one in &catalog.constrained {
            let Some(relation) = catalog.relation_by_oid(one.relation) else {
                continue;
            };
            let every: Vec<i16> = relation.columns.iter().map(|it| it.number).collect();
            let members = match one.number {
                0 => every.as_slice(),
                _ => std::slice::from_ref(&one.number),
            };
            add((one.relation, one.by), members, one.computes);
        }
        for (relation, number, of) in &catalog.computed {
            // No constraint has a number so small.
            add((*relation, number.unsigned_abs().into()), &[*of], true);
        }
        for asked in catalog.asked.iter().filter(|it| self.touches(it.relation)) {
            let by = asked.by.map(|by| (asked.relation, by));
            if let (Some(check), Some(query)) = (by.and_then(|by| all.get_mut(&by)), &asked.query) {
                let told = self.told(query, catalog).predicates(&self.declared);
                let mut columns = told.matched;
                columns.add(&told.probed);
                check.told = Some(columns);
            }
        }
        for ((relation, _), check) in all {
            let is_view = catalog
                .relation_by_oid(relation)
                .is_some_and(|it| it.kind == RelationKind::View);
            let mut members = check.members.iter();
            let protected = members.any(|it| !self.column(relation, *it).is_clear());
            let checks = if is_view {
                self.conditions.contains_key(&relation)
            } else {
                protected && check.members.len() > 1
            };
            if checks {
                self.checks.entry(relation).or_default().push(check);
            }
        }
    }

    /// What the checks of a write tell. Where a row `stays`, its other columns keep their values, and otherwise have defaults.
    pub(in super::super) fn checked(
        &self,
        catalog: &Catalog,
        written: &Written,
        stays: bool,
    ) -> Checked {
        let mut checked = Checked::default();
        if self.checks.is_empty() {
            return checked;
        }
        let mut places = Written::new();
        for (place, clear) in written {
            let mut place = *place;
            for _ in 0..VIEW_DEPTH_MAX {
                // Whatever stands behind a view that checks rows, its condition is asked.
                if let Some(conditions) = self.conditions.get(&place.0)
                    && self.checks.contains_key(&place.0)
                {
                    checked.computed.add(conditions);
                }
                match self.stands_for.get(&place) {
                    Some(of) => place = *of,
                    None => break,
                }
            }
            places.insert(place, *clear);
        }
        let relations: HashSet<u32> = places.keys().map(|(relation, _)| *relation).collect();
        for relation in relations {
            let Some(relation) = catalog.relation_by_oid(relation) else {
                continue;
            };
            for part in parts(relation, catalog) {
                self.check(part, &of_part(relation, part, &places), stays, &mut checked);
            }
        }
        checked
    }

    fn check(
        &self,
        relation: &Relation,
        written: &HashMap<i16, bool>,
        stays: bool,
        checked: &mut Checked,
    ) {
        for check in self.checks.get(&relation.oid).into_iter().flatten() {
            if relation.kind == RelationKind::View
                || !check.members.iter().any(|it| written.contains_key(it))
            {
                continue;
            }
            for number in &check.members {
                let tells = match written.get(number) {
                    Some(clear) => !clear,
                    None => stays,
                };
                let told = |it: &&BaseColumn| {
                    let told = check.told.as_ref();
                    told.is_none_or(|told| told.iter().any(|column| column == *it))
                };
                let columns = self.column(relation.oid, *number).columns();
                let columns: BaseColumns = columns.iter().filter(told).cloned().collect();
                match (tells, check.computes) {
                    (false, _) => {}
                    (true, true) => checked.computed.add(&columns),
                    (true, false) => checked.compared.add(&columns),
                }
            }
        }
    }
}

/// A table, its partitions and those that inherit from it.
fn parts<'a>(relation: &'a Relation, catalog: &'a Catalog) -> Vec<&'a Relation> {
    let mut parts = vec![relation];
    let mut at = 0;
    while let Some(parent) = parts.get(at).map(|part| part.oid) {
        at += 1;
        let children = catalog.inherits.iter().filter(|(_, of)| *of == parent);
        for child in children.filter_map(|(child, _)| catalog.relation_by_oid(*child)) {
            if !parts.iter().any(|part| part.oid == child.oid) {
                parts.push(child);
            }
        }
    }
    parts
}

/// The columns of a part that are written, by the names that they have in the whole.
fn of_part(whole: &Relation, part: &Relation, written: &Written) -> HashMap<i16, bool> {
    let columns = whole.columns.iter().filter_map(|column| {
        let clear = written.get(&(whole.oid, column.number))?;
        let same = part.columns.iter().find(|it| it.name == column.name)?;
        Some((same.number, *clear))
    });
    columns.collect()
}
