//! `countersign run`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use clap::Args;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::block_on;
use crate::cli::Globals;
use crate::failure::Failure;
use crate::place::Place;
use crate::reach::{Reach, Where, absolute};

/// Variables whose names begin so are how programs find credentials of clouds, databases, clusters and code forges.
const AMBIENT_PREFIXES: [&str; 19] = [
    "ARM_",
    "AWS_",
    "AZURE_",
    "BOTO_",
    "CLOUDSDK_",
    "GCLOUD_",
    "GH_",
    "GITHUB_",
    "GITLAB_",
    "GOOGLE_",
    "KUBE",
    "MINIO_",
    "MYSQL_",
    "PG",
    "RCLONE_",
    "REDIS",
    "TF_TOKEN_",
    "TF_VAR_",
    "VAULT_",
];

/// And those of these names.
const AMBIENT: [&str; 8] = [
    "COUNTERSIGN_TOKEN",
    "DOCKER_AUTH_CONFIG",
    "DOCKER_CONFIG",
    "GIT_ASKPASS",
    "MONGODB_URI",
    "SSH_AGENT_PID",
    "SSH_ASKPASS",
    "SSH_AUTH_SOCK",
];

/// What the names of others end in.
const AMBIENT_ENDS: [&str; 16] = [
    "ACCESS_KEY",
    "ACCESS_KEY_ID",
    "API_KEY",
    "APIKEY",
    "AUTH_TOKEN",
    "CREDENTIALS",
    "DATABASE_URL",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PRIVATE_KEY",
    "PWD",
    "SECRET",
    "SECRET_KEY",
    "TOKEN",
];

/// What is no credential though its name is such a one, and what agents ask their own models with: without it there is no agent.
const LEFT: [&str; 8] = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CODEX_API_KEY",
    "CURSOR_API_KEY",
    "GEMINI_API_KEY",
    "OPENAI_API_KEY",
    "PWD",
];

/// Run an agent, or any program, with the clients of targets set up and the credentials around it removed.
///
/// The program finds psql, the AWS CLI and SDKs ready for the targets. What else of credentials its environment holds (AWS_*, PG*, KUBECONFIG, GITHUB_TOKEN, SSH_AUTH_SOCK and their like, names that end in _TOKEN, _SECRET, _PASSWORD or _API_KEY, URLs with a password) is gone, and ~/.aws, ~/.pgpass and ~/.kube/config are not looked at. Other files in its home, such as SSH keys, stay readable: start it under an account that has none. The first target of a protocol is the default; others go by name: psql service=NAME, aws --profile NAME. The program's exit code is the exit code.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign run --target bank --target lake --token-file agent.token -- claude
  countersign run --target lake --token-file agent.token -- aws s3 ls s3://reports
  countersign run --target bank --keep GITHUB_TOKEN --token-file agent.token -- ./agent.sh
  COUNTERSIGN_TOKEN=… countersign run --target aws:lake --aws https://gateway.example.com:8481 --region eu-central-1 -- python3 agent.py")]
pub(crate) struct Run {
    /// A target, aws:NAME or postgres:NAME where no configuration says which it is; may be given several times.
    #[arg(long = "target", value_name = "TARGET", required = true)]
    targets: Vec<String>,

    /// A variable to leave in the environment although programs find credentials by it; may be given several times.
    #[arg(long = "keep", value_name = "NAME")]
    keep: Vec<String>,

    #[command(flatten)]
    at: Where,

    /// The program and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// The files that the program's clients read, for as long as it runs.
struct Files {
    folder: tempfile::TempDir,
}

impl Run {
    pub(crate) fn run(self, globals: &Globals) -> Result<u8, Failure> {
        let place = Place::new(globals);
        let files = Files::new()?;
        let token = place.required_token()?;
        let token_file = match (&globals.token_file, place.token_is_from_file()) {
            // It may be renewed while the program runs.
            (Some(file), true) => absolute(file)?,
            _ => files.write("token", token.expose())?,
        };
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or_else(|| Failure::usage("no command is given".to_owned()))?;
        let mut command = Command::new(program);
        command.args(arguments);
        for (name, value) in std::env::vars_os() {
            let ambient = is_ambient(&name) || holds_credentials(&value);
            if ambient && !self.keep.iter().any(|kept| **kept == *name) {
                command.env_remove(&name);
            }
        }
        let reached = self
            .targets
            .iter()
            .map(|target| self.at.reach(target, &place, globals))
            .collect::<Result<Vec<_>, _>>()?;
        let password = String::from_utf8_lossy(token.expose());
        command.env("COUNTERSIGN_TOKEN_FILE", &token_file);
        command.envs(postgres(&reached, &files, &password)?);
        command.envs(aws(&reached, &files, &token_file)?);
        command.env("KUBECONFIG", files.write("kubeconfig", b"")?);
        let status = block_on(async {
            // Before there is a program: who asks this process to end must not leave it behind.
            let asked = Signals::new()?;
            let child = command.spawn().map_err(|error| {
                let message = format!("{} cannot be run: {error}", program.display());
                Failure::with_code(not_run(&error), message)
            })?;
            Ok(asked.until_it_ends(child).await?)
        })?;
        Ok(exit_code(status))
    }
}

type Variables = Vec<(&'static str, OsString)>;

fn owned((name, value): (&'static str, String)) -> (&'static str, OsString) {
    (name, value.into())
}

fn postgres(reached: &[Reach], files: &Files, password: &str) -> Result<Variables, Failure> {
    let targets = reached.iter().filter_map(|reach| match reach {
        Reach::Postgres(libpq) => Some(libpq),
        Reach::Aws(_) => None,
    });
    let targets: Vec<_> = targets.collect();
    let services: String = targets.iter().map(|libpq| libpq.service()).collect();
    let mut variables: Variables = vec![
        ("PGPASSFILE", files.write("pgpass", b"")?.into()),
        (
            "PGSERVICEFILE",
            files.write("pg_service.conf", services.as_bytes())?.into(),
        ),
    ];
    if let Some(first) = targets.first() {
        variables.extend(first.variables().into_iter().map(owned));
        variables.push(("PGPASSWORD", password.into()));
    }
    Ok(variables)
}

fn aws(reached: &[Reach], files: &Files, token: &Path) -> Result<Variables, Failure> {
    let targets = reached.iter().filter_map(|reach| match reach {
        Reach::Aws(sdk) => Some(sdk),
        Reach::Postgres(_) => None,
    });
    let targets: Vec<_> = targets.collect();
    let mut profiles = String::new();
    if let Some(first) = targets.first() {
        profiles.push_str(&first.profile("default", token)?);
    }
    for sdk in &targets {
        profiles.push_str(&sdk.profile(&sdk.target, token)?);
    }
    let mut variables: Variables = vec![
        (
            "AWS_CONFIG_FILE",
            files.write("aws_config", profiles.as_bytes())?.into(),
        ),
        (
            "AWS_SHARED_CREDENTIALS_FILE",
            files.write("aws_credentials", b"")?.into(),
        ),
        // Or a program without a target would get the machine's own role.
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
    ];
    match targets.as_slice() {
        [] => {}
        // Some clients know variables alone.
        [only] => variables.extend(only.variables(token).into_iter().map(owned)),
        // Variables would win over the profile that a program names.
        [first, ..] => {
            variables.extend(first.endpoints().map(owned));
            variables.extend(first.bundle().map(owned));
        }
    }
    Ok(variables)
}

/// Whether programs find credentials by the variable of this name.
pub(crate) fn is_ambient(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    let ends = |end: &&str| {
        let before = name.strip_suffix(end);
        before.is_some_and(|it| it.is_empty() || it.ends_with('_'))
    };
    let listed = AMBIENT.contains(&name.as_str())
        || AMBIENT_ENDS.iter().any(ends)
        || AMBIENT_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix));
    listed && !LEFT.contains(&name.as_str())
}

/// Whether there is a URL with a user and a password or token in a value (RFC 3986 section 3.2.1): of a registry, a proxy, a store.
fn holds_credentials(value: &OsStr) -> bool {
    let value = value.to_string_lossy();
    value.split("://").skip(1).any(|rest| {
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | ','));
        let authority = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        user.is_some_and(|user| user.contains(':') || user.len() >= TOKEN_BYTES_MIN)
    })
}

/// Who is named alone in a URL is a token where the name is so long, and else somebody (`ssh://git@host`).
const TOKEN_BYTES_MIN: usize = 16;

impl Files {
    fn new() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("countersign-run-")
            .tempdir()?;
        Ok(Self { folder })
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.folder.path().join(name);
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?
            .write_all(content)?;
        Ok(path)
    }
}

/// Ctrl-C at a terminal reaches the program by itself; this process only must not end before it. Who asks this process to
/// end means the program.
struct Signals {
    interrupted: Signal,
    quit: Signal,
    terminated: Signal,
    hung_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupted: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminated: signal(SignalKind::terminate())?,
            hung_up: signal(SignalKind::hangup())?,
        })
    }

    async fn until_it_ends(mut self, mut child: Child) -> std::io::Result<ExitStatus> {
        loop {
            tokio::select! {
                status = child.wait() => return status,
                _ = self.interrupted.recv() => {}
                _ = self.quit.recv() => {}
                _ = self.terminated.recv() => pass_on(&child, rustix::process::Signal::TERM),
                _ = self.hung_up.recv() => pass_on(&child, rustix::process::Signal::HUP),
            }
        }
    }
}

fn pass_on(child: &Child, signal: rustix::process::Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        // It may have ended just now.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// As shells tell that there is no such program, or that it may not be run.
fn not_run(error: &std::io::Error) -> u8 {
    match error.kind() {
        std::io::ErrorKind::NotFound => 127,
        _ => 126,
    }
}

/// As shells tell it.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_around_are_known_by_name() {
        for name in [
            "AWS_ACCESS_KEY_ID",
            "AWS_PROFILE",
            "AWS_ENDPOINT_URL_S3",
            "PGPASSWORD",
            "PGSERVICE",
            "KUBECONFIG",
            "DATABASE_URL",
            "PAYMENTS_DATABASE_URL",
            "COUNTERSIGN_TOKEN",
            "GITHUB_TOKEN",
            "SSH_AUTH_SOCK",
            "TF_VAR_password",
            "NPM_TOKEN",
            "HF_TOKEN",
            "TOKEN",
            "DATADOG_API_KEY",
            "STRIPE_SECRET",
            "SMTP_PASSWORD",
            "MYSQL_PWD",
            "WANDB_API_KEY",
            "B2_APPLICATION_SECRET_KEY",
        ] {
            assert!(is_ambient(OsStr::new(name)), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "TERM",
            "LANG",
            "COUNTERSIGN_CONFIG",
            "EDITOR",
            "PWD",
            "OLDPWD",
            "TOKENIZERS_PARALLELISM",
            "MAX_TOKENS",
            "ANTHROPIC_API_KEY",
            "PIP_INDEX_URL",
            "COUNTERSIGN_TOKEN_FILE",
        ] {
            assert!(!is_ambient(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn urls_with_credentials_are_known_by_their_value() {
        for value in [
            "https://u:p@pypi.example/simple",
            "https://pypi.example/simple https://u:p@other.example/simple",
            "redis://:p@host:6379/0",
            "https://ghp_0123456789abcdef@github.example/x",
            "https://u:p@ss@host",
        ] {
            assert!(holds_credentials(OsStr::new(value)), "{value}");
        }
        for value in [
            "",
            "https://pypi.example/simple",
            "https://pypi.example:8443/simple",
            "ssh://git@host/x",
            "https://host/a:b@c",
            "https://host?to=a:b@c",
            "unix:path=/run/user/0/bus",
            "alice@example.com:22",
        ] {
            assert!(!holds_credentials(OsStr::new(value)), "{value}");
        }
    }

    #[test]
    fn exit_codes_are_those_of_shells() {
        assert_eq!(exit_code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(exit_code(ExitStatus::from_raw(15)), 143);
    }
}
