//! What policy is asked, what approvals bind to, and what may rest.

use mask::{Masker, MaskerConfig};
use model::{Command, Value};

use super::super::classify::{Upstream, classify};
use super::super::command::{Body, command};
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
