//! How the clients of a target reach it: what they need in their environment and in the files they read.

use std::path::{Path, PathBuf};

use clap::Args;
use gateway::config::Config;
use model::Identity;

use crate::cli::Globals;
use crate::client::{self, Keys};
use crate::commands::block_on;
use crate::failure::Failure;
use crate::place::{Place, no_target};

/// Says that requests go to the endpoint's own host, whatever the operation.
pub(crate) const WITHOUT_PREFIX: &str = "AWS_DISABLE_HOST_PREFIX_INJECTION";

/// What AWS's clients call their session.
const SESSION: &str = "countersign";

/// Where the gateway is for clients of targets.
#[derive(Debug, Args)]
pub(crate) struct Where {
    /// Where PostgreSQL clients connect, as host:port. Default: the gateway of the configuration.
    #[arg(long, value_name = "HOST:PORT", env = "COUNTERSIGN_POSTGRES")]
    postgres: Option<String>,

    /// Where AWS's clients connect, as https://host:port. Default: the gateway of the configuration.
    #[arg(long, value_name = "URL", env = "COUNTERSIGN_AWS")]
    aws: Option<String>,

    /// The region that AWS's clients name. Default: the target's in the configuration, else us-east-1.
    #[arg(long, value_name = "REGION", env = "COUNTERSIGN_AWS_REGION")]
    region: Option<String>,

    /// The name to log in with, which the gateway does not look at. Default: asked of the gateway, by the token.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

/// How one target is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// By libpq and what reads its variables.
    Postgres(Libpq),
    /// By AWS's SDKs.
    Aws(Sdk),
}

/// What libpq's clients need, but for the password, which is the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Libpq {
    pub(crate) target: String,
    host: String,
    port: u16,
    user: String,
    protection: Vec<(&'static str, String)>,
}

/// What AWS's SDKs need for their own web-identity flow, but for the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sdk {
    pub(crate) target: String,
    pub(crate) endpoint: String,
    region: String,
    authorities: Option<PathBuf>,
}

#[derive(Clone, Copy)]
enum Protocol {
    Postgres,
    Aws,
}

impl Where {
    /// How `target` is reached: a name, or `aws:name` or `postgres:name` where nothing else says which it is.
    pub(crate) fn reach(
        &self,
        target: &str,
        place: &Place<'_>,
        globals: &Globals,
    ) -> Result<Reach, Failure> {
        let (said, name) = match target.split_once(':') {
            Some(("aws", name)) => (Some(Protocol::Aws), name),
            Some(("postgres", name)) => (Some(Protocol::Postgres), name),
            _ => (None, target),
        };
        let protocol = match (said, &self.postgres, &self.aws) {
            (Some(said), _, _) => said,
            (None, Some(_), None) => Protocol::Postgres,
            (None, None, Some(_)) => Protocol::Aws,
            (None, postgres, _) => match place.config() {
                Ok(config) if config.aws_targets.contains_key(name) => Protocol::Aws,
                Err(_) if postgres.is_some() => {
                    return Err(Failure::usage(format!(
                        "say what {name} is: --target aws:{name} or --target postgres:{name}"
                    )));
                }
                Ok(_) | Err(_) => Protocol::Postgres,
            },
        };
        self.there_is(protocol, name, place, globals)?;
        match protocol {
            Protocol::Aws => self.sdk(name, place, globals).map(Reach::Aws),
            Protocol::Postgres => self.libpq(name, place).map(Reach::Postgres),
        }
    }

    /// What the configuration's own gateway does not have is no target. Of a gateway elsewhere nothing is known.
    fn there_is(
        &self,
        protocol: Protocol,
        name: &str,
        place: &Place<'_>,
        globals: &Globals,
    ) -> Result<(), Failure> {
        let elsewhere = match protocol {
            Protocol::Aws => self.aws.is_some(),
            Protocol::Postgres => self.postgres.is_some(),
        };
        let config = match place.config() {
            Ok(config) if !elsewhere => config,
            _ => return Ok(()),
        };
        let wire = config.targets.contains_key(name);
        let aws = config.aws_targets.contains_key(name);
        let what = match (protocol, wire, aws) {
            (Protocol::Postgres, true, _) | (Protocol::Aws, _, true) => return Ok(()),
            (_, false, false) => return Err(no_target(config, &globals.config, name)),
            (Protocol::Postgres, ..) => "speaks AWS's APIs",
            (Protocol::Aws, ..) => "is a PostgreSQL target",
        };
        Err(Failure::usage(format!(
            "{name} {what}: give --target {name}"
        )))
    }

    fn sdk(&self, target: &str, place: &Place<'_>, globals: &Globals) -> Result<Sdk, Failure> {
        let endpoint = match &self.aws {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => place.running()?.aws.ok_or_else(|| {
                Failure::usage("the gateway that runs does not serve AWS's clients: start it again with this configuration".to_owned())
            })?,
        };
        let configured = || {
            let config = place.config().ok()?;
            Some(config.aws_targets.get(target)?.region.clone())
        };
        let region = self.region.clone().or_else(configured);
        let authorities = globals.ca.as_deref().map(absolute).transpose()?;
        Ok(Sdk {
            target: target.to_owned(),
            endpoint,
            region: region.unwrap_or_else(|| "us-east-1".to_owned()),
            authorities,
        })
    }

    fn libpq(&self, target: &str, place: &Place<'_>) -> Result<Libpq, Failure> {
        let (host, port) = match &self.postgres {
            Some(address) => host_port(address)?,
            None => {
                let at = place.running()?.postgres;
                (at.ip().to_string(), at.port())
            }
        };
        let user = match &self.user {
            Some(user) => user.clone(),
            None => {
                let client = place.personal()?;
                let identity: Identity = block_on(async { Ok(client.get("/v1/whoami").await?) })?;
                identity.name().to_owned()
            }
        };
        let config = match self.postgres {
            None => place.config().ok(),
            Some(_) => None,
        };
        Ok(Libpq {
            target: target.to_owned(),
            protection: protection(&host, config),
            host,
            port,
            user,
        })
    }
}

impl Libpq {
    /// Its variables.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("PGHOST", self.host.clone()),
            ("PGPORT", self.port.to_string()),
            ("PGDATABASE", self.target.clone()),
            ("PGUSER", self.user.clone()),
        ];
        variables.extend(self.protection.iter().cloned());
        variables
    }

    /// The section of libpq's service file that names the target.
    pub(crate) fn service(&self) -> String {
        let named = self.variables().into_iter().map(|(name, value)| {
            let name = name.trim_start_matches("PG").to_ascii_lowercase();
            // `dbname` is what a service file calls it.
            let name = if name == "database" { "dbname" } else { &name };
            format!("{name}={value}\n")
        });
        format!("[{}]\n{}", self.target, named.collect::<String>())
    }
}

impl Sdk {
    fn role(&self) -> String {
        format!(
            "arn:aws:iam::{}:role/{}",
            protocols::aws::sts::ACCOUNT,
            self.target
        )
    }

    /// The SDKs' variables; `token` is the file they read the token from.
    pub(crate) fn variables(&self, token: &Path) -> Vec<(&'static str, String)> {
        let mut variables = self.endpoints().to_vec();
        variables.extend([
            ("AWS_ROLE_ARN", self.role()),
            ("AWS_ROLE_SESSION_NAME", SESSION.to_owned()),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", token.display().to_string()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
        ]);
        variables.extend(self.bundle());
        variables
    }

    /// Where everything is asked. Terraform's S3 backend takes the one for S3 alone, and would send the token to AWS's own STS.
    /// Some operations have hosts of their own, which begin as nothing does at the gateway (`cp.metadata.`).
    pub(crate) fn endpoints(&self) -> [(&'static str, String); 3] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_ENDPOINT_URL_STS", self.endpoint.clone()),
            (WITHOUT_PREFIX, "true".to_owned()),
        ]
    }

    /// Whom to trust for the gateway, where that is said.
    pub(crate) fn bundle(&self) -> Option<(&'static str, String)> {
        let file = self.authorities.as_ref()?;
        Some(("AWS_CA_BUNDLE", file.display().to_string()))
    }

    /// The section `name` of the SDKs' configuration file, and the one beside it that names STS for those who take `endpoint_url` for S3 alone.
    pub(crate) fn profile(&self, name: &str, token: &Path) -> Result<String, Failure> {
        let services = format!("countersign-{name}");
        let mut lines = vec![
            ("endpoint_url", self.endpoint.clone()),
            ("disable_host_prefix_injection", "true".to_owned()),
            ("services", services.clone()),
            ("region", self.region.clone()),
            ("role_arn", self.role()),
            ("role_session_name", SESSION.to_owned()),
            ("web_identity_token_file", token.display().to_string()),
        ];
        lines.extend(self.bundle().map(|(_, file)| ("ca_bundle", file)));
        let mut text = match name {
            "default" => "[default]\n".to_owned(),
            name => format!("[profile {name}]\n"),
        };
        for (key, value) in lines {
            if value.contains(['\n', '\r']) {
                return Err(Failure::usage(format!(
                    "{key} would hold a line break, which the SDKs' configuration cannot"
                )));
            }
            text.push_str(&format!("{key} = {value}\n"));
        }
        text.push_str(&format!(
            "[services {services}]\nsts =\n  endpoint_url = {}\n",
            self.endpoint
        ));
        Ok(text)
    }

    /// Keys of the gateway's STS for the caller's token, for a `credential_process`.
    pub(crate) fn keys(&self, place: &Place<'_>) -> Result<Keys, Failure> {
        let token = place.required_token()?;
        let trust = place.aws_trust(&self.endpoint);
        let role = self.role();
        block_on(async { Ok(client::keys(&self.endpoint, &trust, &token, &role, SESSION).await?) })
    }
}

/// The path for programs that run elsewhere.
pub(crate) fn absolute(file: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(file)
        .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))
}

/// How libpq is to protect the connection. The gateway's self-signed certificate is nothing to verify against elsewhere.
fn protection(host: &str, config: Option<&Config>) -> Vec<(&'static str, String)> {
    let local = host == "localhost"
        || host
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    let own = config.is_none_or(|config| config.postgres.tls.is_some());
    match (local, own) {
        (true, _) => vec![("PGSSLMODE", "prefer".to_owned())],
        (false, true) => vec![
            ("PGSSLMODE", "verify-full".to_owned()),
            ("PGSSLROOTCERT", "system".to_owned()),
        ],
        (false, false) => vec![("PGSSLMODE", "require".to_owned())],
    }
}

fn host_port(address: &str) -> Result<(String, u16), Failure> {
    let parts = address
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parts {
        Some((host, port)) if !host.is_empty() => {
            Ok((host.trim_matches(['[', ']']).to_owned(), port))
        }
        _ => Err(Failure::usage(format!(
            "--postgres {address:?} is not an address: write host:port"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sdk() -> Sdk {
        Sdk {
            target: "lake".to_owned(),
            endpoint: "https://127.0.0.1:8481".to_owned(),
            region: "eu-central-1".to_owned(),
            authorities: Some(PathBuf::from("/run/ca.pem")),
        }
    }

    #[test]
    fn sdks_of_aws_find_all_they_need() {
        let lines = sdk().variables(Path::new("/run/agent.token"));
        let lines: Vec<_> = lines.iter().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(
            lines,
            [
                "AWS_ENDPOINT_URL=https://127.0.0.1:8481",
                "AWS_ENDPOINT_URL_STS=https://127.0.0.1:8481",
                "AWS_DISABLE_HOST_PREFIX_INJECTION=true",
                "AWS_ROLE_ARN=arn:aws:iam::000000000000:role/lake",
                "AWS_ROLE_SESSION_NAME=countersign",
                "AWS_WEB_IDENTITY_TOKEN_FILE=/run/agent.token",
                "AWS_REGION=eu-central-1",
                "AWS_DEFAULT_REGION=eu-central-1",
                "AWS_CA_BUNDLE=/run/ca.pem",
            ]
        );
    }

    #[test]
    fn profiles_name_the_target() {
        let token = Path::new("/run/agent.token");
        assert_eq!(
            sdk().profile("lake", token).unwrap(),
            "[profile lake]\n\
             endpoint_url = https://127.0.0.1:8481\n\
             disable_host_prefix_injection = true\n\
             services = countersign-lake\n\
             region = eu-central-1\n\
             role_arn = arn:aws:iam::000000000000:role/lake\n\
             role_session_name = countersign\n\
             web_identity_token_file = /run/agent.token\n\
             ca_bundle = /run/ca.pem\n\
             [services countersign-lake]\n\
             sts =\n  endpoint_url = https://127.0.0.1:8481\n"
        );
        assert!(
            sdk()
                .profile("default", token)
                .unwrap()
                .starts_with("[default]\n")
        );
        assert!(
            sdk()
                .profile("lake", Path::new("/a\nrole_arn = x"))
                .is_err()
        );
    }

    #[test]
    fn a_service_names_the_target() {
        let libpq = Libpq {
            target: "bank".to_owned(),
            host: "gw.example.com".to_owned(),
            port: 15432,
            user: "claude-code".to_owned(),
            protection: protection("gw.example.com", None),
        };
        assert_eq!(
            libpq.service(),
            "[bank]\nhost=gw.example.com\nport=15432\ndbname=bank\nuser=claude-code\n\
             sslmode=verify-full\nsslrootcert=system\n"
        );
    }

    #[test]
    fn off_this_machine_tls_is_asked_for() {
        assert_eq!(
            protection("127.0.0.1", None),
            [("PGSSLMODE", "prefer".to_owned())]
        );
        assert_eq!(protection("::1", None).len(), 1);
        let away = protection("gateway.example.com", None);
        assert_eq!(away.first(), Some(&("PGSSLMODE", "verify-full".to_owned())));
    }

    #[test]
    fn addresses_have_a_port() {
        assert_eq!(
            host_port("db.example.com:1").unwrap(),
            ("db.example.com".to_owned(), 1)
        );
        assert_eq!(host_port("[::1]:5").unwrap(), ("::1".to_owned(), 5));
        for wrong in ["", "x", ":1", "x:", "x:70000"] {
            assert!(host_port(wrong).is_err(), "{wrong}");
        }
    }
}
