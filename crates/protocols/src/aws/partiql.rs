//! Statements of PartiQL to DynamoDB: which tables they are about, and whether they only read.
//!
//! A statement is read by the one form that DynamoDB's reference gives it, or not at all: what another reader could take for a
//! statement about another table is opaque.

use std::sync::LazyLock;

use serde_json::Value;

use super::classify::{Thing, Wire};
use super::home::Home;
use super::table::{Level, Operation, Service};
use super::{body, cbor};

/// A longer body is not read.
const BODY_BYTES_MAX: usize = 1 << 20;

/// The operations, and what their statements stand in.
const OPERATIONS: [(&str, Option<&str>); 3] = [
    ("BatchExecuteStatement", Some("Statements")),
    ("ExecuteStatement", None),
    ("ExecuteTransaction", Some("TransactStatements")),
];

/// They where all they do is to read.
static READS: LazyLock<[Operation; 3]> = LazyLock::new(|| {
    OPERATIONS.map(|(name, _)| Operation {
        name,
        level: Level::Read,
        route: None,
        keys: Vec::new(),
        prefix: "",
        types: Vec::new(),
        tags: Vec::new(),
        gives: Vec::new(),
    })
});

/// Whether an operation takes statements.
pub(super) fn takes(service: &Service, name: &str) -> bool {
    service.name == "dynamodb" && OPERATIONS.iter().any(|(it, _)| *it == name)
}

/// The tables that the statements of a call are about, and the operation as what it is: one that reads where all of them do. `None`
/// where they cannot be read.
pub(super) fn told(
    name: &str,
    wire: Wire,
    content: &[u8],
    home: &Home<'_>,
) -> Option<(Vec<Thing>, Option<&'static Operation>)> {
    if content.len() > BODY_BYTES_MAX {
        return None;
    }
    let tree = match wire {
        Wire::Cbor => cbor::read(content),
        _ => body::json(content),
    };
    let tree = tree?;
    let (_, within) = OPERATIONS.iter().find(|(it, _)| *it == name)?;
    let statements = match within {
        Some(within) => tree.get(within)?.as_array()?.iter().collect(),
        None => vec![&tree],
    };
    let (mut tables, mut reads) = (Vec::new(), true);
    for statement in statements {
        let Statement { table, only_reads } =
            read(statement.get("Statement").and_then(Value::as_str)?)?;
        reads &= only_reads;
        let thing = Thing::Named {
            name: home.name(&table),
            given: table,
        };
        if !tables.contains(&thing) {
            tables.push(thing);
        }
    }
    let operation = READS.iter().find(|it| reads && it.name == name);
    (!tables.is_empty()).then_some((tables, operation))
}

/// What a statement is about.
#[derive(Debug, PartialEq, Eq)]
struct Statement {
    table: String,
    only_reads: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// Without quotes.
    Word(String),
    /// In double quotes.
    Quoted(String),
    /// A value.
    Value,
    Mark(char),
}

use Token::{Mark, Quoted, Word};

/// Reads one; `None` where it is of no known form.
fn read(text: &str) -> Option<Statement> {
    let tokens = tokens(text)?;
    let mut tokens = tokens.as_slice();
    if let [rest @ .., Mark(';')] = tokens {
        tokens = rest;
    }
    let word = |token: Option<&Token>, word: &str| matches!(token, Some(Word(it)) if it.eq_ignore_ascii_case(word));
    // A condition of a transaction.
    if word(tokens.first(), "EXISTS") {
        tokens = match tokens {
            [_, Mark('('), inner @ .., Mark(')')] => inner,
            _ => return None,
        };
        word(tokens.first(), "SELECT").then_some(())?;
    }
    // Each of these once, where it belongs: as a name it would stand in quotes.
    let places = |name: &str| {
        let all = tokens.iter().enumerate();
        let all = all.filter(|(_, token)| word(Some(token), name));
        all.map(|(place, _)| place).collect::<Vec<_>>()
    };
    let at = |name: &str, place: usize| places(name) == [place];
    let never = |names: &[&str]| names.iter().all(|name| places(name).is_empty());
    let (table, ends, only_reads): (usize, &[&str], bool) = match tokens.first() {
        first if word(first, "SELECT") => {
            let [from] = *places("FROM") else {
                return None;
            };
            let single = at("SELECT", 0) && never(&["INTO", "UPDATE", "INSERT", "DELETE", "JOIN"]);
            single.then_some(())?;
            (from + 1, &["WHERE", "ORDER"], true)
        }
        first if word(first, "INSERT") => {
            (at("INTO", 1) && never(&["FROM", "SELECT"])).then_some(())?;
            (2, &["VALUE"], false)
        }
        first if word(first, "UPDATE") => {
            never(&["FROM", "INTO", "SELECT"]).then_some(())?;
            (1, &["SET", "REMOVE"], false)
        }
        first if word(first, "DELETE") => {
            (at("FROM", 1) && never(&["INTO", "SELECT"])).then_some(())?;
            (2, &["WHERE", "RETURNING"], false)
        }
        _ => return None,
    };
    let (Word(name) | Quoted(name)) = tokens.get(table)? else {
        return None;
    };
    // An index of the table may follow.
    let mut next = table + 1;
    if matches!(tokens.get(next), Some(Mark('.'))) {
        matches!(tokens.get(next + 1), Some(Word(_) | Quoted(_))).then_some(())?;
        next += 2;
    }
    let ended = match tokens.get(next) {
        None => only_reads || word(tokens.first(), "DELETE"),
        token => ends.iter().any(|end| word(token, end)),
    };
    (ended && !name.is_empty()).then(|| Statement {
        table: name.clone(),
        only_reads,
    })
}

/// A statement in its parts. `None` where there is something in it that a statement has not: comments, quotes of other kinds.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '"' | '\'' => {
                let (quoted, after) = quoted(rest, first)?;
                let token = if first == '"' {
                    Quoted(quoted)
                } else {
                    Token::Value
                };
                (token, after)
            }
            '`' | '\\' => return None,
            c if of_word(c) => {
                let end = rest.find(|c| !of_word(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at_checked(end)?;
                let token = if c.is_ascii_digit() {
                    Token::Value
                } else {
                    Word(word.to_owned())
                };
                (token, after)
            }
            c if c.is_ascii_graphic() => (Mark(c), rest.get(1..)?),
            _ => return None,
        };
        let comments = matches!(
            (tokens.last(), &token),
            (Some(Mark('-')), Mark('-')) | (Some(Mark('/')), Mark('*'))
        );
        if comments {
            return None;
        }
        tokens.push(token);
        rest = after.trim_start_matches(|c: char| c.is_ascii_whitespace());
    }
    Some(tokens)
}

/// What stands in quotes, in which two are one, and what follows them.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text.get(1..)?;
    loop {
        let (before, after) = rest.split_once(quote)?;
        out.push_str(before);
        let Some(again) = after.strip_prefix(quote) else {
            return Some((out, after));
        };
        out.push(quote);
        rest = again;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<(String, bool)> {
        read(text).map(|it| (it.table, it.only_reads))
    }

    #[test]
    fn the_table_of_a_statement_is_read() {
        for (text, table, reads) in [
            (r#"SELECT * FROM "Music""#, "Music", true),
            (
                "select a, \"from\" from Music where a = 'from x'",
                "Music",
                true,
            ),
            (
                r#"SELECT a FROM "Music"."byTitle" WHERE t='x' ORDER BY t DESC;"#,
                "Music",
                true,
            ),
            (
                r#"EXISTS(SELECT * FROM "Music" WHERE a = ?)"#,
                "Music",
                true,
            ),
            (
                r#"SELECT * FROM "arn:aws:dynamodb:eu-central-1:1:table/Music""#,
                "arn:aws:dynamodb:eu-central-1:1:table/Music",
                true,
            ),
            (
                "INSERT INTO Music VALUE {'a': 'SELECT', 'b': ?}",
                "Music",
                false,
            ),
            (
                r#"UPDATE "my ""music""" SET a = 1 REMOVE b WHERE c = 'x' RETURNING ALL OLD *"#,
                "my \"music\"",
                false,
            ),
            (
                "DELETE FROM \"Music\" WHERE a = 'it''s' RETURNING ALL OLD *",
                "Music",
                false,
            ),
        ] {
            assert_eq!(told(text), Some((table.to_owned(), reads)), "{text}");
        }
    }

    #[test]
    fn what_others_could_read_otherwise_is_not() {
        for text in [
            "",
            "DROP TABLE Music",
            "SELECT from FROM Music",
            "SELECT * FROM a, b",
            "SELECT * FROM a JOIN b",
            "SELECT * FROM a AS b",
            "SELECT * FROM a b",
            "SELECT * FROM a.b.c",
            "SELECT * FROM (SELECT * FROM b)",
            "SELECT * FROM a WHERE x IN (SELECT y FROM b)",
            "SELECT * FROM a -- FROM b",
            "SELECT * FROM a /* */ WHERE x = 1",
            "SELECT * FROM 'a'",
            "SELECT * FROM `a`",
            "SELECT * FROM \"\"",
            "SELECT * FROM a; DELETE FROM b",
            "INSERT INTO a SELECT * FROM b",
            "INSERT INTO a",
            "UPDATE a",
            "EXISTS(DELETE FROM a)",
            "SELECT * FROM m\u{fc}sic",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
