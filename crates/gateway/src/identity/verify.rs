//! Verifying a token (OpenID Connect Core 1.0, section 3.1.3.7; RFC 7519; RFC 8725).

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use model::{Identity, Proof, Secret, Timestamp};
use serde_json::Value;

use super::claims::{ClaimError, ClaimMapping};
use super::fetch::Fetcher;
use super::keys::{KeyError, Keys};
use crate::clock::Clock;

/// A token may be so large.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Clocks may differ by this much.
const SKEW_SECS: i64 = 60;

/// Signature algorithms that are accepted: asymmetric ones, all of them strong. Never `none`, never a shared secret.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Why a token is not accepted. `Display` is for the operator and holds no part of the token but names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It is no token.
    #[error(
        "this is no token, or one whose claims are not of the form of RFC 7519: a JWT has three parts separated by dots"
    )]
    Malformed,
    /// Its algorithm is not accepted.
    #[error("tokens signed with {0} are not accepted")]
    Algorithm(String),
    /// Its issuer is not one of those trusted.
    #[error("the issuer {0:?} is not trusted here: it must stand in [[issuers]] exactly so")]
    Issuer(String),
    /// Its key cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its signature does not verify.
    #[error("the signature of a token of {0} does not verify")]
    Signature(String),
    /// It has expired.
    #[error("the token expired at {0}")]
    Expired(Timestamp),
    /// It is not valid yet.
    #[error("the token is not valid before {0}: compare the clocks")]
    Early(Timestamp),
    /// It is for somebody else.
    #[error("the token is for another audience: {0:?} is expected")]
    Audience(String),
    /// A claim is missing or malformed.
    #[error(transparent)]
    Claim(#[from] ClaimError),
}

impl AuthError {
    /// What the client may hear.
    #[must_use]
    pub fn client(&self) -> &'static str {
        match self {
            Self::Expired(_) => "the token has expired: get a new one",
            Self::Early(_) => "the token is not valid yet: compare the clocks",
            Self::Key(KeyError::Fetch(_)) => "the token's issuer cannot be reached: try again",
            _ => {
                "the token is not accepted: get one from an issuer that is trusted here, for this gateway"
            }
        }
    }
}

/// An issuer whose tokens are accepted.
pub struct TrustedIssuer {
    url: String,
    audience: String,
    claims: ClaimMapping,
    keys: Keys,
}

impl TrustedIssuer {
    /// The issuer at `url`, exactly as it stands in its tokens, for tokens whose audience is `audience`.
    #[must_use]
    pub fn new(
        url: &str,
        audience: &str,
        claims: ClaimMapping,
        fetcher: Fetcher,
        clock: Clock,
    ) -> Self {
        let keys = Keys::new(url, fetcher, clock);
        Self {
            url: url.to_owned(),
            audience: audience.to_owned(),
            claims,
            keys,
        }
    }
}

/// Verifies tokens of all trusted issuers.
#[derive(Default)]
pub struct Verifier {
    issuers: Vec<TrustedIssuer>,
}

impl Verifier {
    /// A verifier that trusts these and no others.
    #[must_use]
    pub fn new(issuers: Vec<TrustedIssuer>) -> Self {
        Self { issuers }
    }

    /// The identity that `token` proves at `now`.
    ///
    /// # Errors
    /// [`AuthError`] says why it proves none.
    pub async fn verify(&self, token: &Secret, now: Timestamp) -> Result<Identity, AuthError> {
        let token = token.expose().trim_ascii();
        if token.len() > TOKEN_BYTES_MAX {
            return Err(AuthError::Malformed);
        }
        let header = decode_header(token).map_err(|_| unreadable(token))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(AuthError::Algorithm(format!("{:?}", header.alg)));
        }
        let issuer = self.issuer_of(token)?;
        let key = issuer.keys.find(header.kid.as_deref()).await?;
        if key
            .algorithm
            .is_some_and(|algorithm| algorithm != header.alg)
        {
            return Err(AuthError::Algorithm(format!(
                "{:?}, which is not its key's",
                header.alg
            )));
        }
        // The library checks the signature; claims are checked here, by the gateway's clock.
        let mut validation = Validation::new(header.alg);
        validation.required_spec_claims.clear();
        (
            validation.validate_exp,
            validation.validate_nbf,
            validation.validate_aud,
        ) = (false, false, false);
        let verified =
            decode::<Value>(token, &key.key, &validation).map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => AuthError::Signature(issuer.url.clone()),
                // Registered claims of a wrong shape, which the library finds after the signature.
                _ => AuthError::Malformed,
            })?;
        issuer.accept(&verified.claims, header.kid, now)
    }

    /// The issuer that an unverified token names: it only says whose keys to try.
    fn issuer_of(&self, token: &[u8]) -> Result<&TrustedIssuer, AuthError> {
        let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(token)
            .map_err(|_| AuthError::Malformed)?;
        let named = claims
            .get("iss")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let found = self.issuers.iter().find(|issuer| issuer.url == named);
        found.ok_or_else(|| AuthError::Issuer(named.chars().take(200).collect()))
    }
}

impl TrustedIssuer {
    fn accept(
        &self,
        claims: &Value,
        key_id: Option<String>,
        now: Timestamp,
    ) -> Result<Identity, AuthError> {
        let time = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(value) => {
                let secs = value
                    .as_i64()
                    .or_else(|| value.as_f64().map(|secs| secs as i64));
                let secs = secs.ok_or_else(|| ClaimError::Malformed(name.to_owned()))?;
                Ok::<_, AuthError>(Some(Timestamp::from_secs(secs)))
            }
        };
        let skew = SKEW_SECS * 1_000_000;
        let expires = time("exp")?.ok_or_else(|| ClaimError::Missing("exp".to_owned()))?;
        if now >= expires.plus_micros(skew) {
            return Err(AuthError::Expired(expires));
        }
        for start in ["nbf", "iat"] {
            if let Some(start) = time(start)?.filter(|start| *start > now.plus_micros(skew)) {
                return Err(AuthError::Early(start));
            }
        }
        let audience = match claims.get("aud") {
            Some(Value::String(one)) => *one == self.audience,
            Some(Value::Array(several)) => several
                .iter()
                .any(|one| one.as_str() == Some(&self.audience)),
            _ => false,
        };
        if !audience {
            return Err(AuthError::Audience(self.audience.clone()));
        }
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let subject = text("sub").ok_or_else(|| ClaimError::Missing("sub".to_owned()))?;
        let proof = Proof {
            issuer: self.url.clone(),
            subject,
            token_id: text("jti"),
            key_id,
            expires,
        };
        Ok(self.claims.identity(claims, proof)?)
    }
}

/// Why a token's header cannot be read: an algorithm that the library does not know (`none`), or no token at all.
fn unreadable(token: &[u8]) -> AuthError {
    use base64::Engine as _;
    let header = token.split(|byte| *byte == b'.').next().unwrap_or_default();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(header)
        .unwrap_or_default();
    let header: Value = serde_json::from_slice(&header).unwrap_or_default();
    match header.get("alg").and_then(Value::as_str) {
        Some(algorithm) => AuthError::Algorithm(algorithm.chars().take(20).collect()),
        None => AuthError::Malformed,
    }
}

#[cfg(test)]
mod tests;
