//! Expressions.

use pg_query::{Node, NodeEnum, NodeRef, protobuf};
use protobuf::{AExprKind, BoolExprType, SubLinkType};

use super::super::shape::{Expr, Same, With};
use super::super::tree::children;
use super::super::walk::{text, texts};
use super::{inner, of};
use crate::Name;

/// An expression.
pub(super) fn expr(node: &Node) -> Expr {
    match inner(node) {
        Some(node) => expr_of(node).unwrap_or(Expr::Free),
        None => Expr::Free,
    }
}

/// `None` for nodes that hold no value, such as type names.
fn expr_of(node: NodeRef<'_>) -> Option<Expr> {
    Some(match node {
        NodeRef::AConst(_) | NodeRef::ParamRef(_) | NodeRef::SqlvalueFunction(_) => Expr::Free,
        NodeRef::SetToDefault(_) => Expr::Free,
        NodeRef::String(_) | NodeRef::TypeName(_) | NodeRef::Alias(_) | NodeRef::RangeVar(_) => {
            return None;
        }
        NodeRef::ColumnRef(column) => column_ref(column),
        NodeRef::SelectStmt(_) => Expr::Query(Box::new(of(node))),
        NodeRef::SubLink(link) if link.sub_link_type == SubLinkType::ExprSublink as i32 => {
            link.subselect.as_deref().map_or(Expr::Free, expr)
        }
        NodeRef::SubLink(link) if link.sub_link_type == SubLinkType::ExistsSublink as i32 => {
            let query = link.subselect.as_deref().and_then(inner).map(of);
            Expr::Exists(Box::new(query.unwrap_or_default()))
        }
        NodeRef::AExpr(e) => same(e).unwrap_or_else(|| computed(node)),
        NodeRef::BoolExpr(e) => connected(e),
        NodeRef::NullTest(test) => is_null(test).unwrap_or_else(|| computed(node)),
        NodeRef::TypeCast(cast) if cast.type_name.as_ref().is_some_and(keeps_text) => {
            cast.arg.as_deref().map_or(Expr::Free, expr)
        }
        // Still the value, but what equals it is for the collation to say.
        NodeRef::CollateClause(clause) => match clause.arg.as_deref().map_or(Expr::Free, expr) {
            column @ Expr::Column(_) => one_of(vec![column]),
            other => other,
        },
        NodeRef::CoalesceExpr(choice) => one_of(choice.args.iter().map(expr).collect()),
        NodeRef::CaseExpr(case) => case_of(case),
        NodeRef::FuncCall(call) => call_of(call),
        other => computed(other),
    })
}

pub(super) fn one_of(results: Vec<Expr>) -> Expr {
    Expr::Choice {
        by: None,
        conditions: Vec::new(),
        results,
    }
}

/// Anything computed of what stands below.
fn computed(node: NodeRef<'_>) -> Expr {
    match below(node) {
        of if of.iter().all(|e| matches!(e, Expr::Free)) => Expr::Free,
        of => Expr::Computed { function: None, of },
    }
}

pub(super) fn below(node: NodeRef<'_>) -> Vec<Expr> {
    let mut of = Vec::new();
    children(node, &mut |child| match child {
        NodeRef::WindowDef(window) => {
            if !(window.name.is_empty() && window.refname.is_empty()) {
                of.push(Expr::Window);
            }
            of.extend(below(child));
        }
        NodeRef::List(_) | NodeRef::ResTarget(_) | NodeRef::SortBy(_) => of.extend(below(child)),
        child => of.extend(expr_of(child).filter(|e| !matches!(e, Expr::Free))),
    });
    of
}

fn column_ref(column: &protobuf::ColumnRef) -> Expr {
    let path = texts(&column.fields);
    match column.fields.last().map(|field| &field.node) {
        Some(Some(NodeEnum::AStar(_))) => Expr::Star(path),
        _ => Expr::Column(path),
    }
}

/// Types that a text keeps its value in: a cast to one shows the value itself.
fn keeps_text(name: &protobuf::TypeName) -> bool {
    let texts = texts(&name.names);
    let last = texts.last().map(String::as_str);
    name.typmods.is_empty()
        && name.array_bounds.is_empty()
        && !name.setof
        && matches!(last, Some("text" | "varchar"))
}

fn case_of(case: &protobuf::CaseExpr) -> Expr {
    let mut conditions: Vec<Expr> = case.arg.as_deref().map(expr).into_iter().collect();
    let mut results: Vec<Expr> = case.defresult.as_deref().map(expr).into_iter().collect();
    for node in &case.args {
        if let Some(NodeEnum::CaseWhen(when)) = &node.node {
            conditions.extend(when.expr.as_deref().map(expr));
            results.extend(when.result.as_deref().map(expr));
        }
    }
    Expr::Choice {
        by: None,
        conditions,
        results,
    }
}

fn call_of(call: &protobuf::FuncCall) -> Expr {
    let name = Name::from_parts(texts(&call.funcname));
    let of = below(NodeRef::FuncCall(call));
    let builtin = name
        .as_ref()
        .filter(|name| name.may_be_builtin())
        .map(|name| name.name.as_str());
    let plain = call.agg_filter.is_none() && call.over.is_none() && call.agg_order.is_empty();
    match (builtin, plain) {
        (Some("count"), true) => Expr::Count {
            of,
            distinct: call.agg_distinct,
        },
        (Some("min" | "max"), true) if call.args.len() == 1 => Expr::Choice {
            by: name,
            conditions: Vec::new(),
            results: of,
        },
        _ => Expr::Computed {
            function: name.or_else(|| Some(Name::bare(""))),
            of,
        },
    }
}

/// `AND`, `OR` and `NOT`.
fn connected(e: &protobuf::BoolExpr) -> Expr {
    if e.boolop == BoolExprType::NotExpr as i32 {
        return match e.args.as_slice() {
            [
                Node {
                    node: Some(NodeEnum::NullTest(test)),
                },
            ] => is_null(test),
            _ => None,
        }
        .unwrap_or_else(|| computed(NodeRef::BoolExpr(e)));
    }
    let parts = e.args.iter().map(expr);
    let parts: Vec<Expr> = parts.filter(|part| !matches!(part, Expr::Free)).collect();
    if parts.is_empty() {
        Expr::Free
    } else {
        Expr::Conditions(parts)
    }
}

/// `column IS NULL` and `column IS NOT NULL`.
fn is_null(test: &protobuf::NullTest) -> Option<Expr> {
    Some(Expr::IsNull(column(test.arg.as_deref()?)?))
}

/// A comparison that asks whether a column is the same as another, or as one of some constants.
fn same(e: &protobuf::AExpr) -> Option<Expr> {
    let operator = texts(&e.name);
    if !matches!(operator.last().map(String::as_str), Some("="))
        || !matches!(operator.as_slice(), [_]) && operator.first().is_none_or(|s| s != "pg_catalog")
    {
        return None;
    }
    let (left, right) = (e.lexpr.as_deref()?, e.rexpr.as_deref()?);
    match AExprKind::try_from(e.kind).ok()? {
        AExprKind::AexprOp | AExprKind::AexprNotDistinct => match (column(left), column(right)) {
            (Some(left), Some(right)) => Some(compared(left, With::Column(right))),
            (Some(left), None) => constants(left, std::slice::from_ref(right)),
            (None, Some(right)) => constants(right, std::slice::from_ref(left)),
            (None, None) => None,
        },
        AExprKind::AexprIn => match inner(right)? {
            NodeRef::List(list) => constants(column(left)?, &list.items),
            _ => None,
        },
        AExprKind::AexprOpAny => any_of(column(left)?, right),
        _ => None,
    }
}

fn compared(column: Vec<String>, with: With) -> Expr {
    Expr::Same(Box::new(Same { column, with }))
}

fn constants(column: Vec<String>, nodes: &[Node]) -> Option<Expr> {
    let mut functions = Vec::new();
    let constant = nodes.iter().all(|node| is_constant(node, &mut functions));
    constant.then(|| {
        compared(
            column,
            With::Constants {
                count: nodes.len(),
                functions,
            },
        )
    })
}

/// `= ANY` of an array that is written out. How many values a parameter holds, the text does not tell.
fn any_of(column: Vec<String>, array: &Node) -> Option<Expr> {
    match inner(array)? {
        NodeRef::TypeCast(cast) => any_of(column, cast.arg.as_deref()?),
        NodeRef::AArrayExpr(array) => constants(column, &array.elements),
        NodeRef::AConst(protobuf::AConst {
            val: Some(protobuf::a_const::Val::Sval(array)),
            ..
        }) => Some(compared(
            column,
            With::Constants {
                count: array.sval.matches(',').count() + 1,
                functions: Vec::new(),
            },
        )),
        _ => None,
    }
}

/// A column as it is, or as text.
fn column(node: &Node) -> Option<Vec<String>> {
    match inner(node)? {
        NodeRef::ColumnRef(column) => match column_ref(column) {
            Expr::Column(path) => Some(path),
            _ => None,
        },
        NodeRef::TypeCast(cast) if cast.type_name.as_ref().is_some_and(keeps_text) => {
            column(cast.arg.as_deref()?)
        }
        _ => None,
    }
}

/// Operators that make a constant of constants.
const JOINING: &[&str] = &["||", "+", "-", "*", "/"];

/// Whether it is the same for every row, given that the functions it calls are.
fn is_constant(node: &Node, functions: &mut Vec<Name>) -> bool {
    match inner(node) {
        Some(NodeRef::AConst(_) | NodeRef::ParamRef(_) | NodeRef::SqlvalueFunction(_)) => true,
        Some(NodeRef::TypeCast(cast)) => cast
            .arg
            .as_deref()
            .is_some_and(|arg| is_constant(arg, functions)),
        Some(NodeRef::AExpr(e)) => {
            let [operator] = e.name.as_slice() else {
                return false;
            };
            e.kind == AExprKind::AexprOp as i32
                && text(operator).is_some_and(|name| JOINING.contains(&name))
                && [&e.lexpr, &e.rexpr]
                    .into_iter()
                    .flatten()
                    .all(|side| is_constant(side, functions))
        }
        Some(NodeRef::FuncCall(call)) => {
            functions.extend(Name::from_parts(texts(&call.funcname)));
            !call.funcname.is_empty() && call.args.iter().all(|arg| is_constant(arg, functions))
        }
        _ => false,
    }
}
