//! The event loop of HTTP: AWS's clients on one side, AWS on the other.
//!
//! ```text
//! request ─▶ keys ─▶ verify ─▶ classify ─▶ gate ─▶ sign ─▶ target
//!     body ─▶ checked as it passes, its last byte only when all of it was right
//! answer ◀─ masked as it passes ◀─ target
//! ```
//!
//! HTTP is hyper's; what is in it is `protocols::aws`'s. A body is never held whole but where it must be read to know what is
//! asked (API calls, up to [`WHOLE_BYTES_MAX`]) or where people are asked about one whose digest nobody has said yet.

mod answer;
mod ask;
mod beginning;
mod begun;
mod bodies;
mod coding;
mod exchange;
mod facts;
mod gather;
mod head;
mod http2;
mod keep;
mod masking;
mod numbered;
mod outgoing;
mod part;
mod patience;
mod peek;
mod peer;
mod posted;
mod refusals;
mod room;
mod send;
mod sessions;
mod settling;
mod show;
mod sts;
mod turns;
mod uploads;
mod used;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use protocols::aws::credentials::Mint;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::config;
use crate::gateway::Gateway;
use crate::listen::{Lobby, settle_socket};
use crate::random;

pub use answer::Shown;
pub use outgoing::Outgoing;
pub use room::Held;

use patience::{Patient, SILENCE};
use peer::Peer;

/// A body that must be read whole is at most so large.
pub const WHOLE_BYTES_MAX: usize = 16 << 20;
/// All bodies and answers that are held whole take at most so much memory; more wait.
pub const HELD_BYTES_MAX: usize = 256 << 20;
/// A request's head is at most so large.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// After a failed accept (no descriptors, no memory) the loop rests so long.
const REST: Duration = Duration::from_millis(100);

/// What the exchanges share.
pub struct Relay {
    gateway: Arc<Gateway>,
    mint: Mint,
    /// The name clients reach it by.
    host: String,
    /// So long a request waits for people.
    hold: Duration,
    sessions: sessions::Sessions,
    used: Arc<used::Used>,
    uploads: uploads::Uploads,
    begun: Arc<begun::Begun>,
    /// The id of the next answer.
    requests: AtomicU64,
    /// Room for bodies and answers that are held whole.
    rooms: room::Rooms,
}

impl Relay {
    /// A relay as `config` has it.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>, mint: Mint, config: &config::Aws) -> Self {
        Self {
            gateway,
            mint,
            host: config.host.clone(),
            hold: config.hold,
            sessions: sessions::Sessions::new(config.sessions),
            used: Arc::default(),
            uploads: uploads::Uploads::default(),
            begun: Arc::default(),
            requests: AtomicU64::new(random::bytes().map_or(0, u64::from_be_bytes)),
            rooms: room::Rooms::new(HELD_BYTES_MAX),
        }
    }
}

/// Serves until the gateway ends; sessions are closed when this returns.
pub async fn serve(relay: Arc<Relay>, socket: TcpListener, tls: Option<Arc<ServerConfig>>) {
    let gateway = relay.gateway.clone();
    let mut ending: watch::Receiver<bool> = gateway.ending.clone();
    let limits = &gateway.limits;
    // Strangers make room for each other; who has good keys is counted apart from them.
    let lobby = Lobby::new(limits.unauthenticated);
    let seats = Arc::new(Semaphore::new(limits.sessions + limits.unauthenticated));
    let mut number = 0;
    let tls = tls.map(TlsAcceptor::from);
    let mut connections = JoinSet::new();
    let sweeping = tokio::spawn(sessions::sweep(relay.clone()));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = ending.wait_for(|ending| *ending) => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&socket, &seats) => accepted,
        };
        match accepted {
            Ok((stream, source, seat)) => {
                settle_socket(&stream);
                gateway.stats.connections.up();
                let (relay, tls) = (relay.clone(), tls.clone());
                number += 1;
                let peer = Arc::new(Peer::new(source, number, lobby.sit()));
                connections.spawn(async move {
                    let away = peer.clone();
                    tokio::select! {
                        () = connection(relay, stream, peer, tls) => {}
                        () = away.sent_away() => {
                            tracing::debug!(%source, "a client that was not known yet made room");
                        }
                    }
                    drop(seat);
                });
            }
            Err(error) => {
                tracing::error!(protocol = "aws", %error, "cannot accept: check the limit of open files");
                tokio::time::sleep(REST).await;
            }
        }
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(gateway.limits.drain, drained)
        .await
        .is_err()
    {
        // What ran is recorded as aborted.
        connections.shutdown().await;
    }
    sweeping.abort();
    relay
        .sessions
        .close_all(&gateway, "the gateway is shutting down")
        .await;
}

type Seat = tokio::sync::OwnedSemaphorePermit;

async fn accept(
    socket: &TcpListener,
    seats: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, Seat)> {
    let seat = seats
        .clone()
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, source) = socket.accept().await?;
    Ok((stream, source, seat))
}

async fn connection(
    relay: Arc<Relay>,
    stream: TcpStream,
    peer: Arc<Peer>,
    tls: Option<TlsAcceptor>,
) {
    let Some(tls) = tls else {
        return exchanges(relay, stream, peer, "none").await;
    };
    let (limit, source) = (relay.gateway.limits.login, peer.source);
    match tokio::time::timeout(limit, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            let version = stream.get_ref().1.protocol_version();
            let transport = match version {
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "TLSv1.2",
            };
            match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => http2::exchanges(relay, stream, peer, transport).await,
                _ => exchanges(relay, stream, peer, transport).await,
            }
        }
        Ok(Err(error)) => tracing::debug!(%source, error = %error.kind(), "no TLS with a client"),
        Err(_) => tracing::debug!(%source, "a TLS handshake took too long"),
    }
}

/// One connection's requests, one after the other.
async fn exchanges<S>(relay: Arc<Relay>, stream: S, peer: Arc<Peer>, transport: &'static str)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut ending = relay.gateway.ending.clone();
    let (limit, source) = (relay.gateway.limits.login, peer.source);
    let service = service_fn(move |request| {
        let (relay, peer) = (relay.clone(), peer.clone());
        Box::pin(async move { Ok::<_, Infallible>(relay.answer(request, peer, transport).await) })
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limit)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Patient::new(stream, SILENCE)), service);
    let mut connection = pin!(connection);
    let told = async { drop(ending.wait_for(|ending| *ending).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%source, %error, "a client's connection ended");
    }
}
