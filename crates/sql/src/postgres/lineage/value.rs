//! What the value of an expression depends on.

use super::super::builtin;
use super::super::catalog::Volatility;
use super::super::shape::Expr;
use super::super::taint::{Taint, column_of, together};
use super::{Lineage, SYSTEM_COLUMNS, too_much};
use crate::Name;

impl Lineage<'_> {
    pub(super) fn all(&mut self, exprs: &[Expr]) -> Taint {
        exprs
            .iter()
            .fold(Taint::Clear, |taint, expr| taint.with(self.expr(expr)))
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Taint {
        if !self.step(1) {
            return too_much();
        }
        match expr {
            Expr::Free => Taint::Clear,
            Expr::Column(_) | Expr::Star(_) if !self.step(self.width()) => too_much(),
            Expr::Column(path) => self.reference(path),
            Expr::Star(path) => together(&self.star(path)).computed(),
            Expr::Query(shape) => together(&self.query(shape, true)),
            Expr::Count(of) => match self.all(of) {
                // How many values a plain column has tells no value.
                Taint::Derived(_)
                    if of
                        .iter()
                        .all(|e| matches!(e, Expr::Column(_) | Expr::Star(_))) =>
                {
                    Taint::Clear
                }
                taint => self.trusted(&Name::bare("count"), taint),
            },
            Expr::Choice {
                by,
                conditions,
                results,
            } => {
                let value = results
                    .iter()
                    .fold(Taint::Clear, |taint, expr| taint.either(self.expr(expr)));
                let taint = match self.all(conditions) {
                    Taint::Clear => value,
                    condition => condition.with(value),
                };
                by.as_ref()
                    .map_or(taint.clone(), |name| self.trusted(name, taint))
            }
            Expr::Computed { function, of } => {
                let taint = self.all(of).computed();
                if function
                    .as_ref()
                    .is_some_and(|name| builtin::keeps_argument(&name.name))
                {
                    self.store(taint.clone());
                }
                function
                    .as_ref()
                    .map_or(taint.clone(), |name| self.trusted(name, taint))
            }
        }
    }

    /// The taint of a function's result, given that of its arguments.
    fn trusted(&self, name: &Name, arguments: Taint) -> Taint {
        let mut known = self.catalog.functions(name).peekable();
        let trusted = known.peek().is_some()
            && !builtin::returns_anything(&name.name)
            && known
                .all(|f| f.builtin || (f.volatility == Volatility::Immutable && f.language == "c"));
        match arguments {
            derived @ (Taint::Derived(_) | Taint::Direct(_)) if !trusted => derived.computed(),
            taint if trusted => taint,
            _ => Taint::Unknown(format!(
                "function {name} may return what its arguments do not show"
            )),
        }
    }

    fn reference(&self, path: &[String]) -> Taint {
        match path {
            [] => Taint::Unknown("an empty column reference".to_owned()),
            [name] => self.unqualified(name),
            [qualifier @ .., name] => match self.bound(qualifier) {
                Some(bound) => match column_of(&bound.slots, name) {
                    Some(taint) => taint,
                    None if SYSTEM_COLUMNS.contains(&name.as_str()) => Taint::Clear,
                    // `t.f` can call a function on the whole row.
                    None => together(&bound.slots).with(Taint::Unknown(format!(
                        "column {} is not known",
                        path.join(".")
                    ))),
                },
                None => Taint::Unknown(format!("column {} is not known", path.join("."))),
            },
        }
    }

    fn unqualified(&self, name: &String) -> Taint {
        let mut possible: Option<Taint> = None;
        let mut maybe = |taint: Taint| {
            possible = Some(
                possible
                    .take()
                    .map_or(taint.clone(), |found| found.either(taint)),
            );
        };
        for scope in self.scopes.iter().rev() {
            let exact = scope
                .star
                .iter()
                .chain(scope.bounds.iter().flat_map(|bound| bound.slots.iter()));
            let exact = exact
                .filter(|slot| slot.name.as_ref() == Some(name))
                .map(|slot| slot.taint.clone());
            if let Some(taint) = exact.reduce(Taint::either) {
                maybe(taint);
                return possible.unwrap_or(Taint::Clear);
            }
            let unnamed = scope
                .star
                .iter()
                .chain(scope.bounds.iter().flat_map(|bound| bound.slots.iter()));
            unnamed
                .filter(|slot| slot.name.is_none())
                .for_each(|slot| maybe(slot.taint.clone()));
            // The name of an item is its whole row.
            for bound in scope
                .bounds
                .iter()
                .filter(|bound| bound.names.contains(name))
            {
                maybe(together(&bound.slots).computed());
            }
        }
        match possible {
            Some(taint) => taint,
            None if SYSTEM_COLUMNS.contains(&name.as_str()) => Taint::Clear,
            None => Taint::Unknown(format!("column {name} is not known")),
        }
    }
}
