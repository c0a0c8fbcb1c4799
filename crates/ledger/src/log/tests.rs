//! What a log promises, on a disk that works and on one that fails at every step.

use std::fs;
use std::future::Future as _;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::reader::Reader;
use crate::tile::{BadEntry, ENTRY_BYTES_MAX};
use crate::tree::{verify_consistency, verify_inclusion};

mod faults;

const ORIGIN: &str = "example.com/log";

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[7; 32]).unwrap()
}

fn options(durability: Durability) -> Options {
    Options {
        origin: ORIGIN.to_owned(),
        key: key(),
        durability,
        integrate_every: Duration::from_millis(20),
    }
}

/// A log that integrates only when told to.
fn patient(durability: Durability) -> Options {
    Options {
        integrate_every: Duration::from_secs(3600),
        ..options(durability)
    }
}

const INTERVAL: Durability = Durability::Interval(Duration::from_millis(5));

/// Entry `n`: lengths vary, and one in a hundred is large.
fn entry(n: u64) -> Vec<u8> {
    let length = if n % 100 == 99 {
        20_000
    } else {
        1 + (n * 37 % 300) as usize
    };
    format!("{n:08}-")
        .into_bytes()
        .into_iter()
        .cycle()
        .take(length.max(9))
        .collect()
}

fn append_all(log: &Log, range: std::ops::Range<u64>) {
    let appends: Vec<Append> = range.clone().map(|n| log.append(entry(n))).collect();
    for (n, append) in range.zip(appends) {
        let receipt = append.wait().unwrap();
        assert_eq!(
            (receipt.index(), *receipt.leaf_hash()),
            (n, leaf_hash(&entry(n)))
        );
    }
}

/// Reads everything back and proves it, entry by entry and checkpoint by checkpoint.
fn check_whole(dir: &Path, size: u64) {
    let reader = Reader::open(dir, Some(key().verifier())).unwrap();
    assert_eq!(reader.checkpoint().size(), size);
    reader.verify().unwrap();
    let entries: Vec<_> = reader.entries(0..u64::MAX).map(Result::unwrap).collect();
    assert_eq!(
        entries,
        (0..size).map(|n| (n, entry(n))).collect::<Vec<_>>()
    );
    for index in (0..size).step_by(97) {
        let proof = reader.inclusion_proof(index, size).unwrap();
        verify_inclusion(
            index,
            size,
            &leaf_hash(&entry(index)),
            &proof,
            reader.checkpoint().root(),
        )
        .unwrap();
    }
    let mut last = 0;
    for checkpoint in reader.checkpoints().unwrap() {
        let checkpoint = checkpoint.unwrap();
        assert!(checkpoint.size() >= last);
        last = checkpoint.size();
        let proof = reader.consistency_proof(last, size).unwrap();
        verify_consistency(
            last,
            size,
            checkpoint.root(),
            reader.checkpoint().root(),
            &proof,
        )
        .unwrap();
    }
    assert_eq!(last, size);
}

#[test]
fn what_is_appended_is_read_back_and_proved_over_many_openings() {
    for durability in [Durability::Sync, INTERVAL] {
        let dir = TempDir::new().unwrap();
        let mut size = 0;
        for more in [0, 1, 254, 1, 1, 300, 66_000, 5] {
            let log = Log::open(dir.path(), patient(durability)).unwrap();
            append_all(&log, size..size + more);
            size += more;
            assert_eq!(log.flush().unwrap().size(), size);
            assert_eq!(log.checkpoint().unwrap().size(), size);
            assert_eq!(log.size(), size);
            log.close().unwrap();
            check_whole(dir.path(), size);
        }
    }
}

#[test]
fn integration_comes_by_itself() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(dir.path(), options(Durability::Sync)).unwrap();
    append_all(&log, 0..300);
    while log
        .checkpoint()
        .is_none_or(|checkpoint| checkpoint.size() < 300)
    {
        std::thread::yield_now();
    }
    // A reader needs neither the writer's leave nor its end.
    check_whole(dir.path(), 300);
    append_all(&log, 300..301);
    log.flush().unwrap();
    check_whole(dir.path(), 301);
}

#[test]
fn a_log_dropped_without_closing_keeps_everything() {
    for durability in [Durability::Sync, INTERVAL] {
        let dir = TempDir::new().unwrap();
        let log = Log::open(dir.path(), patient(durability)).unwrap();
        (0..500).for_each(|n| drop(log.append(entry(n))));
        drop(log);
        assert!(!dir.path().join("checkpoint").exists());
        let log = Log::open(dir.path(), patient(durability)).unwrap();
        assert_eq!(log.size(), 500);
        append_all(&log, 500..501);
        log.close().unwrap();
        check_whole(dir.path(), 501);
    }
}

#[test]
fn a_log_has_one_writer() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(dir.path(), patient(Durability::Sync)).unwrap();
    let second = Log::open(dir.path(), patient(Durability::Sync)).unwrap_err();
    let expected = "is open for writing elsewhere: a log has one writer, stop the other one first";
    assert_eq!(
        second.to_string(),
        format!("the log {} {expected}", dir.path().display())
    );
    let clone = log.clone();
    drop(log);
    assert!(matches!(
        Log::open(dir.path(), patient(Durability::Sync)),
        Err(OpenError::Locked { .. })
    ));
    drop(clone);
    Log::open(dir.path(), patient(Durability::Sync)).unwrap();
}

#[test]
fn nothing_is_appended_to_a_closed_log_nor_what_is_no_entry() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(dir.path(), patient(Durability::Sync)).unwrap();
    let other = log.clone();
    assert!(matches!(
        log.append(Vec::new()).wait(),
        Err(AppendError::Entry(BadEntry::Empty))
    ));
    let large = log.append(vec![0; ENTRY_BYTES_MAX + 1]).wait().unwrap_err();
    assert!(
        large
            .to_string()
            .starts_with("an entry has at most 65535 bytes")
    );
    assert_eq!(
        log.append(vec![1; ENTRY_BYTES_MAX]).wait().unwrap().index(),
        0
    );
    log.close().unwrap();
    assert!(matches!(
        other.append(b"late".to_vec()).wait(),
        Err(AppendError::Closed)
    ));
    assert_eq!(other.flush().unwrap().size(), 1);
}

/// Counts its wakes and unparks the thread.
struct Alarm(std::thread::Thread, AtomicUsize);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unpark();
    }
}

#[test]
fn an_append_can_be_awaited_on_any_executor() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(dir.path(), patient(Durability::Sync)).unwrap();
    let alarm = Arc::new(Alarm(std::thread::current(), AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&alarm));
    for n in 0..50 {
        let mut append = pin!(log.append(entry(n)));
        let receipt = loop {
            let wakes = alarm.1.load(Ordering::SeqCst);
            match append.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(result) => break result.unwrap(),
                // Only its wake may bring us on: without one this hangs.
                Poll::Pending => {
                    while alarm.1.load(Ordering::SeqCst) == wakes {
                        std::thread::park();
                    }
                }
            }
        };
        assert_eq!(receipt.index(), n);
        let again = append.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(matches!(again, Poll::Ready(Err(AppendError::Closed))));
    }
}

#[test]
fn what_is_appended_soon_is_durable_by_itself_and_with_what_follows() {
    for durability in [Durability::Sync, INTERVAL] {
        let dir = TempDir::new().unwrap();
        let log = Log::open(dir.path(), patient(durability)).unwrap();
        assert_eq!(log.append_soon(entry(0)).wait().unwrap().index(), 0);
        let soon: Vec<Append> = (1..50).map(|n| log.append_soon(entry(n))).collect();
        assert_eq!(log.append(entry(50)).wait().unwrap().index(), 50);
        for (append, n) in soon.into_iter().zip(1..) {
            assert_eq!(append.wait().unwrap().index(), n);
        }
        log.close().unwrap();
        check_whole(dir.path(), 51);
    }
}

#[test]
fn in_interval_mode_an_append_is_answered_at_once() {
    let dir = TempDir::new().unwrap();
    let hour = Durability::Interval(Duration::from_secs(3600));
    let log = Log::open(dir.path(), patient(hour)).unwrap();
    append_all(&log, 0..10);
    assert_eq!(log.size(), 0, "nothing was written yet");
    log.close().unwrap();
    check_whole(dir.path(), 10);
}

#[test]
fn many_writers_share_one_log_and_get_every_index_once() {
    for durability in [Durability::Sync, INTERVAL] {
        let dir = TempDir::new().unwrap();
        let log = Log::open(dir.path(), options(durability)).unwrap();
        let mut receipts: Vec<(u64, Hash)> = thread::scope(|scope| {
            let write = |writer: u64| {
                let log = &log;
                move || {
                    let append = |n: u64| {
                        log.append(format!("{writer}/{n}").into_bytes())
                            .wait()
                            .unwrap()
                    };
                    (0..200)
                        .map(append)
                        .map(|receipt| (receipt.index(), *receipt.leaf_hash()))
                        .collect::<Vec<_>>()
                }
            };
            let writers: Vec<_> = (0..8).map(|writer| scope.spawn(write(writer))).collect();
            writers
                .into_iter()
                .flat_map(|writer| writer.join().unwrap())
                .collect()
        });
        log.close().unwrap();
        receipts.sort();
        let reader = Reader::open(dir.path(), Some(key().verifier())).unwrap();
        reader.verify().unwrap();
        let leaves = reader.leaf_hashes(0..u64::MAX).unwrap();
        assert_eq!(receipts, (0..).zip(leaves).collect::<Vec<_>>());
        assert_eq!(receipts.len(), 1600);
    }
}

/// A log of 300 entries in tiles and 5 in the journal, not open.
fn left_behind() -> TempDir {
    let dir = TempDir::new().unwrap();
    let log = Log::open(dir.path(), patient(Durability::Sync)).unwrap();
    append_all(&log, 0..300);
    log.flush().unwrap();
    append_all(&log, 300..305);
    dir
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn newest_segment(dir: &Path) -> std::path::PathBuf {
    let files = fs::read_dir(dir.join(".ledger"))
        .unwrap()
        .map(|file| file.unwrap().path());
    files
        .filter(|path| path.to_string_lossy().contains("journal-"))
        .max()
        .unwrap()
}

#[test]
fn damage_to_what_was_durable_is_refused_by_name_and_nothing_is_changed() {
    type Damage = fn(&Path);
    type Is = fn(&OpenError) -> bool;
    let cases: &[(Damage, Is)] = &[
        (
            |dir| flip(&newest_segment(dir), 200),
            |error| matches!(error, OpenError::JournalCorrupt { .. }),
        ),
        (
            |dir| fs::remove_file(newest_segment(dir)).unwrap(),
            |error| matches!(error, OpenError::JournalMissing { .. }),
        ),
        (
            |dir| flip(&dir.join("checkpoint"), 20),
            |error| matches!(error, OpenError::Checkpoint { .. }),
        ),
        (
            |dir| fs::remove_file(dir.join("tile/0/001.p/44")).unwrap(),
            |error| matches!(error, OpenError::Tiles(_)),
        ),
        (
            |dir| flip(&dir.join("tile/0/001.p/44"), 9),
            |error| matches!(error, OpenError::Tiles(_)),
        ),
        (
            |dir| flip(&dir.join("tile/entries/001.p/44"), 9),
            |error| matches!(error, OpenError::Tiles(_)),
        ),
        (
            |dir| flip(&dir.join("tile/1/000.p/1"), 9),
            |error| matches!(error, OpenError::Root { size: 300, .. }),
        ),
        (
            |dir| flip(&dir.join(".ledger/checkpoints"), 20),
            |error| matches!(error, OpenError::Checkpoint { .. }),
        ),
    ];
    for (n, (damage, is)) in cases.iter().enumerate() {
        let dir = left_behind();
        damage(dir.path());
        let before = contents(dir.path());
        let error = Log::open(dir.path(), patient(Durability::Sync)).unwrap_err();
        assert!(is(&error), "case {n}: {error}");
        assert!(contents(dir.path()) == before, "case {n}");
    }
}

fn contents(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for path in fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()) {
            if path.is_dir() {
                dirs.push(path)
            } else {
                files.push((path.clone(), fs::read(path).unwrap()))
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_log_rolled_back_behind_a_signed_checkpoint_is_refused() {
    let dir = left_behind();
    let old = contents(dir.path());
    let log = Log::open(dir.path(), patient(Durability::Sync)).unwrap();
    append_all(&log, 305..400);
    log.close().unwrap();
    let history = fs::read(dir.path().join(".ledger/checkpoints")).unwrap();
    fs::remove_dir_all(dir.path()).unwrap();
    for (path, bytes) in old {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    fs::write(dir.path().join(".ledger/checkpoints"), history).unwrap();
    let error = Log::open(dir.path(), patient(Durability::Sync)).unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::BehindHistory {
                signed: 400,
                found: 305,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_torn_last_batch_was_never_acknowledged_and_goes() {
    let dir = left_behind();
    let segment = newest_segment(dir.path());
    let whole = fs::read(&segment).unwrap();
    // The seal and the end of the last batch, more than its padding, never came.
    fs::write(&segment, &whole[..whole.len() - 64 - 64]).unwrap();
    let log = Log::open(dir.path(), patient(Durability::Sync)).unwrap();
    let size = log.size();
    assert!((300..305).contains(&size), "{size}");
    append_all(&log, size..310);
    log.close().unwrap();
    check_whole(dir.path(), 310);
}

#[test]
fn another_key_another_origin_and_no_origin_are_refused() {
    let dir = left_behind();
    let stranger = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    let open = |origin: &str, key: SigningKey| {
        Log::open(
            dir.path(),
            Options {
                origin: origin.to_owned(),
                key,
                ..patient(Durability::Sync)
            },
        )
        .unwrap_err()
    };
    assert!(matches!(
        open(ORIGIN, stranger),
        OpenError::Checkpoint { .. }
    ));
    assert!(
        matches!(open("example.com/other", key()), OpenError::Origin { found, .. } if found == ORIGIN)
    );
    for origin in ["", "a\nb", &"o".repeat(1025)] {
        assert!(matches!(open(origin, key()), OpenError::BadOrigin(_)));
    }
}
