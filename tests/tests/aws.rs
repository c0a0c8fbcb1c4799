//! boto3 and the AWS CLI against moto, which verifies what the gateway signs, through the gateway.

#![allow(
    clippy::panic,
    clippy::too_many_lines,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests may fail"
)]

use serde_json::{Value, json};
use tests::{Agent, Config, Gateway, Moto, Person};

/// What alice's agents may do; `ledger/` is gated, `payments` is the one table.
const POLICIES: &str = r#"
@id("use-lake")
permit (principal in Group::"data", action == Action::"access", resource == Target::"lake");
@id("look")
permit (principal, action in [Aws::Action::"list", Aws::Action::"read", Aws::Action::"write"], resource)
when { context.service == "s3" };
@id("payments")
permit (principal, action in [Aws::Action::"read", Aws::Action::"write"], resource == Aws::Resource::"dynamodb:payments");
@id("make-tables")
permit (principal, action == Aws::Action::"write", resource)
when { context.operation == "dynamodb:CreateTable" };
@id("keep-buckets")
forbid (principal, action == Aws::Action::"write", resource) when { context.operation == "s3:DeleteBucket" };
@id("ledger-gate")
@gate("stewards")
@quorum("1")
forbid (principal, action == Aws::Action::"write", resource is Aws::Object)
when { resource.key like "ledger/*" }
unless { context.approvals.contains("stewards") };
"#;

fn result(output: &tests::Output, case: &str) -> Value {
    let lines = output.json_lines();
    let line = lines.iter().find(|line| line["case"] == case);
    line.unwrap_or_else(|| panic!("no case {case}"))["result"].clone()
}

#[test]
fn an_agent_works_with_aws_through_the_gateway() {
    let moto = Moto::start();
    let gateway = Gateway::start(
        Config::aws(&moto)
            .set(&["classes", "customer", "pattern"], r"\bKD-\d{8}\b")
            .policy("10-lake.cedar", POLICIES),
    );
    let agent = Agent::new(&gateway, "lake", &["data"]);
    let output = agent
        .cases(&[
            "identity",
            "objects",
            "checksums",
            "multipart",
            "presigned",
            "post_form",
            "masked",
            "ranges",
            "versions",
            "tables",
            "denied",
            "strangers",
            "narrowed",
        ])
        .success();
    let arn = "arn:aws:sts::000000000000:assumed-role/lake/";
    assert_eq!(result(&output, "identity"), format!("{arn}work"));
    assert_eq!(
        result(&output, "objects"),
        json!({
            "same": true,
            "listed": true,
            "head": [9, {"of": "test"}],
            "copied": "ünï/cödé.txt",
            "empty": 0,
            "deleted": ["a//b", "plus+sign"],
            "left": 7,
        })
    );
    let good = json!({"CRC32": 200, "CRC32C": 200, "CRC64NVME": 200, "SHA1": 200, "SHA256": 200});
    assert_eq!(result(&output, "checksums"), good);
    assert_eq!(
        result(&output, "multipart"),
        json!({"bytes": 12 << 20, "same": true})
    );
    assert_eq!(result(&output, "presigned"), "plain.txt");
    assert_eq!(
        result(&output, "post_form"),
        json!({
            "posted": [204, "posted"],
            "again": 403,
            "another": [204, "another"],
            "too long": 403,
            "other key": 403,
            "not signed": 403,
            "other policy": 403,
        })
    );
    let masked = result(&output, "masked");
    assert_eq!(masked["same_length"], true, "{masked}");
    let shown = masked["shown"].as_str().unwrap();
    assert!(
        !shown.contains("4111111111111111")
            && !shown.contains("536-90")
            && shown.ends_with("customer ***********\n"),
        "{shown}"
    );
    assert!(shown.starts_with("pan ****"), "{shown}");
    assert_eq!(masked["binary"], json!(["AccessDenied", 403]));
    assert_eq!(
        result(&output, "ranges"),
        json!({
            "length": true,
            "hidden": true,
            "parts": true,
            "parallel": true,
            "beyond": ["InvalidRange", 416],
            "etag": true,
            "same version": true,
            "other version": 412,
            "not changed": 304,
            "listed": false,
        })
    );
    assert_eq!(
        result(&output, "versions"),
        json!({
            "shown": ["first ***-**-4399 line\n", "second ************1111\n"],
            "part": "***-**-4399",
            "head": [true, true],
            "same": true,
            "other": 412,
            "gone": 404,
            "listed": [2, 1, true],
        })
    );
    assert_eq!(
        result(&output, "tables"),
        json!({
            "item": {"id": {"S": "1"}, "amount": {"N": "5"}},
            "denied": ["AccessDeniedException", 403],
            "both": ["AccessDeniedException", 403],
        })
    );
    assert_eq!(
        result(&output, "denied"),
        json!({
            "s3": ["AccessDenied", 403],
            "ec2": ["UnauthorizedOperation", 403],
            "iam": ["AccessDenied", 403],
            "secretsmanager": ["AccessDeniedException", 403],
            "lambda": ["AccessDeniedException", 403],
        })
    );
    assert_eq!(
        result(&output, "strangers"),
        json!({
            "no keys of ours": ["InvalidAccessKeyId", 403],
            "wrong secret": ["SignatureDoesNotMatch", 403],
            "wrong token": ["InvalidAccessKeyId", 403],
            "other role": ["AccessDenied", 403],
        })
    );
    assert_eq!(
        result(&output, "narrowed"),
        json!([format!("{arn}narrow"), 1])
    );

    let (status, config) = gateway.stop();
    assert!(status.success());
    let ledger = config.ledger();
    let permitted = ledger.permitted();
    for tag in [
        "s3:CreateBucket",
        "s3:PutObject",
        "s3:GetObject",
        "s3:UploadPart",
        "dynamodb:PutItem",
    ] {
        assert!(permitted.iter().any(|it| it == tag), "{tag}: {permitted:?}");
    }
    for tag in [
        "s3:DeleteBucket",
        "dynamodb:BatchGetItem",
        "ec2:DescribeInstances",
        "lambda:ListFunctions",
    ] {
        assert!(ledger.refused().iter().any(|it| it == tag), "{tag}");
    }
    // Every intent has its outcome, and what was masked is counted.
    let outcomes = ledger.events("outcome");
    assert_eq!(outcomes.len(), permitted.len());
    let masks = outcomes
        .iter()
        .filter_map(|it| it["outcome"]["masks"].as_array());
    let masks: Vec<_> = masks.flatten().map(|mask| mask["class"].clone()).collect();
    assert!(
        masks.contains(&json!("pan")) && masks.contains(&json!("us_ssn")),
        "{masks:?}"
    );
    let put = outcomes
        .iter()
        .filter_map(|it| it["outcome"]["tag"].as_str());
    assert!(
        put.into_iter()
            .any(|tag| tag.contains("put=5 put-sha256=2cf24dba"))
    );
    assert_eq!(
        ledger.events("session_opened").len(),
        ledger.events("session_closed").len()
    );
}

/// Secrets Manager, SSM, IAM and KMS.
const SECRETS: &str = r#"
@id("use-lake")
permit (principal, action == Action::"access", resource == Target::"lake");
@id("all")
permit (principal, action in [Aws::Action::"read", Aws::Action::"write", Aws::Action::"permissions"], resource);
"#;

#[test]
fn secrets_are_hidden_by_their_name_unless_policy_reveals_them() {
    let moto = Moto::start();
    let gateway = Gateway::start(Config::aws(&moto).policy("10-all.cedar", SECRETS));
    let agent = Agent::new(&gateway, "lake", &["data"]);
    let hidden = result(&agent.cases(&["secrets"]).success(), "secrets");
    assert_eq!(
        hidden,
        json!({
            "string": "*".repeat(26),
            "binary": "00".repeat(8),
            "name": "db",
            "parameter": "*".repeat(7),
            "key": ["bot", "*".repeat(40), "AKIA"],
            "plaintext": "00".repeat(7),
        })
    );
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let outcomes = ledger.events("outcome");
    let masks = outcomes
        .iter()
        .filter_map(|it| it["outcome"]["masks"].as_array())
        .flatten();
    let hidden: Vec<_> = masks.filter(|it| it["class"] == "secret").collect();
    assert!(hidden.len() >= 4, "{hidden:?}");

    let moto = Moto::start();
    // By its name, and by the word before it within what it holds.
    let reveal = r#"@id("reveal") permit (principal, action == Action::"reveal", resource == DataClass::"secret");
        @id("reveal-named") permit (principal, action == Action::"reveal", resource == DataClass::"generic_secret");"#;
    let config = Config::aws(&moto)
        .policy("10-all.cedar", SECRETS)
        .policy("20-reveal.cedar", reveal);
    let gateway = Gateway::start(config);
    let agent = Agent::new(&gateway, "lake", &["data"]);
    let shown = result(&agent.cases(&["secrets"]).success(), "secrets");
    assert_eq!(shown["string"], r#"{"password":"hunter2"}"#);
    assert_eq!(shown["binary"], hex("\0hunter2"));
    assert_eq!(shown["parameter"], "hunter2");
    assert_eq!(shown["plaintext"], hex("hunter2"));
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn people_are_asked_and_what_they_approved_is_what_goes() {
    let moto = Moto::start();
    let bob = Person::new("bob");
    let config = Config::aws(&moto)
        .policy("10-lake.cedar", POLICIES)
        .person(&bob);
    let gateway = Gateway::start(config);
    let agent = Agent::new(&gateway, "lake", &["data"]);
    agent.cases(&["objects"]).success();

    let held = result(&agent.cases(&["gated"]).success(), "gated");
    assert_eq!((&held[0], &held[1]), (&json!("AccessDenied"), &json!(403)));
    let message = held[2].as_str().unwrap();
    let approval = message
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .find(|word| word.starts_with("cs-"))
        .unwrap_or_else(|| panic!("{message}"))
        .to_owned();
    let _ = gateway
        .give("approve", &approval, &bob, &["stewards"])
        .success();

    // Other bytes are another command; these bytes run, once.
    let other = result(&agent.cases(&["other_bytes"]).success(), "other_bytes");
    assert_eq!(other[0], "AccessDenied");
    let same = result(&agent.cases(&["gated"]).success(), "gated");
    assert_eq!(same, "no error");
    let again = result(&agent.cases(&["gated"]).success(), "gated");
    assert_eq!(again[0], "AccessDenied");

    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let intents = ledger.events("intent");
    let approved: Vec<_> = intents
        .iter()
        .filter(|it| it["approval"] == approval)
        .collect();
    assert_eq!(approved.len(), 1);
    assert_eq!(approved[0]["command"]["tag"], "s3:PutObject");
    assert_eq!(
        approved[0]["command"]["effects"],
        json!(["write lake/ledger/2026.txt"])
    );
}

#[test]
fn the_aws_cli_works_unchanged() {
    let moto = Moto::start();
    let gateway = Gateway::start(Config::aws(&moto).policy("10-lake.cedar", POLICIES));
    let agent = Agent::new(&gateway, "lake", &["data"]);
    let file = gateway.config().directory().join("report.txt");
    let text = "a line of a report\n".repeat(700_000);
    std::fs::write(&file, &text).unwrap();
    let made = ["s3", "mb", "s3://lake"];
    agent.cli(&made).success();
    agent
        .cli(&["s3", "cp", "report.txt", "s3://lake/reports/1.txt"])
        .success();
    let listed = agent
        .cli(&["s3", "ls", "s3://lake/reports/"])
        .success()
        .stdout;
    assert!(
        listed.contains(&text.len().to_string()) && listed.contains("1.txt"),
        "{listed}"
    );
    let short = [
        "s3api",
        "get-object",
        "--bucket",
        "lake",
        "--key",
        "reports/1.txt",
        "got.txt",
    ];
    agent.cli(&short).success();
    let got = std::fs::read_to_string(gateway.config().directory().join("got.txt")).unwrap();
    assert!(got == text);
    let denied = agent.cli(&["s3", "rb", "s3://lake"]).failure().stderr;
    assert!(denied.contains("AccessDenied"), "{denied}");
    let who = agent
        .cli(&["sts", "get-caller-identity", "--output", "json"])
        .success();
    let who: Value = serde_json::from_str(&who.stdout).unwrap();
    assert_eq!(who["Account"], "000000000000");
}

#[test]
fn nobody_in_no_group_gets_keys() {
    let moto = Moto::start();
    let gateway = Gateway::start(Config::aws(&moto).policy("10-lake.cedar", POLICIES));
    let outsider = Agent::new(&gateway, "lake", &[]);
    let refused = outsider.cli(&["s3", "ls"]).failure().stderr;
    assert!(refused.contains("AssumeRoleWithWebIdentity"), "{refused}");
    let nowhere = Agent::new(&gateway, "elsewhere", &["data"]);
    assert!(
        nowhere
            .cli(&["s3", "ls"])
            .failure()
            .stderr
            .contains("AccessDenied")
    );
    let (_, config) = gateway.stop();
    let logins = config.ledger();
    let logins = logins.events("authenticated");
    assert!(
        logins.iter().any(|it| it["refused"].is_string()),
        "{logins:?}"
    );
}
