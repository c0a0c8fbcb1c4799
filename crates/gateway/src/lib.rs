//! The gateway: listeners, relays, the gate, identity, approvals, records.

pub mod api;
pub mod approval;
pub mod clock;
pub mod config;
pub mod discover;
pub mod evidence;
pub mod gate;
pub mod gateway;
pub mod identity;
pub mod journal;
pub mod keys;
pub mod listen;
pub mod login;
pub mod policies;
pub mod random;
pub mod record;
mod refusals;
pub mod relay;
pub mod serve;
pub mod stats;
pub mod store;
#[cfg(test)]
pub(crate) mod testing;
pub mod tls;
pub mod upstream;

pub use serve::{Addresses, ServeError, run};

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
