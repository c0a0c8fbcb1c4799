//! Reading along behind the ledger.

use std::path::Path;
use std::time::Duration;

use ledger::Reader;
use tokio::sync::watch;

use super::{Store, StoreError};

/// How long the index may be behind what is integrated.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Leaves taken in one transaction, at most.
const BATCH: u64 = 8_192;

impl Store {
    /// Takes what the ledger in `folder` holds beyond the index. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] where the ledger cannot be read or the index not written.
    pub fn catch_up(&self, folder: &Path) -> Result<(), StoreError> {
        let failed = |error: ledger::ReadError| StoreError::Ledger(error.to_string());
        if !folder.join("checkpoint").exists() {
            return Ok(());
        }
        // The writer's own machine: what it signed was verified when the log was opened.
        let reader = Reader::open(folder, None).map_err(failed)?;
        let size = reader.checkpoint().size();
        let mut next = self.position()?;
        if next > size {
            return Err(StoreError::Ledger(format!(
                "it has {size} entries, and the index has seen {next}: delete the index"
            )));
        }
        while next < size {
            let end = size.min(next + BATCH);
            let leaves = reader
                .entries(next..end)
                .collect::<Result<Vec<_>, _>>()
                .map_err(failed)?;
            self.apply(next, leaves.iter().map(|(_, leaf)| leaf.as_slice()))?;
            next = end;
        }
        Ok(())
    }
}

/// Keeps the index up with the ledger in `folder` until `stop` changes.
pub async fn follow(store: Store, folder: std::path::PathBuf, mut stop: watch::Receiver<bool>) {
    let mut failing = false;
    loop {
        let (of, from) = (store.clone(), folder.clone());
        let result = tokio::task::spawn_blocking(move || of.catch_up(&from)).await;
        match result {
            Ok(Ok(())) => failing = false,
            Ok(Err(error)) if !failing => {
                failing = true;
                tracing::error!(%error, "the index is not kept up");
            }
            Ok(Err(_)) => {}
            Err(_) => return,
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.changed() => return,
        }
    }
}
