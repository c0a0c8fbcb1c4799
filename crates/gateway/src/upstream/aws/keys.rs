//! Keys of an account, kept and had again ahead of their end.

use std::future::Future;
use std::time::Duration;

use model::Timestamp;
use protocols::aws::assume::{NoKeys, Temporary};
use protocols::http::sigv4::Credentials;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::config::SecretError;

/// Keys are had again so long before they end.
const AHEAD: Duration = Duration::from_secs(300);
/// Keys that do not say when they end are had again after so long.
const ENDLESS: Duration = Duration::from_secs(300);
/// Where keys cannot be had again, and the old ones are good still, the next attempt waits so long.
const REST: Duration = Duration::from_secs(30);

/// Keys, and when they end, where they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) credentials: Credentials,
    pub(super) expires: Option<Timestamp>,
}

impl From<Temporary> for Keys {
    fn from(keys: Temporary) -> Self {
        Self {
            credentials: keys.credentials,
            expires: Some(keys.expires),
        }
    }
}

/// Why an account has no keys now. For the operator; the client hears only that there are none.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Their place holds none.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// No place of the chain has any.
    #[error("there are no AWS keys in any place that credentials.chain names ({0})")]
    Nowhere(String),
    /// A place has keys that cannot be had.
    #[error("AWS keys from {place} (credentials.chain): {why}")]
    Place {
        /// The place.
        place: &'static str,
        /// What is wrong there.
        why: String,
    },
    /// The role cannot be assumed.
    #[error("the role {role} cannot be assumed: {why}")]
    Role {
        /// Its ARN.
        role: String,
        /// Why.
        why: StsError,
    },
}

/// STS gave no keys.
#[derive(Debug, thiserror::Error)]
pub enum StsError {
    /// It answered without keys.
    #[error("{0}{hint}", hint = hint(.0))]
    Answer(#[from] NoKeys),
    /// It did not answer.
    #[error("STS does not answer: {0}")]
    Unreachable(String),
    /// The request could not be written.
    #[error("the request to STS cannot be written")]
    Unwritten,
}

/// What to do where STS denies.
fn hint(answer: &NoKeys) -> &'static str {
    match answer {
        NoKeys::Refused { code, .. } if code == "AccessDenied" => {
            " (its trust policy must let the gateway's keys do sts:AssumeRole, sts:SetSourceIdentity and sts:TagSession)"
        }
        _ => "",
    }
}

/// Keys that are kept while they are good.
#[derive(Default)]
pub struct Kept(Mutex<Option<Had>>);

struct Had {
    keys: Keys,
    /// When to have them again.
    again: Timestamp,
}

impl Kept {
    /// The keys: those that are kept, or where they end soon those that `fetch` brings. One fetch at a time; the others wait for
    /// what it brings. Keys that ended are never given.
    pub(super) async fn get<F>(
        &self,
        clock: &Clock,
        fetch: impl FnOnce() -> F,
    ) -> Result<Credentials, KeysError>
    where
        F: Future<Output = Result<Keys, KeysError>>,
    {
        let mut kept = self.0.lock().await;
        if let Some(had) = &*kept
            && clock.now() < had.again
            && had.good(clock.now())
        {
            return Ok(had.keys.credentials.clone());
        }
        let fetched = fetch().await;
        let now = clock.now();
        match (fetched, &mut *kept) {
            (Ok(keys), kept) => {
                let had = kept.insert(Had::new(keys, now));
                Ok(had.keys.credentials.clone())
            }
            (Err(error), Some(had)) if had.good(now) => {
                tracing::warn!(%error, "AWS keys cannot be had again, and the old ones end soon");
                had.again = after(now, REST);
                Ok(had.keys.credentials.clone())
            }
            (Err(error), kept) => {
                *kept = None;
                Err(error)
            }
        }
    }
}

impl Had {
    fn new(keys: Keys, now: Timestamp) -> Self {
        let again = match keys.expires {
            // Never at every request, however soon they end.
            Some(expires) => before(expires, AHEAD).max(after(now, REST)),
            None => after(now, ENDLESS),
        };
        Self { keys, again }
    }

    fn good(&self, now: Timestamp) -> bool {
        self.keys.expires.is_none_or(|expires| now < expires)
    }
}

fn after(at: Timestamp, time: Duration) -> Timestamp {
    at.plus_micros(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
}

fn before(at: Timestamp, time: Duration) -> Timestamp {
    at.plus_micros(-i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
}
