//! Who may approve what, with keys and signatures of `ssh-keygen` itself, and a ledger on the disk.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use bytes::Bytes;
use ledger::{Durability, Options, SigningKey};
use model::{Agent, ApprovalStatement, Asks, Gate, Identity, Parameter, Proof};

use super::*;
use crate::clock::manual::{Hand, clock};

const NOW: i64 = 1_800_000_000;

struct Scene {
    folder: tempfile::TempDir,
    approvals: Approvals,
    hand: Hand,
}

fn keygen(folder: &Path, arguments: &[&str], input: &[u8]) -> String {
    use std::io::Write as _;
    let mut child = Process::new("ssh-keygen")
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
    String::from_utf8(output.stdout).unwrap()
}

impl Scene {
    /// People with a key each: alice, bob, carol; dave has bob's.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = BTreeMap::new();
        for name in ["alice", "bob", "carol"] {
            keygen(
                folder.path(),
                &["-q", "-t", "ed25519", "-N", "", "-f", name],
                b"",
            );
            let key = std::fs::read_to_string(folder.path().join(format!("{name}.pub"))).unwrap();
            keys.insert(name.to_owned(), vec![key]);
        }
        keys.insert("dave".to_owned(), keys["bob"].clone());
        let options = Options {
            origin: "example.com/log".into(),
            key: SigningKey::from_seed("example.com/log", &[1; 32]).unwrap(),
            durability: Durability::Sync,
            integrate_every: Duration::from_secs(1),
        };
        let log = Log::open(&folder.path().join("log"), options).unwrap();
        let (clock, hand) = clock(Timestamp::from_secs(NOW));
        let terms = Terms {
            expires: Duration::from_secs(3_600),
            keys,
        };
        Self {
            approvals: Approvals::start(log, clock, terms),
            folder,
            hand,
        }
    }

    async fn ask(&self, what: &What) -> Ticket {
        let (command, digest) = what.command();
        let asked = Asked {
            identity: &what.who,
            session: "s-1",
            target: what.target,
            command: &command,
            digest: &digest,
            policy: what.policy,
            gates: &what.gates,
        };
        self.approvals.request(asked, what.random).await.unwrap()
    }

    fn statement(&self, id: &str, verdict: Verdict, approver: &str) -> String {
        let view = self.approvals.show(id).unwrap();
        String::from_utf8(
            ApprovalStatement::new(&view.request, verdict, approver, "looked at it").bytes(),
        )
        .unwrap()
    }

    fn sign(&self, key: &str, statement: &str) -> String {
        let arguments = ["-Y", "sign", "-n", model::SIGNATURE_NAMESPACE, "-f", key];
        keygen(self.folder.path(), &arguments, statement.as_bytes())
    }

    /// `name`, signing with the key of that name (dave has bob's).
    async fn give(
        &self,
        id: &str,
        verdict: Verdict,
        name: &str,
        groups: &[&str],
    ) -> Result<Standing, ApproveError> {
        let statement = self.statement(id, verdict, name);
        let signature = self.sign(if name == "dave" { "bob" } else { name }, &statement);
        self.approvals
            .give(&person(name, groups), id, &statement, &signature)
            .await
    }

    async fn approve(
        &self,
        id: &str,
        name: &str,
        groups: &[&str],
    ) -> Result<Standing, ApproveError> {
        self.give(id, Verdict::Approve, name, groups).await
    }
}

/// What is asked, so that a test can change one thing of it.
#[derive(Clone)]
struct What {
    who: Identity,
    text: &'static str,
    parameter: &'static str,
    target: &'static str,
    policy: PolicyVersion,
    gates: Vec<Gate>,
    random: [u8; 4],
}

impl What {
    fn new() -> Self {
        let mut who = person("alice", &["engineers"]);
        who.agent = Some(Agent {
            name: "claude-code".into(),
            instance: None,
            model: None,
        });
        let text = "update payments set note = $1 where id = 7";
        let gates = vec![gate("oncall", 1)];
        Self {
            who,
            text,
            parameter: "a",
            target: "bank",
            policy: Digest([7; 32]),
            gates,
            random: [0; 4],
        }
    }

    fn command(&self) -> (Command, CommandDigest) {
        let command = Command {
            protocol: "postgres",
            tag: "UPDATE".into(),
            text: Bytes::from_static(self.text.as_bytes()),
            parameters: vec![Parameter {
                kind: (25, 0),
                value: Some(Bytes::from_static(self.parameter.as_bytes())),
            }],
            shown: Bytes::new(),
            shown_parameters: vec![],
            asks: Arc::new(Asks::new(vec![])),
        };
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[3; 32]);
        let digest = CommandDigest::new(&key, &command.canonical());
        (command, digest)
    }

    fn key(&self) -> GrantKey {
        GrantKey {
            identity: self.who.key(),
            target: self.target.to_owned(),
            command: self.command().1.digest,
            policy: self.policy,
        }
    }
}

fn gate(group: &str, quorum: u32) -> Gate {
    Gate {
        group: group.into(),
        quorum,
        policy: "p".into(),
    }
}

fn person(name: &str, groups: &[&str]) -> Identity {
    let proof = Proof {
        issuer: "https://id.example.com".into(),
        subject: name.into(),
        token_id: None,
        key_id: None,
        expires: Timestamp::MAX,
    };
    let groups: BTreeSet<String> = groups.iter().map(|group| (*group).to_owned()).collect();
    Identity {
        human: name.into(),
        agent: None,
        groups,
        proof,
    }
}

fn code(settled: Settled) -> model::DenialCode {
    match settled {
        Settled::Refused(denial) => denial.code,
        Settled::Granted(grant) => panic!("{grant:?}"),
    }
}

#[tokio::test]
async fn an_approval_is_used_once_by_whoever_waits() {
    let scene = Scene::new();
    let what = What::new();
    let mut ticket = scene.ask(&what).await;
    let id = ticket.id().to_owned();
    assert!(ticket.message().contains("oncall") && ticket.message().contains(&id));
    assert!(
        scene.approvals.grant(&what.key(), "s-1").is_none(),
        "granted before anybody said yes"
    );
    let standing = scene.approve(&id, "bob", &["oncall"]).await.unwrap();
    assert_eq!((standing.status, standing.missing), ("granted", vec![]));
    let Settled::Granted(grant) = ticket.wait().await else {
        panic!("not granted");
    };
    assert_eq!(
        (&grant.id, &*grant.groups),
        (&id, &["oncall".to_owned()][..])
    );
    let unused = || {
        assert!(scene.approvals.grant(&what.key(), "s-1").is_none());
        assert!(scene.approvals.list().is_empty());
        assert_eq!(scene.approvals.show(&id), None);
    };
    unused();
    drop(grant);
    unused();
}

impl Scene {
    /// An approval of `what`, granted and not used.
    async fn granted(&self, what: &What) -> String {
        let ticket = self.ask(what).await;
        let id = ticket.id().to_owned();
        self.approve(&id, "bob", &["oncall"]).await.unwrap();
        id
    }
}

#[tokio::test]
async fn what_failed_in_passing_may_be_sent_again_by_the_session_that_sent_it() {
    let scene = Scene::new();
    let what = What::new();
    let id = scene.granted(&what).await;
    let grant = |session| scene.approvals.grant(&what.key(), session);
    for _ in 1..model::SENDINGS_MAX {
        let taken = grant("s-1").unwrap();
        assert_eq!(taken.id, id);
        assert!(grant("s-1").is_none(), "two at once");
        taken.give_back();
        assert!(grant("s-2").is_none(), "another session");
        assert_eq!(scene.approvals.list().len(), 1);
        // Another session's question is one of its own.
        let (command, digest) = what.command();
        let asked = Asked {
            identity: &what.who,
            session: "s-2",
            target: what.target,
            command: &command,
            digest: &digest,
            policy: what.policy,
            gates: &what.gates,
        };
        let other = scene.approvals.request(asked, [9; 4]).await.unwrap();
        assert_ne!(other.id(), id);
        other.withdraw();
    }
    let last = grant("s-1").unwrap();
    last.give_back();
    assert!(grant("s-1").is_none(), "sent too often");
    assert!(scene.approvals.list().is_empty());
}

#[tokio::test]
async fn what_ends_while_a_command_runs_stays_ended() {
    let scene = Scene::new();
    let what = What::new();
    scene.granted(&what).await;
    let taken = scene.approvals.grant(&what.key(), "s-1").unwrap();
    scene.approvals.policy_changed(Digest([8; 32]));
    taken.give_back();
    assert!(scene.approvals.grant(&what.key(), "s-1").is_none());

    let again = What {
        random: [4; 4],
        ..what
    };
    scene.granted(&again).await;
    let taken = scene.approvals.grant(&again.key(), "s-1").unwrap();
    taken.give_back();
    scene.hand.advance(Duration::from_secs(3_600));
    assert!(scene.approvals.grant(&again.key(), "s-1").is_none());
}

#[tokio::test]
async fn a_grant_is_for_exactly_what_was_shown() {
    let scene = Scene::new();
    let what = What::new();
    let ticket = scene.ask(&what).await;
    scene
        .approve(ticket.id(), "bob", &["oncall"])
        .await
        .unwrap();
    let mut other_agent = what.clone();
    other_agent.who.agent = Some(Agent {
        name: "another".into(),
        instance: None,
        model: None,
    });
    let mut other_human = what.clone();
    other_human.who.human = "mallory".into();
    for (changed, of) in [
        (
            "bytes",
            What {
                text: "update payments set note = $1 where id = 8",
                ..what.clone()
            },
        ),
        (
            "parameters",
            What {
                parameter: "b",
                ..what.clone()
            },
        ),
        (
            "target",
            What {
                target: "bank2",
                ..what.clone()
            },
        ),
        (
            "policy",
            What {
                policy: Digest([8; 32]),
                ..what.clone()
            },
        ),
        ("agent", other_agent),
        ("human", other_human),
    ] {
        assert!(
            scene.approvals.grant(&of.key(), "s-1").is_none(),
            "{changed}"
        );
    }
    assert!(scene.approvals.grant(&what.key(), "s-1").is_some());
}

#[tokio::test]
async fn who_asked_cannot_decide_nor_can_agents_or_strangers() {
    let scene = Scene::new();
    let ticket = scene.ask(&What::new()).await;
    let id = ticket.id().to_owned();
    let refused = scene.approve(&id, "alice", &["oncall"]).await.unwrap_err();
    assert!(
        matches!(refused, ApproveError::Own(..)),
        "the human behind the agent: {refused}"
    );

    let statement = scene.statement(&id, Verdict::Approve, "bob");
    let signature = scene.sign("bob", &statement);
    let mut agent = person("bob", &["oncall"]);
    agent.agent = Some(Agent {
        name: "claude-code".into(),
        instance: None,
        model: None,
    });
    let refused = scene
        .approvals
        .give(&agent, &id, &statement, &signature)
        .await
        .unwrap_err();
    assert_eq!(refused, ApproveError::Agent);

    let refused = scene.approve(&id, "bob", &["engineers"]).await.unwrap_err();
    assert!(matches!(refused, ApproveError::NotAsked(..)), "{refused}");
    assert_eq!(scene.approvals.list()[0].status, "pending");
}

#[tokio::test]
async fn a_quorum_counts_distinct_people_with_distinct_keys() {
    let scene = Scene::new();
    let what = What {
        gates: vec![gate("oncall", 2)],
        ..What::new()
    };
    let ticket = scene.ask(&what).await;
    let id = ticket.id().to_owned();
    let standing = scene.approve(&id, "bob", &["oncall"]).await.unwrap();
    assert_eq!(
        (standing.status, standing.missing),
        ("pending", vec![("oncall".to_owned(), 1)])
    );
    let again = scene.approve(&id, "bob", &["oncall"]).await.unwrap_err();
    assert_eq!(again, ApproveError::Twice("bob".into()));
    let same_key = scene.approve(&id, "dave", &["oncall"]).await.unwrap_err();
    assert!(matches!(same_key, ApproveError::SameKey(_)), "{same_key}");
    assert!(scene.approvals.grant(&what.key(), "s-1").is_none());
    assert_eq!(
        scene
            .approve(&id, "carol", &["oncall"])
            .await
            .unwrap()
            .status,
        "granted"
    );
}

#[tokio::test]
async fn every_gate_must_open() {
    let scene = Scene::new();
    let what = What {
        gates: vec![gate("oncall", 1), gate("audit", 1)],
        ..What::new()
    };
    let ticket = scene.ask(&what).await;
    let standing = scene
        .approve(ticket.id(), "bob", &["oncall"])
        .await
        .unwrap();
    assert_eq!(standing.missing, [("audit".to_owned(), 1)]);
    assert_eq!(
        scene
            .approve(ticket.id(), "carol", &["audit"])
            .await
            .unwrap()
            .status,
        "granted"
    );
}

#[tokio::test]
async fn a_no_ends_it_and_tells_why() {
    let scene = Scene::new();
    let mut ticket = scene.ask(&What::new()).await;
    let id = ticket.id().to_owned();
    assert_eq!(
        scene
            .give(&id, Verdict::Deny, "bob", &["oncall"])
            .await
            .unwrap()
            .status,
        "denied"
    );
    let Settled::Refused(denial) = ticket.wait().await else {
        panic!()
    };
    assert_eq!(denial.code, model::DenialCode::ApprovalDenied);
    assert!(
        denial.message.contains("bob") && denial.message.contains("looked at it"),
        "{denial}"
    );
    assert!(
        scene.approvals.show(&id).is_none(),
        "decided once, for good"
    );
}

#[tokio::test]
async fn what_is_signed_must_be_this_request_to_the_letter() {
    let scene = Scene::new();
    let ticket = scene.ask(&What::new()).await;
    let id = ticket.id().to_owned();
    let good = scene.statement(&id, Verdict::Approve, "bob");
    let bob = person("bob", &["oncall"]);
    let zeros = Digest([0; 32]).to_string();
    let value: serde_json::Value = serde_json::from_str(&good).unwrap();
    let with = |name: &str, to: &str| {
        let from = value[name].as_str().unwrap();
        good.replacen(
            &format!("\"{name}\":\"{from}\""),
            &format!("\"{name}\":\"{to}\""),
            1,
        )
    };
    for (statement, what) in [
        (with("command", &zeros), "command"),
        (with("policy", &zeros), "policy"),
        (with("identity", &zeros), "requester"),
        (with("human", "mallory"), "requester"),
        (with("target", "bank2"), "target"),
        (with("approver", "carol"), "approver"),
        (with("expires", "2099-01-01T00:00:00.000000Z"), "expiry"),
        (with("approval", "cs-ffffffff"), "id"),
        (good.replace(",", ", "), "form"),
        (good.trim_end().to_owned(), "form"),
        ("{}".to_owned(), "form"),
    ] {
        let signature = scene.sign("bob", &statement);
        let refused = scene
            .approvals
            .give(&bob, &id, &statement, &signature)
            .await
            .unwrap_err();
        assert_eq!(refused, ApproveError::Statement(what), "{statement}");
    }
    let yes = scene.sign("bob", &good);
    let no = scene.statement(&id, Verdict::Deny, "bob");
    let refused = scene
        .approvals
        .give(&bob, &id, &no, &yes)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ApproveError::Signature(_)),
        "a yes was used as a no: {refused}"
    );
    let other_key = scene.sign("carol", &good);
    let refused = scene
        .approvals
        .give(&bob, &id, &good, &other_key)
        .await
        .unwrap_err();
    assert!(matches!(refused, ApproveError::Signature(_)), "{refused}");
    assert!(scene.approvals.give(&bob, &id, &good, &yes).await.is_ok());
}

#[tokio::test]
async fn time_runs_out_for_requests_and_for_grants() {
    let scene = Scene::new();
    let what = What::new();
    let mut pending = scene.ask(&what).await;
    let granted = scene
        .ask(&What {
            parameter: "b",
            random: [1; 4],
            ..what.clone()
        })
        .await;
    scene
        .approve(granted.id(), "bob", &["oncall"])
        .await
        .unwrap();
    let (statement, id) = (
        scene.statement(pending.id(), Verdict::Approve, "bob"),
        pending.id().to_owned(),
    );
    let signature = scene.sign("bob", &statement);
    scene.hand.advance(Duration::from_secs(3_600));
    let old = What {
        parameter: "b",
        ..what.clone()
    };
    assert!(
        scene.approvals.grant(&old.key(), "s-1").is_none(),
        "an old grant"
    );
    let refused = scene
        .approvals
        .give(&person("bob", &["oncall"]), &id, &statement, &signature)
        .await;
    assert_eq!(refused.unwrap_err(), ApproveError::Unknown(id));
    assert_eq!(
        code(pending.wait().await),
        model::DenialCode::ApprovalInvalid
    );
    let again = scene
        .ask(&What {
            random: [2; 4],
            ..what
        })
        .await;
    assert_eq!(again.id(), "cs-02020202", "asked anew");
}

#[tokio::test]
async fn changed_policies_void_what_was_asked_and_granted_before() {
    let scene = Scene::new();
    let what = What::new();
    let mut pending = scene.ask(&what).await;
    let granted = What {
        parameter: "b",
        random: [1; 4],
        ..what.clone()
    };
    let ticket = scene.ask(&granted).await;
    scene
        .approve(ticket.id(), "bob", &["oncall"])
        .await
        .unwrap();
    scene.approvals.policy_changed(Digest([8; 32]));
    assert!(scene.approvals.grant(&granted.key(), "s-1").is_none());
    assert_eq!(
        code(pending.wait().await),
        model::DenialCode::ApprovalInvalid
    );
    assert!(scene.approvals.list().is_empty());
}

#[tokio::test]
async fn the_same_command_joins_the_open_request_and_one_of_two_gets_the_grant() {
    let scene = Scene::new();
    let what = What::new();
    let mut one = scene.ask(&what).await;
    let mut two = scene
        .ask(&What {
            random: [9; 4],
            ..what
        })
        .await;
    assert_eq!(one.id(), two.id());
    scene.approve(one.id(), "bob", &["oncall"]).await.unwrap();
    let (one, two) = tokio::join!(one.wait(), two.wait());
    let granted = [&one, &two]
        .iter()
        .filter(|settled| matches!(settled, Settled::Granted(_)))
        .count();
    assert_eq!(granted, 1, "{one:?} {two:?}");
}

#[tokio::test]
async fn a_withdrawn_request_cannot_be_approved() {
    let scene = Scene::new();
    let ticket = scene.ask(&What::new()).await;
    let id = ticket.id().to_owned();
    let statement = scene.statement(&id, Verdict::Approve, "bob");
    let signature = scene.sign("bob", &statement);
    ticket.withdraw();
    let refused = scene
        .approvals
        .give(&person("bob", &["oncall"]), &id, &statement, &signature)
        .await;
    assert_eq!(refused.unwrap_err(), ApproveError::Unknown(id));
}

#[tokio::test]
async fn nobody_floods_the_approvers() {
    let scene = Scene::new();
    let what = What::new();
    let texts: Vec<&'static str> = (0..=OPEN_PER_IDENTITY_MAX)
        .map(|n| &*Box::leak(format!("update t set a = {n}").into_boxed_str()))
        .collect();
    let (last, first) = texts.split_last().unwrap();
    for (n, text) in first.iter().enumerate() {
        scene
            .ask(&What {
                text,
                random: (n as u32).to_be_bytes(),
                ..what.clone()
            })
            .await;
    }
    let over = What {
        text: last,
        random: [255; 4],
        ..what
    };
    let (command, digest) = over.command();
    let asked = Asked {
        identity: &over.who,
        session: "s",
        target: "bank",
        command: &command,
        digest: &digest,
        policy: over.policy,
        gates: &over.gates,
    };
    let refused = scene
        .approvals
        .request(asked, over.random)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code, model::DenialCode::LimitExceeded);
}

#[test]
fn approvers_can_compute_the_digest_of_what_they_are_shown() {
    let (command, digest) = What::new().command();
    let exact = Exact::new(&command, &digest);
    let canonical = hex::decode(&exact.canonical).unwrap();
    assert_eq!(CommandDigest::open(&exact.salt, &canonical), digest.digest);
    assert_eq!(
        (exact.text.as_str(), exact.parameters),
        (What::new().text, vec![Some("a".to_owned())])
    );
}
