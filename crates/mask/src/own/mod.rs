//! Classes that configuration defines: a pattern or a list of words, found wherever the built-in ones are.
//!
//! They are judged as the built-in ones are, on folded text and within bounds: a match is at most [`OWN_CHARS_MAX`]
//! characters long, and every place of a text is tried, so that where a search began makes no difference. A match that
//! lies within another of its class is no match of its own.

mod context;
mod pattern;
mod search;
mod words;

use std::sync::Arc;

use model::DataClass;

pub use context::{BadContext, Context};
pub use pattern::{BadPattern, Pattern};
use search::Search;
pub use words::{BadWords, Words};

use crate::detect::{self, Hint, Kind, LOOK_CHARS_MAX, Match};

/// The longest value of such a class, in characters.
pub const OWN_CHARS_MAX: usize = 256;

/// The most such classes.
pub const OWN_CLASSES_MAX: usize = 64;

// What decides about a match: an earlier one around it, and the words before that.
const _: () = assert!(OWN_CHARS_MAX + detect::BEFORE_CHARS < LOOK_CHARS_MAX);

/// A class that configuration defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnClass {
    /// Its name.
    pub class: DataClass,
    /// What its values look like.
    pub form: Form,
    /// Words of which one must stand before a value, or in the column's name.
    pub context: Option<Context>,
    /// What the letters and digits of a value must fulfil.
    pub check: Option<Check>,
    /// So many letters and digits at the end of a value show in a partial mask; nothing of a value less than twice as long.
    pub show_last: usize,
}

/// What the values of a class look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// What a pattern matches.
    Pattern(Pattern),
    /// Words of a list.
    Words(Words),
}

/// A check of letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The digits' last is right by the formula of Luhn (ISO/IEC 7812-1, annex B).
    Luhn,
    /// Letters and digits leave 1 when divided by 97 (ISO/IEC 7064, MOD 97-10), as those of a legal entity identifier do.
    Mod97,
    /// Nine digits with the checksum of routing numbers (weights 3, 7, 1).
    Aba,
}

impl Check {
    /// Each check's name in configuration.
    pub const NAMES: [(&str, Self); 3] = [
        ("luhn", Self::Luhn),
        ("mod97", Self::Mod97),
        ("aba", Self::Aba),
    ];

    fn holds(self, value: &[u8]) -> bool {
        let digits = || detect::values(value, 0, value.len());
        match self {
            Self::Luhn => digits().count() > 1 && detect::luhn(digits()),
            Self::Mod97 => detect::remainder(letters(value)) == 1,
            Self::Aba => digits().count() == 9 && detect::aba_checksum(digits()),
        }
    }
}

fn letters(value: &[u8]) -> impl Iterator<Item = &u8> {
    value.iter().filter(|byte| byte.is_ascii_alphanumeric())
}

impl OwnClass {
    /// Hands over every place, in order, where a value might begin at or after `from`, and where it would end.
    fn candidates(&self, text: &[u8], from: usize, take: impl FnMut(usize, usize)) {
        match &self.form {
            Form::Pattern(pattern) => pattern.each(text, from, take),
            Form::Words(words) => words.each(text, from, take),
        }
    }

    /// Takes the values among candidates that are handed over in order, if they begin at or after `from`; `named` if the column's name
    /// holds a word of the context.
    fn judge(
        &self,
        text: &[u8],
        from: usize,
        named: bool,
        mut take: impl FnMut(usize, usize),
    ) -> impl FnMut(usize, usize) {
        let mut reach = 0;
        move |start, end| {
            let spoken = |context: &Context| named || context.before(text, start);
            let is_value = end > reach
                && self.context.as_ref().is_none_or(spoken)
                && self.holds(text, start, end);
            if is_value {
                reach = end;
            }
            if is_value && start >= from {
                take(start, end);
            }
        }
    }

    fn holds(&self, text: &[u8], start: usize, end: usize) -> bool {
        let value = text.get(start..end).unwrap_or_default();
        self.check.is_none_or(|check| check.holds(value))
    }

    /// Whether there might be a value somewhere, for the price of one search.
    fn may_hold(&self, text: &[u8]) -> bool {
        match &self.form {
            Form::Pattern(pattern) => pattern.is_in(text),
            Form::Words(words) => words.is_in(text),
        }
    }

    /// Where the part of a value begins that a partial mask shows, or the value's end.
    fn shown(&self, text: &[u8], start: usize, end: usize) -> usize {
        let value = text.get(start..end).unwrap_or_default();
        if letters(value).count() < 2 * self.show_last {
            return end;
        }
        detect::last(text, start, end, self.show_last)
    }

    /// Where the shown part of a whole value begins that a column is declared to hold; `None` if it has not the form.
    pub(crate) fn whole(&self, folded: &[u8]) -> Option<usize> {
        if folded.len() > OWN_CHARS_MAX {
            return None;
        }
        let mut is_whole = false;
        self.candidates(folded, 0, |start, end| {
            is_whole |= start == 0 && end == folded.len() && self.holds(folded, start, end);
        });
        let shown = self.shown(folded, 0, folded.len());
        (is_whole && shown < folded.len()).then_some(shown)
    }
}

/// The classes that a configuration defines, compiled and shared.
#[derive(Debug, Clone, Default)]
pub struct OwnClasses {
    classes: Arc<[OwnClass]>,
    /// Made of the classes.
    search: Arc<Search>,
}

impl PartialEq for OwnClasses {
    fn eq(&self, other: &Self) -> bool {
        self.classes == other.classes
    }
}

impl Eq for OwnClasses {}

impl OwnClasses {
    /// Takes the first [`OWN_CLASSES_MAX`] of them.
    #[must_use]
    pub fn new(mut classes: Vec<OwnClass>) -> Self {
        classes.truncate(OWN_CLASSES_MAX);
        Self {
            search: Arc::new(Search::of(&classes)),
            classes: classes.into(),
        }
    }

    /// The classes, by number.
    pub fn iter(&self) -> impl Iterator<Item = &OwnClass> {
        self.classes.iter()
    }

    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u8, &OwnClass)> {
        (0_u8..).zip(self.iter())
    }

    /// The number and the definition of a class.
    pub(crate) fn named(&self, class: &DataClass) -> Option<(u8, &OwnClass)> {
        self.numbered().find(|(_, own)| own.class == *class)
    }

    /// What a column's name says, their words included.
    pub(crate) fn hint(&self, name: &str) -> Hint {
        let bit = |(number, own): (u8, &OwnClass)| {
            let said = own.context.as_ref().is_some_and(|it| it.names(name));
            u64::from(said) << number
        };
        Hint::column(name).with_own(self.numbered().map(bit).fold(0, |all, bit| all | bit))
    }

    /// Whether a short text in ASCII may hold a value of one of them.
    pub(crate) fn may_hold(&self, text: &[u8]) -> bool {
        self.iter().any(|own| {
            let together = self.search.is_match(text, &own.form);
            together.unwrap_or_else(|| own.may_hold(text))
        })
    }

    /// Finds the values that begin at or after `from`.
    pub(crate) fn find(&self, text: &[u8], from: usize, hint: Hint, found: &mut Vec<Match>) {
        if self.classes.is_empty() {
            return;
        }
        let back = from.saturating_sub(OWN_CHARS_MAX);
        let seen = self.search.at(text, back);
        for (number, own) in self.numbered() {
            if matches!(own.form, Form::Pattern(_)) && seen.lacks(number.into()) {
                continue;
            }
            let judge = own.judge(text, from, hint.names(number), |start, end| {
                found.push(Match {
                    kind: Kind::Own(number),
                    start,
                    end,
                    shown: own.shown(text, start, end),
                });
            });
            match seen.words(number.into()) {
                Some(words) if matches!(own.form, Form::Words(_)) => {
                    let mut judge = judge;
                    words.for_each(|(start, end)| judge(start, end));
                }
                _ => own.candidates(text, back, judge),
            }
        }
    }
}
