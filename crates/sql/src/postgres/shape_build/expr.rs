//! Expressions.

use pg_query::{Node, NodeEnum, NodeRef, protobuf};
use protobuf::a_const::Val;
use protobuf::{AExprKind, BoolExprType, SubLinkType};

use super::super::shape::Expr;
use super::super::tree::children;
use super::super::walk::texts;
use super::compared::{column, is_written_out, same};
use super::kinds::type_of;
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
        NodeRef::AArrayExpr(array) => {
            let elements: Vec<Expr> = array.elements.iter().map(expr).collect();
            match elements.iter().any(not_free) {
                false => Expr::Free,
                true => one_of(elements),
            }
        }
        NodeRef::AExpr(e) => null_or_not(e)
            .or_else(|| same(e))
            .or_else(|| of_json(e))
            .unwrap_or_else(|| computed(node)),
        NodeRef::BoolExpr(e) => connected(e),
        NodeRef::NullTest(test) => is_null(test).unwrap_or_else(|| computed(node)),
        NodeRef::TypeCast(cast) if cast.type_name.as_ref().is_some_and(keeps_text) => {
            match cast.arg.as_deref().map_or(Expr::Free, expr) {
                Expr::Free => Expr::Free,
                value => Expr::Text(Box::new(value)),
            }
        }
        NodeRef::TypeCast(cast) => cast_of(cast),
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

pub(super) fn column_ref(column: &protobuf::ColumnRef) -> Expr {
    let path = texts(&column.fields);
    match column.fields.last().map(|field| &field.node) {
        Some(Some(NodeEnum::AStar(_))) => Expr::Star(path),
        _ => Expr::Column(path),
    }
}

/// Types that a text keeps its value in: a cast to one shows the value itself.
pub(super) fn keeps_text(name: &protobuf::TypeName) -> bool {
    is_plain(name, &["text", "varchar"])
}

/// A cast of a column, which may be of that type, or to JSON: that is the same JSON, and what is none is an error.
fn cast_of(cast: &protobuf::TypeCast) -> Expr {
    let kind = cast.type_name.as_ref().and_then(type_of);
    match (cast.arg.as_deref().map_or(Expr::Free, expr), kind) {
        (Expr::Free, _) => Expr::Free,
        (value @ (Expr::Column(_) | Expr::Cast(..)), Some(kind)) => {
            Expr::Cast(Box::new(value), kind)
        }
        (value, Some(kind)) if kind.is_json() => Expr::Cast(Box::new(value), kind),
        (value, _) => Expr::Computed {
            function: None,
            of: vec![value],
        },
    }
}

/// Whether a type is one of these of PostgreSQL's own, and no more is said of it.
fn is_plain(name: &protobuf::TypeName, kinds: &[&str]) -> bool {
    let texts = texts(&name.names);
    let kind = match texts.as_slice() {
        [schema, kind] if schema == "pg_catalog" => kind,
        [kind] => kind,
        _ => return false,
    };
    name.typmods.is_empty()
        && name.array_bounds.is_empty()
        && !name.setof
        && kinds.contains(&kind.as_str())
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
        Some("count" | "num_nulls" | "num_nonnulls" | "pg_typeof") if !call.func_variadic => {
            Expr::Count {
                by: name,
                of: call.args.iter().map(expr).filter(not_free).collect(),
                distinct: call.agg_distinct,
                conditions: chosen_by(call),
            }
        }
        Some("btrim" | "ltrim" | "rtrim") if !odd && plain && call.args.len() == 1 => {
            match call.args.first().map_or(Expr::Free, expr) {
                Expr::Free => called(name, call),
                value => Expr::Choice {
                    by: Some(name),
                    conditions: Vec::new(),
                    results: vec![Expr::Text(Box::new(value))],
                },
            }
        }
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
        Some(
            "json_extract_path"
            | "jsonb_extract_path"
            | "json_extract_path_text"
            | "jsonb_extract_path_text",
        ) if !odd && plain => extracted(&name, call).unwrap_or_else(|| called(name, call)),
        Some(
            "json_array_elements"
            | "jsonb_array_elements"
            | "json_array_elements_text"
            | "jsonb_array_elements_text",
        ) if !odd && plain => elements(&name, call).unwrap_or_else(|| called(name, call)),
        _ => called(name, call),
    }
}

pub(super) fn not_free(expr: &Expr) -> bool {
    !matches!(expr, Expr::Free)
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
            value if of.contains(&index) => results.push(value),
            Expr::Free => {}
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
            val: Some(Val::Sval(name)),
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

/// `column IS DISTINCT FROM NULL` and `IS NOT DISTINCT FROM NULL`, which the server takes for the same as those below
/// (`make_nulltest_from_distinct`).
fn null_or_not(e: &protobuf::AExpr) -> Option<Expr> {
    let is_null = |node: &Node| match inner(node) {
        Some(NodeRef::AConst(constant)) => constant.isnull,
        _ => false,
    };
    let tests = [AExprKind::AexprDistinct, AExprKind::AexprNotDistinct];
    if !tests.iter().any(|kind| e.kind == *kind as i32) {
        return None;
    }
    let (left, right) = (e.lexpr.as_deref()?, e.rexpr.as_deref()?);
    let tested = match (is_null(left), is_null(right)) {
        (_, true) => left,
        (true, _) => right,
        _ => return None,
    };
    Some(Expr::IsNull(column(tested)?))
}

/// `column IS NULL` and `column IS NOT NULL`.
fn is_null(test: &protobuf::NullTest) -> Option<Expr> {
    Some(Expr::IsNull(column(test.arg.as_deref()?)?))
}

/// What stands at a path of names, and of numbers in arrays.
fn at_path(of: Expr, path: Vec<String>, as_text: bool) -> Expr {
    let last = path.len().saturating_sub(1);
    path.into_iter().enumerate().fold(of, |of, (index, name)| {
        if let Expr::Free = of {
            return of;
        }
        Expr::Member {
            of: Box::new(of),
            // As the server reads numbers, with blanks before them and a sign.
            counts: name.trim_start().parse::<i64>().is_ok(),
            name,
            as_text: as_text && index == last,
        }
    })
}

/// A path that is written out: `'{a,b}'` or `ARRAY['a', 'b']`. One of no steps, which gives the whole, is none.
fn path(node: &Node) -> Option<Vec<String>> {
    let path: Vec<String> = match inner(node)? {
        NodeRef::AConst(protobuf::AConst {
            val: Some(Val::Sval(array)),
            ..
        }) => {
            let inside = array.sval.strip_prefix('{')?.strip_suffix('}')?;
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            let is_plain = |name: &&str| {
                !name.is_empty() && name.chars().all(plain) && !name.eq_ignore_ascii_case("null")
            };
            let names: Vec<&str> = inside.split(',').collect();
            names
                .iter()
                .all(is_plain)
                .then_some(names)?
                .into_iter()
                .map(str::to_owned)
                .collect()
        }
        NodeRef::AArrayExpr(array) => array
            .elements
            .iter()
            .map(constant_text)
            .collect::<Option<_>>()?,
        _ => return None,
    };
    (!path.is_empty()).then_some(path)
}

fn constant_text(node: &Node) -> Option<String> {
    match inner(node)? {
        NodeRef::AConst(protobuf::AConst {
            val: Some(Val::Sval(text)),
            ..
        }) => Some(text.sval.clone()),
        _ => None,
    }
}

/// `jsonb_extract_path(json, 'a', 'b')` and its like, with a path that is written out.
fn extracted(name: &Name, call: &protobuf::FuncCall) -> Option<Expr> {
    let (of, path) = call.args.split_first()?;
    let path: Vec<String> = path.iter().map(constant_text).collect::<Option<_>>()?;
    let as_text = name.name.ends_with("_text");
    match expr(of) {
        of if path.is_empty() || !not_free(&of) => None,
        of => Some(Expr::Choice {
            by: Some(name.clone()),
            conditions: Vec::new(),
            results: vec![at_path(of, path, as_text)],
        }),
    }
}

/// The elements of an array of JSON.
fn elements(name: &Name, call: &protobuf::FuncCall) -> Option<Expr> {
    let [of] = call.args.as_slice() else {
        return None;
    };
    Some(expr(of)).filter(not_free).map(|of| Expr::Elements {
        by: name.clone(),
        of: Box::new(of),
    })
}

/// `json -> 'name'`, `json ->> 'name'`, `json -> 1`, `json #> '{a,b}'` and `json - …`, with a constant behind the operator.
fn of_json(e: &protobuf::AExpr) -> Option<Expr> {
    let operator = texts(&e.name);
    let ([operator], true) = (operator.as_slice(), e.kind == AExprKind::AexprOp as i32) else {
        return None;
    };
    let (of, with) = (e.lexpr.as_deref()?, e.rexpr.as_deref()?);
    let constant = match inner(with) {
        Some(NodeRef::AConst(constant)) => constant.val.as_ref(),
        _ => None,
    };
    // What stands before the operator is looked at once, or a chain of them would take for ever.
    let part = |of| match of {
        Expr::Free => Expr::Free,
        of => Expr::Part(Box::new(of)),
    };
    match (operator.as_str(), constant) {
        ("->" | "->>", Some(Val::Sval(name))) => Some(match expr(of) {
            Expr::Free => Expr::Free,
            of => Expr::Member {
                of: Box::new(of),
                name: name.sval.clone(),
                as_text: operator == "->>",
                counts: false,
            },
        }),
        ("->", Some(Val::Ival(_))) => Some(part(expr(of))),
        ("#>" | "#>>", _) => Some(at_path(expr(of), path(with)?, operator == "#>>")),
        ("-", _) if is_written_out(with) => Some(part(expr(of))),
        _ => None,
    }
}
