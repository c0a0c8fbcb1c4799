//! What is hidden in AWS's answers tells nothing by another way, and does no harm to whoever uses what stands in its place.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tests::lake;
use tests::raw::{Canned, Raw, Reply, exchange};
use tests::{Config, Gateway};

const REVEALED: &str = r#"
@id("secrets")
permit (principal in Group::"crypto", action == Action::"reveal", resource == DataClass::"secret");
"#;

fn canned(answer: &str) -> (Canned, Gateway) {
    let configure = |config: Config| config.policy("20-reveal.cedar", REVEALED);
    lake::of_canned(answer, configure)
}

/// An answer with these fields and this body.
fn saying(status: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// A call in JSON.
fn call(raw: &Raw, service: &str, operation: &str, body: &[u8]) -> Reply {
    let length = body.len().to_string();
    let fields = [
        ("content-length", length.as_str()),
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", operation),
    ];
    exchange(
        raw.address,
        &raw.signed(service, "POST", "/", &fields, body),
        false,
    )
}

/// Each half of a card number is none.
#[test]
fn a_part_of_what_another_service_gives_is_withheld() {
    let half = saying(
        "206 Partial Content",
        "Content-Type: text/plain\r\nContent-Range: bytes 0-7/16\r\n",
        "41111111",
    );
    let (_target, gateway) = canned(&half);
    let raw = Raw::of(&gateway, "lake", &[]);
    let path = "/-/vaults/records/jobs/1/output";
    let fields = [
        ("range", "bytes=0-7"),
        ("x-amz-glacier-version", "2012-06-01"),
    ];
    let request = raw.signed("glacier", "GET", path, &fields, b"");
    let reply = exchange(raw.address, &request, false);
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert!(
        reply.text().contains("is a part of something"),
        "{}",
        reply.text()
    );
}

#[test]
fn all_fields_that_somebody_wrote_are_searched() {
    let fields = "Content-Type: text/plain; of=4111111111111111\r\nCache-Control: max-age=1, of=4111111111111111\r\n\
                  Content-Language: 4111111111111111\r\nContent-Encoding: 4111111111111111\r\nx-amzn-errormessage: no 4111111111111111\r\n\
                  x-amz-expiration: rule-id=\"4111111111111111\"\r\nLocation: /4111111111111111\r\nx-amz-request-id: 4111111111111111\r\n";
    let (_target, gateway) = canned(&saying("200 OK", fields, ""));
    let raw = Raw::of(&gateway, "lake", &[]);
    let got = raw.s3("HEAD", "/lake/a", &[], b"");
    assert_eq!(got.status, 200);
    let (shown, whole): (Vec<_>, Vec<_>) = got
        .fields
        .iter()
        .filter(|(_, value)| value.contains("1111"))
        .partition(|(_, value)| value.contains("************1111"));
    assert_eq!(shown.len(), 7, "{shown:?}");
    // What the target makes itself stays.
    assert_eq!(whole.len(), 1, "{whole:?}");
}

/// Where the target sends clients to is no gateway.
#[test]
fn nobody_is_sent_elsewhere() {
    let fields = "Location: https://lake.s3.eu-west-1.amazonaws.com/a\r\n";
    let (_target, gateway) = canned(&saying("307 Temporary Redirect", fields, ""));
    let got = Raw::of(&gateway, "lake", &[]).s3("GET", "/lake/a", &[], b"");
    assert_eq!((got.status, got.field("location")), (307, None));
}

#[test]
fn no_key_of_zeros_is_given_to_whoever_would_use_it() {
    let key = r#"{"CiphertextBlob":"Zm9v","KeyId":"k","Plaintext":"aG9sZCBtZSBpbiB0aGUgZGFyayBmb3IgZXZlciB5b3U="}"#;
    let (target, gateway) = canned(&saying(
        "200 OK",
        "Content-Type: application/x-amz-json-1.1\r\n",
        key,
    ));
    let raw = Raw::of(&gateway, "lake", &[]);
    let body = br#"{"KeyId":"k","KeySpec":"AES_256"}"#;
    for (service, operation) in [
        ("kms", "TrentService.GenerateDataKey"),
        ("kms", "TrentService.GenerateDataKeyPair"),
        ("kms", "TrentService.GenerateRandom"),
        ("secretsmanager", "secretsmanager.GetRandomPassword"),
    ] {
        let reply = call(&raw, service, operation, body);
        assert_eq!(reply.status, 403, "{operation}: {}", reply.text());
        assert!(
            reply.text().contains("reveal the class secret"),
            "{}",
            reply.text()
        );
    }
    assert!(target.heads().is_empty());
    let decrypted = call(
        &raw,
        "kms",
        "TrentService.Decrypt",
        br#"{"CiphertextBlob":"Zm9v"}"#,
    );
    assert!(
        decrypted.text().contains("AAAAAAAA"),
        "{}",
        decrypted.text()
    );
    let without = "TrentService.GenerateDataKeyWithoutPlaintext";
    assert_eq!(call(&raw, "kms", without, body).status, 200);

    let raw = Raw::of(&gateway, "lake", &["crypto"]);
    let reply = call(&raw, "kms", "TrentService.GenerateDataKey", body);
    assert_eq!(reply.text(), key);
}

#[test]
fn nothing_is_deleted_by_a_guess_at_its_digest() {
    let done = "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></DeleteResult>";
    let (target, gateway) = canned(&saying("200 OK", "Content-Type: application/xml\r\n", done));
    let raw = Raw::of(&gateway, "lake", &[]);
    let delete = |inner: &str| {
        let body = format!("<Delete><Object><Key>a</Key>{inner}</Object></Delete>");
        raw.s3("POST", "/lake?delete=", &[], body.as_bytes())
    };
    let refused = delete("<ETag>\"9a0364b9e99bb480dd25e1f0284c8555\"</ETag>");
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(
        refused.text().contains("by their ETag"),
        "{}",
        refused.text()
    );
    assert!(target.heads().is_empty());
    assert_eq!(delete("").status, 200);
}

/// Who writes a guess elsewhere, or asks a write to go where it is right, learns nothing of what is hidden.
#[test]
fn an_etag_tells_nothing_of_what_is_hidden() {
    let stored = "\"9a0364b9e99bb480dd25e1f0284c8555\"";
    let fields = format!(
        "ETag: {stored}\r\nLast-Modified: Wed, 21 Oct 2026 07:28:00 GMT\r\nx-amz-checksum-crc32: AAAAAA==\r\n"
    );
    let (target, gateway) = canned(&saying("200 OK", &fields, ""));
    let raw = Raw::of(&gateway, "lake", &[]);
    let shown = |method: &str, path: &str, body: &[u8]| {
        let reply = raw.s3(method, path, &[], body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.field("etag").unwrap().to_owned()
    };
    let (hidden, guess) = (shown("HEAD", "/lake/a", b""), shown("HEAD", "/lake/b", b""));
    assert_ne!(hidden, guess);
    assert_eq!(hidden, shown("HEAD", "/lake/a", b""));
    // What was written is called as it will be.
    assert_eq!(hidden, shown("PUT", "/lake/a", b"x"));

    let asked = |method: &str, condition: &str, body: &[u8]| {
        let before = target.heads().len();
        let reply = raw.s3(method, "/lake/a", &[("if-match", condition)], body);
        let heads = target.heads();
        let head = heads.get(before);
        assert!(head.is_some(), "{method} {condition}: {}", reply.text());
        let head = head.unwrap().iter();
        let mut fields = head.filter_map(|line| line.split_once(": "));
        let field = fields.find(|(name, _)| name.eq_ignore_ascii_case("if-match"));
        field.unwrap().1.to_owned()
    };
    for (method, body) in [("PUT", &b"y"[..]), ("DELETE", b""), ("GET", b"")] {
        assert_eq!(asked(method, stored, body), "\"-masked\"", "{method}");
        assert_eq!(asked(method, &guess, body), "\"-masked\"", "{method}");
        assert_eq!(asked(method, &hidden, body), stored, "{method}");
    }
}

/// As SDKs send many metrics.
#[test]
fn a_compressed_call_is_read_and_goes_on_plain() {
    let (target, gateway) = canned(&saying(
        "200 OK",
        "Content-Type: text/xml\r\n",
        "<PutMetricDataResponse/>",
    ));
    let raw = Raw::of(&gateway, "lake", &[]);
    let gzip = |content: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(content).unwrap();
        packer.finish().unwrap()
    };
    let send = |body: &[u8]| {
        let length = body.len().to_string();
        let fields = [
            ("content-length", length.as_str()),
            ("content-encoding", "gzip"),
            (
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
            ),
        ];
        exchange(
            raw.address,
            &raw.signed("monitoring", "POST", "/", &fields, body),
            false,
        )
    };
    let metrics = "Action=PutMetricData&Version=2010-08-01&Namespace=Fees&MetricData.member.1.MetricName=Rows&MetricData.member.1.Value=1";
    let reply = send(&gzip(metrics.as_bytes()));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let heads = target.heads();
    let head = heads.first().unwrap().join("\n").to_ascii_lowercase();
    assert!(
        head.contains(&format!("content-length: {}", metrics.len())),
        "{head}"
    );
    assert!(!head.contains("content-encoding"), "{head}");

    let cut = gzip(metrics.as_bytes());
    let broken = send(cut.get(..cut.len() - 4).unwrap());
    assert_eq!(broken.status, 400, "{}", broken.text());
    assert!(broken.text().contains("ends early"), "{}", broken.text());
    let bomb = send(&gzip(&vec![0; 2 << 20]));
    assert_eq!(bomb.status, 400, "{}", bomb.text());
    let other = send(&gzip(
        metrics
            .replace("PutMetricData&", "PutMetricNothing&")
            .as_bytes(),
    ));
    assert_eq!(other.status, 403, "{}", other.text());
    assert_eq!(target.heads().len(), 1);
}

/// Compressed, in UTF-16 and in Base64 three times: no detector reads it.
#[test]
fn base64_that_nobody_can_read_is_hidden() {
    let gzip = format!("H4sIAAAAAAAA/{}=", "x9Kd".repeat(20));
    let wide = "NAAxADEAMQAxADEAMQAxADEAMQAxADEAMQAxADEAMQA=";
    let body = format!(
        r#"{{"Records":[{{"Data":"{gzip}"}},{{"Data":"{wide}"}},{{"Data":"cGxhaW4gdGV4dCB0aGF0IGlzIG5vIHNlY3JldA=="}}]}}"#
    );
    let (_target, gateway) = canned(&saying(
        "200 OK",
        "Content-Type: application/x-amz-json-1.1\r\n",
        &body,
    ));
    let raw = Raw::of(&gateway, "lake", &[]);
    let reply = call(
        &raw,
        "kinesis",
        "Kinesis_20131202.GetRecords",
        b"{\"ShardIterator\":\"s\"}",
    );
    let text = reply.text();
    assert!(!text.contains("H4sI") && !text.contains("NAAx"), "{text}");
    assert!(
        text.contains("\"cGxhaW4gdGV4dCB0aGF0IGlzIG5vIHNlY3JldA==\""),
        "{text}"
    );
    assert_eq!(text.len(), body.len());
}

#[test]
fn no_delimiter_cuts_what_is_hidden_in_keys() {
    let list = "<?xml version=\"1.0\"?><ListBucketResult><Name>lake</Name><CommonPrefixes><Prefix>paid-4111</Prefix></CommonPrefixes></ListBucketResult>";
    let (_target, gateway) = canned(&saying("200 OK", "Content-Type: application/xml\r\n", list));
    let raw = Raw::of(&gateway, "lake", &[]);
    let shown = |delimiter: &str| {
        let url = format!("/lake?list-type=2&delimiter={delimiter}");
        raw.s3("GET", &url, &[], b"").text()
    };
    assert!(shown("%2F").contains("<Prefix>paid-4111</Prefix>"));
    assert!(
        shown("1-").contains("<Prefix>*********</Prefix>"),
        "{}",
        shown("1-")
    );
}

/// Clients decode it, and it stays Base64.
#[test]
fn a_log_in_a_field_is_read_as_before() {
    let log = STANDARD.encode("START\nssn 078-05-1120 of ann\nEND\n");
    let fields = format!("Content-Type: application/json\r\nX-Amz-Log-Result: {log}\r\n");
    let (_target, gateway) = canned(&saying("200 OK", &fields, "{}"));
    let raw = Raw::of(&gateway, "lake", &[]);
    let path = "/2015-03-31/functions/f/invocations";
    let fields = [("content-length", "2"), ("x-amz-log-type", "Tail")];
    let reply = exchange(
        raw.address,
        &raw.signed("lambda", "POST", path, &fields, b"{}"),
        false,
    );
    let shown = STANDARD.decode(reply.field("x-amz-log-result").unwrap());
    let shown = String::from_utf8_lossy(&shown.unwrap()).into_owned();
    assert!(
        shown.starts_with("START\nss") && shown.ends_with("\nEND\n") && !shown.contains("078-05"),
        "{shown:?}"
    );
}

#[test]
fn of_an_errors_message_what_is_found_is_hidden() {
    let json = "Content-Type: application/x-amz-json-1.0\r\n";
    let error =
        r#"{"__type":"StateMachineDoesNotExist","message":"there is none of 4111111111111111"}"#;
    let (_target, gateway) = canned(&saying("400 Bad Request", json, error));
    let raw = Raw::of(&gateway, "lake", &[]);
    let machine =
        br#"{"stateMachineArn":"arn:aws:states:eu-central-1:111111111111:stateMachine:x"}"#;
    let reply = call(&raw, "states", "AWSStepFunctions.StartExecution", machine);
    assert_eq!(reply.status, 400);
    assert!(
        reply.text().contains("there is none of ************1111"),
        "{}",
        reply.text()
    );
}
