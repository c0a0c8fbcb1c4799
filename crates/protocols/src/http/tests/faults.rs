//! Signatures that must not hold, and what is said of them.

use model::Secret;

use super::super::Head;
use super::super::canonical::PathForm;
use super::super::sigv4::{Derived, EMPTY_SHA256, Fault, Payload, Presented, Signer, sha256};
use super::{at, example, head};

const NOW: &str = "20130524T001000Z";

fn request(text: &str, service: &str) -> Head {
    let (mut head, _) = head(text);
    let credentials = example();
    let signer = Signer {
        credentials: &credentials,
        region: "us-east-1",
        service,
        form: PathForm::of(service),
    };
    head.fields.set("x-amz-content-sha256", EMPTY_SHA256);
    let payload = Payload::Sha256(EMPTY_SHA256.to_owned());
    signer
        .sign(&mut head, &payload, at("20130524T000000Z"))
        .unwrap();
    head
}

fn presigned(service: &str, secs: i64) -> Head {
    let (mut head, _) = head("GET /test.txt HTTP/1.1\nHost:examplebucket.s3.amazonaws.com");
    let credentials = example();
    let signer = Signer {
        credentials: &credentials,
        region: "us-east-1",
        service,
        form: PathForm::of(service),
    };
    signer
        .presign(&mut head, &Payload::Unsigned, at("20130524T000000Z"), secs)
        .unwrap();
    head
}

fn verify(head: &Head, body: Option<&str>, now: &str) -> Result<Payload, Fault> {
    let presented = Presented::read(head)?;
    let verified = presented.verify(
        head,
        (&example().secret_key, &Derived::default()),
        body,
        at(now),
    )?;
    Ok(verified.payload)
}

const GET: &str = "GET /bucket/a%20b?list-type=2&prefix=x HTTP/1.1\nHost:s3.example";

/// The presigned URL of the S3 API reference ("Authenticating Requests: Using Query Parameters").
#[test]
fn the_published_presigned_url_is_made_and_holds() {
    let head = presigned("s3", 86_400);
    let query = head.query.clone().unwrap();
    assert!(
        query.ends_with(
            "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        ),
        "{query}"
    );
    assert_eq!(
        verify(&head, None, "20130524T235959Z"),
        Ok(Payload::Unsigned)
    );
    assert_eq!(
        verify(&head, Some(EMPTY_SHA256), "20130525T000000Z"),
        Ok(Payload::Unsigned)
    );
    assert!(matches!(
        verify(&head, None, "20130525T000001Z"),
        Err(Fault::Expired(_))
    ));
    assert!(matches!(
        verify(&head, None, "20130523T234459Z"),
        Err(Fault::Skewed { .. })
    ));
}

#[test]
fn a_good_request_holds_and_a_changed_one_does_not() {
    let good = request(GET, "s3");
    assert!(verify(&good, None, NOW).is_ok());
    type Change = fn(&mut Head);
    let changed: [(&str, Change); 6] = [
        ("method", |head| head.method = "DELETE".to_owned()),
        ("path", |head| head.path = "/bucket/a%20c".to_owned()),
        ("query", |head| {
            head.query = Some("list-type=2&prefix=y".to_owned())
        }),
        ("more query", |head| {
            head.query = Some("list-type=2&prefix=x&x=".to_owned())
        }),
        ("host", |head| head.fields.set("host", "other.example")),
        ("date", |head| {
            head.fields.set("x-amz-date", "20130524T000001Z")
        }),
    ];
    for (what, change) in changed {
        let mut other = good.clone();
        change(&mut other);
        assert_eq!(verify(&other, None, NOW), Err(Fault::Mismatch), "{what}");
    }
    let other = Presented::read(&good).unwrap();
    let wrong = Secret::from("another".to_owned());
    assert_eq!(
        other
            .verify(&good, (&wrong, &Derived::default()), None, at(NOW))
            .unwrap_err(),
        Fault::Mismatch
    );
    assert_eq!(verify(&good, Some(&"0".repeat(64)), NOW), Err(Fault::Body));
}

#[test]
fn another_escape_of_the_same_key_holds_for_s3_alone() {
    // Signed as the client escaped it, `(` in clear.
    let mut head = request("GET /bucket/a(1) HTTP/1.1\nHost:h", "s3");
    assert!(verify(&head, None, NOW).is_ok());
    head.path = "/bucket/a%281%29".to_owned();
    assert!(verify(&head, None, NOW).is_ok());
    head.path = "/bucket/a%282%29".to_owned();
    assert_eq!(verify(&head, None, NOW), Err(Fault::Mismatch));
}

#[test]
fn clocks_may_differ_by_a_quarter_of_an_hour() {
    let head = request(GET, "s3");
    for (now, holds) in [
        ("20130524T001500Z", true),
        ("20130524T001501Z", false),
        ("20130523T234500Z", true),
        ("20130523T234459Z", false),
    ] {
        let verified = verify(&head, None, now);
        assert_eq!(verified.is_ok(), holds, "{now}");
        assert!(holds || matches!(verified, Err(Fault::Skewed { .. })));
    }
}

#[test]
fn what_must_be_signed_is() {
    let mut head = request(GET, "s3");
    head.fields.push("X-Amz-Acl", "public-read");
    assert_eq!(
        verify(&head, None, NOW),
        Err(Fault::NotSigned("x-amz-acl".to_owned()))
    );
    let mut head = request(GET, "s3");
    head.fields.push("user-agent", "anything");
    assert!(verify(&head, None, NOW).is_ok());
    let authorization = head
        .fields
        .one("authorization")
        .unwrap()
        .replace("host;", "");
    head.fields.set("authorization", authorization);
    assert_eq!(
        verify(&head, None, NOW),
        Err(Fault::NotSigned("host".to_owned()))
    );
}

#[test]
fn malformed_signatures_are_told_apart() {
    let with = |authorization: &str| {
        let mut head = request(GET, "s3");
        head.fields.set("authorization", authorization);
        verify(&head, None, NOW).unwrap_err()
    };
    let credential = "Credential=A/20130524/us-east-1/s3/aws4_request";
    let good = "Signature=00";
    assert_eq!(with("AWS4-ECDSA-P256-SHA256 Credential=A"), Fault::SigV4A);
    assert_eq!(with("AWS AKID:signature"), Fault::Algorithm);
    assert_eq!(with("Bearer token"), Fault::Algorithm);
    for text in [
        "AWS4-HMAC-SHA256".to_owned(),
        format!("AWS4-HMAC-SHA256 {credential}, {good}"),
        format!("AWS4-HMAC-SHA256 {credential}, {credential}, SignedHeaders=host, {good}"),
        format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=x-amz-date;host, {good}"),
        format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=Host, {good}"),
        format!(
            "AWS4-HMAC-SHA256 {credential}, SignedHeaders=absent;host;x-amz-content-sha256;x-amz-date, {good}"
        ),
        format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, {good}, More=1"),
        format!(
            "AWS4-HMAC-SHA256 Credential=A/us-east-1/s3/aws4_request, SignedHeaders=host, {good}"
        ),
        format!(
            "AWS4-HMAC-SHA256 Credential=A/20130525/us-east-1/s3/aws4_request, SignedHeaders=host, {good}"
        ),
        format!(
            "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws5_request, SignedHeaders=host, {good}"
        ),
        format!(
            "AWS4-HMAC-SHA256 Credential=A/20130524/us east/s3/aws4_request, SignedHeaders=host, {good}"
        ),
    ] {
        assert!(matches!(with(&text), Fault::Malformed(_)), "{text}");
    }
    let (head, _) = head("GET / HTTP/1.1\nHost:h");
    assert_eq!(verify(&head, None, NOW), Err(Fault::Missing));
    let mut both = request(GET, "s3");
    both.query = presigned("s3", 60).query;
    assert_eq!(verify(&both, None, NOW), Err(Fault::Twice));
    let mut twice = presigned("s3", 60);
    twice.query = twice
        .query
        .map(|query| format!("{query}&X-Amz-Date=20130524T000000Z"));
    assert!(matches!(
        verify(&twice, None, NOW),
        Err(Fault::Malformed(_))
    ));
    assert!(matches!(
        verify(&presigned("s3", 604_801), None, NOW),
        Err(Fault::Malformed(_))
    ));
    assert!(matches!(
        verify(&presigned("s3", 0), None, NOW),
        Err(Fault::Malformed(_))
    ));
    let mut two_hosts = request(GET, "s3");
    two_hosts.fields.push("host", "other.example");
    assert!(matches!(
        verify(&two_hosts, None, NOW),
        Err(Fault::Malformed(_))
    ));
    let mut bad = request(GET, "s3");
    bad.query = Some("prefix=%zz".to_owned());
    assert!(matches!(verify(&bad, None, NOW), Err(Fault::Malformed(_))));
}

/// A service that does not carry its body's digest means the body itself.
#[test]
fn without_a_stated_digest_the_body_counts() {
    let (mut head, _) = head("POST / HTTP/1.1\nHost:dynamodb.example\nX-Amz-Target:T.Op");
    let credentials = example();
    let signer = Signer {
        credentials: &credentials,
        region: "us-east-1",
        service: "dynamodb",
        form: PathForm::USUAL,
    };
    let body = super::super::sigv4::sha256(b"{}");
    signer
        .sign(
            &mut head,
            &Payload::Sha256(body.clone()),
            at("20130524T000000Z"),
        )
        .unwrap();
    assert_eq!(verify(&head, Some(&body), NOW), Ok(Payload::Sha256(body)));
    assert_eq!(verify(&head, Some(EMPTY_SHA256), NOW), Err(Fault::Mismatch));
    assert_eq!(verify(&head, None, NOW), Err(Fault::Mismatch));
}

/// The four signed requests of the S3 API reference ("Signature Calculations for the Authorization Header: Transferring Payload
/// in a Single Chunk"), made and verified: S3 escapes a path once and signs what is in the body.
#[test]
fn the_published_requests_of_s3_are_made_and_hold() {
    let welcome = sha256(b"Welcome to Amazon S3.");
    for (request, payload, signature) in [
        (
            "GET /test.txt HTTP/1.1\nHost:examplebucket.s3.amazonaws.com\nRange:bytes=0-9",
            EMPTY_SHA256,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT /test%24file.text HTTP/1.1\nHost:examplebucket.s3.amazonaws.com\nDate:Fri, 24 May 2013 00:00:00 GMT\n\
             x-amz-storage-class:REDUCED_REDUNDANCY",
            welcome.as_str(),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET /?lifecycle HTTP/1.1\nHost:examplebucket.s3.amazonaws.com",
            EMPTY_SHA256,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET /?max-keys=2&prefix=J HTTP/1.1\nHost:examplebucket.s3.amazonaws.com",
            EMPTY_SHA256,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        let (mut head, _) = head(request);
        head.fields.set("x-amz-content-sha256", payload);
        let credentials = example();
        let signer = Signer {
            credentials: &credentials,
            region: "us-east-1",
            service: "s3",
            form: PathForm::S3,
        };
        let stated = Payload::Sha256(payload.to_owned());
        let signed = signer
            .sign(&mut head, &stated, at("20130524T000000Z"))
            .unwrap();
        assert_eq!(signed.signature, signature, "{request}");
        assert_eq!(verify(&head, Some(payload), NOW), Ok(stated), "{request}");
        head.fields.set("x-amz-content-sha256", sha256(b"another"));
        assert_eq!(verify(&head, None, NOW), Err(Fault::Mismatch), "{request}");
    }
}

/// Clients of HTTP/2 sign `:authority` for `host`.
#[test]
fn an_authority_counts_as_a_host() {
    let mut signed = head("GET /b/k HTTP/1.1\nHost:h").0;
    signed.fields.remove("host");
    signed.fields.push(":authority", "h");
    signed.fields.set("x-amz-content-sha256", EMPTY_SHA256);
    let credentials = example();
    let signer = Signer {
        credentials: &credentials,
        region: "us-east-1",
        service: "s3",
        form: PathForm::S3,
    };
    let payload = Payload::Sha256(EMPTY_SHA256.to_owned());
    signer
        .sign(&mut signed, &payload, at("20130524T000000Z"))
        .unwrap();
    signed.fields.push("host", "h");
    assert!(verify(&signed, None, NOW).is_ok());
    signed.fields.set(":authority", "other");
    assert_eq!(verify(&signed, None, NOW), Err(Fault::Mismatch));
    signed.fields.remove(":authority");
    assert!(verify(&signed, None, NOW).is_err());
}
