//! Starting everything, and ending it in good order.
//!
//! ```text
//! <data>/keys/          the gateway's own keys ([`crate::keys`]) and the self-signed certificate
//! <data>/ledger/        the log; its tiles can be served as they lie
//! <data>/recordings/    sealed recordings, unless the configuration names another folder
//! <data>/policies/      every version of the policies that was in force
//! <data>/spool/         temporary files
//! <data>/index.sqlite   the index, which can be deleted
//! ```

mod aws;
mod parts;
pub(crate) mod postgres;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ledger::Log;
use model::Event;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::api;
use crate::approval::Approvals;
use crate::config::Config;
use crate::gateway::Gateway;
use crate::listen::{self, Lobby};
use crate::store;
pub(crate) use parts::Parts;

/// A sign of life is written so often.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(60);
/// Policies are looked at so often.
const POLICIES_EVERY: Duration = Duration::from_secs(1);
/// After commands were given their while, sessions get so long to close.
const CLOSING_MAX: Duration = Duration::from_secs(10);

/// The signal of a write past the limit on the size of files: 25 on Linux, except on MIPS, and on the BSDs.
const SIGXFSZ: i32 = 25;

/// Where the gateway listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The HTTP API.
    pub api: SocketAddr,
    /// PostgreSQL.
    pub postgres: SocketAddr,
    /// AWS's clients, where a target speaks AWS's APIs.
    pub aws: Option<SocketAddr>,
}

/// Why the gateway did not start, or stopped. Names what is at fault and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A key.
    #[error(transparent)]
    Keys(#[from] crate::keys::KeysError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
    /// A target's authorities.
    #[error("target {0}: {1}")]
    Target(String, crate::tls::TlsError),
    /// A password, or keys.
    #[error("target {0}: {1}")]
    Secret(String, crate::upstream::ReachError),
    /// The policies.
    #[error("the policies in {0} are refused:\n{1}")]
    Policy(PathBuf, policy::LoadError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::OpenError),
    /// The ledger's first entry.
    #[error(transparent)]
    Unwritten(#[from] crate::journal::Unwritten),
    /// The ledger's last entries.
    #[error("the ledger could not be brought into good order: {0}")]
    Flush(#[from] ledger::FlushError),
    /// The recordings.
    #[error(transparent)]
    Record(#[from] crate::record::RecordError),
    /// The index.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// What evidence is built with.
    #[error(transparent)]
    Evidence(#[from] crate::evidence::NotBuilt),
    /// The built-in issuer.
    #[error(transparent)]
    Issuer(#[from] crate::identity::IssuerError),
    /// A socket.
    #[error("{0} cannot be listened on: {1}: is another gateway running?")]
    Listen(SocketAddr, std::io::Error),
    /// The system.
    #[error("{0}: {1}")]
    System(&'static str, std::io::Error),
}

/// Runs a gateway until it is told to end (SIGTERM, SIGINT), in a runtime of its own. `ready` is called once it serves.
///
/// # Errors
/// [`ServeError`] where it cannot start, or cannot end in good order.
pub fn run(config: Config, ready: impl FnOnce(Addresses)) -> Result<(), ServeError> {
    // Sessions parse SQL where they run, and its nesting needs the stack.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("gateway")
        .thread_stack_size(sql::postgres::STACK_BYTES)
        .build()
        .map_err(|error| ServeError::System("the runtime cannot start", error))?;
    runtime.block_on(async {
        // At a limit on the size of files a write fails, as on a full disk; the process need not die of it. Once asked
        // for, the signal is caught for good.
        let caught = signal(SignalKind::from_raw(SIGXFSZ));
        drop(caught.map_err(|error| ServeError::System("signals cannot be handled", error))?);
        let ending = told_to_end()
            .map_err(|error| ServeError::System("signals cannot be handled", error))?;
        serve(config, ready, ending).await
    })
}

/// Runs a gateway until `end` resolves. Must be called in a runtime whose workers have the stack that parsing needs
/// ([`sql::postgres::STACK_BYTES`]); [`run`] builds one.
///
/// # Errors
/// As [`run`].
pub async fn serve(
    config: Config,
    ready: impl FnOnce(Addresses),
    end: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let api_socket = bind(config.api.listen)?;
    let postgres_socket = bind(config.postgres.listen)?;
    let aws_socket = aws::bind(&config)?;
    let addresses = Addresses {
        api: address(&api_socket)?,
        postgres: address(&postgres_socket)?,
        aws: aws_socket.as_ref().map(address).transpose()?,
    };
    let (ending, is_ending) = watch::channel(false);
    let parts = Parts::start(&config, addresses, is_ending).await?;
    let listener = postgres::listener(&config, postgres_socket, &parts.mask_key)?;
    let Parts {
        gateway,
        mint,
        mask_key: _,
        approvals,
        api,
        log,
        ledger_folder,
        api_tls,
    } = parts;

    let mut tasks = JoinSet::new();
    tasks.spawn(store::follow(
        api.store.clone(),
        ledger_folder,
        gateway.ending.clone(),
    ));
    tasks.spawn(heartbeat(gateway.clone(), gateway.ending.clone()));
    tasks.spawn(watch_policies(gateway.clone(), approvals));
    tasks.spawn(serve_api(api, api_socket, api_tls, gateway.ending.clone()));
    let serving_aws = aws::serve(&config, aws_socket, mint, &gateway)?;
    let lobby = Lobby::new(config.limits.unauthenticated);
    let accepting = tokio::spawn(listen::accept(listener, lobby, gateway.clone()));
    let aws = addresses.aws.map(tracing::field::display);
    tracing::info!(api = %addresses.api, postgres = %addresses.postgres, aws, "serving");
    ready(addresses);

    end.await;
    tracing::info!("ending");
    ending.send_replace(true);
    let limit = config.limits.drain + CLOSING_MAX;
    let sessions = tokio::time::timeout(limit, async {
        if let Ok(mut sessions) = accepting.await {
            while sessions.join_next().await.is_some() {}
        }
        if let Some(serving) = serving_aws {
            drop(serving.await);
        }
    });
    if sessions.await.is_err() {
        tracing::warn!("sessions did not close in time: what they ran is recorded as aborted");
    }
    if tokio::time::timeout(CLOSING_MAX, async {
        while tasks.join_next().await.is_some() {}
    })
    .await
    .is_err()
    {
        tasks.shutdown().await;
    }
    tracing::debug!("everything has ended but the ledger");
    finish(gateway, log).await
}

/// The last entry; then the ledger is closed.
async fn finish(gateway: Arc<Gateway>, log: Log) -> Result<(), ServeError> {
    gateway.refusals.close(&gateway).await;
    let stopped = gateway.journal.write(Event::Stopped {}).await;
    drop(gateway);
    let closed = tokio::task::spawn_blocking(move || log.close()).await;
    stopped?;
    tracing::info!("ended");
    match closed {
        Ok(closed) => Ok(closed?),
        Err(error) => Err(ServeError::System(
            "the ledger's thread failed",
            std::io::Error::other(error),
        )),
    }
}

fn bind(at: SocketAddr) -> Result<TcpListener, ServeError> {
    listen::bind(at).map_err(|error| ServeError::Listen(at, error))
}

fn address(socket: &TcpListener) -> Result<SocketAddr, ServeError> {
    socket
        .local_addr()
        .map_err(|error| ServeError::System("a socket has no address", error))
}

/// Resolves at SIGTERM or SIGINT.
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

async fn heartbeat(gateway: Arc<Gateway>, mut ending: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(HEARTBEAT_EVERY) => {}
            _ = ending.wait_for(|ending| *ending) => return,
        }
        gateway.refusals.sweep(&gateway);
        // A ledger that cannot write is noticed by the journal.
        drop(gateway.journal.heartbeat().await);
    }
}

/// Loads policies again when they change, or at SIGHUP.
async fn watch_policies(gateway: Arc<Gateway>, approvals: Approvals) {
    let mut ending = gateway.ending.clone();
    let mut hangup = signal(SignalKind::hangup()).ok();
    loop {
        let asked = async {
            match &mut hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        let force = tokio::select! {
            () = tokio::time::sleep(POLICIES_EVERY) => false,
            () = asked => true,
            _ = ending.wait_for(|ending| *ending) => return,
        };
        if let Some(version) = gateway.policies.reload(&gateway.journal, force).await {
            approvals.policy_changed(version);
        }
    }
}

async fn serve_api(
    api: Arc<api::Api>,
    socket: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    mut ending: watch::Receiver<bool>,
) {
    let stop = async move { drop(ending.wait_for(|ending| *ending).await) };
    let served = match tls {
        None => api::serve(api, socket, stop).await,
        Some(tls) => {
            let listener = crate::tls::Listener::new(socket, tls);
            axum::serve(listener, api::router(api))
                .with_graceful_shutdown(stop)
                .await
        }
    };
    if let Err(error) = served {
        tracing::error!(%error, "the API stopped");
    }
}
