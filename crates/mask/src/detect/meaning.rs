//! Words that mean something, and what.

use super::hint::{
    ACCESS, ACCOUNT, ADDRESS, BIC, BIRTH, CARD, EIN, KEY, LICENSE, PASSPORT, PASSWORD, PHONE,
    ROUTING, SSN,
};

/// Whether a word may mean something whose first characters are these, and whatever stands behind it.
#[inline(always)]
pub(super) fn begins(head: u64) -> bool {
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
pub(super) fn meaning<'a>(previous: impl Fn() -> &'a [u8], word: &[u8], head: u64) -> u32 {
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
pub(super) const fn head(word: &[u8]) -> u64 {
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
pub(super) fn is_secret(word: &[u8]) -> bool {
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
