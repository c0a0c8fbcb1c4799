//! What a configuration may say, and what is said of it where it is wrong.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use protocols::aws::objects::{Form, MediaType, Name};

use super::*;

const MINIMAL: &str = r#"
[issuer]
enabled = true
[targets.bank]
protocol = "postgres"
address = "127.0.0.1"
database = "bank"
user = "app"
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/countersign/countersign.toml"))
}

/// The error's text without the file's name.
fn error(text: &str) -> String {
    let error = parse(text).expect_err("it must be refused").to_string();
    error
        .strip_prefix("/etc/countersign/countersign.toml:")
        .expect("the file is named")
        .to_owned()
}

/// The error for a text behind the minimal one, which has eight lines.
fn added(text: &str) -> String {
    error(&format!("{MINIMAL}{text}"))
}

#[test]
fn a_small_file_gets_safe_defaults() {
    let config = parse(MINIMAL).unwrap();
    assert_eq!(config.data, Path::new("/etc/countersign/data"));
    assert_eq!(config.policy_folder, Path::new("/etc/countersign/policies"));
    assert_eq!(
        config.recording.folder,
        Path::new("/etc/countersign/data/recordings")
    );
    assert_eq!(
        config.recording.key,
        Path::new("/etc/countersign/data/keys/recording.key")
    );
    assert_eq!(config.api.listen.to_string(), "127.0.0.1:8480");
    assert_eq!(config.postgres.listen.to_string(), "127.0.0.1:15432");
    assert_eq!(config.ledger.durability, Durability::Sync);
    assert_eq!(config.ledger.durability.to_string(), "sync");
    assert_eq!(config.approval.hold, Duration::from_secs(600));
    assert_eq!(config.limits.unauthenticated, 256);
    assert_eq!(config.limits.idle, None);
    assert_eq!(
        config.limits.postgres,
        protocols::postgres::settings::Limits::default()
    );
    let bank = &config.targets["bank"];
    assert_eq!(bank.address.to_string(), "127.0.0.1:5432");
    assert_eq!((bank.tls, bank.password.clone()), (TlsMode::Prefer, None));
    assert!(!bank.replication);
}

#[test]
fn the_example_shows_every_setting() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/countersign.toml");
    let config = Config::load(&file).unwrap();
    let folder = file.parent().unwrap();
    assert_eq!(config.data, folder.join("./data"));
    assert_eq!(config.ledger.durability, Durability::Sync);
    let bank = &config.targets["bank"];
    assert_eq!(bank.tls, TlsMode::Prefer);
    assert_eq!(
        bank.mask[&Declared::try_from("public.customers.ssn").unwrap()].name(),
        "us_ssn"
    );
    assert!(!config.people.is_empty() && !config.issuers.is_empty());

    // Each setting that the code asks for stands in the example, so that the example documents all of them.
    let text = std::fs::read_to_string(&file).unwrap();
    let source = concat!(
        include_str!("parse.rs"),
        include_str!("parse/aws.rs"),
        include_str!("parse/classes.rs"),
        include_str!("parse/postgres.rs")
    );
    for part in source
        .split("section, \"")
        .chain(source.split("need(\""))
        .chain(source.split("take(\""))
        .skip(1)
    {
        let Some((key, _)) = part.split_once('"') else {
            continue;
        };
        if key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            assert!(
                text.contains(&format!("{key} = ")) || text.contains(&format!("[{key}")),
                "{key} is not in the example"
            );
        }
    }
}

#[test]
fn a_target_elsewhere_is_verified_unless_told_otherwise() {
    let config = parse(&MINIMAL.replace("127.0.0.1", "db.example:6000")).unwrap();
    assert_eq!(config.targets["bank"].tls, TlsMode::VerifyFull);
    assert_eq!(
        config.targets["bank"].address,
        HostPort {
            host: "db.example".into(),
            port: 6_000
        }
    );
    let config = parse(&MINIMAL.replace("\"127.0.0.1\"", "\"[::1]:6000\"")).unwrap();
    assert_eq!(config.targets["bank"].address.to_string(), "[::1]:6000");
    assert!(config.targets["bank"].address.is_loopback());
}

#[test]
fn durability_is_a_word_or_a_window() {
    let config = parse(&format!(
        "{MINIMAL}\n[ledger]\ndurability = {{ interval = \"10ms\" }}"
    ))
    .unwrap();
    assert_eq!(
        config.ledger.durability,
        Durability::Interval(Duration::from_millis(10))
    );
    assert_eq!(config.ledger.durability.to_string(), "interval 10ms");
    assert_eq!(
        added("[ledger]\ndurability = \"async\""),
        "10: ledger.durability is \"async\": write one of \"sync\""
    );
    assert!(added("[ledger]\ndurability = { interval = \"1h\" }").contains("above 1s"));
}

#[test]
fn errors_name_line_key_and_what_to_write() {
    let cases = [
        (
            "data = 3\n",
            "1: data is of type integer: write a text in quotes",
        ),
        (
            "[api]\nlisten = \"localhost:80\"\n",
            "2: api.listen is \"localhost:80\": write an IP address and a port, such as \"127.0.0.1:8480\" or \"[::]:8480\"",
        ),
        (
            "[limits]\nlogin = \"30\"\n",
            "2: limits.login is \"30\": write a length of time with its unit, ms, s, m, h or d, such as \"30s\"",
        ),
        (
            "[limits]\nlogin = \"0s\"\n",
            "2: limits.login is \"0s\": write a length of time with its unit, ms, s, m, h or d, such as \"30s\"",
        ),
        (
            "[limits]\nsessions = 0\n",
            "2: limits.sessions is 0: write a whole number from 1 to 1000000",
        ),
        (
            "[targets.bank]\nprotocol = \"postgres\"\n",
            "1: targets.bank.address is missing: add address = \"db.example:5432\"",
        ),
        (
            "[targets.Bank]\nprotocol = \"postgres\"\n",
            "1: targets.Bank is not a name: use 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit",
        ),
        (
            "[targets.bank]\nprotocol = \"mysql\"\n",
            "2: targets.bank.protocol is \"mysql\": write one of \"postgres\"",
        ),
        (
            "[[issuers]]\nurl = \"http://issuer.example\"\n",
            "2: issuers[0].url is \"http://issuer.example\": write an https URL without query, exactly as the issuer names itself (http only on loopback)",
        ),
        (
            "[people.bob]\nssh_keys = [\"ssh-ed25519 nonsense\"]\n",
            "2: people.bob.ssh_keys[0] is not an SSH public key",
        ),
        (
            "[roles]\nauditors = \"risk\"\n",
            "2: roles.auditors is of type string: write a list in brackets",
        ),
        (
            "[postgres]\ntls = \"on\"\n",
            "2: postgres.tls is of type string: write a table",
        ),
        ("[postgres\n", "1: "),
        (
            "data = \"a\"\ndata = \"b\"\n",
            "2: data stands there twice: leave one",
        ),
        (
            "[api]\nlisten = \"127.0.0.1:1\"\n[postgres]\n[api]\n",
            "4: api stands there twice: leave one",
        ),
    ];
    for (text, expect) in cases {
        let got = error(text);
        assert!(
            got.starts_with(expect),
            "{text}\n got: {got}\nwant: {expect}"
        );
    }
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_known_one() {
    assert_eq!(
        added("[limits]\nsesions = 5"),
        "10: limits.sesions is not a setting: did you mean sessions?"
    );
    assert_eq!(
        added("[lim]\nx = 5"),
        "9: lim is not a setting: there are data, classes, targets, api, postgres, aws, issuer, issuers, policy, ledger, approval, recording, limits, people, roles"
    );
    assert_eq!(
        added("[targets.bank.colour]\nx = 1"),
        "9: targets.bank.colour is not a setting: there are protocol, address, tls, database, user, password, ca, replication, auth, labels, mask, strategies, find, trusted_functions, guesses_per_day"
    );
    assert_eq!(
        error(
            "limit = 5\n[issuer]\nenabled = true\n[targets.a]\nprotocol=\"postgres\"\naddress=\"a\"\ndatabase=\"d\"\nuser=\"u\""
        ),
        "1: limit is not a setting: did you mean limits?"
    );
    // Where it must be there.
    let got = added(
        "[targets.lake]\nprotocol = \"aws\"\nregion = \"eu-central-1\"\ncredentials = { acces_key = \"AKIA\" }",
    );
    assert!(
        got.ends_with("credentials.acces_key is not a setting: did you mean access_key?"),
        "{got}"
    );
}

#[test]
fn a_password_never_stands_in_the_file() {
    let text = MINIMAL.replace("user = \"app\"", "user = \"app\"\npassword = \"hunter2\"");
    let got = error(&text);
    assert_eq!(
        got,
        "9: targets.bank.password must not stand in this file: write { file = \"…\" } or { env = \"…\" }"
    );
    assert!(!got.contains("hunter2"));
    let both = MINIMAL.replace(
        "user = \"app\"",
        "user = \"app\"\npassword = { file = \"p\", env = \"P\" }",
    );
    assert!(error(&both).contains("needs one of"));
}

#[test]
fn what_would_be_unsafe_is_refused() {
    assert!(added("[api]\nlisten = \"0.0.0.0:80\"").contains("tokens would travel in clear"));
    parse(&format!(
        "{MINIMAL}[api]\nlisten = \"0.0.0.0:80\"\ntls = {{ certificate = \"c\", key = \"k\" }}"
    ))
    .unwrap();
    assert!(
        error("[targets.a]\nprotocol=\"postgres\"\naddress=\"a\"\ndatabase=\"d\"\nuser=\"u\"")
            .contains("nobody could log in")
    );
    assert!(error("[issuer]\nenabled = true").contains("no target is configured"));
    let ca = MINIMAL.replace("user = \"app\"", "user = \"app\"\nca = \"ca.pem\"");
    assert!(error(&ca).contains("tls = \"verify-full\""));
    assert!(
        added("[approval]\nhold = \"2h\"\nexpires = \"1h\"").contains("at least as long as hold")
    );
}

#[test]
fn a_place_in_json_is_named_by_its_path() {
    let masked = |key: &str| {
        let text = format!("{MINIMAL}[targets.bank.mask]\n'{key}' = \"us_ssn\"");
        parse(&text).map(|config| {
            let (declared, _) = config.targets["bank"].mask.first_key_value().unwrap();
            (declared.column(), declared.to_string())
        })
    };
    for (key, column) in [
        ("public.events.body$.customer.ssn", "public.events.body"),
        ("public.events.body$.a.*.b", "public.events.body"),
        ("public.events.cost_in_$", "public.events.cost_in_$"),
    ] {
        assert_eq!(masked(key).unwrap(), (column.to_owned(), key.to_owned()));
    }
    for (key, why) in [
        ("public.events.body$.", "is no path"),
        ("public.events.body$..ssn", "is no path"),
        ("public.events.body$[0]", "is no path"),
        ("events.body$.ssn", "is not a column"),
    ] {
        let error = masked(key).unwrap_err().to_string();
        assert!(error.contains(why), "{key}: {error}");
    }
    let many: String = (0..65)
        .map(|number| format!("\"public.events.body$.m{number}\" = \"us_ssn\"\n"))
        .collect();
    assert!(added(&format!("[targets.bank.mask]\n{many}")).contains("64 at most"));
}

#[test]
fn columns_are_named_in_full() {
    let text = format!("{MINIMAL}[targets.bank.mask]\n\"public.customers.ssn\" = \"us_ssn\"");
    assert_eq!(
        parse(&text).unwrap().targets["bank"].mask
            [&Declared::try_from("public.customers.ssn").unwrap()]
            .name(),
        "us_ssn"
    );
    assert!(
        added("[targets.bank.mask]\n\"customers.ssn\" = \"us_ssn\"").contains("is not a column")
    );
    assert!(
        added("[targets.bank.mask]\npublic.customers.ssn = \"us_ssn\"").contains("is not a column")
    );
    assert!(
        added("[targets.bank.strategies]\npan = \"hide\"")
            .contains("write redact, partial, hash, format, null or withhold")
    );
    assert!(added("[targets.bank.mask]\n\"a.b.c\" = \"US SSN\"").contains("data class"));
    let trusted = |text: &str| format!("{MINIMAL}trusted_functions = {text}");
    assert_eq!(
        parse(&trusted("[\"app.format_iban\"]")).unwrap().targets["bank"].trusted_functions,
        [("app".to_owned(), "format_iban".to_owned())]
    );
    for text in [
        "[\"format_iban\"]",
        "[\"app.format_iban(text)\"]",
        "[\"a.b.c\"]",
        "[\".x\"]",
    ] {
        let error = parse(&trusted(text)).unwrap_err().to_string();
        assert!(error.contains("without arguments"), "{error}");
    }
    let text = format!("{MINIMAL}[targets.bank.find]\nip_address = true\nphone = false");
    let find = &parse(&text).unwrap().targets["bank"].find;
    assert_eq!(
        (find[&DataClass::IP_ADDRESS], find[&DataClass::PHONE]),
        (true, false)
    );
    assert!(
        added("[targets.bank.find]\nip = true")
            .contains("is not a class that can be found: there are pan,")
    );
}

#[test]
fn classes_are_defined_by_a_pattern_or_by_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    let names = folder.path().join("names.txt");
    let text = format!(
        "{MINIMAL}[classes.ticket]\npattern = 'T-\\d{{4}}'\nshow_last = 2\n[classes.name]\nwords = \"names.txt\"\n\
         [targets.bank.find]\nname = false"
    );
    std::fs::write(&names, "Kestrel\n").unwrap();
    let config = Config::parse(&text, &file).unwrap();
    assert_eq!(config.targets["bank"].own, config.classes);
    let names_of = |config: &Config| -> Vec<_> {
        let classes = config.own_classes();
        classes.map(|class| class.name().to_owned()).collect()
    };
    assert_eq!(names_of(&config), ["name", "ticket"]);
    std::fs::write(&names, "Kestrel\nOsprey\n").unwrap();
    assert_ne!(Config::parse(&text, &file).unwrap().digest, config.digest);
    std::fs::write(&names, "Kestrel\n?\n").unwrap();
    let error = Config::parse(&text, &file).unwrap_err().to_string();
    assert!(
        error.contains(":13: classes.name.words ") && error.contains("names.txt: word 2 must"),
        "{error}"
    );
}

#[test]
fn a_class_that_cannot_be_looked_for_is_refused_where_it_stands() {
    for (text, expected) in [
        (
            "[classes.pan]\npattern = 'x'",
            "9: classes.pan is a class that is built in: give yours another name",
        ),
        (
            "[classes.x]\npattern = 'A-\\d+'",
            "10: classes.x.pattern can match more than 256 characters: bound what may repeat, as in \\d{1,20} instead of \\d+",
        ),
        (
            "[classes.x]\nshow_last = 4\npattern = 'A-(\\d'",
            "11: classes.x.pattern is not a regular expression: unclosed group",
        ),
        (
            "[classes.x]\npattern = 'A'\nchek = 'luhn'",
            "11: classes.x.chek is not a setting: did you mean check?",
        ),
        (
            "[classes.x]\npattern = 'A'\ncheck = 'crc'",
            "11: classes.x.check is \"crc\": write one of \"luhn\", \"mod97\", \"aba\"",
        ),
        (
            "[classes.x]\nwords = ['Kestrel', 'x']",
            "10: classes.x.words word 2 must have 2 to 256 characters, a letter or digit among them",
        ),
        (
            "[classes.x]\npattern = 'A'\ncontext = []",
            "11: classes.x.context needs 1 to 64 words of 2 to 40 ASCII characters that begin with a letter",
        ),
    ] {
        assert_eq!(added(text), expected);
    }
    assert!(added("[classes.x]\nshow_last = 4").contains("needs one of pattern ="));
    assert!(added("[classes.x]\nwords = \"nowhere\"").contains("nowhere: cannot be read: "));
}

#[test]
fn a_secret_is_read_from_its_file_without_the_line_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    for (content, secret) in [
        ("pw", "pw"),
        ("pw\n", "pw"),
        ("pw\r\n", "pw"),
        ("p\nw\n\n", "p\nw\n"),
    ] {
        std::fs::write(&file, content).unwrap();
        assert_eq!(
            SecretSource::File(file.clone()).read().unwrap().expose(),
            secret.as_bytes()
        );
    }
    std::fs::write(&file, "\n").unwrap();
    let error = SecretSource::File(file.clone())
        .read()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("is empty") && error.contains("password"),
        "{error}"
    );
    let open = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        SecretSource::File(file.clone()).open_to_all() == Some(&file)
    };
    assert!(open(0o644) && open(0o604) && !open(0o640) && !open(0o600));
    let error = SecretSource::Env("COUNTERSIGN_NOT_SET".into())
        .read()
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the environment variable COUNTERSIGN_NOT_SET is not set: set it to the secret"
    );
}

#[test]
fn lengths_of_time_have_units_and_an_end() {
    assert_eq!(
        read::parse_duration("250ms"),
        Some(Duration::from_millis(250))
    );
    assert_eq!(
        read::parse_duration("2d"),
        Some(Duration::from_secs(172_800))
    );
    for bad in [
        "",
        "s",
        "1",
        "1.5s",
        "-1s",
        "1 s",
        "0ms",
        "9999999999999999999s",
        "400d",
        "1w",
    ] {
        assert_eq!(read::parse_duration(bad), None, "{bad}");
    }
}

const LAKE: &str = r#"
[issuer]
enabled = true
[targets.lake]
protocol = "aws"
region = "eu-central-1"
credentials = { access_key = "AKIAX", secret_key = { env = "LAKE" } }
"#;

#[test]
fn an_account_is_a_target() {
    let config = parse(LAKE).unwrap();
    assert!(config.targets.is_empty());
    let lake = &config.aws_targets["lake"];
    assert_eq!(
        (lake.region.as_str(), &lake.endpoint),
        ("eu-central-1", &None)
    );
    let keys = AwsKeys {
        access_key: "AKIAX".to_owned(),
        secret_key: SecretSource::Env("LAKE".to_owned()),
        session_token: None,
    };
    assert_eq!(lake.credentials, AwsCredentials::Keys(keys));
    assert_eq!((lake.account().as_str(), &lake.role), ("AKIAX", &None));
    assert_eq!(config.aws.listen.to_string(), "127.0.0.1:8481");
    assert_eq!(
        (config.aws.host.as_str(), config.aws.hold),
        ("localhost", Duration::from_secs(50))
    );
    let with = |endpoint: &str| {
        let line = format!("endpoint = {endpoint:?}\nregion");
        parse(&LAKE.replace("region", &line))
            .map(|config| config.aws_targets["lake"].endpoint.clone())
    };
    let endpoint = with("https://s3.example").unwrap().unwrap();
    assert_eq!(
        (endpoint.tls, endpoint.address.to_string().as_str()),
        (true, "s3.example:443")
    );
    let endpoint = with("http://127.0.0.1:9000/").unwrap().unwrap();
    assert_eq!((endpoint.tls, endpoint.address.port), (false, 9_000));
    for bad in [
        "http://s3.example",
        "s3.example",
        "https://",
        "https://s3.example/path",
        "ftp://h",
    ] {
        assert!(
            with(bad)
                .unwrap_err()
                .to_string()
                .contains("is not an endpoint"),
            "{bad}"
        );
    }
}

#[test]
fn keys_are_looked_for_where_the_file_says() {
    let named = "{ access_key = \"AKIAX\", secret_key = { env = \"LAKE\" } }";
    let with = |credentials: &str| {
        parse(&LAKE.replace(named, credentials)).map(|config| config.aws_targets["lake"].clone())
    };
    let lake = with("{ chain = [\"profile\", \"instance\"], profile = \"bank\" }").unwrap();
    let chain = AwsChain {
        sources: vec![KeySource::Profile, KeySource::Instance],
        profile: Some("bank".to_owned()),
    };
    assert_eq!(lake.credentials, AwsCredentials::Chain(chain));
    assert_eq!(lake.account(), "keys of profile, instance");
    for (bad, says) in [
        ("{ chain = [] }", "is empty"),
        ("{ chain = [\"sso\"] }", "write one of"),
        (
            "{ chain = [\"instance\"], access_key = \"A\" }",
            "is not a setting",
        ),
        (
            "{ access_key = \"A\", secret_key = { env = \"S\" }, profile = \"x\" }",
            "is not a setting",
        ),
        ("{}", "access_key"),
    ] {
        let error = with(bad).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_role_of_an_account_is_an_arn() {
    let with = |role: &str| {
        parse(&format!("{LAKE}{role}\n")).map(|config| config.aws_targets["lake"].clone())
    };
    let arn = "arn:aws:iam::123456789012:role/teams/lake";
    let account = |text: &str| with(text).unwrap().upstream().account;
    assert_eq!(account(""), None);
    let role = format!("role = {{ arn = \"{arn}\" }}");
    assert_eq!(account(&role).as_deref(), Some("123456789012"));
    let told = format!("account = \"111111111111\"\n{role}");
    assert_eq!(account(&told).as_deref(), Some("111111111111"));
    for bad in ["account = \"1\"", "account = \"12345678901x\""] {
        let error = with(bad).unwrap_err();
        assert!(error.to_string().contains("no account's id"), "{error}");
    }
    let lake = with(&format!(
        "role = {{ arn = \"{arn}\", external_id = \"x\", duration = \"15m\" }}"
    ))
    .unwrap();
    let role = lake.role.clone().unwrap();
    assert_eq!((role.arn.as_str(), lake.account().as_str()), (arn, arn));
    assert_eq!(role.duration, Duration::from_secs(900));
    for (bad, says) in [
        ("role = {}", "is missing"),
        ("role = { arn = \"lake\" }", "is not a role"),
        (
            "role = { arn = \"arn:aws:iam::1:user/lake\" }",
            "is not a role",
        ),
        ("role = { arn = \"arn:aws:iam::1:role/\" }", "is not a role"),
        (
            "role = { arn = \"arn:aws:iam::1:role/x\", duration = \"13h\" }",
            "15m to 12h",
        ),
        (
            "role = { arn = \"arn:aws:iam::1:role/x\", sts = \"http://sts.example\" }",
            "is not an endpoint",
        ),
    ] {
        let error = with(bad).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn keys_of_an_account_do_not_stand_in_the_file() {
    let text = LAKE.replace("{ env = \"LAKE\" }", "\"hunter2\"");
    let error = parse(&text).unwrap_err().to_string();
    assert!(
        error.contains("must not stand in this file") && !error.contains("hunter2"),
        "{error}"
    );
    let error = parse(&format!("{LAKE}[aws]\nlisten = \"0.0.0.0:1\"\n")).unwrap_err();
    assert!(error.to_string().contains("without TLS"), "{error}");
    let error = parse(&format!("{LAKE}[aws]\nhost = \"Gateway:1\"\n")).unwrap_err();
    assert!(error.to_string().contains("host name"), "{error}");
}

#[test]
fn members_and_columns_of_answers_are_declared_by_name() {
    let with = |answers: &str| {
        parse(&format!("{LAKE}answers = [{answers}]\n"))
            .map(|config| config.aws_targets["lake"].answers.clone())
    };
    let list = with(
        "{ service = \"dynamodb\", operation = \"GetItem\", resource = \"dynamodb:p*\", members = { \"$.Item.ssn.S\" = \"us_ssn\" } }, \
         { service = \"athena\", columns = { ssn = \"us_ssn\" } }",
    )
    .unwrap();
    assert_eq!(list[0].operation.as_deref(), Some("GetItem"));
    assert_eq!(list[0].members[0].1.name(), "us_ssn");
    assert_eq!(list[1].columns[0].0, "ssn");
    for (bad, says) in [
        ("{ members = { a = \"pan\" } }", "service is missing"),
        ("{ service = \"dynamodb\" }", "needs members or columns"),
        (
            "{ service = \"dynamo\", members = { a = \"pan\" } }",
            "no service of AWS",
        ),
        ("{ service = \"s3\", members = { a = \"pan\" } }", "objects"),
        (
            "{ service = \"dynamodb\", operation = \"Get\", members = { a = \"pan\" } }",
            "no operation",
        ),
        (
            "{ service = \"dynamodb\", resource = \"p\", members = { a = \"pan\" } }",
            "\"dynamodb:payments\"",
        ),
        (
            "{ service = \"athena\", resource = \"athena:p\", columns = { a = \"pan\" } }",
            "leave it out",
        ),
        (
            "{ service = \"dynamodb\", members = { \"Items.*.ssn.S\" = \"pan\" } }",
            "is no member",
        ),
        (
            "{ service = \"dynamodb\", members = { \"/Item\" = \"pan\" } }",
            "another form",
        ),
        (
            "{ service = \"dynamodb\", columns = { a = \"pan\" } }",
            "not known of this service",
        ),
        (
            "{ service = \"dynamodb\", members = { a = \"No class\" } }",
            "",
        ),
        (
            "{ service = \"dynamodb\", members = { a = \"pan\" }, more = 1 }",
            "more",
        ),
    ] {
        let error = with(bad).unwrap_err().to_string();
        assert!(error.contains(says), "{bad}: {error}");
    }
}

#[test]
fn columns_and_members_of_objects_are_declared_by_name() {
    let with = |objects: &str| {
        parse(&format!("{LAKE}objects = [{objects}]\n"))
            .map(|config| config.aws_targets["lake"].objects.clone())
    };
    let list = with(
        "{ bucket = \"b\", prefix = \"x/\", separator = \";\", columns = { \"Card no\" = \"pan\" } }, \
         { bucket = \"e\", tags = { kind = \"hr\" }, members = { \"$.a.code\" = \"staff_code\" } }, \
         { bucket = \"e\", content_type = \"text/*\", header = false, columns = { 3 = \"pan\" } }, \
         { bucket = \"e\", elements = { \"@id\" = \"pan\" } }",
    )
    .unwrap();
    let name = |text: &str, form| Name::read(text, form).unwrap();
    let csv = |separator, header| Form::Csv { separator, header };
    assert_eq!(
        (list[0].form, list[0].prefix.as_str()),
        (csv(b';', true), "x/")
    );
    let told: Vec<_> = list
        .iter()
        .map(|it| (it.names[0].0.clone(), it.names[0].1.name()))
        .collect();
    assert_eq!(
        told,
        [
            (name("Card no", csv(b';', true)), "pan"),
            (name("$.a.code", Form::Json), "staff_code"),
            (name("3", csv(b',', false)), "pan"),
            (name("@id", Form::Xml), "pan"),
        ]
    );
    assert_eq!(list[1].tags["kind"], "hr");
    assert_eq!(list[2].content_type, MediaType::read("text/*"));
    for (bad, says) in [
        ("{ columns = { a = \"pan\" } }", "bucket"),
        ("{ bucket = \"b\" }", "needs one of columns"),
        (
            "{ bucket = \"b\", columns = { a = \"pan\" }, members = { a = \"pan\" } }",
            "needs one of columns",
        ),
        (
            "{ bucket = \"b\", separator = \"ab\", columns = { a = \"pan\" } }",
            "one ASCII character",
        ),
        (
            "{ bucket = \"b\", columns = { a = \"No Class\" } }",
            "columns.a",
        ),
        (
            "{ bucket = \"b\", content_type = \"csv\", columns = { a = \"pan\" } }",
            "is no content type",
        ),
        (
            "{ bucket = \"b\", header = false, columns = { a = \"pan\" } }",
            "numbered from 1",
        ),
        (
            "{ bucket = \"b\", members = { \"$..a\" = \"pan\" } }",
            "is no path",
        ),
    ] {
        let error = with(bad).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
