//! What requests carry.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use mask::{Masker, MaskerConfig};

use super::super::{command, screen};
use super::{call, head};

fn carried(service: &str, request: &str, body: &[u8]) -> BTreeSet<String> {
    let masker = Arc::new(Masker::new(MaskerConfig::default()));
    let (call, head) = (call(service, request, body), head(request));
    let body = Bytes::copy_from_slice(body);
    let mut carried = screen::carried(&call, &head, &body, &[], &masker);
    carried.extend(screen::said(&call, &head, &masker));
    carried
}

const PUT: &str = "PUT /lake/a";
const FORM: &str = "POST /\ncontent-type: application/x-www-form-urlencoded";
const PUBLISH: &str = "Action=Publish&Version=2010-03-31&TopicArn=t";

#[test]
fn values_are_found_wherever_a_request_says_them() {
    let form = |message: &str| format!("{PUBLISH}&Message={message}").into_bytes();
    let put = |field: &str| format!("{PUT}\n{field}");
    let in_query = format!("GET /?{PUBLISH}&Message=4111%201111%201111%201111");
    for (service, request, body) in [
        ("s3", PUT.to_owned(), b"4111 1111 1111 1111".to_vec()),
        ("sns", FORM.to_owned(), form("4111+1111+1111+1111")),
        ("sns", FORM.to_owned(), form("4111%201111%201111%201111")),
        ("sns", in_query, Vec::new()),
        (
            "s3",
            put("x-amz-meta-card: 4111 1111 1111 1111"),
            Vec::new(),
        ),
        (
            "s3",
            put("x-amz-tagging: card=4111+1111+1111+1111"),
            Vec::new(),
        ),
        (
            "s3",
            put("x-amz-tagging: card=4111%201111%201111%201111"),
            Vec::new(),
        ),
        (
            "s3",
            put("content-disposition: 4111 1111 1111 1111"),
            Vec::new(),
        ),
        ("s3", "PUT /lake/4111-1111-1111-1111".to_owned(), Vec::new()),
        (
            "s3",
            "PUT /lake/4111%201111%201111%201111".to_owned(),
            Vec::new(),
        ),
    ] {
        let carried = carried(service, &request, &body);
        assert!(carried.contains("pan"), "{request}: {carried:?}");
    }
}

#[test]
fn what_is_compressed_within_text_is_not_looked_at() {
    let packed = |first: &[u8]| {
        let bytes = [first, &[0x5A; 30]].concat();
        base64::engine::general_purpose::STANDARD.encode(bytes)
    };
    let request = "POST /\nx-amz-target: Kinesis_20131202.PutRecord\ncontent-type: application/x-amz-json-1.1";
    let record = |data: &str| format!("{{\"StreamName\":\"s\",\"Data\":\"{data}\"}}").into_bytes();
    for first in [
        &[0x1F, 0x8B, 8, 0][..],
        &[0x28, 0xB5, 0x2F, 0xFD, 0x24],
        b"BZh91AY&SY",
        &[0xFD, 0x37, 0x7A, 0x58, 0x5A, 0],
        b"PK\x03\x04",
    ] {
        let data = packed(first);
        for data in [data.clone(), data.replace('+', "-").replace('/', "_")] {
            let carried = carried("kinesis", request, &record(&data));
            assert!(carried.contains(screen::UNINSPECTED), "{data}");
        }
    }
    for data in ["H4sI", "aGVsbG8gd29ybGQsIGhlbGxvIHdvcmxk"] {
        assert_eq!(carried("kinesis", request, &record(data)), BTreeSet::new());
    }
}

#[test]
fn how_a_request_travels_is_not_what_it_carries() {
    let request = "PUT /lake/a\nx-amz-security-token: 4111 1111 1111 1111\nuser-agent: 4111 1111 1111 1111\n\
                   x-amz-checksum-sha256: 4111 1111 1111 1111";
    assert_eq!(carried("s3", request, b""), BTreeSet::new());
}

/// SDKs fill in what makes a request the same when they send it again.
#[test]
fn an_idempotency_token_is_no_secret() {
    let token = "0b9c1a5e-7d21-4e22-8f33-5c23456789ab";
    let ec2 =
        format!("Action=RunInstances&Version=2016-11-15&MinCount=1&MaxCount=1&ClientToken={token}");
    assert_eq!(carried("ec2", FORM, ec2.as_bytes()), BTreeSet::new());
    let json = "POST /\nx-amz-target: secretsmanager.CreateSecret\ncontent-type: application/x-amz-json-1.1";
    let body = |name: &str| format!("{{\"Name\":\"a\",\"{name}\":\"{token}\"}}");
    let clear = body("ClientRequestToken");
    assert_eq!(
        carried("secretsmanager", json, clear.as_bytes()),
        BTreeSet::new()
    );
    let other = body("api_token");
    assert!(!carried("secretsmanager", json, other.as_bytes()).is_empty());
    let (call, head) = (call("secretsmanager", json, clear.as_bytes()), head(json));
    let masker = Masker::new(MaskerConfig::default());
    let whole = command::Body::Whole(clear.as_bytes());
    let command = command::command(&call, &head, whole, &masker, &BTreeSet::new());
    assert!(
        command.shown_parameters[0]
            .as_ref()
            .unwrap()
            .contains(token)
    );
}
