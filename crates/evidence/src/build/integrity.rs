//! What proves the leaves: tiles, checkpoints, consistency.

use std::io::{Seek, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::tile::{self, Level, TILE_WIDTH, Tile};
use ledger::{Hash, tree};

use super::{Build, BuildError, Progress, tile_path};
use crate::bundle::writer::Writer;
use crate::bundle::{json, layout};
use crate::tree::{Consistency, Frontier};

/// A leaf as a line of JSON.
pub(super) fn line(leaf: u64, entry: &[u8]) -> String {
    format!(
        "{{\"index\":{leaf},\"entry\":\"{}\"}}\n",
        STANDARD.encode(entry)
    )
}

/// A leaf of which only the hash is shown.
pub(super) fn redacted(leaf: u64, entry: &[u8]) -> String {
    format!(
        "{{\"index\":{leaf},\"redacted\":\"{}\"}}\n",
        tree::leaf_hash(entry).to_base64()
    )
}

impl Build<'_, '_> {
    pub(super) fn integrity<W: Write + Seek>(
        &mut self,
        writer: &mut Writer<W>,
    ) -> Result<(), BuildError> {
        self.hashes(writer)?;
        if self.request.target.is_none() {
            self.entries(writer)?;
        }
        let end = self.log.checkpoint().clone();
        writer.add(layout::CHECKPOINT, end.note().as_bytes())?;
        if let Some(start) = &self.range.start {
            writer.add(layout::CHECKPOINT_START, start.note().as_bytes())?;
        }
        let (old_size, new_size) = (self.period.first, end.size());
        let start = self.range.start.as_ref();
        let proof = self.log.consistency_proof(old_size, new_size)?;
        let consistency = Consistency {
            old_size,
            old_root: start
                .map_or_else(tree::empty_root, |start| *start.root())
                .to_base64(),
            new_size,
            new_root: end.root().to_base64(),
            proof: proof.iter().map(Hash::to_base64).collect(),
        };
        writer.add(layout::CONSISTENCY, json(&consistency).as_bytes())?;
        self.checkpoints(writer)
    }

    /// Every checkpoint from start to end, an empty line after each.
    fn checkpoints<W: Write + Seek>(&mut self, writer: &mut Writer<W>) -> Result<(), BuildError> {
        let mut file = self.spool.create("checkpoints")?;
        let (first, end) = (self.period.first, self.log.checkpoint());
        let mut last = None;
        for checkpoint in self.sources.log.checkpoints()?.chain([Ok(end.clone())]) {
            let checkpoint = checkpoint?;
            if checkpoint.size() < first
                || checkpoint.size() > end.size()
                || last.as_deref() == Some(checkpoint.note())
            {
                continue;
            }
            file.write(format!("{}\n", checkpoint.note()).as_bytes())?;
            last = Some(checkpoint.note().to_owned());
        }
        file.copy_to(layout::CHECKPOINTS, writer)
    }

    /// Every tile of hashes of the tree at the end of the period.
    fn hashes<W: Write + Seek>(&mut self, writer: &mut Writer<W>) -> Result<(), BuildError> {
        let size = self.period.end;
        let mut frontier = Frontier::default();
        let mut filled = Vec::new();
        while frontier.size() < size {
            let next = frontier.size();
            let hashes = self
                .log
                .leaf_hashes(next..(next + u64::from(TILE_WIDTH)).min(size))?;
            if hashes.is_empty() {
                return Err(BuildError::Root(size));
            }
            hashes
                .iter()
                .for_each(|hash| frontier.push(*hash, &mut filled));
            for (tile, hashes) in filled.drain(..) {
                writer.add(&tile_path(&tile), &tile::encode_hashes(&hashes))?;
            }
            (self.progress)(Progress::Proving(frontier.size(), size));
        }
        for (tile, hashes) in frontier.partials() {
            writer.add(&tile_path(&tile), &tile::encode_hashes(&hashes))?;
        }
        if frontier.root() == *self.log.checkpoint().root() {
            Ok(())
        } else {
            Err(BuildError::Root(size))
        }
    }

    /// The bundles that hold the period's entries; the first may begin before it.
    fn entries<W: Write + Seek>(&mut self, writer: &mut Writer<W>) -> Result<(), BuildError> {
        let (first, size, width) = (self.period.first, self.period.end, u64::from(TILE_WIDTH));
        if first == size {
            return Ok(());
        }
        for index in first / width..size.div_ceil(width) {
            let Some(tile) = Tile::in_tree(Level::Entries, index, size) else {
                break;
            };
            let mut bundle = Vec::new();
            for item in self.log.entries(index * width..(index + 1) * width) {
                let (leaf, bytes) = item?;
                tile::encode_entry(&mut bundle, &bytes).map_err(|error| BuildError::Entry {
                    leaf,
                    why: error.to_string(),
                })?;
            }
            writer.add(&tile_path(&tile), &bundle)?;
        }
        Ok(())
    }
}
