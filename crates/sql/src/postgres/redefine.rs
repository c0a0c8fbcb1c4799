//! Statements after which the database itself may do something else with protected values.
//!
//! Lineage follows what a statement says. It cannot follow what a trigger, a rule, an operator or a default does in the
//! middle of one, nor find a protected column that has another name since. So where columns are declared, what makes such
//! things is an effect of its own, for policy to decide.

use super::resolve::{Called, ResolvedEffect};
use super::statement::Statement;
use crate::{Action, Effect, Name};

/// Kinds of objects that run code, or carry values, where no statement names them.
const MACHINERY: &[&str] = &[
    "ACCESS METHOD",
    "AGGREGATE",
    "CAST",
    "CONVERSION",
    "EVENT TRIGGER",
    "EXTENSION",
    "FOREIGN DATA WRAPPER",
    "FOREIGN TABLE",
    "FUNCTION",
    "LANGUAGE",
    "OPERATOR",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
    "POLICY",
    "PROCEDURE",
    "PUBLICATION",
    "ROUTINE",
    "RULE",
    "SERVER",
    "SUBSCRIPTION",
    "TEXT SEARCH DICTIONARY",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
    "TRANSFORM",
    "TRIGGER",
    "USER MAPPING",
];

const TABLES: &[&str] = &["TABLE", "FOREIGN TABLE", "MATERIALIZED VIEW"];

/// The effects that come beside those of a definition, one at most for each.
pub(super) fn effects(
    statement: &Statement,
    effects: &[ResolvedEffect],
    calls: &[Called],
    is_protected: impl Fn(&Name) -> bool,
) -> Vec<ResolvedEffect> {
    let redefines = |effect: &ResolvedEffect| {
        // In whatever schema: the search path decides which of them is meant.
        let name = effect.effect.relation.as_ref();
        let takes_a_name = name.is_some_and(|name| is_protected(&Name::bare(&name.name)));
        let why = reason(statement, effect, calls, takes_a_name)?;
        Some(ResolvedEffect {
            effect: Effect {
                action: Action::Redefine,
                reason: Some(why.into()),
                ..effect.effect.clone()
            },
            ..effect.clone()
        })
    };
    effects.iter().filter_map(redefines).collect()
}

fn reason(
    statement: &Statement,
    effect: &ResolvedEffect,
    calls: &[Called],
    takes_a_name: bool,
) -> Option<&'static str> {
    let Effect { action, object, .. } = effect.effect;
    // What is made in its place would go by a name that sessions know as another.
    if effect.protected && action == Action::Drop && TABLES.contains(&object) {
        return Some("another may take the name of what holds protected columns");
    }
    // A comment changes nothing.
    if !matches!(action, Action::Create | Action::Alter) || statement.tag == "COMMENT" {
        return None;
    }
    if MACHINERY.contains(&object) {
        return Some("it may carry values where no statement shows it");
    }
    match (action, object) {
        (Action::Create, _) if TABLES.contains(&object) && takes_a_name => {
            Some("it has the name of what holds protected columns")
        }
        // Sessions that know the view as it was would follow that.
        (Action::Create, "VIEW") if !statement.temporary => {
            Some("other sessions may read through it before they know it")
        }
        (Action::Create, "DATABASE") => Some("it may copy what is protected"),
        // What is protected in it would go by another name.
        (Action::Alter, "SCHEMA") => Some("declared columns go by the schema's name"),
        (Action::Alter, _) if effect.protected => Some("it changes what holds protected columns"),
        _ if !calls.is_empty() && !is_followed(statement) => {
            Some("it has a function run with values that no statement shows")
        }
        _ => None,
    }
}

/// Whether what it calls is seen again whenever what it makes is read.
fn is_followed(statement: &Statement) -> bool {
    matches!(
        statement.tag,
        "CREATE VIEW" | "CREATE MATERIALIZED VIEW" | "CREATE TABLE AS" | "SELECT"
    )
}
