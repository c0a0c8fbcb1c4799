//! The gateway around a session: it answers, carries out, and holds the session to what it must keep.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ::ledger::{Durability, Log, Options};
use ::model::{
    Command, DataClass, Denial, DenialCode, Identity, Obligations, Outcome, Permit, Proof, Settle,
    Timestamp,
};
use ::sql::postgres::{Catalog, Column, Declaration, Relation, RelationKind};
use bytes::Bytes;
use protocols::postgres::catalog::{Loaded, Loading, Types, Within};
use protocols::postgres::known::Known;
use protocols::postgres::settings::{Limits, Settings};
use protocols::postgres::wire::{Bind, Frame, Framer, Parse, Reader, client, server};
use protocols::postgres::{
    Analyses, Connection, OWED_MAX, QUESTIONS_MAX, Served, Targets, Transport,
};
use protocols::session::{
    Answer, Effect, Effects, Held, Peer, Question, Secured, Session, TlsWish, Violation,
};

use super::say::{self, CARD};
use super::script::Step;
use super::server::Server;
use crate::ledger::signer;
use crate::login::upstream;
use crate::pieces::owned;

/// The ledger of this process: only it makes what a permit needs.
static LOG: LazyLock<(Log, tempfile::TempDir)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a folder");
    let options = Options {
        origin: "fuzz.example/log".to_owned(),
        key: signer(),
        durability: Durability::Interval(Duration::from_millis(100)),
        integrate_every: Duration::from_secs(1),
    };
    (Log::open(dir.path(), options).expect("a ledger"), dir)
});

static TARGETS: LazyLock<Arc<Targets>> = LazyLock::new(|| {
    let mut settings = Settings::new("bank", "bank_db");
    settings.declared = declared();
    let served = Served {
        settings: Arc::new(settings),
        analyses: Arc::new(Analyses::new(1 << 20)),
        meant: Arc::default(),
    };
    Arc::new(Targets::from([("bank".to_owned(), served)]))
});

static KNOWN: LazyLock<Arc<Known>> = LazyLock::new(|| {
    let mut catalog = Catalog::builder();
    catalog.add(relation(500, "customers", ["id", "ssn"]));
    catalog.add(relation(501, "t", ["n", "words"]));
    let loaded = Loaded {
        catalog: Arc::new(catalog.build()),
        types: Types::built_in(),
        digest: 0,
        own_temporary: None,
    };
    Arc::new(Known::new(loaded, &declared(), &[]))
});

/// What the gateway sends of its own accord, without a permit: the catalog's queries, in and out of transactions.
static OWN: LazyLock<HashSet<Bytes>> = LazyLock::new(|| {
    let mut fx = Effects::new();
    for within in [Within::Idle, Within::Transaction] {
        let _ = Loading::start(within, Limits::default(), &mut fx);
    }
    fx.into_iter()
        .filter_map(|effect| match effect {
            Effect::Send(Peer::Upstream, bytes) => Some(bytes),
            _ => None,
        })
        .collect()
});

fn declared() -> Vec<Declaration> {
    vec![Declaration {
        schema: "public".to_owned(),
        table: "customers".to_owned(),
        column: "ssn".to_owned(),
        class: DataClass::US_SSN,
        path: None,
    }]
}

fn relation(oid: u32, name: &str, columns: [&str; 2]) -> Relation {
    let column = |(index, name): (usize, &str)| Column {
        number: index as i16 + 1,
        name: name.to_owned(),
        type_oid: [23, 25][index],
        modifier: -1,
        generated: false,
    };
    Relation {
        oid,
        schema: "public".to_owned(),
        name: name.to_owned(),
        kind: RelationKind::Table,
        columns: columns.into_iter().enumerate().map(column).collect(),
        definition: None,
        toast: 0,
    }
}

#[derive(Default)]
struct Settled(AtomicUsize);

impl Settle for Settled {
    fn settle(&self, _: u64, _: Outcome) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What was allowed and is not used up.
#[derive(Default)]
struct Budget {
    /// Permits given, by text.
    permitted: HashMap<Bytes, usize>,
    /// Permits given to run something, not only to prepare it.
    runs: usize,
    copies: bool,
    queries: HashMap<Bytes, usize>,
    parses: HashMap<Bytes, usize>,
    ran: usize,
}

pub(super) struct Gateway {
    session: Connection,
    open: VecDeque<Question>,
    server: Server,
    to_client: Framer,
    to_upstream: Framer,
    /// Before that, answers are single bytes.
    live: bool,
    /// The upstream was sent a StartupMessage.
    introduced: bool,
    closed: bool,
    violated: bool,
    /// Only the server that behaves has spoken, and nothing was revealed.
    tame: bool,
    cut: u8,
    gathering: bool,
    gathered: Vec<u8>,
    budget: Budget,
    given: usize,
    settled: Arc<Settled>,
}

impl Gateway {
    /// Before the first packet.
    pub(super) fn new() -> Self {
        Self {
            session: Connection::new(Arc::clone(&TARGETS), Transport::Loopback, true),
            open: VecDeque::new(),
            server: Server::default(),
            to_client: Framer::messages(usize::MAX),
            to_upstream: Framer::startup(),
            live: false,
            introduced: false,
            closed: false,
            violated: false,
            tame: true,
            cut: 0x3f,
            gathering: false,
            gathered: Vec::new(),
            budget: Budget::default(),
            given: 0,
            settled: Arc::default(),
        }
    }

    /// Logged in on both sides.
    pub(super) fn live() -> Self {
        let mut gateway = Self::new();
        gateway.play(Step::Client(say::startup(0)));
        gateway.play(Step::Client(say::startup(5)));
        gateway.play(Step::Permit(0));
        gateway.play(Step::Permit(0));
        gateway.play(Step::Upstream(say::welcome()));
        assert!(gateway.live, "the login is a good one");
        gateway.tame = true;
        gateway
    }

    pub(super) fn is_over(&self) -> bool {
        self.closed || self.violated
    }

    pub(super) fn play(&mut self, step: Step) {
        match step {
            Step::Client(bytes) if self.gathering => self.gathered.extend_from_slice(&bytes),
            Step::Client(bytes) => self.client(&bytes),
            Step::Gather => {
                self.gathering = !self.gathering;
                let gathered = std::mem::take(&mut self.gathered);
                self.client(&gathered);
            }
            Step::Upstream(bytes) => {
                self.tame = false;
                self.upstream(&bytes);
            }
            Step::Answer(mood) => {
                let bytes = self.server.answer(mood);
                self.upstream(&bytes);
            }
            Step::Permit(how) => self.yes(how),
            Step::Refuse => self.no(),
            Step::Hold => {
                if matches!(self.open.front(), Some(Question::May(_))) {
                    let held = Held {
                        approval: "cs-00000001".to_owned(),
                        message: "wait".to_owned(),
                    };
                    self.answer(Answer::Held(held));
                }
            }
            Step::Cancel => self.answer(Answer::Cancelled),
            Step::ClientEnds => self.ended(Peer::Client),
            Step::UpstreamEnds => self.ended(Peer::Upstream),
            Step::Cut(how) => self.cut = how,
        }
    }

    /// The client sends, and waits where the session says so.
    fn client(&mut self, bytes: &[u8]) {
        for piece in owned(self.cut, bytes) {
            if self.is_over() || !self.session.wants(Peer::Client) {
                return;
            }
            self.receive(Peer::Client, piece);
        }
    }

    fn upstream(&mut self, bytes: &[u8]) {
        if !self.introduced {
            return;
        }
        for piece in owned(self.cut, bytes) {
            if self.is_over() {
                return;
            }
            self.receive(Peer::Upstream, piece);
        }
    }

    fn receive(&mut self, from: Peer, piece: Bytes) {
        let mut fx = Effects::new();
        let result = self.session.receive(from, piece, &mut fx);
        self.after(result, fx);
    }

    fn answer(&mut self, answer: Answer) {
        let mut fx = Effects::new();
        let result = self.session.answer(answer, &mut fx);
        self.after(result, fx);
    }

    fn ended(&mut self, peer: Peer) {
        let mut fx = Effects::new();
        self.session.ended(peer, &mut fx);
        self.after(Ok(()), fx);
        self.closed = true;
    }

    fn yes(&mut self, how: u8) {
        match self.open.pop_front() {
            None => {}
            Some(Question::Who(_)) => self.answer(Answer::Known(Arc::new(identity()))),
            Some(Question::Reach) => {
                let mut reached = upstream(TlsWish::Disable);
                reached.knowledge = (how & 1 == 0).then(|| Arc::clone(&*KNOWN) as _);
                self.introduced = true;
                self.answer(Answer::Reached(Box::new(reached)));
            }
            Some(Question::May(command)) => {
                let permit = self.permit(&command, how);
                self.answer(Answer::Permitted(permit));
            }
            Some(Question::Cancel(_)) => {}
        }
    }

    fn permit(&mut self, command: &Command, how: u8) -> Permit {
        let mut obligations = Obligations::default();
        if how & 1 != 0 {
            obligations.reveal = BTreeSet::from([DataClass::PAN, DataClass::US_SSN]);
            self.tame = false;
        }
        obligations.rows_max = (how & 2 != 0).then_some(0);
        obligations.bytes_max = (how & 4 != 0).then_some(8);
        *self
            .budget
            .permitted
            .entry(command.text.clone())
            .or_default() += 1;
        if &*command.tag != "PREPARE" || command.text.starts_with(b"prepare") {
            self.budget.runs += 1;
        }
        self.budget.copies |= command.text.starts_with(b"copy");
        self.given += 1;
        let receipt = LOG
            .0
            .append(b"intent".to_vec())
            .wait()
            .expect("it is written");
        Permit::new(
            receipt,
            Arc::new(obligations),
            Arc::clone(&self.settled) as _,
        )
    }

    fn no(&mut self) {
        if self.open.pop_front().is_some() {
            self.answer(Answer::Refused(Denial::new(DenialCode::Forbidden, "no")));
        }
    }

    fn after(&mut self, result: Result<(), Violation>, fx: Effects<Bytes>) {
        let mut secured = Vec::new();
        for effect in fx {
            assert!(!self.closed, "an effect after the end: {effect:?}");
            match effect {
                Effect::Send(Peer::Client, bytes) => self.shown(bytes),
                Effect::Send(Peer::Upstream, bytes) => self.sent(bytes),
                Effect::Ask(Question::Cancel(_)) => {}
                Effect::Ask(question) => self.open.push_back(question),
                Effect::Settle(permit, outcome) => permit.settle(outcome),
                Effect::Cancelable(_) => self.live = true,
                Effect::StartTls(peer) => secured.push(peer),
                Effect::Close => self.closed = true,
                Effect::Note(_)
                | Effect::Found(_)
                | Effect::Aside { .. }
                | Effect::Withdraw
                | Effect::Learning
                | Effect::Learned(_)
                | Effect::Outdated => {}
            }
        }
        assert!(
            self.open.len() <= QUESTIONS_MAX,
            "more questions than there may be"
        );
        self.violated |= result.is_err();
        for peer in secured {
            self.answer(Answer::Secured(peer, Secured::default()));
        }
    }

    fn shown(&mut self, bytes: Bytes) {
        if !self.live && bytes.len() == 1 {
            return;
        }
        self.to_client.push(bytes);
        while let Some(frame) = self.to_client.next().expect("the client is sent messages") {
            let is_data = matches!(
                frame.kind,
                server::DATA_ROW | server::COPY_DATA | server::ERROR
            );
            let holds_card = memchr::memmem::find(&frame.body, CARD.as_bytes()).is_some();
            assert!(
                !(self.tame && is_data && holds_card),
                "the client sees a card number"
            );
        }
        assert!(
            self.to_client.is_empty(),
            "the client is sent part of a message"
        );
    }

    fn sent(&mut self, bytes: Bytes) {
        let own = OWN.contains(&bytes);
        self.to_upstream.push(bytes);
        while let Some(frame) = self
            .to_upstream
            .next()
            .expect("the upstream is sent messages")
        {
            if frame.kind == 0 {
                self.to_upstream.expect_messages(usize::MAX);
                continue;
            }
            if !own {
                self.budget.spend(&frame);
            }
            self.server.asked.push_back(frame);
        }
        assert!(
            self.to_upstream.is_empty(),
            "the upstream is sent part of a message"
        );
        // A refusal takes two messages, a description may be asked for before it, and a catalog is some sixty.
        assert!(
            self.server.asked.len() <= 4 * OWED_MAX,
            "more is sent ahead than may be"
        );
    }

    /// Whatever was permitted is settled, once.
    pub(super) fn finish(self) {
        let Self {
            session,
            open,
            settled,
            given,
            ..
        } = self;
        drop((session, open));
        assert_eq!(
            settled.0.load(Ordering::Relaxed),
            given,
            "a permit settles once"
        );
    }
}

impl Budget {
    /// Takes from what was permitted what a message to the upstream needs.
    fn spend(&mut self, frame: &Frame) {
        match frame.kind {
            client::QUERY => {
                let text = Reader::new(&frame.body).cstr().expect("a text");
                self.ran += 1;
                *self.queries.entry(text.clone()).or_default() += 1;
                self.holds(&text, self.queries[&text]);
            }
            client::PARSE => {
                let parse = Parse::read(frame).expect("what is sent can be read");
                *self.parses.entry(parse.text.clone()).or_default() += 1;
                self.holds(&parse.text, self.parses[&parse.text]);
            }
            client::BIND => match Bind::read(frame) {
                Ok(bind) if &*bind.statement != b"refused by countersign" => self.ran += 1,
                // A Bind that certainly fails stands for a refusal.
                _ => {}
            },
            client::COPY_DATA | client::COPY_DONE => {
                assert!(self.copies, "COPY data without a permitted COPY");
            }
            client::EXECUTE => assert!(self.ran > 0, "Execute of what nobody bound"),
            client::FUNCTION_CALL => panic!("a function is called"),
            _ => {}
        }
        assert!(
            self.ran <= self.runs,
            "{} ran, {} were permitted",
            self.ran,
            self.runs
        );
    }

    fn holds(&self, text: &Bytes, used: usize) {
        let permitted = self.permitted.get(text).copied().unwrap_or(0);
        assert!(
            used <= permitted,
            "{text:?} went up {used} times, permitted {permitted} times"
        );
    }
}

fn identity() -> Identity {
    Identity {
        human: "alice".to_owned(),
        agent: None,
        groups: BTreeSet::new(),
        proof: Proof {
            issuer: "i".to_owned(),
            subject: "s".to_owned(),
            token_id: None,
            key_id: None,
            expires: Timestamp::MAX,
        },
    }
}
