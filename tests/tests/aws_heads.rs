//! HEAD, conditional and versioned reads, and attributes of objects, agree with GET: what that withholds they do not tell of either.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use std::fs;
use std::io::Write as _;

use tests::raw::{Raw, Reply};
use tests::{Config, Gateway, Moto, lake};

const STAFF: &str =
    r#"@id("reveal") permit (principal in Group::"staff", action == Action::"reveal", resource);"#;

/// What is declared of `csv/`, `json/` and `tagged/`.
const DECLARED: &str = r#"
    { bucket = "lake", prefix = "csv/", columns = { code = "staff_code" } },
    { bucket = "lake", prefix = "json/", members = { code = "staff_code" } },
    { bucket = "lake", prefix = "tagged/", tags = { kind = "hr" }, columns = { code = "staff_code" } },
"#;

fn configure(config: Config) -> Config {
    let config = lake::objects(lake::in_clear(config), DECLARED);
    config.policy("20-staff.cedar", STAFF)
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}

/// Objects that are no text from their beginning on, behind a long text, within their compression, and not as declared.
fn withheld() -> Vec<(&'static str, Vec<u8>)> {
    let late = [vec![b'a'; 40 << 10], vec![0; 100]].concat();
    vec![
        (
            "a.parquet",
            b"PAR1\x15\x04\x15\x80\x01\x00\x02PAR1".to_vec(),
        ),
        ("late.txt", late),
        ("image", b"\x89PNG\r\n\x1a\n0123456789".to_vec()),
        ("a.zip", b"PK\x03\x04\x14\x00\x00\x00".to_vec()),
        ("named.gz", gzip(&[0; 64])),
        ("unnamed", gzip(&[0; 64])),
        ("csv/other", b"id,name\n1,x\n".to_vec()),
        ("json/none", b"no json at all".to_vec()),
        (
            "json/late",
            [b"[1, ".to_vec(), vec![b' '; 100], b"x]".to_vec()].concat(),
        ),
    ]
}

fn shown() -> Vec<(&'static str, Vec<u8>)> {
    let long = [b"of jane@example.com\n".repeat(20_000), vec![0; 10]].concat();
    vec![
        ("a.txt", b"of jane@example.com\n".to_vec()),
        ("empty", Vec::new()),
        ("long.txt", long[..long.len() - 10].to_vec()),
        ("plain.gz", gzip(b"of jane@example.com\n")),
        ("plain", gzip(b"of jane@example.com\n")),
        ("csv/a", b"id,code\n1,kiwi\n".to_vec()),
        ("json/a", b"{\"code\": \"kiwi\"}".to_vec()),
    ]
}

/// The fields that HEAD and GET have both.
fn told(reply: &Reply) -> Vec<(&str, &str)> {
    let same = |name: &&str| *name != "content-length" || reply.status == 200;
    ["content-length", "etag", "last-modified", "content-type"]
        .iter()
        .filter(|name| same(name))
        .filter_map(|name| Some((*name, reply.field(name)?)))
        .collect()
}

#[test]
fn head_answers_as_get_does() {
    let (server, gateway) = lake::of_s3(configure);
    let folder = server.folder().join("lake");
    for under in ["csv", "json"] {
        fs::create_dir(folder.join(under)).unwrap();
    }
    let raw = Raw::of(&gateway, "lake", &[]);
    for (key, content) in withheld() {
        fs::write(folder.join(key), content).unwrap();
        let path = format!("/lake/{key}");
        let got = raw.s3("GET", &path, &[], b"");
        let head = raw.s3("HEAD", &path, &[], b"");
        assert_eq!(
            (got.status, head.status),
            (403, 403),
            "{key}: {}",
            got.text()
        );
        for name in ["etag", "last-modified", "accept-ranges"] {
            assert_eq!(head.field(name), None, "{key}: {head:?}");
        }
        assert!(head.body.is_empty());
    }
    for (key, content) in shown() {
        fs::write(folder.join(key), content).unwrap();
        let path = format!("/lake/{key}");
        let got = raw.s3("GET", &path, &[], b"");
        let head = raw.s3("HEAD", &path, &[], b"");
        assert_eq!(
            (got.status, head.status),
            (200, 200),
            "{key}: {}",
            got.text()
        );
        assert_eq!(told(&got), told(&head), "{key}");
        let length = head.field("content-length").unwrap();
        assert_eq!(length, got.body.len().to_string(), "{key}");
    }
    // Where everything is revealed, everything is told.
    let staff = Raw::of(&gateway, "lake", &["staff"]);
    for (key, content) in withheld() {
        let head = staff.s3("HEAD", &format!("/lake/{key}"), &[], b"");
        let length = content.len().to_string();
        assert_eq!(
            (head.status, head.field("content-length")),
            (200, Some(length.as_str()))
        );
    }
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let outcomes = ledger.events("outcome");
    let stopped = |it: &&&serde_json::Value| it["outcome"]["status"]["stopped"] == "withheld";
    let count = outcomes.iter().filter(stopped).count();
    assert_eq!(count, 2 * withheld().len(), "{outcomes:?}");
}

fn versioned_bucket(raw: &Raw) {
    let place = b"<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
    assert_eq!(raw.s3("PUT", "/lake", &[], place).status, 200);
    let versioning = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let reply = raw.s3("PUT", "/lake?versioning", &[], versioning);
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn conditions_versions_and_attributes_agree_too() {
    let moto = Moto::start();
    let config = configure(Config::aws(&moto).policy("10-lake.cedar", lake::POLICIES));
    let gateway = Gateway::start(config);
    let raw = Raw::of(&gateway, "lake", &[]);
    versioned_bucket(&raw);
    let put = |content: &[u8]| {
        let reply = raw.s3("PUT", "/lake/a", &[], content);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.field("x-amz-version-id").unwrap().to_owned()
    };
    let (text, binary) = (put(b"some text that is shown"), put(b"PAR1\x00\x01\x02"));
    let ask = |method: &str, query: &str, fields: &[(&str, &str)]| {
        raw.s3(method, &format!("/lake/a{query}"), fields, b"")
    };
    let of_text = format!("?versionId={text}");
    let of_binary = format!("?versionId={binary}");
    let future = ("if-modified-since", "Wed, 21 Oct 2037 07:28:00 GMT");
    let attributes = ("x-amz-object-attributes", "ObjectSize");
    for query in ["", of_binary.as_str()] {
        for method in ["GET", "HEAD"] {
            for fields in [
                &[][..],
                &[("if-none-match", "*")],
                &[future],
                &[("range", "bytes=0-3")],
            ] {
                let reply = ask(method, query, fields);
                assert_eq!(
                    reply.status,
                    403,
                    "{method} {query} {fields:?}: {}",
                    reply.text()
                );
                assert_eq!(reply.field("etag"), None);
            }
        }
        let query = if query.is_empty() {
            "?attributes".to_owned()
        } else {
            format!("{query}&attributes")
        };
        let reply = ask("GET", &query, &[attributes]);
        assert_eq!(reply.status, 403, "{}", reply.text());
        assert!(!reply.text().contains("ObjectSize"), "{}", reply.text());
    }
    let etag = ask("HEAD", &of_text, &[]).field("etag").unwrap().to_owned();
    for method in ["GET", "HEAD"] {
        for (fields, status) in [
            (&[][..], 200),
            (&[("if-none-match", etag.as_str())], 304),
            (&[("if-match", "\"0a0364b9e99bb480dd25e1f0284c8555\"")], 412),
            (&[("range", "bytes=0-3")], 206),
        ] {
            let reply = ask(method, &of_text, fields);
            assert_eq!(
                reply.status,
                status,
                "{method} {fields:?}: {}",
                reply.text()
            );
        }
    }
    let reply = ask("GET", &format!("{of_text}&attributes"), &[attributes]);
    assert!(
        reply.text().contains("<ObjectSize>23</ObjectSize>"),
        "{}",
        reply.text()
    );
}
