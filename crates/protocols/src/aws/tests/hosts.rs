//! Services that sign alike, and who tells them apart.

use super::super::classify::{Upstream, classify};
use super::{head, scope};

/// A server for whatever is asked takes for an object's what AWS would know by its host.
#[test]
fn what_one_server_would_read_as_another_service_is_opaque() {
    for (service, request, action) in [
        (
            "s3",
            "PUT /v20180820/accesspoint/v\nx-amz-account-id: 123456789012",
            "s3:CreateAccessPoint",
        ),
        (
            "s3",
            "GET /v20180820/accesspoint/x\nx-amz-account-id: 123456789012\nrange: bytes=0-16",
            "s3:GetAccessPoint",
        ),
        (
            "s3",
            "POST /v20180820/jobs\nx-amz-account-id: 123456789012",
            "s3:CreateJob",
        ),
        (
            "s3-outposts",
            "GET /S3Outposts/ListEndpoints",
            "s3-outposts:ListEndpoints",
        ),
        ("bedrock", "POST /agents/a/", "bedrock:PrepareAgent"),
    ] {
        let to = |is_server| {
            let upstream = Upstream {
                is_server,
                ..Upstream::default()
            };
            classify(&head(request), &scope(service), Some(b""), &upstream)
        };
        assert_eq!(to(false).action(), action);
        let call = to(true);
        assert!(call.operation.is_none(), "{request}: {}", call.action());
    }
    for (service, request, action) in [
        ("s3", "PUT /v20180820/accesspoint/v", "s3:PutObject"),
        ("s3", "GET /b/k", "s3:GetObject"),
        (
            "lambda",
            "GET /2015-03-31/functions",
            "lambda:ListFunctions",
        ),
    ] {
        let upstream = Upstream {
            is_server: true,
            ..Upstream::default()
        };
        let call = classify(&head(request), &scope(service), None, &upstream);
        assert_eq!(call.action(), action);
    }
}
