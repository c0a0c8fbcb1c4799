//! Tiles and entry bundles: their coordinates, their paths, their bytes (C2SP tlog-tiles).

use std::fmt;

use crate::tree::{HASH_BYTES, Hash};

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// Levels of the tree that one level of tiles spans.
pub const TILE_HEIGHT: u8 = 8;

/// The largest entry: its length must fit a uint16.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// The highest level of tiles that the format has a path for.
const LEVEL_MAX: u8 = 63;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Log entries, each behind its length: an entry bundle.
    Entries,
    /// Hashes of complete subtrees of `256^level` leaves.
    Hashes(u8),
}

/// The coordinates of one tile: its path, not its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: Level,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile at `index` of `level` with `width` hashes or entries, 1 to 256; `None` outside the format.
    #[must_use]
    pub fn new(level: Level, index: u64, width: u16) -> Option<Self> {
        let legal = (1..=TILE_WIDTH).contains(&width)
            && !matches!(level, Level::Hashes(l) if l > LEVEL_MAX);
        legal.then_some(Self {
            level,
            index,
            width,
        })
    }

    /// The tile at `index` of `level` as it stands in a tree of `size` entries; `None` if it is empty then.
    #[must_use]
    pub fn in_tree(level: Level, index: u64, size: u64) -> Option<Self> {
        let items = items_at(level, size);
        let width = items
            .checked_sub(index.checked_mul(u64::from(TILE_WIDTH))?)?
            .min(u64::from(TILE_WIDTH));
        Self::new(level, index, width as u16)
    }

    /// Hashes or entries.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// The tile's place in its level.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds, 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it holds all 256 and will never change again.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The full tile in the same place.
    #[must_use]
    pub const fn full(&self) -> Self {
        Self {
            width: TILE_WIDTH,
            ..*self
        }
    }

    /// The folder that holds all partial forms of this tile, relative to the log.
    #[must_use]
    pub fn partial_dir(&self) -> String {
        format!("{}.p", self.full())
    }

    /// Reads a path relative to the log, such as `tile/0/x001/234.p/5`; `None` unless it is exactly how that tile is
    /// written.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let level = if level == "entries" {
            Level::Entries
        } else {
            Level::Hashes(level.parse().ok()?)
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (
                number,
                width.parse().ok().filter(|width| *width < TILE_WIDTH)?,
            ),
            None => (rest, TILE_WIDTH),
        };
        let mut index: u64 = 0;
        for group in number.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        // One way to write each tile: signs, missing zeros and misplaced x all fail here.
        Self::new(level, index, width).filter(|tile| tile.to_string() == path)
    }
}

/// The path relative to the log, such as `tile/0/x001/234.p/5`.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Level::Entries => f.write_str("tile/entries/")?,
            Level::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        write_index(f, self.index / 1000)?;
        write!(f, "{:03}", self.index % 1000)?;
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width)
        }
    }
}

/// Every path element but the last, from the highest: each with its `x`.
fn write_index(f: &mut fmt::Formatter<'_>, thousands: u64) -> fmt::Result {
    if thousands == 0 {
        return Ok(());
    }
    write_index(f, thousands / 1000)?;
    write!(f, "x{:03}/", thousands % 1000)
}

/// How many hashes or entries a level holds, full and partial tiles together, in a tree of `size` entries.
#[must_use]
pub fn items_at(level: Level, size: u64) -> u64 {
    match level {
        Level::Entries => size,
        Level::Hashes(level) => size
            .checked_shr(u32::from(level) * u32::from(TILE_HEIGHT))
            .unwrap_or(0),
    }
}

/// The bytes of a tile of hashes.
#[must_use]
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(Hash::as_bytes).copied().collect()
}

/// Reads a tile of hashes that must hold exactly `width`.
///
/// # Errors
///
/// [`BadTile::Length`] if it does not.
pub fn decode_hashes(bytes: &[u8], width: usize) -> Result<Vec<Hash>, BadTile> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if hashes.len() != width || !rest.is_empty() {
        return Err(BadTile::Length { wanted: width });
    }
    Ok(hashes.iter().map(|bytes| Hash::new(*bytes)).collect())
}

/// Adds one entry to a bundle: its length as a big-endian uint16, then its bytes.
///
/// # Errors
///
/// [`BadEntry`] unless it has 1 to 65,535 bytes.
pub fn encode_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), BadEntry> {
    let length = entry_length(entry)?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The length of an entry as a bundle writes it.
///
/// # Errors
///
/// [`BadEntry`] unless it has 1 to 65,535 bytes.
pub fn entry_length(entry: &[u8]) -> Result<u16, BadEntry> {
    match u16::try_from(entry.len()) {
        Ok(0) => Err(BadEntry::Empty),
        Ok(length) => Ok(length),
        Err(_) => Err(BadEntry::TooLarge { bytes: entry.len() }),
    }
}

/// Reads a bundle that must hold exactly `width` entries and nothing else.
///
/// # Errors
///
/// [`BadTile`] if it does not.
pub fn decode_entries(bundle: &[u8], width: usize) -> Result<Vec<&[u8]>, BadTile> {
    let mut entries = Vec::with_capacity(width.min(bundle.len() / 2));
    let mut rest = bundle;
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let (entry, tail) = tail
            .split_at_checked(usize::from(u16::from_be_bytes(*length)))
            .ok_or(BadTile::Torn)?;
        entries.push(entry);
        rest = tail;
    }
    if !rest.is_empty() {
        return Err(BadTile::Torn);
    }
    if entries.len() != width {
        return Err(BadTile::Length { wanted: width });
    }
    Ok(entries)
}

/// Why the bytes of a tile are not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTile {
    /// It holds more or less than its path says.
    #[error("it does not hold {wanted} items")]
    Length {
        /// The width that its path gives.
        wanted: usize,
    },
    /// Its last entry ends too early.
    #[error("an entry is cut short")]
    Torn,
}

/// Why bytes cannot be an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadEntry {
    /// There are none.
    #[error("an entry has at least 1 byte")]
    Empty,
    /// There are too many for the format.
    #[error(
        "an entry has at most {ENTRY_BYTES_MAX} bytes, this one has {bytes}: record a digest of it instead"
    )]
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
    },
}

#[cfg(test)]
mod tests;
