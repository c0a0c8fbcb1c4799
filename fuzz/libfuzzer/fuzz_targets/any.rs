//! Every target in one binary, because linking takes longer than most finds: `COUNTERSIGN_FUZZ` names the one to run.
#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("COUNTERSIGN_FUZZ").unwrap_or_default();
    match fuzz::target(&name) {
        Some(target) => target,
        None => {
            let known: Vec<_> = fuzz::ALL.iter().map(|target| target.name).collect();
            eprintln!("COUNTERSIGN_FUZZ={name:?} is none of {}", known.join(", "));
            std::process::exit(2);
        }
    }
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));
