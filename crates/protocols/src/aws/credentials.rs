//! The keys that agents hold. They work at this gateway and nowhere else.
//!
//! ```text
//! token       Base64url( 1 ‖ nonce 12 ‖ AES-256-GCM( JSON of the grant ) )   the access key id is authenticated with it
//! access key  "CSGW" ‖ Base32( HMAC-SHA-256( id key, nonce ) ), 20 characters
//! secret key  Base64( HMAC-SHA-256( secret key, access key ‖ token ) ), 40 characters
//! ```
//!
//! Nothing is kept: whoever has the gateway's key opens the token and derives the rest again, so every replica verifies
//! without a lookup. A token that was changed does not open, and one that is put with another access key does not either.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::{Identity, Secret, Timestamp};
use serde::{Deserialize, Serialize};

use super::etag::Tags;
use super::pages::Sealer;
use crate::http::sigv4::Credentials;

const VERSION: u8 = 1;
/// A token is at most so long, so that opening one costs little.
const TOKEN_BYTES_MAX: usize = 8 * 1_024;

/// What keys stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Who holds them.
    pub identity: Identity,
    /// The target they are for.
    pub target: String,
    /// What the holder calls its session.
    pub session: String,
    /// When they end.
    pub expires: Timestamp,
}

/// Makes keys and opens them.
pub struct Mint {
    seal: LessSafeKey,
    id: hmac::Key,
    secret: hmac::Key,
    tags: Tags,
    pages: Arc<Sealer>,
}

/// Keys that are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// They were not made here.
    #[error("these keys are not of this gateway: get new ones from its STS")]
    Unknown,
    /// They have ended.
    #[error("these keys expired at {0}: get new ones from the gateway's STS")]
    Expired(Timestamp),
}

/// The cipher refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("keys cannot be made: the cipher refused")]
pub struct NoKeys;

impl Mint {
    /// A mint under the gateway's key of 32 bytes or more.
    ///
    /// # Errors
    /// [`NoKeys`].
    pub fn new(key: &[u8]) -> Result<Self, NoKeys> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let part = |purpose: &[u8]| hmac::sign(&key, purpose);
        let seal = part(b"countersign/aws/seal/v1");
        let seal = UnboundKey::new(&AES_256_GCM, seal.as_ref()).map_err(|_| NoKeys)?;
        let mac = |purpose| hmac::Key::new(hmac::HMAC_SHA256, part(purpose).as_ref());
        Ok(Self {
            seal: LessSafeKey::new(seal),
            id: mac(b"countersign/aws/id/v1"),
            secret: mac(b"countersign/aws/secret/v1"),
            tags: Tags::new(part(b"countersign/aws/etag/v2").as_ref()),
            pages: Arc::new(Sealer::new(part(b"countersign/aws/page/v1").as_ref())?),
        })
    }

    /// What turns ETags into those that are shown.
    #[must_use]
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// What seals markers of pages, and opens them.
    #[must_use]
    pub fn pages(&self) -> &Arc<Sealer> {
        &self.pages
    }

    /// Keys for a grant. `nonce` is fresh random bytes.
    ///
    /// # Errors
    /// [`NoKeys`].
    pub fn make(&self, grant: &Grant, nonce: [u8; NONCE_LEN]) -> Result<Credentials, NoKeys> {
        let access_key = self.access_key(&nonce);
        let mut sealed = serde_json::to_vec(grant).map_err(|_| NoKeys)?;
        self.seal
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(access_key.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| NoKeys)?;
        let token = URL_SAFE_NO_PAD.encode([&[VERSION], nonce.as_slice(), &sealed].concat());
        if token.len() > TOKEN_BYTES_MAX {
            return Err(NoKeys);
        }
        Ok(Credentials {
            secret_key: self.secret_key(&access_key, &token),
            access_key,
            token: Some(token.into()),
        })
    }

    /// What keys stand for at `now`, with their secret.
    ///
    /// # Errors
    /// [`BadKeys`].
    pub fn open(
        &self,
        access_key: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<(Grant, Secret), BadKeys> {
        let token = token.ok_or(BadKeys::Unknown)?;
        if token.len() > TOKEN_BYTES_MAX {
            return Err(BadKeys::Unknown);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| BadKeys::Unknown)?;
        let (&[VERSION], rest) = bytes.split_first_chunk().ok_or(BadKeys::Unknown)? else {
            return Err(BadKeys::Unknown);
        };
        let (nonce, sealed) = rest
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(BadKeys::Unknown)?;
        let mut sealed = sealed.to_vec();
        let opened = self
            .seal
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(access_key.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| BadKeys::Unknown)?;
        let grant: Grant = serde_json::from_slice(opened).map_err(|_| BadKeys::Unknown)?;
        if now >= grant.expires {
            return Err(BadKeys::Expired(grant.expires));
        }
        Ok((grant, self.secret_key(access_key, token)))
    }

    fn access_key(&self, nonce: &[u8]) -> String {
        const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let tag = hmac::sign(&self.id, nonce);
        let digits = tag.as_ref().iter().take(16).map(|byte| {
            let digit = DIGITS.get(usize::from(byte & 31)).copied();
            char::from(digit.unwrap_or(b'A'))
        });
        "CSGW".chars().chain(digits).collect()
    }

    fn secret_key(&self, access_key: &str, token: &str) -> Secret {
        let mut context = hmac::Context::with_key(&self.secret);
        context.update(access_key.as_bytes());
        context.update(token.as_bytes());
        let tag = context.sign();
        let bytes = tag.as_ref().get(..30).unwrap_or_default();
        Secret::from(STANDARD.encode(bytes))
    }
}
