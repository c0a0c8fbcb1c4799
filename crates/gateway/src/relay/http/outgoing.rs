//! The body that goes to the target.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use super::keep::Keeping;
use crate::record::RecordError;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use model::{DenialCode, Status};
use protocols::aws::deny::{Kind, Refusal};
use protocols::http::chunked::{BodyFault, Encoder, Ended, Intake};

/// A body on its way to the target.
pub enum Outgoing {
    /// Held whole.
    Whole(Option<Bytes>),
    /// As it comes in, checked, and signed anew where it is in chunks.
    Streamed(Box<Streamed>),
}

/// A body that is passed on piece by piece.
pub struct Streamed {
    from: Incoming,
    intake: Option<Intake>,
    encoder: Option<Encoder>,
    keeping: Keeping,
    pieces: Vec<Bytes>,
    ready: VecDeque<Bytes>,
    left: u64,
    upload: Upload,
}

/// What became of an upload, for whoever answers.
#[derive(Clone, Default)]
pub(super) struct Upload(Arc<Mutex<Option<Result<Ended, Unsent>>>>);

/// Why an upload came to no end, where that is not the target's fault.
#[derive(Debug, Clone)]
pub(super) struct Unsent {
    pub(super) status: Status,
    pub(super) refusal: Refusal,
}

impl Upload {
    /// What became of it so far.
    pub(super) fn outcome(&self) -> Option<Result<Ended, Unsent>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, outcome: Result<Ended, Unsent>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(outcome);
    }
}

/// The body ended wrong; the target must not take it.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// What is wrong with it.
    #[error(transparent)]
    Fault(#[from] BodyFault),
    /// The client is gone.
    #[error("the client ended within the body")]
    Client(#[from] hyper::Error),
    /// It cannot be recorded.
    #[error("the body cannot be recorded: {0}")]
    Unrecorded(#[from] RecordError),
}

impl UploadError {
    /// How the request ends by it, and what the client hears if it is still there.
    fn unsent(&self) -> Unsent {
        let (status, refusal) = match self {
            Self::Fault(fault) => (Status::Stopped(DenialCode::Withheld), Refusal::from(*fault)),
            Self::Client(_) => (
                Status::Aborted,
                Refusal::new(Kind::Malformed, "the body ended before its end"),
            ),
            Self::Unrecorded(_) => (
                Status::Stopped(DenialCode::LedgerUnavailable),
                Refusal::new(
                    Kind::Unavailable,
                    "the upload cannot be recorded, so it may not go on: try again later",
                ),
            ),
        };
        Unsent { status, refusal }
    }
}

impl Outgoing {
    /// A body that comes from `from`, which `intake` checks and `encoder` signs anew; `length` bytes in all go out.
    pub(super) fn streamed(
        from: Incoming,
        intake: Intake,
        encoder: Option<Encoder>,
        keeping: Keeping,
        length: u64,
        upload: Upload,
    ) -> Self {
        Self::Streamed(Box::new(Streamed {
            from,
            intake: Some(intake),
            encoder,
            keeping,
            pieces: Vec::new(),
            ready: VecDeque::new(),
            left: length,
            upload,
        }))
    }
}

impl Streamed {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, UploadError>>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                self.left = self.left.saturating_sub(piece.len() as u64);
                return Poll::Ready(Some(Ok(piece)));
            }
            let Some(intake) = &mut self.intake else {
                return Poll::Ready(None);
            };
            let taken = match ready!(Pin::new(&mut self.from).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => intake.push(data, &mut self.pieces),
                    Err(_) => Ok(()),
                },
                Some(Err(error)) => return self.ended(error.into()),
                None => self.finish(),
            };
            if taken.is_ok()
                && let Err(error) = self.keep()
            {
                return self.ended(error.into());
            }
            if let Err(fault) = taken.and_then(|()| self.pass_on()) {
                return self.ended(fault.into());
            }
        }
    }

    /// It ends here, wrong.
    fn ended(&mut self, error: UploadError) -> Poll<Option<Result<Bytes, UploadError>>> {
        self.intake = None;
        self.upload.set(Err(error.unsent()));
        Poll::Ready(Some(Err(error)))
    }

    fn finish(&mut self) -> Result<(), BodyFault> {
        if let Some(intake) = self.intake.take() {
            let ended = intake.finish(&mut self.pieces)?;
            self.upload.set(Ok(ended));
        }
        Ok(())
    }

    /// Records content before it goes on.
    fn keep(&mut self) -> Result<(), RecordError> {
        for piece in &self.pieces {
            self.keeping.push(piece)?;
        }
        if self.intake.is_none() {
            self.keeping.finish()?;
        }
        Ok(())
    }

    /// Hands content on: as it is, or through the encoder.
    fn pass_on(&mut self) -> Result<(), BodyFault> {
        let Some(mut encoder) = self.encoder.take() else {
            self.ready.extend(self.pieces.drain(..));
            return Ok(());
        };
        let mut out = Vec::new();
        for piece in self.pieces.drain(..) {
            encoder.push(piece, &mut out)?;
        }
        if self.intake.is_none() {
            encoder.finish(&mut out)?;
        } else {
            self.encoder = Some(encoder);
        }
        self.ready.extend(out);
        Ok(())
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Streamed(streamed) => streamed
                .poll_next(cx)
                .map(|next| next.map(|next| next.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Streamed(streamed) => streamed.intake.is_none() && streamed.ready.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(bytes) => bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
            Self::Streamed(streamed) => streamed.left,
        })
    }
}
