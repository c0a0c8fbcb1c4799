//! Hashes and proofs against published values, against another implementation, and against every change of a bit.

use std::convert::Infallible;

use proptest::prelude::*;
use tlog_tiles::tlog;

use super::*;

const VECTORS: &str = include_str!("../../testdata/rfc6962.txt");

/// The values of one name in order, each with the words after the name.
fn vectors(name: &str) -> impl Iterator<Item = (Vec<u64>, &'static str)> {
    VECTORS.lines().filter_map(move |line| {
        let (names, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
        let numbers = names
            .strip_prefix(name)?
            .split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect();
        Some((numbers, value.trim()))
    })
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn leaves() -> Vec<Hash> {
    vectors("leaf")
        .map(|(_, value)| leaf_hash(&from_hex(value)))
        .collect()
}

fn base64_hashes(text: &str) -> Vec<Hash> {
    text.split_whitespace()
        .map(|hash| Hash::from_base64(hash).unwrap())
        .collect()
}

/// Distinct leaf hashes for trees of any size.
fn many(size: u64) -> Vec<Hash> {
    (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

/// Complete subtrees straight from the leaves.
fn node_of(leaves: &[Hash]) -> impl FnMut(u8, u64) -> Result<Hash, Infallible> {
    |level, index| {
        Ok(root(
            &leaves[(index << level) as usize..((index + 1) << level) as usize],
        ))
    }
}

#[test]
fn published_roots_and_nodes() {
    let leaves = leaves();
    assert_eq!(leaves.len(), 8);
    for (size, (_, expected)) in vectors("root").enumerate() {
        assert_eq!(root(&leaves[..size]).to_string(), expected);
        assert_eq!(
            root_at(size as u64, &mut node_of(&leaves))
                .unwrap()
                .to_string(),
            expected
        );
    }
    let mut nodes = leaves;
    for level in 0..4 {
        let expected: Vec<_> = vectors("node")
            .filter(|(at, _)| *at == [level])
            .map(|(_, value)| value)
            .collect();
        assert_eq!(
            nodes.iter().map(Hash::to_string).collect::<Vec<_>>(),
            expected
        );
        nodes = nodes.chunks(2).map(root).collect();
    }
}

#[test]
fn published_inclusion_proofs() {
    let leaves = leaves();
    assert_eq!(vectors("inclusion").count(), 5);
    for (at, expected) in vectors("inclusion") {
        let (index, size) = (at[0], at[1]);
        let proof = prove_inclusion(index, size, &mut node_of(&leaves)).unwrap();
        assert_eq!(proof, base64_hashes(expected));
        verify_inclusion(
            index,
            size,
            &leaves[index as usize],
            &proof,
            &root(&leaves[..size as usize]),
        )
        .unwrap();
    }
}

#[test]
fn published_consistency_proofs() {
    let leaves = leaves();
    assert_eq!(vectors("consistency").count(), 4);
    for (at, expected) in vectors("consistency") {
        let (old, new) = (at[0], at[1]);
        let proof = prove_consistency(old, new, &mut node_of(&leaves)).unwrap();
        assert_eq!(proof, base64_hashes(expected));
        let (old_root, new_root) = (root(&leaves[..old as usize]), root(&leaves[..new as usize]));
        verify_consistency(old, new, &old_root, &new_root, &proof).unwrap();
    }
}

#[test]
fn every_proof_of_small_trees_holds_and_no_other_does() {
    let leaves = many(40);
    let node = &mut node_of(&leaves);
    let roots: Vec<Hash> = (0..=40).map(|size| root(&leaves[..size])).collect();
    for size in 1..=40 {
        for index in 0..size {
            let proof = prove_inclusion(index, size, node).unwrap();
            for claimed in 0..=size {
                let holds = verify_inclusion(
                    claimed,
                    size,
                    &leaves[index as usize],
                    &proof,
                    &roots[size as usize],
                );
                assert_eq!(holds.is_ok(), claimed == index);
            }
        }
        for old in 0..=size {
            let proof = prove_consistency(old, size, node).unwrap();
            for other in 0..=40 {
                let holds =
                    verify_consistency(old, size, &roots[other], &roots[size as usize], &proof);
                assert_eq!(
                    holds.is_ok(),
                    other as u64 == old,
                    "{old} of {size} as {other}"
                );
            }
        }
    }
}

#[test]
fn the_empty_tree_is_a_prefix_of_all_and_nothing_else_is_free() {
    let (empty, one) = (empty_root(), leaf_hash(b"x"));
    assert_eq!(verify_consistency(0, 0, &empty, &empty, &[]), Ok(()));
    assert_eq!(verify_consistency(0, 1, &empty, &one, &[]), Ok(()));
    assert_eq!(
        verify_consistency(0, 1, &one, &one, &[]),
        Err(BadProof::Root)
    );
    assert_eq!(
        verify_consistency(0, 0, &one, &one, &[]),
        Err(BadProof::Root)
    );
    assert_eq!(
        verify_consistency(0, 0, &empty, &one, &[]),
        Err(BadProof::Root)
    );
    assert_eq!(
        verify_consistency(0, 1, &empty, &one, &[one]),
        Err(BadProof::Length)
    );
    assert_eq!(
        verify_consistency(1, 1, &one, &empty, &[]),
        Err(BadProof::Root)
    );
    assert_eq!(
        verify_consistency(2, 1, &one, &one, &[]),
        Err(BadProof::OutOfRange { from: 2, size: 1 })
    );
    assert_eq!(
        verify_consistency(3, 4, &one, &one, &[]),
        Err(BadProof::Length)
    );
    assert_eq!(
        verify_inclusion(0, 0, &one, &[], &one),
        Err(BadProof::OutOfRange { from: 0, size: 0 })
    );
    assert_eq!(verify_inclusion(0, 1, &one, &[], &one), Ok(()));
    let huge = verify_consistency(1 << 63, u64::MAX, &one, &one, &[one; 64]);
    assert!(huge.is_err());
    assert!(verify_inclusion(u64::MAX - 1, u64::MAX, &one, &[one; 70], &one).is_err());
}

#[test]
fn questions_beyond_the_tree_are_refused() {
    let leaves = many(4);
    let node = &mut node_of(&leaves);
    assert_eq!(
        prove_inclusion(4, 4, node),
        Err(ProveError::OutOfRange { from: 4, size: 4 })
    );
    assert_eq!(
        prove_consistency(5, 4, node),
        Err(ProveError::OutOfRange { from: 5, size: 4 })
    );
}

/// The other implementation's stored hashes.
struct Stored(Vec<tlog::Hash>);

impl tlog::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes
            .iter()
            .map(|index| self.0[*index as usize])
            .collect())
    }
}

fn theirs(hash: &Hash) -> tlog::Hash {
    tlog::Hash(*hash.as_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn another_implementation_gives_and_takes_the_same_proofs(size in 1_u64..700, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let leaves = many(size);
        let mut stored = Stored(Vec::new());
        for n in 0..size {
            let more = tlog::stored_hashes(n, &n.to_be_bytes(), &stored).unwrap();
            stored.0.extend(more);
        }
        let node = &mut node_of(&leaves);
        let whole = root(&leaves);
        prop_assert_eq!(tlog::tree_hash(size, &stored).unwrap(), theirs(&whole));

        let index = a.index(size as usize) as u64;
        let proof: Vec<_> = prove_inclusion(index, size, node).unwrap().iter().map(theirs).collect();
        prop_assert_eq!(&proof, &tlog::prove_record(size, index, &stored).unwrap());
        tlog::check_record(&proof, size, theirs(&whole), index, theirs(&leaves[index as usize])).unwrap();

        let old = b.index(size as usize) as u64 + 1;
        let proof: Vec<_> = prove_consistency(old, size, node).unwrap().iter().map(theirs).collect();
        prop_assert_eq!(&proof, &tlog::prove_tree(size, old, &stored).unwrap());
        tlog::check_tree(&proof, size, theirs(&whole), old, theirs(&root(&leaves[..old as usize]))).unwrap();
    }

    #[test]
    fn a_changed_proof_proves_nothing(size in 2_u64..300, at in any::<prop::sample::Index>(), bit in 0_usize..256, place in any::<prop::sample::Index>()) {
        let leaves = many(size);
        let node = &mut node_of(&leaves);
        let whole = root(&leaves);
        let index = at.index(size as usize) as u64;
        let leaf = leaves[index as usize];
        let proof = prove_inclusion(index, size, node).unwrap();
        for changed in changes(&proof, place, bit) {
            prop_assert!(verify_inclusion(index, size, &leaf, &changed, &whole).is_err());
        }
        let old = index.max(1);
        let old_root = root(&leaves[..old as usize]);
        let proof = prove_consistency(old, size, node).unwrap();
        for changed in changes(&proof, place, bit) {
            prop_assert!(verify_consistency(old, size, &old_root, &whole, &changed).is_err());
        }
    }
}

/// A proof with a bit flipped, with a hash more at either end, with a hash less at either end.
fn changes(proof: &[Hash], place: prop::sample::Index, bit: usize) -> Vec<Vec<Hash>> {
    let mut flipped = proof.to_vec();
    let hash = &mut flipped[place.index(proof.len())];
    hash.0[bit / 8] ^= 1 << (bit % 8);
    let more = [leaf_hash(b"more")];
    vec![
        flipped,
        [proof, &more].concat(),
        [&more, proof].concat(),
        proof[1..].to_vec(),
        proof[..proof.len() - 1].to_vec(),
    ]
}
