//! Counters, for health and metrics. Each is exact on its own; together they are no snapshot.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that many tasks count.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One less.
    pub fn down(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// The number.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the gateway counts, since it started.
#[derive(Debug, Default)]
pub struct Stats {
    /// Connections that were accepted.
    pub connections: Counter,
    /// Connections that were closed to make room before they logged in.
    pub evicted: Counter,
    /// Logins that were refused.
    pub logins_refused: Counter,
    /// Sessions open now.
    pub sessions_open: Counter,
    /// Sessions that began.
    pub sessions: Counter,
    /// Commands that were permitted.
    pub permitted: Counter,
    /// Commands that were refused.
    pub refused: Counter,
    /// Commands that waited for people.
    pub held: Counter,
    /// Commands that wait for people now.
    pub holding: Counter,
    /// Ledger entries that could not be written.
    pub unwritten: Counter,
}
