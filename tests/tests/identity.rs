//! Who is let in: tokens of a provider that is not ours, tokens that nobody should have made, and TLS before any of them.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read the clock, and end where something is missing"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tests::{Authority, Config, Endpoint, Gateway, Issuer, Postgres, Tls};

/// Tokens may be refused for so many tries after an issuer has changed its keys: it is not asked at every one.
const TRIES_MAX: u32 = 2_000;

/// Those who come from an issuer may read, where the token says so.
const BY_GROUP: &str = r#"
@id("access")
permit (principal in Group::"readers", action == Action::"access", resource);
@id("read")
permit (principal in Group::"readers", action in [Postgres::Action::"read", Postgres::Action::"session"], resource);
"#;

fn trusting(config: Config, issuer: &Issuer, claims: &[(&str, &str)]) -> Config {
    let mut table = toml::Table::new();
    table.insert("url".to_owned(), issuer.url().into());
    table.insert("audience".to_owned(), "countersign".into());
    if !claims.is_empty() {
        let claims = claims
            .iter()
            .map(|(what, claim)| ((*what).to_owned(), (*claim).into()))
            .collect::<toml::Table>();
        table.insert("claims".to_owned(), claims.into());
    }
    let issuers = toml::Value::Array(vec![table.into()]);
    config.unset(&["issuer"]).set(&["issuers"], issuers)
}

fn let_in(endpoint: &Endpoint) -> bool {
    let output = endpoint.psql("SELECT 'in'");
    if output.code == Some(0) {
        return true;
    }
    assert!(output.stderr.contains("the token"), "{output:?}");
    false
}

fn refusal(endpoint: &Endpoint) -> String {
    endpoint.psql("SELECT 'in'").failure().stderr
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

fn identity(config: &Config) -> Value {
    let ledger = config.ledger();
    let opened = ledger.events("session_opened");
    opened.last().unwrap()["identity"].clone()
}

#[test]
fn tokens_of_another_provider_name_agent_human_and_groups() {
    let database = Postgres::shared().database();
    let mut issuer = Issuer::start();
    let config = trusting(Config::bank(&database), &issuer, &[]).policy("10.cedar", BY_GROUP);
    let gateway = Gateway::start(config);
    let claims = json!({
        "act": { "sub": "claude-code", "instance": "ci-17", "model": "a-model" },
        "groups": ["readers", "others"],
    });
    for algorithm in ["ES256", "RS256"] {
        let token = issuer.token("alice", &claims, algorithm);
        let bank = gateway.endpoint("bank", "claude-code", &token);
        assert_eq!(
            bank.psql("SELECT count(*) FROM payments")
                .success()
                .stdout
                .lines()
                .count(),
            1
        );
    }
    // The same person without the group.
    let token = issuer.token("alice", &json!({ "groups": ["others"] }), "ES256");
    let error = refusal(&gateway.endpoint("bank", "alice", &token));
    assert!(!error.contains("the token"), "{error}");
    let (_, config) = gateway.stop();
    let identity = identity(&config);
    assert_eq!(identity["human"], "alice");
    assert_eq!(identity["agent"]["name"], "claude-code");
    assert_eq!(identity["agent"]["instance"], "ci-17");
    assert_eq!(identity["agent"]["model"], "a-model");
    assert_eq!(identity["groups"], json!(["others", "readers"]));
    assert_eq!(identity["proof"]["issuer"], issuer.url());
}

#[test]
fn claims_are_mapped_as_the_configuration_says() {
    let database = Postgres::shared().database();
    let mut issuer = Issuer::start();
    let claims = [
        ("human", "on_behalf_of.login"),
        ("agent", "client_id"),
        ("groups", "roles"),
    ];
    let config = trusting(Config::bank(&database), &issuer, &claims).policy("10.cedar", BY_GROUP);
    let gateway = Gateway::start(config);
    let claims = json!({ "on_behalf_of": { "login": "alice" }, "roles": ["readers"] });
    let token = issuer.token("ci-bot", &claims, "ES256");
    assert!(let_in(&gateway.endpoint("bank", "ci-bot", &token)));
    // Without the human there is nobody to account for it.
    let token = issuer.token("ci-bot", &json!({ "roles": ["readers"] }), "ES256");
    assert!(!let_in(&gateway.endpoint("bank", "ci-bot", &token)));
    let (_, config) = gateway.stop();
    let identity = identity(&config);
    assert_eq!(identity["human"], "alice");
    assert_eq!(identity["agent"]["name"], "ci-bot");
}

#[test]
fn rotated_keys_are_fetched_and_old_ones_forgotten() {
    let database = Postgres::shared().database();
    let mut issuer = Issuer::start();
    let config = trusting(Config::bank(&database), &issuer, &[]).policy("10.cedar", BY_GROUP);
    let gateway = Gateway::start(config);
    let claims = json!({ "groups": ["readers"] });
    let old = issuer.token("alice", &claims, "ES256");
    let old = gateway.endpoint("bank", "alice", &old);
    assert!(let_in(&old));
    issuer.rotate();
    assert!(let_in(&old), "the key is still known");
    let new = issuer.token("alice", &claims, "ES256");
    let new = gateway.endpoint("bank", "alice", &new);
    assert!((0..TRIES_MAX).any(|_| let_in(&new)));
    assert!(!let_in(&old));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one forged token after the other")]
fn tokens_that_nobody_should_have_made_are_refused() {
    let database = Postgres::shared().database();
    let (mut issuer, mut stranger) = (Issuer::start(), Issuer::start());
    let config = trusting(Config::bank(&database), &issuer, &[]).policy("10.cedar", BY_GROUP);
    let gateway = Gateway::start(config);
    let good = json!({
        "iss": issuer.url(), "aud": "countersign", "sub": "alice", "groups": ["readers"],
        "iat": now(), "exp": now() + 600,
    });
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let honest = issuer.forge(&good, "own");
    assert!(let_in(&gateway.endpoint("bank", "alice", &honest)));

    let [header, claims, signature] = honest.split('.').collect::<Vec<_>>()[..] else {
        panic!("{honest}");
    };
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let none = encode(&json!({ "alg": "none" }));
    let shared = encode(&json!({ "alg": "HS256", "typ": "JWT" }));
    let tokens = [
        (
            "expired",
            issuer.forge(&with("exp", json!(now() - 3_600)), "own"),
        ),
        ("never expires", issuer.forge(&without("exp"), "own")),
        (
            "not yet",
            issuer.forge(&with("nbf", json!(now() + 3_600)), "own"),
        ),
        (
            "for others",
            issuer.forge(&with("aud", json!("another")), "own"),
        ),
        ("for nobody", issuer.forge(&without("aud"), "own")),
        ("of nobody", issuer.forge(&without("sub"), "own")),
        (
            "of another issuer",
            issuer.forge(&with("iss", json!(stranger.url())), "own"),
        ),
        ("another's key", issuer.forge(&good, "other")),
        (
            "a stranger's",
            stranger.forge(&with("iss", json!(stranger.url())), "own"),
        ),
        ("a stranger's in this name", stranger.forge(&good, "own")),
        ("none", format!("{none}.{claims}.")),
        ("none, signed", format!("{none}.{claims}.{signature}")),
        ("a shared secret", format!("{shared}.{claims}.{signature}")),
        (
            "other claims",
            format!(
                "{header}.{}.{signature}",
                encode(&with("sub", json!("carol")))
            ),
        ),
        ("cut off", honest[..honest.len() - 4].to_owned()),
        ("no signature", format!("{header}.{claims}.")),
        ("no token", "password".to_owned()),
        ("dots", "..".to_owned()),
        ("long", "a".repeat(20_000)),
    ];
    for (what, token) in &tokens {
        let error = refusal(&gateway.endpoint("bank", "alice", token));
        assert!(error.contains("the token"), "{what}: {error}");
        for part in token.split('.').filter(|part| part.len() > 20) {
            assert!(!gateway.log().contains(part), "{what} is in the log");
        }
    }
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let logins = ledger.events("authenticated");
    let refused = logins.iter().filter(|event| !event["refused"].is_null());
    // Ten of one address stand there in a minute, and how many more there were.
    assert_eq!(refused.count(), 11);
    let last = logins.last().and_then(|it| it["refused"].as_str());
    let more = format!("{} more requests", tokens.len() - 10);
    assert!(last.is_some_and(|it| it.starts_with(&more)), "{last:?}");
    assert_eq!(ledger.events("session_opened").len(), 1);
}

#[test]
fn the_built_in_issuer_is_off_unless_it_is_on() {
    let database = Postgres::shared().database();
    let on = Gateway::start(Config::bank(&database).all_permitted());
    let token = on.token("claude-code", "alice");
    let issuer = Issuer::start();
    let config = trusting(Config::bank(&database).all_permitted(), &issuer, &[]);
    let off = Gateway::start(config);
    let error = refusal(&off.endpoint("bank", "claude-code", &token));
    assert!(error.contains("the token is not accepted"), "{error}");
    let made = off.countersign(&["token", "--agent", "a", "--for", "alice"]);
    made.failure();
}

#[test]
fn the_gateways_own_certificate_is_verified() {
    let database = Postgres::shared().database();
    let authority = Authority::new("gateway");
    let certificate = authority.certificate(&["127.0.0.1"]);
    let config = Config::bank(&database).all_permitted();
    let file = |name: &str, content: &str| {
        let path = config.directory().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let files = [
        ("certificate", file("server.crt", &certificate.certificate)),
        ("key", file("server.key", &certificate.key)),
    ];
    let trusted = file("authority.pem", authority.pem());
    let untrusted = file("another.pem", Authority::new("another").pem());
    let tls: toml::Table = files
        .map(|(name, path)| (name.to_owned(), path.to_string_lossy().into_owned().into()))
        .into_iter()
        .collect();
    let gateway = Gateway::start(config.set(&["postgres", "tls"], tls));
    let bank = gateway.bank();
    let verified = bank.tls(Tls::Verified(trusted));
    assert_eq!(verified.psql("SELECT 'in'").success().stdout, "in\n");
    let error = refusal(&bank.tls(Tls::Verified(untrusted)));
    assert!(error.contains("certificate verify failed"), "{error}");
    // On loopback a client may do without.
    assert!(let_in(&bank.tls(Tls::Off)));
}

#[test]
fn the_target_is_verified_before_its_password_is_sent() {
    let database = Postgres::shared().database();
    let wrong = Authority::new("another");
    let config = Config::bank(&database).all_permitted();
    let authority = config.directory().join("another.pem");
    std::fs::write(&authority, wrong.pem()).unwrap();
    let config = config.set(
        &["targets", "bank", "ca"],
        authority.to_string_lossy().into_owned(),
    );
    let gateway = Gateway::start(config);
    let error = refusal(&gateway.bank());
    assert!(error.contains("during login"), "{error}");
    gateway.wait_for_log("invalid peer certificate");
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let reason = ledger.events("session_closed")[0]["reason"].to_string();
    assert!(reason.contains("invalid peer certificate"), "{reason}");
}

#[test]
fn every_way_to_log_in_upstream_works() {
    let database = Postgres::shared().database();
    for (user, auth) in [
        ("app", None),
        ("app_tls", None),
        ("app_md5", Some("md5")),
        ("app_plain", Some("password")),
    ] {
        let mut config = Config::bank(&database)
            .all_permitted()
            .set(&["targets", "bank", "user"], user);
        if let Some(auth) = auth {
            let auth = toml::Value::Array(vec![auth.into()]);
            config = config.set(&["targets", "bank", "auth"], auth);
        }
        let gateway = Gateway::start(config);
        let who = gateway.bank().psql("SELECT session_user").success();
        assert_eq!(who.stdout, format!("{user}\n"));
        let ssl = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        assert_eq!(gateway.bank().psql(ssl).success().stdout, "t\n");
    }
}
