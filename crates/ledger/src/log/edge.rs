//! The right edge of a tiled tree: what must be kept to let it grow without reading it again.

use std::path::PathBuf;

use crate::tile::{self, BadEntry, Level, TILE_WIDTH, Tile};
use crate::tree::{self, Hash};

/// The tiles of a tree that are not full yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edge {
    size: u64,
    /// For each level of tiles the hashes of its last, partial tile: 0 to 255.
    levels: Vec<Vec<Hash>>,
    /// The entries of the last, partial bundle, as it is written.
    bundle: Vec<u8>,
}

/// A tile and its bytes.
pub(crate) type TileFile = (Tile, Vec<u8>);

impl Edge {
    /// Takes up a tree of `size` entries from its partial tiles, lowest level first.
    pub(crate) fn from_parts(size: u64, levels: Vec<Vec<Hash>>, bundle: Vec<u8>) -> Self {
        Self {
            size,
            levels,
            bundle,
        }
    }

    /// How many entries the tree has.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Its root hash.
    pub(crate) fn root(&self) -> Hash {
        let mut smaller: Option<Hash> = None;
        for hashes in &self.levels {
            let mut row = hashes.clone();
            row.extend(smaller);
            smaller = (!row.is_empty()).then(|| tree::root(&row));
        }
        smaller.unwrap_or_else(tree::empty_root)
    }

    /// Adds an entry; what it fills goes to `filled`.
    pub(crate) fn push(
        &mut self,
        entry: &[u8],
        leaf: Hash,
        filled: &mut Vec<TileFile>,
    ) -> Result<(), BadEntry> {
        tile::encode_entry(&mut self.bundle, entry)?;
        self.size += 1;
        if self.size.is_multiple_of(u64::from(TILE_WIDTH)) {
            let bundle = std::mem::take(&mut self.bundle);
            self.fill(Level::Entries, 0, bundle, filled);
        }
        self.push_hash(0, leaf, filled);
        Ok(())
    }

    /// The partial tiles as they stand, the bundle's among them.
    pub(crate) fn partials(&self) -> Vec<TileFile> {
        let bundle = Tile::in_tree(Level::Entries, self.size / u64::from(TILE_WIDTH), self.size);
        let mut files: Vec<TileFile> = bundle
            .map(|tile| (tile, self.bundle.clone()))
            .into_iter()
            .collect();
        for (level, hashes) in (0..).zip(&self.levels) {
            let items = tile::items_at(Level::Hashes(level), self.size);
            if let Some(tile) = Tile::in_tree(
                Level::Hashes(level),
                items / u64::from(TILE_WIDTH),
                self.size,
            ) {
                files.push((tile, tile::encode_hashes(hashes)));
            }
        }
        files
    }

    fn push_hash(&mut self, level: u8, hash: Hash, filled: &mut Vec<TileFile>) {
        if self.levels.len() <= usize::from(level) {
            self.levels
                .push(Vec::with_capacity(usize::from(TILE_WIDTH)));
        }
        let Some(hashes) = self.levels.get_mut(usize::from(level)) else {
            return;
        };
        hashes.push(hash);
        if hashes.len() == usize::from(TILE_WIDTH) {
            let parent = tree::root(hashes);
            let bytes = tile::encode_hashes(hashes);
            hashes.clear();
            self.fill(Level::Hashes(level), level, bytes, filled);
            self.push_hash(level + 1, parent, filled);
        }
    }

    fn fill(&self, level: Level, height: u8, bytes: Vec<u8>, filled: &mut Vec<TileFile>) {
        let items = tile::items_at(Level::Hashes(height), self.size);
        filled.extend(
            Tile::new(level, items / u64::from(TILE_WIDTH) - 1, TILE_WIDTH)
                .map(|tile| (tile, bytes)),
        );
    }
}

/// A tile's path relative to the log.
pub(crate) fn path(tile: &Tile) -> PathBuf {
    PathBuf::from(tile.to_string())
}

#[cfg(test)]
mod tests;
