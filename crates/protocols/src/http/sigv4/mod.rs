//! AWS Signature Version 4 (AWS IAM user guide, "AWS Signature Version 4 for API requests"), both ways.
//!
//! [`Presented`] is a signature as a request carries it, read but not believed; [`Presented::verify`] makes a [`Verified`] of
//! it, once somebody knows the key. [`Signer`] signs. What is not here: SigV4A, which is refused by name, and the chunks of
//! a streamed body ([`super::chunked`]).

mod derived;
mod presented;
mod sign;
mod verify;

use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::{digest, hmac};
use model::{Secret, Timestamp, hexadecimal};

pub use derived::Derived;
pub use presented::{Form, Presented, claimed_key};
pub use sign::{Credentials, Signer};
pub use verify::{SKEW_SECS_MAX, Verified};

/// The algorithm's name.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// SHA-256 of nothing, in hexadecimal.
pub const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// A presigned URL is good for at most so long: a week.
pub const EXPIRES_SECS_MAX: i64 = 7 * 24 * 3_600;

/// What a key is derived for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The day, `20150830`.
    pub day: String,
    /// The region.
    pub region: String,
    /// The service's signing name.
    pub service: String,
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}/{}/{}/aws4_request",
            self.day, self.region, self.service
        )
    }
}

/// What the last line of a canonical request says of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Its SHA-256, 64 lower-case hexadecimal digits.
    Sha256(String),
    /// Nothing: `UNSIGNED-PAYLOAD`.
    Unsigned,
    /// The body is in chunks.
    Chunks(Chunks),
}

/// A body in chunks (`Content-Encoding: aws-chunked`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunks {
    /// Each chunk is signed.
    pub signed: bool,
    /// Trailers follow the last chunk.
    pub trailer: bool,
}

impl Payload {
    /// As it stands in `x-amz-content-sha256`; `None` for what this version does not know.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let chunks = |signed, trailer| Some(Self::Chunks(Chunks { signed, trailer }));
        match text {
            "UNSIGNED-PAYLOAD" => Some(Self::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => chunks(true, false),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => chunks(true, true),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => chunks(false, true),
            _ => {
                let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                (text.len() == 64 && text.bytes().all(digit)).then(|| Self::Sha256(text.to_owned()))
            }
        }
    }

    /// The same the other way.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sha256(digits) => digits,
            Self::Unsigned => "UNSIGNED-PAYLOAD",
            Self::Chunks(Chunks { signed: false, .. }) => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            Self::Chunks(Chunks { trailer: false, .. }) => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::Chunks(Chunks { trailer: true, .. }) => {
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
            }
        }
    }
}

/// What is wrong with a request's signature. A protocol turns each into an error of the service's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is none.
    #[error(
        "the request carries no signature: sign it with the keys that the gateway's STS gave out"
    )]
    Missing,
    /// There are two, in header and query.
    #[error("the request is signed both in its header and in its query: sign it once")]
    Twice,
    /// It is of Version 4A.
    #[error(
        "SigV4A (AWS4-ECDSA-P256-SHA256) is not spoken here: configure the client for SigV4 and one region"
    )]
    SigV4A,
    /// It is of another algorithm.
    #[error(
        "the signature's algorithm is not AWS4-HMAC-SHA256: use an SDK that signs with Signature Version 4"
    )]
    Algorithm,
    /// A part is missing or malformed.
    #[error("the signature cannot be read: {0}")]
    Malformed(&'static str),
    /// Something that must be signed is not.
    #[error("the header {0} must be among the signed headers")]
    NotSigned(String),
    /// The clocks differ too much.
    #[error(
        "the request was signed at {signed} and the gateway's clock says {now}: set the client's clock"
    )]
    Skewed {
        /// When it was signed.
        signed: Timestamp,
        /// The gateway's time.
        now: Timestamp,
    },
    /// A presigned URL is too old.
    #[error("the presigned URL expired at {0}: make a new one")]
    Expired(Timestamp),
    /// It does not verify.
    #[error(
        "the signature does not match the request: check the secret key and what stands between client and gateway"
    )]
    Mismatch,
    /// The body is not what was signed.
    #[error("the body is not the one that was signed (x-amz-content-sha256)")]
    Body,
}

/// A derived key (step 3 of signing). Cheap to clone.
#[derive(Clone)]
pub struct SigningKey(Arc<hmac::Key>);

impl SigningKey {
    /// The key that `secret` gives for `scope`.
    #[must_use]
    pub fn derive(secret: &Secret, scope: &Scope) -> Self {
        let mut first = zeroize::Zeroizing::new(b"AWS4".to_vec());
        first.extend_from_slice(secret.expose());
        let day = mac(&hmac::Key::new(hmac::HMAC_SHA256, &first), &scope.day);
        let region = mac(&day, &scope.region);
        let service = mac(&region, &scope.service);
        Self(Arc::new(mac(&service, "aws4_request")))
    }

    /// Whether it is with this key that a text was signed so.
    #[must_use]
    pub fn signed(&self, text: &str, signature: &str) -> bool {
        same(&self.sign(text), signature)
    }

    /// The signature of a text, 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        hexadecimal(hmac::sign(&self.0, text.as_bytes()))
    }
}

fn mac(key: &hmac::Key, text: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(key, text.as_bytes()).as_ref())
}

/// The text that is signed (step 2 of signing).
#[must_use]
pub fn string_to_sign(date: &str, scope: &Scope, canonical: &str) -> String {
    let mut out = String::with_capacity(192);
    // Writing to a string does not fail.
    let _ = write!(
        out,
        "{ALGORITHM}\n{date}\n{scope}\n{}",
        sha256(canonical.as_bytes())
    );
    out
}

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(digest::digest(&digest::SHA256, bytes))
}

/// Whether two signatures are equal, in a time that does not tell where they differ.
#[must_use]
pub(crate) fn same(one: &str, other: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}
