//! The table of AWS actions against botocore itself: every operation of every service, in every protocol it is written in.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests may fail"
)]

use base64::Engine as _;
use protocols::aws::classify::{Call, Upstream, classify};
use protocols::aws::table::{Operation, Segment, TABLE};
use protocols::http::Head;
use protocols::http::sigv4::Scope;
use serde_json::Value;

fn text<'a>(request: &'a Value, name: &str) -> &'a str {
    request[name].as_str().unwrap()
}

fn classified(request: &Value) -> Call {
    let fields = request["headers"].as_array().unwrap().iter();
    let query = text(request, "query");
    let head = Head {
        method: text(request, "method").to_owned(),
        path: text(request, "path").to_owned(),
        query: (!query.is_empty()).then(|| query.to_owned()),
        fields: fields
            .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
            .collect(),
    };
    let scope = Scope {
        day: "20260101".to_owned(),
        region: "us-east-1".to_owned(),
        service: text(request, "signed_as").to_owned(),
    };
    let body = base64::engine::general_purpose::STANDARD.decode(text(request, "body"));
    classify(&head, &scope, Some(&body.unwrap()), &Upstream::default())
}

/// What two operations that are called alike have in common.
fn called(operation: &Operation) -> impl PartialEq + use<> {
    operation.route.as_ref().map(|route| {
        let segments: Vec<_> = route
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(text) => (*text, ""),
                Segment::Label { before, after, .. } => (*before, *after),
                Segment::Greedy(_) => ("+", "+"),
            })
            .collect();
        (
            route.method,
            segments,
            route.query.clone(),
            route.headers.clone(),
        )
    })
}

/// Whether another operation of the same signing name is called in the same way and can do something else.
fn told_by_host(signed_as: &str, service: &str, name: &str) -> bool {
    let services = TABLE.services().iter().filter(|it| it.name == service);
    let Some(meant) = services.filter_map(|it| it.operation(name)).next() else {
        return false;
    };
    TABLE
        .signed_as(signed_as)
        .flat_map(|service| &service.operations)
        .any(|other| called(other) == called(meant) && other.level != meant.level)
}

#[test]
fn every_operation_that_botocore_writes_is_found() {
    let requests = tests::every_request().success().json_lines();
    assert!(requests.len() > 20_000, "{}", requests.len());
    let mut missed = Vec::new();
    let mut alike = 0;
    let mut by_host = Vec::new();
    for request in &requests {
        let call = classified(request);
        let (service, name) = (text(request, "service"), text(request, "operation"));
        match call.operation {
            Some(found) if found.name == name => {}
            Some(found) => {
                // Where AWS has two operations for one form of request, either will do, if they are of one level.
                let services = TABLE.services().iter();
                let meant = services
                    .filter(|it| it.name == service)
                    .find_map(|it| it.operation(name));
                let meant = meant.unwrap_or_else(|| panic!("{service} {name} is not in the table"));
                if called(meant) == called(found) && meant.level == found.level {
                    alike += 1;
                } else {
                    missed.push(format!("{service} {name}: {} instead", call.action()));
                }
            }
            // Where only the host would tell two operations of unlike levels apart, neither is assumed.
            None if told_by_host(text(request, "signed_as"), service, name) => {
                by_host.push(format!("{service} {name}"));
            }
            None => missed.push(format!(
                "{service} {name} ({}): nothing",
                text(request, "protocol")
            )),
        }
    }
    assert!(
        missed.is_empty(),
        "{} of {}: {missed:#?}",
        missed.len(),
        requests.len()
    );
    assert_eq!(
        by_host,
        ["lex-models StartImport", "lexv2-models ListImports"]
    );
    assert!(alike < requests.len() / 100, "{alike} are like others");
}
