//! STS, answered here.

use std::net::SocketAddr;

use model::{Decision, Denial, Secret, Timestamp};
use protocols::aws::NAME;
use protocols::aws::credentials::Grant;
use protocols::aws::deny::{Kind, Refusal};
use protocols::aws::sts::{self, Ask};
use protocols::session::Credential;

use super::Relay;
use super::refusals::{self, Claimed};
use crate::login;
use crate::random;

/// Who asks STS, where the request is signed.
pub(super) struct Signed<'a> {
    pub(super) grant: &'a Grant,
    pub(super) access_key: &'a str,
    pub(super) signature: &'a str,
    /// When the signature ends.
    pub(super) ends: Timestamp,
    /// The number of the connection that it came by.
    pub(super) connection: u64,
}

/// Where a request comes from.
pub(super) struct Origin<'a> {
    pub(super) source: SocketAddr,
    pub(super) client: &'a str,
    pub(super) request: &'a str,
}

/// A refusal with a code that is STS's own.
pub(super) enum Failed {
    Refused(Refusal),
    Code(u16, &'static str, String),
}

impl Relay {
    /// The body of STS's answer.
    pub(super) async fn sts(
        &self,
        query: &str,
        body: &[u8],
        signed: Option<Signed<'_>>,
        from: Origin<'_>,
    ) -> Result<String, Failed> {
        let ask =
            sts::read(query, body).map_err(|wrong| Failed::Code(400, wrong.code, wrong.message))?;
        let now = self.gateway.clock.now();
        let grant = match (&ask, &signed) {
            (Ask::WebIdentity { token, role }, _) => {
                let credential = Credential {
                    token: Secret::from(token.clone()),
                    target: role.target.clone(),
                    user: role.session.clone(),
                    client: from.client.to_owned(),
                };
                let login = self.gateway.log_in(credential, from.source, NAME).await;
                let login = login.map_err(|denial| told(&denial))?;
                sts::grant((*login.identity).clone(), role.clone(), now)
            }
            (_, None) => {
                let unsigned = "this request must be signed: only AssumeRoleWithWebIdentity is not";
                return Err(Failed::Refused(Refusal::new(Kind::Unsigned, unsigned)));
            }
            (Ask::CallerIdentity, Some(signed)) => {
                return Ok(sts::caller(signed.grant, signed.access_key, from.request));
            }
            (Ask::Role(role), Some(signed)) => {
                self.used_once(signed, now, from.source).await?;
                self.may_use(signed, &role.target, from.source).await?;
                let wished = sts::grant(signed.grant.identity.clone(), role.clone(), now);
                not_longer(wished, signed.grant.expires)
            }
            (Ask::SessionToken { secs }, Some(signed)) => {
                self.used_once(signed, now, from.source).await?;
                let expires = now.plus_micros(secs.saturating_mul(1_000_000));
                let wished = Grant {
                    expires,
                    ..signed.grant.clone()
                };
                not_longer(wished, signed.grant.expires)
            }
        };
        let broken = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "keys cannot be made");
            Failed::Refused(Refusal::new(
                Kind::Unavailable,
                "keys cannot be made now: try again later",
            ))
        };
        let nonce = random::bytes().map_err(|error| broken(&error))?;
        let keys = self
            .mint
            .make(&grant, nonce)
            .map_err(|error| broken(&error))?;
        Ok(sts::keys(&ask, &grant, &keys, from.request))
    }

    /// Keys are given once for a signature: what is caught on the way gives nobody others.
    async fn used_once(
        &self,
        signed: &Signed<'_>,
        now: Timestamp,
        source: SocketAddr,
    ) -> Result<(), Failed> {
        let (signature, connection) = (signed.signature, signed.connection);
        match self.used.claim(signature, signed.ends, now, connection) {
            Ok(claim) => {
                claim.keep();
                Ok(())
            }
            Err(refusal) => {
                let target = &signed.grant.target;
                Err(self.not_given(signed, target, source, refusal).await)
            }
        }
    }

    /// Keys that are not given stand in the ledger as a login that was refused.
    async fn not_given(
        &self,
        signed: &Signed<'_>,
        target: &str,
        source: SocketAddr,
        refusal: Refusal,
    ) -> Failed {
        let claimed = Claimed {
            access_key: signed.access_key,
            identity: Some(&signed.grant.identity),
            target: &login::name(target),
            source,
        };
        Failed::Refused(refusals::record(&self.gateway, claimed, refusal).await)
    }

    /// Whether who holds keys may have others for this target. An unknown target and a forbidden one look alike.
    async fn may_use(
        &self,
        signed: &Signed<'_>,
        target: &str,
        source: SocketAddr,
    ) -> Result<(), Failed> {
        let found = self.gateway.targets.get(target);
        let found = found.filter(|target| target.protocol == NAME);
        let decision = found.map(|target| {
            let policies = self.gateway.policies.current();
            policies.connect(&signed.grant.identity, &target.as_policy())
        });
        match decision {
            Some(Decision::Allow(_)) => Ok(()),
            _ => {
                let refusal = Refusal::from(&policy::unknown_target(target));
                Err(self.not_given(signed, target, source, refusal).await)
            }
        }
    }
}

fn told(denial: &Denial) -> Failed {
    use model::DenialCode::Unauthenticated;
    if denial.code == Unauthenticated {
        return Failed::Code(400, "InvalidIdentityToken", denial.message.clone());
    }
    Failed::Refused(Refusal::from(denial))
}

/// Keys that were had by keys end when those do.
fn not_longer(grant: Grant, expires: Timestamp) -> Grant {
    Grant {
        expires: grant.expires.min(expires),
        ..grant
    }
}
