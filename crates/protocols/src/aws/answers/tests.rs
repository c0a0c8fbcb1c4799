use super::*;
use crate::aws::classify::Wire;

fn call(service: &str, operation: &str, names: &[&str]) -> Call {
    let service = services(service).next().unwrap();
    let thing = |name: &&str| Thing::Named {
        name: (*name).to_owned(),
        given: (*name).to_owned(),
    };
    Call {
        wire: Wire::Json(0),
        service: Some(service),
        operation: service.operation(operation),
        prefix: service.prefix.to_owned(),
        region: "eu-central-1".to_owned(),
        things: names.iter().map(thing).collect(),
        parameters: Vec::new(),
        tags: Vec::new(),
        unseen: false,
        beside: Vec::new(),
        touched: Default::default(),
        elsewhere: Vec::new(),
    }
}

fn answers(operation: Option<&str>, resource: Option<&str>) -> Answers {
    Answers {
        service: "dynamodb".to_owned(),
        operation: operation.map(str::to_owned),
        resource: resource.map(|it| Pattern::read(it, "dynamodb").unwrap()),
        members: Vec::new(),
        columns: Vec::new(),
    }
}

#[test]
fn stars_stand_for_any_characters() {
    let fits = |pattern: &str, text| Pattern(pattern.to_owned()).fits(text);
    for (pattern, text) in [
        ("a:b", "a:b"),
        ("a:*", "a:"),
        ("a:*b*c", "a:xbxbc"),
        ("a:*b", "a:bb"),
        ("a:b*", "a:bcd"),
    ] {
        assert!(fits(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [
        ("a:b", "a:bc"),
        ("a:*b", "a:bc"),
        ("a:b*b", "a:b"),
        ("a:*bc*c", "a:bc"),
    ] {
        assert!(!fits(pattern, text), "{pattern} {text}");
    }
}

#[test]
fn an_answer_is_meant_by_service_operation_and_resource() {
    let item = call("dynamodb", "GetItem", &["payments"]);
    for meant in [
        answers(None, None),
        answers(Some("GetItem"), Some("dynamodb:pay*")),
    ] {
        assert!(meant.fits(&item), "{meant:?}");
    }
    for other in [
        answers(Some("Query"), None),
        answers(None, Some("dynamodb:orders")),
    ] {
        assert!(!other.fits(&item), "{other:?}");
    }
    assert!(!answers(None, None).fits(&call("sqs", "ReceiveMessage", &[])));
    // Streams of tables are of the same prefix.
    assert!(answers(None, None).fits(&call("dynamodbstreams", "GetRecords", &[])));
}

#[test]
fn what_may_be_meant_is() {
    let payments = answers(Some("GetItem"), Some("dynamodb:payments"));
    let arn = "arn:aws:dynamodb:eu-central-1:111111111111:table/payments";
    for names in [&[][..], &["orders", "payments"], &[arn]] {
        assert!(
            payments.fits(&call("dynamodb", "GetItem", names)),
            "{names:?}"
        );
    }
    assert!(payments.fits(&call("dynamodb", "Unheard", &["orders"])));
    assert!(!payments.fits(&call("dynamodb", "GetItem", &["orders"])));
}

#[test]
fn what_could_fit_nothing_is_refused() {
    let member = |text: &str, service: &str| Member::read(text, service).map(|it| it.form);
    assert_eq!(member("ssn", "dynamodb"), Ok(None));
    assert_eq!(member("$.Items[*].ssn.S", "dynamodb"), Ok(Some(Form::Json)));
    assert_eq!(member("/Response/Code", "iam"), Ok(Some(Form::Xml)));
    for text in [
        "Items.*.ssn.S",
        "Item.ssn",
        "",
        "$",
        "$.",
        "@id",
        "a/b",
        "$.a[0]",
    ] {
        assert_eq!(member(text, "dynamodb"), Err(BadAnswers::Path), "{text}");
    }
    assert_eq!(member("/Item", "dynamodb"), Err(BadAnswers::Form));
    assert_eq!(member("$.User", "iam"), Err(BadAnswers::Form));
    for text in ["payments", "dynamodb:", "sqs:payments"] {
        let read = Pattern::read(text, "dynamodb");
        assert_eq!(
            read,
            Err(BadAnswers::Resource("dynamodb".to_owned())),
            "{text}"
        );
    }
    assert_eq!(
        Pattern::read("athena:x", "athena"),
        Err(BadAnswers::Unnamed)
    );
    assert_eq!(known_service("dynamo"), Err(BadAnswers::Service));
    assert_eq!(known_service("s3"), Err(BadAnswers::Objects));
    assert_eq!(
        known_operation("dynamodb", "Get"),
        Err(BadAnswers::Operation)
    );
    assert_eq!(has_columns("dynamodb"), Err(BadAnswers::Columns));
}
