//! The API over HTTP, on loopback.

use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use model::{Entry, Event};
use serde_json::{Value, json};

use crate::identity::Subject;
use crate::testing::Scene;

/// Nothing listens there: no test here needs a target.
const NO_UPSTREAM: &str = "127.0.0.1:1";

const ROLES: &str = "[roles]\nauditors = [\"audit\"]\nadministrators = [\"admins\"]";

struct Caller<'a> {
    scene: &'a Scene,
    token: Option<String>,
}

impl Caller<'_> {
    async fn send(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let (status, _, bytes) = self.raw(method, path, body).await;
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    async fn raw(&self, method: Method, path: &str, body: Value) -> (u16, HeaderMap, bytes::Bytes) {
        let base = self.scene.issuer.url().trim_end_matches("/issuer");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{base}{path}"));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = Full::new(bytes::Bytes::from(body.to_string()));
        let request = request
            .header("content-type", "application/json")
            .body(body)
            .unwrap();
        let answer = Client::builder(TokioExecutor::new())
            .build_http()
            .request(request)
            .await
            .unwrap();
        let (head, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), head.headers, bytes)
    }

    async fn read(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, Value::Null).await
    }
}

async fn scene() -> Scene {
    Scene::new(NO_UPSTREAM.parse().unwrap(), ROLES).await
}

fn person<'a>(scene: &'a Scene, human: &str, groups: &[&str]) -> Caller<'a> {
    let subject = Subject {
        human: human.into(),
        agent: None,
        instance: None,
        model: None,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    };
    let token = scene
        .issuer
        .token(&subject, "1", scene.gateway.clock.now(), 600)
        .unwrap();
    Caller {
        scene,
        token: Some(String::from_utf8(token.expose().to_vec()).unwrap()),
    }
}

fn agent<'a>(scene: &'a Scene, human: &str) -> Caller<'a> {
    Caller {
        scene,
        token: Some(scene.token(human)),
    }
}

#[tokio::test]
async fn health_needs_no_token_and_everything_else_does() {
    let scene = scene().await;
    let nobody = Caller {
        scene: &scene,
        token: None,
    };
    assert_eq!(nobody.read("/healthz").await.0, 200);
    assert_eq!(nobody.read("/metrics").await.0, 200);
    for path in [
        "/v1/whoami",
        "/v1/approvals",
        "/v1/sessions",
        "/v1/sessions/s-1?reason=x",
    ] {
        let (status, problem) = nobody.read(path).await;
        assert_eq!(status, 401, "{path}");
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains("COUNTERSIGN_TOKEN"),
            "{problem}"
        );
    }
    let forged = Caller {
        scene: &scene,
        token: Some("a.b.c".into()),
    };
    assert_eq!(forged.read("/v1/whoami").await.0, 401);
    assert_eq!(nobody.read("/v1/nothing").await.0, 404);
}

#[tokio::test]
async fn whoami_tells_the_identity() {
    let scene = scene().await;
    let (status, who) = agent(&scene, "alice").read("/v1/whoami").await;
    assert_eq!(
        (status, &who["human"], &who["agent"]["name"]),
        (200, &json!("alice"), &json!("claude"))
    );
    assert_eq!(who["keys"], Value::Null);
}

#[tokio::test]
async fn whoami_tells_people_and_not_their_agents_which_keys_count() {
    let scene = scene().await;
    let (_, who) = person(&scene, "bob", &["oncall"]).read("/v1/whoami").await;
    let keys = who["keys"].as_array().unwrap();
    assert!(
        keys.len() == 1 && keys[0].as_str().unwrap().starts_with("SHA256:"),
        "{who}"
    );
    for other in [agent(&scene, "bob"), person(&scene, "carol", &["audit"])] {
        let (status, who) = other.read("/v1/whoami").await;
        assert_eq!((status, &who["keys"]), (200, &Value::Null));
    }
}

#[tokio::test]
async fn roles_open_sessions_to_auditors_and_never_to_agents() {
    let scene = scene().await;
    assert_eq!(
        person(&scene, "carol", &["audit"])
            .read("/v1/sessions")
            .await,
        (200, json!([]))
    );
    assert_eq!(
        person(&scene, "bob", &["oncall"])
            .read("/v1/sessions")
            .await
            .0,
        403
    );
    assert_eq!(agent(&scene, "carol").read("/v1/sessions").await.0, 403);
    let carol = person(&scene, "carol", &["audit"]);
    assert_eq!(carol.read("/v1/sessions/s-1?reason=review").await.0, 404);
    assert_eq!(carol.read("/v1/sessions/s-1?reason=+").await.0, 422);
    assert_eq!(carol.read("/v1/sessions?unknown=1").await.0, 400);
}

#[tokio::test]
async fn tokens_are_made_for_administrators_and_recorded() {
    let scene = scene().await;
    let body =
        json!({"human": "alice", "agent": "claude", "groups": ["engineers"], "lifetime_secs": 60});
    let post = async |caller: &Caller<'_>, body: &Value| {
        caller.send(Method::POST, "/v1/tokens", body.clone()).await
    };
    assert_eq!(
        post(&person(&scene, "carol", &["audit"]), &body).await.0,
        403
    );
    assert_eq!(post(&agent(&scene, "alice"), &body).await.0, 403);
    let admin = person(&scene, "root", &["admins"]);
    let (status, made) = post(&admin, &body).await;
    assert_eq!(status, 200);
    let alice = Caller {
        scene: &scene,
        token: Some(made["token"].as_str().unwrap().to_owned()),
    };
    assert_eq!(
        alice.read("/v1/whoami").await.1["groups"],
        json!(["engineers"])
    );
    let over = json!({"human": "alice", "groups": [super::OPERATORS]});
    assert_eq!(
        post(&admin, &over).await.0,
        403,
        "an administrator made itself the operator"
    );
    let long = json!({"human": "alice", "lifetime_secs": 86_401});
    assert_eq!(post(&admin, &long).await.0, 422);
    let issued = scene
        .entries()
        .await
        .into_iter()
        .filter(|entry: &Entry| matches!(entry.event, Event::TokenIssued { .. }));
    assert_eq!(issued.count(), 1);
}

#[tokio::test]
async fn evidence_is_for_auditors_and_building_it_is_recorded_first() {
    let scene = scene().await;
    let period = json!({ "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "seed": "drawn in a test" });
    let ask = async |caller: Caller<'_>, body: Value| {
        caller.send(Method::POST, "/v1/evidence", body).await
    };
    assert_eq!(ask(agent(&scene, "alice"), period.clone()).await.0, 403);
    assert_eq!(
        ask(person(&scene, "bob", &["oncall"]), period.clone())
            .await
            .0,
        403
    );

    let (from, to) = ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z");
    let carol = || person(&scene, "carol", &["audit"]);
    let (status, problem) = ask(carol(), json!({ "from": from, "to": to })).await;
    assert_eq!(status, 422);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("ends before it begins")
    );

    let (status, headers, bundle) = carol().raw(Method::POST, "/v1/evidence", period).await;
    assert_eq!(status, 200);
    let bundle = std::io::Cursor::new(bundle);
    let report = evidence::verify::verify(bundle, &evidence::verify::Options::default());
    assert_eq!(
        report.verdict,
        evidence::verify::Verdict::Good,
        "{report:#?}"
    );
    let entries = scene.entries().await;
    let Event::EvidenceBuilt {
        identity,
        manifest,
        first,
        ..
    } = &entries.last().unwrap().event
    else {
        panic!("{entries:#?}")
    };
    assert_eq!((identity.human.as_str(), *first), ("carol", 0));
    assert_eq!(headers["countersign-manifest"], manifest.to_string());
    let spool = scene.folder.path().join("data/spool");
    assert_eq!(std::fs::read_dir(spool).unwrap().count(), 0);
}

#[tokio::test]
async fn evidence_of_an_aws_target_can_be_asked_for() {
    let lake = "[targets.lake]\nprotocol = \"aws\"\nregion = \"eu-central-1\"\nendpoint = \"http://127.0.0.1:1\"\n\
                credentials = { access_key = \"AKIDEXAMPLE\", secret_key = { env = \"PATH\" } }";
    let scene = Scene::new(NO_UPSTREAM.parse().unwrap(), &format!("{lake}\n{ROLES}")).await;
    let carol = person(&scene, "carol", &["audit"]);
    for (target, status) in [("lake", 200), ("bank", 200), ("nothing", 422)] {
        let period = json!({ "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "target": target });
        let answer = carol.raw(Method::POST, "/v1/evidence", period).await;
        assert_eq!(answer.0, status, "{target}");
    }
}
