//! Paths against the specification's examples and another implementation, bundles against every cut.

use proptest::prelude::*;

use super::*;
use crate::tree::leaf_hash;

#[test]
fn paths_as_the_specification_writes_them() {
    let hashes = |level, index, width| {
        Tile::new(Level::Hashes(level), index, width)
            .unwrap()
            .to_string()
    };
    assert_eq!(hashes(0, 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(hashes(0, 1_234_067, 8), "tile/0/x001/x234/067.p/8");
    assert_eq!(hashes(63, 0, 1), "tile/63/000.p/1");
    assert_eq!(hashes(2, 999, 256), "tile/2/999");
    assert_eq!(hashes(2, 1000, 256), "tile/2/x001/000");
    assert_eq!(
        Tile::new(Level::Entries, 273, 112).unwrap().to_string(),
        "tile/entries/273.p/112"
    );
    assert_eq!(
        Tile::new(Level::Entries, 5, 112).unwrap().partial_dir(),
        "tile/entries/005.p"
    );
}

#[test]
fn a_tree_of_70_000_has_the_tiles_that_the_specification_counts() {
    let width = |level, index| Tile::in_tree(level, index, 70_000).map(|tile| tile.width());
    assert_eq!(
        (width(Level::Hashes(0), 272), width(Level::Hashes(0), 273)),
        (Some(256), Some(112))
    );
    assert_eq!(
        (width(Level::Hashes(1), 0), width(Level::Hashes(1), 1)),
        (Some(256), Some(17))
    );
    assert_eq!(
        (width(Level::Hashes(2), 0), width(Level::Hashes(2), 1)),
        (Some(1), None)
    );
    assert_eq!(
        (width(Level::Hashes(3), 0), width(Level::Hashes(0), 274)),
        (None, None)
    );
    assert_eq!(
        (width(Level::Entries, 273), width(Level::Hashes(63), 0)),
        (Some(112), None)
    );
    assert_eq!(Tile::in_tree(Level::Hashes(0), u64::MAX, u64::MAX), None);
    assert_eq!(
        Tile::in_tree(Level::Hashes(1), 0, 256).map(|tile| tile.width()),
        Some(1)
    );
}

#[test]
fn only_the_one_way_to_write_a_path_is_read() {
    for wrong in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/1",
        "tile/0/0001",
        "tile/0/x001",
        "tile/0/001/x002",
        "tile/0/x000/001",
        "tile/00/001",
        "tile/64/001",
        "tile/-1/001",
        "tile/+1/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/01",
        "tile/0/001.p/",
        "tile/0/001.p",
        "tile/0/+01",
        "tile/data/001",
        "/tile/0/001",
        "tile/0/001/",
        "tile/0/x1/001",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/entries/001.p/5/6",
        "tile/0/XX01/001",
    ] {
        assert_eq!(Tile::parse(wrong), None, "{wrong}");
    }
    assert_eq!(Tile::new(Level::Hashes(64), 0, 1), None);
    assert_eq!(Tile::new(Level::Entries, 0, 0), None);
    assert_eq!(Tile::new(Level::Entries, 0, 257), None);
}

#[test]
fn an_entry_has_1_to_65_535_bytes() {
    let mut bundle = Vec::new();
    assert_eq!(encode_entry(&mut bundle, b""), Err(BadEntry::Empty));
    let error = encode_entry(&mut bundle, &vec![0; 65_536]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "an entry has at most 65535 bytes, this one has 65536: record a digest of it instead"
    );
    assert_eq!(bundle, b"");
    encode_entry(&mut bundle, &vec![7; 65_535]).unwrap();
    assert_eq!(decode_entries(&bundle, 1).unwrap(), [vec![7; 65_535]]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_path_is_read_back_and_is_the_one_of_another_implementation(level in 0_u8..64, index in any::<u64>(), shift in 0_u32..64, width in 1_u16..=256) {
        let index = index >> shift;
        for place in [Level::Hashes(level), Level::Entries] {
            let tile = Tile::new(place, index, width).unwrap();
            prop_assert_eq!(Tile::parse(&tile.to_string()), Some(tile));
        }
        let theirs = tlog_tiles::Tile::new(8, level, index, width.into(), false);
        let ours = Tile::new(Level::Hashes(level), index, width).unwrap().to_string();
        prop_assert_eq!(theirs.path().replacen("tile/8/", "tile/", 1), ours);
    }

    #[test]
    fn parsing_never_panics(path in "tile/[0-9a-z/x.p+-]{0,30}") {
        let tile = Tile::parse(&path);
        prop_assert!(tile.is_none_or(|tile| tile.to_string() == path));
    }

    #[test]
    fn a_bundle_is_read_back_and_no_cut_of_it_is(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 1..20)) {
        let mut bundle = Vec::new();
        entries.iter().for_each(|entry| encode_entry(&mut bundle, entry).unwrap());
        prop_assert_eq!(decode_entries(&bundle, entries.len()).unwrap(), entries.clone());
        prop_assert_eq!(decode_entries(&bundle, entries.len() + 1), Err(BadTile::Length { wanted: entries.len() + 1 }));
        for cut in 0..bundle.len() {
            prop_assert!(decode_entries(&bundle[..cut], entries.len()).is_err());
        }
        bundle.push(0);
        prop_assert_eq!(decode_entries(&bundle, entries.len()), Err(BadTile::Torn));
    }
}

#[test]
fn hashes_are_read_back_and_only_whole() {
    let hashes: Vec<_> = (0..5_u8).map(|n| leaf_hash(&[n])).collect();
    let bytes = encode_hashes(&hashes);
    assert_eq!(bytes.len(), 160);
    assert_eq!(decode_hashes(&bytes, 5), Ok(hashes));
    for (cut, width) in [(160, 4), (160, 6), (159, 5), (159, 4), (0, 1)] {
        assert_eq!(
            decode_hashes(&bytes[..cut], width),
            Err(BadTile::Length { wanted: width })
        );
    }
}
