//! The clients that people have, against an S3 server that verifies what the gateway signs, over TLS.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use std::fs;

use serde_json::{Value, json};
use tests::{Agent, lake};

const SECRET: &str = "plain\npan 4111111111111111\n";
const SHOWN: &str = "plain\npan ************1111\n";

#[test]
fn boto3_works_against_a_server_that_verifies() {
    let (server, gateway) = lake::of_s3(|config| config);
    let agent = Agent::new(&gateway, "lake", &[]);
    let results = agent.s3_cases(&server).success().json_lines().remove(0);
    let shown = "pan **** **** **** 1111, ssn ***-**-4399, mail ****@example.com\n";
    assert_eq!(
        results,
        json!({
            "sent": ["STREAMING-UNSIGNED-PAYLOAD-TRAILER"],
            "keys": true,
            "plus": [200, "plus"],
            "listed": true,
            "head": [5, {"of": "test"}],
            "climbs": [403, 403],
            "small": ["", "", "1"],
            "noise": [true, ["AccessDenied", 403]],
            "clear": [12_900_000, true, true, true],
            "dirty": {
                "stored": true,
                "length": true,
                "shown": shown,
                "same in every line": true,
                "parallel": true,
                "parts": true,
                "end": true,
            },
            "copied": "ünï/cödé €",
            "presigned": ["with space", 200, "by url"],
            "deleted": [["a//b", "quote'\""], ["NoSuchKey", 404]],
            "sha256": true,
        })
    );
}

#[test]
fn the_aws_cli_works_against_a_server_that_verifies() {
    let (server, gateway) = lake::of_s3(|config| config);
    let agent = Agent::new(&gateway, "lake", &[]);
    let here = gateway.config().directory();
    let clear = "a line of a report\n".repeat(700_000);
    fs::write(here.join("clear.txt"), &clear).unwrap();
    fs::write(here.join("secret.txt"), SECRET).unwrap();
    for (from, to) in [
        ("clear.txt", "s3://lake/in parts/ünï.txt"),
        ("secret.txt", "s3://lake/secret.txt"),
        ("s3://lake/in parts/ünï.txt", "clear.back"),
        ("s3://lake/secret.txt", "secret.back"),
        ("s3://lake/secret.txt", "s3://lake/copy.txt"),
    ] {
        agent
            .cli(&["s3", "cp", "--no-progress", from, to])
            .success();
    }
    assert!(fs::read_to_string(here.join("clear.back")).unwrap() == clear);
    assert_eq!(fs::read_to_string(here.join("secret.back")).unwrap(), SHOWN);
    let stored = |key: &str| fs::read_to_string(server.folder().join("lake").join(key)).unwrap();
    assert!(stored("in parts/ünï.txt") == clear);
    // The server copies; nothing masked comes into it.
    assert_eq!(stored("copy.txt"), SECRET);

    let get = [
        "s3api",
        "get-object",
        "--bucket",
        "lake",
        "--key",
        "secret.txt",
    ];
    agent
        .cli(&[&get[..], &["--range", "bytes=10-25", "part"]].concat())
        .success();
    assert_eq!(
        fs::read_to_string(here.join("part")).unwrap(),
        SHOWN[10..26]
    );
    let listed = agent
        .cli(&["s3", "ls", "--recursive", "s3://lake/"])
        .success();
    assert_eq!(listed.stdout.lines().count(), 3, "{}", listed.stdout);
    agent.cli(&["s3", "rm", "s3://lake/copy.txt"]).success();
    agent.cli(&["s3", "sync", "s3://lake/", "mirror"]).success();
    assert_eq!(
        fs::read_to_string(here.join("mirror/secret.txt")).unwrap(),
        SHOWN
    );
    assert!(!here.join("mirror/copy.txt").exists());
}

#[test]
fn the_sdk_for_javascript_works_unchanged() {
    let (_server, gateway) = lake::of_s3(|config| config);
    let agent = Agent::new(&gateway, "lake", &[]);
    for environment in [&[][..], &[("S3_HTTP2", "1")]] {
        let output = agent.node("s3_cases.js", environment).success();
        let results = output.json_lines().remove(0);
        assert_eq!(results, of_javascript(), "{environment:?}");
    }
}

/// What it does, over HTTP/1.1 and HTTP/2 alike.
fn of_javascript() -> Value {
    json!({
        "whole": SHOWN,
        "part": {"body": "plain\npan ", "range": "bytes 0-9/27"},
        "masked": {"body": "n ****", "range": "bytes 8-13/27"},
        "empty": "",
        "head": [27, true],
        "copied": SHOWN,
        "listed": ["js/copy", "js/empty", "js/ünï +.txt"],
        "deleted": ["js/copy", "js/empty"],
        "many": SHOWN[..20].repeat(2),
        "refused": ["AccessDenied", 403],
    })
}

#[test]
fn s3cmd_works() {
    let (server, gateway) = lake::of_s3(|config| config);
    let agent = Agent::new(&gateway, "lake", &[]);
    let here = gateway.config().directory();
    let clear = "a line of a report\n".repeat(1_000_000);
    fs::write(here.join("clear.txt"), &clear).unwrap();
    fs::write(here.join("secret.txt"), SECRET).unwrap();
    agent
        .s3cmd(&[
            "put",
            "--multipart-chunk-size-mb=5",
            "clear.txt",
            "s3://lake/with space.txt",
        ])
        .success();
    agent.s3cmd(&["put", "secret.txt", "s3://lake/"]).success();
    agent
        .s3cmd(&["get", "s3://lake/with space.txt", "clear.back"])
        .success();
    agent
        .s3cmd(&["get", "s3://lake/secret.txt", "secret.back"])
        .success();
    assert!(fs::read_to_string(here.join("clear.back")).unwrap() == clear);
    assert_eq!(fs::read_to_string(here.join("secret.back")).unwrap(), SHOWN);
    // It goes on where a download broke off.
    fs::write(here.join("begun"), &SHOWN[..12]).unwrap();
    agent
        .s3cmd(&["get", "--continue", "s3://lake/secret.txt", "begun"])
        .success();
    assert_eq!(fs::read_to_string(here.join("begun")).unwrap(), SHOWN);
    let listed = agent.s3cmd(&["ls", "s3://lake/"]).success().stdout;
    assert!(listed.contains("s3://lake/with space.txt"), "{listed}");
    agent
        .s3cmd(&["cp", "s3://lake/secret.txt", "s3://lake/copy.txt"])
        .success();
    agent.s3cmd(&["del", "s3://lake/secret.txt"]).success();
    let stored = server.folder().join("lake");
    assert_eq!(fs::read_to_string(stored.join("copy.txt")).unwrap(), SECRET);
    assert!(!stored.join("secret.txt").exists());
    let public = agent.s3cmd(&["put", "--acl-public", "secret.txt", "s3://lake/open"]);
    assert!(public.failure().stderr.contains("403"));
}

#[test]
fn rclone_works() {
    let (server, gateway) = lake::of_s3(|config| config);
    let agent = Agent::new(&gateway, "lake", &[]);
    let here = gateway.config().directory();
    fs::create_dir(here.join("tree")).unwrap();
    let clear = "a line of a report\n".repeat(700_000);
    fs::write(here.join("tree/clear ünï+.txt"), &clear).unwrap();
    fs::write(here.join("tree/secret.txt"), SECRET).unwrap();
    fs::write(here.join("tree/empty"), "").unwrap();
    let chunks = ["--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M"];
    agent
        .rclone(&[&["copy", "tree", "gw:lake/tree"][..], &chunks].concat())
        .success();
    let stored = server.folder().join("lake/tree");
    assert!(fs::read_to_string(stored.join("clear ünï+.txt")).unwrap() == clear);
    agent.rclone(&["copy", "gw:lake/tree", "back"]).success();
    assert!(fs::read_to_string(here.join("back/clear ünï+.txt")).unwrap() == clear);
    assert_eq!(
        fs::read_to_string(here.join("back/secret.txt")).unwrap(),
        SHOWN
    );
    assert_eq!(fs::read_to_string(here.join("back/empty")).unwrap(), "");
    let part = [
        "cat",
        "--offset",
        "10",
        "--count",
        "16",
        "gw:lake/tree/secret.txt",
    ];
    assert_eq!(agent.rclone(&part).success().stdout, SHOWN[10..26]);
    let listed = agent.rclone(&["lsf", "gw:lake/tree"]).success().stdout;
    assert_eq!(listed.lines().count(), 3, "{listed}");
    agent
        .rclone(&["moveto", "gw:lake/tree/secret.txt", "gw:lake/moved.txt"])
        .success();
    assert!(!stored.join("secret.txt").exists());
    agent.rclone(&["deletefile", "gw:lake/moved.txt"]).success();
    assert!(!server.folder().join("lake/moved.txt").exists());
}
