//! What is matched, probed and copied.

use super::*;

fn touched(members: &str) -> [Vec<String>; 3] {
    let mut look = Look::default();
    let class = |name: &str| DataClass::try_from(name.to_owned()).unwrap();
    look.protect(&Name::Anywhere("ssn".to_owned()), &class("us_ssn"));
    let age = ["Item", "age", "N"].map(|step| Step::To(step.to_owned()));
    look.protect(&Name::At(age.to_vec()), &class("staff_age"));
    let tree = serde_json::from_str(members).unwrap();
    if look.value(&tree, 0).is_none() {
        look.everything();
    }
    let Touched {
        matched,
        probed,
        copied,
    } = look.touched;
    [matched, probed, copied].map(|all| all.iter().map(ToString::to_string).collect())
}

fn check(members: &str, matched: &[&str], probed: &[&str], copied: &[&str]) {
    let expected = [matched, probed, copied].map(<[&str]>::to_vec);
    assert_eq!(touched(members), expected, "{members}");
}

#[test]
fn conditions_match_or_probe() {
    for (text, matched) in [
        ("ssn = :v", true),
        ("a = :a AND :v = ssn", true),
        ("ssn IN (:a, :b)", true),
        ("#n = :v", true),
        ("info.ssn = :v", true),
        ("info.#n[0] = :v", true),
        ("ssn[0].x = :v", true),
        ("begins_with(ssn, :v)", false),
        ("contains(#n, :v)", false),
        ("ssn < :v", false),
        ("ssn <> :v", false),
        ("ssn >= :v", false),
        ("ssn BETWEEN :a AND :b", false),
        ("size(ssn) = :v", false),
        ("attribute_exists(SSN)", false),
    ] {
        for name in ["FilterExpression", "ConditionExpression"] {
            let body =
                format!(r##"{{"{name}":"{text}","ExpressionAttributeNames":{{"#n":"ssn"}}}}"##);
            let class: &[&str] = &["us_ssn"];
            let (yes, no) = if matched {
                (class, &[][..])
            } else {
                (&[][..], class)
            };
            check(&body, yes, no, &[]);
        }
    }
    check(
        r#"{"FilterExpression":"a = :v","ProjectionExpression":"ssn"}"#,
        &[],
        &[],
        &[],
    );
    let filter = r#"{"ScanFilter":{"ssn":{"ComparisonOperator":"BEGINS_WITH"},"age":{"ComparisonOperator":"EQ"}}}"#;
    check(filter, &["staff_age"], &["us_ssn"], &[]);
    check(
        r#"{"Expected":{"ssn":{"Value":{"S":"1"}}}}"#,
        &["us_ssn"],
        &[],
        &[],
    );
}

/// Whoever may say what a map holds guesses what is in it.
#[test]
fn values_with_a_declared_member_ask_after_it() {
    let class: &[&str] = &["us_ssn"];
    let map = r#"{"M":{"x":{"L":[{"M":{"SSN":{"S":"lime"}}}]}}}"#;
    for (text, matched) in [
        ("m = :v", true),
        (":v = m", true),
        ("a = :a AND m IN (:a, :v)", true),
        (":v IN (m, n)", true),
        ("m <> :v", false),
        ("contains(l, :v)", false),
        ("NOT contains(l, :v)", false),
    ] {
        for name in ["FilterExpression", "ConditionExpression"] {
            let body = format!(
                r#"{{"{name}":"{text}","ExpressionAttributeValues":{{":a":{{"S":"ssn"}},":v":{map}}}}}"#
            );
            let (yes, no) = if matched {
                (class, &[][..])
            } else {
                (&[][..], class)
            };
            check(&body, yes, no, &[]);
        }
    }
    let expected = format!(r#"{{"Expected":{{"m":{{"Value":{map}}}}}}}"#);
    check(&expected, class, &[], &[]);
    let contains = format!(
        r#"{{"ScanFilter":{{"l":{{"ComparisonOperator":"CONTAINS","AttributeValueList":[{map}]}}}}}}"#
    );
    check(&contains, &[], class, &[]);
    // What is written is compared with nothing.
    let update = format!(
        r#"{{"UpdateExpression":"SET m = :v","ExpressionAttributeValues":{{":v":{map}}}}}"#
    );
    check(&update, &[], &[], &[]);
    check(
        r#"{"FilterExpression":"m = :v","ExpressionAttributeValues":{":v":{"M":{"x":{"S":"ssn"}}}}}"#,
        &[],
        &[],
        &[],
    );
}

/// What stands at either may be a map with a declared member, and the other what was written there to guess it.
#[test]
fn attributes_that_are_compared_with_each_other_may_hold_anything() {
    let all: &[&str] = &["staff_age", "us_ssn"];
    for text in [
        "m = n",
        "info.m <> n",
        "m IN (:a, n)",
        "m[0] IN (n)",
        "contains(l, n)",
        "ssn = zz",
    ] {
        check(
            &format!(r#"{{"FilterExpression":"{text}"}}"#),
            &[],
            all,
            &[],
        );
    }
    for text in [
        "m <= n",
        "begins_with(m, n)",
        "size(m) = size(n)",
        "a = :a AND b = :b",
        "a IN (:a, :b) OR contains(l, :a)",
        ":a BETWEEN a AND b",
    ] {
        check(
            &format!(r#"{{"FilterExpression":"{text}"}}"#),
            &[],
            &[],
            &[],
        );
    }
}

#[test]
fn updates_copy_to_where_nothing_is_hidden() {
    for (text, copied) in [
        ("SET zz = ssn", true),
        ("SET a = :a, zz = if_not_exists(ssn, :v)", true),
        ("REMOVE b SET zz = list_append(:l, #n)", true),
        ("SET zz = info.ssn[0]", true),
        ("SET zz = :v", false),
        ("SET ssn = :v REMOVE zz", false),
        ("SET info.ssn = ssn", false),
        ("SET ssn = ssn + :v, zz = a", false),
        ("ADD ssn :v", false),
    ] {
        let body = format!(
            r##"{{"TransactItems":[{{"Update":{{"UpdateExpression":"{text}","ExpressionAttributeNames":{{"#n":"ssn"}}}}}}]}}"##
        );
        check(&body, &[], &[], if copied { &["us_ssn"] } else { &[] });
    }
    // What it stands for is not told.
    let all: &[&str] = &["staff_age", "us_ssn"];
    check(r##"{"UpdateExpression":"SET zz = #m"}"##, all, all, all);
}

#[test]
fn statements_do_both() {
    let check = |text: &str, matched: &[&str], probed: &[&str], copied: &[&str]| {
        let body = serde_json::json!({ "Statements": [{ "Statement": text }] });
        check(&body.to_string(), matched, probed, copied);
    };
    let class: &[&str] = &["us_ssn"];
    check("SELECT ssn FROM people WHERE id = ?", &[], &[], &[]);
    check(
        "select * from people where ssn = '078-05-1120'",
        class,
        &[],
        &[],
    );
    check(
        "SELECT * FROM people WHERE begins_with(\"ssn\", '0')",
        &[],
        class,
        &[],
    );
    check(
        "SELECT id FROM people WHERE id = '1' ORDER BY ssn",
        &[],
        class,
        &[],
    );
    check("SELECT ssn[0] FROM people", &[], &[], class);
    check("UPDATE people SET zz = ssn WHERE id = '1'", &[], &[], class);
    check(
        "UPDATE people SET zz = \"ssn\" SET b = 1 WHERE ssn = ?",
        class,
        &[],
        class,
    );
    check(
        "UPDATE people SET zz = info['ssn'] WHERE id = '1'",
        &[],
        &[],
        class,
    );
    check(
        "UPDATE people SET ssn = '1' WHERE id = 'ssn'",
        &[],
        &[],
        &[],
    );
    let all: &[&str] = &["staff_age", "us_ssn"];
    check("SELECT id FROM people -- it's", all, all, all);
}

#[test]
fn values_of_statements_hold_members() {
    let check = |text: &str, matched: &[&str], probed: &[&str], copied: &[&str]| {
        let body = serde_json::json!({ "Statements": [{ "Statement": text }] });
        check(&body.to_string(), matched, probed, copied);
    };
    let class: &[&str] = &["us_ssn"];
    check(
        "SELECT id FROM t WHERE m = {'ssn' : 'lime'}",
        class,
        &[],
        &[],
    );
    check(
        "SELECT id FROM t WHERE m IN [{'ssn':1}, {'x':[]}]",
        class,
        &[],
        &[],
    );
    check(
        "SELECT id FROM t WHERE contains(l, {'x':[1,{'ssn':true}]})",
        &[],
        class,
        &[],
    );
    check(
        "SELECT id FROM t WHERE m = {'x':'ssn'} AND l = ['ssn'] AND done = true AND b IS NULL",
        &[],
        &[],
        &[],
    );
    check("UPDATE t SET m = {'ssn':'1'} WHERE id = '1'", &[], &[], &[]);
    check(
        "UPDATE t SET m = {'x':1, 'y':ssn} WHERE id = '1'",
        &[],
        &[],
        class,
    );
    let all: &[&str] = &["staff_age", "us_ssn"];
    check("SELECT id FROM t WHERE m = {'x':1", all, all, all);
    check("SELECT id FROM t WHERE m = {'x':n}", all, all, all);
}

#[test]
fn parameters_of_statements_are_values_in_their_order() {
    let class: &[&str] = &["us_ssn"];
    let body = r#"{"Statement":"SELECT id FROM t WHERE a = ? AND m = ?","Parameters":[{"S":"x"},{"M":{"ssn":{"S":"lime"}}}]}"#;
    check(body, class, &[], &[]);
    let other = body.replace("m = ?", "contains(m, ?)");
    check(&other, &[], class, &[]);
}
