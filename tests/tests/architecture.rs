//! The crate graph is the architecture's first invariant, so it is asserted: arrows point one way, and only the outermost
//! crates reach the asynchronous runtime, sockets and servers.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests, which may fail the test"
)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Our crates, innermost first. Each may use those before it.
const ORDER: [&str; 10] = [
    "ledger",
    "model",
    "mask",
    "sql",
    "policy",
    "recording",
    "evidence",
    "protocols",
    "gateway",
    "cli",
];

/// Crates that do not use each other, although they stand side by side in the order.
const PEERS: [&str; 5] = ["mask", "sql", "policy", "recording", "evidence"];

/// What only the outermost crates may reach.
const WORLD: [&str; 7] = [
    "tokio",
    "hyper",
    "axum",
    "hyper-util",
    "mio",
    "socket2",
    "reqwest",
];

/// The crates that may.
const OUTERMOST: [&str; 3] = ["gateway", "cli", "tests"];

/// What nothing may reach: a second crypto provider or TLS stack.
const ABSENT: [&str; 5] = ["ring", "openssl", "openssl-sys", "native-tls", "async-std"];

/// Each package's name, with the names of what it depends on outside of tests and build scripts, on Linux.
struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    fn read() -> Self {
        let output = cargo(&[
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform=x86_64-unknown-linux-gnu",
        ]);
        let metadata: Value = serde_json::from_str(&output).unwrap();
        let name_of: BTreeMap<_, _> = list(&metadata["packages"])
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let mut graph = BTreeMap::<String, BTreeSet<String>>::new();
        for node in list(&metadata["resolve"]["nodes"]) {
            let normal = list(&node["deps"])
                .filter(|dep| list(&dep["dep_kinds"]).any(|kind| kind["kind"].is_null()));
            let uses = normal.map(|dep| name_of[text(&dep["pkg"])].to_owned());
            graph
                .entry(name_of[text(&node["id"])].to_owned())
                .or_default()
                .extend(uses);
        }
        Self(graph)
    }

    /// All that a package reaches.
    fn reached(&self, package: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut next = vec![package];
        while let Some(name) = next.pop() {
            for used in &self.0[name] {
                if reached.insert(used.as_str()) {
                    next.push(used);
                }
            }
        }
        reached
    }
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn arrows_point_one_way() {
    let graph = Graph::read();
    for (place, name) in ORDER.iter().enumerate() {
        let ours = graph.0[*name]
            .iter()
            .filter(|used| ORDER.contains(&used.as_str()));
        for used in ours {
            assert!(
                ORDER[..place].contains(&used.as_str()),
                "{name} uses {used}, which stands further out"
            );
        }
    }
    let mut beside = Vec::new();
    for name in PEERS {
        beside.extend(
            graph.0[name]
                .iter()
                .filter(|used| PEERS.contains(&used.as_str()))
                .map(|used| (name, used.as_str())),
        );
    }
    assert!(
        beside.iter().all(|pair| *pair == ("evidence", "recording")),
        "{beside:?}"
    );
}

#[test]
fn only_the_outermost_crates_reach_the_world() {
    let graph = Graph::read();
    let members = ORDER.into_iter().chain(["tests"]);
    for name in members.filter(|name| !OUTERMOST.contains(name)) {
        let reached = graph.reached(name);
        let world: Vec<_> = WORLD
            .iter()
            .filter(|package| reached.contains(**package))
            .collect();
        assert!(world.is_empty(), "{name} reaches {world:?}");
    }
    assert!(
        graph.reached("gateway").contains("tokio"),
        "the check sees nothing"
    );
}

#[test]
fn one_crypto_provider_and_one_tls_stack() {
    // `cargo tree` and not `cargo metadata`, which also lists what a feature that is off would bring.
    let tree = cargo(&[
        "tree",
        "--workspace",
        "--locked",
        "--target=all",
        "--prefix=none",
        "--format={p}",
    ]);
    let names: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(
        names.contains("aws-lc-rs") && names.contains("rustls"),
        "the check sees nothing"
    );
    let present: Vec<_> = ABSENT
        .iter()
        .filter(|package| names.contains(**package))
        .collect();
    assert!(present.is_empty(), "{present:?} stand in the graph");
}

#[test]
fn every_crate_of_ours_stands_in_the_order() {
    let mut found: Vec<_> = std::fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    let mut named = ORDER.to_vec();
    found.sort();
    named.sort_unstable();
    assert_eq!(found, named);
}
