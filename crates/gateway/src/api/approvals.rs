//! Approvals over HTTP.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use model::Identity;
use serde::{Deserialize, Serialize};

use super::auth::{Caller, is_one};
use super::{Api, ApiError, POLL_MAX, Shared};
use crate::approval::{Standing, View};

/// `GET /v1/approvals`: whether to wait for a change.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchQuery {
    /// Wait at most so many seconds for the list to change before answering. Default 0, at most 50.
    #[serde(default)]
    pub wait_secs: u64,
}

/// `POST /v1/approvals/{id}/verdicts`: what a person signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictBody {
    /// The statement: the exact bytes of `ApprovalStatement::bytes`, as text.
    pub statement: String,
    /// What `ssh-keygen -Y sign -n countersign-approval` made of it.
    pub signature: String,
}

/// What is open and the caller may see: approvals that they may decide or asked for; all of them, for auditors.
pub(super) async fn list(
    State(api): Shared,
    caller: Caller,
    Query(query): Query<WatchQuery>,
) -> Result<Json<Vec<View>>, ApiError> {
    if query.wait_secs > 0 {
        let mut changes = api.approvals.changes();
        let wait = Duration::from_secs(query.wait_secs).min(POLL_MAX);
        // Whether it changed or the time ran out: the list is what it is then.
        drop(tokio::time::timeout(wait, changes.changed()).await);
    }
    let mut views = api.approvals.list();
    views.retain(|view| may_see(&api, &caller.0, view));
    Ok(Json(views))
}

/// One of them.
pub(super) async fn show(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<View>, ApiError> {
    let view = api
        .approvals
        .show(&id)
        .filter(|view| may_see(&api, &caller.0, view));
    view.map(Json)
        .ok_or_else(|| ApiError::NotFound(format!("approval {id}")))
}

/// Takes a verdict.
pub(super) async fn give(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<VerdictBody>,
) -> Result<Json<Standing>, ApiError> {
    let standing = api
        .approvals
        .give(&caller.0, &id, &body.statement, &body.signature)
        .await?;
    tracing::info!(approval = %standing.id, by = %caller.0.human, status = standing.status, "a verdict was given");
    Ok(Json(standing))
}

fn may_see(api: &Api, who: &Identity, view: &View) -> bool {
    let asked = view.request.identity == who.key()
        || (who.agent.is_none() && view.request.human == who.human);
    let decides = who.agent.is_none()
        && view
            .request
            .gates
            .iter()
            .any(|gate| who.groups.contains(&gate.group));
    asked || decides || (who.agent.is_none() && is_one(api, who, &api.roles.auditors))
}
