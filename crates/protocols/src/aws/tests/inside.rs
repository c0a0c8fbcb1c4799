//! What policy sees of a body.

use super::super::classify::Call;
use super::super::inside::{look, looked};
use super::{call, head};

fn seen(service: &str, text: &str, body: &[u8]) -> Call {
    let mut call = call(service, text, body);
    look(&mut call, &head(text), Some(body));
    call
}

fn has(pairs: &[(String, String)], expected: &[(&str, &str)]) {
    for (name, value) in expected {
        let is = |it: &&(String, String)| (it.0.as_str(), it.1.as_str()) == (*name, *value);
        assert!(
            pairs.iter().any(|it| is(&it)),
            "{name}={value} of {pairs:?}"
        );
    }
}

const FORM: &str = "POST /\ncontent-type: application/x-www-form-urlencoded";

#[test]
fn members_are_parameters_by_their_path() {
    let command = seen(
        "ssm",
        "POST /\nx-amz-target: AmazonSSM.SendCommand",
        br#"{"DocumentName":"Run","Targets":[{"Key":"tag:env","Values":["prod","test"]}],"TimeoutSeconds":60}"#,
    );
    has(
        &command.parameters,
        &[
            ("DocumentName", "Run"),
            ("Targets.Key", "tag:env"),
            ("Targets.Values", "prod"),
            ("Targets.Values", "test"),
            ("TimeoutSeconds", "60"),
        ],
    );
    let run = seen(
        "ec2",
        FORM,
        b"Action=RunInstances&Version=2016-11-15&InstanceType=p5&BlockDeviceMapping.1.Ebs.VolumeSize=8",
    );
    has(
        &run.parameters,
        &[
            ("InstanceType", "p5"),
            ("BlockDeviceMapping.Ebs.VolumeSize", "8"),
        ],
    );
    let function = seen(
        "lambda",
        "POST /2015-03-31/functions",
        br#"{"FunctionName":"f","Role":"r"}"#,
    );
    has(
        &function.parameters,
        &[("FunctionName", "f"), ("Role", "r")],
    );
    let alarms = seen(
        "monitoring",
        "POST /service/GraniteServiceVersion20100801/operation/DeleteAlarms\nsmithy-protocol: rpc-v2-cbor",
        b"\xa1\x6aAlarmNames\x81\x61a",
    );
    has(&alarms.parameters, &[("AlarmNames", "a")]);
    let zone = seen(
        "route53",
        "POST /2013-04-01/hostedzone",
        b"<?xml version=\"1.0\"?><CreateHostedZoneRequest xmlns=\"x\"><Name>a.example</Name><VPC><VPCId>v</VPCId></VPC></CreateHostedZoneRequest>",
    );
    has(
        &zone.parameters,
        &[("Name", "a.example"), ("VPC.VPCId", "v")],
    );
    for all in [command, run, function, alarms, zone] {
        assert!(!all.unseen && all.operation.is_some());
    }
}

/// Names that a caller chooses are not those that policy looks for.
#[test]
fn nothing_passes_for_another_parameter() {
    let text = "POST /\nx-amz-target: DynamoDB_20120810.GetItem";
    let odd = br#"{"TableName":"evil","":{"TableName":"a"},"1":{"TableName":"a"},"Key.id":"a","Index=b":"c"}"#;
    let odd = seen("dynamodb", text, odd);
    let of = |name: &str| {
        let all = odd.parameters.iter().filter(|it| it.0 == name);
        all.map(|it| it.1.as_str()).collect::<Vec<_>>()
    };
    assert!(
        of("TableName").iter().all(|it| *it == "evil"),
        "{:?}",
        odd.parameters
    );
    assert!(of("Key.id").is_empty() && of("Index").is_empty());
    let query = "GET /?Action=RunInstances&Version=2016-11-15&InstanceType=p5&X-Amz-Date=1";
    has(
        &seen("ec2", query, b"").parameters,
        &[("InstanceType", "p5")],
    );
    let label = "POST /2015-03-31/functions/f/invocations";
    assert!(!seen("lambda", label, b"{}").unseen);
    assert!(seen("lambda", label, br#"{"FunctionName":"g"}"#).unseen);
}

#[test]
fn tags_are_told_apart() {
    let expected = [("env", "prod")];
    for (service, text, body) in [
        (
            "ec2",
            FORM,
            &b"Action=CreateTags&Version=2016-11-15&ResourceId.1=i-1&Tag.1.Key=env&Tag.1.Value=prod"[..],
        ),
        (
            "ec2",
            FORM,
            b"Action=RunInstances&Version=2016-11-15&TagSpecification.1.Tag.1.Key=env&TagSpecification.1.Tag.1.Value=prod",
        ),
        (
            "sns",
            FORM,
            b"Action=TagResource&Version=2010-03-31&ResourceArn=a&Tags.member.1.Key=env&Tags.member.1.Value=prod",
        ),
        (
            "dynamodb",
            "POST /\nx-amz-target: DynamoDB_20120810.TagResource",
            br#"{"ResourceArn":"a","Tags":[{"Key":"env","Value":"prod"}]}"#,
        ),
        (
            "lambda",
            "POST /2017-03-31/tags/a",
            br#"{"Tags":{"env":"prod"}}"#,
        ),
        (
            "s3",
            "PUT /b/k?tagging",
            b"<Tagging><TagSet><Tag><Key>env</Key><Value>prod</Value></Tag></TagSet></Tagging>",
        ),
        ("s3", "PUT /b/k\nx-amz-tagging: env=prod", b"content"),
    ] {
        let call = seen(service, text, body);
        assert!(call.operation.is_some() && !call.unseen, "{text}");
        has(&call.tags, &expected);
    }
}

#[test]
fn what_is_long_is_not_seen_and_passes_no_forbid() {
    let text = "POST /\nx-amz-target: DynamoDB_20120810.PutItem";
    let body = |length: usize| format!(r#"{{"TableName":"t","X":"{}"}}"#, "x".repeat(length));
    let asked = |length: usize, mentioned: &str, tell: bool| {
        let body = body(length);
        let call = call("dynamodb", text, body.as_bytes());
        let mention = |it: &str| it == mentioned || tell && it == "unseen";
        let call = looked(call, &head(text), Some(body.as_bytes()), mention);
        (call.operation.is_some(), call.unseen)
    };
    assert_eq!(asked(8, "parameters", false), (true, false));
    assert_eq!(asked(1 << 17, "parameters", false), (false, true));
    assert_eq!(asked(1 << 17, "tags", false), (false, true));
    assert_eq!(asked(1 << 17, "parameters", true), (true, true));
    assert_eq!(asked(1 << 17, "carries", false), (true, false));
    let deep = format!(
        "{{\"TableName\":\"t\",\"X\":{}{}}}",
        "[".repeat(40),
        "]".repeat(40)
    );
    assert!(seen("dynamodb", text, deep.as_bytes()).unseen);
    // An object's content says nothing.
    let put = head("PUT /b/k\ncontent-length: 9");
    let streamed = looked(call("s3", "PUT /b/k", b""), &put, None, |it| it != "unseen");
    assert!(streamed.operation.is_some());
}

#[test]
fn tags_do_not_hide_each_other() {
    let function = seen(
        "lambda",
        "POST /2015-03-31/functions",
        br#"{"FunctionName":"f","Role":"r","Tags":{"env":"prod","Key":"x","2024":"y"}}"#,
    );
    has(&function.tags, &[("env", "prod"), ("2024", "y")]);
    let resource = seen(
        "ecs",
        "POST /\nx-amz-target: AmazonEC2ContainerServiceV20141113.TagResource",
        br#"{"resourceArn":"a","tags":[{"KEY":"n","key":"env","value":"prod"}]}"#,
    );
    has(&resource.tags, &[("env", "prod")]);
}

#[test]
fn a_number_is_the_same_however_it_is_written() {
    for number in ["900", "9e2", "900.0"] {
        let body = format!(r#"{{"FunctionName":"f","Timeout":{number}}}"#);
        let text = "PUT /2015-03-31/functions/f/configuration";
        let call = seen("lambda", text, body.as_bytes());
        has(&call.parameters, &[("Timeout", "900")]);
    }
}

#[test]
fn a_body_in_chunks_is_not_empty() {
    let text = "PUT /b\nx-amz-decoded-content-length: 90";
    let mut chunked = call("s3", text, b"");
    look(&mut chunked, &head(text), None);
    assert!(chunked.unseen);
}
