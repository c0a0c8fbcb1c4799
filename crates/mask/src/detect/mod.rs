//! Finding values: candidates from digit runs, `@` and the marks of secrets, then validators.
//!
//! Everything here reads folded text ([`crate::fold`]): one byte per character. A match is a fact about the text
//! around it, never about other matches; nothing is blocked by a neighbour, so hiding one value cannot
//! uncover another.

mod card;
mod context;
mod email;
mod groups;
mod iban;
mod identity;
mod ip;
mod phone;
mod routing;
pub(crate) mod secret;
mod ssn;

use model::DataClass;

pub(crate) use card::is_card_length;
#[cfg(test)]
pub(crate) use card::luhn;
pub use context::Hint;

pub(crate) use ip::find as find_ip;

use crate::prefilter::{self, BLOCK_BYTES};

/// Characters on either side of a match's start that may decide whether it is one: the longest look that any detector
/// takes (a mail domain of 253 characters after a local part of 64).
pub const LOOK_CHARS_MAX: usize = 384;

/// The built-in classes, in the order of [`DataClass::FOUND`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Card,
    Ssn,
    Email,
    Iban,
    Routing,
    Itin,
    Ein,
    Account,
    Phone,
    Passport,
    License,
    Birth,
    Ip,
    AwsId,
    AwsSecret,
    PrivateKey,
    Jwt,
    Token,
    Password,
}

impl Kind {
    pub(crate) const ALL: [Self; 19] = [
        Self::Card,
        Self::Ssn,
        Self::Email,
        Self::Iban,
        Self::Routing,
        Self::Itin,
        Self::Ein,
        Self::Account,
        Self::Phone,
        Self::Passport,
        Self::License,
        Self::Birth,
        Self::Ip,
        Self::AwsId,
        Self::AwsSecret,
        Self::PrivateKey,
        Self::Jwt,
        Self::Token,
        Self::Password,
    ];

    pub(crate) fn class(self) -> DataClass {
        match self {
            Self::Card => DataClass::PAN,
            Self::Ssn => DataClass::US_SSN,
            Self::Email => DataClass::EMAIL,
            Self::Iban => DataClass::IBAN,
            Self::Routing => DataClass::US_ABA,
            Self::Itin => DataClass::US_ITIN,
            Self::Ein => DataClass::US_EIN,
            Self::Account => DataClass::US_BANK_ACCOUNT,
            Self::Phone => DataClass::PHONE,
            Self::Passport => DataClass::US_PASSPORT,
            Self::License => DataClass::US_DRIVER_LICENSE,
            Self::Birth => DataClass::DATE_OF_BIRTH,
            Self::Ip => DataClass::IP_ADDRESS,
            Self::AwsId => DataClass::AWS_ACCESS_KEY,
            Self::AwsSecret => DataClass::AWS_SECRET_KEY,
            Self::PrivateKey => DataClass::PRIVATE_KEY,
            Self::Jwt => DataClass::JWT,
            Self::Token => DataClass::PROVIDER_TOKEN,
            Self::Password => DataClass::URL_PASSWORD,
        }
    }

    /// The detector's name, as facts give it.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::Card => "card_issuer_luhn",
            Self::Ssn => "ssn_area_rules",
            Self::Email => "email_address",
            Self::Iban => "iban_mod97",
            Self::Routing => "aba_checksum_context",
            Self::Itin => "itin_group_rules",
            Self::Ein => "ein_context",
            Self::Account => "bank_account_context",
            Self::Phone => "phone_number",
            Self::Passport => "passport_context",
            Self::License => "license_context",
            Self::Birth => "birth_context",
            Self::Ip => "ip_address",
            Self::AwsId => "aws_key_id",
            Self::AwsSecret => "aws_secret_context",
            Self::PrivateKey => "pem_private_key",
            Self::Jwt => "jwt_form",
            Self::Token => "token_prefix",
            Self::Password => "url_password",
        }
    }

    pub(crate) fn of(class: &DataClass) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.class() == *class)
    }

    /// Whether the class is looked for unless configuration says otherwise. Engineers need addresses of machines.
    pub(crate) fn is_usual(self) -> bool {
        self != Self::Ip
    }

    /// Whether values of the kind have no longest length: a match of [`LOOK_CHARS_MAX`] characters goes on with every
    /// [`secret::goes_on`].
    pub(crate) fn is_long(self) -> bool {
        matches!(self, Self::PrivateKey | Self::Jwt)
    }
}

/// A value found: positions in folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Where the part begins that a partial mask shows; for an e-mail address the domain, otherwise the last four.
    pub(crate) shown: usize,
}

/// Finds every match that starts at or after `from`, in no particular order. Some that start earlier may be found too.
pub(crate) fn scan(text: &[u8], from: usize, hint: Hint, found: &mut Vec<Match>) {
    let mut pos = from;
    let mut searched = from;
    while let Some(bytes) = text
        .get(pos..)
        .and_then(|rest| rest.first_chunk::<BLOCK_BYTES>())
    {
        let block = prefilter::block(bytes);
        let end = pos + BLOCK_BYTES;
        if block.hot {
            let start = searched.max(pos.saturating_sub(BLOCK_BYTES));
            digits(text, start, end, hint, found);
            searched = end;
        }
        if block.at {
            email::find(text, pos, end, found);
        }
        pos = end;
    }
    let start = searched.max(pos.saturating_sub(BLOCK_BYTES));
    digits(text, start, text.len(), hint, found);
    email::find(text, pos, text.len(), found);
    secret::find(text, from, found);
}

/// Tries every digit run that begins in `start..end`.
fn digits(text: &[u8], start: usize, end: usize, hint: Hint, found: &mut Vec<Match>) {
    let mut pos = start;
    if is_digit(text, pos.wrapping_sub(1)) {
        pos = run_end(text, pos);
    }
    while pos < end {
        let Some(byte) = text.get(pos) else { return };
        if !byte.is_ascii_digit() {
            pos += 1;
            continue;
        }
        let run_end = run_end(text, pos);
        run_of_digits(text, pos, run_end, hint, found);
        pos = run_end;
    }
}

#[inline]
fn run_of_digits(text: &[u8], start: usize, end: usize, hint: Hint, found: &mut Vec<Match>) {
    let len = end - start;
    identity::at(text, start, end, hint, found);
    found.extend(phone::at(text, start, end, hint));
    if len >= 2 && at(text, start.wrapping_sub(1)).is_ascii_alphabetic() {
        found.extend(iban::at(text, start));
    }
    match len {
        1..=8 => {
            if let Some((kind, next)) = groups::separator(text, end) {
                card::grouped(text, start, end, kind, hint, found);
                if len == 3 {
                    found.extend(ssn::grouped(text, start, kind, next, hint));
                    found.extend(routing::grouped(text, start, kind, next, hint));
                }
            }
        }
        9 => {
            found.extend(ssn::compact(text, start, hint));
            found.extend(routing::compact(text, start, hint));
        }
        12..=19 => found.extend(card::compact(text, start, end, hint)),
        _ => {}
    }
}

/// Where the part begins that shows the last four of a value, or its end where digits go on behind it: what a mask
/// leaves must not become the beginning of something else.
fn last_four(text: &[u8], start: usize, end: usize) -> usize {
    if groups::separator(text, end).is_some() || is_digit(text, end) {
        return end;
    }
    let mut shown = end;
    let mut left = 4;
    while shown > start && left > 0 {
        shown -= 1;
        left -= u8::from(at(text, shown).is_ascii_alphanumeric());
    }
    shown
}

/// The byte at `pos`; 0 outside the text.
#[inline]
fn at(text: &[u8], pos: usize) -> u8 {
    text.get(pos).copied().unwrap_or_default()
}

#[inline]
fn is_digit(text: &[u8], pos: usize) -> bool {
    at(text, pos).is_ascii_digit()
}

/// Where the digit run that stands at `pos` ends.
#[inline]
fn run_end(text: &[u8], pos: usize) -> usize {
    let mut end = pos;
    while is_digit(text, end) {
        end += 1;
    }
    end
}

/// The digits of a stretch of folded text, in order, as values 0 to 9.
fn values(text: &[u8], start: usize, end: usize) -> impl DoubleEndedIterator<Item = u8> {
    text.get(start..end)
        .unwrap_or_default()
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| byte - b'0')
}

/// The digits of a stretch as one number. At most 19 of them, which fit.
fn number(text: &[u8], start: usize, end: usize) -> u64 {
    values(text, start, end).fold(0, |sum, digit| {
        sum.wrapping_mul(10).wrapping_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests;
