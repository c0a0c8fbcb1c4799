//! Kills a writing process at hundreds of points and checks what the log holds afterwards.
//!
//! The process is this test binary itself, started on `appender`. It prints every receipt; the test reads some of them,
//! the number differs each time, and kills it in the middle of whatever it is doing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says by panicking that it fails"
)]

use std::collections::BTreeMap;
use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use ledger::tree::{leaf_hash, root, verify_consistency};
use ledger::{Durability, Hash, Log, Options, Reader, SigningKey};
use tempfile::TempDir;

const ORIGIN: &str = "example.com/killed";
const DIR: &str = "LEDGER_KILL_DIR";
const MODE: &str = "LEDGER_KILL_MODE";
const ROUND: &str = "LEDGER_KILL_ROUND";
const THREADS: u64 = 4;

/// Logs per mode and kills per log; the logs of one mode are killed side by side.
const LOGS: u64 = 4;
const KILLS: u64 = 40;

/// A process being started holds copies of all open files for a moment, the lock of a log among them. So nothing is
/// started while this process has a log open.
static STARTING_OR_OPEN: Mutex<()> = Mutex::new(());

fn options(mode: &str) -> Options {
    let durability = match mode {
        "sync" => Durability::Sync,
        _ => Durability::Interval(Duration::from_millis(3)),
    };
    let key = SigningKey::from_seed(ORIGIN, &[3; 32]).unwrap();
    // So short that integration and the removal of old journal segments are killed as often as appends are.
    Options {
        origin: ORIGIN.to_owned(),
        key,
        durability,
        integrate_every: Duration::from_millis(2),
    }
}

/// What a thread of a round appends as its `n`-th entry: it says so itself, and what its length and last byte must be.
fn entry(round: u64, thread: u64, n: u64) -> Vec<u8> {
    let mut bytes = format!("{round}/{thread}/{n}/").into_bytes();
    let filler = (round * 31 + thread * 7 + n * 13) % 700 + if n % 40 == 39 { 30_000 } else { 0 };
    bytes.resize(bytes.len() + filler as usize, b'.');
    bytes.push(b'!');
    bytes
}

/// Round, thread and number of an entry, if it is whole.
fn parse(bytes: &[u8]) -> Option<(u64, u64, u64)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut parts = text.split('/').map(str::parse);
    let (round, thread, n) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    (bytes == entry(round, thread, n)).then_some((round, thread, n))
}

#[test]
#[ignore = "the process that the other tests start and kill; by itself it would append for ever"]
fn appender() {
    let (Ok(dir), Ok(mode), Ok(round)) = (env::var(DIR), env::var(MODE), env::var(ROUND)) else {
        return;
    };
    let round: u64 = round.parse().unwrap();
    let log = Log::open(Path::new(&dir), options(&mode)).unwrap();
    let out = Mutex::new(io::stdout());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (log, out) = (&log, &out);
            scope.spawn(move || {
                for n in 0.. {
                    let bytes = entry(round, thread, n);
                    let append = match n % 3 {
                        2 => log.append_soon(bytes),
                        _ => log.append(bytes),
                    };
                    let receipt = append.wait().unwrap();
                    let line = format!(
                        "receipt {} {}\n",
                        receipt.index(),
                        receipt.leaf_hash().to_base64()
                    );
                    // A broken pipe means that the test has failed and is gone.
                    if out.lock().unwrap().write_all(line.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
}

/// Starts the appender, reads `receipts` receipts, kills it, and gives all receipts that it had printed.
fn run_and_kill(dir: &Path, mode: &str, round: u64, receipts: u64) -> BTreeMap<u64, Hash> {
    let starting = STARTING_OR_OPEN.lock().unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "appender",
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .envs([
            (DIR, dir.to_str().unwrap()),
            (MODE, mode),
            (ROUND, &round.to_string()),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(starting);
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut acknowledged = BTreeMap::new();
    let mut note = |line: &str| {
        // The test harness prints before the first receipt, without ending its line.
        if let Some((_, receipt)) = line.split_once("receipt ") {
            let (index, hash) = receipt.split_once(' ').unwrap();
            // The last line may be cut short by the kill.
            if let Some(hash) = Hash::from_base64(hash) {
                assert_eq!(
                    acknowledged.insert(index.parse().unwrap(), hash),
                    None,
                    "an index given twice"
                );
                return 1;
            }
        }
        0
    };
    let mut read = 0;
    while read < receipts {
        read += note(&lines.next().expect("the appender ended by itself"));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lines.for_each(|line| {
        note(&line);
    });
    acknowledged
}

/// Opens the log as the next writer would, and checks everything. Gives the leaf hashes.
fn check(dir: &Path, mode: &str, acknowledged: &BTreeMap<u64, Hash>, before: &[Hash]) -> Vec<Hash> {
    let open = STARTING_OR_OPEN.lock().unwrap();
    let log = Log::open(dir, options(mode)).unwrap();
    let size = log.flush().unwrap().size();
    log.close().unwrap();
    drop(open);

    let key = options(mode).key;
    let reader = Reader::open(dir, Some(key.verifier())).unwrap();
    reader.verify().unwrap();
    assert_eq!(reader.checkpoint().size(), size);
    let mut leaves = Vec::new();
    let mut counts = BTreeMap::new();
    for item in reader.entries(0..size) {
        let (index, bytes) = item.unwrap();
        assert_eq!(index, leaves.len() as u64);
        let (round, thread, n) = parse(&bytes).expect("a torn or foreign entry was accepted");
        let count: &mut u64 = counts.entry((round, thread)).or_default();
        assert_eq!(
            n, *count,
            "a thread's entries are there in order, without gaps"
        );
        *count += 1;
        leaves.push(leaf_hash(&bytes));
    }
    assert_eq!(
        leaves.get(..before.len()),
        Some(before),
        "what was there stays as it was"
    );
    for (index, hash) in acknowledged {
        match leaves.get(*index as usize) {
            Some(leaf) => assert_eq!(
                leaf, hash,
                "entry {index} is another one than was acknowledged"
            ),
            // Interval mode promises no more than that a crash loses the end.
            None => assert_eq!(
                mode, "interval",
                "the receipt for {index} was given, but the log holds {size}"
            ),
        }
    }
    check_history(&reader, &leaves);
    leaves
}

/// The tree is consistent with every checkpoint ever signed.
fn check_history(reader: &Reader, leaves: &[Hash]) {
    let newest = reader.checkpoint();
    for checkpoint in reader.checkpoints().unwrap() {
        let checkpoint = checkpoint.unwrap();
        let old = checkpoint.size();
        assert_eq!(*checkpoint.root(), root(&leaves[..old as usize]));
        let proof = reader.consistency_proof(old, newest.size()).unwrap();
        verify_consistency(old, newest.size(), checkpoint.root(), newest.root(), &proof).unwrap();
    }
}

fn kill_often(mode: &str, log: u64) {
    let dir = TempDir::new().unwrap();
    let mut leaves = Vec::new();
    for kill in 0..KILLS {
        let round = log * KILLS + kill;
        // From the very first receipt on, and at uneven distances.
        let receipts = (round * round * 7 + log) % 173 * if mode == "sync" { 1 } else { 8 };
        let acknowledged = run_and_kill(dir.path(), mode, round, receipts);
        if let Some(first) = acknowledged.keys().next() {
            assert!(*first >= leaves.len() as u64, "an index was given again");
        }
        leaves = check(dir.path(), mode, &acknowledged, &leaves);
    }
    assert!(leaves.len() > 500);
}

fn kill_side_by_side(mode: &str) {
    thread::scope(|scope| {
        for log in 0..LOGS {
            scope.spawn(move || kill_often(mode, log));
        }
    });
}

#[test]
fn no_kill_loses_a_receipt_or_tears_an_entry() {
    kill_side_by_side("sync");
}

#[test]
fn in_interval_mode_a_kill_loses_only_the_end() {
    kill_side_by_side("interval");
}
