//! Sessions over HTTP: the list, one with its commands, and its replay.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ledger::Reader;
use model::{ApprovalStatement, Denial, Entry, Event, MaskFact, Outcome, SealedCommand, Timestamp};
use recording::SessionKey;
use serde::{Deserialize, Serialize};

use super::auth::Caller;
use super::body::{self, blocking};
use super::{Api, ApiError, Shared};
use crate::record::{Broken, Expected, RecordError};
use crate::store::{Filter, SessionRow};

/// `GET /v1/sessions/{id}/replay`: watching needs a reason.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayQuery {
    /// Why, in the watcher's words; it stands in the ledger. 1 to 500 bytes.
    pub reason: String,
}

/// A session and what was asked in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionView {
    /// As the list shows it.
    #[serde(flatten)]
    pub row: SessionRow,
    /// Its commands, in order.
    pub commands: Vec<CommandView>,
    /// What was masked in it where no command was answered.
    #[serde(default)]
    pub masks: Vec<MaskFact>,
}

/// One command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommandView {
    /// Its number in the session.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// Its leaf in the ledger.
    pub leaf: u64,
    /// `SELECT`.
    pub tag: String,
    /// Its text and parameters, masked; `None` where the session's key was disposed of.
    pub command: Option<SealedCommand>,
    /// What it does to what.
    pub effects: Vec<String>,
    /// The policies that allowed it.
    pub policies: Vec<String>,
    /// The approval it used.
    pub approval: Option<String>,
    /// Who approved: name and reason.
    pub approvers: Vec<(String, String)>,
    /// Why it was refused, if it was.
    pub denial: Option<Denial>,
    /// How it ended; `None` while it runs, or where the gateway ended first.
    pub outcome: Option<Outcome>,
}

/// The list.
pub(super) async fn list(
    State(api): Shared,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<Vec<SessionRow>>, ApiError> {
    caller.auditor(&api)?;
    blocking(move || Ok(Json(api.store.sessions(&filter)?))).await
}

/// One session. Reading what was typed in it is watching it.
pub(super) async fn show(
    State(api): Shared,
    caller: Caller,
    Path(session): Path<String>,
    Query(query): Query<ReplayQuery>,
) -> Result<Json<SessionView>, ApiError> {
    let row = watch(&api, caller, &session, query).await?;
    blocking(move || {
        let (commands, masks) = told(&api, &session)?;
        Ok(Json(SessionView {
            row,
            commands,
            masks,
        }))
    })
    .await
}

/// The replay: JSON Lines, as the recording is read. The watching is durable in the ledger before the first line leaves.
pub(super) async fn replay(
    State(api): Shared,
    caller: Caller,
    Path(session): Path<String>,
    Query(query): Query<ReplayQuery>,
) -> Result<Response, ApiError> {
    let row = watch(&api, caller, &session, query).await?;
    let from = Arc::clone(&api);
    let opened = blocking(move || {
        let expected = expected(&from, &session, row.closed.is_some())?;
        Ok(from.recordings.replay(&session, &row.protocol, expected)?)
    })
    .await?;
    let lines = opened.map(|lines| Ok(lines.unwrap_or_else(|error| broken(&error))));
    let headers = [(header::CONTENT_TYPE, "application/jsonl")];
    Ok((headers, body::of(lines)).into_response())
}

/// What the ledger says of a session's recording.
fn expected(api: &Api, session: &str, closed: bool) -> Result<Expected, ApiError> {
    let reader = Reader::open(&api.ledger, None).map_err(|error| ApiError::internal(&error))?;
    let mut chunks = Vec::new();
    for leaf in api.store.leaves(session)? {
        let Some(Ok((_, bytes))) = reader.entries(leaf..leaf + 1).next() else {
            continue;
        };
        if let Ok(Entry {
            event: Event::Recorded { sha256, .. },
            ..
        }) = Entry::decode(&bytes)
        {
            chunks.push(sha256);
        }
    }
    Ok(Expected { chunks, closed })
}

/// The line that ends a replay which cannot go on.
fn broken(error: &RecordError) -> bytes::Bytes {
    tracing::error!(%error, "a replay broke off");
    let broken = match error {
        RecordError::Content { .. } => error.to_string(),
        _ => "the recording cannot be read: the gateway's log says why".to_owned(),
    };
    let mut line = serde_json::to_vec(&Broken { broken }).unwrap_or_default();
    line.push(b'\n');
    line.into()
}

/// Checks that the caller may watch, and records that they do.
pub(super) async fn watch(
    api: &Api,
    caller: Caller,
    session: &str,
    query: ReplayQuery,
) -> Result<SessionRow, ApiError> {
    let identity = caller.auditor(api)?;
    let reason = query.reason.trim().to_owned();
    if reason.is_empty() || reason.len() > 500 {
        return Err(ApiError::Invalid(
            "watching a session needs a reason of 1 to 500 bytes (--reason)".to_owned(),
        ));
    }
    let row = api
        .store
        .session(session)?
        .ok_or_else(|| ApiError::NotFound(format!("session {session}")))?;
    let session = session.to_owned();
    api.record(Event::ReplayWatched {
        identity: Box::new(identity),
        session,
        reason,
    })
    .await?;
    Ok(row)
}

/// A session's commands, and what was masked beside them.
fn told(api: &Api, session: &str) -> Result<(Vec<CommandView>, Vec<MaskFact>), ApiError> {
    let key = api.recordings.session_key(session).ok();
    let reader = Reader::open(&api.ledger, None).map_err(|error| ApiError::internal(&error))?;
    let mut commands: Vec<CommandView> = Vec::new();
    let mut approvers: Vec<(String, String, String)> = Vec::new();
    let mut beside = Vec::new();
    for leaf in api.store.leaves(session)? {
        let Some(Ok((_, bytes))) = reader.entries(leaf..leaf + 1).next() else {
            continue;
        };
        let Ok(Entry { at, event }) = Entry::decode(&bytes) else {
            continue;
        };
        match event {
            Event::Outcome {
                intent, outcome, ..
            } => {
                if let Some(command) = commands
                    .iter_mut()
                    .rev()
                    .find(|command| command.leaf == intent)
                {
                    command.outcome = Some(outcome);
                }
            }
            Event::ApprovalGiven { statement, .. } => {
                if let Ok(said) = serde_json::from_str::<ApprovalStatement>(&statement) {
                    approvers.push((said.approval, said.approver, said.reason));
                }
            }
            Event::SessionClosed { masks, .. } => beside.extend(masks),
            other => commands.extend(command(leaf, at, other, key.as_ref())),
        }
    }
    for command in &mut commands {
        let of = |(id, who, why): &(String, String, String)| {
            (command.approval.as_ref() == Some(id)).then(|| (who.clone(), why.clone()))
        };
        command.approvers = approvers.iter().filter_map(of).collect();
    }
    Ok((commands, beside))
}

fn command(
    leaf: u64,
    at: Timestamp,
    event: Event,
    key: Option<&SessionKey>,
) -> Option<CommandView> {
    let (seq, record, policies, approval, denial) = match event {
        Event::Intent(intent) => (
            intent.seq,
            intent.command,
            intent.obligations.policies,
            intent.approval,
            None,
        ),
        Event::Refused {
            seq,
            command,
            denial,
            ..
        } => (
            seq,
            command,
            denial.policies.clone(),
            denial.approval.clone(),
            Some(denial),
        ),
        _ => return None,
    };
    Some(CommandView {
        seq,
        at,
        leaf,
        tag: record.tag,
        command: key.and_then(|key| key.open_command(&record.sealed).ok()),
        effects: record.effects,
        policies,
        approval,
        approvers: Vec::new(),
        denial,
        outcome: None,
    })
}
