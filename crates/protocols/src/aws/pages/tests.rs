use model::{Identity, Timestamp};

use super::*;
use crate::aws::tests::{call_of, somebody};

const NOW: i64 = 1_800_000_000;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn sealer() -> Sealer {
    Sealer::new(&[7; 32]).unwrap()
}

fn head(target: &str) -> Head {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Head {
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: (!query.is_empty()).then(|| query.to_owned()),
        ..Head::default()
    }
}

/// What is shown of a page that says `came` where `shown` is left, and what a request with that asks with.
fn next(wire: Wire, came: &str, shown: &str) -> String {
    let of = of(&somebody("ann"), "lake", "/lake");
    let shown = shown.as_bytes().to_vec();
    let page = sealed(&sealer(), &of, (wire, came.as_bytes()), shown, &[], at(NOW));
    String::from_utf8(page.unwrap()).unwrap()
}

fn of(identity: &Identity, target: &str, path: &str) -> Of {
    let call = call_of("s3", "ListObjects", Wire::S3);
    Of::new(identity, target, &call, &head(path), b"")
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap();
    rest.split_once(end).unwrap().0
}

#[test]
fn only_lists_go_on() {
    assert!(may_go_on(&call_of("s3", "ListObjectVersions", Wire::S3)));
    assert!(may_go_on(&call_of("dynamodb", "Scan", Wire::Json(0))));
    assert!(!may_go_on(&call_of("s3", "GetObject", Wire::S3)));
}

#[test]
fn only_a_marker_in_which_something_is_hidden_is_sealed() {
    let page = |key: &str, marker: &str| {
        format!("<R><Key>{key}</Key><NextKeyMarker>{marker}</NextKeyMarker></R>")
    };
    let same = page("***", "c*");
    assert_eq!(next(Wire::S3, &page("a@b", "c*"), &same), same);
    let shown = next(Wire::S3, &page("a@b", "a&amp;b"), &page("***", "a&****b"));
    let marker = between(&shown, "<NextKeyMarker>", "<");
    let call = call_of("s3", "ListObjects", Wire::S3);
    let mine = of(&somebody("ann"), "lake", "/lake");
    let ask = |of: &Of, marker: &str, secs: i64| {
        let head = head(&format!("/lake?versions&key-marker={marker}&prefix=p"));
        opened(&sealer(), of, (&call, &head, b""), at(secs))
    };
    let sent = vec![("KeyMarker", marker.to_owned())];
    let query = "versions&key-marker=a%26b&prefix=p".to_owned();
    assert_eq!(
        ask(&mine, marker, NOW + 80_000),
        Ok(Opened::Query(sent.clone(), query))
    );
    // It is said again as it was sent.
    let again = "<R><KeyMarker>a&amp;b</KeyMarker></R>";
    let page = sealed(
        &sealer(),
        &mine,
        (Wire::S3, again.as_bytes()),
        again.into(),
        &sent,
        at(NOW),
    );
    let page = String::from_utf8(page.unwrap()).unwrap();
    assert_eq!(page, format!("<R><KeyMarker>{marker}</KeyMarker></R>"));

    assert_eq!(ask(&mine, marker, NOW + 90_001), Err(BadMarker::Stale));
    let forged = format!("{}A", marker.get(..marker.len() - 1).unwrap());
    for (of, marker) in [
        (of(&somebody("ben"), "lake", "/lake"), marker),
        (of(&somebody("ann"), "sea", "/lake"), marker),
        (of(&somebody("ann"), "lake", "/other"), marker),
        (mine.clone(), "countersign-page."),
        (mine.clone(), "countersign-page.zzzz"),
        (mine.clone(), forged.as_str()),
    ] {
        assert_eq!(ask(&of, marker, NOW), Err(BadMarker::Foreign), "{marker}");
    }
    assert_eq!(ask(&mine, "a%40b", NOW), Ok(Opened::Nothing));
}

#[test]
fn the_last_key_is_named_where_s3_leaves_it_to_the_client() {
    let page = |key: &str, cut: bool| {
        format!(
            "<ListBucketResult><IsTruncated>{cut}</IsTruncated><Contents><Key>a</Key></Contents><Contents><Key>{key}</Key>\
             </Contents></ListBucketResult>"
        )
    };
    let shown = next(Wire::S3, &page("a@b", true), &page("***", true));
    assert!(
        shown.contains("</IsTruncated><NextMarker>countersign-page."),
        "{shown}"
    );
    for (came, shown) in [
        (page("a@b", false), page("***", false)),
        (page("a@b", true), page("a@b", true)),
    ] {
        assert_eq!(next(Wire::S3, &came, &shown), shown);
    }
}

#[test]
fn keys_of_tables_come_back() {
    let items = |key: &str, more: &str| {
        format!(
            r#"{{"Items":[{{"LastEvaluatedKey":1}}],"LastEvaluatedKey" : {{"id":{{"S":"{key}"}},"n":{{"N":"1"}}}}{more}}}"#
        )
    };
    let scan = call_of("dynamodb", "Scan", Wire::Json(0));
    for more in ["", r#", "Count": 1"#] {
        let shown = next(Wire::Json(0), &items("a@b", more), &items("***", more));
        let tree: Value = serde_json::from_str(&shown).unwrap();
        let key = &tree["LastEvaluatedKey"];
        assert_eq!(key["id"]["S"], "***");
        let of = of(&somebody("ann"), "lake", "/lake");
        let ask = |key: &Value| {
            let body =
                json!({ "TableName": "t", "Limit": 1, "ExclusiveStartKey": key }).to_string();
            opened(
                &sealer(),
                &of,
                (&scan, &head("/"), body.as_bytes()),
                at(NOW),
            )
        };
        let Ok(Opened::Body(body)) = ask(key) else {
            panic!("{shown}");
        };
        let tree: Value = serde_json::from_slice(&body).unwrap();
        let own = json!({ "id": { "S": "a@b" }, "n": { "N": "1" } });
        assert_eq!(
            tree,
            json!({ "TableName": "t", "Limit": 1, "ExclusiveStartKey": own })
        );
        assert_eq!(ask(&own), Ok(Opened::Nothing));
        let same = items("a@b", more);
        assert_eq!(next(Wire::Json(0), &same, &same), same);
    }
    let tables =
        |name: &str| format!(r#"{{"TableNames":["{name}"],"LastEvaluatedTableName":"{name}"}}"#);
    let shown = next(Wire::Json(0), &tables("a@b"), &tables("***"));
    assert!(
        shown.contains(r#""LastEvaluatedTableName":"countersign-page."#),
        "{shown}"
    );
}
