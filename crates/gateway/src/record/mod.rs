//! Recordings on disk: one sealed file a session, its digests in the ledger as it grows.
//!
//! ```text
//! <data>/recordings/<session>.rec   the recording (crate `recording`)
//! <data>/recordings/<session>.key   the session's key, wrapped; deleting it forgets the content
//! ```
//!
//! A session's notes are gathered in memory and handed, a chunk at a time, to a worker that compresses, seals and writes
//! them, and appends the digest to the ledger. A chunk leaves when it is full or a second old. At most [`IN_FLIGHT_MAX`]
//! chunks of a session are on their way: then [`Recorder::ready`] waits, and with it the relay. If a recording cannot be
//! written, its session ends: nothing is shown that is not recorded.

mod replay;
mod sealed;
mod worker;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use ledger::Log;
use model::{Note, SealedCommand};
use recording::{
    CHUNK_BYTES, Chunks, CommandSealer, Kek, MAGIC, Moment, SessionKey, WrappedKey, Writer,
};
use tokio::sync::watch;

use crate::clock::Clock;
pub use replay::{Broken, Expected, Line, Message, Replay, Scene, Shown};
pub use sealed::Transcripts;
use worker::{Job, Worker};

/// What the key of a session's commitments is the HMAC-SHA-256 of, under the recording's.
const COMMITMENTS: &[u8] = b"countersign/session/commitments/v1";
/// Chunks of one session that may be on their way to the disk at once.
pub const IN_FLIGHT_MAX: usize = 2;

/// A recording that cannot be written or read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RecordError {
    /// The disk refused.
    #[error("{path}: {error}: check the space and permissions of the recordings folder")]
    Io {
        /// Which file.
        path: String,
        /// What the system said.
        error: Arc<io::Error>,
    },
    /// There is no recording of this session.
    #[error("there is no recording of session {0}: it was disposed of, or the id is wrong")]
    Unknown(String),
    /// Its key or its content does not open.
    #[error("the recording of session {session}: {why}")]
    Content {
        /// Which session.
        session: String,
        /// What is wrong.
        why: String,
    },
    /// An earlier write of this session failed.
    #[error("the session's recording failed before: {0}")]
    Failed(String),
}

/// All recordings of a gateway.
#[derive(Clone)]
pub struct Recordings {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    kek: Kek,
    clock: Clock,
    workers: Vec<Worker>,
    opened: AtomicU64,
}

impl Recordings {
    /// Opens the folder, which is made if it is not there, and starts the workers.
    ///
    /// # Errors
    /// [`RecordError::Io`] where the folder cannot be made.
    pub fn start(folder: &Path, kek: Kek, log: &Log, clock: Clock) -> Result<Self, RecordError> {
        fs::create_dir_all(folder).map_err(|error| io_error(folder, error))?;
        let count = std::thread::available_parallelism()
            .map_or(1, std::num::NonZero::get)
            .min(4);
        let workers = (0..count)
            .map(|_| Worker::start(log.clone(), clock.clone()))
            .collect();
        let folder = folder.to_owned();
        Ok(Self {
            shared: Arc::new(Shared {
                folder,
                kek,
                clock,
                workers,
                opened: AtomicU64::new(0),
            }),
        })
    }

    /// The id of the key that wraps the sessions' keys.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.shared.kek.id()
    }

    /// Begins the recording of `session`: its wrapped key is durable when this returns. Blocks for the disk.
    ///
    /// # Errors
    /// [`RecordError`] where the files cannot be made.
    pub fn open(&self, session: &str, random: Fresh) -> Result<Recorder, RecordError> {
        let content = |why: String| RecordError::Content {
            session: session.to_owned(),
            why,
        };
        let shared = &self.shared;
        let key =
            SessionKey::new(session, &random.key).map_err(|error| content(error.to_string()))?;
        let wrapped = shared
            .kek
            .wrap(session, &key, random.nonce)
            .map_err(|error| content(error.to_string()))?;
        let wrapped = serde_json::to_vec(&wrapped).map_err(|error| content(error.to_string()))?;
        create(&self.path(session, "key"), &wrapped)?;
        let path = self.path(session, "rec");
        let file = create(&path, &MAGIC)?;
        File::open(&shared.folder)
            .and_then(|f| f.sync_all())
            .map_err(|e| io_error(&shared.folder, e))?;
        self.begin(session, key, path, file)
    }

    fn begin(
        &self,
        session: &str,
        key: SessionKey,
        path: PathBuf,
        file: File,
    ) -> Result<Recorder, RecordError> {
        let shared = &self.shared;
        let nth = shared.opened.fetch_add(1, Ordering::Relaxed) as usize;
        let worker = shared
            .workers
            .get(nth % shared.workers.len().max(1))
            .cloned();
        let worker = worker.ok_or_else(|| RecordError::Failed("no worker runs".to_owned()))?;
        let key = Arc::new(key);
        let inner = Arc::new(Inner {
            session: session.to_owned(),
            sealer: CommandSealer::new(key.clone()),
            key,
            path,
            file,
            began: shared.clock.monotonic(),
            clock: shared.clock.clone(),
            state: Mutex::new(State::default()),
            in_flight: watch::Sender::new(0),
            worker: worker.clone(),
        });
        worker.watch(&inner);
        Ok(Recorder { inner })
    }

    /// Reads the whole sealed recording and its key. Blocks for the disk.
    ///
    /// # Errors
    /// [`RecordError`] where there is none, or its key does not open.
    pub fn read(&self, session: &str) -> Result<(Vec<u8>, SessionKey), RecordError> {
        let path = self.path(session, "rec");
        let bytes = read_file(&path, session)?;
        Ok((bytes, self.session_key(session)?))
    }

    /// Unwraps the key of `session`. Blocks for the disk.
    ///
    /// # Errors
    /// [`RecordError`] where it was disposed of or does not open.
    pub fn session_key(&self, session: &str) -> Result<SessionKey, RecordError> {
        let content = |why: String| RecordError::Content {
            session: session.to_owned(),
            why,
        };
        let wrapped = read_file(&self.path(session, "key"), session)?;
        let wrapped: WrappedKey =
            serde_json::from_slice(&wrapped).map_err(|e| content(e.to_string()))?;
        self.shared
            .kek
            .unwrap(session, &wrapped)
            .map_err(|error| content(error.to_string()))
    }

    fn path(&self, session: &str, extension: &str) -> PathBuf {
        // A session's id names a file: whatever else it holds is somebody's attempt to leave the folder.
        let safe: String = session
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        self.shared.folder.join(format!("{safe}.{extension}"))
    }
}

/// Fresh random bytes for one session's key.
pub struct Fresh {
    /// The key.
    pub key: [u8; 32],
    /// The nonce under which it is wrapped.
    pub nonce: [u8; 12],
}

/// One session's recording as it is written. Cheap to clone; all clones are one recording.
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<Inner>,
}

struct Inner {
    session: String,
    key: Arc<SessionKey>,
    sealer: CommandSealer,
    path: PathBuf,
    file: File,
    began: std::time::Duration,
    clock: Clock,
    state: Mutex<State>,
    /// Chunks handed to the worker and not yet written.
    in_flight: watch::Sender<usize>,
    worker: Worker,
}

#[derive(Default)]
struct State {
    writer: Writer,
    /// When the oldest note that is gathered was made, by the monotonic clock.
    since: std::time::Duration,
    chunks: u64,
    unsynced: bool,
    failed: Option<RecordError>,
}

impl Recorder {
    /// Records a note. Never blocks; see [`Recorder::ready`].
    ///
    /// # Errors
    /// [`RecordError`] where the recording failed before: the session must end.
    pub fn note(&self, note: &Note) -> Result<(), RecordError> {
        let now = self.inner.clock.monotonic();
        let at = Moment {
            wall: self.inner.clock.now(),
            mono_us: u64::try_from(now.saturating_sub(self.inner.began).as_micros())
                .unwrap_or(u64::MAX),
        };
        let mut state = self.inner.lock();
        if let Some(error) = &state.failed {
            return Err(RecordError::Failed(error.to_string()));
        }
        if state.writer.gathered() == 0 {
            state.since = now;
        }
        state.writer.push(at, note);
        if state.writer.gathered() >= CHUNK_BYTES {
            self.inner.dispatch(&mut state);
        }
        Ok(())
    }

    /// Waits until there is room for more.
    ///
    /// # Errors
    /// [`RecordError`] where the recording failed: the session must end.
    pub async fn ready(&self) -> Result<(), RecordError> {
        self.inner.in_flight_below(IN_FLIGHT_MAX).await;
        match &self.inner.lock().failed {
            Some(error) => Err(RecordError::Failed(error.to_string())),
            None => Ok(()),
        }
    }

    /// Seals a command for its ledger entry.
    ///
    /// # Errors
    /// [`RecordError::Content`] where the cipher refuses.
    pub fn seal(&self, command: &SealedCommand) -> Result<String, RecordError> {
        self.inner
            .sealer
            .seal(command)
            .map_err(|error| RecordError::Content {
                session: self.inner.session.clone(),
                why: error.to_string(),
            })
    }

    /// The key of the session's commitments.
    #[must_use]
    pub fn commitments(&self) -> hmac::Tag {
        commitments(&self.inner.key)
    }

    /// Writes what is left, waits until the disk has it, and gives the number of chunks.
    ///
    /// # Errors
    /// [`RecordError`] where a write failed.
    pub async fn close(self) -> Result<u64, RecordError> {
        self.inner.dispatch(&mut self.inner.lock());
        self.inner.in_flight_below(1).await;
        let inner = self.inner.clone();
        let synced = tokio::task::spawn_blocking(move || inner.sync()).await;
        let state = self.inner.lock();
        match (&state.failed, synced) {
            (Some(error), _) => Err(error.clone()),
            (None, Ok(())) => Ok(state.chunks),
            (None, Err(_)) => Err(RecordError::Failed(
                "the gateway is shutting down".to_owned(),
            )),
        }
    }
}

impl Inner {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands what is gathered to the worker. Chunks leave in the order of their indices: the state is locked.
    fn dispatch(self: &Arc<Self>, state: &mut State) {
        if state.writer.gathered() == 0 || state.failed.is_some() {
            return;
        }
        let frames = state.writer.take();
        let index = state.chunks;
        state.chunks += 1;
        state.unsynced = true;
        self.in_flight.send_modify(|count| *count += 1);
        self.worker.send(Job {
            of: self.clone(),
            index,
            frames,
        });
    }

    async fn in_flight_below(&self, limit: usize) {
        if *self.in_flight.borrow() >= limit {
            // The sender lives as long as `self`, so this does not fail.
            drop(
                self.in_flight
                    .subscribe()
                    .wait_for(|count| *count < limit)
                    .await,
            );
        }
    }

    fn fail(&self, error: RecordError) {
        tracing::error!(session = %self.session, %error, "the recording failed: the session ends");
        self.lock().failed.get_or_insert(error);
    }

    fn sync(&self) {
        if !std::mem::take(&mut self.lock().unsynced) {
            return;
        }
        if let Err(error) = self.file.sync_data() {
            self.fail(io_error(&self.path, error));
        }
    }
}

/// The chunks of a recording's bytes, with the session named in the error.
///
/// # Errors
/// [`RecordError::Content`] where the bytes are no recording.
pub fn chunks<'a>(session: &str, bytes: &'a [u8]) -> Result<Chunks<'a>, RecordError> {
    recording::chunks(bytes).map_err(|error| RecordError::Content {
        session: session.to_owned(),
        why: error.to_string(),
    })
}

/// The key of the commitments to what is found in a session: whoever holds the session's own can test them later.
#[must_use]
pub fn commitments(key: &SessionKey) -> hmac::Tag {
    hmac::sign(&key.commitments(), COMMITMENTS)
}

fn create(path: &Path, content: &[u8]) -> Result<File, RecordError> {
    let create = || {
        let mut file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(content)?;
        file.sync_data()?;
        Ok(file)
    };
    create().map_err(|error| io_error(path, error))
}

fn read_file(path: &Path, session: &str) -> Result<Vec<u8>, RecordError> {
    fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => RecordError::Unknown(session.to_owned()),
        _ => io_error(path, error),
    })
}

fn io_error(path: &Path, error: io::Error) -> RecordError {
    RecordError::Io {
        path: path.display().to_string(),
        error: Arc::new(error),
    }
}

#[cfg(test)]
mod tests;
