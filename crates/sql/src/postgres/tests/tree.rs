//! The table of children against what serialization visits, and parsing of arbitrary text.

use proptest::prelude::*;
use serde_json::Value;

use super::{effects, on_big_stack, parse};
use crate::postgres::tree::children;
use pg_query::NodeRef;

/// Fields that only one kind of node has, and that node.
fn kind(node: NodeRef<'_>) -> Option<usize> {
    KEYS.iter().position(|(_, is)| is(node))
}

type Kind = (&'static str, fn(NodeRef<'_>) -> bool);
const KEYS: &[Kind] = &[
    ("relname", |n| matches!(n, NodeRef::RangeVar(_))),
    ("values_lists", |n| matches!(n, NodeRef::SelectStmt(_))),
    ("func_variadic", |n| matches!(n, NodeRef::FuncCall(_))),
    ("subselect", |n| matches!(n, NodeRef::SubLink(_))),
    ("rexpr_list_start", |n| matches!(n, NodeRef::AExpr(_))),
    ("typemod", |n| matches!(n, NodeRef::TypeName(_))),
    ("ctequery", |n| matches!(n, NodeRef::CommonTableExpr(_))),
    ("defaction", |n| matches!(n, NodeRef::DefElem(_))),
    ("aliasname", |n| matches!(n, NodeRef::Alias(_))),
    ("rolename", |n| matches!(n, NodeRef::RoleSpec(_))),
];

fn count_json(value: &Value, counts: &mut [usize], columns: &mut usize) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let Some(index) = KEYS.iter().position(|(key, _)| key == name) {
                    counts[index] += 1;
                }
                *columns += usize::from(name == "ColumnRef");
                count_json(field, counts, columns);
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| count_json(item, counts, columns)),
        _ => {}
    }
}

fn count_tree(node: NodeRef<'_>, counts: &mut [usize], columns: &mut usize) {
    if let Some(index) = kind(node) {
        counts[index] += 1;
    }
    *columns += usize::from(matches!(node, NodeRef::ColumnRef(_)));
    children(node, &mut |child| count_tree(child, counts, columns));
}

#[test]
fn the_walk_visits_what_serialization_visits() {
    for (sql, _) in effects::TABLE {
        let parsed = pg_query::parse(sql, 0).unwrap().protobuf;
        let (mut json, mut json_columns) = (vec![0; KEYS.len()], 0);
        count_json(
            &serde_json::to_value(&parsed).unwrap(),
            &mut json,
            &mut json_columns,
        );
        let (mut tree, mut tree_columns) = (vec![0; KEYS.len()], 0);
        for statement in &parsed.stmts {
            let node = statement.stmt.as_ref().unwrap().node.as_ref().unwrap();
            count_tree(node.to_ref(), &mut tree, &mut tree_columns);
        }
        assert_eq!((tree, tree_columns), (json, json_columns), "{sql}");
    }
}

/// Words that make SQL likely.
const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "a",
    "b",
    "customers",
    "(",
    ")",
    ",",
    "*",
    "1",
    "'x'",
    "$1",
    "UNION",
    "JOIN",
    "ON",
    "WITH",
    "AS",
    "INSERT INTO",
    "VALUES",
    "DELETE",
    "UPDATE",
    "SET",
    "=",
    "+",
    "-",
    "AND",
    "OR",
    "NOT",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "BETWEEN",
    "::int",
    ".",
    ";",
    "[",
    "]",
    "NULL",
    "IS",
    "IN",
    "EXISTS",
    "GROUP BY",
    "ORDER BY",
    "LIMIT",
    "RETURNING",
    "COPY",
    "TO STDOUT",
    "EXPLAIN",
    "ANALYZE",
    "CREATE TABLE",
    "VIEW",
    "DROP",
    "GRANT",
    "DO",
    "$$",
    "--",
    "/*",
    "*/",
    "U&\"",
    "\"",
    "é",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn arbitrary_text_does_not_panic(text in "\\PC{0,80}") {
        on_big_stack(move || drop(parse(&text)));
    }

    #[test]
    fn arbitrary_words_do_not_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..40)) {
        on_big_stack(move || drop(parse(&words.join(" "))));
    }
}

/// Expressions of every shape, with their size.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec!["1", "a", "a.end", "'x'", "$1", "NULL", "a.and"])
        .prop_map(str::to_owned);
    leaf.prop_recursive(24, 200, 3, |inner| {
        let form = prop::sample::select(vec![
            "(@) + (@)",
            "@ + @",
            "- @",
            "NOT @",
            "(@)::int",
            "f(@, @)",
            "CASE WHEN @ THEN @ ELSE (@) END",
            "(@ AND @)",
            "@ OR @ AND @",
            "(@) IS NULL",
            "ARRAY[@, @]",
            "(SELECT @ FROM t WHERE @)",
            "(@) BETWEEN (@) AND NOT @",
            "ROW(@, @)",
            "(SELECT @ UNION SELECT @, 2)",
            "(a)[@]",
            "EXISTS (SELECT FROM a JOIN b ON @ JOIN c ON @)",
            "(@) COLLATE \"C\"",
        ]);
        (form, prop::collection::vec(inner, 3)).prop_map(|(form, parts)| {
            let mut parts = parts.into_iter().cycle();
            form.chars()
                .map(|c| {
                    if c == '@' {
                        parts.next().unwrap()
                    } else {
                        c.to_string()
                    }
                })
                .collect()
        })
    })
}

fn depth(node: NodeRef<'_>) -> usize {
    let mut below = 0;
    children(node, &mut |child| below = below.max(depth(child)));
    below + 1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The bound from the tokens holds for the tree: no level costs more than four nodes.
    #[test]
    fn the_bound_is_above_the_depth(expression in expression()) {
        let sql = format!("SELECT {expression}");
        let tokens = pg_query::scan(&sql).unwrap().tokens;
        if let Ok(parsed) = pg_query::parse(&sql, 0) {
            let bound = crate::postgres::nesting::bound(&tokens);
            let statement = parsed.protobuf.stmts[0].stmt.as_ref().unwrap().node.as_ref().unwrap();
            let depth = depth(statement.to_ref());
            prop_assert!(depth <= 4 * bound + 4, "{sql}: {depth} deep, bound {bound}");
        }
    }
}
