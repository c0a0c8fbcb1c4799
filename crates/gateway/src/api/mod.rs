//! The HTTP API: approvals, sessions, replays, evidence, tokens of the built-in issuer, health.
//!
//! Whoever calls it proves who they are as an agent does: with a token of a trusted issuer, as `Authorization: Bearer`. What
//! they may do follows from their groups ([`Roles`]). An agent's token opens nothing here but the agent's own identity.

mod approvals;
mod auth;
mod body;
mod error;
mod evidence;
mod released;
mod sessions;
mod tokens;

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use model::Event;
use tokio::net::TcpListener;

use crate::approval::Approvals;
use crate::clock::Clock;
use crate::evidence::Evidence;
use crate::identity::{BuiltInIssuer, Verifier};
use crate::journal::Journal;
use crate::policies::Policies;
use crate::record::Recordings;
use crate::stats::Stats;
use crate::store::Store;

pub use approvals::{VerdictBody, WatchQuery};
pub use auth::WhoView;
pub use error::ApiError;
pub use evidence::EvidenceBody;
pub use released::{ReleasedBody, ReleasedFact, ReleasedView};
pub use sessions::{CommandView, ReplayQuery, SessionView};
pub use tokens::{TokenBody, TokenView};

/// The group that the built-in issuer's operator carries: whoever can read the issuer's key.
pub const OPERATORS: &str = "countersign-operators";

/// A request's body may be so large.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Which groups may do what, besides deciding approvals, which follows from policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// May list, read and replay sessions and build evidence.
    pub auditors: BTreeSet<String>,
    /// May have the built-in issuer make tokens.
    pub administrators: BTreeSet<String>,
}

/// What the API stands on.
pub struct Api {
    /// Verifies callers' tokens.
    pub verifier: Arc<Verifier>,
    /// The built-in issuer, where it is on.
    pub issuer: Option<Arc<BuiltInIssuer>>,
    /// Approvals.
    pub approvals: Approvals,
    /// The index.
    pub store: Store,
    /// Recordings.
    pub recordings: Recordings,
    /// The policies in force.
    pub policies: Arc<Policies>,
    /// The ledger, to write to.
    pub journal: Journal,
    /// The ledger's folder, to read from.
    pub ledger: PathBuf,
    /// What evidence is built with.
    pub evidence: Evidence,
    /// Who may do what.
    pub roles: Roles,
    /// The clocks.
    pub clock: Clock,
    /// Counters.
    pub stats: Arc<Stats>,
}

type Shared = State<Arc<Api>>;

/// Serves until `stop` resolves, and then until open requests are answered.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    api: Arc<Api>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(api))
        .with_graceful_shutdown(stop)
        .await
}

/// The routes.
pub fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .route(
            "/issuer/.well-known/openid-configuration",
            get(tokens::discovery),
        )
        .route("/issuer/jwks.json", get(tokens::key_set))
        .route("/v1/whoami", get(auth::whoami))
        .route("/v1/tokens", post(tokens::issue))
        .route("/v1/approvals", get(approvals::list))
        .route("/v1/approvals/{id}", get(approvals::show))
        .route("/v1/approvals/{id}/verdicts", post(approvals::give))
        .route("/v1/sessions", get(sessions::list))
        .route("/v1/sessions/{id}", get(sessions::show))
        .route("/v1/sessions/{id}/replay", get(sessions::replay))
        .route("/v1/sessions/{id}/released", post(released::released))
        .route("/v1/evidence", post(evidence::build))
        .fallback(async || ApiError::NotFound("this path".to_owned()))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(api)
}

/// 200 while commands can be recorded, 503 while they are refused because they cannot.
async fn health(State(api): Shared) -> Result<Json<serde_json::Value>, ApiError> {
    api.journal
        .healthy()
        .map_err(|denial| ApiError::Unavailable(denial.message))?;
    Ok(Json(
        serde_json::json!({ "status": "ok", "ledger_size": api.journal.log().size() }),
    ))
}

/// Counters in the Prometheus text format, version 0.0.4.
async fn metrics(State(api): Shared) -> impl IntoResponse {
    let mut text = String::with_capacity(2_048);
    for (name, kind, help, value) in counters(&api) {
        text.push_str(&format!(
            "# HELP countersign_{name} {help}.\n# TYPE countersign_{name} {kind}\ncountersign_{name} {value}\n"
        ));
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// Each counter's name, kind, description and value.
fn counters(api: &Api) -> [(&'static str, &'static str, &'static str, u64); 11] {
    let stats = &api.stats;
    [
        (
            "connections_total",
            "counter",
            "Connections accepted",
            stats.connections.value(),
        ),
        (
            "connections_evicted_total",
            "counter",
            "Connections closed before login to make room",
            stats.evicted.value(),
        ),
        (
            "logins_refused_total",
            "counter",
            "Logins refused",
            stats.logins_refused.value(),
        ),
        (
            "sessions_open",
            "gauge",
            "Sessions open",
            stats.sessions_open.value(),
        ),
        (
            "sessions_total",
            "counter",
            "Sessions begun",
            stats.sessions.value(),
        ),
        (
            "commands_permitted_total",
            "counter",
            "Commands permitted",
            stats.permitted.value(),
        ),
        (
            "commands_refused_total",
            "counter",
            "Commands refused",
            stats.refused.value(),
        ),
        (
            "commands_held_total",
            "counter",
            "Commands that waited for people",
            stats.held.value(),
        ),
        (
            "commands_holding",
            "gauge",
            "Commands waiting for people",
            stats.holding.value(),
        ),
        (
            "ledger_unwritten_total",
            "counter",
            "Entries that could not be written",
            stats.unwritten.value(),
        ),
        (
            "ledger_entries",
            "gauge",
            "Entries in the ledger",
            api.journal.log().size(),
        ),
    ]
}

impl Api {
    /// Writes an entry, and waits until it is durable: what people do here is recorded before it is done.
    async fn record(&self, event: Event) -> Result<(), ApiError> {
        let failed = |error| {
            ApiError::Unavailable(format!(
                "this cannot be recorded, so it is not done: {error}"
            ))
        };
        self.journal.write(event).await.map_err(failed)?;
        Ok(())
    }
}

/// A long poll waits at most so long.
const POLL_MAX: Duration = Duration::from_secs(50);

#[cfg(test)]
mod tests;
