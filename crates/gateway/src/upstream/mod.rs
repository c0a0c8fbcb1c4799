//! Targets: how to reach them, and what was learned of them.

pub mod aws;
mod learned;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use mask::MaskKey;
use model::{AssumedRole, Identity, Secret};
use policy::TargetRef;
use protocols::session::TlsWish;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub use learned::Learned;

use crate::clock::Clock;
use crate::config::{self, HostPort, SecretError, SecretSource, TlsMode};
use crate::listen::settle_socket;
use crate::tls::{self, TlsError};

/// A target at run time.
pub struct Target {
    /// Its name.
    pub name: String,
    /// The name of its protocol.
    pub protocol: &'static str,
    /// The account there.
    pub user: String,
    /// Whether TLS is wanted.
    pub tls: TlsWish,
    /// After so many protected values a person and their agents may ask within a day before that counts as a search.
    pub guesses_per_day: u64,
    way: Way,
    labels: BTreeMap<String, String>,
    connect: Duration,
    knowledge: Learned,
    /// Declarations that the log was last told of, since they name nothing there.
    missing: Mutex<Vec<String>>,
}

/// How a target is reached.
enum Way {
    /// By a connection for each session.
    Wire(Wire),
    /// By HTTP requests.
    Aws(Box<aws::Account>),
}

struct Wire {
    address: HostPort,
    password: Option<SecretSource>,
    client: Option<Arc<ClientConfig>>,
    server_name: ServerName<'static>,
}

/// Why a target cannot be reached. For the operator; the client hears only that it cannot.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// No connection.
    #[error("{0} cannot be reached: {1}")]
    Connect(HostPort, io::Error),
    /// Too slow.
    #[error("{0} did not answer within {1:?}")]
    Timeout(HostPort, Duration),
    /// No password.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// No AWS keys.
    #[error(transparent)]
    Keys(#[from] aws::KeysError),
    /// It speaks another protocol.
    #[error("it is reached by HTTP requests and not by a connection of a session's own")]
    Http,
}

impl Target {
    /// A target as configured.
    ///
    /// # Errors
    /// [`TlsError`] where its authorities cannot be loaded or its host is no name.
    pub fn new(
        name: &str,
        target: &config::Target,
        limits: &config::Limits,
    ) -> Result<Self, TlsError> {
        let server_name = ServerName::try_from(target.address.host.clone())
            .map_err(|error| TlsError::Other(format!("{}: {error}", target.address.host)))?;
        Ok(Self {
            name: name.to_owned(),
            protocol: target.protocol.name(),
            user: target.user.clone(),
            tls: match target.tls {
                TlsMode::Disable => TlsWish::Disable,
                TlsMode::Prefer => TlsWish::Prefer,
                TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => TlsWish::Require,
            },
            guesses_per_day: target.guesses_per_day,
            way: Way::Wire(Wire {
                address: target.address.clone(),
                password: target.password.clone(),
                client: tls::client(target.tls, target.ca.as_deref())?,
                server_name,
            }),
            labels: target.labels.clone(),
            connect: limits.connect,
            knowledge: Learned::new(limits.catalog),
            missing: Mutex::default(),
        })
    }

    /// A target that speaks AWS's APIs, as configured.
    ///
    /// # Errors
    /// [`TlsError`] where its authorities cannot be loaded.
    pub fn aws(
        name: &str,
        target: &config::AwsTarget,
        limits: &config::Limits,
        mask_key: Option<&MaskKey>,
    ) -> Result<Self, TlsError> {
        Ok(Self {
            name: name.to_owned(),
            protocol: config::TargetProtocol::Aws.name(),
            user: target.account(),
            tls: TlsWish::Require,
            // Nothing that is asked of AWS is counted as a guess.
            guesses_per_day: 0,
            way: Way::Aws(Box::new(aws::Account::new(target, limits, mask_key)?)),
            labels: target.labels.clone(),
            connect: limits.connect,
            knowledge: Learned::new(limits.catalog),
            missing: Mutex::default(),
        })
    }

    /// The account behind it, where it speaks AWS's APIs.
    #[must_use]
    pub fn account(&self) -> Option<&aws::Account> {
        match &self.way {
            Way::Aws(account) => Some(account),
            Way::Wire(_) => None,
        }
    }

    fn wire(&self) -> Option<&Wire> {
        match &self.way {
            Way::Wire(wire) => Some(wire),
            Way::Aws(_) => None,
        }
    }

    /// As policy sees it.
    #[must_use]
    pub fn as_policy(&self) -> TargetRef<'_> {
        TargetRef {
            name: &self.name,
            protocol: self.protocol,
            labels: &self.labels,
        }
    }

    /// Who a role is assumed as for a session of `identity`, where one is.
    #[must_use]
    pub fn assumes(&self, identity: &Identity, session: &str) -> Option<AssumedRole> {
        self.account()?.assumes(identity, session)
    }

    /// Tells at start what would be missing later: the password, or the account's keys.
    ///
    /// # Errors
    /// [`ReachError`].
    pub async fn check(&self, clock: &Clock) -> Result<(), ReachError> {
        match &self.way {
            Way::Wire(_) => drop(self.password()?),
            Way::Aws(account) => drop(account.keys(clock).await?),
        }
        Ok(())
    }

    /// The account's password; empty where there is none. Read afresh, so that a rotated one takes effect.
    ///
    /// # Errors
    /// [`SecretError`] where its place holds none.
    pub fn password(&self) -> Result<Secret, SecretError> {
        match &self.way {
            Way::Wire(wire) => wire
                .password
                .as_ref()
                .map_or(Ok(Secret::new(Vec::new())), SecretSource::read),
            Way::Aws(_) => Ok(Secret::new(Vec::new())),
        }
    }

    /// Connects.
    ///
    /// # Errors
    /// [`ReachError`].
    pub async fn connect(&self) -> Result<TcpStream, ReachError> {
        let address = &self.wire().ok_or(ReachError::Http)?.address;
        let to = (address.host.as_str(), address.port);
        let stream = tokio::time::timeout(self.connect, TcpStream::connect(to))
            .await
            .map_err(|_| ReachError::Timeout(address.clone(), self.connect))?
            .map_err(|error| ReachError::Connect(address.clone(), error))?;
        settle_socket(&stream);
        Ok(stream)
    }

    /// How to begin TLS with it, if it may be begun.
    #[must_use]
    pub fn client_tls(&self) -> Option<(Arc<ClientConfig>, ServerName<'static>)> {
        let wire = self.wire()?;
        Some((wire.client.clone()?, wire.server_name.clone()))
    }

    /// Tells the log of declared columns that were not found, where these are not those that it was told of.
    pub(crate) fn tell_missing(&self, missing: Vec<String>) {
        let mut told = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != missing {
            for column in &missing {
                tracing::warn!(
                    target = %self.name,
                    %column,
                    "is declared and not in the database: nothing is protected by it, and of its table, if that is there, nothing is shown"
                );
            }
            *told = missing;
        }
    }

    /// What its sessions learned of it.
    #[must_use]
    pub fn knowledge(&self) -> &Learned {
        &self.knowledge
    }

    /// Opens a further connection, sends `payload`, and waits until the other side closes it. With `preamble` TLS is asked
    /// for first.
    ///
    /// # Errors
    /// Where it cannot be reached or refuses TLS; [`io::ErrorKind::TimedOut`] where it takes longer than the limit.
    pub async fn aside(&self, preamble: Option<Bytes>, payload: Bytes) -> io::Result<()> {
        tokio::time::timeout(self.connect, self.send_aside(preamble, payload)).await?
    }

    async fn send_aside(&self, preamble: Option<Bytes>, payload: Bytes) -> io::Result<()> {
        let mut stream = self.connect().await.map_err(io::Error::other)?;
        let (Some(preamble), Some((config, name))) = (preamble, self.client_tls()) else {
            return deliver(stream, &payload).await;
        };
        stream.write_all(&preamble).await?;
        if stream.read_u8().await? != b'S' {
            return Err(io::Error::other("the upstream does not offer TLS"));
        }
        deliver(
            TlsConnector::from(config).connect(name, stream).await?,
            &payload,
        )
        .await
    }
}

/// Sends, and waits for the end: the other side has then taken it.
async fn deliver(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    payload: &[u8],
) -> io::Result<()> {
    stream.write_all(payload).await?;
    stream.flush().await?;
    let mut ignored = [0; 64];
    while stream.read(&mut ignored).await.is_ok_and(|count| count > 0) {}
    Ok(())
}
