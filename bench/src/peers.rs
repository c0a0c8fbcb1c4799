//! What is compared: one PostgreSQL, reached in four ways.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tests::{Config, Database, Endpoint, Gateway, Postgres, Tls};

/// Rows of each bulk table.
pub(crate) const BULK_ROWS: u64 = 1_000_000;

/// pgbench's scale: 100,000 accounts each.
const SCALE: u32 = 10;

/// Everything may be done; nothing is revealed, so every result is inspected.
const POLICY: &str = r#"
    @id("bench")
    permit (principal, action, resource) unless { action == Action::"reveal" };
"#;

/// A way to the server.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) endpoint: Endpoint,
    /// The process in between, whose memory is watched.
    pub(crate) pid: Option<u32>,
}

/// The server and all ways to it.
pub(crate) struct Peers {
    pub(crate) all: Vec<Peer>,
    _gateways: Vec<Gateway>,
    _bouncer: Bouncer,
    database: Database<'static>,
}

impl Peer {
    pub(crate) fn of(name: &'static str, gateway: &Gateway) -> Self {
        let token = gateway.token("bench", "operator");
        Self {
            name,
            endpoint: gateway.endpoint("bank", "bench", &token).tls(Tls::Off),
            pid: Some(gateway.pid()),
        }
    }
}

impl Peers {
    pub(crate) fn database(&self) -> &Database<'static> {
        &self.database
    }

    /// Starts them and fills the tables.
    pub(crate) fn start() -> Self {
        eprintln!("Starting PostgreSQL, PgBouncer and two gateways, and filling the tables…");
        let database = Postgres::shared().database();
        // In the clear on loopback everywhere: TLS would measure itself.
        let owner = database.endpoint().tls(Tls::Off);
        let direct = database
            .endpoint()
            .login("app_plain", &database.endpoint().password)
            .tls(Tls::Off);
        let scale = SCALE.to_string();
        let quiet = ["-i", "-q", "-s", scale.as_str()];
        let filled = owner
            .command("pgbench")
            .args(quiet)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(filled.success(), "pgbench -i");
        fill(&owner);
        let bouncer = Bouncer::start(&database);
        let gateways: Vec<Gateway> = ["sync", "interval"]
            .map(|mode| Gateway::start(config(&database, mode)))
            .into();
        let mut all = vec![
            Peer {
                name: "direct",
                endpoint: direct.clone(),
                pid: None,
            },
            Peer {
                name: "pgbouncer",
                endpoint: bouncer.endpoint(&direct),
                pid: Some(bouncer.server.id()),
            },
        ];
        for (name, gateway) in ["countersign sync", "countersign interval"]
            .into_iter()
            .zip(&gateways)
        {
            all.push(Peer::of(name, gateway));
        }
        Self {
            all,
            _gateways: gateways,
            _bouncer: bouncer,
            database,
        }
    }
}

/// A table with nothing to find, and one whose card and e-mail columns are declared and filled.
fn fill(owner: &Endpoint) {
    let sql = format!(
        "CREATE TABLE bulk_clear AS SELECT n AS id, 'customer ' || n AS name, md5(n::text) AS reference,
           'an ordinary note about nothing in particular, row ' || n AS note FROM generate_series(1, {BULK_ROWS}) n;
         CREATE TABLE bulk_masked AS SELECT n AS id, 'customer ' || n AS name, 'customer.' || n || '@example.com' AS email,
           '4111111111111111' AS pan, 'a note, row ' || n AS note FROM generate_series(1, {BULK_ROWS}) n;
         VACUUM ANALYZE bulk_clear; VACUUM ANALYZE bulk_masked;"
    );
    owner.psql(&sql).success();
}

pub(crate) fn config(database: &Database<'_>, mode: &str) -> Config {
    let config = Config::bank(database)
        .policy("bench.cedar", POLICY)
        .set(&["targets", "bank", "tls"], "disable")
        .unset(&["targets", "bank", "ca"])
        .set(
            &["targets", "bank", "mask", "public.bulk_masked.pan"],
            "pan",
        )
        .set(
            &["targets", "bank", "mask", "public.bulk_masked.email"],
            "email",
        );
    match mode {
        "interval" => config
            .unset(&["ledger", "durability"])
            .set(&["ledger", "durability", "interval"], "10ms"),
        _ => config,
    }
}

/// PgBouncer, pooling by session.
struct Bouncer {
    server: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Bouncer {
    fn start(database: &Database<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let (of, to) = (database.endpoint(), database.cluster().port());
        let settings = format!(
            "[databases]\nbank = host=127.0.0.1 port={to} dbname={} user=app password={}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\npool_mode = session\n\
             max_client_conn = 200\ndefault_pool_size = 100\nunix_socket_dir =\nserver_tls_sslmode = disable\n\
             ignore_startup_parameters = extra_float_digits\n",
            of.database, of.password
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        open_to_all(folder.path(), &file);
        let mut command = Command::new(found(&["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]));
        // It refuses root.
        if Path::new("/root").metadata().is_ok_and(|_| whoami() == "0") {
            command.args(["-u", "postgres"]);
        }
        let mut server = command
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let up = lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.contains("process up"));
        assert!(up, "PgBouncer did not start");
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            server,
            port,
            _folder: folder,
        }
    }

    fn endpoint(&self, direct: &Endpoint) -> Endpoint {
        Endpoint {
            port: self.port,
            database: "bank".to_owned(),
            ..direct.clone()
        }
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The first of these programs that is there.
pub(crate) fn found(places: &[&str]) -> PathBuf {
    let found = places.iter().map(Path::new).find(|path| path.exists());
    found
        .unwrap_or_else(|| panic!("none of {places:?} is installed: run scripts/setup bench"))
        .to_owned()
}

fn whoami() -> String {
    let output = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn open_to_all(folder: &Path, file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
}

/// The peak of a process's memory since the last call, in MB; the counter begins anew.
pub(crate) fn peak_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or_default();
    let kilobytes: f64 = line
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap_or(f64::NAN);
    let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
    kilobytes / 1_024.0
}
