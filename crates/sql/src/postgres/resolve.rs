//! A statement with the catalog at hand: what it touches, what its functions may do, what may be shown.

use std::collections::{BTreeMap, BTreeSet};

use model::DataClass;

use super::base::BaseColumns;
use super::builtin;
use super::catalog::{Catalog, RelationKind, Volatility};
use super::lineage::{Lineage, Missing, Predicates, Told};
use super::protected::Protected;
use super::redefine::Definition;
use super::shown::{Rows, shown};
use super::slot::{Slot, together};
use super::statement::{CopyDirection, CopyPeer, Output, Statement};
use super::taint::{Kind, Taint};
use super::walk::FOREIGN_KEY;
use crate::{Action, Effect, Name};

/// What a statement does and returns, as far as text and catalog tell.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The statement's effects, with one more for each function that may write.
    pub effects: Vec<ResolvedEffect>,
    /// Protected relations it touches in any way, as `schema.name`, sorted.
    pub protected: Vec<String>,
    /// Functions that it, or a view it reads, calls and that did not come with PostgreSQL, or are not known.
    pub calls: Vec<Called>,
    /// It stores protected values, or what may be such, where they are not declared: in a new table, another column, a
    /// file, a setting. To be refused unless the classes are revealed.
    pub copies_protected: bool,
    /// Columns of which it asks whether a value is one that it names, or the same as another of the class.
    pub matched: BaseColumns,
    /// With how many constants it compares values of each class; 0 where only with others of the class.
    pub guesses: BTreeMap<DataClass, usize>,
    /// Columns that decide in any other way which rows come, how many, in what order or groups, or whether it fails.
    pub probed: BaseColumns,
    /// Columns of which it asks how many values there are, or whether there is one.
    pub counted: BaseColumns,
    /// Columns whose values are in its rows, masked or not, or of which something in them is computed.
    pub shown: BaseColumns,
    /// The first name in it that certainly means nothing, by which the server will refuse it.
    pub missing: Option<Missing>,
    /// What may be shown of its rows.
    pub rows: Rows,
    /// The predicted columns of its rows, where they count.
    pub(super) columns: Vec<Slot>,
}

impl Resolved {
    /// What it matches and probes where comparing values of these classes counts as a search.
    #[must_use]
    pub fn searching(&self, classes: &[DataClass]) -> (BaseColumns, BaseColumns) {
        let few = self.matched.iter();
        let few = few.filter(|column| !classes.contains(column.class()));
        let mut probed = self.probed.clone();
        probed.add(&self.matched.of(classes));
        (few.cloned().collect(), probed)
    }
}

/// An effect with the relations it can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedEffect {
    /// The effect as the text gives it.
    pub effect: Effect,
    /// Every relation that its name can mean, as `schema.name`; as written when none is known.
    pub relations: Vec<String>,
    /// The relation is in the catalog, or the effect names none.
    pub known: bool,
    /// One of the relations holds protected data.
    pub protected: bool,
}

/// A function outside PostgreSQL's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// Its name as written.
    pub name: Name,
    /// What is known of it.
    pub kind: CalledKind,
}

/// What a function outside PostgreSQL's own may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalledKind {
    /// Not in the catalog: anything.
    Unknown,
    /// Volatile: it may write.
    Volatile,
    /// Stable or immutable: it may read anything.
    Reads,
}

/// Looks a statement up in the catalog. Needs a stack of [`super::STACK_BYTES`].
#[must_use]
pub fn resolve(statement: &Statement, catalog: &Catalog, protected: &Protected) -> Resolved {
    let calls = calls(statement, catalog);
    let mut effects: Vec<ResolvedEffect> = statement
        .effects
        .iter()
        .map(|effect| resolve_effect(effect.clone(), catalog, protected))
        .collect();
    for field in &statement.fields {
        let name = Name::bare(field);
        if let Some(action) = builtin::effect_of(field)
            && catalog.functions(&name).any(|function| function.takes_one)
        {
            effects.push(resolve_effect(
                Effect::on(action, "FUNCTION", Some(name)),
                catalog,
                protected,
            ));
        }
    }
    effects.extend(written_by(&calls));
    let trusted = |name: &Name| protected.trusts(name, catalog);
    if !protected.is_empty() {
        let told = Definition {
            statement,
            runs: calls.iter().any(|called| !trusted(&called.name)),
        };
        let more = told.redefines(&effects, catalog, protected);
        effects.extend(more);
    }
    let touched: BTreeSet<String> = effects
        .iter()
        .filter(|effect| effect.protected)
        .flat_map(|effect| effect.relations.iter().cloned())
        .collect();
    let (mut rows, mut columns, copies_protected, told, missing) =
        rows(statement, catalog, protected, !touched.is_empty());
    if !protected.is_empty()
        && let Some(why) = planned(statement, catalog, trusted)
    {
        rows = Rows::ByColumn;
        columns = vec![Slot::unknown(&why)];
    }
    let guesses = told.guesses();
    let Predicates {
        matched,
        mut probed,
        counted,
    } = told.predicates(protected.declared());
    for effect in effects.iter().filter(|effect| examines(statement, effect)) {
        probed.add(&columns_of(effect, catalog, protected));
    }
    let shown = match rows {
        Rows::Clear => BaseColumns::NONE,
        Rows::ByColumn => shown(&columns, protected.declared()),
    };
    Resolved {
        shown,
        matched,
        guesses,
        probed,
        counted,
        effects,
        protected: touched.into_iter().collect(),
        calls,
        copies_protected,
        missing,
        rows,
        columns,
    }
}

/// An effect for each function that may write.
fn written_by(calls: &[Called]) -> impl Iterator<Item = ResolvedEffect> {
    let calls = calls.iter().filter(|call| call.kind != CalledKind::Reads);
    calls.map(|call| {
        let reason = match call.kind {
            CalledKind::Unknown => "a function that is not in the catalog",
            _ => "a volatile function",
        };
        let effect = Effect {
            reason: Some(reason.into()),
            ..Effect::on(Action::Call, "FUNCTION", Some(call.name.clone()))
        };
        ResolvedEffect {
            relations: vec![call.name.to_string()],
            known: true,
            protected: false,
            effect,
        }
    })
}

fn resolve_effect(effect: Effect, catalog: &Catalog, protected: &Protected) -> ResolvedEffect {
    let on_relation = matches!(
        effect.object,
        "" | "TABLE"
            | "VIEW"
            | "MATERIALIZED VIEW"
            | "FOREIGN TABLE"
            | "SEQUENCE"
            | "ROWS"
            | "INDEX"
            | "TRIGGER"
            | "RULE"
            | "POLICY"
            | FOREIGN_KEY
    ) && !matches!(
        effect.action,
        Action::Set
            | Action::SetRole
            | Action::Show
            | Action::Listen
            | Action::Notify
            | Action::Prepare
            | Action::Execute
            | Action::Deallocate
            | Action::Cursor
    );
    let Some(name) = effect.relation.as_ref().filter(|_| on_relation) else {
        let relations = effect.relation.iter().map(Name::to_string).collect();
        return ResolvedEffect {
            relations,
            known: true,
            protected: false,
            effect,
        };
    };
    let candidates: Vec<_> = catalog
        .candidates(name)
        .filter(|r| r.kind != RelationKind::Toast || name.schema.is_some())
        .collect();
    let relations = match candidates.as_slice() {
        [] => vec![name.to_string()],
        several => several
            .iter()
            .map(|relation| format!("{}.{}", relation.schema, relation.name))
            .collect(),
    };
    ResolvedEffect {
        relations,
        known: !candidates.is_empty(),
        protected: candidates
            .iter()
            .any(|relation| protected.touches(relation.oid)),
        effect,
    }
}

fn calls(statement: &Statement, catalog: &Catalog) -> Vec<Called> {
    let kind = |name: &Name| {
        let mut kind = None;
        let mut any = false;
        for function in catalog.functions(name) {
            any = true;
            match (function.builtin, function.volatility) {
                (true, _) => {}
                // Only the database's owner can have functions in C.
                _ if function.language == "c" && builtin::makes_values(&function.name) => {}
                (false, Volatility::Volatile) => kind = Some(CalledKind::Volatile),
                (false, _) => kind = kind.or(Some(CalledKind::Reads)),
            }
        }
        if any { kind } else { Some(CalledKind::Unknown) }
    };
    let mut names: Vec<&Name> = statement.functions.iter().collect();
    for name in statement
        .effects
        .iter()
        .filter_map(|effect| effect.relation.as_ref())
    {
        for relation in catalog.candidates(name) {
            for function in catalog.functions_of(relation.oid) {
                if !names.contains(&function) {
                    names.push(function);
                }
            }
        }
    }
    let called = names.into_iter().filter_map(|name| {
        Some(Called {
            name: name.clone(),
            kind: kind(name)?,
        })
    });
    let mut calls: Vec<Called> = called.collect();
    for field in &statement.fields {
        let name = Name::bare(field);
        let takes_one = catalog.functions(&name).any(|function| function.takes_one);
        if takes_one
            && !statement.functions.contains(&name)
            && let Some(kind) = kind(&name)
        {
            calls.push(Called { name, kind });
        }
    }
    calls
}

/// What may be shown of the rows, the columns, whether protected values come to rest elsewhere, what else is told, and what is
/// not there.
fn rows(
    statement: &Statement,
    catalog: &Catalog,
    protected: &Protected,
    touches: bool,
) -> (Rows, Vec<Slot>, bool, Told, Option<Missing>) {
    let mut lineage = Lineage::new(catalog, protected);
    if protected.is_empty() {
        let columns = match &statement.output {
            Output::Query(shape) if statement.copy.is_some() => lineage.columns(shape),
            _ => Vec::new(),
        };
        return (Rows::Clear, columns, false, Told::default(), None);
    }
    let stored_elsewhere = stores_result(statement);
    let (columns, rows) = match &statement.output {
        Output::Query(shape) => (lineage.columns(shape), Rows::ByColumn),
        Output::Nothing | Output::Server => (inside(statement, &mut lineage), Rows::Clear),
        Output::Handle | Output::Unknown => (
            vec![Slot::unknown("what it runs is not known")],
            Rows::ByColumn,
        ),
    };
    for given in statement.nested().filter_map(|it| it.given.as_ref()) {
        lineage.take(given);
    }
    let stored = if stored_elsewhere {
        together(&columns)
    } else {
        Taint::CLEAR
    };
    let side_effects = touches && statement.effects.iter().any(carries_data);
    let copies = [lineage.stores.clone(), stored]
        .into_iter()
        .any(|taint| match taint.kind {
            Kind::Clear => false,
            Kind::Direct(_)
            | Kind::Members(_)
            | Kind::Document(_)
            | Kind::Row(_)
            | Kind::Derived(_) => true,
            Kind::Unknown(_) => touches || stored_elsewhere || lineage.called,
        });
    let Lineage { told, missing, .. } = lineage;
    (rows, columns, copies || side_effects, told, missing)
}

/// Why the plan that an `EXPLAIN` shows may hold data: the planner runs functions that are immutable, and shows what they return.
fn planned(
    statement: &Statement,
    catalog: &Catalog,
    trusted: impl Fn(&Name) -> bool,
) -> Option<String> {
    let inner = statement
        .inner
        .as_ref()
        .filter(|_| statement.tag == "EXPLAIN")?;
    let mut called = calls(inner, catalog).into_iter();
    if let Some(Called { name, .. }) = called.find(|it| !trusted(&it.name)) {
        return Some(format!("the plan may hold what function {name} returns"));
    }
    let unknown = |it: &Statement| matches!(it.output, Output::Handle | Output::Unknown);
    inner
        .nested()
        .any(unknown)
        .then(|| "the plan is of a statement that is not known".to_owned())
}

/// Whether an effect loads values from outside in bulk, which a key can refuse, or has the server look at every value: for
/// a constraint, an index, a statistic, a new order.
fn examines(statement: &Statement, effect: &ResolvedEffect) -> bool {
    effect.protected
        && (matches!(
            effect.effect.action,
            Action::Create | Action::Alter | Action::CopyIn
        ) || effect.effect.object == FOREIGN_KEY
            || statement.tag == "CLUSTER")
}

/// What the columns that an effect names depend on, or all.
pub(super) fn columns_of(
    effect: &ResolvedEffect,
    catalog: &Catalog,
    protected: &Protected,
) -> BaseColumns {
    let mut of = BaseColumns::NONE;
    let name = effect.effect.relation.iter();
    for relation in name.flat_map(|name| catalog.candidates(name)) {
        for column in &relation.columns {
            let named = effect.effect.columns.as_ref();
            if named.is_some_and(|named| !named.contains(&column.name)) {
                continue;
            }
            of.add(&protected.column(relation.oid, column.number).columns());
        }
    }
    of
}

/// The columns of the first statement within this one that has any: they are not returned.
fn inside(statement: &Statement, lineage: &mut Lineage<'_>) -> Vec<Slot> {
    let columns = statement
        .nested()
        .skip(1)
        .find_map(|inner| match &inner.output {
            Output::Query(shape) => Some(lineage.columns(shape)),
            Output::Handle | Output::Unknown => {
                Some(vec![Slot::unknown("what it runs is not known")])
            }
            Output::Nothing | Output::Server => None,
        });
    columns.unwrap_or_default()
}

/// Whether it, or one within it, is `CREATE TABLE AS`, a materialized view, or a `COPY` to a file or program.
fn stores_result(statement: &Statement) -> bool {
    let stores = |it: &Statement| {
        let copy = it.copy.as_ref();
        copy.is_some_and(|copy| {
            copy.direction == CopyDirection::Out && copy.peer != CopyPeer::Client
        }) || matches!(it.tag, "CREATE TABLE AS" | "CREATE MATERIALIZED VIEW")
    };
    statement.nested().any(stores)
}

/// A function that carries its arguments somewhere else.
fn carries_data(effect: &Effect) -> bool {
    effect.object == "FUNCTION" && builtin::carries_anything(effect.action)
}
