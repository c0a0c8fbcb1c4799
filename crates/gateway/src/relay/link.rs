//! One peer's connection: bytes in, bytes out, and the change from plain text to TLS.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use protocols::session::Secured;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ProtocolVersion, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::{Accept, Connect, TlsAcceptor, TlsConnector, client, server};

use super::outbox::{Outbox, SLICES_MAX};
use crate::tls::server_end_point;

/// While so much waits to be written to a peer, nothing more is read that would add to it.
pub(super) const OUTBOX_BYTES_HIGH: usize = 256 * 1_024;
/// One read takes at most so much.
const READ_BYTES_MAX: usize = 256 * 1_024;
/// An idle connection holds no more than this.
const READ_BYTES_MIN: usize = 8 * 1_024;
/// With less room than this a new block is taken.
const ROOM_BYTES_MIN: usize = 4 * 1_024;

/// How to begin TLS.
pub(super) enum Upgrade {
    /// As server.
    Accept(Arc<ServerConfig>),
    /// As client of this server.
    Connect(Arc<ClientConfig>, ServerName<'static>),
}

/// A connection to a peer.
pub(super) struct Link {
    stream: Stream,
    outbox: Outbox,
    inbox: Inbox,
    upgrade: Option<(Upgrade, usize)>,
    unflushed: bool,
    ended: bool,
}

enum Stream {
    Plain(TcpStream),
    Server(Box<server::TlsStream<TcpStream>>),
    Client(Box<client::TlsStream<TcpStream>>),
    Accepting(Box<Accept<TcpStream>>),
    Connecting(Box<Connect<TcpStream>>),
    Gone,
}

impl Link {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream: Stream::Plain(stream),
            outbox: Outbox::default(),
            inbox: Inbox::new(),
            upgrade: None,
            unflushed: false,
            ended: false,
        }
    }

    /// Bytes that wait to be written.
    pub(super) fn waiting(&self) -> usize {
        self.outbox.len()
    }

    pub(super) fn send(&mut self, bytes: Bytes) {
        if !self.ended {
            self.outbox.push(bytes);
        }
    }

    /// Begins TLS once what is to be sent before it has left. What is sent from now on goes through TLS.
    ///
    /// # Errors
    /// Where TLS stands or is being begun.
    pub(super) fn start_tls(&mut self, upgrade: Upgrade) -> Result<(), &'static str> {
        if !matches!(self.stream, Stream::Plain(_)) || self.upgrade.is_some() {
            return Err("TLS was begun twice");
        }
        self.upgrade = Some((upgrade, self.outbox.len()));
        Ok(())
    }

    /// Whether TLS stands.
    pub(super) fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Server(_) | Stream::Client(_))
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
        self.outbox = Outbox::default();
    }

    /// The protection's name: `TLSv1.3`, or `none`.
    pub(super) fn transport(&self) -> &'static str {
        let version = match &self.stream {
            Stream::Server(stream) => stream.get_ref().1.protocol_version(),
            Stream::Client(stream) => stream.get_ref().1.protocol_version(),
            _ => None,
        };
        match version {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            Some(_) => "TLS",
            None => "none",
        }
    }

    /// Writes what it can, and moves a handshake on. Ready when TLS came to stand, or failed, or writing did; else pending,
    /// also with nothing to do.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Secured>> {
        if self.ended {
            return Poll::Pending;
        }
        ready!(self.poll_outbox(cx))?;
        if let Some((upgrade, 0)) = self.upgrade.take_if(|(_, before)| *before == 0) {
            self.begin(upgrade);
        }
        let secured = ready!(self.poll_handshake(cx))?;
        self.unflushed = true;
        Poll::Ready(Ok(secured))
    }

    /// Writes everything out. Ready when it has left.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ended || matches!(self.stream, Stream::Accepting(_) | Stream::Connecting(_)) {
            return Poll::Ready(Ok(()));
        }
        self.poll_outbox(cx)
    }

    /// Says goodbye: TLS `close_notify`, and the end of the stream.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ended {
            return Poll::Ready(Ok(()));
        }
        self.stream.with(cx, |io, cx| io.poll_shutdown(cx))
    }

    fn poll_outbox(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let limit = self
                .upgrade
                .as_ref()
                .map_or(usize::MAX, |(_, before)| *before);
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let count = self.outbox.slices(&mut slices, limit);
            if count == 0 || !self.stream.is_open() {
                break;
            }
            let slices = slices.get(..count).unwrap_or_default();
            let written = ready!(
                self.stream
                    .with(cx, |io, cx| io.poll_write_vectored(cx, slices))
            )?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outbox.advance(written);
            self.unflushed = true;
            if let Some((_, before)) = &mut self.upgrade {
                *before -= written;
            }
        }
        if self.unflushed && self.stream.is_open() {
            ready!(self.stream.with(cx, |io, cx| io.poll_flush(cx)))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn begin(&mut self, upgrade: Upgrade) {
        let stream = match std::mem::replace(&mut self.stream, Stream::Gone) {
            Stream::Plain(stream) => stream,
            other => {
                self.stream = other;
                return;
            }
        };
        self.stream = match upgrade {
            Upgrade::Accept(config) => {
                Stream::Accepting(Box::new(TlsAcceptor::from(config).accept(stream)))
            }
            Upgrade::Connect(config, name) => {
                Stream::Connecting(Box::new(TlsConnector::from(config).connect(name, stream)))
            }
        };
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Secured>> {
        let (stream, secured) = match &mut self.stream {
            Stream::Accepting(handshake) => {
                let stream = ready!(Pin::new(&mut **handshake).poll(cx))?;
                (Stream::Server(Box::new(stream)), Secured::default())
            }
            Stream::Connecting(handshake) => {
                let stream = ready!(Pin::new(&mut **handshake).poll(cx))?;
                let certificate = stream
                    .get_ref()
                    .1
                    .peer_certificates()
                    .and_then(|chain| chain.first());
                let secured = Secured {
                    server_end_point: certificate
                        .and_then(|certificate| server_end_point(certificate)),
                };
                (Stream::Client(Box::new(stream)), secured)
            }
            _ => return Poll::Pending,
        };
        self.stream = stream;
        Poll::Ready(Ok(secured))
    }

    /// Reads what is there. `None` is the end of the stream. Pending while TLS is being begun.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        if self.ended || self.upgrade.is_some() || !self.stream.is_open() {
            return Poll::Pending;
        }
        let Self { stream, inbox, .. } = self;
        match stream {
            Stream::Plain(stream) => inbox.poll_fill(stream, cx),
            Stream::Server(stream) => inbox.poll_fill(&mut **stream, cx),
            Stream::Client(stream) => inbox.poll_fill(&mut **stream, cx),
            _ => Poll::Pending,
        }
    }
}

impl Stream {
    fn is_open(&self) -> bool {
        matches!(self, Self::Plain(_) | Self::Server(_) | Self::Client(_))
    }

    fn with<T>(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut (dyn AsyncWrite + Unpin)>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match self {
            Self::Plain(stream) => act(Pin::new(stream as &mut (dyn AsyncWrite + Unpin)), cx),
            Self::Server(stream) => {
                act(Pin::new(&mut **stream as &mut (dyn AsyncWrite + Unpin)), cx)
            }
            Self::Client(stream) => {
                act(Pin::new(&mut **stream as &mut (dyn AsyncWrite + Unpin)), cx)
            }
            Self::Accepting(_) | Self::Connecting(_) | Self::Gone => Poll::Pending,
        }
    }
}

/// Where reads go: small while little comes, large while much does.
struct Inbox {
    buffer: BytesMut,
    size: usize,
    small: u8,
}

impl Inbox {
    fn new() -> Self {
        Self {
            buffer: BytesMut::new(),
            size: READ_BYTES_MIN,
            small: 0,
        }
    }

    fn poll_fill<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Bytes>>> {
        if self.buffer.capacity() - self.buffer.len() < ROOM_BYTES_MIN {
            self.buffer.reserve(self.size);
        }
        let room = self.buffer.capacity() - self.buffer.len();
        // TLS gives a record at a time: take several before the session is called.
        loop {
            match pin!(stream.read_buf(&mut self.buffer)).poll(cx) {
                Poll::Ready(Ok(0)) if self.buffer.is_empty() => return Poll::Ready(Ok(None)),
                Poll::Ready(Ok(0)) => break,
                Poll::Ready(Ok(_)) if self.buffer.len() < room => {}
                Poll::Ready(Ok(_)) => break,
                Poll::Ready(Err(_)) | Poll::Pending if !self.buffer.is_empty() => break,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        self.adapt(room);
        Poll::Ready(Ok(Some(self.buffer.split().freeze())))
    }

    fn adapt(&mut self, room: usize) {
        if self.buffer.len() >= room {
            self.size = (self.size * 4).min(READ_BYTES_MAX);
            self.small = 0;
        } else if self.buffer.len() < self.size / 8 {
            self.small += 1;
            if self.small == 64 {
                self.size = (self.size / 4).max(READ_BYTES_MIN);
                self.small = 0;
            }
        } else {
            self.small = 0;
        }
    }
}
