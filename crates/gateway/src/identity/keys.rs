//! An issuer's signing keys: discovered, cached, and fetched again when they rotate.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jsonwebtoken::jwk::{JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::fetch::{FetchError, Fetcher};
use crate::clock::Clock;

/// Keys so old are fetched again, when somebody next asks.
const FRESH_FOR: Duration = Duration::from_secs(10 * 60);

/// While the issuer cannot be reached, the keys it gave last are trusted for so long.
const STALE_FOR: Duration = Duration::from_secs(60 * 60);

/// However many tokens with unknown keys come, the issuer is asked at most this often.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Keys that an issuer may have; what is beyond is not looked at.
const KEYS_MAX: usize = 64;

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The issuer's documents cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The discovery document speaks of another issuer (OpenID Connect Discovery 1.0, section 4.3).
    #[error("the issuer {expected} describes itself as {found:?}: set `url` to exactly that")]
    OtherIssuer {
        /// As configured.
        expected: String,
        /// As found.
        found: String,
    },
    /// The issuer has no such key.
    #[error("the issuer {issuer} has no key {kid:?}")]
    Unknown {
        /// The issuer.
        issuer: String,
        /// The key's id as the token names it; empty where it names none.
        kid: String,
    },
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

struct KeySet {
    fetched: Duration,
    by_id: HashMap<String, Key>,
}

/// A key, and the algorithm it is for where its issuer says so.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) key: DecodingKey,
    pub(super) algorithm: Option<Algorithm>,
}

/// The keys of one issuer.
pub(super) struct Keys {
    issuer: String,
    fetcher: Fetcher,
    clock: Clock,
    current: ArcSwapOption<KeySet>,
    /// When the issuer was last asked; held while it is.
    asked: Mutex<Option<Duration>>,
}

impl Keys {
    pub(super) fn new(issuer: &str, fetcher: Fetcher, clock: Clock) -> Self {
        let issuer = issuer.to_owned();
        Self {
            issuer,
            fetcher,
            clock,
            current: ArcSwapOption::empty(),
            asked: Mutex::new(None),
        }
    }

    /// The key that a token names; where it names none, the issuer's only key.
    pub(super) async fn find(&self, kid: Option<&str>) -> Result<Key, KeyError> {
        let now = self.clock.monotonic();
        let cached = self.current.load_full();
        let age = cached.as_ref().map(|set| now.saturating_sub(set.fetched));
        if let (Some(set), Some(age)) = (&cached, age)
            && age < FRESH_FOR
            && let Some(key) = set.find(kid)
        {
            return Ok(key);
        }
        // Old, or without this key: ask. Who waits here finds what the first one brought.
        let fetched = self.refresh(now).await;
        let unknown = || KeyError::Unknown {
            issuer: self.issuer.clone(),
            kid: kid.unwrap_or_default().to_owned(),
        };
        match (fetched, self.current.load_full(), age) {
            (Ok(()), Some(set), _) => set.find(kid).ok_or_else(unknown),
            (Err(error), Some(set), Some(age)) if age < STALE_FOR => {
                tracing::warn!(issuer = %self.issuer, %error, "the issuer's keys could not be renewed: the last ones serve");
                set.find(kid).ok_or(error)
            }
            (Err(error), _, _) => Err(error),
            (Ok(()), None, _) => Err(unknown()),
        }
    }

    async fn refresh(&self, seen: Duration) -> Result<(), KeyError> {
        let mut asked = self.asked.lock().await;
        if let Some(last) = *asked {
            let since = self.clock.monotonic().saturating_sub(last);
            // Somebody asked while this one waited, or asking again so soon would help nobody.
            if last >= seen || since < ASK_EVERY {
                return Ok(());
            }
        }
        *asked = Some(self.clock.monotonic());
        let fetched = self.fetch().await;
        if fetched.is_err() && self.current.load().is_none() {
            // Nothing to fall back on: the next one may try at once.
            *asked = None;
        }
        self.current.store(Some(Arc::new(fetched?)));
        Ok(())
    }

    async fn fetch(&self) -> Result<KeySet, KeyError> {
        let base = self.issuer.trim_end_matches('/');
        let url = format!("{base}/.well-known/openid-configuration");
        let discovery: Discovery = self.fetcher.json(&url).await?;
        if discovery.issuer != self.issuer {
            return Err(KeyError::OtherIssuer {
                expected: self.issuer.clone(),
                found: discovery.issuer,
            });
        }
        let set: JwkSet = self.fetcher.json(&discovery.jwks_uri).await?;
        let mut by_id = HashMap::new();
        for jwk in set.keys.into_iter().take(KEYS_MAX) {
            let signs = jwk
                .common
                .public_key_use
                .as_ref()
                .is_none_or(|of| *of == PublicKeyUse::Signature);
            // Keys of kinds that are not known here, and secrets that have no business there, are passed over.
            if let (true, Ok(key)) = (signs, DecodingKey::from_jwk(&jwk)) {
                let algorithm = jwk
                    .common
                    .key_algorithm
                    .and_then(|a| a.to_string().parse().ok());
                by_id.insert(
                    jwk.common.key_id.unwrap_or_default(),
                    Key { key, algorithm },
                );
            }
        }
        Ok(KeySet {
            fetched: self.clock.monotonic(),
            by_id,
        })
    }
}

impl KeySet {
    fn find(&self, kid: Option<&str>) -> Option<Key> {
        match kid {
            Some(kid) => self.by_id.get(kid).cloned(),
            None if self.by_id.len() == 1 => self.by_id.values().next().cloned(),
            None => None,
        }
    }
}
