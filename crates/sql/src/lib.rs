//! SQL statements to effects, relations and lineage, by the database's own grammar.
//!
//! Pure functions: text and a catalog go in, facts about the statement come out. Nothing here opens a socket or reads
//! a clock.

mod action;
mod name;
pub mod postgres;

pub use action::{Action, Effect};
pub use name::{Name, quoted};
