//! The event loop of wire protocols: bytes and answers to the session, its effects carried out in order.
//!
//! Everything a session needs is polled in one place, [`Relay::poll_event`], and one task runs it. What is written is written
//! first; then come what others tell, the oldest question's reply, and last of all reading, which is the only thing that
//! makes more work. Nothing is read from a peer while what it would add to is full.

mod effects;
mod events;

#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use bytes::Bytes;
use protocols::session::{Answer, Effects, Peer, Session, Violation};
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep, timeout};

use super::cancel::Registered;
use super::link::Link;
use super::questions::{Questions, Reply};
use crate::gate::{Caller, Underway};
use crate::gateway::Gateway;
use crate::listen::Seat;
use crate::login::Login;
use crate::record::RecordError;
use events::Event;

/// What is still to be written when a session ends gets so long.
const FAREWELL_MAX: Duration = Duration::from_secs(5);
/// When a peer is gone, the session gets so long to end.
const AFTERMATH_MAX: Duration = Duration::from_secs(10);

/// A connection as it arrived.
pub struct Arrival {
    /// The protocol that its listener speaks.
    pub protocol: &'static str,
    /// The client's connection.
    pub stream: TcpStream,
    /// Its address and port.
    pub source: SocketAddr,
    /// How to begin TLS with it.
    pub tls: Arc<ServerConfig>,
    /// Its place among those who have not logged in.
    pub seat: Seat,
}

/// Runs one session to its end.
pub async fn run(session: Box<dyn Session<Bytes>>, arrival: Arrival, gateway: Arc<Gateway>) {
    let Arrival {
        protocol,
        stream,
        source,
        tls,
        seat,
    } = arrival;
    let (cancel_to, cancelled) = mpsc::channel(1);
    let (delivered_to, delivered) = mpsc::unbounded_channel();
    let mut ending = gateway.ending.clone();
    let relay = Relay {
        session,
        client: Link::new(stream),
        upstream: None,
        server_tls: tls,
        protocol,
        source,
        seat: Some(seat),
        questions: Questions::default(),
        login: None,
        caller: None,
        asked: 0,
        heard: 0,
        learning: 0,
        phase: Phase::LoggingIn,
        deadline: Box::pin(sleep(gateway.limits.login)),
        idle: gateway.limits.idle.map(|limit| Box::pin(sleep(limit))),
        moved: false,
        room: None,
        cancel_to,
        cancelled,
        delivered_to,
        delivered,
        registered: None,
        ending: Some(Box::pin(async move {
            drop(ending.wait_for(|ending| *ending).await)
        })),
        upstream_first: false,
        gone: None,
        gateway,
    };
    relay.run().await;
}

/// A running session.
struct Relay {
    gateway: Arc<Gateway>,
    session: Box<dyn Session<Bytes>>,
    client: Link,
    upstream: Option<Link>,
    server_tls: Arc<ServerConfig>,
    protocol: &'static str,
    source: SocketAddr,
    seat: Option<Seat>,
    questions: Questions,
    login: Option<Login>,
    caller: Option<Arc<Caller>>,
    /// Commands asked about so far.
    asked: u64,
    /// The version of what was learned of the target that the session knows.
    heard: u64,
    /// How often the target was said to have changed when the session last began to learn.
    learning: u64,
    phase: Phase,
    /// Ends the phase.
    deadline: std::pin::Pin<Box<Sleep>>,
    idle: Option<std::pin::Pin<Box<Sleep>>>,
    /// Whether anything came in since the idle timer was set.
    moved: bool,
    /// Set while the recording has no room.
    room: Option<Underway<Result<(), RecordError>>>,
    cancel_to: mpsc::Sender<()>,
    cancelled: mpsc::Receiver<()>,
    /// Tells of each side connection that is over. What waits here is as many as there were at a time.
    delivered_to: mpsc::UnboundedSender<()>,
    delivered: mpsc::UnboundedReceiver<()>,
    registered: Option<Registered>,
    ending: Option<Underway<()>>,
    upstream_first: bool,
    /// The peer that went first, and how: the reason for which the session ends.
    gone: Option<Reason>,
}

/// What the deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Until the target is ready, which shows in the client being sent something after it was reached.
    LoggingIn,
    /// No deadline.
    Open,
    /// The gateway ends; running commands get a while.
    Draining,
    /// A peer is gone; the session gets a while to end.
    Aftermath,
}

/// Why a session ended, in one sentence for its entry. Holds no data.
type Reason = String;

impl Relay {
    async fn run(mut self) {
        self.gateway.stats.connections.up();
        let mut fx = Effects::new();
        let reason = loop {
            let event = poll_fn(|cx| self.poll_event(cx)).await;
            if let Err(reason) = self
                .handle(event, &mut fx)
                .and_then(|()| self.carry_out(&mut fx))
            {
                break reason;
            }
        };
        let reason = self.gone.take().unwrap_or(reason);
        // What the session emitted before it ended is still sent.
        drop(self.carry_out_rest(&mut fx));
        self.end(reason).await;
    }

    /// Gives the event to the session.
    fn handle(&mut self, event: Event, fx: &mut Effects<Bytes>) -> Result<(), Reason> {
        let told = match event {
            Event::Read(peer, bytes) => {
                self.moved = true;
                let told = self.tell_news(fx);
                told.and_then(|()| self.session.receive(peer, bytes, fx))
            }
            Event::Secured(peer, secured) => {
                self.session.answer(Answer::Secured(peer, secured), fx)
            }
            Event::Reply(reply) => self.tell_news(fx).and_then(|()| self.reply(reply, fx)),
            Event::Cancelled => self.session.answer(Answer::Cancelled, fx),
            Event::Delivered => self.session.answer(Answer::Delivered, fx),
            Event::Ended(peer, why) => return self.ended(peer, &why, fx),
            Event::Ending => return self.drain(fx),
            Event::Over(reason) => return Err(reason),
        };
        told.map_err(|violation| {
            tracing::warn!(session = self.id(), source = %self.source, %violation, "a peer broke the protocol");
            violation.to_string()
        })
    }

    /// Tells the session what others learned of its target since, before it takes anything more: also an answer may let
    /// it go on to a command that waits.
    fn tell_news(&mut self, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        let Some(caller) = self.caller.as_ref().filter(|_| self.phase == Phase::Open) else {
            return Ok(());
        };
        let now = self.gateway.clock.monotonic();
        match caller.target.knowledge().news(now, &mut self.heard) {
            Some(news) => self.session.answer(news, fx),
            None => Ok(()),
        }
    }

    fn reply(&mut self, reply: Reply, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        let answer = match reply {
            Reply::Answer(answer) => answer,
            Reply::Held(held) => Answer::Held(held),
            Reply::Known(login) => {
                self.seat = None;
                let identity = login.identity.clone();
                self.login = Some(login);
                Answer::Known(identity)
            }
            Reply::Opened(opened) => {
                self.upstream = Some(Link::new(opened.stream));
                self.gateway.stats.sessions.up();
                self.gateway.stats.sessions_open.up();
                let caller = &opened.caller;
                tracing::info!(
                    session = caller.session,
                    source = %self.source,
                    target = caller.target.name,
                    human = caller.identity.human,
                    agent = caller.identity.agent.as_ref().map(|agent| agent.name.as_str()),
                    "session opened"
                );
                self.caller = Some(opened.caller);
                Answer::Reached(opened.upstream)
            }
        };
        self.session.answer(answer, fx)
    }

    /// A peer is gone: the session may still tell the other.
    fn ended(&mut self, peer: Peer, why: &str, fx: &mut Effects<Bytes>) -> Result<(), Reason> {
        if let Some(link) = self.link(peer) {
            link.end();
        }
        if peer == Peer::Client {
            self.questions.withdraw_all();
        }
        self.session.ended(peer, fx);
        let who = if peer == Peer::Client {
            "the client"
        } else {
            "the target"
        };
        if self.upstream.is_none() || self.phase == Phase::Aftermath {
            self.carry_out(fx)?;
            return Err(format!("{who} {why}"));
        }
        if peer == Peer::Upstream {
            tracing::warn!(session = self.id(), why, "the target is gone");
        }
        self.gone = Some(format!("{who} {why}"));
        self.set_phase(Phase::Aftermath, AFTERMATH_MAX);
        Ok(())
    }

    /// The gateway ends. A session at rest ends now; one with a running command gets a while.
    fn drain(&mut self, fx: &mut Effects<Bytes>) -> Result<(), Reason> {
        self.ending = None;
        if self.is_quiet() {
            self.farewell(fx)?;
            return Err("the gateway is shutting down".to_owned());
        }
        self.set_phase(Phase::Draining, self.gateway.limits.drain);
        Ok(())
    }

    /// The session tells its client that there is no target any more.
    fn farewell(&mut self, fx: &mut Effects<Bytes>) -> Result<(), Reason> {
        self.questions.withdraw_all();
        self.session.ended(Peer::Upstream, fx);
        self.carry_out(fx)
    }

    /// Whether no command is asked about or running.
    fn is_quiet(&self) -> bool {
        let running = self.caller.as_ref().map(|caller| caller.counts());
        self.questions.len() == 0 && running.is_none_or(|counts| counts.permitted == counts.settled)
    }

    fn set_phase(&mut self, phase: Phase, limit: Duration) {
        self.phase = phase;
        self.deadline = Box::pin(sleep(limit));
    }

    fn link(&mut self, peer: Peer) -> Option<&mut Link> {
        match peer {
            Peer::Client => Some(&mut self.client),
            Peer::Upstream => self.upstream.as_mut(),
        }
    }

    fn id(&self) -> &str {
        self.caller.as_ref().map_or("", |caller| &caller.session)
    }

    /// Sends what is left, closes both sides, and writes the session's end.
    async fn end(self, reason: Reason) {
        let Self {
            gateway,
            session,
            mut client,
            mut upstream,
            mut questions,
            mut caller,
            registered,
            source,
            ..
        } = self;
        // Its permits settle as aborted, and its cancel key reaches nobody.
        drop((session, registered));
        questions.withdraw_all();
        let goodbye = async {
            let finish = async |link: &mut Link| {
                drop(poll_fn(|cx: &mut Context<'_>| link.poll_flush(cx)).await);
                drop(poll_fn(|cx| link.poll_shutdown(cx)).await);
            };
            match &mut upstream {
                Some(upstream) => drop(tokio::join!(finish(&mut client), finish(upstream))),
                None => finish(&mut client).await,
            }
        };
        drop(timeout(FAREWELL_MAX, goodbye).await);
        drop((client, upstream));
        if let Some(opened) = questions.abandon().await {
            gateway.stats.sessions.up();
            gateway.stats.sessions_open.up();
            caller = Some(opened.caller);
        }
        let Some(caller) = caller else {
            tracing::debug!(%source, reason, "connection closed");
            return;
        };
        gateway.close_session(&caller, reason).await;
    }
}
