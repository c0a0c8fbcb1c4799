//! What somebody with the log's key can do: write another log. It holds together as a tree, and still not as a story.

use model::{Digest, Event, Verdict as Said};

use super::scene::{Scene, all, ask, check, identity, rich, time};
use crate::verify::Verdict;

fn heartbeat() -> Event {
    Event::Heartbeat {
        sessions: 0,
        durability: "sync".to_owned(),
    }
}

/// The bundle of a scene in which `change` was made; every check that fails, and whether one says all of `words`.
#[track_caller]
fn bad(change: impl FnOnce(&mut Scene), words: &[&str]) {
    let mut scene = rich();
    change(&mut scene);
    let report = check(&scene.build(&all()).0);
    assert_eq!(report.verdict, Verdict::Bad, "{words:?}");
    let said: Vec<String> = report
        .failed()
        .map(|check| format!("{}: {}: {}", check.name, check.place, check.detail))
        .collect();
    assert!(
        said.iter()
            .any(|said| words.iter().all(|word| said.contains(word))),
        "{words:?}: {said:#?}"
    );
}

/// The first entry of a kind from `from` on.
fn find(scene: &Scene, from: usize, kind: &str) -> usize {
    let mut entries = scene.entries.iter().enumerate().skip(from);
    entries
        .find(|(_, entry)| crate::fold::kind(&entry.event) == kind)
        .unwrap()
        .0
}

#[test]
fn an_approval_removed() {
    bad(
        |scene| {
            let at = find(scene, 0, "approval_given");
            scene.entries[at].event = heartbeat();
        },
        &[
            "approvals",
            "leaf 11",
            "cs-00000001",
            "0 of 1 people of oncall",
        ],
    );
    bad(
        |scene| {
            let at = find(scene, 0, "approval_requested");
            scene.entries[at].event = heartbeat();
        },
        &[
            "approvals",
            "leaf 11",
            "cs-00000001",
            "was not requested here",
        ],
    );
}

#[test]
fn an_approvals_reason_changed() {
    bad(
        |scene| {
            let at = find(scene, 0, "approval_given");
            if let Event::ApprovalGiven { statement, .. } = &mut scene.entries[at].event {
                *statement = statement.replace("4711", "4712");
            }
        },
        &["people's signatures", "leaf 10", "bob", "does not verify"],
    );
}

#[test]
fn an_approval_of_another_command_target_policy_or_person() {
    type Change = fn(&mut model::Intent);
    let changes: [(Change, &str); 4] = [
        (
            |intent| intent.command.digest = Digest::of(&[b"another"]),
            "another command was approved",
        ),
        (
            |intent| intent.target = "crm".to_owned(),
            "approved for another target",
        ),
        (
            |intent| intent.policy = Digest::of(&[b"another"]),
            "policies changed",
        ),
        (
            |intent| intent.human = "dave".to_owned(),
            "somebody else asked",
        ),
    ];
    for (change, why) in changes {
        bad(
            |scene| {
                let at = scene
                    .entries
                    .iter_mut()
                    .find_map(|entry| match &mut entry.event {
                        Event::Intent(intent) if intent.approval.is_some() => Some(intent),
                        _ => None,
                    });
                change(at.unwrap());
            },
            &["approvals", "leaf 11", why],
        );
    }
}

#[test]
fn an_approval_by_the_requester_by_an_agent_or_by_one_for_two() {
    for (who, why) in [("alice", "alice asked for it"), ("mallory", "mallory")] {
        bad(
            |scene| {
                let at = find(scene, 0, "approval_given");
                scene.entries[at].event = scene.verdict("cs-00000001", who, who, Said::Approve, "");
            },
            &[
                if who == "alice" {
                    "approvals"
                } else {
                    "people's signatures"
                },
                "leaf 10",
                why,
            ],
        );
    }
    bad(
        |scene| {
            let at = find(scene, 0, "approval_given");
            if let Event::ApprovalGiven { identity: who, .. } = &mut scene.entries[at].event {
                **who = identity("bob", Some("cursor"), &["oncall"]);
            }
        },
        &["approvals", "leaf 10", "an agent gave it"],
    );
    bad(
        |scene| {
            let second = scene.entries.iter().rposition(|entry| {
                matches!(&entry.event, Event::ApprovalGiven { statement, .. } if statement.contains("carol"))
            });
            scene.entries[second.unwrap()].event =
                scene.verdict("cs-00000002", "bob", "bob", Said::Approve, "again");
        },
        &["approvals", "bob decided it before"],
    );
    bad(
        |scene| {
            let at = find(scene, 0, "approval_given");
            if let Event::ApprovalGiven { identity: who, .. } = &mut scene.entries[at].event {
                **who = identity("bob", None, &["lunch"]);
            }
        },
        &["approvals", "leaf 10", "not of the group"],
    );
    // Signed by somebody else in his name.
    bad(
        |scene| {
            let at = find(scene, 0, "approval_given");
            scene.entries[at].event =
                scene.verdict("cs-00000001", "bob", "mallory", Said::Approve, "");
        },
        &["people's signatures", "leaf 10", "not one of this person's"],
    );
}

#[test]
fn an_approval_used_twice_late_or_against_a_no() {
    bad(
        |scene| {
            let used = find(scene, 10, "intent");
            let mut again = scene.entries[used].event.clone();
            if let Event::Intent(intent) = &mut again {
                intent.seq = 77;
            }
            let outcome = find(scene, 11, "outcome");
            scene.entries[outcome].event = again;
        },
        &["approvals", "leaf 12", "the command of leaf 11 runs by it"],
    );
    // What succeeded, or failed for good, used it up.
    bad(
        |scene| {
            let used = find(scene, 10, "intent");
            let mut again = scene.entries[used].event.clone();
            if let Event::Intent(intent) = &mut again {
                intent.seq = 77;
            }
            let refused = find(scene, 11, "refused");
            scene.entries[refused].event = again;
        },
        &["approvals", "leaf 13", "was used before"],
    );
    bad(
        |scene| {
            let request = find(scene, 0, "approval_requested");
            for at in [request, request + 1] {
                let mut text = String::from_utf8(scene.entries[at].encode().unwrap()).unwrap();
                let expires = scene.requests["cs-00000001"].expires.to_string();
                text = text.replace(&expires, &time(1).to_string());
                scene.entries[at] = model::Entry::decode(text.as_bytes()).unwrap();
            }
        },
        &["approvals", "leaf 10", "had expired"],
    );
    bad(
        |scene| {
            let at = find(scene, 0, "approval_given");
            scene.entries[at].event = scene.verdict("cs-00000001", "bob", "bob", Said::Deny, "");
        },
        &["approvals", "leaf 11", "is closed"],
    );
    // A restart forgets what was granted.
    bad(
        |scene| {
            let start = scene.entries[0].event.clone();
            let at = find(scene, 0, "approval_given");
            scene.entries.insert(
                at + 1,
                model::Entry {
                    at: scene.entries[at].at,
                    event: start,
                },
            );
        },
        &["approvals", "leaf 12", "cs-00000001"],
    );
}

/// A log with a command that is sent `times` times by one approval, each but the last failing in passing.
fn sent(scene: &mut Scene, times: usize) {
    let write = "UPDATE t SET x = 1";
    scene.open("s-9", "alice", "claude-code", "bank");
    scene.open("s-8", "alice", "claude-code", "bank");
    scene.request("cs-00000009", "s-9", write, &[("oncall", 1)]);
    scene.give("cs-00000009", "bob", Said::Approve, "");
    for sending in 1..=times {
        let intent = scene.intent("s-9", write, Some("cs-00000009"));
        scene.ended("s-9", intent, sending < times);
    }
}

#[test]
fn an_approval_used_too_often_or_by_another_session() {
    let most = model::SENDINGS_MAX as usize;
    bad(
        |scene| sent(scene, most + 1),
        &["approvals", "cs-00000009", "it was used 5 times"],
    );
    bad(
        |scene| {
            sent(scene, 1);
            let at = scene.entries.len() - 1;
            if let Event::Outcome { outcome, .. } = &mut scene.entries[at].event {
                outcome.again = true;
            }
            let intent = scene.intent("s-8", "UPDATE t SET x = 1", Some("cs-00000009"));
            scene.ended("s-8", intent, false);
        },
        &["approvals", "cs-00000009", "session s-9 has used it"],
    );
}

#[test]
fn entries_removed_doubled_or_out_of_order() {
    bad(
        |scene| {
            let at = find(scene, 0, "intent");
            scene.entries[at].event = heartbeat();
        },
        &["entries", "leaf 5", "settles the command of leaf 4"],
    );
    bad(
        |scene| {
            let at = find(scene, 0, "session_opened");
            scene.entries[at].event = heartbeat();
        },
        &["entries", "leaf 4", "session s-1, which is not open"],
    );
    bad(
        |scene| {
            let outcome = scene.entries[find(scene, 0, "outcome")].event.clone();
            let at = find(scene, 20, "heartbeat");
            scene.entries[at].event = outcome;
        },
        &["entries", "was settled before"],
    );
    bad(
        |scene| {
            let at = find(scene, 10, "intent");
            if let Event::Intent(intent) = &mut scene.entries[at].event {
                intent.seq = 1;
            }
        },
        &["entries", "leaf 11", "command 1 of session s-1"],
    );
    bad(
        |scene| {
            let at = find(scene, 0, "refused");
            scene.entries.remove(at);
        },
        &["entries"],
    );
}

#[test]
fn an_entry_backdated() {
    bad(
        |scene| scene.entries[10].at = time(-90),
        &["entries", "leaf 10", "backdated"],
    );
    let mut scene = rich();
    // Within what clocks and threads do.
    scene.entries[10].at = time(1);
    assert_eq!(check(&scene.build(&all()).0).verdict, Verdict::Good);
}

#[test]
fn a_chunk_dropped_or_an_intent_under_unknown_policies() {
    bad(
        |scene| {
            let at = find(scene, 10, "recorded");
            scene.entries[at].event = heartbeat();
        },
        &["recordings in the log", "s-1", "2 chunks", "show 1"],
    );
    bad(
        |scene| {
            let at = find(scene, 0, "recorded");
            scene.entries[at].event = heartbeat();
        },
        &["recordings in the log", "chunk 1", "chunk 0 is due"],
    );
    bad(
        |scene| {
            let at = find(scene, 0, "intent");
            if let Event::Intent(intent) = &mut scene.entries[at].event {
                intent.policy = Digest::of(&[b"none"]);
            }
        },
        &["entries", "leaf 4", "not in force"],
    );
}

/// A period whose end was cut off: the log's own beat is missing, and that is said.
#[test]
fn a_tail_cut_off_is_a_silence() {
    let mut scene = rich();
    scene.entries.truncate(scene.entries.len() - 50);
    let report = check(&scene.build(&all()).0);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("times without entries")),
        "{:?}",
        report.notes
    );
    let files = super::scene::unzip(&scene.build(&all()).0);
    let gaps = files
        .iter()
        .find(|(path, _)| path == "exceptions/gaps_outages.csv")
        .unwrap();
    assert!(String::from_utf8_lossy(&gaps.1).contains("silence to the end"));
}

/// The begin of a period cut off by a later start: what lies before it is of the time asked for.
#[test]
fn a_begin_cut_off_is_found() {
    let scene = rich();
    let (bundle, _) = scene.build(&ask(20, 1_000_000));
    let mut files = super::scene::unzip(&bundle);
    let query = files
        .iter_mut()
        .find(|(path, _)| path == crate::bundle::layout::QUERY)
        .unwrap();
    let text = String::from_utf8(query.1.clone()).unwrap();
    query.1 = text
        .replace(&time(20).to_string(), &time(2).to_string())
        .into_bytes();
    let report = check(&super::scene::resign(&files, &super::scene::key()));
    assert!(report.failed().any(|check| {
        check
            .detail
            .contains("lies before the leaves that are here")
    }));
}
