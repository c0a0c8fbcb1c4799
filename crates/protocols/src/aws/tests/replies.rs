//! Refusals in each format, and requests for the target.

use model::{Denial, DenialCode};
use serde_json::Value;

use super::super::cbor;
use super::super::classify::{Thing, Upstream, Wire, classify};
use super::super::deny::{Kind, Refusal};
use super::super::range::copies_part;
use super::super::upstream;
use super::{call, head, scope};
use crate::http::sigv4::Scope;

#[test]
fn each_format_says_it_in_its_own_words() {
    let denial = Denial {
        approval: Some("cs-1".to_owned()),
        ..Denial::new(DenialCode::ApprovalPending, "waits for <people>")
    };
    let refusal = Refusal::from(&denial);
    let reply = |wire| refusal.reply(wire, "/b/k&", "r-1", false);
    let text = |wire| String::from_utf8(reply(wire).body).unwrap();
    assert_eq!(
        text(Wire::S3),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code>\
         <Message>waits for &lt;people&gt; (approval cs-1)</Message><Resource>/b/k&amp;</Resource>\
         <RequestId>r-1</RequestId></Error>"
    );
    assert!(text(Wire::Query).contains("<Error><Type>Sender</Type><Code>AccessDenied</Code>"));
    assert!(text(Wire::Ec2).starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>UnauthorizedOperation</Code>"));
    let json: Value = serde_json::from_slice(&reply(Wire::Json(0)).body).unwrap();
    assert_eq!(json["__type"], "AccessDeniedException");
    let map = cbor::read(&reply(Wire::Cbor).body).unwrap();
    assert_eq!(map["__type"], "AccessDeniedException");
    assert_eq!(map["message"], "waits for <people> (approval cs-1)");
    for wire in [
        Wire::S3,
        Wire::Query,
        Wire::Ec2,
        Wire::Json(1),
        Wire::RestJson,
        Wire::RestXml,
        Wire::Cbor,
    ] {
        assert_eq!(reply(wire).status, 403, "{wire:?}");
    }
    assert!(refusal.reply(Wire::S3, "/", "r", true).body.is_empty());
    let gone = Refusal::new(Kind::Unavailable, "x").reply(Wire::RestJson, "/", "r", false);
    assert_eq!(gone.status, 503);
}

#[test]
fn what_goes_to_the_target_is_written_anew() {
    let text = "PUT /b/a(1)%2Fb?tagging&X-Amz-Signature=s&prefix=a+b\nhost: gateway\nauthorization: a\nx-amz-date: d\n\
         x-amz-security-token: t\nx-amz-meta-a: b\ncontent-encoding: aws-chunked, gzip\nconnection: x-custom\n\
         x-custom: 1\ncookie: c\nx-forwarded-for: 1.2.3.4\ncontent-length: 5\nx-http-method-override: DELETE";
    let to = upstream::head(&head(text), &call("s3", text, b""), "s3.example").unwrap();
    assert_eq!(
        (to.path.as_str(), to.query.as_deref()),
        ("/b/a%281%29/b", Some("tagging&prefix=a%20b"))
    );
    let fields: Vec<_> = to.fields.iter().collect();
    assert_eq!(
        fields,
        [
            ("host", "s3.example"),
            ("x-amz-meta-a", "b"),
            ("content-encoding", "gzip")
        ]
    );
    let onward = |text: &str| upstream::head(&head(text), &call("lambda", text, b""), "h");
    let to = onward("GET /a(1)%2Fb/ü\nhost: g").unwrap();
    assert_eq!(to.path, "/a(1)%2Fb/%C3%BC");
    assert!(onward("GET /%zz\nhost: g").is_err());
}

/// What policy was asked about is what the target reads.
#[test]
fn the_source_of_a_copy_goes_as_it_was_understood() {
    for (value, key, onward) in [
        ("/c/a+b.txt", "a+b.txt", "c/a%2Bb.txt"),
        ("c%2Fd%20e?versionId=1", "d e", "c/d%20e?versionId=1"),
    ] {
        let text = format!("PUT /b/k\nhost: g\nx-amz-copy-source: {value}");
        let source = Thing::Source {
            bucket: "c".to_owned(),
            key: key.to_owned(),
        };
        assert!(call("s3", &text, b"").things.contains(&source), "{value}");
        let to = upstream::head(&head(&text), &call("s3", &text, b""), "h").unwrap();
        assert_eq!(to.fields.one("x-amz-copy-source"), Some(onward));
    }
    for odd in [
        "x://y/vault/v.txt",
        "c/k?x",
        "c/k#x",
        "c/k?versionId=1&x",
        "t:c/k",
    ] {
        let text = format!("PUT /b/k\nhost: g\nx-amz-copy-source: {odd}");
        assert!(call("s3", &text, b"").operation.is_none(), "{odd}");
    }
    let rename = call("s3", "PUT /b/k?renameObject\nx-amz-rename-source: b/l", b"");
    let named = |key: &str| Thing::Object {
        bucket: "b".to_owned(),
        key: key.to_owned(),
    };
    let read = |key: &str| Thing::Source {
        bucket: "b".to_owned(),
        key: key.to_owned(),
    };
    assert_eq!(
        rename.things,
        [named("k"), named("b/l"), read("b/l"), named("l"), read("l")]
    );
    // An access point is another name of a bucket.
    for text in [
        "GET /p-1a2b3c-s3alias/k",
        "PUT /b/k\nx-amz-copy-source: p-1a2b3c-s3alias/k",
    ] {
        assert!(call("s3", text, b"").operation.is_none(), "{text}");
    }
}

#[test]
fn a_part_of_a_copy_is_known() {
    let of = |text: &str| copies_part(&call("s3", text, b""), &head(text));
    let part = "PUT /b/k?partNumber=1&uploadId=u";
    assert!(!of(part));
    let copy = "x-amz-copy-source: b/l";
    assert!(!of(&format!("PUT /b/k\n{copy}")));
    assert!(of(&format!("{part}\n{copy}")));
    assert!(of(&format!(
        "PUT /b/k\n{copy}\nx-amz-copy-source-range: bytes=0-1"
    )));
}

#[test]
fn a_connection_takes_nothing_of_a_request_away() {
    let of = |value: &str| upstream::takes_away(&head(&format!("GET /b/k\nconnection: {value}")));
    for plain in [
        "close",
        "Keep-Alive, TE",
        "keep-alive,",
        "upgrade, HTTP2-Settings",
    ] {
        assert!(!of(plain), "{plain}");
    }
    for named in [
        "x-amz-copy-source",
        "close, Range",
        "keep-alive\nconnection: if-match",
    ] {
        assert!(of(named), "{named}");
    }
}

#[test]
fn headers_in_a_presigned_url_are_headers() {
    let of = |text: &str| upstream::with_headers(&head(text));
    let url = "PUT /b/k?X-Amz-Date=d&x-amz-acl=public-read&a=%20&X-Amz-Copy-Source=c%2Fd%2Be&X-Amz-Signature=s";
    let whole = of(url).unwrap();
    assert_eq!(
        whole.query.as_deref(),
        Some("X-Amz-Date=d&a=%20&X-Amz-Signature=s")
    );
    let fields: Vec<_> = whole.fields.iter().collect();
    assert_eq!(
        fields,
        [("x-amz-acl", "public-read"), ("x-amz-copy-source", "c/d+e")]
    );
    assert_eq!(of("GET /b/k").unwrap(), head("GET /b/k"));
    assert_eq!(of("PUT /b/k?x-amz-acl=private\nx-amz-acl: private"), None);
    assert_eq!(of("PUT /b/k?x-amz-acl=private&X-Amz-Acl=private"), None);
}

#[test]
fn buckets_in_the_host_go_into_the_path() {
    let of = |host: &str, path: &str| {
        let request = head(&format!("GET {path}\nhost: {host}"));
        upstream::path_style(request, "aws.example").map(|head| head.path)
    };
    assert_eq!(of("aws.example", "/b/k"), Some("/b/k".to_owned()));
    assert_eq!(
        of("my.bucket.aws.example:8443", "/k"),
        Some("/my.bucket/k".to_owned())
    );
    assert_eq!(of("127.0.0.1:80", "/b/k"), Some("/b/k".to_owned()));
    assert_eq!(of(".aws.example", "/k"), None);
    assert_eq!(of("notaws.example", "/b/k"), Some("/b/k".to_owned()));
}

/// Clients of S3 Control write the account before whatever host they are given.
#[test]
fn an_account_in_the_host_is_no_bucket() {
    let of = |host: &str, path: &str, account: &str| {
        let text = format!("GET {path}\nhost: {host}\nx-amz-account-id: {account}");
        let request = upstream::path_style(head(&text), "aws.example").unwrap();
        classify(&request, &scope("s3"), Some(b""), &Upstream::default()).action()
    };
    let (own, id) = ("123456789012.aws.example", "123456789012");
    for (path, action) in [
        ("/v20180820/jobs", "s3:ListJobs"),
        ("/v20180820/accesspoint/v", "s3:GetAccessPoint"),
        (
            "/v20180820/configuration/publicAccessBlock",
            "s3:GetPublicAccessBlock",
        ),
    ] {
        assert_eq!(of(own, path, id), action);
    }
    // A bucket may be called so.
    for (path, account) in [("/v20180820/jobs", "111111111111"), ("/k", id)] {
        assert_eq!(of(own, path, account), "s3:unknown");
    }
}

#[test]
fn hosts_of_aws_are_known() {
    let host = |service: &str, request: &str| {
        let call = call(service, request, b"");
        upstream::aws_host(&call, &scope(service), &head(request)).unwrap()
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        host("s3", "GET /"),
        pair("s3.eu-west-1.amazonaws.com", "eu-west-1")
    );
    assert_eq!(host("iam", "GET /"), pair("iam.amazonaws.com", "us-east-1"));
    assert_eq!(
        host("billing", "GET /"),
        pair("billing.us-east-1.api.aws", "us-east-1")
    );
    let account = "GET /v20180820/accesspoint/x\nx-amz-account-id: 123456789012";
    assert_eq!(
        host("s3", account),
        pair(
            "123456789012.s3-control.eu-west-1.amazonaws.com",
            "eu-west-1"
        )
    );
    let odd = "GET /v20180820/accesspoint/x\nx-amz-account-id: evil.example/";
    let call_odd = call("s3", odd, b"");
    assert_eq!(
        upstream::aws_host(&call_odd, &scope("s3"), &head(odd)),
        None
    );
    // Another word would make the host that of somebody's bucket.
    for odd in [
        "s3",
        "elb",
        "EU-WEST-1",
        "eu-west",
        "s3-website-us-east-1-",
        "1",
        "-1",
        "eu--1",
    ] {
        let scope = Scope {
            region: odd.to_owned(),
            ..scope("s3")
        };
        let call = classify(&head("GET /"), &scope, None, &Upstream::default());
        assert_eq!(
            upstream::aws_host(&call, &scope, &head("GET /")),
            None,
            "{odd}"
        );
    }
    assert_eq!(
        host("ecr", "GET /"),
        pair("api.ecr.eu-west-1.amazonaws.com", "eu-west-1")
    );
}
