use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use model::{Secret, Timestamp};

use super::*;
use crate::http::sigv4::SigningKey;

const KIND: &str = "multipart/form-data; boundary=\"x--y\"";

fn secret() -> Secret {
    Secret::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned())
}

const CONDITIONS: &str = r#"{"bucket": "lake"}, ["starts-with", "$key", "user/"], ["eq", "$Content-Type", "text/plain"],
    {"x-amz-algorithm": "AWS4-HMAC-SHA256"}, ["starts-with", "$x-amz-credential", ""], {"x-amz-date": "20260101T000000Z"},
    ["content-length-range", 1, "10"], ["starts-with", "$success_action_status", ""], ["starts-with", "$x-amz-meta-of", ""]"#;

/// A form with this policy, signed, with these fields in place of the usual ones or beside them.
fn form(conditions: &str, changed: &[(&str, &str)], filename: &str, file: &str) -> Bytes {
    let policy =
        format!(r#"{{"expiration": "2026-01-01T01:00:00.000Z", "conditions": [{conditions}]}}"#);
    let policy = STANDARD.encode(policy);
    let credential = "AKIAEXAMPLE/20260101/eu-central-1/s3/aws4_request";
    let (_, scope) = Scope::of_credential(credential).unwrap();
    let signature = SigningKey::derive(&secret(), &scope).sign(&policy);
    let mut fields = vec![
        ("key", "user/a b.txt"),
        ("Content-Type", "text/plain"),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", credential),
        ("X-Amz-Date", "20260101T000000Z"),
        ("Policy", &policy),
        ("X-Amz-Signature", &signature),
    ];
    for (name, value) in changed {
        fields.retain(|(it, _)| !it.eq_ignore_ascii_case(name));
        fields.push((name, value));
    }
    let part = |(name, value): &(&str, &str)| {
        format!("--x--y\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let fields: String = fields.iter().map(part).collect();
    let file = format!(
        "--x--y\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\nContent-Type: image/png\r\n\r\n{file}\r\n"
    );
    let after =
        "--x--y\r\nContent-Disposition: form-data; name=\"acl\"\r\n\r\npublic-read\r\n--x--y--\r\n";
    Bytes::from(format!("{fields}{file}{after}"))
}

fn taken(body: &Bytes) -> Result<Upload, BadForm> {
    let now = Timestamp::parse("2026-01-01T00:30:00Z").unwrap();
    Form::read("/lake", KIND, body)?.verify((&secret(), &Derived::default()), now)
}

#[test]
fn a_form_is_the_upload_that_its_policy_lets_it_be() {
    let beside = [
        ("x-amz-meta-of", "a test"),
        ("success_action_status", "201"),
    ];
    let upload = taken(&form(CONDITIONS, &beside, "C:\\\\x\\\\y.txt", "a\r\n--x-")).unwrap();
    assert_eq!(upload.head.path, "/lake/user/a%20b.txt");
    let fields: Vec<_> = upload.head.fields.iter().collect();
    assert_eq!(
        fields,
        [("content-type", "text/plain"), ("x-amz-meta-of", "a test")]
    );
    assert_eq!(upload.file, "a\r\n--x-");
    assert_eq!(upload.answer, Answer::Status(201));
    assert_eq!(
        upload.verified.payload,
        Payload::Sha256(sha256(b"a\r\n--x-"))
    );
    // The name of the file where it comes from, without its folders.
    let named = [("key", "user/${filename}")];
    let upload = taken(&form(CONDITIONS, &named, "dir/y.txt", "x")).unwrap();
    assert_eq!(
        (upload.head.path.as_str(), upload.answer),
        ("/lake/user/y.txt", Answer::Status(204))
    );
}

#[test]
fn what_the_policy_does_not_let_is_refused() {
    let refused = |conditions: &str, changed: &[(&str, &str)], file: &str| {
        taken(&form(conditions, changed, "f", file)).unwrap_err()
    };
    let policy = |what: &str| BadForm::Policy(what.to_owned());
    assert_eq!(
        refused(CONDITIONS, &[("key", "other/a")], "x"),
        policy("key")
    );
    assert_eq!(
        refused(CONDITIONS, &[("content-type", "text/html")], "x"),
        policy("content-type")
    );
    assert_eq!(refused(CONDITIONS, &[], ""), policy("the file's length"));
    assert_eq!(
        refused(CONDITIONS, &[], "eleven bytes"),
        policy("the file's length")
    );
    assert_eq!(
        refused(CONDITIONS, &[("acl", "public-read")], "x"),
        policy("no condition names acl")
    );
    let other = CONDITIONS.replace("lake", "vault");
    assert_eq!(refused(&other, &[], "x"), policy("bucket"));
    let any = CONDITIONS.replace(r#"{"bucket": "lake"}, "#, "");
    assert_eq!(refused(&any, &[], "x"), policy("it names no bucket"));
    let odd = format!(r#"{CONDITIONS}, ["starts-with", "$x-amz-odd", ""]"#);
    assert_eq!(
        refused(&odd, &[("x-amz-odd", "1")], "x"),
        BadForm::Field("x-amz-odd".to_owned())
    );

    let signature = |fault| BadForm::Signature(fault);
    let forged = STANDARD.encode(format!(
        r#"{{"expiration": "2027-01-01T00:00:00Z", "conditions": [{CONDITIONS}]}}"#
    ));
    assert_eq!(
        refused(CONDITIONS, &[("policy", &forged)], "x"),
        signature(Fault::Mismatch)
    );
    assert_eq!(
        refused(CONDITIONS, &[("x-amz-signature", "00")], "x"),
        signature(Fault::Mismatch)
    );
    let v4a = [("x-amz-algorithm", "AWS4-ECDSA-P256-SHA256")];
    assert_eq!(refused(CONDITIONS, &v4a, "x"), signature(Fault::SigV4A));
    let late = Timestamp::parse("2026-01-01T01:00:01Z").unwrap();
    let read = Form::read("/lake", KIND, &form(CONDITIONS, &[], "f", "x")).unwrap();
    let ended = read
        .verify((&secret(), &Derived::default()), late)
        .unwrap_err();
    assert!(matches!(ended, BadForm::Expired(_)), "{ended}");
}

#[test]
fn what_could_be_read_in_two_ways_is_not_read() {
    let text = String::from_utf8(form(CONDITIONS, &[], "f", "x").to_vec()).unwrap();
    let read = |kind: &str, text: &str| {
        Form::read("/lake", kind, &Bytes::from(text.to_owned())).map(|it| it.access_key)
    };
    assert_eq!(read(KIND, &text).unwrap(), "AKIAEXAMPLE");
    for kind in [
        "multipart/form-data",
        "multipart/mixed; boundary=x--y",
        "multipart/form-data; boundary=x; boundary=x--y",
        "multipart/form-data; boundary=",
    ] {
        assert!(read(kind, &text).is_err(), "{kind}");
    }
    let twice =
        format!("--x--y\r\nContent-Disposition: form-data; name=\"KEY\"\r\n\r\nuser/b\r\n{text}");
    for odd in [
        twice.as_str(),
        &text.replacen("name=\"key\"", "name=key", 1),
        &text.replacen("name=\"key\"", "name=\"key\"; name=\"other\"", 1),
        &text.replacen("name=\"key\"", "name=\"k\\\"ey\"", 1),
        &text.replacen("user/a b.txt", "user/a\nb.txt", 1),
        &text.replacen("name=\"file\"", "name=\"fil\"", 1),
        &format!(" {text}"),
        "--x--y--\r\n",
        "",
    ] {
        assert!(read(KIND, odd).is_err(), "{odd}");
    }
    for path in ["/", "/lake/a", "//", "/%zz"] {
        assert!(
            Form::read(path, KIND, &form(CONDITIONS, &[], "f", "x")).is_err(),
            "{path}"
        );
    }
}

#[test]
fn a_form_brings_checksums_and_tags() {
    let conditions = format!(
        "{CONDITIONS}, [\"starts-with\", \"$x-amz-checksum-algorithm\", \"\"], [\"starts-with\", \"$x-amz-checksum-crc32\", \"\"], \
         [\"starts-with\", \"$tagging\", \"\"]"
    );
    let tagging =
        "<Tagging><TagSet><Tag><Key>a b</Key><Value>1&amp;2</Value></Tag></TagSet></Tagging>";
    let asked = |changed: &[(&str, &str)]| {
        let upload = taken(&form(&conditions, changed, "y", "hello"))?;
        let fields = upload.head.fields.iter();
        let fields = fields.filter(|(name, _)| *name != "content-type");
        Ok::<_, BadForm>(
            fields
                .map(|(name, value)| format!("{name}: {value}"))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        asked(&[("x-amz-checksum-algorithm", "CRC32"), ("tagging", tagging)]).unwrap(),
        [
            "x-amz-sdk-checksum-algorithm: CRC32",
            "x-amz-checksum-crc32: NhCmhg==",
            "x-amz-tagging: a%20b=1%262"
        ]
    );
    // What it brings itself the target compares.
    assert_eq!(
        asked(&[
            ("x-amz-checksum-algorithm", "CRC32"),
            ("x-amz-checksum-crc32", "AAAAAA==")
        ])
        .unwrap(),
        [
            "x-amz-sdk-checksum-algorithm: CRC32",
            "x-amz-checksum-crc32: AAAAAA=="
        ]
    );
    for bad in [
        ("x-amz-checksum-algorithm", "MD4"),
        ("tagging", "<Tagging>"),
    ] {
        assert!(
            matches!(asked(&[bad]), Err(BadForm::Malformed(_))),
            "{bad:?}"
        );
    }
}
