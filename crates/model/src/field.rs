//! What a value is: the class of data that policy, masks and facts speak of.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A class of data, such as `pan` or `us_ssn`: lower-case letters, digits and `_`, 1 to 64 bytes.
///
/// The name is what a mask file declares, what a policy reveals, and what a fact counts.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DataClass(Cow<'static, str>);

impl DataClass {
    /// Primary account number of a payment card.
    pub const PAN: Self = Self(Cow::Borrowed("pan"));
    /// United States social security number.
    pub const US_SSN: Self = Self(Cow::Borrowed("us_ssn"));
    /// E-mail address (RFC 5321 mailbox).
    pub const EMAIL: Self = Self(Cow::Borrowed("email"));
    /// International bank account number (ISO 13616).
    pub const IBAN: Self = Self(Cow::Borrowed("iban"));
    /// American Bankers Association routing transit number.
    pub const US_ABA: Self = Self(Cow::Borrowed("us_aba"));
    /// United States individual taxpayer identification number.
    pub const US_ITIN: Self = Self(Cow::Borrowed("us_itin"));
    /// United States employer identification number.
    pub const US_EIN: Self = Self(Cow::Borrowed("us_ein"));
    /// Number of an account at a United States bank.
    pub const US_BANK_ACCOUNT: Self = Self(Cow::Borrowed("us_bank_account"));
    /// Telephone number.
    pub const PHONE: Self = Self(Cow::Borrowed("phone"));
    /// United States passport number.
    pub const US_PASSPORT: Self = Self(Cow::Borrowed("us_passport"));
    /// Driver's licence number of a United States state.
    pub const US_DRIVER_LICENSE: Self = Self(Cow::Borrowed("us_driver_license"));
    /// Date on which a person was born.
    pub const DATE_OF_BIRTH: Self = Self(Cow::Borrowed("date_of_birth"));
    /// Address of the Internet Protocol, version 4 or 6.
    pub const IP_ADDRESS: Self = Self(Cow::Borrowed("ip_address"));
    /// Access key identifier of AWS.
    pub const AWS_ACCESS_KEY: Self = Self(Cow::Borrowed("aws_access_key"));
    /// Secret access key of AWS.
    pub const AWS_SECRET_KEY: Self = Self(Cow::Borrowed("aws_secret_key"));
    /// Private key in PEM (RFC 7468) or its relatives.
    pub const PRIVATE_KEY: Self = Self(Cow::Borrowed("private_key"));
    /// JSON web token (RFC 7519).
    pub const JWT: Self = Self(Cow::Borrowed("jwt"));
    /// Token of a provider that marks its tokens.
    pub const PROVIDER_TOKEN: Self = Self(Cow::Borrowed("provider_token"));
    /// Password within a URL or a connection string.
    pub const URL_PASSWORD: Self = Self(Cow::Borrowed("url_password"));

    /// Business identifier code of a bank (ISO 9362).
    pub const BIC: Self = Self(Cow::Borrowed("bic"));
    /// Postal address in the United States.
    pub const US_ADDRESS: Self = Self(Cow::Borrowed("us_address"));
    /// Key, token or password that only the name before it tells.
    pub const GENERIC_SECRET: Self = Self(Cow::Borrowed("generic_secret"));

    /// Every class that is found without being declared, if it is switched on.
    pub const FOUND: [Self; 22] = [
        Self::PAN,
        Self::US_SSN,
        Self::EMAIL,
        Self::IBAN,
        Self::US_ABA,
        Self::US_ITIN,
        Self::US_EIN,
        Self::US_BANK_ACCOUNT,
        Self::PHONE,
        Self::US_PASSPORT,
        Self::US_DRIVER_LICENSE,
        Self::DATE_OF_BIRTH,
        Self::IP_ADDRESS,
        Self::AWS_ACCESS_KEY,
        Self::AWS_SECRET_KEY,
        Self::PRIVATE_KEY,
        Self::JWT,
        Self::PROVIDER_TOKEN,
        Self::URL_PASSWORD,
        Self::BIC,
        Self::US_ADDRESS,
        Self::GENERIC_SECRET,
    ];

    /// The class's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// A class name that is empty, too long, or holds something other than `a-z`, `0-9` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("data class {0:?}: a name is 1 to 64 of a-z, 0-9 and _")]
pub struct BadDataClass(String);

impl TryFrom<String> for DataClass {
    type Error = BadDataClass;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(legal) {
            return Err(BadDataClass(name));
        }
        Ok(Self(Cow::Owned(name)))
    }
}

impl From<DataClass> for String {
    fn from(class: DataClass) -> Self {
        class.0.into_owned()
    }
}

impl fmt::Display for DataClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DataClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
