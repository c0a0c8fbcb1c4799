//! The built-in issuer over HTTP.

use axum::Json;
use axum::extract::State;
use model::{Event, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::auth::Caller;
use super::{ApiError, OPERATORS, Shared};
use crate::identity::Subject;

/// A token lasts so long where nothing else is asked.
const LIFETIME_SECS: i64 = 60 * 60;

/// `POST /v1/tokens`: for whom a token is wanted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// The human.
    pub human: String,
    /// The agent that acts for them.
    #[serde(default)]
    pub agent: Option<String>,
    /// The agent's instance.
    #[serde(default)]
    pub instance: Option<String>,
    /// The agent's model.
    #[serde(default)]
    pub model: Option<String>,
    /// Groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Seconds that it lasts. Default an hour, at most a day.
    #[serde(default)]
    pub lifetime_secs: Option<i64>,
}

/// A token that was made.
#[derive(Serialize, Deserialize)]
pub struct TokenView {
    /// The token. A secret.
    pub token: String,
    /// When it expires.
    pub expires: Timestamp,
}

/// The built-in issuer's discovery document.
pub(super) async fn discovery(State(api): Shared) -> Result<Json<Value>, ApiError> {
    let issuer = api.issuer.as_ref().ok_or_else(off)?;
    Ok(Json(issuer.discovery()))
}

/// The built-in issuer's keys.
pub(super) async fn key_set(State(api): Shared) -> Result<Json<Value>, ApiError> {
    let issuer = api.issuer.as_ref().ok_or_else(off)?;
    serde_json::to_value(issuer.key_set())
        .map(Json)
        .map_err(|error| ApiError::internal(&error))
}

/// Makes a token, and records for whom.
pub(super) async fn issue(
    State(api): Shared,
    caller: Caller,
    Json(body): Json<TokenBody>,
) -> Result<Json<TokenView>, ApiError> {
    let issuer = api.issuer.clone().ok_or_else(off)?;
    caller.administrator(&api)?;
    if body.groups.iter().any(|group| group == OPERATORS) {
        return Err(ApiError::Forbidden(format!(
            "no token is made for the group {OPERATORS}"
        )));
    }
    let (now, lifetime) = (api.clock.now(), body.lifetime_secs.unwrap_or(LIFETIME_SECS));
    let subject = Subject {
        human: body.human,
        agent: body.agent,
        instance: body.instance,
        model: body.model,
        groups: body.groups,
    };
    let id = crate::random::bytes::<16>().map_err(|error| ApiError::internal(&error))?;
    let id = hex::encode(id);
    let token = issuer
        .token(&subject, &id, now, lifetime)
        .map_err(|error| ApiError::Invalid(error.to_string()))?;
    let expires = Timestamp::from_secs(now.secs() + lifetime);
    api.record(Event::TokenIssued {
        identity: Box::new(issuer.identity(&subject, &id, expires)),
    })
    .await?;
    let token =
        String::from_utf8(token.expose().to_vec()).map_err(|error| ApiError::internal(&error))?;
    Ok(Json(TokenView { token, expires }))
}

fn off() -> ApiError {
    ApiError::NotFound("the built-in issuer ([issuer] enabled = false)".to_owned())
}
