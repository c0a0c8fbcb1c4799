//! Where a client connects and as whom, and the clients.

use crate::place;
use crate::process::{self, Output};
use crate::talk::Talk;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What every client needs to know. Taking one for a server and one for a gateway before it, a test runs the same program
/// against both and compares.
#[derive(Clone)]
pub struct Endpoint {
    /// An IP address or a name.
    pub host: String,
    /// A TCP port.
    pub port: u16,
    /// The database, which for a gateway is the target's name.
    pub database: String,
    /// The user, which for a gateway is the agent's name.
    pub user: String,
    /// The password, which for a gateway is the token.
    pub password: String,
    /// How the connection is protected.
    pub tls: Tls,
}

/// libpq's `sslmode`, as far as the tests use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// `disable`: no TLS.
    Off,
    /// `require`: TLS, with whatever certificate.
    Required,
    /// `verify-full` against the authority in this PEM file.
    Verified(PathBuf),
}

/// JDBC as Debian packages it.
const JDBC: &str = "/usr/share/java/postgresql.jar";

impl Endpoint {
    /// The same endpoint for another user.
    #[must_use]
    pub fn login(&self, user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            ..self.clone()
        }
    }

    /// The same endpoint with another protection.
    #[must_use]
    pub fn tls(&self, tls: Tls) -> Self {
        Self {
            tls,
            ..self.clone()
        }
    }

    /// The same endpoint for another database.
    #[must_use]
    pub fn database(&self, database: &str) -> Self {
        Self {
            database: database.to_owned(),
            ..self.clone()
        }
    }

    /// psql on a script given as input, unaligned and without headers, stopping at the first error.
    #[must_use]
    pub fn psql(&self, script: &str) -> Output {
        self.psql_with(&["-At", "-v", "ON_ERROR_STOP=1"], script)
    }

    /// psql with these options and this input. It reads no ~/.psqlrc.
    #[must_use]
    pub fn psql_with(&self, options: &[&str], input: &str) -> Output {
        let mut command = self.command("psql");
        command.arg("-X").args(options);
        process::run(&command, input)
    }

    /// A Python program under `tests/clients`, with psycopg and asyncpg at hand.
    #[must_use]
    pub fn python(&self, program: &str) -> Output {
        self.python_with(program, &[], "")
    }

    /// A Python program under `tests/clients` with these arguments and this input.
    #[must_use]
    pub fn python_with(&self, program: &str, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(place::workspace().join(".cache/venv/bin/python3"));
        command.arg("-B").arg(client(program)).args(arguments);
        process::run(&command, input)
    }

    /// A Python program given as text, with psycopg and asyncpg at hand.
    #[must_use]
    pub fn python_script(&self, program: &str) -> Output {
        let mut command = self.command(place::workspace().join(".cache/venv/bin/python3"));
        command.args(["-B", "-"]);
        process::run(&command, program)
    }

    /// A Python program given as text that is talked to while it runs.
    #[must_use]
    pub fn python_talk(&self, program: &str) -> Talk {
        let mut command = self.command(place::workspace().join(".cache/venv/bin/python3"));
        command.args(["-B", "-u", "-c", program]);
        Talk::start(command)
    }

    /// psql, unaligned and without headers, that is talked to while it runs.
    #[must_use]
    pub fn psql_talk(&self) -> Talk {
        let mut command = self.command("psql");
        command.args(["-X", "-At"]);
        Talk::start(command)
    }

    /// pgbench with these options.
    #[must_use]
    pub fn pgbench(&self, options: &[&str]) -> Output {
        let mut command = self.command("pgbench");
        command.args(options);
        process::run(&command, "")
    }

    /// A Node program under `tests/clients`, with pg and oidc-provider at hand.
    #[must_use]
    pub fn node(&self, program: &str) -> Output {
        let mut command = self.command("node");
        command
            .env(
                "NODE_PATH",
                place::workspace().join("tests/node/node_modules"),
            )
            .arg(client(program));
        process::run(&command, "")
    }

    /// A Java program under `tests/clients` in a single file, with JDBC at hand.
    #[must_use]
    pub fn java(&self, program: &str) -> Output {
        assert!(
            Path::new(JDBC).exists(),
            "{JDBC} is missing: run scripts/setup test"
        );
        let mut command = self.command("java");
        command
            .args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", JDBC])
            .arg(client(program));
        process::run(&command, "")
    }

    /// What one of the programs under `tests/clients` prints here, by the client's name. They cover the ways in which clients
    /// speak the protocol, and print the same wherever the same data are, so that answers from two places can be compared.
    #[must_use]
    pub fn client(&self, name: &str) -> Output {
        match name {
            "psql" => {
                let script = client("psql_cases.sql");
                let mut psql = self.psql_with(&["-f", &script.to_string_lossy()], "");
                psql.stdout = without_process_ids(&psql.stdout);
                psql
            }
            "psycopg" => self.python("psycopg_cases.py"),
            "asyncpg" => self.python("asyncpg_cases.py"),
            "node-postgres" => self.node("node_cases.js"),
            "JDBC" => self.java("JdbcCases.java"),
            other => panic!("there is no client {other}"),
        }
    }

    /// A command with libpq's variables set to this endpoint and nothing else in its environment but the PATH.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = process::clean_command(program);
        command
            .env("PGHOST", &self.host)
            .env("PGPORT", self.port.to_string())
            .env("PGDATABASE", &self.database)
            .env("PGUSER", &self.user)
            .env("PGPASSWORD", &self.password)
            .env("PGPASSFILE", "/dev/null")
            .env("PGGSSENCMODE", "disable")
            .env("PGCONNECT_TIMEOUT", "30");
        match &self.tls {
            Tls::Off => command.env("PGSSLMODE", "disable"),
            Tls::Required => command.env("PGSSLMODE", "require"),
            Tls::Verified(authority) => command
                .env("PGSSLMODE", "verify-full")
                .env("PGSSLROOTCERT", authority),
        };
        command
    }
}

fn client(program: &str) -> PathBuf {
    place::workspace().join("tests/clients").join(program)
}

/// psql prints the process id with a notification.
fn without_process_ids(output: &str) -> String {
    let mut lines = Vec::new();
    for line in output.lines() {
        lines.push(
            line.split_once(" with PID ")
                .map_or(line, |(before, _)| before),
        );
    }
    lines.join("\n")
}
