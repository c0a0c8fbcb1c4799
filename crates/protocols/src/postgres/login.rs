//! Logging in to the upstream with the target's own account.
//!
//! ```text
//! SSLRequest ─▶ 'S' ─▶ TLS ─▶ StartupMessage ─▶ Authentication… ─▶ ParameterStatus, BackendKeyData ─▶ ReadyForQuery
//!           └─▶ 'N' (only where TLS is merely preferred) ─┘
//! ```
//!
//! PostgreSQL manual, "Message Flow: Start-up" and "SSL Session Encryption". Nothing that the server says before it has
//! proved itself reaches the client, and nothing that names the account or the address does at all: a [`LoginError`] has
//! one text for the client and one for whoever runs the gateway.

mod exchange;
mod wishes;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use model::{Denial, DenialCode};

use super::settings::Settings;
use super::wire::{self, Frame, Framer, Malformed, Reader, Report, server, write};
use crate::session::{Effect, Effects, Peer, Secured, TlsWish, Upstream};
use exchange::Exchange;

pub use wishes::Wishes;

/// The longest `application_name` that PostgreSQL keeps (`NAMEDATALEN` - 1).
pub const APPLICATION_NAME_BYTES_MAX: usize = 63;
/// So many ParameterStatus messages are kept; PostgreSQL sends some fifteen.
pub const PARAMETERS_MAX: usize = 256;
/// So many NoticeResponse messages of a login are kept; more are dropped.
pub const NOTICES_MAX: usize = 16;
/// So many messages a server may send before it is ready.
pub const MESSAGES_MAX: usize = 1_024;

/// Why a login failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operator}")]
pub struct LoginError {
    /// For the client; names neither account nor address.
    pub denial: Denial,
    /// For whoever runs the gateway; holds no secret.
    pub operator: String,
}

impl LoginError {
    fn new(client: impl Into<String>, operator: impl Into<String>) -> Self {
        Self {
            denial: Denial::new(DenialCode::UpstreamUnavailable, client),
            operator: operator.into(),
        }
    }

    /// For a failure that only whoever runs the gateway can mend.
    fn ours(operator: impl Into<String>) -> Self {
        Self::new(
            "the gateway could not log in to the target: tell whoever runs the gateway, its log says why",
            operator,
        )
    }
}

impl From<Malformed> for LoginError {
    fn from(malformed: Malformed) -> Self {
        Self::ours(format!(
            "the upstream does not speak the PostgreSQL protocol: {malformed}"
        ))
    }
}

/// A login that succeeded.
#[derive(Debug)]
pub struct LoggedIn {
    /// What ParameterStatus told, in order.
    pub parameters: Vec<(Bytes, Bytes)>,
    /// Process id and key for CancelRequest, where the server gave them.
    pub backend_key: Option<(u32, Bytes)>,
    /// Notices of the login, unmasked, at most [`NOTICES_MAX`].
    pub notices: Vec<Frame>,
    /// Whether the connection is protected: then a CancelRequest asks for TLS too.
    pub tls: bool,
    /// What the client wished and the server was told.
    pub wishes: Wishes,
    /// What came after ReadyForQuery.
    pub leftover: Bytes,
}

/// A login under way.
#[derive(Debug)]
pub struct Login {
    framer: Framer,
    state: State,
    startup: Bytes,
    tls_wish: TlsWish,
    exchange: Exchange,
    gathered: LoggedIn,
    messages: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// SSLRequest was sent.
    AwaitingTlsAnswer,
    /// The relay is shaking hands.
    AwaitingTls,
    /// StartupMessage was sent.
    Authenticating,
    /// The server let us in.
    Starting,
}

impl Login {
    /// Begins: asks for TLS, or where it is not wanted sends the StartupMessage at once.
    #[must_use]
    pub fn start(
        upstream: Upstream,
        settings: &Settings,
        wishes: Wishes,
        fx: &mut Effects<Bytes>,
    ) -> Self {
        let startup = startup_message(&upstream, settings, &wishes);
        let tls_wish = upstream.tls;
        let mut login = Self {
            framer: Framer::messages(wire::UPSTREAM_LOGIN_BYTES_MAX),
            state: State::AwaitingTlsAnswer,
            startup,
            tls_wish,
            exchange: Exchange::new(upstream, settings.auth),
            gathered: LoggedIn {
                parameters: Vec::with_capacity(20),
                backend_key: None,
                notices: Vec::new(),
                tls: false,
                wishes,
                leftover: Bytes::new(),
            },
            messages: 0,
        };
        if tls_wish == TlsWish::Disable {
            login.send_startup(fx);
        } else {
            fx.push(Effect::Send(Peer::Upstream, write::ssl_request()));
        }
        login
    }

    /// Takes what the upstream sent; gives the session once it is ready.
    ///
    /// # Errors
    /// [`LoginError`]; the connection is of no further use.
    pub fn receive(
        &mut self,
        piece: Bytes,
        fx: &mut Effects<Bytes>,
    ) -> Result<Option<LoggedIn>, LoginError> {
        match self.state {
            State::AwaitingTlsAnswer => self.tls_answer(&piece, fx).map(|()| None),
            State::AwaitingTls => Err(injected()),
            State::Authenticating | State::Starting => {
                self.framer.push(piece);
                self.frames(fx)
            }
        }
    }

    /// TLS stands.
    ///
    /// # Errors
    /// [`LoginError`] where it was not asked for.
    pub fn secured(&mut self, secured: Secured, fx: &mut Effects<Bytes>) -> Result<(), LoginError> {
        if self.state != State::AwaitingTls {
            return Err(LoginError::ours("TLS with the upstream was not asked for"));
        }
        self.gathered.tls = true;
        self.exchange.secured(secured);
        self.send_startup(fx);
        Ok(())
    }

    fn send_startup(&mut self, fx: &mut Effects<Bytes>) {
        self.state = State::Authenticating;
        fx.push(Effect::Send(
            Peer::Upstream,
            std::mem::take(&mut self.startup),
        ));
    }

    /// One byte, and nothing after it: what followed would be plain text that later counts as protected.
    fn tls_answer(&mut self, piece: &Bytes, fx: &mut Effects<Bytes>) -> Result<(), LoginError> {
        match (&**piece, self.tls_wish) {
            ([], _) => Ok(()),
            (b"S", _) => {
                self.state = State::AwaitingTls;
                fx.push(Effect::StartTls(Peer::Upstream));
                Ok(())
            }
            (b"N", TlsWish::Prefer | TlsWish::Disable) => {
                self.send_startup(fx);
                Ok(())
            }
            (b"N", TlsWish::Require) => Err(LoginError::ours(
                "the upstream does not offer TLS, and the target requires it: \
                 turn TLS on there, or set the target's tls mode",
            )),
            ([b'S' | b'N', ..], _) => Err(injected()),
            // An error here is not authenticated by anything; its text is not even logged (CVE-2024-10977).
            ([b'E', ..], _) => Err(LoginError::ours(
                "the upstream answered the request for TLS with an error: \
                 it may be out of connections, or no PostgreSQL",
            )),
            _ => Err(LoginError::ours(
                "the upstream answered the request for TLS with something else: is it PostgreSQL?",
            )),
        }
    }

    fn frames(&mut self, fx: &mut Effects<Bytes>) -> Result<Option<LoggedIn>, LoginError> {
        while let Some(frame) = self.framer.next()? {
            self.messages += 1;
            if self.messages > MESSAGES_MAX {
                return Err(LoginError::ours(format!(
                    "the upstream sent more than {MESSAGES_MAX} messages during login"
                )));
            }
            match frame.kind {
                server::ERROR => return Err(refused(&frame)),
                server::NOTICE if self.state == State::Starting => self.notice(frame),
                // Before the server proved itself its notices say nothing.
                server::NOTICE => {}
                server::NEGOTIATE if self.state == State::Authenticating => negotiated(&frame)?,
                server::AUTHENTICATION if self.state == State::Authenticating => {
                    if self.exchange.receive(&frame, self.gathered.tls, fx)? {
                        self.state = State::Starting;
                    }
                }
                _ if self.state == State::Authenticating => return Err(unexpected(frame.kind)),
                server::PARAMETER_STATUS => self.parameter(&frame)?,
                server::BACKEND_KEY_DATA => {
                    self.gathered.backend_key = Some(wire::key_data(&frame)?);
                }
                server::READY => {
                    wire::ready_status(&frame)?;
                    return Ok(Some(self.ready()));
                }
                kind => return Err(unexpected(kind)),
            }
        }
        Ok(None)
    }

    fn notice(&mut self, frame: Frame) {
        if self.gathered.notices.len() < NOTICES_MAX {
            self.gathered.notices.push(frame);
        }
    }

    fn parameter(&mut self, frame: &Frame) -> Result<(), LoginError> {
        let (name, value) = wire::parameter_status(frame)?;
        let parameters = &mut self.gathered.parameters;
        if let Some(known) = parameters.iter_mut().find(|(known, _)| *known == name) {
            known.1 = value;
        } else if parameters.len() < PARAMETERS_MAX {
            parameters.push((name, value));
        } else {
            return Err(LoginError::ours(format!(
                "the upstream reported more than {PARAMETERS_MAX} parameters"
            )));
        }
        Ok(())
    }

    fn ready(&mut self) -> LoggedIn {
        let gathered = &mut self.gathered;
        LoggedIn {
            parameters: std::mem::take(&mut gathered.parameters),
            backend_key: gathered.backend_key.take(),
            notices: std::mem::take(&mut gathered.notices),
            tls: gathered.tls,
            wishes: std::mem::take(&mut gathered.wishes),
            leftover: self.framer.take(),
        }
    }
}

/// The account and database are the target's, the name is the session's; of the client come its [`Wishes`].
fn startup_message(upstream: &Upstream, settings: &Settings, wishes: &Wishes) -> Bytes {
    let application = application_name(&upstream.session);
    let own: [(&[u8], &[u8]); 5] = [
        (b"user", upstream.user.as_bytes()),
        (b"database", settings.database.as_bytes()),
        (b"application_name", application.as_bytes()),
        // The grammar that judges statements reads them so, and the server must read them alike.
        (b"client_encoding", b"UTF8"),
        (b"standard_conforming_strings", b"on"),
    ];
    let wished = wishes
        .list()
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    write::startup(settings.minor, own.into_iter().chain(wished))
}

/// `countersign/<session>`, as long as PostgreSQL keeps it.
#[must_use]
pub fn application_name(session: &str) -> String {
    let printable = session.chars().filter(char::is_ascii_graphic);
    let mut name: String = "countersign/".chars().chain(printable).collect();
    name.truncate(APPLICATION_NAME_BYTES_MAX);
    name
}

/// The server speaks an older minor version, which is good; options it does not know were never sent.
fn negotiated(frame: &Frame) -> Result<(), LoginError> {
    let mut body = Reader::new(&frame.body);
    let (version, unknown) = (body.u32()?, body.u32()?);
    // Some servers name the minor version alone.
    if (version >> 16) != 3 && version > 2 {
        return Err(LoginError::ours(format!(
            "the upstream speaks protocol version {}, the gateway speaks 3",
            version >> 16
        )));
    }
    if unknown != 0 {
        return Err(LoginError::ours(
            "the upstream names protocol options that the gateway did not send",
        ));
    }
    Ok(())
}

/// What a server's refusal means to the client, and what it says to whoever runs the gateway.
fn refused(frame: &Frame) -> LoginError {
    let report = match Report::read(frame) {
        Ok(report) => report,
        Err(malformed) => return malformed.into(),
    };
    let text = |code| {
        let text = report.field(code).map(|text| String::from_utf8_lossy(text));
        let text = text.unwrap_or_default();
        let printable = text.chars().filter(|char| !char.is_control());
        printable.take(300).collect::<String>()
    };
    let code = text(b'C');
    let client = match code.as_str() {
        "53300" => "the target has no free connections: try again later",
        "57P03" => "the target is starting up or shutting down: try again later",
        "57P01" | "57P02" => "the target is restarting: try again later",
        code if code.starts_with("28") => {
            "the target does not accept the gateway's account: tell whoever runs the gateway"
        }
        _ => {
            "the target refused the gateway's login: tell whoever runs the gateway, its log says why"
        }
    };
    LoginError::new(
        client,
        format!("the upstream refused the login: {} ({code})", text(b'M')),
    )
}

fn injected() -> LoginError {
    LoginError::ours(
        "the upstream's answer to the request for TLS was followed by plain text: somebody may stand in between",
    )
}

fn unexpected(kind: u8) -> LoginError {
    LoginError::ours(format!(
        "the upstream sent a message of kind {:?} during login",
        char::from(kind)
    ))
}
