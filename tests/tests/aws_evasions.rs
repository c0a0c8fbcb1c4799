//! Ways round masks, gates and evidence that were found once, and stay closed.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use std::fs;

use tests::lake;
use tests::raw::{Raw, Reply, sending};
use tests::Config;

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
