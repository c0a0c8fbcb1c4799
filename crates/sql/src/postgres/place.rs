//! Where in a text the grammar stumbled. libpg_query knows, and its binding tells only the word.

/// Longer texts are not searched: each look is another parse.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Where the error of this message is in `text`: in characters, from 1, as ErrorResponse's `P` field counts. `None` where it
/// cannot be told.
///
/// A text that ends with the word the grammar stumbled over gives the same message, and one that ends before it does not, so
/// the place is found by halving among the places where the word stands.
///
/// Needs a stack of [`super::STACK_BYTES`].
#[must_use]
pub fn place(message: &str, text: &str) -> Option<usize> {
    if message.ends_with(" at end of input") {
        return Some(text.chars().count() + 1);
    }
    let (_, near) = message.split_once(" at or near \"")?;
    let near = near.strip_suffix('"').filter(|near| !near.is_empty())?;
    let ends: Vec<usize> = text
        .match_indices(near)
        .map(|(at, _)| at + near.len())
        .filter(|end| is_whole_word(text, end - near.len(), *end))
        .collect();
    let end = match ends.as_slice() {
        [] => return None,
        [end] => *end,
        _ if text.len() > TEXT_BYTES_MAX => return None,
        ends => *ends.get(ends.partition_point(|end| !stumbles(text, *end, message)))?,
    };
    Some(text.get(..end - near.len())?.chars().count() + 1)
}

/// Whether the text up to `end` gives this very message.
fn stumbles(text: &str, end: usize, message: &str) -> bool {
    let parsed = text.get(..end).map(|part| pg_query::parse(part, 0));
    matches!(parsed, Some(Err(pg_query::Error::Parse(said))) if said == message)
}

/// Whether what stands between these offsets is no part of a longer name.
fn is_whole_word(text: &str, from: usize, to: usize) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let joins =
        |one: Option<char>, other: Option<char>| one.is_some_and(part) && other.is_some_and(part);
    let (before, rest) = text.split_at(from);
    let (word, after) = rest.split_at(to - from);
    !joins(before.chars().next_back(), word.chars().next())
        && !joins(word.chars().next_back(), after.chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{ParseError, parse};

    /// Places as PostgreSQL 15 tells them: `\errverbose` of each text in psql, counted from its `^`.
    #[test]
    fn the_place_is_the_servers() {
        for (text, at) in [
            ("SELEC 1", 1),
            ("SELECT 1 +", 11),
            ("copy (select * from test1) from stdin", 28),
            ("SELECT 'from', \"from\", from_a FROM a from b", 38),
            ("SELECT 5 ; SELECT 6 + ; SELECT 7 ;", 23),
            ("SELECT 'é', 1 2", 15),
        ] {
            let Err(ParseError::Syntax(message)) = parse(text) else {
                panic!("{text}")
            };
            assert_eq!(place(&message, text), Some(at), "{text}: {message}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_not() {
        assert_eq!(place("something else", "SELECT 1"), None);
        assert_eq!(place("syntax error at or near \"x\"", "SELECT 1"), None);
        let long = format!("SELECT ( {}", "( ".repeat(TEXT_BYTES_MAX));
        assert_eq!(place("syntax error at or near \"(\"", &long), None);
    }
}
