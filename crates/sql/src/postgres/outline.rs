//! The outline of a text: what is left when the values of its literals are taken out.
//!
//! Clients that write values into their texts send a new text each time, and nothing but the values differs. [`Outline::of`] reads
//! a text in one pass, without the grammar. Two texts with one outline are the same tokens to PostgreSQL, but for the values
//! of literals, so the grammar makes the same tree of both. Which of the literals nothing looks at, the tree tells
//! ([`loose`]): the analyses of two texts that differ in these alone are the same, but for places in the text
//! ([`Moves`]).
//!
//! A text that holds anything else than plain words, names, operators, strings and numbers has no outline: comments, backslashes,
//! dollars, strings of other kinds or in several parts, numbers that are no plain decimals.

mod loose;
mod moves;

use std::ops::Range;

use pg_query::protobuf::Token;

use super::Analysis;
use super::literal::Tokens;
pub(super) use loose::loose;
pub use moves::Moves;

/// Longer texts have no outline: they are bulk, of which no two are alike.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// What stands in an outline for a literal. No text with such bytes has an outline.
const STRING: u8 = 1;
/// A number that fits into four bytes, and so on.
const INT4: u8 = 2;
const INT8: u8 = 3;
const LONG: u8 = 4;
/// A number with a decimal point.
const DECIMAL: u8 = 5;
/// What stands before the value of a literal that is kept.
const FIXED: u8 = 6;

/// A text without the values of its literals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The text, with a byte for each literal that says of what kind it is.
    key: Vec<u8>,
    /// Where the literals stand, in bytes, with their quotes and without signs.
    literals: Vec<Range<usize>>,
}

impl Outline {
    /// Reads a text; `None` where it has no literal, or anything out of the ordinary.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        // Hints to the planner count wherever they stand, in strings too.
        if bytes.len() > TEXT_BYTES_MAX || super::is_hinted(text) {
            return None;
        }
        let mut outline = Self {
            key: Vec::with_capacity(bytes.len()),
            literals: Vec::new(),
        };
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let (end, kind) = match byte {
                b'\'' => (string_end(bytes, at)?, Some(STRING)),
                b'0'..=b'9' => number(bytes, at)?,
                b'"' => (name_end(bytes, at)?, None),
                byte if is_word(byte) => (word_end(bytes, at)?, None),
                byte => (other_end(bytes, at, byte)?, None),
            };
            match kind {
                Some(kind) => {
                    outline.key.push(kind);
                    outline.literals.push(at..end);
                }
                None => outline.key.extend_from_slice(bytes.get(at..end)?),
            }
            at = end;
        }
        (!outline.literals.is_empty()).then_some(outline)
    }

    /// Equal for texts of the same outline, and only for these.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Equal for texts of the same outline that differ in loose literals alone, and only for these; not equal to any [`Self::key`]
    /// where a literal is not loose.
    #[must_use]
    pub fn key_of(&self, text: &str, loose: &[bool]) -> Vec<u8> {
        let mut key = self.key.clone();
        let literals = self.literals.iter().zip(loose);
        for (range, _) in literals.filter(|(_, loose)| !**loose) {
            // No value of a literal holds such a byte.
            key.push(FIXED);
            key.extend_from_slice(text.as_bytes().get(range.clone()).unwrap_or_default());
        }
        key
    }

    /// Which literals are loose, by the analysis of the text; `None` where none is.
    #[must_use]
    pub fn loose(&self, text: &str, analysis: &Analysis) -> Option<Vec<bool>> {
        let bytes = text.as_bytes();
        let mut found = false;
        let is_loose = |range: &Range<usize>| {
            // Of a number with a sign the place is the sign's.
            let before = bytes.get(..range.start).unwrap_or_default();
            let before = before.trim_ascii_end();
            let sign = before.len().checked_sub(1);
            let sign = sign.filter(|at| before.get(*at) == Some(&b'-'));
            let places = &analysis.loose;
            let is =
                |at: usize| u32::try_from(at).is_ok_and(|at| places.binary_search(&at).is_ok());
            let loose = is(range.start) || sign.is_some_and(is);
            found |= loose;
            loose
        };
        let loose: Vec<bool> = self.literals.iter().map(is_loose).collect();
        found.then_some(loose)
    }

    #[cfg(test)]
    pub(super) fn literals(&self) -> impl Iterator<Item = &Range<usize>> {
        self.literals.iter()
    }

    /// Whether the grammar's own scanner finds the same literals, and no others.
    #[must_use]
    pub fn agrees(&self, tokens: &Tokens) -> bool {
        const OTHERS: [Token; 5] = [
            Token::Usconst,
            Token::Bconst,
            Token::Xconst,
            Token::SqlComment,
            Token::CComment,
        ];
        let mut literals = self.literals.iter();
        let same = tokens.iter().all(|token| {
            let is = |kind: &Token| token.token == *kind as i32;
            if [Token::Sconst, Token::Iconst, Token::Fconst].iter().any(is) {
                let range = usize::try_from(token.start).ok()..usize::try_from(token.end).ok();
                literals
                    .next()
                    .is_some_and(|it| (Some(it.start), Some(it.end)) == (range.start, range.end))
            } else {
                !OTHERS.iter().any(is)
            }
        });
        same && literals.next().is_none()
    }

    /// From places in this text to places in another of the same outline.
    #[must_use]
    pub fn moves(&self, to: &Self) -> Moves {
        Moves::new(&self.literals, &to.literals)
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

/// Whether a string follows.
fn is_quote(bytes: &[u8], at: usize) -> bool {
    bytes.get(at) == Some(&b'\'')
}

/// Behind the string that begins here, if that is all of it.
fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from + 1;
    loop {
        match *bytes.get(at)? {
            b'\'' if is_quote(bytes, at + 1) => at += 2,
            b'\'' => break,
            byte if is_odd(byte) => return None,
            _ => at += 1,
        }
    }
    // A string goes on in the next line.
    let rest = bytes.get(at + 1..)?.iter();
    let next = rest.copied().find(|byte| !is_space(*byte));
    (next != Some(b'\'')).then_some(at + 1)
}

/// Bytes that no text with an outline has anywhere: backslashes, and controls that are no space.
fn is_odd(byte: u8) -> bool {
    byte == b'\\' || byte < b' ' && !is_space(byte)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Behind the number that begins here, and of what kind it is.
fn number(bytes: &[u8], from: usize) -> Option<(usize, Option<u8>)> {
    let mut end = digits_end(bytes, from);
    let mut kind = None;
    if bytes.get(end) == Some(&b'.') {
        let point = end;
        end = digits_end(bytes, point + 1);
        if end == point + 1 {
            return None;
        }
        kind = Some(DECIMAL);
    }
    if bytes
        .get(end)
        .is_some_and(|next| is_word(*next) || matches!(next, b'.' | b'$' | b'\''))
    {
        return None;
    }
    let integer = || {
        let digits = std::str::from_utf8(bytes.get(from..end)?).ok()?;
        Some(match digits.parse::<u64>() {
            Ok(number) if i32::try_from(number).is_ok() => INT4,
            Ok(number) if i64::try_from(number).is_ok() => INT8,
            _ => LONG,
        })
    };
    Some((end, Some(kind.or_else(integer)?)))
}

fn digits_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    from + digits.count()
}

/// Behind the quoted name, or part of it up to a quote in it, that begins here.
fn name_end(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from + 1..)?;
    let length = rest.iter().position(|byte| *byte == b'"')?;
    let name = rest.get(..length)?;
    (!name.iter().copied().any(is_odd)).then_some(from + 1 + length + 1)
}

/// Behind the word that begins here, which must not say how a string is to be read.
fn word_end(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let is_part = |byte: &&u8| is_word(**byte) || byte.is_ascii_digit();
    let end = from + rest.iter().take_while(is_part).count();
    let reads = bytes
        .get(end)
        .is_some_and(|next| matches!(next, b'\'' | b'$'));
    (!reads).then_some(end)
}

/// Behind a byte of an operator, or between words.
fn other_end(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    let next = bytes.get(at + 1).copied();
    let odd = match (byte, next) {
        (b'$', _) | (b'-', Some(b'-')) | (b'/', Some(b'*')) => true,
        // U&'…', U&"…"
        (b'&', Some(b'\'' | b'"')) => true,
        // .5
        (b'.', Some(next)) => next.is_ascii_digit(),
        _ => is_odd(byte),
    };
    (!odd).then_some(at + 1)
}
