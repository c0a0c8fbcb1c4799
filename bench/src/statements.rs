//! Short statements: `pgbench -S` in its three query modes.

use std::fs;

use serde_json::{Value, json};

use crate::peers::{Peer, Peers};
use crate::{Effort, figure, median, table};

const MODES: [&str; 3] = ["simple", "extended", "prepared"];
const CLIENTS: [u32; 3] = [1, 8, 64];

#[derive(Clone, Copy)]
struct Measured {
    tps: f64,
    p50_us: f64,
    p99_us: f64,
}

pub(crate) fn measure(peers: &Peers, effort: &Effort) -> Value {
    let mut all = Vec::new();
    for mode in MODES {
        for clients in CLIENTS {
            all.push(case(peers, effort, mode, clients));
        }
    }
    Value::Array(all)
}

fn case(peers: &Peers, effort: &Effort, mode: &str, clients: u32) -> Value {
    let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); peers.all.len()];
    for _ in 0..effort.rounds {
        for (peer, of) in peers.all.iter().zip(&mut rounds) {
            of.push(run(peer, effort, mode, clients));
        }
    }
    let of =
        |peer: usize, what: fn(&Measured) -> f64| median(rounds[peer].iter().map(what).collect());
    // The ratio is taken within each round, where the noise is shared.
    let ratio = |peer: usize, to: usize| {
        median(
            rounds[peer]
                .iter()
                .zip(&rounds[to])
                .map(|(one, other)| one.tps / other.tps)
                .collect(),
        )
    };
    let mut rows = Vec::new();
    let mut results = Vec::new();
    for (index, peer) in peers.all.iter().enumerate() {
        let (tps, p50, p99) = (
            of(index, |m| m.tps),
            of(index, |m| m.p50_us),
            of(index, |m| m.p99_us),
        );
        let (to_direct, to_bouncer) = (ratio(index, 0), ratio(index, 1));
        let added = |of: f64, direct: f64| format!("{:+.0}", of - direct);
        rows.push(vec![
            peer.name.to_owned(),
            format!("{tps:.0}"),
            format!("{to_direct:.2}"),
            format!("{to_bouncer:.2}"),
            format!("{p50:.0}"),
            added(p50, of(0, |m| m.p50_us)),
            format!("{p99:.0}"),
            added(p99, of(0, |m| m.p99_us)),
        ]);
        results.push(json!({
            "peer": peer.name, "tps": figure(tps), "ratio_to_direct": figure(to_direct),
            "ratio_to_pgbouncer": figure(to_bouncer), "p50_us": figure(p50), "p99_us": figure(p99),
        }));
    }
    let header = [
        "",
        "tps",
        "÷direct",
        "÷pgbouncer",
        "p50 µs",
        "added",
        "p99 µs",
        "added",
    ];
    table::print(
        &format!("pgbench -S -M {mode}, {clients} clients"),
        &header,
        &rows,
    );
    json!({ "mode": mode, "clients": clients, "peers": results })
}

fn run(peer: &Peer, effort: &Effort, mode: &str, clients: u32) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    let prefix = format!("--log-prefix={}", folder.path().join("t").display());
    let tps = tps(peer, effort, &["-S", "-l", &prefix], mode, clients);
    let mut latencies = Vec::new();
    for file in fs::read_dir(folder.path()).unwrap() {
        let log = fs::read_to_string(file.unwrap().path()).unwrap();
        // client_id transaction_no time script_no …: the third is the latency in microseconds.
        latencies.extend(
            log.lines()
                .filter_map(|line| line.split(' ').nth(2)?.parse::<u32>().ok()),
        );
    }
    latencies.sort_unstable();
    let at = |share: f64| f64::from(latencies[((latencies.len() - 1) as f64 * share) as usize]);
    Measured {
        tps,
        p50_us: at(0.5),
        p99_us: at(0.99),
    }
}

/// Transactions a second that pgbench does with this script.
pub(crate) fn tps(peer: &Peer, effort: &Effort, script: &[&str], mode: &str, clients: u32) -> f64 {
    let (seconds, clients) = (effort.each.as_secs().to_string(), clients.to_string());
    let output = peer
        .endpoint
        .command("pgbench")
        .args(["-n", "-M", mode, "-c", &clients, "-j", "2", "-T", &seconds])
        .args(script)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let tps = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let tps = tps.and_then(|line| line.split(' ').next()?.parse().ok());
    tps.unwrap_or_else(|| {
        panic!(
            "{}: {text}{}",
            peer.name,
            String::from_utf8_lossy(&output.stderr)
        )
    })
}
