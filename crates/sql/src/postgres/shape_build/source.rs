//! Items of a `FROM` list.

use pg_query::{Node, NodeEnum, NodeRef, protobuf};

use super::super::shape::{Expr, Source, SourceKind, Using};
use super::super::walk::{name_of, texts};
use super::expr::{below, expr};
use super::{column_name, conditions, inner, of};

pub(super) fn sources(nodes: &[Node]) -> Vec<Source> {
    nodes.iter().filter_map(source).collect()
}

pub(super) fn source(node: &Node) -> Option<Source> {
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
        NodeRef::JoinExpr(join) => joined(join),
        NodeRef::RangeTableSample(sample) => {
            let given = sample.args.iter().chain(sample.repeatable.as_deref());
            let given = given.map(expr).collect();
            let sampled = Box::new(source(sample.relation.as_deref()?)?);
            aliased(SourceKind::Sample(sampled, given), None)
        }
        NodeRef::RangeFunction(function) => {
            let kind = match called_alone(function) {
                Some(call) => SourceKind::Call(expr(call)),
                None => SourceKind::Computed(below(NodeRef::RangeFunction(function))),
            };
            let mut source = aliased(kind, function.alias.as_ref());
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

fn joined(join: &protobuf::JoinExpr) -> Source {
    let using = if join.is_natural {
        Using::Natural
    } else if join.using_clause.is_empty() {
        Using::Nothing
    } else {
        let alias = join.join_using_alias.as_ref();
        Using::Columns(
            texts(&join.using_clause),
            alias.map(|alias| alias.aliasname.clone()),
        )
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
        on: conditions([&join.quals]).pop(),
    };
    // `JOIN … USING (a) AS x` names the merged columns only; the tables keep their names.
    aliased(kind, join.alias.as_ref())
}

/// The only function of `FROM f(…)`, without `WITH ORDINALITY` or a list of columns.
fn called_alone(function: &protobuf::RangeFunction) -> Option<&Node> {
    let [
        Node {
            node: Some(NodeEnum::List(list)),
        },
    ] = function.functions.as_slice()
    else {
        return None;
    };
    let [call, columns @ ..] = list.items.as_slice() else {
        return None;
    };
    let plain = !function.ordinality
        && !function.is_rowsfrom
        && function.coldeflist.is_empty()
        && columns.iter().all(|columns| match &columns.node {
            Some(NodeEnum::List(columns)) => columns.items.is_empty(),
            other => other.is_none(),
        });
    plain.then_some(call)
}

pub(super) fn range(relation: &protobuf::RangeVar) -> Source {
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

pub(super) fn computed_source(of: Vec<Expr>) -> Source {
    Source {
        kind: SourceKind::Computed(of),
        alias: None,
        columns: Vec::new(),
        lateral: true,
    }
}
