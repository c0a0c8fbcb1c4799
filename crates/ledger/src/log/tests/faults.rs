//! A disk that fails at any one operation, or from one on, and may be repaired.

use std::sync::Condvar;
use std::sync::atomic::{AtomicBool, AtomicIsize};

use super::*;

/// Counts what is done to the disk and fails at the `n`-th operation.
#[derive(Debug)]
struct Faulty {
    left: AtomicIsize,
    hit: AtomicBool,
    lasting: bool,
    kind: io::ErrorKind,
}

impl Faulty {
    fn new(operations: isize, lasting: bool, kind: io::ErrorKind) -> Arc<Self> {
        Arc::new(Self {
            left: AtomicIsize::new(operations),
            hit: AtomicBool::new(false),
            lasting,
            kind,
        })
    }

    fn repair(&self) {
        self.left.store(isize::MAX, Ordering::SeqCst);
    }

    fn was_hit(&self) -> bool {
        self.hit.load(Ordering::SeqCst)
    }

    fn step(&self) -> io::Result<()> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst) - 1;
        if left > 0 || (left < 0 && !self.lasting) {
            return Ok(());
        }
        self.hit.store(true, Ordering::SeqCst);
        Err(self.kind.into())
    }
}

impl Storage for Faulty {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.step()?;
        Disk.create(path)
    }

    /// A full disk takes a part of what it is given.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let (part, _) = bytes.split_at(bytes.len() / 2);
        self.step()
            .or_else(|error| Disk.write(file, part).and(Err(error)))?;
        Disk.write(file, bytes)
    }

    /// What failed to become durable is readable nevertheless, which is the harder case; nothing is really synced.
    fn sync(&self, _: &File) -> io::Result<()> {
        self.step()
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        self.step()
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.step()?;
        Disk.truncate(file, length)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        Disk.rename(from, to)
    }

    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        self.step()?;
        Disk.create_dirs(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        Disk.remove(path)
    }
}

/// Appends, and flushes if told to, on a disk that may fail; entries with a receipt go to `held`. Each entry is unique,
/// so one that was refused can be told from one that was not.
fn work(log: &Log, flush: bool, held: &mut Vec<Vec<u8>>, next: &mut u64) {
    for burst in [1, 3, 255, 2] {
        let appends: Vec<_> = (0..burst)
            .map(|_| {
                *next += 1;
                let bytes = entry(*next);
                (log.append(bytes.clone()), bytes)
            })
            .collect();
        for (append, bytes) in appends {
            match append.wait() {
                Ok(receipt) => {
                    assert_eq!(receipt.index(), held.len() as u64);
                    assert_eq!(*receipt.leaf_hash(), leaf_hash(&bytes));
                    held.push(bytes);
                }
                Err(error) => assert!(matches!(error, AppendError::Write { .. }), "{error}"),
            }
        }
        if flush {
            // Refused or not: what was acknowledged stays acknowledged.
            let _ = log.flush();
        }
    }
}

fn entries_of(dir: &Path) -> Vec<Vec<u8>> {
    let reader = Reader::open(dir, Some(key().verifier())).unwrap();
    reader.verify().unwrap();
    for checkpoint in reader.checkpoints().unwrap() {
        let checkpoint = checkpoint.unwrap();
        assert_eq!(
            reader.root_at(checkpoint.size()).unwrap(),
            *checkpoint.root()
        );
    }
    reader
        .entries(0..u64::MAX)
        .map(|item| item.unwrap().1)
        .collect()
}

/// Fails at operation `n`; then the disk is repaired and the service resumes. False when there is no such operation.
fn resumes_after(n: isize, lasting: bool, durability: Durability) -> bool {
    let dir = TempDir::new().unwrap();
    let disk = Faulty::new(n, lasting, io::ErrorKind::StorageFull);
    let open = || {
        Log::open_on(
            Arc::clone(&disk) as Arc<dyn Storage>,
            dir.path(),
            patient(durability),
        )
    };
    let log = open().unwrap_or_else(|error| {
        assert!(matches!(error, OpenError::Io { .. }), "{error}");
        disk.repair();
        open().unwrap()
    });
    let (mut held, mut next) = (Vec::new(), 0);
    work(&log, true, &mut held, &mut next);
    let hit = disk.hit.load(Ordering::SeqCst);
    disk.repair();
    // From here on everything stands in the journal only, for the next writer to find.
    work(&log, false, &mut held, &mut next);
    let last = log.append(b"after the repair".to_vec()).wait().unwrap();
    assert_eq!(last.index(), held.len() as u64);
    held.push(b"after the repair".to_vec());
    drop(log);
    let log = Log::open(dir.path(), patient(durability)).unwrap();
    assert_eq!(log.size(), held.len() as u64, "fault at operation {n}");
    log.close().unwrap();
    // Exactly what was acknowledged, in its place: nothing lost, and nothing of what was refused.
    assert!(entries_of(dir.path()) == held, "fault at operation {n}");
    hit
}

/// Fails from operation `n` on until the process ends; the next one finds a working disk. False when there is no such
/// operation.
fn recovers_after(n: isize) -> bool {
    let dir = TempDir::new().unwrap();
    let disk = Faulty::new(n, true, io::ErrorKind::ReadOnlyFilesystem);
    let mut held = Vec::new();
    if let Ok(log) = Log::open_on(
        Arc::clone(&disk) as Arc<dyn Storage>,
        dir.path(),
        patient(Durability::Sync),
    ) {
        work(&log, true, &mut held, &mut 0);
    }
    let log = Log::open(dir.path(), patient(Durability::Sync)).unwrap();
    log.flush().unwrap();
    log.close().unwrap();
    // A batch that failed may have reached the disk whole all the same: it may be there, behind what was acknowledged.
    let found = entries_of(dir.path());
    assert!(found.starts_with(&held), "fault from operation {n} on");
    disk.was_hit()
}

fn every_operation(mut holds: impl FnMut(isize) -> bool) {
    let operations = (1..).take_while(|n| holds(*n)).count();
    assert!(operations > 80, "only {operations} operations were tried");
}

#[test]
fn a_disk_full_for_one_operation_costs_no_receipt_and_keeps_nothing_refused() {
    every_operation(|n| resumes_after(n, false, Durability::Sync));
}

#[test]
fn a_disk_full_until_space_returns_costs_no_receipt_and_keeps_nothing_refused() {
    every_operation(|n| resumes_after(n, true, Durability::Sync));
}

#[test]
fn in_interval_mode_what_was_acknowledged_is_written_when_space_returns() {
    every_operation(|n| resumes_after(n, true, INTERVAL));
}

#[test]
fn a_disk_read_only_until_the_end_costs_no_receipt() {
    every_operation(recovers_after);
}

/// A disk on which the next write takes until it is let go on.
#[derive(Debug)]
struct Slow {
    disk: Arc<Faulty>,
    is_slow: Mutex<bool>,
    changed: Condvar,
}

impl Slow {
    fn set(&self, is_slow: bool) {
        *self.is_slow.lock().unwrap() = is_slow;
        self.changed.notify_all();
    }
}

impl Storage for Slow {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.disk.create(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        drop(
            self.changed
                .wait_while(self.is_slow.lock().unwrap(), |is_slow| *is_slow)
                .unwrap(),
        );
        self.disk.write(file, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.disk.sync(file)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(dir)
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.disk.truncate(file, length)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dirs(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }
}

#[test]
fn a_disk_that_hangs_fills_the_queue_to_its_limit_and_no_further() {
    for durability in [Durability::Sync, INTERVAL] {
        let dir = TempDir::new().unwrap();
        let disk = Faulty::new(isize::MAX, false, io::ErrorKind::StorageFull);
        let slow = Arc::new(Slow {
            disk,
            is_slow: Mutex::new(false),
            changed: Condvar::new(),
        });
        let log = Log::open_on(
            Arc::clone(&slow) as Arc<dyn Storage>,
            dir.path(),
            patient(durability),
        )
        .unwrap();
        slow.set(true);
        let entry = Entry::new(vec![1; 60_000]);
        let fit = super::super::state::QUEUE_BYTES_MAX / entry.cost();
        let taken: Vec<_> = (0..fit).map(|_| log.append(entry.bytes.clone())).collect();
        let error = log.append(entry.bytes.clone()).wait().unwrap_err();
        assert!(matches!(error, AppendError::QueueFull), "{error}");
        slow.set(false);
        for (index, append) in (0..).zip(taken) {
            assert_eq!(append.wait().unwrap().index(), index);
        }
        assert_eq!(log.append(entry.bytes).wait().unwrap().index(), fit as u64);
        log.close().unwrap();
        assert_eq!(entries_of(dir.path()).len(), fit + 1);
    }
}

#[test]
fn tiles_that_cannot_be_written_stop_appends_at_a_limit_until_they_can() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(dir.path(), options(Durability::Sync)).unwrap();
    // Where the bundles should go stands a file.
    let in_the_way = dir.path().join("tile");
    fs::write(&in_the_way, b"").unwrap();
    let entry = Entry::new(vec![1; 60_000]);
    let mut held = 0;
    let error = loop {
        // A few at a time, so that it is the tiles that fall behind and not the queue.
        let appends: Vec<_> = (0..64).map(|_| log.append(entry.bytes.clone())).collect();
        match appends
            .into_iter()
            .map(Append::wait)
            .collect::<Result<Vec<_>, _>>()
        {
            Ok(receipts) => held += receipts.len(),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, AppendError::TilesBehind { because: Some(_) }),
        "{error}"
    );
    assert!(held * entry.cost() <= super::super::state::UNINTEGRATED_BYTES_MAX);
    assert!(matches!(log.flush(), Err(FlushError::Integrate { .. })));
    fs::remove_file(in_the_way).unwrap();
    let size = log.flush().unwrap().size();
    assert!(size >= held as u64);
    assert_eq!(log.append(entry.bytes).wait().unwrap().index(), size);
    log.close().unwrap();
    assert_eq!(entries_of(dir.path()).len() as u64, size + 1);
}

#[test]
fn a_refusal_names_the_log_and_the_reason() {
    let dir = TempDir::new().unwrap();
    let disk = Faulty::new(isize::MAX, true, io::ErrorKind::StorageFull);
    let log = Log::open_on(
        Arc::clone(&disk) as Arc<dyn Storage>,
        dir.path(),
        patient(Durability::Sync),
    )
    .unwrap();
    disk.left.store(1, Ordering::SeqCst);
    let error = log.append(b"x".to_vec()).wait().unwrap_err().to_string();
    let path = dir.path().display();
    assert_eq!(
        error,
        format!(
            "cannot write to the log {path}: no storage space: free space or repair the disk, the next append tries again"
        )
    );
    assert_eq!(log.size(), 0);
    disk.repair();
    assert_eq!(log.append(b"x".to_vec()).wait().unwrap().index(), 0);
}
