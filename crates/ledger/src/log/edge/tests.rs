//! The edge against trees built from all leaves, at every size around the borders of tiles.

use proptest::prelude::*;

use super::*;
use crate::tree::leaf_hash;

fn grow(edge: &mut Edge, to: u64) -> Vec<TileFile> {
    let mut filled = Vec::new();
    for n in edge.size()..to {
        let entry = n.to_be_bytes();
        edge.push(&entry, leaf_hash(&entry), &mut filled).unwrap();
    }
    filled
}

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

#[test]
fn the_root_is_that_of_the_whole_tree_at_every_size() {
    let leaves = leaves(1100);
    let mut edge = Edge::default();
    for size in 0..=1100 {
        grow(&mut edge, size);
        assert_eq!(
            edge.root(),
            tree::root(&leaves[..size as usize]),
            "size {size}"
        );
    }
}

#[test]
fn a_tree_of_three_levels_of_tiles_has_exactly_its_tiles() {
    let size = 66_000;
    let leaves = leaves(size);
    let mut edge = Edge::default();
    let mut files = grow(&mut edge, size);
    files.extend(edge.partials());
    assert_eq!(edge.root(), tree::root(&leaves));
    // 257 full and one partial each of entries and leaf hashes, one full and one partial above, one partial at the top.
    assert_eq!(files.len(), 2 * 258 + 2 + 1);
    for (tile, bytes) in files {
        match tile.level() {
            Level::Entries => {
                let entries = tile::decode_entries(&bytes, tile.width().into()).unwrap();
                let first = tile.index() * 256;
                assert!(
                    (first..)
                        .zip(entries)
                        .all(|(n, entry)| entry == n.to_be_bytes())
                );
            }
            Level::Hashes(level) => {
                let span = 256_usize.pow(level.into());
                let first = tile.index() as usize * 256 * span;
                let spanned = &leaves[first..first + usize::from(tile.width()) * span];
                let expected: Vec<Hash> = spanned.chunks(span).map(tree::root).collect();
                assert_eq!(
                    tile::decode_hashes(&bytes, tile.width().into()).unwrap(),
                    expected,
                    "{tile}"
                );
            }
        }
    }
}

#[test]
fn an_entry_that_is_none_leaves_the_edge_as_it_was() {
    let mut edge = Edge::default();
    grow(&mut edge, 5);
    let before = edge.clone();
    assert!(edge.push(b"", leaf_hash(b""), &mut Vec::new()).is_err());
    assert_eq!(edge, before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_does_not_matter_in_which_steps_a_tree_grows(steps in prop::collection::vec(0_u64..400, 1..6)) {
        let mut stepped = Edge::default();
        let mut filled = Vec::new();
        for step in &steps {
            let to = stepped.size() + step;
            filled.extend(grow(&mut stepped, to));
        }
        let mut at_once = Edge::default();
        prop_assert_eq!(grow(&mut at_once, steps.iter().sum()), filled);
        prop_assert_eq!(at_once, stepped);
    }
}
