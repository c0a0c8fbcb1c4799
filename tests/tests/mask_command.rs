//! `countersign mask`: the engine over files and pipes.
#![allow(
    clippy::disallowed_types,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use serde_json::json;
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use tests::{Config, Gateway, Output, Postgres, countersign};

const TEXT: &str =
    "first line\nétat: mail ann@example.com, card 4111 1111 1111 1111\n\nssn 536-22-1234\n";
const MASKED: &str =
    "first line\nétat: mail ***@example.com, card **** **** **** 1111\n\nssn ***-**-1234\n";
const SECRETS: [&str; 3] = ["ann@", "4111", "536"];

fn mask(input: &str, arguments: &[&str]) -> Output {
    let mut command = countersign();
    command
        .arg("mask")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Arguments that it refuses end it before it reads.
    let written = child.stdin.take().unwrap().write_all(input.as_bytes());
    let refused = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    assert!(written.as_ref().err().is_none_or(refused), "{written:?}");
    let output = child.wait_with_output().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn files_and_standard_input_are_masked() {
    assert_eq!(mask(TEXT, &[]).success().stdout, MASKED);
    assert_eq!(mask(TEXT, &["-"]).success().stdout, MASKED);
    assert_eq!(mask("", &[]).success().stdout, "");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.log");
    std::fs::write(&file, TEXT).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(mask("", &[file]).success().stdout, MASKED);
    let missing = mask("", &["/nonexistent/app.log"]);
    assert_eq!(missing.code, Some(2));
    assert!(
        missing
            .stderr
            .contains("/nonexistent/app.log cannot be read"),
        "{missing:?}"
    );
}

#[test]
fn what_would_be_masked_is_explained_without_it() {
    let explained = mask(TEXT, &["--explain"]).success();
    let line = |line: u64, column: u64, class: &str, rule: &str| json!({"line": line, "column": column, "class": class, "rule": rule, "strategy": "partial"});
    assert_eq!(
        explained.json_lines(),
        [
            line(2, 12, "email", "email_address"),
            line(2, 34, "pan", "card_issuer_luhn"),
            line(4, 5, "us_ssn", "ssn_area_rules"),
        ]
    );
    let table = mask(TEXT, &["--explain", "--output", "table"]).success();
    assert_eq!(
        table.stdout.lines().next().unwrap(),
        "standard input:2:12: email, found by email_address: partial"
    );
    for output in [explained, table] {
        let leaked = SECRETS
            .iter()
            .find(|secret| output.stdout.contains(*secret));
        assert_eq!(leaked, None, "{output:?}");
    }
}

#[test]
fn places_are_right_however_far_in_the_text() {
    let filler = "nothing to see here é\n".repeat(20_000);
    let text = format!(
        "{filler}x 536-22-1234 {}\n536-22-1234",
        "é ".repeat(100_000)
    );
    let lines = mask(&text, &["--explain"]).success().json_lines();
    let places: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line["line"].as_u64().unwrap(),
                line["column"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(places, [(20_001, 3), (20_002, 1)]);
}

#[test]
fn a_hook_hears_whether_anything_was_found() {
    let found = mask(TEXT, &["--check"]);
    assert_eq!((found.code, found.stdout.as_str()), (Some(1), ""));
    let clean = mask("nothing here", &["--check"]);
    assert_eq!((clean.code, clean.stdout.as_str()), (Some(0), ""));
    let explained = mask(TEXT, &["--check", "--explain"]);
    assert_eq!(
        (explained.code, explained.stdout.lines().count()),
        (Some(1), 3)
    );
}

#[test]
fn classes_are_chosen_by_name() {
    let masked = mask(TEXT, &["--class", "us_ssn", "--class", "ip_address"]);
    assert_eq!(masked.success().stdout, TEXT.replace("536-22-", "***-**-"));
    let wrong = mask(TEXT, &["--class", "us_sn"]);
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.stderr.contains("pan, phone") && wrong.stdout.is_empty(),
        "{wrong:?}"
    );
}

#[test]
fn a_targets_own_way_is_the_gateways() {
    let database = Postgres::shared().database();
    let config = Config::bank(&database)
        .all_permitted()
        .set(&["targets", "bank", "strategies", "pan"], "hash")
        .set(&["targets", "bank", "find", "email"], false);
    let early = config.countersign_on(TEXT, &["mask", "--target", "bank"]);
    assert_eq!(early.code, Some(2));
    assert!(early.stderr.contains("mask.key"), "{early:?}");
    let unknown = config.countersign_on(TEXT, &["mask", "--target", "bnak"]);
    assert!(unknown.stderr.contains("there are bank"), "{unknown:?}");
    let stored = "CREATE TABLE said AS SELECT 'card 4111 1111 1111 1111' AS words";
    database.endpoint().psql(stored).success();
    let gateway = Gateway::start(config);
    let shown = gateway.bank().psql("SELECT words FROM said");
    let shown = shown.success().stdout;
    let masked = gateway
        .config()
        .countersign_on(TEXT, &["mask", "--target", "bank"]);
    let masked = masked.success().stdout;
    assert!(
        masked.contains("ann@example.com") && masked.contains("hash_"),
        "{masked}"
    );
    assert!(masked.contains(shown.trim()), "{masked}: {shown}");
}

#[test]
fn classes_of_ones_own_are_masked_too() {
    let database = Postgres::shared().database();
    let config = Config::bank(&database)
        .all_permitted()
        .set(&["classes", "customer", "pattern"], r"\bKD-\d{8}\b")
        .set(&["classes", "customer", "show_last"], 4);
    let text = "KD-12345678 of ann@example.com\n";
    for options in [&["mask", "--target", "bank"][..], &["mask"]] {
        let all = config.countersign_on(text, options).success().stdout;
        assert_eq!(all, "**-****5678 of ***@example.com\n", "{options:?}");
        let alone = [options, &["--class", "customer"]].concat();
        let alone = config.countersign_on(text, &alone).success().stdout;
        assert_eq!(alone, "**-****5678 of ann@example.com\n", "{options:?}");
        let wrong = [options, &["--class", "custmer"]].concat();
        let wrong = config.countersign_on(text, &wrong);
        assert_eq!(wrong.code, Some(2));
        assert!(wrong.stderr.contains("customer"), "{wrong:?}");
    }
}

#[test]
fn a_pipe_is_masked_as_it_comes() {
    let mut child = countersign()
        .arg("mask")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = child.stdout.take().unwrap();
    let line = "card 4111111111111111 of nobody\n";
    let masked = "card ************1111 of nobody\n";
    let (go_on, may_end) = mpsc::channel::<()>();
    let writing = thread::spawn(move || {
        input.write_all(line.repeat(32_768).as_bytes()).unwrap();
        may_end.recv().unwrap();
    });
    // All but what is held back comes before the end is known.
    let mut part = vec![0; line.len() * 28_672];
    output.read_exact(&mut part).unwrap();
    assert!(part == masked.repeat(28_672).as_bytes());
    go_on.send(()).unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(rest == masked.repeat(32_768 - 28_672));
    writing.join().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_header_of_csv_speaks_for_its_columns() {
    let rows = "id,dob,account_number\n1,1980-02-01,12345678\n2,,87654321\n";
    let masked = "id,dob,account_number\n1,****-**-**,********\n2,,********\n";
    assert_eq!(mask(rows, &[]).success().stdout, rows);
    assert_eq!(mask(rows, &["--csv"]).success().stdout, masked);
    assert_eq!(mask(rows, &["--csv", "--check"]).code, Some(1));
    assert_eq!(mask("a,b\n1,2\n", &["--csv", "--check"]).code, Some(0));
    let explained = mask(rows, &["--csv", "--explain"]).success().stdout;
    let facts: Vec<serde_json::Value> = explained
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        facts,
        [
            json!({"column": "dob", "class": "date_of_birth", "rule": "birth_context", "strategy": "partial", "count": 1}),
            json!({"column": "account_number", "class": "us_bank_account", "rule": "bank_account_context",
                   "strategy": "partial", "count": 2}),
        ]
    );
    let torn = mask("a,b\n1\n", &["--csv"]);
    assert_eq!(torn.code, Some(2));
    assert!(torn.stderr.contains("row 2"), "{}", torn.stderr);
}
