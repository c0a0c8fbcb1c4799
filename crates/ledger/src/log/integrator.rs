//! The thread that grows the tree: tiles, then the checkpoint's place in the history, then the checkpoint.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::edge::{Edge, TileFile, path};
use super::history::History;
use super::state::Shared;
use super::storage::{Storage, publish};
use super::{Entry, Options};
use crate::checkpoint::Checkpoint;

/// What the thread owns.
#[derive(Debug)]
pub(crate) struct Integrator {
    pub(crate) shared: Arc<Shared>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) edge: Edge,
    pub(crate) history: History,
}

impl Integrator {
    /// Integrates until the log stops. What fails is tried again with what has come in addition.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let _gone = Gone(&shared);
        while let Some(entries) = shared.next_integration(self.options.integrate_every) {
            match self.integrate(&entries) {
                Ok(checkpoint) => shared.integrated(checkpoint, &entries),
                Err(error) => shared.not_integrated(entries, error),
            }
        }
    }

    /// Everything is durable before the checkpoint that needs it is, and a checkpoint is in the history before anybody
    /// can see it. All of it can be done twice.
    fn integrate(&mut self, entries: &[Entry]) -> io::Result<Checkpoint> {
        let mut edge = self.edge.clone();
        let mut files: Vec<TileFile> = Vec::new();
        for entry in entries {
            edge.push(&entry.bytes, entry.leaf, &mut files)
                .map_err(io::Error::other)?;
        }
        let filled: Vec<_> = files.iter().map(|(tile, _)| *tile).collect();
        if !entries.is_empty() {
            files.extend(edge.partials());
        }
        let files: Vec<_> = files
            .into_iter()
            .map(|(tile, bytes)| (path(&tile), bytes))
            .collect();
        publish(self.storage.as_ref(), &self.dir, &files)?;

        let checkpoint = Checkpoint::sign(
            &self.options.origin,
            edge.size(),
            edge.root(),
            &self.options.key,
        )
        .map_err(io::Error::other)?;
        self.history.append(&checkpoint)?;
        let file = (
            PathBuf::from("checkpoint"),
            checkpoint.note().as_bytes().to_vec(),
        );
        publish(self.storage.as_ref(), &self.dir, &[file])?;

        for tile in filled {
            let partial = self.dir.join(tile.partial_dir());
            if partial.exists() {
                // What stays does no harm, and the next full tile does not depend on it.
                let _ = self.storage.remove(&partial);
            }
        }
        self.edge = edge;
        Ok(checkpoint)
    }
}

/// Says that the thread has ended, even if it panicked.
struct Gone<'a>(&'a Shared);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.integrator_gone();
    }
}
