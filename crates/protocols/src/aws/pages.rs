//! Where lists go on. A page may end at a key of somebody's own, and whoever asks for the next must name that key: where something
//! is hidden in it, the next page would be another, or none.

use memchr::memmem;
use serde_json::Value;

use super::classify::{Call, Wire};

/// Members that hold where the next page begins, made of what is listed.
const ELEMENTS: [&str; 4] = [
    "NextContinuationToken",
    "NextKeyMarker",
    "NextMarker",
    "NextRecordName",
];
const MEMBERS: [&str; 2] = ["LastEvaluatedKey", "LastEvaluatedTableName"];

/// Whether the answer to a call ends where a next page may begin.
#[must_use]
pub fn may_go_on(call: &Call) -> bool {
    let service = call.service.map_or("", |it| it.name);
    let operation = call.operation.map_or("", |it| it.name);
    matches!(
        (service, operation),
        ("dynamodb", "ListTables" | "Query" | "Scan")
            | ("route53", "ListResourceRecordSets")
            | (
                "s3",
                "ListMultipartUploads" | "ListObjects" | "ListObjectsV2" | "ListObjectVersions"
            )
    )
}

/// Whether what is shown of an answer tells where the next page begins as the answer does.
#[must_use]
pub fn goes_on(wire: Wire, answer: &[u8], shown: &[u8]) -> bool {
    if matches!(wire, Wire::Json(_)) {
        let place = |text: &[u8]| {
            let tree = serde_json::from_slice::<Value>(text).ok()?;
            Some(MEMBERS.map(|name| tree.get(name).cloned()))
        };
        return place(answer) == place(shown);
    }
    ELEMENTS.iter().all(|name| {
        let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
        memmem::find_iter(answer, &begin).all(|at| {
            let rest = answer.get(at..).unwrap_or_default();
            let length = memmem::find(rest, end.as_bytes()).unwrap_or(rest.len());
            shown.get(at..at + length) == rest.get(..length)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::TABLE;
    use super::*;

    fn call(service: &str, operation: &str, wire: Wire) -> Call {
        let mut services = TABLE.services().iter();
        let service = services.find(|it| it.name == service).unwrap();
        Call {
            wire,
            service: Some(service),
            operation: service.operation(operation),
            prefix: service.prefix.to_owned(),
            region: "us-east-1".to_owned(),
            things: Vec::new(),
            parameters: Vec::new(),
            tags: Vec::new(),
            unseen: false,
            beside: Vec::new(),
            touched: Default::default(),
            elsewhere: Vec::new(),
        }
    }

    #[test]
    fn only_what_begins_the_next_page_counts() {
        let s3 = call("s3", "ListObjectVersions", Wire::S3);
        let scan = call("dynamodb", "Scan", Wire::Json(0));
        assert!(may_go_on(&s3) && may_go_on(&scan));
        assert!(!may_go_on(&call("s3", "GetObject", Wire::S3)));
        let page = |key: &str, marker: &str| {
            format!("<R><Key>{key}</Key><NextKeyMarker>{marker}</NextKeyMarker></R>")
        };
        let same = |one: &str, other: &str| goes_on(s3.wire, one.as_bytes(), other.as_bytes());
        assert!(same(&page("a@b", "c*"), &page("***", "c*")));
        assert!(!same(&page("a@b", "a@b"), &page("***", "***")));
        assert!(!same("<R><NextMarker>a@b", "<R><NextMarker>***"));
        let items =
            |key: &str| format!("{{\"Items\":[1],\"LastEvaluatedKey\":{{\"S\":\"{key}\"}}}}");
        assert!(goes_on(
            scan.wire,
            items("a").as_bytes(),
            items("a").as_bytes()
        ));
        assert!(!goes_on(
            scan.wire,
            items("a").as_bytes(),
            items("*").as_bytes()
        ));
    }
}
