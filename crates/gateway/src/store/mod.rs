//! The index: what is looked up about sessions, in SQLite. It is made of the ledger alone, by reading along behind it, so it can be
//! deleted at any time and makes itself anew.

mod apply;
mod query;
mod tail;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

pub use query::{DecisionFilter, Filter, SessionRow};
pub use tail::follow;

/// The index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the index {path}: {error}. It can be deleted: it is made anew from the ledger")]
    Sqlite {
        /// The file.
        path: String,
        /// What SQLite said.
        error: rusqlite::Error,
    },
    /// The ledger cannot be read.
    #[error("the index cannot follow the ledger: {0}")]
    Ledger(String),
}

/// The index. Cheap to clone; one connection, for a writer that commits in batches and readers that are people.
#[derive(Clone)]
pub struct Store {
    path: PathBuf,
    connection: Arc<Mutex<Connection>>,
}

/// Raised whenever the tables change: an index of another version is dropped and made anew.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE session (
        id        INTEGER PRIMARY KEY,
        name      TEXT NOT NULL UNIQUE,
        opened    INTEGER NOT NULL,
        closed    INTEGER,
        reason    TEXT,
        human     TEXT NOT NULL,
        agent     TEXT,
        target    TEXT NOT NULL,
        protocol  TEXT NOT NULL,
        source    TEXT NOT NULL,
        client    TEXT NOT NULL,
        permitted INTEGER NOT NULL DEFAULT 0,
        refused   INTEGER NOT NULL DEFAULT 0,
        approvals INTEGER NOT NULL DEFAULT 0,
        masked    INTEGER NOT NULL DEFAULT 0,
        chunks    INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX session_opened ON session (opened);
    CREATE TABLE leaf (
        session INTEGER NOT NULL,
        leaf    INTEGER NOT NULL,
        PRIMARY KEY (session, leaf)
    ) WITHOUT ROWID;
    CREATE TABLE approval (
        name    TEXT PRIMARY KEY,
        session INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE position (next INTEGER NOT NULL);
    INSERT INTO position VALUES (0);
";

impl Store {
    /// Opens the index at `path`; one of another version, or none, begins empty.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`] names the file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::Sqlite {
            path: path.display().to_string(),
            error,
        };
        let mut connection = Connection::open(path).map_err(failed)?;
        prepare(&mut connection).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        StoreError::Sqlite {
            path: self.path.display().to_string(),
            error,
        }
    }
}

fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    // Losing the last seconds of an index that makes itself anew costs nothing.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == VERSION {
        return Ok(());
    }
    let write = connection.transaction()?;
    for table in ["session", "leaf", "approval", "position"] {
        write.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?;
    }
    write.execute_batch(TABLES)?;
    write.pragma_update(None, "user_version", VERSION)?;
    write.commit()
}

#[cfg(test)]
mod tests;
