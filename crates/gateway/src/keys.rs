//! The gateway's own keys: made on first start, each in a file that only this account can read.
//!
//! ```text
//! <data>/keys/ledger.key      signs checkpoints (Ed25519, as sumdb/note writes it); ledger.pub is its public half
//! <data>/keys/commands.key    salts the digests of commands (HMAC-SHA-256)
//! <data>/keys/issuer.key      signs the built-in issuer's tokens (P-256, PKCS #8)
//! <data>/keys/aws.key         makes the keys that AWS's clients hold (32 bytes)
//! <data>/keys/mask.key        makes what is shown in place of values with the strategies hash and format (32 bytes)
//! <data>/keys/recording.key   wraps the keys of recordings, unless the configuration names another file
//! ```

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use ledger::SigningKey;
use mask::MaskKey;
use model::Secret;
use recording::Kek;
use zeroize::Zeroizing;

use crate::random::{self, NoRandomness};
use crate::tls::write_once;

/// A key file is at most so long.
const KEY_BYTES_MAX: u64 = 16 * 1_024;

/// Keys that cannot be had. Names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The disk refused.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// Others can read a key.
    #[error(
        "{0} can be read by others than its owner: chmod 600 it, and consider whether the key is still secret"
    )]
    Open(PathBuf),
    /// What is there is no such key.
    #[error("{0} is not the key it should be: {1}")]
    Bad(PathBuf, String),
    /// No gateway has made it yet.
    #[error("{0} is not there: it is made when the gateway first starts")]
    Missing(PathBuf),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

/// The gateway's keys.
pub struct Keys {
    /// Signs checkpoints.
    pub ledger: SigningKey,
    /// Salts the digests of commands.
    pub commands: hmac::Key,
    /// Wraps the keys of recordings.
    pub recording: Kek,
    /// The built-in issuer's.
    pub issuer: Secret,
    /// Makes the keys that AWS's clients hold.
    pub aws: Secret,
    /// Makes what is shown in place of values.
    pub mask: MaskKey,
}

/// Makes the data folder, for this account alone, and the folder of keys in it.
///
/// # Errors
/// [`KeysError::Io`] names the folder.
pub fn prepare(data: &Path) -> Result<(), KeysError> {
    let folder = data.join("keys");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| KeysError::Io(folder, error))
}

impl Keys {
    /// Reads the keys under `data`, and makes those that are not there. `origin` is the ledger's name; `recording` the file of
    /// the key that wraps recordings' keys.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn open(data: &Path, origin: &str, recording: &Path) -> Result<Self, KeysError> {
        let folder = data.join("keys");
        Ok(Self {
            ledger: ledger(&folder, origin)?,
            commands: hmac::Key::new(
                hmac::HMAC_SHA256,
                &thirty_two(&folder.join("commands.key"))?,
            ),
            recording: Kek::new(&thirty_two(recording)?)
                .map_err(|error| KeysError::Bad(recording.to_owned(), error.to_string()))?,
            issuer: issuer(&folder.join("issuer.key"))?,
            aws: Secret::new(thirty_two(&folder.join("aws.key"))?.to_vec()),
            mask: MaskKey::new(&thirty_two(&folder.join("mask.key"))?),
        })
    }
}

/// The key under which a gateway with this data folder hides values.
///
/// # Errors
/// [`KeysError`] where it cannot be read, or no gateway has made it yet.
pub fn mask(data: &Path) -> Result<MaskKey, KeysError> {
    let path = data.join("keys").join("mask.key");
    if path.try_exists().is_ok_and(|exists| !exists) {
        return Err(KeysError::Missing(path));
    }
    Ok(MaskKey::new(&thirty_two(&path)?))
}

fn ledger(folder: &Path, origin: &str) -> Result<SigningKey, KeysError> {
    let path = folder.join("ledger.key");
    let bad = |error: &dyn std::fmt::Display| KeysError::Bad(path.clone(), error.to_string());
    let bytes = read_or(&path, || {
        let seed = Zeroizing::new(random::bytes()?);
        let text = ledger::note::private_key_text(origin, &seed).map_err(|error| bad(&error))?;
        Ok(Zeroizing::new(format!("{}\n", text.as_str()).into_bytes()))
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|error| bad(&error))?;
    let key = SigningKey::parse(text.trim_end()).map_err(|error| bad(&error))?;
    let public = folder.join("ledger.pub");
    write_once(&public, format!("{}\n", key.verifier()).as_bytes())
        .map_err(|error| KeysError::Io(public, error))?;
    Ok(key)
}

fn issuer(path: &Path) -> Result<Secret, KeysError> {
    let bytes = read_or(path, || {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let made = key
            .and_then(|key| key.to_pkcs8v1())
            .map_err(|_| NoRandomness)?;
        Ok(Zeroizing::new(made.as_ref().to_vec()))
    })?;
    Ok(Secret::new(bytes.to_vec()))
}

fn thirty_two(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    let bytes = read_or(path, || Ok(Zeroizing::new(random::bytes::<32>()?.to_vec())))?;
    if bytes.len() < 32 {
        return Err(KeysError::Bad(
            path.to_owned(),
            format!("it holds {} bytes, and 32 are needed", bytes.len()),
        ));
    }
    Ok(bytes)
}

/// The file's bytes; where it is not there, what `make` gives, once it is on the disk.
fn read_or(
    path: &Path,
    make: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeysError>,
) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    let failed = |error| KeysError::Io(path.to_owned(), error);
    if !path.try_exists().map_err(failed)? {
        write_once(path, &make()?).map_err(failed)?;
    }
    let meta = fs::metadata(path).map_err(failed)?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(KeysError::Open(path.to_owned()));
    }
    if meta.len() > KEY_BYTES_MAX {
        return Err(KeysError::Bad(
            path.to_owned(),
            format!("it is longer than {KEY_BYTES_MAX} bytes"),
        ));
    }
    fs::read(path).map(Zeroizing::new).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        prepare(&data).unwrap();
        let recording = data.join("keys/recording.key");
        let open = || Keys::open(&data, "example.com/log", &recording);
        let first = open().unwrap();
        let second = open().unwrap();
        assert_eq!(
            first.ledger.verifier().to_string(),
            second.ledger.verifier().to_string()
        );
        assert_eq!(first.recording.id(), second.recording.id());
        assert_eq!(first.issuer.expose(), second.issuer.expose());
        assert_eq!(
            fs::metadata(&data).unwrap().permissions().mode() & 0o777,
            0o700
        );
        let names = [
            "aws.key",
            "commands.key",
            "issuer.key",
            "ledger.key",
            "ledger.pub",
            "mask.key",
            "recording.key",
        ];
        let mut found: Vec<_> = fs::read_dir(data.join("keys"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .inspect(|entry| {
                assert_eq!(
                    entry.metadata().unwrap().permissions().mode() & 0o777,
                    0o600
                )
            })
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        found.sort();
        assert_eq!(found, names);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        prepare(data).unwrap();
        let recording = data.join("keys/recording.key");
        Keys::open(data, "example.com/log", &recording).unwrap();
        let commands = data.join("keys/commands.key");
        fs::set_permissions(&commands, fs::Permissions::from_mode(0o640)).unwrap();
        let error = Keys::open(data, "example.com/log", &recording)
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("commands.key") && error.contains("chmod 600"),
            "{error}"
        );
        fs::set_permissions(&commands, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&recording, "short").unwrap();
        let error = Keys::open(data, "example.com/log", &recording)
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("recording.key") && error.contains("32 are needed"),
            "{error}"
        );
    }
}
