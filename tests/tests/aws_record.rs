//! What recordings keep of AWS sessions: requests and answers as HTTP, and nothing protected, not even what policy reveals.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test ends where something is missing, and tells a story in one piece"
)]

use serde_json::{Value, json};
use tests::{Agent, Config, Gateway, Moto};

const POLICIES: &str = r#"
@id("use-lake")
permit (principal in Group::"data", action == Action::"access", resource == Target::"lake");
@id("all")
permit (principal, action in [Aws::Action::"list", Aws::Action::"read", Aws::Action::"write"], resource);
@id("reveal")
permit (principal, action == Action::"reveal", resource)
when { resource == DataClass::"secret" || resource == DataClass::"pan" };
@id("keep-buckets")
forbid (principal, action == Aws::Action::"write", resource) when { context.operation == "s3:DeleteBucket" };
"#;
const PAN: &str = "4111111111111111";
const SECRET: &str = "hunter2-and-more";
/// What no detector takes for a secret.
const WORD: &str = "kiwilime";

/// The lines of one request.
fn of(lines: &[Value], seq: &Value) -> Vec<Value> {
    lines
        .iter()
        .filter(|line| line["seq"] == *seq)
        .cloned()
        .collect()
}

fn asked<'a>(lines: &'a [Value], tag: &str) -> &'a Value {
    let found = lines
        .iter()
        .find(|line| line["kind"] == "asked" && line["tag"] == tag);
    found.unwrap_or_else(|| panic!("no {tag} in {lines:#?}"))
}

fn text(lines: &[Value], kind: &str) -> String {
    let of = lines
        .iter()
        .filter(|line| line["kind"] == kind || line["event"] == kind);
    of.filter_map(|line| line["data"].as_str()).collect()
}

#[test]
fn a_replay_shows_requests_and_answers_and_no_secret() {
    let moto = Moto::start();
    let config = Config::aws(&moto)
        .policy("10-lake.cedar", POLICIES)
        .set(&["targets", "lake", "recorded_bytes"], 100)
        .set(&["roles", "auditors"], vec!["audit"]);
    let gateway = Gateway::start(config);
    let agent = Agent::new(&gateway, "lake", &["data"]);
    agent.cli(&["s3", "mb", "s3://lake"]).success();
    let folder = gateway.config().directory();
    std::fs::write(
        folder.join("cards.csv"),
        format!("id,pan,city\n1,{PAN},Zürich\n"),
    )
    .unwrap();
    std::fs::write(folder.join("long.txt"), "a line of nothing\n".repeat(40)).unwrap();
    std::fs::write(folder.join("blob"), [0, 1, 2]).unwrap();
    for name in ["cards.csv", "long.txt", "blob"] {
        agent.cli(&["s3", "cp", name, "s3://lake/"]).success();
    }
    // Policy reveals both to this agent.
    let got = agent
        .cli(&["s3", "cp", "s3://lake/cards.csv", "-"])
        .success()
        .stdout;
    assert!(got.contains(PAN), "{got}");
    let parameters = ["--name", "db", "--secret-string", SECRET];
    agent
        .cli(&[&["secretsmanager", "create-secret"][..], &parameters].concat())
        .success();
    let secret = agent.cli(&["secretsmanager", "get-secret-value", "--secret-id", "db"]);
    assert!(secret.success().stdout.contains(SECRET));
    agent.cli(&["s3", "rb", "s3://lake"]).failure();
    // What answers hide by its name, in what is asked; whether there is such a thing is all the same.
    let variables = format!("Variables={{PW={WORD}}}");
    let function = ["--function-name", "f", "--environment", &variables];
    let _ = agent.cli(&[&["lambda", "update-function-configuration"][..], &function].concat());
    let parameter = format!("ParameterKey=Pw,ParameterValue={WORD}");
    let stack = [
        "--stack-name",
        "s",
        "--use-previous-template",
        "--parameters",
        &parameter,
    ];
    let _ = agent.cli(&[&["cloudformation", "update-stack"][..], &stack].concat());
    let tags = ["--resources", "i-12345678", "--tags", "Key=env,Value=prod"];
    let _ = agent.cli(&[&["ec2", "create-tags"][..], &tags].concat());

    // Everything is written and indexed after a new start.
    let (_, config) = gateway.stop();
    let gateway = Gateway::start(config);
    let auditor = gateway.token_in(None, "carol", &["audit"]);
    let audit = |arguments: &[&str]| gateway.countersign_as(&auditor, arguments).success();
    let mut lines = Vec::new();
    let mut shown = Vec::new();
    let mut people = String::new();
    for session in audit(&["sessions"]).json_lines() {
        let id = session["session"].as_str().unwrap();
        let of = ["--reason", "ticket 4711"];
        let replay = audit(&[&["replay", id, "--no-wait"][..], &of].concat());
        let view = audit(&[&["show", id][..], &of].concat()).json_lines();
        let read = audit(&[&["--output", "table", "replay", id, "--no-wait"][..], &of].concat());
        people.push_str(&read.stdout);
        for protected in [
            PAN,
            SECRET,
            WORD,
            "AWS4-HMAC-SHA256 ",
            "x-amz-security-token",
        ] {
            for output in [&replay.stdout, &read.stdout] {
                assert!(!output.contains(protected), "{protected} in {output}");
            }
        }
        // One session a process: its numbers are those of all of its lines.
        let commands: Vec<_> = replay
            .json_lines()
            .into_iter()
            .map(|mut line| {
                if line["seq"].is_u64() {
                    line["seq"] = json!(format!("{id}/{}", line["seq"]));
                }
                line
            })
            .collect();
        let told = view[0]["commands"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["tag"].clone());
        shown.extend(told);
        lines.extend(commands);
    }
    let replayed: Vec<_> = lines
        .iter()
        .filter(|it| it["kind"] == "asked")
        .map(|it| it["tag"].clone())
        .collect();
    assert_eq!(replayed, shown);

    let put = asked(&lines, "s3:PutObject");
    assert!(
        put["text"]
            .as_str()
            .unwrap()
            .contains("PUT /lake/cards.csv"),
        "{put}"
    );
    assert_eq!(
        put["command"]
            .as_str()
            .unwrap()
            .split(" --content-type")
            .next(),
        Some("aws s3api put-object --region eu-central-1 --bucket lake --key cards.csv")
    );
    let uploaded = text(&of(&lines, &put["seq"]), "put");
    assert!(
        uploaded.starts_with("id,pan,city\n1,") && uploaded.ends_with(",Zürich\n"),
        "{uploaded}"
    );
    let got = asked(&lines, "s3:GetObject");
    let got = of(&lines, &got["seq"]);
    assert_eq!(text(&got, "body"), uploaded);
    let answer = got.iter().find(|it| it["event"] == "answer").unwrap();
    assert_eq!(answer["status"], 200);
    assert!(
        answer["fields"].to_string().contains("content-length"),
        "{answer}"
    );
    let secret = asked(&lines, "secretsmanager:GetSecretValue");
    assert_eq!(
        secret["command"],
        r#"aws secretsmanager get-secret-value --region eu-central-1 --cli-input-json '{"SecretId":"db"}'"#
    );
    let body = text(&of(&lines, &secret["seq"]), "body");
    assert!(body.contains("SecretString") || body.len() == 100, "{body}");

    let asked_with = |tag: &str| asked(&lines, tag)["parameters"].to_string();
    let function = asked_with("lambda:UpdateFunctionConfiguration");
    assert!(
        function.contains("PW") && function.contains("[hidden]"),
        "{function}"
    );
    let tags = asked_with("ec2:CreateTags");
    assert!(tags.contains("Tag.1.Value=prod"), "{tags}");

    // What is longer than is kept, and what is no text, says so.
    let whys: Vec<_> = lines
        .iter()
        .filter(|it| it["event"] == "cut")
        .map(|it| it["why"].clone())
        .collect();
    assert!(
        whys.contains(&json!("it is longer than what is kept")),
        "{whys:?}"
    );
    assert!(whys.contains(&json!("it is not plain text")), "{whys:?}");
    let long = lines
        .iter()
        .filter(|it| it["kind"] == "put")
        .filter_map(|it| it["data"].as_str());
    assert!(long.into_iter().all(|data| data.len() <= 100));
    assert!(
        people.contains("$ aws s3api get-object")
            && people.contains("answer: HTTP 200")
            && people.contains("is shown:"),
        "{people}"
    );
    assert!(people.contains("refused:"), "{people}");

    // Bundles of such sessions verify.
    let bundle = gateway.config().directory().join("bundle.zip");
    let bundle = bundle.to_str().unwrap();
    let _ = audit(&[
        "evidence",
        "build",
        "--from",
        "24h",
        "--samples",
        "20",
        "-o",
        bundle,
    ]);
    let verified = audit(&["--output", "table", "evidence", "verify", bundle]).stdout;
    assert!(!verified.is_empty());
}
