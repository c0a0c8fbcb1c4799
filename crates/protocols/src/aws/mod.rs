//! AWS: every API, over HTTP.
//!
//! ```text
//! request ─▶ credentials (whose keys?) ─▶ verify ─▶ classify ─▶ command ─▶ May ─▶ upstream (signed anew) ─▶ answer
//!               └─ STS is answered by the gateway itself (sts)
//! ```
//!
//! [`credentials`] makes and opens the keys that agents hold; [`sts`] is the part of AWS STS that gives them out, and
//! [`assume`] asks AWS's own for the gateway's; [`classify`]
//! knows from the [`table`] which operation a request is, at which level, on what (of statements to DynamoDB `partiql` does, and [`subresource`] what it is to a server that knows less); [`command`] makes of it what policy is
//! asked, with what [`inside`] sees in its body and the buckets that are meant there (`elsewhere`), policies and tags too (`beside`); [`deny`] refuses in the service's own format; [`upstream`] says what goes to the target; [`secrets`]
//! hides what its answer should not show; [`objects`] is what is declared of S3's, [`etag`] what they are called, [`digests`] what else tells of their content; [`screen`] looks at
//! what requests carry, and [`seams`] where the parts of an upload meet; [`transient`] knows failures after which a request is sent again; [`transcript`] is what a recording keeps.
//! Sockets, clocks and randomness are the relay's.

pub mod answers;
pub mod assume;
mod beside;
mod body;
mod cbor;
pub mod classify;
pub mod cli;
pub mod command;
pub mod credentials;
pub mod deny;
pub mod digests;
mod document;
mod elsewhere;
pub mod etag;
pub mod expressions;
mod fields;
mod home;
pub mod inside;
pub mod objects;
pub mod packed;
pub mod pages;
mod partiql;
pub mod post_form;
pub mod range;
mod route;
pub mod s3;
pub mod screen;
pub mod seams;
pub mod secrets;
mod seek;
mod source;
pub mod sts;
pub mod subresource;
pub mod table;
mod texts;
pub mod transcript;
pub mod transient;
pub mod upstream;
pub mod why;

#[cfg(test)]
mod tests;

/// The protocol's name in configuration, entries and policies.
pub const NAME: &str = "aws";

/// What the protocol contributes to the policies' schema: the namespace `Aws`, in Cedar's schema language.
pub const SCHEMA: &str = include_str!("aws.cedarschema");
