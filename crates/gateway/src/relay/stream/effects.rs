//! Carrying out what a session wants, in order.

use std::sync::Arc;

use bytes::Bytes;
use model::{Denial, DenialCode};
use protocols::session::{Answer, Effect, Effects, Peer, Question};

use super::super::link::Upgrade;
use super::super::questions::{QUESTIONS_MAX, Reply};
use super::{Phase, Reason, Relay};
use crate::random;
use crate::serve::postgres;

/// The reason of a session that ended itself.
const DONE: &str = "the session was closed";

impl Relay {
    /// Carries the effects out. Nothing is awaited: what takes time goes on beside the loop.
    ///
    /// # Errors
    /// The reason, when the session is over.
    pub(super) fn carry_out(&mut self, fx: &mut Effects<Bytes>) -> Result<(), Reason> {
        let mut noted = false;
        let mut over = None;
        for effect in fx.drain(..) {
            noted |= matches!(effect, Effect::Note(_));
            if let Err(reason) = self.effect(effect) {
                over = Some(reason);
                break;
            }
        }
        match over {
            Some(reason) => Err(reason),
            None if noted => self.look_for_room(),
            None => Ok(()),
        }
    }

    /// After the end: only what is to be sent, recorded, or told to other sessions still counts.
    pub(super) fn carry_out_rest(&mut self, fx: &mut Effects<Bytes>) -> Result<(), Reason> {
        fx.retain(|effect| {
            matches!(
                effect,
                Effect::Send(..)
                    | Effect::Note(_)
                    | Effect::Settle(..)
                    | Effect::Found(_)
                    | Effect::Outdated
            )
        });
        self.carry_out(fx)
    }

    fn effect(&mut self, effect: Effect<Bytes>) -> Result<(), Reason> {
        match effect {
            Effect::Send(peer, bytes) => {
                self.send(peer, bytes);
                Ok(())
            }
            Effect::Note(note) => match &self.caller {
                Some(caller) => caller
                    .recorder
                    .note(&note)
                    .map_err(|error| format!("the recording failed: {error}")),
                None => Ok(()),
            },
            Effect::Settle(permit, outcome) => {
                permit.settle(outcome);
                Ok(())
            }
            Effect::Found(facts) => {
                if let Some(caller) = &self.caller {
                    caller.found(facts);
                }
                Ok(())
            }
            Effect::Ask(question) => self.ask(question),
            Effect::StartTls(peer) => self.start_tls(peer),
            Effect::Cancelable(key) => {
                self.registered = self.gateway.cancels.register(key, &self.cancel_to);
                Ok(())
            }
            Effect::Aside { preamble, payload } => {
                self.aside(preamble, payload);
                Ok(())
            }
            Effect::Learning | Effect::Learned(_) | Effect::Outdated => {
                self.learned(effect);
                Ok(())
            }
            Effect::Withdraw => {
                self.questions.withdraw();
                Ok(())
            }
            Effect::Close => Err(DONE.to_owned()),
        }
    }

    /// What the session says of what is known of its target, for those of others.
    fn learned(&mut self, effect: Effect<Bytes>) {
        let Some(caller) = &self.caller else { return };
        let shared = caller.target.knowledge();
        match effect {
            Effect::Learning => self.learning = shared.changes(),
            Effect::Learned(knowledge) => {
                if let Some(missing) = postgres::missing(&knowledge) {
                    caller.target.tell_missing(missing);
                }
                let now = self.gateway.clock.monotonic();
                shared.put(now, self.learning, knowledge);
            }
            _ => shared.forget(&mut self.heard),
        }
    }

    fn send(&mut self, peer: Peer, bytes: Bytes) {
        if peer == Peer::Client && self.phase == Phase::LoggingIn && self.upstream.is_some() {
            self.phase = Phase::Open;
        }
        if let Some(link) = self.link(peer) {
            link.send(bytes);
        }
    }

    fn ask(&mut self, question: Question) -> Result<(), Reason> {
        if self.questions.len() >= QUESTIONS_MAX {
            return Err(format!("more than {QUESTIONS_MAX} questions were open"));
        }
        match question {
            Question::Who(credential) => {
                let (gateway, source, protocol) =
                    (self.gateway.clone(), self.source, self.protocol);
                self.questions.work(Box::pin(async move {
                    match gateway.log_in(credential, source, protocol).await {
                        Ok(login) => Reply::Known(login),
                        Err(denial) => Reply::Answer(Answer::Refused(denial)),
                    }
                }));
            }
            Question::Reach => self.reach(),
            Question::May(command) => {
                self.asked += 1;
                match &self.caller {
                    Some(caller) => {
                        let begun = self.gateway.gate.begin(caller, self.asked, command);
                        self.questions.begun(begun);
                    }
                    None => self.questions.answered(Answer::Refused(out_of_turn())),
                }
            }
            Question::Cancel(key) => self.gateway.cancels.cancel(&key),
        }
        Ok(())
    }

    fn reach(&mut self) {
        let (Some(login), None) = (self.login.take(), &self.caller) else {
            self.questions.answered(Answer::Refused(out_of_turn()));
            return;
        };
        let (gateway, source, transport) =
            (self.gateway.clone(), self.source, self.client.transport());
        self.questions.work(Box::pin(async move {
            let opened = match random::session_id(gateway.clock.now()) {
                Ok(id) => gateway.open(id, &login, source, transport).await,
                Err(error) => Err(Denial::new(
                    DenialCode::UpstreamUnavailable,
                    error.to_string(),
                )),
            };
            match opened {
                Ok(opened) => Reply::Opened(Box::new(opened)),
                Err(denial) => Reply::Answer(Answer::Refused(denial)),
            }
        }));
    }

    fn start_tls(&mut self, peer: Peer) -> Result<(), Reason> {
        let upgrade = match peer {
            Peer::Client => Some(Upgrade::Accept(self.server_tls.clone())),
            Peer::Upstream => self
                .caller
                .as_ref()
                .and_then(|caller| caller.target.client_tls())
                .map(|(config, name)| Upgrade::Connect(config, name)),
        };
        match (upgrade, self.link(peer)) {
            (Some(upgrade), Some(link)) => link.start_tls(upgrade).map_err(str::to_owned),
            _ => Err("TLS was begun where there is none".to_owned()),
        }
    }

    /// A further connection to the target, in a task of its own. Beyond the limit it is left out: a cancel is a wish.
    fn aside(&self, preamble: Bytes, payload: Bytes) {
        let Some(caller) = &self.caller else { return };
        let Ok(room) = Arc::clone(&self.gateway.asides).try_acquire_owned() else {
            tracing::warn!(
                session = caller.session,
                "too many side connections: one was left out"
            );
            let _ = self.delivered_to.send(());
            return;
        };
        let protected = self.upstream.as_ref().is_some_and(super::Link::is_tls);
        let (caller, preamble) = (caller.clone(), protected.then_some(preamble));
        let delivered = self.delivered_to.clone();
        tokio::spawn(async move {
            if let Err(error) = caller.target.aside(preamble, payload).await {
                tracing::warn!(session = caller.session, error = %error.kind(), "a side connection to the target failed");
            }
            drop(room);
            // The session may have ended meanwhile.
            let _ = delivered.send(());
        });
    }
}

fn out_of_turn() -> Denial {
    Denial::new(DenialCode::Unsupported, "the session is not open")
}
