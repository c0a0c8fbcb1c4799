//! An append under way, and what comes of it.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::state::{QUEUE_BYTES_MAX, UNINTEGRATED_BYTES_MAX};
use crate::tile::BadEntry;
use crate::tree::Hash;

/// Proof that an entry is durable, or within its window if the log runs in interval mode. Only a log makes one, one for
/// each entry: it can be neither built nor cloned.
#[derive(Debug, PartialEq, Eq)]
pub struct Receipt {
    index: u64,
    leaf: Hash,
}

impl Receipt {
    pub(crate) const fn new(index: u64, leaf: Hash) -> Self {
        Self { index, leaf }
    }

    /// The entry's index in the log.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The entry's leaf hash, to be found in the tree.
    #[must_use]
    pub const fn leaf_hash(&self) -> &Hash {
        &self.leaf
    }
}

/// An append under way: await it, or [`Append::wait`] for it.
#[derive(Debug)]
#[must_use = "the entry is durable only once this gives its receipt"]
pub struct Append(Progress);

#[derive(Debug)]
enum Progress {
    Ready(Option<Result<Receipt, AppendError>>),
    Waiting(Arc<Slot>),
}

impl Append {
    pub(crate) fn ready(result: Result<Receipt, AppendError>) -> Self {
        Self(Progress::Ready(Some(result)))
    }

    pub(crate) fn waiting(slot: Arc<Slot>) -> Self {
        Self(Progress::Waiting(slot))
    }

    /// Blocks the thread until the entry is durable.
    ///
    /// # Errors
    ///
    /// [`AppendError`] if it is not and will not be.
    pub fn wait(self) -> Result<Receipt, AppendError> {
        match self.0 {
            Progress::Ready(result) => result.unwrap_or(Err(AppendError::Closed)),
            Progress::Waiting(slot) => slot.wait(),
        }
    }
}

impl Future for Append {
    type Output = Result<Receipt, AppendError>;

    /// Once it has given its result, it gives [`AppendError::Closed`] if polled again.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match &mut self.0 {
            Progress::Ready(result) => result.take().unwrap_or(Err(AppendError::Closed)),
            Progress::Waiting(slot) => match slot.poll(context.waker()) {
                Some(result) => result,
                None => return Poll::Pending,
            },
        };
        self.0 = Progress::Ready(None);
        Poll::Ready(result)
    }
}

/// Where the writer leaves the result of one append.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    content: Mutex<Content>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Content {
    result: Option<Result<Receipt, AppendError>>,
    waker: Option<Waker>,
}

impl Slot {
    /// Leaves the result and wakes who waits for it.
    pub(crate) fn fill(&self, result: Result<Receipt, AppendError>) {
        let waker = {
            let mut content = self.lock();
            content.result = Some(result);
            content.waker.take()
        };
        self.filled.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, waker: &Waker) -> Option<Result<Receipt, AppendError>> {
        let mut content = self.lock();
        let result = content.result.take();
        if result.is_none() {
            content.waker = Some(waker.clone());
        }
        result
    }

    fn wait(&self) -> Result<Receipt, AppendError> {
        let mut content = self.lock();
        loop {
            if let Some(result) = content.result.take() {
                return result;
            }
            content = self
                .filled
                .wait(content)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an entry was not appended. It has no receipt, and nothing may be done that depends on it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// It cannot be an entry.
    #[error(transparent)]
    Entry(#[from] BadEntry),
    /// The disk refused it.
    #[error("cannot write to the log {}: {source}: free space or repair the disk, the next append tries again", dir.display())]
    Write {
        /// The log's folder.
        dir: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// More is being appended than the disk takes.
    #[error(
        "{QUEUE_BYTES_MAX} bytes are waiting to be written to the log: append again when the disk has caught up"
    )]
    QueueFull,
    /// Tiles cannot be written, or not as fast as entries come.
    #[error("{UNINTEGRATED_BYTES_MAX} bytes are waiting for tiles of the log{}: append again later", because.as_ref().map(|e| format!(" ({e})")).unwrap_or_default())]
    TilesBehind {
        /// What the system said when tiles were written last, if that failed.
        because: Option<Arc<io::Error>>,
    },
    /// The log is closed.
    #[error("the log is closed")]
    Closed,
}
