//! Shapes from parse trees.

use pg_query::{Node, NodeEnum, NodeRef, protobuf};
use protobuf::{SetOperation, SubLinkType};

use super::shape::{Body, Change, Cte, Expr, Shape, Source, SourceKind, Target, Using};
use super::tree::children;
use super::walk::{name_of, text, texts};
use crate::Name;

/// The shape of a query or a data-changing statement.
pub(super) fn of(node: NodeRef<'_>) -> Shape {
    match node {
        NodeRef::SelectStmt(s) => select(s),
        NodeRef::InsertStmt(s) => with(s.with_clause.as_ref(), Body::Change(Box::new(insert(s)))),
        NodeRef::UpdateStmt(s) => {
            let mut change = change(s.relation.as_ref(), s.returning_clause.as_ref());
            change.from = sources(&s.from_clause);
            change.assigned = assignments(&s.target_list);
            with(s.with_clause.as_ref(), Body::Change(Box::new(change)))
        }
        NodeRef::DeleteStmt(s) => {
            let mut change = change(s.relation.as_ref(), s.returning_clause.as_ref());
            change.from = sources(&s.using_clause);
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
        body: Body::Select {
            from: vec![range(relation)],
            outputs,
            conditions: Vec::new(),
        },
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
            (Some(left), Some(right)) => {
                Body::SetOperation(Box::new(select(left)), Box::new(select(right)))
            }
            _ => Body::Unknown,
        }
    } else if s.values_lists.is_empty() {
        Body::Select {
            from: sources(&s.from_clause),
            outputs: targets(&s.target_list),
            conditions: [&s.where_clause, &s.having_clause]
                .into_iter()
                .filter_map(|clause| clause.as_deref())
                .map(expr)
                .filter(|condition| !matches!(condition, Expr::Free))
                .collect(),
        }
    } else {
        Body::Values(values(&s.values_lists))
    };
    let mut shape = with(s.with_clause.as_ref(), body);
    shape.stored = s.into_clause.is_some();
    shape
}

/// Folds the rows of a `VALUES` into one: constants, which most are, take no room.
fn values(lists: &[Node]) -> Vec<Expr> {
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
                (Expr::Free, _) | (_, None) => {}
                (other, Some(column)) => column.push(other),
            }
        }
    }
    let fold = |results: Vec<Expr>| {
        if results.is_empty() {
            Expr::Free
        } else {
            Expr::Choice {
                by: None,
                conditions: Vec::new(),
                results,
            }
        }
    };
    columns.into_iter().map(fold).collect()
}

fn insert(s: &protobuf::InsertStmt) -> Change {
    let mut change = change(s.relation.as_ref(), s.returning_clause.as_ref());
    change.columns = assignments(&s.cols)
        .into_iter()
        .map(|(column, _)| column)
        .collect();
    change.rows = s.select_stmt.as_deref().and_then(inner).map(of);
    if let Some(conflict) = s.on_conflict_clause.as_deref() {
        change.assigned = assignments(&conflict.target_list);
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
    for node in &s.merge_when_clauses {
        let Some(NodeEnum::MergeWhenClause(when)) = &node.node else {
            continue;
        };
        change.assigned.extend(assignments(&when.target_list));
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

/// What PostgreSQL calls an output column without `AS`, where that is simple.
fn column_name(node: &Node) -> Option<String> {
    match inner(node)? {
        NodeRef::ColumnRef(column) => column.fields.last().and_then(text).map(str::to_owned),
        NodeRef::FuncCall(call) => call.funcname.last().and_then(text).map(str::to_owned),
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

fn sources(nodes: &[Node]) -> Vec<Source> {
    nodes.iter().filter_map(source).collect()
}

fn source(node: &Node) -> Option<Source> {
    Some(match inner(node)? {
        NodeRef::RangeVar(relation) => range(relation),
        NodeRef::RangeSubselect(sub) => {
            let query = sub
                .subquery
                .as_deref()
                .and_then(inner)
                .map(of)
                .unwrap_or_default();
            Source {
                lateral: sub.lateral,
                ..aliased(SourceKind::Query(query), sub.alias.as_ref())
            }
        }
        NodeRef::JoinExpr(join) => {
            let using = if join.is_natural {
                Using::Natural
            } else if join.using_clause.is_empty() {
                Using::Nothing
            } else {
                Using::Columns(texts(&join.using_clause))
            };
            let side = |side: Option<&Node>| {
                Box::new(
                    side.and_then(source)
                        .unwrap_or_else(|| computed_source(Vec::new())),
                )
            };
            let kind = SourceKind::Join {
                left: side(join.larg.as_deref()),
                right: side(join.rarg.as_deref()),
                using,
            };
            // `JOIN … USING (a) AS x` names the merged columns only; the tables keep their names.
            aliased(kind, join.alias.as_ref())
        }
        NodeRef::RangeTableSample(sample) => source(sample.relation.as_deref()?)?,
        NodeRef::RangeFunction(function) => {
            let mut source = aliased(
                SourceKind::Computed(below(NodeRef::RangeFunction(function))),
                function.alias.as_ref(),
            );
            if source.alias.is_none()
                && let [
                    Node {
                        node: Some(NodeEnum::List(list)),
                    },
                ] = function.functions.as_slice()
            {
                source.alias = list.items.first().and_then(column_name);
            }
            source
        }
        NodeRef::RangeTableFunc(function) => aliased(
            SourceKind::Computed(below(NodeRef::RangeTableFunc(function))),
            function.alias.as_ref(),
        ),
        NodeRef::JsonTable(table) => aliased(
            SourceKind::Computed(below(NodeRef::JsonTable(table))),
            table.alias.as_ref(),
        ),
        other => computed_source(below(other)),
    })
}

fn range(relation: &protobuf::RangeVar) -> Source {
    aliased(
        SourceKind::Relation(name_of(relation)),
        relation.alias.as_ref(),
    )
}

fn aliased(kind: SourceKind, alias: Option<&protobuf::Alias>) -> Source {
    Source {
        kind,
        alias: alias.map(|alias| alias.aliasname.clone()),
        columns: alias
            .map(|alias| texts(&alias.colnames))
            .unwrap_or_default(),
        lateral: true,
    }
}

fn computed_source(of: Vec<Expr>) -> Source {
    Source {
        kind: SourceKind::Computed(of),
        alias: None,
        columns: Vec::new(),
        lateral: true,
    }
}

/// An expression.
fn expr(node: &Node) -> Expr {
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
        NodeRef::TypeCast(cast) if cast.type_name.as_ref().is_some_and(keeps_text) => {
            cast.arg.as_deref().map_or(Expr::Free, expr)
        }
        NodeRef::CollateClause(clause) => clause.arg.as_deref().map_or(Expr::Free, expr),
        NodeRef::CoalesceExpr(choice) => Expr::Choice {
            by: None,
            conditions: Vec::new(),
            results: choice.args.iter().map(expr).collect(),
        },
        NodeRef::CaseExpr(case) => case_of(case),
        NodeRef::FuncCall(call) => call_of(call),
        other => match below(other) {
            of if of.is_empty() || of.iter().all(|e| matches!(e, Expr::Free)) => Expr::Free,
            of => Expr::Computed { function: None, of },
        },
    })
}

fn below(node: NodeRef<'_>) -> Vec<Expr> {
    let mut of = Vec::new();
    children(node, &mut |child| match child {
        NodeRef::List(_) | NodeRef::ResTarget(_) | NodeRef::WindowDef(_) | NodeRef::SortBy(_) => {
            of.extend(below(child))
        }
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
        (Some("count"), true) => Expr::Count(of),
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
