//! Seeds that reach nothing would be worth nothing.

use ::ledger::{Checkpoint, TlogProof, tree};
use ::model::Entry;

use super::*;
use crate::ledger::signer;

fn text(seed: &[u8]) -> &str {
    std::str::from_utf8(seed).unwrap()
}

#[test]
fn what_is_signed_or_sealed_opens() {
    let keys = [signer().verifier().clone()];
    assert!(Checkpoint::verify(&ledger_note()[0], &keys).is_ok());
    let proof = TlogProof::parse(text(&ledger_proof()[0])).unwrap();
    let leaf = tree::leaf_hash(b"entry 1");
    assert!(
        proof
            .verify(&leaf, signer().verifier().name(), &keys)
            .is_ok()
    );
    let keys = [evidence::KEY.to_owned()];
    let signature = text(&evidence_sshsig()[0]).to_owned();
    assert!(
        ::evidence::sshsig::verify(&keys, evidence::NAMESPACE, evidence::MESSAGE, &signature)
            .is_ok()
    );
    let file = &recording_chunks()[0];
    let opened = ::recording::chunks(file).unwrap().map(|chunk| {
        ::recording::open(&crate::recording::key(), &chunk.unwrap())
            .unwrap()
            .len()
    });
    assert_eq!(opened.collect::<Vec<_>>(), [5, 5]);
}

#[test]
fn what_is_written_down_is_read() {
    assert!(::ledger::SigningKey::parse(text(&ledger_key()[1])).is_ok());
    for seed in model_entry() {
        assert!(Entry::decode(&seed).is_ok(), "{}", text(&seed));
    }
    let statement = serde_json::from_slice::<::model::ApprovalStatement>(&model_statement()[0]);
    assert!(statement.is_ok());
    let config = gateway::config::Config::parse(
        text(&config()[0]),
        std::path::Path::new("/x/countersign.toml"),
    );
    assert!(config.is_ok(), "{config:?}");
    let mut parsed = sql_parse().into_iter();
    let read = crate::on_big_stack(|| {
        parsed
            .all(|seed| ::sql::postgres::parse(text(&seed)).is_ok() || seed.starts_with(b"selec "))
    });
    assert!(read);
}
