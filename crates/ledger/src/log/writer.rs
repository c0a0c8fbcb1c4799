//! The thread that owns the journal.

use super::journal::Journal;
use super::state::Shared;

/// Writes batch after batch until the log stops.
pub(crate) fn run(shared: &Shared, mut journal: Journal) {
    let _gone = Gone(shared);
    while let Some(batch) = shared.next_batch() {
        let result = journal.append(&batch.entries);
        let integrated = batch.integrated;
        if !shared.settle(batch, result) {
            return;
        }
        journal.prune(integrated);
    }
}

/// Says that the thread has ended, even if it panicked.
struct Gone<'a>(&'a Shared);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.writer_gone();
    }
}
