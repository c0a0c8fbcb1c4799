//! Evidence bundles over HTTP.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use evidence::{BuildError, Request};
use model::{Event, Timestamp};
use serde::{Deserialize, Serialize};

use super::auth::Caller;
use super::body::{self, blocking};
use super::{ApiError, Shared};
use crate::evidence::{Kept, NotBuilt};
use crate::random;

/// So many sessions are drawn where nothing else is asked.
const SAMPLES: usize = 25;

/// `POST /v1/evidence`: the period, and how samples are drawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceBody {
    /// The period begins,
    pub from: Timestamp,
    /// and ends before this time.
    pub to: Timestamp,
    /// Only what concerns this target.
    #[serde(default)]
    pub target: Option<String>,
    /// The seed of the samples, best of the examiner's choice. Default: random.
    #[serde(default)]
    pub seed: Option<String>,
    /// How many sessions are drawn. Default 25, at most 1,000.
    #[serde(default)]
    pub samples: Option<usize>,
}

/// Builds a bundle. That it was built is durable in the ledger before its first byte leaves.
pub(super) async fn build(
    State(api): Shared,
    caller: Caller,
    Json(body): Json<EvidenceBody>,
) -> Result<Response, ApiError> {
    let identity = caller.auditor(&api)?;
    let turn = api.evidence.turn().ok_or_else(|| {
        ApiError::Unavailable("another bundle is being built: ask again when it is done".to_owned())
    })?;
    let fresh = random::bytes::<16>().map_err(|error| ApiError::internal(&error))?;
    let request = Request {
        from: body.from,
        to: body.to,
        target: body.target,
        seed: body.seed.unwrap_or_else(|| hex::encode(fresh)),
        samples: body.samples.unwrap_or(SAMPLES),
    };
    let (this, builder) = (api.clone(), identity.clone());
    let bundle = blocking(move || {
        let kept = Kept {
            log: this.journal.log(),
            ledger: &this.ledger,
            recordings: &this.recordings,
            policies: this.policies.archive(),
            now: this.clock.now(),
            builder: &builder,
        };
        Ok(this.evidence.build(&turn, &request, &kept)?)
    })
    .await?;
    let manifest = bundle.built.manifest;
    api.record(Event::EvidenceBuilt {
        identity: Box::new(identity),
        first: bundle.built.first,
        end: bundle.built.end,
        manifest,
    })
    .await?;
    let headers = [
        (header::CONTENT_TYPE.as_str(), "application/zip".to_owned()),
        (header::CONTENT_LENGTH.as_str(), bundle.bytes.to_string()),
        ("countersign-manifest", manifest.to_string()),
    ];
    Ok((headers, body::of(bundle)).into_response())
}

impl From<NotBuilt> for ApiError {
    fn from(error: NotBuilt) -> Self {
        match error {
            NotBuilt::Build(BuildError::Request(why)) => Self::Invalid(why),
            NotBuilt::Build(
                error @ (BuildError::Log(_) | BuildError::Entry { .. } | BuildError::Root(_)),
            ) => {
                tracing::error!(%error, "a bundle was not built");
                Self::Damaged(error.to_string())
            }
            other => Self::internal(&other),
        }
    }
}
