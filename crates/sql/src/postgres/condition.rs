//! Whether a condition restricts anything: `WHERE true` protects no row.

use pg_query::{Node, NodeRef, protobuf};
use protobuf::{AExprKind, BoolExprType};

use super::tree::children;

/// Whether a `WHERE` clause is there and depends on the row.
pub(super) fn restricts(clause: Option<&Node>) -> bool {
    clause
        .and_then(|node| node.node.as_ref())
        .is_some_and(|node| !may_hold_for_every_row(node.to_ref()))
}

/// Whether the condition can hold whatever the row is. Errs towards yes.
fn may_hold_for_every_row(node: NodeRef<'_>) -> bool {
    match node {
        NodeRef::BoolExpr(e) => {
            let mut args = e
                .args
                .iter()
                .filter_map(|arg| arg.node.as_ref())
                .map(|arg| may_hold_for_every_row(arg.to_ref()));
            if e.boolop == BoolExprType::AndExpr as i32 {
                args.all(|held| held)
            } else {
                args.any(|held| held)
            }
        }
        NodeRef::AExpr(e)
            if e.kind == AExprKind::AexprOp as i32 && e.lexpr.is_some() && same(e) =>
        {
            true
        }
        NodeRef::CurrentOfExpr(_) => false,
        other => !names_a_column(other),
    }
}

/// `x = x`, whatever `x` is.
fn same(e: &protobuf::AExpr) -> bool {
    match (column(e.lexpr.as_deref()), column(e.rexpr.as_deref())) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

fn column(node: Option<&Node>) -> Option<Vec<&str>> {
    match node?.node.as_ref()?.to_ref() {
        NodeRef::ColumnRef(column) => {
            Some(column.fields.iter().filter_map(super::walk::text).collect())
        }
        _ => None,
    }
}

fn names_a_column(node: NodeRef<'_>) -> bool {
    if matches!(node, NodeRef::ColumnRef(_) | NodeRef::CurrentOfExpr(_)) {
        return true;
    }
    let mut found = false;
    children(node, &mut |child| found = found || names_a_column(child));
    found
}
