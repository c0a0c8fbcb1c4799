//! The built-in issuer, for trial and tests: an ordinary OpenID Connect issuer whose tokens take the ordinary path.
//!
//! Who can read its key can be anybody, so production turns it off and names real issuers.

use std::fmt;

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use model::{Identity, Secret, Timestamp};
use serde_json::{Value, json};

/// A token lasts at most a day.
pub(super) const LIFETIME_SECS_MAX: i64 = 24 * 60 * 60;

/// The issuer cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Its key is not a P-256 key in PKCS#8.
    #[error(
        "the built-in issuer's key is not a P-256 key in PKCS#8: delete it, and a new one is made at start"
    )]
    Key,
    /// The library refused to sign.
    #[error("the token could not be signed: {0}")]
    Sign(String),
    /// A lifetime that is not between a second and a day.
    #[error("a token of the built-in issuer lasts from 1 second to 24 hours, not {0} seconds")]
    Lifetime(i64),
}

/// For whom a token is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The human.
    pub human: String,
    /// The agent that acts for them, if any.
    pub agent: Option<String>,
    /// The agent's instance.
    pub instance: Option<String>,
    /// The agent's model.
    pub model: Option<String>,
    /// Groups.
    pub groups: Vec<String>,
}

/// The built-in issuer.
pub struct BuiltInIssuer {
    url: String,
    audience: String,
    key: EncodingKey,
    key_id: String,
    jwk: Jwk,
}

impl BuiltInIssuer {
    /// The issuer at `url`, making tokens for `audience` with a P-256 key in PKCS#8 DER.
    ///
    /// # Errors
    /// [`IssuerError::Key`] where the key is another kind.
    pub fn new(url: &str, audience: &str, key: &Secret) -> Result<Self, IssuerError> {
        let key = EncodingKey::from_ec_der(key.expose());
        let mut jwk =
            Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(|_| IssuerError::Key)?;
        let key_id = jwk
            .thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256)
            .map_err(|_| IssuerError::Key)?
            .chars()
            .take(16)
            .collect::<String>();
        jwk.common.key_id = Some(key_id.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            url: url.to_owned(),
            audience: audience.to_owned(),
            key,
            key_id,
            jwk,
        })
    }

    /// Its URL, as its tokens name it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A token for `subject`, good for `lifetime_secs` from `now`. `id` is fresh and random.
    ///
    /// # Errors
    /// [`IssuerError::Lifetime`], or where the library refuses to sign.
    pub fn token(
        &self,
        subject: &Subject,
        id: &str,
        now: Timestamp,
        lifetime_secs: i64,
    ) -> Result<Secret, IssuerError> {
        if !(1..=LIFETIME_SECS_MAX).contains(&lifetime_secs) {
            return Err(IssuerError::Lifetime(lifetime_secs));
        }
        let mut claims = json!({
            "iss": self.url,
            "aud": self.audience,
            "sub": subject.human,
            "jti": id,
            "iat": now.secs(),
            "nbf": now.secs(),
            "exp": now.secs() + lifetime_secs,
            "groups": subject.groups,
        });
        if let (Some(agent), Some(claims)) = (&subject.agent, claims.as_object_mut()) {
            let mut act = json!({ "sub": agent });
            for (name, value) in [("instance", &subject.instance), ("model", &subject.model)] {
                if let (Some(value), Some(act)) = (value, act.as_object_mut()) {
                    act.insert(name.to_owned(), Value::String(value.clone()));
                }
            }
            claims.insert("act".to_owned(), act);
        }
        let header = Header {
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::ES256)
        };
        encode(&header, &claims, &self.key)
            .map(Secret::from)
            .map_err(|e| IssuerError::Sign(e.to_string()))
    }

    /// The identity that such a token proves.
    #[must_use]
    pub fn identity(&self, subject: &Subject, id: &str, expires: Timestamp) -> Identity {
        Identity {
            human: subject.human.clone(),
            agent: subject.agent.as_ref().map(|name| model::Agent {
                name: name.clone(),
                instance: subject.instance.clone(),
                model: subject.model.clone(),
            }),
            groups: subject.groups.iter().cloned().collect(),
            proof: model::Proof {
                issuer: self.url.clone(),
                subject: subject.human.clone(),
                token_id: Some(id.to_owned()),
                key_id: Some(self.key_id.clone()),
                expires,
            },
        }
    }

    /// The discovery document (OpenID Connect Discovery 1.0, section 3), for `<url>/.well-known/openid-configuration`.
    #[must_use]
    pub fn discovery(&self) -> Value {
        json!({
            "issuer": self.url,
            "jwks_uri": format!("{}/jwks.json", self.url),
            "id_token_signing_alg_values_supported": ["ES256"],
            "subject_types_supported": ["public"],
            "response_types_supported": ["id_token"],
        })
    }

    /// The key set (RFC 7517), for `<url>/jwks.json`.
    #[must_use]
    pub fn key_set(&self) -> JwkSet {
        JwkSet {
            keys: vec![self.jwk.clone()],
        }
    }
}

impl fmt::Debug for BuiltInIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuiltInIssuer")
            .field("url", &self.url)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
