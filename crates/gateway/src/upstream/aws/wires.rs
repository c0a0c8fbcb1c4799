//! Connections to a target's hosts, each driven by whoever asks on it: a request and its answer stay in one task, since to hand
//! them to another and back costs more than a small answer.
//!
//! ```text
//! idle ─▶ ask ─▶ answer's head ─▶ Received (drives on while it is read) ─▶ read to its end ─▶ idle
//! ```

use std::collections::HashMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tower_service::Service as _;

use crate::relay::http::Outgoing;

/// Idle connections that are kept for each host, and for how long.
const IDLE_MAX: usize = 64;
const IDLE_FOR: Duration = Duration::from_secs(20);

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// The connections of an account.
pub(super) struct Wires {
    connector: HttpsConnector<HttpConnector>,
    idle: Mutex<HashMap<Uri, Vec<(Instant, Wire)>>>,
}

/// One connection.
struct Wire {
    sender: SendRequest<Outgoing>,
    connection: Pin<Box<Connection<Stream, Outgoing>>>,
}

/// An answer, and the connection that its body comes by.
type Answered = (Option<Wire>, Response<Incoming>);
/// Why there is none, and the request where nothing of it was sent.
type Unanswered = (hyper::Error, Option<Request<Outgoing>>);

/// A request that did not come to an answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The host cannot be reached.
    #[error("cannot connect")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection ended, or what came is no HTTP.
    #[error("no answer")]
    Http(#[from] hyper::Error),
    /// It is framed in two ways.
    #[error("the answer has both Content-Length and Transfer-Encoding")]
    Lengths,
}

/// The body of an answer.
pub struct Received {
    body: Incoming,
    /// The connection that it comes by, until all of it is here.
    wire: Option<Wire>,
    host: Uri,
    home: Weak<Wires>,
}

impl Wires {
    pub(super) fn new(connector: HttpsConnector<HttpConnector>) -> Arc<Self> {
        Arc::new(Self {
            connector,
            idle: Mutex::default(),
        })
    }

    /// Asks a host, whose scheme and authority stand in `host`. The request has a path alone.
    pub(super) async fn ask(
        self: &Arc<Self>,
        host: &Uri,
        mut request: Request<Outgoing>,
    ) -> Result<Response<Received>, NoAnswer> {
        while let Some(wire) = self.idle(host).await {
            match wire.ask(request).await {
                Ok(answered) => return self.received(host, answered),
                // It was closed before anything was sent, so it may be sent on another.
                Err((_, Some(unsent))) => request = unsent,
                Err((error, None)) => return Err(error.into()),
            }
        }
        let wire = self.connect(host).await?;
        let asked = wire.ask(request).await;
        let answered = asked.map_err(|(error, _)| error)?;
        self.received(host, answered)
    }

    /// Closes what rested too long.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        self.lock().retain(|_, idle| {
            idle.retain(|(since, _)| now.duration_since(*since) < IDLE_FOR);
            !idle.is_empty()
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uri, Vec<(Instant, Wire)>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that rested last and is good still.
    async fn idle(&self, host: &Uri) -> Option<Wire> {
        loop {
            let (since, mut wire) = self.lock().get_mut(host)?.pop()?;
            if since.elapsed() < IDLE_FOR && wire.is_ready().await {
                return Some(wire);
            }
        }
    }

    fn rest(&self, host: &Uri, wire: Wire) {
        let mut idle = self.lock();
        let of_host = idle.entry(host.clone()).or_default();
        if of_host.len() < IDLE_MAX {
            of_host.push((Instant::now(), wire));
        }
    }

    async fn connect(&self, host: &Uri) -> Result<Wire, NoAnswer> {
        let connecting = self.connector.clone().call(host.clone());
        let stream = connecting.await.map_err(NoAnswer::Connect)?;
        let (sender, connection) = handshake(stream).await?;
        Ok(Wire {
            sender,
            connection: Box::pin(connection),
        })
    }

    fn received(
        self: &Arc<Self>,
        host: &Uri,
        (wire, answer): Answered,
    ) -> Result<Response<Received>, NoAnswer> {
        let has = |name| answer.headers().contains_key(name);
        // One of the two is wrong (RFC 9112 section 6.3), and whoever believes the other reads another answer.
        if has(CONTENT_LENGTH) && has(TRANSFER_ENCODING) {
            return Err(NoAnswer::Lengths);
        }
        Ok(answer.map(|body| {
            let mut received = Received {
                body,
                wire,
                host: host.clone(),
                home: Arc::downgrade(self),
            };
            if received.body.is_end_stream() {
                received.release();
            }
            received
        }))
    }
}

impl Wire {
    /// Whether a request can be sent on it. Whoever closed it while it rested is noticed here.
    async fn is_ready(&mut self) -> bool {
        std::future::poll_fn(|cx| {
            let closed = self.connection.as_mut().poll(cx).is_ready();
            Poll::Ready(!closed && self.sender.is_ready())
        })
        .await
    }

    /// Sends a request and waits for the head of its answer. The request comes back where nothing of it was sent.
    async fn ask(mut self, request: Request<Outgoing>) -> Result<Answered, Unanswered> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let mut connection = Some(self.connection);
        let answered = std::future::poll_fn(|cx| {
            if let Poll::Ready(answered) = answer.as_mut().poll(cx) {
                return Poll::Ready(answered);
            }
            if let Some(driven) = &mut connection
                && driven.as_mut().poll(cx).is_ready()
            {
                // Without it whoever waits for it is told.
                connection = None;
            }
            answer.as_mut().poll(cx)
        })
        .await;
        match answered {
            Ok(answer) => {
                let sender = self.sender;
                let wire = connection.map(|connection| Self { sender, connection });
                Ok((wire, answer))
            }
            Err(mut error) => {
                let unsent = error.take_message();
                Err((error.into_error(), unsent))
            }
        }
    }
}

impl Received {
    /// All of it is here: the connection rests, unless it is still busy with what was sent.
    fn release(&mut self) {
        let (Some(mut wire), Some(home)) = (self.wire.take(), self.home.upgrade()) else {
            return;
        };
        // Nobody is told of what comes by it now; whoever takes it next looks.
        let mut nobody = Context::from_waker(Waker::noop());
        let closed = wire.connection.as_mut().poll(&mut nobody).is_ready();
        if !closed && wire.sender.is_ready() {
            home.rest(&self.host, wire);
        }
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let mut next = Pin::new(&mut this.body).poll_frame(cx);
        if next.is_pending()
            && let Some(wire) = &mut this.wire
        {
            if wire.connection.as_mut().poll(cx).is_ready() {
                this.wire = None;
            }
            next = Pin::new(&mut this.body).poll_frame(cx);
        }
        if this.body.is_end_stream() || matches!(next, Poll::Ready(None)) {
            this.release();
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
