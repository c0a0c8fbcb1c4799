//! The event loops on which sessions run: one for wire protocols, one for HTTP.

mod cancel;
pub mod http;
mod link;
mod outbox;
mod questions;
mod stream;

pub use cancel::Cancels;
pub use stream::{Arrival, run};
