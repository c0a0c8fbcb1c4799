//! PostgreSQL: the frontend/backend protocol, version 3 (PostgreSQL manual, chapter "Frontend/Backend Protocol").
//!
//! ```text
//! client ─▶ startup ─▶ token ─▶ Who ─▶ Reach ─▶ login ─▶ catalog ─▶ live
//!
//! live:  client message ─▶ step (asked, waits its turn) ─▶ upstream ─▶ owed (what the upstream must answer) ─▶ client
//! ```
//!
//! Two queues keep the order. `steps` holds what the client asked and has not been sent; only its head moves, and only
//! with its permit. `owed` holds what was sent and has not been answered; only its head is answered. A refused command is
//! replaced by a message that certainly fails, so the upstream itself aborts the transaction and skips to Sync.
//!
//! Between the modules: [`catalog`] loads a `Known` (a catalog and the declared columns compiled against it), which
//! [`command`] resolves statements with and [`rows`] plans columns with; it travels as [`crate::session::Knowledge`].

mod calendar;
pub mod catalog;
mod command;
pub mod deny;
pub mod explain;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod known;
mod live;
pub mod login;
mod names;
mod out;
pub mod rows;
pub mod scram;
mod session;
pub mod settings;
mod startup;
pub mod transcript;
pub mod wire;

#[cfg(test)]
mod tests;

pub use command::Analyses;
pub use live::{CURSORS_MAX, OWED_MAX, PORTALS_MAX, QUESTIONS_MAX, STATEMENTS_MAX, STEPS_MAX};
pub use session::{CLIENT_BACKLOG_BYTES_MAX, Connection, Served, Targets, Transport};

/// What the protocol contributes to the policies' schema: the namespace `Postgres`, in Cedar's schema language.
pub const SCHEMA: &str = include_str!("postgres.cedarschema");
