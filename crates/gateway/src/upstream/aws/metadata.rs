//! Keys that a machine is given by its surroundings: the endpoint of ECS and EKS for containers, and the instance's metadata
//! service, version 2 only (Amazon EC2 user guide, "Use IMDSv2").

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Uri};

use super::ask::Asker;
use super::chain::{Env, Found, read};
use crate::config::SecretSource;

/// Where ECS answers relative URIs.
const ECS: &str = "http://169.254.170.2";
/// Where an instance asks for its metadata.
const INSTANCE: &str = "http://169.254.169.254";
/// The addresses beside loopback that are this machine's surroundings: ECS, EKS, and the instance's own.
const NEAR: [&str; 5] = [
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::23",
    "169.254.169.254",
    "fd00:ec2::254",
];
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
/// A token of the metadata service is asked for so long, in seconds. It is used at once.
const TOKEN_SECS: &str = "60";

/// What the container's endpoint gives.
pub(super) async fn container(near: &Asker, env: Env<'_>) -> Found {
    let relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let full = env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let Some(url) = relative.map(|path| format!("{ECS}{path}")).or(full) else {
        return Ok(None);
    };
    let mut request = Request::get(near_uri(&url, true)?);
    let token = match env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => {
            let token = SecretSource::File(file.into()).read();
            let token = token.map_err(|error| error.to_string())?;
            Some(String::from_utf8_lossy(token.expose()).into_owned())
        }
        None => env("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    };
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    read(&asked(near, request).await?).map(Some)
}

/// What the instance's metadata service gives.
pub(super) async fn instance(near: &Asker, env: Env<'_>) -> Found {
    if env("AWS_EC2_METADATA_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let base = env("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| INSTANCE.to_owned());
    let base = base.trim_end_matches('/');
    let request = Request::put(near_uri(&format!("{base}/latest/api/token"), false)?)
        .header("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECS);
    let token = asked(near, request).await?;
    let with = |path: &str| {
        let request = Request::get(near_uri(&format!("{base}{path}"), false)?);
        Ok::<_, String>(request.header("x-aws-ec2-metadata-token", token.as_ref()))
    };
    let roles = asked(near, with(ROLES)?).await?;
    let roles = String::from_utf8_lossy(&roles).into_owned();
    let Some(role) = roles
        .lines()
        .next()
        .map(str::trim)
        .filter(|it| !it.is_empty())
    else {
        return Ok(None);
    };
    read(&asked(near, with(&format!("{ROLES}{role}"))?).await?).map(Some)
}

async fn asked(near: &Asker, request: hyper::http::request::Builder) -> Result<Bytes, String> {
    let request = request.body(Full::default());
    let request = request.map_err(|error| error.to_string())?;
    let url = request.uri().to_string();
    let answer = near.ask(request).await;
    match answer.map_err(|why| format!("{url}: {why}"))? {
        (status, body) if status.is_success() => Ok(body),
        (status, _) => Err(format!("{url}: answered {}", status.as_u16())),
    }
}

/// A URL in the machine's surroundings; with `tls` also one by HTTPS.
fn near_uri(url: &str, tls: bool) -> Result<Uri, String> {
    let uri: Uri = url.parse().map_err(|_| format!("{url} is no URL"))?;
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let ip = host.parse::<std::net::IpAddr>();
    let near = NEAR.contains(&host) || host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("http") if near => Ok(uri),
        Some("https") if tls => Ok(uri),
        _ => Err(format!(
            "{url} is not asked for keys: it is neither of this machine nor HTTPS"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_asked_in_clear() {
        for (url, tls, may) in [
            ("http://169.254.170.2/x", true, true),
            ("http://169.254.170.23/v1/credentials", true, true),
            ("http://[fd00:ec2::23]/v1/credentials", true, true),
            ("http://127.0.0.1:9/x", true, true),
            ("http://localhost:9/x", true, true),
            ("https://keys.example/x", true, true),
            ("https://keys.example/x", false, false),
            ("http://keys.example/x", true, false),
            ("http://169.254.170.2.example/x", true, false),
            ("http://169.254.170.3/x", true, false),
            ("http://169.254.170.2@evil.example/x", true, false),
            ("ftp://127.0.0.1/x", true, false),
            ("/x", true, false),
        ] {
            assert_eq!(near_uri(url, tls).is_ok(), may, "{url}");
        }
    }
}
