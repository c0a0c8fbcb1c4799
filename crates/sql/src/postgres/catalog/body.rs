//! What functions in SQL run, from their text.

use std::sync::Arc;

use pg_query::{Node, NodeEnum, protobuf};

use super::super::statement::{Output, Statement};
use super::super::{Shape, nesting, parse, shape_build};
use super::{Body, Row};

impl Body {
    /// Reads its text.
    pub(super) fn read(&mut self) {
        let (text, numbers) = parameters_named(&self.text);
        self.query = query(&text).or_else(|| standard(&text));
        self.arguments.extend(numbers);
    }
}

/// A text in which each `$n` is a column of that name, and these names.
fn parameters_named(text: &str) -> (String, Vec<String>) {
    let mut named = String::with_capacity(text.len());
    let mut names = Vec::new();
    let mut done = 0;
    for token in pg_query::scan_tokens(text).unwrap_or_default() {
        let at = |place: i32| usize::try_from(place).unwrap_or(usize::MAX);
        if token.token == protobuf::Token::Param as i32
            && let Some(before) = text.get(done..at(token.start))
            && let Some(name) = text.get(at(token.start)..at(token.end))
        {
            named.extend([before, "\"", name, "\""]);
            names.push(name.to_owned());
            done = at(token.end);
        }
    }
    named.push_str(text.get(done..).unwrap_or_default());
    names.dedup();
    (named, names)
}

/// The one query that a text is.
fn query(text: &str) -> Option<Arc<Shape>> {
    match parse(text).ok()?.statements.as_ref() {
        [
            Statement {
                output: Output::Query(shape),
                ..
            },
        ] => Some(Arc::clone(shape)),
        _ => None,
    }
}

/// The one query, or the value, that a function in standard SQL gives, from the command that defines it.
fn standard(text: &str) -> Option<Arc<Shape>> {
    if !text.starts_with("CREATE OR REPLACE FUNCTION ") || nesting::check(text).is_err() {
        return None;
    }
    let parsed = pg_query::parse(text, 0).ok()?;
    let [statement] = parsed.protobuf.stmts.as_slice() else {
        return None;
    };
    match statement.stmt.as_deref()?.node.as_ref()? {
        NodeEnum::CreateFunctionStmt(function) => body_of(function.sql_body.as_deref()?),
        _ => None,
    }
}

fn body_of(body: &Node) -> Option<Arc<Shape>> {
    match body.node.as_ref()? {
        NodeEnum::List(list) => match list.items.as_slice() {
            [only] => body_of(only),
            _ => None,
        },
        NodeEnum::ReturnStmt(returned) => {
            let value = returned.returnval.as_deref()?;
            Some(Arc::new(shape_build::of_values(std::slice::from_ref(
                value,
            ))))
        }
        node @ NodeEnum::SelectStmt(_) => Some(Arc::new(shape_build::of(node.to_ref()))),
        _ => None,
    }
}

/// The body in a row of the query for functions.
pub(super) fn of_row(row: &Row<'_>) -> Option<Body> {
    let text = row.text(5).ok()?.to_owned();
    let names: Vec<String> = match row.text(6) {
        Ok(names) => names.split('\u{1f}').map(str::to_owned).collect(),
        Err(_) => Vec::new(),
    };
    let modes: Vec<u8> = match row.text(7) {
        Ok(modes) => modes.bytes().filter(u8::is_ascii_lowercase).collect(),
        Err(_) => vec![b'i'; names.len()],
    };
    let of = |wanted: &[u8]| -> Vec<String> {
        let named = names.iter().zip(&modes);
        let named = named.filter(|(_, mode)| wanted.contains(mode));
        named.map(|(name, _)| name.clone()).collect()
    };
    Some(Body {
        text,
        arguments: of(b"ibv"),
        columns: of(b"obt"),
        rows_of: row.number(8).ok()?,
        query: None,
    })
}
