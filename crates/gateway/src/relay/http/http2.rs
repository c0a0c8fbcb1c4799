//! HTTP/2 towards clients: many requests on one connection, side by side.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::patience::{Patient, SILENCE};
use super::peer::Peer;
use super::{HEAD_BYTES_MAX, Relay};

/// Requests of one connection at a time.
const STREAMS_MAX: u32 = 64;
/// What a client may send ahead, in all requests of a connection together and in each.
const CONNECTION_BYTES: u32 = 1 << 20;
const STREAM_BYTES: u32 = 256 << 10;
/// What is held of each answer until the client takes it.
const ANSWER_BYTES: usize = 64 << 10;
/// A client that is silent is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(20);

/// One connection's requests.
pub(super) async fn exchanges<S>(
    relay: Arc<Relay>,
    stream: S,
    peer: Arc<Peer>,
    transport: &'static str,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let source = peer.source;
    let mut ending = relay.gateway.ending.clone();
    let limit = relay.gateway.limits.login;
    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    let service = service_fn(move |request| {
        count.fetch_add(1, Ordering::Relaxed);
        let (relay, peer) = (relay.clone(), peer.clone());
        async move { Ok::<_, Infallible>(relay.answer(request, peer, transport).await) }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .initial_connection_window_size(CONNECTION_BYTES)
        .initial_stream_window_size(STREAM_BYTES)
        .max_send_buf_size(ANSWER_BYTES)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_EVERY)
        .serve_connection(TokioIo::new(Patient::new(stream, SILENCE)), service);
    let mut connection = pin!(connection);
    let mut told = pin!(async { drop(ending.wait_for(|ending| *ending).await) });
    let mut before = 0;
    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break ended,
            () = told.as_mut() => {}
            () = tokio::time::sleep(limit) => {
                // Whoever asks nothing for so long does not keep a seat; what is under way goes on.
                let now = asked.load(Ordering::Relaxed);
                if now != before {
                    before = now;
                    continue;
                }
            }
        }
        connection.as_mut().graceful_shutdown();
        break connection.await;
    };
    if let Err(error) = ended {
        tracing::debug!(%source, %error, "a client's connection ended");
    }
}
