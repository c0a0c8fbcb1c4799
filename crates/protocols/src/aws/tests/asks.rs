//! What policy is asked, what approvals bind to, and what may rest.

use mask::{Masker, MaskerConfig};
use model::{Command, Value};

use super::super::classify::{Upstream, classify};
use super::super::command::{Body, command};
use super::super::s3;
use super::{call, head, scope};

fn of(service: &str, text: &str, body: &[u8]) -> Command {
    let masker = Masker::new(MaskerConfig::default());
    let call = call(service, text, body);
    command(&call, &head(text), Body::Whole(body), &masker, &[].into())
}

fn streamed(text: &str, body: Body<'_>) -> Command {
    let masker = Masker::new(MaskerConfig::default());
    let call = classify(&head(text), &scope("s3"), None, &Upstream::default());
    command(&call, &head(text), body, &masker, &[].into())
}

fn asked(command: &Command) -> Vec<(&str, &str, &str)> {
    let asks = command.asks.list().iter();
    asks.map(|ask| (ask.action, ask.resource.kind, ask.resource.name.as_str()))
        .collect()
}

#[test]
fn a_request_asks_for_each_thing_it_names() {
    let copy = of("s3", "PUT /b/k\nx-amz-copy-source: c/d", b"");
    assert_eq!(
        asked(&copy),
        [("write", "Object", "b/k"), ("read", "Object", "c/d")]
    );
    assert_eq!(&*copy.tag, "s3:CopyObject");
    let list = of("s3", "GET /b?list-type=2&prefix=reports%2F", b"");
    assert_eq!(asked(&list), [("list", "Bucket", "b")]);
    let context = &list.asks.list()[0].context;
    assert_eq!(
        context["operation"],
        Value::Text("s3:ListObjectsV2".to_owned())
    );
    let Value::Texts(parameters) = &context["parameters"] else {
        panic!("{context:?}");
    };
    assert!(
        parameters.contains(&"prefix=reports/".to_owned()),
        "{parameters:?}"
    );
    assert_eq!(asked(&of("s3", "GET /", b"")), [("list", "Service", "s3")]);
    assert_eq!(
        asked(&of("s3", "GET /b?a=b", b"")),
        [("opaque", "Service", "s3")]
    );
    let secret = of(
        "secretsmanager",
        "POST /\nx-amz-target: secretsmanager.GetSecretValue",
        b"{\"SecretId\":\"db\"}",
    );
    assert_eq!(asked(&secret), [("read", "Resource", "secretsmanager:db")]);
}

/// AWS asks for more permissions too where an upload says who may read it.
#[test]
fn what_an_upload_sets_beside_is_asked_for_too() {
    for (fields, more) in [
        ("x-amz-acl: private", &[][..]),
        ("x-amz-acl: public-read", &["permissions"]),
        (
            "x-amz-acl: private\nx-amz-acl: public-read",
            &["permissions"],
        ),
        ("x-amz-grant-read: uri=x", &["permissions"]),
        ("x-amz-tagging: a=b", &["tagging"]),
        (
            "x-amz-tagging: a=b\nx-amz-grant-write: x",
            &["permissions", "tagging"],
        ),
    ] {
        let put = of("s3", &format!("PUT /b/k\n{fields}"), b"");
        let actions: Vec<_> = asked(&put).into_iter().map(|it| it.0).collect();
        assert_eq!(actions, [&["write"], more].concat(), "{fields}");
    }
    let copy = of(
        "s3",
        "PUT /b/k\nx-amz-copy-source: c/d\nx-amz-acl: public-read",
        b"",
    );
    assert_eq!(
        asked(&copy),
        [
            ("write", "Object", "b/k"),
            ("permissions", "Object", "b/k"),
            ("read", "Object", "c/d")
        ]
    );
    let delete = of(
        "s3",
        "DELETE /b/k\nx-amz-bypass-governance-retention: true",
        b"",
    );
    assert_eq!(asked(&delete)[1].0, "permissions");
    let acl = of("s3", "PUT /b/k?acl\nx-amz-acl: public-read", b"");
    assert_eq!(asked(&acl), [("permissions", "Object", "b/k")]);
}

/// Nor does it matter whether a thing comes to have a policy or tags when it is made, or later.
#[test]
fn policies_and_tags_given_in_a_body_are_asked_for_too() {
    let levels = |service: &str, text: &str, body: &str| {
        let command = of(service, text, body.as_bytes());
        let levels = asked(&command).into_iter().map(|it| it.0);
        levels.collect::<Vec<_>>().join(" ")
    };
    let json = |service: &str, target: &str, body: &str| {
        levels(service, &format!("POST /\nx-amz-target: {target}"), body)
    };
    let table = "DynamoDB_20120810.CreateTable";
    for (rest, wanted) in [
        ("", "write"),
        (r#","Tags":[],"ResourcePolicy":null"#, "write"),
        (r#","Tags":[{"Key":"a","Value":"b"}]"#, "write tagging"),
        (r#","ResourcePolicy":"{}""#, "write permissions"),
        (
            r#","Tags":[{"Key":"a"}],"ResourcePolicy":"{}""#,
            "write permissions tagging",
        ),
        (r#","Other":{"ResourcePolicy":"{}"}"#, "write"),
    ] {
        let body = format!(r#"{{"TableName":"t"{rest}}}"#);
        assert_eq!(json("dynamodb", table, &body), wanted, "{body}");
    }
    assert_eq!(
        json("kms", "TrentService.CreateKey", r#"{"Policy":"{}"}"#),
        "write permissions"
    );
    assert_eq!(json("kms", "TrentService.CreateKey", "{}"), "write");
    let api = |method: &str, path: &str, body: &str| {
        levels("apigateway", &format!("{method} {path}"), body)
    };
    assert_eq!(
        api("POST", "/restapis", r#"{"name":"x","policy":"{}"}"#),
        "write permissions"
    );
    let patch =
        |path: &str| format!(r#"{{"patchOperations":[{{"op":"replace","path":"{path}"}}]}}"#);
    assert_eq!(api("PATCH", "/restapis/a", &patch("/name")), "write");
    assert_eq!(
        api("PATCH", "/restapis/a", &patch("/policy")),
        "write permissions"
    );
    let ec2 = |form: &str| {
        let head = "POST /\ncontent-type: application/x-www-form-urlencoded";
        levels("ec2", head, &format!("{form}&Version=2016-11-15"))
    };
    let run = "Action=RunInstances&ImageId=ami-1&MinCount=1&MaxCount=1";
    assert_eq!(ec2(run), "write");
    let tags = "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b";
    assert_eq!(ec2(&format!("{run}{tags}")), "write tagging");
    let image = "Action=ModifyImageAttribute&ImageId=ami-1";
    assert_eq!(ec2(&format!("{image}&Description.Value=x")), "write");
    for public in [
        "&LaunchPermission.Add.1.Group=all",
        "&Attribute=launchPermission&OperationType=add&UserGroup.1=all",
    ] {
        assert_eq!(ec2(&format!("{image}{public}")), "write permissions");
    }
}

#[test]
fn a_bucket_that_is_made_with_more_asks_for_more() {
    let levels = |text: &str, body: Option<&[u8]>| {
        let masker = Masker::new(MaskerConfig::default());
        let call = classify(&head(text), &scope("s3"), body, &Upstream::default());
        let body = body.map_or(Body::Unknown, Body::Whole);
        let command = command(&call, &head(text), body, &masker, &[].into());
        let levels = asked(&command).into_iter().map(|it| it.0);
        levels.collect::<Vec<_>>().join(" ")
    };
    let of = |inner: &str| {
        let body = format!("<CreateBucketConfiguration>{inner}</CreateBucketConfiguration>");
        levels(
            &format!("PUT /b\ncontent-length: {}", body.len()),
            Some(body.as_bytes()),
        )
    };
    let place = "<LocationConstraint>eu-west-1</LocationConstraint>";
    let tags = "<Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags>";
    assert_eq!(levels("PUT /b", None), "write");
    assert_eq!(of(place), "write");
    assert_eq!(of(&format!("{place}{tags}")), "write tagging");
    // What was not read may set some.
    assert_eq!(
        levels("PUT /b\ncontent-length: 70000", None),
        "write tagging"
    );
    let owned = |by: &str| levels(&format!("PUT /b\nx-amz-object-ownership: {by}"), None);
    assert_eq!(owned("BucketOwnerEnforced"), "write");
    assert_eq!(owned("ObjectWriter"), "write permissions");

    let wants = |text: &str| s3::wants_body(&head(text));
    assert!(
        wants("PUT /b\ncontent-length: 90")
            && wants("PUT /b/?x-id=CreateBucket\ncontent-length: 90")
    );
    for other in [
        "PUT /b/k\ncontent-length: 90",
        "PUT /b\ncontent-length: 70000",
        "PUT /b?partNumber=1&uploadId=x\ncontent-length: 90",
        "PUT /b\ncontent-length: 90\nx-amz-decoded-content-length: 9",
        "PUT /b",
    ] {
        assert!(!wants(other), "{other}");
    }
}

#[test]
fn the_same_request_is_the_same_command_whenever_it_is_sent() {
    let one = of(
        "s3",
        "PUT /b/k?x-id=PutObject\nx-amz-date: 1\nuser-agent: a\nx-amz-acl: private",
        b"x",
    );
    let same = of(
        "s3",
        "PUT /b/k?x-id=PutObject\nx-amz-acl: private\nx-amz-date: 2\nauthorization: z",
        b"x",
    );
    assert_eq!(one.canonical(), same.canonical());
    for other in [
        of("s3", "PUT /b/k?x-id=PutObject\nx-amz-acl: private", b"y"),
        of(
            "s3",
            "PUT /b/k?x-id=PutObject\nx-amz-acl: public-read",
            b"x",
        ),
        of("s3", "PUT /b/l?x-id=PutObject\nx-amz-acl: private", b"x"),
        of("s3", "PUT /b/k\nx-amz-acl: private", b"x"),
        streamed("PUT /b/k?x-id=PutObject\nx-amz-acl: private", Body::Unknown),
    ] {
        assert_ne!(one.canonical(), other.canonical());
    }
    // A body that reads like the digest of another is not it.
    let digest = crate::http::sigv4::sha256(b"x");
    let claimed = streamed("PUT /b/k", Body::Digest(&digest));
    assert_ne!(
        of("s3", "PUT /b/k", digest.as_bytes()).canonical(),
        claimed.canonical()
    );
    let chunked = streamed(
        "PUT /b/k\ncontent-encoding: aws-chunked",
        Body::Digest(&digest),
    );
    assert_eq!(chunked.canonical(), claimed.canonical());
}

#[test]
fn secrets_do_not_rest() {
    let target = "POST /\nx-amz-target: secretsmanager.PutSecretValue";
    let body =
        b"{\"SecretId\":\"db\",\"SecretString\":\"hunter2\",\"Note\":\"card 4111111111111111\"}";
    let shown = of("secretsmanager", target, body).shown_parameters[0]
        .clone()
        .unwrap();
    assert!(
        shown.contains("\"db\"") && shown.contains("[hidden]"),
        "{shown}"
    );
    assert!(
        !shown.contains("hunter2") && !shown.contains("4111111111111111"),
        "{shown}"
    );

    let form = "POST /\ncontent-type: application/x-www-form-urlencoded";
    let body = b"Action=CreateLoginProfile&Version=2010-05-08&UserName=u&Password=hunter2";
    let shown = of("iam", form, body).shown_parameters[0].clone().unwrap();
    assert!(
        shown.contains("UserName=u") && !shown.contains("hunter2"),
        "{shown}"
    );

    let key = "GET /b/k\nx-amz-server-side-encryption-customer-key: hunter2";
    let command = of("s3", key, b"");
    assert!(!String::from_utf8_lossy(&command.shown).contains("hunter2"));
    assert!(String::from_utf8_lossy(&command.text).contains("hunter2"));

    let cookie = of(
        "s3",
        "GET /b/k\ncookie: hunter2\nproxy-authorization: Basic hunter2",
        b"",
    );
    assert!(!String::from_utf8_lossy(&cookie.shown).contains("hunter2"));

    // Nothing is known of the service, so nothing of its body is told.
    let shown = of("unheard", "POST /", b"hunter2").shown_parameters[0]
        .clone()
        .unwrap();
    assert!(shown.starts_with("<7 bytes"), "{shown}");
}
