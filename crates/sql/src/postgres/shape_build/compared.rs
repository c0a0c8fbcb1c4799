//! Comparisons for equality.

use pg_query::{Node, NodeRef, protobuf};
use protobuf::AExprKind;

use super::super::shape::{Expr, Same, Type, With};
use super::super::walk::{text, texts};
use super::expr::{column_ref, keeps_text};
use super::inner;
use super::kinds::type_of;
use crate::Name;

/// A comparison that asks whether a column is the same as another, or as one of some constants.
pub(super) fn same(e: &protobuf::AExpr) -> Option<Expr> {
    let operator = texts(&e.name);
    if !matches!(operator.last().map(String::as_str), Some("="))
        || !matches!(operator.as_slice(), [_]) && operator.first().is_none_or(|s| s != "pg_catalog")
    {
        return None;
    }
    let (left, right) = (e.lexpr.as_deref()?, e.rexpr.as_deref()?);
    match AExprKind::try_from(e.kind).ok()? {
        AExprKind::AexprOp | AExprKind::AexprNotDistinct => match (column(left), column(right)) {
            (Some(left), Some(right)) => {
                Some(compared(left, Folds::default(), With::Column(right)))
            }
            _ => constants(left, std::slice::from_ref(right))
                .or_else(|| constants(right, std::slice::from_ref(left))),
        },
        AExprKind::AexprNullif => match constants(left, std::slice::from_ref(right))? {
            Expr::Same(same) if same.by.is_empty() && same.casts.is_empty() => {
                Some(Expr::NullIf(same))
            }
            _ => None,
        },
        AExprKind::AexprIn => match inner(right)? {
            NodeRef::List(list) => constants(left, &list.items),
            _ => None,
        },
        AExprKind::AexprOpAny => any_of(left, right),
        _ => None,
    }
}

fn constants(column: &Node, nodes: &[Node]) -> Option<Expr> {
    let mut by = Folds::default();
    let column = folded(column, &mut by)?;
    let mut functions = Vec::new();
    let constant = nodes.iter().all(|node| is_constant(node, &mut functions));
    let with = With::Constants {
        count: nodes.len(),
        functions,
    };
    constant.then(|| compared(column, by, with))
}

fn compared(column: Vec<String>, by: Folds, with: With) -> Expr {
    let Folds { by, casts } = by;
    Expr::Same(Box::new(Same {
        column,
        by,
        casts,
        with,
    }))
}

/// What is done to a column before it is compared.
#[derive(Default)]
struct Folds {
    by: Vec<Name>,
    casts: Vec<Type>,
}

/// A column as it is, or in another case, or without blanks around it, or cast to a type.
fn folded(node: &Node, by: &mut Folds) -> Option<Vec<String>> {
    let call = match inner(node)? {
        NodeRef::FuncCall(call) => call,
        NodeRef::TypeCast(cast) if cast.type_name.as_ref().is_some_and(keeps_text) => {
            return folded(cast.arg.as_deref()?, by);
        }
        NodeRef::TypeCast(cast) => {
            by.casts.push(type_of(cast.type_name.as_ref()?)?);
            return folded(cast.arg.as_deref()?, by);
        }
        _ => return column(node),
    };
    let name = Name::from_parts(texts(&call.funcname)).filter(Name::may_be_builtin)?;
    if let ("pg_get_expr", [tree, of]) = (&*name.name, call.args.as_slice()) {
        let of = column(of)?;
        by.by.push(name);
        return column(tree).filter(|_| of.last().is_some_and(|it| it == "oid"));
    }
    let folds = matches!(
        name.name.as_str(),
        "lower" | "upper" | "btrim" | "ltrim" | "rtrim"
    );
    let ([argument], true) = (call.args.as_slice(), folds) else {
        return None;
    };
    by.by.push(name);
    folded(argument, by)
}

/// `= ANY` of an array that is written out. How many values a parameter holds, the text does not tell.
fn any_of(column: &Node, array: &Node) -> Option<Expr> {
    match inner(array)? {
        NodeRef::TypeCast(cast) => any_of(column, cast.arg.as_deref()?),
        // A parameter, and what is cast to an array, may be any number of them.
        NodeRef::AArrayExpr(array) if array.elements.iter().all(is_single) => {
            constants(column, &array.elements)
        }
        NodeRef::AConst(protobuf::AConst {
            val: Some(protobuf::a_const::Val::Sval(array)),
            ..
        }) => {
            let mut by = Folds::default();
            let column = folded(column, &mut by)?;
            let with = With::Constants {
                count: array.sval.matches(',').count() + 1,
                functions: Vec::new(),
            };
            Some(compared(column, by, with))
        }
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
pub(super) fn column(node: &Node) -> Option<Vec<String>> {
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

/// Whether it is a constant, or an array of such, in which no function is called.
pub(super) fn is_written_out(node: &Node) -> bool {
    match inner(node) {
        Some(NodeRef::AArrayExpr(array)) => array.elements.iter().all(is_written_out),
        _ => {
            let mut functions = Vec::new();
            is_constant(node, &mut functions) && functions.is_empty()
        }
    }
}
