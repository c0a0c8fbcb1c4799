//! A log as a gateway would write it, and bundles of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Cursor, Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use aws_lc_rs::hmac;
use bytes::Bytes;
use ledger::{Durability, Log, Options, Reader, SigningKey};
use model::{
    Agent, ApprovalRequest, ApprovalStatement, Authenticated, CommandDigest, CommandRecord,
    DataClass, Denial, DenialCode, Digest, Entry, Event, FileDigest, Gate, Identity, Intent,
    MaskFact, Note, Obligations, Outcome, PolicyVersion, Proof, SIGNATURE_NAMESPACE, SealedCommand,
    SessionOpened, Started, Status, Timestamp, Verdict,
};
use recording::{Chunk, CommandSealer, MAGIC, Moment, SessionKey, Writer};

use crate::bundle::layout;
use crate::bundle::manifest::{self, Files};
use crate::bundle::writer;
use crate::verify::{Options as VerifyOptions, Report, verify};
use crate::{Built, PlainTranscripts, Recordings, Request, Sources, TargetFacts, build};

pub(super) const ORIGIN: &str = "example.com/log";

pub(super) fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[7; 32]).unwrap()
}

pub(super) fn other_key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap()
}

/// Seconds after the scene's begin.
pub(super) fn time(seconds: i64) -> Timestamp {
    Timestamp::parse("2026-03-01T00:00:00Z")
        .unwrap()
        .plus_micros(seconds * 1_000_000)
}

/// SSH keys of the people, made once.
fn ssh() -> &'static tempfile::TempDir {
    static KEYS: OnceLock<tempfile::TempDir> = OnceLock::new();
    KEYS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        for name in ["alice", "bob", "carol", "mallory"] {
            keygen(
                folder.path(),
                &["-q", "-N", "", "-t", "ed25519", "-C", name, "-f", name],
                b"",
            );
        }
        folder
    })
}

pub(super) fn keygen(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("ssh-keygen")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("ssh-keygen is installed (Debian: openssh-client)");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "ssh-keygen {arguments:?}");
    output.stdout
}

/// What `name` signs. The same statement is signed once: Ed25519 has one signature for it.
pub(super) fn sign(name: &str, statement: &[u8]) -> String {
    let signature = keygen(
        ssh().path(),
        &["-Y", "sign", "-n", SIGNATURE_NAMESPACE, "-f", name],
        statement,
    );
    String::from_utf8(signature).unwrap()
}

pub(super) fn people() -> BTreeMap<String, Vec<String>> {
    let key =
        |name: &str| std::fs::read_to_string(ssh().path().join(format!("{name}.pub"))).unwrap();
    ["alice", "bob", "carol"]
        .iter()
        .map(|name| ((*name).to_owned(), vec![key(name)]))
        .collect()
}

pub(super) fn identity(human: &str, agent: Option<&str>, groups: &[&str]) -> Identity {
    Identity {
        human: human.to_owned(),
        agent: agent.map(|name| Agent {
            name: name.to_owned(),
            instance: None,
            model: None,
        }),
        groups: groups
            .iter()
            .map(|&group| group.to_owned())
            .collect::<BTreeSet<_>>(),
        proof: Proof {
            issuer: "https://id.example.com".to_owned(),
            subject: format!("{human}@example.com"),
            token_id: Some("t-1".to_owned()),
            key_id: Some("k-1".to_owned()),
            expires: time(86_400),
        },
    }
}

struct Session {
    identity: Identity,
    target: String,
    sealer: CommandSealer,
    seq: u64,
    permitted: u64,
    refused: u64,
    chunks: u64,
}

/// A log under construction: its entries, and where checkpoints are signed.
pub(super) struct Scene {
    pub(super) entries: Vec<Entry>,
    checkpoints: BTreeSet<usize>,
    pub(super) recordings: HashMap<String, Vec<u8>>,
    keys: HashMap<String, [u8; 32]>,
    pub(super) policies: BTreeMap<PolicyVersion, Vec<(String, String)>>,
    pub(super) policy: PolicyVersion,
    sessions: HashMap<String, Session>,
    pub(super) requests: HashMap<String, ApprovalRequest>,
    pub(super) now: i64,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::new(),
            checkpoints: BTreeSet::new(),
            recordings: HashMap::new(),
            keys: HashMap::new(),
            policies: BTreeMap::new(),
            policy: Digest([0; 32]),
            sessions: HashMap::new(),
            requests: HashMap::new(),
            now: 0,
        }
    }

    pub(super) fn event(&mut self, event: Event) -> u64 {
        self.now += 1;
        self.entries.push(Entry {
            at: time(self.now),
            event,
        });
        self.entries.len() as u64 - 1
    }

    pub(super) fn checkpoint(&mut self) {
        self.checkpoints.insert(self.entries.len());
    }

    fn files(&mut self, texts: &[(&str, &str)]) -> (PolicyVersion, Vec<FileDigest>) {
        let files: Vec<FileDigest> = texts
            .iter()
            .map(|(name, text)| FileDigest {
                name: (*name).to_owned(),
                sha256: Digest::of(&[text.as_bytes()]),
            })
            .collect();
        let version = crate::policies::version(&files);
        let kept = texts
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        self.policies.insert(version, kept);
        self.policy = version;
        (version, files)
    }

    pub(super) fn start(&mut self) {
        let (policy, policy_files) =
            self.files(&[("a.cedar", "permit(principal, action, resource);\n")]);
        self.sessions.clear();
        self.event(Event::Started(Started {
            version: "0.1.0".to_owned(),
            durability: "sync".to_owned(),
            config: Digest::of(&[b"config"]),
            policy,
            policy_files,
            targets: vec![
                ("bank".to_owned(), "postgres".to_owned()),
                ("crm".to_owned(), "postgres".to_owned()),
            ],
            issuers: vec!["https://id.example.com".to_owned()],
        }));
    }

    pub(super) fn activate(&mut self, text: &str) {
        let (policy, files) = self.files(&[("a.cedar", text), ("b c.cedar", "// nothing\n")]);
        self.event(Event::PolicyActivated { policy, files });
    }

    pub(super) fn heartbeat(&mut self) {
        self.now += 60;
        self.event(Event::Heartbeat {
            sessions: 0,
            durability: "sync".to_owned(),
        });
    }

    pub(super) fn open(&mut self, session: &str, human: &str, agent: &str, target: &str) -> u64 {
        let identity = identity(human, Some(agent), &["engineers"]);
        self.event(Event::Authenticated(Authenticated {
            identity: Some(identity.clone()),
            target: target.to_owned(),
            source: "10.0.0.1:5000".to_owned(),
            refused: None,
        }));
        let secret: [u8; 32] = Digest::of(&[session.as_bytes()]).0;
        let sealer = CommandSealer::new(SessionKey::new(session, &secret).unwrap().into());
        self.keys.insert(session.to_owned(), secret);
        self.recordings.insert(session.to_owned(), MAGIC.to_vec());
        let state = Session {
            identity: identity.clone(),
            target: target.to_owned(),
            sealer,
            seq: 0,
            permitted: 0,
            refused: 0,
            chunks: 0,
        };
        self.sessions.insert(session.to_owned(), state);
        let policy = self.policy;
        self.event(Event::SessionOpened(Box::new(SessionOpened {
            session: session.to_owned(),
            identity,
            target: target.to_owned(),
            protocol: "postgres".to_owned(),
            source: "10.0.0.1:5000".to_owned(),
            client: "psql".to_owned(),
            transport: "TLSv1.3".to_owned(),
            account: "app".to_owned(),
            assumes: None,
            key_id: "0123456789abcdef".to_owned(),
            policy,
        })))
    }

    pub(super) fn digest(text: &str) -> CommandDigest {
        let mut canonical = Vec::new();
        for part in ["postgres", text] {
            canonical.extend_from_slice(&(part.len() as u64).to_be_bytes());
            canonical.extend_from_slice(part.as_bytes());
        }
        CommandDigest::new(&hmac::Key::new(hmac::HMAC_SHA256, b"gateway"), &canonical)
    }

    fn command(&self, session: &str, text: &str) -> CommandRecord {
        let digest = Self::digest(text);
        let sealed = SealedCommand {
            text: text.to_owned(),
            parameters: Vec::new(),
            salt: digest.salt,
            masked: text.contains("****"),
            cut: false,
        };
        CommandRecord {
            protocol: "postgres".to_owned(),
            tag: text.split(' ').next().unwrap().to_owned(),
            effects: vec![format!(
                "{} public.t",
                text.split(' ').next().unwrap().to_lowercase()
            )],
            digest: digest.digest,
            sealed: self.sessions[session].sealer.seal(&sealed).unwrap(),
        }
    }

    pub(super) fn intent(&mut self, session: &str, text: &str, approval: Option<&str>) -> u64 {
        let command = self.command(session, text);
        let policy = self.policy;
        let state = self.sessions.get_mut(session).unwrap();
        state.seq += 1;
        state.permitted += 1;
        let intent = Intent {
            session: session.to_owned(),
            seq: state.seq,
            human: state.identity.human.clone(),
            agent: state
                .identity
                .agent
                .as_ref()
                .map(|agent| agent.name.clone()),
            target: state.target.clone(),
            command,
            policy,
            obligations: Obligations {
                policies: vec!["read".to_owned()],
                ..Obligations::default()
            },
            approval: approval.map(str::to_owned),
        };
        self.event(Event::Intent(Box::new(intent)))
    }

    pub(super) fn outcome(&mut self, session: &str, intent: u64, masks: &[(&str, u64)]) -> u64 {
        let fact = |(strategy, count): &(&str, u64)| MaskFact {
            class: DataClass::PAN,
            rule: "declared".to_owned(),
            place: "public.cards.pan".to_owned(),
            columns: Vec::new(),
            strategy: (*strategy).to_owned(),
            count: *count,
            commitments: vec!["ab".repeat(32)],
        };
        let outcome = Outcome {
            rows: 3,
            bytes: 120,
            tag: "SELECT 3".to_owned(),
            masks: masks.iter().map(fact).collect(),
            ..Outcome::bare(Status::Completed)
        };
        self.event(Event::Outcome {
            session: session.to_owned(),
            intent,
            outcome,
        })
    }

    /// The upstream failed: in passing, or for good.
    pub(super) fn ended(&mut self, session: &str, intent: u64, again: bool) {
        let outcome = Outcome {
            again,
            ..Outcome::bare(Status::Failed("503".to_owned()))
        };
        self.event(Event::Outcome {
            session: session.to_owned(),
            intent,
            outcome,
        });
    }

    pub(super) fn refuse(&mut self, session: &str, text: &str) -> u64 {
        let command = self.command(session, text);
        let policy = self.policy;
        let state = self.sessions.get_mut(session).unwrap();
        state.seq += 1;
        state.refused += 1;
        let seq = state.seq;
        let denial = Denial::new(
            DenialCode::Forbidden,
            "=policy never-drop forbids it, \"always\"",
        );
        self.event(Event::Refused {
            session: session.to_owned(),
            seq,
            command,
            policy,
            denial,
        })
    }

    pub(super) fn request(
        &mut self,
        id: &str,
        session: &str,
        text: &str,
        gates: &[(&str, u32)],
    ) -> u64 {
        let state = &self.sessions[session];
        let gate = |(group, quorum): &(&str, u32)| Gate {
            group: (*group).to_owned(),
            quorum: *quorum,
            policy: "writes".to_owned(),
        };
        let request = ApprovalRequest {
            id: id.to_owned(),
            session: session.to_owned(),
            human: state.identity.human.clone(),
            agent: state
                .identity
                .agent
                .as_ref()
                .map(|agent| agent.name.clone()),
            identity: state.identity.key(),
            target: state.target.clone(),
            tag: "UPDATE".to_owned(),
            command: Self::digest(text).digest,
            policy: self.policy,
            gates: gates.iter().map(gate).collect(),
            requested: time(self.now + 1),
            expires: time(self.now + 3_601),
        };
        self.requests.insert(id.to_owned(), request.clone());
        self.event(Event::ApprovalRequested(Box::new(request)))
    }

    pub(super) fn give(&mut self, id: &str, approver: &str, verdict: Verdict, reason: &str) -> u64 {
        let event = self.verdict(id, approver, approver, verdict, reason);
        self.event(event)
    }

    /// A verdict of `approver`, signed by `signer`.
    pub(super) fn verdict(
        &self,
        id: &str,
        approver: &str,
        signer: &str,
        verdict: Verdict,
        reason: &str,
    ) -> Event {
        let request = &self.requests[id];
        let statement = ApprovalStatement::new(request, verdict, approver, reason).bytes();
        let groups: Vec<&str> = request
            .gates
            .iter()
            .map(|gate| gate.group.as_str())
            .collect();
        Event::ApprovalGiven {
            signature: sign(signer, &statement),
            statement: String::from_utf8(statement).unwrap(),
            identity: Box::new(identity(approver, None, &groups)),
            gates: request.gates.clone(),
            settled: true,
        }
    }

    pub(super) fn record(&mut self, session: &str, notes: &[Note]) {
        let mut writer = Writer::default();
        for note in notes {
            writer.push(
                Moment {
                    wall: time(self.now),
                    mono_us: 1,
                },
                note,
            );
        }
        let key = SessionKey::new(session, &self.keys[session]).unwrap();
        let state = self.sessions.get_mut(session).unwrap();
        let chunk = Chunk::seal(&key, state.chunks, &writer.take()).unwrap();
        state.chunks += 1;
        self.recordings
            .get_mut(session)
            .unwrap()
            .extend_from_slice(&chunk.bytes);
        self.event(Event::Recorded {
            session: session.to_owned(),
            chunk: chunk.index,
            bytes: chunk.bytes.len() as u64,
            sha256: chunk.sha256,
        });
    }

    pub(super) fn close(&mut self, session: &str) -> u64 {
        let state = self.sessions.remove(session).unwrap();
        self.event(Event::SessionClosed {
            session: session.to_owned(),
            reason: "the client closed the connection".to_owned(),
            permitted: state.permitted,
            refused: state.refused,
            chunks: state.chunks,
            masks: Vec::new(),
        })
    }

    /// The log as a folder.
    pub(super) fn log_signed_by(&self, key: SigningKey) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            origin: ORIGIN.to_owned(),
            key,
            durability: Durability::Interval(Duration::from_millis(1)),
            integrate_every: Duration::from_secs(3_600),
        };
        let log = Log::open(&folder.path().join("log"), options).unwrap();
        for (at, entry) in self.entries.iter().enumerate() {
            drop(log.append(entry.encode().unwrap()));
            if self.checkpoints.contains(&(at + 1)) {
                log.flush().unwrap();
            }
        }
        log.close().unwrap();
        folder
    }

    pub(super) fn build(&self, request: &Request) -> (Vec<u8>, Built) {
        self.build_signed_by(request, &key())
    }

    pub(super) fn build_signed_by(&self, request: &Request, key: &SigningKey) -> (Vec<u8>, Built) {
        self.build_from(&self.log_signed_by(key.clone()), request, key)
    }

    /// Of a log that is there already.
    pub(super) fn build_from(
        &self,
        folder: &tempfile::TempDir,
        request: &Request,
        key: &SigningKey,
    ) -> (Vec<u8>, Built) {
        let reader = Reader::open(&folder.path().join("log"), Some(key.verifier())).unwrap();
        let spool = tempfile::tempdir().unwrap();
        let target = |name: &str| TargetFacts {
            name: name.to_owned(),
            protocol: "postgres".to_owned(),
            address: "db.example.com:5432".to_owned(),
            account: "app".to_owned(),
            tls: "verify-full".to_owned(),
            masks: vec![("public.cards.pan".to_owned(), "pan".to_owned())],
        };
        let sources = Sources {
            log: &reader,
            key,
            recordings: self,
            policies: &|version| self.policies.get(&version).cloned(),
            transcripts: &PlainTranscripts,
            people: &people(),
            targets: &[target("bank"), target("crm")],
            spool: spool.path(),
            now: time(self.now + 30),
            builder: &identity("erin", None, &["auditors"]),
            version: "0.1.0",
        };
        let mut bytes = Cursor::new(Vec::new());
        let built = build(request, &sources, &mut bytes, &mut |_| {}).unwrap();
        assert_eq!(
            std::fs::read_dir(spool.path()).unwrap().count(),
            0,
            "temporary files are left"
        );
        (bytes.into_inner(), built)
    }
}

impl Recordings for Scene {
    fn sealed(&self, session: &str) -> std::io::Result<Option<Box<dyn Read>>> {
        Ok(self
            .recordings
            .get(session)
            .map(|bytes| Box::new(Cursor::new(bytes.clone())) as Box<dyn Read>))
    }

    fn key(&self, session: &str) -> std::io::Result<Option<SessionKey>> {
        Ok(self
            .keys
            .get(session)
            .map(|key| SessionKey::new(session, key).unwrap()))
    }
}

/// A request for everything from `from` to `to`, in seconds.
pub(super) fn ask(from: i64, to: i64) -> Request {
    Request {
        from: time(from),
        to: time(to),
        target: None,
        seed: "2026-Q1".to_owned(),
        samples: 10,
    }
}

/// Everything.
pub(super) fn all() -> Request {
    ask(0, 1_000_000)
}

/// A scene in which everything happens.
#[expect(
    clippy::too_many_lines,
    reason = "one story, told from its begin to its end"
)]
pub(super) fn rich() -> Scene {
    let mut scene = Scene::new();
    scene.start();
    scene.checkpoint();
    scene.event(Event::TokenIssued {
        identity: Box::new(identity("alice", Some("claude-code"), &["engineers"])),
    });
    scene.open("s-1", "alice", "claude-code", "bank");
    let read = scene.intent("s-1", "SELECT * FROM cards", None);
    scene.outcome("s-1", read, &[("redact", 3), ("reveal", 1)]);
    scene.record(
        "s-1",
        &[
            asked(1, "SELECT * FROM cards"),
            Note::Shown(Bytes::from_static(b"rows")),
        ],
    );
    scene.checkpoint();
    scene.open("s-2", "dave", "cursor", "crm");
    let write = "UPDATE accounts SET x = 1 WHERE id = 2";
    scene.request("cs-00000001", "s-1", write, &[("oncall", 1)]);
    scene.give(
        "cs-00000001",
        "bob",
        Verdict::Approve,
        "ticket 4711, \"as agreed\"",
    );
    let update = scene.intent("s-1", write, Some("cs-00000001"));
    scene.checkpoint();
    scene.outcome("s-1", update, &[]);
    scene.refuse("s-1", "DROP TABLE accounts");
    scene.record("s-1", &[asked(2, write), asked(3, "DROP TABLE accounts")]);
    scene.close("s-1");
    let ordinary = scene.intent("s-2", "SELECT 1", None);
    scene.outcome("s-2", ordinary, &[]);
    scene.record("s-2", &[asked(1, "SELECT 1")]);
    scene.close("s-2");
    scene.activate("forbid(principal, action, resource);\n");
    scene.checkpoint();
    scene.open("s-3", "alice", "claude-code", "bank");
    scene.request(
        "cs-00000002",
        "s-3",
        "DELETE FROM t WHERE id = 1",
        &[("oncall", 2)],
    );
    scene.give("cs-00000002", "bob", Verdict::Approve, "");
    scene.give(
        "cs-00000002",
        "carol",
        Verdict::Approve,
        "=cmd|' /C calc'!A0",
    );
    let delete = scene.intent("s-3", "DELETE FROM t WHERE id = 1", Some("cs-00000002"));
    scene.outcome("s-3", delete, &[]);
    scene.request("cs-00000003", "s-3", "DELETE FROM t", &[("oncall", 1)]);
    scene.give("cs-00000003", "bob", Verdict::Deny, "no WHERE");
    scene.refuse("s-3", "DELETE FROM t");
    scene.request("cs-00000004", "s-3", "DELETE FROM u", &[("oncall", 1)]);
    scene.event(Event::ApprovalClosed {
        approval: "cs-00000004".to_owned(),
        reason: "withdrawn".to_owned(),
    });
    scene.close("s-3");
    scene.event(Event::ReplayWatched {
        identity: Box::new(identity("erin", None, &["auditors"])),
        session: "s-1".to_owned(),
        reason: "quarterly review".to_owned(),
    });
    scene.event(Event::PolicyRejected {
        error: "a.cedar:1: unexpected token".to_owned(),
    });
    scene.event(Event::Stopped {});
    scene.now += 3_600;
    scene.start();
    scene.checkpoint();
    (0..300).for_each(|_| scene.heartbeat());
    scene.checkpoint();
    scene.open("s-4", "dave", "cursor", "crm");
    scene.intent("s-4", "SELECT lost", None);
    scene.now += 600;
    scene.start();
    scene.open("s-5", "alice", "claude-code", "bank");
    scene.intent("s-5", "SELECT pg_sleep(1)", None);
    scene.request("cs-00000005", "s-5", "DELETE FROM v", &[("oncall", 1)]);
    (0..300).for_each(|_| scene.heartbeat());
    scene.checkpoint();
    scene
}

pub(super) fn asked(seq: u64, text: &str) -> Note {
    Note::Asked {
        seq,
        tag: text.split(' ').next().unwrap().into(),
        text: Bytes::copy_from_slice(text.as_bytes()),
        parameters: Vec::new(),
    }
}

/// Verified with the right key and the right people's keys, as an examiner has them from elsewhere.
pub(super) fn check(bundle: &[u8]) -> Report {
    let options = VerifyOptions {
        key: Some(key().verifier().clone()),
        allowed_signers: Some(crate::signers::write(&people())),
    };
    verify(Cursor::new(bundle), &options)
}

/// The files of a bundle, in its order.
pub(super) fn unzip(bundle: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bundle)).unwrap();
    (0..zip.len())
        .map(|at| {
            let mut file = zip.by_index(at).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().to_owned(), bytes)
        })
        .collect()
}

/// A bundle of these files, as they are.
pub(super) fn rezip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = writer::Writer::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        writer.add(path, bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A bundle of these files, index and manifest made anew and signed by `key`.
pub(super) fn resign(files: &[(String, Vec<u8>)], key: &SigningKey) -> Vec<u8> {
    let manifest = files
        .iter()
        .find(|(path, _)| path == layout::MANIFEST)
        .unwrap();
    let (_, about, _) = manifest::read(&manifest.1, key.verifier()).unwrap();
    let mut writer = writer::Writer::new(Cursor::new(Vec::new()));
    for (path, bytes) in files
        .iter()
        .filter(|(path, _)| path != layout::MANIFEST && path != layout::INDEX)
    {
        writer.add(path, bytes).unwrap();
    }
    writer.index().unwrap();
    let listed: Files = writer.files().clone();
    writer
        .add(
            layout::MANIFEST,
            &manifest::sign(&listed, &about, key).unwrap(),
        )
        .unwrap();
    writer.finish().unwrap().into_inner()
}
