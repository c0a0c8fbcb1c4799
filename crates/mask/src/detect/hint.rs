//! What names and words say about the values that they stand with.

use model::DataClass;

use super::context;

/// What the name of a column or key says about the values under it. Worked out once, used for every value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hint {
    /// What the words that are built in speak of.
    words: u32,
    /// The classes that configuration defines, by number, whose words it holds.
    own: u64,
}

pub(super) const CARD: u32 = 1;
pub(super) const SSN: u32 = 2;
pub(super) const ROUTING: u32 = 4;
pub(super) const EIN: u32 = 8;
pub(super) const ACCOUNT: u32 = 16;
pub(super) const PHONE: u32 = 32;
pub(super) const PASSPORT: u32 = 64;
pub(super) const LICENSE: u32 = 128;
pub(super) const BIRTH: u32 = 256;
pub(super) const BIC: u32 = 512;
pub(super) const ADDRESS: u32 = 1024;
pub(super) const KEY: u32 = 2048;
pub(super) const PASSWORD: u32 = 4096;
pub(super) const ACCESS: u32 = 8192;

impl Hint {
    /// Nothing is known about the text.
    pub const NONE: Self = Self::of(0);

    pub(super) const fn of(words: u32) -> Self {
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
        context::words_of(name.as_bytes())
    }

    /// The same with words of these classes that configuration defines, a bit for each.
    pub(crate) fn with_own(self, own: u64) -> Self {
        Self { own, ..self }
    }

    /// Whether it holds a word of that class.
    pub(crate) fn names(self, own: u8) -> bool {
        self.own >> own & 1 != 0
    }

    /// The classes that the built-in words speak of.
    #[must_use]
    pub fn classes(self) -> Vec<DataClass> {
        let classes = [
            (CARD, DataClass::PAN),
            (SSN, DataClass::US_SSN),
            (ROUTING, DataClass::US_ABA),
            (EIN, DataClass::US_EIN),
            (ACCOUNT, DataClass::US_BANK_ACCOUNT),
            (PHONE, DataClass::PHONE),
            (PASSPORT, DataClass::US_PASSPORT),
            (LICENSE, DataClass::US_DRIVER_LICENSE),
            (BIRTH, DataClass::DATE_OF_BIRTH),
            (BIC, DataClass::BIC),
            (ADDRESS, DataClass::US_ADDRESS),
            (KEY | PASSWORD, DataClass::GENERIC_SECRET),
        ];
        let said = classes
            .into_iter()
            .filter(|(word, _)| self.words & word != 0);
        said.map(|(_, class)| class).collect()
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

    pub(crate) fn birth(self) -> bool {
        self.words & BIRTH != 0
    }

    pub(super) fn bic(self) -> bool {
        self.words & BIC != 0
    }

    pub(super) fn address(self) -> bool {
        self.words & ADDRESS != 0
    }

    pub(super) fn key(self) -> bool {
        self.words & KEY != 0
    }

    pub(super) fn access(self) -> bool {
        self.words & ACCESS != 0
    }

    pub(super) fn password(self) -> bool {
        self.words & PASSWORD != 0
    }

    /// Whether the name alone makes a value one, whatever few digits it holds.
    pub(crate) fn tells_all(self) -> bool {
        self.words & (BIRTH | BIC | ADDRESS | LICENSE | KEY | PASSWORD) != 0
    }
}
