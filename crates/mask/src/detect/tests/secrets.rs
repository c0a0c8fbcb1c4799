//! Numbers of persons that need a word, and secrets that carry a mark.

use super::{clean, finds, found};
use crate::detect::{Hint, Kind, LOOK_CHARS_MAX};

/// Prefix and the rest apart, so that this file itself holds no token.
fn token(prefix: &str, chars: usize) -> String {
    let rest = "aB3dE5gH7jK9mN1pQ2sT4vW6yZ8".chars().cycle().take(chars);
    format!("{prefix}{}", rest.collect::<String>())
}

#[test]
fn numbers_of_persons_are_what_the_words_before_them_say() {
    for (kind, text, value) in [
        (Kind::Itin, "912-70-1234", "912-70-1234"),
        (Kind::Itin, "ITIN 912701234", "912701234"),
        (Kind::Ein, "EIN: 12-3456789", "12-3456789"),
        (Kind::Ein, "tax id 12-3456789", "12-3456789"),
        (Kind::Account, "account number 12345678", "12345678"),
        (Kind::Account, "account number\u{0}12345678", "12345678"),
        (
            Kind::Account,
            "\"acct_no\": \"000123456789\"",
            "000123456789",
        ),
        (Kind::Passport, "passport no. 123456780", "123456780"),
        (Kind::Passport, "Passport A12345678", "A12345678"),
        (Kind::License, "driver's license D1234567", "D1234567"),
        (Kind::License, "driverLicense=12345678", "12345678"),
        (Kind::Birth, "DOB 1980-02-01", "1980-02-01"),
        (Kind::Birth, "date_of_birth=02/01/1980", "02/01/1980"),
        (Kind::Birth, "born 31.12.1980", "31.12.1980"),
        (Kind::Birth, "birthDate: 19800201", "19800201"),
        (Kind::Phone, "+14155552671", "+14155552671"),
        (Kind::Phone, "call +4915112345678.", "+4915112345678"),
        (Kind::Phone, "phone (415) 555-2671", "(415) 555-2671"),
        (Kind::Phone, "tel: +49 151 12345678", "+49 151 12345678"),
        (Kind::Phone, "mobile=4155552671", "4155552671"),
    ] {
        finds(kind, text, value);
    }
    for text in [
        "912-69-1234",
        "912701234",
        "12-3456789",
        "account 12345678",
        "account number 12345",
        "account number: 1, order 12345678",
        "order 12345678 of account number",
        "A12345678",
        "D1234567",
        "1980-02-01",
        "dob 1980-13-41",
        "phones 7, order 4155552671",
        "version 415.555.2671",
        "415-555-2671",
        "x+14155552671",
        "\n+4155552671 added",
        "+12345678",
        "1e+4155552671",
    ] {
        clean(text);
    }
    let named = |column, text| {
        let found = found(Hint::column(column), text);
        found.first().map(|(kind, _)| *kind)
    };
    assert_eq!(named("birth_date", "1980-02-01"), Some(Kind::Birth));
    assert_eq!(named("passport_number", "123456780"), Some(Kind::Passport));
    assert_eq!(named("account_number", "1234567"), Some(Kind::Account));
    assert_eq!(named("ein", "123456789"), Some(Kind::Ein));
    assert_eq!(named("created_on", "1980-02-01"), None);
    assert_eq!(named("account_id", "12345678"), None);
}

#[test]
fn tokens_of_providers_are_found_by_their_prefix() {
    for (prefix, chars) in [
        ("ghp_", 36),
        ("github_pat_", 82),
        ("glpat-", 20),
        ("xoxb-", 20),
        ("sk_live_", 24),
        ("AIza", 35),
        ("npm_", 36),
        ("sk-ant-", 95),
    ] {
        let token = token(prefix, chars);
        finds(Kind::Token, &token, &token);
        finds(Kind::Token, &format!("key=\"{token}\";"), &token);
        clean(&token[..token.len() / 3]);
        clean(&format!("z{token}"));
    }
    let id = token("AK", 0) + "IAIOSFODNN7EXAMPLE";
    finds(Kind::AwsId, &format!("id {id}, "), &id);
    clean(&format!("{id}X"));
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for text in [
        format!("aws_secret_access_key = {secret}"),
        format!("{{\"SecretAccessKey\":\"{secret}\"}}"),
    ] {
        finds(Kind::AwsSecret, &text, secret);
    }
    clean(secret);
    clean("secret da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

#[test]
fn passwords_stand_in_urls_and_connection_strings() {
    for (text, value) in [
        ("postgres://app:hunter2@localhost/bank", "hunter2"),
        ("amqp://a:p@ss@localhost:5672", "p@ss"),
        ("host=db password=hunter2 dbname=x", "hunter2"),
        ("password='hunter two'", "hunter two"),
        ("?user=a&password=hunter2&x=1", "hunter2"),
        ("PGPASSWORD=hunter2 psql", "hunter2"),
        ("Server=db;Uid=app;Pwd=hunter2;", "hunter2"),
        ("passwd=hunter2", "hunter2"),
    ] {
        finds(Kind::Password, text, value);
    }
    // No address, though it looks like one.
    for text in [
        "postgres://app:hunter2@db.example.com/x",
        "sftp://john.doe:hunter2@files.example.com",
    ] {
        finds(Kind::Password, text, "hunter2");
        assert_eq!(found(Hint::NONE, text).len(), 1, "{text}");
    }
    for text in [
        "mailto:hunter2@example.com",
        "https://john@example.com/",
        "see https://a.io: b@example.com",
        "://u:$john@example.com",
    ] {
        assert_eq!(found(Hint::NONE, text)[0].0, Kind::Email, "{text}");
    }
    for text in [
        "https://example.com:8080/a",
        "http://user@localhost/",
        "postgres://app:$PASSWORD@localhost/",
        "password=$PGPASSWORD",
        "password=********",
        "connect(password=word)",
        "password=null",
        "password = ?",
        "cwd=/home/somebody",
        "crowd=hunter2",
        "password = \"os.environ['TOKEN']\"",
        "password: \"changeme\"",
    ] {
        clean(text);
    }
}

#[test]
fn private_keys_and_web_tokens_are_found_whole_or_as_far_as_is_judged() {
    let body = token("MIIE", 60);
    let key = format!("-----BEGIN PRIVATE KEY-----\n{body}\n{body}\n-----END PRIVATE KEY-----");
    finds(Kind::PrivateKey, &format!("a\n{key}\nb"), &key);
    let escaped = key.replace('\n', "\\n");
    finds(
        Kind::PrivateKey,
        &format!("{{\"k\":\"{escaped}\"}}"),
        &escaped,
    );
    clean(&key.replace("PRIVATE", "PUBLIC"));
    clean("it begins with -----BEGIN PRIVATE KEY----- and ends somewhere");
    let jwt = format!(
        "{}.{}.{}",
        token("eyJ", 30),
        token("eyJ", 90),
        token("S", 40)
    );
    finds(Kind::Jwt, &format!("Bearer {jwt}\r\n"), &jwt);
    clean(&jwt[..40]);
    let long = format!("{}.{}", token("eyJ", 30), token("eyJ", 5000));
    let [(Kind::Jwt, judged)] = &found(Hint::NONE, &long)[..] else {
        panic!("one token")
    };
    assert_eq!(judged.len(), LOOK_CHARS_MAX);
}

#[test]
fn keys_of_putty_are_found_line_by_line() {
    let line = token("AAAA", 60);
    for end in ["\n", "\r\n", "\\n", "\\r\\n"] {
        let key = [&line[..], "nr+/aB3d="].join(end);
        let text = format!(
            "Public-Lines: 1{end}{line}{end}Private-Lines: 2{end}{key}{end}Private-MAC: 12ab"
        );
        finds(Kind::PrivateKey, &text, &key);
    }
    let lines = vec![&line[..]; 20].join("\n");
    let long = format!("Private-Lines: 20\n{lines}\nPrivate-MAC: 12ab");
    let [(Kind::PrivateKey, judged)] = &found(Hint::NONE, &long)[..] else {
        panic!("one key")
    };
    assert_eq!(judged.len(), LOOK_CHARS_MAX);
    let masked = crate::tests::shown(&crate::tests::masker(), &long).unwrap();
    assert!(
        !masked.contains(&line[..40]) && masked.contains("-MAC: 12ab"),
        "{masked}"
    );
    clean("Private-Lines: 3\nand more");
}

#[test]
fn what_only_looks_like_a_token_stays() {
    let hex = "d41d8cd98f00b204e9800998ecf8427e";
    for text in [
        format!("cache-key-{hex}"),
        format!("restore/key-{hex}"),
        format!("DAC{hex} and RISK{hex}"),
        format!("key-{hex}00"),
        format!("AC{hex}f0"),
        "2f1d8c7e-5b1c-4c55-9d0e-0242ac120002 v1.0-rc.1 dp.pt.x r8_count sk-button--primary-outline".to_owned(),
        "glrt-short key-value-store-with-a-long-name risk-assessment-2024-09-01T00".to_owned(),
        "https://hooks.slack.com/services/ and https://discord.com/api/webhooks/".to_owned(),
        format!("12345678:AB{hex}"),
        format!("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ+EAAA{hex}{hex}"),
    ] {
        clean(&text);
    }
}

#[test]
fn client_secrets_of_entra_are_found_by_what_stands_in_them() {
    let secret = format!("a1~8Q~{}", token("", 34));
    finds(Kind::Token, &format!("value {secret}, "), &secret);
    clean(&format!("bb{secret}"));
    clean(&secret[..30]);
}

#[test]
fn a_name_before_what_has_no_form_of_its_own_still_tells() {
    for value in [
        "ghp_1x2y3z4a5b6c7d8e",
        "eyJ1x2y3z4a5b6c7d8e",
        "sk-1x2y3z4a5b6c7d8e",
    ] {
        finds(Kind::Secret, &format!("api_key={value}"), value);
    }
}

#[test]
fn addresses_of_machines_are_found_when_asked_for() {
    for (text, addresses) in [
        (
            "from 10.0.0.12:5432 to 192.168.1.1.",
            &["10.0.0.12", "192.168.1.1"][..],
        ),
        ("[2001:db8::1]:443", &["2001:db8::1"]),
        ("::ffff:10.0.0.1", &["::ffff:10.0.0.1"]),
        (
            "at 10:23:45, v1.2.3, 1.2.3.4.5, 300.1.1.1 and a::method",
            &[],
        ),
    ] {
        let mut matches = Vec::new();
        crate::detect::find_ip(text.as_bytes(), 0, &mut matches);
        let shown: Vec<_> = matches
            .iter()
            .map(|one| &text[one.start..one.end])
            .collect();
        assert_eq!(shown, addresses, "in {text:?}");
        clean(text);
    }
}
