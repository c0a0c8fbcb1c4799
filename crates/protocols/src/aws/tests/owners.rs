//! What is of another account or region is no resource of the target's own, and nothing stands in for what is acted on.

use super::super::classify::Thing;
use super::call;

const FORM: &str = "POST /\ncontent-type: application/x-www-form-urlencoded";

/// The names of what a call is done to; `None` where it is opaque.
fn names(service: &str, text: &str, body: &str) -> Option<Vec<String>> {
    let call = call(service, text, body.as_bytes());
    call.operation?;
    let name = |thing| match thing {
        Thing::Named { name, .. } => name,
        Thing::Service => "the service".to_owned(),
        other => panic!("{other:?}"),
    };
    Some(call.things.into_iter().map(name).collect())
}

#[test]
fn the_account_stays_in_the_name_of_what_is_anothers() {
    let other = "arn:aws:dynamodb:eu-west-1:666666666666:table/payments";
    for (service, text, body, expected) in [
        (
            "dynamodb",
            "POST /\nx-amz-target: DynamoDB_20120810.PutItem",
            format!("{{\"TableName\":\"{other}\"}}"),
            other,
        ),
        (
            "sqs",
            "POST /\nx-amz-target: AmazonSQS.SendMessage",
            r#"{"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/666666666666/allowed"}"#.to_owned(),
            "666666666666/allowed",
        ),
        (
            "sqs",
            "POST /\nx-amz-target: AmazonSQS.SendMessage",
            r#"{"QueueUrl":"https://x/111111111111/allowed"}"#.to_owned(),
            "allowed",
        ),
        (
            "sns",
            FORM,
            "Action=Publish&Version=2010-03-31&TopicArn=arn:aws:sns:eu-west-1:666666666666:allowed"
                .to_owned(),
            "arn:aws:sns:eu-west-1:666666666666:allowed",
        ),
        (
            "lambda",
            "POST /2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A111111111111%3Afunction%3Af/invocations",
            String::new(),
            "arn:aws:lambda:us-east-1:111111111111:function:f",
        ),
        (
            "ecr",
            "POST /\nx-amz-target: AmazonEC2ContainerRegistry_V20150921.PutImage",
            r#"{"repositoryName":"allowed","registryId":"666666666666"}"#.to_owned(),
            "666666666666/allowed",
        ),
        (
            "ecr",
            "POST /\nx-amz-target: AmazonEC2ContainerRegistry_V20150921.PutImage",
            r#"{"repositoryName":"allowed","registryId":"111111111111"}"#.to_owned(),
            "allowed",
        ),
        (
            "s3",
            "GET /v20180820/accesspoint/x\nx-amz-account-id: 666666666666",
            String::new(),
            "666666666666/x",
        ),
    ] {
        assert_eq!(
            names(service, text, &body).unwrap(),
            [expected],
            "{text} {body}"
        );
    }
}

#[test]
fn nothing_stands_in_for_the_resource() {
    let of = |parameters: &str| {
        let body = format!("Action=Publish&Version=2010-03-31&{parameters}");
        names("sns", FORM, &body)
    };
    let own = "arn:aws:sns:eu-west-1:111111111111:allowed";
    assert_eq!(of(&format!("TopicArn={own}")).unwrap(), ["allowed"]);
    assert_eq!(
        of(&format!("TopicArn={own}&TargetArn=other&PhoneNumber=%2B1")).unwrap(),
        ["allowed", "other", "the service"]
    );
    // A number is sensitive, so it is no name: who may send to the service may send to it.
    assert_eq!(of("PhoneNumber=%2B1").unwrap(), ["the service"]);
    for decoy in ["TopicArn.x", "TopicArn.1", "TopicArn.member.1"] {
        assert_eq!(
            of(&format!("{decoy}={own}&PhoneNumber=%2B1")),
            None,
            "{decoy}"
        );
    }
    let list = "Action=RebootInstances&Version=2016-11-15&InstanceId.1=i-1";
    assert_eq!(names("ec2", FORM, list).unwrap(), ["i-1"]);
    for decoy in [
        "InstanceId=i-2",
        "InstanceId.member.2=i-2",
        "InstanceId.x=i-2",
    ] {
        assert_eq!(
            names("ec2", FORM, &format!("{list}&{decoy}")),
            None,
            "{decoy}"
        );
    }
}

#[test]
fn where_from_and_where_to_are_asked_about_too() {
    for (service, target, body, expected) in [
        (
            "dynamodb",
            "DynamoDB_20120810.RestoreTableToPointInTime",
            r#"{"TargetTableName":"a","SourceTableName":"b"}"#,
            ["a", "b"],
        ),
        (
            "sqs",
            "AmazonSQS.StartMessageMoveTask",
            r#"{"SourceArn":"a","DestinationArn":"b"}"#,
            ["a", "b"],
        ),
        (
            "kinesis",
            "Kinesis_20131202.PutRecord",
            r#"{"StreamName":"a","StreamARN":"b","PartitionKey":"p"}"#,
            ["a", "b"],
        ),
    ] {
        let text = format!("POST /\nx-amz-target: {target}");
        assert_eq!(names(service, &text, body).unwrap(), expected, "{target}");
    }
}

/// Each asks with a member that may be left out, set to what is permitted, and acts on something else.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_may_be_left_out_names_nothing_where_something_is_required() {
    let target = |name: &str| format!("POST /\nx-amz-target: {name}");
    for (service, text, body, expected) in [
        (
            "ecs",
            target("AmazonEC2ContainerServiceV20141113.RunTask"),
            r#"{"taskDefinition":"evil","referenceId":"web"}"#,
            &["evil"][..],
        ),
        (
            "ecs",
            target("AmazonEC2ContainerServiceV20141113.UpdateService"),
            r#"{"cluster":"prod","service":"web"}"#,
            &["prod/web"],
        ),
        (
            "ecs",
            target("AmazonEC2ContainerServiceV20141113.StopTask"),
            r#"{"cluster":"prod","task":"t"}"#,
            &["prod/t"],
        ),
        (
            "ssm",
            target("AmazonSSM.StartSession"),
            r#"{"Target":"i-2","DocumentName":"i-1"}"#,
            &["i-2", "i-1"],
        ),
        (
            "ssm",
            target("AmazonSSM.SendCommand"),
            r#"{"InstanceIds":["i-1","i-2"],"DocumentName":"Run"}"#,
            &["i-1/Run", "i-2/Run"],
        ),
        (
            "ssm",
            target("AmazonSSM.GetParametersByPath"),
            r#"{"Path":"/prod"}"#,
            &["/prod"],
        ),
        (
            "codebuild",
            target("CodeBuild_20161006.UpdateProject"),
            r#"{"name":"evil","encryptionKey":"web"}"#,
            &["evil"],
        ),
        (
            "codebuild",
            target("CodeBuild_20161006.BatchDeleteBuilds"),
            r#"{"ids":["a","b"]}"#,
            &["a", "b"],
        ),
        (
            "events",
            target("AWSEvents.PutTargets"),
            r#"{"Rule":"evil","EventBusName":"bus","Targets":[]}"#,
            &["bus/evil"],
        ),
        (
            "logs",
            target("Logs_20140328.GetLogEvents"),
            r#"{"logGroupName":"other","logStreamName":"s"}"#,
            &["other/s"],
        ),
        (
            "transfer",
            target("TransferService.ImportCertificate"),
            r#"{"Certificate":"c","PrivateKey":"web"}"#,
            &[],
        ),
        (
            "iam",
            FORM.to_owned(),
            "Action=UploadServerCertificate&Version=2010-05-08&ServerCertificateName=c&PrivateKey=p",
            &["c"],
        ),
        (
            "iam",
            FORM.to_owned(),
            "Action=UpdateAccessKey&Version=2010-05-08&UserName=u&AccessKeyId=k&Status=Active",
            &["u/k"],
        ),
        (
            "ec2",
            FORM.to_owned(),
            "Action=CreateTags&Version=2016-11-15&ResourceId.1=i-1&ResourceId.2=i-2&Tag.1.Key=a",
            &["i-1", "i-2"],
        ),
        (
            "ses",
            FORM.to_owned(),
            "Action=SendRawEmail&Version=2010-12-01&SourceArn=web&RawMessage.Data=x",
            &["web", "the service"],
        ),
        (
            "secretsmanager",
            target("secretsmanager.BatchGetSecretValue"),
            r#"{"SecretIdList":["a","b"]}"#,
            &["a", "b"],
        ),
    ] {
        let names = names(service, &text, body);
        assert_eq!(names.unwrap(), expected, "{text} {body}");
    }
}

#[test]
fn what_is_no_account_is_nothing_that_things_stand_in() {
    let post = |target: &str| format!("POST /\nx-amz-target: {target}");
    // Of these operations the member is none, and AWS passes over it.
    for (service, target, body, expected) in [
        (
            "ecs",
            "AmazonEC2ContainerServiceV20141113.DeleteService",
            r#"{"service":"web","AccountId":"prod"}"#,
            "web",
        ),
        (
            "secretsmanager",
            "secretsmanager.GetSecretValue",
            r#"{"SecretId":"key","AccountId":"app"}"#,
            "key",
        ),
        (
            "dynamodb",
            "DynamoDB_20120810.GetItem",
            r#"{"TableName":"people","AccountId":"999999999999"}"#,
            "people",
        ),
    ] {
        assert_eq!(names(service, &post(target), body).unwrap(), [expected]);
    }
    let image = post("AmazonEC2ContainerRegistry_V20150921.PutImage");
    let body = r#"{"repositoryName":"r","registryId":"prod"}"#;
    assert_eq!(names("ecr", &image, body), None);
}
