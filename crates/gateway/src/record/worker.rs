//! The threads that compress, seal and write chunks. A session stays with one of them, so its chunks stay in order.

use std::io::Write as _;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use ledger::Log;
use model::{Entry, Event};
use recording::Chunk;

use super::{Inner, RecordError, io_error};
use crate::clock::Clock;

/// A chunk leaves when its first note is so old.
const CHUNK_AGE_MAX: Duration = Duration::from_secs(1);

/// One chunk's worth of frames to write.
pub(super) struct Job {
    pub(super) of: Arc<Inner>,
    pub(super) index: u64,
    pub(super) frames: Vec<u8>,
}

/// A handle to one thread. The thread ends when the last handle is gone.
#[derive(Clone)]
pub(super) struct Worker {
    jobs: mpsc::Sender<Job>,
    watched: Arc<Mutex<Vec<Weak<Inner>>>>,
}

impl Worker {
    pub(super) fn start(log: Log, clock: Clock) -> Self {
        let (jobs, queue) = mpsc::channel();
        let watched = Arc::new(Mutex::new(Vec::new()));
        let of = watched.clone();
        let run = move || run(&queue, &of, &log, &clock);
        if let Err(error) = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(run)
        {
            tracing::error!(%error, "no recorder thread: sessions will be refused");
        }
        Self { jobs, watched }
    }

    /// Flushes this session's notes when they grow old, for as long as it lives.
    pub(super) fn watch(&self, session: &Arc<Inner>) {
        self.watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::downgrade(session));
    }

    pub(super) fn send(&self, job: Job) {
        if let Err(mpsc::SendError(job)) = self.jobs.send(job) {
            job.of
                .fail(RecordError::Failed("no recorder thread runs".to_owned()));
            job.release();
        }
    }
}

fn run(queue: &mpsc::Receiver<Job>, watched: &Mutex<Vec<Weak<Inner>>>, log: &Log, clock: &Clock) {
    let mut looked = clock.monotonic();
    loop {
        match queue.recv_timeout(CHUNK_AGE_MAX) {
            Ok(job) => {
                if let Err(error) = job.write(log, clock) {
                    job.of.fail(error);
                }
                job.release();
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = clock.monotonic();
        if now.saturating_sub(looked) >= CHUNK_AGE_MAX {
            looked = now;
            flush(watched, now);
        }
    }
}

/// Hands over what is old, and makes durable what was written since the last look.
fn flush(watched: &Mutex<Vec<Weak<Inner>>>, now: Duration) {
    let mut living = Vec::new();
    watched
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .retain(|session| {
            let session = session.upgrade();
            let lives = session.is_some();
            living.extend(session);
            lives
        });
    for session in living {
        session.sync();
        let mut state = session.lock();
        if now.saturating_sub(state.since) >= CHUNK_AGE_MAX {
            session.dispatch(&mut state);
        }
    }
}

impl Job {
    fn write(&self, log: &Log, clock: &Clock) -> Result<(), RecordError> {
        let of = &self.of;
        let content = |why: String| RecordError::Content {
            session: of.session.clone(),
            why,
        };
        if let Some(error) = &of.lock().failed {
            return Err(error.clone());
        }
        let chunk =
            Chunk::seal(&of.key, self.index, &self.frames).map_err(|e| content(e.to_string()))?;
        (&of.file)
            .write_all(&chunk.bytes)
            .map_err(|error| io_error(&of.path, error))?;
        let event = Event::Recorded {
            session: of.session.clone(),
            chunk: chunk.index,
            bytes: chunk.bytes.len() as u64,
            sha256: chunk.sha256,
        };
        let entry = Entry {
            at: clock.stamp(),
            event,
        }
        .encode()
        .map_err(|error| content(error.to_string()))?;
        // Not waited for: entries are durable in order, and no later one of this session can be without it.
        drop(log.append_soon(entry));
        Ok(())
    }

    fn release(&self) {
        self.of.in_flight.send_modify(|count| *count -= 1);
    }
}
