//! A connection of the gateway's own to a PostgreSQL target, on which one simple query follows another.

use std::io;

use bytes::Bytes;
use protocols::postgres::catalog::{LoadError, Loaded, Loading, Tries, Within};
use protocols::postgres::login::{Login, LoginError, Wishes};
use protocols::postgres::settings::{AuthMethods, Limits, Settings};
use protocols::postgres::wire::{
    Frame, Framer, Malformed, Reader, UPSTREAM_BYTES_MAX, error_field, server, write,
};
use protocols::session::{Effect, Effects, Peer, Secured, Upstream};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use crate::config::{self, AuthMethod, SecretError};
use crate::random::{self, NoRandomness};
use crate::tls::server_end_point;
use crate::upstream::{ReachError, Target};

/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;

/// Why a target could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It was not reached.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// Its password was not found.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It let nobody in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The connection failed.
    #[error("the connection to the target failed: {0}")]
    Io(#[from] io::Error),
    /// It speaks something else.
    #[error("the target does not speak the PostgreSQL protocol: {0}")]
    Malformed(#[from] Malformed),
    /// It refused a query, with this SQLSTATE and message.
    #[error("the target refuses a query ({0}): {1}")]
    Refused(String, String),
    /// Its catalog could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

/// A row: its values as text.
pub(super) type Row = Vec<Option<Bytes>>;

trait Link: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Link for T {}

pub(super) struct Server {
    link: Box<dyn Link>,
    framer: Framer,
}

impl Server {
    /// Connects and logs in with the target's own account.
    pub(super) async fn login(
        target: &Target,
        configured: &config::Target,
    ) -> Result<Self, AskError> {
        let settings = Settings {
            auth: AuthMethods {
                md5: configured.auth.contains(&AuthMethod::Md5),
                password: configured.auth.contains(&AuthMethod::Password),
            },
            ..Settings::new(&target.name, &configured.database)
        };
        let upstream = Upstream {
            session: "discover".to_owned(),
            user: target.user.clone(),
            password: target.password()?,
            tls: target.tls,
            random: random::bytes()?,
            knowledge: None,
        };
        let mut link: Box<dyn Link> = Box::new(target.connect().await?);
        let mut fx = Effects::new();
        let mut login = Login::start(upstream, &settings, Wishes::default(), &mut fx);
        loop {
            let secured;
            (link, secured) = carry_out(link, &mut fx, target).await?;
            if let Some(secured) = secured {
                login.secured(secured, &mut fx)?;
                continue;
            }
            let piece = read(&mut *link).await?;
            if let Some(ready) = login.receive(piece, &mut fx)? {
                let mut framer = Framer::messages(UPSTREAM_BYTES_MAX);
                framer.push(ready.leftover);
                return Ok(Self { link, framer });
            }
        }
    }

    /// Asks one query, and hands over its rows one by one.
    pub(super) async fn query(
        &mut self,
        text: &str,
        mut take: impl FnMut(Row),
    ) -> Result<(), AskError> {
        self.link.write_all(&write::query(text.as_bytes())).await?;
        self.link.flush().await?;
        let mut refused = None;
        loop {
            let frame = self.next().await?;
            match frame.kind {
                server::DATA_ROW => take(row(&frame)?),
                server::ERROR => {
                    let field = |code| error_field(&frame, code);
                    refused = Some(AskError::Refused(field(b'C'), field(b'M')));
                }
                server::READY => return refused.map_or(Ok(()), Err),
                _ => {}
            }
        }
    }

    /// Reads the catalog, as a session does. Needs a stack of [`sql::postgres::STACK_BYTES`].
    pub(super) async fn catalog(&mut self, limits: Limits) -> Result<Loaded, AskError> {
        let mut tries = Tries::default();
        loop {
            match self.load(limits).await? {
                Err(error) if tries.again(&error) => {}
                loaded => return Ok(loaded?),
            }
        }
    }

    async fn load(&mut self, limits: Limits) -> Result<Result<Loaded, LoadError>, AskError> {
        let mut fx = Effects::new();
        let mut loading = Loading::start(Within::Idle, limits, &mut fx);
        for effect in fx {
            if let Effect::Send(Peer::Upstream, bytes) = effect {
                self.link.write_all(&bytes).await?;
            }
        }
        self.link.flush().await?;
        loop {
            let frame = self.next().await?;
            if let Some(loaded) = loading.receive(&frame).transpose() {
                return Ok(loaded);
            }
        }
    }

    async fn next(&mut self) -> Result<Frame, AskError> {
        loop {
            if let Some(frame) = self.framer.next()? {
                return Ok(frame);
            }
            let piece = read(&mut *self.link).await?;
            self.framer.push(piece);
        }
    }
}

fn row(frame: &Frame) -> Result<Row, Malformed> {
    let mut body = Reader::new(&frame.body);
    let count = body.count()?;
    (0..count).map(|_| body.value()).collect()
}

async fn read(link: &mut dyn Link) -> Result<Bytes, AskError> {
    let mut buffer = vec![0; READ_BYTES];
    let count = link.read(&mut buffer).await?;
    if count == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    buffer.truncate(count);
    Ok(buffer.into())
}

/// Sends what is to be sent, and begins TLS where that is asked for.
async fn carry_out(
    mut link: Box<dyn Link>,
    fx: &mut Effects<Bytes>,
    target: &Target,
) -> Result<(Box<dyn Link>, Option<Secured>), AskError> {
    for effect in std::mem::take(fx) {
        match effect {
            Effect::Send(Peer::Upstream, bytes) => link.write_all(&bytes).await?,
            Effect::StartTls(Peer::Upstream) => {
                let (settings, name) = target
                    .client_tls()
                    .ok_or_else(|| io::Error::other("TLS is not configured"))?;
                let stream = TlsConnector::from(settings).connect(name, link).await?;
                let certificates = stream.get_ref().1.peer_certificates();
                let server_end_point = certificates
                    .and_then(|all| all.first())
                    .and_then(|certificate| server_end_point(certificate));
                let secured = Secured { server_end_point };
                return Ok((Box::new(stream), Some(secured)));
            }
            _ => {}
        }
    }
    link.flush().await?;
    Ok((link, None))
}
