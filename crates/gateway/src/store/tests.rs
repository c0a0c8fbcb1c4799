use std::collections::BTreeSet;

use model::{
    Agent, CommandRecord, Denial, DenialCode, Digest, Entry, Event, Identity, Intent, MaskFact,
    Obligations, Outcome, Proof, SessionOpened, Status, Timestamp,
};

use super::*;

fn at(secs: i64, event: Event) -> Vec<u8> {
    Entry {
        at: Timestamp::from_secs(secs),
        event,
    }
    .encode()
    .unwrap()
}

fn opened(secs: i64, session: &str, human: &str, agent: Option<&str>) -> Vec<u8> {
    let proof = Proof {
        issuer: "https://id.example.com".into(),
        subject: human.into(),
        token_id: None,
        key_id: None,
        expires: Timestamp::MAX,
    };
    let agent = agent.map(|name| Agent {
        name: name.into(),
        instance: None,
        model: None,
    });
    let identity = Identity {
        human: human.into(),
        agent,
        groups: BTreeSet::new(),
        proof,
    };
    at(
        secs,
        Event::SessionOpened(Box::new(SessionOpened {
            session: session.into(),
            identity,
            target: "bank".into(),
            protocol: "postgres".into(),
            source: "127.0.0.1:1".into(),
            client: "psql".into(),
            transport: "none".into(),
            account: "app".into(),
            assumes: None,
            key_id: "k".into(),
            policy: Digest([0; 32]),
        })),
    )
}

fn record() -> CommandRecord {
    CommandRecord {
        protocol: "postgres".into(),
        tag: "SELECT".into(),
        effects: vec!["select public.cards".into()],
        digest: Digest([1; 32]),
        sealed: "x".into(),
    }
}

fn intent(session: &str, approval: Option<&str>) -> Vec<u8> {
    let intent = Intent {
        session: session.into(),
        seq: 1,
        human: "alice".into(),
        agent: None,
        target: "bank".into(),
        command: record(),
        policy: Digest([0; 32]),
        obligations: Obligations::default(),
        approval: approval.map(str::to_owned),
    };
    at(2, Event::Intent(Box::new(intent)))
}

fn refused(session: &str) -> Vec<u8> {
    let denial = Denial::new(DenialCode::Forbidden, "no");
    at(
        3,
        Event::Refused {
            session: session.into(),
            seq: 2,
            command: record(),
            policy: Digest([0; 32]),
            denial,
        },
    )
}

fn outcome(session: &str) -> Vec<u8> {
    let fact = MaskFact {
        class: model::DataClass::PAN,
        rule: "luhn".into(),
        place: "cards.pan".into(),
        columns: Vec::new(),
        strategy: "partial".into(),
        count: 1,
        commitments: vec![],
    };
    let outcome = Outcome {
        masks: vec![fact],
        ..Outcome::bare(Status::Completed)
    };
    at(
        3,
        Event::Outcome {
            session: session.into(),
            intent: 1,
            outcome,
        },
    )
}

fn closed(secs: i64, session: &str) -> Vec<u8> {
    let reason = "the client left".into();
    at(
        secs,
        Event::SessionClosed {
            session: session.into(),
            reason,
            permitted: 1,
            refused: 1,
            chunks: 1,
            masks: Vec::new(),
        },
    )
}

fn log() -> Vec<Vec<u8>> {
    vec![
        at(
            0,
            Event::Heartbeat {
                sessions: 0,
                durability: "sync".into(),
            },
        ),
        opened(1, "s-1", "alice", Some("claude-code")),
        intent("s-1", Some("cs-1")),
        opened(2, "s-2", "bob", None),
        outcome("s-1"),
        refused("s-2"),
        b"an entry of another time".to_vec(),
        closed(9, "s-1"),
    ]
}

fn store(folder: &Path, batches: &[usize]) -> Store {
    let store = Store::open(&folder.join("index.db")).unwrap();
    let (log, mut first) = (log(), 0);
    for size in batches {
        let batch = &log[first..first + size];
        store
            .apply(first as u64, batch.iter().map(Vec::as_slice))
            .unwrap();
        first += size;
    }
    store
}

fn names(store: &Store, filter: &Filter) -> Vec<String> {
    store
        .sessions(filter)
        .unwrap()
        .into_iter()
        .map(|row| row.session)
        .collect()
}

#[test]
fn sessions_are_the_same_whatever_the_batches() {
    let read = |batches: &[usize]| {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), batches);
        (
            store.sessions(&Filter::default()).unwrap(),
            store.leaves("s-1").unwrap(),
            store.position().unwrap(),
        )
    };
    let whole = read(&[8]);
    assert_eq!(whole, read(&[1; 8]));
    assert_eq!(whole, read(&[3, 5]));
    let (rows, leaves, position) = whole;
    assert_eq!((leaves, position), (vec![1, 2, 4, 7], 8));
    let [second, first] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!(
        (
            first.permitted,
            first.refused,
            first.approvals,
            first.masked
        ),
        (1, 0, 1, 1)
    );
    assert_eq!(
        (first.agent.as_deref(), first.closed),
        (Some("claude-code"), Some(Timestamp::from_secs(9)))
    );
    assert_eq!(
        (second.permitted, second.refused, second.closed),
        (0, 1, None)
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one filter after the other")]
fn filters_pick() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &[8]);
    let pick = |filter: Filter| names(&store, &filter);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        pick(Filter {
            agent: text("claude-code"),
            ..Filter::default()
        }),
        ["s-1"]
    );
    assert_eq!(
        pick(Filter {
            human: text("bob"),
            ..Filter::default()
        }),
        ["s-2"]
    );
    assert_eq!(
        pick(Filter {
            target: text("other"),
            ..Filter::default()
        }),
        [""; 0]
    );
    assert_eq!(
        pick(Filter {
            decision: Some(DecisionFilter::Approved),
            ..Filter::default()
        }),
        ["s-1"]
    );
    assert_eq!(
        pick(Filter {
            decision: Some(DecisionFilter::Refused),
            ..Filter::default()
        }),
        ["s-2"]
    );
    assert_eq!(
        pick(Filter {
            decision: Some(DecisionFilter::Masked),
            ..Filter::default()
        }),
        ["s-1"]
    );
    assert_eq!(
        pick(Filter {
            from: Some(Timestamp::from_secs(10)),
            ..Filter::default()
        }),
        ["s-2"]
    );
    assert_eq!(
        pick(Filter {
            to: Some(Timestamp::from_secs(2)),
            ..Filter::default()
        }),
        ["s-1"]
    );
    assert_eq!(
        pick(Filter {
            limit: Some(1),
            ..Filter::default()
        }),
        ["s-2"]
    );
    assert_eq!(
        pick(Filter {
            human: text("' OR 1=1 --"),
            ..Filter::default()
        }),
        [""; 0]
    );
}

#[test]
fn verdicts_belong_to_the_session_that_asked() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &[8]);
    let zero = Digest([0; 32]);
    let request = model::ApprovalRequest {
        id: "cs-1".into(),
        session: "s-2".into(),
        human: "bob".into(),
        agent: None,
        identity: zero,
        target: "bank".into(),
        tag: "UPDATE".into(),
        command: zero,
        policy: zero,
        gates: vec![],
        requested: Timestamp::from_secs(9),
        expires: Timestamp::MAX,
    };
    let statement = model::ApprovalStatement::new(&request, model::Verdict::Approve, "carol", "");
    let Event::SessionOpened(carol) = Entry::decode(&opened(9, "s", "carol", None)).unwrap().event
    else {
        panic!()
    };
    let given = Event::ApprovalGiven {
        statement: String::from_utf8(statement.bytes()).unwrap(),
        signature: String::new(),
        identity: Box::new(carol.identity),
        gates: vec![],
        settled: true,
    };
    let ended = |id: &str| Event::ApprovalClosed {
        approval: id.into(),
        reason: "expired".into(),
    };
    let leaves = [
        at(9, Event::ApprovalRequested(Box::new(request))),
        at(9, given),
        at(9, ended("cs-1")),
        at(9, ended("cs-2")),
    ];
    store.apply(8, leaves.iter().map(Vec::as_slice)).unwrap();
    assert_eq!(store.leaves("s-2").unwrap(), [3, 5, 8, 9, 10]);
}

#[test]
fn an_index_of_another_version_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    drop(store(folder.path(), &[8]));
    assert_eq!(
        Store::open(&folder.path().join("index.db"))
            .unwrap()
            .position()
            .unwrap(),
        8
    );
    let connection = Connection::open(folder.path().join("index.db")).unwrap();
    connection
        .pragma_update(None, "user_version", VERSION + 1)
        .unwrap();
    drop(connection);
    let again = Store::open(&folder.path().join("index.db")).unwrap();
    assert_eq!(
        (
            again.position().unwrap(),
            again.sessions(&Filter::default()).unwrap()
        ),
        (0, vec![])
    );
}
