//! A tree as it grows from left to right: its root at every size, and its tiles.

use ledger::Hash;
use ledger::tile::{self, Level, TILE_WIDTH, Tile};
use ledger::tree;
use serde::{Deserialize, Serialize};

/// The proof between two checkpoints, as JSON has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consistency {
    pub(crate) old_size: u64,
    pub(crate) old_root: String,
    pub(crate) new_size: u64,
    pub(crate) new_root: String,
    /// RFC 6962 section 2.1.2, hashes in Base64.
    pub(crate) proof: Vec<String>,
}

/// The right edge of a tree: for each level of tiles the hashes of its last, partial tile.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frontier {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl Frontier {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; the tiles that it fills go to `filled`, lowest level first.
    pub(crate) fn push(&mut self, leaf: Hash, filled: &mut Vec<(Tile, Vec<Hash>)>) {
        self.size += 1;
        let (mut level, mut hash) = (0_u8, leaf);
        loop {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else {
                return;
            };
            hashes.push(hash);
            if hashes.len() < usize::from(TILE_WIDTH) {
                return;
            }
            let full = std::mem::take(hashes);
            hash = tree::root(&full);
            let index = tile::items_at(Level::Hashes(level), self.size) / u64::from(TILE_WIDTH) - 1;
            filled.extend(
                Tile::new(Level::Hashes(level), index, TILE_WIDTH).map(|tile| (tile, full)),
            );
            level += 1;
        }
    }

    /// The tiles that are not full.
    pub(crate) fn partials(&self) -> Vec<(Tile, Vec<Hash>)> {
        (0..)
            .zip(&self.levels)
            .filter(|(_, hashes)| !hashes.is_empty())
            .filter_map(|(level, hashes)| {
                let level = Level::Hashes(level);
                let index = tile::items_at(level, self.size) / u64::from(TILE_WIDTH);
                Tile::in_tree(level, index, self.size).map(|tile| (tile, hashes.clone()))
            })
            .collect()
    }

    /// The root hash at this size.
    pub(crate) fn root(&self) -> Hash {
        let mut smaller: Option<Hash> = None;
        for hashes in &self.levels {
            let mut row = hashes.clone();
            row.extend(smaller);
            smaller = (!row.is_empty()).then(|| tree::root(&row));
        }
        smaller.unwrap_or_else(tree::empty_root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_trees_at_every_size_and_every_tile_is_there() {
        let leaves: Vec<Hash> = (0..66_000_u32)
            .map(|n| tree::leaf_hash(&n.to_be_bytes()))
            .collect();
        let mut frontier = Frontier::default();
        let mut filled = Vec::new();
        assert_eq!(frontier.root(), tree::empty_root());
        for (n, leaf) in leaves.iter().enumerate() {
            frontier.push(*leaf, &mut filled);
            if n < 600 || n % 9_973 == 0 {
                assert_eq!(frontier.root(), tree::root(&leaves[..=n]), "{n}");
            }
        }
        filled.extend(frontier.partials());
        let mut names: Vec<String> = filled.iter().map(|(tile, _)| tile.to_string()).collect();
        names.sort();
        let mut wanted = Vec::new();
        for level in 0..3 {
            for index in 0..258 {
                wanted.extend(
                    Tile::in_tree(Level::Hashes(level), index, 66_000).map(|tile| tile.to_string()),
                );
            }
        }
        wanted.sort();
        assert_eq!(names, wanted);
        assert!(
            filled
                .iter()
                .all(|(tile, hashes)| hashes.len() == usize::from(tile.width()))
        );
    }
}
