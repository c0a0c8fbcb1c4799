//! AWS's side, played by moto with authorization checks, and agents that use it through the gateway.

use crate::gateway::Gateway;
use crate::place;
use crate::process::{self, Output, clean_command};
use crate::s3::S3;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
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
    /// The ARN of the role `lake`.
    pub role: String,
    requests: Option<tempfile::NamedTempFile>,
}

impl Moto {
    /// Starts one, with nothing in it but an account.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::launch("all", None)
    }

    /// One of a kind that `tests/clients/aws_server.py` tells, which keeps the requests that it is asked.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn watched(kind: &str) -> Self {
        let file = tempfile::NamedTempFile::new_in(place::scratch()).unwrap();
        Self::launch(kind, Some(file))
    }

    fn launch(kind: &str, requests: Option<tempfile::NamedTempFile>) -> Self {
        let mut command = python();
        command.arg(client("aws_server.py")).arg(kind);
        command.args(requests.as_ref().map(tempfile::NamedTempFile::path));
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
            role: text("role"),
            requests,
        }
    }

    /// The requests that were asked so far, where it keeps them.
    ///
    /// # Panics
    /// If it does not.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        let file = self.requests.as_ref().expect("a watched one").path();
        let text = std::fs::read_to_string(file).unwrap();
        text.lines().map(Request::read).collect()
    }
}

/// A request as moto saw it.
#[derive(Debug)]
pub struct Request {
    /// The method and the URL.
    pub line: String,
    /// The access key it is signed with; empty where it is not signed.
    pub access_key: String,
    /// The parameters of its form, where it has one.
    pub form: HashMap<String, String>,
}

impl Request {
    fn read(line: &str) -> Self {
        let told: Value = serde_json::from_str(line).unwrap();
        let signature = told["headers"]["Authorization"]
            .as_str()
            .unwrap_or_default();
        let access_key = signature.split("Credential=").nth(1).unwrap_or_default();
        let body = told["body"].as_str().unwrap_or_default();
        let body = match told["body_encoded"].as_bool() {
            Some(true) => STANDARD.decode(body).unwrap(),
            _ => body.as_bytes().to_vec(),
        };
        let form = String::from_utf8(body).unwrap_or_default();
        let form = protocols::http::escape::pairs(&form).unwrap_or_default();
        Self {
            line: format!(
                "{} {}",
                told["method"].as_str().unwrap(),
                told["url"].as_str().unwrap()
            ),
            access_key: access_key.split('/').next().unwrap_or_default().to_owned(),
            form: form.into_iter().collect(),
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
        Self::of(gateway, target, "alice", groups)
    }

    /// An agent that acts for this human. The one before it has no token any more.
    #[must_use]
    pub fn of(gateway: &'a Gateway, target: &str, human: &str, groups: &[&str]) -> Self {
        let token = gateway.token_in(Some("claude-code"), human, groups);
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

    /// Runs cases of `tests/clients/aws_answers.py`; functions are made with this role.
    #[must_use]
    pub fn answers(&self, role: &str, names: &[&str]) -> Output {
        let mut command = python();
        command.arg(client("aws_answers.py")).arg(role).args(names);
        self.run(command)
    }

    /// Runs the AWS CLI.
    #[must_use]
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = clean_command(aws_cli());
        command.args(arguments);
        self.run(command)
    }

    /// Runs `tests/clients/s3_cases.py`, which looks at the server behind the gateway too.
    #[must_use]
    pub fn s3_cases(&self, server: &S3) -> Output {
        let mut command = python();
        command
            .arg(client("s3_cases.py"))
            .env("S3_DIRECT", format!("http://{}", server.address))
            .env("S3_DIRECT_KEY", server.access_key)
            .env("S3_DIRECT_SECRET", server.secret_key);
        self.run(command)
    }

    /// Runs a Node program under `tests/clients`, with the AWS SDK at hand and these variables.
    #[must_use]
    pub fn node(&self, program: &str, variables: &[(&str, &str)]) -> Output {
        let mut command = clean_command("node");
        command
            .arg(client(program))
            .env(
                "NODE_PATH",
                place::workspace().join("tests/node/node_modules"),
            )
            .env("NODE_EXTRA_CA_CERTS", self.file("authority.pem"))
            .envs(variables.iter().copied());
        self.run(command)
    }

    /// Runs s3cmd, which is given keys: it knows no STS but AWS's own.
    #[must_use]
    pub fn s3cmd(&self, arguments: &[&str]) -> Output {
        let address = self.gateway.address("aws").to_string();
        let keys = self.keys();
        let config = format!(
            "[default]\naccess_key = {}\nsecret_key = {}\naccess_token = {}\nhost_base = {address}\nhost_bucket = {address}\n\
             use_https = True\nca_certs_file = {}\nbucket_location = eu-central-1\n",
            keys["AccessKeyId"].as_str().unwrap(),
            keys["SecretAccessKey"].as_str().unwrap(),
            keys["SessionToken"].as_str().unwrap(),
            self.file("authority.pem").display(),
        );
        std::fs::write(self.file("s3cfg"), config).unwrap();
        let mut command = clean_command(place::workspace().join(".cache/venv/bin/s3cmd"));
        command
            .args(["--config", "s3cfg", "--no-progress"])
            .args(arguments)
            .current_dir(self.gateway.config().directory());
        process::run(&command, "")
    }

    /// Runs rclone with a remote `gw:`, which is given keys for the same reason.
    #[must_use]
    pub fn rclone(&self, arguments: &[&str]) -> Output {
        let keys = self.keys();
        let key = |name: &str| keys[name].as_str().unwrap().to_owned();
        let mut command = clean_command("rclone");
        command
            .env("RCLONE_CONFIG_GW_TYPE", "s3")
            .env("RCLONE_CONFIG_GW_PROVIDER", "Other")
            .env(
                "RCLONE_CONFIG_GW_ENDPOINT",
                format!("https://{}", self.gateway.address("aws")),
            )
            .env("RCLONE_CONFIG_GW_REGION", "eu-central-1")
            .env("RCLONE_CONFIG_GW_ACCESS_KEY_ID", key("AccessKeyId"))
            .env("RCLONE_CONFIG_GW_SECRET_ACCESS_KEY", key("SecretAccessKey"))
            .env("RCLONE_CONFIG_GW_SESSION_TOKEN", key("SessionToken"))
            .env("RCLONE_CONFIG", "/nonexistent/rclone.conf")
            .args([
                "--ca-cert",
                "authority.pem",
                "--retries",
                "1",
                "--low-level-retries",
                "1",
            ])
            .args(arguments)
            .current_dir(self.gateway.config().directory());
        process::run(&command, "")
    }

    /// Keys for clients that cannot ask for them, as `countersign env` prints them.
    fn keys(&self) -> Value {
        let token = self.file("agent.token");
        let token = token.to_string_lossy();
        let env = ["env", "--target", &self.target, "--token-file", &token];
        let format = ["--format", "credential-process"];
        let output = self.gateway.countersign(&[&env[..], &format].concat());
        serde_json::from_str(&output.success().stdout).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.gateway.config().directory().join(name)
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
            .env("AWS_REGION", "eu-central-1")
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

/// Sends bytes to a listener without TLS and leaves as `tests/clients/aws_gone.py` tells.
///
/// # Panics
/// If they cannot be written for it.
#[must_use]
pub fn leaves(gateway: &Gateway, to: SocketAddr, request: &[u8], how: &str) -> Output {
    let file = gateway.config().directory().join("request");
    std::fs::write(&file, request).unwrap();
    let mut command = python();
    command.arg(client("aws_gone.py")).arg(to.to_string());
    command.arg(file).arg(how);
    process::run(&command, "")
}

/// Every operation of every service as botocore writes it: JSON Lines of `tests/clients/aws_requests.py`.
#[must_use]
pub fn every_request() -> Output {
    let mut command = python();
    command.arg(client("aws_requests.py"));
    process::run(&command, "")
}

/// The members of every operation, of requests and of answers: JSON Lines of `tests/clients/aws_members.py`.
#[must_use]
pub fn every_member() -> Output {
    let mut command = python();
    command.arg(client("aws_members.py"));
    process::run(&command, "")
}

/// The hosts of every service in several regions: JSON Lines of `tests/clients/aws_hosts.py`.
#[must_use]
pub fn every_host() -> Output {
    let mut command = python();
    command.arg(client("aws_hosts.py"));
    process::run(&command, "")
}

/// The words that run a Node program under `tests/clients` with the AWS SDK at hand.
#[must_use]
pub fn node_client(program: &str) -> [String; 4] {
    let modules = place::workspace().join("tests/node/node_modules");
    [
        "env".to_owned(),
        format!("NODE_PATH={}", modules.display()),
        "node".to_owned(),
        client(program).to_string_lossy().into_owned(),
    ]
}

fn python() -> Command {
    let mut command = clean_command(place::workspace().join(".cache/venv/bin/python3"));
    command.arg("-B");
    command
}

fn client(program: &str) -> PathBuf {
    place::workspace().join("tests/clients").join(program)
}
