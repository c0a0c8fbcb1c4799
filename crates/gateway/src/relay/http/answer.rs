//! The body that goes to the client, and the outcome it leads to.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_lc_rs::digest;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use model::{DenialCode, Status, hexadecimal};
use protocols::aws::transient::{ERROR_BYTES_MAX, is_document, is_late_error};

use super::coding::{Begun, Coding};
use super::keep::Keeping;
use super::masking::{Masking, ShownError};
use super::room::{Held, next_piece};
use super::settling::Settling;
use super::turns::{TURN_BYTES, Turn};
use crate::upstream::aws::Received;

/// What a client is shown.
pub enum Shown {
    /// An answer of the gateway's own.
    Own(Option<Bytes>),
    /// The target's answer as it passes.
    Passing(Box<Passing>),
    /// The target's answer, or a part of it, held whole, with the room it takes.
    Held(Option<Bytes>, Held),
}

/// An answer that was waited for.
pub(super) enum Waited {
    /// It is here.
    Whole(Bytes),
    /// It is longer; what is here comes first.
    Longer(Box<Passing>),
}

/// An answer on its way to the client.
pub struct Passing {
    from: Received,
    masking: Option<Box<Masking>>,
    coding: Option<Box<Coding>>,
    keeping: Keeping,
    ready: VecDeque<Bytes>,
    /// What came and is still to be searched.
    rest: Bytes,
    turn: Turn,
    /// Bytes of it that the target has still to send, where it said how many there are.
    left: Option<u64>,
    digest: digest::Context,
    bytes: u64,
    settling: Option<Settling>,
    /// What the target says went wrong, as far as it is looked at.
    error: Option<Vec<u8>>,
    over: bool,
    cut: Option<Cut>,
    /// The part of what is compressed anew.
    window: Option<Cut>,
    /// What ends the answer once all that is ready is shown.
    broken: Option<ShownError>,
    /// Room for what was waited for.
    room: Option<Held>,
}

/// The part of an answer that was asked for; more was read, to mask it as in the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Bytes before it.
    pub(super) skip: u64,
    /// Bytes of it.
    pub(super) length: u64,
}

impl Cut {
    /// What of the next piece belongs to it.
    fn of(&mut self, mut piece: Bytes) -> Bytes {
        let before = self.skip.min(piece.len() as u64);
        self.skip -= before;
        piece = piece.split_off(usize::try_from(before).unwrap_or(piece.len()));
        let shown = self.length.min(piece.len() as u64);
        self.length -= shown;
        piece.truncate(usize::try_from(shown).unwrap_or(piece.len()));
        piece
    }
}

impl Passing {
    /// An answer whose body is what it begins with and then what `from` brings; `length` is that of the whole where it is known.
    pub(super) fn new(
        from: Received,
        begun: Begun,
        masking: Option<Box<Masking>>,
        keeping: Keeping,
        length: Option<u64>,
        settling: Settling,
        (cut, window): (Option<Cut>, Option<Cut>),
    ) -> Self {
        let begins = settling.begins.is_some() && matches!(settling.status, 200..300);
        let looks =
            matches!(settling.status, 400..500) && !settling.again || settling.late || begins;
        let error = looks.then(Vec::new);
        let mut this = Self {
            from,
            masking,
            coding: begun.coding,
            keeping,
            ready: VecDeque::new(),
            rest: Bytes::new(),
            turn: Turn::default(),
            left: length.map(|length| length.saturating_sub(begun.read)),
            digest: digest::Context::new(&digest::SHA256),
            bytes: 0,
            settling: Some(settling),
            error,
            over: false,
            cut,
            window,
            broken: None,
            room: None,
        };
        if let Some(first) = begun.first {
            // It was looked at before; what else is wrong with it is said where it would go on.
            this.broken = this.take(first).err();
        }
        let over = this.left == Some(0) || this.from.is_end_stream();
        if this.broken.is_none() && this.coding.is_none() && over {
            this.complete();
        }
        this
    }

    /// What is wrong with it where nothing of it can be shown; it is settled then.
    pub(super) fn failed(&mut self) -> Option<ShownError> {
        if !self.ready.is_empty() {
            return None;
        }
        let error = self.broken.take()?;
        self.stopped(&error);
        Some(error)
    }

    fn take(&mut self, piece: Bytes) -> Result<(), ShownError> {
        if let Some(error) = &mut self.error {
            let room = ERROR_BYTES_MAX.saturating_sub(error.len());
            error.extend_from_slice(piece.get(..room).unwrap_or(&piece));
            // Its parts may come as soon as the client has read this.
            let begins = self.settling.as_mut().and_then(|it| it.begins.as_mut());
            if begins.is_some_and(|begins| begins.told(error)) {
                self.error = None;
            }
        }
        let Some(masking) = &mut self.masking else {
            return self.emit(piece);
        };
        self.turn.spend(piece.len());
        let out = masking.push(&piece)?;
        if out.is_empty() {
            return Ok(());
        }
        self.emit(out.into())
    }

    fn emit(&mut self, mut piece: Bytes) -> Result<(), ShownError> {
        if let Some(cut) = &mut self.cut {
            piece = cut.of(piece);
            if piece.is_empty() {
                return Ok(());
            }
        }
        // Nothing is shown that is not recorded.
        self.keeping.push(&piece)?;
        if let Some(encoder) = self.coding.as_mut().and_then(|it| it.encoder.as_mut()) {
            let mut out = Vec::new();
            encoder.push(&piece, &mut out)?;
            piece = out.into();
        }
        self.put(piece);
        Ok(())
    }

    /// It goes to the client as it is.
    fn put(&mut self, mut piece: Bytes) {
        if let Some(window) = &mut self.window {
            piece = window.of(piece);
        }
        if piece.is_empty() {
            return;
        }
        self.digest.update(&piece);
        self.bytes += piece.len() as u64;
        self.ready.push_back(piece);
    }

    /// What is left in the compression, once all content went into it.
    fn pack(&mut self) -> Result<(), ShownError> {
        if let Some(encoder) = self.coding.as_mut().and_then(|it| it.encoder.take()) {
            let mut out = Vec::new();
            encoder.finish(&mut out)?;
            self.put(out.into());
        }
        Ok(())
    }

    /// All of it is here: what was held back goes out, and the request is settled.
    fn complete(&mut self) {
        self.over = true;
        if let Some(Err(broken)) = self.coding.as_ref().map(|it| it.decoder.finish()) {
            return self.broken = Some(broken.into());
        }
        if let Some(masking) = &mut self.masking {
            let emitted = match masking.finish() {
                Ok(out) if out.is_empty() => Ok(()),
                Ok(out) => self.emit(out.into()),
                Err(error) => Err(error),
            };
            if let Err(error) = emitted {
                return self.broken = Some(error);
            }
        }
        if let Err(error) = self.pack() {
            return self.broken = Some(error);
        }
        if let Err(error) = self.keeping.finish() {
            return self.broken = Some(error.into());
        }
        let status = self.settling.as_ref().map_or(0, |settling| settling.status);
        let status = match status {
            100..=399 if self.failed_late() => Status::Failed(format!("{status} with an error")),
            100..=399 => Status::Completed,
            status => Status::Failed(status.to_string()),
        };
        self.settle(status);
    }

    /// Whether an error stands in the body of what began as a success.
    fn failed_late(&self) -> bool {
        let late = self.settling.as_ref().is_some_and(|it| it.late);
        late && self.error.as_deref().is_some_and(is_late_error)
    }

    fn settle(&mut self, status: Status) {
        let failed_late = self.failed_late();
        let Some(mut settling) = self.settling.take() else {
            return;
        };
        let is_busy = |error: &[u8]| !settling.late && is_document(error);
        settling.again |= failed_late || self.error.as_deref().is_some_and(is_busy);
        let sha256 = hexadecimal(self.digest.clone().finish());
        let masks = self.masking.as_ref();
        let mut facts = masks.map_or_else(Vec::new, |masking| masking.findings.facts());
        facts.extend(self.keeping.released());
        settling.settle(status, self.bytes, &format!("sha256={sha256}"), facts);
    }

    fn stopped(&mut self, error: &ShownError) {
        self.over = true;
        // Whatever becomes of it, the answer broke off.
        let _ = self.keeping.finish();
        let status = self.settling.as_ref().map_or(0, |settling| settling.status);
        let withheld = matches!(error, ShownError::Withheld | ShownError::Coding(_));
        if withheld && status >= 400 {
            return self.settle(Status::Failed(status.to_string()));
        }
        self.settle(Status::Stopped(match error {
            ShownError::Target(_) => DenialCode::UpstreamUnavailable,
            ShownError::Unrecorded(_) => DenialCode::LedgerUnavailable,
            ShownError::Withheld | ShownError::Coding(_) | ShownError::Page => DenialCode::Withheld,
        }));
    }

    /// Waits until all of it is here, unless it is longer than `most` bytes.
    ///
    /// # Errors
    /// Where it ends before its end; it is settled then.
    pub(super) async fn wait(
        mut self,
        most: usize,
        room: Held,
    ) -> Result<(Waited, Option<Held>), ShownError> {
        let (mut pieces, mut length) = (VecDeque::new(), 0);
        while let Some(piece) = std::future::poll_fn(|cx| self.poll_next(cx)).await {
            let piece = piece?;
            length += piece.len();
            pieces.push_back(piece);
            if length > most {
                pieces.append(&mut self.ready);
                self.ready = pieces;
                self.room = Some(room);
                return Ok((Waited::Longer(Box::new(self)), None));
            }
        }
        let whole: Vec<Bytes> = pieces.into();
        Ok((Waited::Whole(whole.concat().into()), Some(room)))
    }

    /// Waits until all of it was here, and gives its length.
    ///
    /// # Errors
    /// Where it ends before its end; it is settled then.
    pub(super) async fn drained(mut self) -> Result<u64, ShownError> {
        while let Some(piece) = std::future::poll_fn(|cx| self.poll_next(cx)).await {
            drop(piece?);
        }
        Ok(self.bytes)
    }

    /// Nobody is shown more of it.
    pub(super) fn withdraw(mut self, status: Status) {
        self.over = true;
        let _ = self.keeping.finish();
        self.settle(status);
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ShownError>>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(piece)));
            }
            if let Some(error) = self.broken.take() {
                self.stopped(&error);
                return Poll::Ready(Some(Err(error)));
            }
            if self.over {
                self.room = None;
                return Poll::Ready(None);
            }
            if self.window.is_some_and(|window| window.length == 0) {
                // What follows is nobody's.
                self.over = true;
                let _ = self.keeping.finish();
                self.settle(Status::Completed);
                continue;
            }
            ready!(self.turn.poll(cx));
            if !self.rest.is_empty() {
                let piece = match &self.masking {
                    Some(_) => self.rest.split_to(TURN_BYTES.min(self.rest.len())),
                    None => std::mem::take(&mut self.rest),
                };
                if let Err(error) = self.take(piece) {
                    self.stopped(&error);
                    return Poll::Ready(Some(Err(error)));
                }
                continue;
            }
            let content = self.coding.as_mut().and_then(|coding| coding.next());
            if let Some(content) = content {
                let taken = match content {
                    Ok(content) => self.take(content.into()),
                    Err(broken) => Err(broken.into()),
                };
                if let Err(error) = taken {
                    self.stopped(&error);
                    return Poll::Ready(Some(Err(error)));
                }
                continue;
            }
            // Whoever sends it may not look for an end behind the last byte.
            if self.left == Some(0) {
                self.complete();
                continue;
            }
            match ready!(Pin::new(&mut self.from).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.received(data);
                    }
                }
                Some(Err(error)) => {
                    let error = error.into();
                    self.stopped(&error);
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.complete(),
            }
        }
    }

    fn received(&mut self, data: Bytes) {
        let length = data.len() as u64;
        self.left = self.left.map(|left| left.saturating_sub(length));
        match &mut self.coding {
            Some(coding) => coding.push(data),
            None => self.rest = data,
        }
    }
}

impl Drop for Passing {
    /// A client that left has seen what it was shown until then. Its request may be sent again, as where nothing came of it.
    fn drop(&mut self) {
        if let Some(settling) = &mut self.settling {
            settling.claim = None;
            self.error = None;
            let _ = self.keeping.finish();
            self.settle(Status::Aborted);
        }
    }
}

impl Body for Shown {
    type Data = Bytes;
    type Error = ShownError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ShownError>>> {
        match self.get_mut() {
            Self::Own(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            // What the client has not taken keeps its room.
            Self::Held(bytes, _) => Poll::Ready(next_piece(bytes).map(|it| Ok(Frame::data(it)))),
            Self::Passing(passing) => passing
                .poll_next(cx)
                .map(|next| next.map(|next| next.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) | Self::Held(bytes, _) => bytes.is_none(),
            Self::Passing(passing) => {
                passing.over && passing.ready.is_empty() && passing.broken.is_none()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) | Self::Held(bytes, _) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Passing(_) => SizeHint::default(),
        }
    }
}
