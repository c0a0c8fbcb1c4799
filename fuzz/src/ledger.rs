//! Notes, checkpoints, keys, tiles, proofs.

use arbitrary::{Arbitrary, Unstructured};
use ledger::note::{Note, Verifier};
use ledger::tile::{self, Tile};
use ledger::tree::{self, Hash};
use ledger::{Checkpoint, SigningKey, TlogProof};

/// The key that the seeds are signed with.
pub(crate) fn signer() -> SigningKey {
    SigningKey::from_seed("example.com/countersign", &[7; 32]).expect("a key")
}

pub(crate) fn note(data: &[u8]) {
    let keys = [signer().verifier().clone()];
    if let Ok(note) = Note::parse(data) {
        assert_eq!(note.to_string().as_bytes(), data, "a note has one text");
        let _ = note.verify(&keys);
    }
    let read = Checkpoint::parse_unverified(data);
    if let Ok(verified) = Checkpoint::verify(data, &keys) {
        assert_eq!(
            Ok(&verified),
            read.as_ref(),
            "reading does not depend on trust"
        );
    }
    if let Ok(checkpoint) = read {
        assert_eq!(checkpoint.note().as_bytes(), data);
        let again = Checkpoint::sign(
            checkpoint.origin(),
            checkpoint.size(),
            *checkpoint.root(),
            &signer(),
        );
        assert!(again.is_ok(), "what can be read can be signed");
    }
}

pub(crate) fn key(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(verifier) = Verifier::parse(text) {
        assert_eq!(verifier.to_string(), text, "a key has one text");
    }
    if let Ok(signer) = SigningKey::parse(text) {
        let note = signer.sign("anything\n").expect("a note holds this");
        assert!(note.verify(std::slice::from_ref(signer.verifier())).is_ok());
    }
}

pub(crate) fn tile(data: &[u8]) {
    if let Some(tile) = std::str::from_utf8(data).ok().and_then(Tile::parse) {
        assert_eq!(tile.to_string().as_bytes(), data, "a tile has one path");
        assert!((1..=tile::TILE_WIDTH).contains(&tile.width()));
    }
    let width = usize::from(data.first().copied().unwrap_or(0));
    if let Ok(entries) = tile::decode_entries(data, width) {
        let mut again = Vec::new();
        for entry in &entries {
            tile::encode_entry(&mut again, entry).expect("it was an entry");
        }
        assert_eq!((entries.len(), again.as_slice()), (width, data));
    }
    let width = data.len() / tree::HASH_BYTES;
    if let Ok(hashes) = tile::decode_hashes(data, width) {
        assert_eq!(tile::encode_hashes(&hashes), data);
    }
}

pub(crate) fn proof(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(proof) = TlogProof::parse(text) else {
        return;
    };
    assert_eq!(proof.to_string(), text, "a proof has one text");
    let keys = [signer().verifier().clone()];
    for entry in [&b"entry 0"[..], b"entry 1", b"entry 4", b"none of them"] {
        let verified = proof.verify(&tree::leaf_hash(entry), signer().verifier().name(), &keys);
        assert!(
            verified.is_err() || entry.starts_with(b"entry "),
            "a proof of what does not stand there"
        );
    }
}

#[derive(Debug, Arbitrary)]
struct Claims {
    size: u16,
    index: u16,
    old: u16,
    far: u64,
    flip: Option<(u8, u8)>,
    hashes: Vec<[u8; 32]>,
}

/// Proofs of a real tree verify, and no others do.
pub(crate) fn tree(data: &[u8]) {
    let Ok(claims) = Claims::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let size = u64::from(claims.size % 300) + 1;
    let leaves: Vec<Hash> = (0..size)
        .map(|n| tree::leaf_hash(&n.to_be_bytes()))
        .collect();
    let root = tree::root(&leaves);
    let mut node = |level: u8, index: u64| {
        let (from, to) = (index << level, ((index + 1) << level).min(size));
        leaves
            .get(from as usize..to as usize)
            .map(tree::root)
            .ok_or(())
    };
    let index = u64::from(claims.index) % size;
    let leaf = leaves[index as usize];
    let mut path = tree::prove_inclusion(index, size, &mut node).expect("it stands in the tree");
    assert_eq!(
        tree::verify_inclusion(index, size, &leaf, &path, &root),
        Ok(())
    );
    let old = u64::from(claims.old) % (size + 1);
    let before = tree::root(&leaves[..old as usize]);
    let growth = tree::prove_consistency(old, size, &mut node).expect("it was smaller once");
    assert_eq!(
        tree::verify_consistency(old, size, &before, &root, &growth),
        Ok(())
    );
    if let (Some((at, bits)), false) = (claims.flip, path.is_empty()) {
        let at = usize::from(at) % path.len();
        let mut bytes = *path[at].as_bytes();
        bytes[usize::from(bits) % 32] ^= bits | 1;
        path[at] = Hash::new(bytes);
        assert!(tree::verify_inclusion(index, size, &leaf, &path, &root).is_err());
    }
    let made_up: Vec<Hash> = claims.hashes.into_iter().map(Hash::new).collect();
    let _ = tree::verify_inclusion(claims.far, u64::MAX, &leaf, &made_up, &root);
    let _ = tree::verify_consistency(claims.far, u64::MAX, &leaf, &root, &made_up);
    let _ = tree::verify_inclusion(u64::from(claims.index), claims.far, &leaf, &made_up, &root);
}
