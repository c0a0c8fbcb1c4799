mod hidden;

use std::collections::BTreeMap;

use model::BadJsonPath;

use super::*;
use crate::aws::classify::Wire;
use crate::aws::table::TABLE;

fn call(operation: &str, key: &str, parameters: &[(&str, &str)]) -> Call {
    let service = TABLE.services().iter().find(|it| it.name == "s3").unwrap();
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Call {
        wire: Wire::S3,
        service: Some(service),
        operation: service.operation(operation),
        prefix: "s3".to_owned(),
        region: "us-east-1".to_owned(),
        things: vec![Thing::Object {
            bucket: "b".to_owned(),
            key: key.to_owned(),
        }],
        parameters: parameters.iter().map(pair).collect(),
        tags: Vec::new(),
        unseen: false,
        beside: Vec::new(),
        touched: Default::default(),
        elsewhere: Vec::new(),
    }
}

fn rule(content_type: Option<&str>, tags: &[(&str, &str)], name: &str) -> Declared {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Declared {
        bucket: "b".to_owned(),
        prefix: "in/".to_owned(),
        content_type: content_type.map(|it| MediaType::read(it).unwrap()),
        tags: tags.iter().map(pair).collect(),
        form: Form::Json,
        names: vec![(Name::Anywhere(name.to_owned()), DataClass::EMAIL)],
    }
}

fn facts(content_type: Option<&str>, tags: Option<&[(&str, &str)]>) -> Facts {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Facts {
        content_type: content_type.map(str::to_owned),
        tags: tags.map(|it| it.iter().map(pair).collect()),
    }
}

#[test]
fn a_declaration_fits_what_it_names_and_what_it_cannot_rule_out() {
    let all = [
        rule(None, &[("kind", "hr"), ("of", "x")], "tagged"),
        rule(Some("text/*"), &[], "text"),
        rule(Some("application/json"), &[], "json"),
    ];
    let which = |key: &str, facts: &Facts| {
        let call = call("GetObject", key, &[]);
        declared(&all, &call, facts).map(|it| it.names[0].0.clone())
    };
    let named = |name: &str| Some(Name::Anywhere(name.to_owned()));
    let untagged = |content_type| facts(content_type, Some(&[]));
    assert_eq!(which("in/a", &untagged(Some("text/csv"))), named("text"));
    assert_eq!(
        which("in/a", &untagged(Some("Application/JSON; charset=utf-8"))),
        named("json")
    );
    assert_eq!(which("in/a", &untagged(Some("application/jsonx"))), None);
    assert_eq!(which("in/a", &untagged(Some("textual/csv"))), None);
    // Nothing is known of its type: it may be any.
    assert_eq!(which("in/a", &untagged(None)), named("text"));
    assert_eq!(which("out/a", &untagged(None)), None);
    // Some servers resolve dots in a key, and then it is another object.
    let mut climbs = call("GetObject", "out/../in/a", &[]);
    assert_eq!(declared(&all, &climbs, &untagged(Some("text/csv"))), None);
    climbs.things.push(Thing::Object {
        bucket: "b".to_owned(),
        key: "in/a".to_owned(),
    });
    assert!(declared(&all, &climbs, &untagged(Some("text/csv"))).is_some());
    let both: &[(&str, &str)] = &[("of", "x"), ("kind", "hr"), ("more", "")];
    let one: &[(&str, &str)] = &[("kind", "hr")];
    assert_eq!(
        which("in/a", &facts(Some("image/png"), Some(both))),
        named("tagged")
    );
    assert_eq!(which("in/a", &facts(Some("image/png"), Some(one))), None);
    assert_eq!(
        which("in/a", &facts(Some("image/png"), None)),
        named("tagged")
    );
}

#[test]
fn tags_are_asked_for_where_they_say_something() {
    let all = [
        rule(Some("text/csv"), &[], "typed"),
        rule(None, &[("kind", "hr")], "tagged"),
    ];
    assert!(asks_tags(&all, &call("GetObject", "in/a", &[])));
    assert!(asks_tags(&all, &call("HeadObject", "in/a", &[])));
    assert!(!asks_tags(&all, &call("GetObject", "a", &[])));
    assert!(!asks_tags(&all, &call("PutObject", "in/a", &[])));
    assert!(!asks_tags(&all[..1], &call("GetObject", "in/a", &[])));
    let of = |query: Option<&str>| {
        tags_request(&Head {
            method: "HEAD".to_owned(),
            path: "/b/in/a".to_owned(),
            query: query.map(str::to_owned),
            fields: [("range", "bytes=0-1")].into_iter().collect(),
        })
    };
    assert_eq!(of(None).query.as_deref(), Some("tagging"));
    let asked = of(Some("partNumber=1&versionId=a%2Fb&x-id=GetObject"));
    assert_eq!(asked.query.as_deref(), Some("tagging&versionId=a%2Fb"));
    assert_eq!(
        (asked.method.as_str(), asked.fields.iter().count()),
        ("GET", 0)
    );
}

/// A reader can ask S3 to call the object's content something else.
#[test]
fn a_content_type_that_the_reader_chose_says_nothing() {
    let known = facts(None, Some(&[]));
    let plain = call("GetObject", "in/a", &[("x-id", "GetObject")]);
    assert_eq!(
        known.told(Some("text/csv"), &plain).content_type.as_deref(),
        Some("text/csv")
    );
    let chosen = call(
        "GetObject",
        "in/a",
        &[("response-content-type", "image/png")],
    );
    assert_eq!(known.told(Some("image/png"), &chosen).content_type, None);
}

#[test]
fn an_upload_says_of_itself_what_it_is() {
    let upload = |fields: &[(&str, &str)]| {
        Facts::of_upload(&Head {
            fields: fields.iter().copied().collect(),
            ..Head::default()
        })
    };
    assert_eq!(
        upload(&[
            ("content-type", "text/csv"),
            ("x-amz-tagging", "kind=h%20r&b=")
        ]),
        facts(Some("text/csv"), Some(&[("kind", "h r"), ("b", "")]))
    );
    assert_eq!(upload(&[]), facts(None, Some(&[])));
    assert_eq!(upload(&[("x-amz-tagging", "a=%zz")]), facts(None, None));
    let twice = [("x-amz-tagging", "a=b"), ("x-amz-tagging", "c=d")];
    assert_eq!(upload(&twice), facts(None, None));
}

#[test]
fn names_are_read_as_their_form_has_them() {
    let read = |text: &str, form| Name::read(text, form).unwrap();
    let path = |steps: &[&str]| {
        let step = |name: &&str| match *name {
            "*" => Step::Any,
            name => Step::To(name.to_owned()),
        };
        Name::At(steps.iter().map(step).collect())
    };
    let anywhere = |name: &str| Name::Anywhere(name.to_owned());
    let csv = |header| Form::Csv {
        separator: b',',
        header,
    };
    assert_eq!(read("$.a", csv(true)), anywhere("$.a"));
    assert_eq!(read("3", csv(false)), Name::Column(2));
    assert_eq!(read("email", Form::Json), anywhere("email"));
    assert_eq!(read("$price", Form::Json), anywhere("$price"));
    assert_eq!(
        read("$.a[*].b.*['c.d'][*][\"e'\"]", Form::Json),
        path(&["a", "b", "*", "c.d", "e'"])
    );
    assert_eq!(read("$[*].a", Form::Json), path(&["a"]));
    assert_eq!(read("@id", Form::Xml), anywhere("@id"));
    assert_eq!(read("/a/*/@id", Form::Xml), path(&["a", "*", "@id"]));
    for bad in [
        "$", "$.", "$..a", "$.a[", "$.a[0]", "$[a]", "$['a]", "$.a['b'x",
    ] {
        assert_eq!(
            Name::read(bad, Form::Json),
            Err(BadName::Json(BadJsonPath)),
            "{bad}"
        );
    }
    for bad in ["/", "//a", "/a//b", "/a/", "/@a/b", "/a/@", "/x:a", "/a[1]"] {
        assert_eq!(Name::read(bad, Form::Xml), Err(BadName::Xml), "{bad}");
    }
    for bad in ["0", "", "-1", "a"] {
        assert_eq!(Name::read(bad, csv(false)), Err(BadName::Column), "{bad}");
    }
    for bad in ["text", "/csv", "text/", "*/*", "text/csv; a=b", "a/b/c"] {
        assert_eq!(MediaType::read(bad), None, "{bad}");
    }
}

#[test]
fn tags_are_read_for_certain_or_not_at_all() {
    let set = |inner: &str| {
        read_tags(
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <TagSet>{inner}</TagSet></Tagging>"
            )
            .as_bytes(),
        )
    };
    let tags = |pairs: &[(&str, &str)]| -> Option<BTreeMap<String, String>> {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Some(pairs.iter().map(pair).collect())
    };
    assert_eq!(
        set(
            "<Tag><Key>a&amp;b</Key><Value>c d</Value></Tag>\n  <Tag>\n<Key>e</Key>\n<Value/></Tag>"
        ),
        tags(&[("a&b", "c d"), ("e", "")])
    );
    assert_eq!(set(""), tags(&[]));
    for empty in [
        "<Tagging/>",
        "<Tagging><TagSet/></Tagging>",
        "<Tagging><TagSet></TagSet></Tagging>",
    ] {
        assert_eq!(read_tags(empty.as_bytes()), tags(&[]), "{empty}");
    }
    for odd in [
        "<Tag><Key>a</Key></Tag>",
        "<Tag><Value>b</Value><Key>a</Key></Tag>",
        "<Tag><Key>a</Key><Value>b</Value></Tag><Tag><Key>a</Key><Value>c</Value></Tag>",
        "<Tag><Key><![CDATA[a]]></Key><Value>b</Value></Tag>",
        "<!-- <Tag> --><Tag><Key>a</Key><Value>b</Value></Tag>",
        "x",
    ] {
        assert_eq!(set(odd), None, "{odd}");
    }
    for odd in [
        "",
        "<Error/>",
        "<TaggingX/>",
        "<Tagging>",
        "{}",
        "<Tagging/>x",
    ] {
        assert_eq!(read_tags(odd.as_bytes()), None, "{odd}");
    }
}
