//! Sessions: what one set of keys does here is one session, from its first request until it rests for long or the keys end.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Denial, DenialCode, PolicyVersion, Timestamp};
use protocols::aws::NAME;
use protocols::aws::credentials::Grant;
use tokio::sync::OnceCell;

use super::Relay;
use crate::gate::Caller;
use crate::gateway::Gateway;
use crate::login::{self, Login};
use crate::random;
use crate::upstream::aws::Kept;

/// A session in which nothing was asked for so long is closed, unless the configuration says otherwise; the same keys open
/// another.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// Sessions are looked at so often.
const SWEEP_EVERY: Duration = Duration::from_secs(15);

/// The open sessions, by access key.
#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<HashMap<String, Arc<Open>>>,
}

struct Open {
    caller: OnceCell<Arc<Caller>>,
    expires: Timestamp,
    state: Mutex<State>,
    /// Of the role that is assumed for it.
    keys: Kept,
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

    /// Whether these policies let it use its target before.
    pub(super) fn is_admitted(&self, by: PolicyVersion) -> bool {
        *lock(&self.open.admitted) == Some(by)
    }

    /// These policies let it use its target.
    pub(super) fn admit(&self, by: PolicyVersion) {
        *lock(&self.open.admitted) = Some(by);
    }

    /// Where the keys are kept that its requests are made with.
    pub(super) fn keys(&self) -> &Kept {
        &self.open.keys
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
pub(super) struct Asker<'a> {
    pub(super) access_key: &'a str,
    pub(super) grant: &'a Grant,
    pub(super) client: &'a str,
    pub(super) source: SocketAddr,
    pub(super) transport: &'static str,
}

impl Sessions {
    /// The session of these keys; begun where there is none yet.
    pub(super) async fn enter(
        &self,
        gateway: &Arc<Gateway>,
        asker: &Asker<'_>,
    ) -> Result<Session, Denial> {
        let open = self.take(asker);
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

    fn take(&self, asker: &Asker<'_>) -> Arc<Open> {
        let mut sessions = lock(&self.open);
        let open = sessions
            .entry(asker.access_key.to_owned())
            .or_insert_with(|| {
                Arc::new(Open {
                    caller: OnceCell::new(),
                    expires: asker.grant.expires,
                    state: Mutex::default(),
                    keys: Kept::default(),
                    asked: AtomicU64::new(0),
                    admitted: Mutex::default(),
                })
            });
        // Under the lock of the map, so that nobody closes it meanwhile.
        lock(&open.state).busy += 1;
        open.clone()
    }

    /// Closes the sessions that rest, or whose keys have ended.
    async fn close_idle(&self, gateway: &Gateway) {
        let (now, wall) = (gateway.clock.monotonic(), gateway.clock.now());
        let idle = gateway.limits.idle.unwrap_or(IDLE);
        let mut over = Vec::new();
        lock(&self.open).retain(|_, open| {
            let state = lock(&open.state);
            let reason = match state.busy {
                0 if wall >= open.expires => "its keys ended",
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

/// Looks after the sessions, for as long as it is not aborted.
pub(super) async fn sweep(relay: Arc<Relay>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        relay.sessions.close_idle(&relay.gateway).await;
    }
}

async fn begin(gateway: &Arc<Gateway>, asker: &Asker<'_>) -> Result<Arc<Caller>, Denial> {
    let grant = asker.grant;
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
