//! Statements after which the database itself may do something else with protected values.
//!
//! Lineage follows what a statement says. It cannot follow what a trigger, a rule, an operator or a default does in the
//! middle of one, nor find a protected column that has another name since. So where columns are declared, what makes such
//! things is an effect of its own, for policy to decide.

use super::catalog::Catalog;
use super::protected::Protected;
use super::resolve::{ResolvedEffect, columns_of};
use super::setting;
use super::shape_build::is_kept_by_name;
use super::statement::Statement;
use super::walk::FOREIGN_KEY;
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
const RELATIONS: &[&str] = &["TABLE", "FOREIGN TABLE", "MATERIALIZED VIEW", "VIEW"];

/// A statement that may define something.
pub(super) struct Definition<'a> {
    pub(super) statement: &'a Statement,
    /// It calls functions that are not known to give nothing but what they are given.
    pub(super) runs: bool,
}

impl Definition<'_> {
    /// The effects that come beside those of the definition, one at most for each.
    pub(super) fn redefines(
        &self,
        effects: &[ResolvedEffect],
        catalog: &Catalog,
        protected: &Protected,
    ) -> Vec<ResolvedEffect> {
        let is_protected = |name: &Name| {
            let mut relations = catalog.candidates(name);
            relations.any(|relation| protected.touches(relation.oid))
        };
        let refers = |effect: &ResolvedEffect| {
            effect.effect.object == FOREIGN_KEY
                && !columns_of(effect, catalog, protected).is_empty()
        };
        let takes = self.statement.takes.iter().any(is_protected) || effects.iter().any(refers);
        let redefines = |effect: &ResolvedEffect| {
            let name = effect.effect.relation.as_ref();
            let name = match effect.effect.action {
                Action::Create => name.map(|name| name.name.as_str()),
                _ => self.statement.renames_to.as_deref(),
            };
            let named = Named {
                // In whatever schema: the search path decides which of them is meant.
                protected: name.is_some_and(|name| is_protected(&Name::bare(name))),
                kept: name.is_some_and(|name| keeps(name, catalog, protected)),
            };
            let why = self.reason(effect, &named, takes)?;
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

    fn reason(&self, effect: &ResolvedEffect, named: &Named, takes: bool) -> Option<&'static str> {
        let statement = self.statement;
        let Effect { action, object, .. } = effect.effect;
        if action == Action::Drop {
            // What is made in its place would go by a name that sessions know as another.
            return if effect.protected && TABLES.contains(&object) {
                Some("another may take the name of what holds protected columns")
            } else if statement.cascades {
                Some("what goes with it may be what tells that columns are protected")
            } else {
                None
            };
        }
        let name = effect.effect.relation.as_ref();
        if action == Action::Set
            && statement.tag != "RESET"
            && name.is_some_and(|name| setting::is_planners(&name.name))
        {
            return Some("with the planner's settings rows come in the order of an index");
        }
        let finds = matches!(
            action,
            Action::Select | Action::Insert | Action::Update | Action::Delete | Action::Prepare
        );
        if statement.hinted && finds && name.is_some() && object != "FUNCTION" {
            return Some("with hints to the planner rows come in the order of an index");
        }
        if action == Action::Grant && (effect.protected || object == "ALL IN SCHEMA") {
            return Some("others may read what holds protected columns, and not through here");
        }
        // A comment changes nothing.
        if !matches!(action, Action::Create | Action::Alter) || statement.tag == "COMMENT" {
            return None;
        }
        if MACHINERY.contains(&object) {
            return Some("it may carry values where no statement shows it");
        }
        if named.kept {
            return Some("casts go by its name");
        }
        match (action, object) {
            _ if named.protected && RELATIONS.contains(&object) => {
                Some("it has the name of what holds protected columns")
            }
            _ if takes && object != "VIEW" => {
                Some("it makes what is protected part of something else")
            }
            // Sessions that know the view as it was would follow that.
            (Action::Create, "VIEW") if !statement.temporary => {
                Some("other sessions may read through it before they know it")
            }
            (Action::Create, "DATABASE") => Some("it may copy what is protected"),
            // What is protected in it would go by another name.
            (Action::Alter, "SCHEMA") => Some("declared columns go by the schema's name"),
            (Action::Alter, "DOMAIN") => Some("it is checked with values that no statement shows"),
            (Action::Alter, _) if effect.protected => {
                Some("it changes what holds protected columns")
            }
            _ if self.runs && !is_followed(statement) => {
                Some("it has a function run with values that no statement shows")
            }
            _ => None,
        }
    }
}

/// What has the name that something gets.
struct Named {
    /// A relation that holds protected columns.
    protected: bool,
    /// A type to which values of it are cast as they are.
    kept: bool,
}

/// Whether a cast to a type of that name may be known to keep the values of a protected column.
fn keeps(name: &str, catalog: &Catalog, protected: &Protected) -> bool {
    let relations = catalog.relations();
    let relations = relations.filter(|relation| protected.touches(relation.oid));
    let mut kinds = relations.flat_map(|it| it.columns.iter().map(|column| column.type_oid));
    is_kept_by_name(name) || catalog.is_type_of(name, &mut kinds)
}

/// Whether what it calls is seen again whenever what it makes is read.
fn is_followed(statement: &Statement) -> bool {
    matches!(
        statement.tag,
        "CREATE VIEW" | "CREATE MATERIALIZED VIEW" | "CREATE TABLE AS" | "SELECT"
    )
}
