//! What is declared of S3 objects is hidden by name, whatever it looks like, whole and in ranges.

#![allow(
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test ends where something is missing, and tells a story in one piece"
)]

use serde_json::json;
use tests::lake::{self, POLICIES};
use tests::raw::Raw;
use tests::{Agent, Config, Gateway, Moto};

const STAFF: &str = r#"
@id("reveal")
permit (principal in Group::"staff", action == Action::"reveal", resource == DataClass::"staff_code");
"#;

#[test]
fn columns_and_members_are_hidden_by_their_name() {
    let moto = Moto::start();
    let declared = r#"
        { bucket = "lake", prefix = "csv/", columns = { code = "staff_code" } },
        { bucket = "lake", prefix = "json/", members = { code = "staff_code" } },
    "#;
    let config = Config::aws(&moto)
        .policy("10-lake.cedar", POLICIES)
        .policy("20-staff.cedar", STAFF);
    let gateway = Gateway::start(lake::objects(config, declared));
    let folder = gateway.config().directory().to_owned();
    let agent = Agent::new(&gateway, "lake", &["data"]);
    agent.cli(&["s3", "mb", "s3://lake"]).success();
    let rows: String = (0..60_000)
        .map(|n| format!("{n},\"kiwi {n:05}\",x\n"))
        .collect();
    let rows = format!("id,code,note\n{rows}");
    let lines =
        "{\"id\": 1, \"code\": \"kiwi\"}\n{\"code\": 77, \"of\": [{\"code\": [\"lime\"]}]}\n";
    std::fs::write(folder.join("a.csv"), &rows).unwrap();
    std::fs::write(folder.join("a.jsonl"), lines).unwrap();
    for (from, to) in [
        ("a.csv", "csv/a.csv"),
        ("a.jsonl", "json/a.jsonl"),
        ("a.csv", "other/a.csv"),
    ] {
        agent
            .cli(&["s3", "cp", from, &format!("s3://lake/{to}")])
            .success();
    }
    let get = |agent: &Agent<'_>, key: &str, range: &[&str]| {
        let get = ["s3api", "get-object", "--bucket", "lake", "--key", key];
        agent.cli(&[&get, range, &["got"]].concat()).success();
        std::fs::read_to_string(folder.join("got")).unwrap()
    };
    let hidden = get(&agent, "csv/a.csv", &[]);
    let expected: String = (0..60_000)
        .map(|n| format!("{n},\"**********\",x\n"))
        .collect();
    let expected = format!("id,code,note\n{expected}");
    assert!(hidden == expected, "{}", &hidden[..200]);
    assert_eq!(
        get(&agent, "json/a.jsonl", &[]),
        "{\"id\": 1, \"code\": \"****\"}\n{\"code\": 0 , \"of\": [{\"code\": [\"****\"]}]}\n"
    );
    assert!(get(&agent, "other/a.csv", &[]) == rows);
    // Ranges are those of the masked whole, wherever they begin.
    for (range, part) in [
        ("bytes=700000-700099", &expected[700_000..700_100]),
        ("bytes=20-40", &expected[20..41]),
        ("bytes=-50", &expected[expected.len() - 50..]),
    ] {
        assert_eq!(
            get(&agent, "csv/a.csv", &["--range", range]),
            part,
            "{range}"
        );
    }

    let staff = Agent::of(&gateway, "lake", "bob", &["staff"]);
    assert!(get(&staff, "csv/a.csv", &[]) == rows);
    assert_eq!(
        get(&staff, "json/a.jsonl", &["--range", "bytes=0-22"]),
        lines[..23]
    );

    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let outcomes = ledger.events("outcome");
    let masks = outcomes
        .iter()
        .filter_map(|it| it["outcome"]["masks"].as_array())
        .flatten();
    let counts: Vec<_> = masks
        .filter(|it| it["class"] == "staff_code" && it["place"] == "code")
        .map(|it| it["count"].clone())
        .collect();
    assert!(
        counts.contains(&json!(60_000)) && counts.contains(&json!(3)),
        "{counts:?}"
    );
}

/// A key, the fields it is uploaded with, its content, and what is shown of that.
type Held = (&'static str, Fields, &'static str, &'static str);
type Fields = &'static [(&'static str, &'static str)];

/// All of them hold `kiwi`.
const HELD: [Held; 6] = [
    (
        "tagged.json",
        &[("x-amz-tagging", "kind=hr&of=x")],
        r#"[{"staff": [{"code": "kiwi"}], "code": "lime"}]"#,
        r#"[{"staff": [{"code": "****"}], "code": "lime"}]"#,
    ),
    (
        "other.json",
        &[("x-amz-tagging", "kind=it")],
        r#"{"staff": {"code": "kiwi"}}"#,
        r#"{"staff": {"code": "kiwi"}}"#,
    ),
    (
        "rows",
        &[("content-type", "text/csv; charset=utf-8")],
        "id,code\n1,kiwi\n",
        "id,code\n1,****\n",
    ),
    (
        "rows.csv",
        &[("content-type", "text/plain")],
        "id,code\n1,kiwi\n",
        "id,code\n1,kiwi\n",
    ),
    (
        "xml/a",
        &[("content-type", "application/xml")],
        "<s><p badge='kiwi'><code>kiwi</code></p><code>lime</code></s>",
        "<s><p badge='****'><code>****</code></p><code>lime</code></s>",
    ),
    (
        "bare/a",
        &[("content-type", "application/octet-stream")],
        "1,kiwi\n2,lime\n",
        "1,****\n2,****\n",
    ),
];

/// Beside what is needed to use it: tags may be set.
const TAGS: &str = r#"@id("tags") permit (principal, action == Aws::Action::"tagging", resource);"#;

const DECLARED: &str = r#"
    { bucket = "lake", tags = { kind = "hr" }, members = { "$.staff.code" = "staff_code" } },
    { bucket = "lake", content_type = "text/csv", columns = { code = "staff_code" } },
    { bucket = "lake", prefix = "xml/", elements = { "/s/p/code" = "staff_code", "@badge" = "staff_code" } },
    { bucket = "lake", prefix = "bare/", header = false, columns = { 2 = "staff_code" } },
"#;

#[test]
fn declarations_go_by_tag_and_content_type_too() {
    let moto = Moto::start();
    let config = Config::aws(&moto)
        .unset(&["aws", "tls"])
        .policy("10-lake.cedar", POLICIES)
        .policy("20-tags.cedar", TAGS);
    let gateway = Gateway::start(lake::objects(config, DECLARED));
    let raw = Raw::of(&gateway, "lake", &[]);
    let place = "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
    assert_eq!(raw.s3("PUT", "/lake", &[], place.as_bytes()).status, 200);
    for (key, fields, content, shown) in HELD {
        let target = format!("/lake/{key}");
        let put = raw.s3("PUT", &target, fields, content.as_bytes());
        assert_eq!(put.status, 200, "{key}: {}", put.text());
        let got = raw.s3("GET", &target, &[], b"");
        assert_eq!((got.status, got.text().as_str()), (200, shown), "{key}");
        let head = raw.s3("HEAD", &target, &[], b"");
        for field in ["content-length", "etag", "content-type"] {
            assert_eq!(head.field(field), got.field(field), "{key} {field}");
        }
        for (range, part) in [
            ("bytes=5-12", &shown[5..13]),
            ("bytes=-9", &shown[shown.len() - 9..]),
        ] {
            let got = raw.s3("GET", &target, &[("range", range)], b"");
            assert_eq!(
                (got.status, got.text().as_str()),
                (206, part),
                "{key} {range}"
            );
        }
    }
    // Whoever reads it cannot have it called something else and see it.
    let renamed = raw.s3(
        "GET",
        "/lake/rows?response-content-type=text%2Fplain",
        &[],
        b"",
    );
    assert_eq!(renamed.text(), "id,code\n1,****\n");
    // What is not there is not there, whatever is declared of it.
    let missing = raw.s3("GET", "/lake/xml/none", &[], b"");
    assert_eq!(missing.status, 404, "{}", missing.text());

    // Tags count as they are now.
    let tags = |kind: &str| {
        format!(
            "<Tagging><TagSet><Tag><Key>kind</Key><Value>{kind}</Value></Tag></TagSet></Tagging>"
        )
    };
    let tagged = raw.s3(
        "PUT",
        "/lake/other.json?tagging",
        &[],
        tags("hr").as_bytes(),
    );
    assert_eq!(tagged.status, 200, "{}", tagged.text());
    let got = raw.s3("GET", "/lake/other.json", &[], b"");
    assert_eq!(got.text(), r#"{"staff": {"code": "****"}}"#);

    // Recordings hold neither what was uploaded nor what was shown of it.
    let (_, config) = gateway.stop();
    assert!(config.ledger().events("outcome").len() > 20);
}

/// This server resolves dots in a key, so that it is another object that is read.
#[test]
fn a_key_that_climbs_into_what_is_declared_shows_nothing_of_it() {
    let (server, gateway) = lake::of_s3(|config| {
        let declared = r#"{ bucket = "lake", prefix = "in/", members = { code = "staff_code" } }"#;
        lake::objects(lake::in_clear(config), declared)
    });
    std::fs::create_dir_all(server.folder().join("lake/in")).unwrap();
    std::fs::create_dir_all(server.folder().join("lake/out")).unwrap();
    std::fs::write(server.folder().join("lake/in/a"), r#"{"code":"kiwi"}"#).unwrap();
    let raw = Raw::of(&gateway, "lake", &[]);
    for path in [
        "/lake/in/a",
        "/lake/out/../in/a",
        "/lake/out/%2e%2e/in/a",
        "/lake/./in/a",
    ] {
        let got = raw.s3("GET", path, &[], b"");
        assert!(!got.text().contains("kiwi"), "{path}: {}", got.text());
    }
}

#[test]
fn where_tags_cannot_be_read_what_they_would_say_counts() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 25\r\nConnection: close\r\n\r\n\
                  {\"staff\":{\"code\":\"kiwi\"}}";
    let (target, gateway) = lake::of_canned(answer, |config| lake::objects(config, DECLARED));
    let raw = Raw::of(&gateway, "lake", &[]);
    let got = raw.s3("GET", "/lake/a.json?versionId=7", &[], b"");
    assert_eq!(got.text(), r#"{"staff":{"code":"****"}}"#);
    let lines: Vec<_> = target.heads().iter().map(|it| it[0].clone()).collect();
    assert_eq!(
        lines,
        [
            "GET /lake/a.json?tagging&versionId=7 HTTP/1.1",
            "GET /lake/a.json?versionId=7 HTTP/1.1",
        ]
    );
}
