//! What requests to DynamoDB do with declared attributes: policy sees what conditions ask after, and no update copies them to where
//! nothing hides them.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use tests::lake;
use tests::raw::{Raw, Reply, exchange};
use tests::{Config, Gateway};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

const GUARDED: &str = r#"
@id("no-guessing")
forbid (principal, action in [Aws::Action::"read", Aws::Action::"write"], resource) when { !context.probed.isEmpty() };
@id("no-matching")
forbid (principal, action in [Aws::Action::"read", Aws::Action::"write"], resource) when { context.matched.contains("staff_code") && resource == Aws::Resource::"dynamodb:people-eu" };
@id("stewards")
permit (principal in Group::"stewards", action == Action::"reveal", resource == DataClass::"staff_code");
"#;

fn scene() -> (tests::raw::Canned, Gateway) {
    lake::of_canned(OK, |config: Config| {
        let declared = r#"answers = [{ service = "dynamodb", resource = "dynamodb:people*", members = { ssn = "staff_code" } }]"#;
        let table: toml::Table = declared.parse().unwrap();
        let config = config.policy("20-guarded.cedar", GUARDED);
        config.set(&["targets", "lake", "answers"], table["answers"].clone())
    })
}

fn call(raw: &Raw, operation: &str, body: &str) -> Reply {
    let length = body.len().to_string();
    let target = format!("DynamoDB_20120810.{operation}");
    let fields = [
        ("content-length", length.as_str()),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", target.as_str()),
    ];
    let request = raw.signed("dynamodb", "POST", "/", &fields, body.as_bytes());
    exchange(raw.address, &request, false)
}

#[test]
fn nobody_guesses_by_filters() {
    let (target, gateway) = scene();
    let raw = Raw::of(&gateway, "lake", &[]);
    let filtered = |table: &str, filter: &str| {
        let body = format!(
            r##"{{"TableName":"{table}","FilterExpression":"{filter}","ExpressionAttributeNames":{{"#n":"ssn"}},"ExpressionAttributeValues":{{":v":{{"S":"0"}}}}}}"##
        );
        call(&raw, "Scan", &body).status
    };
    assert_eq!(filtered("people", "town = :v AND #n = :v"), 200);
    assert_eq!(filtered("others", "begins_with(#n, :v)"), 200);
    for (table, filter) in [
        ("people", "begins_with(#n, :v)"),
        ("people", "ssn > :v"),
        ("people", "contains(ssn, :v)"),
        ("people-eu", "ssn = :v"),
    ] {
        assert_ne!(filtered(table, filter), 200, "{table} {filter}");
    }
    // Nor by what contains it.
    for (filter, operator) in [("contains(l, :v)", "CONTAINS"), ("m <> :v", "NE")] {
        let map = r#"{"M":{"ssn":{"S":"07"}}}"#;
        let by_filter = format!(
            r#"{{"TableName":"people","FilterExpression":"{filter}","ExpressionAttributeValues":{{":v":{map}}}}}"#
        );
        let legacy = format!(
            r#"{{"TableName":"people","ScanFilter":{{"m":{{"ComparisonOperator":"{operator}","AttributeValueList":[{map}]}}}}}}"#
        );
        for body in [by_filter, legacy] {
            assert_ne!(call(&raw, "Scan", &body).status, 200, "{body}");
        }
    }
    let guess = r#"{"Statement":"SELECT id FROM people WHERE m = ?","Parameters":[{"M":{"ssn":{"S":"07"}}}]}"#;
    assert_eq!(call(&raw, "ExecuteStatement", guess).status, 200);
    let statement = r#"{"Statement":"SELECT id FROM people WHERE begins_with(ssn, '0')"}"#;
    assert_ne!(call(&raw, "ExecuteStatement", statement).status, 200);
    let legacy = r#"{"TableName":"people","ScanFilter":{"ssn":{"ComparisonOperator":"LT","AttributeValueList":[{"S":"5"}]}}}"#;
    assert_ne!(call(&raw, "Scan", legacy).status, 200);
    assert_eq!(target.heads().len(), 3);
}

#[test]
fn nobody_copies_what_is_hidden_to_another_name() {
    let (target, gateway) = scene();
    let update = |expression: &str| {
        format!(
            r#"{{"TableName":"people","Key":{{"id":{{"S":"1"}}}},"UpdateExpression":"{expression}"}}"#
        )
    };
    let raw = Raw::of(&gateway, "lake", &[]);
    assert_eq!(call(&raw, "UpdateItem", &update("SET zz = :v")).status, 200);
    let copied = call(&raw, "UpdateItem", &update("SET zz = ssn"));
    assert_ne!(copied.status, 200);
    assert!(copied.text().contains("staff_code"), "{}", copied.text());
    let statement = r#"{"Statement":"UPDATE people SET zz = ssn WHERE id = '1'"}"#;
    assert_ne!(call(&raw, "ExecuteStatement", statement).status, 200);
    assert_eq!(target.heads().len(), 1);
    let steward = Raw::of_human(&gateway, "lake", "bob", &["stewards"]);
    assert_eq!(
        call(&steward, "UpdateItem", &update("SET zz = ssn")).status,
        200
    );
}
