//! Effects to the questions of `postgres.cedarschema`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Ask, Asks, DataClass, Resource, Value};
use sql::postgres::{BaseColumns, Resolved, ResolvedEffect};
use sql::{Action, Name, quoted};

use super::{Known, Piece};

/// One question for each effect of each statement, and the same for preparing them.
pub(super) fn of(pieces: &[Piece], target: &str, known: &Known) -> (Arc<Asks>, Arc<Asks>) {
    let asks = list(pieces, &[], target, known);
    let prepare = |ask: &Ask| Ask {
        action: Action::Prepare.name(),
        ..ask.clone()
    };
    let mut prepares: Vec<Ask> = asks.iter().map(prepare).collect();
    prepares.dedup();
    let mut asks = Asks::new(asks);
    let guesses = guesses(pieces);
    if !guesses.is_empty() {
        let classes: Vec<DataClass> = guesses.keys().cloned().collect();
        asks = asks.guessing(guesses, Asks::new(list(pieces, &classes, target, known)));
    }
    (Arc::new(asks), Arc::new(Asks::new(prepares)))
}

/// The questions, where comparing values of the classes in `searched` counts as a search.
fn list(pieces: &[Piece], searched: &[DataClass], target: &str, known: &Known) -> Vec<Ask> {
    let mut asks = Vec::new();
    for piece in pieces {
        let told = piece.resolved.searching(searched);
        for effect in &piece.resolved.effects {
            of_effect(piece, effect, &told, target, known, &mut asks);
        }
    }
    if asks.is_empty() {
        asks.push(empty(target));
    }
    asks.dedup();
    asks
}

/// After how many values of each class the statements ask together, which do nothing worse with it.
fn guesses(pieces: &[Piece]) -> BTreeMap<DataClass, u64> {
    let mut guesses = BTreeMap::new();
    for Piece { resolved, .. } in pieces {
        let matched = resolved.matched.classes();
        let counted = resolved.guesses.iter();
        for (class, &count) in counted.filter(|(class, _)| matched.contains(*class)) {
            *guesses.entry(class.clone()).or_default() += count as u64;
        }
    }
    guesses.retain(|_, count| *count > 0);
    guesses
}

/// An empty text computes nothing and reads nothing: the least that `select` can mean.
fn empty(target: &str) -> Ask {
    let context = BTreeMap::from([
        ("tag", Value::Text(String::new())),
        ("object", Value::Text(String::new())),
        ("has_where", Value::Bool(false)),
        ("known", Value::Bool(true)),
        ("protected", Value::Texts(Vec::new())),
        ("matched", Value::Texts(Vec::new())),
        ("probed", Value::Texts(Vec::new())),
        ("matched_columns", Value::Texts(Vec::new())),
        ("probed_columns", Value::Texts(Vec::new())),
        ("counted_columns", Value::Texts(Vec::new())),
        ("shown_columns", Value::Texts(Vec::new())),
    ]);
    Ask {
        action: Action::Select.name(),
        resource: whole(target),
        context,
    }
}

fn of_effect(
    piece: &Piece,
    effect: &ResolvedEffect,
    (matched, probed): &(BaseColumns, BaseColumns),
    target: &str,
    known: &Known,
    asks: &mut Vec<Ask>,
) {
    let resolved = &piece.resolved;
    let mut context = BTreeMap::from([
        ("tag", Value::Text(piece.statement.tag.to_owned())),
        ("object", Value::Text(effect.effect.object.to_owned())),
        ("has_where", Value::Bool(effect.effect.has_where)),
        ("known", Value::Bool(effect.known)),
        ("protected", names(&classes_of(effect, known))),
        ("matched", names(&matched.classes())),
        ("probed", names(&probed.classes())),
        ("matched_columns", columns(matched)),
        ("probed_columns", columns(probed)),
        ("counted_columns", columns(&resolved.counted)),
        ("shown_columns", columns(&resolved.shown)),
    ]);
    if let Some(columns) = &effect.effect.columns {
        context.insert("columns", Value::Texts(columns.clone()));
    }
    for resource in resources(effect, target, known) {
        asks.push(Ask {
            action: effect.effect.action.name(),
            resource,
            context: context.clone(),
        });
    }
}

fn names(classes: &BTreeSet<DataClass>) -> Value {
    let names = classes.iter().map(|class| class.name().to_owned());
    Value::Texts(names.collect())
}

fn columns(columns: &BaseColumns) -> Value {
    let names = columns.iter().map(|column| column.name().to_owned());
    Value::Texts(names.collect())
}

/// Everything that the effect's name can mean.
fn resources(effect: &ResolvedEffect, target: &str, known: &Known) -> Vec<Resource> {
    let Some(name) = &effect.effect.relation else {
        return vec![whole(target)];
    };
    match kind(effect) {
        Some("Schema") => vec![Resource {
            kind: "Schema",
            name: name.name.clone(),
            parents: Vec::new(),
            attributes: BTreeMap::new(),
        }],
        Some("Function") => {
            let mut schemas: BTreeSet<&str> = known
                .catalog
                .functions(name)
                .map(|function| &*function.schema)
                .collect();
            if schemas.is_empty() {
                schemas.insert(name.schema.as_deref().unwrap_or(""));
            }
            schemas
                .into_iter()
                .map(|schema| within("Function", schema, &name.name))
                .collect()
        }
        Some(_) => {
            let found: Vec<_> = known
                .catalog
                .candidates(name)
                .map(|r| within("Table", &r.schema, &r.name))
                .collect();
            if found.is_empty() {
                vec![within(
                    "Table",
                    name.schema.as_deref().unwrap_or(""),
                    &name.name,
                )]
            } else {
                found
            }
        }
        None => vec![whole(target)],
    }
}

/// The type of the resource that an effect with a name is on; `None` for the target itself, as for roles and settings.
fn kind(effect: &ResolvedEffect) -> Option<&'static str> {
    match effect.effect.object {
        "SCHEMA" => Some("Schema"),
        "FUNCTION" | "PROCEDURE" | "ROUTINE" | "AGGREGATE" => Some("Function"),
        "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "FOREIGN TABLE" | "SEQUENCE" | "ROWS"
        | "INDEX" | "TRIGGER" | "RULE" | "POLICY" | "FOREIGN KEY" => Some("Table"),
        "" => match effect.effect.action {
            Action::Select
            | Action::Insert
            | Action::Update
            | Action::Delete
            | Action::Truncate
            | Action::CopyIn
            | Action::CopyOut
            | Action::Create
            | Action::Alter
            | Action::Redefine
            | Action::Drop
            | Action::Grant
            | Action::Revoke
            | Action::Lock
            | Action::Maintenance
            | Action::Sequence => Some("Table"),
            Action::Call => Some("Function"),
            _ => None,
        },
        _ => None,
    }
}

fn whole(target: &str) -> Resource {
    Resource {
        kind: "Target",
        name: target.to_owned(),
        parents: Vec::new(),
        attributes: BTreeMap::new(),
    }
}

fn within(kind: &'static str, schema: &str, name: &str) -> Resource {
    let (id, parents) = if schema.is_empty() {
        (quoted(name), Vec::new())
    } else {
        (
            format!("{}.{}", quoted(schema), quoted(name)),
            vec![("Schema", schema.to_owned())],
        )
    };
    let attributes = BTreeMap::from([
        ("schema", Value::Text(schema.to_owned())),
        ("name", Value::Text(name.to_owned())),
    ]);
    Resource {
        kind,
        name: id,
        parents,
        attributes,
    }
}

/// The classes declared in the relations of all effects.
pub(super) fn touched(resolved: &Resolved, known: &Known) -> BTreeSet<DataClass> {
    resolved
        .effects
        .iter()
        .flat_map(|effect| classes_of(effect, known))
        .collect()
}

/// The classes declared in the effect's relations. Where the effect names columns, theirs; else all.
fn classes_of(effect: &ResolvedEffect, known: &Known) -> BTreeSet<DataClass> {
    let mut classes = BTreeSet::new();
    let Some(name) = effect.effect.relation.as_ref().filter(|_| effect.protected) else {
        return classes;
    };
    for relation in candidates(known, name) {
        for column in &relation.columns {
            let taint = known.protected.column(relation.oid, column.number);
            classes.extend(taint.classes());
        }
    }
    classes
}

fn candidates<'a>(
    known: &'a Known,
    name: &'a Name,
) -> impl Iterator<Item = &'a sql::postgres::Relation> {
    known.catalog.candidates(name)
}
