//! Keys: one for each session, wrapped by the key that the gateway keeps (a key file now, a KMS later).

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Digest, SealedCommand};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What the first four bytes of a nonce say it is for; the other eight count.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    Chunk = 1,
    Command = 2,
}

pub(crate) fn nonce(of: Use, count: u64) -> Nonce {
    let mut bytes = [0; 12];
    let (head, tail) = bytes.split_at_mut(4);
    head.copy_from_slice(&(of as u32).to_be_bytes());
    tail.copy_from_slice(&count.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// A key or a sealed value that does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Another key wrapped it.
    #[error(
        "the session's key is wrapped by key {wrapped_by}, and this is key {this}: give the key file that wrapped it"
    )]
    OtherKek {
        /// The key it needs.
        wrapped_by: String,
        /// The key at hand.
        this: String,
    },
    /// It was changed, belongs to another session, or the key is wrong.
    #[error("it does not open under this key: it was changed, or belongs to another session")]
    Forged,
    /// It is not of the form it should be.
    #[error("it is malformed")]
    Malformed,
}

/// The key-encryption key.
pub struct Kek {
    key: LessSafeKey,
    id: String,
}

impl Kek {
    /// From 32 random bytes.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] where the bytes are not 32.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        let digest = Digest::of(&[b"countersign/kek/v1\0", bytes]).to_string();
        let id = digest.chars().take(16).collect();
        Ok(Self {
            key: aes(bytes)?,
            id,
        })
    }

    /// Its id: the first 16 hexadecimal digits of a domain-separated SHA-256 of it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Wraps the key of `session`. `nonce` is fresh and random.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] where the cipher refuses, which it does not.
    pub fn wrap(
        &self,
        session: &str,
        key: &SessionKey,
        nonce: [u8; 12],
    ) -> Result<WrappedKey, KeyError> {
        let mut sealed = key.bytes.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(session),
                &mut sealed,
            )
            .map_err(|_| KeyError::Malformed)?;
        Ok(WrappedKey {
            key_id: self.id.clone(),
            nonce: hex::encode(nonce),
            sealed: hex::encode(sealed),
        })
    }

    /// Unwraps the key of `session`.
    ///
    /// # Errors
    /// [`KeyError`] where another key wrapped it, or it was changed, or it is another session's.
    pub fn unwrap(&self, session: &str, wrapped: &WrappedKey) -> Result<SessionKey, KeyError> {
        if wrapped.key_id != self.id {
            return Err(KeyError::OtherKek {
                wrapped_by: wrapped.key_id.clone(),
                this: self.id.clone(),
            });
        }
        let mut nonce = [0; 12];
        hex::decode_to_slice(&wrapped.nonce, &mut nonce).map_err(|_| KeyError::Malformed)?;
        let mut sealed =
            Zeroizing::new(hex::decode(&wrapped.sealed).map_err(|_| KeyError::Malformed)?);
        let plain = self
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(session),
                &mut sealed,
            )
            .map_err(|_| KeyError::Forged)?;
        SessionKey::new(session, plain)
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kek")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A session's key as it lies beside its recording. Deleting it forgets the session's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedKey {
    /// The id of the key that wraps it.
    pub key_id: String,
    nonce: String,
    sealed: String,
}

/// A session's key.
pub struct SessionKey {
    bytes: Zeroizing<Vec<u8>>,
    pub(crate) aes: LessSafeKey,
    pub(crate) session: String,
}

impl SessionKey {
    /// From 32 random bytes.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] where the bytes are not 32.
    pub fn new(session: &str, bytes: &[u8]) -> Result<Self, KeyError> {
        Ok(Self {
            aes: aes(bytes)?,
            bytes: Zeroizing::new(bytes.to_vec()),
            session: session.to_owned(),
        })
    }

    /// The key under which the session's commitments to masked values are made.
    #[must_use]
    pub fn commitments(&self) -> hmac::Key {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.bytes);
        hmac::Key::new(
            hmac::HMAC_SHA256,
            &Digest::keyed(&key, &[b"countersign/commitments/v1"]).0,
        )
    }

    /// Opens what a [`CommandSealer`] of this session sealed.
    ///
    /// # Errors
    /// [`KeyError`] where it was changed or is another session's.
    pub fn open_command(&self, sealed: &str) -> Result<SealedCommand, KeyError> {
        let mut bytes = STANDARD.decode(sealed).map_err(|_| KeyError::Malformed)?;
        let (count, sealed) = bytes
            .split_first_chunk_mut::<8>()
            .ok_or(KeyError::Malformed)?;
        let plain = self
            .aes
            .open_in_place(
                nonce(Use::Command, u64::from_be_bytes(*count)),
                Aad::from(&self.session),
                sealed,
            )
            .map_err(|_| KeyError::Forged)?;
        serde_json::from_slice(plain).map_err(|_| KeyError::Malformed)
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKey")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// Seals the commands of one session, each under a nonce of its own. There is one for each session.
#[derive(Debug)]
pub struct CommandSealer {
    key: std::sync::Arc<SessionKey>,
    count: AtomicU64,
}

impl CommandSealer {
    /// The sealer of the session whose fresh key this is.
    #[must_use]
    pub fn new(key: std::sync::Arc<SessionKey>) -> Self {
        Self {
            key,
            count: AtomicU64::new(0),
        }
    }

    /// Seals a command: Base64 of a count and the ciphertext.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] where the cipher refuses, which it does not.
    pub fn seal(&self, command: &SealedCommand) -> Result<String, KeyError> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut plain = serde_json::to_vec(command).map_err(|_| KeyError::Malformed)?;
        let tag = self
            .key
            .aes
            .seal_in_place_separate_tag(
                nonce(Use::Command, count),
                Aad::from(&self.key.session),
                &mut plain,
            )
            .map_err(|_| KeyError::Malformed)?;
        let mut out = Vec::with_capacity(24 + plain.len());
        out.extend_from_slice(&count.to_be_bytes());
        out.extend_from_slice(&plain);
        out.extend_from_slice(tag.as_ref());
        Ok(STANDARD.encode(out))
    }
}

fn aes(bytes: &[u8]) -> Result<LessSafeKey, KeyError> {
    UnboundKey::new(&AES_256_GCM, bytes)
        .map(LessSafeKey::new)
        .map_err(|_| KeyError::Malformed)
}
