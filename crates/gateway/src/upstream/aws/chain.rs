//! The places where AWS's own tools look for keys (AWS SDKs and Tools Reference Guide, "Standardized credential providers"),
//! each looked at only where the configuration names it.
//!
//! What is not here, and told so: SSO and MFA, which are for people.

use std::time::Duration;

use model::{Secret, Timestamp};
use protocols::http::sigv4::Credentials;
use serde::Deserialize;

use super::ask::Asker;
use super::keys::{Keys, KeysError};
use super::sts::Sts;
use super::{metadata, profile};
use crate::config::{AwsChain, KeySource, SecretSource};
use crate::tls::TlsError;

/// An endpoint on the machine must answer within this.
const NEAR_WITHIN: Duration = Duration::from_secs(5);

/// The process's environment, or a test's.
pub(super) type Env<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// Keys of a place; `None` where it has none, so that the next one is asked. Why they cannot be had, else.
pub(super) type Found = Result<Option<Keys>, String>;

/// The places of a target.
pub(super) struct Chain {
    config: AwsChain,
    near: Asker,
}

/// The environment of this process.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Chain {
    pub(super) fn new(config: AwsChain) -> Result<Self, TlsError> {
        Ok(Self {
            config,
            near: Asker::new(None, NEAR_WITHIN)?,
        })
    }

    /// The keys of the first place that has any.
    pub(super) async fn find(
        &self,
        sts: &Sts,
        env: Env<'_>,
        now: Timestamp,
    ) -> Result<Keys, KeysError> {
        let near = &self.near;
        for source in &self.config.sources {
            let found = match source {
                KeySource::Environment => variables(env),
                KeySource::WebIdentity => web_identity(sts, env).await,
                KeySource::Profile => {
                    let around = profile::Around {
                        sts,
                        near,
                        env,
                        now,
                    };
                    profile::find(self.config.profile.as_deref(), &around).await
                }
                KeySource::Container => metadata::container(near, env).await,
                KeySource::Instance => metadata::instance(near, env).await,
            };
            let place = source.name();
            match found.map_err(|why| KeysError::Place { place, why })? {
                Some(keys) => return Ok(keys),
                None => tracing::debug!(place, "no AWS keys there"),
            }
        }
        let names: Vec<_> = self.config.sources.iter().map(|it| it.name()).collect();
        Err(KeysError::Nowhere(names.join(", ")))
    }
}

/// What the environment's variables hold.
pub(super) fn variables(env: Env<'_>) -> Found {
    match (env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY")) {
        (Some(access_key), Some(secret)) => Ok(Some(Keys {
            credentials: Credentials {
                access_key,
                secret_key: secret.into(),
                token: env("AWS_SESSION_TOKEN").map(Secret::from),
            },
            expires: None,
        })),
        (None, None) => Ok(None),
        _ => Err("set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither".to_owned()),
    }
}

async fn web_identity(sts: &Sts, env: Env<'_>) -> Found {
    match (env("AWS_ROLE_ARN"), env("AWS_WEB_IDENTITY_TOKEN_FILE")) {
        (Some(role), Some(file)) => {
            by_token(sts, &role, env("AWS_ROLE_SESSION_NAME").as_deref(), &file).await
        }
        (_, None) => Ok(None),
        (None, Some(_)) => {
            Err("AWS_WEB_IDENTITY_TOKEN_FILE needs AWS_ROLE_ARN beside it".to_owned())
        }
    }
}

/// A role's keys by the token in a file.
pub(super) async fn by_token(sts: &Sts, role: &str, session: Option<&str>, file: &str) -> Found {
    let token = SecretSource::File(file.into()).read();
    let token = token.map_err(|error| error.to_string())?;
    let keys = sts.web_identity(role, session.unwrap_or("countersign"), &token);
    keys.await.map(Some).map_err(|error| error.to_string())
}

/// Keys as the metadata endpoints and `credential_process` write them, in JSON.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    access_key_id: String,
    secret_access_key: String,
    #[serde(alias = "SessionToken")]
    token: Option<String>,
    expiration: Option<String>,
}

/// Reads them. What is wrong is said without the text, which holds secrets.
pub(super) fn read(json: &[u8]) -> Result<Keys, String> {
    let unreadable = |_| "what was answered holds no keys".to_owned();
    let written: Written = serde_json::from_slice(json).map_err(unreadable)?;
    let expires = written.expiration.as_deref().map(model::Timestamp::parse);
    let expires = expires.transpose().map_err(|error| error.to_string())?;
    Ok(Keys {
        credentials: Credentials {
            access_key: written.access_key_id,
            secret_key: written.secret_access_key.into(),
            token: written
                .token
                .filter(|token| !token.is_empty())
                .map(Secret::from),
        },
        expires,
    })
}
