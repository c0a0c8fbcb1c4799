//! Shapes from parse trees.

use pg_query::{Node, NodeEnum, NodeRef, protobuf};
use protobuf::{AExprKind, SetOperation};

use super::shape::{Body, Change, Cte, Expr, Key, Select, Shape, Target};
use super::statement::limits;
use super::walk::{text, texts};

mod compared;
mod expr;
mod kinds;
mod source;

use expr::{below, expr, not_free, one_of};
pub(super) use kinds::is_kept_by_name;
use source::{computed_source, range, source, sources};

/// The shape of a query or a data-changing statement.
pub(super) fn of(node: NodeRef<'_>) -> Shape {
    match node {
        NodeRef::SelectStmt(s) => select(s),
        NodeRef::InsertStmt(s) => with(s.with_clause.as_ref(), Body::Change(Box::new(insert(s)))),
        NodeRef::UpdateStmt(s) => {
            let mut change = change(s.relation.as_ref(), s.returning_clause.as_ref());
            change.from = sources(&s.from_clause);
            change.assigned = assignments(&s.target_list);
            change.assigned.extend(places(&s.target_list));
            change.parts = parts(&s.target_list);
            change.conditions = conditions([&s.where_clause]);
            with(s.with_clause.as_ref(), Body::Change(Box::new(change)))
        }
        NodeRef::DeleteStmt(s) => {
            let mut change = change(s.relation.as_ref(), s.returning_clause.as_ref());
            change.from = sources(&s.using_clause);
            change.conditions = conditions([&s.where_clause]);
            with(s.with_clause.as_ref(), Body::Change(Box::new(change)))
        }
        NodeRef::MergeStmt(s) => with(s.with_clause.as_ref(), Body::Change(Box::new(merge(s)))),
        _ => Shape::default(),
    }
}

/// The shape of `COPY table (columns) TO`.
pub(super) fn of_copy(relation: &protobuf::RangeVar, columns: &[Node]) -> Shape {
    let target = |name: String| Target {
        name: Some(name.clone()),
        expr: Expr::Column(vec![name]),
    };
    let outputs = match texts(columns) {
        named if named.is_empty() => vec![Target {
            name: None,
            expr: Expr::Star(vec![STORED.to_owned()]),
        }],
        named => named.into_iter().map(target).collect(),
    };
    Shape {
        body: Body::Select(Box::new(Select {
            from: vec![range(relation)],
            outputs,
            ..Select::default()
        })),
        ..Shape::default()
    }
}

/// The shape of values that are worked out for no row, as those of `EXECUTE` are.
pub(super) fn of_values(values: &[Node]) -> Shape {
    let target = |value| Target {
        name: None,
        expr: expr(value),
    };
    Shape {
        body: Body::Select(Box::new(Select {
            outputs: values.iter().map(target).collect(),
            ..Select::default()
        })),
        ..Shape::default()
    }
}

/// The shape of what `COPY … FROM … WHERE` asks of each row.
pub(super) fn of_copied_in(relation: &protobuf::RangeVar, condition: &Node) -> Shape {
    Shape {
        body: Body::Select(Box::new(Select {
            from: vec![range(relation)],
            conditions: vec![expr(condition)],
            ..Select::default()
        })),
        ..Shape::default()
    }
}

/// The qualifier of a star that leaves out generated columns, as `COPY` does. No name can be empty.
pub(super) const STORED: &str = "";

fn with(clause: Option<&protobuf::WithClause>, body: Body) -> Shape {
    let mut shape = Shape {
        body,
        ..Shape::default()
    };
    let Some(clause) = clause else { return shape };
    shape.recursive = clause.recursive;
    for node in &clause.ctes {
        let Some(NodeEnum::CommonTableExpr(cte)) = &node.node else {
            continue;
        };
        let mut added = Vec::new();
        if let Some(search) = &cte.search_clause {
            added.push(search.search_seq_column.clone());
        }
        if let Some(cycle) = &cte.cycle_clause {
            added.extend([
                cycle.cycle_mark_column.clone(),
                cycle.cycle_path_column.clone(),
            ]);
        }
        shape.ctes.push(Cte {
            name: cte.ctename.clone(),
            columns: texts(&cte.aliascolnames),
            shape: cte
                .ctequery
                .as_deref()
                .and_then(inner)
                .map(of)
                .unwrap_or_default(),
            added,
        });
    }
    shape
}

fn inner(node: &Node) -> Option<NodeRef<'_>> {
    node.node.as_ref().map(NodeEnum::to_ref)
}

fn select(s: &protobuf::SelectStmt) -> Shape {
    let body = if s.op != SetOperation::SetopNone as i32 && s.op != SetOperation::Undefined as i32 {
        match (s.larg.as_deref(), s.rarg.as_deref()) {
            (Some(left), Some(right)) => Body::SetOperation {
                left: Box::new(select(left)),
                right: Box::new(select(right)),
                all: s.all && s.op == SetOperation::SetopUnion as i32,
            },
            _ => Body::Unknown,
        }
    } else if s.values_lists.is_empty() {
        let distinct = s.distinct_clause.iter().any(|node| node.node.is_none());
        let on = s.distinct_clause.iter().filter(|node| node.node.is_some());
        Body::Select(Box::new(Select {
            from: sources(&s.from_clause),
            outputs: targets(&s.target_list),
            conditions: conditions([&s.where_clause, &s.having_clause]),
            groups: keys(s.group_clause.iter().chain(on)),
            windows: s
                .window_clause
                .iter()
                .filter_map(inner)
                .flat_map(below)
                .collect(),
            distinct: distinct || s.group_distinct,
        }))
    } else {
        match values(&s.values_lists) {
            Some(columns) => Body::Values {
                columns,
                rows: s.values_lists.len(),
            },
            None => Body::Unknown,
        }
    };
    let mut shape = with(s.with_clause.as_ref(), body);
    shape.order = keys(&s.sort_clause);
    shape.limits = conditions([&s.limit_count, &s.limit_offset]);
    shape.cut = limits(s.limit_count.as_deref()) || s.limit_offset.is_some();
    shape.stored = s.into_clause.is_some();
    shape
}

/// The expressions of clauses, without those that depend on nothing.
fn conditions<const N: usize>(clauses: [&Option<Box<Node>>; N]) -> Vec<Expr> {
    let given = clauses.into_iter().filter_map(|clause| clause.as_deref());
    given
        .map(expr)
        .filter(|condition| !matches!(condition, Expr::Free))
        .collect()
}

/// What `GROUP BY`, `ORDER BY` and `DISTINCT ON` name.
fn keys<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Vec<Key> {
    let mut found = Vec::new();
    for node in nodes {
        match node.node.as_ref().map(NodeEnum::to_ref) {
            Some(NodeRef::SortBy(by)) => found.extend(keys(by.node.as_deref())),
            Some(NodeRef::GroupingSet(set)) => found.extend(keys(&set.content)),
            Some(NodeRef::RowExpr(row)) => found.extend(keys(&row.args)),
            Some(NodeRef::List(list)) => found.extend(keys(&list.items)),
            Some(NodeRef::AConst(constant)) => {
                if let Some(protobuf::a_const::Val::Ival(number)) = &constant.val {
                    found.push(Key::Number(usize::try_from(number.ival).unwrap_or(0)));
                }
            }
            Some(_) => match expr(node) {
                Expr::Free => {}
                expr => found.push(Key::Expr(expr)),
            },
            None => {}
        }
    }
    found
}

/// Folds the rows of a `VALUES` into one: the constants of a column, which most are, take the room of one. `None` where a star stands for any
/// number of columns.
fn values(lists: &[Node]) -> Option<Vec<Expr>> {
    let mut columns: Vec<Vec<Expr>> = Vec::new();
    for list in lists {
        let Some(NodeEnum::List(list)) = &list.node else {
            continue;
        };
        for (index, item) in list.items.iter().enumerate() {
            if columns.len() <= index {
                columns.push(Vec::new());
            }
            match (expr(item), columns.get_mut(index)) {
                (_, None) => {}
                (Expr::Free, Some(column)) if column.iter().any(|it| !not_free(it)) => {}
                (Expr::Star(_) | Expr::Fields(_), _) => return None,
                (other, Some(column)) => column.push(other),
            }
        }
    }
    let fold = |results: Vec<Expr>| {
        if !results.iter().any(not_free) {
            Expr::Free
        } else {
            one_of(results)
        }
    };
    Some(columns.into_iter().map(fold).collect())
}

fn insert(s: &protobuf::InsertStmt) -> Change {
    let mut change = change(s.relation.as_ref(), s.returning_clause.as_ref());
    change.columns = assignments(&s.cols)
        .into_iter()
        .map(|(column, _)| column)
        .collect();
    change.assigned = places(&s.cols);
    change.rows = s.select_stmt.as_deref().and_then(inner).map(of);
    if let Some(conflict) = s.on_conflict_clause.as_deref() {
        change.assigned.extend(assignments(&conflict.target_list));
        change.assigned.extend(places(&conflict.target_list));
        change.parts = parts(&conflict.target_list);
        change.conditions = conditions([&conflict.where_clause]);
        change.also.push("excluded".to_owned());
    }
    change
}

fn merge(s: &protobuf::MergeStmt) -> Change {
    let mut change = change(s.relation.as_ref(), s.returning_clause.as_ref());
    change.from = s
        .source_relation
        .as_deref()
        .and_then(source)
        .into_iter()
        .collect();
    change.unordered = true;
    change.conditions = conditions([&s.join_condition]);
    for node in &s.merge_when_clauses {
        let Some(NodeEnum::MergeWhenClause(when)) = &node.node else {
            continue;
        };
        change.conditions.extend(conditions([&when.condition]));
        change.assigned.extend(assignments(&when.target_list));
        change.assigned.extend(places(&when.target_list));
        change.parts.extend(parts(&when.target_list));
        let columns = assignments(&when.target_list)
            .into_iter()
            .map(|(column, _)| column);
        let columns = columns.map(Some).chain(std::iter::repeat(None));
        for (value, column) in when.values.iter().zip(columns) {
            change
                .assigned
                .push((column.unwrap_or_default(), expr(value)));
        }
    }
    change
}

fn change(
    target: Option<&protobuf::RangeVar>,
    returning: Option<&protobuf::ReturningClause>,
) -> Change {
    let mut also = vec!["old".to_owned(), "new".to_owned()];
    for option in returning.iter().flat_map(|clause| &clause.options) {
        if let Some(NodeEnum::ReturningOption(option)) = &option.node {
            also.push(option.value.clone());
        }
    }
    Change {
        target: target.map_or_else(|| computed_source(Vec::new()), range),
        from: Vec::new(),
        columns: Vec::new(),
        rows: None,
        assigned: Vec::new(),
        parts: Vec::new(),
        conditions: Vec::new(),
        returning: returning
            .map(|clause| targets(&clause.exprs))
            .unwrap_or_default(),
        also,
        unordered: false,
    }
}

fn assignments(nodes: &[Node]) -> Vec<(String, Expr)> {
    let assigned = nodes.iter().filter_map(|node| match &node.node {
        Some(NodeEnum::ResTarget(target)) => Some((
            target.name.clone(),
            target.val.as_deref().map_or(Expr::Free, expr),
        )),
        _ => None,
    });
    assigned.collect()
}

/// What decides where in a column values go, which shows in the column: `column[place] = …`.
fn places(nodes: &[Node]) -> Vec<(String, Expr)> {
    let mut places = Vec::new();
    for node in nodes {
        if let Some(NodeEnum::ResTarget(target)) = &node.node {
            let of: Vec<Expr> = target
                .indirection
                .iter()
                .filter_map(inner)
                .flat_map(below)
                .collect();
            if !of.is_empty() {
                let computed = Expr::Computed { function: None, of };
                places.push((target.name.clone(), computed));
            }
        }
    }
    places
}

/// The columns of which a part is assigned: `column[1] = …`, `column.field = …`.
fn parts(nodes: &[Node]) -> Vec<String> {
    let parts = nodes.iter().filter_map(|node| match &node.node {
        Some(NodeEnum::ResTarget(target)) if !target.indirection.is_empty() => {
            Some(target.name.clone())
        }
        _ => None,
    });
    parts.collect()
}

fn targets(nodes: &[Node]) -> Vec<Target> {
    let target = nodes.iter().filter_map(|node| match &node.node {
        Some(NodeEnum::ResTarget(target)) => {
            let value = target.val.as_deref();
            let given = (!target.name.is_empty()).then(|| target.name.clone());
            Some(Target {
                name: given.or_else(|| value.and_then(column_name)),
                expr: value.map_or(Expr::Free, expr),
            })
        }
        _ => None,
    });
    target.collect()
}

/// What PostgreSQL calls a column that has no other name (`FigureColname`, `parse_target.c`).
const NAMELESS: &str = "?column?";

/// What PostgreSQL calls an output column without `AS`, where that is simple.
fn column_name(node: &Node) -> Option<String> {
    match inner(node)? {
        NodeRef::ColumnRef(column) => column.fields.last().and_then(text).map(str::to_owned),
        NodeRef::FuncCall(call) => call.funcname.last().and_then(text).map(str::to_owned),
        NodeRef::AExpr(e) if e.kind == AExprKind::AexprNullif as i32 => Some("nullif".to_owned()),
        NodeRef::AExpr(_) | NodeRef::BoolExpr(_) | NodeRef::NullTest(_) | NodeRef::ParamRef(_) => {
            Some(NAMELESS.to_owned())
        }
        NodeRef::CoalesceExpr(_) => Some("coalesce".to_owned()),
        NodeRef::RowExpr(_) => Some("row".to_owned()),
        NodeRef::CollateClause(clause) => column_name(clause.arg.as_deref()?),
        NodeRef::TypeCast(cast) => match inner(cast.arg.as_deref()?)? {
            NodeRef::ColumnRef(_) | NodeRef::FuncCall(_) => column_name(cast.arg.as_deref()?),
            _ => None,
        },
        _ => None,
    }
}
