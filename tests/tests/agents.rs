//! `countersign env` and `countersign run`: psql and the AWS CLI as an agent finds them, with nothing else to leak.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests may fail"
)]

use serde_json::Value;
use tests::{Config, Gateway, Moto, Postgres, aws_cli};

const POLICIES: &str = r#"
@id("access")
permit (principal in Group::"data", action == Action::"access", resource);
@id("objects")
permit (principal, action in [Aws::Action::"list", Aws::Action::"read", Aws::Action::"write"], resource)
when { context.service == "s3" };
@id("rows")
permit (principal, action in Postgres::Action::"read", resource);
"#;

/// What a developer's shell may hold.
const AMBIENT: [(&str, &str); 12] = [
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "ambient-secret"),
    ("AWS_PROFILE", "production"),
    ("AWS_ENDPOINT_URL_S3", "https://ambient-secret.example"),
    ("AWS_ENDPOINT_URL_STS", "https://ambient-secret.example"),
    ("PGSERVICE", "production"),
    ("PGPASSWORD", "ambient-secret"),
    ("KUBECONFIG", "/ambient-secret"),
    (
        "PAYMENTS_DATABASE_URL",
        "postgres://app:ambient-secret@db/payments",
    ),
    ("GITHUB_TOKEN", "ambient-secret"),
    ("NPM_TOKEN", "ambient-secret"),
    (
        "PIP_INDEX_URL",
        "https://u:ambient-secret@pypi.example/simple",
    ),
];

struct Scene {
    gateway: Gateway,
    token: String,
    _moto: Moto,
}

impl Scene {
    fn new(database: &tests::Database<'_>) -> Self {
        let moto = Moto::start();
        let config = Config::aws(&moto)
            .and_bank(database)
            .policy("10-all.cedar", POLICIES);
        let gateway = Gateway::start(config);
        let token = gateway.token_in(Some("claude-code"), "alice", &["data"]);
        let scene = Self {
            gateway,
            token,
            _moto: moto,
        };
        std::fs::write(scene.file("agent.token"), &scene.token).unwrap();
        scene
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.gateway.config().directory().join(name)
    }

    /// Runs a script as an agent's program.
    fn run(&self, token: &str, options: &[&str], script: &str) -> tests::Output {
        let authority = self.file("authority.pem");
        let mut arguments = vec!["run", "--ca", authority.to_str().unwrap()];
        arguments.extend(options);
        arguments.extend(["--", "sh", "-euc", script]);
        self.gateway.countersign_in(token, &AMBIENT, &arguments)
    }

    /// Runs the AWS CLI with this environment alone.
    fn aws(&self, variables: &[(&str, &str)], arguments: &[&str]) -> std::process::Output {
        std::process::Command::new(aws_cli())
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", "/nonexistent")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(variables.iter().copied())
            .current_dir(self.gateway.config().directory())
            .output()
            .unwrap()
    }
}

fn caller(output: &std::process::Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["Arn"].as_str().unwrap().to_owned()
}

const WHO: [&str; 4] = ["sts", "get-caller-identity", "--output", "json"];
const LAKE: &str = "arn:aws:sts::000000000000:assumed-role/lake/countersign";

#[test]
fn an_agent_runs_with_its_clients_set_up_and_nothing_else() {
    let database = Postgres::shared().database();
    let scene = Scene::new(&database);
    let aws = aws_cli();
    let script = format!(
        "psql -XAtc 'SELECT count(*) FROM customers'
         psql -XAt service=bank -c 'SELECT count(*) FROM customers'
         '{aws}' s3 mb s3://lake
         '{aws}' s3 ls
         '{aws}' --profile lake sts get-caller-identity --query Arn --output text
         env",
        aws = aws.display()
    );
    let both = ["--target", "bank", "--target", "lake"];
    let output = scene.run(&scene.token, &both, &script).success().stdout;
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(&lines[..2], ["2000", "2000"], "{output}");
    assert!(lines[3].ends_with(" lake"), "{output}");
    assert_eq!(lines[4], LAKE);
    for ambient in ["ambient-secret", "AKIAIOSFODNN7EXAMPLE", "production"] {
        assert!(!output.contains(ambient), "{output}");
    }
    assert!(output.contains("KUBECONFIG=/"), "{output}");
    let endpoint = format!("https://{}", scene.gateway.address("aws"));
    let serving = format!(" aws={}", scene.gateway.address("aws"));
    scene.gateway.wait_for_log(&serving);
    let sts = format!("\nAWS_ENDPOINT_URL_STS={endpoint}\n");
    assert!(output.contains(&sts), "{output}");

    // What is to stay stays; what the program says is what is said; nothing is left behind.
    let kept = ["--target", "lake", "--keep", "GITHUB_TOKEN"];
    let script = "printf '%s\n' \"$GITHUB_TOKEN\" \"$AWS_CONFIG_FILE\"; exit 7";
    let output = scene.run(&scene.token, &kept, script);
    assert_eq!(output.code, Some(7));
    let (token, file) = output.stdout.trim().split_once('\n').unwrap();
    assert_eq!(token, "ambient-secret");
    assert!(!std::path::Path::new(file).exists(), "{file}");

    let nobody = scene.run("", &["--target", "lake"], "true").failure();
    assert!(nobody.stderr.contains("no token"), "{}", nobody.stderr);
}

#[test]
fn what_is_no_target_of_the_configuration_is_refused() {
    let database = Postgres::shared().database();
    let scene = Scene::new(&database);
    for (target, why) in [
        ("lak", "no target \"lak\": there are bank, lake"),
        ("aws:lak", "no target \"lak\": there are bank, lake"),
        (
            "aws:bank",
            "bank is a PostgreSQL target: give --target bank",
        ),
        (
            "postgres:lake",
            "lake speaks AWS's APIs: give --target lake",
        ),
    ] {
        let wrong = scene.run(&scene.token, &["--target", target], "true");
        assert_eq!(wrong.code, Some(2), "{target}: {wrong:?}");
        assert!(wrong.stderr.contains(why), "{target}: {wrong:?}");
    }
    // The configuration tells nothing of a gateway elsewhere.
    let elsewhere = ["--target", "lak", "--aws", "https://gateway.example"];
    scene.run(&scene.token, &elsewhere, "true").success();
}

#[test]
fn a_program_that_is_asked_to_end_is_asked_itself() {
    let database = Postgres::shared().database();
    let scene = Scene::new(&database);
    // The shell's parent is `countersign run`.
    let script = "trap 'echo asked; exit 5' TERM; kill -s TERM $PPID; for i in $(seq 600); do sleep 0.05; done";
    let output = scene.run(&scene.token, &["--target", "lake"], script);
    assert_eq!((output.code, output.stdout.as_str()), (Some(5), "asked\n"));
}

#[test]
fn the_aws_cli_takes_every_form_of_env() {
    let database = Postgres::shared().database();
    let scene = Scene::new(&database);
    let authority = scene.file("authority.pem");
    let authority = authority.to_str().unwrap();
    let env = |format: &str| {
        let arguments = [
            "env", "--target", "lake", "--format", format, "--ca", authority,
        ];
        let with_file = [&arguments[..], &["--token-file", "agent.token"]].concat();
        scene
            .gateway
            .countersign_in("", &[], &with_file)
            .success()
            .stdout
    };

    let variables: Value = serde_json::from_str(&env("json")).unwrap();
    let variables = variables.as_object().unwrap().iter();
    let variables: Vec<_> = variables
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    assert_eq!(caller(&scene.aws(&variables, &WHO)), LAKE);

    std::fs::write(scene.file("aws_config"), env("aws")).unwrap();
    let profile = [("AWS_CONFIG_FILE", "aws_config"), ("AWS_PROFILE", "lake")];
    assert_eq!(caller(&scene.aws(&profile, &WHO)), LAKE);

    // The process's output in a file stands for the process.
    let keys = env("credential-process");
    std::fs::write(scene.file("keys.json"), &keys).unwrap();
    let endpoint = format!("https://{}", scene.gateway.address("aws"));
    let config = format!(
        "[default]\ncredential_process = cat keys.json\nregion = eu-central-1\nendpoint_url = {endpoint}\nca_bundle = {authority}\n"
    );
    std::fs::write(scene.file("aws_config"), config).unwrap();
    assert_eq!(
        caller(&scene.aws(&[("AWS_CONFIG_FILE", "aws_config")], &WHO)),
        LAKE
    );
    let keys: Value = serde_json::from_str(&keys).unwrap();
    assert_eq!(keys["Version"], 1);

    let wrong = ["env", "--target", "bank", "--format", "aws", "--user", "x"];
    let refused = scene
        .gateway
        .countersign_in(&scene.token, &[], &wrong)
        .failure()
        .stderr;
    assert!(refused.contains("--format shell or json"), "{refused}");
    let refused = ["env", "--target", "lake", "--format", "credential-process"];
    let refused = scene
        .gateway
        .countersign_in("no.such.token", &[], &refused)
        .failure()
        .stderr;
    assert!(refused.contains("token"), "{refused}");
}
