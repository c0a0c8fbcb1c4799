//! Room for what is held whole: all of it is counted, and nobody has more than a share.
//!
//! Who announces much and sends nothing takes none of the room: it is taken as bytes come. What is announced counts against the
//! share alone, so whoever announces too much waits for themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::WHOLE_BYTES_MAX;

/// A body up to this many bytes does not queue behind longer ones.
pub(super) const SMALL_BYTES: usize = 64 << 10;
/// Room is taken in steps of so many bytes.
const STEP_BYTES: usize = 64 << 10;
/// Nobody has more than one part in so many of a room.
const SHARES: u32 = 4;
/// Whoever holds something waits no longer than this for more: others may wait for what it holds.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(10);
/// And whoever needs all at once no longer than this.
const WHOLE_WAIT_MAX: Duration = Duration::from_secs(60);
/// Shares that nobody has are forgotten when there are so many of them.
const HOLDERS: usize = 1_024;

/// The rooms; together they are [`HELD_BYTES_MAX`](super::HELD_BYTES_MAX).
pub(super) struct Rooms {
    /// Bodies of requests whose keys are known, and answers that are waited for; a share is that of a key or session.
    pub(super) large: Room,
    /// The same of those that are small.
    pub(super) small: Room,
    /// Forms with a POST policy, and forms for STS, that nobody has verified; a share is that of a source.
    pub(super) posted: Room,
    pub(super) unsigned: Room,
}

impl Rooms {
    pub(super) fn new(bytes: usize) -> Self {
        let (small, posted) = (bytes / 16, bytes / 4);
        Self {
            large: Room::new(bytes - 2 * small - posted),
            small: Room::new(small),
            posted: Room::new(posted),
            unsigned: Room::new(small),
        }
    }
}

/// Room for so many bytes.
pub(super) struct Room {
    /// In KiB.
    all: Arc<Semaphore>,
    share_kib: u32,
    holders: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// Room that is taken, until this is dropped.
#[derive(Debug)]
pub struct Held {
    all: OwnedSemaphorePermit,
    _share: OwnedSemaphorePermit,
    bytes: usize,
}

/// There is no room, and has not been for as long as one waits for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Room {
    fn new(bytes: usize) -> Self {
        let kib = bytes >> 10;
        let share = u32::try_from(kib).unwrap_or(u32::MAX) / SHARES;
        Self {
            all: Arc::new(Semaphore::new(kib)),
            share_kib: share.max(1),
            holders: Mutex::default(),
        }
    }

    /// Announces `most` bytes, for which the holder's share must be there; nothing of the room is taken yet.
    pub(super) async fn enter(&self, holder: &str, most: usize) -> Result<Held, Full> {
        debug_assert!(most <= WHOLE_BYTES_MAX, "no body is longer");
        let kib = kib(most).min(self.share_kib);
        let share = self.share(holder).acquire_many_owned(kib).await;
        let all = self.all.clone().acquire_many_owned(0).await;
        Ok(Held {
            all: all.map_err(|_| Full)?,
            _share: share.map_err(|_| Full)?,
            bytes: 0,
        })
    }

    /// Takes room for `bytes` at once. Who waits so holds nothing meanwhile.
    pub(super) async fn take(&self, holder: &str, bytes: usize) -> Result<Held, Full> {
        let entered = self.enter(holder, bytes);
        let mut held = entered.await?;
        let all = self.all.clone().acquire_many_owned(kib(bytes));
        let all = tokio::time::timeout(WHOLE_WAIT_MAX, all).await;
        held.all.merge(all.map_err(|_| Full)?.map_err(|_| Full)?);
        held.bytes = bytes;
        Ok(held)
    }

    fn share(&self, holder: &str) -> Arc<Semaphore> {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = holders.get(holder).and_then(Weak::upgrade) {
            return share;
        }
        if holders.len() >= HOLDERS {
            holders.retain(|_, share| share.strong_count() > 0);
        }
        let share = Arc::new(Semaphore::new(self.share_kib as usize));
        holders.insert(holder.to_owned(), Arc::downgrade(&share));
        share
    }
}

impl Held {
    /// Takes room for so many bytes altogether, which are at most `most`.
    pub(super) async fn grow(&mut self, bytes: usize, most: usize) -> Result<(), Full> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let bytes = bytes.next_multiple_of(STEP_BYTES).min(most.max(bytes));
        let more = kib(bytes) - kib(self.bytes);
        let room = self.all.semaphore().clone();
        let more = tokio::time::timeout(WAIT_MAX, room.acquire_many_owned(more)).await;
        self.all.merge(more.map_err(|_| Full)?.map_err(|_| Full)?);
        self.bytes = bytes;
        Ok(())
    }
}

/// What goes to the client next of what is held whole: a step, when the one before was taken. The rest keeps its room.
pub(super) fn next_piece(held: &mut Option<Bytes>) -> Option<Bytes> {
    match held {
        Some(bytes) if bytes.len() > STEP_BYTES => Some(bytes.split_to(STEP_BYTES)),
        held => held.take(),
    }
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_announced_takes_nothing_from_others() {
        let rooms = Rooms::new(1 << 20);
        let room = &rooms.large;
        let mut announced = Vec::new();
        for holder in 0..100 {
            let entered = room.enter(&format!("holder {holder}"), 200 << 10).await;
            announced.push(entered.unwrap());
        }
        let mut held = room.enter("somebody", 200 << 10).await.unwrap();
        held.grow(100 << 10, 200 << 10).await.unwrap();
        assert_eq!(room.all.available_permits(), 640 - 128);
        drop(held);
        assert_eq!(room.all.available_permits(), 640);
    }

    #[tokio::test]
    async fn nobody_has_more_than_a_share() {
        let room = Room::new(1 << 20);
        let first = room.enter("one", 200 << 10).await.unwrap();
        let mut second = Box::pin(room.enter("one", 200 << 10));
        let waits = std::future::poll_fn(|cx| {
            std::task::Poll::Ready(second.as_mut().poll(cx).is_pending())
        });
        assert!(waits.await);
        // Another does not wait behind it.
        assert!(room.enter("other", 200 << 10).await.is_ok());
        drop(first);
        assert!(second.await.is_ok());
    }

    #[test]
    fn what_is_held_goes_piece_by_piece() {
        for length in [0, 1, STEP_BYTES, STEP_BYTES + 1, 3 * STEP_BYTES] {
            let whole: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let mut held = Some(Bytes::from(whole.clone()));
            let mut pieces = Vec::new();
            while let Some(piece) = next_piece(&mut held) {
                assert!(piece.len() <= STEP_BYTES);
                pieces.push(piece);
            }
            assert_eq!(pieces.concat(), whole);
            assert!(held.is_none());
        }
    }

    #[tokio::test]
    async fn shares_that_nobody_has_are_forgotten() {
        let room = Room::new(1 << 20);
        for holder in 0..5 * HOLDERS {
            drop(room.enter(&holder.to_string(), 1).await);
        }
        assert!(room.holders.lock().unwrap().len() <= HOLDERS);
    }
}
