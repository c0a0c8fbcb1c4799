//! What gives access, by its name in answers.

/// By botocore's name of the service: members that hold what gives access; `:b` where the model says blob, and
/// `|` before each operation where they hold it in the answers to these alone. Of `outer>name` only what stands below both does.
///
/// Keys, passwords, tokens, and URLs that are signed: whoever has one goes round the gateway. Variables of an environment hold
/// what programs need to be let in. Names are as they stand on the wire.
pub(super) const OWN: [(&str, &[&str]); 98] = [
    (
        "account-access-runtime",
        &["secretAccessKey", "sessionToken"],
    ),
    (
        "amplify",
        &[
            "artifactUrl",
            "artifactsUrl",
            "environmentVariables",
            "fileUploadUrls",
            "logUrl",
            "testArtifactsUrl",
            "testConfigUrl",
            "webhookUrl",
            "zipUploadUrl",
        ],
    ),
    (
        "amplifybackend",
        &["challengeCode", "client_secret", "private_key"],
    ),
    (
        "apigateway",
        &["stageVariableOverrides", "value", "variables"],
    ),
    ("apigatewayv2", &["stageVariables"]),
    (
        "apprunner",
        &["RuntimeEnvironmentSecrets", "RuntimeEnvironmentVariables"],
    ),
    (
        "appsync",
        &[
            "environmentVariables",
            "id|CreateApiKey|ListApiKeys|UpdateApiKey",
        ],
    ),
    ("artifact", &["documentPresignedUrl"]),
    ("athena", &["AuthToken", "NotebookUrl"]),
    ("autoscaling", &["UserData"]),
    ("batch", &["env>value", "environment>value"]),
    ("bedrock-agentcore-control", &["environmentVariables"]),
    ("cleanroomsml", &["environment"]),
    (
        "cloudformation",
        &[
            "OutputValue",
            "ParameterValue",
            "ResolvedValue",
            "Value|ListExports",
        ],
    ),
    ("cloudhsmv2", &["PreCoPassword"]),
    ("codeartifact", &["authorizationToken"]),
    (
        "codebuild",
        &[
            "environmentVariables>value",
            "exportedEnvironmentVariables>value",
            "secret",
            "tokenValue",
        ],
    ),
    (
        "codepipeline",
        &["SecretToken", "environmentVariables>value"],
    ),
    ("cognito-identity", &["SecretKey", "SessionToken", "Token"]),
    (
        "cognito-idp",
        &[
            "AccessToken",
            "ClientSecret",
            "IdToken",
            "PreSignedUrl",
            "RefreshToken",
            "SecretCode",
        ],
    ),
    (
        "config",
        &[
            "Environment>Value",
            "EnvironmentVariables>Value",
            "OptionSettings>Value",
            "PreSharedKey",
            "RuntimeEnvironmentVariables",
            "UserData",
            "Variables",
            "authKey",
            "customerGatewayConfiguration",
            "environment>value",
            "environment>variables",
            "environmentVariables>value",
            "optionSettings>value",
            "outputValue",
            "parameterValue",
            "preSharedKey",
            "userData",
        ],
    ),
    (
        "connect",
        &[
            "AccessToken",
            "ConnectionToken",
            "ParticipantToken",
            "PromptPresignedUrl",
            "RefreshToken",
            "SignInUrl",
            "Url",
        ],
    ),
    ("connectparticipant", &["ConnectionToken", "Url"]),
    (
        "customer-profiles",
        &["ClientToken|GetUploadJobPath", "Url|GetUploadJobPath"],
    ),
    ("dataexchange", &["SignedUrl"]),
    (
        "datazone",
        &[
            "accessToken",
            "jwtToken",
            "refreshToken",
            "secretAccessKey",
            "sessionToken",
        ],
    ),
    ("devicefarm", &["environmentVariables>value", "url"]),
    ("devops-agent", &["webhookUrl"]),
    ("directconnect", &["authKey", "customerRouterConfig"]),
    ("docdb", &["MasterUserPassword"]),
    (
        "ec2",
        &["keyMaterial", "passwordData", "preSharedKey", "userData"],
    ),
    ("ecr", &["authorizationToken", "downloadUrl"]),
    ("ecr-public", &["authorizationToken"]),
    ("ecs", &["environment>value", "tokenValue"]),
    ("eks", &["activationCode", "token"]),
    ("eks-auth", &["secretAccessKey", "sessionToken"]),
    ("elasticbeanstalk", &["OptionSettings>Value"]),
    ("elbv2", &["ClientSecret"]),
    (
        "emr",
        &[
            "ADDomainJoinPassword",
            "CrossRealmTrustPrincipalPassword",
            "EnvironmentVariables",
            "KdcAdminPassword",
            "Password",
            "PresignedURL",
        ],
    ),
    ("emr-containers", &["token"]),
    ("emr-serverless", &["authToken", "url"]),
    ("events", &["Environment>Value", "environment>value"]),
    ("evs", &["depotUrl", "token"]),
    ("firehose", &["HECToken"]),
    (
        "gamelift",
        &[
            "AuthToken",
            "EnvironmentOverride>Value",
            "PlayerGatewayToken",
            "PreSignedLogUrl",
            "PreSignedUrl",
            "Secret",
            "SecretAccessKey",
            "SessionToken",
        ],
    ),
    ("gameliftstreams", &["AdditionalEnvironmentVariables"]),
    (
        "glue",
        &[
            "AuthToken",
            "AuthenticationConfiguration",
            "ConnectionProperties",
        ],
    ),
    ("grafana", &["grafanaToken", "key"]),
    ("greengrassv2", &["preSignedUrl"]),
    ("groundstation", &["presignedLogUrl"]),
    (
        "iam",
        &[
            "Base32StringSeed:b",
            "SecretAccessKey",
            "ServiceCredentialSecret",
            "ServicePassword",
        ],
    ),
    ("imagebuilder", &["userDataOverride"]),
    ("inspector", &["url"]),
    ("inspector2", &["url|GetCisScanReport"]),
    ("invoicing", &["ProcurementPortalSharedSecret"]),
    ("iot", &["PrivateKey", "secretKey", "token"]),
    (
        "iotwireless",
        &[
            "AppKey",
            "AppSKey",
            "FNwkSIntKey",
            "NwkKey",
            "NwkSEncKey",
            "NwkSKey",
            "SNwkSIntKey",
        ],
    ),
    ("kinesis-video-signaling", &["Password"]),
    ("kinesisanalyticsv2", &["AuthorizedUrl"]),
    (
        "kms",
        &["Plaintext:b", "PrivateKeyPlaintext:b", "SharedSecret:b"],
    ),
    ("lakeformation", &["SecretAccessKey", "SessionToken"]),
    ("lambda", &["Location", "Variables"]),
    ("lambda-microvms", &["authToken", "environmentVariables"]),
    ("lambda-web", &["environmentVariables"]),
    ("lex-models", &["url|GetExport"]),
    ("license-manager", &["AccessToken", "SignedToken", "Token"]),
    (
        "lightsail",
        &[
            "environment",
            "masterUserPassword",
            "password",
            "privateKeyBase64",
            "secretAccessKey",
        ],
    ),
    ("managedblockchain", &["BillingToken"]),
    ("marketplace-reporting", &["embedUrl"]),
    ("medialive", &["token"]),
    ("mediapackage", &["cdnIdentifierSecret"]),
    ("mediapackage-vod", &["cdnIdentifierSecret"]),
    ("neptune", &["MasterUserPassword"]),
    ("pinpoint", &["Credential"]),
    ("qapps", &["presignedUrl", "presignedUrlFields"]),
    ("qbusiness", &["presignedUrl"]),
    ("quicksight", &["Context|GetIdentityContext"]),
    ("rds", &["MasterUserPassword"]),
    ("redshift", &["DbPassword", "MasterUserPassword"]),
    ("redshift-serverless", &["dbPassword", "token"]),
    ("s3", &["SecretAccessKey", "SessionToken"]),
    ("s3control", &["SecretAccessKey", "SessionToken"]),
    (
        "sagemaker",
        &[
            "AuthorizedUrl",
            "ContainerEnvironmentVariables",
            "Environment",
            "EnvironmentVariables",
            "OptimizationEnvironment",
            "OverrideEnvironment",
            "StreamUrl",
            "TokenValue",
            "Url|CreateHubContentPresignedUrls|CreatePartnerAppPresignedUrl",
        ],
    ),
    ("scheduler", &["Environment>Value", "environment>value"]),
    (
        "secretsmanager",
        &["RandomPassword", "SecretBinary:b", "SecretString"],
    ),
    ("securityagent", &["webhookUrl"]),
    (
        "securityhub",
        &[
            "CustomerGatewayConfiguration",
            "Environment>Value",
            "EnvironmentVariables>Value",
            "MasterUserPassword",
            "PreSharedKey",
            "UserData",
            "Variables",
        ],
    ),
    ("servicecatalog", &["OutputValue"]),
    ("signin", &["accessToken", "idToken", "refreshToken"]),
    ("snowball", &["UnlockCode"]),
    (
        "ssm",
        &[
            "ActivationCode",
            "SecretAccessKey",
            "SessionToken",
            "StreamUrl",
            "TokenValue",
            "Value|GetParameter|GetParameterHistory|GetParameters|GetParametersByPath",
        ],
    ),
    ("sso", &["secretAccessKey", "sessionToken"]),
    (
        "sso-oidc",
        &["accessToken", "clientSecret", "idToken", "refreshToken"],
    ),
    (
        "sts",
        &["SecretAccessKey", "SessionToken", "WebIdentityToken"],
    ),
    (
        "support",
        &["url|GetAttachmentDownloadLink|GetAttachmentUploadLinks"],
    ),
    ("taxsettings", &["presignedS3Url", "taxDocumentAccessToken"]),
    ("wafv2", &["APIKey"]),
    ("wickr", &["accessToken", "idToken", "refreshToken"]),
];

/// Services whose answers hold as JSON within texts what other services answer, or what they are asked.
pub(super) const TEXTS: [&str; 3] = ["config", "events", "scheduler"];

/// Members of requests that hold what gives access, beside those.
pub(super) const ASKED: [(&str, &[&str]); 5] = [
    (
        "apigateway",
        &["patchOperations>value|UpdateStage", "value|CreateApiKey"],
    ),
    ("codebuild", &["environmentVariablesOverride>value"]),
    ("greengrassv2", &["environmentVariables"]),
    (
        "sns",
        &["Attributes>value|CreatePlatformApplication|SetPlatformApplicationAttributes"],
    ),
    ("synthetics", &["EnvironmentVariables"]),
];
/// And those that hold something else there: what is changed, and to what.
pub(super) const SHOWN_ASKED: [(&str, &str); 1] = [("apigateway", "value")];

/// By botocore's name of the service: operations whose answer is content of somebody's own (`httpPayload` of a blob or text in
/// the models), and HEAD of it. It has no members: it is searched as text.
pub(super) const CONTENTS: [(&str, &[&str]); 40] = [
    ("apigateway", &["GetExport", "GetSdk"]),
    ("apigatewayv2", &["ExportApi"]),
    (
        "appconfig",
        &[
            "CreateHostedConfigurationVersion",
            "GetConfiguration",
            "GetHostedConfigurationVersion",
        ],
    ),
    ("appconfigdata", &["GetLatestConfiguration"]),
    ("appsync", &["GetIntrospectionSchema"]),
    ("bedrock-agentcore", &["InvokeAgentRuntime"]),
    ("bedrock-runtime", &["InvokeModel"]),
    ("cloudfront", &["GetConnectionFunction", "GetFunction"]),
    ("codeartifact", &["GetPackageVersionAsset"]),
    ("codeguruprofiler", &["GetProfile"]),
    ("dataexchange", &["SendApiAsset"]),
    ("datazone", &["GetLineageEvent"]),
    ("ebs", &["GetSnapshotBlock"]),
    (
        "geo-maps",
        &[
            "GetGlyphs",
            "GetSprites",
            "GetStaticMap",
            "GetStyleDescriptor",
            "GetTile",
        ],
    ),
    ("glacier", &["GetJobOutput"]),
    (
        "iot-data",
        &["DeleteThingShadow", "GetThingShadow", "UpdateThingShadow"],
    ),
    (
        "iotwireless",
        &["GetPositionEstimate", "GetResourcePosition"],
    ),
    (
        "kinesis-video-archived-media",
        &["GetClip", "GetMediaForFragmentList"],
    ),
    ("kinesis-video-media", &["GetMedia"]),
    ("lakeformation", &["GetWorkUnitResults"]),
    ("lambda", &["Invoke"]),
    ("lex-runtime", &["PostContent", "PutSession"]),
    ("lexv2-runtime", &["PutSession", "RecognizeUtterance"]),
    (
        "location",
        &[
            "GetMapGlyphs",
            "GetMapSprites",
            "GetMapStyleDescriptor",
            "GetMapTile",
        ],
    ),
    ("medialive", &["DescribeInputDeviceThumbnail"]),
    ("mediastore-data", &["GetObject"]),
    ("medical-imaging", &["GetImageFrame", "GetImageSetMetadata"]),
    ("neptune-graph", &["ExecuteQuery"]),
    (
        "neptunedata",
        &[
            "ExecuteGremlinExplainQuery",
            "ExecuteGremlinProfileQuery",
            "ExecuteOpenCypherExplainQuery",
        ],
    ),
    ("omics", &["GetReadSet", "GetReference"]),
    ("polly", &["SynthesizeSpeech"]),
    (
        "s3",
        &[
            "GetBucketPolicy",
            "GetObject",
            "GetObjectAnnotation",
            "GetObjectTorrent",
            "HeadObject",
        ],
    ),
    (
        "sagemaker-gateway-runtime",
        &["InvokeGlobalInferenceGateway"],
    ),
    ("sagemaker-geospatial", &["GetTile"]),
    (
        "sagemaker-inference-router-runtime",
        &["InvokeInferenceRouter"],
    ),
    ("sagemaker-runtime", &["InvokeEndpoint"]),
    (
        "sagemakerjobruntime",
        &["Sample", "SampleWithResponseStream"],
    ),
    (
        "sagemakertrainingsessionruntime",
        &[
            "SampleTrainingSession",
            "SampleTrainingSessionWithResponseStream",
        ],
    ),
    ("schemas", &["GetCodeBindingSource"]),
    ("workmailmessageflow", &["GetRawMessageContent"]),
];
