//! Statements: which columns are written with what, and what their parts give.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use pg_query::{Node, NodeEnum, NodeRef, protobuf};
use protobuf::{AlterTableType, ObjectType};

use super::ctes::Cte;
use super::groups::Groups;
use super::open::Open;
use super::{Column, Literals, Source, Which, Whole};
use crate::Name;
use crate::postgres::tree::children;
use crate::postgres::utility::options;
use crate::postgres::walk::{name_of, texts};

/// What is found of one statement.
#[derive(Default)]
pub(super) struct Gather<'a> {
    pub(super) groups: Groups,
    pub(super) found: Literals,
    /// Columns by the names that they are used by.
    pub(super) names: HashMap<Cow<'a, str>, u32>,
    /// Names that are given to columns.
    pub(super) given: Vec<(Cow<'a, str>, u32)>,
    /// Names that whole rows go by.
    pub(super) rows: Vec<(&'a str, Vec<Out>)>,
    /// Columns of the same names are compared (`NATURAL JOIN`), whatever these are.
    pub(super) natural: bool,
    /// Common table expressions in scope.
    pub(super) ctes: Vec<Cte<'a>>,
    /// Names of items whose columns go by names that the text does not tell, and their groups.
    pub(super) open_items: Vec<(&'a str, u32)>,
    /// Words that stand where a column's name may stand, and where.
    pub(super) words: HashMap<&'a str, Vec<u32>>,
    /// Names before a column's own.
    pub(super) qualifiers: Vec<(&'a str, u32)>,
    /// Types by their names, as sources.
    pub(super) types: HashMap<&'a str, usize>,
}

/// A column that a query gives, or several.
#[derive(Debug, Clone)]
pub(super) enum Out {
    One(u32),
    /// Any number of columns, all in one group.
    Rest(u32),
    /// All columns of one of the relations.
    Table(usize),
    /// All of these, in an order that is not known, some of them only once.
    Merged(Vec<Out>),
}

/// An item of `FROM`: what it is called, and what it gives.
pub(super) struct Item<'a> {
    pub(super) alias: &'a str,
    pub(super) outs: Vec<Out>,
    /// It is of a join that gives a column of both sides once.
    pub(super) merges: bool,
}

/// Finds what stands with what in a statement, which stands in the text at `range`.
pub(crate) fn gather(node: &NodeEnum, range: &Range<usize>) -> Literals {
    let mut gather = Gather::default();
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    if matches!(node, NodeEnum::DoStmt(_) | NodeEnum::CreateFunctionStmt(_)) {
        gather.found.body = Some(place(range.start)..place(range.end));
    }
    gather.statement(node.to_ref());
    gather.finish()
}

impl<'a> Gather<'a> {
    /// Reads a statement; gives its columns.
    pub(super) fn statement(&mut self, node: NodeRef<'a>) -> Vec<Out> {
        match node {
            NodeRef::SelectStmt(s) => return self.select(s),
            NodeRef::InsertStmt(s) => return self.insert(s),
            NodeRef::UpdateStmt(s) => return self.update(s),
            NodeRef::DeleteStmt(s) => return self.delete(s),
            NodeRef::MergeStmt(s) => return self.merge(s),
            NodeRef::ExecuteStmt(s) => {
                for given in refs(&s.params) {
                    let group = self.alone(given);
                    self.found.executed.push(group);
                }
            }
            NodeRef::AlterTableStmt(s) => {
                let relation = s.relation.as_ref().map(|it| self.relation(it));
                for cmd in refs(&s.cmds) {
                    let group = self.alone(cmd);
                    if let (Some(relation), NodeRef::AlterTableCmd(cmd)) = (relation, cmd) {
                        // Which columns bound a partition is not known.
                        let bounds = cmd.subtype == AlterTableType::AtAttachPartition as i32;
                        let named = Which::Named(cmd.name.clone());
                        let which = if bounds { Which::Any } else { named };
                        self.column(relation, which, group);
                    }
                }
            }
            NodeRef::CreateStmt(s) => {
                children(node, &mut |child| {
                    self.alone(child);
                });
                if let Some(bounds) = &s.partbound {
                    let group = self.alone(NodeRef::PartitionBoundSpec(bounds));
                    for parent in refs(&s.inh_relations) {
                        if let NodeRef::RangeVar(parent) = parent {
                            let parent = self.relation(parent);
                            self.column(parent, Which::Any, group);
                        }
                    }
                }
            }
            NodeRef::CopyStmt(s) if options(&s.options).any(|it| it.defname == "null") => {
                self.copy(s);
            }
            NodeRef::CommentStmt(s) => self.comment(s),
            NodeRef::NotifyStmt(_) => self.found.whole = Whole::Always,
            NodeRef::VariableSetStmt(s) if s.name.contains('.') => {
                self.found.whole = Whole::Always;
            }
            NodeRef::CallStmt(s) => {
                if let Some(call) = s.funccall.as_deref() {
                    self.called_alone(NodeRef::FuncCall(call));
                }
            }
            other => children(other, &mut |child| {
                self.alone(child);
            }),
        }
        Vec::new()
    }

    /// A text that stands for NULL is compared with every value.
    fn copy(&mut self, s: &'a protobuf::CopyStmt) {
        let group = self.groups.fresh();
        if let Some(relation) = &s.relation {
            let relation = self.relation(relation);
            let named = texts(&s.attlist);
            if named.is_empty() {
                self.column(relation, Which::Any, group);
            }
            for name in named {
                self.column(relation, Which::Named(name), group);
            }
        }
        if let Some(query) = s.query.as_deref().and_then(inner) {
            let outs = self.statement(query);
            self.link_all(group, &outs);
        }
        self.maybe_alone(s.where_clause.as_deref());
        self.found.whole = Whole::With(group);
    }

    /// What is said of a column.
    fn comment(&mut self, s: &'a protobuf::CommentStmt) {
        let Some(NodeEnum::List(list)) = s.object.as_deref().and_then(|it| it.node.as_ref()) else {
            return;
        };
        let mut path = texts(&list.items);
        if s.objtype != ObjectType::ObjectColumn as i32 {
            return;
        }
        let column = path.pop();
        if let (Some(column), Some(relation)) = (column, Name::from_parts(path)) {
            let group = self.groups.fresh();
            let relation = self.source(Source::Relation(relation));
            self.column(relation, Which::Named(column), group);
            self.found.whole = Whole::With(group);
        }
    }

    /// An expression in a group of its own.
    pub(super) fn alone(&mut self, node: NodeRef<'a>) -> u32 {
        let group = self.groups.fresh();
        self.expr(node, group);
        group
    }

    /// The same where it may be a call of a function, of which nothing is asked.
    fn called_alone(&mut self, node: NodeRef<'a>) -> u32 {
        let before = self.found.calls.len();
        let group = self.alone(node);
        if matches!(node, NodeRef::FuncCall(_))
            && let Some(call) = self.found.calls.get_mut(before)
        {
            call.alone = true;
        }
        group
    }

    pub(super) fn each_alone(&mut self, nodes: &'a [Node]) {
        for node in refs(nodes) {
            self.alone(node);
        }
    }

    pub(super) fn maybe_alone(&mut self, node: Option<&'a Node>) {
        if let Some(node) = node.and_then(inner) {
            self.alone(node);
        }
    }

    pub(super) fn relation(&mut self, relation: &protobuf::RangeVar) -> usize {
        self.source(Source::Relation(name_of(relation)))
    }

    pub(super) fn source(&mut self, source: Source) -> usize {
        self.found.relations.push(source);
        self.found.relations.len() - 1
    }

    pub(super) fn column(&mut self, relation: usize, which: Which, group: u32) {
        let column = Column { relation, which };
        self.found.columns.push((column, group));
    }

    pub(super) fn give(&mut self, name: impl Into<Cow<'a, str>>, group: u32) {
        self.given.push((name.into(), group));
    }

    pub(super) fn row(&mut self, name: &'a str, outs: &[Out]) {
        self.rows.push((name, outs.to_vec()));
    }

    /// Columns go by names that the text does not tell.
    pub(super) fn open(&mut self, group: u32, names: Option<&'static [&'static str]>) {
        self.found.open.push(Open { group, names });
    }

    /// The group is that of the column at this place, from 0.
    pub(super) fn link(&mut self, group: u32, outs: &[Out], at: usize) {
        // Behind columns of which nobody knows the number, any may be meant.
        let mut lost = false;
        for (index, out) in outs.iter().enumerate() {
            match out {
                Out::One(one) if lost => self.groups.unite(group, *one),
                Out::One(one) if index == at => return self.groups.unite(group, *one),
                Out::One(_) => {}
                _ if index > at && !lost => return,
                Out::Rest(rest) => {
                    self.groups.unite(group, *rest);
                    lost = true;
                }
                Out::Merged(outs) => {
                    self.link_all(group, outs);
                    lost = true;
                }
                Out::Table(relation) => {
                    let at = Which::At(at.saturating_sub(index));
                    let which = if lost { Which::Any } else { at };
                    self.column(*relation, which, group);
                    lost = true;
                }
            }
        }
    }

    pub(super) fn link_all(&mut self, group: u32, outs: &[Out]) {
        for out in outs {
            match out {
                Out::One(other) | Out::Rest(other) => self.groups.unite(group, *other),
                Out::Table(relation) => self.column(*relation, Which::Any, group),
                Out::Merged(outs) => self.link_all(group, outs),
            }
        }
    }

    /// Gives names to the columns, as an alias list does.
    pub(super) fn rename(&mut self, outs: Vec<Out>, names: &'a [Node]) -> Vec<Out> {
        if names.is_empty() {
            return outs;
        }
        let mut renamed = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let group = self.groups.fresh();
            self.link(group, &outs, index);
            if let Some(name) = crate::postgres::walk::text(name) {
                self.give(name, group);
            }
            renamed.push(Out::One(group));
        }
        if are_single(&outs) {
            renamed.extend(outs.into_iter().skip(names.len()));
        } else {
            renamed.push(self.rest(&outs));
        }
        renamed
    }

    pub(super) fn rest(&mut self, outs: &[Out]) -> Out {
        let group = self.groups.fresh();
        self.link_all(group, outs);
        Out::Rest(group)
    }

    /// The columns of `UNION` and its like.
    fn combine(&mut self, left: Vec<Out>, right: Vec<Out>) -> Vec<Out> {
        let (one, other) = match (are_single(&left), are_single(&right)) {
            (true, _) => (left, right),
            (false, true) => (right, left),
            (false, false) => return vec![self.rest(&[left, right].concat())],
        };
        for (index, out) in one.iter().enumerate() {
            if let Out::One(group) = out {
                self.link(*group, &other, index);
            }
        }
        one
    }

    fn select(&mut self, s: &'a protobuf::SelectStmt) -> Vec<Out> {
        let outside = self.with(s.with_clause.as_ref());
        let outs = if let (Some(left), Some(right)) = (&s.larg, &s.rarg) {
            let (left, right) = (self.select(left), self.select(right));
            self.combine(left, right)
        } else if s.values_lists.is_empty() {
            let items = self.from(&s.from_clause);
            self.targets(&s.target_list, &items)
        } else {
            self.values(&s.values_lists)
        };
        let lists = [&s.distinct_clause, &s.group_clause, &s.window_clause];
        for list in lists.into_iter().chain([&s.sort_clause]) {
            self.each_alone(list);
        }
        for one in [&s.where_clause, &s.having_clause] {
            self.maybe_alone(one.as_deref());
        }
        for one in [&s.limit_count, &s.limit_offset] {
            self.maybe_alone(one.as_deref());
        }
        self.ctes.truncate(outside);
        outs
    }

    fn values(&mut self, rows: &'a [Node]) -> Vec<Out> {
        let mut groups: Vec<u32> = Vec::new();
        for row in refs(rows) {
            let NodeRef::List(row) = row else { continue };
            for (index, value) in row.items.iter().enumerate() {
                if index == groups.len() {
                    let group = self.groups.fresh();
                    self.give(format!("column{}", index + 1), group);
                    groups.push(group);
                }
                if let (Some(value), Some(group)) = (inner(value), groups.get(index)) {
                    self.expr(value, *group);
                }
            }
        }
        groups.into_iter().map(Out::One).collect()
    }

    /// The columns of a target list, or of `RETURNING`.
    pub(super) fn targets(&mut self, targets: &'a [Node], items: &[Item<'a>]) -> Vec<Out> {
        let mut outs = Vec::with_capacity(targets.len());
        for target in refs(targets) {
            let NodeRef::ResTarget(target) = target else {
                self.alone(target);
                continue;
            };
            let Some(value) = target.val.as_deref().and_then(inner) else {
                continue;
            };
            if let Some(of) = star(value) {
                let all = items
                    .iter()
                    .filter(|item| of.is_empty() || item.alias == of);
                let before = outs.len();
                outs.extend(all.flat_map(|item| item.outs.iter().cloned()));
                if outs.len() == before {
                    outs.push(Out::Rest(self.alone(value)));
                } else if of.is_empty() && items.iter().any(|item| item.merges) {
                    let merged = outs.split_off(before);
                    outs.push(Out::Merged(merged));
                }
                continue;
            }
            if is_taken_apart(value) {
                let group = self.alone(value);
                self.open(group, None);
                outs.push(Out::Rest(group));
                continue;
            }
            let group = self.called_alone(value);
            if target.name.is_empty() {
                self.imply(value, group);
            } else {
                self.give(&*target.name, group);
            }
            outs.push(Out::One(group));
        }
        outs
    }
}

fn are_single(outs: &[Out]) -> bool {
    outs.iter().all(|out| matches!(out, Out::One(_)))
}

/// Of `*` the empty word, of `x.*` the name before it.
fn star(value: NodeRef<'_>) -> Option<&str> {
    let NodeRef::ColumnRef(column) = value else {
        return None;
    };
    let (last, before) = column.fields.split_last()?;
    matches!(last.node, Some(NodeEnum::AStar(_))).then_some(())?;
    Some(
        before
            .last()
            .and_then(crate::postgres::walk::text)
            .unwrap_or_default(),
    )
}

/// Whether it is all columns of a row that an expression gives: `(f(x)).*`.
fn is_taken_apart(value: NodeRef<'_>) -> bool {
    let NodeRef::AIndirection(part) = value else {
        return false;
    };
    let last = part.indirection.last().and_then(inner);
    matches!(last, Some(NodeRef::AStar(_)))
}

/// Whether it gives any number of values.
pub(super) fn is_star(value: NodeRef<'_>) -> bool {
    star(value).is_some() || is_taken_apart(value)
}

pub(super) fn inner(node: &Node) -> Option<NodeRef<'_>> {
    node.node.as_ref().map(NodeEnum::to_ref)
}

pub(super) fn refs(nodes: &[Node]) -> impl Iterator<Item = NodeRef<'_>> {
    nodes.iter().filter_map(inner)
}
