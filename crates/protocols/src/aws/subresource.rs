//! Subresources of S3: names in a query that make of an operation another one (`?acl`, `?annotation`).
//!
//! A server that is like S3 and does not know one leaves it away, and does the operation that remains: it gives the object in the
//! place of its annotation, and deletes it. So of a server like S3 what remains is asked about too, unless the subresource is one
//! that such servers have known for long; and what an answer begins with tells whether it is the one that was asked for.

use super::classify::{Beside, Call, Upstream, Wire};
use super::objects::OF_CONTENT;
use super::route;
use super::table::{Operation, Service};
use crate::http::Head;

/// Those of buckets that servers like S3 know, or refuse.
const OF_BUCKETS: [&str; 17] = [
    "acl",
    "cors",
    "delete",
    "encryption",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "notification",
    "object-lock",
    "policy",
    "replication",
    "tagging",
    "uploads",
    "versioning",
    "versions",
    "website",
];
/// Those of objects.
const OF_OBJECTS: [&str; 6] = [
    "acl",
    "attributes",
    "partNumber",
    "tagging",
    "uploadId",
    "uploads",
];

/// What is content where it is an object's own, and is none where a server knows the subresource.
const CONTENTS: [&str; 3] = [
    "GetObjectAnnotation",
    "GetObjectTorrent",
    "PutObjectAnnotation",
];

/// What the documents of objects begin with: the operation, and the names of their roots.
const ROOTS: [(&str, &[&str]); 7] = [
    ("GetObjectAcl", &["AccessControlPolicy"]),
    ("GetObjectAttributes", &[]),
    ("GetObjectLegalHold", &["LegalHold", "ObjectLockLegalHold"]),
    ("GetObjectRetention", &["Retention", "ObjectLockRetention"]),
    ("GetObjectTagging", &["Tagging"]),
    ("ListObjectAnnotations", &[]),
    ("ListParts", &[]),
];
/// Lists of keys, which answer each other's questions.
const LISTS: [&str; 3] = ["ListObjectVersions", "ListObjects", "ListObjectsV2"];
/// What they begin with.
const OF_LISTS: [&str; 2] = ["ListBucketResult", "ListVersionsResult"];

/// The root of a document must stand within so many bytes.
pub const BEGINNING_BYTES_MAX: usize = 4_096;

/// What an operation would be to a server that does not know the subresource that makes it what it is.
pub(super) fn instead(
    (service, operation): (&'static Service, &'static Operation),
    head: &Head,
    to: &Upstream,
) -> Option<&'static Operation> {
    let route = operation.route.as_ref()?;
    let known: &[&str] = if route.is_of_object() {
        &OF_OBJECTS
    } else {
        &OF_BUCKETS
    };
    if !to.is_server || route.query.iter().all(|(name, _)| known.contains(name)) {
        return None;
    }
    let remains = route::find(std::iter::once(service), head, &[], to)?;
    (remains.operation.name != operation.name).then_some(remains.operation)
}

/// Whether the answer to a call, or what it uploads, may be an object's content though it is none by the operation's name.
#[must_use]
pub fn may_be_content(call: &Call) -> bool {
    let is_content = |beside: &Beside| match beside {
        Beside::Instead(operation) => OF_CONTENT.contains(&operation.name),
        Beside::At(_) => false,
    };
    let named = call.operation.is_some_and(|it| CONTENTS.contains(&it.name));
    call.wire == Wire::S3 && named && call.beside.iter().any(is_content)
}

/// Whether the answer to a call may be an object's content, or the list of a bucket's keys, in the place of what was asked for, and
/// tells by its beginning that it is not.
#[must_use]
pub fn is_told(call: &Call) -> bool {
    let Some(route) = call.operation.and_then(|it| it.route.as_ref()) else {
        return false;
    };
    let of_bucket = !route.segments.is_empty() && !route.is_of_object();
    call.wire == Wire::S3
        && route.method == "GET"
        && !route.query.is_empty()
        && (of_bucket || roots(call).is_some())
}

/// Whether an answer that begins so is the one to a call; `None` where more of it must be seen.
#[must_use]
pub fn is_answer(call: &Call, beginning: &[u8]) -> Option<bool> {
    let root = match root(beginning) {
        Root::Unseen if beginning.len() < BEGINNING_BYTES_MAX => return None,
        Root::Unseen => return Some(false),
        Root::None => None,
        Root::Named(name) => Some(name),
    };
    let operation = call.operation.map_or("", |it| it.name);
    Some(match (roots(call), root) {
        (Some(roots), Some(root)) => roots.contains(&root) || root.starts_with(operation),
        (Some(_), None) => false,
        (None, Some(root)) => LISTS.contains(&operation) || !OF_LISTS.contains(&root),
        (None, None) => true,
    })
}

fn roots(call: &Call) -> Option<&'static [&'static str]> {
    let operation = call.operation?.name;
    let found = ROOTS.iter().find(|(name, _)| *name == operation);
    found.map(|(_, roots)| *roots)
}

/// The first element of a document.
#[derive(Debug, PartialEq, Eq)]
enum Root<'a> {
    Named(&'a str),
    /// It is no XML.
    None,
    /// It stands behind what is here.
    Unseen,
}

fn root(beginning: &[u8]) -> Root<'_> {
    let mut rest = beginning.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(beginning);
    loop {
        rest = rest.trim_ascii_start();
        let skipped = match rest {
            [] | [b'<'] | [b'<', b'!'] | [b'<', b'!', b'-'] => return Root::Unseen,
            [b'<', b'?', ..] => memchr::memmem::find(rest, b"?>").map(|at| at + 2),
            [b'<', b'!', b'-', b'-', ..] => memchr::memmem::find(rest, b"-->").map(|at| at + 3),
            [b'<', b'!', ..] => return Root::None,
            [b'<', name @ ..] => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/');
                let Some(end) = name.iter().position(ends) else {
                    return Root::Unseen;
                };
                let name = std::str::from_utf8(name.get(..end).unwrap_or_default());
                let bare = name.map(|it| it.rsplit(':').next().unwrap_or(it));
                return bare.map_or(Root::None, Root::Named);
            }
            _ => return Root::None,
        };
        match skipped.and_then(|at| rest.get(at..)) {
            Some(after) => rest = after,
            None => return Root::Unseen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::classify::classify;
    use crate::aws::tests::{head, scope};

    fn call(text: &str, is_server: bool) -> Call {
        let to = Upstream {
            is_server,
            account: None,
        };
        classify(&head(text), &scope("s3"), Some(b""), &to)
    }

    #[test]
    fn what_remains_is_known_of_what_servers_may_not_know() {
        for (text, operation, remains) in [
            (
                "GET /b/k?annotation&annotationName=x",
                "GetObjectAnnotation",
                "GetObject",
            ),
            (
                "DELETE /b/k?annotation&annotationName=x",
                "DeleteObjectAnnotation",
                "DeleteObject",
            ),
            (
                "PUT /b/k?annotation&annotationName=x",
                "PutObjectAnnotation",
                "PutObject",
            ),
            ("GET /b/k?torrent", "GetObjectTorrent", "GetObject"),
            ("GET /b/k?retention", "GetObjectRetention", "GetObject"),
            ("PUT /b/k?legal-hold", "PutObjectLegalHold", "PutObject"),
            ("PUT /b/k?encryption", "UpdateObjectEncryption", "PutObject"),
            (
                "PUT /b/k?renameObject\nx-amz-rename-source: a",
                "RenameObject",
                "PutObject",
            ),
            ("GET /b?abac", "GetBucketAbac", "ListObjects"),
            ("GET /b?session", "CreateSession", "ListObjects"),
            (
                "GET /b?analytics&id=x",
                "GetBucketAnalyticsConfiguration",
                "ListObjects",
            ),
            ("PUT /b?abac", "PutBucketAbac", "CreateBucket"),
            (
                "DELETE /b?metadataConfiguration",
                "DeleteBucketMetadataConfiguration",
                "DeleteBucket",
            ),
            (
                "DELETE /b?inventory&id=x",
                "DeleteBucketInventoryConfiguration",
                "DeleteBucket",
            ),
        ] {
            let names = |is_server| {
                let call = call(text, is_server);
                let instead = call.beside.iter().find_map(|it| match it {
                    Beside::Instead(operation) => Some(operation.name),
                    Beside::At(_) => None,
                });
                (call.operation.unwrap().name, instead)
            };
            assert_eq!(names(true), (operation, Some(remains)), "{text}");
            assert_eq!(names(false), (operation, None), "{text}");
        }
        for text in [
            "GET /b/k",
            "GET /b/k?versionId=1&partNumber=1",
            "GET /b/k?acl",
            "PUT /b/k?tagging",
            "PUT /b/k?partNumber=1&uploadId=x",
            "POST /b/k?restore",
            "GET /b?list-type=2&prefix=a",
            "GET /b?versions",
            "DELETE /b?policy",
            "PUT /b?encryption",
        ] {
            let call = call(text, true);
            assert!(call.operation.is_some() && call.beside.is_empty(), "{text}");
        }
    }

    #[test]
    fn an_answer_tells_by_its_beginning_what_it_is() {
        let begins = |text: &str, beginning: &str| {
            let call = call(text, true);
            assert!(is_told(&call), "{text}");
            is_answer(&call, beginning.as_bytes())
        };
        let declared = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        for (text, root) in [
            ("GET /b/k?retention", "<Retention xmlns=\"x\">"),
            ("GET /b/k?acl", "<AccessControlPolicy>"),
            ("GET /b/k?tagging", "<s3:Tagging/>"),
            ("GET /b/k?uploadId=x", "<ListPartsResult>"),
            (
                "GET /b/k?attributes\nx-amz-object-attributes: ETag",
                "<GetObjectAttributesOutput>",
            ),
            ("GET /b?versions", "<ListVersionsResult>"),
            ("GET /b?list-type=2", "<ListBucketResult>"),
            ("GET /b?abac", "<AbacStatus>"),
            ("GET /b?policy", "{\"Version\":"),
        ] {
            assert_eq!(begins(text, root), Some(true), "{text}");
            assert_eq!(
                begins(text, &format!("{declared}<!-- a -->{root}")),
                Some(true)
            );
        }
        for (text, other) in [
            ("GET /b/k?retention", "id,code\n1,kiwi"),
            ("GET /b/k?retention", "{\"code\":\"kiwi\"}"),
            ("GET /b/k?acl", "<order>"),
            ("GET /b/k?tagging", "<!DOCTYPE html>"),
            ("GET /b?abac", "<ListBucketResult xmlns=\"x\">"),
            ("GET /b?uploads", "<ListBucketResult>"),
            ("GET /b?session", "<a:ListVersionsResult>"),
        ] {
            assert_eq!(begins(text, other), Some(false), "{text} {other}");
        }
        for short in [
            "",
            "<",
            "<?xml version",
            declared,
            "<!-",
            "<!-- a",
            "<Reten",
        ] {
            assert_eq!(begins("GET /b/k?retention", short), None, "{short}");
        }
        let endless = " ".repeat(BEGINNING_BYTES_MAX);
        assert_eq!(begins("GET /b/k?retention", &endless), Some(false));
        for text in [
            "GET /b/k",
            "GET /b",
            "HEAD /b/k",
            "PUT /b/k?acl",
            "GET /",
            "GET /b/k?torrent",
        ] {
            assert!(!is_told(&call(text, true)), "{text}");
        }
    }
}
