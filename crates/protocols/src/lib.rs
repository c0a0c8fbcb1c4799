//! What is spoken, sans-IO: one folder per protocol, and one line in [`ALL`].

pub mod aws;
pub mod http;
pub mod postgres;
pub mod session;

/// What everything around a protocol needs to know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// Its name in configuration, entries and policies.
    pub name: &'static str,
    /// What it contributes to the policies' schema: one namespace, in Cedar's schema language.
    pub schema: &'static str,
}

/// Every protocol that is spoken.
pub const ALL: &[Descriptor] = &[
    Descriptor {
        name: "postgres",
        schema: postgres::SCHEMA,
    },
    Descriptor {
        name: aws::NAME,
        schema: aws::SCHEMA,
    },
];
