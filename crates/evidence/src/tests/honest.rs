//! Honest bundles hold, and say what happened.

use model::{Event, Verdict};

use super::scene::{Scene, all, ask, check, key, rich, time, unzip};
use crate::Request;
use crate::verify::{Options, Report, Verdict as Found, verify};

#[track_caller]
fn holds(report: &Report) {
    let failed: Vec<_> = report.failed().collect();
    assert!(report.verdict == Found::Good, "{failed:#?}");
}

fn text(bundle: &[u8], path: &str) -> String {
    let file = unzip(bundle).into_iter().find(|(name, _)| name == path);
    String::from_utf8(file.unwrap_or_else(|| panic!("no {path}")).1).unwrap()
}

#[test]
fn everything_that_happens_holds() {
    let (bundle, built) = rich().build(&all());
    let report = check(&bundle);
    holds(&report);
    assert_eq!((built.first, built.samples), (0, 5));
    assert_eq!(built.files, unzip(&bundle).len());
    let names: Vec<String> = report
        .checks
        .iter()
        .map(|check| check.name.clone())
        .collect();
    assert_eq!(names.len(), 20, "{names:?}");
}

#[test]
fn equal_inputs_give_equal_bytes() {
    let scene = rich();
    assert_eq!(scene.build(&all()).0, scene.build(&all()).0);
}

#[test]
fn every_period_of_a_rich_log_holds() {
    let scene = rich();
    let (last, log) = (scene.now, scene.log_signed_by(key()));
    for from in (0..40).chain([3_600, 3_700, 22_000, last - 5, last + 5]) {
        for to in [from + 1, from + 3, from + 20, 1_000_000] {
            let (bundle, built) = scene.build_from(&log, &ask(from, to), &key());
            let report = check(&bundle);
            let failed: Vec<_> = report.failed().collect();
            assert!(failed.is_empty(), "{from}..{to} {built:?}: {failed:#?}");
        }
    }
}

#[test]
fn a_target_alone_holds_and_others_are_hashes() {
    let scene = rich();
    for target in ["bank", "crm"] {
        for (from, to) in [(0, 1_000_000), (8, 30), (20, 1_000_000)] {
            let request = Request {
                target: Some(target.to_owned()),
                ..ask(from, to)
            };
            let (bundle, built) = scene.build(&request);
            holds(&check(&bundle));
            let leaves = text(&bundle, "population/leaves.jsonl");
            assert_eq!(leaves.lines().count() as u64, built.end - built.first);
            let other = if target == "bank" { "s-2" } else { "s-1" };
            for (path, bytes) in unzip(&bundle) {
                // Who watched what is no target's alone.
                if path != "review/replay_access.csv"
                    && path != "population/leaves.jsonl"
                    && path != "integrity/context.jsonl"
                {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    assert!(!text.contains(other), "{path} of {target} tells of {other}");
                }
            }
        }
    }
}

#[test]
fn small_logs_hold() {
    let mut scene = Scene::new();
    scene.start();
    holds(&check(&scene.build(&all()).0));
    scene.open("s-1", "alice", "claude-code", "bank");
    let one = scene.intent("s-1", "SELECT 1", None);
    scene.outcome("s-1", one, &[]);
    scene.close("s-1");
    holds(&check(&scene.build(&all()).0));
    // A period before everything, and one after it.
    let early = Request {
        from: time(-1_000),
        to: time(-900),
        ..all()
    };
    holds(&check(&scene.build(&early).0));
    let (bundle, built) = scene.build(&ask(5_000, 6_000));
    assert_eq!(built.first, built.end);
    holds(&check(&bundle));
}

#[test]
fn what_is_whole_tiles_holds() {
    for count in [255, 256, 257, 512, 513] {
        let mut scene = Scene::new();
        scene.start();
        (1..count).for_each(|_| scene.heartbeat());
        holds(&check(&scene.build(&all()).0));
        scene.checkpoint();
        (0..10).for_each(|_| scene.heartbeat());
        scene.checkpoint();
        let from = scene.now - 300;
        let (bundle, built) = scene.build(&ask(from, 1_000_000));
        assert_eq!(built.first, count);
        holds(&check(&bundle));
    }
}

#[test]
fn tables_tell_what_happened() {
    let (bundle, _) = rich().build(&all());
    let rows = |path: &str| text(&bundle, path).lines().count() - 1;
    assert_eq!(rows("population/sessions.csv"), 5);
    assert_eq!(rows("population/commands.csv"), 8);
    assert_eq!(rows("population/approvals.csv"), 5);
    assert_eq!(rows("population/verdicts.csv"), 4);
    assert_eq!(rows("access/sod_violations.csv"), 0);
    assert_eq!(rows("masking/detections.csv"), 1);
    assert_eq!(rows("masking/reveals.csv"), 1);
    assert_eq!(rows("review/replay_access.csv"), 1);
    assert_eq!(rows("masking/rules.csv"), 2);
    let gaps = text(&bundle, "exceptions/gaps_outages.csv");
    let kinds: Vec<&str> = gaps
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(kinds, ["stopped", "crash"]);
    let exceptions = text(&bundle, "exceptions/exceptions.csv");
    for kind in [
        "policy_rejected",
        "intent_without_outcome",
        "session_without_end",
        "start_without_stop",
    ] {
        assert!(exceptions.contains(kind), "{kind}: {exceptions}");
    }
    let verdicts = text(&bundle, "population/verdicts.csv");
    assert!(verdicts.contains("\"'=cmd|' /C calc'!A0\""), "{verdicts}");
    let commands = text(&bundle, "samples/sample_001/commands.csv");
    assert!(commands.lines().count() >= 3, "{commands}");
    assert!(text(&bundle, "samples/sample_001/transcript.txt").contains("asked"));
    assert!(text(&bundle, "samples/method.json").contains("\"approved\": 2"));
}

/// The page loads nothing, runs nothing, shows no markup that came from outside, and every file it names is there.
#[test]
fn the_page_is_static_and_its_links_lead_somewhere() {
    let mut scene = rich();
    scene.event(Event::PolicyRejected {
        error: "<script>alert(1)</script><img src=x onerror='x'>".to_owned(),
    });
    let (bundle, _) = scene.build(&all());
    let page = text(&bundle, "00_README.html");
    assert!(page.contains("id=\"q15\"") && !page.contains("id=\"q16\""));
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    for harmful in ["<script", "<img", "src=", "@import", "url(", "javascript:"] {
        let shown = page.replace("&lt;img src=x", "");
        assert!(!shown.contains(harmful), "{harmful}: {page}");
    }
    let names: Vec<String> = unzip(&bundle).into_iter().map(|(name, _)| name).collect();
    let mut links = 0;
    for link in page.split("href=\"").skip(1) {
        let link = link.split('"').next().unwrap();
        let anchor = link.strip_prefix('#').map(|id| format!("id=\"{id}\""));
        let there = match anchor {
            Some(anchor) => page.contains(&anchor),
            None => names.iter().any(|name| name == link),
        };
        assert!(there, "{link}");
        links += 1;
    }
    assert!(links > 50, "{links}");
    for word in [
        "cs-00000001",
        "claude-code",
        "quarterly review",
        "start without stop",
    ] {
        assert!(page.contains(word), "{word}");
    }
}

/// Every place that the control matrix names is there.
#[test]
fn the_control_matrix_leads_somewhere() {
    let (bundle, _) = rich().build(&all());
    let names: Vec<String> = unzip(&bundle).into_iter().map(|(name, _)| name).collect();
    let matrix = text(&bundle, "controls/control_matrix.csv");
    let mut rows = csv::Reader::from_reader(matrix.as_bytes());
    let mut places = 0;
    for row in rows.records() {
        let row = row.unwrap();
        assert_eq!(row.len(), 5);
        for place in row[3].split("; ") {
            let there =
                |name: &String| name == place || (place.ends_with('/') && name.starts_with(place));
            assert!(names.iter().any(there), "{}: {place}", &row[0]);
            places += 1;
        }
    }
    assert!(places > 60, "{places}");
}

#[test]
fn without_keys_it_is_said_that_nobody_vouches() {
    let (bundle, _) = rich().build(&all());
    let report = verify(std::io::Cursor::new(bundle), &Options::default());
    holds(&report);
    let notes = report.notes.join("\n");
    assert!(
        notes.contains(&key().verifier().to_string()) && notes.contains("bob: SHA256:"),
        "{notes}"
    );
}

#[test]
fn what_was_disposed_of_is_said_and_holds() {
    let mut scene = rich();
    scene.recordings.remove("s-1");
    let (bundle, _) = scene.build(&all());
    let report = check(&bundle);
    holds(&report);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("no recording")),
        "{:?}",
        report.notes
    );
}

/// A command whose target failed in passing runs again by the same approval, and its approval may end without that.
#[test]
fn what_was_sent_again_by_one_approval_holds() {
    let mut scene = Scene::new();
    scene.start();
    scene.open("s-1", "alice", "claude-code", "bank");
    let write = "UPDATE t SET x = 1";
    for id in ["cs-00000001", "cs-00000002"] {
        scene.request(id, "s-1", write, &[("oncall", 1)]);
        scene.give(id, "bob", Verdict::Approve, "");
    }
    for sending in 1..=model::SENDINGS_MAX {
        let intent = scene.intent("s-1", write, Some("cs-00000001"));
        scene.ended("s-1", intent, sending < model::SENDINGS_MAX);
        scene.checkpoint();
    }
    let intent = scene.intent("s-1", write, Some("cs-00000002"));
    scene.ended("s-1", intent, true);
    scene.close("s-1");
    scene.event(Event::ApprovalClosed {
        approval: "cs-00000002".to_owned(),
        reason: "expired".to_owned(),
    });
    let (last, log) = (scene.now, scene.log_signed_by(key()));
    for from in 0..=last {
        for target in [None, Some("bank".to_owned())] {
            let request = Request {
                target,
                ..ask(from, 1_000_000)
            };
            let (bundle, _) = scene.build_from(&log, &request, &key());
            holds(&check(&bundle));
            let exceptions = text(&bundle, "exceptions/exceptions.csv");
            assert_eq!(exceptions.lines().count(), 1, "{from}: {exceptions}");
        }
    }
    let approvals = text(&scene.build(&all()).0, "population/approvals.csv");
    assert_eq!(approvals.lines().count(), 3, "{approvals}");
}

/// What a gateway may honestly leave behind.
#[test]
fn races_and_losses_hold_and_are_listed() {
    let mut scene = Scene::new();
    scene.start();
    scene.open("s-1", "alice", "claude-code", "bank");
    scene.request("cs-00000001", "s-1", "DELETE FROM t", &[("oncall", 1)]);
    scene.event(Event::ApprovalClosed {
        approval: "cs-00000001".to_owned(),
        reason: "withdrawn".to_owned(),
    });
    // A verdict that crossed the withdrawal.
    scene.give("cs-00000001", "bob", Verdict::Approve, "");
    // A command whose client was gone before it was sent.
    scene.intent("s-1", "SELECT 1", None);
    // Policies come into force between a decision and its entry.
    let before = scene.policy;
    scene.activate("permit(principal, action, resource);");
    let after = std::mem::replace(&mut scene.policy, before);
    let late = scene.intent("s-1", "SELECT 2", None);
    scene.outcome("s-1", late, &[]);
    scene.policy = after;
    scene.record("s-1", &[super::scene::asked(1, "SELECT 1")]);
    let closed = scene.close("s-1");
    if let Event::SessionClosed {
        permitted,
        refused,
        chunks,
        ..
    } = &mut scene.entries[closed as usize].event
    {
        (*permitted, *refused, *chunks) = (1, 2, 0);
    }
    let (bundle, _) = scene.build(&all());
    holds(&check(&bundle));
    let exceptions = text(&bundle, "exceptions/exceptions.csv");
    let kinds = [
        "verdict_without_request",
        "intent_without_outcome",
        "recording_incomplete",
        "commands_without_entry",
    ];
    for kind in kinds {
        assert!(exceptions.contains(kind), "{kind}: {exceptions}");
    }
}
