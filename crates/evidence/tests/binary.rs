//! The verifier as people call it: exit codes, verdicts, help, JSON.

#![expect(clippy::unwrap_used, reason = "a test says by panicking that it fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use evidence::{PlainTranscripts, Recordings, Request, Sources, build};
use ledger::{Durability, Log, Options, Reader, SigningKey};
use model::{Digest, Entry, Event, Identity, Proof, Started, Timestamp};
use recording::SessionKey;
use tempfile::TempDir;

struct Nothing;

impl Recordings for Nothing {
    fn sealed(&self, _: &str) -> io::Result<Option<Box<dyn Read>>> {
        Ok(None)
    }

    fn key(&self, _: &str) -> io::Result<Option<SessionKey>> {
        Ok(None)
    }
}

fn time(seconds: i64) -> Timestamp {
    let begin = Timestamp::parse("2026-03-01T00:00:00Z").unwrap();
    begin.plus_micros(seconds * 1_000_000)
}

fn key() -> SigningKey {
    SigningKey::from_seed("example.com/log", &[7; 32]).unwrap()
}

fn entries() -> Vec<Entry> {
    let started = Event::Started(Started {
        version: "0.1.0".to_owned(),
        durability: "sync".to_owned(),
        config: Digest::of(&[b"config"]),
        // The version of an empty set of policies.
        policy: Digest::of(&[]),
        policy_files: Vec::new(),
        targets: Vec::new(),
        issuers: Vec::new(),
    });
    let heartbeat = || Event::Heartbeat {
        sessions: 0,
        durability: "sync".to_owned(),
    };
    let beats = (1..300).map(|minute| (60 * minute, heartbeat()));
    std::iter::once((0, started))
        .chain(beats)
        .map(|(at, event)| Entry {
            at: time(at),
            event,
        })
        .collect()
}

fn builder() -> Identity {
    Identity {
        human: "erin".to_owned(),
        agent: None,
        groups: BTreeSet::new(),
        proof: Proof {
            issuer: "https://id.example.com".to_owned(),
            subject: "erin".to_owned(),
            token_id: None,
            key_id: None,
            expires: time(86_400),
        },
    }
}

/// A folder with `bundle.zip`, and `ledger.pub` beside it.
fn bundle() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        origin: "example.com/log".to_owned(),
        key: key(),
        durability: Durability::Interval(Duration::from_millis(1)),
        integrate_every: Duration::from_secs(3_600),
    };
    let path = folder.path().join("log");
    let log = Log::open(&path, options).unwrap();
    for entry in entries() {
        log.append(entry.encode().unwrap()).wait().unwrap();
    }
    log.close().unwrap();
    let reader = Reader::open(&path, Some(key().verifier())).unwrap();
    let request = Request {
        from: time(0),
        to: time(86_400),
        target: None,
        seed: "seed".to_owned(),
        samples: 5,
    };
    let sources = Sources {
        log: &reader,
        key: &key(),
        recordings: &Nothing,
        policies: &|_| None,
        transcripts: &PlainTranscripts,
        people: &BTreeMap::new(),
        targets: &[],
        spool: folder.path(),
        now: time(86_400),
        builder: &builder(),
        version: "0.1.0",
    };
    let mut bytes = Cursor::new(Vec::new());
    build(&request, &sources, &mut bytes, &mut |_| {}).unwrap();
    fs::write(folder.path().join("bundle.zip"), bytes.into_inner()).unwrap();
    let public = format!("{}\n", key().verifier());
    fs::write(folder.path().join("ledger.pub"), public).unwrap();
    folder
}

/// Exit code, standard output, standard error.
fn call(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign-verify"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_good_bundle_is_0() {
    let folder = bundle();
    let (code, out, err) = call(folder.path(), &["bundle.zip", "--key", "ledger.pub"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.ends_with("\nGOOD: all 20 checks hold\n"), "{out}");
    assert!(
        out.contains("example.com/log") && out.contains("all 300 from 0 to 300"),
        "{out}"
    );
    assert!(!out.contains('\x1b'), "colour is for terminals: {out}");
    let key = key().verifier().to_string();
    for arguments in [
        &["bundle.zip", "-q", "--key", &key][..],
        &["--quiet", "--key=ledger.pub", "bundle.zip"],
    ] {
        let (code, out, _) = call(folder.path(), arguments);
        assert_eq!(
            (code, out.as_str()),
            (Some(0), "GOOD: all 20 checks hold\n")
        );
    }
    // That nobody vouches for the key stands in the verdict itself.
    let (code, out, _) = call(folder.path(), &["bundle.zip", "-q", "--color=always"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        out,
        "\x1b[1;32mGOOD\x1b[0m: all 20 checks hold, with the key that the bundle brought itself\n"
    );
}

#[test]
fn a_bad_bundle_is_1_and_says_what_and_where() {
    let folder = bundle();
    let path = folder.path().join("bundle.zip");
    let mut bytes = fs::read(&path).unwrap();
    let name = b"integrity/tlog/tile/0/000";
    let at = bytes.windows(name.len()).position(|part| part == name);
    bytes[at.unwrap() + name.len() + 5] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (code, out, _) = call(folder.path(), &["bundle.zip", "--key", "ledger.pub", "-q"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.contains("FAIL") && out.contains("integrity/tlog/tile/0/000"),
        "{out}"
    );
    assert!(out.lines().last().unwrap().starts_with("BAD: "), "{out}");
    assert!(!out.contains("ok  "), "{out}");
    let (code, out, _) = call(folder.path(), &["bundle.zip", "--json"]);
    assert_eq!(code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["verdict"], "bad");
    let mut checks = report["checks"].as_array().unwrap().iter();
    let failed = checks.find(|check| check["ok"] == false).unwrap();
    assert_eq!(failed["place"], "integrity/tlog/tile/0/000");
    // Against another's key.
    let folder = bundle();
    let other = SigningKey::from_seed("example.com/log", &[8; 32]).unwrap();
    let other = other.verifier().to_string();
    let (code, out, _) = call(folder.path(), &["bundle.zip", "--key", &other]);
    assert!(code == Some(1) && out.contains("the key differs"), "{out}");
}

#[test]
fn what_cannot_be_read_and_what_cannot_be_meant_is_2() {
    let folder = bundle();
    fs::write(folder.path().join("text"), "hello").unwrap();
    let (code, out, _) = call(folder.path(), &["text"]);
    assert!(code == Some(2) && out.contains("UNREADABLE"), "{out}");
    for (arguments, why) in [
        (&[][..], "which bundle?"),
        (&["absent.zip"], "absent.zip: No such file"),
        (&["bundle.zip", "other.zip"], "one bundle at a time"),
        (&["bundle.zip", "--frob"], "--frob is not an option"),
        (&["bundle.zip", "--key"], "--key wants a value"),
        (
            &["bundle.zip", "--key", "/nope"],
            "--key /nope is neither a verifier key (<name>+<8 hex digits>+<base64>) nor a file that can be read: No such file",
        ),
        (&["bundle.zip", "--key", "text"], "text: "),
        (
            &["bundle.zip", "--allowed-signers", "no"],
            "no: No such file",
        ),
        (&["bundle.zip", "--quiet=yes"], "--quiet takes no value"),
        (&["bundle.zip", "--color", "maybe"], "always, never or auto"),
    ] {
        let (code, out, err) = call(folder.path(), arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
        assert!(
            err.starts_with("countersign-verify: ") && err.contains(why),
            "{why}: {err}"
        );
    }
}

#[test]
fn help_has_examples_and_the_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    for flag in ["-h", "--help"] {
        let (code, out, err) = call(folder.path(), &[flag]);
        assert_eq!((code, err.as_str()), (Some(0), ""));
        for word in ["usage: ", "examples:", "exit code:", "--allowed-signers"] {
            assert!(out.contains(word), "{word}: {out}");
        }
        assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
    }
    let (code, out, _) = call(folder.path(), &["--version"]);
    let version = concat!("countersign-verify ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!((code, out.as_str()), (Some(0), version));
}
