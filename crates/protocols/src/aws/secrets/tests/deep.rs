//! Members in texts, in Base64 and below others, and names below what is declared.

use super::*;

fn declared(names: &str, form: Form) -> Declared {
    Declared {
        bucket: "b".to_owned(),
        prefix: String::new(),
        content_type: None,
        tags: [].into(),
        form,
        names: vec![(Name::read(names, form).unwrap(), DataClass::US_SSN)],
    }
}

/// What is declared of the answers of a service, by one name.
fn answers(service: &str, member: &str) -> Vec<Answers> {
    let name = Name::read(member, Form::Json).unwrap();
    let member = crate::aws::answers::Member { name, form: None };
    vec![Answers {
        service: service.to_owned(),
        operation: None,
        resource: None,
        members: vec![(member, DataClass::US_SSN)],
        columns: Vec::new(),
    }]
}

/// What a hider shows of a text, however it is cut; and how many values it hid.
fn hidden(new: impl Fn() -> Hider, text: &[u8]) -> Result<(Vec<u8>, u64), Unreadable> {
    let mut results = Vec::new();
    for size in [text.len().max(1), 1, 3, 7] {
        let (mut hider, mut findings) = (new(), Findings::counting());
        let mut out = Vec::new();
        for piece in text.chunks(size) {
            hider.push(piece, &mut out, &mut findings)?;
        }
        hider.finish(&mut out, &mut findings)?;
        assert_eq!(out.len(), text.len());
        results.push((out, findings.facts().iter().map(|it| it.count).sum()));
    }
    results.dedup();
    assert_eq!(results.len(), 1, "{results:?}");
    Ok(results.remove(0))
}

fn of_answer(call: &Call, member: &str, text: &str) -> (String, u64) {
    let masker = Masker::new(MaskerConfig::default());
    let answers = answers(call.service.unwrap().name, member);
    let new = || Hider::new(call, &answers, &masker).unwrap();
    let (shown, count) = hidden(new, text.as_bytes()).unwrap();
    (String::from_utf8(shown).unwrap(), count)
}

#[test]
fn declared_members_are_found_in_base64_of_json() {
    let records = call("kinesis", "GetRecords", Wire::Json(1));
    let items = call("dynamodb", "GetItem", Wire::Json(0));
    for (content, left) in [
        (r#"{"ssn":"kiwi"}"#, r#"{"ssn":"****"}"#),
        (r#"{"ssn":"kiwi","a":1}"#, r#"{"ssn":"****","a":1}"#),
        (r#"{"ssn":"kiwi","ab":1}"#, r#"{"ssn":"****","ab":1}"#),
        (" \n[{\"x\":{\"ssn\":12}}]", " \n[{\"x\":{\"ssn\":0 }}]"),
        (
            "\u{feff}{\"ssn\":\"kiwi\"}\n{\"ssn\":\"a\"}",
            "\u{feff}{\"ssn\":\"****\"}\n{\"ssn\":\"*\"}",
        ),
        (
            r#"{"a":"{\"ssn\":\"kiwi\"}"}"#,
            r#"{"a":"{\"ssn\":\"****\"}"}"#,
        ),
        (
            r#"{"a":"eyJzc24iOiJraXdpIn0="}"#,
            r#"{"a":"eyJzc24iOiIqKioqIn0="}"#,
        ),
    ] {
        let (data, wanted) = (STANDARD.encode(content), STANDARD.encode(left));
        let answer =
            |data: &str| format!(r#"{{"Records":[{{"Data":"{data}","PartitionKey":"p"}}]}}"#);
        assert_eq!(
            of_answer(&records, "ssn", &answer(&data)).0,
            answer(&wanted),
            "{content}"
        );
        let item = |data: &str| {
            format!(r#"{{"Item":{{"doc":{{"B":"{data}"}},"l":{{"BS":["{data}"]}}}}}}"#)
        };
        assert_eq!(
            of_answer(&items, "ssn", &item(&data)).0,
            item(&wanted),
            "{content}"
        );
    }
    // With its slashes written so, and as URLs have it.
    let content = r#"{"ssn":"kiwi","a":"???>>>"}"#;
    let data = STANDARD.encode(content);
    assert!(data.contains('/') || data.contains('+'), "{data}");
    let (shown, _) = of_answer(
        &records,
        "ssn",
        &format!("{{\"a\":\"{}\"}}", data.replace('/', "\\/")),
    );
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let shown = STANDARD.decode(shown["a"].as_str().unwrap()).unwrap();
    assert!(
        !String::from_utf8_lossy(&shown).contains("kiwi"),
        "{shown:?}"
    );
    let of_url = data.replace('/', "_").replace('+', "-");
    let (shown, _) = of_answer(&records, "ssn", &format!("{{\"a\":\"{of_url}\"}}"));
    assert!(
        shown.starts_with(r#"{"a":"eyJzc24iOiIqKioqIi"#) && shown.contains(['-', '_']),
        "{shown}"
    );
    // What is none is shown as it is.
    for text in [
        r#"{"a":"every word","b":"eyJzc24","c":"Warning","d":"IA","e":"e","f":"W10="}"#,
        r#"{"a":"ey J","b":"eyJ*","c":"77u/aGVsbG8gd29ybGQ="}"#,
    ] {
        assert_eq!(of_answer(&records, "ssn", text).0, text);
    }
}

/// Where a detector hid something beside a quote, nobody can tell what is a name.
#[test]
fn base64_that_is_no_json_any_more_is_hidden() {
    let records = call("kinesis", "GetRecords", Wire::Json(1));
    let hides = |content: &[u8], all: bool| {
        let data = STANDARD.encode(content);
        let (shown, _) = of_answer(&records, "ssn", &format!(r#"{{"Data":"{data}"}}"#));
        let zeros = STANDARD.encode(vec![0; content.len()]);
        assert_eq!(shown.contains(&zeros), all, "{shown}");
        assert!(!shown.contains("a2l3aQ"), "{shown}");
    };
    hides(b"{\"pan\":\"4\0\0\0\0\0\0\0\0,\"ssn\":\"kiwi\"}", true);
    hides(b"{\"pan\":\"4\0\0\0\0\0\0\0\0\",\"ssn\":\"kiwi\"}", false);
}

#[test]
fn names_below_what_is_declared_are_hidden() {
    let masker = Masker::new(MaskerConfig::default());
    let object = declared("code", Form::Json);
    let new = || Hider::of_object(&object, &masker).unwrap();
    for (text, wanted, count) in [
        (
            r#"{"code":{"kiwi":"lime"},"x":{"kiwi":1}}"#,
            r#"{"code":{"****":"****"},"x":{"kiwi":1}}"#,
            2,
        ),
        (
            r#"{"code":[{"k\"i":{"a":2}}]}"#,
            r#"{"code":[{"****":{"*":0}}]}"#,
            3,
        ),
        (
            r#"{"code":{},"b":{"code":{"S":1}}}"#,
            r#"{"code":{},"b":{"code":{"*":0}}}"#,
            2,
        ),
    ] {
        let (shown, counted) = hidden(new, text.as_bytes()).unwrap();
        assert_eq!(
            (String::from_utf8(shown).unwrap().as_str(), counted),
            (wanted, count)
        );
    }
    // Without the names of types nobody could read an item.
    let items = call("dynamodb", "GetItem", Wire::Json(0));
    assert_eq!(
        of_answer(
            &items,
            "ssn",
            r#"{"Item":{"ssn":{"M":{"kiwi":{"S":"lime"},"n":{"L":[{"N":"1"},{"NULL":true}]}}}}}"#
        )
        .0,
        r#"{"Item":{"ssn":{"M":{"****":{"S":"****"},"*":{"L":[{"N":"0"},{"NULL":null}]}}}}}"#
    );
    // What a model calls sensitive has names of the model.
    let lambda = call("lambda", "GetFunctionConfiguration", Wire::RestJson);
    let text = r#"{"Environment":{"Variables":{"A":"b"}}}"#;
    assert_eq!(
        shown(&lambda, text).unwrap().0,
        r#"{"Environment":{"Variables":{"A":"*"}}}"#
    );
}

#[test]
fn a_mark_of_the_encoding_may_stand_before_json() {
    let masker = Masker::new(MaskerConfig::default());
    let object = declared("ssn", Form::Json);
    let new = || Hider::of_object(&object, &masker).unwrap();
    let marked = |text: &str| [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    assert_eq!(
        hidden(new, &marked("{\"ssn\":\"kiwi\"}")).unwrap().0,
        marked("{\"ssn\":\"****\"}")
    );
    for bad in [
        &b" \xEF\xBB\xBF{}"[..],
        b"\xEF{}",
        b"\xEF\xBB{}",
        b"{\xEF\xBB\xBF}",
        b"\xEF\xBB\xBF\xEF\xBB\xBF{}",
    ] {
        assert_eq!(hidden(new, bad), Err(Unreadable), "{bad:?}");
    }
}

#[test]
fn of_variables_the_value_alone_is_hidden() {
    let json = |service: &str, operation: &str, text: &str| {
        shown(&call(service, operation, Wire::Json(1)), text)
            .unwrap()
            .0
    };
    assert_eq!(
        json(
            "codebuild",
            "BatchGetBuilds",
            r#"{"builds":[{"environment":{"environmentVariables":[{"name":"A","value":"b","type":"PLAINTEXT"}]},"exportedEnvironmentVariables":[{"name":"C","value":"d"}]}]}"#
        ),
        r#"{"builds":[{"environment":{"environmentVariables":[{"name":"A","value":"*","type":"PLAINTEXT"}]},"exportedEnvironmentVariables":[{"name":"C","value":"*"}]}]}"#
    );
    assert_eq!(
        json(
            "ecs",
            "DescribeTasks",
            r#"{"tasks":[{"tags":[{"key":"k","value":"v"}],"overrides":{"containerOverrides":[{"environment":[{"name":"A","value":"b"}]}]}}]}"#
        ),
        r#"{"tasks":[{"tags":[{"key":"k","value":"v"}],"overrides":{"containerOverrides":[{"environment":[{"name":"A","value":"*"}]}]}}]}"#
    );
    let beanstalk = call(
        "elasticbeanstalk",
        "DescribeConfigurationSettings",
        Wire::Query,
    );
    assert_eq!(
        shown(
            &beanstalk,
            "<R><OptionSettings><member><OptionName>A</OptionName><Value>b</Value></member></OptionSettings><Value>c</Value></R>"
        )
        .unwrap()
        .0,
        "<R><OptionSettings><member><OptionName>A</OptionName><Value>*</Value></member></OptionSettings><Value>c</Value></R>"
    );
}

/// What one service hides, another gives as JSON within a text.
#[test]
fn members_that_give_access_are_found_in_texts_of_other_services() {
    for (service, operation, text, wanted) in [
        (
            "config",
            "GetResourceConfigHistory",
            r#"{"configurationItems":[{"configuration":"{\"environment\":{\"variables\":{\"DB\":\"hunter2\"}},\"runtime\":\"x\"}"}]}"#,
            r#"{"configurationItems":[{"configuration":"{\"environment\":{\"variables\":{\"DB\":\"*******\"}},\"runtime\":\"x\"}"}]}"#,
        ),
        (
            "events",
            "ListTargetsByRule",
            r#"{"Targets":[{"Input":"{\"containerOverrides\":[{\"environment\":[{\"name\":\"A\",\"value\":\"b\"}]}],\"value\":1}"}]}"#,
            r#"{"Targets":[{"Input":"{\"containerOverrides\":[{\"environment\":[{\"name\":\"A\",\"value\":\"*\"}]}],\"value\":1}"}]}"#,
        ),
    ] {
        let call = call(service, operation, Wire::Json(1));
        assert_eq!(shown(&call, text).unwrap().0, wanted);
    }
}

/// SDKs refuse a whole answer in which a timestamp is none.
#[test]
fn timestamps_stay_timestamps() {
    let location = call("location", "DescribeKey", Wire::RestJson);
    assert_eq!(
        shown(&location, r#"{"CreateTime":"2026-11-28T17:08:22.123Z","Key":"v1.public.hunter2","UpdateTime":1.5}"#).unwrap().0,
        r#"{"CreateTime":"1970-01-01T00:00:00.000Z","Key":"*****************","UpdateTime":0  }"#
    );
    let long = format!(r#"{{"Key":"{}"}}"#, "k".repeat(50));
    assert_eq!(shown(&location, &long).unwrap().0, long.replace('k', "*"));
    let control = call("s3control", "GetDataAccess", Wire::RestXml);
    assert_eq!(
        shown(
            &control,
            "<R><Credentials><SessionToken>2026-11-28T17:08:22Z<!-- x -->a</SessionToken><Expiration>2026-11-28T17:08:22Z</Expiration>\
             <SecretAccessKey>kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk</SecretAccessKey></Credentials></R>"
        )
        .unwrap()
        .0,
        "<R><Credentials><SessionToken>1970-01-01T00:00:00Z<!-- * -->*</SessionToken><Expiration>1970-01-01T00:00:00Z</Expiration>\
         <SecretAccessKey>**************************************************</SecretAccessKey></Credentials></R>"
    );
    // Of an object nobody reads them.
    let masker = Masker::new(MaskerConfig::default());
    let object = declared("born", Form::Json);
    let new = || Hider::of_object(&object, &masker).unwrap();
    let (shown, _) = hidden(new, br#"{"born":"2026-11-28T17:08:22Z"}"#).unwrap();
    assert_eq!(shown, br#"{"born":"********************"}"#);
}

#[test]
fn what_an_error_says_is_searched() {
    let masker = Masker::new(MaskerConfig::default());
    let start = call("stepfunctions", "StartExecution", Wire::Json(0));
    let names = |hider: Hider| {
        hider
            .names()
            .iter()
            .map(|it| (*it).to_owned())
            .collect::<Vec<_>>()
    };
    let of_error = names(Hider::of_error(&start, &[], &masker).unwrap());
    let of_answer = names(Hider::new(&start, &[], &masker).unwrap());
    assert!(of_answer.contains(&"message".to_owned()), "{of_answer:?}");
    assert!(
        !of_error.contains(&"message".to_owned()) && of_error.contains(&"cause".to_owned()),
        "{of_error:?}"
    );
}

/// Who decodes a field must find something to decode.
#[test]
fn fields_in_base64_stay_base64() {
    let masker = Arc::new(Masker::new(MaskerConfig::default()));
    let invoke = call("lambda", "Invoke", Wire::RestJson);
    assert!(is_encoded("x-amz-log-result") && !is_encoded("x-amzn-errortype"));
    for log in [
        "ssn 078-05-1120",
        "ssn 078-05-1120 x",
        "START\nssn 078-05-1120\n",
    ] {
        let value = STANDARD.encode(log);
        let shown = searched_field(
            &invoke,
            &masker,
            value.as_bytes(),
            &mut Findings::counting(),
        );
        let shown = STANDARD.decode(shown).unwrap();
        assert!(
            !shown.windows(6).any(|it| it == b"078-05")
                && matches!(shown.first(), Some(b's' | b'S')),
            "{shown:?}"
        );
    }
    let plain = STANDARD.encode("START nothing END");
    let shown = searched_field(
        &invoke,
        &masker,
        plain.as_bytes(),
        &mut Findings::counting(),
    );
    assert_eq!(shown, plain.as_bytes());
}
