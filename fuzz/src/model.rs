//! Ledger entries and approvals.

use model::{ApprovalStatement, Entry};

pub(crate) fn entry(data: &[u8]) {
    let Ok(entry) = Entry::decode(data) else {
        return;
    };
    let Ok(bytes) = entry.encode() else {
        return;
    };
    assert_eq!(
        Entry::decode(&bytes).ok().as_ref(),
        Some(&entry),
        "what is read can be written"
    );
}

pub(crate) fn statement(data: &[u8]) {
    let Ok(statement) = serde_json::from_slice::<ApprovalStatement>(data) else {
        return;
    };
    let bytes = statement.bytes();
    let again = serde_json::from_slice::<ApprovalStatement>(&bytes).expect("it was just written");
    assert_eq!(again, statement);
    assert_eq!(
        again.bytes(),
        bytes,
        "a statement has one form that is signed"
    );
}
