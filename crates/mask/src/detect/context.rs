//! Words nearby, which decide about numbers that mean nothing by themselves.

use super::hint::{
    ACCESS, ACCOUNT, ADDRESS, BIC, BIRTH, CARD, EIN, KEY, LICENSE, PASSPORT, PASSWORD, PHONE,
    ROUTING, SSN,
};
use super::words::{FewWords, Words};
use super::{Hint, at};
use crate::bits::{BLOCK_BYTES, bits_at, first, is_digit};
use crate::work;

/// Characters before a candidate in which a word counts.
pub(crate) const BEFORE_CHARS: usize = 40;

/// Characters after it.
const AFTER_CHARS: usize = 24;

/// What the words within a short distance of a candidate speak of.
pub(super) fn near(text: &[u8], start: usize, end: usize) -> Hint {
    let from = start.saturating_sub(BEFORE_CHARS);
    let before = FewWords::of(text, from, first(start - from));
    // What the next line begins with speaks for what follows it.
    let lines = bits_at(text, end, |byte| byte == b'\n');
    let line = AFTER_CHARS.min(lines.trailing_zeros() as usize);
    let after = FewWords::of(text, end, first(line));
    said(&before).or(said(&after))
}

/// What the words that lead up to a candidate speak of: those before it with no digit, comma or other break between.
///
/// Stricter than [`near`], for numbers that have no check digit: a word speaks for the next number alone.
pub(super) fn leading(text: &[u8], start: usize) -> Hint {
    lead(text, start).0
}

/// The same, or what the clause before says ([`numbered`]).
pub(super) fn leading_or_numbered(text: &[u8], start: usize) -> Hint {
    match lead(text, start) {
        (said, b',') => said.or(numbered(text, start)),
        (said, _) => said,
    }
}

/// What the words say that lead up to a candidate, and what stands before them.
fn lead(text: &[u8], start: usize) -> (Hint, u8) {
    let breaks = |byte: u8| {
        is_digit(byte)
            | (byte == b'\n')
            | (byte == b';')
            | (byte == b',')
            | (byte == b'&')
            | (byte == b'*')
    };
    let from = start.saturating_sub(BEFORE_CHARS);
    let all = first(start - from);
    let last = (bits_at(text, from, breaks) & all).leading_zeros();
    let last = BLOCK_BYTES - last as usize;
    let part = all & !first(last);
    let said = if part == 0 {
        Hint::NONE
    } else {
        said(&FewWords::of(text, from, part))
    };
    let before = last.checked_sub(1).map(|last| at(text, from + last));
    (said, before.unwrap_or_default())
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
fn numbered(text: &[u8], start: usize) -> Hint {
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
    if text.len() <= BLOCK_BYTES {
        return said(&FewWords::of(text, 0, first(text.len())));
    }
    work::done(text.len());
    let mut hint = 0;
    let mut previous: &[u8] = b"";
    for word in Words::of(text) {
        hint |= meaning(|| previous, word, head(word));
        // As in "driver's".
        if word != b"s" {
            previous = word;
        }
    }
    Hint::of(of_secrets(hint, previous))
}

/// The same of few words.
fn said(words: &FewWords<'_>) -> Hint {
    work::done(words.len());
    let hint = words.starts().fold(0, |all, place| {
        let head = words.head(place);
        if begins(head) {
            all | meaning(|| words.before(place), words.at(place), head)
        } else {
            all
        }
    });
    if hint == 0 {
        return Hint::NONE;
    }
    Hint::of(of_secrets(hint, words.last()))
}

/// What words speak of of which this is the last: a length, a type or a date of a secret is none.
fn of_secrets(hint: u32, last: &[u8]) -> u32 {
    if hint & (KEY | PASSWORD) != 0 && !is_secret(last) {
        hint & !(KEY | PASSWORD)
    } else {
        hint
    }
}

/// Whether a word may mean something whose first characters are these, and whatever stands behind it.
#[inline(always)]
fn begins(head: u64) -> bool {
    let [first, second, third, ..] = (head | SMALL)
        .to_le_bytes()
        .map(|byte| byte.wrapping_sub(b'a'));
    let thirds = THIRDS.get(usize::from(first));
    let thirds = thirds.and_then(|thirds| thirds.get(usize::from(second)));
    match thirds.copied().unwrap_or_default() {
        0 => false,
        u32::MAX => true,
        thirds => thirds.checked_shr(third.into()).unwrap_or_default() & 1 != 0,
    }
}

/// What a word speaks of whose first characters are `head`, and whatever stands behind it.
fn meaning<'a>(previous: impl Fn() -> &'a [u8], word: &[u8], head: u64) -> u32 {
    if !begins(head) {
        return 0;
    }
    let [first, ..] = head.to_le_bytes();
    let letter = usize::from((first | 0x20).wrapping_sub(b'a'));
    let (from, to) = RANGES.get(letter).copied().unwrap_or_default();
    let rules = RULES.get(from..to).unwrap_or_default();
    let head = head | SMALL;
    let said = rules
        .iter()
        .filter(|rule| rule.begins(head) && rule.holds(&previous, word));
    let said = said.fold(0, |all, rule| all | rule.says);
    // In small letters it stands for other things.
    if word == b"DL" { said | LICENSE } else { said }
}

/// Makes letters small, and of little else a letter.
const SMALL: u64 = 0x2020_2020_2020_2020;

/// The first characters of a word, and zeros behind it.
const fn head(word: &[u8]) -> u64 {
    let mut head = 0;
    let mut place = 0;
    let mut rest = word;
    while let [first, behind @ ..] = rest
        && place < 8
    {
        head |= (*first as u64) << (8 * place);
        place += 1;
        rest = behind;
    }
    head
}

/// A word that means something.
struct Rule {
    /// The word before it; empty where any may stand there.
    after: &'static str,
    word: &'static str,
    /// The first characters of the word, and which there are.
    head: (u64, u64),
    /// Whether the word must end there.
    whole: bool,
    says: u32,
}

impl Rule {
    #[inline]
    fn begins(&self, head: u64) -> bool {
        head & self.head.1 == self.head.0
    }

    fn holds<'a>(&self, previous: impl Fn() -> &'a [u8], word: &[u8]) -> bool {
        let length = self.word.len();
        let head = word.get(..length).unwrap_or_default();
        head.eq_ignore_ascii_case(self.word.as_bytes())
            && (!self.whole || word.len() == length)
            && (self.after.is_empty() || previous().eq_ignore_ascii_case(self.after.as_bytes()))
    }
}

const fn rule(after: &'static str, word: &'static str, whole: bool, says: u32) -> Rule {
    Rule {
        after,
        word,
        head: (
            head(word.as_bytes()),
            u64::MAX >> (8 * 8_usize.saturating_sub(word.len())),
        ),
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

/// Which letters words have third, by the first and the second; all bits where two are enough.
const THIRDS: [[u32; 26]; 26] = thirds();

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
const fn thirds() -> [[u32; 26]; 26] {
    let mut thirds = [[0; 26]; 26];
    // It is no word of a rule.
    thirds[(b'd' - b'a') as usize][(b'l' - b'a') as usize] = u32::MAX;
    let mut place = 0;
    while place < RULES.len() {
        let word = RULES[place].word.as_bytes();
        let slot = &mut thirds[(word[0] - b'a') as usize][(word[1] - b'a') as usize];
        *slot |= if word.len() > 2 {
            1 << (word[2] - b'a')
        } else {
            u32::MAX
        };
        place += 1;
    }
    thirds
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn few_words_say_what_many_say(
            words in prop::collection::vec((prop::sample::select(&[
                "driver", "s", "licence", "DL", "dl", "social", "Security", "ssn", "a", "secret", "Key", "access", "length", "pwd",
                "accountNumber", "no", "tax", "Id", "word", "of", "PASSPORT",
            ][..]), "[ _,'-]{0,2}"), 0..9),
            cut in 0_usize..3,
        ) {
            let text: String = words.iter().map(|(word, gap)| format!("{word}{gap}")).collect();
            let text = &text.as_bytes()[cut.min(text.len())..];
            let text = &text[..text.len().min(BLOCK_BYTES)];
            let more = [text, &[b' '; BLOCK_BYTES + 1]].concat();
            prop_assert_eq!(words_of(text), words_of(&more));
        }
    }
}
