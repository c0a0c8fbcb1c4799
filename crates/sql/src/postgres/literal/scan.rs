//! Where literals stand, by the grammar's own scanner.

use std::collections::HashSet;
use std::ops::Range;

use pg_query::protobuf::{ScanToken, Token};

use super::{Concealed, Held};

/// What is hidden of a literal: what its quotes enclose, or all of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// Where in the text, in bytes.
    pub range: Range<usize>,
    /// What it may be a value of.
    pub held: Held,
}

/// A literal of fewer bytes is not hidden because another one is the same.
const EQUAL_BYTES_MIN: usize = 4;

/// Statements in literals in statements are looked into so deep; below, all is hidden.
const DEPTH_MAX: usize = 4;

/// The tokens of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Tokens(pub(super) Vec<ScanToken>);

impl Tokens {
    /// By the grammar's own scanner; `None` where it cannot read the text, as in a string without an end.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        pg_query::scan_tokens(text).ok().map(Self)
    }

    pub(in super::super) fn iter(&self) -> std::slice::Iter<'_, ScanToken> {
        self.0.iter()
    }
}

/// Every literal of a text; `None` where no literals can be told, as in a string without an end.
#[must_use]
pub fn all_literals(text: &str) -> Option<Vec<Hidden>> {
    let tokens = Tokens::of(text)?;
    let ranges = tokens.iter().filter_map(|token| content(text, token));
    Some(ranges.map(|range| any(text, range)).collect())
}

impl Concealed {
    /// The same of a statement that stands there.
    pub(in super::super) fn at(mut self, range: &Range<usize>) -> Self {
        if std::mem::take(&mut self.whole) {
            let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            self.wholly = std::iter::once(place(range.start)..place(range.end)).collect();
        }
        self
    }

    /// Nothing in the text is hidden.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            literals,
            code,
            bodies,
            wholly,
            strays,
            ..
        } = self;
        literals.is_empty()
            && strays.is_empty()
            && code.is_empty()
            && bodies.is_empty()
            && wholly.is_empty()
    }

    /// Adds what is to be hidden of the next statement of the text.
    pub fn append(&mut self, mut next: Self) {
        self.literals.append(&mut next.literals);
        self.strays.append(&mut next.strays);
        self.code.append(&mut next.code);
        self.bodies.append(&mut next.bodies);
        self.wholly.append(&mut next.wholly);
        self.words.extend(next.words);
        for (number, held) in next.parameters {
            let merged = super::merge(self.parameters.remove(&number), held);
            self.parameters.insert(number, merged);
        }
    }

    /// What is to be hidden of the text, in order; `None` where the literals cannot be told.
    #[must_use]
    pub fn hidden(&self, text: &str) -> Option<Vec<Hidden>> {
        Some(self.hidden_of(text, &Tokens::of(text)?))
    }

    /// The same of a text with these tokens.
    #[must_use]
    pub fn hidden_of(&self, text: &str, tokens: &Tokens) -> Vec<Hidden> {
        let Tokens(tokens) = tokens;
        let mut hidden = Vec::new();
        let mut literals = self.literals.iter().peekable();
        for (index, token) in tokens.iter().enumerate() {
            let Ok(start) = u32::try_from(token.start) else {
                continue;
            };
            if is_within(&self.wholly, start) {
                hidden.extend(content(text, token).map(|range| any(text, range)));
                continue;
            }
            while literals.next_if(|(place, _)| *place < start).is_some() {}
            if let Some((_, held)) = literals.next_if(|(place, _)| *place == start) {
                // Of a number with a sign the place is the sign's; parentheses and comments may stand between.
                let sign = token.token == Token::Ascii45 as i32;
                let mut rest = tokens.iter().skip(index);
                let token = if sign {
                    rest.find(|token| content(text, token).is_some())
                } else {
                    rest.next()
                };
                let Some(token) = token else { continue };
                // What is no literal is a word of the language, such as `year` in `extract`.
                if let Some(range) = content(text, token) {
                    let one = any(text, range);
                    let is_plain = !one.written(text).contains(['\'', '\\']);
                    let held = if is_plain { held.clone() } else { Held::Any };
                    hidden.push(Hidden { held, ..one });
                }
            } else if self.strays.binary_search(&start).is_ok() {
                hidden.extend(word(text, token).map(|range| any(text, range)));
            } else if is_string(token) && self.is_code(start) {
                within(text, token, &self.words, DEPTH_MAX, &mut hidden);
            }
        }
        hide_equal(text, tokens, &mut hidden);
        hidden
    }
}

/// Literals that are the same as one that is hidden are hidden too, unless they are so short that anything may be.
fn hide_equal(text: &str, tokens: &[ScanToken], hidden: &mut Vec<Hidden>) {
    let values: HashSet<&str> = hidden.iter().map(|one| one.written(text)).collect();
    let places: HashSet<usize> = hidden.iter().map(|one| one.range.start).collect();
    let others = tokens.iter().filter_map(|token| content(text, token));
    let others = others.map(|range| any(text, range)).filter(|one| {
        let written = one.written(text);
        written.len() >= EQUAL_BYTES_MIN
            && values.contains(written)
            && !places.contains(&one.range.start)
    });
    let others: Vec<Hidden> = others.collect();
    hidden.extend(others);
    hidden.sort_by_key(|one| one.range.start);
}

impl Concealed {
    fn is_code(&self, start: u32) -> bool {
        self.code.binary_search(&start).is_ok() || is_within(&self.bodies, start)
    }
}

impl Hidden {
    fn written<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.range.clone()).unwrap_or_default()
    }
}

/// Whether one of the ranges, which are in order, holds the place.
fn is_within(ranges: &[Range<u32>], place: u32) -> bool {
    let behind = ranges.partition_point(|range| range.start <= place);
    let before = behind.checked_sub(1).and_then(|index| ranges.get(index));
    before.is_some_and(|range| place < range.end)
}

fn any(text: &str, range: Range<usize>) -> Hidden {
    debug_assert!(
        text.get(range.clone()).is_some(),
        "a literal is whole characters"
    );
    Hidden {
        range,
        held: Held::Any,
    }
}

/// Literals of the statements that a literal holds, if these have to do with one of the words.
fn within(
    text: &str,
    token: &ScanToken,
    words: &HashSet<String>,
    depth: usize,
    hidden: &mut Vec<Hidden>,
) {
    let Some(range) = content(text, token) else {
        return;
    };
    let code = text.get(range.clone()).unwrap_or_default();
    let mut names = code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
    if !names.any(|name| words.contains(&*name.to_lowercase())) {
        return;
    }
    // A quote that is doubled is one that stands behind a space: everything keeps its place.
    let doubled = text
        .get(range.end..)
        .is_some_and(|rest| rest.starts_with('\''));
    let read = if doubled {
        code.replace("''", " '")
    } else {
        code.to_owned()
    };
    let tokens = pg_query::scan_tokens(&read);
    let Some(tokens) = tokens.ok().filter(|_| depth > 0 && !code.contains('\\')) else {
        hidden.push(any(text, range));
        return;
    };
    for token in &tokens {
        let Some(literal) = content(&read, token) else {
            continue;
        };
        let inner = read.get(literal.clone()).unwrap_or_default();
        let end = if doubled && inner.ends_with(' ') {
            literal.end - 1
        } else {
            literal.end
        };
        if literal.start < end {
            let place = range.start + literal.start..range.start + end;
            hidden.push(any(text, place));
        }
    }
}

fn is_string(token: &ScanToken) -> bool {
    let strings = [Token::Sconst, Token::Usconst, Token::Bconst, Token::Xconst];
    strings.iter().any(|kind| token.token == *kind as i32)
}

/// A word, or what its quotes enclose.
fn word(text: &str, token: &ScanToken) -> Option<Range<usize>> {
    let start = usize::try_from(token.start).ok()?;
    let end = usize::try_from(token.end).ok()?;
    let written = text.get(start..end)?;
    match written.find('"') {
        Some(open) => Some(start + open + 1..start + written.rfind('"')?),
        None => Some(start..end),
    }
}

/// What a literal's quotes enclose, or all of a number; `None` for what is no literal.
fn content(text: &str, token: &ScanToken) -> Option<Range<usize>> {
    let start = usize::try_from(token.start).ok()?;
    let end = usize::try_from(token.end).ok()?;
    let written = text.get(start..end)?;
    let plain = [Token::Iconst, Token::Fconst, Token::TrueP, Token::FalseP];
    if plain.iter().any(|kind| token.token == *kind as i32) {
        return Some(start..end);
    }
    if !is_string(token) {
        return None;
    }
    if let Some(tagged) = written.strip_prefix('$') {
        let tag = tagged.find('$')? + 2;
        return (2 * tag <= written.len()).then(|| start + tag..end - tag);
    }
    let open = written.find('\'')? + 1;
    let close = written.rfind('\'')?;
    (open <= close).then(|| start + open..start + close)
}
