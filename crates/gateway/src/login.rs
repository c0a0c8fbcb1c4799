//! From a token to a session: who is it, may they use the target, and the way there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{Authenticated, Decision, Denial, DenialCode, Event, Identity, SessionOpened};
use protocols::session::{Credential, Upstream};
use tokio::net::TcpStream;

use crate::gate::Caller;
use crate::gateway::Gateway;
use crate::random;
use crate::record::Fresh;
use crate::refusals::Refused;
use crate::upstream::Target;

/// An issuer's keys may take so long to come.
const VERIFY_MAX: Duration = Duration::from_secs(15);
/// Names that a client gives itself are kept up to this length, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// A login that was let in.
pub struct Login {
    /// Who.
    pub identity: Arc<Identity>,
    /// Where to.
    pub target: Arc<Target>,
    /// What the client calls itself.
    pub client: String,
}

/// A session that stands: its target is reached, and its begin is in the ledger.
pub struct Opened {
    /// Whose commands follow.
    pub caller: Arc<Caller>,
    /// The connection.
    pub stream: TcpStream,
    /// What the protocol needs to log in there.
    pub upstream: Box<Upstream>,
}

impl Gateway {
    /// Verifies a credential for a target that speaks `protocol`. Whatever comes of it stands in the ledger before the client
    /// hears it; of many refusals, how many they were.
    ///
    /// # Errors
    /// The refusal for the client. An unknown target and a forbidden one look alike.
    pub async fn log_in(
        &self,
        credential: Credential,
        source: SocketAddr,
        protocol: &str,
    ) -> Result<Login, Denial> {
        let called = name(&credential.target);
        let refused = |identity, why| Refused {
            identity,
            target: &called,
            source,
            why,
        };
        let identity = match self.verify(&credential).await {
            Ok(identity) => identity,
            Err((why, denial)) => return Err(self.refused(refused(None, why), denial).await),
        };
        let target = match self.admit(&identity, &called, protocol) {
            Ok(target) => target,
            Err((why, denial)) => {
                return Err(self.refused(refused(Some(&identity), why), denial).await);
            }
        };
        let event = Event::Authenticated(Authenticated {
            identity: Some(identity.clone()),
            target: target.name.clone(),
            source: source.to_string(),
            refused: None,
        });
        self.journal
            .write(event)
            .await
            .map_err(|unwritten| unwritten.denial())?;
        Ok(Login {
            identity: Arc::new(identity),
            target,
            client: name(&credential.client),
        })
    }

    /// What the client hears of a login that is refused.
    async fn refused(&self, refused: Refused<'_>, denial: Denial) -> Denial {
        match self.refusals.record(self, refused).await {
            Ok(()) => denial,
            Err(unwritten) => unwritten.denial(),
        }
    }

    /// The identity behind a token; else why not, for the operator and for the client.
    async fn verify(&self, credential: &Credential) -> Result<Identity, (String, Denial)> {
        let verified = self.verifier.verify(&credential.token, self.clock.now());
        match tokio::time::timeout(VERIFY_MAX, verified).await {
            Ok(Ok(identity)) => Ok(identity),
            Ok(Err(error)) => Err((
                error.to_string(),
                Denial::new(DenialCode::Unauthenticated, error.client()),
            )),
            Err(_) => {
                let say = "the token's issuer does not answer: try again";
                Err((
                    say.to_owned(),
                    Denial::new(DenialCode::Unauthenticated, say),
                ))
            }
        }
    }

    /// The target, if this identity may use it and there is room.
    pub(crate) fn admit(
        &self,
        identity: &Identity,
        name: &str,
        protocol: &str,
    ) -> Result<Arc<Target>, (String, Denial)> {
        let found = self.targets.get(name);
        let Some(target) = found.filter(|target| target.protocol == protocol) else {
            return Err((
                "there is no such target".to_owned(),
                policy::unknown_target(name),
            ));
        };
        match self
            .policies
            .current()
            .connect(identity, &target.as_policy())
        {
            Decision::Allow(_) => {}
            Decision::Deny(denial) => {
                let by = if denial.policies.is_empty() {
                    "nothing permits it".to_owned()
                } else {
                    denial.policies.join(", ")
                };
                let why = format!("policy does not let {} use it: {by}", identity.name());
                // Which policy forbids it would tell that it is there.
                return Err((why, policy::unknown_target(name)));
            }
            Decision::Ask { .. } => {
                let why = "policy asks for approval of a connection, which there is not".to_owned();
                return Err((why, policy::unknown_target(name)));
            }
        }
        if self.stats.sessions_open.value() >= self.limits.sessions as u64 {
            let say = format!(
                "the gateway holds {} sessions already: try again later",
                self.limits.sessions
            );
            return Err((say.clone(), Denial::new(DenialCode::LimitExceeded, say)));
        }
        Ok(target.clone())
    }

    /// Reaches the target and begins the session `id`: its recording and its entry are there when this returns.
    ///
    /// # Errors
    /// The refusal for the client; it names nothing of the upstream.
    pub async fn open(
        &self,
        id: String,
        login: &Login,
        source: SocketAddr,
        transport: &'static str,
    ) -> Result<Opened, Denial> {
        let target = &login.target;
        let unreachable = || {
            let say = format!(
                "the target {} cannot be reached now: try again later",
                target.name
            );
            Denial::new(DenialCode::UpstreamUnavailable, say)
        };
        let stream = target.connect().await.map_err(|error| {
            tracing::error!(target = target.name, %error, "the target cannot be reached");
            unreachable()
        })?;
        let password = target.password().map_err(|error| {
            tracing::error!(target = target.name, %error, "the target's account has no password");
            unreachable()
        })?;
        let mut random = random::bytes::<64>().map_err(|error| unrecorded(&id, &error))?;
        let caller = self.begin(id.clone(), login, source, transport).await?;
        let commitments = caller.recorder.commitments();
        random
            .iter_mut()
            .skip(32)
            .zip(commitments.as_ref())
            .for_each(|(to, from)| *to = *from);
        let upstream = Box::new(Upstream {
            session: id.clone(),
            user: target.user.clone(),
            password,
            tls: target.tls,
            random,
            knowledge: target.knowledge().get(self.clock.monotonic()),
        });
        Ok(Opened {
            caller,
            stream,
            upstream,
        })
    }

    /// Begins the session `id` with a login's target: its recording and its entry are there when this returns.
    ///
    /// # Errors
    /// The refusal for the client.
    pub async fn begin(
        &self,
        id: String,
        login: &Login,
        source: SocketAddr,
        transport: &'static str,
    ) -> Result<Arc<Caller>, Denial> {
        let target = &login.target;
        let fresh = || {
            Ok(Fresh {
                key: random::bytes()?,
                nonce: random::bytes()?,
            })
        };
        let fresh = fresh().map_err(|error: random::NoRandomness| unrecorded(&id, &error))?;
        let (recordings, session) = (self.recordings.clone(), id.clone());
        let recorder = tokio::task::spawn_blocking(move || recordings.open(&session, fresh))
            .await
            .map_err(|error| unrecorded(&id, &error))?
            .map_err(|error| unrecorded(&id, &error))?;
        let event = Event::SessionOpened(Box::new(SessionOpened {
            session: id.clone(),
            identity: (*login.identity).clone(),
            target: target.name.clone(),
            protocol: target.protocol.to_owned(),
            source: source.to_string(),
            client: login.client.clone(),
            transport: transport.to_owned(),
            account: target.user.clone(),
            assumes: target.assumes(&login.identity, &id),
            key_id: self.recordings.key_id().to_owned(),
            policy: self.policies.current().version(),
        }));
        self.journal
            .write(event)
            .await
            .map_err(|unwritten| unwritten.denial())?;
        let identity = login.identity.clone();
        let caller = Caller::new(id, identity, target.clone(), recorder, self.journal.clone());
        Ok(Arc::new(caller))
    }
}

fn unrecorded(session: &str, why: &dyn std::fmt::Display) -> Denial {
    tracing::error!(session, %why, "a session cannot begin");
    let say = "the session cannot be recorded, so it may not begin: tell whoever runs the gateway";
    Denial::new(DenialCode::LedgerUnavailable, say)
}

/// A name as a client gave it, fit to be kept: short, and without control characters.
pub(crate) fn name(text: &str) -> String {
    let mut name: String = text
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    name.truncate(name.floor_char_boundary(NAME_BYTES_MAX));
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_printable() {
        assert_eq!(name("psql\n"), "psql?");
        assert_eq!(name(&"ü".repeat(100)).len(), 128);
    }
}
