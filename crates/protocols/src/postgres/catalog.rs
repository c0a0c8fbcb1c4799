//! Loading what a target's database knows of itself: relations, columns, views, functions, types.
//!
//! [`Loading`] runs [`Catalog::QUERIES`] and one query of its own in one read-only transaction, which is rolled back. Within
//! a transaction of the client ([`Within::Transaction`]) a savepoint takes its place, so that what that transaction made is
//! seen too. It uses the extended protocol under a name of its own, for a Query would take away the client's unnamed
//! statement and portal. Views and functions that the account may not use are listed all the same; the
//! queries read only what every account may read.

mod types;

#[cfg(test)]
mod tests;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock};

use bytes::{BufMut, Bytes, BytesMut};
use sql::postgres::{Catalog, CatalogBuilder, CatalogError};

use super::settings::Limits;
use super::wire::{Frame, Malformed, Reader, client, error_field, server, write};
use crate::session::{Effect, Effects, Peer};

pub use types::{Figure, Form, Plain, Types};

/// Where a catalog is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// The upstream is idle (`I`).
    Idle,
    /// A transaction of the client is open and sound (`T`).
    Transaction,
}

impl Within {
    fn begin(self) -> &'static str {
        match self {
            Self::Idle => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; \
                 SET LOCAL lock_timeout = 200"
            }
            Self::Transaction => {
                "SAVEPOINT countersign_catalog; SHOW transaction_isolation; SET LOCAL statement_timeout = 0; \
                 SET LOCAL lock_timeout = 200"
            }
        }
    }

    fn end(self) -> &'static str {
        match self {
            Self::Idle => "ROLLBACK",
            Self::Transaction => {
                "ROLLBACK TO SAVEPOINT countersign_catalog; RELEASE SAVEPOINT countersign_catalog"
            }
        }
    }
}

/// Why a catalog could not be loaded. The words are for whoever runs the gateway.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The server refused one of the queries.
    #[error(
        "catalog query {query} failed ({code}): {message}; the gateway's account must be able to read pg_catalog"
    )]
    Refused {
        /// Which of the queries, from 0; [`Catalog::QUERIES`] and then the types.
        query: usize,
        /// SQLSTATE.
        code: String,
        /// The server's message.
        message: String,
    },
    /// There is too much of it.
    #[error("the catalog has more than {limit} {unit}: raise limits.{name}")]
    TooLarge {
        /// The limit.
        limit: u64,
        /// Of what.
        unit: &'static str,
        /// The limit's name.
        name: &'static str,
    },
    /// The server is not one that the queries were written for.
    #[error(transparent)]
    Row(#[from] CatalogError),
    /// A message cannot be read, or has no place here.
    #[error("while the catalog was loaded the upstream broke the protocol: {0}")]
    Malformed(#[from] Malformed),
}

/// After an error that may pass a catalog is read so often in all.
const TRIES_MAX: u32 = 10;

/// After somebody's lock stood in the way a catalog is read so often in all; each time waits for a fifth of a second.
pub const LOCKED_TRIES_MAX: u32 = 50;

impl LoadError {
    /// Whether somebody's lock stood in the way.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "55P03")
    }
}

/// How often a catalog was read, in vain.
#[derive(Debug, Default)]
pub struct Tries {
    locked: u32,
    others: u32,
}

impl Tries {
    /// Whether reading again may succeed.
    ///
    /// Definitions of views take locks, each until all is read. Before that could make a deadlock of other sessions'
    /// locks, the gateway lets go, and tries again while somebody else holds one, up to [`LOCKED_TRIES_MAX`]. Where others drop what is being read, one of a few tries gets through.
    pub fn again(&mut self, after: &LoadError) -> bool {
        let LoadError::Refused { code, .. } = after else {
            return false;
        };
        match code.as_str() {
            // lock_not_available
            "55P03" => {
                self.locked += 1;
                self.locked < LOCKED_TRIES_MAX
            }
            // internal_error (a relation that is gone), serialization_failure, deadlock_detected, query_canceled
            "XX000" | "40001" | "40P01" | "57014" => {
                self.others += 1;
                self.others < TRIES_MAX
            }
            _ => false,
        }
    }
}

/// Keyed anew by each process, so that nobody can make two catalogs alike.
static DIGESTS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The name of the statement and portal that the queries use.
const NAME: &[u8] = b"countersign catalog";

/// Runs one statement. What the one before left, having failed, is closed first.
fn run(text: &str, out: &mut BytesMut) {
    forget(out);
    write::message(out, client::PARSE, |out| {
        write::cstr(out, NAME);
        write::cstr(out, text.as_bytes());
        out.put_i16(0);
    });
    write::message(out, client::BIND, |out| {
        write::cstr(out, NAME);
        write::cstr(out, NAME);
        out.put_slice(&[0; 6]);
    });
    write::message(out, client::EXECUTE, |out| {
        write::cstr(out, NAME);
        out.put_i32(0);
    });
}

/// Closes portal and statement; that they are not there is no error.
fn forget(out: &mut BytesMut) {
    for kind in *b"PS" {
        write::message(out, client::CLOSE, |out| {
            out.put_u8(kind);
            write::cstr(out, NAME);
        });
    }
}

/// A catalog that was loaded.
#[derive(Debug)]
pub struct Loaded {
    /// The catalog.
    pub catalog: Arc<Catalog>,
    /// The types.
    pub types: Types,
    /// Tells it from others that this process loads: equal where every row was.
    pub digest: u64,
    /// The temporary schema of the session that loaded it, once it has one.
    pub own_temporary: Option<String>,
}

/// A catalog being loaded.
#[derive(Debug)]
pub struct Loading {
    catalog: CatalogBuilder,
    types: Types,
    limits: Limits,
    /// How many ReadyForQuery came: the first ends `begin`.
    answered: usize,
    rows: u64,
    bytes: u64,
    /// Of all rows, in whatever order they came.
    digest: u64,
    /// What is read is what names mean now. In a transaction with a snapshot of its own it is what they meant when that was
    /// taken, while the server looks names up as they are.
    present: bool,
    failed: Option<LoadError>,
}

impl Loading {
    /// Sends every query at once; the answers come in order.
    #[must_use]
    pub fn start(within: Within, limits: Limits, fx: &mut Effects<Bytes>) -> Self {
        let mut queries = BytesMut::with_capacity(4_096);
        let texts = [within.begin()]
            .into_iter()
            .chain(Catalog::QUERIES.iter().copied())
            .chain([types::QUERY, within.end()]);
        for text in texts {
            text.split("; ").for_each(|text| run(text, &mut queries));
            forget(&mut queries);
            queries.extend_from_slice(&write::bare(client::SYNC));
        }
        fx.push(Effect::Learning);
        fx.push(Effect::Send(Peer::Upstream, queries.freeze()));
        Self {
            catalog: Catalog::builder(),
            types: Types::built_in(),
            limits,
            answered: 0,
            rows: 0,
            bytes: 0,
            digest: 0,
            present: within == Within::Idle,
            failed: None,
        }
    }

    /// Whether what was read is what names mean now.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.present
    }

    /// Takes a message of the upstream; gives the catalog after the last one. A failed query is told only then, so that
    /// the upstream stands where it stood before.
    ///
    /// # Errors
    /// [`LoadError`]. After [`LoadError::Malformed`] and [`LoadError::TooLarge`] the connection is of no further use.
    pub fn receive(&mut self, frame: &Frame) -> Result<Option<Loaded>, LoadError> {
        self.bytes += frame.whole.len() as u64;
        if self.bytes > self.limits.catalog_bytes_max {
            return Err(LoadError::TooLarge {
                limit: self.limits.catalog_bytes_max,
                unit: "bytes",
                name: "catalog_bytes",
            });
        }
        match frame.kind {
            server::DATA_ROW => self.row(frame)?,
            server::ERROR => self.refused(frame),
            server::READY => {
                self.answered += 1;
                if self.answered == Catalog::QUERIES.len() + 3 {
                    return self.finish().map(Some);
                }
            }
            // The transaction's own settings are reported on the way in and again on the way out.
            server::PARSE_COMPLETE
            | server::BIND_COMPLETE
            | server::CLOSE_COMPLETE
            | server::COMMAND_COMPLETE
            | server::NOTICE
            | server::PARAMETER_STATUS => {}
            _ => {
                return Err(LoadError::Malformed(Malformed(
                    "a message that answers no query",
                )));
            }
        }
        Ok(None)
    }

    /// Which query the answers are of: 0 is the first of [`Catalog::QUERIES`], and `None` what stands around them.
    fn query(&self) -> Option<usize> {
        let query = self.answered.checked_sub(1)?;
        (query <= Catalog::QUERIES.len()).then_some(query)
    }

    fn row(&mut self, frame: &Frame) -> Result<(), LoadError> {
        if self.answered == 0 && !self.present {
            let mut body = Reader::new(&frame.body);
            let isolation = (body.count()? == 1)
                .then(|| body.value())
                .transpose()?
                .flatten();
            self.present |= matches!(
                isolation.as_deref(),
                Some(b"read committed" | b"read uncommitted")
            );
            return Ok(());
        }
        let Some(query) = self.query() else {
            return Err(LoadError::Malformed(Malformed(
                "a row that answers no query",
            )));
        };
        self.rows += 1;
        if self.rows > self.limits.catalog_rows_max {
            return Err(LoadError::TooLarge {
                limit: self.limits.catalog_rows_max,
                unit: "rows",
                name: "catalog_rows",
            });
        }
        // The first tells of the session alone.
        if query > 0 {
            let hash = DIGESTS.hash_one((query, &frame.body));
            self.digest = self.digest.wrapping_add(hash);
        }
        let mut body = Reader::new(&frame.body);
        let count = body.count()?;
        let values: Vec<Option<Bytes>> =
            (0..count).map(|_| body.value()).collect::<Result<_, _>>()?;
        body.end()?;
        let values: Vec<Option<&[u8]>> = values.iter().map(Option::as_deref).collect();
        let result = if query < Catalog::QUERIES.len() {
            self.catalog.row(query, &values)
        } else {
            self.types.row(&values);
            Ok(())
        };
        if let Err(error) = result {
            self.failed.get_or_insert(error.into());
        }
        Ok(())
    }

    fn refused(&mut self, frame: &Frame) {
        let query = self.query().unwrap_or_default();
        // Without the types of extensions more is withheld, and nothing else changes.
        let optional = self.query() == Some(Catalog::QUERIES.len());
        if !optional {
            let message: String = error_field(frame, b'M').chars().take(300).collect();
            self.failed.get_or_insert(LoadError::Refused {
                query,
                code: error_field(frame, b'C'),
                message,
            });
        }
    }

    fn finish(&mut self) -> Result<Loaded, LoadError> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(Loaded {
                own_temporary: self.catalog.own_temporary().map(str::to_owned),
                catalog: Arc::new(std::mem::take(&mut self.catalog).build()),
                types: std::mem::take(&mut self.types),
                digest: self.digest,
            }),
        }
    }
}
