//! One walk over a statement: its effects, the relations it names and the functions it calls.

use std::collections::{HashMap, HashSet};

use pg_query::{Node, NodeRef, protobuf};
use protobuf::{CmdType, OnConflictAction};

use super::{builtin, condition, setting, tree::children};
use crate::{Action, Effect, Name};

/// What a walk has found so far, and the common table expressions in scope.
#[derive(Default)]
pub(super) struct Walk<'a> {
    pub(super) effects: Vec<Effect>,
    pub(super) functions: Vec<Name>,
    pub(super) fields: Vec<String>,
    pub(super) configures: Vec<(String, Option<String>)>,
    seen: HashSet<&'a str>,
    ctes: Vec<&'a str>,
    visible: HashMap<&'a str, usize>,
}

/// The object of the effect on the table that a foreign key refers to.
pub(super) const FOREIGN_KEY: &str = "FOREIGN KEY";

/// Up to here the same effect or function is listed once; beyond, comparing each with all would cost too much.
const DISTINCT_MAX: usize = 1_000;
/// The most effects of one statement, and the most functions; with more it is opaque.
const EFFECTS_MAX: usize = 10_000;

impl<'a> Walk<'a> {
    /// Adds what `node` and all below it does.
    pub(super) fn walk(&mut self, node: NodeRef<'a>) {
        match node {
            NodeRef::SelectStmt(s) => self.select(s),
            NodeRef::InsertStmt(s) => self.insert(s),
            NodeRef::UpdateStmt(s) => self.update(s),
            NodeRef::DeleteStmt(s) => self.delete(s),
            NodeRef::MergeStmt(s) => self.merge(s),
            NodeRef::RangeVar(relation) => self.read(relation),
            NodeRef::FuncCall(call) => {
                self.call(call);
                self.below(node, None);
            }
            NodeRef::Constraint(key) => self.constraint(key),
            NodeRef::ColumnRef(column) => {
                if let [_, .., last] = column.fields.as_slice() {
                    self.field(std::slice::from_ref(last));
                }
            }
            NodeRef::AIndirection(part) => {
                self.field(&part.indirection);
                self.below(node, None);
            }
            other => self.below(other, None),
        }
    }

    /// Fields of rows, or functions of them.
    fn field(&mut self, names: &'a [Node]) {
        for name in names.iter().filter_map(text) {
            if self.seen.insert(name) {
                self.fields.push(name.to_owned());
            }
        }
    }

    /// A foreign key looks, for each value, whether it is in the table that it refers to.
    fn constraint(&mut self, key: &'a protobuf::Constraint) {
        if let Some(table) = &key.pktable {
            let columns = texts(&key.pk_attrs);
            self.push(Effect {
                columns: (!columns.is_empty()).then_some(columns),
                ..Effect::on(Action::Select, FOREIGN_KEY, Some(name_of(table)))
            });
        }
        self.below(NodeRef::Constraint(key), key.pktable.as_ref());
    }

    pub(super) fn walk_all(&mut self, nodes: &'a [Node]) {
        for node in nodes.iter().filter_map(|node| node.node.as_ref()) {
            self.walk(node.to_ref());
        }
    }

    /// Walks the children of `node`, except the relation that the caller has dealt with.
    pub(super) fn below(&mut self, node: NodeRef<'a>, except: Option<&protobuf::RangeVar>) {
        children(node, &mut |child| match child {
            NodeRef::CreateStmt(_) if matches!(node, NodeRef::CreateForeignTableStmt(_)) => {}
            NodeRef::RangeVar(r) if except.is_some_and(|done| std::ptr::eq(done, r)) => {}
            NodeRef::WithClause(_) | NodeRef::IntoClause(_) | NodeRef::LockingClause(_)
                if matches!(
                    node,
                    NodeRef::SelectStmt(_)
                        | NodeRef::InsertStmt(_)
                        | NodeRef::UpdateStmt(_)
                        | NodeRef::DeleteStmt(_)
                        | NodeRef::MergeStmt(_)
                        | NodeRef::CreateTableAsStmt(_)
                ) => {}
            child => self.walk(child),
        });
    }

    pub(super) fn push(&mut self, effect: Effect) {
        if self.effects.len() >= EFFECTS_MAX {
            if self.effects.len() == EFFECTS_MAX {
                self.effects.push(Effect::because(
                    Action::Opaque,
                    "more effects than can be listed",
                ));
            }
            return;
        }
        if self.effects.len() > DISTINCT_MAX || !self.effects.contains(&effect) {
            self.effects.push(effect);
        }
    }

    fn select(&mut self, s: &'a protobuf::SelectStmt) {
        let outside = self.with(s.with_clause.as_ref());
        if let Some(into) = &s.into_clause {
            self.push(Effect::on(
                Action::Create,
                "TABLE",
                into.rel.as_ref().map(name_of),
            ));
        }
        self.below(NodeRef::SelectStmt(s), None);
        if !s.locking_clause.is_empty() {
            let mut locked = Vec::new();
            s.from_clause
                .iter()
                .for_each(|from| ranges(from, &mut locked));
            locked.retain(|relation| !self.is_cte(relation));
            for relation in locked {
                self.push(Effect::on(Action::Lock, "ROWS", Some(name_of(relation))));
            }
        }
        self.leave(outside);
    }

    fn insert(&mut self, s: &'a protobuf::InsertStmt) {
        let outside = self.with(s.with_clause.as_ref());
        let target = s.relation.as_ref().map(name_of);
        let columns = (!s.cols.is_empty()).then(|| target_names(&s.cols));
        self.push(Effect {
            columns,
            ..Effect::on(Action::Insert, "", target.clone())
        });
        if let Some(conflict) = s.on_conflict_clause.as_deref()
            && conflict.action == OnConflictAction::OnconflictUpdate as i32
        {
            self.push(Effect {
                columns: Some(target_names(&conflict.target_list)),
                // Only rows that conflict are changed.
                has_where: true,
                ..Effect::on(Action::Update, "", target)
            });
        }
        self.below(NodeRef::InsertStmt(s), s.relation.as_ref());
        self.leave(outside);
    }

    fn update(&mut self, s: &'a protobuf::UpdateStmt) {
        let outside = self.with(s.with_clause.as_ref());
        self.push(Effect {
            columns: Some(target_names(&s.target_list)),
            has_where: condition::restricts(s.where_clause.as_deref()),
            ..Effect::on(Action::Update, "", s.relation.as_ref().map(name_of))
        });
        if s.relation
            .as_ref()
            .is_some_and(|relation| relation.relname == "pg_settings")
        {
            self.set_anything("an update of pg_settings sets");
        }
        self.below(NodeRef::UpdateStmt(s), s.relation.as_ref());
        self.leave(outside);
    }

    fn delete(&mut self, s: &'a protobuf::DeleteStmt) {
        let outside = self.with(s.with_clause.as_ref());
        self.push(Effect {
            has_where: condition::restricts(s.where_clause.as_deref()),
            ..Effect::on(Action::Delete, "", s.relation.as_ref().map(name_of))
        });
        self.below(NodeRef::DeleteStmt(s), s.relation.as_ref());
        self.leave(outside);
    }

    fn merge(&mut self, s: &'a protobuf::MergeStmt) {
        let outside = self.with(s.with_clause.as_ref());
        let joined = condition::restricts(s.join_condition.as_deref());
        for clause in &s.merge_when_clauses {
            let Some(NodeRef::MergeWhenClause(when)) =
                clause.node.as_ref().map(pg_query::NodeEnum::to_ref)
            else {
                continue;
            };
            let action = match CmdType::try_from(when.command_type) {
                Ok(CmdType::CmdInsert) => Action::Insert,
                Ok(CmdType::CmdUpdate) => Action::Update,
                Ok(CmdType::CmdDelete) => Action::Delete,
                _ => continue,
            };
            let by_source =
                when.match_kind == protobuf::MergeMatchKind::MergeWhenNotMatchedBySource as i32;
            let limited = condition::restricts(when.condition.as_deref()) || (joined && !by_source);
            self.push(Effect {
                columns: (!when.target_list.is_empty()).then(|| target_names(&when.target_list)),
                has_where: limited && action != Action::Insert,
                ..Effect::on(action, "", s.relation.as_ref().map(name_of))
            });
        }
        self.below(NodeRef::MergeStmt(s), s.relation.as_ref());
        self.leave(outside);
    }

    /// Walks the common table expressions, leaves their names in scope, and gives what to truncate to afterwards.
    fn with(&mut self, clause: Option<&'a protobuf::WithClause>) -> usize {
        let outside = self.ctes.len();
        let Some(clause) = clause else { return outside };
        let ctes = || {
            clause
                .ctes
                .iter()
                .filter_map(|cte| match cte.node.as_ref()?.to_ref() {
                    NodeRef::CommonTableExpr(cte) => Some(cte),
                    _ => None,
                })
        };
        if clause.recursive {
            ctes().for_each(|cte| self.enter(&cte.ctename));
        }
        for cte in ctes() {
            self.below(NodeRef::CommonTableExpr(cte), None);
            if !clause.recursive {
                self.enter(&cte.ctename);
            }
        }
        outside
    }

    fn enter(&mut self, name: &'a str) {
        self.ctes.push(name);
        *self.visible.entry(name).or_default() += 1;
    }

    fn leave(&mut self, outside: usize) {
        for name in self.ctes.drain(outside..) {
            if let Some(count) = self.visible.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    self.visible.remove(name);
                }
            }
        }
    }

    fn is_cte(&self, relation: &protobuf::RangeVar) -> bool {
        relation.schemaname.is_empty()
            && relation.catalogname.is_empty()
            && self.visible.contains_key(relation.relname.as_str())
    }

    fn read(&mut self, relation: &protobuf::RangeVar) {
        if !self.is_cte(relation) {
            self.push(Effect::on(Action::Select, "", Some(name_of(relation))));
        }
    }

    /// A setting changed by a function, which can be the role.
    fn set_config(&mut self, call: &protobuf::FuncCall) {
        let value = setting::value(call);
        let Some(name) = setting::name(call) else {
            let reason = "set_config of a setting that is computed";
            self.push(Effect::because(Action::Set, reason));
            if value.as_deref() != Some(setting::RELATION_KINDS) {
                self.push(Effect::because(Action::SetRole, reason));
            }
            return;
        };
        let action = setting::action(&name);
        self.push(Effect::on(action, "FUNCTION", Some(Name::bare(&name))));
        self.configures.push((name, value));
    }

    fn set_anything(&mut self, reason: &'static str) {
        self.push(Effect::because(Action::Set, reason));
        self.push(Effect::because(Action::SetRole, reason));
    }

    fn call(&mut self, call: &protobuf::FuncCall) {
        let Some(name) = Name::from_parts(texts(&call.funcname)) else {
            self.push(Effect::because(
                Action::Opaque,
                "a function name of more than three parts",
            ));
            return;
        };
        match builtin::effect_of(&name.name) {
            Some(Action::Set) if name.name == "set_config" => self.set_config(call),
            Some(action) => self.push(Effect::on(action, "FUNCTION", Some(name.clone()))),
            None => {}
        }
        if self.functions.len() >= EFFECTS_MAX {
            self.push(Effect::because(
                Action::Opaque,
                "more functions than can be listed",
            ));
        } else if self.functions.len() > DISTINCT_MAX || !self.functions.contains(&name) {
            self.functions.push(name);
        }
    }
}

/// The relations that stand directly in a `FROM` item, through joins and subqueries, as row locks reach them.
fn ranges<'a>(node: &'a Node, found: &mut Vec<&'a protobuf::RangeVar>) {
    if found.len() > EFFECTS_MAX {
        return;
    }
    match node.node.as_ref().map(pg_query::NodeEnum::to_ref) {
        Some(NodeRef::RangeVar(relation)) => found.push(relation),
        Some(NodeRef::JoinExpr(join)) => {
            for side in [&join.larg, &join.rarg].into_iter().flatten() {
                ranges(side, found);
            }
        }
        Some(NodeRef::RangeSubselect(sub)) => {
            if let Some(NodeRef::SelectStmt(s)) = sub
                .subquery
                .as_ref()
                .and_then(|query| query.node.as_ref())
                .map(pg_query::NodeEnum::to_ref)
            {
                s.from_clause.iter().for_each(|from| ranges(from, found));
            }
        }
        _ => {}
    }
}

/// A relation's name as written.
pub(super) fn name_of(relation: &protobuf::RangeVar) -> Name {
    let given = |part: &String| (!part.is_empty()).then(|| part.clone());
    Name {
        catalog: given(&relation.catalogname),
        schema: given(&relation.schemaname),
        name: relation.relname.clone(),
    }
}

/// The text of a `String` node.
pub(super) fn text(node: &Node) -> Option<&str> {
    match node.node.as_ref()? {
        pg_query::NodeEnum::String(s) => Some(&s.sval),
        _ => None,
    }
}

/// The texts of a list of `String` nodes.
pub(super) fn texts(nodes: &[Node]) -> Vec<String> {
    nodes.iter().filter_map(text).map(str::to_owned).collect()
}

/// The column names of a target list, each once.
fn target_names(targets: &[Node]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(targets.len());
    for target in targets {
        if let Some(NodeRef::ResTarget(target)) =
            target.node.as_ref().map(pg_query::NodeEnum::to_ref)
            && (names.len() > DISTINCT_MAX || !names.contains(&target.name))
        {
            names.push(target.name.clone());
        }
    }
    names
}
