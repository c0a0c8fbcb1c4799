//! What single parts do: programs beside this one that print JSON lines.

use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{figure, table};

/// Runs an example program and shows its lines.
pub(crate) fn run(example: &str, title: &str) -> Value {
    let lines = lines(&mut Command::new(program(example)));
    show(title, &lines);
    Value::Array(lines)
}

/// Masking, and how long others take to search the same texts in the same run; `ratio` is how much faster Countersign is.
pub(crate) fn masking() -> Value {
    let texts = tempfile::tempdir().unwrap();
    let mut all = lines(Command::new(program("mask_bench")).arg(texts.path()));
    let ours: Vec<Value> = all.clone();
    let python = ".cache/bench-venv/bin/python";
    let peers = lines(
        Command::new(python)
            .arg("bench/peers/mask.py")
            .arg(texts.path()),
    );
    all.extend(peers.into_iter().map(|mut line| {
        let same = |it: &&Value| it["case"] == line["case"];
        let ours = ours.iter().find(same).unwrap()["mb_per_s"]
            .as_f64()
            .unwrap();
        line["ratio"] = figure(ours / line["mb_per_s"].as_f64().unwrap());
        line
    }));
    show("Masking: one core", &all);
    Value::Array(all)
}

fn program(example: &str) -> std::path::PathBuf {
    let program = std::env::current_exe().unwrap();
    program.with_file_name("examples").join(example)
}

/// The lines of JSON that a program prints.
fn lines(command: &mut Command) -> Vec<Value> {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn show(title: &str, lines: &[Value]) {
    let rows: Vec<Vec<String>> = lines.iter().map(|line| vec![shown(line)]).collect();
    table::print(title, &[""], &rows);
}

/// `name=value` for each member.
fn shown(line: &Value) -> String {
    let members = line.as_object().into_iter().flatten();
    let one = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    };
    members.map(one).collect::<Vec<_>>().join("  ")
}

/// So long it is measured what the disk does.
const DISK_TIME: Duration = Duration::from_secs(2);

/// How often a second the disk makes a small write durable: what a command waits for in sync mode, before it is shared.
fn fdatasync_per_s() -> f64 {
    let mut file = tempfile::tempfile().unwrap();
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < DISK_TIME {
        file.write_all(&[b'x'; 1_024]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    f64::from(count) / began.elapsed().as_secs_f64()
}

/// What was measured on.
pub(crate) fn machine() -> Value {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let fdatasync = fdatasync_per_s();
    let name = model.map_or("an unknown CPU", |(_, name)| name);
    println!("{cores} cores of {name}; {fdatasync:.0} fdatasync a second");
    json!({
        "cpu": name, "cores": cores, "fdatasync_per_s": figure(fdatasync), "version": env!("CARGO_PKG_VERSION"),
    })
}
