//! Lists of words.

use aho_corasick::{AhoCorasick, Input};

use super::OWN_CHARS_MAX;
use crate::fold::{Folded, OTHER};

/// The most words in a list.
pub(super) const WORDS_MAX: usize = 100_000;

/// Words and phrases, found whole and in capitals or small letters. Letters outside ASCII stand for one another.
#[derive(Debug, Clone)]
pub struct Words {
    words: Vec<String>,
    automaton: AhoCorasick,
}

/// Why a list of words cannot be used, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWords {
    /// There is none.
    #[error("holds no word: write at least one")]
    None,
    /// A word is too short or too long; its place in the list, from 1.
    #[error("word {0} must have 2 to {OWN_CHARS_MAX} characters, a letter or digit among them")]
    Length(usize),
    /// There are too many.
    #[error(
        "holds more than {WORDS_MAX} words: write a pattern, or declare the columns that hold them"
    )]
    Many,
}

impl Words {
    /// Compiles a list; empty entries are left out.
    ///
    /// # Errors
    /// [`BadWords`], which says what to do.
    pub fn new(words: Vec<String>) -> Result<Self, BadWords> {
        if words.len() > WORDS_MAX {
            return Err(BadWords::Many);
        }
        let mut all = Vec::with_capacity(words.len());
        for (place, word) in (1..).zip(&words) {
            let word = folded(word);
            let length = 2..=OWN_CHARS_MAX;
            let is_word = length.contains(&word.len()) && word.iter().any(is_part);
            if !is_word && !word.is_empty() {
                return Err(BadWords::Length(place));
            }
            all.push(word);
        }
        all.retain(|word| !word.is_empty());
        if all.is_empty() {
            return Err(BadWords::None);
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&all)
            .map_err(|_| BadWords::Many)?;
        Ok(Self { words, automaton })
    }

    /// Hands over each place at or after `from` where a word begins, in order, and where it ends.
    pub(super) fn each(&self, text: &[u8], from: usize, mut take: impl FnMut(usize, usize)) {
        let part = Input::new(text).range(from.min(text.len())..);
        let found = self.automaton.find_overlapping_iter(part);
        let whole = found.filter(|word| is_whole(text, word.start(), word.end()));
        let mut places: Vec<_> = whole.map(|word| (word.start(), word.end())).collect();
        // The longest first where several begin.
        places.sort_unstable_by_key(|&(start, end)| (start, usize::MAX - end));
        places.into_iter().for_each(|(start, end)| take(start, end));
    }

    /// The words as they meet folded text.
    pub(super) fn folded(&self) -> impl Iterator<Item = Vec<u8>> {
        let all = self.words.iter().map(|word| folded(word));
        all.filter(|word| !word.is_empty())
    }

    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.automaton.is_match(text)
    }
}

fn folded(word: &str) -> Vec<u8> {
    Folded::of(word.trim().as_bytes()).text().to_vec()
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for Words {}

/// Whether a character is part of words.
fn is_part(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == OTHER
}

/// Whether no word goes on over either edge.
pub(super) fn is_whole(text: &[u8], start: usize, end: usize) -> bool {
    let is_part = |pos: usize| text.get(pos).is_some_and(is_part);
    let inside = |pos: usize| is_part(pos.wrapping_sub(1)) && is_part(pos);
    !inside(start) && !inside(end)
}
