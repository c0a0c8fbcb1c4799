//! What of a request may not rest.

use std::collections::BTreeSet as Set;

use super::*;
use crate::aws::command::{Body, command};
use crate::http::Head;

const SECRET_TEXT: &str = "Zq9 tok 3nX";

fn head(method: &str, path: &str, fields: &[(&str, &str)]) -> Head {
    Head {
        method: method.to_owned(),
        path: path.to_owned(),
        query: None,
        fields: fields.iter().copied().collect(),
    }
}

/// A request's body as it rests.
fn rests(service: &str, operation: &str, wire: Wire, body: &str) -> String {
    let masker = Masker::new(MaskerConfig::default());
    let call = call(service, operation, wire);
    let head = head("POST", "/", &[]);
    let body = Body::Whole(body.as_bytes());
    let command = command(&call, &head, body, &masker, &Set::new());
    command.shown_parameters[0].clone().unwrap()
}

/// Service, operation, body with a secret for `!`, and the body as it rests.
const BODIES: [(&str, &str, &str, &str); 13] = [
    (
        "lambda",
        "CreateFunction",
        r#"{"Environment":{"Variables":{"PW":"!"}},"FunctionName":"f"}"#,
        r#"{"Environment":{"Variables":{"PW":"[hidden]"}},"FunctionName":"f"}"#,
    ),
    (
        "ecs",
        "RegisterTaskDefinition",
        r#"{"containerDefinitions":[{"environment":[{"name":"PW","value":"!"}]}],"tags":[{"key":"k","value":"v"}]}"#,
        r#"{"containerDefinitions":[{"environment":[{"name":"PW","value":"[hidden]"}]}],"tags":[{"key":"k","value":"v"}]}"#,
    ),
    (
        "codebuild",
        "StartBuild",
        r#"{"environmentVariablesOverride":[{"name":"A","value":"!"}]}"#,
        r#"{"environmentVariablesOverride":[{"name":"A","value":"[hidden]"}]}"#,
    ),
    (
        "apigateway",
        "CreateApiKey",
        r#"{"name":"x","value":"!"}"#,
        r#"{"name":"x","value":"[hidden]"}"#,
    ),
    (
        "apigateway",
        "CreateStage",
        r#"{"variables":{"pw":"!"}}"#,
        r#"{"variables":{"pw":"[hidden]"}}"#,
    ),
    (
        "apigateway",
        "UpdateMethod",
        r#"{"patchOperations":[{"op":"replace","path":"/a","value":"b"}]}"#,
        r#"{"patchOperations":[{"op":"replace","path":"/a","value":"b"}]}"#,
    ),
    (
        "batch",
        "SubmitJob",
        r#"{"containerOverrides":{"environment":[{"name":"PW","value":"!"}]}}"#,
        r#"{"containerOverrides":{"environment":[{"name":"PW","value":"[hidden]"}]}}"#,
    ),
    (
        "amplify",
        "CreateApp",
        r#"{"environmentVariables":{"PW":"!"}}"#,
        r#"{"environmentVariables":{"PW":"[hidden]"}}"#,
    ),
    (
        "sagemaker",
        "CreateModel",
        r#"{"PrimaryContainer":{"Environment":{"PW":"!"}}}"#,
        r#"{"PrimaryContainer":{"Environment":{"PW":"[hidden]"}}}"#,
    ),
    (
        "directconnect",
        "CreateBGPPeer",
        r#"{"newBGPPeer":{"asn":1,"authKey":"!"}}"#,
        r#"{"newBGPPeer":{"asn":1,"authKey":"[hidden]"}}"#,
    ),
    (
        "ssm",
        "SendCommand",
        r#"{"Parameters":{"commands":["!"]}}"#,
        r#"{"Parameters":{"commands":["[hidden]"]}}"#,
    ),
    (
        "emr",
        "AddJobFlowSteps",
        r#"{"Steps":[{"HadoopJarStep":{"Args":["--user","ann","--db-password","!","-v"]}}]}"#,
        r#"{"Steps":[{"HadoopJarStep":{"Args":["--user","ann","--db-password","[hidden]","-v"]}}]}"#,
    ),
    (
        "events",
        "PutTargets",
        r#"{"Targets":[{"Input":"{\"containerOverrides\":[{\"environment\":[{\"name\":\"A\",\"value\":\"!\"}]}]}"}]}"#,
        r#"{"Targets":[{"Input":"{\"containerOverrides\":[{\"environment\":[{\"name\":\"A\",\"value\":\"[hidden]\"}]}]}"}]}"#,
    ),
];

#[test]
fn what_gives_access_does_not_rest_in_json() {
    for (service, operation, body, wanted) in BODIES {
        let body = body.replace('!', SECRET_TEXT);
        for wire in [Wire::Json(1), Wire::RestJson] {
            assert_eq!(
                rests(service, operation, wire, &body),
                wanted,
                "{operation}"
            );
        }
    }
}

#[test]
fn what_gives_access_does_not_rest_in_forms() {
    for (service, operation, body, wanted) in [
        (
            "cloudformation",
            "CreateStack",
            "Parameters.member.1.ParameterKey=Pw&Parameters.member.1.ParameterValue=!",
            "Parameters.member.1.ParameterKey=Pw\nParameters.member.1.ParameterValue=[hidden]",
        ),
        (
            "elasticbeanstalk",
            "CreateEnvironment",
            "OptionSettings.member.1.OptionName=PW&OptionSettings.member.1.Value=!",
            "OptionSettings.member.1.OptionName=PW\nOptionSettings.member.1.Value=[hidden]",
        ),
        (
            "sns",
            "CreatePlatformApplication",
            "Attributes.entry.1.key=PlatformCredential&Attributes.entry.1.value=!",
            "Attributes.entry.1.key=PlatformCredential\nAttributes.entry.1.value=[hidden]",
        ),
        (
            "sns",
            "SetTopicAttributes",
            "AttributeName=a&AttributeValue=b",
            "AttributeName=a\nAttributeValue=b",
        ),
        (
            "ec2",
            "RunInstances",
            "TagSpecification.1.Tag.1.Key=env&TagSpecification.1.Tag.1.Value=prod&UserData=!",
            "TagSpecification.1.Tag.1.Key=env\nTagSpecification.1.Tag.1.Value=prod\nUserData=[hidden]",
        ),
        (
            "ec2",
            "CreateTags",
            "Tag.1.Key=env&Tag.1.Value=prod",
            "Tag.1.Key=env\nTag.1.Value=prod",
        ),
        (
            "ec2",
            "ModifyInstanceAttribute",
            "UserData.Value=!",
            "UserData.Value=[hidden]",
        ),
    ] {
        let wire = if service == "ec2" {
            Wire::Ec2
        } else {
            Wire::Query
        };
        assert_eq!(
            rests(service, operation, wire, &body.replace('!', SECRET_TEXT)),
            wanted,
            "{operation}"
        );
    }
}

#[test]
fn what_gives_access_does_not_rest_in_cbor_and_xml() {
    let text = |text: &str| [&[0x60 | u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let masker = Masker::new(MaskerConfig::default());
    let call = call("directconnect", "CreateBGPPeer", Wire::Cbor);
    let bytes = [vec![0xA1], text("authKey"), text(SECRET_TEXT)].concat();
    let head = head("POST", "/", &[]);
    let command = command(&call, &head, Body::Whole(&bytes), &masker, &Set::new());
    assert_eq!(
        command.shown_parameters[0].as_deref(),
        Some(r#"{"authKey":"[hidden]"}"#)
    );
    let body = "<R><KMSMasterKeyID>key</KMSMasterKeyID><SSEAlgorithm>aws:kms</SSEAlgorithm></R>";
    assert_eq!(
        rests("s3", "PutBucketEncryption", Wire::S3, body),
        "<R><KMSMasterKeyID>***</KMSMasterKeyID><SSEAlgorithm>aws:kms</SSEAlgorithm></R>"
    );
}

#[test]
fn fields_that_give_access_do_not_rest() {
    let masker = Masker::new(MaskerConfig::default());
    let get = call("s3", "GetObject", Wire::S3);
    let head = head(
        "GET",
        "/lake/a",
        &[
            ("x-auth-token", "Zq9"),
            ("x-api-key", "Zq9"),
            ("referer", "https://ann:Zq9@x/a?token=Zq9"),
            ("location", "/a#Zq9"),
            ("range", "bytes=0-1"),
            ("x-amz-meta-token", "kept"),
            ("x-amz-checksum-mode", "ENABLED"),
        ],
    );
    let command = command(&get, &head, Body::Whole(b""), &masker, &Set::new());
    let shown = String::from_utf8(command.shown.to_vec()).unwrap();
    assert!(!shown.contains("Zq9"), "{shown}");
    for line in [
        "x-auth-token: [hidden]\n",
        "x-api-key: [hidden]\n",
        "referer: https://x/a?[hidden]\n",
        "location: /a#[hidden]\n",
        "range: bytes=0-1\n",
        "x-amz-meta-token: kept\n",
        "x-amz-checksum-mode: ENABLED\n",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    // Approvals bind to what was asked.
    assert!(String::from_utf8_lossy(&command.text).contains("x-auth-token: Zq9\n"));
}
