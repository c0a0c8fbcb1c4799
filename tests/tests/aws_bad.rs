//! Proofs that do not hold and bodies that are not what was said of them: what the client hears, what the target gets, and what
//! the ledger tells of it.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use std::fs;
use std::net::SocketAddr;

use bytes::Bytes;
use model::{Identity, Timestamp};
use protocols::aws::credentials::{Grant, Mint};
use protocols::http::checksum::{Algorithm, Checksum};
use protocols::http::sigv4::Credentials;
use serde_json::{Value, json};
use tests::lake::{self, POLICIES};
use tests::raw::{Canned, Raw, Reply, exchange};
use tests::{Config, Gateway};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
/// In place of a key's id by mistake.
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// The logins that were refused.
fn refused(config: &Config) -> Vec<Value> {
    let ledger = config.ledger();
    let logins = ledger.events("authenticated");
    let refused = logins.into_iter().filter(|it| it["refused"].is_string());
    refused.cloned().collect()
}

/// Keys of this gateway that have ended.
fn expired(gateway: &Gateway, address: SocketAddr) -> Raw {
    let key = gateway.config().directory().join("data/keys/aws.key");
    let mint = Mint::new(&fs::read(key).unwrap()).unwrap();
    let identity = json!({
        "human": "alice", "groups": [],
        "proof": {"issuer": "https://issuer.example", "subject": "alice", "expires": "2026-01-01T00:00:00Z"},
    });
    let identity: Identity = serde_json::from_value(identity).unwrap();
    let grant = Grant {
        identity,
        target: "lake".to_owned(),
        session: "work".to_owned(),
        expires: Timestamp::from_secs(1_700_000_000),
    };
    let keys = mint.make(&grant, [7; 12]).unwrap();
    Raw { address, keys }
}

/// A form with a policy, signed with nothing.
fn form(access_key: &str, algorithm: &str) -> (String, Vec<u8>) {
    let mut body = String::new();
    for (name, value) in [
        ("key", "a"),
        ("policy", "e30="),
        ("x-amz-algorithm", algorithm),
        (
            "x-amz-credential",
            &format!("{access_key}/20260101/eu-central-1/s3/aws4_request"),
        ),
        ("x-amz-date", "20260101T000000Z"),
        ("x-amz-signature", &"0".repeat(64)),
        ("file", "content"),
    ] {
        body += &format!(
            "--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    body += "--edge--\r\n";
    let length = body.len();
    let head = format!(
        "POST /lake HTTP/1.1\r\nHost: lake\r\nContent-Type: multipart/form-data; boundary=edge\r\nContent-Length: {length}\r\n\r\n"
    );
    (head, body.into_bytes())
}

fn replaced(request: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(request.to_vec()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    text.replace(from, to).into_bytes()
}

/// A request with a proof that does not hold, the code that the client hears, the key's id and the target in the ledger, and why.
type Case = (Vec<u8>, &'static str, String, &'static str, &'static str);

fn cases(gateway: &Gateway, raw: &Raw) -> [Case; 10] {
    let signed = |raw: &Raw| raw.signed("s3", "GET", "/lake/a", &[], b"");
    let good = signed(raw);
    let id = raw.keys.access_key.clone();
    let (head, body) = form("AKIAIOSFODNN7EXAMPLE", "AWS4-HMAC-SHA256");
    let posted = [head.into_bytes(), body].concat();
    let swapped = Credentials {
        access_key: SECRET.to_owned(),
        ..raw.keys.clone()
    };
    let swapped = Raw {
        address: raw.address,
        keys: swapped,
    };
    let ended = expired(gateway, raw.address);
    let early = raw.signed_ago(-1_000, "s3", "GET", ("/lake/a", &[]), b"");
    let item = raw.put_item(&[], br#"{"TableName":"t","Item":{"id":{"S":"1"}}}"#);
    let url = raw.presigned("GET", "/lake/a", 600);
    let url = format!("GET {url} HTTP/1.1\r\nHost: {}\r\n\r\n", raw.address);
    let late = raw.signed_ago(1_000, "s3", "GET", ("/lake/a", &[]), b"");
    let own = |request, code, target, why| (request, code, id.clone(), target, why);
    let other = |request, code, id: &str, why| (request, code, id.to_owned(), "", why);
    let (no_match, unknown) = ("does not match", "not of this gateway");
    let region = replaced(&good, "/eu-central-1/", "/us-east-1/");
    let v4a = replaced(&good, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256");
    let changed = replaced(&item, "\"1\"", "\"2\"");
    let moved = replaced(url.as_bytes(), "/lake/a", "/lake/b");
    let guess = signed(&raw.with_secret("guess"));
    [
        own(guess, "SignatureDoesNotMatch", "lake", no_match),
        own(region, "SignatureDoesNotMatch", "lake", no_match),
        own(early, "RequestTimeTooSkewed", "lake", "was signed at"),
        own(late, "RequestTimeTooSkewed", "lake", "was signed at"),
        other(
            signed(&ended),
            "ExpiredToken",
            &ended.keys.access_key,
            "expired at",
        ),
        other(
            signed(&swapped),
            "InvalidAccessKeyId",
            "wJal… of 40 characters",
            unknown,
        ),
        own(v4a, "AuthorizationHeaderMalformed", "", "SigV4A"),
        own(
            changed,
            "InvalidSignatureException",
            "lake",
            "not the one that was signed",
        ),
        own(moved, "SignatureDoesNotMatch", "lake", no_match),
        other(
            posted,
            "InvalidAccessKeyId",
            "AKIAIOSFODNN7EXAMPLE",
            unknown,
        ),
    ]
}

#[test]
fn proofs_that_are_refused_stand_in_the_ledger() {
    let (target, gateway) = lake::of_canned(OK, |config| config);
    let raw = Raw::of(&gateway, "lake", &[]);
    let cases = cases(&gateway, &raw);
    for (request, code, ..) in &cases {
        let reply = exchange(raw.address, request, false);
        assert!(reply.text().contains(code), "{code}: {reply:?}");
    }
    // Who shows nothing claims nothing.
    let unsigned = format!("GET /lake/a HTTP/1.1\r\nHost: {}\r\n\r\n", raw.address);
    assert_eq!(
        exchange(raw.address, unsigned.as_bytes(), false).status,
        403
    );
    assert!(target.heads().is_empty());
    gateway.wait_for_log("login refused");
    let log = gateway.log();
    assert!(!log.contains(SECRET), "{log}");

    let (_, config) = gateway.stop();
    let logins = refused(&config);
    assert_eq!(logins.len(), cases.len(), "{logins:?}");
    for (login, (_, _, id, target, why)) in logins.iter().zip(&cases) {
        let refused = login["refused"].as_str().unwrap();
        assert!(refused.starts_with(&format!("key {id}: ")), "{refused}");
        assert!(refused.contains(why), "{why}: {refused}");
        assert_eq!(
            (&login["target"], &login["identity"]),
            (&json!(target), &Value::Null)
        );
        assert!(login["source"].as_str().unwrap().starts_with("127.0.0.1:"));
    }
    assert!(config.ledger().events("intent").is_empty());
}

#[test]
fn logins_that_keys_do_not_give_stand_in_the_ledger() {
    let (_target, gateway) = lake::of_canned(OK, |config| config);
    let raw = Raw::of(&gateway, "lake", &[]);
    let form = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=work&RoleArn=arn:aws:iam::000000000000:role/vault";
    let length = form.len().to_string();
    let fields = [
        ("content-length", length.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let ask = raw.signed("sts", "POST", "/", &fields, form.as_bytes());
    let reply = exchange(raw.address, &ask, false);
    assert_eq!(reply.status, 403, "{}", reply.text());
    let (_, config) = gateway.stop();
    let logins = refused(&config);
    assert_eq!(logins.len(), 1, "{logins:?}");
    assert_eq!(
        (&logins[0]["target"], &logins[0]["identity"]["human"]),
        (&json!("vault"), &json!("alice"))
    );
}

#[test]
fn keys_of_one_target_open_no_other() {
    let (lake, vault) = (Canned::start(OK), Canned::start(OK));
    let config = Config::canned(&lake);
    let mut other = toml::Table::new();
    other.insert("protocol".to_owned(), "aws".into());
    other.insert("region".to_owned(), "eu-central-1".into());
    other.insert(
        "endpoint".to_owned(),
        format!("http://{}", vault.address).into(),
    );
    let credentials: toml::Table =
        "access_key = \"AKIAIOSFODNN7EXAMPLE\"\nsecret_key = { file = \"lake.secret\" }"
            .parse()
            .unwrap();
    other.insert("credentials".to_owned(), credentials.into());
    let use_vault = "@id(\"use-vault\") permit (principal, action == Action::\"access\", resource == Target::\"vault\");";
    let gateway = Gateway::start(
        config
            .set(&["targets", "vault"], other)
            .policy("10-lake.cedar", POLICIES)
            .policy("11-vault.cedar", use_vault),
    );
    let (of_lake, of_vault) = (
        Raw::of(&gateway, "lake", &[]),
        Raw::of(&gateway, "vault", &[]),
    );
    let get = |url: &str| {
        let request = format!("GET {url} HTTP/1.1\r\nHost: {}\r\n\r\n", of_lake.address);
        exchange(of_lake.address, request.as_bytes(), false)
    };
    // What it was made with says where it goes.
    assert_eq!(
        get(&of_vault.presigned("GET", "/bucket/a", 600)).status,
        200
    );
    assert_eq!((lake.heads().len(), vault.heads().len()), (0, 1));
    let token = |raw: &Raw| raw.keys.token.clone().unwrap();
    let mixed = Credentials {
        token: Some(token(&of_lake)),
        ..of_vault.keys.clone()
    };
    let mixed = Raw {
        address: of_lake.address,
        keys: mixed,
    };
    let reply = get(&mixed.presigned("GET", "/bucket/a", 600));
    assert!(reply.text().contains("InvalidAccessKeyId"), "{reply:?}");
    assert_eq!((lake.heads().len(), vault.heads().len()), (0, 1));
}

/// What is written as an escape of an escape stays so, and policy is asked about what the target will understand.
#[test]
fn an_escape_is_taken_away_once() {
    let secret = r#"@id("secret") forbid (principal, action, resource is Aws::Object) when { resource.key like "secret/*" };"#;
    let (target, gateway) = lake::of_canned(OK, |config| config.policy("20-secret.cedar", secret));
    let raw = Raw::of(&gateway, "lake", &[]);
    let status = |path: &str| raw.s3("GET", path, &[], b"").status;
    let refused = [
        "/lake/secret/a",
        "/lake/secret%2Fa",
        "/lake/%73ecret/a",
        "/lake/x/../secret/a",
        "/lake/x%2f..%2fsecret%2fa",
    ];
    for path in refused {
        assert_eq!(status(path), 403, "{path}");
    }
    assert!(target.heads().is_empty(), "{:?}", target.heads());
    // Other keys: they begin with `secret%2F`, and with `%73ecret`.
    for path in ["/lake/secret%252Fa", "/lake/%2573ecret/a"] {
        assert_eq!(status(path), 200, "{path}");
        let heads = target.heads();
        assert_eq!(heads.last().unwrap()[0], format!("GET {path} HTTP/1.1"));
    }
    // No text in UTF-8, and no escapes at all.
    let good = raw.signed("s3", "GET", "/lake/a", &[], b"");
    for path in ["/lake/%c0%afsecret", "/lake/%zz", "/lake/%2"] {
        let reply = exchange(raw.address, &replaced(&good, "/lake/a", path), false);
        assert!((400..500).contains(&reply.status), "{path}: {reply:?}");
    }
    assert_eq!(target.heads().len(), 2, "{:?}", target.heads());
}

/// An S3 server behind the gateway, clients without TLS.
fn with_server() -> (tests::S3, Gateway, Raw) {
    let (server, gateway) = lake::of_s3(lake::in_clear);
    let raw = Raw::of(&gateway, "lake", &[]);
    (server, gateway, raw)
}

fn says(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert!(
        reply.text().contains(&format!("<Code>{code}</Code>")),
        "{}",
        reply.text()
    );
}

/// How the uploads ended.
fn outcomes(gateway: Gateway) -> Vec<Value> {
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let outcomes = ledger.events("outcome");
    outcomes
        .iter()
        .map(|it| it["outcome"]["status"].clone())
        .collect()
}

#[test]
fn a_body_that_was_not_signed_so_makes_no_object() {
    let (server, gateway, raw) = with_server();
    let stored = |key: &str| fs::read(server.folder().join("lake").join(key)).ok();
    let send = |request: &[u8]| exchange(raw.address, request, false);
    let whole = raw.signed(
        "s3",
        "PUT",
        "/lake/whole",
        &[("content-length", "7")],
        b"content",
    );
    let mut spoiled = whole;
    *spoiled.last_mut().unwrap() = b'x';
    says(&send(&spoiled), 400, "XAmzContentSHA256Mismatch");

    let content = Bytes::from(vec![b'a'; 300_000]);
    let flip = |at: usize| move |body: &mut Vec<u8>| body[at] ^= 1;
    for (key, at) in [("first", 1_000), ("middle", 150_000)] {
        let spoiled = raw.chunked(&format!("/lake/{key}"), &content, flip(at));
        says(&send(&spoiled), 403, "SignatureDoesNotMatch");
        assert_eq!(stored(key), None, "{key}");
    }
    let trailer = raw.chunked("/lake/trailer", &content, |body| {
        let at = body.len() - 6;
        body[at] = if body[at] == b'0' { b'1' } else { b'0' };
    });
    says(&send(&trailer), 403, "SignatureDoesNotMatch");
    assert_eq!((stored("whole"), stored("trailer")), (None, None));

    assert_eq!(
        send(&raw.chunked("/lake/good", &content, |_| {})).status,
        200
    );
    assert_eq!(stored("good").unwrap(), content);
    let withheld = json!({"stopped": "withheld"});
    let ended = outcomes(gateway);
    assert_eq!(ended.len(), 5, "{ended:?}");
    assert!(ended[..4].iter().all(|it| *it == withheld), "{ended:?}");
    assert_eq!(ended[4], "completed");
}

#[test]
fn a_checksum_that_is_not_the_bodys_makes_no_object() {
    let (server, gateway, raw) = with_server();
    let stored = |key: &str| fs::read(server.folder().join("lake").join(key)).ok();
    for algorithm in Algorithm::ALL {
        let name = algorithm.header().trim_start_matches("x-amz-checksum-");
        let sum = |text: &str| {
            let mut checksum = Checksum::new(algorithm);
            checksum.update(text.as_bytes());
            checksum.finish()
        };
        let put = |key: &str, sum: &str| {
            let body = format!("7\r\ncontent\r\n0\r\n{}:{sum}\r\n\r\n", algorithm.header());
            let fields = [
                ("content-encoding", "aws-chunked"),
                ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
                ("x-amz-decoded-content-length", "7"),
                ("x-amz-trailer", algorithm.header()),
            ];
            raw.s3("PUT", &format!("/lake/{key}"), &fields, body.as_bytes())
        };
        says(
            &put(&format!("bad-{name}"), &sum("Content")),
            400,
            "BadDigest",
        );
        assert_eq!(stored(&format!("bad-{name}")), None);
        assert_eq!(
            put(&format!("good-{name}"), &sum("content")).status,
            200,
            "{name}"
        );
        assert_eq!(stored(&format!("good-{name}")).unwrap(), b"content");

        // Told ahead, it is the target that compares it.
        let put = |key: &str, sum: &str| {
            let target = format!("/lake/{key}");
            raw.s3("PUT", &target, &[(algorithm.header(), sum)], b"content")
        };
        says(
            &put(&format!("ahead-{name}"), &sum("Content")),
            400,
            "BadDigest",
        );
    }
    let ended = outcomes(gateway);
    let good = ended.iter().filter(|it| *it == "completed").count();
    assert_eq!((good, ended.len()), (5, 15), "{ended:?}");
}

#[test]
fn what_must_be_read_whole_is_refused_where_it_is_too_large() {
    let (target, gateway) = lake::of_canned(OK, |config| config);
    let raw = Raw::of(&gateway, "lake", &[]);
    let length = (17_usize << 20).to_string();
    let fields = [("content-length", length.as_str())];
    let request = raw.signed("s3", "POST", "/lake?delete", &fields, b"");
    says(
        &exchange(raw.address, &request, false),
        400,
        "EntityTooLarge",
    );
    assert!(target.heads().is_empty());
}

/// Where policy asks what an upload carries, it is here whole before anything is permitted. It is recorded all the same.
#[test]
fn a_wrong_upload_that_was_read_ahead_is_recorded_as_refused() {
    let (target, gateway) = lake::of_canned(OK, |config| {
        config.policy("20-screened.cedar", lake::SCREENED)
    });
    let raw = Raw::of(&gateway, "lake", &[]);
    let whole = raw.signed(
        "s3",
        "PUT",
        "/lake/a",
        &[("content-length", "7")],
        b"content",
    );
    let mut spoiled = whole;
    *spoiled.last_mut().unwrap() = b'x';
    says(
        &exchange(raw.address, &spoiled, false),
        400,
        "XAmzContentSHA256Mismatch",
    );
    assert!(target.heads().is_empty());
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    assert_eq!(ledger.refused(), ["s3:PutObject"]);
    assert_eq!(ledger.events("refused")[0]["denial"]["code"], "withheld");
}

/// Whoever is refused for it is told what could be read in two ways.
#[test]
fn what_is_opaque_is_told_why() {
    let (_server, gateway, raw) = with_server();
    for (target, fields, why) in [
        (
            "/lake?list-type=2&list-type=2",
            &[][..],
            "the parameter list-type stands twice",
        ),
        (
            "/lake/a",
            &[("x-amz-odd", "1")][..],
            "the service knows no field x-amz-odd",
        ),
    ] {
        let reply = raw.s3("GET", target, fields, b"");
        assert_eq!(reply.status, 403, "{reply:?}");
        assert!(reply.text().contains(why), "{reply:?}");
    }
    drop(gateway);
}
