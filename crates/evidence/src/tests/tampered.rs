//! What somebody without the log's key can do to a bundle: every change is found, and named.

use std::io::Cursor;

use super::scene::{all, check, key, other_key, people, resign, rezip, rich, unzip};
use crate::Request;
use crate::bundle::layout;
use crate::verify::{Options, Report, Verdict, verify};

type Files = Vec<(String, Vec<u8>)>;

fn bundle() -> Files {
    unzip(&rich().build(&all()).0)
}

fn at<'f>(files: &'f mut Files, path: &str) -> &'f mut Vec<u8> {
    &mut files
        .iter_mut()
        .find(|(name, _)| name == path)
        .unwrap_or_else(|| panic!("no {path}"))
        .1
}

fn places(report: &Report) -> Vec<String> {
    report
        .failed()
        .map(|check| format!("{}: {}: {}", check.name, check.place, check.detail))
        .collect()
}

/// Bad, and some failed check says all of `words`.
#[track_caller]
fn bad(report: &Report, words: &[&str]) {
    assert_ne!(report.verdict, Verdict::Good, "{words:?}");
    let places = places(report);
    assert!(
        places
            .iter()
            .any(|place| words.iter().all(|word| place.contains(word))),
        "{words:?}: {places:#?}"
    );
}

/// One changed byte in every file, at its begin, middle and end.
#[test]
fn a_flipped_byte_is_found_and_its_file_named() {
    let files = bundle();
    for (number, (path, bytes)) in files.iter().enumerate() {
        for place in [
            0,
            bytes.len() / 3,
            bytes.len() / 2,
            bytes.len().saturating_sub(1),
        ] {
            if bytes.is_empty() {
                continue;
            }
            let mut changed = files.clone();
            changed[number].1[place] ^= 0x01;
            bad(&check(&rezip(&changed)), &[path]);
        }
    }
}

/// The same, where whoever changed it made index and manifest anew; the log's key they do not have.
#[test]
fn signed_again_by_another_key_it_is_named_so() {
    let files = bundle();
    let mut changed = files.clone();
    *at(&mut changed, "population/sessions.csv") = b"session\r\n".to_vec();
    bad(
        &check(&resign(&changed, &other_key())),
        &["manifest", "the key differs"],
    );
    // Key file and all.
    *at(&mut changed, layout::LOG_KEY) = format!("{}\n", other_key().verifier()).into_bytes();
    bad(
        &check(&resign(&changed, &other_key())),
        &["key: ", "the key differs"],
    );
    // And without a key given, the checkpoints tell.
    let report = verify(
        Cursor::new(resign(&changed, &other_key())),
        &Options::default(),
    );
    bad(&report, &["checkpoints", "no signature is by a known key"]);
}

/// A whole log and bundle of another's making agree with themselves, and not with the key that was given.
#[test]
fn another_log_under_another_key_is_not_this_one() {
    let scene = rich();
    let (forged, _) = scene.build_signed_by(&all(), &other_key());
    let report = verify(Cursor::new(&forged), &Options::default());
    assert_eq!(
        report.verdict,
        Verdict::Good,
        "nobody was given to compare with"
    );
    bad(
        &check(&forged),
        &["the key differs", &key().verifier().to_string()],
    );
}

/// Every table, edited by somebody who has the log's key after all: the leaves tell.
#[test]
fn an_edited_table_is_found_even_when_signed_again_with_the_right_key() {
    let files = bundle();
    for table in crate::fold::Table::ALL {
        let mut changed = files.clone();
        let bytes = at(&mut changed, table.path());
        bytes.extend_from_slice(b"1,2,3\r\n");
        bad(
            &check(&resign(&changed, &key())),
            &["tables", table.path(), "more than"],
        );
    }
    let mut changed = files.clone();
    let text = String::from_utf8(at(&mut changed, "population/commands.csv").clone()).unwrap();
    *at(&mut changed, "population/commands.csv") = text.replace("DROP", "SHOW").into_bytes();
    bad(
        &check(&resign(&changed, &key())),
        &["population/commands.csv", "line 4", "DROP"],
    );
    let mut changed = files.clone();
    let text = String::from_utf8(at(&mut changed, layout::TOTALS).clone()).unwrap();
    *at(&mut changed, layout::TOTALS) = text
        .replace("\n  \"refused\": 2", "\n  \"refused\": 1")
        .into_bytes();
    bad(
        &check(&resign(&changed, &key())),
        &["control totals", "refused is 1, and the leaves give 2"],
    );
}

#[test]
fn a_file_more_or_less_is_found() {
    let files = bundle();
    let mut more = files.clone();
    more.push(("samples/notes.txt".to_owned(), b"hello".to_vec()));
    bad(
        &check(&rezip(&more)),
        &["samples/notes.txt", "not in the manifest"],
    );
    for (path, _) in &files {
        let less: Files = files
            .iter()
            .filter(|(name, _)| name != path)
            .cloned()
            .collect();
        bad(&check(&rezip(&less)), &[path]);
    }
}

/// Files that somebody with the log's key leaves out, with index and manifest to match.
#[test]
fn a_file_left_out_is_found_even_when_signed_again_with_the_right_key() {
    let files = bundle();
    let mut tried = 0;
    for (path, _) in &files {
        // These two are made anew.
        if path == layout::INDEX || path == layout::MANIFEST {
            continue;
        }
        tried += 1;
        let less: Files = files
            .iter()
            .filter(|(name, _)| name != path)
            .cloned()
            .collect();
        let report = check(&resign(&less, &key()));
        // A policy file may be gone, and then its digest is all there is: that is said.
        if path.starts_with(layout::POLICIES) {
            let said = |note: &String| note.contains("policy files");
            assert!(report.notes.iter().any(said), "{path}");
        } else {
            assert_eq!(report.verdict, Verdict::Bad, "{path}");
        }
    }
    assert!(tried > 60, "{tried}");
}

#[test]
fn leaves_deleted_reordered_or_cut_are_found() {
    let files = bundle();
    let entries = "integrity/tlog/tile/entries/000";
    let original = at(&mut files.clone(), entries).clone();
    let bundle: Vec<&[u8]> = ledger::tile::decode_entries(&original, 256).unwrap();
    let encode = |entries: &[&[u8]]| {
        let mut out = Vec::new();
        entries
            .iter()
            .for_each(|entry| ledger::tile::encode_entry(&mut out, entry).unwrap());
        out
    };
    let with = |bytes: Vec<u8>| {
        let mut changed = files.clone();
        *at(&mut changed, entries) = bytes;
        check(&resign(&changed, &key()))
    };
    let mut swapped = bundle.clone();
    swapped.swap(7, 8);
    bad(&with(encode(&swapped)), &["leaves", "leaf 7"]);
    let mut doubled = bundle.clone();
    doubled[9] = bundle[8];
    bad(&with(encode(&doubled)), &["leaves", "leaf 9"]);
    bad(&with(encode(&bundle[..255])), &["leaves", entries]);
    bad(
        &with(original[..original.len() - 1].to_vec()),
        &["leaves", entries],
    );
    for leaf in [0, 1, 100, 255] {
        let text = String::from_utf8(bundle[leaf].to_vec())
            .unwrap()
            .replace("2026-03", "2026-02");
        let mut backdated = bundle.clone();
        backdated[leaf] = text.as_bytes();
        bad(
            &with(encode(&backdated)),
            &["leaves", &format!("leaf {leaf}")],
        );
    }
    // With hashes to match, the tree tells.
    let mut changed = files.clone();
    at(&mut changed, "integrity/tlog/tile/0/000").swap(0, 40);
    bad(&check(&resign(&changed, &key())), &["tree"]);
}

#[test]
fn a_redacted_bundle_is_held_to_its_leaves() {
    let request = Request {
        target: Some("bank".to_owned()),
        ..all()
    };
    let files = unzip(&rich().build(&request).0);
    let text = String::from_utf8(at(&mut files.clone(), layout::LEAVES).clone()).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let with = |text: String| {
        let mut changed = files.clone();
        *at(&mut changed, layout::LEAVES) = text.into_bytes();
        check(&resign(&changed, &key()))
    };
    bad(
        &with(lines[..lines.len() - 1].concat()),
        &["leaves", layout::LEAVES, "the file ends"],
    );
    bad(
        &with([&lines[..5], &lines[6..]].concat().concat()),
        &["leaves", "where leaf 5 is due"],
    );
    let digit = text.replacen("\"redacted\":\"A", "\"redacted\":\"B", 1);
    let digit = if digit == text {
        text.replacen("redacted\":\"", "redacted\":\"AA", 1)
    } else {
        digit
    };
    bad(&with(digit), &["leaves"]);
    // Hiding an entry of the very target behind its hash: what refers to it tells.
    let intent = lines.iter().position(|line| {
        use base64::Engine as _;
        let entry = line
            .split("\"entry\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let entry =
            entry.and_then(|entry| base64::engine::general_purpose::STANDARD.decode(entry).ok());
        entry.is_some_and(|entry| String::from_utf8_lossy(&entry).contains("\"type\":\"intent\""))
    });
    let intent = intent.unwrap();
    let hash = ledger::Hash::from_slice(
        &at(&mut files.clone(), "integrity/tlog/tile/0/000")[intent * 32..intent * 32 + 32],
    );
    let hidden = format!(
        "{{\"index\":{intent},\"redacted\":\"{}\"}}\n",
        hash.unwrap().to_base64()
    );
    let mut changed: Vec<&str> = lines.clone();
    changed[intent] = &hidden;
    bad(
        &with(changed.concat()),
        &["entries", &format!("command of leaf {intent}")],
    );
}

#[test]
fn checkpoints_and_consistency_are_held_to_the_tree() {
    let files = unzip(&rich().build(&super::scene::ask(20, 1_000_000)).0);
    let log = rich();
    let other = unzip(&log.build(&super::scene::ask(20, 1_000)).0);
    let mut changed = files.clone();
    *at(&mut changed, layout::CHECKPOINT) = at(&mut other.clone(), layout::CHECKPOINT).clone();
    bad(
        &check(&resign(&changed, &key())),
        &["checkpoints", layout::CHECKPOINT],
    );
    let mut changed = files.clone();
    let text = String::from_utf8(at(&mut changed, layout::CONSISTENCY).clone()).unwrap();
    let start = text.find("\"proof\": [\n    \"").unwrap() + 15;
    let mut bytes = text.into_bytes();
    bytes[start] = if bytes[start] == b'A' { b'B' } else { b'A' };
    *at(&mut changed, layout::CONSISTENCY) = bytes;
    bad(
        &check(&resign(&changed, &key())),
        &["consistency", layout::CONSISTENCY],
    );
    let mut changed = files.clone();
    let start =
        ledger::Checkpoint::sign(super::scene::ORIGIN, 12, ledger::tree::empty_root(), &key())
            .unwrap();
    let first = at(&mut changed, layout::CHECKPOINT_START).clone();
    assert!(String::from_utf8(first).unwrap().contains("\n12\n"));
    *at(&mut changed, layout::CHECKPOINT_START) = start.note().as_bytes().to_vec();
    bad(&check(&resign(&changed, &key())), &["tree", "another root"]);
    let mut changed = files.clone();
    at(&mut changed, layout::CONTEXT).retain(|byte| *byte != b'=');
    bad(
        &check(&resign(&changed, &key())),
        &["tree", layout::CONTEXT],
    );
}

#[test]
fn samples_are_held_to_their_leaves_even_when_signed_again_with_the_right_key() {
    let files = bundle();
    let samples: Vec<String> = files
        .iter()
        .map(|(path, _)| path.clone())
        .filter(|path| path.starts_with("samples/"))
        .collect();
    let mut tried = 0;
    for path in samples {
        // Made from sealed recordings: vouched for by the signature alone.
        if path.ends_with("transcript.txt") {
            continue;
        }
        let mut changed = files.clone();
        let bytes = at(&mut changed, &path);
        let middle = bytes.len() * 9 / 10;
        bytes[middle] ^= 1;
        let report = check(&resign(&changed, &key()));
        let named = report
            .failed()
            .any(|check| check.place.starts_with("samples/"));
        assert!(named, "{path}: {:?}", places(&report));
        tried += 1;
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn a_recording_changed_cut_or_replaced_is_found() {
    let files = bundle();
    let one = "samples/sample_001/recording.rec";
    let mut changed = files.clone();
    let length = at(&mut changed, one).len();
    at(&mut changed, one).truncate(length - 1);
    bad(
        &check(&resign(&changed, &key())),
        &["sample recordings", one, "cut off"],
    );
    let mut changed = files.clone();
    let second = at(&mut changed, "samples/sample_002/recording.rec").clone();
    *at(&mut changed, one) = second;
    bad(
        &check(&resign(&changed, &key())),
        &["sample recordings", one],
    );
    let mut changed = files.clone();
    at(&mut changed, one).extend_from_slice(b"more");
    bad(
        &check(&resign(&changed, &key())),
        &["sample recordings", one, "more than"],
    );
    let mut changed = files;
    at(&mut changed, one)[30] ^= 1;
    bad(
        &check(&resign(&changed, &key())),
        &["sample recordings", one, "chunk 0", "changed or replaced"],
    );
}

#[test]
fn other_policies_than_were_in_force_are_found() {
    let mut changed = bundle();
    let path = changed
        .iter()
        .map(|(path, _)| path.clone())
        .find(|path| path.starts_with(layout::POLICIES))
        .unwrap();
    at(&mut changed, &path).extend_from_slice(b"// \n");
    bad(&check(&resign(&changed, &key())), &["policies", &path]);
}

#[test]
fn peoples_keys_from_elsewhere_count_and_not_the_bundles() {
    let (bundle, _) = rich().build(&all());
    let mut others = people();
    others.insert("bob".to_owned(), others["carol"].clone());
    let options = Options {
        key: Some(key().verifier().clone()),
        allowed_signers: Some(crate::signers::write(&others)),
    };
    bad(
        &verify(Cursor::new(&bundle), &options),
        &["people's signatures", "leaf 10", "bob", "SHA256:"],
    );
}
