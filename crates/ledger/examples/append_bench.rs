//! How fast a log appends and is verified, beside what its disk can do. Prints a JSON object a line.
//!
//! Usage: `append_bench [folder [milliseconds per measurement [bytes per entry]]]`. The folder must be on the disk that
//! is meant; what is written there is removed again.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ledger::{Durability, Log, Options, Reader, SigningKey};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const ORIGIN: &str = "example.com/bench";

/// How many appends a writer in interval mode has under way before it looks at the answers.
const PIPELINE: usize = 64;

struct Settings {
    folder: PathBuf,
    time: Duration,
    entry_bytes: usize,
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from)
        .join("ledger-append-bench");
    let time = Duration::from_millis(arguments.next().map_or(Ok(3000), |text| text.parse())?);
    let entry_bytes = arguments.next().map_or(Ok(400), |text| text.parse())?;
    let settings = Settings {
        folder,
        time,
        entry_bytes,
    };
    remove(&settings.folder)?;
    fs::create_dir_all(&settings.folder)?;
    let result = run(&settings);
    remove(&settings.folder)?;
    result
}

fn run(settings: &Settings) -> Outcome<()> {
    let per_second = fdatasync(settings)?;
    println!(
        r#"{{"bench":"fdatasync","bytes":{},"per_second":{per_second:.0}}}"#,
        settings.entry_bytes
    );
    let modes = [
        ("sync", Durability::Sync, 1),
        (
            "interval 10ms",
            Durability::Interval(Duration::from_millis(10)),
            PIPELINE,
        ),
    ];
    for (name, durability, pipeline) in modes {
        for writers in [1, 16, 256] {
            append(settings, name, durability, pipeline, writers)?;
        }
    }
    Ok(())
}

/// What the disk does without a log: one small write, one fdatasync, again and again.
fn fdatasync(settings: &Settings) -> io::Result<f64> {
    let mut file = File::create(settings.folder.join("fdatasync"))?;
    let bytes = vec![b'x'; settings.entry_bytes];
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < settings.time {
        file.write_all(&bytes)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

fn append(
    settings: &Settings,
    mode: &str,
    durability: Durability,
    pipeline: usize,
    writers: usize,
) -> Outcome<()> {
    let dir = settings
        .folder
        .join(format!("{}-{writers}", mode.replace(' ', "-")));
    let key = SigningKey::from_seed(ORIGIN, &[1; 32])?;
    let options = Options {
        origin: ORIGIN.to_owned(),
        key,
        durability,
        integrate_every: Duration::from_secs(1),
    };
    let log = Log::open(&dir, options)?;
    let (done, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let start = Instant::now();
    thread::scope(|scope| -> Outcome<()> {
        let write = || write(&log, settings.entry_bytes, pipeline, &done, &count);
        let threads: Vec<_> = (0..writers).map(|_| scope.spawn(write)).collect();
        thread::sleep(settings.time);
        done.store(true, Ordering::Relaxed);
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err("a writer panicked".into()))
        })
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let count = count.into_inner();
    let flush_start = Instant::now();
    log.close()?;
    let flush = flush_start.elapsed().as_secs_f64();
    let per_second = count as f64 / seconds;
    println!(
        r#"{{"bench":"append","mode":"{mode}","writers":{writers},"entries":{count},"per_second":{per_second:.0},"flush_seconds":{flush:.3}}}"#
    );
    verify(&dir, mode, writers)?;
    remove(&dir)?;
    Ok(())
}

fn write(
    log: &Log,
    entry_bytes: usize,
    pipeline: usize,
    done: &AtomicBool,
    count: &AtomicU64,
) -> Outcome<()> {
    while !done.load(Ordering::Relaxed) {
        let appends: Vec<_> = (0..pipeline)
            .map(|_| log.append(vec![b'x'; entry_bytes]))
            .collect();
        for append in appends {
            append.wait()?;
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Hashes everything again, as an examiner would.
fn verify(dir: &Path, mode: &str, writers: usize) -> Outcome<()> {
    let reader = Reader::open(dir, None)?;
    let size = reader.checkpoint().size();
    let start = Instant::now();
    reader.verify()?;
    let per_second = size as f64 / start.elapsed().as_secs_f64();
    println!(
        r#"{{"bench":"verify","mode":"{mode}","writers":{writers},"entries":{size},"per_second":{per_second:.0}}}"#
    );
    Ok(())
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
