//! What is fuzzed: one function for each decoder, and one for a whole PostgreSQL session.
//!
//! A target takes any bytes and panics where a property does not hold. [`ALL`] is the registry. Two drivers feed it: the
//! tests here, with seeds and a bounded number of changed seeds ([`smoke`]), and libFuzzer (`fuzz/libfuzzer`), for as long as
//! somebody lets it run. docs/fuzzing.md says more.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a target panics where a property does not hold"
)]

mod coding;
mod config;
mod evidence;
mod ledger;
mod login;
mod mask;
mod model;
mod pieces;
mod recording;
mod rows;
mod seeds;
mod session;
pub mod smoke;
mod sql;
mod wire;

/// One of the things that are fuzzed.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What is done with the bytes.
    pub run: fn(&[u8]),
    /// Inputs that reach far into it.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// One list makes the registry and a smoke test for each target.
macro_rules! targets {
    ($($name:ident: $module:ident::$run:ident,)*) => {
        /// Every target, by name.
        pub const ALL: &[Target] = &[
            $(Target { name: stringify!($name), run: $module::$run, seeds: seeds::$name },)*
        ];

        #[cfg(test)]
        mod smoke_tests {
            $(
                #[test]
                fn $name() {
                    crate::smoke::run(&crate::Target {
                        name: stringify!($name),
                        run: crate::$module::$run,
                        seeds: crate::seeds::$name,
                    });
                }
            )*
        }
    };
}

targets! {
    coding: coding::unpack,
    config: config::parse,
    evidence_sshsig: evidence::sshsig,
    ledger_key: ledger::key,
    ledger_note: ledger::note,
    ledger_proof: ledger::proof,
    ledger_tile: ledger::tile,
    ledger_tree: ledger::tree,
    mask_copy: mask::copy,
    mask_text: mask::text,
    model_entry: model::entry,
    model_statement: model::statement,
    postgres_catalog: login::catalog,
    postgres_copy: rows::copy,
    postgres_framer: wire::framer,
    postgres_login: login::login,
    postgres_messages: wire::messages,
    postgres_report: rows::report,
    postgres_rows: rows::rows,
    postgres_scram: login::scram,
    postgres_session: session::session,
    postgres_startup: wire::startup,
    postgres_transcript: wire::transcript,
    recording_chunks: recording::chunks,
    recording_frames: recording::frames,
    sql_parse: sql::parse,
}

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<fn(&[u8])> {
    let found = ALL.iter().find(|target| target.name == name);
    found.map(|target| target.run)
}

/// Runs `work` where PostgreSQL's grammar may run: its depth is limited, but not to what a plain stack holds.
fn on_big_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(::sql::postgres::STACK_BYTES);
        let thread = thread.spawn_scoped(scope, work).expect("a thread");
        thread.join().expect("the work panics through the hook")
    })
}
