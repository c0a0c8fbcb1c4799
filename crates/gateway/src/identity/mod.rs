//! Who is asking: tokens of trusted OpenID Connect issuers, verified; and the built-in issuer, which is one of them.

mod claims;
mod fetch;
mod issuer;
mod keys;
mod verify;

pub use claims::{ClaimMapping, ClaimPath};
pub use fetch::{FetchError, Fetcher};
pub use issuer::{BuiltInIssuer, IssuerError, Subject};
pub use verify::{AuthError, TrustedIssuer, Verifier};
