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
        NodeRef::SubLink(link) if link.sub_link_type == SubLinkType::ArraySublink as i32 => {
            link.subselect.as_deref().map_or(Expr::Free, expr)
        }
        NodeRef::AArrayExpr(_) => match below(node) {
            elements if elements.is_empty() => Expr::Free,
            elements => one_of(elements),
        },
        NodeRef::AExpr(e) => same(e).unwrap_or_else(|| computed(node)),
        NodeRef::BoolExpr(e) => connected(e),
        NodeRef::NullTest(test) => is_null(test).unwrap_or_else(|| computed(node)),
        NodeRef::TypeCast(cast) if cast.type_name.as_ref().is_some_and(keeps_text) => {
            match cast.arg.as_deref().map_or(Expr::Free, expr) {
                Expr::Free => Expr::Free,
                value => Expr::Text(Box::new(value)),
            }
        }
        // Still the value, but what equals it is for the collation to say.
        NodeRef::CollateClause(clause) => match clause.arg.as_deref().map_or(Expr::Free, expr) {
            column @ (Expr::Column(_) | Expr::Text(_)) => one_of(vec![column]),
            other => other,
        },
        NodeRef::RowExpr(row) => row_of(row),
        NodeRef::AIndirection(part) => part_of(part),
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
        NodeRef::WindowDef(def) => of.extend(window(def)),
        NodeRef::List(_) | NodeRef::ResTarget(_) | NodeRef::SortBy(_) => of.extend(below(child)),
        child => of.extend(expr_of(child).filter(|e| !matches!(e, Expr::Free))),
    });
    of
}

fn row_of(row: &protobuf::RowExpr) -> Expr {
    let fields: Vec<Expr> = row.args.iter().map(expr).collect();
    if fields.iter().all(|field| matches!(field, Expr::Free)) {
        Expr::Free
    } else {
        Expr::Row(fields)
    }
}

/// `(value).field`, `(value).*` and `(value)[index]`.
fn part_of(part: &protobuf::AIndirection) -> Expr {
    let value = part.arg.as_deref().map_or(Expr::Free, expr);
    part.indirection
        .iter()
        .fold(value, |value, node| match &node.node {
            Some(NodeEnum::String(field)) => Expr::Field(Box::new(value), field.sval.clone()),
            Some(NodeEnum::AStar(_)) => Expr::Fields(Box::new(value)),
            Some(_) => {
                let index = inner(node).map(below).unwrap_or_default();
                let of = std::iter::once(value).chain(index);
                let mut of = of.filter(|expr| !matches!(expr, Expr::Free)).peekable();
                match of.peek() {
                    None => Expr::Free,
                    Some(_) => Expr::Computed {
                        function: None,
                        of: of.collect(),
                    },
                }
            }
            None => value,
        })
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
    let kind = match texts.as_slice() {
        [schema, kind] if schema == "pg_catalog" => kind,
        [kind] => kind,
        _ => return false,
    };
    name.typmods.is_empty()
        && name.array_bounds.is_empty()
        && !name.setof
        && matches!(kind.as_str(), "text" | "varchar")
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
    let Some(name) = Name::from_parts(texts(&call.funcname)) else {
        return called(Name::bare(""), call);
    };
    let builtin = Some(name.name.as_str()).filter(|_| name.may_be_builtin());
    let odd = call.agg_distinct || call.agg_within_group || call.func_variadic;
    let plain = call.agg_filter.is_none() && call.over.is_none() && call.agg_order.is_empty();
    match builtin {
        Some("count") if plain => Expr::Count {
            of: below(NodeRef::FuncCall(call)),
            distinct: call.agg_distinct,
        },
        // Distinct or not, it is the same.
        Some("min" | "max") if !call.func_variadic => kept(name, call, &[0]),
        Some("array_agg" | "any_value" | "first_value" | "last_value" | "nth_value") if !odd => {
            kept(name, call, &[0])
        }
        Some("lag" | "lead") if !odd => kept(name, call, &[0, 2]),
        Some(
            "to_json" | "to_jsonb" | "row_to_json" | "json_agg" | "jsonb_agg" | "json_build_array"
            | "jsonb_build_array",
        ) if !odd => json(name, call, None),
        Some("json_build_object" | "jsonb_build_object") if !odd => {
            match member_names(&call.args) {
                Some(names) => json(name, call, Some(names)),
                None => called(name, call),
            }
        }
        _ => called(name, call),
    }
}

fn called(name: Name, call: &protobuf::FuncCall) -> Expr {
    Expr::Computed {
        function: Some(name),
        of: below(NodeRef::FuncCall(call)),
    }
}

/// A function that gives values of these arguments as they are, or an array of them.
fn kept(by: Name, call: &protobuf::FuncCall, of: &[usize]) -> Expr {
    let (mut results, mut conditions) = (Vec::new(), chosen_by(call));
    for (index, argument) in call.args.iter().enumerate() {
        match expr(argument) {
            Expr::Free => {}
            value if of.contains(&index) => results.push(value),
            value => conditions.push(value),
        }
    }
    Expr::Choice {
        by: Some(by),
        conditions,
        results,
    }
}

/// What decides which values an aggregate or window function is given, and in what order.
fn chosen_by(call: &protobuf::FuncCall) -> Vec<Expr> {
    let mut of: Vec<Expr> = call.agg_filter.as_deref().map(expr).into_iter().collect();
    for order in &call.agg_order {
        of.extend(inner(order).map(below).unwrap_or_default());
    }
    if let Some(over) = &call.over {
        of.extend(window(over));
    }
    of.retain(|expr| !matches!(expr, Expr::Free));
    of
}

fn window(window: &protobuf::WindowDef) -> Vec<Expr> {
    let mut of = Vec::new();
    if !(window.name.is_empty() && window.refname.is_empty()) {
        of.push(Expr::Window);
    }
    of.extend(below(NodeRef::WindowDef(window)));
    of
}

/// A function that makes JSON of its arguments: of every second one under these names, or of all.
fn json(by: Name, call: &protobuf::FuncCall, names: Option<Vec<String>>) -> Expr {
    let of = match names {
        None => call.args.iter().map(|value| (None, expr(value))).collect(),
        Some(names) => {
            let values = call.args.iter().skip(1).step_by(2).map(expr);
            names.into_iter().map(Some).zip(values).collect()
        }
    };
    Expr::Json {
        by,
        of,
        conditions: chosen_by(call),
    }
}

/// The names of members, where all are written out.
fn member_names(arguments: &[Node]) -> Option<Vec<String>> {
    let named = |node: &Node| match inner(node)? {
        NodeRef::AConst(protobuf::AConst {
            val: Some(protobuf::a_const::Val::Sval(name)),
            ..
        }) => Some(name.sval.clone()),
        _ => None,
    };
    if !arguments.len().is_multiple_of(2) {
        return None;
    }
    arguments.iter().step_by(2).map(named).collect()
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
        // A parameter, and what is cast to an array, may be any number of them.
        NodeRef::AArrayExpr(array) if array.elements.iter().all(is_single) => {
            constants(column, &array.elements)
        }
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

/// Whether it is one value, whatever type it is given.
fn is_single(node: &Node) -> bool {
    match inner(node) {
        Some(NodeRef::AConst(_)) => true,
        Some(NodeRef::TypeCast(cast)) => {
            cast.type_name.as_ref().is_some_and(keeps_text)
                && cast.arg.as_deref().is_some_and(is_single)
        }
        _ => false,
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
