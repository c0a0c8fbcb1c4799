//! Lists go on page by page though keys are hidden: the clients' own paginators find every key, behind a gateway that shows none.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use serde_json::{Value, json};
use tests::lake::{self, POLICIES};
use tests::raw::{Raw, Reply, exchange};
use tests::{Agent, Config, Gateway, Moto};

fn gateway(moto: &Moto) -> Gateway {
    let config = Config::aws(moto).policy("10-lake.cedar", POLICIES);
    Gateway::start(lake::in_clear(config))
}

fn marker(reply: &Reply, name: &str) -> String {
    let text = reply.text();
    let found = text.split(&format!("<{name}>")).nth(1);
    let found = found.unwrap_or_else(|| panic!("{text}"));
    found.split('<').next().unwrap().to_owned()
}

#[test]
fn paginators_find_every_key() {
    let moto = Moto::start();
    let config = Config::aws(&moto).policy("10-lake.cedar", POLICIES);
    let gateway = Gateway::start(config);
    let agent = Agent::new(&gateway, "lake", &[]);
    agent.cli(&["s3", "mb", "s3://lake"]).success();
    for name in ["ann", "ben", "cid", "dan", "eve"] {
        let key = format!("mail/{name}@example.com");
        let put = ["s3api", "put-object", "--bucket", "lake", "--key", &key];
        agent.cli(&put).success();
    }
    for (list, found) in [
        ("list-objects", "Contents[].Size"),
        ("list-objects-v2", "Contents[].Size"),
        ("list-object-versions", "Versions[].Size"),
    ] {
        for more in [&[][..], &["--delimiter", "n"]] {
            let list = [
                "s3api",
                list,
                "--bucket",
                "lake",
                "--page-size",
                "2",
                "--output",
                "json",
            ];
            let all = agent.cli(&[&list[..], more].concat()).success();
            assert!(!all.stdout.contains("ann@"), "{}", all.stdout);
            let all: Value = serde_json::from_str(&all.stdout).unwrap();
            let name = found.split('[').next().unwrap();
            let count = |name: &str| all[name].as_array().map_or(0, Vec::len);
            let (keys, cut) = (count(name), count("CommonPrefixes"));
            // What is cut is `mail/an`, `mail/ben` and `mail/dan`.
            assert_eq!(keys + cut, 5, "{list:?} {more:?} {all}");
        }
    }
    let create = r#"{"TableName":"people","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}"#;
    agent
        .cli(&["dynamodb", "create-table", "--cli-input-json", create])
        .success();
    for name in ["ann", "ben", "cid", "dan", "eve"] {
        let item = json!({ "id": { "S": format!("{name}@example.com") } }).to_string();
        let put = [
            "dynamodb",
            "put-item",
            "--table-name",
            "people",
            "--item",
            &item,
        ];
        agent.cli(&put).success();
    }
    let scan = [
        "dynamodb",
        "scan",
        "--table-name",
        "people",
        "--page-size",
        "2",
        "--output",
        "json",
    ];
    let all = agent.cli(&scan).success();
    assert!(!all.stdout.contains("ann@"), "{}", all.stdout);
    let all: Value = serde_json::from_str(&all.stdout).unwrap();
    assert_eq!(all["Items"].as_array().unwrap().len(), 5, "{all}");
}

#[test]
fn a_marker_is_of_one_person_and_one_list() {
    let moto = Moto::start();
    let gateway = gateway(&moto);
    let raw = Raw::of(&gateway, "lake", &[]);
    let place = b"<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
    for bucket in ["lake", "other"] {
        assert_eq!(raw.s3("PUT", &format!("/{bucket}"), &[], place).status, 200);
    }
    for name in ["ann", "ben", "cid"] {
        assert_eq!(
            raw.s3("PUT", &format!("/lake/{name}@example.com"), &[], b"x")
                .status,
            200
        );
    }
    let list = |raw: &Raw, path: &str, more: &str| {
        raw.s3(
            "GET",
            &format!("{path}?versions&max-keys=1{more}"),
            &[],
            b"",
        )
    };
    let first = list(&raw, "/lake", "");
    let marker = marker(&first, "NextKeyMarker");
    assert!(marker.starts_with("countersign-page."), "{marker}");
    let asked = format!("&key-marker={marker}");
    let second = list(&raw, "/lake", &asked);
    assert_eq!(second.status, 200, "{}", second.text());
    // It is said again as it was sent, and what it stands for is not.
    assert!(
        second
            .text()
            .contains(&format!("<KeyMarker>{marker}</KeyMarker>")),
        "{}",
        second.text()
    );
    assert!(!second.text().contains("ben@"), "{}", second.text());
    let other = Raw::of_human(&gateway, "lake", "ben", &[]);
    let (start, rest) = marker.split_at("countersign-page.".len());
    let first = if rest.starts_with('A') { 'B' } else { 'A' };
    let changed = format!("&key-marker={start}{first}{}", rest.get(1..).unwrap());
    for reply in [
        list(&other, "/lake", &asked),
        list(&raw, "/other", &asked),
        list(&raw, "/lake", &changed),
        list(&raw, "/lake", "&key-marker=countersign-page.AAAA"),
    ] {
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert!(
            reply.text().contains("was not given by this gateway"),
            "{}",
            reply.text()
        );
    }
    let scan = br#"{"TableName":"people","ExclusiveStartKey":{"id":{"S":"*"},"countersign-page":{"S":"countersign-page.AAAA"}}}"#;
    let length = scan.len().to_string();
    let fields = [
        ("content-length", length.as_str()),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "DynamoDB_20120810.Scan"),
    ];
    let request = raw.signed("dynamodb", "POST", "/", &fields, scan);
    let reply = exchange(raw.address, &request, false);
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(
        reply.text().contains("was not given by this gateway"),
        "{}",
        reply.text()
    );
}
