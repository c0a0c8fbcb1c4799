//! Checkpoints: signed notes that say what a log held at some size (C2SP tlog-checkpoint).
//!
//! ```text
//! example.com/log          origin: which log this is
//! 20852163                 size: how many entries
//! CsUYapGGPo4dkMgI…q2I=    root hash, base64
//!
//! — example.com/log Az3…   signatures
//! ```

use crate::note::{BadNote, BadSignature, Note, SigningKey, Verifier};
use crate::tree::Hash;

/// What a log held at some size, with the note that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    note: String,
}

impl Checkpoint {
    /// Signs the state of a log.
    ///
    /// # Errors
    ///
    /// [`BadCheckpoint`] if the origin cannot stand in a checkpoint.
    pub fn sign(
        origin: &str,
        size: u64,
        root: Hash,
        key: &SigningKey,
    ) -> Result<Self, BadCheckpoint> {
        if origin.is_empty() || origin.contains('\n') {
            return Err(BadCheckpoint::Form);
        }
        let note = key.sign(&format!("{origin}\n{size}\n{}\n", root.to_base64()))?;
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            note: note.to_string(),
        })
    }

    /// Reads a checkpoint and checks that one of `keys` signed it.
    ///
    /// # Errors
    ///
    /// [`BadCheckpoint`] says what is wrong with it.
    pub fn verify(note: &[u8], keys: &[Verifier]) -> Result<Self, BadCheckpoint> {
        let parsed = Note::parse(note)?;
        parsed.verify(keys)?;
        Self::from_note(&parsed)
    }

    /// Reads a checkpoint without checking who signed it: only for what is checked by other means.
    ///
    /// # Errors
    ///
    /// [`BadCheckpoint`] says what is wrong with it.
    pub fn parse_unverified(note: &[u8]) -> Result<Self, BadCheckpoint> {
        Self::from_note(&Note::parse(note)?)
    }

    /// Which log this is.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries it held.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root hash over them.
    #[must_use]
    pub const fn root(&self) -> &Hash {
        &self.root
    }

    /// The signed note, byte for byte.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    fn from_note(note: &Note) -> Result<Self, BadCheckpoint> {
        let lines: Vec<&str> = note.text().trim_end_matches('\n').split('\n').collect();
        let [origin, size, root, extensions @ ..] = lines.as_slice() else {
            return Err(BadCheckpoint::Form);
        };
        let size_read: u64 = size.parse().map_err(|_| BadCheckpoint::Form)?;
        let root = Hash::from_base64(root).ok_or(BadCheckpoint::Form)?;
        let tidy =
            !origin.is_empty() && size_read.to_string() == *size && !extensions.contains(&"");
        if !tidy || note.text().ends_with("\n\n") {
            return Err(BadCheckpoint::Form);
        }
        Ok(Self {
            origin: (*origin).to_owned(),
            size: size_read,
            root,
            note: note.to_string(),
        })
    }
}

/// Why a checkpoint is not one, or not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCheckpoint {
    /// It is not even a note.
    #[error(transparent)]
    Note(#[from] BadNote),
    /// It is signed by nobody known, or wrongly.
    #[error(transparent)]
    Signature(#[from] BadSignature),
    /// Its text is not origin, size and root hash.
    #[error("not a checkpoint: its text is origin, size and root hash, a line each")]
    Form,
}

#[cfg(test)]
mod tests;
