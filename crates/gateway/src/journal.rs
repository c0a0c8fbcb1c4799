//! Events to the ledger. Whoever must not go on without an entry awaits its receipt; whoever need not posts it.
//!
//! If the ledger cannot write, that is noticed here, whichever entry it was: until it can again, [`Journal::healthy`] says no
//! and no command is permitted.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ledger::{Append, Log, Receipt};
use model::{Denial, DenialCode, Entry, EntryTooLarge, Event};
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::stats::Stats;

/// Entries that were posted and are not yet durable; beyond, the ledger counts as unable to keep up.
const POSTED_MAX: usize = 16_384;
/// The wall clock may be behind the latest entry by so much; an entry then says the latest's time. Beyond, nothing runs: what
/// happens would stand in the ledger under a time that is not its own.
const BEHIND_MAX: Duration = Duration::from_secs(30);
/// How often a ledger that failed is tried again.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// The way to the ledger. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    log: Log,
    clock: Clock,
    durability: String,
    stats: Arc<Stats>,
    failed: AtomicBool,
    /// Whether it was said that the clock has gone back.
    warned: AtomicBool,
    posted: mpsc::Sender<Append>,
}

/// An entry that was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwritten {
    /// The entry does not fit; the ledger is well.
    #[error(transparent)]
    TooLarge(#[from] EntryTooLarge),
    /// The ledger cannot write.
    #[error("the ledger cannot write: {0}")]
    Ledger(String),
}

impl Unwritten {
    /// What the client hears.
    #[must_use]
    pub fn denial(&self) -> Denial {
        match self {
            Self::TooLarge(_) => Denial::new(
                DenialCode::LimitExceeded,
                "what must be recorded of this does not fit a ledger entry, so it may not happen: make it smaller",
            ),
            Self::Ledger(_) => unavailable(),
        }
    }
}

fn unavailable() -> Denial {
    Denial::new(
        DenialCode::LedgerUnavailable,
        "the gateway cannot write its ledger, so nothing may run: try again later, and tell whoever runs the gateway",
    )
}

impl Journal {
    /// A journal that writes to `log`. Its entries name `durability` where they tell of it. Must be called in a runtime.
    #[must_use]
    pub fn new(log: Log, clock: Clock, durability: String, stats: Arc<Stats>) -> Self {
        let (posted, queue) = mpsc::channel(POSTED_MAX);
        let inner = Arc::new(Inner {
            log,
            clock,
            durability,
            stats,
            failed: AtomicBool::new(false),
            warned: AtomicBool::new(false),
            posted,
        });
        tokio::spawn(watch(Arc::downgrade(&inner), queue));
        Self { inner }
    }

    /// The log itself.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.inner.log
    }

    /// Whether the ledger can write, as far as is known, and the clock can tell when.
    ///
    /// # Errors
    /// The refusal that every command gets until it can.
    pub fn healthy(&self) -> Result<(), Denial> {
        if self.inner.failed.load(Ordering::Acquire) {
            return Err(unavailable());
        }
        let behind = self.inner.clock.behind();
        if behind > BEHIND_MAX {
            if !self.inner.warned.swap(true, Ordering::Relaxed) {
                tracing::error!(
                    seconds = behind.as_secs(),
                    "the system's clock is behind the ledger's last entry: commands are refused until it is past it"
                );
            }
            return Err(Denial::new(
                DenialCode::LedgerUnavailable,
                format!(
                    "the gateway's clock is {} s behind its ledger, so nothing may run: tell whoever runs the gateway to set the \
                     clock right",
                    behind.as_secs()
                ),
            ));
        }
        self.inner.warned.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Appends an entry now; await the result for its receipt.
    #[must_use = "an entry is durable only when its receipt is there"]
    pub fn write(&self, event: Event) -> Writing {
        Writing {
            append: self
                .encode(event)
                .map(|entry| self.inner.log.append(entry))
                .map_err(Unwritten::from),
            inner: self.inner.clone(),
        }
    }

    /// Appends an entry without waiting, to be durable soon. A failure is noticed all the same.
    pub fn post(&self, event: Event) {
        match self.encode(event) {
            Ok(entry) => {
                let append = self.inner.log.append_soon(entry);
                if self.inner.posted.try_send(append).is_err() {
                    self.inner
                        .fail("more entries wait for the disk than the gateway holds");
                }
            }
            Err(error) => tracing::error!(%error, "an entry was not written"),
        }
    }

    /// That the gateway is alive.
    #[must_use = "an entry is durable only when its receipt is there"]
    pub fn heartbeat(&self) -> Writing {
        self.write(Event::Heartbeat {
            sessions: self.inner.stats.sessions_open.value(),
            durability: self.inner.durability.clone(),
        })
    }

    /// Too large is the entry's fault, not the ledger's.
    fn encode(&self, event: Event) -> Result<Vec<u8>, EntryTooLarge> {
        let entry = Entry {
            at: self.inner.clock.stamp(),
            event,
        };
        entry.encode()
    }
}

impl Inner {
    fn fail(&self, why: &str) {
        self.stats.unwritten.up();
        if !self.failed.swap(true, Ordering::AcqRel) {
            tracing::error!(
                why,
                "the ledger cannot write: commands are refused until it can"
            );
        }
    }
}

/// An entry on its way to the disk.
pub struct Writing {
    append: Result<Append, Unwritten>,
    inner: Arc<Inner>,
}

impl Future for Writing {
    type Output = Result<Receipt, Unwritten>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let append = match &mut this.append {
            Ok(append) => append,
            Err(unwritten) => return Poll::Ready(Err(unwritten.clone())),
        };
        Poll::Ready(ready!(Pin::new(append).poll(cx)).map_err(|error| {
            let why = error.to_string();
            this.inner.fail(&why);
            Unwritten::Ledger(why)
        }))
    }
}

/// Sees every posted entry to the disk, and tries a ledger that failed again.
async fn watch(inner: std::sync::Weak<Inner>, mut posted: mpsc::Receiver<Append>) {
    let mut probe = tokio::time::interval(PROBE_EVERY);
    probe.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            append = posted.recv() => {
                let Some(append) = append else { return };
                let written = append.await;
                let Some(inner) = inner.upgrade() else { return };
                if let Err(error) = written {
                    inner.fail(&error.to_string());
                }
            }
            _ = probe.tick() => {
                let Some(inner) = inner.upgrade() else { return };
                if inner.failed.load(Ordering::Acquire) {
                    let journal = Journal { inner };
                    if journal.heartbeat().await.is_ok() {
                        journal.inner.failed.store(false, Ordering::Release);
                        tracing::info!("the ledger writes again");
                    }
                }
            }
        }
    }
}
