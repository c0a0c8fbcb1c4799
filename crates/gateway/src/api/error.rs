//! Refusals of the API, as problem documents (RFC 9457).

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::approval::ApproveError;
use crate::record::RecordError;
use crate::store::StoreError;

/// Why a request is refused. `Display` is what the caller reads.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No token, or none that is accepted.
    #[error("{0}")]
    Unauthenticated(String),
    /// Not this caller.
    #[error("{0}")]
    Forbidden(String),
    /// Not there.
    #[error("{0} does not exist, or is no longer there")]
    NotFound(String),
    /// Not what it should be.
    #[error("{0}")]
    Invalid(String),
    /// Not now.
    #[error("{0}")]
    Unavailable(String),
    /// What is kept here is not as it was written.
    #[error("{0}")]
    Damaged(String),
    /// Our fault. The log tells more.
    #[error("the gateway could not do this: its log says why")]
    Internal,
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Damaged(_) | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Something that only the operator can mend: the log gets all of it, the caller nothing.
    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "the API failed");
        Self::Internal
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = json!({
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.to_string(),
        });
        (
            status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            Json(body),
        )
            .into_response()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

impl From<RecordError> for ApiError {
    fn from(error: RecordError) -> Self {
        match &error {
            RecordError::Unknown(session) => {
                Self::NotFound(format!("the recording of session {session}"))
            }
            RecordError::Content { .. } => {
                tracing::error!(%error, "a recording is damaged");
                Self::Damaged(error.to_string())
            }
            other => Self::internal(other),
        }
    }
}

impl From<ApproveError> for ApiError {
    fn from(error: ApproveError) -> Self {
        match &error {
            ApproveError::Unknown(_) => Self::NotFound(error.to_string()),
            ApproveError::Agent | ApproveError::Own(..) | ApproveError::NotAsked(..) => {
                Self::Forbidden(error.to_string())
            }
            ApproveError::Ledger(_) => Self::Unavailable(error.to_string()),
            _ => Self::Invalid(error.to_string()),
        }
    }
}
