//! Forms of expressions.

use super::writer::Kind::{self, Doc, Flag, List, Number, Row, Text};
use super::writer::Writer;

/// `{t}`, `{n}`, `{f}`, `{l}`, `{d}` and `{r}` stand for expressions of each kind.
const TEXTS: &[&str] = &[
    "upper({t})",
    "lower({t})",
    "reverse({t})",
    "initcap({t})",
    "left({t}, 9)",
    "right({t}, 6)",
    "substr({t}, 2, 7)",
    "({t} || {t})",
    "concat({t}, {n})",
    "concat_ws('-', {t}, {t})",
    "replace({t}, 'Q', 'qq')",
    "repeat({t}, 2)",
    "md5({t})",
    "token_of(({n} % 5)::integer)",
    "loud({t})",
    "coalesce({t}, {t})",
    "nullif({t}, {t})",
    "CASE WHEN {f} THEN {t} ELSE {t} END",
    "CASE {t} WHEN {t} THEN {t} END",
    "({n})::text",
    "({d} ->> 'pin')",
    "({d})::text",
    "({l})::text",
    "array_to_string({l}, '')",
    "({l})[1]",
    "({l})[1:1]::text",
    "encode(convert_to({t}, 'UTF8'), 'hex')",
    "encode(({t})::bytea, 'escape')",
    "format('%s_%s', {t}, {n})",
    "greatest({t}, {t})",
    "least({t}, {t})",
    "({t} COLLATE \"C\")",
    "({t})::varchar",
    "({t})::varchar(6)",
    "({t})::name::text",
    "translate({t}, 'Q', 'q')",
    "btrim({t}, 'Q')",
    "lpad({t}, 30, '.')",
    "quote_literal({t})",
    "(ARRAY[{t}, {t}])[2]",
    "ROW({t}, {n})::text",
    "to_json({t})::text",
    "row_to_json(ROW({t}))::text",
    "xmlelement(name x, {t})::text",
    "xmlforest({t} AS y)::text",
    "split_part({t}, 'X', 1)",
    "regexp_replace({t}, '(.)', '\\1')",
    "overlay({t} placing 'a' from 1 for 1)",
    "to_hex({n})",
    "to_char({n}, '999999999999999')",
    "json_build_object('k', {t})::text",
    "jsonb_pretty({d})",
    "(jsonb_path_query_first({d}, '$.pin'))::text",
    "convert_from(convert_to({t}, 'UTF8'), 'UTF8')",
    "(({d})['pin'])::text",
    "normalize({t})",
    "substring({t} from '....')",
    "array_to_json({l})::text",
    "to_tsvector('simple', {t})::text",
    "(SELECT {t})",
    "(VALUES ({t}))",
    "((SELECT ROW({t}, 1))::text)",
    "({r})::text",
    "({r}).token",
    "({r}).name",
    "(ROW({t}, {n})).f1",
    "(ROW({t}, {n})).f2::text",
    "(array_agg({r}) OVER ())[1]::text",
];
const NUMBERS: &[&str] = &[
    "({n} + 1)",
    "({n} - {n})",
    "({n} % 1000003)",
    "abs({n})",
    "length({t})",
    "ascii({t})",
    "hashtext({t})::bigint",
    "coalesce({n}, {n})",
    "CASE WHEN {f} THEN {n} ELSE {n} END",
    "position('Q' IN {t})",
    "cardinality({l})",
    "({n})::numeric::bigint",
    "greatest({n}, 5)",
    "-({n})",
    "({n} # 0)",
    "({f})::int",
    "get_byte(({t})::bytea, 0)",
    "jsonb_array_length(jsonb_build_array({t}))",
    "(SELECT count(*) WHERE {f})",
    "(SELECT {n})",
];
const FLAGS: &[&str] = &[
    "({t} = {t})",
    "({t} < {t})",
    "({t} LIKE 'Q%')",
    "({t} ~ '^[A-M]')",
    "({t} IS NULL)",
    "({t} IS NOT NULL)",
    "({n} < {n})",
    "({n} = {n})",
    "({n} = 1)",
    "({n} IN (1, 2))",
    "({f} AND {f})",
    "({f} OR {f})",
    "(NOT {f})",
    "({t} = ANY ({l}))",
    "({d} ? 'pin')",
    "({t} IN ('QW', 'x'))",
    "({t} IS DISTINCT FROM {t})",
    "({n} BETWEEN {n} AND {n})",
    "(({t}, {n}) > ({t}, {n}))",
    "starts_with({t}, 'Q')",
    "(({t} = 'QW') IS TRUE)",
    "({r} IS NULL)",
    "({r} = {r})",
    "({r} > {r})",
];
const LISTS: &[&str] = &[
    "ARRAY[{t}, {t}]",
    "string_to_array({t}, NULL)",
    "({l} || {t})",
    "array_append({l}, {t})",
    "({l})[1:2]",
    "regexp_split_to_array({t}, '')",
    "array_remove({l}, {t})",
    "CASE WHEN {f} THEN {l} END",
];
const DOCS: &[&str] = &[
    "to_jsonb({t})",
    "jsonb_build_object('pin', {t}, 'b', {n})",
    "jsonb_build_array({n}, {t})",
    "({d} || {d})",
    "to_jsonb({l})",
    "jsonb_set({d}, '{{a}}', to_jsonb({t}))",
    "jsonb_strip_nulls({d})",
    "coalesce({d}, {d})",
    "to_jsonb({r})",
    "jsonb_build_object('all', {r})",
];
const ROWS: &[&str] = &[
    "ROW({t}, {n})",
    "ROW({n}, {t}, {d})",
    "ROW({r}, {t})",
    "CASE WHEN {f} THEN {r} END",
    "coalesce({r}, {r})",
    "(SELECT {r})",
    "lag({r}) OVER ()",
];

/// An expression of a form picked at random, its parts written by `part`; `None` where it should be a query.
pub(crate) fn expr(
    writer: &mut Writer,
    kind: Kind,
    depth: usize,
    part: &mut dyn FnMut(&mut Writer, Kind, usize) -> String,
) -> Option<String> {
    let forms = match kind {
        Text => TEXTS,
        Number => NUMBERS,
        Flag => FLAGS,
        List => LISTS,
        Doc => DOCS,
        Row => ROWS,
    };
    if writer.dice(6) == 0 {
        return None;
    }
    let form = forms[writer.dice(forms.len())];
    let mut sql = String::new();
    let mut rest = form;
    while let Some(at) = rest.find('{') {
        sql.push_str(&rest[..at]);
        let kind = match rest.as_bytes().get(at + 1) {
            Some(b't') => Text,
            Some(b'n') => Number,
            Some(b'f') => Flag,
            Some(b'l') => List,
            Some(b'd') => Doc,
            Some(b'r') => Row,
            // `{{a}}`: a path.
            _ => {
                sql.push_str("{a}");
                rest = &rest[at + 5..];
                continue;
            }
        };
        sql.push_str(&part(writer, kind, depth));
        rest = &rest[at + 3..];
    }
    sql.push_str(rest);
    Some(sql)
}
