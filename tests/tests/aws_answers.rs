//! What is shown of the answers of AWS's APIs: what is found in them, what is hidden by its name, and what the configuration declares.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use std::io::Write as _;

use serde_json::{Value, json};
use tests::lake::{self, POLICIES};
use tests::raw::{Canned, Raw, Reply, exchange};
use tests::{Agent, Config, Gateway, Moto};

/// What is declared of answers, in TOML.
fn answers(config: Config, declared: &str) -> Config {
    let table: toml::Table = format!("answers = [{declared}]").parse().unwrap();
    config.set(&["targets", "lake", "answers"], table["answers"].clone())
}

fn with_moto(declared: &str) -> (Moto, Gateway) {
    let moto = Moto::start();
    let config = Config::aws(&moto).policy("10-lake.cedar", POLICIES);
    let gateway = Gateway::start(answers(config, declared));
    (moto, gateway)
}

fn case(moto: &Moto, gateway: &Gateway, name: &str) -> Value {
    let agent = Agent::new(gateway, "lake", &[]);
    let said = agent.answers(&moto.role, &[name]).success().json_lines();
    said[0]["result"].clone()
}

/// What was hidden, as the ledger has it.
fn masks(gateway: Gateway) -> Vec<(String, String, String)> {
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let outcomes = ledger.events("outcome");
    let masks = outcomes
        .iter()
        .filter_map(|it| it["outcome"]["masks"].as_array());
    let text = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
    let told = |it: &Value| (text(it, "class"), text(it, "rule"), text(it, "place"));
    let mut masks: Vec<_> = masks.flatten().map(told).collect();
    masks.sort();
    masks.dedup();
    masks
}

fn told(class: &str, rule: &str, place: &str) -> (String, String, String) {
    (class.to_owned(), rule.to_owned(), place.to_owned())
}

#[test]
fn items_are_searched_and_declared_members_hidden_wherever_they_come_out() {
    let (moto, gateway) = with_moto(
        "{ service = \"dynamodb\", resource = \"dynamodb:peo*\", \
           members = { ssn = \"staff_code\", \"$.Item.age.N\" = \"staff_age\", photo = \"staff_photo\" } }",
    );
    let shown = case(&moto, &gateway, "items");
    let person = json!({
        "id": "1", "ssn": "*******", "age": "0", "photo": "000000", "town": "Ulm", "notes": "pays by ************1111",
    });
    // The path is that of GetItem alone.
    let other = json!({
        "id": "2", "ssn": "*******", "age": "-7", "photo": "00000000", "town": "Bonn", "notes": "nothing",
    });
    let known = |mut item: Value| {
        // How long the bytes were is told by how much of them there is.
        let photo = item["photo"].as_str().unwrap();
        assert!(photo.bytes().all(|byte| byte == b'0'), "{item}");
        item["photo"] = json!("0");
        item
    };
    assert_eq!(known(shown["got"].clone()), known(person));
    assert_eq!(known(shown["batch"].clone()), known(other));
    assert_eq!(shown["scanned"], json!(["*******", "*******"]));
    assert_eq!(shown["failed"], json!({"S": "*******"}));
    assert_eq!(shown["elsewhere"]["ssn"], "Q7-4499");
    assert_eq!(shown["elsewhere"]["notes"], "pays by ************1111");
    let masks = masks(gateway);
    for told in [
        told("staff_code", "declared", "ssn"),
        told("staff_age", "declared", "/Item/age/N"),
        told("staff_photo", "declared", "photo"),
        told("pan", "card_issuer_luhn", "answer"),
    ] {
        assert!(masks.contains(&told), "{told:?} in {masks:?}");
    }
}

#[test]
fn log_events_are_searched() {
    let (moto, gateway) = with_moto("");
    let shown = "paid by **** **** **** 1111, mail **@example.com";
    assert_eq!(case(&moto, &gateway, "logs"), json!([[shown], [shown]]));
}

#[test]
fn environments_of_functions_are_hidden() {
    let (moto, gateway) = with_moto("");
    let shown =
        json!([{"TOKEN": "*******", "STAGE": "****"}, "asks **@example.com", "index.handler"]);
    assert_eq!(
        case(&moto, &gateway, "functions"),
        json!([shown, shown, shown])
    );
}

const ALARMS: &str = "{ service = \"cloudwatch\", operation = \"DescribeAlarms\", members = { \"$.MetricAlarms[*].AlarmName\" = \"alarm\" } }";

#[test]
fn members_are_declared_of_services_that_speak_in_several_ways() {
    let (moto, gateway) = with_moto(ALARMS);
    assert_eq!(
        case(&moto, &gateway, "alarms"),
        json!([["***", "code Q7-4499"], ["***", "card **** **** **** 1111"]])
    );
    let masks = masks(gateway);
    assert!(
        masks.contains(&told("alarm", "declared", "/MetricAlarms/AlarmName")),
        "{masks:?}"
    );
}

/// A text in CBOR.
fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    [&[0x78, length], text.as_bytes()].concat()
}

/// A map of texts with these values in CBOR.
fn map(of: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let members = of
        .iter()
        .flat_map(|(name, value)| [text(name), value.clone()]);
    let head = vec![0xA0 + u8::try_from(of.len()).unwrap()];
    std::iter::once(head).chain(members).flatten().collect()
}

#[test]
fn answers_in_cbor_are_searched_and_declared_members_hidden() {
    let answer = |name: &str, description: &str, other: &str| {
        let alarm = map(&[
            ("AlarmName", text(name)),
            ("AlarmDescription", text(description)),
        ]);
        let alarms = [vec![0x81], alarm].concat();
        map(&[("MetricAlarms", alarms), ("AlarmName", text(other))])
    };
    let ask = |raw: &Raw| {
        let path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms";
        let fields = [
            ("content-length", "1"),
            ("content-type", "application/cbor"),
            ("smithy-protocol", "rpc-v2-cbor"),
        ];
        let request = raw.signed("monitoring", "POST", path, &fields, &[0xA0]);
        exchange(raw.address, &request, false)
    };
    let cbor = "Content-Type: application/cbor\r\nsmithy-protocol: rpc-v2-cbor\r\n";
    let whole = answer("one", "card 4111111111111111", "one");
    let (_target, _gateway, raw) = canned(saying("200 OK", cbor, &whole), ALARMS);
    let reply = ask(&raw);
    assert_eq!(
        reply.body,
        answer("***", "card ************1111", "one"),
        "{reply:?}"
    );

    let cut = &whole[..whole.len() - 1];
    let (_target, _gateway, raw) = canned(saying("200 OK", cbor, cut), ALARMS);
    let reply = ask(&raw);
    assert!(reply.status != 200 || !reply.whole, "{reply:?}");
    assert!(!reply.text().contains("one"), "{reply:?}");
}

fn saying(status: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn canned(answer: Vec<u8>, declared: &str) -> (Canned, Gateway, Raw) {
    let (target, gateway) = lake::of_canned(answer, |config| answers(config, declared));
    let raw = Raw::of(&gateway, "lake", &[]);
    (target, gateway, raw)
}

const JSON: &str = "Content-Type: application/json\r\n";

/// A request of the RDS Data API.
fn execute(raw: &Raw) -> Reply {
    execute_so(raw, r#""sql":"SELECT *","includeResultMetadata":true"#)
}

fn execute_so(raw: &Raw, rest: &str) -> Reply {
    let cluster = "arn:aws:rds:eu-central-1:111111111111:cluster:bank";
    let body = format!(r#"{{"resourceArn":"{cluster}","secretArn":"arn:x",{rest}}}"#);
    let body = body.as_bytes();
    let length = body.len().to_string();
    let fields = [
        ("content-length", length.as_str()),
        ("content-type", "application/json"),
    ];
    let request = raw.signed("rds-data", "POST", "/Execute", &fields, body);
    exchange(raw.address, &request, false)
}

const COLUMNS: &str =
    "{ service = \"rds-data\", columns = { SSN = \"us_ssn\", code = \"staff_code\" } }";

#[test]
fn columns_of_the_rds_data_api_are_hidden_by_name() {
    let answer = r#"{"numberOfRecordsUpdated":0,"records":[[{"longValue":7},{"stringValue":"Q7-\u0034"},{"isNull":true}],
        [{"longValue":8},{"stringValue":"none"},{"booleanValue":false}]],"formattedRecords":"[{\"ssn\":1}]",
        "columnMetadata":[{"name":"id","label":"id"},{"name":"ssn","label":"x"},{"name":"y","label":"code"}]}"#;
    let shown = answer
        .replace("Q7-\\u0034", "*********")
        .replace("\"none\"", "\"****\"")
        .replace("false", "null ")
        .replace("[{\\\"ssn\\\":1}]", "*************");
    let (_target, gateway, raw) = canned(saying("200 OK", JSON, answer.as_bytes()), COLUMNS);
    let reply = execute(&raw);
    assert_eq!((reply.status, reply.text()), (200, shown));
    let masks = masks(gateway);
    assert!(
        masks.contains(&told("us_ssn", "declared", "column SSN"))
            && masks.contains(&told("staff_code", "declared", "column code")),
        "{masks:?}"
    );
}

/// What the database says went wrong holds values, and what it made up has no names.
#[test]
fn errors_and_generated_fields_of_the_rds_data_api_show_no_values() {
    for (message, shown) in [
        (
            "ERROR: duplicate key value violates unique constraint \\\"u\\\"\\n  Detail: Key (ssn)=(kiwi) already exists.; SQLState: 23505",
            "ERROR: duplicate key value violates unique constraint \\\"*\\\"\\n  Detail: Key (ssn)=(****) already exists.; SQLState: 23505",
        ),
        (
            "ERROR: invalid input syntax for type integer: \\\"kiwi\\\"; SQLState: 22P02",
            "ERROR: invalid input syntax for type integer: \\\"****\\\"; SQLState: 22P02",
        ),
        (
            "ERROR: null value\\n  Detail: Failing row contains (7, kiwi).; SQLState: 23502",
            "ERROR: null value\\n  Detail: Failing row contains (*******).; SQLState: 23502",
        ),
        (
            "Database error code: 1062. Message: Duplicate entry 'kiwi' for key 'ssn'",
            "Database error code: 1062. Message: Duplicate entry '******************'",
        ),
        (
            "ERROR: relation \\\"peple\\\" does not exist; Position: 15; SQLState: 42P01",
            "ERROR: relation \\\"peple\\\" does not exist; Position: 15; SQLState: 42P01",
        ),
    ] {
        for name in ["message", "Message"] {
            let answer = |message| format!(r#"{{"{name}":"{message}"}}"#);
            let said = saying("400 Bad Request", JSON, answer(message).as_bytes());
            let (_target, _gateway, raw) = canned(said, COLUMNS);
            let reply = execute(&raw);
            assert_eq!((reply.status, reply.text()), (400, answer(shown)));
        }
    }
    let answer = r#"{"generatedFields":[{"stringValue":"kiwi"},{"longValue":12}],"numberOfRecordsUpdated":1}"#;
    let (_target, gateway, raw) = canned(saying("200 OK", JSON, answer.as_bytes()), COLUMNS);
    let shown = answer.replace("kiwi", "****").replace("12}", "0 }");
    assert_eq!(execute(&raw).text(), shown);
    drop(gateway);
    // Where nothing is declared all is as it was.
    let members = "{ service = \"rds-data\", members = { code = \"staff_code\" } }";
    let (_target, _gateway, raw) = canned(saying("200 OK", JSON, answer.as_bytes()), members);
    assert_eq!(execute(&raw).text(), answer);
}

#[test]
fn what_is_declared_and_cannot_be_found_is_withheld() {
    // Rows without names, fewer names than values, no JSON to its end, and another form.
    for answer in [
        r#"{"records":[[{"stringValue":"Q7-4499"}]]}"#,
        r#"{"records":[[{"longValue":1},{"stringValue":"Q7-4499"}]],"columnMetadata":[{"name":"id"}]}"#,
        r#"{"records":[[{"stringValue":"Q7-4499"}]],"columnMetadata":[{"name":"ssn"}]"#,
        r#"{"records":[[{"stringValue":'Q7-4499'}]]}"#,
        "<records>Q7-4499</records>",
        "Q7-4499",
    ] {
        let (_target, _gateway, raw) = canned(saying("200 OK", JSON, answer.as_bytes()), COLUMNS);
        let reply = execute(&raw);
        assert!(!reply.text().contains("Q7-4499"), "{answer}: {reply:?}");
        assert!(reply.status != 200 || !reply.whole, "{answer}: {reply:?}");
    }
    // Nothing in it is of a row.
    let none = r#"{"numberOfRecordsUpdated":3}"#;
    let (_target, _gateway, raw) = canned(saying("200 OK", JSON, none.as_bytes()), COLUMNS);
    assert_eq!(execute(&raw).text(), none);
}

/// What would run and then be withheld is refused before, where that is known, and what ran is told to have run.
#[test]
fn a_statement_that_ran_is_not_told_to_be_refused() {
    let rows = r#"{"records":[[{"stringValue":"Q7-4499"}]]}"#;
    let (target, _gateway, raw) = canned(saying("200 OK", JSON, rows.as_bytes()), COLUMNS);
    for sql in [
        "SELECT code FROM staff",
        "insert into a values (1) RETURNING\\ncode",
    ] {
        let reply = execute_so(&raw, &format!(r#""sql":"{sql}""#));
        assert_eq!(reply.status, 403, "{reply:?}");
        assert!(
            reply.text().contains("set includeResultMetadata"),
            "{reply:?}"
        );
        assert_eq!(target.heads().len(), 0);
    }
    let reply = execute_so(&raw, r#""sql":"insert into a values (1)""#);
    assert!(
        reply.text().contains("the request was carried out"),
        "{reply:?}"
    );
    assert_eq!(target.heads().len(), 1);
}

/// SDKs try again by the status, and not after an access denied.
#[test]
fn errors_that_cannot_be_inspected_keep_their_status() {
    let page = "<html>Q7-4499 busy</html>";
    for (status, code) in [
        ("503 Busy", "ServiceUnavailableException"),
        ("429 Slow", "ThrottlingException"),
        ("413 Long", "UnknownError"),
    ] {
        let answer = saying(status, "Content-Type: text/html\r\n", page.as_bytes());
        let (_target, gateway, raw) = canned(answer, COLUMNS);
        let reply = execute(&raw);
        assert_eq!(reply.status.to_string(), status[..3], "{reply:?}");
        assert_eq!(reply.field("x-amzn-errortype"), Some(code), "{reply:?}");
        assert!(!reply.text().contains("busy"), "{reply:?}");
        let (_, config) = gateway.stop();
        let ledger = config.ledger();
        let outcome = ledger.events("outcome").pop().unwrap();
        assert_eq!(
            outcome["outcome"]["status"]["failed"],
            status[..3],
            "{outcome}"
        );
    }
    // What has no length is waited for, and what is no text is not shown either.
    let fields = "Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n";
    let chunked =
        format!("HTTP/1.1 503 Busy\r\n{fields}Connection: close\r\n\r\n4\r\nbusy\r\n0\r\n\r\n");
    let binary = saying("502 Bad", "", b"\x00\x01Q7");
    for (answer, status) in [(chunked.into_bytes(), 503), (binary, 502)] {
        let (_target, _gateway, raw) = canned(answer, COLUMNS);
        let reply = execute(&raw);
        assert_eq!((reply.status, reply.whole), (status, true), "{reply:?}");
    }
}

#[test]
fn declared_members_are_hidden_in_xml_and_under_compression() {
    let declared = "{ service = \"iam\", members = { \"/GetUserResponse/GetUserResult/User/Path\" = \"staff_path\" } }";
    let xml = "<GetUserResponse><GetUserResult><User><Path>/a/</Path><UserName>/a/</UserName></User></GetUserResult></GetUserResponse>";
    let user = |raw: &Raw| {
        let body = b"Action=GetUser&Version=2010-05-08";
        let length = body.len().to_string();
        let fields = [
            ("content-length", length.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let request = raw.signed("iam", "POST", "/", &fields, body);
        exchange(raw.address, &request, false)
    };
    let (_target, _gateway, raw) = canned(
        saying("200 OK", "Content-Type: text/xml\r\n", xml.as_bytes()),
        declared,
    );
    let reply = user(&raw);
    assert_eq!(reply.text(), xml.replace("<Path>/a/", "<Path>***"));

    let members =
        "{ service = \"rds-data\", members = { \"$.records.stringValue\" = \"staff_code\" } }";
    let answer = r#"{"records":[[{"stringValue":"Q7-4499"}]]}"#;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(answer.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let fields = format!("{JSON}Content-Encoding: gzip\r\n");
    let (_target, _gateway, raw) = canned(saying("200 OK", &fields, &packed), members);
    let reply = execute(&raw);
    let mut text = String::new();
    let mut reader = flate2::read::GzDecoder::new(reply.body.as_slice());
    std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
    assert_eq!(text, answer.replace("Q7-4499", "*******"));
}

/// Policy shows the class to some, and what else is hidden stays so.
#[test]
fn who_may_see_a_declared_class_does() {
    let reveal = r#"@id("codes") permit (principal in Group::"staff", action == Action::"reveal", resource == DataClass::"staff_code");"#;
    let answer = r#"{"records":[[{"stringValue":"Q7-4499"}]],"generated":"4111111111111111"}"#;
    let declared = "{ service = \"rds-data\", members = { stringValue = \"staff_code\" } }";
    let (_target, gateway) = lake::of_canned(saying("200 OK", JSON, answer.as_bytes()), |config| {
        answers(config, declared).policy("20-reveal.cedar", reveal)
    });
    let shown = execute(&Raw::of(&gateway, "lake", &["staff"])).text();
    assert_eq!(
        shown,
        answer.replace("4111111111111111", "************1111")
    );
    let hidden = execute(&Raw::of(&gateway, "lake", &[])).text();
    assert!(!hidden.contains("Q7-4499"), "{hidden}");
}

#[test]
fn check_names_a_path_that_could_fit_nothing() {
    let moto = Canned::start("");
    let config = Config::canned(&moto).policy("10-lake.cedar", POLICIES);
    let config = answers(
        config,
        "{ service = \"dynamodb\", members = { \"Items.*.ssn.S\" = \"us_ssn\" } }",
    );
    let said = config.countersign(&["check"]).failure();
    let said = said.stdout + &said.stderr;
    assert!(
        said.contains("Items.*.ssn.S")
            && said.contains("is no member")
            && said.contains("countersign.toml:"),
        "{said}"
    );
}

/// What boto3 signs and reads by Smithy RPC v2: the target gives `{"MetricAlarms": [{"AlarmName": …, "AlarmDescription": …, "Threshold": 1.5}]}`.
#[test]
fn boto3_reads_cbor_in_which_something_is_hidden() {
    let text = |text: &str| [&[0x60 | text.len() as u8][..], text.as_bytes()].concat();
    let body = [
        &[0xA1][..],
        &text("MetricAlarms"),
        &[0x81, 0xA3],
        &text("AlarmName"),
        &text("one"),
        &text("AlarmDescription"),
        &text("4111111111111111"),
        &text("Threshold"),
        &[0xF9, 0x3E, 0x00],
    ]
    .concat();
    let fields = "smithy-protocol: rpc-v2-cbor\r\nContent-Type: application/cbor\r\n";
    let (target, gateway) = for_boto3(&body, fields);
    let agent = Agent::new(&gateway, "lake", &[]);
    let said = agent.answers("", &["cbor"]).success().json_lines();
    assert_eq!(said[0]["result"], json!([["one", "************1111", 1.5]]));
    let heads = target.heads();
    assert!(
        heads[0][0].contains("/service/GraniteServiceVersion20100801/operation/DescribeAlarms"),
        "{heads:?}"
    );
    let (_, config) = gateway.stop();
    let intents = config.ledger().events("intent").len();
    assert_eq!(intents, 1);
}

/// A target that gives boto3 this body, and a gateway before it.
fn for_boto3(body: &[u8], fields: &str) -> (Canned, Gateway) {
    let target = Canned::start(saying("200 OK", fields, body));
    let keys = Canned::keys();
    let secret = String::from_utf8_lossy(keys.secret_key.expose()).into_owned();
    let config = Config::account(target.address, &keys.access_key, &secret);
    let gateway = Gateway::start(config.policy("10-lake.cedar", POLICIES));
    (target, gateway)
}

/// It reads no answer in which a timestamp is none.
#[test]
fn boto3_reads_timestamps_that_are_hidden() {
    let key = br#"{"Key":"v1.public.hunter2","CreateTime":"2026-11-28T17:08:22.123Z","UpdateTime":"2026-11-28T17:08:22Z","Restrictions":{"AllowActions":["geo:*"]}}"#;
    let (_target, gateway) = for_boto3(key, JSON);
    let agent = Agent::new(&gateway, "lake", &[]);
    let said = agent.answers("", &["timestamps"]).success().json_lines();
    assert_eq!(
        said[0]["result"],
        json!([
            "*****************",
            "1970-01-01T00:00:00+00:00",
            "1970-01-01T00:00:00+00:00"
        ])
    );
}
