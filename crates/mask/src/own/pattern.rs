//! Regular expressions that match within bounds.

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Look, Properties};

use super::OWN_CHARS_MAX;
use crate::fold::{Folded, OTHER};

/// So large a compiled pattern, and its tables at work, may become, in bytes.
pub(super) const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A regular expression that matches something, and at most [`OWN_CHARS_MAX`] characters, wherever they stand in a text.
///
/// The syntax is that of the crate `regex`: no look-around, no back-references, linear time. `\d`, `\w` and `\s` are
/// ASCII's; text is folded before ([`crate::fold`]), so digits of all scripts are ASCII digits, and all letters outside
/// ASCII are one letter, which a letter outside ASCII in the pattern, `.` and `[^…]` match.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

/// Why a pattern cannot be used, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// It is no regular expression.
    #[error("is not a regular expression: {0}")]
    Syntax(String),
    /// It matches nothing at all, or the empty text.
    #[error("matches nothing, or matches without a character: let it need at least one")]
    Empty,
    /// Its matches have no bound, or one too high.
    #[error(
        "can match more than {OWN_CHARS_MAX} characters: bound what may repeat, as in \\d{{1,20}} instead of \\d+"
    )]
    Long,
    /// It asks for the beginning or end of the whole text.
    #[error("begins or ends at the edge of the whole text: write \\b instead of ^ and $")]
    Anchored,
    /// Its compiled form is too large.
    #[error("becomes too large when compiled: repeat less")]
    Large,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`BadPattern`], which says what to write instead.
    pub fn new(pattern: &str) -> Result<Self, BadPattern> {
        let folded = folded(pattern);
        let mut parser = ParserBuilder::new().utf8(false).unicode(false).build();
        let tree = parser.parse(&folded).map_err(|error| {
            let told = error.to_string();
            let last = told.lines().last().unwrap_or_default();
            BadPattern::Syntax(last.trim_start_matches("error: ").to_owned())
        })?;
        check(tree.properties())?;
        let regex = RegexBuilder::new(&folded)
            .unicode(false)
            .size_limit(COMPILED_BYTES_MAX)
            .dfa_size_limit(COMPILED_BYTES_MAX)
            .build()
            .map_err(|_| BadPattern::Large)?;
        let source = pattern.to_owned();
        Ok(Self { source, regex })
    }

    /// Hands over each place at or after `from` where a match begins, in order, and where it ends.
    pub(super) fn each(&self, text: &[u8], from: usize, mut take: impl FnMut(usize, usize)) {
        let mut pos = from.min(text.len());
        while let Some(found) = self.regex.find_at(text, pos) {
            take(found.start(), found.end());
            pos = found.start() + 1;
        }
    }

    /// As it was compiled.
    pub(super) fn compiled(&self) -> &str {
        self.regex.as_str()
    }

    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

/// The pattern as it meets folded text.
fn folded(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    for &byte in Folded::of(pattern.as_bytes()).text() {
        match byte {
            OTHER => out.push_str("\\x80"),
            ascii => out.push(char::from(ascii)),
        }
    }
    out
}

fn check(tree: &Properties) -> Result<(), BadPattern> {
    let edges = tree.look_set();
    if edges.contains(Look::Start) || edges.contains(Look::End) {
        return Err(BadPattern::Anchored);
    }
    if tree.minimum_len().is_none_or(|least| least == 0) {
        return Err(BadPattern::Empty);
    }
    if tree.maximum_len().is_none_or(|most| most > OWN_CHARS_MAX) {
        return Err(BadPattern::Long);
    }
    Ok(())
}
