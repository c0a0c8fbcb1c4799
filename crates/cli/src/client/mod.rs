//! A small HTTP client of the gateway's API.

mod sts;
mod trust;

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self};
use hyper_util::rt::TokioExecutor;
use model::Secret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(crate) use sts::{Keys, keys};
pub(crate) use trust::Trust;

/// An answer that is not streamed is at most so long.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// A refusal is at most so long.
const PROBLEM_BYTES_MAX: usize = 64 << 10;
/// The gateway begins to answer within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// The gateway begins to hand out what it has to make first, such as a bundle, within this.
const MADE_WITHIN: Duration = Duration::from_secs(60 * 60);

/// Why the gateway did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// Not a URL that a token may be sent to.
    #[error(
        "{0} is no address of a gateway: write https://host:port (or http:// for this machine alone)"
    )]
    Address(String),
    /// Nobody there.
    #[error(
        "no gateway answers at {0} ({1}): start it with `countersign serve`, or name another with --api"
    )]
    Unreachable(String, String),
    /// The gateway said no.
    #[error("{0}")]
    Refused(String),
    /// What came is not what a gateway says.
    #[error("{0} does not answer as a gateway of this version does: {1}")]
    Answer(String, String),
    /// The answer broke off.
    #[error("the answer of {0} broke off: {1}: the gateway's log says why")]
    Broken(String, String),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] gateway::tls::TlsError),
    /// The token cannot be sent.
    #[error("the token holds characters that no token has: was the right file or variable given?")]
    Token,
}

/// A refusal (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

/// The API of one gateway, spoken to with one token.
pub(crate) struct Client {
    base: String,
    authorization: HeaderValue,
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Client {
    /// The API at `base`. The token is sent over TLS, or within this machine.
    pub(crate) fn new(base: &str, token: Secret, trust: &Trust) -> Result<Self, ClientError> {
        let base = base.trim_end_matches('/').to_owned();
        let address: Uri = base
            .parse()
            .map_err(|_| ClientError::Address(base.clone()))?;
        let http = http(&address, trust)?;
        let mut value = b"Bearer ".to_vec();
        value.extend_from_slice(token.expose());
        let mut authorization = HeaderValue::from_bytes(&value).map_err(|_| ClientError::Token)?;
        authorization.set_sensitive(true);
        Ok(Self {
            base,
            authorization,
            http,
        })
    }

    /// Asks for `path`, which begins with a slash.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let answer = self
            .send(Method::GET, path, Bytes::new(), ANSWER_WITHIN)
            .await?;
        self.read(answer).await
    }

    /// Posts `body` to `path`.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let answer = self
            .send(Method::POST, path, self.bytes(body)?, ANSWER_WITHIN)
            .await?;
        self.read(answer).await
    }

    /// Asks for `path`, whose answer is read as it comes.
    pub(crate) async fn stream(&self, path: &str) -> Result<Stream, ClientError> {
        let answer = self
            .send(Method::GET, path, Bytes::new(), ANSWER_WITHIN)
            .await?;
        Ok(Stream::new(&self.base, answer))
    }

    /// Posts `body` to `path`, whose answer is read as it comes.
    pub(crate) async fn post_stream(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Stream, ClientError> {
        let answer = self
            .send(Method::POST, path, self.bytes(body)?, MADE_WITHIN)
            .await?;
        Ok(Stream::new(&self.base, answer))
    }

    fn bytes(&self, body: &impl Serialize) -> Result<Bytes, ClientError> {
        let bytes = serde_json::to_vec(body);
        bytes
            .map(Bytes::from)
            .map_err(|error| ClientError::Answer(self.base.clone(), error.to_string()))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        within: Duration,
    ) -> Result<Response<Incoming>, ClientError> {
        let uri = format!("{}{path}", self.base);
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|_| ClientError::Address(self.base.clone()))?;
        let unreachable = |why: String| ClientError::Unreachable(self.base.clone(), why);
        let answer = tokio::time::timeout(within, self.http.request(request))
            .await
            .map_err(|_| unreachable(format!("no answer within {} s", within.as_secs())))?
            .map_err(|error| unreachable(innermost(&error)))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let body = Limited::new(answer.into_body(), PROBLEM_BYTES_MAX)
            .collect()
            .await;
        let body = body
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) if !problem.detail.is_empty() => Err(ClientError::Refused(problem.detail)),
            Ok(problem) if !problem.title.is_empty() => Err(ClientError::Refused(problem.title)),
            _ => Err(ClientError::Answer(
                self.base.clone(),
                format!("it says {status}"),
            )),
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        answer: Response<Incoming>,
    ) -> Result<T, ClientError> {
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        let body =
            body.map_err(|error| ClientError::Broken(self.base.clone(), error.to_string()))?;
        serde_json::from_slice(&body.to_bytes())
            .map_err(|error| ClientError::Answer(self.base.clone(), error.to_string()))
    }
}

/// An answer that is read as it comes.
pub(crate) struct Stream {
    base: String,
    headers: hyper::HeaderMap,
    body: Incoming,
}

impl Stream {
    fn new(base: &str, answer: Response<Incoming>) -> Self {
        let (parts, body) = answer.into_parts();
        Self {
            base: base.to_owned(),
            headers: parts.headers,
            body,
        }
    }

    /// A header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        while let Some(frame) = self.body.frame().await {
            let frame =
                frame.map_err(|error| ClientError::Broken(self.base.clone(), innermost(&error)))?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}

/// Connections to this address, which may hear tokens.
fn http(
    address: &Uri,
    trust: &Trust,
) -> Result<legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>, ClientError> {
    if !may_hear_tokens(address) {
        return Err(ClientError::Address(address.to_string()));
    }
    // Without TLS its settings are never looked at, and the machine may have no authorities.
    let tls = match address.scheme_str() {
        Some("https") => trust.client()?,
        _ => Trust::Nobody.client()?,
    };
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .build();
    Ok(legacy::Client::builder(TokioExecutor::new()).build(connector))
}

/// A name and a value for the query of a path; values are percent-encoded (RFC 3986, section 2.3).
pub(crate) fn query<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut out = path.to_owned();
    for (index, (name, value)) in pairs.into_iter().enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        out.push_str(&encoded(&value));
    }
    out
}

/// One segment of a path or value of a query, percent-encoded.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `https`, or `http` within this machine; nothing but host and port.
fn may_hear_tokens(uri: &Uri) -> bool {
    let loopback = |host: &str| {
        let ip = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    };
    let bare = uri.path() == "/" && uri.query().is_none();
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => bare,
        (Some("http"), Some(host)) => bare && loopback(host),
        _ => false,
    }
}

/// What is at the bottom of an error: the system's or TLS's own words.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_over_tls_or_stay_on_this_machine() {
        for (url, may) in [
            ("https://gateway.example.com:8480", true),
            ("http://127.0.0.1:8480", true),
            ("http://[::1]:8480", true),
            ("http://localhost:1", true),
            ("http://gateway.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://10.0.0.1:8480", false),
            ("https://gateway.example.com/x", false),
            ("ftp://localhost", false),
            ("localhost:8480", false),
        ] {
            assert_eq!(may_hear_tokens(&url.parse().unwrap()), may, "{url}");
        }
    }

    #[test]
    fn queries_are_encoded() {
        let pairs = [("reason", "a b&c=ü%".to_owned()), ("limit", "5".to_owned())];
        assert_eq!(
            query("/v1/x", pairs),
            "/v1/x?reason=a%20b%26c%3D%C3%BC%25&limit=5"
        );
        assert_eq!(encoded("../x"), "..%2Fx");
    }
}
