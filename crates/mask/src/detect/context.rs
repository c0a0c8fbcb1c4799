//! Words nearby, which decide about numbers that mean nothing by themselves.

use super::Hint;
use super::hint::{
    ACCESS, ACCOUNT, ADDRESS, BIC, BIRTH, CARD, EIN, KEY, LICENSE, PASSPORT, PASSWORD, PHONE,
    ROUTING, SSN,
};
use super::words::Words;
use crate::work;

/// Characters before a candidate in which a word counts.
pub(crate) const BEFORE_CHARS: usize = 40;

/// Characters after it.
const AFTER_CHARS: usize = 24;

/// What the words within a short distance of a candidate speak of.
pub(super) fn near(text: &[u8], start: usize, end: usize) -> Hint {
    let before = text
        .get(start.saturating_sub(BEFORE_CHARS)..start)
        .unwrap_or_default();
    let after = text
        .get(end..text.len().min(end + AFTER_CHARS))
        .unwrap_or_default();
    // What the next line begins with speaks for what follows it.
    let line = after.iter().position(|byte| *byte == b'\n');
    let after = after.get(..line.unwrap_or(after.len())).unwrap_or_default();
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

/// Whether words may lead up to a number with this byte before it, for the price of one look; `numbered` if a comma may
/// stand between.
#[inline]
pub(super) fn may_lead(before: u8, numbered: bool) -> bool {
    let breaks = before.is_ascii_digit() || matches!(before, b'\n' | b';' | b'&' | b'*');
    !breaks && (numbered || before != b',')
}

/// Whether the clause before a candidate speaks of a number, and the one before that of a passport: `my passport, the
/// number is …`.
pub(super) fn numbered(text: &[u8], start: usize) -> Hint {
    let before = text
        .get(start.saturating_sub(BEFORE_CHARS)..start)
        .unwrap_or_default();
    let breaks = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'\n' | b';' | b'&' | b'*');
    let from = before.iter().rposition(breaks).map_or(0, |at| at + 1);
    let mut clauses = before
        .get(from..)
        .unwrap_or_default()
        .rsplit(|byte| *byte == b',');
    let last = clauses.next().unwrap_or_default();
    let first = clauses.next().unwrap_or_default();
    let is_number = |word: &[u8]| word.eq_ignore_ascii_case(b"number");
    let said = Words::of(last).any(is_number) && words_of(first).passport();
    Hint::of(if said { PASSPORT } else { 0 })
}

/// What the words of a text speak of.
pub(super) fn words_of(text: &[u8]) -> Hint {
    work::done(text.len());
    let mut hint = 0;
    let mut previous: &[u8] = b"";
    for word in Words::of(text) {
        hint |= meaning(previous, word);
        // In small letters it stands for other things.
        if word == b"DL" {
            hint |= LICENSE;
        }
        // As in "driver's".
        if word != b"s" {
            previous = word;
        }
    }
    // A length, a type or a date of a secret is none.
    if hint & (KEY | PASSWORD) != 0 && !is_secret(previous) {
        hint &= !(KEY | PASSWORD);
    }
    Hint::of(hint)
}

fn meaning(previous: &[u8], word: &[u8]) -> u32 {
    let letter = |place: usize| {
        let letter = word.get(place).copied().unwrap_or_default();
        letter.to_ascii_lowercase().wrapping_sub(b'a')
    };
    let first = usize::from(letter(0));
    let seconds = SECONDS.get(first).copied().unwrap_or_default();
    if seconds
        .checked_shr(u32::from(letter(1)))
        .unwrap_or_default()
        & 1
        == 0
    {
        return 0;
    }
    let (from, to) = RANGES.get(first).copied().unwrap_or_default();
    let rules = RULES.get(from..to).unwrap_or_default();
    let said = rules.iter().filter(|rule| rule.holds(previous, word));
    said.fold(0, |all, rule| all | rule.says)
}

/// A word that means something.
struct Rule {
    /// The word before it; empty where any may stand there.
    after: &'static str,
    word: &'static str,
    /// Whether the word must end there.
    whole: bool,
    says: u32,
}

impl Rule {
    fn holds(&self, previous: &[u8], word: &[u8]) -> bool {
        let length = self.word.len();
        let head = word.get(..length).unwrap_or_default();
        head.eq_ignore_ascii_case(self.word.as_bytes())
            && (!self.whole || word.len() == length)
            && (self.after.is_empty() || previous.eq_ignore_ascii_case(self.after.as_bytes()))
    }
}

const fn rule(after: &'static str, word: &'static str, whole: bool, says: u32) -> Rule {
    Rule {
        after,
        word,
        whole,
        says,
    }
}

/// The words, by their first letter.
const RULES: [Rule; 85] = [
    rule("", "amex", true, CARD),
    rule("", "aba", true, ROUTING),
    rule("", "abart", false, ROUTING),
    rule("", "acctno", false, ACCOUNT),
    rule("", "acctnum", false, ACCOUNT),
    rule("", "accountno", false, ACCOUNT),
    rule("", "accountnum", false, ACCOUNT),
    rule("bank", "acc", false, ACCOUNT),
    rule("checking", "acc", false, ACCOUNT),
    rule("savings", "acc", false, ACCOUNT),
    rule("", "address", true, ADDRESS),
    rule("", "addr", true, ADDRESS),
    rule("", "apikey", true, KEY),
    rule("", "bankacc", false, ACCOUNT),
    rule("", "born", true, BIRTH),
    rule("", "birth", false, BIRTH),
    rule("", "bic", true, BIC),
    rule("", "cc", true, CARD),
    rule("", "credit", true, CARD),
    rule("", "card", false, CARD),
    rule("", "creditcard", false, CARD),
    rule("", "ccn", false, CARD),
    rule("", "debit", true, CARD),
    rule("", "driverlic", false, LICENSE),
    rule("", "driverslic", false, LICENSE),
    rule("", "dln", true, LICENSE),
    rule("", "dob", true, BIRTH),
    rule("", "ein", true, EIN),
    rule("", "fedwire", true, ROUTING),
    rule("", "fein", true, EIN),
    rule("", "fax", true, PHONE),
    rule("", "itin", true, SSN),
    rule("tax", "id", true, SSN),
    rule("employer", "id", false, EIN),
    rule("api", "key", true, KEY),
    rule("access", "key", true, KEY | ACCESS),
    rule("secret", "key", true, KEY),
    rule("private", "key", true, KEY),
    rule("auth", "key", true, KEY),
    rule("signing", "key", true, KEY),
    rule("encryption", "key", true, KEY),
    rule("master", "key", true, KEY),
    rule("shared", "key", true, KEY),
    rule("driver", "licen", false, LICENSE),
    rule("drivers", "licen", false, LICENSE),
    rule("driving", "licen", false, LICENSE),
    rule("", "maestro", false, CARD),
    rule("", "mastercard", false, CARD),
    rule("", "mobile", false, PHONE),
    rule("", "msisdn", true, PHONE),
    rule("ss", "no", true, SSN),
    rule("ss", "num", false, SSN),
    rule("account", "no", true, ACCOUNT),
    rule("acct", "no", true, ACCOUNT),
    rule("account", "nr", true, ACCOUNT),
    rule("acct", "nr", true, ACCOUNT),
    rule("account", "num", true, ACCOUNT),
    rule("acct", "num", true, ACCOUNT),
    rule("account", "number", true, ACCOUNT),
    rule("acct", "number", true, ACCOUNT),
    rule("", "pan", true, CARD),
    rule("", "phone", false, PHONE),
    rule("", "passport", false, PASSPORT),
    rule("", "password", true, PASSWORD),
    rule("", "passwd", true, PASSWORD),
    rule("", "pwd", true, PASSWORD),
    rule("", "passphrase", true, PASSWORD),
    rule("", "rtn", true, ROUTING),
    rule("", "routing", false, ROUTING),
    rule("", "ssn", false, SSN),
    rule("", "socialsec", false, SSN),
    rule("social", "sec", false, SSN),
    rule("soc", "sec", true, SSN),
    rule("", "swift", true, BIC),
    rule("", "swiftcode", false, BIC),
    rule("", "street", true, ADDRESS),
    rule("", "secret", true, KEY),
    rule("", "tin", true, SSN),
    rule("", "taxid", true, SSN),
    rule("", "taxpayer", false, SSN),
    rule("", "transit", false, ROUTING),
    rule("", "telephone", false, PHONE),
    rule("", "tel", true, PHONE),
    rule("", "token", true, KEY),
    rule("", "visa", false, CARD),
];

/// Where the words with each first letter stand in [`RULES`].
const RANGES: [(usize, usize); 26] = ranges();

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
const fn ranges() -> [(usize, usize); 26] {
    let mut ranges = [(0, 0); 26];
    let mut place = 0;
    while place < RULES.len() {
        let letter = (RULES[place].word.as_bytes()[0] - b'a') as usize;
        assert!(
            ranges[letter].1 == 0 || ranges[letter].1 == place,
            "words of one letter stand together"
        );
        if ranges[letter].1 == 0 {
            ranges[letter].0 = place;
        }
        place += 1;
        ranges[letter].1 = place;
    }
    ranges
}

/// Which letters follow the first in the words that begin with each.
const SECONDS: [u32; 26] = seconds();

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
const fn seconds() -> [u32; 26] {
    let mut seconds = [0; 26];
    let mut place = 0;
    while place < RULES.len() {
        let word = RULES[place].word.as_bytes();
        seconds[(word[0] - b'a') as usize] |= 1 << (word[1] - b'a');
        place += 1;
    }
    seconds
}

/// Words that a name of a secret ends with.
fn is_secret(word: &[u8]) -> bool {
    const LAST: [&str; 9] = [
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "hash",
        "token",
        "key",
        "secret",
        "apikey",
    ];
    LAST.iter()
        .any(|last| word.eq_ignore_ascii_case(last.as_bytes()))
}
