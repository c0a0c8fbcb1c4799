//! What HTTP-shaped protocols share, sans-IO: heads, AWS Signature Version 4, chunked uploads, checksums, compression.
//!
//! ```text
//! head ─▶ sigv4::Presented::read ─▶ (whose key?) ─▶ Presented::verify ─▶ Verified ─▶ chunked::Decoder ─▶ the body
//! head ─▶ sigv4::Signer::sign ─▶ signed head ─▶ chunked::Encoder ─▶ the body, signed anew
//! ```
//!
//! HTTP itself (framing, connections, TLS) is the relay's. One code makes the canonical request for both directions, so what
//! is verified is what is signed. Time is handed in.

pub mod canonical;
pub mod checksum;
pub mod chunked;
pub mod coding;
pub mod date;
pub mod escape;
mod head;
pub mod sigv4;

#[cfg(test)]
mod tests;

pub use head::{AUTHORITY, Fields, Head};
