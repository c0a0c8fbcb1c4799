//! One search for the values of several classes, rather than one for each.

use aho_corasick::{AhoCorasick, Input};
use regex::bytes::{RegexSet, RegexSetBuilder, SetMatches};

use super::pattern::COMPILED_BYTES_MAX;
use super::words::{WORDS_MAX, is_whole};
use super::{Form, OwnClass};

/// Of fewer patterns each by itself is found faster: most begin with letters that are sought for.
const PATTERNS_MIN: usize = 8;

/// Which classes may have values in a text, and where words of their lists stand.
#[derive(Debug, Clone, Default)]
pub(super) struct Search {
    /// All patterns together, and which of them each class has.
    patterns: Option<RegexSet>,
    places: Vec<usize>,
    /// All words together, and whose they are.
    words: Option<AhoCorasick>,
    owners: Vec<usize>,
}

/// Where a word stands: whose it is, and from and up to where.
type Word = (usize, usize, usize);

impl Search {
    /// Compiles a search. What is too large together, or alone, is left to the classes themselves.
    pub(super) fn of(classes: &[OwnClass]) -> Self {
        let mut patterns = Vec::new();
        let mut places = Vec::new();
        let mut words = Vec::new();
        let mut owners = Vec::new();
        let mut lists = 0;
        for (number, own) in classes.iter().enumerate() {
            places.push(patterns.len());
            match &own.form {
                Form::Pattern(pattern) => patterns.push(pattern.compiled()),
                Form::Words(list) => {
                    lists += 1;
                    words.extend(list.folded());
                    owners.resize(words.len(), number);
                }
            }
        }
        let bytes = COMPILED_BYTES_MAX * patterns.len();
        let set = || {
            let mut set = RegexSetBuilder::new(&patterns);
            let set = set.unicode(false).size_limit(bytes).dfa_size_limit(bytes);
            set.build().ok()
        };
        let automaton = || {
            let mut automaton = AhoCorasick::builder();
            automaton.ascii_case_insensitive(true).build(&words).ok()
        };
        let fits = lists > 1 && words.len() <= WORDS_MAX;
        Self {
            patterns: if patterns.len() >= PATTERNS_MIN {
                set()
            } else {
                None
            },
            places,
            words: if fits { automaton() } else { None },
            owners,
        }
    }

    /// Whether a class may have a value in a text; `None` where nothing is known of them together.
    pub(super) fn is_match(&self, text: &[u8], form: &Form) -> Option<bool> {
        match form {
            Form::Pattern(_) => self.patterns.as_ref().map(|set| set.is_match(text)),
            Form::Words(_) => self.words.as_ref().map(|words| words.is_match(text)),
        }
    }

    /// What stands in a text from a place on.
    pub(super) fn at(&self, text: &[u8], from: usize) -> Seen<'_> {
        let from = from.min(text.len());
        let patterns = self.patterns.as_ref();
        let words = self.words.as_ref().map(|words| {
            let found = words.find_overlapping_iter(Input::new(text).range(from..));
            let whole = found.filter(|word| is_whole(text, word.start(), word.end()));
            let owner = |word: &aho_corasick::Match| self.owners.get(word.pattern().as_usize());
            let mut places: Vec<Word> = whole
                .filter_map(|word| Some((*owner(&word)?, word.start(), word.end())))
                .collect();
            // The longest first where several begin.
            places.sort_unstable_by_key(|&(owner, start, end)| (owner, start, usize::MAX - end));
            places
        });
        Seen {
            search: self,
            patterns: patterns.map(|set| set.matches_at(text, from)),
            words,
        }
    }
}

/// What stands in a text.
pub(super) struct Seen<'a> {
    search: &'a Search,
    patterns: Option<SetMatches>,
    words: Option<Vec<Word>>,
}

impl Seen<'_> {
    /// Whether the pattern of a class is known to match nowhere.
    pub(super) fn lacks(&self, number: usize) -> bool {
        let place = self.search.places.get(number);
        let matched = self
            .patterns
            .as_ref()
            .zip(place)
            .map(|(all, place)| all.matched(*place));
        matched == Some(false)
    }

    /// Where the words of a class begin and end, in order; `None` where that is not known.
    pub(super) fn words(&self, number: usize) -> Option<impl Iterator<Item = (usize, usize)>> {
        let all = self.words.as_ref()?;
        let first = all.partition_point(|(owner, ..)| *owner < number);
        let own = all
            .get(first..)?
            .iter()
            .take_while(move |(owner, ..)| *owner == number);
        Some(own.map(|&(_, start, end)| (start, end)))
    }
}
