//! The classes that have a detector, in one list.

use model::DataClass;

macro_rules! kinds {
    ($($kind:ident = $class:ident, $rule:literal;)+) => {
        /// What is looked for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($kind,)+
            /// A class that configuration defines, by its number.
            Own(u8),
        }

        /// Where each kind stands in a list of all.
        enum Index {
            $($kind,)+
        }

        impl Kind {
            pub(crate) const ALL: [Self; DataClass::FOUND.len()] = [$(Self::$kind,)+];

            /// The classes of [`Kind::ALL`].
            pub(crate) const CLASSES: [DataClass; Self::ALL.len()] = [$(DataClass::$class,)+];

            /// Where the kind stands in a list of all the built-in ones and then all others.
            pub(crate) fn index(self) -> usize {
                // Told apart first, and all others are as they stand.
                if let Self::Own(number) = self {
                    return Self::ALL.len() + usize::from(number);
                }
                match self {
                    $(Self::$kind => Index::$kind as usize,)+
                    Self::Own(_) => Self::ALL.len(),
                }
            }

            /// The detector's name, as facts give it.
            pub(crate) fn rule(self) -> &'static str {
                match self {
                    $(Self::$kind => $rule,)+
                    Self::Own(_) => "own_class",
                }
            }
        }
    };
}

kinds! {
    Card = PAN, "card_issuer_luhn";
    Ssn = US_SSN, "ssn_area_rules";
    Email = EMAIL, "email_address";
    Iban = IBAN, "iban_mod97";
    Routing = US_ABA, "aba_checksum_context";
    Itin = US_ITIN, "itin_group_rules";
    Ein = US_EIN, "ein_context";
    Account = US_BANK_ACCOUNT, "bank_account_context";
    Phone = PHONE, "phone_number";
    Passport = US_PASSPORT, "passport_context";
    License = US_DRIVER_LICENSE, "license_context";
    Birth = DATE_OF_BIRTH, "birth_context";
    Ip = IP_ADDRESS, "ip_address";
    AwsId = AWS_ACCESS_KEY, "aws_key_id";
    AwsSecret = AWS_SECRET_KEY, "aws_secret_context";
    PrivateKey = PRIVATE_KEY, "pem_private_key";
    Jwt = JWT, "jwt_form";
    Token = PROVIDER_TOKEN, "token_prefix";
    Password = URL_PASSWORD, "url_password";
    Bic = BIC, "bic_context";
    Address = US_ADDRESS, "us_address";
    Secret = GENERIC_SECRET, "named_secret";
}

impl Kind {
    /// The built-in kind of a class.
    pub(crate) fn of(class: &DataClass) -> Option<Self> {
        let known = Self::CLASSES.iter().position(|known| known == class)?;
        Self::ALL.get(known).copied()
    }

    /// Whether the class is looked for unless configuration says otherwise. Engineers need addresses of machines.
    pub(crate) fn is_usual(self) -> bool {
        self != Self::Ip
    }

    /// Whether values of the kind have no longest length: a match of [`super::LOOK_CHARS_MAX`] characters goes on with
    /// every [`super::secret::goes_on`].
    pub(crate) fn is_long(self) -> bool {
        matches!(self, Self::PrivateKey | Self::Jwt)
    }
}
