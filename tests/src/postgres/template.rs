//! The cluster that all others are copied from: made once for these files, this server version and these settings.

use super::{
    Secrets, free_port, give_to_server, launch, server_command, write_certificates, write_private,
};
use crate::endpoint::{Endpoint, Tls};
use crate::place;
use crate::process;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};

const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
ssl = on
password_encryption = 'scram-sha-256'
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
shared_buffers = '32MB'
wal_level = logical
max_wal_senders = 4
log_line_prefix = '%m [%p] %u@%d/%a '
timezone = 'UTC'
log_timezone = 'UTC'
";

/// First match wins.
const ACCESS: &str = "
hostssl   all          app_tls    127.0.0.1/32  scram-sha-256
host      all          app_tls    127.0.0.1/32  reject
host      all          app_md5    127.0.0.1/32  md5
host      all          app_plain  127.0.0.1/32  password
host      all          all        127.0.0.1/32  scram-sha-256
host      replication  all        127.0.0.1/32  scram-sha-256
";

const ROLES: &str = r"
\getenv password BANK_APP_PASSWORD
SET password_encryption = 'scram-sha-256';
CREATE ROLE app_tls LOGIN IN ROLE app PASSWORD :'password';
CREATE ROLE app_plain LOGIN IN ROLE app PASSWORD :'password';
SET password_encryption = 'md5';
CREATE ROLE app_md5 LOGIN IN ROLE app PASSWORD :'password';
";

/// The template's data directory, which nobody runs a server on, and its passwords.
pub(super) fn ready() -> (PathBuf, Secrets) {
    let scratch = place::scratch();
    let home = scratch.join(format!("template-{:016x}", fingerprint()));
    // Processes that start together wait for the one that makes it.
    let lock = File::create(scratch.join("template.lock")).unwrap();
    lock.lock().unwrap();
    if !home.join("secrets").exists() {
        make(&scratch, &home);
    }
    let secrets = fs::read_to_string(home.join("secrets")).unwrap();
    let (superuser, app) = secrets.trim().split_once(' ').unwrap();
    (
        home.join("data"),
        Secrets {
            superuser: superuser.to_owned(),
            app: app.to_owned(),
        },
    )
}

fn make(scratch: &Path, home: &Path) {
    let making = tempfile::Builder::new()
        .prefix("making-")
        .tempdir_in(scratch)
        .unwrap();
    give_to_server(making.path());
    let data = making.path().join("data");
    let secrets = Secrets {
        superuser: random_word(),
        app: random_word(),
    };

    let password_file = making.path().join("superuser");
    write_private(&password_file, &secrets.superuser);
    let mut initdb = server_command("initdb");
    initdb.args([
        "--no-sync",
        "-U",
        "postgres",
        "-A",
        "scram-sha-256",
        "-E",
        "UTF8",
        "--locale=C",
        "--wal-segsize=1",
    ]);
    initdb
        .arg("--pwfile")
        .arg(&password_file)
        .arg("-D")
        .arg(&data)
        .current_dir(making.path());
    let made = initdb
        .output()
        .unwrap_or_else(|error| panic!("initdb: {error}: run scripts/setup demo"));
    assert!(
        made.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    write_private(&data.join("postgresql.conf"), SETTINGS);
    write_private(&data.join("pg_hba.conf"), ACCESS);
    write_certificates(making.path(), &data);
    load(making.path(), &data, &secrets);

    fs::remove_file(&password_file).unwrap();
    write_private(
        &making.path().join("secrets"),
        &format!("{} {}\n", secrets.superuser, secrets.app),
    );
    let _ = fs::remove_dir_all(home);
    fs::rename(making.keep(), home).unwrap();
}

/// Starts a server on the new cluster, fills it as a user would, and shuts it down cleanly.
fn load(directory: &Path, data: &Path, secrets: &Secrets) {
    let port = free_port();
    let log = directory.join("log");
    let (mut server, ready) = launch(data, port, &log);
    ready.recv().unwrap_or_else(|_| {
        panic!(
            "PostgreSQL does not start:\n{}",
            fs::read_to_string(&log).unwrap()
        )
    });
    let superuser = Endpoint {
        host: "127.0.0.1".to_owned(),
        port,
        database: "postgres".to_owned(),
        user: "postgres".to_owned(),
        password: secrets.superuser.clone(),
        tls: Tls::Required,
    };
    let mut bank = superuser.command(place::workspace().join("examples/bank/load.sh"));
    bank.env("BANK_APP_PASSWORD", &secrets.app)
        .arg(port.to_string());
    let loaded = process::run(&bank, "");
    let mut roles = superuser.command("psql");
    roles
        .env("BANK_APP_PASSWORD", &secrets.app)
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]);
    let granted = process::run(&roles, ROLES);
    // A smart shutdown waits for connections to end; none is left.
    process::signal(server.id(), "TERM");
    server.wait().unwrap();
    loaded.success();
    granted.success();
}

/// What a template depends on.
fn fingerprint() -> u64 {
    let mut hasher = DefaultHasher::new();
    (SETTINGS, ACCESS, ROLES, include_str!("template.rs")).hash(&mut hasher);
    for file in ["load.sh", "roles.sql", "schema.sql", "data.sql"] {
        fs::read(place::workspace().join("examples/bank").join(file))
            .unwrap()
            .hash(&mut hasher);
    }
    let mut version = server_command("postgres");
    let version = version.arg("--version").output();
    version
        .unwrap_or_else(|error| panic!("postgres: {error}: run scripts/setup demo"))
        .stdout
        .hash(&mut hasher);
    hasher.finish()
}

fn random_word() -> String {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")
        .unwrap()
        .read_exact(&mut bytes)
        .unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
