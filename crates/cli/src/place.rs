//! Where the gateway is, and as whom it is spoken to.
//!
//! A gateway that runs writes `<data>/addresses.json`: where it listens, for commands on the same machine. Whoever can
//! read the built-in issuer's key in the data directory can act as the gateway's operator: look at what it holds, and have
//! tokens made. They can approve nothing by it: an operator is in no group that a gate names.

use std::cell::OnceCell;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use gateway::Addresses;
use gateway::api::OPERATORS;
use gateway::config::{Config, ConfigError};
use gateway::identity::{BuiltInIssuer, Subject};
use model::Secret;
use serde::{Deserialize, Serialize};

use crate::cli::Globals;
use crate::client::{Client, ClientError, Trust};
use crate::failure::Failure;
use crate::when;

/// An operator's own token lasts so long: one command.
const OPERATOR_SECS: i64 = 60;
/// A file with a token is at most so long.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Why it is not known where the gateway is, or as whom to speak to it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// No address anywhere.
    #[error(
        "no gateway is named: give its API with --api or COUNTERSIGN_API, or its configuration with --config\n({0})"
    )]
    NoGateway(ConfigError),
    /// The configuration leaves the port open, and no gateway runs.
    #[error("the gateway of {0} is not running: start it with `countersign serve`")]
    NotRunning(PathBuf),
    /// The file that a running gateway writes does not read.
    #[error("{0}: {1}: restart the gateway, which writes it anew")]
    Addresses(PathBuf, String),
    /// No token.
    #[error(
        "no token: set COUNTERSIGN_TOKEN, or give a file that holds it with --token-file ({0})"
    )]
    NoToken(String),
    /// The file of the token.
    #[error("the token in {0} cannot be used: {1}")]
    TokenFile(PathBuf, String),
    /// The operator's own token cannot be made.
    #[error("the built-in issuer's key {0} cannot be used: {1}")]
    Key(PathBuf, String),
    /// The API's address.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Where a running gateway listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// The URL of its API.
    pub(crate) api: String,
    /// Where PostgreSQL clients connect.
    pub(crate) postgres: SocketAddr,
    /// Where AWS's clients connect: a URL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) aws: Option<String>,
}

impl Running {
    /// Of a gateway with this configuration that listens there.
    pub(crate) fn new(config: &Config, addresses: &Addresses) -> Self {
        let url = |tls: bool, at| {
            let scheme = if tls { "https" } else { "http" };
            format!("{scheme}://{}", reachable(at))
        };
        Self {
            api: url(config.api.tls.is_some(), addresses.api),
            postgres: reachable(addresses.postgres),
            aws: addresses.aws.map(|at| url(config.aws.tls.is_some(), at)),
        }
    }

    /// Writes it down for other commands.
    pub(crate) fn write(&self, config: &Config) -> io::Result<()> {
        let path = file(config);
        let temporary = path.with_extension("new");
        fs::write(&temporary, serde_json::to_vec(self)?)?;
        fs::rename(&temporary, &path)
    }

    /// The gateway has ended.
    pub(crate) fn remove(config: &Config) {
        // What is left behind only leads to an address where nobody answers.
        drop(fs::remove_file(file(config)));
    }

    /// What a running gateway wrote; else what the configuration says, unless that leaves ports open.
    pub(crate) fn of(config: &Config, named: &Path) -> Result<Self, PlaceError> {
        let path = file(config);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| PlaceError::Addresses(path, error.to_string())),
            Err(_) => {
                let (api, postgres) = (config.api.listen, config.postgres.listen);
                let aws = (!config.aws_targets.is_empty()).then_some(config.aws.listen);
                if api.port() == 0 || postgres.port() == 0 || aws.is_some_and(|at| at.port() == 0) {
                    return Err(PlaceError::NotRunning(named.to_owned()));
                }
                Ok(Self::new(config, &Addresses { api, postgres, aws }))
            }
        }
    }
}

fn file(config: &Config) -> PathBuf {
    config.data.join("addresses.json")
}

/// The address under which this machine reaches a socket that may listen on all of its addresses.
fn reachable(at: SocketAddr) -> SocketAddr {
    let ip = match at.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, at.port())
}

/// What to say of a target that the configuration in `file` does not have.
pub(crate) fn no_target(config: &Config, file: &Path, name: &str) -> Failure {
    let names = config.targets.keys().chain(config.aws_targets.keys());
    let names = names.map(String::as_str).collect::<Vec<_>>();
    Failure::usage(format!(
        "{} has no target {name:?}: there are {}",
        file.display(),
        names.join(", ")
    ))
}

/// What a command was told about where and who.
pub(crate) struct Place<'a> {
    globals: &'a Globals,
    config: OnceCell<Result<Config, ConfigError>>,
}

impl<'a> Place<'a> {
    pub(crate) fn new(globals: &'a Globals) -> Self {
        Self {
            globals,
            config: OnceCell::new(),
        }
    }

    /// The configuration of the gateway on this machine.
    pub(crate) fn config(&self) -> Result<&Config, ConfigError> {
        let config = self
            .config
            .get_or_init(|| Config::load(&self.globals.config));
        config.as_ref().map_err(Clone::clone)
    }

    /// The gateway on this machine, running or not.
    pub(crate) fn running(&self) -> Result<Running, PlaceError> {
        let config = self.config().map_err(PlaceError::NoGateway)?;
        Running::of(config, &self.globals.config)
    }

    /// The gateway's API with the caller's own token: for what a person answers for.
    pub(crate) fn personal(&self) -> Result<Client, PlaceError> {
        let Some(token) = self.token()? else {
            return Err(PlaceError::NoToken(
                "this is for the person you are".to_owned(),
            ));
        };
        self.client(token)
    }

    /// The gateway's API with the caller's token or, where they have none, as the operator of the gateway on this machine.
    pub(crate) fn client_or_operator(&self) -> Result<Client, PlaceError> {
        match self.token()? {
            Some(token) => self.client(token),
            None if self.globals.api.is_some() => Err(PlaceError::NoToken(
                "the gateway's own key serves only the gateway on this machine".to_owned(),
            )),
            None => self.operator(),
        }
    }

    /// The API of the gateway on this machine, as its operator; it goes nowhere else.
    pub(crate) fn operator(&self) -> Result<Client, PlaceError> {
        let config = self.config().map_err(PlaceError::NoGateway)?;
        if !config.issuer.enabled {
            return Err(PlaceError::NoToken("the built-in issuer is off".to_owned()));
        }
        let at = self.running()?;
        let token = operator_token(config, &at.api)?;
        Ok(Client::new(&at.api, token, &local_trust(config))?)
    }

    /// The caller's own token, if they gave one.
    pub(crate) fn token(&self) -> Result<Option<Secret>, PlaceError> {
        if let Some(token) = std::env::var("COUNTERSIGN_TOKEN")
            .ok()
            .filter(|token| !token.trim().is_empty())
        {
            return Ok(Some(Secret::from(token.trim().to_owned())));
        }
        let Some(path) = &self.globals.token_file else {
            return Ok(None);
        };
        let bad = |why: String| PlaceError::TokenFile(path.clone(), why);
        let text = fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        match text.trim() {
            "" => Err(bad("it is empty".to_owned())),
            token if token.len() > TOKEN_BYTES_MAX => {
                Err(bad(format!("it is longer than {TOKEN_BYTES_MAX} bytes")))
            }
            token => Ok(Some(Secret::from(token.to_owned()))),
        }
    }

    /// The caller's own token, which must be there.
    pub(crate) fn required_token(&self) -> Result<Secret, PlaceError> {
        let missing = || PlaceError::NoToken("clients log in with it".to_owned());
        self.token()?.ok_or_else(missing)
    }

    /// Whether the token is read from the file that was named.
    pub(crate) fn token_is_from_file(&self) -> bool {
        let set = std::env::var("COUNTERSIGN_TOKEN").is_ok_and(|token| !token.trim().is_empty());
        !set && self.globals.token_file.is_some()
    }

    /// Whom to take for the gateway whose AWS clients connect to `endpoint`.
    pub(crate) fn aws_trust(&self, endpoint: &str) -> Trust {
        let own = || {
            let here = self.running().ok()?.aws?;
            let tls = self.config().ok()?.aws.tls.as_ref()?;
            (here == endpoint).then(|| tls.certificate.clone())
        };
        match (&self.globals.ca, own()) {
            (None, Some(certificate)) => Trust::Exactly(certificate),
            _ => self.trust(),
        }
    }

    fn client(&self, token: Secret) -> Result<Client, PlaceError> {
        if let Some(api) = &self.globals.api {
            return Ok(Client::new(api, token, &self.trust())?);
        }
        let at = self.running()?;
        let trust = match self.config() {
            Ok(config) if self.globals.ca.is_none() => local_trust(config),
            _ => self.trust(),
        };
        Ok(Client::new(&at.api, token, &trust)?)
    }

    fn trust(&self) -> Trust {
        self.globals
            .ca
            .clone()
            .map_or(Trust::System, Trust::Authorities)
    }
}

/// The gateway on this machine is known by its certificate itself, whatever names that bears.
fn local_trust(config: &Config) -> Trust {
    match &config.api.tls {
        Some(files) => Trust::Exactly(files.certificate.clone()),
        None => Trust::System,
    }
}

fn operator_token(config: &Config, api: &str) -> Result<Secret, PlaceError> {
    let path = config.data.join("keys/issuer.key");
    let key = fs::read(&path)
        .map(Secret::new)
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => PlaceError::NotRunning(config.data.clone()),
            io::ErrorKind::PermissionDenied => PlaceError::NoToken(format!(
                "only the gateway's account reads {}",
                path.display()
            )),
            _ => PlaceError::Key(path.clone(), error.to_string()),
        })?;
    let bad = |why: String| PlaceError::Key(path.clone(), why);
    let issuer = BuiltInIssuer::new(&format!("{api}/issuer"), &config.issuer.audience, &key)
        .map_err(|error| bad(error.to_string()))?;
    let subject = Subject {
        human: format!("operator:{}", account()),
        agent: None,
        instance: None,
        model: None,
        groups: vec![OPERATORS.to_owned()],
    };
    let id = gateway::random::bytes::<16>().map_err(|error| bad(error.to_string()))?;
    issuer
        .token(&subject, &hex::encode(id), when::now(), OPERATOR_SECS)
        .map_err(|error| bad(error.to_string()))
}

/// The account this process runs under, so that the ledger names it. Not from the environment, which anybody can set.
fn account() -> String {
    let uid = fs::metadata("/proc/self").map(|meta| meta.uid());
    let Ok(uid) = uid else {
        return "unknown".to_owned();
    };
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    named(&accounts, uid).unwrap_or_else(|| format!("uid {uid}"))
}

fn named(accounts: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str, folder: &Path) -> Config {
        let target = "[targets.bank]\nprotocol = 'postgres'\naddress = '127.0.0.1:1'\ndatabase = 'b'\nuser = 'u'\n";
        let login = "[issuer]\nenabled = true\n";
        Config::parse(
            &format!("{text}{login}{target}"),
            &folder.join("countersign.toml"),
        )
        .unwrap()
    }

    #[test]
    fn accounts_have_names() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nbad\nbob:x:1000:1000::/home/bob:/bin/sh\n";
        assert_eq!(named(accounts, 1000).as_deref(), Some("bob"));
        assert_eq!(named(accounts, 1), None);
    }

    #[test]
    fn a_running_gateway_says_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let config = config("[api]\nlisten = '127.0.0.1:0'\n", at);
        fs::create_dir(&config.data).unwrap();
        let missing = Running::of(&config, at).unwrap_err().to_string();
        assert!(missing.contains("countersign serve"), "{missing}");
        let addresses = Addresses {
            api: "0.0.0.0:81".parse().unwrap(),
            postgres: "[::]:82".parse().unwrap(),
            aws: None,
        };
        let running = Running::new(&config, &addresses);
        running.write(&config).unwrap();
        let read = Running::of(&config, at).unwrap();
        assert_eq!(read, running);
        assert_eq!(
            (read.api.as_str(), read.postgres.to_string().as_str()),
            ("http://127.0.0.1:81", "[::1]:82")
        );
        Running::remove(&config);
        assert!(Running::of(&config, at).is_err());
    }

    #[test]
    fn a_configuration_with_ports_tells_where_it_will_be() {
        let folder = tempfile::tempdir().unwrap();
        let config = config("", folder.path());
        let running = Running::of(&config, folder.path()).unwrap();
        assert_eq!(running.api, "http://127.0.0.1:8480");
        assert_eq!(running.postgres.to_string(), "127.0.0.1:15432");
    }
}
