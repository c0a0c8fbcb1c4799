//! Words nearby, which decide about numbers that mean nothing by themselves.

use super::at;

/// Characters before a candidate in which a word counts.
pub(crate) const BEFORE_CHARS: usize = 40;

/// Characters after it.
const AFTER_CHARS: usize = 24;

/// What the name of a column or key says about the values under it. Worked out once, used for every value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hint {
    /// What the words that are built in speak of.
    words: u32,
    /// The classes that configuration defines, by number, whose words it holds.
    own: u64,
}

const CARD: u32 = 1;
const SSN: u32 = 2;
const ROUTING: u32 = 4;
const EIN: u32 = 8;
const ACCOUNT: u32 = 16;
const PHONE: u32 = 32;
const PASSPORT: u32 = 64;
const LICENSE: u32 = 128;
const BIRTH: u32 = 256;

impl Hint {
    /// Nothing is known about the text.
    pub const NONE: Self = Self::of(0);

    const fn of(words: u32) -> Self {
        Self { words, own: 0 }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self {
            words: self.words | other.words,
            own: self.own | other.own,
        }
    }

    /// The text stands under this name: a column, a key, a parameter. [`crate::Masker::hint`] knows the words that
    /// configuration defines too.
    #[must_use]
    pub fn column(name: &str) -> Self {
        words_of(name.as_bytes())
    }

    /// The same with words of these classes that configuration defines, a bit for each.
    pub(crate) fn with_own(self, own: u64) -> Self {
        Self { own, ..self }
    }

    /// Whether it holds a word of that class.
    pub(crate) fn names(self, own: u8) -> bool {
        self.own >> own & 1 != 0
    }

    pub(super) fn card(self) -> bool {
        self.words & CARD != 0
    }

    pub(super) fn ssn(self) -> bool {
        self.words & SSN != 0
    }

    pub(super) fn routing(self) -> bool {
        self.words & ROUTING != 0
    }

    pub(super) fn ein(self) -> bool {
        self.words & EIN != 0
    }

    pub(super) fn account(self) -> bool {
        self.words & ACCOUNT != 0
    }

    pub(super) fn phone(self) -> bool {
        self.words & PHONE != 0
    }

    pub(super) fn passport(self) -> bool {
        self.words & PASSPORT != 0
    }

    pub(super) fn license(self) -> bool {
        self.words & LICENSE != 0
    }

    pub(super) fn birth(self) -> bool {
        self.words & BIRTH != 0
    }
}

/// What the words within a short distance of a candidate speak of.
pub(super) fn near(text: &[u8], start: usize, end: usize) -> Hint {
    let before = text
        .get(start.saturating_sub(BEFORE_CHARS)..start)
        .unwrap_or_default();
    let after = text
        .get(end..text.len().min(end + AFTER_CHARS))
        .unwrap_or_default();
    words_of(before).or(words_of(after))
}

/// What the words that lead up to a candidate speak of: those before it with no digit, comma or other break between.
///
/// Stricter than [`near`], for numbers that have no check digit: a word speaks for the next number alone.
pub(super) fn leading(text: &[u8], start: usize) -> Hint {
    let before = text
        .get(start.saturating_sub(BEFORE_CHARS)..start)
        .unwrap_or_default();
    let breaks =
        |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'\n' | b';' | b',' | b'&' | b'*');
    let from = before.iter().rposition(breaks).map_or(0, |at| at + 1);
    words_of(before.get(from..).unwrap_or_default())
}

fn words_of(text: &[u8]) -> Hint {
    let mut hint = 0;
    let mut previous: &[u8] = b"";
    for word in (Words { text, pos: 0 }) {
        hint |= meaning(previous, word);
        // As in "driver's".
        if word != b"s" {
            previous = word;
        }
    }
    Hint::of(hint)
}

fn meaning(previous: &[u8], word: &[u8]) -> u32 {
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    let starts = |name: &str| {
        word.get(..name.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(name.as_bytes()))
    };
    let follows = |name: &str| previous.eq_ignore_ascii_case(name.as_bytes());
    let mut hint = 0;
    if starts("card")
        || starts("creditcard")
        || is("pan")
        || is("cc")
        || starts("ccn")
        || starts("visa")
    {
        hint |= CARD;
    }
    if starts("maestro") || starts("mastercard") || is("amex") || is("debit") || is("credit") {
        hint |= CARD;
    }
    if starts("ssn") || is("tin") || is("itin") || starts("taxpayer") || starts("socialsec") {
        hint |= SSN;
    }
    if follows("social") && starts("sec")
        || follows("soc") && is("sec")
        || follows("tax") && is("id")
    {
        hint |= SSN;
    }
    if follows("ss") && (is("no") || starts("num")) || is("taxid") {
        hint |= SSN;
    }
    if starts("routing")
        || is("aba")
        || is("rtn")
        || starts("abart")
        || starts("transit")
        || is("fedwire")
    {
        hint |= ROUTING;
    }
    hint | person(previous, word)
}

/// Words that speak of a person's numbers.
fn person(previous: &[u8], word: &[u8]) -> u32 {
    let starts = |names: &[&str]| {
        names.iter().any(|name| {
            word.get(..name.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(name.as_bytes()))
        })
    };
    let among = |word: &[u8], names: &[&str]| {
        names
            .iter()
            .any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    let is = |names: &[&str]| among(word, names);
    let follows = |names: &[&str]| among(previous, names);
    let marks = [
        (
            EIN,
            is(&["ein", "fein"]) || follows(&["employer"]) && starts(&["id"]),
        ),
        (
            ACCOUNT,
            starts(&["acctno", "acctnum", "accountno", "accountnum", "bankacc"])
                || follows(&["account", "acct"]) && is(&["no", "nr", "num", "number"])
                || follows(&["bank", "checking", "savings"]) && starts(&["acc"]),
        ),
        (
            PHONE,
            starts(&["phone", "telephone", "mobile"]) || is(&["tel", "fax", "msisdn"]),
        ),
        (PASSPORT, starts(&["passport"])),
        (
            LICENSE,
            follows(&["driver", "drivers", "driving"]) && starts(&["licen"])
                || starts(&["driverlic", "driverslic"]),
        ),
        (BIRTH, is(&["dob", "born"]) || starts(&["birth"])),
    ];
    marks
        .iter()
        .filter(|(_, said)| *said)
        .fold(0, |all, (mark, _)| all | mark)
}

/// Words: runs of letters, broken where a capital follows a small letter, as in `routingNumber`.
struct Words<'a> {
    text: &'a [u8],
    pos: usize,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let ahead = self
            .text
            .get(self.pos..)?
            .iter()
            .position(u8::is_ascii_alphabetic)?;
        let start = self.pos + ahead;
        let mut end = start + 1;
        while at(self.text, end).is_ascii_alphabetic()
            && !(at(self.text, end).is_ascii_uppercase()
                && at(self.text, end - 1).is_ascii_lowercase())
        {
            end += 1;
        }
        self.pos = end;
        self.text.get(start..end)
    }
}
