//! Benchmarks: the same work direct, through a plain proxy and through Countersign, interleaved in one run.
//!
//! Machines are noisy, so what counts is the ratio to the peer measured in the same round; the median of the rounds is given.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot do its part ends, and it measures time over real sockets"
)]

mod aws;
mod bulk;
mod cost;
mod parts;
mod peers;
mod statements;
mod table;

use std::time::Duration;

use serde_json::{Map, Value, json};

/// How much is measured.
pub(crate) struct Effort {
    /// Each measurement takes so long.
    pub(crate) each: Duration,
    /// And is repeated so often.
    pub(crate) rounds: usize,
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let known = ["statements", "bulk", "cost", "aws", "ledger", "masking"];
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        eprintln!("bench: {unknown:?} is not one of {}", known.join(", "));
        std::process::exit(2);
    }
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().map_or(default, |text| {
            text.parse().unwrap_or_else(|_| panic!("{name}={text:?}"))
        })
    };
    let effort = Effort {
        each: Duration::from_secs(number("BENCH_SECONDS", 5)),
        rounds: number("BENCH_ROUNDS", 3) as usize,
    };
    let file = std::path::Path::new("bench/results/latest.json");
    // What is not measured now stays as it was measured last.
    let mut results: Map<String, Value> = std::fs::read(file)
        .ok()
        .and_then(|last| serde_json::from_slice(&last).ok())
        .unwrap_or_default();
    let machine = parts::machine();
    if wants("statements") || wants("bulk") || wants("cost") {
        let bench = peers::Peers::start();
        if wants("statements") {
            results.insert("statements".into(), statements::measure(&bench, &effort));
        }
        if wants("bulk") {
            results.insert("bulk".into(), bulk::measure(&bench, &effort));
        }
        if wants("cost") {
            results.insert("cost".into(), cost::measure(&bench, &effort));
        }
    }
    if wants("aws") {
        let megabytes = number("BENCH_AWS_MIB", 1_024) as usize;
        results.insert("aws".into(), aws::measure(&effort, megabytes));
    }
    if wants("ledger") {
        results.insert(
            "ledger".into(),
            parts::run("append_bench", "Ledger: durable appends"),
        );
    }
    if wants("masking") {
        results.insert("masking".into(), parts::masking());
    }
    let measured = known.into_iter().filter(|name| wants(name));
    let machines = measured.map(|name| (name.to_owned(), machine.clone()));
    match results.get_mut("machines").and_then(Value::as_object_mut) {
        Some(last) => last.extend(machines),
        None => {
            results.insert("machines".into(), Value::Object(machines.collect()));
        }
    }
    std::fs::create_dir_all("bench/results").unwrap();
    let text = serde_json::to_string_pretty(&json!(results)).unwrap();
    std::fs::write(file, text + "\n").unwrap();
    println!("\nbench/results/latest.json has the figures.");
}

/// The median of some figures: of an even number of them, what is halfway between the middle two.
pub(crate) fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    let upper = of.get(of.len() / 2).copied().unwrap_or(f64::NAN);
    match of.len().checked_sub(1).map(|last| last / 2) {
        Some(lower) => f64::midpoint(upper, of.get(lower).copied().unwrap_or(upper)),
        None => upper,
    }
}

/// A figure for JSON: three decimals are enough of any.
pub(crate) fn figure(of: f64) -> Value {
    json!((of * 1_000.0).round() / 1_000.0)
}
