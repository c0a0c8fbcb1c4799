//! What can happen to a session next.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use protocols::session::{Peer, Secured};
use tokio::time::Instant;

use super::super::link::OUTBOX_BYTES_HIGH;
use super::super::questions::Reply;
use super::{Phase, Reason, Relay};

pub(super) enum Event {
    Read(Peer, Bytes),
    /// The peer is gone; the text says how.
    Ended(Peer, String),
    Secured(Peer, Secured),
    Reply(Reply),
    Cancelled,
    /// A side connection is over.
    Delivered,
    /// The gateway is to end.
    Ending,
    Over(Reason),
}

impl Relay {
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        for peer in [Peer::Client, Peer::Upstream] {
            let Some(link) = self.link(peer) else {
                continue;
            };
            match link.poll_write(cx) {
                Poll::Ready(Ok(secured)) => return Poll::Ready(Event::Secured(peer, secured)),
                Poll::Ready(Err(error)) => return Poll::Ready(Event::Ended(peer, gone(&error))),
                Poll::Pending => {}
            }
        }
        if let Poll::Ready(event) = self.poll_told(cx) {
            return Poll::Ready(event);
        }
        if let Poll::Ready(reply) = self.questions.poll(&self.gateway.gate, cx) {
            return Poll::Ready(Event::Reply(reply));
        }
        if let Some(reason) = self.draining_is_over() {
            return Poll::Ready(Event::Over(reason));
        }
        if let Poll::Ready(Err(error)) = self.poll_room(cx) {
            return Poll::Ready(Event::Over(format!("the recording failed: {error}")));
        }
        if self.room.is_none() {
            return self.poll_reads(cx);
        }
        Poll::Pending
    }

    /// What others tell: cancel keys, the lobby, the timers, the gateway's end.
    fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(Some(())) = self.cancelled.poll_recv(cx) {
            return Poll::Ready(Event::Cancelled);
        }
        if let Poll::Ready(Some(())) = self.delivered.poll_recv(cx) {
            return Poll::Ready(Event::Delivered);
        }
        if let Some(seat) = &mut self.seat
            && seat.poll_taken(cx).is_ready()
        {
            self.gateway.stats.evicted.up();
            return Poll::Ready(Event::Over(
                "closed to make room before it logged in".to_owned(),
            ));
        }
        if let Some(ending) = &mut self.ending
            && ending.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Event::Ending);
        }
        if self.phase != Phase::Open && self.deadline.as_mut().poll(cx).is_ready() {
            let reason = match self.phase {
                Phase::LoggingIn => "the login took too long",
                Phase::Draining => "the gateway is shutting down, and a command took too long",
                Phase::Aftermath => "the other side is gone",
                Phase::Open => "",
            };
            return Poll::Ready(Event::Over(reason.to_owned()));
        }
        self.poll_idle(cx)
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let (Some(idle), Some(limit)) = (&mut self.idle, self.gateway.limits.idle) else {
            return Poll::Pending;
        };
        while idle.as_mut().poll(cx).is_ready() {
            // A command that waits for people is not idle.
            if !std::mem::take(&mut self.moved) && self.questions.len() == 0 {
                return Poll::Ready(Event::Over("nothing moved for too long".to_owned()));
            }
            idle.as_mut().reset(Instant::now() + limit);
        }
        Poll::Pending
    }

    fn draining_is_over(&self) -> Option<Reason> {
        (self.phase == Phase::Draining && self.is_quiet())
            .then(|| "the gateway is shutting down".to_owned())
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), crate::record::RecordError>> {
        let Some(room) = &mut self.room else {
            return Poll::Ready(Ok(()));
        };
        let ready = room.as_mut().poll(cx);
        if ready.is_ready() {
            self.room = None;
        }
        ready
    }

    /// Looks whether the recording has room, after something went into it.
    pub(super) fn look_for_room(&mut self) -> Result<(), Reason> {
        let Some(caller) = &self.caller else {
            return Ok(());
        };
        match pin!(caller.recorder.ready()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Ok(()),
            Poll::Ready(Err(error)) => Err(format!("the recording failed: {error}")),
            Poll::Pending => {
                let recorder = caller.recorder.clone();
                self.room = Some(Box::pin(async move { recorder.ready().await }));
                Ok(())
            }
        }
    }

    fn poll_reads(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let full =
            |waiting: Option<usize>| waiting.is_some_and(|waiting| waiting >= OUTBOX_BYTES_HIGH);
        let to_client = full(Some(self.client.waiting()));
        let to_upstream = full(self.upstream.as_ref().map(super::Link::waiting));
        let mut peers = [Peer::Client, Peer::Upstream];
        if self.upstream_first {
            peers.reverse();
        }
        for peer in peers {
            // What comes from a client goes upstream, or back to it as an error; what comes from upstream goes to the client.
            let held_up = to_client || (peer == Peer::Client && to_upstream);
            if held_up || !self.session.wants(peer) {
                continue;
            }
            let Some(link) = self.link(peer) else {
                continue;
            };
            let read = match link.poll_read(cx) {
                Poll::Pending => continue,
                Poll::Ready(read) => read,
            };
            // The other one first next time: a busy peer must not starve it.
            self.upstream_first = peer == Peer::Client;
            return Poll::Ready(match read {
                Ok(Some(bytes)) => Event::Read(peer, bytes),
                Ok(None) => Event::Ended(peer, "closed its connection".to_owned()),
                Err(error) => Event::Ended(peer, gone(&error)),
            });
        }
        Poll::Pending
    }
}

/// How a connection was lost, by the kind of error alone: texts of libraries can quote what they read.
fn gone(error: &std::io::Error) -> String {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        Some(tls) => format!("broke TLS: {tls}"),
        None => format!("lost its connection: {}", error.kind()),
    }
}
