//! `countersign aws explain`: the AWS CLI's own requests, understood and decided without a gateway, and never sent.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests may fail"
)]

use serde_json::{Value, json};
use tests::lake::SCREENED;
use tests::{Config, Moto, aws_cli, node_client};

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

/// What would not come to a gateway is told as such, and what comes by another host is understood.
#[test]
fn where_a_client_goes_is_told() {
    let moto = Moto::start();
    let config = Config::aws(&moto).policy("10-lake.cedar", POLICIES);
    let jobs = ["s3control", "list-jobs", "--account-id", "123456789012"];
    assert_eq!(of_cli(&config, &jobs)["path"], "/v20180820/jobs");
    let aws = aws_cli();
    let own = [
        "aws",
        "explain",
        "--for",
        "alice",
        "--group",
        "data",
        "--",
        aws.to_str().unwrap(),
        "s3",
        "ls",
        "--endpoint-url",
        "https://s3.amazonaws.com",
    ];
    let said = config.countersign(&own).failure().stderr;
    assert!(
        said.contains("would ask s3.amazonaws.com:443 itself"),
        "{said}"
    );
}

#[test]
fn the_example_says_what_its_comments_do() {
    let moto = Moto::start();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policies/lake");
    let mut config = Config::aws(&moto);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        config = config.policy(name, &std::fs::read_to_string(&path).unwrap());
    }
    let checked = config.countersign(&["check"]).success();
    assert!(!checked.stderr.contains(".cedar"), "{}", checked.stderr);
    let file = config.directory().join("a");
    std::fs::write(&file, "quite plain").unwrap();
    let body = ["--body", file.to_str().unwrap()];
    for (method, url, more, outcome) in [
        ("get", "/reports/a", &[][..], "allow"),
        ("get", "/reports?list-type=2", &[], "allow"),
        ("get", "/", &[], "allow"),
        ("get", "/other/a", &[], "deny"),
        ("put", "/reports/a", &body, "allow"),
        ("put", "/reports/a", &[], "deny"),
        ("put", "/reports?replication", &body, "deny"),
        ("put", "/reports/ledger/a", &body, "ask"),
        ("delete", "/reports/ledger/a", &[], "ask"),
        ("delete", "/reports/ledger/a?uploadId=u", &[], "allow"),
        (
            "put",
            "/reports/ledger/a?uploadId=u&partNumber=1",
            &body,
            "allow",
        ),
    ] {
        let given = ["--service", "s3", "--method", method, "--url", url];
        let explained = explain(&config, &[&given[..], more].concat());
        let decision = &explained[0]["decision"];
        assert_eq!(decision["outcome"], outcome, "{method} {url}: {decision}");
    }
    // Who is asked is told with the policy that asks.
    let told = [
        "--output",
        "table",
        "aws",
        "explain",
        "--for",
        "alice",
        "--group",
        "data",
        "--service",
        "s3",
        "--method",
        "delete",
        "--url",
        "/reports/ledger/a",
    ];
    let told = config.countersign(&told).success().stdout;
    let line = "Decision       ask people: 1 of stewards (by ledger-gate)\n";
    assert!(told.contains(line), "{told}");
}

/// The gateway's STS gives keys to who may use a target, and asks policy nothing else.
#[test]
fn who_gets_keys_is_told_as_it_is() {
    let moto = Moto::start();
    let config = Config::aws(&moto).policy("10-lake.cedar", POLICIES);
    let role = |name: &str| {
        let role = format!("arn:aws:iam::000000000000:role/{name}");
        let arguments = [
            "sts",
            "assume-role",
            "--role-session-name",
            "work",
            "--role-arn",
        ];
        of_cli(&config, &[&arguments[..], &[role.as_str()]].concat())
    };
    let keys = role("lake");
    assert_eq!(
        (&keys["answered_by"], &keys["decision"]["outcome"]),
        (&json!("the gateway itself"), &json!("allow"))
    );
    assert_eq!(
        keys["asks"],
        json!([{"action": "access", "kind": "Target", "resource": "lake"}])
    );
    let other = role("vault");
    assert_eq!(other["decision"]["outcome"], "deny");
    assert!(
        other["decision"]["message"]
            .as_str()
            .unwrap()
            .contains("vault")
    );
    let odd = of_cli(&config, &["sts", "get-federation-token", "--name", "ab"]);
    assert_eq!(odd["decision"]["outcome"], "deny", "{odd}");
}

/// Version 1 of the AWS CLI sends what is for queues to AWS itself, whatever its environment says.
#[test]
fn what_is_for_queues_is_caught_too() {
    let moto = Moto::start();
    let config = Config::aws(&moto).policy("10-lake.cedar", POLICIES);
    let queues = of_cli(&config, &["sqs", "list-queues"]);
    assert_eq!(queues["operation"], "sqs:ListQueues");
    // Nor does an operation with a host of its own go elsewhere.
    let prefixed = of_cli(
        &config,
        &[
            "servicediscovery",
            "discover-instances",
            "--namespace-name",
            "n",
            "--service-name",
            "s",
        ],
    );
    assert_eq!(prefixed["operation"], "servicediscovery:DiscoverInstances");
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
    let why = odd[0]["opaque"].as_str().unwrap();
    assert!(why.starts_with("no operation of the service has"), "{why}");

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

/// What a request carries, and whether policy would let it.
fn carries(explained: &Value) -> (Value, Value) {
    let outcome = explained["decision"]["outcome"].clone();
    (explained["carries"].clone(), outcome)
}

#[test]
#[expect(clippy::too_many_lines, reason = "one request after another")]
fn what_an_upload_carries_is_told_as_the_gateway_would_see_it() {
    let moto = Moto::start();
    let config = Config::aws(&moto)
        .policy("10-lake.cedar", POLICIES)
        .policy("20-screened.cedar", SCREENED);
    let file = |name: &str, content: &[u8]| {
        let path = config.directory().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let line = "a line of words\n";
    let text = file("text", line.as_bytes());
    let card = file("card", b"a line\n4111 1111 1111 1111\n");
    let packed = zstd::encode_all(&b"4111 1111 1111 1111\n"[..], 3).unwrap();
    let packed = file("packed", &packed);
    let binary = file("binary", &[0, 1, 2]);
    let long = file("long", line.repeat(1_100_000).as_bytes());
    let copy = |file: &str, key: &str| {
        let to = format!("s3://lake/{key}");
        carries(&of_cli(&config, &["s3", "cp", file, &to]))
    };
    let (allow, deny) = (json!("allow"), json!("deny"));
    assert_eq!(copy(&text, "seen/a"), (json!([]), allow.clone()));
    assert_eq!(copy(&card, "a"), (json!(["pan"]), deny.clone()));
    assert_eq!(copy(&packed, "a"), (json!(["pan"]), deny.clone()));
    let unseen = json!(["uninspected"]);
    assert_eq!(copy(&binary, "a"), (unseen.clone(), allow.clone()));
    assert_eq!(copy(&binary, "seen/a"), (unseen.clone(), deny.clone()));
    // One request of more than the gateway holds whole.
    let put = |body: &str| {
        let put = ["s3api", "put-object", "--bucket", "lake", "--key", "seen/a"];
        carries(&of_cli(&config, &[&put[..], &["--body", body]].concat()))
    };
    assert_eq!(put(&long), (unseen.clone(), deny.clone()));

    // Calls, by their parts and by the client; and what does not change anything.
    let item = r#"{"id":{"S":"4111111111111111"}}"#;
    let call = ["dynamodb", "put-item", "--table-name", "t", "--item", item];
    assert_eq!(
        carries(&of_cli(&config, &call)),
        (json!(["pan"]), deny.clone())
    );
    let given = |method: &str, url: &str, more: &[&str]| {
        let given = ["--service", "s3", "--method", method, "--url", url];
        explain(&config, &[&given, more].concat()).remove(0)
    };
    let looks = given("get", "/lake/seen/a", &[]);
    assert_eq!(carries(&looks), (json!([]), allow.clone()));
    // Content that is not given is not seen; a part is, and what becomes of all of them is not.
    let put = given("put", "/lake/seen/a", &[]);
    assert_eq!(carries(&put), (unseen.clone(), deny.clone()));
    assert_eq!(
        carries(&given("put", "/lake/a", &["--body", &card])).0,
        json!(["pan"])
    );
    assert_eq!(
        carries(&given("delete", "/lake/seen/a", &[])),
        (json!([]), allow)
    );
    let part = "/lake/seen/a?partNumber=2&uploadId=u";
    assert_eq!(
        carries(&given("put", part, &["--body", &text])).0,
        json!([])
    );
    assert_eq!(
        carries(&given("put", part, &[])),
        (unseen.clone(), deny.clone())
    );
    let whole = file("whole", b"<CompleteMultipartUpload/>");
    let completed = given("post", "/lake/seen/a?uploadId=u", &["--body", &whole]);
    assert_eq!(carries(&completed), (unseen, deny));

    let arguments = [
        "--output", "table", "aws", "explain", "--for", "alice", "--group", "data",
    ];
    let put = [
        "--service",
        "s3",
        "--method",
        "put",
        "--url",
        "/lake/a",
        "--body",
        &card,
    ];
    let told = config
        .countersign(&[&arguments[..], &put].concat())
        .success()
        .stdout;
    assert!(told.contains("Carries        pan\n"), "{told}");
}

#[test]
fn content_that_comes_in_chunks_is_seen() {
    let moto = Moto::start();
    let config = Config::aws(&moto)
        .policy("10-lake.cedar", POLICIES)
        .policy("20-screened.cedar", SCREENED);
    let words = node_client("chunked_put.js");
    let [env, path, node, program] = words.each_ref().map(String::as_str);
    let seen = explain(&config, &["--", env, path, node, program]).remove(0);
    assert_eq!(seen["operation"], "s3:PutObject");
    assert_eq!(carries(&seen), (json!(["pan"]), json!("deny")));
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

#[test]
fn what_policies_can_look_at_is_told() {
    let moto = Moto::watched("all");
    let declared = r#"answers = [{ service = "dynamodb", resource = "dynamodb:people*", members = { ssn = "us_ssn" } }]"#;
    let table: toml::Table = declared.parse().unwrap();
    let config = Config::aws(&moto)
        .policy("10-lake.cedar", POLICIES)
        .set(&["targets", "lake", "answers"], table["answers"].clone());
    let role = "arn:aws:iam::111111111111:role/app";
    let run = [
        "ec2",
        "run-instances",
        "--image-id",
        "ami-12345678",
        "--iam-instance-profile",
        "Name=app",
        "--tag-specifications",
        "ResourceType=instance,Tags=[{Key=env,Value=prod}]",
    ];
    let told = of_cli(&config, &run);
    assert_eq!(
        (&told["tags"], &told["roles"]),
        (&json!(["env=prod"]), &json!(["app"]))
    );
    let parameters = told["parameters"].as_array().unwrap();
    assert!(
        parameters.contains(&json!("ImageId=ami-12345678")),
        "{parameters:?}"
    );

    let statement = "SELECT id FROM people WHERE begins_with(ssn, '0')";
    let told = of_cli(
        &config,
        &["dynamodb", "execute-statement", "--statement", statement],
    );
    assert_eq!(
        (&told["probed"], &told["matched"], &told["level"]),
        (&json!(["us_ssn"]), &json!([]), &json!("read"))
    );
    assert_eq!(told["asks"][0]["resource"], "dynamodb:people");
    let put = ["secretsmanager", "put-secret-value", "--secret-id", "db"];
    let put = [&put[..], &["--secret-string", "hunter2-and-more"]].concat();
    let told = of_cli(&config, &put);
    assert!(!told.to_string().contains("hunter2"), "{told}");
    assert!(told.to_string().contains("SecretString=[hidden]"), "{told}");

    let aws = aws_cli();
    let asked = [
        "--output", "table", "aws", "explain", "--for", "alice", "--group", "data",
    ];
    let client = [
        "--",
        aws.to_str().unwrap(),
        "lambda",
        "update-function-configuration",
    ];
    let client = [&client[..], &["--function-name", "f", "--role", role]].concat();
    let table = config
        .countersign(&[&asked[..], &client].concat())
        .success()
        .stdout;
    assert!(table.contains(&format!("Roles          {role}")), "{table}");
    assert!(
        table.contains("Parameters     ") && !table.contains("Tags  "),
        "{table}"
    );
}
