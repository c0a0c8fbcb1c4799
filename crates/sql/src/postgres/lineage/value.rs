//! What the value of an expression depends on.

use std::sync::Arc;

use super::super::base::BaseColumn;
use super::super::builtin;
use super::super::catalog::{Function, Volatility};
use super::super::shape::{Expr, Shape, Type};
use super::super::slot::{Slot, column_of, exact, together};
use super::super::taint::{self, Kind, Member, Members, Taint};
use super::{Bound, Lineage, SYSTEM_COLUMNS, Scope, too_much};
use crate::Name;

/// Gives the bounds of a partition by its number.
const BOUNDS: &str = "pg_get_partition_constraintdef";

/// Whether it writes out what the catalog has of a partition, which cannot fail.
fn describes(function: Option<&Name>, of: &[Expr], taint: &Taint) -> bool {
    function.is_some_and(|name| name.name == "pg_get_expr")
        && of.iter().all(|expr| matches!(expr, Expr::Column(_)))
        && !taint.is_unknown()
        && taint.columns().iter().all(BaseColumn::is_of_catalog)
}

/// Whether a function in C gives nothing but what its arguments show.
fn is_pure(function: &Function) -> bool {
    function.volatility == Volatility::Immutable || builtin::makes_values(&function.name)
}

/// What is a member of JSON, or an element of it.
fn or_element(member: Taint, element: Taint) -> Taint {
    if let (Kind::Document(a), Kind::Document(b)) = (&member.kind, &element.kind)
        && let Some(both) = a.or(b)
    {
        return Taint::of_document(both).and_counts(&member.counted());
    }
    member.either(element)
}

impl Lineage<'_> {
    pub(super) fn all(&mut self, exprs: &[Expr]) -> Taint {
        exprs
            .iter()
            .fold(Taint::CLEAR, |taint, expr| taint.with(self.expr(expr)))
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Taint {
        let taint = if self.step(1) {
            self.taint(expr)
        } else {
            too_much()
        };
        if self.decides && taint.is_unknown() {
            self.decide_by(taint.clone());
        }
        taint
    }

    fn taint(&mut self, expr: &Expr) -> Taint {
        match expr {
            Expr::Free => Taint::CLEAR,
            Expr::Star(_) if !self.step(self.width()) => too_much(),
            Expr::Column(path) => self.column(path).taint,
            Expr::Star(path) => self.whole_row(path),
            Expr::Query(shape) => together(&self.columns(shape)),
            Expr::Exists(shape) => self.exists(shape),
            Expr::Conditions(_) | Expr::Same(_) | Expr::IsNull(_) => self.test(expr).computed(),
            Expr::NullIf(same) => self.null_if(same),
            Expr::Member {
                of,
                name,
                as_text,
                counts,
            } => {
                let value = self.expr(of);
                self.member_or_element(value, name, *as_text, *counts)
            }
            Expr::Part(of) => {
                let value = self.expr(of);
                self.part(value)
            }
            Expr::Elements { by, of } => self.elements(by, of),
            Expr::Cast(of, kind) => self.cast(expr, of, kind),
            Expr::Window => {
                let windows = self.scopes.last().and_then(|scope| scope.windows.clone());
                windows.unwrap_or(Taint::CLEAR)
            }
            Expr::Count {
                by,
                of,
                distinct,
                conditions,
            } => {
                let count = self.count(by, of, *distinct);
                self.chosen(count, conditions)
            }
            Expr::Choice {
                by,
                conditions,
                results,
            } => {
                let values = results.iter().map(|expr| self.expr(expr));
                let value = values.reduce(Taint::either).unwrap_or(Taint::CLEAR);
                let taint = self.chosen(value, conditions);
                if by
                    .as_ref()
                    .is_some_and(|name| builtin::compares(&name.name))
                {
                    self.probe(&taint);
                }
                by.as_ref()
                    .map_or(taint.clone(), |name| self.trusted(name, taint))
            }
            Expr::Text(value) => self.expr(value).in_text(),
            Expr::Row(fields) => self.row(fields),
            Expr::Field(row, name) => self.field(row, name),
            Expr::Fields(row) => self.expr(row),
            Expr::Json { by, of, conditions } => {
                let made = self.json(of);
                let taint = self.chosen(made, conditions);
                self.trusted(by, taint)
            }
            Expr::Computed { function, of } => self.computed_by(function.as_ref(), of),
        }
    }

    /// A member of JSON, or an element if its name may be a number.
    fn member_or_element(
        &mut self,
        value: Taint,
        name: &str,
        as_text: bool,
        counts: bool,
    ) -> Taint {
        let member = self.member(value.clone(), name, as_text);
        match (counts, as_text) {
            (true, true) => or_element(member, self.part(value).in_text()),
            (true, false) => or_element(member, self.part(value)),
            (false, _) => member,
        }
    }

    /// A value as another type: the same where that is a column's own.
    fn cast(&mut self, cast: &Expr, of: &Expr, kind: &Type) -> Taint {
        if let Some(column) = self.plain(cast) {
            return column.taint;
        }
        let value = self.expr(of);
        if kind.is_json() {
            self.part(value)
        } else {
            self.computed_of(value)
        }
    }

    /// Whether a subquery has a row. What its outputs show is not asked; what they compute can fail, or give no row.
    fn exists(&mut self, shape: &Shape) -> Taint {
        let mut exists = Taint::CLEAR;
        for slot in self.columns(shape) {
            exists = match slot.taint.kind {
                Kind::Derived(_) => exists.with(slot.taint),
                _ => {
                    let counted = self.counts(&slot.taint);
                    exists.with(counted)
                }
            };
        }
        exists
    }

    /// What a function, or anything else, computes of these.
    fn computed_by(&mut self, function: Option<&Name>, of: &[Expr]) -> Taint {
        let taint = if function.is_some_and(|name| builtin::carries(&name.name)) {
            let kept = self.value(|this| this.all(of)).computed();
            self.store(kept.clone());
            kept
        } else {
            self.all(of).computed()
        };
        if !describes(function, of, &taint) {
            self.probe(&taint);
        }
        match function {
            Some(name) if name.name == BOUNDS && !self.protected.bounds().is_empty() => {
                let bounds = Kind::Derived(self.protected.bounds().clone());
                self.trusted(name, taint).with(bounds.into())
            }
            Some(name) => self.trusted(name, taint),
            None => taint,
        }
    }

    /// A row of these values.
    fn row(&mut self, fields: &[Expr]) -> Taint {
        let mut slots = Vec::with_capacity(fields.len());
        for field in fields {
            match field {
                Expr::Star(_) if !self.step(self.width()) => return too_much(),
                Expr::Star(path) => {
                    let star = self.star(path);
                    slots.extend(self.room_for(star));
                }
                Expr::Fields(row) => {
                    let row = self.expr(row);
                    slots.extend(super::fields(row));
                }
                field => slots.push(Slot::one(None, self.expr(field))),
            }
        }
        // Its fields are called f1, f2 and so on, unless it becomes a row of a type.
        Taint::of_row(&slots, false)
    }

    /// A field of a row; if it is not known to have one, a function may be called that gives something for it.
    fn field(&mut self, row: &Expr, name: &str) -> Taint {
        if !self.step(self.width()) {
            return too_much();
        }
        if let Expr::Column(path) = row
            && let Some(bound) = self.whole(path)
            && let Some(slot) = exact(&bound.slots, name)
        {
            return slot.taint;
        }
        let taint = self.expr(row);
        if let Some(field) = taint.field(name) {
            return field;
        }
        match self.called_by(name, &taint) {
            Some(returned) => returned,
            None if matches!(taint.kind, Kind::Direct(_)) => taint,
            None => taint.computed(),
        }
    }

    /// What `value.name` gives where it may call a function of that name.
    fn called_by(&mut self, name: &str, value: &Taint) -> Option<Taint> {
        let function = Name::bare(name);
        self.catalog.functions(&function).next()?;
        let taint = value.clone().computed();
        if builtin::carries(name) {
            self.store(taint.clone());
        }
        self.probe(&taint);
        Some(self.trusted(&function, taint))
    }

    /// A value that these conditions choose.
    fn chosen(&mut self, value: Taint, conditions: &[Expr]) -> Taint {
        let tested = conditions
            .iter()
            .fold(Taint::CLEAR, |taint, expr| taint.with(self.test(expr)));
        value.chosen_by(tested)
    }

    /// JSON made of these values.
    fn json(&mut self, of: &[(Option<String>, Expr)]) -> Taint {
        let mut members = Members::new();
        let mut list = Taint::CLEAR;
        let mut by_name = true;
        let mut all = Taint::CLEAR;
        for (name, value) in of {
            let taint = self.expr(value).in_json();
            match name {
                Some(name) => by_name &= taint::add(&mut members, name, &taint),
                None => list = list.either(taint.clone()),
            }
            all = all.with(taint);
        }
        match Taint::of_members(members) {
            none if by_name && none.is_clear() => list.and_counts(&all.counted()),
            members if by_name && list.is_clear() => members.and_counts(&all.counted()),
            _ => all,
        }
    }

    /// What an operator computes of a value.
    fn computed_of(&mut self, value: Taint) -> Taint {
        let taint = value.computed();
        self.probe(&taint);
        taint
    }

    /// A part of JSON, or the same as the other type of JSON, which goes by the same names.
    fn part(&mut self, value: Taint) -> Taint {
        match value.kind {
            Kind::Members(_) | Kind::Document(_) => value,
            _ => self.computed_of(value),
        }
    }

    /// What the elements of an array of JSON are. How many rows they make tells how many values there are.
    pub(super) fn elements(&mut self, by: &Name, of: &Expr) -> Taint {
        let value = self.expr(of);
        let as_text = by.name.ends_with("_text");
        let elements = match value.kind {
            Kind::Document(_) if self.protected.trusts(by, self.catalog) => {
                let counted = self.counts(&value);
                value.and_counts(&counted.counted())
            }
            Kind::Document(_) | Kind::Members(_) if !as_text => self.part(value),
            _ => self.computed_of(value),
        };
        self.trusted(by, elements)
    }

    /// A member of JSON: what goes by its name.
    fn member(&mut self, value: Taint, name: &str, as_text: bool) -> Taint {
        let members = match &value.kind {
            Kind::Members(members) => members,
            Kind::Document(document) => {
                return document.taint_of(name).and_counts(&value.counted());
            }
            _ => return self.computed_of(value),
        };
        let shown = match members.get(name) {
            Some(Member::Clear) => Taint::CLEAR,
            Some(Member::Held(of)) => Kind::Direct(of.clone()).into(),
            Some(Member::Document(document)) => Kind::Document(Arc::clone(document)).into(),
            Some(Member::Members) if !as_text => return value,
            _ => return self.computed_of(value),
        };
        shown.and_counts(&value.counted())
    }

    /// How many values a plain column has, and of what type they are, tells no value; how many different ones it has is a search.
    fn count(&mut self, by: &Name, of: &[Expr], distinct: bool) -> Taint {
        let mut plain = true;
        let mut taint = Taint::CLEAR;
        for expr in of {
            let one = self.expr(expr);
            plain &= matches!(
                (expr, &one.kind),
                (Expr::Star(_), _)
                    | (
                        Expr::Column(_) | Expr::Text(_),
                        Kind::Direct(_) | Kind::Document(_) | Kind::Clear
                    )
            );
            taint = taint.with(one);
        }
        if distinct || !plain {
            self.probe(&taint);
        }
        match taint.kind {
            Kind::Derived(_) if plain && self.protected.trusts(by, self.catalog) => {
                self.counts(&taint)
            }
            _ => self.trusted(by, taint),
        }
    }

    /// The taint of a function's result, given that of its arguments.
    pub(super) fn trusted(&mut self, name: &Name, arguments: Taint) -> Taint {
        let mut known = self.catalog.functions(name).peekable();
        let trusted = known.peek().is_some()
            && !builtin::returns_anything(&name.name)
            && known.all(|f| {
                f.builtin || (f.language == "c" && is_pure(f)) || self.protected.is_trusted(f)
            });
        if !trusted {
            if let Some(returned) = self.returned(name, &arguments) {
                return returned.chosen_by(arguments);
            }
            // Nobody knows what it does with them.
            self.store(arguments.clone());
        }
        if self.decides && !trusted {
            self.told_anything();
        }
        match arguments.kind {
            _ if trusted => arguments,
            Kind::Derived(_)
            | Kind::Direct(_)
            | Kind::Members(_)
            | Kind::Document(_)
            | Kind::Row(_) => arguments.computed(),
            Kind::Clear | Kind::Unknown(_) => {
                self.called = true;
                let unknown = format!("function {name} may return what its arguments do not show");
                Taint::from(Kind::Unknown(unknown)).and_counts(&arguments.counted())
            }
        }
    }

    /// The item whose whole row a reference means, where no column goes by its name.
    fn whole(&self, path: &[String]) -> Option<&Bound> {
        let [name] = path else {
            return None;
        };
        let is_column = |scope: &Scope| {
            let bounds = scope.bounds.iter().flat_map(|bound| bound.slots.iter());
            let mut slots = scope.star.iter().chain(bounds);
            slots.any(|slot| slot.name.as_ref().is_none_or(|other| other == name))
        };
        if self.scopes.iter().any(is_column) {
            return None;
        }
        self.bound(path)
    }

    /// `t.*` where it stands for one value.
    fn whole_row(&self, path: &[String]) -> Taint {
        match self.bound(path).filter(|_| !path.is_empty()) {
            Some(bound) => bound.row(),
            None => together(&self.star(path)).computed(),
        }
    }

    /// The column that an expression is, as it is, as text, or cast to its own type.
    pub(super) fn plain(&mut self, expr: &Expr) -> Option<Slot> {
        match expr {
            Expr::Column(path) => Some(self.column(path)),
            Expr::Text(value) => self.plain(value).map(|slot| Slot {
                taint: slot.taint.in_text(),
                origin: None,
                ..slot
            }),
            Expr::Cast(value, kind) => {
                let column = self.plain(value)?;
                self.is_own_type(&column, kind).then_some(column)
            }
            _ => None,
        }
    }

    /// The column that a reference names.
    pub(super) fn column(&mut self, path: &[String]) -> Slot {
        if !self.step(self.width()) {
            return Slot::many(too_much());
        }
        let found = self.found(path);
        if let [qualifier @ .., name] = path
            && !qualifier.is_empty()
            && !self.has_column(qualifier, name)
        {
            let value = found
                .as_ref()
                .map_or(Taint::CLEAR, |slot| slot.taint.clone());
            if let Some(returned) = self.called_by(name, &value) {
                return Slot::one(None, returned);
            }
        }
        self.misses_column(path);
        match found {
            Some(slot) => slot,
            // The server will say so; it decides nothing.
            None if self.decides && path.len() == 1 => Slot::one(None, Taint::CLEAR),
            None => Slot::unknown(&format!("column {} is not known", path.join("."))),
        }
    }

    /// Whether an item surely has a column of the name.
    fn has_column(&self, qualifier: &[String], name: &str) -> bool {
        let bound = self.bound(qualifier);
        bound.is_some_and(|bound| exact(&bound.slots, name).is_some())
    }

    /// The same, where there may be one.
    pub(super) fn found(&self, path: &[String]) -> Option<Slot> {
        let system = |name: &String| {
            let is_system = SYSTEM_COLUMNS.contains(&name.as_str());
            let taint = match name.as_str() {
                "tableoid" => self.parts(path),
                _ => Taint::CLEAR,
            };
            is_system.then(|| Slot::one(None, taint))
        };
        match path {
            [] => None,
            [name] => self.unqualified(name).or_else(|| system(name)),
            [qualifier @ .., name] => {
                let (is_sure, bound) = self.bounds_of(qualifier).next()?;
                if !is_sure {
                    let unknown = format!("{} may be a table's of two schemas", path.join("."));
                    return Some(Slot::one(None, Kind::Unknown(unknown).into()));
                }
                column_of(&bound.slots, name)
                    .or_else(|| system(name))
                    .or_else(|| {
                        // `t.f` can call a function on the whole row.
                        let unknown =
                            Kind::Unknown(format!("column {} is not known", path.join(".")));
                        Some(Slot::one(None, together(&bound.slots).with(unknown.into())))
                    })
            }
        }
    }

    /// What the table that a row is in may tell, where there are several: partitions hold the values that their bounds say.
    fn parts(&self, path: &[String]) -> Taint {
        let qualifier = path
            .split_last()
            .map_or(&[][..], |(_, qualifier)| qualifier);
        let named = self.bound(qualifier).filter(|_| !qualifier.is_empty());
        let all = self.scopes.iter().flat_map(|scope| scope.bounds.iter());
        let bounds = all.filter(|bound| named.is_none_or(|named| std::ptr::eq(named, *bound)));
        let slots = bounds.flat_map(|bound| bound.slots.iter());
        let has_parts = |slot: &&Slot| {
            let mut parents = self.catalog.inherits.iter().map(|(_, parent)| *parent);
            slot.origin
                .is_some_and(|(relation, _)| parents.any(|it| it == relation))
        };
        slots
            .filter(has_parts)
            .fold(Taint::CLEAR, |taint, slot| taint.with(slot.taint.clone()))
    }

    fn unqualified(&self, name: &String) -> Option<Slot> {
        let mut possible: Vec<Slot> = Vec::new();
        for scope in self.scopes.iter().rev() {
            let slots = || {
                let bounds = scope.bounds.iter().filter(|bound| !bound.qualified);
                scope
                    .star
                    .iter()
                    .chain(bounds.flat_map(|bound| bound.slots.iter()))
            };
            let exact = slots().filter(|slot| slot.name.as_ref() == Some(name));
            if let Some(slot) = exact.cloned().reduce(Slot::either) {
                possible.push(slot);
                break;
            }
            possible.extend(slots().filter(|slot| slot.name.is_none()).cloned());
            // The name of an item is its whole row.
            let rows = scope
                .bounds
                .iter()
                .filter(|bound| bound.names.contains(name));
            possible.extend(rows.map(|bound| Slot::one(None, bound.row())));
        }
        possible.into_iter().reduce(Slot::either)
    }
}
