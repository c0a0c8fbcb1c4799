//! Commands that wait for people: held in the wire, decided with a signature, run once.
#![allow(clippy::panic, reason = "a test ends where something is missing")]

use serde_json::Value;
use tests::{Config, Database, Endpoint, Gateway, Output, Person, Postgres, SshAgent, Talk};

const ONCALL: &str = "payments-oncall";
const UPDATE: &str = "UPDATE payments SET memo = 'approved' WHERE id = 1";

/// The gate of the bank's policies, for two people.
const TWO: &str = r#"
@id("two-people")
@gate("payments-oncall")
@quorum("2")
forbid (principal, action in [Postgres::Action::"write"], resource == Postgres::Table::"public.payments")
unless { context.approvals.contains("payments-oncall") };
"#;

struct Scene<'a> {
    database: Database<'a>,
    gateway: Gateway,
    carol: Person,
    dave: Person,
}

impl Scene<'_> {
    /// The bank behind its own policies. Carol and Dave have keys, and so has Alice, for whom the agent works.
    fn new(configure: impl Fn(Config) -> Config) -> Self {
        let database = Postgres::shared().database();
        let [alice, carol, dave] = ["alice", "carol", "dave"].map(Person::new);
        let config = Config::bank(&database).bank_policies();
        let config = config.person(&alice).person(&carol).person(&dave);
        Self {
            gateway: Gateway::start(configure(config)),
            database,
            carol,
            dave,
        }
    }

    /// Commands wait so short that they do not wait.
    fn impatient(configure: impl Fn(Config) -> Config) -> Self {
        Self::new(|config| configure(config).set(&["approval", "hold"], "1ms"))
    }

    fn bank(&self) -> Endpoint {
        self.gateway.bank()
    }

    /// psql with a command that waits, and the approval that it waits for.
    fn held(&self) -> (Talk, String) {
        let mut psql = self.bank().psql_talk();
        psql.say(r"\set VERBOSITY verbose");
        psql.say(&format!("{UPDATE};"));
        let approval = approval_in(&psql.hear("DETAIL:  Approval cs-"));
        (psql, approval)
    }

    fn approve(&self, approval: &str, by: &Person) -> Output {
        self.gateway.give("approve", approval, by, &[ONCALL])
    }

    /// The payment's memo, and how often it was written.
    fn memo(&self, payment: u32) -> String {
        let query = format!("SELECT memo FROM payments WHERE id = {payment}");
        let direct = self.database.endpoint().psql(&query).success();
        direct.stdout.trim().to_owned()
    }

    /// What waits, as a member of the group sees it.
    fn open(&self) -> Vec<Value> {
        let token = self.gateway.token_in(None, "carol", &[ONCALL]);
        let list = self.gateway.countersign_as(&token, &["approvals"]);
        list.success().json_lines()
    }
}

/// The id in a message.
fn approval_in(text: &str) -> String {
    let id = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .find(|word| word.starts_with("cs-"));
    id.unwrap_or_else(|| panic!("no approval in {text}"))
        .to_owned()
}

/// An UPDATE that was refused, because nobody has decided: the approval it waits for.
fn refused(output: Output) -> String {
    let output = output.failure();
    assert!(output.stderr.contains("42501"), "{output:?}");
    approval_in(&output.stderr)
}

/// psql with one command, and errors in full.
fn run(bank: &Endpoint, command: &str) -> Output {
    bank.psql_with(&["-At", "-v", "VERBOSITY=verbose", "-c", command], "")
}

fn events(gateway: Gateway, of: &str) -> Vec<Value> {
    let (status, config) = gateway.stop();
    assert!(status.success());
    config.ledger().events(of).into_iter().cloned().collect()
}

#[test]
fn an_approved_command_goes_on_where_it_waited() {
    let scene = Scene::new(|config| config);
    let (mut psql, approval) = scene.held();
    assert_ne!(scene.memo(1), "approved");
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE '%s-%' AND (state <> 'idle' OR xact_start IS NOT NULL)";
    let upstream = scene.database.superuser().psql(waiting).success();
    assert_eq!(upstream.stdout, "0\n", "the target knows nothing of it");
    let open = scene.open();
    assert_eq!((open.len(), &open[0]["id"]), (1, &approval.as_str().into()));
    assert_eq!(open[0]["exact"]["text"], format!("{UPDATE};"));

    let standing = scene.approve(&approval, &scene.carol).success();
    assert_eq!(standing.json_lines()[0]["status"], "granted");
    psql.hear("UPDATE 1");
    assert_eq!(psql.finish().code, Some(0));
    assert_eq!(scene.memo(1), "approved");
    assert!(scene.open().is_empty());

    let (_, config) = scene.gateway.stop();
    let ledger = config.ledger();
    let requested = ledger.events("approval_requested");
    let given = ledger.events("approval_given");
    let intent = ledger.events("intent");
    let used: Vec<_> = intent
        .iter()
        .filter(|event| event["approval"] == *approval)
        .collect();
    assert_eq!((requested.len(), given.len(), used.len()), (1, 1, 1));
    assert_eq!(used[0]["command"]["digest"], requested[0]["command"]);
    let statement = given[0]["statement"].as_str().unwrap();
    let signature = given[0]["signature"].as_str().unwrap();
    assert!(scene.carol.signed(statement, signature));
    assert!(
        !scene
            .carol
            .signed(&statement.replace("cs-", "sc-"), signature)
    );
    assert!(!scene.dave.signed(statement, signature));
}

#[test]
fn of_an_ssh_agents_keys_the_one_that_counts_signs() {
    let scene = Scene::new(|config| config);
    let (mut psql, approval) = scene.held();
    let token = scene.gateway.token_in(None, "carol", &[ONCALL]);
    let approve = |agent: &SshAgent| {
        let variables = [
            ("SSH_AUTH_SOCK", agent.socket.to_str().unwrap_or_default()),
            ("HOME", "/nonexistent"),
        ];
        let arguments = ["approve", &approval, "--yes"];
        scene.gateway.countersign_in(&token, &variables, &arguments)
    };
    let others = approve(&SshAgent::of(&[&scene.dave])).failure();
    assert!(
        others.stderr.contains("give that one with --key"),
        "{others:?}"
    );
    approve(&SshAgent::of(&[&scene.dave, &scene.carol])).success();
    psql.hear("UPDATE 1");
    assert_eq!(psql.finish().code, Some(0));
}

#[test]
fn a_denied_command_fails_and_says_who_and_why() {
    let scene = Scene::new(|config| config);
    let (mut psql, approval) = scene.held();
    let token = scene.gateway.token_in(None, "carol", &[ONCALL]);
    let key = scene.carol.key_file();
    let key = key.to_string_lossy();
    let deny = [
        "deny",
        &approval,
        "--yes",
        "--key",
        &key,
        "--reason",
        "not on a Friday",
    ];
    let standing = scene.gateway.countersign_as(&token, &deny).success();
    assert_eq!(standing.json_lines()[0]["status"], "denied");
    let error = psql.hear("denied by carol: not on a Friday");
    assert!(error.contains("42501"), "{error}");
    psql.say("SELECT 1 + 1;");
    psql.hear("2");
    assert_ne!(scene.memo(1), "approved");
    // A denial is final: who sends it again asks again.
    let again = scene.approve(&approval, &scene.dave).failure();
    assert!(again.stderr.contains("no longer there"), "{again:?}");
}

#[test]
fn after_the_hold_the_same_command_runs_once() {
    let scene = Scene::impatient(|config| config);
    let bank = scene.bank();
    let approval = refused(run(&bank, UPDATE));
    assert_eq!(refused(run(&bank, UPDATE)), approval, "it is asked once");
    scene.approve(&approval, &scene.carol).success();
    assert_eq!(run(&bank, UPDATE).success().stdout, "UPDATE 1\n");
    assert_eq!(scene.memo(1), "approved");
    let another = refused(run(&bank, UPDATE));
    assert_ne!(another, approval);
    let used = events(scene.gateway, "intent");
    let used = used.iter().filter(|event| event["approval"] == *approval);
    assert_eq!(used.count(), 1);
}

#[test]
fn who_asked_cannot_approve_nor_the_human_behind_nor_an_agent() {
    let scene = Scene::impatient(|config| config);
    let gateway = &scene.gateway;
    let alice = Person::new("alice");
    let approval = refused(run(&scene.bank(), UPDATE));
    let own = gateway
        .give("approve", &approval, &alice, &[ONCALL])
        .failure();
    assert!(own.stderr.contains("alice asked for this"), "{own:?}");

    // Nor for what she sends herself.
    let token = gateway.token_in(None, "alice", &[]);
    let own = refused(run(&gateway.endpoint("bank", "alice", &token), UPDATE));
    assert_ne!(own, approval, "another identity asks for itself");
    let own = gateway.give("approve", &own, &alice, &[ONCALL]).failure();
    assert!(own.stderr.contains("alice asked for this"), "{own:?}");

    // An agent of somebody who may: no.
    let token = gateway.token_in(Some("claude-code"), "carol", &[ONCALL]);
    let key = scene.carol.key_file();
    let arguments = [
        "approve",
        &approval,
        "--yes",
        "--key",
        &key.to_string_lossy(),
    ];
    let agent = gateway.countersign_as(&token, &arguments).failure();
    assert!(!agent.stderr.contains("granted"), "{agent:?}");

    // Somebody of another group, and somebody without a key of their own.
    let other = gateway.give("approve", &approval, &scene.carol, &["support"]);
    other.failure();
    let erin = Person::new("erin");
    let unknown = gateway
        .give("approve", &approval, &erin, &[ONCALL])
        .failure();
    assert!(unknown.stderr.contains("no key of erin"), "{unknown:?}");
    let token = gateway.token_in(None, "carol", &[ONCALL]);
    let key = scene.dave.key_file();
    let arguments = [
        "approve",
        &approval,
        "--yes",
        "--key",
        &key.to_string_lossy(),
    ];
    gateway.countersign_as(&token, &arguments).failure();

    refused(run(&scene.bank(), UPDATE));
    assert!(events(scene.gateway, "approval_given").is_empty());
}

#[test]
fn a_quorum_of_two_is_two_people() {
    let scene = Scene::new(|config| config.policy("50-two.cedar", TWO));
    let (mut psql, approval) = scene.held();
    let first = scene.approve(&approval, &scene.carol).success();
    assert_eq!(first.json_lines()[0]["status"], "pending");
    let twice = scene.approve(&approval, &scene.carol).failure();
    assert!(
        twice.stderr.contains("carol has decided this already"),
        "{twice:?}"
    );
    assert_ne!(scene.memo(1), "approved");
    scene.approve(&approval, &scene.dave).success();
    psql.hear("UPDATE 1");
    assert_eq!(scene.memo(1), "approved");
}

#[test]
fn an_approval_is_for_the_exact_bytes_identity_and_target() {
    let scene = Scene::impatient(|config| config);
    let bank = scene.bank();
    let approval = refused(run(&bank, UPDATE));
    scene.approve(&approval, &scene.carol).success();
    for changed in [
        format!("{UPDATE} "),
        UPDATE.replace("approved", "Approved"),
        UPDATE.replace("id = 1", "id = 2"),
        format!("SELECT 1; {UPDATE}"),
    ] {
        assert_ne!(refused(run(&bank, &changed)), approval, "{changed}");
    }
    let token = scene.gateway.token("claude-code", "bob");
    let bob = scene.gateway.endpoint("bank", "claude-code", &token);
    assert_ne!(refused(run(&bob, UPDATE)), approval);
    assert_eq!(run(&bank, UPDATE).success().stdout, "UPDATE 1\n");
}

#[test]
fn an_approval_is_for_the_exact_parameters() {
    let scene = Scene::impatient(|config| config);
    let bank = scene.bank();
    let update = |memo: &str, id: u32| {
        let script = format!(
            r#"
import psycopg
with psycopg.connect(autocommit=True) as c:
    try:
        print(c.execute("UPDATE payments SET memo = %s WHERE id = %s", ("{memo}", {id})).statusmessage)
    except psycopg.Error as e:
        print(e.sqlstate, e.diag.message_detail)
"#
        );
        bank.python_script(&script).success().stdout
    };
    let pending = |said: String| {
        assert!(said.starts_with("42501 "), "{said}");
        approval_in(&said)
    };
    let approval = pending(update("with parameters", 3));
    let shown = &scene.open()[0];
    let parameters = shown["exact"]["parameters"].to_string();
    assert!(parameters.contains("with parameters"), "{shown}");
    scene.approve(&approval, &scene.carol).success();
    assert_ne!(pending(update("with parameters", 4)), approval);
    assert_ne!(pending(update("with Parameters", 3)), approval);
    assert_eq!(update("with parameters", 3), "UPDATE 1\n");
    assert_eq!(scene.memo(3), "with parameters");
    assert_ne!(pending(update("with parameters", 3)), approval);
}

#[test]
fn a_grant_that_expired_opens_nothing() {
    let scene = Scene::impatient(|config| config.set(&["approval", "expires"], "8s"));
    let bank = scene.bank();
    let approval = refused(run(&bank, UPDATE));
    scene.approve(&approval, &scene.carol).success();
    scene.gateway.wait_until_nothing_is_open();
    assert_ne!(refused(run(&bank, UPDATE)), approval);
    assert_ne!(scene.memo(1), "approved");
    let closed = events(scene.gateway, "approval_closed");
    assert_eq!(closed[0]["approval"], *approval);
    assert_eq!(closed[0]["reason"], "expired");
}

#[test]
fn other_policies_make_requests_and_grants_void() {
    let scene = Scene::new(|config| config);
    let (mut psql, held) = scene.held();
    scene.gateway.rewrite_policy("50-two.cedar", TWO);
    psql.hear("is void because policies changed");
    let late = scene.approve(&held, &scene.carol).failure();
    assert!(late.stderr.contains("no longer there"), "{late:?}");

    let scene = Scene::impatient(|config| config);
    let approval = refused(run(&scene.bank(), UPDATE));
    scene.approve(&approval, &scene.carol).success();
    scene.gateway.rewrite_policy("50-two.cedar", TWO);
    scene.gateway.wait_until_nothing_is_open();
    assert_ne!(refused(run(&scene.bank(), UPDATE)), approval);
    assert_ne!(scene.memo(1), "approved");
}

#[test]
fn ctrl_c_withdraws_what_waits() {
    let scene = Scene::new(|config| config);
    let (mut psql, approval) = scene.held();
    psql.signal("INT");
    let error = psql.hear("canceling statement due to user request");
    assert!(error.contains("57014"), "{error}");
    scene.gateway.wait_until_nothing_is_open();
    scene.approve(&approval, &scene.carol).failure();
    drop(psql);
    let closed = events(scene.gateway, "approval_closed");
    assert_eq!(
        (closed.len(), &closed[0]["reason"]),
        (1, &"withdrawn".into())
    );
    assert_eq!(closed[0]["approval"], *approval);
}

#[test]
fn a_client_that_goes_takes_its_request_along() {
    let scene = Scene::new(|config| config);
    let (psql, approval) = scene.held();
    psql.signal("KILL");
    scene.gateway.wait_until_nothing_is_open();
    scene.approve(&approval, &scene.carol).failure();
    drop(psql);
    assert_ne!(scene.memo(1), "approved");
    let closed = events(scene.gateway, "approval_closed");
    assert_eq!(
        (closed.len(), &closed[0]["reason"]),
        (1, &"withdrawn".into())
    );
}

#[test]
fn an_approver_who_goes_changes_nothing() {
    let scene = Scene::new(|config| config);
    let (mut psql, approval) = scene.held();
    let token = scene.gateway.token_in(None, "carol", &[ONCALL]);
    let watching = scene
        .gateway
        .countersign_talk(&token, &["approvals", "--watch"]);
    watching.signal("KILL");
    drop(watching);
    scene.approve(&approval, &scene.dave).success();
    psql.hear("UPDATE 1");
}

#[test]
fn the_api_takes_what_ssh_keygen_signs_and_nothing_else() {
    let scene = Scene::new(|config| config);
    let gateway = &scene.gateway;
    let (mut psql, approval) = scene.held();
    let path = format!("/v1/approvals/{approval}");
    let carol = gateway.token_in(None, "carol", &[ONCALL]);

    assert_eq!(gateway.http("", "GET", &path, "").status, 401);
    assert_eq!(
        gateway.http("no.token.at-all", "GET", &path, "").status,
        401
    );
    let stranger = gateway.token_in(None, "erin", &["support"]);
    assert_eq!(gateway.http(&stranger, "GET", &path, "").status, 404);
    let request = gateway.http(&carol, "GET", &path, "");
    assert_eq!(request.status, 200, "{request:?}");

    // The statement, member by member, as the documentation has it.
    let request = request.json();
    let statement = |verdict: &str, approver: &str, command: &Value| {
        format!(
            r#"{{"approval":"{approval}","verdict":"{verdict}","approver":"{approver}","command":{command},"human":{},"agent":{},"identity":{},"target":{},"policy":{},"expires":{},"reason":""}}"#,
            request["human"],
            request["agent"],
            request["identity"],
            request["target"],
            request["policy"],
            request["expires"],
        ) + "\n"
    };
    let give = |statement: &str, signature: &str| {
        let body = serde_json::json!({ "statement": statement, "signature": signature });
        let path = format!("{path}/verdicts");
        gateway.http(&carol, "POST", &path, &body.to_string())
    };
    let due = statement("approve", "carol", &request["command"]);
    for (wrong, signature) in [
        // Signed by another, or something else.
        (due.clone(), scene.dave.sign(&due)),
        (
            due.clone(),
            scene.carol.sign(&due.replace("approve", "deny")),
        ),
        (due.clone(), String::new()),
        // Signed, and not what is asked.
        {
            let other = statement("approve", "dave", &request["command"]);
            (other.clone(), scene.carol.sign(&other))
        },
        {
            let other = statement("approve", "carol", &request["policy"]);
            (other.clone(), scene.carol.sign(&other))
        },
        {
            let other = due.replace("\"reason\"", " \"reason\"");
            (other.clone(), scene.carol.sign(&other))
        },
    ] {
        let answer = give(&wrong, &signature);
        assert_eq!(answer.status, 422, "{wrong}: {answer:?}");
    }
    assert_ne!(scene.memo(1), "approved");
    let answer = give(&due, &scene.carol.sign(&due));
    assert_eq!(
        (answer.status, &answer.json()["status"]),
        (200, &"granted".into())
    );
    psql.hear("UPDATE 1");
}
