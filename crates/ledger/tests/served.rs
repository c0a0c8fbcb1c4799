//! What a plain web server makes of the folder verifies with tools that are not ours: see `served.py`.

#![expect(clippy::unwrap_used, reason = "a test says by panicking that it fails")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ledger::{Durability, Log, Options, SigningKey};
use tempfile::TempDir;

const ORIGIN: &str = "example.com/served";

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[5; 32]).unwrap()
}

/// What is there to be served of a log with these checkpoints: nothing of the writer's own.
fn served(sizes: &[u64]) -> TempDir {
    let dir = TempDir::new().unwrap();
    let options = Options {
        origin: ORIGIN.to_owned(),
        key: key(),
        durability: Durability::Interval(Duration::from_secs(3_600)),
        integrate_every: Duration::from_secs(3_600),
    };
    let log = Log::open(dir.path(), options).unwrap();
    let mut next = 0;
    for size in sizes {
        while next < *size {
            let burst: Vec<_> = (next..*size)
                .take(10_000)
                .map(|n| log.append(format!("entry {n}")))
                .collect();
            for append in burst {
                append.wait().unwrap();
                next += 1;
            }
        }
        log.flush().unwrap();
    }
    log.close().unwrap();
    fs::remove_dir_all(dir.path().join(".ledger")).unwrap();
    dir
}

/// Whether it verifies, and what was said.
fn verify(dir: &Path) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/served.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(dir)
        .arg(key().verifier().to_string())
        .output()
        .expect("python3 is installed");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn a_stranger_verifies_the_log_over_plain_http() {
    // The last has tiles beyond the thousandth, whose paths have two parts, and three levels.
    for sizes in [
        &[1][..],
        &[256],
        &[3, 257, 700],
        &[65_536],
        &[100, 256_000, 256_300],
    ] {
        let dir = served(sizes);
        let (holds, said) = verify(dir.path());
        assert!(holds, "{sizes:?}: {said}");
        let size = sizes.last().unwrap();
        assert_eq!(said.trim(), format!("size {size}"));
    }
}

#[test]
fn a_stranger_finds_what_was_changed() {
    let dir = served(&[700]);
    for (path, word) in [
        ("tile/0/001", "the root that was signed"),
        ("tile/0/002.p/188", "the root that was signed"),
        ("tile/1/000.p/2", "level 1"),
        ("tile/entries/000", "is not its leaf"),
        ("checkpoint", "Error"),
    ] {
        let file = dir.path().join(path);
        let good = fs::read(&file).unwrap();
        let mut changed = good.clone();
        changed[20] ^= 1;
        fs::write(&file, changed).unwrap();
        let (holds, said) = verify(dir.path());
        assert!(!holds && said.contains(word), "{path}: {said}");
        fs::write(&file, good).unwrap();
    }
    assert!(verify(dir.path()).0);
}
