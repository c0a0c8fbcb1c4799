//! Expressions and statements in their parts.

use serde_json::Value;

use Token::{Mark, Name as Word};

/// What stands in paths of answers and is no attribute's name: the types of values.
pub(super) const TYPES: [&str; 10] = ["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"];

/// A part of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name in a path, or a word.
    Name(String),
    /// A value, with the names of members that stand in it.
    Value(Vec<String>),
    /// An operator or a mark.
    Mark(char),
}

/// What the names and values in an expression or a statement stand for.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) names: Option<&'a Value>,
    pub(super) values: Option<&'a Value>,
    pub(super) parameters: Option<&'a Value>,
}

/// Words of PartiQL that are values; as names they are quoted.
const VALUES: [&str; 4] = ["FALSE", "MISSING", "NULL", "TRUE"];

/// An expression or a statement in its parts, names that stand for others (`#n`) by what they stand for; `None` where it cannot be read.
pub(super) fn tokens(text: &str, given: Given<'_>) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    let mut parameters = 0;
    let mut is_member = false;
    while let Some(first) = rest.chars().next() {
        let of_word = |c: char| c.is_alphanumeric() || c == '_';
        let value =
            |value: Option<&Value>| Token::Value(value.map(inner_names).unwrap_or_default());
        let (token, after) = match first {
            '#' => {
                let end = end_of(rest, 1, of_word);
                let (alias, after) = rest.split_at_checked(end)?;
                let name = given.names.and_then(|names| names.get(alias))?.as_str()?;
                (Word(name.to_owned()), after)
            }
            ':' if is_member => (Mark(':'), rest.get(1..)?),
            ':' => {
                let (alias, after) = rest.split_at_checked(end_of(rest, 1, of_word))?;
                let stands_for = given.values.and_then(|values| values.get(alias));
                (value(stands_for), after)
            }
            '?' => {
                let stands_for = given.parameters.and_then(|all| all.get(parameters));
                parameters += 1;
                (value(stands_for), rest.get(1..)?)
            }
            '"' | '\'' => {
                let (quoted, after) = quoted(rest, first)?;
                let is_step = is_step(&tokens);
                let token = if after.trim_start().starts_with(':') {
                    // A member of a literal.
                    Token::Value(vec![quoted])
                } else if first == '"' || is_step {
                    Word(quoted)
                } else {
                    value(None)
                };
                (token, after)
            }
            '0'..='9' => (value(None), rest.get(end_of(rest, 1, of_word)..)?),
            c if of_word(c) => {
                let (word, after) = rest.split_at_checked(end_of(rest, 0, of_word))?;
                let is_value = VALUES.iter().any(|it| it.eq_ignore_ascii_case(word));
                let word = if is_value {
                    value(None)
                } else {
                    Word(word.to_owned())
                };
                (word, after)
            }
            '`' | '\\' => return None,
            c => (Mark(c), rest.get(c.len_utf8()..)?),
        };
        // Behind a member's name in a literal stands its value, and no other name of one.
        is_member = matches!(first, '"' | '\'') && after.trim_start().starts_with(':');
        // Comments of statements hide what stands in them from one reader and not from another.
        let comment = matches!(
            (tokens.last(), &token),
            (Some(Mark('-')), Mark('-')) | (Some(Mark('/')), Mark('*'))
        );
        if comment && rest.starts_with(['-', '*']) {
            return None;
        }
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

/// Whether the last of these is a bracket that begins a step of a path, and no list.
fn is_step(tokens: &[Token]) -> bool {
    match tokens {
        [.., Word(word), Mark('[')] => !word.eq_ignore_ascii_case("IN"),
        [.., Mark(before), Mark('[')] => *before == ']',
        _ => false,
    }
}

/// Where what begins at `from` ends.
fn end_of(text: &str, from: usize, is: impl Fn(char) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.find(|c: char| !is(c)).unwrap_or(rest.len())
}

/// What stands in quotes, in which two are one, and what follows them.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text.get(1..)?;
    loop {
        let (before, after) = rest.split_once(quote)?;
        out.push_str(before);
        match after.strip_prefix(quote) {
            Some(after) => {
                out.push(quote);
                rest = after;
            }
            None => return Some((out, after)),
        }
    }
}

/// The same with each literal that is a map or a list as one value; `None` where one does not end, or is computed.
pub(super) fn whole(tokens: &[Token]) -> Option<Vec<Token>> {
    let mut out: Vec<Token> = Vec::new();
    // Where the brackets around stand, what ends them, and whether they are of a literal.
    let mut around: Vec<(usize, char, bool)> = Vec::new();
    for token in tokens {
        out.push(token.clone());
        match token {
            Mark('{') => around.push((out.len() - 1, '}', true)),
            Mark('[') => around.push((out.len() - 1, ']', !is_step(&out))),
            Mark(mark @ ('}' | ']')) => {
                let (start, end, is_literal) = around.pop()?;
                if end != *mark {
                    return None;
                }
                if is_literal {
                    let inner = out.split_off(start).into_iter();
                    let names = inner.map(|token| match token {
                        Word(_) => None,
                        Token::Value(names) => Some(names),
                        Mark(_) => Some(Vec::new()),
                    });
                    let names: Option<Vec<_>> = names.collect();
                    out.push(Token::Value(names?.concat()));
                }
            }
            _ => {}
        }
    }
    around.is_empty().then_some(out)
}

/// The names of members that stand in a value, however deep. Those that only say of what type it is are none.
pub(super) fn inner_names(value: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(map) => {
                let mut members = map.iter();
                match (members.next(), members.next()) {
                    (Some((kind, Value::Object(inner))), None) if kind == "M" => {
                        names.extend(inner.keys().cloned());
                        left.extend(inner.values());
                    }
                    (Some((kind, inner)), None) if TYPES.contains(&kind.as_str()) => {
                        left.push(inner);
                    }
                    _ => {
                        names.extend(map.keys().cloned());
                        left.extend(map.values());
                    }
                }
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
    names
}

/// Whether a token is this word.
pub(super) fn is_word(token: Option<&Token>, word: &str) -> bool {
    matches!(token, Some(Word(it)) if it.eq_ignore_ascii_case(word))
}
