//! AWS's side, played by moto with authorization checks, and agents that use it through the gateway.

use crate::gateway::Gateway;
use crate::place;
use crate::process::{self, Output, clean_command};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

/// A running moto. It ends when this process does: its standard input ends then.
pub struct Moto {
    child: Child,
    input: Option<ChildStdin>,
    /// Where it listens, on loopback.
    pub port: u16,
    /// The id of keys that may do everything.
    pub access_key: String,
    /// Their secret.
    pub secret_key: String,
}

impl Moto {
    /// Starts one, with nothing in it but an account.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        let mut command = python();
        command.arg(client("aws_server.py"));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let told: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("moto does not start: run scripts/setup test ({line:?})"));
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        Self {
            child,
            input,
            port: u16::try_from(told["port"].as_u64().unwrap()).unwrap(),
            access_key: text("access_key"),
            secret_key: text("secret_key"),
        }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.input.take());
        drop(self.child.wait());
    }
}

/// An agent with nothing but a token and the address of the gateway.
pub struct Agent<'a> {
    gateway: &'a Gateway,
    target: String,
}

impl<'a> Agent<'a> {
    /// An agent that acts for alice, who is in these groups, and uses this target.
    #[must_use]
    pub fn new(gateway: &'a Gateway, target: &str, groups: &[&str]) -> Self {
        let token = gateway.token_in(Some("claude-code"), "alice", groups);
        std::fs::write(gateway.config().directory().join("agent.token"), token).unwrap();
        Self {
            gateway,
            target: target.to_owned(),
        }
    }

    /// Runs cases of `tests/clients/aws_cases.py`.
    #[must_use]
    pub fn cases(&self, names: &[&str]) -> Output {
        let mut command = python();
        command.arg(client("aws_cases.py")).args(names);
        self.run(command)
    }

    /// Runs the AWS CLI.
    #[must_use]
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = clean_command(aws_cli());
        command.args(arguments);
        self.run(command)
    }

    fn run(&self, mut command: Command) -> Output {
        let directory = self.gateway.config().directory();
        let endpoint = format!("https://{}", self.gateway.address("aws"));
        let role = format!("arn:aws:iam::000000000000:role/{}", self.target);
        command
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_ROLE_ARN", role)
            .env("AWS_ROLE_SESSION_NAME", "work")
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", directory.join("agent.token"))
            .env("AWS_CA_BUNDLE", directory.join("authority.pem"))
            .env("SSL_CERT_FILE", directory.join("authority.pem"))
            .env("AWS_DEFAULT_REGION", "eu-central-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_PAGER", "")
            .current_dir(directory);
        process::run(&command, "")
    }
}

/// The AWS CLI's program.
#[must_use]
pub fn aws_cli() -> PathBuf {
    place::workspace().join(".cache/venv/bin/aws")
}

/// Every operation of every service as botocore writes it: JSON Lines of `tests/clients/aws_requests.py`.
#[must_use]
pub fn every_request() -> Output {
    let mut command = python();
    command.arg(client("aws_requests.py"));
    process::run(&command, "")
}

fn python() -> Command {
    let mut command = clean_command(place::workspace().join(".cache/venv/bin/python3"));
    command.arg("-B");
    command
}

fn client(program: &str) -> PathBuf {
    place::workspace().join("tests/clients").join(program)
}
