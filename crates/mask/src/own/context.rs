//! Words that must stand before a value.

use aho_corasick::{AhoCorasick, Input};

use crate::detect::BEFORE_CHARS;

/// The most words.
const WORDS_MAX: usize = 64;

/// Words of which one must begin within 40 characters before a value, or stand in the column's name.
///
/// In capitals or small letters, and also where more letters follow: `customer` stands in `customers` and `customerNo`.
#[derive(Debug, Clone)]
pub struct Context {
    words: Vec<String>,
    automaton: AhoCorasick,
}

/// Why these words cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "needs 1 to {WORDS_MAX} words of 2 to {BEFORE_CHARS} ASCII characters that begin with a letter"
)]
pub struct BadContext;

impl Context {
    /// Compiles the words.
    ///
    /// # Errors
    /// [`BadContext`] where there are none or too many, or one cannot be looked for.
    pub fn new(words: Vec<String>) -> Result<Self, BadContext> {
        let fits = |word: &String| {
            (2..=BEFORE_CHARS).contains(&word.len())
                && word.is_ascii()
                && word.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        };
        if !(1..=WORDS_MAX).contains(&words.len()) || !words.iter().all(fits) {
            return Err(BadContext);
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&words)
            .map_err(|_| BadContext)?;
        Ok(Self { words, automaton })
    }

    /// Whether one of the words stands within a short distance before `start`.
    pub(super) fn before(&self, text: &[u8], start: usize) -> bool {
        self.within(text, start.saturating_sub(BEFORE_CHARS), start)
    }

    /// Whether a name holds one of the words.
    pub(super) fn names(&self, name: &str) -> bool {
        self.within(name.as_bytes(), 0, name.len())
    }

    fn within(&self, text: &[u8], from: usize, to: usize) -> bool {
        let mut found = self
            .automaton
            .find_overlapping_iter(Input::new(text).range(from..to));
        found.any(|word| begins(text, word.start()))
    }
}

/// Whether a word begins here: behind no letter, or with a capital behind a small one, as in `newCustomer`.
fn begins(text: &[u8], start: usize) -> bool {
    let at = |pos: usize| text.get(pos).copied().unwrap_or_default();
    let before = at(start.wrapping_sub(1));
    !before.is_ascii_alphabetic() || before.is_ascii_lowercase() && at(start).is_ascii_uppercase()
}

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for Context {}
