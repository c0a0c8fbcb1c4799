//! A session with everything around it: the gateway's answers, permits of a real ledger, and what came of them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ledger::{Durability, Log, Options, SigningKey};
use model::{
    Command, DataClass, Denial, DenialCode, Identity, Note, Obligations, Outcome, Permit, Proof,
    Secret, Settle, Timestamp,
};
use sql::postgres::{Catalog, Column, Declaration, Relation, RelationKind};

use super::say;
use crate::postgres::catalog::{Loaded, Types};
use crate::postgres::known::Known;
use crate::postgres::settings::Settings;
use crate::postgres::wire::{server, write};
use crate::postgres::{Analyses, Connection, Served, Targets, Transport};
use crate::session::{
    Answer, Effect, Effects, Held, Peer, Question, Session, TlsWish, Upstream, Violation,
};

/// The ledger of all tests of this process.
static LOG: LazyLock<(Log, tempfile::TempDir)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let key = SigningKey::from_seed("test.example/log", &[7; 32]).unwrap();
    let options = Options {
        origin: "test.example/log".into(),
        key,
        durability: Durability::Interval(Duration::from_millis(1)),
        integrate_every: Duration::from_secs(60),
    };
    (Log::open(dir.path(), options).unwrap(), dir)
});

/// Outcomes, as they are settled.
#[derive(Default)]
struct Settled(Mutex<Vec<Outcome>>);

impl Settle for Settled {
    fn settle(&self, _: u64, outcome: Outcome) {
        self.0.lock().unwrap().push(outcome);
    }
}

/// A session, and what it did since it was last looked at.
pub(super) struct Gateway {
    pub(super) session: Connection,
    pub(super) to_client: BytesMut,
    pub(super) to_upstream: BytesMut,
    pub(super) open: VecDeque<Command>,
    pub(super) notes: Vec<Note>,
    pub(super) asides: Vec<Bytes>,
    pub(super) withdrawn: usize,
    pub(super) outdated: bool,
    pub(super) found: Vec<model::MaskFact>,
    pub(super) closed: bool,
    pub(super) cancel_key: Bytes,
    pub(super) obligations: Obligations,
    settled: Arc<Settled>,
}

pub(super) fn settings() -> Settings {
    let mut settings = Settings::new("bank", "bank_db");
    settings.declared.push(Declaration {
        schema: "public".into(),
        table: "customers".into(),
        column: "ssn".into(),
        class: DataClass::US_SSN,
        path: None,
    });
    settings
}

fn relation(oid: u32, name: &str, columns: &[(&str, u32)]) -> Relation {
    let column = |(index, (name, type_oid)): (usize, &(&str, u32))| Column {
        number: i16::try_from(index + 1).unwrap(),
        name: (*name).into(),
        type_oid: *type_oid,
        modifier: -1,
        generated: false,
    };
    Relation {
        oid,
        schema: "public".into(),
        name: name.into(),
        kind: RelationKind::Table,
        columns: columns.iter().enumerate().map(column).collect(),
        definition: None,
        toast: 0,
    }
}

/// Which of [`Catalog::QUERIES`] tells what a view reads.
const DEPENDS: usize = 4;

pub(super) fn known(settings: &Settings) -> Arc<Known> {
    loaded(settings, 0)
}

/// The same as if other rows had been loaded.
pub(super) fn known_anew(settings: &Settings) -> Arc<Known> {
    loaded(settings, 1)
}

fn loaded(settings: &Settings, digest: u64) -> Arc<Known> {
    let mut catalog = Catalog::builder();
    catalog.add(relation(500, "customers", &[("id", 23), ("ssn", 25)]));
    catalog.add(relation(501, "t", &[("n", 23), ("words", 25)]));
    for (oid, name, columns, definition) in [
        (
            502,
            "tails",
            &[("tail", 25)][..],
            "SELECT upper(customers.ssn) AS tail FROM customers",
        ),
        (503, "tails_over", &[], "SELECT FROM tails"),
        (
            504,
            "plain",
            &[("ssn", 25)],
            "SELECT customers.ssn FROM customers",
        ),
    ] {
        let mut view = relation(oid, name, columns);
        view.kind = RelationKind::View;
        view.definition = Some(definition.to_owned());
        catalog.add(view);
    }
    let depends = ["503", "502", "1"].map(|value| Some(value.as_bytes()));
    catalog.row(DEPENDS, &depends).unwrap();
    let loaded = Loaded {
        own_temporary: None,
        catalog: Arc::new(catalog.build()),
        types: Types::built_in(),
        digest,
    };
    Arc::new(Known::new(loaded, &settings.declared, &settings.trusted))
}

pub(super) fn targets() -> Arc<Targets> {
    targets_of(settings())
}

fn targets_of(settings: Settings) -> Arc<Targets> {
    let served = Served {
        settings: Arc::new(settings),
        analyses: Arc::new(Analyses::new(1 << 20)),
        meant: Arc::default(),
    };
    Arc::new(Targets::from([("bank".to_owned(), served)]))
}

pub(super) fn identity() -> Identity {
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

pub(super) fn upstream(known: Option<Arc<Known>>) -> Upstream {
    Upstream {
        session: "s-1".into(),
        user: "app".into(),
        password: Secret::new(b"secret".to_vec()),
        tls: TlsWish::Disable,
        random: [3; 64],
        knowledge: known.map(|known| known as _),
    }
}

/// What a server says to a login that it trusts.
pub(super) fn welcome() -> Bytes {
    let mut out = BytesMut::new();
    out.extend_from_slice(&write::authentication_ok());
    write::parameter_status(&mut out, b"server_version", b"15.0");
    write::parameter_status(&mut out, b"session_authorization", b"app");
    write::key_data(&mut out, 77, b"upky");
    out.extend_from_slice(&write::ready(b'I'));
    out.freeze()
}

impl Gateway {
    /// A session before its first packet.
    pub(super) fn new(transport: Transport, tls: bool) -> Self {
        Self::serving(targets(), transport, tls)
    }

    fn serving(targets: Arc<Targets>, transport: Transport, tls: bool) -> Self {
        Self {
            session: Connection::new(targets, transport, tls),
            to_client: BytesMut::new(),
            to_upstream: BytesMut::new(),
            open: VecDeque::new(),
            notes: Vec::new(),
            asides: Vec::new(),
            withdrawn: 0,
            outdated: false,
            found: Vec::new(),
            closed: false,
            cancel_key: Bytes::new(),
            obligations: Obligations {
                policies: vec!["reads".into()],
                ..Obligations::default()
            },
            settled: Arc::default(),
        }
    }

    /// A session that is logged in on both sides, with nothing said since.
    pub(super) fn live() -> Self {
        Self::knowing(known(&settings()))
    }

    /// The same where no declared column is in the catalog, so that no rows depend on it.
    pub(super) fn plain() -> Self {
        Self::knowing(known(&Settings::new("bank", "bank_db")))
    }

    /// A session as [`Gateway::live`] with a target of these settings.
    pub(super) fn of(settings: Settings) -> Self {
        let known = known(&settings);
        let targets = targets_of(settings);
        Self::serving(targets, Transport::Loopback, false).logged_in(known)
    }

    fn knowing(known: Arc<Known>) -> Self {
        Self::new(Transport::Loopback, false).logged_in(known)
    }

    fn logged_in(self, known: Arc<Known>) -> Self {
        let mut gateway = self;
        let startup = [(&b"user"[..], &b"agent"[..]), (b"database", b"bank")];
        gateway.client(&write::startup(0, startup)).unwrap();
        gateway.client(&say::password("token")).unwrap();
        gateway.answer(Answer::Known(Arc::new(identity()))).unwrap();
        gateway
            .answer(Answer::Reached(Box::new(upstream(Some(known)))))
            .unwrap();
        gateway.upstream(&welcome()).unwrap();
        gateway.take_client();
        gateway.take_upstream();
        gateway.notes.clear();
        gateway
    }

    pub(super) fn client(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.receive(Peer::Client, Bytes::copy_from_slice(bytes))
    }

    pub(super) fn upstream(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.receive(Peer::Upstream, Bytes::copy_from_slice(bytes))
    }

    fn receive(&mut self, from: Peer, bytes: Bytes) -> Result<(), Violation> {
        let mut fx = Effects::new();
        let result = self.session.receive(from, bytes, &mut fx);
        self.carry_out(fx);
        result
    }

    pub(super) fn answer(&mut self, answer: Answer) -> Result<(), Violation> {
        let mut fx = Effects::new();
        let result = self.session.answer(answer, &mut fx);
        self.carry_out(fx);
        result
    }

    pub(super) fn ended(&mut self, peer: Peer) {
        let mut fx = Effects::new();
        self.session.ended(peer, &mut fx);
        self.carry_out(fx);
    }

    fn carry_out(&mut self, fx: Effects<Bytes>) {
        for effect in fx {
            assert!(!self.closed, "an effect after the end: {effect:?}");
            match effect {
                Effect::Send(Peer::Client, bytes) => self.to_client.extend_from_slice(&bytes),
                Effect::Send(Peer::Upstream, bytes) => self.to_upstream.extend_from_slice(&bytes),
                Effect::Ask(Question::May(command)) => self.open.push_back(*command),
                Effect::Note(note) => self.notes.push(note),
                Effect::Settle(permit, outcome) => permit.settle(outcome),
                Effect::Cancelable(key) => self.cancel_key = key,
                Effect::Aside { payload, .. } => self.asides.push(payload),
                Effect::Withdraw => self.withdrawn += 1,
                Effect::Found(facts) => self.found = facts,
                Effect::Close => self.closed = true,
                Effect::Outdated => self.outdated = true,
                Effect::Ask(_) | Effect::StartTls(_) | Effect::Learning | Effect::Learned(_) => {}
            }
        }
    }

    pub(super) fn permission(&self) -> Permit {
        let receipt = LOG.0.append(b"intent".to_vec()).wait().unwrap();
        Permit::new(
            receipt,
            Arc::new(self.obligations.clone()),
            Arc::clone(&self.settled) as _,
        )
    }

    /// Permits the oldest open question; gives its command.
    pub(super) fn permit(&mut self) -> Command {
        let command = self.open.pop_front().expect("an open question");
        let permit = self.permission();
        self.answer(Answer::Permitted(permit)).unwrap();
        command
    }

    pub(super) fn permit_all(&mut self) {
        while !self.open.is_empty() {
            self.permit();
        }
    }

    pub(super) fn refuse(&mut self) -> Command {
        let command = self.open.pop_front().expect("an open question");
        self.answer(Answer::Refused(Denial::new(DenialCode::Forbidden, "no")))
            .unwrap();
        command
    }

    pub(super) fn hold(&mut self) {
        let held = Held {
            approval: "cs-00000001".into(),
            message: "waiting for payments-oncall".into(),
        };
        self.answer(Answer::Held(held)).unwrap();
    }

    /// What the client was sent since, as [`say::told`].
    pub(super) fn take_client(&mut self) -> Vec<String> {
        let bytes = self.to_client.split();
        match bytes.first() {
            Some(b'S' | b'N') if bytes.len() == 1 => {
                vec![String::from_utf8(bytes.to_vec()).unwrap()]
            }
            _ => say::told(&bytes),
        }
    }

    /// What the upstream was sent since, as [`say::asked`]; a startup packet is left out.
    pub(super) fn take_upstream(&mut self) -> Vec<String> {
        let bytes = self.to_upstream.split();
        if bytes.first() == Some(&0) {
            Vec::new()
        } else {
            say::asked(&bytes)
        }
    }

    /// Outcomes since, as status and tag.
    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        std::mem::take(&mut self.settled.0.lock().unwrap())
    }

    pub(super) fn statuses(&self) -> Vec<model::Status> {
        self.outcomes()
            .into_iter()
            .map(|outcome| outcome.status)
            .collect()
    }
}

/// The answer of an upstream to a select of one text column of no relation.
pub(super) fn one_row(value: &str) -> Bytes {
    say::join(&[
        say::columns(&[("a", 0, 0, 25)]),
        say::row(&[value]),
        say::complete("SELECT 1"),
        write::ready(b'I'),
    ])
}

/// A kind of message that the upstream must not send.
pub(super) const NO_KIND: u8 = server::COPY_BOTH;
