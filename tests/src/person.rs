//! People with SSH keys of their own.

use crate::place;
use crate::process::{self, clean_command};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

/// What approvals are signed for.
const NAMESPACE: &str = "countersign-approval";

/// An SSH agent, for as long as this lives.
pub struct SshAgent {
    /// Where it listens.
    pub socket: PathBuf,
    agent: Child,
    _folder: tempfile::TempDir,
}

impl SshAgent {
    /// An agent with the keys of these people, in this order.
    #[must_use]
    pub fn of(people: &[&Person]) -> Self {
        // A socket's path is short.
        let folder = tempfile::Builder::new().prefix("agent-").tempdir().unwrap();
        let socket = folder.path().join("socket");
        let mut agent = clean_command("ssh-agent");
        agent.args(["-D", "-a"]).arg(&socket).stdout(Stdio::null());
        let agent = agent.spawn();
        let agent = agent.unwrap_or_else(|error| panic!("ssh-agent: {error}"));
        let made = Self {
            socket,
            agent,
            _folder: folder,
        };
        while !made.socket.exists() {
            thread::sleep(Duration::from_millis(5));
        }
        for person in people {
            let mut add = clean_command("ssh-add");
            add.env("SSH_AUTH_SOCK", &made.socket);
            process::run(add.arg("-q").arg(person.key_file()), "").success();
        }
        made
    }
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

/// Somebody who approves.
pub struct Person {
    /// Their name in tokens.
    pub human: String,
    folder: tempfile::TempDir,
}

impl Person {
    /// A person with a fresh key, made by `ssh-keygen`.
    #[must_use]
    pub fn new(human: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("person-")
            .tempdir_in(place::scratch())
            .unwrap();
        let person = Self {
            human: human.to_owned(),
            folder,
        };
        let mut keygen = clean_command("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", human, "-f"]);
        let status = keygen.arg(person.key_file()).status();
        let status = status.unwrap_or_else(|error| panic!("ssh-keygen: {error}"));
        assert!(status.success());
        person
    }

    /// The private key.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    /// Signs a statement as `countersign approve` does, with `ssh-keygen`.
    #[must_use]
    pub fn sign(&self, statement: &str) -> String {
        let file = self.folder.path().join("statement");
        fs::write(&file, statement).unwrap();
        let _ = fs::remove_file(file.with_extension("sig"));
        let mut keygen = clean_command("ssh-keygen");
        keygen.args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"]);
        keygen.arg(self.key_file()).arg(&file);
        process::run(&keygen, "").success();
        fs::read_to_string(file.with_extension("sig")).unwrap()
    }

    /// Whether `ssh-keygen -Y verify` takes this for a signature of the person on the statement.
    #[must_use]
    pub fn signed(&self, statement: &str, signature: &str) -> bool {
        let path = |name: &str| self.folder.path().join(name);
        let signer = format!("{} {}\n", self.human, self.public_key());
        fs::write(path("allowed_signers"), signer).unwrap();
        fs::write(path("signature"), signature).unwrap();
        let mut keygen = clean_command("ssh-keygen");
        keygen.args(["-Y", "verify", "-n", NAMESPACE, "-I", &self.human, "-f"]);
        keygen.arg(path("allowed_signers")).arg("-s");
        keygen.arg(path("signature"));
        process::run(&keygen, statement).code == Some(0)
    }

    /// The public key, as a line of `authorized_keys`.
    #[must_use]
    pub fn public_key(&self) -> String {
        let line = fs::read_to_string(self.folder.path().join("key.pub")).unwrap();
        line.trim().to_owned()
    }
}
