//! Keys of the gateway's STS, as a client of its own gets them.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Uri};
use model::Secret;

use super::{ANSWER_WITHIN, ClientError, PROBLEM_BYTES_MAX, Trust, encoded, http, innermost};

/// Keys that work at the gateway alone.
pub(crate) struct Keys {
    pub(crate) access_key: String,
    pub(crate) secret_key: Secret,
    pub(crate) session_token: String,
    /// When they end (RFC 3339).
    pub(crate) expiration: String,
}

/// `AssumeRoleWithWebIdentity` at the gateway whose AWS clients connect to `endpoint`.
pub(crate) async fn keys(
    endpoint: &str,
    trust: &Trust,
    token: &Secret,
    role: &str,
    session: &str,
) -> Result<Keys, ClientError> {
    let address: Uri = endpoint
        .parse()
        .map_err(|_| ClientError::Address(endpoint.to_owned()))?;
    let http = http(&address, trust)?;
    let form = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}&RoleSessionName={}&WebIdentityToken={}",
        encoded(role),
        encoded(session),
        encoded(&String::from_utf8_lossy(token.expose()))
    );
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{}/", endpoint.trim_end_matches('/')))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form)))
        .map_err(|_| ClientError::Address(endpoint.to_owned()))?;
    let unreachable = |why: String| ClientError::Unreachable(endpoint.to_owned(), why);
    let answer = tokio::time::timeout(ANSWER_WITHIN, http.request(request))
        .await
        .map_err(|_| unreachable(format!("no answer within {} s", ANSWER_WITHIN.as_secs())))?
        .map_err(|error| unreachable(innermost(&error)))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), PROBLEM_BYTES_MAX);
    let body = body
        .collect()
        .await
        .map_err(|error| ClientError::Broken(endpoint.to_owned(), error.to_string()))?;
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    let strange = |what: &str| ClientError::Answer(endpoint.to_owned(), what.to_owned());
    if !status.is_success() {
        return Err(match element(&text, "Message") {
            Some(message) => ClientError::Refused(message),
            None => strange(&format!("it says {status}")),
        });
    }
    let part = |name: &str| element(&text, name).ok_or_else(|| strange(&format!("no {name}")));
    Ok(Keys {
        access_key: part("AccessKeyId")?,
        secret_key: Secret::from(part("SecretAccessKey")?),
        session_token: part("SessionToken")?,
        expiration: part("Expiration")?,
    })
}

/// The text of the first element of this name, which holds no other.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let mut text = text.to_owned();
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read() {
        let xml = "<R><Code>x</Code><Message>a &lt;b&gt; &amp;amp; c</Message></R>";
        assert_eq!(element(xml, "Message").as_deref(), Some("a <b> &amp; c"));
        assert_eq!(element(xml, "SecretAccessKey"), None);
    }
}
