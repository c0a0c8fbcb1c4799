//! Reading a folder that a writer left, with another implementation's eyes too, and one that was tampered with.

use std::time::Duration;

use tempfile::TempDir;
use tlog_tiles::tlog;

use super::*;
use crate::log::{Durability, Log, Options};
use crate::note::SigningKey;
use crate::proof::TlogProof;

const ORIGIN: &str = "example.com/read";

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[2; 32]).unwrap()
}

fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

/// A log with a checkpoint at each of the sizes.
fn log(sizes: &[u64]) -> TempDir {
    let dir = TempDir::new().unwrap();
    let options = Options {
        origin: ORIGIN.to_owned(),
        key: key(),
        durability: Durability::Interval(Duration::from_secs(3600)),
        integrate_every: Duration::from_secs(3600),
    };
    let log = Log::open(dir.path(), options).unwrap();
    let mut size = 0;
    for to in sizes {
        (size..*to).for_each(|n| drop(log.append(entry(n))));
        assert_eq!(log.flush().unwrap().size(), *to);
        size = *to;
    }
    log.close().unwrap();
    dir
}

fn open(dir: &TempDir) -> Reader {
    Reader::open(dir.path(), Some(key().verifier())).unwrap()
}

/// The folder as another implementation reads tiles: by path, and authenticating each against the root.
struct Theirs<'a>(&'a Path);

impl tlog_tiles::TileReader for Theirs<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog::Error> {
        let path = |tile: &tlog_tiles::Tile| tile.path().replacen("tile/8/", "tile/", 1);
        Ok(tiles
            .iter()
            .map(|tile| fs::read(self.0.join(path(tile))).unwrap())
            .collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn another_implementation_reads_and_authenticates_the_tiles() {
    for size in [1, 255, 256, 257, 700, 66_000] {
        let dir = log(&[size]);
        let reader = open(&dir);
        let root = tlog::Hash(*reader.checkpoint().root().as_bytes());
        let tiles = Theirs(dir.path());
        let hashes = tlog_tiles::TileHashReader::new(size, root, &tiles);
        assert_eq!(tlog::tree_hash(size, &hashes).unwrap(), root);
        for index in [0, size / 3, size / 2, size - 1] {
            let proof = tlog::prove_record(size, index, &hashes).unwrap();
            tlog::check_record(&proof, size, root, index, tlog::record_hash(&entry(index)))
                .unwrap();
            let ours: Vec<_> = reader.inclusion_proof(index, size).unwrap();
            assert_eq!(
                ours.iter()
                    .map(|hash| tlog::Hash(*hash.as_bytes()))
                    .collect::<Vec<_>>(),
                proof
            );
        }
    }
}

#[test]
fn ranges_are_read_across_bundles_and_end_with_the_checkpoint() {
    let dir = log(&[700]);
    let reader = open(&dir);
    for range in [
        0..0,
        0..1,
        255..257,
        256..256,
        300..900,
        699..701,
        700..800,
        Range { start: 5, end: 3 },
    ] {
        let entries: Vec<_> = reader.entries(range.clone()).map(Result::unwrap).collect();
        let expected: Vec<_> = (range.start..range.end.min(700))
            .map(|n| (n, entry(n)))
            .collect();
        assert_eq!(entries, expected);
        let leaves: Vec<_> = expected.iter().map(|(_, entry)| leaf_hash(entry)).collect();
        assert_eq!(reader.leaf_hashes(range).unwrap(), leaves);
    }
}

#[test]
fn a_proof_file_holds_on_its_own() {
    let dir = log(&[3, 700]);
    let reader = open(&dir);
    let keys = [key().verifier().clone()];
    for index in [0, 2, 511, 699] {
        let proof = TlogProof::parse(&reader.tlog_proof(index).unwrap()).unwrap();
        assert_eq!(
            proof
                .verify(&leaf_hash(&entry(index)), ORIGIN, &keys)
                .unwrap()
                .size(),
            700
        );
    }
    assert!(matches!(
        reader.tlog_proof(700),
        Err(ReadError::Beyond {
            asked: 700,
            held: 700
        })
    ));
    assert!(matches!(
        reader.inclusion_proof(1, 701),
        Err(ReadError::Beyond {
            asked: 701,
            held: 700
        })
    ));
    assert!(matches!(
        reader.consistency_proof(701, 700),
        Err(ReadError::Beyond {
            asked: 701,
            held: 700
        })
    ));
}

#[test]
fn every_checkpoint_stays_readable_even_where_its_partial_tiles_are_gone() {
    let sizes = [0, 1, 7, 200, 256, 300, 511, 513, 700];
    let dir = log(&sizes);
    let reader = open(&dir);
    let history: Vec<_> = reader.checkpoints().unwrap().map(Result::unwrap).collect();
    assert_eq!(
        history.iter().map(Checkpoint::size).collect::<Vec<_>>(),
        sizes
    );
    assert!(!dir.path().join("tile/0/000.p").exists() && dir.path().join("tile/0/000").exists());
    assert!(!dir.path().join("tile/entries/001.p").exists());
    // Partial tiles of every checkpoint whose tile is not full are still there.
    assert!(
        dir.path().join("tile/0/002.p/1").exists() && dir.path().join("tile/0/002.p/188").exists()
    );
    for checkpoint in &history {
        let then = reader.with_checkpoint(checkpoint.clone());
        then.verify().unwrap();
        assert_eq!(then.root_at(checkpoint.size()).unwrap(), *checkpoint.root());
        assert_eq!(then.entries(0..u64::MAX).count() as u64, checkpoint.size());
    }
}

#[test]
fn a_copy_of_what_is_served_is_enough() {
    let dir = log(&[300, 600]);
    fs::remove_dir_all(dir.path().join(".ledger")).unwrap();
    let reader = open(&dir);
    reader.verify().unwrap();
    let history: Vec<_> = reader.checkpoints().unwrap().map(Result::unwrap).collect();
    assert_eq!(history, [reader.checkpoint().clone()]);
    assert!(Reader::open(dir.path(), None).is_ok());
    let stranger = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    assert!(matches!(
        Reader::open(dir.path(), Some(stranger.verifier())),
        Err(ReadError::Checkpoint { .. })
    ));
    fs::remove_file(dir.path().join("checkpoint")).unwrap();
    assert!(matches!(
        Reader::open(dir.path(), None),
        Err(ReadError::Io { .. })
    ));
}

/// All files that are served, but the checkpoint.
fn tiles(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.join("tile")];
    while let Some(dir) = dirs.pop() {
        for file in fs::read_dir(dir).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                dirs.push(path)
            } else {
                found.push(path)
            }
        }
    }
    found
}

#[test]
fn every_change_to_every_file_is_found_and_named() {
    let dir = log(&[600]);
    let files = tiles(dir.path());
    assert_eq!(files.len(), 3 + 3 + 1);
    for path in files {
        let good = fs::read(&path).unwrap();
        let mut changes: Vec<Vec<u8>> = (0..good.len())
            .step_by(13)
            .map(|at| flip(&good, at))
            .collect();
        changes.extend([
            good[..good.len() - 1].to_vec(),
            [good.as_slice(), b"x"].concat(),
            Vec::new(),
        ]);
        for changed in changes {
            fs::write(&path, changed).unwrap();
            let error = open(&dir).verify().unwrap_err();
            assert!(
                matches!(error, ReadError::Tile { .. } | ReadError::Entry { .. }),
                "{error}"
            );
        }
        fs::remove_file(&path).unwrap();
        assert!(
            matches!(open(&dir).verify(), Err(ReadError::Io { path: named, .. }) if named == path)
        );
        fs::write(&path, good).unwrap();
    }
    open(&dir).verify().unwrap();
}

fn flip(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 0x10;
    bytes
}

#[test]
fn a_history_in_the_middle_of_a_write_is_read_up_to_there() {
    let dir = log(&[5, 9]);
    let path = dir.path().join(".ledger/checkpoints");
    let whole = fs::read(&path).unwrap();
    let mut last = 0;
    for cut in 0..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let sizes: Vec<_> = open(&dir)
            .checkpoints()
            .unwrap()
            .map(|checkpoint| checkpoint.unwrap().size())
            .collect();
        assert!([&[][..], &[5], &[5, 9]].contains(&sizes.as_slice()) && sizes.len() >= last);
        last = sizes.len();
    }
    assert_eq!(last, 2);
}
