//! A gateway to test with: everything real, in a folder of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ledger::Reader;
use model::{ApprovalStatement, Entry, Event, Identity, Proof, Timestamp, Verdict};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::api;
use crate::approval::Approvals;
use crate::config::Config;
use crate::gateway::Gateway;
use crate::identity::{BuiltInIssuer, Subject};
use crate::serve::{Addresses, Parts};

/// Policies under which reading is allowed, writing asks `oncall`, and the rest is denied; only `bank` may be used.
pub(crate) const POLICIES: &str = r#"
@id("use-bank")
permit (principal, action == Action::"access", resource == Target::"bank");
@id("read")
permit (principal, action == Postgres::Action::"select", resource);
@id("update")
permit (principal, action == Postgres::Action::"update", resource);
@id("update-gate")
@gate("oncall")
@quorum("1")
forbid (principal, action == Postgres::Action::"update", resource)
unless { context.approvals.contains("oncall") };
"#;

/// A gateway without listeners of its own but the API's.
pub(crate) struct Scene {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) approvals: Approvals,
    pub(crate) folder: TempDir,
    pub(crate) ending: watch::Sender<bool>,
    pub(crate) issuer: Arc<BuiltInIssuer>,
}

impl Scene {
    /// A gateway whose target `bank` is at `upstream`. `more` is added to the configuration.
    pub(crate) async fn new(upstream: SocketAddr, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_policies(folder.path(), POLICIES);
        let key = keygen(folder.path(), "bob");
        let text = format!(
            "[issuer]\nenabled = true\n[people.bob]\nssh_keys = [{key:?}]\n\
             [targets.bank]\nprotocol = \"postgres\"\naddress = \"{upstream}\"\ndatabase = \"bank\"\nuser = \"app\"\n{more}"
        );
        let config = Config::parse(&text, &folder.path().join("countersign.toml")).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = socket.local_addr().unwrap();
        let (ending, is_ending) = watch::channel(false);
        let addresses = Addresses {
            api,
            postgres: api,
            aws: None,
        };
        let parts = Parts::start(&config, addresses, is_ending).await.unwrap();
        let issuer = parts.api.issuer.clone().unwrap();
        tokio::spawn(api::serve(parts.api, socket, std::future::pending()));
        Self {
            gateway: parts.gateway,
            approvals: parts.approvals,
            folder,
            ending,
            issuer,
        }
    }

    /// A token for `claude` acting for `human`.
    pub(crate) fn token(&self, human: &str) -> String {
        let subject = Subject {
            human: human.to_owned(),
            agent: Some("claude".to_owned()),
            instance: None,
            model: None,
            groups: Vec::new(),
        };
        let token = self
            .issuer
            .token(&subject, "1", self.gateway.clock.now(), 600)
            .unwrap();
        String::from_utf8(token.expose().to_vec()).unwrap()
    }

    /// Bob's verdict on an approval, signed with his key.
    pub(crate) async fn verdict(&self, id: &str, verdict: Verdict) {
        let request = self.approvals.show(id).unwrap().request;
        let statement = ApprovalStatement::new(&request, verdict, "bob", "looks right").bytes();
        let statement = String::from_utf8(statement).unwrap();
        let signature = sign(self.folder.path(), "bob", &statement);
        self.approvals
            .give(&person("bob", &["oncall"]), id, &statement, &signature)
            .await
            .unwrap();
    }

    /// The id of the one open request, once it is there.
    pub(crate) async fn pending(&self) -> String {
        let mut changes = self.approvals.changes();
        loop {
            if let Some(view) = self.approvals.list().first() {
                return view.request.id.clone();
            }
            changes.changed().await.unwrap();
        }
    }

    pub(crate) fn policies(&self, text: &str) {
        write_policies(self.folder.path(), text);
    }

    /// Every entry so far, from the disk.
    pub(crate) async fn entries(&self) -> Vec<Entry> {
        let log = self.gateway.journal.log().clone();
        let folder = self.folder.path().join("data/ledger");
        tokio::task::spawn_blocking(move || {
            log.flush().unwrap();
            let reader = Reader::open(&folder, None).unwrap();
            let size = reader.checkpoint().size();
            reader
                .entries(0..size)
                .map(|leaf| Entry::decode(&leaf.unwrap().1).unwrap())
                .collect()
        })
        .await
        .unwrap()
    }

    /// The kinds of the entries after the first, which tells of the start.
    pub(crate) async fn story(&self) -> Vec<String> {
        self.entries()
            .await
            .iter()
            .skip(1)
            .map(|entry| kind(&entry.event))
            .collect()
    }
}

/// An event in a word or two.
pub(crate) fn kind(event: &Event) -> String {
    match event {
        Event::Intent(intent) => format!("intent {}", intent.seq),
        Event::Outcome { outcome, .. } => format!("outcome {:?}", outcome.status),
        Event::Refused { seq, denial, .. } => format!("refused {seq} {:?}", denial.code),
        Event::Authenticated(login) if login.refused.is_some() => "login refused".to_owned(),
        Event::Authenticated(_) => "login".to_owned(),
        Event::ApprovalGiven { settled, .. } => format!("approval given {settled}"),
        Event::ApprovalClosed { reason, .. } => format!("approval closed {reason}"),
        Event::SessionClosed {
            permitted, refused, ..
        } => format!("closed {permitted} {refused}"),
        other => serde_json::to_value(other).unwrap()["type"]
            .as_str()
            .unwrap()
            .to_owned(),
    }
}

pub(crate) fn person(human: &str, groups: &[&str]) -> Identity {
    Identity {
        human: human.to_owned(),
        agent: None,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        proof: Proof {
            issuer: "https://issuer.example".to_owned(),
            subject: human.to_owned(),
            token_id: None,
            key_id: None,
            expires: Timestamp::MAX,
        },
    }
}

fn write_policies(folder: &Path, text: &str) {
    let folder = folder.join("policies");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("new"), text).unwrap();
    std::fs::rename(folder.join("new"), folder.join("bank.cedar")).unwrap();
}

fn keygen(folder: &Path, name: &str) -> String {
    run(folder, &["-q", "-t", "ed25519", "-N", "", "-f", name], "");
    std::fs::read_to_string(folder.join(format!("{name}.pub")))
        .unwrap()
        .trim()
        .to_owned()
}

fn sign(folder: &Path, key: &str, statement: &str) -> String {
    run(
        folder,
        &["-Y", "sign", "-n", model::SIGNATURE_NAMESPACE, "-f", key],
        statement,
    )
}

fn run(folder: &Path, arguments: &[&str], input: &str) -> String {
    use std::io::Write as _;
    let mut child = Process::new("ssh-keygen")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("ssh-keygen is installed (Debian: openssh-client)");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "ssh-keygen {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The most that anything in a test may take: a test that hangs fails with a name.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen"))
}
