//! What a request names in more than one way is asked about in all of them, and what a server could read otherwise does not go to it.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

use tests::lake;
use tests::raw::{Canned, Raw, Reply, exchange};
use tests::{Config, Gateway};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

/// Little may be done, and not all that the others' policies permit.
const LITTLE: &str = r#"
@id("use-lake")
permit (principal, action == Action::"access", resource == Target::"lake");
@id("one-instance")
permit (principal, action == Aws::Action::"write", resource is Aws::Resource) when {
    [Aws::Resource::"ssm:i-1/Run", Aws::Resource::"ec2:i-1", Aws::Resource::"rds:main"].contains(resource)
};
@id("functions")
permit (principal, action == Aws::Action::"write", resource == Aws::Service::"lambda")
when { ["arn:aws:iam::111111111111:role/app"].containsAll(context.roles) };
@id("tagged")
permit (principal, action in [Aws::Action::"write", Aws::Action::"tagging"], resource == Aws::Resource::"dynamodb:t")
when { context.tags.contains("env=dev") && !context.unseen };
"#;

/// For what asks in forms.
const XML: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<r/>";

fn little(answer: &str) -> (Canned, Gateway) {
    let target = Canned::start(answer);
    let config = Config::canned(&target).policy("10-little.cedar", LITTLE);
    (target, Gateway::start(config))
}

fn json(raw: &Raw, service: &str, operation: &str, body: &str) -> Reply {
    let length = body.len().to_string();
    let fields = [
        ("content-length", length.as_str()),
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", operation),
    ];
    let request = raw.signed(service, "POST", "/", &fields, body.as_bytes());
    exchange(raw.address, &request, false)
}

fn form(raw: &Raw, service: &str, body: &str) -> Reply {
    let length = body.len().to_string();
    let fields = [
        ("content-length", length.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let request = raw.signed(service, "POST", "/", &fields, body.as_bytes());
    exchange(raw.address, &request, false)
}

#[test]
fn tags_reach_no_instance_that_policy_does_not_name() {
    let (target, gateway) = little(OK);
    let raw = Raw::of(&gateway, "lake", &[]);
    let send = |body: &str| json(&raw, "ssm", "AmazonSSM.SendCommand", body).status;
    assert_eq!(send(r#"{"InstanceIds":["i-1"],"DocumentName":"Run"}"#), 200);
    for more in [
        r#""Targets":[{"Key":"tag:env","Values":["prod"]}]"#,
        r#""targets":[]"#,
    ] {
        let both = format!(r#"{{"InstanceIds":["i-1"],"DocumentName":"Run",{more}}}"#);
        assert_ne!(send(&both), 200, "{more}");
    }
    assert_eq!(target.heads().len(), 1);
}

#[test]
fn other_spellings_and_types_do_not_pass() {
    let (target, gateway) = little(XML);
    let raw = Raw::of(&gateway, "lake", &[]);
    let stop = "Action=StopInstances&Version=2016-11-15&InstanceId.1=i-1";
    assert_eq!(form(&raw, "ec2", stop).status, 200);
    for more in [
        "instanceId.2=i-2",
        "InstanceId.member.2=i-2",
        "InstanceId%20.2=i-2",
        "action=TerminateInstances",
    ] {
        assert_ne!(
            form(&raw, "ec2", &format!("{stop}&{more}")).status,
            200,
            "{more}"
        );
    }
    let modify = |name: &str| {
        let body =
            format!("Action=ModifyDBInstance&Version=2014-10-31&DBInstanceIdentifier={name}");
        form(&raw, "rds", &body).status
    };
    assert_eq!(modify("main"), 200);
    assert_ne!(modify("arn:aws:rds:eu-central-1::cluster:main"), 200);
    assert_ne!(modify("arn:aws:redshift:eu-central-1::cluster:main"), 200);
    assert_eq!(target.heads().len(), 2);
}

#[test]
fn roles_are_passed_and_tags_set_as_policy_says() {
    let (target, gateway) = little(OK);
    let raw = Raw::of(&gateway, "lake", &[]);
    let create = |role: &str| {
        let body = format!(
            r#"{{"FunctionName":"f","Role":"arn:aws:iam::111111111111:role/{role}","Code":{{}}}}"#
        );
        let length = body.len().to_string();
        let fields = [
            ("content-length", length.as_str()),
            ("content-type", "application/json"),
        ];
        let request = raw.signed(
            "lambda",
            "POST",
            "/2015-03-31/functions",
            &fields,
            body.as_bytes(),
        );
        exchange(raw.address, &request, false).status
    };
    assert_eq!(create("app"), 200);
    assert_ne!(create("admin"), 200);
    let table = |tags: &str| {
        let body = format!(r#"{{"TableName":"t",{tags}}}"#);
        json(&raw, "dynamodb", "DynamoDB_20120810.CreateTable", &body).status
    };
    assert_eq!(table(r#""Tags":[{"Key":"env","Value":"dev"}]"#), 200);
    // DynamoDB passes over what it does not know.
    assert_ne!(
        table(r#""Tags":[{"Key":"env","Value":"prod"}],"tags":[{"Key":"env","Value":"dev"}]"#),
        200
    );
    assert_eq!(target.heads().len(), 2);
}

/// What the target says of a part by its number tells where it stands.
#[test]
fn a_part_by_its_number_is_masked_as_in_the_whole() {
    let moto = tests::Moto::start();
    let config = Config::aws(&moto).policy("10-lake.cedar", lake::POLICIES);
    let gateway = Gateway::start(lake::in_clear(config));
    let raw = Raw::of(&gateway, "lake", &[]);
    let content = b"pays by 4111111111111111 always";
    let place = b"<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
    for (path, body) in [("/parts", &place[..]), ("/parts/k", content)] {
        let put = raw.s3("PUT", path, &[], body);
        assert_eq!(put.status, 200, "{}", put.text());
    }
    let part = raw.s3("GET", "/parts/k?partNumber=1", &[], b"");
    assert_eq!(part.status, 206, "{}", part.text());
    assert_eq!(part.text(), "pays by ************1111 always");
    assert_eq!(part.field("content-range"), Some("bytes 0-30/31"));
}
