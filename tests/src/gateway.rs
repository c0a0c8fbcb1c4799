//! The gateway as its users run it: the built binary, a configuration file, a data directory.

use crate::aws::Moto;
use crate::endpoint::{Endpoint, Tls};
use crate::http;
use crate::ledger::Ledger;
use crate::person::Person;
use crate::place;
use crate::postgres::Database;
use crate::process::{self, Output, Watchdog, clean_command};
use crate::raw::Canned;
use crate::s3::S3;
use crate::talk::Talk;
use crate::tls::Authority;
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;
use toml::{Table, Value};

/// How long a start may take before the test gives up, in seconds.
const START_SECONDS_MAX: u64 = 60;

/// Everything but `reveal`. One policy for each namespace: Cedar does not mix their actions in one set.
const ALL_PERMITTED: &str = r#"
@id("all-access")
permit (principal, action == Action::"access", resource);

@id("all-statements")
permit (
    principal,
    action in [
        Postgres::Action::"read",
        Postgres::Action::"write",
        Postgres::Action::"ddl",
        Postgres::Action::"session",
        Postgres::Action::"server",
        Postgres::Action::"redefine",
        Postgres::Action::"opaque"
    ],
    resource
);
"#;

/// A configuration in a directory of its own, which also takes the gateway's data.
pub struct Config {
    directory: tempfile::TempDir,
    table: Table,
    environment: Vec<(String, String)>,
}

impl Config {
    /// A gateway on free loopback ports with the built-in issuer, no policy yet, and one target, `bank`: this database, over
    /// verified TLS, its protected columns declared.
    #[must_use]
    pub fn bank(database: &Database<'_>) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("gateway-")
            .tempdir_in(place::scratch())
            .unwrap();
        let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
        let upstream = database.endpoint();
        fs::create_dir(path("policies")).unwrap();
        fs::write(path("bank.password"), &upstream.password).unwrap();
        let table = toml::toml! {
            [api]
            listen = "127.0.0.1:0"
            [postgres]
            listen = "127.0.0.1:0"
            [issuer]
            enabled = true
            [ledger]
            origin = "example.com/log"
            durability = "sync"
            [targets.bank]
            protocol = "postgres"
            user = "app"
            tls = "verify-full"
            [targets.bank.mask]
            "public.customers.ssn" = "us_ssn"
            "public.customers.email" = "email"
            "public.cards.pan" = "pan"
            "public.accounts.iban" = "iban"
            "public.accounts.routing_number" = "us_aba"
        };
        let mut password = Table::new();
        password.insert("file".to_owned(), path("bank.password").into());
        let (data, policies) = (path("data"), path("policies"));
        Self {
            directory,
            table,
            environment: Vec::new(),
        }
        .set(&["data"], data)
        .set(&["policy", "folder"], policies)
        .set(
            &["targets", "bank", "address"],
            format!("{}:{}", upstream.host, upstream.port),
        )
        .set(&["targets", "bank", "database"], upstream.database)
        .set(&["targets", "bank", "password"], password)
        .set(
            &["targets", "bank", "ca"],
            database
                .cluster()
                .authority_file()
                .to_string_lossy()
                .into_owned(),
        )
    }

    /// A gateway for AWS's clients, over TLS, with one target, `lake`: this moto.
    #[must_use]
    pub fn aws(moto: &Moto) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], moto.port));
        Self::account(address, &moto.access_key, &moto.secret_key)
    }

    /// The same with this S3 server.
    #[must_use]
    pub fn s3(server: &S3) -> Self {
        Self::account(server.address, server.access_key, server.secret_key)
    }

    /// The same with a target that answers by hand, and clients without TLS.
    #[must_use]
    pub fn canned(target: &Canned) -> Self {
        let keys = Canned::keys();
        let secret = String::from_utf8_lossy(keys.secret_key.expose()).into_owned();
        Self::account(target.address, &keys.access_key, &secret).unset(&["aws", "tls"])
    }

    /// The same with whatever listens there without TLS.
    #[must_use]
    pub fn account(address: SocketAddr, access_key: &str, secret_key: &str) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("gateway-")
            .tempdir_in(place::scratch())
            .unwrap();
        let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
        let authority = Authority::new("clients trust this");
        let certificate = authority.certificate(&["127.0.0.1", "localhost"]);
        fs::create_dir(path("policies")).unwrap();
        fs::write(path("authority.pem"), authority.pem()).unwrap();
        fs::write(path("aws.pem"), certificate.certificate).unwrap();
        fs::write(path("aws.key"), certificate.key).unwrap();
        fs::write(path("lake.secret"), secret_key).unwrap();
        let table = toml::toml! {
            [api]
            listen = "127.0.0.1:0"
            [postgres]
            listen = "127.0.0.1:0"
            [aws]
            listen = "127.0.0.1:0"
            hold = "2s"
            tls = { certificate = "aws.pem", key = "aws.key" }
            [issuer]
            enabled = true
            [ledger]
            origin = "example.com/log"
            [targets.lake]
            protocol = "aws"
            region = "eu-central-1"
            credentials = { secret_key = { file = "lake.secret" } }
        };
        let (data, policies) = (path("data"), path("policies"));
        let lake = ["targets", "lake"];
        Self {
            directory,
            table,
            environment: Vec::new(),
        }
        .set(&["data"], data)
        .set(&["policy", "folder"], policies)
        .set(&[lake[0], lake[1], "endpoint"], format!("http://{address}"))
        .set(&[lake[0], lake[1], "credentials", "access_key"], access_key)
    }

    /// The same gateway with a second target, `bank`, as [`Config::bank`] has it.
    #[must_use]
    pub fn and_bank(self, database: &Database<'_>) -> Self {
        let upstream = database.endpoint();
        let file = self.directory().join("bank.password");
        fs::write(&file, &upstream.password).unwrap();
        let authority = database.cluster().authority_file();
        let (password, authority) = (file.to_string_lossy(), authority.to_string_lossy());
        let address = format!("{}:{}", upstream.host, upstream.port);
        let set = |config: Self, key: &str, value: &str| {
            config.set(&["targets", "bank", key], value.to_owned())
        };
        let config = [
            ("protocol", "postgres"),
            ("address", &address),
            ("database", &upstream.database),
            ("user", "app"),
            ("tls", "verify-full"),
            ("ca", &authority),
        ]
        .into_iter()
        .fold(self, |config, (key, value)| set(config, key, value));
        config.set(
            &["targets", "bank", "password", "file"],
            password.into_owned(),
        )
    }

    /// Sets one value, making the tables above it. Key by key, for keys may hold dots.
    #[must_use]
    pub fn set(mut self, keys: &[&str], value: impl Into<Value>) -> Self {
        let (last, above) = keys.split_last().unwrap();
        let mut table = &mut self.table;
        for key in above {
            let entry = table
                .entry((*key).to_owned())
                .or_insert_with(|| Value::Table(Table::new()));
            table = entry
                .as_table_mut()
                .unwrap_or_else(|| panic!("{key} in {keys:?} is not a table"));
        }
        table.insert((*last).to_owned(), value.into());
        self
    }

    /// Takes one value or table away.
    #[must_use]
    pub fn unset(mut self, keys: &[&str]) -> Self {
        let (last, above) = keys.split_last().unwrap();
        let mut table = Some(&mut self.table);
        for key in above {
            table = table
                .and_then(|table| table.get_mut(*key))
                .and_then(Value::as_table_mut);
        }
        assert!(
            table.and_then(|table| table.remove(*last)).is_some(),
            "{keys:?} was not set"
        );
        self
    }

    /// Sets a variable in the gateway's environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a policy file.
    #[must_use]
    pub fn policy(self, name: &str, cedar: &str) -> Self {
        fs::write(self.directory().join("policies").join(name), cedar).unwrap();
        self
    }

    /// The policies of examples/policies/bank.
    #[must_use]
    pub fn bank_policies(self) -> Self {
        let folder = place::workspace().join("examples/policies/bank");
        fs::read_dir(folder).unwrap().fold(self, |config, entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            config.policy(&name, &fs::read_to_string(&path).unwrap())
        })
    }

    /// One policy that permits every action, and reveals nothing.
    #[must_use]
    pub fn all_permitted(self) -> Self {
        self.policy("10-all.cedar", ALL_PERMITTED)
    }

    /// A person who approves: their SSH key counts as theirs.
    #[must_use]
    pub fn person(self, person: &Person) -> Self {
        let keys = Value::Array(vec![person.public_key().into()]);
        self.set(&["people", &person.human, "ssh_keys"], keys)
    }

    /// The directory that the configuration and, under `data`, the gateway's files are in.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The ledger of a gateway that has stopped, checked from its first entry to its last checkpoint.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        Ledger::read(&self.directory().join("data"))
    }

    /// Writes the configuration file.
    fn write(&self) -> PathBuf {
        let path = self.directory().join("countersign.toml");
        fs::write(&path, toml::to_string(&self.table).unwrap()).unwrap();
        path
    }

    /// Runs `countersign` with this configuration to its end.
    #[must_use]
    pub fn countersign(&self, arguments: &[&str]) -> Output {
        self.countersign_as("", arguments)
    }

    /// The same with something on its standard input.
    #[must_use]
    pub fn countersign_on(&self, input: &str, arguments: &[&str]) -> Output {
        process::run(&self.command("", arguments), input)
    }

    /// The same with a token, unless it is empty.
    fn countersign_as(&self, token: &str, arguments: &[&str]) -> Output {
        process::run(&self.command(token, arguments), "")
    }

    fn command(&self, token: &str, arguments: &[&str]) -> Command {
        let mut command = countersign();
        command
            .env("COUNTERSIGN_CONFIG", self.write())
            .env("COUNTERSIGN_TOKEN", token)
            .args(arguments);
        command
    }
}

/// A running gateway.
pub struct Gateway {
    server: Child,
    watchdog: Option<Watchdog>,
    config: Config,
    addresses: HashMap<String, SocketAddr>,
    log: Arc<(Mutex<String>, Condvar)>,
}

impl Gateway {
    /// Starts a gateway and waits until it says `ready`, followed by its addresses: `ready api=127.0.0.1:1 postgres=127.0.0.1:2`.
    ///
    /// # Panics
    /// With all that it said, if it ends instead.
    #[must_use]
    pub fn start(config: Config) -> Self {
        Self::try_start(config).unwrap_or_else(|log| panic!("countersign does not start:\n{log}"))
    }

    /// As [`Gateway::start`].
    ///
    /// # Errors
    /// All that it said, if it ends before it is ready.
    pub fn try_start(config: Config) -> Result<Self, String> {
        let mut command = countersign();
        command
            .arg("serve")
            .env("COUNTERSIGN_CONFIG", config.write())
            .envs(config.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(config.directory());
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut watchdog = Watchdog::over(config.directory(), "TERM");
        let mut server = command.spawn().unwrap();
        watchdog.server(&server);
        let (tell, ready) = mpsc::channel();
        let log = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let output = server.stdout.take().unwrap();
        let errors = server.stderr.take().unwrap();
        let readers = [
            follow(output, &log, tell.clone()),
            follow(errors, &log, tell),
        ];

        let mut gateway = Self {
            server,
            watchdog: Some(watchdog),
            config,
            addresses: HashMap::new(),
            log,
        };
        if let Ok(line) = ready.recv_timeout(Duration::from_secs(START_SECONDS_MAX)) {
            gateway.addresses = addresses(&line);
            return Ok(gateway);
        }
        gateway.kill();
        for reader in readers {
            reader.join().unwrap();
        }
        Err(gateway.log())
    }

    /// Where it listens for a protocol, by the name in its `ready` line.
    #[must_use]
    pub fn address(&self, listener: &str) -> SocketAddr {
        *self
            .addresses
            .get(listener)
            .unwrap_or_else(|| panic!("no {listener} in {:?}", self.addresses))
    }

    /// The target as an agent reaches it.
    #[must_use]
    pub fn endpoint(&self, target: &str, agent: &str, token: &str) -> Endpoint {
        let address = self.address("postgres");
        Endpoint {
            host: address.ip().to_string(),
            port: address.port(),
            database: target.to_owned(),
            user: agent.to_owned(),
            password: token.to_owned(),
            tls: Tls::Required,
        }
    }

    /// A token of the built-in issuer.
    #[must_use]
    pub fn token(&self, agent: &str, human: &str) -> String {
        self.countersign(&["token", "--agent", agent, "--for", human])
            .success()
            .stdout
            .trim()
            .to_owned()
    }

    /// A token of the built-in issuer for a person who is in these groups, or for an agent that acts for them.
    #[must_use]
    pub fn token_in(&self, agent: Option<&str>, human: &str, groups: &[&str]) -> String {
        let mut arguments = vec!["token", "--for", human];
        arguments.extend(agent.iter().flat_map(|agent| ["--agent", agent]));
        arguments.extend(groups.iter().flat_map(|group| ["--group", group]));
        self.countersign(&arguments)
            .success()
            .stdout
            .trim()
            .to_owned()
    }

    /// The target `bank` as the agent `claude-code` reaches it, which acts for alice.
    #[must_use]
    pub fn bank(&self) -> Endpoint {
        self.endpoint("bank", "claude-code", &self.token("claude-code", "alice"))
    }

    /// Runs `countersign` as whoever holds this token.
    #[must_use]
    pub fn countersign_as(&self, token: &str, arguments: &[&str]) -> Output {
        self.config.countersign_as(token, arguments)
    }

    /// The same with these variables in its environment.
    #[must_use]
    pub fn countersign_in(
        &self,
        token: &str,
        variables: &[(&str, &str)],
        arguments: &[&str],
    ) -> Output {
        let mut command = self.config.command(token, arguments);
        command
            .envs(variables.iter().copied())
            .current_dir(self.config.directory());
        process::run(&command, "")
    }

    /// Runs `countersign` as whoever holds this token, to be talked to while it runs.
    #[must_use]
    pub fn countersign_talk(&self, token: &str, arguments: &[&str]) -> Talk {
        Talk::start(self.config.command(token, arguments))
    }

    /// Waits until nothing is waiting for people, and no grant for its use.
    pub fn wait_until_nothing_is_open(&self) {
        let watch = ["--output", "table", "approvals", "--watch"];
        let _ = self
            .countersign_talk("", &watch)
            .hear("Nothing waits for a decision.");
    }

    /// Asks the API.
    #[must_use]
    pub fn http(&self, token: &str, method: &str, path: &str, body: &str) -> http::Answer {
        http::ask(self.address("api"), token, method, path, body)
    }

    /// `countersign approve` or `deny`, by a person who is in these groups.
    #[must_use]
    pub fn give(&self, verdict: &str, approval: &str, by: &Person, groups: &[&str]) -> Output {
        let token = self.token_in(None, &by.human, groups);
        let key = by.key_file();
        let arguments = [verdict, approval, "--yes", "--key", &key.to_string_lossy()];
        self.countersign_as(&token, &arguments)
    }

    /// Replaces or adds a policy file, while the gateway runs.
    pub fn rewrite_policy(&self, name: &str, cedar: &str) {
        let folder = self.config.directory().join("policies");
        let new = folder.join("new");
        fs::write(&new, cedar).unwrap();
        fs::rename(new, folder.join(name)).unwrap();
    }

    /// Waits until it has said something that holds this text.
    ///
    /// # Panics
    /// With all that it said, if that does not come.
    pub fn wait_for_log(&self, text: &str) {
        let limit = Duration::from_secs(START_SECONDS_MAX);
        let (log, grown) = &*self.log;
        let missing = |log: &mut String| !log.contains(text);
        let waited = grown.wait_timeout_while(log.lock().unwrap(), limit, missing);
        let (log, waited) = waited.unwrap();
        assert!(!waited.timed_out(), "{text:?} does not come:\n{log}");
    }

    /// Runs `countersign` with the gateway's configuration to its end.
    #[must_use]
    pub fn countersign(&self, arguments: &[&str]) -> Output {
        self.config.countersign(arguments)
    }

    /// The configuration it runs with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// All that it has written to its output and its log.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.0.lock().unwrap().clone()
    }

    /// The process id, to watch its memory or to stop it in ways of a test's own.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.server.id()
    }

    /// Asks it to stop, waits until it has, and gives the configuration back for another start on the same data.
    #[must_use]
    pub fn stop(mut self) -> (ExitStatus, Config) {
        process::signal(self.pid(), "TERM");
        let status = self.server.wait().unwrap();
        (status, self.into_config())
    }

    /// Kills it as a crash would, and gives the configuration back for another start on the same data.
    #[must_use]
    pub fn crash(mut self) -> Config {
        self.kill();
        self.into_config()
    }

    fn into_config(mut self) -> Config {
        self.watchdog = None;
        let directory = tempfile::Builder::new()
            .prefix("stopped-")
            .tempdir_in(place::scratch())
            .unwrap();
        let empty = Config {
            directory,
            table: Table::new(),
            environment: Vec::new(),
        };
        std::mem::replace(&mut self.config, empty)
    }

    fn kill(&mut self) {
        let _ = self.server.kill();
        self.server.wait().unwrap();
        self.watchdog = None;
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The binary beside this test, with a clean environment.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn countersign() -> Command {
    let binary = place::profile_directory().join("countersign");
    assert!(
        binary.exists(),
        "{} is missing: run cargo build -p cli",
        binary.display()
    );
    clean_command(binary)
}

fn follow(
    stream: impl Read + Send + 'static,
    log: &Arc<(Mutex<String>, Condvar)>,
    ready: mpsc::Sender<String>,
) -> thread::JoinHandle<()> {
    let log = Arc::clone(log);
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let (text, grown) = &*log;
            let mut text = text.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
            drop(text);
            grown.notify_all();
            if line.starts_with("ready ") {
                let _ = ready.send(line.into_owned());
            }
        }
    })
}

fn addresses(ready: &str) -> HashMap<String, SocketAddr> {
    let pairs = ready
        .split_whitespace()
        .filter_map(|word| word.split_once('='));
    pairs
        .filter_map(|(name, address)| Some((name.to_owned(), address.parse().ok()?)))
        .collect()
}
