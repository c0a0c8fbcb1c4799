//! Expressions: what stands in one is one group, but for conditions in it that are asked by themselves.

use pg_query::{NodeRef, protobuf};
use protobuf::{AExprKind, SubLinkType};

use super::gather::{Gather, inner, is_star, refs};
use super::{Call, Source, Which};
use crate::postgres::builtin;
use crate::postgres::tree::children;
use crate::postgres::walk::{text, texts};
use crate::{Action, Name};

/// Operators that say how one value stands to another.
const COMPARISONS: &[&str] = &[
    "=", "<>", "!=", "<", ">", "<=", ">=", "~~", "!~~", "~~*", "!~~*", "~", "!~", "~*", "!~*", "^@",
];

impl<'a> Gather<'a> {
    /// Puts all of an expression into a group.
    pub(super) fn expr(&mut self, node: NodeRef<'a>, group: u32) {
        match node {
            NodeRef::AConst(value) => {
                if let Ok(place) = u32::try_from(value.location)
                    && !value.isnull
                {
                    self.found.literals.push((place, group));
                }
            }
            NodeRef::ParamRef(parameter) => {
                let number = u32::try_from(parameter.number).unwrap_or_default();
                self.found.parameters.push((number, group));
            }
            NodeRef::ColumnRef(column) => self.column_ref(column, group),
            NodeRef::BoolExpr(of) => self.each_alone(&of.args),
            NodeRef::AExpr(op) => self.operator(op, group),
            NodeRef::SubLink(sub) => self.subquery(sub, group),
            NodeRef::CaseExpr(case) => self.case(case, group),
            NodeRef::FuncCall(call) => self.call(call, group),
            NodeRef::NamedArgExpr(arg) => {
                self.name(&arg.name, group);
                children(node, &mut |child| self.expr(child, group));
            }
            NodeRef::AIndirection(part) => {
                for field in part.indirection.iter().filter_map(text) {
                    self.name(field, group);
                }
                children(node, &mut |child| self.expr(child, group));
            }
            NodeRef::TypeName(of) => self.of_type(of, group),
            NodeRef::IntoClause(_) => {}
            NodeRef::RangeVar(_)
            | NodeRef::RangeSubselect(_)
            | NodeRef::JoinExpr(_)
            | NodeRef::RangeFunction(_)
            | NodeRef::RangeTableSample(_)
            | NodeRef::RangeTableFunc(_)
            | NodeRef::JsonTable(_) => self.item(node, &mut Vec::new()),
            NodeRef::SelectStmt(_)
            | NodeRef::InsertStmt(_)
            | NodeRef::UpdateStmt(_)
            | NodeRef::DeleteStmt(_)
            | NodeRef::MergeStmt(_)
            | NodeRef::ExecuteStmt(_)
            | NodeRef::AlterTableStmt(_) => {
                self.statement(node);
            }
            NodeRef::ColumnDef(_)
            | NodeRef::Constraint(_)
            | NodeRef::SortBy(_)
            | NodeRef::GroupingSet(_)
            | NodeRef::WindowDef(_) => children(node, &mut |child| {
                self.alone(child);
            }),
            NodeRef::RangeTableFuncCol(column) => {
                self.give(&*column.colname, group);
                children(node, &mut |child| self.expr(child, group));
            }
            NodeRef::JsonTableColumn(column) => {
                self.give(&*column.name, group);
                children(node, &mut |child| self.expr(child, group));
            }
            other => children(other, &mut |child| self.expr(child, group)),
        }
    }

    fn column_ref(&mut self, column: &'a protobuf::ColumnRef, group: u32) {
        // Of `x.*` it is x that counts: the whole row.
        let mut names = column.fields.iter().filter_map(text).rev();
        let (Some(name), before) = (names.next(), names.next()) else {
            return;
        };
        self.name(name, group);
        match before {
            Some(before) => self.qualifiers.push((before, group)),
            None if column.fields.len() == 1 => {
                let place = u32::try_from(column.location).ok();
                self.words.entry(name).or_default().extend(place);
            }
            None => {}
        }
    }

    /// A column is used by its name.
    pub(super) fn name(&mut self, name: &'a str, group: u32) {
        let used = *self.names.entry(name.into()).or_insert(group);
        self.groups.unite(used, group);
    }

    /// What is of the type of a relation's rows may hold any of its columns.
    fn of_type(&mut self, of: &'a protobuf::TypeName, group: u32) {
        let Some(name) = of.names.iter().filter_map(text).next_back() else {
            return;
        };
        // The grammar's own words for types.
        if of.names.first().and_then(text) == Some("pg_catalog") {
            return;
        }
        let known = self.types.get(name).copied();
        let source = known.or_else(|| {
            let name = Name::from_parts(texts(&of.names))?;
            Some(self.source(Source::Type(name)))
        });
        if let Some(source) = source {
            self.types.insert(name, source);
            self.column(source, Which::Any, group);
        }
    }

    fn operator(&mut self, op: &'a protobuf::AExpr, group: u32) {
        let compares = op.name.iter().filter_map(text).next_back();
        let compares = compares.is_some_and(|name| COMPARISONS.contains(&name));
        if op.kind == AExprKind::AexprOp as i32 && !compares {
            self.groups.compute(group);
        }
        let left = op.lexpr.as_deref().and_then(inner);
        let right = op.rexpr.as_deref().and_then(inner);
        if let (Some(NodeRef::RowExpr(left)), Some(right)) = (left, right)
            && !refs(&left.args).any(is_star)
            && let Some(rows) = rows_of(right, left.args.len())
        {
            // Rows are compared column by column.
            for (index, one) in refs(&left.args).enumerate() {
                let group = self.alone(one);
                for row in &rows {
                    if let Some(other) = row.args.get(index).and_then(inner) {
                        self.expr(other, group);
                    }
                }
            }
            return;
        }
        for side in [left, right].into_iter().flatten() {
            self.expr(side, group);
        }
    }

    fn subquery(&mut self, sub: &'a protobuf::SubLink, group: u32) {
        let query = sub.subselect.as_deref().and_then(inner);
        let outs = query.map_or_else(Vec::new, |query| self.statement(query));
        if sub.sub_link_type == SubLinkType::ExistsSublink as i32 {
            return;
        }
        match sub.testexpr.as_deref().and_then(inner) {
            Some(NodeRef::RowExpr(row)) if !refs(&row.args).any(is_star) => {
                for (index, one) in refs(&row.args).enumerate() {
                    let group = self.alone(one);
                    self.link(group, &outs, index);
                }
            }
            tested => {
                if let Some(tested) = tested {
                    self.expr(tested, group);
                }
                self.link_all(group, &outs);
            }
        }
    }

    /// What decides is asked by itself, and is not what comes of it.
    fn case(&mut self, case: &'a protobuf::CaseExpr, group: u32) {
        let tested = case.arg.as_deref().and_then(inner);
        let tested = tested.map(|tested| self.alone(tested));
        for when in refs(&case.args) {
            let NodeRef::CaseWhen(when) = when else {
                continue;
            };
            if let Some(condition) = when.expr.as_deref().and_then(inner) {
                match tested {
                    Some(tested) => self.expr(condition, tested),
                    None => {
                        self.alone(condition);
                    }
                }
            }
            if let Some(result) = when.result.as_deref().and_then(inner) {
                self.expr(result, group);
            }
        }
        if let Some(result) = case.defresult.as_deref().and_then(inner) {
            self.expr(result, group);
        }
    }

    fn call(&mut self, call: &'a protobuf::FuncCall, group: u32) {
        let name = call.funcname.iter().filter_map(text).next_back();
        let name = name.unwrap_or_default();
        let group = self.call_of(call, name, group);
        for argument in refs(&call.args) {
            if let NodeRef::AConst(code) = argument
                && builtin::effect_of(name) == Some(Action::Opaque)
                && let Ok(place) = u32::try_from(code.location)
            {
                self.found.code.push(place);
            }
            self.expr(argument, group);
        }
        if call.agg_within_group {
            for order in refs(&call.agg_order) {
                if let NodeRef::SortBy(order) = order
                    && let Some(by) = order.node.as_deref().and_then(inner)
                {
                    self.expr(by, group);
                }
            }
        } else {
            self.each_alone(&call.agg_order);
        }
        if let Some(filter) = call.agg_filter.as_deref().and_then(inner) {
            self.alone(filter);
        }
        if let Some(over) = call.over.as_deref() {
            self.alone(NodeRef::WindowDef(over));
        }
    }

    /// The group of what a function is given.
    fn call_of(&mut self, call: &'a protobuf::FuncCall, name: &str, group: u32) -> u32 {
        let given = self.groups.fresh();
        // How many there are says nothing of the values.
        if name == "count" {
            return given;
        }
        self.groups.compute(group);
        self.groups.compute(given);
        match Name::from_parts(texts(&call.funcname)) {
            Some(name) => self.found.calls.push(Call {
                name,
                group,
                given,
                alone: false,
            }),
            None => self.groups.unite(group, given),
        }
        given
    }

    /// The names by which a column without one may go: that of a function, of a type, of a field.
    pub(super) fn imply(&mut self, value: NodeRef<'a>, group: u32) -> Option<&'a str> {
        let last = |names: &'a [pg_query::Node]| names.iter().filter_map(text).next_back();
        let inside = |node: &'a Option<Box<pg_query::Node>>| node.as_deref().and_then(inner);
        let name = match value {
            // It keeps its own name.
            NodeRef::ColumnRef(_) => return None,
            NodeRef::FuncCall(call) => last(&call.funcname)?,
            NodeRef::TypeCast(cast) => {
                if let Some(value) = inside(&cast.arg) {
                    self.imply(value, group);
                }
                last(&cast.type_name.as_ref()?.names)?
            }
            NodeRef::CollateClause(of) => return self.imply(inside(&of.arg)?, group),
            NodeRef::AIndirection(part) => match last(&part.indirection) {
                Some(field) => field,
                None => return self.imply(inside(&part.arg)?, group),
            },
            NodeRef::CaseExpr(case) => {
                if let Some(value) = inside(&case.defresult) {
                    self.imply(value, group);
                }
                "case"
            }
            NodeRef::AArrayExpr(_) => "array",
            NodeRef::RowExpr(_) => "row",
            NodeRef::CoalesceExpr(_) => "coalesce",
            NodeRef::MinMaxExpr(_) => {
                self.give("least", group);
                "greatest"
            }
            NodeRef::AExpr(op) if op.kind == AExprKind::AexprNullif as i32 => "nullif",
            NodeRef::SubLink(sub) if sub.sub_link_type == SubLinkType::ArraySublink as i32 => {
                "array"
            }
            NodeRef::SubLink(sub) => {
                let NodeRef::SelectStmt(query) = inside(&sub.subselect)? else {
                    return None;
                };
                let NodeRef::ResTarget(target) = refs(&query.target_list).next()? else {
                    return None;
                };
                if target.name.is_empty() {
                    return self.imply(inside(&target.val)?, group);
                }
                &target.name
            }
            _ => "?column?",
        };
        self.give(name, group);
        Some(name)
    }
}

/// The rows that a row of so many columns is compared with.
fn rows_of(node: NodeRef<'_>, columns: usize) -> Option<Vec<&protobuf::RowExpr>> {
    let row = |node| match node {
        NodeRef::RowExpr(row) if row.args.len() == columns && !refs(&row.args).any(is_star) => {
            Some(row)
        }
        _ => None,
    };
    match node {
        NodeRef::List(list) => refs(&list.items).map(row).collect(),
        one => Some(vec![row(one)?]),
    }
}
