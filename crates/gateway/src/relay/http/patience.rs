//! How long one waits for a client that does not read.
//!
//! What is written for it stands in memory until it does, so it is given up.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// A client that reads nothing for so long is gone.
pub(super) const SILENCE: Duration = Duration::from_secs(30);

/// A stream whose other side must take what is written to it.
pub(super) struct Patient<S> {
    stream: S,
    silence: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, silence: Duration) -> Self {
        Self {
            stream,
            silence,
            waiting: None,
        }
    }

    /// `polled`, or the end where that has been pending for too long.
    fn waited<T>(&mut self, polled: Poll<Result<T>>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        if polled.is_ready() {
            self.waiting = None;
            return polled;
        }
        let silence = self.silence;
        let waiting = &mut self.waiting;
        let waiting = waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(silence)));
        waiting.as_mut().poll(cx).map(|()| {
            let say = "the client does not read its answer";
            Err(Error::new(ErrorKind::TimedOut, say))
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.waited(polled, cx)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_flush(cx);
        this.waited(polled, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.waited(polled, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.waited(polled, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// Nobody reads, so without patience that ends this does not end.
    #[tokio::test]
    async fn a_client_that_does_not_read_is_given_up() {
        let (stream, mut client) = duplex(8);
        let mut stream = Patient::new(stream, Duration::from_millis(20));
        stream.write_all(b"12345678").await.unwrap();
        let written = stream.write_all(b"9").await;
        assert_eq!(written.err().map(|it| it.kind()), Some(ErrorKind::TimedOut));

        // One that reads is not.
        let mut read = [0; 8];
        client.read_exact(&mut read).await.unwrap();
        stream.write_all(b"9").await.unwrap();
    }
}
