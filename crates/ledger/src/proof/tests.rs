//! Proof files as the specification writes them.

use super::*;
use crate::note::SigningKey;
use crate::tree::{leaf_hash, node_hash};

fn key() -> SigningKey {
    SigningKey::from_seed("example.com/log", &[5; 32]).unwrap()
}

/// Entry 1 of a log of three.
fn proof() -> (TlogProof, Hash) {
    let [a, b, c] = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
    let root = node_hash(&node_hash(&a, &b), &c);
    let checkpoint = Checkpoint::sign("example.com/log", 3, root, &key())
        .unwrap()
        .note()
        .to_owned();
    (
        TlogProof {
            extra: None,
            index: 1,
            hashes: vec![a, c],
            checkpoint,
        },
        b,
    )
}

#[test]
fn it_is_written_as_specified_and_read_back() {
    let (mut proof, _) = proof();
    let (a, c) = (leaf_hash(b"a").to_base64(), leaf_hash(b"c").to_base64());
    let expected = format!(
        "c2sp.org/tlog-proof@v1\nindex 1\n{a}\n{c}\n\n{}",
        proof.checkpoint
    );
    assert_eq!(proof.to_string(), expected);
    assert_eq!(TlogProof::parse(&expected).unwrap(), proof);

    proof.extra = Some(b"extra information".to_vec());
    let expected = expected.replace("\nindex", "\nextra ZXh0cmEgaW5mb3JtYXRpb24=\nindex");
    assert_eq!(proof.to_string(), expected);
    assert_eq!(TlogProof::parse(&expected).unwrap(), proof);

    let alone = TlogProof {
        extra: None,
        index: 0,
        hashes: Vec::new(),
        checkpoint: "checkpoint\n".to_owned(),
    };
    assert_eq!(
        alone.to_string(),
        "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n"
    );
    assert_eq!(TlogProof::parse(&alone.to_string()).unwrap(), alone);
}

#[test]
fn it_proves_that_entry_of_that_log_at_that_index_only() {
    let (proof, leaf) = proof();
    let keys = [key().verifier().clone()];
    assert_eq!(
        proof
            .verify(&leaf, "example.com/log", &keys)
            .unwrap()
            .size(),
        3
    );
    let wrong_leaf = proof.verify(&leaf_hash(b"x"), "example.com/log", &keys);
    assert_eq!(wrong_leaf, Err(BadTlogProof::Inclusion(BadProof::Root)));
    let other_log = proof.verify(&leaf, "example.com/other", &keys);
    assert_eq!(
        other_log,
        Err(BadTlogProof::Origin {
            found: "example.com/log".to_owned()
        })
    );
    let moved = TlogProof {
        index: 0,
        ..proof.clone()
    };
    assert_eq!(
        moved.verify(&leaf, "example.com/log", &keys),
        Err(BadTlogProof::Inclusion(BadProof::Root))
    );
    let unsigned = proof.verify(&leaf, "example.com/log", &[]);
    assert!(matches!(
        unsigned,
        Err(BadTlogProof::Checkpoint(BadCheckpoint::Signature(_)))
    ));
}

#[test]
fn what_is_not_written_exactly_so_is_refused() {
    let (proof, _) = proof();
    let good = proof.to_string();
    for (from, to) in [
        ("@v1", "@v2"),
        ("index 1", "index 01"),
        ("index 1", "index +1"),
        ("index 1", "index"),
        ("index 1\n", ""),
        ("index 1", "extra !\nindex 1"),
        ("index 1\n", "index 1\nextra AAAA\n"),
        ("index 1\n", "index 1\nAAAA\n"),
        ("\n\n", "\n"),
    ] {
        let wrong = good.replace(from, to);
        assert_ne!(wrong, good);
        assert_eq!(
            TlogProof::parse(&wrong),
            Err(BadTlogProof::Form),
            "{from:?} as {to:?}"
        );
    }
    let hash = leaf_hash(b"a").to_base64() + "\n";
    let long = |n| {
        format!(
            "c2sp.org/tlog-proof@v1\nindex 0\n{}\ncheckpoint\n",
            hash.repeat(n)
        )
    };
    assert_eq!(TlogProof::parse(&long(64)).unwrap().hashes.len(), 64);
    assert_eq!(TlogProof::parse(&long(65)), Err(BadTlogProof::Form));
}
