//! What functions in SQL return, by their bodies.

use super::super::catalog::{Body, Function};
use super::super::shape::{Expr, Source};
use super::super::slot::{Slot, merge, rename, together};
use super::super::taint::Taint;
use super::from::named;
use super::{Bound, Lineage, Qualifier, Scope};
use crate::Name;

/// Functions that call functions are followed so deep.
const DEPTH_MAX: usize = 8;

impl Lineage<'_> {
    /// What a function gives as one value, as far as its body tells; `None` where it has none that can be followed.
    pub(in crate::postgres) fn returned(
        &mut self,
        name: &Name,
        arguments: &Taint,
    ) -> Option<Taint> {
        let columns = self.bodies(name, arguments)?;
        // Values of several columns make a row, whose type may give them other names.
        Some(together(&columns).in_text())
    }

    /// The rows of a function in `FROM`; `None` where it is not followed.
    pub(super) fn rows_of(
        &mut self,
        call: &Expr,
        source: &Source,
        before: &Scope,
    ) -> Option<Scope> {
        let Expr::Computed {
            function: Some(name),
            of,
        } = call
        else {
            return None;
        };
        let names = self.result_names(name, source)?;
        let arguments = self.beside(before, |this| {
            this.deciding(|this| this.value(|this| this.all(of)))
        });
        let mut columns = self.bodies(name, &arguments)?;
        if columns.len() != names.len() || columns.iter().any(|column| column.many) {
            return None;
        }
        self.decide_by(arguments.clone());
        for (column, name) in columns.iter_mut().zip(names) {
            let taint = column.taint.take().in_text();
            *column = Slot::one(Some(name), taint.chosen_by(arguments.clone()));
        }
        let alias = source.alias.clone().unwrap_or_else(|| name.name.clone());
        Some(named(
            rename(columns, &source.columns),
            Some(alias),
            Qualifier::Nothing,
            true,
        ))
    }

    /// What the columns of its rows are called.
    fn result_names(&self, name: &Name, source: &Source) -> Option<Vec<String>> {
        let mut names = self.catalog.functions(name).map(|function| {
            let body = function.body.as_ref()?;
            Some(match body.columns.as_slice() {
                // One value goes by the name of the item.
                [] if body.rows_of == 0 => {
                    vec![source.alias.clone().unwrap_or_else(|| name.name.clone())]
                }
                columns => columns.to_vec(),
            })
        });
        let first = names.next()??;
        names
            .all(|other| other.as_ref() == Some(&first))
            .then_some(first)
    }

    /// The columns of the bodies of all functions of the name.
    fn bodies(&mut self, name: &Name, given: &Taint) -> Option<Vec<Slot>> {
        let catalog = self.catalog;
        let functions: Vec<&Function> = catalog.functions(name).collect();
        let followed = functions
            .iter()
            .all(|function| function.body.as_ref().is_some_and(|it| it.query.is_some()));
        if functions.is_empty() || !followed || self.depth >= DEPTH_MAX {
            return None;
        }
        let bodies = functions.into_iter().filter_map(|it| it.body.as_ref());
        let given = given.clone().computed();
        let columns: Vec<Vec<Slot>> = bodies.map(|body| self.within(body, name, &given)).collect();
        columns.into_iter().reduce(merge)
    }

    /// The columns of a body, which sees nothing of the statement that calls it but its arguments, all of them in each.
    fn within(&mut self, body: &Body, name: &Name, given: &Taint) -> Vec<Slot> {
        let Some(query) = &body.query else {
            return vec![Slot::unknown("a function without a query")];
        };
        let arguments = body.arguments.iter();
        let arguments = arguments.map(|name| Slot::one(Some(name.clone()), given.clone()));
        let arguments = Scope {
            bounds: vec![Bound {
                names: vec![name.name.clone()],
                qualifier: Qualifier::Nothing,
                slots: arguments.collect(),
                qualified: false,
                renamed: true,
            }],
            ..Scope::default()
        };
        let scopes = std::mem::replace(&mut self.scopes, vec![arguments]);
        let ctes = std::mem::take(&mut self.ctes);
        let decides = std::mem::replace(&mut self.decides, false);
        let decided = self.decided.take();
        let told = std::mem::take(&mut self.told);
        self.depth += 1;
        let mut columns = self.columns(query);
        self.depth -= 1;
        let told = std::mem::replace(&mut self.told, told);
        self.told.searched(told);
        let decided = std::mem::replace(&mut self.decided, decided);
        self.decides = decides;
        self.ctes = ctes;
        self.scopes = scopes;
        for column in &mut columns {
            column.taint = column.taint.take().chosen_by(decided.clone());
        }
        columns
    }
}
