//! Bodies: checked as they come in, signed anew as they go out (S3 API reference, "Signature Calculations for the
//! Authorization Header: Transferring Payload in Multiple Chunks" and "… Including Trailing Headers").
//!
//! ```text
//! signed     10000;chunk-signature=<64 hex>\r\n <bytes> \r\n … 0;chunk-signature=<64 hex>\r\n [trailers] \r\n
//! unsigned   10000\r\n <bytes> \r\n … 0\r\n <trailers> \r\n
//! trailers   x-amz-checksum-crc32c:<Base64>\r\n [x-amz-trailer-signature:<64 hex>\r\n]
//! ```
//!
//! Both directions stream: what they give does not depend on how the body was cut into pieces. The last byte of a body leaves
//! the [`Intake`] only when everything was verified, so an upstream that is told the length never has a whole body of
//! which something is wrong.

mod announced;
mod decode;
mod encode;
mod intake;

use super::sigv4::{EMPTY_SHA256, Verified, sha256};

pub use announced::{intake, trailer};
pub use encode::{CHUNK_BYTES, CONTENT_BYTES_MAX, Encoder, encoded_length};
pub use intake::{Ended, Intake};

use decode::Decoder;

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// A chunk does not begin as chunks do.
    #[error("the chunked body is malformed: {0}")]
    Malformed(&'static str),
    /// A chunk's or the trailer's signature is wrong.
    #[error("the signature of a chunk does not match what was sent")]
    Signature,
    /// The checksum in the trailer is wrong.
    #[error("the checksum in the trailer is not that of the body")]
    Checksum,
    /// The digest in the header is wrong.
    #[error("the body is not the one that was signed (x-amz-content-sha256)")]
    Digest,
    /// There is more or less of it than was announced.
    #[error("the body is not as long as was announced")]
    Length,
}

/// The signatures of a body's chunks, each built on the one before.
struct Chain {
    verified: Verified,
    last: String,
}

impl Chain {
    fn new(verified: Verified) -> Self {
        Self {
            last: verified.signature.clone(),
            verified,
        }
    }

    /// The signature of the chunk whose SHA-256 this is, in hexadecimal.
    fn chunk(&mut self, digest: &str) -> &str {
        self.sign(
            "AWS4-HMAC-SHA256-PAYLOAD",
            &format!("{EMPTY_SHA256}\n{digest}"),
        )
    }

    /// The signature of the trailers in their canonical form.
    fn trailer(&mut self, canonical: &str) -> &str {
        self.sign("AWS4-HMAC-SHA256-TRAILER", &sha256(canonical.as_bytes()))
    }

    fn sign(&mut self, kind: &str, what: &str) -> &str {
        let Verified {
            key, scope, date, ..
        } = &self.verified;
        self.last = key.sign(&format!("{kind}\n{date}\n{scope}\n{}\n{what}", self.last));
        &self.last
    }
}
