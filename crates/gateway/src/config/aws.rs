//! Targets that speak AWS's APIs, as configured.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use mask::Strategy;
use mask::own::OwnClasses;
use model::DataClass;
use protocols::aws::answers::Answers;
use protocols::aws::classify::Upstream;
use protocols::aws::objects::Declared;

use super::{HostPort, SecretSource};

/// A target that speaks AWS's APIs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsTarget {
    /// `region`: requests for an `endpoint` are signed for it; without an endpoint, the request's own region counts.
    pub region: String,
    /// `endpoint`: where to send everything, such as an S3-compatible server; `https`, or `http` on loopback. AWS's own
    /// endpoints by default.
    pub endpoint: Option<Endpoint>,
    /// `ca`: PEM file of the authorities to trust, instead of the system's.
    pub ca: Option<PathBuf>,
    /// `credentials`: where the gateway's own keys there come from.
    pub credentials: AwsCredentials,
    /// `role`: assumed with those keys for each session, whose requests are then made with the role's.
    pub role: Option<AwsRole>,
    /// `account`: the account's id, by which what is its own is known; by default that of the role.
    pub account_id: Option<String>,
    /// `recorded_bytes`: so much of each body is kept in recordings, from 0 to 16 MiB. Default 65536.
    pub recorded_bytes: usize,
    /// `labels`: free names and values that policies may look at.
    pub labels: BTreeMap<String, String>,
    /// `strategies`: how values are hidden, by class, where not partially.
    pub strategies: BTreeMap<DataClass, Strategy>,
    /// `[[objects]]`: columns, members and elements of objects that hold a class; the first that fits an object counts.
    pub objects: Vec<Declared>,
    /// `[[answers]]`: members and columns of answers that hold a class; all that fit a call count.
    pub answers: Vec<Answers>,
    /// `find`: which classes are looked for in any text, where not as usual.
    pub find: BTreeMap<DataClass, bool>,
    /// The classes that `[classes]` defines.
    pub own: OwnClasses,
}

/// Scheme and address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Where.
    pub address: HostPort,
}

impl AwsTarget {
    /// Who reads what is sent there.
    #[must_use]
    pub fn upstream(&self) -> Upstream {
        let of_role = || {
            let account = self.role.as_ref()?.arn.split(':').nth(4)?;
            Some(account.to_owned())
        };
        Upstream {
            is_server: self.endpoint.is_some(),
            account: self.account_id.clone().or_else(of_role),
        }
    }

    /// The classes that are declared of objects and answers.
    pub fn classes(&self) -> impl Iterator<Item = DataClass> {
        let names = self.objects.iter().flat_map(|it| &it.names);
        let members = self.answers.iter().flat_map(|it| &it.members);
        let columns = self.answers.iter().flat_map(|it| &it.columns);
        let classes = names.map(|(_, class)| class);
        let classes = classes.chain(members.map(|(_, class)| class));
        classes.chain(columns.map(|(_, class)| class)).cloned()
    }

    /// The account as entries name it: the role, the id of the keys, or where keys are looked for.
    #[must_use]
    pub fn account(&self) -> String {
        match (&self.role, &self.credentials) {
            (Some(role), _) => role.arn.clone(),
            (None, AwsCredentials::Keys(keys)) => keys.access_key.clone(),
            (None, AwsCredentials::Chain(chain)) => {
                let names: Vec<_> = chain.sources.iter().map(|source| source.name()).collect();
                format!("keys of {}", names.join(", "))
            }
        }
    }
}

/// Where keys of an AWS account come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwsCredentials {
    /// They are named.
    Keys(AwsKeys),
    /// They are looked for.
    Chain(AwsChain),
}

/// Keys that are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsKeys {
    /// `access_key`: its id, which is no secret.
    pub access_key: String,
    /// `secret_key`: `{ file = "…" }` or `{ env = "…" }`.
    pub secret_key: SecretSource,
    /// `session_token`: of temporary keys.
    pub session_token: Option<SecretSource>,
}

impl AwsCredentials {
    /// The secrets that are named.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretSource> {
        let keys = match self {
            Self::Keys(keys) => Some(keys),
            Self::Chain(_) => None,
        };
        keys.into_iter()
            .flat_map(|keys| std::iter::once(&keys.secret_key).chain(&keys.session_token))
    }
}

/// Where AWS's own tools look for keys. Only what is named here is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsChain {
    /// `chain`: in this order; the first that has keys counts.
    pub sources: Vec<KeySource>,
    /// `profile`: the one in the shared files; by default `AWS_PROFILE`, or `default`.
    pub profile: Option<String>,
}

/// One place where AWS's own tools look for keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// `AWS_ACCESS_KEY_ID` and its like.
    Environment,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`.
    WebIdentity,
    /// A profile of the shared files, with keys, a process that gives them, or a web identity.
    Profile,
    /// The endpoint that ECS and EKS tell containers of.
    Container,
    /// The instance's metadata service, version 2.
    Instance,
}

impl KeySource {
    /// All of them, in AWS's own order.
    pub const ALL: [Self; 5] = [
        Self::Environment,
        Self::WebIdentity,
        Self::Profile,
        Self::Container,
        Self::Instance,
    ];

    /// Its name in configuration and entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::WebIdentity => "web-identity",
            Self::Profile => "profile",
            Self::Container => "container",
            Self::Instance => "instance",
        }
    }
}

/// A role that is assumed for each session, with the session's human as source identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsRole {
    /// `arn`.
    pub arn: String,
    /// `external_id`: what the role's trust policy asks for, where it does.
    pub external_id: Option<String>,
    /// `duration`: how long its keys are good, from a quarter of an hour to twelve. Default `1h`.
    pub duration: Duration,
    /// `sts`: where STS is; by default the target's `endpoint`, or AWS's own in the target's region.
    pub sts: Option<Endpoint>,
}
