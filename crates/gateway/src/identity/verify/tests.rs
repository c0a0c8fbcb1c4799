//! Tokens against an issuer that really listens, on loopback.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::Json;
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;
use crate::clock::manual::{Hand, clock};
use crate::identity::{BuiltInIssuer, Subject};

const NOW: i64 = 1_800_000_000;

/// An issuer that listens, whose key can be changed, and that counts how often it is asked.
struct Issuer {
    url: String,
    issuer: Arc<Mutex<BuiltInIssuer>>,
    asked: Arc<AtomicU64>,
    server: tokio::task::JoinHandle<()>,
}

impl Issuer {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/issuer", listener.local_addr().unwrap());
        let issuer = Arc::new(Mutex::new(fresh(&url)));
        let asked = Arc::new(AtomicU64::new(0));
        let (about, keys, count) = (issuer.clone(), issuer.clone(), asked.clone());
        let app = Router::new()
            .route(
                "/issuer/.well-known/openid-configuration",
                get(async move || Json(about.lock().unwrap().discovery())),
            )
            .route(
                "/issuer/jwks.json",
                get(async move || {
                    count.fetch_add(1, Ordering::Relaxed);
                    Json(keys.lock().unwrap().key_set())
                }),
            );
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            issuer,
            asked,
            server,
        }
    }

    fn rotate(&self) {
        *self.issuer.lock().unwrap() = fresh(&self.url);
    }

    fn token(&self) -> Secret {
        self.issuer
            .lock()
            .unwrap()
            .token(&alice(), "t-1", Timestamp::from_secs(NOW), 600)
            .unwrap()
    }

    fn verifier(&self) -> (Verifier, Hand) {
        let (clock, hand) = clock(Timestamp::from_secs(NOW));
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
        let fetcher = Fetcher::new(Arc::new(tls));
        let issuer = TrustedIssuer::new(
            &self.url,
            "countersign",
            ClaimMapping::default(),
            fetcher,
            clock,
        );
        (Verifier::new(vec![issuer]), hand)
    }
}

fn fresh(url: &str) -> BuiltInIssuer {
    BuiltInIssuer::new(url, "countersign", &Secret::new(key())).unwrap()
}

fn key() -> Vec<u8> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    key.to_pkcs8v1().unwrap().as_ref().to_vec()
}

fn alice() -> Subject {
    Subject {
        human: "alice".into(),
        agent: Some("claude-code".into()),
        instance: Some("i-7".into()),
        model: None,
        groups: vec!["payments".into()],
    }
}

async fn verify(verifier: &Verifier, token: &Secret) -> Result<Identity, AuthError> {
    verifier.verify(token, Timestamp::from_secs(NOW)).await
}

#[tokio::test]
async fn a_good_token_names_agent_and_human() {
    let issuer = Issuer::start().await;
    let (verifier, _) = issuer.verifier();
    let who = verify(&verifier, &issuer.token()).await.unwrap();
    assert_eq!((who.human.as_str(), who.name()), ("alice", "claude-code"));
    assert_eq!(who.agent.unwrap().instance.as_deref(), Some("i-7"));
    assert_eq!(who.proof.token_id.as_deref(), Some("t-1"));
    assert_eq!(who.proof.expires, Timestamp::from_secs(NOW + 600));
}

#[tokio::test]
async fn time_is_checked_with_a_minute_of_skew() {
    let issuer = Issuer::start().await;
    let (verifier, _) = issuer.verifier();
    let token = issuer.token();
    for (at, good) in [
        (NOW - 61, false),
        (NOW - 60, true),
        (NOW + 659, true),
        (NOW + 660, false),
    ] {
        let answer = verifier.verify(&token, Timestamp::from_secs(at)).await;
        assert_eq!(
            answer.is_ok(),
            good,
            "{} s from issue: {answer:?}",
            at - NOW
        );
    }
}

#[tokio::test]
async fn keys_rotate_without_a_restart_and_old_tokens_end() {
    let issuer = Issuer::start().await;
    let (verifier, hand) = issuer.verifier();
    let old = issuer.token();
    verify(&verifier, &old).await.unwrap();
    issuer.rotate();
    hand.advance(Duration::from_secs(6));
    verify(&verifier, &issuer.token()).await.unwrap();
    assert!(matches!(
        verify(&verifier, &old).await,
        Err(AuthError::Key(KeyError::Unknown { .. }))
    ));
}

#[tokio::test]
async fn unknown_keys_do_not_make_us_flood_the_issuer() {
    let issuer = Issuer::start().await;
    let (verifier, _) = issuer.verifier();
    verify(&verifier, &issuer.token()).await.unwrap();
    let foreign = fresh(&issuer.url)
        .token(&alice(), "t", Timestamp::from_secs(NOW), 600)
        .unwrap();
    for _ in 0..50 {
        assert!(verify(&verifier, &foreign).await.is_err());
    }
    assert_eq!(issuer.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_last_keys_serve_while_the_issuer_is_away_but_not_for_ever() {
    let issuer = Issuer::start().await;
    let (verifier, hand) = issuer.verifier();
    let token = issuer.token();
    verify(&verifier, &token).await.unwrap();
    issuer.server.abort();
    hand.advance(Duration::from_secs(11 * 60));
    verify(&verifier, &token).await.unwrap();
    hand.advance(Duration::from_secs(50 * 60));
    assert!(matches!(
        verify(&verifier, &token).await,
        Err(AuthError::Key(KeyError::Fetch(_)))
    ));
}

/// A token with this header and these claims, and a signature that `key` made of it with the algorithm of the header.
fn forged(header: &Value, claims: &Value, signature: &[u8]) -> Secret {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    Secret::from(format!(
        "{}.{}.{}",
        part(header),
        part(claims),
        URL_SAFE_NO_PAD.encode(signature)
    ))
}

fn claims(issuer: &str) -> Value {
    json!({"iss": issuer, "aud": "countersign", "sub": "alice", "exp": NOW + 600, "iat": NOW})
}

#[tokio::test]
async fn forgeries_are_refused_each_for_its_reason() {
    let issuer = Issuer::start().await;
    let (verifier, _) = issuer.verifier();
    let kid = decode_header(issuer.token().expose()).unwrap().kid.unwrap();
    let good = claims(&issuer.url);

    let none = forged(&json!({"alg": "none", "kid": kid}), &good, b"");
    assert_eq!(
        verify(&verifier, &none).await,
        Err(AuthError::Algorithm("none".into()))
    );

    // The public key used as a shared secret.
    let public = serde_json::to_vec(&issuer.issuer.lock().unwrap().key_set().keys[0]).unwrap();
    let header = Header {
        kid: Some(kid.clone()),
        ..Header::new(Algorithm::HS256)
    };
    let confused = encode(&header, &good, &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(
        verify(&verifier, &Secret::from(confused)).await,
        Err(AuthError::Algorithm("HS256".into()))
    );

    // The right key's name over another key's signature.
    let header = Header {
        kid: Some(kid.clone()),
        ..Header::new(Algorithm::ES256)
    };
    let other = encode(&header, &good, &EncodingKey::from_ec_der(&key())).unwrap();
    assert_eq!(
        verify(&verifier, &Secret::from(other)).await,
        Err(AuthError::Signature(issuer.url.clone()))
    );

    // A good token of an issuer that is not trusted.
    let foreign = fresh("https://id.example.net")
        .token(&alice(), "t", Timestamp::from_secs(NOW), 600)
        .unwrap();
    assert_eq!(
        verify(&verifier, &foreign).await,
        Err(AuthError::Issuer("https://id.example.net".into()))
    );

    for garbage in ["", "a", "a.b.c", "...", &"x".repeat(20_000)] {
        assert_eq!(
            verify(&verifier, &Secret::from(garbage.to_owned())).await,
            Err(AuthError::Malformed)
        );
    }
}

#[tokio::test]
async fn claims_must_be_there_and_for_us() {
    let issuer = Issuer::start().await;
    let pkcs8 = key();
    *issuer.issuer.lock().unwrap() =
        BuiltInIssuer::new(&issuer.url, "countersign", &Secret::new(pkcs8.clone())).unwrap();
    let (verifier, _) = issuer.verifier();
    let kid = decode_header(issuer.token().expose()).unwrap().kid;
    let sign = |claims: &Value| {
        let header = Header {
            kid: kid.clone(),
            ..Header::new(Algorithm::ES256)
        };
        Secret::from(encode(&header, claims, &EncodingKey::from_ec_der(&pkcs8)).unwrap())
    };
    let with = |name: &str, value: Value| {
        let mut claims = claims(&issuer.url);
        claims[name] = value;
        claims
    };
    verify(&verifier, &sign(&claims(&issuer.url)))
        .await
        .unwrap();
    verify(
        &verifier,
        &sign(&with("aud", json!(["other", "countersign"]))),
    )
    .await
    .unwrap();
    let audience = AuthError::Audience("countersign".into());
    let bad = [
        (with("aud", json!("other")), audience.clone()),
        (with("aud", json!(["other"])), audience.clone()),
        (with("aud", Value::Null), audience),
        (
            with("exp", json!("soon")),
            ClaimError::Malformed("exp".into()).into(),
        ),
        (
            with("exp", json!(NOW - 600)),
            AuthError::Expired(Timestamp::from_secs(NOW - 600)),
        ),
        (
            with("nbf", json!(NOW + 600)),
            AuthError::Early(Timestamp::from_secs(NOW + 600)),
        ),
        (with("sub", json!({"a": 1})), AuthError::Malformed),
    ];
    for (claims, error) in bad {
        assert_eq!(
            verify(&verifier, &sign(&claims)).await,
            Err(error),
            "{claims}"
        );
    }
    let mut endless = claims(&issuer.url);
    endless.as_object_mut().unwrap().remove("exp");
    assert_eq!(
        verify(&verifier, &sign(&endless)).await,
        Err(ClaimError::Missing("exp".into()).into())
    );
}
