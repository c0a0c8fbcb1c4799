//! Accepting connections: one loop for every protocol.
//!
//! Whoever has not logged in sits in the lobby. When it is full, the one who has sat there longest is sent away: somebody
//! who opens connections and says nothing keeps nobody else out, and those who have logged in are not counted at all.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use protocols::session::Session;
use rustls::ServerConfig;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use crate::gateway::Gateway;
use crate::relay::{self, Arrival};

/// After a failed accept (no descriptors, no memory) the loop rests so long.
const REST: Duration = Duration::from_millis(100);
/// A silent peer is probed after this, so that one that vanished is noticed.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
/// Connections that the system holds until they are accepted.
const BACKLOG: i32 = 1_024;

/// Makes the session of a connection from this address.
pub type MakeSession = Box<dyn Fn(SocketAddr) -> Box<dyn Session<Bytes>> + Send + Sync>;

/// A listener of a wire protocol.
pub struct Listener {
    /// The protocol's name.
    pub protocol: &'static str,
    /// The bound socket.
    pub socket: TcpListener,
    /// How clients begin TLS.
    pub tls: Arc<ServerConfig>,
    /// Makes sessions.
    pub make: MakeSession,
}

/// Binds a listening socket. Must be called in a runtime.
///
/// # Errors
/// Where the address is taken or not this machine's.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts until the gateway ends. Each session is a task; those still running are given back.
pub async fn accept(
    listener: Listener,
    lobby: Lobby,
    gateway: Arc<Gateway>,
) -> tokio::task::JoinSet<()> {
    let mut sessions = tokio::task::JoinSet::new();
    let mut ending: watch::Receiver<bool> = gateway.ending.clone();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = ending.wait_for(|ending| *ending) => return sessions,
            Some(ended) = sessions.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a session's task failed");
                }
                continue;
            }
            accepted = listener.socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, source)) => {
                settle_socket(&stream);
                let arrival = Arrival {
                    protocol: listener.protocol,
                    stream,
                    source,
                    tls: listener.tls.clone(),
                    seat: lobby.sit(),
                };
                sessions.spawn(relay::run(
                    (listener.make)(source),
                    arrival,
                    gateway.clone(),
                ));
            }
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                tracing::error!(protocol = listener.protocol, %error, "cannot accept: check the limit of open files");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// Whether a failed accept concerns only the connection that was being accepted.
fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    )
}

/// Small messages leave at once, and a peer that vanished is noticed. What a system does not know it does without.
pub(crate) fn settle_socket(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY);
    let settled = stream
        .set_nodelay(true)
        .and(SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = settled {
        tracing::debug!(%error, "a socket option was not taken");
    }
}

/// Where connections sit until they have logged in.
#[derive(Clone)]
pub struct Lobby {
    seats: Arc<Mutex<Seats>>,
    max: usize,
}

#[derive(Default)]
struct Seats {
    next: u64,
    taken: BTreeMap<u64, oneshot::Sender<()>>,
}

/// A place in the lobby, left when this is dropped.
pub struct Seat {
    seats: Arc<Mutex<Seats>>,
    number: u64,
    sent_away: oneshot::Receiver<()>,
}

impl Lobby {
    /// A lobby of so many seats, at least one.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            seats: Arc::default(),
            max: max.max(1),
        }
    }

    /// Takes a seat; where all are taken, the one of who has sat longest.
    #[must_use]
    pub fn sit(&self) -> Seat {
        let mut seats = lock(&self.seats);
        if seats.taken.len() >= self.max
            && let Some((_, oldest)) = seats.taken.pop_first()
        {
            let _ = oldest.send(());
        }
        let number = seats.next;
        seats.next += 1;
        let (send_away, sent_away) = oneshot::channel();
        seats.taken.insert(number, send_away);
        Seat {
            seats: self.seats.clone(),
            number,
            sent_away,
        }
    }
}

impl Seat {
    /// Ready when the seat is taken by somebody else.
    pub(crate) fn poll_taken(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        std::pin::Pin::new(&mut self.sent_away).poll(cx).map(drop)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.seats).taken.remove(&self.number);
    }
}

fn lock(seats: &Mutex<Seats>) -> std::sync::MutexGuard<'_, Seats> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn is_sent_away(seat: &mut Seat) -> bool {
        seat.poll_taken(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    #[test]
    fn the_longest_waiting_makes_room() {
        let lobby = Lobby::new(2);
        let (mut first, mut second) = (lobby.sit(), lobby.sit());
        assert!(!is_sent_away(&mut first));
        let mut third = lobby.sit();
        assert!(
            is_sent_away(&mut first) && !is_sent_away(&mut second) && !is_sent_away(&mut third)
        );
        // Who has logged in leaves a seat that nobody is sent away for.
        drop(second);
        let fourth = lobby.sit();
        assert!(!is_sent_away(&mut third));
        drop((first, fourth));
        let _fifth = lobby.sit();
        assert!(!is_sent_away(&mut third));
    }
}
