//! Data classes, detectors with validators, and maskers: bytes in, masked bytes out. No I/O, no async, no clock.
//!
//! ```text
//! text ─▶ prefilter (which 64-byte blocks could hold anything) ─▶ detect (candidates, then validators)
//!      ─▶ spans to hide, by the class's strategy ─▶ render ─▶ masked text, and facts in Findings
//! ```
//!
//! [`Masker`] is compiled once per target and reveal set and shared. [`Masker::mask_text`] looks into free text,
//! [`Masker::mask_declared`] hides a value whose column says what it is, [`Masker::stream`] takes text in pieces,
//! [`Masker::mask_error`] reads the shapes in which PostgreSQL quotes data in messages, and [`CopyMasker`] takes
//! COPY data apart. Whatever cannot be judged is hidden, never passed.
//!
//! Detection is local: whether something at a place is a finding depends on a bounded stretch of text around it
//! ([`LOOK_CHARS_MAX`]) and on nothing else. That is why the result cannot depend on how the text was split, and
//! findings may overlap: what is hidden is the union.

mod bits;
mod config;
mod copy;
mod detect;
mod encoded;
mod error_text;
mod findings;
mod fold;
mod masker;
mod others;
pub mod own;
mod pass;
mod permuted;
mod prefilter;
mod quick;
mod render;
mod replace;
mod shape;
mod stream;
mod work;

pub use config::{MaskerConfig, Strategy};
pub use copy::{
    COPY_FIELD_BYTES_MAX, CSV_HEADER_BYTES_MAX, ColumnPlan, CopyError, CopyFormat, CopyMasker,
    CopyPlan, CsvFormat, CsvMasker, MaskValue, TextFormat, ValueMasker,
};
pub use detect::{Hint, LOOK_CHARS_MAX};
pub use error_text::ErrorNames;
pub use findings::{
    COMMITMENTS_MAX, COMMITMENTS_PER_FACT_MAX, Commitment, CommitmentKey, FACTS_MAX, Findings,
    PLACES_MAX, Place, Sighting, of_class,
};
pub use masker::{Masker, Outcome};
pub use others::Others;
pub use replace::MaskKey;
pub use stream::{STREAM_HOLD_BYTES, STREAM_PIECE_BYTES, Stream};

#[cfg(test)]
mod tests;
