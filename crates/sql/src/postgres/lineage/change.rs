//! What a statement that changes rows stores, and what it returns.

use std::rc::Rc;

use super::super::shape::{Body, Change, Expr};
use super::super::slot::{Slot, column_of, together};
use super::super::taint::{Kind, Taint};
use super::checked::Written;
use super::{Bound, Lineage, Qualifier, Scope};

/// The row that was to be inserted, in `ON CONFLICT`.
const EXCLUDED: &str = "excluded";

impl Lineage<'_> {
    pub(super) fn change(&mut self, change: &Change) -> Vec<Slot> {
        let rows = change.rows.as_ref().map(|rows| self.columns(rows));
        // What is changed is a table, whatever a common table expression is called.
        let ctes = std::mem::take(&mut self.ctes);
        let target = self.source(&change.target, &Scope::default());
        self.ctes = ctes;
        let mut scope = target.clone();
        let columns: Rc<[Slot]> = target.star.clone().into();
        // Nobody knows where the values of a proposed row are from.
        let proposed: Rc<[Slot]> = columns
            .iter()
            .map(|slot| Slot {
                pure: false,
                origin: None,
                ..slot.clone()
            })
            .collect();
        for source in &change.from {
            let next = self.source(source, &scope);
            scope.bounds.extend(next.bounds);
            scope.star.extend(next.star);
        }
        // An item of those names comes first.
        scope.bounds.extend(change.also.iter().map(|name| Bound {
            names: vec![name.clone()],
            qualifier: Qualifier::Nothing,
            slots: Rc::clone(&proposed),
            qualified: true,
            renamed: false,
        }));
        if change.unordered {
            let all = together(&scope.star);
            scope.star = vec![if all.is_clear() {
                Slot::many(all)
            } else {
                Slot::unknown("the order of the columns is not known")
            }];
        }
        let inserted = self.insert(change, rows.unwrap_or_default(), &columns);
        self.check(&inserted, false);
        let mut written = match change.unordered {
            true => Written::unsure(),
            false => Written::default(),
        };
        self.scopes.push(scope);
        for (name, value) in &change.assigned {
            // What was to be inserted there: it was looked at as such.
            let proposed = change.also.iter().any(|also| also == EXCLUDED);
            let place = column_of(&columns, name);
            if proposed
                && let Expr::Column(path) = value
                && path.iter().map(String::as_str).eq([EXCLUDED, name])
            {
                written.add(place.as_ref(), inserted.is_clear(place.as_ref()));
                continue;
            }
            let slot = self
                .plain(value)
                .unwrap_or_else(|| Slot::one(None, self.value(|this| this.expr(value))));
            let constant = self.is_constant(value).then_some(1);
            written.add(place.as_ref(), slot.taint.is_clear());
            self.keep(slot, place, constant);
        }
        self.assign_parts(&change.parts, &columns);
        change
            .conditions
            .iter()
            .for_each(|condition| self.filter(condition));
        self.check(&written, true);
        let mut returned = self.targets(&change.returning);
        // They may have been written by this very statement.
        returned.iter_mut().for_each(|slot| slot.pure = false);
        self.scopes.pop();
        returned
    }

    /// Notes columns of which a part is assigned: then one guess finds what is left of a value.
    fn assign_parts(&mut self, parts: &[String], columns: &[Slot]) {
        for name in parts {
            if let Some(column) = column_of(columns, name) {
                self.probe(&column.taint);
            }
        }
    }

    /// Whether it is one value, in which no row has a part.
    fn is_constant(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Free => true,
            Expr::Computed { function, of } => {
                let fixed = function.as_ref().is_none_or(|name| self.is_fixed(name));
                fixed && of.is_empty()
            }
            Expr::Text(value) => self.is_constant(value),
            Expr::Choice {
                conditions,
                results,
                ..
            } => conditions.is_empty() && results.iter().all(|result| self.is_constant(result)),
            _ => false,
        }
    }

    /// Notes what is inserted. Gives what is written by that.
    fn insert(&mut self, change: &Change, rows: Vec<Slot>, columns: &[Slot]) -> Written {
        let mut written = Written::default();
        let values = match change.rows.as_ref().map(|rows| &rows.body) {
            Some(Body::Values { columns, rows }) => Some((columns, *rows)),
            _ => None,
        };
        let mut shifted = false;
        for (index, slot) in rows.into_iter().enumerate() {
            // Behind any number of columns nobody knows where a value goes.
            shifted |= slot.many;
            let place = match change.columns.get(index) {
                _ if shifted => Some(Slot::many(together(columns).computed())),
                Some(name) => column_of(columns, name),
                None if change.columns.is_empty() => columns.get(index).cloned(),
                None => Some(Slot::many(together(columns).computed())),
            };
            let constants = values.and_then(|(values, rows)| {
                let constant = |value| self.is_constant(value);
                values.get(index).is_some_and(constant).then_some(rows)
            });
            written.add(place.as_ref(), slot.taint.is_clear());
            self.keep(slot, place, constants);
        }
        written
    }

    /// Notes a value that goes to a column; a class may go to a column of that class.
    fn keep(&mut self, value: Slot, place: Option<Slot>, constants: Option<usize>) {
        let place = place.map_or(Taint::CLEAR, |place| place.taint);
        self.write(&value, &place, constants);
        // What made less of it, or took only some, would tell of it.
        let at_home = match (&value.taint.kind, &place.kind) {
            (Kind::Direct(of), Kind::Direct(home)) => of.fits(home),
            (Kind::Document(document), Kind::Document(home)) => document.is_like(home),
            _ => false,
        };
        if !at_home {
            self.store(value.taint);
        }
    }
}
