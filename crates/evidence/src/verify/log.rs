//! Checkpoints, consistency, and the tree of hashes.

use std::io::{Read, Seek};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::tile::{self, Level, TILE_WIDTH, Tile};
use ledger::{Checkpoint, Hash, tree};
use model::{Digest, Entry};
use serde::Deserialize;

use super::{Checked, Run};
use crate::bundle::{Defect, layout};
use crate::tree::{Consistency, Frontier};

/// A line of `leaves.jsonl` or `context.jsonl`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) index: u64,
    #[serde(default)]
    entry: Option<String>,
    #[serde(default)]
    redacted: Option<String>,
}

/// What a leaf is here.
pub(super) enum Content {
    Entry(Vec<u8>),
    Redacted(Hash),
}

impl Line {
    pub(super) fn parse(text: &str) -> Option<(u64, Content)> {
        let line: Self = serde_json::from_str(text).ok()?;
        let content = match (line.entry, line.redacted) {
            (Some(entry), None) => Content::Entry(STANDARD.decode(entry).ok()?),
            (None, Some(hash)) => Content::Redacted(Hash::from_base64(&hash)?),
            _ => return None,
        };
        Some((line.index, content))
    }
}

impl<R: Read + Seek> Run<'_, R> {
    fn checkpoint(&mut self, path: &str) -> Result<Checkpoint, Defect> {
        let bytes = self.bundle.whole(path)?;
        self.signed(path, &bytes)
    }

    fn signed(&self, path: &str, note: &[u8]) -> Result<Checkpoint, Defect> {
        Checkpoint::verify(note, std::slice::from_ref(&self.key))
            .map_err(|error| Defect::new(path, error.to_string()))
    }

    /// Every checkpoint is signed, of one log, and in order; start and end are those of the period.
    pub(super) fn checkpoints(&mut self) -> Checked {
        let end = self.checkpoint(layout::CHECKPOINT)?;
        let (first, last) = (self.period.first, self.period.end);
        if end.size() != last {
            return Err(Defect::new(
                layout::CHECKPOINT,
                format!("is of size {}, and the period ends at {last}", end.size()),
            ));
        }
        let bad = |why: String| Defect::new(layout::CHECKPOINTS, why);
        if self.bundle.has(layout::CHECKPOINT_START) || first > 0 {
            let start = self.checkpoint(layout::CHECKPOINT_START)?;
            if start.size() != first || start.origin() != end.origin() {
                let why = format!(
                    "is of size {} of {}, and the period begins at {first}",
                    start.size(),
                    start.origin()
                );
                return Err(Defect::new(layout::CHECKPOINT_START, why));
            }
            self.roots.push((first, *start.root()));
        }
        let text = self.bundle.text(layout::CHECKPOINTS)?;
        let mut count = 0_u64;
        for note in notes(&text) {
            let checkpoint = self.signed(layout::CHECKPOINTS, note.as_bytes())?;
            let size = checkpoint.size();
            let before = self.roots.last().map_or(first, |(size, _)| *size);
            if checkpoint.origin() != end.origin() || size < before || size > last {
                return Err(bad(format!(
                    "checkpoint {count} is of size {size} of {}, out of order",
                    checkpoint.origin()
                )));
            }
            self.roots.push((size, *checkpoint.root()));
            count += 1;
        }
        self.roots.push((last, *end.root()));
        self.end = Some(end);
        Ok(format!(
            "{count} signed with the log's key, from size {first} to {last}"
        ))
    }

    pub(super) fn consistency(&mut self) -> Checked {
        let text = self.bundle.text(layout::CONSISTENCY)?;
        let bad = |why: String| Defect::new(layout::CONSISTENCY, why);
        let given: Consistency =
            serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        let end = self
            .end
            .as_ref()
            .ok_or_else(|| bad("there is no checkpoint to check it against".to_owned()))?;
        let start = self
            .roots
            .first()
            .filter(|_| self.period.first > 0)
            .map_or_else(tree::empty_root, |(_, root)| *root);
        let stated = (given.old_size, given.new_size) == (self.period.first, end.size())
            && given.old_root == start.to_base64()
            && given.new_root == end.root().to_base64();
        if !stated {
            return Err(bad(
                "it is not about the checkpoints of this period".to_owned()
            ));
        }
        let proof: Option<Vec<Hash>> = given
            .proof
            .iter()
            .map(|hash| Hash::from_base64(hash))
            .collect();
        let proof = proof.ok_or_else(|| bad("a hash is not Base64 of 32 bytes".to_owned()))?;
        tree::verify_consistency(given.old_size, given.new_size, &start, end.root(), &proof)
            .map_err(|error| bad(error.to_string()))?;
        Ok("the log at the start is a prefix of the log at the end".to_owned())
    }

    pub(super) fn read_context(&mut self) -> Result<(), Defect> {
        let text = self.bundle.text(layout::CONTEXT)?;
        let bad =
            |number: usize, why: &str| Defect::new(layout::CONTEXT, format!("line {number} {why}"));
        let mut last = None;
        for (number, line) in (1..).zip(text.lines()) {
            let Some((leaf, Content::Entry(entry))) = Line::parse(line) else {
                return Err(bad(number, "is no entry"));
            };
            if last.is_some_and(|last| last >= leaf) || leaf >= self.period.first {
                return Err(bad(number, "is out of order, or of the period itself"));
            }
            if leaf + 1 == self.period.first
                && let Ok(Entry { at, .. }) = Entry::decode(&entry)
                && at >= self.period.from
            {
                return Err(bad(
                    number,
                    "is of the time asked for, and lies before the leaves that are here",
                ));
            }
            last = Some(leaf);
            self.context.insert(leaf, entry);
        }
        Ok(())
    }

    /// The tiles of hashes give every root that a checkpoint states, and every tile above them.
    pub(super) fn tree(&mut self) -> Checked {
        let end = self.period.end;
        let width = u64::from(TILE_WIDTH);
        let begin = self.begin_of_entries();
        let mut roots = std::mem::take(&mut self.roots).into_iter().peekable();
        let mut frontier = Frontier::default();
        let mut filled = Vec::new();
        let mut tiles = 0_usize;
        loop {
            if frontier.size() == begin {
                self.seed = frontier.clone();
            }
            while let Some((size, root)) = roots.next_if(|(size, _)| *size == frontier.size()) {
                if frontier.root() != root {
                    let why = format!(
                        "the checkpoint of size {size} states another root than the tiles of hashes give"
                    );
                    return Err(Defect::new(layout::CHECKPOINTS, why));
                }
            }
            let next = frontier.size();
            if next == end {
                break;
            }
            // Up to the next place where something is to be compared.
            let stop = roots.peek().map_or(end, |(size, _)| *size).min(end);
            let stop = if next < begin { stop.min(begin) } else { stop };
            let stop = stop.min((next / width + 1) * width).max(next + 1);
            let hashes = self.tile(next / width)?;
            for leaf in next..stop {
                let Some(hash) = hashes.get((leaf % width) as usize) else {
                    break;
                };
                if self
                    .context
                    .get(&leaf)
                    .is_some_and(|entry| tree::leaf_hash(entry) != *hash)
                {
                    return Err(Defect::new(
                        format!("leaf {leaf}"),
                        format!("{} holds another entry than the log", layout::CONTEXT),
                    ));
                }
                frontier.push(*hash, &mut filled);
            }
            tiles += self.same_tiles(&mut filled)?;
        }
        filled.extend(frontier.partials());
        tiles += self.same_tiles(&mut filled)?;
        let prefix = format!("{}tile/", layout::TLOG);
        let entries = format!("{prefix}entries/");
        let here = self
            .bundle
            .names()
            .filter(|name| name.starts_with(&prefix) && !name.starts_with(&entries))
            .count();
        if here != tiles {
            return Err(Defect::new(
                prefix,
                format!("{here} tiles of hashes are here, and the tree has {tiles}"),
            ));
        }
        Ok(format!(
            "{end} leaf hashes in {tiles} tiles give every checkpoint's root"
        ))
    }

    /// Where the entries in the bundle begin: whole bundles may begin before the period.
    pub(super) fn begin_of_entries(&self) -> u64 {
        let first = self.period.first;
        if self.period.target.is_some() || first == self.period.end {
            first
        } else {
            first - first % u64::from(TILE_WIDTH)
        }
    }

    /// The hashes of one tile of leaves.
    pub(super) fn tile(&mut self, index: u64) -> Result<Vec<Hash>, Defect> {
        let place = || Defect::new(layout::TLOG, "the tree has no such tile");
        let tile = Tile::in_tree(Level::Hashes(0), index, self.period.end).ok_or_else(place)?;
        let path = format!("{}{tile}", layout::TLOG);
        let bytes = self.bundle.whole(&path)?;
        tile::decode_hashes(&bytes, usize::from(tile.width()))
            .map_err(|error| Defect::new(path, error.to_string()))
    }

    /// Whether the files hold these tiles.
    fn same_tiles(&self, tiles: &mut Vec<(Tile, Vec<Hash>)>) -> Result<usize, Defect> {
        let count = tiles.len();
        for (tile, hashes) in tiles.drain(..) {
            if !self.is_tile(&tile, &hashes) {
                let path = format!("{}{tile}", layout::TLOG);
                return Err(Defect::new(path, "is not what the tiles below it give"));
            }
        }
        Ok(count)
    }

    pub(super) fn is_tile(&self, tile: &Tile, hashes: &[Hash]) -> bool {
        let due = Digest::of(&[&tile::encode_hashes(hashes)]);
        self.actual
            .get(&format!("{}{tile}", layout::TLOG))
            .is_some_and(|file| file.sha256 == due)
    }
}

/// The notes of a history: each ends in signature lines and an empty line.
fn notes(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        // The first empty line ends the text, the second the signatures.
        let text_ends = rest.find("\n\n").map(|at| at + 2);
        let end = text_ends.and_then(|at| rest.get(at..)?.find("\n\n").map(|more| at + more + 1));
        let (note, tail) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        rest = tail.strip_prefix('\n').unwrap_or(tail);
        Some(note)
    })
}
