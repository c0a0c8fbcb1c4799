//! Literals of which nothing but their kind matters.

use std::collections::HashMap;

use pg_query::{Node, NodeRef, protobuf};
use protobuf::AExprKind;
use protobuf::a_const::Val;

use super::super::tree::children;
use super::super::walk::text;

/// Operators of which a column and a constant are the two sides.
const COMPARISONS: &[&str] = &["=", "<>", "!=", "<", ">", "<=", ">="];
const SUMS: &[&str] = &["+", "-"];

/// Where the literals of a statement begin, in order, whose values no analysis looks at: those that a column is compared with by a plain
/// operator, `IN` or `BETWEEN`, or that are added to it, values that `INSERT` and `UPDATE` write as they are, and limits.
///
/// What is not listed here is not loose. An analysis that comes to look at a value in one of these places must take it out.
pub(in super::super) fn loose(statement: NodeRef<'_>) -> Vec<u32> {
    let mut found = Found::default();
    if matches!(
        statement,
        NodeRef::SelectStmt(_)
            | NodeRef::InsertStmt(_)
            | NodeRef::UpdateStmt(_)
            | NodeRef::DeleteStmt(_)
    ) {
        found.walk(statement);
    }
    let Found { loose, times } = found;
    // What stands at two places of the tree is not known by one of them.
    let once = |place: &i32| times.get(place) == Some(&1);
    let once = loose.into_iter().filter(once);
    let mut places: Vec<u32> = once.filter_map(|at| u32::try_from(at).ok()).collect();
    places.sort_unstable();
    places
}

#[derive(Default)]
struct Found {
    loose: Vec<i32>,
    /// How many constants begin at a place.
    times: HashMap<i32, usize>,
}

impl Found {
    fn walk(&mut self, node: NodeRef<'_>) {
        match node {
            NodeRef::AConst(constant) => *self.times.entry(constant.location).or_default() += 1,
            NodeRef::AExpr(e) => self.operator(e),
            NodeRef::InsertStmt(s) => self.inserted(s),
            NodeRef::UpdateStmt(s) => self.assigned(&s.target_list),
            NodeRef::OnConflictClause(s) => self.assigned(&s.target_list),
            NodeRef::SelectStmt(s) => {
                for limit in [&s.limit_count, &s.limit_offset].into_iter().flatten() {
                    self.constant(limit);
                }
            }
            _ => {}
        }
        children(node, &mut |child| self.walk(child));
    }

    fn constant(&mut self, node: &Node) {
        self.loose.extend(constant(node).map(|it| it.location));
    }

    fn operator(&mut self, e: &protobuf::AExpr) {
        let (Some(left), Some(right), [name]) = (&e.lexpr, &e.rexpr, e.name.as_slice()) else {
            return;
        };
        let is = |names: &[&str]| text(name).is_some_and(|name| names.contains(&name));
        match AExprKind::try_from(e.kind) {
            Ok(AExprKind::AexprOp) if is(COMPARISONS) && is_column(left) => self.constant(right),
            Ok(AExprKind::AexprOp) if is(COMPARISONS) && is_column(right) => self.constant(left),
            Ok(AExprKind::AexprOp) if is(SUMS) && is_column(left) && is_number(right) => {
                self.constant(right);
            }
            Ok(AExprKind::AexprIn | AExprKind::AexprBetween | AExprKind::AexprNotBetween)
                if is_column(left) =>
            {
                if let Some(NodeRef::List(list)) = inner(right) {
                    list.items.iter().for_each(|item| self.constant(item));
                }
            }
            _ => {}
        }
    }

    fn inserted(&mut self, s: &protobuf::InsertStmt) {
        if let Some(NodeRef::SelectStmt(rows)) = s.select_stmt.as_deref().and_then(inner) {
            for row in &rows.values_lists {
                if let Some(NodeRef::List(row)) = inner(row) {
                    row.items.iter().for_each(|item| self.constant(item));
                }
            }
        }
    }

    fn assigned(&mut self, targets: &[Node]) {
        for target in targets {
            if let Some(NodeRef::ResTarget(target)) = inner(target)
                && target.indirection.is_empty()
                && let Some(value) = &target.val
            {
                self.constant(value);
            }
        }
    }
}

fn inner(node: &Node) -> Option<NodeRef<'_>> {
    node.node.as_ref().map(pg_query::NodeEnum::to_ref)
}

/// A string or number.
fn constant(node: &Node) -> Option<&protobuf::AConst> {
    match inner(node)? {
        NodeRef::AConst(constant) => match constant.val {
            Some(Val::Sval(_) | Val::Ival(_) | Val::Fval(_)) if !constant.isnull => Some(constant),
            _ => None,
        },
        _ => None,
    }
}

fn is_number(node: &Node) -> bool {
    let value = constant(node).and_then(|it| it.val.as_ref());
    matches!(value, Some(Val::Ival(_) | Val::Fval(_)))
}

/// A name, and no star.
fn is_column(node: &Node) -> bool {
    match inner(node) {
        Some(NodeRef::ColumnRef(column)) => column.fields.iter().all(|field| text(field).is_some()),
        _ => false,
    }
}
