//! Proof files: one entry's inclusion in a signed checkpoint, checked offline (C2SP tlog-proof).
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra YWdl…              optional, base64, authenticated by nobody
//! index 73894
//! gSKyXoYZ…                inclusion proof, a hash a line, from the leaf's sibling up
//!
//! example.com/log          the checkpoint, verbatim
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{BadCheckpoint, Checkpoint};
use crate::note::Verifier;
use crate::tree::{self, BadProof, Hash};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The longest inclusion proof: a tree of 2^64 leaves has one of 64 hashes.
const HASHES_MAX: usize = 64;

/// That an entry stands at an index of a log, and a checkpoint that covers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Data that travels along; nothing vouches for it.
    pub extra: Option<Vec<u8>>,
    /// The entry's index in the log.
    pub index: u64,
    /// The inclusion proof, from the leaf's sibling to the root's child.
    pub hashes: Vec<Hash>,
    /// The checkpoint's signed note.
    pub checkpoint: String,
}

impl TlogProof {
    /// Reads a proof file. Nothing is verified yet.
    ///
    /// # Errors
    ///
    /// [`BadTlogProof::Form`] if it is not one.
    pub fn parse(text: &str) -> Result<Self, BadTlogProof> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(BadTlogProof::Form)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(BadTlogProof::Form);
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            Some(line) => Some(
                STANDARD
                    .decode(line.trim_start_matches("extra "))
                    .map_err(|_| BadTlogProof::Form)?,
            ),
            None => None,
        };
        let digits = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .ok_or(BadTlogProof::Form)?;
        let index: u64 = digits.parse().map_err(|_| BadTlogProof::Form)?;
        let hashes: Option<Vec<Hash>> = lines.take(HASHES_MAX + 1).map(Hash::from_base64).collect();
        let hashes = hashes
            .filter(|hashes| hashes.len() <= HASHES_MAX)
            .ok_or(BadTlogProof::Form)?;
        if index.to_string() != digits {
            return Err(BadTlogProof::Form);
        }
        Ok(Self {
            extra,
            index,
            hashes,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Checks that one of `keys` signed the checkpoint, that it is of the log `origin`, and that the entry with this
    /// leaf hash stands in it. Gives the checkpoint.
    ///
    /// # Errors
    ///
    /// [`BadTlogProof`] says what does not hold.
    pub fn verify(
        &self,
        leaf: &Hash,
        origin: &str,
        keys: &[Verifier],
    ) -> Result<Checkpoint, BadTlogProof> {
        let checkpoint = Checkpoint::verify(self.checkpoint.as_bytes(), keys)?;
        if checkpoint.origin() != origin {
            return Err(BadTlogProof::Origin {
                found: checkpoint.origin().to_owned(),
            });
        }
        tree::verify_inclusion(
            self.index,
            checkpoint.size(),
            leaf,
            &self.hashes,
            checkpoint.root(),
        )?;
        Ok(checkpoint)
    }
}

/// The proof file as it is written.
impl std::fmt::Display for TlogProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes
            .iter()
            .try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Why a proof file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTlogProof {
    /// It is not written as one.
    #[error("not a {HEADER} file")]
    Form,
    /// Its checkpoint does not hold.
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] BadCheckpoint),
    /// It is of another log.
    #[error("its checkpoint is of the log {found:?}")]
    Origin {
        /// The log it is of.
        found: String,
    },
    /// The entry does not stand where it says.
    #[error(transparent)]
    Inclusion(#[from] BadProof),
}

#[cfg(test)]
mod tests;
