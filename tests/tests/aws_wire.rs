//! How requests come: bodies that are announced and wait to be asked for, and buckets that are named by the host.

#![allow(
    clippy::disallowed_types,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tests::lake;
use tests::raw::{Raw, exchange};
use tests::{Config, Gateway, Person, S3};

const CLOSED: &str = r#"
@id("closed")
forbid (principal, action == Aws::Action::"write", resource is Aws::Object)
when { resource.key like "closed/*" };
"#;

fn scene(configure: impl Fn(Config) -> Config) -> (S3, Gateway, Raw, Person) {
    let bob = Person::new("bob");
    let (server, gateway) = lake::of_s3(|config| {
        let config = lake::in_clear(config).person(&bob);
        let config = config.policy("20-gates.cedar", lake::GATED);
        configure(config.policy("30-closed.cedar", CLOSED))
    });
    let raw = Raw::of(&gateway, "lake", &[]);
    (server, gateway, raw, bob)
}

const LENGTH: usize = 100_000;

/// An upload whose client waits to be told that its body is wanted. Gives the first lines of the answers and the body of the
/// last; its own body is sent where it is asked for.
fn announced(raw: &Raw, key: &str) -> (Vec<String>, String) {
    let body = vec![b'a'; LENGTH];
    let length = LENGTH.to_string();
    let fields = [
        ("content-length", length.as_str()),
        ("expect", "100-continue"),
    ];
    let request = raw.signed("s3", "PUT", &format!("/lake/{key}"), &fields, &body);
    let head = &request[..request.len() - LENGTH];
    let mut stream = TcpStream::connect(raw.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream.write_all(head).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let status = head[0].clone();
        lines.push(status.clone());
        if status.starts_with("HTTP/1.1 100") {
            stream.write_all(&body).unwrap();
            continue;
        }
        let length = head.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is = name.eq_ignore_ascii_case("content-length");
            is.then(|| value.trim().parse::<u64>().ok())?
        });
        let mut said = String::new();
        reader
            .take(length.unwrap_or(0))
            .read_to_string(&mut said)
            .unwrap();
        return (lines, said);
    }
}

#[test]
fn a_body_is_asked_for_when_it_may_go() {
    let (server, _gateway, raw, _) = scene(|config| config);
    let (heads, _) = announced(&raw, "open");
    assert_eq!(heads, ["HTTP/1.1 100 Continue", "HTTP/1.1 200 OK"]);
    let stored = fs::read(server.folder().join("lake/open")).unwrap();
    assert_eq!(stored.len(), LENGTH);
}

#[test]
fn a_body_that_may_not_go_is_not_asked_for() {
    let (_server, _gateway, raw, _) = scene(|config| config);
    let (heads, said) = announced(&raw, "closed/a");
    assert_eq!(heads, ["HTTP/1.1 403 Forbidden"], "{said}");
    // Nor is that of a request whose signature is wrong.
    let (heads, said) = announced(&raw.with_secret("guess"), "open");
    assert_eq!(heads, ["HTTP/1.1 403 Forbidden"], "{said}");
}

/// What an upload carries is looked at only where that could still permit it.
#[test]
fn a_body_that_may_not_go_whatever_it_carries_is_not_asked_for() {
    let (_server, _gateway, raw, _) =
        scene(|config| config.policy("30-screened.cedar", lake::SCREENED));
    let (heads, said) = announced(&raw, "closed/a");
    assert_eq!(heads, ["HTTP/1.1 403 Forbidden"], "{said}");
    let (heads, said) = announced(&raw, "open");
    assert_eq!(
        heads,
        ["HTTP/1.1 100 Continue", "HTTP/1.1 200 OK"],
        "{said}"
    );
}

#[test]
fn a_body_is_not_asked_for_before_people_have_decided() {
    let (server, gateway, raw, bob) = scene(|config| config.set(&["aws", "hold"], "300ms"));
    let (heads, said) = announced(&raw, "ledger/a");
    assert_eq!(heads, ["HTTP/1.1 403 Forbidden"], "{said}");
    let mut words = said.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let approval = words.find(|word| word.starts_with("cs-")).unwrap();
    gateway
        .give("approve", approval, &bob, &["stewards"])
        .success();
    // What was approved is this request, in whatever way it travels.
    let (heads, said) = announced(&raw, "ledger/a");
    assert_eq!(
        heads,
        ["HTTP/1.1 100 Continue", "HTTP/1.1 200 OK"],
        "{said}"
    );
    assert!(server.folder().join("lake/ledger/a").exists());
}

/// As clients do that write the bucket before the host's name.
fn by_host(raw: &Raw, host: &str, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    let own = [("host", host), ("content-length", length.as_str())];
    raw.signed("s3", method, path, &own, body)
}

#[test]
fn buckets_are_named_by_the_host_too() {
    let closed = r#"@id("vault") forbid (principal, action, resource) when { resource in Aws::Bucket::"vault" };"#;
    let (server, _gateway, raw, _) = scene(|config| {
        let config = config.set(&["aws", "host"], "gw.example");
        config.policy("30-vault.cedar", closed)
    });
    fs::create_dir(server.folder().join("vault")).unwrap();
    let send = |host: &str, method: &str, path: &str, body: &[u8]| {
        exchange(raw.address, &by_host(&raw, host, method, path, body), false)
    };
    assert_eq!(
        send("lake.gw.example", "PUT", "/a/b", b"content").status,
        200
    );
    let stored = fs::read(server.folder().join("lake/a/b")).unwrap();
    assert_eq!(stored, b"content");
    assert_eq!(
        send("LAKE.gw.example:8481", "GET", "/a/b", b"").text(),
        "content"
    );
    assert_eq!(
        send("gw.example", "GET", "/lake/a/b", b"").text(),
        "content"
    );
    // Another host names no bucket, so the path does.
    assert_eq!(
        send("lake.gw.example.org", "GET", "/lake/a/b", b"").status,
        200
    );
    for (host, path) in [
        ("vault.gw.example", "/a"),
        ("gw.example", "/vault/a"),
        ("lake.gw.example", "/../vault/a"),
        ("lake.gw.example", "/%2e%2e/vault/a"),
        (".gw.example", "/vault/a"),
        ("lake/.gw.example", "/a"),
    ] {
        let status = send(host, "PUT", path, b"x").status;
        assert!((400..500).contains(&status), "{host}{path}: {status}");
    }
    let vault: Vec<_> = fs::read_dir(server.folder().join("vault"))
        .unwrap()
        .collect();
    assert!(vault.is_empty(), "{vault:?}");
}
