//! What the callers, the writer and the integrator share.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::append::{Append, AppendError, Receipt, Slot};
use super::{Durability, Entry, FlushError};
use crate::checkpoint::Checkpoint;

/// What may wait to be written; then appends are refused.
pub(crate) const QUEUE_BYTES_MAX: usize = 64 << 20;

/// What may wait for tiles, in memory and in the journal; then appends are refused.
pub(crate) const UNINTEGRATED_BYTES_MAX: usize = 256 << 20;

/// The writer waits for the integrator when so much waits for tiles, unless that has failed: a disk that is merely slow
/// makes appends wait, it does not refuse them.
const WRITER_WAITS_BYTES: usize = 128 << 20;

/// In interval mode, appends are answered at once only up to here; beyond, callers wait for the disk.
const ANSWERED_BYTES_MAX: usize = 8 << 20;

/// The writer takes no more at a time.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// In interval mode, the writer does not wait for the interval to pass if so much is queued.
const EARLY_WRITE_BYTES: usize = 1 << 20;

/// How long what is appended *soon* waits for something else to be written with.
const SOON: Duration = Duration::from_millis(20);

/// The integrator does not wait for its time if so much is durable.
const EARLY_INTEGRATION_BYTES: usize = 16 << 20;

/// How long to wait, at least, before trying again what failed while nobody asks for it.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// The state and the three things one can wait for.
#[derive(Debug)]
pub(crate) struct Shared {
    dir: PathBuf,
    durability: Durability,
    state: Mutex<State>,
    /// For the writer: something to write.
    to_write: Condvar,
    /// For the integrator: something to integrate.
    to_integrate: Condvar,
    /// For who flushes: a checkpoint, or a failure.
    progress: Condvar,
}

/// Indexes run: integrated, then unintegrated up to `durable`, then in flight, then queued.
#[derive(Debug)]
pub(crate) struct State {
    queue: VecDeque<Queued>,
    queue_bytes: usize,
    in_flight: usize,
    /// Appends queued or in flight that have not been answered. Only behind none of them can one be answered at once.
    unanswered: usize,
    /// Appends queued that somebody waits for: the writer hurries.
    awaited: usize,
    pub(crate) durable: u64,
    unintegrated: Vec<Entry>,
    unintegrated_bytes: usize,
    pub(crate) integrated: u64,
    pub(crate) checkpoint: Option<Checkpoint>,
    flush_to: Option<u64>,
    write_failure: Failure,
    integrate_failure: Failure,
    pub(crate) closed: bool,
    stopping: bool,
    thread_is_gone: bool,
}

/// The last failure, until there is success again, and how many there were.
#[derive(Debug, Default)]
struct Failure {
    last: Option<Arc<io::Error>>,
    count: u64,
}

impl Failure {
    fn note(&mut self, error: Arc<io::Error>) {
        self.last = Some(error);
        self.count += 1;
    }
}

#[derive(Debug)]
struct Queued {
    entry: Entry,
    /// `None` if it has been answered.
    slot: Option<Arc<Slot>>,
    haste: Haste,
}

/// Whether an entry is worth a write of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    /// Somebody waits for it.
    Now,
    /// It may wait for [`SOON`], to be written with the next that cannot.
    Soon,
}

/// What the writer is to write next.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) entries: Vec<Entry>,
    slots: Vec<Option<Arc<Slot>>>,
    /// Entries below this index stand in durable tiles.
    pub(crate) integrated: u64,
}

/// Whoever waits for a batch that was never settled, because its thread panicked, must not wait for ever.
impl Drop for Batch {
    fn drop(&mut self) {
        for slot in self.slots.drain(..).flatten() {
            slot.fill(Err(AppendError::Closed));
        }
    }
}

impl Shared {
    pub(crate) fn new(
        dir: &Path,
        durability: Durability,
        durable: u64,
        checkpoint: Option<Checkpoint>,
        unintegrated: Vec<Entry>,
    ) -> Self {
        let state = State {
            queue: VecDeque::new(),
            queue_bytes: 0,
            in_flight: 0,
            unanswered: 0,
            awaited: 0,
            durable,
            unintegrated_bytes: unintegrated.iter().map(Entry::cost).sum(),
            integrated: durable - unintegrated.len() as u64,
            unintegrated,
            checkpoint,
            flush_to: None,
            write_failure: Failure::default(),
            integrate_failure: Failure::default(),
            closed: false,
            stopping: false,
            thread_is_gone: false,
        };
        Self {
            dir: dir.to_owned(),
            durability,
            state: Mutex::new(state),
            to_write: Condvar::new(),
            to_integrate: Condvar::new(),
            progress: Condvar::new(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an entry for the writer.
    pub(crate) fn enqueue(&self, entry: Entry, haste: Haste) -> Append {
        let mut state = self.lock();
        if let Err(error) = state.admits(&entry) {
            return Append::ready(Err(error));
        }
        let at_once = matches!(self.durability, Durability::Interval(_))
            && state.unanswered == 0
            && state.write_failure.last.is_none()
            && state.queue_bytes < ANSWERED_BYTES_MAX;
        let bytes_before = state.queue_bytes;
        state.queue_bytes += entry.cost();
        let (slot, append) = if at_once {
            (
                None,
                Append::ready(Ok(Receipt::new(state.next_index(), entry.leaf))),
            )
        } else {
            state.unanswered += 1;
            state.awaited += usize::from(haste == Haste::Now);
            let slot = Arc::new(Slot::default());
            (Some(Arc::clone(&slot)), Append::waiting(slot))
        };
        state.queue.push_back(Queued { entry, slot, haste });
        // The writer sleeps on an empty queue, and on one that can wait.
        let rouse = bytes_before == 0
            || (!at_once && haste == Haste::Now)
            || (bytes_before < EARLY_WRITE_BYTES && state.is_write_urgent());
        drop(state);
        if rouse {
            self.to_write.notify_one();
        }
        append
    }

    /// Blocks until there is something to write; `None` when there is not and the log stops.
    pub(crate) fn next_batch(&self) -> Option<Batch> {
        let mut state = self.lock();
        state = self
            .to_write
            .wait_while(state, |state| {
                (state.queue.is_empty() || state.must_writer_wait()) && !state.stopping
            })
            .unwrap_or_else(PoisonError::into_inner);
        let mut pause = match self.durability {
            Durability::Interval(interval) => interval,
            Durability::Sync => SOON,
        };
        if state.write_failure.last.is_some() {
            pause = pause.max(RETRY_AFTER);
        }
        (state, _) = self
            .to_write
            .wait_timeout_while(state, pause, |state| !state.is_write_urgent())
            .unwrap_or_else(PoisonError::into_inner);
        (!state.queue.is_empty()).then(|| state.take_batch())
    }

    /// Takes note of what came of a batch, and answers who waits for it. Whether the writer should go on.
    pub(crate) fn settle(&self, batch: Batch, result: io::Result<()>) -> bool {
        match result {
            Ok(()) => self.settle_written(batch),
            Err(error) => self.settle_failed(batch, Arc::new(error)),
        }
    }

    fn settle_written(&self, mut batch: Batch) -> bool {
        let entries = std::mem::take(&mut batch.entries);
        let receipts: Vec<_> = {
            let mut state = self.lock();
            let receipts: Vec<_> = (state.durable..)
                .zip(&entries)
                .zip(batch.slots.drain(..))
                .filter_map(|((index, entry), slot)| Some((slot?, Receipt::new(index, entry.leaf))))
                .collect();
            let was_idle = state.unintegrated.is_empty();
            let bytes = entries.iter().map(Entry::cost).sum::<usize>();
            state.durable += entries.len() as u64;
            state.in_flight = 0;
            state.unanswered -= receipts.len();
            state.queue_bytes -= bytes;
            state.unintegrated_bytes += bytes;
            state.unintegrated.extend(entries);
            state.write_failure.last = None;
            if was_idle || state.is_integration_urgent() {
                self.to_integrate.notify_one();
            }
            receipts
        };
        for (slot, receipt) in receipts {
            slot.fill(Ok(receipt));
        }
        true
    }

    /// Fails whoever waits, in flight or queued behind; what had been answered stays queued, at its indexes, to be tried
    /// again.
    fn settle_failed(&self, mut batch: Batch, error: Arc<io::Error>) -> bool {
        let (refused, go_on) = {
            let mut state = self.lock();
            let entries = std::mem::take(&mut batch.entries);
            let in_flight = entries.into_iter().zip(batch.slots.drain(..));
            let queued = std::mem::take(&mut state.queue);
            let mut refused = Vec::new();
            for (entry, slot) in
                in_flight.chain(queued.into_iter().map(|queued| (queued.entry, queued.slot)))
            {
                match slot {
                    Some(slot) => {
                        state.queue_bytes -= entry.cost();
                        refused.push(slot);
                    }
                    None => state.queue.push_back(Queued {
                        entry,
                        slot: None,
                        haste: Haste::Soon,
                    }),
                }
            }
            state.in_flight = 0;
            state.unanswered = 0;
            state.awaited = 0;
            state.write_failure.note(Arc::clone(&error));
            state.flush_to = None;
            self.progress.notify_all();
            (refused, !state.stopping)
        };
        for slot in refused {
            slot.fill(Err(AppendError::Write {
                dir: self.dir.clone(),
                source: Arc::clone(&error),
            }));
        }
        go_on
    }

    /// Blocks until durable entries are due for integration after `delay`, or urgent; `None` when the log stops. No
    /// entries means that only a checkpoint is asked for.
    pub(crate) fn next_integration(&self, delay: Duration) -> Option<Vec<Entry>> {
        let mut state = self.lock();
        state = self
            .to_integrate
            .wait_while(state, |state| {
                state.unintegrated.is_empty() && !state.is_integration_urgent()
            })
            .unwrap_or_else(PoisonError::into_inner);
        let delay = if state.integrate_failure.last.is_some() {
            delay.max(RETRY_AFTER)
        } else {
            delay
        };
        (state, _) = self
            .to_integrate
            .wait_timeout_while(state, delay, |state| !state.is_integration_urgent())
            .unwrap_or_else(PoisonError::into_inner);
        (!state.stopping).then(|| std::mem::take(&mut state.unintegrated))
    }

    /// Takes note of a new checkpoint that covers the entries.
    pub(crate) fn integrated(&self, checkpoint: Checkpoint, entries: &[Entry]) {
        let mut state = self.lock();
        state.integrated = checkpoint.size();
        state.unintegrated_bytes -= entries.iter().map(Entry::cost).sum::<usize>();
        state.integrate_failure.last = None;
        if state.flush_to.is_some_and(|size| size <= checkpoint.size()) {
            state.flush_to = None;
        }
        state.checkpoint = Some(checkpoint);
        self.to_write.notify_one();
        self.progress.notify_all();
    }

    /// Takes the entries back after their integration failed.
    pub(crate) fn not_integrated(&self, mut entries: Vec<Entry>, error: io::Error) {
        let mut state = self.lock();
        entries.append(&mut state.unintegrated);
        state.unintegrated = entries;
        state.integrate_failure.note(Arc::new(error));
        state.flush_to = None;
        self.to_write.notify_one();
        self.progress.notify_all();
    }

    /// Blocks until a checkpoint covers all that is queued now.
    pub(crate) fn flush(&self) -> Result<Checkpoint, FlushError> {
        let mut state = self.lock();
        let target = state.next_index();
        let failures = (state.write_failure.count, state.integrate_failure.count);
        state.flush_to = state.flush_to.max(Some(target));
        self.to_write.notify_one();
        self.to_integrate.notify_one();
        loop {
            if let Some(checkpoint) = state
                .checkpoint
                .as_ref()
                .filter(|checkpoint| checkpoint.size() >= target)
            {
                return Ok(checkpoint.clone());
            }
            let dir = || self.dir.clone();
            match (&state.write_failure.last, &state.integrate_failure.last) {
                (Some(source), _) if state.write_failure.count > failures.0 => {
                    return Err(AppendError::Write {
                        dir: dir(),
                        source: Arc::clone(source),
                    }
                    .into());
                }
                (_, Some(source)) if state.integrate_failure.count > failures.1 => {
                    return Err(FlushError::Integrate {
                        dir: dir(),
                        source: Arc::clone(source),
                    });
                }
                _ if state.thread_is_gone => return Err(AppendError::Closed.into()),
                _ => {}
            }
            state = self
                .progress
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tells the threads to end: the writer once the queue is empty, the integrator at once.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.stopping = true;
        self.to_write.notify_one();
        self.to_integrate.notify_one();
    }

    /// Called when the integrator ends, however it does: nobody may wait for a checkpoint any more.
    pub(crate) fn integrator_gone(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.thread_is_gone = true;
        self.progress.notify_all();
    }

    /// Called when the writer ends, however it does: nobody may wait for it any more.
    pub(crate) fn writer_gone(&self) {
        let queue = {
            let mut state = self.lock();
            state.closed = true;
            state.thread_is_gone = true;
            self.progress.notify_all();
            std::mem::take(&mut state.queue)
        };
        for slot in queue.into_iter().filter_map(|queued| queued.slot) {
            slot.fill(Err(AppendError::Closed));
        }
    }
}

impl State {
    fn admits(&self, entry: &Entry) -> Result<(), AppendError> {
        if self.closed {
            Err(AppendError::Closed)
        } else if self.queue_bytes + entry.cost() > QUEUE_BYTES_MAX {
            Err(AppendError::QueueFull)
        } else if self.unintegrated_bytes + self.queue_bytes + entry.cost() > UNINTEGRATED_BYTES_MAX
        {
            Err(AppendError::TilesBehind {
                because: self.integrate_failure.last.clone(),
            })
        } else {
            Ok(())
        }
    }

    /// The index of the next entry to be queued.
    fn next_index(&self) -> u64 {
        self.durable + self.in_flight as u64 + self.queue.len() as u64
    }

    /// Whether the writer should not wait for the interval. After a failure, size alone is no reason to hurry.
    fn is_write_urgent(&self) -> bool {
        let much = self.queue_bytes >= EARLY_WRITE_BYTES && self.write_failure.last.is_none();
        self.awaited > 0 || self.flush_to.is_some() || self.stopping || much
    }

    fn must_writer_wait(&self) -> bool {
        self.unintegrated_bytes >= WRITER_WAITS_BYTES && self.integrate_failure.last.is_none()
    }

    /// Whether the integrator should not wait for its time. After a failure, size alone is no reason to hurry.
    fn is_integration_urgent(&self) -> bool {
        let flush = self.flush_to.is_some_and(|size| size <= self.durable);
        let much = self.unintegrated_bytes >= EARLY_INTEGRATION_BYTES
            && self.integrate_failure.last.is_none();
        flush || self.stopping || much
    }

    fn take_batch(&mut self) -> Batch {
        let mut bytes = 0;
        let mut fits = |queued: &Queued| {
            bytes += queued.entry.cost();
            bytes <= BATCH_BYTES_MAX
        };
        let count = self
            .queue
            .iter()
            .map_while(|queued| fits(queued).then_some(()))
            .count();
        self.in_flight = count;
        let awaited = &mut self.awaited;
        let (entries, slots) = self
            .queue
            .drain(..count)
            .map(|queued| {
                let now = queued.slot.is_some() && queued.haste == Haste::Now;
                *awaited -= usize::from(now);
                (queued.entry, queued.slot)
            })
            .unzip();
        Batch {
            entries,
            slots,
            integrated: self.integrated,
        }
    }
}
