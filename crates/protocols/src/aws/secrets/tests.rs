use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mask::{Findings, Masker, MaskerConfig};
use model::DataClass;

use super::own::OWN;
use super::*;
use crate::aws::objects::Name;
use crate::aws::table::TABLE;
use crate::aws::tests::call_of as call;

mod asked;
mod deep;

/// What is shown, the same however the answer is cut; and how many values were hidden.
fn shown(call: &Call, answer: &str) -> Result<(String, u64), Unreadable> {
    let masker = Masker::new(MaskerConfig::default());
    let mut results = Vec::new();
    for size in [answer.len().max(1), 1, 7] {
        let mut hider = Hider::new(call, &[], &masker).unwrap();
        let (mut out, mut findings) = (Vec::new(), Findings::counting());
        for piece in answer.as_bytes().chunks(size) {
            hider.push(piece, &mut out, &mut findings)?;
        }
        hider.finish(&mut out, &mut findings)?;
        assert_eq!(out.len(), answer.len());
        let count = findings.facts().iter().map(|fact| fact.count).sum();
        results.push((String::from_utf8(out).unwrap(), count));
    }
    results.dedup();
    assert_eq!(results.len(), 1, "{results:?}");
    Ok(results.remove(0))
}

#[test]
fn secrets_in_json_are_hidden_by_name() {
    let secret = call("secretsmanager", "GetSecretValue", Wire::Json(1));
    assert_eq!(
        shown(
            &secret,
            r#"{"Name":"db","SecretString":"{\"p\":\"hün\"}","VersionId":"1"}"#
        )
        .unwrap(),
        (
            r#"{"Name":"db","SecretString":"****************","VersionId":"1"}"#.to_owned(),
            1
        )
    );
    assert_eq!(
        shown(
            &secret,
            r#"{"SecretBinary":"c2VjcmV0cw==" , "Secret\u0053tring" : "x"}"#
        )
        .unwrap(),
        (
            r#"{"SecretBinary":"AAAAAAAAAA==" , "Secret\u0053tring" : "*"}"#.to_owned(),
            2
        )
    );
    let lambda = call("lambda", "GetFunctionConfiguration", Wire::RestJson);
    assert_eq!(
        shown(
            &lambda,
            r#"{"Environment":{"Variables":{"A":"b","N":[12,true,null,{"x":-1.5e3}]}},"Timeout":30}"#
        )
        .unwrap()
        .0,
        r#"{"Environment":{"Variables":{"A":"*","N":[0 ,null,null,{"x":0     }]}},"Timeout":30}"#
    );
    // A value of that text is no name.
    let ssm = call("ssm", "GetParameter", Wire::Json(1));
    assert_eq!(
        shown(
            &ssm,
            r#"{"Parameter":{"Name":"Value","Value":"v","Version":1}}"#
        )
        .unwrap()
        .0,
        r#"{"Parameter":{"Name":"Value","Value":"*","Version":1}}"#
    );
    // A number in which a detector hid something is one again.
    assert_eq!(
        shown(&ssm, r#"{"a":************1111,"b":[2]}"#).unwrap().0,
        r#"{"a":0               ,"b":[2]}"#
    );
}

#[test]
fn secrets_in_xml_are_hidden_by_name() {
    let sts = call("sts", "AssumeRole", Wire::Query);
    assert_eq!(
        shown(
            &sts,
            "<?xml version=\"1.0\"?>\n<R a='>'><!-- <SessionToken>c --><Credentials><AccessKeyId>AK</AccessKeyId><SecretAccessKey>a&lt;b \
             c</SecretAccessKey><x:SessionToken q=\"/>\"><![CDATA[d]e]]></x:SessionToken><SessionToken/></Credentials>f</R>"
        )
        .unwrap(),
        (
            "<?xml version=\"1.0\"?>\n<R a='>'><!-- <SessionToken>c --><Credentials><AccessKeyId>AK</AccessKeyId><SecretAccessKey>****** \
             *</SecretAccessKey><x:SessionToken q=\"/>\"><![CDATA[*]*]]></x:SessionToken><SessionToken/></Credentials>f</R>"
                .to_owned(),
            2
        )
    );
}

#[test]
fn digests_of_what_is_hidden_are_hidden() {
    let answer = |root: &str| {
        format!(
            "<{root}><ETag>\"4c7b\"</ETag><Checksum><ChecksumCRC32>XUra</ChecksumCRC32></Checksum><ChecksumSHA256>aa==</ChecksumSHA256></{root}>"
        )
    };
    for operation in [
        "GetObjectAttributes",
        "CopyObject",
        "UploadPartCopy",
        "ListParts",
    ] {
        let call = call("s3", operation, Wire::S3);
        let (shown, _) = shown(&call, &answer("R")).unwrap();
        assert_eq!(
            shown,
            "<R><ETag>******</ETag><Checksum><ChecksumCRC32>****</ChecksumCRC32></Checksum><ChecksumSHA256>****</ChecksumSHA256></R>",
            "{operation}"
        );
    }
    let whole = call("s3", "CompleteMultipartUpload", Wire::S3);
    assert_eq!(
        shown(&whole, &answer("R")).unwrap().0,
        "<R><ETag>\"4c7b\"</ETag><Checksum><ChecksumCRC32>****</ChecksumCRC32></Checksum><ChecksumSHA256>****</ChecksumSHA256></R>"
    );
    let queue = call("sqs", "ReceiveMessage", Wire::Json(0));
    assert_eq!(
        shown(&queue, r#"{"Messages":[{"Body":"x","MD5OfBody":"9dd4"}]}"#)
            .unwrap()
            .0,
        r#"{"Messages":[{"Body":"x","MD5OfBody":"****"}]}"#
    );
}

#[test]
fn what_cannot_be_read_ends_there() {
    let ssm = call("ssm", "GetParameter", Wire::Json(1));
    for bad in [r#"{"a":1]"#, "}", r#"{"a":1"b":2}"#, &"[".repeat(600)] {
        assert_eq!(shown(&ssm, bad), Err(Unreadable), "{bad}");
    }
    // Forms of the query protocol can be answered in JSON, and what is no JSON is not read as such.
    let iam = call("iam", "CreateAccessKey", Wire::Query);
    assert_eq!(
        shown(&iam, r#"{"SecretAccessKey":"hunter2"}"#),
        Err(Unreadable)
    );
    assert_eq!(shown(&ssm, "<Value>hunter2</Value>"), Err(Unreadable));
    assert_eq!(shown(&ssm, "Value=hunter2"), Err(Unreadable));
    let sts = call("sts", "AssumeRole", Wire::Query);
    for bad in ["</a>", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "<a<b>"] {
        assert_eq!(shown(&sts, bad), Err(Unreadable), "{bad}");
    }
}

#[test]
fn what_policy_reveals_is_shown() {
    let reveal = |classes: &[&str]| {
        let classes = classes
            .iter()
            .map(|it| DataClass::try_from((*it).to_owned()).unwrap());
        Masker::new(MaskerConfig {
            reveal: classes.collect::<BTreeSet<_>>(),
            ..MaskerConfig::default()
        })
    };
    let secret = call("secretsmanager", "GetSecretValue", Wire::Json(1));
    assert!(Hider::new(&secret, &[], &reveal(&[SENSITIVE])).is_some());
    assert!(Hider::new(&secret, &[], &reveal(&[SENSITIVE, SECRET])).is_none());
    let object = call("s3", "GetObject", Wire::S3);
    assert!(Hider::new(&object, &[], &reveal(&[])).is_none());
}

/// YAML and wheels are no JSON, and so nothing of them was shown.
#[test]
fn content_has_no_members() {
    let masker = Masker::new(MaskerConfig::default());
    for (service, operations) in CONTENTS {
        for operation in operations {
            let call = call(service, operation, Wire::RestJson);
            assert!(call.operation.is_some(), "{service} {operation}");
            assert!(
                Hider::new(&call, &[], &masker).is_none(),
                "{service} {operation}"
            );
        }
    }
}

/// As AWS's models have them: what is not in them hides nothing.
#[test]
fn every_member_that_gives_access_is_hidden_where_it_stands() {
    let masker = Masker::new(MaskerConfig::default());
    let mut told = BTreeSet::new();
    let lines = include_str!("members.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let [service, operation, member] = words[..] else {
            panic!("{line}");
        };
        let call = call(service, operation, Wire::Json(1));
        assert!(call.operation.is_some(), "{line}");
        let hider = Hider::new(&call, &[], &masker);
        let bare = member.split('|').next().unwrap_or(member);
        let bare = bare.strip_suffix(":b").unwrap_or(bare).replace('>', "/");
        let names = hider.as_ref().map(Hider::names).unwrap_or_default();
        assert!(names.contains(&bare.as_str()), "{line}");
        told.insert((service, member));
    }
    let own = OWN.iter();
    let own = own.flat_map(|(service, members)| members.iter().map(|it| (*service, *it)));
    assert_eq!(own.collect::<BTreeSet<_>>(), told);
}

#[test]
fn every_member_of_our_own_belongs_to_a_service() {
    for (name, members) in OWN {
        assert!(TABLE.services().iter().any(|it| it.name == name), "{name}");
        assert!(!members.is_empty());
    }
    assert!(OWN.is_sorted_by_key(|(name, _)| *name));
}

/// Whoever knows a value is told that it was there, in whatever form it came.
#[test]
fn what_is_hidden_is_committed_to_as_it_was_and_else_as_unread() {
    let key = mask::CommitmentKey::new(&[7; 32]);
    let masker = Masker::new(MaskerConfig::default());
    let committed = |call: &Call, answer: &str| {
        let mut hider = Hider::new(call, &[], &masker).unwrap();
        let (mut out, mut findings) = (Vec::new(), Findings::new(&key));
        for piece in answer.as_bytes().chunks(5) {
            hider.push(piece, &mut out, &mut findings).unwrap();
        }
        hider.finish(&mut out, &mut findings).unwrap();
        findings.facts()
    };
    let secret = call("secretsmanager", "GetSecretValue", Wire::Json(1));
    let sts = call("sts", "AssumeRole", Wire::Query);
    let class = DataClass::try_from(SECRET.to_owned()).unwrap();
    for (call, answer, value) in [
        (&secret, r#"{"SecretString":"a \"b\" \u00fc"}"#, "a \"b\" ü"),
        (&secret, r#"{"SecretString":{"a":[12]}}"#, "12"),
        (&secret, r#"{"SecretBinary":"c2VjcmV0cw=="}"#, "secrets"),
        (
            &sts,
            "<R><SessionToken>a&lt;b&#x21;</SessionToken></R>",
            "a<b!",
        ),
        (
            &sts,
            "<R><SessionToken><![CDATA[a&lt;]]></SessionToken></R>",
            "a&lt;",
        ),
    ] {
        let facts = committed(call, answer);
        assert_eq!(facts.len(), 1, "{answer}");
        let commitment = key.commit(&class, value.as_bytes()).to_string();
        assert_eq!(facts[0].commitments, [commitment], "{answer}");
    }
    let long = format!(r#"{{"SecretString":"{}"}}"#, "x".repeat(70_000));
    for answer in [r#"{"SecretString":"card ****1111"}"#, long.as_str()] {
        let facts = committed(&secret, answer);
        assert_eq!((facts[0].count, facts[0].commitments.len()), (1, 0));
    }
}

/// Applications keep JSON in a text of JSON, and what is declared stands there as well.
#[test]
fn declared_members_are_found_in_json_within_texts() {
    let declared = Declared {
        bucket: "b".to_owned(),
        prefix: String::new(),
        content_type: None,
        tags: [].into(),
        form: Form::Json,
        names: vec![(Name::read("ssn", Form::Json).unwrap(), DataClass::US_SSN)],
    };
    let masker = Masker::new(MaskerConfig::default());
    for (text, hidden) in [
        (
            r#"{"doc":{"S":"{\"ssn\":\"a\u0062\",\"x\":1}"}}"#,
            r#"{"doc":{"S":"{\"ssn\":\"*******\",\"x\":1}"}}"#,
        ),
        (
            r#"{"a":" [{\"b\":\"{\\\"ssn\\\":-12}\"}]"}"#,
            r#"{"a":" [{\"b\":\"{\\\"ssn\\\":0  }\"}]"}"#,
        ),
        (
            r#"{"a":"\u007b\u0022ssn\":true} ssn"}"#,
            r#"{"a":"\u007b\u0022ssn\":null} ssn"}"#,
        ),
        (
            r#"{"a":"{ssn}","b":"\n","c":"[x"}"#,
            r#"{"a":"{ssn}","b":"\n","c":"[x"}"#,
        ),
    ] {
        for size in [text.len(), 1, 3] {
            let mut hider = Hider::of_object(&declared, &masker).unwrap();
            let (mut out, mut findings) = (Vec::new(), Findings::counting());
            for piece in text.as_bytes().chunks(size) {
                hider.push(piece, &mut out, &mut findings).unwrap();
            }
            hider.finish(&mut out, &mut findings).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), hidden);
        }
    }
}

/// What detectors hid before stays what SDKs read there.
#[test]
fn numbers_and_bytes_of_dynamodb_stay_what_they_are() {
    let items = call("dynamodb", "GetItem", Wire::Json(0));
    assert_eq!(
        shown(
            &items,
            r#"{"Item":{"N":{"S":"****1"},"c":{"N":"****1111"},"l":{"NS":["-**2"]}}}"#
        )
        .unwrap()
        .0,
        r#"{"Item":{"N":{"S":"****1"},"c":{"N":"00001111"},"l":{"NS":["-002"]}}}"#
    );
}

/// AWS's models call a member sensitive in one answer, and none of another.
#[test]
fn a_member_is_hidden_where_it_is_sensitive() {
    let masker = Masker::new(MaskerConfig::default());
    let hides = |operation: &str, name: &str| {
        let call = call("ssm", operation, Wire::Json(1));
        let hider = Hider::new(&call, &[], &masker).unwrap();
        hider.names().contains(&name)
    };
    for operation in ["GetParameters", "DescribeParameters", "GetParameterHistory"] {
        assert!(!hides(operation, "Parameters"), "{operation}");
    }
    assert!(hides("SendCommand", "Parameters") && hides("GetParameters", "Value"));
    assert!(!hides("DescribeDocument", "Value"));
    let mut unknown = call("ssm", "GetParameters", Wire::Json(1));
    unknown.operation = None;
    let hider = Hider::new(&unknown, &[], &masker).unwrap();
    assert!(hider.names().contains(&"Parameters"));
}

/// Who lists keys needs their ids to change them, and who decodes Base64 must find some.
#[test]
fn ids_of_keys_are_shown_by_iam_and_base64_stays_base64() {
    let masker = Arc::new(Masker::new(MaskerConfig::default()));
    let searched = |call: &Call, text: &str| {
        let (mut out, mut findings) = (Vec::new(), Findings::counting());
        let mut stream = search(call, &masker);
        stream.push(text.as_bytes(), &mut out, &mut findings);
        stream.finish(&mut out, &mut findings);
        String::from_utf8(out).unwrap()
    };
    let id = "<AccessKeyId>AKIAQ2W3E4R5T6Z7U2I3</AccessKeyId>";
    let iam = call("iam", "ListAccessKeys", Wire::Query);
    assert_eq!(searched(&iam, id), id);
    let kinesis = call("kinesis", "GetRecords", Wire::Json(1));
    assert_ne!(searched(&kinesis, id), id);
    let data = STANDARD.encode("card 4111111111111111 of ann");
    let shown = searched(&kinesis, &format!("{{\"Data\":\"{data}\"}}"));
    let shown = shown
        .trim_start_matches("{\"Data\":\"")
        .trim_end_matches("\"}");
    let shown = String::from_utf8(STANDARD.decode(shown).unwrap()).unwrap();
    assert!(
        shown.starts_with("car") && shown.ends_with(" ann") && !shown.contains("4111"),
        "{shown:?}"
    );
}

/// Answers of services with declared columns, to operations that give no rows themselves.
#[test]
fn errors_of_statements_hide_what_they_quote() {
    let class = DataClass::try_from("us_ssn".to_owned()).unwrap();
    for (service, operation, answer, hidden) in [
        (
            "redshift-data",
            "DescribeStatement",
            r#"{"Error":"ERROR: invalid input syntax for integer: \"kiwi\"","QueryString":"select \"kiwi\""}"#,
            r#"integer: \"kiwi"#,
        ),
        (
            "athena",
            "GetQueryExecution",
            r#"{"QueryExecution":{"Status":{"StateChangeReason":"Cannot cast 'kiwi' to INT","AthenaError":{"ErrorMessage":"Cannot cast 'lime'"}}}}"#,
            "kiwi",
        ),
        (
            "rds-data",
            "BatchExecuteStatement",
            r#"{"updateResults":[{"generatedFields":[{"stringValue":"kiwi"}]}]}"#,
            "kiwi",
        ),
        (
            "athena",
            "StartQueryExecution",
            r#"{"Message":"line 1:8: Column 'kind' cannot be resolved"}"#,
            "lime",
        ),
    ] {
        let declared = [Answers {
            service: service.to_owned(),
            operation: None,
            resource: None,
            members: Vec::new(),
            columns: vec![("ssn".to_owned(), class.clone())],
        }];
        let wire = if service == "rds-data" {
            Wire::RestJson
        } else {
            Wire::Json(1)
        };
        let call = call(service, operation, wire);
        let masker = Masker::new(MaskerConfig::default());
        let mut hider = Hider::new(&call, &declared, &masker).unwrap();
        let (mut out, mut findings) = (Vec::new(), Findings::counting());
        hider
            .push(answer.as_bytes(), &mut out, &mut findings)
            .unwrap();
        hider.finish(&mut out, &mut findings).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.len(), answer.len());
        assert!(!out.contains(hidden) && !out.contains("lime"), "{out}");
        let is_name = answer.contains("kind");
        assert_eq!(out == answer, is_name, "{out}");
    }
}
