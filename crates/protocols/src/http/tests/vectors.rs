//! AWS's published test suite, both ways: what is signed here must verify there and the other way round.

use model::{Secret, Timestamp};
use serde_json::Value;

use super::super::canonical::{self, PathForm};
use super::super::sigv4::{Credentials, EMPTY_SHA256, Payload, Presented, Signer, sha256};
use super::head;

struct Case {
    name: String,
    json: Value,
}

impl Case {
    fn all() -> Vec<Self> {
        let text = include_str!("../../../testdata/sigv4.json");
        let list: Vec<Value> = serde_json::from_str(text).unwrap();
        let case = |json: Value| Self {
            name: json["name"].as_str().unwrap().to_owned(),
            json,
        };
        let cases: Vec<_> = list.into_iter().map(case).collect();
        assert_eq!(cases.len(), 38);
        cases
    }

    fn text(&self, form: &str, what: &str) -> &str {
        self.json[form][what].as_str().unwrap()
    }

    fn context(&self, name: &str) -> &Value {
        &self.json["context"][name]
    }

    /// Signed after the request was, and so not part of it.
    fn token_is_added_later(&self) -> bool {
        self.context("omit_session_token").as_bool() == Some(true)
    }

    fn credentials(&self) -> Credentials {
        let credentials = self.context("credentials");
        let text = |name: &str| credentials[name].as_str().map(str::to_owned);
        Credentials {
            access_key: text("access_key_id").unwrap(),
            secret_key: Secret::from(text("secret_access_key").unwrap()),
            token: text("token")
                .filter(|_| !self.token_is_added_later())
                .map(Into::into),
        }
    }

    /// The suite signs paths escaped once, whether resolved or not.
    fn form(&self) -> PathForm {
        PathForm {
            normalize: self.context("normalize").as_bool().unwrap(),
            twice: false,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::parse(self.context("timestamp").as_str().unwrap()).unwrap()
    }
}

#[test]
fn what_is_signed_is_what_the_suite_signs() {
    for case in Case::all() {
        let credentials = case.credentials();
        let signer = Signer {
            credentials: &credentials,
            region: case.context("region").as_str().unwrap(),
            service: case.context("service").as_str().unwrap(),
            form: case.form(),
        };
        let (mut request, body) = head(case.json["request"].as_str().unwrap());
        let digest = sha256(body.as_bytes());
        if case.context("sign_body").as_bool() == Some(true) {
            request.fields.set("x-amz-content-sha256", digest.as_str());
        }
        let mut presigned = request.clone();
        let payload = Payload::Sha256(digest);
        let signed = signer.sign(&mut request, &payload, case.now()).unwrap();
        assert_eq!(
            signed.signature,
            case.text("header", "signature"),
            "{}",
            case.name
        );

        let secs = case.context("expiration_in_seconds").as_i64().unwrap();
        presigned.fields.remove("x-amz-content-sha256");
        if case.context("sign_body").as_bool() != Some(true) {
            signer
                .presign(&mut presigned, &payload, case.now(), secs)
                .unwrap();
            let query = presigned.query.unwrap();
            let end = format!("X-Amz-Signature={}", case.text("query", "signature"));
            assert!(query.ends_with(&end), "{}: {query}", case.name);
        }
    }
}

#[test]
fn what_the_suite_signed_verifies() {
    for case in Case::all() {
        let secret = case.credentials().secret_key;
        for form in ["header", "query"] {
            if form == "query" && case.token_is_added_later() {
                continue;
            }
            let (request, body) = head(case.text(form, "signed-request"));
            let presented = Presented::read(&request).unwrap();
            let payload = sha256(body.as_bytes());
            let holds = presented.matches_as(&request, &secret, case.form(), &payload);
            assert_eq!(holds, Ok(()), "{} {form}", case.name);

            // The same with one thing changed does not.
            let mut other = request.clone();
            other.path.push('x');
            assert!(
                presented
                    .matches_as(&other, &secret, case.form(), &payload)
                    .is_err()
            );
            let wrong = Secret::from("another".to_owned());
            assert!(
                presented
                    .matches_as(&request, &wrong, case.form(), &payload)
                    .is_err()
            );
        }
    }
}

#[test]
fn canonical_requests_are_those_of_the_suite() {
    for case in Case::all() {
        for form in ["header", "query"] {
            let expected = case.text(form, "canonical-request");
            let (mut request, body) = head(case.text(form, "signed-request"));
            let names = expected.lines().rev().nth(1).unwrap();
            let names: Vec<&str> = names.split(';').collect();
            if form == "query" && case.token_is_added_later() {
                let query = request.query.take().unwrap();
                let kept = query
                    .split('&')
                    .filter(|part| !part.starts_with("X-Amz-Security-Token"));
                request.query = Some(kept.collect::<Vec<_>>().join("&"));
            }
            let payload = sha256(body.as_bytes());
            let canonical = canonical::request(&request, case.form(), &names, &payload);
            assert_eq!(canonical.unwrap(), expected, "{} {form}", case.name);
        }
    }
}

/// Every service but S3 escapes the path once more (`double-url-encode` of the older suite, in which the path is the same).
#[test]
fn paths_are_escaped_twice_for_most_services() {
    let raw = "/test/@connections/JBDvjfGEIAMCERw%3D";
    assert_eq!(
        canonical::path(raw, PathForm::of("execute-api")).unwrap(),
        "/test/%40connections/JBDvjfGEIAMCERw%253D"
    );
    assert_eq!(
        canonical::path(raw, PathForm::of("s3")).unwrap(),
        "/test/%40connections/JBDvjfGEIAMCERw%3D"
    );
    assert_eq!(
        canonical::path("/a//../b/", PathForm::S3).unwrap(),
        "/a//../b/"
    );
    assert_eq!(
        canonical::path("/a//../b/", PathForm::USUAL).unwrap(),
        "/b/"
    );
    assert_eq!(sha256(b""), EMPTY_SHA256);
}
