//! The gate with a real ledger, real policies and real signatures.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use model::{Ask, Asks, Outcome, Parameter, Permit, Resource, Status, Value, Verdict};

use super::*;
use crate::random;
use crate::record::Fresh;
use crate::testing::{POLICIES, Scene, kind, person, soon};

const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

fn command(action: &'static str, text: &str) -> Box<Command> {
    let name = "public.payments".to_owned();
    let text_of = |text: &str| Value::Text(text.to_owned());
    let resource = Resource {
        kind: "Table",
        name,
        parents: vec![("Schema", "public".to_owned())],
        attributes: BTreeMap::from([("schema", text_of("public")), ("name", text_of("payments"))]),
    };
    let context = BTreeMap::from([
        ("tag", text_of("SELECT")),
        ("object", text_of("")),
        ("has_where", Value::Bool(true)),
        ("known", Value::Bool(true)),
        ("protected", Value::Texts(Vec::new())),
        ("matched", Value::Texts(Vec::new())),
        ("probed", Value::Texts(Vec::new())),
        ("matched_columns", Value::Texts(Vec::new())),
        ("probed_columns", Value::Texts(Vec::new())),
        ("counted_columns", Value::Texts(Vec::new())),
        ("shown_columns", Value::Texts(Vec::new())),
    ]);
    Box::new(Command {
        protocol: "postgres",
        tag: "UPDATE".into(),
        text: Bytes::copy_from_slice(text.as_bytes()),
        parameters: Vec::new(),
        shown: Bytes::copy_from_slice(text.as_bytes()),
        shown_parameters: Vec::new(),
        asks: Arc::new(Asks::new(vec![Ask {
            action,
            resource,
            context,
        }])),
    })
}

fn update() -> Box<Command> {
    command("update", "UPDATE payments SET status = 'held' WHERE id = 1")
}

impl Scene {
    fn caller(&self, human: &str) -> Arc<Caller> {
        let id = random::session_id(self.gateway.clock.now()).unwrap();
        let fresh = Fresh {
            key: random::bytes().unwrap(),
            nonce: random::bytes().unwrap(),
        };
        let recorder = self.gateway.recordings.open(&id, fresh).unwrap();
        let target = self.gateway.targets["bank"].clone();
        let journal = self.gateway.journal.clone();
        Arc::new(Caller::new(
            id,
            Arc::new(person(human, &[])),
            target,
            recorder,
            journal,
        ))
    }

    /// The whole way of a command that is not held.
    async fn may(&self, caller: &Arc<Caller>, command: Box<Command>) -> Answer {
        match self.gateway.gate.begin(caller, 1, command) {
            Begun::Writing(answer) => soon("the entry", answer).await,
            Begun::People(asked) => {
                match soon("people", self.gateway.gate.clone().ask(asked)).await {
                    Asking::Done(answer) => answer,
                    Asking::Held(held, _) => panic!("held for {held:?}"),
                }
            }
        }
    }

    /// A command that is held.
    async fn held(&self, caller: &Arc<Caller>, command: Box<Command>) -> (Held, Underway<Answer>) {
        let Begun::People(asked) = self.gateway.gate.begin(caller, 1, command) else {
            panic!("nobody is asked")
        };
        match soon("people", self.gateway.gate.clone().ask(asked)).await {
            Asking::Held(held, answer) => (held, answer),
            Asking::Done(answer) => panic!("{answer:?}"),
        }
    }

    async fn change_policies(&self, text: &str) {
        self.policies(text);
        let version = self
            .gateway
            .policies
            .reload(&self.gateway.journal, true)
            .await;
        self.approvals
            .policy_changed(version.expect("they are new and good"));
    }
}

fn code(answer: &Answer) -> DenialCode {
    match answer {
        Answer::Refused(denial) => denial.code,
        other => panic!("{other:?}"),
    }
}

fn permit(answer: Answer) -> Permit {
    match answer {
        Answer::Permitted(permit) => permit,
        other => panic!("{other:?}"),
    }
}

/// Runs a command to its end.
fn complete(answer: Answer) {
    permit(answer).settle(Outcome::bare(Status::Completed));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_is_durable_before_its_permit() {
    let scene = Scene::new(NOWHERE, "").await;
    let caller = scene.caller("alice");
    let permit = permit(scene.may(&caller, command("select", "SELECT 1")).await);
    assert_eq!(permit.intent(), 1);
    assert_eq!(permit.obligations().policies, ["read"]);
    drop(permit);
    let entries = scene.entries().await;
    let Event::Intent(intent) = &entries[1].event else {
        panic!("{:?}", entries[1])
    };
    assert_eq!(
        (intent.human.as_str(), intent.target.as_str(), intent.seq),
        ("alice", "bank", 1)
    );
    assert_eq!(intent.command.effects, ["select public.payments"]);
    let key = scene
        .gateway
        .recordings
        .session_key(&caller.session)
        .unwrap();
    let sealed = key.open_command(&intent.command.sealed).unwrap();
    assert_eq!(sealed.text, "SELECT 1");
    let canonical = command("select", "SELECT 1").canonical();
    assert_eq!(
        CommandDigest::open(&sealed.salt, &canonical),
        intent.command.digest
    );
    assert_eq!(kind(&entries[2].event), "outcome Aborted");
    assert_eq!(
        caller.counts(),
        caller::Counts {
            permitted: 1,
            settled: 1,
            refused: 0
        }
    );
}

/// A clock that an administrator set back, to have a deed stand under another time.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_while_the_clock_is_behind_the_ledger() {
    let scene = Scene::new(NOWHERE, "").await;
    let (caller, clock) = (scene.caller("alice"), &scene.gateway.clock);
    let after = |seconds: i64| clock.now().plus_micros(seconds * 1_000_000);
    // A little is what clocks do when they are set right.
    let latest = after(20);
    clock.not_before(latest);
    complete(scene.may(&caller, command("select", "SELECT 1")).await);
    let entries = scene.entries().await;
    assert!(entries.len() > 2 && entries[1..].iter().all(|entry| entry.at >= latest));
    clock.not_before(after(3_600));
    let answer = scene.may(&caller, command("select", "SELECT 1")).await;
    let Answer::Refused(denial) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(denial.code, DenialCode::LedgerUnavailable);
    assert!(denial.message.contains("clock"), "{}", denial.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_recorded_and_nothing_is_permitted() {
    let scene = Scene::new(NOWHERE, "").await;
    let answer = scene
        .may(
            &scene.caller("alice"),
            command("delete", "DELETE FROM payments"),
        )
        .await;
    assert_eq!(code(&answer), DenialCode::Forbidden);
    assert_eq!(scene.story().await, ["refused 1 Forbidden"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_command_goes_on_once_somebody_approved_it() {
    let scene = Scene::new(NOWHERE, "").await;
    let (held, answer) = scene.held(&scene.caller("alice"), update()).await;
    assert!(
        held.message.contains(&held.approval) && held.message.contains("oncall"),
        "{held:?}"
    );
    assert_eq!(scene.gateway.stats.holding.value(), 1);
    scene.verdict(&held.approval, Verdict::Approve).await;
    complete(soon("the permit", answer).await);
    assert_eq!(scene.gateway.stats.holding.value(), 0);
    let entries = scene.entries().await;
    let story: Vec<_> = entries
        .iter()
        .skip(1)
        .map(|entry| kind(&entry.event))
        .collect();
    assert_eq!(
        story,
        [
            "approval_requested",
            "approval given true",
            "intent 1",
            "outcome Completed"
        ]
    );
    let Event::Intent(intent) = &entries[3].event else {
        panic!()
    };
    assert_eq!(intent.approval, Some(held.approval));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_command_is_refused() {
    let scene = Scene::new(NOWHERE, "").await;
    let (held, answer) = scene.held(&scene.caller("alice"), update()).await;
    scene.verdict(&held.approval, Verdict::Deny).await;
    assert_eq!(
        code(&soon("the answer", answer).await),
        DenialCode::ApprovalDenied
    );
    assert_eq!(
        scene.story().await,
        [
            "approval_requested",
            "approval given true",
            "refused 1 ApprovalDenied"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_hold_the_same_command_runs_once_it_is_approved_and_only_once() {
    let scene = Scene::new(NOWHERE, "[approval]\nhold = \"50ms\"").await;
    let caller = scene.caller("alice");
    let (held, answer) = scene.held(&caller, update()).await;
    let Answer::Refused(denial) = soon("the end of the hold", answer).await else {
        panic!()
    };
    assert_eq!(
        (denial.code, denial.approval),
        (DenialCode::ApprovalPending, Some(held.approval.clone()))
    );
    assert!(
        denial.message.contains("countersign approve") && denial.message.contains("50ms"),
        "{}",
        denial.message
    );

    scene.verdict(&held.approval, Verdict::Approve).await;
    // Other bytes, another human, another parameter: the grant is not theirs.
    let other = command("update", "UPDATE payments SET status = 'held' WHERE id = 2");
    assert_ne!(scene.held(&caller, other).await.0.approval, held.approval);
    let mut bound = update();
    bound.parameters = vec![Parameter {
        kind: (23, 0),
        value: Some(Bytes::from_static(b"1")),
    }];
    assert_ne!(scene.held(&caller, bound).await.0.approval, held.approval);
    assert_ne!(
        scene
            .held(&scene.caller("mallory"), update())
            .await
            .0
            .approval,
        held.approval
    );

    complete(scene.may(&caller, update()).await);
    let (again, _) = scene.held(&caller, update()).await;
    assert_ne!(again.approval, held.approval, "a grant is used once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_withdraws_what_it_asked() {
    let scene = Scene::new(NOWHERE, "").await;
    let (held, answer) = scene.held(&scene.caller("alice"), update()).await;
    drop(answer);
    assert!(scene.approvals.show(&held.approval).is_none());
    assert_eq!(
        scene.story().await,
        ["approval_requested", "approval closed withdrawn"]
    );
    assert_eq!(scene.gateway.stats.holding.value(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_policies_void_what_was_asked_and_what_was_granted() {
    let scene = Scene::new(NOWHERE, "[approval]\nhold = \"50ms\"").await;
    let caller = scene.caller("alice");
    let (held, answer) = scene.held(&caller, update()).await;
    assert_eq!(
        code(&soon("the end of the hold", answer).await),
        DenialCode::ApprovalPending
    );
    scene.verdict(&held.approval, Verdict::Approve).await;
    scene
        .change_policies(&format!("{POLICIES}\n// changed\n"))
        .await;
    let (again, waiting) = scene.held(&caller, update()).await;
    assert_ne!(
        again.approval, held.approval,
        "a grant holds under the policies it was asked under"
    );

    scene
        .change_policies(&format!("{POLICIES}\n// changed again\n"))
        .await;
    let answer = soon("the answer", waiting).await;
    assert!(
        matches!(
            code(&answer),
            DenialCode::ApprovalInvalid | DenialCode::ApprovalPending
        ),
        "{answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_is_taken_under_other_policies_permits_nothing() {
    let scene = Scene::new(NOWHERE, "").await;
    let (held, answer) = scene.held(&scene.caller("alice"), update()).await;
    // Policies change and nobody tells the approvals: the gate looks for itself.
    scene.policies(&format!(
        "{POLICIES}\nforbid (principal, action, resource);\n"
    ));
    scene
        .gateway
        .policies
        .reload(&scene.gateway.journal, true)
        .await
        .unwrap();
    scene.verdict(&held.approval, Verdict::Approve).await;
    assert_eq!(
        code(&soon("the answer", answer).await),
        DenialCode::ApprovalInvalid
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_policies_leave_the_last_good_ones_in_force() {
    let scene = Scene::new(NOWHERE, "").await;
    let version = scene.gateway.policies.current().version();
    scene.policies("permit (principal, action == Action::\"nonsense\", resource);");
    assert_eq!(
        scene
            .gateway
            .policies
            .reload(&scene.gateway.journal, false)
            .await,
        None
    );
    // Looked at again, unchanged: said once.
    assert_eq!(
        scene
            .gateway
            .policies
            .reload(&scene.gateway.journal, false)
            .await,
        None
    );
    assert_eq!(scene.gateway.policies.current().version(), version);
    complete(
        scene
            .may(&scene.caller("alice"), command("select", "SELECT 1"))
            .await,
    );
    let entries = scene.entries().await;
    let story: Vec<_> = entries
        .iter()
        .skip(1)
        .map(|entry| kind(&entry.event))
        .collect();
    assert_eq!(story, ["policy_rejected", "intent 1", "outcome Completed"]);
    let Event::PolicyRejected { error } = &entries[1].event else {
        panic!()
    };
    assert!(
        error.contains("bank.cedar") && error.contains("nonsense"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_ledger_nothing_is_permitted() {
    let scene = Scene::new(NOWHERE, "").await;
    let caller = scene.caller("alice");
    let log = scene.gateway.journal.log().clone();
    tokio::task::spawn_blocking(move || log.close().unwrap())
        .await
        .unwrap();
    let answer = scene.may(&caller, command("select", "SELECT 1")).await;
    assert_eq!(code(&answer), DenialCode::LedgerUnavailable);
    // From then on it is not even tried, for any kind of decision.
    assert!(scene.gateway.journal.healthy().is_err());
    for one in [
        command("select", "SELECT 1"),
        command("delete", "DELETE"),
        update(),
    ] {
        assert_eq!(
            code(&scene.may(&caller, one).await),
            DenialCode::LedgerUnavailable
        );
    }
    assert!(scene.approvals.list().is_empty());
    assert_eq!(caller.counts().permitted, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_stand_in_the_order_of_the_commands() {
    let scene = Scene::new(NOWHERE, "").await;
    let caller = scene.caller("alice");
    let begun: Vec<_> = (1..=20)
        .map(|seq| {
            match scene.gateway.gate.begin(
                &caller,
                seq,
                command("select", &format!("SELECT {seq}")),
            ) {
                Begun::Writing(answer) => answer,
                Begun::People(_) => panic!(),
            }
        })
        .collect();
    // Awaited the other way round.
    let mut permits = Vec::new();
    for answer in begun.into_iter().rev() {
        permits.push(permit(soon("the receipt", answer).await));
    }
    let indexes: Vec<u64> = permits.iter().rev().map(Permit::intent).collect();
    assert_eq!(indexes, (1..=20).collect::<Vec<_>>());
}
