//! What is declared of S3 objects is hidden by name, whatever it looks like, whole and in ranges.

#![allow(
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test ends where something is missing, and tells a story in one piece"
)]

use serde_json::json;
use tests::{Agent, Config, Gateway, Moto};

const POLICIES: &str = r#"
@id("use-lake")
permit (principal, action == Action::"access", resource == Target::"lake");
@id("all")
permit (principal, action in [Aws::Action::"list", Aws::Action::"read", Aws::Action::"write"], resource);
@id("reveal")
permit (principal in Group::"staff", action == Action::"reveal", resource == DataClass::"staff_code");
"#;

#[test]
fn columns_and_members_are_hidden_by_their_name() {
    let moto = Moto::start();
    let declared = toml::toml! {
        objects = [
            { bucket = "lake", prefix = "csv/", columns = { code = "staff_code" } },
            { bucket = "lake", prefix = "json/", members = { code = "staff_code" } },
        ]
    };
    let config = Config::aws(&moto)
        .policy("10-lake.cedar", POLICIES)
        .set(&["targets", "lake", "objects"], declared["objects"].clone());
    let gateway = Gateway::start(config);
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
