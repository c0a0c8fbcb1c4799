//! Looking sessions up.

use model::Timestamp;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Row, params_from_iter};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError};

/// Sessions in one answer, at most.
pub(super) const SESSIONS_MAX: u32 = 1_000;

/// Which sessions. What is not given does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// The agent's name.
    pub agent: Option<String>,
    /// The human's.
    pub human: Option<String>,
    /// The target's.
    pub target: Option<String>,
    /// Open at or after this time.
    pub from: Option<Timestamp>,
    /// Begun before this time.
    pub to: Option<Timestamp>,
    /// `refused`: with refused commands; `approved`: with commands that people approved; `masked`: with values that were masked.
    pub decision: Option<DecisionFilter>,
    /// At most so many, the newest. Default 100, at most 1,000.
    pub limit: Option<u32>,
}

/// What must have happened in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionFilter {
    /// A command was refused.
    Refused,
    /// A command was approved by people.
    Approved,
    /// A value was masked.
    Masked,
}

/// A session, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Its id.
    pub session: String,
    /// When it began.
    pub opened: Timestamp,
    /// When it ended; `None` while it lasts, or where the gateway ended before it could say.
    pub closed: Option<Timestamp>,
    /// Why it ended.
    pub reason: Option<String>,
    /// The human.
    pub human: String,
    /// The agent.
    pub agent: Option<String>,
    /// The target.
    pub target: String,
    /// The protocol.
    pub protocol: String,
    /// The client's address and port.
    pub source: String,
    /// What the client called itself.
    pub client: String,
    /// Commands permitted.
    pub permitted: u64,
    /// Commands refused.
    pub refused: u64,
    /// Commands that people approved.
    pub approvals: u64,
    /// Commands in whose results something was masked.
    pub masked: u64,
    /// Chunks of the recording.
    pub chunks: u64,
}

const COLUMNS: &str = "name, opened, closed, reason, human, agent, target, protocol, source, client, permitted, refused,
    approvals, masked, chunks";

impl Store {
    /// The sessions that `filter` picks, newest first.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn sessions(&self, filter: &Filter) -> Result<Vec<SessionRow>, StoreError> {
        let (condition, values) = filter.condition();
        let limit = filter.limit.unwrap_or(100).min(SESSIONS_MAX);
        let sql = format!(
            "SELECT {COLUMNS} FROM session WHERE {condition} ORDER BY opened DESC, id DESC LIMIT {limit}"
        );
        let connection = self.lock();
        let read = || {
            let mut statement = connection.prepare(&sql)?;
            let rows = statement.query_map(params_from_iter(values), row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.failed(error))
    }

    /// One session.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn session(&self, session: &str) -> Result<Option<SessionRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM session WHERE name = ?1");
        self.lock()
            .query_row(&sql, [session], row)
            .optional()
            .map_err(|error| self.failed(error))
    }

    /// The leaves that belong to a session, in order.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn leaves(&self, session: &str) -> Result<Vec<u64>, StoreError> {
        let connection = self.lock();
        let read = || {
            let sql = "SELECT leaf FROM leaf JOIN session ON session.id = leaf.session WHERE name = ?1 ORDER BY leaf";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([session], |row| row.get(0).map(unsigned))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.failed(error))
    }
}

impl Filter {
    fn condition(&self) -> (String, Vec<Value>) {
        let mut parts = vec!["TRUE"];
        let mut values = Vec::new();
        let mut put = |part, value: Option<Value>| {
            if let Some(value) = value {
                parts.push(part);
                values.push(value);
            }
        };
        let text = |value: &Option<String>| value.clone().map(Value::Text);
        let time = |value: Option<Timestamp>| value.map(|at| Value::Integer(at.micros()));
        put("agent = ?", text(&self.agent));
        put("human = ?", text(&self.human));
        put("target = ?", text(&self.target));
        put("(closed IS NULL OR closed >= ?)", time(self.from));
        put("opened < ?", time(self.to));
        match self.decision {
            Some(DecisionFilter::Refused) => parts.push("refused > 0"),
            Some(DecisionFilter::Approved) => parts.push("approvals > 0"),
            Some(DecisionFilter::Masked) => parts.push("masked > 0"),
            None => {}
        }
        (parts.join(" AND "), values)
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        session: row.get(0)?,
        opened: Timestamp::from_micros(row.get(1)?),
        closed: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_micros),
        reason: row.get(3)?,
        human: row.get(4)?,
        agent: row.get(5)?,
        target: row.get(6)?,
        protocol: row.get(7)?,
        source: row.get(8)?,
        client: row.get(9)?,
        permitted: unsigned(row.get(10)?),
        refused: unsigned(row.get(11)?),
        approvals: unsigned(row.get(12)?),
        masked: unsigned(row.get(13)?),
        chunks: unsigned(row.get(14)?),
    })
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
