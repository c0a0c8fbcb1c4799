//! What names more than one thing, or something else than is expected there; and what servers could read in another way.

use super::super::classify::Thing;
use super::super::inside;
use super::{call, head};

const FORM: &str = "POST /\ncontent-type: application/x-www-form-urlencoded";

/// What a call names, or nothing where it is opaque.
fn names(service: &str, target: &str, body: &str) -> Option<Vec<String>> {
    let text = match target {
        "" => FORM.to_owned(),
        target if target.contains(' ') => target.to_owned(),
        target => format!("POST /\nx-amz-target: {target}"),
    };
    let call = call(service, &text, body.as_bytes());
    call.operation?;
    let names = call.things.into_iter().map(|thing| match thing {
        Thing::Named { name, .. } => name,
        thing => format!("{thing:?}"),
    });
    Some(names.collect())
}

fn check(service: &str, target: &str, body: &str, expected: &[&str]) {
    let named = names(service, target, body).unwrap_or_else(|| panic!("{body} is opaque"));
    assert_eq!(named, expected, "{body}");
}

fn is_opaque(service: &str, target: &str, body: &str) {
    assert_eq!(names(service, target, body), None, "{body}");
}

#[test]
fn tags_that_tell_what_is_meant_may_mean_anything() {
    let send = "AmazonSSM.SendCommand";
    let doc = r#""DocumentName":"AWS-RunShellScript""#;
    let all = r#""Targets":[{"Key":"tag:env","Values":["prod"]}]"#;
    let script = "AWS-RunShellScript";
    check(
        "ssm",
        send,
        &format!(r#"{{"InstanceIds":["i-1"],{doc}}}"#),
        &["i-1/AWS-RunShellScript"],
    );
    let both = format!(r#"{{"InstanceIds":["i-1"],{doc},{all}}}"#);
    check("ssm", send, &both, &["i-1/AWS-RunShellScript", "*"]);
    check("ssm", send, &format!("{{{doc},{all}}}"), &[script, "*"]);
    check(
        "ssm",
        send,
        &format!(r#"{{{doc},"Targets":null}}"#),
        &[script, "*"],
    );
    is_opaque(
        "ssm",
        send,
        &format!(r#"{{"InstanceIds":["i-1"],{doc},"targets":[]}}"#),
    );
    let automation = format!(r#"{{{doc},"TargetLocations":[{{"Accounts":["1"]}}]}}"#);
    check(
        "ssm",
        "AmazonSSM.StartAutomationExecution",
        &automation,
        &[script, "*"],
    );
}

#[test]
fn all_that_an_action_is_about_is_named() {
    for (service, target, body, expected) in [
        (
            "ec2",
            "",
            "Action=AssociateRouteTable&Version=2016-11-15&RouteTableId=rtb-1&SubnetId=subnet-1",
            &["rtb-1", "subnet-1"][..],
        ),
        (
            "elasticache",
            "",
            "Action=BatchApplyUpdateAction&Version=2015-02-02&ServiceUpdateName=u&ReplicationGroupIds.member.1=g&CacheClusterIds.member.1=c",
            &["u", "g", "c"],
        ),
        (
            "elasticmapreduce",
            "ElasticMapReduce.DeleteStudioSessionMapping",
            r#"{"StudioId":"es-1","IdentityType":"USER","IdentityName":"alice"}"#,
            &["es-1", "alice"],
        ),
        (
            "glue",
            "AWSGlue.BatchDeleteTable",
            r#"{"DatabaseName":"d","TablesToDelete":["a","b"]}"#,
            &["d/a", "d/b"],
        ),
        (
            "glue",
            "AWSGlue.BatchDeleteConnection",
            r#"{"ConnectionNameList":["a","b"]}"#,
            &["a", "b"],
        ),
        (
            "glue",
            "AWSGlue.DeleteRegistry",
            r#"{"RegistryId":{"RegistryName":"r"}}"#,
            &["r"],
        ),
        (
            "identitystore",
            "AWSIdentityStore.DeleteUser",
            r#"{"IdentityStoreId":"d-1","UserId":"u-1"}"#,
            &["d-1", "u-1"],
        ),
        (
            "redshift",
            "",
            "Action=BatchModifyClusterSnapshots&Version=2012-12-01&SnapshotIdentifierList.String.1=a",
            &["a"],
        ),
        (
            "workspaces",
            "WorkspacesService.TerminateWorkspaces",
            r#"{"TerminateWorkspaceRequests":[{"WorkspaceId":"ws-1"},{"WorkspaceId":"ws-2"}]}"#,
            &["ws-1", "ws-2"],
        ),
    ] {
        check(service, target, body, expected);
    }
}

#[test]
fn an_arn_names_only_what_is_expected_there() {
    let modify = |arn: &str| {
        format!("Action=ModifyDBInstance&Version=2014-10-31&DBInstanceIdentifier={arn}")
    };
    let arn = |rest: &str| format!("arn:aws:{rest}");
    check(
        "rds",
        "",
        &modify(&arn("rds:eu-west-1:111111111111:db:main")),
        &["main"],
    );
    for other in [
        "rds:eu-west-1:111111111111:cluster:main",
        "dynamodb:eu-west-1:111111111111:table/main",
    ] {
        check("rds", "", &modify(&arn(other)), &[&arn(other)]);
    }
    let get = |arn: &str| format!(r#"{{"TableName":"{arn}","Key":{{}}}}"#);
    let table = arn("dynamodb:eu-west-1:111111111111:table/payments");
    check(
        "dynamodb",
        "DynamoDB_20120810.GetItem",
        &get(&table),
        &["payments"],
    );
    let other = arn("sqs:eu-west-1:111111111111:payments");
    check(
        "dynamodb",
        "DynamoDB_20120810.GetItem",
        &get(&other),
        &[&other],
    );
    // What things stand in has a type of its own.
    let update = r#"{"cluster":"arn:aws:ecs:eu-west-1:111111111111:cluster/prod","service":"web"}"#;
    check(
        "ecs",
        "AmazonEC2ContainerServiceV20141113.UpdateService",
        update,
        &["prod/web"],
    );
    let alias = r#"{"KeyId":"arn:aws:kms:eu-west-1:111111111111:alias/a","CiphertextBlob":""}"#;
    check("kms", "TrentService.Decrypt", alias, &["alias/a"]);
    let path = "DELETE /2015-03-31/functions/arn:aws:states:eu-west-1:111111111111:stateMachine:f";
    check(
        "lambda",
        path,
        "",
        &["arn:aws:states:eu-west-1:111111111111:stateMachine:f"],
    );
}

#[test]
fn other_spellings_are_opaque() {
    let ec2 = "Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-1";
    check("ec2", "", ec2, &["i-1"]);
    for more in [
        "instanceId.2=i-2",
        "InstanceId.member.1=i-2",
        "INSTANCEID.2=i-2",
        "InstanceId%20.2=i-2",
        "action=StopInstances",
        "VERSION=2",
        "%20InstanceId.2=i-2",
    ] {
        is_opaque("ec2", "", &format!("{ec2}&{more}"));
    }
    let get = "DynamoDB_20120810.GetItem";
    is_opaque(
        "dynamodb",
        get,
        r#"{"TableName":"a","tableName":"b","Key":{}}"#,
    );
    check(
        "dynamodb",
        get,
        r#"{"TableName":"a","Key":{"tablename":{"S":"b"}}}"#,
        &["a"],
    );
    // An account that is a number.
    let ecr = "AmazonEC2ContainerRegistry_V20150921.BatchGetImage";
    let of =
        |account: &str| format!(r#"{{"repositoryName":"r","registryId":{account},"imageIds":[]}}"#);
    check("ecr", ecr, &of("\"666666666666\""), &["666666666666/r"]);
    check("ecr", ecr, &of("666666666666"), &["666666666666/r"]);
    is_opaque("ecr", ecr, &of("6.66666666666e11"));
    is_opaque("ecr", ecr, &of("true"));
}

#[test]
fn the_graph_that_a_field_chooses_is_named() {
    let query = "POST /queries\ngraphidentifier: g-1234567890";
    check("neptune-graph", query, "{}", &["g-1234567890"]);
    let two = "POST /queries?graphIdentifier=g-2\ngraphidentifier: g-1";
    is_opaque("neptune-graph", two, "{}");
}

#[test]
fn tags_count_where_the_operation_has_them() {
    let tags = |service: &str, text: &str, body: &str| {
        let mut call = call(service, text, body.as_bytes());
        inside::look(&mut call, &head(text), Some(body.as_bytes()));
        let pairs = call
            .tags
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"));
        pairs.collect::<Vec<_>>()
    };
    let create = "POST /\nx-amz-target: DynamoDB_20120810.CreateTable";
    let body = r#"{"TableName":"t","Tags":[{"Key":"env","Value":"prod","value":"x"}],"tags":[{"Key":"env","Value":"dev"}],"X":{"Tags":{"env":"dev"}}}"#;
    assert_eq!(tags("dynamodb", create, body), ["env=prod"]);
    let run = "Action=RunInstances&Version=2016-11-15&TagSpecification.1.Tag.1.Key=env&TagSpecification.1.Tag.1.Value=prod&Tag.1.Key=env&Tag.1.Value=dev";
    assert_eq!(tags("ec2", FORM, run), ["env=prod"]);
    let queue = "Action=CreateTopic&Version=2010-03-31&Name=t&Tags.member.1.Key=env&Tags.member.1.Value=prod&Tags.entry.1.Key=env&Tags.entry.1.Value=dev";
    assert_eq!(tags("sns", FORM, queue), ["env=prod"]);
    let function = "POST /2015-03-31/functions";
    assert_eq!(
        tags(
            "lambda",
            function,
            r#"{"FunctionName":"f","Tags":{"env":"prod"},"tags":{"env":"dev"}}"#
        ),
        ["env=prod"]
    );
    let object = "PUT /b/k?tagging";
    let document = "<Tagging><TagSet><Tag><Key>env</Key><Value>prod</Value></Tag></TagSet><Tag><Key>env</Key><Value>dev</Value></Tag></Tagging>";
    assert_eq!(tags("s3", object, document), ["env=prod"]);
}

#[test]
fn roles_are_told_wherever_they_stand() {
    let roles = |service: &str, text: &str, body: &str| {
        let mut call = call(service, text, body.as_bytes());
        inside::look(&mut call, &head(text), Some(body.as_bytes()));
        let mut roles: Vec<String> = inside::roles(&call).map(str::to_owned).collect();
        roles.sort_unstable();
        roles
    };
    let arn = "arn:aws:iam::111111111111:role/app";
    let function = format!(r#"{{"FunctionName":"role","Role":"{arn}","Code":{{}}}}"#);
    assert_eq!(
        roles("lambda", "POST /2015-03-31/functions", &function),
        [arn]
    );
    let run = "Action=RunInstances&Version=2016-11-15&IamInstanceProfile.Name=admin&ImageId=i";
    assert_eq!(roles("ec2", FORM, run), ["admin"]);
    let target = format!(
        r#"{{"Rule":"r","Targets":[{{"Id":"1","Arn":"a","RoleArn":"admin"}},{{"Id":"2","Arn":"{arn}"}}]}}"#
    );
    assert_eq!(
        roles(
            "events",
            "POST /\nx-amz-target: AWSEvents.PutTargets",
            &target
        ),
        ["admin", arn]
    );
}

#[test]
fn a_tag_of_xml_ends_outside_of_its_attributes() {
    let seen = |document: &str| {
        let text = "PUT /b?versioning";
        let mut call = call("s3", text, document.as_bytes());
        inside::look(&mut call, &head(text), Some(document.as_bytes()));
        call.unseen
    };
    let status = "<Status>Suspended</Status>";
    assert!(!seen(&format!(
        "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{status}</VersioningConfiguration>"
    )));
    for attribute in [
        "a=\">\"",
        "a='<'",
        "a=\"1\"b=\"2\"",
        "a",
        "a=1",
        "a=\"&gt;\"",
    ] {
        assert!(
            seen(&format!(
                "<VersioningConfiguration {attribute}>{status}</VersioningConfiguration>"
            )),
            "{attribute}"
        );
    }
}
