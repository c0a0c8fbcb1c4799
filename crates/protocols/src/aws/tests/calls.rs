//! Which operation a request is.

use super::super::classify::{Thing, Wire};
use super::super::table::{Level, TABLE};
use super::call;

fn object(key: &str) -> Thing {
    Thing::Object {
        bucket: "b".to_owned(),
        key: key.to_owned(),
    }
}

fn named(name: &str) -> Thing {
    Thing::Named {
        name: name.to_owned(),
        given: name.to_owned(),
    }
}

#[test]
fn the_table_is_whole() {
    let services = TABLE.services();
    let operations: usize = services
        .iter()
        .map(|service| service.operations.len())
        .sum();
    assert!(
        services.len() > 400 && operations > 19_000,
        "{} {operations}",
        services.len()
    );
    for service in services {
        assert!(!service.operations.is_empty(), "{}", service.name);
        let rest = service
            .protocols
            .iter()
            .any(|name| name.starts_with("rest-"));
        for operation in &service.operations {
            assert_eq!(
                operation.route.is_some(),
                rest,
                "{} {}",
                service.name,
                operation.name
            );
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_operation_of_s3_is_told_from_the_others() {
    for (request, action, things) in [
        ("GET /", "s3:ListBuckets", vec![]),
        (
            "GET /b",
            "s3:ListObjects",
            vec![Thing::Bucket("b".to_owned())],
        ),
        (
            "GET /b/?list-type=2&prefix=x",
            "s3:ListObjectsV2",
            vec![Thing::Bucket("b".to_owned())],
        ),
        (
            "PUT /b",
            "s3:CreateBucket",
            vec![Thing::Bucket("b".to_owned())],
        ),
        (
            "GET /b?acl",
            "s3:GetBucketAcl",
            vec![Thing::Bucket("b".to_owned())],
        ),
        ("GET /b/k?acl", "s3:GetObjectAcl", vec![object("k")]),
        (
            "GET /b/a%2Fb/c%20d//e?x-id=GetObject",
            "s3:GetObject",
            vec![object("a/b/c d//e"), object("a/b/c d/e")],
        ),
        // To S3 dots and slashes are part of a key, to others they are not: all readings are asked about.
        (
            "GET /b/open/../ledger/./k",
            "s3:GetObject",
            vec![object("open/../ledger/./k"), object("ledger/k")],
        ),
        ("GET /b/a..b/...", "s3:GetObject", vec![object("a..b/...")]),
        ("GET /b//k", "s3:GetObject", vec![object("/k"), object("k")]),
        ("HEAD /b/k", "s3:HeadObject", vec![object("k")]),
        ("PUT /b/k", "s3:PutObject", vec![object("k")]),
        (
            "PUT /b/k?partNumber=1&uploadId=u",
            "s3:UploadPart",
            vec![object("k")],
        ),
        ("GET /b/k?uploadId=u", "s3:ListParts", vec![object("k")]),
        (
            "POST /b/k?uploads",
            "s3:CreateMultipartUpload",
            vec![object("k")],
        ),
        (
            "POST /b/k?uploadId=u",
            "s3:CompleteMultipartUpload",
            vec![object("k")],
        ),
        (
            "DELETE /b/k?versionId=1",
            "s3:DeleteObject",
            vec![object("k")],
        ),
        (
            "DELETE /b/k?uploadId=u",
            "s3:AbortMultipartUpload",
            vec![object("k")],
        ),
        (
            "PUT /b?policy",
            "s3:PutBucketPolicy",
            vec![Thing::Bucket("b".to_owned())],
        ),
        (
            "GET /b?lifecycle",
            "s3:GetBucketLifecycleConfiguration",
            vec![Thing::Bucket("b".to_owned())],
        ),
    ] {
        let call = call("s3", request, b"");
        assert_eq!(
            (call.action().as_str(), &call.things),
            (action, &things),
            "{request}"
        );
        assert_eq!(call.wire, Wire::S3);
    }
}

#[test]
fn copies_and_deletions_name_everything_they_touch() {
    let copy = call(
        "s3",
        "PUT /b/k\nx-amz-copy-source: /c/d%2Fe?versionId=1",
        b"",
    );
    let source = Thing::Source {
        bucket: "c".to_owned(),
        key: "d/e".to_owned(),
    };
    assert_eq!(
        (copy.action().as_str(), copy.things),
        ("s3:CopyObject", vec![object("k"), source])
    );
    let body = b"<Delete><Object><Key>x</Key></Object><Object><Key>y/z</Key></Object></Delete>";
    let delete = call("s3", "POST /b?delete", body);
    assert_eq!(
        (delete.action().as_str(), delete.things),
        ("s3:DeleteObjects", vec![object("x"), object("y/z")])
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_could_be_read_in_two_ways_is_opaque() {
    for (service, request, body) in [
        ("s3", "PUT /b/k?acl&tagging", &b""[..]),
        ("s3", "DELETE /b?analytics", b""),
        ("s3", "GET /b/k?unheard=of", b""),
        // Servers read the first, or the last.
        ("s3", "GET /b/k?versionId=1&versionId=2", b""),
        ("s3", "GET /b?prefix=open/&prefix=ledger/", b""),
        ("s3", "GET /b/%ff", b""),
        // Written anew these would be an object in another bucket.
        ("s3", "GET /b%2Fk", b""),
        ("s3", "DELETE /b%2fk", b""),
        ("s3", "GET /b%2Fc/k", b""),
        ("s3", "GET /b/../c/k", b""),
        ("s3", "GET /b/a/%2E%2E/%2e%2e/c/k", b""),
        ("s3", "GET /../b", b""),
        ("s3", "PUT /b/k\nx-amz-copy-source: c/../d/e", b""),
        // S3 reads headers in the query too.
        ("s3", "PUT /b/k?X-Amz-Copy-Source=c%2Fd", b""),
        ("s3", "PUT /b/k?x-amz-acl=public-read", b""),
        ("lambda", "GET /2015-03-31/functions/../layers", b""),
        ("lambda", "DELETE /2015-03-31/functions/%2e%2E", b""),
        (
            "dynamodb",
            "POST /service/X/operation/Y\nx-amz-target: DynamoDB_20120810.GetItem",
            b"{\"TableName\":\"a\"}",
        ),
        (
            "monitoring",
            "POST /else/service/GraniteServiceVersion20100801/operation/DeleteAlarms\nsmithy-protocol: rpc-v2-cbor",
            b"\xa1\x6aAlarmNames\x81\x61a",
        ),
        ("s3", "PUT /b/k\nx-amz-copy-source: c", b""),
        (
            "s3",
            "PUT /b/k\nx-amz-copy-source: c/d\nx-amz-copy-source: c/e",
            b"",
        ),
        ("s3", "POST /b?delete", b"<Delete><!-- --></Delete>"),
        ("s3", "BREW /b/k", b""),
        (
            "dynamodb",
            "POST /\nx-amz-target: DynamoDB_20120810.GetItem",
            b"{\"TableName\":\"a\",\"TableName\":\"b\"}",
        ),
        (
            "dynamodb",
            "POST /\nx-amz-target: DynamoDB_20120810.GetItem",
            b"not json",
        ),
        (
            "dynamodb",
            "POST /\nx-amz-target: DynamoDB_20120810.Unheard",
            b"{}",
        ),
        ("dynamodb", "POST /\nx-amz-target: A.GetItem", b"{}"),
        (
            "dynamodb",
            "GET /\nx-amz-target: DynamoDB_20120810.GetItem",
            b"{}",
        ),
        (
            "sqs",
            "POST /\nx-amz-target: DynamoDB_20120810.GetItem",
            b"{}",
        ),
        (
            "ec2",
            "POST /?Action=RunInstances\ncontent-type: application/x-www-form-urlencoded",
            b"Action=DescribeInstances&Version=2016-11-15",
        ),
        (
            "ec2",
            "POST /\ncontent-type: application/x-www-form-urlencoded",
            b"Action=DescribeInstances&Version=1999-01-01",
        ),
        (
            "iam",
            "POST /\ncontent-type: application/x-www-form-urlencoded\nx-amz-target: A.B",
            b"Action=ListUsers&Version=2010-05-08",
        ),
        ("no-such-service", "GET /", b""),
    ] {
        let call = call(service, request, body);
        assert!(
            call.operation.is_none(),
            "{service} {request}: {}",
            call.action()
        );
        assert!(call.things.is_empty());
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_wire_protocol_is_understood() {
    let form = "POST /\ncontent-type: application/x-www-form-urlencoded; charset=utf-8";
    for (service, request, body, action, level, wire, things) in [
        (
            "dynamodb",
            "POST /\nx-amz-target: DynamoDB_20120810.GetItem\ncontent-type: application/x-amz-json-1.0",
            &b"{\"TableName\":\"payments\",\"Key\":{}}"[..],
            "dynamodb:GetItem",
            Level::Read,
            Wire::Json(0),
            vec![named("payments")],
        ),
        (
            "dynamodb",
            "POST /\nx-amz-target: DynamoDB_20120810.BatchGetItem",
            b"{\"RequestItems\":{\"a\":{},\"b\":{}}}",
            "dynamodb:BatchGetItem",
            Level::Read,
            Wire::Json(1),
            vec![named("a"), named("b")],
        ),
        (
            "dynamodb",
            "POST /\nx-amz-target: DynamoDB_20120810.TransactWriteItems",
            b"{\"TransactItems\":[{\"Put\":{\"TableName\":\"a\"}},{\"Delete\":{\"TableName\":\"b\"}}]}",
            "dynamodb:TransactWriteItems",
            Level::Write,
            Wire::Json(1),
            vec![named("a"), named("b")],
        ),
        (
            "ec2",
            form,
            b"Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-1&InstanceId.2=i-2",
            "ec2:TerminateInstances",
            Level::Write,
            Wire::Ec2,
            vec![named("i-1"), named("i-2")],
        ),
        (
            "iam",
            form,
            b"Action=AttachRolePolicy&Version=2010-05-08&RoleName=r&PolicyArn=arn:aws:iam::aws:policy/P",
            "iam:AttachRolePolicy",
            Level::Permissions,
            Wire::Query,
            vec![Thing::Named {
                name: "r/arn:aws:iam::aws:policy/P".to_owned(),
                given: "r/arn:aws:iam::aws:policy/P".to_owned(),
            }],
        ),
        (
            "lambda",
            "POST /2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A111111111111%3Afunction%3Af/invocations",
            b"{}",
            "lambda:Invoke",
            Level::Write,
            Wire::RestJson,
            vec![Thing::Named {
                name: "f".to_owned(),
                given: "arn:aws:lambda:eu-west-1:111111111111:function:f".to_owned(),
            }],
        ),
        (
            "route53",
            "GET /2013-04-01/hostedzone/Z1/rrset",
            b"",
            "route53:ListResourceRecordSets",
            Level::List,
            Wire::RestXml,
            vec![named("Z1")],
        ),
        (
            "monitoring",
            "POST /service/GraniteServiceVersion20100801/operation/DeleteAlarms\nsmithy-protocol: rpc-v2-cbor",
            // {"AlarmNames": ["a"]}
            b"\xa1\x6aAlarmNames\x81\x61a",
            "cloudwatch:DeleteAlarms",
            Level::Write,
            Wire::Cbor,
            vec![named("a")],
        ),
        (
            "sts",
            "GET /?Action=GetCallerIdentity&Version=2011-06-15",
            b"",
            "sts:GetCallerIdentity",
            Level::Read,
            Wire::Query,
            vec![],
        ),
    ] {
        let call = call(service, request, body);
        assert_eq!(call.action(), action, "{request}");
        assert_eq!(call.operation.unwrap().level, level, "{action}");
        assert_eq!((call.wire, call.things), (wire, things), "{action}");
        assert_eq!(call.region, "eu-west-1");
    }
}
