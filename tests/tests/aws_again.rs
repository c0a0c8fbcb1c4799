//! What was approved, and failed in passing: the client sends it again by itself, and nobody is asked again.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use serde_json::{Value, json};
use tests::lake::{self, GATED, POLICIES};
use tests::raw::{Raw, Reply, exchange, sending};
use tests::{Agent, Config, Front, Gateway, Person, S3};

const ITEMS: &str = r#"
@id("items-gate")
@gate("stewards")
@quorum("1")
forbid (principal, action == Aws::Action::"write", resource == Aws::Resource::"dynamodb:t")
unless { context.approvals.contains("stewards") };
"#;
const BUSY: &str = "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const NOTHING: &str = "";

/// An answer with this status and document.
fn saying(status: &str, document: &str) -> String {
    let length = document.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{document}"
    )
}

struct Scene {
    front: Front,
    gateway: Gateway,
    bob: Person,
    server: S3,
}

impl Scene {
    fn new(configure: impl Fn(Config) -> Config) -> Self {
        let (server, bob) = (S3::start(), Person::new("bob"));
        std::fs::create_dir(server.folder().join("lake")).unwrap();
        let front = Front::before(server.address);
        let config = Config::account(front.address, server.access_key, server.secret_key)
            .policy("10-lake.cedar", POLICIES)
            .policy("20-gates.cedar", GATED)
            .policy("21-items.cedar", ITEMS)
            .person(&bob)
            .set(&["aws", "hold"], "100ms")
            .set(&["roles", "auditors"], vec!["auditors"]);
        Self {
            front,
            gateway: Gateway::start(configure(config)),
            bob,
            server,
        }
    }

    fn approve(&self, approval: &str) {
        self.gateway
            .give("approve", approval, &self.bob, &["stewards"])
            .success();
    }

    /// How the sendings by an approval ended, and how often people were asked.
    fn stop(self) -> (Vec<Value>, usize) {
        let (_, config) = self.gateway.stop();
        let ledger = config.ledger();
        let ended = ledger.ended(|intent| intent["approval"].is_string());
        (ended, ledger.events("approval_requested").len())
    }
}

/// The approval that a refusal names.
fn pending(reply: &Reply) -> String {
    let text = reply.text();
    assert_eq!(reply.status, 403, "{text}");
    named(&text)
}

fn named(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let found = words.find(|word| word.starts_with("cs-"));
    found.unwrap_or_else(|| panic!("{text}")).to_owned()
}

fn put_to(raw: &Raw, key: &str, kind: &str, body: &[u8]) -> Reply {
    let (name, number) = sending();
    let fields = [(name, number.as_str()), ("content-type", kind)];
    raw.s3("PUT", &format!("/lake/ledger/{key}"), &fields, body)
}

fn put(raw: &Raw, body: &[u8]) -> Reply {
    put_to(raw, "a", "text/plain", body)
}

#[test]
fn boto3_tries_again_by_itself_and_one_person_is_asked_once() {
    let scene = Scene::new(|config| config);
    let agent = Agent::new(&scene.gateway, "lake", &[]);
    let send = || agent.cases(&["retried"]).success().json_lines().remove(0)["result"].clone();
    let held = send();
    assert_eq!((&held[0], &held[1]), (&json!("AccessDenied"), &json!(403)));
    scene.approve(&named(held[2].as_str().unwrap()));
    scene.front.fail(&[BUSY, BUSY]);
    assert_eq!(send(), "no error");
    let written = scene.server.folder().join("lake/ledger/2026.txt");
    assert_eq!(std::fs::read(written).unwrap(), b"opening");
    assert_eq!(scene.front.passed().len(), 1, "{:?}", scene.front.passed());

    // The record tells of each sending, and whoever examines it finds one approval, used as it may be.
    let directory = scene.gateway.config().directory().to_owned();
    let auditor = scene.gateway.token_in(None, "erin", &["auditors"]);
    let bundle = directory.join("bundle.zip");
    let bundle = bundle.to_str().unwrap();
    let audit = |arguments: &[&str]| scene.gateway.countersign_as(&auditor, arguments).success();
    let _ = audit(&["evidence", "build", "--from", "24h", "-o", bundle]);
    let verified = audit(&["--output", "table", "evidence", "verify", bundle]).stdout;
    assert!(verified.contains("3 commands ran on exactly"), "{verified}");
    let busy = json!([{"failed": "503"}, true]);
    assert_eq!(
        scene.stop(),
        (vec![busy.clone(), busy, json!(["completed", null])], 1)
    );
}

#[test]
fn whatever_failed_in_passing_may_go_again_and_what_came_of_it_ends_it() {
    let scene = Scene::new(lake::in_clear);
    let raw = Raw::of(&scene.gateway, "lake", &[]);
    let approval = pending(&put(&raw, b"one"));
    scene.approve(&approval);
    // Busy, an error of its own under another status, and nothing at all.
    let slow = saying("400 Bad Request", "<Error><Code>SlowDown</Code></Error>");
    scene.front.fail(&[BUSY, &slow, NOTHING]);
    let sent = [(); 4].map(|()| put(&raw, b"one").status);
    assert_eq!(sent, [503, 400, 503, 200]);
    let next = pending(&put(&raw, b"one"));
    assert_ne!(next, approval);
    // What is refused for good ends it too.
    scene.approve(&next);
    scene.front.fail(&[&saying(
        "409 Conflict",
        "<Error><Code>OperationAborted</Code></Error>",
    )]);
    assert_eq!(put(&raw, b"one").status, 409);
    assert_ne!(pending(&put(&raw, b"one")), next);

    assert_eq!(scene.front.passed().len(), 1, "{:?}", scene.front.passed());
    let again = |status: Value| json!([status, true]);
    let (ended, asked) = scene.stop();
    assert_eq!(
        ended,
        [
            again(json!({"failed": "503"})),
            again(json!({"failed": "400"})),
            again(json!({"stopped": "upstream_unavailable"})),
            json!(["completed", null]),
            json!([{"failed": "409"}, null]),
        ]
    );
    assert_eq!(asked, 3);
}

#[test]
fn a_call_that_is_throttled_may_go_again() {
    let scene = Scene::new(lake::in_clear);
    let raw = Raw::of(&scene.gateway, "lake", &[]);
    let put = || {
        let (name, number) = sending();
        let item = br#"{"TableName":"t","Item":{"id":{"S":"1"}}}"#;
        let request = raw.put_item(&[(name, number.as_str())], item);
        exchange(raw.address, &request, false)
    };
    let approval = named(&put().text());
    scene.approve(&approval);
    let throttled =
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}"#;
    let done = saying("200 OK", "{}");
    scene
        .front
        .fail(&[&saying("400 Bad Request", throttled), &done]);
    assert_eq!([put().status, put().status], [400, 200]);
    assert_ne!(named(&put().text()), approval);
}

/// S3 answers a copy before it is made.
#[test]
fn an_error_behind_a_success_may_go_again() {
    let scene = Scene::new(lake::in_clear);
    let raw = Raw::of(&scene.gateway, "lake", &[]);
    std::fs::write(scene.server.folder().join("lake/a"), b"one").unwrap();
    let copy = || {
        let (name, number) = sending();
        let fields = [("x-amz-copy-source", "/lake/a"), (name, number.as_str())];
        raw.s3("PUT", "/lake/ledger/copy", &fields, b"")
    };
    let approval = pending(&copy());
    scene.approve(&approval);
    let failed = "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code></Error>";
    scene.front.fail(&[&saying("200 OK", failed)]);
    let first = copy();
    assert!(first.text().contains("InternalError"), "{}", first.text());
    let second = copy();
    assert!(
        second.text().contains("CopyObjectResult"),
        "{}",
        second.text()
    );
    assert_ne!(pending(&copy()), approval);
    let (ended, asked) = scene.stop();
    let late = json!([{"failed": "200 with an error"}, true]);
    assert_eq!(ended, [late, json!(["completed", null])]);
    assert_eq!(asked, 2);
}

#[test]
fn other_bytes_another_session_and_too_many_sendings_ask_anew() {
    let scene = Scene::new(lake::in_clear);
    let raw = Raw::of(&scene.gateway, "lake", &[]);
    let other = Raw::of(&scene.gateway, "lake", &[]);
    let approval = pending(&put(&raw, b"one"));
    scene.approve(&approval);
    scene.front.fail(&[BUSY]);
    assert_eq!(put(&raw, b"one").status, 503);
    let anew = [
        pending(&put(&raw, b"two")),
        pending(&put_to(&raw, "b", "text/plain", b"one")),
        pending(&put_to(&raw, "a", "a/b", b"one")),
        pending(&put(&other, b"one")),
    ];
    assert!(!anew.contains(&approval), "{anew:?}");

    let most = model::SENDINGS_MAX as usize;
    scene.front.fail(&vec![BUSY; most - 1]);
    for sending in 2..=most {
        assert_eq!(put(&raw, b"one").status, 503, "{sending}");
    }
    // The other session's question is open, and asks the same: the same person's.
    assert_ne!(pending(&put(&raw, b"one")), approval);
    assert!(scene.front.passed().is_empty());
    assert_eq!(scene.stop().0.len(), most);
}

#[test]
fn of_two_at_once_one_runs() {
    let scene = Scene::new(lake::in_clear);
    let raw = Raw::of(&scene.gateway, "lake", &[]);
    scene.approve(&pending(&put(&raw, b"one")));
    let mut sent: Vec<_> = std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| put(&raw, b"one").status));
        both.map(|one| one.join().unwrap()).into()
    });
    sent.sort_unstable();
    assert_eq!((sent, scene.front.passed().len()), (vec![200, 403], 1));
}

/// The AWS CLI begins another upload each time, so what begins it is what people approve.
#[test]
fn an_upload_in_parts_runs_once_it_was_approved() {
    let scene = Scene::new(|config| config);
    let agent = Agent::new(&scene.gateway, "lake", &[]);
    let folder = scene.gateway.config().directory().to_owned();
    let content = "a line of a ledger\n".repeat(1 << 20);
    std::fs::write(folder.join("large"), &content).unwrap();
    let copy = || agent.cli(&["s3", "cp", "large", "s3://lake/ledger/large"]);
    let held = copy();
    assert_ne!(held.code, Some(0), "{held:?}");
    scene.approve(&named(&held.stderr));
    copy().success();
    let written = scene.server.folder().join("lake/ledger/large");
    assert!(std::fs::read_to_string(&written).unwrap() == content);
    // Once.
    assert_ne!(copy().code, Some(0));

    // By the same approval nobody else sends parts, nor goes anything into another upload.
    let (_, config) = scene.gateway.stop();
    let ledger = config.ledger();
    let intents = ledger.events("intent");
    let tags: Vec<_> = intents
        .iter()
        .filter_map(|it| it["command"]["tag"].as_str())
        .collect();
    let of = |name: &str| tags.iter().filter(|tag| tag.starts_with(name)).count();
    assert_eq!(of("s3:CreateMultipartUpload"), 1, "{tags:?}");
    assert_eq!(
        of("s3:UploadPart (upload approved with entry "),
        3,
        "{tags:?}"
    );
    assert_eq!(
        of("s3:CompleteMultipartUpload (upload approved with entry "),
        1,
        "{tags:?}"
    );
    assert_eq!(ledger.events("approval_requested").len(), 2);
}

#[test]
fn what_was_approved_of_an_upload_is_its_own_and_holds_for_who_asked() {
    let scene = Scene::new(|config| {
        let carried = r#"
            @id("pan-gate")
            @gate("stewards")
            forbid (principal, action == Aws::Action::"write", resource is Aws::Object)
            when { context.carries.contains("pan") } unless { context.approvals.contains("stewards") };
        "#;
        lake::in_clear(config).policy("30-carries.cedar", carried)
    });
    let raw = Raw::of(&scene.gateway, "lake", &[]);
    let other = Raw::of_human(&scene.gateway, "lake", "carol", &[]);
    let begin = |raw: &Raw| {
        let (name, number) = sending();
        raw.s3(
            "POST",
            "/lake/ledger/a?uploads=",
            &[(name, number.as_str())],
            b"",
        )
    };
    let part = |raw: &Raw, key: &str, upload: &str, body: &[u8]| {
        let (name, number) = sending();
        let to = format!("/lake/ledger/{key}?partNumber=1&uploadId={upload}");
        raw.s3("PUT", &to, &[(name, number.as_str())], body)
    };
    scene.approve(&pending(&begin(&raw)));
    let begun = begin(&raw).text();
    let upload = begun.split("<UploadId>").nth(1).unwrap();
    let upload = upload.split('<').next().unwrap();
    assert_eq!(part(&raw, "a", upload, b"text").status, 200);
    pending(&part(&other, "a", upload, b"text"));
    pending(&part(&raw, "b", upload, b"text"));
    pending(&part(
        &raw,
        "a",
        "7f2f5f0e-0000-4000-8000-000000000000",
        b"text",
    ));
    // Another gate in the way is not open by it.
    pending(&part(&raw, "a", upload, b"pan 4111111111111111"));
}
