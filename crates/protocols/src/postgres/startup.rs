//! From the first packet to the first ReadyForQuery (PostgreSQL manual, "Message Flow: Start-up").
//!
//! The token travels as a cleartext password, so off this machine TLS must stand first. Who asks and for which target is
//! decided before the target is connected to; nothing of the target shows before.

mod welcome;

use std::sync::Arc;

use bytes::Bytes;
use model::{Denial, DenialCode, Secret};

use super::catalog::{Loading, Tries, Within};
use super::deny;
use super::known::Known;
use super::live::Live;
use super::login::{LoggedIn, Login, Wishes};
use super::session::{Served, Targets, Transport, client_broke, upstream_broke};
use super::wire::{self, Framer, Malformed, Reader, Startup, StartupRequest, client, write};
use crate::session::{Answer, Credential, Effect, Effects, Peer, Question, Upstream, Violation};
use welcome::{load_failed, login_failed, open, refused};

/// The newest minor version that is spoken with clients.
const MINOR_MAX: u16 = 2;
/// A client may ask for encryption so often before its startup packet: once for TLS, once for GSSAPI.
const ENCRYPTION_REQUESTS_MAX: u8 = 2;
/// What a client may send ahead while it is being logged in, in bytes.
const AHEAD_BYTES_MAX: usize = 64 << 10;

/// What comes after a step of the start.
pub(super) enum Next {
    /// Nothing yet.
    Still,
    /// The end.
    End,
    /// Both sides are logged in; this came of the upstream already.
    Live(Box<Live>, Bytes),
}

/// A connection on which nobody is logged in yet.
pub(super) struct Starting {
    targets: Arc<Targets>,
    transport: Transport,
    tls: bool,
    secured: bool,
    encryption_requests: u8,
    state: State,
}

enum State {
    /// The startup packet is to come.
    Packet,
    /// The relay shakes hands with the client.
    Handshake,
    /// The token is to come.
    Token(Client),
    /// The gateway looks at the token.
    Who(Client),
    /// The gateway connects.
    Reach(Client, Served, Wishes),
    /// The upstream is logged in to.
    Login(Client, Served, Box<Ahead>),
    /// The catalog is read.
    Catalog(Client, Served, Box<Loaded>),
    Ended,
}

/// What the client said of itself.
struct Client {
    minor: u16,
    user: String,
    database: String,
    application: String,
    parameters: Vec<(Bytes, Bytes)>,
}

struct Ahead {
    login: Login,
    random: [u8; 64],
    known: Option<Arc<Known>>,
}

struct Loaded {
    logged_in: LoggedIn,
    random: [u8; 64],
    loading: Loading,
    tries: Tries,
    framer: Framer,
}

impl Starting {
    pub(super) fn new(targets: Arc<Targets>, transport: Transport, tls: bool) -> Self {
        Self {
            targets,
            transport,
            tls,
            secured: false,
            encryption_requests: 0,
            state: State::Packet,
        }
    }

    pub(super) fn wants(&self, from: Peer) -> bool {
        match from {
            Peer::Client => matches!(
                self.state,
                State::Packet | State::Handshake | State::Token(_)
            ),
            Peer::Upstream => matches!(self.state, State::Login(..) | State::Catalog(..)),
        }
    }

    /// Takes what the client sent; `framer` holds it.
    pub(super) fn client(
        &mut self,
        framer: &mut Framer,
        fx: &mut Effects<Bytes>,
    ) -> Result<Next, Violation> {
        loop {
            let malformed = |malformed: Malformed| client_broke(malformed.0);
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Packet => {
                    let Some(frame) = framer.next().map_err(malformed)? else {
                        self.state = State::Packet;
                        return Ok(Next::Still);
                    };
                    let request = StartupRequest::read(&frame).map_err(malformed)?;
                    if let Some(next) = self.request(request, framer, fx)? {
                        return Ok(next);
                    }
                }
                State::Handshake => return Err(client_broke("bytes before TLS stood")),
                State::Token(client) => {
                    let Some(frame) = framer.next().map_err(malformed)? else {
                        self.state = State::Token(client);
                        return Ok(Next::Still);
                    };
                    return self.token(client, &frame, fx);
                }
                State::Ended => return Ok(Next::End),
                busy => {
                    self.state = busy;
                    if framer.held() > AHEAD_BYTES_MAX {
                        return Err(client_broke(
                            "too much was sent before the login was answered",
                        ));
                    }
                    return Ok(Next::Still);
                }
            }
        }
    }

    /// Answers the first packet. `None`: another may follow.
    fn request(
        &mut self,
        request: StartupRequest,
        framer: &mut Framer,
        fx: &mut Effects<Bytes>,
    ) -> Result<Option<Next>, Violation> {
        match request {
            StartupRequest::Cancel(key) => {
                fx.push(Effect::Ask(Question::Cancel(key)));
                fx.push(Effect::Close);
                Ok(Some(Next::End))
            }
            StartupRequest::Tls | StartupRequest::Gss
                if self.encryption_requests >= ENCRYPTION_REQUESTS_MAX =>
            {
                Err(client_broke("encryption was asked for too often"))
            }
            StartupRequest::Tls if self.tls && !self.secured => {
                self.encryption_requests += 1;
                if !framer.is_empty() {
                    return Err(client_broke(
                        "bytes followed the request for TLS before it was answered",
                    ));
                }
                fx.push(Effect::Send(Peer::Client, Bytes::from_static(b"S")));
                fx.push(Effect::StartTls(Peer::Client));
                self.state = State::Handshake;
                Ok(Some(Next::Still))
            }
            StartupRequest::Tls | StartupRequest::Gss => {
                self.encryption_requests += 1;
                fx.push(Effect::Send(Peer::Client, Bytes::from_static(b"N")));
                self.state = State::Packet;
                Ok(None)
            }
            StartupRequest::Session(startup) => self.startup(startup, framer, fx).map(Some),
        }
    }

    fn startup(
        &mut self,
        startup: Startup,
        framer: &mut Framer,
        fx: &mut Effects<Bytes>,
    ) -> Result<Next, Violation> {
        framer.expect_messages(wire::LOGIN_BYTES_MAX);
        if self.transport == Transport::Remote && !self.secured {
            let words = "TLS is required, because the password is a token";
            fx.push(Effect::Send(
                Peer::Client,
                deny::plain(
                    "FATAL",
                    "28000",
                    words,
                    "Connect with sslmode=require or stricter.",
                ),
            ));
            fx.push(Effect::Close);
            return Ok(Next::End);
        }
        let text = |name: &str| {
            startup
                .value(name)
                .map(|value| String::from_utf8_lossy(value).into_owned())
        };
        let Some(user) = text("user").filter(|user| !user.is_empty()) else {
            let words = "no PostgreSQL user name specified in startup packet";
            fx.push(Effect::Send(
                Peer::Client,
                deny::plain("FATAL", "28000", words, ""),
            ));
            fx.push(Effect::Close);
            return Ok(Next::End);
        };
        let minor = if startup.minor >= MINOR_MAX {
            MINOR_MAX
        } else {
            0
        };
        let options = startup
            .parameters
            .iter()
            .map(|(name, _)| name)
            .filter(|name| name.starts_with(b"_pq_."));
        let unknown: Vec<Bytes> = options.cloned().collect();
        if minor != startup.minor || !unknown.is_empty() {
            fx.push(Effect::Send(
                Peer::Client,
                write::negotiate(minor, &unknown),
            ));
        }
        fx.push(Effect::Send(Peer::Client, write::authentication_password()));
        let database = text("database")
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| user.clone());
        let application = text("application_name").unwrap_or_default();
        self.state = State::Token(Client {
            minor,
            user,
            database,
            application,
            parameters: startup.parameters,
        });
        self.client(framer, fx)
    }

    fn token(
        &mut self,
        client: Client,
        frame: &wire::Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<Next, Violation> {
        if frame.kind != client::PASSWORD {
            return Err(client_broke(
                "a message other than the password, before login",
            ));
        }
        let mut body = Reader::new(&frame.body);
        let token = body
            .cstr()
            .and_then(|token| body.end().map(|()| token))
            .map_err(|m| client_broke(m.0))?;
        fx.push(Effect::Ask(Question::Who(Credential {
            token: Secret::new(token.to_vec()),
            target: client.database.clone(),
            user: client.user.clone(),
            client: client.application.clone(),
        })));
        self.state = State::Who(client);
        Ok(Next::Still)
    }

    /// Takes an answer of the gateway.
    pub(super) fn answer(
        &mut self,
        answer: Answer,
        framer: &mut Framer,
        fx: &mut Effects<Bytes>,
    ) -> Result<Next, Violation> {
        match (std::mem::replace(&mut self.state, State::Ended), answer) {
            (State::Handshake, Answer::Secured(Peer::Client, _)) => {
                self.secured = true;
                self.state = State::Packet;
                self.client(framer, fx)
            }
            (State::Who(client), Answer::Known(_)) => Ok(self.known(client, fx)),
            (State::Reach(client, served, wishes), Answer::Reached(upstream)) => {
                Ok(self.reached(client, served, wishes, *upstream, fx))
            }
            (State::Login(client, served, mut ahead), Answer::Secured(Peer::Upstream, secured)) => {
                match ahead.login.secured(secured, fx) {
                    Ok(()) => {
                        self.state = State::Login(client, served, ahead);
                        Ok(Next::Still)
                    }
                    Err(error) => Err(login_failed(&error, fx)),
                }
            }
            (State::Who(_) | State::Reach(..), Answer::Refused(denial)) => Ok(refused(&denial, fx)),
            (state, _) => {
                self.state = state;
                Ok(Next::Still)
            }
        }
    }

    fn known(&mut self, client: Client, fx: &mut Effects<Bytes>) -> Next {
        let Some(served) = self.targets.get(&client.database).cloned() else {
            let words = "there is no such target, or this identity may not use it";
            return refused(&Denial::new(DenialCode::UnknownTarget, words), fx);
        };
        match Wishes::read(&client.parameters, served.settings.replication) {
            Ok(wishes) => {
                fx.push(Effect::Ask(Question::Reach));
                self.state = State::Reach(client, served, wishes);
                Next::Still
            }
            Err(denial) => refused(&denial, fx),
        }
    }

    fn reached(
        &mut self,
        client: Client,
        served: Served,
        wishes: Wishes,
        upstream: Upstream,
        fx: &mut Effects<Bytes>,
    ) -> Next {
        let random = upstream.random;
        let known = upstream
            .knowledge
            .clone()
            .and_then(|knowledge| knowledge.downcast::<Known>().ok());
        let login = Login::start(upstream, &served.settings, wishes, fx);
        self.state = State::Login(
            client,
            served,
            Box::new(Ahead {
                login,
                random,
                known,
            }),
        );
        Next::Still
    }

    /// Takes what the upstream sent.
    pub(super) fn upstream(
        &mut self,
        piece: Bytes,
        fx: &mut Effects<Bytes>,
    ) -> Result<Next, Violation> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Login(client, served, mut ahead) => match ahead.login.receive(piece, fx) {
                Ok(None) => {
                    self.state = State::Login(client, served, ahead);
                    Ok(Next::Still)
                }
                Ok(Some(logged_in)) => {
                    let (random, known) = (ahead.random, ahead.known);
                    self.logged_in(client, served, logged_in, random, known, fx)
                }
                Err(error) => Err(login_failed(&error, fx)),
            },
            State::Catalog(client, served, loaded) => {
                self.catalog(client, served, loaded, piece, fx)
            }
            _ => Err(upstream_broke("bytes that nothing was sent for")),
        }
    }

    fn logged_in(
        &mut self,
        client: Client,
        served: Served,
        mut logged_in: LoggedIn,
        random: [u8; 64],
        known: Option<Arc<Known>>,
        fx: &mut Effects<Bytes>,
    ) -> Result<Next, Violation> {
        let leftover = std::mem::take(&mut logged_in.leftover);
        if let Some(known) = known {
            let live = open(client, served, logged_in, &random, known, fx);
            return Ok(Next::Live(Box::new(live), leftover));
        }
        let loading = Loading::start(Within::Idle, served.settings.limits, fx);
        let framer = Framer::messages(wire::UPSTREAM_BYTES_MAX);
        let loaded = Box::new(Loaded {
            logged_in,
            random,
            loading,
            tries: Tries::default(),
            framer,
        });
        self.catalog(client, served, loaded, leftover, fx)
    }

    fn catalog(
        &mut self,
        client: Client,
        served: Served,
        mut loaded: Box<Loaded>,
        piece: Bytes,
        fx: &mut Effects<Bytes>,
    ) -> Result<Next, Violation> {
        loaded.framer.push(piece);
        while let Some(frame) = loaded.framer.next().map_err(|m| upstream_broke(m.0))? {
            match loaded.loading.receive(&frame) {
                Ok(None) => {}
                Ok(Some(catalog)) => {
                    let known = Known::of(catalog, &served);
                    let knowledge: crate::session::Knowledge = Arc::clone(&known) as _;
                    fx.push(Effect::Learned(knowledge));
                    let leftover = loaded.framer.take();
                    let live = open(client, served, loaded.logged_in, &loaded.random, known, fx);
                    return Ok(Next::Live(Box::new(live), leftover));
                }
                Err(error) if loaded.tries.again(&error) => {
                    let limits = served.settings.limits;
                    loaded.loading = Loading::start(Within::Idle, limits, fx);
                }
                Err(error) => return Err(load_failed(&error, fx)),
            }
        }
        self.state = State::Catalog(client, served, loaded);
        Ok(Next::Still)
    }

    /// A peer closed its connection.
    pub(super) fn ended(self, peer: Peer, fx: &mut Effects<Bytes>) {
        if peer == Peer::Upstream {
            let denial = Denial::new(
                DenialCode::UpstreamUnavailable,
                "the target closed the connection during login: try again",
            );
            fx.push(Effect::Send(Peer::Client, deny::fatal(&denial)));
        }
        fx.push(Effect::Close);
    }
}
