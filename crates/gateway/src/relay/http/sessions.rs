//! Sessions: what one set of keys does here is one session, from its first request until it rests for long or the keys end.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Decision, Denial, DenialCode, Digest, PolicyVersion, Secret, Timestamp};
use policy::PolicySet;
use protocols::aws::NAME;
use protocols::aws::credentials::Grant;
use protocols::http::sigv4::Derived;
use tokio::sync::OnceCell;

use super::Relay;
use super::refusals::Claimed;
use crate::gate::Caller;
use crate::gateway::Gateway;
use crate::login::{self, Login};
use crate::random;
use crate::upstream::aws::{Account, Kept};

/// A session in which nothing was asked for so long is closed, unless the configuration says otherwise; the same keys open
/// another.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// Sessions are looked at so often.
const SWEEP_EVERY: Duration = Duration::from_secs(15);

/// The open sessions, by access key.
pub(super) struct Sessions {
    open: Mutex<HashMap<String, Arc<Open>>>,
    /// So many of one identity at most.
    each: usize,
}

struct Open {
    caller: OnceCell<Arc<Caller>>,
    /// What it was begun with.
    with: Arc<Keys>,
    /// [`Identity::key`](model::Identity::key) of who holds them.
    holder: Digest,
    state: Mutex<State>,
    /// Of the role that is assumed for it.
    assumed: Kept,
    asked: AtomicU64,
    /// The policies that let it use its target: what one set of them decided, it decides again.
    admitted: Mutex<Option<PolicyVersion>>,
}

#[derive(Default)]
struct State {
    /// Requests under way.
    busy: usize,
    /// When the last one ended, by the monotonic clock.
    used: Duration,
}

/// What keys of an agent stand for.
pub(super) struct Keys {
    pub(super) grant: Grant,
    pub(super) secret: Secret,
    /// What requests with them are verified by, and those to the target signed with.
    pub(super) derived: Derived,
    token: String,
}

impl Keys {
    pub(super) fn new(grant: Grant, secret: Secret, token: &str) -> Self {
        Self {
            grant,
            secret,
            derived: Derived::default(),
            token: token.to_owned(),
        }
    }
}

/// A session for a request, and one that must be closed for it.
struct Taken {
    open: Arc<Open>,
    instead_of: Option<Arc<Open>>,
}

/// A session while a request of it is under way.
pub(super) struct Session {
    open: Arc<Open>,
    gateway: Arc<Gateway>,
    pub(super) caller: Arc<Caller>,
}

impl Session {
    /// The number of its next request, from 1.
    pub(super) fn next(&self) -> u64 {
        self.open.asked.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Asks these policies whether it may use its target, unless they said so before: they may have changed since it began.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn admitted_by(&self, policies: &PolicySet) -> Result<(), Denial> {
        let version = policies.version();
        if *lock(&self.open.admitted) == Some(version) {
            return Ok(());
        }
        let caller = &self.caller;
        match policies.connect(&caller.identity, &caller.target.as_policy()) {
            Decision::Deny(denial) => Err(denial),
            _ => {
                *lock(&self.open.admitted) = Some(version);
                Ok(())
            }
        }
    }

    /// Where the keys are kept that its requests are made with.
    pub(super) fn keys(&self) -> &Kept {
        &self.open.assumed
    }

    /// The keys that were derived for it.
    pub(super) fn derived(&self) -> &Derived {
        &self.open.with.derived
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut state = lock(&self.open.state);
        state.busy = state.busy.saturating_sub(1);
        state.used = self.gateway.clock.monotonic();
    }
}

/// Who asks, and from where.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) access_key: &'a str,
    pub(super) keys: &'a Arc<Keys>,
    pub(super) client: &'a str,
    pub(super) source: SocketAddr,
    pub(super) transport: &'static str,
}

impl Asker<'_> {
    /// Whose login it is where the session does not begin.
    pub(super) fn claimed(&self) -> Claimed<'_> {
        Claimed {
            access_key: self.access_key,
            identity: Some(&self.keys.grant.identity),
            target: &self.keys.grant.target,
            source: self.source,
        }
    }
}

impl Sessions {
    pub(super) fn new(each: usize) -> Self {
        Self {
            open: Mutex::default(),
            each,
        }
    }

    /// What was opened of these keys before, where they have a session.
    pub(super) fn keys(
        &self,
        access_key: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Option<Arc<Keys>> {
        let sessions = lock(&self.open);
        let keys = &sessions.get(access_key)?.with;
        let good = token == Some(keys.token.as_str()) && now < keys.grant.expires;
        good.then(|| keys.clone())
    }

    /// The session of these keys; begun where there is none yet. Where its holder has as many as one may, the one that rested
    /// longest is closed for it.
    ///
    /// # Errors
    /// The refusal for the client: none of them rests, or it cannot begin.
    pub(super) async fn enter(
        &self,
        gateway: &Arc<Gateway>,
        asker: &Asker<'_>,
    ) -> Result<Session, Denial> {
        let Taken { open, instead_of } = match self.take(asker) {
            Ok(taken) => taken,
            Err(denial) => return Err(denial),
        };
        if let Some(rested) = instead_of {
            close(gateway, &rested, "its holder began another session").await;
        }
        let begun = open.caller.get_or_try_init(|| begin(gateway, asker)).await;
        let caller = match begun {
            Ok(caller) => caller.clone(),
            Err(denial) => {
                let mut state = lock(&open.state);
                state.busy = state.busy.saturating_sub(1);
                return Err(denial);
            }
        };
        Ok(Session {
            open,
            gateway: gateway.clone(),
            caller,
        })
    }

    fn take(&self, asker: &Asker<'_>) -> Result<Taken, Denial> {
        let mut sessions = lock(&self.open);
        // Under the lock of the map, so that nobody closes it meanwhile.
        if let Some(open) = sessions.get(asker.access_key) {
            lock(&open.state).busy += 1;
            return Ok(Taken {
                open: open.clone(),
                instead_of: None,
            });
        }
        let holder = asker.keys.grant.identity.key();
        let of_holder = || sessions.iter().filter(|(_, open)| open.holder == holder);
        let mut instead_of = None;
        if of_holder().count() >= self.each {
            let resting = of_holder().filter_map(|(key, open)| {
                let state = lock(&open.state);
                (state.busy == 0).then(|| (state.used, key.clone()))
            });
            let Some((_, key)) = resting.min() else {
                let say = format!(
                    "{} has {} sessions with requests under way already, and no more may be open at once ([aws] sessions): use \
                     the keys that you have",
                    asker.keys.grant.identity.name(),
                    self.each
                );
                return Err(Denial::new(DenialCode::LimitExceeded, say));
            };
            instead_of = sessions.remove(&key);
        }
        let open = Arc::new(Open {
            caller: OnceCell::new(),
            with: asker.keys.clone(),
            holder,
            state: Mutex::new(State {
                busy: 1,
                used: Duration::ZERO,
            }),
            assumed: Kept::default(),
            asked: AtomicU64::new(0),
            admitted: Mutex::default(),
        });
        sessions.insert(asker.access_key.to_owned(), open.clone());
        Ok(Taken { open, instead_of })
    }

    /// Closes the sessions that rest, or whose keys have ended.
    async fn close_idle(&self, gateway: &Gateway) {
        let (now, wall) = (gateway.clock.monotonic(), gateway.clock.now());
        let idle = gateway.limits.idle.unwrap_or(IDLE);
        let mut over = Vec::new();
        lock(&self.open).retain(|_, open| {
            let state = lock(&open.state);
            let reason = match state.busy {
                0 if wall >= open.with.grant.expires => "its keys ended",
                0 if now.saturating_sub(state.used) >= idle => "nothing was asked for too long",
                _ => return true,
            };
            drop(state);
            over.push((open.clone(), reason));
            false
        });
        for (open, reason) in over {
            close(gateway, &open, reason).await;
        }
    }

    pub(super) async fn close_all(&self, gateway: &Gateway, reason: &'static str) {
        let over: Vec<_> = lock(&self.open).drain().map(|(_, open)| open).collect();
        for open in over {
            close(gateway, &open, reason).await;
        }
    }
}

/// Looks after the sessions and the connections to targets, for as long as it is not aborted.
pub(super) async fn sweep(relay: Arc<Relay>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        relay.sessions.close_idle(&relay.gateway).await;
        for target in relay.gateway.targets.values() {
            target.account().into_iter().for_each(Account::sweep);
        }
    }
}

async fn begin(gateway: &Arc<Gateway>, asker: &Asker<'_>) -> Result<Arc<Caller>, Denial> {
    let grant = &asker.keys.grant;
    let target = gateway
        .admit(&grant.identity, &grant.target, NAME)
        .map_err(|(_, denial)| denial)?;
    let login = Login {
        identity: Arc::new(grant.identity.clone()),
        target,
        client: login::name(asker.client),
    };
    let id = random::session_id(gateway.clock.now())
        .map_err(|error| Denial::new(DenialCode::UpstreamUnavailable, error.to_string()))?;
    let caller = gateway
        .begin(id, &login, asker.source, asker.transport)
        .await?;
    gateway.stats.sessions.up();
    gateway.stats.sessions_open.up();
    tracing::info!(
        session = caller.session,
        source = %asker.source,
        target = caller.target.name,
        human = caller.identity.human,
        agent = caller.identity.agent.as_ref().map(|agent| agent.name.as_str()),
        "session opened"
    );
    Ok(caller)
}

async fn close(gateway: &Gateway, open: &Open, reason: &'static str) {
    let Some(caller) = open.caller.get() else {
        return;
    };
    gateway.close_session(caller, reason.to_owned()).await;
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
