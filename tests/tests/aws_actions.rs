//! The table of AWS actions against botocore itself: every operation of every service, in every protocol it is written in.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests may fail"
)]

use std::collections::BTreeSet;

use base64::Engine as _;
use protocols::aws::classify::{Call, Upstream, classify};
use protocols::aws::table::{Level, Operation, Segment, TABLE};
use protocols::aws::upstream::aws_host;
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
    // What a statement of PartiQL does, only one that can be read tells; botocore's model has no such.
    let (statements, by_host): (Vec<_>, Vec<_>) = by_host
        .into_iter()
        .partition(|it| it.starts_with("dynamodb "));
    assert!(
        statements.len() == 3 && statements.iter().all(|it| it.contains("Execute")),
        "{statements:?}"
    );
    assert_eq!(
        by_host,
        ["lex-models StartImport", "lexv2-models ListImports"]
    );
    assert!(alike < requests.len() / 100, "{alike} are like others");
}

/// Optional members that are part of a name though something is required: what says where the thing stands, or names it in another
/// way. What asks with one of them alone names what it acts on, or the target refuses it.
const AROUND: [&str; 32] = [
    "AliasId",
    "ApplicationName",
    "AutoScalingGroupName",
    "ClusterId",
    "ClusterIdentifier",
    "EnvironmentId",
    "EnvironmentName",
    "EventBusName",
    "FirewallArn",
    "FirewallName",
    "FleetId",
    "InstanceId",
    "InstanceIds",
    "KeyId",
    "LaunchTemplateId",
    "LaunchTemplateName",
    "SecretId",
    "SpaceName",
    "StackName",
    "StreamName",
    "TrailName",
    "UserName",
    "UserPoolId",
    "UserProfileName",
    "WorkGroup",
    "WorkgroupName",
    "cluster",
    "logGroupIdentifier",
    "logGroupIdentifiers",
    "logGroupName",
    "logGroupNames",
    "repositoryName",
];

#[test]
fn nothing_optional_or_sensitive_stands_in_for_what_is_required() {
    let lines = tests::every_member().success().json_lines();
    let mut wrong = Vec::new();
    for line in &lines {
        let services = TABLE.services().iter();
        let mut services = services.filter(|it| it.name == text(line, "service"));
        let operation = services.find_map(|it| it.operation(text(line, "operation")));
        let asks = line["asks"].as_array().unwrap();
        let is = |it: &Value, what: &str| it[what].as_bool().unwrap();
        let requires = asks.iter().any(|it| is(it, "required") && is(it, "free"));
        for key in &operation.unwrap().keys {
            let called = key.trim_start_matches(['+', '!']).split('.').next();
            let member = asks.iter().find(|it| it["called"].as_str() == called);
            let Some(member) = member.filter(|_| !key.starts_with('!')) else {
                continue;
            };
            let around = AROUND.contains(&text(member, "member"));
            let chosen = !requires || is(member, "required") || around || key.starts_with('+');
            if is(member, "sensitive") || !chosen {
                wrong.push(format!("{} {} {key}", line["service"], line["operation"]));
            }
        }
    }
    let few = [
        // The second way to name the group, or to name every group.
        "\"logs\" \"AssociateKmsKey\" resourceIdentifier",
    ];
    wrong.retain(|it| !few.contains(&it.as_str()));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Members that give access only by their name: AWS gives stars for these passwords.
const SHOWS_NONE: [(&str, &str); 4] = [
    ("docdb", "MasterUserPassword"),
    ("neptune", "MasterUserPassword"),
    ("rds", "MasterUserPassword"),
    ("redshift", "MasterUserPassword"),
];

#[test]
fn what_shows_a_secret_is_no_list() {
    let hidden = include_str!("../../crates/protocols/src/aws/secrets/members.txt");
    let hidden: Vec<(&str, &str, Vec<&str>)> = hidden
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let (member, of) = words[2].split_once('|').unwrap_or((words[2], ""));
            let of = of.split('|').filter(|it| !it.is_empty()).collect();
            // It shows what stands around it.
            let member = member.split('>').next().unwrap_or(member);
            (words[0], member.trim_end_matches(":b"), of)
        })
        .filter(|(service, member, _)| !SHOWS_NONE.contains(&(service, member)))
        .collect();
    let mut wrong = Vec::new();
    for line in &tests::every_member().success().json_lines() {
        let (service, name) = (text(line, "service"), text(line, "operation"));
        let shows = line["shows"].as_array().unwrap().iter();
        let mut shows = shows.filter_map(Value::as_str);
        let services = TABLE.services().iter().filter(|it| it.name == service);
        let operation = services.filter_map(|it| it.operation(name)).next().unwrap();
        let gives = |member: &str| {
            let mut hidden = hidden.iter().filter(|it| (it.0, it.1) == (service, member));
            hidden.any(|(.., of)| of.is_empty() || of.contains(&name))
        };
        if operation.level == Level::List && shows.any(gives) {
            wrong.push(format!("{service} {name}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_host_is_botocores_own() {
    let lines = tests::every_host().success().json_lines();
    assert!(lines.len() > 400, "{}", lines.len());
    let (mut wrong, mut unresolved) = (Vec::new(), BTreeSet::new());
    let head = Head {
        method: "GET".to_owned(),
        path: "/".to_owned(),
        query: None,
        fields: std::iter::empty::<(&str, &str)>().collect(),
    };
    for line in &lines {
        let name = text(line, "service");
        let service = TABLE.services().iter().find(|it| it.name == name).unwrap();
        for (region, found) in line["hosts"].as_object().unwrap() {
            let scope = Scope {
                day: "20260101".to_owned(),
                region: region.clone(),
                service: service.signed_as[0].to_owned(),
            };
            let mut call = classify(&head, &scope, None, &Upstream::default());
            (call.service, call.operation) = (Some(service), None);
            let (host, signed) = aws_host(&call, &scope, &head).unwrap();
            if found[1] == "" {
                unresolved.insert(name);
            } else if *found != serde_json::json!([host, signed]) {
                wrong.push(format!("{name} {region}: {host} {signed}, not {found}"));
            }
        }
        for operation in &service.operations {
            let before = line["before"][operation.name].as_str().unwrap_or_default();
            if operation.prefix != before && operation.name != "WriteGetObjectResponse" {
                wrong.push(format!("{name} {}: {before}", operation.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}: {wrong:#?}", wrong.len());
    // What their rules ask besides, the gateway does not know: they go to the usual host.
    let few = ["acm", "cloudfront-keyvaluestore", "neptune-graph"];
    assert_eq!(unresolved, BTreeSet::from(few));
}
