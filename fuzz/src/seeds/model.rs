//! Entries, and what approvers sign.

use ::model::{
    ApprovalStatement, CommandRecord, Denial, DenialCode, Digest, Entry, Event, Intent,
    Obligations, Outcome, PolicyVersion, Status, Timestamp, Verdict,
};

const DIGEST: Digest = Digest([7; 32]);
const POLICY: PolicyVersion = DIGEST;

fn noon() -> Timestamp {
    Timestamp::from_secs(1_790_000_000)
}

fn command() -> CommandRecord {
    CommandRecord {
        protocol: "postgres".to_owned(),
        tag: "UPDATE".to_owned(),
        effects: vec!["update public.payments".to_owned()],
        digest: DIGEST,
        sealed: "c2VhbGVk".to_owned(),
    }
}

pub(crate) fn model_entry() -> Vec<Vec<u8>> {
    let events = [
        Event::Heartbeat {
            sessions: 3,
            durability: "interval 10ms".to_owned(),
        },
        Event::Intent(Box::new(Intent {
            session: "s-01".to_owned(),
            seq: 1,
            human: "alice".to_owned(),
            agent: Some("claude-code".to_owned()),
            target: "bank".to_owned(),
            command: command(),
            policy: POLICY,
            obligations: Obligations::default(),
            approval: None,
        })),
        Event::Outcome {
            session: "s-01".to_owned(),
            intent: 12,
            outcome: Outcome::bare(Status::Completed),
        },
        Event::Refused {
            session: "s-01".to_owned(),
            seq: 2,
            command: command(),
            policy: POLICY,
            denial: Denial::new(DenialCode::Forbidden, "no policy permits it"),
        },
    ];
    let encoded = events.map(|event| Entry { at: noon(), event }.encode().unwrap());
    encoded.into()
}

pub(crate) fn model_statement() -> Vec<Vec<u8>> {
    let statement = ApprovalStatement {
        approval: "cs-7f3a0001".to_owned(),
        verdict: Verdict::Approve,
        approver: "bob".to_owned(),
        command: DIGEST,
        human: "alice".to_owned(),
        agent: "claude-code".to_owned(),
        identity: DIGEST,
        target: "bank".to_owned(),
        policy: POLICY,
        expires: noon(),
        reason: "as \"agreed\"".to_owned(),
    };
    vec![statement.bytes()]
}
