//! Notes, keys, tiles, proofs, recordings.

use ::ledger::note::private_key_text;
use ::ledger::tile::{encode_entry, encode_hashes};
use ::ledger::tree::{leaf_hash, prove_inclusion, root};
use ::ledger::{Checkpoint, TlogProof};
use ::model::{Note, Outcome, SealedCommand, Status, Timestamp};
use ::recording::{Chunk, CommandSealer, Kek, MAGIC, Moment, Writer};
use bytes::Bytes;

use crate::ledger::signer;
use crate::recording::{SESSION, key};

/// How many entries the seeds' log has.
const SIZE: u64 = 5;

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

fn checkpoint() -> String {
    let leaves: Vec<_> = (0..SIZE).map(|index| leaf_hash(&entry(index))).collect();
    let signer = signer();
    let signed = Checkpoint::sign(signer.verifier().name(), SIZE, root(&leaves), &signer);
    signed.unwrap().note().to_owned()
}

pub(crate) fn ledger_note() -> Vec<Vec<u8>> {
    let other = signer().sign("of something else\nin two lines\n").unwrap();
    vec![checkpoint().into_bytes(), other.to_string().into_bytes()]
}

pub(crate) fn ledger_key() -> Vec<Vec<u8>> {
    let signer = signer();
    let private = private_key_text(signer.verifier().name(), &[7; 32]).unwrap();
    vec![
        signer.verifier().to_string().into_bytes(),
        private.as_bytes().to_vec(),
    ]
}

pub(crate) fn ledger_proof() -> Vec<Vec<u8>> {
    let leaves: Vec<_> = (0..SIZE).map(|index| leaf_hash(&entry(index))).collect();
    let proof = |index: u64, extra: Option<&[u8]>| {
        let mut node = |level: u8, index: u64| {
            let (from, to) = (index << level, ((index + 1) << level).min(SIZE));
            Ok::<_, ()>(root(&leaves[from as usize..to as usize]))
        };
        let proof = TlogProof {
            extra: extra.map(<[u8]>::to_vec),
            index,
            hashes: prove_inclusion(index, SIZE, &mut node).unwrap(),
            checkpoint: checkpoint(),
        };
        proof.to_string().into_bytes()
    };
    vec![proof(1, None), proof(4, Some(b"on the side"))]
}

pub(crate) fn ledger_tile() -> Vec<Vec<u8>> {
    // Its first byte is also the number of its entries.
    let mut entries = Vec::new();
    encode_entry(&mut entries, &[b'x'; 300]).unwrap();
    let hashes = encode_hashes(&[leaf_hash(b"a"), leaf_hash(b"b")]);
    let path = |text: &str| text.as_bytes().to_vec();
    vec![
        entries,
        hashes,
        path("tile/0/x001/234.p/5"),
        path("tile/entries/000"),
        path("tile/3/x012/x345/678"),
    ]
}

pub(crate) fn ledger_tree() -> Vec<Vec<u8>> {
    let numbers = |step: u8| (0..96_u8).map(|n| n.wrapping_mul(step)).collect();
    vec![numbers(1), numbers(7), numbers(0)]
}

fn frames() -> Vec<u8> {
    let notes = [
        Note::Asked {
            seq: 1,
            tag: "SELECT".into(),
            text: Bytes::from_static(b"SELECT $1"),
            parameters: vec![Some("x".to_owned()), None],
        },
        Note::Allowed { seq: 1, intent: 9 },
        Note::Shown(Bytes::from_static(b"Z\0\0\0\x05I")),
        Note::Put(Bytes::from_static(b"1\tx\n")),
        Note::Ended {
            seq: 1,
            outcome: Outcome::bare(Status::Completed),
        },
    ];
    let mut writer = Writer::default();
    for (index, note) in notes.iter().enumerate() {
        let at = Moment {
            wall: Timestamp::from_micros(1_790_000_000_000_000),
            mono_us: index as u64 * 300,
        };
        writer.push(at, note);
    }
    writer.take()
}

pub(crate) fn recording_frames() -> Vec<Vec<u8>> {
    vec![frames()]
}

pub(crate) fn recording_chunks() -> Vec<Vec<u8>> {
    let key = key();
    let mut file = MAGIC.to_vec();
    for index in 0..2 {
        file.extend(Chunk::seal(&key, index, &frames()).unwrap().bytes);
    }
    let kek = Kek::new(&[3; 32]).unwrap();
    let wrapped = kek.wrap(SESSION, &key, [5; 12]).unwrap();
    let sealed = CommandSealer::new(key.into()).seal(&SealedCommand {
        text: "SELECT 1".to_owned(),
        parameters: Vec::new(),
        salt: ::model::Digest([1; 32]),
        masked: false,
        cut: false,
    });
    vec![
        file,
        serde_json::to_vec(&wrapped).unwrap(),
        sealed.unwrap().into_bytes(),
    ]
}
