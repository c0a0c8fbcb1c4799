//! Who calls, and what they may.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use model::{Authenticated, Event, Identity, Secret};
use serde::{Deserialize, Serialize};

use super::{Api, ApiError, OPERATORS, Shared};

/// A caller whose token was verified.
pub(super) struct Caller(pub(super) Identity);

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let header = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = header
            .and_then(|text| text.strip_prefix("Bearer "))
            .ok_or_else(|| {
                ApiError::Unauthenticated(
                    "no token: send one as `Authorization: Bearer …` (COUNTERSIGN_TOKEN)"
                        .to_owned(),
                )
            })?;
        let token = Secret::from(token.to_owned());
        match api.verifier.verify(&token, api.clock.now()).await {
            Ok(identity) => Ok(Self(identity)),
            Err(error) => {
                tracing::info!(%error, "a caller of the API was refused");
                api.record(Event::Authenticated(Authenticated {
                    identity: None,
                    target: "api".to_owned(),
                    source: "api".to_owned(),
                    refused: Some(error.to_string()),
                }))
                .await?;
                Err(ApiError::Unauthenticated(error.client().to_owned()))
            }
        }
    }
}

impl Caller {
    /// A person, not an agent.
    pub(super) fn person(self) -> Result<Identity, ApiError> {
        match self.0.agent {
            None => Ok(self.0),
            Some(_) => Err(ApiError::Forbidden(
                "this is for people: an agent's token does not open it".to_owned(),
            )),
        }
    }

    pub(super) fn auditor(self, api: &Api) -> Result<Identity, ApiError> {
        self.person_of(api, &api.roles.auditors, "auditors")
    }

    pub(super) fn administrator(self, api: &Api) -> Result<Identity, ApiError> {
        self.person_of(api, &api.roles.administrators, "administrators")
    }

    fn person_of(
        self,
        api: &Api,
        groups: &BTreeSet<String>,
        role: &str,
    ) -> Result<Identity, ApiError> {
        let who = self.person()?;
        if is_one(api, &who, groups) {
            return Ok(who);
        }
        Err(ApiError::Forbidden(format!(
            "{} is in none of the groups that [roles] {role} names",
            who.human
        )))
    }
}

/// Whether `who` is in one of `groups`, or operates the gateway's built-in issuer.
pub(super) fn is_one(api: &Api, who: &Identity, groups: &BTreeSet<String>) -> bool {
    let operates = || {
        let own = api
            .issuer
            .as_ref()
            .is_some_and(|issuer| issuer.url() == who.proof.issuer);
        own && who.groups.contains(OPERATORS)
    };
    !groups.is_disjoint(&who.groups) || operates()
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhoView {
    /// The identity that the token proves.
    #[serde(flatten)]
    pub identity: Identity,
    /// Of a person, the fingerprints (SHA-256) of the SSH keys by which their approvals count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// `GET /v1/whoami`: the identity that the token proves, and a person's keys.
pub(super) async fn whoami(State(api): Shared, caller: Caller) -> Json<WhoView> {
    let identity = caller.0;
    let keys = match identity.agent {
        None => api.approvals.keys(&identity.human),
        Some(_) => Vec::new(),
    };
    Json(WhoView { identity, keys })
}
