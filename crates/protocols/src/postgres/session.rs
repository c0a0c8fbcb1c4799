//! One connection of a client, from its first packet to its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use sql::postgres::Meant;

use super::command::Analyses;
use super::deny;
use super::live::Live;
use super::settings::Settings;
use super::startup::{Next, Starting};
use super::wire::{self, Frame, Framer, Malformed, server};
use crate::session::{Answer, Effect, Effects, Peer, Session, Violation};

/// How many bytes of a client are held while what came before must be answered first. A whole message may be more.
pub const CLIENT_BACKLOG_BYTES_MAX: usize = 256 << 10;

/// Where the client connects from. A token is only taken over TLS, or from this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// From this machine.
    Loopback,
    /// From elsewhere.
    Remote,
}

/// What serves one target.
#[derive(Debug, Clone)]
pub struct Served {
    /// Its settings.
    pub settings: Arc<Settings>,
    /// Its statements, as they were analyzed.
    pub analyses: Arc<Analyses>,
    /// What its declarations mean, as its sessions last found them.
    pub meant: Arc<Mutex<Meant>>,
}

/// The targets of a listener, by name.
pub type Targets = HashMap<String, Served>;

/// A PostgreSQL session.
pub struct Connection {
    client: Framer,
    upstream: Framer,
    state: State,
    /// A message of the client that must wait.
    waiting: Option<Frame>,
}

enum State {
    /// Nobody is logged in yet.
    Starting(Box<Starting>),
    /// Both sides are.
    Live(Box<Live>),
    Ended,
}

impl Connection {
    /// For a client that has just connected. `tls` says whether TLS can be offered to it. Needs a stack of
    /// [`sql::postgres::STACK_BYTES`].
    #[must_use]
    pub fn new(targets: Arc<Targets>, transport: Transport, tls: bool) -> Self {
        Self {
            client: Framer::startup(),
            upstream: Framer::messages(wire::UPSTREAM_BYTES_MAX),
            state: State::Starting(Box::new(Starting::new(targets, transport, tls))),
            waiting: None,
        }
    }

    fn after(&mut self, next: Next, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        match next {
            Next::Still => Ok(()),
            Next::End => {
                self.state = State::Ended;
                Ok(())
            }
            Next::Live(live, leftover) => {
                self.state = State::Live(live);
                self.client.expect_messages(wire::CLIENT_BYTES_MAX);
                self.upstream_sent(leftover, fx)
            }
        }
    }

    fn upstream_sent(&mut self, piece: Bytes, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        let State::Live(live) = &mut self.state else {
            return Ok(());
        };
        live.base(&piece);
        self.upstream.push(piece);
        while !live.is_closed() {
            if live.expects_rows()
                && let Some(run) = self
                    .upstream
                    .next_run(server::DATA_ROW)
                    .map_err(upstream_malformed)?
            {
                live.rows(&run, fx)?;
                continue;
            }
            if live.expects_copy()
                && let Some(run) = self
                    .upstream
                    .next_run(server::COPY_DATA)
                    .map_err(upstream_malformed)?
            {
                live.copy_rows(&run, fx)?;
                continue;
            }
            let Some(frame) = self.upstream.next().map_err(upstream_malformed)? else {
                break;
            };
            live.upstream(&frame, fx)?;
        }
        self.pump(fx)
    }

    /// Moves everything that can move.
    fn pump(&mut self, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        let State::Live(live) = &mut self.state else {
            return Ok(());
        };
        loop {
            let moved = live.release(fx);
            if live.is_closed() {
                break;
            }
            let frame = match self.waiting.take() {
                Some(frame) => frame,
                None => match self.client.next().map_err(client_malformed)? {
                    Some(frame) => frame,
                    None if moved => continue,
                    None => break,
                },
            };
            self.waiting = live.client(frame, fx)?;
            if self.waiting.is_some() && !live.release(fx) {
                break;
            }
        }
        live.flush(fx);
        if live.is_closed() {
            self.state = State::Ended;
        }
        Ok(())
    }

    /// A peer broke the protocol: what was gathered goes out first, and the client is told.
    fn violated(&mut self, violation: Violation, fx: &mut Effects<Bytes>) -> Violation {
        let (code, words) = match violation.peer {
            Peer::Client => ("08P01", violation.what.as_str()),
            Peer::Upstream => (
                "08006",
                "the target's answer cannot be read: the session ends",
            ),
        };
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Live(mut live) => live.die(code, words, fx),
            // Of an upstream that failed, the client was told.
            State::Starting(_) if violation.peer == Peer::Upstream => {}
            State::Starting(_) => fx.push(Effect::Send(
                Peer::Client,
                deny::plain("FATAL", code, words, ""),
            )),
            State::Ended => {}
        }
        violation
    }

    fn take(&mut self, from: Peer, piece: Bytes, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        match (&mut self.state, from) {
            (State::Ended, _) => Ok(()),
            (State::Live(_), Peer::Upstream) => self.upstream_sent(piece, fx),
            (State::Live(_), Peer::Client) => {
                self.client.push(piece);
                self.pump(fx)
            }
            (State::Starting(starting), Peer::Upstream) => {
                let next = starting.upstream(piece, fx)?;
                self.after(next, fx)
            }
            (State::Starting(starting), Peer::Client) => {
                self.client.push(piece);
                let next = starting.client(&mut self.client, fx)?;
                self.after(next, fx)
            }
        }
    }

    fn told(&mut self, answer: Answer, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        match &mut self.state {
            State::Ended => Ok(()),
            State::Starting(starting) => {
                let next = starting.answer(answer, &mut self.client, fx)?;
                self.after(next, fx)
            }
            State::Live(live) => {
                live.answer(answer, fx);
                self.pump(fx)
            }
        }
    }
}

impl Session<Bytes> for Connection {
    fn receive(
        &mut self,
        from: Peer,
        frame: Bytes,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        self.take(from, frame, fx)
            .map_err(|violation| self.violated(violation, fx))
    }

    fn answer(&mut self, answer: Answer, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        self.told(answer, fx)
            .map_err(|violation| self.violated(violation, fx))
    }

    fn ended(&mut self, peer: Peer, fx: &mut Effects<Bytes>) {
        match (std::mem::replace(&mut self.state, State::Ended), peer) {
            (State::Ended, _) => {}
            (State::Starting(starting), peer) => starting.ended(peer, fx),
            (State::Live(mut live), Peer::Client) => live.end(fx),
            (State::Live(mut live), Peer::Upstream) => {
                live.die(
                    "08006",
                    "the target closed the connection: connect again",
                    fx,
                );
            }
        }
    }

    fn wants(&self, from: Peer) -> bool {
        match (&self.state, from) {
            (State::Ended, _) => false,
            (State::Starting(starting), from) => starting.wants(from),
            (State::Live(_), Peer::Upstream) => true,
            (State::Live(_), Peer::Client) => {
                self.waiting.is_none() || self.client.held() < CLIENT_BACKLOG_BYTES_MAX
            }
        }
    }
}

fn client_malformed(malformed: Malformed) -> Violation {
    client_broke(malformed.0)
}

fn upstream_malformed(malformed: Malformed) -> Violation {
    upstream_broke(malformed.0)
}

pub(super) fn client_broke(what: impl Into<String>) -> Violation {
    Violation {
        peer: Peer::Client,
        protocol: "postgres",
        what: what.into(),
    }
}

pub(super) fn upstream_broke(what: impl Into<String>) -> Violation {
    Violation {
        peer: Peer::Upstream,
        protocol: "postgres",
        what: what.into(),
    }
}
