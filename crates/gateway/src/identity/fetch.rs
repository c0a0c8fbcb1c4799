//! Fetching an issuer's documents: small JSON over HTTPS, without following redirects.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode, Uri, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;

/// An issuer's document may be so large.
const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// An issuer must answer within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A document that could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address is no URL, or plain HTTP to another machine.
    #[error("{0}: an issuer is reached by https (or http on loopback)")]
    Address(String),
    /// No answer, or TLS failed.
    #[error("{url}: {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// What happened.
        why: String,
    },
    /// An answer other than 200.
    #[error("{url}: answered {status}")]
    Status {
        /// Where.
        url: String,
        /// The status.
        status: u16,
    },
    /// The answer is not the JSON it should be, or too large.
    #[error("{url}: {why}")]
    Document {
        /// Where.
        url: String,
        /// What is wrong.
        why: String,
    },
}

/// An HTTP client for one issuer.
#[derive(Clone)]
pub struct Fetcher {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl Fetcher {
    /// A client that trusts what `tls` trusts.
    #[must_use]
    pub fn new(tls: Arc<rustls::ClientConfig>) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config((*tls).clone())
            .https_or_http()
            .enable_http1()
            .build();
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
    }

    /// Fetches JSON.
    ///
    /// # Errors
    /// [`FetchError`] says where and why.
    pub async fn json<T: DeserializeOwned>(&self, url: &str) -> Result<T, FetchError> {
        let uri: Uri = url
            .parse()
            .map_err(|_| FetchError::Address(url.to_owned()))?;
        if !may_fetch(&uri) {
            return Err(FetchError::Address(url.to_owned()));
        }
        let unreachable = |why: String| FetchError::Unreachable {
            url: url.to_owned(),
            why,
        };
        let document = |why: String| FetchError::Document {
            url: url.to_owned(),
            why,
        };
        let request = Request::get(uri)
            .header(header::ACCEPT, "application/json")
            .body(Empty::new())
            .map_err(|error| unreachable(error.to_string()))?;
        let fetch = async {
            let answer = self
                .client
                .request(request)
                .await
                .map_err(|error| unreachable(crate::chain(&error)))?;
            if answer.status() != StatusCode::OK {
                return Err(FetchError::Status {
                    url: url.to_owned(),
                    status: answer.status().as_u16(),
                });
            }
            let body = Limited::new(answer.into_body(), DOCUMENT_BYTES_MAX)
                .collect()
                .await;
            let body = body.map_err(|error| document(error.to_string()))?;
            serde_json::from_slice(&body.to_bytes()).map_err(|error| document(error.to_string()))
        };
        let late = |_| unreachable(format!("no answer within {} s", ANSWER_WITHIN.as_secs()));
        tokio::time::timeout(ANSWER_WITHIN, fetch)
            .await
            .map_err(late)?
    }
}

/// `https`, or `http` on this machine.
pub(super) fn may_fetch(uri: &Uri) -> bool {
    let loopback = |host: &str| {
        let ip = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    };
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => loopback(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_leaves_this_machine_never() {
        for (url, may) in [
            ("https://id.example.com/x", true),
            ("http://127.0.0.1:9/x", true),
            ("http://[::1]:9/x", true),
            ("http://localhost/x", true),
            ("http://id.example.com/x", false),
            ("http://127.0.0.1.example.com/x", false),
            ("file:///etc/passwd", false),
            ("/x", false),
        ] {
            assert_eq!(may_fetch(&url.parse().unwrap_or_default()), may, "{url}");
        }
    }
}
