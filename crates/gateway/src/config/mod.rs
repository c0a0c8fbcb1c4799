//! The configuration: one TOML file to typed, checked values. Parsing touches nothing but the text and the lists of words
//! that it names.
//!
//! `examples/countersign.toml` shows every setting. Paths in it are relative to the file's folder. Secrets never stand in it:
//! a password names a file or an environment variable.

mod aws;
mod declared;
mod parse;
mod read;
mod secret;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mask::Strategy;
use mask::own::OwnClasses;
use model::{DataClass, Digest};

pub use aws::{AwsChain, AwsCredentials, AwsKeys, AwsRole, AwsTarget, Endpoint, KeySource};
pub use declared::{BadDeclared, Declared};
pub use secret::{SecretError, SecretSource};

/// A configuration file is at most so many bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Everything that is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// SHA-256 of the file, and of the lists of words that it names behind it.
    pub digest: Digest,
    /// `data`: where keys, ledger, recordings and the index live. Default `./data`.
    pub data: PathBuf,
    /// `[api]`.
    pub api: Api,
    /// `[postgres]`.
    pub postgres: Listener,
    /// `[aws]`.
    pub aws: Aws,
    /// `[issuer]`.
    pub issuer: BuiltInIssuer,
    /// `[[issuers]]`.
    pub issuers: Vec<Issuer>,
    /// `[policy] folder`: the folder of Cedar files. Default `policies`.
    pub policy_folder: PathBuf,
    /// `[ledger]`.
    pub ledger: Ledger,
    /// `[approval]`.
    pub approval: Approval,
    /// `[recording]`.
    pub recording: Recording,
    /// `[limits]`.
    pub limits: Limits,
    /// `[classes.<name>]`: classes of data that are found besides the built-in ones.
    pub classes: OwnClasses,
    /// `[targets.<name>]` with `protocol = "postgres"`.
    pub targets: BTreeMap<String, Target>,
    /// `[targets.<name>]` with `protocol = "aws"`.
    pub aws_targets: BTreeMap<String, AwsTarget>,
    /// `[people.<human>]`, by the `human` of their identity.
    pub people: BTreeMap<String, Person>,
    /// `[roles]`.
    pub roles: Roles,
}

/// The HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// `listen`: address and port; port 0 takes a free one. Default `127.0.0.1:8480`.
    pub listen: SocketAddr,
    /// `tls = { certificate, key }`; required off loopback.
    pub tls: Option<CertificateFiles>,
}

/// A listener of a wire protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// `listen`: address and port; port 0 takes a free one. Default `127.0.0.1:15432`.
    pub listen: SocketAddr,
    /// `tls = { certificate, key }`; without it a self-signed certificate is made and kept in `data`.
    pub tls: Option<CertificateFiles>,
}

/// The listener for AWS's clients. It serves where there is a target with `protocol = "aws"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aws {
    /// `listen`: address and port; port 0 takes a free one. Default `127.0.0.1:8481`.
    pub listen: SocketAddr,
    /// `tls = { certificate, key }`; required off loopback.
    pub tls: Option<CertificateFiles>,
    /// `host`: the name clients reach it by; a bucket may stand before it (`bucket.<host>`). Default `localhost`.
    pub host: String,
    /// `hold`: how long a request waits for people before it is refused; its approval stays open. Clients give up after a
    /// minute. Default `50s`.
    pub hold: Duration,
    /// `sessions`: open at once of one identity; one more closes the one that rested longest, or is refused where all of them
    /// have requests under way. Default 64.
    pub sessions: usize,
}

/// A certificate chain and its key, in PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key (PKCS #8, PKCS #1 or SEC 1).
    pub key: PathBuf,
}

/// The built-in issuer, for trial and tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltInIssuer {
    /// `enabled`. Default `false`.
    pub enabled: bool,
    /// `audience` of the tokens that it gives and that are taken from it. Default `countersign`.
    pub audience: String,
    /// `lifetime` of its tokens. Default `1h`.
    pub lifetime: Duration,
}

/// An OIDC issuer that is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// `url`: the issuer identifier, exactly as in `iss`. `https`, or `http` on loopback.
    pub url: String,
    /// `audience`: what `aud` must hold. Default `countersign`.
    pub audience: String,
    /// `ca`: PEM file of the authorities to trust for it, instead of the system's.
    pub ca: Option<PathBuf>,
    /// `claims`.
    pub claims: Claims,
}

/// Which claims tell what; a dot steps into an object. By default as RFC 8693 has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `human`: who is accountable. Default `sub`.
    pub human: String,
    /// `agent`: its name; a token without it is a person's. Default `act.sub`.
    pub agent: String,
    /// `groups`: the human's groups. Default `groups`.
    pub groups: String,
    /// `instance`: which running agent. Default `act.instance`.
    pub instance: String,
    /// `model`: which model. Default `act.model`.
    pub model: String,
}

/// The ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// `origin`: the log's name in checkpoints, such as `example.com/countersign`. Default `localhost/countersign`.
    pub origin: String,
    /// `durability = "sync"`, or `{ interval = "10ms" }`.
    pub durability: Durability,
}

/// When an entry counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When it is on the disk.
    Sync,
    /// At once; it is on the disk within this time.
    Interval(Duration),
}

impl std::fmt::Display for Durability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sync => f.write_str("sync"),
            Self::Interval(window) => write!(f, "interval {}ms", window.as_millis()),
        }
    }
}

/// Approvals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// `hold`: how long a command waits in the wire. Default `10m`.
    pub hold: Duration,
    /// `expires`: how long a request can be approved and its grant used. Default `1h`.
    pub expires: Duration,
}

/// Recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// `folder`: where they lie. Default `<data>/recordings`.
    pub folder: PathBuf,
    /// `key`: the file of the key that wraps the sessions' keys, 32 bytes or more; made if it is not there.
    /// Default `<data>/keys/recording.key`.
    pub key: PathBuf,
}

/// Named limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `unauthenticated`: connections that have not logged in; one more closes the oldest of them. Default 256.
    pub unauthenticated: usize,
    /// `sessions`: that are logged in. Default 4096.
    pub sessions: usize,
    /// `login`: from connecting until the upstream is ready. Default `30s`.
    pub login: Duration,
    /// `connect`: to reach a target. Default `10s`.
    pub connect: Duration,
    /// `idle`: a session in which nothing moves is ended. Never by default.
    pub idle: Option<Duration>,
    /// `drain`: at shutdown, how long running commands may go on. Default `5s`.
    pub drain: Duration,
    /// `catalog`: how long what was learned of a target's catalog is taken to hold. Default `60s`.
    pub catalog: Duration,
    /// `catalog_rows`, `catalog_bytes`, `statement_bytes`: how much a session with a PostgreSQL target may learn and hold.
    /// Defaults 1000000, 268435456 (256 MiB) and 16777216 (16 MiB).
    pub postgres: protocols::postgres::settings::Limits,
}

/// A target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `protocol = "postgres"`.
    pub protocol: TargetProtocol,
    /// `address`: host and port.
    pub address: HostPort,
    /// `database`: its name upstream.
    pub database: String,
    /// `user`: the account the gateway uses.
    pub user: String,
    /// `password`: `{ file = "…" }` or `{ env = "…" }`; none where the server asks for none.
    pub password: Option<SecretSource>,
    /// `tls`: as libpq's `sslmode`. Default `verify-full`, on loopback `prefer`.
    pub tls: TlsMode,
    /// `ca`: PEM file of the authorities to trust, instead of the system's.
    pub ca: Option<PathBuf>,
    /// `replication = true`: whether replication connections may be asked for. Default `false`.
    pub replication: bool,
    /// `auth`: what besides SCRAM may be answered to the server: `md5`, `password`. By default both where TLS is verified or
    /// the address is loopback, else neither.
    pub auth: Vec<AuthMethod>,
    /// `labels`: free names and values that policies may look at.
    pub labels: BTreeMap<String, String>,
    /// `mask`: declared columns, `schema.table.column` to class, and places in the JSON that columns hold,
    /// `schema.table.column$.path`.
    pub mask: BTreeMap<Declared, DataClass>,
    /// `strategies`: how values are hidden, by class, where not partially: `redact`, `partial`, `hash`, `format`,
    /// `null` or `withhold`.
    pub strategies: BTreeMap<DataClass, Strategy>,
    /// `find`: which classes are looked for in any text, where not as usual.
    pub find: BTreeMap<DataClass, bool>,
    /// `trusted_functions`: functions of the database, `schema.function`, that give nothing but what is computed of their
    /// arguments, and keep those nowhere.
    pub trusted_functions: Vec<(String, String)>,
    /// `guesses_per_day`: after so many values of declared columns a person and their agents may ask within a day before that
    /// counts as a search. Default 1000.
    pub guesses_per_day: u64,
    /// The classes that `[classes]` defines.
    pub own: OwnClasses,
}

/// A way of proving the password that is weaker than SCRAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMethod {
    /// An MD5 digest of it.
    Md5,
    /// The password in clear.
    Password,
}

/// The protocols that a target can speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetProtocol {
    /// PostgreSQL, frontend/backend protocol version 3.
    Postgres,
    /// AWS's APIs.
    Aws,
}

impl TargetProtocol {
    /// Its name in configuration and entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Aws => "aws",
        }
    }
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// A name, or an IP address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl HostPort {
    /// Whether it names this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self
                .host
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    }
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How the connection to a target is protected, as libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Plain.
    Disable,
    /// Encrypted if the server can; its certificate is not verified.
    Prefer,
    /// Encrypted; its certificate is not verified.
    Require,
    /// Encrypted; its certificate must be of a trusted authority.
    VerifyCa,
    /// Encrypted; its certificate must be of a trusted authority and name the host.
    VerifyFull,
}

impl TlsMode {
    /// Its name in configuration and evidence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// `ssh_keys`: public keys whose signatures count as theirs, as lines of `authorized_keys`.
    pub ssh_keys: Vec<String>,
}

/// Who may do what to the gateway, by groups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles {
    /// `auditors`: may read sessions and build evidence.
    pub auditors: Vec<String>,
    /// `administrators`: may see the gateway's state. They approve nothing by it.
    pub administrators: Vec<String>,
}

impl Config {
    /// The classes that policy decides about besides the built-in ones: those that are defined, and those that columns and
    /// objects are declared to hold.
    pub fn own_classes(&self) -> impl Iterator<Item = DataClass> {
        let columns = self
            .targets
            .values()
            .flat_map(|target| target.mask.values().cloned());
        let objects = self.aws_targets.values().flat_map(AwsTarget::classes);
        let defined = self.classes.iter().map(|own| own.class.clone());
        columns.chain(objects).chain(defined)
    }

    /// Reads and parses the file.
    ///
    /// # Errors
    /// [`ConfigError`] that names file, line and key, and what to write instead.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let fail = |what: String| ConfigError {
            file: file.to_owned(),
            what,
            ..ConfigError::default()
        };
        let length = std::fs::metadata(file)
            .map_err(|error| fail(format!("cannot be read: {error}")))?
            .len();
        if length > FILE_BYTES_MAX {
            return Err(fail(format!(
                "is {length} bytes long; a configuration has at most {FILE_BYTES_MAX}"
            )));
        }
        let text = std::fs::read_to_string(file)
            .map_err(|error| fail(format!("cannot be read: {error}")))?;
        Self::parse(&text, file)
    }

    /// Parses the text of `file`, whose folder relative paths start from. Reads nothing else but lists of words.
    ///
    /// # Errors
    /// [`ConfigError`] that names file, line and key, and what to write instead.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        parse::config(text, file)
    }
}

/// What is wrong in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 where it is about the file as a whole.
    pub line: usize,
    /// The key, as `targets.bank.address`; empty where no key is at fault.
    pub key: String,
    /// What is wrong, and what to write.
    pub what: String,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        f.write_str(": ")?;
        if !self.key.is_empty() {
            write!(f, "{} ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for ConfigError {}
