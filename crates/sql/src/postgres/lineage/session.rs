//! What the author of a view or policy asks that the session sets: then whoever sets it asks.

use super::super::catalog::{Relation, Volatility};
use super::super::shape::{Body, Expr, Key, Same, Select, Shape, Source, SourceKind, With};
use super::super::taint::{Kind, Taint};
use super::Lineage;
use crate::Name;

/// Functions of PostgreSQL's own that give what a client can set.
const SETTINGS: &[&str] = &[
    "current_setting",
    "current_query",
    "current_schema",
    "current_schemas",
    "currval",
    "lastval",
    "pg_listening_channels",
];
/// Relations of the same.
const VIEWS: &[&str] = &[
    "pg_settings",
    "pg_stat_activity",
    "pg_prepared_statements",
    "pg_cursors",
];

/// Whether a relation shows what clients can set.
pub(super) fn is_told_by(relation: &Relation) -> bool {
    relation.schema == "pg_catalog" && VIEWS.contains(&&*relation.name)
}

impl Lineage<'_> {
    /// Notes what a relation asks that the session sets.
    pub(super) fn asks(&mut self, name: &Name) {
        if name.schema.is_none() && self.ctes.get(&name.name).is_some_and(|it| !it.is_empty()) {
            return;
        }
        for relation in self.catalog.candidates(name) {
            if let Some(asked) = self.protected.asked(relation.oid) {
                self.told.asked.add(asked);
            }
        }
    }

    /// Notes that an expression of a definition, which depends on this, depends on the session too, where it does.
    pub(super) fn note_session(&mut self, expr: &Expr, taint: &Taint) -> bool {
        let is_session = self.defined && self.is_session(expr);
        // Which of two values is shown tells neither.
        if is_session && matches!(taint.kind, Kind::Derived(_)) {
            self.told.asked.add(&taint.columns());
        }
        is_session
    }

    fn any_session<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>) -> bool {
        exprs.into_iter().any(|expr| self.is_session(expr))
    }

    fn is_session(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Free | Expr::Window => false,
            Expr::Column(path) | Expr::IsNull(path) => self.is_column_of_session(path),
            Expr::Star(path) => self.star(path).iter().any(|slot| slot.session),
            Expr::Choice {
                by,
                conditions,
                results,
            } => self.sets(by.as_ref()) || self.any_session(conditions.iter().chain(results)),
            Expr::Text(of)
            | Expr::Cast(of, _)
            | Expr::Part(of)
            | Expr::Fields(of)
            | Expr::Field(of, _)
            | Expr::Member { of, .. } => self.is_session(of),
            Expr::Elements { by, of } => self.sets(Some(by)) || self.is_session(of),
            Expr::Row(of) | Expr::Conditions(of) => self.any_session(of),
            Expr::Json { by, of, conditions } => {
                let values = of.iter().map(|(_, value)| value);
                self.sets(Some(by)) || self.any_session(values.chain(conditions))
            }
            Expr::Count { of, conditions, .. } => self.any_session(of.iter().chain(conditions)),
            Expr::Query(shape) | Expr::Exists(shape) => self.is_query_of_session(shape),
            Expr::Same(same) | Expr::NullIf(same) => self.is_same_of_session(same),
            Expr::Computed { function, of } => self.sets(function.as_ref()) || self.any_session(of),
        }
    }

    fn is_column_of_session(&self, path: &[String]) -> bool {
        self.found(path).is_some_and(|slot| slot.session)
    }

    fn is_same_of_session(&self, same: &Same) -> bool {
        let with = match &same.with {
            With::Column(path) => self.is_column_of_session(path),
            With::Constants { functions, .. } => functions.iter().any(|it| self.sets(Some(it))),
        };
        with || self.is_column_of_session(&same.column)
    }

    /// Whether a subquery depends on the session. Its own names are not looked up.
    fn is_query_of_session(&self, shape: &Shape) -> bool {
        let keys = shape.order.iter().filter_map(|key| match key {
            Key::Expr(expr) => Some(expr),
            Key::Number(_) => None,
        });
        let ctes = shape.ctes.iter().map(|cte| &cte.shape);
        let body = match &shape.body {
            Body::Select(select) => self.is_select_of_session(select),
            Body::SetOperation { left, right, .. } => {
                self.is_query_of_session(left) || self.is_query_of_session(right)
            }
            Body::Values { columns, .. } => self.any_session(columns),
            Body::Change(_) | Body::Unknown => true,
        };
        let mut ctes = ctes.map(|shape| self.is_query_of_session(shape));
        body || ctes.any(|it| it) || self.any_session(keys.chain(&shape.limits))
    }

    fn is_select_of_session(&self, select: &Select) -> bool {
        let outputs = select.outputs.iter().map(|target| &target.expr);
        let own = outputs.chain(&select.conditions).chain(&select.windows);
        self.any_session(own) || select.from.iter().any(|it| self.is_source_of_session(it))
    }

    fn is_source_of_session(&self, source: &Source) -> bool {
        match &source.kind {
            SourceKind::Relation(name) => {
                let ctes = self.ctes.get(&name.name).and_then(|stack| stack.last());
                let is_cte = ctes.is_some_and(|slots| slots.iter().any(|slot| slot.session));
                let mut relations = self.catalog.candidates(name);
                is_cte
                    || relations.any(|relation| {
                        let mut columns = relation.columns.iter();
                        let own = |number| self.protected.is_of_session(relation.oid, number);
                        is_told_by(relation) || columns.any(|column| own(column.number))
                    })
            }
            SourceKind::Query(shape) => self.is_query_of_session(shape),
            SourceKind::Call(call) => self.is_session(call),
            SourceKind::Computed(of) => self.any_session(of),
            SourceKind::Sample(source, of) => {
                self.is_source_of_session(source) || self.any_session(of)
            }
            SourceKind::Join {
                left, right, on, ..
            } => {
                let sides = self.is_source_of_session(left) || self.is_source_of_session(right);
                sides || on.as_ref().is_some_and(|on| self.is_session(on))
            }
        }
    }

    /// Whether what a function gives may be what the session sets.
    fn sets(&self, function: Option<&Name>) -> bool {
        let Some(name) = function else {
            return false;
        };
        if SETTINGS.contains(&&*name.name) {
            return true;
        }
        let mut functions = self.catalog.functions(name);
        functions.any(|function| {
            let fixed = function.builtin || function.volatility == Volatility::Immutable;
            !fixed && !self.protected.is_trusted(function)
        })
    }
}
