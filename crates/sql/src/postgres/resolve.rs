//! A statement with the catalog at hand: what it touches, what its functions may do, what may be shown.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::DataClass;

use super::catalog::{Catalog, RelationKind, Volatility};
use super::lineage::{Lineage, Told};
use super::protected::Protected;
use super::redefine;
use super::statement::{CopyDirection, CopyPeer, Output, Statement};
use super::taint::{Members, Slot, Taint, together};
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
    /// Classes of which it asks whether a value is one that it names, or the same as another of the class.
    pub matched: BTreeSet<DataClass>,
    /// Classes that decide in any other way which rows come, how many, in what order or groups, or whether it fails.
    pub probed: BTreeSet<DataClass>,
    /// What may be shown of its rows.
    pub rows: Rows,
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

/// What may be shown of a statement's rows.
#[derive(Debug, Clone)]
pub enum Rows {
    /// It returns none, or the server's own.
    Clear,
    /// Its columns, decided with what the server reports of each: see [`Resolved::rules`].
    Columns(Columns),
}

/// The predicted columns of a result.
#[derive(Debug, Clone)]
pub struct Columns(Vec<Slot>);

/// Where RowDescription says that a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldOrigin {
    /// The relation's object identifier; 0 for none.
    pub table_oid: u32,
    /// The attribute number; 0 for none.
    pub column: i16,
}

/// What to do with one output column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputRule {
    /// Pass it (detectors still look at it).
    Clear,
    /// Mask it as this class.
    Declared(DataClass),
    /// It is JSON, or a row: mask its members, each by its name.
    Members(Arc<Members>),
    /// Withhold it.
    Withheld(Withheld),
}

/// Why an output column is withheld.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    /// It is computed of protected columns.
    #[error("it is computed from protected data ({}): select the column itself, or leave it out", classes(.0))]
    Derived(BTreeSet<DataClass>),
    /// Its relation is not in the catalog: load it again, and resolve again.
    #[error(
        "its table (oid {0}) is not known yet: try again, or ask for the catalog to be refreshed"
    )]
    Relation(u32),
    /// What it depends on cannot be told.
    #[error("what it depends on is not known: {0}")]
    Unknown(String),
}

fn classes(classes: &BTreeSet<DataClass>) -> String {
    classes
        .iter()
        .map(DataClass::name)
        .collect::<Vec<_>>()
        .join(", ")
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
    for call in calls.iter().filter(|call| call.kind != CalledKind::Reads) {
        let reason = match call.kind {
            CalledKind::Unknown => "a function that is not in the catalog",
            _ => "a volatile function",
        };
        let effect = Effect {
            reason: Some(reason.into()),
            ..Effect::on(Action::Call, "FUNCTION", Some(call.name.clone()))
        };
        effects.push(ResolvedEffect {
            relations: vec![call.name.to_string()],
            known: true,
            protected: false,
            effect,
        });
    }
    if !protected.is_empty() {
        effects.extend(redefine::effects(statement, &effects, &calls));
    }
    let touched: BTreeSet<String> = effects
        .iter()
        .filter(|effect| effect.protected)
        .flat_map(|effect| effect.relations.iter().cloned())
        .collect();
    let (mut rows, copies_protected, told) =
        rows(statement, catalog, protected, !touched.is_empty());
    if !protected.is_empty()
        && let Some(why) = planned(statement, catalog)
    {
        rows = Rows::Columns(Columns(vec![Slot::unknown(&why)]));
    }
    let (matched, mut probed) = told.classes(protected.classes());
    for effect in effects.iter().filter(|effect| examines(statement, effect)) {
        probed.extend(classes_of(effect, catalog, protected));
    }
    Resolved {
        matched,
        probed,
        effects,
        protected: touched.into_iter().collect(),
        calls,
        copies_protected,
        rows,
    }
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
    called.collect()
}

fn rows(
    statement: &Statement,
    catalog: &Catalog,
    protected: &Protected,
    touches: bool,
) -> (Rows, bool, Told) {
    if protected.is_empty() {
        return (Rows::Clear, false, Told::default());
    }
    let mut lineage = Lineage::new(catalog, protected);
    let stored_elsewhere = stores_result(statement);
    let (slots, clear) = match &statement.output {
        Output::Query(shape) => (lineage.columns(shape), false),
        Output::Nothing | Output::Server => (inner_columns(statement, &mut lineage), true),
        Output::Handle | Output::Unknown => {
            (vec![Slot::unknown("what it runs is not known")], false)
        }
    };
    let stored = if stored_elsewhere {
        together(&slots)
    } else {
        Taint::Clear
    };
    let side_effects = touches && statement.effects.iter().any(carries_data);
    let copies = [lineage.stores.clone(), stored]
        .into_iter()
        .any(|taint| match taint {
            Taint::Clear => false,
            Taint::Direct(_) | Taint::Members(_) | Taint::Derived(_) => true,
            Taint::Unknown(_) => touches || stored_elsewhere,
        });
    let rows = if clear {
        Rows::Clear
    } else {
        Rows::Columns(Columns(slots))
    };
    (rows, copies || side_effects, lineage.told)
}

/// Why the plan that an `EXPLAIN` shows may hold data: the planner runs functions that are immutable, and shows what they return.
fn planned(statement: &Statement, catalog: &Catalog) -> Option<String> {
    let inner = statement
        .inner
        .as_ref()
        .filter(|_| statement.tag == "EXPLAIN")?;
    if let Some(called) = calls(inner, catalog).first() {
        let name = &called.name;
        return Some(format!("the plan may hold what function {name} returns"));
    }
    matches!(inner.output, Output::Handle | Output::Unknown)
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

/// The classes in the columns that an effect names, or in all.
fn classes_of(
    effect: &ResolvedEffect,
    catalog: &Catalog,
    protected: &Protected,
) -> BTreeSet<DataClass> {
    let mut classes = BTreeSet::new();
    let name = effect.effect.relation.iter();
    for relation in name.flat_map(|name| catalog.candidates(name)) {
        for column in &relation.columns {
            let named = effect.effect.columns.as_ref();
            if named.is_some_and(|named| !named.contains(&column.name)) {
                continue;
            }
            classes.extend(protected.column(relation.oid, column.number).classes());
        }
    }
    classes
}

/// The columns of a statement that runs inside this one without returning its rows.
fn inner_columns(statement: &Statement, lineage: &mut Lineage<'_>) -> Vec<Slot> {
    match statement.inner.as_deref().map(|inner| &inner.output) {
        Some(Output::Query(shape)) => lineage.columns(shape),
        Some(Output::Handle | Output::Unknown) => vec![Slot::unknown("what it runs is not known")],
        _ => Vec::new(),
    }
}

/// `CREATE TABLE AS`, a materialized view, `COPY` to a file or program.
fn stores_result(statement: &Statement) -> bool {
    let copied = statement
        .copy
        .as_ref()
        .is_some_and(|copy| copy.direction == CopyDirection::Out && copy.peer != CopyPeer::Client);
    copied
        || matches!(
            statement.tag,
            "CREATE TABLE AS" | "CREATE MATERIALIZED VIEW"
        )
}

/// A function that carries its arguments somewhere else.
fn carries_data(effect: &Effect) -> bool {
    effect.object == "FUNCTION"
        && matches!(
            effect.action,
            Action::Set
                | Action::SetRole
                | Action::Notify
                | Action::LargeObject
                | Action::WriteFile
                | Action::Connect
                | Action::Opaque
                | Action::Administer
        )
}

impl Resolved {
    /// What to do with each column of a result, given what RowDescription reports of each.
    ///
    /// A column that the server reports as a plain column of a known table is decided at least as strictly as that
    /// column. When the number of columns is not the predicted one, only such columns are shown.
    #[must_use]
    pub fn rules(
        &self,
        fields: &[FieldOrigin],
        catalog: &Catalog,
        protected: &Protected,
    ) -> Vec<OutputRule> {
        let Rows::Columns(Columns(slots)) = &self.rows else {
            return fields
                .iter()
                .map(|field| with_origin(&Taint::Clear, *field, catalog, protected))
                .collect();
        };
        let predicted = spread(slots, fields.len());
        fields
            .iter()
            .zip(predicted)
            .map(|(field, taint)| with_origin(&taint, *field, catalog, protected))
            .collect()
    }

    /// What to do with each of `count` columns of a `COPY … TO STDOUT`, which the server reports nothing of.
    #[must_use]
    pub fn copy_rules(&self, count: usize) -> Vec<OutputRule> {
        match &self.rows {
            Rows::Clear => vec![OutputRule::Clear; count],
            Rows::Columns(Columns(slots)) => spread(slots, count)
                .into_iter()
                .map(|taint| rule(&taint))
                .collect(),
        }
    }

    /// Whether no column of the result needs masking or withholding, whatever the server reports.
    #[must_use]
    pub fn rows_are_clear(&self) -> bool {
        match &self.rows {
            Rows::Clear => true,
            Rows::Columns(Columns(slots)) => slots.iter().all(|slot| slot.taint == Taint::Clear),
        }
    }
}

/// The predicted taints of `count` columns.
fn spread(slots: &[Slot], count: usize) -> Vec<Taint> {
    let single = slots.iter().filter(|slot| !slot.many).count();
    let open = slots.len() - single;
    if slots.iter().all(|slot| slot.taint == Taint::Clear) && (open > 0 || single == count) {
        return vec![Taint::Clear; count];
    }
    if single > count || open > 1 || (open == 0 && single != count) {
        return vec![
            Taint::Unknown(
                "the result has other columns than the statement shows".to_owned()
            );
            count
        ];
    }
    let many = count - single;
    let times = |slot: &Slot| if slot.many { many } else { 1 };
    slots
        .iter()
        .flat_map(|slot| std::iter::repeat_n(slot.taint.clone(), times(slot)))
        .collect()
}

fn rule(taint: &Taint) -> OutputRule {
    match taint {
        Taint::Clear => OutputRule::Clear,
        Taint::Direct(class) => OutputRule::Declared(class.clone()),
        Taint::Members(members) => OutputRule::Members(Arc::clone(members)),
        Taint::Derived(classes) => OutputRule::Withheld(Withheld::Derived(classes.clone())),
        Taint::Unknown(why) => OutputRule::Withheld(Withheld::Unknown(why.clone())),
    }
}

fn with_origin(
    taint: &Taint,
    field: FieldOrigin,
    catalog: &Catalog,
    protected: &Protected,
) -> OutputRule {
    if protected.is_empty() {
        return OutputRule::Clear;
    }
    let known = field.table_oid != 0 && catalog.relation_by_oid(field.table_oid).is_some();
    match taint {
        Taint::Direct(_) | Taint::Members(_) | Taint::Derived(_) => rule(taint),
        _ if known => rule(&protected.column(field.table_oid, field.column)),
        _ if field.table_oid != 0 => OutputRule::Withheld(Withheld::Relation(field.table_oid)),
        taint => rule(taint),
    }
}
