//! RFC 6962 Merkle trees over SHA-256: hashes, roots, inclusion and consistency proofs.
//!
//! What is not here: storage. Proving asks a closure for the hashes of complete subtrees, wherever they are kept.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes in a hash.
pub const HASH_BYTES: usize = 32;

/// A SHA-256 hash: of a leaf, of an inner node, or of a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; HASH_BYTES]);

impl Hash {
    /// Takes 32 bytes as a hash.
    #[must_use]
    pub const fn new(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }

    /// Takes a slice as a hash, if it has 32 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Reads standard base64 with padding, as checkpoints and proofs write it.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        Self::from_slice(&STANDARD.decode(text).ok()?)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }

    /// Standard base64 with padding.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }
}

/// Lowercase hexadecimal.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The hash of a leaf: `SHA-256(0x00 || entry)` (RFC 6962 section 2.1).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry])
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)` (RFC 6962 section 2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], &left.0, &right.0])
}

/// The hash of the tree without entries: `SHA-256()`.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// The Merkle Tree Hash over leaf hashes (RFC 6962 section 2.1).
///
/// Also right when each hash stands for a complete subtree of one size and the last for a smaller one, as at the right
/// edge of a tiled tree.
#[must_use]
pub fn root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty_root(),
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(split(hashes.len() as u64) as usize);
            node_hash(&root(left), &root(right))
        }
    }
}

pub(crate) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut bytes = [0; HASH_BYTES];
    bytes.copy_from_slice(context.finish().as_ref());
    Hash(bytes)
}

/// The largest power of two smaller than `leaves`, where a tree of two leaves or more is split (RFC 6962 section 2.1).
fn split(leaves: u64) -> u64 {
    debug_assert!(leaves > 1);
    1 << (leaves - 1).ilog2()
}

/// Proves that the leaf at `index` stands in the tree of `size` leaves (RFC 6962 section 2.1.1, `PATH`).
///
/// `node(level, n)` gives the hash of the complete subtree over the leaves `n << level .. (n + 1) << level`. The proof
/// runs from the leaf's sibling to the root's child.
///
/// # Errors
///
/// [`ProveError::OutOfRange`] if the tree has no such leaf; otherwise what `node` fails with.
pub fn prove_inclusion<E>(
    index: u64,
    size: u64,
    node: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, ProveError<E>> {
    if index >= size {
        return Err(ProveError::OutOfRange { from: index, size });
    }
    let (mut low, mut high) = (0, size);
    let mut proof = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        let (keep, sibling) = if index < middle {
            ((low, middle), (middle, high))
        } else {
            ((middle, high), (low, middle))
        };
        proof.push(range(sibling.0, sibling.1, node).map_err(ProveError::Node)?);
        (low, high) = keep;
    }
    proof.reverse();
    Ok(proof)
}

/// Proves that the tree of `old` leaves is a prefix of the tree of `new` leaves (RFC 6962 section 2.1.2, `PROOF`).
///
/// `node` is as for [`prove_inclusion`]. The proof is empty when `old` is 0 or equals `new`.
///
/// # Errors
///
/// [`ProveError::OutOfRange`] if `old` is more than `new`; otherwise what `node` fails with.
pub fn prove_consistency<E>(
    old: u64,
    new: u64,
    node: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, ProveError<E>> {
    if old > new {
        return Err(ProveError::OutOfRange {
            from: old,
            size: new,
        });
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut low, mut high) = (0, new);
    let mut proof = Vec::new();
    // Walk down to the subtree that ends where the old tree ended; each sibling on the way belongs in the proof.
    while high != old {
        let middle = low + split(high - low);
        let (keep, sibling) = if old <= middle {
            ((low, middle), (middle, high))
        } else {
            ((middle, high), (low, middle))
        };
        proof.push(range(sibling.0, sibling.1, node).map_err(ProveError::Node)?);
        (low, high) = keep;
    }
    // The verifier knows this subtree only if it is the whole old tree.
    if low != 0 {
        proof.push(range(low, high, node).map_err(ProveError::Node)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root of the tree of `size` leaves, from hashes of complete subtrees as in [`prove_inclusion`].
///
/// # Errors
///
/// What `node` fails with.
pub fn root_at<E>(size: u64, node: &mut impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Hash, E> {
    if size == 0 {
        Ok(empty_root())
    } else {
        range(0, size, node)
    }
}

/// The Merkle Tree Hash of the leaves `low..high`, which must be a subtree of some tree.
fn range<E>(
    low: u64,
    high: u64,
    node: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let leaves = high - low;
    if leaves.is_power_of_two() {
        let level = leaves.ilog2();
        return node(level as u8, low >> level);
    }
    let middle = low + split(leaves);
    let left = range(low, middle, node)?;
    Ok(node_hash(&left, &range(middle, high, node)?))
}

/// Why a proof could not be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    /// The question does not fit the tree.
    #[error("{from} is beyond a tree of {size} entries")]
    OutOfRange {
        /// The index or the older size asked about.
        from: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A hash was not to be had.
    #[error(transparent)]
    Node(E),
}

/// Checks that `leaf` stands at `index` in the tree of `size` leaves with that root (RFC 9162 section 2.1.3.2).
///
/// # Errors
///
/// [`BadProof`] says what does not fit.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), BadProof> {
    if index >= size {
        return Err(BadProof::OutOfRange { from: index, size });
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(BadProof::Length);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            // A last node without a right sibling is its parent: climb to where it is a right child.
            let climb = at.trailing_zeros();
            at >>= climb;
            last >>= climb;
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(BadProof::Length);
    }
    if hash == *root {
        Ok(())
    } else {
        Err(BadProof::Root)
    }
}

/// Checks that the tree of `old` leaves with `old_root` is a prefix of the tree of `new` leaves with `new_root`
/// (RFC 9162 section 2.1.4.2).
///
/// The empty tree is a prefix of every tree, by an empty proof.
///
/// # Errors
///
/// [`BadProof`] says what does not fit.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), BadProof> {
    if old > new {
        return Err(BadProof::OutOfRange {
            from: old,
            size: new,
        });
    }
    if old == 0 || old == new {
        let starts_empty = old > 0 || *old_root == empty_root();
        let ends_same = old < new || old_root == new_root;
        return match (proof, starts_empty && ends_same) {
            ([], true) => Ok(()),
            ([], false) => Err(BadProof::Root),
            _ => Err(BadProof::Length),
        };
    }
    // A complete old tree is its own first node, which the proof leaves out.
    let (first, rest) = match proof {
        _ if old.is_power_of_two() => (old_root, proof),
        [first, rest @ ..] => (first, rest),
        [] => return Err(BadProof::Length),
    };
    let climb = (old - 1).trailing_ones();
    let (mut at, mut last) = ((old - 1) >> climb, (new - 1) >> climb);
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(BadProof::Length);
        }
        if at & 1 == 1 || at == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            let climb = at.trailing_zeros();
            at >>= climb;
            last >>= climb;
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(BadProof::Length);
    }
    if old_hash == *old_root && new_hash == *new_root {
        Ok(())
    } else {
        Err(BadProof::Root)
    }
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    /// The claim does not fit the tree.
    #[error("{from} is beyond a tree of {size} entries")]
    OutOfRange {
        /// The index or the older size claimed.
        from: u64,
        /// The size of the tree.
        size: u64,
    },
    /// It has too many or too few hashes.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// It leads to another root.
    #[error("the proof leads to another root hash")]
    Root,
}

#[cfg(test)]
mod tests;
