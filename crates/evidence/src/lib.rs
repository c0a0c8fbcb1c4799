//! Evidence bundles, and the verifier that needs nobody's word.
//!
//! [`build`] writes what happened in a period into one ZIP: the leaves of the log with their proof, the tables that follow from
//! them, samples with their recordings, keys, and a signed manifest. [`verify::verify`] checks all of it offline; the binary
//! `countersign-verify` is that function and a screen. No async, no clock, no network.
//!
//! ```text
//! leaves ─▶ fold ─┬─▶ tables, totals, draw ─▶ bundle          (build)
//!                 └─▶ tables, totals, draw ─▶ equal? findings? (verify)
//! ```
//!
//! Both sides make the tables with the same pass over the same leaves, so a table that was edited is found even where somebody
//! signed it again. What the signature alone vouches for (texts, transcripts) is named in `verify/VERIFY.txt`.

mod build;
mod bundle;
mod fold;
mod policies;
mod signers;
pub mod sshsig;
mod tree;
pub mod verify;

pub use build::{
    BuildError, Built, PlainTranscripts, Progress, Recordings, Request, SEED_BYTES_MAX, Sources,
    TargetFacts, Transcriber, Transcripts, build,
};

#[cfg(test)]
mod tests;
