//! A scratch PostgreSQL 15: TLS, SCRAM, loopback only, gone with the test.
//!
//! A cluster with the bank in it is made once and kept beside the build; each start copies it, so that starting takes a
//! fraction of a second. It runs without fsync: nothing here tests PostgreSQL's own durability.

mod template;

use crate::endpoint::{Endpoint, Tls};
use crate::place;
use crate::process::{self, Output, Watchdog, clean_command};
use crate::tls::{Authority, Certificate};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

/// Debian's directory of the server's programs; elsewhere the PATH has them.
const DEBIAN_PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// What the server says when it takes connections.
const READY: &str = "database system is ready to accept connections";

/// How long a start may take before the test gives up, in seconds.
const START_SECONDS_MAX: u64 = 60;

/// How often a start is tried: between choosing a free port and binding it, another process may take it.
const START_ATTEMPTS: u32 = 5;

/// A running cluster.
///
/// Roles that may log in: `postgres` (superuser), `app` (owns the bank), and three members of `app` with its password:
/// `app_md5` and `app_plain`, which authenticate by md5 and clear-text password, and `app_tls`, refused without TLS.
pub struct Postgres {
    port: u16,
    server: Child,
    // Dropped after the server has been stopped, in this order.
    watchdog: Option<Watchdog>,
    directory: tempfile::TempDir,
    log: PathBuf,
    secrets: Secrets,
    databases: AtomicU32,
    creation: Mutex<()>,
}

/// The passwords of a cluster, made at random when its template is.
#[derive(Clone)]
struct Secrets {
    superuser: String,
    app: String,
}

impl Postgres {
    /// The cluster that all tests of this process share.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A cluster of one's own, for tests that stop it, kill its backends or change its settings.
    #[must_use]
    pub fn start() -> Self {
        let (template, secrets) = template::ready();
        for _ in 1..START_ATTEMPTS {
            if let Ok(cluster) = Self::start_copy(&template, &secrets) {
                return cluster;
            }
        }
        Self::start_copy(&template, &secrets)
            .unwrap_or_else(|log| panic!("PostgreSQL does not start:\n{log}"))
    }

    fn start_copy(template: &Path, secrets: &Secrets) -> Result<Self, String> {
        let directory = tempfile::Builder::new()
            .prefix("postgres-")
            .tempdir_in(place::scratch())
            .unwrap();
        let mut watchdog = Watchdog::over(directory.path(), "QUIT");
        give_to_server(directory.path());
        let data = directory.path().join("data");
        let copied = Command::new("cp")
            .args(["-a", "--reflink=auto"])
            .arg(template)
            .arg(&data)
            .status()
            .unwrap();
        assert!(copied.success(), "cannot copy {}", template.display());
        write_certificates(directory.path(), &data);

        let port = free_port();
        let log = directory.path().join("log");
        let (server, ready) = launch(&data, port, &log);
        watchdog.server(&server);
        let mut cluster = Self {
            port,
            server,
            watchdog: Some(watchdog),
            directory,
            log,
            secrets: secrets.clone(),
            databases: AtomicU32::new(0),
            creation: Mutex::new(()),
        };
        match ready.recv_timeout(Duration::from_secs(START_SECONDS_MAX)) {
            Ok(()) => Ok(cluster),
            Err(_) => {
                cluster.stop();
                Err(cluster.log())
            }
        }
    }

    /// A fresh copy of the bank under a name of its own.
    #[must_use]
    pub fn database(&self) -> Database<'_> {
        self.create("bank")
    }

    /// A fresh database with nothing in it.
    #[must_use]
    pub fn empty_database(&self) -> Database<'_> {
        self.create("template0")
    }

    fn create(&self, template: &str) -> Database<'_> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let alone = self.creation.lock().unwrap();
        let statement = format!("CREATE DATABASE {name} OWNER app TEMPLATE {template}");
        self.superuser("postgres").psql(&statement).success();
        drop(alone);
        Database {
            cluster: self,
            name,
        }
    }

    /// The superuser in a database.
    #[must_use]
    pub fn superuser(&self, database: &str) -> Endpoint {
        self.endpoint("postgres", &self.secrets.superuser, database)
    }

    fn endpoint(&self, user: &str, password: &str, database: &str) -> Endpoint {
        Endpoint {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            database: database.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
            tls: Tls::Verified(self.authority_file()),
        }
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The PEM file of the authority that signed the server's certificate, which names `localhost` and `127.0.0.1`.
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    /// All that the server has logged.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Stops the server as a crash would: every connection breaks at once.
    pub fn stop(&mut self) {
        process::signal(self.server.id(), "QUIT");
        self.server.wait().unwrap();
        self.watchdog = None;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A database of one test's own, dropped with it.
pub struct Database<'a> {
    cluster: &'a Postgres,
    name: String,
}

impl Database<'_> {
    /// The role `app`, as the gateway signs in, over verified TLS.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.cluster
            .endpoint("app", &self.cluster.secrets.app, &self.name)
    }

    /// The superuser, in this database.
    #[must_use]
    pub fn superuser(&self) -> Endpoint {
        self.cluster.superuser(&self.name)
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cluster that it is in.
    #[must_use]
    pub fn cluster(&self) -> &Postgres {
        self.cluster
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // The whole cluster goes with the process; this only keeps it small, so its failing matters to no one.
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let _: Output = self.cluster.superuser("postgres").psql(&statement);
    }
}

/// Starts the server on a data directory. The channel speaks once it takes connections, and closes if it ends before.
fn launch(data: &Path, port: u16, log: &Path) -> (Child, mpsc::Receiver<()>) {
    let mut command = server_command("postgres");
    command
        .arg("-D")
        .arg(data)
        .args(["-p", &port.to_string()])
        .current_dir(data);
    // A group of its own: Ctrl-C at the terminal ends the test, and the watchdog then ends the server.
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut server = command
        .spawn()
        .unwrap_or_else(|error| panic!("postgres: {error}: run scripts/setup demo"));
    let lines = server.stderr.take().unwrap();
    let (tell, ready) = mpsc::channel();
    let file = File::create(log).unwrap();
    thread::spawn(move || follow(lines, file, &tell));
    (server, ready)
}

fn follow(lines: ChildStderr, mut log: File, ready: &mpsc::Sender<()>) {
    for line in BufReader::new(lines).split(b'\n').map_while(Result::ok) {
        let _ = log.write_all(&line).and_then(|()| log.write_all(b"\n"));
        if String::from_utf8_lossy(&line).contains(READY) {
            let _ = ready.send(());
        }
    }
}

/// One of the server's programs, to run as ourselves or, if we are root, which they refuse, as Debian's user postgres.
fn server_command(program: &str) -> Command {
    let debian = Path::new(DEBIAN_PROGRAMS).join(program);
    let mut command = clean_command(if debian.exists() {
        debian.as_path()
    } else {
        Path::new(program)
    });
    if let Some((uid, gid)) = server_user() {
        command.uid(uid).gid(gid);
    }
    command
}

/// The user and group that servers run as, if other than our own.
fn server_user() -> Option<(u32, u32)> {
    if !place::is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let fields = users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let user = fields.into_iter().find(|user| user[0] == "postgres");
    let user = user.unwrap_or_else(|| {
        panic!("PostgreSQL refuses root and there is no user postgres: run scripts/setup demo")
    });
    Some((user[2].parse().unwrap(), user[3].parse().unwrap()))
}

fn give_to_server(path: &Path) {
    if let Some((uid, gid)) = server_user() {
        chown(path, Some(uid), Some(gid)).unwrap();
    }
}

/// The server's certificate and key into its data directory, its authority beside it for clients.
fn write_certificates(directory: &Path, data: &Path) {
    let authority = Authority::new("scratch PostgreSQL");
    let Certificate { certificate, key } = authority.certificate(&["localhost", "127.0.0.1"]);
    write_private(&data.join("server.crt"), &certificate);
    write_private(&data.join("server.key"), &key);
    fs::write(directory.join("authority.pem"), authority.pem()).unwrap();
    // Clients may run as anyone.
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A file that only the server may read.
fn write_private(path: &Path, text: &str) {
    let mut file = File::create(path).unwrap();
    file.set_permissions(fs::Permissions::from_mode(0o600))
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
    give_to_server(path);
}

/// A port that nothing listens on at this moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
