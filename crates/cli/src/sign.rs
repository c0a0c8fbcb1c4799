//! Signing with a person's own SSH key: `ssh-keygen -Y sign` does it, with a key file or an agent.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use model::SIGNATURE_NAMESPACE;
use tempfile::NamedTempFile;

/// Keys that are looked for under `~/.ssh`, first one first.
const KEY_FILES: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignError {
    /// No key anywhere.
    #[error(
        "no SSH key to sign with: give one with --key or COUNTERSIGN_SSH_KEY, or add one to your agent with ssh-add"
    )]
    NoKey,
    /// Keys, and none that counts.
    #[error(
        "no key of your SSH agent or in ~/.ssh is one that the gateway knows as yours ({0}): give that one with --key or COUNTERSIGN_SSH_KEY"
    )]
    NoneOfYours(String),
    /// The key file is not there.
    #[error("the SSH key {0} cannot be read: {1}")]
    KeyFile(PathBuf, io::Error),
    /// The program is not there.
    #[error("ssh-keygen cannot be run: {0}: install OpenSSH 8.1 or later")]
    Program(io::Error),
    /// The program refused.
    #[error("ssh-keygen did not sign with {0}: {1}")]
    Refused(String, String),
    /// A temporary file.
    #[error("a temporary file for the agent's public key cannot be written: {0}")]
    Temporary(io::Error),
}

/// The key to sign with.
#[derive(Debug)]
pub(crate) enum Key {
    /// A private key, or a public one whose private half the agent holds.
    File(PathBuf),
    /// A key of the agent: its public half, for `ssh-keygen` to name it by.
    Agent(NamedTempFile),
}

impl Key {
    /// The key that was named; else the agent's first that counts; else the first of the usual files that does. `known` are
    /// the fingerprints of those that count; where none is known, any may.
    pub(crate) fn find(named: Option<&Path>, known: &[String]) -> Result<Self, SignError> {
        if let Some(path) = named {
            std::fs::metadata(path).map_err(|error| SignError::KeyFile(path.to_owned(), error))?;
            return Ok(Self::File(path.to_owned()));
        }
        let keys = agent_keys();
        if let Some(public) = keys.iter().find(|public| counts(public, known)) {
            return Self::of_agent(public).map_err(SignError::Temporary);
        }
        let folder = std::env::home_dir().map(|home| home.join(".ssh"));
        let files: Vec<_> = folder
            .into_iter()
            .flat_map(|folder| KEY_FILES.map(|name| folder.join(name)))
            .filter(|path| path.is_file())
            .collect();
        let is_any = !keys.is_empty() || !files.is_empty();
        match files.into_iter().find(|path| file_counts(path, known)) {
            Some(path) => Ok(Self::File(path)),
            None if is_any => Err(SignError::NoneOfYours(known.join(", "))),
            None => Err(SignError::NoKey),
        }
    }

    fn of_agent(public: &str) -> io::Result<Self> {
        let mut file = NamedTempFile::with_suffix(".pub")?;
        writeln!(file, "{public}")?;
        file.flush()?;
        Ok(Self::Agent(file))
    }

    fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Agent(file) => file.path(),
        }
    }

    /// For messages.
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Agent(_) => "the agent's key".to_owned(),
        }
    }

    /// Signs `statement`; it goes to the program's input, so that it stands in no file and no argument. A passphrase is
    /// asked for by the program itself, on the terminal.
    pub(crate) fn sign(&self, statement: &[u8]) -> Result<String, SignError> {
        let mut child = Command::new("ssh-keygen")
            .args(["-Y", "sign", "-n", SIGNATURE_NAMESPACE, "-f"])
            .arg(self.path())
            .env_remove("COUNTERSIGN_TOKEN")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(SignError::Program)?;
        if let Some(mut input) = child.stdin.take() {
            // Where it does not read, it says why.
            drop(input.write_all(statement));
        }
        let done = child.wait_with_output().map_err(SignError::Program)?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        let signature = String::from_utf8_lossy(&done.stdout).into_owned();
        if !done.status.success() || !signature.starts_with("-----BEGIN SSH SIGNATURE-----") {
            let why = said(&done.stderr);
            let why = why
                .lines()
                .filter(|line| !line.starts_with("Signing data"))
                .collect::<Vec<_>>()
                .join("; ");
            return Err(SignError::Refused(self.name(), why));
        }
        Ok(signature)
    }
}

fn counts(public: &str, known: &[String]) -> bool {
    let is_known = |print| known.contains(&print);
    known.is_empty() || evidence::sshsig::fingerprint(public).is_ok_and(is_known)
}

/// As the public half beside the file says, if there is one.
fn file_counts(path: &Path, known: &[String]) -> bool {
    std::fs::read_to_string(path.with_extension("pub"))
        .map_or(true, |public| counts(&public, known))
}

/// The keys that a running agent offers, as OpenSSH public keys.
fn agent_keys() -> Vec<String> {
    if std::env::var_os("SSH_AUTH_SOCK").is_none() {
        return Vec::new();
    }
    let listed = Command::new("ssh-add")
        .arg("-L")
        .env_remove("COUNTERSIGN_TOKEN")
        .stdin(Stdio::null())
        .output();
    match listed {
        Ok(listed) if listed.status.success() => String::from_utf8_lossy(&listed.stdout)
            .lines()
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keygen(folder: &Path) -> (PathBuf, String) {
        let path = folder.join("key");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "bob", "-f"])
            .arg(&path)
            .status()
            .unwrap();
        assert!(made.success());
        (
            path.clone(),
            std::fs::read_to_string(path.with_extension("pub")).unwrap(),
        )
    }

    #[test]
    fn a_key_file_signs_what_the_gateway_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let (path, public) = keygen(folder.path());
        let signature = Key::find(Some(&path), &[])
            .unwrap()
            .sign(b"{\"a\":1}\n")
            .unwrap();
        let verify = |message: &[u8]| {
            evidence::sshsig::verify(
                std::slice::from_ref(&public),
                SIGNATURE_NAMESPACE,
                message,
                &signature,
            )
        };
        assert!(verify(b"{\"a\":1}\n").unwrap().starts_with("SHA256:"));
        assert!(verify(b"{\"a\":2}\n").is_err());
    }

    #[test]
    fn keys_count_by_their_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        let (path, public) = keygen(folder.path());
        let known = [evidence::sshsig::fingerprint(&public).unwrap()];
        let other = ["SHA256:another".to_owned()];
        assert!(counts(&public, &known) && counts(&public, &[]) && !counts(&public, &other));
        assert!(!counts("no key", &known));
        assert!(file_counts(&path, &known) && !file_counts(&path, &other));
        // Without its public half nothing is known of it.
        assert!(file_counts(&folder.path().join("absent"), &other));
    }

    #[test]
    fn what_goes_wrong_has_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        assert!(matches!(
            Key::find(Some(&missing), &[]),
            Err(SignError::KeyFile(..))
        ));
        let no_key = folder.path().join("no_key");
        std::fs::write(&no_key, "this is no key").unwrap();
        let error = Key::File(no_key).sign(b"x").unwrap_err().to_string();
        assert!(
            error.contains("no_key") && error.contains("ssh-keygen did not sign"),
            "{error}"
        );
    }
}
