//! What is shown to people.

pub(crate) mod escape;
pub(crate) mod table;
