//! Where things lie in a bundle, and what they are for.

use crate::fold::Table;

/// The page for people.
pub(crate) const README: &str = "00_README.html";
/// Every file with its digest.
pub(crate) const INDEX: &str = "01_index.csv";
/// The signed list of everything.
pub(crate) const MANIFEST: &str = "02_manifest.dsse.json";
pub(crate) const CONTROLS: &str = "controls/control_matrix.csv";
pub(crate) const TARGETS: &str = "scope/inventory_targets.csv";
pub(crate) const UNLOGGED: &str = "scope/unlogged_scope.csv";
pub(crate) const QUERY: &str = "scope/extraction_query.json";
pub(crate) const TOTALS: &str = "population/control_totals.json";
/// The period's entries where some are redacted.
pub(crate) const LEAVES: &str = "population/leaves.jsonl";
pub(crate) const METHOD: &str = "samples/method.json";
pub(crate) const MASK_RULES: &str = "masking/rules.csv";
/// The log in C2SP layout: `checkpoint`, `tile/…`.
pub(crate) const TLOG: &str = "integrity/tlog/";
pub(crate) const CHECKPOINT: &str = "integrity/tlog/checkpoint";
pub(crate) const CHECKPOINT_START: &str = "integrity/checkpoint_start";
pub(crate) const CHECKPOINTS: &str = "integrity/checkpoints";
pub(crate) const CONSISTENCY: &str = "integrity/consistency.json";
/// Entries from before the period that the period refers to.
pub(crate) const CONTEXT: &str = "integrity/context.jsonl";
pub(crate) const VERIFY: &str = "verify/VERIFY.txt";
pub(crate) const LOG_KEY: &str = "verify/keys/ledger.vkey";
pub(crate) const SIGNERS: &str = "verify/allowed_signers";
pub(crate) const TIME: &str = "time/README.txt";
pub(crate) const RETENTION: &str = "retention/README.txt";
pub(crate) const POLICIES: &str = "policy/versions/";

/// Every bundle has these, whatever happened in its period; and it has every table.
pub(crate) const ALWAYS: [&str; 19] = [
    README,
    INDEX,
    MANIFEST,
    CONTROLS,
    TARGETS,
    UNLOGGED,
    QUERY,
    TOTALS,
    METHOD,
    MASK_RULES,
    CHECKPOINT,
    CHECKPOINTS,
    CONSISTENCY,
    CONTEXT,
    VERIFY,
    LOG_KEY,
    SIGNERS,
    TIME,
    RETENTION,
];

/// The folder of the nth sample, from 1.
pub(crate) fn sample(number: usize) -> String {
    format!("samples/sample_{number:03}/")
}

/// What a file answers, for the index.
pub(crate) fn purpose(path: &str) -> &'static str {
    if let Some(table) = Table::ALL.iter().find(|table| table.path() == path) {
        return table.purpose();
    }
    match path {
        README => "the fifteen questions, answered from this bundle",
        CONTROLS => "which file answers which examination procedure",
        TARGETS => "the targets as configured when the bundle was built, without secrets",
        UNLOGGED => "what the gateway cannot see",
        QUERY => "what was asked for, and the leaf range that it became",
        TOTALS => "counts of everything, computed from the leaves",
        LEAVES => "the period's leaves in order; those of other targets as hashes",
        METHOD => "how the samples were drawn, so that the draw can be repeated",
        MASK_RULES => "the columns declared to hold protected data",
        CHECKPOINT => "the signed checkpoint at the end of the period",
        CHECKPOINT_START => "the signed checkpoint at the start of the period",
        CHECKPOINTS => "every checkpoint signed from start to end",
        CONSISTENCY => "the proof that the start is a prefix of the end",
        CONTEXT => "entries from before the period that entries of the period refer to",
        VERIFY => "how to verify this bundle, also with tools that are not ours",
        LOG_KEY => "the log's public key: compare it with the one you were given on another way",
        SIGNERS => {
            "people's public keys, for ssh-keygen: compare their fingerprints on another way"
        }
        TIME => "what is known of the clocks",
        RETENTION => "what is known of retention, holds and disposal",
        _ => by_folder(path),
    }
}

fn by_folder(path: &str) -> &'static str {
    let file = path.rsplit('/').next().unwrap_or_default();
    match path.split('/').next().unwrap_or_default() {
        "integrity" if path.contains("/tile/entries/") => {
            "entries, 256 to a file (C2SP tlog-tiles)"
        }
        "integrity" => "hashes of the tree, 256 to a file (C2SP tlog-tiles)",
        "policy" => "a policy file as it was in force",
        "samples" => match file {
            "sample.json" => "which session, why it was drawn, what of it is here",
            "commands.csv" => "what was asked, masked, and how it ended",
            "identity.json" => "who it was, and how that was proved",
            "approval.json" => "the requests and signed verdicts, as they stand in the log",
            "masking.json" => "what was masked or revealed, and where",
            "event.json" => "the entry for which the session was drawn, byte for byte",
            "event.tlog-proof" => "the proof that this entry stands in the log (C2SP tlog-proof)",
            "recording.rec" => "the recording, sealed; its chunks' digests stand in the log",
            _ => "what the client asked and was shown, after masking",
        },
        _ => "",
    }
}
