//! The clocks, and the one place that reads them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use model::Timestamp;

/// A wall clock and a monotonic clock. Cheap to clone. In tests time may be handed in.
#[derive(Clone)]
pub struct Clock(Arc<Inner<dyn Source>>);

struct Inner<S: ?Sized> {
    /// The latest time that an entry was given, in microseconds.
    latest: AtomicI64,
    source: S,
}

trait Source: Send + Sync {
    fn wall(&self) -> Timestamp;
    fn monotonic(&self) -> Duration;
}

impl Clock {
    /// The system's clocks.
    #[must_use]
    pub fn system() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is where the monotonic clock is read"
        )]
        let began = Instant::now();
        Self::of(System { began })
    }

    fn of(source: impl Source + 'static) -> Self {
        Self(Arc::new(Inner {
            latest: AtomicI64::new(i64::MIN),
            source,
        }))
    }

    /// The wall clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.source.wall()
    }

    /// The time for a ledger entry: the wall clock's, and never before that of an entry before it.
    #[must_use]
    pub fn stamp(&self) -> Timestamp {
        let now = self.now();
        let latest = self.0.latest.fetch_max(now.micros(), Ordering::Relaxed);
        Timestamp::from_micros(now.micros().max(latest))
    }

    /// Entries up to this time are in the ledger already.
    pub fn not_before(&self, at: Timestamp) {
        self.0.latest.fetch_max(at.micros(), Ordering::Relaxed);
    }

    /// How far the wall clock has gone back behind the latest entry.
    #[must_use]
    pub fn behind(&self) -> Duration {
        let latest = self.0.latest.load(Ordering::Relaxed);
        let behind = latest.saturating_sub(self.now().micros());
        Duration::from_micros(u64::try_from(behind).unwrap_or(0))
    }

    /// Time since the clock was made, never going back.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.0.source.monotonic()
    }
}

struct System {
    began: Instant,
}

impl Source for System {
    fn wall(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is where the wall clock is read"
        )]
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.began.elapsed()
    }
}

#[cfg(test)]
pub(crate) mod manual {
    //! A clock that stands still until it is told to move.

    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{Arc, Clock, Duration, Source, Timestamp};

    /// Moves the clock it was made with.
    #[derive(Clone)]
    pub(crate) struct Hand(Arc<AtomicU64>);

    impl Hand {
        pub(crate) fn advance(&self, by: Duration) {
            self.0.fetch_add(
                u64::try_from(by.as_micros()).unwrap_or(u64::MAX),
                Ordering::Relaxed,
            );
        }
    }

    /// A clock that starts at `wall`, and its hand.
    pub(crate) fn clock(wall: Timestamp) -> (Clock, Hand) {
        let passed = Arc::new(AtomicU64::new(0));
        (
            Clock::of(Manual {
                wall,
                passed: passed.clone(),
            }),
            Hand(passed),
        )
    }

    struct Manual {
        wall: Timestamp,
        passed: Arc<AtomicU64>,
    }

    impl Source for Manual {
        fn wall(&self) -> Timestamp {
            let passed = i64::try_from(self.passed.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
            self.wall.plus_micros(passed)
        }

        fn monotonic(&self) -> Duration {
            Duration::from_micros(self.passed.load(Ordering::Relaxed))
        }
    }
}
