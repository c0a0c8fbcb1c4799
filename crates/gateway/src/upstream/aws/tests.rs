use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use model::Timestamp;
use protocols::http::sigv4::Credentials;

use super::chain::Chain;
use super::keys::{Kept, Keys, KeysError};
use super::sts::Sts;
use crate::clock::manual;
use crate::config::{AwsChain, AwsCredentials, AwsTarget, Endpoint, HostPort, KeySource};

fn keys(id: &str, expires: Option<i64>) -> Keys {
    Keys {
        credentials: Credentials {
            access_key: id.to_owned(),
            secret_key: "secret".to_owned().into(),
            token: None,
        },
        expires: expires.map(Timestamp::from_secs),
    }
}

fn none() -> KeysError {
    KeysError::Nowhere("nothing".to_owned())
}

#[tokio::test]
async fn keys_are_had_again_ahead_of_their_end_and_never_given_after_it() {
    let (clock, hand) = manual::clock(Timestamp::from_secs(0));
    let kept = Kept::default();
    let fetched = Cell::new(0);
    let get = async |brought: Result<Keys, KeysError>| {
        let fetch = async || {
            fetched.set(fetched.get() + 1);
            brought
        };
        kept.get(&clock, fetch).await.map(|keys| keys.access_key)
    };
    assert_eq!(get(Ok(keys("A", Some(3_600)))).await.unwrap(), "A");
    hand.advance(Duration::from_secs(3_299));
    assert_eq!(get(Ok(keys("B", None))).await.unwrap(), "A");
    assert_eq!(fetched.get(), 1);

    // Five minutes ahead they are had again; where that fails, the old ones do, and STS rests for a while.
    hand.advance(Duration::from_secs(1));
    assert_eq!(get(Err(none())).await.unwrap(), "A");
    assert_eq!(get(Ok(keys("B", None))).await.unwrap(), "A");
    assert_eq!(fetched.get(), 2);
    hand.advance(Duration::from_secs(30));
    assert_eq!(get(Ok(keys("B", Some(3_700)))).await.unwrap(), "B");
    // Keys that end soon from the start are not fetched at every request.
    assert_eq!(get(Ok(keys("C", None))).await.unwrap(), "B");
    assert_eq!(fetched.get(), 3);

    hand.advance(Duration::from_secs(370));
    assert!(get(Err(none())).await.is_err());
    assert!(get(Err(none())).await.is_err());
    assert_eq!(get(Ok(keys("D", Some(4_000)))).await.unwrap(), "D");
}

/// A target whose STS does not answer.
fn sts() -> Sts {
    let address = HostPort {
        host: "127.0.0.1".to_owned(),
        port: 1,
    };
    let target = AwsTarget {
        account_id: None,
        region: "eu-central-1".to_owned(),
        endpoint: Some(Endpoint {
            tls: false,
            address,
        }),
        ca: None,
        credentials: AwsCredentials::Chain(chain(&[], None)),
        role: None,
        recorded_bytes: 0,
        labels: BTreeMap::new(),
        strategies: BTreeMap::new(),
        find: BTreeMap::new(),
        own: mask::own::OwnClasses::default(),
        objects: Vec::new(),
        answers: Vec::new(),
    };
    Sts::new(&target).unwrap()
}

fn chain(sources: &[KeySource], profile: Option<&str>) -> AwsChain {
    AwsChain {
        sources: sources.to_vec(),
        profile: profile.map(str::to_owned),
    }
}

async fn find(
    sources: &[KeySource],
    profile: Option<&str>,
    environment: &[(&str, &str)],
) -> Result<Keys, KeysError> {
    let env = |name: &str| {
        let found = environment.iter().find(|(it, _)| *it == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let chain = Chain::new(chain(sources, profile)).unwrap();
    chain.find(&sts(), &env, Timestamp::from_secs(0)).await
}

const PAIR: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIAE"),
    ("AWS_SECRET_ACCESS_KEY", "hunter2"),
];

#[tokio::test]
async fn only_places_that_are_named_are_looked_at_in_their_order() {
    use KeySource::{Environment, Profile};
    let found = find(&[Environment], None, &PAIR).await.unwrap();
    assert_eq!(found.credentials.access_key, "AKIAE");
    assert_eq!(found.credentials.secret_key.expose(), b"hunter2");
    assert!(!format!("{found:?}").contains("hunter2"));

    let error = find(&[Profile], None, &PAIR).await.unwrap_err().to_string();
    assert!(error.contains("(profile)"), "{error}");
    let half = find(&[Environment], None, &PAIR[1..])
        .await
        .unwrap_err()
        .to_string();
    assert!(
        half.contains("set both") && !half.contains("hunter2"),
        "{half}"
    );
}

/// A place that has keys which cannot be had is not passed over for the next one.
#[tokio::test]
async fn a_broken_place_ends_the_search() {
    use KeySource::{Environment, Profile, WebIdentity};
    let missing = [
        ("AWS_ROLE_ARN", "arn:x"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"),
    ];
    let error = find(&[WebIdentity, Environment], None, &[missing, PAIR].concat()).await;
    assert!(error.unwrap_err().to_string().contains("/nowhere"));
    let error = find(&[Profile, Environment], Some("bank"), &PAIR).await;
    assert!(error.unwrap_err().to_string().contains("no profile bank"));
}

const PROFILES: &str = "[default]\naws_access_key_id = AKIAC\naws_secret_access_key = c\n\
         [profile process]\ncredential_process = cat '{file}'\n\
         [profile fails]\ncredential_process = sh -c \"echo hunter2; exit 3\"\n\
         [profile chatter]\ncredential_process = echo hunter2\n\
         [profile absent]\ncredential_process = /nowhere/at all\n\
         [profile role]\nrole_arn = arn:x\nsource_profile = default\n\
         [profile itself]\nrole_arn = arn:x\nsource_profile = itself\naws_access_key_id = A\naws_secret_access_key = b\n\
         [profile alone]\nrole_arn = arn:x\n\
         [profile both]\nrole_arn = arn:x\nsource_profile = default\ncredential_source = Environment\n\
         [profile circle]\nrole_arn = arn:x\nsource_profile = round\n\
         [profile round]\nrole_arn = arn:x\nsource_profile = circle\n\
         [profile nobody]\nrole_arn = arn:x\nsource_profile = nowhere\n\
         [profile odd]\nrole_arn = arn:x\ncredential_source = Moon\n\
         [profile empty]\nrole_arn = arn:x\ncredential_source = Environment\n\
         [profile code]\nrole_arn = arn:x\nsource_profile = default\nmfa_serial = m\n\
         [profile by-people]\nrole_arn = arn:x\nsource_profile = people\n\
         [profile people]\nsso_session = x\n\
         [profile half]\naws_access_key_id = AKIAH\n";

#[tokio::test]
async fn profiles_hold_keys_or_a_process_that_gives_them() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let json = r#"{"Version": 1, "AccessKeyId": "ASIAP", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "2026-01-01T00:00:00Z"}"#;
    let file = write("keys.json", json);
    let config = PROFILES.replace("{file}", &file);
    let config = write("config", &config);
    let credentials = write(
        "credentials",
        "[default]\naws_access_key_id = AKIAS\naws_secret_access_key = d\n",
    );
    let find = async |profile: Option<&str>| {
        let environment = [
            ("AWS_CONFIG_FILE", config.as_str()),
            ("AWS_SHARED_CREDENTIALS_FILE", credentials.as_str()),
        ];
        find(&[KeySource::Profile], profile, &environment).await
    };
    let found = find(None).await.unwrap();
    assert_eq!(found.credentials.access_key, "AKIAS");
    assert_eq!(found.credentials.secret_key.expose(), b"d");
    let found = find(Some("process")).await.unwrap();
    assert_eq!(found.credentials.access_key, "ASIAP");
    assert_eq!(found.credentials.token.unwrap().expose(), b"t");
    assert_eq!(
        found.expires,
        Some(Timestamp::parse("2026-01-01T00:00:00Z").unwrap())
    );
    for (profile, says) in [
        ("fails", "exit status: 3"),
        ("chatter", "holds no keys"),
        ("absent", "/nowhere/at"),
        ("role", "cannot be assumed: STS does not answer"),
        ("itself", "cannot be assumed: STS does not answer"),
        ("alone", "name the profile whose keys it uses"),
        ("both", "has both"),
        ("circle", "circle, round are each other's"),
        ("nobody", "no profile nowhere"),
        ("odd", "Moon"),
        ("empty", "keys that are not there"),
        ("code", "MFA"),
        ("by-people", "SSO"),
        ("people", "SSO"),
        ("half", "half of a pair"),
    ] {
        let error = find(Some(profile)).await.unwrap_err().to_string();
        assert!(
            error.contains(says) && !error.contains("hunter2"),
            "{error}"
        );
    }
}

/// The endpoints of a machine, as AWS documents them: tokens are asked for and must be shown.
async fn surroundings() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(async |request| Ok::<_, Infallible>(answer(&request)));
            let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(served);
        }
    });
    format!("http://{address}")
}

fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
    let keys = |id: &str| {
        format!(
            r#"{{"Code": "Success", "AccessKeyId": "{id}", "SecretAccessKey": "s", "Token": "t", "Expiration": "2026-01-01T00:00:00Z"}}"#
        )
    };
    let field = |name: &str| {
        request
            .headers()
            .get(name)
            .map(hyper::header::HeaderValue::as_bytes)
    };
    let shown = field("x-aws-ec2-metadata-token") == Some(b"a-token");
    let (status, body) = match (request.method().as_str(), request.uri().path()) {
        ("PUT", "/latest/api/token") if field("x-aws-ec2-metadata-token-ttl-seconds").is_some() => {
            (200, "a-token".to_owned())
        }
        ("GET", path) if path == ROLES && shown => (200, "worker\n".to_owned()),
        ("GET", path) if path == format!("{ROLES}worker") && shown => (200, keys("ASIAI")),
        ("GET", "/v1/credentials") if field("authorization") == Some(b"pod-token") => {
            (200, keys("ASIAK"))
        }
        _ => (401, String::new()),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap();
    response
}

#[tokio::test]
async fn a_machine_is_given_keys_by_its_surroundings() {
    use KeySource::{Container, Instance};
    let base = surroundings().await;
    let metadata = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", base.as_str());
    let found = find(&[Container, Instance], None, &[metadata])
        .await
        .unwrap();
    assert_eq!(found.credentials.access_key, "ASIAI");
    assert!(found.expires.is_some());
    let disabled = ("AWS_EC2_METADATA_DISABLED", "true");
    let error = find(&[Instance], None, &[metadata, disabled])
        .await
        .unwrap_err();
    assert!(matches!(error, KeysError::Nowhere(_)), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "pod-token\n").unwrap();
    let file = file.to_string_lossy();
    let url = format!("{base}/v1/credentials");
    let pod = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &file),
    ];
    let found = find(&[Container], None, &pod).await.unwrap();
    assert_eq!(found.credentials.access_key, "ASIAK");
    let error = find(&[Container], None, &pod[..1])
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("answered 401"), "{error}");
    let elsewhere = [(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "http://keys.example/x",
    )];
    let error = find(&[Container], None, &elsewhere)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("neither of this machine"), "{error}");
}
