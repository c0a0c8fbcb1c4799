//! Checkpoints against the specification's example and another implementation.

use super::*;

const VECTORS: &str = include_str!("../../testdata/checkpoint.txt");

fn vector(name: &str) -> &'static str {
    let found = VECTORS
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix("= "));
    found.unwrap()
}

fn example() -> String {
    format!(
        "{}\n{}\n{}\n\n{}\n",
        vector("origin"),
        vector("size"),
        vector("root"),
        vector("signature")
    )
}

fn key() -> SigningKey {
    SigningKey::from_seed("example.com/log", &[5; 32]).unwrap()
}

#[test]
fn the_specifications_example_is_read() {
    let checkpoint = Checkpoint::parse_unverified(example().as_bytes()).unwrap();
    assert_eq!(checkpoint.origin(), "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size(), 20_852_163);
    assert_eq!(checkpoint.root().to_base64(), vector("root"));
    assert_eq!(checkpoint.note(), example());
    let unknown = Checkpoint::verify(example().as_bytes(), &[key().verifier().clone()]);
    assert_eq!(
        unknown,
        Err(BadCheckpoint::Signature(BadSignature::Unknown))
    );
}

#[test]
fn what_is_signed_is_verified_and_read_by_another_implementation() {
    let root = crate::tree::leaf_hash(b"x");
    let signed = Checkpoint::sign("example.com/log", 1, root, &key()).unwrap();
    assert_eq!(
        Checkpoint::verify(signed.note().as_bytes(), &[key().verifier().clone()]).unwrap(),
        signed
    );
    let theirs = tlog_tiles::Checkpoint::from_bytes(
        Note::parse(signed.note().as_bytes())
            .unwrap()
            .text()
            .as_bytes(),
    );
    let theirs = theirs.unwrap();
    assert_eq!(
        (theirs.origin(), theirs.size(), theirs.hash().0),
        ("example.com/log", 1, *root.as_bytes())
    );
}

#[test]
fn every_byte_of_a_checkpoint_matters() {
    let root = crate::tree::leaf_hash(b"x");
    let note = Checkpoint::sign("example.com/log", 258, root, &key())
        .unwrap()
        .note()
        .as_bytes()
        .to_vec();
    for at in 0..note.len() {
        for flip in [1, 4, 32, 128] {
            let mut changed = note.clone();
            changed[at] ^= flip;
            assert!(
                Checkpoint::verify(&changed, &[key().verifier().clone()]).is_err(),
                "byte {at}"
            );
        }
    }
}

#[test]
fn a_note_that_is_not_a_checkpoint_is_refused() {
    let root = vector("root");
    for wrong in [
        "o\n1\n".to_owned(),
        format!("\n1\n{root}\n"),
        format!("o\n01\n{root}\n"),
        format!("o\n+1\n{root}\n"),
        format!("o\n-1\n{root}\n"),
        format!("o\n18446744073709551616\n{root}\n"),
        format!("o\n1\n{root}=\n"),
        "o\n1\nAAAA\n".to_owned(),
        format!("o\n1\n{root}\nextension\n\nmore\n"),
        format!("o\n1\n{root}\n\n"),
    ] {
        let note = key().sign(&wrong).unwrap().to_string();
        assert_eq!(
            Checkpoint::verify(note.as_bytes(), &[key().verifier().clone()]),
            Err(BadCheckpoint::Form),
            "{wrong}"
        );
    }
    let extended = key()
        .sign(&format!("o\n0\n{root}\nextension\n"))
        .unwrap()
        .to_string();
    assert_eq!(
        Checkpoint::verify(extended.as_bytes(), &[key().verifier().clone()])
            .unwrap()
            .size(),
        0
    );
    assert_eq!(
        Checkpoint::sign("", 1, crate::tree::empty_root(), &key()),
        Err(BadCheckpoint::Form)
    );
    assert_eq!(
        Checkpoint::sign("a\nb", 1, crate::tree::empty_root(), &key()),
        Err(BadCheckpoint::Form)
    );
}
