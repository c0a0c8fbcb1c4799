//! For fuzzing: a session over bytes, splits and answers that somebody else chose. It must neither panic nor send
//! anything on after its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use model::{Denial, DenialCode, Held, Identity, Permit, Proof, Secret, Timestamp};
use sql::postgres::{Catalog, Declaration};

use super::catalog::{Loaded, Types};
use super::known::Known;
use super::settings::Settings;
use super::wire::write;
use super::{Analyses, Connection, Served, Targets, Transport};
use crate::session::{Answer, Effect, Effects, Peer, Question, Session, TlsWish, Upstream};

/// Runs `data` as operations on a session: a byte that says which, and what belongs to it. With `logged_in` the session
/// begins after a login that succeeded. `permit` makes a permit; more than is open is never answered.
pub fn run(data: &[u8], logged_in: bool, permit: &mut dyn FnMut() -> Permit) {
    let mut run = Run {
        session: Connection::new(targets(), Transport::Loopback, true),
        open: 0,
        asides: 0,
        over: false,
    };
    if logged_in {
        run.log_in();
    }
    let mut rest = data;
    while let Some((operation, more)) = rest.split_first().filter(|_| !run.over) {
        rest = more;
        match operation % 16 {
            0..=5 => run.piece(Peer::Client, &mut rest),
            6..=9 => run.piece(Peer::Upstream, &mut rest),
            10 | 11 if run.open > 0 => {
                run.open -= 1;
                run.answer(Answer::Permitted(permit()));
            }
            12 if run.open > 0 => {
                run.open -= 1;
                run.answer(Answer::Refused(Denial::new(DenialCode::Forbidden, "no")));
            }
            13 if run.open > 0 => run.answer(Answer::Held(Held {
                approval: "cs-1".into(),
                message: "wait".into(),
            })),
            14 if operation & 16 == 0 => run.answer(Answer::Cancelled),
            14 if run.asides > 0 => {
                run.asides -= 1;
                run.answer(Answer::Delivered);
            }
            15 => run.ended(if operation & 16 == 0 {
                Peer::Client
            } else {
                Peer::Upstream
            }),
            _ => {}
        }
    }
}

struct Run {
    session: Connection,
    /// Commands that were asked about and not answered.
    open: usize,
    /// Side connections that were asked for and are not over.
    asides: usize,
    over: bool,
}

impl Run {
    fn piece(&mut self, from: Peer, rest: &mut &[u8]) {
        let Some((length, more)) = rest.split_first() else {
            return;
        };
        let (piece, more) = more.split_at(usize::from(*length).min(more.len()));
        *rest = more;
        self.receive(from, Bytes::copy_from_slice(piece));
    }

    fn receive(&mut self, from: Peer, piece: Bytes) {
        let mut fx = Effects::new();
        let result = self.session.receive(from, piece, &mut fx);
        self.carry_out(fx);
        self.over |= result.is_err();
    }

    fn answer(&mut self, answer: Answer) {
        let mut fx = Effects::new();
        let result = self.session.answer(answer, &mut fx);
        self.carry_out(fx);
        self.over |= result.is_err();
    }

    fn ended(&mut self, peer: Peer) {
        let mut fx = Effects::new();
        self.session.ended(peer, &mut fx);
        self.carry_out(fx);
        self.over = true;
    }

    fn carry_out(&mut self, fx: Effects<Bytes>) {
        for effect in fx {
            assert!(!self.over, "an effect after the end");
            match effect {
                Effect::Ask(Question::May(_)) => self.open += 1,
                Effect::Ask(Question::Who(_)) => self.answer(Answer::Known(Arc::new(identity()))),
                Effect::Ask(Question::Reach) => self.answer(Answer::Reached(Box::new(upstream()))),
                Effect::Aside { .. } => self.asides += 1,
                Effect::Close => self.over = true,
                _ => {}
            }
        }
    }

    fn log_in(&mut self) {
        let parameters = [(&b"user"[..], &b"agent"[..]), (b"database", b"bank")];
        self.receive(Peer::Client, write::startup(0, parameters));
        self.receive(
            Peer::Client,
            write::one(super::wire::client::PASSWORD, |out| {
                write::cstr(out, b"token")
            }),
        );
        self.receive(
            Peer::Upstream,
            [write::authentication_ok(), write::ready(b'I')]
                .concat()
                .into(),
        );
    }
}

fn settings() -> Settings {
    let mut settings = Settings::new("bank", "bank");
    settings.declared.push(Declaration {
        schema: "public".into(),
        table: "customers".into(),
        column: "ssn".into(),
        class: model::DataClass::US_SSN,
        path: None,
    });
    settings
}

fn targets() -> Arc<Targets> {
    let served = Served {
        settings: Arc::new(settings()),
        analyses: Arc::new(Analyses::new(1 << 20)),
        meant: Arc::default(),
    };
    Arc::new(Targets::from([("bank".to_owned(), served)]))
}

fn identity() -> Identity {
    Identity {
        human: "alice".into(),
        agent: None,
        groups: BTreeSet::new(),
        proof: Proof {
            issuer: "i".into(),
            subject: "s".into(),
            token_id: None,
            key_id: None,
            expires: Timestamp::MAX,
        },
    }
}

fn upstream() -> Upstream {
    let loaded = Loaded {
        own_temporary: None,
        catalog: Arc::new(Catalog::builder().build()),
        types: Types::built_in(),
        digest: 0,
    };
    Upstream {
        session: "s".into(),
        user: "app".into(),
        password: Secret::new(b"secret".to_vec()),
        tls: TlsWish::Disable,
        random: [3; 64],
        knowledge: Some(Arc::new(Known::new(loaded, &[], &[])) as _),
    }
}
