//! What S3 requests are done to.

use super::classify::Thing;
use super::document;
use super::source::{COPY, RENAME, Source, renamed};
use super::table::Level;
use crate::http::{Head, escape};

/// Keys that one DeleteObjects may name: S3's own limit.
const KEYS_MAX: usize = 1_000;

/// Parameters of S3's requests whose body is a document, and no object.
const DOCUMENTS: [&str; 27] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "tagging",
    "versioning",
    "website",
];

/// Whether an S3 request must be read whole before it can be classified.
#[must_use]
pub fn wants_body(head: &Head) -> bool {
    let query = escape::pairs(head.query.as_deref().unwrap_or_default()).unwrap_or_default();
    let sets = |(name, _): &(String, String)| DOCUMENTS.contains(&name.as_str());
    matches!(&*head.method, "POST" | "PUT") && query.iter().any(sets)
        || may_create_bucket(head, &query)
}

/// The body of CreateBucket is at most so long; one that is longer is not read.
const CREATE_BYTES_MAX: u64 = 64 << 10;

/// Whether a request may be CreateBucket with a body. One by the bucket's host looks like the upload of an object with a short key.
fn may_create_bucket(head: &Head, query: &[(String, String)]) -> bool {
    let length = head.fields.one("content-length");
    let length = length.and_then(|it| it.parse::<u64>().ok());
    let others = ["x-amz-decoded-content-length", COPY, RENAME];
    head.method == "PUT"
        && !head.path.trim_matches('/').contains('/')
        && query.iter().all(|(name, _)| name == "x-id")
        && length.is_some_and(|length| (1..=CREATE_BYTES_MAX).contains(&length))
        && !others.iter().any(|name| head.fields.has(name))
}

/// The things that `operation` is done to; `None` where that cannot be told for certain.
pub(super) fn things(
    operation: &str,
    labels: &[(&'static str, String)],
    head: &Head,
    body: &[u8],
) -> Option<Vec<Thing>> {
    let label = |name: &str| {
        labels
            .iter()
            .find(|(it, _)| *it == name)
            .map(|(_, value)| value.clone())
    };
    let Some(bucket) = label("Bucket") else {
        return Some(Vec::new());
    };
    if !is_bucket(&bucket) {
        return None;
    }
    let mut things = match label("Key") {
        Some(key) => vec![Thing::Object {
            bucket: bucket.clone(),
            key,
        }],
        None if operation == "DeleteObjects" => keys(body)?
            .into_iter()
            .map(|key| Thing::Object {
                bucket: bucket.clone(),
                key,
            })
            .collect(),
        None => vec![Thing::Bucket(bucket.clone())],
    };
    if head.fields.has(COPY) {
        let Source { bucket, key, .. } = Source::read(head.fields.one(COPY)?)?;
        if !is_bucket(&bucket) {
            return None;
        }
        things.push(Thing::Source { bucket, key });
    }
    if head.fields.has(RENAME) {
        // What is renamed is gone from where it was, and can be read where it comes to be.
        for key in renamed(head.fields.one(RENAME)?, &bucket)? {
            let bucket = bucket.clone();
            things.push(Thing::Object {
                bucket: bucket.clone(),
                key: key.clone(),
            });
            things.push(Thing::Source { bucket, key });
        }
    }
    let resolved = things.iter().map(resolved).collect::<Option<Vec<_>>>()?;
    things.extend(resolved.into_iter().flatten());
    Some(things)
}

/// What S3 reserves the ends of buckets' names for: aliases of access points (of Lambda, of several regions, of Outposts), which
/// are other names of buckets (S3 user guide, "General purpose bucket naming rules").
const ALIASES: [&str; 4] = ["-s3alias", "--ol-s3", ".mrap", "--op-s3"];

/// Whether it can be a bucket's own name, and its only one. One with a slash in it, however escaped, would be a bucket and a key
/// to whoever reads the path after it was written anew; one with a colon is a bucket of a tenant to some servers, or an ARN.
pub(super) fn is_bucket(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    !name.is_empty()
        && !name.contains(['/', ':'])
        && !matches!(name, "." | "..")
        && !ALIASES.iter().any(|end| lower.ends_with(end))
}

/// The other objects that one which a service goes to may be; `None` where one would lie outside of its bucket.
pub(super) fn readings(thing: &Thing) -> Option<Vec<Thing>> {
    resolved(thing)
}

/// The objects that a key with dot segments is to servers that resolve them, with and without taking slashes that follow each other
/// for one, as file systems do; to S3 they are part of the key. All are asked about. `None` where one would lie outside of the
/// bucket, which S3 refuses (S3 user guide, "Naming Amazon S3 objects").
fn resolved(thing: &Thing) -> Option<Vec<Thing>> {
    let (Thing::Object { bucket, key } | Thing::Source { bucket, key }) = thing else {
        return Some(Vec::new());
    };
    let mut others = Vec::new();
    for collapses in [false, true] {
        let other = reading(key, collapses)?;
        if other == *key || others.contains(&other) {
            continue;
        }
        others.push(other);
    }
    let other = |key| match thing {
        Thing::Source { .. } => Thing::Source {
            bucket: bucket.clone(),
            key,
        },
        _ => Thing::Object {
            bucket: bucket.clone(),
            key,
        },
    };
    Some(others.into_iter().map(other).collect())
}

/// A key without its dot segments, and without its empty ones if it `collapses`; the slash at its end stays.
fn reading(key: &str, collapses: bool) -> Option<String> {
    let (path, end) = match key.strip_suffix('/') {
        Some(path) if collapses => (path, "/"),
        _ => (key, ""),
    };
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            "" if collapses => {}
            ".." => drop(segments.pop()?),
            _ => segments.push(segment),
        }
    }
    let joined = segments.join("/");
    (!joined.is_empty()).then(|| joined + end)
}

/// What a request of this level does beside, by its headers: what AWS asks further permissions for.
pub(super) fn beside(level: Level, head: &Head) -> Vec<Level> {
    let set = |name: &str, usual: &str| head.fields.all(name).any(|it| it.trim() != usual);
    let grants = head
        .fields
        .iter()
        .any(|(name, _)| name.starts_with("x-amz-grant-"));
    let permissions = grants
        || set("x-amz-acl", "private")
        || set("x-amz-bypass-governance-retention", "false")
        || set("x-amz-object-ownership", "BucketOwnerEnforced");
    let mut beside = Vec::new();
    if permissions && level != Level::Permissions {
        beside.push(Level::Permissions);
    }
    if set("x-amz-tagging", "") && level != Level::Tagging {
        beside.push(Level::Tagging);
    }
    beside
}

/// The keys in the body of DeleteObjects. Elements are known or the body is not read: another parser must not find other keys.
fn keys(body: &[u8]) -> Option<Vec<String>> {
    const ELEMENTS: [&str; 5] = ["VersionId", "ETag", "LastModifiedTime", "Size", "Quiet"];
    let mut keys = Vec::new();
    document::read(body, "Delete", &["Object"], |path, text| match path {
        ["Delete", "Object", "Key"] => {
            keys.push(document::unescape(text)?);
            Some(())
        }
        ["Delete"] | ["Delete", "Object"] => Some(()),
        [.., "Key"] => None,
        [.., name] => ELEMENTS.contains(name).then_some(()),
        [] => None,
    })?;
    (!keys.is_empty() && keys.len() <= KEYS_MAX).then_some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_and_slashes_are_read_in_every_way() {
        let read = |key: &str| {
            let thing = Thing::Object {
                bucket: "lake".to_owned(),
                key: key.to_owned(),
            };
            let keys = |thing| match thing {
                Thing::Object { key, .. } => key,
                other => panic!("{other:?}"),
            };
            let things = resolved(&thing)?;
            Some(things.into_iter().map(keys).collect::<Vec<_>>())
        };
        let some = |keys: &[&str]| Some(keys.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(read("a/b.txt"), some(&[]));
        assert_eq!(read("folder/"), some(&[]));
        assert_eq!(read("a/./b/../c"), some(&["a/c"]));
        assert_eq!(read("x//../secret/a"), some(&["x/secret/a", "secret/a"]));
        assert_eq!(read("x/..//secret/a"), some(&["/secret/a", "secret/a"]));
        assert_eq!(read(".//csv/a.csv"), some(&["/csv/a.csv", "csv/a.csv"]));
        assert_eq!(read("/secret/a"), some(&["secret/a"]));
        assert_eq!(read("secret//a//"), some(&["secret/a/"]));
        for outside in [
            "x//../../other/a",
            "x///../../../other/a",
            "../a",
            "a/..",
            "//",
            ".",
        ] {
            assert_eq!(read(outside), None, "{outside}");
        }
    }

    #[test]
    fn other_names_of_buckets_are_none() {
        for name in ["lake", "s3alias", "my-s3alias-x", "zone--use1-az4--x-s3"] {
            assert!(is_bucket(name), "{name}");
        }
        for name in [
            "metadata-shtqyqwr8m6t8-s3alias",
            "Metadata-shtqyqwr8m6t8-S3Alias",
            "banner-x1y2z3--ol-s3",
            "mfzwi23gnjvgw.mrap",
            "ap-x--op-s3",
            "tenant:lake",
            "arn:aws:s3:eu-west-1:111111111111:accesspoint:p",
            "lake/a",
            "..",
            "",
        ] {
            assert!(!is_bucket(name), "{name}");
        }
    }

    #[test]
    fn keys_to_delete_are_read_or_nothing_is() {
        let whole = |inner: &str| {
            let text = format!(
                "<?xml version=\"1.0\"?>\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</Delete>"
            );
            keys(text.as_bytes())
        };
        assert_eq!(
            whole(
                "<Object><Key>a&amp;b/&#252;</Key></Object>\n <Object><Key> c</Key><VersionId>1</VersionId></Object><Quiet>true</Quiet>"
            ),
            Some(vec!["a&b/ü".to_owned(), " c".to_owned()])
        );
        for odd in [
            "",
            "<Object><Key>a</Key><!-- <Key>b</Key> --></Object>",
            "<Object><Key><![CDATA[a]]></Key></Object>",
            "<Object><x:Key>a</x:Key></Object>",
            "<Object><Key >a</Key ></Object>",
            "<Object><Key/></Object>",
            "<Key>a</Key>",
            "<Object><Key>a</Key>",
            "<Object><Key>&e;</Key></Object>",
        ] {
            assert_eq!(whole(odd), None, "{odd}");
        }
        assert_eq!(
            keys(b"<!DOCTYPE x [<!ENTITY e 'a'>]><Delete><Object><Key>a</Key></Object></Delete>"),
            None
        );
    }
}
