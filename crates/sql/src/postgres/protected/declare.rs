//! Which columns declarations mean, and what is done about those that mean nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::super::base::{BaseColumn, ColumnType, OfClass};
use super::super::catalog::{Catalog, Column, Relation};
use super::super::document::Document;
use super::super::taint::Kind;
use super::{Declaration, Protected};
use crate::Name;

/// The columns that declarations have meant, by the names in them. A column never leaves: what a transaction took away may come back.
#[derive(Debug, Clone, Default)]
pub struct Meant(HashMap<[String; 3], BTreeSet<(u32, i16)>>);

fn table_of<'a>(declaration: &Declaration, catalog: &'a Catalog) -> Option<&'a Relation> {
    let name = Name::qualified(&declaration.schema, &declaration.table);
    catalog.candidates(&name).next()
}

fn of_type(column: &Column) -> ColumnType {
    ColumnType {
        oid: column.type_oid,
        modifier: column.modifier,
    }
}

impl Protected {
    /// Declares a column, where it is there. Gives it as values depend on it.
    pub(super) fn declare(&mut self, declaration: &Declaration, catalog: &Catalog) -> BaseColumn {
        let names =
            [&declaration.schema, &declaration.table, &declaration.column].map(Clone::clone);
        let named = table_of(declaration, catalog).and_then(|relation| {
            let mut columns = relation.columns.iter();
            let column = columns.find(|column| column.name == declaration.column)?;
            Some((relation.oid, column))
        });
        let meant = self.meant.0.entry(names).or_default();
        meant.extend(named.map(|(oid, column)| (oid, column.number)));
        // What it meant before may still be there by another name, beside what has the name now.
        let there = meant.iter().filter_map(|&(oid, number)| {
            let mut columns = catalog.relation_by_oid(oid)?.columns.iter();
            Some((oid, columns.find(|column| column.number == number)?))
        });
        let there: Vec<(u32, &Column)> = there.collect();
        let Some((_, one)) = named.or_else(|| there.first().copied()) else {
            self.missing.push(declaration.clone());
            return BaseColumn::new(declaration, None);
        };
        let base = BaseColumn::new(declaration, Some(of_type(one)));
        for (oid, column) in there {
            let kind = self.declared_as(oid, column.number, declaration, base.clone());
            self.set(oid, column.number, kind.into());
        }
        base
    }

    /// What a column holds by what was declared of it before and this.
    fn declared_as(
        &self,
        relation: u32,
        number: i16,
        declaration: &Declaration,
        base: BaseColumn,
    ) -> Kind {
        let before = self.columns.get(&(relation, number));
        match (&declaration.path, before.map(|taint| &taint.kind)) {
            (None, _) => Kind::Direct(OfClass::one(base)),
            // The whole of it is declared, so this place is hidden with it.
            (Some(_), Some(whole @ (Kind::Direct(_) | Kind::Derived(_)))) => whole.clone(),
            (Some(path), Some(Kind::Document(document))) => {
                match document.with(path, base.clone()) {
                    Some(document) => Kind::Document(Arc::new(document)),
                    None => {
                        let mut all = document.columns().clone();
                        all.add(OfClass::one(base).columns());
                        Kind::Derived(all)
                    }
                }
            }
            (Some(path), _) => Kind::Document(Arc::new(Document::new(path, base))),
        }
    }

    /// A table that lacks a declared column may have it by another name: nothing of it is shown.
    pub(super) fn hold_back(&mut self, declaration: &Declaration, catalog: &Catalog) {
        let Declaration {
            schema,
            table,
            column,
            ..
        } = declaration;
        let Some(relation) = table_of(declaration, catalog) else {
            return;
        };
        let why = format!(
            "{schema}.{table} has no column {column}, which is declared: whoever runs the gateway must correct the target's mask"
        );
        for column in &relation.columns {
            if self.column(relation.oid, column.number).is_clear() {
                let unknown = Kind::Unknown(why.clone());
                self.set(relation.oid, column.number, unknown.into());
            }
        }
    }
}
