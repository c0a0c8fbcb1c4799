//! `verify/VERIFY.txt` is right: its own commands, run as they stand there by a shell, Python's standard library, OpenSSL and
//! ssh-keygen, hold for honest bundles and fail for others.

use std::path::Path;
use std::process::{Command, Stdio};

use model::Event;

use super::scene::{Scene, all, ask, key, other_key, people, resign, rich, unzip};
use crate::Request;
use crate::bundle::layout;

type Files = Vec<(String, Vec<u8>)>;

/// The blocks of commands, one behind the other.
fn commands(text: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for line in text.lines() {
        if line == "```" {
            inside = !inside;
        } else if inside {
            out += line;
            out.push('\n');
        }
    }
    assert!(!inside);
    out
}

/// Unpacks the bundle and runs what its VERIFY.txt says, with keys from elsewhere. Whether that holds, and everything it said.
fn run(files: &Files) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    for (path, bytes) in files {
        let path = bundle.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let (ledger, signers) = (folder.path().join("key"), folder.path().join("signers"));
    std::fs::write(&ledger, format!("{}\n", key().verifier())).unwrap();
    std::fs::write(&signers, crate::signers::write(&people())).unwrap();
    // What is run is what this version writes, not what a changed bundle says.
    let script = commands(include_str!("../build/VERIFY.txt"));
    bash(&bundle, &script, &ledger, &signers)
}

fn bash(folder: &Path, script: &str, ledger: &Path, signers: &Path) -> (bool, String) {
    let output = Command::new("bash")
        .args(["-e", "-c", script])
        .current_dir(folder)
        .env("LEDGER_PUB", ledger)
        .env("ALLOWED_SIGNERS", signers)
        .env("TMPDIR", folder.parent().unwrap())
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .expect("bash is installed");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

fn at<'f>(files: &'f mut Files, path: &str) -> &'f mut Vec<u8> {
    let file = files.iter_mut().find(|(name, _)| name == path);
    &mut file.unwrap_or_else(|| panic!("no {path}")).1
}

#[track_caller]
fn bad(files: &Files, word: &str) {
    let (holds, said) = run(files);
    assert!(!holds, "{word}: {said}");
    assert!(said.contains(word), "{word}: {said}");
}

#[test]
fn honest_bundles_hold() {
    let redacted = Request {
        target: Some("bank".to_owned()),
        ..ask(20, 1_000_000)
    };
    let mut empty = Scene::new();
    empty.start();
    let cases = [
        (rich(), all()),
        (rich(), ask(20, 1_000_000)),
        (rich(), redacted),
        (empty, all()),
    ];
    for (scene, request) in cases {
        let files = unzip(&scene.build(&request).0);
        let (holds, said) = run(&files);
        assert!(holds, "{request:?}: {said}");
        for part in ["2.1 ", "2.2 ", "2.3 ", "2.4 ", "2.5 ", "2.6 "] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("NOT WHOLE"), "{said}");
        if scene.entries.len() > 1 {
            for word in [
                "SHA256:",
                "Good \"countersign-approval\" signature for carol",
            ] {
                assert!(said.contains(word), "{word}: {said}");
            }
        }
    }
}

#[test]
fn what_was_changed_after_it_was_signed_fails() {
    let files = unzip(&rich().build(&all()).0);
    let mut changed = files.clone();
    *at(&mut changed, "population/sessions.csv")
        .last_mut()
        .unwrap() ^= 1;
    bad(&changed, "./population/sessions.csv: FAILED");
    let mut changed = files.clone();
    changed.push(("samples/more.txt".to_owned(), b"x".to_vec()));
    bad(&changed, "> ./samples/more.txt");
    let mut changed = files.clone();
    changed.retain(|(path, _)| path != layout::CONTEXT);
    bad(&changed, "context.jsonl");
    let mut changed = files.clone();
    let manifest = at(&mut changed, layout::MANIFEST);
    let place = manifest.len() / 2;
    manifest[place] = if manifest[place] == b'A' { b'B' } else { b'A' };
    assert!(!run(&changed).0);
    // Another's key, and all made anew: the key from elsewhere tells.
    let mut changed = files;
    *at(&mut changed, layout::LOG_KEY) = format!("{}\n", other_key().verifier()).into_bytes();
    assert!(!run(&unzip(&resign(&changed, &other_key()))).0);
}

#[test]
fn what_was_signed_again_with_the_right_key_fails_against_the_log() {
    let files = unzip(&rich().build(&all()).0);
    let changed = |files: &Files, path: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = files.clone();
        change(at(&mut changed, path));
        unzip(&resign(&changed, &key()))
    };
    let with = |path: &str, change: &dyn Fn(&mut Vec<u8>)| changed(&files, path, change);
    let entries = "integrity/tlog/tile/entries/000";
    let backdated = with(entries, &|bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let place = text.rfind("2026-03-01").unwrap();
        bytes[place..place + 10].copy_from_slice(b"2026-02-01");
    });
    bad(&backdated, "is another in the log");
    let cut = with(entries, &|bytes| {
        let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        bytes.drain(..length + 2);
    });
    bad(&cut, "is another in the log");
    bad(
        &with("integrity/tlog/tile/0/000", &|bytes| bytes.swap(0, 40)),
        "do not give the root",
    );
    bad(
        &with("samples/sample_001/recording.rec", &|bytes| bytes[30] ^= 1),
        "is not what the log has",
    );
    bad(
        &with("samples/sample_001/event.json", &|bytes| bytes[20] ^= 1),
        "does not prove its event.json",
    );
    bad(
        &with(layout::METHOD, &|bytes| {
            let text = String::from_utf8_lossy(bytes).replace("2026-Q1", "2026-Q2");
            *bytes = text.into_bytes();
        }),
        "AssertionError",
    );
    let start = ledger::Checkpoint::sign(super::scene::ORIGIN, 12, key_root(), &key()).unwrap();
    let start = start.note().as_bytes().to_vec();
    let files = unzip(&rich().build(&ask(20, 1_000_000)).0);
    let start = changed(&files, layout::CHECKPOINT_START, &|bytes| {
        bytes.clone_from(&start)
    });
    bad(&start, "not a prefix");
}

fn key_root() -> ledger::Hash {
    ledger::tree::leaf_hash(b"another beginning")
}

/// Somebody with the log's key writes another log: the people's signatures are not theirs to make.
#[test]
fn a_verdict_made_up_fails_against_the_peoples_keys() {
    let mut scene = rich();
    let given = scene
        .entries
        .iter_mut()
        .find_map(|entry| match &mut entry.event {
            Event::ApprovalGiven { statement, .. } => Some(statement),
            _ => None,
        });
    let statement = given.unwrap();
    *statement = statement.replace("4711", "4712");
    let files = unzip(&scene.build(&all()).0);
    bad(&files, "Signature verification failed");
}
