//! Which columns of which relations hold protected data, views and partitions included.

mod checks;
mod declare;
mod statistics;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use model::{DataClass, JsonPath};

use super::Shape;
use super::base::{BaseColumn, BaseColumns};
use super::catalog::{Catalog, Function, Relation, RelationKind};
use super::lineage::{Lineage, Told};
use super::slot::Slot;
use super::taint::{Kind, Taint};
use crate::Name;
use checks::Check;
pub use declare::Meant;

/// A column declared to hold a class of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The column's schema.
    pub schema: String,
    /// Its table, or view.
    pub table: String,
    /// Its name.
    pub column: String,
    /// What it holds.
    pub class: DataClass,
    /// Where in it, if it is JSON of which only that is declared.
    pub path: Option<JsonPath>,
}

/// Declared columns, compiled against a catalog; compile again when the catalog changes.
#[derive(Debug, Clone, Default)]
pub struct Protected {
    columns: HashMap<(u32, i16), Taint>,
    relations: HashSet<u32>,
    /// Views whose query computes with protected values, or asks of them which rows come.
    computing: HashSet<u32>,
    /// What conditions stand over, of the views that have such, and those below them included.
    conditions: HashMap<u32, BaseColumns>,
    /// Of which a relation asks, as it is read, what the session sets: a view, or a table with policies.
    asked: HashMap<u32, BaseColumns>,
    /// Columns of views that the session sets.
    of_session: HashSet<(u32, i16)>,
    /// Columns of views, and the columns that they are.
    stands_for: HashMap<(u32, i16), (u32, i16)>,
    /// What the server checks of rows that are written, by their table.
    checks: HashMap<u32, Vec<Check>>,
    /// What bounds of partitions hold.
    bounds: BaseColumns,
    classes: BTreeSet<DataClass>,
    /// Every declared column.
    declared: BaseColumns,
    trusted: HashSet<Name>,
    meant: Meant,
    /// Declarations that name nothing in the catalog.
    pub missing: Vec<Declaration>,
}

/// Views over views deeper than this are taken to show anything.
const VIEW_DEPTH_MAX: usize = 64;

impl Protected {
    /// Compiles declarations. Functions in `trusted`, with their schemas, are taken to give nothing but what is computed of
    /// their arguments, and to keep those nowhere. Needs a stack of [`super::STACK_BYTES`], since it follows view definitions.
    #[must_use]
    pub fn compile(declarations: &[Declaration], trusted: &[Name], catalog: &Catalog) -> Self {
        Self::compile_again(declarations, trusted, catalog, &Meant::default())
    }

    /// The same, where it is known what declarations meant `before`: a column that has another name since stays what it was
    /// declared to be.
    #[must_use]
    pub fn compile_again(
        declarations: &[Declaration],
        trusted: &[Name],
        catalog: &Catalog,
        before: &Meant,
    ) -> Self {
        let mut protected = Self {
            trusted: trusted.iter().cloned().collect(),
            meant: before.clone(),
            ..Self::default()
        };
        let declared = declarations
            .iter()
            .map(|declaration| protected.declare(declaration, catalog));
        protected.declared = declared.collect();
        for declaration in std::mem::take(&mut protected.missing) {
            protected.hold_back(&declaration, catalog);
            protected.missing.push(declaration);
        }
        if protected.columns.is_empty() {
            return protected;
        }
        protected.spread_over_tables(catalog);
        let classes: BTreeSet<DataClass> = declarations
            .iter()
            .map(|declared| declared.class.clone())
            .collect();
        protected.classes = classes;
        protected.add_statistics(catalog);
        protected.add_bounds(catalog);
        protected.add_views(catalog);
        protected.add_policies(catalog);
        protected.add_checks(catalog);
        protected.add_toast(catalog);
        protected
    }

    /// The declarations that name nothing in the catalog, as people write them.
    #[must_use]
    pub fn missing_names(&self) -> Vec<String> {
        let missing = self.missing.iter();
        let named = missing.map(|declaration| BaseColumn::new(declaration, None));
        named.map(|column| column.name().to_owned()).collect()
    }

    /// What the declarations mean, for the next time that they are compiled.
    #[must_use]
    pub fn meant(&self) -> &Meant {
        &self.meant
    }

    /// No declared column is in the catalog.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The classes that any column is declared to hold.
    #[must_use]
    pub fn classes(&self) -> &BTreeSet<DataClass> {
        &self.classes
    }

    /// The columns that are declared.
    #[must_use]
    pub fn declared(&self) -> &BaseColumns {
        &self.declared
    }

    /// How values of a column depend on protected data.
    #[must_use]
    pub fn column(&self, relation: u32, number: i16) -> Taint {
        self.columns
            .get(&(relation, number))
            .cloned()
            .unwrap_or(Taint::CLEAR)
    }

    /// A value of which nothing is known but that it may be of any declared column.
    fn any(&self) -> Taint {
        Kind::Derived(self.declared.clone()).into()
    }

    /// Whether a relation has a column with protected data.
    #[must_use]
    pub fn touches(&self, relation: u32) -> bool {
        self.relations.contains(&relation)
    }

    /// Every column that depends on protected data, by its name.
    pub(super) fn every_column<'a>(
        &'a self,
        catalog: &'a Catalog,
    ) -> impl Iterator<Item = (&'a str, &'a Taint)> {
        self.columns.iter().filter_map(|((oid, number), taint)| {
            let relation = catalog.relation_by_oid(*oid)?;
            let mut columns = relation.columns.iter();
            let column = columns.find(|column| column.number == *number)?;
            Some((&*column.name, taint))
        })
    }

    /// The names of those columns and of their relations, in small letters.
    pub(super) fn words(&self, catalog: &Catalog) -> HashSet<String> {
        let columns = self.every_column(catalog).map(|(name, _)| name);
        let relations = self.relations.iter();
        let relations = relations.filter_map(|oid| catalog.relation_by_oid(*oid));
        let relations = relations.map(|relation| &*relation.name);
        columns.chain(relations).map(str::to_lowercase).collect()
    }

    /// Whether a function is said to give nothing but what is computed of its arguments.
    pub(super) fn is_trusted(&self, function: &Function) -> bool {
        self.trusted.iter().any(|name| {
            name.name == function.name && name.schema.as_ref() == Some(&function.schema)
        })
    }

    /// Whether all functions that a name can mean came with PostgreSQL, or are said to be such.
    pub(super) fn trusts(&self, name: &Name, catalog: &Catalog) -> bool {
        let mut functions = catalog.functions(name).peekable();
        functions.peek().is_some() && functions.all(|it| it.builtin || self.is_trusted(it))
    }

    /// Whether a relation is a view whose query, when it runs, computes with protected values or lets them decide: then what
    /// the server says of it may be made of them.
    #[must_use]
    pub fn computes(&self, view: u32) -> bool {
        self.computing.contains(&view)
    }

    fn set(&mut self, relation: u32, number: i16, taint: Taint) -> bool {
        if taint == Taint::CLEAR || self.columns.get(&(relation, number)) == Some(&taint) {
            return false;
        }
        if !taint.is_clear() {
            self.relations.insert(relation);
        }
        self.columns.insert((relation, number), taint);
        true
    }

    /// A parent shows its children's rows, and a child holds what the parent's column is declared for; a foreign key holds
    /// the values that it refers to; what the server computes of a column depends on it.
    fn spread_over_tables(&mut self, catalog: &Catalog) {
        let mut grew = true;
        while grew {
            grew = false;
            for &(child, parent) in &catalog.inherits {
                for (from, to) in [(parent, child), (child, parent)] {
                    grew |= self.spread(catalog, from, to);
                }
            }
            for (key, (relation, number)) in &catalog.references {
                let taint = self.column(*relation, *number);
                grew |= !self.columns.contains_key(key) && self.set(key.0, key.1, taint);
            }
            for &(relation, number, of) in &catalog.computed {
                let before = self.column(relation, number);
                // One that is declared itself is masked as what it is declared to be.
                if !matches!(before.kind, Kind::Direct(_) | Kind::Document(_)) {
                    let taint = before.with(self.column(relation, of));
                    grew |= self.set(relation, number, taint);
                }
            }
        }
    }

    fn spread(&mut self, catalog: &Catalog, from: u32, to: u32) -> bool {
        let (Some(from), Some(to)) = (catalog.relation_by_oid(from), catalog.relation_by_oid(to))
        else {
            return false;
        };
        if !self.touches(from.oid) {
            return false;
        }
        let mut grew = false;
        for column in &from.columns {
            let taint = self.column(from.oid, column.number);
            if let Some(same) = to.columns.iter().find(|other| other.name == column.name) {
                let taint = self.column(to.oid, same.number).also(taint);
                grew |= self.set(to.oid, same.number, taint);
            }
        }
        grew
    }

    /// Follows view definitions until nothing new is protected.
    fn add_views(&mut self, catalog: &Catalog) {
        let views: Vec<(&Relation, Option<&Arc<Shape>>)> = catalog
            .relations()
            .filter(|relation| {
                matches!(
                    relation.kind,
                    RelationKind::View | RelationKind::MaterializedView
                )
            })
            .filter(|relation| relation.definition.is_some())
            .map(|relation| (relation, catalog.view(relation.oid)))
            .collect();
        let oids: HashSet<u32> = views.iter().map(|(view, _)| view.oid).collect();
        let declared: HashSet<(u32, i16)> = self.columns.keys().copied().collect();
        let mut grew = true;
        for _ in 0..VIEW_DEPTH_MAX {
            grew = false;
            for (view, shape) in &views {
                let (taints, computes) = match shape.and_then(|it| self.follow(view, it, catalog)) {
                    Some((slots, told)) => self.defined(view, slots, told, &mut grew),
                    None => self.not_followed(view, catalog),
                };
                grew |= computes && self.computing.insert(view.oid);
                for (column, taint) in view.columns.iter().zip(taints) {
                    let taint = match declared.contains(&(view.oid, column.number)) {
                        true => self.column(view.oid, column.number).also(taint),
                        false => taint,
                    };
                    grew |= self.set(view.oid, column.number, taint);
                }
            }
            for (view, relation, _) in &catalog.depends {
                let over = self.computes(*relation) && oids.contains(view);
                grew |= over && self.computing.insert(*view);
                let below = self.conditions.get(relation).cloned();
                if let Some(below) = below.filter(|_| oids.contains(view)) {
                    grew |= grow(&mut self.conditions, *view, &below);
                }
            }
            if !grew {
                break;
            }
        }
        if grew {
            self.computing.extend(oids);
            for (view, _) in &views {
                for column in &view.columns {
                    self.set(view.oid, column.number, self.any());
                }
            }
        }
    }

    /// The columns of a view, and what its query tells; `None` where it is not followed.
    fn follow(
        &self,
        view: &Relation,
        shape: &Shape,
        catalog: &Catalog,
    ) -> Option<(Vec<Slot>, Told)> {
        let mut lineage = Lineage::of_definition(catalog, self);
        let slots = lineage.columns(shape);
        let fits = slots.len() == view.columns.len() && !slots.iter().any(|slot| slot.many);
        fits.then_some((slots, lineage.told))
    }

    /// What a view's columns show, one for each, and whether its query computes with protected values.
    fn defined(
        &mut self,
        view: &Relation,
        slots: Vec<Slot>,
        told: Told,
        grew: &mut bool,
    ) -> (Vec<Taint>, bool) {
        let asked = told.asked.clone();
        let told = told.predicates(&self.declared);
        let mut conditions = told.matched;
        conditions.add(&told.probed);
        let computes = !conditions.is_empty();
        *grew |= grow(&mut self.conditions, view.oid, &conditions);
        // What a materialized view asks was asked when it was made.
        let is_live = view.kind == RelationKind::View;
        *grew |= is_live && grow(&mut self.asked, view.oid, &asked);
        let mut taints = Vec::with_capacity(slots.len());
        for (column, slot) in view.columns.iter().zip(slots) {
            let place = (view.oid, column.number);
            if let Some(origin) = slot.origin {
                self.stands_for.insert(place, origin);
            }
            *grew |= is_live && slot.session && self.of_session.insert(place);
            taints.push(slot.taint);
        }
        (taints, computes)
    }

    /// The same of a view that cannot be followed.
    fn not_followed(&self, view: &Relation, catalog: &Catalog) -> (Vec<Taint>, bool) {
        let depends = catalog
            .depends
            .iter()
            .any(|(on, relation, _)| *on == view.oid && self.touches(*relation));
        let taint = if depends {
            self.any()
        } else {
            let (schema, name) = (&view.schema, &view.name);
            Kind::Unknown(format!("view {schema}.{name} could not be followed")).into()
        };
        (vec![taint; view.columns.len()], true)
    }
}

/// Adds columns to those of a relation; whether there were not all there.
fn grow(of: &mut HashMap<u32, BaseColumns>, relation: u32, more: &BaseColumns) -> bool {
    if more.is_empty() {
        return false;
    }
    let all = of.entry(relation).or_default();
    let before = all.clone();
    all.add(more);
    *all != before
}
