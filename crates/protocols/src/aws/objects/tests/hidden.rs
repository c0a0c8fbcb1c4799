//! What is hidden of objects by what is declared of them, wherever they are cut.

use mask::{Findings, Masker, MaskerConfig};
use model::DataClass;
use proptest::prelude::*;

use super::super::{Declared, Form, Name};
use crate::aws::secrets::{Hider, Unreadable};

fn declared(form: Form, names: &[&str]) -> Declared {
    let name = |name: &&str| (Name::read(name, form).unwrap(), DataClass::US_SSN);
    Declared {
        bucket: "b".to_owned(),
        prefix: String::new(),
        content_type: None,
        tags: [].into(),
        form,
        names: names.iter().map(name).collect(),
    }
}

fn hidden(declared: &Declared, pieces: &[&[u8]]) -> Result<(String, u64), Unreadable> {
    let masker = Masker::new(MaskerConfig::default());
    let mut hider = Hider::of_object(declared, &masker).unwrap();
    let (mut out, mut findings) = (Vec::new(), Findings::counting());
    for piece in pieces {
        hider.push(piece, &mut out, &mut findings)?;
    }
    hider.finish(&mut out, &mut findings)?;
    let count = findings.facts().iter().map(|fact| fact.count).sum();
    Ok((String::from_utf8(out).unwrap(), count))
}

/// The same however it is cut.
#[track_caller]
fn check(form: Form, names: &[&str], text: &str, expect: &str, count: u64) {
    let declared = declared(form, names);
    for cut in 0..text.len() {
        let (one, other) = text.as_bytes().split_at(cut);
        let hidden = hidden(&declared, &[one, other]).unwrap();
        assert_eq!(hidden, (expect.to_owned(), count), "cut at {cut}");
    }
}

#[test]
fn members_are_hidden_at_their_path_alone() {
    check(
        Form::Json,
        &["$.customer.email", "$.items.*.code", "note"],
        r#"{"email":"a","customer":{"email":"bc","x":{"email":"d"}},"items":[{"p":{"code":12}},{"code":3}],"note":{"y":"z"}}"#,
        r#"{"email":"a","customer":{"email":"**","x":{"email":"d"}},"items":[{"p":{"code":0 }},{"code":3}],"note":{"*":"*"}}"#,
        4,
    );
    // Arrays are no step, at the beginning and in between; each line is a value of its own.
    check(
        Form::Json,
        &["$[*].a.b"],
        "[{\"a\":[[{\"b\":[\"x\",{\"c\":\"y\"}]}]]}]\n{\"a\":{\"b\":\"z\"},\"b\":\"k\"}\n{\"b\":\"k\"}",
        "[{\"a\":[[{\"b\":[\"*\",{\"*\":\"*\"}]}]]}]\n{\"a\":{\"b\":\"*\"},\"b\":\"k\"}\n{\"b\":\"k\"}",
        4,
    );
    // However a name is written.
    check(
        Form::Json,
        &["$['a.b'].ü"],
        "{\"a\\u002eb\":{\"\\u00fc\":\"x\",\"ü\":\"y\"}}",
        "{\"a\\u002eb\":{\"\\u00fc\":\"*\",\"ü\":\"*\"}}",
        2,
    );
    // A value before it or the end of one around it is not where it stands.
    check(
        Form::Json,
        &["$.a.b"],
        r#"{"a":{"c":{}},"b":"x","d":{"a":{"b":"y"}},"a":{"c":[],"b":"z"}}"#,
        r#"{"a":{"c":{}},"b":"x","d":{"a":{"b":"y"}},"a":{"c":[],"b":"*"}}"#,
        1,
    );
}

#[test]
fn elements_and_attributes_are_hidden() {
    check(
        Form::Xml,
        &["ssn", "/o/c/code", "@badge", "/o/@of"],
        "\u{feff}<?xml version=\"1.0\"?>\n<x:o of='k' n=\"m\"><ssn a=\"b\">1-2<b/><!-- c-d --><?p q?></ssn><code>k</code>\
         <c of=\"l\"><code><![CDATA[1]2]]></code><d><code>k</code></d></c><e y:badge = '7' /></x:o>\n",
        "\u{feff}<?xml version=\"1.0\"?>\n<x:o of='*' n=\"m\"><ssn a=\"*\">***<b/><!--**-*--><?x  ?></ssn><code>k</code>\
         <c of=\"l\"><code><![CDATA[*]*]]></code><d><code>k</code></d></c><e y:badge = '*' /></x:o>\n"
            .replace("<!--**-*-->", "<!-- *-* -->")
            .as_str(),
        5,
    );
    check(
        Form::Xml,
        &["/*/p/@id"],
        "<s><p id='1'/><q><p id='2'/></q></s>",
        "<s><p id='*'/><q><p id='2'/></q></s>",
        1,
    );
}

/// What one program writes as text another reads as a document.
#[test]
fn documents_within_texts_are_read_too() {
    for (text, expect, count) in [
        (
            "<a><![CDATA[<code>kiwi</code> a < b]]>k</a>",
            "<a><![CDATA[<code>****</code> a < b]]>k</a>",
            1,
        ),
        (
            "<a>x &amp; &lt;code&gt;ki&amp;wi&lt;/code&gt;</a>",
            "<a>x &amp; &lt;code&gt;*********&lt;/code&gt;</a>",
            1,
        ),
        (
            "<a>&#60;code>kiwi&#x3c;/code></a>",
            "<a>&#60;code>****&#x3c;/code></a>",
            1,
        ),
        (
            "<a><!-- <x:code>kiwi</x:code> --></a>",
            "<a><!-- <x:code>****</x:code> --></a>",
            1,
        ),
        (
            "<a><?p <code>kiwi</code>?></a>",
            "<a><?p <code>****</code>?></a>",
            1,
        ),
        (
            "<a><?p it's x<y?><code>kiwi</code></a>",
            "<a><?p it's x<y?><code>****</code></a>",
            1,
        ),
        (
            "<a><![CDATA[<p>a<br>b & c</p> if (a < b) { x > y }]]>&nbsp;&amp; </a>",
            "<a><![CDATA[<p>a<br>b & c</p> if (a < b) { x > y }]]>&nbsp;&amp; </a>",
            0,
        ),
    ] {
        check(Form::Xml, &["code"], text, expect, count);
    }
    // From where it is no document nothing that is called so is shown.
    check(
        Form::Xml,
        &["code"],
        "<a><![CDATA[</p> <code>kiwi</code>]]>k</a>",
        "<a><![CDATA[<*********************]]>k</a>",
        0,
    );
}

#[test]
fn what_cannot_be_read_for_certain_is_not_shown() {
    let xml = declared(Form::Xml, &["ssn"]);
    for bad in [
        "text",
        "{\"ssn\":1}",
        "<a b=c></a>",
        "<a b></a>",
        "<a b='c'd='e'f></a>",
        "</a>",
        "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        "<a/>text",
    ] {
        assert_eq!(hidden(&xml, &[bad.as_bytes()]), Err(Unreadable), "{bad}");
    }
    // A tag that does not end could hold anything.
    let (shown, _) = hidden(&xml, &[b"<a><ssn x='kiwi"]).unwrap();
    assert_eq!(shown, "<a><***********");
    let json = declared(Form::Json, &["$.a"]);
    for bad in [
        "<a>x</a>",
        "a XK-11",
        "\"a\"\n\"XK-11\"\n",
        "\"id\",\"a\"\n\"1\",\"XK-11\"\n",
        "78051120\n",
        "{\"a\" \"XK-11\"}",
        "{\"a\":\"x\" \"b\":\"XK-11\"}",
        "{\"b\":XK-11}",
        "{\"b\":078-05}",
        "{\"b\":1.}",
        "{\"b\",\"a\":1}",
        "{,\"a\":1}",
        "[1 2]",
        "[1,]",
        "{\"b\":1,}",
        "{\"b\":}",
        "{}, {}",
        "[}",
    ] {
        assert_eq!(hidden(&json, &[bad.as_bytes()]), Err(Unreadable), "{bad}");
    }
    let lines = "{\"b\":[],\"c\":{}}\n[1,-2.5e+3,true,null,{\"b\":[[]]}] {}\n";
    let shown = hidden(&json, &[lines.as_bytes()]).unwrap();
    assert_eq!(shown, (lines.to_owned(), 0));
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        "[k\"\\\\ü]{1,4}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let names = prop_oneof![Just("a"), Just("b"), Just("c")].prop_map(str::to_owned);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::btree_map(names, inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// What stands at `$.a.b`: whether all of it is hidden; all else is as it was.
fn agrees(one: &serde_json::Value, other: &serde_json::Value, path: &[&str]) -> bool {
    use serde_json::Value::{Array, Bool, Null, Number, Object, String};
    let below = path.starts_with(&["a", "b"]);
    match (one, other) {
        (Array(one), Array(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|(one, other)| agrees(one, other, path))
        }
        (Object(one), Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| {
                    let path = [path, &[name.as_str()]].concat();
                    other
                        .get(name)
                        .is_some_and(|other| agrees(value, other, &path))
                })
        }
        (Null, Null) => true,
        (Bool(_), Null) | (Number(_), Number(_)) if below => {
            other.is_null() || other.as_i64() == Some(0)
        }
        (String(_), String(text)) if below => text.bytes().all(|byte| byte == b'*'),
        (one, other) => !below && one == other,
    }
}

proptest! {
    /// Another parser finds at the path nothing but stars, and everything else as it was.
    #[test]
    fn a_path_is_what_another_parser_takes_it_for(value in json(), cut in 0_usize..200) {
        let value = serde_json::Value::from(vec![value]);
        let text = value.to_string();
        let (one, other) = text.as_bytes().split_at(cut.min(text.len()));
        let (shown, _) = hidden(&declared(Form::Json, &["$.a.b"]), &[one, other]).unwrap();
        prop_assert_eq!(shown.len(), text.len());
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        prop_assert!(agrees(&value, &shown, &[]), "{} {}", text, shown);
    }
}
