//! Bodies that are made piece by piece, by what waits for the disk.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use tokio::sync::mpsc;

use super::ApiError;

/// Pieces that were made and not yet sent.
const AHEAD_MAX: usize = 4;

/// A body of these pieces. They are made as they are sent; after one that fails the body breaks off.
pub(super) fn of(pieces: impl Iterator<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    let (made, sent) = mpsc::channel(AHEAD_MAX);
    tokio::task::spawn_blocking(move || {
        for piece in pieces {
            let failed = piece.is_err();
            // The receiver may be gone.
            if made.blocking_send(piece).is_err() || failed {
                return;
            }
        }
    });
    Body::from_stream(Pieces(sent))
}

struct Pieces(mpsc::Receiver<io::Result<Bytes>>);

impl futures_core::Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

/// Runs what waits for the disk where it does not hold up others.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ApiError::internal(&error))?
}
