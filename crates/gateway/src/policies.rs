//! The policies in force: a folder of files, loaded again when they change.
//!
//! A bad set never replaces a good one. What comes into force, and what was refused, stands in the ledger.

mod archive;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use model::{DataClass, Event, PolicyVersion};
use policy::{LoadError, PolicySet, SchemaFragment};

use crate::journal::Journal;
pub use archive::Archive;

/// An entry holds at most so much of what was wrong.
const ERROR_BYTES_MAX: usize = 8 * 1_024;

/// The policies in force.
pub struct Policies {
    folder: PathBuf,
    fragments: Vec<SchemaFragment>,
    classes: Vec<DataClass>,
    archive: Archive,
    current: ArcSwap<PolicySet>,
    seen: Mutex<Vec<Seen>>,
}

/// What changes when a file does.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    name: std::ffi::OsString,
    len: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Policies {
    /// Loads the folder's files. `classes` are those that targets declare; `archive` keeps what comes into force later, and
    /// [`Archive::keep`] of the first set is the caller's.
    ///
    /// # Errors
    /// [`LoadError`] names file, line and reason.
    pub fn load(
        folder: &Path,
        fragments: Vec<SchemaFragment>,
        classes: Vec<DataClass>,
        archive: Archive,
    ) -> Result<Self, LoadError> {
        let seen = look(folder);
        let set = PolicySet::load(folder, &fragments)?.with_classes(classes.iter().cloned());
        report(&set);
        Ok(Self {
            folder: folder.to_owned(),
            fragments,
            classes,
            archive,
            current: ArcSwap::from_pointee(set),
            seen: Mutex::new(seen),
        })
    }

    /// Where every version is kept.
    #[must_use]
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The set in force.
    #[must_use]
    pub fn current(&self) -> Arc<PolicySet> {
        self.current.load_full()
    }

    /// Loads the files again if they changed since the last look, or at any rate with `force`. Gives the version that came
    /// into force by it.
    pub async fn reload(self: &Arc<Self>, journal: &Journal, force: bool) -> Option<PolicyVersion> {
        let this = self.clone();
        let loaded = tokio::task::spawn_blocking(move || this.load_again(force)).await;
        match loaded {
            Ok(Some(Ok(set))) if set.version() != self.current().version() => {
                return self.activate(set, journal).await;
            }
            Ok(Some(Err(error))) => {
                let mut error = error.to_string();
                tracing::error!(
                    error,
                    "the changed policies are refused: the last good ones stay in force"
                );
                if error.len() > ERROR_BYTES_MAX {
                    let end = error.floor_char_boundary(ERROR_BYTES_MAX);
                    error.truncate(end);
                }
                journal.post(Event::PolicyRejected { error });
            }
            _ => {}
        }
        None
    }

    fn load_again(&self, force: bool) -> Option<Result<PolicySet, LoadError>> {
        let seen = look(&self.folder);
        let mut last = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == seen && !force {
            return None;
        }
        *last = seen;
        let loaded = PolicySet::load(&self.folder, &self.fragments);
        Some(loaded.map(|set| set.with_classes(self.classes.iter().cloned())))
    }

    /// Nothing is decided by policies that the ledger does not know of, or whose text was not kept.
    async fn activate(
        self: &Arc<Self>,
        set: PolicySet,
        journal: &Journal,
    ) -> Option<PolicyVersion> {
        report(&set);
        let set = Arc::new(set);
        let version = set.version();
        let event = Event::PolicyActivated {
            policy: version,
            files: set.files().to_vec(),
        };
        let (this, kept) = (self.clone(), set.clone());
        let keep = tokio::task::spawn_blocking(move || this.archive.keep(&kept));
        let recorded = match keep
            .await
            .unwrap_or_else(|error| Err(std::io::Error::other(error)))
        {
            Ok(()) => journal
                .write(event)
                .await
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match recorded {
            Ok(_) => {
                self.current.store(set);
                tracing::info!(%version, "changed policies are in force");
                Some(version)
            }
            Err(error) => {
                tracing::error!(%error, "the changed policies cannot come into force");
                // Look again next time.
                self.seen
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clear();
                None
            }
        }
    }
}

fn report(set: &PolicySet) {
    for warning in set.warnings() {
        tracing::warn!(warning, "policy");
    }
}

fn look(folder: &Path) -> Vec<Seen> {
    use std::os::unix::fs::MetadataExt as _;
    let mut seen: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "cedar")
        })
        .map(|entry| {
            let meta = fs::metadata(entry.path()).ok();
            Seen {
                name: entry.file_name(),
                len: meta.as_ref().map_or(0, fs::Metadata::len),
                modified: meta.as_ref().and_then(|meta| meta.modified().ok()),
                inode: meta.as_ref().map_or(0, fs::Metadata::ino),
            }
        })
        .collect();
    seen.sort();
    seen
}
