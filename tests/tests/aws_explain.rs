//! `countersign aws explain`: the AWS CLI's own requests, understood and decided without a gateway, and never sent.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests may fail"
)]

use serde_json::{Value, json};
use tests::{Config, Moto, aws_cli};

const POLICIES: &str = r#"
@id("use-lake")
permit (principal in Group::"data", action == Action::"access", resource == Target::"lake");
@id("objects")
permit (principal, action in [Aws::Action::"read", Aws::Action::"write"], resource is Aws::Object);
@id("secrets")
permit (principal, action == Aws::Action::"read", resource == Aws::Resource::"secretsmanager:db");
@id("ledger-gate")
@gate("stewards")
@quorum("2")
forbid (principal, action == Aws::Action::"write", resource is Aws::Object)
when { resource.key like "ledger/*" }
unless { context.approvals.contains("stewards") };
"#;

fn explain(config: &Config, arguments: &[&str]) -> Vec<Value> {
    let arguments = [
        &["aws", "explain", "--for", "alice", "--group", "data"],
        arguments,
    ]
    .concat();
    config.countersign(&arguments).success().json_lines()
}

fn of_cli(config: &Config, arguments: &[&str]) -> Value {
    let aws = aws_cli();
    let client = ["--", aws.to_str().unwrap()];
    let explained = explain(config, &[&client, arguments].concat());
    assert_eq!(explained.len(), 1, "{explained:?}");
    explained[0].clone()
}

#[test]
fn a_client_is_understood_and_nothing_is_sent() {
    let moto = Moto::watched("all");
    let config = Config::aws(&moto).policy("10-lake.cedar", POLICIES);
    let gated = of_cli(&config, &["s3", "rm", "s3://lake/ledger/2026 a.csv"]);
    assert_eq!(gated["operation"], "s3:DeleteObject");
    assert_eq!(
        (&gated["level"], &gated["path"]),
        (&json!("write"), &json!("/lake/ledger/2026 a.csv"))
    );
    assert_eq!(
        gated["asks"],
        json!([{"action": "write", "kind": "Object", "resource": "lake/ledger/2026 a.csv"}])
    );
    let gates = json!([{"group": "stewards", "quorum": 2, "policy": "ledger-gate"}]);
    assert_eq!(
        (&gated["decision"]["outcome"], &gated["decision"]["gates"]),
        (&json!("ask"), &gates)
    );

    let secret = of_cli(
        &config,
        &["secretsmanager", "get-secret-value", "--secret-id", "db"],
    );
    assert_eq!(
        secret["decision"],
        json!({"outcome": "allow", "policies": ["secrets"]})
    );
    assert_eq!(
        secret["hidden_members"],
        json!(["RandomPassword", "SecretBinary", "SecretString"])
    );
    assert_eq!(secret["body"], r#"{"SecretId":"db"}"#);

    let other = of_cli(
        &config,
        &["ec2", "terminate-instances", "--instance-ids", "i-1"],
    );
    assert_eq!(other["decision"]["outcome"], "deny");
    assert_eq!(other["asks"][0]["resource"], "ec2:i-1");
    assert!(moto.requests().is_empty());
    assert!(!config.directory().join("data").exists());
}

#[test]
fn a_request_can_be_given_by_its_parts() {
    let moto = Moto::start();
    let config = Config::aws(&moto).policy("10-lake.cedar", POLICIES);
    let url = "https://s3.example/lake/a?versionId=7";
    let explained = explain(
        &config,
        &["--service", "s3", "--method", "get", "--url", url],
    );
    assert_eq!(explained[0]["operation"], "s3:GetObject");
    assert_eq!(explained[0]["decision"]["outcome"], "allow");
    let body = config.directory().join("item.json");
    std::fs::write(&body, r#"{"TableName":"payments","Key":{"id":{"S":"1"}}}"#).unwrap();
    let header = "X-Amz-Target: DynamoDB_20120810.GetItem";
    let body = body.to_str().unwrap();
    let explained = explain(
        &config,
        &[
            "--service",
            "dynamodb",
            "--url",
            "/",
            "--header",
            header,
            "--body",
            body,
        ],
    );
    assert_eq!(explained[0]["asks"][0]["resource"], "dynamodb:payments");
    assert_eq!(explained[0]["decision"]["outcome"], "deny");
    // What cannot be understood says so.
    let odd = explain(&config, &["--service", "dynamodb", "--url", "/odd"]);
    assert_eq!(
        (&odd[0]["operation"], &odd[0]["level"]),
        (&json!("dynamodb:unknown"), &json!("opaque"))
    );

    let people = [
        "--output",
        "table",
        "aws",
        "explain",
        "--for",
        "eve",
        "--service",
        "s3",
        "--url",
        "/lake/a",
    ];
    let told = config.countersign(&people).success().stdout;
    assert!(
        told.contains("Decision       deny: there is no target lake"),
        "{told}"
    );
}

#[test]
fn a_client_that_asks_nothing_is_told() {
    let moto = Moto::start();
    let config = Config::aws(&moto).policy("10-lake.cedar", POLICIES);
    let explain = [
        "aws",
        "explain",
        "--for",
        "alice",
        "--",
        "sh",
        "-c",
        "echo no such thing >&2; exit 4",
    ];
    let failed = config.countersign(&explain).failure().stderr;
    assert!(
        failed.contains("asked nothing of AWS") && failed.contains("no such thing"),
        "{failed}"
    );
}
