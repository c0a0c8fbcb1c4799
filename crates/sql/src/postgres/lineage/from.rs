//! Where columns come from: relations, subqueries, functions, joins.

use std::rc::Rc;

use super::super::Column;
use super::super::catalog::Relation;
use super::super::shape::{Expr, Source, SourceKind, Using};
use super::super::shape_build::STORED;
use super::super::slot::{Slot, column_of, rename, together};
use super::super::taint::{Kind, Taint};
use super::{Bound, HELD_COST, Lineage, Missing, Qualifier, Scope, session, too_much};
use crate::Name;

impl Lineage<'_> {
    pub(super) fn from(&mut self, sources: &[Source]) -> Scope {
        let mut scope = Scope::default();
        for source in sources {
            let next = self.source(source, &scope);
            scope.bounds.extend(next.bounds);
            scope.star.extend(next.star);
        }
        scope
    }

    pub(super) fn source(&mut self, source: &Source, before: &Scope) -> Scope {
        if !self.step(1) {
            return Scope {
                star: vec![Slot::many(too_much())],
                ..Scope::default()
            };
        }
        let (slots, relation) = match &source.kind {
            SourceKind::Relation(name) => (self.relation(name), Some(name)),
            SourceKind::Query(query) if source.lateral => {
                (self.beside(before, |this| this.columns(query)), None)
            }
            SourceKind::Query(query) => (self.columns(query), None),
            SourceKind::Call(Expr::Elements { by, of }) => {
                return self.elements_of(by, of, source, before);
            }
            SourceKind::Call(call) => {
                return match self.rows_of(call, source, before) {
                    Some(rows) => rows,
                    None => self.computed(std::slice::from_ref(call), source, before),
                };
            }
            SourceKind::Computed(of) => return self.computed(of, source, before),
            SourceKind::Sample(sampled, of) => {
                of.iter().for_each(|argument| self.decide_on(argument));
                return self.source(sampled, before);
            }
            SourceKind::Join {
                left,
                right,
                using,
                on,
            } => {
                let joined = self.join(left, right, using, before);
                if let Some(on) = on {
                    self.beside(&joined, |this| this.filter(on));
                }
                match &source.alias {
                    None => return joined,
                    Some(_) => (joined.star, None),
                }
            }
        };
        let alias = source.alias.clone();
        let qualifier = match relation {
            Some(name) if alias.is_none() => self.qualifier(name),
            _ => Qualifier::Nothing,
        };
        named(
            rename(slots, &source.columns),
            alias.or_else(|| relation.map(|name| name.name.clone())),
            qualifier,
            // A table's rows keep the names of its fields.
            !source.columns.is_empty(),
        )
    }

    /// Any columns, computed of these.
    fn computed(&mut self, of: &[Expr], source: &Source, before: &Scope) -> Scope {
        let taint = self.beside(before, |this| {
            this.deciding(|this| this.value(|this| this.all(of)))
        });
        self.rows_computed(taint, source)
    }

    /// Any columns that are computed as this is.
    fn rows_computed(&mut self, taint: Taint, source: &Source) -> Scope {
        self.decide_by(taint.clone());
        let taint = taint.computed();
        let mut slots: Vec<Slot> = source
            .columns
            .iter()
            .map(|name| Slot::one(Some(name.clone()), taint.clone()))
            .collect();
        slots.push(Slot::many(taint));
        named(slots, source.alias.clone(), Qualifier::Nothing, false)
    }

    /// The elements of an array of JSON as rows, which have one column and go by the item's name as well.
    fn elements_of(&mut self, by: &Name, of: &Expr, source: &Source, before: &Scope) -> Scope {
        let taint = self.beside(before, |this| this.value(|this| this.elements(by, of)));
        if !matches!(taint.kind, Kind::Document(_)) {
            return self.rows_computed(taint, source);
        }
        let value = Slot::one(Some("value".to_owned()), taint);
        let item = Slot {
            name: Some(source.alias.clone().unwrap_or_else(|| by.name.clone())),
            ..value.clone()
        };
        let mut scope = named(
            rename(vec![value], &source.columns),
            item.name.clone(),
            Qualifier::Nothing,
            true,
        );
        scope.bounds.push(Bound {
            names: Vec::new(),
            qualifier: Qualifier::Nothing,
            slots: Rc::from([item]),
            qualified: false,
            renamed: true,
        });
        scope
    }

    pub(super) fn beside<T>(&mut self, before: &Scope, run: impl FnOnce(&mut Self) -> T) -> T {
        self.step(before.bounds.len());
        self.scopes.push(before.clone());
        let result = run(self);
        self.scopes.pop();
        result
    }

    fn join(&mut self, left: &Source, right: &Source, using: &Using, before: &Scope) -> Scope {
        let left = self.source(left, before);
        let mut both = before.clone();
        both.bounds.extend(left.bounds.iter().cloned());
        self.step(both.bounds.len());
        let right = self.source(right, &both);
        let mut slots = left.star.iter().chain(&right.star);
        let unnamed = slots.any(|slot| slot.name.is_none());
        let (shared, alias): (Vec<String>, _) = match using {
            Using::Nothing => (Vec::new(), &None),
            Using::Columns(names, alias) if !unnamed => (names.clone(), alias),
            Using::Natural | Using::Columns(..) => {
                if unnamed {
                    // Which columns are merged is not known, so neither is their order.
                    let all = together(&left.star).either(together(&right.star));
                    self.decide_by(together(&left.star));
                    self.decide_by(together(&right.star));
                    let taint = if all.is_clear() {
                        all
                    } else {
                        Kind::Unknown("a join by columns that are not all known".to_owned()).into()
                    };
                    let mut bounds: Vec<Bound> =
                        left.bounds.into_iter().chain(right.bounds).collect();
                    if let Using::Columns(_, Some(alias)) = using {
                        bounds.push(merged(alias, vec![Slot::many(taint.clone())]));
                    }
                    return Scope {
                        bounds,
                        star: vec![Slot::many(taint)],
                        windows: None,
                    };
                }
                self.step(left.star.len().saturating_mul(right.star.len()));
                let in_right =
                    |slot: &&Slot| right.star.iter().any(|other| other.name == slot.name);
                let both = left.star.iter().filter(in_right);
                (both.filter_map(|slot| slot.name.clone()).collect(), &None)
            }
        };
        let mut star: Vec<Slot> = Vec::new();
        for name in &shared {
            let of = |slots: &[Slot]| {
                column_of(slots, name).unwrap_or_else(|| Slot::one(None, Taint::CLEAR))
            };
            let (in_left, in_right) = (of(&left.star), of(&right.star));
            star.push(Slot {
                name: Some(name.clone()),
                many: false,
                ..in_left.clone().either(in_right.clone())
            });
            self.join_by(in_left, in_right);
        }
        let alias = alias.as_ref().map(|alias| merged(alias, star.clone()));
        let rest = |slot: &&Slot| slot.name.as_ref().is_none_or(|name| !shared.contains(name));
        star.extend(
            left.star
                .iter()
                .filter(rest)
                .chain(right.star.iter().filter(rest))
                .cloned(),
        );
        let bounds = left.bounds.into_iter().chain(right.bounds);
        Scope {
            bounds: bounds.chain(alias).collect(),
            star,
            windows: None,
        }
    }

    /// The columns of a relation or common table expression, as far as there is room for them.
    fn relation(&mut self, name: &Name) -> Vec<Slot> {
        if self.cte_named(name).is_none() && self.catalog.candidates(name).next().is_none() {
            self.misses(Missing::Relation(name.clone()));
        }
        let columns = self.looked_up(name);
        self.asks(name);
        self.room_for(columns)
    }

    /// A column that is held costs as much as many that are looked at.
    pub(super) fn room_for(&mut self, columns: Vec<Slot>) -> Vec<Slot> {
        if self.step(columns.len().saturating_mul(HELD_COST)) {
            columns
        } else {
            vec![Slot::many(too_much())]
        }
    }

    /// The common table expression of that name.
    fn cte_named(&self, name: &Name) -> Option<&Rc<[Slot]>> {
        let known = self.ctes.get(&name.name);
        known
            .filter(|_| name.schema.is_none())
            .and_then(|stack| stack.last())
    }

    fn qualifier(&self, name: &Name) -> Qualifier {
        match &name.schema {
            Some(schema) => Qualifier::Schema(schema.clone()),
            None if self.cte_named(name).is_some() => Qualifier::Nothing,
            None => Qualifier::Searched,
        }
    }

    fn looked_up(&self, name: &Name) -> Vec<Slot> {
        if let Some(columns) = self.cte_named(name) {
            return columns.to_vec();
        }
        let candidates: Vec<&Relation> = self.catalog.candidates(name).collect();
        match candidates.as_slice() {
            [] => vec![Slot::unknown(&format!(
                "relation {name} is not in the catalog"
            ))],
            [relation] => self.slots(relation),
            several
                if several
                    .iter()
                    .all(|relation| !self.protected.touches(relation.oid)) =>
            {
                vec![Slot::many(Taint::CLEAR)]
            }
            _ => vec![Slot::unknown(&format!(
                "{name} is in more than one schema: qualify it"
            ))],
        }
    }

    fn slots(&self, relation: &Relation) -> Vec<Slot> {
        let session = session::is_told_by(relation);
        let slot = |column: &Column| Slot {
            session: session || self.protected.is_of_session(relation.oid, column.number),
            name: Some(column.name.clone()),
            taint: self.protected.column(relation.oid, column.number),
            pure: true,
            origin: Some((relation.oid, column.number)),
            many: false,
            generated: column.generated,
        };
        relation.columns.iter().map(slot).collect()
    }

    pub(super) fn star(&self, path: &[String]) -> Vec<Slot> {
        let Some(table) = path.last() else {
            return self
                .scopes
                .last()
                .map(|scope| scope.star.clone())
                .unwrap_or_default();
        };
        if table == STORED {
            let star = self
                .scopes
                .last()
                .map(|scope| scope.star.clone())
                .unwrap_or_default();
            return star.into_iter().filter(|slot| !slot.generated).collect();
        }
        match self.bound(path) {
            Some(bound) => bound.slots.to_vec(),
            None => vec![Slot::unknown(&format!("{table}.* is not in scope"))],
        }
    }

    /// The item that a qualifier names, innermost first; `None` where there is none, or it may be another.
    pub(super) fn bound(&self, qualifier: &[String]) -> Option<&Bound> {
        let (is_sure, bound) = self.bounds_of(qualifier).next()?;
        is_sure.then_some(bound)
    }

    /// The items that a qualifier may name, innermost first, and whether each is surely one.
    pub(super) fn bounds_of(&self, qualifier: &[String]) -> impl Iterator<Item = (bool, &Bound)> {
        let (table, schema) = match qualifier {
            [.., schema, table] => (Some(table), Some(schema)),
            [table] => (Some(table), None),
            [] => (None, None),
        };
        let named = move |bound: &&Bound| table.is_some_and(|table| bound.names.contains(table));
        let fits = move |bound| Some((self.is_of(bound, schema?, table?)?, bound));
        let scopes = self.scopes.iter().rev();
        let bounds = scopes.flat_map(move |scope| scope.bounds.iter().filter(named));
        bounds.filter_map(move |bound| match schema {
            None => Some((true, bound)),
            Some(_) => fits(bound),
        })
    }

    /// Whether an item is the table of that schema: `None` for no, `Some(false)` for perhaps.
    fn is_of(&self, bound: &Bound, schema: &String, table: &String) -> Option<bool> {
        match &bound.qualifier {
            Qualifier::Schema(other) => (other == schema).then_some(true),
            Qualifier::Nothing => None,
            Qualifier::Searched => {
                let name = Name::bare(table);
                let mut candidates = self.catalog.candidates(&name);
                let mut others = 0;
                let is_there = candidates.any(|relation| {
                    others += 1;
                    relation.schema == *schema
                });
                let is_only = others <= 1 && candidates.next().is_none();
                match (is_there, others) {
                    (true, _) => Some(is_only),
                    (false, 0) => Some(false),
                    (false, _) => None,
                }
            }
        }
    }
}

/// `JOIN … USING (…) AS alias`: the columns that were made one go by that name too.
fn merged(alias: &str, slots: Vec<Slot>) -> Bound {
    Bound {
        names: vec![alias.to_owned()],
        qualifier: Qualifier::Nothing,
        slots: slots.into(),
        qualified: true,
        renamed: false,
    }
}

pub(super) fn named(
    slots: Vec<Slot>,
    name: Option<String>,
    qualifier: Qualifier,
    renamed: bool,
) -> Scope {
    let bound = Bound {
        names: name.into_iter().collect(),
        qualifier,
        slots: slots.clone().into(),
        qualified: false,
        renamed,
    };
    Scope {
        bounds: vec![bound],
        star: slots,
        windows: None,
    }
}
