//! The version of a set of policies, from the digests of its files.

use model::{Digest, FileDigest, PolicyVersion};

/// SHA-256 over one line for each file: its SHA-256 in hexadecimal, two spaces, its name, a line feed. The same as
/// `LC_ALL=C sha256sum *.cedar | sha256sum` in their folder.
pub(crate) fn version(files: &[FileDigest]) -> PolicyVersion {
    let lines: String = files
        .iter()
        .map(|file| format!("{}  {}\n", file.sha256, file.name))
        .collect();
    Digest::of(&[lines.as_bytes()])
}
