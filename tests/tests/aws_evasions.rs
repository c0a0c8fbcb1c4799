//! Ways round masks, gates and evidence that were found once, and stay closed.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use std::fs;

use serde_json::Value;
use tests::lake::{self, SCREENED};
use tests::raw::{Raw, Reply, exchange, sending};
use tests::{Config, Gateway};

const DECLARED: &str = r#"{ bucket = "lake", prefix = "csv/", columns = { code = "staff_code" } }"#;
const CSV: &[u8] = b"id,code\n1,kiwi\n";

/// An answer with these fields and this body.
fn saying(status: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn s3(raw: &Raw, method: &str, target: &str, body: &[u8]) -> Reply {
    let (name, number) = sending();
    raw.s3(method, target, &[(name, &number)], body)
}

/// What a server does not know of a request it leaves away.
#[test]
fn a_subresource_that_the_target_does_not_know_shows_no_more_than_the_object() {
    let (_server, gateway) = lake::of_s3(|config| lake::objects(lake::in_clear(config), DECLARED));
    let raw = Raw::of(&gateway, "lake", &[]);
    assert_eq!(s3(&raw, "PUT", "/lake/csv/a.csv", CSV).status, 200);
    let plain = s3(&raw, "GET", "/lake/csv/a.csv", b"").text();
    assert_eq!(plain, "id,code\n1,****\n");
    let mut masked = 0;
    for query in [
        "annotation=&annotationName=x",
        "annotation=",
        "torrent=",
        "retention=",
        "legal-hold=",
        "acl=",
        "tagging=",
    ] {
        let reply = s3(&raw, "GET", &format!("/lake/csv/a.csv?{query}"), b"");
        let text = reply.text();
        assert!(!text.contains("kiwi"), "{query}: {text}");
        masked += usize::from(text == plain);
    }
    // The server of the tests does not know annotations.
    assert!(masked > 0);
    // The list of keys is none of these, with its digests.
    for query in ["abac=", "metadataConfiguration=", "session="] {
        let reply = s3(&raw, "GET", &format!("/lake?{query}"), b"");
        assert_ne!(reply.status, 200, "{query}: {}", reply.text());
    }
    assert!(s3(&raw, "GET", "/lake", b"").text().contains("csv/a.csv"));
}

/// Policy reveals whatever a detector finds, so that nothing is left to hide but what is declared.
#[test]
fn an_answer_that_is_none_of_its_operation_is_withheld_from_whoever_sees_all_else() {
    let found = r#"permit (principal, action == Action::"reveal", resource) unless { resource == DataClass::"staff_code" };"#;
    let open = |config: Config| lake::objects(config, DECLARED).policy("20-open.cedar", found);
    let csv = saying("200 OK", "Content-Type: text/csv\r\n", "id,code\n1,kiwi\n");
    let (_target, gateway) = lake::of_canned(csv, open);
    let raw = Raw::of(&gateway, "lake", &[]);
    for query in [
        "retention=",
        "legal-hold=",
        "acl=",
        "tagging=",
        "uploadId=x",
        "annotation=",
        "torrent=",
        "annotation=&annotationName=x",
    ] {
        let reply = s3(&raw, "GET", &format!("/lake/csv/a.csv?{query}"), b"");
        assert!(!reply.text().contains("kiwi"), "{query}: {}", reply.text());
    }
    let held = "<?xml version=\"1.0\"?>\n<LegalHold><Status>ON</Status></LegalHold>";
    let (_target, gateway) = lake::of_canned(
        saying("200 OK", "Content-Type: application/xml\r\n", held),
        open,
    );
    let raw = Raw::of(&gateway, "lake", &[]);
    let reply = s3(&raw, "GET", "/lake/csv/a.csv?legal-hold=", b"");
    assert_eq!((reply.status, reply.text()), (200, held.to_owned()));
}

#[test]
fn a_subresource_that_the_target_does_not_know_does_no_more_than_policy_permits() {
    let kept = r#"
@id("stays")
forbid (principal, action in [Aws::Action::"list", Aws::Action::"read", Aws::Action::"write"], resource) when {
    ["s3:PutObject", "s3:DeleteObject", "s3:DeleteBucket", "s3:CreateBucket", "s3:ListObjects"].contains(context.operation)
};
"#;
    let (server, gateway) =
        lake::of_s3(|config| lake::in_clear(config).policy("20-kept.cedar", kept));
    let raw = Raw::of(&gateway, "lake", &[]);
    let object = server.folder().join("lake/kept");
    fs::write(&object, "precious").unwrap();
    fs::create_dir(server.folder().join("empty")).unwrap();
    for (method, target) in [
        ("DELETE", "/lake/kept?annotation=&annotationName=x"),
        ("PUT", "/lake/kept?annotation=&annotationName=x"),
        ("PUT", "/lake/kept?encryption="),
        ("PUT", "/lake/kept?retention="),
        ("DELETE", "/empty?metadataConfiguration="),
        ("DELETE", "/empty?analytics=&id=x"),
        ("PUT", "/other?abac="),
        ("GET", "/lake?abac="),
    ] {
        let body = if method == "PUT" {
            &b"<A></A>"[..]
        } else {
            b""
        };
        let reply = s3(&raw, method, target, body);
        let text = reply.text();
        assert!(text.contains("stays"), "{method} {target}: {text}");
        assert_eq!(reply.status, 403, "{method} {target}");
    }
    assert_eq!(fs::read(&object).unwrap(), b"precious");
    assert!(server.folder().join("empty").is_dir());
}

const AUDIT: &str = "audit";

/// Everything is written and indexed after a new start.
fn again(gateway: Gateway) -> Gateway {
    let (_, config) = gateway.stop();
    Gateway::start(config)
}

fn audit(gateway: &Gateway, arguments: &[&str]) -> tests::Output {
    let token = gateway.token_in(None, "carol", &[AUDIT]);
    gateway.countersign_as(&token, arguments).success()
}

/// The session of somebody.
fn session_of(gateway: &Gateway, human: &str) -> String {
    let sessions = audit(gateway, &["sessions"]).json_lines();
    let of = sessions.iter().find(|it| it["human"] == human).unwrap();
    of["session"].as_str().unwrap().to_owned()
}

/// Whether a value was released in somebody's session, and in how many answers it may have been.
fn was_released(gateway: &Gateway, human: &str, value: &str) -> (Value, Value) {
    let session = session_of(gateway, human);
    let asked = ["evidence", "was-released", "--session", &session];
    let asked = [&asked[..], &["--reason", "ticket 4711", "--value", value]].concat();
    let told = audit(gateway, &asked).json_lines().remove(0);
    (told["released"].clone(), told["uncertain"].clone())
}

#[test]
fn what_is_revealed_to_somebody_leaves_a_trace() {
    let reveal = r#"
permit (principal in Group::"staff", action == Action::"reveal", resource);
permit (principal in Group::"names", action == Action::"reveal", resource == DataClass::"staff_code");
"#;
    let (server, gateway) = lake::of_s3(|config| {
        lake::objects(lake::in_clear(config), DECLARED)
            .policy("20-reveal.cedar", reveal)
            .set(&["roles", "auditors"], vec![AUDIT])
    });
    let folder = server.folder().join("lake");
    fs::create_dir(folder.join("csv")).unwrap();
    fs::write(folder.join("a.txt"), "ssn 078-05-1120\n").unwrap();
    fs::write(folder.join("csv/a.csv"), CSV).unwrap();
    let long = format!("{}\nssn 219-09-9999\n", "words and words\n".repeat(200_000));
    fs::write(folder.join("long.txt"), &long).unwrap();
    let of = |human: &str, group: &str| Raw::of_human(&gateway, "lake", human, &[group]);
    let get = |raw: &Raw, key: &str| s3(raw, "GET", &format!("/lake/{key}"), b"").text();
    for (human, group, shown) in [
        ("zoe", "staff", "ssn 078-05-1120\n"),
        ("zed", "names", "ssn ***-**-1120\n"),
    ] {
        let raw = of(human, group);
        assert_eq!(get(&raw, "a.txt"), shown);
        assert_eq!(get(&raw, "csv/a.csv").as_bytes(), CSV);
    }
    assert!(get(&of("yan", "staff"), "long.txt") == long);
    let gateway = again(gateway);
    let told = |human, value| {
        let (released, uncertain) = was_released(&gateway, human, value);
        (released.as_bool().unwrap(), uncertain.as_u64().unwrap())
    };
    assert_eq!(told("zoe", "078-05-1120"), (true, 0));
    assert_eq!(told("zoe", "078051120"), (true, 0));
    assert_eq!(told("zoe", "kiwi"), (true, 0));
    assert_eq!(told("zoe", "lime"), (false, 0));
    assert_eq!(told("zed", "078-05-1120"), (false, 0));
    assert_eq!(told("zed", "kiwi"), (true, 0));
    // What is longer than what is recorded was not searched.
    assert_eq!(told("yan", "219-09-9999"), (false, 1));

    let replay = |human: &str| {
        let session = session_of(&gateway, human);
        let asked = ["replay", &session, "--no-wait", "--reason", "ticket 4711"];
        audit(&gateway, &asked).stdout
    };
    let seen = replay("zoe");
    assert!(
        seen.contains("ssn ***-**-1120") && seen.contains("1,****"),
        "{seen}"
    );
    assert!(!seen.contains("kiwi"), "{seen}");
    assert!(replay("yan").contains("\"cut\""));
}

/// The edges of a part are masked by what is around it.
#[test]
fn a_part_without_what_is_around_it_is_withheld() {
    let half = saying(
        "206 Partial Content",
        "Content-Type: text/plain\r\nContent-Range: bytes 100004-100010/200000\r\n",
        "05-1120",
    );
    let (target, gateway) = lake::of_canned(half, |config| config);
    let raw = Raw::of(&gateway, "lake", &[]);
    let reply = raw.s3("GET", "/lake/a", &[("range", "bytes=100004-100010")], b"");
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert!(!reply.text().contains("1120"), "{}", reply.text());
    assert_eq!(target.heads().len(), 1);
    // A short object has nothing around it.
    let whole = saying(
        "206 Partial Content",
        "Content-Type: text/plain\r\nContent-Range: bytes 0-14/15\r\n",
        "ssn 078-05-1120",
    );
    let (_target, gateway) = lake::of_canned(whole, |config| config);
    let raw = Raw::of(&gateway, "lake", &[]);
    let reply = raw.s3("GET", "/lake/a", &[("range", "bytes=8-14")], b"");
    assert_eq!((reply.status, reply.text()), (206, "**-1120".to_owned()));
}

#[test]
fn a_copy_carries_what_nobody_looked_at() {
    let (server, gateway) =
        lake::of_s3(|config| lake::in_clear(config).policy("20-screened.cedar", SCREENED));
    let raw = Raw::of(&gateway, "lake", &[]);
    fs::write(server.folder().join("lake/card"), "4111 1111 1111 1111").unwrap();
    let copy = |to: &str| {
        let (name, number) = sending();
        let fields = [("x-amz-copy-source", "lake/card"), (name, &number)];
        raw.s3("PUT", to, &fields, b"")
    };
    let refused = copy("/lake/seen/card");
    assert!(refused.text().contains("seen"), "{}", refused.text());
    assert_eq!(refused.status, 403);
    assert!(!server.folder().join("lake/seen/card").exists());
    assert_eq!(copy("/lake/other").status, 200);
}

#[test]
fn a_statement_is_about_its_table_and_reads_where_it_selects() {
    let reads = r#"
@id("use-lake")
permit (principal, action == Action::"access", resource == Target::"lake");
@id("reads")
permit (principal, action == Aws::Action::"read", resource);
@id("writes")
permit (principal in Group::"writers", action == Aws::Action::"write", resource == Aws::Resource::"dynamodb:open");
"#;
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    let (_target, gateway) =
        lake::of_canned(answer, |config| config.policy("10-lake.cedar", reads));
    let call = |groups: &[&str], operation: &str, body: &str| {
        let raw = Raw::of(&gateway, "lake", groups);
        let length = body.len().to_string();
        let target = format!("DynamoDB_20120810.{operation}");
        let fields = [
            ("content-length", length.as_str()),
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", target.as_str()),
        ];
        let request = raw.signed("dynamodb", "POST", "/", &fields, body.as_bytes());
        exchange(raw.address, &request, false).status
    };
    let one = |statement: &str| format!(r#"{{"Statement":"{statement}"}}"#);
    let (none, writers) = (&[][..], &["writers"][..]);
    assert_eq!(
        call(none, "ExecuteStatement", &one("SELECT * FROM gated")),
        200
    );
    let both = r#"{"Statements":[{"Statement":"SELECT * FROM open"},{"Statement":"SELECT * FROM gated"}]}"#;
    assert_eq!(call(none, "BatchExecuteStatement", both), 200);
    let insert = |table: &str| one(&format!("INSERT INTO {table} VALUE {{'id':'9'}}"));
    assert_ne!(call(none, "ExecuteStatement", &insert("open")), 200);
    assert_eq!(call(writers, "ExecuteStatement", &insert("open")), 200);
    assert_ne!(call(writers, "ExecuteStatement", &insert("gated")), 200);
    let hidden = r#"{"TransactStatements":[{"Statement":"UPDATE open SET n=3 WHERE id='1'"},{"Statement":"DELETE FROM gated WHERE id='1'"}]}"#;
    assert_ne!(call(writers, "ExecuteTransaction", hidden), 200);
    assert_ne!(
        call(
            writers,
            "ExecuteStatement",
            &one("INSERT INTO open VALUE {'id':'9'} -- x")
        ),
        200
    );
}

#[test]
fn an_answer_that_is_framed_in_two_ways_is_none() {
    for length in [5, 21, 500] {
        let text = "ssn 078-05-1120 kiwi\n";
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n15\r\n{text}\r\n0\r\n\r\n"
        );
        let (_target, gateway) = lake::of_canned(answer, |config| config);
        let raw = Raw::of(&gateway, "lake", &[]);
        let reply = raw.s3("GET", "/lake/a", &[], b"");
        assert_eq!(reply.status, 503, "{}", reply.text());
        assert!(!reply.text().contains("ssn"), "{}", reply.text());
    }
}

#[test]
fn digests_of_what_is_hidden_are_not_shown() {
    let (md5, sha256) = (
        "c383170eef7bdd6b8aa35a6e4b4dcee4",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
    let fields = format!(
        "Content-Type: text/plain\r\nx-amz-meta-s3cmd-attrs: atime:1764000000/md5:{md5}/mode:33188\r\n\
         x-amz-meta-md5chksum: w4MXDu973WuKo1puS03O5A==\r\nx-amz-meta-mtime: 1764000000.5\r\n\
         x-amz-content-sha256: {sha256}\r\nDigest: md5=w4MXDu973WuKo1puS03O5A==\r\n\
         Repr-Digest: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:\r\n\
         Content-Digest: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:\r\n"
    );
    let answer = saying("200 OK", &fields, "ssn 078-05-1120");
    let open = r#"permit (principal in Group::"staff", action == Action::"reveal", resource);"#;
    let (_target, gateway) = lake::of_canned(answer, |config| config.policy("20-open.cedar", open));
    let told = |method: &str, groups: &[&str]| {
        let raw = Raw::of(&gateway, "lake", groups);
        let reply = raw.s3(method, "/lake/a", &[], b"");
        let digests = reply.fields.iter().filter(|(name, value)| {
            name.ends_with("digest")
                || name.contains("sha256")
                || value.contains("md5")
                || name.contains("md5")
        });
        assert_eq!(reply.field("x-amz-meta-mtime"), Some("1764000000.5"));
        digests.count()
    };
    assert_eq!((told("GET", &[]), told("HEAD", &[])), (0, 0));
    assert_eq!((told("GET", &["staff"]), told("HEAD", &["staff"])), (6, 6));
}

/// It is what clients write that are not told what to write.
#[test]
fn an_upload_that_is_said_to_be_a_form_is_refused_as_s3_does() {
    let (_target, gateway) = lake::of_canned(saying("200 OK", "", ""), |config| config);
    let raw = Raw::of(&gateway, "lake", &[]);
    let url = raw.presigned("PUT", "/lake/a", 600);
    let request = format!(
        "PUT {url} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\nx-amz-acl: public-read\r\nContent-Length: 1\r\n\r\nx",
        raw.address
    );
    let reply = exchange(raw.address, request.as_bytes(), false);
    assert!(reply.text().contains("<Error><Code>"), "{}", reply.text());
}
