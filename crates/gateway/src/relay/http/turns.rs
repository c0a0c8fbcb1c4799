//! Turns: an answer in which much is searched lets others run on its thread in between.

use std::task::{Context, Poll};

/// So many bytes are searched in one turn.
pub(super) const TURN_BYTES: usize = 64 << 10;

/// What was searched since others ran.
#[derive(Debug, Default)]
pub(super) struct Turn(usize);

impl Turn {
    /// So many bytes more were searched.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.0 = self.0.saturating_add(bytes);
    }

    /// Pending once where the turn is over: whoever waits is woken at once, behind those that wait already.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.0 < TURN_BYTES {
            return Poll::Ready(());
        }
        self.0 = 0;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On one thread, what searches a megabyte leaves sixteen turns to others.
    #[tokio::test]
    async fn others_run_in_between() {
        let mut turn = Turn::default();
        let work = async {
            for _ in 0..16 {
                turn.spend(TURN_BYTES);
                std::future::poll_fn(|cx| turn.poll(cx)).await;
            }
        };
        let mut others = 0;
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                () = &mut work => break,
                () = std::future::ready(()) => others += 1,
            }
        }
        assert_eq!(others, 16);
    }
}
