use std::collections::BTreeSet;

use model::{Agent, Identity, Proof, Secret, Timestamp};
use proptest::prelude::*;

use super::super::assume::{NoKeys, host, read, role_form, web_identity_form, who};
use crate::http::escape;

const ROLE: &str = "arn:aws:iam::123456789012:role/lake";
const SESSION: &str = "s-0190c8a1b2c-00c0ffee";

fn identity(human: &str, agent: Option<&str>) -> Identity {
    Identity {
        human: human.to_owned(),
        agent: agent.map(|name| Agent {
            name: name.to_owned(),
            instance: None,
            model: None,
        }),
        groups: BTreeSet::new(),
        proof: Proof {
            issuer: "https://issuer".to_owned(),
            subject: human.to_owned(),
            token_id: None,
            key_id: None,
            expires: Timestamp::default(),
        },
    }
}

#[test]
fn a_role_is_assumed_in_the_name_of_agent_human_and_session() {
    let who = who(
        ROLE,
        &identity("alice@example.com", Some("claude-code")),
        SESSION,
    );
    assert_eq!(who.session_name, format!("claude-code@{SESSION}"));
    assert_eq!(who.source_identity, "alice@example.com");
    let form = role_form(&who, Some("a b"), 900);
    let pairs = escape::pairs(&form).unwrap();
    let one = |name: &str| {
        let mut found = pairs.iter().filter(|(it, _)| it == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} twice");
        value.unwrap_or_else(|| panic!("no {name} in {form}"))
    };
    assert_eq!(one("Action"), "AssumeRole");
    assert_eq!(one("RoleArn"), ROLE);
    assert_eq!(one("ExternalId"), "a b");
    assert_eq!(one("DurationSeconds"), "900");
    for (index, (key, value)) in [
        ("countersign-human", "alice@example.com"),
        ("countersign-agent", "claude-code"),
        ("countersign-session", SESSION),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(one(&format!("Tags.member.{}.Key", index + 1)), *key);
        assert_eq!(one(&format!("Tags.member.{}.Value", index + 1)), *value);
    }
}

#[test]
fn a_person_without_an_agent_is_named_once() {
    let who = who(ROLE, &identity("alice", None), SESSION);
    assert_eq!(who.session_name, format!("alice@{SESSION}"));
    let names: Vec<_> = who.tags.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["countersign-human", "countersign-session"]);
}

/// Two people whom AWS would write alike stay two.
#[test]
fn names_that_had_to_be_changed_stay_apart() {
    let source = |human: &str| who(ROLE, &identity(human, None), SESSION).source_identity;
    assert_eq!(source("alice_smith"), "alice_smith");
    assert!(source("alice smith").starts_with("alice_smith-"));
    assert_ne!(source("alice smith"), source("alice/smith"));
    let (long, longer) = ("x".repeat(80), "x".repeat(81));
    assert_ne!(source(&long), source(&longer));
    assert!(source("x").len() > 1);
}

proptest! {
    /// AWS takes whatever becomes of any name: its characters and its lengths.
    #[test]
    fn aws_takes_every_name(human in "\\PC{0,300}", agent in proptest::option::of("\\PC{0,300}")) {
        let who = who(ROLE, &identity(&human, agent.as_deref()), SESSION);
        let name = |text: &str| {
            (2..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
        };
        prop_assert!(name(&who.session_name), "{}", who.session_name);
        prop_assert!(who.session_name.ends_with(SESSION));
        prop_assert!(name(&who.source_identity), "{}", who.source_identity);
        for (_, value) in &who.tags {
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"_.:/=+-@ ".contains(&b);
            prop_assert!(value.len() <= 256 && value.bytes().all(legal), "{value}");
        }
    }
}

#[test]
fn a_token_goes_into_a_form_that_cannot_print_it() {
    let token = Secret::from("a.b+c".to_owned());
    let form = web_identity_form(ROLE, "gateway", &token);
    let text = std::str::from_utf8(form.expose()).unwrap();
    assert!(
        text.contains("Action=AssumeRoleWithWebIdentity&") && text.ends_with("=a.b%2Bc"),
        "{text}"
    );
    assert!(!format!("{form:?}").contains("a.b"));
}

#[test]
fn what_sts_answers_is_read() {
    let answer = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <SourceIdentity>alice</SourceIdentity><AssumedRoleUser><Arn>arn:x</Arn></AssumedRoleUser>\
         <Credentials>\n <AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>a/b&amp;lt;</SecretAccessKey>\
         <SessionToken>t==</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>";
    let keys = read(answer.as_bytes()).unwrap();
    assert_eq!(keys.credentials.access_key, "ASIAX");
    assert_eq!(keys.credentials.secret_key.expose(), b"a/b&lt;");
    assert_eq!(keys.credentials.token, Some(Secret::from("t==".to_owned())));
    assert_eq!(
        keys.expires,
        Timestamp::parse("2026-01-01T01:00:00Z").unwrap()
    );
    let shown = format!("{keys:?}");
    assert!(!shown.contains("a/b") && !shown.contains("t=="), "{shown}");

    let refusal = b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not &quot;you&quot;</Message></Error></ErrorResponse>";
    let refused = NoKeys::Refused {
        code: "AccessDenied".to_owned(),
        message: "not \"you\"".to_owned(),
    };
    assert_eq!(read(refusal), Err(refused));
    for bad in [
        &b"<html>"[..],
        b"",
        b"\xFF",
        b"<Credentials><AccessKeyId>A</AccessKeyId></Credentials>",
    ] {
        assert_eq!(read(bad), Err(NoKeys::Unreadable));
    }
    for cut in 0..answer.len() {
        if let Ok(read) = read(&answer.as_bytes()[..cut]) {
            assert_eq!(read, keys);
        }
    }
}

#[test]
fn sts_has_a_host_in_every_region() {
    assert_eq!(host("eu-central-1"), "sts.eu-central-1.amazonaws.com");
    assert_eq!(host("cn-north-1"), "sts.cn-north-1.amazonaws.com.cn");
}
