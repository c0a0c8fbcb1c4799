//! What calls do to buckets beside what they are done to.

use mask::{Masker, MaskerConfig};

use super::super::command::{Body, command};
use super::{call, head};

const JSON: &str = "POST /\nx-amz-target: ";
const FORM: &str = "POST /\ncontent-type: application/x-www-form-urlencoded";

/// What policy is asked, as `action kind name`.
fn asked(service: &str, text: &str, body: &str) -> Vec<String> {
    let masker = Masker::new(MaskerConfig::default());
    let call = call(service, text, body.as_bytes());
    let body = Body::Whole(body.as_bytes());
    let command = command(&call, &head(text), body, &masker, &[].into());
    let asks = command.asks.list().iter();
    let text = |ask: &model::Ask| {
        let resource = &ask.resource;
        format!("{} {} {}", ask.action, resource.kind, resource.name)
    };
    asks.map(text).collect()
}

fn json(service: &str, target: &str, body: &str) -> Vec<String> {
    asked(service, &format!("{JSON}{target}"), body)
}

#[test]
fn what_is_carried_away_asks_where_it_comes_from_and_where_it_goes() {
    let export = r#"{"TableArn":"arn:aws:dynamodb:eu-west-1:111111111111:table/people","S3Bucket":"open","S3Prefix":"x"}"#;
    assert_eq!(
        json(
            "dynamodb",
            "DynamoDB_20120810.ExportTableToPointInTime",
            export
        ),
        [
            "write Resource dynamodb:people",
            "write Object open/x",
            "write Object open/x/"
        ]
    );
    let stream =
        r#"{"TableName":"people","StreamArn":"arn:aws:kinesis:eu-west-1:666666666666:stream/ss"}"#;
    assert_eq!(
        json(
            "dynamodb",
            "DynamoDB_20120810.EnableKinesisStreamingDestination",
            stream
        )[0],
        "write Resource dynamodb:people"
    );
    let restore = r#"{"TargetTableName":"mine","BackupArn":"arn:aws:dynamodb:eu-west-1:111111111111:table/people/backup/1"}"#;
    assert_eq!(
        json(
            "dynamodb",
            "DynamoDB_20120810.RestoreTableFromBackup",
            restore
        ),
        [
            "write Resource dynamodb:mine",
            "write Resource dynamodb:people/backup/1"
        ]
    );
    let import = r#"{"S3BucketSource":{"S3Bucket":"vault"},"InputFormat":"CSV","TableCreationParameters":{"TableName":"mine"}}"#;
    assert_eq!(
        json("dynamodb", "DynamoDB_20120810.ImportTable", import),
        ["write Resource dynamodb:mine", "read Bucket vault"]
    );
    let task =
        r#"{"logGroupName":"app","from":0,"to":1,"destination":"open","destinationPrefix":"p"}"#;
    assert_eq!(
        json("logs", "Logs_20140328.CreateExportTask", task),
        [
            "write Resource logs:app",
            "write Object open/p",
            "write Object open/p/"
        ]
    );
    let query =
        r#"{"QueryString":"select 1","ResultConfiguration":{"OutputLocation":"s3://open/a/b"}}"#;
    let asks = json("athena", "AmazonAthena.StartQueryExecution", query);
    let both = ["write Object open/a/b", "write Object open/a/b/"];
    assert!(asks.ends_with(&both.map(str::to_owned)), "{asks:?}");
    let form = "Action=StartExportTask&Version=2014-10-31&ExportTaskIdentifier=x&SourceArn=arn%3Aaws%3Ards%3Aeu-west-1%3A111111111111%3Asnapshot%3As&S3BucketName=open&S3Prefix=p";
    assert_eq!(
        asked("rds", FORM, form),
        [
            "write Resource rds:x",
            "write Resource rds:s",
            "write Object open/p",
            "write Object open/p/"
        ]
    );
}

/// What keys begin with may be a folder: a policy about `secret/*` means it however it is written.
#[test]
fn what_keys_begin_with_asks_for_the_folder_too() {
    let transform = |uri: &str| {
        let body = format!(
            r#"{{"TransformInput":{{"DataSource":{{"S3DataSource":{{"S3Uri":"{uri}"}}}}}},"TransformOutput":{{"S3OutputPath":"s3://open/out/"}}}}"#
        );
        json("sagemaker", "SageMaker.CreateTransformJob", &body)
    };
    let out = "write Object open/out/";
    let read = ["read Object vault/in", "read Object vault/in/"];
    let asks = transform("s3://vault/in");
    assert_eq!(
        asks.iter().filter(|it| read.contains(&it.as_str())).count(),
        2
    );
    assert_eq!(asks.iter().filter(|it| *it == out).count(), 1, "{asks:?}");
    assert!(!asks.iter().any(|it| it == "write Object open/out"));
    let asks = transform("s3://vault/in/../secret");
    assert!(
        asks.iter().any(|it| it == "read Object vault/secret/"),
        "{asks:?}"
    );
}

#[test]
fn what_a_service_reads_asks_to_be_read() {
    let document = r#"{"Document":{"S3Object":{"Bucket":"vault","Name":"scan.png"}}}"#;
    let asks = json("textract", "Textract.DetectDocumentText", document);
    assert_eq!(asks.last().unwrap(), "read Object vault/scan.png");
    let faces = r#"{"SourceImage":{"S3Object":{"Bucket":"vault","Name":"a"}},"TargetImage":{"S3Object":{"Bucket":"open","Name":"b"}}}"#;
    let asks = json("rekognition", "RekognitionService.CompareFaces", faces);
    assert_eq!(asks[1..], ["read Object vault/a", "read Object open/b"]);
    let location = r#"{"S3BucketArn":"arn:aws:s3:::vault","S3Config":{"BucketAccessRoleArn":"arn:aws:iam::1:role/r"}}"#;
    let asks = json("datasync", "FmrsService.CreateLocationS3", location);
    let both = ["read Bucket vault", "write Bucket vault"];
    assert!(asks.ends_with(&both.map(str::to_owned)), "{asks:?}");
    let code = r#"{"S3Bucket":"vault","S3Key":"f.zip"}"#;
    let put = "PUT /2015-03-31/functions/f/code";
    assert_eq!(
        asked("lambda", put, code),
        ["write Resource lambda:f", "read Object vault/f.zip"]
    );
    let stack = "Action=CreateStack&Version=2010-05-15&StackName=s&TemplateURL=https%3A%2F%2Fs3.eu-west-1.amazonaws.com%2Fvault%2Ft.json";
    let asks = asked("cloudformation", FORM, stack);
    assert_eq!(asks.last().unwrap(), "read Object vault/t.json");
    let stack = stack
        .replace("s3.eu-west-1", "vault.s3")
        .replace("com%2Fvault", "com");
    let asks = asked("cloudformation", FORM, &stack);
    assert_eq!(asks.last().unwrap(), "read Object vault/t.json");
    // Dots are part of the key, or are not.
    for dots in ["open%2F..", "open%2F%252e%252e"] {
        let dotted = stack.replace("com%2Ft", &format!("com%2F{dots}%2Fsecret%2Ft"));
        let both = [
            "read Object vault/open/../secret/t.json",
            "read Object vault/secret/t.json",
        ];
        let asks = asked("cloudformation", FORM, &dotted);
        assert!(asks.ends_with(&both.map(str::to_owned)), "{asks:?}");
    }
    let outside = stack.replace("com%2Ft", "com%2F..%2Ft");
    let asks = asked("cloudformation", FORM, &outside);
    assert_eq!(asks, ["opaque Service cloudformation"]);
}

#[test]
fn files_of_objects_that_are_called_otherwise_ask_to_be_read() {
    let containers = r#"{"family":"f","containerDefinitions":[{"name":"c","environmentFiles":[{"type":"s3","value":"arn:aws:s3:::vault/a.env"}],
        "environment":[{"name":"D","value":"s3://open/d"},{"name":"E","value":"arn:aws:s3:::open/e"}],
        "credentialSpecs":["credentialspec:arn:aws:s3:::vault/spec.json"]}]}"#;
    let target = "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition";
    let asks = json("ecs", target, containers);
    let read = ["read Object vault/a.env", "read Object vault/spec.json"];
    let objects: Vec<_> = asks.iter().filter(|it| it.contains("Object")).collect();
    assert_eq!(objects, read, "{asks:?}");
    let run = r#"{"taskDefinition":"f","overrides":{"containerOverrides":[{"environmentFiles":[{"value":"arn:aws:s3:::vault/a.env","type":"s3"}]}]}}"#;
    let asks = json("ecs", "AmazonEC2ContainerServiceV20141113.RunTask", run);
    assert_eq!(asks.last().unwrap(), read[0]);
    let project = r#"{"name":"p","source":{"type":"S3","location":"vault/in.zip"},"artifacts":{"type":"S3","location":"open","path":"out"},
        "fileSystemLocations":[{"location":"fs-1.efs.eu-west-1.amazonaws.com:/x"}]}"#;
    let asks = json("codebuild", "CodeBuild_20161006.CreateProject", project);
    for wanted in ["read Object vault/in.zip", "write Object open/out/"] {
        assert!(asks.iter().any(|it| it == wanted), "{wanted} {asks:?}");
    }
    let form = "Action=CreateCacheCluster&Version=2015-02-02&CacheClusterId=c&SnapshotArns.SnapshotArn.1=arn%3Aaws%3As3%3A%3A%3Avault%2Fdump.rdb";
    let asks = asked("elasticache", FORM, form);
    assert_eq!(asks.last().unwrap(), "read Object vault/dump.rdb");
}

#[test]
fn a_parameter_that_stands_for_a_secret_asks_for_that() {
    let one = r#"{"Name":"/aws/reference/secretsmanager/prod/db","WithDecryption":true}"#;
    let asks = json("ssm", "AmazonSSM.GetParameter", one);
    assert_eq!(asks[1..], ["read Resource secretsmanager:prod/db"]);
    let many = r#"{"Names":["a","/aws/reference/secretsmanager/prod/db"]}"#;
    let asks = json("ssm", "AmazonSSM.GetParameters", many);
    assert_eq!(asks[2..], ["read Resource secretsmanager:prod/db"]);
}

#[test]
fn settings_of_buckets_ask_for_the_other_bucket() {
    let replication = "<ReplicationConfiguration><Role>r</Role><Rule><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::open</Bucket></Destination></Rule></ReplicationConfiguration>";
    let asks = asked("s3", "PUT /vault?replication", replication);
    assert_eq!(asks.last().unwrap(), "write Bucket open", "{asks:?}");
    let inventory = "<InventoryConfiguration><Destination><S3BucketDestination><Bucket>arn:aws:s3:::open</Bucket><Prefix>p</Prefix></S3BucketDestination></Destination></InventoryConfiguration>";
    let asks = asked("s3", "PUT /vault?inventory&id=a", inventory);
    assert_eq!(asks.last().unwrap(), "write Object open/p/");
    let select = "<RestoreRequest><Type>SELECT</Type><OutputLocation><S3><BucketName>open</BucketName><Prefix>p</Prefix></S3></OutputLocation></RestoreRequest>";
    let asks = asked("s3", "POST /vault/k?restore", select);
    assert_eq!(asks.last().unwrap(), "write Object open/p/");
}

#[test]
fn what_has_another_name_or_cannot_be_read_is_opaque() {
    for bucket in ["ap-1a2b-s3alias", "arn:aws:s3:eu-west-1:1:accesspoint/ap"] {
        let task = format!(r#"{{"logGroupName":"app","destination":"{bucket}"}}"#);
        let asks = json("logs", "Logs_20140328.CreateExportTask", &task);
        assert_eq!(asks, ["opaque Service logs"], "{bucket}");
    }
    let asks = asked(
        "lambda",
        "PUT /2015-03-31/functions/f/code",
        "{\"S3Bucket\"",
    );
    assert_eq!(asks, ["opaque Service lambda"]);
    let many = vec![r#""S3Bucket":"a""#; 2_000].join(",");
    let asks = asked(
        "lambda",
        "PUT /2015-03-31/functions/f/code",
        &format!("{{{many}}}"),
    );
    assert_eq!(asks, ["opaque Service lambda"]);
    // Both count, whichever the service takes.
    let twice = r#"{"S3Bucket":"a","S3Bucket":"b"}"#;
    let asks = asked("lambda", "PUT /2015-03-31/functions/f/code", twice);
    assert_eq!(asks[1..], ["read Bucket a", "read Bucket b"]);
}

#[test]
fn content_is_no_place() {
    let item = r#"{"TableName":"t","Item":{"S3Bucket":{"S":"vault"},"OutputLocation":{"S":"s3://vault/x"}}}"#;
    assert_eq!(
        json("dynamodb", "DynamoDB_20120810.PutItem", item),
        ["write Resource dynamodb:t"]
    );
    // A long program with nothing of S3 in it is as it was.
    let zip = format!("{{\"ZipFile\":\"{}\"}}", "A".repeat(200_000));
    let asks = asked("lambda", "PUT /2015-03-31/functions/f/code", &zip);
    assert_eq!(asks, ["write Resource lambda:f"]);
}
