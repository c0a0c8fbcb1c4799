//! What each output column of a query depends on, as far as protected columns go.

mod value;

use std::collections::HashMap;
use std::rc::Rc;

use super::catalog::{Catalog, Relation};
use super::protected::Protected;
use super::shape::{Body, Change, Expr, Shape, Source, SourceKind, Target, Using};
use super::shape_build::STORED;
use super::taint::{Slot, Taint, column_of, merge, rename, together};
use crate::Name;

/// How many expressions, sources and columns in scope one statement may have looked at, recursion included.
const STEPS_MAX: usize = 20_000_000;
/// What a column held in memory costs, in steps.
const HELD_COST: usize = 40;
/// Columns that every table has.
const SYSTEM_COLUMNS: &[&str] = &["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// A named item in scope.
#[derive(Clone)]
struct Bound {
    names: Vec<String>,
    schema: Option<String>,
    slots: Rc<[Slot]>,
}

/// What a `FROM` makes visible, and what `*` means there.
#[derive(Clone, Default)]
struct Scope {
    bounds: Vec<Bound>,
    star: Vec<Slot>,
}

/// Follows the columns of one statement.
pub(super) struct Lineage<'a> {
    catalog: &'a Catalog,
    protected: &'a Protected,
    ctes: HashMap<String, Vec<Rc<[Slot]>>>,
    scopes: Vec<Scope>,
    steps: usize,
    /// A protected value, or one that may be, was stored where it is not declared.
    pub(super) stores: Taint,
}

impl<'a> Lineage<'a> {
    pub(super) fn new(catalog: &'a Catalog, protected: &'a Protected) -> Self {
        Self {
            catalog,
            protected,
            ctes: HashMap::new(),
            scopes: Vec::new(),
            steps: 0,
            stores: Taint::Clear,
        }
    }

    fn step(&mut self, cost: usize) -> bool {
        self.steps = self.steps.saturating_add(cost);
        self.steps <= STEPS_MAX
    }

    /// How much there is to look through for a name.
    fn width(&self) -> usize {
        self.scopes
            .iter()
            .map(|scope| scope.star.len() + scope.bounds.len() + 1)
            .sum()
    }

    fn store(&mut self, taint: Taint) {
        self.stores = std::mem::replace(&mut self.stores, Taint::Clear).with(taint);
    }

    /// The output columns of a query.
    pub(super) fn columns(&mut self, shape: &Shape) -> Vec<Slot> {
        self.query(shape, false)
    }

    /// The columns of a query. Where it stands for a value, whether it has a row shows in the value.
    fn query(&mut self, shape: &Shape, is_value: bool) -> Vec<Slot> {
        if !self.step(1) {
            return vec![Slot::many(too_much())];
        }
        let entered = self.enter_ctes(shape);
        let columns = match &shape.body {
            Body::Select {
                from,
                outputs,
                conditions,
            } => {
                let scope = self.from(from);
                self.scopes.push(scope);
                let mut columns = self.targets(outputs);
                // Asked in any case: what a condition calls may store.
                let condition = self.all(conditions).computed();
                self.scopes.pop();
                if is_value && matches!(condition, Taint::Derived(_)) {
                    for column in &mut columns {
                        column.taint = column.taint.clone().with(condition.clone());
                    }
                }
                columns
            }
            Body::SetOperation(left, right) => {
                let left = self.query(left, is_value);
                let right = self.query(right, is_value);
                merge(left, right)
            }
            Body::Values(values) => {
                let named = |index: usize| Some(format!("column{}", index + 1));
                values
                    .iter()
                    .enumerate()
                    .map(|(i, value)| Slot::one(named(i), self.expr(value)))
                    .collect()
            }
            Body::Change(change) => self.change(change),
            Body::Unknown => vec![Slot::many(Taint::Unknown(
                "a query of a kind not known here".to_owned(),
            ))],
        };
        for name in entered {
            self.ctes.get_mut(&name).map(Vec::pop);
        }
        if shape.stored {
            columns
                .iter()
                .for_each(|column| self.store(column.taint.clone()));
        }
        columns
    }

    fn enter_ctes(&mut self, shape: &Shape) -> Vec<String> {
        let mut entered = Vec::with_capacity(shape.ctes.len());
        if shape.recursive {
            for cte in &shape.ctes {
                let unknown = Taint::Unknown(format!("{} is used before it is defined", cte.name));
                self.ctes
                    .entry(cte.name.clone())
                    .or_default()
                    .push(Rc::from([Slot::many(unknown)]));
                entered.push(cte.name.clone());
            }
        }
        for cte in &shape.ctes {
            let columns = if shape.recursive {
                self.recursive(cte)
            } else {
                self.cte(cte)
            };
            if shape.recursive {
                self.ctes.get_mut(&cte.name).map(Vec::pop);
            } else {
                entered.push(cte.name.clone());
            }
            self.ctes
                .entry(cte.name.clone())
                .or_default()
                .push(columns.into());
        }
        entered
    }

    fn cte(&mut self, cte: &super::shape::Cte) -> Vec<Slot> {
        let mut columns = rename(self.columns(&cte.shape), &cte.columns);
        let all = together(&columns).computed();
        columns.extend(
            cte.added
                .iter()
                .map(|name| Slot::one(Some(name.clone()), all.clone())),
        );
        columns
    }

    /// Evaluates a term that may use itself until what it depends on does not grow.
    fn recursive(&mut self, cte: &super::shape::Cte) -> Vec<Slot> {
        let Body::SetOperation(first, _) = &cte.shape.body else {
            return self.cte(cte);
        };
        // The first term may use the WITH list inside the recursive query, which only cte() enters.
        let mut columns = if cte.shape.ctes.is_empty() {
            rename(self.columns(first), &cte.columns)
        } else {
            return self.cte(cte);
        };
        for _ in 0..4 {
            self.ctes
                .entry(cte.name.clone())
                .or_default()
                .push(columns.clone().into());
            let next = self.cte(cte);
            self.ctes.get_mut(&cte.name).map(Vec::pop);
            let same = next.len() == columns.len()
                && next.iter().zip(&columns).all(|(a, b)| a.taint == b.taint);
            columns = next;
            if same {
                return columns;
            }
        }
        let all = together(&columns).computed();
        columns
            .iter_mut()
            .for_each(|column| column.taint = all.clone());
        columns
    }

    fn from(&mut self, sources: &[Source]) -> Scope {
        let mut scope = Scope::default();
        for source in sources {
            let next = self.source(source, &scope);
            scope.bounds.extend(next.bounds);
            scope.star.extend(next.star);
        }
        scope
    }

    fn source(&mut self, source: &Source, before: &Scope) -> Scope {
        if !self.step(1) {
            return Scope {
                bounds: Vec::new(),
                star: vec![Slot::many(too_much())],
            };
        }
        let (slots, name, schema) = match &source.kind {
            SourceKind::Relation(name) => (
                self.relation(name),
                Some(name.name.clone()),
                name.schema.clone(),
            ),
            SourceKind::Query(query) if source.lateral => {
                (self.beside(before, |this| this.columns(query)), None, None)
            }
            SourceKind::Query(query) => (self.columns(query), None, None),
            SourceKind::Computed(of) => {
                let taint = self.beside(before, |this| this.all(of)).computed();
                let mut slots: Vec<Slot> = source
                    .columns
                    .iter()
                    .map(|name| Slot::one(Some(name.clone()), taint.clone()))
                    .collect();
                slots.push(Slot::many(taint));
                return named(slots, source.alias.clone(), None);
            }
            SourceKind::Join { left, right, using } => {
                let joined = self.join(left, right, using, before);
                match &source.alias {
                    None => return joined,
                    Some(_) => (joined.star, None, None),
                }
            }
        };
        let schema = schema.filter(|_| source.alias.is_none());
        named(
            rename(slots, &source.columns),
            source.alias.clone().or(name),
            schema,
        )
    }

    fn beside<T>(&mut self, before: &Scope, run: impl FnOnce(&mut Self) -> T) -> T {
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
        let shared: Vec<String> = match using {
            Using::Nothing => Vec::new(),
            Using::Columns(names) => names.clone(),
            Using::Natural => {
                if left
                    .star
                    .iter()
                    .chain(&right.star)
                    .any(|slot| slot.name.is_none())
                {
                    // Which columns are merged is not known, so neither is their order.
                    let all = together(&left.star).either(together(&right.star));
                    let taint = if all == Taint::Clear {
                        all
                    } else {
                        Taint::Unknown("a natural join".to_owned())
                    };
                    let bounds = left.bounds.into_iter().chain(right.bounds).collect();
                    return Scope {
                        bounds,
                        star: vec![Slot::many(taint)],
                    };
                }
                self.step(left.star.len().saturating_mul(right.star.len()));
                let in_right =
                    |slot: &&Slot| right.star.iter().any(|other| other.name == slot.name);
                left.star
                    .iter()
                    .filter(in_right)
                    .filter_map(|slot| slot.name.clone())
                    .collect()
            }
        };
        let mut star: Vec<Slot> = Vec::new();
        for name in &shared {
            let of = |slots: &[Slot]| column_of(slots, name).unwrap_or(Taint::Clear);
            star.push(Slot::one(
                Some(name.clone()),
                of(&left.star).either(of(&right.star)),
            ));
        }
        let rest = |slot: &&Slot| slot.name.as_ref().is_none_or(|name| !shared.contains(name));
        star.extend(
            left.star
                .iter()
                .filter(rest)
                .chain(right.star.iter().filter(rest))
                .cloned(),
        );
        Scope {
            bounds: left.bounds.into_iter().chain(right.bounds).collect(),
            star,
        }
    }

    /// The columns of a relation or common table expression, as far as there is room for them.
    fn relation(&mut self, name: &Name) -> Vec<Slot> {
        let columns = self.looked_up(name);
        self.room_for(columns)
    }

    /// A column that is held costs as much as many that are looked at.
    fn room_for(&mut self, columns: Vec<Slot>) -> Vec<Slot> {
        if self.step(columns.len().saturating_mul(HELD_COST)) {
            columns
        } else {
            vec![Slot::many(too_much())]
        }
    }

    fn looked_up(&self, name: &Name) -> Vec<Slot> {
        if name.schema.is_none()
            && let Some(columns) = self.ctes.get(&name.name).and_then(|stack| stack.last())
        {
            return columns.to_vec();
        }
        let candidates: Vec<&Relation> = self.catalog.candidates(name).collect();
        match candidates.as_slice() {
            [] => vec![Slot::many(Taint::Unknown(format!(
                "relation {name} is not in the catalog"
            )))],
            [relation] => self.slots(relation),
            several
                if several
                    .iter()
                    .all(|relation| !self.protected.touches(relation.oid)) =>
            {
                vec![Slot::many(Taint::Clear)]
            }
            _ => vec![Slot::many(Taint::Unknown(format!(
                "{name} is in more than one schema: qualify it"
            )))],
        }
    }

    fn slots(&self, relation: &Relation) -> Vec<Slot> {
        let slot = |column: &super::Column| Slot {
            name: Some(column.name.clone()),
            taint: self.protected.column(relation.oid, column.number),
            many: false,
            generated: column.generated,
        };
        relation.columns.iter().map(slot).collect()
    }

    fn targets(&mut self, targets: &[Target]) -> Vec<Slot> {
        let mut columns = Vec::with_capacity(targets.len());
        for target in targets {
            match &target.expr {
                Expr::Star(_) if !self.step(self.width()) => columns.push(Slot::many(too_much())),
                Expr::Star(path) => {
                    let star = self.star(path);
                    columns.extend(self.room_for(star));
                }
                expr => columns.push(Slot::one(target.name.clone(), self.expr(expr))),
            }
        }
        columns
    }

    fn star(&self, path: &[String]) -> Vec<Slot> {
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
            None => vec![Slot::many(Taint::Unknown(format!(
                "{table}.* is not in scope"
            )))],
        }
    }

    /// The item that a qualifier names, innermost first.
    fn bound(&self, qualifier: &[String]) -> Option<&Bound> {
        let (table, schema) = match qualifier {
            [.., schema, table] => (table, Some(schema)),
            [table] => (table, None),
            [] => return None,
        };
        let fits = |bound: &&Bound| {
            bound.names.contains(table)
                && (schema.is_none() || bound.schema.is_none() || bound.schema.as_ref() == schema)
        };
        self.scopes
            .iter()
            .rev()
            .find_map(|scope| scope.bounds.iter().find(fits))
    }

    fn change(&mut self, change: &Change) -> Vec<Slot> {
        let rows = change.rows.as_ref().map(|rows| self.columns(rows));
        let target = self.source(&change.target, &Scope::default());
        let mut scope = target.clone();
        let columns: Rc<[Slot]> = target.star.clone().into();
        scope.bounds.extend(change.also.iter().map(|name| Bound {
            names: vec![name.clone()],
            schema: None,
            slots: Rc::clone(&columns),
        }));
        for source in &change.from {
            let next = self.source(source, &scope);
            scope.bounds.extend(next.bounds);
            scope.star.extend(next.star);
        }
        if change.unordered {
            let all = together(&scope.star);
            let unknown = Taint::Unknown("the order of the columns is not known".to_owned());
            scope.star = vec![Slot::many(if all == Taint::Clear { all } else { unknown })];
        }
        for (index, slot) in rows.into_iter().flatten().enumerate() {
            let place = match change.columns.get(index) {
                Some(name) => column_of(&columns, name),
                None if change.columns.is_empty() && !slot.many => {
                    columns.get(index).map(|column| column.taint.clone())
                }
                None => None,
            };
            self.keep(slot.taint, place);
        }
        self.scopes.push(scope);
        for (name, value) in &change.assigned {
            let taint = self.expr(value);
            self.keep(taint, column_of(&columns, name));
        }
        let returned = self.targets(&change.returning);
        self.scopes.pop();
        returned
    }

    /// Notes a value that goes to a column; a class may go to a column of that class.
    fn keep(&mut self, value: Taint, place: Option<Taint>) {
        let at_home = matches!((&value, &place), (Taint::Direct(class), Some(Taint::Direct(home))) if class == home);
        if !at_home {
            self.store(value);
        }
    }
}

fn too_much() -> Taint {
    Taint::Unknown("the statement has too many parts to follow".to_owned())
}

fn named(slots: Vec<Slot>, name: Option<String>, schema: Option<String>) -> Scope {
    let bound = Bound {
        names: name.into_iter().collect(),
        schema,
        slots: slots.clone().into(),
    };
    Scope {
        bounds: vec![bound],
        star: slots,
    }
}
