//! Header fields that go on, and those by which nobody knows what is asked.

use super::super::upstream;
use super::{call, head};

fn onward(service: &str, text: &str) -> Vec<String> {
    let to = upstream::head(&head(text), &call(service, text, b""), "h").unwrap();
    to.fields.iter().map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn vendors_fields_do_not_go_on() {
    for (method, field) in [
        ("DELETE", "x-minio-force-delete: true"),
        ("PUT", "x-minio-extract: true"),
        ("PUT", "x-rgw-object-append: 1"),
        ("PUT", "x-goog-copy-source: vault/v"),
        ("PUT", "x_amz_copy_source: vault/v"),
        ("PUT", "x_http_method_override: DELETE"),
    ] {
        let text = format!("{method} /b/k\nhost: g\n{field}");
        assert_eq!(onward("s3", &text), ["host"], "{field}");
    }
    // Policy may permit what is not known by name, but not what is read as another field.
    let opaque = "PUT /b/k?unheard=of\nhost: g\nx-amz-new: 1\nx-amz-copy_source: c/d\nx-minio-a: 1";
    assert_eq!(onward("s3", opaque), ["host", "x-amz-new", "x-minio-a"]);
}

#[test]
fn fields_of_the_service_go_on() {
    for (service, text) in [
        (
            "s3",
            "PUT /b/k\nx-amz-meta-a_b: 1\nx-amz-storage-class: STANDARD_IA\nif-none-match: *\nx-amz-checksum-crc32: x",
        ),
        (
            "lambda",
            "POST /2015-03-31/functions/f/invocations\nx-amz-invocation-type: Event\nx-amz-client-context: e30=",
        ),
        (
            "bedrock",
            "POST /model/m/invoke\nx-amzn-bedrock-trace: ENABLED\naccept: */*\ncontent-type: application/json",
        ),
    ] {
        let fields: Vec<String> = head(text).fields.iter().map(|it| it.0.to_owned()).collect();
        assert!(call(service, text, b"").operation.is_some(), "{text}");
        assert_eq!(onward(service, text)[1..], fields, "{text}");
    }
}

#[test]
fn fields_that_look_like_awss_and_are_not_known_are_opaque() {
    for (service, text) in [
        (
            "s3",
            "PUT /v20180820/accesspoint/v\nx-amz-account-id: 1\nx-amz-copy-source: vault/v",
        ),
        ("s3", "PUT /b/k\nx-amz-copy_source: vault/v"),
        ("s3", "GET /b/k\nx-amz-account-id: 123456789012"),
        ("s3", "PUT /b/k\nx-amz-unheard: 1"),
        (
            "lambda",
            "POST /2015-03-31/functions/f/invocations\nx-amz-copy-source: vault/v",
        ),
        (
            "lambda",
            "POST /2015-03-31/functions/f/invocations\nx-amz-acl: public-read",
        ),
    ] {
        let call = call(service, text, b"");
        assert!(call.operation.is_none(), "{text}: {}", call.action());
    }
}
