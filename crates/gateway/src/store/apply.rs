//! From entries to rows. Entries of the hot path are read only as far as their type and session.

use std::borrow::Cow;
use std::collections::HashMap;

use model::{Entry, Event};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::Deserialize;

use super::{Store, StoreError};

/// As much of an entry as most of them need.
#[derive(Deserialize)]
struct Glance<'a> {
    #[serde(borrow)]
    event: GlanceEvent<'a>,
}

#[derive(Deserialize)]
struct GlanceEvent<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    session: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    approval: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    statement: Option<Cow<'a, str>>,
    #[serde(default)]
    outcome: Option<GlanceOutcome>,
}

#[derive(Deserialize)]
struct GlanceOutcome {
    #[serde(default)]
    masks: Vec<serde::de::IgnoredAny>,
}

/// What a batch adds to a session.
#[derive(Default)]
struct Sum {
    permitted: i64,
    refused: i64,
    approvals: i64,
    masked: i64,
    chunks: i64,
}

impl Store {
    /// The first leaf that the index has not seen.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn position(&self) -> Result<u64, StoreError> {
        let next: i64 = self
            .lock()
            .query_row("SELECT next FROM position", [], |row| row.get(0))
            .map_err(|error| self.failed(error))?;
        Ok(u64::try_from(next).unwrap_or(0))
    }

    /// Takes the leaves from `first` on, all or none. Entries of kinds that this version does not know are passed over.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn apply<'a>(
        &self,
        first: u64,
        leaves: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), StoreError> {
        let mut connection = self.lock();
        apply(&mut connection, first, leaves).map_err(|error| self.failed(error))
    }
}

fn apply<'a>(
    connection: &mut Connection,
    first: u64,
    leaves: impl Iterator<Item = &'a [u8]>,
) -> rusqlite::Result<()> {
    let write = connection.transaction()?;
    let mut ids: HashMap<String, Option<i64>> = HashMap::new();
    let mut sums: HashMap<i64, Sum> = HashMap::new();
    let mut next = first;
    for bytes in leaves {
        let leaf = next;
        next += 1;
        let Ok(Glance { event }) = serde_json::from_slice::<Glance<'_>>(bytes) else {
            continue;
        };
        if event.kind == "session_opened" {
            opened(&write, bytes)?;
        }
        let Some(id) = session_of(&write, &mut ids, &event)? else {
            continue;
        };
        write
            .prepare_cached("INSERT OR IGNORE INTO leaf VALUES (?1, ?2)")?
            .execute(params![id, i64::try_from(leaf).unwrap_or(i64::MAX)])?;
        sums.entry(id).or_default().add(&event);
        if event.kind == "session_closed" {
            closed(&write, id, bytes)?;
        }
    }
    for (id, sum) in sums {
        sum.write(&write, id)?;
    }
    write.execute(
        "UPDATE position SET next = ?1",
        [i64::try_from(next).unwrap_or(i64::MAX)],
    )?;
    write.commit()
}

impl Sum {
    fn add(&mut self, event: &GlanceEvent<'_>) {
        match event.kind.as_ref() {
            "intent" => {
                self.permitted += 1;
                self.approvals += i64::from(event.approval.is_some());
            }
            "refused" => self.refused += 1,
            "outcome" => {
                self.masked += i64::from(
                    event
                        .outcome
                        .as_ref()
                        .is_some_and(|outcome| !outcome.masks.is_empty()),
                );
            }
            "recorded" => self.chunks += 1,
            _ => {}
        }
    }

    fn write(&self, write: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
        write
            .prepare_cached(
                "UPDATE session SET permitted = permitted + ?2, refused = refused + ?3, approvals = approvals + ?4,
                 masked = masked + ?5, chunks = chunks + ?6 WHERE id = ?1",
            )?
            .execute(params![id, self.permitted, self.refused, self.approvals, self.masked, self.chunks])?;
        Ok(())
    }
}

/// The session an entry belongs to: the one it names, or the one that asked for the approval it is about.
fn session_of(
    write: &Transaction<'_>,
    ids: &mut HashMap<String, Option<i64>>,
    event: &GlanceEvent<'_>,
) -> rusqlite::Result<Option<i64>> {
    #[derive(Deserialize)]
    struct About {
        approval: String,
    }
    let Some(session) = &event.session else {
        let said = event
            .statement
            .as_ref()
            .and_then(|text| serde_json::from_str::<About>(text).ok());
        let approval = event
            .approval
            .as_deref()
            .or(said.as_ref().map(|said| said.approval.as_str()));
        let Some(approval) = approval else {
            return Ok(None);
        };
        return write
            .prepare_cached("SELECT session FROM approval WHERE name = ?1")?
            .query_row([approval], |row| row.get(0))
            .optional();
    };
    let id = match ids.get(session.as_ref()) {
        Some(id) => *id,
        None => {
            let id = id_of(write, session)?;
            ids.insert(session.clone().into_owned(), id);
            id
        }
    };
    if let ("approval_requested", Some(approval), Some(id)) = (event.kind.as_ref(), &event.id, id) {
        write.execute(
            "INSERT OR REPLACE INTO approval VALUES (?1, ?2)",
            params![approval, id],
        )?;
    }
    Ok(id)
}

fn id_of(write: &Transaction<'_>, session: &str) -> rusqlite::Result<Option<i64>> {
    write
        .prepare_cached("SELECT id FROM session WHERE name = ?1")?
        .query_row([session], |row| row.get(0))
        .optional()
}

fn opened(write: &Transaction<'_>, bytes: &[u8]) -> rusqlite::Result<()> {
    if let Ok(Entry {
        at,
        event: Event::SessionOpened(of),
    }) = Entry::decode(bytes)
    {
        write.execute(
            "INSERT OR IGNORE INTO session (name, opened, human, agent, target, protocol, source, client)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                of.session,
                at.micros(),
                of.identity.human,
                of.identity.agent.map(|agent| agent.name),
                of.target,
                of.protocol,
                of.source,
                of.client,
            ],
        )?;
    }
    Ok(())
}

fn closed(write: &Transaction<'_>, id: i64, bytes: &[u8]) -> rusqlite::Result<()> {
    if let Ok(Entry {
        at,
        event: Event::SessionClosed { reason, .. },
    }) = Entry::decode(bytes)
    {
        write.execute(
            "UPDATE session SET closed = ?2, reason = ?3 WHERE id = ?1",
            params![id, at.micros(), reason],
        )?;
    }
    Ok(())
}
