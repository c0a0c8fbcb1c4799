//! Where a secret comes from. The configuration only ever holds the place.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use model::Secret;

/// A secret is at most so many bytes.
const SECRET_BYTES_MAX: usize = 64 * 1024;

/// A file or an environment variable that holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A file; one line end at its end does not count. Read at every use, so that a rotated secret takes effect.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

/// A secret that cannot be had. Names the place, never the content.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("the secret file {0} cannot be read: {1}")]
    File(PathBuf, std::io::Error),
    /// The variable is not set.
    #[error("the environment variable {0} is not set: set it to the secret")]
    Env(String),
    /// There is nothing in it, or too much.
    #[error("the secret in {0} is empty or longer than {SECRET_BYTES_MAX} bytes")]
    Length(String),
}

impl SecretSource {
    /// Its file, where accounts other than its owner and its group can read it.
    #[must_use]
    pub fn open_to_all(&self) -> Option<&Path> {
        let Self::File(path) = self else { return None };
        let mode = std::fs::metadata(path).ok()?.permissions().mode();
        (mode & 0o004 != 0).then_some(path)
    }

    /// The secret itself.
    ///
    /// # Errors
    /// [`SecretError`] where the place holds none.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let (mut bytes, place) = match self {
            Self::File(path) => {
                let bytes =
                    std::fs::read(path).map_err(|error| SecretError::File(path.clone(), error))?;
                (bytes, path.display().to_string())
            }
            Self::Env(name) => {
                use std::os::unix::ffi::OsStringExt;
                let value = std::env::var_os(name).ok_or_else(|| SecretError::Env(name.clone()))?;
                (value.into_vec(), name.clone())
            }
        };
        if let Self::File(_) = self {
            for end in [b'\n', b'\r'] {
                if bytes.last() == Some(&end) {
                    bytes.pop();
                }
            }
        }
        let secret = Secret::new(bytes);
        if secret.expose().is_empty() || secret.expose().len() > SECRET_BYTES_MAX {
            return Err(SecretError::Length(place));
        }
        Ok(secret)
    }
}
