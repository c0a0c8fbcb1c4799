//! Where a value points to.

use super::Kind;
use crate::http::escape;

/// Bucket and key in a value: a name, a path, an ARN or a URL. A bucket that has no name of its own there is an empty one.
pub(super) fn place(kind: Kind, value: &str) -> Option<(String, String)> {
    let split = |path: &str| {
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        (bucket.to_owned(), key.to_owned())
    };
    let value = match value.split_once(':') {
        // Of Active Directory, in ECS.
        Some(("credentialspec" | "credentialspecdomainless", file)) => file,
        _ => value,
    };
    let lower = value.to_ascii_lowercase();
    if lower.starts_with("arn:") {
        let mut parts = value.splitn(6, ':').skip(2);
        let service = parts.next()?;
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        return match service {
            // Access points have a region and an account.
            "s3" if region.is_empty() && account.is_empty() => Some(split(resource)),
            "s3" | "s3-object-lambda" => Some(Default::default()),
            _ => None,
        };
    }
    if let Some((scheme, rest)) = value.split_once("://") {
        if lower.starts_with("s3") {
            return Some(split(rest));
        }
        return scheme
            .to_ascii_lowercase()
            .starts_with("http")
            .then(|| of_host(rest))?;
    }
    if kind != Kind::Bucket || value.is_empty() {
        return None;
    }
    of_host(value).or_else(|| Some(split(value)))
}

/// Bucket and key in `bucket.s3.region.amazonaws.com/key` and `s3.region.amazonaws.com/bucket/key`.
fn of_host(rest: &str) -> Option<(String, String)> {
    let path = rest.split(['?', '#']).next().unwrap_or(rest);
    let (host, path) = path.split_once('/').unwrap_or((path, ""));
    let host = host.to_ascii_lowercase();
    let host = host.split(':').next().unwrap_or(&host);
    if !host.contains(".amazonaws.com") {
        return None;
    }
    let path = escape::decode(path).ok()?;
    if host.starts_with("s3.") || host.starts_with("s3-") {
        let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
        return Some((bucket.to_owned(), key.to_owned()));
    }
    let at = host.rfind(".s3.").or_else(|| host.rfind(".s3-"))?;
    Some((host.get(..at)?.to_owned(), path))
}
