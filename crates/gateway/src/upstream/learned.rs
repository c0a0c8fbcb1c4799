//! What the sessions with a target learn of it, shared among them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocols::session::{Answer, Knowledge};

/// The latest of what was learned, and when.
pub struct Learned {
    latest: Mutex<Latest>,
    /// How often something was learned or forgotten.
    version: AtomicU64,
    /// When it was, or when a session was last told to learn anew, in microseconds of the monotonic clock.
    at_us: AtomicU64,
    holds: Duration,
}

#[derive(Default)]
struct Latest {
    knowledge: Option<Knowledge>,
    /// How often something was forgotten.
    changes: u64,
}

impl Learned {
    /// Nothing yet. What is learned is taken to hold so long.
    #[must_use]
    pub fn new(holds: Duration) -> Self {
        Self {
            latest: Mutex::default(),
            version: AtomicU64::new(0),
            at_us: AtomicU64::new(0),
            holds,
        }
    }

    /// What was learned, if it still holds at `now` (monotonic).
    #[must_use]
    pub fn get(&self, now: Duration) -> Option<Knowledge> {
        let latest = self.latest().knowledge.clone();
        latest.filter(|_| !self.is_old(now))
    }

    /// How often the target was said to have changed: for [`Learned::put`], asked before anything is read.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.latest().changes
    }

    /// Something was learned at `now` (monotonic), the reading of which began when there had been so many changes. If there
    /// were more meanwhile, it may hold no more, and counts for nothing.
    pub fn put(&self, now: Duration, changes: u64, knowledge: Knowledge) {
        let mut latest = self.latest();
        if latest.changes == changes {
            latest.knowledge = Some(knowledge);
            self.at_us.store(micros(now), Ordering::Relaxed);
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    /// What was learned may not hold any more: every session is told to learn anew, until one has. Not so the one that knows
    /// version `seen`, where nothing else is new to it: it says so itself.
    pub fn forget(&self, seen: &mut u64) {
        let mut latest = self.latest();
        latest.knowledge = None;
        latest.changes += 1;
        let before = self.version.fetch_add(1, Ordering::Release);
        if before == *seen {
            *seen = before + 1;
        }
    }

    /// What a session that knows version `seen` is to be told at `now` (monotonic): what another learned, that it no longer
    /// holds, or that it is old, which one session is told and no other for as long as it would hold.
    pub fn news(&self, now: Duration, seen: &mut u64) -> Option<Answer> {
        let version = self.version.load(Ordering::Acquire);
        if version != *seen {
            *seen = version;
            return Some(Answer::Learned(self.latest().knowledge.clone()));
        }
        let at_us = self.at_us.load(Ordering::Relaxed);
        let told = version > 0
            && self.is_old(now)
            && self
                .at_us
                .compare_exchange(at_us, micros(now), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        told.then_some(Answer::Aged)
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_old(&self, now: Duration) -> bool {
        let at = Duration::from_micros(self.at_us.load(Ordering::Relaxed));
        now.saturating_sub(at) >= self.holds
    }
}

fn micros(of: Duration) -> u64 {
    u64::try_from(of.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn text(news: Option<Answer>) -> Option<&'static str> {
        Some(match news? {
            Answer::Learned(Some(known)) => *known.downcast::<&str>().unwrap(),
            Answer::Learned(None) => "changed",
            Answer::Aged => "old",
            _ => "nothing of this",
        })
    }

    #[test]
    fn news_is_told_once_to_each_and_what_is_old_to_one() {
        let second = Duration::from_secs;
        let learned = Learned::new(second(60));
        let (mut one, mut other) = (0, 0);
        assert!(learned.news(second(100), &mut one).is_none());
        assert!(learned.get(second(100)).is_none());
        learned.put(second(100), 0, Arc::new("first"));
        assert_eq!(text(learned.news(second(101), &mut one)), Some("first"));
        assert_eq!(text(learned.news(second(101), &mut one)), None);
        assert_eq!(text(learned.news(second(159), &mut other)), Some("first"));
        assert!(learned.get(second(159)).is_some());
        // One is told that it is old, and another only if that one learned nothing.
        assert!(learned.get(second(160)).is_none());
        assert_eq!(text(learned.news(second(160), &mut other)), Some("old"));
        assert_eq!(text(learned.news(second(161), &mut one)), None);
        assert_eq!(text(learned.news(second(220), &mut one)), Some("old"));
        learned.put(second(221), 0, Arc::new("second"));
        assert_eq!(text(learned.news(second(221), &mut other)), Some("second"));
        // What does not hold is given to nobody, and each is told so but the one that says it.
        let mut third = 2;
        learned.forget(&mut third);
        assert!(learned.get(second(222)).is_none());
        assert_eq!(text(learned.news(second(222), &mut one)), Some("changed"));
        assert_eq!(text(learned.news(second(222), &mut other)), Some("changed"));
        assert_eq!(text(learned.news(second(222), &mut third)), None);
        let mut behind = 1;
        learned.forget(&mut behind);
        assert_eq!(
            text(learned.news(second(222), &mut behind)),
            Some("changed")
        );
        // What was being read when it was forgotten is forgotten too.
        learned.put(second(222), 0, Arc::new("stale"));
        assert!(learned.get(second(222)).is_none());
        learned.put(second(223), learned.changes(), Arc::new("third"));
        assert_eq!(text(learned.news(second(223), &mut one)), Some("third"));
    }
}
