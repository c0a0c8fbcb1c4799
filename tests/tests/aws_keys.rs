//! Where the gateway's own AWS keys come from: a role assumed for each session, and the places where AWS's tools look. The other
//! side is moto, which verifies what is signed with keys that its own STS gave out.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests may fail"
)]

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;
use tests::{Agent, Config, Gateway, Moto};
use toml::Table;

const ALL: &str = r#"
@id("use-lake")
permit (principal in Group::"data", action == Action::"access", resource == Target::"lake");
@id("all")
permit (principal, action in [Aws::Action::"list", Aws::Action::"read", Aws::Action::"write"], resource);
"#;
const LAKE: [&str; 2] = ["targets", "lake"];

fn with_role(moto: &Moto) -> Config {
    Config::aws(moto)
        .policy("10-all.cedar", ALL)
        .set(&[LAKE[0], LAKE[1], "role", "arn"], moto.role.as_str())
        .set(&[LAKE[0], LAKE[1], "role", "external_id"], "lake-of-tests")
}

/// With a chain in place of keys.
fn with_chain(moto: &Moto, chain: Table) -> Config {
    Config::aws(moto)
        .policy("10-all.cedar", ALL)
        .set(&[LAKE[0], LAKE[1], "credentials"], chain)
}

#[test]
fn a_role_is_assumed_for_each_session_in_the_name_of_its_human() {
    let moto = Moto::watched("role");
    let gateway = Gateway::start(with_role(&moto));
    let alice = Agent::of(&gateway, "lake", "alice smith", &["data"]);
    alice.cli(&["s3", "mb", "s3://alice"]).success();
    // The role may not do this, so its keys are what the target was asked with.
    let users = alice.cli(&["iam", "list-users"]).failure().stderr;
    assert!(
        users.contains("assumed-role/lake/claude-code@s-"),
        "{users}"
    );
    let bob = Agent::of(&gateway, "lake", "bob", &["data"]);
    bob.cli(&["s3", "mb", "s3://bob"]).success();

    let (status, config) = gateway.stop();
    assert!(status.success());
    let ledger = config.ledger();
    let assumed: Vec<_> = ledger
        .events("session_opened")
        .iter()
        .map(|it| {
            assert_eq!(it["account"], moto.role);
            assert_eq!(it["assumes"]["role"], moto.role);
            (it["session"].clone(), it["assumes"].clone())
        })
        .collect();
    let requests = moto.requests();
    let asked: Vec<_> = requests
        .iter()
        .filter(|it| it.form.get("Action").is_some_and(|it| it == "AssumeRole"))
        .collect();
    // One for each session and no more, and STS was told what the ledger says.
    assert_eq!(asked.len(), assumed.len());
    for ((session, who), asked) in assumed.iter().zip(&asked) {
        assert_eq!(asked.access_key, moto.access_key);
        for (parameter, recorded) in [
            ("RoleSessionName", &who["session_name"]),
            ("SourceIdentity", &who["source_identity"]),
            ("ExternalId", &json!("lake-of-tests")),
            ("Tags.member.1.Key", &json!("countersign-human")),
            ("Tags.member.2.Key", &json!("countersign-agent")),
            ("Tags.member.3.Value", session),
        ] {
            assert_eq!(asked.form[parameter], *recorded, "{parameter}");
        }
    }
    let sources: BTreeSet<_> = assumed
        .iter()
        .filter_map(|(_, who)| who["source_identity"].as_str())
        .collect();
    assert!(sources.contains("bob"), "{sources:?}");
    assert!(
        sources.iter().any(|it| it.starts_with("alice_smith-")),
        "{sources:?}"
    );

    // Everything else was asked with the sessions' keys, which the outcomes name.
    let keys: BTreeSet<_> = requests
        .iter()
        .filter(|it| !it.form.contains_key("Action"))
        .map(|it| format!("key={}", it.access_key))
        .collect();
    assert!(
        !keys.contains(&format!("key={}", moto.access_key)),
        "{keys:?}"
    );
    let outcomes = ledger.events("outcome");
    let named: BTreeSet<_> = outcomes
        .iter()
        .filter_map(|it| it["outcome"]["tag"].as_str())
        .flat_map(str::split_whitespace)
        .filter(|word| word.starts_with("key="))
        .map(str::to_owned)
        .collect();
    assert_eq!(named, keys);
}

/// The gateway's own keys may do what is asked here; they are not used for it.
#[test]
fn nothing_is_asked_without_the_role() {
    let moto = Moto::watched("no-role");
    let gateway = Gateway::start(with_role(&moto));
    let agent = Agent::new(&gateway, "lake", &["data"]);
    let refused = agent.cli(&["s3", "mb", "s3://alice"]).failure().stderr;
    assert!(
        refused.contains("no keys of the target's account"),
        "{refused}"
    );
    gateway.wait_for_log("sts:SetSourceIdentity");
    let requests = moto.requests();
    assert!(!requests.is_empty());
    for request in &requests {
        assert_eq!(request.form["Action"], "AssumeRole", "{request:?}");
    }
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let outcomes = ledger.events("outcome");
    assert!(!outcomes.is_empty());
    for outcome in outcomes {
        assert_eq!(
            outcome["outcome"]["status"],
            json!({"stopped": "upstream_unavailable"}),
            "{outcome}"
        );
    }
}

/// The access key that S3 was asked with through this gateway.
fn key_of(moto: &Moto, config: Config) -> String {
    let gateway = Gateway::start(config);
    let agent = Agent::new(&gateway, "lake", &["data"]);
    agent.cli(&["s3", "ls"]).success();
    let asked = moto.requests();
    let listed = asked
        .iter()
        .rfind(|it| it.line.starts_with("GET ") && it.line.ends_with('/'));
    listed
        .unwrap_or_else(|| panic!("{asked:?}"))
        .access_key
        .clone()
}

#[test]
fn keys_come_from_the_environment_and_from_profiles() {
    let moto = Moto::watched("all");
    let chain = toml::toml! { chain = ["environment", "profile"] };
    let environment = with_chain(&moto, chain.clone())
        .env("AWS_ACCESS_KEY_ID", moto.access_key.as_str())
        .env("AWS_SECRET_ACCESS_KEY", moto.secret_key.as_str());
    assert_eq!(key_of(&moto, environment), moto.access_key);

    let config = with_chain(&moto, chain);
    let file = config.directory().join("credentials");
    let text = format!(
        "[bank]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        moto.access_key, moto.secret_key
    );
    fs::write(&file, text).unwrap();
    let config = config
        .env("AWS_PROFILE", "bank")
        .env("AWS_SHARED_CREDENTIALS_FILE", file.to_string_lossy());
    assert_eq!(key_of(&moto, config), moto.access_key);
}

/// The profile's own keys may only assume the role, and the role may only use S3.
#[test]
fn a_profile_may_assume_a_role_with_anothers_keys() {
    let moto = Moto::watched("role");
    let chain = toml::toml! {
        chain = ["profile"]
        profile = "lake"
    };
    let config = with_chain(&moto, chain);
    let file = config.directory().join("aws-config");
    let text = format!(
        "[profile lake]\nrole_arn = {}\nsource_profile = base\nrole_session_name = the-gateway\nexternal_id = lake-of-tests\n\
         [profile base]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        moto.role, moto.access_key, moto.secret_key
    );
    fs::write(&file, text).unwrap();
    let config = config.env("AWS_CONFIG_FILE", file.to_string_lossy());
    let key = key_of(&moto, config);
    assert!(key.starts_with("ASIA"), "{key}");
    let requests = moto.requests();
    let asked: Vec<_> = requests
        .iter()
        .filter(|it| it.form.get("Action").is_some_and(|it| it == "AssumeRole"))
        .collect();
    assert!(!asked.is_empty());
    for asked in asked {
        assert_eq!(asked.access_key, moto.access_key);
        assert_eq!(asked.form["RoleSessionName"], "the-gateway");
        assert_eq!(asked.form["ExternalId"], "lake-of-tests");
    }
}

/// What a place gives is looked at only where the chain names the place.
#[test]
fn nothing_in_the_environment_counts_unless_it_is_named() {
    let moto = Moto::watched("all");
    let config = with_chain(&moto, toml::toml! { chain = ["profile"] })
        .env("AWS_ACCESS_KEY_ID", moto.access_key.as_str())
        .env("AWS_SECRET_ACCESS_KEY", moto.secret_key.as_str());
    let Err(log) = Gateway::try_start(config) else {
        panic!("it starts without keys");
    };
    assert!(
        log.contains("target lake: there are no AWS keys") && !log.contains(&moto.secret_key),
        "{log}"
    );
}

#[test]
fn keys_come_from_the_instance_and_for_a_token() {
    let moto = Moto::watched("open");
    let instance = with_chain(&moto, toml::toml! { chain = ["container", "instance"] }).env(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        format!("http://127.0.0.1:{}", moto.port),
    );
    assert_eq!(key_of(&moto, instance), "test-key");

    let config = with_chain(&moto, toml::toml! { chain = ["web-identity"] });
    let file = config.directory().join("workload.token");
    fs::write(&file, "a.workload.token\n").unwrap();
    let config = config
        .env("AWS_ROLE_ARN", moto.role.as_str())
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_string_lossy());
    let key = key_of(&moto, config);
    assert!(key.starts_with("ASIA"), "{key}");
    let asked = moto.requests();
    let asked = asked
        .iter()
        .find(|it| it.form.contains_key("WebIdentityToken"))
        .unwrap();
    assert_eq!(
        (
            asked.form["WebIdentityToken"].as_str(),
            asked.access_key.as_str()
        ),
        ("a.workload.token", "")
    );
}
