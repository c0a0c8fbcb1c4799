//! Statements that write: each column, and what is put into it.

use pg_query::{Node, NodeRef, protobuf};

use super::Which;
use super::gather::{Gather, Item, Out, inner, refs};

impl<'a> Gather<'a> {
    /// The relation that a statement writes.
    fn target(&mut self, relation: Option<&'a protobuf::RangeVar>) -> (usize, Vec<Item<'a>>) {
        let Some(relation) = relation else {
            return (usize::MAX, Vec::new());
        };
        let index = self.relation(relation);
        let alias = relation.alias.as_ref();
        let alias = alias.map_or(&*relation.relname, |alias| &*alias.aliasname);
        let outs = vec![Out::Table(index)];
        self.row(alias, &outs);
        let item = Item {
            alias,
            outs,
            merges: false,
        };
        (index, vec![item])
    }

    pub(super) fn insert(&mut self, s: &'a protobuf::InsertStmt) -> Vec<Out> {
        let outside = self.with(s.with_clause.as_ref());
        let (relation, items) = self.target(s.relation.as_ref());
        let query = s.select_stmt.as_deref().and_then(inner);
        let outs = query.map_or_else(Vec::new, |query| self.statement(query));
        self.insert_into(relation, &s.cols, &outs);
        if let Some(conflict) = s.on_conflict_clause.as_deref() {
            self.row("excluded", &[Out::Table(relation)]);
            if let Some(infer) = conflict.infer.as_deref() {
                self.alone(NodeRef::InferClause(infer));
            }
            self.assign(relation, &conflict.target_list);
            self.maybe_alone(conflict.where_clause.as_deref());
        }
        let given = self.returning(s.returning_clause.as_ref(), &items);
        self.ctes.truncate(outside);
        given
    }

    fn insert_into(&mut self, relation: usize, columns: &'a [Node], outs: &[Out]) {
        for (index, column) in refs(columns).enumerate() {
            if let NodeRef::ResTarget(column) = column {
                let group = self.groups.fresh();
                self.column(relation, Which::Named(column.name.clone()), group);
                self.link(group, outs, index);
            }
        }
        if !columns.is_empty() {
            return;
        }
        let mut lost = false;
        for (index, out) in outs.iter().enumerate() {
            lost |= !matches!(out, Out::One(_));
            let which = if lost { Which::Any } else { Which::At(index) };
            self.put(relation, &which, out);
        }
    }

    fn put(&mut self, relation: usize, which: &Which, out: &Out) {
        match out {
            Out::One(group) | Out::Rest(group) => self.column(relation, which.clone(), *group),
            Out::Merged(outs) => outs.iter().for_each(|out| self.put(relation, which, out)),
            Out::Table(_) => {}
        }
    }

    /// `SET` of `UPDATE` and its like.
    fn assign(&mut self, relation: usize, targets: &'a [Node]) {
        for target in refs(targets) {
            let NodeRef::ResTarget(target) = target else {
                continue;
            };
            let group = self.groups.fresh();
            self.column(relation, Which::Named(target.name.clone()), group);
            match target.val.as_deref().and_then(inner) {
                Some(NodeRef::MultiAssignRef(part)) => self.part(part, group),
                Some(value) => self.expr(value, group),
                None => {}
            }
        }
    }

    /// One column of `(a, b) = …`.
    fn part(&mut self, part: &'a protobuf::MultiAssignRef, group: u32) {
        let at = usize::try_from(part.colno - 1).unwrap_or_default();
        match part.source.as_deref().and_then(inner) {
            Some(NodeRef::RowExpr(row)) => {
                if let Some(value) = row.args.get(at).and_then(inner) {
                    self.expr(value, group);
                }
            }
            Some(NodeRef::SubLink(sub)) => {
                let query = sub.subselect.as_deref().and_then(inner);
                let outs = query.map_or_else(Vec::new, |query| self.statement(query));
                self.link(group, &outs, at);
            }
            Some(other) => self.expr(other, group),
            None => {}
        }
    }

    pub(super) fn update(&mut self, s: &'a protobuf::UpdateStmt) -> Vec<Out> {
        let outside = self.with(s.with_clause.as_ref());
        let (relation, mut items) = self.target(s.relation.as_ref());
        items.extend(self.from(&s.from_clause));
        self.assign(relation, &s.target_list);
        self.maybe_alone(s.where_clause.as_deref());
        let given = self.returning(s.returning_clause.as_ref(), &items);
        self.ctes.truncate(outside);
        given
    }

    pub(super) fn delete(&mut self, s: &'a protobuf::DeleteStmt) -> Vec<Out> {
        let outside = self.with(s.with_clause.as_ref());
        let (_, mut items) = self.target(s.relation.as_ref());
        items.extend(self.from(&s.using_clause));
        self.maybe_alone(s.where_clause.as_deref());
        let given = self.returning(s.returning_clause.as_ref(), &items);
        self.ctes.truncate(outside);
        given
    }

    pub(super) fn merge(&mut self, s: &'a protobuf::MergeStmt) -> Vec<Out> {
        let outside = self.with(s.with_clause.as_ref());
        let (relation, mut items) = self.target(s.relation.as_ref());
        if let Some(source) = s.source_relation.as_deref() {
            items.extend(self.from(std::slice::from_ref(source)));
        }
        self.maybe_alone(s.join_condition.as_deref());
        for when in refs(&s.merge_when_clauses) {
            let NodeRef::MergeWhenClause(when) = when else {
                continue;
            };
            self.maybe_alone(when.condition.as_deref());
            if when.values.is_empty() {
                self.assign(relation, &when.target_list);
                continue;
            }
            let values = refs(&when.values).map(|value| Out::One(self.alone(value)));
            let outs: Vec<Out> = values.collect();
            self.insert_into(relation, &when.target_list, &outs);
        }
        let given = self.returning(s.returning_clause.as_ref(), &items);
        self.ctes.truncate(outside);
        given
    }

    fn returning(
        &mut self,
        clause: Option<&'a protobuf::ReturningClause>,
        items: &[Item<'a>],
    ) -> Vec<Out> {
        clause.map_or_else(Vec::new, |clause| self.targets(&clause.exprs, items))
    }
}
