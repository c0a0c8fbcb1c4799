//! Targets that speak AWS's APIs.

use super::super::read::{Item, Section};
use super::super::{AwsCredentials, AwsTarget, ConfigError, Endpoint};
use super::classes::{find, strategies};
use super::{OwnClasses, host_port, labels, path, secret};

pub(super) fn target(mut section: Section<'_>, own: &OwnClasses) -> Result<AwsTarget, ConfigError> {
    let region = section.need("region", "\"eu-central-1\"")?;
    let name = region.text()?;
    if !name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return Err(region.error("is not a region: write one like \"eu-central-1\""));
    }
    let target = AwsTarget {
        region: name,
        endpoint: section
            .take("endpoint")
            .map(|item| endpoint(&item))
            .transpose()?,
        ca: path(&mut section, "ca")?,
        credentials: credentials(
            section
                .need(
                    "credentials",
                    "{ access_key = \"AKIA…\", secret_key = { env = \"…\" } }",
                )?
                .section()?,
        )?,
        labels: labels(section.section("labels")?)?,
        strategies: strategies(section.section("strategies")?)?,
        find: find(section.section("find")?, own)?,
        own: own.clone(),
    };
    section.finish()?;
    Ok(target)
}

fn endpoint(item: &Item<'_>) -> Result<Endpoint, ConfigError> {
    let text = item.text()?;
    let bad = || {
        item.error("is not an endpoint: write https://host, with a port if need be and without a path (http only on loopback)")
    };
    let (tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err(bad()),
    };
    let port = if tls { 443 } else { 80 };
    let address = host_port(rest.trim_end_matches('/'), port).ok_or_else(bad)?;
    if !tls && !address.is_loopback() {
        return Err(bad());
    }
    Ok(Endpoint { tls, address })
}

fn credentials(mut section: Section<'_>) -> Result<AwsCredentials, ConfigError> {
    let item = section.need("access_key", "\"AKIA…\"")?;
    let access_key = item.text()?;
    if access_key.len() > 128 || !access_key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(item.error("is not an access key id: letters and digits, such as AKIA…"));
    }
    let credentials = AwsCredentials {
        access_key,
        secret_key: secret(section.need("secret_key", "{ env = \"…\" }")?)?,
        session_token: section.take("session_token").map(secret).transpose()?,
    };
    section.finish()?;
    Ok(credentials)
}
