//! What no honest client sends and no honest target answers.

#![allow(
    clippy::disallowed_types,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

use std::io::{Read, Write};

use serde_json::json;
use tests::lake::{self, POLICIES};
use tests::raw::{Canned, Raw, Reply, exchange, sts};
use tests::{Config, Gateway, Moto};

/// Looks at what there is and not at what is in it.
const LISTS: &str = r#"
@id("use-lake")
permit (principal, action == Action::"access", resource == Target::"lake");
@id("lists")
permit (principal, action in [Aws::Action::"list", Aws::Action::"write"], resource);
"#;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

fn canned(answer: impl Into<Vec<u8>>, policies: &str) -> (Canned, Gateway) {
    lake::of_canned(answer, |config| config.policy("10-lake.cedar", policies))
}

#[test]
fn an_escaped_slash_makes_no_other_request_of_it() {
    let (target, gateway) = canned(OK, LISTS);
    let raw = Raw::of(&gateway, "lake", &[]);
    assert_eq!(raw.s3("GET", "/lake", &[], b"").status, 200);
    // Listing, making and removing buckets is allowed; reading objects is not.
    for (method, path) in [
        ("GET", "/lake%2Fsecret.txt"),
        ("GET", "/lake%2Fsecret/more.txt"),
        ("DELETE", "/lake%2fsecret.txt"),
        ("GET", "/lake/../vault"),
        ("GET", "/lake/%2e%2e/vault"),
    ] {
        let reply = raw.s3(method, path, &[], b"");
        assert_eq!(reply.status, 403, "{method} {path}: {}", reply.text());
    }
    assert_eq!(target.heads().len(), 1, "{:?}", target.heads());
}

#[test]
fn a_connection_takes_nothing_away_that_policy_was_asked_about() {
    let (target, gateway) = canned(OK, POLICIES);
    let raw = Raw::of(&gateway, "lake", &[]);
    let fields = [
        ("x-amz-copy-source", "lake/a"),
        ("connection", "x-amz-copy-source"),
    ];
    let reply = raw.s3("PUT", "/lake/b", &fields, b"");
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("Connection names fields"));
    let fields = [
        ("connection", "keep-alive"),
        ("x-http-method-override", "DELETE"),
    ];
    assert_eq!(raw.s3("GET", "/lake/b", &fields, b"").status, 200);
    let heads = target.heads();
    assert_eq!(heads.len(), 1);
    assert!(!heads[0].iter().any(|line| line.contains("override")));
}

#[test]
fn an_upload_that_opens_an_object_to_others_changes_permissions() {
    let (target, gateway) = canned(OK, POLICIES);
    let raw = Raw::of(&gateway, "lake", &[]);
    let refused = raw.s3("PUT", "/lake/a", &[("x-amz-acl", "public-read")], b"x");
    assert_eq!(refused.status, 403, "{}", refused.text());
    let kept = raw.s3("PUT", "/lake/a", &[("x-amz-acl", "private")], b"x");
    assert_eq!(kept.status, 200);

    // What stands in a presigned URL is a header to S3, and so it is here.
    let put = |target: &str| {
        let url = raw.presigned("PUT", target, 60);
        let to = raw.address;
        let request = format!("PUT {url} HTTP/1.1\r\nHost: {to}\r\nContent-Length: 1\r\n\r\nx");
        exchange(to, request.as_bytes(), false)
    };
    for target in [
        "/lake/a?x-amz-acl=public-read",
        "/lake/a?X-Amz-Acl=public-read",
        "/lake/a?x-amz-tagging=a%3Db",
    ] {
        assert_eq!(put(target).status, 403, "{target}");
    }
    assert_eq!(put("/lake/a?x-amz-meta-of=a%20test").status, 200);
    let heads = target.heads();
    let last = heads.last().unwrap();
    assert_eq!(heads.len(), 2);
    assert!(last[0].starts_with("PUT /lake/a HTTP/1.1"), "{last:?}");
    assert!(
        last.contains(&"x-amz-meta-of: a test".to_owned()),
        "{last:?}"
    );
}

#[test]
fn forms_that_nobody_signed_are_small_and_come_soon() {
    let target = Canned::start(OK);
    let config = Config::canned(&target)
        .policy("10-lake.cedar", POLICIES)
        .set(&["limits", "login"], "1s");
    let gateway = Gateway::start(config);
    let to = gateway.address("aws");
    let large = format!(
        "Action=AssumeRoleWithWebIdentity&WebIdentityToken={}",
        "x".repeat(70_000)
    );
    let reply = exchange(to, &sts(to, &large), false);
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("larger than the 65536 bytes"));

    let mut slow = sts(to, "Action=AssumeRoleWithWebIdentity");
    slow.truncate(slow.len() - 1);
    let reply = exchange(to, &slow, false);
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("took too long"), "{}", reply.text());
}

#[test]
fn lengths_that_cannot_be_are_refused() {
    let (target, gateway) = canned(OK, POLICIES);
    let raw = Raw::of(&gateway, "lake", &[]);
    for length in [
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "9007199254740993",
    ] {
        let fields = [
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
            ("x-amz-decoded-content-length", length),
            ("content-length", "5"),
        ];
        let request = raw.signed("s3", "PUT", "/lake/a", &fields, b"0\r\n\r\n");
        let reply = exchange(raw.address, &request, false);
        assert_eq!(reply.status, 400, "{length}: {}", reply.text());
    }
    assert!(target.heads().is_empty());
}

/// Whether it was known in time or not, nobody takes it for the whole.
fn breaks_off(reply: &Reply) -> bool {
    reply.status == 503 || reply.status == 200 && !reply.whole
}

#[test]
fn an_answer_that_breaks_off_is_no_answer() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (_target, gateway) = canned(chunked, POLICIES);
    let raw = Raw::of(&gateway, "lake", &[]);
    let reply = raw.s3("GET", "/lake/a", &[], b"");
    assert_eq!((reply.status, reply.whole), (503, true), "{reply:?}");

    let later = format!("{chunked}3\r\nabc\r\n");
    let (_target, gateway) = canned(later, POLICIES);
    let raw = Raw::of(&gateway, "lake", &[]);
    assert!(breaks_off(&raw.s3("GET", "/lake/a", &[], b"")));

    let (_, config) = gateway.stop();
    let outcomes = config.ledger();
    let outcomes = outcomes.events("outcome");
    assert_eq!(
        outcomes[0]["outcome"]["status"],
        json!({"stopped": "upstream_unavailable"})
    );
}

#[test]
fn a_length_that_is_a_lie_is_no_end() {
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
    let (_target, gateway) = canned(short, POLICIES);
    let raw = Raw::of(&gateway, "lake", &[]);
    assert!(breaks_off(&raw.s3("GET", "/lake/a", &[], b"")));
    // More than was asked for, or another part: nothing of it can be placed.
    for range in [
        "bytes 0-2/100",
        "bytes 5-7/6",
        "bytes */100",
        "lines 0-2/3",
        "bytes 20-22/100",
    ] {
        let part = format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: {range}\r\nContent-Length: 3\r\n\r\nabc"
        );
        let (_target, gateway) = canned(part, POLICIES);
        let raw = Raw::of(&gateway, "lake", &[]);
        let reply = raw.s3("GET", "/lake/a", &[("range", "bytes=10-12")], b"");
        assert_eq!(reply.status, 403, "{range}: {}", reply.text());
    }
}

#[test]
fn what_people_wrote_beside_an_object_is_masked_too() {
    let (_server, gateway) = lake::of_s3(lake::in_clear);
    let raw = Raw::of(&gateway, "lake", &[]);
    let fields = [
        ("x-amz-meta-of", "ssn 536-90-4399"),
        ("x-amz-meta-plain", "report 7"),
    ];
    let put = raw.s3("PUT", "/lake/a", &fields, b"nothing to hide");
    assert_eq!(put.status, 200, "{}", put.text());
    for method in ["GET", "HEAD"] {
        let reply = raw.s3(method, "/lake/a", &[], b"");
        assert_eq!(reply.status, 200, "{method}");
        assert_eq!(reply.field("x-amz-meta-of"), Some("ssn ***-**-4399"));
        assert_eq!(reply.field("x-amz-meta-plain"), Some("report 7"));
    }
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let masks = |it: &serde_json::Value| it["outcome"]["masks"].to_string();
    let hidden = ledger
        .events("outcome")
        .iter()
        .filter(|it| masks(it).contains("x-amz-meta-of"))
        .count();
    assert_eq!(hidden, 2);
}

#[test]
fn fields_of_an_answer_tell_no_more_than_its_body() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 20\r\nConnection: close\r\n\
                  x-amz-checksum-sha512: c2hhNTEy\r\nx-amz-checksum-xxhash64: eHhoYXNo\r\nx-amz-checksum-type: FULL_OBJECT\r\n\
                  x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:eu-central-1:1:key/k\r\n\
                  x-amz-version-id: 7\r\n\r\n4111111111111111 abc";
    let (_target, gateway) = canned(answer, POLICIES);
    let raw = Raw::of(&gateway, "lake", &[]);
    let got = raw.s3("GET", "/lake/a", &[], b"");
    assert_eq!(got.text(), "************1111 abc");
    let checksums: Vec<_> = got
        .fields
        .iter()
        .filter(|(name, _)| name.contains("checksum"))
        .collect();
    assert!(checksums.is_empty(), "{checksums:?}");
    assert_eq!(got.field("x-amz-version-id"), Some("7"));
    let key = got
        .field("x-amz-server-side-encryption-aws-kms-key-id")
        .unwrap();
    assert!(key.bytes().all(|byte| byte == b'*'), "{key}");

    // The end of a function's log comes in a field, in Base64.
    let log = "WARN card 4111111111111111 refused";
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, log);
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\
         X-Amz-Log-Result: {encoded}\r\n\r\n{{}}"
    );
    let (_target, gateway) = canned(answer, POLICIES);
    let raw = Raw::of(&gateway, "lake", &[]);
    let fields = [("x-amz-log-type", "Tail"), ("content-length", "2")];
    let invoke = raw.signed(
        "lambda",
        "POST",
        "/2015-03-31/functions/f/invocations",
        &fields,
        b"{}",
    );
    let reply = exchange(raw.address, &invoke, false);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let shown = reply.field("x-amz-log-result").unwrap_or_default();
    assert!(shown != encoded, "{shown}");
}

#[test]
fn keys_in_lists_are_searched_however_they_are_written() {
    let (server, gateway) = lake::of_s3(lake::in_clear);
    for name in ["card 4111 1111 1111 1111.txt", "jane@example.com"] {
        std::fs::write(server.folder().join("lake").join(name), "x").unwrap();
    }
    let raw = Raw::of(&gateway, "lake", &[]);
    for query in [
        "list-type=2",
        "list-type=2&encoding-type=url",
        "encoding-type=url",
    ] {
        let listed = raw.s3("GET", &format!("/lake?{query}"), &[], b"").text();
        assert!(listed.contains("<Key>"), "{query}: {listed}");
        for shown in ["4111 1111", "4111%201111", "4111+1111", "jane@", "jane%40"] {
            assert!(!listed.contains(shown), "{query}: {listed}");
        }
    }
}

#[test]
fn a_form_answered_in_json_is_not_read_as_xml() {
    let body = r#"{"CreateAccessKeyResponse":{"AccessKey":{"SecretAccessKey":"hunter2"}}}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let everything = format!(
        "{POLICIES}\n@id(\"iam\") permit (principal, action == Aws::Action::\"permissions\", resource);"
    );
    let (_target, gateway) = canned(answer, &everything);
    let raw = Raw::of(&gateway, "lake", &[]);
    let form = b"Action=CreateAccessKey&Version=2010-05-08&UserName=bot";
    let length = form.len().to_string();
    let fields = [
        ("accept", "application/json"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", length.as_str()),
    ];
    let reply = exchange(
        raw.address,
        &raw.signed("iam", "POST", "/", &fields, form),
        false,
    );
    assert_eq!(reply.status, 403, "{reply:?}");
    assert!(!reply.text().contains("hunter2"), "{reply:?}");
}

#[test]
fn requests_with_two_lengths_or_none_end_there() {
    let moto = Moto::start();
    let config = Config::aws(&moto).unset(&["aws", "tls"]);
    let gateway = Gateway::start(config.policy("10-lake.cedar", POLICIES));
    let raw = Raw::of(&gateway, "lake", &[]);
    let to = raw.address;
    let smuggled = format!("GET /lake/secret HTTP/1.1\r\nHost: {to}\r\n\r\n");
    for fields in [
        &[("content-length", "3"), ("content-length", "4")][..],
        &[("content-length", "3"), ("transfer-encoding", "chunked")],
        &[("transfer-encoding", "chunked, identity")],
        &[("transfer-encoding", "xchunked")],
    ] {
        let mut request = raw.signed("s3", "PUT", "/lake/a", fields, b"abc");
        request.extend_from_slice(smuggled.as_bytes());
        let mut stream = std::net::TcpStream::connect(to).unwrap();
        let _ = stream.write_all(&request);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(!answer.contains(" 200 "), "{fields:?}: {answer}");
    }
    assert_eq!(raw.s3("GET", "/", &[], b"").status, 200);
}
