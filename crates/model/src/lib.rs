//! The nouns of Countersign: identities, targets, commands, decisions, permits, facts, entries. No I/O, no async.
//!
//! `Identity → Command → Decision → (ApprovalRequest) → Intent entry → Receipt → Permit → Outcome entry`: what each
//! crate hands to the next. Time and randomness are handed in.

mod approval;
mod command;
mod decision;
mod digest;
mod entry;
mod fact;
mod field;
mod identity;
mod json_path;
mod note;
mod permit;
mod secret;
mod time;

pub use approval::{
    ApprovalRequest, ApprovalStatement, SENDINGS_MAX, SIGNATURE_NAMESPACE, Verdict,
};
pub use command::{Ask, Asks, Command, CommandDigest, Parameter, Resource, Value};
pub use decision::{Decision, Denial, DenialCode, Gate, Obligations, PolicyVersion};
pub use digest::{BadDigest, Digest, hexadecimal};
pub use entry::{
    AssumedRole, Authenticated, CommandRecord, ENTRY_BYTES_MAX, Entry, EntryTooLarge, Event,
    FileDigest, Intent, SealedCommand, SessionOpened, Started,
};
pub use fact::{MaskFact, Outcome, Status};
pub use field::{BadDataClass, DataClass};
pub use identity::{Agent, Identity, Proof};
pub use json_path::{BadJsonPath, JsonPath, Step};
pub use note::{Held, Note};
pub use permit::{Permit, Settle};
pub use secret::Secret;
pub use time::{BadTimestamp, Timestamp};
