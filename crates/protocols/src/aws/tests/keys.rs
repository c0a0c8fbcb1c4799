//! Keys that agents hold, and STS.

use std::collections::BTreeSet;

use model::{Agent, Identity, Proof, Secret, Timestamp};

use super::super::credentials::{BadKeys, Grant, Mint};
use super::super::sts::{self, Ask, Role};
use crate::http::date;

fn grant() -> Grant {
    Grant {
        identity: Identity {
            human: "alice@example.com".to_owned(),
            agent: Some(Agent {
                name: "claude".to_owned(),
                instance: None,
                model: None,
            }),
            groups: BTreeSet::from(["dev".to_owned()]),
            proof: Proof {
                issuer: "https://issuer.example".to_owned(),
                subject: "alice@example.com".to_owned(),
                token_id: None,
                key_id: None,
                expires: Timestamp::from_secs(2_000),
            },
        },
        target: "lake".to_owned(),
        session: "work".to_owned(),
        expires: Timestamp::from_secs(1_000),
    }
}

const NOW: i64 = 999;

fn token_of(keys: &crate::http::sigv4::Credentials) -> Option<String> {
    let token = keys.token.as_ref()?;
    Some(String::from_utf8(token.expose().to_vec()).unwrap())
}

#[test]
fn keys_carry_what_they_stand_for() {
    let mint = Mint::new(&[7; 32]).unwrap();
    let keys = mint.make(&grant(), [1; 12]).unwrap();
    assert_eq!(
        (keys.access_key.len(), keys.secret_key.expose().len()),
        (20, 40)
    );
    let open = |mint: &Mint, secs| {
        mint.open(
            &keys.access_key,
            token_of(&keys).as_deref(),
            Timestamp::from_secs(secs),
        )
    };
    // Another replica with the same key.
    let replica = Mint::new(&[7; 32]).unwrap();
    assert_eq!(open(&replica, NOW), Ok((grant(), keys.secret_key.clone())));
    assert_eq!(
        open(&mint, 1_000),
        Err(BadKeys::Expired(Timestamp::from_secs(1_000)))
    );
    assert_eq!(
        open(&Mint::new(&[8; 32]).unwrap(), NOW),
        Err(BadKeys::Unknown)
    );

    let other = mint.make(&grant(), [2; 12]).unwrap();
    assert_ne!(other.access_key, keys.access_key);
    assert_ne!(other.secret_key, keys.secret_key);
    let swapped = mint.open(
        &other.access_key,
        token_of(&keys).as_deref(),
        Timestamp::from_secs(NOW),
    );
    assert_eq!(swapped, Err(BadKeys::Unknown));
    assert_eq!(
        mint.open(&keys.access_key, None, Timestamp::from_secs(NOW)),
        Err(BadKeys::Unknown)
    );
    // What is sealed is not readable.
    let token = token_of(&keys).unwrap();
    assert!(!token.contains(&hex::encode("alice")) && !token.contains("YWxpY2"));
}

#[test]
fn a_token_with_any_byte_changed_does_not_open() {
    let mint = Mint::new(&[7; 32]).unwrap();
    let keys = mint.make(&grant(), [1; 12]).unwrap();
    let token = token_of(&keys).unwrap();
    for place in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let opened = mint.open(&keys.access_key, Some(&changed), Timestamp::from_secs(NOW));
        assert_eq!(opened, Err(BadKeys::Unknown), "{place}");
    }
    for cut in 0..token.len() {
        let opened = mint.open(
            &keys.access_key,
            token.get(..cut),
            Timestamp::from_secs(NOW),
        );
        assert_eq!(opened, Err(BadKeys::Unknown), "{cut}");
    }
}

fn role(secs: i64) -> Role {
    Role {
        target: "lake".to_owned(),
        session: "work".to_owned(),
        secs,
    }
}

const ROLE: &str = "Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Flake&RoleSessionName=work";

#[test]
fn requests_to_sts_are_read() {
    let read = |form: &str| sts::read("", form.as_bytes());
    assert_eq!(
        read(&format!(
            "Action=AssumeRoleWithWebIdentity&WebIdentityToken=a.b.c&{ROLE}"
        )),
        Ok(Ask::WebIdentity {
            token: "a.b.c".to_owned(),
            role: role(3_600),
        })
    );
    assert_eq!(
        read(&format!("Action=AssumeRole&DurationSeconds=900&{ROLE}")),
        Ok(Ask::Role(role(900)))
    );
    assert_eq!(
        read("Action=GetSessionToken"),
        Ok(Ask::SessionToken { secs: 3_600 })
    );
    assert_eq!(
        sts::read("Action=GetCallerIdentity&Version=2011-06-15", b""),
        Ok(Ask::CallerIdentity)
    );
    for (form, code) in [
        ("", "ValidationError"),
        ("Action=AssumeRole", "ValidationError"),
        ("Action=GetFederationToken", "InvalidAction"),
        (
            "Action=GetCallerIdentity&Version=2000-01-01",
            "InvalidAction",
        ),
        (
            "Action=GetSessionToken&DurationSeconds=899",
            "ValidationError",
        ),
        (
            "Action=GetSessionToken&Action=GetCallerIdentity",
            "ValidationError",
        ),
        (
            "Action=AssumeRole&RoleArn=lake&RoleSessionName=work",
            "ValidationError",
        ),
        (
            "Action=AssumeRole&RoleArn=arn:aws:iam::1:role/&RoleSessionName=work",
            "ValidationError",
        ),
        (
            "Action=AssumeRole&RoleArn=arn:aws:iam::1:role/a&RoleSessionName=w",
            "ValidationError",
        ),
    ] {
        assert_eq!(read(form).unwrap_err().code, code, "{form}");
    }
    // What would narrow rights is refused and not passed over.
    for more in [
        "&Policy=%7B%7D",
        "&PolicyArns.member.1.arn=x",
        "&Tags.member.1.Key=x",
        // And so is what somebody would rely on.
        "&SourceIdentity=bob",
        "&SerialNumber=arn:aws:iam::1:mfa/bob&TokenCode=123456",
    ] {
        let wrong = read(&format!("Action=AssumeRole&{ROLE}{more}")).unwrap_err();
        assert_eq!(wrong.code, "ValidationError");
    }
}

#[test]
fn answers_of_sts_have_the_documented_form() {
    let keys = crate::http::sigv4::Credentials {
        access_key: "CSGWA".to_owned(),
        secret_key: Secret::from("s/+&".to_owned()),
        token: Some("t".to_owned().into()),
    };
    let grant = Grant {
        expires: date::read("20260102T030405Z").unwrap(),
        ..grant()
    };
    let ask = Ask::WebIdentity {
        token: String::new(),
        role: role(900),
    };
    assert_eq!(
        sts::keys(&ask, &grant, &keys, "r"),
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult>\
         <SubjectFromWebIdentityToken>alice@example.com</SubjectFromWebIdentityToken>\
         <Provider>https://issuer.example</Provider>\
         <AssumedRoleUser><Arn>arn:aws:sts::000000000000:assumed-role/lake/work</Arn>\
         <AssumedRoleId>CSGWA:work</AssumedRoleId></AssumedRoleUser>\
         <Credentials><AccessKeyId>CSGWA</AccessKeyId><SecretAccessKey>s/+&amp;</SecretAccessKey>\
         <SessionToken>t</SessionToken><Expiration>2026-01-02T03:04:05Z</Expiration></Credentials>\
         </AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\
         </AssumeRoleWithWebIdentityResponse>"
    );
    let caller = sts::caller(&grant, "CSGWA", "r");
    assert!(caller.contains(
        "<Arn>arn:aws:sts::000000000000:assumed-role/lake/work</Arn><UserId>CSGWA:work</UserId>"
    ));
}
